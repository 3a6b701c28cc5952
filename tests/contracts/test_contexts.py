"""Proofs for somebody, on every kind of verifier contract: under another context, under none, or sent by another caller they do not hold, and a
proof without a context holds under none, not even zeros."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from support import random_image, random_network, refuses
from wide_cases import proven

from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.compile import Settings, compile_sources
from zkpredict.contracts.verifier.client import (
    deploy_universal, deploy_verifier, prepare_circuit, register_model, send_verification, verify_on_chain,
)
from zkpredict.contracts.verifier.encoding import FinalCheck, onchain_input, onchain_proof
from zkpredict.contracts.verifier.generate import SOURCES
from zkpredict.prover.commit import commit_model
from zkpredict.prover.hiding import OpenedInput
from zkpredict.prover.model import Model
from zkpredict.prover.prove import prove
from zkpredict.verifier.errors import WrongStatement
from zkpredict.verifier.messages import Proof
from zkpredict.verifier.native import verify

CONTEXT, OTHER = b"\x07" * 32, b"\x07" * 31 + b"\x08"
FAILED = ("OpeningFailed", ())
WORD = 32


@dataclass(frozen=True)
class Case:
    """A contract that knows a model, an image (or what opens a hidden one), and a proof for `CONTEXT` beside one for nobody."""

    contract: Contract
    model: Model
    image: bytes | OpenedInput
    ours: Proof
    plain: Proof
    check: FinalCheck

    @property
    def checked(self):
        return self.image.hidden if isinstance(self.image, OpenedInput) else self.image

    def arguments(self, proof: Proof, **changed: object) -> tuple:
        circuit, commitment = self.model.commitment.circuit, self.model.commitment
        given = {
            "model_id": commitment.model_id, "image": onchain_input(circuit, self.checked), "digit": proof.digit,
            "encoded": onchain_proof(proof, self.check),
        }
        return tuple((given | changed).values())

    def refusal(self, function: str, *arguments: object) -> tuple[str, tuple]:
        try:
            self.contract.call(function, *arguments)
        except Reverted as refusal:
            return refusal.name, refusal.arguments
        return "", ()


@cache
def small() -> tuple[Model, bytes, Proof, Proof]:
    model = commit_model(random_network(3, (784, 64, 10)), 1024)
    image = random_image(5, 784)
    return model, image.tobytes(), prove(model, image, context=CONTEXT), prove(model, image)


@cache
def case_of(name: str) -> Case:
    check = FinalCheck.PAIRING if "pairing" in name else FinalCheck.POINT_EVALUATION
    if name.startswith("wide"):
        wide = proven("hidden" if "hidden" in name else "class")
        image = wide.opened if "hidden" in name else wide.image.tobytes()
        ours = prove(wide.model, wide.opened, context=CONTEXT)
        return Case(wide.contract, wide.model, image, ours, wide.proof, check)
    model, image, ours, plain = small()
    deployed = deploy_universal(EmbeddedChain(), check) if "universal" in name else deploy_verifier(EmbeddedChain(), model.commitment.circuit, check)
    contract = deployed.contract
    prepare_circuit(contract.chain, contract.address, model.commitment.circuit)
    register_model(contract.chain, contract.address, model.commitment)
    return Case(contract, model, image, ours, plain, check)


KINDS = ("compact", "compact, pairing", "universal", "universal, pairing", "wide", "wide, hidden")


@pytest.fixture(params=KINDS)
def case(request) -> Case:
    return case_of(request.param)


def test_a_proof_for_somebody_is_for_nobody_else(case):
    chain, address, commitment = case.contract.chain, case.contract.address, case.model.commitment
    verify(commitment, case.checked, case.ours, CONTEXT)
    assert case.contract.call("verifyFor", *case.arguments(case.ours), CONTEXT) is True
    assert case.refusal("verifyForOrRevert", *case.arguments(case.ours), CONTEXT) == ("", ())
    assert verify_on_chain(chain, address, commitment, case.checked, case.ours, context=CONTEXT).accepted
    assert send_verification(chain, address, commitment, case.checked, case.ours, context=CONTEXT).gas_used > 0
    for other in (OTHER, bytes(WORD)):  # replayed
        assert case.contract.call("verifyFor", *case.arguments(case.ours), other) is False
        assert case.refusal("verifyForOrRevert", *case.arguments(case.ours), other) == FAILED
        assert verify_on_chain(chain, address, commitment, case.checked, case.ours, context=other).reason == "OpeningFailed"
    assert case.refusal("verifyOrRevert", *case.arguments(case.ours)) == FAILED  # dropped
    assert case.contract.call("verify", *case.arguments(case.ours)) is False
    assert case.contract.call("verify", *case.arguments(case.plain)) is True
    for given in (CONTEXT, bytes(WORD)):  # no context is not the zero context
        assert case.contract.call("verifyFor", *case.arguments(case.plain), given) is False
        assert case.refusal("verifyForOrRevert", *case.arguments(case.plain), given) == FAILED
    with refuses(WrongStatement, "the context has 31 bytes, expected 32 or none"):
        verify_on_chain(chain, address, commitment, case.checked, case.ours, context=CONTEXT[1:])


def test_each_refusal_keeps_its_name(case):
    """Through the call that the contract makes to itself."""
    encoded, classes = onchain_proof(case.ours, case.check), case.model.commitment.circuit.classes
    image = case.arguments(case.ours)[1]
    scalars = 96 * (len(case.ours.points) - 1)
    for changed, error in (
        ({"image": image + b"\0"}, ("WrongImageLength", (len(image) + 1,))),
        ({"encoded": encoded[:-1]}, ("WrongProofLength", (len(encoded) - 1,))),
        ({"digit": classes}, ("WrongDigit", (classes,))),
        ({"model_id": OTHER}, ("UnknownModel", (OTHER,))),
        ({"encoded": bytes(96) + encoded[96:]}, ("PointAtInfinity", (0,))),
        ({"encoded": encoded[:scalars] + b"\xff" * WORD + encoded[scalars + WORD :]}, ("ScalarNotCanonical", (0,))),
    ):
        assert case.refusal("verifyForOrRevert", *case.arguments(case.ours, **changed), CONTEXT) == error
        assert case.contract.call("verifyFor", *case.arguments(case.ours, **changed), CONTEXT) is False
    name, arguments = case.refusal("verifyForOrRevert", *case.arguments(case.ours, encoded=b"\0" * 95 + b"\1" + encoded[96:]), CONTEXT)
    assert name in ("PointAtInfinity", "PrecompileFailed") and len(arguments) == 1


def test_calldata_is_one_string_of_bytes(case):
    """A context behind the calldata of the other functions is nobody's; that of these has no byte more or less, nor other padding."""
    chain, address, artifact = case.contract.chain, case.contract.address, case.contract.artifact

    def asked(data: bytes) -> int:
        return int.from_bytes(chain.call(address, data), "big")

    assert asked(artifact.encode("verify", *case.arguments(case.ours)) + CONTEXT) == 0
    strict = artifact.encode("verifyOrRevert", *case.arguments(case.ours)) + CONTEXT
    with pytest.raises(Reverted) as caught:
        chain.call(address, strict)
    assert caught.value.named(artifact).name == "WrongCalldataLength"
    data = artifact.encode("verifyFor", *case.arguments(case.ours), CONTEXT)
    assert asked(data) == 1
    assert asked(data + bytes(WORD)) == 0
    if len(onchain_proof(case.ours, case.check)) % WORD:
        assert asked(data[:-1] + b"\1") == 0
    place = 4 + WORD
    further = (int.from_bytes(data[place : place + WORD], "big") + WORD).to_bytes(WORD, "big")
    with pytest.raises(Reverted):  # the image's first word is no length
        chain.call(address, data[:place] + further + data[place + WORD :])
    with pytest.raises(Reverted):  # bytes of the proof are missing: they are not made up of the context
        chain.call(address, data[:-WORD])
    plain = artifact.encode("verifyFor", *case.arguments(case.plain), CONTEXT)
    with pytest.raises(Reverted):
        chain.call(address, plain[:-WORD])


