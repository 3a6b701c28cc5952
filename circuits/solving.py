"""A column from the constraint that defines it: the constraint is linear in the column, so it can be solved row by row.

    constant + here X + there X(next) = 0        X(next) = -(constant + here X) / there, or X = -constant / here

Running sums, running pack values and inverses of the lookup all come out of this, in the vectors of whoever asks.
"""

from __future__ import annotations

from typing import Any, Protocol

from zkpredict.circuits.expression import Environment, Expression
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.records import dataclass


class Rows(Environment, Protocol):
    """An `Environment` of vectors over the rows of the domain. Plain ints may stand for vectors of one value."""

    def reciprocal(self, values: Any) -> Any:
        """Every entry's inverse. Raises `ZeroDivisionError` when one is zero."""


@dataclass(frozen=True)
class Recurrence:
    """X(next) = factor X + increment on every row; `factor` None says X = increment."""

    factor: Any
    increment: Any


def recurrence(column: str, expression: Expression, rows: Rows) -> Recurrence:
    """Solves a constraint for `column`. Raises `ValueError` when it is not linear in it, or does not have it."""
    found = expression.evaluate(_Unknown(column, rows))
    if not isinstance(found, _Affine):
        raise ValueError(f"the constraint that should define {column} does not read it")
    constant = rows.constant(0) if found.constant is None else found.constant
    if found.there is None:
        return Recurrence(None, _negated(constant) if _is_one(found.here) else _negated(constant) * rows.reciprocal(found.here))
    here = rows.constant(0) if found.here is None else found.here
    if _is_one(found.there):
        return Recurrence(_negated(here), _negated(constant))
    scale = rows.reciprocal(found.there)
    return Recurrence(_negated(here) * scale, _negated(constant) * scale)


def _is_one(value: Any) -> bool:
    return isinstance(value, int) and value == 1


@dataclass(frozen=True)
class _Affine:
    """constant + here X + there X(next); None stands for zero."""

    constant: Any
    here: Any
    there: Any

    __array_ufunc__ = None
    """numpy's arrays, left of an operator, leave it to this class."""

    def __add__(self, other: Any) -> _Affine:
        other = _lift(other)
        parts = zip((self.constant, self.here, self.there), (other.constant, other.here, other.there), strict=True)
        return _Affine(*(one if two is None else two if one is None else one + two for one, two in parts))

    __radd__ = __add__

    def __sub__(self, other: Any) -> _Affine:
        return self + -_lift(other)

    def __rsub__(self, other: Any) -> _Affine:
        return _lift(other) + -self

    def __neg__(self) -> _Affine:
        return _Affine(*(None if part is None else _negated(part) for part in (self.constant, self.here, self.there)))

    def __mul__(self, other: Any) -> _Affine:
        if isinstance(other, _Affine):
            raise ValueError("a constraint is not linear in the column that it defines")
        return self.scaled(other)

    __rmul__ = __mul__

    def scaled(self, factor: Any) -> _Affine:
        return _Affine(*(None if part is None else _times(part, factor) for part in (self.constant, self.here, self.there)))


def _times(part: Any, factor: Any) -> Any:
    return factor if _is_one(part) else part * factor


def _negated(part: Any) -> Any:
    return -part % MODULUS if isinstance(part, int) else -part


def _lift(value: Any) -> _Affine:
    return value if isinstance(value, _Affine) else _Affine(value, None, None)


@dataclass(frozen=True)
class _Unknown:
    """The world of `rows`, in which one column is unknown."""

    column: str
    rows: Rows

    def constant(self, value: int) -> Any:
        return self.rows.constant(value)

    def cell(self, column: str, rotation: int) -> Any:
        if column != self.column:
            return self.rows.cell(column, rotation)
        if rotation not in (0, 1):
            raise ValueError(f"the constraint that defines {column} reads it at rotation {rotation}")
        return _Affine(None, None, 1) if rotation else _Affine(None, 1, None)

    def public(self, name: str) -> Any:
        return self.rows.public(name)

    def challenge(self, name: str) -> Any:
        return self.rows.challenge(name)
