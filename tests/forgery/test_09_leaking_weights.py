"""Line 9: weights recovered from proofs: a row opened once per proof, an unblinded column, the same blinding twice, a guessed
model tried against commitments and proofs."""

from __future__ import annotations

import os

import numpy as np
import pytest
from forger import Forger, honest_claim
from freezing import CHALLENGES
from guards import replaced
from support import horner_column, random_image, random_network, said
from verdicts import NATIVE, accepted

from zkpredict.circuits.columns import cells_of
from zkpredict.circuits.constraints import constraints
from zkpredict.circuits.field import MODULUS, inverse, root_of_unity
from zkpredict.circuits.witness import build_trace
from zkpredict.circuits.placement import COMPACT_FORM
from zkpredict.kernel import Vector
from zkpredict.prover import randomness
from zkpredict.prover.commit import commit_model
from zkpredict.prover.polynomial import commit_column
from zkpredict.prover.setup import lagrange_key, monomial_key
from zkpredict.verifier.native import parse_proof
from zkpredict.verifier.opening import linearise

COLUMNS = ("limb", "horner", "cell", "linear", "lookup")


def reduced(matrix: list[list[int]]) -> list[list[int]]:
    """Reduced row echelon form over the field, without the rows of zeros."""
    rows, done = [[value % MODULUS for value in row] for row in matrix], 0
    for column in range(len(rows[0])):
        pivot = next((row for row in rows[done:] if row[column]), None)
        if pivot is None:
            continue
        rows.remove(pivot)
        scale = inverse(pivot[column])
        pivot = [value * scale % MODULUS for value in pivot]
        rows = [[(a - row[column] * b) % MODULUS for a, b in zip(row, pivot)] if row[column] else row for row in rows]
        rows.insert(done, pivot)
        done += 1
    return rows[:done]


# a row opened once per proof


@pytest.fixture(scope="module")
def tiny():
    """A 4-2 network: one row of 5 entries and one secret."""
    return commit_model(random_network(90, (4, 2)))


class StatesRows(Forger):
    """The mistaken protocol: the proof also states the combined rows at rho."""

    def evaluate(self) -> dict[str, int]:
        rho = self.challenges["rho"]
        self.stated = rho, self.row_coefficients["rows0"].evaluate(rho)
        return super().evaluate()


def test_rows_stated_once_per_proof_give_the_weights_away(tiny):
    """Six proofs, six linear equations, six unknowns: the packed weights and the secret."""
    positions = [0, 1, 2, 3, 4, 1023]
    equations = []
    for seed in range(len(positions)):
        image = random_image(seed, 4)
        prover = StatesRows(tiny, said(image, tiny.predict(image)))
        prover.prove()
        rho, value = prover.stated
        equations.append([pow(rho, position, MODULUS) for position in positions] + [value])
    solution = [row[-1] for row in reduced(equations)]
    assert solution[:5] == tiny.compiled.rows[0][0][:5] and solution[5] == tiny.secrets[0]


def test_our_proofs_state_no_value_of_a_row(small, small_image, honest):
    """Five values: of limb, cell and table, and of a combination at omega rho that holds no rows."""
    proof = parse_proof(honest.proof)
    assert list(proof.scalars) == ["limb", "cell", "table", "cell_next", "linearised_next"]
    challenges = {"alpha": 2, "beta": 3, "delta": 4, "rho": 5}
    found = linearise(small.compiled.circuit, said(honest.image, proof.digit), challenges, proof.scalars)
    rows = {name for name in found.at[0] if name.startswith("rows")}
    assert rows == {"rows0", "rows1"} and not rows & set(found.at[1])
    assert not rows & {name for name, _ in proof.form.stated}
    read = {cell.column for one in constraints(small.compiled.circuit) for cell in cells_of(one.expression)}
    assert read >= rows



# what blinding covers


def blinding_matrix(small, honest, blinders, tau, challenges):
    """How the blinders of all columns enter what a proof fixes: the four stated values, each column at tau (its commitment),
    and the combination at omega tau that the quotient's commitment fixes. A blinder c_k adds c_k z^k (z^n - 1) at z."""
    circuit = small.compiled.circuit
    n, root = circuit.domain, root_of_unity(circuit.domain)
    proof = parse_proof(honest.proof)
    there = linearise(circuit, said(honest.image, proof.digit), challenges, proof.scalars).at[1]
    rho = challenges["rho"]

    def at(column, point):
        scale = pow(point, n, MODULUS) - 1
        return [scale * pow(point, k, MODULUS) * (name == column) % MODULUS for name in COLUMNS for k in range(blinders)]

    def mixed(point):
        rows = [[weight * value % MODULUS for value in at(name, point)] for name, weight in there.items()]
        return [sum(column) % MODULUS for column in zip(*rows)]

    stated = [at("limb", rho), at("cell", rho), at("cell", rho * root), mixed(rho * root)]
    return stated + [at(name, tau) for name in COLUMNS] + [mixed(tau * root)]


