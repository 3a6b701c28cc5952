"""The one kind of PNG that needs no picture library, whose loading would take longer than verifying a proof: 8 bits of grey, not
interlaced, small, with nothing in the file but the picture. Decoding is lossless (W3C PNG, third edition, clauses 5, 7 and 9), so
whoever reads such a file, this module or Pillow, gets the same bytes."""

from __future__ import annotations

import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_PIXELS = 1 << 12
_GREY_8 = bytes([8, 0, 0, 0, 0])
"""Bit depth, colour type, compression, filter method, interlacing."""


def plain_grey(data: bytes, width: int, height: int) -> bytes | None:
    """The pixels of such a file of exactly this size, row by row; None for every other file, damaged ones too: those are for Pillow."""
    chunks = _chunks(data)
    if width * height > MAX_PIXELS or not chunks or [name for name, _ in chunks] != [b"IHDR", *[b"IDAT"] * (len(chunks) - 2), b"IEND"]:
        return None
    if chunks[0][1] != width.to_bytes(4, "big") + height.to_bytes(4, "big") + _GREY_8 or chunks[-1][1]:
        return None
    size, stream = height * (width + 1), zlib.decompressobj()
    try:
        filtered = stream.decompress(b"".join(body for _, body in chunks[1:-1]), size + 1)
    except zlib.error:
        return None
    if len(filtered) != size or not stream.eof or stream.unused_data:
        return None
    above, rows = bytes(width), []
    for start in range(0, size, width + 1):
        if filtered[start] > 4:
            return None
        above = _unfiltered(filtered[start], filtered[start + 1 : start + 1 + width], above)
        rows.append(above)
    return b"".join(rows)


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Name and body of every chunk; none unless the file is a signature and whole chunks whose checksums are right."""
    found, place = [], len(SIGNATURE)
    if not data.startswith(SIGNATURE):
        return []
    while place < len(data):
        end = place + 8 + int.from_bytes(data[place : place + 4], "big")
        named = data[place + 4 : end]
        if end + 4 > len(data) or zlib.crc32(named) != int.from_bytes(data[end : end + 4], "big"):
            return []
        found.append((named[:4], named[4:]))
        place = end + 4
    return found


def _unfiltered(kind: int, row: bytes, above: bytes) -> bytes:
    """One row, by its filter type: clause 9.2, "Filter types for filter method 0"."""
    if kind == 0:
        return row
    if kind == 2:
        return bytes((value + up) & 255 for value, up in zip(row, above, strict=True))
    found, left, corner = bytearray(), 0, 0
    for value, up in zip(row, above, strict=True):
        predicted = left if kind == 1 else (left + up) >> 1 if kind == 3 else _paeth(left, up, corner)
        left, corner = (value + predicted) & 255, up
        found.append(left)
    return bytes(found)


def _paeth(left: int, up: int, corner: int) -> int:
    """The neighbour nearest to left + up - corner; of equals the first."""
    target = left + up - corner
    return min((left, up, corner), key=lambda neighbour: abs(target - neighbour))
