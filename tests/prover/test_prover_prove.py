"""Proving: many shapes, worst-case inputs, fresh blinding, and traces and claims that cannot be proven."""

import dataclasses

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier
from support import changed, horner_column, random_image, random_network, refuses, said, trace_of_limbs, worst_images

from zkpredict.circuits.constraints import evaluate_publics, total_constraint
from zkpredict.circuits.degrees import quotient_length
from zkpredict.circuits.errors import FalseClaim, UnusableInput
from zkpredict.circuits.field import MODULUS, root_of_unity
from zkpredict.circuits.layout import NARROW, WIDE
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.witness import Trace, build_trace
from zkpredict.kernel import Vector
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.prover.prove import Prover, UnprovableTrace, prove
from zkpredict.training.floating import FloatLayer, FloatNetwork
from zkpredict.training.quantize import quantize
from zkpredict.verifier.errors import FailedOpening, WrongStatement
from zkpredict.verifier.messages import proof_bytes
from zkpredict.verifier.native import parse_proof, verify

MISMATCH = "the opening does not match: the claim is false, or the proof was made for another statement"


def prove_and_verify(model: Model, image: np.ndarray) -> int:
    """Proves, verifies the bytes, and makes sure that a flipped pixel and the next digit are refused. Returns the digit."""
    data = prove(model, image).to_bytes()
    proof = parse_proof(data)
    verify(model.commitment, image, proof)
    assert len(data) == proof_bytes() and proof.digit == model.predict(image)
    with refuses(FailedOpening, MISMATCH):
        verify(model.commitment, changed(image.tobytes(), image.size - 1), proof)
    classes = model.commitment.circuit.classes
    other = dataclasses.replace(proof, digit=proof.digit + 1)
    if other.digit < classes:
        with refuses(FailedOpening, MISMATCH):
            verify(model.commitment, image, other)
    else:
        with refuses(WrongStatement, f"the digit {classes} is not one of the {classes} classes"):
            verify(model.commitment, image, other)
    return proof.digit


# Shapes


@pytest.mark.parametrize(
    ("shape", "extra_shift", "lanes", "domain"),
    [
        ((100, 20, 3), 0, (NARROW, WIDE), 1024),
        ((64, 32, 10), 0, (NARROW, WIDE), 1024),
        ((784, 56, 10), 0, (NARROW, WIDE), 1024),
        ((784, 64, 10), 3, (WIDE, WIDE), 2048),
        ((784, 64, 32, 10), 1, (NARROW, WIDE, WIDE), 2048),
        ((50, 12, 9, 7, 5), 0, (NARROW, NARROW, NARROW, WIDE), 1024),
        ((50, 12, 9, 7, 5), 9, (WIDE, WIDE, WIDE, WIDE), 1024),
        ((1500, 8, 3), 0, (NARROW, WIDE), 2048),
        ((1500, 8, 12, 3), 9, (WIDE, WIDE, WIDE), 2048),
        ((2046, 10), 0, (WIDE,), 2048),
        ((5, 3), 0, (WIDE,), 1024),
        ((6, 4, 2), 0, (NARROW, WIDE), 1024),
        ((4, 3, 1), 0, (NARROW, WIDE), 1024),
        ((1, 1), 0, (WIDE,), 1024),
        ((20, 4, 35), 0, (NARROW, WIDE), 2048),
    ],
)
def test_shapes(shape, extra_shift, lanes, domain):
    model = commit_model(random_network(1, shape, extra_shift=extra_shift))
    assert (model.commitment.circuit.lanes, model.commitment.circuit.domain) == (lanes, domain)
    prove_and_verify(model, random_image(2, shape[0]))


@pytest.fixture(scope="module")
def digits():
    """scikit-learn's 8x8 digits as bytes, labels, and a 64-32-10 network trained on the first 1400 of them."""
    bundle = load_digits()
    images = (bundle.data * 15).astype(np.uint8)
    trained = MLPClassifier((32,), solver="lbfgs", random_state=0).fit(images[:1400] / 255, bundle.target[:1400])
    layers = (
        FloatLayer(f"dense {number}", weights.T, bias)
        for number, (weights, bias) in enumerate(zip(trained.coefs_, trained.intercepts_))
    )
    return images, bundle.target, FloatNetwork(tuple(layers))


