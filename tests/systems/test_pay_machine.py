"""GoodsEscrow and ImageBounty against their models: random calls, time, money after every step, and a way out for a stranger."""

from __future__ import annotations

import numpy as np
from clocked import STRANGER, Clocked, rarely
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from model_pay import DAY, Bounty, Escrow
from world import machine_settings, new, same

from zkpredict.contracts.artifact import load
from zkpredict.contracts.chain.evm import CHAIN_ID, EmbeddedChain, account_key
from zkpredict.contracts.systems.pay import PICTURE, Offer, Reading, Terms
from zkpredict.contracts.systems.seals import seal

NOTICE = 7 * DAY
PAYOUTS = (0, 3, 5)
MODEL = b"\5" * 32
BUYER, SUPPLIER, INSTRUMENT = range(3)
people, classes = st.integers(0, 3), st.sampled_from([0, 1, 1, 2, 2, 3])


class EscrowMachine(Clocked):
    @initialize()
    def deploy(self):
        self.escrow, self.model = new(self.chain, load("GoodsEscrow"), NOTICE), Escrow(NOTICE)
        buyer, supplier, instrument = map(self.address, (BUYER, SUPPLIER, INSTRUMENT))
        deadline = self.now + 40 * DAY
        self.terms = Terms(buyer, supplier, instrument, self.prediction.address, MODEL, deadline, 2, 3, PAYOUTS)
        self.other = Terms(buyer, supplier, instrument, self.prediction.address, MODEL, deadline, 2, 3, (5, 5, 5))
        self.serial = 0
        self.open(BUYER, 6, False)

    def plain(self, terms: Terms) -> tuple:
        return terms.buyer, terms.supplier, terms.instrument, terms.deadline, terms.max_gap, terms.daily_cap, terms.payout

    def run(self, who: int, function: str, *arguments, model, value: int = 0) -> None:
        same(lambda: self.escrow.by(self.people[who]).transact(function, *arguments, value=value), model)

    @rule(seconds=st.sampled_from([60, DAY, DAY, 5 * DAY, 20 * DAY]))
    def time_passes(self, seconds):
        self.wait(seconds)

    @rule(who=st.sampled_from([BUYER, BUYER, STRANGER]), quota=st.integers(0, 3), short=rarely)
    def open(self, who, quota, short):
        sent = max(max(PAYOUTS) * quota - short, 0)
        now, terms = self.now, self.terms
        self.run(who, "open", terms.argument, quota, bytes(32), value=sent,
                 model=lambda: self.model.open(now, self.address(who), self.plain(terms), quota, sent))  # fmt: skip

    @rule(number=st.integers(1, 2), more=st.integers(0, 2), short=rarely)
    def top_up(self, number, more, short):
        sent, now = max(max(PAYOUTS) * more - short, 0), self.now
        self.run(STRANGER, "topUp", number, self.terms.argument, more, value=sent,
                 model=lambda: self.model.top_up(now, number, self.plain(self.terms), more, sent))  # fmt: skip

    @rule(number=st.integers(1, 2), ahead=st.integers(-2, 3), class_=classes, lie=rarely, forged=rarely, foreign=rarely, early=rarely, swapped=rarely)
    def deliver(self, number, ahead, class_, lie, forged, foreign, early, swapped):
        serial, now = max(self.serial + ahead, 0), self.now
        terms = self.other if swapped else self.terms
        reading = Reading(number + foreign, serial, now + 100 if early else now - 1, bytes([serial, class_]))
        truth = (class_ + lie) % 4
        self.prediction.transact("set", MODEL, reading.values, truth)
        now = self.now
        signer = STRANGER if forged else INSTRUMENT
        signature = reading.sign(account_key(signer).to_bytes(), CHAIN_ID, self.escrow.address)

        def model():
            told = reading.deal, reading.serial, reading.time
            self.model.deliver(now, number, self.plain(terms), told, self.address(signer), class_, truth)
            self.serial = max(self.serial, serial + 1)

        self.run(STRANGER, "deliver", number, terms.argument, reading.argument, signature, class_, b"", model=model)

    @rule(ahead=st.integers(-2, 1), class_=st.integers(0, 2))
    def deliver_honestly(self, ahead, class_):
        self.serial = self.model.deals[1].next
        self.deliver(1, ahead, class_, False, False, False, False, False)

    @rule(first=st.integers(0, 1))
    def deliver_two(self, first):
        for ahead in (first, 1 - first):
            self.deliver_honestly(ahead, 2)

    @rule(number=st.integers(1, 2), who=people)
    def close(self, number, who):
        now = self.now
        self.run(who, "close", number, self.terms.argument, model=lambda: self.model.close(now, self.address(who), number, self.plain(self.terms)))

    @rule(number=st.integers(1, 2), what=st.sampled_from(["collect", "reclaim"]))
    def end(self, number, what):
        now, terms = self.now, self.plain(self.terms)
        call = {"collect": lambda: self.model.collect(number, terms), "reclaim": lambda: self.model.reclaim(now, number, terms)}[what]
        self.run(STRANGER, what, number, self.terms.argument, model=call)

    @rule(who=people)
    def withdraw(self, who):
        self.run(who, "withdraw", model=lambda: self.model.money.withdraw(self.address(who)))

    @invariant()
    def money_is_accounted_for(self):
        if hasattr(self, "escrow"):
            self.check(self.escrow, self.model.money)
            for number, deal in self.model.deals.items():
                held = self.escrow.call("held", number.to_bytes(32, "big"))
                assert held == self.model.money.held[number]
                assert deal.closed or held >= deal.earned + (deal.quota - len(deal.done)) * max(PAYOUTS)

    def teardown(self):
        if hasattr(self, "escrow"):
            self.wait(60 * DAY)
            for number, deal in self.model.deals.items():
                if not deal.closed:
                    self.end(number, "reclaim")
            self.drain(self.escrow, self.model.money)


