"""The goods of the pay stories: made-up readings with a hidden truth, and small integer networks that learned to see it.

Everything is integer and seeded, so a story is the same on every machine: a fixed random hidden layer, and an output layer
trained by the perceptron rule. Apples are 100 chemical readings, trips are 24 features of a trajectory, one byte each.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork

BAD_APPLE, GOOD_APPLE = 0, 1
RECKLESS, FAIR, SAFE = 0, 1, 2
_TRAINING = 400
_ROUNDS = 40


def apples(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Readings, uint8 [count, 100], and what they are, int [count]. A bad apple has less of channels 10-29, more of 60-89."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, count)
    level = rng.integers(70, 130, (count, 100))
    level[:, 10:30] += 45 * truth[:, None]
    level[:, 60:90] += 45 * (1 - truth[:, None])
    return np.clip(level, 1, 255).astype(np.uint8), truth


def trips(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features, uint8 [count, 24], and what they are, int [count]: speeding, hard braking and swerving grow with recklessness."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, count)
    level = rng.integers(40, 110, (count, 24))
    for kind, first in ((RECKLESS, 0), (FAIR, 8), (SAFE, 16)):
        level[:, first : first + 8] += 70 * (truth == kind)[:, None]
    return np.clip(level, 1, 255).astype(np.uint8), truth


@cache
def apple_network() -> IntegerNetwork:
    """100-32-2."""
    return _learned(apples(_TRAINING, 1), 32, 2)


@cache
def trip_network() -> IntegerNetwork:
    """24-16-3."""
    return _learned(trips(_TRAINING, 2), 16, 3)


def _learned(samples: tuple[np.ndarray, np.ndarray], hidden: int, classes: int) -> IntegerNetwork:
    """A network whose hidden layer is random and whose output layer made no mistake in its last perceptron rounds."""
    inputs, truth = samples
    rng = np.random.default_rng(hidden)
    weights = rng.integers(-8, 9, (hidden, inputs.shape[1]))
    middle = -(weights @ inputs.astype(np.int64).mean(axis=0).astype(np.int64))
    first = DenseLayer(weights, middle, 6)
    out = np.zeros((classes, hidden), dtype=np.int64)
    seen = np.maximum(inputs.astype(np.int64) @ weights.T + middle, 0) >> first.shift
    for _ in range(_ROUNDS):
        for values, label in zip(seen, truth, strict=True):
            said = int(np.argmax(out @ values))
            if said != label:
                out[label] += values
                out[said] -= values
    scale = max(int(np.abs(out).max()) // 100, 1)
    return IntegerNetwork((first, DenseLayer(out // scale, np.zeros(classes, dtype=np.int64), 0)))
