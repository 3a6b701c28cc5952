"""The embedded chain and the RPC client against a real anvil: same results, same gas, same refusals."""

from __future__ import annotations

import pytest
from eth_keys.constants import SECPK1_N

from zkpredict.circuits.errors import UnusableInput
from zkpredict.contracts.chain.interface import ChainError, Contract, Reverted
from zkpredict.contracts.chain.evm import BLOCK_GAS, BLOCK_SECONDS, EmbeddedChain, Sent
from zkpredict.contracts.chain.rpc import KEY_VARIABLE, RpcChain, read_key


@pytest.fixture(params=["embedded", "anvil"])
def chain(request):
    return request.getfixturevalue(request.param)


def returning(code: bytes) -> bytes:
    """Init code that creates a contract whose code is `code`: PUSH2 length, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN."""
    return b"\x61" + len(code).to_bytes(2, "big") + bytes.fromhex("80600a5f395ff3") + code


def test_a_contract_lives_and_its_errors_have_names(chain, probe):
    contract, created = Contract.deploy(chain, probe, 7)
    assert contract.call("value") == 7
    assert contract.call("divide", 17, 5) == (3, 2)
    assert chain.code(contract.address) == probe.runtime
    stored = contract.transact("store", 42, b"note")
    assert contract.call("value") == 42
    assert contract.events(stored) == [("Stored", {"by": chain.sender.lower(), "value": 42, "note": b"note"})]
    assert created.contract == contract.address and stored.contract is None


@pytest.mark.parametrize(
    ("function", "arguments", "name", "found"),
    [
        ("store", (101, b""), "TooLarge", (101, 100)),
        ("refuse", (), "NoReason", ()),
        ("say", (), "Error", ("said so",)),
        ("divide", (1, 0), "Panic", (0x12,)),
    ],
)
def test_every_refusal_is_decoded(chain, probe, function, arguments, name, found):
    contract, _ = Contract.deploy(chain, probe, 7)
    for attempt in (contract.call, contract.transact):
        with pytest.raises(Reverted) as refusal:
            attempt(function, *arguments)
        assert (refusal.value.name, refusal.value.arguments) == (name, found)


def test_a_transaction_with_its_own_gas_limit_is_paid_for_and_refused(chain, probe):
    contract, _ = Contract.deploy(chain, probe, 7)
    with pytest.raises(Reverted) as refusal:
        contract.transact("store", 101, b"", gas=100_000)
    assert (refusal.value.name, refusal.value.arguments) == ("TooLarge", (101, 100))
    assert 21_000 < refusal.value.gas_used < 100_000
    with pytest.raises(Reverted) as refusal:
        contract.transact("burn", gas=100_000)
    assert refusal.value.gas_used == 100_000 and refusal.value.halt and not refusal.value.name


def test_a_constructor_refuses_by_name(chain, probe):
    with pytest.raises(Reverted) as refusal:
        Contract.deploy(chain, probe, 101)
    assert (refusal.value.name, refusal.value.arguments) == ("TooLarge", (101, 100))


def test_code_limits_eip_170_and_3860(chain):
    assert len(chain.code(chain.deploy(returning(bytes(24_576))).contract)) == 24_576
    with pytest.raises(Reverted) as refusal:
        chain.deploy(returning(bytes(24_577)))
    assert refusal.value.halt
    assert chain.deploy(b"\x00" + bytes(49_151)).contract
    with pytest.raises(ChainError, match="creation code is 49153 bytes, EIP-3860 allows 49152"):
        chain.deploy(bytes(49_153))
    with pytest.raises(Reverted):  # code may not start with 0xEF (EIP-3541)
        chain.deploy(returning(b"\xef"))


def test_gas_is_the_same_on_both_chains(embedded, anvil, probe):
    """Creation, storage, logs, and calldata that is charged by execution or by the floor of EIP-7623."""
    used = []
    for chain in (embedded, anvil):
        contract, created = Contract.deploy(chain, probe, 7)
        plain = [created.gas_used]
        plain += [contract.transact("store", value, note).gas_used for value, note in [(9, b""), (10, b"x" * 100), (0, b"y" * 6000)]]
        plain += [chain.transact(chain.sender, data).gas_used for data in (b"", bytes(2000), b"\x01" * 2000)]
        used.append(plain)
    assert used[0] == used[1]
    assert used[0][-3:] == [21_000, 21_000 + 10 * 2000, 21_000 + 40 * 2000]


def test_a_gas_limit_under_the_calldata_floor_is_refused(chain):
    with pytest.raises(ChainError, match="the gas limit 60000 is below 101000, the floor of its calldata"):
        chain.transact(chain.sender, b"\x01" * 2000, gas=60_000)
    assert chain.transact(chain.sender, b"\x01" * 2000, gas=101_000).gas_used == 101_000


