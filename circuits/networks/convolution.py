"""Convolutions in exact integers: one kernel for every position, on what the layer before hands on or on sums of its windows.

    input    : height x width positions of `channels` numbers, position by position, channels last
    pooled   : sums over windows of pool x pool positions that do not overlap (1: the input itself); what is left at the edges is dropped
    z[y, x, o] = bias[o] + sum_{i, j, c} K[o, i, j, c] pooled[y stride + i - pad, x stride + j - pad, c]        zero outside

Average pooling is a sum whose division lies in the scale of the weights that read it, so it costs nothing. A kernel that covers
everything is a dense layer behind a pool.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.networks.dense import Interval
from zkpredict.circuits.networks.grid import MAX_CHANNELS, MAX_SIDE, Grid
from zkpredict.circuits.networks.reference import EXACT_FLOAT, DenseLayer
from zkpredict.circuits.records import dataclass, field

__all__ = ["MAX_CHANNELS", "MAX_OUTPUTS", "MAX_SIDE", "ConvLayer", "Grid"]

MAX_OUTPUTS = 1 << 20
"""Of one layer: positions times channels."""
MAX_MET = 1 << 25
"""Positions times taps of one layer: what a product with its kernels holds in memory."""


@dataclass(frozen=True, eq=False)
class ConvLayer(DenseLayer):
    """One convolution: `weights` int64 [channels out, taps] in the order rows, columns, channels of the kernel, those on its own map and
    then those on each map beside it (`Wiring.beside`); `bias` int64 [channels out]; `geometry` its grid. `inputs` and `outputs` count
    the numbers of whole maps; `inputs` of all maps that it reads, one behind another."""

    geometry: Grid = field(default_factory=lambda: Grid(1, 1, 1, 1, 1))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.matrix_shape[1] != self.taps:
            raise UnsupportedNetwork(f"a kernel has {self.matrix_shape[1]} weights a channel, its grid {self.taps}")

        if self.grid.count * self.taps > MAX_MET:
            raise UnsupportedNetwork(f"a convolution meets at most {MAX_MET} numbers, got {self.grid.count} positions of {self.taps} taps")
        if self.outputs > MAX_OUTPUTS or self.inputs > MAX_OUTPUTS:
            raise UnsupportedNetwork(f"a convolution has at most {MAX_OUTPUTS} numbers in and out, got {self.inputs} and {self.outputs}")

    @property
    def grid(self) -> Grid:
        return self.geometry

    @property
    def grids(self) -> tuple[Grid, ...]:
        """Its own, and those of the maps beside it."""
        return self.geometry, *(reading.grid for reading in self.wiring.beside)

    @property
    def taps(self) -> int:
        """Weights of one output channel."""
        return sum(grid.taps for grid in self.grids)

    @property
    def inputs(self) -> int:
        return sum(grid.inputs for grid in self.grids)

    @property
    def outputs(self) -> int:
        return self.grid.count * self.channels

    @property
    def channels(self) -> int:
        """Channels of the output."""
        return self.matrix_shape[0]

    def maps(self, values: np.ndarray) -> Iterator[tuple[Grid, np.ndarray]]:
        """Each grid with its own numbers, of int64 [batch, inputs]."""
        first = 0
        for grid in self.grids:
            yield grid, values[:, first : first + grid.inputs]
            first += grid.inputs

    def read(self, values: np.ndarray) -> np.ndarray:
        """What each position's kernel meets, int64 [batch, inputs] -> [batch, positions, taps]."""
        return np.concatenate([grid.read(own) for grid, own in self.maps(values)], axis=2)

    def apply(self, values: np.ndarray) -> np.ndarray:
        """z of a batch, int64 [batch, inputs] -> [batch, outputs], position by position."""
        found = product(self.read(values), self.weights.T) + self.bias
        return found.reshape(len(values), -1)

    def apply_plainly(self, values: np.ndarray) -> np.ndarray:
        """What `apply` gives, by one product of int64."""
        return (self.read(values) @ self.weights.T + self.bias).reshape(len(values), -1)

    def reach(self, ranges: list[tuple[int, int]]) -> Interval:
        """Worst-case ranges of z for inputs in `ranges`, ends included."""
        least, most = (np.array(ends, dtype=np.int64)[None] for ends in zip(*ranges, strict=True))
        positive, negative = np.maximum(self.weights, 0).T, np.minimum(self.weights, 0).T
        low, high = self.read(least), self.read(most)
        below = (product(low, positive) + product(high, negative) + self.bias).reshape(-1)
        above = (product(high, positive) + product(low, negative) + self.bias).reshape(-1)
        return Interval(tuple(below.tolist()), tuple(above.tolist()))

    def as_dense(self) -> DenseLayer:
        """The same map with a weight for each pair of input and output: large, slow, and what everything else must agree with."""
        matrices, first = [], 0
        for grid in self.grids:
            windows, pools, pooled = grid.windows(), grid.pools(), int(np.prod(grid.pooled))
            own = np.zeros((grid.count, self.channels, pooled + 1), dtype=np.int64)
            for position, window in enumerate(windows):
                own[position][:, window] += self.weights[:, first : first + grid.taps]
            own[:, :, -1] = 0
            matrices.append(np.where(pools >= 0, own[:, :, pools], 0))
            first += grid.taps
        matrix = np.concatenate(matrices, axis=2).reshape(-1, self.inputs)
        return DenseLayer(matrix, np.tile(self.bias, self.grid.count), self.shift, self.activation)


def product(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The matrix product of int64, in float64, which has a fast one, where every partial sum is below 2^53, so that none is rounded."""
    largest = int(np.abs(one).max(initial=0)) * int(np.abs(other).max(initial=0)) * other.shape[0]
    return (one.astype(np.float64) @ other.astype(np.float64)).astype(np.int64) if largest < EXACT_FLOAT else one @ other
