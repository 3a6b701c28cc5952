"""The generated contracts on real proofs: what holds is accepted, every change is refused by name, as in the native verifier."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from eth_utils import keccak
from support import random_image, random_network
from verifier_mutations import changed_proofs, honest, natively_accepted, raw_calldata, refusals

from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.verifier.client import deploy_verifier, register_model
from zkpredict.contracts.verifier.encoding import FinalCheck, onchain_proof
from zkpredict.contracts.verifier.vectors import stored_statement
from zkpredict.prover.commit import commit_model
from zkpredict.prover.prove import prove
from zkpredict.verifier.commitment import ModelCommitment

SHAPES = {
    "100-20-3": ((100, 20, 3), None),
    "two hidden layers": ((784, 64, 32, 10), 2048),
    "no hidden layer": ((5, 3), None),
    "whole words": ((64, 4, 2), None),
}
MANY = 50


@cache
def deployed(domain: int, check: FinalCheck) -> tuple[Contract, bytes]:
    """The shipped contract with two models, and the second one's id."""
    statement = stored_statement("typical", domain)
    contract = deploy_verifier(EmbeddedChain(), statement.commitment.circuit, check).contract
    register_model(contract.chain, contract.address, statement.commitment)
    other = ModelCommitment(statement.commitment.circuit, statement.commitment.rows[::-1])
    register_model(contract.chain, contract.address, other)
    return contract, other.model_id


def refusal(contract: Contract, arguments: tuple) -> tuple[str, tuple]:
    with pytest.raises(Reverted) as caught:
        contract.call("verifyOrRevert", *arguments)
    return caught.value.name, tuple(str(a).lower() if isinstance(a, str) else a for a in caught.value.arguments)


@pytest.mark.parametrize("check", FinalCheck)
@pytest.mark.parametrize("domain", [1024, 2048])
@pytest.mark.parametrize("name", ["empty", "typical", "full"])
def test_a_true_claim_is_accepted(domain, check, name):
    contract, _ = deployed(domain, check)
    statement = stored_statement(name, domain)
    call = honest(statement.commitment, statement.image, statement.proof, check)
    assert natively_accepted(statement.commitment, statement.image, statement.proof)
    assert contract.call("verify", *call.arguments) is True
    contract.call("verifyOrRevert", *call.arguments)


@pytest.mark.parametrize(("domain", "check"), [(1024, FinalCheck.POINT_EVALUATION), (2048, FinalCheck.PAIRING)])
def test_every_change_is_refused_with_its_error(domain, check):
    contract, other_model = deployed(domain, check)
    statement = stored_statement("typical", domain)
    call = honest(statement.commitment, statement.image, statement.proof, check)
    changes = list(refusals(call, statement.commitment.circuit, check, other_model))
    assert len(changes) > 60
    for change in changes:
        assert (change.name, *refusal(contract, change.call.arguments)) == (change.name, change.error, change.found)
        assert (change.name, contract.call("verify", *change.call.arguments)) == (change.name, False)
    contract.call("verifyOrRevert", *call.arguments)


def test_the_native_verifier_gives_the_same_verdicts():
    contract, _ = deployed(1024, FinalCheck.POINT_EVALUATION)
    statement = stored_statement("typical", 1024)
    commitment, image = statement.commitment, statement.image
    assert contract.call("verify", *honest(commitment, image, statement.proof).arguments)
    for name, proof in changed_proofs(statement.proof, commitment.circuit.classes):
        verdicts = contract.call("verify", *honest(commitment, image, proof).arguments), natively_accepted(commitment, image, proof)
        assert (name, verdicts) == (name, (False, False))


def test_calldata_must_be_laid_out_as_an_abi_encoder_does():
    contract, _ = deployed(1024, FinalCheck.POINT_EVALUATION)
    statement = stored_statement("typical", 1024)
    call = honest(statement.commitment, statement.image, statement.proof)
    data = raw_calldata(contract.artifact, call)
    accept = contract.chain.call(contract.address, data)
    assert int.from_bytes(accept, "big") == 1
    assert int.from_bytes(contract.chain.call(contract.address, data + bytes(32)), "big") == 0
    # proof before image: the same arguments, another encoding
    image, proof = data[132:964], data[964:]
    moved = data[:36] + (128 + len(proof)).to_bytes(32, "big") + data[68:100] + (128).to_bytes(32, "big") + proof + image
    assert len(moved) == len(data)
    assert int.from_bytes(contract.chain.call(contract.address, moved), "big") == 0
    strict = contract.artifact.encode("verifyOrRevert", *call.arguments)[:4]
    for wrong, name in ((data[4:] + bytes(32), "WrongCalldataLength"), (moved[4:], "WrongCalldataLayout")):
        with pytest.raises(Reverted) as caught:
            contract.chain.call(contract.address, strict + wrong)
        assert caught.value.named(contract.artifact).name == name
    for cut in (1, 16):  # only padding is missing
        assert int.from_bytes(contract.chain.call(contract.address, data[:-cut]), "big") == 0
    for cut in (17, 500, len(data) - 4):  # the ABI decoder stops by itself where an argument ends early
        with pytest.raises(Reverted):
            contract.chain.call(contract.address, data[:-cut])


