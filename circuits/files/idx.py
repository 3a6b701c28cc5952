"""The idx format of the MNIST files: a big-endian header and unsigned bytes. Parsed strictly, numpy only.

Header: two zero bytes, the element type (8 = unsigned byte), the number of dimensions, then each dimension as u32
(Yann LeCun, "THE MNIST DATABASE of handwritten digits", FILE FORMATS). A file may be gzip-compressed.
"""

from __future__ import annotations

import math
import os
import zlib

import numpy as np

from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.files.storage import read_file

MAX_IDX_BYTES = 1 << 28
_UNSIGNED_BYTE = 8
_HELD = {1: "labels", 3: "images"}
"""What MNIST's files of so many dimensions hold."""
_GZIP_MAGIC = b"\x1f\x8b"


def parse_idx(data: bytes, dimensions: int, what: str = "idx file") -> np.ndarray:
    """The uint8 array of `dimensions` axes in `data` (plain or gzip). Raises `MalformedFile` on a wrong type, dimension
    count or length, on trailing bytes, and on a header or compressed stream that claims more than `MAX_IDX_BYTES`."""
    if data[:2] == _GZIP_MAGIC:
        data = _gunzip(data, what)
    reader = ByteReader(data, what)
    magic = reader.take(4, "idx magic")
    expected = bytes([0, 0, _UNSIGNED_BYTE, dimensions])
    if magic != expected:
        mixed = f": it holds {_HELD[magic[3]]}, expected {_HELD[dimensions]}" if magic[:3] == expected[:3] and {magic[3], dimensions} <= set(_HELD) else ""
        raise MalformedFile(f"{what}: idx magic is {magic.hex()}, expected {expected.hex()}{mixed}")
    shape = [int.from_bytes(reader.take(4, f"dimension {axis}"), "big") for axis in range(dimensions)]
    claimed = math.prod(max(length, 1) for length in shape)  # numpy refuses huge axes of an empty array too
    if claimed > MAX_IDX_BYTES:
        raise MalformedFile(f"{what}: claims {claimed} bytes, the limit is {MAX_IDX_BYTES}")
    size = math.prod(shape)
    values = np.frombuffer(reader.take(size, "values"), np.uint8).reshape(shape)
    reader.finish()
    return values


def read_images(path: str | os.PathLike[str]) -> np.ndarray:
    """The images of an idx3 file: uint8 [count, rows, columns]. Raises `UnusableInput`."""
    return parse_idx(read_file(path, "idx images", MAX_IDX_BYTES), 3, f"idx images {path}")


def read_labels(path: str | os.PathLike[str]) -> np.ndarray:
    """The labels of an idx1 file: uint8 [count]. Raises `UnusableInput`."""
    return parse_idx(read_file(path, "idx labels", MAX_IDX_BYTES), 1, f"idx labels {path}")


def read_image(path: str | os.PathLike[str], index: int) -> np.ndarray:
    """Image number `index` (from 0) of an idx3 file: uint8 [rows, columns]. Raises `UnusableInput`."""
    images = read_images(path)
    if not 0 <= index < len(images):
        raise UnusableInput(f"idx images {path}: there is no image {index}, the file holds {len(images)} (from 0)")
    return images[index]


def _gunzip(data: bytes, what: str) -> bytes:
    """One gzip member, whole and with nothing behind it, of at most `MAX_IDX_BYTES` plus a header."""
    limit = MAX_IDX_BYTES + 16
    stream = zlib.decompressobj(wbits=31)
    try:
        plain = stream.decompress(data, limit)
    except zlib.error as error:
        raise MalformedFile(f"{what}: broken gzip stream ({error})") from None
    if stream.unconsumed_tail:
        raise MalformedFile(f"{what}: unpacks to more than {limit} bytes")
    if not stream.eof:
        raise MalformedFile(f"{what}: gzip stream is cut short after {len(data)} bytes")
    if stream.unused_data:
        raise MalformedFile(f"{what}: {len(stream.unused_data)} bytes trail after the gzip stream")
    return plain
