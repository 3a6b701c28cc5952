"""Widening stored units to fields, in Python and in the interpreters."""

from math import gcd

import pytest
from bitcoin_cases import spending
from hypothesis import given
from hypothesis import strategies as st

from zkpredict.contracts.bitcoin.assembler import Op, assemble
from zkpredict.contracts.bitcoin.fields import Spread, pack, repeated, replicated, split_off

SPREADS = st.builds(
    Spread.holding, st.integers(1, 70), st.integers(1, 4), st.integers(2, 9), st.integers(0, 1)
)


@given(SPREADS, st.data())
def test_widening_shows_every_stored_field_once(spread, draw):
    fields = draw.draw(st.lists(st.binary(min_size=spread.unit, max_size=spread.unit), max_size=spread.count))
    assert gcd(spread.count, spread.stride) == 1
    assert sorted(spread.order) == list(range(spread.count))
    stored = spread.store(fields)
    assert len(stored) == spread.count * spread.unit
    mask = spread.at_position(b"\xff" * spread.unit) * spread.count
    widened = bytes(a & b for a, b in zip(stored * spread.stride, mask, strict=True))
    expected = [spread.at_position(field) for field in fields]
    assert widened == b"".join(expected).ljust(spread.width, b"\0")


@pytest.mark.parametrize("stride", [1, 2, 3, 5, 7, 12, 784])
def test_replication_in_script(interpreter, stride):
    right = assemble(b"ab") + replicated(stride) + assemble(b"ab" * stride, Op.EQUAL)
    interpreter.check(*spending(b"", right))


@pytest.mark.parametrize("pattern,times", [(b"\xff\x00", 785), (b"\xff\x00\x00", 65), (b"a", 2)])
def test_repetition_takes_the_shorter_code(interpreter, pattern, times):
    code = repeated(pattern, times)
    assert len(code) <= len(assemble(pattern * times))
    interpreter.check(*spending(b"", code + assemble(pattern * times, Op.EQUAL)))


def test_a_spread_runs_as_it_computes(interpreter):
    spread = Spread.holding(64, 1, 3, 1)
    fields = [bytes([number * 3 % 256]) for number in range(64)]
    code = assemble(spread.store(fields)) + spread.replicate() + spread.mask(b"\xff") + assemble(Op.AND)
    expected = b"".join(map(spread.at_position, fields)).ljust(spread.width, b"\0")
    interpreter.check(*spending(b"", code + assemble(expected, Op.EQUAL)))


def test_splitting_leaves_the_rest_on_top(interpreter):
    code = assemble(b"abcdefg") + split_off(2, 3)
    for piece in (b"g", b"ef", b"cd"):
        code += assemble(piece, Op.EQUALVERIFY)
    interpreter.check(*spending(b"", code + assemble(b"ab", Op.EQUAL)))


@given(st.lists(st.integers(-300, 300), max_size=9))
def test_packing_is_one_exact_sum(values):
    assert pack(values, 1) == sum(value * 256**index for index, value in enumerate(values))
