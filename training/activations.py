"""Activations of float networks, and the integer activation that each becomes. No TensorFlow here.

With a positive number delta, v the pre-activation:

| name              | value                                       |
|-------------------|---------------------------------------------|
| `relu`            | max(v, 0)                                   |
| `rational_square` | v^2 / (delta + abs v)                       |
| `rational_relu`   | v (delta + abs v + v) / (2 (delta + abs v)) |
| `softsign`        | v / (delta + abs v)                         |

The first three are homogeneous: the activation of s v with s delta is s times that of v with delta, for s > 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from zkpredict.circuits.errors import UnsupportedNetwork

RATIONALS = ("rational_square", "rational_relu", "softsign")


@dataclass(frozen=True)
class FloatActivation:
    """One of the functions above. `delta` is 0 for relu. Raises `UnsupportedNetwork`."""

    name: str
    delta: float = 0.0

    def __post_init__(self) -> None:
        if self.name != "relu" and self.name not in RATIONALS:
            raise UnsupportedNetwork(f"there is no activation '{self.name}', known are relu, {', '.join(RATIONALS)}")
        if self.name in RATIONALS and not (math.isfinite(self.delta) and self.delta > 0):
            raise UnsupportedNetwork(f"{self.name}: delta must be a finite number above 0, got {self.delta}")

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Element by element, float arrays of any shape."""
        return np.maximum(values, 0) if self.name == "relu" else self.over(values, np.abs(values))

    def over(self, values, sizes):
        """A rational activation of `values`, given their absolute values; arrays or tensors."""
        below = self.delta + sizes
        if self.name == "rational_square":
            return values * values / below
        return values * (below + values) / (2 * below) if self.name == "rational_relu" else values / below


RELU = FloatActivation("relu")


def rational(name: str, delta: float) -> FloatActivation:
    """The rational activation of that name."""
    if name not in RATIONALS:
        raise UnsupportedNetwork(f"there is no rational activation '{name}', known are {', '.join(RATIONALS)}")
    return FloatActivation(name, delta)
