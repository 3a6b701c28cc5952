"""`zkpredict judged`: contests of sealed inputs that hidden networks grade, on any chain.

Salts come from the signing key, and revealed inputs are in the chain's events: a judge needs its model file and nothing else.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import FalseClaim, UnusableInput
from zkpredict.cli.chain import checked_address
from zkpredict.cli.claims import account_address, chain_verb, claims_at, moment, number, run_on_chain, signing_key, wei, withdraw
from zkpredict.cli.console import Console
from zkpredict.cli.judgement import Witness, add_evidence_options, hexadecimal
from zkpredict.cli.parser import at_least_one
from zkpredict.cli.statement import add_image_options, read_statement_image

if TYPE_CHECKING:
    from zkpredict.contracts.chain.interface import Chain, Contract, Receipt
    from zkpredict.contracts.systems.contest import Panel, Sealing

_AT = "0x73DC7bD495A98BBdd74E9Fc86b2D27F54b3DA701"
_PLACE = f"1 --contract {_AT} --state chain.json"
_PICTURE = f"1 examples/seven.png --contract {_AT} --state chain.json"
_WORDS = {
    "deploy": "--state chain.json",
    "create": f"--contract {_AT} --prediction {_AT} --judge {_AT}:{'ab' * 32} --input-bytes 784 --prize 1000000 --fee 30 --bond 100 --state chain.json",
    "enter": _PICTURE, "reveal": _PICTURE, "grade": f"{_PLACE} --model examples/mnist.model", "collect": f"{_PLACE} --entrant {_AT}",
}  # fmt: skip
EXAMPLE = "\n".join(f"zkpredict judged {name} {_WORDS.get(name, _PLACE)}" for name in ("deploy", "create", "stand", "enter", "reveal", "grade"))
_HOUR = 3600


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, summary, options, action in _ACTIONS:
        chain_verb(actions, name, summary, f"zkpredict judged {name} {_WORDS.get(name, _PLACE)}", options, action)


def run(arguments: argparse.Namespace, console: Console) -> int | None:
    return run_on_chain(arguments, console, arguments.act)


def _deploy_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--min-window", type=at_least_one, default=24 * _HOUR, metavar="SECONDS", help="least length of every phase (default: 86400)")


def _deploy(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.artifact import load
    from zkpredict.contracts.chain.interface import Contract

    with console.step("deploy"):
        contract, receipt = Contract.deploy(chain, load("JudgedContest"), arguments.min_window)
    console.result({"contract": contract.address, "gas": receipt.gas_used}, [f"JudgedContest is at {contract.address}.", "  rights       nobody has any: there is no owner"])


def _create_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--contract", required=True, metavar="ADDRESS", help="a JudgedContest")
    parser.add_argument("--prediction", required=True, metavar="ADDRESS", help="a ProvenPrediction for hidden judges, or another IPrediction")
    parser.add_argument("--judge", action="append", required=True, metavar="ADDRESS:MODEL", help="who grades, and the id of its model; 1, 3 or 5 times")
    parser.add_argument("--input-bytes", type=at_least_one, required=True, metavar="N", help="bytes of every input")
    parser.add_argument("--prize", type=wei, required=True, metavar="WEI", help="paid in now")
    parser.add_argument("--fee", type=number, required=True, metavar="WEI", help="of every entrant, earned by the judges")
    parser.add_argument("--bond", type=wei, required=True, metavar="WEI", help="of every judge, lost to the entries that it leaves out")
    parser.add_argument("--most", type=at_least_one, default=20, metavar="N", help="entries at most (default: 20)")
    parser.add_argument("--hours", type=at_least_one, default=24, help="length of each of the four phases (default: 24)")


def _create(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.contest import JUDGED_PHASES, Panel

    contract, now = claims_at(arguments, chain, "JudgedContest"), chain.block().timestamp + 60
    judges = tuple(map(_judge, arguments.judge))
    if len(judges) not in (1, 3, 5) or arguments.most > 65_535 or arguments.bond < arguments.most:
        raise UnusableInput("there are 1, 3 or 5 judges, at most 65535 entries, and a bond of at least a wei for each entry")
    deadlines = tuple(now + (phase + 1) * arguments.hours * _HOUR for phase in range(4))
    panel = Panel(checked_address(chain, arguments.prediction), arguments.input_bytes, arguments.most, arguments.fee, arguments.bond, deadlines, judges)
    with console.step("create"):
        receipt = contract.transact("create", panel.argument, value=arguments.prize)
    found = next(fields["id"] for name, fields in contract.events(receipt) if name == "Created")
    console.result(
        {"contest": found, "deadlines": list(deadlines), "gas": receipt.gas_used},
        [f"Contest {found} is open.", *(f"  {name:12} until {moment(deadline)}" for name, deadline in zip(JUDGED_PHASES[:-1], deadlines, strict=True)),
         f"  gas          {receipt.gas_used:,}"],
    )  # fmt: skip


def _judge(text: str) -> tuple[str, bytes]:
    owner, colon, model = text.partition(":")
    if not colon:
        raise UnusableInput(f"--judge {text} is no ADDRESS:MODEL")
    return account_address(owner), hexadecimal(model, 32, "the model of --judge")


def _contest_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("contest", type=number, metavar="CONTEST", help="its number")
    parser.add_argument("--contract", required=True, metavar="ADDRESS", help="the JudgedContest")


def _stand(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    contract, panel = _found(arguments, chain)
    mine = _seats(panel, chain.sender)
    if not mine:
        raise UnusableInput(f"this account is {chain.sender}, and the judges of contest {arguments.contest} are {', '.join(owner for owner, _ in panel.judges)}")
    _send(console, contract, arguments.contest, [("stand", (judge,), panel.bond) for judge in mine], "you stand: grade every entry, or lose bond to it")


def _picture_options(parser: argparse.ArgumentParser) -> None:
    _contest_options(parser)
    parser.add_argument("image", nargs="?", metavar="IMAGE", help="the input: PNG, JPEG or .npy (uint8)")
    add_image_options(parser)


def _enter(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    contract, panel = _found(arguments, chain)
    data = read_statement_image(arguments, console, arguments.image, panel.input_bytes).tobytes()
    seal = _sealing(arguments, contract).input(data)
    _send(console, contract, arguments.contest, [("enter", (seal,), panel.fee)], f"you are in; reveal in the next phase, or lose the fee of {panel.fee} wei")


def _reveal(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.contest import JUDGED_ENTRY

    contract, panel = _found(arguments, chain)
    data = read_statement_image(arguments, console, arguments.image, panel.input_bytes).tobytes()
    salt = _sealing(arguments, contract).salt(JUDGED_ENTRY)
    _send(console, contract, arguments.contest, [("reveal", (data, salt), 0)], "your input is shown, for the judges to grade")


def _grade_options(parser: argparse.ArgumentParser) -> None:
    _entrant_options(parser)
    parser.add_argument("--judge", type=number, metavar="N", help="as which judge, from 0 (default: the one that is yours)")
    add_evidence_options(parser)


def _grade(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    """Grades one entry, or all that the judge has not graded yet."""
    contract, panel = _found(arguments, chain)
    judge = _seat(arguments, panel, chain.sender)
    entries = {who: data for who, data in _revealed(contract, arguments.contest).items() if not _graded(contract, arguments.contest, who, judge)}
    wanted = _named(arguments, entries, "left to grade")
    if len(wanted) > 1 and arguments.class_ is not None:
        raise UnusableInput("--class is of one entry: give --entrant ADDRESS")
    witness = Witness(arguments, console, chain, panel.prediction, panel.judges[judge][1])
    calls = []
    for who in wanted:
        class_, evidence = witness.says(entries[who])
        calls.append(("grade", (who, judge, entries[who], class_, evidence), 0))
    _send(console, contract, arguments.contest, calls, f"{len(calls)} entries are graded: {', '.join(str(call[1][3]) for call in calls)}")


def _entrant_options(parser: argparse.ArgumentParser) -> None:
    _contest_options(parser)
    parser.add_argument("--entrant", metavar="ADDRESS", help="whose entry (default: all)")


def _rank(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    contract, _ = _found(arguments, chain)
    found = {who: contract.call("entryOf", arguments.contest, who) for who in _revealed(contract, arguments.contest)}
    wanted = _named(arguments, {who: entry for who, entry in found.items() if entry[4] and not entry[3]}, "left to rank")
    _send(console, contract, arguments.contest, [("rank", (who,), 0) for who in wanted], f"{len(wanted)} entries are ranked")


def _settle(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    contract, _ = _found(arguments, chain)
    _send(console, contract, arguments.contest, [("settle", (), 0)], "the contest is over; `judged collect` credits each entrant")


def _collect(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    contract, _ = _found(arguments, chain)
    entrants = (event["who"] for event in contract.history("Entered", arguments.contest))
    wanted = _named(arguments, {who: who for who in entrants if not contract.call("entryOf", arguments.contest, who)[2]}, "left to collect for")
    _send(console, contract, arguments.contest, [("collect", (who,), 0) for who in wanted], f"what is theirs is credited to {len(wanted)} entrants")


def _withdraw(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    withdraw(console, claims_at(arguments, chain, "JudgedContest"))


def _status(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.contest import JUDGED_PHASES

    contract, panel = _found(arguments, chain)
    me, now = chain.sender, chain.block().timestamp
    phase, settled, entered, revealed, standing, best, winners = contract.call("status", arguments.contest)
    name = "SETTLED" if settled else JUDGED_PHASES[phase]
    until = panel.deadlines[phase] if phase < 4 else None
    can, credit = _can(arguments, contract, panel, phase, settled, me), contract.call("credit", me)
    data = {
        "contest": arguments.contest, "phase": name, "until": until, "now": now, "entered": entered, "revealed": revealed, "judges": len(panel.judges),
        "standing": standing, "best": best - 1 if best else None, "winners": winners, "you": me, "credit": credit, "you_can": can,
    }  # fmt: skip
    lines = [
        f"Contest {arguments.contest}: {name}{'' if until is None else f' until {moment(until)}'}, it is {moment(now)}.",
        f"  entered      {entered}, revealed {revealed}; {standing} of {len(panel.judges)} judges stand",
        f"  best         {f'{winners} with a median of {best - 1}' if best else 'nobody is ranked yet'}",
        *(f"  you can      {verb}; else {otherwise}" for verb, otherwise in can.items()),
    ]
    console.result(data, [*lines, f"You are {me}, with {credit} wei to withdraw."])


def _can(arguments: argparse.Namespace, contract: Contract, panel: Panel, phase: int, settled: bool, me: str) -> dict[str, str]:
    """What an account may do now, and what it loses by doing nothing."""
    contest, found = arguments.contest, {}
    input_hash, entered, collected, _, _, _ = contract.call("entryOf", contest, me)
    seats = _seats(panel, me)
    if settled:
        return {"collect": "your money stays here"} if entered and not collected else {}
    stood = {event["judge"] for event in contract.history("Stood", contest)}
    if phase == 0:
        found |= {"stand": "you do not grade, and earn no fees"} if set(seats) - stood else {}
        found |= {} if entered else {"enter": "you do not take part"}
    if phase == 1 and entered and not any(input_hash):
        found["reveal"] = f"your fee of {panel.fee} wei is slashed"
    if phase == 2 and stood & set(seats):
        left = sum(not _graded(contract, contest, who, judge) for who in _revealed(contract, contest) for judge in seats)
        found |= {"grade": f"your bond of {panel.bond} wei goes to the {left} entries that you leave out"} if left else {}
    if phase == 3:
        found["rank"] = "an entry without a rank wins nothing"
    if phase == 4:
        found["settle"] = "nobody is paid until somebody does"
    return found


def _revealed(contract: Contract, contest: int) -> dict[str, bytes]:
    """Every revealed input, by its entrant."""
    return {event["who"]: event["input"] for event in contract.history("Revealed", contest)}


def _graded(contract: Contract, contest: int, who: str, judge: int) -> bool:
    return contract.call("entryOf", contest, who)[5] >> 16 * judge & 0xFFFF != 0


def _named(arguments: argparse.Namespace, entries: dict[str, object], what: str) -> list[str]:
    """The entrants that the options name, all without `--entrant`. Raises `FalseClaim` when there is none."""
    wanted = [who for who in entries if arguments.entrant is None or who.lower() == account_address(arguments.entrant).lower()]
    if not wanted:
        raise FalseClaim(f"there is no entry {what}{'' if arguments.entrant is None else f' of {arguments.entrant}'}")
    return wanted


def _seat(arguments: argparse.Namespace, panel: Panel, me: str) -> int:
    """The judge that the options name. Raises `UnusableInput`."""
    mine = _seats(panel, me) if arguments.judge is None else [arguments.judge]
    if len(mine) != 1 or mine[0] >= len(panel.judges):
        raise UnusableInput(f"give --judge N, 0 to {len(panel.judges) - 1}: {me} is {'none of them' if not mine else 'several' if len(mine) > 1 else 'not that one'}")
    return mine[0]


def _seats(panel: Panel, who: str) -> list[int]:
    return [number for number, (owner, _) in enumerate(panel.judges) if owner.lower() == who.lower()]


def _found(arguments: argparse.Namespace, chain: Chain) -> tuple[Contract, Panel]:
    """The contract, and how the contest was set up. Raises `UnusableInput` when there is no such contest."""
    from zkpredict.contracts.systems.contest import Panel

    contract = claims_at(arguments, chain, "JudgedContest")
    sponsor, found = contract.call("panelOf", arguments.contest)
    if int(sponsor, 16) == 0:
        raise UnusableInput(f"the contract at {contract.address} has no contest {arguments.contest}")
    return contract, Panel(*found)


def _sealing(arguments: argparse.Namespace, contract: Contract) -> Sealing:
    from zkpredict.contracts.systems.contest import Sealing

    chain = contract.chain
    return Sealing(signing_key(arguments), chain.sender, chain.chain_id, contract.address, arguments.contest)


def _send(console: Console, contract: Contract, contest: int, calls: list[tuple[str, tuple, int]], said: str) -> None:
    """Sends calls (function, arguments, wei), a transaction each, and says what came of them."""
    receipts: list[Receipt] = []
    for n, (function, arguments, value) in enumerate(calls, 1):
        with console.step(function if len(calls) == 1 else f"{function} {n} of {len(calls)}"):
            receipts.append(contract.transact(function, contest, *arguments, value=value))
    gas, paid = sum(receipt.gas_used for receipt in receipts), sum(value for _, _, value in calls)
    console.result({"contest": contest, "done": calls[0][0], "calls": len(calls), "paid": paid, "gas": gas}, [f"Contest {contest}: {said}.", f"  gas          {gas:,}"])


_ACTIONS = (
    ("deploy", "deploy a contract that holds any number of judged contests", _deploy_options, _deploy),
    ("create", "open a contest, name its judges and pay the prize in", _create_options, _create),
    ("stand", "bond yourself as a judge", _contest_options, _stand),
    ("enter", "enter with a sealed input", _picture_options, _enter),
    ("reveal", "show the input that you sealed", _picture_options, _reveal),
    ("grade", "grade entries with what your network says, and prove it", _grade_options, _grade),
    ("rank", "rank entries by the median of their grades", _entrant_options, _rank),
    ("settle", "end a contest whose time is over", _contest_options, _settle),
    ("collect", "credit entrants what is theirs", _entrant_options, _collect),
    ("status", "say where a contest is, what you may do, and what waiting costs", _contest_options, _status),
    ("withdraw", "take your credit", _contest_options, _withdraw),
)
