"""How long a quotient is: degrees of the combined constraint, by running the constraints on degrees."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from zkpredict.circuits import placement
from zkpredict.circuits.second.layout import SecondCircuit
from zkpredict.circuits.publics import Constant, Patches, Periodic, PublicPolynomial
from zkpredict.circuits.records import dataclass
from zkpredict.circuits.wide.layout import WideCircuit


@dataclass(frozen=True)
class Degree:
    """An upper bound of a polynomial's degree."""

    value: int

    def __add__(self, other: Degree) -> Degree:
        return Degree(max(self.value, other.value))

    __sub__ = __add__

    def __mul__(self, other: Degree) -> Degree:
        return Degree(self.value + other.value)


@dataclass(frozen=True)
class _Degrees:
    """An `Environment` of degrees."""

    columns: Mapping[str, int]
    publics: Mapping[str, int]
    domain: int

    def constant(self, value: int) -> Degree:
        return Degree(0)

    def cell(self, column: str, rotation: int) -> Degree:
        return Degree(self.columns[column])

    def public(self, name: str) -> Degree:
        return Degree(self.publics.get(name, self.domain - 1))

    def challenge(self, name: str) -> Degree:
        return Degree(0)


def degree_of(polynomial: PublicPolynomial, domain: int) -> int:
    """A periodic polynomial is one in X^(n/period); any other may have degree n - 1."""
    if isinstance(polynomial, Constant):
        return 0
    if isinstance(polynomial, Patches):
        return max((degree_of(part, domain) for part in polynomial.parts), default=0)
    return domain - domain // polynomial.period if isinstance(polynomial, Periodic) else domain - 1


@lru_cache(maxsize=256)
def quotient_length(circuit: placement.AnyCircuit) -> int:
    """The most coefficients that an honest quotient has: the rows of an honest owner, columns blinded, divided by X^n - 1."""
    n, shape = circuit.domain, placement.form(circuit)
    columns = {c.name: len(c.values) - 1 if c.values else n - 1 for c in placement.columns(circuit)}
    columns |= {c.name: n + shape.blinders_of(c.name) - 1 for c in shape.proof_columns}
    if isinstance(circuit, SecondCircuit):
        columns |= {column.name: circuit.row_degree(column.name) for column in circuit.row_columns}
    selectors = {name: p for gadget in placement.placed(circuit) for name, p in gadget.selectors(1).items()}
    publics = {name: degree_of(polynomial, n) for name, polynomial in selectors.items()} | {"constants": 0}
    if isinstance(circuit, WideCircuit):
        publics |= circuit.degrees
    world = _Degrees(columns, publics, n)
    highest = max(one.expression.evaluate(world).value for one in placement.all_constraints(circuit))
    return highest - n + 1
