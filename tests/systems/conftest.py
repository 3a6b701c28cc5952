"""Chains for the systems: the embedded one, and a real anvil node."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "contracts"))

from nodes import client, running_anvil
from world import LONG

from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.rpc import RpcChain


# python -m pytest tests/systems --hypothesis-profile=long: every machine 300 times, 40 steps each
settings.register_profile("long", settings.get_profile("zkpredict"), max_examples=LONG)


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
    """A client of the anvil node for account 0."""
    return client(anvil_url)