def test_scikit_learn_digits(digits):
    images, labels, floats = digits
    network = quantize(floats)
    model = commit_model(network)
    found = network.infer(images[1400:]).digits
    assert network.shape == (64, 32, 10) and np.mean(found == labels[1400:]) > 0.85
    assert np.mean(found == floats.digits(images[1400:])) > 0.98
    for number in range(1400, 1406):
        assert prove_and_verify(model, images[number]) == found[number - 1400]


@pytest.mark.parametrize("value", [0, 1, 128, 255])
def test_constant_images(model, value):
    prove_and_verify(model, np.full(30, value, np.uint8))


def test_a_network_of_zeros_says_the_lowest_class():
    zeros = (DenseLayer(np.zeros((4, 3), int), np.zeros(4, int), 2), DenseLayer(np.zeros((3, 4), int), np.zeros(3, int)))
    assert prove_and_verify(commit_model(IntegerNetwork(zeros)), random_image(1, 3)) == 0


@pytest.mark.parametrize("bias", [[5, 9, 9, 1], [7, 7, 7, 7], [-3, -3, -4, -3]])
def test_ties_are_proven_for_the_lowest_index_only(bias):
    model = commit_model(IntegerNetwork((DenseLayer(np.zeros((4, 2), int), np.array(bias)),)))
    image = random_image(1, 2)
    lowest = bias.index(max(bias))
    assert prove_and_verify(model, image) == lowest
    later = max(index for index, value in enumerate(bias) if value == max(bias))
    with refuses(UnprovableTrace, "the linear sum does not close: the claim is false"):
        Prover(model, said(image, later)).prove()


# Worst-case inputs


@pytest.mark.parametrize("shape", [(30, 12, 4), (784, 64, 10)])
def test_worst_case_images_of_the_widest_rows_prove_and_verify(shape):
    network = random_network(3, shape, largest=20)
    model, interval = commit_model(network), network.intervals[0]
    for row in (int(np.argmax(interval.high)), int(np.argmin(interval.low))):
        for image, reach in zip(worst_images(network, row), (interval.high[row], interval.low[row])):
            assert network.infer(image[None, :]).pre_activations[0][0, row] == reach
            prove_and_verify(model, image)


