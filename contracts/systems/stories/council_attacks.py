"""Attacks on the council: of a 6-4-3 network with three listed members a house, on rides, and on a private 24-16-3 network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.open.weights import data_creation, data_hash
from zkpredict.contracts.systems import council, rows
from zkpredict.contracts.systems.council import DAY, Council, PrivateCouncil, Terms
from zkpredict.contracts.systems.council_play import DRIVERS, FARE, FEE, PASSENGERS, TERMS, WEEKLY, cast_votes, open_council
from zkpredict.contracts.systems.delivery import Deal
from zkpredict.contracts.systems.goods import trip_network, trips
from zkpredict.contracts.systems.judges import OpenJudge
from zkpredict.contracts.systems.log import deliveries, log_path
from zkpredict.contracts.systems.patches import Delta, Entry, patched
from zkpredict.contracts.systems.stage import Stage
from zkpredict.contracts.systems.stories import Attack, Guard
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model

_GOVERNOR, _GATE, _RIDES = "council/TwoHouseGovernor.sol", "council/Gate.sol", "council/Rides.sol"


def _small() -> IntegerNetwork:
    source = np.random.default_rng(7)
    layers = DenseLayer(source.integers(-9, 10, (4, 6)), source.integers(-20, 21, 4), 2), DenseLayer(source.integers(-9, 10, (3, 4)), source.integers(-20, 21, 3))
    return IntegerNetwork(layers)


CHANGE = Delta.of([Entry(0, 2, 1, 5), Entry(1, 4, 0, -7)])


class _Scene:
    """The council of a small network. Its houses are lists, unless an attack is on rides."""

    def __init__(self, stage: Stage, houses: tuple[str, str] | None = None, cap: int = 10) -> None:
        self.stage = stage
        if houses is None:
            lists = [stage.deploy("stranger", "House", name, [stage.address(who) for who in members])
                     for name, members in (("drivers", DRIVERS), ("passengers", PASSENGERS))]  # fmt: skip
            houses = lists[0].address, lists[1].address
        self.council = open_council(stage, _small(), houses, Terms(cap=cap))

    def by(self, who: str) -> Council:
        return self.council.by(self.stage.account(who))

    def propose(self, who: str = "driver-1", delta: Delta = CHANGE, **named: Any) -> int:
        address, digest, _ = council.store(self.stage.account(who), delta)
        return self.by(who).propose(address, digest, "for the attack", **named)[0]

    def pass_vote(self, number: int, yes: tuple[str, ...] = (*DRIVERS, *PASSENGERS), no: tuple[str, ...] = ()) -> None:
        """Everybody votes, the vote ends, the timelock is waited for."""
        self.stage.wait(TERMS.delay + 1)
        cast_votes(self.stage, self.council, number, yes, no)
        self.stage.wait(TERMS.period)

    def adopt(self, number: int) -> None:
        by = self.by("stranger")
        by.queue(number)
        self.stage.wait(TERMS.timelock + 1)
        by.execute(number)


def _one_house(stage: Stage) -> bool:
    """All drivers are for it, all passengers against; somebody queues it all the same."""
    scene = _Scene(stage)
    number = scene.propose()
    scene.pass_vote(number, DRIVERS, PASSENGERS)
    scene.by("attacker").queue(number)
    return True


def _flash_join(stage: Stage) -> bool:
    """The attacker rides after the vote has begun, and votes."""
    rides = stage.deploy("stranger", "Rides", FEE, WEEKLY)
    rides.by(stage.account("passenger-1")).transact("ride", stage.address("driver-1"), value=FARE + FEE)
    scene = _Scene(stage, (rides.call("drivers"), rides.call("passengers")))
    number = scene.propose()
    stage.wait(TERMS.delay + 1)
    rides.by(stage.account("attacker")).transact("ride", stage.address("driver-2"), value=FARE + FEE)
    scene.by("attacker").vote(number, True)
    return True


def _double_vote(stage: Stage) -> bool:
    scene = _Scene(stage)
    number = scene.propose()
    stage.wait(TERMS.delay + 1)
    scene.by("driver-1").vote(number, True)
    scene.by("driver-1").vote(number, True)
    return True


def _both_houses(stage: Stage) -> bool:
    """Two lists name the attacker, who votes in one house with the units of both."""
    lists = [stage.deploy("stranger", "House", "list", [stage.address(who), stage.address("attacker")]) for who in ("driver-1", "passenger-1")]
    scene = _Scene(stage, (lists[0].address, lists[1].address))
    number = scene.propose()
    stage.wait(TERMS.delay + 1)
    scene.by("attacker").vote(number, True)
    return True


def _withheld_delta(stage: Stage) -> bool:
    """The attacker has a change voted on that nobody can read: it is stored after the vote."""
    scene = _Scene(stage)
    scene.by("attacker").propose(stage.address("attacker"), bytes(32), "trust me")
    return True


def _stale(stage: Stage) -> bool:
    """Two changes of version 0 pass; the second is adopted on top of the first, which nobody voted for."""
    scene = _Scene(stage)
    first, second = scene.propose(), scene.propose("passenger-1", Delta.of([Entry(0, 1, 1, 3)]))
    stage.wait(TERMS.delay + 1)
    for number in (first, second):
        cast_votes(stage, scene.council, number, (*DRIVERS, *PASSENGERS), ())
    stage.wait(TERMS.period)
    scene.adopt(first)
    scene.adopt(second)
    return True


def _cancel_grief(stage: Stage) -> bool:
    """The attacker sends a proposal that it saw on its way first, and cancels it, so that it can never be made again."""
    scene = _Scene(stage)
    address, digest, _ = council.store(stage.account("driver-1"), CHANGE)
    governor = scene.council.governor
    update = 0, False, address, digest, governor.call("earliest") + TERMS.grace // 2, 0
    arguments = scene.council.gate.address, update, "a good change"
    copied = governor.by(stage.account("attacker"))
    number = council.created(governor, copied.transact("proposeUpdate", *arguments, value=TERMS.bond))
    scene.by("attacker").cancel(number)
    try:
        governor.by(stage.account("driver-1")).transact("proposeUpdate", *arguments, value=TERMS.bond)
    except Reverted as refusal:
        if refusal.name != "GovernorUnexpectedProposalState":
            raise
        return True
    stage.tell("driver-1", "proposes all the same")
    return False


def _bypass_timelock(stage: Stage) -> bool:
    """The attacker has the gate adopt a change that nobody voted on."""
    scene = _Scene(stage)
    address, digest, _ = council.store(stage.account("attacker"), CHANGE)
    gate = scene.council.gate.by(stage.account("attacker"))
    gate.transact("adopt", (0, False, address, digest, stage.now + DAY, 0))
    return True


def _other_action(stage: Stage) -> bool:
    """A proposal that is no update: the timelock makes the attacker its admin."""
    scene = _Scene(stage)
    timelock = scene.council.governor.call("timelock")
    scene.council.governor.by(stage.account("attacker")).transact("propose", [timelock], [0], [bytes(4)], "make me admin")
    return True


def _over_the_cap(stage: Stage) -> bool:
    """Both houses want more in a month than third parties were promised."""
    scene = _Scene(stage, cap=1)
    number = scene.propose()
    scene.pass_vote(number)
    scene.adopt(number)
    return True


def _broken_delta(stage: Stage) -> bool:
    """A change of a neuron that is not there, which predictions would trip over."""
    scene = _Scene(stage)
    number = scene.propose(delta=Delta.of([Entry(0, 6, 4, 1)]))
    scene.pass_vote(number)
    scene.adopt(number)
    return True


def _sleeper(stage: Stage) -> bool:
    """A change that passed long ago is executed when everybody has forgotten it."""
    scene = _Scene(stage)
    number = scene.propose()
    scene.pass_vote(number)
    scene.by("stranger").queue(number)
    stage.wait(TERMS.timelock + TERMS.grace + 2 * DAY)
    scene.by("attacker").execute(number)
    return True


def _free_proposal(stage: Stage) -> bool:
    """Proposals that cost nothing, by the hundred."""
    scene = _Scene(stage)
    address, digest, _ = council.store(stage.account("attacker"), CHANGE)
    governor = scene.council.governor
    update = 0, False, address, digest, governor.call("earliest") + TERMS.grace // 2, 0
    governor.by(stage.account("attacker")).transact("proposeUpdate", scene.council.gate.address, update, "spam")
    return True


def _early_bond(stage: Stage) -> bool:
    """The attacker takes its bond back before the houses can burn it."""
    scene = _Scene(stage)
    number = scene.propose("attacker")
    scene.council.governor.by(stage.account("attacker")).transact("releaseBond", number)
    return True


def _free_rides(stage: Stage) -> bool:
    """Votes for nothing: the attacker rides with itself, as two accounts, and burns no fee."""
    rides = stage.deploy("stranger", "Rides", FEE, WEEKLY)
    rides.by(stage.account("attacker")).transact("ride", stage.address("stranger"))
    return True


def _circle(stage: Stage) -> bool:
    """One pair of accounts rides all week."""
    rides = stage.deploy("stranger", "Rides", FEE, WEEKLY)
    for _ in range(WEEKLY + 1):
        rides.by(stage.account("attacker")).transact("ride", stage.address("stranger"), value=FEE)
    return True


def _two_coats(stage: Stage) -> bool:
    """A passenger becomes a driver too, to vote in both houses."""
    rides = stage.deploy("stranger", "Rides", FEE, WEEKLY)
    rides.by(stage.account("attacker")).transact("ride", stage.address("driver-1"), value=FEE)
    rides.by(stage.account("passenger-1")).transact("ride", stage.address("attacker"), value=FEE)
    return True


def _settled(stage: Stage) -> tuple[Contract, Contract]:
    """An escrow that settled two trips of a passenger with a driver, and the houses that count them."""
    judge = OpenJudge.deploy(stage, "stranger", trip_network())
    deal = Deal.open(stage, judge, (1, 2, 3), 2, parties=("passenger-1", "driver-1", "stranger"))
    for serial, values in enumerate(trips(2, 5)[0]):
        deal.deliver(serial, values.tobytes(), f"drives trip {serial}", by="driver-1")
    return deal.escrow, stage.deploy("stranger", "SettledRides", deal.escrow.address, FEE, WEEKLY)


def _counted_twice(stage: Stage) -> bool:
    """One trip is two votes."""
    escrow, settled = _settled(stage)
    for _ in range(2):
        council.count_ride(settled.by(stage.account("driver-1")), escrow, 0)
    return True


def _other_number(stage: Stage) -> bool:
    """A trip is counted again under a number whose lower bits are its own."""
    escrow, settled = _settled(stage)
    found = deliveries(escrow)
    by = settled.by(stage.account("driver-1"))
    for index in (0, 1 << 32):
        by.transact("count", 2, index, found[0].argument, log_path([d.leaf for d in found], 0), value=FEE)
    return True


def _never_driven(stage: Stage) -> bool:
    """The attacker counts a trip with itself that nobody settled."""
    escrow, settled = _settled(stage)
    found = deliveries(escrow)
    _, digest, _, _, deal, serial = found[0].argument
    made_up = 2, digest, stage.address("stranger"), stage.address("attacker"), deal, serial
    settled.by(stage.account("attacker")).transact("count", 2, 0, made_up, log_path([d.leaf for d in found], 0), value=FEE)
    return True


class _Hidden(_Scene):
    """The council of a private network."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.old = commit_model(trip_network())
        context = rows.context_of(self.old.commitment)
        self.registry = stage.deploy("stranger", "RowRegistry", context, len(self.old.commitment.rows))
        rows.register(self.registry, self.old.commitment)
        lists = self.council.governor.call("firstHouse"), self.council.governor.call("secondHouse")
        governor = stage.deploy("stranger", "TwoHouseGovernor", "council", *lists, TERMS.arguments)
        gate = stage.deploy("stranger", "PrivateGate", governor.call("timelock"), self.registry.address, self.old.commitment.model_id, 9, council.NOBODY, bytes(32), 0)
        self.council = self.hidden = PrivateCouncil(governor, gate)

    def changed(self, weight: int) -> Model:
        """The network with one weight of its first row changed, committed anew there alone."""
        return rows.update_rows(self.old, patched(self.old.network, [Delta.of([Entry(0, weight, 3, 1)])]))[0]

    def derived(self, weight: int) -> bytes:
        new = self.changed(weight).commitment
        rows.derive(self.registry, self.old.commitment, new)
        return new.model_id


