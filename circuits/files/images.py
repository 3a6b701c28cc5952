"""Images as the bytes a network takes, the same way for everyone who proves or verifies.

An `.npy` file must already be uint8 with exactly `inputs` entries, and is taken as it is; where the
network reads a picture, its shape must be that picture's, or a row. A picture (PNG or JPEG, any size), for a
network of side*side inputs, goes through the steps of `circuits.files.pictures`, or with `auto` through those of
`circuits.files.ink`. A proof is about the resulting bytes, not about the file; what changed or was lost on the way is in the notes.
"""

from __future__ import annotations

import math
import os

import numpy as np

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.npy import BYTES, take_apart
from zkpredict.circuits.files.order import Picture, check_order
from zkpredict.circuits.files.storage import read_file
from zkpredict.circuits.records import dataclass

MAX_IMAGE_FILE_BYTES = 1 << 26
INVERTED = bytes(range(255, -1, -1))


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
        from zkpredict.circuits.files.sizes import wrong_image

        raise wrong_image(path, shape, inputs, picture)
    check_order(shape, picture, f"image {path}")
    return PreparedImage(pixels.translate(INVERTED) if reading.invert else pixels)


def _read_npy(path: str | os.PathLike[str], data: bytes) -> tuple[bytes, tuple[int, ...]]:
    """The entries of a uint8 array, row by row, and its shape."""
    file = take_apart(data, f"image {path}")
    if file.kind != BYTES:
        from zkpredict.circuits.files.arrays import no_bytes

        raise no_bytes(file, f"image {path}", path)
    if math.prod(file.shape) != len(file.body):
        raise UnusableInput(f"image {path} claims the shape {file.shape} but holds {len(file.body)} bytes")
    return (np.frombuffer(file.body, np.uint8).reshape(file.shape, order="F").tobytes() if file.by_columns else file.body), file.shape
