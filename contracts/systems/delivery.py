"""A deal of the pay stories, played: an escrow, a judge, an instrument that signs, and attacks on all of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from zkpredict.contracts.chain.interface import Contract, Receipt
from zkpredict.contracts.systems.judges import HiddenJudge, OpenJudge, VersionJudge
from zkpredict.contracts.systems.pay import Reading, Terms, scale_hash
from zkpredict.contracts.systems.stage import Stage, ether
from zkpredict.contracts.systems.stories import Attack, Guard

DAY = 86_400
NOTICE = 7 * DAY
ESCROW = "pay/GoodsEscrow.sol"


@dataclass
class Deal:
    """A deal on a stage. `signer` is who has the instrument's key."""

    stage: Stage
    escrow: Contract
    judge: OpenJudge | HiddenJudge | VersionJudge
    terms: Terms
    number: int
    signer: str = "instrument"

    @classmethod
    def open(
        cls,
        stage: Stage,
        judge: OpenJudge | HiddenJudge | VersionJudge,
        payout: tuple[int, ...],
        quota: int,
        escrow: Contract | None = None,
        max_gap: int = 2,
        daily_cap: int = 0,
        label: str = "",
        parties: tuple[str, str, str] = ("buyer", "supplier", "instrument"),
    ) -> Deal:
        """Deploys an escrow unless there is one; the buyer opens a deal with the supplier and pays for all of it. `parties` by name in the cast."""
        if escrow is None:
            escrow = stage.deploy(parties[0], "GoodsEscrow", NOTICE, vault=True)
        buyer, supplier, instrument = map(stage.address, parties)
        scale = scale_hash([0] * judge.inputs, [255] * judge.inputs)
        deadline = stage.now + 60 * DAY
        terms = Terms(buyer, supplier, instrument, judge.prediction, judge.model, deadline, max_gap, daily_cap, payout)
        value = terms.most * quota
        number = escrow.call("deals") + 1
        what = f"opens deal {number} for {quota} deliveries and pays {ether(value)} in advance"
        stage.act(parties[0], what, escrow, "open", terms.argument, quota, scale, value=value, label=label, random=(_four(deadline), terms.model))
        return cls(stage, escrow, judge, terms, number, parties[2])

    def reading(self, serial: int, values: bytes, time: int | None = None) -> Reading:
        return Reading(self.number, serial, self.stage.now if time is None else time, values)

    def sign(self, reading: Reading, signer: str | None = None) -> tuple[bytes, bytes]:
        key = self.stage.key(signer or self.signer)
        return reading.sign(key, self.stage.chain.chain_id, self.escrow.address)

    def deliver(self, serial: int, values: bytes, what: str = "a delivery", *, by: str = "supplier", label: str = "", **changed: Any) -> Receipt:
        """Delivers values as the judge grades them. `changed`: class_, reading, signature, terms, number instead of the honest ones."""
        reading = changed.get("reading") or self.reading(serial, values)
        signature = changed.get("signature") or self.sign(reading)
        class_ = changed.get("class_", self.judge.says(values))
        terms = changed.get("terms", self.terms)
        evidence = self.judge.evidence(values)
        if label:
            size = self.escrow.call("logSize")
            label += " (the log grows a level)" if size & (size + 1) == 0 else ""
        random = (_four(terms.deadline), _four(reading.time), *signature, evidence, terms.model)
        number = changed.get("number", self.number)
        arguments = number, terms.argument, reading.argument, signature, class_, evidence
        return self.stage.act(by, what, self.escrow, "deliver", *arguments, label=label, random=random)

    def deliver_batch(self, first: int, many: list[bytes], label: str = "") -> Receipt:
        """Delivers several readings, serials from `first` on, in one transaction."""
        readings = [self.reading(first + i, values) for i, values in enumerate(many)]
        signatures = [self.sign(reading) for reading in readings]
        classes = [self.judge.says(values) for values in many]
        random = (_four(self.terms.deadline), *(_four(reading.time) for reading in readings), *sum(signatures, ()), self.terms.model)
        arguments = self.number, self.terms.argument, [r.argument for r in readings], signatures, classes, [b""] * len(many)
        what = f"delivers {len(many)} at once"
        return self.stage.act("supplier", what, self.escrow, "deliverBatch", *arguments, label=label, random=random)

    def call(self, who: str, what: str, function: str, label: str = "") -> Receipt:
        """`close` or `reclaim`."""
        random = (_four(self.terms.deadline), self.terms.model)
        return self.stage.act(who, what, self.escrow, function, self.number, self.terms.argument, label=label, random=random)


