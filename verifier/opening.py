"""From the constraint list to one opening: linearisation, then the multi-point fold of BDFG20 (ePrint 2020/081, section 4).

Given the stated values, the combined constraint at rho is linear in what is left: columns at omega^k rho for the rotations k that
constraints read, and a constant. With N_k the sum of the columns read at rotation k, each with its coefficient, the identity says

    sum_k N_k(omega^k rho) + constant = 0

The prover states N_k(omega^k rho) for every k but 0 (`linearised_next`, ...). What must open is each N_k at its point, N_0 to what is
left, and each column with stated values at the points where they are stated: the claims of the circuit's form.

A column T = sum_j X^j t_j(X^m) whose components t_j are stated at 1/rho has another claim (fflonk, ePrint 2021/1167, section 4):

    T - sum_j t_j(1/rho) X^j   is divisible by   rho X^m - 1
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Generic, Protocol, TypeVar

from zkpredict.circuits.columns import ROOTS, CellName, Claim, Form, component_names, linearised_name, scalar_name
from zkpredict.circuits.constraints import evaluate_publics, stated_publics, total_constraint
from zkpredict.circuits.expression import SHIFTED
from zkpredict.circuits.field import MODULUS, S, inverse, power, root_of_unity
from zkpredict.circuits.placement import AnyCircuit, form
from zkpredict.circuits.records import dataclass, field
from zkpredict.circuits.statement import Statement


V = TypeVar("V")
V_co = TypeVar("V_co", covariant=True)


class Named(Protocol[V_co]):
    """Values by name."""

    def __getitem__(self, name: str, /) -> V_co: ...


@dataclass(frozen=True)
class Linear(Generic[S]):
    """`constant + sum coefficient * cell`, over the field. Products need one side without cells."""

    constant: S | int
    terms: Mapping[CellName, S | int] = field(default_factory=dict)

    def __add__(self, other: Linear[S]) -> Linear[S]:
        terms = dict(self.terms)
        for cell, coefficient in other.terms.items():
            terms[cell] = (terms.get(cell, 0) + coefficient) % MODULUS
        return Linear((self.constant + other.constant) % MODULUS, terms)

    def __sub__(self, other: Linear[S]) -> Linear[S]:
        return self + other.scaled(MODULUS - 1)

    def __mul__(self, other: Linear[S]) -> Linear[S]:
        if self.terms and other.terms:
            raise ValueError(f"constraint is not linear in unopened cells {sorted(self.terms)} and {sorted(other.terms)}")
        return self.scaled(other.constant) if self.terms else other.scaled(self.constant)

    def scaled(self, factor: S | int) -> Linear[S]:
        """Every coefficient times `factor`."""
        terms = {cell: coefficient * factor % MODULUS for cell, coefficient in self.terms.items()}
        return Linear(self.constant * factor % MODULUS, terms)


@dataclass(frozen=True)
class OpenedCells(Generic[S]):
    """An `Environment` in which stated cells are numbers and all others stay symbols."""

    publics: Named[S | int]
    challenges: Named[S | int]
    stated: Mapping[CellName, S | int]

    def constant(self, value: int) -> Linear[S]:
        return Linear(value % MODULUS)

    def cell(self, column: str, rotation: int) -> Linear[S]:
        value = self.stated.get((column, rotation))
        return Linear(0, {(column, rotation): 1}) if value is None else Linear(value)

    def public(self, name: str) -> Linear[S]:
        return Linear(self.publics[name])

    def challenge(self, name: str) -> Linear[S]:
        return Linear(self.challenges[name])


@dataclass(frozen=True)
class Linearisation(Generic[S]):
    """The combined constraint at rho: `sum over rotations k and columns c of at[k][c] c(omega^k rho), + constant`."""

    at: Mapping[int, Mapping[str, S | int]]
    constant: S | int

    @classmethod
    def of(cls, form: Form, total: Linear[S]) -> Linearisation[S]:
        """Sorts the terms of the combined constraint by rotation. Raises `ValueError` for a rotation that the form does not have."""
        at: dict[int, dict[str, S | int]] = {rotation: {} for rotation in form.rotations}
        for (column, rotation), coefficient in total.terms.items():
            if rotation not in at:
                raise ValueError(f"the constraints read {column} at rotation {rotation}, proofs are opened at {form.rotations} only")
            at[rotation][column] = coefficient
        return cls(at, total.constant)


def stated_cells(form: Form, scalars: Mapping[str, V]) -> dict[CellName, V]:
    """The stated values of cells, from a proof's scalars."""
    return {cell: scalars[scalar_name(cell)] for cell in form.stated}


def linearise(
    circuit: AnyCircuit, statement: Statement, challenges: Mapping[str, int], scalars: Mapping[str, int]
) -> Linearisation[int]:
    """Evaluates the combined constraint at rho with the stated cells filled in."""
    publics = evaluate_publics(circuit, statement, challenges["alpha"], challenges["rho"], challenges)
    publics |= stated_publics(circuit, scalars, challenges)
    shape = form(circuit)
    world: OpenedCells[int] = OpenedCells(publics, challenges, stated_cells(shape, scalars))
    return Linearisation.of(shape, total_constraint(circuit, world))


