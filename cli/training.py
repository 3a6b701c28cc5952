"""`zkpredict training`: bonded claims that a network is what a recipe makes of published data, and the games that refute them.

Data are MNIST idx files; parts of 64 samples lie on the chain in order, so `--first` and `--parts` name a range of both.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnusableInput
from zkpredict.cli.claims import (
    account_address, add_watch_option, chain_verb, claims_at, finalize, moment, number, open_game, play, run_on_chain, span, status, withdraw,
)  # fmt: skip
from zkpredict.cli.console import Console
from zkpredict.cli.parser import at_least_one

if TYPE_CHECKING:
    import numpy as np

    from zkpredict.contracts.chain.interface import Chain, Contract
    from zkpredict.contracts.systems.machine import Trace
    from zkpredict.contracts.systems.training_int import Recipe

_FIRST = "0x73DC7bD495A98BBdd74E9Fc86b2D27F54b3DA701"
_DATA = "--images tests/data/t10k-images-idx3-ubyte.gz --labels tests/data/t10k-labels-idx1-ubyte.gz"
_RUN = "0x" + "ab" * 32
EXAMPLE = f"""zkpredict training deploy --state chain.json
zkpredict training publish {_DATA} --parts 4 --contract {_FIRST} --state chain.json
zkpredict training open --publisher 0x9b045643BD1a7be5e5cc3236f774119bdf52E9b5 --parts 4 --contract {_FIRST} --state chain.json"""


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, summary, options, action in _ACTIONS:
        chain_verb(actions, name, summary, _example(name), options, action)


def run(arguments: argparse.Namespace, console: Console) -> int | None:
    return run_on_chain(arguments, console, arguments.act)


def _example(name: str) -> str:
    found = next((line for line in EXAMPLE.splitlines() if line.split()[2] == name), None)
    words = {"draw": _RUN, "claim": f"{_RUN} {_DATA} --out trained.network", "challenge": f"0 {_DATA}", "play": f"0 {_DATA}"}
    return found or f"zkpredict training {name} {words.get(name, '' if name == 'withdraw' else '0')} --contract {_FIRST} --state chain.json"


def _contract_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--contract", required=True, metavar="ADDRESS", help="the training claims contract")


def _data_options(parser: argparse.ArgumentParser) -> None:
    _contract_option(parser)
    parser.add_argument("--images", required=True, metavar="FILE", help="idx file of images (.gz too)")
    parser.add_argument("--labels", required=True, metavar="FILE", help="idx file of labels (.gz too)")


def _part_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--first", type=number, default=0, metavar="N", help="the first part, from 0 (default: 0)")
    parser.add_argument("--parts", type=at_least_one, required=True, metavar="N", help="how many parts of 64 samples")


def _run_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=_run_number, metavar="RUN", help="the run's id, 0x and 64 hex digits")


def _claim_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("claim", type=number, metavar="CLAIM", help="number of the claim")


def _both(*adders):
    def add(parser: argparse.ArgumentParser) -> None:
        for adder in adders:
            adder(parser)

    return add


def _deploy_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--draw-delay", type=at_least_one, default=128, metavar="BLOCKS", help="how far ahead seeds are drawn (default: 128)")


def _deploy(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.dispute import Terms
    from zkpredict.contracts.systems.training import deploy

    with console.step("deploy"):
        contract = deploy(chain, draw_delay=arguments.draw_delay)
    console.result(
        {"contract": contract.address, "window": Terms().window, "draw_delay": arguments.draw_delay},
        [f"TrainingClaims is at {contract.address}.", f"  window       a claim can be challenged for {span(Terms().window)}",
         f"  seeds        come from the block {arguments.draw_delay} after `draw` arms one"],
    )


def _publish(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.training import parts_of, publish

    contract = claims_at(arguments, chain, "TrainingClaims")
    images, labels = _read(arguments, console, arguments.first, arguments.parts)
    start, gas = contract.call("partsOf", chain.sender, images.shape[1]), 0
    if start != arguments.first:
        raise UnusableInput(f"{chain.sender} has published {start} parts: go on with --first {start}")
    with console.progress("publish", arguments.parts) as advance:
        for part in parts_of(images, labels):
            gas += publish(contract, part).gas_used
            advance(1)
    console.result(
        {"publisher": chain.sender, "parts": start + arguments.parts, "gas": gas},
        [f"{chain.sender} has published {start + arguments.parts} parts of 64 samples.", f"  gas          {gas:,}"],
    )


def _open_options(parser: argparse.ArgumentParser) -> None:
    _contract_option(parser)
    _part_options(parser)
    parser.add_argument("--publisher", required=True, metavar="ADDRESS", help="whose parts")
    parser.add_argument("--shape", default="784-64-10", metavar="I-H-O", help="inputs, hidden neurons, classes (default: 784-64-10)")
    parser.add_argument("--batch", type=at_least_one, default=32, metavar="N", help="samples a batch (default: 32)")
    parser.add_argument("--batches", type=at_least_one, default=500, metavar="N", help="batches (default: 500)")


def _open(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.training import PART, open_run

    contract = claims_at(arguments, chain, "TrainingClaims")
    program = _recipe(arguments).program(arguments.parts * PART)
    with console.step("open"):
        run, receipt = open_run(contract, program, account_address(arguments.publisher), arguments.first, arguments.parts)
    console.result(
        {"run": f"{run:#066x}", "steps": program.steps, "gas": receipt.gas_used},
        [f"Run {run:#066x}", f"  recipe       {program.name}, {arguments.batches} batches of {arguments.batch}: {program.steps:,} steps",
         "  next         `training draw` arms its seed, and draws it some blocks later"],
    )


def _draw(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.training import Run, fix

    contract = claims_at(arguments, chain, "TrainingClaims")
    found = Run.read(contract, arguments.run)
    if found.seed:
        raise UnusableInput(f"the run's seed is drawn already: {found.seed.hex()}")
    with console.step("draw"):
        receipt = contract.transact("arm", arguments.run) if found.draw_block == 0 else fix(contract, arguments.run)
    now = Run.read(contract, arguments.run)
    console.result(
        {"draw_block": now.draw_block, "seed": now.seed.hex(), "gas": receipt.gas_used},
        [f"The seed is {now.seed.hex()}." if now.seed else f"Block {now.draw_block} will draw the seed: `training draw` again after it."],
    )


def _claim_options(parser: argparse.ArgumentParser) -> None:
    _run_option(parser)
    _data_options(parser)
    parser.add_argument("--out", required=True, metavar="FILE", help="where the trained network goes")
    parser.add_argument("--k", type=at_least_one, default=16, help="pieces a round, 2 to 64 (default: 16, which costs least)")


def _claim(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.circuits.files.storage import write_atomically
    from zkpredict.contracts.systems.dispute import Claim, rounds
    from zkpredict.contracts.systems.training import claim_training
    from zkpredict.contracts.systems.training_int import network_of

    if not 2 <= arguments.k <= 64:
        raise UnusableInput(f"--k is 2 to 64, got {arguments.k}")
    contract = claims_at(arguments, chain, "TrainingClaims")
    trace = _trace(arguments, console, contract, arguments.run)
    with console.step("train"):
        network = network_of(trace)
    with console.step("claim"):
        claimed, receipt = claim_training(contract, arguments.run, trace, arguments.k)
    write_atomically(arguments.out, network.to_bytes())
    claim = Claim.read(contract, claimed)
    console.result(
        {"claim": claimed, "bond": claim.bond, "until": claim.until, "gas": receipt.gas_used, "network": arguments.out},
        [f"Claim {claimed}: {arguments.out} is what the recipe makes of the data.", f"  bond         {claim.bond} wei, back when the claim is final",
         f"  open until   {moment(claim.until)}", f"  a game       takes at most {rounds(claim.steps, claim.k)} rounds", f"  gas          {receipt.gas_used:,}"],
    )


def _challenge(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.training import run_of_claim

    contract = claims_at(arguments, chain, "TrainingClaims")
    open_game(console, contract, _trace(arguments, console, contract, run_of_claim(contract, arguments.claim)[0]), arguments.claim)


def _play_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("game", type=number, metavar="GAME", help="number of the game")
    _data_options(parser)
    add_watch_option(parser)


def _play(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.dispute import Game
    from zkpredict.contracts.systems.dispute_play import Player
    from zkpredict.contracts.systems.training import run_of_claim

    contract = claims_at(arguments, chain, "TrainingClaims")
    run, _ = run_of_claim(contract, Game.read(contract, arguments.game).claim)
    play(arguments, console, Player(contract, _trace(arguments, console, contract, run)))


def _status(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.training import run_of_claim

    contract = claims_at(arguments, chain, "TrainingClaims")
    run, root = run_of_claim(contract, arguments.claim)
    about = {"run": f"{run:#066x}", "weights_root": root.hex()}
    status(console, contract, arguments.claim, about, f"run {run:#066x} ends with weights of root {root.hex()}")


def _finalize(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    finalize(console, claims_at(arguments, chain, "TrainingClaims"), arguments.claim)


def _withdraw(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    withdraw(console, claims_at(arguments, chain, "TrainingClaims"))


def _trace(arguments: argparse.Namespace, console: Console, contract: Contract, run: int) -> Trace:
    """This side's run: seconds of work, and the same bytes everywhere."""
    from zkpredict.contracts.systems.training import Run

    found = Run.read(contract, run)
    images, labels = _read(arguments, console, found.first, found.count)
    with console.step("train"):
        trace = found.trace(contract, images, labels)
        trace.memory(trace.program.steps)
    return trace


