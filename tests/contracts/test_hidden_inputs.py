"""Hidden images on-chain: the argument is the commitment, its points are checked, and what two proofs have in common is which image they are about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from py_ecc.optimized_bls12_381 import field_modulus
from networks import shipped as shipped_network, test_images
from support import refuses
from wide_cases import proven

from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.compile import Settings, compile_sources
from zkpredict.contracts.verifier.client import deploy_verifier, register_model, send_verification, verify_on_chain
from zkpredict.contracts.verifier.encoding import onchain_input, onchain_proof
from zkpredict.contracts.verifier.generate import SOURCES
from zkpredict.kernel import G1
from zkpredict.prover.commit import commit_model
from zkpredict.prover.hiding import OpenedInput, hide
from zkpredict.prover.model import Model
from zkpredict.prover.prove import prove
from zkpredict.verifier.errors import WrongStatement
from zkpredict.verifier.messages import Proof

POINT, MSM = 96, "0x000000000000000000000000000000000000000c"
FAILED = ("OpeningFailed", ())
SEVEN = 0
"""Number of a seven among the MNIST test images."""


def outside_subgroup() -> bytes:
    """A point of the curve y^2 = x^3 + 4 that is not in the subgroup, 96 bytes."""
    y = pow(4**3 + 4, (field_modulus + 1) // 4, field_modulus)
    assert y * y % field_modulus == 68
    return (4).to_bytes(48, "big") + y.to_bytes(48, "big")


@dataclass(frozen=True)
class Shown:
    """The shipped network and another one, committed for hidden inputs and registered; a real image, hidden; a proof of each network about it."""

    contract: Contract
    models: tuple[Model, Model]
    opened: OpenedInput
    proofs: tuple[Proof, Proof]

    def arguments(self, number: int = 0, **changed: object) -> tuple:
        commitment, proof = self.models[number].commitment, self.proofs[number]
        given = {
            "model_id": commitment.model_id, "image": onchain_input(commitment.circuit, self.opened.hidden), "digit": proof.digit,
            "encoded": onchain_proof(proof),
        }
        return tuple((given | changed).values())

    def refusal(self, *arguments: object) -> tuple[str, tuple]:
        try:
            self.contract.call("verifyOrRevert", *arguments)
        except Reverted as refusal:
            return refusal.name, tuple(str(one).lower() if isinstance(one, str) else one for one in refusal.arguments)
        return "", ()


def backwards(network: IntegerNetwork) -> IntegerNetwork:
    """The network whose classes are counted from the last."""
    *hidden, last = network.layers
    return IntegerNetwork((*hidden, DenseLayer(last.weights[::-1], last.bias[::-1], 0)))


@cache
def shown() -> Shown:
    network = shipped_network()
    models = tuple(commit_model(one, private_input=True) for one in (network, backwards(network)))
    circuit = models[0].commitment.circuit
    opened = hide(test_images()[SEVEN], circuit.domain)
    contract = deploy_verifier(EmbeddedChain(), circuit).contract
    for model in models:
        register_model(contract.chain, contract.address, model.commitment)
    return Shown(contract, models, opened, tuple(prove(model, opened) for model in models))


def test_a_hidden_digit_is_accepted_and_its_twins_are_not():
    case = shown()
    commitment, hidden, proof = case.models[0].commitment, case.opened.hidden, case.proofs[0]
    chain, address = case.contract.chain, case.contract.address
    assert proof.digit == 7 and verify_on_chain(chain, address, commitment, hidden, proof).accepted
    assert send_verification(chain, address, commitment, hidden, proof).gas_used < 320_000
    again = hide(case.opened.data, hidden.domain).hidden  # the same image, another opening
    other = hide(test_images()[1], hidden.domain).hidden  # another image
    for swapped in (again, other):
        assert verify_on_chain(chain, address, commitment, swapped, proof).reason == "OpeningFailed"
    image = case.arguments()[1]
    for byte in (0, 47, 48, 95):
        flipped = image[:byte] + bytes([image[byte] ^ 1]) + image[byte + 1 :]
        assert case.refusal(*case.arguments(image=flipped)) == ("PrecompileFailed", (MSM,))
    negated = (-hidden.points[0]).to_uncompressed()
    assert case.refusal(*case.arguments(image=negated)) == FAILED
    assert case.refusal(*case.arguments(digit=8)) == FAILED
    assert case.refusal(*case.arguments(image=image[:-1])) == ("WrongImageLength", (95,))
    assert case.refusal(*case.arguments(image=case.opened.data)) == ("WrongImageLength", (784,))


def test_points_that_commit_to_nothing_are_refused():
    """At infinity, outside the subgroup (though on the curve), and with a coordinate that is not reduced."""
    case = shown()
    image = case.arguments()[1]
    assert case.refusal(*case.arguments(image=bytes(POINT))) == ("InputPointAtInfinity", (0,))
    assert case.refusal(*case.arguments(image=outside_subgroup())) == ("PrecompileFailed", (MSM,))
    unreduced = (int.from_bytes(image[:48], "big") + field_modulus).to_bytes(48, "big") + image[48:]
    assert case.refusal(*case.arguments(image=unreduced)) == ("PrecompileFailed", (MSM,))
    many = proven("hidden, ten parts")
    points = many.argument
    for number in (0, 4, 9):
        nowhere = points[: POINT * number] + bytes(POINT) + points[POINT * (number + 1) :]
        assert many.refusal(*many.arguments(image=nowhere)) == ("InputPointAtInfinity", (number,))
    swapped = points[POINT : 2 * POINT] + points[:POINT] + points[2 * POINT :]
    assert many.refusal(*many.arguments(image=swapped)) == FAILED
    low = points[: 9 * POINT] + outside_subgroup()
    assert many.refusal(*many.arguments(image=low))[0] == "PrecompileFailed"


def test_the_client_says_what_a_contract_cannot_see():
    """That the commitment is on another number of rows, or of other bytes; and which kind of input the model takes."""
    case, public = shown(), proven("class")
    chain, address, commitment = case.contract.chain, case.contract.address, case.models[0].commitment
    taller = hide(case.opened.data, 2048 if commitment.circuit.domain == 1024 else 1024).hidden
    for image, message in (
        (taller, f"the hidden input has 784 bytes on {taller.domain} rows, the circuit takes 784 on {commitment.circuit.domain}"),
        (replace(case.opened.hidden, inputs=783), f"the hidden input has 783 bytes on {commitment.circuit.domain} rows, the circuit takes 784 on {commitment.circuit.domain}"),
        (case.opened.data, "the input is public, the circuit takes a hidden one (`zkpredict hide`)"),
    ):
        with refuses(WrongStatement, message):
            verify_on_chain(chain, address, commitment, image, case.proofs[0])
    with refuses(WrongStatement, "the input is hidden, the circuit takes a public one"):
        verify_on_chain(public.contract.chain, public.contract.address, public.model.commitment, case.opened.hidden, public.proof)


BOTH = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;
import {IVerifier} from "./IVerifier.sol";

contract SameImage {
    struct Answer {
        bytes32 modelId;
        uint256 digit;
        bytes proof;
    }

    /// The answers of two models about one hidden input, whose commitment's hash is kept.
    function both(IVerifier verifier, bytes calldata image, Answer calldata one, Answer calldata other) external view returns (bytes32) {
        verifier.verifyOrRevert(one.modelId, image, one.digit, one.proof);
        verifier.verifyOrRevert(other.modelId, image, other.digit, other.proof);
        return keccak256(image);
    }
}
"""


