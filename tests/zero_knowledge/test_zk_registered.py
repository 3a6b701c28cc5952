"""What a score on a registered set shows beside a batch: values of the set's own polynomial, which anybody who has the inputs computes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from test_zk_batch import BatchSimulator, batch_network, images_of
from trapdoor import DOMAIN, ceremony_of, random_scalar

from zkpredict.circuits.batch.interleaving import interleaved
from zkpredict.circuits.batch.registered import RegisteredBatch
from zkpredict.circuits.columns import EVALUATION_ROUND
from zkpredict.circuits.field import MODULUS, inverse
from zkpredict.kernel import Vector
from zkpredict.prover.commit import commit_model
from zkpredict.prover.registered import RegisteredProver, register_set
from zkpredict.verifier.batch import BatchPart, BatchProof
from zkpredict.verifier.messages import derive_challenges
from zkpredict.verifier.native import column_terms
from zkpredict.verifier.registered import RegisteredScore, registered_statement_for, verify_registered
from zkpredict.verifier.score import right_answers
from zkpredict.verifier.testset import RegisteredSet

CLASSES = (0, 3, 1, 2, 2)
IMAGES = images_of(len(CLASSES))


@pytest.fixture(scope="module")
def tau():
    """A test ceremony, in force while this module runs."""
    tau = random_scalar()
    with ceremony_of(tau):
        yield tau


@dataclass(frozen=True)
class SetSimulator(BatchSimulator):
    """Makes scores from tau, the row points, a set and its inputs, and classes."""

    tests: RegisteredSet | None = None

    @property
    def circuit(self) -> RegisteredBatch:
        return RegisteredBatch.of(self.commitment.circuit, len(CLASSES))

    def statement(self, image, digit, outputs):
        return registered_statement_for(self.circuit, self.tests.set_id, 0, CLASSES)

    def terms(self, proof, claim, challenges):
        return column_terms(self.commitment, proof, claim, challenges, self.tests.points, self.circuit)

    def public_values(self, message, challenges):
        if message.name != EVALUATION_ROUND:
            return {}
        whole = Vector.combine_rows(interleaved(IMAGES.tobytes(), 20), self.circuit.point_weights(challenges["alpha"])).to_ints()
        m, z = self.circuit.together, inverse(challenges["rho"])
        return {f"input_{j}": sum(c * pow(z, k, MODULUS) for k, c in enumerate(whole[j::m])) % MODULUS for j in range(m)}


def test_scores_are_made_without_weights(tau):
    """For any classes: the verifier accepts. Only tau makes the difference; the last two points of an honest score carry nothing of their own."""
    model = commit_model(batch_network(), DOMAIN, batch=True)
    tests = register_set(IMAGES, np.array(CLASSES))
    simulator = SetSimulator(tau, model.commitment, tests)
    made = simulator.prove(b"", len(CLASSES))
    part = BatchPart(made.model_id, len(CLASSES), made.points, made.scalars, made.form, classes=CLASSES)
    answers = tuple(map(int, model.network.infer(IMAGES).digits))
    assert verify_registered(model.commitment, tests, RegisteredScore(tests.set_id, 5, BatchProof(made.model_id, (part,)))) == 5
    assert right_answers(answers, CLASSES) < 5
    said = registered_statement_for(simulator.circuit, tests.set_id, 0, answers, b"", IMAGES.tobytes())
    honest = RegisteredProver(model, said).prove_part()
    challenges = derive_challenges(simulator.circuit.digest, said, honest)
    stated = {name: value for name, value in honest.scalars.items() if name.startswith("input_")}
    (evaluation,) = (message for message in honest.form.rounds if message.name == EVALUATION_ROUND)
    assert stated == simulator.public_values(evaluation, challenges)
    assert simulator.opening(honest, said, challenges) == honest.points["opening"]
    assert simulator.final(honest, said, challenges) == honest.points["final"]
