"""Any other network that gives the same digits explains a commitment and its proofs to the byte: the hiding is perfect.

For a wrong guess of the weights there are row secrets and blinders that give the very same bytes, for every proof that was
published. So no test, however clever and however long it runs, tells a right guess from a wrong one by commitment and proofs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest
from support import evaluate, random_image, random_network, said
from trapdoor import blinding_factor, lagrange_at

from zkpredict.circuits.compiler import CompiledNetwork, compile_network
from zkpredict.circuits.field import MODULUS, inverse, root_of_unity
from zkpredict.circuits.layout import BLINDING_ROW
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.kernel import Vector
from zkpredict.prover import commit, polynomial
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Committed, Model
from zkpredict.prover.polynomial import Column, commit_column
from zkpredict.prover.prove import Prover
from zkpredict.verifier.messages import Proof, derive_challenges

SHAPE = (20, 8, 3)


def interpolate(points: list[int], values: list[int]) -> list[int]:
    """Coefficients of the polynomial through four points (Lagrange)."""
    total = [0] * len(points)
    for number, point in enumerate(points):
        basis, scale = [1], 1
        for other in points[:number] + points[number + 1 :]:
            basis = [(low - other * high) % MODULUS for low, high in zip([0, *basis], [*basis, 0])]
            scale = scale * (point - other) % MODULUS
        factor = values[number] * inverse(scale) % MODULUS
        total = [(a + factor * b) % MODULUS for a, b in zip(total, basis)]
    return total


def explaining_secrets(guess: CompiledNetwork, right: Model, tau: int) -> tuple[int, ...]:
    """Row secrets under which the rows of `guess` have the commitments of `right`."""
    lagrange, n = lagrange_at(tau), guess.circuit.domain
    found, secrets = [], iter(right.secrets)
    for layer, (mine, theirs) in enumerate(zip(guess.rows, right.compiled.rows)):
        basis = pow(tau, n - 1, MODULUS) if layer == 0 else lagrange[BLINDING_ROW]
        for row, other in zip(mine, theirs):
            difference = [a - b for a, b in zip(other, row)]
            at_tau = evaluate(difference, tau) if layer == 0 else sum(d * l for d, l in zip(difference, lagrange))
            found.append((next(secrets) + at_tau * inverse(basis)) % MODULUS)
    return tuple(found)


@dataclass(eq=False)
class Explaining(Prover):
    """Runs the guessed network with blinders that make every column take the values of `column_of` at `points`."""

    column_of: dict[str, Column] | None = None
    fixed_at: list[int] | None = None

    def commit(self, values: Mapping[str, Vector]) -> dict[str, Column]:
        return {name: self._commit(column, name, self.form.blinders) for name, column in values.items()}

    def _commit(self, values: Vector, name: str, blinders: int) -> Column:
        coefficients = values.intt()
        wanted = [
            (self.column_of[name].coefficients.evaluate(point) - coefficients.evaluate(point))
            * inverse(blinding_factor(point, self.circuit))
            % MODULUS
            for point in self.fixed_at
        ]
        chosen = Vector.from_ints(interpolate(self.fixed_at, wanted))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(polynomial, "random_scalars", lambda count: chosen)
            return commit_column(values, blinders)


@pytest.fixture(scope="module")
def wrong() -> IntegerNetwork:
    """A network of the same shape with other weights."""
    return random_network(22, SHAPE)


@pytest.fixture(scope="module")
def published(trapdoor, wrong) -> list[tuple[Prover, Proof]]:
    """Proofs of three images on which the wrong guess happens to give the right digits."""
    found = []
    for seed in range(1000):
        image = random_image(seed, SHAPE[0])
        digit = trapdoor.model.predict(image)
        if wrong.predict(image) == digit and len(found) < 3:
            prover = Prover(trapdoor.model, said(image, digit))
            found.append((prover, prover.prove()))
    return found


def test_a_wrong_guess_explains_commitment_and_proofs_to_the_byte(trapdoor, wrong, published):
    compiled = compile_network(wrong)
    assert compiled.circuit == trapdoor.model.compiled.circuit
    assert not np.array_equal(wrong.layers[0].weights, trapdoor.model.network.layers[0].weights)
    commitment = trapdoor.model.commitment
    model = Model(wrong, Committed(commitment, explaining_secrets(compiled, trapdoor.model, trapdoor.tau)))
    secrets = Vector.from_ints(list(model.secrets))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(commit, "random_scalars", lambda count: secrets)
        assert commit_model(wrong).commitment == commitment
    assert len(published) == 3
    for prover, proof in published:
        challenges = derive_challenges(commitment.circuit.digest, prover.statement, proof)
        root, rho = root_of_unity(commitment.circuit.domain), challenges["rho"]
        points = [point * factor % MODULUS for point in (trapdoor.tau, rho) for factor in (1, root)]
        explained = Explaining(model, prover.statement, column_of=prover.columns, fixed_at=points).prove()
        assert explained.to_bytes() == proof.to_bytes()
