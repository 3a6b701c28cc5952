"""Saturating and rational activations as script: bit for bit those of the reference, in real interpreters."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from bitcoin_cases import MNIST_MODEL
from support import refuses
from test_bitcoin_compiler import FALSE_AT_THE_END, check_every_class, images_for

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.networks.activations import RELU, RELU8, Activation, RationalRelu, RationalSquare, Softsign
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.contracts.bitcoin import packed, values
from zkpredict.contracts.bitcoin.compiler import claim_script, compile_script
from zkpredict.contracts.bitcoin.measure import refusal
from zkpredict.prover.model import Model

EVERY = (RELU8, RationalSquare(300), RationalRelu(7), Softsign(1023, 500), RationalRelu(1 << 15), Softsign(32767, 1), RationalSquare(1))
ARGUMENTS = (-32768, -32767, -301, -300, -2, -1, 0, 1, 2, 255, 256, 301, 32766, 32767)
BLANK = np.zeros(1, np.uint8)
parameters = st.integers(1, 1 << 15)


def gated(source: np.random.Generator, shape, activation, weights: int = 40) -> IntegerNetwork:
    """`activation` in every hidden layer, and shifts that keep arguments in 16 bits on any image."""
    layers: list[DenseLayer] = []
    for number, (before, after) in enumerate(zip(shape, shape[1:]), start=1):
        made = DenseLayer(source.integers(-weights, weights + 1, (after, before)), source.integers(-999, 1000, after))
        if number < len(shape) - 1:
            reach = IntegerNetwork((*layers, made)).intervals[-1].magnitude
            made = replace(made, shift=max(0, reach.bit_length() - (10 if activation == RELU8 else 15)), activation=activation)
        layers.append(made)
    return IntegerNetwork(tuple(layers))


def telling(activation, z: int, shift: int, expected: int, weight: int = 0) -> IntegerNetwork:
    """Class 0 when the activation of z is `expected`, 1 when it is more, 2 when it is less; `weight` is the pixel's, which is 0."""
    hidden = DenseLayer(np.full((1, 1), weight), np.array([z]), shift, activation)
    return IntegerNetwork((hidden, DenseLayer(np.array([[0], [1], [-1]]), np.array([0, -expected, expected]))))


@pytest.mark.parametrize("activation", EVERY, ids=str)
@pytest.mark.parametrize("shift", [0, 3, 8, 17])
def test_both_ends_and_zero(fastest, activation, shift):
    for u in ARGUMENTS:
        for rest in {0, (1 << shift) - 1}:
            z = (u << shift) + rest
            expected = activation.apply_int(z, shift)
            for off, digit in ((0, 0), (-1, 1), (1, 2)):
                network = telling(activation, z, shift, expected + off)
                assert network.predict(BLANK) == digit
                lock = claim_script(compile_script(network)).code
                assert refusal(fastest, lock, BLANK, digit) is None
    assert refusal(fastest, lock, BLANK, 0) == FALSE_AT_THE_END[fastest.name]


@pytest.mark.parametrize("activation", EVERY[:4], ids=str)
def test_both_interpreters_agree(interpreter, activation):
    source = np.random.default_rng(5)
    for shape in ((5, 4, 3), (9, 6, 5, 4, 3)):
        check_every_class(interpreter, gated(source, shape, activation), images_for(source, shape[0], 4))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shape=st.lists(st.integers(1, 9), min_size=3, max_size=5).map(tuple),
    activation=st.one_of(
        st.just(RELU8), st.builds(RationalSquare, parameters), st.builds(RationalRelu, parameters),
        st.builds(Softsign, st.integers(1, 32767), parameters),
    ),
    weights=st.sampled_from([1, 40, 127, 300]),
    seed=st.integers(0, 1 << 32),
)
def test_scripts_match_reference(fastest, shape, activation, weights, seed):
    source = np.random.default_rng(seed)
    check_every_class(fastest, gated(source, shape, activation, weights), images_for(source, shape[0], 2))


@pytest.mark.parametrize("activation", EVERY[:4], ids=str)
def test_real_images(fastest, test_images, activation):
    network = gated(np.random.default_rng(3), (784, 16, 10), activation, weights=20)
    check_every_class(fastest, network, test_images[:3])


def test_the_shipped_rational_network(interpreter, test_images):
    network = Model.load(MNIST_MODEL.with_name("mnist_rational.model")).network
    assert network.layers[0].activation.name == "rational_relu"
    check_every_class(interpreter, network, test_images[:3])


@pytest.mark.parametrize("activation", EVERY[2:4], ids=str)
def test_a_lift_that_is_not_taken_out_would_show(fastest, activation, monkeypatch):
    """The tampered twin: the same script whose next layer is told of no lift."""
    network = telling(activation, -300, 0, activation.apply_int(-300, 0), weight=100)
    assert refusal(fastest, claim_script(compile_script(network)).code, BLANK, 0) is None
    honest = values.read_activation
    monkeypatch.setattr(packed, "read_activation", lambda *given: (honest(*given)[0], 0))
    lock = claim_script(compile_script(network)).code
    assert refusal(fastest, lock, BLANK, 0) is not None and refusal(fastest, lock, BLANK, 1) is None


def test_dividing_what_is_negative_would_truncate(fastest, monkeypatch):
    """The tampered twin of the floor: softsign as SCALE MUL, DIV of a negative number."""
    gate, u = Softsign(10, 3), -1
    network = telling(gate, u, 0, gate.at(u), weight=1)
    assert refusal(fastest, claim_script(compile_script(network)).code, BLANK, 0) is None

    def truncating(shape, shift, activation):
        op = values.Op
        code = values._read_argument(shape, shift) + values._denominator(3)
        return code + values.assemble(op.SWAP, 10, op.MUL, op.SWAP, op.DIV, 10, op.ADD), 10

    monkeypatch.setattr(packed, "read_activation", lambda shape, shift, kind: truncating(shape, shift, kind) if kind == gate else (b"", 0))
    lock = claim_script(compile_script(network)).code
    assert gate.at(u) == -3 and refusal(fastest, lock, BLANK, 1) is None and refusal(fastest, lock, BLANK, 0) is not None


def test_an_activation_that_scripts_do_not_know_is_refused():
    class Strange(Activation):
        name, tag = "strange", 9

        def apply(self, z, shift):
            return z * 0

        def apply_int(self, z, shift):
            return 0

        def bounds(self, low, high, shift):
            return 0, 0

    network = telling(RELU, 5, 0, 5)
    compile_script(network)
    with refuses(UnsupportedNetwork, "scripts have no activation strange"):
        compile_script(IntegerNetwork((replace(network.layers[0], activation=Strange()), network.layers[1])))
