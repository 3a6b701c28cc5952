"""Vector against plain ints, and every refusal with its exact message."""

import operator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import refuses

from zkpredict import kernel
from zkpredict.kernel import MODULUS, Vector, reference

NAME = "zkpredict_kernel.Vector"
INTEGERS = [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64]
EDGES = [0, 1, 2, 7, 2**63 - 1, 2**63, 2**64, (MODULUS - 1) // 2, (MODULUS + 1) // 2, MODULUS - 2, MODULUS - 1]
scalars = st.sampled_from(EDGES) | st.integers(0, MODULUS - 1)
vectors = st.lists(scalars, max_size=20)
pairs = st.lists(st.tuples(scalars, scalars), max_size=20).map(lambda rows: ([a for a, _ in rows], [b for _, b in rows]))


def test_constants():
    assert kernel.MODULUS == reference.MODULUS
    assert kernel.GENERATOR == reference.GENERATOR == 7
    assert (MODULUS - 1) % 2**kernel.TWO_ADICITY == 0 and (MODULUS - 1) % 2 ** (kernel.TWO_ADICITY + 1) != 0


# Making vectors


@given(vectors)
def test_ints_and_bytes_round_trip(values):
    vector = Vector.from_ints(values)
    assert vector.to_ints() == list(vector) == values and len(vector) == len(values)
    assert vector.to_bytes() == reference.to_bytes(values)
    assert Vector.from_bytes(vector.to_bytes()) == vector


@given(st.binary(max_size=400).map(lambda data: data[: len(data) // 64 * 64]))
def test_from_wide_bytes_matches_reference(data):
    assert Vector.from_wide_bytes(data).to_ints() == reference.from_wide_bytes(data)


def test_from_wide_bytes_reduces_the_largest_value():
    assert Vector.from_wide_bytes(b"\xff" * 64).to_ints() == [(2**512 - 1) % MODULUS]


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20))
def test_from_signed_matches_reference(values):
    assert Vector.from_signed(np.array(values, dtype=np.int64)).to_ints() == reference.from_signed(values)


@given(scalars, st.integers(0, 20))
def test_powers_matches_reference(base, n):
    assert Vector.powers(base, n).to_ints() == reference.powers(base, n)


@given(st.lists(vectors, max_size=4))
def test_concat_is_list_addition(parts):
    assert Vector.concat([Vector.from_ints(part) for part in parts]).to_ints() == sum(parts, [])


def test_zeros():
    assert Vector.zeros(3).to_ints() == [0, 0, 0] and len(Vector.zeros(0)) == 0


@pytest.mark.parametrize("value", [-1, MODULUS, MODULUS + 1, 2**256 - 1, 2**256, -(2**300), 2**1000])
def test_an_int_outside_the_field_is_refused_without_showing_it(value):
    with refuses(ValueError, "values[1] must be in [0, r)"):
        Vector.from_ints([0, value])
    with refuses(ValueError, "scalar must be in [0, r)"):
        Vector.from_ints([1]) * value
    with refuses(ValueError, "scalars[0] must be in [0, r)"):
        Vector.linear_combination([Vector.zeros(1)], [value])


def test_only_ints_are_scalars():
    with refuses(TypeError, "values[0] must be an int, got float"):
        Vector.from_ints([1.0])
    with refuses(TypeError, "values[0] must be an int, got int64"):
        Vector.from_ints([np.int64(1)])
    with refuses(TypeError, "scalar must be an int, got str"):
        Vector.zeros(1).evaluate("1")
    with refuses(TypeError, "'int' object is not iterable"):
        Vector.from_ints(3)


def test_bytes_must_be_canonical():
    good = (MODULUS - 1).to_bytes(32, "little")
    assert Vector.from_bytes(good).to_ints() == [MODULUS - 1]
    for bad in (MODULUS, MODULUS + 5, 2**256 - 1):
        with refuses(ValueError, "element 1 is not canonical: expected an integer below r"):
            Vector.from_bytes(good + bad.to_bytes(32, "little"))
    with refuses(ValueError, "expected 32 bytes for each element, got 33 bytes in all"):
        Vector.from_bytes(bytes(33))
    with refuses(ValueError, "expected 64 bytes for each element, got 32 bytes in all"):
        Vector.from_wide_bytes(bytes(32))


def test_buffers_of_bytes():
    data = reference.to_bytes([3, 4])
    for buffer in (data, bytearray(data), memoryview(data), np.frombuffer(data, dtype=np.uint8)):
        assert Vector.from_bytes(buffer).to_ints() == [3, 4]
    with refuses(TypeError, "expected bytes, got str"):
        Vector.from_bytes("ab")
    with refuses(TypeError, "expected bytes, got a buffer that is not contiguous"):
        Vector.from_bytes(memoryview(data)[::2])


NOT_INTEGERS = "expected a buffer of integers that fit int64, got "


def refused_buffers(call):
    """Every buffer that holds no integers, or not as they are read, by its message."""
    for kind in (np.float64, np.float16, np.complex128, np.bool_, np.uint64, ">i8", ">u2", "S3", "M8[s]"):
        with refuses(TypeError, NOT_INTEGERS + "ndarray"):
            call(np.zeros((3, 2), dtype=kind))
    with refuses(TypeError, NOT_INTEGERS + "list"):
        call([[1]])
    with refuses(ValueError, "expected a contiguous buffer, got a strided one"):
        call(np.zeros((6, 4), dtype=np.int64)[::2])
    with refuses(ValueError, "expected a contiguous buffer, got a strided one"):
        call(np.zeros((6, 4), dtype=np.int8).T)


def test_from_signed_takes_contiguous_integers_of_every_width():
    for kind in INTEGERS:
        limits = [np.iinfo(kind).min, np.iinfo(kind).max, 0, 1]
        assert Vector.from_signed(np.array(limits, dtype=kind)).to_ints() == reference.from_signed(limits)
    assert Vector.from_signed(b"\x00\x7f\xff").to_ints() == [0, 127, 255]
    refused_buffers(Vector.from_signed)
    with refuses(ValueError, "expected a one-dimensional buffer, got 2 dimensions"):
        Vector.from_signed(np.zeros((2, 3), dtype=np.int64))


@pytest.mark.parametrize("kind", INTEGERS)
@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (4, 0), (1, 1), (3, 130), (600, 3), (30, 600), (1100, 20)])
def test_combine_rows_matches_reference(kind, shape):
    rows, columns = shape
    source = np.random.default_rng(rows)
    limits = np.iinfo(kind)
    matrix = source.integers(limits.min, limits.max, shape, dtype=kind, endpoint=True)
    weights = ([0, 1, MODULUS - 1, 2**64] + [int.from_bytes(source.bytes(31), "big") for _ in range(rows)])[:rows]
    expected = reference.combine_rows(matrix.tolist(), weights, columns)
    assert Vector.combine_rows(matrix, weights).to_ints() == expected
    assert Vector.combine_rows(matrix, Vector.from_ints(weights)).to_ints() == expected


