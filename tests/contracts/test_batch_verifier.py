"""Contracts for batches: what holds is accepted, what is changed is refused by name, and each scalar is the native verifier's."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from wide_cases import EVALUATION, MSM, watched

from zkpredict.circuits.batch.gadgets import BatchOutput
from zkpredict.circuits.batch.layout import BatchCircuit
from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.networks.activations import RELU, RELU8, Activation, RationalRelu
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.publics import Patches
from zkpredict.contracts.chain.interface import MAX_CODE_BYTES, Contract, Reverted
from zkpredict.contracts.verifier.batch_client import (
    batch_arguments, batch_verifier_at, deploy_batch_verifier, send_batch_verification, verify_batch_on_chain,
)  # fmt: skip
from zkpredict.contracts.verifier.client import deploy_verifier, register_model
from zkpredict.contracts.verifier.encoding import FinalCheck
from zkpredict.contracts.verifier.generate import SHIPPED, batch_sources
from zkpredict.contracts.verifier.publics import UnsupportedShape
from zkpredict.contracts.verifier.wide.batches import batch_source
from zkpredict.kernel import G1
from zkpredict.prover.batch import prove_batch
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.verifier.batch import BatchPart, BatchProof, batch_statement_for, verify_batch
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.messages import derive_challenges
from zkpredict.verifier.native import column_terms
from zkpredict.verifier.opening import fold, linearise

FAILED = ("OpeningFailed", ())


@dataclass(frozen=True)
class Case:
    """A network's shape and gate, the rows of its circuit, and how many inputs a batch has."""

    shape: tuple[int, ...]
    activation: Activation
    domain: int
    images: int
    check: FinalCheck = FinalCheck.POINT_EVALUATION


CASES = {
    "two stacks, a row of several packs": Case((12, 30, 3), RELU8, 512, 11),
    "one stack, two later layers, rational, pairing": Case((600, 30, 9, 7), RationalRelu(4096), 1024, 3, FinalCheck.PAIRING),
}


@dataclass(frozen=True)
class Proven:
    """A case with two models, both registered, and a proof of what the first says of `images`."""

    case: Case
    model: Model
    other: ModelCommitment
    images: np.ndarray
    proof: BatchProof
    contract: Contract
    seen: list[tuple[bytes, bytes]]

    @property
    def part(self) -> BatchPart:
        return self.proof.parts[0]

    def arguments(self, part: BatchPart | None = None, **changed: bytes) -> tuple[bytes, ...]:
        """Of `verifyBatch`, with some of model_id, images, classes and encoded changed."""
        names = ("model_id", "images", "classes", "encoded")
        given = batch_arguments(self.model.commitment.model_id, self.images.tobytes(), part or self.part, self.case.check)
        return tuple((dict(zip(names, given, strict=True)) | changed).values())

    def refusal(self, *arguments: bytes) -> tuple[str, tuple]:
        """Name and arguments of the error; ("", ()) when the contract accepts."""
        try:
            self.contract.call("verifyBatchOrRevert", *arguments)
        except Reverted as refusal:
            return refusal.name, refusal.arguments
        return "", ()


@cache
def proven(name: str) -> Proven:
    case = CASES[name]
    model, other = (commit_model(_network(case, seed), case.domain, batch=True) for seed in (3, 4))
    images = np.random.default_rng(5).integers(0, 256, (case.images, case.shape[0]), dtype=np.uint8)
    chain, seen = watched()
    contract = deploy_batch_verifier(chain, model.commitment.circuit, case.images, case.check).contract
    for commitment in (model.commitment, other.commitment):
        register_model(chain, contract.address, commitment)
    return Proven(case, model, other.commitment, images, prove_batch(model, images), contract, seen)


def _network(case: Case, seed: int) -> IntegerNetwork:
    source, layers = np.random.default_rng(seed), []
    for number, (inputs, outputs) in enumerate(zip(case.shape, case.shape[1:])):
        last = number == len(case.shape) - 2
        weights = source.integers(-20, 21, (outputs, inputs))
        layers.append(DenseLayer(weights, source.integers(-99, 100, outputs), 0 if last else 8, RELU if last else case.activation))
    return IntegerNetwork(tuple(layers))


@pytest.fixture(params=CASES)
def case(request) -> Proven:
    return proven(request.param)


