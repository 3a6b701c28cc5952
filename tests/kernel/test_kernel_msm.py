"""Multi-scalar multiplication against the definition, over the sizes and magnitudes where its strategy changes."""

import random

import numpy as np
import pytest
from support import refuses

from zkpredict.kernel import G1, MODULUS, Bases, Vector, reference

bls = reference.curve()
G = G1.generator()
POINTS = 300
Z_SQUARED = 0xD201000000010000**2
EDGES = [
    0, 1, 2**16 - 1, 2**16, 2**64 - 1, 2**64, 2**127 - 1, 2**127,
    Z_SQUARED // 2, Z_SQUARED // 2 + 1, Z_SQUARED - 1, Z_SQUARED, Z_SQUARED + 1, Z_SQUARED * (Z_SQUARED // 2),
    (MODULUS - 1) // 2,
]  # fmt: skip
EDGES += [MODULUS - edge for edge in EDGES if edge]

KINDS = {
    "uniform": lambda draw: draw.randrange(MODULUS),
    "bytes": lambda draw: draw.randrange(-128, 128) % MODULUS,
    "edges": lambda draw: draw.choice(EDGES),
    "around multiples of z^2": lambda draw: (draw.randrange(Z_SQUARED) * Z_SQUARED + draw.randrange(-3, 4)) % MODULUS,
    "every size": lambda draw: draw.randrange(2 ** draw.randrange(1, 255)) % MODULUS,
    "all the same": lambda draw: MODULUS // 3,
    "mostly zero": lambda draw: draw.randrange(MODULUS) if draw.random() < 0.1 else 0,
}


@pytest.fixture(scope="module")
def bases():
    """Base i is (i + 1) G, so the expected sum is one multiplication."""
    return Bases([G.mul(i + 1) for i in range(POINTS)])


def check(bases, scalars, multiples):
    expected = G.mul(sum(map(int.__mul__, scalars, multiples)) % MODULUS)
    assert bases.msm(Vector.from_ints(scalars)) == expected


def test_msm_matches_reference():
    draw = random.Random(1)
    multiples, scalars = ([draw.randrange(MODULUS) for _ in range(8)] for _ in range(2))
    points = [bls.multiply(bls.G1, multiple) for multiple in multiples]
    native = [G.mul(multiple) for multiple in multiples]
    expected = reference.compress_g1(reference.g1_linear_combination(points, scalars))
    assert Bases(native).msm(Vector.from_ints(scalars)).to_compressed() == expected
    assert G1.linear_combination(native, scalars).to_compressed() == expected
    assert G1.linear_combination(native, Vector.from_ints(scalars)).to_compressed() == expected


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 20, 31, 32, 63, 64, 65, 130, POINTS])
@pytest.mark.parametrize("kind", KINDS)
def test_msm_is_the_sum(bases, kind, n):
    draw = random.Random(n)
    check(bases, [KINDS[kind](draw) for _ in range(n)], range(1, n + 1))


