"""The `zkpredict` command. Exit codes: 0 done or valid, 1 a proof or claim was refused, 2 input that cannot be used.

Each command is a module with `EXAMPLE`, `configure(parser)` and `run(arguments, console) -> int | None`; only the
module of the chosen command is imported, so `prove` never pays for training or the chain.
"""

from __future__ import annotations

import argparse
import importlib
import sys

from zkpredict.circuits.errors import FalseClaim, UnusableInput
from zkpredict.cli.console import INTERRUPTED, REFUSED, UNUSABLE, Console

COMMANDS = {
    "prove": "prove that the committed network gives an image its digit",
    "verify": "check a proof against an image and a model commitment",
    "commit": "make the public commitment of a private model",
    "inspect": "explain a model, network, commitment, circuit or proof file",
    "train": "train a Keras network on MNIST idx files",
    "quantize": "turn a Keras model into an integer model file",
    "report": "say what quantisation costs and what a proof will cost",
    "export": "write the network as Solidity contracts",
    "chain": "deploy, register, verify and predict on an EVM chain",
    "script": "build, run and spend the network as a Bitcoin script",
    "bench": "measure proving and verification, count sizes, estimate gas",
}


def main(argv: list[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    argv = sys.argv[1:] if argv is None else argv
    name = next((word for word in argv if not word.startswith("-")), None)
    parser = argparse.ArgumentParser(
        prog="zkpredict",
        description="Prove what a private network says about an image.",
        epilog="example: zkpredict prove examples/seven.png --model examples/mnist.model --out seven.proof",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command, summary in COMMANDS.items():
        if command != name:
            commands.add_parser(command, help=summary, add_help=False)
            continue
        module = importlib.import_module(f"zkpredict.cli.{command}")
        sub = commands.add_parser(
            command, help=summary, description=summary, epilog=f"example: {module.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.configure(sub)
        sub.add_argument("--json", action="store_true", help="print one JSON object")
        sub.set_defaults(module=module)
    arguments = parser.parse_args(argv)
    console = Console(arguments.json)
    try:
        return arguments.module.run(arguments, console) or 0
    except FalseClaim as error:
        console.error(str(error), REFUSED)
        return REFUSED
    except UnusableInput as error:
        console.error(str(error), UNUSABLE)
        return UNUSABLE
    except MemoryError:
        console.error("not enough memory for this input", UNUSABLE)
        return UNUSABLE
    except KeyboardInterrupt:
        console.error("interrupted", INTERRUPTED)
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
