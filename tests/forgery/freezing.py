"""Transcripts that are weaker than ours: challenges known beforehand, or blind to one message. Both sides use them.

A Fiat-Shamir test counts only if the forgery passes under such a transcript.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from guards import replaced

from zkpredict.prover import prove as rounds
from zkpredict.verifier.transcript import Transcript

CHALLENGES = ("alpha", "beta", "delta", "rho", "nu", "zeta")
MESSAGES = ("trace", "sums", "quotient", "evaluations", "opening")


def frozen(**known: int) -> AbstractContextManager[None]:
    """The named challenges are these constants, whatever was said; the others are drawn as always."""
    return replaced(Transcript, _frozen(known))


def blind_to(message: str) -> AbstractContextManager[None]:
    """The bytes of one round's message are not absorbed (the chain still takes its step)."""
    return replaced(Transcript, _blind(MESSAGES.index(message)))


def blind_to_statement(field: str) -> AbstractContextManager[None]:
    """One of `circuit_digest`, `model_id`, `digit`, `image` is not absorbed."""
    return replaced(Transcript, _blind_statement(field))


def _frozen(known: dict[str, int]) -> type[Transcript]:
    class Frozen(Transcript):
        rounds = 0

        def absorb(self, message: bytes) -> None:
            super().absorb(message)
            self.rounds += 1

        def challenge(self) -> int:
            return known.get((None, "alpha", "delta", "rho", "nu", "zeta")[self.rounds], super().challenge())

        def second_challenge(self) -> int:
            return known.get("beta", super().second_challenge())

        def point_challenge(self) -> int:
            return known.get("rho", super().point_challenge())

    return Frozen


def _blind(number: int) -> type[Transcript]:
    class Blind(Transcript):
        rounds = 0

        def absorb(self, message: bytes) -> None:
            super().absorb(b"" if self.rounds == number else message)
            self.rounds += 1

    return Blind


def _blind_statement(field: str) -> type[Transcript]:
    blank = {"circuit_digest": bytes(32), "model_id": bytes(32), "digit": 0, "image": b""}[field]

    class Blind(Transcript):
        def __init__(self, circuit_digest: bytes, model_id: bytes, digit: int, image: bytes) -> None:
            statement = {"circuit_digest": circuit_digest, "model_id": model_id, "digit": digit, "image": image}
            super().__init__(**statement | {field: blank})

    return Blind


def speak(prover, *messages: bytes) -> Transcript:
    """The transcript in force, run over a prover's statement and these messages: what a forger can know beforehand."""
    model_id = prover.model.commitment.model_id
    transcript = rounds.Transcript(prover.circuit.digest, model_id, prover.digit, prover.image.tobytes())
    for message in messages:
        transcript.absorb(message)
    return transcript
