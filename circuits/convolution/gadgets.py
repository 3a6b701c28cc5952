"""Convolutions: one committed row of kernels for each group of output channels, whatever the number of positions.

    sum over positions of alpha^f(pos) Z_p[pos] = <K_p, q>,     q[0] = sum_pos alpha^f(pos),   q[1 + k] = sum_pos alpha^f(pos) a[pos + k]

    first layer  : q is public: kernels in coefficient form against X with <coefficients, q> = (1/n) sum_H kernels(h) X(h)
    hidden layer : q is a column, `conv`, committed once alpha is known; kernels are values on the domain

That `conv` is q is one more equation of the sum, at a challenge eta that is drawn behind it: for all columns i of all hidden convolutions

    sum_i sum_j eta^(1 + n i + j) conv_i[j] = sum over lanes of act c + sum_i eta^(1 + n i) q_i[0],    c(lane) = sum_i sum_{pos, k reads it} eta^(2 + n i + k) alpha^f(pos)

on all n rows, so a column is zero behind its taps; powers of eta begin at 1, so that nothing of it meets the rest of the sum.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

from zkpredict.circuits.columns import Column, Origin
from zkpredict.circuits.convolution.layout import ConvCircuit, correlation, kernel_rows
from zkpredict.circuits.convolution.reads import lane_inputs
from zkpredict.circuits.expression import Cell, Expression, Public
from zkpredict.circuits.field import MODULUS, S, inverse, powers
from zkpredict.circuits.gadgets.base import Cells, Run
from zkpredict.circuits.publics import Constant, Periodic, PublicPolynomial, Selector
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.wide.dense import Dense
from zkpredict.circuits.wide.geometry import LANE_BITS
from zkpredict.circuits.wide.inputs import InputVector
from zkpredict.circuits.wide.lanes import Lanes, WideGadget, place

if TYPE_CHECKING:
    import numpy as np


class ConvLanes(Lanes):
    """Lanes of layers that lie in several bands."""

    circuit: ConvCircuit  # type: ignore[assignment]  # gadgets of the compact placement have a `Circuit`

    def fill(self, cells: Cells, run: Run) -> None:
        for layer in range(self.circuit.layers - 1):
            values = by_group(self.circuit, layer, run.pre_activations[layer])
            for band, own in zip(self.circuit.groups(layer), values, strict=True):
                place(cells, band, own, 1 << (band.lanes * LANE_BITS - 1))


def by_group(circuit: ConvCircuit, layer: int, z: np.ndarray) -> list[np.ndarray]:
    """The numbers of a layer's output as its bands hold them: zeros where a group has fewer channels than a pack has places."""
    import numpy as np  # verifiers, which fill nothing, do not wait for it

    if not circuit.is_convolution(layer):
        return [z]
    per_pack = circuit.groups(layer)[0].values_per_pack
    grid = z.reshape(circuit.positions(layer), circuit.channels(layer))
    found = []
    for first in range(0, grid.shape[1], per_pack):
        own = np.zeros((len(grid), per_pack), dtype=np.int64)
        channels = grid[:, first : first + per_pack]
        own[:, : channels.shape[1]] = channels
        found.append(own.ravel())
    return found


class Convolution(Dense):
    """One layer of kernels."""

    circuit: ConvCircuit  # type: ignore[assignment]  # gadgets of the compact placement have a `Circuit`

    def columns(self) -> tuple[Column, ...]:
        pieces = self.circuit.pieces(self.layer)
        kernels = tuple(Column(kernel_rows(self.layer, piece), Origin.MODEL) for piece in pieces)
        held = tuple(Column(correlation(self.layer, piece), Origin.PROOF, 2) for piece in pieces) if self.layer else ()
        return held + kernels

    def read_by_weights(self) -> Expression:
        found = []
        for piece in self.circuit.pieces(self.layer):
            met = Cell(correlation(self.layer, piece)) if self.layer else Public(f"patches{piece}")
            found.append(Cell(kernel_rows(self.layer, piece)) * met)
        return reduce(add, found)

    def selectors(self, alpha: S) -> dict[str, Selector[S]]:
        return {}

    def publics(self, statement: Statement, alpha: int) -> dict[str, PublicPolynomial]:
        if self.layer:
            return {}
        return {
            f"patches{piece}": InputVector(self.circuit.domain, public_correlation(self.circuit, piece, statement.input, alpha))
            for piece in self.circuit.pieces(0)
        }


