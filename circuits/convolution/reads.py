"""Which numbers a layer reads where: windows of kernels, pools, and the lanes on which the layer before left them. Plain ints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from zkpredict.circuits.convolution.layout import ConvCircuit
from zkpredict.circuits.networks.convolution import Grid


@dataclass(frozen=True)
class LaneInputs:
    """`windows[position][tap]`: the pooled number that is read, -1 for padding; `pools[number]`: the pooled number of an input."""

    windows: list[list[int]]
    pools: list[int]

    def lanes(self, circuit: ConvCircuit, before: int) -> Iterator[tuple[tuple[int, int], int]]:
        """Track and row of every number that layer `before` hands on, with the pooled number it belongs to."""
        return ((place, self.pools[number]) for place, number in value_lanes(circuit, before))


@lru_cache(maxsize=64)
def lane_inputs(grid: Grid) -> LaneInputs:
    """Of one geometry."""
    return LaneInputs(grid.windows().tolist(), grid.pools().tolist())


@lru_cache(maxsize=64)
def value_lanes(circuit: ConvCircuit, layer: int) -> list[tuple[tuple[int, int], int]]:
    """For each number of a hidden layer's output the track and the row of its (highest) lane."""
    found = []
    for group, band in enumerate(circuit.groups(layer)):
        places = list(band.pack_places())
        channels, per_pack = circuit.channels(layer), band.values_per_pack
        for pack in range(band.packs):
            track, row = places[pack]
            for at in range(per_pack):
                if circuit.is_convolution(layer):
                    channel = group * per_pack + at
                    number = pack * channels + channel if channel < channels else -1
                else:
                    number = pack * per_pack + at if pack * per_pack + at < band.values else -1
                if number >= 0:
                    found.append(((track, row + at * band.lanes), number))
    return found
