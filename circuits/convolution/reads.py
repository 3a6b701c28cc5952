"""What a layer reads: a public sparse map, in integers, from lanes (of any layers before it) to the numbers of its inputs.

    a number of a dense layer or a convolution is handed on by one lane
    what a max pool hands on is a sum of lanes: max(a, b) = b + relu(a - b), so the lanes of b and that of the match
    a residual adds the lanes of several layers, a sum pool those of a window

Flattening, zero padding, strides and windows say which of these numbers a kernel meets, so they are no cases of their own.
Lanes are numbered through: track n + row.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from zkpredict.circuits.convolution.layout import ConvCircuit
from zkpredict.circuits.networks.grid import Grid
from zkpredict.circuits.networks.pooling import tournament
from zkpredict.circuits.records import dataclass


@dataclass(frozen=True, eq=False)
class Lanes:
    """Number `numbers[i]` has lane `lanes[i]` among those it is the sum of: int64 arrays of one length, in no order."""

    numbers: np.ndarray
    lanes: np.ndarray

    @classmethod
    def together(cls, parts: Iterable[Lanes]) -> Lanes:
        """The sum of maps."""
        parts = tuple(parts)
        if len(parts) == 1:
            return parts[0]
        return cls(np.concatenate([part.numbers for part in parts]), np.concatenate([part.lanes for part in parts]))

    def renumbered(self, numbers: np.ndarray) -> Lanes:
        """Number k becomes `numbers[k]`; none where that is negative."""
        found = numbers[self.numbers]
        kept = found >= 0
        return Lanes(found[kept], self.lanes[kept])


@dataclass(frozen=True, eq=False)
class Window:
    """One reading of a layer: `places[position, k]` is the place of the map that place k of the kernel covers, -1 for padding, each with
    `channels` numbers; number (place, channel) is `place * channels + channel`, and has the lanes of `read` (none: the input)."""

    places: np.ndarray
    channels: int
    read: Lanes | None


@lru_cache(maxsize=256)
def own_lanes(circuit: ConvCircuit, layer: int) -> Lanes:
    """The (highest) lane of each z of a hidden layer: of a max pool of each match."""
    numbers, lanes = [], []
    for group, band in enumerate(circuit.groups(layer)):
        places = np.array(list(band.pack_places()), dtype=np.int64)[: band.packs]
        per_pack, packs = band.values_per_pack, np.arange(band.packs)[:, None]
        at = np.arange(per_pack)
        if circuit.positions(layer) > 1 and not circuit.is_pool(layer):
            channels = circuit.channels(layer)
            channel = group * per_pack + at
            own = np.where(channel < channels, packs * channels + channel, -1)
        else:
            own = packs * per_pack + at
            own = np.where(own < band.values, own, -1)
        lane = (places[:, 0] * circuit.domain + places[:, 1])[:, None] + at * band.lanes
        numbers.append(own[own >= 0])
        lanes.append(lane[own >= 0])
    return Lanes(np.concatenate(numbers), np.concatenate(lanes))


@lru_cache(maxsize=256)
def handed_on(circuit: ConvCircuit, layer: int) -> Lanes:
    """The lanes of each number that a hidden layer hands on."""
    return players(circuit, layer)[-1] if circuit.is_pool(layer) else own_lanes(circuit, layer)


@lru_cache(maxsize=256)
def players(circuit: ConvCircuit, layer: int) -> tuple[Lanes, ...]:
    """Of a max pool: the lanes of everybody who plays, entrants first, then the winners of all matches; numbers are those of the output."""
    grid, own, outputs = circuit.grid(layer), own_lanes(circuit, layer), circuit.widths[layer + 1]
    entrants = grid.kernel_height * grid.kernel_width
    read = summed(circuit, circuit.readings(layer)[0][0])
    windows = grid.windows().reshape(grid.count, entrants, grid.channels)
    found = [_entrant(read, windows[:, entrant].reshape(-1)) for entrant in range(entrants)]
    match = own.numbers // outputs
    for number, (_, other) in enumerate(tournament(entrants)):
        mine = match == number
        found.append(Lanes.together((found[other], Lanes(own.numbers[mine] % outputs, own.lanes[mine]))))
    return tuple(found)


def _entrant(read: Lanes, numbers: np.ndarray) -> Lanes:
    """Output k is number `numbers[k]` of what is read, zero where that is negative. One number may be read by many outputs."""
    order = np.argsort(read.numbers, kind="stable")
    ends = np.searchsorted(read.numbers[order], np.stack([numbers, numbers + 1]))
    counts = np.where(numbers >= 0, ends[1] - ends[0], 0)
    outputs = np.repeat(np.arange(len(numbers)), counts)
    behind = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return Lanes(outputs, read.lanes[order][np.repeat(ends[0], counts) + behind])


def summed(circuit: ConvCircuit, sources: tuple[int, ...]) -> Lanes:
    """The lanes of the sum of what layers hand on."""
    return Lanes.together(handed_on(circuit, source) for source in sources)


@lru_cache(maxsize=256)
def windows_of(circuit: ConvCircuit, layer: int) -> tuple[Window, ...]:
    """Every reading of a layer with kernels, in the order of its taps."""
    return tuple(_window(circuit, sources, grid) for sources, grid in circuit.readings(layer))


def _window(circuit: ConvCircuit, sources: tuple[int, ...], grid: Grid | None) -> Window:
    read = None if sources == (-1,) else summed(circuit, sources)
    if grid is None:
        return Window(np.arange(circuit.widths[sources[0] + 1])[None], 1, read)
    if grid.area > 1 and read is not None:
        read = read.renumbered(grid.pools())
    return Window(grid.places(), grid.channels, read)