def test_true_answers_are_accepted(case):
    commitment, chain, address = case.model.commitment, case.contract.chain, case.contract.address
    verify_batch(commitment, case.images, case.proof)
    assert case.contract.call("verifyBatch", *case.arguments()) is True
    assert verify_batch_on_chain(chain, address, commitment, case.images, case.proof).accepted
    assert send_batch_verification(chain, address, commitment, case.images, case.proof).gas_used > 0
    assert len(chain.code(address)) < MAX_CODE_BYTES
    assert len(set(case.proof.classes)) > 1


def test_every_scalar_is_the_native_fold(case):
    """The input of the multi-scalar multiplication and of the last opening, against the Python verifier's own numbers."""
    commitment, part = case.model.commitment, case.part
    circuit = BatchCircuit.of(commitment.circuit, case.case.images)
    statement = batch_statement_for(circuit, case.images.tobytes(), part.classes)
    challenges = derive_challenges(circuit.digest, statement, part)
    claim = fold(circuit, linearise(circuit, statement, challenges, part.scalars), part.scalars, challenges)
    wanted = [*column_terms(commitment, part, claim, challenges, (), circuit), (part.points["opening"], claim.opening)]
    if case.case.check is FinalCheck.PAIRING:
        wanted += [(part.points["final"], challenges["zeta"]), (G1.generator(), -claim.value)]
    case.seen.clear()
    case.contract.call("verifyBatchOrRevert", *case.arguments())
    asked = dict(case.seen)
    terms = [asked[MSM][start : start + 160] for start in range(0, len(asked[MSM]), 160)]
    found = [(term[16:64] + term[80:128], int.from_bytes(term[128:], "big") % MODULUS) for term in terms]
    assert sorted(found) == sorted((point.to_uncompressed(), scalar % MODULUS) for point, scalar in wanted)
    if case.case.check is FinalCheck.POINT_EVALUATION:
        assert asked[EVALUATION][32:96] == challenges["zeta"].to_bytes(32, "big") + claim.value.to_bytes(32, "big")


def test_another_statement_is_refused(case):
    classes, images = list(case.part.classes), case.images
    count = case.model.commitment.circuit.classes
    for number in (0, len(classes) - 1):
        for claimed in sorted({0, count - 1} - {classes[number]}):
            assert case.refusal(*case.arguments(classes=_encoded([*classes[:number], claimed, *classes[number + 1 :]]))) == FAILED
        beyond = [*classes[:number], count, *classes[number + 1 :]]
        assert case.refusal(*case.arguments(classes=_encoded(beyond))) == ("WrongClass", (number,))
    swapped = images[[1, 0, *range(2, len(images))]]
    assert case.refusal(*case.arguments(images=swapped.tobytes())) == FAILED
    assert case.contract.call("verifyBatch", *case.arguments(images=swapped.tobytes())) is False
    pixel = bytearray(images.tobytes())
    pixel[-1] ^= 1
    assert case.refusal(*case.arguments(images=bytes(pixel))) == FAILED
    assert case.refusal(*case.arguments(model_id=case.other.model_id)) == FAILED
    assert case.refusal(*case.arguments(model_id=bytes(32))) == ("UnknownModel", (bytes(32),))


def _encoded(classes: list[int]) -> bytes:
    return b"".join(one.to_bytes(2, "big") for one in classes)


def test_every_changed_part_of_a_proof_is_refused():
    case = proven("two stacks, a row of several packs")
    for point in case.part.points:
        assert case.refusal(*case.arguments(_changed(case.part, point=point))) == FAILED, point
    for scalar in case.part.scalars:
        assert case.refusal(*case.arguments(_changed(case.part, scalar=scalar))) == FAILED, scalar


def _changed(part: BatchPart, point: str = "", scalar: str = "") -> BatchPart:
    points = {name: one + G1.generator() if name == point else one for name, one in part.points.items()}
    scalars = {name: (one + (name == scalar)) % MODULUS for name, one in part.scalars.items()}
    return BatchPart(part.model_id, part.digit, points, scalars, part.form, classes=part.classes)


