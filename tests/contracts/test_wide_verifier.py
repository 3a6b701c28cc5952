"""Generated verifiers of wide circuits on real proofs: what holds is accepted, what is changed is refused by name, each scalar is the
native verifier's, and its verdict too."""

from __future__ import annotations

import numpy as np
import pytest
from wide_cases import CASES, EVALUATION, MSM, Proven, network, proven

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.wide.claims import LOGIT_LIMIT
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.contracts.chain.interface import MAX_CODE_BYTES
from zkpredict.contracts.verifier.client import send_verification, verify_on_chain
from zkpredict.contracts.verifier.encoding import FinalCheck, onchain_proof
from zkpredict.contracts.verifier.generate import WIDE_INTERFACE, artifact, shipped
from zkpredict.contracts.verifier.identity import compare_code
from zkpredict.kernel import G1
from zkpredict.prover.commit import commit_model
from zkpredict.prover.prove import Prover, prove, statement_of
from zkpredict.verifier.errors import FailedOpening, VerificationError
from zkpredict.verifier.hidden import HiddenInput
from zkpredict.verifier.messages import Proof, derive_challenges
from zkpredict.verifier.native import column_terms, statement_for, verify
from zkpredict.verifier.opening import fold, linearise

FAILED = ("OpeningFailed", ())
POINT, SCALAR = 96, 32
EVERY_PART = ("class", "rational, margin, pairing", "two tracks, two chunks", "replicas", "hidden")
"""Cases whose proofs are changed part by part."""


@pytest.fixture(params=CASES)
def case(request) -> Proven:
    return proven(request.param)


def refused_natively(case: Proven, proof: Proof) -> None:
    with pytest.raises(FailedOpening):
        verify(case.model.commitment, case.checked, proof)


def test_a_true_claim_is_accepted(case):
    commitment = case.model.commitment
    verify(commitment, case.checked, case.proof)
    assert case.contract.call("verify", *case.arguments()) is True
    assert verify_on_chain(case.contract.chain, case.contract.address, commitment, case.checked, case.proof).accepted
    assert len(case.contract.chain.code(case.contract.address)) < MAX_CODE_BYTES


def test_every_scalar_is_the_native_fold(case):
    """The input of the multi-scalar multiplication and of the last opening, against the Python verifier's own numbers."""
    commitment, proof = case.model.commitment, case.proof
    circuit = commitment.circuit
    statement = statement_for(circuit, case.checked, proof.digit, proof.outputs)
    challenges = derive_challenges(circuit.digest, statement, proof)
    claim = fold(circuit, linearise(circuit, statement, challenges, proof.scalars), proof.scalars, challenges)
    points = case.checked.points if isinstance(case.checked, HiddenInput) else ()
    wanted = [*column_terms(commitment, proof, claim, challenges, points), (proof.points["opening"], claim.opening)]
    if case.case.check is FinalCheck.PAIRING:
        wanted += [(proof.points["final"], challenges["zeta"]), (G1.generator(), -claim.value)]
    case.seen.clear()
    case.contract.call("verifyOrRevert", *case.arguments())
    asked = dict(case.seen)
    terms = [asked[MSM][start : start + 160] for start in range(0, len(asked[MSM]), 160)]
    found = [(term[16:64] + term[80:128], int.from_bytes(term[128:], "big") % MODULUS) for term in terms]
    assert sorted(found) == sorted((point.to_uncompressed(), scalar % MODULUS) for point, scalar in wanted)
    if case.case.check is FinalCheck.POINT_EVALUATION:
        assert asked[EVALUATION][32:96] == challenges["zeta"].to_bytes(32, "big") + claim.value.to_bytes(32, "big")


