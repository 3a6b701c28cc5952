"""What one proof says: its input, and what it claims the network makes of it."""

from __future__ import annotations

from dataclasses import dataclass, field

CLAIM_BYTES = 32


@dataclass(frozen=True)
class Statement:
    """"The network gives `input` (one byte a value) the class `claim`." Everything in it is public and absorbed first.

    Built by `for_circuit` of the verifier, which refuses what does not fit, or by a prover, who may claim what he likes.
    """

    input: bytes = field(repr=False)
    claim: int

    def absorbed(self) -> bytes:
        """What the transcript sees: the claim in 32 bytes, big-endian, then the input."""
        return self.claim.to_bytes(CLAIM_BYTES, "big") + self.input
