"""`zkpredict story NAME`: plays a whole system, or the attacks on it, on the embedded chain or a development node."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnusableInput
from zkpredict.cli.chain import chain_options, loading, open_chain
from zkpredict.cli.console import REFUSED, Console, say
from zkpredict.cli.parser import at_least_one

if TYPE_CHECKING:
    from types import ModuleType

    from zkpredict.contracts.chain.interface import Chain
    from zkpredict.contracts.systems.stage import Event, Stage
    from zkpredict.contracts.systems.stories import Attack

EXAMPLE = """zkpredict story apples
zkpredict story apples --attack all
zkpredict story dispute --k 2
zkpredict story apples --rpc-url http://127.0.0.1:8545"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="the story (without one: list them all)")
    parser.add_argument("--attack", metavar="NAME", help="play this attack on it instead, or `all`: each must be stopped")
    parser.add_argument("--k", type=at_least_one, metavar="K", help="dispute and training: cut into K pieces a round, 2 to 64 (default: 16)")
    chain_options(parser)


def run(arguments: argparse.Namespace, console: Console) -> int | None:
    with loading(console):
        from zkpredict.contracts.systems import stories
        from zkpredict.contracts.systems.stage import StoryFailed
    if arguments.name is None:
        if arguments.attack is not None:
            raise UnusableInput("--attack goes with the name of a story")
        console.result({"stories": stories.STORIES}, [f"{name:12} {about}" for name, about in stories.STORIES.items()])
        return None
    module = stories.story(arguments.name)
    options = _options(arguments, module)
    try:
        if arguments.attack is None:
            _play(arguments, console, module, options)
        else:
            _attack(arguments, console, module, stories.chosen_attacks(module, arguments.attack))
    except StoryFailed as failure:
        console.error(str(failure), REFUSED)
        return REFUSED
    return None


def _options(arguments: argparse.Namespace, module: ModuleType) -> dict[str, int]:
    """What the story is told differently. Raises `UnusableInput` for what it does not take."""
    if arguments.k is None:
        return {}
    if not hasattr(module, "OPTIONS") or "k" not in module.OPTIONS or arguments.attack is not None:
        raise UnusableInput("--k goes with the stories dispute and training, without --attack")
    if not 2 <= arguments.k <= 64:
        raise UnusableInput(f"--k is 2 to 64, got {arguments.k}")
    return {"k": arguments.k}


def _play(arguments: argparse.Namespace, console: Console, module: ModuleType, options: dict[str, int]) -> None:
    from zkpredict.contracts.systems import stories
    from zkpredict.contracts.systems.stage import ether

    with open_chain(arguments, console) as chain:
        stage = _stage(console, chain, module)
        vaults = stories.play(module, stage, **options)
        balances = {who: stage.balance(who) for who in module.CAST}
    data = {
        "story": arguments.name,
        "events": _events(stage),
        "balances": balances,
        "vaults": [{"contract": name, "owed": owed, "balance": balance} for name, owed, balance in vaults],
    }
    lines = [f"  {name}: owed = balance = {ether(owed)}" for name, owed, _ in vaults]
    console.result(data, ["balances", *(f"  {who:12} {ether(wei)}" for who, wei in balances.items()), "at the end", *lines])


def _attack(arguments: argparse.Namespace, console: Console, module: ModuleType, attacks: list[Attack]) -> None:
    from zkpredict.contracts.systems import stories
    from zkpredict.contracts.systems.stage import StoryFailed

    found = []
    for attack in attacks:
        _show(console, f"{attack.name}: {attack.about}")
        with open_chain(arguments, console) as chain:
            stage = _stage(console, chain, module)
            if stories.succeeds(attack, stage):
                raise StoryFailed(f"attack {attack.name} succeeded")
        places = [guard.place for guard in attack.guards]
        _show(console, *(f"  stopped by {guard.place}: {' '.join(guard.text.split())}" for guard in attack.guards))
        found.append({"attack": attack.name, "about": attack.about, "error": attack.error, "stopped_by": places, "events": _events(stage)})
    console.result({"story": arguments.name, "attacks": found}, [f"{len(found)} of {len(found)} attacks were stopped."])


def _stage(console: Console, chain: Chain, module: ModuleType) -> Stage:
    from zkpredict.contracts.systems.stage import Stage

    return Stage(chain, module.CAST, lambda event: _show(console, _line(event)))


def _show(console: Console, *lines: str) -> None:
    if not console.as_json:
        say("\n".join(lines))


def _line(event: Event) -> str:
    gas = "" if event.gas is None else f"{event.gas:>12,} gas"
    return f"  {event.who:12} {event.what:<80}{gas}".rstrip()


def _events(stage: Stage) -> list[dict]:
    return [{"who": event.who, "what": event.what, "gas": event.gas} for event in stage.events]
