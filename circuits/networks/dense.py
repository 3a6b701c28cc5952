"""What dense ReLU networks have in common, whatever their arithmetic: shapes, limits, ranges and results.

Weights, and values that follow from them, are left out of every `repr`: tracebacks and logs show those of local variables.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np

from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork, UnusableInput

MAX_PIXEL = 255
MAX_WIDTH = 1 << 16
MAX_LAYERS = 16
MAX_WEIGHTS = 1 << 26


@dataclass(frozen=True, eq=False)
class Layer(ABC):
    """`weights` int64 [outputs, inputs] and `bias` int64 [outputs], read-only. Raises `UnsupportedNetwork` for anything else."""

    weights: np.ndarray = field(repr=False)
    bias: np.ndarray = field(repr=False)

    def __post_init__(self) -> None:
        weights, bias = np.asarray(self.weights), np.asarray(self.bias)
        for name, array in (("weights", weights), ("bias", bias)):
            if array.dtype.kind not in "iu":
                raise UnsupportedNetwork(f"{name} must be integers, got dtype {array.dtype}")
        if weights.ndim != 2 or 0 in weights.shape:
            raise UnsupportedNetwork(f"weights must have shape [outputs, inputs], got {weights.shape}")
        if bias.shape != (weights.shape[0],):
            raise UnsupportedNetwork(f"bias must have shape ({weights.shape[0]},), got {bias.shape}")
        for name, array in (("weights", weights), ("bias", bias)):
            self._check_range(name, int(array.min()), int(array.max()))
            frozen = array.astype(np.int64)
            frozen.flags.writeable = False
            object.__setattr__(self, name, frozen)

    @abstractmethod
    def _check_range(self, name: str, low: int, high: int) -> None:
        """Refuses numbers that this kind of layer cannot hold."""

    @property
    def inputs(self) -> int:
        return self.weights.shape[1]

    @property
    def outputs(self) -> int:
        return self.weights.shape[0]


@dataclass(frozen=True)
class Interval:
    """A range for each neuron's pre-activation that holds for all byte inputs: Python ints, `low[i] <= z_i <= high[i]`.

    In the first layer both ends are reached; behind it the neurons of a layer are taken as independent.
    """

    low: tuple[int, ...] = field(repr=False)
    high: tuple[int, ...] = field(repr=False)

    @property
    def magnitude(self) -> int:
        """The largest absolute value any neuron can take."""
        return max(max(map(abs, self.low)), max(map(abs, self.high)))


@dataclass(frozen=True, eq=False)
class Inference:
    """Everything a reference computed for a batch: integer arrays [batch, width] per layer, and digits [batch]."""

    pre_activations: tuple[np.ndarray, ...] = field(repr=False)
    activations: tuple[np.ndarray, ...] = field(repr=False)
    digits: np.ndarray

    @property
    def logits(self) -> np.ndarray:
        return self.pre_activations[-1]


@dataclass(frozen=True, eq=False)
class Network(ABC):
    """Layers, each of which takes what the one before it gives. Raises `UnsupportedNetwork` when they do not chain."""

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        if not 1 <= len(self.layers) <= MAX_LAYERS:
            raise UnsupportedNetwork(f"a network has 1 to {MAX_LAYERS} layers, got {len(self.layers)}")
        for number, (before, after) in enumerate(zip(self.layers, self.layers[1:])):
            if before.outputs != after.inputs:
                raise UnsupportedNetwork(
                    f"layer {number} has {before.outputs} outputs but layer {number + 1} has {after.inputs} inputs"
                )

    @property
    def shape(self) -> tuple[int, ...]:
        """Widths from input to output, for instance (784, 64, 10)."""
        return (self.layers[0].inputs, *(layer.outputs for layer in self.layers))

    @property
    def name(self) -> str:
        return "-".join(map(str, self.shape))

    @abstractmethod
    def infer(self, images: np.ndarray) -> Inference:
        """Runs a batch. `images`: uint8 [batch, inputs]."""

    def predict(self, image: np.ndarray) -> int:
        """The class of one image, uint8 [inputs]: lowest index of the largest logit."""
        return int(self.infer(np.asarray(image)[None, :]).digits[0])

    def batch(self, images: np.ndarray) -> np.ndarray:
        """`images` as an array. Raises `UnusableInput` unless it is uint8 [batch, inputs]."""
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.ndim != 2 or images.shape[1] != self.shape[0]:
            raise UnusableInput(f"images must be uint8 [batch, {self.shape[0]}], got {images.dtype} {list(images.shape)}")
        return images


def read_layer_count(reader: ByteReader) -> int:
    """One byte, from 1 to `MAX_LAYERS`."""
    count = reader.unsigned(1, "layer count")
    if not 1 <= count <= MAX_LAYERS:
        raise MalformedFile(f"{reader.what}: layer count is {count}, expected 1 to {MAX_LAYERS}")
    return count


def read_layer_shape(reader: ByteReader, number: int) -> tuple[int, int]:
    """Outputs and inputs of a layer from inputs u32, outputs u32; refuses sizes beyond the limits before anything is allocated."""
    inputs = reader.unsigned(4, f"layer {number} inputs")
    outputs = reader.unsigned(4, f"layer {number} outputs")
    if not (1 <= inputs <= MAX_WIDTH and 1 <= outputs <= MAX_WIDTH and inputs * outputs <= MAX_WEIGHTS):
        raise MalformedFile(f"{reader.what}: layer {number} claims the shape {outputs} x {inputs}, beyond the limits")
    return outputs, inputs
