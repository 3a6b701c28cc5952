"""The quantised network and its integer reference: the one meaning of a prediction.

A layer computes `z = W a + b` in exact integers; a hidden layer hands on `max(z, 0) >> shift`, or what another activation
makes of z (`zkpredict.circuits.networks.activations`); the last layer's `z` are the logits, and the prediction is the lowest
index of the largest logit. Inputs are bytes, so every intermediate value has a bound that holds for ALL inputs: the
intervals below. numpy int64 never wraps inside those bounds, and prover, verifiers, contracts and Bitcoin script are all
tested against this file, bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from struct import unpack
from typing import Any

import numpy as np

from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.files.order import Picture
from zkpredict.circuits.networks.activations import RELU, Activation, read_activation
from zkpredict.circuits.networks.dense import (
    MAX_LAYERS,
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
from zkpredict.circuits.networks.grid import Grid
from zkpredict.circuits.networks.octets import Octets
from zkpredict.circuits.networks.wiring import PLAIN, Wiring
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork, UnusableInput, bits
from zkpredict.circuits.records import dataclass, field

SAFE_MAGNITUDE = 1 << 62
EXACT_FLOAT = 1 << 53
"""Below it float64 holds every integer (IEEE 754 binary64: 53 bits of significand)."""
MAX_MAPPED_LAYERS = 64
"""Of a network with convolutions or pools; a dense one has at most `MAX_LAYERS`."""
_MAX_INT64 = (1 << 63) - 1
_MAGIC, _MAGIC_ACTIVATIONS, _MAGIC_GRIDS, _MAGIC_WIRED, _MAGIC_BY_SIDE = b"zkpN\x01", b"zkpN\x02", b"zkpN\x03", b"zkpN\x04", b"zkpN\x05"


@dataclass(frozen=True, eq=False)
class DenseLayer(Layer):
    """One dense layer. `weights` is int64 [outputs, inputs], `bias` int64 [outputs], `shift` >= 0 (0 for the last).

    The last layer's shift and activation are not used: it hands on z itself.
    """

    shift: int = field(default=0, repr=False)
    activation: Activation = RELU
    wiring: Wiring = field(default=PLAIN, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.shift, int) or not 0 <= self.shift < 63:
            raise UnsupportedNetwork(f"shift must be an int in 0..62, got {self.shift!r}")
        if not isinstance(self.activation, Activation):
            raise UnsupportedNetwork(f"the activation must be one of zkpredict.circuits.networks.activations, got {self.activation!r}")

    @classmethod
    def of_octets(cls, weights: Octets, biases: tuple[int, ...], shift: int, activation: Activation, wiring: Wiring = PLAIN) -> DenseLayer:
        """A layer of weights of one byte, with a bias that an int64 holds for each of their rows."""
        rows: Any = weights
        offsets: Any = biases
        return cls(rows, offsets, shift, activation, wiring=wiring)

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

    def hand_on(self, values: np.ndarray, z: np.ndarray) -> np.ndarray:
        """What the layer makes of its inputs and its z: the activation of z."""
        return self.activation.apply(z, self.shift)

    def reach(self, ranges: list[tuple[int, int]]) -> Interval:
        """Worst-case ranges of z for inputs in `ranges`, ends included."""
        return reach(self, ranges)

    def handed_on(self, ranges: list[tuple[int, int]], interval: Interval) -> list[tuple[int, int]]:
        """Smallest and largest number that each output can be, for inputs in `ranges`, which take z to `interval`. Raises
        `UnsupportedNetwork`, naming the row, where the activation is not defined on it."""
        found = []
        for row, (low, high) in enumerate(zip(interval.low, interval.high, strict=True)):
            try:
                found.append(self.activation.bounds(low, high, self.shift))
            except UnsupportedNetwork as error:
                raise UnsupportedNetwork(f"row {row} {error}") from None
        return found

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

    @property
    def most_layers(self) -> int:
        return MAX_MAPPED_LAYERS if self.grids else MAX_LAYERS

    def check_chain(self) -> None:
        """Raises `UnsupportedNetwork` for a layer that cannot read what its wiring says, or what has another size."""
        for number, layer in enumerate(self.layers):
            layer.wiring.check(number, layer.grid)
            if layer.wiring.plain and number:
                self._check_pair(number - 1, number)
            elif number:
                self._check_sources(number, layer)
        if self.layers[-1].wiring.largest:
            raise UnsupportedNetwork("the last layer is a max pool: it must have weights, its z are the logits")

    def _check_sources(self, number: int, layer: DenseLayer) -> None:
        grids = (layer.grid, *(reading.grid for reading in layer.wiring.beside))
        for sources, grid in zip(layer.wiring.all_sources(number), grids, strict=True):
            wanted = layer.inputs if grid is None else grid.inputs
            for source in sources:
                if self.layers[source].outputs != wanted:
                    raise UnsupportedNetwork(f"layer {source} has {self.layers[source].outputs} outputs but layer {number} reads {wanted} of it")

    @cached_property
    def _reached(self) -> tuple[tuple[Interval, ...], tuple[list[tuple[int, int]], ...]]:
        """Worst-case ranges of each layer's z, and of what each hidden layer hands on."""
        found: list[Interval] = []
        handed: list[list[tuple[int, int]]] = []
        for number, layer in enumerate(self.layers):
            ranges = [(0, MAX_PIXEL)] * layer.inputs if number == 0 else _summed(layer.wiring.all_sources(number), handed)
            try:
                found.append(layer.reach(ranges))
                if number < len(self.layers) - 1:
                    handed.append(layer.handed_on(ranges, found[-1]))
            except UnsupportedNetwork as error:
                raise UnsupportedNetwork(f"layer {number} {error}") from None
        return tuple(found), tuple(handed)

    @property
    def intervals(self) -> tuple[Interval, ...]:
        """Worst-case ranges of each layer's pre-activations over ALL byte inputs (interval arithmetic on exact ints)."""
        return self._reached[0]

    @cached_property
    def activation_intervals(self) -> tuple[Interval, ...]:
        """Worst-case ranges of what each hidden layer hands on, over ALL byte inputs."""
        return tuple(Interval(*map(tuple, zip(*pairs, strict=True))) for pairs in self._reached[1])

    @property
    def grids(self) -> tuple[int, ...]:
        """Numbers of the layers that have a geometry (`zkpredict.circuits.networks.convolution`)."""
        return tuple(number for number, layer in enumerate(self.layers) if layer.grid is not None)

    @property
    def picture(self) -> Picture | None:
        """What the first layer reads, where that is a convolution."""
        grid = self.layers[0].grid
        return None if grid is None else grid.picture

    def require_dense(self, what: str, instead: str = "") -> None:
        """Raises `UnsupportedNetwork`, naming the first convolution, because `what` can only hold dense layers; `instead`: what to do."""
        instead = f": {instead}" if instead else ""
        if self.grids:
            kind = "max pool" if self.layers[self.grids[0]].wiring.largest else "convolution"
            raise UnsupportedNetwork(f"layer {self.grids[0]} is a {kind}: {what} hold dense layers only{instead}")
        if self.wired:
            number = next(number for number, layer in enumerate(self.layers) if not layer.wiring.plain)
            raise UnsupportedNetwork(f"layer {number} reads several layers: {what} hold layers that read the one before them{instead}")

    def require_relu(self, what: str) -> None:
        """Raises `UnsupportedNetwork`, naming the first hidden layer with another activation, because `what` can only hold ReLU."""
        for number, layer in enumerate(self.layers):
            if layer.activation != RELU:
                raise UnsupportedNetwork(f"layer {number} uses {layer.activation}: {what} hold relu only")

    def infer(self, images: np.ndarray) -> Inference:
        """Runs a batch. `images`: uint8 [batch, inputs]. The reference for every other implementation."""
        values = self.batch(images).astype(np.int64)
        pre_activations: list[np.ndarray] = []
        activations: list[np.ndarray] = []
        for number, layer in enumerate(self.layers):
            read = self.read_by(number, activations) if number else values
            pre_activations.append(layer.apply(read))
            if number < len(self.layers) - 1:
                activations.append(layer.hand_on(read, pre_activations[-1]))
        return Inference(tuple(pre_activations), tuple(activations), np.argmax(pre_activations[-1], axis=1))

    @cached_property
    def runs_in_octets(self) -> bool:
        """Whether `run` does without numpy: every layer is dense, reads the one before it, and has weights of one byte."""
        return not self.grids and not self.wired and all(layer.octets is not None for layer in self.layers)

    def run(self, data: bytes) -> tuple[list[int], ...]:
        """z of every layer for one input, of a byte each, in Python ints: what `infer` gives. Raises `UnusableInput` for another number of bytes."""
        if len(data) != self.shape[0]:
            raise UnusableInput(f"the input has {len(data)} bytes, the network takes {self.shape[0]}")
        if not self.runs_in_octets:
            return tuple(z[0].tolist() for z in self.infer(np.frombuffer(data, np.uint8)[None]).pre_activations)
        values: Sequence[int] = data
        found: list[list[int]] = []
        for layer in self.layers:
            # |z| < 2^62 for all inputs, and r is near 2^255
            found.append([offset + z for offset, z in zip(layer.offsets, layer.octets.times(values), strict=True)] if layer.octets else [])
            values = [layer.activation.apply_int(z, layer.shift) for z in found[-1]]
        return tuple(found)

    def classify(self, data: bytes) -> int:
        """The class of one input, of a byte each: lowest index of the largest logit. Raises `UnusableInput`."""
        logits = self.run(data)[-1]
        return logits.index(max(logits))

    def read_by(self, number: int, activations: Sequence[np.ndarray]) -> np.ndarray:
        """What layer `number` (not the first) reads, of what the layers before it hand on, int64 [batch, outputs] each: one map behind
        another, int64 [batch, inputs]."""
        maps = [sum((activations[source] for source in sources[1:]), activations[sources[0]])
                for sources in self.layers[number].wiring.all_sources(number)]
        return maps[0] if len(maps) == 1 else np.concatenate(maps, axis=1)

    @property
    def wired(self) -> bool:
        """Whether a layer reads anything but the layer before it, or is a max pool."""
        return not all(layer.wiring.plain for layer in self.layers)

    @property
    def differ_by_side(self) -> bool:
        """Whether a stride or a pool is another one across than down."""
        return any(layer.wiring.differs_by_side or (layer.grid is not None and layer.grid.differs_by_side) for layer in self.layers)

    def to_bytes(self) -> bytes:
        """Canonical bytes: magic, layer count u8, then per layer inputs u32, outputs u32, shift u8, weight size u8 (1, 2, 4 or
        8 bytes, the smallest that holds them), weights row by row, biases as int64; little-endian two's complement.

        A network with an activation other than ReLU has another magic, and in each hidden layer, before the weights, the
        activation (`Activation.to_bytes`). One with a convolution has a third magic and activations as well; each layer begins with a
        byte, 1 before the grid of a convolution (`Grid.to_bytes`), whose inputs and outputs are then taps and channels. With residual
        connections or max pools it has a fourth magic, and in front of all that each layer's wiring (`Wiring.to_bytes`); of a max
        pool nothing follows the grid. Where a stride or pool differs by side it has a fifth magic, wirings, and grids that say so."""
        with_activations = self.wired or bool(self.grids) or any(layer.activation != RELU for layer in self.layers)
        by_side = self.differ_by_side
        magic = _MAGIC_BY_SIDE if by_side else _MAGIC_WIRED if self.wired else _MAGIC_GRIDS if self.grids else _MAGIC_ACTIVATIONS if with_activations else _MAGIC
        parts: list[bytes | memoryview] = [magic, bytes([len(self.layers)])]
        for number, layer in enumerate(self.layers, start=1):
            size = layer.narrow.itemsize
            if self.wired or by_side:
                parts.append(layer.wiring.to_bytes(by_side))
            if self.wired or self.grids:
                parts.append(b"\x00" if layer.grid is None else b"\x01" + layer.grid.to_bytes(by_side))
            if layer.wiring.largest:
                continue
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
        if magic not in (_MAGIC, _MAGIC_ACTIVATIONS, _MAGIC_GRIDS, _MAGIC_WIRED, _MAGIC_BY_SIDE):
            raise MalformedFile(
                f"{reader.what}: network magic is {magic!r}, expected {_MAGIC!r}, {_MAGIC_ACTIVATIONS!r}, {_MAGIC_GRIDS!r}, {_MAGIC_WIRED!r} or {_MAGIC_BY_SIDE!r}"
            )
        by_side, mapped = magic == _MAGIC_BY_SIDE, magic in (_MAGIC_GRIDS, _MAGIC_WIRED, _MAGIC_BY_SIDE)
        count = read_layer_count(reader, MAX_MAPPED_LAYERS if mapped else MAX_LAYERS)
        layers: list[DenseLayer] = []
        try:
            for number in range(count):
                wiring = _read_wiring(reader, number, by_side) if magic in (_MAGIC_WIRED, _MAGIC_BY_SIDE) else PLAIN
                grid = _read_grid(reader, number, by_side) if mapped else None
                weights = sum(layer.weight_count for layer in layers)
                named = magic != _MAGIC and number < count - 1
                layers.append(_pool(number, grid, wiring) if wiring.largest else _read_layer(reader, number, weights, named, grid, wiring))
            found = cls(tuple(layers))
        except UnsupportedNetwork as error:
            raise MalformedFile(f"{reader.what}: {error}") from None
        if magic == _MAGIC_ACTIVATIONS and all(layer.activation == RELU for layer in layers):
            raise MalformedFile(f"{reader.what}: all its activations are relu, which has the magic {_MAGIC!r}")
        if magic == _MAGIC_GRIDS and not found.grids:
            raise MalformedFile(f"{reader.what}: no layer is a convolution, so its magic is {_MAGIC!r} or {_MAGIC_ACTIVATIONS!r}")
        if by_side and not found.differ_by_side:
            raise MalformedFile(f"{reader.what}: no stride or pool differs by side, so its magic is not {_MAGIC_BY_SIDE!r}")
        if magic == _MAGIC_WIRED and not found.wired:
            raise MalformedFile(f"{reader.what}: every layer reads the one before it by weights, so its magic is not {_MAGIC_WIRED!r}")
        return found

    @classmethod
    def from_bytes(cls, data: bytes, what: str = "network") -> IntegerNetwork:
        """Parses exactly `to_bytes` output."""
        reader = ByteReader(data, what)
        network = cls.read(reader)
        reader.finish()
        return network


