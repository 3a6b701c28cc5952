"""Pictures judged by three hidden networks: the median grade wins, and a judge that leaves one out pays for it.

Needs a checkout: the judges are the example network and pruned copies of it, the pictures are MNIST test images.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from zkpredict.contracts.chain.interface import Contract, Receipt
from zkpredict.contracts.checkout import example_network
from zkpredict.contracts.systems.contest import Panel, Sealing
from zkpredict.contracts.systems.contestplay import DAY, digits, pruned
from zkpredict.contracts.systems.goods import trip_network, trips
from zkpredict.contracts.systems.judges import HiddenJudge, OpenJudge
from zkpredict.contracts.systems.stage import Stage, ether
from zkpredict.contracts.systems.stories import Attack, Guard
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model

CAST = ("sponsor", "minos", "rhada", "aiakos", "ada", "bob", "cyd", "stranger")
JUDGES = ("minos", "rhada", "aiakos")
PRIZE, FEE, BOND = 10**18, 3 * 10**16, 10**17
JUDGED = "contest/JudgedContest.sol"
_PICTURES = {"ada": 7, "bob": 2, "cyd": 9}
"""Who enters which MNIST test image."""


@cache
def _private(judge: str) -> Model:
    return commit_model(pruned(example_network(), 4 * JUDGES.index(judge)))


@cache
def _judge(judge: str) -> HiddenJudge:
    """A judge and its proofs, which are kept: a second run costs no second proof."""
    return HiddenJudge(_private(judge), "", _private(judge).commitment.model_id)


@dataclass
class Judged:
    """A judged contest on a stage."""

    stage: Stage
    contract: Contract
    judges: dict[str, HiddenJudge | OpenJudge]
    number: int = 1

    @classmethod
    def create(cls, stage: Stage, prediction: str, judges: dict[str, HiddenJudge | OpenJudge], size: int, most: int = 3) -> Judged:
        """The sponsor creates a contest with windows of a day, and all judges stand."""
        contract = stage.deploy("sponsor", "JudgedContest", 3600, vault=True)
        deadlines = tuple(stage.now + (day + 1) * DAY for day in range(4))
        panel = Panel(prediction, size, most, FEE, BOND, deadlines, tuple((stage.address(name), judge.model) for name, judge in judges.items()))
        random = (*(deadline.to_bytes(4, "big") for deadline in deadlines), *(judge.model for judge in judges.values()))
        stage.act("sponsor", f"opens a contest for {ether(PRIZE)}", contract, "create", panel.argument, value=PRIZE, label="create", random=random)
        for number, name in enumerate(judges):
            stage.act(name, f"stands as a judge with a bond of {ether(BOND)}", contract, "stand", 1, number, value=BOND, label="stand")
        return cls(stage, contract, judges)

    def sealing(self, who: str) -> Sealing:
        return Sealing(self.stage.key(who), self.stage.address(who), self.stage.chain.chain_id, self.contract.address, self.number)

    def enter(self, who: str, picture: bytes, *, made: bytes | None = None, value: int = FEE) -> Receipt:
        made = made or self.sealing(who).input(picture)
        return self.stage.act(who, "seals a picture", self.contract, "enter", 1, made, value=value, label="enter", random=(made,))

    def reveal(self, who: str, picture: bytes, *, salt: bytes | None = None, what: str = "reveals the picture") -> Receipt:
        salt = salt or self.sealing(who).salt("zkpredict judged entry")
        return self.stage.act(who, what, self.contract, "reveal", 1, picture, salt, label="reveal", random=(salt,))

    def grade(self, judge: str, who: str, picture: bytes, what: str = "", class_: int | None = None, by: str = "") -> Receipt:
        """A judge grades a picture, with its proof if its network is hidden."""
        said = self.judges[judge].says(picture) if class_ is None else class_
        evidence = self.judges[judge].evidence(picture)
        arguments = 1, self.stage.address(who), list(self.judges).index(judge), picture, said, evidence
        return self.stage.act(by or judge, what or f"grades {who} with {said}", self.contract, "grade", *arguments, label="grade", random=(evidence,))

    def rank(self, who: str, by: str = "stranger") -> Receipt:
        return self.stage.act(by, f"ranks {who}", self.contract, "rank", 1, self.stage.address(who), label="rank")

    def finish(self, entrants: tuple[str, ...], by: str = "stranger") -> None:
        self.stage.act(by, "settles the contest, as anybody may", self.contract, "settle", 1, label="settle")
        for who in entrants:
            self.stage.act(by, f"has what is {who}'s credited", self.contract, "collect", 1, self.stage.address(who), label="collect")


def play(stage: Stage) -> None:
    pictures = {who: digits(number, 1)[0][0].tobytes() for who, number in _PICTURES.items()}
    prediction = HiddenJudge.prediction_for(stage, "sponsor", _private("minos"))
    for name in JUDGES:
        HiddenJudge.register(stage, name, stage.account(name), prediction, _private(name))
    contest = Judged.create(stage, prediction.address, {name: _judge(name) for name in JUDGES}, 784)
    for who, picture in pictures.items():
        contest.enter(who, picture)
    stage.wait(DAY)
    for who, picture in pictures.items():
        contest.reveal(who, picture)
    stage.wait(DAY)
    for name in JUDGES:
        for who, picture in pictures.items():
            if (name, who) == ("aiakos", "bob"):
                stage.tell(name, "says nothing about bob's picture")
            else:
                contest.grade(name, who, picture)
    stage.wait(DAY)
    for who in pictures:
        contest.rank(who)
    stage.wait(DAY)
    contest.finish(tuple(pictures))
    for who in (*pictures, *JUDGES):
        stage.tell(who, f"gets {ether(contest.contract.call('credit', stage.address(who)))}")


# Attacks play with small networks in the open.


def _start(stage: Stage, entrants: tuple[str, ...] = ("ada", "bob"), most: int = 3) -> tuple[Judged, list[bytes]]:
    judge = OpenJudge.deploy(stage, "sponsor", trip_network())
    contest = Judged.create(stage, judge.prediction, dict.fromkeys(JUDGES, judge), 24, most)
    features = [row.tobytes() for row in trips(8, 12)[0]]
    for who, picture in zip(entrants, features, strict=False):
        contest.enter(who, picture)
    return contest, features


def _to_judging(stage: Stage) -> tuple[Judged, list[bytes]]:
    contest, pictures = _start(stage)
    stage.wait(DAY)
    for who, picture in zip(("ada", "bob"), pictures, strict=False):
        contest.reveal(who, picture)
    stage.wait(DAY)
    return contest, pictures


def _copy_seal(stage: Stage) -> None:
    contest, (picture, *_) = _start(stage, ("ada",))
    contest.enter("bob", picture, made=contest.sealing("ada").input(picture))
    stage.wait(DAY)
    contest.reveal("bob", picture, salt=contest.sealing("ada").salt("zkpredict judged entry"), what="sees ada reveal, and is first")


def _same_input(stage: Stage) -> None:
    contest, (picture, *_) = _start(stage, ("ada",))
    contest.enter("bob", picture)
    stage.wait(DAY)
    contest.reveal("ada", picture)
    contest.reveal("bob", picture, what="reveals the same picture for a share of the prize")


def _wrong_grade(stage: Stage) -> None:
    contest, (picture, *_) = _to_judging(stage)
    contest.grade("minos", "ada", picture, "gives a friend a better grade than its network does", class_=contest.judges["minos"].says(picture) + 1)


def _other_picture(stage: Stage) -> None:
    contest, (mine, other, *_) = _to_judging(stage)
    contest.grade("minos", "ada", other, "grades ada for bob's picture")


def _grade_twice(stage: Stage) -> None:
    contest, (picture, *_) = _to_judging(stage)
    contest.grade("minos", "ada", picture)
    contest.grade("minos", "ada", picture, "grades ada again, for a second fee")


def _silent_judge(stage: Stage) -> bool:
    contest, pictures = _to_judging(stage)
    for name in ("minos", "rhada"):
        for who, picture in zip(("ada", "bob"), pictures, strict=False):
            contest.grade(name, who, picture)
    stage.tell("aiakos", "says nothing at all")
    stage.wait(2 * DAY)
    contest.finish(("ada", "bob"))
    kept = contest.contract.call("credit", stage.address("aiakos"))
    stage.tell("aiakos", f"gets {ether(kept)} of its bond of {ether(BOND)} back")
    return kept == BOND


def _late_entry(stage: Stage) -> None:
    contest, pictures = _start(stage)
    stage.wait(DAY)
    contest.enter("cyd", pictures[3])


def _flood(stage: Stage) -> None:
    contest, pictures = _start(stage, most=2)
    contest.enter("cyd", pictures[3])


def _free_entry(stage: Stage) -> None:
    contest, pictures = _start(stage)
    contest.enter("cyd", pictures[3], value=0)


def _twice(stage: Stage) -> None:
    contest, pictures = _to_judging(stage)
    for name in JUDGES:
        contest.grade(name, "ada", pictures[0])
    stage.wait(DAY)
    contest.rank("ada")
    contest.rank("ada", by="ada")


def _guard(text: str, file: str = JUDGED, instead: str = "") -> tuple[Guard, ...]:
    return (Guard(file, text, instead),)


_OF = ("JudgedContest",)
ATTACKS = (
    Attack("copy-seal", "a seal is copied and revealed first", _OF,
           _guard("if (found != expected) revert SealBroken(found, expected);", "blocks/Seal.sol"), _copy_seal, "SealBroken"),
    Attack("same-input", "one picture takes part twice", _OF, _guard("if (c.seen[inputHash]) revert SameInput(inputHash);"), _same_input, "SameInput"),
    Attack("wrong-grade", "a judge gives another grade than its network", _OF,
           _guard("if (!c.panel.prediction.holds(j.model, input, class_, evidence)) revert NotShown(j.model, class_);"), _wrong_grade, "NotShown"),
    Attack("other-picture", "a judge grades another picture", _OF,
           _guard("if (keccak256(input) != e.inputHash) revert WrongInput(keccak256(input), e.inputHash);"), _other_picture, "WrongInput"),
    Attack("grade-twice", "a judge earns a fee twice", _OF,
           _guard("if (_grade(e, judge) != 0) revert AlreadyGraded(who, judge);"), _grade_twice, "AlreadyGraded"),
    Attack("silent-judge", "a judge takes its bond back without grading", _OF,
           _guard("if (!c.standings[i].stands || c.standings[i].graded < c.revealed) continue;"), _silent_judge),
    Attack("late-entry", "an entrant seals after the deadline", _OF,
           _guard("if (found != expected) revert WrongPhase(found, expected);", "blocks/Schedule.sol"), _late_entry, "WrongPhase"),
    Attack("flood", "a judge is questioned until its weights are known", _OF,
           _guard("if (c.entered >= c.panel.mostEntries) revert ContestFull(c.panel.mostEntries);"), _flood, "ContestFull"),
    Attack("free-entry", "an entrant pays no fee", _OF,
           _guard("if (msg.value != expected) revert WrongPayment(msg.value, expected);", "blocks/Vault.sol"), _free_entry, "WrongPayment"),
    Attack("rank-twice", "an entrant counts as two winners", _OF, _guard("if (e.rank != 0) revert AlreadyRanked(who);"), _twice, "AlreadyRanked"),
)
