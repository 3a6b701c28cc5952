"""The shipped network: all 10,000 MNIST test images satisfy the system, 200 are proven, 3 are verified independently."""

import numpy as np
import pytest
from support import changed, horner_column, refuses, said

from zkpredict.circuits.constraints import constant_term, constraints, readout, selectors
from zkpredict.circuits.gadgets.bytes import TABLE
from zkpredict.circuits.gadgets.dense import row_column
from zkpredict.circuits.gadgets.public_input import image_polynomial
from zkpredict.circuits.field import MODULUS, inverse, powers
from zkpredict.circuits.witness import Trace, build_trace
from zkpredict.kernel import Vector
from zkpredict.prover.environment import Values
from zkpredict.prover.prove import prove
from zkpredict.verifier import independent
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import FailedOpening
from zkpredict.verifier.native import parse_proof, verify

ALPHA, BETA = 5**110 % MODULUS, 7**91 % MODULUS
BATCH = 250
MISMATCH = "the opening does not match: the claim is false, or the proof was made for another statement"


class ManyTraces:
    """The constraint list on many traces of one network at once, by the prover's own `Values` on kernel vectors.

    Row r of trace k is entry `r * traces + k` of a vector, so "the next row" is `traces` entries further.
    """

    def __init__(self, compiled) -> None:
        self.compiled, self.circuit = compiled, compiled.circuit
        n, scale = self.circuit.domain, inverse(self.circuit.domain)
        classes = range(self.circuit.classes)
        self.public_rows = {name: on_rows(polynomial, n) for name, polynomial in selectors(self.circuit, ALPHA).items()}
        self.readouts = Vector.concat([on_rows(readout(self.circuit, ALPHA, digit), n) for digit in classes])
        self.constants = Vector.from_ints([constant_term(self.circuit, ALPHA, digit) * scale % MODULUS for digit in classes])
        self.weight_rows = {}
        weights = powers(ALPHA, self.circuit.first_equation(self.circuit.layers))
        for layer, rows in enumerate(compiled.rows):
            chosen = weights[self.circuit.first_equation(layer) :: self.circuit.packs_per_row(layer)][: len(rows)]
            combined = Vector.linear_combination([Vector.from_ints(row) for row in rows], chosen)
            self.weight_rows[row_column(layer)] = combined.ntt() if layer == 0 else combined
        self.weight_rows["table"] = Vector.concat([Vector.from_ints(list(TABLE)).intt(), Vector.zeros(n - len(TABLE))]).ntt()

    def failing(self, images: np.ndarray, digits: list[int], traces: list[Trace]) -> set[tuple[str, int]]:
        """(constraint, number of the trace) for every constraint that fails anywhere on a trace; empty when all hold."""
        n, count = self.circuit.domain, len(traces)
        row, trace = np.divmod(np.arange(n * count), count)
        by_trace = trace * n + row  # entry of a vector that lists trace after trace
        columns = {
            "limb": Vector.from_signed(np.stack([t["limb"] for t in traces], axis=1).reshape(-1)),
            "cell": Vector.from_signed(np.stack([t["cell"] for t in traces], axis=1).reshape(-1)),
            "horner": Vector.from_ints([value for values in zip(*(t.get("horner") or horner_column(t["limb"]) for t in traces)) for value in values]),
            "linear": Vector.zeros(n * count),
        } | {name: gathered(vector, row) for name, vector in self.weight_rows.items()}
        publics = {name: gathered(vector, row) for name, vector in self.public_rows.items()}
        said = np.array(digits, np.int64)[trace]
        publics["readout"] = gathered(self.readouts, said * n + row)
        publics["constants"] = gathered(self.constants, said)
        pictures = [Vector.from_ints(image_polynomial(self.circuit, image.tobytes(), ALPHA)).ntt() for image in images]
        publics["inputs"] = gathered(Vector.concat(pictures), by_trace) * inverse(n)
        values = Values(columns, publics, {"alpha": ALPHA, "beta": BETA}, step=count)

        linear = next(c for c in constraints(self.circuit) if c.name == "linear")
        shares = (columns["cell"] * publics["table_head"]) * (columns["table"] + BETA).inverse()
        increments = {"linear": -linear.expression.evaluate(values), "lookup": (columns["limb"] + BETA).inverse() - shares}
        for name, steps in increments.items():
            columns[name] = gathered(self.running_sums(steps, row, trace, count), by_trace)
        found = set()
        for constraint in constraints(self.circuit):
            result = constraint.expression.evaluate(values)
            if result != Vector.zeros(n * count):
                found |= {(constraint.name, place % count) for place, value in enumerate(result) if value}
        return found

    def running_sums(self, steps: Vector, row: np.ndarray, trace: np.ndarray, count: int) -> Vector:
        """Partial sums of each trace from zero, trace after trace. A sum that does not close fails in the trace's last row."""
        n = self.circuit.domain
        listed = gathered(steps, np.arange(n * count) % n * count + np.arange(n * count) // n)
        ones = Vector.from_ints([1] * n)
        return Vector.concat([ones.scan(listed[k * n : (k + 1) * n], 0)[0:n] for k in range(count)])


def gathered(vector: Vector, positions: np.ndarray) -> Vector:
    """The elements at `positions`, moved about as the 32 bytes that they are."""
    return Vector.from_bytes(np.frombuffer(vector.to_bytes(), np.uint8).reshape(-1, 32)[positions].tobytes())


def on_rows(polynomial, domain: int) -> Vector:
    return Vector.from_ints([polynomial.at_row(row) for row in range(domain)])


@pytest.fixture(scope="module")
def many(mnist) -> ManyTraces:
    return ManyTraces(mnist.compiled)


@pytest.fixture(scope="module")
def plain_digits(mnist, mnist_images) -> np.ndarray:
    """What numpy says, without any code of the package."""
    values = mnist_images.astype(np.int64)
    for layer in mnist.network.layers[:-1]:
        values = np.maximum(values @ layer.weights.T + layer.bias, 0) >> layer.shift
    last = mnist.network.layers[-1]
    return np.argmax(values @ last.weights.T + last.bias, axis=1)


def test_the_shipped_files_belong_together(mnist, root):
    assert ModelCommitment.load(root / "examples" / "mnist.commitment") == mnist.commitment
    assert (mnist.network.name, mnist.commitment.circuit.domain) == ("784-64-10", 1024)


def test_the_network_reads_digits(plain_digits, mnist_labels):
    assert len(plain_digits) == 10_000 and np.mean(plain_digits == mnist_labels) > 0.975


@pytest.mark.parametrize("first", range(0, 10_000, 2_000))
def test_every_test_image_satisfies_the_system_with_the_digit_of_numpy(mnist, mnist_images, plain_digits, many, first):
    for start in range(first, first + 2_000, BATCH):
        images = mnist_images[start : start + BATCH]
        digits = plain_digits[start : start + BATCH].tolist()
        traces = [build_trace(mnist.compiled, said(image, digit)) for image, digit in zip(images, digits)]
        assert many.failing(images, digits, traces) == set()
        assert mnist.network.infer(images).digits.tolist() == digits


@pytest.fixture(scope="module")
def few(mnist, mnist_images, plain_digits):
    """Eight images with their digits and honest traces."""
    images, digits = mnist_images[:8], plain_digits[:8].tolist()
    return images, digits, [build_trace(mnist.compiled, said(image, digit)) for image, digit in zip(images, digits)]


@pytest.mark.parametrize(
    ("column", "row", "step", "names"),
    [
        ("limb", 0, 2, {"sign", "lookup"}),
        ("cell", 1, 1, {"sign", "relu"}),
        ("cell", 2, 1, {"relu", "linear"}),
        ("cell", 4, 1, {"lookup"}),
        ("horner", 700, 1, {"horner"}),
        ("limb", 1023, 256, {"lookup", "horner"}),
    ],
)
def test_a_tampered_trace_is_found_among_honest_ones(many, few, column, row, step, names):
    images, digits, traces = few
    assert many.failing(images, digits, traces) == set()
    parts = {name: values.copy() for name, values in traces[3].items()}
    parts["horner"] = horner_column(parts["limb"])
    parts[column][row] += step
    found = many.failing(images, digits, [*traces[:3], parts, *traces[4:]])
    assert {number for _, number in found} == {3}
    assert {name for name, _ in found} - {"boolean"} == names


def test_another_digit_or_image_is_found_among_honest_ones(mnist, many, few):
    images, digits, traces = few
    wrong = (digits[5] + 1) % 10
    claimed = [*digits[:5], wrong, *digits[6:]]
    assert many.failing(images, claimed, traces) == {("linear", 5)}
    retraced = [*traces[:5], build_trace(mnist.compiled, said(images[5], wrong)), *traces[6:]]
    assert many.failing(images, claimed, retraced) == {("linear", 5)}
    other = images.copy()
    other[2, 400] ^= 1
    assert many.failing(other, digits, traces) == {("linear", 2)}


@pytest.mark.parametrize("first", range(0, 10_000, 1_000))
def test_200_images_are_proven_and_verified(mnist, mnist_images, plain_digits, first):
    for number in range(first, first + 1_000, 50):
        image = mnist_images[number]
        proof = parse_proof(prove(mnist, image).to_bytes())
        verify(mnist.commitment, image, proof)
        assert proof.digit == plain_digits[number]
        with refuses(FailedOpening, MISMATCH):
            verify(mnist.commitment, changed(image.tobytes(), number % 784), proof)


@pytest.mark.parametrize("number", [0, 4321, 9999])
def test_three_images_are_verified_independently(mnist, mnist_images, plain_digits, number):
    image, commitment = mnist_images[number], mnist.commitment.to_bytes()
    data = prove(mnist, image).to_bytes()
    assert independent.verify(commitment, image.tobytes(), data) == plain_digits[number]
    with refuses(FailedOpening, MISMATCH):
        independent.verify(commitment, changed(image.tobytes(), 400), data)
