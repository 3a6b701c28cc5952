"""Compiles the Solidity sources with npm's solc into artefacts. Only developers run this; users get the artefacts.

`python -m zkpredict.contracts.compile` writes them, `--check` compares them and fails on a difference, `--only pay` does
either for one unit. A unit is a folder of sources that is compiled in one go: `open/solidity`, and every folder of
`systems/solidity`. Compiler version and settings are in the `settings.json` beside the units; a contract (no interface, no
abstract contract, no library) of a unit ships, unless `settings.json` names the ones that do.

Imports: relative ones, `zkpredict/verifier/X.sol` and `zkpredict/open/X.sol` for the sources of this package, and
`@openzeppelin/contracts/...`, which comes from npm as solc does. Both are looked for in `node_modules` at the root of the
repository (`npm ci`), or in the folder that the variable ZKPREDICT_NODE_MODULES names.
"""

from __future__ import annotations

import argparse
import json
import os
import posixpath
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.storage import read_file, write_atomically
from zkpredict.contracts.artifact import Artifact

FOLDER = Path(__file__).resolve().parent
SYSTEMS = FOLDER / "systems" / "solidity"
PACKAGE_SOURCES = {"zkpredict/verifier": FOLDER / "verifier" / "solidity", "zkpredict/open": FOLDER / "open" / "solidity"}
NODE_MODULES_VARIABLE = "ZKPREDICT_NODE_MODULES"
OUTPUTS = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", "evm.deployedBytecode.immutableReferences"]
"""What solc is asked for of every contract."""
_SECONDS = 600
_IMPORT = re.compile(r'^import\s+(?:[^"\';]*\sfrom\s+)?["\']([^"\']+)["\']', re.MULTILINE)
_CONTRACT = re.compile(r"^contract (\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Settings:
    """The pinned compiler version, its standard-JSON settings, and the names of the contracts that ship, None for all."""

    compiler: str
    settings: dict[str, Any]
    contracts: tuple[str, ...] | None

    @classmethod
    def load(cls, folder: Path = FOLDER / "open" / "solidity") -> Settings:
        """Reads the `settings.json` in `folder`."""
        data = json.loads(read_file(folder / "settings.json", "compiler settings"))
        named = data.get("contracts")
        return cls(data["compiler"], data["settings"], None if named is None else tuple(named))


@dataclass(frozen=True)
class Unit:
    """Sources that are compiled together: `folder` below `root`, whose settings they share, into files in `artifacts`."""

    name: str
    root: Path
    folder: Path
    artifacts: Path

    @property
    def settings(self) -> Settings:
        return Settings.load(self.root)

    def sources(self) -> dict[str, str]:
        """The unit's own sources by their path below the root."""
        return {path.relative_to(self.root).as_posix(): _text(path) for path in sorted(self.folder.glob("*.sol"))}

    def shipped(self) -> tuple[str, ...]:
        """The contracts that get an artefact."""
        named = self.settings.contracts
        return tuple(name for text in self.sources().values() for name in _CONTRACT.findall(text)) if named is None else named


def units() -> tuple[Unit, ...]:
    """All units, in order."""
    plain = Unit("open", FOLDER / "open" / "solidity", FOLDER / "open" / "solidity", FOLDER / "open" / "artifacts")
    folders = sorted(folder for folder in SYSTEMS.iterdir() if folder.is_dir())
    return (plain, *(Unit(folder.name, SYSTEMS, folder, SYSTEMS.parent / "artifacts") for folder in folders))


def node_modules() -> Path:
    """The folder npm installed into. Raises `UnusableInput` when there is none."""
    folder = _modules_folder()
    if not folder.is_dir():
        raise UnusableInput(f"no folder {folder}: run `npm ci` in a checkout, or set {NODE_MODULES_VARIABLE} to a folder that has what it installs")
    return folder


def _modules_folder() -> Path:
    return Path(os.environ.get(NODE_MODULES_VARIABLE) or FOLDER.parent / "node_modules")


def _solc(version: str) -> Path:
    """The compiler's folder, which must hold this version. Raises `UnusableInput` with how to get it: a checkout pins it, a wheel has nothing that does."""
    folder = _modules_folder()
    install = f"in a folder of yours `npm install solc@{version}`, and set {NODE_MODULES_VARIABLE} to its node_modules"
    way = f"run `npm ci` in {FOLDER.parent}" if folder == FOLDER.parent / "node_modules" and (FOLDER.parent / "package.json").is_file() else install
    if shutil.which("node") is None:
        raise UnusableInput(f"this contract is compiled when it is asked for, and node, which runs the Solidity compiler, is not on PATH: install Node, then {way}")
    if not (folder / "solc" / "package.json").is_file():
        raise UnusableInput(f"this contract is compiled when it is asked for, and there is no Solidity compiler in {folder}: {way}")
    found = json.loads(read_file(folder / "solc" / "package.json", "solc's package.json"))["version"]
    if found != version:
        raise UnusableInput(f"solc {version} is pinned, {folder / 'solc'} has {found}: {way}")
    return folder / "solc"


def compile_sources(
    sources: dict[str, str], settings: Settings, root: Path | None = None, *, strict: bool = True
) -> dict[str, Artifact]:
    """Compiles Solidity texts by file name; gives every contract in them by name. Raises `UnusableInput` on any diagnostic.

    Imports that `sources` lacks come from below `root`, from this package or from npm. Warnings are refused too, except
    about npm's sources: a source of ours that ships has none. Tests that change sources switch that off by `strict`.
    """
    answer = _run_solc({
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sorted(_with_imports(sources, root).items())},
        "settings": settings.settings
        | {"outputSelection": {name: {"*": OUTPUTS} for name in sources}},
    }, settings.compiler)
    problems = [entry["formattedMessage"] for entry in answer.get("errors", []) if _refused(entry, strict)]
    if problems:
        raise UnusableInput("solc:\n" + "\n".join(problems))
    return _artifacts_of(answer, settings)


