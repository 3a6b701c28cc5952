"""Numbers and pushes against two other implementations, and scripts against their own disassembly."""

import bitcoinx
import pytest
from bsv.script.spend import Spend
from hypothesis import given
from hypothesis import strategies as st

from zkpredict.circuits.errors import MalformedFile
from zkpredict.contracts.bitcoin.assembler import (
    Op, Section, assemble, decode_number, encode_number, join, parse, push, size_report,
)

NUMBERS = st.one_of(st.integers(-(1 << 16), 1 << 16), st.integers(-(1 << 300), 1 << 300))


@given(NUMBERS)
def test_numbers_round_trip_and_match_two_libraries(value):
    encoded = encode_number(value)
    assert decode_number(encoded) == value
    assert encoded == bytes(Spend.minimally_encode(value)) == bytes(bitcoinx.int_to_item(value))


@given(st.binary(max_size=40))
def test_decoding_takes_minimal_numbers_only(data):
    if Spend.is_minimally_encoded_number(data):
        assert encode_number(decode_number(data)) == data
    else:
        with pytest.raises(MalformedFile, match=f"script number {data.hex()} is not minimal"):
            decode_number(data)


@pytest.mark.parametrize("data", [b"\x00", b"\x80", b"\x05\x00", b"\x05\x80", b"\xff\x00\x00"])
def test_padding_and_negative_zero_are_refused(data):
    with pytest.raises(MalformedFile, match="is not minimal"):
        decode_number(data)


@given(st.one_of(st.binary(max_size=3), st.binary(min_size=70, max_size=300)))
def test_pushes_are_the_ones_a_library_calls_minimal(data):
    assert push(data) == bytes(bitcoinx.push_item(data))
    (instruction,) = parse(push(data))
    assert instruction.end == len(push(data))


@pytest.mark.parametrize("size,header", [(75, 1), (76, 2), (255, 2), (256, 3), (65_535, 3), (65_536, 5)])
def test_push_headers_grow_at_their_borders(size, header):
    data = b"\x07" * size
    assert len(push(data)) == size + header
    assert next(parse(push(data))).data == data


@given(st.lists(st.one_of(st.sampled_from([Op.DUP, Op.CAT, Op.MUL]), NUMBERS, st.binary(min_size=2, max_size=90)), max_size=20))
def test_scripts_parse_back_to_what_was_assembled(items):
    parsed = list(parse(assemble(*items)))
    assert len(parsed) == len(items)
    for item, instruction in zip(items, parsed):
        if isinstance(item, Op):
            assert (instruction.opcode, instruction.data) == (item.value, None)
        elif isinstance(item, int):
            assert instruction.number == item
        else:
            assert instruction.data == item


@given(st.binary(min_size=2, max_size=300).filter(lambda data: data != b"\x81"), st.data())
def test_a_cut_push_is_refused(data, draw):
    whole = push(data)
    cut = draw.draw(st.integers(1, len(whole) - 1))
    assert list(parse(whole))[0].data == data
    with pytest.raises(MalformedFile, match="script: push"):
        list(parse(whole[:cut]))


def test_instructions_print_as_people_write_them():
    shown = [str(each) for each in parse(assemble(Op.DUP, 7, -1, 0, b"\xab\xcd", Op.CHECKSIG) + b"\xfe")]
    assert shown == ["OP_DUP", "OP_7", "OP_NEGATIVE_ONE", "OP_FALSE", "abcd", "OP_CHECKSIG", "OP_UNKNOWN_fe"]


def test_sizes_per_section_add_up():
    sections = (Section("a", b"12"), Section("b", b"345"), Section("a", b"6"))
    assert size_report(sections) == {"a": 3, "b": 3}
    assert join(sections) == b"123456"
