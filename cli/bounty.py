"""`zkpredict bounty`: pots that pay for pictures of one class, as a judge's network says, on any chain.

A picture is sealed before it is shown; salts come from the signing key, shown pictures are in the chain's events: nothing to keep but the picture.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnusableInput
from zkpredict.cli.claims import account_address, chain_verb, claims_at, moment, number, run_on_chain, signing_key, span, wei, withdraw
from zkpredict.cli.console import Console
from zkpredict.cli.judgement import Witness, add_evidence_options, add_judge_options, judge_of
from zkpredict.cli.parser import at_least_one
from zkpredict.cli.statement import add_image_options, read_statement_image

if TYPE_CHECKING:
    from zkpredict.contracts.chain.interface import Chain, Contract
    from zkpredict.contracts.systems.pay import Offer

_AT = "0x73DC7bD495A98BBdd74E9Fc86b2D27F54b3DA701"
_PLACE = f"1 --contract {_AT} --state chain.json"
_PICTURE = f"1 examples/seven.png --contract {_AT} --state chain.json"
_WORDS = {
    "deploy": "--state chain.json",
    "post": f"--contract {_AT} --judge {_AT} --predictor {_AT} --input-bytes 784 --class 7 --wanted 2 --reward 1000 --deposit 10 --state chain.json",
    "stand": f"{_PLACE} --places 3", "seal": _PICTURE, "show": _PICTURE,
    "answer": f"{_PLACE} --claimant {_AT} --model examples/mnist.model", "expire": f"{_PLACE} --claimant {_AT}",
}  # fmt: skip
EXAMPLE = "\n".join(f"zkpredict bounty {name} {_WORDS[name]}" for name in ("deploy", "post", "stand", "seal", "show", "answer"))


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, summary, options, action in _ACTIONS:
        chain_verb(actions, name, summary, f"zkpredict bounty {name} {_WORDS.get(name, _PLACE)}", options, action)


def run(arguments: argparse.Namespace, console: Console) -> int | None:
    return run_on_chain(arguments, console, arguments.act)


def _deploy_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--window", type=at_least_one, default=86_400, metavar="SECONDS", help="time to show, and to answer (default: 86400)")


def _deploy(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.artifact import load
    from zkpredict.contracts.chain.interface import Contract

    with console.step("deploy"):
        contract, receipt = Contract.deploy(chain, load("ImageBounty"), arguments.window)
    console.result(
        {"contract": contract.address, "window": arguments.window, "gas": receipt.gas_used},
        [f"ImageBounty is at {contract.address}.", f"  window       {span(arguments.window)} to show a sealed picture, and to answer a shown one",
         "  rights       nobody has any: there is no owner"],
    )  # fmt: skip


def _post_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--contract", required=True, metavar="ADDRESS", help="an ImageBounty")
    parser.add_argument("--judge", required=True, metavar="ADDRESS", help="who answers, and bonds itself to")
    add_judge_options(parser)
    parser.add_argument("--input-bytes", type=at_least_one, required=True, metavar="N", help="bytes of a picture")
    parser.add_argument("--class", dest="wanted_class", type=number, required=True, metavar="N", help="the class that is paid for, 0 to 255")
    parser.add_argument("--wanted", type=at_least_one, required=True, metavar="N", help="how many pictures are paid for")
    parser.add_argument("--places", type=at_least_one, default=3, metavar="N", help="claims that may be open at a time (default: 3)")
    parser.add_argument("--reward", type=wei, required=True, metavar="WEI", help="for a picture; all of it is paid in now")
    parser.add_argument("--deposit", type=wei, required=True, metavar="WEI", help="of a claimant: the judge's when the answer is no")
    parser.add_argument("--share", type=wei, metavar="WEI", help="of the judge's bond, for each claim: the claimant's when the judge is silent (default: the reward)")
    parser.add_argument("--days", type=at_least_one, default=30, help="for how long claims are taken (default: 30)")


def _post(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.pay import Offer

    contract = claims_at(arguments, chain, "ImageBounty")
    if arguments.wanted_class > 255 or max(arguments.wanted, arguments.places) >= 1 << 16:
        raise UnusableInput("--class is at most 255, --wanted and --places at most 65535")
    prediction, model = judge_of(arguments, console, chain)
    offer = Offer(
        account_address(arguments.judge), prediction, model, arguments.input_bytes, arguments.wanted_class, arguments.wanted, arguments.places,
        arguments.reward, arguments.deposit, arguments.share or arguments.reward, chain.block().timestamp + arguments.days * 86_400,
    )  # fmt: skip
    with console.step("post"):
        receipt = contract.transact("post", offer.argument, value=offer.reward * offer.wanted)
    found = next(fields["id"] for name, fields in contract.events(receipt) if name == "Posted")
    console.result(
        {"bounty": found, "paid": offer.reward * offer.wanted, "until": offer.seal_by, "model": model.hex(), "gas": receipt.gas_used},
        [f"Bounty {found} is posted: {offer.reward} wei for each of {offer.wanted} pictures of class {offer.wanted_class}.",
         f"  next         {offer.judge} stands, for {offer.share} wei of bond a claim", f"  until        {moment(offer.seal_by)}", f"  gas          {receipt.gas_used:,}"],
    )  # fmt: skip


def _bounty_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bounty", type=number, metavar="BOUNTY", help="its number")
    parser.add_argument("--contract", required=True, metavar="ADDRESS", help="the ImageBounty")


def _stand_options(parser: argparse.ArgumentParser) -> None:
    _bounty_options(parser)
    parser.add_argument("--places", type=at_least_one, required=True, metavar="N", help="for how many claims at a time")


def _stand(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    contract, offer = _found(arguments, chain)
    if arguments.places >= 1 << 16:
        raise UnusableInput("--places is at most 65535")
    _send(console, contract, "stand", arguments.bounty, arguments.places, value=offer.share * arguments.places,
          said=f"you answer up to {arguments.places} claims more at a time; silence costs {offer.share} wei each")  # fmt: skip


def _picture_options(parser: argparse.ArgumentParser) -> None:
    _bounty_options(parser)
    parser.add_argument("image", nargs="?", metavar="IMAGE", help="the picture: PNG, JPEG or .npy (uint8)")
    add_image_options(parser)


def _seal(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.pay import PICTURE
    from zkpredict.contracts.systems.seals import seal

    contract, offer = _found(arguments, chain)
    picture = read_statement_image(arguments, console, arguments.image, offer.input_bytes).tobytes()
    made = seal(PICTURE, chain.chain_id, contract.address, arguments.bounty, chain.sender, picture, _salt(arguments, contract))
    _send(console, contract, "seal", arguments.bounty, made, value=offer.deposit,
          said=f"your picture is sealed; show it within {span(contract.call('window'))}, or lose the deposit of {offer.deposit} wei")  # fmt: skip


def _show(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    contract, offer = _found(arguments, chain)
    picture = read_statement_image(arguments, console, arguments.image, offer.input_bytes).tobytes()
    _send(console, contract, "show", arguments.bounty, picture, _salt(arguments, contract),
          said=f"your picture is shown; the judge answers within {span(contract.call('window'))}, or pays you")  # fmt: skip


def _claimant_options(parser: argparse.ArgumentParser) -> None:
    _bounty_options(parser)
    parser.add_argument("--claimant", required=True, metavar="ADDRESS", help="whose picture")


def _answer_options(parser: argparse.ArgumentParser) -> None:
    _claimant_options(parser)
    add_evidence_options(parser)


def _answer(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    """Says what the network says about the picture that a claimant showed last."""
    contract, offer = _found(arguments, chain)
    who = account_address(arguments.claimant)
    shown = [event["input"] for event in contract.history("Shown", arguments.bounty) if event["claimant"].lower() == who.lower()]
    if not shown:
        raise UnusableInput(f"{who} showed no picture in bounty {arguments.bounty}")
    class_, evidence = Witness(arguments, console, chain, offer.prediction, offer.model).says(shown[-1])
    outcome = "the reward is the claimant's" if class_ == offer.wanted_class else "the deposit is the judge's"
    _send(console, contract, "answer", arguments.bounty, who, shown[-1], class_, evidence, said=f"the picture is in class {class_}: {outcome}")


def _expire(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    contract, _ = _found(arguments, chain)
    who = account_address(arguments.claimant)
    _send(console, contract, "expire", arguments.bounty, who, said=f"the claim of {who} is over, by time")


def _finish(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    contract, _ = _found(arguments, chain)
    _send(console, contract, "finish", arguments.bounty, said="it is over; what is left is the sponsor's credit, the bond the judge's")


def _withdraw(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    withdraw(console, claims_at(arguments, chain, "ImageBounty"))


def _status(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    contract, offer = _found(arguments, chain)
    now, me = chain.block().timestamp, chain.sender
    _, left, _, places, finished = contract.call("status", arguments.bounty)
    claims = _claims(contract, arguments.bounty)
    taking = left > 0 and now < offer.seal_by
    phase = "FINISHED" if finished else "OPEN" if taking else "CLOSING" if claims else "OVER"
    can = _can(arguments.bounty, contract, offer, claims, phase, places, now, me)
    credit = contract.call("credit", me)
    data = {
        "bounty": arguments.bounty, "phase": phase, "until": offer.seal_by, "now": now, "class": offer.wanted_class, "left": left, "places": places,
        "reward": offer.reward, "deposit": offer.deposit, "claims": claims, "you": me, "credit": credit, "you_can": can,
    }  # fmt: skip
    lines = [
        f"Bounty {arguments.bounty}: {phase}; {left} more pictures of class {offer.wanted_class} are paid {offer.reward} wei each.",
        f"  until        {moment(offer.seal_by)}, it is {moment(now)}",
        f"  judge        {offer.judge}, its bond covers {places} claims at a time",
        *(f"  claim        {c['claimant']} {'shown' if c['shown'] else 'sealed'}, until {moment(c['until'])}" for c in claims),
        *(f"  you can      {verb}; else {otherwise}" for verb, otherwise in can.items()),
    ]
    console.result(data, [*lines, f"You are {me}, with {credit} wei to withdraw."])


def _claims(contract: Contract, bounty: int) -> list[dict]:
    """All open claims: who, until when the next step has to come, and whether the picture is shown."""
    claimants = dict.fromkeys(event["claimant"] for event in contract.history("Sealed", bounty))
    found = [(who, *contract.call("claimOf", bounty, who)) for who in claimants]
    return [{"claimant": account_address(who), "until": until, "shown": any(shown)} for who, until, shown in found if until]


def _can(bounty: int, contract: Contract, offer: Offer, claims: list[dict], phase: str, places: int, now: int, me: str) -> dict[str, str]:
    """What an account may do now, and what it loses by doing nothing."""
    found, judge = {}, offer.judge.lower() == me.lower()
    if phase == "FINISHED":
        return found
    if phase == "OPEN" and judge and places <= len(claims):
        found["stand"] = "nobody can claim, and you earn no deposits"
    mine = [claim for claim in claims if claim["claimant"].lower() == me.lower()]
    if phase == "OPEN" and not mine and len(claims) < min(places, offer.places):
        found["seal"] = "somebody else gets the reward"
    for claim in claims:
        who, in_time = claim["claimant"], now < claim["until"]
        if not in_time:
            found[f"expire --claimant {who}"] = "money of this claim stays held"
        elif claim["shown"]:
            found[f"answer --claimant {who}"] = f"{offer.share} wei of your bond are the claimant's" if judge else "nothing of yours"
        elif claim in mine:
            found["show"] = f"your deposit of {offer.deposit} wei is slashed"
    if phase == "OVER":
        found["finish"] = "pot and bond stay held"
    return found


def _found(arguments: argparse.Namespace, chain: Chain) -> tuple[Contract, Offer]:
    """The contract and what the bounty offers. Raises `UnusableInput` when there is none of this number."""
    from zkpredict.contracts.systems.pay import Offer

    contract = claims_at(arguments, chain, "ImageBounty")
    if not 1 <= arguments.bounty <= contract.call("bounties"):
        raise UnusableInput(f"the contract at {contract.address} has no bounty {arguments.bounty}")
    return contract, Offer(*contract.call("status", arguments.bounty)[0])


def _salt(arguments: argparse.Namespace, contract: Contract) -> bytes:
    from zkpredict.contracts.systems.pay import PICTURE
    from zkpredict.contracts.systems.seals import derive_salt

    return derive_salt(signing_key(arguments), PICTURE, contract.chain.chain_id, contract.address, arguments.bounty)


def _send(console: Console, contract: Contract, function: str, bounty: int, *arguments: object, value: int = 0, said: str) -> None:
    with console.step(function):
        receipt = contract.transact(function, bounty, *arguments, value=value)
    console.result({"bounty": bounty, "done": function, "paid": value, "gas": receipt.gas_used}, [f"Bounty {bounty}: {said}.", f"  gas          {receipt.gas_used:,}"])


_ACTIONS = (
    ("deploy", "deploy a contract that holds any number of bounties", _deploy_options, _deploy),
    ("post", "offer a reward for pictures and pay it in", _post_options, _post),
    ("stand", "bond yourself as a bounty's judge", _stand_options, _stand),
    ("seal", "commit to a picture and pay the deposit", _picture_options, _seal),
    ("show", "show the picture that you sealed", _picture_options, _show),
    ("answer", "say with evidence what the network says about a shown picture", _answer_options, _answer),
    ("expire", "end a claim whose next step did not come in time", _claimant_options, _expire),
    ("finish", "end a bounty that takes no more claims", _bounty_options, _finish),
    ("status", "say where a bounty is, what you may do, and what waiting costs", _bounty_options, _status),
    ("withdraw", "take your credit", _bounty_options, _withdraw),
)