def test_combine_rows_of_the_largest_entries():
    for entry in (-(2**63), 2**63 - 1):
        matrix = np.full((40, 3), entry)
        assert Vector.combine_rows(matrix, [MODULUS - 1] * 40).to_ints() == [-40 * entry % MODULUS] * 3


def test_combine_rows_refuses_other_shapes():
    refused_buffers(lambda matrix: Vector.combine_rows(matrix, [1, 2, 3]))
    with refuses(ValueError, "expected a two-dimensional buffer, got 1 dimensions"):
        Vector.combine_rows(np.zeros(3, np.int8), [1])
    with refuses(ValueError, "expected 2 scalars, one for each row, got 3"):
        Vector.combine_rows(np.zeros((2, 3), np.int8), [1, 2, 3])
    with refuses(ValueError, "scalars[1] must be in [0, r)"):
        Vector.combine_rows(np.zeros((2, 3), np.int8), [1, MODULUS])
    with refuses(MemoryError, f"no memory for {2**60} elements"):
        Vector.combine_rows(np.empty((0, 2**60), np.int8), [])


@pytest.mark.parametrize("length", [-1, 2**48, 2**70])
def test_lengths_are_bounded(length):
    for make in (Vector.zeros, lambda n: Vector.powers(2, n), Vector.zeros(1).repeat, kernel.root_of_unity):
        with refuses(ValueError, "length must be in [0, 2^48)"):
            make(length)


