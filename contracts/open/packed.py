"""Lays a dense integer network out for `PackedPredictor.sol`: several neurons a 256-bit word, widths proven from bounds.

A layer stores words of 32 bytes: for two words' worth of neurons at a time, one row of two words per input (the last may
be one). A word is cut into slots of s bytes, each holding one weight plus 2^(8s-1). Four slots make a lane, in which a
whole sum grows; the four groups of every fourth slot are summed apart. s is the smallest size whose slots hold the layer's
weights and whose lanes hold its pre-activations for EVERY byte image (`IntegerNetwork.intervals`): s = 1 gives 32 neurons a
word and lanes of 32 bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from zkpredict.circuits.errors import UnsupportedNetwork, bits
from zkpredict.circuits.networks.activations import Activation, RationalRelu, RationalSquare, Relu, SaturatingRelu, Softsign
from zkpredict.circuits.networks.dense import Interval
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.contracts.artifact import Artifact, load
from zkpredict.contracts.chain.interface import MAX_CODE_BYTES
from zkpredict.contracts.open.weights import DATA_BYTES, MAX_CLASSES

WORD = 32
GROUPS = 4
RECORD_WORDS = 4


@dataclass(frozen=True)
class LayerLayout:
    """How one layer lies in words: slot size in bytes and lanes in use per group. Neuron i is lane `i % lanes` of group
    `i // lanes % 4` of word `i // (4 lanes)`."""

    slot: int
    lanes: int
    outputs: int

    @classmethod
    def of(cls, number: int, layer: DenseLayer, interval: Interval) -> LayerLayout:
        """The narrowest layout that no input can overflow. Raises `UnsupportedNetwork`."""
        for slot in (1, 2, 4, 8):
            if not (_fits(int(layer.weights.min()), int(layer.weights.max()), 8 * slot)):
                continue
            if not _fits(min(interval.low), max(interval.high), 32 * slot):
                continue
            layout = cls(slot, 8 // slot, layer.outputs)
            if all(_fits(interval.low[i], interval.high[i], 24 * slot) for i in layout.shortened):
                return layout
            return cls(slot, 8 // slot - 1, layer.outputs)
        raise UnsupportedNetwork(f"layer {number} reaches up to {bits(interval.magnitude)}: no lane of 256 bits holds it")

    @property
    def words(self) -> int:
        """Words a row."""
        return -(-self.outputs // (GROUPS * self.lanes))

    @property
    def strips(self) -> list[int]:
        """Words of each strip: the layer's words two at a time."""
        return [min(2, self.words - first) for first in range(0, self.words, 2)]

    @property
    def shortened(self) -> list[int]:
        """The neurons in the top lanes of groups 1 and 3, which are one slot narrower: 24s bits."""
        top = 8 // self.slot - 1
        return [i for i in range(self.outputs) if i % self.lanes == top and i // self.lanes % 2 == 1]

    def positions(self) -> np.ndarray:
        """Slot of every neuron, counted over the row from each word's least significant slot; int64 [outputs]."""
        neuron = np.arange(self.outputs)
        word, place = np.divmod(neuron, GROUPS * self.lanes)
        group, lane = np.divmod(place, self.lanes)
        return word * (WORD // self.slot) + GROUPS * lane + group

    def rows(self, layer: DenseLayer) -> bytes:
        """The layer's weights: strip after strip, in each the rows of all inputs."""
        per_word = WORD // self.slot
        offset = 1 << (8 * self.slot - 1)
        slots = np.full((layer.inputs, self.words * per_word), offset, dtype=np.uint64)
        slots[:, self.positions()] = layer.weights.T.astype(np.uint64) + np.uint64(offset)  # wraps: two's complement
        most_significant_first = slots.reshape(layer.inputs, self.words, per_word)[:, :, ::-1]
        words = most_significant_first.astype(f">u{self.slot}")
        return b"".join(words[:, first : first + 2].tobytes() for first in range(0, self.words, 2))

    def sums(self, layer: DenseLayer) -> bytes:
        """The starting values of each word's four sums: biases, and the offset that makes every lane positive."""
        slot, lane = 8 * self.slot, 32 * self.slot
        total = 8 // self.slot
        groups = [[0] * GROUPS for _ in range(self.words)]
        for word in groups:
            for group in range(GROUPS):
                word[group] = sum(1 << (lane * number + lane - 1) for number in range(total))
                if group % 2:
                    word[group] += (1 << (lane * (total - 1))) * ((1 << (24 * self.slot - 1)) - (1 << (lane - 1)))
        for neuron, bias in enumerate(layer.bias.tolist()):
            at, place = divmod(neuron, GROUPS * self.lanes)
            group, number = divmod(place, self.lanes)
            groups[at][group] += bias << (lane * number)
        parts = []
        for g0, g1, g2, g3 in groups:
            odd, third = g1 << slot, g3 << slot
            parts += [g0 + odd + ((g2 + third) << (2 * slot)), odd, g2, third]
        return b"".join((part % (1 << 256)).to_bytes(WORD, "big") for part in parts)


@dataclass(frozen=True)
class Segment:
    """Rows up to `end` of one strip in one code: data contract `holder` (0 is the predictor), `place` bytes into its data."""

    layer: int
    strip: int
    holder: int
    place: int
    end: int


@dataclass(frozen=True)
class PackedPlan:
    """Everything to deploy: weights of each data contract, and the predictor's own tail around their addresses."""

    layouts: tuple[LayerLayout, ...]
    chunks: tuple[bytes, ...]
    head: bytes
    trailer: bytes


def predictor() -> Artifact:
    """The contract that runs packed networks."""
    return load("PackedPredictor")


def deployer() -> Artifact:
    """The contract whose constructor makes a predictor with a table."""
    return load("PackedDeployer")


def plan(network: IntegerNetwork) -> PackedPlan:
    """Lays out any dense integer network of at most 256 classes. Raises `UnsupportedNetwork` with what does not fit."""
    network.require_dense("packed contracts", "prove its answers (`zkpredict prove`), or ask the embedded chain (`zkpredict chain predict --instruction`)")
    return _Planner(network).plan()


@dataclass(frozen=True)
class _Planner:
    network: IntegerNetwork

    @cached_property
    def layouts(self) -> tuple[LayerLayout, ...]:
        return tuple(
            LayerLayout.of(number, layer, interval)
            for number, (layer, interval) in enumerate(zip(self.network.layers, self.network.intervals, strict=True))
        )

    def plan(self) -> PackedPlan:
        layers = self.network.layers
        if layers[-1].outputs > MAX_CLASSES:
            raise UnsupportedNetwork(f"the class is one byte: at most {MAX_CLASSES} outputs, got {layers[-1].outputs}")
        pieces = list(self._pieces())
        kept = self._kept(pieces)
        segments, sizes = _place(pieces, len(pieces) - kept)
        weights = b"".join(layout.rows(layer) for layout, layer in zip(self.layouts, layers, strict=True))
        cuts = np.cumsum([0, *sizes]).tolist()
        chunks = tuple(weights[start:stop] for start, stop in pairwise(cuts))
        own = weights[cuts[-1] :]
        table, trailer = self._table(segments, len(own), len(chunks))
        return PackedPlan(self.layouts, chunks, own + table, trailer)

    def _pieces(self) -> Iterator[Piece]:
        """What must not be cut, in storage order: 32 rows of the first layer, whose pixels are read a word at a time, or one."""
        for number, (layer, layout) in enumerate(zip(self.network.layers, self.layouts, strict=True)):
            step = WORD if number == 0 else 1
            for strip, words in enumerate(layout.strips):
                for first in range(0, layer.inputs, step):
                    end = min(first + step, layer.inputs)
                    yield Piece(number, strip, end, WORD * words * (end - first))

    def _kept(self, pieces: list[Piece]) -> int:
        """How many of the last pieces the predictor keeps in its own code: reading those costs no other account's access."""
        fixed = sum(len(layout.sums(layer)) for layout, layer in zip(self.layouts, self.network.layers, strict=True))
        strips = sum(len(layout.strips) for layout in self.layouts)
        contracts = sum(piece.size for piece in pieces) // (DATA_BYTES - WORD * 2 * WORD) + 1
        words = RECORD_WORDS * len(self.layouts) + (strips + contracts + 1) + contracts + 1
        left = MAX_CODE_BYTES - len(predictor().runtime) - WORD * words - fixed
        if left < 0:
            raise UnsupportedNetwork(f"biases and table fill {-left} bytes more than the predictor's code has")
        kept = 0
        for piece in reversed(pieces):
            left -= piece.size
            if left < 0:
                break
            kept += 1
        return kept

    def _table(self, segments: list[Segment], own: int, contracts: int) -> tuple[bytes, bytes]:
        layers, words = self.network.layers, []
        for layer, layout in zip(layers, self.layouts, strict=True):
            slot, lane = 8 * layout.slot, 32 * layout.slot
            ones = ((1 << 256) - 1) // ((1 << lane) - 1)
            fields = (layout.words, 16), (layer.inputs, 24), (slot, 8), (layout.lanes, 8), (layer.shift, 8), (layer.outputs, 24)
            words += [_fields(*fields, *_activation_fields(layer.activation))]
            words += [value.to_bytes(WORD, "big") for value in (ones * ((1 << slot) - 1), (1 << lane) - 1, lane)]
        records = len(words)
        for segment in segments:
            words.append(_fields((segment.place + (1 if segment.holder else 0), 16), (segment.holder, 16), (segment.end, 32)))
        sums = b"".join(layout.sums(layer) for layout, layer in zip(self.layouts, layers, strict=True))
        table = b"".join(words) + sums
        size = len(table) + WORD * contracts + WORD
        trailer = _fields(
            (size, 16), (own, 16), (len(layers), 16), (self.network.shape[0], 32),
            (WORD * records, 16), (WORD * len(words), 16), (len(table), 16),
        )
        return table, trailer


@dataclass(frozen=True)
class Piece:
    """Rows up to `end` of a strip that stay together, `size` bytes."""

    layer: int
    strip: int
    end: int
    size: int


def _place(pieces: list[Piece], outside: int) -> tuple[list[Segment], list[int]]:
    """Fills data contracts 1, 2, ... with the first `outside` pieces in order and the own code, 0, with the others."""
    segments: list[Segment] = []
    sizes: list[int] = []
    own = 0
    for number, piece in enumerate(pieces):
        kept = number >= outside
        if not kept and (not sizes or sizes[-1] + piece.size > DATA_BYTES):
            sizes.append(0)
        holder, place = (0, own) if kept else (len(sizes), sizes[-1])
        before = segments[-1] if segments else None
        if before is not None and (before.layer, before.strip, before.holder) == (piece.layer, piece.strip, holder):
            segments[-1] = replace(before, end=piece.end)
        else:
            segments.append(Segment(piece.layer, piece.strip, holder, place, piece.end))
        if kept:
            own += piece.size
        else:
            sizes[-1] += piece.size
    return segments, sizes


def _fits(low: int, high: int, bits: int) -> bool:
    return -(1 << (bits - 1)) <= low and high < 1 << (bits - 1)


def _activation_fields(activation: Activation) -> tuple[tuple[int, int], ...]:
    """Number, delta and scale of an activation, as `PackedActivations.sol` knows them: its tag, d or c, and the scale of softsign."""
    match activation:
        case Relu() | SaturatingRelu():
            delta, scale = 0, 0
        case RationalSquare(d=delta) | RationalRelu(d=delta):
            scale = 0
        case Softsign(scale=scale, c=delta):
            pass
        case _:
            raise UnsupportedNetwork(f"the packed contract has no activation {activation}")
    return (activation.tag, 8), (delta, 16), (scale, 16)


def _fields(*fields: tuple[int, int]) -> bytes:
    """A word of unsigned fields `(value, width)`, least significant first."""
    word, at = 0, 0
    for value, width in fields:
        if not 0 <= value < 1 << width:
            raise UnsupportedNetwork(f"a table field of {width} bits cannot hold {value}")
        word |= value << at
        at += width
    return word.to_bytes(WORD, "big")
