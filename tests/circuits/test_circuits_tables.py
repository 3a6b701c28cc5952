"""Schemas and tables: readings become the same bytes for everybody, exactly, and what cannot be used is named where it stands."""

import io
import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import refuses

from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.files.schema import BadSchema, Feature, Schema
from zkpredict.circuits.files.tables import encode_readings, encode_row, parse_table

SCHEMA = Schema((Feature("length", 4.3, 7.9), Feature("width", 2.0, 4.4)), ("small", "large"))


def _npy(array) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def _bytes(data: bytes, suffix: str, row: int | None = None) -> tuple[list[int], tuple[str, ...]]:
    found = encode_row(parse_table(data, suffix, "t"), SCHEMA, 2, row)
    return found.bytes.tolist(), found.clipped


@pytest.mark.parametrize(
    "data, suffix",
    [
        (b"5.1,3.5\n", ".csv"),
        (b"length,width\r\n5.1,3.5\r\n", ".csv"),
        (b"\xef\xbb\xbfwidth;length\n3.5;5.1\n", ".csv"),
        (b'"width"\t"length"\n"3.5"\t5.10\n\n', ".tsv"),
        (b"[5.1, 3.5]", ".json"),
        (b'[{"width": 3.5, "length": 51e-1}]', ".json"),
    ],
)
def test_one_row_in_every_notation_gives_the_same_bytes(data, suffix):
    expected = [int((Fraction(51, 10) - Fraction("4.3")) * 255 / (Fraction("7.9") - Fraction("4.3")) + Fraction(1, 2)),
                int((Fraction(7, 2) - 2) * 255 / (Fraction("4.4") - 2) + Fraction(1, 2))]  # fmt: skip
    assert _bytes(data, suffix) == (expected, ())
    assert encode_readings({"width": 3.5, "length": 5.1}, SCHEMA, 2).tolist() == expected
    assert encode_readings(np.array([[5.1, 3.5]]), SCHEMA, 2).tolist() == expected


@given(st.floats(-1e9, 1e9), st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_a_byte_is_the_nearest_step_and_never_further_than_half_of_one(reading, low, width):
    feature = Feature("x", low, low + width)
    byte, exact, (first, last) = feature.byte(Fraction(reading)), Fraction(reading), feature.ends
    assert (byte == 0) if exact <= first else (byte == 255) if exact >= last else True
    if feature.holds(exact):
        step = (last - first) / 255
        assert abs(first + byte * step - exact) <= step / 2


def test_what_lies_beyond_the_scale_is_clipped_and_named():
    assert _bytes(b"9,1.5", ".csv") == ([255, 0], ("length", "width"))
    assert _bytes(b"7.9,2", ".csv") == ([255, 0], ())


def test_rows_are_chosen_by_number():
    table = b"length,width\n4.3,2\n7.9,4.4\n"
    assert (_bytes(table, ".csv", 0)[0], _bytes(table, ".csv", 1)[0]) == ([0, 0], [255, 255])
    with refuses(UnusableInput, "t has 2 rows: say which one is meant with --row N (from 0)"):
        _bytes(table, ".csv")
    with refuses(UnusableInput, "t has no row 2, it holds 2 (from 0)"):
        _bytes(table, ".csv", 2)


@pytest.mark.parametrize(
    "data, suffix, message",
    [
        (b"length,width\n5.1,\n", ".csv", "t, row 0, column 'width': expected a number, got nothing"),
        (b"length,width\n5.1,nan\n", ".csv", "t, row 0, column 'width': expected a number, got 'nan'"),
        (b"length;width\n5,1;3,5\n", ".csv", "t, row 0, column 'length': expected a number, got '5,1'"),
        (b"length,width\n5.1,1e999\n", ".csv", "t, row 0, column 'width': expected a number, got '1e999'"),
        (b"length,width,petal\n5.1,3.5,1\n", ".csv",
         "t has the column 'petal', which is no feature of this model (--label 'petal' leaves it out): its features are 'length', 'width'"),
        (b"length,other\n5.1,3.5\n", ".csv", "t has no column 'width': its features are 'length', 'width'"),
        (b"1,2,3\n", ".csv", "t has 3 numbers a row, the network takes 2"),
        (b"1,2\n1\n", ".csv", "t: row 1 has 1 fields, expected 2"),
        (b"length,length\n1,2\n", ".csv", "t has two columns of one name"),
        (b"length,width\n", ".csv", "t has names but no row of numbers"),
        (b" \n", ".csv", "t is empty"),
        (b'"1,2\n', ".csv", "t, line 1: a quoted field does not end"),
        (b"\xff,2\n", ".csv", "t is no text in UTF-8"),
        (b"[1, NaN]", ".json", "t, row 0, column 1: expected a number, got 'NaN'"),
        (b"[1, true]", ".json", "t, row 0, column 1: expected a number, got True"),
        (b"[1, [2]]", ".json", "t, row 0, column 1: expected a number, got '[2]'"),
        (b"7", ".json", 't is no table: give {"name": number, ...}, [number, ...], or a list of such rows'),
        (b"{", ".json", "t is no JSON"),
        (_npy(np.array([1.0, np.inf])), ".npy", "t, row 0, column 1: expected a number, got inf"),
        (_npy(np.zeros((1, 1, 2))), ".npy", "t has the shape [1, 1, 2], expected [features] or [rows, features]"),
        (_npy(np.array(["a", "b"])), ".npy", "t holds text, expected uint8, int8, uint16, int16, uint32, int32, uint64, int64, "
         "float16, float32 or float64"),
    ],
)  # fmt: skip
def test_what_is_no_row_of_readings_is_refused_where_it_stands(data, suffix, message):
    broken = message.endswith(("does not end", "no text in UTF-8", "no JSON"))
    with refuses(MalformedFile if broken else UnusableInput, message):
        _bytes(data, suffix)


def test_floats_of_an_npy_file_are_taken_as_they_are():
    """Widths 3.2 lies exactly between two steps: as the dyadic number that a float holds, it would go either way."""
    schema = Schema((Feature("width", 2.0, 4.4), Feature("other", 2.0, 4.4)))
    for row in (b"3.2,3.2", _npy(np.array([3.2, 3.2])), _npy(np.array([3.2, 3.2], np.float32))):
        table = parse_table(row, ".npy" if row[:1] == b"\x93" else ".csv", "t")
        assert encode_row(table, schema, 2).bytes.tolist() == [128, 128]
    assert encode_readings(np.array([3.2, 3.2], np.float32), schema, 2).tolist() == [128, 128]
    assert encode_readings({"width": 3.2, "other": np.float32(3.2)}, schema, 2).tolist() == [128, 128]


SCHEMAS = (
    Schema(),
    SCHEMA,
    Schema((), ("a", "b", "c")),
    Schema((Feature("pixel", 0.0, 16.0),)),
    Schema((Feature("Länge", -1e300, 1e300), Feature("x", -0.0, 5e-324)), ("ja", "nein")),
)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_schemas_are_what_their_bytes_say(schema):
    data = schema.to_bytes()
    assert Schema.from_bytes(data) == schema
    for cut in range(len(data)):
        with pytest.raises(MalformedFile):
            Schema.from_bytes(data[:cut])
    with refuses(MalformedFile, f"schema: 1 bytes trail after the end at offset {len(data)}"):
        Schema.from_bytes(data + b"\x00")


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Feature("x", 1, 1), "feature 'x': low is 1.0, which must be below high, 1.0"),
        (lambda: Feature("x", 0, float("inf")), "feature 'x': high is inf, expected a finite number"),
        (lambda: Feature("", 0, 1), "the feature name '' is empty, or has blanks around it, or holds what cannot be printed"),
        (lambda: Feature("a\u202eb", 0, 1), "the feature name 'a\\u202eb' is empty, or has blanks around it, or holds what cannot be printed"),
        (lambda: Feature("a" * 81, 0, 1), "the feature name 'aaaaaaaaaaaaaaaaaaaa'... is longer than 80 bytes"),
        (lambda: Schema((), ("a", "a")), "two classes are called 'a'"),
        (lambda: Schema((Feature("x", 0, 1), Feature("x", 0, 2))), "two features are called 'x'"),
        (lambda: SCHEMA.check_shape(3, 2), "the schema has 2 features, the network takes 3 inputs"),
        (lambda: SCHEMA.check_shape(2, 3), "the schema names 2 classes, the network knows 3"),
    ],
)
def test_schemas_that_mislead_are_refused(make, message):
    with refuses(BadSchema, message):
        make()


