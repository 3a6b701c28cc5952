"""PNG and JPEG pictures to the bytes of a network of side*side inputs.

  1. upright: the EXIF orientation is applied,
  2. of 16-bit grey the upper 8 of the bits in use stay, colours become grey (ITU-R 601-2 luma), transparent parts become black; where
     that leaves less than half of the contrast (the ink is dark), they become white and the picture is inverted,
  3. `invert` turns dark ink on light paper into light ink on black, as in MNIST,
  4. a picture that is not side x side is padded with black to a square, centred, and resized by box averaging.

Every step is integer arithmetic, so the same decoded pixels give everybody the same bytes. PNG decodes to the same pixels everywhere;
JPEG does not (ITU-T T.81 leaves the rounding of the inverse transform open), so a note names the bytes.
"""

from __future__ import annotations

import hashlib
import io
import math
import os
import struct
import warnings
import zlib
from typing import TYPE_CHECKING, cast

import numpy as np

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.exif import orientation_of
from zkpredict.circuits.files.images import INVERTED
from zkpredict.circuits.files.kinds import recognise
from zkpredict.circuits.files.png import plain_grey

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from zkpredict.circuits.files.images import Reading

_JPEG = b"\xff\xd8"
MAX_IMAGE_SIDE = 1 << 13
LEAST_SIDE = 8
"""Below this many pixels a side, a picture is only taken at its exact size: resized to so few, any picture is a coincidence."""
LIGHT_BACKGROUND = 32
"""From this shade on, the border of what a network sees is no black background."""
DEPTHS = (8, 10, 12, 14, 16)
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, struct.error, zlib.error)
"""What Pillow raises on damaged bytes: its documented OSError, and what its PNG and JPEG readers let through."""


def prepare_picture(path: str | os.PathLike[str], data: bytes, inputs: int, reading: Reading) -> tuple[bytes, tuple[str, ...]]:
    """The bytes for the network, one an input, and the notes. Raises `UnusableInput`."""
    side = math.isqrt(inputs)
    if side * side != inputs:
        raise UnusableInput(f"a network of {inputs} inputs takes no square picture: give an .npy file of {inputs} bytes")
    if reading.invert and reading.auto:
        raise UnusableInput("--invert does not go with --auto, which finds out itself whether the ink is dark")
    notes: list[str] = []
    plain = None if reading.auto else plain_grey(data, side, side)
    if plain is None:
        pixels = _converted(path, data, side, reading, notes)
    else:
        pixels = plain.translate(INVERTED) if reading.invert else plain
    if not reading.allow_blank and min(pixels) == max(pixels):
        raise UnusableInput(_blank(path, pixels[0], reading))
    if not reading.auto and side >= LEAST_SIDE:
        notes += _advice(pixels, side, reading.invert)
    if data[:2] == _JPEG:
        notes.append(f"JPEG may decode to other bytes elsewhere (PNG does not): here the network gets the sha256 {hashlib.sha256(pixels).hexdigest()}")
    return pixels, tuple(notes)


