"""Saturating bytes and rational activations from plain arrays: what quantisation preserves, the bounds it keeps, what it refuses."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import refuses

from zkpredict.circuits.errors import UnsupportedNetwork, UnusableInput
from zkpredict.circuits.networks.activations import RELU8, Softsign
from zkpredict.training.activations import RATIONALS, RELU, FloatActivation, rational
from zkpredict.training.floating import FloatLayer, FloatNetwork
from zkpredict.training.quantize import quantize, sampled_peaks
from zkpredict.training.rows import MAX_WEIGHT

DEEP = (100, *[60] * 9, 10)


def float_network(seed: int, *shape: int, activation: FloatActivation = RELU, bias: float = 0.1) -> FloatNetwork:
    """Weights normal, scaled so that activations keep their size from layer to layer."""
    draw = np.random.default_rng(seed)
    layers = [
        FloatLayer(f"dense_{t}", draw.normal(size=(outputs, inputs)) * (2 / inputs) ** 0.5, draw.normal(size=outputs) * bias, activation)
        for t, (inputs, outputs) in enumerate(zip(shape, shape[1:]))
    ]
    return FloatNetwork(tuple(layers))


def images(count: int, inputs: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, inputs), dtype=np.uint8)


def correlation(floats: FloatNetwork, network, inputs: int) -> float:
    """How well integer logits follow the float ones on other images than the sample: 1 when a positive scale apart."""
    check = images(300, inputs, seed=2)
    centred = [logits - logits.mean(axis=0) for logits in (floats.logits(check), network.infer(check).logits)]
    return float(np.corrcoef(*(part.ravel() for part in centred))[0, 1])


# Float activations


@pytest.mark.parametrize("name", RATIONALS)
def test_formulas(name):
    values = np.array([-8.0, -2.0, 0.0, 2.0, 6.0])
    expected = {
        "rational_square": [6.4, 1.0, 0.0, 1.0, 4.5],
        "rational_relu": [-0.8, -0.5, 0.0, 1.5, 5.25],
        "softsign": [-0.8, -0.5, 0.0, 0.5, 0.75],
    }
    assert np.allclose(rational(name, 2.0)(values), expected[name])
    scaled = rational(name, 2.0 * 8)(values * 8)
    assert np.allclose(scaled, np.array(expected[name]) * (1 if name == "softsign" else 8))


@pytest.mark.parametrize(
    ("name", "delta", "message"),
    [
        ("relu", 1.0, "there is no rational activation 'relu', known are rational_square, rational_relu, softsign"),
        ("softsign", 0.0, "softsign: delta must be a finite number above 0, got 0.0"),
        ("rational_relu", float("nan"), "rational_relu: delta must be a finite number above 0, got nan"),
        ("rational_square", -1.0, "rational_square: delta must be a finite number above 0, got -1.0"),
    ],
)
def test_float_activations_refuse(name, delta, message):
    assert rational("softsign", 1).delta == 1
    with refuses(UnsupportedNetwork, message):
        rational(name, delta)


# Saturating bytes


@pytest.mark.parametrize("shape", [(64, 32, 10), DEEP, (3, 2, 2)])
def test_saturating_bytes_keep_a_deep_network(shape):
    floats = float_network(3, *shape)
    sample = images(500, shape[0])
    network = quantize(floats, sample)
    assert all(layer.activation == RELU8 for layer in network.layers[:-1])
    assert correlation(floats, network, shape[0]) > 0.97
    for layer, interval in zip(network.layers[:-1], network.intervals):
        assert layer.shift <= 8 and interval.magnitude < 1 << (15 + layer.shift)
        assert np.abs(layer.weights).max() <= MAX_WEIGHT
    for values in network.infer(sample).activations:
        assert values.max() >= 128 and (values == 255).mean() < 0.01


def test_worst_cases_leave_a_deep_network_nothing():
    """The twin of the test above: the same network without images is blind: every image gives the same logits."""
    logits = quantize(float_network(3, *DEEP)).infer(images(300, 100)).logits
    assert np.all(logits == logits[0])


def test_a_sample_of_darker_images_saturates_on_brighter_ones():
    """Scales follow the sample: what it did not show is cut off, not wrapped."""
    floats = float_network(4, 64, 32, 10)
    network = quantize(floats, images(500, 64) // 16)
    values = network.infer(images(300, 64, seed=2)).activations[0]
    assert values.max() == 255 and (values == 255).mean() > 0.1


def test_sampled_peaks_are_the_largest_pre_activations():
    floats = float_network(5, 8, 5, 4, 3)
    sample = images(50, 8)
    peaks = sampled_peaks(floats, sample)
    first = (sample / 255) @ floats.layers[0].weights.T + floats.layers[0].bias
    second = np.maximum(first, 0) @ floats.layers[1].weights.T + floats.layers[1].bias
    assert [len(part) for part in peaks] == [5, 4]
    assert np.allclose(peaks[0], first.max(axis=0)) and np.allclose(peaks[1], second.max(axis=0))
    with refuses(UnusableInput, "scales are chosen from images: got none"):
        sampled_peaks(floats, sample[:0])
    with refuses(UnusableInput, "images must be uint8 [batch, 8], got uint8 [50, 7]"):
        quantize(floats, sample[:, 1:])


def test_a_bias_far_above_its_weights_is_a_constant_byte():
    floats = float_network(6, 20, 4, 3)
    bias = floats.layers[0].bias.copy()
    bias[2] = 1e12
    network = quantize(FloatNetwork((FloatLayer("dense_0", floats.layers[0].weights, bias), floats.layers[1])), images(9, 20))
    assert set(network.infer(images(30, 20, seed=2)).activations[0][:, 2].tolist()) == {255}


def test_a_row_too_wide_for_its_lane_is_refused():
    def made(inputs):
        layers = FloatLayer("wide", np.ones((1, inputs)), np.zeros(1)), FloatLayer("logits", np.ones((2, 1)), np.zeros(2))
        return quantize(FloatNetwork(layers), images(2, inputs))

    assert made(500).layers[0].weights.max() == 1
    with refuses(
        UnsupportedNetwork,
        "layer 'wide' row 0: at a scale where its sums over 2000 bytes fit a lane, none of its weights survives rounding",
    ):
        made(2_000)


# Rational activations


@pytest.mark.parametrize("name", RATIONALS)
@pytest.mark.parametrize(("delta", "shape"), [(0.3, (64, 32, 10)), (1.0, (784, 64, 10)), (5.0, (64, 32, 10)), (1.0, (30, 20, 20, 5))])
def test_rational_networks_follow_the_float_ones(name, delta, shape):
    floats = float_network(7, *shape, activation=rational(name, delta))
    network = quantize(floats)
    assert [layer.activation.name for layer in network.layers[:-1]] == [name] * (len(shape) - 2)
    assert correlation(floats, network, shape[0]) > (0.999 if len(shape) == 3 else 0.98)
    for layer, interval in zip(network.layers[:-1], network.intervals):
        assert layer.shift <= 8 and interval.magnitude < 1 << (15 + layer.shift)


def test_delta_is_whole_in_integers():
    """d is delta at the layer's scale, not rounded: scale / 2^shift * delta is d, where scale is that of the weights."""
    floats = float_network(8, 40, 16, 5, activation=rational("rational_square", 0.7))
    network = quantize(floats)
    first, d = network.layers[0], network.layers[0].activation.d
    scale = d * 2**first.shift / 0.7
    assert np.array_equal(first.weights, np.rint(floats.over_bytes[0].weights * scale))
    assert not np.array_equal(first.weights, np.rint(floats.over_bytes[0].weights * scale * (d + 1) / d))


