"""Whether the code of a contract that is not compiled yet would fit."""

from __future__ import annotations

from zkpredict.circuits.placement import AnyCircuit
from zkpredict.circuits.wide.replicas import ReplicaCircuit
from zkpredict.contracts.chain.interface import MAX_CODE_BYTES
from zkpredict.contracts.verifier.wide.numbers import is_large, replica_refusal
from zkpredict.contracts.verifier.wide.source import wide_source

CODE_PER_1000 = {False: 210, True: 170}
"""Bytes of code of a thousand characters of source, at most, written for speed and for size: of ten circuits with replicas, 194 to 208 and 160 to 167."""


def surely_fits(circuit: AnyCircuit) -> bool:
    """Whether code of a circuit with replicas fits a contract (EIP-170), told without a compiler by the length of its source; true of others."""
    if not isinstance(circuit, ReplicaCircuit):
        return True
    return not replica_refusal(circuit) and len(wide_source(circuit)) * CODE_PER_1000[is_large(circuit)] <= 1000 * MAX_CODE_BYTES
