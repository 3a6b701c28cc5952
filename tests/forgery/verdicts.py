"""Every verifier under one signature, so that a forgery is put to all of them and each answers in the same words."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from forger import Claim
from onchain import by_contract, goes_on_chain, refused_on_chain
from support import MISMATCH as MISMATCH
from support import refuses

from zkpredict.circuits.placement import form
from zkpredict.kernel import G1
from zkpredict.verifier import independent, native
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import VerificationError


def by_native(claim: Claim) -> int:
    """The digit that the native verifier accepts; raises its refusal."""
    commitment = ModelCommitment.from_bytes(claim.commitment, G1.from_compressed)
    proof = native.parse_proof(claim.proof, form(commitment.circuit))
    native.verify(commitment, claim.image, proof)
    return proof.digit


def by_independent(claim: Claim) -> int:
    """The same of the verifier on Python ints."""
    return independent.verify(claim.commitment, claim.image, claim.proof)


NATIVE = (by_native,)
"""For further variants of a forgery that all verifiers have already refused once: the others take a hundred times as long."""
PYTHON = (by_native, by_independent)
"""Where the guard under test is no part of the contract."""


def verifiers_of(claim: Claim) -> tuple[Callable[[Claim], int], ...]:
    """Native, independent, and the contract where the claim's circuit has one."""
    return (by_native, by_independent, by_contract) if goes_on_chain(claim) else (by_native, by_independent)


def accepted(claim: Claim, by: Iterable[Callable[[Claim], int]] | None = None) -> int:
    """All verifiers accept; returns the digit they agree on."""
    digits = {verify(claim) for verify in by or verifiers_of(claim)}
    assert len(digits) == 1
    return digits.pop()


def refused(
    claim: Claim, kind: type[VerificationError], message: str, by: Iterable[Callable[[Claim], int]] | None = None
) -> None:
    """All verifiers refuse: the Python ones by exactly `kind` and `message`, the contract by the error that says the same."""
    for verify in by or verifiers_of(claim):
        if verify is by_contract:
            refused_on_chain(claim, kind, message)
        else:
            with refuses(kind, message):
                verify(claim)
