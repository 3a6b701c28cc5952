"""Killers of mutants of what batches are checked with: stored batches of three kinds, and every refusal, on plain numbers."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from support import MISMATCH, refuses

from zkpredict.circuits.batch.gadgets import combined_inputs, image_weights
from zkpredict.circuits.batch.layout import BatchCircuit, ConvBatch, DenseBatch
from zkpredict.circuits.batch.statement import BatchStatement
from zkpredict.circuits.constraints import constraints, evaluate_publics
from zkpredict.circuits.degrees import quotient_length
from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.layout import Circuit
from zkpredict.circuits.networks.activations import RELU, RationalRelu
from zkpredict.circuits.networks.grid import Grid
from zkpredict.circuits.placement import form
from zkpredict.circuits.wide.claims import Claim, Kind
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.circuits.wide.replicas import ReplicaCircuit
from zkpredict.kernel import G1
from zkpredict.verifier import independent_batch
from zkpredict.verifier.batch import BatchPart, BatchProof, batch_bytes, batch_statement_for, parse_batch, part_sizes, verify_batch, verify_parts
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import FailedOpening, MalformedProof, WrongStatement
from zkpredict.verifier.score import Score, TestSet, parse_score, part_context, verify_score

STORED = json.loads((Path(__file__).parent / "batch_vectors.json").read_text())
CONTEXT = bytes(range(32))
# the numbers of make_wide_vectors.py
ALPHA, POINT = 3**140, 5**90
every_case = pytest.mark.parametrize("name", STORED)


@dataclass(frozen=True)
class Case:
    """A stored batch."""

    commitment: ModelCommitment
    images: np.ndarray
    proof: BatchProof
    classes: tuple[int, ...]
    labels: np.ndarray
    score: Score

    @property
    def circuit(self) -> BatchCircuit:
        return BatchCircuit.of(self.commitment.circuit, len(self.classes))

    @property
    def statement(self) -> BatchStatement:
        return BatchStatement.of(self.images.tobytes(), self.classes, CONTEXT)


@cache
def case_of(name: str) -> Case:
    stored = STORED[name]
    commitment = ModelCommitment.from_bytes(bytes.fromhex(stored["commitment"]), G1.from_compressed)
    images = np.frombuffer(bytes.fromhex(stored["images"]), np.uint8).reshape(len(stored["classes"]), -1)
    proof = parse_batch(bytes.fromhex(stored["proof"]), commitment)
    return Case(commitment, images, proof, tuple(stored["classes"]), np.array(stored["labels"]), parse_score(bytes.fromhex(stored["score"]), commitment))


@every_case
def test_stored_batches_hold(name):
    case = case_of(name)
    verify_batch(case.commitment, case.images, case.proof, CONTEXT)
    assert case.proof.classes == case.classes and case.proof.to_bytes().hex() == STORED[name]["proof"]
    assert verify_score(case.commitment, case.images, case.labels, case.score) == len(case.classes) - 1
    assert case.score.to_bytes().hex() == STORED[name]["score"]
    for context in (b"", bytes(32)):
        with refuses(FailedOpening, MISMATCH):
            verify_batch(case.commitment, case.images, case.proof, context)


@every_case
def test_circuits_are_what_they_were(name):
    """Powers of alpha, names of constraints, the statement's bytes, and every public polynomial at a point, those of later challenges too."""
    case, stored = case_of(name), STORED[name]
    circuit = case.circuit
    assert [circuit.image_exponent(number) for number in range(len(case.classes))] == stored["exponents"]
    assert [one.name for one in constraints(circuit)] == stored["constraints"]
    assert case.statement.absorbed().hex() == stored["absorbed"] and case.statement.size == circuit.inputs
    challenges = {"alpha": ALPHA % (1 << 250), "eta": (ALPHA + 1) % (1 << 250)}
    found = evaluate_publics(circuit, case.statement, challenges["alpha"], POINT % (1 << 240), challenges)
    assert {key: hex(value) for key, value in found.items()} == stored["publics"]
    rows = [image.tobytes() for image in case.images]
    theirs = independent_batch.batch_values(circuit, rows, case.classes, challenges["alpha"], POINT % (1 << 240), challenges["eta"])
    assert {key: hex(value) for key, value in theirs.items()} == {key: stored["publics"][key] for key in theirs}
    assert set(stored["publics"]) - set(theirs) <= {"track_step"}
    assert form(circuit).points == tuple(case.proof.parts[0].points) and quotient_length(circuit) <= 4096 + 3072
    assert circuit.model == case.commitment.circuit and circuit.digest == case.commitment.circuit.digest
    assert circuit.places == circuit.stacks * circuit.slots and circuit.tracks == circuit.stacks * circuit.model_tracks
    weights = image_weights(circuit, 5)
    assert weights == [pow(5, exponent, MODULUS) for exponent in stored["exponents"]]
    assert circuit.stack_sum(5) * circuit.slot_sum(5) % MODULUS == sum(
        pow(5, circuit.stack_exponent * stack + circuit.slot_exponent(slot), MODULUS) for stack in range(circuit.stacks) for slot in range(circuit.slots)
    ) % MODULUS
    combined = [sum(w * int(x) for w, x in zip(weights, column)) % MODULUS for column in case.images.T]
    assert combined_inputs(circuit, case.statement, 5) == combined