def test_scaling_a_rational_network_changes_nothing():
    """Homogeneous: weights, biases and delta times s, the next weights over s."""
    floats = float_network(9, 20, 8, 3, activation=rational("rational_relu", 1.0))
    first, last = floats.layers
    scaled = FloatNetwork((
        FloatLayer("dense_0", first.weights * 8, first.bias * 8, rational("rational_relu", 8.0)),
        FloatLayer("dense_1", last.weights / 8, last.bias),
    ))
    assert quantize(scaled).to_bytes() == quantize(floats).to_bytes()


def test_softsign_hands_on_ten_bits_and_a_sign():
    network = quantize(float_network(10, 20, 8, 3, activation=rational("softsign", 1.0)))
    assert isinstance(network.layers[0].activation, Softsign) and network.layers[0].activation.scale == 1023


def test_images_change_nothing_for_rational_networks():
    floats = float_network(11, 20, 8, 3, activation=rational("softsign", 1.0))
    assert quantize(floats, images(30, 20)).to_bytes() == quantize(floats).to_bytes()


def test_a_delta_too_small_is_refused():
    def made(delta):
        return quantize(float_network(12, 20, 8, 3, activation=rational("rational_square", delta)))

    made(1e-2)
    with refuses(UnsupportedNetwork, "layer 'dense_0': delta 1e-06 of its rational_square is too small beside its weights"):
        made(1e-6)


def test_a_delta_too_large_costs_the_weights_their_bits_and_no_bound():
    network = quantize(float_network(13, 20, 8, 3, activation=rational("rational_square", 1e3)))
    assert network.layers[0].activation.d <= 1 << 15 and np.abs(network.layers[0].weights).max() < MAX_WEIGHT


@settings(max_examples=100, deadline=None)
@given(
    shape=st.lists(st.integers(1, 12), min_size=2, max_size=5),
    seed=st.integers(0, 2**32 - 1),
    spread=st.floats(0, 9),
    bias_power=st.floats(-9, 9),
    zeros=st.floats(0, 1),
    name=st.sampled_from(["relu", *RATIONALS]),
)
def test_any_weights_stay_inside_the_bounds_of_lanes(shape, seed, spread, bias_power, zeros, name):
    draw = np.random.default_rng(seed)
    layers = []
    for number, (inputs, outputs) in enumerate(zip(shape, shape[1:])):
        weights = draw.normal(size=(outputs, inputs)) * 10 ** draw.uniform(-spread, spread, (outputs, 1))
        weights[draw.random((outputs, inputs)) < zeros] = 0
        activation = RELU if name == "relu" else rational(name, 10 ** draw.uniform(-3, 3))
        layers.append(FloatLayer(f"dense_{number}", weights, draw.normal(size=outputs) * 10**bias_power, activation))
    sample = images(20, shape[0], seed)
    try:
        network = quantize(FloatNetwork(tuple(layers)), sample)
    except UnsupportedNetwork as error:
        assert re.fullmatch(
            r"layer 'dense_\d'(: delta \S+ of its \w+ is too small beside its weights"
            r"| row \d+: (its bias \S+ is so large that no weight beside it survives rounding"
            r"|at a scale where its sums over \d+ bytes fit a lane, none of its weights survives rounding))",
            str(error),
        )
        return
    for layer, interval in zip(network.layers[:-1], network.intervals):
        assert layer.shift <= 8 and interval.magnitude < 1 << (15 + layer.shift)
        assert np.abs(layer.weights).max() <= MAX_WEIGHT
    network.infer(sample)
