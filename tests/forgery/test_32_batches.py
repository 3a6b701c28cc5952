"""Batches: another class for one input, a mask that is none, powers of alpha that meet, and scores with other labels.

Each forgery passes when the guard under test is out. docs/batches.md, section 4.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
from forger import Forger
from guards import replaced, replaced_property, unchecked_parts, without_constraint
from owners import folded, wide_quotients
from support import MISMATCH, refuses
from verdicts import NATIVE, accepted
from wide_forger import place_of, wide_network
from wide_owners import WideOwner, WideRowsForger, blank_rows, by_values, logits_of, wide_follow, wide_owner_claim

from zkpredict.circuits.batch import gadgets as batch_gadgets
from zkpredict.circuits.batch.layout import BatchCircuit
from zkpredict.circuits.batch.statement import BatchStatement
from zkpredict.circuits.batch.witness import batch_trace
from zkpredict.circuits.columns import Column, Origin
from zkpredict.circuits.field import MODULUS, inverse
from zkpredict.circuits.placement import all_constraints, form, placed
from zkpredict.circuits.constraints import constraints
from zkpredict.circuits.degrees import quotient_length
from zkpredict.circuits.solving import Recurrence
from zkpredict.circuits.networks.activations import RELU
from zkpredict.circuits.wide.lanes import write
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.circuits.wide.output import LANE_BASE
from zkpredict.circuits.witness import Trace, complete_trace, filled_columns
from zkpredict.kernel import Vector
from zkpredict.prover.batch import BatchProver, prove_score
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Committed, Model
from zkpredict.prover.setup import monomial_key
from zkpredict.verifier import independent_batch, score
from zkpredict.verifier.batch import BatchProof, verify_batch
from zkpredict.verifier.errors import FailedOpening, WrongStatement
from zkpredict.verifier.transcript import Transcript

COUNT, LIED = 6, 4
NETWORK = wide_network(3, (12, 30, 9, 3))


def ordered_images() -> np.ndarray:
    """Of which one gives logits in order: its last class is the answer, and the forger's is the second."""
    found = np.random.default_rng(32).integers(0, 256, (2000, 12), dtype=np.uint8)
    first, second, third = NETWORK.infer(found).logits.T
    (at, *_) = np.flatnonzero((first + 1 < second) & (second < third))
    return np.concatenate([found[: LIED], found[at : at + 1], found[-1:]])


IMAGES = ordered_images()
WINNER, MASK = "claimed classes differ from themselves by 0", "mask is zero"
LIMIT = 1 << 46


@dataclass(eq=False)
class BatchForger(Forger, BatchProver):
    """A prover of batches without a conscience. `missing`: whether its mask makes up for what the sum lacks."""

    chosen: Trace | None = None
    missing: bool = False

    def trace(self) -> Trace:
        found = BatchProver.trace(self) if self.chosen is None else self.chosen
        return {name: values for name, values in found.items() if name != "mask" or not self.missing}

    def solved(self, name, defined_by, rows):
        if name != "mask":
            return super().solved(name, defined_by, rows)
        n = self.circuit.domain
        rows.columns["mask"] = Vector.zeros(n)
        gap = sum(super().solved("sum", "sum", rows).increment) % MODULUS
        del rows.columns["mask"]
        times = len(self.circuit.rotated)
        return Recurrence(None, Vector.from_ints([gap * inverse(times) % MODULUS] + [0] * (n - 1)))


@pytest.fixture(scope="module")
def model() -> Model:
    """With four slots on each track: a second stack, and two slots to spare."""
    found = commit_model(NETWORK, domain=512, batch=True)
    assert found.commitment.circuit.slots == 4
    return found


def circuit_of(model: Model) -> BatchCircuit:
    return BatchCircuit.of(model.commitment.circuit, COUNT)


def answers(model: Model) -> list[int]:
    return [int(digit) for digit in model.network.infer(IMAGES).digits]


def lied(model: Model) -> tuple[int, ...]:
    """The network's answers, but for one input."""
    return tuple((digit + 2 * (number == LIED)) % 3 for number, digit in enumerate(answers(model)))


def proof_of(forger: BatchForger) -> BatchProof:
    with unchecked_parts():
        return BatchProof(forger.model.commitment.model_id, (forger.prove_part(),))


def forged(model: Model, trace: Trace | None, missing: bool = False) -> BatchProof:
    """A proof of `lied` on this trace."""
    return proof_of(BatchForger(model, BatchStatement.of(IMAGES.tobytes(), lied(model)), chosen=trace, missing=missing))


