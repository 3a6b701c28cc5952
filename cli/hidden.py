"""What commands share about hidden inputs (`zkpredict hide`), and about whom a proof is for."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.statement import CONTEXT_BYTES
from zkpredict.cli.console import REFUSED, Console
from zkpredict.cli.private import OTHERS
from zkpredict.cli.statement import image_name, read_statement_pixels, refuse_together
from zkpredict.cli.words import Words

if TYPE_CHECKING:
    from zkpredict.circuits.placement import AnyCircuit
    from zkpredict.prover.hiding import OpenedInput
    from zkpredict.prover.model import Model
    from zkpredict.verifier.commitment import ModelCommitment
    from zkpredict.verifier.errors import VerificationError
    from zkpredict.verifier.hidden import HiddenInput
    from zkpredict.verifier.messages import Point


def takes_hidden(circuit: AnyCircuit) -> bool:
    """Whether proofs with this circuit are about hidden inputs."""
    from zkpredict.circuits.wide.layout import WideCircuit  # late, as below: help and wrong usage need not wait for the verifier

    return isinstance(circuit, WideCircuit) and circuit.private_input


# whom a proof is for


def add_context_options(parser: argparse.ArgumentParser, what: str) -> None:
    """Adds `--context` and `--for`; `what` is what they do."""
    context = parser.add_mutually_exclusive_group()
    context.add_argument("--context", metavar="HEX", help=f"{what} these {CONTEXT_BYTES} bytes: an address, a job, a nonce")
    context.add_argument("--for", dest="audience", metavar="TEXT", help="the same for the keccak256 of a text, which is printed")


def read_context(arguments: argparse.Namespace) -> bytes:
    """The context that the options name: 32 bytes, or none. Raises `UnusableInput`."""
    if arguments.audience is not None:
        from Crypto.Hash import keccak

        return keccak.new(digest_bits=256, data=arguments.audience.encode("utf-8", "surrogateescape")).digest()
    if arguments.context is None:
        return b""
    digits = arguments.context.removeprefix("0x")
    if len(digits) != 2 * CONTEXT_BYTES or not set(digits) <= set("0123456789abcdefABCDEF"):
        raise UnusableInput(f"--context takes {2 * CONTEXT_BYTES} hexadecimal digits, got {len(digits)} characters; --for takes any text")
    return bytes.fromhex(digits)


def context_facts(context: bytes) -> dict:
    """For machines; nothing for a proof for nobody in particular."""
    return {"context": context.hex()} if context else {}


def context_lines(context: bytes, width: int = 8) -> list[str]:
    """For people; `width`: of the names of lines."""
    return [f"  {'context':<{width}}  {context.hex()}: valid under no other"] if context else []


OTHER_STATEMENT = "the proof was made for other inputs, for another answer or --context, or its claim is false"
"""What an opening that does not match can mean."""


def refused(console: Console, error: VerificationError, context: bytes | None) -> int:
    """Says why a proof is refused, and of an opening that does not match what to look at; `context`: under which it was checked, None where there can be none."""
    from zkpredict.verifier.errors import FailedOpening

    kind = type(error).__name__
    facts, lines = {"valid": False, "kind": kind, "reason": str(error)}, [f"INVALID ({kind}): {error}"]
    if isinstance(error, FailedOpening) and context is not None:
        todo = f"{OTHER_STATEMENT}: " + ("it is checked under the --context or --for that is given" if context else "if it was made with --context or --for, give the same")
        facts, lines = facts | {"todo": todo}, [*lines, f"  {todo}"]
    console.result(facts, lines)
    return REFUSED


# hidden inputs


def read_proven(arguments: argparse.Namespace, console: Console, model: Model) -> bytes | OpenedInput:
    """What `prove` is asked about: an image, or the opening that `--hidden` names. Raises `UnusableInput`."""
    hidden = takes_hidden(model.commitment.circuit)
    name = shlex.quote(arguments.model)
    if arguments.hidden is None and hidden:
        raise UnusableInput(
            f"{arguments.model} is committed for hidden inputs: `zkpredict hide IMAGE --model {name} --out FILE` makes one, and --hidden takes its opening"
        )
    if arguments.hidden is None:
        return read_statement_pixels(arguments, console, arguments.image, model.network.shape[0], model.schema, model.picture)
    refuse_image_options(arguments, arguments.image)
    if not hidden:
        raise UnusableInput(
            f"{arguments.model} is committed for public inputs: `zkpredict commit --model {name} --hidden-input --again --out FILE` commits it for hidden ones"
        )
    return read_opening(arguments.hidden, console)


def read_checked(
    arguments: argparse.Namespace, console: Console, picture: str | None, commitment: ModelCommitment, decode_point: Callable[[bytes], Point]
) -> bytes | HiddenInput:
    """What a proof is checked about: the bytes of an image, or the hidden input that `--hidden` names. Raises `UnusableInput`."""
    hidden = takes_hidden(commitment.circuit)
    if arguments.hidden is None and hidden:
        raise UnusableInput(f"{arguments.commitment} is for hidden inputs: give the proof alone, and --hidden FILE")
    if arguments.hidden is None:
        return read_statement_pixels(arguments, console, picture, commitment.circuit.inputs, commitment.schema, commitment.picture)
    refuse_image_options(arguments, None)
    if not hidden:
        raise UnusableInput(f"{arguments.commitment} is for public inputs: give the image in the place of --hidden")
    from zkpredict.verifier.hidden import HiddenInput

    return HiddenInput.load(arguments.hidden, decode_point)


def refuse_image_options(arguments: argparse.Namespace, picture: str | None) -> None:
    """Raises `UnusableInput` for what says how to read an image, when there is none to read."""
    given = {"an image": picture, "--idx": arguments.idx, "--index": arguments.index, "--invert": arguments.invert}
    given |= {"--auto": arguments.auto, "--allow-blank": arguments.allow_blank, "--row": arguments.row, "--label": arguments.label}
    refuse_together("--hidden", given, "the hidden input holds the bytes already")


def read_opening(path: str, console: Console) -> OpenedInput:
    """An opening; says so when others can read it. Errors are those of `OpenedInput.load`."""
    from zkpredict.prover.hiding import OpenedInput

    opened = OpenedInput.load(path)
    warn_of_opening_readers(path, console)
    return opened


def warn_of_opening_readers(path: str, console: Console) -> None:
    """A note when the file of an opening is readable by its group or by everybody."""
    if os.stat(path).st_mode & OTHERS:
        console.note(f"{path} holds a private input, and others on this machine may read it: chmod 600 {path}")


def statement_facts(words: Words, digit: int, image: bytes | HiddenInput) -> dict:
    """What a proof says, for machines. Of a hidden input the hash of its public file: the hash of its bytes would tell who guesses them."""
    if isinstance(image, bytes):
        return words.facts(digit, image)
    return words.answered(digit) | input_facts(image)


def input_facts(image: bytes | HiddenInput) -> dict:
    """The same of the input alone."""
    return {"image_sha256": image_name(image)} if isinstance(image, bytes) else {"hidden_sha256": image_name(image.to_bytes())}


def input_line(words: Words, facts: dict, size: int | None = None, width: int = 8) -> str:
    """The same for people; `size` is how many bytes it has, when that is to be said, `width` that of the names of lines."""
    many = "" if size is None else f"{size} bytes, "
    if "hidden_sha256" in facts:
        return f"  {'hidden':<{width}}  {many}commitment sha256 {facts['hidden_sha256']}"
    return f"  {words.input:<{width}}  {many}sha256 {facts['image_sha256']}"
