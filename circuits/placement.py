"""Which gadgets a circuit is made of, in order, and the form of its proofs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from zkpredict.circuits.columns import Column, Form, Origin
from zkpredict.circuits.expression import Cell, Environment, Public
from zkpredict.circuits.gadgets import relu as _relu  # noqa: F401  registers the gate that always ships
from zkpredict.circuits.gadgets.argmax import Argmax
from zkpredict.circuits.gadgets.base import Constraint, Gadget
from zkpredict.circuits.gadgets.bytes import Bytes
from zkpredict.circuits.gadgets.dense import Dense
from zkpredict.circuits.gadgets.gates import GATES, Gate
from zkpredict.circuits.gadgets.lanes import Lanes
from zkpredict.circuits.gadgets.packs import Packs
from zkpredict.circuits.layout import DOMAINS, NARROW, WIDE, Circuit
from zkpredict.circuits.linear import LinearCheck

SHARED_COLUMNS = (
    Column("limb", Origin.PROOF, 1),
    Column("horner", Origin.PROOF, 1, "horner"),
    Column("cell", Origin.PROOF, 1),
)
"""The columns in which all gadgets of the compact placement write: bytes, running pack values; bits, activations, multiplicities."""

QUOTIENT = Column("quotient", Origin.PROOF, 3)

COMMIT_ROUNDS: Mapping[str, tuple[str, ...]] = {"trace": ("alpha", "beta"), "sums": ("delta",), "quotient": ("rho",)}
"""The rounds in which a proof commits to columns, and the challenges drawn after each."""


def known_gates() -> Mapping[int, type[Gate]]:
    """Every registered gate by its tag."""
    return GATES


@lru_cache(maxsize=256)
def placed(circuit: Circuit) -> tuple[Gadget, ...]:
    """The gadgets of a circuit, in the order in which their constraints are weighed."""
    gates = tuple(GATES[tag](circuit) for tag in sorted(set(circuit.gates[:-1]) or {0}))
    before = (Lanes(circuit), *gates)
    dense = tuple(Dense(circuit, layer) for layer in range(circuit.layers))
    parts = (*dense, Argmax(circuit), Packs(circuit))
    return (*before, *parts, LinearCheck(circuit, parts), Bytes(circuit))


def columns(circuit: Circuit) -> tuple[Column, ...]:
    """All columns: those of a proof by round, the fixed ones, those of the model."""
    own = [column for gadget in placed(circuit) for column in gadget.columns()]
    found = [*SHARED_COLUMNS, *own, QUOTIENT]
    rank = {Origin.PROOF: 0, Origin.FIXED: 1, Origin.MODEL: 2}
    return tuple(sorted(found, key=lambda column: (rank[column.origin], column.round)))


def all_constraints(circuit: Circuit) -> tuple[Constraint, ...]:
    """Every gadget's constraints, in the order in which powers of delta weigh them."""
    return tuple(constraint for gadget in placed(circuit) for constraint in gadget.constraints())


def weighed(constraints: Iterable[Constraint], environment: Environment) -> Any:
    """sum_i delta^i constraint_i - vanishing * quotient, in the world of `environment`: zero exactly for a valid witness."""
    delta, total = environment.challenge("delta"), None
    for constraint in reversed(tuple(constraints)):
        value = constraint.expression.evaluate(environment)
        total = value if total is None else total * delta + value
    return total - (Public("vanishing") * Cell(QUOTIENT.name)).evaluate(environment)


@lru_cache(maxsize=256)
def form(circuit: Circuit) -> Form:
    """The shape of a circuit's proofs. All circuits with the same gates have the same one, so a single layer, which reads no
    activations, states what those with more layers do."""
    deep = circuit if circuit.layers > 1 else replace(SMALLEST, domain=circuit.domain)
    found = Form.of(columns(deep), COMMIT_ROUNDS, lambda environment: weighed(all_constraints(deep), environment))
    return replace(found, columns=columns(circuit))


SMALLEST = Circuit((1, 1, 1), (NARROW, WIDE), DOMAINS[0])
"""The least circuit in which a layer reads another."""
COMPACT_FORM = form(SMALLEST)
"""The shape of every proof of a network whose hidden layers are all ReLU."""
