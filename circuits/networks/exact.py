"""The classic float network in fixed point: weights times 10^8 as integers, every product divided back at once.

A layer computes `z_i = b_i + sum_j trunc(w_ij * a_j / 10^8)`, each product truncated toward zero by itself; a hidden
layer hands on `max(z, 0)`; the prediction is the lowest index of the largest logit. A pixel p enters as
`floor(p * 10^8 / 255)`. This is the arithmetic of the first digit classifier on Bitcoin (sCrypt's "Running Deep Neural
Networks on Bitcoin") and of the EVM contracts with 8-decimal weights; both are tested against this file.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.networks.dense import (
    MAX_PIXEL,
    Inference,
    Interval,
    Layer,
    Network,
    fits_int64,
    read_layer_count,
    read_layer_shape,
)
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork, bits

SCALE = 100_000_000
MAX_MAGNITUDE = (1 << 32) - 1
NUMBER_BYTES = 5
SCALED_PIXELS = tuple(pixel * SCALE // MAX_PIXEL for pixel in range(MAX_PIXEL + 1))
MAGIC = b"zkpE\x01"
_SIGN = 0x80
_INT64 = 1 << 63
_BLOCK = 1 << 16


@dataclass(frozen=True, eq=False)
class ExactLayer(Layer):
    """One dense layer of 10^8-scaled integers: `weights` int64 [outputs, inputs], `bias` int64 [outputs], below 2^32."""

    def _check_range(self, name: str, low: int, high: int) -> None:
        largest = max(abs(low), abs(high))
        if largest > MAX_MAGNITUDE:
            raise UnsupportedNetwork(f"{name} reach up to {bits(largest)}, beyond the 4-byte magnitude {MAX_MAGNITUDE}")


@dataclass(frozen=True, eq=False)
class ExactNetwork(Network):
    """A dense ReLU network in 10^8 fixed point; refuses shapes that do not chain."""

    layers: tuple[ExactLayer, ...]

    @cached_property
    def intervals(self) -> tuple[Interval, ...]:
        """Exact worst-case ranges of each layer's sums over ALL byte inputs: a truncated product is monotone in its input."""
        largest = [SCALED_PIXELS[-1]] * self.layers[0].inputs
        found = []
        for layer in self.layers:
            interval = _reach(layer, largest)
            found.append(interval)
            largest = [max(top, 0) for top in interval.high]
        return tuple(found)

    @cached_property
    def largest_products(self) -> tuple[int, ...]:
        """Per layer, a bound on `|w| * a` before the division, over all byte inputs: what a word must be able to hold."""
        largest = [SCALED_PIXELS[-1]] * self.layers[0].inputs
        found = []
        for layer, interval in zip(self.layers, self.intervals, strict=True):
            heaviest = np.maximum(layer.narrow.max(axis=0).astype(np.int64), -layer.narrow.min(axis=0).astype(np.int64))
            found.append(max(w * a for w, a in zip(heaviest.tolist(), largest, strict=True)))
            largest = [max(top, 0) for top in interval.high]
        return tuple(found)

    def infer(self, images: np.ndarray) -> Inference:
        """Runs a batch. `images`: uint8 [batch, inputs]. int64 where the bounds allow it, Python integers where they do not."""
        values = np.array(SCALED_PIXELS, dtype=np.int64)[self.batch(images)]
        pre_activations, activations = [], []
        for layer, interval, product in zip(self.layers, self.intervals, self.largest_products, strict=True):
            dtype = np.int64 if max(product, interval.magnitude) < _INT64 else object
            values = values.astype(dtype)
            z = np.stack([_neuron(values, row.astype(dtype)) for row in layer.weights], axis=1) + layer.bias.astype(dtype)
            pre_activations.append(z)
            values = np.maximum(z, 0)
            activations.append(values)
        digits = np.argmax(pre_activations[-1], axis=1)
        return Inference(tuple(pre_activations), tuple(activations[:-1]), digits)

    def to_bytes(self) -> bytes:
        """Canonical bytes: magic, layer count u8, then per layer inputs u32, outputs u32, weights row by row, biases.

        Each number is 5 bytes: little-endian magnitude u32, then the sign byte, 0x00 or 0x80 (zero is never negative).
        """
        parts = [MAGIC, bytes([len(self.layers)])]
        for layer in self.layers:
            parts += [layer.inputs.to_bytes(4, "little"), layer.outputs.to_bytes(4, "little")]
            parts += [number_bytes(layer.narrow), number_bytes(layer.bias)]
        return b"".join(parts)

    @classmethod
    def read(cls, reader: ByteReader) -> ExactNetwork:
        """Parses `to_bytes` output at the reader's cursor; refuses non-canonical numbers. Raises `MalformedFile`."""
        reader.expect(MAGIC, "exact network magic")
        layers: list[ExactLayer] = []
        for number in range(read_layer_count(reader)):
            outputs, inputs = read_layer_shape(reader, number, sum(layer.weight_count for layer in layers))
            weights = _read_numbers(reader, inputs * outputs, f"layer {number} weights").reshape(outputs, inputs)
            layers.append(ExactLayer(weights, _read_numbers(reader, outputs, f"layer {number} biases")))
        return cls(tuple(layers))

    @classmethod
    def from_bytes(cls, data: bytes, what: str = "exact network") -> ExactNetwork:
        """Parses exactly `to_bytes` output."""
        reader = ByteReader(data, what)
        network = cls.read(reader)
        reader.finish()
        return network

    @classmethod
    def from_floats(cls, layers: Iterable[tuple[np.ndarray, np.ndarray]]) -> ExactNetwork:
        """Scales float `(kernel [inputs, outputs], bias [outputs])` pairs, as Keras keeps them, by 10^8, toward zero.

        The products are taken in float64, so float32 weights scale the same on every machine. Raises `UnsupportedNetwork`
        for values that are not finite or too large for 4 bytes.
        """
        return cls(tuple(ExactLayer(scaled(kernel).T, scaled(bias)) for kernel, bias in layers))


