"""The universal verifier on real proofs of many shapes: the verdicts and errors of the contract made for the circuit, and what a hostile
owner, registrar or caller could try that there is nothing of in the others."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from eth_utils import keccak, to_checksum_address
from support import random_image, random_network, refuses
from verifier_mutations import Call, Refused, honest, negated, raw_calldata, refusals

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.layout import Circuit
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.compile import compile_sources
from zkpredict.contracts.verifier import generate
from zkpredict.contracts.verifier.client import deploy_universal, deploy_verifier, prepare_circuit, register_model, verify_on_chain
from zkpredict.contracts.verifier.encoding import FinalCheck, onchain_proof
from zkpredict.contracts.verifier.universal import registry_constants, universal_name, universal_source
from zkpredict.contracts.verifier.vectors import stored_statement
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.prover.prove import prove
from zkpredict.verifier.commitment import ModelCommitment

SHAPES = {
    "one hidden layer": ((100, 20, 3), None),
    "two hidden layers": ((784, 64, 32, 10), 2048),
    "no hidden layer": ((5, 3), None),
    "whole words": ((64, 4, 2), None),
    "five narrow layers": ((6, 5, 4, 3, 2), 1024),
    "one class": ((40, 11, 1), 2048),
    "many classes": ((33, 3, 18), 1024),
}
BUDGET = {1024: 289_487, 2048: 264_025}
"""15 % above the contracts that are made for 784-64-10."""


@cache
def deployed(check: FinalCheck) -> Contract:
    return deploy_universal(EmbeddedChain(), check).contract


def contract_of(check: FinalCheck = FinalCheck.POINT_EVALUATION) -> Contract:
    return deployed(check)


@cache
def model_of(name: str) -> Model:
    shape, domain = SHAPES[name]
    return commit_model(random_network(len(name), shape), domain)


def ready(commitment: ModelCommitment, check: FinalCheck = FinalCheck.POINT_EVALUATION) -> Contract:
    contract = contract_of(check)
    if not contract.call("isRegistered", commitment.model_id):
        prepare_circuit(contract.chain, contract.address, commitment.circuit)
        register_model(contract.chain, contract.address, commitment)
    return contract


def rows_of(commitment: ModelCommitment) -> bytes:
    return b"".join(row.to_uncompressed() for row in commitment.rows)


def refusal(contract: Contract, function: str, *arguments) -> tuple[str, tuple]:
    with pytest.raises(Reverted) as caught:
        contract.call(function, *arguments)
    return caught.value.name, tuple(str(a).lower() if isinstance(a, str) else a for a in caught.value.arguments)


@pytest.mark.parametrize("domain", [1024, 2048])
@pytest.mark.parametrize("check", FinalCheck)
def test_stored_statements_hold_and_every_change_is_refused(domain, check):
    statement = stored_statement("typical", domain)
    contract = ready(statement.commitment, check)
    other = ModelCommitment(statement.commitment.circuit, statement.commitment.rows[::-1])
    ready(other, check)
    for name in ("empty", "typical", "full"):
        found = stored_statement(name, domain)
        used = contract.transact("verifyOrRevert", *honest(found.commitment, found.image, found.proof, check).arguments).gas_used
        if check is FinalCheck.POINT_EVALUATION and name == "typical":
            assert used <= BUDGET[domain]
    call = honest(statement.commitment, statement.image, statement.proof, check)
    changes = list(refusals(call, statement.commitment.circuit, check, other.model_id))
    assert len(changes) > 60
    for change in changes if (domain, check) == (1024, FinalCheck.POINT_EVALUATION) else changes[::3]:
        assert (change.name, *refusal(contract, "verifyOrRevert", *change.call.arguments)) == (change.name, change.error, change.found)
    for change in changes[::4]:
        assert (change.name, contract.call("verify", *change.call.arguments)) == (change.name, False)


def test_every_shape_is_proven_and_every_change_refused():
    for number, name in enumerate(SHAPES):
        model = model_of(name)
        commitment, inputs = model.commitment, SHAPES[name][0][0]
        contract = ready(commitment)
        for image in (random_image(1, inputs), np.full(inputs, 255, np.uint8), np.zeros(inputs, np.uint8)):
            call = honest(commitment, image.tobytes(), prove(model, image))
            assert contract.call("verify", *call.arguments)
        for change in changes_of(call, commitment.circuit)[number % 3 :: 3]:
            found = refusal(contract, "verifyOrRevert", *change.call.arguments)
            assert (name, change.name, *found) == (name, change.name, change.error, change.found)


def changes_of(call: Call, circuit: Circuit) -> list[Refused]:
    """Every change that makes a false claim: with one class there is no other digit."""
    return [change for change in refusals(call, circuit) if not (circuit.classes == 1 and change.name == "another digit")]


@pytest.mark.parametrize("name", ["two hidden layers", "no hidden layer", "one class"])
def test_the_contract_made_for_the_circuit_gives_the_same_answers(name):
    model = model_of(name)
    commitment, image = model.commitment, random_image(7, SHAPES[name][0][0])
    own = deploy_verifier(EmbeddedChain(), commitment.circuit).contract
    register_model(own.chain, own.address, commitment)
    call = honest(commitment, image.tobytes(), prove(model, image))
    for change in changes_of(call, commitment.circuit)[::3]:
        answers = [refusal(contract, "verifyOrRevert", *change.call.arguments) for contract in (own, ready(commitment))]
        assert (change.name, answers[0]) == (change.name, answers[1])
    assert own.call("verify", *call.arguments) is ready(commitment).call("verify", *call.arguments) is True


def test_models_of_all_shapes_live_in_one_contract():
    for name in SHAPES:
        ready(model_of(name).commitment)
    contract = contract_of()
    for name in SHAPES:
        commitment = model_of(name).commitment
        assert contract.call("circuitOf", commitment.model_id) == commitment.circuit.digest
    assert contract.call("circuitOf", bytes(31) + b"\x01") == bytes(32)


def test_calldata_must_be_laid_out_as_an_abi_encoder_does():
    model = model_of("one hidden layer")
    image = random_image(3, 100)
    contract = ready(model.commitment)
    call = honest(model.commitment, image.tobytes(), prove(model, image))
    data = raw_calldata(contract.artifact, call)
    assert int.from_bytes(contract.chain.call(contract.address, data), "big") == 1
    selector = contract.artifact.encode("verifyOrRevert", *call.arguments)[:4]

    def strict(changed: bytes) -> bytes:
        with pytest.raises(Reverted) as caught:
            contract.chain.call(contract.address, selector + changed[4:])
        assert int.from_bytes(contract.chain.call(contract.address, changed), "big") == 0
        return caught.value.data

    assert strict(data + bytes(32))[:4] == keccak(b"WrongCalldataLength(uint256)")[:4]
    for place in (164 + 100, 164 + 127, -16, -1):  # padding of the image and of the proof
        padded = bytearray(data)
        padded[place] = 1
        assert strict(bytes(padded)) == keccak(b"WrongCalldataLayout()")[:4]
    image_part, proof_part = data[132:292], data[292:]  # proof before image: the same arguments, another encoding
    moved = data[:36] + (128 + len(proof_part)).to_bytes(32, "big") + data[68:100] + (128).to_bytes(32, "big") + proof_part + image_part
    assert len(moved) == len(data) and strict(moved) == keccak(b"WrongCalldataLayout()")[:4]


def test_a_model_needs_a_registered_circuit_and_its_number_of_rows():
    contract = deploy_universal(EmbeddedChain()).contract
    commitment = model_of("one hidden layer").commitment
    digest, rows = commitment.circuit.digest, rows_of(commitment)
    assert refusal(contract, "register", digest, rows) == ("UnknownCircuit", (digest,))
    assert refusal(contract, "register", bytes(32), b"") == ("UnknownCircuit", (bytes(32),))
    message = f"the universal verifier at {contract.address} does not know circuit {digest.hex()} yet: register it first"
    with refuses(UnusableInput, message):
        register_model(contract.chain, contract.address, commitment)
    assert prepare_circuit(contract.chain, contract.address, commitment.circuit) is not None
    assert prepare_circuit(contract.chain, contract.address, commitment.circuit) is None
    for length in (0, len(rows) - 96, len(rows) - 1, len(rows) + 96):
        assert refusal(contract, "register", digest, (rows * 2)[:length]) == ("WrongRowsLength", (length,))
    for bad, error in ((bytes(96), "PointAtInfinity"), (b"\xff" * 96, "PrecompileFailed"), (rows[:47] + b"\x00" + rows[48:96], "PrecompileFailed")):
        for place in (0, len(rows) - 96):
            assert refusal(contract, "register", digest, rows[:place] + bad + rows[place + 96 :])[0] == error
    contract.transact("register", digest, rows)
    assert refusal(contract, "register", digest, rows) == ("AlreadyRegistered", (commitment.model_id,))


def test_one_model_under_another_circuit_is_another_model():
    """Rows of one circuit, registered for another with as many rows: the id says which, so a proof for one is none for the other."""
    model = model_of("one hidden layer")
    image = random_image(4, 100)
    proof = prove(model, image)
    circuit = model.commitment.circuit
    others = [replace(circuit, widths=(100, 19, 3)), replace(circuit, widths=(100, 20, 4)), replace(circuit, domain=2048)]
    others += [replace(circuit, widths=(99, 20, 3)), replace(circuit, lanes=(2, 2), widths=(100, 10, 3))]
    contract = ready(model.commitment)
    kept = [other for other in others if other.total_rows == circuit.total_rows]
    assert len(kept) >= 3
    for other in kept:
        commitment = ModelCommitment(other, model.commitment.rows)
        assert commitment.model_id != model.commitment.model_id
        ready(commitment)
        data = image.tobytes()[: other.inputs]
        call = Call(commitment.model_id, data, proof.digit, onchain_proof(proof))
        assert refusal(contract, "verifyOrRevert", *call.arguments) == ("OpeningFailed", ())


def test_an_id_of_rows_that_nobody_registered_is_unknown():
    """The model of all-zero rows: what memory holds where no code is. Its id is known to everybody, and must be no model's."""
    contract = ready(model_of("one hidden layer").commitment)
    circuit = model_of("one hidden layer").commitment.circuit
    for digest in (bytes(32), circuit.digest):
        for count in (0, circuit.total_rows):
            unregistered = keccak(keccak(b"zkpredict model v1" + digest) + bytes(96 * count))
            call = (unregistered, bytes(100), 0, bytes(880))
            assert refusal(contract, "verifyOrRevert", *call) == ("UnknownModel", (unregistered,))
    for unregistered in (keccak(bytes(32)), circuit.digest, bytes(32)):
        assert contract.call("verify", unregistered, bytes(100), 0, bytes(880)) is False


