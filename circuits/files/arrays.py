"""The arrays of `.npy` files of plain numbers, and what to do about one of other numbers than are proven."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable

import numpy as np

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.npy import BYTES, NpyFile, spoken, take_apart

PLAIN_KINDS = {
    BYTES: "uint8", "|i1": "int8", "|b1": "bool", "<u2": "uint16", "<i2": "int16", "<u4": "uint32", "<i4": "int32",
    "<u8": "uint64", "<i8": "int64", "<f2": "float16", "<f4": "float32", "<f8": "float64",
}  # fmt: skip
"""What numpy calls the numbers that an `.npy` file spells so."""
MAX_BYTE = 255


def parse_npy(data: bytes, what: str, kinds: Iterable[str] = PLAIN_KINDS) -> np.ndarray:
    """The array in the bytes of an `.npy` file, in its own shape; `kinds` are the element types taken, as the file spells them.

    The header must be as `numpy.save` writes it. Raises `MalformedFile` for a broken file, `UnusableInput` for other elements.
    """
    kinds, file = tuple(kinds), take_apart(data, what)
    if file.kind not in kinds:
        raise UnusableInput(f"{what} holds {PLAIN_KINDS.get(file.kind) or spoken(file.kind)}, expected {_listed(kinds)}")
    return _array(file, what)


def parse_bytes(data: bytes, what: str, path: str | os.PathLike[str]) -> np.ndarray:
    """The uint8 array in an `.npy` file, in its own shape. Raises `MalformedFile` for a broken file, `UnusableInput` for other numbers, saying between
    which they lie and what makes bytes of them."""
    file = take_apart(data, what)
    if file.kind == BYTES:
        return _array(file, what)
    raise no_bytes(file, what, path)


def no_bytes(file: NpyFile, what: str, path: str | os.PathLike[str]) -> UnusableInput:
    """What is wrong with an array of other elements than uint8, and the line of numpy that makes bytes of them."""
    if file.kind not in PLAIN_KINDS:
        return UnusableInput(f"{what} holds {spoken(file.kind)}: save whole numbers from 0 to 255 with the type uint8")
    values, name = _array(file, what), PLAIN_KINDS[file.kind]
    if not values.size:
        return UnusableInput(f"{what} holds no numbers")
    if not np.isfinite(values).all():
        place = list(map(int, np.argwhere(~np.isfinite(values))[0]))
        return UnusableInput(f"{what} holds {name}, and at {place} {values[tuple(place)]}: save whole numbers from 0 to 255 with the type uint8")
    low, high = values.min().item(), values.max().item()
    found = f"{what} holds {name} from {_short(low)} to {_short(high)}; what is proven is uint8 from 0 to 255"
    array = f"np.load({str(path)!r})"
    if low >= 0 and high <= 1:
        return UnusableInput(f"{found}. If 1 stands for 255, {saving(path, f'np.rint(255.0 * {array}).astype(np.uint8)', 'uint8')} makes bytes")
    if low >= 0 and high <= MAX_BYTE:
        whole = values.dtype.kind != "f" or bool((values == np.rint(values)).all())
        rounded = array if whole else f"np.rint({array})"
        return UnusableInput(f"{found}. {saving(path, f'{rounded}.astype(np.uint8)', 'uint8')} makes bytes")
    scaled = f"np.rint(255 * np.clip(({array} - LOW) / (HIGH - LOW), 0, 1)).astype(np.uint8)"
    return UnusableInput(f"{found}. {saving(path, scaled, 'uint8')} makes bytes, with the numbers that stand for 0 and 255 in the place of LOW and HIGH")


def saving(path: str | os.PathLike[str], expression: str, ending: str) -> str:
    """The line of numpy that saves what an expression makes, beside the file at `path`."""
    made = f"{os.path.splitext(path)[0]}-{ending}.npy"
    return f"`np.save({made!r}, {expression})`"


def _array(file: NpyFile, what: str) -> np.ndarray:
    element = np.dtype(file.kind)
    if math.prod(file.shape) * element.itemsize != len(file.body):
        raise UnusableInput(f"{what} claims the shape {file.shape} of {PLAIN_KINDS[file.kind]} but holds {len(file.body)} bytes")
    return np.frombuffer(file.body, element).reshape(file.shape, order="F" if file.by_columns else "C")


def _short(number: float) -> str:
    return f"{number:g}" if isinstance(number, float) else str(number)


def _listed(kinds: tuple[str, ...]) -> str:
    names = [PLAIN_KINDS[kind] for kind in kinds]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
