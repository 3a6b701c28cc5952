"""The registry of a verifier: what it stores, under which name, and everything it refuses."""

from __future__ import annotations

from functools import cache

import pytest
from verifier_mutations import MSM, honest, negated, outside_subgroup

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.layout import Circuit
from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.chain.precompiles import FIELD_PRIME
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.verifier.client import deploy_verifier, is_registered, register_model, verifier_at, verify_on_chain
from zkpredict.contracts.verifier.vectors import stored_statement
from zkpredict.kernel import G1
from zkpredict.verifier.commitment import ModelCommitment


@pytest.fixture
def contract() -> Contract:
    return deploy_verifier(EmbeddedChain(), commitment().circuit).contract


@cache
def commitment() -> ModelCommitment:
    return stored_statement("typical", 1024).commitment


def rows() -> bytes:
    return b"".join(row.to_uncompressed() for row in commitment().rows)


def refused(contract: Contract, data: bytes) -> tuple[str, tuple]:
    with pytest.raises(Reverted) as caught:
        contract.transact("register", data)
    return caught.value.name, tuple(str(a).lower() if isinstance(a, str) else a for a in caught.value.arguments)


def test_a_model_gets_the_id_that_python_computes(contract):
    assert not is_registered(contract.chain, contract.address, commitment())
    receipt = register_model(contract.chain, contract.address, commitment())
    event = {"modelId": commitment().model_id, "registrar": contract.chain.sender.lower()}
    assert contract.events(receipt) == [("ModelRegistered", event)]
    assert is_registered(contract.chain, contract.address, commitment())


def test_a_second_registration_is_refused_and_changes_nothing(contract):
    register_model(contract.chain, contract.address, commitment())
    again = ("AlreadyRegistered", (commitment().model_id,))
    assert refused(contract, rows()) == again
    assert refused(contract.by(contract.chain.account(1)), rows()) == again
    statement = stored_statement("typical", 1024)
    assert contract.call("verify", *honest(statement.commitment, statement.image, statement.proof).arguments)


def test_anyone_may_register_and_a_model_lives_in_one_contract_only(contract):
    other = contract.by(contract.chain.account(3))
    other.transact("register", rows())
    assert contract.call("isRegistered", commitment().model_id)
    second = deploy_verifier(contract.chain, commitment().circuit).contract
    assert not second.call("isRegistered", commitment().model_id)
    statement = stored_statement("typical", 1024)
    call = honest(statement.commitment, statement.image, statement.proof)
    assert (contract.call("verify", *call.arguments), second.call("verify", *call.arguments)) == (True, False)


@pytest.mark.parametrize("length", [0, 95, 96, 7 * 96, 8 * 96 - 1, 8 * 96 + 1, 9 * 96])
def test_a_wrong_number_of_rows_is_refused(contract, length):
    data = (rows() + rows())[:length]
    assert refused(contract, data) == ("WrongRowsLength", (length,))
    contract.transact("register", rows())


@pytest.mark.parametrize("row", [0, 7])
def test_bad_points_are_refused_wherever_they_are(contract, row):
    def with_row(point: bytes) -> bytes:
        return rows()[: 96 * row] + point + rows()[96 * row + 96 :]

    def point(x: int, y: int) -> bytes:
        return x.to_bytes(48, "big") + y.to_bytes(48, "big")

    raw = rows()[96 * row : 96 * row + 96]
    x, y = int.from_bytes(raw[:48], "big"), int.from_bytes(raw[48:], "big")
    assert refused(contract, with_row(bytes(96))) == ("PointAtInfinity", (row,))
    for bad in (point(x, y ^ 1), point(x + FIELD_PRIME, y), point(x, y + FIELD_PRIME), point(*outside_subgroup()), point(0, 2)):
        assert refused(contract, with_row(bad)) == ("PrecompileFailed", (MSM,))
    contract.transact("register", with_row(negated(raw)))  # another point: another model


def test_permuted_and_repeated_rows_are_other_models(contract):
    register_model(contract.chain, contract.address, commitment())
    statement = stored_statement("typical", 1024)
    for changed in (commitment().rows[::-1], (commitment().rows[0],) * len(commitment().rows)):
        other = ModelCommitment(commitment().circuit, changed)
        assert other.model_id != commitment().model_id
        register_model(contract.chain, contract.address, other)
        call = honest(other, statement.image, statement.proof)
        assert not contract.call("verify", *call.arguments)


def test_the_data_contract_is_data_and_the_proxy_does_nothing_more(contract):
    """The rows lie behind a STOP; calling the proxy again makes contracts elsewhere, never at the model's address."""
    receipt = register_model(contract.chain, contract.address, commitment())
    chain = contract.chain
    assert receipt.logs[0].address == contract.address
    proxy, data = addresses(contract)
    stored = chain.code(data)
    assert stored[0] == 0 and len(stored) == 1 + 160 * len(commitment().rows)
    assert stored[17:65] + stored[81:129] == rows()[:96] and stored[129:161] == bytes(32)
    assert chain.call(data, b"anything") == b""
    chain.transact(proxy, bytes.fromhex("600160005360016000f3"))
    assert chain.code(data) == stored
    assert contract.call("isRegistered", commitment().model_id)


def addresses(contract: Contract) -> tuple[str, str]:
    """Where CREATE2 puts the proxy, and the proxy's first CREATE the data."""
    from eth_utils import keccak, to_canonical_address, to_checksum_address

    code = keccak(bytes.fromhex("67363d3d37363d34f03d5260086018f3"))
    proxy = keccak(b"\xff" + to_canonical_address(contract.address) + commitment().model_id + code)[12:]
    return to_checksum_address(proxy), to_checksum_address(keccak(b"\xd6\x94" + proxy + b"\x01")[12:])


def test_the_client_refuses_the_wrong_contract_by_name(contract):
    statement = stored_statement("typical", 2048)
    with pytest.raises(UnusableInput, match="is for circuit .* the model has"):
        register_model(contract.chain, contract.address, statement.commitment)
    with pytest.raises(UnusableInput, match="there is no contract at"):
        verifier_at(contract.chain, contract.chain.sender)
    own = stored_statement("typical", 1024)
    verdict = verify_on_chain(contract.chain, contract.address, own.commitment, own.image, own.proof)
    assert (verdict.accepted, verdict.reason, verdict.arguments) == (False, "UnknownModel", (own.commitment.model_id,))


def test_a_circuit_has_rows_of_its_own_count():
    assert Circuit((784, 64, 10), (1, 2), 2048).total_rows == 5
    contract = deploy_verifier(EmbeddedChain(), Circuit((784, 64, 10), (1, 2), 2048)).contract
    assert refused(contract, rows()) == ("WrongRowsLength", (8 * 96,))
    generators = G1.generator().to_uncompressed() * 5
    contract.transact("register", generators)
