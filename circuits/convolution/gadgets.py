"""Convolutions: one committed row of kernels for each group of output channels, whatever the number of positions; and max pools.

    sum over positions of alpha^f(pos) Z_p[pos] = <K_p, q>,     q[0] = sum_pos alpha^f(pos),   q[1 + k] = sum_pos alpha^f(pos) a[pos + k]

    first layer  : q is public: kernels in coefficient form against X with <coefficients, q> = (1/n) sum_H kernels(h) X(h)
    hidden layer : q is a column, `conv`, committed once alpha is known; kernels are values on the domain

That `conv` is q is one more equation of the sum, at a challenge eta that is drawn behind it: for all columns i of all hidden convolutions

    sum_i sum_j eta^(1 + n i + j) conv_i[j] = sum over lanes of act c + sum_i eta^(1 + n i) q_i[0],    c(lane) = sum_i sum_{pos, k reads it} eta^(2 + n i + k) alpha^f(pos)

on all n rows, so a column is zero behind its taps; powers of eta begin at 1, so that nothing of it meets the rest of the sum.

A max pool has no rows: a match z = a - b is a public sum of lanes, so its packs are sum over lanes of act c at eta^0, with what
c(lane) has for each match that reads the lane: +- alpha^e 2^(24 place + 8). A kernel with more entries than a column holds is cut into
chunks, each with rows and columns of its own (`circuits.convolution.weights`, `circuits.convolution.reads`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

from zkpredict.circuits.columns import Column, Origin
from zkpredict.circuits.convolution.layout import ConvCircuit, correlation, kernel_rows
from zkpredict.circuits.convolution.reads import windows_of
from zkpredict.circuits.convolution.weights import LaneWeights, read_tracks, tag_of_lanes
from zkpredict.circuits.expression import Cell, Expression, Public
from zkpredict.circuits.field import MODULUS, S, inverse, powers
from zkpredict.circuits.gadgets.base import Cells, Run
from zkpredict.circuits.publics import Constant, PublicPolynomial, RowValues, Selector
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.wide.dense import Dense, handed_on
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

    if circuit.positions(layer) == 1 or circuit.is_pool(layer):
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
        kernels = tuple(Column(rows.name, Origin.MODEL) for rows in self.circuit.row_columns if rows.layer == self.layer)
        held = tuple(Column(correlation(self.layer, *part), Origin.PROOF, 2) for part in self.parts) if self.layer else ()
        return held + kernels

    @property
    def parts(self) -> list[tuple[int, int]]:
        """Piece and chunk of each product of kernels with what they meet."""
        chunks = range(len(self.circuit.chunks_of(self.layer)))
        return [(piece, chunk) for piece in self.circuit.pieces(self.layer) for chunk in chunks]

    def read_by_weights(self) -> Expression:
        found = []
        for piece, chunk in self.parts:
            met = Cell(correlation(self.layer, piece, chunk)) if self.layer else Public(patches(piece, chunk))
            found.append(Cell(kernel_rows(self.layer, piece, chunk)) * met)
        return reduce(add, found)

    def selectors(self, alpha: S) -> dict[str, Selector[S]]:
        return {}

    def publics(self, statement: Statement, alpha: int) -> dict[str, PublicPolynomial]:
        if self.layer:
            return {}
        found: dict[str, PublicPolynomial] = {}
        for piece in self.circuit.pieces(0):
            met = public_correlation(self.circuit, piece, input_numbers(statement.input), alpha)
            for chunk, own in enumerate(self.circuit.chunks_of(0)):
                found[patches(piece, chunk)] = InputVector(self.circuit.domain, met[own.start : own.stop])
        return found


class MaxPool(Dense):
    """A tournament in each window. It has no rows: what its lanes are is in c."""

    def columns(self) -> tuple[Column, ...]:
        return ()

    def read_by_weights(self) -> None:
        return None

    def selectors(self, alpha: S) -> dict[str, Selector[S]]:
        return {}

    def publics(self, statement: Statement, alpha: int) -> dict[str, PublicPolynomial]:
        return {}


def patches(piece: int, chunk: int) -> str:
    """Name of what one chunk of the kernels of the first layer meets, for one piece."""
    return f"patches{piece}_{chunk}" if chunk else f"patches{piece}"


def input_numbers(data: bytes) -> np.ndarray:
    """The bytes of an input as int64."""
    import numpy as np  # few circuits have convolutions

    return np.frombuffer(data, np.uint8).astype(np.int64)


def public_correlation(circuit: ConvCircuit, piece: int, values: np.ndarray, alpha: int, one: int = 1) -> tuple[int, ...]:
    """q of the first layer for one piece: 1 + taps field elements, of `values` (int64, or Python ints as objects: [inputs]). `one`: what
    the biases are multiplied with."""
    import numpy as np  # few circuits have convolutions

    grid, (window,) = circuit.grid(0), windows_of(circuit, 0)
    sums = grid.sums(values[None])[0].reshape(-1, grid.channels)
    padded = np.concatenate([sums, np.zeros((1, grid.channels), sums.dtype)])
    exponents, packs = circuit.position_exponents(0, piece), circuit.piece_packs(0, piece)
    known = powers(alpha, max(exponents) + 1)
    weights = np.array([known[exponent] for exponent in exponents], dtype=object)
    met = padded[window.places[packs.start : packs.stop]].reshape(len(packs), -1).astype(object)
    return tuple(int(value) % MODULUS for value in (weights.sum() * one, *(weights @ met)))


class Correlations(WideGadget):
    """That every `conv` column is what it is called, and every lane of a max pool the difference that it is called."""

    circuit: ConvCircuit

    def read(self) -> Expression:
        """What the sum takes: the columns at powers of eta, less the activations they stand for, and those that max pools read."""
        parts = self.circuit.hidden_convolutions()
        found = reduce(add, [Public(f"power{number}") * Cell(correlation(*part)) for number, part in enumerate(parts)])
        found = Public("powers") * found - Public("correlation_bias")
        activations = {one.tag: one for one in self.circuit.activations}
        taken = [Public(f"taps{track}_{tag}") * handed_on(activations[tag], track) for track, tag in read_tracks(self.circuit)]
        return found - reduce(add, taken)

    def late_publics(self, statement: Statement, challenges: Mapping[str, int]) -> dict[str, PublicPolynomial]:
        n, alpha, eta = self.circuit.domain, challenges["alpha"], challenges["eta"]
        weights, tags = LaneWeights(self.circuit, alpha, eta), tag_of_lanes(self.circuit)
        found: dict[str, PublicPolynomial] = {"powers": RowValues(powers(eta, n))}
        step = pow(eta, n, MODULUS)
        for number, power in enumerate(powers(step, len(self.circuit.hidden_convolutions()))):
            found[f"power{number}"] = Constant(eta * power % MODULUS)
        for track, tag in read_tracks(self.circuit):
            own = slice(n * track, n * (track + 1))
            found[f"taps{track}_{tag}"] = RowValues(((tags[own] == tag) * weights.values[own]).tolist())
        found["correlation_bias"] = Constant(weights.bias * inverse(n) % MODULUS)
        return found
