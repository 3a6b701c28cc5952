"""The quantised network and its integer reference: the one meaning of a prediction.

A layer computes `z = W a + b` in exact integers; a hidden layer hands on `max(z, 0) >> shift`, or what another activation
makes of z (`zkpredict.circuits.networks.activations`); the last layer's `z` are the logits, and the prediction is the lowest
index of the largest logit. Inputs are bytes, so every intermediate value has a bound that holds for ALL inputs: the
intervals below. numpy int64 never wraps inside those bounds, and prover, verifiers, contracts and Bitcoin script are all
tested against this file, bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.networks.activations import RELU, Activation, read_activation
from zkpredict.circuits.networks.dense import (
    MAX_PIXEL,
    Inference,
    Interval,
    Layer,
    Network,
    narrowest,
    reach,
    read_layer_count,
    read_layer_shape,
)
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork, bits

SAFE_MAGNITUDE = 1 << 62
EXACT_FLOAT = 1 << 53
"""Below it float64 holds every integer (IEEE 754 binary64: 53 bits of significand)."""
if TYPE_CHECKING:
    from zkpredict.circuits.networks.convolution import Grid

_MAX_INT64 = (1 << 63) - 1
_MAGIC, _MAGIC_ACTIVATIONS, _MAGIC_GRIDS = b"zkpN\x01", b"zkpN\x02", b"zkpN\x03"


@dataclass(frozen=True, eq=False)
class DenseLayer(Layer):
    """One dense layer. `weights` is int64 [outputs, inputs], `bias` int64 [outputs], `shift` >= 0 (0 for the last).

    The last layer's shift and activation are not used: it hands on z itself.
    """

    shift: int = field(default=0, repr=False)
    activation: Activation = RELU

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.shift, int) or not 0 <= self.shift < 63:
            raise UnsupportedNetwork(f"shift must be an int in 0..62, got {self.shift!r}")
        if not isinstance(self.activation, Activation):
            raise UnsupportedNetwork(f"the activation must be one of zkpredict.circuits.networks.activations, got {self.activation!r}")

    def apply(self, values: np.ndarray) -> np.ndarray:
        """z of a batch, int64 [batch, inputs] -> [batch, outputs].

        Block by block, so that no int64 copy of all weights is made; and in float64, which has a fast product, where every partial sum
        of every row is an integer below 2^53, so that none is rounded. The slow twin is `apply_plainly`.
        """
        largest = max(-int(values.min(initial=0)), int(values.max(initial=0)))
        heaviest = max(-int(self.narrow.min()), int(self.narrow.max()))
        exact = largest * heaviest * self.inputs < EXACT_FLOAT
        factors = values.astype(np.float64) if exact else values
        parts = [(factors @ block.astype(factors.dtype, copy=False).T).astype(np.int64, copy=False) for block in self.blocks()]
        return np.concatenate(parts, axis=1) + self.bias

    def apply_plainly(self, values: np.ndarray) -> np.ndarray:
        """What `apply` gives, by one product of int64."""
        return values @ self.weights.T + self.bias

    def reach(self, ranges: list[tuple[int, int]]) -> Interval:
        """Worst-case ranges of z for inputs in `ranges`, ends included."""
        return reach(self, ranges)

    @property
    def grid(self) -> Grid | None:
        """The geometry of a convolution; a dense layer has none."""
        return None

    def _check_range(self, name: str, low: int, high: int) -> None:
        if high > _MAX_INT64:
            raise UnsupportedNetwork(f"{name} reach up to {bits(high)}, beyond int64")


@dataclass(frozen=True, eq=False)
class IntegerNetwork(Network):
    """A dense network in exact integers; refuses shapes that do not chain, ranges that could wrap int64, and ranges on which an
    activation is not defined."""

    layers: tuple[DenseLayer, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.layers[-1].shift:
            raise UnsupportedNetwork(f"the last layer hands on raw logits: its shift must be 0, got {self.layers[-1].shift}")
        if self.layers[-1].activation != RELU:
            raise UnsupportedNetwork(f"the last layer hands on raw logits: it cannot have the activation {self.layers[-1].activation}")
        for number, interval in enumerate(self.intervals):
            if interval.magnitude >= SAFE_MAGNITUDE:
                raise UnsupportedNetwork(f"layer {number} can reach up to {bits(interval.magnitude)}, beyond 2^62: int64 could wrap")

    @cached_property
    def intervals(self) -> tuple[Interval, ...]:
        """Worst-case ranges of each layer's pre-activations over ALL byte inputs (interval arithmetic on exact ints)."""
        ranges = [(0, MAX_PIXEL)] * self.layers[0].inputs
        found = []
        for number, layer in enumerate(self.layers):
            found.append(layer.reach(ranges))
            if number < len(self.layers) - 1:
                ranges = _activation_ranges(number, layer, found[-1])
        return tuple(found)

    @cached_property
    def activation_intervals(self) -> tuple[Interval, ...]:
        """Worst-case ranges of what each hidden layer hands on, over ALL byte inputs."""
        hidden = enumerate(zip(self.layers[:-1], self.intervals[:-1], strict=True))
        ranges = (_activation_ranges(number, layer, interval) for number, (layer, interval) in hidden)
        return tuple(Interval(*map(tuple, zip(*pairs, strict=True))) for pairs in ranges)

    @property
    def grids(self) -> tuple[int, ...]:
        """Numbers of the layers that have a geometry (`zkpredict.circuits.networks.convolution`)."""
        return tuple(number for number, layer in enumerate(self.layers) if layer.grid is not None)

    def require_dense(self, what: str) -> None:
        """Raises `UnsupportedNetwork`, naming the first convolution, because `what` can only hold dense layers."""
        if self.grids:
            raise UnsupportedNetwork(f"layer {self.grids[0]} is a convolution: {what} hold dense layers only")

    def require_relu(self, what: str) -> None:
        """Raises `UnsupportedNetwork`, naming the first hidden layer with another activation, because `what` can only hold ReLU."""
        for number, layer in enumerate(self.layers):
            if layer.activation != RELU:
                raise UnsupportedNetwork(f"layer {number} uses {layer.activation}: {what} hold relu only")

    def infer(self, images: np.ndarray) -> Inference:
        """Runs a batch. `images`: uint8 [batch, inputs]. The reference for every other implementation."""
        values = self.batch(images).astype(np.int64)
        pre_activations, activations = [], []
        for number, layer in enumerate(self.layers, start=1):
            z = layer.apply(values)
            pre_activations.append(z)
            if number < len(self.layers):
                values = layer.activation.apply(z, layer.shift)
                activations.append(values)
        return Inference(tuple(pre_activations), tuple(activations), np.argmax(pre_activations[-1], axis=1))

    def to_bytes(self) -> bytes:
        """Canonical bytes: magic, layer count u8, then per layer inputs u32, outputs u32, shift u8, weight size u8 (1, 2, 4 or
        8 bytes, the smallest that holds them), weights row by row, biases as int64; little-endian two's complement.

        A network with an activation other than ReLU has another magic, and in each hidden layer, before the weights, the
        activation (`Activation.to_bytes`). One with a convolution has a third magic and activations as well; each layer begins with a
        byte, 1 before the grid of a convolution (`Grid.to_bytes`), whose inputs and outputs are then taps and channels."""
        with_activations = bool(self.grids) or any(layer.activation != RELU for layer in self.layers)
        magic = _MAGIC_GRIDS if self.grids else _MAGIC_ACTIVATIONS if with_activations else _MAGIC
        parts: list[bytes | memoryview] = [magic, bytes([len(self.layers)])]
        for number, layer in enumerate(self.layers, start=1):
            size = layer.narrow.itemsize
            if self.grids:
                parts.append(b"\x00" if layer.grid is None else b"\x01" + layer.grid.to_bytes())
            parts += [
                layer.narrow.shape[1].to_bytes(4, "little"),
                layer.narrow.shape[0].to_bytes(4, "little"),
                bytes([layer.shift, size]),
                layer.activation.to_bytes() if with_activations and number < len(self.layers) else b"",
                layer.narrow.astype(f"<i{size}", order="C", copy=False).data,
                layer.bias.astype("<i8").tobytes(),
            ]
        return b"".join(parts)

    @classmethod
    def read(cls, reader: ByteReader) -> IntegerNetwork:
        """Parses `to_bytes` output at the reader's cursor; refuses non-canonical encodings. Raises `MalformedFile`."""
        magic = reader.take(len(_MAGIC), "network magic")
        if magic not in (_MAGIC, _MAGIC_ACTIVATIONS, _MAGIC_GRIDS):
            raise MalformedFile(
                f"{reader.what}: network magic is {magic!r}, expected {_MAGIC!r}, {_MAGIC_ACTIVATIONS!r} or {_MAGIC_GRIDS!r}"
            )
        layers: list[tuple[np.ndarray, np.ndarray, int, Activation]] = []
        grids: list[Grid | None] = []
        count = read_layer_count(reader)
        for number in range(count):
            grids.append(_read_grid(reader, number) if magic == _MAGIC_GRIDS else None)
            outputs, inputs = read_layer_shape(reader, number, sum(weights.size for weights, *_ in layers))
            shift = reader.unsigned(1, f"layer {number} shift")
            size = reader.unsigned(1, f"layer {number} weight size")
            if size not in (1, 2, 4, 8):
                raise MalformedFile(f"{reader.what}: layer {number} weight size is {size}, expected 1, 2, 4 or 8")
            named = magic != _MAGIC and number < count - 1
            activation = read_activation(reader, f"layer {number}") if named else RELU
            raw = reader.view(size * inputs * outputs, f"layer {number} weights")
            weights = np.frombuffer(raw, f"<i{size}").reshape(outputs, inputs)
            if size != np.dtype(narrowest(weights)).itemsize:
                raise MalformedFile(f"{reader.what}: layer {number} weights fit in fewer than {size} bytes")
            bias = np.frombuffer(reader.view(8 * outputs, f"layer {number} biases"), "<i8")
            layers.append((weights, bias, shift, activation))
        if magic == _MAGIC_ACTIVATIONS and all(activation == RELU for *_, activation in layers):
            raise MalformedFile(f"{reader.what}: all its activations are relu, which has the magic {_MAGIC!r}")
        if magic == _MAGIC_GRIDS and not any(grids):
            raise MalformedFile(f"{reader.what}: no layer is a convolution, so its magic is {_MAGIC!r} or {_MAGIC_ACTIVATIONS!r}")
        try:
            return cls(tuple(_layer(*layer, grid) for layer, grid in zip(layers, grids, strict=True)))
        except UnsupportedNetwork as error:
            raise MalformedFile(f"{reader.what}: {error}") from None

    @classmethod
    def from_bytes(cls, data: bytes, what: str = "network") -> IntegerNetwork:
        """Parses exactly `to_bytes` output."""
        reader = ByteReader(data, what)
        network = cls.read(reader)
        reader.finish()
        return network


