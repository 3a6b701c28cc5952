"""Many inputs at once: the pictures of a folder, the images of an idx or .npy file, the rows of a table."""

from __future__ import annotations

import argparse
import math
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.arrays import parse_bytes, saving
from zkpredict.circuits.files.idx import parse_idx
from zkpredict.circuits.files.images import Reading, prepare_image
from zkpredict.circuits.files.kinds import GZIP, IDX, kind_of, recognise
from zkpredict.circuits.files.order import Picture, check_order
from zkpredict.circuits.files.schema import Schema
from zkpredict.circuits.files.sizes import wrong_batch
from zkpredict.circuits.files.storage import read_file
from zkpredict.cli.console import Console
from zkpredict.cli.parser import at_least_one, at_least_zero
from zkpredict.cli.rows import MAX_DATA_BYTES, TABLE_SUFFIXES, TEXT_SUFFIXES, add_as_option, is_table, refuse_pictures

if TYPE_CHECKING:
    from zkpredict.circuits.files.tables import Table

PICTURES = (".png", ".jpg", ".jpeg", ".npy")
_SINGLE = {
    "prove-batch": "prove {path} --model {model} --out PROOF", "prove-many": "prove {path} --model {model} --out PROOF",
    "verify-batch": "verify {path} PROOF --commitment {commitment}", "chain verify-batch": "chain verify {path} PROOF --commitment {commitment}",
}  # fmt: skip
"""What is typed about a single input in the place of the commands that take many."""
MAX_INPUTS = 1_000_000
PICTURE_BYTES = 784
NOTED = 3
"""Pictures that notes are shown of; of more, how many there are."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """`names`: what each is called; `values`: uint8 [count, inputs], the bytes that are proven."""

    names: tuple[str, ...]
    values: np.ndarray = field(repr=False)

    def __len__(self) -> int:
        return len(self.names)


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Adds the data and how to read it."""
    parser.add_argument(
        "data", metavar="DATA", help="a folder of pictures, taken by name; an .npy (uint8, one input a row); an idx file (.gz too); "
        "for a model of readings, a table (.csv, .tsv, .json, .npy of other numbers)",
    )  # fmt: skip
    parser.add_argument("--count", type=at_least_one, metavar="N", help="the first N inputs only")
    parser.add_argument("--skip", type=at_least_zero, default=0, metavar="N", help="leave out the first N inputs, and count those that follow")
    parser.add_argument("--invert", action="store_true", help="dark ink on light paper")
    parser.add_argument("--auto", action="store_true", help="photos of paper: find the ink, crop, centre and normalise it as in MNIST")
    parser.add_argument("--allow-blank", action="store_true", help="take pictures that are one shade all over")
    add_as_option(parser)


def read_inputs(
    arguments: argparse.Namespace, console: Console, inputs: int | None, schema: Schema, left_out: Sequence[str] | None = None, shape: Picture | None = None
) -> Inputs:
    """The inputs of `DATA`, in order: pictures by the order of their names, rows of a table by the `schema`'s scale and without the
    columns `left_out`. `inputs`: bytes of each, for arrays of no model None: as many as a row has; pictures then are MNIST's size. `shape`: of the picture
    that the model reads, which arrays must have. Raises `UnusableInput`, naming the first that does not fit."""
    path = arguments.data
    if inputs is not None and is_table(path, schema, arguments.taken_as):
        return rows_of(read_rows(arguments), console, inputs, schema, left_out, arguments.skip)
    if inputs is None and path.lower().endswith(TEXT_SUFFIXES):
        raise UnusableInput(f"{path} is a table: the scale of its readings is in a model's commitment, add --commitment FILE")
    if left_out:
        raise UnusableInput(f"--label names a column of a table ({', '.join(TABLE_SUFFIXES)}): {path} is none")
    if os.path.isdir(path):
        refuse_pictures(path, schema)
        return _some(_pictures(arguments, console, inputs or PICTURE_BYTES, shape), path)
    return _some(_array(arguments, inputs, shape), path)


def read_rows(arguments: argparse.Namespace) -> Table:
    """The table that `DATA` is: the rows that are taken. Raises `UnusableInput`."""
    from zkpredict.circuits.files.tables import read_table

    for option, given in (("--invert", arguments.invert), ("--auto", arguments.auto), ("--allow-blank", arguments.allow_blank)):
        if given:
            raise UnusableInput(f"{arguments.data} is a table: {option} is for pictures")
    table = read_table(arguments.data)
    return table.only(_taken(arguments, len(table), "rows"))


def rows_of(table: Table, console: Console, inputs: int, schema: Schema, left_out: Sequence[str] | None, first: int = 0) -> Inputs:
    """The rows as inputs, numbered from `first`, without the columns `left_out`; says how many were clipped. Raises `UnusableInput`."""
    from zkpredict.circuits.files.tables import encode_rows

    rows = encode_rows(table, schema, inputs, left_out or ())
    if rows.clipped:
        console.note(f"{table.what}: {rows.clipped} of {len(table)} rows have readings beyond the scale of the model, clipped to its end")
    return _some(Inputs(numbers(len(table), first), rows.bytes), table.what)