def test_places_and_limits():
    circuit = WideCircuit((9, 13, 3), (1,), (RELU,), 512, slotted=True)
    batch = BatchCircuit.of(circuit, 11)
    assert (batch.slots, batch.stacks, batch.places, batch.tracks, batch.most_images) == (8, 2, 16, 2, 2048)
    assert [batch.track(stack, 0) for stack in (0, 1)] == [0, 1] and list(batch.rotated) == list(range(1, 8))
    assert batch.stack_exponent == 48 + 50 * 48 and [batch.slot_exponent(slot) for slot in (0, 7)] == [21, 0]
    assert BatchCircuit.of(circuit, 2048).tracks == 256
    for count in (0, 2049):
        with refuses(UnsupportedNetwork, f"a proof of this model holds 1 to 2048 inputs, got {count}"):
            BatchCircuit.of(circuit, count)
    wide = BatchCircuit.of(WideCircuit((3, 700, 3), (1,), (RELU,), 512), 3)
    assert (wide.model_tracks, wide.most_images, wide.track(2, 1), list(wide.rotated)) == (2, 128, 5, [])
    assert list(part_sizes(7, 3)) == [3, 3, 1] and list(part_sizes(3, 3)) == [3]


def test_a_batch_is_a_circuit_like_its_models():
    """What is refused of circuits is refused of batches, and one input is the least."""
    with refuses(UnsupportedNetwork, "domain must be one of (512, 1024, 2048), got 513"):
        DenseBatch((9, 13, 3), (1,), (RELU,), 513)
    assert DenseBatch((9, 13, 3), (1,), (RELU,), 512).images == 1
    grids = (Grid(3, 3, 1, 2, 2), None)
    assert ConvBatch((9, 8, 3), (1,), (RELU,), 512, grids=grids).images == 1


def test_circuits_that_have_no_batches():
    wide, advice = WideCircuit((9, 13, 3), (1,), (RELU,), 512), "`zkpredict commit --batch --again --model FILE --out FILE` makes a commitment that has them"
    for circuit, message in (
        (replace(wide, private_input=True), "batches have public inputs only, and the model was committed for hidden ones"),
        (replace(wide, claim=Claim(Kind.MARGIN, 2)), f"batches claim the class only, and the model was committed to claim {Claim(Kind.MARGIN, 2)}"),
        (
            ReplicaCircuit((9, 25, 44, 12), (1, 1), (RELU, RELU), 512, joined=2),
            "circuits with replicas, which are for single proofs on a chain, have no batches",
        ),
        (Circuit((9, 13, 3), (1, 2), 1024), "compact circuits have no batches"),
    ):
        with refuses(UnsupportedNetwork, f"{message}: {advice}"):
            BatchCircuit.of(circuit, 2)


def test_a_rational_gate_is_one_in_a_batch():
    circuit = WideCircuit((9, 13, 3), (1,), (RationalRelu(4096),), 512)
    for images in (1, 5):
        names = [type(one).__name__ for one in BatchCircuit.of(circuit, images).gadgets()]
        assert names == ["Lanes", "RationalGate", "Keys", "BatchFold", "BatchDense", "BatchDense", "BatchOutput", "BatchTotal"]


