"""`zkpredict prove`."""

from __future__ import annotations

import argparse
import shlex

from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.files.outputs import PROOF
from zkpredict.circuits.files.storage import refuse_to_replace, write_atomically
from zkpredict.cli.console import Console
from zkpredict.cli.parser import add_force_option
from zkpredict.cli.private import load_model
from zkpredict.cli.statement import add_image_options, image_name, milliseconds, read_statement_image, refuse_same_file
from zkpredict.cli.words import Words, add_class_options, wanted_class
from zkpredict.verifier.errors import VerificationError

EXAMPLE = """zkpredict prove examples/seven.png --model examples/mnist.model --out seven.proof
zkpredict prove examples/tables/iris.csv --row 0 --label species --model examples/tables/iris.model --out iris.proof"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", nargs="?", metavar="IMAGE", help="PNG, JPEG or .npy (uint8); for a model of readings, a row of .csv, .tsv, .json or .npy")
    parser.add_argument("--model", required=True, metavar="FILE", help="committed model file (private)")
    parser.add_argument("--out", required=True, metavar="PROOF", help="proof file to write")
    add_class_options(parser, "refuse unless the network says")
    add_image_options(parser)
    add_force_option(parser)


def run(arguments: argparse.Namespace, console: Console) -> None:
    with console.step("start"):
        from zkpredict.prover.prove import prove
        from zkpredict.verifier.native import verify
    refuse_same_file(arguments.out, model_file=arguments.model, image=arguments.image, idx_file=arguments.idx)
    refuse_to_replace(arguments.out, PROOF, arguments.force)
    with console.step("read"):
        model = load_model(arguments.model, console)
        if model.committed is None:
            step = shlex.join(["zkpredict", "commit", "--model", arguments.model, "--out"])
            raise UnusableInput(f"{arguments.model} has no commitment yet: `{step} FILE` makes it")
        commitment = model.commitment
        words, wanted = Words(model.schema), wanted_class(arguments, model.schema)
        image = read_statement_image(arguments, console, arguments.image, model.network.shape[0], model.schema)
    with console.step("prove"):
        proof = prove(model, image, wanted)
    with console.step("check"):
        try:
            verify(commitment, image, proof)
        except VerificationError as error:
            raise MalformedFile(f"{arguments.model}: its weights or secrets are not those of its commitment ({error})") from None
    data = proof.to_bytes()
    write_atomically(arguments.out, data)
    console.result(
        {
            **words.facts(proof.digit, image.tobytes()),
            "proof": str(arguments.out),
            "proof_bytes": len(data),
            "model_id": commitment.model_id.hex(),
            "network": model.network.name,
            "seconds": console.times,
        },
        [
            f"The network says {words.said(proof.digit)}, and {arguments.out} proves it.",
            f"  proof     {len(data)} bytes, made in {milliseconds(console.times['prove'])}",
            f"  model     {model.network.name}, id {commitment.model_id.hex()}",
            f"  {words.input:<8}  {image.size} bytes, sha256 {image_name(image)}",
            f"  public    {words.input}, {words.answer}, model id and commitment, network shape"
            + (", scale of the features" if model.schema.features else "") + (", names of the classes" if model.schema.classes else ""),
            "  private   every weight and bias",
        ],
    )
