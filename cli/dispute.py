"""`zkpredict dispute`: bonded claims about what an open network says, and the games that refute them, on any chain.

A claim is an address of `PredictionClaims` and a number, so is a game. `play` makes the move that is due and can watch a game to its end.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnusableInput
from zkpredict.cli.claims import (
    account_address, add_watch_option, chain_verb, claims_at, finalize, moment, number, open_game, play, run_on_chain, span, status, withdraw,
)  # fmt: skip
from zkpredict.cli.console import Console
from zkpredict.cli.network import add_network_options, read_network, read_schema_of
from zkpredict.cli.parser import at_least_one
from zkpredict.cli.statement import add_image_options, read_statement_image

if TYPE_CHECKING:
    from zkpredict.contracts.chain.interface import Chain, Contract
    from zkpredict.contracts.systems.dispute import Claim
    from zkpredict.contracts.systems.inference import Inference
    from zkpredict.contracts.systems.machine import Trace

_FIRST = "0x73DC7bD495A98BBdd74E9Fc86b2D27F54b3DA701"
"""Where the claims contract is after the first line of the example: the embedded chain's second contract."""
EXAMPLE = f"""zkpredict dispute deploy --state chain.json
zkpredict dispute register --model examples/mnist.model --contract {_FIRST} --state chain.json
zkpredict dispute assert examples/seven.png --model examples/mnist.model --contract {_FIRST} --state chain.json
zkpredict dispute status 0 --contract {_FIRST} --state chain.json --account 1"""


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, summary, options, action in _ACTIONS:
        chain_verb(actions, name, summary, _example(name), options, action)


def _example(name: str) -> str:
    statement = "examples/seven.png --model examples/mnist.model "
    words = {"register": "--model examples/mnist.model ", "assert": statement, "challenge": f"0 {statement}", "play": f"0 {statement}",
             "status": "0 ", "finalize": "0 "}.get(name, "")  # fmt: skip
    contract = "" if name == "deploy" else f"--contract {_FIRST} "
    return f"zkpredict dispute {name} {words}{contract}--state chain.json"


def run(arguments: argparse.Namespace, console: Console) -> int | None:
    return run_on_chain(arguments, console, arguments.act)


def _deploy_options(parser: argparse.ArgumentParser) -> None:
    hours = {"type": at_least_one, "metavar": "SECONDS"}
    parser.add_argument("--window", default=48 * 3600, help="how long a claim can be challenged (default: 172800)", **hours)
    parser.add_argument("--allowance", default=24 * 3600, help="each side's time in a game (default: 86400)", **hours)
    parser.add_argument("--increment", default=1800, help="what every move adds to it (default: 1800)", **hours)
    parser.add_argument("--price-cap", type=at_least_one, default=50, metavar="GWEI", help="bonds pay gas up to this price (default: 50)")


