"""A contest of private networks: the test is sealed by three owners, and every right answer of the winner is proven.

Needs a checkout: the networks are the example network and pruned copies of it, the test is 32 MNIST test images.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from zkpredict.contracts.checkout import example_network
from zkpredict.contracts.systems.contestplay import CLAIM_BOND, DAY, STAKE, Contest, part_of, pruned
from zkpredict.contracts.systems.goods import trip_network, trips
from zkpredict.contracts.systems.judges import HiddenJudge, OpenJudge
from zkpredict.contracts.systems.samples import Part
from zkpredict.contracts.systems.stage import Stage, ether
from zkpredict.contracts.systems.stories import Attack, Guard
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model

CAST = ("sponsor", "north", "south", "ada", "bob", "cyd", "dan", "stranger")
CONTEST, SCHEDULE, TESTSET, VAULT = "contest/ModelContest.sol", "blocks/Schedule.sol", "blocks/TestSet.sol", "blocks/Vault.sol"
_OWNERS = ("sponsor", "north", "south", "south")
_FIRST, _PER_PART = 100, 8
_PRUNED = {"ada": 0, "bob": 16, "cyd": 32, "dan": 44}


@cache
def _private(who: str) -> Model:
    """An entrant's network and commitment, made once; its proofs are kept too, so that a second run costs no second proof."""
    return commit_model(pruned(example_network(), _PRUNED[who]))


@cache
def _judge(who: str) -> HiddenJudge:
    return HiddenJudge(_private(who), "", _private(who).commitment.model_id)


def play(stage: Stage) -> None:
    parts = tuple(part_of(_FIRST + _PER_PART * number, _PER_PART) for number in range(4))
    entrants = tuple(_PRUNED)
    prediction = HiddenJudge.prediction_for(stage, "sponsor", _private("ada"))
    contest = Contest.create(stage, prediction.address, _OWNERS, parts)
    for who in entrants:
        contest.enter(who, _private(who).commitment.model_id)
    stage.wait(DAY)
    for who in entrants[:3]:
        HiddenJudge.register(stage, who, stage.account(who), prediction, _private(who))
        contest.reveal(who, _private(who).commitment.model_id)
    stage.tell("dan", "never reveals: his stake will be slashed")
    stage.wait(DAY)
    contest.open_all()
    stage.wait(DAY)
    right = {who: _right(contest, who) for who in entrants}
    contest.claim("ada", len(right["ada"]))
    contest.claim("bob", len(right["bob"]))
    contest.claim("cyd", 32)
    stage.tell("cyd", f"has {len(right['cyd'])} right, and claims 32 to frighten the others off")
    stage.wait(DAY)
    for place, part in enumerate(contest.parts):
        proven = [(contest.sample(place, index), _judge("ada").evidence(part.inputs[index])) for at, index in right["ada"] if at == place]
        contest.prove("ada", proven[:1], label="prove one sample" if place else "prove the first sample")
        contest.prove("ada", proven[1:], f"proves {len(proven) - 1} samples of part {place}", f"prove {len(proven) - 1} samples")
    stage.tell("bob", "cannot win any more, proves nothing, and gets all back")
    stage.wait(DAY)
    contest.finish(entrants)
    credit = contest.contract.call("credit", stage.address("ada"))
    stage.tell("ada", f"has won: {ether(credit)} with stake, bond and half of what dan and cyd lost")


def _right(contest: Contest, who: str) -> list[tuple[int, int]]:
    """Place and index of the samples that an entrant's network gets right."""
    network = _private(who).network
    return [
        (place, index)
        for place, part in enumerate(contest.parts)
        for index, (data, label) in enumerate(zip(part.inputs, part.labels, strict=True))
        if network.predict(np.frombuffer(data, np.uint8)) == label
    ]


# Attacks play with a small network in the open: what stops them has nothing to do with proofs.


