"""Field elements as formulas: what the Python verifier computes when it is run on names instead of numbers.

The generator calls the verifier's own `linearise`d constraint and `fold` with `Symbol`s for challenges, stated values and public
polynomials. What comes out are the formulas that the contract must compute, so no constraint is ever written a second time.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from zkpredict.circuits.field import MODULUS, inverse

Monomial = tuple[Any, ...]
"""Factors in order: names and sums."""


@dataclass(frozen=True)
class Symbol:
    """`sum coefficient * product of factors`, coefficients in [0, MODULUS).

    A factor is a name or a sum of several terms; products of sums are kept as they are, never multiplied out. `terms` is
    sorted, so equal formulas are equal values.
    """

    terms: tuple[tuple[Monomial, int], ...]

    @classmethod
    def named(cls, name: str) -> Symbol:
        """The formula that is one name."""
        return cls((((name,), 1),))

    @classmethod
    def of(cls, terms: dict[Monomial, int]) -> Symbol:
        """Normal form of a sum: coefficients reduced, zero terms dropped, terms in order."""
        kept = {monomial: value % MODULUS for monomial, value in terms.items() if value % MODULUS}
        return cls(tuple(sorted(kept.items(), key=repr)))

    @property
    def constant(self) -> int | None:
        """The value of a formula without names, None for any other."""
        if not self.terms:
            return 0
        return self.terms[0][1] if self.terms[0][0] == () and len(self.terms) == 1 else None

    def __add__(self, other: Symbol | int) -> Symbol:
        terms = dict(self.terms)
        for monomial, value in lifted(other).terms:
            terms[monomial] = terms.get(monomial, 0) + value
        return Symbol.of(terms)

    __radd__ = __add__

    def __neg__(self) -> Symbol:
        return Symbol.of({monomial: -value for monomial, value in self.terms})

    def __sub__(self, other: Symbol | int) -> Symbol:
        return self + -lifted(other)

    def __rsub__(self, other: int) -> Symbol:
        return lifted(other) - self

    def __mul__(self, other: Symbol | int) -> Symbol:
        other = lifted(other)
        for constant, symbol in ((self.constant, other), (other.constant, self)):
            if constant is not None:
                return Symbol.of({monomial: value * constant for monomial, value in symbol.terms})
        (left, one), (right, two) = self._as_product(), other._as_product()
        return Symbol.of({tuple(sorted(left + right, key=repr)): one * two})

    __rmul__ = __mul__

    def __lshift__(self, bits: int) -> Symbol:
        return self * (1 << bits)

    def __mod__(self, modulus: int) -> Symbol:
        if modulus != MODULUS:
            raise ValueError(f"formulas are over the field of order {MODULUS:#x}, not modulo {modulus}")
        return self

    def __pow__(self, exponent: int, modulus: int) -> Symbol:
        """`pow` as the verifier calls it. -1 gives the name of the inverse, so only products of names can be inverted."""
        base = self % modulus
        if exponent == -1:
            factors, value = base._as_product()
            if not all(isinstance(factor, str) for factor in factors):
                raise ValueError("only a product of names can be inverted in a formula")
            return Symbol.of({tuple(sorted(map(inverse_name, factors))): inverse(value)})
        result = lifted(1)
        for _ in range(exponent):
            result = result * base
        return result

    def _as_product(self) -> tuple[Monomial, int]:
        """As one monomial. A sum becomes a factor, with the sign that makes equal sums equal factors."""
        if len(self.terms) == 1:
            return self.terms[0]
        return ((-self,), MODULUS - 1) if self.terms[0][1] > MODULUS // 2 else ((self,), 1)

    def __repr__(self) -> str:
        return " + ".join(_shown(monomial, value) for monomial, value in self.terms).replace("+ -", "- ") or "0"


def inverse_name(name: str) -> str:
    """What the inverse of the value called `name` is called."""
    return f"{name}_inverse"


def lifted(value: Symbol | Power | int) -> Symbol:
    """A number as the formula without names, a power as the product that it is."""
    if isinstance(value, Power):
        return value.formula
    return value if isinstance(value, Symbol) else Symbol.of({(): value})


def _shown(monomial: Monomial, value: int) -> str:
    counts = Counter(factor if isinstance(factor, str) else f"({factor!r})" for factor in monomial)
    factors = [factor if power == 1 else f"{factor}^{power}" for factor, power in counts.items()]
    if value == MODULUS - 1:
        return "-" + (" * ".join(factors) or "1")
    if value == 1 and factors:
        return " * ".join(factors)
    number = str(value) if value < 1 << 64 else f"-{MODULUS - value}" if MODULUS - value < 1 << 64 else f"{value:#x}"
    return " * ".join([number, *factors])


@dataclass(frozen=True)
class Power:
    """`name^exponent`, multiplied by adding exponents; in a sum it becomes a product of the words that hold name^(2^k)."""

    name: str
    exponent: int

    @property
    def formula(self) -> Symbol:
        """The product of name_1, name_2, name_4, ... for the bits of the exponent."""
        bits = (1 << bit for bit in range(self.exponent.bit_length()) if self.exponent >> bit & 1)
        return Symbol.of({tuple(sorted((f"{self.name}_{bit}" for bit in bits), key=repr)): 1})

    def __mul__(self, other: Power | Symbol | int) -> Power | Symbol:
        if isinstance(other, Power) and other.name == self.name:
            return Power(self.name, self.exponent + other.exponent)
        return self.formula * (other.formula if isinstance(other, Power) else other)

    __rmul__ = __mul__

    def __add__(self, other: Power | Symbol | int) -> Symbol:
        return self.formula + (other.formula if isinstance(other, Power) else other)

    __radd__ = __add__

    def __sub__(self, other: Symbol | int) -> Symbol:
        return self.formula - other

    def __rsub__(self, other: Symbol | int) -> Symbol:
        return other - self.formula

    def __neg__(self) -> Symbol:
        return -self.formula

    def __mod__(self, modulus: int) -> Power:
        if modulus != MODULUS:
            raise ValueError(f"formulas are over the field of order {MODULUS:#x}, not modulo {modulus}")
        return self

    def __pow__(self, exponent: int, modulus: int) -> Power:
        if exponent < 0:
            raise ValueError("a power in a formula has no inverse")
        return Power(self.name, self.exponent * exponent) % modulus
