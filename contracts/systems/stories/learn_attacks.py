"""Attacks on life-long learning: a network of two bytes, one neuron and two classes, that can grow by one each."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from zkpredict.contracts.systems.learn import StageWeights, Terms
from zkpredict.contracts.systems.learn_play import Play
from zkpredict.contracts.systems.samples import Part
from zkpredict.contracts.systems.stage import Stage
from zkpredict.contracts.systems.stories import Attack, Guard
from zkpredict.kernel import keccak256

LEARN, PARTS, BADGES = "learn/LifelongLearning.sol", "learn/TestParts.sol", "learn/Badges.sol"
TINY = ((1, 2), (1, 1))


def tiny(a: int = 0, bias: int = 0) -> StageWeights:
    """Class 1 when the first byte times `a` is above `bias`."""
    one = np.array([[1, 0]])
    return StageWeights(one, np.array([0]), np.array([[0], [a]]), np.array([0, bias]))


def tiny_terms(**changed: Any) -> Terms:
    return Terms(**(dict(input_bytes=2, per_part=4, parts=3, probe=1, epochs=3, shift=0) | changed))


def tiny_parts() -> tuple[tuple[Part, ...], ...]:
    """Inputs above 100 are of class 1."""
    values = np.array([[10, 0], [200, 0], [30, 0], [150, 0]], dtype=np.uint8)
    return (tuple(Part.of(values + np.uint8(n), [0, 1, 0, 1]) for n in range(6)),)


GOOD, WEAK, KNOWS_NOTHING = tiny(1, -100), tiny(1, -170), tiny()


def tiny_play(stage: Stage, **changed: Any) -> Play:
    return Play.create(stage, tiny_terms(**changed), TINY, ("initiator",), tiny_parts(), KNOWS_NOTHING)


def running(stage: Stage, *who: str, weights: StageWeights = GOOD) -> Play:
    """Everybody has sealed the good network, or another one."""
    program = tiny_play(stage)
    program.begin()
    for name in who:
        program.commit(name, weights)
    return program


def _claimed(stage: Stage, *who: str, weights: StageWeights = GOOD, **false: Any) -> Play:
    program = running(stage, *who, weights=weights)
    program.test()
    for name in who:
        program.claim(name, **false)
    return program


def _published(stage: Stage, *who: str, **false: Any) -> Play:
    program = _claimed(stage, *who, **false)
    program.next_window()
    for name in who:
        program.publish(name)
    program.next_window()
    return program


def _won(stage: Stage, *who: str) -> Play:
    """The first of them has won an epoch, and all have their points."""
    program = _published(stage, *who, weights=WEAK)
    program.next_window()
    program.present(who[0])
    program.next_window()
    program.settle(who[0])
    for name in who:
        program.collect(0, name)
    return program


def _other_part(stage: Stage) -> None:
    program = tiny_play(stage)
    program.seal_all()
    stage.wait(program.terms.window)
    program.draw("stranger", 0)
    number = next(n for n in range(6) if program.contract.call("probed") >> n & 1)
    program.open_part(0, number, Part.of(np.full((4, 2), 9, np.uint8), [0, 0, 0, 0]))


def _early_draw(stage: Stage) -> None:
    program = running(stage, "ada")
    program.act("mallory", "has the part drawn while weights can still be sealed", "arm", 1)


def _late_commit(stage: Stage) -> None:
    program = running(stage, "ada")
    program.test()
    program.commit("mallory", GOOD)


def _early_part(stage: Stage) -> None:
    program = running(stage, "ada")
    stage.wait(program.terms.window)
    program.draw("stranger", 1)
    other = next(n for n in range(6) if n != program.contract.call("drawnPart") and not program.contract.call("used") >> n & 1)
    program.open_part(0, other)


def _copy_seal(stage: Stage) -> None:
    program = running(stage, "ada")
    seal = program.program.seal_of(stage.key("ada"), stage.address("ada"), GOOD.data)
    program.act("mallory", "copies ada's seal", "commit", seal, value=program.terms.stake)
    program.networks["mallory"] = GOOD
    program.test()
    program.claim("ada")
    salt = program.program.salt(stage.key("ada"))
    program.act("mallory", "claims ada's weights with ada's salt", "claim", keccak256(GOOD.data), salt, program.claims["ada"], value=program.terms.bond)


def _copy_standing(stage: Stage) -> None:
    program = tiny_play(stage)
    program.begin()
    program.commit("mallory", KNOWS_NOTHING)
    program.test()
    program.claim("mallory")


def _swapped(stage: Stage) -> None:
    program = _claimed(stage, "mallory")
    program.next_window()
    program.publish("mallory", tiny(1, -101).data)


def _old_weights(stage: Stage) -> None:
    """A grown stage's winner brings the whole network anew, old weights changed."""
    program = tiny_play(stage, threshold=4)
    program.begin()
    program.commit("ada", GOOD)
    program.test()
    program.claim("ada")
    program.next_window()
    program.publish("ada")
    program.next_window()
    program.next_window()
    program.present("ada")
    program.next_window()
    program.settle("ada")
    whole = cast(StageWeights, Whole(GOOD))
    program.commit("mallory", whole)
    program.test()
    program.claim("mallory", own=[0] * 4, standing=[1] * 4)
    program.next_window()
    program.publish("mallory")


