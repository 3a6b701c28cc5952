"""Blocks of the embedded chain: randomness, hashes in the history contract, empty blocks, and a state file that keeps them all."""

from __future__ import annotations

import json

import pytest
from eth_utils import keccak
from support import refuses
from test_chain import returning

from zkpredict.contracts.chain.evm import ACCOUNTS, BLOCK_SECONDS, FUNDS, MAX_BLOCKS, EmbeddedChain, Mined
from zkpredict.contracts.chain.interface import ChainError, Reverted
from zkpredict.contracts.chain.state import open_state, save_state

HISTORY = "0x0000F90827F1C53a10cb7A02335B175320002935"


@pytest.fixture(params=["embedded", "anvil"])
def chain(request):
    return request.getfixturevalue(request.param)


def mine(chain, blocks: int) -> None:
    if isinstance(chain, EmbeddedChain):
        chain.mine(blocks)
    else:
        chain._web3.provider.ask("anvil_mine", hex(blocks))


def history(chain, number: int) -> bytes:
    return chain.call(HISTORY, number.to_bytes(32, "big"))


def test_the_history_contract_has_the_hashes_of_past_headers(chain):
    mine(chain, 3)
    head = chain.block().number
    for number in (head - 3, head - 1) + ((head,) if isinstance(chain, EmbeddedChain) else ()):  # its calls run as in the next block
        assert history(chain, number) == keccak(chain.block(number).header)
    with pytest.raises(Reverted):
        history(chain, head + 2)
    with pytest.raises(ChainError):
        chain.block(head + 1)


def test_a_transaction_sees_its_parents_hash(chain):
    """The history contract is fed when a block starts, before its first transaction."""
    code = bytes.fromhex("60014303" "5f52" "60205f60205f73") + bytes.fromhex(HISTORY[2:]) + bytes.fromhex("5afa50" "5f515f55" "00")
    keeper = chain.deploy(returning(code)).contract
    before = chain.block()
    chain.transact(keeper, b"")
    assert chain.block().number == before.number + 1
    assert _slot(chain, keeper) == keccak(before.header)


def _slot(chain, address: str) -> bytes:
    if isinstance(chain, EmbeddedChain):
        return chain._vm().state.get_storage(bytes.fromhex(address[2:]), 0).to_bytes(32, "big")
    return bytes.fromhex(chain._web3.provider.ask("eth_getStorageAt", address, "0x0", "latest").value[2:])


def test_randomness_is_not_zero_changes_with_every_block_and_lies_in_the_header(chain):
    code = bytes.fromhex("445f55" "00")  # sstore(0, PREVRANDAO)
    contract = chain.deploy(returning(code)).contract
    seen = set()
    for _ in range(3):
        chain.transact(contract, b"", gas=100_000)  # what it costs depends on the block
        assert _slot(chain, contract) in chain.block().header
        seen.add(_slot(chain, contract))
    assert len(seen) == 3 and bytes(32) not in seen


def test_empty_blocks_are_mined_twelve_seconds_apart(embedded):
    start = embedded.block()
    embedded.advance(1000)
    embedded.mine(5)
    assert (embedded.block().number, embedded.block().timestamp) == (start.number + 5, start.timestamp + 1000 + 5 * BLOCK_SECONDS)
    for wrong in (0, -1, MAX_BLOCKS + 1):
        with refuses(ChainError, f"the embedded chain mines 1 to 100,000 blocks at once, not {wrong}"):
            embedded.mine(wrong)
    with refuses(ChainError, "the embedded chain has blocks 0 to 5, not 6"):
        embedded.block(6)


def test_a_state_file_keeps_blocks_time_and_all_accounts(embedded, tmp_path):
    embedded.transact(embedded.sender, b"")
    embedded.advance(77)
    embedded.mine(3)
    for number in range(ACCOUNTS):
        assert embedded.balance(embedded.account(number).sender) >= FUNDS - 10**18
        embedded.account(number).transact(HISTORY[:-1] + "6", b"", value=1)
    path = tmp_path / "chain.json"
    save_state(path, embedded)
    again = open_state(path)
    assert again.history == embedded.history and Mined(77, 3) in again.history
    assert again.block() == embedded.block() and again.balance(HISTORY[:-1] + "6") == ACCOUNTS
    again.mine()
    embedded.mine()
    assert again.block() == embedded.block()


def test_files_of_the_first_format_still_open(embedded, tmp_path):
    embedded.transact(embedded.sender, b"")
    path = tmp_path / "chain.json"
    save_state(path, embedded)
    state = json.loads(path.read_text())
    assert state["format"] == "zkpredict embedded chain 2"
    path.write_text(json.dumps(state | {"format": "zkpredict embedded chain 1"}))
    assert open_state(path).block() == embedded.block()


def test_a_node_that_lies_about_a_header_is_found_out(anvil, monkeypatch):
    ask = type(anvil._web3.provider).ask

    def lying(self, method, *params):
        answer = ask(self, method, *params)
        if method == "eth_getBlockByNumber":
            answer.value["mixHash"] = "0x" + "11" * 32
        return answer

    monkeypatch.setattr(type(anvil._web3.provider), "ask", lying)
    with pytest.raises(ChainError, match="with a header that hashes to 0x[0-9a-f]{64} and not to its hash 0x"):
        anvil.block()
