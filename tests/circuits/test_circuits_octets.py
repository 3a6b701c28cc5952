"""Weights as bytes: exact products and ranges without numpy, held against numpy's int64 and against Python ints."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import random_image, random_network, refuses

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.networks.activations import RELU, RELU8, RationalRelu, RationalSquare, Softsign
from zkpredict.circuits.networks.octets import LARGEST, Octets
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.records import replace

ACTIVATIONS = [RELU, RELU8, RationalSquare(4096), RationalRelu(158), Softsign(32767, 1)]


def random_octets(seed: int, rows: int, columns: int) -> np.ndarray:
    weights = np.random.default_rng(seed).integers(-128, 128, (rows, columns), dtype=np.int8)
    weights[0, 0], weights[-1, -1] = -128, 127
    return weights


def deep(seed: int, activation, shape=(20, 12, 9, 4), shift=8) -> IntegerNetwork:
    """A network of one-byte weights, with biases on both sides of zero, the hidden layers of which all have the activation."""
    source, last = np.random.default_rng(seed), len(shape) - 2
    return IntegerNetwork(tuple(
        DenseLayer(source.integers(-9, 10, (outputs, inputs)), source.integers(-99, 100, outputs), *((shift, activation) if t < last else ()))
        for t, (inputs, outputs) in enumerate(zip(shape, shape[1:]))
    ))


@settings(max_examples=30)
@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 40))
def test_products_match_python_integers(seed, rows, columns):
    weights, source = random_octets(seed, rows, columns), np.random.default_rng(seed + 1)
    values = [int(value) << int(source.integers(0, 180)) for value in source.integers(-(1 << 40), 1 << 40, columns)]
    octets = Octets(weights.tobytes(), rows, columns)
    assert octets.exact(map(abs, values))
    assert octets.times(values) == [sum(w * a for w, a in zip(row, values)) for row in weights.tolist()]


@settings(max_examples=30)
@given(st.integers(0, 2**32), st.integers(1, 30), st.integers(1, 30))
def test_reach_matches_the_ends_of_every_product(seed, rows, columns):
    weights, source = random_octets(seed, rows, columns), np.random.default_rng(seed + 1)
    least = source.integers(-1000, 1000, columns)
    most = least + source.integers(0, 1000, columns)
    ends = [[sorted((w * a, w * b)) for w, a, b in zip(row, least.tolist(), most.tolist())] for row in weights.tolist()]
    found = Octets(weights.tobytes(), rows, columns).reach(least.tolist(), most.tolist())
    assert found == ([sum(low for low, _ in row) for row in ends], [sum(high for _, high in row) for row in ends])


def test_many_rows_come_in_blocks():
    weights, values = random_octets(3, 900, 333), list(range(-166, 167))
    octets = Octets(memoryview(weights.tobytes()), 900, 333)
    assert octets.times(values) == (weights.astype(np.int64) @ np.array(values)).tolist()
    assert np.array_equal(np.asarray(octets.buffer(250, 260)), weights[250:260])


def test_a_sum_of_half_the_field_order_is_not_exact():
    limit = MODULUS // 2 // LARGEST - 1
    octets = Octets(bytes([128]), 1, 1)
    assert octets.exact([limit]) and octets.times([limit]) == [-128 * limit] and octets.times([-limit]) == [128 * limit]
    assert not octets.exact([limit + 1]) and octets.times([-(limit + 2)]) != [128 * (limit + 2)]


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_a_run_matches_reference(seed, activation):
    network = deep(seed, activation)
    assert network.runs_in_octets
    images = [random_image(seed, 20), np.zeros(20, np.uint8), np.full(20, 255, np.uint8)]
    for image in images:
        inference = network.infer(image[None])
        assert list(network.run(image.tobytes())) == [z[0].tolist() for z in inference.pre_activations]
        assert network.classify(image.tobytes()) == inference.digits[0] == network.predict(image)


@pytest.mark.parametrize("shape", [(1, 1), (784, 64, 10), (5, 70, 3, 2)])
def test_a_run_on_the_images_that_reach_furthest_matches_reference(shape):
    network = random_network(5, shape)
    for value in (0, 1, 254, 255):
        image = np.full(shape[0], value, np.uint8)
        assert list(network.run(image.tobytes())) == [z[0].tolist() for z in network.infer(image[None]).pre_activations]


def test_ties_go_to_the_lowest_index():
    tied = IntegerNetwork((DenseLayer(np.zeros((4, 2), np.int8), np.array([1, 7, 7, 7])),))
    assert tied.classify(bytes(2)) == tied.predict(np.zeros(2, np.uint8)) == 1


def test_wider_weights_run_by_the_reference():
    network = deep(1, RELU)
    wide = replace(network, layers=(replace(network.layers[0], weights=network.layers[0].weights * 300), *network.layers[1:]))
    image = random_image(2, 20)
    assert not wide.runs_in_octets and wide.layers[0].octets is None
    assert list(wide.run(image.tobytes())) == [z[0].tolist() for z in wide.infer(image[None]).pre_activations]


def test_an_input_of_another_size_is_refused():
    with refuses(UnusableInput, "the input has 19 bytes, the network takes 20"):
        deep(1, RELU).run(bytes(19))


def test_a_parsed_layer_is_the_layer_that_was_written():
    network = deep(4, RELU)
    parsed = IntegerNetwork.from_bytes(network.to_bytes())
    assert parsed.to_bytes() == network.to_bytes() and parsed.intervals == network.intervals
    for mine, given in zip(parsed.layers, network.layers):
        assert np.array_equal(mine.weights, given.weights) and np.array_equal(mine.bias, given.bias)
        assert mine.offsets == given.offsets and mine.narrow.dtype == np.int8
        assert not mine.narrow.flags.writeable and not mine.bias.flags.writeable
        assert str(mine.offsets[0]) not in repr(mine) and "Octets" in repr(mine.octets)
