"""c: what each lane's activation is multiplied with in the sum, as everybody who has the challenges computes it.

    kernels  : sum over columns i and over positions and taps k that read the lane of eta^(1 + n i + entry) alpha^f(pos)
    max pools: sum over matches a - b that read it of (+1 in a, -1 in b) alpha^e 2^(24 place + 8), e the exponent of the match's pack

A tap's power of eta is a place's times its channel's, so a place of the map costs one product for each place of a kernel over it, and
one for each of its channels; only then come the lanes. The slow twin, tap by tap, is `verifier.independent_convolution.lane_weights`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from zkpredict.circuits.convolution.layout import ConvCircuit
from zkpredict.circuits.convolution.reads import Lanes, own_lanes, players, windows_of
from zkpredict.circuits.field import MODULUS, powers
from zkpredict.circuits.networks.pooling import tournament
from zkpredict.circuits.wide.compiler import KEPT_BITS
from zkpredict.circuits.wide.geometry import LANE_BITS

MATCH_SCALE = LANE_BITS - KEPT_BITS
"""A difference lies in its lane times 2^8."""
Numbers = Any
"""A numpy array of Python ints."""


class LaneWeights:
    """`values`: c of every lane, numbered track n + row; `bias`: sum over columns i of eta^(1 + n i) q_i[0], Python ints below the field's
    order."""

    def __init__(self, circuit: ConvCircuit, alpha: int, eta: int) -> None:
        self.circuit, self.eta = circuit, eta
        self.values: Numbers = np.zeros(circuit.tracks * circuit.domain, dtype=object)
        self.bias = 0
        self.alphas: Numbers = np.array(powers(alpha, circuit.folded), dtype=object)
        channels = max((window.channels for layer in range(1, circuit.layers) if circuit.is_convolution(layer) for window in windows_of(circuit, layer)), default=1)
        self.etas: Numbers = np.array(powers(eta, channels), dtype=object)
        columns = circuit.hidden_convolutions()
        first = {(layer, piece): number for number, (layer, piece, chunk) in reversed(list(enumerate(columns))) if chunk == 0}
        for layer in range(1, circuit.layers):
            if circuit.is_convolution(layer):
                self._add_kernels(layer, first)
            elif circuit.is_pool(layer):
                self._add_matches(layer)
        self.values %= MODULUS
        self.bias %= MODULUS

    def _add(self, read: Lanes, weights: Numbers) -> None:
        """weights[number] to each lane of a number."""
        np.add.at(self.values, read.lanes, weights[read.numbers])

    def _add_kernels(self, layer: int, first: dict[tuple[int, int], int]) -> None:
        n, circuit = self.circuit.domain, self.circuit
        positions: list[int] = []
        for piece in circuit.pieces(layer):
            scale = pow(self.eta, 1 + n * first[layer, piece], MODULUS)
            positions += (self.alphas[circuit.position_exponents(layer, piece)] * scale % MODULUS).tolist()
        self.bias += sum(positions)
        by_position, offsets = np.array(positions, dtype=object), self._offsets(layer)
        for window in windows_of(circuit, layer):
            count = window.places.shape[1]
            own, offsets = np.array([pow(self.eta, offset, MODULUS) for offset in offsets[:count]], dtype=object), offsets[count:]
            if window.read is None:
                raise ValueError(f"layer {layer} reads the input")
            inside = window.places >= 0
            by_place: Numbers = np.zeros(int(window.places.max()) + 1, dtype=object)
            np.add.at(by_place, window.places[inside], (by_position[:, None] * own)[inside])
            held = (by_place % MODULUS)[:, None] * self.etas[: window.channels] % MODULUS
            weights = np.zeros(max(held.size, int(window.read.numbers.max(initial=-1)) + 1), dtype=object)
            weights[: held.size] = held.ravel()
            self._add(window.read, weights)

    def _offsets(self, layer: int) -> list[int]:
        """For each place of the layer's kernel by how much the power of eta of its first channel is above the first chunk's entry 0."""
        chunks, n, found, entry = self.circuit.chunks_of(layer), self.circuit.domain, [], 1
        chunk = 0
        for channels in self.circuit.tap_channels(layer):
            while entry not in chunks[chunk]:
                chunk += 1
            found.append(n * chunk + entry - chunks[chunk].start)
            entry += channels
        return found

    def _add_matches(self, layer: int) -> None:
        band, outputs, grid = self.circuit.groups(layer)[0], self.circuit.widths[layer + 1], self.circuit.grid(layer)
        shifts = np.array([1 << (band.value_shift(at) + MATCH_SCALE) for at in range(band.values_per_pack)], dtype=object)
        packs = self.alphas[list(band.exponents())]
        weights = (packs[:, None] * shifts % MODULUS).ravel()[: band.values]
        playing = players(self.circuit, layer)
        for number, (one, other) in enumerate(tournament(grid.kernel_height * grid.kernel_width)):
            own = weights[number * outputs : (number + 1) * outputs]
            self._add(playing[one], own)
            self._add(playing[other], -own)


def read_layers(circuit: ConvCircuit) -> tuple[int, ...]:
    """The layers whose lanes c is about: those that kernels and max pools read, themselves or through a max pool."""
    readers = (layer for layer in range(1, circuit.layers) if circuit.is_convolution(layer) or circuit.is_pool(layer))
    return tuple(sorted({source for layer in readers for sources, _ in circuit.readings(layer) for source in sources}))


@lru_cache(maxsize=64)
def tag_of_lanes(circuit: ConvCircuit) -> np.ndarray:
    """The tag of the activation by which each lane is read, -1 for lanes that nobody's z lies on first: int64 [tracks n]."""
    found = np.full(circuit.tracks * circuit.domain, -1, dtype=np.int64)
    for layer in range(circuit.layers - 1):
        found[own_lanes(circuit, layer).lanes] = circuit.activations[layer].tag
    return found


def read_tracks(circuit: ConvCircuit) -> tuple[tuple[int, int], ...]:
    """Every track with lanes that c is about, with each tag of an activation by which they are read, in order."""
    return tuple(sorted({(track, circuit.activations[layer].tag) for layer in read_layers(circuit) for track in circuit.tracks_of(layer)}))