def test_a_length_beyond_memory_is_an_error_not_a_crash():
    with refuses(MemoryError, f"no memory for {2**47} elements"):
        Vector.powers(2, 2**47)


# Arithmetic


@given(pairs)
def test_arithmetic_matches_reference(columns):
    left, right = columns
    a, b = map(Vector.from_ints, columns)
    assert (a + b).to_ints() == reference.add(left, right)
    assert (a - b).to_ints() == reference.subtract(left, right)
    assert (a * b).to_ints() == reference.multiply(left, right)
    assert (-a).to_ints() == reference.negate(left)


@given(vectors, scalars)
def test_arithmetic_with_a_scalar_matches_reference(values, scalar):
    a, column = Vector.from_ints(values), [scalar] * len(values)
    assert (a + scalar).to_ints() == (scalar + a).to_ints() == reference.add(values, column)
    assert (a - scalar).to_ints() == reference.subtract(values, column)
    assert (scalar - a).to_ints() == reference.subtract(column, values)
    assert (a * scalar).to_ints() == (scalar * a).to_ints() == reference.multiply(values, column)


@settings(max_examples=5)
@given(st.integers(0, 2**32))
def test_long_arithmetic_on_all_cores_matches_reference(seed):
    draw = np.random.default_rng(seed)
    n = 2**14 + 3
    a, b = (Vector.from_wide_bytes(draw.bytes(64 * n)) for _ in range(2))
    left, right = a.to_ints(), b.to_ints()
    assert (a * b).to_ints() == reference.multiply(left, right)
    assert (-a).to_ints() == reference.negate(left)
    combined = Vector.linear_combination([a, b[: n // 2]], [3, MODULUS - 1])
    assert combined.to_ints() == reference.linear_combination([left, right[: n // 2]], [3, MODULUS - 1])


def test_lengths_must_agree():
    a, b = Vector.zeros(2), Vector.zeros(3)
    for operation in (operator.add, operator.sub, operator.mul, lambda a, b: a.scan(b, 0)):
        with refuses(ValueError, "vector lengths differ: expected 2, got 3"):
            operation(a, b)


OPERATIONS = {"+": operator.add, "-": operator.sub, "*": operator.mul}
NO_UFUNCS = f"operand '{NAME}' does not support ufuncs (__array_ufunc__=None)"
NO_FACTOR = f"can't multiply sequence by non-int of type '{NAME}'"
NO_CONCATENATION = (
    "Concatenation operation is not implemented for NumPy arrays, use np.concatenate() instead. "
    "Please do not rely on this error; it may not be given on all Python implementations."
)


@pytest.mark.parametrize("sign", OPERATIONS)
@pytest.mark.parametrize("other", [1.5, None, "1", [1, 2], np.int64(1), np.array([1, 2])], ids=lambda other: type(other).__name__)
def test_other_operands_are_type_errors(sign, other):
    """Vector stands aside, and the other type, asked in its turn, has its own words for what it cannot do."""
    kind = type(other).__name__
    theirs = f"numpy.{kind}" if isinstance(other, (np.generic, np.ndarray)) else kind
    after = NO_UFUNCS if theirs != kind else f"unsupported operand type(s) for {sign}: '{NAME}' and '{theirs}'"
    before = f"unsupported operand type(s) for {sign}: '{theirs}' and '{NAME}'"
    if isinstance(other, (str, list)) and sign == "+":
        before = f'can only concatenate {kind} (not "{NAME}") to {kind}'
    if isinstance(other, (str, list)) and sign == "*":
        after = before = NO_FACTOR
    if isinstance(other, np.ndarray) and sign == "+":
        before = NO_CONCATENATION
    vector = Vector.from_ints([1, 2])
    with refuses(TypeError, after):
        OPERATIONS[sign](vector, other)
    with refuses(TypeError, before):
        OPERATIONS[sign](other, vector)


def test_vectors_are_values():
    a = Vector.from_ints([1, 2])
    assert a == Vector.from_ints([1, 2]) != Vector.from_ints([1, 3])
    assert a != Vector.from_ints([1, 2, 0]) and a != [1, 2]
    with refuses(TypeError, f"unhashable type: '{NAME}'"):
        hash(a)
    with refuses(TypeError, f"'{NAME}' object does not support item assignment"):
        a[0] = 3
    with refuses(TypeError, f"cannot create '{NAME}' instances"):
        Vector()
    assert repr(a) == "<Vector of 2 field elements>"


@given(st.lists(scalars.filter(bool), max_size=20))
def test_inverse_matches_reference(values):
    assert Vector.from_ints(values).inverse().to_ints() == reference.inverse(values)


def test_inverse_of_zero_is_refused_by_index():
    with refuses(ValueError, "element 2 is zero and has no inverse"):
        Vector.from_ints([1, 2, 0, 0]).inverse()


# Rows


@given(vectors, st.integers(-30, 30) | st.integers(-(2**80), 2**80))
def test_rotate_matches_reference(values, k):
    assert Vector.from_ints(values).rotate(k).to_ints() == reference.rotate(values, k)


@given(vectors, st.integers(0, 4))
def test_repeat_is_list_repetition(values, k):
    assert Vector.from_ints(values).repeat(k).to_ints() == values * k


@given(vectors, st.integers(-25, 25))
def test_index_is_list_index(values, i):
    vector = Vector.from_ints(values)
    if -len(values) <= i < len(values):
        assert vector[i] == values[i]
    else:
        with refuses(IndexError, f"index is outside a length of {len(values)}"):
            vector[i]


@given(vectors, st.slices(20))
def test_slice_is_list_slice(values, piece):
    assert Vector.from_ints(values)[piece].to_ints() == values[piece]


def test_bad_indices():
    vector = Vector.zeros(2)
    with refuses(TypeError, "index must be an int, got str"):
        vector["0"]
    with refuses(IndexError, "index is outside a length of 2"):
        vector[2**80]
    with refuses(ValueError, "slice step cannot be zero"):
        vector[::0]
    for empty_or_not in (vector, Vector.zeros(0)):
        with refuses(TypeError, "k must be an int, got float"):
            empty_or_not.rotate(1.0)


@given(pairs, scalars)
def test_scan_matches_reference(columns, start):
    factors, addends = map(Vector.from_ints, columns)
    assert factors.scan(addends, start).to_ints() == reference.scan(*columns, start)


@given(st.lists(st.tuples(scalars, st.integers(0, 7)), max_size=20))
def test_scatter_matches_reference(rows):
    values, positions = [v for v, _ in rows], [p for _, p in rows]
    scattered = Vector.from_ints(values).scatter(8, positions)
    assert scattered.to_ints() == reference.scatter(values, 8, positions)
    assert Vector.from_ints(values).scatter(8, np.array(positions, dtype=np.int64)) == scattered


@pytest.mark.parametrize("position", [-1, 8, 2**70])
def test_positions_outside_are_refused_by_index(position):
    lists = [[0, position]] + ([np.array([0, position])] if position < 2**63 else [])
    for positions in lists:
        with refuses(ValueError, "positions[1] is outside [0, 8)"):
            Vector.zeros(2).scatter(8, positions)


def test_positions_are_ints_and_one_for_each_element():
    with refuses(TypeError, "positions[0] must be an int, got float"):
        Vector.zeros(1).scatter(8, [0.0])
    with refuses(ValueError, "vector lengths differ: expected 1, got 2"):
        Vector.zeros(1).scatter(8, [0, 1])


# Polynomials


@given(vectors, scalars)
def test_evaluate_and_divide_by_linear_match_reference(coefficients, z):
    f = Vector.from_ints(coefficients)
    assert f.evaluate(z) == reference.evaluate(coefficients, z)
    quotient, remainder = f.divide_by_linear(z)
    assert (quotient.to_ints(), remainder) == reference.divide_by_linear(coefficients, z)
    assert remainder == f.evaluate(z)


@given(st.lists(st.tuples(vectors, scalars), max_size=4))
def test_linear_combination_matches_reference(terms):
    columns, weights = [v for v, _ in terms], [s for _, s in terms]
    native = [Vector.from_ints(column) for column in columns]
    expected = reference.linear_combination(columns, weights)
    assert Vector.linear_combination(native, weights).to_ints() == expected
    assert Vector.linear_combination(native, Vector.from_ints(weights)).to_ints() == expected


def test_linear_combination_wants_one_scalar_for_each_vector():
    with refuses(ValueError, "expected 1 scalars, one for each vector, got 2"):
        Vector.linear_combination([Vector.zeros(1)], [1, 2])
