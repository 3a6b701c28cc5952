"""Sparse changes: the predictor is numpy's on random changes of random networks, costs what is promised, and refuses what it cannot run."""

from __future__ import annotations

import numpy as np
import pytest

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.networks.activations import RationalRelu, RationalSquare, SaturatingRelu, Softsign
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.contracts.artifact import load
from zkpredict.contracts.checkout import example_network, sample_images
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.open.deploy import deploy_packed
from zkpredict.contracts.open.weights import data_creation
from zkpredict.contracts.systems.patches import MOST_CHANGE, Delta, Entry, fits, patched

HANDLE_SALT = bytes(32)


class Bench:
    """A network on a chain whose handle this account may push to."""

    def __init__(self, network: IntegerNetwork) -> None:
        self.chain = EmbeddedChain()
        self.network = network
        self.base = deploy_packed(self.chain, network).contract
        self.versions = Contract.deploy(self.chain, load("ModelVersions"))[0]
        self.predictor = Contract.deploy(self.chain, load("PatchablePredictor"), self.versions.address)[0]
        receipt = self.versions.transact("create", HANDLE_SALT, self.chain.sender, self.base.address)
        self.handle = self.versions.events(receipt)[0][1]["handle"]

    def push(self, data: bytes, fresh: bool = False):
        return self.versions.transact("pushData", self.handle, self.versions.call("latest", self.handle), fresh, data)

    def logits(self, image: np.ndarray, version: int | None = None) -> list[int]:
        version = self.versions.call("latest", self.handle) if version is None else version
        return list(self.predictor.call("logitsAt", self.handle, version, image.tobytes()))


def network_of(shape, activation=None, seed=5) -> IntegerNetwork:
    source = np.random.default_rng(seed)
    more = {} if activation is None else {"activation": activation}
    layers = [DenseLayer(source.integers(-128, 128, (o, i)), source.integers(-999, 1000, o), 8, **more) for i, o in zip(shape, shape[1:])]
    layers[-1] = DenseLayer(layers[-1].weights, layers[-1].bias)
    return IntegerNetwork(tuple(layers))


def random_delta(network, source, count) -> Delta:
    entries = []
    for _ in range(count):
        layer = int(source.integers(len(network.layers)))
        inputs, outputs = network.layers[layer].inputs, network.layers[layer].outputs
        entries.append(Entry(layer, int(source.integers(inputs + 1)), int(source.integers(outputs)), int(source.integers(1, 40)) * int(source.choice([-1, 1]))))
    return Delta.of(entries)


SHAPES = [
    ((33, 5, 3), None), ((32, 40, 17, 4), None), ((7, 64, 10), SaturatingRelu()), ((20, 9, 3), RationalSquare(1)), ((20, 9, 3), RationalRelu(2)),
    ((20, 9, 3), Softsign(64, 3)), ((12, 2), None),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "activation"), SHAPES, ids=str)
def test_a_version_is_the_reference_of_the_changed_network(shape, activation):
    bench, source = Bench(network_of(shape, activation)), np.random.default_rng(3)
    live: list[Delta] = []
    for count in (1, 9, 40):
        delta = random_delta(bench.network, source, count)
        bench.push(delta.data)
        live.append(delta)
        new = patched(bench.network, live)
        for image in source.integers(0, 256, (2, shape[0])).astype(np.uint8) * (source.random((2, shape[0])) < 0.6):
            image = image.astype(np.uint8)
            assert bench.logits(image) == new.infer(image[None]).logits[0].tolist()
    image = np.full(shape[0], 255, np.uint8)
    assert bench.logits(image, 0) == bench.network.infer(image[None]).logits[0].tolist() == list(bench.base.call("logits", image.tobytes()))
    bench.push(live[1].data, fresh=True)
    assert bench.logits(image) == patched(bench.network, [live[1]]).infer(image[None]).logits[0].tolist()


