"""GoodsEscrow and ImageBounty in plain Python: states, money and the errors that calls end with, in the contracts' order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from world import BURNED, Refused

WINDOW = 32
DAY = 86_400


class Money:
    """What a vault owes: `held` by purpose (any hashable), `credit` by address."""

    def __init__(self) -> None:
        self.held, self.credit = Counter(), Counter()

    @property
    def owed(self) -> int:
        return sum(self.held.values()) + sum(self.credit.values())

    def hold(self, purpose, sent: int, expected: int) -> None:
        if sent != expected:
            raise Refused("WrongPayment")
        self.held[purpose] += sent

    def free(self, purpose, to: str, amount: int) -> None:
        assert self.held[purpose] >= amount
        self.held[purpose] -= amount
        self.credit[to] += amount

    def slash(self, purpose, to: str, amount: int) -> None:
        self.free(purpose, to, amount // 2)
        self.free(purpose, BURNED, amount - amount // 2)

    def withdraw(self, who: str) -> None:
        if not self.credit[who]:
            raise Refused("NoCredit")
        self.credit[who] = 0


@dataclass
class Deal:
    """One deal. `terms` is a tuple (buyer, supplier, instrument, deadline, most missing, daily cap, payouts)."""

    terms: tuple
    quota: int
    done: set[int] = field(default_factory=set)
    closing: int = 0
    closed: bool = False
    earned: int = 0
    days: Counter = field(default_factory=Counter)

    @property
    def next(self) -> int:
        return max(self.done, default=-1) + 1

    @property
    def end(self) -> int:
        return min(self.closing or self.terms[3], self.terms[3])


class Escrow:
    """The contract. Every method takes the block's time and raises `Refused`."""

    def __init__(self, notice: int) -> None:
        self.notice, self.money, self.deals = notice, Money(), {}

    def open(self, now, sender, terms, quota, sent):
        buyer, _, _, deadline, _, _, payouts = terms
        if sender != buyer:
            raise Refused("NotTheBuyer")
        if deadline < now + self.notice:
            raise Refused("DeadlineTooClose")
        if not max(payouts, default=0) or not quota:
            raise Refused("NothingPaid")
        number = len(self.deals) + 1
        self.money.hold(number, sent, max(payouts) * quota)
        self.deals[number] = Deal(terms, quota)

    def known(self, number, terms):
        if number not in self.deals:
            raise Refused("NoSuchDeal")
        if self.deals[number].terms != terms:
            raise Refused("WrongTerms")
        return self.deals[number]

    def running(self, now, number, terms):
        deal = self.known(number, terms)
        if deal.closed or now >= deal.end:
            raise Refused("DealOver")
        return deal

    def top_up(self, now, number, terms, more, sent):
        deal = self.running(now, number, terms)
        self.money.hold(number, sent, max(terms[6]) * more)
        deal.quota += more

    def deliver(self, now, number, terms, reading, signer, class_, truth):
        deal_id, serial, time = reading
        deal = self.running(now, number, terms)
        _, _, instrument, _, gap, cap, payouts = terms
        day = now // DAY
        missing = max(deal.next, serial + 1) - len(deal.done) - 1
        for refused, name in (
            (deal_id != number, "WrongDeal"),
            (time > now, "FromTheFuture"),
            (class_ >= len(payouts), "UnknownClass"),
            (len(deal.done) >= deal.quota, "QuotaUsedUp"),
            (serial > 2**24 - 2, "SerialTooLarge"),
            (serial < deal.next - WINDOW, "SerialTooOld"),
            (serial in deal.done, "SerialUsed"),
            (missing > gap, "TooManyGaps"),
            (cap and deal.days[day] >= cap, "DailyCapReached"),
            (signer != instrument, "WrongSigner"),
            (class_ != truth, "NotShown"),
        ):
            if refused:
                raise Refused(name)
        deal.done.add(serial)
        deal.days[day] += 1
        deal.earned += payouts[class_]

    def close(self, now, sender, number, terms):
        deal = self.running(now, number, terms)
        if sender not in (terms[0], terms[2]):
            raise Refused("NotTheBuyerOrInstrument")
        if deal.closing:
            raise Refused("AlreadyClosing")
        deal.closing = now + self.notice

    def collect(self, number, terms):
        deal = self.known(number, terms)
        if not deal.earned:
            raise Refused("NothingEarned")
        self.money.free(number, terms[1], deal.earned)
        deal.earned = 0

    def reclaim(self, now, number, terms):
        deal = self.known(number, terms)
        if deal.closed:
            raise Refused("DealOver")
        if len(deal.done) < deal.quota and now < deal.end:
            raise Refused("DealOpen")
        if deal.earned:
            self.collect(number, terms)
        deal.closed = True
        self.money.free(number, terms[0], self.money.held[number])


