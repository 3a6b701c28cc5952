"""Rows of float weights as rows of integers: at which scale, and what they can reach on the worst input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.networks.dense import MAX_PIXEL
from zkpredict.circuits.networks.grid import Grid
from zkpredict.training.floating import FloatLayer

MAX_WEIGHT = 127
_SHRINK = 0.995


@dataclass(frozen=True, eq=False)
class Fed:
    """What a layer is fed: input j in integers is `units[j]` times what it is in floats, and lies in low[j]..high[j].

    An infinite unit is an input that is always `constants[j]` in floats, and 0 in integers.
    """

    units: np.ndarray
    constants: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def with_bytes(cls, inputs: int) -> Fed:
        """The bytes of an image, each its own value."""
        return cls(np.ones(inputs), np.zeros(inputs), np.zeros(inputs, np.int64), np.full(inputs, MAX_PIXEL))

    @classmethod
    def beside(cls, maps: Sequence[Fed]) -> Fed:
        """Several maps, one behind another."""
        return cls(*(np.concatenate([getattr(own, part) for own in maps]) for part in ("units", "constants", "low", "high")))

    def plus(self, other: Fed) -> Fed:
        """The sum of both, number by number. Raises `ValueError` where they are not counted in one unit: whoever adds them sees to that."""
        alive = np.isfinite(self.units)
        if (self.units != other.units)[alive & np.isfinite(other.units)].any():
            raise ValueError("numbers in different units are added")
        return Fed(np.where(alive, self.units, other.units), self.constants + other.constants, self.low + other.low, self.high + other.high)

    def read_by(self, grid: Grid | None, name: str) -> Fed:
        """What the rows of layer `name` are fed by windows of `grid`: for each tap the sum of a pool, in the unit that its channel has at all positions.

        Raises `UnsupportedNetwork` where a constant input meets padding, which is 0."""
        if grid is None:
            return self
        units, constants, low, high = (
            np.tile(part[: grid.channels], grid.kernel_height * grid.kernel_width) for part in (self.units, self.constants, self.low, self.high)
        )
        if constants.any() and max(grid.pad_top, grid.pad_left, grid.pad_bottom, grid.pad_right):
            raise UnsupportedNetwork(f"layer '{name}': a channel before it is the same for every input, and it pads it with zeros: retrain without that channel")
        return Fed(units, constants * grid.area, np.minimum(low, 0) * grid.area, high * grid.area)

    def of_channels(self, grid: Grid) -> Fed:
        """For each channel of a map, from one for each number."""
        return Fed(*(part[: grid.channels] for part in (self.units, self.constants, self.low, self.high)))

    def at_each(self, positions: int) -> Fed:
        """For each number of a map, from one for each channel."""
        return Fed(*(np.tile(part, positions) for part in (self.units, self.constants, self.low, self.high)))

    def lowest(self, weights: np.ndarray) -> np.ndarray:
        """The smallest sum that each row of `weights` can reach."""
        return np.maximum(weights, 0) @ self.low + np.minimum(weights, 0) @ self.high

    def highest(self, weights: np.ndarray) -> np.ndarray:
        """The largest sum that each row of `weights` can reach."""
        return np.maximum(weights, 0) @ self.high + np.minimum(weights, 0) @ self.low


@dataclass(frozen=True, eq=False)
class Rows:
    """Integer rows [outputs, inputs] and biases, the scale of each row, and its exact range over all inputs, int64 [outputs]."""

    weights: np.ndarray
    bias: np.ndarray
    scales: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def reach(self) -> np.ndarray:
        """The largest absolute value each row can take."""
        return np.maximum(np.abs(self.low), np.abs(self.high))

    @property
    def peaks(self) -> np.ndarray:
        """The largest absolute weight of each row."""
        return np.abs(self.weights).max(axis=1)


def in_units(layer: FloatLayer, fed: Fed) -> tuple[np.ndarray, np.ndarray]:
    """Weights for inputs counted in the units of `fed` (the column of a constant input becomes 0), and the bias with the constant
    inputs added in."""
    with np.errstate(over="ignore"):
        weights = layer.weights / fed.units
    bias = layer.bias + layer.weights @ fed.constants
    wrong = np.flatnonzero(~(np.isfinite(weights).all(axis=1) & np.isfinite(bias)))
    if len(wrong):
        raise UnsupportedNetwork(f"layer '{layer.name}' row {wrong[0]}: weights span too many orders of magnitude to scale")
    return weights, bias


def full_scales(name: str, weights: np.ndarray) -> np.ndarray:
    """The scale that brings each row's largest weight to `MAX_WEIGHT`; 1 for a row of zeros."""
    peaks = np.abs(weights).max(axis=1)
    with np.errstate(over="ignore", divide="ignore"):
        scales = np.where(peaks > 0, MAX_WEIGHT / peaks, 1)
    wrong = np.flatnonzero(~np.isfinite(scales))
    if len(wrong):
        raise UnsupportedNetwork(f"layer '{name}' row {wrong[0]}: weights up to {peaks[wrong[0]]:.3g} are too small to scale")
    return scales


def shared_scale(name: str, weights: np.ndarray) -> float:
    """The one scale for all rows that brings the largest weight of the longest to `MAX_WEIGHT`; rows of zeros take any scale."""
    scales = full_scales(name, weights)[weights.any(axis=1)]
    return float(scales.min()) if len(scales) else 1.0


def fit(weights: np.ndarray, bias: np.ndarray, fed: Fed, scales: np.ndarray, limit: int, lift: int = 0) -> Rows:
    """Rounds each row at `scales`, or at the largest scale below it whose exact range stays under `limit`; `lift` is added to
    every integer bias.

    Sums stay far inside int64: weights are at most 127, inputs below 2^15, at most 2^16 of them, a scaled bias below `limit`.
    """
    low, high = fed.lowest(weights) + bias, fed.highest(weights) + bias
    reach = np.maximum(np.abs(low), np.abs(high))
    scales = np.minimum(scales, np.divide(limit, reach, out=np.full(len(reach), np.inf), where=reach > 0))
    while True:
        whole = np.rint(weights * scales[:, None]).astype(np.int64)
        offset = np.rint(bias * scales).astype(np.int64) + lift
        rows = Rows(whole, offset, scales, fed.lowest(whole) + offset, fed.highest(whole) + offset)
        if np.all(rows.reach < limit):
            return rows
        scales = np.where(rows.reach < limit, scales, scales * _SHRINK)


def fit_together(name: str, weights: np.ndarray, bias: np.ndarray, fed: Fed, scale: float, limit: int) -> Rows:
    """Rounds every row at one scale: `scale`, or the largest below it at which all of them stay under `limit`.

    Raises `UnsupportedNetwork` when the bias of one row leaves no room for the weights of any.
    """
    scales = np.full(len(weights), scale)
    while True:
        rows = fit(weights, bias, fed, scales, limit)
        if np.all(rows.scales == rows.scales.min()):
            break
        scales = np.full(len(weights), rows.scales.min())
    if weights.any() and not rows.weights.any():
        raise no_room(name, np.abs(bias).argmax(), np.abs(bias).max())
    return rows


def no_room(name: str, row: int, bias: float) -> UnsupportedNetwork:
    """The error of a row whose bias is too large."""
    return UnsupportedNetwork(
        f"layer '{name}' row {row}: its bias {bias:.6g} is so large that no weight beside it survives rounding"
    )
