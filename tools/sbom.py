"""The software bill of materials, CycloneDX 1.5 JSON, from the lock files alone: `python -m zkpredict.tools.sbom`.

Writes docs/sbom.json; a test fails when that file is not what the lock files give. Hashes are the lock files' own. Of Python
packages pip knows many files, each with its hash: those stay in the lock file that the component names.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from zkpredict import __version__
from zkpredict.circuits.files.storage import write_atomically

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "sbom.json"
PYTHON_LOCKS = {"requirements/runtime.txt": "required", "requirements/test.txt": "excluded"}
"""CycloneDX scopes: what runs at a user's, and what only tests and development need."""
RUST_LOCK, NODE_LOCK = "kernel/Cargo.lock", "package-lock.json"
_REQUIREMENT = re.compile(r"^([A-Za-z0-9_.-]+)==([^ ;\\]+)", re.MULTILINE)


def python_packages(root: Path, lock: str) -> list[tuple[str, str]]:
    """Names and versions pinned in a requirements file."""
    return _REQUIREMENT.findall((root / lock).read_text(encoding="utf-8"))


def rust_packages(root: Path) -> list[dict]:
    """The packages of kernel/Cargo.lock that come from a registry."""
    lock = tomllib.loads((root / RUST_LOCK).read_text(encoding="utf-8"))
    return [package for package in lock["package"] if "source" in package]


def node_packages(root: Path) -> dict[str, dict]:
    """The packages of package-lock.json that come from elsewhere, by name: no link to a folder of this repository."""
    lock = json.loads((root / NODE_LOCK).read_text(encoding="utf-8"))
    fetched = {path: entry for path, entry in lock["packages"].items() if "node_modules/" in path and "link" not in entry}
    return {path.rpartition("node_modules/")[2]: entry for path, entry in fetched.items()}


def components(root: Path) -> Iterator[dict]:
    """Every locked package as a CycloneDX component."""
    seen = set()
    for lock, scope in PYTHON_LOCKS.items():
        for name, version in python_packages(root, lock):
            if (name, version) not in seen:
                seen.add((name, version))
                yield _component("pypi", name, version, scope, lock)
    for package in rust_packages(root):
        hashes = [{"alg": "SHA-256", "content": package["checksum"]}]
        yield _component("cargo", package["name"], package["version"], "required", RUST_LOCK) | {"hashes": hashes}
    for name, entry in node_packages(root).items():
        algorithm, _, digest = entry["integrity"].partition("-")
        hashes = [{"alg": f"SHA-{algorithm.removeprefix('sha')}", "content": base64.b64decode(digest).hex()}]
        yield _component("npm", name.replace("@", "%40"), entry["version"], "excluded", NODE_LOCK) | {"hashes": hashes}


def _component(kind: str, name: str, version: str, scope: str, lock: str) -> dict:
    purl = f"pkg:{kind}/{name}@{version}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name.replace("%40", "@"),
        "version": version,
        "scope": scope,
        "purl": purl,
        "properties": [{"name": "zkpredict:lock", "value": lock}],
    }


def bill_of_materials(root: Path = ROOT) -> str:
    """The whole document. It has no time or serial number: the same locks always give the same bytes."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": project["name"], "version": __version__}},
        "components": sorted(components(root), key=lambda component: component["purl"]),
    }
    return json.dumps(bill, indent=1) + "\n"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m zkpredict.tools.sbom", description=f"writes {TARGET.relative_to(ROOT)}")
    parser.parse_args(arguments)
    write_atomically(TARGET, bill_of_materials().encode())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