def test_a_negative_zero_is_no_second_encoding():
    plain = Schema((Feature("x", 0.0, 1.0),)).to_bytes()
    negative = plain.replace(bytes(8), b"\x00" * 7 + b"\x80", 1)
    assert negative != plain
    with refuses(MalformedFile, "schema: the schema is not in canonical form"):
        Schema.from_bytes(negative)


def test_json_numbers_are_exact():
    """0.1 + 0.2 in floats is not 3/10: whoever reads the text of a number gets the same byte as everybody."""
    schema = Schema((Feature("x", 0.0, 1.0), Feature("y", 0.0, 1.0)))
    text = json.dumps([0.3, 0.5]).encode()
    assert parse_table(text, ".json", "t").readings(0, [0, 1]) == [Fraction(3, 10), Fraction(1, 2)]
    assert encode_row(parse_table(text, ".json", "t"), schema, 2).bytes.tolist() == [77, 128]


@pytest.mark.parametrize(
    ("classes", "cells", "numbers"),
    [
        (("1", "2", "3"), ("1", "1.0", "01", "3", "3.00"), (0, 0, 0, 2, 2)),
        (("1.0", "2.0"), ("1", "2", "2.0"), (0, 1, 1)),
        (("-1", "1"), ("-1.0", "1.0"), (0, 1)),
        (("red", "blue"), ("red", "0", "1", "1.0"), (0, 0, 1, 1)),
        ((), ("0", "7", "7.0"), (0, 7, 7)),
    ],
)
def test_a_label_is_one_class_however_it_is_written(classes, cells, numbers):
    """Names that are numbers: 1 and 1.0 are one name, and never the place of another."""
    table = parse_table("\n".join(["label", *cells]).encode(), ".csv", "t")
    assert tuple(table.class_at(row, 0, classes) for row in range(len(cells))) == numbers


@pytest.mark.parametrize(("classes", "cell"), [(("1", "2", "3"), "0"), (("1", "2", "3"), "4"), (("1", "1.0"), "1.00"), (("1", "other"), "0")])
def test_a_number_that_is_no_name_is_no_class_where_names_are_numbers(classes, cell):
    table = parse_table(f"label\n{cell}\n".encode(), ".csv", "t")
    with refuses(UnusableInput, f"t, row 0, column 'label': the label is '{cell}', expected one of {', '.join(classes)}"):
        table.class_at(0, 0, classes)
