"""What dense ReLU networks have in common, whatever their arithmetic: shapes, limits, ranges and results.

Weights, and values that follow from them, are left out of every `repr`: tracebacks and logs show those of local variables.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np

from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork, UnusableInput
from zkpredict.circuits.networks.octets import Octets
from zkpredict.circuits.records import dataclass, field

MAX_PIXEL = 255
MAX_WIDTH = 1 << 16
MAX_LAYERS = 16
MAX_WEIGHTS = 1 << 24
"""Of all layers together: what bounds the memory that a model file can ask for."""
_BLOCK = 1 << 16
_INT64_LIMIT = 1 << 63


@dataclass(frozen=True, eq=False)
class Layer(ABC):
    """`weights` int64 [outputs, inputs] and `bias` int64 [outputs], read-only. Raises `UnsupportedNetwork` for anything else.

    The weights are kept in the narrowest integers that hold them, `narrow`; `weights` is made of them each time it is read. A parser
    hands over what needs no check: weights as `Octets` with biases, one a row, in a tuple of Python ints; arrays are made of these
    when somebody asks.
    """

    weights: np.ndarray = field(repr=False)
    bias: np.ndarray = field(repr=False)

    def __post_init__(self) -> None:
        if isinstance(self.__dict__["_weights"], Octets):
            return
        weights, bias = np.asarray(self.__dict__["_weights"]), np.asarray(self.__dict__["_bias"])
        for name, array in (("weights", weights), ("bias", bias)):
            if array.dtype.kind not in "iu":
                raise UnsupportedNetwork(f"{name} must be integers, got dtype {array.dtype}")
        if weights.ndim != 2 or 0 in weights.shape:
            raise UnsupportedNetwork(f"weights must have shape [outputs, inputs], got {weights.shape}")
        if bias.shape != (weights.shape[0],):
            raise UnsupportedNetwork(f"bias must have shape ({weights.shape[0]},), got {bias.shape}")
        for name, array in (("weights", weights), ("bias", bias)):
            self._check_range(name, int(array.min()), int(array.max()))
        self.__dict__["_weights"] = _frozen(weights, narrowest(weights))
        self.__dict__["_bias"] = _frozen(bias, np.int64)

    @cached_property
    def narrow(self) -> np.ndarray:
        """The weights as they are kept: int8, int16, int32 or int64 [outputs, inputs], read-only. Arithmetic on them can wrap."""
        kept = self.__dict__["_weights"]
        return np.frombuffer(kept.data, np.int8).reshape(kept.rows, kept.columns) if isinstance(kept, Octets) else kept

    @cached_property
    def octets(self) -> Octets | None:
        """The weights as bytes, where one byte holds each."""
        kept = self.__dict__["_weights"]
        if isinstance(kept, Octets):
            return kept
        return Octets(kept.data.cast("B"), *kept.shape) if kept.dtype == np.int8 and kept.size else None

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """The biases as Python ints."""
        kept = self.__dict__["_bias"]
        return kept if isinstance(kept, tuple) else tuple(kept.tolist())

    def blocks(self) -> Iterator[np.ndarray]:
        """The weights as int64 [some rows, inputs], from the first row to the last, few enough at a time to cost little memory."""
        rows = max(1, _BLOCK // self.inputs)
        for first in range(0, self.outputs, rows):
            yield self.narrow[first : first + rows].astype(np.int64)

    @abstractmethod
    def _check_range(self, name: str, low: int, high: int) -> None:
        """Refuses numbers that this kind of layer cannot hold."""

    @property
    def matrix_shape(self) -> tuple[int, int]:
        """Rows and columns of `weights`."""
        kept = self.__dict__["_weights"]
        return (kept.rows, kept.columns) if isinstance(kept, Octets) else kept.shape

    @property
    def inputs(self) -> int:
        return self.matrix_shape[1]

    @property
    def outputs(self) -> int:
        return self.matrix_shape[0]

    @property
    def weight_count(self) -> int:
        """How many weights it has."""
        rows, columns = self.matrix_shape
        return rows * columns


class _Widened:
    """Stands in a layer's class for the field `weights`: keeps what it is given as it is, and hands it out as int64."""

    def __get__(self, layer: Layer, owner: type) -> np.ndarray:
        return _frozen(layer.narrow, np.int64)

    def __set__(self, layer: Layer, value: np.ndarray | Octets) -> None:
        layer.__dict__["_weights"] = value


class _Biases:
    """The same for `bias`, which may be given as a tuple."""

    def __get__(self, layer: Layer, owner: type) -> np.ndarray:
        kept = layer.__dict__["_bias"]
        if isinstance(kept, tuple):
            kept = layer.__dict__["_bias"] = _frozen(np.array(kept, np.int64), np.int64)
        return kept

    def __set__(self, layer: Layer, value: np.ndarray | tuple[int, ...]) -> None:
        layer.__dict__["_bias"] = value


# behind the decorator's back: it would take them for default values
setattr(Layer, "weights", _Widened())  # noqa: B010
setattr(Layer, "bias", _Biases())  # noqa: B010


