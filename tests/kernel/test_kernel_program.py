"""Straight-line programs against the same operations one by one, and every refusal."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import refuses

from zkpredict.kernel import MODULUS, Vector, evaluate_program, reference

INPUTS = st.lists(
    st.tuples(st.sampled_from([1, 2, 3, 6]), st.integers(0, 7)).flatmap(
        lambda size: st.tuples(st.lists(st.integers(0, MODULUS - 1), min_size=size[0], max_size=size[0]), st.just(size[1]))
    ),
    min_size=1,
    max_size=4,
)


@st.composite
def programs(draw):
    inputs = draw(INPUTS)
    operations = []
    for known in range(len(inputs), len(inputs) + draw(st.integers(1, 12))):
        operand = st.integers(0, known - 1)
        operations.append((draw(st.sampled_from("+-*")), draw(operand), draw(operand)))
    return inputs, operations


@given(programs())
def test_evaluate_program_matches_reference(program):
    inputs, operations = program
    native = [(Vector.from_ints(vector), shift) for vector, shift in inputs]
    assert evaluate_program(6, native, operations).to_ints() == reference.evaluate_program(6, inputs, operations)


@pytest.mark.parametrize("n", [1, 255, 256, 257, 1000, 4096, 3 << 13])
def test_long_programs_are_their_operations(n):
    draw = random.Random(n)
    long = [Vector.from_wide_bytes(np.random.default_rng(k).bytes(64 * n)) for k in range(3)]
    constant = Vector.from_ints([12345])
    shifts = [0, 1, n - 1]
    known = [vector.rotate(shift) for vector, shift in zip(long, shifts)] + [constant.repeat(n)]
    operations = []
    for _ in range(40):
        operator, left, right = draw.choice("+-*"), draw.randrange(len(known)), draw.randrange(len(known))
        operations.append((operator, left, right))
        known.append({"+": known[left] + known[right], "-": known[left] - known[right], "*": known[left] * known[right]}[operator])
        assert len(operations) % 10 or evaluate_program(n, [*zip(long, shifts), (constant, 0)], operations) == known[-1]


def test_no_rows():
    assert evaluate_program(0, [(Vector.zeros(1), 0)], [("+", 0, 0)]) == Vector.zeros(0)


def test_programs_with_holes_are_refused():
    two, one = (Vector.zeros(2), 0), [("+", 0, 0)]
    for inputs, operations, message in (
        ([two], [], "expected at least one operation"),
        ([two], [("/", 0, 0)], 'operations[0] must be "+", "-" or "*"'),
        ([two], [("+", 0, 0), ("+", 0, 2)], "operations[1] has an operand outside [0, 2)"),
        ([], one, "operations[0] has an operand outside [0, 0)"),
        ([two, (Vector.zeros(3), 0)], one, "inputs[1] must have a length that divides 4, got 3"),
        ([(Vector.zeros(0), 0)], one, "inputs[0] must have a length that divides 4, got 0"),
        ([(Vector.zeros(8), 0)], one, "inputs[0] must have a length that divides 4, got 8"),
        ([(Vector.zeros(2), -1)], one, "length must be in [0, 2^48)"),
    ):
        with refuses(ValueError, message):
            evaluate_program(4, inputs, operations)
    with refuses(MemoryError, f"no memory for {2**47} elements"):
        evaluate_program(2**47, [two], one)
