"""What every importer reads a model into: steps from input to output and what each of them reads, folded into layers with an activation each.

    Scale      x -> factor * x + offset, per feature         Rescaling, Normalization, BatchNormalization, StandardScaler, Mul, Add
    Linear     x -> W x + b                                   Dense, Gemm, MatMul
               with a grid: one kernel at all positions    Conv2D
    Pool       x -> averages of windows, side by side     AveragePooling2D, GlobalAveragePooling2D
    MaxPool    x -> the largest number of each window     MaxPooling2D, GlobalMaxPooling2D
    Pad        x -> the map with zeros around it          ZeroPadding2D
    Sum        x, y, ... -> x + y + ..., of one shape     Add, of residual connections
    Relu       x -> max(x, slope * x)                         slope 0: ReLU; else LeakyReLU
    Rational   one of `zkpredict.training.activations`        RationalSquare, RationalRelu, Softsign
    End        softmax, argmax: the largest logit stays the largest; sigmoid: one output, above or below one half
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from zkpredict.circuits.networks.grid import Grid
from zkpredict.training.activations import FloatActivation
from zkpredict.training.importers.maps import Map, Sides

ENDS = ("softmax", "argmax", "sigmoid")
INPUT = -1
"""What the model itself is fed, among the steps that a step reads."""


@dataclass(frozen=True, eq=False)
class Scale:
    """`factor` and `offset`: numbers, or float arrays [features]. `moments`: mean and deviation, where it takes them out."""

    name: str
    factor: np.ndarray = field(repr=False)
    offset: np.ndarray = field(repr=False)
    moments: tuple[np.ndarray, np.ndarray] | None = field(default=None, repr=False)

    @classmethod
    def of_moments(cls, name: str, mean: np.ndarray, variance: np.ndarray, epsilon: float = 0.0) -> Scale:
        """(x - mean) / sqrt(variance + epsilon)."""
        mean, deviation = np.asarray(mean, np.float64), np.sqrt(np.asarray(variance, np.float64) + epsilon)
        return cls(name, 1 / deviation, -mean / deviation, (mean, deviation))


@dataclass(frozen=True, eq=False)
class Linear:
    """`weights` float [outputs, inputs], `bias` float [outputs]; with a `grid` float [channels, taps] and [channels]."""

    name: str
    weights: np.ndarray = field(repr=False)
    bias: np.ndarray = field(repr=False)
    grid: Grid | None = None

    @property
    def inputs(self) -> int:
        return self.weights.shape[1] if self.grid is None else self.grid.inputs

    @property
    def outputs(self) -> int:
        return len(self.bias) * (1 if self.grid is None else self.grid.count)


@dataclass(frozen=True)
class Pool:
    """Averages of windows of `size` (rows and columns) of the map `read`, side by side; what is left at the edges is dropped."""

    name: str
    read: Map
    size: Sides


@dataclass(frozen=True)
class MaxPool:
    """The largest number of each window of `grid`, channel by channel."""

    name: str
    grid: Grid

    @property
    def inputs(self) -> int:
        return self.grid.inputs

    @property
    def outputs(self) -> int:
        return self.grid.count * self.grid.channels


@dataclass(frozen=True)
class Pad:
    """Zeros around the map `read`: above, left, below and right."""

    name: str
    read: Map
    pads: tuple[int, int, int, int]


@dataclass(frozen=True)
class Sum:
    """The sum of all values that it reads, which have one shape."""

    name: str


@dataclass(frozen=True)
class Relu:
    name: str
    slope: float = 0.0


@dataclass(frozen=True)
class Rational:
    name: str
    activation: FloatActivation


@dataclass(frozen=True)
class End:
    """`kind`: one of `ENDS`."""

    name: str
    kind: str


Step = Scale | Linear | Pool | MaxPool | Pad | Sum | Relu | Rational | End


@dataclass(frozen=True, eq=False)
class Placed:
    """A step, and the numbers of the steps before it whose values it reads; `INPUT` for the model's input."""

    step: Step
    reads: tuple[int, ...]


def in_a_row(steps: Iterable[Step]) -> list[Placed]:
    """Steps of which each reads the one before it."""
    return [Placed(step, (number - 1,)) for number, step in enumerate(steps)]
