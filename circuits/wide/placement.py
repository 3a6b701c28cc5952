"""The gadgets of a wide circuit."""

from __future__ import annotations

from collections.abc import Mapping

from zkpredict.circuits.gadgets.base import Gadget
from zkpredict.circuits.wide.dense import Dense
from zkpredict.circuits.wide.fold import Fold
from zkpredict.circuits.wide.keys import Keys
from zkpredict.circuits.wide.lanes import Lanes
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.circuits.wide.output import Output
from zkpredict.circuits.wide.private import PrivateInput
from zkpredict.circuits.wide.rational import RationalGate
from zkpredict.circuits.wide.total import Total

WIDE_ROUNDS: Mapping[str, tuple[str, ...]] = {
    "trace": ("alpha", "beta", "gamma", "theta"), "sums": ("delta",), "quotient": ("rho",)
}
"""The rounds in which a proof commits to columns, and the challenges drawn after each."""


def gadgets(circuit: WideCircuit) -> tuple[Gadget, ...]:
    """All of them, in the order in which their constraints are weighed."""
    rational = () if circuit.rational is None else (RationalGate(circuit, circuit.rational),)
    private = (PrivateInput(circuit),) if circuit.private_input else ()
    dense = tuple(Dense(circuit, layer) for layer in range(circuit.layers))
    keys, output = Keys(circuit), Output(circuit)
    return (Lanes(circuit), *rational, *private, keys, Fold(circuit), *dense, output, Total(circuit, dense, output, keys))
