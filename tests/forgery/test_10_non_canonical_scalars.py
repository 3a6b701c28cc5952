"""Line 10: the scalar v + r accepted as v: one statement with two proofs, or two public inputs for one proof."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from forger import Forger, claim_of, complete, forged_claim, lay_out, run_from
from guards import replaced
from support import refuses
from verdicts import MISMATCH, NATIVE, PYTHON, accepted, refused

from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.field import MODULUS
from zkpredict.prover.model import Model
from zkpredict.verifier import messages, native
from zkpredict.verifier.errors import FailedOpening, MalformedProof, WrongStatement
from zkpredict.verifier.messages import PROOF_BYTES, SCALAR_BYTES, Evaluations

SCALARS = [field.name for field in fields(Evaluations)]


class AddsModulus(Forger):
    """States one evaluation as v + r and derives all later challenges from that."""

    scalar = "limb"

    def evaluate(self, challenges):
        honest = super().evaluate(challenges)
        return replace(honest, **{self.scalar: getattr(honest, self.scalar) + MODULUS})


def unchecked(reader, name):
    """The guard removed: any 32 bytes are a scalar."""
    return int.from_bytes(reader.take(SCALAR_BYTES, f"scalar {name}"), "big")


@pytest.mark.parametrize("scalar", SCALARS)
def test_an_evaluation_above_r_is_refused(small, small_image, scalar):
    forger = AddsModulus(small, small_image, small.predict(small_image))
    forger.scalar = scalar
    claim = claim_of(forger)
    refused(claim, MalformedProof, f"proof: scalar {scalar} is not below the field order")
    with replaced(messages._scalar, unchecked):
        assert accepted(claim, PYTHON) == small.predict(small_image)


@pytest.mark.parametrize("value", [MODULUS, (1 << 256) - 1])
@pytest.mark.parametrize("number", range(len(SCALARS)))
def test_the_border_is_exact(honest, number, value):
    start = PROOF_BYTES - SCALAR_BYTES * (len(SCALARS) - number)
    data = honest.proof[:start] + value.to_bytes(32, "big") + honest.proof[start + 32 :]
    refused(honest.with_proof(data), MalformedProof, f"proof: scalar {SCALARS[number]} is not below the field order", NATIVE)
    below = honest.proof[:start] + (MODULUS - 1).to_bytes(32, "big") + honest.proof[start + 32 :]
    native.parse_proof(below)


@pytest.mark.parametrize("digit", [3, 4, 65535])
def test_a_digit_that_is_no_class_is_refused(small, honest, digit):
    proof = replace(native.parse_proof(honest.proof), digit=digit)
    refused(honest.with_proof(proof.to_bytes()), WrongStatement, f"the digit {digit} is not one of the 3 classes")


def test_a_digit_that_is_no_class_has_no_proof_anyway(small, small_image):
    """Without the check: its equations ask for Z_i + D_i + 1 = 0."""
    limb = lay_out(small.compiled, run_from(small.network, 0, small_image.tolist()), 0)
    claim = forged_claim(small, small_image, 3, complete(small.compiled.circuit, limb))
    with replaced(native.check_statement, lambda *_: None):
        refused(claim, FailedOpening, MISMATCH, NATIVE)


def test_digit_plus_r_is_refused_in_memory_and_has_no_bytes(small, honest):
    proof = native.parse_proof(honest.proof)
    aliased = replace(proof, digit=proof.digit + MODULUS)
    with refuses(WrongStatement, f"the digit {aliased.digit} is not one of the 3 classes"):
        native.verify(small.commitment, honest.image, aliased)
    with pytest.raises(OverflowError):
        aliased.to_bytes()


def test_a_row_secret_above_r_is_refused(small):
    data = small.to_bytes()
    aliased = data[:-32] + (int.from_bytes(data[-32:], "big") + MODULUS).to_bytes(32, "big")
    with refuses(MalformedFile, "model: a row secret is not below the field order"):
        Model.from_bytes(aliased)
    assert Model.from_bytes(data).secrets == small.secrets
