"""`zkpredict contest`: competitions of networks on a sealed test, on any chain. Salts come from the signing key: nothing to keep.

Hidden networks prove their right answers (`claim`, `prove`); networks in the open post all answers (`contestanswers.py`).
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import FalseClaim, UnusableInput
from zkpredict.cli.claims import account_address, chain_verb, claims_at, moment, number, run_on_chain, withdraw
from zkpredict.cli.console import Console
from zkpredict.cli.contestanswers import post, post_options, present, refute, refute_options
from zkpredict.cli.contestplace import contest_options, entrant_options, found_contest, place_of, sealing_of, send
from zkpredict.cli.judgement import open_model
from zkpredict.cli.parser import at_least_one
from zkpredict.cli.testpart import add_part_options, read_part

if TYPE_CHECKING:
    from zkpredict.contracts.chain.interface import Chain, Contract
    from zkpredict.contracts.systems.contest import Params

_AT = "0x73DC7bD495A98BBdd74E9Fc86b2D27F54b3DA701"
_PLACE = f"1 --contract {_AT} --state chain.json"
_PART = "--part 0 --inputs inputs.npy --labels labels.npy"
_WORDS = {
    "deploy": "--state chain.json",
    "create": f"--contract {_AT} --prediction {_AT} --owner {_AT} --per-part 32 --input-bytes 784 --prize 1000000 --state chain.json",
    "seal-part": f"{_PLACE} {_PART}", "open-part": f"{_PLACE} {_PART}",
    "enter": f"{_PLACE} --model examples/mnist.model", "reveal": f"{_PLACE} --model examples/mnist.model",
    "claim": f"{_PLACE} --right 31", "prove": f"{_PLACE} --model examples/mnist.model {_PART}",
    "collect": f"{_PLACE} --entrant {_AT}",
    "post": f"{_PLACE} --model examples/mnist.model {_PART}", "refute": f"{_PLACE} --entrant {_AT} {_PART}", "present": f"{_PLACE} --entrant {_AT}",
}  # fmt: skip
EXAMPLE = "\n".join(f"zkpredict contest {name} {_WORDS[name]}" for name in ("deploy", "create", "enter", "claim"))
_HOUR = 3600
_BATCH = 6
"""Proofs a transaction: about 1.5 million gas."""


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, summary, options, action in _ACTIONS:
        chain_verb(actions, name, summary, f"zkpredict contest {name} {_WORDS.get(name, _PLACE)}", options, action)


def run(arguments: argparse.Namespace, console: Console) -> int | None:
    return run_on_chain(arguments, console, arguments.act)


def _deploy_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--min-window", type=at_least_one, default=24 * _HOUR, metavar="SECONDS", help="least length of every phase (default: 86400)")


def _deploy(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.artifact import load
    from zkpredict.contracts.chain.interface import Contract

    with console.step("deploy"):
        contract, receipt = Contract.deploy(chain, load("ModelContest"), arguments.min_window)
    console.result({"contract": contract.address, "gas": receipt.gas_used}, [f"ModelContest is at {contract.address}.", "  rights       nobody has any: there is no owner"])


def _create_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--contract", required=True, metavar="ADDRESS", help="a ModelContest")
    parser.add_argument("--prediction", required=True, metavar="ADDRESS", help="a ProvenPrediction for hidden networks, an OpenPrediction with --by-answers")
    parser.add_argument("--owner", action="append", required=True, metavar="ADDRESS", help="of a part of the test; once for each part, eight at most")
    parser.add_argument("--per-part", type=at_least_one, required=True, metavar="N", help="samples of every part")
    parser.add_argument("--input-bytes", type=at_least_one, required=True, metavar="N", help="bytes of every input")
    parser.add_argument("--prize", type=at_least_one, required=True, metavar="WEI", help="paid in now")
    parser.add_argument("--stake", type=number, default=0, metavar="WEI", help="of every entrant, lost by not revealing (default: 0)")
    parser.add_argument("--min-parts", type=at_least_one, metavar="N", help="with fewer opened parts the contest is void (default: all)")
    parser.add_argument("--by-answers", action="store_true", help="of networks in the open, which post all answers")
    parser.add_argument("--min-rule", action="store_true", help="rank by the least count in any part")
    parser.add_argument("--hours", type=at_least_one, default=24, help="length of each of the six phases (default: 24)")


def _create(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.contest import PHASES, Params

    contract, now = claims_at(arguments, chain, "ModelContest"), chain.block().timestamp + 60
    deadlines = tuple(now + (phase + 1) * arguments.hours * _HOUR for phase in range(6))
    bond, parts = -(-arguments.prize // 10), len(arguments.owner)
    params = Params(
        account_address(arguments.prediction), arguments.by_answers, arguments.min_rule, arguments.min_parts or parts, arguments.per_part, arguments.input_bytes,
        arguments.stake, bond, -(-bond // parts), deadlines, tuple(map(account_address, arguments.owner)),
    )  # fmt: skip
    with console.step("create"):
        receipt = contract.transact("create", params.argument, value=arguments.prize)
    found = next(fields["id"] for name, fields in contract.events(receipt) if name == "Created")
    console.result(
        {"contest": found, "claim_bond": bond, "part_bond": params.part_bond, "deadlines": list(deadlines), "gas": receipt.gas_used},
        [f"Contest {found} is open.", f"  bonds        {bond} wei a claim, {params.part_bond} wei a part",
         *(f"  {name:12} until {moment(deadline)}" for name, deadline in zip(PHASES[:-1], deadlines, strict=True)), f"  gas          {receipt.gas_used:,}"],
    )  # fmt: skip


def _part_options(parser: argparse.ArgumentParser) -> None:
    contest_options(parser)
    add_part_options(parser)


def _model_options(parser: argparse.ArgumentParser) -> None:
    contest_options(parser)
    parser.add_argument("--model", required=True, metavar="FILE", help="the private model file")


def _entry_options(parser: argparse.ArgumentParser) -> None:
    contest_options(parser)
    named = parser.add_mutually_exclusive_group(required=True)
    named.add_argument("--model", metavar="FILE", help="the private model file (its commitment is what enters)")
    named.add_argument("--predictor", metavar="ADDRESS", help="with answers: a network in the open")


def _seal_part(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    contract, params = found_contest(arguments, chain)
    part = read_part(arguments, params.per_part, params.input_bytes)
    seal = part.seal(sealing_of(arguments, contract).salt(_kind(arguments)))
    send(console, contract, "sealPart", arguments.contest, arguments.part, seal, value=params.part_bond, said=f"part {arguments.part} is sealed; keep its data")


def _open_part(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    contract, params = found_contest(arguments, chain)
    part = read_part(arguments, params.per_part, params.input_bytes)
    salt = sealing_of(arguments, contract).salt(_kind(arguments))
    send(console, contract, "openPart", arguments.contest, arguments.part, part.data, salt, said=f"part {arguments.part} is open for all to read")


def _enter(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    contract, params = found_contest(arguments, chain)
    model = _entry(arguments, console, chain, params)
    said = "you are in; reveal in the next phase, or lose the stake"
    send(console, contract, "enter", arguments.contest, sealing_of(arguments, contract).model(model), value=params.stake, said=said)


def _reveal(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.contest import ENTRY

    contract, params = found_contest(arguments, chain)
    model = _entry(arguments, console, chain, params)
    salt = sealing_of(arguments, contract).salt(ENTRY)
    following = "post its answers when the test is open" if params.by_answers else "register it where proofs are checked"
    send(console, contract, "reveal", arguments.contest, model, salt, said=f"your model is {model.hex()}; {following}")


def _entry(arguments: argparse.Namespace, console: Console, chain: Chain, params: Params) -> bytes:
    """The id of the model that enters. Raises `UnusableInput` when the contest is of the other kind."""
    if params.by_answers != (arguments.predictor is not None):
        raise UnusableInput(f"this contest is of networks {'in the open: give --predictor ADDRESS' if params.by_answers else 'that stay hidden: give --model FILE'}")
    if not params.by_answers:
        return _model(arguments, console).commitment.model_id
    return open_model(chain, params.prediction, arguments.predictor)


def _claim_options(parser: argparse.ArgumentParser) -> None:
    contest_options(parser)
    parser.add_argument("--right", type=at_least_one, required=True, metavar="N", help="right answers that you can prove")


def _claim(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    contract, params = found_contest(arguments, chain)
    send(console, contract, "claim", arguments.contest, arguments.right, value=params.claim_bond, said=f"{arguments.right} right answers are claimed; prove them if you can win")


def _prove_options(parser: argparse.ArgumentParser) -> None:
    _model_options(parser)
    add_part_options(parser)


def _prove(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    """Proves all samples of an opened part that the model gets right and that are not proven yet."""
    import numpy as np

    from zkpredict.contracts.verifier.client import final_check, verifier_at
    from zkpredict.contracts.artifact import load
    from zkpredict.contracts.chain.interface import Contract
    from zkpredict.contracts.verifier.encoding import onchain_proof
    from zkpredict.prover.prove import prove

    contract, params = found_contest(arguments, chain)
    part, model = read_part(arguments, params.per_part, params.input_bytes), _model(arguments, console)
    place = place_of(contract, arguments.contest, arguments.part)
    entry = contract.call("entryOf", arguments.contest, chain.sender)
    bits = entry[8] >> (place * params.per_part)
    images = [np.frombuffer(data, np.uint8) for data in part.inputs]
    left = [i for i, image in enumerate(images) if not bits >> i & 1 and model.predict(image) == part.labels[i]]
    if not left:
        raise FalseClaim(f"there is nothing to prove in part {arguments.part}: what the model gets right there is proven")
    check = final_check(verifier_at(chain, Contract(chain, params.prediction, load("ProvenPrediction")).call("verifier")))
    gas = 0
    for first in range(0, len(left), _BATCH):
        batch = left[first : first + _BATCH]
        with console.step(f"prove {first + len(batch)} of {len(left)}"):
            proofs = [onchain_proof(prove(model, images[i]), check) for i in batch]
            receipt = contract.transact("prove", arguments.contest, chain.sender, [part.sample(i, place) for i in batch], proofs)
        gas += receipt.gas_used
    rank = contract.call("entryOf", arguments.contest, chain.sender)[3]
    console.result({"proven": len(left), "in_all": rank, "gas": gas}, [f"Proved {len(left)} samples of part {arguments.part}; {rank} in all.", f"  gas          {gas:,}"])


def _settle(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    contract, _ = found_contest(arguments, chain)
    send(console, contract, "settle", arguments.contest, said="the contest is over; `contest collect` credits each entrant")


def _collect(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    contract, _ = found_contest(arguments, chain)
    who = chain.sender if arguments.entrant is None else account_address(arguments.entrant)
    send(console, contract, "collect", arguments.contest, who, said=f"what is {who}'s is credited")


def _withdraw(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    withdraw(console, claims_at(arguments, chain, "ModelContest"))


def _status(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.contest import PHASES

    contract, params = found_contest(arguments, chain)
    phase, state, entered, opened, samples, best, right, _ = contract.call("status", arguments.contest)
    entry = contract.call("entryOf", arguments.contest, chain.sender)
    name = PHASES[phase] if state == 0 else ("RUNNING", "DONE", "VOID")[state]
    until = params.deadlines[phase] if state == 0 and phase < 6 else None
    can = _can(contract, arguments.contest, chain.sender, params, phase, state, entry)
    credit = contract.call("credit", chain.sender)
    data = {
        "contest": arguments.contest, "phase": name, "until": until, "now": chain.block().timestamp, "entered": entered, "opened": opened, "samples": samples,
        "best": best, "best_right": right, "claimed": entry[2], "proven": entry[3], "you": chain.sender, "credit": credit, "you_can": can,
    }  # fmt: skip
    lines = [
        f"Contest {arguments.contest}: {name}{'' if until is None else f' until {moment(until)}'}.",
        f"  entered      {entered}, parts opened {opened} of {len(params.owners)}, {samples} samples",
        f"  best         {best if right else 'nobody yet'}, {right} right",
        f"  you          claimed {entry[2]}, proved {entry[3]}",
        *(f"  you can      {verb}; else {otherwise}" for verb, otherwise in can.items()),
    ]
    console.result(data, [*lines, f"You are {chain.sender}, with {credit} wei to withdraw."])


def _can(contract: Contract, contest: int, me: str, params: Params, phase: int, state: int, entry: tuple) -> dict[str, str]:
    """What an account may do now, and what it loses by doing nothing."""
    model, order, _, _, claimed, _, collected = entry[:7]
    mine = [part for part, owner in enumerate(params.owners) if owner.lower() == me.lower()]
    parts = [(part, contract.call("partOf", contest, part)) for part in mine]
    found = {}
    if state != 0:
        return {"collect": "your money stays here"} if order and not collected else {}
    if phase == 0:
        found |= {f"seal-part --part {part}": "the part is missing, and the contest may be void" for part, (_, _, seal) in parts if not any(seal)}
        found |= {} if order else {"enter": "you do not take part"}
    if phase == 1 and order and not any(model):
        found["reveal"] = f"your stake of {params.stake} wei is slashed"
    if phase == 2:
        found |= {f"open-part --part {part}": f"your bond of {params.part_bond} wei is slashed" for part, (_, done, seal) in parts if any(seal) and not done}
    if phase == 3 and any(model) and not claimed:
        found["post" if params.by_answers else "claim"] = "you cannot win; your stake comes back"
    if phase == 4 and params.by_answers:
        found["refute"] = "an entrant that lies about its network can win"
    if phase == 5 and claimed and params.by_answers:
        found["present"] = "nobody may win"
    if phase in (4, 5) and claimed and not params.by_answers:
        found["prove"] = f"your bond of {params.claim_bond} wei is slashed if you claimed more than the winner proves"
    if phase == 6 or (phase > 2 and contract.call("status", contest)[3] < params.min_parts):
        found["settle"] = "nobody is paid until somebody does"
    return found


def _kind(arguments: argparse.Namespace) -> str:
    from zkpredict.contracts.systems.contest import PART

    return f"{PART} {arguments.part}"


def _model(arguments: argparse.Namespace, console: Console):
    from zkpredict.prover.model import Model

    with console.step("read"):
        return Model.load(arguments.model)


_ACTIONS = (
    ("deploy", "deploy a contract that holds any number of contests", _deploy_options, _deploy),
    ("create", "open a contest and pay the prize in", _create_options, _create),
    ("seal-part", "bind yourself to your part of the test", _part_options, _seal_part),
    ("enter", "enter with a sealed model", _entry_options, _enter),
    ("reveal", "say which model you sealed", _entry_options, _reveal),
    ("open-part", "publish your part of the test", _part_options, _open_part),
    ("claim", "say how many right answers you can prove", _claim_options, _claim),
    ("prove", "prove what your model gets right in a part", _prove_options, _prove),
    ("post", "post your network's answers to the whole test (networks in the open)", post_options, post),
    ("refute", "show a false answer of an entrant", refute_options, refute),
    ("present", "put an entrant that nobody refuted forward as the best", entrant_options, present),
    ("settle", "end a contest whose time is over", contest_options, _settle),
    ("collect", "credit an entrant's stake, bond and share", entrant_options, _collect),
    ("status", "say where a contest is, what you may do, and what waiting costs", contest_options, _status),
    ("withdraw", "take your credit", contest_options, _withdraw),
)
