"""G1 and G2 against py_ecc, and each way an encoding can be wrong."""

import numpy as np
import pytest
from py_ecc.bls.point_compression import modular_squareroot_in_FQ2
from py_ecc.fields import optimized_bls12_381_FQ as FQ
from py_ecc.fields import optimized_bls12_381_FQ2 as FQ2
from support import refuses

from zkpredict.kernel import G1, G2, MODULUS, reference

bls = reference.curve()
FIELD = bls.field_modulus
SCALARS = [0, 1, 2, 3, 2**64, 2**127 - 1, (MODULUS - 1) // 2, MODULUS - 2, MODULUS - 1, 0x1234567 << 200]
GROUPS = {
    "G1": (G1, bls.G1, reference.compress_g1, 48),
    "G2": (G2, bls.G2, reference.compress_g2, 96),
}


@pytest.fixture(params=GROUPS)
def group(request):
    return GROUPS[request.param]


def test_points_match_reference(group):
    Group, generator, compress, _ = group
    assert Group.generator().to_compressed() == compress(generator)
    for scalar in SCALARS:
        expected = bls.multiply(generator, scalar)
        point = Group.generator().mul(scalar)
        assert point.to_compressed() == compress(expected)
        assert point.to_uncompressed() == reference.serialize(expected)
        assert Group.from_compressed(point.to_compressed()) == point
        assert Group.from_uncompressed(point.to_uncompressed()) == point
        assert point.is_identity() == (scalar == 0)


def test_group_law_matches_reference(group):
    Group, generator, compress, _ = group
    for a, b in [(2, 3), (5, 5), (4, MODULUS - 4), (0, 7), (7, 0), (0, 0)]:
        left, right = (bls.multiply(generator, scalar) for scalar in (a, b))
        p, q = Group.generator().mul(a), Group.generator().mul(b)
        assert (p + q).to_compressed() == compress(bls.add(left, right))
        assert (p - q).to_compressed() == compress(bls.add(left, bls.neg(right)))
        assert (-p).to_compressed() == compress(bls.neg(left))


def test_points_are_values(group):
    Group = group[0]
    two = Group.generator() + Group.generator()
    assert two == Group.generator().mul(2) and hash(two) == hash(Group.generator().mul(2))
    assert two != Group.generator() and two != 2
    assert len({two, Group.generator(), Group.generator().mul(2)}) == 2
    assert two.to_compressed().hex() in repr(two)
    name = f"zkpredict_kernel.{Group.__name__}"
    for operation, reason in (
        (lambda: two + 1, f"unsupported operand type(s) for +: '{name}' and 'int'"),
        (lambda: two * 2, f"unsupported operand type(s) for *: '{name}' and 'int'"),
        (lambda: two - None, f"unsupported operand type(s) for -: '{name}' and 'NoneType'"),
        (lambda: np.int64(1) + two, f"unsupported operand type(s) for +: 'numpy.int64' and '{name}'"),
        (Group, f"cannot create '{name}' instances"),
    ):
        with refuses(TypeError, reason):
            operation()


def test_the_identity(group):
    Group, _, _, size = group
    identity = Group.identity()
    assert identity.to_compressed() == b"\xc0" + bytes(size - 1)
    assert identity.to_uncompressed() == b"\x40" + bytes(2 * size - 1)
    assert Group.from_compressed(identity.to_compressed()).is_identity()
    assert Group.from_uncompressed(identity.to_uncompressed()).is_identity()
    assert identity == -identity == Group.generator() - Group.generator() and identity != Group.generator()
    name = Group.__name__
    for tail in (b"\x01", b"\x80"):
        with refuses(ValueError, f"{name} point is not canonically encoded"):
            Group.from_compressed(b"\xc0" + bytes(size - 2) + tail)
        with refuses(ValueError, f"{name} point is not canonically encoded"):
            Group.from_uncompressed(b"\x40" + bytes(2 * size - 2) + tail)
    with refuses(ValueError, f"{name} point is not canonically encoded"):
        Group.from_compressed(b"\xe0" + bytes(size - 1))


def test_mul_takes_a_reduced_scalar(group):
    for scalar in (-1, MODULUS, 2**256):
        with refuses(ValueError, "scalar must be in [0, r)"):
            group[0].generator().mul(scalar)
    with refuses(TypeError, "scalar must be an int, got float"):
        group[0].generator().mul(1.0)


def test_a_wrong_length_is_refused(group):
    Group, _, _, size = group
    for length in (0, size - 1, size + 1, 2 * size):
        with refuses(ValueError, f"{Group.__name__} compressed point must be {size} bytes, got {length}"):
            Group.from_compressed(bytes(length))
    for length in (0, size, 2 * size - 1, 2 * size + 1):
        with refuses(ValueError, f"{Group.__name__} uncompressed point must be {2 * size} bytes, got {length}"):
            Group.from_uncompressed(bytes(length))


def test_other_encodings_of_a_point_are_refused(group):
    Group, _, _, size = group
    point = Group.generator()
    not_canonical = f"{Group.__name__} point is not canonically encoded"
    compressed, uncompressed = point.to_compressed(), point.to_uncompressed()
    with refuses(ValueError, not_canonical):  # compressed flag missing
        Group.from_compressed(bytes([compressed[0] & 0x7F]) + compressed[1:])
    for flags in (0x80, 0x20, 0x40, 0xA0, 0xE0):  # flags an uncompressed point does not have
        with refuses(ValueError, not_canonical):
            Group.from_uncompressed(bytes([uncompressed[0] | flags]) + uncompressed[1:])
    with refuses(ValueError, not_canonical):  # a compressed point with a tail
        Group.from_uncompressed(compressed + bytes(size))
    for i in range(0, 2 * size, 48):  # x + p instead of x, where it fits under the flags
        value = int.from_bytes(uncompressed[i : i + 48], "big") + FIELD
        if value < 2**381:
            shifted = uncompressed[:i] + value.to_bytes(48, "big") + uncompressed[i + 48 :]
            with refuses(ValueError, not_canonical):
                Group.from_uncompressed(shifted)
    with refuses(ValueError, not_canonical):  # x = p
        Group.from_compressed(bytes([0x80 | FIELD.to_bytes(48, "big")[0]]) + FIELD.to_bytes(48, "big")[1:] + bytes(size - 48))


def on_curve_points(of_g1):
    """Points of the curve with small x: almost surely outside the subgroup."""
    for i in range(1, 40):
        x = FQ(i) if of_g1 else FQ2([i, 1])
        square = x * x * x + (bls.b if of_g1 else bls.b2)
        if of_g1:
            root = square ** ((FIELD + 1) // 4)
            root = root if root * root == square else None
        else:
            root = modular_squareroot_in_FQ2(square)
        if root is not None:
            yield (x, root, type(x).one())


def test_points_outside_the_subgroup_are_refused(group):
    Group, _, compress, size = group
    points = list(on_curve_points(size == 48))
    assert len(points) > 5
    for point in points:
        assert not bls.is_inf(bls.multiply(point, MODULUS))
        with refuses(ValueError, f"{Group.__name__} point is not in the subgroup of prime order"):
            Group.from_uncompressed(reference.serialize(point))
        with refuses(ValueError, f"{Group.__name__} point is not in the subgroup of prime order"):
            Group.from_compressed(compress(point))


def test_the_point_of_order_three_is_refused():
    for y in (2, FIELD - 2):
        with refuses(ValueError, "G1 point is not in the subgroup of prime order"):
            G1.from_uncompressed(reference.serialize((FQ(0), FQ(y), FQ(1))))
    for flag in (b"\x80", b"\xa0"):
        with refuses(ValueError, "G1 point is not in the subgroup of prime order"):
            G1.from_compressed(flag + bytes(47))


def test_points_off_the_curve_are_refused(group):
    Group, _, _, size = group
    not_on_curve = f"{Group.__name__} point is not on the curve"
    encoded = Group.generator().to_uncompressed()
    with refuses(ValueError, not_on_curve):
        Group.from_uncompressed(encoded[:-1] + bytes([encoded[-1] ^ 1]))
    with refuses(ValueError, not_on_curve):
        Group.from_uncompressed(bytes(2 * size))
    refused = 0
    for x in range(2, 30):  # about half of all x have no y
        data = bytes([0x80]) + bytes(size - 2) + bytes([x])
        try:
            Group.from_compressed(data)
        except ValueError as error:
            refused += str(error) == not_on_curve
    assert 5 < refused < 25