def _converted(path: str | os.PathLike[str], data: bytes, side: int, reading: Reading, notes: list[str]) -> bytes:
    """All steps, for any picture."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        picture = _upright(_decoded(path, data, notes), notes)
        _refuse_coincidence(path, picture.size, side)
        grey = _grey(picture, reading.invert, notes)
        if reading.auto:
            from zkpredict.circuits.files.ink import normalised_ink

            return normalised_ink(grey, side, f"image {path}", notes).tobytes()
        return _resized(grey, side, notes).tobytes()


def _decoded(path: str | os.PathLike[str], data: bytes, notes: list[str]) -> Picture:
    """The Pillow image in a PNG or JPEG file, with its pixels read; palettes with transparency as RGBA."""
    from PIL import Image, UnidentifiedImageError

    try:
        picture: Image.Image = Image.open(io.BytesIO(data), formats=("PNG", "JPEG"))
        if max(picture.size) <= MAX_IMAGE_SIDE:
            picture.load()
            frames = getattr(picture, "n_frames", 1)
            if frames > 1:
                notes.append(f"only the first of {frames} pictures in the file is used")
            exif = picture.info.get("exif", b"")
            if not picture.mode.startswith("I") and (picture.mode in ("LA", "PA") or "transparency" in picture.info):
                picture = picture.convert("RGBA")
            picture.info["exif"] = exif
    except UnidentifiedImageError:
        found = recognise(data, str(path))
        raise UnusableInput(f"image {path} is neither PNG nor JPEG nor .npy" + (f": {found}" if found else "")) from None
    except Image.DecompressionBombError:
        raise UnusableInput(f"image {path} is larger than {MAX_IMAGE_SIDE} pixels a side: scale it down first") from None
    except _DAMAGED:
        raise UnusableInput(f"image {path} is damaged: open it in a viewer, and if it shows, save it again as PNG") from None
    if max(picture.size) > MAX_IMAGE_SIDE:
        raise UnusableInput(
            f"image {path} is {picture.width} x {picture.height} pixels, at most {MAX_IMAGE_SIDE} a side: scale it down first"
        )
    if data[:4] == b"\x89PNG" and data[24] == 16 and not picture.mode.startswith("I"):
        notes.append("of its 16-bit colours the high byte is used")
    return picture


def _upright(picture: Picture, notes: list[str]) -> Picture:
    """Step 1."""
    from PIL import Image

    way = Image.Transpose
    turns = {2: way.FLIP_LEFT_RIGHT, 3: way.ROTATE_180, 4: way.FLIP_TOP_BOTTOM, 5: way.TRANSPOSE,
             6: way.ROTATE_270, 7: way.TRANSVERSE, 8: way.ROTATE_90}  # fmt: skip
    orientation = orientation_of(picture.info["exif"])
    if orientation is None:
        notes.append("its EXIF data is damaged: the picture is taken as it is stored")
    if orientation not in turns:
        return picture
    notes.append(f"turned upright, as its EXIF orientation {orientation} says")
    transparency = picture.info.get("transparency")
    picture = picture.transpose(turns[orientation])
    if transparency is not None:
        picture.info["transparency"] = transparency
    return picture


def _refuse_coincidence(path: str | os.PathLike[str], size: tuple[int, int], side: int) -> None:
    if side < LEAST_SIDE and size != (side, side):
        raise UnusableInput(
            f"image {path} is {size[0]} x {size[1]} pixels, and the {side * side} inputs of this network are no picture of that: give it a "
            f"row of {side * side} values (an .npy file of bytes), or a picture of exactly {side} x {side}"
        )


def _grey(picture: Picture, invert: bool, notes: list[str]) -> Picture:
    """Steps 2 and 3: a Pillow image in mode L, light ink on black as far as `invert` and the transparency tell."""
    from PIL import Image

    if picture.mode.startswith("I"):
        values = np.asarray(picture)
        visible = values != picture.info.get("transparency", -1)
        shades = _eight_bits(values, notes)
        clear = not visible.all()
        on_black, on_white = (Image.fromarray(np.where(visible, shades, ground).astype(np.uint8)) for ground in (0, 255))
    elif picture.mode == "RGBA":
        _say_colours(picture.convert("RGB"), notes)
        clear = cast("tuple[int, int]", picture.getchannel("A").getextrema())[0] < 255
        on_black, on_white = (_on(picture, ground) for ground in ("black", "white"))
    else:
        _say_colours(picture, notes)
        clear, on_black = False, picture.convert("L")
        on_white = on_black
    white = invert or _contrast(on_white) > 2 * _contrast(on_black)
    if clear and white and not invert:
        notes.append("transparent parts are taken as white paper and the picture is inverted, because the ink is dark")
    elif clear:
        notes.append(f"transparent parts are taken as {'white paper' if white else 'black'}")
    return on_white.point(list(INVERTED)) if white else on_black


def _eight_bits(values: np.ndarray, notes: list[str]) -> np.ndarray:
    """Of 16-bit grey, the upper 8 bits of the smallest usual depth that holds the largest value."""
    largest = int(values.max())
    depth = next(depth for depth in DEPTHS if largest >> depth == 0)
    notes.append(f"16-bit grey up to {largest} is read as {depth} bits, of which the upper 8 are used")
    return values >> (depth - DEPTHS[0])


def _on(picture: Picture, ground: str) -> Picture:
    """An RGBA image over a `ground`, in grey."""
    from PIL import Image

    sheet = Image.new("RGBA", picture.size, ground)
    sheet.alpha_composite(picture)
    return sheet.convert("L")


def _contrast(grey: Picture) -> int:
    darkest, lightest = cast("tuple[int, int]", grey.getextrema())
    return lightest - darkest


def _say_colours(picture: Picture, notes: list[str]) -> None:
    """Notes that colours are lost, where there are any."""
    if picture.mode in ("L", "1"):
        return
    red, green, blue = picture.convert("RGB").split()
    if red.tobytes() != green.tobytes() or green.tobytes() != blue.tobytes():
        notes.append("colours are turned into grey")


def _resized(grey: Picture, side: int, notes: list[str]) -> Picture:
    """Step 4."""
    from PIL import Image

    if grey.size == (side, side):
        return grey
    width, height = grey.size
    if width != height:
        notes.append(f"{width} x {height} pixels are padded with black to a square")
    square = Image.new("L", (max(grey.size),) * 2)
    square.paste(grey, ((square.width - width) // 2, (square.height - height) // 2))
    if square.width != side:
        notes.append(f"{square.width} x {square.width} pixels are {'averaged down' if square.width > side else 'blown up'} to {side} x {side}")
    return square.resize((side, side), Image.Resampling.BOX)


def _blank(path: str | os.PathLike[str], shade: int, reading: Reading) -> str:
    nearest = "" if reading.auto else "look for faint ink with --auto, or "
    return f"image {path} is one shade ({shade}) all over for the network, so there is nothing to recognise: {nearest}insist with --allow-blank"


def _advice(pixels: bytes, side: int, invert: bool) -> list[str]:
    """What to try when the border of what the network sees is no black background."""
    border = sorted(pixels[:side] + pixels[-side:] + pixels[::side] + pixels[side - 1 :: side])
    shade = border[len(border) // 2]
    if shade < LIGHT_BACKGROUND:
        return []
    light = ", or leave out --invert" if invert else ", or --invert for dark ink on white"
    return [f"the background is {shade} for the network, not black as in MNIST: try --auto for a photo{light if shade > 127 else ''}"]
