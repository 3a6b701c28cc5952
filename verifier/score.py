"""Scores: on how many inputs of a test set a committed network is right, by a batch whose parts have the set in their contexts.

    set id    = keccak("zkpredict test set v1" | inputs u32 | bytes of an input u32 | labels u16 each | all inputs)
    context   = keccak("zkpredict score v1" | set id | parts u32 | number of the part u32)                             for each part
    file      = magic "zkpR" 01 | set id 32 | right answers u32 | a proof of a batch                                   all big-endian
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import index
from typing import TYPE_CHECKING, ClassVar, Self

from zkpredict.circuits.batch.layout import BatchCircuit
from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.keccak import keccak256
from zkpredict.circuits.placement import AnyCircuit
from zkpredict.verifier.batch import BatchProof, batch_bytes, refuse_other_model, verify_parts
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import MalformedProof, WrongStatement
from zkpredict.verifier.messages import REGISTERED_MAGIC, SCORE_MAGIC, Point

if TYPE_CHECKING:
    import numpy as np

SET_LABEL, SCORE_LABEL = b"zkpredict test set v1", b"zkpredict score v1"
SET_ID_BYTES, COUNT_BYTES, LABEL_BYTES = 32, 4, 2
_CHECKED_BY = {
    SCORE_MAGIC: "of inputs that its verifier has: `zkpredict verify-score DATA SCORE --labels FILE --commitment FILE` checks it",
    REGISTERED_MAGIC: "of a registered test set: `zkpredict verify-score SET SCORE --commitment FILE` checks it",
}


@dataclass(frozen=True)
class TestSet:
    """Inputs of `size` bytes, one behind another, and what each of them is, of so many `classes`. Raises `WrongStatement` when they do not go together."""

    __test__ = False  # no test of pytest's

    inputs: bytes
    labels: tuple[int, ...]
    size: int
    classes: int

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "labels", tuple(map(index, self.labels)))
        except TypeError:
            raise WrongStatement("labels are whole numbers, one for each input") from None
        if not self.labels or len(self.inputs) != len(self.labels) * self.size:
            raise WrongStatement(f"a test set of {len(self.labels)} labels has {len(self.inputs)} bytes, expected {self.size} each")
        wrong = [number for number, label in enumerate(self.labels) if not 0 <= label < self.classes]
        if wrong:
            raise WrongStatement(f"label {wrong[0]} is {self.labels[wrong[0]]}, the network has {self.classes} classes")

    @classmethod
    def of(cls, images: np.ndarray, labels: np.ndarray, circuit: AnyCircuit) -> TestSet:
        """Of `images` (uint8 [count, ...]) and `labels` (integers [count]) for a circuit. Raises `WrongStatement`."""
        return cls(batch_bytes(images, circuit.inputs, circuit.picture), tuple(labels), circuit.inputs, circuit.classes)

    @property
    def set_id(self) -> bytes:
        """32 bytes that name the set."""
        labels = b"".join(label.to_bytes(LABEL_BYTES, "big") for label in self.labels)
        sizes = len(self.labels).to_bytes(COUNT_BYTES, "big") + self.size.to_bytes(COUNT_BYTES, "big")
        return keccak256(SET_LABEL + sizes + labels + self.inputs)

    def context(self, number: int, parts: int) -> bytes:
        """That of one part of a proof about the set."""
        return part_context(self.set_id, number, parts)

    def right(self, classes: tuple[int, ...]) -> int:
        """How many of the answers are the labels."""
        return right_answers(classes, self.labels)


def right_answers(classes: tuple[int, ...], labels: tuple[int, ...]) -> int:
    """How many of the answers are the labels."""
    return sum(one == label for one, label in zip(classes, labels, strict=True))


def part_context(set_id: bytes, number: int, parts: int) -> bytes:
    """What part `number` of `parts` of a score is made for."""
    return keccak256(SCORE_LABEL + set_id + parts.to_bytes(COUNT_BYTES, "big") + number.to_bytes(COUNT_BYTES, "big"))


@dataclass(frozen=True)
class Score:
    """What a network gets right of the test set `set_id`: `right` of the inputs that `proof` is about."""

    magic: ClassVar[bytes] = SCORE_MAGIC
    circuit_of = staticmethod(BatchCircuit.of)

    set_id: bytes
    right: int
    proof: BatchProof

    def __post_init__(self) -> None:
        if len(self.set_id) != SET_ID_BYTES or not 0 <= self.right <= len(self.proof.classes):
            raise MalformedProof(f"score: {self.right} right answers of {len(self.proof.classes)}, and a set id of {len(self.set_id)} bytes")

    def to_bytes(self) -> bytes:
        """The canonical file."""
        return self.magic + self.set_id + self.right.to_bytes(COUNT_BYTES, "big") + self.proof.to_bytes()

    @classmethod
    def from_bytes(cls, data: bytes, decode_point: Callable[[bytes], Point], circuit: AnyCircuit) -> Self:
        """Parses exactly `to_bytes` output; `circuit`: of the model. Raises `MalformedProof`."""
        reader = ByteReader(data, "score")
        try:
            set_id, right = read_score_head(reader, cls.magic)
            proof = BatchProof.read(reader, decode_point, circuit, cls.circuit_of)
            reader.finish()
        except MalformedFile as error:
            raise MalformedProof(str(error)) from None
        return cls(set_id, right, proof)


    def check(self, set_id: bytes, labels: tuple[int, ...]) -> None:
        """That it says of a set and its labels what its classes give. Raises `WrongStatement`."""
        if self.set_id != set_id:
            raise WrongStatement(f"the score is of test set {self.set_id.hex()}, these inputs and labels are {set_id.hex()}")
        if len(self.proof.classes) != len(labels):
            raise WrongStatement(f"the score is of {len(self.proof.classes)} inputs, the test set has {len(labels)}")
        right = right_answers(self.proof.classes, labels)
        if self.right != right:
            raise WrongStatement(f"the score says {self.right} right answers, its classes give {right}")


def read_score_head(reader: ByteReader, magic: bytes) -> tuple[bytes, int]:
    """What a file that starts with `magic` says before the proof: the set id, and the right answers. Raises `MalformedFile`."""
    other = reader.data[: len(magic)]
    if other != magic and other in _CHECKED_BY:
        raise MalformedFile(f"{reader.what}: this one is {_CHECKED_BY[other]}")
    reader.expect(magic, "magic of a score")
    return reader.take(SET_ID_BYTES, "set id"), int.from_bytes(reader.take(COUNT_BYTES, "right answers"), "big")


BEFORE_BATCH = len(SCORE_MAGIC) + SET_ID_BYTES + COUNT_BYTES
"""Where the proof of the batch begins in the file of a score."""


def parse_score(data: bytes, commitment: ModelCommitment) -> Score:
    """The bytes of a score of the committed model, with kernel points, all checked. Raises `MalformedProof`, and `WrongStatement` for
    one of another model."""
    from zkpredict.kernel import G1

    refuse_other_model(data[BEFORE_BATCH:], commitment)
    return Score.from_bytes(data, G1.from_compressed, commitment.circuit)


def verify_score(commitment: ModelCommitment, images: np.ndarray, labels: np.ndarray, score: Score) -> int:
    """Returns on how many of `images` (uint8 [count, ...]) the network under `commitment` says what `labels` (integers [count]) say, as
    the score proves.

    Raises `WrongStatement` or `FailedOpening`; `UnsupportedNetwork` for a commitment that has no batches.
    """
    tests = TestSet.of(images, labels, commitment.circuit)
    score.check(tests.set_id, tests.labels)
    parts = len(score.proof.parts)
    verify_parts(commitment, tests.inputs, score.proof, [tests.context(number, parts) for number in range(parts)])
    return score.right
