"""`ExactPredictor` against the 10^8 reference: random shapes, 100 test images, and tampering."""

from __future__ import annotations

import numpy as np
import pytest
from networks import probing_images, random_exact, shipped_exact, test_images
from nodes import call_many

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.networks.exact import ExactNetwork
from zkpredict.contracts.open import exact
from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.open.deploy import deploy_exact
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.open.exact import plan, predictor
from zkpredict.contracts.open.weights import data_creation, data_hash


def expected(network: ExactNetwork, image: np.ndarray) -> tuple[int, ...]:
    return tuple(map(int, network.infer(image[None]).logits[0]))


@pytest.mark.parametrize(
    ("shape", "weight"), [((1, 1), 2**32 - 1), ((5, 3), 2**32 - 1), ((100, 30, 7), 2 * 10**8), ((20, 15, 10, 5), 2**32 - 1)]
)
def test_predictor_matches_reference(shape, weight):
    network = random_exact(shape, 1, weight=weight)
    contract = deploy_exact(EmbeddedChain(), network).contract
    for image in probing_images(shape[0], 2):
        assert contract.call("logits", image.tobytes()) == expected(network, image)
        assert contract.call("predict", image.tobytes()) == network.predict(image)


def test_a_hundred_test_images(anvil):
    network = shipped_exact()
    contract = deploy_exact(anvil, network).contract
    images = test_images()[:100]
    outputs = call_many(anvil, contract.address, [contract.artifact.encode("logits", image.tobytes()) for image in images])
    logits = network.infer(images).logits
    assert len(outputs) == 100
    for output, row in zip(outputs, logits, strict=True):
        assert contract.artifact.decode("logits", output) == tuple(map(int, row))


def test_an_image_of_another_size_is_refused():
    contract = deploy_exact(EmbeddedChain(), random_exact((9, 2), 4)).contract
    with pytest.raises(Reverted) as refusal:
        contract.call("predict", bytes(10))
    assert (refusal.value.name, refusal.value.arguments) == ("WrongImageSize", (10, 9))


def test_missing_or_other_weights_are_refused_at_creation(embedded):
    layout = plan(random_exact((30, 250), 5))
    assert len(layout.segments) == 2
    addresses = [embedded.deploy(data_creation(part)).contract for part, _ in layout.segments]
    hashes = [data_hash(part) for part, _ in layout.segments]
    index = layout.index(addresses)
    holder = embedded.deploy(data_creation(index)).contract
    assert Contract.deploy(embedded, predictor(), holder, data_hash(index), hashes)
    with pytest.raises(Reverted) as refusal:
        Contract.deploy(embedded, predictor(), holder, hashes[0], hashes)
    assert (refusal.value.name, refusal.value.arguments) == ("WrongWeights", (holder.lower(), data_hash(index), hashes[0]))
    with pytest.raises(Reverted) as refusal:
        Contract.deploy(embedded, predictor(), holder, data_hash(index), [hashes[0], bytes(32)])
    assert (refusal.value.name, refusal.value.arguments) == ("WrongWeights", (addresses[1].lower(), hashes[1], bytes(32)))
    with pytest.raises(Reverted) as refusal:
        Contract.deploy(embedded, predictor(), holder, data_hash(index), hashes[:1])
    assert (refusal.value.name, refusal.value.arguments) == ("UnevenWeights", (2, 1))


def test_networks_that_cannot_fit_are_refused(monkeypatch):
    with pytest.raises(UnsupportedNetwork, match="at most 256 outputs, got 257"):
        plan(random_exact((2, 257), 6))
    with pytest.raises(UnsupportedNetwork, match="layer 0: one row of 5000 weights is 25000 bytes"):
        plan(random_exact((1, 5000, 2), 7))
    fitting = random_exact((2, 3, 2), 8)
    assert plan(fitting)
    monkeypatch.setattr(exact, "_LARGEST", max(fitting.largest_products))
    with pytest.raises(UnsupportedNetwork, match=r"layer 1 can pass 2\^255: the EVM's words would wrap"):
        plan(fitting)
