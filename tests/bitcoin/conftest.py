"""Networks, images and the two real interpreters the Bitcoin tests share."""

import numpy as np
import pytest
from bitcoin_cases import MNIST_EXACT, MNIST_MODEL, TEST_IMAGES

from zkpredict.circuits.networks.exact import ExactNetwork
from zkpredict.circuits.files.idx import read_images
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.contracts.bitcoin.interpreters import INTERPRETERS, Interpreter
from zkpredict.prover.model import Model


@pytest.fixture(scope="session", params=sorted(INTERPRETERS))
def interpreter(request) -> Interpreter:
    return INTERPRETERS[request.param]()


@pytest.fixture(scope="session")
def fastest() -> Interpreter:
    return INTERPRETERS["bsv-sdk"]()


@pytest.fixture(scope="session")
def strictest() -> Interpreter:
    return INTERPRETERS["bitcoinx"]()


@pytest.fixture(scope="session")
def test_images() -> np.ndarray:
    return read_images(TEST_IMAGES).reshape(10_000, 784)


@pytest.fixture(scope="session")
def mnist() -> IntegerNetwork:
    return Model.load(MNIST_MODEL).network


@pytest.fixture(scope="session")
def mnist_exact() -> ExactNetwork:
    return ExactNetwork.from_bytes(MNIST_EXACT.read_bytes())
