"""What the commands about batches share: labels of inputs, and how answers are said."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.kinds import GZIP, IDX, TABLE, kind_of, recognise
from zkpredict.circuits.files.order import Picture
from zkpredict.circuits.files.schema import Schema
from zkpredict.circuits.files.storage import read_file
from zkpredict.cli.console import Console
from zkpredict.cli.inputs import read_inputs, read_rows, rows_of
from zkpredict.cli.rows import MAX_DATA_BYTES, is_table

if TYPE_CHECKING:
    from zkpredict.circuits.files.tables import Table
    from zkpredict.cli.words import Words

LABEL_KINDS = ("|u1", "<u2", "<i4", "<i8")
IDX_START = b"\x00\x00"
SHOWN = 12


def add_label_options(parser: argparse.ArgumentParser, needless: str = "") -> None:
    """Adds `--labels` and `--label`, which `settle_labels` tells apart; `needless`: where they may be left out."""
    parser.add_argument(
        "--labels", metavar="LABELS",
        help="the class of each input: a column of the table; or a file: .npy of whole numbers, idx (.gz too), or a table of one column" + needless,
    )  # fmt: skip
    parser.add_argument(
        "--label", action="append", metavar="COLUMN",
        help="another column of the table that is no feature, and is left out; again for each of several. One alone, without --labels, is --labels",
    )  # fmt: skip


def settle_labels(arguments: argparse.Namespace) -> None:
    """Takes `--label` for `--labels` where it stands alone."""
    if arguments.labels is None and arguments.label and len(arguments.label) == 1:
        arguments.labels, arguments.label = arguments.label[0], None


def read_labelled(
    arguments: argparse.Namespace, console: Console, inputs: int | None, schema: Schema, shape: Picture | None
) -> tuple[np.ndarray, np.ndarray]:
    """The inputs of `DATA`, uint8 [count, inputs], and the class of each by `--labels`, integers [count]. Raises `UnusableInput`."""
    path, labels = arguments.data, arguments.labels
    if inputs is None or not is_table(path, schema, arguments.taken_as) or os.path.dirname(labels):
        images = read_inputs(arguments, console, inputs, schema, arguments.label, shape).values
        return images, read_labels(arguments, len(images), schema)
    table, is_file = read_rows(arguments), os.path.exists(labels)
    if is_file and labels in table.columns:
        raise UnusableInput(f"--labels {labels} is a column of {path}, and a file: for the file write {os.path.join(os.curdir, labels)}")
    if is_file:
        images = rows_of(table, console, inputs, schema, arguments.label).values
        return images, read_labels(arguments, len(images), schema)
    if labels not in table.columns:
        raise UnusableInput(f"--labels {labels}: there is no such file, and no such column in {path}; it has {', '.join(table.columns) or 'no names'}")
    images = rows_of(table, console, inputs, schema, [labels, *(arguments.label or ())]).values
    return images, _classes_in(table, table.column(labels), schema)


def read_tests(
    arguments: argparse.Namespace, console: Console, inputs: int, schema: Schema, shape: Picture | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """The same where a test set knows the labels: None for those that are not given."""
    if arguments.labels is None:
        return read_inputs(arguments, console, inputs, schema, arguments.label, shape).values, None
    return read_labelled(arguments, console, inputs, schema, shape)


def read_labels(arguments: argparse.Namespace, count: int, schema: Schema) -> np.ndarray:
    """The labels of the inputs that are taken, from a file: integers [count]. Raises `UnusableInput`."""
    from zkpredict.circuits.files.idx import parse_idx

    path = arguments.labels
    data = read_file(path, "labels", MAX_DATA_BYTES)
    what, kind = f"labels {path}", kind_of(data, str(path))
    if kind is TABLE:
        found = _label_column(data, str(path), schema)
    elif str(path).lower().endswith(".npy"):
        found = _label_array(data, what, str(path))
    elif kind in (IDX, GZIP) or data.startswith(IDX_START):
        found = parse_idx(data, 1, what)
    else:
        raise UnusableInput(f"{path} is no .npy, idx file or table of labels: {recognise(data, str(path)) or 'nothing in it tells what it is'}")
    if kind is not TABLE and any(name.isdecimal() and int(name) != number for number, name in enumerate(schema.classes)):
        known = ", ".join(schema.classes[:SHOWN])
        raise UnusableInput(f"{path}: classes of this model are called {known}, so its numbers could be names or places: give labels as a table of names")
    found = found[arguments.skip :][: arguments.count]
    if found.shape != (count,):
        raise UnusableInput(f"{path} has the shape {list(found.shape)}, there are {count:,} inputs in {arguments.data}{_in_one(found, str(path))}")
    return found


def _label_array(data: bytes, what: str, path: str) -> np.ndarray:
    """The whole numbers in an `.npy` file. Raises `UnusableInput` for others, with the line of numpy that makes whole numbers of them where that changes none."""
    from zkpredict.circuits.files.arrays import PLAIN_KINDS, parse_npy, saving
    from zkpredict.circuits.files.npy import take_apart

    kind = take_apart(data, what).kind
    if kind in LABEL_KINDS or kind not in PLAIN_KINDS:
        return parse_npy(data, what, LABEL_KINDS)
    found = parse_npy(data, what)
    if not np.isfinite(found).all() or (found != np.rint(found)).any():
        raise UnusableInput(f"{what} holds {PLAIN_KINDS[kind]} and not only whole numbers: labels are the numbers of classes, from 0")
    whole = saving(path, f"np.load({path!r}).astype(np.int64)", "int64")
    raise UnusableInput(f"{what} holds {PLAIN_KINDS[kind]}, expected whole numbers (uint8, uint16, int32 or int64): {whole} makes them")


def _in_one(found: np.ndarray, path: str) -> str:
    """How labels in rows become one number an input, where it is plain to see."""
    from zkpredict.circuits.files.arrays import saving

    if found.ndim != 2 or not found.size:
        return ""
    if found.shape[1] == 1:
        return f": {saving(path, f'np.load({path!r})[:, 0]', 'flat')} puts them in a row"
    if set(np.unique(found)) <= {0, 1} and (found.sum(axis=1) == 1).all():
        return f": these are one-hot, {saving(path, f'np.load({path!r}).argmax(axis=1)', 'flat')} makes numbers of them"
    return ""


def _label_column(data: bytes, path: str, schema: Schema) -> np.ndarray:
    """The classes in a table of one column."""
    from zkpredict.circuits.files.tables import parse_table

    table = parse_table(data, os.path.splitext(path)[1].lower(), f"labels {path}")
    if len(table.cells[0]) != 1:
        raise UnusableInput(f"{table.what} has {len(table.cells[0])} columns: labels are one, below its name")
    if table.columns and table.columns[0] in schema.classes:
        raise UnusableInput(f"{table.what} begins with '{table.columns[0]}': a first line of words is the name of its column, and a class is none")
    return _classes_in(table, 0, schema)


def _classes_in(table: Table, column: int, schema: Schema) -> np.ndarray:
    return np.array([table.class_at(row, column, schema.classes) for row in range(len(table))])


def answers_line(words: Words, classes: tuple[int, ...], first: int = 0) -> str:
    """The first classes, for people; of a long list in which neighbours are mostly alike, the stretches of one class, their inputs numbered from `first`."""
    if len(classes) <= SHOWN:
        return ", ".join(map(words.said, classes))
    runs = [(one, len(list(run))) for one, run in groupby(classes)]
    if 2 * len(runs) > len(classes):
        return f"{', '.join(map(words.said, classes[:SHOWN]))} and {len(classes) - SHOWN:,} more"
    said, number = [], first
    for one, count in runs[:SHOWN]:
        noun = "" if said else f"{words.input}s "
        said.append(f"{words.said(one)} for {noun}{number}" + (f"-{number + count - 1}" if count > 1 else ""))
        number += count
    left = len(classes) - (number - first)
    return ", ".join(said) + (f" and {left:,} more" if left else "")


def count_lines(words: Words, classes: tuple[int, ...], width: int = 8) -> list[str]:
    """How often each class is said in a list too long to be shown; `width`: of the names of lines."""
    counts = sorted(Counter(classes).items()) if len(classes) > SHOWN else []
    return [f"  {'counts':<{width}}  {', '.join(f'{count:,} {words.said(one)}' for one, count in counts)}"] if counts else []


def plural(words: Words, count: int) -> str:
    """How many inputs, in the model's word for them."""
    return f"{count:,} {words.input}{'' if count == 1 else 's'}"
