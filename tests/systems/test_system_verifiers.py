"""The stories' verifiers ship and are current, so that no story needs a compiler."""

from __future__ import annotations

import pytest

from zkpredict.circuits.compiler import compile_network
from zkpredict.contracts.compile import NODE_MODULES_VARIABLE
from zkpredict.contracts.systems import verifiers
from zkpredict.contracts.systems.goods import apple_network, trip_network


def test_the_verifiers_are_current():
    """Made again by: python -m zkpredict.contracts.systems.verifiers"""
    made = verifiers.wanted()
    assert {path.name: path.read_text(encoding="utf-8") for path in verifiers.FOLDER.glob("*.json")} == {path.name: text for path, text in made.items()}


@pytest.mark.parametrize("network", [apple_network, trip_network])
def test_they_need_no_compiler(monkeypatch, tmp_path, network):
    verifiers.verifier.cache_clear()
    monkeypatch.setenv(NODE_MODULES_VARIABLE, str(tmp_path / "missing"))
    assert verifiers.verifier(compile_network(network()).circuit).runtime
