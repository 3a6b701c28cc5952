"""ModelContest against its model: every kind of contest, random calls, money after every step, and a way out for a stranger."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from model_contest import Contest
from clocked import Clocked, rarely
from world import machine_settings, new, same

from zkpredict.contracts.artifact import load
from zkpredict.contracts.chain.evm import CHAIN_ID, account_key
from zkpredict.contracts.systems.contest import Params, Sealing
from zkpredict.contracts.systems.samples import Part, Sheet

HOUR = 3600
PRIZE, STAKE, CLAIM_BOND, PART_BOND = 101, 4, 13, 7
SPONSOR, NORTH, ADA, BOB, STRANGER = range(5)  # the last one enters too
PARTS = (Part((b"\1" * 33, b"\2" * 33), (1, 2)), Part((b"\3" * 33, b"\4" * 33), (3, 4)))
SALT = b"\x09" * 32
MODELS = (b"\xa1" * 32, b"\xb2" * 32)


def likely(*phases: int):
    """A rule for calls that these phases allow; now and then it runs in others, where they are refused."""
    return precondition(lambda self: self.model.phase(self.now) in phases or self.chain.block().number % 5 == 0)


entrants, numbers = st.sampled_from([ADA, BOB, STRANGER]), st.integers(0, 3)


class ContestMachine(Clocked):
    """Every model is right on samples 0 and 2 and wrong on the others, so that claims can be true and false."""

    BY_ANSWERS = False

    @initialize(  # how far the contest is when random calls begin
        min_rule=st.booleans(), min_parts=st.integers(1, 2), sealed=st.sampled_from([1, 2, 2]), goal=st.sampled_from([0, 2, 3, 4, 4, 4, 4]), rights=st.tuples(st.integers(1, 2), st.sampled_from([0, 1, 2, 4])),
    )
    def deploy(self, min_rule, min_parts, sealed, goal, rights):
        self.contract = new(self.chain, load("ModelContest"), 60)
        owners = self.address(SPONSOR), self.address(NORTH)
        deadlines = tuple(self.now + (n + 1) * HOUR for n in range(6))
        params = Params(self.prediction.address, self.BY_ANSWERS, min_rule, min_parts, 2, 33, STAKE, CLAIM_BOND, PART_BOND, deadlines, owners)
        self.contract.transact("create", params.argument, value=PRIZE)
        labels = [part.labels for part in PARTS]
        self.model = Contest(owners[0], owners, 2, labels, deadlines, self.BY_ANSWERS, min_rule, min_parts, PRIZE, STAKE, CLAIM_BOND, PART_BOND)
        for number, part in enumerate(PARTS):
            for index in (0, 1):
                for model in MODELS:
                    self.prediction.transact("set", model, part.inputs[index], self.truth(number, index))
        for number in range(sealed):
            self.seal_part(number, number, False)
        for who in (ADA, BOB)[: goal + 1]:
            self.enter(who, who - ADA, False)
        if goal > 1:
            self.next_phase()
            for who in (ADA, BOB):
                self.reveal(who, who - ADA)
        if goal > 2:
            self.next_phase()
            for number in range(2):
                self.open_part(number, True)
            self.next_phase()
        if goal > 3:
            for who, right in zip((ADA, BOB), rights):
                self.claim(who, right, False)
            self.next_phase()

    def truth(self, number: int, index: int) -> int:
        return PARTS[number].labels[index] + (index == 1)

    def run(self, who: int, function: str, *arguments, model, value: int = 0) -> None:
        same(lambda: self.contract.by(self.people[who]).transact(function, *arguments, value=value), model)

    def sealing(self, who: int) -> Sealing:
        return Sealing(account_key(who).to_bytes(), self.address(who), CHAIN_ID, self.contract.address, 1)

    @rule()
    def next_phase(self):
        left = [deadline for deadline in self.model.deadlines if deadline > self.now]
        if left:
            self.wait(max(left[0] - self.now, 0))

    @likely(0)
    @rule(number=st.integers(0, 1), who=st.integers(0, 2), short=rarely)
    def seal_part(self, number, who, short):
        now, sent = self.now, PART_BOND - short
        self.run(who, "sealPart", 1, number, PARTS[number].seal(SALT), value=sent, model=lambda: self.model.seal_part(now, self.address(who), number, sent))

    @likely(0)
    @rule(who=entrants, which=st.integers(0, 1), short=rarely)
    def enter(self, who, which, short):
        now, sent = self.now, STAKE - short
        made = self.sealing(who).model(MODELS[which])
        self.run(who, "enter", 1, made, value=sent, model=lambda: self.model.enter(now, self.address(who), MODELS[which], sent))

    @likely(1)
    @rule(who=entrants, which=st.integers(0, 1))
    def reveal(self, who, which):
        now, salt = self.now, self.sealing(who).salt("zkpredict entry")
        self.run(who, "reveal", 1, MODELS[which], salt, model=lambda: self.model.reveal(now, self.address(who), MODELS[which]))

    @likely(2)
    @rule(number=st.integers(0, 1), honest=rarely.map(lambda no: not no))
    def open_part(self, number, honest):
        now, salt = self.now, SALT if honest else bytes(32)
        self.run(STRANGER, "openPart", 1, number, PARTS[number].data, salt, model=lambda: self.model.open_part(now, number, honest))

    @likely(3)
    @rule(who=entrants, right=st.integers(0, 5), short=rarely)
    def claim(self, who, right, short):
        now, sent = self.now, CLAIM_BOND - short
        if self.model.by_answers and self.model.opened:
            answers = [self.model.label(n) + (right >> n & 1) for n in range(2 * len(self.model.opened))]
            sheet = Sheet(tuple(tuple(answers[at : at + 2]) for at in range(0, len(answers), 2)))
            difference = sheet.differences(Sheet(tuple(PARTS[number].labels for number in self.model.opened)))
            self.run(who, "post", 1, sheet.data, difference, value=sent, model=lambda: self.model.post(now, self.address(who), answers, sent))
        else:
            self.run(who, "claim", 1, right, value=sent, model=lambda: self.model.claim(now, self.address(who), right, sent))

    def sample(self, number: int):
        """Sample, class and place of a number in the opened test, None when it is not opened."""
        if number >= 2 * len(self.model.opened):
            return None
        part = self.model.opened[number // 2]
        return PARTS[part].sample(number % 2, number // 2), self.truth(part, number % 2)

    @likely(4, 5)
    @precondition(lambda self: not self.BY_ANSWERS or self.chain.block().number % 7 == 0)
    @rule(who=st.sampled_from([ADA, BOB, BOB]), number=st.sampled_from([0, 0, 2, 2, 1, 3]))
    def prove(self, who, number):
        if found := self.sample(number):
            now, (sample, truth) = self.now, found
            arguments = 1, self.address(who), [sample], [b""]
            self.run(STRANGER, "prove", *arguments, model=lambda: self.model.prove(now, self.address(who), number, truth))

    @likely(4)
    @precondition(lambda self: self.BY_ANSWERS)
    @rule(who=st.sampled_from([ADA, BOB]), number=numbers, lie=rarely)
    def refute(self, who, number, lie):
        found, entry = self.sample(number), self.model.entries.get(self.address(who))
        if found and entry and entry.answers:
            now, (sample, truth) = self.now, found
            class_ = truth + lie
            sheet = Sheet(tuple(entry.answers[at : at + 2] for at in range(0, len(entry.answers), 2)))
            arguments = 1, self.address(who), entry.model, sample, sheet.posted(number // 2, number % 2), class_, b""
            self.run(NORTH, "refute", *arguments, model=lambda: self.model.refute(now, self.address(NORTH), self.address(who), number, class_, truth))

    @likely(5)
    @precondition(lambda self: self.BY_ANSWERS)
    @rule(who=st.sampled_from([ADA, BOB]))
    def present(self, who):
        now = self.now
        self.run(STRANGER, "present", 1, self.address(who), model=lambda: self.model.present(now, self.address(who)))

    @likely(6)
    @rule()
    def settle(self):
        now = self.now
        self.run(STRANGER, "settle", 1, model=lambda: self.model.settle(now))

    @likely(6)
    @rule(who=entrants)
    def collect(self, who):
        self.run(STRANGER, "collect", 1, self.address(who), model=lambda: self.model.collect(self.address(who)))

    @invariant()
    def money_is_accounted_for(self):
        if hasattr(self, "contract"):
            self.check(self.contract, self.model.money)
            best = self.contract.call("status", 1)[5:7]
            assert best[1] == self.model.best_rank and (int(best[0], 16) == 0) == (self.model.best is None)

    def teardown(self):
        if not hasattr(self, "contract"):
            return
        self.wait(7 * HOUR)
        if self.model.state == "RUNNING":
            self.settle()
        for who in (ADA, BOB, STRANGER):
            entry = self.model.entries.get(self.address(who))
            if entry and not entry.collected:
                self.collect(who)
        self.drain(self.contract, self.model.money)


class AnswersMachine(ContestMachine):
    BY_ANSWERS = True


for machine in (ContestMachine, AnswersMachine):
    machine.TestCase.settings = machine_settings(10, 16)
TestContest, TestAnswers = ContestMachine.TestCase, AnswersMachine.TestCase


def test_a_claim_that_nobody_proved_opens_a_second_window():
    """Bob claims all and proves nothing; ada, who believed him, proves in AGAIN and wins; the prize waits for all of AGAIN."""
    machine = ContestMachine()
    machine.deploy(False, 2, 2, 4, (2, 4))
    machine.next_phase()
    for number in (0, 2):
        machine.prove(ADA, number)
    assert machine.model.again and machine.model.best == machine.address(ADA)
    machine.settle()
    assert machine.model.state == "RUNNING"
    machine.next_phase()
    machine.settle()
    for who in (ADA, BOB):
        machine.collect(who)
    machine.money_is_accounted_for()
    lost = machine.model.money.credit[machine.address(BOB)]
    assert lost == STAKE and machine.model.money.credit[machine.address(ADA)] == PRIZE + STAKE + CLAIM_BOND + CLAIM_BOND // 2
    machine.teardown()


def test_a_proven_claim_needs_no_second_window():
    machine = ContestMachine()
    machine.deploy(False, 2, 2, 4, (2, 2))
    for number in (0, 2):
        machine.prove(ADA, number)
    machine.settle()
    machine.next_phase()
    machine.prove(BOB, 0)
    machine.settle()
    assert machine.model.state == "DONE" and not machine.model.again
    machine.teardown()


def test_answers_that_survive_are_presented_and_the_better_seal_wins_a_tie():
    machine = AnswersMachine()
    machine.deploy(True, 2, 2, 4, (0, 0))
    machine.refute(ADA, 0, False)
    machine.refute(ADA, 1, False)
    machine.next_phase()
    for who in (BOB, ADA, BOB):
        machine.present(who)
    machine.next_phase()
    machine.settle()
    machine.teardown()


def test_without_a_test_the_sponsor_pays_only_for_its_own_part():
    """Sealed parts that are not opened: a stranger's leaves the prize with the sponsor, the sponsor's own gives it to the entrants."""
    for opened, state in ((SPONSOR, "north's part is missing"), (NORTH, "the sponsor's part is missing")):
        machine = ContestMachine()
        machine.deploy(False, 2, 2, 2, (1, 1))
        machine.next_phase()
        machine.open_part(opened, True)
        machine.next_phase()
        machine.claim(ADA, 1, False)
        machine.settle()
        assert machine.model.state == "VOID", state
        for who in (ADA, BOB):
            machine.collect(who)
        machine.money_is_accounted_for()
        sponsor = machine.model.money.credit[machine.address(SPONSOR)]
        assert (sponsor == PRIZE + PART_BOND) == (opened == SPONSOR), state
        machine.teardown()
