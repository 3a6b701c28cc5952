"""Line 6, the audit: a machine-made list of everything absorbed, in order, against everything the verifier uses.

Both lists come from watching the native verifier at work. The first one is printed in docs/security.md; `python
tests/forgery/test_06_transcript_audit.py` prints it anew.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import fields

import pytest
from guards import replaced
from support import random_image, said
from wide_forger import committed, wide_honest, wide_network

from zkpredict.circuits.columns import FINAL_ROUND
from zkpredict.circuits.networks.activations import RELU8
from zkpredict.circuits.placement import form
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.wide.claims import Claim, Kind
from zkpredict.kernel import G1
from zkpredict.verifier import messages, native
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.messages import Proof, encode_scalar
from zkpredict.verifier.transcript import Transcript

BEGIN, END = "<!-- what is absorbed -->", "<!-- end -->"
NOT_ABSORBED = {"final": "the answer to zeta, the last challenge: nothing is drawn after it"}


def leaves(proof: Proof) -> dict[str, bytes]:
    """Every part of a proof, by its round and name, as the bytes that a transcript could absorb."""
    found = {}
    for message in proof.form.rounds:
        for name in message.points:
            path = name if message.name == FINAL_ROUND else f"{message.name}.{name}"
            found[path] = proof.points[name].to_uncompressed()
        found |= {f"{message.name}.{name}": encode_scalar(proof.scalars[name]) for name in message.scalars}
    return found


class Listening(Transcript):
    """Writes down what it is told and what it is asked for, in order."""

    log: list = []

    def __init__(self, circuit_digest, model_id, statement) -> None:
        super().__init__(circuit_digest, model_id, statement)
        said = {"digit": statement.claim} | ({"outputs": statement.outputs} if statement.outputs else {}) | {"image": statement.input}
        self.log.append(("statement", {"circuit digest": circuit_digest, "model id": model_id} | said))

    def absorb(self, message: bytes) -> None:
        super().absorb(message)
        self.log.append(("absorb", message))

    def challenge(self, name: str, number: int) -> int:
        self.log.append(("challenge", name))
        return super().challenge(name, number)


def split(message: bytes, known: dict[str, bytes]) -> list[str]:
    """The names of the fields that a message is made of, in order; every byte must belong to one."""
    names = []
    while message:
        name = next(name for name, raw in known.items() if message.startswith(raw) and name not in names)
        names.append(name)
        message = message[len(known[name]) :]
    return names


@contextmanager
def listening():
    """The native verifier with a transcript that keeps a log."""
    Listening.log = []
    with replaced(Transcript, Listening):
        yield Listening.log


def audit(commitment: ModelCommitment, image: bytes, proof: Proof) -> list[tuple[list[str], list[str]]]:
    """What is absorbed and which challenges follow, step by step."""
    with listening() as log:
        native.verify(commitment, image, proof)
    known, steps = leaves(proof), []
    for kind, content in log:
        if kind == "challenge":
            steps[-1][1].append(content)
        else:
            steps.append((list(content) if kind == "statement" else split(content, known), []))
    return steps


def table(steps) -> str:
    """The audit as a table."""
    lines = ["| step | absorbed, in order | then drawn |", "|---|---|---|"]
    for number, (names, challenges) in enumerate(steps):
        lines.append(f"| {number} | {', '.join(names)} | {', '.join(challenges) or 'nothing'} |")
    return "\n".join(lines)


class Watched:
    """Stands in for a frozen proof or commitment and writes down which fields, and which named parts, are read."""

    def __init__(self, target, log: set[str], parts: dict[tuple[str, str], str] | None = None) -> None:
        self.__dict__.update(_target=target, _log=log, _parts=parts or {})

    def __getattr__(self, name: str):
        value = getattr(self._target, name)
        if name in ("points", "scalars") and self._parts:
            return WatchedParts({part: (value[part], self._parts[name, part]) for part in value}, self._log)
        if name in {field.name for field in fields(self._target)}:
            self._log.add(name)
        return value


class WatchedParts(dict):
    """Points or scalars by name, each with the path that is written down when it is read."""

    def __init__(self, parts: dict[str, tuple], log: set[str]) -> None:
        super().__init__(parts)
        self._log = log

    def __getitem__(self, name: str):
        value, path = super().__getitem__(name)
        self._log.add(path)
        return value


def used(commitment: ModelCommitment, image: bytes, proof: Proof) -> tuple[set[str], set[str]]:
    """The fields of the proof and of the commitment that the native verifier reads, the transcript's own reading aside."""
    drawn = native.derive_challenges(commitment.circuit.digest, Statement(image, proof.digit, proof.outputs), proof)
    of_proof, of_commitment = set(), set()
    parts: dict[tuple[str, str], str] = {}
    for message in proof.form.rounds:
        for kind, names in (("points", message.points), ("scalars", message.scalars)):
            parts |= {(kind, name): name if message.name == FINAL_ROUND else f"{message.name}.{name}" for name in names}
    with replaced(native.derive_challenges, lambda *_: drawn):
        native.verify(Watched(commitment, of_commitment), image, Watched(proof, of_proof, parts))
    return of_proof, of_commitment


