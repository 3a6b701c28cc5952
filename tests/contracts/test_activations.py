"""Saturating and rational activations in the packed contract and the predict instruction: bit for bit those of the reference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from eth_abi import decode
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import probing_images, test_images

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.networks.activations import RELU, RELU8, Activation, RationalRelu, RationalSquare, Softsign
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.contracts.artifact import address_text
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import Contract
from zkpredict.contracts.checkout import example_network
from zkpredict.contracts.open import packed
from zkpredict.contracts.open.deploy import deploy_packed
from zkpredict.contracts.open.instruction import ADDRESS, PredictInstruction, caller, network_id
from zkpredict.contracts.open.packed import plan

parameters = st.integers(1, 1 << 15)
RATIONALS = (RationalSquare(300), RationalRelu(7), Softsign(1023, 500), RationalRelu(1 << 15), Softsign(32767, 1), RationalSquare(1))
EVERY = (RELU8, *RATIONALS)


def gated(seed: int, shape: tuple[int, ...], activation, weight: int = 60) -> IntegerNetwork:
    """Uniform weights, `activation` in every hidden layer, and shifts that keep arguments in 16 bits on any image."""
    source = np.random.default_rng(seed)
    layers: list[DenseLayer] = []
    for number, (inputs, outputs) in enumerate(zip(shape, shape[1:]), start=1):
        made = DenseLayer(source.integers(-weight, weight + 1, (outputs, inputs)), source.integers(-999, 1000, outputs))
        if number < len(shape) - 1:
            reach = IntegerNetwork((*layers, made)).intervals[-1].magnitude
            made = replace(made, shift=max(0, reach.bit_length() - (14 if activation == RELU8 else 15)), activation=activation)
        layers.append(made)
    return IntegerNetwork(tuple(layers))


def assert_agrees(contract: Contract, network: IntegerNetwork, images: np.ndarray) -> None:
    reference = network.infer(images)
    for image, logits, digit in zip(images, reference.logits.tolist(), reference.digits.tolist()):
        assert contract.call("logits", image.tobytes()) == tuple(logits)
        assert contract.call("predict", image.tobytes()) == digit


def at_ends(activation) -> tuple[IntegerNetwork, list[int]]:
    """A network of one input of weight 0 whose hidden neurons have exactly these arguments, with every low bit set, and the arguments."""
    arguments = [-32768, -32767, -301, -300, -2, -1, 0, 1, 2, 3, 255, 256, 300, 301, 32766, 32767]
    bias = np.array([(u << 3) + (7 if position % 2 else 0) for position, u in enumerate(arguments)])
    count = len(arguments)
    weights = np.concatenate([np.eye(count, dtype=np.int64), -np.eye(count, dtype=np.int64)])
    layers = DenseLayer(np.zeros((count, 1), np.int64), bias, 3, activation), DenseLayer(weights, np.zeros(2 * count, np.int64))
    return IntegerNetwork(layers), arguments


@pytest.mark.parametrize("activation", [RELU, *EVERY], ids=str)
def test_both_ends_and_zero(activation):
    network, arguments = at_ends(activation)
    expected = [activation.apply_int(u, 0) for u in arguments]
    image = np.zeros((1, 1), np.uint8)
    assert network.infer(image).activations[0][0].tolist() == expected
    chain = EmbeddedChain(PredictInstruction.of([network]).precompiles)
    contract = deploy_packed(chain, network).contract
    assert contract.call("logits", bytes(1)) == (*expected, *(-a for a in expected))
    raw = chain.call(address_text(ADDRESS), network_id(network) + bytes(1))
    assert decode(["uint256", "int256[]"], raw)[1] == (*expected, *(-a for a in expected))


@settings(max_examples=12, deadline=None)
@given(
    shape=st.lists(st.integers(1, 70), min_size=3, max_size=5).map(tuple),
    activation=st.one_of(
        st.just(RELU8), st.builds(RationalSquare, parameters), st.builds(RationalRelu, parameters),
        st.builds(Softsign, st.integers(1, 32767), parameters),
    ),
    weight=st.sampled_from([1, 60, 127, 300]),
    seed=st.integers(0, 1 << 32),
)
def test_predictor_matches_reference(shape, activation, weight, seed):
    network = gated(seed, shape, activation, weight)
    assert_agrees(deploy_packed(EmbeddedChain(), network).contract, network, probing_images(shape[0], seed))


@pytest.mark.parametrize("activation", [RELU8, RationalSquare(300), RationalRelu(300), Softsign(1023, 500)], ids=str)
def test_real_images_in_contract_and_instruction(activation):
    network = gated(9, (784, 64, 10), activation, weight=20)
    chain = EmbeddedChain(PredictInstruction.of([network]).precompiles)
    contract = deploy_packed(chain, network).contract
    images = test_images()[:6]
    assert_agrees(contract, network, images)
    asked, _ = Contract.deploy(chain, caller(), network_id(network))
    assert_agrees(asked, network, images)
    values = network.infer(images).activations[0]
    assert (values == 255).any() if activation == RELU8 else (activation.name == "rational_square" or values.min() < 0)


def test_the_shipped_rational_network():
    network = example_network("mnist_rational.model")
    chain = EmbeddedChain(PredictInstruction.of([network]).precompiles)
    assert_agrees(deploy_packed(chain, network).contract, network, test_images()[:5])
    asked, _ = Contract.deploy(chain, caller(), network_id(network))
    assert_agrees(asked, network, test_images()[:5])


@pytest.mark.parametrize("activation", EVERY[:4], ids=str)
def test_another_activation_gives_other_logits(activation, monkeypatch):
    """The tampered twin: the same weights with another activation, or another parameter, in the table."""
    network, _ = at_ends(activation)
    expected = tuple(network.infer(np.zeros((1, 1), np.uint8)).logits[0].tolist())
    assert deploy_packed(EmbeddedChain(), network).contract.call("logits", bytes(1)) == expected
    number, delta, scale = (value for value, _ in packed._activation_fields(activation))
    tampered = [(0, 0, 0), (number, delta + 64, scale + 64)][: 1 if activation == RELU8 else 2]
    for other in tampered:
        monkeypatch.setattr(packed, "_activation_fields", lambda given, other=other: tuple(zip(other, (8, 16, 16))))
        assert deploy_packed(EmbeddedChain(), network).contract.call("logits", bytes(1)) != expected


def test_truncation_instead_of_a_floor_would_show():
    """What SDIV alone gives differs from the reference at u = -1."""
    network, arguments = at_ends(RationalRelu(7))
    a = network.infer(np.zeros((1, 1), np.uint8)).activations[0][0].tolist()
    u = arguments.index(-1)
    gate = RationalRelu(7)
    assert a[u] == -1 and int(gate.numerator(-1) / gate.denominator(-1)) == 0


def test_an_activation_that_the_contract_does_not_know_is_refused():
    class Strange(Activation):
        name, tag = "strange", 9

        def apply(self, z, shift):
            return z * 0

        def apply_int(self, z, shift):
            return 0

        def bounds(self, low, high, shift):
            return 0, 0

    network, _ = at_ends(RELU)
    plan(network)
    with pytest.raises(UnsupportedNetwork, match="the packed contract has no activation strange"):
        plan(IntegerNetwork((replace(network.layers[0], activation=Strange()), network.layers[1])))
