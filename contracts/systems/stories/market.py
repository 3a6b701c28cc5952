"""A requester buys the answers of a named network to 24 pictures, twice each, from six workers; one is lazy, one is three people.

Attacks are on a job of 8 items whose answers are the first byte of each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.contracts.checkout import example_network, sample_images
from zkpredict.contracts.open.deploy import deploy_packed
from zkpredict.contracts.systems.market import Checks, Terms, nibbles
from zkpredict.contracts.systems.market_scene import Scene
from zkpredict.contracts.systems.stage import Stage, StoryFailed, ether
from zkpredict.contracts.systems.stories import Attack, Guard

CAST = ("requester", "worker-1", "worker-2", "lazy", "alias-1", "alias-2", "alias-3", "stranger")
REWARD, STAKE, BOND = 10**17, 10**17, 5 * 10**17
_FILE, _SEAL = "market/AnswerMarket.sol", "blocks/Seal.sol"
_JOINS = (("worker-1", 1), ("worker-2", 1), ("lazy", 1), ("alias-1", 1), ("alias-2", 1), ("alias-3", 1))


def play(stage: Stage) -> None:
    """Six units of eight pictures, two copies of each picture, three of eight columns checked."""
    network, pictures = example_network(), sample_images()[:24]
    right = [int(digit) for digit in network.infer(pictures).digits]
    base = deploy_packed(stage.account("requester"), network).contract
    judge = stage.deploy("requester", "OpenPrediction")
    scene = Scene(stage, Terms(6, 2, 3, REWARD, STAKE, BOND, prediction=judge.address, model=judge.call("modelOf", base.address)), pictures, right,
                   label="market post")
    stage.tell("requester", f"wants 24 pictures answered twice: 6 units of 8, {ether(REWARD)} each, and sealed the labels of 3 columns of 8")
    for who, count in _JOINS:
        scene.join(who, count)
    stage.tell("alias-1", "is the same person as alias-2 and alias-3, and answers each picture that it has twice only once")
    scene.draw()
    work: dict[int, list[int]] = {}
    for unit in range(6):
        who = scene.owner(unit)
        work[unit] = scene.right(unit)
        if who == "lazy":
            work[unit] = [*work[unit][:4], *((answer + 1) % 10 for answer in work[unit][4:])]
            stage.tell("lazy", "answers half of its pictures and guesses the rest")
    scene.run(work)
    scene.collect_all()
    stage.tell("requester", "has what it paid for; lazy's reward and stake are nobody's")
    for names, what in ((("alias-1", "alias-2", "alias-3"), "three identities"), (("worker-1",), "one identity")):
        got = sum(scene.contract.call("credit", stage.address(name)) for name in names)
        if got != len(names) * (REWARD + STAKE):
            raise StoryFailed(f"{what} got {got} wei")
        stage.tell(names[0], f"{what}, {len(names)} unit{'s' * (len(names) > 1)}: {ether(got - len(names) * STAKE)} earned")
    _tell_table(stage)


def _tell_table(stage: Stage) -> None:
    """denett's table: what one person with two of four units earns under one and two names, here and where a pot is split by heads."""
    for names in (1, 2):
        heads = 4 * REWARD * names // (2 + names)
        stage.tell("stranger", f"two of four units under {names} name{'s' * (names > 1)}: {ether(2 * REWARD)} here, {ether(heads)} of a pot split by heads")


# Attacks -------------------------------------------------------------------------------------------------------------------------------

_ITEMS = np.array([[(3 * i) % 7, 200 - i] for i in range(8)], np.uint8)
_RIGHT = [int(i) for i in _ITEMS[:, 0]]
_TERMS = Terms(4, 2, 2, REWARD, STAKE, BOND)


def _job(stage: Stage, terms: Terms = _TERMS, joins: Sequence[tuple[str, int]] = (("worker-1", 2), ("worker-2", 1), ("lazy", 1)), draw: bool = True,
         right: Sequence[int] = _RIGHT, items: np.ndarray = _ITEMS, **named: Any) -> Scene:  # fmt: skip
    """A job of 8 items in 4 columns of 2 rows: units of 4 items, 2 columns checked."""
    scene = Scene(stage, terms, items, right, named.pop("checked", (1, 2)), **named)
    for who, count in joins:
        scene.join(who, count)
    if draw:
        scene.draw()
    return scene


