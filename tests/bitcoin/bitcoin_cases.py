"""Where the data lies, and how the Bitcoin tests make networks and spends."""

from pathlib import Path

import numpy as np

from zkpredict.circuits.networks.exact import ExactNetwork
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.contracts.bitcoin.transaction import Input, Outpoint, Output, Transaction

ROOT = Path(__file__).parents[2]
TEST_IMAGES = ROOT / "tests" / "data" / "t10k-images-idx3-ubyte.gz"
TEST_LABELS = ROOT / "tests" / "data" / "t10k-labels-idx1-ubyte.gz"
MNIST_MODEL = ROOT / "examples" / "mnist.model"
# made by: zkpredict script scale examples/mnist.keras --out tests/data/mnist.exact
MNIST_EXACT = ROOT / "tests" / "data" / "mnist.exact"


def integer_network(source: np.random.Generator, shape, weights: int = 127, bias: int = 1000, shift: int = 0) -> IntegerNetwork:
    layers = [
        DenseLayer(source.integers(-weights, weights + 1, (after, before)), source.integers(-bias, bias + 1, after), shift)
        for before, after in zip(shape, shape[1:])
    ]
    last = layers[-1]
    return IntegerNetwork((*layers[:-1], DenseLayer(last.weights, last.bias)))


def exact_network(source: np.random.Generator, shape, spread: float = 0.2) -> ExactNetwork:
    return ExactNetwork.from_floats(
        (source.normal(0, spread, (before, after)), source.normal(0, spread, after)) for before, after in zip(shape, shape[1:])
    )


def spending(unlocking: bytes, lock: bytes) -> tuple[Transaction, int, Output]:
    """Arguments of `check` for an input that needs no signature."""
    return Transaction((Input(Outpoint("00" * 32, 0), unlocking),), ()), 0, Output(1_000, lock)