def test_history_brings_the_chain_back(embedded, probe):
    contract, _ = Contract.deploy(embedded, probe, 7)
    embedded.advance(3600)
    contract.transact("store", 11, b"")
    with pytest.raises(Reverted):
        contract.transact("store", 101, b"")
    again = EmbeddedChain.replay(embedded.history)
    assert again.history == embedded.history and contract.by(again).call("value") == 11
    with pytest.raises(ChainError, match="refuses the transaction"):
        EmbeddedChain.replay(embedded.history[1:])
    with pytest.raises(ChainError, match="step 0 of the history is no transaction"):
        EmbeddedChain.replay([Sent(0, b"\x02nonsense")])


def test_blocks_keep_their_gas_and_time_passes(embedded):
    for _ in range(130):  # py-evm would lower the limit of each block a little
        embedded.transact(embedded.sender, b"")
    assert embedded.transact(embedded.sender, b"", gas=BLOCK_GAS).gas_used == 21_000
    timestamp = b"\x42\x5f\x52\x60\x20\x5f\xf3"  # TIMESTAMP, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN
    clock = embedded.deploy(returning(timestamp)).contract
    before = int.from_bytes(embedded.call(clock, b""), "big")
    embedded.transact(embedded.sender, b"")
    assert int.from_bytes(embedded.call(clock, b""), "big") == before + BLOCK_SECONDS
    embedded.advance(3600)
    embedded.transact(embedded.sender, b"")
    assert int.from_bytes(embedded.call(clock, b""), "big") == before + 2 * BLOCK_SECONDS + 3600


def test_accounts_share_one_chain(embedded, probe):
    contract, _ = Contract.deploy(embedded, probe, 7)
    other = embedded.account(1)
    receipt = contract.by(other).transact("store", 1, b"")
    assert contract.events(receipt)[0][1]["by"] == other.sender.lower() != embedded.sender.lower()
    before = embedded.balance(other.sender)
    embedded.transact(other.sender, b"", value=5)
    assert embedded.balance(other.sender) == before + 5
    with pytest.raises(ChainError, match="accounts 0 to 7, not 8"):
        embedded.account(8)


def test_a_missing_node_and_a_missing_key_are_said(anvil_url):
    with pytest.raises(ChainError, match="no answer from the node at http://127.0.0.1:1: "):
        RpcChain("http://127.0.0.1:1", seconds=2)
    with pytest.raises(UnusableInput, match="must start with http"):
        RpcChain("ftp://127.0.0.1")
    with pytest.raises(UnusableInput, match="transactions need a key"):
        RpcChain(anvil_url).transact("0x" + "11" * 20, b"")


def test_an_account_without_funds_is_refused(anvil_url):
    with pytest.raises(ChainError, match="refused: .*[Ii]nsufficient funds"):
        RpcChain(anvil_url, b"\x17" * 32).transact("0x" + "11" * 20, b"", value=1)


def test_keys_come_from_a_file_or_the_environment(tmp_path, monkeypatch):
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    assert read_key(None) is None
    monkeypatch.setenv(KEY_VARIABLE, "ab" * 32)
    assert read_key(None) == b"\xab" * 32
    file = tmp_path / "key"
    file.write_text("0x" + "cd" * 32 + "\n")
    assert read_key(file) == b"\xcd" * 32
    file.write_text("cd" * 31)
    with pytest.raises(UnusableInput, match="must hold 64 hex digits"):
        read_key(file)


@pytest.mark.parametrize("key", [bytes(32), SECPK1_N.to_bytes(32, "big"), b"\xff" * 31 + b"\xfe"], ids=["zero", "order", "large"])
def test_keys_that_sign_nothing_are_refused_and_not_shown(tmp_path, monkeypatch, key):
    file = tmp_path / "key"
    file.write_text(key.hex())
    monkeypatch.setenv(KEY_VARIABLE, key.hex())
    for read, place in (
        (lambda: read_key(file), f"the key file {file}"),
        (lambda: read_key(None), f"the variable {KEY_VARIABLE}"),
        (lambda: RpcChain("http://127.0.0.1:1", key), "the key"),
    ):
        with pytest.raises(UnusableInput) as refused:
            read()
        assert str(refused.value) == f"{place} must be 32 bytes, above zero and below the group order of secp256k1"
    for usable in (1, SECPK1_N - 1):
        file.write_text(f"{usable:064x}")
        assert read_key(file) == usable.to_bytes(32, "big")
