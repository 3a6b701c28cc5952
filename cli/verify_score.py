"""`zkpredict verify-score`."""

from __future__ import annotations

import argparse

from zkpredict.circuits.files.kinds import SCORE
from zkpredict.cli.batches import add_label_option, plural, read_labelled
from zkpredict.cli.console import Console
from zkpredict.cli.inputs import add_data_options
from zkpredict.cli.parser import at_least_one
from zkpredict.cli.statement import milliseconds, read_expected
from zkpredict.cli.verify_batch import load_commitment, refused
from zkpredict.cli.words import Words
from zkpredict.verifier.batch import MAX_BATCH_BYTES
from zkpredict.verifier.errors import VerificationError, WrongStatement

EXAMPLE = """zkpredict verify-score t10k-images-idx3-ubyte.gz mnist.score --labels t10k-labels-idx1-ubyte.gz --commitment mnist.commitment
zkpredict verify-score iris.csv iris.score --labels species --commitment iris.commitment
zkpredict verify-score digits.npy mnist.score --labels labels.npy --count 1000 --commitment mnist.commitment --at-least 950"""


def configure(parser: argparse.ArgumentParser) -> None:
    add_data_options(parser)
    parser.add_argument("score", metavar="SCORE", help="the score file")
    add_label_option(parser)
    parser.add_argument("--commitment", required=True, metavar="FILE", help="public commitment of the model")
    parser.add_argument("--at-least", type=at_least_one, metavar="K", help="also refuse a score of fewer right answers")
    parser.add_argument("--independent", action="store_true", help="use the verifier written on plain ints and py_ecc: a second a track and more")


def run(arguments: argparse.Namespace, console: Console) -> int:
    data = read_expected(arguments.score, SCORE, console, MAX_BATCH_BYTES)
    commitment = load_commitment(arguments, console)
    (images, labels), words = read_labelled(arguments, console, commitment.circuit.inputs, commitment.schema), Words(commitment.schema)
    try:
        with console.step("verify"):
            if arguments.independent:
                from zkpredict.verifier.independent_batch import verify_score as independently

                right = independently(commitment.to_bytes(), [image.tobytes() for image in images], labels.tolist(), data)
            else:
                from zkpredict.verifier.score import parse_score, verify_score

                right = verify_score(commitment, images, labels, parse_score(data, commitment))
        if arguments.at_least is not None and right < arguments.at_least:
            raise WrongStatement(f"the network is right on {right:,} of {len(images):,}, fewer than {arguments.at_least:,}")
    except VerificationError as error:
        return refused(console, error)
    verifier = "independent" if arguments.independent else "native"
    console.result(
        {
            "valid": True, "verifier": verifier, "inputs": len(images), "right": right, "model_id": commitment.model_id.hex(),
            "set_id": data[5:37].hex(), "seconds": console.times,
        },
        [
            f"VALID: the network under {commitment.model_id.hex()[:16]}... is right on {right:,} of {plural(words, len(images))} "
            f"({100 * right / len(images):.2f} %).",
            f"  verifier  {verifier}, {milliseconds(console.times['verify'])}",
            f"  test set  {data[5:37].hex()}",
        ],
    )  # fmt: skip
    return 0
