"""`PackedPredictor` against numpy: random shapes, every lane width at its bounds, all 10,000 test images, and tampering."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import extreme_images, probing_images, random_network, shipped, test_images
from nodes import call_many

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.networks.dense import Interval
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.contracts.chain.interface import MAX_CODE_BYTES, Contract, Reverted
from zkpredict.contracts.open.deploy import deploy_packed
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.open.packed import LayerLayout, deployer, plan, predictor
from zkpredict.contracts.open.weights import DATA_BYTES, data_creation, data_hash


def assert_agrees(contract: Contract, network: IntegerNetwork, images: np.ndarray) -> None:
    reference = network.infer(images)
    for image, logits, digit in zip(images, reference.logits.tolist(), reference.digits.tolist()):
        assert contract.call("logits", image.tobytes()) == tuple(logits)
        assert contract.call("predict", image.tobytes()) == digit


@settings(max_examples=25, deadline=None)
@given(
    shape=st.lists(st.integers(1, 70), min_size=2, max_size=5).map(tuple),
    weight=st.sampled_from([1, 3, 127, 128, 300, 40_000]),
    shift=st.integers(0, 20),
    seed=st.integers(0, 1 << 32),
)
def test_predictor_matches_reference(shape, weight, shift, seed):
    try:
        network = random_network(shape, seed, weight=weight, shift=shift)
    except UnsupportedNetwork:  # unshifted large weights pass 2^62
        network = random_network(shape, seed, weight=weight, shift=40)
    contract = deploy_packed(EmbeddedChain(), network).contract
    assert_agrees(contract, network, probing_images(shape[0], seed))


@pytest.mark.parametrize("shape", [(784, 64, 10), (784, 130, 20), (784, 33, 10), (300, 200), (40, 64, 64, 10), (1000, 16)])
def test_shapes_that_need_data_contracts(shape):
    network = random_network(shape, 1)
    deployed = deploy_packed(EmbeddedChain(), network)
    assert_agrees(deployed.contract, network, probing_images(shape[0], 2))


def bounded(inputs: int, outputs: int, weight: int) -> IntegerNetwork:
    """One layer whose neurons alternate between all weights `weight` and all `-weight`."""
    signs = np.where(np.arange(outputs) % 2, -1, 1)[:, None]
    return IntegerNetwork((DenseLayer(signs * np.full((outputs, inputs), weight), np.zeros(outputs, np.int64)),))


@pytest.mark.parametrize(
    ("inputs", "weight", "slot", "lanes"),
    [
        (256, 127, 1, 8),  # 8,290,560 fits 24 bits
        (260, 127, 1, 7),  # 8,420,100 does not: the short top lanes stay empty
        (10, 128, 2, 4),  # 128 is no signed byte
        (300, 32_767, 2, 4),  # 2,506,675,500: 32-bit lanes would wrap
        (2000, 2**31 - 1, 4, 2),  # beyond 2^47
        (9, 2**50, 8, 1),
    ],
)
def test_every_lane_width_at_its_bounds(inputs, weight, slot, lanes):
    network = bounded(inputs, 40, weight)
    layout = plan(network).layouts[0]
    assert (layout.slot, layout.lanes) == (slot, lanes)
    contract = deploy_packed(EmbeddedChain(), network).contract
    assert_agrees(contract, network, extreme_images(network, 0))


def test_a_layout_narrower_than_the_bounds_would_be_wrong(monkeypatch):
    """The tampered twin: the same network forced into lanes that its bounds do not allow gives other logits."""
    network = bounded(260, 40, 127)
    from zkpredict.contracts.open import packed

    monkeypatch.setattr(packed, "_fits", lambda low, high, bits: True)
    contract = deploy_packed(EmbeddedChain(), network).contract
    image = np.full(260, 255, np.uint8)
    assert contract.call("logits", image.tobytes()) != tuple(network.infer(image[None]).logits[0].tolist())


def test_ten_thousand_test_images(anvil):
    contract = deploy_packed(anvil, shipped()).contract
    logits = shipped().infer(test_images()).logits.tolist()
    checked = 0
    for start in range(0, len(logits), 250):
        calls = [contract.artifact.encode("logits", image.tobytes()) for image in test_images()[start : start + 250]]
        for output, expected in zip(call_many(anvil, contract.address, calls), logits[start : start + 250], strict=True):
            assert contract.artifact.decode("logits", output) == tuple(expected)
            checked += 1
    assert checked == 10_000


def test_shipped_model_on_the_embedded_chain():
    deployed = deploy_packed(EmbeddedChain(), shipped())
    assert_agrees(deployed.contract, shipped(), test_images()[:10])
    for address in (deployed.contract.address, *deployed.data):
        assert len(deployed.contract.chain.code(address)) <= MAX_CODE_BYTES


def test_gas_is_under_the_promise_and_the_same_on_anvil(anvil):
    used = []
    for chain in (EmbeddedChain(), anvil):
        contract = deploy_packed(chain, shipped()).contract
        used.append([contract.transact("predict", image.tobytes()).gas_used for image in test_images()[:5]])
    assert used[0] == used[1]
    assert max(used[0]) < 150_000


@pytest.mark.parametrize("size", [0, 783, 785])
def test_an_image_of_another_size_is_refused(size):
    contract = deploy_packed(EmbeddedChain(), random_network((784, 8, 3), 3)).contract
    for function in ("predict", "logits"):
        with pytest.raises(Reverted) as refusal:
            contract.call(function, bytes(size))
        assert (refusal.value.name, refusal.value.arguments) == ("WrongImageSize", (size, 784))


def test_calldata_behind_the_image_changes_nothing():
    network = random_network((37, 8, 3), 4)
    contract = deploy_packed(EmbeddedChain(), network).contract
    call = bytearray(contract.artifact.encode("logits", b"\x09" * 37))
    clean = contract.chain.call(contract.address, bytes(call))
    call[-27:] = b"\xff" * 27  # the padding after byte 37
    assert contract.chain.call(contract.address, bytes(call) + b"\xff" * 64) == clean


def test_one_changed_weight_changes_the_logits():
    network = random_network((8, 4, 3), 5, shift=0)
    layout = plan(network)
    image = np.full(8, 200, np.uint8)
    tampered = bytearray(layout.head)
    tampered[31] ^= 1  # group 0, lane 0 of the first row: neuron 0, input 0
    chain = EmbeddedChain()
    made, _ = Contract.deploy(chain, deployer(), bytes(tampered), [], [], layout.trailer)
    got = Contract(chain, made.address, predictor()).call("logits", image.tobytes())
    weights = network.layers[0].weights.copy()
    weights[0, 0] += 1 if (int(weights[0, 0]) + 128) % 2 == 0 else -1
    changed = IntegerNetwork((DenseLayer(weights, network.layers[0].bias), network.layers[1]))
    assert got == tuple(changed.infer(image[None]).logits[0].tolist()) != tuple(network.infer(image[None]).logits[0].tolist())


def test_missing_or_other_weights_are_refused_at_creation(embedded):
    layout = plan(random_network((784, 64, 10), 6))
    addresses = [embedded.deploy(data_creation(chunk)).contract for chunk in layout.chunks]
    hashes = [data_hash(chunk) for chunk in layout.chunks]
    other = embedded.deploy(data_creation(b"other")).contract
    empty = "0x" + "42" * 20
    for wrong, found in ((other, data_hash(b"other")), (empty, bytes(32))):
        with pytest.raises(Reverted) as refusal:
            Contract.deploy(embedded, deployer(), layout.head, [wrong, *addresses[1:]], hashes, layout.trailer)
        assert (refusal.value.name, refusal.value.arguments) == ("WrongWeights", (wrong.lower(), found, hashes[0]))
    with pytest.raises(Reverted) as refusal:
        Contract.deploy(embedded, deployer(), layout.head, addresses, hashes[:-1], layout.trailer)
    assert (refusal.value.name, refusal.value.arguments) == ("UnevenWeights", (len(addresses), len(addresses) - 1))


def test_the_refusal_of_a_sum_tells_its_bits_only():
    """No int64 weights get there; a layer of a later format might."""
    layer = DenseLayer(np.array([[1]]), np.array([0]))
    assert LayerLayout.of(3, layer, Interval((-(2**255),), (2**255 - 1,))).slot == 8
    for low, high, reached in ((-(2**255) - 1, 0, 256), (0, 2**255, 255), (0, 3 * 2**255, 257)):
        with pytest.raises(UnsupportedNetwork) as refusal:
            LayerLayout.of(3, layer, Interval((low,), (high,)))
        assert str(refusal.value) == f"layer 3 reaches up to 2^{reached}: no lane of 256 bits holds it"


def test_networks_that_cannot_fit_are_refused():
    with pytest.raises(UnsupportedNetwork, match="at most 256 outputs, got 257"):
        plan(random_network((2, 257), 7))
    with pytest.raises(UnsupportedNetwork, match="biases and table fill .* bytes more than the predictor's code has"):
        plan(random_network((2, 9000, 2), 8))


def test_data_contracts_hold_their_limit(embedded):
    data = bytes(range(256)) * 95 + b"x" * 255
    assert len(data) == DATA_BYTES
    assert embedded.code(embedded.deploy(data_creation(data)).contract) == b"\0" + data
