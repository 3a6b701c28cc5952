"""Losses of logits in exact integers: the twin of `learn/Losses.sol`, which says what each is."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum


class Loss(IntEnum):
    """Wrong answers; what the label lacks to the margin; minus log2 of the label's share, 16 bits behind the point."""

    ERRORS, HINGE, SOFTMAX = range(3)


_POWERS = [round(2 ** (16 - f / 16)) for f in range(16)]


def loss_of(kind: Loss, z: Sequence[int], label: int, margin: int = 0) -> int:
    """The loss of one sample. `margin`: of hinge; for softmax the bits of a logit that make one of the share's logarithm."""
    if kind is Loss.ERRORS:
        return int(list(z).index(max(z)) != label)
    others = [value for c, value in enumerate(z) if c != label]
    own = z[label] if label < len(z) else 0
    if not others:
        return 0
    if kind is Loss.HINGE:
        return max(0, margin + max(others) - own)
    most = max(*others, own)
    total = sum(_power(most - value, margin) for value in (*others, own))
    return (most - own << 16 >> margin) + _log2(total)


def _power(d: int, margin: int) -> int:
    return 0 if d >> margin > 16 else _POWERS[(d << 4 >> margin) & 15] >> (d >> margin)


def _log2(x: int) -> int:
    bits = x.bit_length() - 17
    y = (x << 31) >> (16 + bits)
    for _ in range(16):
        y, bits = y * y >> 31, bits << 1
        if y >> 32:
            y, bits = y >> 1, bits | 1
    return bits
