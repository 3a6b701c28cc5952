"""The dictionary test: compute what a guessed model would give and compare. It fails, unless one ingredient of the hiding is missing."""

from __future__ import annotations

import numpy as np
import pytest
from support import random_image, random_network, said

from zkpredict.circuits.compiler import compile_network
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.circuits.witness import build_trace
from zkpredict.kernel import Vector
from zkpredict.prover import commit, polynomial
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.prover.prove import Prover
from zkpredict.prover.setup import lagrange_key
from zkpredict.verifier.messages import Proof

SHAPE = (30, 12, 4)


@pytest.fixture(scope="module")
def guesses(model) -> list[IntegerNetwork]:
    """The right one and a wrong one."""
    return [model.network, random_network(99, SHAPE)]


def unhidden(guess: IntegerNetwork) -> Model:
    """The guess committed with row secrets that are all zero."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(commit, "random_scalars", Vector.zeros)
        return commit_model(guess)


def matches_rows(guess: IntegerNetwork, model: Model) -> bool:
    """Whether some committed row is that of the guess without a secret."""
    return any(a == b for a, b in zip(unhidden(guess).commitment.rows, model.commitment.rows))


def guessed_limbs(guess: IntegerNetwork, image: np.ndarray) -> Vector:
    compiled = compile_network(guess)
    trace = build_trace(compiled, said(image, guess.predict(image)))
    return Vector.from_ints(trace["limb"])


def matches_column(guess: IntegerNetwork, image: np.ndarray, proof: Proof) -> bool:
    """Whether [limb] is what the guess would give without blinding."""
    values = guessed_limbs(guess, image)
    return lagrange_key(len(values)).msm(values) == proof.points["limb"]


def matches_difference(guess: IntegerNetwork, images: list[np.ndarray], proofs: list[Proof]) -> bool:
    """Whether two proofs' [limb] differ by what the guess would give: a blinding used twice cancels."""
    first, second = (guessed_limbs(guess, image) for image in images)
    return lagrange_key(len(first)).msm(first - second) == proofs[0].points["limb"] - proofs[1].points["limb"]


def test_rows_match_no_guess_unless_they_have_no_secret(model, guesses):
    assert [matches_rows(guess, model) for guess in guesses] == [False, False]
    bare = unhidden(model.network)
    assert [matches_rows(guess, bare) for guess in guesses] == [True, False]


def test_columns_match_no_guess_unless_they_are_unblinded(model, guesses, image, proof):
    assert [matches_column(guess, image, proof) for guess in guesses] == [False, False]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(polynomial, "random_scalars", Vector.zeros)
        unblinded = Prover(model, said(image, model.predict(image))).prove()
    assert [matches_column(guess, image, unblinded) for guess in guesses] == [True, False]


def test_differences_match_no_guess_unless_blinding_is_used_twice(model, guesses, image, proof):
    images = [image, random_image(55, 30)]
    honest = [proof, Prover(model, said(images[1], model.predict(images[1]))).prove()]
    assert [matches_difference(guess, images, honest) for guess in guesses] == [False, False]
    again = Vector.from_ints([1234567, 2345678, 3456789, 4567890])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(polynomial, "random_scalars", lambda count: again)
        reused = [Prover(model, said(picture, model.predict(picture))).prove() for picture in images]
    assert [matches_difference(guess, images, reused) for guess in guesses] == [True, False]
