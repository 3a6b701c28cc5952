"""Every verifier under one signature, so that a forgery is put to all of them and each answers in the same words."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from forger import Claim
from support import refuses

from zkpredict.kernel import G1
from zkpredict.verifier import independent, native
from zkpredict.verifier.commitment import ModelCommitment

MISMATCH = "the opening does not match: the claim is false, or the proof was made for another statement"


def by_native(claim: Claim) -> int:
    """The digit that the native verifier accepts; raises its refusal."""
    commitment = ModelCommitment.from_bytes(claim.commitment, G1.from_compressed)
    proof = native.parse_proof(claim.proof)
    native.verify(commitment, claim.image, proof)
    return proof.digit


def by_independent(claim: Claim) -> int:
    """The same of the verifier on Python ints."""
    return independent.verify(claim.commitment, claim.image, claim.proof)


NATIVE = (by_native,)
"""For further variants of a forgery that all verifiers have already refused once: the others take a hundred times as long."""
VERIFIERS: tuple[Callable[[Claim], int], ...] = (by_native, by_independent)


def accepted(claim: Claim, by: Iterable[Callable[[Claim], int]] = VERIFIERS) -> int:
    """All verifiers accept; returns the digit they agree on."""
    digits = {verify(claim) for verify in by}
    assert len(digits) == 1
    return digits.pop()


def refused(
    claim: Claim, kind: type[Exception], message: str, by: Iterable[Callable[[Claim], int]] = VERIFIERS
) -> None:
    """All verifiers refuse, each by exactly `kind` with exactly `message`."""
    for verify in by:
        with refuses(kind, message):
            verify(claim)
