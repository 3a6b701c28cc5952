"""Models with and without slots, and their batches, for the tests of this folder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from zkpredict.circuits.networks.activations import RELU, RELU8, Activation, RationalRelu
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.prover.batch import prove_batch
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.verifier.batch import BatchProof


@dataclass(frozen=True)
class Case:
    """A network's shape and gate, the rows of its circuit, and how many inputs a batch of it has."""

    shape: tuple[int, ...]
    activation: Activation
    domain: int
    slots: int
    images: int

    def __str__(self) -> str:
        return f"{'-'.join(map(str, self.shape))} {self.activation} x {self.images}"


SLOTTED = Case((12, 30, 3), RELU8, 512, 8, 11)
CASES = (
    SLOTTED,
    Case((12, 30, 9, 3), RELU, 512, 4, 4),
    Case((12, 20, 7, 3), RationalRelu(4096), 1024, 8, 3),
    Case((3, 700, 40, 4), RELU, 512, 1, 3),
    Case((12, 4), RELU, 512, 16, 17),
    Case((600, 12, 4), RELU, 512, 8, 2),
    Case((1, 1, 2), RELU, 512, 8, 1),
)
"""Stacks with a slot to spare, later layers of one slot, a quotient and remainder, two tracks an input, no later layer, two chunks of
input, one input."""


def batch_network(shape: tuple[int, ...], activation: Activation = RELU, seed: int = 3) -> IntegerNetwork:
    """Weights in -20..20, biases in -99..99; every hidden layer shifts by 8."""
    source, layers = np.random.default_rng(seed), []
    for number, (inputs, outputs) in enumerate(zip(shape, shape[1:])):
        last = number == len(shape) - 2
        weights = source.integers(-20, 21, (outputs, inputs))
        layers.append(DenseLayer(weights, source.integers(-99, 100, outputs), 0 if last else 8, RELU if last else activation))
    return IntegerNetwork(tuple(layers))


@cache
def model_of(case: Case) -> Model:
    return commit_model(batch_network(case.shape, case.activation), domain=case.domain, batch=True)


def images_of(case: Case, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (case.images, case.shape[0]), dtype=np.uint8)


@cache
def proof_of(case: Case) -> BatchProof:
    return prove_batch(model_of(case), images_of(case))
