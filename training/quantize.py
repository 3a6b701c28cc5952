"""From float layers to the integer network: 8-bit weights, exact biases, and bounds that hold for ALL byte inputs.

ReLU is positively homogeneous, `relu(s z) = s relu(z)` for s > 0, so every hidden neuron may have a scale of its own: its
row is multiplied by s, the next layer's column is divided by it, and the function stays what it was. The scales are those
that leave row and column equally precise (Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias
Correction", 2019, section 4.1), and the largest row reaches 127. On four trained 784-64-10 networks this
makes the logits' error a quarter smaller than rows that all reach 127. The logits share one scale, because they are compared.

Nothing is calibrated on samples. A layer's shift is the smallest that brings every pre-activation, on the worst input,
below 2^15 after the shift, which is what a circuit's lanes hold (`zkpredict.circuits.compiler`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.layout import ACTIVATION_BITS, LANE_BITS, LOGIT_LIMIT, NARROW_LIMIT, WIDE
from zkpredict.circuits.networks.dense import MAX_PIXEL
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.training.floating import FloatLayer, FloatNetwork

MAX_WEIGHT = 127
WIDE_LIMIT = 1 << (WIDE * LANE_BITS - 1)
# A first-layer row that is too long for a narrow lane is scaled down, but it gives up at most three of its seven bits.
LEAST_NARROW_RATIO = 1 / 8
# All rows of a layer share its shift, so one that is 2^8 times longer than the middle one would cost the others their bits.
WIDE_SPREAD = 1 << 8
_SHRINK = 0.995


@dataclass(frozen=True, eq=False)
class _Rows:
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


def quantize(network: FloatNetwork) -> IntegerNetwork:
    """The integer network of `network`: |weight| <= 127 everywhere, the first hidden layer in narrow lanes where it can be.

    Raises `UnsupportedNetwork`, naming layer and row, where a bias leaves no room for the weights beside it.
    """
    layers = []
    units = np.ones(network.shape[0])  # activation in integers = units * activation in floats
    tops = np.full(network.shape[0], MAX_PIXEL)
    constants = np.zeros(network.shape[0])
    for number, (layer, following) in enumerate(pairwise(network.over_bytes)):
        weights, bias = _in_units(layer, units, constants)
        steady, constants = _steady(weights, bias, tops)
        weights[steady], bias[steady] = 0, 0
        full = _full_scales(layer.name, weights)
        scales = _equalized(full, following.weights * ~steady, number == len(network.layers) - 2)
        rows = _hidden_rows(layer.name, weights, bias, tops, scales, first=number == 0)
        shift = max(0, int(rows.reach.max()).bit_length() - ACTIVATION_BITS)
        layers.append(DenseLayer(rows.weights, rows.bias, shift))
        tops = np.maximum(rows.high, 0) >> shift
        units = np.where(tops > 0, rows.scales / 2.0**shift, np.inf)
    last = network.over_bytes[-1]
    rows = _logit_rows(last.name, *_in_units(last, units, constants), tops)
    return IntegerNetwork((*layers, DenseLayer(rows.weights, rows.bias)))


def _in_units(layer: FloatLayer, units: np.ndarray, constants: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights for inputs counted in `units` (an infinite unit is an input that is never active: its column becomes 0), and
    the bias with the inputs that are always `constants` added in."""
    with np.errstate(over="ignore"):
        weights = layer.weights / units
    bias = layer.bias + layer.weights @ constants
    wrong = np.flatnonzero(~(np.isfinite(weights).all(axis=1) & np.isfinite(bias)))
    if len(wrong):
        raise UnsupportedNetwork(f"layer '{layer.name}' row {wrong[0]}: weights span too many orders of magnitude to scale")
    return weights, bias


