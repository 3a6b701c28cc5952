"""The council against its model: random legal and illegal calls by five accounts, with time between them, until nothing is held."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from model_council import ModelCouncil
from world import BURNED, check_vault, machine_settings, same

from zkpredict.contracts.artifact import load
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import Contract
from zkpredict.contracts.open.deploy import deploy_packed
from zkpredict.contracts.systems import council
from zkpredict.contracts.systems.council import Council, State, Terms
from zkpredict.contracts.systems.patches import Delta, Entry
from zkpredict.contracts.systems.stories.council_attacks import _small

TERMS = Terms(delay=400, period=1000, extension=300, timelock=600, grace=900, quorum=50, bond=1000, cap=6)
GOOD, BROKEN = Delta.of([Entry(0, 2, 1, 5), Entry(1, 4, 0, -7)]), Delta.of([Entry(0, 2, 9, 1)])
WHO = st.integers(0, 4)


class Houses(RuleBasedStateMachine):
    """Accounts 0 and 1 are drivers, 2 and 3 passengers, 1 is in both lists, 4 in none."""

    def __init__(self) -> None:
        super().__init__()
        self.chain = EmbeddedChain()
        self.accounts = [self.chain.account(n).sender for n in range(5)]
        lists = [self.accounts[:2], self.accounts[1:4]]
        houses = tuple(Contract.deploy(self.chain, load("House"), "house", members)[0].address for members in lists)
        versions = Contract.deploy(self.chain, load("ModelVersions"))[0]
        predictor = Contract.deploy(self.chain, load("PatchablePredictor"), versions.address)[0]
        base = deploy_packed(self.chain, _small()).contract.address
        self.council = Council.deploy(self.chain, houses, base, predictor.address, TERMS)
        self.deltas = [council.store(self.chain, delta)[:2] for delta in (GOOD, BROKEN)]
        self.model = ModelCouncil(tuple(map(set, lists)), TERMS.delay, TERMS.period, TERMS.extension, TERMS.timelock, TERMS.grace, 50, 1000, 6)
        self.numbers: list[int] = []

    @property
    def now(self) -> int:
        return self.chain.block().timestamp

    def _by(self, who: int) -> Council:
        return self.council.by(self.chain.account(who))

    @rule(who=WHO, broken=st.booleans(), old=st.booleans(), short=st.sampled_from([0, 0, 0, 1]), soon=st.sampled_from([0, 0, 0, 9999]))
    def propose(self, who, broken, old, short, soon):
        address, digest = self.deltas[broken]
        parent = 0 if old else self.model.versions - 1
        value, until = TERMS.bond - short, self.council.governor.call("earliest") + TERMS.grace // 2 - soon
        governor = self._by(who).governor

        def act():
            receipt = governor.transact("proposeUpdate", self.council.gate.address, (parent, False, address, digest, until, 0), "why", value=value)
            self.numbers.append(council.created(governor, receipt))

        entries = len((BROKEN if broken else GOOD).entries)
        same(act, lambda: self.model.propose(self.now, self.accounts[who], parent, until, entries, broken, value))

    def _draw(self, data) -> int:
        return data.draw(st.integers(0, len(self.numbers) - 1))

    @precondition(lambda self: self.numbers)
    @rule(who=WHO, data=st.data(), yes=st.sampled_from([True, True, False]))
    def vote(self, who, data, yes):
        n = self._draw(data)
        same(lambda: self._by(who).vote(self.numbers[n], yes), lambda: self.model.vote(self.now, self.accounts[who], n, yes))

    @precondition(lambda self: self.numbers)
    @rule(data=st.data())
    def everybody_votes(self, data):
        n = self._draw(data)
        for who in (0, 2, 3):
            same(lambda: self._by(who).vote(self.numbers[n], True), lambda: self.model.vote(self.now, self.accounts[who], n, True))

    @precondition(lambda self: self.numbers)
    @rule(who=WHO, data=st.data(), verb=st.sampled_from(["queue", "execute", "execute"]))
    def move(self, who, data, verb):
        n = self._draw(data)
        same(lambda: getattr(self._by(who), verb)(self.numbers[n]), lambda: getattr(self.model, verb)(self.now, n))

    @precondition(lambda self: self.numbers)
    @rule(who=WHO, data=st.data())
    def cancel(self, who, data):
        n = self._draw(data)
        same(lambda: self._by(who).cancel(self.numbers[n]), lambda: self.model.cancel(self.now, self.accounts[who], n))

    @precondition(lambda self: self.numbers)
    @rule(who=WHO, data=st.data())
    def release(self, who, data):
        n = self._draw(data)
        same(lambda: self._by(who).governor.transact("releaseBond", self.numbers[n]), lambda: self.model.release(self.now, n))

    @rule(who=WHO)
    def withdraw(self, who):
        same(lambda: self._by(who).governor.transact("withdraw"), lambda: self.model.withdraw(self.accounts[who]))

    @rule(seconds=st.sampled_from([200, 450, 700, 1100]))
    def wait(self, seconds):
        self.chain.advance(seconds)
        self.chain.mine()

    @invariant()
    def same_states_and_money(self):
        for n, number in enumerate(self.numbers):
            assert self.council.state(number) is State[self.model.state(self.now, n).upper()]
        held = {number.to_bytes(32, "big"): p.bond for number, p in zip(self.numbers, self.model.proposals)}
        check_vault(self.council.governor, held, {**dict.fromkeys([*self.accounts, BURNED], 0), **self.model.credit})
        assert self.council.latest == self.model.versions - 1

    def teardown(self):
        """V3: time and one stranger end everything."""
        self.chain.advance(10_000)
        self.chain.mine()
        stranger = self._by(4).governor
        for n, number in enumerate(self.numbers):
            if self.model.proposals[n].bond:
                stranger.transact("releaseBond", number)
        for who in (*self.accounts, BURNED):
            if stranger.call("credit", who):
                stranger.transact("withdrawFor", who)
        assert stranger.call("owed") == self.chain.balance(stranger.address) == 0


Houses.TestCase.settings = machine_settings(4, 20)
TestHouses = Houses.TestCase
