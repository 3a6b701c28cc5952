"""The formulas of a wide circuit's contract, by running its gadgets' constraints on names.

A track's constraints are run with names without the track (`top`, not `top3`), and must come out the same for all tracks. `fold` and
`sum` read all tracks at once: they are run with the names `lanes` and `largest_lane` for what a loop makes of the tracks.
"""

from __future__ import annotations

from typing import Any

from dataclasses import dataclass, field

from zkpredict.circuits.constraints import constraint
from zkpredict.circuits.convolution.gadgets import Correlations, patches
from zkpredict.circuits.convolution.layout import ConvCircuit, correlation, kernel_rows
from zkpredict.circuits.convolution.weights import read_tracks
from zkpredict.circuits.expression import Expression
from zkpredict.circuits.field import MODULUS, inverse, root_of_unity
from zkpredict.circuits.gadgets.base import Constraint
from zkpredict.circuits.networks.activations import Activation
from zkpredict.circuits.publics import Constant, Patches, Periodic
from zkpredict.circuits.shared.gadgets import Met, SharedRows, geometric
from zkpredict.circuits.shared.kinds import byte_of
from zkpredict.circuits.shared.gadgets import reads as shared_reads
from zkpredict.circuits.shared.layout import FIRST_DENSE, MET, ROWS, SharedCircuit
from zkpredict.circuits.wide.dense import Dense, handed_on
from zkpredict.circuits.wide.joined import bias, reads
from zkpredict.circuits.wide.lanes import lane
from zkpredict.circuits.wide.output import LARGEST_TRACK
from zkpredict.circuits.wide.replicas import ReplicaCircuit, kinds
from zkpredict.contracts.verifier.pieces import Lookup
from zkpredict.contracts.verifier.publics import UnsupportedShape, indicator, rho_to
from zkpredict.contracts.verifier.symbolic import Symbol, inverse_name, lifted
from zkpredict.contracts.verifier.wide import hidden
from zkpredict.contracts.verifier.wide.plan import WidePlan
from zkpredict.verifier.opening import Linear, OpenedCells

ZERO, ONE = Symbol.of({}), Symbol.of({(): 1})
MODEL_COLUMNS = ("rows", "kernels")
"""How the names of the model's columns start."""
MAX_TERMS = 4
"""A periodic polynomial with few coefficients is evaluated as a polynomial."""


