"""The market in plain Python: jobs, units, verdicts and money, told apart from `AnswerMarket.sol`; and a pot that is split by heads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from world import BURNED, Refused

from zkpredict.contracts.systems.market import row

PHASES = 5


@dataclass
class ModelUnit:
    worker: str
    state: str = "joined"
    answers: list[int] | None = None


@dataclass
class ModelJob:
    requester: str
    deadlines: list[int]
    rows: int
    columns: int
    limit: int
    reward: int
    stake: int
    bond: int
    allowed: int
    checks: list[int]
    labels: list[int]
    """Of all items, as the requester sealed them; `truth` is what the model says, None for people's labels."""
    truth: list[int] | None
    units: list[ModelUnit] = field(default_factory=list)
    armed: bool = False
    seed: bytes | None = None
    drawn: bool = False
    opened: bool = False
    contested: bool = False
    reclaimed: bool = False
    held: int = 0

    def phase(self, now: int) -> int:
        return sum(now >= deadline for deadline in self.deadlines)

    def require(self, now: int, phase: int) -> None:
        if self.phase(now) != phase:
            raise Refused("WrongPhase")

    def count(self, *states: str) -> int:
        return sum(unit.state in states for unit in self.units)

    def item(self, unit: int, column: int) -> int:
        return column * self.rows + row(self.seed, unit, self.rows, column)

    def right(self, unit: int) -> list[int]:
        return [self.labels[self.item(unit, column)] for column in range(self.columns)]


