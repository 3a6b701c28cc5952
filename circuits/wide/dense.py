"""Dense layers: committed rows of packed weights, applied to the public input or to the activations of the layer before.

    layer 0   : rows in coefficient form, against X with <coefficients of rows, q> = (1/n) sum_H rows(h) X(h)
    layer t>0 : rows on the domain, one for each pack and each track that the layer before lies on

        relu  : sign u,  u = 256 top + mid - 32768       relu8 : exact mid + 255 (sign - exact)       rational : its own value

`reads` is zero outside the lanes of the layer before: it is what keeps the network of a hostile owner a function.
"""

from __future__ import annotations

from functools import reduce
from operator import add

from zkpredict.circuits.columns import Column, Origin
from zkpredict.circuits.expression import Cell, Expression, Public
from zkpredict.circuits.field import MODULUS, S, power
from zkpredict.circuits.networks.activations import MAX_BYTE, RELU, RELU8, Activation
from zkpredict.circuits.publics import Patches, Periodic, PublicPolynomial, Selector
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.wide.geometry import BIAS_ROW, LANE_BITS
from zkpredict.circuits.wide.inputs import InputPart
from zkpredict.circuits.wide.lanes import WideGadget, argument
from zkpredict.circuits.wide.layout import WideCircuit, input_rows, value_rows
from zkpredict.circuits.wide.private import PrivateInput
from zkpredict.circuits.wide.rational import value


class Dense(WideGadget):
    """One dense layer."""

    def __init__(self, circuit: WideCircuit, layer: int) -> None:
        super().__init__(circuit)
        self.layer = layer

    def columns(self) -> tuple[Column, ...]:
        return tuple(Column(rows.name, Origin.MODEL) for rows in self.circuit.row_columns if rows.layer == self.layer)

    def read_by_weights(self) -> Expression | None:
        if self.layer == 0 and self.circuit.private_input:
            return PrivateInput(self.circuit).read()
        if self.layer == 0:
            parts = [(step, chunk) for step in range(len(self.circuit.input_steps)) for chunk in range(len(self.circuit.chunks))]
            return reduce(add, [Cell(input_rows(*part)) * Public(inputs(*part)) for part in parts])
        found = []
        for number, track in enumerate(self.circuit.tracks_of(self.layer - 1)):
            read = Public(f"reads{self.layer}_{track}") * self.activation(track)
            found.append(Cell(value_rows(self.layer, track)) * (read if number else read + Public("bias")))
        return reduce(add, found)

    def activation(self, track: int) -> Expression:
        """What the layer before hands on from a lane of `track`."""
        return handed_on(self.circuit.activations[self.layer - 1], track)

    def selectors(self, alpha: S) -> dict[str, Selector[S]]:
        if self.layer == 0:
            return {}
        found: dict[str, Selector[S]] = {"bias": Periodic(self.circuit.domain, {BIAS_ROW: 1})}
        for track in self.circuit.tracks_of(self.layer - 1):
            parts: list[Periodic[S]] = [
                Periodic(piece.period, dict(piece.lane_rows(band.heads)))
                for band in self.circuit.groups(self.layer - 1)
                for piece in band.pieces
                if piece.track == track
            ]
            found[f"reads{self.layer}_{track}"] = Patches(tuple(parts))
        return found

    def publics(self, statement: Statement, alpha: int) -> dict[str, PublicPolynomial]:
        if self.layer or self.circuit.private_input:
            return {}
        return {
            inputs(number, chunk): input_part(self.circuit, step, chunk, statement.input, alpha)
            for number, step in enumerate(self.circuit.input_steps)
            for chunk in range(len(self.circuit.chunks))
        }

    def constants(self, alpha: S) -> S | int:
        """sum of alpha^e over all packs of a hidden layer, times the offset that each of them has."""
        if self.layer == self.circuit.layers - 1:
            return 0
        total: S | int = 0
        for band in self.circuit.groups(self.layer):
            half = band.lanes * LANE_BITS - 1
            offset = sum(1 << (band.value_shift(place) + half) for place in range(band.values_per_pack))
            for run in band.runs:
                total = (total + power(alpha, run.last) * geometric(power(alpha, run.step), run.count) * offset) % MODULUS
        return total


def handed_on(activation: Activation, track: int) -> Expression:
    """What an activation makes of a lane of `track`."""
    sign = Cell(f"sign{track}")
    if activation == RELU:
        return sign * argument(track)
    if activation == RELU8:
        exact = Cell(f"exact{track}")
        return exact * Cell(f"mid{track}") + MAX_BYTE * (sign - exact)
    return value(track)


def inputs(step: int, chunk: int) -> str:
    """Name of the public polynomial that one kind of first-layer rows meets."""
    return f"inputs_{step}_{chunk}"


def input_part(circuit: WideCircuit, step: int, chunk: int, data: bytes, alpha: int) -> InputPart:
    """The input's chunk, once for each pack that shares a row, weighted by powers of alpha^step."""
    own = circuit.chunks[chunk]
    ratio = pow(alpha, step, MODULUS)
    weights = tuple(pow(ratio, place, MODULUS) for place in range(circuit.packs_per_row))
    return InputPart(circuit.domain, (*([1] if chunk == 0 else []), *data[own.start : own.stop]), weights)


def geometric(ratio: S | int, count: int) -> S | int:
    """1 + ratio + ... + ratio^(count - 1) for a power of two `count`: a product, without an inverse."""
    total: S | int = 1
    while count > 1:
        total = total * (1 + ratio) % MODULUS
        ratio, count = ratio * ratio % MODULUS, count // 2
    return total


