"""Which circuits contracts serve."""

from __future__ import annotations

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.layout import Circuit
from zkpredict.circuits.placement import AnyCircuit
from zkpredict.circuits.second.layout import SecondCircuit


def compact(circuit: AnyCircuit) -> Circuit:
    """The circuit, which must be a compact one of the first edition. Raises `UnusableInput`."""
    if isinstance(circuit, SecondCircuit):
        raise UnusableInput(
            "this contract checks proofs in compact circuits of the first edition, and this model's is of the second: each of those has a "
            "verifier of its own"
        )
    if not isinstance(circuit, Circuit):
        raise UnusableInput("this contract checks proofs in compact circuits only, and this model's is wide: each wide circuit has a verifier of its own")
    return circuit


def check_served(circuit: AnyCircuit) -> None:
    """Raises `UnusableInput` for a circuit that the universal verifier would refuse: ask before anything is paid."""
    gates = compact(circuit).gates
    if any(gates):
        raise UnusableInput(f"the universal verifier serves ReLU networks, and this circuit has the gates {gates}: no shipped contract checks proofs in it")
