"""Registered test sets: numbers that the set's polynomials do not give, sets that change behind the proof, and scores of others.

Each forgery passes when the guard under test is out. docs/batches.md, section 9.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import pytest
from forger import Forger
from guards import replaced, unchecked_parts
from support import MISMATCH, refuses
from wide_forger import place_of, wide_network

from zkpredict.circuits.batch.interleaving import interleaved
from zkpredict.circuits.batch.layout import BatchCircuit
from zkpredict.circuits.batch.registered import INPUT, RegisteredBatch, RegisteredStatement
from zkpredict.circuits.batch.statement import BatchStatement
from zkpredict.circuits.batch.witness import batch_trace
from zkpredict.circuits.columns import FINAL_ROUND, ROOTS, Form
from zkpredict.circuits.constraints import constraints
from zkpredict.circuits.field import MODULUS, inverse
from zkpredict.circuits.keccak import keccak256
from zkpredict.circuits.placement import form
from zkpredict.circuits.wide.lanes import write
from zkpredict.circuits.wide.output import LANE_BASE
from zkpredict.circuits.witness import Trace, complete_trace
from zkpredict.kernel import G1, Vector
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.prover.registered import RegisteredProver, prove_registered, register_set
from zkpredict.prover.setup import monomial_key
from zkpredict.verifier import messages, opening, testset
from zkpredict.verifier.batch import BatchProof
from zkpredict.verifier.errors import FailedOpening, WrongStatement
from zkpredict.verifier.independent_registered import verify_registered as independently
from zkpredict.verifier.opening import Fold, linearise
from zkpredict.verifier.registered import RegisteredScore, registered_statement_for, verify_registered
from zkpredict.verifier.score import right_answers
from zkpredict.verifier.testset import RegisteredSet, check_inputs
from zkpredict.verifier.transcript import Transcript

COUNT, LIED, SIZE, M = 16, 11, 500, 8
NETWORK = wide_network(3, (SIZE, 20, 3))
IMAGES = np.random.default_rng(38).integers(0, 256, (COUNT, SIZE), dtype=np.uint8)
LABELS = NETWORK.infer(IMAGES).digits
LIMIT = 1 << 46
LIE = tuple(int(digit + (number == LIED)) % 3 for number, digit in enumerate(LABELS))
"""The network's answers, but for one input."""


@pytest.fixture(scope="module")
def model() -> Model:
    found = commit_model(NETWORK, domain=512, batch=True)
    assert found.commitment.circuit.slots == M
    return found


@pytest.fixture(scope="module")
def tests() -> RegisteredSet:
    """Labelled with the lie: who proves it has all answers right."""
    return register_set(IMAGES, np.array(LIE))


@pytest.fixture(scope="module")
def honest(model, tests) -> RegisteredScore:
    found = prove_registered(model, IMAGES, tests)
    assert found.right == verify_registered(model.commitment, tests, found) == COUNT - 1
    return found


def false_trace(model: Model) -> Trace:
    """Of `LIE`: every row is as it must be, and the logits of one input are alike but for that of the claimed class. Only the sum of all
    equations does not close."""
    circuit = RegisteredBatch.of(model.commitment.circuit, COUNT)
    cells = {name: values.copy() for name, values in batch_trace(model.compiled, circuit, BatchStatement.of(IMAGES.tobytes(), LIE)).items()}
    stack, slot = divmod(LIED, circuit.slots)
    numbers = [(0, 30, LIMIT), *((*place_of(circuit.output, i), 0 if i == LIE[LIED] else 5) for i in range(3))]
    for track, row, number in numbers:
        for at, lane in enumerate(divmod(number, LANE_BASE)):
            write(cells, circuit.track(stack, track), row + 32 * slot + at, lane)
    return complete_trace(circuit, cells)


