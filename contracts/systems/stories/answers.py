"""A contest in the open: a thousand answers are posted and counted at once, and one wrong answer ends an entry.

Needs a checkout: the networks are the example network and a pruned copy, the test is 1,000 MNIST test images in eight parts.
"""

from __future__ import annotations

from zkpredict.contracts.checkout import example_network
from zkpredict.contracts.open.deploy import deploy_packed
from zkpredict.contracts.systems.contestplay import DAY, Contest, part_of, pruned
from zkpredict.contracts.systems.goods import trip_network
from zkpredict.contracts.systems.judges import OpenJudge
from zkpredict.contracts.systems.samples import Sheet
from zkpredict.contracts.systems.stage import Stage, ether
from zkpredict.contracts.systems.stories import Attack
from zkpredict.contracts.systems.stories.contest import guard, start, to_claims

CAST = ("sponsor", "north", "south", "ada", "bob", "cyd", "dan", "stranger")
_OWNERS = ("sponsor", "north", "south", "sponsor", "north", "south", "sponsor", "north")
_PER_PART = 125


def play(stage: Stage) -> None:
    parts = tuple(part_of(2000 + _PER_PART * number, _PER_PART) for number in range(len(_OWNERS)))
    judge = OpenJudge.deploy(stage, "ada", example_network())
    weaker = pruned(example_network(), 16)
    deployed = deploy_packed(stage.account("cyd"), weaker)
    stage.tell("cyd", "puts a pruned 784-64-10 on the chain", deployed.gas_used)
    other = stage.contract_at("OpenPrediction", judge.prediction).call("modelOf", deployed.contract.address)
    contest = Contest.create(stage, judge.prediction, _OWNERS, parts, by_answers=True)
    for who, model in (("ada", judge.model), ("cyd", other)):
        contest.enter(who, model)
    stage.wait(DAY)
    for who, model in (("ada", judge.model), ("cyd", other)):
        contest.reveal(who, model)
    stage.wait(DAY)
    contest.open_all()
    stage.wait(DAY)
    honest, true = contest.answers(example_network()), contest.answers(weaker)
    right = sum(a == b for row, labels in zip(honest.parts, contest.labels.parts, strict=True) for a, b in zip(row, labels, strict=True))
    contest.post("ada", honest, f"posts 1,000 answers, {right} of them right")
    contest.post("cyd", contest.labels, "posts the labels themselves: 1,000 right answers, which her network does not give")
    stage.wait(DAY)
    place, index = _cheapest_lie(contest, true)
    said = true.parts[place][index]
    contest.refute("stranger", "cyd", contest.labels, place, index, said, f"runs cyd's network on one image: it says {said}, and she lied")
    stage.wait(DAY)
    stage.act("stranger", "presents ada as the best that nobody refuted", contest.contract, "present", 1, stage.address("ada"), label="present")
    stage.refuses("cyd", "presents herself", "EntryRefuted",
                  lambda: contest.contract.by(stage.account("cyd")).transact("present", 1, stage.address("cyd")))
    stage.wait(DAY)
    contest.finish(("ada", "cyd"))
    stage.tell("stranger", f"has earned {ether(contest.contract.call('credit', stage.address('stranger')))} for one look")


def _cheapest_lie(contest: Contest, true: Sheet) -> tuple[int, int]:
    """Place and index of the sample with the fewest pixels among those that the network says something else about than its label."""
    labels = contest.labels.parts
    wrong = [(p, i) for p, row in enumerate(true.parts) for i, said in enumerate(row) if said != labels[p][i]]
    return min(wrong, key=lambda at: len(contest.sample(*at)[3]) - contest.sample(*at)[3].count(0))


def _posted(stage: Stage, wrong: bool = False) -> tuple[Contest, Sheet]:
    """Ada's answers to eight samples are posted: those of her network, or the labels, of which one is not."""
    contest, models = start(stage, by_answers=True)
    to_claims(contest, models)
    answers = contest.labels if wrong else contest.answers(trip_network())
    contest.post("ada", answers, "posts her answers")
    stage.wait(DAY)
    return contest, answers


def _false_alarm(stage: Stage) -> None:
    contest, answers = _posted(stage)
    contest.refute("bob", "ada", answers, 0, 0, answers.parts[0][0], "calls a right answer wrong, to get half of her bond")


def _lying_refuter(stage: Stage) -> None:
    contest, answers = _posted(stage)
    contest.refute("bob", "ada", answers, 0, 0, (answers.parts[0][0] + 1) % 3, "says that her network gives another class")


def _other_answer(stage: Stage) -> None:
    contest, answers = _posted(stage)
    first = answers.parts[0]
    said = first[0]
    false = Sheet((((said + 1) % 3, *first[1:]), answers.parts[1]))
    contest.refute("bob", "ada", answers, 0, 0, said, "puts another answer into her mouth", posted=false.posted(0, 0))


def _own_labels(stage: Stage) -> None:
    contest, models = start(stage, by_answers=True)
    to_claims(contest, models)
    mine = contest.answers(trip_network())
    stage.act("ada", "brings the labels that she likes", contest.contract, "post", 1, mine.data, bytes(len(mine.data)), value=contest.params.claim_bond)


def _survivor(stage: Stage) -> None:
    contest, answers = _posted(stage, wrong=True)
    said = contest.answers(trip_network()).parts[1][3]
    contest.refute("bob", "ada", answers, 1, 3, said, "shows the one wrong answer")
    stage.wait(DAY)
    stage.act("ada", "presents herself all the same", contest.contract, "present", 1, stage.address("ada"))


_OF = ("ModelContest",)
ATTACKS = (
    Attack("false-alarm", "a right answer is called wrong", _OF,
           guard("if ((uint256(posted.word) >> shift) & 15 == class_) revert AnswerStands(number, class_);", "judge/Answers.sol"), _false_alarm, "AnswerStands"),
    Attack("lying-refuter", "a refuter invents what the network says", _OF,
           guard("if (!prediction.holds(model, s.input, class_, evidence)) revert NotShown(model, class_);", "judge/Answers.sol"), _lying_refuter, "NotShown"),
    Attack("other-answer", "a refuter shows an answer that was not posted", _OF,
           guard("if (found != e.model) revert Answers.WrongAnswer(found, e.model);"), _other_answer, "WrongAnswer"),
    Attack("own-labels", "an entrant is counted against labels of its own", _OF,
           guard("if (digest != set.labels) revert WrongLabels(digest, set.labels);", "blocks/TestSet.sol"), _own_labels, "WrongLabels"),
    Attack("survivor", "an entry goes on after it was refuted", _OF,
           guard("if (e.refuted) revert EntryRefuted(who);"), _survivor, "EntryRefuted"),
)
