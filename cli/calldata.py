"""`zkpredict calldata`: a proof as a contract takes it."""

from __future__ import annotations

import argparse
import shlex

from zkpredict.circuits.errors import UnusableInput
from zkpredict.cli.chain import loading
from zkpredict.cli.claimwords import claim_facts, claim_sentence, proof_for, sentence
from zkpredict.cli.console import REFUSED, Console
from zkpredict.cli.hidden import add_context_options, context_facts, context_lines, input_line, read_checked, read_context, statement_facts
from zkpredict.cli.statement import add_statement_paths, read_proof, split_paths
from zkpredict.cli.words import Words
from zkpredict.verifier.errors import VerificationError

EXAMPLE = """zkpredict calldata examples/seven.png seven.proof --commitment examples/mnist.commitment
zkpredict calldata examples/seven.png seven.proof --commitment examples/mnist.commitment --only call
zkpredict calldata examples/seven.png seven.proof --commitment examples/mnist.commitment --only javascript
zkpredict calldata seven.proof --hidden seven.hidden --commitment mnist-hidden.commitment --for "job 17\""""
_CALLS = ("verify", "verifyOrRevert", "answer")
_PARTS = ("call", "proof", "solidity", "javascript")
_JOB_BYTES = 32


def configure(parser: argparse.ArgumentParser) -> None:
    add_statement_paths(parser)
    parser.add_argument("--commitment", required=True, metavar="FILE", help="public commitment of the model: the proof is checked before it is written")
    parser.add_argument("--hidden", metavar="FILE", help="the proof is about this hidden input, instead of an image")
    add_context_options(parser, "the proof was made for: the call is then verifyFor or verifyForOrRevert, with")
    parser.add_argument("--call", choices=_CALLS, default="verifyOrRevert", help="the function to call (verifyOrRevert); answer: of PaidPrediction")
    parser.add_argument("--job", metavar="ID", help="with --call answer: the job's id, 0x and 64 hex digits")
    parser.add_argument("--pairing", action="store_true", help="for a verifier of the pairing variant, whose proofs are 928 bytes and not 880")
    parser.add_argument("--only", choices=_PARTS, help="print only this, for a pipe or a file")


def run(arguments: argparse.Namespace, console: Console) -> int | None:
    with loading(console):
        from zkpredict.contracts.verifier.encoding import FinalCheck, onchain_input
        from zkpredict.contracts.verifier.handover import Handover
    from zkpredict.kernel import G1
    from zkpredict.circuits.convolution.chain import contract_refusal
    from zkpredict.circuits.convolution.layout import ConvCircuit
    from zkpredict.circuits.placement import claim_of
    from zkpredict.verifier.commitment import ModelCommitment
    from zkpredict.verifier.hidden import HiddenInput
    from zkpredict.verifier.native import verify

    job, context = _job(arguments), read_context(arguments)
    if arguments.only is not None and arguments.json:
        raise UnusableInput("--only does not go with --json: the object has every part")
    if context and arguments.call == "answer":
        raise UnusableInput("--call answer takes no context: PaidPrediction's jobs are a provider's already; prove without --for and --context")
    picture, proof_path = split_paths(arguments, arguments.hidden)
    commitment = ModelCommitment.load(arguments.commitment)
    if isinstance(commitment.circuit, ConvCircuit) and (why := contract_refusal(commitment.circuit)):
        raise UnusableInput(f"no contract checks proofs in this circuit: {why}; verify off the chain")
    image = read_checked(arguments, console, picture, commitment, G1.from_compressed)
    try:
        with console.step("verify"):
            proof = proof_for(commitment, read_proof(proof_path, console))
            verify(commitment, image, proof, context)
    except VerificationError as error:
        reason = f"INVALID ({type(error).__name__}): {error}"
        console.result({"valid": False, "kind": type(error).__name__, "reason": str(error)}, [reason, "  a contract would refuse it, for gas: nothing is written"])
        return REFUSED
    check = FinalCheck.PAIRING if arguments.pairing else FinalCheck.POINT_EVALUATION
    claimed = claim_sentence(claim_of(commitment.circuit), str(proof.digit), proof.outputs)
    call = Handover.of(onchain_input(commitment.circuit, image), proof, check, context, claimed)
    function = call.function(arguments.call)
    data = call.calldata(arguments.call, job)
    parts = {"call": f"0x{data.hex()}", "proof": f"0x{call.proof.hex()}", "solidity": call.solidity(), "javascript": call.javascript()}
    words, known = Words(commitment.schema), shlex.quote(arguments.commitment)
    facts = {"model_id": commitment.model_id.hex(), **statement_facts(words, proof.digit, image)}
    facts |= {**claim_facts(commitment.circuit, proof.outputs), **context_facts(context)}
    said = [
        f"The calldata of `{function}`, which says that the network under 0x{commitment.model_id.hex()} {sentence(commitment.circuit, words, proof.digit, proof.outputs)}:",
        "",
        parts["call"],
        "",
        input_line(words, facts, image.inputs if isinstance(image, HiddenInput) else len(image)),
        *context_lines(context),
        f"  proof     {len(call.proof)} bytes: --only proof",
        "  send it   cast send VERIFIER $(zkpredict calldata ... --only call), or --only javascript, --only solidity",
        f"  verifier  `zkpredict chain deploy --verifier --commitment {known}`, or its files by `zkpredict contract --commitment {known} --out DIR`",
    ]
    console.result(
        {"valid": True, **facts, "function": function, "pairing": arguments.pairing, **parts},
        said if arguments.only is None else parts[arguments.only].rstrip("\n").splitlines(),
    )
    return None


def _job(arguments: argparse.Namespace) -> bytes:
    """The id of `--job`. Raises `UnusableInput`."""
    if (arguments.job is None) == (arguments.call == "answer"):
        raise UnusableInput("--call answer and --job ID go together: PaidPrediction names the job in its event Posted")
    if arguments.job is None:
        return b""
    try:
        job = bytes.fromhex(arguments.job.removeprefix("0x"))
    except ValueError:
        job = b""
    if len(job) != _JOB_BYTES:
        raise UnusableInput(f"--job {arguments.job} is no job's id: 0x and 64 hex digits")
    return job