def test_a_push_costs_what_is_promised_and_so_does_a_prediction():
    bench, image = Bench(example_network()), sample_images()[0]
    source, gas = np.random.default_rng(1), {}
    for count in (1, 10, 100, 1000):
        delta = Delta.of(Entry(0, int(source.integers(784)), int(source.integers(64)), int(source.integers(1, 100))) for _ in range(count))
        pushed = bench.push(delta.data, fresh=True).gas_used
        assert pushed <= 90_000 + 900 * count
        version = bench.versions.call("latest", bench.handle)
        gas[count] = bench.predictor.transact("predictAt", bench.handle, version, image.tobytes()).gas_used
        assert bench.logits(image) == patched(bench.network, [delta]).infer(image[None]).logits[0].tolist()
    assert gas[1000] - gas[1] <= 120 * 999


def test_inputs_that_could_leave_the_lanes_are_refused_and_never_answered_otherwise():
    bench = Bench(network_of((8, 40, 40, 3), seed=1))
    delta = Delta.of(Entry(0, 8, neuron, MOST_CHANGE) for neuron in range(40) for _ in range(125))
    assert fits(patched(bench.network, [delta]), bench.network) and not fits(patched(bench.network, [delta, delta]), bench.network)
    bench.push(delta.data)
    assert bench.logits(np.zeros(8, np.uint8)) == patched(bench.network, [delta]).infer(np.zeros((1, 8), np.uint8)).logits[0].tolist()
    bench.push(delta.data)
    with pytest.raises(Reverted) as refusal:
        bench.logits(np.zeros(8, np.uint8))
    assert refusal.value.name == "LanesTooNarrow"
    bench.push(Delta.of([Entry(0, 8, 0, 1)]).data, fresh=True)
    assert bench.logits(np.zeros(8, np.uint8)) == patched(bench.network, [Delta.of([Entry(0, 8, 0, 1)])]).infer(np.zeros((1, 8), np.uint8)).logits[0].tolist()


BROKEN = {
    "another layer": Entry(2, 0, 0, 1).to_bytes(),
    "another input": Entry(0, 34, 0, 1).to_bytes(),
    "half an entry": Entry(0, 0, 0, 1).to_bytes() + b"\x01\x02",
    "layers out of order": Entry(1, 0, 0, 1).to_bytes() + Entry(0, 0, 0, 1).to_bytes(),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=list(BROKEN))
def test_a_broken_change_is_refused_where_it_is_checked_and_where_it_runs(data):
    bench = Bench(network_of((33, 5, 3)))
    holder = bench.chain.deploy(data_creation(data)).contract
    for act in (lambda: bench.predictor.call("check", bench.handle, 0, holder),
                lambda: bench.predictor.call("predictWith", bench.handle, 0, False, holder, bytes(33))):  # fmt: skip
        with pytest.raises(Reverted) as refusal:
            act()
        assert refusal.value.name == "BadDelta"


@pytest.mark.parametrize("data", [b"", Entry(0, 0, 5, 1).to_bytes(), Entry(0, 0, 0, 0).to_bytes(), Entry(0, 1, 1, 1).to_bytes() + Entry(0, 1, 0, 1).to_bytes()])
def test_what_runs_but_says_nothing_is_refused_by_the_check(data):
    bench = Bench(network_of((33, 5, 3)))
    holder = bench.chain.deploy(data_creation(data)).contract
    with pytest.raises(Reverted) as refusal:
        bench.predictor.call("check", bench.handle, 0, holder)
    assert refusal.value.name == "BadDelta"


