"""The networks that are measured. A new one is one entry of `NETWORKS`.

Those of the examples are trained; the others have random weights drawn from their name, since the times and sizes of every
system here depend on the shape alone. Their accuracy is therefore not told.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np

from zkpredict.benchmarks.floats import Step, float_steps, infer, plain, weighted, with_relu
from zkpredict.circuits.errors import UnsupportedNetwork, UnusableInput
from zkpredict.circuits.files.idx import read_images, read_labels
from zkpredict.circuits.networks.activations import RELU, RELU8
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.prover.model import Model
from zkpredict.training.floating import FloatLayer, FloatNetwork
from zkpredict.training.quantize import quantize

ROOT = Path(__file__).resolve().parents[1]
IMAGES, LABELS = (ROOT / "tests" / "data" / f"t10k-{name}.gz" for name in ("images-idx3-ubyte", "labels-idx1-ubyte"))
CALIBRATION_IMAGES = 256


@dataclass(frozen=True)
class BenchNetwork:
    """A network under its `name`. `integer` gives the integer network that zkpredict and the hand-written circuits prove, `make` the
    float steps over pixels in 0..1 of `input_shape` (numbers in a row, or channels, rows, columns) that other systems are given."""

    name: str
    make: Callable[[], list[Step]]
    integer: Callable[[], IntegerNetwork]
    input_shape: tuple[int, ...] = (784,)
    trained: bool = False

    @cached_property
    def steps(self) -> list[Step]:
        """The float steps. Raises `UnsupportedNetwork` where other systems are not given this network."""
        return self.make()

    @cached_property
    def integers(self) -> IntegerNetwork:
        """The integer network."""
        return self.integer()

    @property
    def classes(self) -> int:
        return len(self.integers.layers[-1].bias)

    def refused(self) -> str | None:
        """Why other systems are not given this network, or None."""
        try:
            return None if self.steps else "it has no layers"
        except UnsupportedNetwork as refusal:
            return str(refusal)

    @property
    def inputs(self) -> int:
        return int(np.prod(self.input_shape))

    @property
    def weights(self) -> int:
        """Number of weights, biases left out."""
        return sum(layer.weight_count for layer in self.integers.layers)

    @property
    def products(self) -> int:
        """Multiplications of one inference: each weight at each position."""
        return sum(layer.outputs * layer.matrix_shape[1] for layer in self.integers.layers)

    @property
    def neurons(self) -> int:
        """Outputs of all dense layers and of all convolutions, position by position."""
        return sum(layer.outputs for layer in self.integers.layers if layer.weight_count)

    def float_classes(self, pixels: np.ndarray) -> np.ndarray:
        """The classes of the float steps, for pixels in 0..1, float [count, inputs]."""
        return infer(self.steps, pixels.reshape(-1, *self.input_shape)).argmax(axis=1)

    def circuit_integers(self) -> IntegerNetwork:
        """`integers` for circuits of dense layers and convolutions with ReLU. Raises `UnsupportedNetwork` for others."""
        for number, layer in enumerate(self.integers.layers[:-1]):
            what = f"layer {number} of {self.name}"
            if not layer.wiring.plain:
                raise UnsupportedNetwork(f"{what} is a max pool or reads several layers")
            if layer.activation not in (RELU, RELU8):
                raise UnsupportedNetwork(f"{what} has activation {layer.activation.name}, not ReLU")
            if layer.grid is not None and not plain(layer.grid):
                raise UnsupportedNetwork(f"{what} has padding, strides or other windows")
        return self.integers

    def other(self) -> BenchNetwork:
        """The same shape with the sign of the last layer's weights turned: an owner's other network, for the test of binding."""

        def turned() -> list[Step]:
            *before, last = self.steps
            weights, bias = weighted(last)
            return [*before, Step(last.kind, -weights, bias)]

        def integers() -> IntegerNetwork:
            *layers, end = self.integers.layers
            return IntegerNetwork((*layers, replace(end, weights=-end.weights)))

        return BenchNetwork(f"{self.name}, other weights", turned, integers, self.input_shape)

    def image(self) -> np.ndarray:
        """The image that is proven: the first MNIST test image (a seven), or random bytes for another size. uint8 [inputs]."""
        if self.inputs == 784:
            return mnist_images()[0]
        return np.random.default_rng(zlib.crc32(self.name.encode())).integers(0, 256, self.inputs, dtype=np.uint8)


def dense_network(widths: tuple[int, ...], calibrated: bool = False) -> BenchNetwork:
    """A dense ReLU network of random weights, named by its widths. `calibrated`: quantised over test images, as `zkpredict quantize
    --calibrate` does; else by worst cases alone, which a deep network's lanes have no room for."""
    name = "-".join(map(str, widths))
    made: list[Step] = []

    def layers() -> list[Step]:
        draw = np.random.default_rng(zlib.crc32(name.encode()))
        made[:] = made or [_random(draw, outputs, inputs) for inputs, outputs in pairwise(widths)]
        return made

    def integers() -> IntegerNetwork:
        sample = mnist_images()[:CALIBRATION_IMAGES] if calibrated else None
        return quantize(FloatNetwork(tuple(FloatLayer(f"dense {n}", *weighted(step)) for n, step in enumerate(layers(), 1))), sample)

    return BenchNetwork(name, lambda: with_relu(layers()), integers, (widths[0],))


