"""Killers of mutants of what registered test sets and scores on them are checked with: stored sets and scores of three kinds, and every
refusal, on plain numbers."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest
from support import MISMATCH, refuses

from zkpredict.circuits.batch.interleaving import interleaved, polynomials, together
from zkpredict.circuits.batch.layout import BatchCircuit
from zkpredict.circuits.batch.registered import RegisteredBatch, RegisteredStatement
from zkpredict.circuits.constraints import evaluate_publics, stated_publics
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.placement import form
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.kernel import G1
from zkpredict.verifier.batch import MAX_INPUTS, BatchProof
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import FailedOpening, MalformedProof, WrongStatement
from zkpredict.verifier.registered import RegisteredScore, parse_registered, registered_statement_for, verify_registered
from zkpredict.verifier.testset import MAX_SET_BYTES, RegisteredSet, check_inputs, check_sizes, opening_challenges, parse_set

STORED = json.loads((Path(__file__).parent / "registered_vectors.json").read_text())
CONTEXTS = {"stacks in a polynomial": bytes(range(32))}
ALPHA, RHO = 3**140 % MODULUS, 5**90 % MODULUS
every_case = pytest.mark.parametrize("name", STORED)


@dataclass(frozen=True)
class Case:
    """A stored score, and what it is about."""

    commitment: ModelCommitment
    tests: RegisteredSet
    inputs: bytes
    score: RegisteredScore
    context: bytes

    @property
    def circuit(self) -> RegisteredBatch:
        """For all inputs in one part."""
        return RegisteredBatch.of(self.commitment.circuit, len(self.tests.labels))

    def verify(self, context: bytes | None = None, **changed: object) -> int:
        """With another context, set or score."""
        own = replace(self, **changed)
        return verify_registered(own.commitment, own.tests, own.score, self.context if context is None else context)

    def said(self, number: int, **changed: object) -> RegisteredScore:
        """The score with one of its parts changed."""
        parts = list(self.score.proof.parts)
        parts[number] = replace(parts[number], **changed)
        return replace(self.score, proof=replace(self.score.proof, parts=tuple(parts)))


@cache
def case_of(name: str) -> Case:
    stored = {key: bytes.fromhex(value) for key, value in STORED[name].items() if isinstance(value, str)}
    commitment = ModelCommitment.from_bytes(stored["commitment"], G1.from_compressed)
    tests = parse_set(stored["set"])
    inputs = hashlib.shake_256(name.encode()).digest(tests.size * len(tests.labels))
    return Case(commitment, tests, inputs, parse_registered(stored["score"], commitment), CONTEXTS.get(name, b""))


@every_case
def test_stored_sets_are_what_they_were(name):
    case, stored = case_of(name), STORED[name]
    count, size = len(case.tests.labels), case.tests.size
    assert (case.tests.to_bytes().hex(), case.tests.set_id.hex()) == (stored["set"], stored["set_id"])
    check_inputs(case.tests, case.inputs)
    m, rows = len(stored["places"]), interleaved(case.inputs, size)
    assert together(size) == m and len(rows) == polynomials(count, size) == len(stored["polynomials"])
    for number, row in enumerate(rows):
        for place in range(m):
            at = (m * number + place) * size
            assert row[place::m].tobytes() == case.inputs[at : at + size].ljust(size, b"\0")
    u, y = opening_challenges(case.tests.set_id, case.inputs)
    state = opening_state(case.tests.set_id, case.inputs)
    assert (u, y) == (int.from_bytes(state, "big") % MODULUS, int.from_bytes(opening_state(state, b"\1", label=b""), "big") % MODULUS)


def opening_state(*parts: bytes, label: bytes = b"zkpredict registered inputs v1") -> bytes:
    from eth_utils import keccak  # another hash function than the package's

    return keccak(label + b"".join(parts))


def test_inputs_lie_where_the_page_says():
    assert [together(size) for size in (1, 64, 65, 784, 1365, 2048, 2049, 4096, 4097)] == [64, 64, 32, 4, 2, 2, 1, 1, 0]
    assert [polynomials(count, 784) for count in (1, 4, 5, 8)] == [1, 1, 2, 2]
    assert interleaved(bytes(range(1, 4)) + bytes(2045) + b"\7" + bytes(2047), 2048)[0, :5].tolist() == [1, 7, 2, 0, 3]


def components_of(case: Case) -> list[int]:
    """What a proof states of the inputs at these challenges, by the definition."""
    rows, weights, m = interleaved(case.inputs, case.tests.size), case.circuit.point_weights(ALPHA), case.circuit.together
    whole = [sum(weight * int(one) for weight, one in zip(weights, column, strict=True)) for column in rows.T]
    return [sum(c * pow(RHO, -k, MODULUS) for k, c in enumerate(whole[place::m])) % MODULUS for place in range(m)]


@every_case
def test_circuits_are_what_they_were(name):
    """Powers of alpha, and public polynomials from what is stated of the inputs: those that the inputs give."""
    case, stored = case_of(name), STORED[name]
    circuit = case.circuit
    numbers, places = range(circuit.polynomials), range(circuit.together)
    assert [circuit.polynomial_exponent(number) for number in numbers] == stored["polynomials"]
    assert [circuit.component_exponent(place) for place in places] == stored["places"]
    assert circuit.point_weights(5) == [pow(5, exponent, MODULUS) for exponent in stored["polynomials"]]
    assert circuit.model == case.commitment.circuit and circuit.digest == case.commitment.circuit.digest
    stated = {f"input_{place}": value for place, value in enumerate(components_of(case))}
    challenges = {"alpha": ALPHA, "rho": RHO}
    found = stated_publics(circuit, stated, challenges)
    statement = registered_statement_for(circuit, case.tests.set_id, 0, case.score.proof.classes, b"", case.inputs)
    known = evaluate_publics(circuit, statement, ALPHA, RHO)
    assert found and {key: known[key] for key in found} == found
    assert set(known) - set(evaluate_publics(circuit, replace(statement, input=b""), ALPHA, RHO)) == set(found)
    assert form(circuit).scalars == (*form(BatchCircuit.of(circuit.model, circuit.images)).scalars, *stated)


def test_sizes_that_no_set_has():
    for count, size in ((1, 1), (1 << 20, 4096)):
        check_sizes("a set", count, size)
    for count, size in ((0, 1), (-1, 1), ((1 << 20) + 1, 1), (1, 0), (1, 4097), (1, 9000)):
        with refuses(MalformedFile, f"a set: {count} inputs of {size} bytes, expected 1 to 1048576 of at most 4096 bytes"):
            check_sizes("a set", count, size)
    for changed, said in (({"size": 0}, "19 inputs of 0 bytes"), ({"labels": ()}, "0 inputs of 500 bytes")):
        with refuses(MalformedFile, f"test set: {said}, expected 1 to 1048576 of at most 4096 bytes"):
            replace(case_of("polynomials in a stack").tests, **changed)
    assert MAX_SET_BYTES == 1 << 26 > 5 + 8 + (2 + 48) * MAX_INPUTS + 48


def test_sets_that_do_not_fit():
    tests = case_of("polynomials in a stack").tests
    for points in (tests.points[:-1], (*tests.points, tests.opening)):
        with refuses(MalformedFile, f"test set: it has {len(points)} points, 19 inputs of 500 bytes take 3"):
            replace(tests, points=points)
    for number, label in ((0, 1 << 16), (18, -1)):
        with refuses(MalformedFile, f"test set: label {number} is {label}, expected 0 to 65535"):
            replace(tests, labels=(*tests.labels[:number], label, *tests.labels[number + 1 :]))
    highest = replace(tests, labels=[0xFFFF, *tests.labels[1:]], points=list(tests.points))
    assert (highest.labels[0], highest.points, parse_set(highest.to_bytes())) == (0xFFFF, tests.points, highest)
    assert [tests.points_of(*own) for own in ((0, 8), (8, 8), (8, 11), (16, 3), (0, 19))] == [
        tests.points[:1], tests.points[1:2], tests.points[1:], tests.points[2:], tests.points
    ]  # fmt: skip
    for first, count in ((4, 4), (1, 18), (0, 18), (8, 1), (0, 4)):
        with refuses(WrongStatement, f"inputs {first} to {first + count - 1} of the set are no whole polynomials: each holds 8"):
            tests.points_of(first, count)


def test_files_of_sets_that_are_none():
    data = case_of("polynomials in a stack").tests.to_bytes()
    at, infinity = 5 + 8 + 2 * 19, b"\xc0" + bytes(47)
    sizes = b"zkpT\1\0\0\0"
    for wrong, message in (
        (b"zkpT\2" + data[5:], "a set: magic of a registered test set is b'zkpT\\x02', expected b'zkpT\\x01'"),
        (data[:7], "a set: number of inputs needs 4 bytes at offset 5, 2 are left"),
        (data[:10], "a set: bytes of an input needs 4 bytes at offset 9, 1 are left"),
        (sizes + b"\0" + data[9:], "a set: 0 inputs of 500 bytes, expected 1 to 1048576 of at most 4096 bytes"),
        (data[: at - 1], "a set: labels needs 38 bytes at offset 13, 37 are left"),
        (data[: at + 49], f"a set: point 1 needs 48 bytes at offset {at + 48}, 1 are left"),
        (data[:-1], f"a set: opening needs 48 bytes at offset {at + 144}, 47 are left"),
        (data + b"\0", f"a set: 1 bytes trail after the end at offset {at + 192}"),
        (data[: at + 96] + infinity + data[at + 144 :], "a set: point 2 of the set is at infinity"),
        (data[: at + 144] + infinity, "a set: point of the opening is at infinity"),
    ):
        with refuses(MalformedFile, message):
            parse_set(wrong, "a set")
    with pytest.raises(MalformedFile, match="^a set: point 0 of the set: "):
        parse_set(data[:at] + b"\x9f" + b"\xff" * 47 + data[at + 48 :], "a set")
    with pytest.raises(MalformedFile, match="^test set: magic of a registered test set is "):
        parse_set(b"zkpR\1" + data[5:])


def refusals(case: Case) -> list[tuple[dict[str, object], type[Exception], str]]:
    """What is changed, and the words that both verifiers refuse it by."""
    tests, score = case.tests, case.score
    other = case_of("one input a stack").tests
    fewer = replace(tests, labels=tests.labels[:-1])
    cut = replace(score, right=16, proof=BatchProof(score.proof.model_id, score.proof.parts[:1]))
    alien = BatchProof(bytes(32), tuple(replace(part, model_id=bytes(32)) for part in score.proof.parts))
    classes, last = score.proof.classes, score.proof.parts[-1]
    short = tuple(replace(last, digit=len(own), classes=own) for own in (classes[at : at + 3] for at in range(0, 19, 3)))
    names = f"the proof is for model {bytes(32).hex()}, the commitment is of model {case.commitment.model_id.hex()}"
    of_set = f"the score is of test set {bytes(32).hex()}, these inputs and labels are {tests.set_id.hex()}"
    return [
        ({"score": replace(score, proof=alien)}, WrongStatement, names),
        ({"tests": other}, WrongStatement, "the test set has inputs of 60 bytes, the circuit takes 130"),
        ({"tests": replace(tests, labels=(*tests.labels[:4], 3, *tests.labels[5:]))}, WrongStatement, "label 4 is 3, the network has 3 classes"),
        ({"score": replace(score, set_id=bytes(32))}, WrongStatement, of_set),
        ({"tests": fewer, "score": replace(score, set_id=fewer.set_id)}, WrongStatement, "the score is of 19 inputs, the test set has 18"),
        ({"score": cut}, WrongStatement, "the score is of 16 inputs, the test set has 19"),
        ({"score": replace(score, right=19)}, WrongStatement, "the score says 19 right answers, its classes give 18"),
        ({"score": replace(score, right=17)}, WrongStatement, "the score says 17 right answers, its classes give 18"),
        ({"score": replace(score, proof=BatchProof(last.model_id, short))}, WrongStatement, "inputs 0 to 2 of the set are no whole polynomials: each holds 16"),
        ({"context": bytes(31)}, WrongStatement, "the context has 31 bytes, expected 32 or none"),
        ({"context": bytes(33)}, WrongStatement, "the context has 33 bytes, expected 32 or none"),
        ({"context": bytes(1)}, WrongStatement, "the context has 1 bytes, expected 32 or none"),
    ]


def test_scores_that_do_not_fit():
    case = case_of("stacks in a polynomial")
    for changed, kind, message in refusals(case):
        with refuses(kind, message):
            case.verify(**changed)
    other = case_of("one input a stack")
    with refuses(WrongStatement, f"the proof is for model {other.commitment.model_id.hex()}, the commitment is of model {case.commitment.model_id.hex()}"):
        parse_registered(other.score.to_bytes(), case.commitment)
    first, _ = case.score.proof.parts
    with refuses(WrongStatement, "input 5 is said to be of class 3, which is not one of the 3 classes"):
        wrong = case.said(0, classes=(*first.classes[:5], 3, *first.classes[6:]))
        case.verify(score=replace(wrong, right=17))
    (alien,) = other.score.proof.parts
    alien = replace(alien, model_id=first.model_id, digit=19, classes=case.score.proof.classes)
    with refuses(WrongStatement, "the proof has 17 points and 74 scalars of another kind of circuit, this one's proofs have 26 and 40"):
        case.verify(score=replace(case.score, proof=BatchProof(first.model_id, (alien,))))
    named = replace(case.score.proof, model_id=bytes(32), parts=tuple(replace(part, model_id=bytes(32)) for part in case.score.proof.parts))
    with refuses(WrongStatement, f"the proof is for model {bytes(32).hex()}, the commitment is of model {case.commitment.model_id.hex()}"):
        parse_registered(replace(case.score, proof=named).to_bytes(), case.commitment)
    with refuses(MalformedProof, "score: 1 bytes trail after the end at offset 3834"):
        parse_registered(case.score.to_bytes() + b"\0", case.commitment)


def test_statements_say_all_of_it():
    circuit = case_of("polynomials in a stack").circuit
    statement = registered_statement_for(circuit, bytes(range(32)), 258, (1, 2, 3) + (0,) * 16, bytes(32), b"anything")
    assert (statement.input, statement.claim, statement.label) == (b"anything", 19, b"zkpredict registered batch v1")
    assert statement.absorbed() == bytes([0, 0, 0, 19, 0, 0, 1, 2, 0, 1, 0, 2, 0, 3, *[0] * 32, *range(32), *[0] * 32])
    assert RegisteredStatement(b"", 0).first == 0 and registered_statement_for(circuit, b"", 0, (0,) * 19).input == b""
    with refuses(WrongStatement, "18 classes, a batch of 19 inputs takes 19"):
        registered_statement_for(circuit, b"", 0, (0,) * 18)


def test_circuits_that_have_no_such_scores(monkeypatch):
    assert RegisteredBatch.of(WideCircuit((510, 4), (), (), 512), 1).together == 8
    with refuses(UnsupportedNetwork, "registered test sets have inputs of at most 510 bytes, which fit a row, got 511"):
        RegisteredBatch.of(WideCircuit((511, 4), (), (), 512), 1)
    stored = json.loads((Path(__file__).parent / "batch_vectors.json").read_text())["convolutions"]["commitment"]
    conv = ModelCommitment.from_bytes(bytes.fromhex(stored), G1.from_compressed).circuit
    words = "registered test sets are for dense networks, and the model has convolutions: `zkpredict score` without --registered proves its score"
    with refuses(UnsupportedNetwork, words):
        RegisteredBatch.of(conv, 1)
    with refuses(UnsupportedNetwork, "a proof of this model holds 1 to 4096 inputs, got 0"):
        replace(case_of("polynomials in a stack").circuit, images=0)
    monkeypatch.setattr(RegisteredBatch, "image_exponent", lambda self, image: image * image * (image >= 16))
    with pytest.raises(ValueError, match="^the weight of input 17 is not that of polynomial 2 times that of its place 1$"):
        case_of("polynomials in a stack").circuit  # noqa: B018


@every_case
def test_stored_scores_hold(name):
    case = case_of(name)
    assert case.verify() == case.score.right == len(case.tests.labels) - 1
    assert case.score.to_bytes().hex() == STORED[name]["score"]
    for context in {b"", bytes(32)} - {case.context}:
        with refuses(FailedOpening, MISMATCH):
            case.verify(context)


@every_case
def test_points_that_are_not_those_of_the_inputs(name):
    """Each point of the set counts, at its weight, and each byte of the inputs."""
    case = case_of(name)
    for number, point in enumerate(case.tests.points):
        points = (*case.tests.points[:number], point + G1.generator(), *case.tests.points[number + 1 :])
        other = replace(case.tests, points=points)
        with refuses(WrongStatement, f"the inputs are not those of the registered test set {other.set_id.hex()}"):
            check_inputs(other, case.inputs)
        with refuses(FailedOpening, MISMATCH):
            case.verify(tests=other, score=replace(case.score, set_id=other.set_id))
    changed = case.inputs[:-1] + bytes([case.inputs[-1] ^ 1])
    for own, inputs in ((case.tests, changed), (replace(case.tests, opening=case.tests.opening + G1.generator()), case.inputs)):
        with refuses(WrongStatement, f"the inputs are not those of the registered test set {case.tests.set_id.hex()}"):
            check_inputs(own, inputs)
    with refuses(WrongStatement, f"the test set has {len(case.tests.labels)} inputs of {case.tests.size} bytes, there are {len(changed) + 1} bytes"):
        check_inputs(case.tests, changed + b"\0")


def test_every_changed_class_scalar_and_point_is_refused():
    case = case_of("polynomials in a stack")
    (part,) = case.score.proof.parts
    said = (*part.classes[:-1], case.tests.labels[-1])
    with refuses(FailedOpening, MISMATCH):
        case.verify(score=replace(case.said(0, classes=said), right=19))
    for scalar in part.scalars:
        with refuses(FailedOpening, MISMATCH):
            case.verify(score=case.said(0, scalars={**part.scalars, scalar: (part.scalars[scalar] + 1) % MODULUS}))
    for point in part.points:
        with refuses(FailedOpening, MISMATCH):
            case.verify(score=case.said(0, points={**part.points, point: part.points[point] + G1.generator()}))