def test_arguments_of_another_form_are_refused(case):
    model_id, images, classes, encoded = case.arguments()
    assert case.refusal(model_id, images + b"\0", classes, encoded) == ("WrongImageLength", (len(images) + 1,))
    shorter = images[: -case.case.shape[0]]
    assert case.refusal(model_id, shorter, classes[:-2], encoded) == ("WrongImageLength", (len(shorter),))
    assert case.refusal(model_id, images, classes[:-2], encoded) == ("WrongClassesLength", (len(classes) - 2,))
    assert case.refusal(model_id, images, classes, encoded[:-1]) == ("WrongProofLength", (len(encoded) - 1,))
    points = len(case.part.points) - 1
    nowhere = bytes(96) + encoded[96:]
    assert case.refusal(model_id, images, classes, nowhere) == ("PointAtInfinity", (0,))
    start = 96 * points
    large = int.from_bytes(encoded[start : start + 32], "big") + MODULUS
    text = encoded[:start] + large.to_bytes(32, "big") + encoded[start + 32 :]
    assert case.refusal(model_id, images, classes, text) == ("ScalarNotCanonical", (0,))
    data = case.contract.artifact.encode("verifyBatchOrRevert", *case.arguments())
    padding = len(data) - 1 if len(encoded) % 32 else 4 + 5 * 32 + len(images)
    padded = data[:padding] + b"\1" + data[padding + 1 :]
    for wrong, error in ((data + bytes(32), "WrongCalldataLength"), (padded, "WrongCalldataLayout")):
        with pytest.raises(Reverted) as refusal:
            case.contract.chain.call(case.contract.address, wrong)
        assert refusal.value.named(case.contract.artifact).name == error


def test_a_proof_for_somebody_is_for_nobody_else():
    case, context = proven("two stacks, a row of several packs"), b"\x07" * 32
    commitment, chain, address = case.model.commitment, case.contract.chain, case.contract.address
    proof = prove_batch(case.model, case.images, context=context)
    assert case.contract.call("verifyBatchFor", *case.arguments(proof.parts[0]), context) is True
    assert verify_batch_on_chain(chain, address, commitment, case.images, proof, context=context).accepted
    for given in (b"\x08" * 32, bytes(32)):
        assert case.contract.call("verifyBatchFor", *case.arguments(proof.parts[0]), given) is False
        assert verify_batch_on_chain(chain, address, commitment, case.images, proof, context=given).reason == "OpeningFailed"
    assert case.refusal(*case.arguments(proof.parts[0])) == FAILED
    assert case.contract.call("verifyBatchFor", *case.arguments(), context) is False


def test_a_proof_of_fewer_inputs_is_not_sent():
    case = proven("two stacks, a row of several packs")
    chain, address, commitment = case.contract.chain, case.contract.address, case.model.commitment
    fewer = prove_batch(case.model, case.images[:-1])
    with pytest.raises(UnusableInput, match="the contract takes proofs of 11 inputs, this one has parts of 10: prove 11 at a time"):
        verify_batch_on_chain(chain, address, commitment, case.images[:-1], fewer)


def test_a_contract_of_another_kind_is_no_verifier_of_batches():
    case = proven("two stacks, a row of several packs")
    single = deploy_verifier(case.contract.chain, *SHIPPED[0]).contract
    with pytest.raises(UnusableInput, match=f"the contract at {single.address} is no verifier of batches: `zkpredict chain deploy --verifier --batch N`"):
        batch_verifier_at(case.contract.chain, single.address, case.model.commitment.circuit)
    wider = commit_model(_network(Case((12, 30, 4), RELU8, 512, 1), 3), 512, batch=True).commitment.circuit
    with pytest.raises(UnusableInput, match=f"is for circuit {case.model.commitment.circuit.digest.hex()}, the model has {wider.digest.hex()}"):
        batch_verifier_at(case.contract.chain, case.contract.address, wider)


@pytest.mark.parametrize(("shape", "domain"), [((3, 700, 40, 4), 512), ((12, 4), 512), ((600, 12, 4), 512)])
def test_batches_that_no_contract_serves_are_refused_by_name(shape, domain):
    """Two tracks an input, no hidden layer, an input that does not fit a row."""
    model = commit_model(_network(Case(shape, RELU, domain, 1), 3), domain, batch=True)
    chain, _seen = watched()
    with pytest.raises(UnusableInput, match="contracts verify batches of dense networks with a hidden layer"):
        deploy_batch_verifier(chain, model.commitment.circuit, 3)


def test_signs_that_leave_a_slot_out_stop_the_generator(monkeypatch):
    """The contract's sums over slots are the gadgets' own, or there is none."""
    case = proven("two stacks, a row of several packs")
    circuit = BatchCircuit.of(case.model.commitment.circuit, 11)
    plain = BatchOutput.selectors

    def less(self, alpha):
        return {name: Patches(one.parts[1:]) for name, one in plain(self, alpha).items()}

    assert batch_source(circuit) in batch_sources(circuit).values()
    monkeypatch.setattr(BatchOutput, "selectors", less)
    with pytest.raises(UnsupportedShape, match="slots have other signs than slot 0"):
        batch_source(circuit)
