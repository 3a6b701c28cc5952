"""What the contract of a wide circuit loops over, read off its gadgets: constraints by track, rows by progressions, selectors by parts.

A circuit with other gadgets, or tracks that differ, stops the generator by `UnsupportedShape`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar
from dataclasses import dataclass
from functools import cached_property

from zkpredict.circuits.columns import Column, Form, Origin
from zkpredict.circuits.constraints import selectors
from zkpredict.circuits.convolution.gadgets import Convolution, ConvLanes, Correlations, MaxPool
from zkpredict.circuits.convolution.layout import ConvCircuit, correlation
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.gadgets.base import Gadget
from zkpredict.circuits.placement import form, placed
from zkpredict.circuits.publics import Constant, Patches, Periodic
from zkpredict.circuits.shared.gadgets import Met, SharedLanes, SharedRows
from zkpredict.circuits.shared.kinds import KindKeys, KindOutput
from zkpredict.circuits.shared.layout import MET, SharedCircuit
from zkpredict.circuits.wide.dense import Dense
from zkpredict.circuits.wide.fold import Fold
from zkpredict.circuits.wide.joined import JoinedRows, ReplicaLanes
from zkpredict.circuits.wide.keys import Keys
from zkpredict.circuits.wide.lanes import Lanes
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.circuits.wide.output import Output
from zkpredict.circuits.wide.private import PrivateInput
from zkpredict.circuits.wide.rational import RationalGate
from zkpredict.circuits.wide.total import Total
from zkpredict.contracts.verifier.publics import UnsupportedShape
from zkpredict.contracts.verifier.symbolic import Power
from zkpredict.contracts.verifier.wide import hidden

_ORDER = (Lanes, RationalGate, PrivateInput, Keys, Fold, Dense, Correlations, Output, Total)
"""Gadgets in the order of their constraints; layers and correlations have none."""

G = TypeVar("G", bound=Gadget)


def _kind(gadget: Gadget) -> type[Gadget]:
    """Which of the gadgets that the contract knows this one is: those of replicas and convolutions have the constraints of what they replace."""
    replaced: dict[type[Gadget], type[Gadget]] = {JoinedRows: Dense, ReplicaLanes: Lanes, Convolution: Dense, MaxPool: Dense, ConvLanes: Lanes}
    replaced |= {SharedRows: Dense, SharedLanes: Lanes, KindKeys: Keys, Met: Correlations, KindOutput: Output}
    return replaced.get(type(gadget), type(gadget))


@dataclass(frozen=True)
class Progression:
    """Rows whose exponents fall by `step` to `last`, `count` of them."""

    last: int
    step: int
    count: int


def progressions(exponents: Iterable[int]) -> tuple[Progression, ...]:
    """Exponents cut into runs that fall by the same step."""
    runs: list[list[int]] = []
    for exponent in exponents:
        own = runs[-1] if runs else []
        step = own[-1] - exponent if own else 0
        if own and step > 0 and (len(own) == 1 or own[-2] - own[-1] == step):
            own.append(exponent)
        else:
            runs.append([exponent])
    return tuple(Progression(run[-1], run[0] - run[1] if len(run) > 1 else 0, len(run)) for run in runs)


@dataclass(frozen=True)
class Family:
    """Constraints that every track has: `first` is the index of track 0's, `count` of them follow for each track."""

    gadget: Gadget
    first: int
    count: int