def start(stage: Stage, *, entrants: tuple[str, ...] = ("ada", "bob"), **changed: Any) -> tuple[Contest, dict[str, bytes]]:
    """A contest of small networks with two parts of the test, entered by some; their models by name."""
    features, truth = trips(8, 9)
    network = trip_network()
    said = [network.predict(row) for row in features]
    labels = [*said[:7], (said[7] + 1) % 3]  # one label that the network does not give
    parts = (Part.of(features[:4], labels[:4]), Part.of(features[4:], labels[4:]))
    judge = OpenJudge.deploy(stage, "sponsor", network)
    contest = Contest.create(stage, judge.prediction, ("sponsor", "north"), parts, **changed)
    models = {who: judge.model if who == "ada" else bytes([number]) * 32 for number, who in enumerate(entrants, 1)}
    for who in entrants:
        contest.enter(who, models[who])
    return contest, models


def to_claims(contest: Contest, models: dict[str, bytes]) -> None:
    """On to phase CLAIM."""
    contest.stage.wait(DAY)
    for who, model in models.items():
        contest.reveal(who, model)
    contest.stage.wait(DAY)
    contest.open_all()
    contest.stage.wait(DAY)


def _proving(stage: Stage) -> Contest:
    contest, models = start(stage)
    to_claims(contest, models)
    contest.claim("ada", 7)
    stage.wait(DAY)
    return contest


def _copy_seal(stage: Stage) -> None:
    contest, models = start(stage, entrants=("ada",))
    contest.enter("bob", b"", made=contest.sealing("ada").model(models["ada"]))
    stage.wait(DAY)
    salt = contest.sealing("ada").salt("zkpredict entry")
    contest.reveal("bob", models["ada"], salt=salt, what="has copied ada's seal, sees her reveal, and is first")


def _steal_id(stage: Stage) -> None:
    contest, models = start(stage, entrants=("ada",))
    contest.enter("bob", models["ada"])
    to_claims(contest, models | {"bob": models["ada"]})
    contest.claim("bob", 7)


def _overclaim(stage: Stage) -> None:
    contest, models = start(stage)
    to_claims(contest, models)
    contest.claim("ada", 9)


def _scarecrow(stage: Stage) -> bool:
    contest, models = start(stage)
    to_claims(contest, models)
    contest.claim("bob", 8)
    stage.tell("ada", "has 7 right, believes bob, and does not claim")
    stage.wait(3 * DAY)
    contest.finish(("bob",))
    kept = contest.contract.call("credit", stage.address("bob"))
    stage.tell("bob", f"frightened ada off and gets {ether(kept)} of {ether(CLAIM_BOND + STAKE)} back")
    return kept == CLAIM_BOND + STAKE


def _late_entry(stage: Stage) -> None:
    contest, _ = start(stage)
    stage.wait(DAY)
    contest.enter("cyd", b"\7" * 32)


def _free_entry(stage: Stage) -> None:
    contest, _ = start(stage)
    contest.enter("cyd", b"\7" * 32, value=0)


def _change_part(stage: Stage) -> None:
    contest, models = start(stage)
    stage.wait(2 * DAY)
    labels = contest.parts[1].labels
    easier = Part(contest.parts[1].inputs, (*labels[:3], labels[3] ^ 1))
    contest.open_part(1, easier, "opens the part with other labels")


def _foreign_part(stage: Stage) -> None:
    contest, _ = start(stage)
    stage.act("bob", "adds a part of his own to the test", contest.contract, "sealPart", 1, 2, b"\1" * 32, value=contest.params.part_bond)


def _replay_proof(stage: Stage) -> None:
    contest = _proving(stage)
    contest.prove("ada", [(contest.sample(0, 0), b"")])
    contest.prove("ada", [(contest.sample(0, 0), b"")], "proves the same sample again")


def _foreign_sample(stage: Stage) -> None:
    contest = _proving(stage)
    features, _ = trips(4, 3)
    network = trip_network()
    easy = Part.of(features, [network.predict(row) for row in features])
    contest.prove("ada", [(easy.sample(0), b"")], "proves a sample of her own choice")