@pytest.mark.parametrize("seed", range(3))
def test_four_blinders_make_all_that_a_proof_fixes_uniform(small, honest, seed):
    """Rank 10 of 10: for any weights there are blinders that explain the proof. With two a column, some value is determined."""
    source = np.random.default_rng(seed)
    random_scalar = lambda: int.from_bytes(source.bytes(31), "big")
    challenges, tau = {name: random_scalar() for name in ("alpha", "beta", "delta", "rho")}, random_scalar()
    assert len(reduced(blinding_matrix(small, honest, 4, tau, challenges))) == 10
    assert len(reduced(blinding_matrix(small, honest, 2, tau, challenges))) < 10


def no_blinding(count):
    return Vector.zeros(count)


def guessed_trace(model, image):
    """What a guesser computes of a model: the trace columns without blinding, by value."""
    trace = build_trace(model.compiled, said(image, model.predict(image)))
    values = [trace["limb"], horner_column(trace["limb"]), trace["cell"]]
    key = lagrange_key(model.compiled.circuit.domain, 4)
    return [key.msm(Vector.from_ints([v % MODULUS for v in column] + [0] * 4)) for column in values]


def guessed_row(model):
    """A guesser's commitment of the first row."""
    return monomial_key().msm(Vector.from_ints(model.compiled.rows[0][0]))


def test_a_guessed_model_matches_neither_commitment_nor_proof(small, small_image, honest):
    proof = parse_proof(honest.proof)
    assert guessed_row(small) != small.commitment.rows[0]
    assert all(point not in list(proof.points.values()) for point in guessed_trace(small, small_image))


def test_without_blinding_a_guess_is_confirmed(small, small_image):
    with replaced(randomness.random_scalars, no_blinding):
        bare = commit_model(small.network)
        assert guessed_row(small) == bare.commitment.rows[0]
        proof = parse_proof(honest_claim(small, small_image).proof)
    assert guessed_trace(small, small_image) == list(proof.points.values())[:3]


# the same blinding twice


def repeated_points(claims) -> int:
    """How many points occur more than once in these proofs."""
    points = [point.to_compressed() for claim in claims for point in parse_proof(claim.proof).points.values()]
    return len(points) - len(set(points))


def test_no_point_and_no_value_repeats(small, small_image):
    claims = [honest_claim(small, small_image) for _ in range(8)]
    values = [value for claim in claims for value in parse_proof(claim.proof).scalars.values()]
    assert repeated_points(claims) == 0 and len(set(values)) == len(values)
    assert accepted(claims[0]) == accepted(claims[-1], NATIVE)


def test_reused_blinding_gives_differences_away(small):
    """The difference of two commitments is then the commitment of a difference of traces, which a guess confirms."""
    images = [random_image(seed, 12) for seed in (1, 2)]

    def difference(model_of):
        first, second = (model_of(image) for image in images)
        return first - second

    honest = difference(lambda image: parse_proof(honest_claim(small, image).proof).points["limb"])
    guess = difference(lambda image: guessed_trace(small, image)[0])
    assert honest != guess
    fixed = os.urandom(4096)
    with replaced(randomness.os, FixedSource(fixed)):
        reused = difference(lambda image: parse_proof(honest_claim(small, image).proof).points["limb"])
        assert repeated_points([honest_claim(small, images[0]) for _ in range(2)]) == 8
    assert reused == guess


class FixedSource:
    """An operating system without entropy."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def urandom(self, count: int) -> bytes:
        return (self.data * (count // len(self.data) + 1))[:count]


def test_every_column_is_blinded_with_four_fresh_scalars(small):
    """Two commitments of the same values differ in every coefficient that blinding touches."""
    values = Vector.from_ints(list(range(1024)))
    blinders = COMPACT_FORM.blinders
    first, second = commit_column(values, blinders), commit_column(values, blinders)
    assert first.commitment != second.commitment and first.values == second.values
    one, other = first.coefficients.to_ints(), second.coefficients.to_ints()
    assert [k for k in range(1028) if one[k] != other[k]] == [0, 1, 2, 3, 1024, 1025, 1026, 1027]
    assert first.coefficients.evaluate(root_of_unity(1024)) == 1
    assert blinders == 4 and len(CHALLENGES) == 6


def test_what_is_printed_shows_no_weight(small):
    """`repr` of a model, with weights of six figures to look for."""
    shown = repr(small) + repr(small.committed) + str(small.commitment)
    assert "weights" not in shown and "secrets" not in shown
    assert not any(str(secret) in shown for secret in small.secrets)
