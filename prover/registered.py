"""Registering a test set, and proving a score on it: a batch that opens the set's polynomials in the place of showing its inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from zkpredict.circuits.batch.interleaving import interleaved, together
from zkpredict.circuits.batch.registered import INPUT, RegisteredBatch
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork, UnusableInput
from zkpredict.circuits.placement import AnyCircuit
from zkpredict.kernel import G1, Vector
from zkpredict.prover.batch import BatchProver, Piece, images_each, prove_each
from zkpredict.prover.model import Model
from zkpredict.prover.setup import monomial_key
from zkpredict.verifier.batch import batch_bytes, check_context
from zkpredict.verifier.errors import WrongStatement
from zkpredict.verifier.registered import RegisteredScore, registered_statement_for
from zkpredict.verifier.score import right_answers
from zkpredict.verifier.testset import RegisteredSet, check_inputs, check_sizes, opening_challenges


def register_set(images: np.ndarray, labels: np.ndarray) -> RegisteredSet:
    """Commits to `images` (uint8 [count, ...]) under the ceremony's key, with `labels` (integers [count] below 2^16). No secrets: the
    same images and labels give the same set. Raises `UnusableInput` for what is no test set."""
    images = np.asarray(images)
    try:
        size = images[0].size if images.ndim > 1 and len(images) else 0
        inputs = batch_bytes(images, size)
        check_sizes("test set", len(images), size)
        said = tuple(int(label) for label in np.asarray(labels).ravel())
        if len(said) != len(images):
            raise UnusableInput(f"the test set has {len(said)} labels for {len(images)} inputs")
        rows = interleaved(inputs, size)
        points = tuple(monomial_key()[: rows.shape[1]].msm_integers(rows, [Vector.zeros(0)] * len(rows)))
        _refuse_blank(points, len(images), together(size))
        unproven = RegisteredSet(size, said, points, G1.generator())
    except (MalformedFile, WrongStatement) as error:
        raise UnusableInput(str(error)) from None
    u, y = opening_challenges(unproven.set_id, inputs)
    quotient, _ = Vector.combine_rows(rows, Vector.powers(u, len(rows))).divide_by_linear(y)
    opening = monomial_key().msm(quotient)
    if opening.is_identity():
        raise UnusableInput("the test set is zero all over but for first bytes: it has no opening")
    return RegisteredSet(size, said, points, opening)


def _refuse_blank(points: tuple[G1, ...], count: int, each: int) -> None:
    """Raises `UnusableInput` for points at infinity."""
    for number in (number for number, point in enumerate(points) if point.is_identity()):
        last = min((number + 1) * each, count) - 1
        raise UnusableInput(f"inputs {number * each} to {last} are zero all over: a point of a registered test set is never at infinity")


@dataclass(eq=False)
class RegisteredProver(BatchProver):
    """One part of a score on a registered set."""

    @cached_property
    def circuit(self) -> AnyCircuit:
        return RegisteredBatch.of(self.model.commitment.circuit, len(self.said.classes))

    @cached_property
    def set_coefficients(self) -> Vector:
        """T, once alpha is known."""
        circuit = self.circuit
        if not isinstance(circuit, RegisteredBatch):
            raise TypeError("a score on a registered set is proven in a circuit of its own")
        return Vector.combine_rows(interleaved(self.statement.input, circuit.inputs), circuit.point_weights(self.challenges["alpha"]))

    def polynomials(self) -> dict[str, Vector]:
        return super().polynomials() | ({INPUT: self.set_coefficients} if "alpha" in self.challenges else {})


def prove_registered(
    model: Model, images: np.ndarray, tests: RegisteredSet, context: bytes = b"",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> RegisteredScore:
    """Proves on how many of `images` (uint8 [count, ...]), which are those of the registered set, `model` says what the set's labels say,
    for `context` (32 bytes, or none). Raises `UnusableInput` for other images, else as `prove_batch`."""
    circuit = model.commitment.circuit

    def prover(piece: Piece) -> RegisteredProver:
        own = RegisteredBatch.of(circuit, len(piece.classes))
        return RegisteredProver(model, registered_statement_for(own, tests.set_id, piece.first, piece.classes, context, piece.inputs))

    try:
        inputs = batch_bytes(np.asarray(images), circuit.inputs, circuit.picture)
        check_inputs(tests, inputs)
        check_context(context)
    except WrongStatement as error:
        raise UnusableInput(str(error)) from None
    each = registered_each(circuit, len(tests.labels))
    proof = prove_each(model, inputs, None, each, prover, progress)
    return RegisteredScore(tests.set_id, right_answers(proof.classes, tests.labels), proof)


def registered_each(circuit: AnyCircuit, count: int) -> int:
    """Inputs in each part of a score on `count` inputs: whole polynomials, or all in one. Raises `UnsupportedNetwork` for a circuit that has
    no such proofs."""
    one = RegisteredBatch.of(circuit, 1)
    each = -(-images_each(circuit) // one.together) * one.together
    if each <= one.most_images:
        return each
    if count <= one.most_images:
        return count
    raise UnsupportedNetwork(
        f"a proof of this model holds {one.most_images} inputs, fewer than the {one.together} that share a point of a registered set: {count} are too many"
    )