def _refused(entry: dict[str, Any], strict: bool) -> bool:
    """Whether a diagnostic of solc stops us: every error, and warnings about anything but npm's sources."""
    about = (entry.get("sourceLocation") or {}).get("file", "")
    return entry["severity"] == "error" or strict and entry["severity"] == "warning" and not about.startswith("@")


def _with_imports(sources: dict[str, str], root: Path | None) -> dict[str, str]:
    """`sources` and everything they import, by the names that solc gives it. Raises `UnusableInput` for what is nowhere."""
    found, left = dict(sources), list(sources)
    while left:
        importer = left.pop()
        for written in _IMPORT.findall(found[importer]):
            near = posixpath.join(posixpath.dirname(importer), written)
            name = posixpath.normpath(near if written.startswith(".") else written)
            if name not in found:
                found[name] = _text(_place(name, importer, root))
                left.append(name)
    return found


def _place(name: str, importer: str, root: Path | None) -> Path:
    """The file of the source unit `name`."""
    folder, _, file = name.rpartition("/")
    if name.startswith("@openzeppelin/"):
        path = node_modules() / name
    elif folder in PACKAGE_SOURCES:
        path = PACKAGE_SOURCES[folder] / file
    elif root is not None:
        path = root / name
    else:
        raise UnusableInput(f"{importer} imports {name}, which is not among the sources")
    if not path.is_file():
        raise UnusableInput(f"{importer} imports {name}, but there is no {path}")
    return path


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _run_solc(request: dict[str, Any], version: str) -> dict[str, Any]:
    """The standard-JSON answer of solc, which must have this version. Raises `UnusableInput` when it cannot run."""
    solc = _solc(version)
    # files, not pipes: solc.js gives up on a pipe that is slow to fill and cuts off a long answer
    with tempfile.TemporaryFile("w+", encoding="utf-8") as question, tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        json.dump(request, question)
        question.seek(0)
        process = subprocess.run(
            ["node", str(solc / "solc.js"), "--standard-json"],
            stdin=question, stdout=output, stderr=subprocess.PIPE, text=True, timeout=_SECONDS, check=False,
        )
        output.seek(0)
        text = output.read()
    start = text.find("{")
    if process.returncode or start < 0:
        raise UnusableInput(f"solc stopped with code {process.returncode}: {process.stderr.strip()[:2000]}")
    return json.loads(text[start:])


def _artifacts_of(answer: dict[str, Any], settings: Settings) -> dict[str, Artifact]:
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
            _only_immutable(contract["evm"]["deployedBytecode"].get("immutableReferences", {})),
        )
        for name, contract in contracts.items()
    }


def _only_immutable(references: dict[str, list[dict[str, int]]]) -> tuple[int, ...]:
    """Where a contract's immutable lies in its code, if it has one alone."""
    return tuple(place["start"] for place in next(iter(references.values()))) if len(references) == 1 else ()


def compile_unit(unit: Unit) -> dict[Path, str]:
    """The artefact files of a unit as they should be: path and text of every contract that ships."""
    names = unit.shipped()
    if not names:
        return {}
    artifacts = compile_sources(unit.sources(), unit.settings, unit.root)
    missing = [name for name in names if name not in artifacts]
    if missing:
        raise UnusableInput(f"settings.json names {', '.join(missing)}, which no source defines")
    return {unit.artifacts / f"{name}.json": artifacts[name].to_json() for name in names}


def differences(unit: Unit) -> list[str]:
    """One line for each artefact of the unit that is missing or stale."""
    wanted = compile_unit(unit)
    lines = [f"{path.name} is missing" for path in wanted if not path.is_file()]
    return lines + [f"{path.name} is stale" for path, text in wanted.items() if path.is_file() and _text(path) != text]


def orphans() -> list[str]:
    """One line for each artefact that no unit makes."""
    made = {unit.artifacts / f"{name}.json" for unit in units() for name in unit.shipped()}
    found = {path for unit in units() for path in unit.artifacts.glob("*.json")}
    return [f"{path.name} is made by nothing" for path in sorted(found - made)]


def _chosen(names: list[str] | None) -> list[Unit]:
    known = {unit.name: unit for unit in units()}
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise UnusableInput(f"no unit is called {', '.join(unknown)}; there are {', '.join(known)}")
    return [known[name] for name in names or known]


def main(argv: list[str] | None = None) -> int:
    """Writes the artefacts, or compares them with `--check`: 0 when all is current, 1 when not, 2 when solc cannot run."""
    parser = argparse.ArgumentParser(prog="python -m zkpredict.contracts.compile", description="Compile the contracts.")
    parser.add_argument("--check", action="store_true", help="compare with the artefacts instead of writing them")
    parser.add_argument("--only", nargs="+", metavar="UNIT", help="these units instead of all: open, or a folder of systems/solidity")
    arguments = parser.parse_args(argv)
    try:
        chosen = _chosen(arguments.only)
        if arguments.check:
            lines = [line for unit in chosen for line in differences(unit)] + orphans()
            print("\n".join(lines) or "all artefacts are current")
            return 1 if lines else 0
        for unit in chosen:
            for path, text in compile_unit(unit).items():
                path.parent.mkdir(exist_ok=True)
                write_atomically(path, text.encode())
                print(path.name)
    except UnusableInput as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