@dataclass(eq=False)
class SetForger(Forger, RegisteredProver):
    """States components that make the identity hold at rho; `late`: chooses them again when zeta is known."""

    chosen: Trace | None = None
    late: bool = False

    def trace(self) -> Trace:
        return super().trace() if self.chosen is None else self.chosen

    def gap(self, components: dict[str, int]) -> int:
        """By how much the identity fails at rho."""
        polynomials = self.polynomials()
        stated = {opening.scalar_name((name, k)): polynomials[name].evaluate(self.point_at(k)) for name, k in self.form.stated}
        found = linearise(self.circuit, self.statement, self.challenges, stated | components)
        return (sum(self._combination(terms).evaluate(self.point_at(k)) for k, terms in found.at.items()) + found.constant) % MODULUS

    def components(self) -> dict[str, int]:
        self.true = super().components()
        missing = self.gap(self.true)
        slope = (self.gap(self.true | {"input_0": self.true["input_0"] + 1}) - missing) % MODULUS
        return self.true | {"input_0": (self.true["input_0"] - missing * inverse(slope)) % MODULUS}

    def answer(self, message) -> None:
        if message.name == FINAL_ROUND and self.late:
            self.scalars |= self.chosen_late()
        super().answer(message)

    def chosen_late(self) -> dict[str, int]:
        """The same weighted sum, and at zeta what the set's polynomial leaves there: two equations for two of the numbers."""
        alpha, zeta = self.challenges["alpha"], self.challenges["zeta"]
        weights = [pow(alpha, self.circuit.component_exponent(j), MODULUS) for j in (0, 1)]
        more = weights[0] * (self.scalars["input_0"] - self.true["input_0"])  # which input_0 and input_1 share, a + zeta b = 0
        second = more * inverse(weights[1] - zeta * weights[0]) % MODULUS
        return {"input_0": (self.true["input_0"] - zeta * second) % MODULUS, "input_1": (self.true["input_1"] + second) % MODULUS}


def scored(forger: RegisteredProver, tests: RegisteredSet) -> RegisteredScore:
    """What a prover of one part says."""
    with unchecked_parts():
        proof = BatchProof(forger.model.commitment.model_id, (forger.prove_part(),))
    return RegisteredScore(tests.set_id, right_answers(proof.classes, tests.labels), proof)


def statement(model: Model, tests: RegisteredSet, classes=LIE) -> RegisteredStatement:
    circuit = RegisteredBatch.of(model.commitment.circuit, COUNT)
    return registered_statement_for(circuit, tests.set_id, 0, tuple(map(int, classes)), b"", IMAGES.tobytes())


@contextmanager
def without_the_claim() -> Iterator[None]:
    """Nobody opens the set's polynomial: what is stated of it is said, and no more."""
    claims, fold = Form.claims.func, opening.fold

    def loose(*arguments) -> Fold:
        found = fold(*arguments)
        return Fold({**found.columns, INPUT: 0}, found.opening, found.value)

    left = property(lambda self: tuple(claim for claim in claims(self) if claim.points != (ROOTS,)))
    with pytest.MonkeyPatch.context() as patch, replaced(fold, loose):
        patch.setattr(Form, "claims", left)
        yield


def test_numbers_that_no_polynomial_of_the_set_gives(model, tests, honest):
    """Any class: one number is chosen when rho is known. An honest proof in which two numbers are moved, with the same weighted sum, is
    refused as well."""
    forged = scored(SetForger(model, statement(model, tests), chosen=false_trace(model)), tests)
    with refuses(FailedOpening, MISMATCH):
        verify_registered(model.commitment, tests, forged)
    with refuses(FailedOpening, MISMATCH):
        independently(model.commitment.to_bytes(), tests.to_bytes(), forged.to_bytes())

    class Moving(RegisteredProver):
        def components(self):
            found, alpha = super().components(), self.challenges["alpha"]
            one, two = (pow(alpha, self.circuit.component_exponent(j), MODULUS) for j in (2, 3))
            return found | {"input_2": (found["input_2"] + two) % MODULUS, "input_3": (found["input_3"] - one) % MODULUS}

        open = SetForger.open

    def moved() -> RegisteredScore:
        return scored(Moving(model, statement(model, tests, LABELS)), tests)

    with refuses(FailedOpening, MISMATCH):
        verify_registered(model.commitment, tests, moved())
    with without_the_claim():
        assert verify_registered(model.commitment, tests, scored(SetForger(model, statement(model, tests), chosen=false_trace(model)), tests)) == COUNT
        assert verify_registered(model.commitment, tests, moved()) == COUNT - 1


def test_numbers_that_are_chosen_behind_zeta(model, tests):
    """Were they not hashed: they solve the identity and the opening at zeta."""

    def forged() -> RegisteredScore:
        return scored(SetForger(model, statement(model, tests), chosen=false_trace(model), late=True), tests)

    with refuses(FailedOpening, MISMATCH):
        verify_registered(model.commitment, tests, forged())
    original = messages.absorbed

    def without(message, points, scalars) -> bytes:
        return original(replace(message, scalars=tuple(name for name in message.scalars if not name.startswith("input_"))), points, scalars)

    with replaced(original, without):
        assert verify_registered(model.commitment, tests, forged()) == COUNT


def test_weights_that_are_no_products(model):
    """A circuit in which the inputs of a polynomial had other weights than the proof takes is never made."""
    circuit = model.commitment.circuit
    for name in ("component_exponent", "polynomial_exponent"):
        with pytest.MonkeyPatch.context() as patch, pytest.raises(ValueError, match="the weight of input [0-9]+ is not that of polynomial"):
            patch.setattr(RegisteredBatch, name, lambda self, number: 7)
            RegisteredBatch.of(circuit, COUNT)


