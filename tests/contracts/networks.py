"""Networks and images for the contract tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from zkpredict.circuits.networks.exact import SCALE, ExactLayer, ExactNetwork
from zkpredict.circuits.files.idx import read_images
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.prover.model import Model

ROOT = Path(__file__).resolve().parents[2]


@cache
def shipped() -> IntegerNetwork:
    """The network of the shipped example model, 784-64-10."""
    return Model.load(ROOT / "examples" / "mnist.model").network


@cache
def shipped_exact() -> ExactNetwork:
    """The shipped Keras network in 10^8 fixed point."""
    return ExactNetwork.from_bytes((ROOT / "tests" / "data" / "mnist.exact").read_bytes())


@cache
def test_images() -> np.ndarray:
    """The 10,000 MNIST test images, uint8 [10000, 784]."""
    return read_images(ROOT / "tests" / "data" / "t10k-images-idx3-ubyte.gz").reshape(-1, 784)


test_images.__test__ = False


def random_network(shape: tuple[int, ...], seed: int, *, weight: int = 127, bias: int = 1000, shift: int = 6) -> IntegerNetwork:
    """A network with uniform weights in [-weight, weight] and biases in [-bias, bias]; `shift` in the hidden layers."""
    rng = np.random.default_rng(seed)
    layers = []
    for number, (inputs, outputs) in enumerate(zip(shape, shape[1:])):
        weights = rng.integers(-weight, weight + 1, (outputs, inputs))
        biases = rng.integers(-bias, bias + 1, outputs)
        layers.append(DenseLayer(weights, biases, shift if number + 2 < len(shape) else 0))
    return IntegerNetwork(tuple(layers))


def random_exact(shape: tuple[int, ...], seed: int, *, weight: int = 2 * SCALE) -> ExactNetwork:
    """A 10^8 network with uniform weights and biases up to `weight` in magnitude."""
    rng = np.random.default_rng(seed)
    return ExactNetwork(
        tuple(
            ExactLayer(rng.integers(-weight, weight + 1, (outputs, inputs)), rng.integers(-weight, weight + 1, outputs))
            for inputs, outputs in zip(shape, shape[1:])
        )
    )


def probing_images(inputs: int, seed: int) -> np.ndarray:
    """Empty, full, dense and sparse images, uint8 [5, inputs]."""
    rng = np.random.default_rng(seed)
    dense = rng.integers(0, 256, (3, inputs))
    dense[1] *= rng.random(inputs) < 0.2
    dense[2] *= np.arange(inputs) % 32 < 1
    return np.stack([np.zeros(inputs), np.full(inputs, 255), *dense]).astype(np.uint8)


def extreme_images(network: IntegerNetwork, neuron: int) -> np.ndarray:
    """The two images at which a first-layer neuron reaches its bounds, uint8 [2, inputs]."""
    row = network.layers[0].weights[neuron]
    return np.stack([np.where(row < 0, 255, 0), np.where(row > 0, 255, 0)]).astype(np.uint8)