def with_changed(*changes: tuple[str, str, str]) -> Contract:
    """The universal verifier with pieces of its sources, by file, replaced by others."""
    name = universal_name()
    files = generate._with_shared({f"{name}.sol": universal_source()})
    for file, old, new in changes:
        assert files[f"{file}.sol"].count(old) == 1
        files[f"{file}.sol"] = files[f"{file}.sol"].replace(old, new)
    return Contract.deploy(EmbeddedChain(), compile_sources(files, generate._settings(), strict=False)[name])[0]


def test_rows_must_hash_to_the_id():
    """Without that check, two ids at one address (2^80 tries) are one model; the check is what refuses them."""
    model, other = model_of("one hidden layer"), commit_model(random_network(9, (100, 20, 3)))
    image = random_image(5, 100)
    proof = prove(other, image)
    found = "found := eq(keccak256(STATE, add(32, mul(rows, POINT_BYTES))), modelId)"
    address = "data := shr(96, shl(96, keccak256(9, 23)))"
    place = data_contract(deploy_universal(EmbeddedChain()).address, other.commitment.model_id)
    for guard, verdict in ((found, "UnknownModel"), ("found := 1", "OpeningFailed")):
        # every id has the address of the other model's data
        colliding = with_changed(("UniversalVerifier", found, guard), ("DataContracts", address, f"data := {place}"))
        prepare_circuit(colliding.chain, colliding.address, other.commitment.circuit)
        colliding.transact("register", other.commitment.circuit.digest, rows_of(other.commitment))
        question = model.commitment.model_id, image.tobytes(), proof.digit, onchain_proof(proof)
        assert refusal(colliding, "verifyOrRevert", *question)[0] == verdict
        assert colliding.call("verify", other.commitment.model_id, *question[1:])