@pytest.fixture
def case(small, honest):
    return small.commitment, honest.image, native.parse_proof(honest.proof)


def test_each_message_is_absorbed_before_its_challenges_are_drawn(case):
    assert [challenges for _, challenges in audit(*case)] == [[], ["alpha", "beta"], ["delta"], ["rho"], ["nu"], ["zeta"]]


def test_everything_the_verifier_uses_is_absorbed(case):
    steps = audit(*case)
    absorbed = {name for names, _ in steps for name in names}
    of_proof, of_commitment = used(*case)
    assert of_proof - absorbed - {"model_id", "digit", "outputs", "form"} == set(NOT_ABSORBED)
    assert {"model id", "digit", "image", "circuit digest"} <= absorbed
    # of the commitment it reads two fields: the circuit, bound by its digest, and the rows, bound by the model id
    assert of_commitment == {"circuit", "rows"}


def test_nothing_of_a_proof_goes_unused(case):
    """A field that nobody reads could be changed freely: every proof would have twins."""
    proof = case[2]
    of_proof, _ = used(*case)
    assert of_proof == set(leaves(proof)) | {"model_id", "digit", "outputs", "form"}


def test_the_statement_is_what_was_asked(case):
    commitment, image, proof = case
    with listening() as log:
        native.verify(commitment, image, proof)
    assert log[0] == (
        "statement",
        {"circuit digest": commitment.circuit.digest, "model id": commitment.model_id, "digit": proof.digit, "image": image},
    )


def test_a_step_left_out_shows_in_the_list(case):
    """The guard on the audit itself: a verifier that forgets a message gives another list."""
    commitment, image, proof = case
    honest = messages.absorbed

    def forgetful(message, points, scalars):
        return points["linear"].to_uncompressed() if message.name == "sums" else honest(message, points, scalars)

    with replaced(honest, forgetful), listening() as log:
        native.derive_challenges(commitment.circuit.digest, said(image, proof.digit), proof)
    known = leaves(proof)
    assert [split(content, known) for kind, content in log if kind == "absorb"][1] == ["sums.linear"]


def test_the_list_in_the_documentation_is_current(case, root):
    page = (root / "docs" / "security.md").read_text(encoding="utf-8")
    assert page.partition(BEGIN)[2].partition(END)[0].strip() == table(audit(*case))


@pytest.mark.parametrize("kind, domain", [(Kind.CLASS, 512), (Kind.LOGITS, 512), (Kind.MARGIN, 2048)], ids=str)
def test_wide_circuits_absorb_everything_too(kind, domain):
    """All of the trace before alpha, beta, gamma and theta, both pieces of a long quotient, and outputs with the statement."""
    image = random_image(6, 12)
    model = committed(wide_network(6, (12, 20, 4), RELU8, shift=4), Claim(kind, int(kind is Kind.MARGIN)), domain)
    proof = native.parse_proof(wide_honest(model, image).proof, form(model.commitment.circuit))
    case = model.commitment, image.tobytes(), proof
    steps = audit(*case)
    assert [challenges for _, challenges in steps] == [[], ["alpha", "beta", "gamma", "theta"], ["delta"], ["rho"], ["nu"], ["zeta"]]
    assert steps[0][0] == ["circuit digest", "model id", "digit", *(["outputs"] if kind is Kind.LOGITS else []), "image"]
    of_proof, of_commitment = used(*case)
    absorbed = {name for names, _ in steps for name in names}
    assert of_proof - absorbed - {"model_id", "digit", "outputs", "form"} == set(NOT_ABSORBED)
    assert of_proof == set(leaves(proof)) | {"model_id", "digit", "outputs", "form"} and of_commitment == {"circuit", "rows"}
    trace = ["low0", "mid0", "sign0", "top0", "exact0", "mult"]
    assert sorted(steps[1][0]) == sorted(f"trace.{name}" for name in trace)
    assert len(steps[3][0]) == 1 + (domain == 2048)


if __name__ == "__main__":
    import numpy as np
    from support import random_network

    from zkpredict.prover.commit import commit_model
    from zkpredict.prover.prove import prove

    model, black = commit_model(random_network(1, (12, 6, 3))), np.zeros(12, np.uint8)
    commitment = ModelCommitment.from_bytes(model.commitment.to_bytes(), G1.from_compressed)
    print(table(audit(commitment, black.tobytes(), prove(model, black))))
