"""Scores on a registered test set: the statement has the set's id, and the verifier the set's points in the place of its inputs.

    file = magic "zkpR" 02 | set id 32 | right answers u32, big-endian | a proof of a batch, whose parts are of `circuits.batch.registered`

All parts but the last hold whole polynomials of the set. A context, 32 bytes or none, names for whom or what the proof is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from zkpredict.circuits.batch.registered import RegisteredBatch, RegisteredStatement
from zkpredict.circuits.placement import form
from zkpredict.verifier.batch import check_classes, refuse_other_model
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import WrongStatement
from zkpredict.verifier.messages import REGISTERED_MAGIC
from zkpredict.verifier.score import BEFORE_BATCH, Score
from zkpredict.verifier.testset import RegisteredSet

if TYPE_CHECKING:
    from zkpredict.kernel import G1


@dataclass(frozen=True)
class RegisteredScore(Score):
    """What a network gets right of the registered set `set_id`."""

    magic: ClassVar[bytes] = REGISTERED_MAGIC
    circuit_of = staticmethod(RegisteredBatch.of)


def parse_registered(data: bytes, commitment: ModelCommitment) -> RegisteredScore:
    """The bytes of a score of the committed model on a registered set, with kernel points, all checked. Raises `MalformedProof`, and
    `WrongStatement` for one of another model."""
    from zkpredict.kernel import G1

    refuse_other_model(data[BEFORE_BATCH:], commitment)
    return RegisteredScore.from_bytes(data, G1.from_compressed, commitment.circuit)


def registered_statement_for(
    circuit: RegisteredBatch, set_id: bytes, first: int, classes: tuple[int, ...], context: bytes = b"", inputs: bytes = b""
) -> RegisteredStatement:
    """"The network says `classes[b]` about input `first + b` of the set", if the circuit can say so. `inputs`: what a prover knows of
    them. Raises `WrongStatement` for another number of classes, a class that is none, and a context of another length than 32 bytes."""
    check_classes(circuit, classes, context)
    return RegisteredStatement(inputs, len(classes), context=context, classes=classes, set_id=set_id, first=first)


def verify_registered(commitment: ModelCommitment, tests: RegisteredSet, score: RegisteredScore, context: bytes = b"") -> int:
    """Returns on how many inputs of the set the network under `commitment` says what their labels say, as the score proves, which was
    made for `context` (32 bytes, or none). The inputs are those behind the set's points: `check_inputs` says whether they are given ones.

    Raises `WrongStatement` or `FailedOpening`; `UnsupportedNetwork` for a commitment that has no such batches.
    """
    from zkpredict.verifier.native import check_form, check_opening

    check_registered(commitment, tests, score)
    first = 0
    for part in score.proof.parts:
        circuit = RegisteredBatch.of(commitment.circuit, len(part.classes))
        check_form(part, form(circuit))
        statement = registered_statement_for(circuit, tests.set_id, first, part.classes, context)
        check_opening(commitment, circuit, statement, part, cast("tuple[G1, ...]", tests.points_of(first, circuit.images)))
        first += circuit.images
    return score.right


def check_registered(commitment: ModelCommitment, tests: RegisteredSet, score: RegisteredScore) -> None:
    """What a score says is about this model and this set, and is what its classes give. Raises `WrongStatement`."""
    circuit = commitment.circuit
    if score.proof.model_id != commitment.model_id:
        raise WrongStatement(f"the proof is for model {score.proof.model_id.hex()}, the commitment is of model {commitment.model_id.hex()}")
    if tests.size != circuit.inputs:
        raise WrongStatement(f"the test set has inputs of {tests.size} bytes, the circuit takes {circuit.inputs}")
    wrong = [number for number, label in enumerate(tests.labels) if label >= circuit.classes]
    if wrong:
        raise WrongStatement(f"label {wrong[0]} is {tests.labels[wrong[0]]}, the network has {circuit.classes} classes")
    score.check(tests.set_id, tests.labels)
