"""From a float network to integers: int8 weights, exact biases, and bounds that hold for ALL byte inputs.

ReLU is positively homogeneous, `relu(s z) = s relu(z)` for s > 0, so every hidden neuron may have a scale of its own: its
row is multiplied by s, the next layer's column is divided by it, and the function stays what it was. The scales are those
that leave row and column equally precise (Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias
Correction", 2019, section 4.1), and the largest row reaches 127. On four trained 784-64-10 networks this
makes the logits' error a quarter smaller than rows that all reach 127. The logits share one scale, because they are compared.

Without images nothing is calibrated: a ReLU layer's shift is the smallest that brings every pre-activation, on the worst
input, below 2^15 after the shift, which is what a circuit's lanes hold (`zkpredict.circuits.compiler`). Those worst cases
compound from layer to layer, and a deep network has no bits left for the values that occur. With images, ReLU may become
the saturating `relu8` instead (`zkpredict.training.calibrate` decides): activations are bytes, a neuron's scale is such that
its largest value on the images is 255, and only the weights' rounding follows worst cases, one layer at a time.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from zkpredict.circuits.layout import ACTIVATION_BITS, LANE_BITS, LOGIT_LIMIT, NARROW_LIMIT, WIDE
from zkpredict.circuits.networks.activations import (
    HIGHEST_ARGUMENT, MAX_BYTE, MAX_PARAMETER, RELU, activation_named,
)
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.errors import UnsupportedNetwork, UnusableInput
from zkpredict.training.activations import RELU as FLOAT_RELU
from zkpredict.training.floating import FloatLayer, FloatNetwork
from zkpredict.training.mapped import quantize_maps
from zkpredict.training.rows import MAX_WEIGHT, Fed, Rows, fit, fit_together, full_scales, in_units, no_room, shared_scale
from zkpredict.training.saturating import LANE_SHIFT, active_rows, made_of, saturating

WIDE_LIMIT = 1 << (WIDE * LANE_BITS - 1)
# A first-layer row that is too long for a narrow lane is scaled down, but it gives up at most three of its seven bits.
LEAST_NARROW_RATIO = 1 / 8
# All rows of a layer share its shift, so one that is 2^8 times longer than the middle one would cost the others their bits.
WIDE_SPREAD = 1 << 8
# Softsign is bounded: ten bits of it and a sign are finer than int8 weights can tell.
SOFTSIGN_TOP = 1023


def quantize(network: FloatNetwork, sample: np.ndarray | None = None) -> IntegerNetwork:
    """The integer network of `network`: |weight| <= 127 everywhere but in layers with sums, the first hidden layer in narrow lanes where it can be.

    `sample`: uint8 [count, inputs], images like those the network is for; with it ReLU becomes `relu8`. Raises
    `UnsupportedNetwork`, naming layer and row, where a bias leaves no room for the weights beside it.
    """
    if network.convolutions:
        if sample is None:
            raise UnusableInput("a network with convolutions takes its scales from images: add --calibrate DATA, a folder of idx files or an .npy of bytes")
        return quantize_maps(network, sampled_peaks(network, sample))
    peaks = None if sample is None else sampled_peaks(network, sample)
    fed, layers, count = Fed.with_bytes(network.shape[0]), [], len(network.layers)
    for number, (layer, following) in enumerate(pairwise(network.over_bytes)):
        if layer.activation != FLOAT_RELU:
            made, fed = _rational(layer, fed, following, logits_follow=number == count - 2)
        elif peaks is None:
            made, fed = _relu(layer, fed, following, first=number == 0, logits_follow=number == count - 2)
        else:
            made, fed = saturating(layer, fed, peaks[number])
        layers.append(made)
    last = network.over_bytes[-1]
    weights, bias = in_units(last, fed)
    rows = fit_together(last.name, weights, bias, fed, shared_scale(last.name, weights), LOGIT_LIMIT)
    return IntegerNetwork((*layers, DenseLayer(rows.weights, rows.bias)))


def sampled_peaks(network: FloatNetwork, sample: np.ndarray) -> list[np.ndarray]:
    """For each hidden layer, the largest pre-activation of each neuron on the images, float64 [outputs]; of a convolution for each channel, at
    any position."""
    if not len(sample):
        raise UnusableInput("scales are chosen from images: got none")
    found = [np.full(len(layer.bias), -np.inf) for layer in network.layers[:-1]]
    for some in network.some_pre_activations(sample):
        found = [np.maximum(most, values.reshape(-1, len(most)).max(axis=0)) for most, values in zip(found, some, strict=False)]
    return found


def _relu(layer: FloatLayer, fed: Fed, following: FloatLayer, first: bool, logits_follow: bool) -> tuple[DenseLayer, Fed]:
    weights, bias, constants, steady = active_rows(layer, fed)
    full = full_scales(layer.name, weights)
    scales = _equalized(full, following.weights * ~steady, logits_follow)
    rows = _hidden_rows(layer.name, weights, bias, fed, scales, first)
    shift = max(0, int(rows.reach.max()).bit_length() - ACTIVATION_BITS)
    return made_of(rows, shift, RELU, rows.scales / 2.0**shift, constants)


def _rational(layer: FloatLayer, fed: Fed, following: FloatLayer, logits_follow: bool) -> tuple[DenseLayer, Fed]:
    """All rows at one scale S: with u = S v / 2^shift, delta becomes d = S delta / 2^shift, which S is chosen to make whole.

    The arguments u are as fine as 16 bits allow when the logits follow; before another hidden layer they are coarse enough
    to leave its weights their bits.
    """
    weights, bias = in_units(layer, fed)
    steady = ~weights.any(axis=1)
    constants = np.where(steady, layer.activation(bias), 0)
    bias = np.where(steady, 0, bias)
    top = HIGHEST_ARGUMENT if logits_follow else _room(following)
    scale = shared_scale(layer.name, weights)
    reach = fit_together(layer.name, weights, bias, fed, scale, (top + 1) << LANE_SHIFT).reach.max()
    shift = max(0, int(reach // (top + 1)).bit_length())
    steps = min(int(scale * layer.activation.delta / 2.0**shift), MAX_PARAMETER)
    while steps:
        scale = steps * 2.0**shift / layer.activation.delta
        rows = fit_together(layer.name, weights, bias, fed, scale, (top + 1) << shift)
        if rows.scales[0] == scale:
            break
        steps = min(steps - 1, int(rows.scales[0] * layer.activation.delta / 2.0**shift))
    if not steps:
        raise UnsupportedNetwork(
            f"layer '{layer.name}': delta {layer.activation.delta:.3g} of its {layer.activation.name} is too small beside its weights"
        )
    if layer.activation.name == "softsign":
        scale_out = min(top, SOFTSIGN_TOP)
        return made_of(rows, shift, activation_named("softsign", scale=scale_out, c=steps), np.full(len(bias), float(scale_out)), constants)
    return made_of(rows, shift, activation_named(layer.activation.name, d=steps), rows.scales / 2.0**shift, constants)


def _room(following: FloatLayer) -> int:
    """The largest input at which the rows of the next hidden layer, at full scale, stay inside a narrow lane; at least a byte."""
    sizes = np.abs(following.weights)
    peaks = np.maximum(sizes.max(axis=1), np.finfo(np.float64).tiny)
    length = MAX_WEIGHT * float((sizes.sum(axis=1) / peaks).max())
    return int(np.clip(NARROW_LIMIT / max(length, 1), MAX_BYTE, HIGHEST_ARGUMENT))


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


def _hidden_rows(name: str, weights: np.ndarray, bias: np.ndarray, fed: Fed, scales: np.ndarray, first: bool) -> Rows:
    """Every row at its own scale: in narrow lanes when the rows allow it, else in wide ones."""
    narrow = fit(weights, bias, fed, scales, NARROW_LIMIT)
    if np.all(narrow.scales >= scales * (LEAST_NARROW_RATIO if first else 1)):
        return narrow
    free = fit(weights, bias, fed, scales, WIDE_LIMIT)
    wide = fit(weights, bias, fed, scales, min(WIDE_LIMIT, WIDE_SPREAD * int(np.median(free.reach[free.reach > 0]))))
    for row in np.flatnonzero((wide.scales < scales) & (wide.peaks == 0)):
        raise no_room(name, row, bias[row])
    return wide
