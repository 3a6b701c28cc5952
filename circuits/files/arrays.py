"""The `.npy` format, read strictly: numpy's own reader evaluates the header as Python source, which hostile bytes can make
fail in any way, and takes pickles.

(NEP 1, "A simple file format for NumPy arrays".)
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

import numpy as np

from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.files.codec import ByteReader

PLAIN_KINDS = {
    "|u1": "uint8", "|i1": "int8", "|b1": "bool", "<u2": "uint16", "<i2": "int16", "<u4": "uint32", "<i4": "int32",
    "<u8": "uint64", "<i8": "int64", "<f2": "float16", "<f4": "float32", "<f8": "float64",
}  # fmt: skip
"""What numpy calls the numbers that an `.npy` file spells so."""
_HEADER = re.compile(
    rb"\{'descr': '([^']{1,16})', 'fortran_order': (True|False), "
    rb"'shape': \(((?:[0-9]{1,9}, ){0,31}(?:[0-9]{1,9},?)?)\), \} *\n"
)


def parse_npy(data: bytes, what: str, kinds: Iterable[str] = PLAIN_KINDS) -> np.ndarray:
    """The array in the bytes of an `.npy` file, in its own shape; `kinds` are the element types taken, as the file spells them.

    The header must be as `numpy.save` writes it. Raises `MalformedFile` for a broken file, `UnusableInput` for other elements.
    """
    kinds = tuple(kinds)
    reader = ByteReader(data, what)
    reader.expect(b"\x93NUMPY", "npy magic")
    version = reader.unsigned(1, "npy version")
    reader.expect(b"\x00", "npy minor version")
    header = reader.take(reader.unsigned(2 if version == 1 else 4, "npy header length"), "npy header")
    found = _HEADER.fullmatch(header)
    if found is None:
        raise MalformedFile(f"{what}: the npy header is not one that numpy.save writes for a plain array")
    kind, order, sizes = (group.decode("latin-1") for group in found.groups())
    if kind not in kinds:
        raise UnusableInput(f"{what} holds {PLAIN_KINDS.get(kind, 'objects')}, expected {_listed(kinds)}")
    shape = tuple(int(size) for size in sizes.split(",") if size)
    body, element = data[reader.position :], np.dtype(kind)
    if math.prod(shape) * element.itemsize != len(body):
        raise UnusableInput(f"{what} claims the shape {shape} of {PLAIN_KINDS[kind]} but holds {len(body)} bytes")
    return np.frombuffer(body, element).reshape(shape, order="F" if order == "True" else "C")


def _listed(kinds: tuple[str, ...]) -> str:
    names = [PLAIN_KINDS[kind] for kind in kinds]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
