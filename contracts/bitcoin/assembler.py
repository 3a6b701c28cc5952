"""A small Script assembler: opcodes, minimal pushes, numbers, and named sections whose sizes add up.

Numbers are little-endian sign-magnitude with the sign in the top bit of the last byte, zero is the empty string
(the original client's CBigNum, minimal as in BIP 62 rule 4). Every push uses the shortest form (BIP 62 rule 3).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from zkpredict.circuits.errors import MalformedFile


class Op(Enum):
    """The opcodes the compiler emits and the disassembler names; all of them are live after the Genesis upgrade."""

    FALSE = 0x00
    PUSHDATA1 = 0x4C
    PUSHDATA2 = 0x4D
    PUSHDATA4 = 0x4E
    NEGATIVE_ONE = 0x4F
    ONE = 0x51
    SIXTEEN = 0x60
    IF = 0x63
    ELSE = 0x67
    ENDIF = 0x68
    VERIFY = 0x69
    DROP = 0x75
    DUP = 0x76
    NIP = 0x77
    PICK = 0x79
    ROLL = 0x7A
    SWAP = 0x7C
    CAT = 0x7E
    SPLIT = 0x7F
    NUM2BIN = 0x80
    BIN2NUM = 0x81
    SIZE = 0x82
    AND = 0x84
    XOR = 0x86
    EQUAL = 0x87
    EQUALVERIFY = 0x88
    NEGATE = 0x8F
    ABS = 0x90
    NOT = 0x91
    ADD = 0x93
    SUB = 0x94
    MUL = 0x95
    DIV = 0x96
    MOD = 0x97
    MIN = 0xA3
    MAX = 0xA4
    WITHIN = 0xA5
    HASH256 = 0xAA
    CODESEPARATOR = 0xAB
    CHECKSIG = 0xAC
    CHECKSIGVERIFY = 0xAD


Item = Op | int | bytes
_NAMES = {op.value: op.name for op in Op}
_LENGTH_BYTES = {Op.PUSHDATA1.value: 1, Op.PUSHDATA2.value: 2, Op.PUSHDATA4.value: 4}
_LARGEST_DIRECT_PUSH = 75


@dataclass(frozen=True)
class Section:
    """A named stretch of script, so that a report can say where the bytes went."""

    name: str
    code: bytes


@dataclass(frozen=True)
class Instruction:
    """One parsed instruction: the opcode byte, the data when it pushes any, and the offset behind it."""

    opcode: int
    data: bytes | None
    end: int

    @property
    def number(self) -> int | None:
        """The number this instruction pushes. Raises `MalformedFile` when its data is no minimal number."""
        if Op.ONE.value <= self.opcode <= Op.SIXTEEN.value:
            return self.opcode - Op.ONE.value + 1
        if self.opcode == Op.NEGATIVE_ONE.value:
            return -1
        return None if self.data is None else decode_number(self.data)

    def __str__(self) -> str:
        if self.data:
            return self.data.hex()
        if Op.ONE.value <= self.opcode <= Op.SIXTEEN.value:
            return f"OP_{self.number}"
        return f"OP_{_NAMES[self.opcode]}" if self.opcode in _NAMES else f"OP_UNKNOWN_{self.opcode:02x}"


def encode_number(value: int) -> bytes:
    """The minimal Script encoding of an integer of any size."""
    if value == 0:
        return b""
    magnitude = abs(value)
    encoded = bytearray(magnitude.to_bytes(magnitude.bit_length() // 8 + 1, "little"))
    encoded[-1] |= 0x80 if value < 0 else 0
    return bytes(encoded)


def decode_number(data: bytes) -> int:
    """The integer a minimal Script number stands for. Raises `MalformedFile` for padding and negative zero."""
    if not data:
        return 0
    if data[-1] & 0x7F == 0 and (len(data) == 1 or not data[-2] & 0x80):
        raise MalformedFile(f"script number {data.hex()} is not minimal")
    magnitude = int.from_bytes(data[:-1] + bytes([data[-1] & 0x7F]), "little")
    return -magnitude if data[-1] & 0x80 else magnitude


def push(data: bytes) -> bytes:
    """The shortest instruction that puts `data` on the stack."""
    if not data:
        return bytes([Op.FALSE.value])
    if len(data) == 1 and 1 <= data[0] <= 16:
        return bytes([Op.ONE.value + data[0] - 1])
    if data == b"\x81":
        return bytes([Op.NEGATIVE_ONE.value])
    if len(data) <= _LARGEST_DIRECT_PUSH:
        return bytes([len(data)]) + data
    opcode, size = next((code, size) for code, size in _LENGTH_BYTES.items() if len(data) < 1 << (8 * size))
    return bytes([opcode]) + len(data).to_bytes(size, "little") + data


def assemble(*items: Item) -> bytes:
    """Script bytes of opcodes, numbers (int) and data pushes (bytes)."""
    return b"".join(
        bytes([item.value]) if isinstance(item, Op) else push(encode_number(item) if isinstance(item, int) else item)
        for item in items
    )


def parse(script: bytes) -> Iterator[Instruction]:
    """The instructions of a script in order. Raises `MalformedFile` where a push runs past the end."""
    position = 0
    while position < len(script):
        opcode = script[position]
        position += 1
        size = opcode if opcode <= _LARGEST_DIRECT_PUSH else None
        if opcode in _LENGTH_BYTES:
            digits = _LENGTH_BYTES[opcode]
            if position + digits > len(script):
                raise MalformedFile(f"script: push length at offset {position} needs {digits} bytes")
            size = int.from_bytes(script[position : position + digits], "little")
            position += digits
        if size is None:
            yield Instruction(opcode, None, position)
            continue
        if position + size > len(script):
            raise MalformedFile(f"script: push of {size} bytes at offset {position}, {len(script) - position} are left")
        position += size
        yield Instruction(opcode, script[position - size : position], position)


def join(sections: Iterable[Section]) -> bytes:
    """The script the sections make together."""
    return b"".join(section.code for section in sections)


def size_report(sections: Iterable[Section]) -> dict[str, int]:
    """Bytes per section name, in order of first appearance; the values add up to the script."""
    report: dict[str, int] = {}
    for section in sections:
        report[section.name] = report.get(section.name, 0) + len(section.code)
    return report