def _random(draw: np.random.Generator, outputs: int, inputs: int) -> Step:
    return Step("dense", draw.normal(0, np.sqrt(2 / inputs), (outputs, inputs)), draw.normal(0, 0.05, outputs))


def model_network(network: IntegerNetwork, name: str = "") -> BenchNetwork:
    """A network of integers, with its float twin for other systems."""
    first = network.layers[0].grid
    shape = network.shape[:1] if first is None else (first.channels, first.height, first.width)
    return BenchNetwork(name or network.name, lambda: float_steps(network), lambda: network, shape)


def _example(name: str, file: str, input_shape: tuple[int, ...] = (784,)) -> BenchNetwork:
    """A trained network of `examples/`, read when it is asked for."""

    def integers() -> IntegerNetwork:
        return Model.load(in_checkout(ROOT / "examples" / file)).network

    return BenchNetwork(name, lambda: float_steps(integers()), integers, input_shape, trained=True)


NETWORKS: dict[str, BenchNetwork] = {
    network.name: network
    for network in (
        _example("784-64-10", "mnist.model"),
        _example("784-64-10-rational", "mnist_rational.model"),
        dense_network((784, 56, 10)),
        dense_network((784, 512, 512, 10), calibrated=True),
        _example("LeNet-5", "lenet.model", (1, 28, 28)),
        _example("LeNet-5-max", "lenet_max.model", (1, 28, 28)),
        dense_network((784, 2000, 60, 4000, 10), calibrated=True),
        dense_network((64, 16, 4)),
    )
}
"""By name. 64-16-4 is for trying the suite itself."""
DEFAULT_NETWORKS = ("784-64-10", "784-56-10")
QUICK_NETWORKS = ("784-64-10",)


def mnist_images() -> np.ndarray:
    """The 10,000 MNIST test images, uint8 [10000, 784]. Raises `UnusableInput` outside a checkout."""
    return read_images(in_checkout(IMAGES)).reshape(-1, 784)


def mnist_labels() -> np.ndarray:
    """What they show, uint8 [10000]. Raises `UnusableInput` outside a checkout."""
    return read_labels(in_checkout(LABELS))


def in_checkout(path: Path) -> Path:
    """`path`, which only a checkout has. Raises `UnusableInput` elsewhere."""
    if not path.is_file():
        raise UnusableInput(f"the suite needs a checkout of the repository: there is no {path}")
    return path
