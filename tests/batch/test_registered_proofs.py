"""Scores on registered test sets: register, prove, parse, verify; what is refused, and by which words."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from batch_cases import CASES, SLOTTED, Case, batch_network, images_of, model_of
from support import MISMATCH, changed, refuses

from zkpredict.circuits.batch.interleaving import interleaved
from zkpredict.circuits.batch.registered import RegisteredBatch, RegisteredStatement
from zkpredict.circuits.constraints import evaluate_publics, stated_publics
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork, UnusableInput
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.keccak import keccak256
from zkpredict.circuits.networks.activations import RELU
from zkpredict.circuits.placement import form
from zkpredict.kernel import G1, Vector
from zkpredict.prover.commit import commit_model
from zkpredict.prover.registered import RegisteredProver, prove_registered, register_set, registered_each
from zkpredict.prover.setup import monomial_key
from zkpredict.verifier import independent_registered
from zkpredict.verifier.batch import BatchProof
from zkpredict.verifier.errors import FailedOpening, MalformedProof, WrongStatement
from zkpredict.verifier.registered import RegisteredScore, parse_registered, registered_statement_for, verify_registered
from zkpredict.verifier.testset import RegisteredSet, check_inputs, parse_set

LONG = Case((130, 20, 3), RELU, 512, 8, 41)
"""Sixteen inputs a polynomial: two stacks each."""
WIDE = Case((60, 260, 3), RELU, 512, 1, 3)
FEW = Case((500, 20, 3), RELU, 512, 8, 19)
PROVEN = (SLOTTED, LONG, WIDE, FEW, CASES[2], CASES[4])


def labels_of(case: Case) -> np.ndarray:
    """The network's answers, but for the first input."""
    found = model_of(case).network.infer(images_of(case)).digits.copy()
    found[0] = (found[0] + 1) % case.shape[-1]
    return found


@cache
def set_of(case: Case) -> RegisteredSet:
    return register_set(images_of(case), labels_of(case))


@cache
def score_of(case: Case) -> RegisteredScore:
    return prove_registered(model_of(case), images_of(case), set_of(case))


@pytest.mark.parametrize("case", PROVEN, ids=str)
def test_scores_verify_without_the_inputs(case):
    model, tests = model_of(case), set_of(case)
    data = score_of(case).to_bytes()
    found = parse_registered(data, model.commitment)
    assert found.to_bytes() == data and verify_registered(model.commitment, tests, found) == case.images - 1
    assert parse_set(tests.to_bytes()) == tests
    check_inputs(tests, images_of(case).tobytes())


def test_a_set_is_what_the_page_says():
    """Points by one multiplication of the key for each coefficient, the id by the bytes."""
    tests, images = set_of(FEW), images_of(FEW)
    rows, key = interleaved(images.tobytes(), 500), monomial_key()
    assert tests.points == tuple(key.msm(Vector.from_signed(row)) for row in rows) and len(rows) == 3
    sizes = (19).to_bytes(4, "big") + (500).to_bytes(4, "big")
    labels = b"".join(int(label).to_bytes(2, "big") for label in labels_of(FEW))
    points = b"".join(bytes(16) + half for point in tests.points for half in (point.to_uncompressed()[:48], point.to_uncompressed()[48:]))
    assert tests.set_id == keccak256(b"zkpredict registered set v1" + sizes + keccak256(labels) + points)
    assert len(tests.point_bytes) == 3 * 128
    compressed = b"".join(point.to_compressed() for point in (*tests.points, tests.opening))
    assert tests.to_bytes() == b"zkpT\x01" + sizes + labels + compressed
    statement = RegisteredStatement(b"anything", 2, context=bytes(32), classes=(1, 258), set_id=tests.set_id, first=8)
    assert statement.absorbed() == bytes([0, 0, 0, 2, 0, 0, 0, 8, 0, 1, 1, 2]) + tests.set_id + bytes(32)


@pytest.mark.parametrize("case", [LONG, FEW, CASES[2]], ids=str)
def test_what_the_proof_states_gives_what_the_inputs_give(case):
    """The first layer's public polynomials at rho: from the components, and from the inputs."""
    circuit = RegisteredBatch.of(model_of(case).commitment.circuit, case.images)
    statement = registered_statement_for(circuit, bytes(32), 0, (0,) * case.images, b"", images_of(case).tobytes())
    challenges = {"alpha": 123456789**7 % MODULUS, "rho": 987654321**5 % MODULUS}
    prover = RegisteredProver(model_of(case), statement, challenges=challenges)
    stated = prover.components()
    assert len(stated) == circuit.together and list(stated) == list(form(circuit).scalars[-len(stated) :])
    found = stated_publics(circuit, stated, challenges)
    wanted = evaluate_publics(circuit, statement, challenges["alpha"], challenges["rho"])
    assert found and {name: wanted[name] for name in found} == found
    without = evaluate_publics(circuit, replace(statement, input=b""), challenges["alpha"], challenges["rho"])
    assert set(wanted) - set(without) == set(found)