def _reach(layer: ExactLayer, largest: list[int]) -> Interval:
    """The range of a layer's sums over all inputs 0 <= a[j] <= largest[j]."""
    low: list[int] = []
    high: list[int] = []
    if fits_int64(layer, [(0, end) for end in largest]):
        ends = np.array(largest, dtype=np.int64)
        for block in layer.blocks():
            low += (-(np.maximum(-block, 0) * ends // SCALE).sum(axis=1)).tolist()
            high += (np.maximum(block, 0) * ends // SCALE).sum(axis=1).tolist()
    else:
        for row in map(np.ndarray.tolist, layer.narrow):
            low.append(-sum(-w * a // SCALE for w, a in zip(row, largest, strict=True) if w < 0))
            high.append(sum(w * a // SCALE for w, a in zip(row, largest, strict=True) if w > 0))
    return Interval.around(layer.offsets, low, high)


def scaled(values: np.ndarray) -> np.ndarray:
    """Floats times 10^8 as int64, truncated toward zero."""
    products = np.asarray(values, dtype=np.float64) * SCALE
    if not np.all(np.isfinite(products)) or np.any(np.abs(products) >= MAX_MAGNITUDE + 1):
        raise UnsupportedNetwork(f"weights must be finite and below {(MAX_MAGNITUDE + 1) / SCALE} to scale by 10^8")
    return np.trunc(products).astype(np.int64)


def number_bytes(values: np.ndarray) -> bytes:
    """Integers below 2^32 in magnitude as 5 bytes each, row by row: u32 little-endian, sign byte 0x00 or 0x80."""
    flat = np.asarray(values).reshape(-1)
    encoded = np.zeros((len(flat), NUMBER_BYTES), dtype=np.uint8)
    for first in range(0, len(flat), _BLOCK):
        block = flat[first : first + _BLOCK].astype(np.int64)
        encoded[first : first + _BLOCK, :4] = np.abs(block).astype("<u4").view(np.uint8).reshape(-1, 4)
        encoded[first : first + _BLOCK, 4] = np.where(block < 0, _SIGN, 0)
    return encoded.tobytes()


def _read_numbers(reader: ByteReader, count: int, field: str) -> np.ndarray:
    encoded = np.frombuffer(reader.view(NUMBER_BYTES * count, field), np.uint8).reshape(count, NUMBER_BYTES)
    numbers = np.empty(count, dtype=np.int64)
    for first in range(0, count, _BLOCK):
        block = encoded[first : first + _BLOCK]
        magnitudes = np.ascontiguousarray(block[:, :4]).view("<u4").reshape(-1).astype(np.int64)
        signs = block[:, 4]
        wrong = np.flatnonzero((signs != 0) & ((signs != _SIGN) | (magnitudes == 0)))
        if wrong.size:
            sign, on_zero = signs[wrong[0]], " on zero" if magnitudes[wrong[0]] == 0 else ""
            raise MalformedFile(f"{reader.what}: {field}: number {first + wrong[0]} has the sign byte {sign:#04x}{on_zero}")
        numbers[first : first + _BLOCK] = np.where(signs == _SIGN, -magnitudes, magnitudes)
    return numbers


def _neuron(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return (values * np.abs(weights) // SCALE * np.sign(weights)).sum(axis=1)
