"""The market against its model: random legal and illegal calls by five accounts, with time between them, until nothing is held."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from model_market import ModelJob, ModelMarket
from world import BURNED, check_vault, machine_settings, new, same

from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.systems import market
from zkpredict.contracts.systems.market import NOBODY, Checks, Market, Terms

WHO, UNIT = st.integers(0, 4), st.integers(0, 4)
WINDOW = 500
ITEMS = np.array([[i, 7 * i] for i in range(8)], np.uint8)
TRUTH = [3, 1, 4, 1, 5, 9, 2, 6]
SALT, OTHER_SALT = b"s" * 32, b"o" * 32
CHECKED = (0, 2)


class Answers(RuleBasedStateMachine):
    """Account 0 is the requester. Items lie in 4 columns of 2 rows, 2 copies: 4 units of 4 items."""

    def __init__(self) -> None:
        super().__init__()
        self.chain = EmbeddedChain()
        self.market = Market(market.deploy(self.chain, draw_delay=1, min_window=WINDOW, least_stake=100))
        self.accounts = [self.chain.account(n).sender for n in range(5)]
        self.judge = new(self.chain, "SettablePrediction")
        for item, class_ in zip(ITEMS, TRUTH):
            self.judge.transact("set", bytes(32), item.tobytes(), class_)
        self.model = ModelMarket()

    @property
    def now(self) -> int:
        return self.chain.block().timestamp

    def _by(self, who: int) -> Market:
        return self.market.by(self.chain.account(who))

    @precondition(lambda self: len(self.model.jobs) < 3)
    @rule(named=st.booleans(), false=st.booleans(), allowed=st.integers(0, 1))
    def post(self, named, false, allowed):
        labels = [(label + 1) % 10 if false else label for label in TRUTH]
        terms = Terms(4, 2, 2, 1001, 103, 1507, allowed, self.judge.address if named else NOBODY, windows=(WINDOW,) * 5)
        number, _ = self._by(0).post(terms, ITEMS, Checks.of(CHECKED, 2, labels), SALT)
        deadlines = [self.market.contract.call("deadlineOf", number, phase) for phase in range(5)]
        truth = TRUTH if named else None
        self.model.post(ModelJob(self.accounts[0], deadlines, 2, 4, 4, 1001, 103, 1507, allowed, list(CHECKED), labels, truth))

    def _draw(self, data) -> int:
        return data.draw(st.integers(0, len(self.model.jobs) - 1))

    @precondition(lambda self: self.model.jobs)
    @rule(who=WHO, data=st.data(), count=st.sampled_from([1, 2, 4, 0]), short=st.sampled_from([0, 0, 0, 1]))
    def join(self, who, data, count, short):
        n = self._draw(data)
        value = max(0, 103 * count - short)
        same(lambda: self._by(who).contract.transact("join", n + 1, count, value=value), lambda: self.model.join(self.now, self.accounts[who], n, count, value))

    @precondition(lambda self: self.model.jobs)
    @rule(who=WHO, data=st.data(), hurry=st.booleans())
    def arm(self, who, data, hurry):
        n = self._draw(data)
        refused = same(lambda: self._by(who).contract.transact("arm", n + 1), lambda: self.model.arm(self.now, n))
        if refused or hurry:
            return
        self.chain.mine(2)
        self._by(who).draw(n + 1)
        self.model.jobs[n].seed = self.market.seed(n + 1)

    @precondition(lambda self: self.model.jobs)
    @rule(who=WHO, data=st.data())
    def assign(self, who, data):
        n = self._draw(data)
        same(lambda: self._by(who).contract.transact("assign", n + 1), lambda: self.model.assign(self.now, n))

    def _answers(self, n: int, unit: int, right: bool) -> list[int]:
        job = self.model.jobs[n]
        return job.right(unit) if right and job.seed and unit < 4 else [0, 0, 0, 0]

    @precondition(lambda self: self.model.jobs)
    @rule(data=st.data(), unit=UNIT, right=st.sampled_from([True, True, False]), other=st.sampled_from([None, None, None, 0, 4]))
    def commit(self, data, unit, right, other):
        n = self._draw(data)
        units = self.model.jobs[n].units
        who = other if other is not None or unit >= len(units) else self.accounts.index(units[unit].worker)
        answers = self._answers(n, unit, right)
        same(lambda: self._by(who or 0).commit(n + 1, unit, answers, SALT), lambda: self.model.commit(self.now, self.accounts[who or 0], n, unit, answers))

    @precondition(lambda self: self.model.jobs)
    @rule(who=WHO, data=st.data(), unit=UNIT, lie=st.sampled_from([False, False, False, True]))
    def reveal(self, who, data, unit, lie):
        n = self._draw(data)
        units = self.model.jobs[n].units
        answers = (units[unit].answers if unit < len(units) else None) or [1, 1, 1, 1]
        answers = [(answer + 1) % 10 for answer in answers] if lie else answers
        same(lambda: self._by(who).reveal(n + 1, unit, answers, SALT), lambda: self.model.reveal(self.now, n, unit, answers))

    @precondition(lambda self: self.model.jobs)
    @rule(who=WHO, data=st.data(), honest=st.sampled_from([True, True, False]))
    def open_checks(self, who, data, honest):
        n = self._draw(data)
        checks = Checks.of(CHECKED, 2, self.model.jobs[n].labels)
        same(lambda: self._by(who).open_checks(n + 1, checks, SALT if honest else OTHER_SALT), lambda: self.model.open(self.now, n, honest))

    @precondition(lambda self: self.model.jobs)
    @rule(who=WHO, data=st.data(), unit=UNIT)
    def settle(self, who, data, unit):
        n = self._draw(data)
        units, job = self.model.jobs[n].units, self.model.jobs[n]
        answers = market.nibbles((units[unit].answers if unit < len(units) else None) or [1] * 4)
        checks = Checks.of(CHECKED, 2, job.labels).arguments
        same(lambda: self._by(who).contract.transact("settle", n + 1, unit, answers, *checks), lambda: self.model.settle(self.now, n, unit))

    @precondition(lambda self: self.model.jobs)
    @rule(who=WHO, data=st.data(), place=st.integers(0, 1), row=st.integers(0, 1), off=st.sampled_from([0, 0, 1, 2]))
    def contest(self, who, data, place, row, off):
        n = self._draw(data)
        item = CHECKED[place] * 2 + row
        class_ = (TRUTH[item] + off) % 10
        path = market.Part.of(ITEMS, [0] * 8).sample(item)[4]
        checks = Checks.of(CHECKED, 2, self.model.jobs[n].labels).arguments
        arguments = n + 1, place, row, ITEMS[item].tobytes(), path, class_, b"", *checks
        same(lambda: self._by(who).contract.transact("contest", *arguments), lambda: self.model.contest(self.now, self.accounts[who], n, item, class_))

    @precondition(lambda self: self.model.jobs)
    @rule(who=WHO, data=st.data(), unit=UNIT)
    def collect(self, who, data, unit):
        n = self._draw(data)
        same(lambda: self._by(who).contract.transact("collect", n + 1, unit), lambda: self.model.collect(self.now, n, unit))

    @precondition(lambda self: self.model.jobs)
    @rule(who=WHO, data=st.data())
    def reclaim(self, who, data):
        n = self._draw(data)
        same(lambda: self._by(who).contract.transact("reclaim", n + 1), lambda: self.model.reclaim(self.now, n))

    @rule(who=WHO)
    def withdraw(self, who):
        same(lambda: self._by(who).contract.transact("withdraw"), lambda: self.model.withdraw(self.accounts[who]))

    @precondition(lambda self: self.model.jobs)
    @rule(data=st.data())
    def whole_phase(self, data):
        """What everybody would do now, so that jobs come to an end that is worth looking at."""
        n = self._draw(data)
        job = self.model.jobs[n]
        phase = job.phase(self.now)
        if phase == 0:
            for who in (1, 2, 3):
                self.join_(who, n)
            self.arm_(n)
        for unit in range(len(job.units)):
            worker = self.accounts.index(job.units[unit].worker)
            answers = self._answers(n, unit, unit != 1)
            if phase == 1 and job.seed is not None:
                same(lambda: self._by(worker).commit(n + 1, unit, answers, SALT), lambda: self.model.commit(self.now, self.accounts[worker], n, unit, answers))
            if phase == 2 and job.units[unit].answers is not None:
                shown = job.units[unit].answers
                same(lambda: self._by(worker).reveal(n + 1, unit, shown, SALT), lambda: self.model.reveal(self.now, n, unit, shown))
        self.wait(max(job.deadlines[phase] - self.now, 1) if phase < 5 else 100)

    def join_(self, who: int, n: int) -> None:
        same(lambda: self._by(who).contract.transact("join", n + 1, 1, value=103), lambda: self.model.join(self.now, self.accounts[who], n, 1, 103))

    def arm_(self, n: int) -> None:
        job = self.model.jobs[n]
        self.wait(max(job.deadlines[0] - self.now, 1))
        if same(lambda: self.market.contract.transact("arm", n + 1), lambda: self.model.arm(self.now, n)):
            return
        self.chain.mine(2)
        self.market.draw(n + 1)
        job.seed = self.market.seed(n + 1)

    @rule(seconds=st.sampled_from([100, 300, 600]))
    def wait(self, seconds):
        self.chain.advance(seconds)
        self.chain.mine()

    @invariant()
    def same_states_and_money(self):
        held = {(n + 1).to_bytes(32, "big"): job.held for n, job in enumerate(self.model.jobs)}
        check_vault(self.market.contract, held, {**dict.fromkeys([*self.accounts, BURNED], 0), **self.model.credit})
        for n, job in enumerate(self.model.jobs):
            found = self.market.job(n + 1)
            assert (found.joined, found.drawn, found.contested, any(found.checks_hash)) == (len(job.units), job.drawn, job.contested, job.opened)
            names = ("unopened", "false checks", "void", "judged")
            assert names[self.market.contract.call("verdict", n + 1)] == self.model.verdict(job)

    def teardown(self):
        """V3 and V2: time and one stranger end every job, and nothing is held for it."""
        self.wait(20_000)
        stranger = self._by(4).contract
        for n, job in enumerate(self.model.jobs):
            for unit, found in enumerate(job.units):
                if not found.state.startswith("collected"):
                    stranger.transact("collect", n + 1, unit)
            if not job.reclaimed:
                stranger.transact("reclaim", n + 1)
            assert stranger.call("held", (n + 1).to_bytes(32, "big")) == 0
        for who in (*self.accounts, BURNED):
            if stranger.call("credit", who):
                stranger.transact("withdrawFor", who)
        assert stranger.call("owed") == self.chain.balance(stranger.address) == 0


Answers.TestCase.settings = machine_settings(4, 20)
TestAnswers = Answers.TestCase
