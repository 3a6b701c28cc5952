"""Batches of networks with convolutions, max pools and residual connections: one column of correlations for all inputs."""

from __future__ import annotations

import numpy as np
import pytest
from conv_cases import SHAPES, network_of
from support import MISMATCH, refuses
from wired_cases import WIRED, wired

import zkpredict as zp
from zkpredict.circuits.batch.layout import BatchCircuit, ConvBatch
from zkpredict.circuits.batch.statement import BatchStatement
from zkpredict.circuits.constraints import evaluate_publics
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.placement import form
from zkpredict.kernel import Vector
from zkpredict.prover.batch import BatchProver
from zkpredict.prover.commit import commit_model
from zkpredict.verifier import independent_batch
from zkpredict.verifier.batch import BatchProof, verify_batch
from zkpredict.verifier.errors import FailedOpening

COUNT = 3
NETWORKS = {name: network_of for name in SHAPES} | {name: wired for name in list(WIRED)[:3]}
MODELS: dict[str, zp.Model] = {}


def model_of(name: str) -> zp.Model:
    return MODELS.setdefault(name, MODELS.get(name) or commit_model(NETWORKS[name](name), batch=True))


def images_of(model: zp.Model) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (COUNT, model.network.shape[0]), dtype=np.uint8)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_answer_is_the_networks(name):
    model = model_of(name)
    images = images_of(model)
    proof = zp.prove_batch(model, images)
    assert proof.classes == tuple(model.network.infer(images).digits)
    verify_batch(model.commitment, images, proof)
    assert zp.parse_batch(proof.to_bytes(), model.commitment).to_bytes() == proof.to_bytes()
    other = images.copy()
    other[1, 7] ^= 1
    for wrong in (other, images[[1, 0, 2]]):
        with refuses(FailedOpening, MISMATCH):
            verify_batch(model.commitment, wrong, proof)


def test_the_independent_verifier_agrees():
    model = model_of("pools")
    images = images_of(model)
    proof, rows = zp.prove_batch(model, images), [image.tobytes() for image in images]
    assert independent_batch.verify_batch(model.commitment.to_bytes(), rows, proof.to_bytes()) == proof.classes


@pytest.mark.parametrize("name", NETWORKS)
def test_public_polynomials_match_those_of_the_independent_verifier(name):
    """In closed form here, lane by lane and image by image there."""
    model = model_of(name)
    images = images_of(model)
    circuit = BatchCircuit.of(model.commitment.circuit, COUNT)
    statement = BatchStatement.of(images.tobytes(), (1, 0, 1))
    known = {"alpha": 123456789, "eta": 987654321}
    mine = evaluate_publics(circuit, statement, known["alpha"], 55555, known)
    theirs = independent_batch.batch_values(circuit, [image.tobytes() for image in images], (1, 0, 1), known["alpha"], 55555, known["eta"])
    assert {name: mine[name] for name in theirs} == theirs and set(mine) - set(theirs) <= {"track_step"}


def test_packs_of_different_inputs_have_powers_of_their_own():
    """No kernel reaches beyond its packs, so D is the number of packs: positions of every piece, of every group of channels."""
    for name in NETWORKS:
        circuit = BatchCircuit.of(model_of(name).commitment.circuit, COUNT)
        assert isinstance(circuit, ConvBatch) and circuit.slots == 1
        assert max(e for layer in range(circuit.layers) for band in circuit.groups(layer) for e in band.exponents()) < circuit.stack_exponent
        for column in circuit.row_columns:
            above = [0]
            if column.name.startswith("kernels"):
                above = circuit.position_exponents(column.layer, int(column.name.removeprefix("kernels").split("_")[1]))
            assert max(column.exponents) + max(above) < circuit.stack_exponent == circuit.model.folded
        assert independent_batch.image_exponents(circuit) == [circuit.image_exponent(image) for image in range(COUNT)]


class Correlating(BatchProver):
    """Takes the activations of the second input for those of the third, in what kernels meet."""

    def correlation(self, layer, piece, chunk):
        honest = self.inference.activations
        try:
            self.inference = type(self.inference)(
                self.inference.pre_activations, tuple(own[[0, 1, 1]] for own in honest), self.inference.digits
            )
            return super().correlation(layer, piece, chunk)
        finally:
            self.inference = type(self.inference)(self.inference.pre_activations, honest, self.inference.digits)

    def closed(self, values: Vector, name: str) -> Vector:
        return values[0 : self.circuit.domain]

    def bounded(self, quotient: Vector) -> Vector:
        return quotient[0:4096]

    def open(self, claim):
        from zkpredict.prover.setup import monomial_key

        return monomial_key().msm(self.quotient_of(self.folded(claim), self.challenges["zeta"]))


def test_correlations_of_another_inputs_activations_are_refused():
    model = model_of("a hidden one")
    images = images_of(model)
    statement = BatchStatement.of(images.tobytes(), tuple(map(int, model.network.infer(images).digits)))
    assert form(BatchCircuit.of(model.commitment.circuit, COUNT)).rounds[1].challenges == ("eta",)
    honest = BatchProver(model, statement).prove_part()
    verify_batch(model.commitment, images, BatchProof(honest.model_id, (honest,)))
    forged = Correlating(model, statement).prove_part()
    with refuses(FailedOpening, MISMATCH):
        verify_batch(model.commitment, images, BatchProof(forged.model_id, (forged,)))
    assert 0 < forged.scalars["linearised_next"] < MODULUS


def test_lenet_answers_for_many_digits(root, mnist_images):
    """The shipped network: two convolutions, two pools."""
    model = zp.Model.load(root / "examples" / "lenet.model")
    proof = zp.prove_batch(model, mnist_images[:4])
    assert proof.classes == (7, 2, 1, 0)
    verify_batch(model.commitment, mnist_images[:4], proof)
