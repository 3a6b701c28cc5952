"""What the commands about many inputs share: a folder of pictures, an array or an idx file as bytes, and labels."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.kinds import GZIP, IDX, TABLE, kind_of, recognise
from zkpredict.circuits.files.storage import read_file
from zkpredict.cli.console import Console
from zkpredict.cli.parser import at_least_one

if TYPE_CHECKING:
    import numpy as np

    from zkpredict.cli.words import Words

PICTURES = (".png", ".jpg", ".jpeg", ".npy")
LABEL_KINDS = ("|u1", "<u2", "<i4", "<i8")
MAX_DATA_BYTES = 1 << 28
SHOWN = 12


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Adds the data and how to read it."""
    parser.add_argument("data", metavar="DATA", help="a folder of pictures, taken by name; an .npy (uint8, one input a row); an idx file (.gz too)")
    parser.add_argument("--count", type=at_least_one, metavar="N", help="the first N inputs only")
    parser.add_argument("--invert", action="store_true", help="dark ink on light paper")
    parser.add_argument("--auto", action="store_true", help="photos of paper: find the ink, crop, centre and normalise it as in MNIST")
    parser.add_argument("--allow-blank", action="store_true", help="take pictures that are one shade all over")


def add_label_option(parser: argparse.ArgumentParser) -> None:
    """Adds `--labels`."""
    parser.add_argument("--labels", required=True, metavar="FILE", help=".npy of whole numbers or an idx file (.gz too): the class of each input")


def read_inputs(arguments: argparse.Namespace, console: Console, inputs: int) -> np.ndarray:
    """The inputs of `DATA`: uint8 [count, inputs]. Raises `UnusableInput` for what does not fit."""
    path = arguments.data
    found = _pictures(arguments, console, inputs) if os.path.isdir(path) else _array(arguments, inputs)
    if arguments.count is not None:
        if arguments.count > len(found):
            raise UnusableInput(f"{path} holds {len(found):,} inputs: --count {arguments.count} is more")
        found = found[: arguments.count]
    if not len(found):
        raise UnusableInput(f"{path} holds no inputs")
    return found


def image_array(data: bytes, path: str) -> np.ndarray | None:
    """The uint8 array in the `data` of an idx file (.gz too) or an .npy file; None for any other file. Raises `MalformedFile`, and
    `UnusableInput` for other elements."""
    from zkpredict.circuits.files.arrays import parse_npy
    from zkpredict.circuits.files.idx import parse_idx

    if kind_of(data, str(path)) in (IDX, GZIP):
        return parse_idx(data, 3, f"idx images {path}")
    return parse_npy(data, f"inputs {path}", ("|u1",)) if str(path).lower().endswith(".npy") else None


def _array(arguments: argparse.Namespace, inputs: int) -> np.ndarray:
    path = arguments.data
    if arguments.auto or arguments.allow_blank:
        raise UnusableInput(f"{path} holds the bytes themselves: --auto and --allow-blank are for folders of pictures")
    data = read_file(path, "inputs", MAX_DATA_BYTES)
    found = image_array(data, path)
    if found is None:
        if kind_of(data, str(path)) is TABLE:
            raise UnusableInput(f"{path} is a table: `zkpredict prove-many` proves its rows, batches take the rows' bytes (an .npy of uint8, one input a row)")
        known = recognise(data, str(path)) or "nothing in it tells what it is"
        raise UnusableInput(f"{path} is no folder, .npy or idx file of inputs: {known}")
    if found.ndim < 2 or found.size != len(found) * inputs:
        raise UnusableInput(f"{path} has the shape {list(found.shape)}, expected one input of {inputs} bytes a row")
    found = found.reshape(len(found), inputs)
    return 255 - found if arguments.invert else found


def _pictures(arguments: argparse.Namespace, console: Console, inputs: int) -> np.ndarray:
    import numpy as np

    from zkpredict.circuits.files.images import Reading, prepare_image

    try:
        names = sorted(path for path in Path(arguments.data).iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise UnusableInput(f"cannot read folder {arguments.data}: {error.strerror}") from None
    pictures = [path for path in names if path.suffix.lower() in PICTURES]
    left = [path.name for path in names if path not in pictures]
    if left:
        console.note(f"{arguments.data}: {len(left)} files that are no pictures are left out ({', '.join(left[:3])}{', ...' if len(left) > 3 else ''})")
    reading, rows = Reading(arguments.invert, arguments.auto, arguments.allow_blank), []
    with console.counted("read", "pictures") as progress:
        for path in pictures[: arguments.count]:
            prepared = prepare_image(path, inputs, reading)
            for note in prepared.notes:
                console.note(f"{path}: {note}")
            rows.append(np.frombuffer(prepared.pixels, np.uint8))
            progress(len(rows), len(pictures))
    if arguments.count is not None and arguments.count > len(pictures):
        raise UnusableInput(f"{arguments.data} holds {len(pictures):,} pictures: --count {arguments.count} is more")
    return np.stack(rows) if rows else np.zeros((0, inputs), np.uint8)


def read_labels(arguments: argparse.Namespace, count: int) -> np.ndarray:
    """The labels of the inputs that are taken: integers [count]. Raises `UnusableInput`."""
    from zkpredict.circuits.files.arrays import parse_npy
    from zkpredict.circuits.files.idx import parse_idx

    path = arguments.labels
    data = read_file(path, "labels", MAX_DATA_BYTES)
    what = f"labels {path}"
    if kind_of(data, str(path)) not in (None, IDX, GZIP) and not str(path).lower().endswith(".npy"):
        raise UnusableInput(f"{path} is no .npy or idx file of labels: {recognise(data, str(path))}")
    found = parse_npy(data, what, LABEL_KINDS) if str(path).lower().endswith(".npy") else parse_idx(data, 1, what)
    if arguments.count is not None:
        found = found[: arguments.count]
    if found.shape != (count,):
        raise UnusableInput(f"{path} has the shape {list(found.shape)}, there are {count:,} inputs")
    return found


def answers_line(words: Words, classes: tuple[int, ...]) -> str:
    """The first classes, for people."""
    shown = ", ".join(words.said(one) for one in classes[:SHOWN])
    return f"{shown}, ..." if len(classes) > SHOWN else shown


def plural(words: Words, count: int) -> str:
    """How many inputs, in the model's word for them."""
    return f"{count:,} {words.input}{'' if count == 1 else 's'}"
