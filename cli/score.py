"""`zkpredict score`."""

from __future__ import annotations

import argparse

from zkpredict.circuits.files.outputs import SCORE
from zkpredict.circuits.files.storage import refuse_to_replace, write_atomically
from zkpredict.cli.batches import add_label_option, plural, read_labelled
from zkpredict.cli.console import Console
from zkpredict.cli.inputs import add_data_options
from zkpredict.cli.parser import add_force_option
from zkpredict.cli.prove_batch import committed_model, not_its_own
from zkpredict.cli.statement import milliseconds, refuse_same_file
from zkpredict.cli.words import Words
from zkpredict.verifier.errors import VerificationError

EXAMPLE = """zkpredict score t10k-images-idx3-ubyte.gz --labels t10k-labels-idx1-ubyte.gz --model mnist.model --out mnist.score
zkpredict score iris.csv --labels species --model iris.model --out iris.score
zkpredict score digits.npy --labels labels.npy --count 1000 --model mnist.model --out mnist.score"""


def configure(parser: argparse.ArgumentParser) -> None:
    add_data_options(parser)
    add_label_option(parser)
    parser.add_argument("--model", required=True, metavar="FILE", help="committed model file (private); `zkpredict commit --batch` commits it")
    parser.add_argument("--out", required=True, metavar="FILE", help="score file to write")
    add_force_option(parser)


def run(arguments: argparse.Namespace, console: Console) -> None:
    with console.step("start"):
        from zkpredict.prover.batch import prove_score
        from zkpredict.verifier.score import verify_score
    refuse_same_file(arguments.out, model_file=arguments.model, data=arguments.data, labels=arguments.labels)
    refuse_to_replace(arguments.out, SCORE, arguments.force)
    model = committed_model(arguments, console)
    (images, labels), words = read_labelled(arguments, console, model.network.shape[0], model.schema), Words(model.schema)
    with console.counted("prove", plural(words, 2).split()[1]) as progress:
        score = prove_score(model, images, labels, progress)
    with console.step("check"):
        try:
            verify_score(model.commitment, images, labels, score)
        except VerificationError as error:
            raise not_its_own(arguments.model, error) from None
    data = score.to_bytes()
    write_atomically(arguments.out, data)
    console.result(
        {
            "inputs": len(images), "right": score.right, "set_id": score.set_id.hex(), "proof": str(arguments.out), "proof_bytes": len(data),
            "parts": len(score.proof.parts), "model_id": model.commitment.model_id.hex(), "network": model.network.name, "seconds": console.times,
        },
        [
            f"The network is right on {score.right:,} of {plural(words, len(images))} ({100 * score.right / len(images):.2f} %), and {arguments.out} proves it.",
            f"  proof     {len(data):,} bytes, made in {milliseconds(console.times['prove'])}",
            f"  test set  {score.set_id.hex()}",
            f"  model     {model.network.name}, id {model.commitment.model_id.hex()}",
            f"  public    every {words.input}, every label, every {words.answer}, model id and commitment, network shape",
            "  private   every weight and bias",
        ],
    )  # fmt: skip
