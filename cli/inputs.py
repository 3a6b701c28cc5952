"""Many inputs at once: the pictures of a folder, the images of an idx or .npy file, the rows of a table."""

from __future__ import annotations

import argparse
import math
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.images import Reading, prepare_image
from zkpredict.circuits.files.kinds import recognise
from zkpredict.circuits.files.schema import Schema
from zkpredict.circuits.files.storage import read_file
from zkpredict.cli.batches import MAX_DATA_BYTES, PICTURES, image_array
from zkpredict.cli.console import Console

TABLES = (".csv", ".tsv", ".json")
MAX_INPUTS = 1_000_000


@dataclass(frozen=True, eq=False)
class Inputs:
    """`names`: what each is called, all different; `values`: uint8 [count, inputs], the bytes that are proven."""

    names: tuple[str, ...]
    values: np.ndarray = field(repr=False)

    def __len__(self) -> int:
        return len(self.names)


def add_inputs_options(parser: argparse.ArgumentParser) -> None:
    """Adds `inputs` and how pictures are read."""
    parser.add_argument("inputs", metavar="DATA", help="a folder of pictures, an idx file (.gz too), .npy of uint8 [count, ...], or a table (.csv, .tsv, .json)")
    parser.add_argument("--label", metavar="COLUMN", help="a column of the table that is no feature, and is left out")
    parser.add_argument("--invert", action="store_true", help="the images show dark ink on light paper")


def read_inputs(arguments: argparse.Namespace, console: Console, inputs: int, schema: Schema = Schema()) -> Inputs:
    """All inputs that `arguments.inputs` holds, in order: pictures by the order of their names. Raises `UnusableInput`, naming the
    first that does not fit."""
    path = arguments.inputs
    if os.path.isdir(path):
        found = _folder(path, console, inputs, arguments.invert)
    elif Path(path).suffix.lower() in TABLES:
        found = _table(path, console, inputs, schema, arguments)
    else:
        found = _images(path, inputs, arguments.invert)
    if not len(found):
        raise UnusableInput(f"{path} holds no inputs")
    if len(found) > MAX_INPUTS:
        raise UnusableInput(f"{path} holds {len(found)} inputs, at most {MAX_INPUTS} are taken at once")
    return found


def _folder(path: str, console: Console, inputs: int, invert: bool) -> Inputs:
    files = sorted(entry for entry in Path(path).iterdir() if not entry.name.startswith("."))
    strange = [entry.name for entry in files if entry.suffix.lower() not in PICTURES or not entry.is_file()]
    if strange:
        raise UnusableInput(f"{path} holds {strange[0]}, which is no picture ({', '.join(PICTURES)}): keep pictures in a folder of their own")
    names = tuple(entry.stem for entry in files)
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UnusableInput(f"{path} holds two pictures called {twice}: their proofs would have one name")
    values, noted = np.zeros((len(files), inputs), np.uint8), 0
    with console.counted("read", "pictures") as progress:
        for number, entry in enumerate(files):
            prepared = prepare_image(entry, inputs, Reading(invert))
            values[number] = np.frombuffer(prepared.pixels, np.uint8)
            noted += bool(prepared.notes)
            progress(number + 1, len(files))
    if noted:
        console.note(f"{noted} of {len(files)} pictures were changed on their way to the network's bytes: `zkpredict look` shows how")
    return Inputs(names, values)


def _images(path: str, inputs: int, invert: bool) -> Inputs:
    data = read_file(path, "inputs", MAX_DATA_BYTES)
    values = image_array(data, path)
    if values is None:
        known = recognise(data, str(path)) or "nothing in it tells what it is"
        raise UnusableInput(f"{path} is no folder, idx file, .npy file or table ({', '.join(TABLES)}) of inputs: {known}")
    if values.ndim < 2 or math.prod(values.shape[1:]) != inputs:
        raise UnusableInput(f"{path} holds an array {list(values.shape)}, the network takes [count, {inputs}] (or images of {inputs} bytes)")
    values = np.ascontiguousarray(values.reshape(len(values), inputs))
    return Inputs(_numbers(len(values)), 255 - values if invert else values)


def _table(path: str, console: Console, inputs: int, schema: Schema, arguments: argparse.Namespace) -> Inputs:
    from zkpredict.circuits.files.tables import encode_row, read_table

    if not schema.features:
        raise UnusableInput(f"{path} is a table, and this model has no feature scale: it takes pictures, .npy of uint8, or idx files")
    if arguments.invert:
        raise UnusableInput(f"{path} is a table: --invert is for pictures")
    table = read_table(path)
    rows = [encode_row(table, schema, inputs, number, arguments.label) for number in range(len(table))]
    clipped = sum(bool(row.clipped) for row in rows)
    if clipped:
        console.note(f"{path}: {clipped} of {len(rows)} rows have readings beyond the scale of the model, clipped to its end")
    return Inputs(_numbers(len(rows)), np.array([row.bytes for row in rows], np.uint8).reshape(len(rows), inputs))


def _numbers(count: int) -> tuple[str, ...]:
    """Names for inputs that have none: their numbers from 0, as wide as the last, so that files sort in order."""
    width = max(5, len(str(count - 1)))
    return tuple(f"{number:0{width}d}" for number in range(count))