def data_contract(registry: str, model_id: bytes) -> str:
    """EIP-1014, then the address of a first CREATE, with the checksum that Solidity wants of a literal."""
    proxy = keccak(b"\xff" + bytes.fromhex(registry[2:]) + model_id + keccak(bytes.fromhex("67363d3d37363d34f03d5260086018f3")))[12:]
    return to_checksum_address(keccak(b"\xd6\x94" + proxy + b"\x01")[12:])


ALIASES = {
    "trailing bytes": (
        "if (circuit.length != HEADER_BYTES + 4 * (layers + 1) + layers) revert WrongCircuitLength(circuit.length);",
        Circuit((4, 2), (2,), 1024).to_bytes() + b"\x00",
        "WrongCircuitLength",
    ),
    "magic": (
        "if (bytes5(circuit) != MAGIC) revert WrongCircuitMagic(bytes5(circuit));",
        b"xkpC\x01" + Circuit((4, 2), (2,), 1024).to_bytes()[5:],
        "WrongCircuitMagic",
    ),
}


@pytest.mark.parametrize("name", ALIASES)
def test_no_circuit_has_two_digests(name):
    """Without the guard, the registry would store what it derives of one circuit under the digest of other bytes too."""
    guard, data, error = ALIASES[name]
    contract = contract_of()
    assert refusal(contract, "registerCircuit", data)[0] == error
    loose = with_changed(("CircuitRegistry", guard, ""))
    loose.transact("registerCircuit", data)
    alias = keccak(b"zkpredict circuit v1" + data)
    assert int(loose.call("circuitData", alias), 16) != 0


