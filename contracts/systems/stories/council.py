"""Drivers and passengers change 40 weights of the network that pays them: two votes, two days' wait, and the next ride is judged anew.

Attacks are on the council of a 6-4-3 network with three listed members a house.
"""

from __future__ import annotations

import numpy as np

from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.checkout import example_network, sample_images
from zkpredict.contracts.open.deploy import deploy_packed
from zkpredict.contracts.systems import council
from zkpredict.contracts.systems.council import DAY, Council, State, Terms, evidence_of
from zkpredict.contracts.systems.patches import Delta, Entry, fits, patched
from zkpredict.contracts.systems.stage import Stage, StoryFailed, ether
from zkpredict.contracts.systems.stories import Attack, Guard

CAST = ("driver-1", "driver-2", "driver-3", "passenger-1", "passenger-2", "passenger-3", "stranger", "attacker")
DRIVERS, PASSENGERS = CAST[:3], CAST[3:6]
TERMS = Terms()
FEE, FARE, WEEKLY = 10**15, 2 * 10**16, 3
_GOVERNOR, _GATE, _RIDES = "council/TwoHouseGovernor.sol", "council/UpdateGate.sol", "council/Rides.sol"


def play(stage: Stage) -> None:
    """One change that only the drivers want, one that both houses want; rides before and after."""
    network, images = example_network(), sample_images()
    delta, number, right = teaching(network, images)
    new = patched(network, [delta])
    rides = stage.deploy("stranger", "Rides", FEE, WEEKLY, vault=True, label="council deploy rides")
    for n, driver in enumerate(DRIVERS):
        for passenger in (PASSENGERS[n], PASSENGERS[(n + 1) % 3]):
            stage.wait(60)
            stage.act(passenger, f"rides with {driver} for {ether(FARE)}, {ether(FEE)} more are burned; each gets a vote", rides, "ride",
                      stage.address(driver), value=FARE + FEE, label="council ride")
    members = _open(stage, network, (rides.call("drivers"), rides.call("passengers")))
    judge = stage.deploy("stranger", "VersionPrediction", members.predictor.address)
    stage.tell("stranger", f"picture {number} is a {right} for the houses; version 0 says {_class(members, 0, images[number])}")

    bad = Delta.of([Entry(1, network.layers[1].inputs, right, 1000)])
    first = _propose(stage, "driver-1", members, bad, "always say it")
    stage.wait(TERMS.delay + 1)
    _votes(stage, members, first, DRIVERS, PASSENGERS)
    stage.wait(TERMS.period)
    _tell_tallies(stage, members, first)
    _expect(members, first, State.DEFEATED)
    stage.act("stranger", "frees the bond: one house wanted it, so it goes back", members.governor, "releaseBond", first, label="council release bond")

    second = _propose(stage, "passenger-1", members, delta, f"{delta.weights} weights of the last layer, for pictures like number {number}")
    stage.wait(TERMS.delay + 1)
    _votes(stage, members, second, (*DRIVERS, *PASSENGERS), ())
    stage.wait(TERMS.period)
    _tell_tallies(stage, members, second)
    _tell(stage, "stranger", "queues it: two days to look, and to leave", members, "queue", second)
    stage.refuses("stranger", "executes it at once", "TimelockUnexpectedOperationState", lambda: members.execute(second))
    stage.wait(TERMS.timelock + 1)
    _tell(stage, "stranger", "executes it", members, "execute", second)
    stage.act("stranger", "frees the bond", members.governor, "releaseBond", second, label="council release bond")
    _expect(members, second, State.EXECUTED)
    _next_ride(stage, members, judge, images[number], right)
    for picture in images[:5]:
        if list(members.predictor.call("logitsAt", members.handle, 1, picture.tobytes())) != new.infer(picture[None]).logits[0].tolist():
            raise StoryFailed("version 1 is not the network that the houses voted for")


def _next_ride(stage: Stage, members: Council, judge: Contract, picture: np.ndarray, right: int) -> None:
    """Both versions go on: who pinned version 0 still has it."""
    for version, expected in ((0, False), (1, True)):
        model = judge.call("modelOf", members.handle, version)
        receipt = judge.by(stage.account("stranger")).transact("holds", model, picture.tobytes(), right, evidence_of(members.handle, version))
        said = judge.call("holds", model, picture.tobytes(), right, evidence_of(members.handle, version))
        stage.tell("stranger", f"asks whether version {version} says {right}: {said}", receipt.gas_used, f"council predict version {version}")
        if said is not expected:
            raise StoryFailed(f"version {version} was expected to {'say' if expected else 'deny'} {right}")