EscrowMachine.TestCase.settings = machine_settings(12, 16)
TestEscrow = EscrowMachine.TestCase


class BountyMachine(Clocked):
    PICTURES = [bytes([n]) * 5 for n in range(4)]

    @initialize(stands=st.integers(1, 3))
    def deploy(self, stands):
        self.contract = new(self.chain, load("ImageBounty"), DAY)
        sponsor, judge = self.address(0), self.address(1)
        self.offer = Offer(judge, self.prediction.address, MODEL, 5, 1, 2, 2, 7, 3, 8, self.now + 6 * DAY)
        self.contract.transact("post", self.offer.argument, value=14)
        self.model = Bounty(DAY, sponsor, judge, 2, 7, 3, 8, self.offer.seal_by)
        for number, picture in enumerate(self.PICTURES):
            self.prediction.transact("set", MODEL, picture, number % 2)
        self.stand(1, stands, False)

    @rule(seconds=st.sampled_from([60, 60, DAY // 2, DAY]))
    def time_passes(self, seconds):
        self.wait(seconds)

    def run(self, who: int, function: str, *arguments, model, value: int = 0) -> None:
        same(lambda: self.contract.by(self.people[who]).transact(function, *arguments, value=value), model)

    @rule(who=st.sampled_from([1, 1, 2]), places=st.integers(0, 2), short=rarely)
    def stand(self, who, places, short):
        sent = max(8 * places - short, 0)
        self.run(who, "stand", 1, places, value=sent, model=lambda: self.model.stand(self.address(who), places, sent))

    @rule(who=st.integers(2, 4), picture=st.sampled_from(PICTURES), short=rarely)
    def seal(self, who, picture, short):
        made = seal(PICTURE, CHAIN_ID, self.contract.address, 1, self.address(who), picture, bytes([who]) * 32)
        now, sent = self.now, 3 - short
        self.run(who, "seal", 1, made, value=sent, model=lambda: self.model.seal(now, self.address(who), picture, sent))

    @rule(who=st.integers(2, 4), picture=st.sampled_from(PICTURES))
    def seal_and_show(self, who, picture):
        self.seal(who, picture, False)
        self.show(who, picture, True)

    @rule(who=st.integers(2, 4), picture=st.sampled_from(PICTURES))
    def answer_all(self, who, picture):
        self.seal_and_show(who, picture)
        for number in range(2, 5):
            if self.address(number) in self.model.claims:
                self.answer(number, picture, True, False)

    @rule(who=st.integers(2, 4), picture=st.sampled_from(PICTURES), honest=st.booleans())
    def show(self, who, picture, honest):
        claim, now = self.model.claims.get(self.address(who)), self.now
        picture = claim.picture if honest and claim else picture
        self.run(who, "show", 1, picture, bytes([who]) * 32, model=lambda: self.model.show(now, self.address(who), picture))

    @rule(who=st.integers(2, 4), picture=st.sampled_from(PICTURES), honest=st.booleans(), lie=rarely)
    def answer(self, who, picture, honest, lie):
        claim, now = self.model.claims.get(self.address(who)), self.now
        picture = claim.picture if honest and claim else picture
        truth = self.PICTURES.index(picture) % 2
        class_ = truth + lie
        self.run(1, "answer", 1, self.address(who), picture, class_, b"",
                 model=lambda: self.model.answer(now, self.address(who), picture, class_, truth))  # fmt: skip

    @rule(who=st.integers(2, 4))
    def expire(self, who):
        now = self.now
        self.run(STRANGER, "expire", 1, self.address(who), model=lambda: self.model.expire(now, self.address(who)))

    @rule()
    @precondition(lambda self: self.model.left == 0 or self.now >= self.offer.seal_by)
    def finish(self):
        now = self.now
        self.run(STRANGER, "finish", 1, model=lambda: self.model.finish(now))

    @invariant()
    def money_is_accounted_for(self):
        if hasattr(self, "contract"):
            self.check(self.contract, self.model.money)
            _, left, opened, places, finished = self.contract.call("status", 1)
            assert (left, opened, places, finished) == (self.model.left, len(self.model.claims), self.model.places, self.model.finished)

    def teardown(self):
        if hasattr(self, "contract"):
            self.wait(30 * DAY)
            for who in list(self.model.claims):
                self.expire(next(n for n in range(5) if self.address(n) == who))
            if not self.model.finished:
                self.finish()
            self.drain(self.contract, self.model.money)


BountyMachine.TestCase.settings = machine_settings(12, 14)
TestBounty = BountyMachine.TestCase


def test_a_thousand_random_deliveries_conserve_money():
    chain, random = EmbeddedChain(), np.random.default_rng(1)
    prediction, escrow = new(chain, "SettablePrediction"), new(chain, load("GoodsEscrow"), NOTICE)
    buyer, supplier, instrument = (chain.account(n).sender for n in range(3))
    terms = Terms(buyer, supplier, instrument, prediction.address, MODEL, chain.block().timestamp + 99 * DAY, 0, 0, (1, 2, 10))
    escrow.transact("open", terms.argument, 1000, bytes(32), value=10_000)
    for class_ in range(3):
        prediction.transact("set", MODEL, bytes([class_]), class_)
    key, classes, start = account_key(2).to_bytes(), random.integers(0, 3, 1000).tolist(), chain.block().timestamp
    for first in range(0, 1000, 50):
        readings = [Reading(1, serial, start, bytes([classes[serial]])) for serial in range(first, first + 50)]
        signatures = [reading.sign(key, CHAIN_ID, escrow.address) for reading in readings]
        batch = [reading.argument for reading in readings], signatures, classes[first : first + 50], [b""] * 50
        escrow.transact("deliverBatch", 1, terms.argument, *batch)
    escrow.transact("reclaim", 1, terms.argument)
    paid = sum(terms.payout[class_] for class_ in classes)
    assert (escrow.call("credit", supplier), escrow.call("credit", buyer)) == (paid, 10_000 - paid)
    assert escrow.call("owed") == chain.balance(escrow.address) == 10_000 and escrow.call("logSize") == 1000
