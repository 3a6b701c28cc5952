"""The proof side of `zkpredict chain`: deploy a verifier contract, register a model's commitment with it, check proofs on it."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnusableInput
from zkpredict.cli.claimwords import claim_facts, proof_for, sentence
from zkpredict.cli.console import REFUSED, Console
from zkpredict.cli.hidden import (
    OTHER_STATEMENT,
    add_context_options,
    context_facts,
    context_lines,
    input_facts,
    input_line,
    read_checked,
    read_context,
    statement_facts,
)
from zkpredict.cli.statement import add_statement_paths, read_proof, refuse_together, split_paths
from zkpredict.cli.words import Words

if TYPE_CHECKING:
    from zkpredict.contracts.chain.interface import Chain, Receipt
    from zkpredict.contracts.verifier.client import Deployed, Verdict
    from zkpredict.verifier.commitment import ModelCommitment


def add_commitment_option(parser: argparse.ArgumentParser, required: bool = True) -> None:
    """Adds `--commitment`."""
    parser.add_argument("--commitment", required=required, metavar="FILE", help="public commitment of the model")


def add_pairing_option(parser: argparse.ArgumentParser) -> None:
    """Adds `--pairing`."""
    parser.add_argument("--pairing", action="store_true", help="a verifier for chains without the point evaluation precompile")


def read_commitment(path: str | None) -> ModelCommitment:
    """The commitment file. Raises `UnusableInput` when none is named, `MalformedFile`."""
    from zkpredict.verifier.commitment import ModelCommitment

    if path is None:
        raise UnusableInput("a verifier needs --commitment FILE, to serve its circuit; or --universal, which serves every compact one")
    return ModelCommitment.load(path)


def add_kind_options(parser: argparse.ArgumentParser) -> None:
    """Adds `--universal` and `--specialised`."""
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--universal", action="store_true", help="the verifier that serves every compact circuit of the first edition, also where one for this circuit alone ships")
    kind.add_argument(
        "--specialised", action="store_true", help="a verifier for this circuit alone, compiled now where none ships (Node and solc): 10 %% less gas"
    )


@contextmanager
def or_universal() -> Iterator[None]:
    """Around what may have to compile a verifier for one circuit: where that cannot be, says that there is one without."""
    try:
        yield
    except UnusableInput as error:
        raise UnusableInput(f"{error}; or leave out --specialised: the universal verifier needs no compiler") from None


def deploy_for(chain: Chain, commitment: ModelCommitment | None, pairing: bool, specialised: bool = False) -> Deployed:
    """A new verifier that serves the commitment's circuit: the one for it alone where that ships or is `specialised`, or the circuit is
    wide or of the second edition, else the universal one, which is for every compact circuit (None).

    Raises `ChainError` before anything is sent when the chain lacks a precompile.
    """
    from zkpredict.circuits.layout import Circuit
    from zkpredict.contracts.chain.rules import require_precompiles
    from zkpredict.contracts.verifier.client import deploy_universal, deploy_verifier
    from zkpredict.contracts.verifier.compact import check_served, compact
    from zkpredict.contracts.verifier.encoding import FinalCheck
    from zkpredict.contracts.verifier.generate import SHIPPED, artifact

    require_precompiles(chain, pairing=pairing)
    check = FinalCheck.PAIRING if pairing else FinalCheck.POINT_EVALUATION
    if commitment is not None and not isinstance(commitment.circuit, Circuit):
        return deploy_verifier(chain, commitment.circuit, check)
    if commitment is not None and (specialised or (commitment.circuit, check) in SHIPPED):
        circuit = compact(commitment.circuit)
        with or_universal():
            artifact(circuit, check)
        return deploy_verifier(chain, circuit, check)
    if commitment is not None:
        check_served(commitment.circuit)
    return deploy_universal(chain, check)


def show_deployed(
    console: Console, deployed: Deployed, commitment: ModelCommitment | None, notes: list[str], images: int | None = None,
    more: dict[str, object] | None = None,
) -> None:
    """Output of `chain deploy --verifier`; `images`: inputs of each proof, of a verifier of batches; `more`: facts that others have not."""
    from zkpredict.contracts.verifier.client import is_universal

    name, receipt = deployed.contract.artifact.name, deployed.receipt
    batch = "" if images is None else f"{images} inputs each of "
    shape = None if commitment is None else "-".join(map(str, commitment.circuit.widths))
    serves = "models of every compact circuit" if is_universal(deployed.contract) else f"{batch}any registered {shape} model"
    console.result(
        {
            "contract": deployed.address,
            "kind": name,
            "network": shape,
            "transaction": receipt.transaction,
            "gas": receipt.gas_used,
            "code_bytes": len(deployed.contract.artifact.runtime),
            **(more or {}),
        },
        [
            f"{name} is at {deployed.address}.",
            f"  gas          {receipt.gas_used:,}, {len(deployed.contract.artifact.runtime):,} bytes of code",
            f"  transaction  {receipt.transaction}",
            *notes,
            f"  checks       proofs of {serves}; register one with `zkpredict chain register`",
        ],
    )


def register_options(parser: argparse.ArgumentParser) -> None:
    """Options of `chain register`."""
    add_commitment_option(parser)
    parser.add_argument("--contract", required=True, metavar="ADDRESS", help="a deployed verifier")


def register(chain: Chain, arguments: argparse.Namespace, console: Console) -> int | None:
    """`chain register`."""
    commitment = read_commitment(arguments.commitment)
    with console.step("register"):
        from zkpredict.contracts.verifier.client import is_registered, prepare_circuit, registration
        from zkpredict.contracts.verifier.wide.registration import calls

        circuit = prepare_circuit(chain, arguments.contract, commitment.circuit)
        if is_registered(chain, arguments.contract, commitment):
            console.error(f"model {commitment.model_id.hex()} is registered at {arguments.contract} already: nothing was sent", REFUSED)
            return REFUSED
        steps = registration(chain, arguments.contract, commitment)
        receipts = [next(steps)]
    more = len(calls(commitment)) - 1
    if more:
        with console.progress("register the other rows", more) as advance:
            for receipt in steps:
                receipts.append(receipt)
                advance(1)
    receipt, gas = receipts[-1], sum(receipt.gas_used for receipt in receipts)
    console.result(
        {
            "model_id": commitment.model_id.hex(),
            "contract": arguments.contract,
            "rows": len(commitment.rows),
            "transaction": receipt.transaction,
            "gas": gas,
            "transactions": [one.transaction for one in receipts],
            "circuit_transaction": circuit.transaction if circuit else None,
            "circuit_gas": circuit.gas_used if circuit else None,
        },
        [
            f"The model {commitment.model_id.hex()[:16]}... is registered.",
            f"  gas          {gas:,} for {len(commitment.rows)} row commitments, checked and stored",
            *(f"  transaction  {one.transaction}  {one.gas_used:>10,} gas" for one in receipts[:-1]),
            f"  transaction  {receipt.transaction}",
            *([f"  circuit      {circuit.gas_used:,} more gas, once for all models of this shape: {circuit.transaction}"] if circuit else []),
            "  public       the commitment, which says nothing about the weights",
        ],
    )
    return None


def verify_options(parser: argparse.ArgumentParser) -> None:
    """Options of `chain verify`."""
    add_statement_paths(parser)
    add_commitment_option(parser)
    parser.add_argument("--contract", metavar="ADDRESS", help="a deployed verifier (default: deploy one and register the model)")
    add_pairing_option(parser)
    parser.add_argument("--any-code", action="store_true", help="with --contract: do not compare its code with those of the shipped verifiers")
    parser.add_argument("--send", action="store_true", help="with --rpc-url: also send a transaction, which costs gas")
    parser.add_argument("--hidden", metavar="FILE", help="the proof is about this hidden input, instead of an image")
    add_context_options(parser, "ask whether the proof is valid under")


def verify(chain: Chain, arguments: argparse.Namespace, console: Console) -> int | None:
    """`chain verify`: asks the contract, and sends the verification where that is free or wished."""
    with console.step("start"):
        from zkpredict.contracts.verifier.client import Verdict, send_verification, verify_on_chain
        from zkpredict.contracts.verifier.encoding import onchain_input
        from zkpredict.kernel import G1
        from zkpredict.verifier.errors import VerificationError, WrongStatement

    picture, proof_path = split_paths(arguments, arguments.hidden)
    commitment, context = read_commitment(arguments.commitment), read_context(arguments)
    image = read_checked(arguments, console, picture, commitment, G1.from_compressed)
    address, receipt, proof = arguments.contract, None, None
    if address is None and arguments.rpc_url is not None:
        raise UnusableInput("give --contract ADDRESS of a deployed verifier (`zkpredict chain deploy --verifier`)")
    if address is None:
        refuse_together("a verifier that is deployed for this command", {"--any-code": arguments.any_code}, "its code is known")
    try:
        proof = proof_for(commitment, read_proof(proof_path, console))
        if proof.model_id != commitment.model_id:
            raise WrongStatement(f"the proof is for model {proof.model_id.hex()}, not {commitment.model_id.hex()}")
        onchain_input(commitment.circuit, image)
    except VerificationError as error:
        verdict = Verdict(False, str(error))
    else:
        address = _contract_for(chain, arguments, console, commitment)
        with console.step("verify"):
            verdict = verify_on_chain(chain, address, commitment, image, proof, context=context)
            if verdict.accepted and (arguments.rpc_url is None or arguments.send):
                receipt = send_verification(chain, address, commitment, image, proof, context=context)
    words = Words(commitment.schema)
    facts = {"contract": address, "model_id": commitment.model_id.hex(), **input_facts(image), **context_facts(context)}
    if proof is not None and commitment.schema:
        facts |= statement_facts(words, proof.digit, image)
    todo = next_step(verdict, arguments, address) if address is not None else None
    said = sentence(commitment.circuit, words, proof.digit, proof.outputs) if proof else ""
    if proof is not None and verdict.accepted:
        facts |= {"digit": proof.digit, **claim_facts(commitment.circuit, proof.outputs)}
    return _show_verdict(console, verdict, todo, said, receipt, facts, words)


def _contract_for(chain: Chain, arguments: argparse.Namespace, console: Console, commitment: ModelCommitment) -> str:
    """The address of the contract to ask: that of `--contract` after its code was compared, or a new one that knows the model."""
    from zkpredict.contracts.verifier.client import prepare_circuit, register_model
    from zkpredict.contracts.verifier.identity import compare_code

    if arguments.contract is not None:
        if not arguments.any_code:
            compare_code(chain, arguments.contract, commitment.circuit)
        return str(arguments.contract)
    with console.step("deploy"):
        address = deploy_for(chain, commitment, arguments.pairing).address
        prepare_circuit(chain, address, commitment.circuit)
        register_model(chain, address, commitment)
    return address


def next_step(verdict: Verdict, arguments: argparse.Namespace, address: str, alone: str = "`zkpredict verify` and `verify-batch` check files") -> str | None:
    """What to do about a refusal; None for one whose reason says it. `alone`: which commands ask no contract."""
    if verdict.reason == "UnknownModel":
        return f"register it first: {register_command(arguments, address)}"
    if verdict.reason == "OpeningFailed":
        return f"{OTHER_STATEMENT}; {alone} without a chain"
    return None


def register_command(arguments: argparse.Namespace, address: str) -> str:
    """What to type so that the contract knows the model, on the same chain."""
    places = {"--state": arguments.state, "--rpc-url": arguments.rpc_url, "--key-file": arguments.key_file}
    words = ["zkpredict", "chain", "register", "--commitment", arguments.commitment, "--contract", address]
    return shlex.join(words + [word for option, value in places.items() if value is not None for word in (option, value)])


def plain(argument: object) -> object:
    """An argument of a contract's error as text and JSON show it: bytes as 0x and hex digits."""
    return f"0x{argument.hex()}" if isinstance(argument, bytes) else argument


def _show_verdict(
    console: Console, verdict: Verdict, todo: str | None, said: str, receipt: Receipt | None, facts: dict, words: Words
) -> int | None:
    paid = {"gas": receipt.gas_used if receipt else None, "transaction": receipt.transaction if receipt else None}
    if not verdict.accepted:
        arguments = [plain(argument) for argument in verdict.arguments]
        shown = f"({', '.join(map(str, arguments))})" if arguments else ""
        console.result(
            {"valid": False, "reason": verdict.reason, "arguments": arguments, "todo": todo, **facts, **paid},
            [f"INVALID: {verdict.reason}{shown}", *([f"  {todo}"] if todo else [])],
        )
        return REFUSED
    console.result(
        {"valid": True, **facts, **paid},
        [
            f"VALID: the contract accepts that the network under {facts['model_id'][:16]}... {said}.",
            f"  contract     {facts['contract']}",
            *([f"  gas          {receipt.gas_used:,}", f"  transaction  {receipt.transaction}"] if receipt else []),
            input_line(words, facts, width=11),
            *context_lines(bytes.fromhex(facts.get("context", "")), width=11),
        ],
    )
    return None
