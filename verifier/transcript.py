"""The Fiat-Shamir transcript: a chain of keccak256, so that each challenge depends on everything said before it.

    context = keccak(label | circuit digest)                            the label is that of proofs of one input, or of batches
    state_0 = keccak(context | model id | digit as 32 bytes | image)     the model id is itself a hash of circuit and rows
    state_k = keccak(state_(k-1) | message of round k)
    challenge = state_k mod r;  a second one in the same round: keccak(state_k | 01) mod r

The circuit fixes the length of the image and of every message, so no two transcripts share a byte string.
"""

from __future__ import annotations

from collections.abc import Iterable

from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.keccak import keccak256 as keccak256
from zkpredict.circuits.statement import Statement

PROOF_LABEL = Statement.label
MODEL_LABEL = b"zkpredict model v1"
POINT_CHALLENGES = ("rho", "sigma")
POINT_CHALLENGE_BITS = 240
"""The point at which an input is evaluated keeps the top 240 bits of its hash: a pixel times it then fits in 256 bits, which is cheap
on-chain. It is rho, or sigma where the input is read at X/shift (`circuits.second`)."""


def context(label: bytes, circuit_digest: bytes) -> bytes:
    """A 32-byte constant that separates one use of one circuit from all others."""
    return keccak256(label + circuit_digest)


class Transcript:
    """The verifier's randomness. Start it with the statement, then `absorb` the messages in order."""

    def __init__(self, circuit_digest: bytes, model_id: bytes, statement: Statement) -> None:
        self.state = keccak256(context(statement.label, circuit_digest) + model_id + statement.absorbed())

    def absorb(self, message: bytes) -> None:
        """Chains the bytes of one round's message into the state."""
        self.state = keccak256(self.state + message)

    def draw(self, names: Iterable[str]) -> dict[str, int]:
        """This round's challenges by name: the first is the state, the k-th after it keccak(state | k), modulo r each."""
        return {name: self.challenge(name, number) for number, name in enumerate(names)}

    def challenge(self, name: str, number: int) -> int:
        """Challenge `number` of this round. The evaluation point, `rho` or `sigma`, keeps the top 240 bits of its hash."""
        drawn = keccak256(self.state + bytes([number])) if number else self.state
        value = int.from_bytes(drawn, "big")
        return value >> (256 - POINT_CHALLENGE_BITS) if name in POINT_CHALLENGES else value % MODULUS
