"""A bounded run of every parser under atheris, coverage-guided; docs/evidence.md has the long one."""

from __future__ import annotations

import pytest

from zkpredict.tools import fuzz
from zkpredict.tools.parsers import TARGETS

pytest.importorskip("atheris", reason="atheris has no wheel for this platform: see requirements/test.in")

RUNS = 2000
PLANTED = """
import sys
from zkpredict.tools import parsers

def parse(data):
    return {b"seed": 1}[data[:4]]

parsers.TARGETS["planted"] = parsers.Target("planted", parse, lambda: (b"seed",))
parsers.fuzz_with_atheris(*sys.argv[1:])
"""


@pytest.mark.parametrize("name", TARGETS)
def test_a_bounded_run_finds_nothing(name):
    found = fuzz.under_atheris(name, f"-runs={RUNS}")
    assert found["findings"] == [] and found["executions"] >= RUNS and found["edges"]


def test_a_parser_that_raises_what_it_does_not_document_is_found(monkeypatch, tmp_path):
    monkeypatch.setattr(fuzz, "ROOT", tmp_path)
    found = fuzz.under_atheris("planted", f"-runs={RUNS}", ("-c", PLANTED))
    kept = list((tmp_path / "build" / "findings").iterdir())
    assert len(found["findings"]) == len(kept) == 1 and kept[0].read_bytes()[:4] != b"seed"


def test_a_run_of_nothing_is_no_result():
    with pytest.raises(RuntimeError, match=r"atheris did not run on other: \[\"KeyError: 'other'\"\]"):
        fuzz.under_atheris("other", f"-runs={RUNS}")


def test_a_missing_atheris_is_said(monkeypatch):
    monkeypatch.setattr(fuzz, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="atheris is not installed"):
        fuzz.fuzz_parsers(["proof"], 1)
