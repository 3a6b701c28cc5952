"""Every proof is blinded afresh by the operating system, and by nothing else."""

from __future__ import annotations

import os

import numpy as np
import pytest
from support import random_image, refuses

from zkpredict.circuits.errors import UnusableInput
from zkpredict.kernel import Vector
from zkpredict.prover import polynomial
from zkpredict.prover.commit import commit_model
from zkpredict.prover.prove import prove
from zkpredict.circuits.placement import COMPACT_FORM

COLUMNS, BLINDERS, WIDE_BYTES = len(COMPACT_FORM.proof_columns) - 1, COMPACT_FORM.blinders, 64


class Tape:
    """An `os.urandom` that writes down what it gives, or gives again what was written down."""

    def __init__(self, recorded: list[bytes] | None = None) -> None:
        self.source = iter(recorded) if recorded is not None else None
        self.given: list[bytes] = []
        self.original = os.urandom

    def __call__(self, count: int) -> bytes:
        data = self.original(count) if self.source is None else next(self.source)
        assert len(data) == count
        self.given.append(data)
        return data


def test_a_constant_blinding_is_seen_by_the_same_count(model, image, monkeypatch):
    """The twin: two proofs of one statement with one blinding share all their points."""
    monkeypatch.setattr(polynomial, "random_scalars", lambda count: Vector.powers(5, count))
    first, second = prove(model, image), prove(model, image)
    assert len({point.to_compressed() for proof in (first, second) for point in proof.points.values()}) == 8


def test_each_proof_draws_fresh_bytes(model, image, monkeypatch):
    tape = Tape()
    monkeypatch.setattr(os, "urandom", tape)
    for _ in range(3):
        before = len(tape.given)
        prove(model, image)
        assert [len(data) for data in tape.given[before:]] == [WIDE_BYTES * BLINDERS] * COLUMNS
    chunks = [data[start : start + 16] for data in tape.given for start in range(0, len(data), 16)]
    assert len(set(chunks)) == len(chunks)


def test_nothing_else_is_random(model, image, monkeypatch):
    """The same bytes from the operating system give the same proof, so there is no other source; other bytes give another."""
    tape = Tape()
    monkeypatch.setattr(os, "urandom", tape)
    first = prove(model, image).to_bytes()
    monkeypatch.setattr(os, "urandom", Tape(tape.given))
    np.random.seed(1)
    assert prove(model, image).to_bytes() == first
    changed = [bytes(len(tape.given[0])), *tape.given[1:]]
    monkeypatch.setattr(os, "urandom", Tape(changed))
    assert prove(model, image).to_bytes() != first


def test_two_statements_draw_apart(model, monkeypatch):
    tape = Tape()
    monkeypatch.setattr(os, "urandom", tape)
    for seed in (1, 2):
        prove(model, random_image(seed, 30))
    assert len(set(tape.given)) == 2 * COLUMNS


def test_commitments_draw_one_secret_a_row_and_nothing_else(model, monkeypatch):
    tape = Tape()
    monkeypatch.setattr(os, "urandom", tape)
    first = commit_model(model.network)
    assert [len(data) for data in tape.given] == [WIDE_BYTES * len(first.commitment.rows)]
    again = commit_model(model.network)
    assert not set(first.commitment.rows) & set(again.commitment.rows) and not set(first.secrets) & set(again.secrets)
    monkeypatch.setattr(os, "urandom", Tape(tape.given[:1]))
    assert commit_model(model.network).commitment == first.commitment


@pytest.mark.parametrize("error", [NotImplementedError("no source"), OSError(5, "Input/output error")])
def test_no_entropy_no_proof(model, image, monkeypatch, error):
    def exhausted(count: int) -> bytes:
        raise error

    monkeypatch.setattr(os, "urandom", exhausted)
    for action in (lambda: prove(model, image), lambda: commit_model(model.network)):
        with refuses(UnusableInput, "the operating system gives no random bytes, and nothing can be hidden without them"):
            action()
