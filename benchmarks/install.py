"""Installs other proof systems, each into a folder of its own, by package name and pinned version (`peers/pins.json`)."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.storage import write_atomically

SCRIPTS = Path(__file__).resolve().parent / "peers"
GO_SOURCES = SCRIPTS / "gnark"
_DONE = "installed.json"


def pins() -> dict[str, dict]:
    """What is installed for each peer: Python, npm or Go packages with versions, and the commands that must be there already; what is
    built here, by its sources too."""
    found = json.loads((SCRIPTS / "pins.json").read_text())
    for wanted in found.values():
        if "go" in wanted:
            wanted["sources"] = _digest(sorted(GO_SOURCES.iterdir()))
    return found


def _digest(paths: Iterable[Path]) -> str:
    return hashlib.sha256(b"".join(path.name.encode() + path.read_bytes() for path in paths)).hexdigest()


def missing(folder: Path, peer: str) -> str | None:
    """Why `peer` cannot run from `folder`, or None. A folder of other pins counts as missing."""
    wanted = pins()[peer]
    for command, how in wanted.get("needs", {}).items():
        if shutil.which(command) is None:
            return f"absent: needs {command} ({how})"
    if "go" in wanted and shutil.which("go") is None:
        return "absent: needs Go"
    done = folder / peer / _DONE
    if not done.is_file():
        return f"absent: zkpredict bench --install-peers {peer}"
    if json.loads(done.read_text()) != wanted:
        return f"installed with other versions: zkpredict bench --install-peers {peer}"
    return None


def install(folder: Path, peer: str, say: Callable[[str], None]) -> None:
    """Installs one peer, from nothing or over an earlier try. Raises `UnusableInput` with the installer's last words."""
    if peer not in pins():
        raise UnusableInput(f"there is no peer {peer!r}: choose from {', '.join(pins())}")
    wanted, target = pins()[peer], folder / peer
    for command, how in wanted.get("needs", {}).items():
        if shutil.which(command) is None:
            raise UnusableInput(f"{peer} needs {command}: {how}, then run this again")
    target.mkdir(parents=True, exist_ok=True)
    (target / _DONE).unlink(missing_ok=True)
    for kind, steps in (("python", _python), ("npm", _npm), ("go", _go)):
        if kind in wanted:
            for argv in steps(target, wanted[kind]):
                say(f"{peer}: {' '.join(argv[:1] + argv[-len(wanted[kind]) :])}")
                _run(argv, target, peer)
    write_atomically(target / _DONE, json.dumps(wanted).encode())


def python_of(folder: Path, peer: str) -> Path:
    """The Python of a peer's own environment."""
    return folder / peer / "bin" / "python"


def _python(target: Path, packages: list[str]) -> list[list[str]]:
    pip = [str(target / "bin" / "python"), "-m", "pip", "install", "--quiet", *packages]
    return [[sys.executable, "-m", "venv", str(target)], pip]


def _npm(target: Path, packages: list[str]) -> list[list[str]]:
    (target / "package.json").write_text(json.dumps({"name": "peer", "version": "0.0.0", "private": True}))
    return [["npm", "install", "--silent", "--ignore-scripts", "--save-exact", *packages]]


def _go(target: Path, packages: list[str]) -> list[list[str]]:
    for source in GO_SOURCES.iterdir():
        shutil.copy(source, target / source.name)
    return [["go", "build", "-o", "prover", "."]]


def _run(argv: list[str], folder: Path, peer: str) -> None:
    if shutil.which(argv[0]) is None:
        raise UnusableInput(f"{peer} needs {argv[0]}, which is not installed")
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        words = " ".join((done.stderr or done.stdout).split())[-300:]
        raise UnusableInput(f"cannot install {peer}: {argv[0]} ended with exit code {done.returncode}: {words}")
