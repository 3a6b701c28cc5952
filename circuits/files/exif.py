"""The orientation in EXIF data: "which way is up", the only tag that changes what a viewer shows (EXIF 2.32, section 4.6.4, tag 274).

The data is a TIFF file: byte order "II" or "MM", the number 42, the offset of the first directory; a directory is a count and that many
entries of 12 bytes: tag, type (3 = u16), number of values, value.
"""

from __future__ import annotations

import struct

_PREFIX = b"Exif\x00\x00"
_ORIENTATION, _SHORT = 274, 3
_ORDERS = {b"II": "<", b"MM": ">"}


def orientation_of(exif: bytes) -> int | None:
    """1 to 8 (1 is upright, also when nothing is said), or None when the data is damaged."""
    exif = exif.removeprefix(_PREFIX)
    if not exif:
        return 1
    order = _ORDERS.get(exif[:2])
    if order is None:
        return None
    try:
        number, start = struct.unpack_from(f"{order}HI", exif, 2)
        (count,) = struct.unpack_from(f"{order}H", exif, start)
        entries = [struct.unpack_from(f"{order}HHIH", exif, start + 2 + 12 * entry) for entry in range(count)]
    except struct.error:
        return None
    for tag, kind, values, value in entries:
        if tag == _ORIENTATION:
            return value if (kind, values) == (_SHORT, 1) and 1 <= value <= 8 and number == 42 else None
    return 1 if number == 42 else None
