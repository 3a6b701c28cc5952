"""Contracts for scores on registered sets: what holds is accepted, what is changed is refused by name, each scalar is the native verifier's."""

from __future__ import annotations

import numpy as np
import pytest
from score_cases import CASES, FIRST, Scored, images_of, refused, scored
from wide_cases import EVALUATION, MSM

from zkpredict.circuits.batch.registered import RegisteredBatch
from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.field import MODULUS
from zkpredict.contracts.artifact import load
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import MAX_CODE_BYTES, Contract, Reverted
from zkpredict.contracts.systems.samples import Part
from zkpredict.contracts.verifier.client import deploy_verifier
from zkpredict.contracts.verifier.encoding import FinalCheck
from zkpredict.contracts.verifier.generate import SCORE_INTERFACE, SHIPPED, artifact, shipped
from zkpredict.contracts.verifier.identity import compare_score_code, compare_sets_code
from zkpredict.contracts.verifier.publics import UnsupportedShape
from zkpredict.contracts.verifier.score_client import (
    deploy_score_verifier, score_verifier_at, send_score_verification, test_sets_at as sets_at, verify_score_on_chain,
)  # fmt: skip
from zkpredict.contracts.verifier.wide.scores import score_source
from zkpredict.kernel import G1
from zkpredict.prover.batch import prove_batch
from zkpredict.prover.registered import prove_registered, register_set
from zkpredict.verifier.batch import BatchPart
from zkpredict.verifier.messages import derive_challenges
from zkpredict.verifier.native import column_terms
from zkpredict.verifier.opening import fold, linearise
from zkpredict.verifier.registered import registered_statement_for, verify_registered

FAILED = ("OpeningFailed", ())


@pytest.fixture(params=CASES)
def case(request) -> Scored:
    return scored(request.param)


def test_true_scores_are_accepted(case):
    commitment, chain, address = case.model.commitment, case.contract.chain, case.contract.address
    count = len(case.tests.labels)
    assert verify_registered(commitment, case.tests, case.score) == case.score.right == count - 2
    assert case.contract.call("verifyScore", *case.arguments()) is True
    assert case.contract.call("verifyScore", *case.arguments(at_least=0)) is True
    assert verify_score_on_chain(chain, address, commitment, case.score).accepted
    assert send_score_verification(chain, address, commitment, case.score).gas_used > 0
    assert len(chain.code(address)) < MAX_CODE_BYTES


def test_fewer_right_answers_than_asked_for_are_refused(case):
    right = case.score.right
    assert case.refusal(*case.arguments(at_least=right + 1)) == ("TooFewRight", (right,))
    assert case.contract.call("verifyScore", *case.arguments(at_least=right + 1)) is False
    assert case.refusal(*case.arguments(at_least=(1 << 256) - 1)) == ("TooFewRight", (right,))
    found = verify_score_on_chain(case.contract.chain, case.contract.address, case.model.commitment, case.score, right + 1)
    assert (found.accepted, found.reason, found.arguments) == (False, "TooFewRight", (right,))


def test_every_scalar_is_the_native_fold(case):
    """The input of the multi-scalar multiplication and of the last opening, against the Python verifier's own numbers."""
    commitment, part = case.model.commitment, case.part
    circuit = RegisteredBatch.of(commitment.circuit, case.case.count)
    statement = registered_statement_for(circuit, case.tests.set_id, 0, part.classes)
    challenges = derive_challenges(circuit.digest, statement, part)
    claim = fold(circuit, linearise(circuit, statement, challenges, part.scalars), part.scalars, challenges)
    wanted = [*column_terms(commitment, part, claim, challenges, case.tests.points, circuit), (part.points["opening"], claim.opening)]
    if case.case.check is FinalCheck.PAIRING:
        wanted += [(part.points["final"], challenges["zeta"]), (G1.generator(), -claim.value)]
    case.seen.clear()
    case.contract.call("verifyScoreOrRevert", *case.arguments())
    asked = dict(case.seen)
    terms = [asked[MSM][start : start + 160] for start in range(0, len(asked[MSM]), 160)]
    found = [(term[16:64] + term[80:128], int.from_bytes(term[128:], "big") % MODULUS) for term in terms]
    assert sorted(found) == sorted((point.to_uncompressed(), scalar % MODULUS) for point, scalar in wanted)
    if case.case.check is FinalCheck.POINT_EVALUATION:
        assert asked[EVALUATION][32:96] == challenges["zeta"].to_bytes(32, "big") + claim.value.to_bytes(32, "big")


