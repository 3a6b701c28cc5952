"""Images as the bytes a network takes, the same way for everyone who proves or verifies.

A picture (PNG or JPEG, any size) for a network of side*side inputs:
  1. transparent parts become black, colours become grey (ITU-R 601-2 luma), of 16-bit grey the high byte stays,
  2. `invert` turns dark ink on light paper into light ink on black, as in MNIST,
  3. a picture that is not side x side is padded with black to a square, centred, and resized by box averaging.
An `.npy` file must already be uint8 with exactly `inputs` entries. A proof is about the resulting bytes, not about the file.
"""

from __future__ import annotations

import io
import math
import os
import re
import struct
import warnings
import zlib

import numpy as np

from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.files.storage import read_file

MAX_IMAGE_FILE_BYTES = 1 << 26
MAX_IMAGE_SIDE = 1 << 13
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, struct.error, zlib.error)
"""What Pillow raises on damaged bytes: its documented OSError, and what its PNG and JPEG readers let through."""
_INVERTED = bytes(range(255, -1, -1))
_NPY_HEADER = re.compile(
    rb"\{'descr': '([^']{1,16})', 'fortran_order': (True|False), "
    rb"'shape': \(((?:[0-9]{1,9}, ){0,31}(?:[0-9]{1,9},?)?)\), \} *\n"
)


def load_image(path: str | os.PathLike, inputs: int, invert: bool = False) -> np.ndarray:
    """Reads an image file as uint8 [inputs], row by row, read-only. Raises `UnusableInput` saying what was wrong."""
    return np.frombuffer(read_pixels(path, inputs, invert), np.uint8)


def read_pixels(path: str | os.PathLike, inputs: int, invert: bool = False) -> bytes:
    """The same as bytes, without numpy where the file allows it."""
    data = read_file(path, "image", MAX_IMAGE_FILE_BYTES)
    if os.path.splitext(path)[1].lower() != ".npy":
        return _read_picture(path, data, inputs, invert)
    pixels = _read_npy(path, data)
    if len(pixels) != inputs:
        raise UnusableInput(f"image {path} has {len(pixels)} values, the network takes {inputs}")
    return pixels.translate(_INVERTED) if invert else pixels


def _read_npy(path: str | os.PathLike, data: bytes) -> bytes:
    """The entries of a uint8 array, row by row. The header must be as `numpy.save` writes it: numpy's own reader evaluates it
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
        raise UnusableInput(f"image {path} holds {kind!r}, expected uint8 ('|u1')")
    shape = tuple(int(size) for size in sizes.split(",") if size)
    body = data[reader.position :]
    if math.prod(shape) != len(body):
        raise UnusableInput(f"image {path} claims the shape {shape} but holds {len(body)} bytes")
    return np.frombuffer(body, np.uint8).reshape(shape, order="F").tobytes() if order == "True" else body


def _read_picture(path: str | os.PathLike, data: bytes, inputs: int, invert: bool) -> bytes:
    from PIL import Image

    side = math.isqrt(inputs)
    if side * side != inputs:
        raise UnusableInput(f"a network of {inputs} inputs takes no square picture: give an .npy file of {inputs} bytes")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        grey = _grey(_decoded(path, data))
    if invert:
        grey = grey.point(list(_INVERTED))
    if grey.size != (side, side):
        square = Image.new("L", (max(grey.size),) * 2)
        square.paste(grey, ((square.width - grey.width) // 2, (square.height - grey.height) // 2))
        grey = square.resize((side, side), Image.Resampling.BOX)
    return grey.tobytes()


def _decoded(path: str | os.PathLike, data: bytes):
    """The Pillow image in a PNG or JPEG file, with its pixels read and, except of 16-bit grey, its transparency applied to them."""
    from PIL import Image, UnidentifiedImageError

    try:
        picture = Image.open(io.BytesIO(data), formats=("PNG", "JPEG"))
        if max(picture.size) <= MAX_IMAGE_SIDE:
            picture.load()
            if not picture.mode.startswith("I") and (picture.mode in ("LA", "PA") or "transparency" in picture.info):
                picture = picture.convert("RGBA")
    except UnidentifiedImageError:
        raise UnusableInput(f"image {path} is neither PNG nor JPEG nor .npy") from None
    except (*_DAMAGED, Image.DecompressionBombError) as error:
        raise UnusableInput(f"image {path} is damaged: {error}") from None
    if max(picture.size) > MAX_IMAGE_SIDE:
        raise UnusableInput(f"image {path} is {picture.width} x {picture.height}, at most {MAX_IMAGE_SIDE} a side")
    return picture


def _grey(picture):
    """A Pillow image in mode L: step 1 of the page above."""
    from PIL import Image

    if picture.mode.startswith("I"):
        values = np.asarray(picture)
        visible = values != picture.info.get("transparency", -1)
        return Image.fromarray(np.where(visible, values >> 8, 0).astype(np.uint8))
    if picture.mode == "RGBA":
        layer, picture = picture, Image.new("RGBA", picture.size, "black")
        picture.alpha_composite(layer)
    return picture.convert("L")
