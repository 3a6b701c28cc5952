"""ModelContest in plain Python: phases, ranks, money, and the errors that calls end with."""

from __future__ import annotations

from dataclasses import dataclass, field

from model_pay import Money
from world import BURNED, Refused


@dataclass
class Entry:
    """One entry; `right` are the numbers of proven samples, `answers` what was posted."""

    order: int
    sealed: bytes
    model: bytes = b""
    claimed: int | None = None
    right: set[int] = field(default_factory=set)
    answers: tuple[int, ...] = ()
    refuted: bool = False
    collected: bool = False


class Contest:
    """One contest. Parts have `per_part` samples each; `labels` by number of the sample. Times are phases of `deadlines`."""

    def __init__(self, sponsor, owners, per_part, labels, deadlines, by_answers, min_rule, min_parts, prize, stake, claim_bond, part_bond):
        self.money, self.sponsor, self.owners, self.per_part = Money(), sponsor, owners, per_part
        self.labels, self.deadlines, self.by_answers, self.min_rule, self.min_parts = labels, deadlines, by_answers, min_rule, min_parts
        self.prize, self.stake, self.claim_bond, self.part_bond = prize, stake, claim_bond, part_bond
        self.sealed, self.opened = set(), []
        self.entries: dict[str, Entry] = {}
        self.owner_of: dict[bytes, str] = {}
        self.state, self.best, self.again, self.share, self.uncollected = "RUNNING", None, False, 0, 0
        self.money.hold("pot", prize, prize)

    def phase(self, now):
        return sum(now >= deadline for deadline in self.deadlines)

    def require(self, now, phase):
        if self.phase(now) != phase:
            raise Refused("WrongPhase")

    @property
    def best_rank(self):
        return self.rank(self.entries[self.best]) if self.best else 0

    def rank(self, entry):
        if self.by_answers:
            return entry.claimed
        if not self.min_rule:
            return len(entry.right)
        return min(sum(n // self.per_part == part for n in entry.right) for part in range(len(self.opened)))

    def seal_part(self, now, sender, number, sent):
        self.require(now, 0)
        if self.owners[number] != sender:
            raise Refused("NotTheOwner")
        if number in self.sealed:
            raise Refused("PartAlreadySealed")
        self.money.hold(("part", number), sent, self.part_bond)
        self.sealed.add(number)

    def enter(self, now, who, model, sent):
        self.require(now, 0)
        if who in self.entries:
            raise Refused("AlreadyEntered")
        self.money.hold(who, sent, self.stake)
        self.entries[who] = Entry(len(self.entries) + 1, model)

    def reveal(self, now, who, model):
        self.require(now, 1)
        entry = self.entries.get(who)
        if entry is None or entry.model:
            raise Refused("NothingSealed")
        if model != entry.sealed:
            raise Refused("SealBroken")
        entry.model = model
        before = self.owner_of.get(model)
        if before is None or self.entries[before].order > entry.order:
            self.owner_of[model] = who

    def open_part(self, now, number, honest):
        self.require(now, 2)
        if number in self.opened:
            raise Refused("PartAlreadyOpened")
        if number not in self.sealed or not honest:
            raise Refused("WrongPart")
        self.opened.append(number)
        self.money.free(("part", number), self.owners[number], self.part_bond)

    def _claim(self, who, right, sent):
        if len(self.opened) < self.min_parts:
            raise Refused("ContestVoid")
        entry = self.entries.get(who)
        if entry is None or not entry.model:
            raise Refused("NotRevealed")
        if self.owner_of[entry.model] != who:
            raise Refused("NotTheModelsOwner")
        if entry.claimed is not None:
            raise Refused("AlreadyClaimed")
        self.money.hold(who, sent, self.claim_bond)
        entry.claimed = right
        return entry

    def claim(self, now, who, right, sent):
        self.require(now, 3)
        if self.by_answers:
            raise Refused("WrongKind")
        most = self.per_part if self.min_rule else self.per_part * len(self.opened)
        if not 0 < right <= most:
            raise Refused("TooMuchClaimed")
        self._claim(who, right, sent)

    def post(self, now, who, answers, sent):
        self.require(now, 3)
        if not self.by_answers:
            raise Refused("WrongKind")
        equal = [a == self.label(n) for n, a in enumerate(answers)]
        parts = [sum(equal[at : at + self.per_part]) for at in range(0, len(equal), self.per_part)]
        self._claim(who, min(parts) if self.min_rule and parts else sum(parts), sent).answers = tuple(answers)

    def label(self, number):
        """Label of a sample by its number in the opened test."""
        return self.labels[self.opened[number // self.per_part]][number % self.per_part]

    def claimed(self, who):
        entry = self.entries.get(who)
        if entry is None or entry.claimed is None:
            raise Refused("NotClaimed")
        return entry

    def prove(self, now, who, number, truth):
        if self.by_answers:
            raise Refused("WrongKind")
        phase = self.phase(now)
        again = phase == 5 and (self.again or self.best is None)
        if phase != 4 and not again:
            raise Refused("WrongPhase")
        entry = self.claimed(who)
        if number in entry.right:
            raise Refused("AlreadyProven")
        if truth != self.label(number):
            raise Refused("NotShown")
        self.again |= again
        entry.right.add(number)
        if self.rank(entry) >= entry.claimed:
            self.crown(who, entry)

    def crown(self, who, entry):
        rank, best = self.rank(entry), self.best and self.entries[self.best]
        better = best is None or rank > self.best_rank or (rank == self.best_rank and entry.order < best.order)
        if better:
            self.best = who
        return better

    def refute(self, now, by, who, number, class_, truth):
        self.require(now, 4)
        if not self.by_answers:
            raise Refused("WrongKind")
        entry = self.claimed(who)
        if entry.refuted:
            raise Refused("AlreadyRefuted")
        if entry.answers[number] == class_:
            raise Refused("AnswerStands")
        if class_ != truth:
            raise Refused("NotShown")
        entry.refuted = True
        self.money.free(who, by, self.claim_bond // 2)

    def present(self, now, who):
        self.require(now, 5)
        if not self.by_answers:
            raise Refused("WrongKind")
        entry = self.claimed(who)
        if entry.refuted:
            raise Refused("EntryRefuted")
        if not self.crown(who, entry):
            raise Refused("NotBetter")

    def settle(self, now):
        if self.state != "RUNNING":
            raise Refused("AlreadySettled")
        phase = self.phase(now)
        void = phase > 2 and len(self.opened) < self.min_parts
        if not void and phase < 6 and not (phase == 5 and not self.by_answers and self.best and not self.again):
            raise Refused("WrongPhase")
        for number in self.sealed - set(self.opened):
            self.money.slash(("part", number), "pot of the contest", self.part_bond)
            self.money.held["pot"] += self.money.credit.pop("pot of the contest")
        if not void:
            self.state = "DONE"
            self.money.free("pot", self.best or self.sponsor, self.money.held["pot"])
            return
        self.state = "VOID"
        revealed = sum(bool(entry.model) for entry in self.entries.values())
        if not revealed:
            self.money.free("pot", self.sponsor, self.money.held["pot"])
            return
        if all(number in self.opened for number, owner in enumerate(self.owners) if owner == self.sponsor):
            self.money.free("pot", self.sponsor, self.prize)
        self.share, self.uncollected = self.money.held["pot"] // revealed, revealed

    def collect(self, who):
        if self.state == "RUNNING":
            raise Refused("NotSettled")
        entry = self.entries.get(who)
        if entry is None:
            raise Refused("NotRevealed")
        if entry.collected:
            raise Refused("AlreadyCollected")
        entry.collected = True
        heir = self.best or self.sponsor
        if self.state == "DONE" and not entry.model:
            self.money.slash(who, heir, self.stake)
        else:
            self.money.free(who, who, self.stake)
        if entry.refuted:
            self.money.free(who, BURNED, self.claim_bond - self.claim_bond // 2)
        elif entry.claimed is not None:
            over = not self.by_answers and self.rank(entry) < entry.claimed and entry.claimed > self.best_rank
            (self.money.slash if over else self.money.free)(who, heir if over else who, self.claim_bond)
        if self.state == "VOID" and entry.model:
            self.uncollected -= 1
            self.money.free("pot", who, self.share if self.uncollected else self.money.held["pot"])
