"""What commands about claims share: the chain and who signs, a claim's status, playing its games, and its money."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import FalseClaim, UnusableInput
from zkpredict.cli.chain import account_option, chain_options, checked_address, loading, open_chain
from zkpredict.cli.console import REFUSED, Console, say_aside
from zkpredict.cli.parser import add_json_option, at_least_one

if TYPE_CHECKING:
    from zkpredict.contracts.chain.interface import Chain, Contract
    from zkpredict.contracts.systems.dispute import Game
    from zkpredict.contracts.systems.dispute_play import Option, Player
    from zkpredict.contracts.systems.machine import Trace


def chain_verb(actions: argparse._SubParsersAction, name: str, summary: str, example: str, options: Callable, action: Callable) -> None:
    """Adds a verb that works on a chain: its own options, then who signs and where."""
    sub = actions.add_parser(name, help=summary, description=summary, example=example)
    options(sub)
    account_option(sub)
    chain_options(sub)
    add_json_option(sub, default=argparse.SUPPRESS)
    sub.set_defaults(act=action)


def run_on_chain(arguments: argparse.Namespace, console: Console, act: Callable[[argparse.Namespace, Console, Chain], None]) -> int | None:
    """Runs an action on the chain and as the account that the options name; says what a contract refuses."""
    with loading(console):
        from zkpredict.contracts.chain.interface import Reverted
    try:
        with open_chain(arguments, console) as chain:
            act(arguments, console, chain)
    except Reverted as refusal:
        paid = f" ({refusal.gas_used:,} gas, transaction {refusal.transaction})" if refusal.transaction else ""
        console.error(f"{refusal}{paid}", REFUSED)
        return REFUSED
    return None


def open_game(console: Console, contract: Contract, trace: Trace, claim: int) -> None:
    """Challenges a claim that this run refutes. Raises `FalseClaim` for one that is right: it would cost the bond."""
    from zkpredict.contracts.systems.dispute import Game, challenge, end_of

    with console.step("run"):
        right = trace.state(trace.program.steps)
    if end_of(contract, claim) == right:
        raise FalseClaim(f"claim {claim} is right: a challenger would lose its bond")
    with console.step("challenge"):
        number, receipt = challenge(contract, claim)
    bond = Game.read(contract, number).bond
    console.result(
        {"game": number, "claim": claim, "bond": bond, "gas": receipt.gas_used},
        [
            f"Game {number} is open: claim {claim} is false, and you have staked {bond} wei on it.",
            "  next         the asserter moves; `dispute play` answers for you, `dispute status` says until when",
            f"  gas          {receipt.gas_used:,}",
        ],
    )


def add_watch_option(parser: argparse.ArgumentParser) -> None:
    """Adds `--watch`."""
    parser.add_argument("--watch", type=at_least_one, metavar="SECONDS", help="with --rpc-url: look again this often, until the game is over")


def play(arguments: argparse.Namespace, console: Console, player: Player) -> None:
    """Makes the moves that are due in a game, once or until it is over."""
    from zkpredict.contracts.systems.dispute import Game

    if arguments.watch is not None and arguments.rpc_url is None:
        raise UnusableInput("--watch goes with --rpc-url: nobody else moves on an embedded chain meanwhile")
    moves = []
    while True:
        with console.step("move"):
            moved = player.move(arguments.game)
        if moved is not None:
            verb, receipt = moved
            moves.append({"move": verb, "gas": receipt.gas_used, "transaction": receipt.transaction})
            say_aside(f"  {verb}, {receipt.gas_used:,} gas")
            continue
        turn = Game.read(player.contract, arguments.game).turn
        if turn.over or arguments.watch is None:
            break
        time.sleep(arguments.watch)
    who = turn.name.replace("_", " ").lower()
    console.result(
        {"game": arguments.game, "turn": turn.name, "over": turn.over, "moves": moves},
        [f"Game {arguments.game}: {who}." if turn.over else f"Game {arguments.game} waits for the other side: it is to {who}.",
         f"  your moves   {', '.join(move['move'] for move in moves) or 'none was due'}"],
    )


def finalize(console: Console, contract: Contract, claim: int) -> None:
    """Frees the bond of a final claim."""
    with console.step("finalize"):
        receipt = contract.transact("finalize", claim)
    console.result({"claim": claim, "gas": receipt.gas_used}, [f"Claim {claim} is final, its bond is the asserter's again.", f"  gas          {receipt.gas_used:,}"])


def withdraw(console: Console, contract: Contract) -> None:
    """Pays this account its credit."""
    amount = contract.call("credit", contract.chain.sender)
    with console.step("withdraw"):
        receipt = contract.transact("withdraw")
    console.result({"wei": amount, "gas": receipt.gas_used}, [f"Paid {amount} wei to {contract.chain.sender}.", f"  gas          {receipt.gas_used:,}"])


def status(console: Console, contract: Contract, number: int, about: dict, says: str) -> None:
    """Says where a claim and its games are, what this account may do now, and what it loses by waiting."""
    from zkpredict.contracts.systems.dispute import Claim, Game, games_of
    from zkpredict.contracts.systems.dispute_play import claim_options, game_options, phase

    claim, now, me = Claim.read(contract, number), contract.chain.block().timestamp, contract.chain.sender
    options = claim_options(claim, now, me, contract.call("gameBond", claim.steps, claim.k))
    increment = contract.call("increment")
    games = [(game, game_options(game, claim, now, me, increment)) for game in (Game.read(contract, n) for n in games_of(contract, number))]
    credit = contract.call("credit", me)
    data = {
        "claim": number, **about, "phase": phase(claim, now), "asserter": claim.asserter, "bond": claim.bond, "until": claim.until,
        "now": now, "steps": claim.steps, "k": claim.k, "you": me, "credit": credit, "you_can": [_option(o) for o in options],
        "games": [_game(game, mine, increment) for game, mine in games],
    }  # fmt: skip
    lines = [f"Claim {number}: {says}.", f"  phase        {data['phase']}", f"  open until   {moment(claim.until)}, it is {moment(now)}"]
    lines += [f"  asserter     {claim.asserter}, bond {claim.bond} wei", *_lines(options)]
    for game, mine in games:
        lines += [f"Game {game.number}: {_place(game, increment)}", *_lines(mine)]
    console.result(data, [*lines, f"You are {me}, with {credit} wei to withdraw."])


def _game(game: Game, options: list[Option], increment: int) -> dict:
    deadline = None if game.turn.over else game.deadline(increment)
    return {
        "game": game.number, "turn": game.turn.name, "from": game.start, "to": game.stop, "challenger": game.challenger, "bond": game.bond,
        "deadline": deadline, "you_can": [_option(o) for o in options],
    }  # fmt: skip


def _place(game: Game, increment: int) -> str:
    if game.turn.over:
        return f"over, {game.turn.name.replace('_', ' ').lower()}"
    return f"steps {game.start:,} to {game.stop:,}, to {game.turn.name.lower()} until {moment(game.deadline(increment))}"


def _option(option: Option) -> dict:
    return {"verb": option.verb, "until": option.until, "otherwise": option.otherwise}


def _lines(options: list[Option]) -> list[str]:
    found = [f"  you can      {o.verb}{'' if o.until is None else f' until {moment(o.until)}'}; else {o.otherwise}" for o in options]
    return found or ["  you can      nothing here, and lose nothing by waiting"]


def claims_at(arguments: argparse.Namespace, chain: Chain, name: str) -> Contract:
    """The claims contract at `--contract`. Raises `UnusableInput` when the code there is another one."""
    from zkpredict.contracts.artifact import load
    from zkpredict.contracts.chain.interface import Contract

    address, artifact = checked_address(chain, arguments.contract), load(name)
    code = chain.code(address)
    # what the constructor fixed is zeros in the artefact
    if len(code) != len(artifact.runtime) or any(known not in (0, found) for known, found in zip(artifact.runtime, code, strict=True)):
        raise UnusableInput(f"the contract at {address} is no {name} of this version: deploy one, or give its address")
    return Contract(chain, address, artifact)


def signing_key(arguments: argparse.Namespace) -> bytes:
    """The 32-byte key that the options sign with: the embedded account's, or the node's. Raises `UnusableInput` without one."""
    if arguments.rpc_url is None:
        from zkpredict.contracts.chain.evm import account_key

        return account_key(arguments.account or 0).to_bytes()
    from zkpredict.contracts.chain.rpc import KEY_VARIABLE, read_key

    key = read_key(arguments.key_file)
    if key is None:
        raise UnusableInput(f"this needs a key: give --key-file FILE, or put the key into {KEY_VARIABLE}")
    return key


def account_address(text: str) -> str:
    """An account's address, checksummed. Raises `UnusableInput` for text that is none."""
    from eth_utils import is_address, to_checksum_address

    if not is_address(text):
        raise UnusableInput(f"{text} is no address: 0x and 40 hex digits, with a right checksum if letters are mixed")
    return to_checksum_address(text)


def number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0")
    return int(text)


def wei(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 27 or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount of wei, 1 or more")
    return int(text)


def moment(seconds: int) -> str:
    """A time for people, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def span(seconds: int) -> str:
    """A length of time for people."""
    return f"{seconds // 3600} h" if seconds % 3600 == 0 else f"{seconds // 60} min" if seconds % 60 == 0 else f"{seconds} s"
