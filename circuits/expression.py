"""Constraints as expressions, written once and evaluated in every world that needs them.

A constraint is a tree over cells of committed columns, public polynomials and challenges. `evaluate(environment)` folds it with
whatever the environment returns: rows of the witness (debug checker), vectors over a coset (prover), field elements and
commitments (verifiers), or source text (contract generator).
"""

from __future__ import annotations

from typing import Any, Protocol

from zkpredict.circuits.records import dataclass


SHIFTED = 1 << 16
"""The rotation that is none: the column at X/shift, where `shift` is a challenge."""


class Environment(Protocol):
    """The meaning of the leaves. Returned values must support `+`, `-` and `*` among themselves."""

    def constant(self, value: int) -> Any: ...

    def cell(self, column: str, rotation: int) -> Any: ...

    def public(self, name: str) -> Any: ...

    def challenge(self, name: str) -> Any: ...


class Expression:
    """Base of all nodes; ints mix in as constants."""

    def evaluate(self, environment: Environment) -> Any:
        raise NotImplementedError

    def __add__(self, other: Expression | int) -> Expression:
        return Sum(self, _lift(other))

    def __radd__(self, other: int) -> Expression:
        return Sum(_lift(other), self)

    def __sub__(self, other: Expression | int) -> Expression:
        return Difference(self, _lift(other))

    def __rsub__(self, other: int) -> Expression:
        return Difference(_lift(other), self)

    def __mul__(self, other: Expression | int) -> Expression:
        return Product(self, _lift(other))

    def __rmul__(self, other: int) -> Expression:
        return Product(_lift(other), self)


@dataclass(frozen=True)
class Constant(Expression):
    value: int

    def evaluate(self, environment: Environment) -> Any:
        return environment.constant(self.value)


@dataclass(frozen=True)
class Cell(Expression):
    """The committed `column` at this row (rotation 0) or the next one (rotation 1), or as a polynomial at X/shift (`SHIFTED`)."""

    column: str
    rotation: int = 0

    def evaluate(self, environment: Environment) -> Any:
        return environment.cell(self.column, self.rotation)

    @property
    def next(self) -> Cell:
        return Cell(self.column, self.rotation + 1)

    @property
    def shifted(self) -> Cell:
        return Cell(self.column, SHIFTED)


def shifted_name(column: str) -> str:
    """What the values of a column at X/shift are called."""
    return f"{column}_shifted"


@dataclass(frozen=True)
class Public(Expression):
    """A polynomial the verifier evaluates by itself: a selector, the read-out, the image."""

    name: str

    def evaluate(self, environment: Environment) -> Any:
        return environment.public(self.name)


@dataclass(frozen=True)
class Challenge(Expression):
    name: str

    def evaluate(self, environment: Environment) -> Any:
        return environment.challenge(self.name)


@dataclass(frozen=True)
class Sum(Expression):
    left: Expression
    right: Expression

    def evaluate(self, environment: Environment) -> Any:
        return self.left.evaluate(environment) + self.right.evaluate(environment)


@dataclass(frozen=True)
class Difference(Expression):
    left: Expression
    right: Expression

    def evaluate(self, environment: Environment) -> Any:
        return self.left.evaluate(environment) - self.right.evaluate(environment)


@dataclass(frozen=True)
class Product(Expression):
    left: Expression
    right: Expression

    def evaluate(self, environment: Environment) -> Any:
        return self.left.evaluate(environment) * self.right.evaluate(environment)


def _lift(value: Expression | int) -> Expression:
    return value if isinstance(value, Expression) else Constant(value)
