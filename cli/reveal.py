"""`zkpredict reveal`: says whether an opening opens a hidden input, and writes the input down when asked to."""

from __future__ import annotations

import argparse
import io
import math

import numpy as np

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.outputs import REVEALED
from zkpredict.circuits.files.storage import refuse_to_replace, write_atomically
from zkpredict.cli.console import REFUSED, Console
from zkpredict.cli.hidden import read_opening
from zkpredict.cli.parser import add_force_option
from zkpredict.cli.statement import image_name, refuse_same_file
from zkpredict.verifier.hidden import HiddenInput

EXAMPLE = """zkpredict reveal seven.opening --hidden seven.hidden
zkpredict reveal seven.opening --hidden seven.hidden --out seven-revealed.png"""
PICTURE, ARRAY = ".png", ".npy"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("opening", metavar="OPENING", help="private file of `zkpredict hide`")
    parser.add_argument("--hidden", metavar="FILE", help="the public commitment that proofs are about: refuse unless it is this one that is opened")
    parser.add_argument("--out", metavar="FILE", help=f"write the input as {ARRAY}, or a square one as {PICTURE}; without it nothing is shown")
    add_force_option(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    if arguments.out is not None:
        if not arguments.out.lower().endswith((PICTURE, ARRAY)):
            raise UnusableInput(f"cannot write {arguments.out}: its name must end in {ARRAY} or {PICTURE}")
        refuse_same_file(arguments.out, opening=arguments.opening, hidden_input=arguments.hidden)
        refuse_to_replace(arguments.out, REVEALED, arguments.force)
    from zkpredict.prover.hiding import WrongOpening

    try:
        opened = read_opening(arguments.opening, console)
    except WrongOpening as error:
        return _refused(console, str(error))
    name = image_name(opened.hidden.to_bytes())
    if arguments.hidden is not None:
        given = HiddenInput.load(arguments.hidden).to_bytes()
        if given != opened.hidden.to_bytes():
            return _refused(console, f"{arguments.opening} opens the hidden input {name}, {arguments.hidden} is {image_name(given)}")
    facts = {"opens": True, "inputs": opened.hidden.inputs, "hidden_sha256": name}
    which = f"{arguments.hidden} commits" if arguments.hidden else "its commitment is"
    lines = [f"OPENS: the {opened.hidden.inputs} bytes in {arguments.opening} are what {which} to.", f"  hidden    sha256 {name}"]
    if arguments.out is None:
        lines.append("  the bytes are not shown: --out FILE writes them")
    else:
        write_atomically(arguments.out, _written(arguments.out, opened.data), private=True)
        facts["out"] = arguments.out
        lines.append(f"  written   {arguments.out}: the input itself, readable by you only")
    console.result(facts, lines)
    return 0


def _refused(console: Console, reason: str) -> int:
    console.result({"opens": False, "reason": reason}, [f"DOES NOT OPEN: {reason}"])
    return REFUSED


def _written(path: str, data: bytes) -> bytes:
    """The input as a .npy of uint8, or a grey PNG that proves as the input did. Raises `UnusableInput` for a PNG of no square."""
    pixels, side = np.frombuffer(data, np.uint8), math.isqrt(len(data))
    if side * side == len(data):
        pixels = pixels.reshape(side, side)
    stream = io.BytesIO()
    if path.lower().endswith(ARRAY):
        np.save(stream, pixels)
        return stream.getvalue()
    if pixels.ndim == 1:
        raise UnusableInput(f"{len(data)} bytes are no square picture: give --out a name that ends in {ARRAY}")
    from PIL import Image, PngImagePlugin

    made_by = PngImagePlugin.PngInfo()
    made_by.add_text("Software", "zkpredict reveal")
    Image.fromarray(pixels).save(stream, "PNG", optimize=True, pnginfo=made_by)
    return stream.getvalue()
