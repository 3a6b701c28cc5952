"""What a batch shows beside a single proof: sums of weights at other rows' points, which `mask` hides. Each count has a twin that leaks."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from distributions import SIGNIFICANCE, bits_p, buckets, uniform_p
from test_zk_wide import network_of
from trapdoor import DOMAIN, Simulator, ceremony_of, random_scalar
from wide_forms import WideView, leaked

from zkpredict.circuits.batch.gadgets import MASK
from zkpredict.circuits.batch.layout import BatchCircuit
from zkpredict.circuits.batch.statement import BatchStatement
from zkpredict.circuits.columns import linearised_name
from zkpredict.circuits.constraints import evaluate_publics
from zkpredict.circuits.field import MODULUS, inverse, root_of_unity
from zkpredict.circuits.networks.activations import RELU8
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.placement import form
from zkpredict.kernel import Vector
from zkpredict.prover.batch import BatchProver
from zkpredict.prover.commit import commit_model
from zkpredict.prover.polynomial import Column
from zkpredict.verifier.batch import BatchPart, BatchProof, verify_batch
from zkpredict.verifier.messages import derive_challenges

MANY, PILE, COUNT, SLOTS = 2000, 24, 5, 4


def batch_network() -> IntegerNetwork:
    """Of a shape that leaves four slots on 1,024 rows."""
    source = np.random.default_rng(8)
    hidden = DenseLayer(source.integers(-20, 21, (100, 20)), source.integers(-99, 100, 100), 4, RELU8)
    return IntegerNetwork((hidden, DenseLayer(source.integers(-20, 21, (4, 100)), source.integers(-99, 100, 4))))


@pytest.fixture(scope="module")
def tau():
    """A test ceremony, in force while this module runs."""
    tau = random_scalar()
    with ceremony_of(tau):
        yield tau


@pytest.fixture(scope="module")
def model(tau):
    found = commit_model(batch_network(), DOMAIN, batch=True)
    assert found.commitment.circuit.slots == SLOTS
    return found


def images_of(count: int) -> np.ndarray:
    return np.random.default_rng(4).integers(0, 256, (count, 20), dtype=np.uint8)


def prover_of(model, kind=BatchProver) -> BatchProver:
    images = images_of(COUNT)
    return kind(model, BatchStatement.of(images.tobytes(), tuple(map(int, model.network.infer(images).digits))))


def view_of(prover: BatchProver, part: BatchPart, tau: int) -> WideView:
    """The adversary's view of an honest proof. What it has as points it is given as numbers."""
    challenges = derive_challenges(prover.circuit.digest, prover.statement, part)
    at_tau = {name: column.coefficients.evaluate(tau) for name, column in prover.columns.items()}
    at_tau |= {name: coefficients.evaluate(tau) for name, coefficients in (prover.row_coefficients | prover.fixed).items()}
    publics = evaluate_publics(prover.circuit, prover.statement, challenges["alpha"], tau)
    return WideView(prover.circuit, prover.statement, tau, challenges, part.scalars, at_tau, publics)


def mask_blinders(circuit: BatchCircuit) -> dict[str, int]:
    return {MASK: form(circuit).blinders_of(MASK)}


def test_a_real_batch_leaks_nothing(tau, model):
    """The mask has two blinders for each rotation, all other columns four; with none of its own each rotation shows a fact."""
    prover = prover_of(model)
    part = prover.prove_part()
    view, shape = view_of(prover, part, tau), form(prover.circuit)
    assert shape.rotations == (0, 1, -32, -64, -96) and mask_blinders(prover.circuit) == {MASK: 2 * (SLOTS + 1)}
    assert {shape.blinders_of(column.name) for column in shape.proof_columns if column.name != MASK} == {4}
    assert all(len(column.coefficients) == DOMAIN + shape.blinders_of(name) for name, column in prover.columns.items())
    for rotation in shape.rotations[2:]:
        terms = view.forms()[linearised_name(rotation)]
        assert {column for column, _ in terms} == {MASK} and 0 not in terms.values()
    assert leaked(view, mask_blinders(prover.circuit)) == 0
    assert leaked(view, {MASK: 0}) == SLOTS  # its own point, and each rotation
    assert leaked(view, {MASK: SLOTS - 1}) == 1


def test_2000_batches_leak_nothing(tau, model):
    """With challenges and stated values drawn at random: what is linear in blinders does not depend on the rest."""
    circuit = BatchCircuit.of(model.commitment.circuit, COUNT)
    shape, blinders = form(circuit), mask_blinders(circuit)
    statement = prover_of(model).statement
    for _ in range(MANY):
        challenges = {name: random_scalar() for message in shape.rounds for name in message.challenges} | {"rho": random_scalar() >> 15}
        view = RandomView(circuit, statement, tau, challenges, {}, defaultdict(random_scalar), defaultdict(random_scalar))
        assert leaked(view, blinders) == 0


class RandomView(WideView):
    """Of a proof that nobody made: only what rotations of the mask show, and what shares columns with it."""

    def forms(self):
        n, delta = self.circuit.domain, self.challenges["delta"]
        root = root_of_unity(n)
        shown = {f"[{MASK}]": {(MASK, self.tau): 1}}
        quotient = {("sum", self.tau * root % MODULUS): delta}
        for rotation in form(self.circuit).rotations[2:]:
            turn = pow(root, rotation, MODULUS)
            shown[linearised_name(rotation)] = {(MASK, self.challenges["rho"] * turn % MODULUS): delta}
            quotient[MASK, self.tau * turn % MODULUS] = delta
        return shown | {"[sum]": {("sum", self.tau): 1}, "[quotient]": quotient}