def test_versions_keep_their_rules():
    bench = Bench(network_of((33, 5, 3)))
    data = Entry(0, 0, 0, 1).to_bytes()
    refused = {
        "NotTheExecutor": lambda: bench.versions.by(bench.chain.account(1)).transact("pushData", bench.handle, 0, False, data),
        "NoSuchHandle": lambda: bench.versions.transact("pushData", bytes(32), 0, False, data),
        "NoCode": lambda: bench.versions.transact("push", bench.handle, 0, False, bench.chain.sender),
        "HandleExists": lambda: bench.versions.transact("create", HANDLE_SALT, bench.chain.sender, bench.base.address),
        "NoSuchVersion": lambda: bench.versions.call("get", bench.handle, 1),
        "NotTheLatest": lambda: bench.versions.transact("pushData", bench.handle, 1, False, data),
        "NameAVersion": lambda: bench.predictor.call("predict", bytes(33)),
        "WrongImageSize": lambda: bench.predictor.call("predictAt", bench.handle, 0, bytes(32)),
    }
    for name, act in refused.items():
        with pytest.raises(Reverted) as refusal:
            act()
        assert refusal.value.name == name
    for _ in range(8):
        bench.push(data)
    with pytest.raises(Reverted) as refusal:
        bench.push(data)
    assert refusal.value.name == "TooManyLive"
    ids = {bench.versions.call("idOf", bench.handle, version) for version in range(9)}
    assert len(ids) == 9
    bench.versions.transact("pushWhole", bench.handle, 8, bench.base.address)
    assert bench.versions.call("partsOf", bench.handle, 9) == (bench.base.address.lower(), ()) and bench.logits(np.ones(33, np.uint8)) == bench.logits(np.ones(33, np.uint8), 0)


def test_a_base_that_is_no_packed_predictor_is_refused():
    bench = Bench(network_of((33, 5, 3)))
    receipt = bench.versions.transact("create", b"\1" * 32, bench.chain.sender, bench.chain.deploy(data_creation(bytes(99))).contract)
    handle = bench.versions.events(receipt)[0][1]["handle"]
    with pytest.raises(Reverted) as refusal:
        bench.predictor.call("predictAt", handle, 0, bytes(33))
    assert refusal.value.name == "NotPacked"


def test_changes_are_bytes_and_back_and_the_difference_of_two_networks():
    old = network_of((33, 5, 3))
    delta = Delta.of([Entry(0, 33, 4, 900), Entry(0, 33, 4, 900), Entry(1, 2, 1, -1024)])
    assert Delta.from_bytes(delta.data) == delta and delta.weights == 2
    again = Delta.between(old, patched(old, [delta]))
    assert patched(old, [delta]).layers[0].bias.tolist() == patched(old, [again]).layers[0].bias.tolist()
    for act in (lambda: Delta.between(old, old), lambda: Delta.from_bytes(b"123"), lambda: Entry(4, 0, 0, 1), lambda: patched(old, [Delta.of([Entry(0, 0, 5, 1)])]),
                lambda: Delta.between(old, network_of((33, 6, 3)))):  # fmt: skip
        with pytest.raises(UnusableInput):
            act()


def main(count: int = 2000) -> None:
    """Many changes, extremes among them: `python tests/systems/test_council_patches.py`, about a minute."""
    source, checked = np.random.default_rng(11), 0
    while checked < count:
        bench = Bench(network_of(*SHAPES[int(source.integers(len(SHAPES)))], seed=int(source.integers(1000))))
        for _ in range(100):
            delta = random_delta(bench.network, source, int(source.integers(1, 30)))
            if source.random() < 0.3:
                delta = Delta.of(Entry(e.layer, e.input, e.neuron, MOST_CHANGE if e.change > 0 else -1024) for e in delta.entries)
            new = patched(bench.network, [delta])
            bench.push(delta.data, fresh=True)
            inputs = bench.network.shape[0]
            for image in (np.full(inputs, 255, np.uint8), source.integers(0, 256, inputs).astype(np.uint8)):
                try:
                    assert bench.logits(image) == new.infer(image[None]).logits[0].tolist(), (bench.network.shape, delta)
                except Reverted as refusal:
                    assert refusal.name == "LanesTooNarrow" and not fits(new, bench.network)
            checked += 1
    print(f"{checked} changes: every answer is the reference's")


if __name__ == "__main__":
    main()
