"""Activations against fractions and Python ints, their bounds, their bytes, and everything they refuse."""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import changed, plain_inference, random_image, refuses

from zkpredict.circuits.compiler import compile_network
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.networks.activations import (
    HIGHEST_ARGUMENT, KINDS, LOWEST_ARGUMENT, RELU, RELU8, Polynomial, Rational, RationalRelu, RationalSquare, Softsign,
    activation_named, read_activation,
)
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork

ARGUMENTS = np.arange(LOWEST_ARGUMENT, HIGHEST_ARGUMENT + 1)
ENDS = (LOWEST_ARGUMENT, LOWEST_ARGUMENT + 1, -2, -1, 0, 1, 2, HIGHEST_ARGUMENT - 1, HIGHEST_ARGUMENT)
RATIONALS = [kind(**{name: value for name in kind.limits}) for kind in KINDS[2:] for value in (1, 700, 32767)]
EVERY = [RELU, RELU8, *RATIONALS]

parameters = st.integers(1, 1 << 15)
rationals = st.one_of(
    st.builds(RationalSquare, parameters), st.builds(RationalRelu, parameters), st.builds(Softsign, st.integers(1, 32767), parameters)
)
activations = st.one_of(st.sampled_from([RELU, RELU8]), rationals)


def exact_value(activation, u: int) -> Fraction:
    """The formula of the documentation in fractions, before the floor."""
    match activation:
        case RationalSquare(d):
            return Fraction(u * u, d + abs(u))
        case RationalRelu(d):
            return Fraction(u * (d + abs(u) + u), 2 * (d + abs(u)))
        case Softsign(scale, c):
            return Fraction(scale * u, c + abs(u))
    return Fraction(min(max(u, 0), 255 if activation == RELU8 else max(u, 0)))


def random_gated(seed: int, activation) -> IntegerNetwork:
    """6-5-4-3 with `activation` in both hidden layers; even 5 activations of 2^15 times 9 stay below 2^15 after the shift of 6."""
    source = np.random.default_rng(seed)
    layers = [
        DenseLayer(source.integers(-9, 10, (outputs, inputs)), source.integers(-999, 1000, outputs), shift, kind)
        for inputs, outputs, shift, kind in ((6, 5, 2, activation), (5, 4, 6, activation), (4, 3, 0, RELU))
    ]
    return IntegerNetwork(tuple(layers))


# Arithmetic


@pytest.mark.parametrize("activation", EVERY, ids=str)
def test_every_argument_matches_reference(activation):
    values = activation.apply(ARGUMENTS, 0).tolist()
    assert values == [math.floor(exact_value(activation, u)) for u in ARGUMENTS.tolist()]
    assert values == [activation.apply_int(u, 0) for u in ARGUMENTS.tolist()]


@given(activations, st.integers(0, 30), st.integers(-(1 << 15), (1 << 15) - 1), st.integers(0, (1 << 30) - 1))
def test_the_shift_is_a_floor(activation, shift, u, rest):
    z = (u << shift) + rest % (1 << shift)
    expected = math.floor(exact_value(activation, u))
    assert activation.apply_int(z, shift) == expected
    assert activation.apply(np.array([[z]]), shift).tolist() == [[expected]]


@pytest.mark.parametrize("activation", RATIONALS, ids=str)
@pytest.mark.parametrize("u", ENDS)
def test_quotient_and_remainder_are_those_of_a_floor(activation, u):
    a, below = activation.at(u), activation.denominator(u)
    remainder = activation.numerator(u) - a * below
    assert 0 <= remainder < below <= 1 << 17
    assert activation.numerator(u) == exact_value(activation, u) * below
    # another quotient leaves no remainder in range
    for wrong in (a - 1, a + 1):
        assert not 0 <= activation.numerator(u) - wrong * below < below


def test_floor_and_not_truncation():
    # -1/2 and -1/(1 + 1) are above -1
    assert [RationalRelu(1).at(-1), Softsign(1, 1).at(-1), Softsign(1, 1).at(1)] == [-1, -1, 0]


@given(activations, st.integers(0, 2**32))
def test_networks_match_reference(activation, seed):
    net = random_gated(seed, activation)
    images = np.stack([random_image(seed + k, 6) for k in range(2)])
    found = net.infer(images)
    assert len(found.activations) == 2
    for number, image in enumerate(images):
        expected, digit = plain_inference(net, image.tolist())
        assert [z[number].tolist() for z in found.pre_activations] == expected
        assert found.digits[number] == digit