@dataclass
class Formulas:
    """What the contract computes, as formulas in the names of memory words. `poles`: rows at which 1/(rho/w^row - 1) is used; `nodes`:
    periods and rows in them at which 1/(y/w^row - 1) is, with y = rho^(n/period)."""

    plan: WidePlan
    poles: list[int] = field(default_factory=list)
    nodes: list[tuple[int, int]] = field(default_factory=list)

    # one track

    def _track_names(self, track: int) -> dict[tuple[str, int], Symbol]:
        names = (*self.plan.lane_columns, *self.plan.rational_columns)
        return {(f"{name}{track}", 0): Symbol.named(name) for name in names}

    def _on_track(self, expression: Expression, track: int) -> Linear[Symbol]:
        world = OpenedCells(Lookup(Symbol.named), Lookup(Symbol.named), self._track_names(track))
        found = expression.evaluate(world)
        renamed = {(name.replace(f"lookup{track}_", "lookup_"), at): lifted(value) for (name, at), value in found.terms.items()}
        return Linear(lifted(found.constant), renamed)

    def family(self, name: str) -> list[Linear[Symbol]]:
        """The constraints of a family on each track. Raises `UnsupportedShape` when tracks differ."""
        family = self.plan.families[name]
        own: list[list[Constraint]] = []
        constraints = family.gadget.constraints()
        for track in range(self.plan.circuit.tracks):
            own.append([*constraints[track * family.count : (track + 1) * family.count]])
        found = [[self._on_track(one.expression, track) for one in found] for track, found in enumerate(own)]
        if any(other != found[0] for other in found):
            raise UnsupportedShape(f"the {name} of tracks differ")
        return found[0]

    def track_constant(self, signed: bool) -> Symbol:
        """sum of delta^i (constant part) over the constraints of a track, and if some track is `signed`, the weight of its sign."""
        sign = "sign" if "sign" in self.plan.lane_columns else "kind"
        total = Symbol.named("negative") * Symbol.named(sign) if signed else ZERO
        for name in self.plan.families:
            for number, linear in enumerate(self.family(name)):
                if name != "lookups" and linear.terms:
                    raise UnsupportedShape(f"the {name} of a track read {', '.join(map(str, linear.terms))}")
                total = total + Symbol.named(f"delta_{name}_{number}") * linear.constant
        return total

    def lookup_scalars(self) -> list[Symbol]:
        """The scalar of each lookup column of a track: Z_there (delta^i keys - delta^sum theta)."""
        found = []
        for number, linear in enumerate(self.family("lookups")):
            if set(linear.terms) != {(f"lookup_{number}", 0)}:
                raise UnsupportedShape(f"lookup {number} reads {', '.join(map(str, linear.terms))}")
            own = linear.terms[(f"lookup_{number}", 0)]
            found.append(Symbol.named("there") * (Symbol.named(f"delta_lookups_{number}") * own - Symbol.named("theta_sum")))
        return found

    def lane(self) -> Symbol:
        return lifted(self._on_track(lane(0), 0).constant)

    def activation(self, activation: Activation) -> Symbol:
        """What a layer with this activation hands on from a lane."""
        circuit = self.plan.circuit
        layer = circuit.activations.index(activation) + 1
        reader = SharedRows(circuit, layer) if isinstance(circuit, SharedCircuit) else Dense(circuit, layer)
        return lifted(self._on_track(reader.activation(0), 0).constant)

    # all tracks

    def whole(self, name: str) -> Linear[Symbol]:
        """The constraint `fold`, `lookup_table` or `sum` with `lanes` for what it makes of all lanes.

        In `sum` only the lane that holds the largest logit is left: reads and winners are the loops'.
        """
        circuit = self.plan.circuit
        stated = {(f"{column}{track}", 0): ZERO for track in range(circuit.tracks) for column in self._lane_and_more}
        stated[(f"low{LARGEST_TRACK}", 0)] = Symbol.named("largest_lane" if name == "sum" else "lanes")
        stated |= {(name, 0): Symbol.named(name) for name in ("lookup_table", *self.plan.correlations)} | hidden.opened(circuit)

        def public(called: str) -> Symbol:
            return ZERO if called.startswith("winner") else Symbol.named(called)

        world = OpenedCells(Lookup(public), Lookup(Symbol.named), stated)
        found = constraint(circuit, name).expression.evaluate(world)
        return Linear(lifted(found.constant), {cell: lifted(value) for cell, value in found.terms.items()})

    @property
    def _lane_and_more(self) -> tuple[str, ...]:
        return (*self.plan.lane_columns, *self.plan.rational_columns)

    def check_sum(self) -> None:
        """That rows and lookups enter the sum as the loops take them to. Raises `UnsupportedShape`."""
        circuit, minus = self.plan.circuit, Symbol.of({("theta",): -1})
        terms = self.whole("sum").terms
        lookups = {cell: value for cell, value in terms.items() if cell[0].startswith("lookup")}
        wanted = {(f"lookup{track}_{number}", 0): minus for track in range(circuit.tracks) for number in range(self.plan.lookups)}
        wanted |= {(name, 0): minus for name in hidden.lookups(circuit)}
        rows = {cell[0] for cell in terms if cell[0].startswith(MODEL_COLUMNS)}
        if lookups != wanted or rows != {column.name for column in circuit.row_columns}:
            raise UnsupportedShape("the sum reads lookups or rows that the contract does not weigh")
        if isinstance(circuit, ReplicaCircuit):
            self._check_joined(circuit)
            return
        if isinstance(circuit, SharedCircuit):
            self._check_shared(circuit)
            return
        if isinstance(circuit, ConvCircuit):
            self._check_kernels(circuit)
        for layer in self.plan.dense_layers:
            dense = Dense(circuit, layer)
            world = OpenedCells(Lookup(Symbol.named), Lookup(Symbol.named), {
                (f"{name}{track}", 0): Symbol.named(f"{name}{track}") for track in range(circuit.tracks) for name in self._lane_and_more
            } | hidden.opened(circuit) | {(name, 0): Symbol.named(name) for name in self.plan.correlations})
            total = constraint(circuit, "sum").expression.evaluate(world)
            for number, track in enumerate(circuit.tracks_of(layer - 1)):
                read = dense.activation(track).evaluate(world).constant * Symbol.named(f"reads{layer}_{track}")
                read = read if number else read + Symbol.named("bias")
                if lifted(total.terms[(f"rows{layer}_{track}", 0)]) != lifted(read):
                    raise UnsupportedShape(f"the rows of layer {layer} on track {track} are not what the contract weighs")

    def _check_joined(self, circuit: ReplicaCircuit) -> None:
        """That joined rows are read as the contract takes them to be, and weighed by the same powers of alpha."""
        world = OpenedCells(Lookup(Symbol.named), Lookup(Symbol.named), {
            (f"{name}{track}", 0): Symbol.named(f"{name}{track}") for track in range(circuit.tracks) for name in self._lane_and_more
        })
        total, joined = constraint(circuit, "sum").expression.evaluate(world), self.plan.joined
        for name, place in circuit.joined_rows.items():
            read = ZERO
            for kind in joined.kinds_on(*place):
                reader = Dense(circuit, circuit.activations.index(kinds(circuit)[kind]) + 1)
                read = read + reader.activation(place[0]).evaluate(world).constant * Symbol.named(reads(kind, *place))
            read = read + Symbol.named(bias(*place)) if joined.biases_on(*place) else read
            if lifted(total.terms[(name, 0)]) != lifted(read):
                raise UnsupportedShape(f"the row {name} is not what the contract weighs")

    def _check_kernels(self, circuit: ConvCircuit) -> None:
        """That kernels meet the image and the stated columns, and the late check what the contract makes of lanes. Raises
        `UnsupportedShape`."""
        total = self.whole("sum")
        for layer in (layer for layer in range(circuit.layers) if circuit.is_convolution(layer)):
            for piece in circuit.pieces(layer):
                met = Symbol.named(correlation(layer, piece) if layer else patches(piece, 0))
                if lifted(total.terms[(kernel_rows(layer, piece), 0)]) != met:
                    raise UnsupportedShape(f"the kernels of layer {layer} do not meet what the contract weighs")
        names = (*self.plan.lane_columns, *self.plan.rational_columns)
        stated = {(f"{name}{track}", 0): Symbol.named(f"{name}{track}") for track in range(circuit.tracks) for name in names}
        stated |= {(name, 0): Symbol.named(name) for name in self.plan.correlations}
        world = OpenedCells(Lookup(Symbol.named), Lookup(Symbol.named), stated)
        read = lifted(Correlations(circuit).read().evaluate(world).constant)
        wanted = ZERO
        for index, name in enumerate(self.plan.correlations):
            wanted = wanted + Symbol.named(f"power{index}") * Symbol.named(name)
        wanted = wanted * Symbol.named("powers") - Symbol.named("correlation_bias")
        taken, activations = ZERO, {one.tag: one for one in circuit.activations}
        for track, tag in read_tracks(circuit):
            taken = taken + Symbol.named(f"taps{track}_{tag}") * handed_on(activations[tag], track).evaluate(world).constant
        if read != wanted - taken:
            raise UnsupportedShape("the check of what hidden kernels meet is not what the contract weighs")

    def _check_shared(self, circuit: SharedCircuit) -> None:
        """That rows meet the one stated column, and that its check is what the contract makes of lanes. Raises `UnsupportedShape`."""
        met = Symbol.named(MET)
        if lifted(self.whole("sum").terms[(ROWS, 0)]) != met:
            raise UnsupportedShape("shared rows do not meet what the contract weighs")
        names = (*self.plan.lane_columns, *self.plan.rational_columns)
        stated = {(f"{name}{track}", 0): Symbol.named(f"{name}{track}") for track in range(circuit.tracks) for name in names}
        world = OpenedCells(Lookup(Symbol.named), Lookup(Symbol.named), stated | {(MET, 0): met})
        wanted = met * Symbol.named("powers") - Symbol.named("public_part")
        for track in range(circuit.last_track):
            wanted = wanted - Symbol.named(f"taps{track}") * byte_of(track).evaluate(world).constant
        read = ZERO
        for layer in range(FIRST_DENSE, circuit.layers):
            read = read + Symbol.named(shared_reads(layer)) * Symbol.named(geometric(layer))
        wanted = wanted - read * byte_of(circuit.last_track).evaluate(world).constant
        if lifted(self.plan.gadget(Met).read().evaluate(world).constant) != wanted:
            raise UnsupportedShape("the check of what shared rows meet is not what the contract weighs")

    # public polynomials

    def pole(self, row: int) -> Symbol:
        """(rho^n - 1)/n / (rho/w^row - 1): the polynomial that is 1 on one row."""
        if row not in self.poles:
            self.poles.append(row)
        return Symbol.named("vanishing") * Symbol.named(inverse_name(f"pole_{row}_bottom")) * inverse(self.plan.circuit.domain)

    def part(self, polynomial: Periodic[Any]) -> Symbol:
        """A part of a selector, from its words."""
        n = self.plan.circuit.domain
        if polynomial.period == n and list(polynomial.values.values()) == [1]:
            return self.pole(next(iter(polynomial.values)))
        name = self.plan.parts.name(polynomial)
        if is_complement(polynomial):
            return ONE - self.rows_of(complement(polynomial))
        top, bottom = Symbol.named(f"{name}_top"), Symbol.named(inverse_name(f"{name}_bottom"))
        return top * bottom * Symbol.named("vanishing") * inverse(polynomial.period)

    def rows_of(self, polynomial: Periodic[Any]) -> Symbol:
        """A periodic polynomial with few values: sum over them of 1/p (rho^n - 1)/(y/w^j - 1), by single poles of y = rho^(n/p)."""
        total = ZERO
        for row, value in polynomial.values.items():
            total = total + Symbol.named(inverse_name(self.node(polynomial.period, row))) * value
        return total * Symbol.named("vanishing") * inverse(polynomial.period)

    def node(self, period: int, row: int) -> str:
        """The name of the pole y/w^row - 1 for y = rho^(n/period)."""
        row %= period
        key = (period, row)
        if key not in self.nodes:
            self.nodes.append(key)
        return f"node_{period}_{row}_bottom"

    def selector(self, name: str) -> Symbol:
        """A selector at rho."""
        found, n = self.plan.selectors[name], self.plan.circuit.domain
        if isinstance(found, Constant):
            return lifted(found.value)
        if isinstance(found, Patches):
            total = ZERO
            for one in found.parts:
                total = total + self.part(one)
            return total
        few = sparse(found, n)
        if few is not None:
            return few
        if found.period == n and list(found.values.values()) == [1]:
            return self.pole(next(iter(found.values)))
        return self.rows_of(found)