def _unregistered(stage: Stage) -> bool:
    """The houses vote on points that no registry ever looked at."""
    scene = _Hidden(stage)
    new = scene.changed(1).commitment
    data = b"".join(bytes(20) + bytes([n]) for n in range(len(new.rows))) + b"".join(row.to_uncompressed() for row in new.rows)
    place = stage.account("attacker").deploy(data_creation(data)).created
    number, _ = scene.by("attacker").propose(place, data_hash(data), "trust me")
    scene.pass_vote(number)
    scene.adopt(number)
    return True


def _stale_rows(stage: Stage) -> bool:
    """Two models derived of version 0 pass; the second takes back what the first brought, which nobody voted for."""
    scene = _Hidden(stage)
    by = scene.hidden.by(stage.account("driver-1"))
    numbers = [by.propose_model(scene.derived(weight), "a change")[0] for weight in (1, 2)]
    stage.wait(TERMS.delay + 1)
    for number in numbers:
        cast_votes(stage, scene.council, number, (*DRIVERS, *PASSENGERS), ())
    stage.wait(TERMS.period)
    for number in numbers:
        scene.adopt(number)
    return True


def _guarded(name: str, about: str, contract: str, file: str, text: str, attack: Callable[[Stage], bool | None], error: str = "", instead: str = "") -> Attack:
    return Attack(name, about, (contract,), (Guard(file, text, instead),), attack, error)


