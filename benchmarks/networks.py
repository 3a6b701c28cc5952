"""The networks that are measured. A new one is one entry of `NETWORKS`.

The trained network is the example's; the others have random weights drawn from their name, since the times and sizes of every
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

from zkpredict.circuits.errors import UnsupportedNetwork, UnusableInput
from zkpredict.circuits.files.idx import read_images, read_labels
from zkpredict.circuits.networks.activations import RELU
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.prover.model import Model
from zkpredict.training.floating import FloatLayer, FloatNetwork
from zkpredict.training.quantize import quantize

ROOT = Path(__file__).resolve().parents[1]
IMAGES, LABELS = (ROOT / "tests" / "data" / f"t10k-{name}.gz" for name in ("images-idx3-ubyte", "labels-idx1-ubyte"))


@dataclass(frozen=True)
class Step:
    """One step of a float network: `kind` is dense, convolution, max_pool, relu or flatten. `weights` is [outputs, inputs], or
    [channels out, channels in, size, size], and `bias` [outputs], for those that have them."""

    kind: str
    weights: np.ndarray | None = None
    bias: np.ndarray | None = None


@dataclass(frozen=True)
class BenchNetwork:
    """A network under its `name`. `make` gives the float steps over pixels in 0..1 of `input_shape`; `integer`, where there is one,
    the integer network that zkpredict and the hand-written circuits prove."""

    name: str
    make: Callable[[], list[Step]]
    input_shape: tuple[int, ...] = (784,)
    integer: Callable[[], IntegerNetwork] | None = None
    trained: bool = False

    @cached_property
    def steps(self) -> list[Step]:
        return self.make()

    @property
    def classes(self) -> int:
        return len((self.integers.layers if self.integer is not None else self.steps)[-1].bias)

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
        if self.integer is not None:
            return sum(layer.weight_count for layer in self.integers.layers)
        return sum(step.weights.size for step in self.steps if step.weights is not None)

    @property
    def neurons(self) -> int:
        """Outputs of all dense layers and of all convolutions, position by position."""
        if self.integer is not None:
            return sum(self.integers.shape[1:])
        height, found = self.input_shape[-1], 0
        for step in self.steps:
            if step.kind == "convolution":
                height -= step.weights.shape[-1] - 1
                found += len(step.bias) * height**2
            elif step.kind == "max_pool":
                height //= 2
            elif step.kind == "dense":
                found += len(step.bias)
        return found

    @cached_property
    def integers(self) -> IntegerNetwork:
        """The integer network. Raises `UnsupportedNetwork` when this version has none for it."""
        if self.integer is None:
            kinds = ", ".join(sorted({step.kind for step in self.steps} - {"dense", "relu", "flatten"}))
            raise UnsupportedNetwork(f"{self.name} has {kinds}: integer networks of this version are dense")
        return self.integer()

    def float_classes(self, pixels: np.ndarray) -> np.ndarray:
        """The classes of the float steps, for pixels in 0..1, float [count, inputs]. Dense networks only."""
        values = pixels
        for step in self.steps:
            values = np.maximum(values, 0) if step.kind == "relu" else values @ step.weights.T + step.bias
        return values.argmax(axis=1)

    def relu_integers(self) -> IntegerNetwork:
        """`integers` for circuits that only know ReLU. Raises `UnsupportedNetwork` for others."""
        for number, layer in enumerate(self.integers.layers[:-1]):
            if layer.activation != RELU:
                raise UnsupportedNetwork(f"layer {number} of {self.name} has activation {layer.activation.name}, not ReLU")
        return self.integers

    def other(self) -> BenchNetwork:
        """The same shape with the sign of the last layer's weights turned: an owner's other network, for the test of binding."""

        def turned() -> list[Step]:
            *before, last = self.steps
            return [*before, Step(last.kind, -last.weights, last.bias)]

        def integers() -> IntegerNetwork:
            *layers, end = self.integers.layers
            return IntegerNetwork((*layers, replace(end, weights=-end.weights)))

        return BenchNetwork(f"{self.name}, other weights", turned, self.input_shape, integers if self.integer else None)

    def image(self) -> np.ndarray:
        """The image that is proven: the first MNIST test image (a seven), or random bytes for another size. uint8 [inputs]."""
        if self.inputs == 784:
            return mnist_images()[0]
        return np.random.default_rng(zlib.crc32(self.name.encode())).integers(0, 256, self.inputs, dtype=np.uint8)


def dense_network(widths: tuple[int, ...]) -> BenchNetwork:
    """A dense ReLU network of random weights, named by its widths."""
    name = "-".join(map(str, widths))
    draw = np.random.default_rng(zlib.crc32(name.encode()))
    shapes = [(outputs, inputs) for inputs, outputs in pairwise(widths)]

    def layers() -> list[Step]:
        return [_random("dense", draw, shape) for shape in shapes]

    made: list[Step] = []

    def steps() -> list[Step]:
        made[:] = made or layers()
        return _with_relu(made)

    def integers() -> IntegerNetwork:
        steps()
        return quantize(FloatNetwork(tuple(FloatLayer(f"dense {n}", s.weights, s.bias) for n, s in enumerate(made, 1))))

    return BenchNetwork(name, steps, (widths[0],), integers)


def model_network(model: Model, name: str = "", trained: bool = False) -> BenchNetwork:
    """The network of a model file. The float twin for other systems is its integers, each layer scaled to weights of at most 1."""
    network = model.network

    def steps() -> list[Step]:
        if any(layer.activation != RELU for layer in network.layers[:-1]):
            raise UnsupportedNetwork(f"{network.name} has activations other than ReLU: other systems are given none of those")
        unit, found = 255.0, []
        for layer in network.layers:
            scaled = layer.weights * unit / 2.0**layer.shift
            following = max(1.0, float(np.abs(scaled).max()))
            found.append(Step("dense", scaled / following, layer.bias / 2.0**layer.shift / following))
            unit = following
        return _with_relu(found)

    return BenchNetwork(name or network.name, steps, (network.shape[0],), lambda: network, trained)


def _example() -> BenchNetwork:
    return BenchNetwork("784-64-10", lambda: _example_model().steps, (784,), lambda: _example_model().integers, trained=True)


def _rational() -> BenchNetwork:
    """The shipped network with rational activations: proven by ours alone."""

    def model() -> BenchNetwork:
        return model_network(Model.load(in_checkout(ROOT / "examples" / "mnist_rational.model")))

    return BenchNetwork("784-64-10-rational", lambda: model().steps, (784,), lambda: model().integers, trained=True)


def _example_model() -> BenchNetwork:
    return model_network(Model.load(in_checkout(ROOT / "examples" / "mnist.model")))


def _lenet() -> list[Step]:
    draw = np.random.default_rng(zlib.crc32(b"LeNet-5"))
    convolutions = [_random("convolution", draw, shape) for shape in ((6, 1, 5, 5), (16, 6, 5, 5))]
    dense = [_random("dense", draw, shape) for shape in ((120, 256), (84, 120), (10, 84))]
    features = [step for one in convolutions for step in (one, Step("relu"), Step("max_pool"))]
    return [*features, Step("flatten"), *_with_relu(dense)]


def _random(kind: str, draw: np.random.Generator, shape: tuple[int, ...]) -> Step:
    spread = np.sqrt(2 / np.prod(shape[1:]))
    return Step(kind, draw.normal(0, spread, shape), draw.normal(0, 0.05, shape[0]))


def _with_relu(layers: list[Step]) -> list[Step]:
    return [step for layer in layers for step in (layer, Step("relu"))][:-1]


NETWORKS: dict[str, BenchNetwork] = {
    network.name: network
    for network in (
        _example(),
        _rational(),
        dense_network((784, 56, 10)),
        dense_network((784, 512, 512, 10)),
        BenchNetwork("LeNet-5", _lenet, (1, 28, 28)),
        dense_network((784, 2000, 60, 4000, 10)),
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


def save_floats(network: BenchNetwork, path: Path) -> None:
    """Writes the float steps for `peers/onnx_file.py` and others: an npz of `kinds`, `input_shape`, `classes`, `weightsN`, `biasN`."""
    arrays = {"kinds": np.array([step.kind for step in network.steps]), "input_shape": np.array(network.input_shape)}
    arrays["classes"] = np.array(network.classes)
    for number, step in enumerate(network.steps):
        if step.weights is not None:
            arrays[f"weights{number}"], arrays[f"bias{number}"] = step.weights, step.bias
    np.savez(path, **arrays)
