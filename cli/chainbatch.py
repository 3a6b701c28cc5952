"""Batches of `zkpredict chain`: deploy a verifier of batches of one size, check a proof about many inputs on it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.kinds import BATCH
from zkpredict.cli.batches import answers_line, count_lines
from zkpredict.cli.chainproof import add_commitment_option, add_pairing_option, next_step, plain, read_commitment
from zkpredict.cli.console import REFUSED, Console
from zkpredict.cli.hidden import add_context_options, context_facts, context_lines, read_context
from zkpredict.cli.inputs import add_data_options, read_inputs
from zkpredict.cli.rows import add_left_out_option
from zkpredict.cli.statement import image_name, read_expected
from zkpredict.cli.words import Words
from zkpredict.verifier.batch import MAX_BATCH_BYTES

if TYPE_CHECKING:
    from zkpredict.contracts.chain.interface import Chain
    from zkpredict.contracts.verifier.client import Deployed
    from zkpredict.verifier.commitment import ModelCommitment

VERIFY_EXAMPLE = """zkpredict chain verify-batch digits.npy digits.batch --commitment mnist.commitment
zkpredict chain verify-batch t10k-images-idx3-ubyte.gz digits.batch --count 128 --commitment mnist.commitment --contract ADDRESS --state chain.json"""


def deploy_batch(chain: Chain, commitment: ModelCommitment, images: int, pairing: bool) -> Deployed:
    """A new verifier of batches of `images` inputs. Raises `ChainError` before anything is sent when the chain lacks a precompile."""
    from zkpredict.contracts.chain.rules import require_precompiles
    from zkpredict.contracts.verifier.batch_client import deploy_batch_verifier
    from zkpredict.contracts.verifier.encoding import FinalCheck

    require_precompiles(chain, pairing=pairing)
    return deploy_batch_verifier(chain, commitment.circuit, images, FinalCheck.PAIRING if pairing else FinalCheck.POINT_EVALUATION)


def verify_options(parser: argparse.ArgumentParser) -> None:
    """Options of `chain verify-batch`."""
    add_data_options(parser)
    add_left_out_option(parser)
    parser.add_argument("proof", metavar="PROOF", help="the proof file of a batch")
    add_commitment_option(parser)
    parser.add_argument("--contract", metavar="ADDRESS", help="a deployed verifier of batches (default: deploy one and register the model)")
    add_pairing_option(parser)
    parser.add_argument("--any-code", action="store_true", help="with --contract: do not compare its code with that of this version's")
    parser.add_argument("--send", action="store_true", help="with --rpc-url: also send a transaction, which costs gas")
    add_context_options(parser, "ask whether the proof is valid under")


def verify(chain: Chain, arguments: argparse.Namespace, console: Console) -> int | None:
    """`chain verify-batch`: asks the contract, and sends the verification where that is free or wished."""
    with console.step("start"):
        from zkpredict.contracts.verifier.batch_client import batch_part, send_batch_verification, verify_batch_on_chain
        from zkpredict.contracts.verifier.client import Verdict
        from zkpredict.verifier.batch import parse_batch
        from zkpredict.verifier.errors import VerificationError

    data, context = read_expected(arguments.proof, BATCH, console, MAX_BATCH_BYTES), read_context(arguments)
    commitment = read_commitment(arguments.commitment)
    images, words, receipt = read_inputs(arguments, console, commitment.circuit.inputs, commitment.schema, arguments.label, commitment.picture).values, Words(commitment.schema), None
    address, classes = arguments.contract, ()
    try:
        proof = parse_batch(data, commitment)
        classes, each = proof.classes, len(proof.parts[0].classes)
        if address is None:
            batch_part(proof, each)
        address = _verifier(chain, arguments, console, commitment, each)
        with console.step("verify"):
            verdict = verify_batch_on_chain(chain, address, commitment, images, proof, context=context)
            if verdict.accepted and (arguments.rpc_url is None or arguments.send):
                receipt = send_batch_verification(chain, address, commitment, images, proof, context=context)
    except VerificationError as error:
        verdict = Verdict(False, str(error))
    facts = {
        "contract": address, "model_id": commitment.model_id.hex(), "inputs": len(images), "inputs_sha256": image_name(images.tobytes()),
        **context_facts(context), "gas": receipt.gas_used if receipt else None, "transaction": receipt.transaction if receipt else None,
    }  # fmt: skip
    if not verdict.accepted:
        todo = next_step(verdict, arguments, address)
        given = [plain(one) for one in verdict.arguments]
        shown = f"({', '.join(map(str, given))})" if given else ""
        lines = [f"INVALID: {verdict.reason}{shown}", *([f"  {todo}"] if todo else [])]
        console.result({"valid": False, "reason": verdict.reason, "arguments": given, "todo": todo, **facts}, lines)
        return REFUSED
    console.result(
        {"valid": True, "classes": list(classes), **facts},
        [
            f"VALID: the contract accepts that the network under {facts['model_id'][:16]}... says {answers_line(words, classes, arguments.skip)}.",
            *count_lines(words, classes, width=11),
            f"  contract     {address}",
            *([f"  gas          {receipt.gas_used:,}, {receipt.gas_used // len(classes):,} an input", f"  transaction  {receipt.transaction}"] if receipt else []),
            *context_lines(context, width=11),
        ],
    )
    return None


def _verifier(chain: Chain, arguments: argparse.Namespace, console: Console, commitment: ModelCommitment, count: int) -> str:
    """The address of the contract to ask: that of `--contract` after its code was compared, or a new one that knows the model."""
    from zkpredict.circuits.batch.layout import BatchCircuit
    from zkpredict.contracts.verifier.batch_client import batch_verifier_at
    from zkpredict.contracts.verifier.client import register_model
    from zkpredict.contracts.verifier.identity import compare_code

    if arguments.contract is not None:
        _, images = batch_verifier_at(chain, arguments.contract, commitment.circuit)
        if not arguments.any_code:
            compare_code(chain, arguments.contract, BatchCircuit.of(commitment.circuit, images))
        return str(arguments.contract)
    if arguments.rpc_url is not None:
        raise UnusableInput("give --contract ADDRESS of a deployed verifier (`zkpredict chain deploy --verifier --batch N`)")
    if arguments.any_code:
        raise UnusableInput("--any-code goes with --contract: the code of a verifier that is deployed for this command is known")
    with console.step("deploy"):
        address = deploy_batch(chain, commitment, count, arguments.pairing).address
        register_model(chain, address, commitment)
    return address
