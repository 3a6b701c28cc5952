"""What commands about a statement share: the image (a picture file, or one image of an idx file) and the proof file."""

from __future__ import annotations

import argparse
import hashlib
import os
from contextlib import suppress

import numpy as np

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.idx import read_image
from zkpredict.circuits.files.images import Reading, prepare_image
from zkpredict.circuits.files.kinds import PROOF, Kind, kind_of, recognise
from zkpredict.circuits.files.order import Picture, check_order
from zkpredict.circuits.files.schema import Schema
from zkpredict.circuits.files.storage import read_file
from zkpredict.cli.console import Console
from zkpredict.cli.rows import add_row_options, is_row, read_row_bytes

MAX_PROOF_FILE_BYTES = 1 << 16


def add_image_options(parser: argparse.ArgumentParser) -> None:
    """Adds `--idx`, `--index` and how to read a picture."""
    parser.add_argument("--idx", metavar="FILE", help="take the image from an idx file (.gz too) instead of a picture")
    parser.add_argument("--index", type=int, metavar="N", help="number of the image in the idx file, from 0")
    parser.add_argument("--invert", action="store_true", help="the picture shows dark ink on light paper")
    parser.add_argument("--auto", action="store_true", help="a photo of paper: find the ink, crop, centre and normalise it as in MNIST")
    parser.add_argument("--allow-blank", action="store_true", help="take a picture that is one shade all over")
    add_row_options(parser)


def read_statement_image(
    arguments: argparse.Namespace, console: Console, picture: str | None, inputs: int, schema: Schema = Schema(), shape: Picture | None = None
) -> np.ndarray:
    """The image (an array in the `shape` of what the model reads), or the row of readings by the `schema`'s scale, as uint8 [inputs]; says what a picture lost on its way to these bytes. Raises `UnusableInput` when none or two are
    named, or it does not fit."""
    return np.frombuffer(read_statement_pixels(arguments, console, picture, inputs, schema, shape), np.uint8)


def read_statement_pixels(
    arguments: argparse.Namespace, console: Console, picture: str | None, inputs: int, schema: Schema = Schema(), shape: Picture | None = None
) -> bytes:
    """The same as bytes, without numpy where the file allows it."""
    if (picture is None) == (arguments.idx is None):
        raise UnusableInput("give one image: a picture (PNG, JPEG, .npy), or --idx FILE --index N")
    if is_row(arguments, picture, schema):
        return read_row_bytes(arguments, console, picture, schema, inputs)
    if arguments.idx is None:
        if arguments.index is not None:
            raise UnusableInput("--index goes with --idx")
        prepared = prepare_image(picture, inputs, Reading(arguments.invert, arguments.auto, arguments.allow_blank), shape)
        for note in prepared.notes:
            console.note(f"{picture}: {note}")
        return prepared.pixels
    if arguments.index is None:
        raise UnusableInput("--idx needs --index N")
    if arguments.auto:
        raise UnusableInput("--auto is for pictures: an idx file holds the bytes themselves")
    image = read_image(arguments.idx, arguments.index)
    if image.size != inputs:
        raise UnusableInput(f"image {arguments.index} of {arguments.idx} has {image.size} pixels, the network takes {inputs}")
    check_order(image.shape, shape, f"image {arguments.index} of {arguments.idx}")
    return (255 - image if arguments.invert else image).tobytes()


def add_statement_paths(parser: argparse.ArgumentParser) -> None:
    """Adds `paths`, which `split_paths` takes apart, and the options of the image."""
    parser.add_argument("paths", nargs="+", metavar="IMAGE PROOF", help="the image, or a row of a table, and the proof (only PROOF with --idx)")
    add_image_options(parser)


def split_paths(arguments: argparse.Namespace, hidden: str | None = None) -> tuple[str | None, str]:
    """The picture (None with `--idx`, and when the input is `hidden`) and the proof. Raises `UnusableInput` for any other number of paths."""
    expected = 2 if arguments.idx is None and hidden is None else 1
    if len(arguments.paths) != expected:
        wanted = "IMAGE and PROOF" if expected == 2 else f"only PROOF with {'--idx' if hidden is None else '--hidden'}"
        raise UnusableInput(f"{arguments.command} takes {wanted}, got {len(arguments.paths)} paths")
    return (arguments.paths[0] if expected == 2 else None), arguments.paths[-1]


def read_proof(path: str, console: Console) -> bytes:
    """The bytes of a proof file; says when they are something else, whose verdict is the verifier's all the same."""
    return read_expected(path, PROOF, console, MAX_PROOF_FILE_BYTES)


def read_expected(path: str, wanted: Kind, console: Console, most: int) -> bytes:
    """The bytes of a file that is to be of the kind `wanted`; says when they are of another one."""
    what = wanted.name.split(" ", 1)[1]
    data = read_file(path, what, most)
    if kind_of(data, path) not in (None, wanted):
        console.note(f"{path} is no {what}: {recognise(data, path)}")
    return data


def refuse_same_file(out: str | os.PathLike[str], **inputs: str | None) -> None:
    """Raises `UnusableInput` when writing `out` would overwrite one of the `inputs`: paths by what they are, None for none."""
    for what, path in inputs.items():
        if path is not None and _same_file(out, path):
            raise UnusableInput(f"cannot write {out}: it is the {what.replace('_', ' ')}")


def _same_file(one: str | os.PathLike[str], other: str | os.PathLike[str]) -> bool:
    """Through links and other spellings too; a file that is not there is the same as none."""
    with suppress(OSError, ValueError):
        return os.path.samefile(one, other)
    return False


def refuse_together(option: str, others: dict[str, object], why: str) -> None:
    """Raises `UnusableInput` for the first of `others`, values by their options, that is given: `option` would ignore it."""
    for other, value in others.items():
        if value is not None and value is not False:
            raise UnusableInput(f"{other} does not go with {option}: {why}")


def image_name(image: bytes | np.ndarray) -> str:
    """What names the proven bytes in output: their sha256."""
    return hashlib.sha256(image).hexdigest()


def milliseconds(seconds: float) -> str:
    """For people: `12.3 ms`."""
    return f"{1000 * seconds:.1f} ms"
