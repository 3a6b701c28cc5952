"""Registering wide models: rows are checked and bound to the id in full; a model with many rows is registered in parts that anybody can
store, in any order, and nobody can spoil."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from eth_utils import keccak
from wide_cases import Case, network, proven

from zkpredict.circuits.networks.activations import RELU8, RationalRelu
from zkpredict.circuits.wide.claims import Claim, Kind
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import MAX_CODE_BYTES, Contract, Reverted
from zkpredict.contracts.verifier.client import (
    deploy_verifier, is_registered, register_model, registration, send_verification, verify_on_chain,
)
from zkpredict.contracts.verifier.encoding import FinalCheck
from zkpredict.contracts.verifier.generate import WIDE_INTERFACE, _settings, artifact, compile_sources, shipped, wide_sources
from zkpredict.contracts.verifier.wide.registration import PART_ROWS, part_id, parts_of, rows_of
from zkpredict.contracts.verifier.wide.numbers import wide_name
from zkpredict.prover.commit import commit_model
from zkpredict.prover.prove import prove
from zkpredict.verifier.transcript import MODEL_LABEL, context, keccak256

POINT = 96
MSM = "0x000000000000000000000000000000000000000C"
MANY = Case((1100, 880, 2), (RELU8,))
TRANSACTION_GAS = 16_700_000


@cache
def many():
    """A model of more than 255 rows, an image, and its proof."""
    model = commit_model(network(MANY), MANY.domain, placement="wide")
    image = np.random.default_rng(3).integers(0, 256, MANY.shape[0], dtype=np.uint8)
    return model, image, prove(model, image)


@cache
def creation():
    return deploy_verifier(EmbeddedChain(), many()[0].commitment.circuit).contract.artifact


def fresh() -> Contract:
    """Its verifier, with nothing registered."""
    contract, _ = Contract.deploy(EmbeddedChain(), creation())
    return Contract(contract.chain, contract.address, shipped(WIDE_INTERFACE))


def reverts(contract: Contract, function: str, *arguments: object) -> tuple[str, tuple]:
    with pytest.raises(Reverted) as caught:
        contract.transact(function, *arguments)
    return caught.value.name, caught.value.arguments


def test_parts_make_a_model_whoever_stores_them_in_whatever_order():
    model, image, proof = many()
    commitment, contract = model.commitment, fresh()
    parts = parts_of(commitment)
    assert len(commitment.rows) > PART_ROWS and len(parts) == 2
    first, second = parts
    receipt = contract.by(contract.chain.account(3)).transact("storeRows", parts[second])
    assert contract.events(receipt) == [("RowsStored", {"partId": second, "storer": contract.chain.account(3).sender.lower()})]
    assert [contract.call("isStored", own) for own in parts] == [False, True]
    assert reverts(contract, "storeRows", parts[second]) == ("AlreadyStored", (second,))
    assert reverts(contract, "registerParts", commitment.model_id, list(parts)) == ("UnknownPart", (first,))
    assert not is_registered(contract.chain, contract.address, commitment)
    refused = verify_on_chain(contract.chain, contract.address, commitment, image.tobytes(), proof)
    assert (refused.accepted, refused.reason, refused.arguments) == (False, "UnknownModel", (commitment.model_id,))
    receipts = list(registration(contract.chain, contract.address, commitment))  # what is left: one part, and the list
    assert len(receipts) == 2 and all(receipt.gas_used < TRANSACTION_GAS for receipt in receipts)
    assert is_registered(contract.chain, contract.address, commitment)
    assert verify_on_chain(contract.chain, contract.address, commitment, image.tobytes(), proof).accepted
    assert send_verification(contract.chain, contract.address, commitment, image.tobytes(), proof).gas_used < TRANSACTION_GAS
    image = image.copy()
    image[700] ^= 1
    refused = verify_on_chain(contract.chain, contract.address, commitment, image.tobytes(), proof)
    assert (refused.accepted, refused.reason) == (False, "OpeningFailed")
    assert reverts(contract, "registerParts", commitment.model_id, list(parts)) == ("AlreadyRegistered", (commitment.model_id,))
    with pytest.raises(Reverted, match="AlreadyRegistered"):
        register_model(contract.chain, contract.address, commitment)


def test_a_list_of_parts_that_is_not_the_model_is_refused():
    commitment, contract = many()[0].commitment, fresh()
    parts = parts_of(commitment)
    first, second = parts
    poison = rows_of(commitment)[POINT : POINT * (PART_ROWS + 1)]  # as many rows, others
    other = part_id(commitment.circuit, poison)
    for part in (*parts.values(), poison):
        contract.transact("storeRows", part)
    rows = len(commitment.rows) - PART_ROWS
    register = "registerParts", commitment.model_id
    assert reverts(contract, *register, [other, second])[0] == "WrongModelId"
    assert reverts(contract, *register, [second, first]) == ("WrongPartLength", (0, rows))
    assert reverts(contract, *register, [first, first]) == ("WrongPartLength", (1, PART_ROWS))
    assert reverts(contract, *register, [first]) == ("WrongPartCount", (1,))
    assert reverts(contract, *register, [first, second, second]) == ("WrongPartCount", (3,))
    # a model's id names no part, and a part's no model
    assert contract.call("isStored", commitment.model_id) is False and contract.call("isRegistered", first) is True
    assert contract.call("verify", first, bytes(MANY.shape[0]), 0, bytes(contract.call("PROOF_BYTES"))) is False
    contract.transact(*register, [first, second])
    assert contract.call("isRegistered", commitment.model_id) is True
    assert reverts(contract, "registerParts", bytes(32), [first, second])[1] == (commitment.model_id,)


def test_parts_are_checked_point_by_point():
    commitment, contract = many()[0].commitment, fresh()
    rows = rows_of(commitment)[: 4 * POINT]
    for length in (0, 1, POINT - 1, POINT + 1):
        assert reverts(contract, "storeRows", rows[:length]) == ("WrongRowsLength", (length,))
    assert reverts(contract, "storeRows", rows[:POINT] * (PART_ROWS + 1)) == ("WrongRowsLength", (POINT * (PART_ROWS + 1),))
    for place in (0, 3):
        infinite = rows[: POINT * place] + bytes(POINT) + rows[POINT * (place + 1) :]
        assert reverts(contract, "storeRows", infinite) == ("PointAtInfinity", (place,))
        off_curve = rows[: POINT * place] + bytes(47) + b"\x01" * 49 + rows[POINT * (place + 1) :]
        name, arguments = reverts(contract, "storeRows", off_curve)
        assert (name, arguments[0].lower()) == ("PrecompileFailed", MSM.lower())


def test_small_models_register_once_and_whole():
    case = proven("class")
    commitment, contract = case.model.commitment, case.contract
    rows = rows_of(commitment)
    assert reverts(contract, "register", rows) == ("AlreadyRegistered", (commitment.model_id,))
    for length in (0, len(rows) - 1, len(rows) - POINT, len(rows) + POINT):
        assert reverts(contract, "register", (rows + rows)[:length]) == ("WrongRowsLength", (length,))
    assert reverts(contract, "register", bytes(POINT) + rows[POINT:]) == ("PointAtInfinity", (0,))
    assert reverts(contract, "register", rows[:-1] + bytes([rows[-1] ^ 1]))[0] == "PrecompileFailed"


def test_two_ids_at_one_address_are_not_one_model():
    """An address has 160 bits: the rows that are read must hash to the id. With one address for all ids only that guard is left."""
    case = proven("class")
    circuit = case.model.commitment.circuit
    sources = wide_sources(circuit)
    formula = "data := shr(96, shl(96, keccak256(9, 23)))"
    assert sources["DataContracts.sol"].count(formula) == 1

    def verifier(address: str, *changes: tuple[str, str]) -> Contract:
        texts = dict(sources)
        texts["DataContracts.sol"] = texts["DataContracts.sol"].replace(formula, f"data := {address}")
        file = f"{wide_name(circuit)}.sol"
        for old, new in changes:
            assert texts[file].count(old) == 1
            texts[file] = texts[file].replace(old, new)
        artifact = compile_sources(texts, _settings())[wide_name(circuit)]
        return Contract.deploy(EmbeddedChain(), artifact)[0]

    other = rows_of(case.other)
    at = _first_data_contract(verifier("1").address, case.other.model_id)
    guarded = verifier(at)
    guarded.transact("register", other)
    question = case.arguments()
    with pytest.raises(Reverted) as caught:
        guarded.call("verifyOrRevert", *question)
    assert (caught.value.name, caught.value.arguments) == ("UnknownModel", (case.model.commitment.model_id,))
    unguarded = verifier(at, ("found := eq(keccak256(STATE, add(32, mul(ROWS, POINT_BYTES))), modelId)", "found := 1"))
    unguarded.transact("register", other)
    with pytest.raises(Reverted, match="OpeningFailed"):
        unguarded.call("verifyOrRevert", *question)


def _first_data_contract(registry: str, model_id: bytes) -> str:
    """Where a registry puts the rows of a model: EIP-1014, then the address of a first CREATE."""
    proxy_code = bytes.fromhex("67363d3d37363d34f03d5260086018f3")
    proxy = keccak(b"\xff" + bytes.fromhex(registry[2:]) + model_id + keccak(proxy_code))[12:]
    return "0x" + keccak(b"\xd6\x94" + proxy + b"\x01")[12:].hex()


@pytest.mark.parametrize("hidden", [False, True])
def test_the_code_of_eight_tracks_fits(hidden):
    """Sixteen layers on eight full tracks with six columns more for rational gates: the most that a contract serves. The same with the longest
    hidden input, whose commitment is 33 points."""
    widths = (50, 254, 53, 156, 530, 1041, 604, 611, 320, 4354, 29, 1125, 2476, 1385, 525, 352, 10)
    widths = (65_536, *widths[1:]) if hidden else widths
    circuit = WideCircuit(widths, (1,) * 15, (RationalRelu(4096),) * 15, 2048, Claim(Kind.MARGIN, 3), hidden)
    assert circuit.tracks == 8
    assert 20_000 < len(artifact(circuit).runtime) < MAX_CODE_BYTES


@pytest.mark.parametrize("check", FinalCheck)
def test_on_a_real_node(anvil, check):
    """anvil with Prague rules: deploy, register, verify, and refuse another image."""
    case = proven("class" if check is FinalCheck.POINT_EVALUATION else "rational, margin, pairing")
    commitment, image = case.model.commitment, case.image.tobytes()
    address = deploy_verifier(anvil, commitment.circuit, check).address
    register_model(anvil, address, commitment)
    assert is_registered(anvil, address, commitment)
    assert verify_on_chain(anvil, address, commitment, image, case.proof).accepted
    used = send_verification(anvil, address, commitment, image, case.proof).gas_used
    assert used == send_verification(case.contract.chain, case.contract.address, commitment, image, case.proof).gas_used
    wrong = bytes([image[0] ^ 1]) + image[1:]
    assert verify_on_chain(anvil, address, commitment, wrong, case.proof).reason == "OpeningFailed"


def test_an_id_that_hashes_nothing_registered_is_unknown():
    """Where there is no code everything reads as zero: rows at infinity, whose hash is an id that nobody could register."""
    case = proven("class")
    circuit = case.model.commitment.circuit
    empty = keccak256(context(MODEL_LABEL, circuit.digest) + bytes(POINT * circuit.total_rows))
    assert case.refusal(*case.arguments(model_id=empty)) == ("UnknownModel", (empty,))
