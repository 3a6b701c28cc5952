"""Randomness for blinding: the operating system's, fresh at every call, never seeded, stored or reused."""

from __future__ import annotations

import os

from zkpredict.circuits.errors import UnusableInput
from zkpredict.kernel import Vector

_WIDE_BYTES = 64


def random_scalars(count: int) -> Vector:
    """`count` field elements, each 512 random bits reduced modulo r (bias below 2^-256). Raises `UnusableInput` when there are none."""
    try:
        entropy = os.urandom(_WIDE_BYTES * count)
    except (OSError, NotImplementedError):
        raise UnusableInput("the operating system gives no random bytes, and nothing can be hidden without them") from None
    return Vector.from_wide_bytes(entropy)