def _all_right(scene: Scene) -> dict[int, list[int]]:
    return {unit: scene.right(unit) for unit in range(len(scene.owners))}


def _named(stage: Stage, labels: Sequence[int]) -> tuple[Scene, list[int]]:
    """A job about a named network, whose checks are these labels, and what the network says."""
    network = IntegerNetwork((DenseLayer(np.array([[30, 0], [-30, 0], [0, 0]]), np.array([-100, 80, 0])),))
    right = [int(digit) for digit in network.infer(_ITEMS).digits]
    base = deploy_packed(stage.account("requester"), network).contract
    judge = stage.deploy("requester", "OpenPrediction")
    terms = Terms(4, 2, 2, REWARD, STAKE, BOND, prediction=judge.address, model=judge.call("modelOf", base.address))
    return _job(stage, terms, right=right, labels=[(a + b) % 3 for a, b in zip(right, labels, strict=True)]), right


def _copy(stage: Stage) -> bool:
    """The attacker takes over another's seal, and shows its answers and salt after it did."""
    scene = _job(stage)
    theirs, mine = 0, 3
    answers = scene.right(theirs)
    seal = scene.by("worker-1").seal(scene.job, theirs, nibbles(answers), scene.salt_of(theirs))
    scene.commit(theirs, answers)
    scene.contract.by(stage.account("lazy")).transact("commit", scene.job, mine, seal)
    scene.until(2)
    scene.reveal(theirs, answers)
    scene.by("lazy").reveal(scene.job, mine, answers, scene.salt_of(theirs))
    return True


def _copy_shown(stage: Stage) -> bool:
    """The attacker seals its answers when it has seen those of others."""
    scene = _job(stage)
    work = {0: scene.right(0)}
    scene.committed(work)
    scene.reveal(0, work[0])
    scene.commit(3, scene.right(3))
    return True


def _lazy(stage: Stage) -> bool:
    """A worker that answers everything with 0 has its unit pass."""
    scene = _job(stage)
    scene.revealed({3: [0, 0, 0, 0]})
    scene.open_checks()
    scene.settle(3)
    return True


def _other_answers(stage: Stage) -> bool:
    """A lazy worker settles with the right answers instead of those that it showed."""
    scene = _job(stage)
    scene.revealed({3: [9, 9, 9, 9]})
    scene.open_checks()
    scene.contract.by(stage.account("lazy")).transact("settle", scene.job, 3, nibbles(scene.right(3)), *scene.checks.arguments)
    return True


def _other_checks(stage: Stage) -> bool:
    """A lazy worker settles against checks of its own making."""
    scene = _job(stage)
    scene.revealed({3: [9, 9, 9, 9]})
    scene.open_checks()
    own = Checks(scene.checks.columns, (9,) * len(scene.checks.labels))
    scene.contract.by(stage.account("lazy")).transact("settle", scene.job, 3, nibbles([9] * 4), *own.arguments)
    return True


def _sybil(stage: Stage) -> bool:
    """One person takes its two units under two names; it gained if both together got more than two units under one name."""
    got = []
    for names in (("alias-1", "alias-1"), ("alias-1", "alias-2")):
        scene = _job(stage, joins=[("worker-1", 1), ("worker-2", 1), *((name, 1) for name in names)])
        work = _all_right(scene)
        scene.run(work)
        for unit in range(4):
            scene.contract.by(stage.account("stranger")).transact("collect", scene.job, unit)
        got.append(sum(scene.credit(name) for name in set(names)))
    stage.tell("alias-1", f"got {ether(got[0])} as one, {ether(got[1])} as two")
    return got[1] > got[0]


def _false_check(stage: Stage) -> bool:
    """The requester opens false labels, so that honest workers lose their stakes; one of them shows it."""
    scene, right = _named(stage, (1,) * 8)
    scene.revealed({unit: scene.right(unit) for unit in (0, 1)})
    scene.open_checks()
    place, row, class_ = scene.market.false_checks(scene.job, right)[0]
    receipt = scene.by("worker-1").contest(scene.job, place, row, class_)
    stage.tell("worker-1", "shows by the network that a check is false", receipt.gas_used)
    scene.until(5)
    scene.contract.by(stage.account("stranger")).transact("collect", scene.job, 0)
    return scene.credit("worker-1") < BOND // 2 + REWARD + STAKE


