"""The product of pairings against py_ecc, its tampered twin and the identity."""

import pytest
from support import refuses

from zkpredict.kernel import G1, G2, MODULUS, pairing_check, reference

P, Q = G1.generator(), G2.generator()


def test_pairing_check_matches_reference():
    bls = reference.curve()
    for a, b, accepted in [(6, 3, True), (6, 4, False)]:
        native = [(P.mul(a), Q), (-P.mul(2), Q.mul(b))]
        slow = [(bls.multiply(bls.G1, a), bls.G2), (bls.neg(bls.multiply(bls.G1, 2)), bls.multiply(bls.G2, b))]
        assert pairing_check(native) is reference.pairing_check(slow) is accepted


def test_one_opening_and_its_tampered_twin():
    # e(P, Q)^(ab) e(P^a, Q^-b) = 1
    a, b = 0x1234567890ABCDEF, MODULUS - 5
    assert pairing_check([(P.mul(a * b % MODULUS), Q), (P.mul(a), -Q.mul(b))])
    assert not pairing_check([(P.mul((a * b + 1) % MODULUS), Q), (P.mul(a), -Q.mul(b))])


def test_identities_contribute_one():
    assert pairing_check([])
    assert pairing_check([(G1.identity(), Q), (P, G2.identity()), (G1.identity(), G2.identity())])
    assert not pairing_check([(P, Q), (G1.identity(), Q)])
    assert pairing_check([(P, Q), (G1.identity(), Q), (-P, Q)])


@pytest.mark.parametrize("n", [15, 16, 17, 33])
def test_many_pairs(n):
    pairs = [(P.mul(i), Q.mul(i + 1)) for i in range(1, n)]
    total = sum(i * (i + 1) for i in range(1, n))
    assert pairing_check([*pairs, (-P.mul(total), Q)])
    assert not pairing_check([*pairs, (-P.mul(total + 1), Q)])


def test_only_pairs_of_points():
    for pairs, reason in (
        ([(Q, P)], "'G2' object is not an instance of 'G1'"),
        ([P], "'G1' object is not an instance of 'tuple'"),
        (None, "'NoneType' object is not iterable"),
        ([(P, 1)], "'int' object is not an instance of 'G2'"),
    ):
        with refuses(TypeError, reason):
            pairing_check(pairs)
    with refuses(ValueError, "expected tuple of length 2, but got tuple of length 3"):
        pairing_check([(P, Q, P)])
