"""JudgedContest against its model: random calls, money after every step, and a way out for a stranger."""

from __future__ import annotations

from clocked import Clocked, rarely
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from model_judged import Judged
from world import machine_settings, new, same

from zkpredict.contracts.artifact import load
from zkpredict.contracts.chain.evm import CHAIN_ID, account_key
from zkpredict.contracts.systems.contest import Panel, Sealing

HOUR = 3600
PRIZE, FEE, BOND = 101, 8, 17
SPONSOR, FIRST, SECOND, STRANGER, LAST = range(5)
JUDGES = (SPONSOR, FIRST, FIRST)
PICTURES = tuple(bytes([n]) * 3 for n in range(3))
ENTRANTS = (SECOND, STRANGER, LAST)
entrants, pictures, judges = st.sampled_from(ENTRANTS), st.sampled_from(PICTURES), st.integers(0, 2)


def likely(*phases: int):
    """A rule for calls that these phases allow; now and then it runs in others, where they are refused."""
    return precondition(lambda self: self.model.phase(self.now) in phases or self.chain.block().number % 5 == 0)


class JudgedMachine(Clocked):
    @initialize(stand=st.integers(0, 3), enter=st.integers(0, 3), goal=st.sampled_from([0, 1, 2, 2, 2, 3]))
    def deploy(self, stand, enter, goal):
        self.contract = new(self.chain, load("JudgedContest"), 60)
        deadlines = tuple(self.now + (n + 1) * HOUR for n in range(4))
        owners = [self.address(judge) for judge in JUDGES]
        panel = Panel(self.prediction.address, 3, 3, FEE, BOND, deadlines, tuple((owner, bytes([n + 1]) * 32) for n, owner in enumerate(owners)))
        self.contract.transact("create", panel.argument, value=PRIZE)
        self.model = Judged(self.address(SPONSOR), owners, deadlines, 3, PRIZE, FEE, BOND)
        for judge in range(3):
            for picture in PICTURES:
                self.prediction.transact("set", bytes([judge + 1]) * 32, picture, self.truth(judge, picture))
        for judge in range(stand):
            self.stand(judge, JUDGES[judge], False)
        for who, picture in list(zip(ENTRANTS, PICTURES))[:enter]:
            self.enter(who, picture, False)
        if goal > 0:
            self.next_phase()
        if goal > 1:
            for who, picture in zip(ENTRANTS, PICTURES):
                self.reveal(who, picture)
            self.next_phase()
        if goal > 2:
            for number, (who, picture) in enumerate(zip(ENTRANTS, PICTURES)):
                for judge in range(3):
                    if judge != number:
                        self.grade(who, judge, picture, False)
            self.next_phase()

    def truth(self, judge: int, picture: bytes) -> int:
        return (3 * picture[0] + judge) % 5

    def run(self, who: int, function: str, *arguments, model, value: int = 0) -> None:
        same(lambda: self.contract.by(self.people[who]).transact(function, *arguments, value=value), model)

    def sealing(self, who: int) -> Sealing:
        return Sealing(account_key(who).to_bytes(), self.address(who), CHAIN_ID, self.contract.address, 1)

    @rule()
    def next_phase(self):
        left = [deadline for deadline in self.model.deadlines if deadline > self.now]
        if left:
            self.wait(left[0] - self.now)

    @likely(0)
    @rule(judge=judges, who=st.integers(0, 2), short=rarely)
    def stand(self, judge, who, short):
        now, sent = self.now, BOND - short
        self.run(who, "stand", 1, judge, value=sent, model=lambda: self.model.stand(now, self.address(who), judge, sent))

    @likely(0)
    @rule(who=st.integers(1, 4), picture=pictures, short=rarely)
    def enter(self, who, picture, short):
        now, sent = self.now, FEE - short
        made = self.sealing(who).input(picture)
        self.run(who, "enter", 1, made, value=sent, model=lambda: self.model.enter(now, self.address(who), picture, sent))

    @likely(1)
    @rule(who=entrants, picture=pictures)
    def reveal(self, who, picture):
        now, salt = self.now, self.sealing(who).salt("zkpredict judged entry")
        self.run(who, "reveal", 1, picture, salt, model=lambda: self.model.reveal(now, self.address(who), picture))

    @likely(2)
    @rule(who=entrants, judge=judges, picture=st.none() | pictures, lie=rarely)
    def grade(self, who, judge, picture, lie):
        entry = self.model.entries.get(self.address(who))
        picture = picture or (entry.picture if entry else PICTURES[0])
        now, truth = self.now, self.truth(judge, picture)
        class_ = truth + lie
        self.run(STRANGER, "grade", 1, self.address(who), judge, picture, class_, b"",
                 model=lambda: self.model.grade(now, self.address(who), judge, picture, class_, truth))  # fmt: skip

    @likely(3)
    @rule(who=entrants)
    def rank(self, who):
        now = self.now
        self.run(STRANGER, "rank", 1, self.address(who), model=lambda: self.model.rank(now, self.address(who)))

    @likely(4)
    @rule()
    def settle(self):
        now = self.now
        self.run(STRANGER, "settle", 1, model=lambda: self.model.settle(now))

    @likely(4)
    @rule(who=entrants)
    def collect(self, who):
        self.run(STRANGER, "collect", 1, self.address(who), model=lambda: self.model.collect(self.address(who)))

    @invariant()
    def money_and_ranks_are_as_modelled(self):
        if hasattr(self, "contract"):
            self.check(self.contract, self.model.money)
            best = self.contract.call("status", 1)[5]
            assert best == (0 if self.model.best is None else self.model.best + 1)

    def teardown(self):
        if not hasattr(self, "contract"):
            return
        self.wait(5 * HOUR)
        if not self.model.settled:
            self.settle()
        for number in range(5):
            entry = self.model.entries.get(self.address(number))
            if entry and not entry.collected:
                self.collect(number)
        self.drain(self.contract, self.model.money)


JudgedMachine.TestCase.settings = machine_settings(6, 14)
TestJudged = JudgedMachine.TestCase


def test_a_silent_judge_pays_those_it_left_out_and_equal_medians_share():
    machine = JudgedMachine()
    machine.deploy(3, 3, 3)
    for who in ENTRANTS:
        machine.rank(who)
    machine.next_phase()
    machine.settle()
    for who in ENTRANTS:
        machine.collect(who)
        machine.money_and_ranks_are_as_modelled()
    assert sum(bool(machine.model.money.held[purpose]) for purpose in machine.model.money.held) == 0
    machine.teardown()