def test_every_part_of_a_score_counts():
    model, tests, score = model_of(FEW), set_of(FEW), score_of(FEW)
    (part,) = score.proof.parts
    for name in part.form.scalars:
        wrong = replace(score.proof, parts=(part.changed(scalars={name: (part.scalars[name] + 1) % MODULUS}),))
        with refuses(FailedOpening, MISMATCH):
            verify_registered(model.commitment, tests, replace(score, proof=wrong))


def test_sets_that_are_none():
    images, labels = images_of(FEW), labels_of(FEW)
    blank = images.copy()
    blank[8:16] = 0
    for some, said, message in (
        (blank, labels, "inputs 8 to 15 are zero all over: a point of a registered test set is never at infinity"),
        (images, labels[:5], "the test set has 5 labels for 19 inputs"),
        (images, labels - 9, f"test set: label 0 is {labels[0] - 9}, expected 0 to 65535"),
        (images[0], labels, "a batch must be a uint8 array, one input a row, got uint8 array of 1 axes"),
        (np.ones((2, 5000), np.uint8), labels[:2], "test set: 2 inputs of 5000 bytes, expected 1 to 1048576 of at most 4096 bytes"),
        (np.ones((1, 1), np.uint8), labels[:1], "the test set is zero all over but for first bytes: it has no opening"),
    ):
        with refuses(UnusableInput, message):
            register_set(some, said)


def test_other_inputs_are_not_those_of_the_set():
    tests, images = set_of(FEW), images_of(FEW)
    for other in (np.roll(images, 1, axis=0), np.where(np.arange(500) == 499, images ^ 1, images)):
        with refuses(WrongStatement, f"the inputs are not those of the registered test set {tests.set_id.hex()}"):
            check_inputs(tests, other.astype(np.uint8).tobytes())
        with refuses(UnusableInput, f"the inputs are not those of the registered test set {tests.set_id.hex()}"):
            prove_registered(model_of(FEW), other.astype(np.uint8), tests)
    with refuses(WrongStatement, "the test set has 19 inputs of 500 bytes, there are 9000 bytes"):
        check_inputs(tests, images[:18].tobytes())


def test_set_files_that_are_none():
    data = set_of(FEW).to_bytes()
    at = 5 + 8 + 2 * 19
    for wrong, message in (
        (b"zkpS" + data[4:], "test set: magic of a registered test set is b'zkpS\\x01', expected b'zkpT\\x01'"),
        (data[:-1], f"test set: opening needs 48 bytes at offset {len(data) - 48}, 47 are left"),
        (data + b"\0", "test set: 1 bytes trail after the end at offset 243"),
        (changed(data, 5, 0x80), "test set: 2147483667 inputs of 500 bytes, expected 1 to 1048576 of at most 4096 bytes"),
        (changed(data, 9, 0x80), "test set: 19 inputs of 2147484148 bytes, expected 1 to 1048576 of at most 4096 bytes"),
        (data[:at] + b"\xc0" + bytes(47) + data[at + 48 :], "test set: point 0 of the set is at infinity"),
    ):
        with pytest.raises(MalformedFile) as caught:
            parse_set(wrong)
        assert str(caught.value).startswith(message)
    with pytest.raises(MalformedFile, match="test set: point 0 of the set: "):
        parse_set(changed(data, at + 47))
    for points in (set_of(FEW).points[:2], (*set_of(FEW).points, G1.generator())):
        with refuses(MalformedFile, f"test set: it has {len(points)} points, 19 inputs of 500 bytes take 3"):
            replace(set_of(FEW), points=points)


def test_scores_of_the_other_kind_are_refused_by_name():
    from zkpredict.prover.batch import prove_score
    from zkpredict.verifier.score import parse_score

    model, data = model_of(FEW), score_of(FEW).to_bytes()
    with refuses(MalformedProof, "score: this one is of a registered test set: `zkpredict verify-score SET SCORE --commitment FILE` checks it"):
        parse_score(data, model.commitment)
    plain = prove_score(model, images_of(FEW), labels_of(FEW)).to_bytes()
    with refuses(
        MalformedProof,
        "score: this one is of inputs that its verifier has: `zkpredict verify-score DATA SCORE --labels FILE --commitment FILE` checks it",
    ):
        parse_registered(plain, model.commitment)


