"""The gadgets of a circuit of the second edition, and the rounds of its proofs."""

from __future__ import annotations

from collections.abc import Mapping

from zkpredict.circuits.columns import Derived
from zkpredict.circuits.gadgets.base import Gadget
from zkpredict.circuits.second.lanes import SecondLanes
from zkpredict.circuits.second.layout import DOMAIN, SecondCircuit
from zkpredict.circuits.second.output import Differences
from zkpredict.circuits.second.total import SecondBytes, SecondDense, SecondSum

SECOND_ROUNDS: Mapping[str, tuple[str, ...]] = {"trace": ("shift", "beta"), "sums": ("delta",), "quotient": ("sigma",)}
"""The rounds in which a proof commits to columns, and the challenges drawn after each."""
DERIVED = (Derived("alpha", "shift", DOMAIN), Derived("rho", "sigma", factor="shift"))
"""alpha = shift^n weighs equations; constraints hold at rho = shift sigma, and what is read at X/shift is opened at sigma."""


def gadgets(circuit: SecondCircuit) -> tuple[Gadget, ...]:
    """All gadgets, in the order in which their constraints are weighed."""
    dense = tuple(SecondDense(circuit, layer) for layer in range(circuit.layers))  # type: ignore[arg-type]  # it has what they ask for
    parts = (SecondLanes(circuit), Differences(circuit), *dense)
    return (*parts, SecondSum(circuit, parts), SecondBytes(circuit))  # type: ignore[arg-type]