@pytest.mark.parametrize(("shift", "lanes"), [(0, NARROW), (8, NARROW), (9, WIDE), (32, WIDE)])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_row_at_the_very_bound_of_its_lane_proves_and_verifies(shift, lanes, sign):
    bound = (1 << (15 + shift)) - 1
    hidden = DenseLayer(np.array([[sign * (bound // 255)], [-sign]]), np.array([sign * (bound % 255), 0]), shift)
    model = commit_model(IntegerNetwork((hidden, DenseLayer(np.array([[1, 3], [-1, 2]]), np.array([4, 5])))))
    assert model.commitment.circuit.lanes[0] == lanes and model.network.intervals[0].magnitude == bound
    image = np.array([255], np.uint8)
    inference = model.network.infer(image[None, :])
    assert inference.pre_activations[0][0, 0] == sign * bound
    assert inference.activations[0][0, 0] == (bound >> shift if sign > 0 else 0)
    prove_and_verify(model, image)


@pytest.mark.parametrize("sign", [1, -1])
def test_logits_at_their_bound_prove_and_verify(sign):
    bound = (1 << 46) - 1
    layer = DenseLayer(np.array([[sign], [-sign]]), sign * np.array([bound - 255, 255 - bound]))
    model = commit_model(IntegerNetwork((layer,)))
    image = np.array([255], np.uint8)
    assert model.network.infer(image[None, :]).logits.tolist() == [[sign * bound, -sign * bound]]
    prove_and_verify(model, image)


# The polynomial identity


@pytest.mark.parametrize(("shape", "domain"), [((30, 12, 4), 1024), ((30, 8, 9, 4), 2048)])
def test_the_quotient_divides_the_combined_constraint_matches_reference(shape, domain):
    model, image, point = commit_model(random_network(1, shape), domain), random_image(2, shape[0]), 3**150 % MODULUS
    prover = Prover(model, said(image, model.predict(image)))
    known = iter([{"alpha": 5**100 % MODULUS, "beta": 7**90 % MODULUS}, {"delta": 11**70 % MODULUS}, {}])
    for message in prover.form.rounds[:3]:
        prover.answer(message)
        prover.challenges |= next(known)
    alpha = prover.challenges["alpha"]
    polynomials = prover.polynomials() | prover.quotient
    publics = evaluate_publics(model.commitment.circuit, prover.statement, alpha, point)
    for name, public in prover.publics.items():
        spread = domain // len(public.coefficients)
        assert public.coefficients.evaluate(pow(point, spread, MODULUS)) == publics[name]

    class AtPoint:
        def constant(self, value):
            return value

        def cell(self, column, rotation):
            return polynomials[column].evaluate(point * pow(root_of_unity(domain), rotation, MODULUS) % MODULUS)

        def public(self, name):
            return publics[name]

        def challenge(self, name):
            return prover.challenges[name]

    assert total_constraint(prover.circuit, AtPoint()) % MODULUS == 0
    publics["readout"] += 1
    assert total_constraint(prover.circuit, AtPoint()) % MODULUS != 0


# Zero knowledge, as far as equality shows it


def test_two_proofs_of_one_statement_differ_in_every_point_and_scalar(model, image):
    one, two = prove(model, image), prove(model, image)
    assert (one.model_id, one.digit) == (two.model_id, two.digit)
    points = [point.to_compressed() for proof in (one, two) for point in proof.points.values()]
    scalars = [value for proof in (one, two) for value in tuple(proof.scalars.values())]
    assert len(set(points)) == 16 and len(set(scalars)) == 10
    for proof in (one, two):
        verify(model.commitment, image, proof)


# Claims and images that are refused


def test_the_claimed_digit_is_proven_or_refused(model, image):
    answer = model.predict(image)
    assert prove(model, image, answer).digit == answer
    for digit in {-1, 0, 1, 2, 3, 4, 7} - {answer}:
        with refuses(FalseClaim, f"cannot prove digit {digit}: the network says {answer}"):
            prove(model, image, digit)


@pytest.mark.parametrize(
    ("convert", "kind"),
    [
        (lambda image: image.astype(np.int64), "int64"),
        (lambda image: image / 255, "float64"),
        (lambda image: np.full(30, np.nan), "float64"),
        (lambda image: image.astype(np.int8), "int8"),
        (lambda image: image > 0, "bool"),
        (lambda image: image.tolist(), "int64"),
        (lambda image: image.astype(object), "object"),
    ],
)
def test_images_of_another_type_are_refused(model, image, convert, kind):
    with refuses(UnusableInput, f"the image must hold bytes (uint8), got {kind}"):
        prove(model, convert(image))


@pytest.mark.parametrize("size", [0, 29, 31, 784])
def test_images_of_another_size_are_refused(model, size):
    with refuses(UnusableInput, f"the image has {size} pixels, the network takes 30"):
        prove(model, np.zeros(size, np.uint8))


def test_images_may_have_any_shape_and_memory_order(model, image):
    wide = np.zeros((5, 12), np.uint8)
    wide[:, ::2] = image.reshape(5, 6)
    for same in (image.reshape(5, 6), np.asfortranarray(image.reshape(5, 6)), wide[:, ::2]):
        verify(model.commitment, image, prove(model, same))


def test_an_uncommitted_model_proves_nothing(model, image):
    with refuses(UnusableInput, "this model has no commitment yet: run `zkpredict commit` first"):
        prove(Model(model.network), image)


# Traces that are refused

NOT_DIVISIBLE = "the combined constraint is not divisible by X^n - 1: a constraint fails on some row"
LINEAR_OPEN = "the linear sum does not close: the claim is false"
LOOKUP_OPEN = "the lookup sum does not close: the claim is false"


def bent(column: str, row: int, step: int):
    """Changes one cell and nothing else."""

    def change(trace: Trace, circuit) -> Trace:
        parts = {name: values.copy() for name, values in trace.items()}
        if column == "horner":
            parts[column] = horner_column(trace["limb"])
        parts[column][row] += step
        return parts

    return change


def consistent(row: int, delta: int):
    """Changes a limb and everything that follows from it."""

    def change(trace: Trace, circuit) -> Trace:
        limb = trace["limb"].copy()
        limb[row] ^= delta
        return trace_of_limbs(circuit, limb)

    return change


def masked(trace: Trace, circuit) -> Trace:
    """A free limb of 256, counted nowhere: the lookup misses a table row."""
    limb, cell = trace["limb"].copy(), trace["cell"].copy()
    cell[4 * limb[1023]] -= 1
    limb[1023] = 256
    return {"limb": limb, "cell": cell, "horner": horner_column(trace["limb"])}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (bent("limb", 0, 2), LOOKUP_OPEN),
        (bent("cell", 4, 1), LOOKUP_OPEN),
        (bent("cell", 1020, -1), LOOKUP_OPEN),
        (masked, LOOKUP_OPEN),
        (bent("cell", 1, 1), NOT_DIVISIBLE),
        (bent("cell", 1022, 1), NOT_DIVISIBLE),
        (bent("horner", 700, 1), NOT_DIVISIBLE),
        (bent("horner", 1023, 1), NOT_DIVISIBLE),
        (bent("horner", 40, 1), LINEAR_OPEN),
        (bent("cell", 2, 1), LINEAR_OPEN),
        (consistent(3, 1), LINEAR_OPEN),
        (consistent(3, 255), LINEAR_OPEN),
    ],
)
def test_tampered_traces_are_refused(model, image, change, message):
    class Forger(Prover):
        def trace(self):
            return change(super().trace(), self.circuit)

        def filled(self, values):
            return Vector.from_ints([int(value) % MODULUS for value in values])

    digit = model.predict(image)
    verify(model.commitment, image, Prover(model, said(image, digit)).prove())
    with refuses(UnprovableTrace, message):
        Forger(model, said(image, digit)).prove()


def test_the_traces_of_other_digits_and_images_are_refused(model, image):
    digit = model.predict(image)
    for other in {0, 1, 2, 3} - {digit}:
        with refuses(UnprovableTrace, LINEAR_OPEN):
            Prover(model, said(image, other)).prove()

    class Forger(Prover):
        def trace(self):
            return build_trace(self.compiled, said(255 - image, digit))

    with refuses(UnprovableTrace, LINEAR_OPEN):
        Forger(model, said(image, digit)).prove()


@pytest.mark.parametrize("field", ["limb", "cell", "table", "cell_next", "linearised_next"])
def test_wrong_evaluations_are_refused(model, image, field):
    class Forger(Prover):
        def evaluate(self):
            stated = super().evaluate()
            return stated | {field: (stated[field] + 1) % MODULUS}

    with refuses(UnprovableTrace, "the folded polynomial does not take the stated value: an evaluation is wrong"):
        Forger(model, said(image, model.predict(image))).prove()


def test_a_quotient_of_too_high_a_degree_is_refused(model, image):
    prover = Prover(model, said(image, model.predict(image)))
    limit = quotient_length(prover.circuit)
    fitting = Vector.from_ints([1] * limit + [0] * (4096 - limit))
    assert prover.bounded(fitting).to_ints() == [1] * limit
    with refuses(UnprovableTrace, NOT_DIVISIBLE):
        prover.bounded(Vector.from_ints([1] * (limit + 1) + [0] * (4095 - limit)))


@pytest.mark.parametrize("name", ["model", "statement"])
def test_a_prover_s_repr_shows_no_secret(model, image, name):
    prover = Prover(model, said(image, model.predict(image)))
    prover.answer(prover.form.rounds[0])
    assert name in repr(prover)
    assert not [secret for secret in model.secrets if str(secret) in repr(prover)]
    assert "weights" not in repr(prover)


def test_a_column_of_the_trace_takes_integers_of_any_kind_and_no_others():
    model = commit_model(Model(random_network(3, (4, 2))))
    prover = Prover(model, said(random_image(1, 4), 0))
    assert prover.filled([np.int64(-1), True, 1 << 300]).to_ints() == [MODULUS - 1, 1, (1 << 300) % MODULUS]
    with refuses(TypeError, "'float' object cannot be interpreted as an integer"):
        prover.filled([1.0])
