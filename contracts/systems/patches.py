"""Changes of few weights: their bytes, what they make of a network, and which networks can be changed. Twin of `PatchablePredictor.sol`.

    delta = Delta.between(old, new)              # two networks of one shape
    delta.data                                   # 4 bytes an entry, what a data contract holds
    patched(old, [delta])                        # the network that a version runs
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from zkpredict.circuits.errors import UnsupportedNetwork, UnusableInput
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.contracts.open.packed import LayerLayout

MOST_LAYERS, MOST_INPUTS, MOST_NEURONS = 4, 2047, 256
LEAST_CHANGE, MOST_CHANGE = -1024, 1023
MOST_LIVE = 8
"""Changes that can be live at once: `ModelVersions.MOST_LIVE`."""


@dataclass(frozen=True, order=True)
class Entry:
    """What is added to one weight. `input` equal to the layer's number of inputs names the bias."""

    layer: int
    input: int
    neuron: int
    change: int

    def __post_init__(self) -> None:
        ranges = (self.layer, 0, MOST_LAYERS - 1), (self.input, 0, MOST_INPUTS), (self.neuron, 0, MOST_NEURONS - 1), (self.change, LEAST_CHANGE, MOST_CHANGE)
        if any(not low <= value <= high for value, low, high in ranges):
            raise UnusableInput(f"an entry has layer 0 to 3, input 0 to 2047, neuron 0 to 255, change -1024 to 1023, got {self}")

    def to_bytes(self) -> bytes:
        return (self.layer << 30 | self.input << 19 | self.neuron << 11 | self.change & 0x7FF).to_bytes(4, "big")

    @classmethod
    def from_bytes(cls, data: bytes) -> Entry:
        word = int.from_bytes(data, "big")
        return cls(word >> 30, word >> 19 & 0x7FF, word >> 11 & 0xFF, (word & 0x7FF ^ 0x400) - 0x400)


@dataclass(frozen=True)
class Delta:
    """Entries in order; several of one weight add up."""

    entries: tuple[Entry, ...]

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Delta:
        """Sorts. Raises `UnusableInput` when nothing is left."""
        kept = tuple(sorted(entry for entry in entries if entry.change))
        if not kept:
            raise UnusableInput("a change of no weight: the two networks are the same")
        return cls(kept)

    @classmethod
    def from_bytes(cls, data: bytes) -> Delta:
        """Raises `UnusableInput` for bytes that no contract would take."""
        if not data or len(data) % 4:
            raise UnusableInput(f"a change is some entries of 4 bytes, got {len(data)} bytes")
        found = cls(tuple(Entry.from_bytes(data[at : at + 4]) for at in range(0, len(data), 4)))
        if any(entry.change == 0 for entry in found.entries) or list(found.entries) != sorted(found.entries, key=_place):
            raise UnusableInput("the entries of a change are in order, and none is 0")
        return found

    @classmethod
    def between(cls, old: IntegerNetwork, new: IntegerNetwork) -> Delta:
        """What makes `new` of `old`. Raises `UnusableInput` when they differ in more than weights and biases, or in nothing."""
        if old.shape != new.shape or any((a.shift, a.activation) != (b.shift, b.activation) for a, b in zip(old.layers, new.layers, strict=True)):
            raise UnusableInput(f"a change keeps shape, shifts and activations: {old.name} and {new.name} differ in more than weights")
        entries: list[Entry] = []
        for number, (a, b) in enumerate(zip(old.layers, new.layers, strict=True)):
            change = np.column_stack([b.weights - a.weights, b.bias - a.bias])
            for neuron, place in np.argwhere(change):
                entries += [Entry(number, int(place), int(neuron), step) for step in _steps(int(change[neuron, place]))]
        return cls.of(entries)

    @property
    def data(self) -> bytes:
        return b"".join(entry.to_bytes() for entry in self.entries)

    @property
    def weights(self) -> int:
        """How many different weights and biases change."""
        return len({_place(entry) for entry in self.entries})


def patched(network: IntegerNetwork, deltas: Sequence[Delta]) -> IntegerNetwork:
    """The network with the changes. Raises `UnusableInput` for an entry of no weight, `UnsupportedNetwork` for what wraps."""
    tables = [np.column_stack([layer.weights, layer.bias]).astype(np.int64) for layer in network.layers]
    for entry in (entry for delta in deltas for entry in delta.entries):
        if entry.layer >= len(tables) or entry.neuron >= tables[entry.layer].shape[0] or entry.input >= tables[entry.layer].shape[1]:
            raise UnusableInput(f"{network.name} has no weight at {entry}")
        tables[entry.layer][entry.neuron, entry.input] += entry.change
    return IntegerNetwork(tuple(replace(layer, weights=table[:, :-1], bias=table[:, -1]) for layer, table in zip(network.layers, tables, strict=True)))


def room(network: IntegerNetwork) -> tuple[int, ...]:
    """For every layer but the first: what the sizes of its inputs must stay below, together, for a change to be run.

    Raises `UnsupportedNetwork` for a network that cannot be changed: more layers, inputs or neurons than an entry can name, or a
    bias of more than a quarter of its lane.
    """
    if len(network.layers) > MOST_LAYERS or max(network.shape) > MOST_INPUTS or max(layer.outputs for layer in network.layers) > MOST_NEURONS:
        raise UnsupportedNetwork(f"a change can name {MOST_LAYERS} layers, {MOST_INPUTS} inputs and {MOST_NEURONS} neurons, got {network.name}")
    found = []
    for number, (layer, interval) in enumerate(zip(network.layers, network.intervals, strict=True)):
        lane = _lane(LayerLayout.of(number, layer, interval))
        if number and int(np.abs(layer.bias).max()) >= 1 << (lane - 2):
            raise UnsupportedNetwork(f"layer {number} has a bias of {int(np.abs(layer.bias).max())}: changes need it below 2^{lane - 2}")
        found.append(1 << (lane - 1 - 8 * LayerLayout.of(number, layer, interval).slot))
    return tuple(found[1:])


def fits(network: IntegerNetwork, base: IntegerNetwork) -> bool:
    """Whether `network`, a changed `base`, gives an answer for every byte image."""
    reach = (sum(max(abs(low), abs(high)) for low, high in zip(i.low, i.high, strict=True)) for i in network.activation_intervals)
    return all(found < most for found, most in zip(reach, room(base), strict=True))


def _lane(layout: LayerLayout) -> int:
    """Bits that a layer's sums surely have."""
    return (24 if layout.shortened else 32) * layout.slot


def _place(entry: Entry) -> tuple[int, int, int]:
    return entry.layer, entry.input, entry.neuron


def _steps(change: int) -> list[int]:
    """A change as a sum of what single entries hold."""
    steps = []
    while change:
        steps.append(max(LEAST_CHANGE, min(MOST_CHANGE, change)))
        change -= steps[-1]
    return steps
