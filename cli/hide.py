"""`zkpredict hide`: a hiding commitment to an input for everybody, and the opening that its owner keeps."""

from __future__ import annotations

import argparse
import os

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.outputs import HIDDEN, OPENING
from zkpredict.circuits.files.schema import Schema
from zkpredict.circuits.files.storage import FileOutput, refuse_to_replace, write_together
from zkpredict.cli.console import Console
from zkpredict.cli.parser import add_force_option, at_least_one
from zkpredict.cli.statement import add_image_options, image_name, read_statement_image, refuse_same_file

EXAMPLE = """zkpredict hide examples/seven.png --model examples/mnist.model --out seven.hidden
zkpredict hide examples/seven.png --inputs 784 --out seven.hidden --opening private/seven.opening"""
SUFFIX, OPENING_SUFFIX = ".hidden", ".opening"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", nargs="?", metavar="IMAGE", help="PNG, JPEG or .npy (uint8); for a model of readings, a row of .csv, .tsv, .json or .npy")
    parser.add_argument("--out", required=True, metavar="HIDDEN", help="public commitment file to write")
    parser.add_argument("--opening", metavar="FILE", help="private file to write, which opens it (default: beside HIDDEN, as .opening)")
    size = parser.add_mutually_exclusive_group(required=True)
    size.add_argument("--model", metavar="FILE", help="a model that will read the input; others with as many inputs can as well")
    size.add_argument("--commitment", metavar="FILE", help="the same, by the public commitment of a model")
    size.add_argument("--inputs", type=at_least_one, metavar="N", help="the same, by how many bytes the models take")
    add_image_options(parser)
    add_force_option(parser)


def run(arguments: argparse.Namespace, console: Console) -> None:
    opening = arguments.opening or os.fspath(arguments.out).removesuffix(SUFFIX) + OPENING_SUFFIX
    if os.path.abspath(opening) == os.path.abspath(arguments.out):
        raise UnusableInput(f"cannot write {opening}: it is the public commitment's file; give --opening another name")
    for path, kind in ((arguments.out, HIDDEN), (opening, OPENING)):
        refuse_same_file(path, image=arguments.image, idx_file=arguments.idx, model_file=arguments.model, commitment=arguments.commitment)
        refuse_to_replace(path, kind, arguments.force)
    refuse_same_file(opening, public_commitment=arguments.out)
    with console.step("start"):
        from zkpredict.prover.hiding import hide
    inputs, domain, schema = _size(arguments)
    image = read_statement_image(arguments, console, arguments.image, inputs, schema)
    with console.step("hide"):
        opened = hide(image, domain)
    hidden = opened.hidden
    write_together([FileOutput(opening, opened.to_bytes(), private=True), FileOutput(arguments.out, hidden.to_bytes())])
    name = image_name(hidden.to_bytes())
    console.result(
        {
            "hidden": str(arguments.out),
            "opening": str(opening),
            "inputs": inputs,
            "domain": hidden.domain,
            "points": len(hidden.points),
            "hidden_sha256": name,
            "seconds": console.times,
        },
        [
            f"The {inputs} bytes are hidden.",
            f"  public    {arguments.out}: {len(hidden.points)} point{'' if len(hidden.points) == 1 else 's'}, sha256 {name}; whoever checks proofs about them takes this",
            f"  private   {opening}: the bytes, and what opens the commitment; keep it, and keep it to yourself",
        ],
    )


def _size(arguments: argparse.Namespace) -> tuple[int, int | None, Schema]:
    """How many bytes the models take, on how many rows (None: as all do by default), and what the bytes mean."""
    from zkpredict.cli.hidden import takes_hidden

    if arguments.inputs is not None:
        return arguments.inputs, None, Schema()
    if arguments.model is not None:
        from zkpredict.prover.model import Model

        model = Model.load(arguments.model)
        circuit = model.commitment.circuit if model.committed else None
        inputs, schema = model.network.shape[0], model.schema
    else:
        from zkpredict.verifier.commitment import ModelCommitment

        commitment = ModelCommitment.load(arguments.commitment)
        circuit, schema = commitment.circuit, commitment.schema
        inputs = circuit.inputs
    return inputs, circuit.domain if circuit is not None and takes_hidden(circuit) else None, schema