def _bogus_contest(stage: Stage) -> bool:
    """A worker says that a true check is false, for half of the bond."""
    scene, right = _named(stage, (0,) * 8)
    scene.revealed({0: scene.right(0)})
    scene.open_checks()
    scene.by("lazy").contest(scene.job, 0, 0, (right[scene.checks.columns[0] * 2] + 1) % 3)
    return True


def _other_item(stage: Stage) -> bool:
    """A worker contests a check by an input that is not the job's."""
    scene, _ = _named(stage, (0,) * 8)
    scene.revealed({0: scene.right(0)})
    scene.open_checks()
    columns, labels = scene.checks.arguments
    right = labels[0] >> 4
    other = next(item for item in range(8) if scene.answers[item] != right)
    path = [bytes(32)] * 3
    scene.contract.by(stage.account("lazy")).transact("contest", scene.job, 0, 0, _ITEMS[other].tobytes(), path, scene.answers[other], b"", columns, labels)
    return True


def _withhold_checks(stage: Stage) -> bool:
    """The requester has the answers and opens no checks, so that nobody can pass."""
    scene = _job(stage)
    work = {0: scene.right(0)}
    scene.revealed(work)
    scene.until(5)
    scene.contract.by(stage.account("stranger")).transact("collect", scene.job, 0)
    return scene.credit("worker-1") < STAKE + REWARD


def _false_labels(stage: Stage) -> bool:
    """Where labels are people's nobody can show them false: the requester fails everybody, to have their stakes burned."""
    scene = _job(stage, labels=[answer + 1 for answer in _RIGHT])
    work = _all_right(scene)
    scene.revealed(work)
    scene.open_checks()
    scene.until(5)
    scene.contract.by(stage.account("stranger")).transact("collect", scene.job, 0)
    return scene.credit("worker-1") < STAKE


def _other_labels(stage: Stage) -> bool:
    """The requester opens other labels than it sealed, made to fail who it likes."""
    scene = _job(stage)
    scene.revealed({0: scene.right(0)})
    other = Checks(scene.checks.columns, tuple((label + 1) % 10 for label in scene.checks.labels))
    scene.by("requester").open_checks(scene.job, other, scene.salt)
    return True


def _late_checks(stage: Stage) -> bool:
    """The requester opens its checks when the time to contest them is over."""
    scene = _job(stage)
    scene.revealed({0: scene.right(0)})
    scene.until(5)
    scene.by("requester").open_checks(scene.job, scene.checks, scene.salt)
    return True


def _no_reveal(stage: Stage) -> bool:
    """A worker commits, sees that it is not worth its while, shows nothing, and has its stake back."""
    scene = _job(stage)
    scene.committed({3: scene.right(3)})
    scene.until(5)
    scene.contract.by(stage.account("lazy")).transact("collect", scene.job, 3)
    return scene.credit("lazy") == STAKE


def _early_draw(stage: Stage) -> bool:
    """A worker has items drawn while it can still decide how many units to take."""
    scene = _job(stage, joins=[("lazy", 1)], draw=False)
    scene.by("lazy").draw(scene.job)
    return True


def _late_draw(stage: Stage) -> bool:
    """The requester has items drawn when nobody can work any more, so that all stakes are lost."""
    scene = _job(stage, draw=False)
    scene.until(3)
    scene.by("requester").draw(scene.job)
    return True


def _twice(stage: Stage) -> bool:
    """A worker collects twice, out of what others are owed."""
    scene = _job(stage)
    work = _all_right(scene)
    scene.run(work)
    by = scene.contract.by(stage.account("worker-1"))
    by.transact("collect", scene.job, 0)
    by.transact("collect", scene.job, 0)
    return True


def _early_collect(stage: Stage) -> bool:
    """A worker is paid for a job whose checks are not open yet, as if they never would be."""
    scene = _job(stage)
    scene.revealed({3: [9, 9, 9, 9]})
    scene.contract.by(stage.account("lazy")).transact("collect", scene.job, 3)
    return True


def _no_stake(stage: Stage) -> bool:
    """The attacker takes all units for nothing, so that nobody works."""
    scene = _job(stage, joins=[], draw=False)
    scene.contract.by(stage.account("lazy")).transact("join", scene.job, 4)
    return True


