"""Generated verifiers of circuits with convolutions: LeNet-5 on real images and small ones of other geometries. Each scalar is the native
verifier's; what is changed is refused by name; circuits that no contract is made for say why."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from shared_cases import SHARED, shared_network
from support import refuses
from wide_cases import EVALUATION, MSM, watched

from zkpredict.circuits.convolution.chain import contract_refusal, stretches
from zkpredict.circuits.convolution.compiler import compile_convolution
from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.files.idx import read_images
from zkpredict.circuits.networks.activations import RELU8
from zkpredict.circuits.networks.convolution import ConvLayer, Grid
from zkpredict.circuits.networks.pooling import MaxPoolLayer
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import MAX_CODE_BYTES, Contract, Reverted
from zkpredict.contracts.verifier.client import deploy_verifier, register_model, send_verification, verify_on_chain
from zkpredict.contracts.verifier.encoding import FinalCheck, onchain_proof
from zkpredict.contracts.verifier.generate import artifact
from zkpredict.kernel import G1
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.prover.prove import Prover, prove, statement_of
from zkpredict.verifier.costs import estimate_costs
from zkpredict.verifier.errors import FailedOpening
from zkpredict.verifier.messages import Proof, derive_challenges
from zkpredict.verifier.native import column_terms, statement_for, verify
from zkpredict.verifier.opening import fold, linearise

FAILED = ("OpeningFailed", ())
LENET, LENET_SHARED = "lenet", "lenet, shared rows"
ROOT = Path(__file__).parents[2]


def real_images(count: int) -> np.ndarray:
    """The first MNIST test images, uint8 [count, 784]."""
    return read_images(ROOT / "tests" / "data" / "t10k-images-idx3-ubyte.gz")[:count].reshape(count, -1)


def network(first: tuple[Grid, int], second: tuple[Grid, int], classes: int = 4, seed: int = 1) -> IntegerNetwork:
    """Two convolutions of small random weights and a dense layer."""
    source, layers = np.random.default_rng(seed), []
    for grid, channels in (first, second):
        weights = source.integers(-9, 10, (channels, grid.taps))
        layers.append(ConvLayer(weights, source.integers(-99, 100, channels), 6, RELU8, grid))
    last = source.integers(-9, 10, (classes, layers[-1].outputs))
    return IntegerNetwork((*layers, DenseLayer(last, source.integers(-99, 100, classes))))


def pooled(hidden: tuple[int, ...], seed: int = 1) -> IntegerNetwork:
    """A convolution whose rows are cut, one of two groups, a max pool behind each, and dense layers; of the second map a row is dropped."""
    source, layers = np.random.default_rng(seed), []
    for grid, channels, pool in ((Grid(10, 14, 1, 3, 3), 3, Grid(8, 12, 3, 2, 2, 2)), (Grid(4, 6, 3, 2, 3), 11, Grid(3, 4, 11, 2, 2, 2))):
        weights = source.integers(-9, 10, (channels, grid.taps))
        layers += [ConvLayer(weights, source.integers(-99, 100, channels), 6, RELU8, grid), MaxPoolLayer(pool)]
    for width in hidden:
        weights = source.integers(-9, 10, (width, layers[-1].outputs))
        layers.append(DenseLayer(weights, source.integers(-99, 100, width), 6, RELU8))
    return IntegerNetwork((*layers, DenseLayer(source.integers(-9, 10, (4, layers[-1].outputs)), source.integers(-99, 100, 4))))


CASES = {
    "max pools, rows that are cut, two groups": pooled((13,)),
    "rows that are cut, two groups": network((Grid(10, 14, 1, 3, 3), 3), (Grid(8, 12, 3, 2, 3, pool=2), 11)),
    "no pool, one channel": network((Grid(14, 9, 1, 3, 2), 1), (Grid(12, 8, 1, 3, 3), 2)),
}


@dataclass(frozen=True)
class Proven:
    """A model on a contract, with a proof about `image`."""

    model: Model
    image: np.ndarray
    proof: Proof
    contract: Contract
    seen: list[tuple[bytes, bytes]]

    def refusal(self, proof: Proof | None = None, image: np.ndarray | None = None, digit: int | None = None) -> tuple[str, tuple]:
        """Name and arguments of the error; ("", ()) when the contract accepts. `verify` must say the same."""
        proof, image = proof or self.proof, self.image if image is None else image
        asked = self.model.commitment.model_id, image.tobytes(), proof.digit if digit is None else digit, onchain_proof(proof)
        try:
            self.contract.call("verifyOrRevert", *asked)
        except Reverted as refusal:
            assert self.contract.call("verify", *asked) is False
            return refusal.name, refusal.arguments
        assert self.contract.call("verify", *asked) is True
        return "", ()


@cache
def proven(name: str) -> Proven:
    if name == LENET:
        model, image = Model.load(ROOT / "examples" / "lenet.model"), real_images(1)[0]
    elif name == LENET_SHARED:
        model, image = commit_model(Model.load(ROOT / "examples" / "lenet.model").network, shared=True), real_images(1)[0]
    elif name in SHARED:
        model = commit_model(shared_network(name), 512, shared=True)
        image = np.random.default_rng(3).integers(0, 256, model.network.shape[0], dtype=np.uint8)
    else:
        model = commit_model(CASES[name], 512)
        image = np.random.default_rng(3).integers(0, 256, model.network.shape[0], dtype=np.uint8)
    chain, seen = watched()
    contract = deploy_verifier(chain, model.commitment.circuit).contract
    register_model(chain, contract.address, model.commitment)
    return Proven(model, image, prove(model, image), contract, seen)


@pytest.fixture(params=[*CASES, *SHARED, LENET, LENET_SHARED])
def case(request) -> Proven:
    return proven(request.param)


def test_a_true_claim_is_accepted_and_every_scalar_is_the_native_fold(case):
    """The input of the multi-scalar multiplication and of the last opening, against the Python verifier's own numbers."""
    commitment, proof, circuit = case.model.commitment, case.proof, case.model.commitment.circuit
    verify(commitment, case.image, proof)
    assert len(case.contract.chain.code(case.contract.address)) < MAX_CODE_BYTES
    case.seen.clear()
    assert case.refusal() == ("", ())
    statement = statement_for(circuit, case.image.tobytes(), proof.digit, proof.outputs)
    challenges = derive_challenges(circuit.digest, statement, proof)
    claim = fold(circuit, linearise(circuit, statement, challenges, proof.scalars), proof.scalars, challenges)
    wanted: dict[bytes, int] = {}
    for point, scalar in (*column_terms(commitment, proof, claim, challenges), (proof.points["opening"], claim.opening)):
        wanted[point.to_uncompressed()] = (wanted.get(point.to_uncompressed(), 0) + scalar) % MODULUS  # kernels are weighed for each piece
    asked = dict(case.seen)
    terms = [asked[MSM][start : start + 160] for start in range(0, len(asked[MSM]), 160)]
    assert {term[16:64] + term[80:128]: int.from_bytes(term[128:], "big") % MODULUS for term in terms} == wanted
    assert asked[EVALUATION][32:96] == challenges["zeta"].to_bytes(32, "big") + claim.value.to_bytes(32, "big")


