"""Apples by 100 chemical readings: a buyer pays for good ones, first by a network in the open, then by one that stays hidden."""

from __future__ import annotations

from typing import Any

from zkpredict.contracts.systems.delivery import DAY, NOTICE, Deal, attacks
from zkpredict.contracts.systems.goods import BAD_APPLE, GOOD_APPLE, apple_network, apples
from zkpredict.contracts.systems.judges import HiddenJudge, OpenJudge
from zkpredict.contracts.systems.stage import Stage, ether

CAST = ("buyer", "supplier", "instrument", "rival")
PRICE = 10**16
_PAYOUT = (0, PRICE)
_NAMES = {BAD_APPLE: "bad", GOOD_APPLE: "good"}


def play(stage: Stage) -> None:
    readings = [row.tobytes() for row in apples(34, 5)[0]]
    judge = OpenJudge.deploy(stage, "buyer", apple_network())
    deal = Deal.open(stage, judge, _PAYOUT, 40, label="open a deal")
    for serial, values in enumerate(readings[:10]):
        kind = judge.says(values)
        what = f"delivers apple {serial}: {_NAMES[kind]}, paid {ether(_PAYOUT[kind])}"
        deal.deliver(serial, values, what, label="deliver, open network")
    deal.deliver_batch(10, readings[10:20], label="deliver ten at once, open network")
    deal.call("buyer", f"asks to close: goods on the way are still paid for {NOTICE // DAY} days", "close", label="close")
    stage.wait(NOTICE // 2)
    deal.deliver(20, readings[20], "delivers one that was on the way")
    stage.refuses("buyer", "asks for the money back before the notice is over", "DealOpen", lambda: deal.call("buyer", "", "reclaim"))
    stage.wait(NOTICE)
    deal.call("rival", "has what is left credited to the buyer, as anybody may", "reclaim", label="reclaim")

    hidden = HiddenJudge.deploy(stage, "buyer", apple_network())
    second = Deal.open(stage, hidden, _PAYOUT, 3, deal.escrow)
    for serial, values in enumerate(readings[21:24]):
        kind = hidden.says(values)
        what = f"delivers apple {serial} with the buyer's proof: {_NAMES[kind]}, paid {ether(_PAYOUT[kind])}"
        second.deliver(serial, values, what, label="deliver, hidden network")
    second.call("supplier", "all are delivered: what is left goes back", "reclaim")


def _start(stage: Stage, quota: int = 4, **terms: Any) -> Deal:
    return Deal.open(stage, OpenJudge.deploy(stage, "buyer", apple_network()), _PAYOUT, quota, **terms)


def _sorted() -> tuple[list[bytes], bytes]:
    readings, _ = apples(20, 6)
    network = apple_network()
    good = [row.tobytes() for row in readings if network.predict(row) == GOOD_APPLE]
    return good, next(row.tobytes() for row in readings if network.predict(row) == BAD_APPLE)


_ALL = attacks(_start, *_sorted())
_OF_TRIPS = ("future", "flood", "over-quota")
ATTACKS = tuple(attack for name, attack in _ALL.items() if name not in _OF_TRIPS)
