"""Pages for those who come: every file and folder that they name exists, and the licence is the one that sources name."""

import re

import pytest

PAGES = ("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "vectors/README.md", "docs/files.md", "docs/pictures.md", "docs/protocol.md", "docs/server.md", "verifier/javascript/README.md")
PATH = re.compile(r"`((?:circuits|verifier|prover|contracts|training|tools|tests|docs|examples|vectors)/[\w/.-]+)`")


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_names_exists(root, page):
    text = (root / page).read_text(encoding="utf-8")
    links = [target for target in re.findall(r"\]\(([^)#]+)", text) if "://" not in target]
    missing = [path for path in PATH.findall(text) if not (root / path).exists()]
    missing += [target for target in links if not (root / page).parent.joinpath(target).resolve().exists()]
    assert missing == []


def test_a_page_that_names_what_is_gone_is_found(root):
    """The twin: the pattern sees files and folders."""
    assert PATH.findall("in `circuits/gone.py` and `tests/forgery`, not `make test`") == ["circuits/gone.py", "tests/forgery"]
    assert not (root / "circuits/gone.py").exists()


def test_the_licence_is_that_of_the_sources(root):
    assert (root / "LICENSE").read_text(encoding="utf-8").startswith("MIT License\n")
    assert 'license = { text = "MIT" }' in (root / "pyproject.toml").read_text(encoding="utf-8")
    sources = [path for folder in ("open", "verifier", "systems") for path in (root / "contracts" / folder / "solidity").rglob("*.sol")]
    assert sources and [path.name for path in sources if "SPDX-License-Identifier: MIT" not in path.read_text(encoding="utf-8")[:100]] == []
