"""Images as the bytes a network takes, the same way for everyone who proves or verifies.

An `.npy` file must already be uint8 with exactly `inputs` entries, and is taken as it is; where the
network reads a picture, its shape must be that picture's, or a row. A picture (PNG or JPEG, any size), for a
network of side*side inputs, goes through the steps of `circuits.files.pictures`, or with `auto` through those of
`circuits.files.ink`. A proof is about the resulting bytes, not about the file; what changed or was lost on the way is in the notes.
"""

from __future__ import annotations

import math
import os
import re

import numpy as np

from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.files.order import Picture, check_order
from zkpredict.circuits.files.storage import read_file
from zkpredict.circuits.records import dataclass

MAX_IMAGE_FILE_BYTES = 1 << 26
INVERTED = bytes(range(255, -1, -1))
_NPY_HEADER = re.compile(
    rb"\{'descr': '([^']{1,16})', 'fortran_order': (True|False), "
    rb"'shape': \(((?:[0-9]{1,9}, ){0,31}(?:[0-9]{1,9},?)?)\), \} *\n"
)
_NPY_KINDS = {"b": "true and false", "i": "signed integers", "u": "unsigned integers", "f": "floats", "c": "complex numbers",
              "S": "byte strings", "U": "text", "O": "Python objects", "M": "dates", "m": "time spans", "V": "records"}  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """How to read a picture. `invert`: it shows dark ink on light paper. `auto`: find the ink, crop, centre and normalise it.
    `allow_blank`: take a picture that is one shade all over."""

    invert: bool = False
    auto: bool = False
    allow_blank: bool = False


AS_IT_IS = Reading()


@dataclass(frozen=True, eq=False)
class PreparedImage:
    """What the network sees: `pixels`, one byte an input, and one note for each step that changed or lost something."""

    pixels: bytes
    notes: tuple[str, ...] = ()


def load_image(
    path: str | os.PathLike[str], inputs: int, invert: bool = False, auto: bool = False, allow_blank: bool = False, picture: Picture | None = None
) -> np.ndarray:
    """Reads an image file as uint8 [inputs], row by row, read-only; the options are those of `Reading`, `picture` is the model's
    (`model.picture`). Raises `UnusableInput` saying what was wrong."""
    return np.frombuffer(prepare_image(path, inputs, Reading(invert, auto, allow_blank), picture).pixels, np.uint8)


def prepare_image(path: str | os.PathLike[str], inputs: int, reading: Reading = AS_IT_IS, picture: Picture | None = None) -> PreparedImage:
    """Reads an image file for a network of `inputs` values, without numpy where the file allows it. `picture`: what it reads, whose shape an array
    must have. Raises `UnusableInput` saying what was wrong and what to do."""
    data = read_file(path, "image", MAX_IMAGE_FILE_BYTES)
    if os.path.splitext(path)[1].lower() != ".npy":
        if picture is not None and (picture.channels > 1 or picture.height != picture.width):
            raise UnusableInput(f"image {path}: the network takes {picture} (rows, columns, channels), no square grey picture: give an .npy file of that shape")
        from zkpredict.circuits.files.pictures import prepare_picture

        return PreparedImage(*prepare_picture(path, data, inputs, reading))
    if reading.auto:
        raise UnusableInput(f"image {path} holds the bytes themselves: --auto is for pictures (PNG, JPEG)")
    pixels, shape = _read_npy(path, data)
    if len(pixels) != inputs:
        raise UnusableInput(f"image {path} has {len(pixels)} values, the network takes {inputs}")
    check_order(shape, picture, f"image {path}")
    return PreparedImage(pixels.translate(INVERTED) if reading.invert else pixels)


def _read_npy(path: str | os.PathLike[str], data: bytes) -> tuple[bytes, tuple[int, ...]]:
    """The entries of a uint8 array, row by row, and its shape. The header must be as `numpy.save` writes it: numpy's own reader evaluates it
    as Python source, which hostile bytes can make fail in any way."""
    reader = ByteReader(data, f"image {path}")
    reader.expect(b"\x93NUMPY", "npy magic")
    version = reader.unsigned(1, "npy version")
    reader.expect(b"\x00", "npy minor version")
    header = reader.take(reader.unsigned(2 if version == 1 else 4, "npy header length"), "npy header")
    found = _NPY_HEADER.fullmatch(header)
    if found is None:
        raise MalformedFile(f"{reader.what}: the npy header is not one that numpy.save writes for a plain array")
    kind, order, sizes = (group.decode("latin-1") for group in found.groups())
    if kind != "|u1":
        raise UnusableInput(f"image {path} holds {_spoken(kind)}: save whole numbers from 0 to 255 with the type uint8")
    shape = tuple(int(size) for size in sizes.split(",") if size)
    body = data[reader.position :]
    if math.prod(shape) != len(body):
        raise UnusableInput(f"image {path} claims the shape {shape} but holds {len(body)} bytes")
    return (np.frombuffer(body, np.uint8).reshape(shape, order="F").tobytes() if order == "True" else body), shape


def _spoken(kind: str) -> str:
    """An npy type in words: `<f8` is floats of 8 bytes."""
    letter, size = kind.lstrip("<>|=")[:1], kind.lstrip("<>|=")[1:]
    words = _NPY_KINDS.get(letter, f"values of the unknown type {kind!r}")
    if letter in "iufc" and size.isdigit():
        return f"{words} of {size} byte{'' if size == '1' else 's'}"
    return words
