"""The constraint system of a circuit: every equation of the proof, by name, and the public polynomials it uses.

The debug checker, the prover, both verifiers and the generated contract all evaluate `constraints(circuit)`. What they say is in
`circuits.gadgets`, one idea a file; which gadgets a circuit has, in `circuits.placement`; the linear equations, in `circuits.linear`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from zkpredict.circuits import placement
from zkpredict.circuits.expression import Environment
from zkpredict.circuits.field import MODULUS, S
from zkpredict.circuits.gadgets.base import Constraint
from zkpredict.circuits.linear import constant_term, readout
from zkpredict.circuits.placement import AnyCircuit
from zkpredict.circuits.publics import PublicPolynomial, Selector
from zkpredict.circuits.statement import Statement

__all__ = [
    "constant_term", "constraint", "constraints", "evaluate_publics", "public_polynomials", "readout", "selectors", "stated_publics",
    "total_constraint",
]


@lru_cache(maxsize=256)
def constraints(circuit: AnyCircuit) -> tuple[Constraint, ...]:
    """All constraints of a circuit, in the order in which powers of delta weigh them."""
    return placement.all_constraints(circuit)


def constraint(circuit: AnyCircuit, name: str) -> Constraint:
    """The constraint called `name`. Raises `ValueError` unless there is exactly one."""
    found = [one for one in constraints(circuit) if one.name == name]
    if len(found) != 1:
        raise ValueError(f"{len(found)} constraints are called {name}")
    return found[0]


def total_constraint(circuit: AnyCircuit, environment: Environment) -> Any:
    """sum_i delta^i constraint_i - vanishing * quotient, evaluated: zero as a polynomial exactly for a valid witness."""
    return placement.weighed(circuit, constraints(circuit), environment)


def selectors(circuit: AnyCircuit, alpha: S) -> dict[str, Selector[S]]:
    """The public polynomials that do not depend on the statement. `alpha`: a number, or a formula. Raises `ValueError` when two
    gadgets give one name to different polynomials."""
    found: dict[str, Selector[S]] = {}
    for gadget in placement.placed(circuit):
        for name, polynomial in gadget.selectors(alpha).items():
            if found.setdefault(name, polynomial) != polynomial:
                raise ValueError(f"two gadgets call different polynomials {name}")
    return found


def public_polynomials(
    circuit: AnyCircuit, statement: Statement, alpha: int, challenges: Mapping[str, int] | None = None
) -> dict[str, PublicPolynomial]:
    """Every public polynomial by name, but `vanishing`, which is zero on the domain; with all `challenges` also those that depend on
    later ones."""
    found: dict[str, PublicPolynomial] = {**selectors(circuit, alpha)}
    for gadget in placement.placed(circuit):
        found |= gadget.publics(statement, alpha)
        if challenges is not None:
            found |= gadget.late_publics(statement, challenges)
    return found


def stated_publics(circuit: AnyCircuit, stated: Mapping[str, int], challenges: Mapping[str, int]) -> dict[str, int]:
    """The public polynomials at rho that follow from what a proof states, where no verifier has what they are made of."""
    found: dict[str, int] = {}
    for gadget in placement.placed(circuit):
        found |= gadget.stated_publics(stated, challenges)
    return found


def evaluate_publics(
    circuit: AnyCircuit, statement: Statement, alpha: int, point: int, challenges: Mapping[str, int] | None = None
) -> dict[str, int]:
    """All public polynomials at a `point` outside the domain: what a verifier computes by itself."""
    n, polynomials = circuit.domain, public_polynomials(circuit, statement, alpha, challenges)
    found = {name: polynomial.evaluate(point, n) for name, polynomial in polynomials.items()}
    vanishing = (pow(point, n, MODULUS) - 1) % MODULUS
    factors = (vanishing, vanishing * pow(point, placement.QUOTIENT_SPLIT, MODULUS) % MODULUS)
    return found | dict(zip(placement.quotient_factors(circuit), factors, strict=False))
