"""Everything that is installed is pinned to a version and a hash, and listed in docs/sbom.json."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

import zkpredict
from zkpredict.tools import sbom

LOCKS = ("runtime.txt", "test.txt")
ENTRY = re.compile(r"[A-Za-z0-9_.-]+==[^ ;\\]+( ; .+)? \\((    --hash=sha256:[0-9a-f]{64} \\)*    --hash=sha256:[0-9a-f]{64})")


def entries(text: str) -> list[str]:
    """The logical entries of a requirements file, comments left out, lines joined."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined: list[str] = []
    for line in lines:
        if line.startswith(" "):
            joined[-1] += line
        else:
            joined.append(line)
    return joined


def unpinned(text: str) -> list[str]:
    """Entries of a requirements file without version and hash: links, folders, options, ranges."""
    return [entry for entry in entries(text) if not ENTRY.fullmatch(entry)]


@pytest.mark.parametrize("lock", LOCKS)
def test_python_locks_pin_versions_and_hashes(root, lock):
    text = (root / "requirements" / lock).read_text()
    assert len(entries(text)) > 10
    assert unpinned(text) == []


def test_an_entry_that_is_not_pinned_is_seen():
    digest = "0" * 64
    good = f"name==1.2 \\\n    --hash=sha256:{digest} \\\n    --hash=sha256:{digest}\n    # via x\n"
    assert unpinned(good) == []
    for bad in ("name==1.2\n", f"name>=1.2 \\\n    --hash=sha256:{digest}\n", "name @ file:///x\n", "--index-url x\n", "-e .\n"):
        assert unpinned(good + bad), bad
    assert unpinned(good.replace("sha256", "md5"))


def rust(root: Path) -> tuple[dict, dict]:
    return (tomllib.loads((root / "kernel" / name).read_text()) for name in ("Cargo.toml", "Cargo.lock"))


def test_the_rust_lock_pins_checksums_of_one_registry(root):
    manifest, lock = rust(root)
    own = [package for package in lock["package"] if "source" not in package]
    assert [package["name"] for package in own] == [manifest["package"]["name"]]
    others = sbom.rust_packages(root)
    assert len({package["source"] for package in others}) == 1 and others[0]["source"].startswith("registry+")
    assert all(re.fullmatch("[0-9a-f]{64}", package["checksum"]) for package in others)
    names = {package["name"] for package in lock["package"]}
    assert {d.split()[0] for package in lock["package"] for d in package.get("dependencies", [])} <= names
    assert set(manifest["dependencies"]) <= names


def test_the_node_lock_pins_hashes(root):
    declared = json.loads((root / "package.json").read_text())["devDependencies"]
    own = {name: place.removeprefix("file:") for name, place in declared.items() if place.startswith("file:")}
    assert {name: json.loads((root / place / "package.json").read_text())["name"] for name, place in own.items()} == {name: name for name in own}
    wanted = {name: version for name, version in declared.items() if name not in own}
    found = sbom.node_packages(root)
    assert {name: found[name]["version"] for name in wanted} == wanted
    for name, entry in found.items():
        assert entry["integrity"].startswith("sha512-"), name
        assert "resolved" not in entry or entry["resolved"].startswith("https://"), name


def test_every_declared_dependency_is_locked(root):
    """What pyproject.toml asks for at run time is pinned in runtime.txt; the kernel is built from this repository."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    locked = {_normal(name) for name, _ in sbom.python_packages(root, "requirements/runtime.txt")}
    for requirement in project["dependencies"]:
        name = _normal(re.match("[A-Za-z0-9_.-]+", requirement)[0])
        assert name in locked or name == "zkpredict-kernel", requirement


def _normal(name: str) -> str:
    return re.sub("[-_.]+", "-", name).lower()


def test_what_is_locked_twice_is_the_same(root):
    runtime, test = (dict(sbom.python_packages(root, f"requirements/{lock}")) for lock in LOCKS)
    assert {name: (runtime[name], test[name]) for name in runtime.keys() & test.keys() if runtime[name] != test[name]} == {}


# the bill of materials


def test_the_bill_of_materials_is_current(root):
    """Made again by: python -m zkpredict.tools.sbom"""
    assert (root / "docs" / "sbom.json").read_text() == sbom.bill_of_materials(root)


def test_the_bill_of_materials_is_cyclonedx_and_complete(root):
    bill = json.loads((root / "docs" / "sbom.json").read_text())
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.5", 1)
    purls = [component["purl"] for component in bill["components"]]
    assert len(set(purls)) == len(purls) and all(re.fullmatch(r"pkg:(pypi|cargo|npm)/[^ @]+@[^ @]+", purl) for purl in purls)
    kinds = {kind: sum(purl.startswith(f"pkg:{kind}/") for purl in purls) for kind in ("pypi", "cargo", "npm")}
    locked = {pair for lock in LOCKS for pair in sbom.python_packages(root, f"requirements/{lock}")}
    assert kinds == {"pypi": len(locked), "cargo": len(sbom.rust_packages(root)), "npm": len(sbom.node_packages(root))}
    for component in bill["components"]:
        assert component["scope"] in ("required", "excluded")
        assert component["purl"].startswith("pkg:pypi/") or len(component["hashes"][0]["content"]) in (64, 128)
    for name in ("numpy", "pillow", "pycryptodome"):
        assert [c["scope"] for c in bill["components"] if c["name"] == name] == ["required"], name


def test_a_changed_lock_changes_the_bill(root, tmp_path):
    """The twin of the currency test."""
    for name in ("pyproject.toml", *sbom.PYTHON_LOCKS, sbom.RUST_LOCK, sbom.NODE_LOCK):
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((root / name).read_bytes())
    current = sbom.bill_of_materials(tmp_path)
    assert current == sbom.bill_of_materials(root)
    for name, before, after in (
        ("requirements/runtime.txt", "numpy==", "numpy==99"),
        (sbom.RUST_LOCK, 'name = "blst"\nversion = "', 'name = "blst"\nversion = "99.'),
        (sbom.NODE_LOCK, '"version": "', '"version": "99'),
    ):
        target = tmp_path / name
        original = target.read_text()
        assert before in original
        target.write_text(original.replace(before, after))
        assert sbom.bill_of_materials(tmp_path) != current, name
        target.write_text(original)


def test_the_package_has_one_version(root):
    """`zkpredict.__version__`, which pyproject.toml takes for the wheel."""
    read = tomllib.loads((root / "pyproject.toml").read_text())
    assert read["project"]["dynamic"] == ["version"] and "version" not in read["project"]
    assert read["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "zkpredict.__version__"}
    assert version("zkpredict") == zkpredict.__version__
