"""Max pooling in exact integers: a tournament of differences, max(a, b) = b + max(a - b, 0).

The numbers of a window play in rounds, neighbours against each other, one without a neighbour passing on: k - 1 matches for k
numbers, whose differences a - b are the layer's z and whose ReLU the winner is made of. So the layer has no weights, and what it
hands on is a sum of numbers that are there: with 2 x 2 windows a, b, c, d

    d1 = relu(a - b)    d2 = relu(c - d)    e = relu((b + d1) - (d + d2))        max = d + d2 + e

What lies outside the map is zero, as in a convolution; what is read is never negative, so padding never wins over a number.
ReLU commutes with max.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.networks.activations import RELU
from zkpredict.circuits.networks.dense import Interval
from zkpredict.circuits.networks.grid import Grid
from zkpredict.circuits.networks.reference import DenseLayer
from zkpredict.circuits.networks.wiring import Wiring

MAX_MATCHES = 1 << 17
"""Of one layer."""


@lru_cache(maxsize=64)
def tournament(entrants: int) -> tuple[tuple[int, int], ...]:
    """The matches of so many numbers, in order: who plays whom. Entrants are 0, 1, ...; the winner of match m is `entrants` + m."""
    left = list(range(entrants))
    matches: list[tuple[int, int]] = []
    while len(left) > 1:
        winners = []
        for first in range(0, len(left) - 1, 2):
            winners.append(entrants + len(matches))
            matches.append((left[first], left[first + 1]))
        left = winners + left[len(left) & ~1 :]
    return tuple(matches)


@dataclass(frozen=True, eq=False, init=False)
class MaxPoolLayer(DenseLayer):
    """The largest number of each window, channel by channel. `geometry`: the windows are those of a kernel of its size, stride and
    padding. z are the differences of all matches, match by match, position by position, channels last.

    Raises `UnsupportedNetwork` for windows of one number, for too many matches, and where a difference may leave 16 bits.
    """

    geometry: Grid = field(default_factory=lambda: Grid(2, 2, 1, 2, 2, 2))

    def __init__(self, geometry: Grid, sources: tuple[int, ...] = ()) -> None:
        for name, value in (
            ("weights", np.zeros((0, 0), np.int8)), ("bias", np.zeros(0, np.int64)), ("shift", 0), ("activation", RELU),
            ("wiring", Wiring(sources, (), True)), ("geometry", geometry),
        ):  # fmt: skip
            object.__setattr__(self, name, value)
        if not 1 < self.entrants or self.lanes > MAX_MATCHES:
            raise UnsupportedNetwork(f"a max pool has windows of at least 2 numbers and at most {MAX_MATCHES} matches, got {geometry}")

    @property
    def grid(self) -> Grid:
        return self.geometry

    @property
    def entrants(self) -> int:
        """Numbers in a window."""
        return self.grid.kernel_height * self.grid.kernel_width

    @property
    def inputs(self) -> int:
        return self.grid.inputs

    @property
    def outputs(self) -> int:
        return self.grid.count * self.grid.channels

    @property
    def channels(self) -> int:
        """Channels of the output: those of the input."""
        return self.grid.channels

    @property
    def lanes(self) -> int:
        """Matches: how many z there are."""
        return (self.entrants - 1) * self.outputs

    def entrants_of(self, values: np.ndarray) -> list[np.ndarray]:
        """The first, second, ... number of every window, int64 [batch, inputs] -> [batch, outputs] each."""
        padded = np.concatenate([values, np.zeros((len(values), 1), values.dtype)], axis=1)
        windows = self.grid.windows().reshape(self.grid.count, self.entrants, self.grid.channels)
        return [padded[:, windows[:, entrant].reshape(-1)] for entrant in range(self.entrants)]

    def apply(self, values: np.ndarray) -> np.ndarray:
        """The difference of each match, int64 [batch, inputs] -> [batch, lanes]."""
        players, differences = self.entrants_of(values), []
        for one, other in tournament(self.entrants):
            differences.append(players[one] - players[other])
            players.append(players[other] + np.maximum(differences[-1], 0))
        return np.concatenate(differences, axis=1)

    def hand_on(self, values: np.ndarray, z: np.ndarray) -> np.ndarray:
        """The largest of each window, [batch, outputs]."""
        players = self.entrants_of(values)
        for (_, other), difference in zip(tournament(self.entrants), np.split(z, self.entrants - 1, axis=1), strict=True):
            players.append(players[other] + np.maximum(difference, 0))
        return players[-1]

    def reach(self, ranges: list[tuple[int, int]]) -> Interval:
        """Worst-case ranges of the differences, for inputs in `ranges`."""
        least, most = self._players(ranges)
        matches = tournament(self.entrants)
        low = np.concatenate([least[one] - most[other] for one, other in matches], axis=1)[0].tolist()
        high = np.concatenate([most[one] - least[other] for one, other in matches], axis=1)[0].tolist()
        return Interval(tuple(low), tuple(high))

    def handed_on(self, ranges: list[tuple[int, int]], interval: Interval) -> list[tuple[int, int]]:
        """Smallest and largest number that each output can be."""
        least, most = self._players(ranges)
        return list(zip(least[-1][0].tolist(), most[-1][0].tolist(), strict=True))

    def _players(self, ranges: list[tuple[int, int]]) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """The ranges of all that play: entrants, then winners."""
        if min(low for low, _ in ranges) < 0:
            raise UnsupportedNetwork("a max pool reads numbers that are never negative: give the layer before it relu or relu8")
        least, most = (self.entrants_of(np.array(ends, dtype=np.int64)[None]) for ends in zip(*ranges, strict=True))
        for one, other in tournament(self.entrants):
            least.append(np.maximum(least[one], least[other]))
            most.append(np.maximum(most[one], most[other]))
        return least, most