def test_statements_and_parts_that_do_not_fit():
    case = case_of("slots")
    (part,) = case.proof.parts
    data = case.images.tobytes()
    takes = "a batch of 10 takes 10 inputs of 9 bytes"
    for inputs, classes in ((data[:-1], case.classes), (data, case.classes[:-1])):
        with refuses(WrongStatement, f"{len(inputs)} bytes and {len(classes)} classes, {takes}"):
            batch_statement_for(case.circuit, inputs, classes)
    for number, digit in ((9, 3), (0, -1)):
        said = [*case.classes[:number], digit, *case.classes[number + 1 :]]
        with refuses(WrongStatement, f"input {number} is said to be of class {digit}, which is not one of the 3 classes"):
            batch_statement_for(case.circuit, data, tuple(said))
    assert batch_statement_for(case.circuit, data, case.classes, CONTEXT) == case.statement
    for images, message in (
        (case.images[:0], "the batch is 0 inputs of 0 bytes, the circuit takes 9"), (case.images[:, :8], "the batch is 10 inputs of 8 bytes, the circuit takes 9"),
        (case.images[0], "a batch must be a uint8 array, one input a row, got uint8 array of 1 axes"), ([1], "a batch must be a uint8 array, one input a row, got list"),
    ):
        with refuses(WrongStatement, message):
            batch_bytes(images, 9)
    assert batch_bytes(case.images.reshape(10, 3, 3), 9) == data
    said = "proof: a part of 10 inputs has 9 classes of 2 bytes"
    with refuses(MalformedProof, said):
        replace(part, classes=case.classes[:-1])
    for digit in (-1, 1 << 16):
        with refuses(MalformedProof, "proof: a part of 10 inputs has 10 classes of 2 bytes"):
            replace(part, classes=(*case.classes[:-1], digit))
    with refuses(MalformedProof, "proof: its parts are for several models"):
        BatchProof(bytes(32), (part,))
    narrow = BatchPart(part.model_id, 9, part.points, part.scalars, part.form, classes=case.classes[:9])
    with refuses(MalformedProof, "proof: it has parts of 9, 10 inputs, expected equal ones and a last one"):
        BatchProof(part.model_id, (narrow, part))
    with refuses(WrongStatement, "the proof is about 19 inputs, there are 10"):
        verify_parts(case.commitment, data, BatchProof(part.model_id, (part, narrow)), [b"", b""])
    with refuses(FailedOpening, MISMATCH):
        verify_parts(case.commitment, data + data[:81], BatchProof(part.model_id, (part, narrow)), [CONTEXT, CONTEXT])
    two = case_of("tracks").proof.parts[0]
    alien = BatchPart(part.model_id, 2, two.points, two.scalars, two.form, classes=(0, 0))
    with pytest.raises(WrongStatement, match="of another kind of circuit"):
        verify_batch(case.commitment, case.images[:2], BatchProof(part.model_id, (alien,)))
    other = replace(case.proof, model_id=bytes(32), parts=(replace(part, model_id=bytes(32)),))
    with refuses(WrongStatement, f"the proof is for model {bytes(32).hex()}, the commitment is of model {case.commitment.model_id.hex()}"):
        verify_batch(case.commitment, case.images, other)


def test_scores_that_do_not_fit():
    case = case_of("slots")
    data, labels = case.images.tobytes(), case.labels
    tests = TestSet.of(case.images, labels, case.commitment.circuit)
    assert tests.right(case.classes) == 9 and tests.set_id == case.score.set_id
    for number, label in ((0, 3), (9, -1)):
        wrong = labels.copy()
        wrong[number] = label
        with refuses(WrongStatement, f"label {number} is {label}, the network has 3 classes"):
            TestSet.of(case.images, wrong, case.commitment.circuit)
    for inputs, said in ((data[:-1], labels), (b"", ())):
        with refuses(WrongStatement, f"a test set of {len(said)} labels has {len(inputs)} bytes, expected 9 each"):
            TestSet(inputs, tuple(said), 9, 3)
    for said in ([1.0] * 10, ["1"] * 10, [labels] * 10):
        with refuses(WrongStatement, "labels are whole numbers, one for each input"):
            TestSet(data, tuple(said), 9, 3)
    for right, set_id in ((11, tests.set_id), (-1, tests.set_id), (9, b"")):
        with refuses(MalformedProof, f"score: {right} right answers of 10, and a set id of {len(set_id)} bytes"):
            Score(set_id, right, case.proof)
    with refuses(WrongStatement, "the score says 8 right answers, its classes give 9"):
        Score(tests.set_id, 8, case.proof).check(tests.set_id, tests.labels)
    fewer = TestSet(data[:81], tuple(labels[:9]), 9, 3)
    with refuses(WrongStatement, "the score is of 10 inputs, the test set has 9"):
        Score(fewer.set_id, 9, case.proof).check(fewer.set_id, fewer.labels)
    contexts = {part_context(set_id, *numbers) for set_id in (bytes(32), tests.set_id) for numbers in ((0, 1), (0, 2), (1, 2), (0, 256))}
    assert len(contexts) == 8


def test_the_independent_verifier_opens_at_no_point_of_the_domain(monkeypatch):
    case = case_of("slots")
    files = case.commitment.to_bytes(), [image.tobytes() for image in case.images], case.proof.to_bytes()
    for rho in (0, 1):
        monkeypatch.setattr(independent_batch, "chain", lambda state, part: {"alpha": ALPHA, "rho": rho})
        with refuses(FailedOpening, "the challenge point rho is zero or fell into the domain"):
            independent_batch.verify_batch(*files, CONTEXT)


@every_case
def test_every_changed_class_scalar_and_point_is_refused(name):
    case = case_of(name)
    (part,) = case.proof.parts
    for number in range(len(case.classes)):
        said = list(case.classes)
        said[number] = (said[number] + 1) % case.circuit.classes
        with refuses(FailedOpening, MISMATCH):
            verify_batch(case.commitment, case.images, BatchProof(part.model_id, (replace(part, classes=tuple(said)),)), CONTEXT)
    for scalar in part.scalars:
        changed = part.changed(scalars={scalar: (part.scalars[scalar] + 1) % MODULUS})
        with refuses(FailedOpening, MISMATCH):
            verify_batch(case.commitment, case.images, BatchProof(part.model_id, (changed,)), CONTEXT)
    for point in part.points:
        changed = part.changed(points={point: part.points[point] + G1.generator()})
        with refuses(FailedOpening, MISMATCH):
            verify_batch(case.commitment, case.images, BatchProof(part.model_id, (changed,)), CONTEXT)
