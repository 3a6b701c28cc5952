"""`zkpredict council`: changes of a few weights of a live model, which two houses vote on, on any chain.

A council is two addresses: its governor's, and that of the gate of the model that it changes.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnusableInput
from zkpredict.cli.chain import checked_address
from zkpredict.cli.claims import chain_verb, claims_at, moment, number, run_on_chain, span, wei
from zkpredict.cli.console import Console
from zkpredict.cli.network import add_network_options, read_network
from zkpredict.cli.parser import at_least_one

if TYPE_CHECKING:
    from zkpredict.circuits.networks.reference import IntegerNetwork
    from zkpredict.contracts.chain.interface import Chain, Receipt
    from zkpredict.contracts.systems.council import Council

_GOVERNOR = "0x00a675f58474E6894260016AeFd5E4d90d57b937"
_GATE = "0x794f5FA24B039a9Af3A2fA900539De23C1C5E642"
_DELTA = "0x1e2f3311a0ed312f0229A66403d72Bc4e4517831"
_FIRST, _SECOND = "0xf3962E9bE614E2c26d86b29755A05a3281834070", "0xAA227a613f13Ff26Cbe004293007D8CB7104D515"
EXAMPLE = f"""zkpredict council deploy --drivers {_FIRST} --passengers {_SECOND} --model examples/mnist.model --state chain.json
zkpredict council status --governor {_GOVERNOR} --gate {_GATE} --state chain.json"""


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, summary, options, action in _ACTIONS:
        chain_verb(actions, name, summary, _example(name), options, action)


def _example(name: str) -> str:
    if name == "deploy":
        return EXAMPLE.splitlines()[0]
    words = {"delta": "--model examples/mnist.model --to new.model ", "propose": f"--delta {_DELTA} --why 'learns sevens' ", "vote": "4711 --for ",
             "queue": "4711 ", "execute": "4711 ", "cancel": "4711 ", "release": "4711 ", "show": f"--delta {_DELTA} ",
             "predict": "examples/seven.png ", "count": f"--rides {_FIRST} --escrow {_SECOND} --delivery 0 "}.get(name, "")  # fmt: skip
    place = "" if name in ("delta", "show", "count") else f"--governor {_GOVERNOR} --gate {_GATE} "
    return f"zkpredict council {name} {words}{place}--state chain.json"


def run(arguments: argparse.Namespace, console: Console) -> int | None:
    return run_on_chain(arguments, console, arguments.act)


def _deploy_options(parser: argparse.ArgumentParser) -> None:
    houses = parser.add_mutually_exclusive_group(required=True)
    houses.add_argument("--houses", metavar="A,B", help="addresses of two houses (OpenZeppelin Votes over seconds)")
    houses.add_argument("--escrow", metavar="ADDRESS", help="instead: houses of those between whom this GoodsEscrow settles deliveries")
    houses.add_argument("--drivers", metavar="A,B,...", help="members of the first house; needs --passengers")
    parser.add_argument("--passengers", metavar="A,B,...", help="members of the second house")
    parser.add_argument("--fee", type=wei, default=10**15, metavar="WEI", help="with --escrow: burned for each counted delivery (default: 10^15)")
    parser.add_argument("--weekly-cap", type=at_least_one, default=5, metavar="N", help="with --escrow: counted for a pair in a week at most (default: 5)")
    add_network_options(parser)
    seconds = {"type": at_least_one, "metavar": "SECONDS"}
    parser.add_argument("--delay", default=86_400, help="from a proposal to its vote (default: 86400)", **seconds)
    parser.add_argument("--period", default=3 * 86_400, help="how long a vote takes (default: 259200)", **seconds)
    parser.add_argument("--timelock", default=2 * 86_400, help="from the vote to the change (default: 172800)", **seconds)
    parser.add_argument("--quorum", type=at_least_one, default=20, metavar="PERCENT", help="votes that each house needs (default: 20)")
    parser.add_argument("--cap", type=at_least_one, default=5000, metavar="ENTRIES", help="changes within 30 days (default: 5000)")
    parser.add_argument("--bond", type=wei, default=10**16, metavar="WEI", help="what a proposal puts down (default: 10^16)")


def _deploy(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.artifact import load
    from zkpredict.contracts.chain.interface import Contract
    from zkpredict.contracts.open.deploy import deploy_packed
    from zkpredict.contracts.systems.council import Council, Terms
    from zkpredict.contracts.systems.patches import room

    if (arguments.drivers is None) != (arguments.passengers is None):
        raise UnusableInput("--drivers and --passengers go together: two houses decide")
    if arguments.quorum > 100 or max(arguments.delay, arguments.period, arguments.timelock) >= 1 << 32:
        raise UnusableInput("--quorum is at most 100 percent, times are below 2^32 seconds")
    network = _network(arguments.model, arguments.mode, console)
    room(network)
    terms = Terms(arguments.delay, arguments.period, min(arguments.period, 86_400), arguments.timelock, quorum=arguments.quorum,
                  bond=arguments.bond, cap=arguments.cap)  # fmt: skip
    with console.step("deploy the houses"):
        houses = _houses(arguments, console, chain)
    with console.step("deploy the weights"):
        base = deploy_packed(chain, network).contract.address
    with console.step("deploy the council"):
        versions, _ = Contract.deploy(chain, load("ModelVersions"))
        predictor, _ = Contract.deploy(chain, load("PatchablePredictor"), versions.address)
        council = Council.deploy(chain, houses, base, predictor.address, terms)
    handle = council.handle
    console.result(
        {"governor": council.governor.address, "gate": council.gate.address, "versions": versions.address, "predictor": predictor.address,
         "handle": handle.hex(), "houses": list(houses)},
        [
            f"The council's governor is at {council.governor.address}, the model's gate at {council.gate.address}.",
            f"  houses       {houses[0]} and {houses[1]}",
            f"  model        handle {handle.hex()} of {versions.address}; {predictor.address} runs its versions",
            f"  a change     is voted on after {span(terms.delay)}, for {span(terms.period)}, and waits {span(terms.timelock)}",
            "  rights       nobody has any but the two houses together: parameters are fixed, there is no owner",
        ],
    )  # fmt: skip


def _houses(arguments: argparse.Namespace, console: Console, chain: Chain) -> tuple[str, str]:
    from zkpredict.contracts.artifact import load
    from zkpredict.contracts.chain.interface import Contract

    if arguments.escrow is not None:
        arguments.contract = arguments.escrow
        rides, _ = Contract.deploy(chain, load("SettledRides"), claims_at(arguments, chain, "GoodsEscrow").address, arguments.fee, arguments.weekly_cap)
        console.note(f"settled deliveries are counted by the SettledRides at {rides.address}: `council count`")
        return rides.call("drivers"), rides.call("passengers")
    if arguments.houses is not None:
        found = [checked_address(chain, text) for text in arguments.houses.split(",")]
        if len(found) != 2:
            raise UnusableInput(f"--houses takes two addresses with a comma between them, got {len(found)}")
        return found[0], found[1]
    lists = ("first house", arguments.drivers), ("second house", arguments.passengers)
    made = [Contract.deploy(chain, load("House"), name, [_account(text) for text in members.split(",")])[0] for name, members in lists]
    return made[0].address, made[1].address


def _place_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--governor", required=True, metavar="ADDRESS", help="the council's governor")
    parser.add_argument("--gate", required=True, metavar="ADDRESS", help="the gate of the model")


def _delta_options(parser: argparse.ArgumentParser) -> None:
    add_network_options(parser)
    parser.add_argument("--to", required=True, metavar="FILE", help="the model as it shall be")


def _delta(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.council import store
    from zkpredict.contracts.systems.patches import Delta, fits

    old, new = _network(arguments.model, arguments.mode, console), _network(arguments.to, arguments.mode, console)
    delta = Delta.between(old, new)
    if not fits(new, old):
        raise UnusableInput("the changed network can leave the room that the old one's layout has: deploy it whole")
    with console.step("store"):
        address, digest, receipt = store(chain, delta)
    console.result(
        {"delta": address, "code_hash": digest.hex(), "weights": delta.weights, "entries": len(delta.entries), "gas": receipt.gas_used},
        [f"The change of {delta.weights} weights is at {address}.", f"  public       {len(delta.data)} bytes, for all who vote",
         f"  gas          {receipt.gas_used:,}"],
    )  # fmt: skip


def _show_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--delta", required=True, metavar="ADDRESS", help="the change's data contract")


def _show(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.council import read_delta

    delta = read_delta(chain, checked_address(chain, arguments.delta))
    rows = [[e.layer, e.input, e.neuron, e.change] for e in delta.entries]
    console.result({"weights": delta.weights, "entries": rows}, [f"{delta.weights} weights change:", *(
        f"  layer {layer}, input {place}, neuron {neuron}: {change:+}" for layer, place, neuron, change in rows)])


def _propose_options(parser: argparse.ArgumentParser) -> None:
    _place_options(parser)
    parser.add_argument("--delta", required=True, metavar="ADDRESS", help="the stored change")
    parser.add_argument("--why", required=True, metavar="TEXT", help="what the change is for")
    parser.add_argument("--fresh", action="store_true", help="the change says everything that differs from the deployed weights")
    parser.add_argument("--score", type=int, default=0, metavar="N", help="number of the score that the gate asks for as evidence")


def _propose(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.council import read_delta
    from zkpredict.kernel import keccak256

    council = _council(arguments, chain)
    address = checked_address(chain, arguments.delta)
    delta = read_delta(chain, address)
    council.predictor.call("check", council.handle, council.latest, address)
    with console.step("propose"):
        number, receipt = council.propose(address, keccak256(chain.code(address)), arguments.why, arguments.fresh, arguments.score)
    console.result(
        {"proposal": str(number), "parent": council.proposal(number).parent, "weights": delta.weights, "bond": council.governor.call("bond"),
         "gas": receipt.gas_used},
        [f"Proposal {number}: a change of {delta.weights} weights on version {council.proposal(number).parent}.",
         f"  bond         {council.governor.call('bond')} wei, back after the vote unless both houses let it fall",
         f"  vote         from {moment(council.proposal(number).vote_start)} on", f"  gas          {receipt.gas_used:,}"],
    )  # fmt: skip


def _number_options(parser: argparse.ArgumentParser) -> None:
    _place_options(parser)
    parser.add_argument("proposal", type=_proposal_number, metavar="NUMBER", help="number of the proposal")


def _vote_options(parser: argparse.ArgumentParser) -> None:
    _number_options(parser)
    side = parser.add_mutually_exclusive_group(required=True)
    side.add_argument("--for", dest="yes", action="store_true", help="vote for it")
    side.add_argument("--against", dest="yes", action="store_false", help="vote against it")


def _vote(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    council = _council(arguments, chain)
    council.proposal(arguments.proposal)
    _done(console, arguments.proposal, f"You voted {'for' if arguments.yes else 'against'} it.", council.vote(arguments.proposal, arguments.yes))


def _move(verb: str, said: str):
    def act(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
        _done(console, arguments.proposal, said, getattr(_council(arguments, chain), verb)(arguments.proposal))

    return act


def _release(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    governor = _council(arguments, chain).governor
    _done(console, arguments.proposal, "The bond is free, or burned.", governor.transact("releaseBond", arguments.proposal))


def _withdraw(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.cli.claims import withdraw

    withdraw(console, _council(arguments, chain).governor)


def _done(console: Console, number: int, said: str, receipt: Receipt) -> None:
    console.result({"proposal": str(number), "gas": receipt.gas_used}, [said, f"  gas          {receipt.gas_used:,}"])


def _status(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.council import options, proposals

    council = _council(arguments, chain)
    handle, latest, now = council.handle, council.latest, chain.block().timestamp
    credit = council.governor.call("credit", chain.sender)
    mine = [p for p in proposals(council.governor) if p.gate == council.gate.address]
    found = [(p, council.state(p.number), council.tallies(p.number), options(council, p, now)) for p in mine]
    data = {
        "handle": handle.hex(), "version": latest, "now": now, "you": chain.sender, "credit": credit, "entries_left": council.gate.call("left"),
        "proposals": [{"proposal": str(p.number), "phase": state.name.lower(), "delta": p.delta, "parent": p.parent, "why": p.description,
                       "tallies": [[t.yes, t.no, t.needed] for t in tallies],
                       "you_can": [{"verb": o.verb, "until": o.until, "otherwise": o.otherwise} for o in can]} for p, state, tallies, can in found],
    }  # fmt: skip
    lines = [f"Model {handle.hex()[:16]}... is at version {latest}; it is {moment(now)}."]
    for p, state, tallies, can in found:
        lines += [f"Proposal {p.number}", f"  phase        {state.name.lower()}", f"  change       {p.delta} on version {p.parent}: {p.description}"]
        lines += [f"  house {n}      {t.yes} for, {t.no} against, needs {t.needed}" for n, t in enumerate(tallies, 1)]
        lines += [f"  you can      {o.verb}{'' if o.until is None else f' until {moment(o.until)}'}; else {o.otherwise}" for o in can]
        lines += [] if can else ["  you can      nothing here, and lose nothing by waiting"]
    console.result(data, [*lines, f"You are {chain.sender}, with {credit} wei to withdraw."])


def _predict_options(parser: argparse.ArgumentParser) -> None:
    from zkpredict.cli.statement import add_image_options

    _place_options(parser)
    parser.add_argument("image", metavar="IMAGE", help="PNG, JPEG or .npy (uint8)")
    add_image_options(parser)
    parser.add_argument("--version", type=int, metavar="N", help="version to run (default: the latest)")


def _predict(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.cli.chain import _inputs_of
    from zkpredict.cli.statement import read_statement_image
    from zkpredict.contracts.chain.interface import Contract
    from zkpredict.contracts.open.packed import predictor

    council = _council(arguments, chain)
    version = council.latest if arguments.version is None else arguments.version
    base, deltas = council.versions.call("partsOf", council.handle, version)
    size = _inputs_of(Contract(chain, base, predictor()))
    image = read_statement_image(arguments, console, arguments.image, size)
    digit = council.predictor.call("predictAt", council.handle, version, image.tobytes())
    console.result({"digit": digit, "version": version, "changes": len(deltas)},
                   [f"Version {version} says {digit}.", f"  changes      {len(deltas)} live on the weights at {base}"])  # fmt: skip


def _pin_options(parser: argparse.ArgumentParser) -> None:
    _place_options(parser)
    parser.add_argument("--version", type=number, metavar="N", help="version to pin (default: the latest)")
    parser.add_argument("--prediction", metavar="ADDRESS", help="a VersionPrediction of this model's predictor (default: deploy one)")


def _pin(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    """Names a version for deals and bounties, which keep it whatever the houses decide later."""
    from zkpredict.contracts.artifact import load
    from zkpredict.contracts.chain.interface import Contract
    from zkpredict.contracts.systems.council import evidence_of

    council = _council(arguments, chain)
    version = council.latest if arguments.version is None else arguments.version
    council.versions.call("get", council.handle, version)
    if arguments.prediction is None:
        with console.step("deploy"):
            prediction, _ = Contract.deploy(chain, load("VersionPrediction"), council.predictor.address)
    else:
        arguments.contract = arguments.prediction
        prediction = claims_at(arguments, chain, "VersionPrediction")
        if prediction.call("predictor").lower() != council.predictor.address.lower():
            raise UnusableInput(f"the prediction at {prediction.address} runs versions of another predictor")
    model, evidence = prediction.call("modelOf", council.handle, version), evidence_of(council.handle, version)
    console.result(
        {"version": version, "prediction": prediction.address, "model_id": model.hex(), "evidence": evidence.hex()},
        [f"Version {version} is model {model.hex()} of {prediction.address}.",
         f"  pin it       zkpredict escrow post --prediction {prediction.address} --model-id {model.hex()} ...",
         f"  deliver      with --evidence {evidence.hex()}"],
    )  # fmt: skip


def _count_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rides", required=True, metavar="ADDRESS", help="a SettledRides, whose houses the council's are")
    parser.add_argument("--escrow", required=True, metavar="ADDRESS", help="the GoodsEscrow whose log it reads")
    parser.add_argument("--delivery", type=number, required=True, metavar="N", help="number of the delivery in the log, from 0")


def _count(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.council import count_ride

    arguments.contract = arguments.rides
    rides = claims_at(arguments, chain, "SettledRides")
    arguments.contract = arguments.escrow
    escrow = claims_at(arguments, chain, "GoodsEscrow")
    if rides.call("log").lower() != escrow.address.lower():
        raise UnusableInput(f"the rides at {rides.address} are counted from the log of {rides.call('log')}, not of {escrow.address}")
    with console.step("count"):
        receipt = count_ride(rides, escrow, arguments.delivery)
    console.result({"delivery": arguments.delivery, "paid": rides.call("fee"), "gas": receipt.gas_used},
                   [f"Delivery {arguments.delivery} is counted: one vote for its supplier, one for its buyer.", f"  gas          {receipt.gas_used:,}"])  # fmt: skip


def _council(arguments: argparse.Namespace, chain: Chain) -> Council:
    """Raises `UnusableInput` when governor and gate do not belong together."""
    from zkpredict.contracts.systems.council import Council

    arguments.contract = arguments.governor
    governor = claims_at(arguments, chain, "TwoHouseGovernor")
    arguments.contract = arguments.gate
    return Council.at(governor, claims_at(arguments, chain, "UpdateGate"))


def _network(path: str, mode: str | None, console: Console) -> IntegerNetwork:
    from zkpredict.circuits.networks.reference import IntegerNetwork

    with console.step("read"):
        network = read_network(path, mode)
    if not isinstance(network, IntegerNetwork):
        raise UnusableInput("changes are of integer networks: use --mode packed")
    return network


def _account(text: str) -> str:
    from eth_utils import is_address, to_checksum_address

    if not is_address(text):
        raise UnusableInput(f"{text} is no address: 0x and 40 hex digits, with a right checksum if letters are mixed")
    return to_checksum_address(text)


def _proposal_number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 78:
        raise argparse.ArgumentTypeError(f"{text!r} is no proposal's number")
    return int(text)


_ACTIONS = (
    ("deploy", "deploy two houses, a model's weights and the council that changes them", _deploy_options, _deploy),
    ("delta", "store what changes from one model file to another", _delta_options, _delta),
    ("show", "list the weights that a stored change changes", _show_options, _show),
    ("propose", "propose a stored change as the next version", _propose_options, _propose),
    ("vote", "vote on a proposal", _vote_options, _vote),
    ("queue", "let a change that both houses want wait for its timelock", _number_options, _move("queue", "It waits for its timelock.")),
    ("execute", "make a change that waited the next version", _number_options, _move("execute", "It is the next version.")),
    ("cancel", "take your own proposal back before its vote starts", _number_options, _move("cancel", "It is cancelled.")),
    ("release", "free the bond of a proposal whose vote is over", _number_options, _release),
    ("withdraw", "take what you got back", _place_options, _withdraw),
    ("status", "say where all proposals are, what you may do, and what waiting costs", _place_options, _status),
    ("pin", "name a version for deals and bounties", _pin_options, _pin),
    ("count", "have a delivery that an escrow settled counted as votes", _count_options, _count),
    ("predict", "run a version of the model", _predict_options, _predict),
)
