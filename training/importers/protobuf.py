"""The protobuf wire format, as far as reading needs it: fields of untrusted bytes, nothing copied, every length checked.

A message is a sequence of (number << 3 | wire type) as varint and a value: varint (0), 8 bytes (1), length and bytes (2), 4 bytes (5).
(protobuf.dev, "Encoding".) Groups (3, 4) are refused: nothing has used them since 2008.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from zkpredict.circuits.errors import MalformedFile

VARINT, EIGHT, BYTES, FOUR = 0, 1, 2, 5
_MAX_VARINT_BYTES = 10


def fields(data: memoryview, what: str) -> Iterator[tuple[int, int, int | memoryview]]:
    """(number, wire type, value) of each field: an unsigned int for varints, else the bytes. Raises `MalformedFile`."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position, what)
        number, wire = tag >> 3, tag & 7
        if number == 0 or number >= 1 << 29:
            raise MalformedFile(f"{what}: no protobuf: field number {number} at byte {position}")
        if wire == VARINT:
            value, position = _varint(data, position, what)
            yield number, wire, value
            continue
        if wire == BYTES:
            size, position = _varint(data, position, what)
        elif wire in (EIGHT, FOUR):
            size = 8 if wire == EIGHT else 4
        else:
            raise MalformedFile(f"{what}: no protobuf: wire type {wire} at byte {position}")
        if size > len(data) - position:
            raise MalformedFile(f"{what}: field {number} claims {size} bytes at byte {position}, {len(data) - position} are left")
        yield number, wire, data[position : position + size]
        position += size


def integers(wire: int, value: int | memoryview, what: str) -> Iterator[int]:
    """The signed 64-bit integers of one occurrence of a repeated field, packed or not."""
    if wire == VARINT:
        yield signed(value)
        return
    if wire != BYTES:
        raise MalformedFile(f"{what}: integers of wire type {wire}")
    position = 0
    while position < len(value):
        found, position = _varint(value, position, what)
        yield signed(found)


def signed(value: int) -> int:
    """A varint as the int64 that it encodes."""
    return value - (1 << 64) if value >> 63 else value


def text(wire: int, value: int | memoryview, what: str) -> str:
    """A string field. Raises `MalformedFile` when it is none, or no UTF-8."""
    if wire != BYTES:
        raise MalformedFile(f"{what}: a text of wire type {wire}")
    try:
        return bytes(value).decode()
    except UnicodeDecodeError:
        raise MalformedFile(f"{what}: a text is no UTF-8") from None


def message(wire: int, value: int | memoryview, what: str) -> memoryview:
    """The bytes of a message or bytes field."""
    if wire != BYTES:
        raise MalformedFile(f"{what}: a message of wire type {wire}")
    return value


def whole(wire: int, value: int | memoryview, what: str) -> int:
    """A single int64."""
    if wire != VARINT:
        raise MalformedFile(f"{what}: a number of wire type {wire}")
    return signed(value)


def single(wire: int, value: int | memoryview, what: str) -> float:
    """A single float32."""
    if wire != FOUR:
        raise MalformedFile(f"{what}: a float of wire type {wire}")
    return struct.unpack("<f", value)[0]


def _varint(data: memoryview, position: int, what: str) -> tuple[int, int]:
    value = 0
    for count in range(_MAX_VARINT_BYTES):
        if position >= len(data):
            break
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            if value >> 64:
                raise MalformedFile(f"{what}: no protobuf: a number beyond 64 bits at byte {position}")
            return value, position
    raise MalformedFile(f"{what}: no protobuf: a number does not end at byte {position}")