class Whole:
    """Weights of an old stage, longer than the new one's."""

    def __init__(self, weights: StageWeights) -> None:
        self.data = weights.data + bytes(7)


def _false_loss(stage: Stage) -> None:
    program = _published(stage, "mallory", own=[0] * 4, standing=[1] * 4)
    program.refute("stranger", "mallory", 0, of_standing=True)
    program.next_window()
    program.present("mallory", by="mallory")


def _false_alarm(stage: Stage) -> None:
    program = _published(stage, "ada")
    program.refute("mallory", "ada", 0)


def _other_sample(stage: Stage) -> None:
    program = _published(stage, "ada")
    fake = Part.of(np.full((4, 2), 200, np.uint8), [0, 0, 0, 0])
    program.refute("mallory", "ada", 0, sample=fake.sample(0))


def _other_losses(stage: Stage) -> None:
    program = _published(stage, "ada")
    program.claims["ada"] = bytes([0, 0, 0, 9]) * 8
    program.refute("mallory", "ada", 0)


def _objected(stage: Stage) -> None:
    program = _won(stage, "ada", "bob")
    program.commit("mallory", tiny(1, -99))
    program.test()
    program.claim("mallory", standing=[1] * 4, own=[0] * 4)
    program.next_window()
    program.publish("mallory")
    program.next_window()
    for who in ("ada", "bob"):
        program.act(who, "objects", "object", stage.address("mallory"))
    program.next_window()
    program.present("mallory", by="mallory")


def _object_twice(stage: Stage) -> None:
    program = _won(stage, "ada", "bob")
    program.commit("cyd", tiny(1, -99))
    program.test()
    program.claim("cyd", standing=[1] * 4, own=[0] * 4)
    program.next_window()
    program.publish("cyd")
    program.next_window()
    for _ in range(2):
        program.act("bob", "objects with half of all points", "object", stage.address("cyd"))


def _no_points(stage: Stage) -> None:
    program = _published(stage, "ada")
    program.act("mallory", "objects without a point", "object", stage.address("ada"))


def _unpublished(stage: Stage) -> None:
    program = _claimed(stage, "mallory")
    for _ in range(3):
        program.next_window()
    program.present("mallory", by="mallory")


def _smaller(stage: Stage) -> None:
    program = running(stage, "ada")
    program.commit("mallory", tiny(1, -180))
    program.test()
    for who in ("ada", "mallory"):
        program.claim(who)
    program.next_window()
    for who in ("ada", "mallory"):
        program.publish(who)
    program.next_window()
    program.next_window()
    for who in ("ada", "mallory"):
        program.present(who, by="mallory")


def _early_end(stage: Stage) -> None:
    program = _published(stage, "ada")
    program.settle()


def _early_expire(stage: Stage) -> None:
    program = running(stage, "ada")
    number = next(n for n in range(6) if not program.contract.call("used") >> n & 1)
    program.act("mallory", "ends a part that nobody may open yet, for half of its bond", "expirePart", 0, number)


def _rest_astray(stage: Stage) -> None:
    program = _won(stage, "ada")
    for _ in range(2):
        stage.wait(program.terms.window)
        program.settle()
    program.act("mallory", "has the rest of the prize sent to the winner of an epoch that nobody won", "collectRest", 1)


def _twice(stage: Stage) -> None:
    """The tester's lost bond is shared by those who committed; ada takes bob's share too."""
    program = running(stage, "ada", "bob")
    stage.wait(program.terms.window)
    program.draw("stranger", 1)
    stage.wait(program.terms.window)
    program.settle()
    for _ in range(2):
        program.collect(0, "ada")


def _move_badge(stage: Stage) -> None:
    badges = stage.deploy("initiator", "Badges")
    stage.act("initiator", "awards a badge", badges, "award", 0, True, stage.address("mallory"))
    number = badges.call("badgeOf", 0, True, stage.address("mallory"))
    stage.act("mallory", "sells it", badges, "transferFrom", stage.address("mallory"), stage.address("stranger"), number)


def _forge_badge(stage: Stage) -> None:
    badges = stage.deploy("initiator", "Badges")
    stage.act("mallory", "gives itself a badge", badges, "award", 0, True, stage.address("mallory"))


def _guard(text: str, file: str = LEARN, instead: str = "") -> tuple[Guard, ...]:
    return (Guard(file, text, instead),)


