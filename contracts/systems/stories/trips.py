"""Trips by trajectory features: passengers' money is paid to the driver by how the trip was driven, in three classes."""

from __future__ import annotations

from typing import Any

from zkpredict.contracts.systems.delivery import DAY, Deal, attacks
from zkpredict.contracts.systems.goods import FAIR, RECKLESS, SAFE, trip_network, trips
from zkpredict.contracts.systems.judges import HiddenJudge, OpenJudge
from zkpredict.contracts.systems.stage import Stage, ether

CAST = ("buyer", "supplier", "instrument", "rival")
FARE = 10**16
_PAYOUT = (FARE // 2, FARE * 3 // 4, FARE)
_NAMES = {RECKLESS: "reckless", FAIR: "fair", SAFE: "safe"}


def play(stage: Stage) -> None:
    """The buyer is the riders' company, the supplier the driver, the instrument the car's secure element."""
    features = [row.tobytes() for row in trips(24, 7)[0]]
    judge = OpenJudge.deploy(stage, "buyer", trip_network())
    deal = Deal.open(stage, judge, _PAYOUT, 20, daily_cap=12, label="open a deal")
    for serial, values in enumerate(features[:8]):
        _trip(deal, serial, values, "deliver, open network")
    deal.deliver_batch(8, features[8:12], label="deliver four at once, open network")
    stage.refuses("supplier", "drives a 13th trip on one day", "DailyCapReached", lambda: deal.deliver(12, features[12]))
    stage.wait(DAY)
    _trip(deal, 12, features[12])
    deal.call("instrument", "is lost: its own key asks to close", "close", label="close")
    stage.wait(8 * DAY)
    stage.refuses("supplier", "delivers after the notice", "DealOver", lambda: deal.deliver(13, features[13]))
    deal.call("rival", "has what is left credited to the buyer, as anybody may", "reclaim", label="reclaim")

    hidden = HiddenJudge.deploy(stage, "buyer", trip_network())
    second = Deal.open(stage, hidden, _PAYOUT, 3, deal.escrow)
    for serial, values in enumerate(features[20:23]):
        _trip(second, serial, values, "deliver, hidden network")
    second.call("supplier", "all are delivered: what is left goes back", "reclaim")


def _trip(deal: Deal, serial: int, values: bytes, label: str = "") -> None:
    kind = deal.judge.says(values)
    deal.deliver(serial, values, f"delivers trip {serial}: {_NAMES[kind]}, paid {ether(_PAYOUT[kind])}", label=label)


def _start(stage: Stage, quota: int = 4, **terms: Any) -> Deal:
    return Deal.open(stage, OpenJudge.deploy(stage, "buyer", trip_network()), _PAYOUT, quota, **terms)


def _sorted() -> tuple[list[bytes], bytes]:
    features, _ = trips(30, 8)
    network = trip_network()
    safe = [row.tobytes() for row in features if network.predict(row) == SAFE]
    return safe, next(row.tobytes() for row in features if network.predict(row) == RECKLESS)


_ALL = attacks(_start, *_sorted())
ATTACKS = tuple(_ALL[name] for name in ("future", "flood", "over-quota", "wrong-class"))
