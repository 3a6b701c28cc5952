"""`zkpredict verify-score`."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.kinds import SCORE, SET, start_of
from zkpredict.cli.batches import add_label_options, plural, read_tests, settle_labels
from zkpredict.cli.console import Console
from zkpredict.cli.hidden import add_context_options, context_facts, context_lines, read_context, refused
from zkpredict.cli.inputs import add_data_options
from zkpredict.cli.parser import at_least_one
from zkpredict.cli.statement import milliseconds, read_expected
from zkpredict.cli.verify_batch import load_commitment
from zkpredict.cli.words import Words
from zkpredict.verifier.batch import MAX_BATCH_BYTES
from zkpredict.verifier.errors import VerificationError, WrongStatement

if TYPE_CHECKING:
    import numpy as np

    from zkpredict.verifier.commitment import ModelCommitment
    from zkpredict.verifier.testset import RegisteredSet

EXAMPLE = """zkpredict verify-score t10k-images-idx3-ubyte.gz mnist.score --labels t10k-labels-idx1-ubyte.gz --commitment mnist.commitment
zkpredict verify-score iris.csv iris.score --labels species --commitment iris.commitment
zkpredict verify-score digits.npy mnist.score --labels labels.npy --count 1000 --commitment mnist.commitment --at-least 950
zkpredict verify-score mnist.set mnist.score --commitment mnist.commitment --for round-1
zkpredict verify-score digits.npy mnist.score --set mnist.set --commitment mnist.commitment"""


def configure(parser: argparse.ArgumentParser) -> None:
    add_data_options(parser)
    parser.add_argument("score", metavar="SCORE", help="the score file")
    add_label_options(parser, "; a registered test set knows it")
    parser.add_argument("--set", metavar="SET", help="the registered test set of the score, if DATA is its inputs: checks that too. Else DATA may be the set")
    parser.add_argument("--commitment", required=True, metavar="FILE", help="public commitment of the model")
    parser.add_argument("--at-least", type=at_least_one, metavar="K", help="also refuse a score of fewer right answers")
    add_context_options(parser, "of a registered test set: the score is valid only under")
    parser.add_argument("--independent", action="store_true", help="use the verifier written on plain ints and py_ecc: a second a track and more")


def run(arguments: argparse.Namespace, console: Console) -> int:
    data, context = read_expected(arguments.score, SCORE, console, MAX_BATCH_BYTES), read_context(arguments)
    settle_labels(arguments)
    commitment = load_commitment(arguments, console)
    tests, images, labels = _statement(arguments, console, commitment)
    if tests is None and (labels is None or context):
        raise UnusableInput("a score on inputs takes --labels, and has no --context or --for; one on a registered test set takes the set in the place of DATA")
    try:
        with console.step("verify"):
            if tests is not None:
                right = _registered(arguments, commitment, tests, data, context)
            else:
                right = _of_inputs(arguments, commitment, images, labels, data)
        count = len(images if tests is None else tests.labels)
        if arguments.at_least is not None and right < arguments.at_least:
            raise WrongStatement(f"the network is right on {right:,} of {count:,}, fewer than {arguments.at_least:,}")
    except VerificationError as error:
        return refused(console, error, None if tests is None else context)
    verifier, words = "independent" if arguments.independent else "native", Words(commitment.schema)
    registered = "" if tests is None else ", registered" if arguments.set is None else ", registered, of these inputs"
    console.result(
        {
            "valid": True, "verifier": verifier, "inputs": count, "right": right, "model_id": commitment.model_id.hex(),
            "set_id": data[5:37].hex(), "registered": tests is not None, **context_facts(context), "seconds": console.times,
        },
        [
            f"VALID: the network under {commitment.model_id.hex()[:16]}... is right on {right:,} of {plural(words, count)} "
            f"({100 * right / count:.2f} %).",
            f"  verifier  {verifier}, {milliseconds(console.times['verify'])}",
            f"  test set  {data[5:37].hex()}{registered}",
            *context_lines(context),
        ],
    )  # fmt: skip
    return 0


def _statement(
    arguments: argparse.Namespace, console: Console, commitment: ModelCommitment
) -> tuple[RegisteredSet | None, np.ndarray | None, np.ndarray | None]:
    """The registered test set, if there is one, the inputs and their labels, if there are. Raises `UnusableInput` for a set of other inputs or
    labels, and for what goes with inputs where there are none."""
    size, schema, tests = commitment.circuit.inputs, commitment.schema, None
    if _is_set(arguments.data):
        from zkpredict.cli.sets import read_set

        if arguments.set is not None:
            raise UnusableInput(f"{arguments.data} is a registered test set itself: leave out --set, which is for its inputs")
        wrong = [name for name in ("labels", "label", "count", "skip", "invert", "auto", "allow_blank", "taken_as") if getattr(arguments, name)]
        if wrong:
            option = "as" if wrong[0] == "taken_as" else wrong[0].replace("_", "-")
            raise UnusableInput(f"{arguments.data} is a registered test set, which has its inputs and labels: --{option} goes with others")
        return read_set(arguments.data), None, None
    images, labels = read_tests(arguments, console, size, schema, commitment.picture)
    if arguments.set is not None:
        from zkpredict.cli.sets import check_set, read_set

        tests = read_set(arguments.set)
        check_set(tests, images, labels, arguments.set)
    return tests, images, labels


def _is_set(path: str) -> bool:
    """Whether a file starts as registered test sets do."""
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        return file.read(len(start_of(SET))) == start_of(SET)


def _registered(arguments: argparse.Namespace, commitment: ModelCommitment, tests: RegisteredSet, data: bytes, context: bytes) -> int:
    if arguments.independent:
        from zkpredict.verifier.independent_registered import verify_registered as independently

        return independently(commitment.to_bytes(), tests.to_bytes(), data, context)
    from zkpredict.verifier.registered import parse_registered, verify_registered

    return verify_registered(commitment, tests, parse_registered(data, commitment), context)


def _of_inputs(arguments: argparse.Namespace, commitment: ModelCommitment, images: np.ndarray, labels: np.ndarray, data: bytes) -> int:
    if arguments.independent:
        from zkpredict.verifier.independent_batch import verify_score as independently

        return independently(commitment.to_bytes(), [image.tobytes() for image in images], labels.tolist(), data)
    from zkpredict.verifier.score import parse_score, verify_score

    return verify_score(commitment, images, labels, parse_score(data, commitment))
