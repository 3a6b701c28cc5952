"""Seal and Schedule: the contract against the Python that makes seals, and phases as a function of time."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from world import Refused, machine_settings, new, outcome, same

from zkpredict.contracts.chain.evm import CHAIN_ID, EmbeddedChain
from zkpredict.contracts.systems.seals import derive_salt, kind, seal

payloads, few = st.sampled_from([b"", b"a", b"b" * 40]), st.integers(0, 1)


class SealMachine(RuleBasedStateMachine):
    """Two accounts, two objects, and seals of the right or of another kind, object, sender, payload and salt."""

    def __init__(self):
        super().__init__()
        self.book = new(EmbeddedChain(), "SealBench")
        self.people = [self.book.chain.account(n) for n in range(2)]
        self.sealed: dict[tuple[int, int], bytes] = {}

    def make(self, name, number, who, payload, salt):
        return seal(f"kind {name}", CHAIN_ID, self.book.address, number, self.people[who].sender, payload, bytes([salt]) * 32)

    @rule(name=few, number=few, who=few, made_for=few, payload=payloads, salt=few)
    def commit(self, name, number, who, made_for, payload, salt):
        made = self.make(name, number, made_for, payload, salt)

        def model():
            if (number, who) in self.sealed:
                raise Refused("AlreadySealed")
            self.sealed[number, who] = made

        same(lambda: self.book.by(self.people[who]).transact("commit", number, made), model)

    @rule(name=few, number=few, who=few, by=few, payload=payloads, salt=few)
    def open(self, name, number, who, by, payload, salt):
        def model():
            if (number, who) not in self.sealed:
                raise Refused("NothingSealed")
            if self.sealed[number, who] != self.make(name, number, who, payload, salt):
                raise Refused("SealBroken")
            del self.sealed[number, who]

        arguments = kind(f"kind {name}"), number, self.people[who].sender, payload, bytes([salt]) * 32
        same(lambda: self.book.by(self.people[by]).transact("open", *arguments), model)


SealMachine.TestCase.settings = machine_settings(8, 15)
TestSeal = SealMachine.TestCase


def test_an_empty_seal_is_refused(embedded):
    assert outcome(lambda: new(embedded, "SealBench").transact("commit", 1, bytes(32))) == "EmptySeal"


def test_salts_differ_in_everything_they_are_for():
    usual = (b"\1" * 32, "entry", 1, "0x" + "AB" * 20, 7)
    others = [(b"\2" * 32, "image", 2, "0x" + "AC" * 20, 8)[n] for n in range(5)]
    salts = {derive_salt(*usual[:n], other, *usual[n + 1 :]) for n, other in enumerate(others)}
    assert len(salts | {derive_salt(*usual)}) == 6
    assert derive_salt(*usual) == derive_salt(*usual[:3], usual[3].lower(), 7)


@pytest.fixture(scope="module")
def bench():
    return new(EmbeddedChain(), "ScheduleBench")


@settings(max_examples=15)
@given(windows=st.lists(st.integers(0, 40), max_size=7), least=st.integers(0, 20), wait=st.integers(0, 120))
def test_phases_follow_the_clock(bench, windows, least, wait):
    chain = bench.chain
    chain.mine()
    start = chain.block().timestamp + 12  # the block that runs `make`
    deadlines = [start + sum(windows[: n + 1]) for n in range(len(windows))]
    wrong_count = not 1 <= len(windows) <= 6
    short = any(window < least or window == 0 for window in windows)
    expected = "WrongDeadlineCount" if wrong_count else "WindowTooShort" if short else ""
    assert outcome(lambda: bench.transact("make", deadlines, least)) == expected
    if expected:
        return
    assert bench.call("all") == tuple(deadlines)
    chain.advance(wait)
    chain.mine()
    phase = sum(deadline <= chain.block().timestamp + 12 for deadline in deadlines)
    assert bench.call("phase") == phase
    bench.call("requirePhase", phase)
    assert outcome(lambda: bench.call("requirePhase", phase + 1)) == "WrongPhase"
