"""The machine that others are made of: five accounts, a clock, a settable prediction, and money that a stranger can pay out."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine
from world import BURNED, new

from zkpredict.contracts.chain.evm import BLOCK_SECONDS, EmbeddedChain

DAY = 86_400
STRANGER = 3
rarely = st.integers(0, 9).map(lambda n: n == 0)


class Clocked(RuleBasedStateMachine):
    """A chain whose next block's time is known, and money that is compared after every rule."""

    def __init__(self):
        super().__init__()
        self.chain = EmbeddedChain()
        self.people = [self.chain.account(n) for n in range(5)]
        self.prediction = new(self.chain, "SettablePrediction")

    @property
    def now(self) -> int:
        return self.chain.block().timestamp + BLOCK_SECONDS

    def address(self, who: int) -> str:
        return self.people[who].sender

    def wait(self, seconds):
        """Lets time pass."""
        self.chain.advance(seconds)
        self.chain.mine()

    def check(self, contract, money) -> None:
        assert contract.call("owed") == money.owed == self.chain.balance(contract.address)
        for who in (*map(self.address, range(5)), BURNED):
            assert contract.call("credit", who) == money.credit[who]

    def drain(self, contract, money) -> None:
        """V3: everybody withdraws, sent by a stranger; nothing is left."""
        for who in (*map(self.address, range(5)), BURNED):
            if money.credit[who]:
                contract.by(self.people[STRANGER]).transact("withdrawFor", who)
        assert contract.call("owed") == self.chain.balance(contract.address) == 0
