"""The byte reader under every file format."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import refuses

from zkpredict.circuits.files.codec import MAX_JSON_DEPTH, ByteReader, load_json
from zkpredict.circuits.errors import MalformedFile, UnusableInput


@given(st.lists(st.binary(max_size=9), max_size=6))
def test_takes_what_was_joined(parts):
    reader = ByteReader(b"".join(parts), "thing")
    assert [reader.take(len(part), "part") for part in parts] == parts
    reader.finish()


@given(st.integers(0, 8), st.data())
def test_unsigned_is_little_endian(size, data):
    value = data.draw(st.integers(0, (1 << (8 * size)) - 1))
    assert ByteReader(value.to_bytes(size, "little"), "thing").unsigned(size, "number") == value


def test_too_little_is_refused_with_field_and_offset():
    reader = ByteReader(b"abcde", "thing")
    assert reader.take(4, "head") == b"abcd"
    with refuses(MalformedFile, "thing: tail needs 2 bytes at offset 4, 1 are left"):
        reader.take(2, "tail")
    assert reader.take(1, "tail") == b"e"


def test_too_much_is_refused_with_the_offset():
    reader = ByteReader(b"abc", "thing")
    reader.take(1, "head")
    with refuses(MalformedFile, "thing: 2 bytes trail after the end at offset 1"):
        reader.finish()


def test_another_constant_is_refused():
    ByteReader(b"zkp", "thing").expect(b"zkp", "magic")
    with refuses(MalformedFile, "thing: magic is b'zkq', expected b'zkp'"):
        ByteReader(b"zkq", "thing").expect(b"zkp", "magic")


@pytest.mark.parametrize("claimed", [1 << 31, 1 << 63, 1 << 200])
def test_a_huge_claim_allocates_nothing(claimed):
    with refuses(MalformedFile, f"thing: body needs {claimed} bytes at offset 0, 3 are left"):
        ByteReader(b"abc", "thing").take(claimed, "body")


def test_a_malformed_file_is_unusable_input():
    assert issubclass(MalformedFile, UnusableInput) and issubclass(UnusableInput, ValueError)


def test_json_is_parsed_up_to_the_depth_limit():
    nested = b"[" * MAX_JSON_DEPTH + b"]" * MAX_JSON_DEPTH
    assert load_json(b'{"a": "[[[[ \\" ]", "b": [1, {"c": null}]}', "file") == {"a": '[[[[ " ]', "b": [1, {"c": None}]}
    assert load_json(nested, "file") == json.loads(nested)


@pytest.mark.parametrize("text", [b"[" * (MAX_JSON_DEPTH + 1), b"[" * 1_000_000, b'{"a":' * 100_000])
def test_deep_json_is_refused_before_the_parser_recurses(text):
    """With the interpreter's recursion limit raised, as py-evm raises it, the parser itself would overflow the stack."""
    with refuses(MalformedFile, f"file is nested more than {MAX_JSON_DEPTH} deep"):
        load_json(text, "file")


@pytest.mark.parametrize("text", [b"", b"{", b'"\\', b"\xff"])
def test_broken_json_is_refused(text):
    with refuses(MalformedFile, "file is no JSON"):
        load_json(text, "file")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-16-be", "utf-8-sig"])
def test_json_in_another_encoding_is_refused(encoding):
    """Its depth is counted in bytes: an escaped quote in UTF-16 would hide any nesting from the count."""
    deep = '["\\"",' + "[" * 200_000
    with refuses(MalformedFile, "file is nested more than 64 deep" if encoding == "utf-8-sig" else "file is no JSON"):
        load_json(deep.encode(encoding), "file")
    with refuses(MalformedFile, "file is no JSON"):
        load_json("[1]".encode(encoding), "file")
