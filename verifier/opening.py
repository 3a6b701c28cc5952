"""From the constraint list to one opening: linearisation, then the multi-point fold of BDFG20 (ePrint 2020/081, section 4).

Given the stated evaluations, the combined constraint at rho is linear in what is left: some columns at rho, some at omega rho,
and a constant. So the identity says

    N(rho) + M(omega rho) + constant = 0      N = sum of columns with coefficients `here`, M with coefficients `there`

The prover states M(omega rho) (`linearised_next`), and what must open is, with S = {rho, omega rho}:

    at rho         : N = -(constant + linearised_next),  limb,  table
    at S           : cell
    at omega rho   : M = linearised_next
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from zkpredict.circuits.constraints import evaluate_publics, total_constraint
from zkpredict.circuits.field import MODULUS, inverse, root_of_unity
from zkpredict.circuits.layout import Circuit
from zkpredict.verifier.messages import Evaluations


@dataclass(frozen=True)
class Linear:
    """`constant + sum coefficient * cell`, over the field. Products need one side without cells."""

    constant: int
    terms: Mapping[tuple[str, int], int] = field(default_factory=dict)

    def __add__(self, other: Linear) -> Linear:
        terms = dict(self.terms)
        for cell, coefficient in other.terms.items():
            terms[cell] = (terms.get(cell, 0) + coefficient) % MODULUS
        return Linear((self.constant + other.constant) % MODULUS, terms)

    def __sub__(self, other: Linear) -> Linear:
        return self + other.scaled(MODULUS - 1)

    def __mul__(self, other: Linear) -> Linear:
        if self.terms and other.terms:
            raise ValueError(f"constraint is not linear in unopened cells {sorted(self.terms)} and {sorted(other.terms)}")
        return self.scaled(other.constant) if self.terms else other.scaled(self.constant)

    def scaled(self, factor: int) -> Linear:
        """Every coefficient times `factor`."""
        terms = {cell: coefficient * factor % MODULUS for cell, coefficient in self.terms.items()}
        return Linear(self.constant * factor % MODULUS, terms)


@dataclass(frozen=True)
class ConstraintChallenges:
    """The challenges of rounds 1 to 3."""

    alpha: int
    beta: int
    delta: int
    rho: int


@dataclass(frozen=True)
class OpenedCells:
    """An `Environment` in which stated cells are numbers and all others stay symbols."""

    publics: Mapping[str, int]
    challenges: ConstraintChallenges
    evaluations: Evaluations

    def constant(self, value: int) -> Linear:
        return Linear(value % MODULUS)

    def cell(self, column: str, rotation: int) -> Linear:
        value = self.evaluations.of_cell(column, rotation)
        return Linear(0, {(column, rotation): 1}) if value is None else Linear(value)

    def public(self, name: str) -> Linear:
        return Linear(self.publics[name])

    def challenge(self, name: str) -> Linear:
        return Linear(getattr(self.challenges, name))


@dataclass(frozen=True)
class Linearisation:
    """The combined constraint at rho: `sum here[c] c(rho) + sum there[c] c(omega rho) + constant`."""

    here: Mapping[str, int]
    there: Mapping[str, int]
    constant: int

    @classmethod
    def of(cls, total: Linear) -> Linearisation:
        """Sorts the terms of the combined constraint by where their cell is: rotation 0 or 1."""
        here = {column: coefficient for (column, rotation), coefficient in total.terms.items() if rotation == 0}
        there = {column: coefficient for (column, rotation), coefficient in total.terms.items() if rotation == 1}
        return cls(here, there, total.constant)


def linearise(
    circuit: Circuit, image: bytes, digit: int, challenges: ConstraintChallenges, evaluations: Evaluations
) -> Linearisation:
    """Evaluates the combined constraint at rho with the stated cells filled in."""
    publics = evaluate_publics(circuit, image, digit, challenges.alpha, challenges.rho)
    return Linearisation.of(total_constraint(circuit).evaluate(OpenedCells(publics, challenges, evaluations)))


@dataclass(frozen=True)
class Fold:
    """The final claim: `sum columns[c] c + opening W` takes `value` at zeta."""

    columns: Mapping[str, int]
    opening: int
    value: int


def fold(circuit: Circuit, linearisation: Linearisation, evaluations: Evaluations, rho: int, nu: int, zeta: int) -> Fold:
    """BDFG20: L = Z_there (N + nu limb + nu^2 table - values) + nu^3 (cell - line) + nu^4 Z_here (M - value) - Z W at zeta,

    with Z_here = zeta - rho, Z_there = zeta - omega rho, Z = Z_here Z_there, and `line` through cell's two stated values.
    """
    rho_next = rho * root_of_unity(circuit.domain) % MODULUS
    z_here, z_there = (zeta - rho) % MODULUS, (zeta - rho_next) % MODULUS
    nu2, nu3, nu4 = pow(nu, 2, MODULUS), pow(nu, 3, MODULUS), pow(nu, 4, MODULUS)
    columns: dict[str, int] = {}

    def add(column: str, coefficient: int) -> None:
        columns[column] = (columns.get(column, 0) + coefficient) % MODULUS

    for column, coefficient in linearisation.here.items():
        add(column, z_there * coefficient)
    for column, coefficient in linearisation.there.items():
        add(column, nu4 * z_here * coefficient)
    add("limb", nu * z_there)
    add("table", nu2 * z_there)
    add("cell", nu3)
    slope = (evaluations.cell_next - evaluations.cell) * inverse(rho_next - rho)
    line = evaluations.cell + slope * z_here
    at_rho = -(linearisation.constant + evaluations.linearised_next) + nu * evaluations.limb + nu2 * evaluations.table
    value = z_there * at_rho + nu3 * line + nu4 * z_here * evaluations.linearised_next
    return Fold(columns, -z_here * z_there % MODULUS, value % MODULUS)