def numbers(count: int, first: int) -> tuple[str, ...]:
    """Names for what has none: numbers from `first`, as wide as the last, so that files sort in order."""
    width = max(5, len(str(first + count - 1)))
    return tuple(f"{number:0{width}d}" for number in range(first, first + count))


def _some(found: Inputs, path: str) -> Inputs:
    if not len(found):
        raise UnusableInput(f"{path} holds no inputs")
    if len(found) > MAX_INPUTS:
        raise UnusableInput(f"{path} holds {len(found):,} inputs, at most {MAX_INPUTS:,} are taken at once: --count {MAX_INPUTS} takes the first")
    return found


def _taken(arguments: argparse.Namespace, count: int, noun: str) -> slice:
    """Which of `count` inputs `--skip` and `--count` take. Raises `UnusableInput` when there are not so many."""
    first, wanted = arguments.skip, arguments.count
    if first + (wanted or 0) > count:
        options = [f"--skip {first}"] * bool(first) + [f"--count {wanted}"] * bool(wanted)
        raise UnusableInput(f"{arguments.data} holds {count:,} {noun}: {' '.join(options)} is more")
    return slice(first, None if wanted is None else first + wanted)


def _array(arguments: argparse.Namespace, inputs: int | None, shape: Picture | None) -> Inputs:
    path = arguments.data
    if arguments.auto or arguments.allow_blank:
        raise UnusableInput(f"{path} holds the bytes themselves: --auto and --allow-blank are for folders of pictures")
    data = read_file(path, "inputs", MAX_DATA_BYTES)
    if kind_of(data, path) in (IDX, GZIP):
        found = parse_idx(data, 3, f"idx images {path}")
    elif path.lower().endswith(".npy"):
        found = parse_bytes(data, f"inputs {path}", path)
    else:
        known = recognise(data, path) or "nothing in it tells what it is"
        raise UnusableInput(f"{path} is no folder, .npy, idx file or table of inputs: {known}")
    if found.ndim < 2:
        raise wrong_batch(path, found.shape, inputs or found.size, shape, _one(arguments))
    inputs = math.prod(found.shape[1:]) if inputs is None else inputs
    if math.prod(found.shape[1:]) != inputs:
        raise wrong_batch(path, found.shape, inputs, shape, _one(arguments))
    check_order(found.shape[1:], shape, f"each input of {path}", len(found))
    found = np.ascontiguousarray(found.reshape(len(found), inputs)[_taken(arguments, len(found), "inputs")])
    return Inputs(numbers(len(found), arguments.skip), 255 - found if arguments.invert else found)


def _one(arguments: argparse.Namespace) -> str:
    """What to type about a file that is one input: the command that takes it, or what makes a list of it."""
    path, given = arguments.data, vars(arguments)
    single = _SINGLE.get(f"{arguments.command} {given['action']}" if "action" in given else arguments.command)
    if single is not None:
        places = {name: shlex.quote(str(given.get(name) or "FILE")) for name in ("model", "commitment")}
        return f"type `zkpredict {single.format(path=shlex.quote(path), **places)}` instead"
    return f"{saving(path, f'np.load({path!r})[None]', 'list')} makes a list of one"


def _pictures(arguments: argparse.Namespace, console: Console, inputs: int, shape: Picture | None) -> Inputs:
    folder = arguments.data
    try:
        names = sorted(path for path in Path(folder).iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise UnusableInput(f"cannot read folder {folder}: {error.strerror}") from None
    pictures = [path for path in names if path.suffix.lower() in PICTURES]
    left = [path.name for path in names if path not in pictures]
    if left:
        console.note(f"{folder}: {len(left)} files that are no pictures are left out ({', '.join(left[:3])}{', ...' if len(left) > 3 else ''})")
    pictures = pictures[_taken(arguments, len(pictures), "pictures")]
    values, reading, changed = np.zeros((len(pictures), inputs), np.uint8), Reading(arguments.invert, arguments.auto, arguments.allow_blank), 0
    with console.counted("read", "pictures") as progress:
        for number, path in enumerate(pictures):
            prepared = prepare_image(path, inputs, reading, shape)
            changed += bool(prepared.notes)
            for note in prepared.notes if changed <= NOTED else ():
                console.note(f"{path}: {note}")
            values[number] = np.frombuffer(prepared.pixels, np.uint8)
            progress(number + 1, len(pictures))
    if changed > NOTED:
        console.note(f"{changed} of {len(pictures)} pictures were changed on their way to the network's bytes: `zkpredict look` shows how")
    return Inputs(tuple(path.stem for path in pictures), values)
