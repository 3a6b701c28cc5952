"""LifelongLearning against its model: random calls in an epoch, money after every step, and a way out for a stranger."""

from __future__ import annotations

from collections import defaultdict

from clocked import Clocked, rarely
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from model_learn import Learning
from world import BURNED, machine_settings, same

from zkpredict.contracts.systems.learn import Program, pack_losses
from zkpredict.contracts.systems.learn_play import Play
from zkpredict.contracts.systems.stage import Stage
from zkpredict.contracts.systems.stories.learn_attacks import GOOD, KNOWS_NOTHING, WEAK, tiny_play
from zkpredict.kernel import keccak256

CAST = ("initiator", "ada", "bob", "stranger", "dan")
WHO = ("ada", "bob", "dan")
BRINGS = {"ada": GOOD, "bob": WEAK, "dan": KNOWS_NOTHING}
who_ = st.sampled_from(WHO)


def likely(*phases: int):
    """A rule for calls that these phases allow; now and then it runs in others, where they are refused."""
    return precondition(lambda self: self.phase in phases or self.chain.block().number % 5 == 0)


class LearnMachine(Clocked):
    @initialize(goal=st.sampled_from([0, 0, 2, 3, 3]), opens=st.integers(0, 5))
    def deploy(self, goal, opens):
        self.stage = Stage(self.chain, CAST)
        self.play: Play = tiny_play(self.stage)
        self.play.begin()
        terms, program = self.play.terms, Program(self.play.contract)
        credit = defaultdict(int, {self.stage.address("initiator"): terms.part_bond})
        self.model = Learning(program.deadlines(), terms.stake, terms.bond, terms.part_bond, 10**18, 5, credit)
        self.number = 0
        if goal:
            for who in WHO:
                self.commit(who, 0, False)
            self.next_phase()
            self.draw()
            if opens:
                self.open()
            self.next_phase()
        if goal > 2:
            for who in WHO:
                self.claim(who, who == "dan")
            self.next_phase()

    @property
    def phase(self) -> int:
        return sum(self.now >= deadline for deadline in self.model.deadlines)

    @property
    def drawn(self) -> bool:
        return any(self.play.contract.call("drawn", 1)[1])

    def run(self, who: str, function: str, *arguments, model, value: int = 0) -> str:
        return same(lambda: self.play.contract.by(self.stage.account(who)).transact(function, *arguments, value=value), model)

    @rule()
    def next_phase(self):
        left = [deadline for deadline in self.model.deadlines if deadline > self.now]
        if left:
            self.wait(left[0] - self.now)

    @likely(0)
    @precondition(lambda self: not self.model.result)
    @rule(who=who_, more=st.integers(0, 3), short=rarely)
    def commit(self, who, more, short):
        now, sent = self.now, self.play.terms.stake * (1 + more) - short
        made = Program(self.play.contract).seal_of(self.stage.key(who), self.stage.address(who), BRINGS[who].data)
        self.run(who, "commit", made, value=sent, model=lambda: self.model.commit(now, who, sent))

    @precondition(lambda self: self.phase == 1 and not self.model.result and self.model.candidates and not self.drawn)
    @rule()
    def draw(self):
        self.play.draw("stranger", 1)

    @precondition(lambda self: self.phase == 1 and not self.model.result and self.drawn and not self.model.opened)
    @rule()
    def open(self):
        self.play.open_part(0, self.play.contract.call("drawnPart"))
        self.model.open(self.stage.address("initiator"))

    @precondition(lambda self: not self.model.result and self.drawn)
    @likely(2)
    @rule(who=who_, lie=rarely)
    def claim(self, who, lie):
        standing, own = self.play.losses(), self.play.losses(BRINGS[who])
        own = [0] * 4 if lie else own
        lies = lie and own != self.play.losses(BRINGS[who])
        losses, now = pack_losses(standing, own), self.now
        salt = Program(self.play.contract).salt(self.stage.key(who))
        found = self.run(who, "claim", keccak256(BRINGS[who].data), salt, losses, value=self.play.terms.bond,
                         model=lambda: self.model.claim(now, who, sum(standing) - sum(own), lies))  # fmt: skip
        if not found:
            self.play.claims[who] = losses

    @likely(3)
    @precondition(lambda self: not self.model.result)
    @rule(who=who_)
    def publish(self, who):
        now = self.now
        self.run(who, "publish", BRINGS[who].data, model=lambda: self.model.publish(now, who))

    @likely(4)
    @precondition(lambda self: not self.model.result and self.drawn and self.model.opened)
    @rule(who=who_)
    def refute(self, who):
        found = self.model.candidates.get(who)
        if found is not None and found.gain and not found.published and not found.refuted:
            return  # own losses of weights that nobody has seen: a story's attack
        true, said = self.play.losses(BRINGS[who]), self.play.claims.get(who, bytes(32))
        claimed = [int.from_bytes(said[16 + 4 * i :][:4], "big") for i in range(4)]
        place = next((i for i in range(4) if true[i] != claimed[i]), 0)
        now, sample = self.now, self.play.drawn[0].sample(place, 0)
        self.run("stranger", "refute", self.stage.address(who), said, False, sample,
                 model=lambda: self.model.refute(now, who, self.stage.address("stranger")))  # fmt: skip

    @likely(5)
    @precondition(lambda self: not self.model.result)
    @rule(who=who_)
    def present(self, who):
        now = self.now
        self.run("stranger", "present", self.stage.address(who), model=lambda: self.model.present(now, who))

    @precondition(lambda self: not self.model.result)
    @likely(1, 2, 6)
    @rule()
    def settle(self):
        now, drawn = self.now, self.drawn
        self.run("stranger", "settle", model=lambda: self.model.settle(now, drawn, self.play.terms.epochs))

    @precondition(lambda self: self.model.result)
    @rule(who=who_)
    def collect(self, who):
        self.run("stranger", "collect", 0, self.stage.address(who), model=lambda: self.model.collect(who))

    @invariant()
    def money_and_points_are_as_modelled(self):
        if not hasattr(self, "model"):
            return
        contract = self.play.contract
        assert contract.call("owed") == self.model.owed == self.chain.balance(contract.address)
        for who in CAST:
            address = self.stage.address(who)
            assert contract.call("credit", address) == self.model.credit[address] + self.model.credit[who]
            assert contract.call("points", address) == self.model.points[who]
        assert contract.call("credit", BURNED) == self.model.credit[BURNED]

    def teardown(self):
        """V3: time and one stranger bring the program to its end; everybody's money leaves."""
        if not hasattr(self, "model"):
            return
        contract, stranger = self.play.contract, self.stage.account("stranger")
        while contract.call("state") == 1:
            self.wait(7 * self.play.terms.window)
            contract.by(stranger).transact("settle")
        self.wait(2 * self.play.terms.window)
        for number in range(6):
            if not contract.call("partOf", 0, number)[2]:
                contract.by(stranger).transact("expirePart", 0, number)
        for epoch in range(contract.call("epoch")):
            for who in WHO:
                if contract.call("candidates", epoch, self.stage.address(who))[0]:
                    contract.by(stranger).transact("collect", epoch, self.stage.address(who))
            if contract.call("epochs", epoch)[3] == 3:
                contract.by(stranger).transact("collectRest", epoch)
        for who in (*map(self.stage.address, CAST), BURNED):
            if contract.call("credit", who):
                contract.by(stranger).transact("withdrawFor", who)
        assert contract.call("owed") == self.chain.balance(contract.address) == 0


LearnMachine.TestCase.settings = machine_settings(2, 8)
TestLearn = LearnMachine.TestCase


def test_an_epoch_with_a_winner_a_liar_and_a_silent_one():
    """The rules above, in an order that random ones seldom take."""
    machine = LearnMachine()
    machine.deploy(2, 1)
    machine.claim("ada", False)
    machine.claim("bob", True)
    machine.claim("dan", False)
    machine.next_phase()
    for who in WHO:
        machine.publish(who)
        machine.money_and_points_are_as_modelled()
    machine.next_phase()
    machine.refute("bob")
    machine.refute("ada")
    machine.next_phase()
    for who in WHO:
        machine.present(who)
    machine.next_phase()
    machine.settle()
    for who in (*WHO, "ada"):
        machine.collect(who)
        machine.money_and_points_are_as_modelled()
    assert machine.model.result == 3 and machine.model.points == {"ada": 1000, "bob": 0, "dan": 0, **dict.fromkeys(set(CAST) - set(WHO), 0)}
    machine.teardown()
