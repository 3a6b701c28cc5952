"""`zkpredict prove`."""

from __future__ import annotations

import argparse
import shlex

from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.files.outputs import PROOF
from zkpredict.circuits.files.storage import refuse_to_replace, write_atomically
from zkpredict.cli.claimwords import claim_facts, sentence
from zkpredict.cli.console import Console
from zkpredict.cli.hidden import (
    add_context_options,
    context_facts,
    context_lines,
    input_line,
    read_context,
    read_proven,
    statement_facts,
)
from zkpredict.cli.parser import add_force_option
from zkpredict.cli.private import load_model
from zkpredict.cli.statement import add_image_options, milliseconds, refuse_same_file
from zkpredict.cli.words import Words, add_class_options, wanted_class
from zkpredict.verifier.errors import VerificationError

EXAMPLE = """zkpredict prove examples/seven.png --model examples/mnist.model --out seven.proof
zkpredict prove examples/tables/iris.csv --row 0 --label species --model examples/tables/iris.model --out iris.proof
zkpredict prove --hidden seven.opening --model mnist-hidden.model --out seven.proof --for job-17"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", nargs="?", metavar="IMAGE", help="PNG, JPEG or .npy (uint8); for a model of readings, a row of .csv, .tsv, .json or .npy")
    parser.add_argument("--model", required=True, metavar="FILE", help="committed model file (private)")
    parser.add_argument("--out", required=True, metavar="PROOF", help="proof file to write")
    parser.add_argument("--hidden", metavar="OPENING", help="prove about the hidden input that this file opens, instead of an image")
    add_context_options(parser, "a proof that is valid only under")
    add_class_options(parser, "refuse unless the network says")
    add_image_options(parser)
    add_force_option(parser)


def run(arguments: argparse.Namespace, console: Console) -> None:
    with console.step("start"):
        from zkpredict.prover.prove import prove
        from zkpredict.verifier.native import verify
    refuse_same_file(arguments.out, model_file=arguments.model, image=arguments.image, idx_file=arguments.idx, opening=arguments.hidden)
    refuse_to_replace(arguments.out, PROOF, arguments.force)
    with console.step("read"):
        model = load_model(arguments.model, console)
        if model.committed is None:
            step = shlex.join(["zkpredict", "commit", "--model", arguments.model, "--out"])
            raise UnusableInput(f"{arguments.model} has no commitment yet: `{step} FILE` makes it")
        commitment = model.commitment
        words, wanted = Words(model.schema), wanted_class(arguments, model.schema)
        image, context = read_proven(arguments, console, model), read_context(arguments)
        published = image if isinstance(image, bytes) else image.hidden
    with console.step("prove"):
        proof = prove(model, image, wanted, context)
    with console.step("check"):
        try:
            verify(commitment, published, proof, context)
        except VerificationError as error:
            raise MalformedFile(f"{arguments.model}: its weights or secrets are not those of its commitment ({error})") from None
    data, facts = proof.to_bytes(), statement_facts(words, proof.digit, published)
    shown = f"commitment of the {words.input}" if arguments.hidden else words.input
    write_atomically(arguments.out, data)
    console.result(
        {
            **facts,
            **context_facts(context),
            **claim_facts(commitment.circuit, proof.outputs),
            "proof": str(arguments.out),
            "proof_bytes": len(data),
            "model_id": commitment.model_id.hex(),
            "network": model.network.name,
            "seconds": console.times,
        },
        [
            f"The network {sentence(commitment.circuit, words, proof.digit, proof.outputs)}, and {arguments.out} proves it.",
            f"  proof     {len(data)} bytes, made in {milliseconds(console.times['prove'])}",
            f"  model     {model.network.name}, id {commitment.model_id.hex()}",
            input_line(words, facts, commitment.circuit.inputs),
            *context_lines(context),
            f"  public    {shown}, {words.answer}{', every output' if proof.outputs else ''}, model id and commitment, network shape"
            + (", scale of the features" if model.schema.features else "") + (", names of the classes" if model.schema.classes else ""),
            "  private   every weight and bias" + (f", and the {words.input}" if arguments.hidden else ""),
        ],
    )