def _wrong_answer(stage: Stage) -> None:
    contest = _proving(stage)
    contest.prove("ada", [(contest.sample(1, 3), b"")], "counts an answer that is wrong")


def _early_prize(stage: Stage) -> None:
    contest = _proving(stage)
    contest.prove("ada", [(contest.sample(number // 4, number % 4), b"") for number in range(7)])
    stage.act("ada", "takes the prize before the others had their time", contest.contract, "settle", 1)


def _cheap_claim(stage: Stage) -> None:
    start(stage, claim_bond=1)


def _no_time(stage: Stage) -> None:
    start(stage, window=1800)


def guard(text: str, file: str = CONTEST, instead: str = "") -> tuple[Guard, ...]:
    return (Guard(file, text, instead),)


_OF = ("ModelContest",)
ATTACKS = (
    Attack("copy-seal", "an entrant copies a seal and reveals first", _OF,
           guard("if (found != expected) revert SealBroken(found, expected);", "blocks/Seal.sol"), _copy_seal, "SealBroken"),
    Attack("steal-id", "an entrant enters with another's model", _OF,
           guard("if (c.ownerOf[e.model] != msg.sender) revert NotTheModelsOwner(msg.sender, c.ownerOf[e.model]);"), _steal_id, "NotTheModelsOwner"),
    Attack("overclaim", "an entrant claims more than there are samples", _OF,
           guard("if (right == 0 || right > most) revert TooMuchClaimed(right, most);"), _overclaim, "TooMuchClaimed"),
    Attack("scarecrow", "an entrant claims the most, frightens the others off, and proves nothing", _OF,
           guard("(_overclaimed(c, e))", "contest/ContestEnd.sol", "(false)"), _scarecrow),
    Attack("late-entry", "an entrant seals after the deadline", _OF,
           guard("if (found != expected) revert WrongPhase(found, expected);", SCHEDULE), _late_entry, "WrongPhase"),
    Attack("free-entry", "an entrant enters without a stake", _OF,
           guard("if (msg.value != expected) revert WrongPayment(msg.value, expected);", VAULT), _free_entry, "WrongPayment"),
    Attack("change-part", "an owner opens other samples than it sealed", _OF,
           guard("if (found != part.seal) revert WrongPart(found, part.seal);"), _change_part, "WrongPart"),
    Attack("foreign-part", "an entrant adds a part of its own to the test", _OF,
           guard("if (part.owner != msg.sender) revert NotTheOwner(msg.sender, part.owner);"), _foreign_part, "NotTheOwner"),
    Attack("replay-proof", "one sample is counted twice", _OF,
           guard("if (e.bits >> number & 1 == 1) revert AlreadyProven(number);"), _replay_proof, "AlreadyProven"),
    Attack("foreign-sample", "a sample is counted that is none of the test", _OF,
           guard("if (found != part.root) revert WrongSample(found, part.root);", TESTSET), _foreign_sample, "WrongSample"),
    Attack("wrong-answer", "a wrong answer is counted", _OF,
           guard("if (!c.params.prediction.holds(e.model, s.input, s.label, evidence)) revert NotShown(e.model, s.label);"), _wrong_answer, "NotShown"),
    Attack("early-prize", "the first to prove takes the prize at once", _OF,
           guard("if (!isVoid && !early && phase < 6) revert Schedules.WrongPhase(phase, 6);", "contest/ContestEnd.sol"), _early_prize, "WrongPhase"),
    Attack("cheap-claim", "a sponsor sets a bond that frightens nobody", _OF,
           guard("if (p.claimBond < msg.value / 10) revert BondTooSmall(p.claimBond, msg.value / 10);"), _cheap_claim, "BondTooSmall"),
    Attack("no-time", "a sponsor leaves nobody time to answer", _OF,
           guard("if (window < least || window == 0) revert WindowTooShort(i, window, least);", SCHEDULE), _no_time, "WindowTooShort"),
)
