"""Transforms against evaluation at every point, and across the sizes where they change strategy."""

import numpy as np
import pytest
from support import refuses

from zkpredict import kernel
from zkpredict.kernel import MODULUS, Vector, reference


def vector(n, seed=1):
    return Vector.from_wide_bytes(np.random.default_rng(seed).bytes(64 * n))


@pytest.mark.parametrize("log_n", range(7))
def test_transforms_match_reference(log_n):
    f = vector(1 << log_n)
    assert f.ntt().to_ints() == reference.ntt(f.to_ints())
    assert f.intt().to_ints() == reference.intt(f.to_ints())
    assert f.coset_intt(5).to_ints() == reference.coset_intt(f.to_ints(), 5)


@pytest.mark.parametrize("length, size", [(0, 1), (0, 4), (1, 1), (3, 8), (8, 8), (5, 32)])
def test_coset_ntt_matches_reference(length, size):
    f = vector(length)
    assert f.coset_ntt(size, 7).to_ints() == reference.coset_ntt(f.to_ints(), size, 7)


@pytest.mark.parametrize("log_n", [10, 12, 13, 14, 16])
def test_long_transforms_match_evaluation_and_invert(log_n):
    n = 1 << log_n
    f, omega = vector(n), kernel.root_of_unity(n)
    values = f.ntt()
    for i in (0, 1, 2, n // 2 - 1, n // 2, n - 1):
        assert values[i] == f.evaluate(pow(omega, i, MODULUS))
    assert values.intt() == f
    coset = f.coset_ntt(2 * n, 7)
    assert coset[3] == f.evaluate(7 * pow(kernel.root_of_unity(2 * n), 3, MODULUS) % MODULUS)
    assert coset.coset_intt(7) == Vector.concat([f, Vector.zeros(n)])


@pytest.mark.parametrize("count, log_n", [(0, 3), (1, 0), (3, 4), (7, 9), (5, 13)])
def test_many_transforms_are_the_transforms_of_each(count, log_n):
    vectors = [vector(1 << log_n, seed) for seed in range(count)]
    assert Vector.ntt_each(vectors) == [f.ntt() for f in vectors]
    assert Vector.intt_each(vectors) == [f.intt() for f in vectors]
    mixed = [f[k % 2 :] for k, f in enumerate(vectors)]
    assert Vector.coset_ntt_each(mixed, 2 << log_n, 7) == [f.coset_ntt(2 << log_n, 7) for f in mixed]
    of_each_size = [vector(1 << size) for size in range(log_n)]
    assert Vector.intt_each(of_each_size) == [f.intt() for f in of_each_size]


@pytest.mark.parametrize("log_n", range(33))
def test_root_of_unity_matches_reference(log_n):
    root = kernel.root_of_unity(1 << log_n)
    assert root == reference.root_of_unity(1 << log_n)
    assert log_n == 0 or pow(root, 1 << (log_n - 1), MODULUS) == MODULUS - 1


@pytest.mark.parametrize("n", [0, 3, 6, 2**33])
def test_root_of_unity_refuses_other_orders(n):
    with refuses(ValueError, f"n must be a power of two up to 2^32, got {n}"):
        kernel.root_of_unity(n)


def test_bad_sizes_and_shifts():
    for f in (vector(0), vector(3)):
        for transform in (f.ntt, f.intt, lambda f=f: f.coset_intt(1)):
            with refuses(ValueError, f"length must be a power of two up to 2^32, got {len(f)}"):
                transform()
    with refuses(ValueError, "size must be a power of two up to 2^32, got 12"):
        vector(4).coset_ntt(12, 7)
    with refuses(ValueError, "size must be at least the length 8, got 4"):
        vector(8).coset_ntt(4, 7)
    for transform in (Vector.ntt_each, Vector.intt_each):
        with refuses(ValueError, "length must be a power of two up to 2^32, got 3"):
            transform([vector(4), vector(3)])
        with refuses(TypeError, "'int' object is not an instance of 'Vector'"):
            transform([1])
    with refuses(ValueError, "size must be at least the length 8, got 4"):
        Vector.coset_ntt_each([vector(3), vector(8)], 4, 7)
    with refuses(ValueError, "size must be a power of two up to 2^32, got 12"):
        Vector.coset_ntt_each([vector(4)], 12, 7)
    with refuses(ValueError, "shift must not be zero"):
        Vector.coset_ntt_each([vector(4)], 4, 0)
    for transform in (lambda: vector(4).coset_ntt(4, 0), lambda: vector(4).coset_intt(0)):
        with refuses(ValueError, "shift must not be zero"):
            transform()