def test_another_statement_is_refused(case):
    wrong = case.image.copy()
    wrong[len(wrong) // 2] ^= 1
    assert case.refusal(image=wrong) == FAILED
    with pytest.raises(FailedOpening):
        verify(case.model.commitment, wrong, case.proof)
    for digit in range(case.model.commitment.circuit.classes):
        if digit != case.proof.digit:
            assert case.refusal(digit=digit) == FAILED
    lied = Prover(case.model, statement_of(case.model, case.image, case.proof.digit)).prove()
    assert case.refusal(lied) == ("", ())


@pytest.mark.parametrize("name", ["rows that are cut, two groups", *SHARED])
def test_every_pixel_is_read(name):
    """One more or less in any pixel that a kernel covers, edges too: another statement, and another input of the sum."""
    case = proven(name)
    for at in range(0, len(case.image), 7):
        wrong = case.image.copy()
        wrong[at] ^= 255
        assert case.refusal(image=wrong) == FAILED, at


@pytest.mark.parametrize("name", ["rows that are cut, two groups", *SHARED])
def test_every_changed_part_is_refused(name):
    case = proven(name)
    for point in case.proof.points:
        assert case.refusal(case.proof.changed(points={point: case.proof.points[point] + G1.generator()})) == FAILED, point
    for scalar in case.proof.scalars:
        assert case.refusal(case.proof.changed(scalars={scalar: (case.proof.scalars[scalar] + 1) % MODULUS})) == FAILED, scalar


@pytest.mark.parametrize("name, most", [(LENET, 800_000), (LENET_SHARED, 470_000)])
def test_ten_real_images_on_lenet(name, most):
    """Blank, full and ten of MNIST; each proof fails for the image before it."""
    case = proven(name)
    chain, address, commitment = case.contract.chain, case.contract.address, case.model.commitment
    before = case.image
    for image in (*real_images(11)[1:], np.zeros(784, np.uint8), np.full(784, 255, np.uint8)):
        proof = prove(case.model, image)
        assert verify_on_chain(chain, address, commitment, image.tobytes(), proof).accepted
        assert verify_on_chain(chain, address, commitment, before.tobytes(), proof).reason == "OpeningFailed"
        before = image
    assert send_verification(chain, address, commitment, before.tobytes(), proof).gas_used <= estimate_costs(commitment.circuit).verify_gas_estimate
    assert send_verification(chain, address, commitment, case.image.tobytes(), case.proof).gas_used < most


def test_winners_may_be_what_the_classes_are_made_of():
    """No dense layer behind the kernels that read the last max pool."""
    model, image = commit_model(pooled(()), 512), np.random.default_rng(3).integers(0, 256, 140, dtype=np.uint8)
    chain, proof = EmbeddedChain(), prove(model, image)
    address = deploy_verifier(chain, model.commitment.circuit).address
    register_model(chain, address, model.commitment)
    assert verify_on_chain(chain, address, model.commitment, image.tobytes(), proof).accepted
    image[70] ^= 1
    assert verify_on_chain(chain, address, model.commitment, image.tobytes(), proof).reason == "OpeningFailed"


REFUSED = {
    "one convolution": ([(Grid(8, 9, 1, 3, 3), 3)], "two convolutions, then dense layers"),
    "stride": ([(Grid(21, 17, 1, 3, 3, 2), 3), (Grid(10, 8, 3, 3, 3), 2)], "stride 1, no padding"),
    "two channels": ([(Grid(14, 10, 2, 3, 3), 3), (Grid(12, 8, 3, 3, 3), 2)], "a grey image"),
    "eleven channels": ([(Grid(14, 10, 1, 3, 3), 11), (Grid(12, 8, 11, 3, 3), 2)], "at most ten channels"),
    "a track that is not full": ([(Grid(9, 9, 1, 3, 3), 3), (Grid(7, 7, 3, 3, 3), 2)], "fills whole tracks"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_geometries_have_no_contract(name):
    (first, *more), reason = REFUSED[name]
    layers = [first, *more]
    source = np.random.default_rng(1)
    convolutions = [ConvLayer(source.integers(-3, 4, (c, g.taps)), source.integers(-9, 10, c), 6, RELU8, g) for g, c in layers]
    made = IntegerNetwork((*convolutions, DenseLayer(source.integers(-3, 4, (3, convolutions[-1].outputs)), np.zeros(3, int))))
    circuit = compile_convolution(made, domain=512).circuit
    refusal = contract_refusal(circuit)
    assert reason in refusal
    with refuses(UnusableInput, f"no contract checks proofs in this circuit: {refusal}; verify off the chain"):
        artifact(circuit, FinalCheck.POINT_EVALUATION)


def test_other_max_pools_have_no_contract():
    """One instead of two, and windows that lie over one another."""
    layers = pooled(()).layers
    one = IntegerNetwork((*layers[:3], DenseLayer(np.ones((3, layers[2].outputs), int), np.zeros(3, int))))
    circuit = compile_convolution(one, domain=512).circuit
    assert contract_refusal(circuit) == (
        "a contract holds two convolutions, then dense layers, with max pools behind both or behind neither, and no residuals; "
        f"this circuit has 2 layers of kernels and 1 max pools on {circuit.tracks} tracks"
    )
    over = (layers[0], MaxPoolLayer(Grid(8, 12, 3, 2, 2)), ConvLayer(np.ones((2, 18), int), np.zeros(2, int), 6, RELU8, Grid(7, 11, 3, 2, 3)), MaxPoolLayer(Grid(6, 9, 2, 2, 2, 2)))
    twice = IntegerNetwork((*over, DenseLayer(np.ones((3, over[-1].outputs), int), np.zeros(3, int))))
    assert contract_refusal(compile_convolution(twice, domain=512).circuit) == (
        "the max pools of a contract have windows of 2 x 2 beside one another, over numbers of one lane each"
    )


def test_stretches_cover_every_position_once():
    """With the exponent of every position, counted from the packs."""
    for made in CASES.values():  # of the first layer
        circuit = compile_convolution(made, domain=512).circuit
        exponents, columns = list(circuit.groups(0)[0].exponents()), circuit.grid(0).positions[1]
        step, found = circuit.groups(0)[0].runs[0].step, {}
        for one in stretches(circuit):
            for x in range(one.first, one.end):
                assert found.setdefault(one.row * columns + x, one.last + step * (one.end - 1 - x)) is not None
        assert [found[position] for position in range(len(exponents))] == exponents