def sparse(polynomial: Periodic[Any], domain: int) -> Symbol | None:
    """The polynomial in y = rho^(n/p), when its values are numbers and it has few coefficients."""
    p = polynomial.period
    if p > 16:
        return None
    values = [polynomial.values.get(row, 0) for row in range(p)]
    if sum(map(bool, values)) == 1 and 1 in values:
        return indicator(Periodic(p, {values.index(1): 1}), domain)
    root = root_of_unity(p)
    coefficients = [sum(v * pow(root, -row * k, MODULUS) for row, v in enumerate(values)) * inverse(p) % MODULUS for k in range(p)]
    if sum(map(bool, coefficients)) > MAX_TERMS:
        return None
    total = ZERO
    for k, coefficient in enumerate(coefficients):
        if coefficient:
            total = total + rho_to(k * (domain // p)) * coefficient
    return total


def is_complement(polynomial: Periodic[Any]) -> bool:
    """Whether a part has the value 1 on more rows of its period than not."""
    return 2 * len(polynomial.values) > polynomial.period


def complement(polynomial: Periodic[Any]) -> Periodic[Any]:
    """1 where the part is 0."""
    return Periodic(polynomial.period, {row: 1 for row in range(polynomial.period) if row not in polynomial.values})


@dataclass(frozen=True)
class Ladder:
    """Rows `first`, `first + pitch`, ... of a period, `count` of them: poles that one loop goes through."""

    period: int
    first: int
    pitch: int
    count: int

    @classmethod
    def of(cls, polynomial: Periodic[Any]) -> Ladder:
        """Raises `UnsupportedShape` unless the values are 1 on evenly spaced rows."""
        rows = sorted(polynomial.values)
        pitch = rows[1] - rows[0] if len(rows) > 1 else 1
        if set(polynomial.values.values()) != {1} or rows != [rows[0] + pitch * i for i in range(len(rows))]:
            raise UnsupportedShape(f"a layer lies on the rows {rows} of {polynomial.period}")
        return cls(polynomial.period, rows[0], pitch, len(rows))