def attacks(start: Callable[..., Deal], goods: list[bytes], bad: bytes) -> dict[str, Attack]:
    """Attacks on a deal by name. `start(stage, **terms)` opens one over four of `goods`, which pay; `bad` pays less than they do."""

    def replay(stage: Stage) -> None:
        deal = start(stage)
        deal.deliver(0, goods[0], "delivers serial 0")
        deal.deliver(2, goods[1], "delivers serial 2")
        deal.deliver(0, goods[0], "delivers serial 0 again")

    def other_deal(stage: Stage) -> None:
        deal = start(stage)
        second = Deal.open(stage, deal.judge, deal.terms.payout, 2, deal.escrow)
        reading = deal.reading(0, goods[0])
        deal.deliver(0, goods[0], "delivers a reading to its deal", reading=reading)
        second.deliver(0, goods[0], "delivers the same reading to the other deal", reading=reading)

    def forged_signature(stage: Stage) -> None:
        deal = start(stage)
        reading = deal.reading(0, goods[0])
        deal.deliver(0, goods[0], "signs a reading itself", reading=reading, signature=deal.sign(reading, "supplier"))

    def swap_model(stage: Stage) -> None:
        deal = start(stage)
        generous = replace(deal.terms, payout=tuple(deal.terms.most for _ in deal.terms.payout))
        deal.deliver(0, bad, "brings terms in which every class pays the most", terms=generous)

    def wrong_class(stage: Stage) -> None:
        deal = start(stage)
        best = deal.terms.payout.index(deal.terms.most)
        deal.deliver(0, bad, "says that it is of the best class", class_=best)

    def rug_close(stage: Stage) -> None:
        deal = start(stage)
        deal.call("buyer", "asks to close while goods are on the way", "close")
        deal.call("buyer", "takes the money back at once", "reclaim")

    def stranger_close(stage: Stage) -> None:
        deal = start(stage)
        deal.call("rival", "asks to close somebody else's deal", "close")

    def withhold_bad(stage: Stage) -> None:
        deal = start(stage, max_gap=1)
        deal.deliver(0, goods[0], "delivers serial 0")
        deal.deliver(2, goods[1], "leaves out serial 1, which is bad")
        deal.deliver(4, goods[2], "leaves out serial 3 as well")

    def late(stage: Stage) -> None:
        deal = start(stage)
        stage.wait(61 * DAY)
        deal.deliver(0, goods[0], "delivers after the deadline")

    def unfunded(stage: Stage) -> None:
        deal = start(stage)
        stage.act("buyer", "opens a deal for 4 deliveries and pays nothing", deal.escrow, "open", deal.terms.argument, 4, bytes(32))

    def future(stage: Stage) -> None:
        deal = start(stage)
        deal.deliver(0, goods[0], "delivers a reading of tomorrow", reading=deal.reading(0, goods[0], stage.now + DAY))

    def flood(stage: Stage) -> None:
        deal = start(stage, daily_cap=1)
        deal.deliver(0, goods[0], "delivers serial 0")
        deal.deliver(1, goods[1], "delivers a second reading on the same day")

    def over_quota(stage: Stage) -> None:
        deal = start(stage, quota=1)
        deal.deliver(0, bad, "delivers all that was ordered")
        deal.deliver(1, goods[0], "delivers one more")

    def guard(text: str, file: str = ESCROW) -> tuple[Guard, ...]:
        return (Guard(file, text),)

    found = (
        ("replay", "the same goods are paid twice", "SerialUsed", guard("if (d.seen >> behind & 1 != 0) revert SerialUsed(serial);"), replay),
        ("other-deal", "a reading is delivered to another deal too", "WrongDeal", guard("if (r.dealId != id) revert WrongDeal(r.dealId, id);"), other_deal),
        ("forged-signature", "the supplier makes readings up", "WrongSigner",
         guard("if (signer != t.instrument) revert WrongSigner(signer, t.instrument);"), forged_signature),
        ("swap-terms", "the supplier brings better terms", "WrongTerms",
         guard("if (found != deal.terms) revert WrongTerms(found, deal.terms);"), swap_model),
        ("wrong-class", "the supplier says more than the network does", "NotShown",
         guard("if (!t.prediction.holds(t.model, r.values, class_, evidence)) revert NotShown(t.model, class_);"), wrong_class),
        ("rug-close", "the buyer takes the money while goods are on the way", "DealOpen",
         guard("if (deal.done < deal.quota && block.timestamp < _end(deal, t)) revert DealOpen(_end(deal, t));"), rug_close),
        ("stranger-close", "a rival ends the deal", "NotTheBuyerOrInstrument",
         guard("if (msg.sender != t.buyer && msg.sender != t.instrument) revert NotTheBuyerOrInstrument(msg.sender);"), stranger_close),
        ("withhold-bad", "the supplier delivers only what pays", "TooManyGaps",
         guard("if (d.next - d.done > t.maxGap) revert TooManyGaps(d.next - d.done, t.maxGap);"), withhold_bad),
        ("late", "goods are delivered after the deadline", "DealOver",
         guard("if (deal.closed || block.timestamp >= _end(deal, t)) revert DealOver(id);"), late),
        ("unfunded", "the buyer promises money that is not there", "WrongPayment",
         guard("if (msg.value != expected) revert WrongPayment(msg.value, expected);", "blocks/Vault.sol"), unfunded),
        ("future", "readings are signed in advance", "FromTheFuture",
         guard("if (r.time > block.timestamp) revert FromTheFuture(r.time, block.timestamp);"), future),
        ("flood", "a stolen instrument signs without end", "DailyCapReached",
         guard("if (t.dailyCap != 0 && d.today > t.dailyCap) revert DailyCapReached(t.dailyCap);"), flood),
        ("over-quota", "more is delivered than was ordered", "QuotaUsedUp",
         guard("if (deal.done >= deal.quota) revert QuotaUsedUp(deal.quota);"), over_quota),
    )
    return {name: Attack(name, about, ("GoodsEscrow",), guards, play, error) for name, about, error, guards, play in found}


def _four(number: int) -> bytes:
    """A time's bytes, which differ from run to run."""
    return number.to_bytes(4, "big")
