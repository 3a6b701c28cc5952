"""Every story ends as told, costs what gas.csv says, and runs on a real node; every attack fails, and succeeds without its guard."""

from __future__ import annotations

import json

import pytest
from system_guards import all_guards, cut_board
from nodes import client, running_anvil

from zkpredict.cli.main import main
from zkpredict.contracts.artifact import load
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import Contract
from zkpredict.contracts.systems import gas, stories
from zkpredict.contracts.systems.stage import Stage
from zkpredict.contracts.systems.stories import Guard

ATTACKS = [(name, attack) for name in stories.STORIES for attack in stories.story(name).ATTACKS]
LARGEST_TRANSACTION = 16_777_216
"""EIP-7825."""
NAMES = [f"{name}-{attack.name}" for name, attack in ATTACKS]


@pytest.mark.parametrize("name", stories.STORIES)
def test_a_story_ends_as_told_and_costs_what_the_report_says(name):
    module = stories.story(name)
    stage = Stage(EmbeddedChain(), module.CAST)
    vaults = stories.play(module, stage)
    assert vaults and all(owed == balance for _, owed, balance in vaults)
    assert gas.rows_of(name, stage.events) == [row for row in gas.written() if row[0] == name]
    assert max(event.gas or 0 for event in stage.events) <= LARGEST_TRANSACTION


@pytest.mark.parametrize("name", stories.STORIES)
def test_a_story_plays_on_a_real_node_at_the_same_price(name):
    module = stories.story(name)
    with running_anvil("prague") as url:
        stage = Stage(client(url), module.CAST)
        stories.play(module, stage)
    expected = gas.without_draws(row for row in gas.written() if row[0] == name)
    assert gas.without_draws(gas.rows_of(name, stage.events)) == expected


@pytest.mark.parametrize(("name", "attack"), ATTACKS, ids=NAMES)
def test_an_attack_is_stopped(name, attack):
    assert not stories.succeeds(attack, Stage(EmbeddedChain(), stories.story(name).CAST))
    assert all(guard.place for guard in attack.guards) and attack.guards


class Cut(Stage):
    """A stage whose contracts lack the guards of one attack."""

    masks: dict[str, int] = {}

    def deploy(self, who, name, *arguments, **named) -> Contract:
        contract = super().deploy(who, name, *arguments, **named)
        if name in self.masks:
            contract.transact("cut", self.masks[name])
        return contract


@pytest.mark.parametrize(("name", "attack"), ATTACKS, ids=NAMES)
def test_an_attack_succeeds_without_its_guard(name, attack):
    module = stories.story(name)
    stage = Cut(EmbeddedChain(), module.CAST)
    stage.artifacts = lambda wanted: cut_board(wanted, guards_of(wanted)) if wanted in attack.contracts else load(wanted)
    stage.masks = {wanted: mask(guards_of(wanted), attack.guards) for wanted in attack.contracts}
    assert stories.succeeds(attack, stage)


def guards_of(contract: str) -> tuple[Guard, ...]:
    """The guards that any attack of any story names in a contract: compiled once, with a switch for each."""
    return all_guards([attack for _, attack in ATTACKS if contract in attack.contracts])


def mask(numbered: tuple[Guard, ...], off: tuple[Guard, ...]) -> int:
    return sum(1 << number for number, guard in enumerate(numbered) if guard in off)


def test_names_that_do_not_exist_are_refused(capsys):
    assert main(["story", "nothing", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"].startswith("no story is called nothing; there are ")


def test_the_list_of_stories(capsys):
    assert main(["story", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["stories"] == stories.STORIES