# sets


def named(**changes) -> property:
    """A set id with some part left out."""

    def set_id(tests: RegisteredSet) -> bytes:
        parts = {"labels": tests.label_bytes, "points": tests.point_bytes} | changes
        return keccak256(b"a set" + len(tests.labels).to_bytes(4, "big") + parts["labels"] + parts["points"])

    return property(set_id)


@contextmanager
def sets_without(part: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RegisteredSet, "set_id", named(**{part: b""}))
        yield


def other_sets(tests: RegisteredSet) -> dict[str, RegisteredSet]:
    pixel = IMAGES.copy()
    pixel[5, 77] ^= 1
    return {
        "a pixel": register_set(pixel, np.array(LIE)),
        "points swapped": replace(tests, points=tests.points[::-1]),
        "inputs twice": replace(tests, points=tests.points[:1] * 2),
        "labels": replace(tests, labels=tuple(map(int, LABELS))),
        "other inputs, the same labels": register_set(IMAGES[::-1], np.array(LIE)),
    }


def test_sets_that_are_others(model, tests, honest):
    for name, other in other_sets(tests).items():
        with refuses(WrongStatement, f"the score is of test set {tests.set_id.hex()}, these inputs and labels are {other.set_id.hex()}"):
            verify_registered(model.commitment, other, honest)
        with refuses(FailedOpening, MISMATCH):
            verify_registered(model.commitment, other, RegisteredScore(other.set_id, right_answers(honest.proof.classes, other.labels), honest.proof))
        if name != "labels":
            with refuses(WrongStatement, f"the inputs are not those of the registered test set {other.set_id.hex()}"):
                check_inputs(other, IMAGES.tobytes())
    fewer = replace(tests, labels=tests.labels[:-1])
    assert fewer.set_id != tests.set_id
    with refuses(WrongStatement, f"the score is of {COUNT} inputs, the test set has {COUNT - 1}"):
        verify_registered(model.commitment, fewer, RegisteredScore(fewer.set_id, honest.right, honest.proof))
    with refuses(WrongStatement, f"the score says {COUNT} right answers, its classes give {COUNT - 1}"):
        verify_registered(model.commitment, tests, RegisteredScore(tests.set_id, COUNT, honest.proof))


def test_labels_that_are_changed_behind_the_proof(model, tests):
    better = replace(tests, labels=tuple(map(int, LABELS)))
    with sets_without("labels"):
        found = prove_registered(model, IMAGES, replace(tests, opening=opened(tests)))
        assert found.right == COUNT - 1
        assert verify_registered(model.commitment, better, RegisteredScore(better.set_id, COUNT, found.proof)) == COUNT


def opened(tests: RegisteredSet) -> G1:
    """The opening for whatever the set's id is now."""
    u, y = testset.opening_challenges(tests.set_id, IMAGES.tobytes())
    rows = interleaved(IMAGES.tobytes(), SIZE)
    return monomial_key().msm(Vector.combine_rows(rows, Vector.powers(u, len(rows))).divide_by_linear(y)[0])


def test_points_that_are_chosen_behind_alpha(model, tests):
    """Two of them change so that their weighted sum does not: the proof is one of the new set, if no challenge saw its points."""

    def forged() -> tuple[RegisteredSet, RegisteredScore]:
        prover = RegisteredProver(model, statement(model, tests, LABELS))
        score, weights = scored(prover, tests), prover.circuit.point_weights(prover.challenges["alpha"])
        points = (tests.points[0] + G1.generator().mul(weights[1]), tests.points[1] - G1.generator().mul(weights[0]))
        other = replace(tests, points=points)
        return other, RegisteredScore(other.set_id, score.right, score.proof)

    other, score = forged()
    with refuses(FailedOpening, MISMATCH):
        verify_registered(model.commitment, other, score)
    with sets_without("points"):
        other, score = forged()
        assert verify_registered(model.commitment, other, score) == COUNT - 1 and other.points != tests.points


def test_points_of_other_inputs_than_are_shown(tests):
    """With y known, a registrar commits to polynomials that agree with the inputs there, also beyond the coefficients that inputs have."""
    rows = interleaved(IMAGES.tobytes(), SIZE)

    def registered() -> RegisteredSet:
        """Points that are off by X^4095 - y^4095."""
        u, y = testset.opening_challenges(tests.set_id, IMAGES.tobytes())
        high = pow(y, 4095, MODULUS)
        points = (tests.points[0] + monomial_key()[4095] - G1.generator().mul(high), tests.points[1])
        combined = Vector.combine_rows(rows, Vector.powers(u, len(rows))).to_ints() + [0] * (4096 - rows.shape[1])
        combined[0], combined[4095] = combined[0] - high, combined[4095] + 1
        quotient, _ = Vector.from_ints([c % MODULUS for c in combined]).divide_by_linear(y)
        return replace(tests, points=points, opening=monomial_key().msm(quotient))

    wrong = registered()
    with refuses(WrongStatement, f"the inputs are not those of the registered test set {wrong.set_id.hex()}"):
        check_inputs(wrong, IMAGES.tobytes())
    with replaced(testset.opening_challenges, lambda set_id, inputs: (7, 11)):
        check_inputs(registered(), IMAGES.tobytes())