def test_masked_values_are_uniform_and_independent(tau, model):
    """Those of 24 proofs of one statement, by themselves and as differences of neighbours."""
    proofs = [prover_of(model).prove_part() for _ in range(PILE)]
    names = [linearised_name(rotation) for rotation in form(prover_of(model).circuit).rotations[2:]]
    for name, other in zip(names, names[1:] + names[:1]):
        values = [proof.scalars[name] for proof in proofs]
        apart = [(proof.scalars[name] - proof.scalars[other]) % MODULUS for proof in proofs]
        for own in (values, apart):
            assert len(set(own)) == PILE and min(uniform_p(buckets(own)), bits_p(own, 64)) > SIGNIFICANCE


# without the mask


class Bare(BatchProver):
    """A prover whose mask hides nothing: everybody knows that its blinding polynomial is 1."""

    def commit(self, values):
        found = super().commit(values)
        if MASK in found:
            n = self.circuit.domain
            found[MASK] = Column(values[MASK], Vector.from_ints([MODULUS - 1] + [0] * (n - 1) + [1]), found[MASK].commitment)
        return found


def test_without_a_mask_one_proof_gives_all_weights_of_a_layer(tau):
    """Sixteen slots: fifteen values of one committed row, which has twelve weights, a bias and a random entry."""
    model = commit_model(network_of(RELU8), DOMAIN, batch=True)
    prover = prover_of(model, Bare)
    circuit = prover.circuit
    for message in form(circuit).rounds[:4]:
        prover.answer(message)
        prover.challenges |= {name: random_scalar() >> 15 for name in message.challenges}
    rotations = form(circuit).rotations[2:]
    assert circuit.slots == 16 and len(rotations) == 15 and circuit.row_columns[-1].name == "rows1_0"
    (exponent,) = circuit.row_columns[-1].exponents
    rows, numbers = model.compiled.places(circuit.row_columns[-1])
    places = [*rows.tolist(), 30, 31]
    known = []
    for rotation in rotations:
        point, terms = prover.point_at(rotation), prover.linearisation.at[rotation]
        hidden = terms[MASK] * (pow(point, DOMAIN, MODULUS) - 1)
        value = (prover.scalars[linearised_name(rotation)] - hidden) * inverse(terms["rows1_0"]) % MODULUS
        known.append(([lagrange(row, point) for row in places], value * inverse(pow(prover.challenges["alpha"], exponent, MODULUS)) % MODULUS))
    found = solved(known[: len(places)])
    bias, weights = model.compiled.packed(1, 0)
    assert found[:-1] == [weights[number] % MODULUS for number in numbers] + [bias % MODULUS] and found[-1] == model.secrets[-1]
    # and the value that is left agrees
    assert sum(c * w for c, w in zip(known[-1][0], found)) % MODULUS == known[-1][1]


def lagrange(row: int, point: int) -> int:
    node = pow(root_of_unity(DOMAIN), row, MODULUS)
    return (pow(point, DOMAIN, MODULUS) - 1) * inverse(DOMAIN) * node * inverse(point - node) % MODULUS


def solved(equations: list[tuple[list[int], int]]) -> list[int]:
    """The unknowns of as many linear equations."""
    rows = [[*coefficients, value] for coefficients, value in equations]
    for at in range(len(rows)):
        pivot = next(number for number in range(at, len(rows)) if rows[number][at])
        rows[at], rows[pivot] = rows[pivot], rows[at]
        scale = inverse(rows[at][at])
        rows[at] = [value * scale % MODULUS for value in rows[at]]
        for number in range(len(rows)):
            if number != at and rows[number][at]:
                rows[number] = [(one - rows[number][at] * two) % MODULUS for one, two in zip(rows[number], rows[at])]
    return [row[-1] for row in rows]


# the simulator


class BatchSimulator(Simulator):
    """Makes proofs of batches from tau, the row points, inputs and classes."""

    classes = (0, 3, 1, 2, 2)

    @property
    def circuit(self) -> BatchCircuit:
        return BatchCircuit.of(self.commitment.circuit, len(self.classes))

    def statement(self, image, digit, outputs):
        return BatchStatement.of(image, self.classes)


def test_batches_are_made_without_weights(tau, model):
    """For any classes: the verifier accepts."""
    images = images_of(COUNT)
    made = BatchSimulator(tau, model.commitment).prove(images.tobytes(), COUNT)
    part = BatchPart(made.model_id, COUNT, made.points, made.scalars, made.form, classes=BatchSimulator.classes)
    verify_batch(model.commitment, images, BatchProof(made.model_id, (part,)))
    assert part.classes != tuple(model.network.infer(images).digits)
    # and the last two points of an honest proof carry nothing of their own
    prover = prover_of(model)
    honest = prover.prove_part()
    challenges = derive_challenges(prover.circuit.digest, prover.statement, honest)
    simulator = BatchSimulator(tau, model.commitment)
    assert simulator.opening(honest, prover.statement, challenges) == honest.points["opening"]
    assert simulator.final(honest, prover.statement, challenges) == honest.points["final"]


def test_no_value_of_a_row_is_stated(model):
    shape = form(BatchCircuit.of(model.commitment.circuit, COUNT))
    assert not [name for name, _ in shape.stated if name.startswith(("rows", "codes", MASK))]