# Bounds


@given(activations, st.integers(-(1 << 15), (1 << 15) - 1), st.integers(-(1 << 15), (1 << 15) - 1))
def test_bounds_are_attained_and_hold(activation, first, second):
    low, high = sorted((first, second))
    values = activation.apply(np.arange(low, high + 1), 0)
    least, most = activation.bounds(low, high, 0)
    assert (0 if activation in (RELU, RELU8) else int(values.min()), int(values.max())) == (least, most)
    assert least <= int(values.min())


@given(activations, st.integers(0, 2**32))
def test_bounds_of_networks_hold(activation, seed):
    net = random_gated(seed, activation)
    images = np.random.default_rng(seed).choice(np.array([0, 255], np.uint8), (64, 6))
    found = net.infer(images)
    for z, interval in zip(found.pre_activations, net.intervals):
        assert np.all(z >= interval.low) and np.all(z <= interval.high)
    for a, interval in zip(found.activations, net.activation_intervals):
        assert np.all(a >= interval.low) and np.all(a <= interval.high)


def test_bounds_of_saturating_layers_do_not_compound():
    ones = np.full((2, 2), 100)
    layers = lambda activation: (*[DenseLayer(ones, np.zeros(2, int), 4, activation)] * 4, DenseLayer(ones, np.zeros(2, int)))
    assert [interval.magnitude for interval in IntegerNetwork(layers(RELU8)).intervals] == [51000] * 5
    assert IntegerNetwork(layers(RELU)).intervals[-1].magnitude > 10**8


def test_a_negative_activation_counts_in_the_bounds_of_the_next_layer():
    net = IntegerNetwork((
        DenseLayer(np.array([[-1]]), np.array([0]), 0, Softsign(10, 1)),
        DenseLayer(np.array([[3], [-3]]), np.array([1, 1])),
    ))
    assert (net.intervals[1].low, net.intervals[1].high) == ((-29, 1), (1, 31))
    assert net.infer(np.array([[255]], np.uint8)).logits.tolist() == [[-29, 31]]


@pytest.mark.parametrize(("bias", "reach"), [(32768 - 255, "2^15"), (-32769, "2^16")])
def test_an_argument_beyond_16_bits_is_refused(bias, reach):
    def made(bias):
        return IntegerNetwork((DenseLayer(np.array([[1]]), np.array([bias]), 0, RationalSquare(5)), DenseLayer(np.array([[1]]), np.array([0]))))

    made(bias - 1 if bias > 0 else bias + 1)
    with refuses(
        UnsupportedNetwork,
        f"layer 0 row 0 reaches up to {reach} on some input, rational_square(d=5) takes 16 signed bits after its shift of 0",
    ):
        made(bias)


# What activations refuse


@dataclass(frozen=True)
class Made(Rational):
    name, tag = "made", 99

    @property
    def numerator(self) -> Polynomial:
        return self.above

    @property
    def denominator(self) -> Polynomial:
        return self.below


@pytest.mark.parametrize(
    ("above", "below", "message"),
    [
        (Polynomial(1), Polynomial(size=1), "made: the denominator at u = 0 is 0, expected 1..16777216"),
        (Polynomial(1), Polynomial(40000, linear=2), "made: the denominator at u = -32768 is -25536, expected 1..16777216"),
        (Polynomial(1), Polynomial(1, square=1), "made: the denominator at u = -32768 is 1073741825, expected 1..16777216"),
        (Polynomial(linear=2), Polynomial(2, size=1), None),
        (Polynomial(linear=2), Polynomial(1), "made: the value at u = -32768 is -65536, beyond 16 signed bits"),
        (Polynomial(square=1, linear=-9), Polynomial(100000), "made: it rises and falls on one side of zero, so bounds would not hold"),
        (Polynomial(square=1, linear=9), Polynomial(100000), "made: it rises and falls on one side of zero, so bounds would not hold"),
    ],
)
def test_a_rational_activation_refuses(above, below, message):
    kind = type("Kind", (Made,), {"above": above, "below": below})
    if message is None:
        kind()
        return
    with refuses(UnsupportedNetwork, message):
        kind()


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("sigmoid", {}, "there is no activation 'sigmoid', known are relu, relu8, rational_square, rational_relu, softsign"),
        ("relu", {"d": 1}, "relu takes no parameters, got d"),
        ("softsign", {"c": 1}, "softsign takes scale and c, got c"),
        ("rational_relu", {"d": 0}, "rational_relu: d must be an int in 1..32768, got 0"),
        ("rational_square", {"d": 32769}, "rational_square: d must be an int in 1..32768, got 32769"),
        ("rational_square", {"d": 1.0}, "rational_square: d must be an int in 1..32768, got 1.0"),
        ("softsign", {"scale": 32768, "c": 1}, "softsign: scale must be an int in 1..32767, got 32768"),
    ],
)
def test_names_and_parameters_are_checked(name, given, message):
    assert activation_named("softsign", scale=32767, c=32768) == Softsign(32767, 32768)
    with refuses(UnsupportedNetwork, message):
        activation_named(name, **given)