def _read(arguments: argparse.Namespace, console: Console, first: int, parts: int) -> tuple[np.ndarray, np.ndarray]:
    """The samples of some parts. Raises `UnusableInput` when the files hold fewer."""
    from zkpredict.circuits.files.idx import read_images, read_labels
    from zkpredict.contracts.systems.training import PART

    with console.step("read"):
        images, labels = read_images(arguments.images), read_labels(arguments.labels)
    stop = (first + parts) * PART
    if len(images) != len(labels) or len(images) < stop:
        raise UnusableInput(f"{arguments.images} has {len(images)} images and {arguments.labels} {len(labels)} labels; parts {first} to {first + parts - 1} take {stop} of both")
    return images.reshape(len(images), -1)[first * PART : stop], labels[first * PART : stop]


def _recipe(arguments: argparse.Namespace) -> Recipe:
    from zkpredict.contracts.systems.training_int import Recipe

    words = arguments.shape.split("-")
    if len(words) != 3 or not all(word.isascii() and word.isdigit() and 0 < int(word) < 1 << 16 for word in words):
        raise UnusableInput(f"--shape is inputs-hidden-classes, as 784-64-10, got {arguments.shape!r}")
    return Recipe(tuple(map(int, words)), arguments.batch, arguments.batches)


def _run_number(text: str) -> int:
    if len(text) != 66 or not text.startswith("0x") or set(text[2:].lower()) - set("0123456789abcdef"):
        raise argparse.ArgumentTypeError(f"{text!r} is no run: 0x and 64 hex digits")
    return int(text, 16)


_ACTIONS = (
    ("deploy", "deploy the machine and a contract of training claims", _deploy_options, _deploy),
    ("publish", "publish samples as parts of this account's list", _both(_data_options, _part_options), _publish),
    ("open", "fix a recipe and a range of published parts", _open_options, _open),
    ("draw", "arm the draw of a run's seed, or draw it", _both(_run_option, _contract_option), _draw),
    ("claim", "train, and claim the result with a bond", _claim_options, _claim),
    ("challenge", "open a game against a claim that is false", _both(_claim_option, _data_options), _challenge),
    ("play", "make the moves that are due in a game", _play_options, _play),
    ("status", "say where a claim is, what you may do, and what waiting costs", _both(_claim_option, _contract_option), _status),
    ("finalize", "give the bond of a final claim back", _both(_claim_option, _contract_option), _finalize),
    ("withdraw", "take what you won or got back", _contract_option, _withdraw),
)
