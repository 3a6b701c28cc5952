"""Councils of private models: a derived model becomes the next version by two votes, and an escrow pays by it; what the gate refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from test_council_gate import settable_score

from zkpredict.contracts.artifact import load
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import Reverted
from zkpredict.circuits.errors import UnusableInput
from zkpredict.contracts.systems import council, rows
from zkpredict.contracts.systems.council import NOBODY, PrivateCouncil, State, Terms
from zkpredict.contracts.systems.delivery import Deal
from zkpredict.contracts.systems.goods import trip_network, trips
from zkpredict.contracts.systems.judges import HiddenJudge
from zkpredict.contracts.systems.patches import Delta, Entry, patched
from zkpredict.contracts.systems.stage import Stage
from zkpredict.kernel import keccak256
from zkpredict.prover.commit import commit_model

TERMS = Terms(delay=100, period=1000, extension=1, timelock=100, quorum=50, bond=10, cap=3)
CAST = ("driver", "passenger", "instrument", "maker", "stranger")


class Hidden:
    """A private 24-16-3, kept in a registry, and one with a weight changed that is derived of it. The houses have one member each."""

    def __init__(self) -> None:
        self.stage = Stage(EmbeddedChain(), CAST)
        chain = self.stage.account("maker")
        self.old = commit_model(trip_network())
        self.registry = rows.deploy(chain, self.old.commitment)
        rows.register(self.registry, self.old.commitment)
        houses = [self.stage.deploy("stranger", "House", who, [self.stage.address(who)]).address for who in CAST[:2]]
        self.houses = tuple(houses)
        self.council = self.open()
        self.new, self.changed = rows.update_rows(self.old, patched(self.old.network, [Delta.of([Entry(1, 3, 1, 1)])]))
        rows.derive(self.registry, self.old.commitment, self.new.commitment)

    def open(self, **named) -> PrivateCouncil:
        return PrivateCouncil.of(self.stage.account("maker"), self.houses, self.registry.address, self.old.commitment.model_id, named.pop("terms", TERMS), **named)

    def passes(self, members: PrivateCouncil, model: bytes, **named) -> str:
        """Proposes, votes and executes; the name of the error, empty when it is adopted."""
        number, _ = members.propose_model(model, "a change", **named)
        self.stage.wait(TERMS.delay + 1)
        for who in CAST[:2]:
            members.by(self.stage.account(who)).vote(number, True)
        self.stage.wait(TERMS.period)
        members.by(self.stage.account("stranger")).queue(number)
        self.stage.wait(TERMS.timelock + 1)
        try:
            members.by(self.stage.account("stranger")).execute(number)
        except Reverted as refusal:
            return refusal.name
        assert members.state(number) is State.EXECUTED
        return ""


@pytest.fixture(scope="module")
def hidden() -> Hidden:
    return Hidden()


def test_a_derived_model_becomes_the_next_version_and_the_escrow_pays_by_it(hidden):
    members, stage = hidden.council, hidden.stage
    assert hidden.passes(members, hidden.new.commitment.model_id) == ""
    assert members.latest == 1 and members.model(1) == hidden.new.commitment.model_id
    assert members.gate.call("left") == TERMS.cap - len(hidden.changed)
    prediction = HiddenJudge.prediction_for(stage, "maker", hidden.old)
    hidden.registry.transact("registerIn", prediction.call("verifier"), members.model(1))
    judge = HiddenJudge(hidden.new, prediction.address, members.model(1))
    deal = Deal.open(stage, judge, (1, 2, 3), 2, parties=("passenger", "driver", "instrument"))
    values = trips(1, 5)[0][0].tobytes()
    deal.deliver(0, values, by="driver")
    assert deal.escrow.call("status", 1)[8] == (1, 2, 3)[judge.says(values)]
    old = replace(deal, judge=HiddenJudge(hidden.old, prediction.address, members.model(0)))
    with pytest.raises(Reverted) as refusal:  # a proof about the version before, for a deal on this one
        old.deliver(1, values, by="driver")
    assert refusal.value.data


def test_what_no_vote_overrules(hidden):
    """A cap on rows, evidence, versions in a row, no list of changes to replace, and a base that is registered."""
    score = settable_score(hidden.stage.account("maker"))
    root = b"r" * 32
    members = hidden.open(scores=score.address, test_root=root, standing=5)
    model = hidden.new.commitment.model_id
    for about, error in (((model, root, 4, True), "NotShownAsGood"), ((model, root, 5, False), "NotShownAsGood"), ((model, bytes(32), 9, True), "WrongEvidence"),
                         ((members.model(0), root, 9, True), "WrongEvidence"), ((model, root, 9, True), "")):  # fmt: skip
        score.transact("set", *about)
        assert hidden.passes(members, model) == error
    assert members.gate.call("standing") == 9
    assert hidden.passes(members, model, parent=0) == "NotTheLatest"
    assert hidden.passes(hidden.open(terms=replace(TERMS, cap=0)), model) == "OverTheCap"
    with pytest.raises(UnusableInput):
        members.propose_model(bytes(32), "nothing")
    with pytest.raises(Reverted) as refusal:
        PrivateCouncil.of(hidden.stage.account("maker"), hidden.houses, hidden.registry.address, b"x" * 32, TERMS)
    assert refusal.value.named(load("RowRegistry")).name == "NoSuchModel"
    fresh = hidden.open()
    holder = hidden.registry.call("holderOf", model)
    number, _ = fresh.propose(holder, keccak256(hidden.stage.chain.code(holder)), "all of it", fresh=True)
    hidden.stage.wait(TERMS.delay + 1)
    for who in CAST[:2]:
        fresh.by(hidden.stage.account(who)).vote(number, True)
    hidden.stage.wait(TERMS.period)
    fresh.queue(number)
    hidden.stage.wait(TERMS.timelock + 1)
    with pytest.raises(Reverted) as refusal:
        fresh.execute(number)
    assert refusal.value.name == "NothingToReplace"


def test_the_registry_says_where_a_model_lies_and_what_differs(hidden):
    old, new = hidden.old.commitment.model_id, hidden.new.commitment.model_id
    holder = hidden.registry.call("holderOf", new)
    assert hidden.registry.call("modelAt", holder) == new and hidden.registry.call("modelAt", hidden.registry.call("holderOf", old)) == old
    assert hidden.registry.call("differing", old, new) == hidden.registry.call("differing", new, old) == len(hidden.changed)
    assert hidden.registry.call("differing", new, new) == 0
    for call in (lambda: hidden.registry.call("modelAt", NOBODY), lambda: hidden.registry.call("modelAt", hidden.registry.address),
                 lambda: hidden.registry.call("differing", old, bytes(32))):  # fmt: skip
        with pytest.raises(Reverted) as refusal:
            call()
        assert refusal.value.name == "NoSuchModel"


def test_votes_are_counted_from_what_an_escrow_settled(hidden):
    """One unit for each side of a delivery; a path to the log's root, whoever sends it; the fee exact."""
    stage = Stage(EmbeddedChain(), CAST)
    judge = HiddenJudge.deploy(stage, "maker", trip_network())
    deal = Deal.open(stage, judge, (1, 2, 3), 2, parties=("passenger", "driver", "instrument"))
    for serial, values in enumerate(trips(2, 5)[0]):
        deal.deliver(serial, values.tobytes(), by="driver")
    rides = stage.deploy("stranger", "SettledRides", deal.escrow.address, 7, 1)
    council.count_ride(rides, deal.escrow, 1)
    assert rides.call("counted", 1) and not rides.call("counted", 0)
    for house, who in (("drivers", "driver"), ("passengers", "passenger")):
        assert stage.contract_at("RideHouse", rides.call(house)).call("units", stage.address(who)) == 1
    for act, error in (
        (lambda: council.count_ride(rides, deal.escrow, 0), "CapReached"),
        (lambda: rides.transact("count", 2, 0, (0, bytes(32), NOBODY, NOBODY, 1, 0), [bytes(32)] * 31, value=7), "WrongPath"),
        (lambda: rides.transact("count", 2, 0, (0, bytes(32), NOBODY, NOBODY, 1, 0), [bytes(32)] * 32, value=6), "WrongPayment"),
    ):
        with pytest.raises(Reverted) as refusal:
            act()
        assert refusal.value.name == error
    with pytest.raises(UnusableInput):
        council.count_ride(rides, deal.escrow, 2)
    assert rides.call("owed") == stage.chain.balance(rides.address) == 7