@dataclass
class Claim:
    """One claim of a bounty: what was sealed, until when the next step has to come, whether it was shown."""

    picture: bytes
    until: int
    shown: bool = False


class Bounty:
    """ImageBounty with one bounty: two pictures of class 1 wanted, at most `places` claims at a time."""

    def __init__(self, window: int, sponsor: str, judge: str, places: int, reward: int, deposit: int, share: int, seal_by: int) -> None:
        self.money = Money()
        self.window, self.sponsor, self.judge, self.most = window, sponsor, judge, places
        self.reward, self.deposit, self.share, self.seal_by = reward, deposit, share, seal_by
        self.left, self.places, self.finished = 2, 0, False
        self.claims: dict[str, Claim] = {}
        self.seen: set[bytes] = set()
        self.money.hold("pot", 2 * reward, 2 * reward)

    def running(self):
        if self.finished:
            raise Refused("BountyOver")

    def claim(self, who):
        if who not in self.claims:
            raise Refused("NoClaim")
        return self.claims[who]

    def stand(self, sender, places, sent):
        self.running()
        if sender != self.judge:
            raise Refused("NotTheJudge")
        self.money.hold("bond", sent, self.share * places)
        self.places += places

    def seal(self, now, who, picture, sent):
        self.running()
        if not self.left or now >= self.seal_by:
            raise Refused("BountyOver")
        if len(self.claims) >= min(self.places, self.most):
            raise Refused("NoPlace")
        if who in self.claims:
            raise Refused("AlreadyClaiming")
        self.money.hold(who, sent, self.deposit)
        self.claims[who] = Claim(picture, now + self.window)

    def show(self, now, who, picture):
        claim = self.claim(who)
        if now >= claim.until:
            raise Refused("TooLateToShow")
        if claim.shown:
            raise Refused("NothingSealed")
        if picture != claim.picture:
            raise Refused("SealBroken")
        if picture in self.seen:
            raise Refused("SamePicture")
        self.seen.add(picture)
        claim.shown, claim.until = True, now + self.window

    def answer(self, now, who, picture, class_, truth):
        claim = self.claim(who)
        if not claim.shown:
            raise Refused("NotShownYet")
        if now >= claim.until:
            raise Refused("TooLateToAnswer")
        if picture != claim.picture:
            raise Refused("WrongInput")
        if class_ != truth:
            raise Refused("NotShown")
        del self.claims[who]
        if class_ != 1:
            self.money.free(who, self.judge, self.deposit)
            return
        self.money.free(who, who, self.deposit)
        if self.left:
            self.left -= 1
            self.money.free("pot", who, self.reward)

    def expire(self, now, who):
        claim = self.claim(who)
        if now < claim.until:
            raise Refused("TooEarly")
        del self.claims[who]
        if claim.shown:
            self.places -= 1
            self.money.free(who, who, self.deposit)
            self.money.free("bond", who, self.share)
        else:
            self.money.slash(who, self.judge, self.deposit)

    def finish(self, now):
        self.running()
        if self.claims or (self.left and now < self.seal_by):
            raise Refused("BountyOpen")
        self.finished = True
        self.money.free("pot", self.sponsor, self.money.held["pot"])
        self.money.free("bond", self.judge, self.money.held["bond"])