def test_another_statement_is_refused(case):
    classes = case.model.commitment.circuit.classes
    if not case.case.hidden:
        wrong = case.image.copy()
        wrong[-1] ^= 1
        assert case.refusal(*case.arguments(image=wrong.tobytes())) == FAILED
        with pytest.raises(VerificationError):
            verify(case.model.commitment, wrong, case.proof)
    assert case.refusal(*case.arguments(model_id=case.other.model_id)) == FAILED
    assert case.refusal(*case.arguments(model_id=bytes(32))) == ("UnknownModel", (bytes(32),))
    assert case.refusal(*case.arguments(digit=classes)) == ("WrongDigit", (classes,))
    assert case.contract.call("verify", *case.arguments(digit=classes)) is False
    for digit in sorted({0, 1, classes // 2, classes - 1} - {case.proof.digit, classes}):
        expected = ("WrongDigit", (digit,)) if case.proof.outputs else FAILED
        assert case.refusal(*case.arguments(digit=digit)) == expected


@pytest.mark.parametrize("name", EVERY_PART)
def test_every_changed_point_is_refused(name):
    case = proven(name)
    for point in case.proof.points:
        changed = case.proof.changed(points={point: case.proof.points[point] + G1.generator()})
        assert case.refusal(*case.arguments(changed)) == FAILED, point
        refused_natively(case, changed)


@pytest.mark.parametrize("name", EVERY_PART)
def test_every_changed_scalar_is_refused(name):
    case = proven(name)
    for scalar in case.proof.scalars:
        changed = case.proof.changed(scalars={scalar: (case.proof.scalars[scalar] + 1) % MODULUS})
        assert case.refusal(*case.arguments(changed)) == FAILED, scalar
        refused_natively(case, changed)


def test_parts_that_no_proof_has_are_refused(case):
    encoded = onchain_proof(case.proof, case.case.check)
    start, points = 8 * len(case.proof.outputs), len(case.proof.points) - 1
    scalars = start + POINT * points
    for number in (0, points // 2, points - 1):
        at = start + POINT * number
        nowhere = encoded[:at] + bytes(POINT) + encoded[at + POINT :]
        assert case.refusal(*case.arguments(encoded=nowhere)) == ("PointAtInfinity", (number,))
    for number in (0, len(case.proof.scalars) - 1):
        at = scalars + SCALAR * number
        large = int.from_bytes(encoded[at : at + SCALAR], "big") + MODULUS
        text = encoded[:at] + large.to_bytes(SCALAR, "big") + encoded[at + SCALAR :]
        assert case.refusal(*case.arguments(encoded=text)) == ("ScalarNotCanonical", (number,))
    assert case.refusal(*case.arguments(encoded=encoded[:-1])) == ("WrongProofLength", (len(encoded) - 1,))
    image = case.argument
    assert case.refusal(*case.arguments(image=image + b"\0")) == ("WrongImageLength", (len(image) + 1,))
    off_curve = encoded[: start + 95] + bytes([encoded[start + 95] ^ 1]) + encoded[start + POINT :]
    assert case.refusal(*case.arguments(encoded=off_curve))[0] == "PrecompileFailed"


def test_a_proof_of_another_claim_is_refused():
    """A margin of one less, the same network: neither under its own id nor under the one that the contract knows."""
    case = proven("rational, margin, pairing")
    circuit = case.model.commitment.circuit
    less = type(circuit.claim)(circuit.claim.kind, circuit.claim.parameter - 1)
    other = commit_model(network(case.case), case.case.domain, claim=less, placement="wide")
    proof = Prover(other, statement_of(other, case.image, case.proof.digit)).prove()
    verify(other.commitment, case.image, proof)
    assert case.refusal(*case.arguments(proof, model_id=proof.model_id))[0] == "UnknownModel"
    assert case.refusal(*case.arguments(proof)) == FAILED


def test_public_outputs_are_part_of_the_statement():
    case = proven("logits")
    encoded, outputs = onchain_proof(case.proof), case.proof.outputs
    assert list(outputs) == case.model.network.infer(case.image[None, :]).logits[0].tolist()

    def stated(*numbers: int) -> tuple[str, tuple]:
        written = b"".join(number.to_bytes(8, "big", signed=True) for number in numbers)
        return case.refusal(*case.arguments(encoded=written + encoded[len(written) :]))

    assert stated(*outputs) == ("", ())
    for number in range(len(outputs)):
        less = [value - (index == number) for index, value in enumerate(outputs)]
        assert stated(*less) == FAILED
    last = len(outputs) - 1
    for beyond in (LOGIT_LIMIT, -LOGIT_LIMIT):
        assert stated(*outputs[:-1], beyond) == ("OutputOutOfRange", (last,))
    tie = [max(outputs)] * len(outputs)
    if case.proof.digit:
        assert stated(*tie) == ("WrongDigit", (case.proof.digit,))
    else:
        assert stated(*tie) == FAILED
    most = 1 - LOGIT_LIMIT
    assert stated(*(LOGIT_LIMIT - 1 if index == case.proof.digit else most for index in range(len(outputs)))) == FAILED


def test_a_proof_for_somebody_is_for_nobody_else():
    """The context is absorbed: under another one, or none, a proof does not hold; nor does one without under any."""
    case, context, other = proven("class"), b"\x07" * 32, b"\x08" * 32
    commitment, chain, address = case.model.commitment, case.contract.chain, case.contract.address
    proof = prove(case.model, case.image, context=context)
    verify(commitment, case.image, proof, context)
    image = case.image.tobytes()
    assert case.contract.call("verifyFor", *case.arguments(proof), context) is True
    assert verify_on_chain(chain, address, commitment, image, proof, context=context).accepted
    assert send_verification(chain, address, commitment, image, proof, context=context).gas_used > 0
    for given in (other, bytes(32)):
        assert case.contract.call("verifyFor", *case.arguments(proof), given) is False
        assert verify_on_chain(chain, address, commitment, image, proof, context=given).reason == "OpeningFailed"
    assert case.refusal(*case.arguments(proof)) == FAILED
    assert case.contract.call("verifyFor", *case.arguments(), context) is False
    short = verify_on_chain(chain, address, commitment, image[:-1], proof, context=context)
    assert (short.reason, short.arguments) == ("WrongImageLength", (len(image) - 1,))
    data = case.contract.artifact.encode("verify", *case.arguments(proof)) + context  # what only the contract itself may send
    assert chain.call(address, data) == bytes(32)
    assert chain.call(address, data[:-32]) == bytes(32)


def test_classes_on_every_track_can_win():
    """Another class's difference lies elsewhere: first, last and middle packs, on both tracks."""
    case = proven("many classes")
    circuit = case.model.commitment.circuit
    assert isinstance(circuit, WideCircuit) and circuit.tracks == 2
    digits = set()
    for seed in range(40):
        image = np.random.default_rng(seed).integers(0, 256, circuit.inputs, dtype=np.uint8)
        digit = case.model.predict(image)
        if digit // 5 % 20 in digits:
            continue
        digits.add(digit // 5 % 20)
        proof = Prover(case.model, statement_of(case.model, image, digit)).prove()
        assert case.refusal(*case.arguments(proof, image=image.tobytes())) == ("", ())
        wrong = case.refusal(*case.arguments(proof, image=image.tobytes(), digit=(digit + 1) % circuit.classes))
        assert wrong == FAILED
        if len(digits) == 5:
            break
    assert len(digits) == 5


def test_the_interface_is_that_of_every_verifier():
    """`IWideVerifier` declares exactly what the two kinds of registry and all claims have."""
    declared = {_entry(one) for one in shipped(WIDE_INTERFACE).abi}
    found = set()
    for name in ("class", "logits", "hidden"):
        found |= {_entry(one) for one in artifact(proven(name).model.commitment.circuit).abi}
    assert found <= declared
    assert {name for _, name in declared - found} == {
        "RowsStored", "AlreadyStored", "UnknownPart", "WrongPartCount", "WrongPartLength", "WrongModelId",
        "PART_ROWS", "isStored", "storeRows", "registerParts",
    }


def _entry(entry: dict) -> tuple[str, str]:
    return entry["type"], entry["name"]


def test_code_says_what_a_contract_is():
    case = proven("class")
    compare_code(case.contract.chain, case.contract.address, case.model.commitment.circuit)
    other = proven("logits").model.commitment.circuit
    with pytest.raises(UnusableInput, match="is not that of WideVerifier_20_30_7"):
        compare_code(case.contract.chain, case.contract.address, other)