def test_another_statement_is_refused(case):
    classes, count = list(case.part.classes), case.model.commitment.circuit.classes
    for number in (0, len(classes) - 1):
        other = (classes[number] + 1) % count
        changed = [*classes[:number], other, *classes[number + 1 :]]
        assert case.refusal(*case.arguments(classes=_encoded(changed), at_least=0)) == FAILED
        beyond = [*classes[:number], count, *classes[number + 1 :]]
        assert case.refusal(*case.arguments(classes=_encoded(beyond))) == ("WrongClass", (number,))
    assert case.refusal(*case.arguments(model_id=case.other.model_id)) == FAILED
    assert case.refusal(*case.arguments(model_id=bytes(32))) == ("UnknownModel", (bytes(32),))


def test_a_proof_is_for_its_own_set():
    """Other inputs under the same labels, and other labels of the same inputs: of a set nothing can be exchanged, seen or not."""
    case = scored(FIRST)
    labels = np.array(case.tests.labels)
    pixel = case.images.copy()
    pixel[-1, -1] ^= 1
    swapped = case.images[[1, 0, *range(2, len(case.images))]]
    for images in (pixel, swapped, images_of(case.case, 6)):
        assert case.refusal(*case.arguments(set_id=case.registered(images, labels).set_id)) == FAILED
    said = case.registered(case.images, np.array(case.part.classes))
    assert case.refusal(*case.arguments(set_id=said.set_id, at_least=len(labels))) == FAILED
    told = case.registered(case.images, (np.array(case.part.classes) + 1) % 3)
    assert case.refusal(*case.arguments(set_id=told.set_id)) == ("TooFewRight", (0,))


def test_sets_of_another_size_and_unknown_ones_are_refused(case):
    size, count = case.case.shape[0], case.case.count
    labels = np.array(case.tests.labels)
    assert case.refusal(*case.arguments(set_id=b"\x09" * 32)) == ("UnknownSet", (b"\x09" * 32,))
    fewer = case.registered(case.images[:-1], labels[:-1])
    assert case.refusal(*case.arguments(set_id=fewer.set_id)) == ("WrongSetCount", (count - 1,))
    shorter = case.registered(np.ascontiguousarray(case.images[:, :-1]), labels)
    assert case.refusal(*case.arguments(set_id=shorter.set_id)) == ("WrongSetInputs", (size - 1,))


def test_every_changed_part_of_a_proof_is_refused():
    case = scored(FIRST)
    own = [name for name in case.part.points if not name.endswith(("1", "2", "1_0", "2_0"))]  # those of the first track, and of none
    for point in own:
        assert case.refusal(*case.arguments(_changed(case.part, {point}))) == FAILED, point
    stated = [name for name in case.part.scalars if name.startswith("input")]
    for scalar in (*stated[:3], stated[-1], "sign0", "lookup_table", "linearised_next", "linearised_previous32"):
        assert case.refusal(*case.arguments(_changed(case.part, {scalar}))) == FAILED, scalar


def test_what_is_stated_of_inputs_cannot_move_between_them():
    """Numbers exchanged, and changed so that their sum with alpha^B(j), of which rows are made, stays what it was."""
    case = scored(FIRST)
    circuit, part = RegisteredBatch.of(case.model.commitment.circuit, case.case.count), case.part
    statement = registered_statement_for(circuit, case.tests.set_id, 0, part.classes)
    alpha = derive_challenges(circuit.digest, statement, part)["alpha"]
    first, second = part.scalars["input_0"], part.scalars["input_1"]
    step = pow(alpha, circuit.component_exponent(0) - circuit.component_exponent(1), MODULUS)
    for values in ((second, first), ((first + 1) % MODULUS, (second - step) % MODULUS)):
        moved = part.scalars | dict(zip(("input_0", "input_1"), values, strict=True))
        forged = BatchPart(part.model_id, part.digit, part.points, moved, part.form, classes=part.classes)
        assert case.refusal(*case.arguments(forged)) == FAILED


