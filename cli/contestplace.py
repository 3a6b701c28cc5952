"""What the verbs about one model contest share: its number and place, how it was set up, sending a call, and its opened parts."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnusableInput
from zkpredict.cli.claims import claims_at, number, signing_key
from zkpredict.cli.console import Console

if TYPE_CHECKING:
    from zkpredict.contracts.chain.interface import Chain, Contract
    from zkpredict.contracts.systems.contest import Params, Sealing


def contest_options(parser: argparse.ArgumentParser) -> None:
    """Adds the contest's number and `--contract`."""
    parser.add_argument("contest", type=number, metavar="CONTEST", help="its number")
    parser.add_argument("--contract", required=True, metavar="ADDRESS", help="the ModelContest")


def entrant_options(parser: argparse.ArgumentParser) -> None:
    """The same and `--entrant`."""
    contest_options(parser)
    parser.add_argument("--entrant", metavar="ADDRESS", help="for whom (default: yourself)")


def found_contest(arguments: argparse.Namespace, chain: Chain) -> tuple[Contract, Params]:
    """The contract, and how the contest was set up. Raises `UnusableInput` when there is no such contest."""
    from zkpredict.contracts.systems.contest import Params

    contract = claims_at(arguments, chain, "ModelContest")
    sponsor, found = contract.call("params", arguments.contest)
    if int(sponsor, 16) == 0:
        raise UnusableInput(f"the contract at {contract.address} has no contest {arguments.contest}")
    return contract, Params(*found)


def send(console: Console, contract: Contract, function: str, *arguments: object, value: int = 0, said: str) -> None:
    """Sends a call about the contest `arguments[0]` and says what came of it."""
    with console.step(function):
        receipt = contract.transact(function, *arguments, value=value)
    contest = arguments[0]
    console.result({"contest": contest, "done": function, "paid": value, "gas": receipt.gas_used}, [f"Contest {contest}: {said}.", f"  gas          {receipt.gas_used:,}"])


def sealing_of(arguments: argparse.Namespace, contract: Contract) -> Sealing:
    """What makes this account's seals for the contest."""
    from zkpredict.contracts.systems.contest import Sealing

    chain = contract.chain
    return Sealing(signing_key(arguments), chain.sender, chain.chain_id, contract.address, arguments.contest)


def opened_parts(contract: Contract, contest: int) -> dict[int, tuple[int, bytes]]:
    """For the number of every opened part: its place in the test, and its root."""
    return {event["number"]: (event["part"], event["root"]) for event in contract.history("PartOpened", contest)}


def place_of(contract: Contract, contest: int, part: int) -> int:
    """Which part of the opened test a sealed part became. Raises `UnusableInput` when it is not open."""
    found = opened_parts(contract, contest)
    if part not in found:
        raise UnusableInput(f"part {part} of contest {contest} is not open")
    return found[part][0]
