"""Many small integers side by side in one big number: how they are stored densely, spread apart, and split again.

Stored, a field is one `unit` of bytes and units touch. In the sum each field needs `stride` units of room. Script widens
them without a loop: repeat the stored string `stride` times, AND it with a mask that keeps every stride-th unit.
The copy at position q = position + stride * f holds unit q mod count, so with gcd(count, stride) = 1 every unit
survives exactly once: field f comes from unit (position + stride * f) mod count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd

from zkpredict.contracts.bitcoin.assembler import Op, assemble


@dataclass(frozen=True)
class Spread:
    """`count` units of `unit` bytes, widened to `stride` units each, the value `position` units above the field's bottom."""

    unit: int
    count: int
    stride: int
    position: int = 0

    @classmethod
    def holding(cls, fields: int, unit: int, stride: int, position: int = 0) -> Spread:
        """The smallest spread with room for `fields` fields: padded until its count has no factor in common with the stride."""
        count = next(count for count in range(fields, fields + stride + 1) if gcd(count, stride) == 1)
        return cls(unit, count, stride, position)

    @property
    def field_bytes(self) -> int:
        return self.unit * self.stride

    @property
    def width(self) -> int:
        """Bytes of the widened string."""
        return self.count * self.field_bytes

    @property
    def order(self) -> tuple[int, ...]:
        """Which stored unit each field shows."""
        return tuple((self.position + self.stride * field) % self.count for field in range(self.count))

    def store(self, fields: Sequence[bytes]) -> bytes:
        """The dense string whose widening shows `fields` from the bottom; missing fields are zero."""
        units = [bytes(self.unit)] * self.count
        for unit, field in zip(self.order, fields, strict=False):
            units[unit] = field
        return b"".join(units)

    def mask(self, pattern: bytes) -> bytes:
        """Code that pushes the mask keeping `pattern` (one unit) of each field."""
        return repeated(self.at_position(pattern), self.count)

    def at_position(self, pattern: bytes) -> bytes:
        """`pattern` where a field's value lies, zeros around it."""
        below = self.unit * self.position
        return bytes(below) + pattern + bytes(self.field_bytes - below - len(pattern))

    def replicate(self) -> bytes:
        """Code that repeats the string on top of the stack `stride` times."""
        return replicated(self.stride)


def replicated(times: int) -> bytes:
    """Code that replaces the top of the stack s by s repeated `times` times, in logarithmically many steps."""
    if times == 1:
        return b""
    if times % 2:
        return assemble(Op.DUP) + replicated(times - 1) + assemble(Op.CAT)
    return assemble(Op.DUP, Op.CAT) + replicated(times // 2)


def repeated(pattern: bytes, times: int) -> bytes:
    """The shorter code that pushes `pattern` repeated `times` times: literally, or by repetition."""
    return min(assemble(pattern * times), assemble(pattern) + replicated(times), key=len)


def split_off(size: int, times: int) -> bytes:
    """Code that cuts `times` pieces of `size` bytes off the string on top: the pieces in order below, the rest on top."""
    return assemble(size, Op.SPLIT) * times


def pack(fields: Sequence[int], field_bytes: int) -> int:
    """sum_f fields[f] * 256^(f * field_bytes); fields may be negative or too large, the sum is exact."""
    return sum(value << (8 * field_bytes * index) for index, value in enumerate(fields))