def _read_grid(reader: ByteReader, number: int) -> Grid | None:
    """The geometry of layer `number`, if it has one. Raises `MalformedFile`."""
    flag = reader.unsigned(1, f"layer {number} kind")
    if flag > 1:
        raise MalformedFile(f"{reader.what}: layer {number} kind is {flag}, expected 0 or 1")
    if not flag:
        return None
    from zkpredict.circuits.networks.convolution import Grid  # it builds on this module

    try:
        return Grid.take(reader, f"layer {number}")
    except UnsupportedNetwork as error:
        raise MalformedFile(f"{reader.what}: layer {number}: {error}") from None


def _layer(weights: np.ndarray, bias: np.ndarray, shift: int, activation: Activation, grid: Grid | None) -> DenseLayer:
    if grid is None:
        return DenseLayer(weights, bias, shift, activation)
    from zkpredict.circuits.networks.convolution import ConvLayer  # it builds on this module

    return ConvLayer(weights, bias, shift, activation, grid)


def _activation_ranges(number: int, layer: DenseLayer, interval: Interval) -> list[tuple[int, int]]:
    """For each neuron of a hidden layer the smallest and largest value it hands on. Raises `UnsupportedNetwork`."""
    found = []
    for row, (low, high) in enumerate(zip(interval.low, interval.high, strict=True)):
        try:
            found.append(layer.activation.bounds(low, high, layer.shift))
        except UnsupportedNetwork as error:
            raise UnsupportedNetwork(f"layer {number} row {row} {error}") from None
    return found
