"""The head of an `.npy` file, read strictly and without numpy, whose own reader evaluates it as Python source, which hostile bytes can make fail in any way.

(NEP 1, "A simple file format for NumPy arrays".)
"""

from __future__ import annotations

import re
from typing import NamedTuple

from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.files.codec import ByteReader

BYTES = "|u1"
"""How a file spells the numbers that are proven: uint8."""
_HEADER = re.compile(
    rb"\{'descr': '([^']{1,16})', 'fortran_order': (True|False), "
    rb"'shape': \(((?:[0-9]{1,9}, ){0,31}(?:[0-9]{1,9},?)?)\), \} *\n"
)
_KINDS = {"b": "true and false", "i": "signed integers", "u": "unsigned integers", "f": "floats", "c": "complex numbers",
          "S": "byte strings", "U": "text", "O": "Python objects", "M": "dates", "m": "time spans", "V": "records"}  # fmt: skip


class NpyFile(NamedTuple):
    """`kind`: the element type as the file spells it; `by_columns`: Fortran's order; `body`: the elements."""

    kind: str
    by_columns: bool
    shape: tuple[int, ...]
    body: bytes


def take_apart(data: bytes, what: str) -> NpyFile:
    """The parts of an `.npy` file, whose head must be as `numpy.save` writes it. Raises `MalformedFile`."""
    reader = ByteReader(data, what)
    reader.expect(b"\x93NUMPY", "npy magic")
    version = reader.unsigned(1, "npy version")
    reader.expect(b"\x00", "npy minor version")
    header = reader.take(reader.unsigned(2 if version == 1 else 4, "npy header length"), "npy header")
    found = _HEADER.fullmatch(header)
    if found is None:
        raise MalformedFile(f"{what}: the npy header is not one that numpy.save writes for a plain array")
    kind, order, sizes = (group.decode("latin-1") for group in found.groups())
    return NpyFile(kind, order == "True", tuple(int(size) for size in sizes.split(",") if size), data[reader.position :])


def spoken(kind: str) -> str:
    """An npy type in words: `>f8` is floats of 8 bytes."""
    letter, size = kind.lstrip("<>|=")[:1], kind.lstrip("<>|=")[1:]
    words = _KINDS.get(letter, f"values of the unknown type {kind!r}")
    if letter in "iufc" and size.isdigit():
        return f"{words} of {size} byte{'' if size == '1' else 's'}"
    return words
