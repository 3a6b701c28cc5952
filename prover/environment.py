"""The worlds in which a prover evaluates constraints: vectors over the domain, and over a coset of several times its size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from zkpredict.circuits.constraints import selectors
from zkpredict.circuits.field import GENERATOR, MODULUS
from zkpredict.circuits.layout import Circuit
from zkpredict.circuits.publics import Constant, Periodic, PublicPolynomial
from zkpredict.kernel import Vector


class Lazy(dict[str, Vector]):
    """Vectors by name, each made by `make(name)` when it is first asked for."""

    def __init__(self, make: Callable[[str], Vector]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, name: str) -> Vector:
        self[name] = found = self._make(name)
        return found


@dataclass(frozen=True, eq=False)
class Values:
    """An `Environment` of vectors over n or more points; `step` points further is the next row of the domain."""

    columns: Mapping[str, Vector]
    publics: Mapping[str, Vector]
    challenges: Mapping[str, int]
    step: int = 1

    def constant(self, value: int) -> int:
        return value % MODULUS

    def cell(self, column: str, rotation: int) -> Vector:
        vector = self.columns[column]
        return vector.rotate(self.step * rotation) if rotation else vector

    def public(self, name: str) -> Vector:
        return self.publics[name]

    def challenge(self, name: str) -> int:
        return self.challenges[name]

    def reciprocal(self, values: Vector) -> Vector:
        return values.inverse()


@dataclass(frozen=True, eq=False)
class Spread:
    """A public polynomial `sum_i coefficients[i] X^(i n/p)`, p of them: its values repeat, so only p (or 4p) are computed."""

    coefficients: Vector

    @classmethod
    def of(cls, polynomial: PublicPolynomial) -> Spread:
        """The coefficients of a public polynomial."""
        if isinstance(polynomial, Periodic):
            return cls(Vector.from_ints([polynomial.at_row(row) for row in range(polynomial.period)]).intt())
        values = [polynomial.value] if isinstance(polynomial, Constant) else polynomial.coefficients()
        return cls(Vector.from_ints(values))

    def on_domain(self, domain: int) -> Vector:
        """Values on the n-th roots of unity."""
        return self.coefficients.ntt().repeat(domain // len(self.coefficients))

    def on_coset(self, domain: int, extension: int) -> Vector:
        """Values on the coset 7 * <roots of unity of order extension * n>."""
        period = len(self.coefficients)
        spread = domain // period
        return self.coefficients.coset_ntt(extension * period, pow(GENERATOR, spread, MODULUS)).repeat(spread)


def fixed_publics(circuit: Circuit) -> dict[str, PublicPolynomial]:
    """The selectors that no challenge changes: all that a column of the first round may be defined by."""
    one, other = selectors(circuit, 0), selectors(circuit, 1)
    return {name: polynomial for name, polynomial in one.items() if other[name] == polynomial}