def test_a_proof_of_a_plain_batch_is_no_score():
    case = scored(FIRST)
    plain = prove_batch(case.model, case.images).parts[0]
    assert plain.classes == case.part.classes
    assert case.refusal(*case.arguments(plain))[0] == "WrongProofLength"
    stated = {name: value for name, value in case.part.scalars.items() if name.startswith("input")}
    dressed = BatchPart(plain.model_id, plain.digit, plain.points, plain.scalars | stated, case.part.form, classes=plain.classes)
    assert case.refusal(*case.arguments(dressed)) == FAILED


def test_arguments_of_another_form_are_refused(case):
    model_id, set_id, right, classes, encoded = case.arguments()
    assert case.refusal(model_id, set_id, right, classes[:-2], encoded) == ("WrongClassesLength", (len(classes) - 2,))
    assert case.refusal(model_id, set_id, right, classes, encoded[:-1]) == ("WrongProofLength", (len(encoded) - 1,))
    assert case.refusal(model_id, set_id, right, classes, bytes(96) + encoded[96:]) == ("PointAtInfinity", (0,))
    start = 96 * (len(case.part.points) - 1)
    for number in (0, len(case.part.scalars) - 1):
        at = start + 32 * number
        large = int.from_bytes(encoded[at : at + 32], "big") + MODULUS
        text = encoded[:at] + large.to_bytes(32, "big") + encoded[at + 32 :]
        assert case.refusal(model_id, set_id, right, classes, text) == ("ScalarNotCanonical", (number,))
    data = case.contract.artifact.encode("verifyScoreOrRevert", *case.arguments())
    padding = 4 + 6 * 32 + len(classes)
    padded = data[:padding] + b"\1" + data[padding + 1 :]
    for wrong, error in ((data + bytes(32), "WrongCalldataLength"), (padded, "WrongCalldataLayout")):
        with pytest.raises(Reverted) as refusal:
            case.contract.chain.call(case.contract.address, wrong)
        assert refusal.value.named(case.contract.artifact).name == error


def test_a_score_for_somebody_is_for_nobody_else():
    case, context = scored(FIRST), b"\x07" * 32
    commitment, chain, address = case.model.commitment, case.contract.chain, case.contract.address
    score = prove_registered(case.model, case.images, case.tests, context=context)
    own = case.arguments(score.proof.parts[0])
    assert case.contract.call("verifyScoreFor", *own, context) is True
    assert verify_score_on_chain(chain, address, commitment, score, context=context).accepted
    assert refused(case.contract, "verifyScoreForOrRevert", *case.arguments(score.proof.parts[0], at_least=19), context) == ("TooFewRight", (18,))
    for given in (b"\x08" * 32, bytes(32)):
        assert case.contract.call("verifyScoreFor", *own, given) is False
        assert verify_score_on_chain(chain, address, commitment, score, context=given).reason == "OpeningFailed"
    assert case.refusal(*own) == FAILED
    assert case.contract.call("verifyScoreFor", *case.arguments(), context) is False


def test_a_verifier_reads_a_registry_and_its_code_is_known():
    case = scored(FIRST)
    chain, circuit = case.contract.chain, RegisteredBatch.of(case.model.commitment.circuit, case.case.count)
    compiled = artifact(circuit)
    with pytest.raises(Reverted) as refusal:
        Contract.deploy(chain, compiled, "0x" + "11" * 20)
    assert refusal.value.named(compiled).name == "NoTestSets"
    compare_score_code(chain, case.contract.address, circuit)
    compare_sets_code(chain, case.sets.address)
    single = deploy_verifier(chain, *SHIPPED[0]).contract
    with pytest.raises(UnusableInput, match=f"the code at {single.address} is not that of TestSets of this version"):
        compare_sets_code(chain, single.address)
    fooled, _ = Contract.deploy(chain, compiled, single.address)
    with pytest.raises(UnusableInput, match=f"the code at {single.address} is not that of TestSets"):
        compare_score_code(chain, fooled.address, circuit)
    for wrong in (single.address, case.sets.address):
        with pytest.raises(UnusableInput, match=f"the contract at {wrong} is no verifier of scores: `zkpredict chain deploy --verifier --score N`"):
            score_verifier_at(chain, wrong, circuit)
    with pytest.raises(UnusableInput, match=f"the contract at {single.address} is no registry of test sets: `zkpredict chain deploy --test-sets`"):
        deploy_score_verifier(chain, circuit, 20, single.address)
    with pytest.raises(UnusableInput, match="there is no contract at"):
        sets_at(EmbeddedChain(), case.sets.address)
    assert Contract(chain, case.contract.address, shipped(SCORE_INTERFACE)).call("TEST_SETS").lower() == case.sets.address.lower()


