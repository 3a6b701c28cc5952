"""What one proof says: its input, what it claims the network makes of it, and for whom."""

from __future__ import annotations

from typing import ClassVar

from zkpredict.circuits.records import dataclass, field

CLAIM_BYTES = 32
OUTPUT_BYTES = 8
CONTEXT_BYTES = 32


@dataclass(frozen=True)
class Statement:
    """"The network gives `input` (one byte a value) the class `claim`." Everything in it is public and absorbed first.

    `outputs`: the last layer's numbers, for circuits that make them public. `hidden`: for circuits with a private input, in the place
    of `input`, the uncompressed points of its commitment. `context`: 32 bytes that name whom or what the proof is for, or none.

    Built by `statement_for` of the verifier, which refuses what does not fit, or by a prover, who may claim what he likes.
    """

    label: ClassVar[bytes] = b"zkpredict proof v1"
    """What proofs of such statements begin their transcript with."""

    input: bytes = field(repr=False)
    claim: int
    outputs: tuple[int, ...] = ()
    hidden: tuple[bytes, ...] = ()
    context: bytes = b""

    def absorbed(self) -> bytes:
        """What the transcript sees: the claim in 32 bytes, big-endian, the outputs in 8 bytes each, the input or its commitment, then
        the context. The circuit fixes how long all but the last are, so no two statements share a byte string."""
        outputs = b"".join(value.to_bytes(OUTPUT_BYTES, "big", signed=True) for value in self.outputs)
        return self.claim.to_bytes(CLAIM_BYTES, "big") + outputs + (b"".join(self.hidden) or self.input) + self.context