# statements


def test_a_part_that_is_shown_twice(model, tests):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zkpredict.prover.batch.PART_TRACKS", 1)
        found = prove_registered(model, IMAGES, tests)
    assert len(found.proof.parts) == 2 and verify_registered(model.commitment, tests, found) == COUNT - 1

    def counted_twice(score: RegisteredScore) -> int:
        proof = BatchProof(score.proof.model_id, score.proof.parts[:1] * 2)
        return verify_registered(model.commitment, tests, RegisteredScore(tests.set_id, right_answers(proof.classes, tests.labels), proof))

    def absorbed(self) -> bytes:
        return RegisteredStatement(self.input, self.claim, context=self.context, classes=self.classes, set_id=self.set_id).plainly()

    with refuses(FailedOpening, MISMATCH):
        counted_twice(found)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RegisteredSet, "points_of", lambda self, first, count: self.points[: count // M])
        with refuses(FailedOpening, MISMATCH):
            counted_twice(found)
        patch.setattr(RegisteredStatement, "plainly", RegisteredStatement.absorbed, raising=False)
        patch.setattr(RegisteredStatement, "absorbed", absorbed)
        assert counted_twice(found) < COUNT


def test_a_score_of_another_entrant(model, tests, honest):
    ours, theirs = keccak256(b"ours"), keccak256(b"theirs")
    found = prove_registered(model, IMAGES, tests, theirs)
    assert verify_registered(model.commitment, tests, found, theirs) == COUNT - 1
    for context, score in ((ours, found), (b"", found), (ours, honest)):
        with refuses(FailedOpening, MISMATCH):
            verify_registered(model.commitment, tests, score, context)
    original = RegisteredStatement.absorbed
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RegisteredStatement, "absorbed", lambda self: original(replace(self, context=b"")))
        replayed = prove_registered(model, IMAGES, tests, theirs)
        assert verify_registered(model.commitment, tests, replayed, ours) == COUNT - 1


def test_a_batch_of_inputs_is_no_score_on_a_set():
    """Their statements can be the same bytes; their labels are not the same."""
    of_set = RegisteredStatement(b"", 1, classes=(3,), set_id=bytes(range(32)), first=2 << 16 | 9)
    of_inputs = BatchStatement.of(bytes([0, 9, 0, 3, *range(32)]), (2,))
    assert of_set.absorbed() == of_inputs.absorbed()
    states = {Transcript(bytes(32), bytes(32), one).state for one in (of_set, of_inputs)}
    assert len(states) == 2
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RegisteredStatement, "label", BatchStatement.label)
        assert len({Transcript(bytes(32), bytes(32), one).state for one in (of_set, of_inputs)}) == 1


def test_every_part_of_the_statement_moves_every_challenge(model, tests):
    first = statement(model, tests)
    statements = [
        first, replace(first, first=8), replace(first, classes=(*LIE[:-1], (LIE[-1] + 1) % 3)), replace(first, set_id=bytes(32)),
        replace(first, context=bytes(32)), replace(first, classes=LIE[:-1]),
    ]  # fmt: skip
    digest, model_id = model.commitment.circuit.digest, model.commitment.model_id
    found = {Transcript(digest, model_id, one).state for one in statements} | {Transcript(bytes(32), model_id, first).state}
    assert len(found | {Transcript(digest, bytes(32), first).state}) == len(statements) + 2
    assert Transcript(digest, model_id, replace(first, input=b"")).state == Transcript(digest, model_id, first).state


def test_batches_and_scores_have_forms_of_their_own(model):
    circuit = model.commitment.circuit
    plain, own = form(BatchCircuit.of(circuit, COUNT)), form(RegisteredBatch.of(circuit, COUNT))
    assert own.points == plain.points and own.scalars == (*plain.scalars, *(f"input_{j}" for j in range(M)))
    assert list(own.claims[:-1]) == list(plain.claims) and own.claims[-1].points == (ROOTS,)
    assert own.blinders == plain.blinders and constraints(BatchCircuit.of(circuit, COUNT)) == constraints(RegisteredBatch.of(circuit, COUNT))
