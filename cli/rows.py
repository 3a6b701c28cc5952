"""Statements about readings: rows of a table as the bytes that are proven, by the scale that the model's commitment binds."""

from __future__ import annotations

import argparse
import os

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.schema import Schema
from zkpredict.cli.console import Console

TEXT_SUFFIXES = (".csv", ".tsv", ".json")
TABLE_SUFFIXES = (*TEXT_SUFFIXES, ".npy")
MAX_DATA_BYTES = 1 << 28
_NPY_BYTES = b"'descr': '|u1'"


def add_row_options(parser: argparse.ArgumentParser) -> None:
    """Adds `--row`, `--label` and `--as`."""
    parser.add_argument("--row", type=int, metavar="N", help="number of the row in a table (.csv, .tsv, .json, .npy), from 0")
    add_left_out_option(parser)
    add_as_option(parser)


def add_as_option(parser: argparse.ArgumentParser) -> None:
    """Adds `--as`."""
    parser.add_argument(
        "--as", dest="taken_as", choices=("readings", "bytes"), help="what the numbers of an .npy file of bytes are, where both are possible"
    )


def add_left_out_option(parser: argparse.ArgumentParser) -> None:
    """Adds `--label`."""
    parser.add_argument("--label", action="append", metavar="COLUMN", help="a column of the table that is no feature, and is left out; again for each of several")


def is_row(arguments: argparse.Namespace, path: str | None, schema: Schema) -> bool:
    """Whether `path` is to be read as a row of readings. Raises `UnusableInput` for a file that this model cannot take."""
    suffix = "" if path is None else os.path.splitext(path)[1].lower()
    if not schema.features:
        if suffix in TEXT_SUFFIXES or arguments.row is not None or arguments.taken_as == "readings":
            raise UnusableInput(
                f"{path or arguments.idx}: this model has no feature scale, it takes bytes (a picture, .npy of uint8, --idx); "
                "`zkpredict quantize --calibrate TABLE` or `--input-scale` gives a model one"
            )
        return False
    if suffix in TABLE_SUFFIXES:
        return suffix != ".npy" or arguments.taken_as == "readings" or not _holds_bytes(arguments.taken_as, path, schema)
    refuse_pictures(path or arguments.idx, schema, "a row of a table")
    if arguments.row is not None or arguments.label is not None or arguments.taken_as == "readings":
        raise UnusableInput("--row, --label and --as are for tables (.csv, .tsv, .json, .npy)")
    return False


def refuse_pictures(path: str, schema: Schema, wanted: str = "a table") -> None:
    """Raises `UnusableInput` for the picture, or pictures, at `path` when the model takes readings of several scales."""
    if not schema.shared:
        names = ", ".join(feature.name for feature in schema.features[:6]) + (", ..." if len(schema.features) > 6 else "")
        raise UnusableInput(f"{path}: this model takes {len(schema.features)} readings ({names}), no picture: give {wanted} ({', '.join(TABLE_SUFFIXES)})")


def is_table(path: str, schema: Schema, taken_as: str | None) -> bool:
    """Whether the file at `path` holds many rows of readings: a table by its name, or, for a model with a scale, an .npy of other
    numbers than bytes, or of bytes that are `taken_as` readings. Raises `UnusableInput` for a table without a scale, and for bytes that could be readings as
    well."""
    suffix = os.path.splitext(path)[1].lower()
    table = not os.path.isdir(path) and suffix in TABLE_SUFFIXES
    if table and suffix in TEXT_SUFFIXES and taken_as == "bytes":
        raise UnusableInput(f"{path} is a table of readings: --as bytes goes with an .npy of uint8")
    if table and schema.features:
        return suffix != ".npy" or taken_as == "readings" or not _holds_bytes(taken_as, path, schema)
    if taken_as == "readings":
        raise UnusableInput(f"{path}: --as readings goes with tables ({', '.join(TABLE_SUFFIXES)}), for a model with a feature scale")
    if table and suffix in TEXT_SUFFIXES:
        raise UnusableInput(f"{path} is a table, and this model has no feature scale: it takes pictures, .npy of uint8, or idx files")
    return False


def _holds_bytes(taken_as: str | None, path: str, schema: Schema) -> bool:
    """Whether an .npy file, of one input or of many, holds the bytes themselves. Raises `UnusableInput` where its numbers could be readings as well."""
    from zkpredict.circuits.files.arrays import parse_npy
    from zkpredict.circuits.files.storage import read_file, read_head

    if _NPY_BYTES not in read_head(path, "inputs")[:128]:
        if taken_as == "bytes":
            raise UnusableInput(f"{path} does not hold bytes (uint8): its numbers are readings")
        return False
    if taken_as == "bytes":
        return True
    values = parse_npy(read_file(path, "inputs", MAX_DATA_BYTES), f"inputs {path}")
    rows = values.reshape(len(values), -1) if values.ndim > 1 and len(values) else values.reshape(1, -1)
    scales = schema.scales(rows.shape[1])
    if len(scales) != rows.shape[1] or all((scale.low, scale.high) == (0, 255) for scale in scales):
        return True  # not as many as readings, or the same bytes in both ways
    ends = zip(scales, rows.min(axis=0).tolist(), rows.max(axis=0).tolist(), strict=True)
    if all(scale.low <= least and most <= scale.high for scale, least, most in ends):
        raise UnusableInput(f"{path} holds bytes that are possible readings too: say which with --as bytes or --as readings")
    return True


def read_row_bytes(arguments: argparse.Namespace, console: Console, path: str, schema: Schema, inputs: int) -> bytes:
    """The row in bytes; says which readings were clipped. Raises `UnusableInput`."""
    from zkpredict.circuits.files.tables import read_row

    if arguments.invert or arguments.auto:
        raise UnusableInput(f"{path} is a table: --invert and --auto are for pictures")
    row = read_row(path, schema, inputs, arguments.row, arguments.label or ())
    if row.clipped:
        shown = ", ".join(row.clipped[:6]) + (f" and {len(row.clipped) - 6} more" if len(row.clipped) > 6 else "")
        console.note(f"{path}: beyond the scale of the model, so clipped to its end: {shown}")
    return row.bytes.tobytes()