def _steady(weights: np.ndarray, bias: np.ndarray, tops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which neurons give the same output for every input (no weights, or never above zero), and that output (0 elsewhere)."""
    empty = ~weights.any(axis=1)
    silent = np.maximum(weights, 0) @ tops + bias <= 0
    return empty | silent, np.where(empty, np.maximum(bias, 0), 0)


def _equalized(full: np.ndarray, following: np.ndarray, logits_follow: bool) -> np.ndarray:
    """Scales at or below `full`, so that a neuron's row and its column in the `following` weights lose the same share.

    A column is measured as the next layer will see it at full scale: against its row's largest weight, which that row may
    bring to 127, or against all of them when the next layer is the logits and has one scale.
    """
    columns = np.abs(following / full)
    if not logits_follow:
        columns /= np.maximum(columns.max(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    peaks = columns.max(axis=0)
    return full * np.sqrt(peaks / peaks.max()) if peaks.max() > 0 else full


def _hidden_rows(
    name: str, weights: np.ndarray, bias: np.ndarray, tops: np.ndarray, scales: np.ndarray, first: bool
) -> _Rows:
    """Every row at its own scale: in narrow lanes when the rows allow it, else in wide ones."""
    narrow = _fit(weights, bias, tops, scales, NARROW_LIMIT)
    if np.all(narrow.scales >= scales * (LEAST_NARROW_RATIO if first else 1)):
        return narrow
    free = _fit(weights, bias, tops, scales, WIDE_LIMIT)
    wide = _fit(weights, bias, tops, scales, min(WIDE_LIMIT, WIDE_SPREAD * int(np.median(free.reach[free.reach > 0]))))
    for row in np.flatnonzero((wide.scales < scales) & (wide.peaks == 0)):
        raise UnsupportedNetwork(_no_room(name, row, bias[row]))
    return wide


def _logit_rows(name: str, weights: np.ndarray, bias: np.ndarray, tops: np.ndarray) -> _Rows:
    """Every row at the one scale that the longest of them allows."""
    scale = np.full(len(weights), _full_scales(name, weights).min())
    while True:
        rows = _fit(weights, bias, tops, scale, LOGIT_LIMIT)
        if np.all(rows.scales == rows.scales.min()):
            break
        scale = np.full(len(weights), rows.scales.min())
    if weights.any() and not rows.weights.any():
        raise UnsupportedNetwork(_no_room(name, np.abs(bias).argmax(), np.abs(bias).max()))
    return rows


def _no_room(name: str, row: int, bias: float) -> str:
    return f"layer '{name}' row {row}: its bias {bias:.6g} is so large that no weight beside it survives rounding"


def _full_scales(name: str, weights: np.ndarray) -> np.ndarray:
    """The scale that brings each row's largest weight to `MAX_WEIGHT`; 1 for a row of zeros."""
    peaks = np.abs(weights).max(axis=1)
    with np.errstate(over="ignore", divide="ignore"):
        scales = np.where(peaks > 0, MAX_WEIGHT / peaks, 1)
    wrong = np.flatnonzero(~np.isfinite(scales))
    if len(wrong):
        raise UnsupportedNetwork(f"layer '{name}' row {wrong[0]}: weights up to {peaks[wrong[0]]:.3g} are too small to scale")
    return scales


def _fit(weights: np.ndarray, bias: np.ndarray, tops: np.ndarray, scales: np.ndarray, limit: int) -> _Rows:
    """Rounds each row at `scales`, or at the largest scale below it whose exact range stays under `limit`.

    Sums stay far inside int64: weights are at most 127, `tops` below 2^15, at most 2^16 of them, a scaled bias below `limit`.
    """
    low, high = np.minimum(weights, 0) @ tops + bias, np.maximum(weights, 0) @ tops + bias
    reach = np.maximum(np.abs(low), np.abs(high))
    scales = np.minimum(scales, np.divide(limit, reach, out=np.full(len(reach), np.inf), where=reach > 0))
    while True:
        whole = np.rint(weights * scales[:, None]).astype(np.int64)
        offset = np.rint(bias * scales).astype(np.int64)
        rows = _Rows(
            whole, offset, scales,
            np.minimum(whole, 0) @ tops + offset, np.maximum(whole, 0) @ tops + offset,
        )
        if np.all(rows.reach < limit):
            return rows
        scales = np.where(rows.reach < limit, scales, scales * _SHRINK)