@dataclass
class ModelMarket:
    jobs: list[ModelJob] = field(default_factory=list)
    credit: dict[str, int] = field(default_factory=dict)

    def post(self, job: ModelJob) -> None:
        job.held = job.reward * job.limit + job.bond
        self.jobs.append(job)

    def join(self, now: int, who: str, n: int, count: int, value: int) -> None:
        job = self.jobs[n]
        job.require(now, 0)
        if not 0 < count <= job.limit - len(job.units):
            raise Refused("NotSoMany")
        if value != job.stake * count:
            raise Refused("WrongPayment")
        job.units += [ModelUnit(who) for _ in range(count)]
        job.held += value

    def arm(self, now: int, n: int) -> None:
        job = self.jobs[n]
        if job.seed is not None:
            raise Refused("AlreadyDrawn")
        if job.armed:
            raise Refused("AlreadyArmed")
        if job.phase(now) == 0 and len(job.units) < job.limit:
            raise Refused("JoiningOpen")
        if job.phase(now) > 1:
            raise Refused("TooLateToDraw")
        job.armed = True

    def assign(self, now: int, n: int) -> None:
        job = self.jobs[n]
        job.require(now, 1)
        if job.seed is None:
            raise Refused("NotDrawn")
        job.drawn = True

    def _in_state(self, n: int, unit: int, state: str) -> ModelUnit:
        job = self.jobs[n]
        if unit >= len(job.units) or job.units[unit].state != state:
            raise Refused("WrongState")
        return job.units[unit]

    def commit(self, now: int, who: str, n: int, unit: int, answers: list[int]) -> None:
        job = self.jobs[n]
        drawn = job.drawn
        self.assign(now, n)
        try:
            found = self._in_state(n, unit, "joined")
            if who != found.worker:
                raise Refused("NotYours")
        except Refused:
            job.drawn = drawn
            raise
        found.state, found.answers = "committed", answers

    def reveal(self, now: int, n: int, unit: int, answers: list[int]) -> None:
        self.jobs[n].require(now, 2)
        found = self._in_state(n, unit, "committed")
        if answers != found.answers:
            raise Refused("SealBroken")
        found.state = "revealed"

    def open(self, now: int, n: int, honest: bool) -> None:
        job = self.jobs[n]
        job.require(now, 3)
        if job.opened:
            raise Refused("ChecksOpen")
        if not honest:
            raise Refused("WrongChecks")
        job.opened = True

    def settle(self, now: int, n: int, unit: int) -> None:
        job = self.jobs[n]
        job.require(now, 4)
        found = self._in_state(n, unit, "revealed")
        if not job.opened:
            raise Refused("WrongChecks")
        if sum(found.answers[column] != job.labels[job.item(unit, column)] for column in job.checks) > job.allowed:
            raise Refused("ChecksFailed")
        found.state = "passed"

    def contest(self, now: int, who: str, n: int, item: int, class_: int) -> None:
        job = self.jobs[n]
        job.require(now, 4)
        if job.truth is None:
            raise Refused("NoModel")
        if job.contested:
            raise Refused("AlreadyContested")
        if not job.opened:
            raise Refused("WrongChecks")
        if class_ == job.labels[item]:
            raise Refused("CheckIsRight")
        if class_ != job.truth[item]:
            raise Refused("NotShown")
        job.contested = True
        self._pay(job, who, job.bond // 2)
        self._pay(job, BURNED, job.bond - job.bond // 2)

    def verdict(self, job: ModelJob) -> str:
        revealed, passed = self._shown(job), sum(unit.state == "passed" or unit.state == "collected passed" for unit in job.units)
        if not job.opened:
            return "unopened"
        if job.contested:
            return "false checks"
        return "void" if job.truth is None and 3 * (revealed - passed) > revealed else "judged"

    @staticmethod
    def _shown(job: ModelJob) -> int:
        return sum(unit.state.removeprefix("collected ") in ("revealed", "passed") for unit in job.units)

    def collect(self, now: int, n: int, unit: int) -> None:
        job = self.jobs[n]
        job.require(now, PHASES)
        if unit >= len(job.units) or job.units[unit].state.startswith("collected"):
            raise Refused("NothingToCollect")
        found, verdict, all_ = job.units[unit], self.verdict(job), job.stake + job.reward
        passed = found.state == "passed"
        if found.state in ("joined", "committed"):
            pays = {job.requester: job.stake // 2, BURNED: job.stake - job.stake // 2} if job.drawn else {found.worker: job.stake}
        elif verdict == "unopened":
            pays = {found.worker: all_ + job.bond // self._shown(job)}
        elif verdict == "false checks" or passed:
            pays = {found.worker: all_}
        else:
            pays = {found.worker: job.stake, BURNED: job.reward} if verdict == "void" else {BURNED: all_}
        for who, amount in pays.items():
            self._pay(job, who, amount)
        found.state = f"collected {found.state}"

    def reclaim(self, now: int, n: int) -> None:
        job = self.jobs[n]
        job.require(now, PHASES)
        if job.reclaimed:
            raise Refused("AlreadyReclaimed")
        job.reclaimed = True
        verdict, shown = self.verdict(job), self._shown(job)
        self._pay(job, job.requester, job.reward * (job.limit - shown))
        if verdict == "false checks":
            return
        if verdict == "judged" or shown == 0:
            self._pay(job, job.requester, job.bond)
        else:
            self._pay(job, BURNED, job.bond % shown if verdict == "unopened" else job.bond)

    def withdraw(self, who: str) -> None:
        if not self.credit.get(who):
            raise Refused("NoCredit")
        self.credit[who] = 0

    def _pay(self, job: ModelJob, who: str, amount: int) -> None:
        assert 0 <= amount <= job.held
        job.held -= amount
        self.credit[who] = self.credit.get(who, 0) + amount


def partitions(things: Sequence[int]) -> Iterator[list[list[int]]]:
    """All ways to divide things among identities: set partitions, 203 of six."""
    if not things:
        yield []
        return
    first, *rest = things
    for found in partitions(rest):
        yield [[first], *found]
        for at, block in enumerate(found):
            yield [*found[:at], [first, *block], *found[at + 1 :]]


def pot_by_heads(pot: int, passed: dict[str, bool]) -> dict[str, int]:
    """The split that was proposed first: everybody whose answers pass the checks gets one share, whatever it did for it."""
    heads = [who for who, passes in passed.items() if passes]
    return {who: pot // len(heads) for who in heads}
