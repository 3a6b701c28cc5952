"""The `zkpredict` command. Exit codes: 0 done or valid, 1 a proof or claim was refused, 2 input that cannot be used
or output that cannot be written, 130 interrupted, 141 the reader of stdout went away before the outcome was said.

Each command is a module with `EXAMPLE`, `configure(parser)` and `run(arguments, console) -> int | None`; only the
module of the chosen command is imported, so `prove` never pays for training or the chain.
"""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType

from zkpredict.circuits.errors import FalseClaim, UnusableInput
from zkpredict.cli.console import INTERRUPTED, REFUSED, UNUSABLE, Console, OutputLost, say_aside, settle_streams
from zkpredict.cli.parser import Parser, WrongUsage, add_json_option

EXAMPLE = "zkpredict prove examples/seven.png --model examples/mnist.model --out seven.proof"

COMMANDS = {
    "prove": "prove that the committed network gives an image its digit",
    "prove-many": "prove about many inputs, on every processor or a Dask cluster",
    "look": "show what the network will see of a picture",
    "verify": "check a proof against an image and a model commitment",
    "prove-batch": "prove what the committed network says of many inputs, in one proof",
    "verify-batch": "check a proof of many inputs",
    "score": "prove how many inputs of a labelled test set the committed network gets right",
    "verify-score": "check a proven score",
    "testset": "commit to a labelled test set, so that scores on it verify without its inputs",
    "commit": "make the public commitment of a private model",
    "inspect": "explain a model, network, commitment, circuit, proof, batch, score, test set or hidden input file",
    "hide": "hide an input under a commitment that proofs can be about",
    "reveal": "say whether an opening opens a hidden input, and write the input",
    "train": "train a Keras network on MNIST idx files",
    "quantize": "turn a Keras model into an integer model file",
    "report": "say what quantisation costs and what a proof will cost",
    "export": "write the network as Solidity contracts",
    "serve": "a page to draw on, and proofs over HTTP",
    "calldata": "write a proof as a contract takes it: calldata, Solidity, JavaScript",
    "contract": "write the verifier contract as files: source, ABI, code, and a contract that pays",
    "chain": "deploy, register, verify and predict on an EVM chain",
    "script": "build, run and spend the network as a Bitcoin script",
    "dispute": "claim what an open network says, and refute false claims step by step",
    "training": "claim that a network is what a recipe makes of published data, and refute such claims",
    "contest": "let networks compete on a sealed test",
    "judged": "let hidden networks grade sealed inputs, and the best win a prize",
    "escrow": "pay for signed readings by what a network says",
    "bounty": "pay for pictures of one class, as a hidden network says",
    "learn": "improve a network with strangers, epoch by epoch",
    "council": "change a few weights of a live model by the vote of two houses",
    "market": "buy answers from strangers, or sell them, with sealed checks",
    "story": "play a whole system of contracts, or the attacks on it",
    "bench": "measure proving and verification, count sizes, estimate gas",
}
WITHOUT_NUMPY = {"prove", "verify"}
"""Commands that need numpy for some inputs only, and whose users should not wait for it otherwise."""


def command() -> None:
    """The console script: runs one command and ends the process with its exit code.

    Commands of `WITHOUT_NUMPY` leave at once, for taking the interpreter apart takes a seventh of their time. Nothing is lost: every line
    was flushed when it was said, every file closed when it was written, and they leave nothing to be done at exit.
    """
    code = main()
    if sys.argv[1:2] and sys.argv[1] in WITHOUT_NUMPY:
        os._exit(code)
    sys.exit(code)


def main(argv: list[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    argv = sys.argv[1:] if argv is None else argv
    settle_streams()
    try:
        return _run(argv)
    except OutputLost as lost:
        if lost.code == UNUSABLE:
            say_aside(f"zkpredict: {lost}")
        return lost.code


def _run(argv: list[str]) -> int:
    """The exit code of the command, after saying every error. Raises `OutputLost`."""
    console = Console("--json" in argv)
    try:
        arguments = parser_of(argv).parse_args(argv)
        console.as_json = arguments.json
        return arguments.module.run(arguments, console) or 0
    except FalseClaim as error:
        console.error(str(error), REFUSED)
        return REFUSED
    except WrongUsage as error:
        say_aside(error.usage, end="")
        console.error(str(error), UNUSABLE)
        return UNUSABLE
    except UnusableInput as error:
        console.error(str(error), UNUSABLE)
        return UNUSABLE
    except MemoryError:
        console.error("not enough memory for this input", UNUSABLE)
        return UNUSABLE
    except KeyboardInterrupt as interrupt:
        console.error(str(interrupt) or "interrupted", INTERRUPTED)
        return INTERRUPTED


def parser_of(argv: list[str]) -> Parser:
    """The parser, with the options of the command that is named in `argv`; with no other command where that comes first, for making
    parsers takes as long as verifying."""
    name = next((word for word in argv if not word.startswith("-")), None)
    known = [name] if argv[:1] == [name] and name in COMMANDS else COMMANDS
    parser = Parser(prog="zkpredict", description="Prove what a private network says about an image.", example=EXAMPLE)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in known:
        summary = COMMANDS[command]
        if command != name:
            commands.add_parser(command, help=summary, add_help=False)
            continue
        if command in WITHOUT_NUMPY:
            defer("numpy")
        module = importlib.import_module(f"zkpredict.cli.{command.replace('-', '_')}")
        sub = commands.add_parser(command, help=summary, description=summary, example=module.EXAMPLE)
        module.configure(sub)
        add_json_option(sub)
        sub.set_defaults(module=module)
    return parser


class Deferred(ModuleType):
    """Stands for a module that is imported when somebody first asks it for anything."""

    def __getattr__(self, name: str) -> object:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        module = importlib.import_module(self.__name__)
        self.__dict__.update(vars(module))
        return getattr(module, name)


def defer(name: str) -> None:
    """Lets `import name` return at once in this process, unless it has been imported already."""
    sys.modules.setdefault(name, Deferred(name))


if __name__ == "__main__":
    command()
