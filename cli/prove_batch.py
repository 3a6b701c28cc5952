"""`zkpredict prove-batch`."""

from __future__ import annotations

import argparse
import shlex

from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.files.outputs import BATCH
from zkpredict.circuits.files.storage import refuse_to_replace, write_atomically
from zkpredict.cli.batches import answers_line, count_lines, plural
from zkpredict.cli.console import Console
from zkpredict.cli.hidden import add_context_options, context_facts, context_lines, read_context
from zkpredict.cli.inputs import add_data_options, read_inputs
from zkpredict.cli.parser import add_force_option
from zkpredict.cli.private import load_model
from zkpredict.cli.rows import add_left_out_option
from zkpredict.cli.statement import image_name, milliseconds, refuse_same_file
from zkpredict.cli.words import Words
from zkpredict.prover.model import Model
from zkpredict.verifier.errors import VerificationError

EXAMPLE = """zkpredict prove-batch t10k-images-idx3-ubyte.gz --count 128 --model mnist.model --out digits.batch
zkpredict prove-batch iris.csv --label species --model iris.model --out iris.batch
zkpredict prove-batch pictures/ --model mnist.model --out pictures.batch --for job-17"""


def configure(parser: argparse.ArgumentParser) -> None:
    add_data_options(parser)
    add_left_out_option(parser)
    parser.add_argument("--model", required=True, metavar="FILE", help="committed model file (private); `zkpredict commit --batch` commits it")
    parser.add_argument("--out", required=True, metavar="FILE", help="proof file to write")
    add_context_options(parser, "a proof that is valid only under")
    add_force_option(parser)


def run(arguments: argparse.Namespace, console: Console) -> None:
    with console.step("start"):
        from zkpredict.prover.batch import prove_batch
        from zkpredict.verifier.batch import verify_batch
    refuse_same_file(arguments.out, model_file=arguments.model, data=arguments.data)
    refuse_to_replace(arguments.out, BATCH, arguments.force)
    model, context = committed_model(arguments, console), read_context(arguments)
    images, words = read_inputs(arguments, console, model.network.shape[0], model.schema, arguments.label, model.picture).values, Words(model.schema)
    with console.counted("prove", plural(words, 2).split()[1]) as progress:
        proof = prove_batch(model, images, context=context, progress=progress)
    with console.step("check"):
        try:
            verify_batch(model.commitment, images, proof, context)
        except VerificationError as error:
            raise not_its_own(arguments.model, error) from None
    data = proof.to_bytes()
    write_atomically(arguments.out, data)
    each = console.times["prove"] / len(images)
    console.result(
        {
            "inputs": len(images), "classes": list(proof.classes), "inputs_sha256": image_name(images.tobytes()), **context_facts(context),
            "proof": str(arguments.out), "proof_bytes": len(data), "parts": len(proof.parts), "model_id": model.commitment.model_id.hex(),
            "network": model.network.name, "seconds": console.times,
        },
        [
            f"The network says {answers_line(words, proof.classes, arguments.skip)}, and {arguments.out} proves it.",
            *count_lines(words, proof.classes),
            f"  proof     {len(data):,} bytes for {plural(words, len(images))}, made in {milliseconds(console.times['prove'])}, {milliseconds(each)} each",
            f"  model     {model.network.name}, id {model.commitment.model_id.hex()}",
            *context_lines(context),
            f"  public    every {words.input}, every {words.answer}, model id and commitment, network shape",
            "  private   every weight and bias",
        ],
    )  # fmt: skip


def committed_model(arguments: argparse.Namespace, console: Console) -> Model:
    """The model of `--model`. Raises `UnusableInput` when nothing was committed, `UnsupportedNetwork` when it was without batches."""
    from zkpredict.circuits.batch.layout import BatchCircuit

    model = load_model(arguments.model, console)
    if model.committed is None:
        step = shlex.join(["zkpredict", "commit", "--batch", "--model", arguments.model, "--out"])
        raise UnusableInput(f"{arguments.model} has no commitment yet: `{step} FILE` makes it")
    BatchCircuit.of(model.commitment.circuit, 1)
    return model


def not_its_own(path: str, error: VerificationError) -> MalformedFile:
    """What a proof that does not verify says about the model it was made with."""
    return MalformedFile(f"{path}: its weights or secrets are not those of its commitment ({error})")
