"""JudgedContest in plain Python: grades, medians, fees, and the bonds of silent judges."""

from __future__ import annotations

from dataclasses import dataclass, field

from model_pay import Money
from world import Refused


@dataclass
class Entry:
    """One entry; `grades` by judge, `rank` is its median once it was ranked."""

    picture: bytes
    shown: bool = False
    grades: dict[int, int] = field(default_factory=dict)
    rank: int | None = None
    collected: bool = False


class Judged:
    """One contest with three judges, at most `most` entries."""

    def __init__(self, sponsor, judges, deadlines, most, prize, fee, bond):
        self.money, self.sponsor, self.judges, self.deadlines, self.most = Money(), sponsor, judges, deadlines, most
        self.fee, self.bond = fee, bond
        self.standing: set[int] = set()
        self.entries: dict[str, Entry] = {}
        self.settled = False
        self.money.hold("pot", prize, prize)

    def phase(self, now):
        return sum(now >= deadline for deadline in self.deadlines)

    def require(self, now, phase):
        if self.phase(now) != phase:
            raise Refused("WrongPhase")

    @property
    def revealed(self):
        return [entry for entry in self.entries.values() if entry.shown]

    @property
    def best(self):
        return max((entry.rank for entry in self.entries.values() if entry.rank is not None), default=None)

    def stand(self, now, sender, judge, sent):
        self.require(now, 0)
        if self.judges[judge] != sender:
            raise Refused("NotTheJudge")
        if judge in self.standing:
            raise Refused("AlreadyStands")
        self.money.hold(("judge", judge), sent, self.bond)
        self.standing.add(judge)

    def enter(self, now, who, picture, sent):
        self.require(now, 0)
        if who in self.entries:
            raise Refused("AlreadyEntered")
        if len(self.entries) >= self.most:
            raise Refused("ContestFull")
        self.money.hold(who, sent, self.fee)
        self.entries[who] = Entry(picture)

    def reveal(self, now, who, picture):
        self.require(now, 1)
        entry = self.entries.get(who)
        if entry is None or entry.shown:
            raise Refused("NothingSealed")
        if picture != entry.picture:
            raise Refused("SealBroken")
        if any(other.picture == picture for other in self.revealed):
            raise Refused("SameInput")
        entry.shown = True

    def grade(self, now, who, judge, picture, class_, truth):
        self.require(now, 2)
        if judge not in self.standing:
            raise Refused("DoesNotStand")
        entry = self.entries.get(who)
        if entry is None or not entry.shown:
            raise Refused("NotRevealed")
        if picture != entry.picture:
            raise Refused("WrongInput")
        if judge in entry.grades:
            raise Refused("AlreadyGraded")
        if class_ != truth:
            raise Refused("NotShown")
        entry.grades[judge] = class_
        self.money.free(who, self.judges[judge], self.fee // len(self.standing))

    def rank(self, now, who):
        self.require(now, 3)
        entry = self.entries.get(who)
        if entry is None or not entry.grades:
            raise Refused("NotGraded")
        if entry.rank is not None:
            raise Refused("AlreadyRanked")
        entry.rank = sorted(entry.grades.values())[(len(entry.grades) - 1) // 2]

    def settle(self, now):
        self.require(now, 4)
        if self.settled:
            raise Refused("AlreadySettled")
        self.settled = True
        for judge in self.standing:
            if all(judge in entry.grades for entry in self.revealed):
                self.money.free(("judge", judge), self.judges[judge], self.bond)
        if self.best is None:
            self.money.free("pot", self.sponsor, self.money.held["pot"])

    def collect(self, who):
        if not self.settled:
            raise Refused("NotSettled")
        entry = self.entries.get(who)
        if entry is None:
            raise Refused("NotEntered")
        if entry.collected:
            raise Refused("AlreadyCollected")
        entry.collected = True
        left = self.money.held[who]
        if entry.shown or not self.standing:
            self.money.free(who, who, left)
        else:
            self.money.slash(who, self.sponsor, left)
        if entry.shown:
            for judge in self.standing - entry.grades.keys():
                waiting = 1 + sum(judge not in other.grades and not other.collected for other in self.revealed)
                self.money.free(("judge", judge), who, self.money.held["judge", judge] // waiting)
        if entry.rank is not None and entry.rank == self.best:
            waiting = 1 + sum(other.rank == self.best and not other.collected for other in self.entries.values())
            self.money.free("pot", who, self.money.held["pot"] // waiting)