@pytest.mark.parametrize("n", [1024, 5000, 20000])
def test_long_msm_is_the_sum(bases, n):
    draw = random.Random(n)
    long = Bases.concat([bases] * (n // POINTS + 1))
    check(long, [draw.randrange(MODULUS) for _ in range(n)], [i % POINTS + 1 for i in range(n)])
    small = [draw.randrange(-300, 300) % MODULUS for _ in range(n - 4)]
    check(long, small + [draw.randrange(MODULUS) for _ in range(4)], [i % POINTS + 1 for i in range(n)])


def test_equal_opposite_and_identity_bases():
    draw = random.Random(5)
    multiples = [1] * 100 + [MODULUS - 1] * 100 + [0] * 100
    bases = Bases([G] * 100 + [-G] * 100 + [G1.identity()] * 100)
    check(bases, [draw.randrange(MODULUS) for _ in multiples], multiples)
    check(bases, [5] * 300, multiples)
    check(bases, [MODULUS - 5] * 100 + [0] * 100 + [3] * 100, multiples)


def test_msm_takes_at_most_one_scalar_for_each_base(bases):
    with refuses(ValueError, "expected at most 300 scalars, one for each base, got 301"):
        bases.msm(Vector.zeros(301))
    with refuses(TypeError, "'list' object is not an instance of 'Vector'"):
        bases.msm([1, 2])
    with refuses(ValueError, "expected 1 scalars, one for each point, got 2"):
        G1.linear_combination([G], [1, 2])
    with refuses(ValueError, "scalars[0] must be in [0, r)"):
        G1.linear_combination([G], [MODULUS])
    assert G1.linear_combination([], []).is_identity()


@pytest.mark.parametrize("small", [31, 32, 33, 200])
@pytest.mark.parametrize("tail", [0, 1, 4, 32, 33])
def test_small_integers_before_a_tail(bases, small, tail):
    draw = random.Random(small * tail)
    for low, high in ((0, 255), (-1023, 1023), (-1024, 1024), (0, 0)):
        scalars = [draw.randint(low, high) % MODULUS for _ in range(small)] + [draw.randrange(MODULUS) for _ in range(tail)]
        check(bases, scalars, range(1, small + tail + 1))


# Many at once


def test_msm_each_is_msm_of_each(bases):
    draw = random.Random(8)
    vectors = [Vector.from_ints([KINDS[kind](draw) for _ in range(n)]) for kind in KINDS for n in (0, 3, 100, POINTS)]
    assert bases.msm_each(vectors) == [bases.msm(vector) for vector in vectors]
    assert bases.msm_each([]) == []
    with refuses(ValueError, "expected at most 300 scalars, one for each base, got 301"):
        bases.msm_each([Vector.zeros(3), Vector.zeros(301)])
    with refuses(TypeError, "'int' object is not an instance of 'Vector'"):
        bases.msm_each([1])


COLUMNS = {
    "bytes": (0, 255), "signed bytes": (-128, 127), "negative": (-255, 0), "bits": (0, 1), "signs": (-1, 1), "one value": (7, 7),
    "far from zero": (900, 1000), "largest": (-1023, 1023), "too large": (-1024, 1024), "int64": (-(2**63), 2**63 - 1),
}  # fmt: skip


def test_msm_integers_matches_reference():
    draw = random.Random(2)
    multiples = [draw.randrange(MODULUS) for _ in range(6)]
    matrix = np.array([[1, 255, 0], [-3, 2, 9], [0, 0, 0], [2**40, 5, 1], [200, 201, 202]])
    tails = [[draw.randrange(MODULUS) for _ in range(count)] for count in (3, 2, 0, 1, 3)]
    points = [bls.multiply(bls.G1, multiple) for multiple in multiples]
    expected = [reference.compress_g1(point) for point in reference.msm_integers(points, matrix.tolist(), tails)]
    native = Bases([G.mul(multiple) for multiple in multiples])
    found = native.msm_integers(matrix, [Vector.from_ints(tail) for tail in tails])
    assert [point.to_compressed() for point in found] == expected


@pytest.mark.parametrize("rows", [1, 3, 4, 9])
@pytest.mark.parametrize("kind", COLUMNS)
def test_msm_integers_is_msm_of_the_same_scalars(bases, kind, rows):
    source = np.random.default_rng(rows)
    low, high = COLUMNS[kind]
    matrix = source.integers(low, high, (rows, POINTS - 40), dtype=np.int64, endpoint=True)
    matrix[0, :200] = 0
    for lengths in ([0] * rows, [4] * rows, [32, 33, 0, 1, 2, 3, 4, 40, 5][:rows]):
        tails = [Vector.from_wide_bytes(source.bytes(64 * length)) for length in lengths]
        scalars = [Vector.concat([Vector.from_signed(row), tail]) for row, tail in zip(matrix, tails)]
        assert bases.msm_integers(matrix, tails) == [bases.msm(vector) for vector in scalars]
    if high <= 255 and low >= 0:
        assert bases.msm_integers(matrix.astype(np.uint8), tails) == [bases.msm(vector) for vector in scalars]


def test_tails_of_every_size(bases):
    matrix = np.zeros((len(EDGES), 10), np.uint8)
    found = bases.msm_integers(matrix, [Vector.from_ints([edge, 1]) for edge in EDGES])
    assert found == [G.mul((11 * edge + 12) % MODULUS) for edge in EDGES]


def test_msm_integers_of_equal_opposite_and_identity_bases():
    bases = Bases([G] * 20 + [-G] * 20 + [G1.identity()] * 20 + [G, -G, G1.identity()])
    matrix = np.tile(np.array([3, 255, 0, 9], np.uint8), (5, 15))
    tails = [Vector.from_ints([5, MODULUS - 1, 6])] * 5
    assert bases.msm_integers(matrix, tails) == [G.mul(6)] * 5


def test_msm_integers_takes_a_tail_for_each_row_and_a_base_for_each_scalar(bases):
    matrix = np.zeros((2, 299), np.uint8)
    with refuses(ValueError, "expected 2 tails, one for each row, got 1"):
        bases.msm_integers(matrix, [Vector.zeros(1)])
    with refuses(ValueError, "expected at most 300 scalars, one for each base, got 301"):
        bases.msm_integers(matrix, [Vector.zeros(0), Vector.zeros(2)])
    with refuses(TypeError, "expected a buffer of integers that fit int64, got ndarray"):
        bases.msm_integers(matrix.astype(float), [Vector.zeros(0)] * 2)
    with refuses(ValueError, "expected a two-dimensional buffer, got 3 dimensions"):
        bases.msm_integers(matrix[None], [])
    assert bases.msm_integers(np.zeros((0, 5), np.uint8), []) == []
    assert bases.msm_integers(np.zeros((2, 0), np.uint8), [Vector.from_ints([2])] * 2) == [G.mul(2)] * 2


# Tables


@pytest.mark.parametrize("tables", [0, 1, 150, POINTS])
@pytest.mark.parametrize("kind", KINDS)
def test_tables_change_no_sum(bases, kind, tables):
    draw = random.Random(tables)
    prepared = Bases.concat([bases])
    prepared.precompute(tables)
    for n in (0, 1, 5, 149, 151, POINTS):
        check(prepared, [KINDS[kind](draw) for _ in range(n)], range(1, n + 1))
    vectors = [Vector.from_ints([KINDS[kind](draw) for _ in range(POINTS)]) for _ in range(3)]
    assert prepared.msm_each(vectors) == [bases.msm(vector) for vector in vectors]


@pytest.mark.parametrize("n", [1100, 2500])
def test_tables_of_many_points(bases, n):
    draw = random.Random(n)
    long = Bases.concat([bases] * (n // POINTS + 1))
    long.precompute(n - 50)
    check(long, [draw.randrange(MODULUS) for _ in range(n)], [i % POINTS + 1 for i in range(n)])
    check(long, [draw.choice(EDGES) for _ in range(n)], [i % POINTS + 1 for i in range(n)])


def test_tables_of_equal_opposite_and_identity_bases():
    draw = random.Random(6)
    multiples = [1] * 100 + [MODULUS - 1] * 100 + [0] * 100
    bases = Bases([G] * 100 + [-G] * 100 + [G1.identity()] * 100)
    bases.precompute(300)
    check(bases, [draw.randrange(MODULUS) for _ in multiples], multiples)
    check(bases, [MODULUS // 3] * 300, multiples)


def test_tables_are_of_bases_there_are_and_made_once(bases):
    prepared = bases[:10]
    with refuses(ValueError, "expected at most 10 scalars, one for each base, got 11"):
        prepared.precompute(11)
    assert prepared.precomputed == 0
    for n in (4, 10):
        prepared.precompute(n)
        assert prepared.precomputed == 4
    scalars = [MODULUS // 5] * 10
    check(prepared, scalars, range(1, 11))


# Bases as a list, and as bytes


def test_bases_are_a_list(bases):
    assert len(bases) == POINTS and bases[3] == G.mul(4) and bases[-1] == G.mul(POINTS)
    assert [point for point in bases[10:1:-4]] == [G.mul(11), G.mul(7), G.mul(3)]
    assert Bases.concat([bases[:2], bases[5:6]])[2] == G.mul(6)
    assert len(Bases([])) == 0 and Bases([]).msm(Vector.zeros(0)).is_identity()
    assert repr(bases) == "<Bases of 300 G1 points>"
    with refuses(IndexError, "index is outside a length of 300"):
        bases[300]


def test_bases_round_trip(bases):
    uncompressed = bases.to_uncompressed()
    compressed = b"".join(point.to_compressed() for point in bases)
    for copy in (
        Bases.from_uncompressed(uncompressed),
        Bases.from_uncompressed(uncompressed, subgroup_check=False),
        Bases.from_compressed(compressed),
        Bases(list(bases)),
    ):
        assert copy.to_uncompressed() == uncompressed
    identity = Bases([G, G1.identity()])
    assert Bases.from_uncompressed(identity.to_uncompressed())[1].is_identity()


def test_bad_bases_are_refused_by_index(bases):
    good = bases[:3].to_uncompressed()
    outside = reference.serialize((bls.FQ(4), bls.FQ(68) ** ((bls.field_modulus + 1) // 4), bls.FQ(1)))
    with refuses(ValueError, "G1 point 3 is not in the subgroup of prime order"):
        Bases.from_uncompressed(good + outside)
    assert len(Bases.from_uncompressed(good + outside, subgroup_check=False)) == 4
    off = good[:-1] + bytes([good[-1] ^ 1])
    for check in (True, False):
        with refuses(ValueError, "G1 point 2 is not on the curve"):
            Bases.from_uncompressed(off, subgroup_check=check)
        with refuses(ValueError, "G1 point 0 is not canonically encoded"):
            Bases.from_uncompressed(b"\xff" + good[1:], subgroup_check=check)
        with refuses(ValueError, "expected 96 bytes for each point, got 287 bytes in all"):
            Bases.from_uncompressed(good[:-1], subgroup_check=check)
    with refuses(ValueError, "expected 48 bytes for each point, got 47 bytes in all"):
        Bases.from_compressed(bytes(47))
    with refuses(ValueError, "G1 point 1 is not canonically encoded"):
        Bases.from_compressed(G.to_compressed() + bytes(48))


# Lagrange bases


def test_lagrange_matches_reference():
    tau = 0x5EED
    powers = reference.powers(tau, 4)
    expected = reference.lagrange([bls.multiply(bls.G1, power) for power in powers], 4)
    lagrange = Bases([G.mul(power) for power in powers]).lagrange(4)
    assert lagrange.to_uncompressed() == b"".join(map(reference.serialize, expected))


@pytest.mark.parametrize("n", [1, 2, 4, 64, 256])
def test_lagrange_commits_to_evaluations(n):
    monomials = Bases([G.mul(power) for power in reference.powers(0x5EED, n + 3)])
    values = Vector.from_wide_bytes(np.random.default_rng(n).bytes(64 * n))
    assert monomials.lagrange(n).msm(values) == monomials.msm(values.intt())


def test_lagrange_of_any_bases_is_the_inverse_transform():
    bases = Bases([G, G, G1.identity(), -G])
    n, omega = 4, pow(reference.root_of_unity(4), -1, MODULUS)
    for i, point in enumerate(bases.lagrange(n)):
        row = [pow(omega, i * j, MODULUS) * pow(n, -1, MODULUS) % MODULUS for j in range(n)]
        assert point == G.mul((row[0] + row[1] - row[3]) % MODULUS)


def test_lagrange_sizes(bases):
    for n in (0, 3, 2**33):
        with refuses(ValueError, f"n must be a power of two up to 2^32, got {n}"):
            bases.lagrange(n)
    with refuses(ValueError, "n must be at most the number of bases 300, got 512"):
        bases.lagrange(512)