@pytest.mark.parametrize("place", [164 + 784, 164 + 799, -16, -1])
def test_padding_of_the_last_word_must_be_zero(place):
    """ABI encoders write zeros after image and proof: a statement with its proof is one string of bytes."""
    contract, _ = deployed(1024, FinalCheck.POINT_EVALUATION)
    statement = stored_statement("typical", 1024)
    data = bytearray(raw_calldata(contract.artifact, honest(statement.commitment, statement.image, statement.proof)))
    assert int.from_bytes(contract.chain.call(contract.address, bytes(data)), "big") == 1
    data[place] = 1
    assert int.from_bytes(contract.chain.call(contract.address, bytes(data)), "big") == 0
    selector = contract.artifact.encode("verifyOrRevert", *honest(statement.commitment, statement.image, statement.proof).arguments)[:4]
    with pytest.raises(Reverted) as caught:
        contract.chain.call(contract.address, selector + bytes(data[4:]))
    assert caught.value.data == keccak(b"WrongCalldataLayout()")[:4]


@pytest.mark.parametrize("name", SHAPES)
def test_other_shapes_go_through_the_generator(name):
    shape, domain = SHAPES[name]
    model = commit_model(random_network(len(name), shape), domain)
    commitment = model.commitment
    contract = deploy_verifier(EmbeddedChain(), commitment.circuit).contract
    register_model(contract.chain, contract.address, commitment)
    for image in (random_image(1, shape[0]), np.full(shape[0], 255, np.uint8), np.zeros(shape[0], np.uint8)):
        proof = prove(model, image)
        call = honest(commitment, image.tobytes(), proof)
        assert contract.call("verify", *call.arguments)
        other = replace(call, digit=(call.digit + 1) % shape[-1])
        assert refusal(contract, other.arguments) == ("OpeningFailed", ())
    for change in refusals(call, commitment.circuit):
        assert (change.name, *refusal(contract, change.call.arguments)) == (change.name, change.error, change.found)


def test_many_proofs_and_their_changes_on_anvil(anvil, mnist, mnist_images):
    """Fifty images; each proof is accepted, and refused after each of 24 changes, another third of all changes each time."""
    commitment = mnist.commitment
    contract = deploy_verifier(anvil, commitment.circuit).contract
    register_model(anvil, contract.address, commitment)
    other = ModelCommitment(commitment.circuit, commitment.rows[::-1])
    register_model(anvil, contract.address, other)
    tried = set()
    for number, image in enumerate(mnist_images[:MANY]):
        call = honest(commitment, image.tobytes(), prove(mnist, image))
        assert contract.call("verify", *call.arguments)
        changes = list(refusals(call, commitment.circuit, other_model=other.model_id))
        chosen = changes[number % 3 :: 3]
        assert len(chosen) > 20
        for change in chosen:
            assert (change.name, contract.call("verify", *change.call.arguments)) == (change.name, False)
        tried |= {change.name for change in chosen}
    assert tried >= {change.name for change in changes}


def test_anvil_gives_the_same_verdicts_errors_and_gas(anvil):
    statement = stored_statement("typical", 1024)
    embedded, other_model = deployed(1024, FinalCheck.POINT_EVALUATION)
    contract = deploy_verifier(anvil, statement.commitment.circuit).contract
    for rows in (statement.commitment.rows, statement.commitment.rows[::-1]):
        register_model(anvil, contract.address, ModelCommitment(statement.commitment.circuit, rows))
    call = honest(statement.commitment, statement.image, statement.proof)
    used = [c.transact("verifyOrRevert", *call.arguments).gas_used for c in (embedded, contract)]
    assert used[0] == used[1] < 260_000
    for change in refusals(call, statement.commitment.circuit, other_model=other_model):
        assert (change.name, *refusal(contract, change.call.arguments)) == (change.name, change.error, change.found)


def test_proof_bytes_have_one_length():
    statement = stored_statement("typical", 1024)
    assert {check: len(onchain_proof(statement.proof, check)) for check in FinalCheck} == {
        FinalCheck.POINT_EVALUATION: 880,
        FinalCheck.PAIRING: 928,
    }
