"""What ships in examples/: the accuracy, the bounds, and how far integers are from Keras, over all 10,000 test images."""

import numpy as np
import pytest

from zkpredict.circuits.compiler import compile_network
from zkpredict.circuits.layout import NARROW, WIDE
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.prover.model import Model

POINT = 0.001  # a tenth of a percentage point, what quantisation may lose


@pytest.fixture(scope="module")
def network(examples) -> IntegerNetwork:
    return Model.load(examples / "mnist.model").network


@pytest.fixture(scope="module")
def float_digits(data_folder) -> np.ndarray:
    """What Keras answers with examples/mnist.keras; tests/data/make.py makes the file."""
    return np.load(data_folder / "mnist-float-digits.npy", allow_pickle=False)


def test_accuracy_is_what_was_promised(network, float_digits, test_images):
    in_floats = (float_digits == test_images.labels).mean()
    in_integers = (network.infer(test_images.flat).digits == test_images.labels).mean()
    assert in_floats >= 0.978 and in_floats - in_integers <= POINT
    assert (in_floats, in_integers) == (0.9799, 0.9798)


def test_a_network_with_fewer_bits_would_not_do(network, float_digits, test_images):
    """The twin of the test above: two bits a weight lose more than the tenth of a point, so the test can fail."""
    coarse = IntegerNetwork(
        tuple(type(layer)(layer.weights >> 5, layer.bias >> 5, max(layer.shift - 5, 0)) for layer in network.layers)
    )
    in_integers = (coarse.infer(test_images.flat).digits == test_images.labels).mean()
    assert (float_digits == test_images.labels).mean() - in_integers > POINT


def test_it_disagrees_with_keras_on_five_images(network, float_digits, test_images):
    digits = network.infer(test_images.flat).digits
    assert np.flatnonzero(digits != float_digits).tolist() == [2182, 2945, 4575, 8277, 9016]


def test_the_unlike_five_is_taken_for_a_six(network, float_digits, test_images):
    assert (test_images.labels[8], float_digits[8], network.predict(test_images.flat[8])) == (5, 6, 6)


def test_bounds_and_lanes(network):
    circuit = compile_network(network).circuit
    assert network.name == "784-64-10" and circuit.lanes == (NARROW, WIDE) and circuit.domain == 1024
    assert [layer.shift for layer in network.layers] == [6, 0]
    assert [interval.magnitude for interval in network.intervals] == [1_919_855, 21_353_867]


def test_no_test_image_comes_near_a_bound(network, test_images):
    inference = network.infer(test_images.flat)
    for values, interval in zip(inference.pre_activations, network.intervals):
        assert np.all(values <= interval.high) and np.all(values >= interval.low)
        assert np.abs(values).max() < interval.magnitude