def test_packs_that_do_not_fit_would_overlap():
    """Without the limit, groups share rows: a logit and a difference would be one cell, and the argmax would say nothing."""
    guard = "if (needed > total) revert TooManyPacks(needed, total);"
    widths, lanes = (4, 40, 40, 41), b"\x01\x01\x02"
    data = b"zkpC\x01\x00\x04\x03" + b"".join(w.to_bytes(4, "little") for w in widths) + lanes
    assert refusal(contract_of(), "registerCircuit", data) == ("TooManyPacks", (40, 16))
    loose = with_changed(("CircuitRegistry", guard, ""))
    loose.transact("registerCircuit", data)
    stored = loose.chain.code(loose.call("circuitData", keccak(b"zkpredict circuit v1" + data)))
    at = registry_constants()
    logit, difference = (stored[1 + at[n] - at["DERIVED"] :][:32] for n in ("LOGIT_POLE", "DIFFERENCE_POLE"))
    assert logit == difference  # one residue for two groups


def test_circuit_data_is_the_contracts_own_and_never_replaced():
    contract = deploy_universal(EmbeddedChain()).contract
    circuit = Circuit((100, 20, 3), (1, 2), 1024)
    contract.transact("registerCircuit", circuit.to_bytes())
    place = contract.call("circuitData", circuit.digest)
    code = contract.chain.code(place)
    assert contract.chain.call(place, b"\xff" * 4) == b"" and contract.chain.code(place) == code  # STOP
    with pytest.raises(Reverted):
        contract.transact("registerCircuit", circuit.to_bytes())
    assert (contract.call("circuitData", circuit.digest), contract.chain.code(place)) == (place, code)


