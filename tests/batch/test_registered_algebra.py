"""The algebra of registered test sets on plain polynomials: T_c, components, divisibility, weights that are products. docs/batches.md."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from support import evaluate

from zkpredict.circuits.batch.interleaving import MOST_TOGETHER, interleaved, polynomials, together
from zkpredict.circuits.batch.registered import RegisteredBatch, RegisteredStatement
from zkpredict.circuits.columns import ROOTS
from zkpredict.circuits.field import MODULUS, inverse
from zkpredict.circuits.networks.activations import RELU
from zkpredict.circuits.placement import form
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.kernel import Vector
from zkpredict.prover.polynomial import divide_by_binomial
from zkpredict.verifier.batch import MAX_INPUTS
from zkpredict.verifier.native import statement_weights
from zkpredict.verifier.opening import Linearisation, fold, opening_point
from zkpredict.verifier.messages import REGISTERED_MAGIC
from zkpredict.verifier.testset import INPUTS_LABEL, REGISTERED_LABEL, SET_MAGIC

SOURCE = random.Random(9)


def some(count: int) -> list[int]:
    return [SOURCE.randrange(MODULUS) for _ in range(count)]


def one_of(images: list[list[int]]) -> list[int]:
    """T by its definition: coefficient k of input j at X^(m k + j)."""
    m, size = len(images), len(images[0])
    return [images[at % m][at // m] for at in range(m * size)]


def divided(polynomial: list[int], degree: int, factor: int) -> tuple[list[int], list[int]]:
    """Long division by factor X^degree - 1, one coefficient after the other: the slow twin."""
    left, quotient = list(polynomial), []
    for at in reversed(range(degree, len(left))):
        own = left[at] * inverse(factor) % MODULUS
        quotient.append(own)
        left[at], left[at - degree] = 0, (left[at - degree] + own) % MODULUS
    return quotient[::-1], left[:degree]


@pytest.mark.parametrize("m, size", [(1, 7), (2, 5), (4, 9), (8, 1)])
def test_division_matches_reference_and_leaves_the_components(m, size):
    """T modulo rho X^m - 1 is sum_j t_j(1/rho) X^j: no root of X^m = 1/rho has to be in the field."""
    images, rho = [some(size) for _ in range(m)], SOURCE.randrange(1, MODULUS)
    whole = one_of(images)
    quotient, left = divide_by_binomial(Vector.from_ints(whole), m, rho)
    assert (quotient.to_ints(), left) == divided(whole, m, rho)
    assert left == [evaluate(image, inverse(rho)) for image in images]
    point = SOURCE.randrange(MODULUS)
    assert evaluate(whole, point) == (evaluate(quotient.to_ints(), point) * (rho * pow(point, m, MODULUS) - 1) + evaluate(left, point)) % MODULUS


def test_no_other_numbers_are_what_is_left():
    """Any other m numbers, also with the same weighted sum, leave something: T less them is not divisible."""
    images, rho, alpha = [some(9) for _ in range(4)], SOURCE.randrange(1, MODULUS), SOURCE.randrange(1, MODULUS)
    whole = one_of(images)
    _, left = divided(whole, 4, rho)
    weights = [pow(alpha, 3 * (3 - j), MODULUS) for j in range(4)]
    moved = [(left[0] + weights[1]) % MODULUS, (left[1] - weights[0]) % MODULUS, *left[2:]]
    assert sum(map(int.__mul__, moved, weights)) % MODULUS == sum(map(int.__mul__, left, weights)) % MODULUS
    for said, rest in ((left, [0] * 4), (moved, [-weights[1] % MODULUS, weights[0], 0, 0]), (left[1:] + left[:1], None)):
        remainder = divided([(c - (said[k] if k < 4 else 0)) % MODULUS for k, c in enumerate(whole)], 4, rho)[1]
        assert remainder == rest if rest is not None else any(remainder)


def test_claims_at_points_that_meet_are_each_divisible():
    """Z_i times what claim i says something about is Z, whether moduli share a root or not: if the sum is divisible by Z, then for all but
    two values of nu each claim is. Here X - 2 and X^2 - 4 share one, and the first claim is false by a constant."""
    def times(one, other):
        return [sum(one[i] * other[k - i] for i in range(len(one)) if 0 <= k - i < len(other)) % MODULUS for k in range(len(one) + len(other) - 1)]

    def rest(polynomial, modulus):
        left = list(polynomial)
        while len(left) >= len(modulus):
            top = left.pop()
            for k, c in enumerate(modulus[:-1]):
                at = len(left) - len(modulus) + 1 + k
                left[at] = (left[at] - top * c) % MODULUS
        return left

    single, pair = [MODULUS - 2, 1], [MODULUS - 4, 0, 1]
    whole = times(single, pair)
    honest = times(pair, times(single, some(4))), times(single, times(pair, some(4)))
    wrong = [(a + 5 * b) % MODULUS for a, b in zip(honest[0], [*pair, *[0] * len(honest[0])])]
    for nu in range(1, 50):
        both = [sum(parts) % MODULUS for parts in zip(honest[0], [nu * c for c in honest[1]])]
        bad = [sum(parts) % MODULUS for parts in zip(wrong, [nu * c for c in honest[1]])]
        assert not any(rest(both, whole)) and any(rest(bad, whole))


def test_inputs_lie_in_polynomials_as_the_page_says():
    assert [together(size) for size in (1, 64, 65, 512, 784, 1024, 1025, 2048, 2049, 4096, 4097)] == [64, 64, 32, 8, 4, 4, 2, 2, 1, 1, 0]
    for size in range(1, 4097):
        m = together(size)
        assert m * size <= 4096 < 2 * m * size or m == MOST_TOGETHER
    assert [polynomials(count, 784) for count in (1, 4, 5, 128, 10_000)] == [1, 1, 2, 32, 2500]
    images = np.random.default_rng(2).integers(0, 256, (9, 784), dtype=np.uint8)
    found = interleaved(images.tobytes(), 784)
    assert found.shape == (3, 3136)
    padded = [*images.tolist(), *[[0] * 784] * 3]
    assert found.tolist() == [one_of(padded[at : at + 4]) for at in (0, 4, 8)]


def circuit_of(inputs: int, hidden: int, images: int, domain: int = 512) -> RegisteredBatch:
    slotted = WideCircuit((inputs, hidden, 3), (1,), (RELU,), domain).blocks > 1 and hidden < 100
    return RegisteredBatch.of(WideCircuit((inputs, hidden, 3), (1,), (RELU,), domain, slotted=slotted), images)


@pytest.mark.parametrize(
    "circuit, slots, m",
    [(circuit_of(500, 12, 19), 8, 8), (circuit_of(400, 12, 23), 8, 8), (circuit_of(500, 60, 9), 4, 8), (circuit_of(60, 12, 130), 8, 64),
     (circuit_of(784, 64, 128, 2048), 16, 4), (circuit_of(300, 600, 17), 1, 8), (circuit_of(500, 12, 1), 8, 8)],
    ids=lambda one: str(one) if isinstance(one, int) else f"{one.images} x {one.inputs}",
)  # fmt: skip
def test_weights_are_products_and_the_input_is_the_weighted_sum_of_components(circuit, slots, m):
    """m and J in both orders, several stacks, places to spare: the components of sum_c alpha^A(c) T_c, weighed by alpha^B(j), give what a
    verifier computes who has the inputs."""
    assert (circuit.slots, circuit.together) == (slots, m)
    alpha, z = SOURCE.randrange(1, MODULUS), SOURCE.randrange(1, MODULUS)
    images = np.random.default_rng(3).integers(0, 256, (circuit.images, circuit.inputs), dtype=np.uint8)
    for image in range(circuit.images):
        number, place = divmod(image, m)
        exponents = circuit.polynomial_exponent(number), circuit.component_exponent(place)
        assert circuit.image_exponent(image) == sum(exponents) and min(exponents) >= 0
    whole = Vector.combine_rows(interleaved(images.tobytes(), circuit.inputs), circuit.point_weights(alpha)).to_ints()
    components = [evaluate(whole[j::m], z) for j in range(m)]
    weighted = sum(pow(alpha, circuit.component_exponent(j), MODULUS) * value for j, value in enumerate(components)) % MODULUS
    wanted = sum(pow(alpha, circuit.image_exponent(b), MODULUS) * evaluate(image, z) for b, image in enumerate(images.tolist())) % MODULUS
    assert weighted == wanted


def test_the_fold_has_one_more_claim():
    """Last by powers of nu; all other claims have rho zeta^m - 1 beside them, and W all of it."""
    circuit = circuit_of(500, 12, 9)
    shape = form(circuit)
    alpha, rho, nu, zeta = some(4)
    challenges = {"alpha": alpha, "rho": rho, "nu": nu, "zeta": zeta}
    scalars = dict(zip(shape.scalars, some(len(shape.scalars)), strict=True))
    linear = Linearisation({k: {f"column{k}": SOURCE.randrange(MODULUS)} for k in shape.rotations}, SOURCE.randrange(MODULUS))
    found = fold(circuit, linear, scalars, challenges)
    distances = {k: zeta - opening_point(circuit, k, challenges) for k in shape.rotations} | {ROOTS: rho * pow(zeta, 8, MODULUS) - 1}
    value = 0
    for power, claim in enumerate(shape.claims):
        beside = pow(nu, power, MODULUS)
        for k in (k for k in distances if k not in claim.points):
            beside = beside * distances[k] % MODULUS
        (at,) = claim.points  # of dense layers nothing is stated at two places
        if claim.column is None:
            name, coefficient = f"column{at}", linear.at[at][f"column{at}"]
            others = [scalars[key] for key in shape.scalars if key.startswith("linearised")]
            said = scalars[shape.scalars[len(shape.stated) + shape.rotations.index(at) - 1]] if at else -linear.constant - sum(others)
        elif at == ROOTS:
            name, coefficient, said = "input", 1, evaluate([scalars[f"input_{j}"] for j in range(8)], zeta)
        else:
            name, coefficient, said = claim.column, 1, scalars[claim.column]
        assert found.columns[name] == beside * coefficient % MODULUS
        value += beside * said
    whole = 1
    for distance in distances.values():
        whole = whole * distance % MODULUS
    assert (found.opening, found.value) == (-whole % MODULUS, value % MODULUS) and shape.claims[-1].points == (ROOTS,)


def test_points_of_a_set_are_folded_by_their_weights():
    circuit, alpha = circuit_of(500, 12, 19), SOURCE.randrange(MODULUS)
    assert statement_weights(circuit, alpha) == [pow(alpha, circuit.polynomial_exponent(c), MODULUS) for c in range(3)]
    assert statement_weights(circuit.model, alpha) == statement_weights(None, alpha) == [1]


def test_sizes_and_bits_are_what_the_page_says():
    """128 MNIST images through 784-64-10: the bytes of the set and of a score on it; the chance that registration misses a byte, at the most
    polynomials that a set may have, and that zeta is one where the claims only seem to be divisible."""
    page = (Path(__file__).parents[2] / "docs" / "batches.md").read_text()
    circuit = circuit_of(784, 64, 128, 2048)
    shape, points = form(RegisteredBatch.of(WideCircuit((784, 64, 10), (1,), (RELU,), 2048, slotted=True), 128)), polynomials(128, 784)
    assert 5 + 4 + 4 + 2 * 128 + 48 * (points + 1) == 1853 and "1,853 bytes" in page
    head = 5 + 32 + 4 + 5 + 32 + 4 + 2
    assert head + 2 * 128 + 48 * len(shape.points) + 32 * len(shape.scalars) == 4388 and "4,388 bytes" in page
    assert shape.scalars[-4:] == ("input_0", "input_1", "input_2", "input_3") and circuit.together == 4
    assert (MAX_INPUTS + 4095) * 1.36 / MODULUS < 2**-234 and "u and y 2^-234" in page
    assert (4095 + 64 + 1 + MOST_TOGETHER) * 1.36 / MODULUS < 2**-242
    for label in (REGISTERED_LABEL, INPUTS_LABEL, RegisteredStatement.label):
        assert f'"{label.decode()}"' in page
    for magic in (SET_MAGIC, REGISTERED_MAGIC):
        assert f'"{magic[:4].decode()}" {magic[4]:02d}' in page