@dataclass(frozen=True)
class Fold(Generic[S]):
    """The final claim: `sum columns[c] c + opening W` takes `value` at zeta."""

    columns: Mapping[str, S | int]
    opening: S | int
    value: S | int


def fold(
    circuit: AnyCircuit, linearisation: Linearisation[S], scalars: Mapping[str, S | int], challenges: Mapping[str, S | int]
) -> Fold[S]:
    """BDFG20: L = sum_i nu^i Z_i (C_i - r_i(zeta)) - Z W at zeta.

    Z is the product of zeta - point over all points omega^k rho, and of rho zeta^m - 1 where components are stated; Z_i is that of
    those that claim i says nothing about, and r_i goes through what claim i states. Z_i times what claim i says something about is Z
    itself, so L = 0 says of every claim that it is divisible, whether points meet or not. Raises `ValueError` when a stated cell is in
    no claim.
    """
    shape, nu, zeta = form(circuit), challenges["nu"], challenges["zeta"]
    points = {k: opening_point(circuit, k, challenges) for k in shape.rotations}
    distances = {k: (zeta - point) % MODULUS for k, point in points.items()}
    for count in set(shape.components.values()):
        distances[ROOTS] = (challenges["rho"] * power(zeta, count) - 1) % MODULUS
    stated = stated_cells(shape, scalars)
    folded = {(claim.column, k) for claim in shape.claims if claim.column is not None for k in claim.points if k != ROOTS}
    if folded != set(stated) or set(linearisation.at) != set(points):
        raise ValueError(f"stated cells {sorted(stated)} are not those of the claims, {sorted(folded)}")

    columns: dict[str, S | int] = {}
    total: S | int = 0
    weight: S | int = 1
    for at, claims in groupby(shape.claims, key=lambda claim: claim.points):
        beside = _product(distance for k, distance in distances.items() if k not in at)
        value: S | int = 0
        for claim in claims:
            terms: Mapping[str, S | int] = linearisation.at[at[0]] if claim.column is None else {claim.column: 1}
            for column, coefficient in terms.items():
                columns[column] = (columns.get(column, 0) + weight * beside * coefficient) % MODULUS
            if at == (ROOTS,):
                left = remainder(shape, claim, scalars, zeta)
            elif claim.column is None:
                left = _linearised(shape, linearisation.constant, scalars, at[0])
            else:
                values = tuple(stated[claim.column, k] for k in at)
                left = _interpolated([points[k] for k in at], values, [distances[k] for k in at])
            value = value + weight * left
            weight = weight * nu % MODULUS
        total = total + beside * value
    return Fold(columns, -_product(distances.values()) % MODULUS, total % MODULUS)


def opening_point(circuit: AnyCircuit, rotation: int, challenges: Mapping[str, S]) -> S:
    """Where columns read at a rotation are opened: omega^rotation rho, or sigma = rho/shift for what is read at X/shift."""
    if rotation == SHIFTED:
        return challenges["sigma"]
    return challenges["rho"] * pow(root_of_unity(circuit.domain), rotation, MODULUS) % MODULUS if rotation else challenges["rho"]


def remainder(shape: Form, claim: Claim, scalars: Mapping[str, S | int], zeta: S | int) -> S | int:
    """sum_j t_j(1/rho) zeta^j: what is left of a column modulo rho X^m - 1, at zeta."""
    (column,) = (one for one in shape.columns if one.name == claim.column)
    total: S | int = 0
    for name in reversed(component_names(column)):
        total = scalars[name] + total * zeta
    return total


def _linearised(shape: Form, constant: S | int, scalars: Mapping[str, S | int], rotation: int) -> S | int:
    """What the linearisation's share at a rotation must be: stated, or at rho what is left for the identity to hold."""
    if rotation:
        return scalars[linearised_name(rotation)]
    return -(constant + sum(scalars[linearised_name(k)] for k in shape.rotations[1:]))


def _interpolated(points: list[S | int], values: tuple[S | int, ...], distances: list[S | int]) -> S | int:
    """The polynomial through `values` at `points`, at zeta (whose distance to each point is given): Newton's divided differences."""
    differences = list(values)
    for order in range(1, len(points)):
        for k in range(len(points) - 1, order - 1, -1):
            differences[k] = (differences[k] - differences[k - 1]) * inverse(points[k] - points[k - order])
    result = differences[-1]
    for difference, distance in zip(reversed(differences[:-1]), reversed(distances[:-1]), strict=True):
        result = difference + result * distance
    return result


def _product(factors: Iterable[S | int]) -> S | int:
    result: S | int = 1
    for factor in factors:
        result = result * factor
    return result
