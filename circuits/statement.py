"""What one proof says: its input, and what it claims the network makes of it."""

from __future__ import annotations

from dataclasses import dataclass, field

CLAIM_BYTES = 32
OUTPUT_BYTES = 8


@dataclass(frozen=True)
class Statement:
    """"The network gives `input` (one byte a value) the class `claim`." Everything in it is public and absorbed first.

    `outputs`: the last layer's numbers, for circuits that make them public. Built by `statement_for` of the verifier, which refuses
    what does not fit, or by a prover, who may claim what he likes.
    """

    input: bytes = field(repr=False)
    claim: int
    outputs: tuple[int, ...] = ()

    def absorbed(self) -> bytes:
        """What the transcript sees: the claim in 32 bytes, big-endian, the outputs in 8 bytes each, then the input. The circuit fixes
        how many of each there are."""
        outputs = b"".join(value.to_bytes(OUTPUT_BYTES, "big", signed=True) for value in self.outputs)
        return self.claim.to_bytes(CLAIM_BYTES, "big") + outputs + self.input
