"""The quantised network and its integer reference: the one meaning of a prediction.

A layer computes `z = W a + b` in exact integers; a hidden layer hands on `a = max(z, 0) >> shift`; the last layer's `z`
are the logits, and the prediction is the lowest index of the largest logit. Inputs are bytes, so every intermediate
value has a bound that holds for ALL inputs: the intervals below. numpy int64 never wraps inside those bounds, and
prover, verifiers, contracts and Bitcoin script are all tested against this file, bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.networks.dense import MAX_PIXEL, Inference, Interval, Layer, Network, read_layer_count, read_layer_shape
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork

SAFE_MAGNITUDE = 1 << 62
_MAX_INT64 = (1 << 63) - 1
_MAGIC = b"zkpN\x01"


@dataclass(frozen=True, eq=False)
class DenseLayer(Layer):
    """One dense layer. `weights` is int64 [outputs, inputs], `bias` int64 [outputs], `shift` >= 0 (0 for the last)."""

    shift: int = field(default=0, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.shift, int) or not 0 <= self.shift < 63:
            raise UnsupportedNetwork(f"shift must be an int in 0..62, got {self.shift!r}")

    def _check_range(self, name: str, low: int, high: int) -> None:
        if high > _MAX_INT64:
            raise UnsupportedNetwork(f"{name} reach {high}, beyond int64")


@dataclass(frozen=True, eq=False)
class IntegerNetwork(Network):
    """A dense ReLU network in exact integers; refuses shapes that do not chain and ranges that could wrap int64."""

    layers: tuple[DenseLayer, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.layers[-1].shift:
            raise UnsupportedNetwork(f"the last layer hands on raw logits: its shift must be 0, got {self.layers[-1].shift}")
        for number, interval in enumerate(self.intervals):
            if interval.magnitude >= SAFE_MAGNITUDE:
                raise UnsupportedNetwork(f"layer {number} can reach {interval.magnitude}, beyond 2^62: int64 could wrap")

    @cached_property
    def intervals(self) -> tuple[Interval, ...]:
        """Worst-case ranges of each layer's pre-activations over ALL byte inputs (interval arithmetic on exact ints)."""
        largest = [MAX_PIXEL] * self.layers[0].inputs
        found = []
        for layer in self.layers:
            low, high = [], []
            for row, bias in zip(map(np.ndarray.tolist, layer.weights), layer.bias.tolist()):
                low.append(bias + sum(w * a for w, a in zip(row, largest) if w < 0))
                high.append(bias + sum(w * a for w, a in zip(row, largest) if w > 0))
            found.append(Interval(tuple(low), tuple(high)))
            largest = [max(top, 0) >> layer.shift for top in high]
        return tuple(found)

    def infer(self, images: np.ndarray) -> Inference:
        """Runs a batch. `images`: uint8 [batch, inputs]. The reference for every other implementation."""
        values = self.batch(images).astype(np.int64)
        pre_activations, activations = [], []
        for layer in self.layers:
            z = values @ layer.weights.T + layer.bias
            pre_activations.append(z)
            values = np.maximum(z, 0) >> layer.shift
            activations.append(values)
        return Inference(tuple(pre_activations), tuple(activations[:-1]), np.argmax(pre_activations[-1], axis=1))

    def to_bytes(self) -> bytes:
        """Canonical bytes: magic, layer count u8, then per layer inputs u32, outputs u32, shift u8, weight size u8 (1, 2, 4 or
        8 bytes, the smallest that holds them), weights row by row, biases as int64; little-endian two's complement."""
        parts = [_MAGIC, bytes([len(self.layers)])]
        for layer in self.layers:
            size = _smallest_size(layer.weights)
            parts += [
                layer.inputs.to_bytes(4, "little"),
                layer.outputs.to_bytes(4, "little"),
                bytes([layer.shift, size]),
                layer.weights.astype(f"<i{size}").tobytes(),
                layer.bias.astype("<i8").tobytes(),
            ]
        return b"".join(parts)

    @classmethod
    def read(cls, reader: ByteReader) -> IntegerNetwork:
        """Parses `to_bytes` output at the reader's cursor; refuses non-canonical encodings. Raises `MalformedFile`."""
        reader.expect(_MAGIC, "network magic")
        layers = []
        for number in range(read_layer_count(reader)):
            outputs, inputs = read_layer_shape(reader, number)
            shift = reader.unsigned(1, f"layer {number} shift")
            size = reader.unsigned(1, f"layer {number} weight size")
            if size not in (1, 2, 4, 8):
                raise MalformedFile(f"{reader.what}: layer {number} weight size is {size}, expected 1, 2, 4 or 8")
            raw = reader.take(size * inputs * outputs, f"layer {number} weights")
            weights = np.frombuffer(raw, f"<i{size}").reshape(outputs, inputs).astype(np.int64)
            if size != _smallest_size(weights):
                raise MalformedFile(f"{reader.what}: layer {number} weights fit in fewer than {size} bytes")
            bias = np.frombuffer(reader.take(8 * outputs, f"layer {number} biases"), "<i8").astype(np.int64)
            layers.append((weights, bias, shift))
        try:
            return cls(tuple(DenseLayer(*layer) for layer in layers))
        except UnsupportedNetwork as error:
            raise MalformedFile(f"{reader.what}: {error}") from None

    @classmethod
    def from_bytes(cls, data: bytes, what: str = "network") -> IntegerNetwork:
        """Parses exactly `to_bytes` output."""
        reader = ByteReader(data, what)
        network = cls.read(reader)
        reader.finish()
        return network


def _smallest_size(weights: np.ndarray) -> int:
    low, high = int(weights.min()), int(weights.max())
    return next(size for size in (1, 2, 4, 8) if -(1 << (8 * size - 1)) <= low and high < 1 << (8 * size - 1))