def _read_layer(reader: ByteReader, number: int, before: int, named: bool, grid: Grid | None, wiring: Wiring) -> DenseLayer:
    """A layer with weights. `before`: weights of the layers before it; `named`: whether its activation is written. Raises
    `MalformedFile` or `UnsupportedNetwork`."""
    outputs, inputs = read_layer_shape(reader, number, before)
    shift = reader.unsigned(1, f"layer {number} shift")
    size = reader.unsigned(1, f"layer {number} weight size")
    if size not in (1, 2, 4, 8):
        raise MalformedFile(f"{reader.what}: layer {number} weight size is {size}, expected 1, 2, 4 or 8")
    activation = read_activation(reader, f"layer {number}") if named else RELU
    raw = reader.view(size * inputs * outputs, f"layer {number} weights")
    if size == 1 and grid is None:
        biases = unpack(f"<{outputs}q", reader.view(8 * outputs, f"layer {number} biases"))
        return DenseLayer.of_octets(Octets(bytes(raw), outputs, inputs), biases, shift, activation, wiring)
    weights = np.frombuffer(raw, f"<i{size}").reshape(outputs, inputs)
    if size != np.dtype(narrowest(weights)).itemsize:
        raise MalformedFile(f"{reader.what}: layer {number} weights fit in fewer than {size} bytes")
    bias = np.frombuffer(reader.view(8 * outputs, f"layer {number} biases"), "<i8")
    if grid is None:
        return DenseLayer(weights, bias, shift, activation, wiring=wiring)
    from zkpredict.circuits.networks.convolution import ConvLayer  # it builds on this module

    return ConvLayer(weights, bias, shift, activation, grid, wiring=wiring)


