"""`zkpredict look`: what the network will see of a picture, before anything is proven about it."""

from __future__ import annotations

import argparse
import io
import math

import numpy as np

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.outputs import SEEN
from zkpredict.circuits.files.storage import refuse_to_replace, write_atomically
from zkpredict.cli.console import Console
from zkpredict.cli.parser import add_force_option
from zkpredict.cli.statement import add_image_options, image_name, read_statement_image, refuse_same_file

EXAMPLE = """zkpredict look examples/seven.png --model examples/mnist.model
zkpredict look examples/seven.png --auto --commitment examples/mnist.commitment --out seen.png"""
SHADES = " .:-=+*#%@"
ENLARGED = 10


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", nargs="?", metavar="IMAGE", help="PNG, JPEG or .npy (uint8)")
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--model", metavar="FILE", help="model file: also says what its network answers, without a proof")
    whose.add_argument("--commitment", metavar="FILE", help="public commitment of a model")
    parser.add_argument("--out", metavar="PNG", help=f"write what the network sees, {ENLARGED} times enlarged; it proves as the image does")
    add_image_options(parser)
    add_force_option(parser)


def run(arguments: argparse.Namespace, console: Console) -> None:
    if arguments.out is not None:
        refuse_same_file(
            arguments.out, image=arguments.image, idx_file=arguments.idx, model_file=arguments.model, commitment=arguments.commitment
        )
        refuse_to_replace(arguments.out, SEEN, arguments.force)
    inputs, model, schema, picture = _network(arguments)
    side = math.isqrt(inputs)
    if schema.features and not schema.shared:
        raise UnusableInput(f"this model takes {inputs} readings, no picture: there is nothing to look at, and `zkpredict prove` takes a row of a table")
    if side * side != inputs or picture not in (None, (side, side, 1)):
        raise UnusableInput(f"a network of {inputs} inputs sees no square picture: there is nothing to look at")
    pixels = read_statement_image(arguments, console, arguments.image, inputs, schema, picture)
    seen = pixels.reshape(side, side)
    facts = {"side": side, "image_sha256": image_name(pixels), "pixels": pixels.tolist()}
    lines = [*drawn(seen), f"  image     {side} x {side} bytes, sha256 {facts['image_sha256']}"]
    if model is not None:
        facts["digit"] = model.predict(pixels)
        lines.append(f"  answer    {facts['digit']} (nothing is proven yet)")
    if arguments.out is not None:
        write_atomically(arguments.out, enlarged_png(seen))
        facts["out"] = arguments.out
        lines.append(f"  written   {arguments.out}")
    console.result(facts, lines)


def _network(arguments: argparse.Namespace):
    """How many bytes the network takes, the model when there is one, what its bytes mean, and the picture that it reads."""
    if arguments.model is None:
        from zkpredict.verifier.commitment import ModelCommitment

        commitment = ModelCommitment.load(arguments.commitment)
        return commitment.circuit.inputs, None, commitment.schema, commitment.picture
    from zkpredict.prover.model import Model

    model = Model.load(arguments.model)
    return model.network.shape[0], model, model.schema, model.picture


def drawn(seen: np.ndarray) -> list[str]:
    """One line a row of uint8 [side, side], two characters a pixel, between bars."""
    rule = "+" + "-" * (2 * seen.shape[1]) + "+"
    rows = ("".join(SHADES[shade * len(SHADES) // 256] * 2 for shade in row) for row in seen.tolist())
    return [rule, *(f"|{row}|" for row in rows), rule]


def enlarged_png(seen: np.ndarray) -> bytes:
    """A PNG of whole squares: read again, their averages are the same bytes. Its text says who made it, for whoever would replace it."""
    from PIL import Image, PngImagePlugin

    made_by = PngImagePlugin.PngInfo()
    made_by.add_text("Software", "zkpredict look")
    stream = io.BytesIO()
    Image.fromarray(np.kron(seen, np.ones((ENLARGED, ENLARGED), np.uint8))).save(stream, "PNG", optimize=True, pnginfo=made_by)
    return stream.getvalue()
