"""Tables of numbers: CSV, JSON and `.npy` files as rows of exact readings, and one row as the bytes that a network takes.

    CSV     numbers between commas, semicolons or tabs; a first line of names is optional and lets columns stand in any order
    JSON    {"name": number, ...}, [number, ...], or a list of such rows
    .npy    integers or floats: one row [features], or rows [count, features]

Numbers are taken as written, and floats of an `.npy` file as they are printed: 5.1 is 51/10 in every notation.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.files.arrays import PLAIN_KINDS, parse_npy
from zkpredict.circuits.files.codec import load_json
from zkpredict.circuits.files.schema import Schema
from zkpredict.circuits.files.storage import read_file

SUFFIXES = (".csv", ".tsv", ".json", ".npy")
MAX_TABLE_BYTES = 1 << 26
MAX_EXPONENT = 400
MAX_CLASSES = 1 << 16
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE]([+-]?[0-9]{1,3}))?")
_SEPARATORS = (";", "\t", ",")


@dataclass(frozen=True)
class Table:
    """`columns`: names, or none when the file gives none; `cells`: per row, what stands in each column: text or numbers."""

    columns: tuple[str, ...]
    cells: tuple[tuple[object, ...], ...]
    what: str

    def __len__(self) -> int:
        return len(self.cells)

    def place(self, row: int, column: int) -> str:
        """Where a cell is, for errors."""
        name = f"column '{self.columns[column]}'" if self.columns else f"column {column}"
        return f"{self.what}, row {row}, {name}"

    def reading(self, row: int, column: int) -> Fraction:
        """The number in a cell. Raises `UnusableInput` where it stands when it is none."""
        cell = self.cells[row][column]
        if isinstance(cell, Fraction):
            return cell
        try:
            return exact_number(cell)
        except NoNumber as error:
            raise UnusableInput(f"{self.place(row, column)}: {error}") from None

    def readings(self, row: int, columns: Sequence[int]) -> list[Fraction]:
        """The numbers of one row, in the order of `columns`."""
        return [self.reading(row, column) for column in columns]

    def feature_columns(self, schema: Schema, inputs: int, besides: Sequence[str] = (), several: bool = False) -> list[int]:
        """The column of each input: by name when both the table and the schema name theirs, else in order. `besides` are columns
        that are no inputs, `several`: of which there may be more than one. Raises `UnusableInput` for a column too many or too few."""
        names = [feature.name for feature in schema.features] if len(schema.features) == inputs else []
        left = [number for number, name in enumerate(self.columns) if name not in besides]
        if self.columns and names and set(names) & set(self.columns):
            kept = [name for name in besides if name in names]
            if kept:
                raise UnusableInput(f"{self.what}: the column {_quoted(kept)} is a feature of this model, which cannot do without it")
            lost = [name for name in names if name not in self.columns]
            extra = [name for name in (self.columns[number] for number in left) if name not in names]
            if lost or extra:
                one = len(extra) == 1
                reason = f"has no column {_quoted(lost)}" if lost else f"has the column{'' if one else 's'} {_quoted(extra)}, which {'is no feature' if one else 'are no features'} of this model"
                options = " ".join(f"--label '{name}'" for name in extra)
                way_out = f" ({options} leave{'s' if one else ''} {'it' if one else 'them'} out)" if not lost and (several or one and not besides) else ""
                raise UnusableInput(f"{self.what} {reason}{way_out}: its features are {_quoted(names)}")
            return [self.columns.index(name) for name in names]
        if not self.columns:
            left = list(range(len(self.cells[0])))
        if len(left) != inputs:
            raise UnusableInput(f"{self.what} has {len(left)} numbers a row, the network takes {inputs}")
        return left

    def column(self, name: str) -> int:
        """Where the column called `name` is. Raises `UnusableInput`."""
        if name not in self.columns:
            raise UnusableInput(f"{self.what} has no column '{name}'; it has {', '.join(self.columns) or 'no names'}")
        return self.columns.index(name)

    def class_at(self, row: int, column: int, classes: Sequence[str]) -> int:
        """The class that a cell says, by one of the names `classes` or by its number; where names are numbers, a number is a name, however it is written
        (1.0 is 1). Raises `UnusableInput`."""
        text = str(self.cells[row][column]).strip()
        if text in classes:
            return list(classes).index(text)
        values = [_value(name) for name in classes]
        number = self.reading(row, column) if not classes else _value(text)
        named = any(value is not None for value in values)
        if named and number is not None:
            number = Fraction(values.index(number)) if values.count(number) == 1 else None
        if number is None or number.denominator != 1 or not 0 <= number < MAX_CLASSES:
            known = f"one of {', '.join(classes)}{'' if named else ', or its number'}" if classes else "the number of a class, from 0"
            raise UnusableInput(f"{self.place(row, column)}: the label is '{text[:40]}', expected {known}")
        return int(number)

    def only(self, rows: slice) -> Table:
        """Some of the rows."""
        return replace(self, cells=self.cells[rows])

    def row(self, number: int | None) -> int:
        """The row that is meant: `number` from 0, or the only one. Raises `UnusableInput`."""
        if number is None:
            if len(self) != 1:
                raise UnusableInput(f"{self.what} has {len(self)} rows: say which one is meant with --row N (from 0)")
            return 0
        if not 0 <= number < len(self):
            raise UnusableInput(f"{self.what} has no row {number}, it holds {len(self)} (from 0)")
        return number


@dataclass(frozen=True, eq=False)
class EncodedRows:
    """Rows as the bytes a network takes: uint8 [rows, inputs], and how many of them have a reading that was clipped."""

    bytes: np.ndarray
    clipped: int


@dataclass(frozen=True)
class EncodedRow:
    """One row as the bytes a network takes: uint8 [inputs], and the names of the features that were clipped."""

    bytes: np.ndarray
    clipped: tuple[str, ...]


def read_row(
    path: str | os.PathLike[str], schema: Schema, inputs: int, number: int | None = None, besides: Sequence[str] = ()
) -> EncodedRow:
    """Row `number` (the only one by default) of a table, in bytes; the columns `besides` are no features. Raises `UnusableInput` saying what is wrong where."""
    return encode_row(read_table(path), schema, inputs, number, besides)


def encode_row(table: Table, schema: Schema, inputs: int, number: int | None = None, besides: Sequence[str] = ()) -> EncodedRow:
    """As above, of a table that has been read."""
    row = table.row(number)
    readings = table.readings(row, _features(table, schema, inputs, besides))
    try:
        encoded, clipped = schema.encode(readings, inputs)
    except UnusableInput as error:
        raise UnusableInput(f"{table.what}: {error}") from None
    return EncodedRow(np.frombuffer(encoded, np.uint8), clipped)


def encode_rows(table: Table, schema: Schema, inputs: int, besides: Sequence[str] = ()) -> EncodedRows:
    """Every row of a table in bytes, each as `encode_row` gives it. Raises `UnusableInput` for the first that cannot be used."""
    columns, clipped = _features(table, schema, inputs, besides), 0
    found = np.empty((len(table), inputs), np.uint8)
    for row in range(len(table)):
        encoded, beyond = schema.encode(table.readings(row, columns), inputs)
        found[row] = np.frombuffer(encoded, np.uint8)
        clipped += bool(beyond)
    return EncodedRows(found, clipped)


def _features(table: Table, schema: Schema, inputs: int, besides: Sequence[str]) -> list[int]:
    """The columns of the inputs; those `besides` are none of them."""
    for name in besides:
        table.column(name)
    return table.feature_columns(schema, inputs, besides, several=True)


def encode_readings(readings: object, schema: Schema, inputs: int) -> np.ndarray:
    """One row of readings held in Python as uint8 [inputs]: a mapping from feature names, or a sequence or array of numbers in
    their order (a row of a DataFrame is either). Raises `UnusableInput`."""
    names = [feature.name for feature in schema.features]
    index = getattr(readings, "index", None)  # a pandas Series: its labels are names, whatever their order
    if not isinstance(readings, dict) and index is not None and not callable(index) and set(map(str, index)) & set(names):
        readings = dict(zip(map(str, index), np.asarray(readings).tolist(), strict=True))
    if isinstance(readings, dict):
        table = _json_table(readings, "the readings")
    else:
        values = np.asarray(readings)
        if values.ndim == 2 and len(values) == 1:
            values = values[0]
        if values.ndim != 1 or values.dtype.kind not in "iufb":
            raise UnusableInput(f"readings must be one row of numbers, got {values.dtype} {list(values.shape)}")
        table = Table((), (tuple(_exact_values(values, "the readings")),), "the readings")
    return encode_row(table, schema, inputs).bytes


def read_table(path: str | os.PathLike[str]) -> Table:
    """A table from a file, by its suffix. Raises `UnusableInput`."""
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise UnusableInput(f"{path} is no table: give one of {', '.join(SUFFIXES)}")
    data = read_file(path, "table", MAX_TABLE_BYTES)
    return parse_table(data, suffix, f"table {path}")


def parse_table(data: bytes, suffix: str, what: str) -> Table:
    """The table in the bytes of a file that ends in `suffix`. Raises `UnusableInput`."""
    if suffix == ".npy":
        return _npy_table(data, what)
    if suffix == ".json":
        return _json_table(load_json(data, what, _json_number), what)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise MalformedFile(f"{what} is no text in UTF-8") from None
    return _csv_table(text, what)


class NoNumber(ValueError):
    """What stands where a number should; says what."""


def _value(text: str) -> Fraction | None:
    """The number that `text` is, if it is one."""
    try:
        return exact_number(text)
    except NoNumber:
        return None


def exact_number(text: object) -> Fraction:
    """The number in `text`, exactly. Raises `NoNumber` for anything else: empty, NaN, 5,1."""
    if isinstance(text, bool) or not isinstance(text, (str, int)):
        raise NoNumber(f"expected a number, got {text!r}")
    cleaned = str(text).strip() if len(str(text)) < 100 else ""
    match = _NUMBER.fullmatch(cleaned)
    if match is None or abs(int(match.group(1) or 0)) > MAX_EXPONENT:
        shown = f"{str(text)[:40]!r}" if str(text).strip() else "nothing"
        raise NoNumber(f"expected a number, got {shown}")
    return Fraction(cleaned)


def _csv_table(text: str, what: str) -> Table:
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines:
        raise UnusableInput(f"{what} is empty")
    separator = next((mark for mark in _SEPARATORS if mark in lines[0]), ",")
    rows = [_fields(line.rstrip("\r"), separator, f"{what}, line {number + 1}") for number, line in enumerate(lines)]
    named = not all(_NUMBER.fullmatch(cell.strip()) for cell in rows[0])
    columns = tuple(cell.strip() for cell in rows.pop(0)) if named else ()
    if not rows:
        raise UnusableInput(f"{what} has names but no row of numbers")
    if len(set(columns)) < len(columns):
        raise UnusableInput(f"{what} has two columns of one name")
    return _table(columns, rows, what)


def _fields(line: str, separator: str, where: str) -> list[str]:
    """The fields of a line; quotes are taken around whole fields (RFC 4180), with a doubled quote for one inside."""
    fields, position = [], 0
    while True:
        if line[position : position + 1] == '"':
            match = re.compile(r'"((?:[^"]|"")*)"').match(line, position)
            if match is None or line[match.end() : match.end() + 1] not in ("", separator):
                raise MalformedFile(f"{where}: a quoted field does not end")
            fields.append(match.group(1).replace('""', '"'))
            position = match.end()
        else:
            end = line.find(separator, position)
            end = len(line) if end < 0 else end
            fields.append(line[position:end])
            position = end
        if position >= len(line):
            return fields
        position += len(separator)


def _json_table(found: object, what: str) -> Table:
    rows: list[Any] = found if isinstance(found, list) and found and isinstance(found[0], (list, dict)) else [found]
    if all(isinstance(row, dict) and row for row in rows):
        columns = tuple(map(str, rows[0]))
        odd = next((number for number, row in enumerate(rows) if set(map(str, row)) != set(columns)), None)
        if odd is not None:
            raise UnusableInput(f"{what}: row {odd} has other names than row 0")
        return _table(columns, [[_json_cell(row[name]) for name in rows[0]] for row in rows], what)
    if all(isinstance(row, list) and row for row in rows):
        return _table((), [[_json_cell(cell) for cell in row] for row in rows], what)
    raise UnusableInput(f'{what} is no table: give {{"name": number, ...}}, [number, ...], or a list of such rows')


def _json_number(text: str) -> object:
    """A JSON number exactly; text for what is none (NaN, 1e999), which is refused where it is read."""
    try:
        return exact_number(text)
    except NoNumber:
        return text


def _json_cell(value: object) -> object:
    """A cell of a table: numbers become exact; texts may be labels, anything else is refused where it is read."""
    if isinstance(value, Fraction):
        return value
    if isinstance(value, float) and not isinstance(value, np.floating):
        return Fraction(str(value)) if np.isfinite(value) else str(value)
    if isinstance(value, np.floating):
        return Fraction(str(value)) if np.isfinite(value) else str(value)
    if isinstance(value, np.integer):
        return int(value)
    return value if isinstance(value, (str, bool, int)) else json.dumps(value, default=str)[:40]


def _npy_table(data: bytes, what: str) -> Table:
    values = parse_npy(data, what, [kind for kind in PLAIN_KINDS if kind != "|b1"])
    if values.ndim == 1:
        values = values[None, :]
    if values.ndim != 2 or not values.size:
        raise UnusableInput(f"{what} has the shape {list(values.shape)}, expected [features] or [rows, features]")
    return Table((), tuple(tuple(_exact_values(row, f"{what}, row {number}")) for number, row in enumerate(values)), what)


def _exact_values(values: np.ndarray, what: str) -> list[Fraction]:
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        position = int(np.flatnonzero(~np.isfinite(values))[0])
        raise UnusableInput(f"{what}, column {position}: expected a number, got {values[position]}")
    return [Fraction(str(value)) for value in values]  # numpy prints the shortest decimal of each width


def _table(columns: tuple[str, ...], rows: list[Any], what: str) -> Table:
    width = len(columns) or len(rows[0])
    odd = next((number for number, row in enumerate(rows) if len(row) != width), None)
    if odd is not None:
        raise UnusableInput(f"{what}: row {odd} has {len(rows[odd])} fields, expected {width}")
    return Table(columns, tuple(map(tuple, rows)), what)


def _quoted(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:8])
    return shown + (f" and {len(names) - 8} more" if len(names) > 8 else "")