def test_what_has_no_registered_scores(monkeypatch):
    long = commit_model(batch_network((600, 12, 4)), domain=512, batch=True)
    with refuses(UnsupportedNetwork, "registered test sets have inputs of at most 510 bytes, which fit a row, got 600"):
        RegisteredBatch.of(long.commitment.circuit, 1)
    with refuses(UnsupportedNetwork, "compact circuits have no batches: `zkpredict commit --batch --again --model FILE --out FILE` makes a commitment that has them"):
        RegisteredBatch.of(commit_model(batch_network((12, 30, 3)), placement="compact").commitment.circuit, 1)
    circuit = model_of(WIDE).commitment.circuit
    assert (circuit.model_tracks, circuit.slots, registered_each(circuit, 10**6)) == (1, 1, 64)
    monkeypatch.setattr("zkpredict.prover.batch.PART_TRACKS", 3)
    assert registered_each(circuit, 10**6) == 64
    monkeypatch.setattr("zkpredict.circuits.batch.layout.MAX_BATCH_TRACKS", 33)
    assert registered_each(circuit, 33) == 33
    message = "a proof of this model holds 33 inputs, fewer than the 64 that share a point of a registered set: 34 are too many"
    with refuses(UnsupportedNetwork, message):
        registered_each(circuit, 34)


def test_sets_and_scores_of_another_shape():
    model, tests, score = model_of(FEW), set_of(FEW), score_of(FEW)
    with refuses(WrongStatement, "the test set has inputs of 12 bytes, the circuit takes 500"):
        verify_registered(model.commitment, set_of(SLOTTED), score)
    labels = (*tests.labels[:3], 3, *tests.labels[4:])
    with refuses(WrongStatement, "label 3 is 3, the network has 3 classes"):
        verify_registered(model.commitment, replace(tests, labels=labels), score)
    with refuses(WrongStatement, "inputs 4 to 11 of the set are no whole polynomials: each holds 8"):
        tests.points_of(4, 8)
    with refuses(WrongStatement, "inputs 8 to 11 of the set are no whole polynomials: each holds 8"):
        tests.points_of(8, 4)
    assert (tests.points_of(8, 8), tests.points_of(16, 3)) == (tests.points[1:2], tests.points[2:])
    with refuses(UnusableInput, "the context has 5 bytes, expected 32 or none"):
        prove_registered(model, images_of(FEW), tests, b"short")


@pytest.mark.parametrize("case", [LONG, WIDE], ids=str)
def test_the_independent_verifier_agrees(case):
    commitment, tests, data = model_of(case).commitment.to_bytes(), set_of(case), score_of(case).to_bytes()
    alone = RegisteredSet.from_bytes(tests.to_bytes(), independent_registered.decode_point)
    assert independent_registered.set_id(alone) == tests.set_id
    assert independent_registered.verify_registered(commitment, tests.to_bytes(), data) == case.images - 1
    assert independent_registered.places(case.shape[0]) == RegisteredBatch.of(model_of(case).commitment.circuit, 1).together


def test_the_independent_verifier_refuses_in_the_same_words():
    model, tests, score = model_of(FEW), set_of(FEW), score_of(FEW)
    (part,) = score.proof.parts
    swapped, other = replace(tests, points=tests.points[::-1]), replace(tests, labels=(*tests.labels[:-1], (tests.labels[-1] + 1) % 3))
    moved = replace(score.proof, parts=(part.changed(scalars={"input_3": part.scalars["input_3"] ^ 1}),))
    said = replace(score.proof, parts=(replace(part, classes=(9, *part.classes[1:])),))
    for own, found, context, kind in (
        (swapped, score, b"", WrongStatement), (other, score, b"", WrongStatement), (set_of(SLOTTED), score, b"", WrongStatement),
        (replace(tests, labels=(3, *tests.labels[1:])), score, b"", WrongStatement), (tests, score, bytes(31), WrongStatement),
        (tests, replace(score, proof=said), b"", WrongStatement), (tests, replace(score, right=17), b"", WrongStatement),
        (swapped, replace(score, set_id=swapped.set_id, proof=moved), b"", FailedOpening),
    ):  # fmt: skip
        with pytest.raises(kind) as caught:
            verify_registered(model.commitment, own, found, context)
        with refuses(kind, str(caught.value)):
            independent_registered.verify_registered(model.commitment.to_bytes(), own.to_bytes(), found.to_bytes(), context)


def test_large_sets_come_in_parts_of_whole_polynomials(monkeypatch):
    monkeypatch.setattr("zkpredict.prover.batch.PART_TRACKS", 1)
    model, tests, told = model_of(FEW), set_of(FEW), []
    score = prove_registered(model, images_of(FEW), tests, bytes(range(32)), lambda done, total: told.append((done, total)))
    assert [len(part.classes) for part in score.proof.parts] == [8, 8, 3] and told == [(8, 19), (16, 19), (19, 19)]
    data = score.to_bytes()
    assert verify_registered(model.commitment, tests, parse_registered(data, model.commitment), bytes(range(32))) == 18
    assert independent_registered.verify_registered(model.commitment.to_bytes(), tests.to_bytes(), data, bytes(range(32))) == 18
    cut = BatchProof(score.proof.model_id, score.proof.parts[:2])
    with refuses(WrongStatement, "the score is of 16 inputs, the test set has 19"):
        verify_registered(model.commitment, tests, RegisteredScore(tests.set_id, 16, cut), bytes(range(32)))