def _deploy(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.dispute import Terms, deploy

    if max(arguments.allowance, arguments.increment) >= 1 << 24:
        raise UnusableInput("--allowance and --increment are below 2^24 seconds, which is 194 days")
    terms = Terms(arguments.window, min(arguments.window, 24 * 3600), arguments.allowance, arguments.increment, arguments.price_cap * 10**9)
    with console.step("deploy"):
        contract = deploy(chain, terms)
    console.result(
        {"contract": contract.address, "machine": contract.call("machine"), "window": terms.window},
        [
            f"PredictionClaims is at {contract.address}.",
            f"  window       a claim can be challenged for {span(terms.window)}",
            f"  clocks       {span(terms.allowance)} a side and game, {span(terms.increment)} more with every move",
            "  rights       nobody has any: parameters are fixed, there is no owner",
        ],
    )


def _contract_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--contract", required=True, metavar="ADDRESS", help="the claims contract")


def _register_options(parser: argparse.ArgumentParser) -> None:
    _contract_option(parser)
    add_network_options(parser)


def _register(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.dispute import register

    contract, inference = claims_at(arguments, chain, "PredictionClaims"), _inference(arguments, console)
    with console.step("register"):
        model = register(contract, inference)
    console.result(
        {"model": model.hex(), "steps": inference.program.steps, "weights_bytes": len(inference.weights)},
        [
            f"The model is registered as {model.hex()}.",
            f"  run          {inference.program.steps:,} steps",
            f"  public       every weight: {len(inference.weights):,} bytes in contracts, for whoever checks a claim",
        ],
    )


def _statement_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", nargs="?", metavar="IMAGE", help="PNG, JPEG, .npy (uint8), or a row of a table")
    add_image_options(parser)
    add_network_options(parser)


def _assert_options(parser: argparse.ArgumentParser) -> None:
    _contract_option(parser)
    _statement_options(parser)
    parser.add_argument("--k", type=at_least_one, default=16, help="pieces a round, 2 to 64 (default: 16, which costs least)")
    parser.add_argument("--delegate", metavar="ADDRESS", help="who may also move for you")


def _assert(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.dispute import NOBODY, Claim, assert_prediction, model_id, rounds

    contract, inference = claims_at(arguments, chain, "PredictionClaims"), _inference(arguments, console)
    image = read_statement_image(arguments, console, arguments.image, inference.program.inputs, read_schema_of(arguments.model))
    if not 2 <= arguments.k <= 64:
        raise UnusableInput(f"--k is 2 to 64, got {arguments.k}")
    with console.step("run"):
        trace = inference.trace(image)
        trace.state(trace.program.steps)
    with console.step("claim"):
        delegate = NOBODY if arguments.delegate is None else account_address(arguments.delegate)
        claimed, receipt = assert_prediction(contract, model_id(inference), image, trace, arguments.k, delegate)
    claim, digit = Claim.read(contract, claimed), contract.call("prediction", claimed)[2]
    most = rounds(claim.steps, claim.k)
    console.result(
        {"claim": claimed, "digit": digit, "bond": claim.bond, "until": claim.until, "gas": receipt.gas_used, "rounds": most},
        [
            f"Claim {claimed}: the network says {digit}.",
            f"  bond         {claim.bond} wei, back when the claim is final",
            f"  open until   {moment(claim.until)}",
            f"  a game       takes at most {most} rounds; answer them, or let a delegate: `dispute play`",
            f"  gas          {receipt.gas_used:,}",
        ],
    )


def _claim_options(parser: argparse.ArgumentParser) -> None:
    _contract_option(parser)
    parser.add_argument("claim", type=number, metavar="CLAIM", help="number of the claim")


def _challenge_options(parser: argparse.ArgumentParser) -> None:
    _claim_options(parser)
    _statement_options(parser)


def _challenge(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.dispute import Claim

    contract = claims_at(arguments, chain, "PredictionClaims")
    trace = _trace_of(arguments, console, contract, Claim.read(contract, arguments.claim))
    open_game(console, contract, trace, arguments.claim)


def _play_options(parser: argparse.ArgumentParser) -> None:
    _contract_option(parser)
    parser.add_argument("game", type=number, metavar="GAME", help="number of the game")
    _statement_options(parser)
    add_watch_option(parser)


def _play(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.dispute import Claim, Game
    from zkpredict.contracts.systems.dispute_play import Player

    contract = claims_at(arguments, chain, "PredictionClaims")
    claim = Claim.read(contract, Game.read(contract, arguments.game).claim)
    play(arguments, console, Player(contract, _trace_of(arguments, console, contract, claim)))


def _finalize(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    finalize(console, claims_at(arguments, chain, "PredictionClaims"), arguments.claim)


def _withdraw(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    withdraw(console, claims_at(arguments, chain, "PredictionClaims"))


def _status(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    contract = claims_at(arguments, chain, "PredictionClaims")
    model, input_hash, digit, _ = contract.call("prediction", arguments.claim)
    about = {"model": model.hex(), "input_keccak256": input_hash.hex(), "digit": digit}
    status(console, contract, arguments.claim, about, f"the network {model.hex()[:16]}... says {digit}")


def _inference(arguments: argparse.Namespace, console: Console) -> Inference:
    from zkpredict.circuits.networks.reference import IntegerNetwork
    from zkpredict.contracts.systems.inference import Inference

    with console.step("read"):
        network = read_network(arguments.model, arguments.mode)
    if not isinstance(network, IntegerNetwork):
        raise UnusableInput("the machine runs integer networks: use --mode packed")
    return Inference.of(network)


def _trace_of(arguments: argparse.Namespace, console: Console, contract: Contract, claim: Claim) -> Trace:
    """This side's run of a claim. Raises `UnusableInput` when image or model are not the claim's."""
    from eth_utils import keccak

    from zkpredict.contracts.systems.dispute import model_id

    inference = _inference(arguments, console)
    image = read_statement_image(arguments, console, arguments.image, inference.program.inputs, read_schema_of(arguments.model))
    model, input_hash, _, _ = contract.call("prediction", claim.number)
    _same("--model", f"model {model.hex()}", model_id(inference) == model, claim)
    _same("the image", f"the input whose keccak256 is {input_hash.hex()}", keccak(image.tobytes()) == input_hash, claim)
    return inference.trace(image)


def _same(option: str, wanted: str, found: bool, claim: Claim) -> None:
    if not found:
        raise UnusableInput(f"claim {claim.number} is about {wanted}, and {option} is another one")


_ACTIONS = (
    ("deploy", "deploy the machine and a contract of claims", _deploy_options, _deploy),
    ("register", "store a network's weights and register it", _register_options, _register),
    ("assert", "claim, with a bond, what the network says of an image", _assert_options, _assert),
    ("challenge", "open a game against a claim that is false", _challenge_options, _challenge),
    ("play", "make the moves that are due in a game", _play_options, _play),
    ("status", "say where a claim is, what you may do, and what waiting costs", _claim_options, _status),
    ("finalize", "give the bond of a final claim back", _claim_options, _finalize),
    ("withdraw", "take what you won or got back", _contract_option, _withdraw),
)
