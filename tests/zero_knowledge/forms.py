"""What a proof shows, as linear forms: in the blinders of its columns, the values of its columns, and the rows of the model.

Given the challenges, and given to the adversary for free whatever is published or follows from it (the columns and rows at tau,
the stated values), everything a proof shows is linear in what is secret:

    c(z) = sum_i value_i L_i(z) + (z^n - 1) sum_k blinder_k z^k

for each column c at tau, w tau, rho and w rho. The quotient at tau is the combined constraint there over tau^n - 1, linear in the
columns at w tau. `opening` and `final` follow from the rest, `table` is public.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trapdoor import TABLE_COEFFICIENTS, blinding_factor

from zkpredict.circuits.constraints import evaluate_publics, total_constraint
from zkpredict.circuits.field import MODULUS, inverse, root_of_unity
from zkpredict.circuits.layout import Circuit
from zkpredict.circuits.columns import linearised_name, scalar_name
from zkpredict.circuits.placement import COMPACT_FORM, QUOTIENT
from zkpredict.circuits.statement import Statement
from zkpredict.verifier.opening import Linear, linearise

COLUMNS = tuple(column.name for column in COMPACT_FORM.proof_columns if column != QUOTIENT)
Form = tuple[int, dict[tuple[str, int], int]]
"""A constant, and a coefficient for each (column, point): a linear combination of values of columns."""


@dataclass(frozen=True)
class AtTau:
    """An `Environment` in which this row's cells are known numbers (everything at tau) and the next row's are symbols."""

    publics: Mapping[str, int]
    challenges: Mapping[str, int]
    known: Mapping[str, int]

    def constant(self, value: int) -> Linear:
        return Linear(value % MODULUS)

    def cell(self, column: str, rotation: int) -> Linear:
        if rotation or column == "quotient":
            return Linear(0, {(column, rotation): 1})
        return Linear(self.known[column])

    def public(self, name: str) -> Linear:
        return Linear(self.publics[name])

    def challenge(self, name: str) -> Linear:
        return Linear(self.challenges[name])


@dataclass(frozen=True)
class Shown:
    """One proof as its adversary sees it: `at_tau` holds the five columns and the combined rows at tau."""

    circuit: Circuit
    statement: Statement
    tau: int
    challenges: Mapping[str, int]
    scalars: Mapping[str, int]
    at_tau: Mapping[str, int]

    def forms(self) -> dict[str, Form]:
        """Every value that the proof shows, by name."""
        here, root = self.challenges["rho"], root_of_unity(self.circuit.domain)
        at = {k: here * pow(root, k, MODULUS) % MODULUS for k in COMPACT_FORM.rotations}
        shown: dict[str, Form] = {f"[{name}]": (0, {(name, self.tau): 1}) for name in COLUMNS}
        shown["[quotient]"] = self._quotient()
        shown |= {scalar_name((name, k)): (0, {(name, at[k]): 1}) for name, k in COMPACT_FORM.stated if name != "table"}
        linear = linearise(self.circuit, self.statement, self.challenges, self.scalars)
        for k in COMPACT_FORM.rotations[1:]:
            shown[linearised_name(k)] = (0, {(name, at[k]): c for name, c in linear.at[k].items()})
        return shown

    def _quotient(self) -> Form:
        """t(tau) = (everything else in the combined constraint at tau) / (tau^n - 1)."""
        publics = evaluate_publics(self.circuit, self.statement, self.challenges["alpha"], self.tau)
        known = self.at_tau | {"table": TABLE_COEFFICIENTS.evaluate(self.tau)}
        total = total_constraint(self.circuit, AtTau(publics, self.challenges, known))
        scale = inverse(blinding_factor(self.tau, self.circuit))
        following = self.tau * root_of_unity(self.circuit.domain) % MODULUS
        terms = {(column, following): c * scale % MODULUS for (column, rotation), c in total.terms.items() if rotation}
        return total.constant * scale % MODULUS, terms


def blinder_row(form: Form, circuit: Circuit, blinders: int) -> list[int]:
    """Coefficients of a form in the blinders: `blinders` for each column."""
    row = [0] * (len(COLUMNS) * blinders)
    for (column, point), coefficient in form[1].items():
        factor = coefficient * blinding_factor(point, circuit) % MODULUS
        start = COLUMNS.index(column) * blinders
        for k in range(blinders):
            row[start + k] = (row[start + k] + factor * pow(point, k, MODULUS)) % MODULUS
    return row


def rank(rows: Sequence[Sequence[int]]) -> int:
    """Rank over the field, by elimination."""
    matrix, found = [list(row) for row in rows], 0
    for column in range(len(matrix[0]) if matrix else 0):
        pivot = next((r for r in range(found, len(matrix)) if matrix[r][column]), None)
        if pivot is None:
            continue
        matrix[found], matrix[pivot] = matrix[pivot], matrix[found]
        scale = inverse(matrix[found][column])
        lead = [entry * scale % MODULUS for entry in matrix[found]]
        for r in range(found + 1, len(matrix)):
            factor = matrix[r][column]
            if factor:
                matrix[r] = [(a - factor * b) % MODULUS for a, b in zip(matrix[r], lead)]
        found += 1
    return found


def solve(rows: Sequence[Sequence[int]], values: Sequence[int]) -> list[int]:
    """The one solution of a system of full column rank; `ValueError` when there is none or more than one."""
    width = len(rows[0])
    matrix = [[*row, value] for row, value in zip(rows, values)]
    for column in range(width):
        pivot = next((r for r in range(column, len(matrix)) if matrix[r][column]), None)
        if pivot is None:
            raise ValueError(f"unknown {column} is not determined")
        matrix[column], matrix[pivot] = matrix[pivot], matrix[column]
        scale = inverse(matrix[column][column])
        matrix[column] = [entry * scale % MODULUS for entry in matrix[column]]
        for r in range(len(matrix)):
            factor = matrix[r][column]
            if r != column and factor:
                matrix[r] = [(a - factor * b) % MODULUS for a, b in zip(matrix[r], matrix[column])]
    if any(row[width] for row in matrix[width:]):
        raise ValueError("the equations contradict each other")
    return [row[width] for row in matrix[:width]]
