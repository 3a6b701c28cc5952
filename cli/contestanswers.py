"""Verbs of contests of networks in the open: post all answers, refute a false one, present the best that nobody refuted."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import FalseClaim, UnusableInput
from zkpredict.cli.claims import account_address, number
from zkpredict.cli.console import Console
from zkpredict.cli.contestplace import contest_options, found_contest, opened_parts, send
from zkpredict.cli.judgement import asked, holds
from zkpredict.cli.network import read_network
from zkpredict.cli.testpart import read_part_files

if TYPE_CHECKING:
    from zkpredict.contracts.chain.interface import Chain, Contract
    from zkpredict.contracts.systems.contest import Params
    from zkpredict.contracts.systems.samples import Part, Sheet


def test_options(parser: argparse.ArgumentParser) -> None:
    """Adds the files of the whole opened test."""
    parser.add_argument("--part", type=number, action="append", required=True, metavar="N", help="number of a part; every opened one, each with its two files")
    parser.add_argument("--inputs", action="append", required=True, metavar="FILE", help=".npy (uint8) of that part, one row for each sample")
    parser.add_argument("--labels", action="append", required=True, metavar="FILE", help=".npy (uint8) of that part, one label for each sample")


def post_options(parser: argparse.ArgumentParser) -> None:
    contest_options(parser)
    parser.add_argument("--model", required=True, metavar="FILE", help="the network that you entered")
    parser.add_argument("--mode", choices=("packed", "exact"), help="what FILE holds (default: see)")
    test_options(parser)


def post(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    """Answers every sample of the test and posts the answers."""
    from zkpredict.contracts.systems.samples import Sheet

    contract, params = _in_the_open(arguments, chain)
    parts = _test(arguments, contract, params)
    with console.step("answer"):
        network = read_network(arguments.model, arguments.mode)
        answers = Sheet(tuple(_answers(network, part) for part in parts))
    labels = Sheet(tuple(part.labels for part in parts))
    right = sum(a == b for given, wanted in zip(answers.parts, labels.parts, strict=True) for a, b in zip(given, wanted, strict=True))
    send(console, contract, "post", arguments.contest, answers.data, answers.differences(labels), value=params.claim_bond,
         said=f"{sum(map(len, answers.parts))} answers are posted, {right} of them right")  # fmt: skip


def _answers(network, part: Part) -> tuple[int, ...]:
    import numpy as np

    images = np.array([np.frombuffer(data, np.uint8) for data in part.inputs])
    return tuple(int(digit) for digit in network.infer(images).digits)


def refute_options(parser: argparse.ArgumentParser) -> None:
    contest_options(parser)
    parser.add_argument("--entrant", required=True, metavar="ADDRESS", help="whose answers")
    test_options(parser)


def refute(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    """Has the chain run an entrant's network on the test until an answer is false, and shows that one."""
    contract, params = _in_the_open(arguments, chain)
    who = account_address(arguments.entrant)
    model, answers = _entry_of(contract, arguments.contest, who, params)
    parts = _test(arguments, contract, params)
    found = None
    with console.progress("run the network", sum(len(part.labels) for part in parts)) as advance:
        for place, index in ((place, index) for place, part in enumerate(parts) for index in range(len(part.labels))):
            data = parts[place].inputs[index]
            if not holds(chain, params.prediction, model, data, answers.parts[place][index]):
                found = place, index, asked(chain, params.prediction, model, data)
                break
            advance(1)
    if found is None:
        raise FalseClaim("every answer of this entrant is what its network says")
    place, index, said = found
    send(console, contract, "refute", arguments.contest, who, model, parts[place].sample(index, place), answers.posted(place, index), said, b"",
         said=f"sample {index} of part {place} is {said} to its network, not {answers.parts[place][index]}; half of the bond is yours")  # fmt: skip


def present(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    contract, _ = _in_the_open(arguments, chain)
    who = chain.sender if arguments.entrant is None else account_address(arguments.entrant)
    send(console, contract, "present", arguments.contest, who, said=f"{who} is the best so far")


def _in_the_open(arguments: argparse.Namespace, chain: Chain) -> tuple[Contract, Params]:
    """Raises `UnusableInput` for a contest of hidden networks."""
    contract, params = found_contest(arguments, chain)
    if not params.by_answers:
        raise UnusableInput(f"contest {arguments.contest} is of hidden networks, which claim and prove: nobody posts answers there")
    return contract, params


def _test(arguments: argparse.Namespace, contract: Contract, params: Params) -> list[Part]:
    """The opened parts in their order in the test, each checked against the chain. Raises `UnusableInput`."""
    opened = opened_parts(contract, arguments.contest)
    named = arguments.part
    if not len(named) == len(arguments.inputs) == len(arguments.labels) or sorted(named) != sorted(opened):
        raise UnusableInput(f"give --part, --inputs and --labels once for each opened part: {' '.join(map(str, sorted(opened))) or 'none is open yet'}")
    found = {}
    for part, inputs, labels in zip(named, arguments.inputs, arguments.labels, strict=True):
        place, root = opened[part]
        found[place] = read_part_files(inputs, labels, params.per_part, params.input_bytes)
        if found[place].root != root:
            raise UnusableInput(f"the files given for part {part} are not the part that was opened")
    return [found[place] for place in sorted(found)]


def _entry_of(contract: Contract, contest: int, who: str, params: Params) -> tuple[bytes, Sheet]:
    """An entrant's model and its answers, as the chain's events tell. Raises `UnusableInput`."""
    from zkpredict.contracts.systems.samples import Sheet

    posted = [event["answers"] for event in contract.history("AnswersPosted", contest) if event["who"].lower() == who.lower()]
    if not posted:
        raise UnusableInput(f"{who} posted no answers in contest {contest}")
    [model] = [event["model"] for event in contract.history("Revealed", contest) if event["who"].lower() == who.lower()]
    return model, Sheet.from_bytes(posted[0], [params.per_part] * len(opened_parts(contract, contest)))
