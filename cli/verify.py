"""`zkpredict verify`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.storage import read_file
from zkpredict.cli.claimwords import add_claim_option, claim_facts, proof_for, refuse_other_model, require_claim, sentence
from zkpredict.cli.console import Console
from zkpredict.cli.hidden import (
    add_context_options,
    context_facts,
    context_lines,
    input_line,
    read_checked,
    read_context,
    refused,
    statement_facts,
)
from zkpredict.cli.statement import (
    add_statement_paths,
    milliseconds,
    read_proof,
    split_paths,
)
from zkpredict.cli.words import Words, add_class_options, wanted_class
from zkpredict.verifier.errors import VerificationError, WrongStatement

if TYPE_CHECKING:
    from zkpredict.verifier.commitment import ModelCommitment
    from zkpredict.verifier.hidden import HiddenInput

EXAMPLE = """zkpredict verify examples/seven.png seven.proof --commitment examples/mnist.commitment
zkpredict verify examples/tables/iris.csv iris.proof --row 0 --label species --commitment examples/tables/iris.commitment
zkpredict verify seven.proof --hidden seven.hidden --commitment mnist-hidden.commitment --for job-17"""


def configure(parser: argparse.ArgumentParser) -> None:
    add_statement_paths(parser)
    parser.add_argument("--commitment", required=True, metavar="FILE", help="public commitment of the model")
    parser.add_argument("--hidden", metavar="FILE", help="the proof is about this hidden input, instead of an image")
    add_context_options(parser, "the proof is valid only under")
    add_class_options(parser, "also refuse a proof of another digit than")
    add_claim_option(parser)
    parser.add_argument("--independent", action="store_true", help="use the verifier written on plain ints and py_ecc")


def run(arguments: argparse.Namespace, console: Console) -> int:
    picture, proof_path = split_paths(arguments, arguments.hidden)
    proof_bytes = read_proof(proof_path, console)
    check = _independent if arguments.independent else _native
    try:
        facts, words, said = check(arguments, console, picture, proof_bytes)
        wanted = wanted_class(arguments, words.schema)
        if wanted is not None and facts["digit"] != wanted:
            raise WrongStatement(f"the proof is of {words.answer} {words.said(facts['digit'])}, not {words.said(wanted)}")
    except VerificationError as error:
        return refused(console, error, read_context(arguments))
    verifier = "independent" if arguments.independent else "native"
    console.result(
        {"valid": True, "verifier": verifier, "seconds": console.times, **facts},
        [
            f"VALID: the network under {facts['model_id'][:16]}... {said}.",
            f"  verifier  {verifier}, {milliseconds(console.times['verify'])}",
            input_line(words, facts),
            *context_lines(read_context(arguments)),
        ],
    )
    return 0


def _native(arguments: argparse.Namespace, console: Console, picture: str | None, proof_bytes: bytes) -> tuple[dict, Words, str]:
    with console.step("start"):
        from zkpredict.kernel import G1
        from zkpredict.verifier.commitment import ModelCommitment
        from zkpredict.verifier.native import verify

    commitment = ModelCommitment.load(arguments.commitment)
    image, context = read_checked(arguments, console, picture, commitment, G1.from_compressed), read_context(arguments)
    require_claim(commitment.circuit, arguments.claim)
    with console.step("verify"):
        proof = proof_for(commitment, proof_bytes)
        verify(commitment, image, proof, context)
    return _said(commitment, image, context, proof.digit, proof.outputs)


def _independent(arguments: argparse.Namespace, console: Console, picture: str | None, proof_bytes: bytes) -> tuple[dict, Words, str]:
    try:
        with console.step("start"):
            from zkpredict.verifier import independent
    except ModuleNotFoundError as error:
        raise UnusableInput(f"the independent verifier needs {error.name}: pip install 'zkpredict[independent]'") from None
    from zkpredict.circuits.placement import form
    from zkpredict.verifier.commitment import MAX_COMMITMENT_BYTES, ModelCommitment
    from zkpredict.verifier.messages import Proof

    commitment_bytes = read_file(arguments.commitment, "commitment", MAX_COMMITMENT_BYTES)
    commitment = ModelCommitment.from_bytes(commitment_bytes, independent.decode_point, str(arguments.commitment))
    image, context = read_checked(arguments, console, picture, commitment, independent.decode_point), read_context(arguments)
    require_claim(commitment.circuit, arguments.claim)
    with console.step("verify"):
        refuse_other_model(commitment, proof_bytes)
        digit = independent.verify(commitment_bytes, image, proof_bytes, context)
    proof = Proof.from_bytes(proof_bytes, independent.decode_point, form(commitment.circuit))
    return _said(commitment, image, context, digit, proof.outputs)


def _said(
    commitment: ModelCommitment, image: bytes | HiddenInput, context: bytes, digit: int, outputs: tuple[int, ...]
) -> tuple[dict, Words, str]:
    """The facts of a valid proof, its words, and what it says."""
    words = Words(commitment.schema)
    facts = statement_facts(words, digit, image) | claim_facts(commitment.circuit, outputs) | context_facts(context)
    return {"model_id": commitment.model_id.hex(), **facts}, words, sentence(commitment.circuit, words, digit, outputs)