def test_other_forms_of_a_proof_do_not_pass():
    """A pairing proof at the point evaluation contract, and a sum whose fixed point is replaced, are refused."""
    statement = stored_statement("typical", 1024)
    contract = ready(statement.commitment)
    call = honest(statement.commitment, statement.image, statement.proof, FinalCheck.PAIRING)
    assert refusal(contract, "verifyOrRevert", *call.arguments) == ("WrongProofLength", (928,))
    call = honest(statement.commitment, statement.image, statement.proof)
    flipped = replace(call, proof=negated(call.proof[:96]) + call.proof[96:])
    assert refusal(contract, "verifyOrRevert", *flipped.arguments) == ("OpeningFailed", ())


def test_deployment_serves_all_for_less_than_five_million():
    for check in FinalCheck:
        deployed = deploy_universal(EmbeddedChain(), check)
        assert deployed.receipt.gas_used < 5_000_000
        assert len(deployed.contract.artifact.runtime) < 24_576


def test_the_client_says_what_the_contract_says():
    model = model_of("five narrow layers")
    image = random_image(6, 6)
    proof = prove(model, image)
    contract = deploy_universal(EmbeddedChain()).contract
    ask = (contract.chain, contract.address, model.commitment, image.tobytes())
    assert verify_on_chain(*ask, proof).reason == "UnknownModel"
    prepare_circuit(contract.chain, contract.address, model.commitment.circuit)
    register_model(contract.chain, contract.address, model.commitment)
    assert verify_on_chain(*ask, proof).accepted
    assert verify_on_chain(*ask, replace(proof, digit=(proof.digit + 1) % 2)).reason == "OpeningFailed"


def test_a_circuit_whose_data_cannot_be_stored_is_not_registered():
    """The init code is made to fail. Without the check, the event would say that a circuit is registered of which nothing is kept."""
    circuit = Circuit((100, 20, 3), (1, 2), 1024)
    failing = ("CircuitRegistry", 'hex"80600a5f395ff3", data);\n        assembly', 'hex"80600a5f395ffd", data);\n        assembly')
    check = "if (made == address(0) || made.code.length != data.length) revert CircuitNotStored();"
    contract = with_changed(failing)
    assert refusal(contract, "registerCircuit", circuit.to_bytes()) == ("CircuitNotStored", ())
    loose = with_changed(failing, ("CircuitRegistry", check, ""))
    receipt = loose.transact("registerCircuit", circuit.to_bytes())
    assert loose.events(receipt)[0][0] == "CircuitRegistered" and int(loose.call("circuitData", circuit.digest), 16) == 0


def test_data_without_code_is_an_unknown_model():
    """Were a circuit's data at an address without code, everything would read as zero: no rows, context zero, an id that anybody can compute."""
    circuit = Circuit((100, 20, 3), (1, 2), 1024)
    stored = "circuitData[circuitDigest] = _storeDerived(_derive(shape, circuitDigest));"
    lost = with_changed(("CircuitRegistry", stored, "_derive(shape, circuitDigest); circuitData[circuitDigest] = address(0x1234);"))
    lost.transact("registerCircuit", circuit.to_bytes())
    assert refusal(lost, "register", circuit.digest, b"")[0] == "PrecompileFailed"
    assert refusal(lost, "register", circuit.digest, bytes(96)) == ("WrongRowsLength", (96,))
    for model_id in (keccak(bytes(32)), keccak(b""), circuit.digest):
        assert refusal(lost, "verifyOrRevert", model_id, b"", 0, bytes(880)) == ("UnknownModel", (model_id,))
