"""`zkpredict verify`."""

from __future__ import annotations

import argparse

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.storage import read_file
from zkpredict.cli.console import REFUSED, Console
from zkpredict.cli.statement import (
    add_statement_paths,
    milliseconds,
    read_proof,
    read_statement_pixels,
    split_paths,
)
from zkpredict.cli.words import Words, add_class_options, wanted_class
from zkpredict.verifier.errors import VerificationError, WrongStatement

EXAMPLE = """zkpredict verify examples/seven.png seven.proof --commitment examples/mnist.commitment
zkpredict verify examples/tables/iris.csv iris.proof --row 0 --label species --commitment examples/tables/iris.commitment"""


def configure(parser: argparse.ArgumentParser) -> None:
    add_statement_paths(parser)
    parser.add_argument("--commitment", required=True, metavar="FILE", help="public commitment of the model")
    add_class_options(parser, "also refuse a proof of another digit than")
    parser.add_argument("--independent", action="store_true", help="use the verifier written on plain ints and py_ecc")


def run(arguments: argparse.Namespace, console: Console) -> int:
    picture, proof_path = split_paths(arguments)
    proof_bytes = read_proof(proof_path, console)
    check = _independent if arguments.independent else _native
    try:
        facts, words = check(arguments, console, picture, proof_bytes)
        wanted = wanted_class(arguments, words.schema)
        if wanted is not None and facts["digit"] != wanted:
            raise WrongStatement(f"the proof is of {words.answer} {words.said(facts['digit'])}, not {words.said(wanted)}")
    except VerificationError as error:
        reason = f"INVALID ({type(error).__name__}): {error}"
        console.result({"valid": False, "kind": type(error).__name__, "reason": str(error)}, [reason])
        return REFUSED
    verifier = "independent" if arguments.independent else "native"
    console.result(
        {"valid": True, "verifier": verifier, "seconds": console.times, **facts},
        [
            f"VALID: the network under {facts['model_id'][:16]}... says {words.said(facts['digit'])}.",
            f"  verifier  {verifier}, {milliseconds(console.times['verify'])}",
            f"  {words.input:<8}  sha256 {facts['image_sha256']}",
        ],
    )
    return 0


def _native(arguments: argparse.Namespace, console: Console, picture: str | None, proof_bytes: bytes) -> tuple[dict, Words]:
    with console.step("start"):
        from zkpredict.verifier.commitment import ModelCommitment
        from zkpredict.verifier.native import parse_proof, verify

    commitment = ModelCommitment.load(arguments.commitment)
    image = read_statement_pixels(arguments, console, picture, commitment.circuit.inputs, commitment.schema)
    with console.step("verify"):
        proof = parse_proof(proof_bytes)
        verify(commitment, image, proof)
    words = Words(commitment.schema)
    return {"model_id": commitment.model_id.hex(), **words.facts(proof.digit, image)}, words


def _independent(arguments: argparse.Namespace, console: Console, picture: str | None, proof_bytes: bytes) -> tuple[dict, Words]:
    try:
        with console.step("start"):
            from zkpredict.verifier import independent
    except ModuleNotFoundError as error:
        raise UnusableInput(f"the independent verifier needs {error.name}: pip install 'zkpredict[independent]'") from None
    from zkpredict.verifier.commitment import MAX_COMMITMENT_BYTES, ModelCommitment

    commitment_bytes = read_file(arguments.commitment, "commitment", MAX_COMMITMENT_BYTES)
    commitment = ModelCommitment.from_bytes(commitment_bytes, independent.decode_point, str(arguments.commitment))
    image = read_statement_pixels(arguments, console, picture, commitment.circuit.inputs, commitment.schema)
    with console.step("verify"):
        digit = independent.verify(commitment_bytes, image, proof_bytes)
    words = Words(commitment.schema)
    return {"model_id": commitment.model_id.hex(), **words.facts(digit, image)}, words