def test_two_proofs_about_one_hidden_image_are_seen_to_be():
    """A contract asks for two models' answers about one commitment. About the same image hidden twice no two proofs are seen to be about one."""
    case = shown()
    interface = (SOURCES / "IVerifier.sol").read_text(encoding="utf-8")
    artifact = compile_sources({"SameImage.sol": BOTH, "IVerifier.sol": interface}, Settings.load())["SameImage"]
    consumer = Contract.deploy(case.contract.chain, artifact)[0]
    (one_id, image, one, first), (other_id, _, other, second) = case.arguments(0), case.arguments(1)
    assert (one, other) == (7, 2)
    assert len(consumer.call("both", case.contract.address, image, (one_id, one, first), (other_id, other, second))) == 32
    again = hide(case.opened.data, case.opened.hidden.domain)
    elsewhere = prove(case.models[1], again)
    linked = (other_id, elsewhere.digit, onchain_proof(elsewhere))
    assert case.refusal(other_id, b"".join(again.hidden.absorbed), *linked[1:]) == ("", ())
    for about in (image, b"".join(again.hidden.absorbed)):
        with pytest.raises(Reverted) as caught:
            consumer.call("both", case.contract.address, about, (one_id, one, first), linked)
        assert caught.value.named(case.contract.artifact).name == "OpeningFailed"


def test_on_a_real_node(anvil):
    """anvil with Prague rules: its precompile, too, looks at the subgroup of a point of the statement."""
    case = proven("hidden")
    commitment = case.model.commitment
    address = deploy_verifier(anvil, commitment.circuit).address
    register_model(anvil, address, commitment)
    assert verify_on_chain(anvil, address, commitment, case.checked, case.proof).accepted
    contract = Contract(anvil, address, case.contract.artifact)
    with pytest.raises(Reverted, match="PrecompileFailed"):
        contract.call("verifyOrRevert", *case.arguments(image=outside_subgroup()))
    moved = replace(case.checked, points=(case.checked.points[0] + G1.generator(),))
    assert verify_on_chain(anvil, address, commitment, moved, case.proof).reason == "OpeningFailed"
    assert np.frombuffer(case.argument, np.uint8).size == POINT