CALLER = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;
import {IVerifier} from "./IVerifier.sol";

contract PerCaller {
    mapping(bytes32 => bool) public done;

    /// Takes a proof that was made for whoever sends it, and for this job, once.
    function claim(IVerifier verifier, bytes32 modelId, bytes calldata image, uint256 digit, bytes calldata proof, uint256 job) external {
        bytes32 context = keccak256(abi.encode(address(this), msg.sender, job));
        require(!done[context], "done");
        done[context] = true;
        verifier.verifyForOrRevert(modelId, image, digit, proof, context);
    }
}
"""


@cache
def per_caller():
    interface = (SOURCES / "IVerifier.sol").read_text(encoding="utf-8")
    return compile_sources({"PerCaller.sol": CALLER, "IVerifier.sol": interface}, Settings.load())["PerCaller"]


@pytest.mark.parametrize("name", ["compact", "universal", "wide, hidden"])
def test_a_proof_of_another_caller_is_refused(name):
    """A contract that takes proofs for whoever sends them: nobody can send what he saw in another's transaction."""
    from eth_abi import encode
    from eth_utils import keccak

    case = case_of(name)
    chain = case.contract.chain
    consumer = Contract.deploy(chain, per_caller())[0]
    mine = keccak(encode(["address", "address", "uint256"], [consumer.address, chain.sender, 17]))
    image = case.image if isinstance(case.image, OpenedInput) else np.frombuffer(case.image, np.uint8)
    proof = prove(case.model, image, context=mine)
    arguments = (case.contract.address, *case.arguments(proof))
    other = Contract(chain.account(1), consumer.address, per_caller())
    for sender, job in ((other, 17), (consumer, 18)):
        with pytest.raises(Reverted) as caught:
            sender.transact("claim", *arguments, job)
        assert caught.value.named(case.contract.artifact).name == "OpeningFailed"
    assert consumer.transact("claim", *arguments, 17).gas_used > 0
    with pytest.raises(Reverted, match="done"):
        consumer.transact("claim", *arguments, 17)
