"""Public polynomials: what a verifier evaluates by itself, each in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from operator import mul
from typing import Generic, Protocol

from zkpredict.circuits.field import MODULUS, S, inverse, inverses, powers, root_of_unity
from zkpredict.circuits.records import dataclass


@dataclass(frozen=True)
class Periodic(Generic[S]):
    """The polynomial of degree < n whose value at row i is `values[i mod period]` (0 where absent).

    In closed form it is `sum_j values[j] L_j(X^(n/period))` with the Lagrange basis of the `period`-th roots of unity.
    """

    period: int
    values: dict[int, S | int]

    def at_row(self, row: int) -> S | int:
        return self.values.get(row % self.period, 0)

    def evaluate(self: Periodic[int], point: int, domain: int) -> int:
        """Value at `point` outside the domain: (Y^p - 1)/p * sum_j values[j] w^j / (Y - w^j) with Y = point^(n/p)."""
        y = pow(point, domain // self.period, MODULUS)
        root = root_of_unity(self.period)
        nodes = [pow(root, j, MODULUS) for j in self.values]
        terms = inverses([(y - node) % MODULUS for node in nodes])
        total = sum(value * node * term for value, node, term in zip(self.values.values(), nodes, terms, strict=True))
        return total * (pow(y, self.period, MODULUS) - 1) * inverse(self.period) % MODULUS


@dataclass(frozen=True)
class Patches(Generic[S]):
    """The sum of periodic polynomials: values on the rows of several pieces."""

    parts: tuple[Periodic[S], ...]

    def at_row(self, row: int) -> S | int:
        return sum(part.at_row(row) for part in self.parts)

    def evaluate(self: Patches[int], point: int, domain: int) -> int:
        return sum(part.evaluate(point, domain) for part in self.parts) % MODULUS


@dataclass(frozen=True)
class Constant(Generic[S]):
    """The same value on every row, and everywhere else."""

    value: S | int

    def at_row(self, row: int) -> S | int:
        return self.value

    def evaluate(self: Constant[int], point: int, domain: int) -> int:
        return self.value


@dataclass(frozen=True)
class RowValues:
    """The polynomial of degree < n whose value at row i is `values[i]`, n of them below the field's order."""

    values: Sequence[int]

    def at_row(self, row: int) -> int:
        return self.values[row]

    def evaluate(self, point: int, domain: int) -> int:
        """sum_i values[i] L_i(point), for a `point` outside the domain."""
        return sum(map(mul, self.values, lagrange_basis(point, domain))) % MODULUS


@lru_cache(maxsize=2)
def lagrange_basis(point: int, domain: int) -> tuple[int, ...]:
    """L_i(point) = (point^n - 1)/n w^i / (point - w^i) for each row i, at a `point` outside the domain."""
    nodes = powers(root_of_unity(domain), domain)
    scale = (pow(point, domain, MODULUS) - 1) * inverse(domain) % MODULUS
    return tuple(scale * node * term % MODULUS for node, term in zip(nodes, inverses([(point - node) % MODULUS for node in nodes]), strict=True))


class InCoefficients(Protocol):
    """A polynomial that is given by its coefficients, with a short way to evaluate it."""

    def coefficients(self) -> list[int]:
        """Low first, at most n of them."""

    def evaluate(self, point: int, domain: int) -> int: ...


Selector = Periodic[S] | Patches[S] | Constant[S]
"""A polynomial that no statement changes."""
PublicPolynomial = Periodic[int] | Patches[int] | Constant[int] | RowValues | InCoefficients
"""A polynomial of degree below n that everybody can compute; `evaluate` gives its value at a point outside the domain."""
