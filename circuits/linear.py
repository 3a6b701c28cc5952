"""The linear check: every linear equation of the circuit in one sum, each weighted by its own power of alpha.

    linear(next) - linear = readout horner - (weights)(what they read) - constants        and cyclic: the sum is zero

This is the one place that gives equations their exponents: those of a committed row are the circuit's (`row_exponents`), all others
follow in the order in which the gadgets name them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, reduce
from operator import add

from zkpredict.circuits.columns import Column, Origin
from zkpredict.circuits.expression import Cell, Public
from zkpredict.circuits.field import MODULUS, S, inverse, powers
from zkpredict.circuits.gadgets.base import Constraint, Equation, Gadget
from zkpredict.circuits.gadgets.dense import Dense
from zkpredict.circuits.gadgets.public_input import InputPolynomial
from zkpredict.circuits.layout import Circuit
from zkpredict.circuits.publics import Constant, Periodic, PublicPolynomial
from zkpredict.circuits.statement import Statement


class LinearCheck(Gadget):
    """The running sum of all equations of the `parts` that lie before it."""

    def __init__(self, circuit: Circuit, parts: tuple[Gadget, ...]) -> None:
        super().__init__(circuit)
        self.parts = parts

    def columns(self) -> tuple[Column, ...]:
        return (Column("linear", Origin.PROOF, 2, "linear"),)

    def constraints(self) -> tuple[Constraint, ...]:
        linear, horner = Cell("linear"), Cell("horner")
        read_by_weights = reduce(add, [more for part in self.parts if (more := part.read_by_weights()) is not None])
        # linear' - linear = readout * horner - (weights * what they read) - constants, and cyclic: the total is zero
        expression = linear.next - linear - Public("readout") * horner + read_by_weights + Public("constants")
        return (Constraint("linear", expression),)

    def publics(self, statement: Statement, alpha: int) -> dict[str, PublicPolynomial]:
        constants = constant_term(self.circuit, alpha, statement.claim) * inverse(self.circuit.domain) % MODULUS
        return {
            "readout": readout(self.circuit, alpha, statement.claim),
            "inputs": InputPolynomial(self.circuit, statement.input, alpha),
            "constants": Constant(constants),
        }

    def numbered(self, claim: int) -> Mapping[int, Equation]:
        """Every equation by its exponent."""
        found: dict[int, Equation] = {}
        for part in self.parts:
            if isinstance(part, Dense):
                first = self.circuit.first_equation(part.layer)
                packs = self.circuit.layer_groups[part.layer].packs
                found |= {first + pack: part.pack_equation(pack) for pack in range(packs)}
        free = self.circuit.first_equation(self.circuit.layers)
        for part in self.parts:
            for equation in part.equations(claim):
                found[free] = equation
                free += 1
        return found


@lru_cache(maxsize=1024)
def equations(circuit: Circuit, claim: int) -> Mapping[int, Equation]:
    """Every linear equation by its exponent of alpha, for a claimed class (-1: without what depends on it)."""
    from zkpredict.circuits.placement import placed  # it places this module's gadget

    (check,) = (gadget for gadget in placed(circuit) if isinstance(gadget, LinearCheck))
    return check.numbered(claim)


def readout_weights(circuit: Circuit, alpha: S, claim: int) -> dict[int, S | int]:
    """The factor of each `horner` cell in the check: sum over equations of alpha^e times the equation's own factor, by row."""
    found = equations(circuit, claim)
    weights = powers(alpha, max(found) + 1)
    rows: dict[int, S | int] = {}
    for exponent, equation in found.items():
        for row, factor in equation.reads.items():
            rows[row] = (rows.get(row, 0) + weights[exponent] * factor) % MODULUS
    return rows


def readout(circuit: Circuit, alpha: S, claim: int) -> Periodic[S]:
    """Weight of each `horner` cell in the linear check, for a claimed class (-1: without what depends on it)."""
    return Periodic(circuit.domain, readout_weights(circuit, alpha, claim))


def constant_term(circuit: Circuit, alpha: S, claim: int) -> S | int:
    """Sum of the constants of all linear equations, each weighted by its power of alpha: offsets of packs and [i < claim]."""
    found = equations(circuit, claim)
    weights = powers(alpha, max(found) + 1)
    return sum(weights[e] * equation.constant for e, equation in found.items() if equation.constant) % MODULUS