def with_ends(model: Model, largest: int) -> Trace:
    """The trace of `lied`, where the input that is lied about has differences to the logit `largest`, borrowing from one another where
    they are negative."""
    circuit = circuit_of(model)
    found = batch_trace(model.compiled, circuit, BatchStatement.of(IMAGES.tobytes(), lied(model)))
    cells = {name: values.copy() for name, values in found.items()}
    logits, digit = model.network.infer(IMAGES).logits[LIED].tolist(), lied(model)[LIED]
    stack, slot = divmod(LIED, circuit.slots)
    pack = sum((largest - z - (i < digit)) * LANE_BASE ** (2 * (2 - i)) for i, z in enumerate(logits))
    numbers = [(0, 30, largest + LIMIT)]
    numbers += [(*place_of(circuit.output, i), pack // LANE_BASE ** (2 * (2 - i)) % LANE_BASE**2) for i in range(3)]
    for track, row, number in numbers:
        for at, lane in enumerate(divmod(number, LANE_BASE)):
            write(cells, circuit.track(stack, track), row + 32 * slot + at, lane)
    return complete_trace(circuit, cells)


def test_another_class_for_one_input_of_many(model):
    """Differences that borrow show in their signs; with a larger M none is negative, but the class differs from itself."""
    verify_batch(model.commitment, IMAGES, proof_of(BatchForger(model, BatchStatement.of(IMAGES.tobytes(), tuple(answers(model))))))
    _, second, third = model.network.infer(IMAGES).logits[LIED].tolist()
    signs = [f"differences on track {track} are not negative" for track in range(circuit_of(model).tracks)]
    for trace, guards in ((with_ends(model, second + 1), signs), (with_ends(model, third + 1), [WINNER])):
        with refuses(FailedOpening, MISMATCH):
            verify_batch(model.commitment, IMAGES, forged(model, trace))
        with without_constraint(*guards):
            proof = forged(model, trace)
            verify_batch(model.commitment, IMAGES, proof)
            assert proof.classes == lied(model)


def test_the_independent_verifier_refuses_it_too(model):
    proof = forged(model, with_ends(model, int(model.network.infer(IMAGES).logits[LIED].max()) + 1))
    with refuses(FailedOpening, MISMATCH):
        independent_batch.verify_batch(model.commitment.to_bytes(), [image.tobytes() for image in IMAGES], proof.to_bytes())


def forget() -> None:
    """What was derived from circuits is derived anew."""
    for cached in (placed, form, constraints, quotient_length):
        cached.cache_clear()


def test_a_mask_that_makes_up_for_what_is_missing(model, monkeypatch):
    """One honest lane is changed: the sum lacks what only who knows alpha can say. Sent behind alpha, and not held to be zero, the mask
    gives it. That it is zero, or that it comes before alpha, is enough."""
    circuit, digit = circuit_of(model), lied(model)[LIED]
    cells = {name: values.copy() for name, values in with_ends(model, 0).items()}
    for i in range(3):  # differences of a network whose logits are all alike but that of the claimed class
        track, row = place_of(circuit.output, i)
        for at, lane in enumerate((0, 0 if i == digit else 5)):
            write(cells, circuit.track(LIED // circuit.slots, track), row + at, lane)
    free = complete_trace(circuit, cells)
    with refuses(FailedOpening, MISMATCH):
        verify_batch(model.commitment, IMAGES, forged(model, free))
    monkeypatch.setattr(batch_gadgets.Mask, "columns", lambda self: (Column("mask", Origin.PROOF, 2, mask=True),))
    forget()
    try:
        with refuses(FailedOpening, MISMATCH):
            verify_batch(model.commitment, IMAGES, forged(model, free, missing=True))
        with without_constraint(MASK):
            proof = forged(model, free, missing=True)
            verify_batch(model.commitment, IMAGES, proof)
            assert proof.classes == lied(model)
    finally:
        monkeypatch.undo()
        forget()
    assert any(one.name == MASK for one in all_constraints(circuit_of(model)))


# a hostile owner


REACH = 13
"""Coefficients of one pack's share of a row: what lies behind them belongs to a pack one step further."""


@dataclass(eq=False)
class ReachingOwner(BatchForger):
    """An owner whose only row goes on behind its pack: `extra`, coefficients of its own."""

    extra: Vector | None = None

    def combined_rows(self):
        found = super().combined_rows()
        (exponent,) = self.circuit.row_columns[0].exponents
        found["rows0_0_0"] = found["rows0_0_0"] + self.extra * pow(self.challenges["alpha"], exponent, MODULUS)
        return found


def test_one_input_that_answers_for_another():
    """The row adds (x_0 - 7) times a number to the equation one step behind: with D = 3 B of the next input's pack. Then the first input
    decides the class of the second."""
    model = commit_model(wide_network(2, (12, 3)), domain=512, placement="wide")
    circuit = BatchCircuit.of(model.commitment.circuit, 2)
    assert (circuit.slots, circuit.input_steps, circuit.packs_per_row) == (1, (48,), 39)
    images = IMAGES[:2].copy()
    images[0, 0], images[1, 0] = 8, 7
    honest = model.network.infer(images)
    digit = int((honest.digits[1] + 1) % 3)
    more = int(honest.logits[1].max() - honest.logits[1][digit]) + 1
    moved = -more << circuit.output.value_shift(digit)  # rows of a ranked claim hold logits with a minus
    extra = Vector.from_ints([0] * REACH + [-7 * moved % MODULUS, moved % MODULUS] + [0] * (512 - REACH - 2))
    commitment = replace(model.commitment, rows=(model.commitment.rows[0] + monomial_key().msm(extra),))
    owner = replace(model, committed=Committed(commitment, model.secrets))
    said = (int(honest.digits[0]), digit)
    statement = BatchStatement.of(images.tobytes(), said)
    cells = {name: values.copy() for name, values in batch_trace(model.compiled, circuit, statement).items()}
    logits = [int(z) + (more if i == digit else 0) for i, z in enumerate(honest.logits[1])]
    places = [(0, 30, logits[digit] + LIMIT)]
    places += [(*place_of(circuit.output, i), logits[digit] - z - (i < digit)) for i, z in enumerate(logits)]
    for track, row, number in places:
        for at, lane in enumerate(divmod(number, LANE_BASE)):
            write(cells, circuit.track(1, track), row + at, lane)

    def claim() -> None:
        forger = ReachingOwner(owner, statement, chosen=complete_trace(circuit, cells), extra=extra)
        verify_batch(commitment, images, proof_of(forger))

    with refuses(FailedOpening, MISMATCH):
        claim()
    with replaced_property(BatchCircuit, "stack_exponent", 48):
        claim()


@dataclass(eq=False)
class RowsOwner(BatchForger):
    """An owner who commits to polynomials of any degree below 4096 for rows."""

    owner: WideOwner | None = None

    def combined_rows(self):
        return WideRowsForger.combined_rows(self)

    def on_domain(self, own):
        rows = super().on_domain(own)
        if self.challenges:
            for name, row in self.row_coefficients.items():
                rows.columns[name] = Vector.from_ints(folded(row.to_ints(), self.circuit.domain)).ntt()
        return rows


def test_rows_of_any_degree_give_what_they_give_in_single_proofs(monkeypatch):
    """Rows of degree 4095, whose places behind their packs are filled as far as a single proof allows: a batch of two stacks has the
    classes that single proofs of its inputs have, and no others."""
    wide_quotients(monkeypatch)
    circuit = WideCircuit((12, 21, 3), (1,), (RELU,), 512, slotted=True)
    assert circuit.slots == 8
    source, rows = np.random.default_rng(5), blank_rows(circuit)
    for column in circuit.row_columns:
        if not column.coefficients:
            continue
        for number, row in enumerate(rows[column.name]):
            packed = [sum(int(w) * LANE_BASE ** (9 - lane) << 4 for lane, w in enumerate(source.integers(-20, 21, 10))) for _ in range(13)]
            noise = [int(one) for one in source.integers(1, 1 << 60, 4096 - 512)]
            # what the domain sees is packed; above X^512 lies anything, and as much is taken away below
            seen = packed + row[13:]
            rows[column.name][number] = [(low - high) % MODULUS for low, high in zip(seen, folded(noise, 512))] + noise
    heads = [(row + lane, lane) for _, row in circuit.bands[0].pack_places() for lane in range(10)]
    chosen = {row: -int(source.integers(-20, 21)) * LANE_BASE**8 - int(source.integers(-20, 21)) * LANE_BASE**6 for row, _ in heads}
    rows["rows1_0"] = [by_values(chosen | {31: 1}, 512)]
    owner = WideOwner(circuit, rows)
    images = IMAGES[[0, 1, 2, 3, 4, 5, 0, 1, 2]]
    single = []
    for image in images.tolist():
        logits = logits_of(owner, image)
        digit = logits.index(max(logits))
        single.append((digit, wide_follow(owner, image, digit, logits[digit])))
    spare = wide_follow(owner, [0] * 12, 0, max(logits_of(owner, [0] * 12)))
    batch = BatchCircuit.of(circuit, len(images))

    def claimed(classes):
        sheets = [sheet for _, sheet in single] + [spare] * (batch.places - len(images))
        cells = {name: np.zeros(512, dtype=np.int64) for name in filled_columns(batch)}
        for number, sheet in enumerate(sheets):
            stack, slot = divmod(number, circuit.slots)
            for limb in ("top", "mid", "low"):
                own = np.array(sheet[f"{limb}0"], dtype=np.int64).reshape(-1, 8, 32)[:, 0]
                cells[f"{limb}{stack}"].reshape(-1, 8, 32)[:, slot] = own
        statement = BatchStatement.of(images.tobytes(), classes)
        model = SimpleNamespace(commitment=owner.commitment)
        return proof_of(RowsOwner(model, statement, chosen=complete_trace(batch, cells), owner=owner))

    classes = tuple(digit for digit, _ in single)
    assert len(set(classes)) > 1
    verify_batch(owner.commitment, images, claimed(classes))
    with refuses(FailedOpening, MISMATCH):
        verify_batch(owner.commitment, images, claimed(((classes[0] + 1) % 3, *classes[1:])))
    for digit, sheet in single[:2]:
        assert accepted(wide_owner_claim(owner, images[single.index((digit, sheet))], digit, sheet), NATIVE) == digit


# statements


def test_every_part_of_the_statement_moves_every_challenge(model):
    circuit, said = circuit_of(model), tuple(answers(model))
    data, other = IMAGES.tobytes(), IMAGES.copy()
    other[2, 3] ^= 1
    swapped = IMAGES[[1, 0, *range(2, COUNT)]].tobytes()
    statements = [
        BatchStatement.of(data, said), BatchStatement.of(other.tobytes(), said), BatchStatement.of(swapped, said),
        BatchStatement.of(data, lied(model)), BatchStatement.of(data, said, bytes(32)), BatchStatement.of(data[:-12], said[:-1]),
        BatchStatement.of(data + data[-12:], (*said, said[-1])),
    ]  # fmt: skip
    found = {Transcript(circuit.digest, model.commitment.model_id, one).state for one in statements}
    found |= {Transcript(bytes(32), model.commitment.model_id, statements[0]).state, Transcript(circuit.digest, bytes(32), statements[0]).state}
    assert len(found) == len(statements) + 2


# scores


@pytest.fixture(scope="module")
def graded(model):
    """A score in two parts, with one label wrong."""
    labels = np.array(lied(model))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zkpredict.prover.batch.PART_TRACKS", 1)
        found = prove_score(model, IMAGES, labels)
    assert len(found.proof.parts) == 2 and found.right == COUNT - 1
    return labels, found


def test_labels_that_are_swapped_after_the_proof(model, graded):
    """The set id is in every part's context; without that a score is one of any labels."""
    labels, found = graded
    assert score.verify_score(model.commitment, IMAGES, labels, found) == COUNT - 1
    better = np.array(answers(model))
    tests = score.TestSet.of(IMAGES, better, model.commitment.circuit)
    with refuses(WrongStatement, f"the score is of test set {found.set_id.hex()}, these inputs and labels are {tests.set_id.hex()}"):
        score.verify_score(model.commitment, IMAGES, better, found)
    lie = score.Score(tests.set_id, COUNT, found.proof)
    with refuses(FailedOpening, MISMATCH):
        score.verify_score(model.commitment, IMAGES, better, lie)
    with refuses(WrongStatement, "the score says 6 right answers, its classes give 5"):
        score.verify_score(model.commitment, IMAGES, labels, score.Score(found.set_id, COUNT, found.proof))
    context, original = found.set_id, score.part_context
    with replaced(original, lambda set_id, number, parts: original(context, number, parts)):
        assert score.verify_score(model.commitment, IMAGES, better, lie) == COUNT


def test_parts_that_are_swapped_or_come_alone(model, graded):
    """Also where the inputs follow them: a part is one of so many, with its number."""
    labels, found = graded
    half = np.array([0, 1, 2, 3])
    images, own = IMAGES[half], labels[half]
    set_id = score.TestSet.of(images, own, model.commitment.circuit).set_id
    alone = BatchProof(found.proof.model_id, found.proof.parts[:1])
    right = sum(int(one == label) for one, label in zip(alone.classes, own))
    with refuses(FailedOpening, MISMATCH):
        score.verify_score(model.commitment, images, own, score.Score(set_id, right, alone))
    assert score.part_context(set_id, 0, 1) != score.part_context(set_id, 0, 2) != score.part_context(set_id, 1, 2)


def test_the_independent_verifier_grades_alike(model, graded):
    labels, found = graded
    data, rows = found.to_bytes(), [image.tobytes() for image in IMAGES]
    assert score.parse_score(data, model.commitment).to_bytes() == data
    assert independent_batch.verify_score(model.commitment.to_bytes(), rows, labels.tolist(), data) == COUNT - 1
    with pytest.raises(WrongStatement, match="the score is of test set"):
        independent_batch.verify_score(model.commitment.to_bytes(), rows, answers(model), data)