def public_correlation(circuit: ConvCircuit, piece: int, data: bytes, alpha: int) -> tuple[int, ...]:
    """q of the first layer for one piece: 1 + taps field elements."""
    grid = circuit.grids[0]
    if grid is None:
        raise ValueError("the first layer is no convolution")
    sums = pooled_bytes(circuit, data)
    exponents = circuit.position_exponents(0, piece)
    weights = powers(alpha, max(exponents) + 1)
    found = [0] * (1 + grid.taps)
    for position, exponent in zip(circuit.piece_packs(0, piece), exponents, strict=True):
        weight = int(weights[exponent])
        found[0] += weight
        for tap, number in enumerate(lane_inputs(grid).windows[position], 1):
            if number >= 0 and sums[number]:
                found[tap] += weight * sums[number]
    return tuple(value % MODULUS for value in found)


def pooled_bytes(circuit: ConvCircuit, data: bytes) -> list[int]:
    """What the first layer's kernels read."""
    grid = circuit.grids[0]
    if grid is None or grid.pool == 1:
        return list(data)
    sums = [0] * (grid.pooled[0] * grid.pooled[1] * grid.channels)
    for number, value in zip(lane_inputs(grid).pools, data, strict=True):
        if number >= 0:
            sums[number] += value
    return sums


class Correlations(WideGadget):
    """That every `conv` column is what it is called."""

    circuit: ConvCircuit

    def read(self) -> Expression:
        """What the sum takes: the columns at powers of eta, less the activations they stand for."""
        parts = self.circuit.hidden_convolutions()
        found = reduce(add, [Public(f"power{number}") * Cell(correlation(*part)) for number, part in enumerate(parts)])
        found = Public("powers") * found - Public("correlation_bias")
        for layer in dict.fromkeys(layer for layer, _ in parts):
            reader = Dense(self.circuit, layer)
            for track in self.circuit.tracks_of(layer - 1):
                found = found - Public(f"taps{layer}_{track}") * reader.activation(track)
        return found

    def late_publics(self, statement: Statement, challenges: Mapping[str, int]) -> dict[str, PublicPolynomial]:
        n, alpha, eta = self.circuit.domain, challenges["alpha"], challenges["eta"]
        found: dict[str, PublicPolynomial] = {"powers": Periodic(n, dict(enumerate(powers(eta, n))))}
        rows: dict[tuple[int, int], dict[int, int]] = {}
        bias = 0
        for number, (layer, piece) in enumerate(self.circuit.hidden_convolutions()):
            scale = pow(eta, 1 + n * number, MODULUS)
            found[f"power{number}"] = Constant(scale)
            weights = [pow(alpha, exponent, MODULUS) for exponent in self.circuit.position_exponents(layer, piece)]
            bias += scale * sum(weights)
            for (track, row), value in tap_weights(self.circuit, layer, piece, weights, eta).items():
                own = rows.setdefault((layer, track), {})
                own[row] = (own.get(row, 0) + scale * value) % MODULUS
        for layer in dict.fromkeys(layer for layer, _ in self.circuit.hidden_convolutions()):
            for track in self.circuit.tracks_of(layer - 1):
                found[f"taps{layer}_{track}"] = Periodic(n, dict(rows.get((layer, track), {})))
        found["correlation_bias"] = Constant(bias * inverse(n) % MODULUS)
        return found


def tap_weights(circuit: ConvCircuit, layer: int, piece: int, weights: list[int], eta: int) -> dict[tuple[int, int], int]:
    """c without its scale: for each lane (track, row) sum over positions and taps that read it of eta^(1 + tap) weight(position)."""
    grid = circuit.grids[layer]
    if grid is None:
        raise ValueError(f"layer {layer} is no convolution")
    etas = powers(eta, grid.taps + 1)
    pooled = [0] * (grid.pooled[0] * grid.pooled[1] * grid.channels)
    windows = lane_inputs(grid).windows
    for position, weight in zip(circuit.piece_packs(layer, piece), weights, strict=True):
        for tap, number in enumerate(windows[position], 1):
            if number >= 0:
                pooled[number] += int(etas[tap]) * weight
    pooled = [value % MODULUS for value in pooled]
    return {place: pooled[number] for place, number in lane_inputs(grid).lanes(circuit, layer - 1) if number >= 0}