_G, _U, _R, _S = ("TwoHouseGovernor", _GOVERNOR), ("UpdateGate", _GATE), ("Rides", _RIDES), ("SettledRides", _RIDES)
ATTACKS = (
    _guarded("one-house", "drivers impose a change on passengers", *_G, "_majority(proposalId, 0) && _majority(proposalId, 1)", _one_house,
             "GovernorUnexpectedProposalState", "_majority(proposalId, 0)"),
    _guarded("flash-join", "a vote with units got after voting began", *_G, "house.getPastVotes(account, timepoint)", _flash_join, "NoVotes",
             "house.getVotes(account)"),
    _guarded("double-vote", "one account votes twice", *_G, "if (t.voted[account]) revert GovernorAlreadyCastVote(account);", _double_vote,
             "GovernorAlreadyCastVote"),
    _guarded("both-houses", "one account votes with the units of two houses", *_G, "if (first != 0 && second != 0) revert InBothHouses(account);",
             _both_houses, "InBothHouses"),
    _guarded("withheld-delta", "a vote on a change that nobody can read", *_G,
             "if (u.delta.code.length == 0 || u.delta.codehash != u.deltaHash) revert NoDelta(u.delta, u.delta.codehash, u.deltaHash);",
             _withheld_delta, "NoDelta"),
    _guarded("stale", "a change of an old version", "ModelVersions", "models/ModelVersions.sol",
             "if (parent != h.count - 1) revert NotTheLatest(parent, h.count - 1);", _stale, "NotTheLatest"),
    _guarded("cancel-grief", "a proposal is copied and cancelled", *_G, 'string.concat(why, "#proposer=", Strings.toHexString(msg.sender))',
             _cancel_grief, instead="string.concat(why)"),
    _guarded("bypass-timelock", "a change without a vote", *_U, "if (msg.sender != timelock) revert NotTheTimelock(msg.sender, timelock);",
             _bypass_timelock, "NotTheTimelock"),
    _guarded("other-action", "a vote on something else than a change", *_G, "revert OnlyUpdates();", _other_action, "OnlyUpdates"),
    _guarded("over-the-cap", "more changes than third parties were promised", *_U, "if (entries > left()) revert OverTheCap(entries, left());",
             _over_the_cap, "OverTheCap", "if (entries > left()) return;"),
    _guarded("broken-delta", "a change that predictions would trip over", "PatchablePredictor", "models/PatchablePredictor.sol",
             "if ((entry >> 19) & 0x7ff > uint24(fields >> 16) || (entry >> 11) & 0xff >= uint24(fields >> 64)) revert BadDelta(delta, i);",
             _broken_delta, "BadDelta"),
    _guarded("sleeper", "a forgotten change is executed", *_U, "if (block.timestamp > u.until) revert TooLate(block.timestamp, u.until);", _sleeper, "TooLate"),
    _guarded("free-proposal", "a proposal without a bond", *_G, "_exactly(bond);", _free_proposal, "WrongPayment"),
    _guarded("early-bond", "a bond is taken back during the vote", *_G,
             "if (now_ == ProposalState.Pending || now_ == ProposalState.Active) revert VoteNotOver(proposalId, now_);", _early_bond, "VoteNotOver"),
    _guarded("free-rides", "votes that cost nothing", *_R, "if (msg.value < fee) revert FeeNotCovered(msg.value, fee);", _free_rides, "FeeNotCovered",
             "if (msg.value < fee) { drivers.add(driver); passengers.add(msg.sender); return; }"),
    _guarded("circle", "one pair rides for votes all week", *_R,
             "if (_ridden[pair] == weeklyCap) revert CapReached(driver, passenger, weeklyCap);", _circle, "CapReached"),
    _guarded("two-coats", "a passenger becomes a driver too", *_R,
             "if (driver == passenger || passengers.units(driver) != 0) revert InTheOtherHouse(driver);", _two_coats, "InTheOtherHouse"),
    _guarded("counted-twice", "a settled trip is two votes", *_S, "if (counted[index]) revert CountedBefore(index);", _counted_twice, "CountedBefore"),
    _guarded("other-number", "a settled trip is counted under another number", *_S, "if (index >= size) revert NotInTheLog(index, size);", _other_number, "NotInTheLog"),
    _guarded("never-driven", "votes for a trip that nobody settled", *_S, "if (root != expected) revert NotLogged(root, expected);", _never_driven, "NotLogged"),
    Attack("unregistered", "a private model whose rows nobody checked", ("RowRegistry",), (
        Guard("models/RowRegistry.sol", "if (_existing(model) != holder) revert NoSuchModel(model);"),
        Guard("models/RowRegistry.sol", "if (holder == address(0)) revert NoSuchModel(model);")), _unregistered, "NoSuchModel"),
    _guarded("stale-rows", "a private change of an old version", "PrivateGate", "council/PrivateGate.sol",
             "if (u.parent != latest()) revert NotTheLatest(u.parent, latest());", _stale_rows, "NotTheLatest"),
)
