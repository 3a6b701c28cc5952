"""Quantisation from plain arrays: what it preserves, the bounds it keeps, and what it refuses by name."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import refuses

from zkpredict.circuits.compiler import compile_network
from zkpredict.circuits.errors import UnsupportedNetwork, UnusableInput
from zkpredict.circuits.layout import LOGIT_LIMIT, NARROW, NARROW_LIMIT, WIDE
from zkpredict.training.floating import FloatLayer, FloatNetwork
from zkpredict.training.quantize import quantize
from zkpredict.training.rows import MAX_WEIGHT


def _with_layer(network: FloatNetwork, number: int, weights=None, bias=None) -> FloatNetwork:
    """`network` with changed weights or bias in one layer."""
    old = network.layers[number]
    new = FloatLayer(old.name, old.weights if weights is None else weights, old.bias if bias is None else bias)
    return FloatNetwork((*network.layers[:number], new, *network.layers[number + 1 :]), network.pixel_scale, network.pixel_offset)


def _images(count: int, inputs: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, inputs), dtype=np.uint8)


def _correlation(floats: FloatNetwork, images: np.ndarray) -> float:
    """How well integer logits follow the float ones: 1 when they differ by a positive scale alone."""
    return float(np.corrcoef(floats.logits(images).ravel(), quantize(floats).infer(images).logits.ravel())[0, 1])


@pytest.mark.parametrize("shape", [(100, 20, 3), (64, 32, 10), (784, 56, 10), (784, 64, 32, 10), (50, 10), (9, 8, 7, 6, 5)])
def test_integer_logits_follow_the_float_ones(random_network, shape):
    floats = random_network(*shape)
    network = quantize(floats)
    assert network.shape == shape
    assert all(np.abs(layer.weights).max() == MAX_WEIGHT for layer in network.layers)
    assert _correlation(floats, _images(500, shape[0])) > 0.999


@pytest.mark.parametrize("shape", [(784, 64, 10), (100, 20, 3), (784, 30, 20, 10)])
def test_bounds_hold_and_the_circuit_takes_them(random_network, shape):
    compiled = compile_network(quantize(random_network(*shape)))
    network = compiled.network
    assert compiled.circuit.lanes[0] == NARROW and compiled.circuit.lanes[-1] == WIDE
    for layer, interval in zip(network.layers[:-1], network.intervals):
        assert interval.magnitude >> layer.shift < 1 << 15
        assert layer.shift == 0 or interval.magnitude >> (layer.shift - 1) >= 1 << 15
    assert network.intervals[-1].magnitude < LOGIT_LIMIT


def test_the_worst_images_reach_the_bounds_and_no_others_pass_them(random_network):
    network = quantize(random_network(784, 64, 10))
    bounds, weights = network.intervals[0], network.layers[0].weights
    highest = network.infer(np.where(weights > 0, 255, 0).astype(np.uint8)).pre_activations[0]
    lowest = network.infer(np.where(weights < 0, 255, 0).astype(np.uint8)).pre_activations[0]
    assert tuple(np.diag(highest).tolist()) == bounds.high and tuple(np.diag(lowest).tolist()) == bounds.low
    others = network.infer(_images(2000, 784)).pre_activations[0]
    assert np.all(others <= bounds.high) and np.all(others >= bounds.low)


def test_scaling_a_neuron_changes_nothing(random_network):
    """relu(s z) = s relu(z): a neuron times s and its column over s is the same function, so the same integers."""
    floats = random_network(60, 12, 5)
    scales = 2.0 ** np.random.default_rng(2).integers(-20, 20, 12)
    first, last = floats.layers
    scaled = _with_layer(floats, 0, first.weights * scales[:, None], first.bias * scales)
    scaled = _with_layer(scaled, 1, last.weights / scales)
    assert quantize(scaled).to_bytes() == quantize(floats).to_bytes()


def test_pixel_scaling_is_folded_exactly(random_network):
    floats = random_network(30, 8, 4)
    folded = FloatNetwork(floats.over_bytes, pixel_scale=1.0)
    images = _images(200, 30)
    assert np.allclose(folded.logits(images), floats.logits(images))
    assert quantize(folded).to_bytes() == quantize(floats).to_bytes()
    centred = FloatNetwork(floats.layers, 2 / 255, -1.0)
    by_hand = np.maximum((images / 127.5 - 1) @ floats.layers[0].weights.T + floats.layers[0].bias, 0)
    assert np.allclose(centred.logits(images), by_hand @ floats.layers[1].weights.T + floats.layers[1].bias)
    assert _correlation(centred, images) > 0.999


def test_steady_neurons_are_folded_away(random_network):
    """Neurons without weights, or never above zero, cost no precision: their constant goes into the next bias."""
    floats = random_network(40, 6, 4)
    weights, bias = floats.layers[0].weights.copy(), floats.layers[0].bias.copy()
    weights[1], bias[1] = 0, 3.5
    weights[2], bias[2] = 0, -3.5
    weights[3], bias[3] = -np.abs(weights[3]), -1e6
    floats = _with_layer(floats, 0, weights, bias)
    network = quantize(floats)
    for neuron in (1, 2, 3):
        assert not network.layers[0].weights[neuron].any() and network.layers[0].bias[neuron] == 0
        assert not network.layers[1].weights[:, neuron].any()
    assert _correlation(floats, _images(300, 40)) > 0.999


def test_a_long_first_row_is_scaled_into_a_narrow_lane():
    draw = np.random.default_rng(3)
    long = np.sign(draw.normal(size=784))
    weights = np.stack([long, draw.normal(size=784) / 4])
    floats = FloatNetwork((FloatLayer("flat", weights, np.zeros(2)), FloatLayer("logits", np.eye(2), np.zeros(2))))
    network = quantize(floats)
    assert 127 * 255 * max((long > 0).sum(), (long < 0).sum()) > NARROW_LIMIT
    assert network.intervals[0].magnitude < NARROW_LIMIT
    assert MAX_WEIGHT // 8 < np.abs(network.layers[0].weights[0]).max() < MAX_WEIGHT
    assert compile_network(network).circuit.lanes == (NARROW, WIDE)
    assert _correlation(floats, _images(300, 784)) > 0.99


def test_a_row_too_long_for_that_makes_the_layer_wide():
    floats = FloatNetwork((FloatLayer("flat", np.ones((2, 3000)), np.zeros(2)), FloatLayer("logits", np.eye(2), np.zeros(2))))
    network = quantize(floats)
    assert network.layers[0].weights.max() == MAX_WEIGHT and network.intervals[0].magnitude >= NARROW_LIMIT
    assert network.layers[0].shift == network.intervals[0].magnitude.bit_length() - 15 > 8


def test_a_bias_that_leaves_no_room_is_refused_by_row(random_network):
    floats = random_network(20, 4, 3)
    assert quantize(_with_layer(floats, 0, bias=np.array([0, 0, 1e3, 0]))).shape == (20, 4, 3)
    for number, bias in ((0, [0, 0, 1e30, 0]), (1, [0, 0, 1e30])):
        with refuses(
            UnsupportedNetwork,
            f"layer 'dense_{number}' row 2: its bias 1e+30 is so large that no weight beside it survives rounding",
        ):
            quantize(_with_layer(floats, number, bias=np.array(bias)))


def test_one_long_row_does_not_silence_the_others(random_network):
    """A layer has one shift: a row far longer than the rest gives up its own bits, not theirs."""
    floats = random_network(50, 12, 4)
    bias = floats.layers[0].bias.copy()
    bias[3] = 3e4
    network = quantize(_with_layer(floats, 0, bias=bias))
    reach = np.maximum(np.abs(network.intervals[0].low), network.intervals[0].high)
    assert compile_network(network).circuit.lanes[0] == WIDE
    assert np.median(reach).astype(int) >> network.layers[0].shift >= 1 << 5 and network.layers[0].weights[3].any()


def test_weights_too_small_to_scale_are_refused(random_network):
    floats = random_network(20, 4, 3)
    tiny = floats.layers[0].weights.copy()
    tiny[3] = 1e-310
    with refuses(UnsupportedNetwork, "layer 'dense_0' row 3: weights up to 3.92e-313 are too small to scale"):
        quantize(_with_layer(floats, 0, tiny, np.ones(4)))
    tiny[3] = 1e-200
    assert quantize(_with_layer(floats, 0, tiny, np.zeros(4))).shape == (20, 4, 3)


def test_a_network_of_zeros_is_still_a_network():
    floats = FloatNetwork((FloatLayer("a", np.zeros((3, 5)), np.zeros(3)), FloatLayer("b", np.zeros((2, 3)), np.array([0.0, 1.0]))))
    network = quantize(floats)
    assert network.predict(np.zeros(5, np.uint8)) == floats.digits(np.zeros((1, 5), np.uint8))[0] == 1


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused_by_layer(random_network, value):
    floats = random_network(6, 5, 4)
    weights, bias = floats.layers[1].weights.copy(), floats.layers[1].bias.copy()
    weights[2, 3] = bias[1] = value
    with refuses(UnsupportedNetwork, f"layer 'dense_1': 1 weights not finite, the first at [2, 3] is {value}"):
        _with_layer(floats, 1, weights)
    with refuses(UnsupportedNetwork, f"layer 'dense_1': 1 bias not finite, the first at [1] is {value}"):
        _with_layer(floats, 1, bias=bias)


def test_shapes_that_do_not_chain_are_refused(random_network):
    first, last = random_network(6, 5, 4).layers
    with refuses(UnsupportedNetwork, "layer 'dense_1' has 4 outputs but layer 'dense_0' has 6 inputs"):
        FloatNetwork((last, first))
    with refuses(UnsupportedNetwork, "layer 'x': weights must have shape [outputs, inputs], got (3,)"):
        FloatLayer("x", np.zeros(3), np.zeros(3))
    with refuses(UnsupportedNetwork, "layer 'x': bias must have shape (2,), got (3,)"):
        FloatLayer("x", np.zeros((2, 3)), np.zeros(3))
    with refuses(UnsupportedNetwork, "layer 'x': weights must be floats, got dtype int64"):
        FloatLayer("x", np.zeros((2, 3), np.int64), np.zeros(2))
    with refuses(UnsupportedNetwork, "a network has at least one dense layer"):
        FloatNetwork(())


def test_images_of_another_size_are_refused(random_network):
    floats = random_network(6, 4)
    assert floats.digits(_images(3, 6)).shape == (3,)
    with refuses(UnusableInput, "images must be uint8 [batch, 6], got uint8 [3, 7]"):
        floats.logits(_images(3, 7))
    with refuses(UnusableInput, "images must be uint8 [batch, 6], got float64 [3, 6]"):
        floats.logits(_images(3, 6).astype(float))


@settings(max_examples=150)
@given(
    shape=st.lists(st.integers(1, 12), min_size=2, max_size=5),
    seed=st.integers(0, 2**32 - 1),
    spread=st.floats(0, 12),
    bias_power=st.floats(-12, 12),
    zeros=st.floats(0, 1),
)
def test_any_weights_stay_inside_the_circuits_bounds(shape, seed, spread, bias_power, zeros):
    """Weights over many orders of magnitude, huge biases, empty rows: what is not refused by name always compiles."""
    draw = np.random.default_rng(seed)
    layers = []
    for number, (inputs, outputs) in enumerate(zip(shape, shape[1:])):
        weights = draw.normal(size=(outputs, inputs)) * 10 ** draw.uniform(-spread, spread, (outputs, 1))
        weights[draw.random((outputs, inputs)) < zeros] = 0
        layers.append(FloatLayer(f"dense_{number}", weights, draw.normal(size=outputs) * 10**bias_power))
    try:
        network = quantize(FloatNetwork(tuple(layers)))
    except UnsupportedNetwork as error:
        assert re.fullmatch(
            r"layer 'dense_\d' row \d+: its bias \S+ is so large that no weight beside it survives rounding", str(error)
        )
        return
    compile_network(network)
    assert all(np.abs(layer.weights).max() <= MAX_WEIGHT for layer in network.layers)
