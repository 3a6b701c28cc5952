"""Drivers and passengers change 40 weights of the network that pays them: two votes, two days' wait, and the next ride is judged anew, and paid so."""

from __future__ import annotations

import numpy as np

from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.contracts.chain.interface import Contract
from zkpredict.contracts.checkout import example_network, sample_images
from zkpredict.contracts.systems import council
from zkpredict.contracts.systems.council import Council, State, evidence_of
from zkpredict.contracts.systems.council_play import CAST, DRIVERS, FARE, FEE, PASSENGERS, TERMS, WEEKLY, cast_votes, open_council
from zkpredict.contracts.systems.delivery import NOTICE, Deal
from zkpredict.contracts.systems.judges import VersionJudge
from zkpredict.contracts.systems.patches import Delta, Entry, fits, patched
from zkpredict.contracts.systems.stage import Stage, StoryFailed, ether
from zkpredict.contracts.systems.stories.council_attacks import ATTACKS

__all__ = ["ATTACKS", "CAST", "play"]


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
    members = open_council(stage, network, (rides.call("drivers"), rides.call("passengers")))
    judge = stage.deploy("stranger", "VersionPrediction", members.predictor.address)
    stage.tell("stranger", f"picture {number} is a {right} for the houses; version 0 says {_class(members, 0, images[number])}")

    bad = Delta.of([Entry(1, network.layers[1].inputs, right, 1000)])
    first = _propose(stage, "driver-1", members, bad, "always say it")
    stage.wait(TERMS.delay + 1)
    cast_votes(stage, members, first, DRIVERS, PASSENGERS)
    stage.wait(TERMS.period)
    _tell_tallies(stage, members, first)
    _expect(members, first, State.DEFEATED)
    stage.act("stranger", "frees the bond: one house wanted it, so it goes back", members.governor, "releaseBond", first, label="council release bond", random=(first.to_bytes(32, "big"),))

    second = _propose(stage, "passenger-1", members, delta, f"{delta.weights} weights of the last layer, for pictures like number {number}")
    stage.wait(TERMS.delay + 1)
    cast_votes(stage, members, second, (*DRIVERS, *PASSENGERS), ())
    stage.wait(TERMS.period)
    _tell_tallies(stage, members, second)
    _tell(stage, "stranger", "queues it: two days to look, and to leave", members, "queue", second)
    stage.refuses("stranger", "executes it at once", "TimelockUnexpectedOperationState", lambda: members.execute(second))
    stage.wait(TERMS.timelock + 1)
    _tell(stage, "stranger", "executes it", members, "execute", second)
    stage.act("stranger", "frees the bond", members.governor, "releaseBond", second, label="council release bond", random=(second.to_bytes(32, "big"),))
    _expect(members, second, State.EXECUTED)
    _next_ride(stage, members, judge, images[number], right)
    _pay_by_versions(stage, members, judge, (network, new), images[number], right)
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


def _pay_by_versions(stage: Stage, members: Council, judge: Contract, networks: tuple[IntegerNetwork, IntegerNetwork], picture: np.ndarray, right: int) -> None:
    """The escrow pays by whichever version a deal pinned, with nothing deployed anew; and what it settled counts as votes."""
    passenger, driver = PASSENGERS[0], DRIVERS[0]
    fares = tuple(FARE if class_ == right else 0 for class_ in range(10))
    escrow = stage.deploy(passenger, "GoodsEscrow", NOTICE, vault=True)
    for version, network in enumerate(networks):
        pinned = VersionJudge(network, judge.address, judge.call("modelOf", members.handle, version), evidence_of(members.handle, version))
        deal = Deal.open(stage, pinned, fares, 1, escrow, label="council open a deal on a version", parties=(passenger, driver, "stranger"))
        deal.deliver(0, picture.tobytes(), f"delivers the picture under version {version}", by=driver, label=f"council deliver by version {version}")
        earned = escrow.call("status", deal.number)[8]
        stage.tell(driver, f"earned {ether(earned)}")
        if earned != version * FARE:
            raise StoryFailed(f"version {version} paid {earned} wei, expected {version * FARE}")
        deal.call("stranger", "ends the deal: all was delivered", "reclaim")
    settled = stage.deploy("stranger", "SettledRides", escrow.address, FEE, WEEKLY, vault=True, label="council deploy settled rides")
    for index in range(2):
        receipt = council.count_ride(settled.by(stage.account("stranger")), escrow, index)
        stage.tell("stranger", f"has delivery {index} counted: {driver} and {passenger} get a vote each", receipt.gas_used, "council count a settled ride")


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


def _propose(stage: Stage, who: str, members: Council, delta: Delta, why: str) -> int:
    chain = stage.account(who)
    address, digest, receipt = council.store(chain, delta)
    stage.tell(who, f"stores a change of {delta.weights} weights for all to read", receipt.gas_used, f"council store {delta.weights} weights")
    number, receipt = members.by(chain).propose(address, digest, why)
    stage.tell(who, f"proposes it: {why!r}", receipt.gas_used, "council propose", _zeros(members, number))
    return number


def _tell(stage: Stage, who: str, what: str, members: Council, verb: str, number: int) -> None:
    receipt = getattr(members.by(stage.account(who)), verb)(number)
    stage.tell(who, what, receipt.gas_used, f"council {verb}", _zeros(members, number))


def _zeros(members: Council, number: int) -> int:
    """Zero bytes in a proposal's last second, which is another one in every run."""
    return members.proposal(number).until.to_bytes(4, "big").count(0)


def _tell_tallies(stage: Stage, members: Council, number: int) -> None:
    for house, tally in zip(("drivers", "passengers"), members.tallies(number), strict=True):
        stage.tell(house, f"{tally.yes} for, {tally.no} against, it takes {tally.needed}")


def _expect(members: Council, number: int, state: State) -> None:
    if (found := members.state(number)) is not state:
        raise StoryFailed(f"the proposal is {found.name}, expected {state.name}")


def _class(members: Council, version: int, picture: np.ndarray) -> int:
    return members.predictor.call("predictAt", members.handle, version, picture.tobytes())
