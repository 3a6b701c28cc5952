"""Chains to test on: the embedded one, and a real anvil node."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from nodes import client, running_anvil

from zkpredict.contracts.artifact import Artifact
from zkpredict.contracts.compile import Settings, compile_sources
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.rpc import RpcChain


@pytest.fixture(scope="session")
def probe() -> Artifact:
    """The test contract, compiled with the pinned compiler."""
    source = Path(__file__).with_name("Probe.sol").read_text(encoding="utf-8")
    return compile_sources({"Probe.sol": source}, Settings.load())["Probe"]


@pytest.fixture
def embedded() -> EmbeddedChain:
    """A fresh embedded chain."""
    return EmbeddedChain()


@pytest.fixture(scope="session")
def anvil_url() -> Iterator[str]:
    """A running anvil with Prague rules; its address."""
    with running_anvil("prague") as url:
        yield url


@pytest.fixture
def anvil(anvil_url: str) -> RpcChain:
    """A client of the anvil node whose account 0 has the same key as the embedded chain's account 0."""
    return client(anvil_url)
