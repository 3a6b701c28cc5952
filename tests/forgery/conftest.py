"""Networks to lie about: small ones, which prove as slowly as large ones but compile at once.

Contracts are compiled by npm's solc. `pytest tests/forgery -m "not node"` runs on a machine without Node: tests of the contract itself are
left out, and forgeries go to the native and the independent verifier only, which the head of the report says.
"""

from __future__ import annotations

import numpy as np
import onchain
import pytest
from forger import Claim, honest_claim
from support import random_image, random_network

from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model


WITHOUT_NODE = "not node"


def pytest_configure(config: pytest.Config) -> None:
    onchain.asked = config.getoption("markexpr") != WITHOUT_NODE


def pytest_report_header() -> str | None:
    return None if onchain.asked else f"forgeries: without contracts, as -m {WITHOUT_NODE!r} asks"


@pytest.fixture(scope="session")
def small() -> Model:
    """A committed 12-6-3 network."""
    return commit_model(random_network(11, (12, 6, 3)))


@pytest.fixture(scope="session")
def small_image() -> np.ndarray:
    return random_image(12, 12)


@pytest.fixture(scope="session")
def honest(small: Model, small_image: np.ndarray) -> Claim:
    """The honest twin of every forgery about `small` and `small_image`."""
    return honest_claim(small, small_image)
