"""Layers with the saturating `relu8`: each row at the scale that makes bytes of the values that images show."""

from __future__ import annotations

import numpy as np

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.layout import ACTIVATION_BITS
from zkpredict.circuits.networks.activations import MAX_BYTE, RELU8, Activation
from zkpredict.circuits.networks.reference import DenseLayer
from zkpredict.training.floating import FloatLayer
from zkpredict.training.rows import Fed, Rows, fit, full_scales, in_units

# A 24-bit lane shifts by 8, and holds a smaller shift scaled up: at shift s, |z| stays below 2^(15 + s).
LANE_SHIFT = 8
# A neuron that the images hardly wake gets the scale of one that reaches a sixteenth of the middle one's peak.
LEAST_PEAK = 1 / 16
# A neuron may become a constant when its weights move it by less than an eighth of a byte's 256 steps.
LOST_STEPS = 32
# Rows of layers with sums may have weights so much larger than others have: of 16 bits.
WIDER = 1 << 8


def saturating(layer: FloatLayer, fed: Fed, peaks: np.ndarray, least: np.ndarray | None = None) -> tuple[DenseLayer, Fed]:
    """Every row at the scale that brings its sampled peak to 255 after the shift, or at its full scale if that is smaller.

    `least`, of a layer with sums: peaks that its rows have at least, because others that are added to them do. Its scales are then those of the peaks,
    whatever that makes of the weights, up to 16 bits: one that is added as it is weighs more than a kernel, whose bits it must not cost, and what is
    added must count in one unit. Half a step is added to the biases, so that the shift rounds to the nearest byte instead of down.
    """
    weights, bias, constants, steady = active_rows(layer, fed)
    own = weights[:, : layer.grid.taps] if layer.grid is not None and least is not None else weights
    full = full_scales(layer.name, own)
    awake = peaks[~steady & (peaks > 0)]
    middle = np.median(awake) if len(awake) else max(float((fed.highest(weights) + bias).max()), 1.0)
    peaks = np.maximum(np.maximum(peaks, middle * LEAST_PEAK), 0 if least is None else least)
    shift = int(np.clip(np.ceil(np.log2(np.median((full * peaks)[~steady]) / MAX_BYTE)), 0, LANE_SHIFT)) if not steady.all() else 0
    most = full if least is None else full_scales(layer.name, weights) * WIDER
    scales = np.minimum(most, MAX_BYTE * 2.0**shift / peaks)
    rows = fit(weights, bias, fed, scales, 1 << (ACTIVATION_BITS + shift), lift=(1 << shift) >> 1)
    span = (fed.highest(weights) - fed.lowest(weights)) * rows.scales
    for row in np.flatnonzero((rows.peaks == 0) & (span >= LOST_STEPS << shift)):
        raise UnsupportedNetwork(
            f"layer '{layer.name}' row {row}: at a scale where its sums over {weights.shape[1]} bytes fit a lane, none of its weights "
            "survives rounding"
        )
    return made_of(rows, shift, RELU8, rows.scales / 2.0**shift, constants)


def made_of(
    rows: Rows, shift: int, activation: Activation, units: np.ndarray, constants: np.ndarray
) -> tuple[DenseLayer, Fed]:
    """The layer of `rows`, and what it feeds the next one."""
    ends = [activation.bounds(low, high, shift) for low, high in zip(rows.low.tolist(), rows.high.tolist(), strict=True)]
    low, high = np.array(ends, np.int64).T
    alive = (low != 0) | (high != 0)
    return DenseLayer(rows.weights, rows.bias, shift, activation), Fed(np.where(alive, units, np.inf), constants, low, high)


def active_rows(layer: FloatLayer, fed: Fed) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of a ReLU layer over `fed`: weights and biases, zero for neurons that give the same output for every input (no weights, or
    never above zero); that output (0 elsewhere); and which they are."""
    weights, bias = in_units(layer, fed)
    empty = ~weights.any(axis=1)
    steady = empty | (fed.highest(weights) + bias <= 0)
    constants = np.where(empty, np.maximum(bias, 0), 0)
    weights[steady], bias[steady] = 0, 0
    return weights, bias, constants, steady
