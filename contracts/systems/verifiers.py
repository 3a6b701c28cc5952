"""Writes `verifiers/*.json`: compiled verifiers of the stories' small networks, so that a story needs no compiler.

`python -m zkpredict.contracts.systems.verifiers` writes them, `--check` compares. Run it whenever the generator of verifiers changes.
"""

from __future__ import annotations

import argparse
import sys
from functools import cache
from importlib.resources import files
from pathlib import Path

from zkpredict.circuits.compiler import compile_network
from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.storage import write_atomically
from zkpredict.circuits.layout import Circuit
from zkpredict.contracts.artifact import Artifact
from zkpredict.contracts.systems.goods import apple_network, trip_network
from zkpredict.contracts.verifier import generate
from zkpredict.contracts.verifier.encoding import FinalCheck
from zkpredict.contracts.verifier.source import contract_name

FOLDER = Path(__file__).with_name("verifiers")


@cache
def verifier(circuit: Circuit) -> Artifact:
    """The verifier of a circuit: shipped here, shipped with all verifiers, or compiled now. Raises `UnusableInput` without a compiler."""
    resource = files("zkpredict.contracts.systems").joinpath("verifiers", f"{_name(circuit)}.json")
    if resource.is_file():
        return Artifact.from_json(resource.read_text(encoding="utf-8"))
    return generate.artifact(circuit)


def wanted() -> dict[Path, str]:
    """The files as they should be. Raises `UnusableInput` without a compiler."""
    circuits = (compile_network(network).circuit for network in (apple_network(), trip_network()))
    return {FOLDER / f"{_name(circuit)}.json": generate.artifact(circuit).to_json() for circuit in circuits}


def _name(circuit: Circuit) -> str:
    return contract_name(circuit, FinalCheck.POINT_EVALUATION)


def main(argv: list[str] | None = None) -> int:
    """0 when written or current, 1 when `--check` finds a difference, 2 when nothing can be compiled."""
    parser = argparse.ArgumentParser(prog="python -m zkpredict.contracts.systems.verifiers", description="Compile the stories' verifiers.")
    parser.add_argument("--check", action="store_true", help="compare with the files instead of writing them")
    arguments = parser.parse_args(argv)
    try:
        made = wanted()
    except UnusableInput as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.check:
        stale = [path.name for path, text in made.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
        print("\n".join(f"{name} is stale" for name in stale) or "the stories' verifiers are current")
        return 1 if stale else 0
    FOLDER.mkdir(exist_ok=True)
    for path, text in made.items():
        write_atomically(path, text.encode())
        print(path.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
