"""What pip installs for an extra, without further options, includes the version that the tests run with."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==([^ \\]+)", re.MULTILINE)


def taken(wished: SpecifierSet, version: str) -> bool:
    """As pip does: a pre-release counts only where the requirement itself names one."""
    return wished.contains(version, prereleases=bool(wished.prereleases))


def test_every_extra_takes_the_locked_version_without_pre():
    texts = [(ROOT / "requirements" / f"{name}.txt").read_text() for name in ("runtime", "test")]
    locked = {canonicalize_name(name): version for text in texts for name, version in LOCKED.findall(text)}
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    wanted = [Requirement(line) for lines in extras.values() for line in lines]
    assert {"py-evm", "tensorflow-cpu"} <= {wish.name for wish in wanted}
    refused = [str(wish) for wish in wanted if canonicalize_name(wish.name) in locked
               and not taken(wish.specifier, locked[canonicalize_name(wish.name)])]
    assert refused == []
    assert not taken(SpecifierSet(">=0.12"), locked["py-evm"])  # why py-evm's own pre-release is named


def test_every_extra_that_a_text_names_exists():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    folders = ("cli", "contracts", "training", "prover", "verifier", "circuits", "benchmarks", "docs")
    texts = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".md", ".js", ".html")] + [ROOT / "README.md"]
    named = {name for path in texts for names in re.findall(r"zkpredict\[([a-z,]+)\]", path.read_text()) for name in names.split(",")}
    assert {"chain", "cluster", "independent"} <= named <= set(extras)
