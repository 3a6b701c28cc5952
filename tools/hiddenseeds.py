"""Hidden inputs and their openings as fuzzing targets: parsers, and what they take."""

from __future__ import annotations

from functools import cache


def hidden(data: bytes) -> object:
    from zkpredict.kernel import G1
    from zkpredict.verifier.hidden import HiddenInput

    return HiddenInput.from_bytes(data, G1.from_compressed)


def opening(data: bytes) -> object:
    from zkpredict.prover.hiding import OpenedInput

    return OpenedInput.from_bytes(data)


@cache
def openings() -> tuple[bytes, ...]:
    """Of a few bytes, and of more than a column holds."""
    from zkpredict.prover.hiding import hide

    return hide(bytes(range(9))).to_bytes(), hide(bytes(2100)).to_bytes()


def hidden_inputs() -> tuple[bytes, ...]:
    from zkpredict.prover.hiding import OpenedInput

    return tuple(OpenedInput.from_bytes(data).hidden.to_bytes() for data in openings())
