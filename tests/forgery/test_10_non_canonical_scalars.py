"""Line 10: the scalar v + r accepted as v: one statement with two proofs, or two public inputs for one proof."""

from __future__ import annotations

from dataclasses import replace

import pytest
from forger import Forger, claim_of, complete, forged_claim, lay_out, run_from
from guards import replaced, unchecked_parts
from support import refuses, said
from verdicts import MISMATCH, NATIVE, PYTHON, accepted, refused

from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.field import MODULUS
from zkpredict.prover.model import Model
from zkpredict.circuits.placement import COMPACT_FORM
from zkpredict.verifier import native
from zkpredict.verifier.errors import FailedOpening, MalformedProof, WrongStatement
from zkpredict.verifier.messages import SCALAR_BYTES, proof_bytes

SCALARS = COMPACT_FORM.scalars


class AddsModulus(Forger):
    """States one evaluation as v + r and derives all later challenges from that."""

    scalar = "limb"

    def evaluate(self):
        honest = super().evaluate()
        return honest | {self.scalar: honest[self.scalar] + MODULUS}


@pytest.mark.parametrize("scalar", SCALARS)
def test_an_evaluation_above_r_is_refused(small, small_image, scalar):
    forger = AddsModulus(small, said(small_image, small.predict(small_image)))
    forger.scalar = scalar
    claim = claim_of(forger)
    refused(claim, MalformedProof, f"proof: scalar {scalar} is not below the field order")
    with unchecked_parts():
        assert accepted(claim, PYTHON) == small.predict(small_image)


@pytest.mark.parametrize("value", [MODULUS, (1 << 256) - 1])
@pytest.mark.parametrize("number", range(len(SCALARS)))
def test_the_border_is_exact(honest, number, value):
    start = proof_bytes() - SCALAR_BYTES * (len(SCALARS) - number)
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
    with replaced(native.statement_for, lambda circuit, image, digit, *more: said(image, digit)):
        refused(claim, FailedOpening, MISMATCH, NATIVE)


def test_digit_plus_r_is_refused_in_memory_and_has_no_bytes(small, honest):
    proof = native.parse_proof(honest.proof)
    aliased = proof.digit + MODULUS
    with refuses(MalformedProof, f"proof: the model id has 32 bytes, expected 32, or the digit {aliased} not 2 bytes"):
        replace(proof, digit=aliased)
    with refuses(WrongStatement, f"the digit {aliased} is not one of the 3 classes"):
        native.statement_for(small.commitment.circuit, honest.image, aliased)


def test_a_row_secret_above_r_is_refused(small):
    data = small.to_bytes()
    aliased = data[:-32] + (int.from_bytes(data[-32:], "big") + MODULUS).to_bytes(32, "big")
    with refuses(MalformedFile, "model: a row secret is not below the field order"):
        Model.from_bytes(aliased)
    assert Model.from_bytes(data).secrets == small.secrets
