"""Stored statements of the second edition, for mutants of what verifiers share: no prover takes part."""

from dataclasses import replace

import pytest
from support import refuses

from zkpredict.contracts.verifier.second.vectors import stored_statements
from zkpredict.verifier.errors import FailedOpening
from zkpredict.verifier.native import verify

MISMATCH = "the opening does not match: the claim is false, or the proof was made for another statement"


@pytest.mark.parametrize("name", ("empty", "typical", "full"))
def test_stored_proofs_hold_for_their_statements_only(name):
    stored = stored_statements()[name]
    verify(stored.commitment, stored.image, stored.proof)
    with refuses(FailedOpening, MISMATCH):
        verify(stored.commitment, stored.image, replace(stored.proof, digit=(stored.proof.digit + 1) % 10))
    with refuses(FailedOpening, MISMATCH):
        verify(stored.commitment, bytes([stored.image[0] ^ 1]) + stored.image[1:], stored.proof)
