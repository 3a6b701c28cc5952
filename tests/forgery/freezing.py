"""Transcripts that are weaker than ours: challenges known beforehand, or blind to one message. Both sides use them.

A Fiat-Shamir test counts only if the forgery passes under such a transcript.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

from guards import replaced

from zkpredict.circuits.placement import COMPACT_FORM
from zkpredict.circuits.statement import Statement
from zkpredict.prover import prove as rounds
from zkpredict.verifier import independent
from zkpredict.verifier.messages import absorbed
from zkpredict.verifier.transcript import Transcript

CHALLENGES = tuple(name for message in COMPACT_FORM.rounds for name in message.challenges)
MESSAGES = tuple(message.name for message in COMPACT_FORM.rounds[:-1])
FIELDS = ("circuit_digest", "model_id", "claim", "input", "hidden", "context")


@contextmanager
def frozen_everywhere(**known: int) -> Iterator[None]:
    """`frozen`, for the independent verifier too, which draws its challenges by itself."""
    drawn = independent.draw_challenges
    with frozen(**known), replaced(drawn, lambda *arguments: drawn(*arguments) | known):
        yield


def frozen(**known: int) -> AbstractContextManager[None]:
    """The named challenges are these constants, whatever was said; the others are drawn as always."""

    class Frozen(Transcript):
        def challenge(self, name: str, number: int) -> int:
            return known.get(name, super().challenge(name, number))

    return replaced(Transcript, Frozen)


def blind_to(message: str, messages: tuple[str, ...] = MESSAGES) -> AbstractContextManager[None]:
    """The bytes of one round's message are not absorbed (the chain still takes its step). `messages`: those of other circuits."""
    number = messages.index(message)

    class Blind(Transcript):
        rounds = 0

        def absorb(self, said: bytes) -> None:
            super().absorb(b"" if self.rounds == number else said)
            self.rounds += 1

    return replaced(Transcript, Blind)


def blind_to_statement(field: str) -> AbstractContextManager[None]:
    """One of `FIELDS` is not absorbed."""
    assert field in FIELDS

    class Blind(Transcript):
        def __init__(self, circuit_digest: bytes, model_id: bytes, statement: Statement) -> None:
            digest = bytes(32) if field == "circuit_digest" else circuit_digest
            blank = {"claim": {"claim": 0}, "input": {"input": b""}, "hidden": {"hidden": ()}, "context": {"context": b""}}.get(field, {})
            super().__init__(digest, bytes(32) if field == "model_id" else model_id, replace(statement, **blank))

    return replaced(Transcript, Blind)


def speak(prover, *messages: bytes) -> Transcript:
    """The transcript in force, run over a prover's statement and these messages: what a forger can know beforehand."""
    transcript = rounds.Transcript(prover.circuit.digest, prover.model.commitment.model_id, prover.statement)
    for message in messages:
        transcript.absorb(message)
    return transcript


def ahead(prover, message: str, *heard: str) -> dict[str, int]:
    """The challenges behind `message`, which the transcript does not hear, after the rounds `heard`."""
    told = [absorbed(one, prover.points, prover.scalars) for one in prover.form.rounds if one.name in heard]
    (names,) = (one.challenges for one in prover.form.rounds if one.name == message)
    return speak(prover, *told, b"unheard").draw(names)