@dataclass(frozen=True)
class WidePlan:
    """The structure of one circuit."""

    circuit: WideCircuit

    @cached_property
    def form(self) -> Form:
        return form(self.circuit)

    @cached_property
    def gadgets(self) -> tuple[Gadget, ...]:
        """In order. Raises `UnsupportedShape` for one that the contract does not know."""
        found = placed(self.circuit)
        kinds = [_kind(gadget) for gadget in found]
        if set(kinds) - set(_ORDER) or sorted(kinds, key=_ORDER.index) != kinds:
            raise UnsupportedShape(f"the circuit has the gadgets {', '.join(kind.__name__ for kind in kinds)}")
        return found

    def gadget(self, kind: type[G]) -> G:
        """The circuit's first gadget of this kind. Raises `UnsupportedShape` when it has none."""
        found = self.find(kind)
        if found is None:
            raise UnsupportedShape(f"the circuit has no gadget {kind.__name__}")
        return found

    @property
    def joined(self) -> JoinedRows:
        """The layers behind the first one of a circuit with replicas."""
        return self.gadget(JoinedRows)

    def find(self, kind: type[G]) -> G | None:
        """The circuit's first gadget of this kind, if it has one."""
        return next((gadget for gadget in self.gadgets if isinstance(gadget, kind)), None)

    @cached_property
    def first_constraint(self) -> dict[type[Gadget], int]:
        """The index of each gadget's first constraint, by its kind."""
        found: dict[type[Gadget], int] = {}
        number = 0
        for gadget in self.gadgets:
            found.setdefault(_kind(gadget), number)
            number += len(gadget.constraints())
        return found

    @property
    def winner_constraint(self) -> int:
        """The index of the constraint on the claimed class: the last of the output's, behind one for each track with signs. Raises
        `UnsupportedShape` when the gadgets that read all tracks have other constraints than the contract weighs."""
        output = self.gadget(Output)
        found = {kind: len(self.gadget(kind).constraints()) for kind in (Fold, Dense, Output, Total)}
        wanted = {Fold: 1, Dense: 0, Output: len(output.signed_tracks) + output.ranked, Total: 1}
        if found != wanted:
            raise UnsupportedShape(f"gadgets have other constraints than the contract weighs: {found}")
        return self.first_constraint[Output] + len(output.signed_tracks)

    @property
    def constraint_count(self) -> int:
        return sum(len(gadget.constraints()) for gadget in self.gadgets)

    @cached_property
    def families(self) -> dict[str, Family]:
        """The constraints that every track has: `bits`, `rational` where the circuit has such a gate, `lookups`."""
        tracks, found = self.circuit.tracks, {}
        for name, kind, more in (("bits", Lanes, 0), ("rational", RationalGate, 0), ("lookups", Keys, 1 + len(hidden.lookups(self.circuit)))):
            gadget: Gadget | None = self.find(kind)
            if gadget is not None:
                count, rest = divmod(len(gadget.constraints()) - more, tracks)
                if rest:
                    raise UnsupportedShape(f"{kind.__name__} has not the same number of constraints on each track")
                found[name] = Family(gadget, self.first_constraint[kind], count)
        return found

    # columns of a track

    def _per_track(self, kind: type[Gadget]) -> tuple[str, ...]:
        """Names of a gadget's columns without the track, which all tracks have alike."""
        gadget, tracks = self.find(kind), self.circuit.tracks
        names = [column.name for column in gadget.columns() if column.origin is Origin.PROOF] if gadget else []
        own = tuple(name.removesuffix("0") for name in names[: len(names) // tracks])
        if names != [f"{name}{track}" for track in range(tracks) for name in own]:
            raise UnsupportedShape(f"{kind.__name__} has other columns on each track")
        return own

    @cached_property
    def lane_columns(self) -> tuple[str, ...]:
        return self._per_track(Lanes)

    @cached_property
    def rational_columns(self) -> tuple[str, ...]:
        return self._per_track(RationalGate)

    @property
    def lookups(self) -> int:
        """Lookup columns of a track."""
        return self.families["lookups"].count

    @property
    def dense_layers(self) -> list[int]:
        """The layers behind the first one whose rows are values on the domain, one for each pack and track."""
        circuit = self.circuit
        layers = range(1, circuit.layers)
        if not isinstance(circuit, ConvCircuit):
            return [*layers]
        if isinstance(circuit, SharedCircuit):
            return []
        return [layer for layer in layers if not circuit.is_convolution(layer) and not circuit.is_pool(layer)]

    @property
    def correlations(self) -> tuple[str, ...]:
        """The columns of what kernels behind the first layer meet."""
        if isinstance(self.circuit, SharedCircuit):
            return (MET,)
        return tuple(correlation(*part) for part in self.circuit.hidden_convolutions()) if isinstance(self.circuit, ConvCircuit) else ()

    def check_form(self) -> None:
        """That proofs have the parts, in the order, that the loops go through. Raises `UnsupportedShape`."""
        tracks = range(self.circuit.tracks)
        lanes = [f"{name}{track}" for track in tracks for name in self.lane_columns]
        more = [f"{name}{track}" for track in tracks for name in self.rational_columns]
        keys = [f"lookup{track}_{number}" for track in tracks for number in range(self.lookups)]
        quotient = ["quotient", "quotient_high"][: self.circuit.quotient_pieces]
        inputs, looked_up = hidden.held(self.circuit), hidden.lookups(self.circuit)
        stated = [*lanes, *more, *inputs, "lookup_table", *self.correlations]
        points = [
            *lanes, *more, *inputs, "mult", *keys, *looked_up, "lookup_table", "fold", *self.correlations, "sum", *quotient, "opening", "final",
        ]
        claims = [(0, None), *((0, name) for name in stated), (1, None)]
        found = [(claim.points, claim.column) for claim in self.form.claims]
        if (
            list(self.form.points) != points
            or list(self.form.scalars) != [*stated, "linearised_next"]
            or found != [((rotation,), column) for rotation, column in claims]
        ):
            raise UnsupportedShape(f"proofs have the points {', '.join(self.form.points)} and scalars {', '.join(self.form.scalars)}")

    @property
    def fixed(self) -> Column:
        """The one constant column."""
        (found,) = (column for column in self.form.columns if column.origin is Origin.FIXED)
        return found

    # selectors

    @cached_property
    def selectors(self) -> Mapping[str, Periodic[Any] | Patches[Any] | Constant[Any]]:
        found: Mapping[str, Periodic[Any] | Patches[Any] | Constant[Any]] = selectors(self.circuit, Power("alpha", 1))
        if not isinstance(self.circuit, ConvCircuit):
            return found
        return {name: merged(one) if isinstance(one, Patches) else one for name, one in found.items()}

    @cached_property
    def parts(self) -> Parts:
        """The distinct periodic polynomials whose (weighed) sums say where layers read and what must not be negative, with names."""
        found: list[Periodic[Any]] = []
        for polynomial in self.selectors.values():
            if isinstance(polynomial, Patches):
                ones = (Periodic[Any](part.period, dict.fromkeys(part.values, 1)) for part in polynomial.parts)
                found += [part for part in ones if part not in found]
        return Parts((part, f"part{number}") for number, part in enumerate(found))


def merged(selector: Patches[Any]) -> Patches[Any]:
    """The same polynomial of fewer parts: rows of a period that are also read half a period on are rows of half of it. Pieces of a layer's
    groups lie so."""
    parts = list(selector.parts)
    for one in parts:
        half = one.period // 2
        for other in parts:
            if other is not one and one.period == other.period and other.values == {(row + half) % one.period: value for row, value in one.values.items()}:
                rest = [part for part in parts if part not in (one, other)]
                return merged(Patches((*rest, Periodic(half, {row % half: value for row, value in one.values.items()}))))
    return selector


PartKey = tuple[int, tuple[tuple[int, int], ...]]
"""A period and the values by row."""


class Parts(dict[PartKey, str]):
    """Names by polynomial: a `Periodic` holds a dictionary, so it is looked up by what it says."""

    def __init__(self, items: Iterable[tuple[Periodic[Any], str]]) -> None:
        super().__init__()
        self.polynomials: dict[str, Periodic[Any]] = {}
        for polynomial, name in items:
            self[_key(polynomial)] = name
            self.polynomials[name] = polynomial

    def name(self, polynomial: Periodic[Any]) -> str:
        return self[_key(polynomial)]


def _key(polynomial: Periodic[Any]) -> PartKey:
    return polynomial.period, tuple(sorted((row, value % MODULUS) for row, value in polynomial.values.items()))