def test_layers_and_networks_refuse_activations_in_the_wrong_place():
    one, zero = np.array([[1]]), np.array([0])
    with refuses(UnsupportedNetwork, "the activation must be one of zkpredict.circuits.networks.activations, got 'relu8'"):
        DenseLayer(one, zero, 0, "relu8")
    with refuses(UnsupportedNetwork, "the last layer hands on raw logits: it cannot have the activation relu8"):
        IntegerNetwork((DenseLayer(one, zero, 0, RELU8),))


def test_compact_circuits_refuse_other_activations():
    compile_network(random_gated(1, RELU))
    for activation in (RELU8, RationalSquare(7)):
        with refuses(UnsupportedNetwork, f"layer 0 uses {activation}: compact circuits hold relu only"):
            compile_network(random_gated(1, activation))


# Bytes


@given(activations)
def test_bytes_round_trip(activation):
    reader = ByteReader(activation.to_bytes(), "file")
    assert read_activation(reader, "layer 0") == activation
    reader.finish()


def test_tags_and_names_are_unique_and_in_order():
    assert [kind.tag for kind in KINDS] == [0, 1, 2, 3, 4]
    assert len({kind.name for kind in KINDS}) == 5
    assert [each.to_bytes().hex() for each in (RELU, RELU8, RationalSquare(2), RationalRelu(258), Softsign(3, 4))] == [
        "00", "01", "020200", "030201", "0403000400",
    ]


@given(activations, st.integers(0, 2**32))
def test_networks_round_trip(activation, seed):
    net = random_gated(seed, activation)
    data = net.to_bytes()
    again = IntegerNetwork.from_bytes(data)
    assert again.to_bytes() == data
    assert [layer.activation for layer in again.layers] == [activation, activation, RELU]
    assert data[:5] == (b"zkpN\x01" if activation == RELU else b"zkpN\x02")


def test_networks_may_mix_activations():
    a, b, c = random_gated(3, RELU).layers
    net = IntegerNetwork((a, DenseLayer(b.weights, b.bias, 6, Softsign(9, 9)), c))
    assert [layer.activation for layer in IntegerNetwork.from_bytes(net.to_bytes()).layers] == [RELU, Softsign(9, 9), RELU]


@pytest.mark.parametrize(
    ("position", "delta", "message"),
    [
        (4, 4, "network: network magic is b'zkpN\\x06', expected b'zkpN\\x01', b'zkpN\\x02', b'zkpN\\x03', b'zkpN\\x04' or b'zkpN\\x05'"),
        (16, 4, "network: layer 0 activation is 6, expected 0 to 4"),
        (17, 5, "network: layer 0: rational_square: d must be an int in 1..32768, got 0"),
        (18, 0x81, "network: layer 0: rational_square: d must be an int in 1..32768, got 33029"),
    ],
)
def test_tampered_bytes_are_refused(position, delta, message):
    one, zero = np.array([[1]]), np.array([0])
    data = IntegerNetwork((DenseLayer(one, zero, 0, RationalSquare(5)), DenseLayer(one, zero))).to_bytes()
    IntegerNetwork.from_bytes(data)
    with refuses(MalformedFile, message):
        IntegerNetwork.from_bytes(changed(data, position, delta))


def test_relu_under_the_magic_of_activations_is_refused():
    one, zero = np.array([[1]]), np.array([0])
    data = IntegerNetwork((DenseLayer(one, zero, 0, RELU8), DenseLayer(one, zero))).to_bytes()
    IntegerNetwork.from_bytes(data)
    with refuses(MalformedFile, "network: all its activations are relu, which has the magic b'zkpN\\x01'"):
        IntegerNetwork.from_bytes(changed(data, 16))
