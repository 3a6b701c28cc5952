"""Stories: each plays a whole system with its cast, and every attack on it that its page names.

A story is a module of this folder with

    CAST      names of accounts 0, 1, ... (at most eight)
    play      a function of a `Stage` that plays the system to its end
    ATTACKS   a tuple of `Attack`
    OPTIONS   optional: what `play` takes besides, with what it is by default

and a line in `STORIES`. Nothing else is registered anywhere: `zkpredict story`, its tests, the tests that cut each attack's
guard out of the source, and `gas.csv` follow from that.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType

from zkpredict.circuits.errors import UnusableInput
from zkpredict.contracts.chain.interface import Reverted
from zkpredict.contracts.systems.stage import Stage, StoryFailed, source_line

STORIES = {
    "market": "answers are bought from strangers, checked by labels that were sealed before, and paid by work, not by heads",
    "council": "drivers and passengers vote for a change of 40 weights, and the next ride is judged by the new version",
    "dispute": "a false claim about a run of 50,954 steps is cut down to one multiply-add, which the contract runs",
    "contest": "private networks compete on a sealed test; every right answer of the winner is proven",
    "answers": "networks in the open compete by a thousand posted answers; one lie is refuted",
    "judged": "pictures are graded by three hidden networks; the median wins, a silent judge pays",
    "hotdog": "a pot pays for pictures that a hidden judge puts in one class; a silent judge pays",
    "apples": "a buyer pays for good apples by 100 chemical readings, in the open and with a hidden network",
    "trips": "drivers are paid by trajectory features in three classes, in the open and with a hidden network",
    "learn": "strangers improve a network for five epochs; it grows from eight digits to ten and forgets nothing",
    "training": "500 batches of integer training on published digits; a flipped bit is refuted in eight rounds",
}
"""Name and summary of every story; module `stories/NAME.py`."""


@dataclass(frozen=True)
class Guard:
    """What stops an attack: `text`, found once in `systems/solidity/FILE`.

    Tests replace it by `instead` (a statement by nothing, an expression by another one) and the attack must then succeed.
    """

    file: str
    text: str
    instead: str = ""

    @property
    def place(self) -> str:
        return f"{self.file}:{source_line(self.file, self.text)}"


@dataclass(frozen=True)
class Attack:
    """An attack on a fresh stage. `play` must end refused with `error`; without `error` it says whether the attacker gained.

    What `play` does before is the honest part, told like a story; only its last transaction may be refused.
    """

    name: str
    about: str
    contracts: tuple[str, ...]
    """The deployed contract whose source (with what it inherits and imports) the guards are in; usually one."""
    guards: tuple[Guard, ...]
    play: Callable[[Stage], bool | None]
    error: str = ""


def story(name: str) -> ModuleType:
    """The module of a story. Raises `UnusableInput`."""
    if name not in STORIES:
        raise UnusableInput(f"no story is called {name}; there are {', '.join(STORIES)}")
    return importlib.import_module(f"{__name__}.{name.replace('-', '_')}")


def chosen_attacks(module: ModuleType, name: str) -> Sequence[Attack]:
    """The attack called `name`, or all of them. Raises `UnusableInput`."""
    found = [attack for attack in module.ATTACKS if name in ("all", attack.name)]
    if not found:
        raise UnusableInput(f"no attack is called {name}; there are {', '.join(attack.name for attack in module.ATTACKS)}, all")
    return found


def play(module: ModuleType, stage: Stage, **options: int) -> list[tuple[str, int, int]]:
    """Plays a story, told with some of its `OPTIONS` changed; name, debts and balance of its vaults at the end. Raises `StoryFailed`."""
    module.play(stage, **options)
    stage.withdraw_all()
    return stage.check_vaults()


def succeeds(attack: Attack, stage: Stage) -> bool:
    """Whether the attacker got what it wanted. Raises `StoryFailed` when it was stopped by anything but the attack's guard."""
    try:
        gained = attack.play(stage)
    except Reverted as refusal:
        if not attack.error or refusal.name != attack.error:
            raise StoryFailed(f"attack {attack.name}: expected {attack.error or 'no refusal'}, and {refusal}") from None
        stage.tell("attacker", f"is refused: {refusal.name}({', '.join(map(str, refusal.arguments))})")
        return False
    return bool(gained) if not attack.error else True
