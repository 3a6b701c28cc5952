"""Fixtures of every test: a small committed network with one proof, and the shipped network with its images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from support import random_image, random_network

from zkpredict.circuits.files.idx import read_images, read_labels
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.prover.prove import prove
from zkpredict.verifier.messages import Proof

# Examples come from the test's name, so a run is repeatable; no deadline, so a busy machine fails nothing.
settings.register_profile("zkpredict", deadline=None, derandomize=True)
settings.load_profile("zkpredict")

ROOT = Path(__file__).resolve().parents[1]


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are named by their argument: pytest would put them into test names, which must be alike in all workers."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def model() -> Model:
    """A committed 30-12-4 network with random weights: 1024 rows, as for every network that fits."""
    return commit_model(random_network(1, (30, 12, 4)))


@pytest.fixture(scope="session")
def other_model() -> Model:
    """Another committed network of the same shape."""
    return commit_model(random_network(2, (30, 12, 4)))


@pytest.fixture(scope="session")
def image() -> np.ndarray:
    """An image for `model`: uint8 [30]."""
    return random_image(3, 30)


@pytest.fixture(scope="session")
def proof(model, image) -> Proof:
    """What `model` says about `image`, proven."""
    return prove(model, image)


@pytest.fixture(scope="session")
def mnist() -> Model:
    """The shipped network with its commitment."""
    return Model.load(ROOT / "examples" / "mnist.model")


@pytest.fixture(scope="session")
def mnist_images() -> np.ndarray:
    """The 10,000 MNIST test images: uint8 [10000, 784]."""
    return read_images(ROOT / "tests" / "data" / "t10k-images-idx3-ubyte.gz").reshape(10_000, -1)


@pytest.fixture(scope="session")
def mnist_labels() -> np.ndarray:
    """What the images show: uint8 [10000]."""
    return read_labels(ROOT / "tests" / "data" / "t10k-labels-idx1-ubyte.gz")