def test_a_score_of_another_size_or_model_is_not_sent():
    case = scored(FIRST)
    chain, address = case.contract.chain, case.contract.address
    fewer = prove_registered(case.model, case.images[:-1], register_set(case.images[:-1], np.array(case.tests.labels[:-1])))
    with pytest.raises(UnusableInput, match="the contract takes proofs of 20 inputs, this one has parts of 19: prove 20 at a time"):
        verify_score_on_chain(chain, address, case.model.commitment, fewer)


def test_one_proof_raises_a_proven_score_to_what_it_shows():
    """`ProvenScore` on a real set and verifier: everything that is right at once, nothing twice, and no other set or model."""
    case = scored(FIRST)
    chain, classes = case.contract.chain, _encoded(list(case.part.classes))
    score, _ = Contract.deploy(chain, load("ProvenScore"), case.contract.address, case.contract.address)
    part = Part.of(case.images, [int(label) for label in case.tests.labels])
    wrong = case.registered(case.images, np.array(case.part.classes))
    size, encoded, model_id = case.case.shape[0], case.arguments()[-1], case.model.commitment.model_id
    assert refused(score, "openOnSet", model_id, size, part.data, wrong.set_id) == ("NotTheSet", (wrong.set_id,))
    score.transact("openOnSet", model_id, size, part.data, case.tests.set_id)
    score.transact("openOnSet", case.other.model_id, size, part.data, case.tests.set_id)
    assert score.call("about", 1) == (model_id, part.root, 20) and score.call("setOf", 1) == case.tests.set_id
    assert score.call("score", 1) == (0, False)
    better = _encoded([int(label) for label in case.tests.labels])
    for arguments in ((1, better, encoded), (2, classes, encoded)):
        assert refused(score, "proveOnSet", *arguments) == FAILED
    score.by(chain.account(3)).transact("proveOnSet", 1, classes, encoded)
    assert score.call("score", 1) == (18, False)
    assert refused(score, "proveOnSet", 1, classes, encoded) == ("NothingNew", (1,))
    for_somebody = prove_registered(case.model, case.images, case.tests, context=b"\x07" * 32).proof.parts[0]
    assert refused(score, "proveOnSet", 1, classes, case.arguments(for_somebody)[-1]) == FAILED


def test_weights_that_differ_stop_the_generator(monkeypatch):
    """The loops over slots and stacks give the circuit's own weights, or there is no contract."""
    circuit = RegisteredBatch.of(scored(FIRST).model.commitment.circuit, 20)
    plain = RegisteredBatch.polynomial_exponent
    monkeypatch.setattr(RegisteredBatch, "polynomial_exponent", lambda self, number: plain(self, number) + (number > 0))
    with pytest.raises(UnsupportedShape, match="the weights of a set's polynomials are not those of slots and stacks"):
        score_source(circuit)


def _encoded(classes: list[int]) -> bytes:
    return b"".join(one.to_bytes(2, "big") for one in classes)


def _changed(part: BatchPart, names: set[str]) -> BatchPart:
    points = {name: one + G1.generator() if name in names else one for name, one in part.points.items()}
    scalars = {name: (one + (name in names)) % MODULUS for name, one in part.scalars.items()}
    return BatchPart(part.model_id, part.digit, points, scalars, part.form, classes=part.classes)
