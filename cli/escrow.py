"""`zkpredict escrow`: deals that pay for signed readings by what a network says, on any chain.

A deal is kept in a file of its terms: only their hash is on the chain, and every call brings them along.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.files.codec import load_json
from zkpredict.circuits.files.storage import read_file, write_atomically
from zkpredict.cli.claims import account_address, chain_verb, claims_at, moment, number, run_on_chain, signing_key, span, withdraw
from zkpredict.cli.console import Console
from zkpredict.cli.judgement import add_judge_options, asked, hexadecimal, judge_of
from zkpredict.cli.parser import at_least_one
from zkpredict.cli.testpart import read_bytes_array

if TYPE_CHECKING:
    from zkpredict.contracts.chain.interface import Chain, Contract, Receipt
    from zkpredict.contracts.systems.pay import Reading, Terms

_AT = "0x73DC7bD495A98BBdd74E9Fc86b2D27F54b3DA701"
FORMAT = "zkpredict deal 1"
_TERMS_BYTES = 1 << 14
_DEAL = "--deal deal.json --state chain.json"
EXAMPLE = f"""zkpredict escrow deploy --state chain.json
zkpredict escrow post --deal deal.json --contract {_AT} --predictor {_AT} --supplier {_AT} --instrument {_AT} --payout 0 --payout 100 --quota 10 --state chain.json
zkpredict escrow sign --deal deal.json --serial 0 --values reading.npy --out reading.json --state chain.json --account 2
zkpredict escrow deliver reading.json {_DEAL} --account 1
zkpredict escrow status {_DEAL} --account 1"""


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, summary, options, action in _ACTIONS:
        example = next((line for line in EXAMPLE.splitlines() if line.startswith(f"zkpredict escrow {name} ")), f"zkpredict escrow {name} {_DEAL}")
        chain_verb(actions, name, summary, example, options, action)


def run(arguments: argparse.Namespace, console: Console) -> int | None:
    return run_on_chain(arguments, console, arguments.act)


def _deploy_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--notice", type=at_least_one, default=7 * 86_400, metavar="SECONDS", help="how long deliveries go on after `close` (default: 604800)")


def _deploy(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.artifact import load
    from zkpredict.contracts.chain.interface import Contract

    with console.step("deploy"):
        prediction, first = Contract.deploy(chain, load("OpenPrediction"))
        escrow, second = Contract.deploy(chain, load("GoodsEscrow"), arguments.notice)
    console.result(
        {"contract": escrow.address, "prediction": prediction.address, "notice": arguments.notice, "gas": first.gas_used + second.gas_used},
        [
            f"GoodsEscrow is at {escrow.address}.",
            f"  prediction   OpenPrediction at {prediction.address}, which runs networks in the open",
            f"  notice       deliveries go on for {span(arguments.notice)} after `close`",
            "  rights       nobody has any: there is no owner",
        ],
    )


def _post_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--contract", required=True, metavar="ADDRESS", help="the escrow")
    parser.add_argument("--deal", required=True, metavar="FILE", help="where the terms are written: keep it, and give it to the supplier")
    add_judge_options(parser)
    parser.add_argument("--supplier", required=True, metavar="ADDRESS", help="who is paid")
    parser.add_argument("--instrument", required=True, metavar="ADDRESS", help="whose key signs the readings")
    parser.add_argument("--payout", type=number, action="append", required=True, metavar="WEI", help="for class 0, then 1, ...; once for each class")
    parser.add_argument("--quota", type=at_least_one, required=True, metavar="N", help="deliveries to pay for in advance")
    parser.add_argument("--days", type=at_least_one, default=60, help="until the deadline (default: 60)")
    parser.add_argument("--max-gap", type=number, default=2, metavar="N", help="serials that may be missing (default: 2)")
    parser.add_argument("--daily-cap", type=number, default=0, metavar="N", help="deliveries a day at most (default: 0, no cap)")


def _post(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from pathlib import Path

    from zkpredict.contracts.systems.pay import Terms, scale_hash

    if Path(arguments.deal).exists():
        raise UnusableInput(f"{arguments.deal} exists already: a deal's terms are kept, so give another file")
    escrow = claims_at(arguments, chain, "GoodsEscrow")
    prediction, model = judge_of(arguments, console, chain)
    terms = Terms(
        chain.sender, account_address(arguments.supplier), account_address(arguments.instrument), prediction, model,
        chain.block().timestamp + arguments.days * 86_400, arguments.max_gap, arguments.daily_cap, tuple(arguments.payout),
    )  # fmt: skip
    with console.step("open the deal"):
        receipt = escrow.transact("open", terms.argument, arguments.quota, scale_hash([0], [255]), value=terms.most * arguments.quota)
    found = next(fields["id"] for name, fields in escrow.events(receipt) if name == "Opened")
    write_atomically(arguments.deal, _written(escrow.address, found, terms))
    console.result(
        {"deal": found, "file": arguments.deal, "paid": terms.most * arguments.quota, "deadline": terms.deadline, "gas": receipt.gas_used},
        [
            f"Deal {found} is open; its terms are in {arguments.deal}.",
            f"  paid         {terms.most * arguments.quota} wei in advance, for {arguments.quota} deliveries",
            f"  until        {moment(terms.deadline)}",
            f"  gas          {receipt.gas_used:,}",
        ],
    )


def _deal_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--deal", required=True, metavar="FILE", help="the deal's terms, as `escrow post` wrote them")


def _sign_options(parser: argparse.ArgumentParser) -> None:
    _deal_option(parser)
    parser.add_argument("--serial", type=number, required=True, metavar="N", help="number of the reading in its deal, from 0")
    parser.add_argument("--values", required=True, metavar="FILE", help="the reading: .npy (uint8), one byte a channel")
    parser.add_argument("--out", required=True, metavar="FILE", help="where the signed reading is written")


def _sign(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.pay import Reading

    escrow, deal, terms = _opened(arguments, chain)
    reading = Reading(deal, arguments.serial, chain.block().timestamp, _values(arguments.values))
    if chain.sender != terms.instrument:
        raise UnusableInput(f"this account is {chain.sender}; readings of deal {deal} are signed by {terms.instrument}")
    r, vs = reading.sign(signing_key(arguments), chain.chain_id, escrow.address)
    data = {"deal": deal, "serial": reading.serial, "time": reading.time, "values": reading.values.hex(), "r": r.hex(), "vs": vs.hex()}
    write_atomically(arguments.out, json.dumps(data, indent=1).encode())
    console.result(data | {"file": arguments.out}, [f"Reading {reading.serial} of deal {deal} is signed: {arguments.out}."])


def _values(path: str) -> bytes:
    """The bytes of a reading: a flat .npy of uint8. Raises `MalformedFile`."""
    values = read_bytes_array(path)
    if values.ndim != 1:
        raise MalformedFile(f"reading {path}: a reading is one row of bytes, these are {values.ndim} dimensions")
    return values.tobytes()


def _deliver_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("reading", metavar="READING", help="a signed reading, as `escrow sign` wrote it")
    _deal_option(parser)
    parser.add_argument("--class", dest="class_", type=number, metavar="N", help="what the network says (default: ask the chain, in the open)")
    parser.add_argument("--evidence", metavar="HEX", default="", help="the proof, for a hidden network")


def _deliver(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    escrow, deal, terms = _opened(arguments, chain)
    reading, signature = _signed(arguments.reading, deal)
    evidence = hexadecimal(arguments.evidence, None, "--evidence")
    class_ = asked(chain, terms.prediction, terms.model, reading.values, evidence, len(terms.payout)) if arguments.class_ is None else arguments.class_
    with console.step("deliver"):
        receipt = escrow.transact("deliver", deal, terms.argument, reading.argument, signature, class_, evidence)
    paid = terms.payout[class_]
    console.result(
        {"deal": deal, "serial": reading.serial, "class": class_, "earned": paid, "gas": receipt.gas_used},
        [f"Delivered serial {reading.serial}: class {class_}, {paid} wei for the supplier.", f"  gas          {receipt.gas_used:,}"],
    )


def _end(verb: str, said: str):
    def act(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
        escrow, deal, terms = _opened(arguments, chain)
        with console.step(verb):
            receipt: Receipt = escrow.transact(verb, deal, terms.argument)
        console.result({"deal": deal, "done": verb, "gas": receipt.gas_used}, [f"Deal {deal}: {said}.", f"  gas          {receipt.gas_used:,}"])

    return act


def _status(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    escrow, deal, terms = _opened(arguments, chain)
    now, me = chain.block().timestamp, chain.sender
    _, quota, done, following, closing, _, _, closed, earned, _ = escrow.call("status", deal)
    end = min(closing or terms.deadline, terms.deadline)
    over = closed or now >= end or done >= quota
    phase = "CLOSED" if closed else "OVER" if over else "CLOSING" if closing else "OPEN"
    can = _can(terms, me, phase, earned, end)
    data = {
        "deal": deal, "phase": phase, "quota": quota, "delivered": done, "missing": following - done, "earned": earned, "until": end, "now": now,
        "held": escrow.call("held", deal.to_bytes(32, "big")), "you": me, "credit": escrow.call("credit", me), "you_can": can,
    }  # fmt: skip
    lines = [
        f"Deal {deal}: {phase}, {done} of {quota} delivered, {following - done} serials missing (at most {terms.max_gap}).",
        f"  until        {moment(end)}, it is {moment(now)}",
        f"  money        {data['held']} wei held, {earned} of them earned and not yet collected",
        *(f"  you can      {verb}; else {otherwise}" for verb, otherwise in can.items()),
    ]
    console.result(data, [*lines, f"You are {me}, with {data['credit']} wei to withdraw."])


def _can(terms: Terms, me: str, phase: str, earned: int, end: int) -> dict[str, str]:
    """What an account may do now, and what it loses by doing nothing."""
    found = {}
    if phase in ("OPEN", "CLOSING"):
        found["deliver"] = f"what is not delivered by {moment(end)} is not paid" if me == terms.supplier else "nothing of yours"
        if me in (terms.buyer, terms.instrument) and phase == "OPEN":
            found["close"] = "deliveries go on until the deadline"
    if phase == "OVER":
        found["reclaim"] = "what is left stays held for the buyer" if me == terms.buyer else "nothing of yours"
    if earned:
        found["collect"] = "what was earned stays earned"
    return found


def _withdraw(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    withdraw(console, _opened(arguments, chain)[0])


def _opened(arguments: argparse.Namespace, chain: Chain) -> tuple[Contract, int, Terms]:
    """Escrow, number and terms of the deal in the file. Raises `MalformedFile`, and `UnusableInput` when the chain has other terms."""
    from eth_abi import encode
    from eth_abi.exceptions import EncodingError
    from eth_utils import keccak

    from zkpredict.contracts.systems.pay import Terms

    data = load_json(read_file(arguments.deal, "deal", _TERMS_BYTES), f"deal {arguments.deal}")
    try:
        if data["format"] != FORMAT:
            raise MalformedFile(f"deal {arguments.deal}: it is no {FORMAT}")
        terms = Terms(**{name: bytes.fromhex(value) if name == "model" else tuple(value) if name == "payout" else value for name, value in data["terms"].items()})
        arguments.contract, deal = data["escrow"], data["deal"]
        types = "(address,address,address,address,bytes32,uint40,uint24,uint16,uint96[])"
        hashed = keccak(encode([types], [terms.argument]))
    except MalformedFile:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, EncodingError) as error:
        raise MalformedFile(f"deal {arguments.deal}: {type(error).__name__}: {error}") from None
    escrow = claims_at(arguments, chain, "GoodsEscrow")
    if escrow.call("termsOf", deal) != hashed:
        raise UnusableInput(f"the escrow at {escrow.address} has no deal {deal} with the terms in {arguments.deal}")
    return escrow, deal, terms


def _written(escrow: str, deal: int, terms: Terms) -> bytes:
    fields = {name: value.hex() if isinstance(value, bytes) else value for name, value in vars(terms).items()}
    return json.dumps({"format": FORMAT, "escrow": escrow, "deal": deal, "terms": fields}, indent=1).encode()


def _signed(path: str, deal: int) -> tuple[Reading, tuple[bytes, bytes]]:
    from zkpredict.contracts.systems.pay import Reading

    data = load_json(read_file(path, "reading", 1 << 20), f"reading {path}")
    try:
        reading = Reading(data["deal"], data["serial"], data["time"], bytes.fromhex(data["values"]))
        signature = bytes.fromhex(data["r"]), bytes.fromhex(data["vs"])
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedFile(f"reading {path}: {type(error).__name__}: {error}") from None
    if reading.deal != deal:
        raise UnusableInput(f"the reading in {path} is of deal {reading.deal}, the terms are of deal {deal}")
    return reading, signature


_ACTIONS = (
    ("deploy", "deploy an escrow, which serves any number of deals", _deploy_options, _deploy),
    ("post", "open a deal and pay for it in advance", _post_options, _post),
    ("sign", "sign a reading as the deal's instrument", _sign_options, _sign),
    ("deliver", "deliver a signed reading", _deliver_options, _deliver),
    ("close", "want no more: deliveries go on for the notice", _deal_option, _end("close", "it closes when the notice is over")),
    ("collect", "credit what was earned to the supplier", _deal_option, _end("collect", "what was earned is the supplier's credit")),
    ("reclaim", "end a deal that is over", _deal_option, _end("reclaim", "it is over, and what was left is the buyer's credit")),
    ("status", "say where a deal is, what you may do, and what waiting costs", _deal_option, _status),
    ("withdraw", "take your credit", _deal_option, _withdraw),
)
