"""`zkpredict market`: buys answers to items from strangers, and sells them, on any chain.

A job is an address of `AnswerMarket` and a number. Salts come from the signing key, answers from `--answers` or, for a job about a
named network, from `--model`; nothing else has to be kept between two verbs.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnusableInput
from zkpredict.cli.chain import checked_address
from zkpredict.cli.claims import chain_verb, claims_at, moment, number, run_on_chain, span, wei, withdraw
from zkpredict.cli.console import Console
from zkpredict.cli.network import add_network_options, read_network
from zkpredict.cli.parser import at_least_one

if TYPE_CHECKING:
    import numpy as np

    from zkpredict.contracts.chain.interface import Chain, Receipt
    from zkpredict.contracts.systems.market import Checks, Market

_FIRST = "0x1e2f3311a0ed312f0229A66403d72Bc4e4517831"
"""Where the market is after the first line of the example: the embedded chain's first contract."""
EXAMPLE = f"""zkpredict market deploy --state chain.json
zkpredict market join 1 --units 2 --contract {_FIRST} --state chain.json --account 1
zkpredict market status 1 --contract {_FIRST} --state chain.json --account 1"""


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, summary, options, action in _ACTIONS:
        chain_verb(actions, name, summary, _example(name), options, action)


def _example(name: str) -> str:
    model = "--model examples/mnist.model "
    words = {
        "post": "pictures.npy --units 6 --columns 1,4,6 --reward 100000000000000000 --stake 100000000000000000 --bond 500000000000000000 " + model,
        "join": "1 --units 2 ", "draw": "1 ", "items": "1 --out items.npy ", "commit": "1 " + model, "reveal": "1 " + model,
        "open": "1 --columns 1,4,6 " + model, "settle": "1 ", "contest": "1 " + model, "collect": "1 ", "status": "1 ",
    }.get(name, "")  # fmt: skip
    contract = "" if name == "deploy" else f"--contract {_FIRST} "
    return f"zkpredict market {name} {words}{contract}--state chain.json"


def run(arguments: argparse.Namespace, console: Console) -> int | None:
    return run_on_chain(arguments, console, arguments.act)


def _deploy_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--draw-delay", type=at_least_one, default=128, metavar="BLOCKS", help="how far ahead the drawing block is (default: 128)")
    parser.add_argument("--min-window", type=at_least_one, default=86_400, metavar="SECONDS", help="the shortest phase of a job (default: 86400)")
    parser.add_argument("--least-stake", type=wei, default=10**15, metavar="WEI", help="the least stake of a unit (default: 10^15)")


