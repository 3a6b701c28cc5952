"""protocol.md, section 8: whoever knows tau makes accepting proofs without weights, so accepting proofs need say nothing of them."""

from __future__ import annotations

import pytest
from support import random_image, refuses, said
from trapdoor import TABLE_COEFFICIENTS, Simulator

from zkpredict.verifier import independent
from zkpredict.verifier.errors import FailedOpening
from zkpredict.verifier.messages import derive_challenges
from zkpredict.verifier.native import parse_proof, verify

NOT_OPENED = "the opening does not match: the claim is false, or the proof was made for another statement"


def test_both_verifiers_accept_simulated_proofs(trapdoor, few):
    for image, proof in zip(few.images[::5], few.simulated[::5]):
        verify(trapdoor.model.commitment, image, parse_proof(proof.to_bytes()))
    commitment = trapdoor.model.commitment.to_bytes()
    image, proof = few.images[0], few.simulated[0]
    assert independent.verify(commitment, image.tobytes(), proof.to_bytes()) == proof.digit


def test_the_simulator_is_given_nothing_private(trapdoor):
    simulator = trapdoor.simulator
    assert set(vars(simulator)) == {"tau", "commitment"}
    assert simulator.commitment == type(simulator.commitment).from_bytes(
        simulator.commitment.to_bytes(), type(simulator.commitment.rows[0]).from_compressed
    )


def test_the_simulator_proves_any_digit_of_any_image(trapdoor):
    """It does not know the answer, so it cannot have used it: with tau everything can be 'proven', true or not."""
    image = random_image(7, 20)
    for digit in range(trapdoor.model.commitment.circuit.classes):
        verify(trapdoor.model.commitment, image, trapdoor.simulator.prove(image.tobytes(), digit))


def test_without_tau_the_same_work_is_refused(trapdoor):
    image = random_image(8, 20)
    guessed = Simulator(trapdoor.tau + 1, trapdoor.model.commitment).prove(image.tobytes(), 0)
    with refuses(FailedOpening, NOT_OPENED):
        verify(trapdoor.model.commitment, image, guessed)


@pytest.mark.parametrize("number", [0, -1])
def test_the_last_two_points_of_an_honest_proof_are_those_of_the_simulator(trapdoor, few, number):
    """W and W' carry nothing of their own: tau and the rest of the proof determine them."""
    proof = few.real[number]
    statement = said(few.images[number], proof.digit)
    challenges = derive_challenges(trapdoor.model.commitment.circuit.digest, statement, proof)
    simulator = trapdoor.simulator
    assert simulator.opening(proof, statement, challenges) == proof.points["opening"]
    assert simulator.final(proof, statement, challenges) == proof.points["final"]


def test_the_stated_table_value_is_public(trapdoor, few):
    for image, proof in zip(few.images[::5], few.real[::5]):
        challenges = derive_challenges(trapdoor.model.commitment.circuit.digest, said(image, proof.digit), proof)
        assert proof.scalars["table"] == TABLE_COEFFICIENTS.evaluate(challenges["rho"])