def narrowest(values: np.ndarray) -> type[np.signedinteger]:
    """The smallest of int8, int16, int32 and int64 that holds `values`, which int64 does."""
    low, high = int(values.min()), int(values.max())
    widths = (np.int8, np.int16, np.int32, np.int64)
    return next(width for width in widths if np.iinfo(width).min <= low and high <= np.iinfo(width).max)


def _frozen(array: np.ndarray, dtype: type[np.signedinteger]) -> np.ndarray:
    """`array` as a read-only array of `dtype`, row after row: a copy, unless it is one already that nobody else can write to."""
    if array.dtype == dtype and array.flags.owndata and array.flags.c_contiguous and not array.flags.writeable:
        return array
    frozen = array.astype(dtype, order="C")
    frozen.flags.writeable = False
    return frozen


@dataclass(frozen=True)
class Interval:
    """A range for each neuron's pre-activation that holds for all byte inputs: Python ints, `low[i] <= z_i <= high[i]`.

    In the first layer both ends are reached; behind it the neurons of a layer are taken as independent.
    """

    low: tuple[int, ...] = field(repr=False)
    high: tuple[int, ...] = field(repr=False)

    @classmethod
    def around(cls, offsets: Sequence[int], low: list[int], high: list[int]) -> Interval:
        """The ranges `low` and `high` of what is added to the biases `offsets`, in Python ints: these sums may pass int64."""
        return cls(*(tuple(b + z for b, z in zip(offsets, ends, strict=True)) for ends in (low, high)))

    @property
    def magnitude(self) -> int:
        """The largest absolute value any neuron can take."""
        return max(max(map(abs, self.low)), max(map(abs, self.high)))


def reach(layer: Layer, ranges: Sequence[tuple[int, int]]) -> Interval:
    """The range of `W a + b` over all inputs with a[j] in `ranges`[j], ends included: exact, in int64 where no sum can pass it."""
    low: list[int] = []
    high: list[int] = []
    if layer.octets is not None and layer.octets.exact(max(-least, most) for least, most in ranges):
        low, high = layer.octets.reach(*zip(*ranges, strict=True))
    elif fits_int64(layer, ranges):
        least, most = np.array(ranges, dtype=np.int64).T
        for block in layer.blocks():
            negative, positive = np.minimum(block, 0), np.maximum(block, 0)
            low += (positive @ least + negative @ most).tolist()
            high += (positive @ most + negative @ least).tolist()
    else:
        for row in map(np.ndarray.tolist, layer.narrow):
            low.append(sum(w * (least if w > 0 else most) for w, (least, most) in zip(row, ranges, strict=True)))
            high.append(sum(w * (most if w > 0 else least) for w, (least, most) in zip(row, ranges, strict=True)))
    return Interval.around(layer.offsets, low, high)


def fits_int64(layer: Layer, ranges: Sequence[tuple[int, int]]) -> bool:
    """Whether int64 holds every sum of products of the layer's weights with inputs in `ranges`, its bias left out."""
    heaviest = max(-int(layer.narrow.min()), int(layer.narrow.max()))
    largest = [max(-least, most) for least, most in ranges]
    return heaviest * sum(largest) < _INT64_LIMIT and max(largest) < _INT64_LIMIT


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
        if not 1 <= len(self.layers) <= self.most_layers:
            raise UnsupportedNetwork(f"a network has 1 to {self.most_layers} layers, got {len(self.layers)}")
        self.check_chain()
        weights = sum(layer.weight_count for layer in self.layers)
        if weights > MAX_WEIGHTS:
            raise UnsupportedNetwork(f"a network has at most {MAX_WEIGHTS} weights, got {weights}")

    @property
    def most_layers(self) -> int:
        """How many layers such a network may have."""
        return MAX_LAYERS

    def check_chain(self) -> None:
        """Raises `UnsupportedNetwork` unless each layer takes as many numbers as the one before it gives."""
        for number in range(1, len(self.layers)):
            self._check_pair(number - 1, number)

    def _check_pair(self, number: int, following: int) -> None:
        given, taken = self.layers[number].outputs, self.layers[following].inputs
        if given != taken:
            raise UnsupportedNetwork(f"layer {number} has {given} outputs but layer {following} has {taken} inputs")

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


def read_layer_count(reader: ByteReader, most: int = MAX_LAYERS) -> int:
    """One byte, from 1 to `most`."""
    count = reader.unsigned(1, "layer count")
    if not 1 <= count <= most:
        raise MalformedFile(f"{reader.what}: layer count is {count}, expected 1 to {most}")
    return count


def read_layer_shape(reader: ByteReader, number: int, before: int) -> tuple[int, int]:
    """Outputs and inputs of a layer from inputs u32, outputs u32; refuses sizes beyond the limits before anything is allocated.

    `before`: weights of the layers before it.
    """
    inputs = reader.unsigned(4, f"layer {number} inputs")
    outputs = reader.unsigned(4, f"layer {number} outputs")
    if not (1 <= inputs <= MAX_WIDTH and 1 <= outputs <= MAX_WIDTH and before + inputs * outputs <= MAX_WEIGHTS):
        raise MalformedFile(f"{reader.what}: layer {number} claims the shape {outputs} x {inputs}, beyond the limits")
    return outputs, inputs