def teaching(network: IntegerNetwork, images: np.ndarray) -> tuple[Delta, int, int]:
    """Forty changes in the last layer that put one picture in the class whose logit is second: the change, the picture, the class."""
    result = network.infer(images)
    logits = result.logits
    order = np.sort(logits, axis=1)
    number = int(np.argmin(order[:, -1] - order[:, -2]))
    first, second = (int(c) for c in np.argsort(logits[number])[::-1][:2])
    inputs = result.activations[-1][number]
    strongest = np.argsort(inputs)[::-1][:20]
    gap, sides = int(logits[number][first] - logits[number][second]), 2
    step = gap // (sides * int(inputs[strongest].sum())) + 1
    last = len(network.layers) - 1
    delta = Delta.of(Entry(last, int(j), c, sign * step) for j in strongest for c, sign in ((second, 1), (first, -1)))
    if not fits(patched(network, [delta]), network):
        raise StoryFailed("the change does not fit")
    return delta, number, second


def _open(stage: Stage, network: IntegerNetwork, houses: tuple[str, str], terms: Terms = TERMS) -> Council:
    """Registry, predictor, base, governor and gate, deployed by a stranger, who then has no right in any."""
    chain = stage.account("stranger")
    versions = stage.deploy("stranger", "ModelVersions", label="council deploy versions")
    predictor = stage.deploy("stranger", "PatchablePredictor", versions.address, label="council deploy predictor")
    base = deploy_packed(chain, network)
    stage.tell("stranger", f"deploys {network.name}, all weights", base.gas_used, "council deploy base")
    governor = stage.deploy("stranger", "TwoHouseGovernor", "council", *houses, terms.arguments, vault=True, label="council deploy governor")
    gate = stage.deploy("stranger", "UpdateGate", governor.call("timelock"), predictor.address, base.contract.address, terms.cap, council.NOBODY,
                        bytes(32), 0, label="council deploy gate")
    return Council(governor, gate)


def _propose(stage: Stage, who: str, members: Council, delta: Delta, why: str) -> int:
    chain = stage.account(who)
    address, digest, receipt = council.store(chain, delta)
    stage.tell(who, f"stores a change of {delta.weights} weights for all to read", receipt.gas_used, f"council store {delta.weights} weights")
    number, receipt = members.by(chain).propose(address, digest, why)
    stage.tell(who, f"proposes it: {why!r}", receipt.gas_used, "council propose")
    return number


def _votes(stage: Stage, members: Council, number: int, yes: tuple[str, ...], no: tuple[str, ...]) -> None:
    for who in (*yes, *no):
        receipt = members.by(stage.account(who)).vote(number, who in yes)
        stage.tell(who, f"votes {'for' if who in yes else 'against'} it", receipt.gas_used, "council vote")


def _tell(stage: Stage, who: str, what: str, members: Council, verb: str, number: int) -> None:
    receipt = getattr(members.by(stage.account(who)), verb)(number)
    stage.tell(who, what, receipt.gas_used, f"council {verb}")


def _tell_tallies(stage: Stage, members: Council, number: int) -> None:
    for house, tally in zip(("drivers", "passengers"), members.tallies(number), strict=True):
        stage.tell(house, f"{tally.yes} for, {tally.no} against, it takes {tally.needed}")


def _expect(members: Council, number: int, state: State) -> None:
    if (found := members.state(number)) is not state:
        raise StoryFailed(f"the proposal is {found.name}, expected {state.name}")


def _class(members: Council, version: int, picture: np.ndarray) -> int:
    return members.predictor.call("predictAt", members.handle, version, picture.tobytes())


# Attacks -------------------------------------------------------------------------------------------------------------------------------


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
        self.council = _open(stage, _small(), houses, Terms(cap=cap))

    def by(self, who: str) -> Council:
        return self.council.by(self.stage.account(who))

    def propose(self, who: str = "driver-1", delta: Delta = CHANGE, **named: int) -> int:
        address, digest, _ = council.store(self.stage.account(who), delta)
        return self.by(who).propose(address, digest, "for the attack", **named)[0]

    def pass_vote(self, number: int, yes: tuple[str, ...] = (*DRIVERS, *PASSENGERS), no: tuple[str, ...] = ()) -> None:
        """Everybody votes, the vote ends, the timelock is waited for."""
        self.stage.wait(TERMS.delay + 1)
        _votes(self.stage, self.council, number, yes, no)
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
        _votes(stage, scene.council, number, (*DRIVERS, *PASSENGERS), ())
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


def _guarded(name: str, about: str, contract: str, file: str, text: str, attack, error: str = "", instead: str = "") -> Attack:
    return Attack(name, about, (contract,), (Guard(file, text, instead),), attack, error)


_G, _U, _R = ("TwoHouseGovernor", _GOVERNOR), ("UpdateGate", _GATE), ("Rides", _RIDES)
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
             "if (_ridden[pair] == weeklyCap) revert CapReached(driver, msg.sender, weeklyCap);", _circle, "CapReached"),
    _guarded("two-coats", "a passenger becomes a driver too", *_R,
             "if (driver == msg.sender || passengers.units(driver) != 0) revert InTheOtherHouse(driver);", _two_coats, "InTheOtherHouse"),
)
