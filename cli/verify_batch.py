"""`zkpredict verify-batch`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.kinds import BATCH
from zkpredict.cli.batches import answers_line, count_lines, plural
from zkpredict.cli.console import Console
from zkpredict.cli.hidden import add_context_options, context_facts, context_lines, read_context, refused
from zkpredict.cli.inputs import add_data_options, read_inputs
from zkpredict.cli.rows import add_left_out_option
from zkpredict.cli.statement import image_name, milliseconds, read_expected
from zkpredict.cli.words import Words
from zkpredict.verifier.batch import MAX_BATCH_BYTES
from zkpredict.verifier.errors import VerificationError

if TYPE_CHECKING:
    from zkpredict.verifier.commitment import ModelCommitment

EXAMPLE = """zkpredict verify-batch t10k-images-idx3-ubyte.gz digits.batch --count 128 --commitment mnist.commitment
zkpredict verify-batch iris.csv iris.batch --label species --commitment iris.commitment
zkpredict verify-batch pictures/ pictures.batch --commitment mnist.commitment --for job-17 --independent"""


def configure(parser: argparse.ArgumentParser) -> None:
    add_data_options(parser)
    add_left_out_option(parser)
    parser.add_argument("proof", metavar="PROOF", help="the proof file")
    parser.add_argument("--commitment", required=True, metavar="FILE", help="public commitment of the model")
    add_context_options(parser, "the proof is valid only under")
    parser.add_argument("--independent", action="store_true", help="use the verifier written on plain ints and py_ecc: a second a track and more")


def run(arguments: argparse.Namespace, console: Console) -> int:
    data, context = read_expected(arguments.proof, BATCH, console, MAX_BATCH_BYTES), read_context(arguments)
    commitment = load_commitment(arguments, console)
    images, words = read_inputs(arguments, console, commitment.circuit.inputs, commitment.schema, arguments.label, commitment.picture).values, Words(commitment.schema)
    try:
        with console.step("verify"):
            if arguments.independent:
                from zkpredict.verifier import independent_batch

                classes = independent_batch.verify_batch(commitment.to_bytes(), [image.tobytes() for image in images], data, context)
            else:
                from zkpredict.verifier.batch import parse_batch, verify_batch

                proof = parse_batch(data, commitment)
                verify_batch(commitment, images, proof, context)
                classes = proof.classes
    except VerificationError as error:
        return refused(console, error, context)
    verifier = "independent" if arguments.independent else "native"
    console.result(
        {
            "valid": True, "verifier": verifier, "inputs": len(images), "classes": list(classes), "model_id": commitment.model_id.hex(),
            "inputs_sha256": image_name(images.tobytes()), **context_facts(context), "seconds": console.times,
        },
        [
            f"VALID: the network under {commitment.model_id.hex()[:16]}... says {answers_line(words, classes, arguments.skip)}.",
            *count_lines(words, classes),
            f"  verifier  {verifier}, {plural(words, len(images))} in {milliseconds(console.times['verify'])}",
            *context_lines(context),
        ],
    )  # fmt: skip
    return 0


def load_commitment(arguments: argparse.Namespace, console: Console) -> ModelCommitment:
    """The commitment of `--commitment`. Raises `UnsupportedNetwork` for one that has no batches, `UnusableInput` without py_ecc when
    the independent verifier is wanted."""
    from zkpredict.circuits.batch.layout import BatchCircuit

    with console.step("start"):
        try:
            if arguments.independent:
                from zkpredict.verifier import independent_batch  # noqa: F401  says what is missing
            from zkpredict.verifier import native  # noqa: F401  its time is not the proof's
            from zkpredict.verifier.commitment import ModelCommitment
        except ModuleNotFoundError as error:
            raise UnusableInput(f"the independent verifier needs {error.name}: pip install 'zkpredict[independent]'") from None
    commitment = ModelCommitment.load(arguments.commitment)
    BatchCircuit.of(commitment.circuit, 1)
    return commitment