def _others_unit(stage: Stage) -> bool:
    """The attacker seals rubbish for another's unit."""
    scene = _job(stage)
    scene.by("lazy").commit(scene.job, 0, [0] * 4, bytes(32))
    return True


def _guarded(name: str, about: str, text: str, attack: Callable[..., Any], error: str = "", instead: str = "", file: str = _FILE) -> Attack:
    return Attack(name, about, ("AnswerMarket",), (Guard(file, text, instead),), attack, error)


ATTACKS = (
    _guarded("copy", "another's seal is taken over", "if (found != expected) revert SealBroken(found, expected);", _copy, "SealBroken", file=_SEAL),
    _guarded("copy-shown", "answers are sealed when others' are seen", "_inPhase(id, COMMIT)", _copy_shown, "WrongPhase", "_existing(id)"),
    _guarded("sybil", "one person under several names", "_free(bytes32(id), u.worker, paid);", _sybil,
             instead="_free(bytes32(id), u.worker, paid + (unit == 0 || u.worker != _units[id][unit - 1].worker ? j.bond / 10 : 0));"),
    _guarded("lazy", "guesses instead of answers", "if (wrong > j.allowed) revert ChecksFailed(unit, wrong, j.allowed);", _lazy, "ChecksFailed"),
    _guarded("other-answers", "others are checked than were shown",
             "if (keccak256(answers) != u.answers) revert WrongAnswers(keccak256(answers), u.answers);", _other_answers, "WrongAnswers"),
    _guarded("other-checks", "checks of the worker's own making", "if (found != j.checksHash) revert WrongChecks(found, j.checksHash);", _other_checks,
             "WrongChecks"),
    _guarded("false-check", "false checks of a named network take stakes", "if (j.contested) return Verdict.FALSE_CHECKS;", _false_check),
    _guarded("bogus-contest", "a true check is contested", "if (!j.prediction.holds(j.model, input, class_, evidence)) revert NotShown(j.model, class_);",
             _bogus_contest, "NotShown"),
    _guarded("other-item", "a check is contested by another input",
             "if (input.length != j.inputBytes || root != j.dataRoot) revert WrongItem(root, j.dataRoot);", _other_item, "WrongItem"),
    _guarded("withhold-checks", "answers are taken, checks never opened", "if (j.checksHash == 0) return Verdict.UNOPENED;", _withhold_checks),
    _guarded("false-labels", "labels of people fail everybody", "3 * uint256(j.revealed - j.passed) > j.revealed", _false_labels, instead="false"),
    _guarded("other-labels", "other labels are opened than were sealed", "if (found != j.checkSeal) revert WrongChecks(found, j.checkSeal);", _other_labels,
             "WrongChecks"),
    _guarded("late-checks", "checks are opened when nobody can contest them", "_inPhase(id, CHECK)", _late_checks, "WrongPhase",
             "_existing(id)"),
    _guarded("no-reveal", "a sealed unit is never shown", "if (state < UnitState.REVEALED && j.drawn) _slash(bytes32(id), j.requester, j.stake);", _no_reveal,
             instead="if (state < UnitState.REVEALED && j.drawn) paid = j.stake;"),
    _guarded("early-draw", "items are drawn while units are taken", "if (phase == JOIN && j.joined < j.units) revert JoiningOpen(id);", _early_draw,
             "JoiningOpen"),
    _guarded("late-draw", "items are drawn when nobody can work", "if (phase > COMMIT) revert TooLateToDraw(id);", _late_draw, "TooLateToDraw"),
    _guarded("twice", "a unit is collected twice",
             "if (state == UnitState.NONE || state == UnitState.COLLECTED) revert NothingToCollect(id, unit);", _twice, "NothingToCollect"),
    _guarded("early-collect", "a unit is paid before its job is over", "j.schedule.requirePhase(DONE);", _early_collect, "WrongPhase"),
    _guarded("no-stake", "units are taken for nothing", "_exactly(uint256(j.stake) * count);", _no_stake, "WrongPayment"),
    _guarded("others-unit", "rubbish is sealed for another's unit", "if (msg.sender != u.worker) revert NotYours(msg.sender, u.worker);", _others_unit,
             "NotYours"),
)
