"""Images as the bytes a network takes, the same way for everyone who proves or verifies.

A picture (PNG or JPEG, any size) for a network of side*side inputs:
  1. transparent parts become black, colours become grey (ITU-R 601-2 luma),
  2. `invert` turns dark ink on light paper into light ink on black, as in MNIST,
  3. a picture that is not side x side is padded with black to a square, centred, and resized by box averaging.
An `.npy` file must already be uint8 with exactly `inputs` entries. A proof is about the resulting bytes, not about the file.
"""

from __future__ import annotations

import io
import math
import os
from pathlib import Path

import numpy as np

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files import read_file

MAX_IMAGE_FILE_BYTES = 1 << 26
MAX_IMAGE_PIXELS = 1 << 26


def load_image(path: str | os.PathLike, inputs: int, invert: bool = False) -> np.ndarray:
    """Reads an image file as uint8 [inputs], row by row. Raises `UnusableInput` saying what was wrong."""
    data = read_file(path, "image", MAX_IMAGE_FILE_BYTES)
    if Path(path).suffix.lower() == ".npy":
        pixels = _read_npy(path, data)
        if pixels.size != inputs:
            raise UnusableInput(f"image {path} has {pixels.size} values, the network takes {inputs}")
        return 255 - pixels if invert else pixels
    return _read_picture(path, data, inputs, invert).reshape(-1)


def _read_npy(path: str | os.PathLike, data: bytes) -> np.ndarray:
    """A uint8 array from .npy bytes; the header is checked against the length before anything is allocated."""
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
        shape, _, dtype = read_header(stream)
    except (ValueError, KeyError, EOFError):
        raise UnusableInput(f"image {path} is not a version 1 or 2 .npy file") from None
    if dtype != np.uint8:
        raise UnusableInput(f"image {path} holds {dtype}, expected uint8")
    body = data[stream.tell() :]
    if math.prod(shape) != len(body):
        raise UnusableInput(f"image {path} claims the shape {shape} but holds {len(body)} bytes")
    return np.frombuffer(body, np.uint8)


def _read_picture(path: str | os.PathLike, data: bytes, inputs: int, invert: bool) -> np.ndarray:
    from PIL import Image, UnidentifiedImageError

    side = math.isqrt(inputs)
    if side * side != inputs:
        raise UnusableInput(f"a network of {inputs} inputs takes no square picture: give an .npy file of {inputs} bytes")
    try:
        picture = Image.open(io.BytesIO(data), formats=("PNG", "JPEG"))
        if picture.width * picture.height > MAX_IMAGE_PIXELS:
            raise UnusableInput(f"image {path} is {picture.width} x {picture.height}, more than {MAX_IMAGE_PIXELS} pixels")
        picture.load()
    except UnidentifiedImageError:
        raise UnusableInput(f"image {path} is neither PNG nor JPEG nor .npy") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, UnusableInput):
            raise
        raise UnusableInput(f"image {path} is damaged: {error}") from None
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        picture = Image.new("RGBA", layer.size, "black")
        picture.alpha_composite(layer)
    grey = picture.convert("L")
    if invert:
        grey = grey.point(range(255, -1, -1))
    if grey.size != (side, side):
        square = Image.new("L", (max(grey.size),) * 2)
        square.paste(grey, ((square.width - grey.width) // 2, (square.height - grey.height) // 2))
        grey = square.resize((side, side), Image.Resampling.BOX)
    return np.asarray(grey, dtype=np.uint8)
