"""The readable field: against `pow`, and its edges."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support import evaluate, evaluate_values, refuses

from zkpredict.circuits.field import GENERATOR, MODULUS, TWO_ADICITY, inverse, inverses, powers, root_of_unity

nonzero = st.integers(1, MODULUS - 1)


@given(nonzero, st.integers(-3, 3))
def test_inverse_matches_reference(value, turns):
    assert inverse(value + turns * MODULUS) == pow(value, MODULUS - 2, MODULUS)


@given(st.lists(nonzero, max_size=12))
def test_inverses_matches_reference(values):
    assert inverses(values) == [pow(value, MODULUS - 2, MODULUS) for value in values]


@pytest.mark.parametrize("values", [[0], [3, 0, 5], [MODULUS]])
def test_zero_has_no_inverse(values):
    assert inverses([1]) == [1]
    with refuses(ZeroDivisionError, "zero has no inverse in the field"):
        inverses(values)
    with refuses(ZeroDivisionError, "zero has no inverse in the field"):
        inverse(MODULUS)


@given(st.integers(0, MODULUS - 1), st.integers(0, 20))
def test_powers_matches_reference(base, count):
    assert powers(base, count) == [pow(base, k, MODULUS) for k in range(count)]


@pytest.mark.parametrize("bits", range(TWO_ADICITY + 1))
def test_roots_of_unity_have_their_exact_order(bits):
    root = root_of_unity(1 << bits)
    assert pow(root, 1 << bits, MODULUS) == 1
    assert bits == 0 or pow(root, 1 << (bits - 1), MODULUS) == MODULUS - 1
    assert bits == 0 or root * root % MODULUS == root_of_unity(1 << (bits - 1))


@pytest.mark.parametrize("size", [0, -1, 3, 1000, 1 << 33])
def test_other_subgroup_sizes_are_refused(size):
    with refuses(ValueError, f"subgroup size must be a power of two up to 2^32, got {size}"):
        root_of_unity(size)


def test_the_generator_is_no_square_root_of_unity_and_no_square():
    assert pow(GENERATOR, (MODULUS - 1) // 2, MODULUS) == MODULUS - 1


@given(st.lists(st.integers(0, MODULUS - 1), min_size=8, max_size=8), st.integers(2, MODULUS - 1))
def test_the_two_slow_evaluations_of_the_tests_agree(coefficients, point):
    assume(pow(point, 8, MODULUS) != 1)
    values = [evaluate(coefficients, node) for node in powers(root_of_unity(8), 8)]
    assert evaluate_values(values, point) == evaluate(coefficients, point)
