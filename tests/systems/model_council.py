"""The council in plain Python: proposals, two tallies, the timelock, the gate and the bonds, told apart from the contracts."""

from __future__ import annotations

from dataclasses import dataclass, field

from world import BURNED, Refused


@dataclass
class ModelProposal:
    proposer: str
    start: int
    deadline: int
    until: int
    parent: int
    entries: int
    broken: bool
    bond: int
    votes: tuple[list[int], list[int]] = field(default_factory=lambda: ([0, 0], [0, 0]))
    """For each house: against, for."""
    voted: set = field(default_factory=set)
    extended: bool = False
    eta: int = 0
    end: str = ""


@dataclass
class ModelCouncil:
    houses: tuple[set[str], set[str]]
    delay: int
    period: int
    extension: int
    timelock: int
    grace: int
    percent: int
    bond: int
    cap: int
    proposals: list[ModelProposal] = field(default_factory=list)
    credit: dict[str, int] = field(default_factory=dict)
    versions: int = 1
    used: dict[int, int] = field(default_factory=dict)

    def state(self, now: int, number: int) -> str:
        p = self.proposals[number]
        if p.end:
            return p.end
        if now <= p.start:
            return "pending"
        if now <= p.deadline:
            return "active"
        if not all(self.counted(p, house) and p.votes[house][1] > p.votes[house][0] for house in (0, 1)):
            return "defeated"
        return "queued" if p.eta else "succeeded"

    def counted(self, p: ModelProposal, house: int) -> bool:
        return sum(p.votes[house]) >= max(1, -(-len(self.houses[house]) * self.percent // 100))

    def propose(self, now: int, who: str, parent: int, until: int, entries: int, broken: bool, value: int) -> None:
        if value != self.bond:
            raise Refused("WrongPayment")
        least = now + self.delay + self.period + self.extension + self.timelock
        if not least <= until <= least + self.grace:
            raise Refused("WrongDeadline")
        start = now + self.delay
        self.proposals.append(ModelProposal(who, start, start + self.period, until, parent, entries, broken, value))

    def vote(self, now: int, who: str, number: int, yes: bool) -> None:
        p = self.proposals[number]
        if self.state(now, number) != "active":
            raise Refused("GovernorUnexpectedProposalState")
        if who in p.voted:
            raise Refused("GovernorAlreadyCastVote")
        mine = [house for house in (0, 1) if who in self.houses[house]]
        if len(mine) == 2:
            raise Refused("InBothHouses")
        if not mine:
            raise Refused("NoVotes")
        p.voted.add(who)
        p.votes[mine[0]][yes] += 1
        if not p.extended and self.counted(p, 0) and self.counted(p, 1):
            p.extended, p.deadline = True, max(p.deadline, now + self.extension)

    def queue(self, now: int, number: int) -> None:
        if self.state(now, number) != "succeeded":
            raise Refused("GovernorUnexpectedProposalState")
        self.proposals[number].eta = now + self.timelock

    def execute(self, now: int, number: int) -> None:
        p = self.proposals[number]
        if self.state(now, number) != "queued":
            raise Refused("GovernorUnexpectedProposalState")
        if now < p.eta:
            raise Refused("TimelockUnexpectedOperationState")
        if now > p.until:
            raise Refused("TooLate")
        if p.broken:
            raise Refused("BadDelta")
        month = now // (30 * 86_400)
        if p.entries > self.cap - self.used.get(month, 0):
            raise Refused("OverTheCap")
        if p.parent != self.versions - 1:
            raise Refused("NotTheLatest")
        self.used[month] = self.used.get(month, 0) + p.entries
        self.versions += 1
        p.end = "executed"

    def cancel(self, now: int, who: str, number: int) -> None:
        p = self.proposals[number]
        if who != p.proposer or self.state(now, number) != "pending":
            raise Refused("GovernorUnableToCancel")
        p.end = "canceled"

    def release(self, now: int, number: int) -> None:
        p, state = self.proposals[number], self.state(now, number)
        if state in ("pending", "active"):
            raise Refused("VoteNotOver")
        if not p.bond:
            raise Refused("NothingHeld")
        liked = any(self.counted(p, house) and p.votes[house][1] > p.votes[house][0] for house in (0, 1))
        to = BURNED if state == "defeated" and not liked else p.proposer
        self.credit[to] = self.credit.get(to, 0) + p.bond
        p.bond = 0

    def withdraw(self, who: str) -> None:
        if not self.credit.get(who):
            raise Refused("NoCredit")
        self.credit[who] = 0
