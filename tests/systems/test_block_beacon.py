"""Beacon: one draw an object, from a block named before it exists; headers of both chains; nobody can draw again."""

from __future__ import annotations

import pytest
import rlp
from eth_abi import encode
from eth_utils import keccak
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from world import Refused, machine_settings, new, outcome, same

from zkpredict.contracts.chain.evm import EmbeddedChain

DELAY = 2
numbers = st.integers(0, 1)


def drawn(contract, header: bytes, number: int) -> bytes:
    """What a header draws: its thirteenth field, bound to contract and object."""
    return keccak(encode(["bytes32", "address", "uint256"], [rlp.decode(header)[13], contract.address, number]))


class BeaconMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.beacon = new(EmbeddedChain(), "BeaconBench", DELAY)
        self.chain = self.beacon.chain
        self.closed, self.blocks, self.seeds = set(), {}, {}

    def next_block(self):
        return self.chain.block().number + 1

    @rule(number=numbers)
    def close(self, number):
        self.beacon.transact("close", number)
        self.closed.add(number)

    @rule(number=numbers)
    def arm(self, number):
        block = self.next_block()

        def model():
            if number in self.seeds:
                raise Refused("AlreadyDrawn")
            if number in self.blocks:
                raise Refused("AlreadyArmed")
            if number not in self.closed:
                raise Refused("StillOpen")
            self.blocks[number] = block + DELAY

        same(lambda: self.beacon.transact("arm", number), model)

    @rule(number=numbers, off=st.sampled_from([0, 0, 0, -1, 1]))
    def fix(self, number, off):
        block, at = self.next_block(), self.blocks.get(number, 1) + off
        header = self.chain.block(min(at, block - 1)).header

        def model():
            if number not in self.blocks:
                raise Refused("NotArmed")
            if number in self.seeds:
                raise Refused("AlreadyDrawn")
            if block <= self.blocks[number]:
                raise Refused("DrawTooEarly")
            if min(at, block - 1) != self.blocks[number]:
                raise Refused("WrongHeader")
            self.seeds[number] = drawn(self.beacon, header, number)

        same(lambda: self.beacon.transact("fix", number, header), model)

    @rule(blocks=st.integers(1, 3))
    def mine(self, blocks):
        self.chain.mine(blocks)

    @invariant()
    def draws_are_as_modelled(self):
        for number in (0, 1):
            assert self.beacon.call("drawn", number) == (self.blocks.get(number, 0), self.seeds.get(number, bytes(32)))
            expected = "" if number in self.seeds else "NotDrawn"
            assert outcome(lambda number=number: self.beacon.call("seed", number)) == expected


BeaconMachine.TestCase.settings = machine_settings(6, 18)
TestBeacon = BeaconMachine.TestCase


def test_a_draw_that_nobody_fixed_in_time_can_be_named_anew(embedded, monkeypatch):
    """The history contract serves 8,191 blocks; the wait is shortened in the source, the rule stays the same."""
    from system_guards import compiled, removed
    from pathlib import Path

    sources = removed("blocks/Beacon.sol", "SERVED_BLOCKS = 8191", "SERVED_BLOCKS = 5")
    sources["Blocks.sol"] = Path(__file__).with_name("Blocks.sol").read_text(encoding="utf-8")
    beacon = new(embedded, compiled(sources, "BeaconBench"), DELAY)
    beacon.transact("close", 1)
    beacon.transact("arm", 1)
    first = beacon.call("drawn", 1)[0]
    embedded.mine(first + 4 - embedded.block().number)
    assert outcome(lambda: beacon.transact("arm", 1)) == "AlreadyArmed"
    beacon.transact("arm", 1)
    assert beacon.call("drawn", 1)[0] == first + 5 + 1 + DELAY


def test_the_header_of_a_real_node_draws(anvil):
    beacon = new(anvil, "BeaconBench", DELAY)
    beacon.transact("close", 5)
    beacon.transact("arm", 5)
    anvil.ask("anvil_mine", "0x3")
    block = beacon.call("drawn", 5)[0]
    header = anvil.block(block).header
    assert outcome(lambda: beacon.transact("fix", 5, anvil.block(block - 1).header)) == "WrongHeader"
    beacon.transact("fix", 5, header)
    assert beacon.call("seed", 5) == drawn(beacon, header, 5)
    assert outcome(lambda: beacon.transact("arm", 5)) == "AlreadyDrawn"


def test_a_chain_without_the_history_contract_draws_nothing(anvil_url):
    from nodes import client, running_anvil

    with running_anvil("cancun") as url:
        chain = client(url)
        beacon = new(chain, "BeaconBench", DELAY)
        beacon.transact("close", 5)
        beacon.transact("arm", 5)
        chain.ask("anvil_mine", "0x3")
        assert outcome(lambda: beacon.transact("fix", 5, b"\xf9")) == "NoBlockHash"


@pytest.mark.parametrize("delay", [0, 1])
def test_no_draw_is_from_the_arming_block(embedded, delay):
    beacon = new(embedded, "BeaconBench", delay)
    beacon.transact("close", 1)
    beacon.transact("arm", 1)
    assert beacon.call("drawn", 1)[0] == embedded.block().number + 1