def _read_grid(reader: ByteReader, number: int, by_side: bool) -> Grid | None:
    """The geometry of layer `number`, if it has one. Raises `MalformedFile`."""
    flag = reader.unsigned(1, f"layer {number} kind")
    if flag > 1:
        raise MalformedFile(f"{reader.what}: layer {number} kind is {flag}, expected 0 or 1")
    try:
        return Grid.take(reader, f"layer {number}", by_side) if flag else None
    except UnsupportedNetwork as error:
        raise MalformedFile(f"{reader.what}: layer {number}: {error}") from None


def _read_wiring(reader: ByteReader, number: int, by_side: bool) -> Wiring:
    try:
        return Wiring.take(reader, f"layer {number}", by_side)
    except UnsupportedNetwork as error:
        raise MalformedFile(f"{reader.what}: layer {number}: {error}") from None


def _pool(number: int, grid: Grid | None, wiring: Wiring) -> DenseLayer:
    """A max pool. Raises `UnsupportedNetwork`."""
    from zkpredict.circuits.networks.pooling import MaxPoolLayer  # it builds on this module

    wiring.check(number, grid)
    if grid is None:
        raise UnsupportedNetwork(f"layer {number} is a max pool without a grid")
    return MaxPoolLayer(grid, wiring.sources)


def _summed(all_sources: Iterable[tuple[int, ...]], handed: Sequence[list[tuple[int, int]]]) -> list[tuple[int, int]]:
    """The ranges of what readings add up, one map behind another."""
    found: list[tuple[int, int]] = []
    for sources in all_sources:
        if len(sources) == 1:
            found += handed[sources[0]]
            continue
        lows, highs = (np.sum([[one[end] for one in handed[source]] for source in sources], axis=0).tolist() for end in (0, 1))
        found += zip(lows, highs, strict=True)
    return found
