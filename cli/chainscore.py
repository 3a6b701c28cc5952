"""Scores of `zkpredict chain`: deploy a registry of test sets and verifiers of scores on them, register a set, check a score."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.files.kinds import SCORE
from zkpredict.cli.batches import plural
from zkpredict.cli.chainproof import add_commitment_option, next_step, plain, read_commitment
from zkpredict.cli.console import REFUSED, Console
from zkpredict.cli.hidden import add_context_options, context_facts, context_lines, read_context
from zkpredict.cli.inputs import add_data_options, read_inputs
from zkpredict.cli.parser import at_least_one
from zkpredict.cli.rows import add_left_out_option
from zkpredict.cli.statement import read_expected
from zkpredict.cli.words import Words
from zkpredict.verifier.batch import MAX_BATCH_BYTES

if TYPE_CHECKING:
    from zkpredict.contracts.chain.interface import Chain
    from zkpredict.contracts.verifier.client import Deployed, Verdict
    from zkpredict.verifier.commitment import ModelCommitment

REGISTER_EXAMPLE = """zkpredict chain register-set mnist.set t10k-images-idx3-ubyte.gz --count 128 --contract ADDRESS --state chain.json
zkpredict chain register-set digits.set digits.npy"""
VERIFY_EXAMPLE = """zkpredict chain verify-score mnist.score --set mnist.set --commitment mnist.commitment --contract ADDRESS --state chain.json
zkpredict chain verify-score mnist.score --set mnist.set --commitment mnist.commitment --contract ADDRESS --state chain.json --at-least 120"""


def deploy_sets(chain: Chain, console: Console, notes: list[str]) -> None:
    """`chain deploy --test-sets`. Raises `ChainError` before anything is sent when the chain lacks a precompile."""
    from zkpredict.contracts.chain.rules import require_precompiles
    from zkpredict.contracts.verifier.score_client import deploy_test_sets

    with console.step("deploy"):
        require_precompiles(chain, pairing=False)
        deployed = deploy_test_sets(chain)
    name, receipt, size = deployed.contract.artifact.name, deployed.receipt, len(deployed.contract.artifact.runtime)
    console.result(
        {"contract": deployed.address, "kind": name, "transaction": receipt.transaction, "gas": receipt.gas_used, "code_bytes": size},
        [
            f"{name} is at {deployed.address}.",
            f"  gas          {receipt.gas_used:,}, {size:,} bytes of code",
            f"  transaction  {receipt.transaction}",
            *notes,
            "  keeps        test sets of all sizes for verifiers of scores; register one with `zkpredict chain register-set`",
        ],
    )


@dataclass(frozen=True)
class Sets:
    """The registry that a new verifier reads, and what it cost where it is new too."""

    address: str
    gas: int | None = None


def sets_for(chain: Chain, address: str | None) -> Sets:
    """The registry at `address` after its code was compared; without one a new one. Raises `ChainError` before anything is sent when the chain
    lacks a precompile."""
    from zkpredict.contracts.chain.rules import require_precompiles
    from zkpredict.contracts.verifier.identity import compare_sets_code
    from zkpredict.contracts.verifier.score_client import deploy_test_sets

    if address is not None:
        compare_sets_code(chain, address)
        return Sets(address)
    require_precompiles(chain, pairing=False)
    made = deploy_test_sets(chain)
    return Sets(made.address, made.receipt.gas_used)


def sets_facts(sets: Sets) -> dict[str, object]:
    """For `--json`."""
    return {"test_sets": sets.address, "test_sets_gas": sets.gas}


def sets_lines(sets: Sets) -> list[str]:
    """For people."""
    return [f"  test sets    {sets.address}" + (f", deployed for {sets.gas:,} gas" if sets.gas else "")]


def deploy_score(chain: Chain, commitment: ModelCommitment, images: int, sets: str, pairing: bool) -> Deployed:
    """A new verifier of scores on sets of `images` inputs that the registry at `sets` keeps. Raises `ChainError` before anything is sent
    when the chain lacks a precompile."""
    from zkpredict.contracts.chain.rules import require_precompiles
    from zkpredict.contracts.verifier.encoding import FinalCheck
    from zkpredict.contracts.verifier.score_client import deploy_score_verifier

    require_precompiles(chain, pairing=pairing)
    return deploy_score_verifier(chain, commitment.circuit, images, sets, FinalCheck.PAIRING if pairing else FinalCheck.POINT_EVALUATION)


def register_options(parser: argparse.ArgumentParser) -> None:
    """Options of `chain register-set`."""
    parser.add_argument("set", metavar="SET", help="the test set file (`zkpredict testset`)")
    add_data_options(parser)
    add_left_out_option(parser)
    parser.add_argument("--commitment", metavar="FILE", help="of a model that takes such inputs: the scale of a table's readings, as for `zkpredict testset`")
    parser.add_argument("--contract", metavar="ADDRESS", help="a registry of test sets, or a verifier of scores that reads one (default: deploy a registry)")
    parser.add_argument("--any-code", action="store_true", help="with --contract: do not compare its code with that of this version's")


def register(chain: Chain, arguments: argparse.Namespace, console: Console) -> None:
    """`chain register-set`."""
    with console.step("start"):
        from zkpredict.circuits.files.schema import Schema
        from zkpredict.cli.sets import check_set, read_set
        from zkpredict.contracts.verifier.score_client import deploy_test_sets, send_set
    tests = read_set(arguments.set)
    takes = None if arguments.commitment is None else read_commitment(arguments.commitment)
    images = read_inputs(arguments, console, tests.size, takes.schema if takes else Schema(), arguments.label, takes and takes.picture).values
    check_set(tests, images, None, arguments.set)
    with console.step("register"):
        address = deploy_test_sets(chain).address if arguments.contract is None else _registry(chain, arguments.contract, arguments.any_code)
        receipt = send_set(chain, address, tests, images)
    console.result(
        {
            "set_id": tests.set_id.hex(), "contract": address, "inputs": len(tests.labels), "size": tests.size, "points": len(tests.points),
            "transaction": receipt.transaction, "gas": receipt.gas_used,
        },
        [
            f"The test set {tests.set_id.hex()[:16]}... is registered.",
            f"  contract     {address}",
            f"  gas          {receipt.gas_used:,} for {len(tests.labels):,} inputs, checked against {len(tests.points):,} points; scores on it carry none of them",
            f"  transaction  {receipt.transaction}",
            "  public       every input (they are in the transaction), every label",
        ],
    )  # fmt: skip


def _registry(chain: Chain, address: str, any_code: bool) -> str:
    """The registry of test sets at `address`, or that of the verifier of scores there."""
    from zkpredict.contracts.artifact import address_text
    from zkpredict.contracts.chain.interface import Contract, Reverted
    from zkpredict.contracts.verifier.generate import SCORE_INTERFACE, shipped
    from zkpredict.contracts.verifier.identity import compare_sets_code
    from zkpredict.contracts.verifier.score_client import test_sets_at

    try:
        test_sets_at(chain, address)
    except UnusableInput:
        try:
            address = address_text(bytes.fromhex(Contract(chain, address, shipped(SCORE_INTERFACE)).call("TEST_SETS")[2:]))
        except (Reverted, MalformedFile):  # nor does it answer as a verifier of scores does
            raise UnusableInput(
                f"the contract at {address} is no registry of test sets, nor a verifier of scores: `zkpredict chain deploy --test-sets` makes a registry"
            ) from None
    if not any_code:
        compare_sets_code(chain, address)
    return address


def verify_options(parser: argparse.ArgumentParser) -> None:
    """Options of `chain verify-score`."""
    parser.add_argument("score", metavar="SCORE", help="the score file, on a registered test set (`zkpredict score --registered`)")
    parser.add_argument("--set", required=True, metavar="SET", help="the test set file")
    add_commitment_option(parser)
    parser.add_argument("--contract", required=True, metavar="ADDRESS", help="a deployed verifier of scores, with the set in its registry")
    parser.add_argument("--at-least", type=at_least_one, metavar="K", help="ask for so many right answers (default: as many as the score says)")
    parser.add_argument("--any-code", action="store_true", help="do not compare the contract's code with that of this version's")
    parser.add_argument("--send", action="store_true", help="with --rpc-url: also send a transaction, which costs gas")
    add_context_options(parser, "ask whether the score is valid under")


def verify(chain: Chain, arguments: argparse.Namespace, console: Console) -> int | None:
    """`chain verify-score`: asks the contract, and sends the verification where that is free or wished."""
    with console.step("start"):
        from zkpredict.cli.sets import read_set
        from zkpredict.contracts.verifier.client import Verdict
        from zkpredict.contracts.verifier.score_client import send_score_verification, verify_score_on_chain
        from zkpredict.verifier.errors import VerificationError
        from zkpredict.verifier.registered import check_registered, parse_registered

    data, context = read_expected(arguments.score, SCORE, console, MAX_BATCH_BYTES), read_context(arguments)
    commitment, tests = read_commitment(arguments.commitment), read_set(arguments.set)
    address, receipt, right = arguments.contract, None, 0
    _compare(chain, address, commitment, arguments.any_code)
    try:
        score = parse_registered(data, commitment)
        check_registered(commitment, tests, score)
        right = score.right
        with console.step("verify"):
            verdict = verify_score_on_chain(chain, address, commitment, score, arguments.at_least, context=context)
            if verdict.accepted and (arguments.rpc_url is None or arguments.send):
                receipt = send_score_verification(chain, address, commitment, score, arguments.at_least, context=context)
    except VerificationError as error:
        verdict = Verdict(False, str(error))
    facts = {
        "contract": address, "model_id": commitment.model_id.hex(), "set_id": tests.set_id.hex(), "inputs": len(tests.labels), **context_facts(context),
        "gas": receipt.gas_used if receipt else None, "transaction": receipt.transaction if receipt else None,
    }  # fmt: skip
    if not verdict.accepted:
        todo = _todo(verdict, arguments, address)
        given = [plain(one) for one in verdict.arguments]
        shown = f"({', '.join(map(str, given))})" if given else ""
        console.result(
            {"valid": False, "reason": verdict.reason, "arguments": given, "todo": todo, **facts},
            [f"INVALID: {verdict.reason}{shown}", *([f"  {todo}"] if todo else [])],
        )
        return REFUSED
    least = right if arguments.at_least is None else arguments.at_least
    console.result(
        {"valid": True, "right": right, "at_least": least, **facts},
        [
            f"VALID: the contract accepts that the network under {facts['model_id'][:16]}... is right on {right:,} of {plural(Words(commitment.schema), len(tests.labels))}.",
            f"  test set     {facts['set_id']}",
            f"  contract     {address}, which asked for at least {least:,}",
            *([f"  gas          {receipt.gas_used:,}, {receipt.gas_used // len(tests.labels):,} an input", f"  transaction  {receipt.transaction}"] if receipt else []),
            *context_lines(context, width=11),
        ],
    )
    return None


def _compare(chain: Chain, address: str, commitment: ModelCommitment, any_code: bool) -> None:
    """That the contract is a verifier of scores of the model's circuit, by what it answers and, unless `any_code`, by its code."""
    from zkpredict.circuits.batch.registered import RegisteredBatch
    from zkpredict.contracts.verifier.identity import compare_score_code
    from zkpredict.contracts.verifier.score_client import score_verifier_at

    _, images = score_verifier_at(chain, address, commitment.circuit)
    if not any_code:
        compare_score_code(chain, address, RegisteredBatch.of(commitment.circuit, images))


def _todo(verdict: Verdict, arguments: argparse.Namespace, address: str) -> str | None:
    """What to do about a refusal: as for other proofs, or what to type when the contract does not know the set."""
    if verdict.reason != "UnknownSet":
        return next_step(verdict, arguments, address, "`zkpredict verify-score` checks it")
    places = {"--state": arguments.state, "--rpc-url": arguments.rpc_url, "--key-file": arguments.key_file}
    words = ["zkpredict", "chain", "register-set", arguments.set, "DATA", "--contract", address]
    return f"register it first: {shlex.join(words + [word for option, value in places.items() if value is not None for word in (option, value)])}"
