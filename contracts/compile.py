"""Compiles the Solidity sources with npm's solc into `open/artifacts/*.json`. Only developers run this; users get the artefacts.

`python -m zkpredict.contracts.compile` writes them, `--check` compares them and fails on a difference. Compiler version,
settings and the list of contracts that ship are in `open/solidity/settings.json`. solc is looked for in `node_modules` at the
root of the repository (`npm ci`), or in the folder that the variable ZKPREDICT_NODE_MODULES names.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.storage import read_file, write_atomically
from zkpredict.contracts.artifact import Artifact

FOLDER = Path(__file__).resolve().parent
SOURCES = FOLDER / "open" / "solidity"
ARTIFACTS = FOLDER / "open" / "artifacts"
NODE_MODULES_VARIABLE = "ZKPREDICT_NODE_MODULES"
_SECONDS = 600


@dataclass(frozen=True)
class Settings:
    """The pinned compiler version, its standard-JSON settings, and the names of the contracts that ship."""

    compiler: str
    settings: dict
    contracts: tuple[str, ...]

    @classmethod
    def load(cls) -> Settings:
        """Reads `open/solidity/settings.json`."""
        data = json.loads(read_file(SOURCES / "settings.json", "compiler settings"))
        return cls(data["compiler"], data["settings"], tuple(data["contracts"]))


def node_modules() -> Path:
    """The folder npm installed into. Raises `UnusableInput` when there is none."""
    named = os.environ.get(NODE_MODULES_VARIABLE)
    folder = Path(named) if named else FOLDER.parent / "node_modules"
    if not folder.is_dir():
        raise UnusableInput(f"no folder {folder}: run `npm ci`, or set {NODE_MODULES_VARIABLE} to a folder that has solc")
    return folder


def compile_sources(sources: dict[str, str], settings: Settings) -> dict[str, Artifact]:
    """Compiles Solidity texts by file name; gives every contract in them by name. Raises `UnusableInput` on any diagnostic.

    Warnings are refused too: a source that ships has none.
    """
    answer = _run_solc({
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sorted(sources.items())},
        "settings": settings.settings
        | {"outputSelection": {"*": {"*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"]}}},
    }, settings.compiler)
    problems = [entry["formattedMessage"] for entry in answer.get("errors", []) if entry["severity"] != "info"]
    if problems:
        raise UnusableInput("solc:\n" + "\n".join(problems))
    return _artifacts_of(answer, settings)


def _run_solc(request: dict, version: str) -> dict:
    """The standard-JSON answer of solc, which must have this version. Raises `UnusableInput` when it cannot run."""
    node = shutil.which("node")
    if node is None:
        raise UnusableInput("node is not on PATH; it runs the Solidity compiler")
    solc = node_modules() / "solc"
    found = json.loads(read_file(solc / "package.json", "solc's package.json"))["version"]
    if found != version:
        raise UnusableInput(f"solc {version} is pinned, {solc} has {found}")
    # files, not pipes: solc.js gives up on a pipe that is slow to fill and cuts off a long answer
    with tempfile.TemporaryFile("w+", encoding="utf-8") as question, tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        json.dump(request, question)
        question.seek(0)
        process = subprocess.run(
            [node, str(solc / "solc.js"), "--standard-json"],
            stdin=question, stdout=output, stderr=subprocess.PIPE, text=True, timeout=_SECONDS, check=False,
        )
        output.seek(0)
        text = output.read()
    start = text.find("{")
    if process.returncode or start < 0:
        raise UnusableInput(f"solc stopped with code {process.returncode}: {process.stderr.strip()[:2000]}")
    return json.loads(text[start:])


def _artifacts_of(answer: dict, settings: Settings) -> dict[str, Artifact]:
    """Every contract of solc's answer by name."""
    contracts = {name: contract for file in answer["contracts"].values() for name, contract in file.items()}
    return {
        name: Artifact(
            name,
            tuple(contract["abi"]),
            bytes.fromhex(contract["evm"]["bytecode"]["object"]),
            bytes.fromhex(contract["evm"]["deployedBytecode"]["object"]),
            settings.compiler,
            settings.settings,
        )
        for name, contract in contracts.items()
    }


def shipped_sources() -> dict[str, str]:
    """Every Solidity source of this package by file name."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(SOURCES.glob("*.sol"))}


def compile_shipped() -> dict[Path, str]:
    """The artefact files as they should be: path and text of every contract named in the settings."""
    settings = Settings.load()
    artifacts = compile_sources(shipped_sources(), settings)
    missing = [name for name in settings.contracts if name not in artifacts]
    if missing:
        raise UnusableInput(f"settings.json names {', '.join(missing)}, which no source defines")
    return {ARTIFACTS / f"{name}.json": artifacts[name].to_json() for name in settings.contracts}


def differences() -> list[str]:
    """One line for each artefact that is missing, stale or no longer made."""
    wanted = compile_shipped()
    found = {path: path.read_text(encoding="utf-8") for path in ARTIFACTS.glob("*.json")}
    lines = [f"{path.name} is missing" for path in wanted if path not in found]
    lines += [f"{path.name} is stale" for path, text in wanted.items() if found.get(path, text) != text]
    return lines + [f"{path.name} is made by nothing" for path in sorted(found.keys() - wanted.keys())]


def main(argv: list[str] | None = None) -> int:
    """Writes the artefacts, or compares them with `--check`: 0 when all is current, 1 when not, 2 when solc cannot run."""
    parser = argparse.ArgumentParser(prog="python -m zkpredict.contracts.compile", description="Compile the contracts.")
    parser.add_argument("--check", action="store_true", help="compare with the artefacts instead of writing them")
    arguments = parser.parse_args(argv)
    try:
        if arguments.check:
            lines = differences()
            print("\n".join(lines) or "all artefacts are current")
            return 1 if lines else 0
        for path, text in compile_shipped().items():
            write_atomically(path, text.encode())
            print(path.name)
    except UnusableInput as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
