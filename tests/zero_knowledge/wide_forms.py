"""What a proof of a wide circuit shows, as linear forms in its blinders: the pages `forms` and protocol.md, for any form of proofs.

A quotient in two pieces has random coefficients of its own, which move from one piece to the other:

    low = (lower part) + X^3072 moved,   high = (upper part) - moved,   low + X^3072 high = quotient

The lower part is no linear form, but it occurs in `low` and, with the sum, nowhere else: `moved` hides it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from forms import rank
from trapdoor import blinding_factor

from zkpredict.circuits.columns import Origin, linearised_name, scalar_name
from zkpredict.circuits.constraints import total_constraint
from zkpredict.circuits.field import MODULUS, inverse, root_of_unity
from zkpredict.circuits.placement import QUOTIENT_SPLIT, form, quotient_columns
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.verifier.opening import Linear, linearise, opening_point

MOVED = "moved"
Form = dict[tuple[str, int], int]
"""A coefficient for each (column, point)."""


@dataclass(frozen=True)
class AtTau:
    """An `Environment` at tau: this row's cells are known numbers and the next row's are symbols."""

    publics: Mapping[str, int]
    challenges: Mapping[str, int]
    known: Mapping[str, int]
    quotients: frozenset[str]

    def constant(self, value: int) -> Linear:
        return Linear(value % MODULUS)

    def cell(self, column: str, rotation: int) -> Linear:
        if rotation or column in self.quotients:
            return Linear(0, {(column, rotation): 1})
        return Linear(self.known[column])

    def public(self, name: str) -> Linear:
        return Linear(self.publics[name])

    def challenge(self, name: str) -> Linear:
        return Linear(self.challenges[name])


@dataclass(frozen=True)
class WideView:
    """One proof as its adversary sees it. `at_tau`: every column at tau; `publics`: those polynomials at tau."""

    circuit: WideCircuit
    statement: Statement
    tau: int
    challenges: Mapping[str, int]
    scalars: Mapping[str, int]
    at_tau: Mapping[str, int]
    publics: Mapping[str, int]

    @property
    def columns(self) -> list[str]:
        """What the proof commits to, but the quotient."""
        quotients = {column.name for column in quotient_columns(self.circuit)}
        return [column.name for column in form(self.circuit).proof_columns if column.name not in quotients]

    def forms(self) -> dict[str, Form]:
        """Every value that the proof shows, by name."""
        shape = form(self.circuit)
        at = {k: opening_point(self.circuit, k, self.challenges) for k in shape.rotations}
        shown: dict[str, Form] = {f"[{name}]": {(name, self.tau): 1} for name in self.columns}
        shown |= self._quotient()
        fixed = {column.name for column in shape.columns if column.origin is Origin.FIXED}
        shown |= {scalar_name((name, k)): {(name, at[k]): 1} for name, k in shape.stated if name not in fixed}
        linear = linearise(self.circuit, self.statement, self.challenges, self.scalars)
        for k in shape.rotations[1:]:
            shown[linearised_name(k)] = {(name, at[k]): c for name, c in linear.at[k].items() if self.is_blinded(name)}
        return shown

    def is_blinded(self, column: str) -> bool:
        """Whether the proof commits to a column: those of the model are the same in all proofs."""
        return any(own.name == column for own in form(self.circuit).proof_columns)

    def _quotient(self) -> dict[str, Form]:
        quotients = frozenset(column.name for column in quotient_columns(self.circuit))
        total = total_constraint(self.circuit, AtTau(self.publics, self.challenges, self.at_tau, quotients))
        scale = inverse(blinding_factor(self.tau, self.circuit))
        root = root_of_unity(self.circuit.domain)
        terms = {
            (column, self.tau * pow(root, rotation, MODULUS) % MODULUS): c * scale % MODULUS
            for (column, rotation), c in total.terms.items()
            if rotation and self.is_blinded(column)
        }
        if len(quotients) == 1:
            return {"[quotient]": terms}
        back = inverse(pow(self.tau, QUOTIENT_SPLIT, MODULUS))
        high = {place: c * back % MODULUS for place, c in terms.items()} | {(MOVED, self.tau): MODULUS - 1}
        return {"[quotient]": {(MOVED, self.tau): pow(self.tau, QUOTIENT_SPLIT, MODULUS)}, "[quotient_high]": high}


def blinder_rows(view: WideView, blinders: int | Mapping[str, int]) -> list[dict[tuple[str, int], int]]:
    """Coefficients of every shown value in the blinders (column, number); `moved` is no multiple of X^n - 1. `blinders`: how many a
    column has, or those of columns that have more or fewer than 4."""
    found = []
    each = (lambda column: blinders) if isinstance(blinders, int) else (lambda column: blinders.get(column, 4))
    for own in view.forms().values():
        row: dict[tuple[str, int], int] = {}
        for (column, point), coefficient in own.items():
            factor = coefficient * (1 if column == MOVED else blinding_factor(point, view.circuit)) % MODULUS
            for k in range(each(column)):
                row[column, k] = (row.get((column, k), 0) + factor * pow(point, k, MODULUS)) % MODULUS
        found.append(row)
    return found


def leaked(view: WideView, blinders: int | Mapping[str, int]) -> int:
    """Independent equations without blinders that one proof gives: shown values less their rank, group by group of values that share
    columns."""
    left, found = blinder_rows(view, blinders), 0
    while left:
        group, columns = [left.pop()], set()
        while True:
            columns = {column for row in group for column, _ in row}
            near = [row for row in left if {column for column, _ in row} & columns]
            if not near:
                break
            group += near
            left = [row for row in left if row not in near]
        unknowns = sorted({key for row in group for key in row})
        found += len(group) - rank([[row.get(key, 0) for key in unknowns] for row in group])
    return found


def columns_of(rows: Sequence[Mapping[tuple[str, int], int]]) -> set[str]:
    return {column for row in rows for column, _ in row}