def _deploy(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.market import deploy

    with console.step("deploy"):
        contract = deploy(chain, arguments.draw_delay, arguments.min_window, arguments.least_stake)
    console.result({"contract": contract.address}, [f"AnswerMarket is at {contract.address}.", "  rights       nobody has any: there is no owner"])


def _contract_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--contract", required=True, metavar="ADDRESS", help="the market")


def _job_options(parser: argparse.ArgumentParser) -> None:
    _contract_option(parser)
    parser.add_argument("job", type=number, metavar="JOB", help="number of the job")


def _answer_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--answers", metavar="FILE", help="JSON list of the answers to all items, 0 to 15 (null where there is none)")
    add_network_options(parser, required=False)


def _post_options(parser: argparse.ArgumentParser) -> None:
    _contract_option(parser)
    parser.add_argument("items", metavar="ITEMS", help="the items: .npy, uint8 [items, bytes], at most 256")
    parser.add_argument("--units", type=at_least_one, required=True, metavar="N", help="how many units the work is cut into")
    parser.add_argument("--copies", type=at_least_one, default=2, metavar="N", help="how often each item is answered (default: 2)")
    parser.add_argument("--columns", required=True, metavar="A,B,...", help="the columns that are checked: column c is items c*R to c*R+R-1, R = units / copies")
    for name, what in (("reward", "paid for a unit"), ("stake", "staked for a unit"), ("bond", "yours, for honest checks")):
        parser.add_argument(f"--{name}", type=wei, required=True, metavar="WEI", help=what)
    parser.add_argument("--allowed", type=number, default=0, metavar="N", help="wrong answers among a unit's checks that pass (default: 0)")
    parser.add_argument("--window", type=at_least_one, default=86_400, metavar="SECONDS", help="length of each of the five phases (default: 86400)")
    parser.add_argument("--predictor", metavar="ADDRESS", help="the deployed network that the answers are of; else they are people's labels")
    _answer_options(parser)


def _post(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.artifact import load
    from zkpredict.contracts.chain.interface import Contract
    from zkpredict.contracts.systems.market import NOBODY, Terms

    market = _market(arguments, chain)
    if arguments.units % arguments.copies:
        raise UnusableInput(f"--units is a multiple of --copies, got {arguments.units} and {arguments.copies}")
    items = _items(arguments.items)
    prediction, model = NOBODY, bytes(32)
    if arguments.predictor is not None:
        predictor = checked_address(chain, arguments.predictor)
        with console.step("deploy the judge"):
            judge, _ = Contract.deploy(chain, load("OpenPrediction"))
        prediction, model = judge.address, judge.call("modelOf", predictor)
    columns = _columns(arguments.columns)
    terms = Terms(arguments.units, arguments.copies, len(columns), arguments.reward, arguments.stake, arguments.bond, arguments.allowed, prediction,
                  model, (arguments.window,) * 5)  # fmt: skip
    checks = _checks(columns, terms.rows, _all_answers(arguments, console, [row.tobytes() for row in items]))
    upcoming = market.contract.call("jobs") + 1
    with console.step("post"):
        job, receipt = market.post(terms, items, checks, market.salt(_key(arguments), upcoming))
    if job != upcoming:
        raise UnusableInput(f"job {job} was made while somebody posted job {upcoming}: its checks are sealed under the salt of job {upcoming}")
    console.result(
        {"job": job, "units": terms.units, "items": len(items), "per_unit": len(items) // terms.rows, "gas": receipt.gas_used},
        [
            f"Job {job}: {len(items)} items, answered {terms.replication} times, in {terms.units} units of {len(items) // terms.rows}.",
            f"  money        {terms.reward * terms.units} wei for units, {terms.bond} wei bond",
            f"  phases       {span(arguments.window)} each: join, commit, reveal, check, settle",
            "  next         `market open` in the check phase, or your bond is the workers'; keep your answers until then",
            f"  gas          {receipt.gas_used:,}",
        ],
    )


def _join_options(parser: argparse.ArgumentParser) -> None:
    _job_options(parser)
    parser.add_argument("--units", type=at_least_one, required=True, metavar="N", help="how many units to take")


def _join(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    market = _market(arguments, chain)
    job = market.job(arguments.job)
    receipt = market.join(job.number, arguments.units)
    mine = market.units_of(job.number, chain.sender)
    _done(console, {"job": job.number, "units": mine}, f"Yours are units {', '.join(map(str, mine))} of job {job.number}, for {job.stake} wei each.", receipt)


def _draw(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    market = _market(arguments, chain)
    verb, receipt = market.draw(market.job(arguments.job).number)
    said = {"arm": "A block ahead is named: call this again when it is there.", "fix": "The items are drawn.", "assign": "It is noted in time that items are drawn."}
    _done(console, {"job": arguments.job, "step": verb}, said[verb], receipt)


def _items_options(parser: argparse.ArgumentParser) -> None:
    _job_options(parser)
    parser.add_argument("--out", required=True, metavar="FILE", help="where to write all items of the job, as .npy")


def _items_of(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    import io

    import numpy as np

    from zkpredict.circuits.files.storage import write_atomically
    from zkpredict.contracts.systems.market import items_of

    market = _market(arguments, chain)
    job = market.job(arguments.job)
    out = Path(arguments.out)
    if out.exists():
        raise UnusableInput(f"{out} is there already: give another name")
    rows = np.array([list(data) for data in market.inputs(job.number)], np.uint8)
    buffer = io.BytesIO()
    np.save(buffer, rows, allow_pickle=False)
    write_atomically(out, buffer.getvalue())
    mine = {}
    if any(market.contract.call("drawn", job.number)[1]):
        seed = market.seed(job.number)
        mine = {unit: items_of(seed, unit, job.rows, job.columns) for unit in market.units_of(job.number, chain.sender)}
    console.result({"job": job.number, "items": len(rows), "out": str(out), "yours": mine},
                   [f"Wrote {len(rows)} items to {out}.", *(f"  unit {unit:<8}{' '.join(map(str, items))}" for unit, items in mine.items())])  # fmt: skip


def _work_options(parser: argparse.ArgumentParser) -> None:
    _job_options(parser)
    _answer_options(parser)


def _work(verb: str, state: str):
    """Commits or reveals the answers of all units of this account that are due."""

    def act(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
        from zkpredict.contracts.systems.market import Unit, items_of

        market, key = _market(arguments, chain), _key(arguments)
        job = market.job(arguments.job)
        answers = _all_answers(arguments, console, market.inputs(job.number))
        due = [unit for unit in market.units_of(job.number, chain.sender) if market.unit(job.number, unit)[1] is Unit[state]]
        if not due:
            raise UnusableInput(f"job {job.number}: no unit of {chain.sender} is {state.lower()}")
        seed, gas = market.seed(job.number), 0
        for unit in due:
            mine = [answers[item] for item in items_of(seed, unit, job.rows, job.columns)]
            if None in mine:
                raise UnusableInput(f"--answers has none for an item of unit {unit}: `market items` says which are yours")
            with console.step(f"{verb} unit {unit}"):
                gas += getattr(market, verb)(job.number, unit, mine, market.salt(key, job.number, unit)).gas_used
        console.result({"job": job.number, "units": due, "gas": gas}, [f"{len(due)} units {'sealed' if verb == 'commit' else 'shown'}.", f"  gas          {gas:,}"])

    return act


def _open_options(parser: argparse.ArgumentParser) -> None:
    _job_options(parser)
    parser.add_argument("--columns", required=True, metavar="A,B,...", help="the columns that you sealed")
    _answer_options(parser)


def _open(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    market = _market(arguments, chain)
    job = market.job(arguments.job)
    answers = _all_answers(arguments, console, market.inputs(job.number))
    checks = _checks(_columns(arguments.columns), job.rows, answers)
    receipt = market.open_checks(job.number, checks, market.salt(_key(arguments), job.number))
    _done(console, {"job": job.number, "columns": list(checks.columns)}, "The checks are open.", receipt)


def _settle(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    """Settles every unit of the job that passes, whoever's it is: it is all public."""
    from zkpredict.contracts.chain.interface import Reverted
    from zkpredict.contracts.systems.market import Unit

    market = _market(arguments, chain)
    job = market.job(arguments.job)
    market.opened(job.number)
    passed, failed, gas = [], [], 0
    for unit in range(job.joined):
        if market.unit(job.number, unit)[1] is not Unit.REVEALED:
            continue
        try:
            gas += market.settle(job.number, unit).gas_used
            passed.append(unit)
        except Reverted as refusal:
            if refusal.name != "ChecksFailed":
                raise
            failed.append(unit)
    console.result({"job": job.number, "passed": passed, "failed": failed, "gas": gas},
                   [f"Units that pass now: {', '.join(map(str, passed)) or 'none'}; that fail: {', '.join(map(str, failed)) or 'none'}.", f"  gas          {gas:,}"])  # fmt: skip


def _contest(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.circuits.errors import FalseClaim

    market = _market(arguments, chain)
    job = market.job(arguments.job)
    false = market.false_checks(job.number, _all_answers(arguments, console, market.inputs(job.number)))
    if not false:
        raise FalseClaim(f"job {job.number}: all checks are right, there is nothing to contest")
    place, row, class_ = false[0]
    receipt = market.contest(job.number, place, row, class_)
    _done(console, {"job": job.number, "class": class_, "reward": job.bond // 2}, f"A check is false: half of the requester's bond, {job.bond // 2} wei, is yours.", receipt)


def _collect(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    """Collects for everybody, and has the rest reclaimed: anybody may."""
    from zkpredict.contracts.systems.market import Unit

    market = _market(arguments, chain)
    job, gas, count = market.job(arguments.job), 0, 0
    for unit in range(job.joined):
        if market.unit(job.number, unit)[1] is not Unit.COLLECTED:
            gas, count = gas + market.contract.transact("collect", job.number, unit).gas_used, count + 1
    if not job.reclaimed:
        gas += market.contract.transact("reclaim", job.number).gas_used
    console.result({"job": job.number, "units": count, "credit": market.contract.call("credit", chain.sender), "gas": gas},
                   [f"Collected for {count} units. You have {market.contract.call('credit', chain.sender)} wei to withdraw.", f"  gas          {gas:,}"])  # fmt: skip


def _withdraw(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    withdraw(console, _market(arguments, chain).contract)


def _status(arguments: argparse.Namespace, console: Console, chain: Chain) -> None:
    from zkpredict.contracts.systems.market import PHASES, Verdict, options

    market = _market(arguments, chain)
    job, contract, now = market.job(arguments.job), market.contract, chain.block().timestamp
    phase = contract.call("phaseOf", job.number)
    until = contract.call("deadlineOf", job.number, phase) if phase < 5 else None
    can, credit = options(market, job), contract.call("credit", chain.sender)
    verdict = Verdict(contract.call("verdict", job.number)).name.lower().replace("_", " ") if phase == 5 else None
    data = {
        "job": job.number, "phase": PHASES[phase], "until": until, "now": now, "requester": job.requester, "units": job.units, "joined": job.joined,
        "revealed": job.revealed, "passed": job.passed, "items_a_unit": job.columns, "reward": job.reward, "stake": job.stake, "bond": job.bond,
        "drawn": any(contract.call("drawn", job.number)[1]), "verdict": verdict, "you": chain.sender, "credit": credit,
        "you_can": [{"verb": o.verb, "until": o.until, "otherwise": o.otherwise} for o in can],
    }  # fmt: skip
    ends = "" if until is None else f" until {moment(until)}"
    lines = [f"Job {job.number}: {job.units} units of {job.columns} items, {job.reward} wei each, for a stake of {job.stake} wei.",
             f"  phase        {PHASES[phase]}{ends}, it is {moment(now)}",
             f"  units        {job.joined} taken, {job.revealed} shown, {job.passed} passed"]  # fmt: skip
    lines += [f"  verdict      {verdict}"] if verdict else []
    lines += [f"  you can      {o.verb}{'' if o.until is None else f' until {moment(o.until)}'}; else {o.otherwise}" for o in can]
    lines += [] if can else ["  you can      nothing here, and lose nothing by waiting"]
    console.result(data, [*lines, f"You are {chain.sender}, with {credit} wei to withdraw."])


def _market(arguments: argparse.Namespace, chain: Chain) -> Market:
    from zkpredict.contracts.systems.market import Market

    return Market(claims_at(arguments, chain, "AnswerMarket"))


def _items(path: str) -> np.ndarray:
    import io

    import numpy as np

    from zkpredict.circuits.files.storage import read_file

    try:
        found = np.load(io.BytesIO(read_file(Path(path), "items")), allow_pickle=False)
    except ValueError as error:
        raise UnusableInput(f"{path} is no .npy file of items: {error}") from None
    if not isinstance(found, np.ndarray) or found.dtype != np.uint8 or found.ndim < 2 or not len(found):
        raise UnusableInput(f"{path} must hold uint8 [items, bytes]")
    return found.reshape(len(found), -1)


def _all_answers(arguments: argparse.Namespace, console: Console, inputs: list[bytes]) -> list[int | None]:
    """The answers to all items: from `--answers`, or what the network of `--model` says."""
    import numpy as np

    from zkpredict.circuits.files.storage import read_file

    if (arguments.answers is None) == (arguments.model is None):
        raise UnusableInput("give the answers: either --answers FILE, or --model FILE of the network that gives them")
    if arguments.answers is not None:
        try:
            found = json.loads(read_file(Path(arguments.answers), "answers"))
        except ValueError as error:
            raise UnusableInput(f"{arguments.answers} is no JSON: {error}") from None
        if not isinstance(found, list) or any(a is not None and (type(a) is not int or not 0 <= a <= 15) for a in found) or len(found) != len(inputs):
            raise UnusableInput(f"{arguments.answers} must be a list of {len(inputs)} answers, 0 to 15 or null")
        return found
    with console.step("read"):
        network = read_network(arguments.model, arguments.mode)
    if network.shape[0] != len(inputs[0]):
        raise UnusableInput(f"{arguments.model} takes {network.shape[0]} bytes, the items have {len(inputs[0])}")
    with console.step("answer"):
        digits = network.infer(np.array([list(data) for data in inputs], np.uint8)).digits
    return [int(digit) for digit in digits]


def _checks(columns: list[int], rows: int, answers: list[int | None]) -> Checks:
    from zkpredict.contracts.systems.market import Checks

    if max(columns) * rows + rows > len(answers):
        raise UnusableInput(f"--columns are below {len(answers) // rows}, got {max(columns)}")
    if None in [answers[column * rows + row] for column in columns for row in range(rows)]:
        raise UnusableInput("the answers have none for an item of a checked column")
    return Checks.of(columns, rows, answers)


def _columns(text: str) -> list[int]:
    words = text.split(",")
    if not all(word.isascii() and word.isdigit() and len(word) < 4 for word in words) or len(set(map(int, words))) != len(words):
        raise UnusableInput(f"--columns is a list of different numbers with commas between them, got {text!r}")
    return [int(word) for word in words]


def _key(arguments: argparse.Namespace) -> bytes:
    """The signing key, from which salts come."""
    if arguments.rpc_url is not None:
        from zkpredict.contracts.chain.rpc import read_key

        return read_key(arguments.key_file)
    from zkpredict.contracts.chain.evm import account_key

    return account_key(arguments.account or 0).to_bytes()


def _done(console: Console, data: dict, said: str, receipt: Receipt) -> None:
    console.result({**data, "gas": receipt.gas_used}, [said, f"  gas          {receipt.gas_used:,}"])


_ACTIONS = (
    ("deploy", "deploy a market", _deploy_options, _deploy),
    ("post", "post items to be answered, with sealed checks", _post_options, _post),
    ("join", "take units of a job", _join_options, _join),
    ("draw", "draw who has which items: names the block, then reads it", _job_options, _draw),
    ("items", "write a job's items, and say which are yours", _items_options, _items_of),
    ("commit", "seal the answers of all your units", _work_options, _work("commit", "JOINED")),
    ("reveal", "show the answers of all your units", _work_options, _work("reveal", "COMMITTED")),
    ("open", "open the checks that you sealed", _open_options, _open),
    ("settle", "show that units pass the checks", _job_options, _settle),
    ("contest", "show that a check of a named network is false", _work_options, _contest),
    ("collect", "pay everybody of a job that is over", _job_options, _collect),
    ("withdraw", "take what you earned or got back", _contract_option, _withdraw),
    ("status", "say where a job is, what you may do, and what waiting costs", _job_options, _status),
)
