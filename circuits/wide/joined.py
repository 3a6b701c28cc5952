"""Joined rows of weights: one polynomial holds packs of several layers, each of which reads its own replica of the layer before.

    rows(h) (sum over seats s of weight_s [h is a lane of replica r_s of the layer before] act(h) + weight_s [h is the bias row of s])
    weight_s = sum over the replicas i of the seat's layer of alpha^(exponent of its pack in replica i)

`reads` has the weights in it, so the scalar of a joined row is that alone. Rows of the trace that no seat reads have weight zero there.
"""

from __future__ import annotations

from functools import reduce
from operator import add

from zkpredict.circuits.columns import Column, Origin
from zkpredict.circuits.expression import Cell, Expression, Public
from zkpredict.circuits.field import MODULUS, S
from zkpredict.circuits.gadgets.base import Cells, Gadget, Run
from zkpredict.circuits.publics import Patches, Periodic, PublicPolynomial, Selector
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.wide.dense import Dense
from zkpredict.circuits.wide.fold import Fold
from zkpredict.circuits.wide.geometry import LANE_BITS
from zkpredict.circuits.wide.keys import Keys
from zkpredict.circuits.wide.lanes import Lanes, place
from zkpredict.circuits.wide.output import Output
from zkpredict.circuits.wide.rational import RationalGate
from zkpredict.circuits.wide.replicas import ReplicaCircuit, Seat, kinds
from zkpredict.circuits.wide.total import Total


class ReplicaLanes(Lanes):
    """Lanes of layers that lie on the trace several times."""

    circuit: ReplicaCircuit  # type: ignore[assignment]  # gadgets of the compact placement have a `Circuit`

    def fill(self, cells: Cells, run: Run) -> None:
        for layer in range(self.circuit.layers - 1):
            for band in self.circuit.groups(layer):
                place(cells, band, run.pre_activations[layer], 1 << (band.lanes * LANE_BITS - 1))


class JoinedRows(Dense):
    """All layers behind the first one."""

    circuit: ReplicaCircuit  # type: ignore[assignment]  # gadgets of the compact placement have a `Circuit`

    def __init__(self, circuit: ReplicaCircuit) -> None:
        super().__init__(circuit, 1)

    def columns(self) -> tuple[Column, ...]:
        return tuple(Column(name, Origin.MODEL) for name in self.circuit.joined_rows)

    def read_by_weights(self) -> Expression:
        return reduce(add, [Cell(name) * self._met(*place) for name, place in self.circuit.joined_rows.items()])

    def _met(self, track: int, number: int) -> Expression:
        """What a joined row is multiplied with."""
        known, found = kinds(self.circuit), []
        for kind in self.kinds_on(track, number):
            reader = Dense(self.circuit, self.circuit.activations.index(known[kind]) + 1)
            found.append(Public(reads(kind, track, number)) * reader.activation(track))
        if self.biases_on(track, number):
            found.append(Public(bias(track, number)))
        return reduce(add, found)

    def biases_on(self, track: int, number: int) -> list[Seat]:
        """The seats whose biases lie in a joined row."""
        return [seat for seat in self.circuit.seats_on(track, number) if self.circuit.has_bias(seat, track)]

    def seats_of(self, kind: int, track: int, number: int) -> list[Seat]:
        """The seats of a joined row that read what activation number `kind` hands on."""
        return [seat for seat in self.circuit.seats_on(track, number) if self._kind(seat.layer) == kind]

    def kinds_on(self, track: int, number: int) -> list[int]:
        """Numbers of the activations that a joined row reads."""
        return sorted({self._kind(seat.layer) for seat in self.circuit.seats_on(track, number)})

    def _kind(self, layer: int) -> int:
        return kinds(self.circuit).index(self.circuit.activations[layer - 1])

    def selectors(self, alpha: S) -> dict[str, Selector[S]]:
        found: dict[str, Selector[S]] = {}
        weights = [[], *(self.circuit.pack_weights(layer, alpha) for layer in range(1, self.circuit.layers))]
        for track, number in self.circuit.joined_rows.values():
            for kind in self.kinds_on(track, number):
                parts: list[Periodic[S]] = [
                    Periodic(piece.period, dict.fromkeys(piece.lane_rows(self.circuit.source(seat).heads), weights[seat.layer][seat.pack]))
                    for seat in self.seats_of(kind, track, number)
                    for piece in self.circuit.pieces_on(seat, track)
                ]
                found[reads(kind, track, number)] = Patches(tuple(parts))
            biases = {seat.bias_row: weights[seat.layer][seat.pack] for seat in self.biases_on(track, number)}
            if biases:
                found[bias(track, number)] = Periodic(self.circuit.domain, biases)
        return found

    def publics(self, statement: Statement, alpha: int) -> dict[str, PublicPolynomial]:
        return {}

    def constants(self, alpha: S) -> S | int:
        total: S | int = 0
        for layer in range(1, self.circuit.layers):
            total = (total + Dense(self.circuit, layer).constants(alpha)) % MODULUS
        return total


def reads(kind: int, track: int, number: int) -> str:
    """Name of the public polynomial with which a joined row meets what activation number `kind` hands on."""
    return f"reads{kind}_{track}_{number}"


def bias(track: int, number: int) -> str:
    """Name of the public polynomial that a joined row's biases meet."""
    return f"bias_{track}_{number}"


def replica_gadgets(circuit: ReplicaCircuit) -> tuple[Gadget, ...]:
    """All gadgets of a circuit with replicas, in the order in which constraints are weighed."""
    rational = () if circuit.rational is None else (RationalGate(circuit, circuit.rational),)
    dense = (Dense(circuit, 0), JoinedRows(circuit))
    keys, output = Keys(circuit), Output(circuit)
    return (ReplicaLanes(circuit), *rational, keys, Fold(circuit), *dense, output, Total(circuit, dense, output, keys))
