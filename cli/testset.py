"""`zkpredict testset`."""

from __future__ import annotations

import argparse

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.outputs import SET
from zkpredict.circuits.files.schema import Schema
from zkpredict.circuits.files.storage import refuse_to_replace, write_atomically
from zkpredict.cli.batches import add_label_options, read_labelled, settle_labels
from zkpredict.cli.console import Console
from zkpredict.cli.inputs import PICTURE_BYTES, add_data_options
from zkpredict.cli.parser import add_force_option
from zkpredict.cli.statement import refuse_same_file

EXAMPLE = """zkpredict testset t10k-images-idx3-ubyte.gz --labels t10k-labels-idx1-ubyte.gz --count 128 --out mnist.set
zkpredict testset iris.csv --labels species --commitment iris.commitment --out iris.set"""


def configure(parser: argparse.ArgumentParser) -> None:
    add_data_options(parser)
    add_label_options(parser)
    parser.add_argument(
        "--commitment", metavar="FILE",
        help=f"of a model that takes such inputs: the scale of a table's readings, and how large pictures are made (else {PICTURE_BYTES} bytes)",
    )  # fmt: skip
    parser.add_argument("--out", required=True, metavar="FILE", help="test set file to write: public, and what verifies scores without the inputs")
    add_force_option(parser)


def run(arguments: argparse.Namespace, console: Console) -> None:
    with console.step("start"):
        from zkpredict.prover.registered import register_set
        from zkpredict.verifier.commitment import ModelCommitment
    settle_labels(arguments)
    if arguments.labels is None:
        raise UnusableInput("a test set takes --labels: a column of the table, or a file with the class of each input")
    refuse_same_file(arguments.out, data=arguments.data, labels=arguments.labels, commitment=arguments.commitment)
    refuse_to_replace(arguments.out, SET, arguments.force)
    takes = None if arguments.commitment is None else ModelCommitment.load(arguments.commitment)
    images, labels = read_labelled(arguments, console, takes and takes.circuit.inputs, takes.schema if takes else Schema(), takes and takes.picture)
    with console.step("commit"):
        tests = register_set(images, labels)
    data = tests.to_bytes()
    write_atomically(arguments.out, data)
    console.result(
        {
            "inputs": len(images), "size": tests.size, "labels": len(set(tests.labels)), "points": len(tests.points), "set_id": tests.set_id.hex(),
            "set": str(arguments.out), "set_bytes": len(data), "seconds": console.times,
        },
        [
            f"{arguments.out} is a test set of {len(images):,} inputs of {tests.size:,} bytes with {len(set(tests.labels)):,} different labels.",
            f"  id        {tests.set_id.hex()}",
            f"  file      {len(data):,} bytes, {len(tests.points):,} point{'' if len(tests.points) == 1 else 's'}: it commits to the inputs and does not hold them",
            "  hidden    nothing: whoever guesses the inputs of a point can tell",
        ],
    )  # fmt: skip
