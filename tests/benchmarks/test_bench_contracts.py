"""Contracts of other systems: compiled by the real solc, deployed and called on the embedded chain; what they answer is checked."""

from __future__ import annotations

import json

import pytest

from zkpredict.benchmarks.install import pins
from zkpredict.benchmarks.networks import NETWORKS
from zkpredict.benchmarks.systems import contracts, gnark, snarkjs
from zkpredict.benchmarks.systems.base import Case
from zkpredict.benchmarks.systems.ezkl import last_inner

PICKY = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;
contract Picky {{
    bytes public constant PADDING = hex"{padding}";
    fallback(bytes calldata given) external returns (bytes memory) {{
        {check}
    }}
}}"""
ANSWERS = 'return abi.encode(keccak256(given) == keccak256(hex"00112233aa"));'
REVERTS = 'require(keccak256(given) == keccak256(hex"00112233aa")); return "";'
CALL = bytes.fromhex("00112233aa")


@pytest.fixture
def case(tmp_path, root) -> Case:
    """A case whose solc is the repository's own."""
    solc = tmp_path / "peers" / "solc"
    solc.mkdir(parents=True)
    (solc / "node_modules").symlink_to(root / "node_modules")
    (solc / "package.json").write_text("{}")
    (solc / "installed.json").write_text(json.dumps(pins()["solc"]))
    return Case(NETWORKS["64-16-4"], tmp_path, tmp_path / "peers")


def cost(case: Case, check: str, padding: str = "", **options):
    case.file("v.sol").write_text(PICKY.format(check=check, padding=padding))
    return contracts.cost_on_chain(case, "v.sol", CALL, optimizer_runs=200, **options)


@pytest.mark.parametrize("check, silent", [(ANSWERS, False), (REVERTS, True)])
def test_a_contract_that_tells_proofs_apart_is_measured(case, check, silent):
    found = cost(case, check, silent=silent)
    assert found.calldata_bytes == 5 and 21_000 < found.verify_gas < 30_000 < found.deploy_gas


@pytest.mark.parametrize(
    "check, silent, words",
    [
        ("return abi.encode(false);", False, "its contract refuses its own proof"),
        ("return abi.encode(true);", False, "its contract accepts changed calldata too: what was measured is no verification"),
        ('return "";', True, "its contract accepts changed calldata too: what was measured is no verification"),
        ("revert();", True, "its contract refuses its own proof"),
    ],
)
def test_a_contract_that_does_not_is_reported(case, check, silent, words):
    assert cost(case, check, silent=silent) == words


def test_a_contract_beyond_the_limit_has_no_gas(case):
    found = cost(case, ANSWERS, padding="ab" * 25_000)
    assert found.verify_gas is None and found.note.startswith("cannot be deployed: 25,") and found.note.endswith("the limit is 24,576")


def test_without_a_compiler_it_says_so(case):
    (case.peers / "solc" / "installed.json").unlink()
    assert cost(case, ANSWERS) == "not compiled; solc is absent: zkpredict bench --install-peers solc"


def test_calldata_of_others():
    words = [f"0x{n:02x}" for n in range(1, 11)]
    data = snarkjs._calldata([words[:2], [words[2:4], words[4:6]], words[6:8], words[8:]])
    assert len(data) == 4 + 32 * 10 and [data[4 + 32 * n + 31] for n in range(10)] == list(range(1, 11))
    publics = gnark._publics(bytes(12) + bytes(31) + b"\x07" + bytes(31) + b"\x08")
    assert [int.from_bytes(one, "big") for one in publics] == [7, 8]
    assert len(gnark._groth_calldata(bytes(256), publics)) == 4 + 32 * (1 + 2 + 1 + 8)
    assert last_inner("inner 1.5\nnoise\ninner 2.25\n") == 2.25 and last_inner("nothing") is None