_OF = ("LifelongLearning",)
_PHASE = _guard("if (found != expected) revert WrongPhase(found, expected);", "blocks/Schedule.sol")
ATTACKS = (
    Attack("other-part", "the initiator opens another part than it sealed", _OF,
           _guard("if (found != part.seal) revert PartBroken(found, part.seal);", PARTS), _other_part, "PartBroken"),
    Attack("early-draw", "the part is drawn before the weights are sealed", _OF, _PHASE, _early_draw, "WrongPhase"),
    Attack("late-commit", "weights are sealed when the part is known", _OF, _PHASE, _late_commit, "WrongPhase"),
    Attack("early-part", "the tester opens a part that was not drawn, to spoil it", _OF,
           _guard("if (!_isDue(number)) revert PartNotDue(tester, number);", PARTS), _early_part, "PartNotDue"),
    Attack("copy-seal", "a copied seal is opened with the owner's salt", _OF,
           _guard("if (found != expected) revert SealBroken(found, expected);", "blocks/Seal.sol"), _copy_seal, "SealBroken"),
    Attack("copy-standing", "the standing network is handed in again", _OF,
           _guard("if (standing < own + _terms.delta) revert NotBetter(standing, own, _terms.delta);", instead="if (standing < own) revert();"), _copy_standing, "NotBetter"),
    Attack("swapped", "other weights are published than were sealed", _OF,
           _guard("if (keccak256(weights) != c.weightsHash) revert WrongWeights(keccak256(weights), c.weightsHash);"), _swapped, "WrongWeights"),
    Attack("old-weights", "a grown network's old weights are brought anew", _OF,
           _guard("if (weights.length != expected) revert GrowingNetwork.WrongBlock(weights.length, expected);"), _old_weights, "WrongBlock"),
    Attack("false-loss", "a refuted claim is put forward", _OF,
           (Guard(LEARN, "if (next.refuted) revert CandidateRefuted(who);"),), _false_loss, "CandidateRefuted"),
    Attack("false-alarm", "a true loss is called false", _OF, _guard("if (said == found) revert LossStands(place, found);"), _false_alarm, "LossStands"),
    Attack("other-sample", "a claim is refuted by a sample of no part", _OF, _guard("if (found != expected) revert WrongSample(found, expected);"), _other_sample, "WrongSample"),
    Attack("other-losses", "a claim is refuted for what it does not say", _OF,
           _guard("if (keccak256(losses) != c.losses) revert WrongLosses(keccak256(losses), c.losses);"), _other_losses, "WrongLosses"),
    Attack("back-door", "a network that most points object to is put forward", _OF,
           _guard("if (2 * next.objections > wins * POINTS) revert ObjectedTo(next.objections, wins * POINTS);"), _objected, "ObjectedTo"),
    Attack("object-twice", "half of the points object twice", _OF,
           _guard("if (_objected[epoch][who][msg.sender]) revert ObjectedBefore(who, msg.sender);"), _object_twice, "ObjectedBefore"),
    Attack("no-points", "somebody without points objects", _OF, _guard("if (points[msg.sender] == 0) revert NoPoints(msg.sender);"), _no_points, "NoPoints"),
    Attack("unpublished", "a claim wins whose weights nobody has seen", _OF, (Guard(LEARN, "if (next.published == address(0)) revert NotPublished(who);"),), _unpublished, "NotPublished"),
    Attack("smaller", "a smaller gain takes the place of the largest", _OF, _guard("if (next.gain <= e.gain) revert NotMore(next.gain, e.gain);"), _smaller, "NotMore"),
    Attack("early-end", "the epoch is ended before anybody is put forward", _OF,
           _guard("if (seed != 0 && !missing && phase < 6) revert TooEarly(block.timestamp, e.schedule.deadline(5));"), _early_end, "TooEarly"),
    Attack("early-expire", "a sealed part is slashed while the program runs", _OF,
           (Guard(PARTS, "if (state != State.CLOSED) revert WrongState(state, State.CLOSED);"),), _early_expire, "WrongState"),
    Attack("twice", "a share is collected twice", _OF, _guard("if (c.stake == 0) revert NothingToCollect(number, who);"), _twice, "NothingToCollect"),
    Attack("rest-astray", "the rest of the prize is sent where nobody won", _OF,
           _guard("if (e.result != 3 || _restPaid[number]) revert NothingToCollect(number, e.best);"), _rest_astray, "NothingToCollect"),
    Attack("move-badge", "a badge is sold", ("Badges",), _guard("if (from != address(0)) revert Soulbound(tokenId);", BADGES), _move_badge, "Soulbound"),
    Attack("forge-badge", "a badge is made by its wearer", ("Badges",),
           _guard("if (msg.sender != program) revert NotTheProgram(msg.sender, program);", BADGES), _forge_badge, "NotTheProgram"),
)
