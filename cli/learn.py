"""`zkpredict learn`: programs in which strangers improve a network, on any chain. Salts come from the signing key: nothing to keep.

Weights are a file of bytes, laid out as docs/system-learn.md says: what one stage adds.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import FalseClaim, UnusableInput
from zkpredict.cli.chain import checked_address
from zkpredict.cli.claims import account_address, chain_verb, claims_at, moment, number, run_on_chain, signing_key, withdraw
from zkpredict.cli.console import Console
from zkpredict.cli.parser import at_least_one
from zkpredict.cli.testpart import add_part_options, read_part

if TYPE_CHECKING:
    from zkpredict.contracts.chain.interface import Chain, Contract
    from zkpredict.contracts.systems.learn import Program
    from zkpredict.contracts.systems.samples import Part

_AT = "0x73DC7bD495A98BBdd74E9Fc86b2D27F54b3DA701"
_PLACE = f"--contract {_AT} --state chain.json"
_PART = "--tester 0 --part 3 --inputs inputs.npy --labels labels.npy"
_WORDS = {
    "deploy": f"--stage 16,8 --stage 8,2 --first first.bin --tester {_AT} --input-bytes 784 --per-part 100 --parts 8 --probe 2 --epochs 5 --shift 6 --state chain.json",
    "fund": f"--wei 1000000 {_PLACE}", "seal-part": f"{_PART} {_PLACE}", "open-part": f"{_PART} {_PLACE}", "commit": f"--weights new.bin {_PLACE}",
    "claim": f"--weights new.bin --inputs inputs.npy --labels labels.npy {_PLACE}", "publish": f"--weights new.bin {_PLACE}",
    "present": f"--who {_AT} {_PLACE}", "object": f"--who {_AT} {_PLACE}", "collect": f"--epoch 0 {_PLACE}", "rest": f"--epoch 0 {_PLACE}",
    "refute": f"--who {_AT} --inputs inputs.npy --labels labels.npy {_PLACE}", "expire": f"--tester 0 --part 3 {_PLACE}",
}  # fmt: skip
EXAMPLE = "\n".join(f"zkpredict learn {name} {_WORDS.get(name, _PLACE)}" for name in ("deploy", "status", "commit"))
_LIMIT = 24_575


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, summary, options, action in _ACTIONS:
        chain_verb(actions, name, summary, f"zkpredict learn {name} {_WORDS.get(name, _PLACE)}", options, action)


def run(arguments: argparse.Namespace, console: Console) -> int | None:
    return run_on_chain(arguments, console, arguments.act)


def _deploy_options(parser: argparse.ArgumentParser) -> None:
    count = {"type": at_least_one, "required": True, "metavar": "N"}
    parser.add_argument("--stage", action="append", required=True, metavar="N,C", help="neurons and classes that a stage adds; once for each, four at most")
    parser.add_argument("--first", required=True, metavar="FILE", help="weights of the first stage")
    parser.add_argument("--tester", action="append", required=True, metavar="ADDRESS", help="who seals a part of the test; four at most")
    parser.add_argument("--input-bytes", help="bytes of every input", **count)
    parser.add_argument("--per-part", help="samples of every part", **count)
    parser.add_argument("--parts", help="parts of each tester for each stage", **count)
    parser.add_argument("--probe", help="numbers of parts that are opened before the start", **count)
    parser.add_argument("--epochs", help="epochs at most", **count)
    parser.add_argument("--shift", type=number, default=0, metavar="BITS", help="activations lose so many bits (default: 0)")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--hinge", type=number, metavar="MARGIN", help="hinge loss with this margin (default: wrong answers)")
    kinds.add_argument("--softmax", type=number, metavar="BITS", help="softmax loss: logits in units of 2^BITS, 31 at most")
    parser.add_argument("--hours", type=at_least_one, default=24, help="length of every phase (default: 24)")
    parser.add_argument("--threshold", type=number, default=0, metavar="LOSS", help="grow at a loss of at most this (default: 0)")
    parser.add_argument("--delta", type=at_least_one, default=1, metavar="LOSS", help="least gain of a claim (default: 1)")
    for name, default, what in (("stake", 10**16, "least stake"), ("bond", 10**17, "bond of a claim"), ("part-bond", 5 * 10**16, "bond of a part")):
        parser.add_argument(f"--{name}", type=at_least_one, default=default, metavar="WEI", help=f"{what} (default: {default})")
    parser.add_argument("--versions", metavar="ADDRESS", help="a ModelVersions that keeps what is learned (default: deploy one)")
    parser.add_argument("--draw-delay", type=at_least_one, default=128, metavar="BLOCKS", help="how far ahead draws lie (default: 128)")


def _deploy(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.learn import StageWeights, Terms, deploy
    from zkpredict.contracts.systems.losses import Loss

    a = arguments
    loss = Loss.HINGE if a.hinge is not None else Loss.SOFTMAX if a.softmax is not None else Loss.ERRORS
    stages = [_pair(text) for text in a.stage]
    first = StageWeights.from_bytes(_weights(a.first), a.input_bytes, 0, stages[0])
    terms = Terms(a.input_bytes, a.per_part, a.parts, a.probe, a.epochs, a.shift, loss, a.hinge or a.softmax or 0, a.hours * 3600, a.threshold, a.delta,
                  a.stake, a.bond, a.part_bond)  # fmt: skip
    with console.step("deploy"):
        versions = None if a.versions is None else checked_address(chain, a.versions)
        contract = deploy(chain, terms, stages, [account_address(text) for text in a.tester], first, a.draw_delay, versions)
    until = contract.call("sealBy")
    console.result(
        {"contract": contract.address, "badges": contract.call("badges"), "network": contract.call("network"), "learned": contract.call("learned"), "seal_by": until},
        [f"The program is at {contract.address}.", f"  sealing      all parts until {moment(until)}, or it is aborted",
         "  rights       nobody has any: parameters are fixed, there is no owner"],
    )  # fmt: skip


def _place_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--contract", required=True, metavar="ADDRESS", help="the LifelongLearning")


def _fund_options(parser: argparse.ArgumentParser) -> None:
    _place_options(parser)
    parser.add_argument("--wei", type=at_least_one, required=True, help="added to the prize")


def _part_options(parser: argparse.ArgumentParser) -> None:
    _place_options(parser)
    parser.add_argument("--tester", type=number, required=True, metavar="N", help="number of the tester, from 0")
    add_part_options(parser)


def _part_name_options(parser: argparse.ArgumentParser) -> None:
    _place_options(parser)
    parser.add_argument("--tester", type=number, required=True, metavar="N", help="number of the tester, from 0")
    parser.add_argument("--part", type=number, required=True, metavar="N", help="number of the part")


def _weights_options(parser: argparse.ArgumentParser) -> None:
    _place_options(parser)
    parser.add_argument("--weights", required=True, metavar="FILE", help="what this stage adds")


def _claim_options(parser: argparse.ArgumentParser) -> None:
    _weights_options(parser)
    _sample_options(parser)


def _sample_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--inputs", action="append", required=True, metavar="FILE", help=".npy of the opened part; once for each tester, in order")
    parser.add_argument("--labels", action="append", required=True, metavar="FILE", help="its labels; as often")


def _who_options(parser: argparse.ArgumentParser) -> None:
    _place_options(parser)
    parser.add_argument("--who", required=True, metavar="ADDRESS", help="whose network")


def _refute_options(parser: argparse.ArgumentParser) -> None:
    _who_options(parser)
    _sample_options(parser)


def _epoch_options(parser: argparse.ArgumentParser) -> None:
    _place_options(parser)
    parser.add_argument("--epoch", type=number, required=True, metavar="N", help="an epoch that is over")


def _fund(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    _send(console, _at(arguments, chain).contract, "fund", value=arguments.wei, said="the prize has grown")


def _seal_part(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    program, part, salt = _part(arguments, chain)
    _send(console, program.contract, "sealParts", arguments.tester, arguments.part, [part.seal(salt)], value=program.terms.part_bond,
          said=f"part {arguments.part} is sealed; keep its data, opening it frees the bond")  # fmt: skip


def _open_part(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    program, part, salt = _part(arguments, chain)
    _send(console, program.contract, "openPart", arguments.tester, arguments.part, part.data, salt, said=f"part {arguments.part} is open for all to read")


def _expire(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    _send(console, _at(arguments, chain).contract, "expirePart", arguments.tester, arguments.part, said=f"part {arguments.part} is over")


def _draw(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    """Arms the draw that is due, or fixes it when its block is there."""
    program = _at(arguments, chain)
    what = 0 if program.state == "sealing" else program.epoch + 1
    block, _ = program.contract.call("drawn", what)
    with console.step("arm" if block == 0 else "fix"):
        receipt = program.contract.transact("arm", what) if block == 0 else program.fix(what)
    step = "arm" if block == 0 else "fix"
    console.result({"step": step, "gas": receipt.gas_used}, [f"Done: {step}.", f"  gas          {receipt.gas_used:,}"])


def _simple(function: str, said: str):
    def act(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
        _send(console, _at(arguments, chain).contract, function, said=said)

    return act


def _of_who(function: str, said: str):
    def act(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
        _send(console, _at(arguments, chain).contract, function, account_address(arguments.who), said=said)

    return act


def _commit(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    program = _at(arguments, chain)
    data = _fitting(program, _weights(arguments.weights))
    made = program.seal_of(signing_key(arguments), chain.sender, data)
    _send(console, program.contract, "commit", made, value=program.terms.stake, said="your weights are sealed; claim what they gain, or lose half of the stake")


def _claim(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.learn import pack_losses
    from zkpredict.kernel import keccak256

    program = _at(arguments, chain)
    data = _fitting(program, _weights(arguments.weights))
    parts = _drawn(arguments, program)
    with console.step("measure"):
        standing, own = program.losses(parts), program.losses(parts, data)
    if sum(standing) < sum(own) + program.terms.delta:
        raise FalseClaim(f"there is nothing to claim: your loss is {sum(own)}, the standing network's {sum(standing)}, the least gain {program.terms.delta}")
    _send(console, program.contract, "claim", keccak256(data), program.salt(signing_key(arguments)), pack_losses(standing, own), value=program.terms.bond,
          said=f"a loss of {sum(own)} is claimed, where the standing network has {sum(standing)}; publish to win")  # fmt: skip


def _publish(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    program = _at(arguments, chain)
    _send(console, program.contract, "publish", _fitting(program, _weights(arguments.weights)), said="your weights are public")


def _refute(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    """Recomputes all losses of a claim and shows the first false one."""
    program, who = _at(arguments, chain), account_address(arguments.who)
    parts = _drawn(arguments, program)
    with console.step("check"):
        losses = program.claimed_losses(who)
        found = program.false_loss(who, losses, parts)
    if found is None:
        raise FalseClaim("every loss that this account claims is true")
    place, of_standing = found
    tester, index = divmod(place, program.terms.per_part)
    _send(console, program.contract, "refute", who, losses, of_standing, parts[tester].sample(index, tester), said=f"loss {place} is false; half of stake and bond is yours")


def _collect(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    _send(console, _at(arguments, chain).contract, "collect", arguments.epoch, chain.sender, said="what is yours is credited")


def _rest(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    _send(console, _at(arguments, chain).contract, "collectRest", arguments.epoch, said="the winner's share of the rest is credited")


def _withdraw(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    withdraw(console, _at(arguments, chain).contract)


def _status(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.learn import PHASES, options

    program = _at(arguments, chain)
    contract, now, me = program.contract, chain.block().timestamp, chain.sender
    state, live = program.state, program.state == "live"
    phase = program.phase(now) if live else state
    if live:
        place = PHASES.index(phase)
        until = program.deadlines()[place] if place < 6 else None
    else:
        until = {"sealing": contract.call("sealBy"), "closed": contract.call("closeBy")}.get(state)
    can, credit = options(program, now, me), contract.call("credit", me)
    data = {"state": state, "phase": phase, "until": until, "now": now, "epoch": program.epoch, "stage": contract.call("stage"), "loss": contract.call("loss"),
            "weights": list(program.learned.call("weightsOf")), "points": contract.call("points", me), "you": me, "credit": credit, "you_can": can}  # fmt: skip
    lines = [f"The program is {state}, epoch {data['epoch']}, stage {data['stage']}.", f"  phase        {phase}{'' if until is None else f' until {moment(until)}'}",
             f"  loss         {data['loss']}", *(f"  you can      {verb}; else {otherwise}" for verb, otherwise in can.items())]  # fmt: skip
    console.result(data, [*lines, f"You are {me}, with {data['points']} points and {credit} wei to withdraw."])


def _send(console: Console, contract: Contract, function: str, *arguments: object, value: int = 0, said: str) -> None:
    with console.step(function):
        receipt = contract.transact(function, *arguments, value=value)
    console.result({"done": function, "paid": value, "gas": receipt.gas_used}, [f"Done: {said}.", f"  gas          {receipt.gas_used:,}"])


def _at(arguments: argparse.Namespace, chain: Chain) -> Program:
    from zkpredict.contracts.systems.learn import Program

    return Program(claims_at(arguments, chain, "LifelongLearning"))


def _part(arguments: argparse.Namespace, chain: Chain) -> tuple[Program, Part, bytes]:
    from zkpredict.contracts.systems.learn import PART

    program = _at(arguments, chain)
    part = read_part(arguments, program.terms.per_part, program.terms.input_bytes)
    return program, part, program.salt(signing_key(arguments), f"{PART} {arguments.tester} {arguments.part}")


def _drawn(arguments: argparse.Namespace, program: Program) -> list[Part]:
    """The opened parts in the files. Raises `UnusableInput` when they are others than the chain has."""
    terms, drawn = program.terms, program.contract.call("drawnPart")
    if not len(arguments.inputs) == len(arguments.labels) == len(program.testers):
        raise UnusableInput(f"--inputs and --labels come once for each of {len(program.testers)} testers")
    found = []
    for tester, (inputs, labels) in enumerate(zip(arguments.inputs, arguments.labels, strict=True)):
        part = read_part(argparse.Namespace(inputs=inputs, labels=labels), terms.per_part, terms.input_bytes)
        if part.root != program.contract.call("partOf", tester, drawn)[1]:
            raise UnusableInput(f"{inputs} is not part {drawn} of tester {tester}, as it was opened")
        found.append(part)
    return found


def _fitting(program: Program, data: bytes) -> bytes:
    expected = program.network.call("bytesOf", program.contract.call("stage"))
    if len(data) != expected:
        raise UnusableInput(f"this stage's weights are {expected} bytes, the file has {len(data)}")
    return data


def _weights(path: str) -> bytes:
    from zkpredict.circuits.files.storage import read_file

    return read_file(path, "weights", _LIMIT)


def _pair(text: str) -> tuple[int, int]:
    words = text.split(",")
    if len(words) != 2 or not all(word.isascii() and word.isdigit() and 0 < int(word) < 1 << 16 for word in words):
        raise UnusableInput(f"--stage takes neurons and classes, as 16,8; got {text}")
    return int(words[0]), int(words[1])


_ACTIONS = (
    ("deploy", "start a program: its first weights, its stages, its testers", _deploy_options, _deploy),
    ("fund", "add to the prize, while parts are sealed", _fund_options, _fund),
    ("seal-part", "tester: seal a part of the test", _part_options, _seal_part),
    ("draw", "arm the draw that is due, or fix it", _place_options, _draw),
    ("open-part", "open a part that is due", _part_options, _open_part),
    ("start", "begin the first epoch after the probe", _place_options, _simple("start", "the first epoch runs")),
    ("abort", "end a program whose test is not as it should be", _place_options, _simple("abort", "the program is aborted, the prize the initiator's again")),
    ("commit", "seal weights for this epoch", _weights_options, _commit),
    ("claim", "claim what sealed weights gain on the opened part", _claim_options, _claim),
    ("publish", "show the weights", _weights_options, _publish),
    ("refute", "show that a loss in a claim is false", _refute_options, _refute),
    ("object", "object to a network with all your points", _who_options, _of_who("object", "you object")),
    ("present", "put a published gain forward as the largest", _who_options, _of_who("present", "it is the largest so far")),
    ("settle", "end the epoch", _place_options, _simple("settle", "the epoch is over")),
    ("collect", "get stake, points and badge of an epoch that is over", _epoch_options, _collect),
    ("rest", "share out the rest of the prize", _epoch_options, _rest),
    ("expire", "end a part that nobody opened", _part_name_options, _expire),
    ("status", "where the program is, what you may do, what waiting costs", _place_options, _status),
    ("withdraw", "take out what is credited to you", _place_options, _withdraw),
)
