"""One epoch of life-long learning in plain Python: one tester, claims with losses that are true or not, money in wei."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from world import BURNED, Refused

POINTS = 1000


@dataclass
class Candidate:
    stake: int
    gain: int = 0
    lies: bool = False
    bond: int = 0
    published: bool = False
    refuted: bool = False
    collected: bool = False

    @property
    def held(self) -> int:
        return 0 if self.refuted or self.collected else self.stake + self.bond


@dataclass
class Learning:
    """From the start of epoch 0 on; `deadlines` are its six, `prize` what all epochs have, of which this one pays a third."""

    deadlines: list[int]
    least: int
    bond: int
    part_bond: int
    prize: int
    parts_left: int
    credit: dict[str, int]
    candidates: dict[str, Candidate] = field(default_factory=dict)
    points: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    opened: bool = False
    best: str = ""
    result: int = 0
    pool: int = 0
    improvers: int = 0
    shares: int = 0

    @property
    def owed(self) -> int:
        held = sum(c.held for c in self.candidates.values()) + self.part_bond * self.parts_left + self.prize + self.pool
        return held + sum(self.credit.values())

    def at(self, now: int, expected: int) -> None:
        if self.result or sum(now >= deadline for deadline in self.deadlines) != expected:
            raise Refused("WrongPhase")

    def commit(self, now: int, who: str, sent: int) -> None:
        self.at(now, 0)
        if sent < self.least:
            raise Refused("StakeTooSmall")
        if who in self.candidates:
            raise Refused("AlreadySealed")
        self.candidates[who] = Candidate(sent)

    def open(self, tester: str) -> None:
        self.opened = True
        self.parts_left -= 1
        self.credit[tester] += self.part_bond

    def claim(self, now: int, who: str, gain: int, lies: bool) -> None:
        self.at(now, 2)
        if not self.opened:
            raise Refused("PartMissing")
        if who not in self.candidates or self.candidates[who].gain:
            raise Refused("NothingSealed")
        if gain < 1:
            raise Refused("NotBetter")
        found = self.candidates[who]
        found.gain, found.lies, found.bond = gain, lies, self.bond

    def publish(self, now: int, who: str) -> None:
        self.at(now, 3)
        found = self.candidates.get(who)
        if found is None or not found.gain:
            raise Refused("NotClaimed")
        if found.published:
            raise Refused("AlreadyPublished")
        found.published = True
        self.improvers += found.stake

    def refute(self, now: int, who: str, by: str) -> None:
        self.at(now, 4)
        found = self.candidates.get(who)
        if found is None or not found.gain:
            raise Refused("NotClaimed")
        if found.refuted:
            raise Refused("CandidateRefuted")
        if not found.lies:
            raise Refused("LossStands")
        self.improvers -= found.stake if found.published else 0
        self.credit[by] += found.held // 2
        self.credit[BURNED] += found.held - found.held // 2
        found.refuted = True

    def present(self, now: int, who: str) -> None:
        self.at(now, 5)
        found = self.candidates.get(who)
        if found is None or not found.published:
            raise Refused("NotPublished")
        if found.refuted:
            raise Refused("CandidateRefuted")
        if self.best and found.gain <= self.candidates[self.best].gain:
            raise Refused("NotMore")
        self.best = who

    def settle(self, now: int, drawn: bool, epochs: int) -> None:
        phase = sum(now >= deadline for deadline in self.deadlines)
        if phase == 0 or (phase == 1 and self.candidates):
            raise Refused("TooEarly")
        missing = drawn and not self.opened
        if drawn and not missing and phase < 6:
            raise Refused("TooEarly")
        if missing:
            self.parts_left -= 1
            self.pool = self.part_bond // 2
            self.credit[BURNED] += self.part_bond - self.pool
        self.result = 3 if self.best else 2 if missing or not drawn else 1
        self.shares = len(self.candidates)
        if self.best:
            self.credit[self.best] += self.prize // epochs
            self.prize -= self.prize // epochs

    def collect(self, who: str) -> None:
        if not self.result:
            raise Refused("EpochOpen")
        found = self.candidates.get(who)
        if found is None or found.collected:
            raise Refused("NothingToCollect")
        if self.result == 2:
            share = self.pool // self.shares
            self.shares, self.pool = self.shares - 1, self.pool - share
            self.credit[who] += share
        gain = self.candidates[self.best].gain if self.best else 0
        lost = found.held // 2 if (self.result != 2 and not found.gain) or (found.gain > gain and not found.published) else 0
        self.credit[BURNED] += lost
        self.credit[who] += found.held - lost
        if found.published and not found.refuted and self.result == 3:
            self.points[who] += POINTS * found.stake // self.improvers
        found.collected = True
