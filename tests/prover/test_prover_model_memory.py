"""What loading a model costs: below three times the file in memory, whatever the width of its weights."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from support import random_network, refuses

from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork, UnusableInput
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.networks import dense
from zkpredict.circuits.networks.dense import MAX_WEIGHTS, Interval
from zkpredict.circuits.networks.exact import ExactLayer, ExactNetwork
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.prover import model as model_file
from zkpredict.prover.model import Model

OVERHEAD = 8 << 20


def peak_of(action) -> int:
    """Bytes that Python and numpy held at once while `action` ran."""
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def wide_network(width: int, largest: int) -> IntegerNetwork:
    source = np.random.default_rng(5)
    hidden = DenseLayer(source.integers(-largest, largest + 1, (width, 784)), np.zeros(width, np.int64), 12)
    return IntegerNetwork((hidden, DenseLayer(source.integers(-9, 10, (10, width)), np.zeros(10, np.int64))))


@pytest.mark.parametrize("largest", [127, 32767, (1 << 31) - 1, 1 << 40])
def test_loading_a_model_takes_less_than_three_times_its_file(tmp_path, largest):
    path = tmp_path / "wide.model"
    Model(wide_network(2600, largest)).save(path)
    size = path.stat().st_size
    assert size > 2_000_000
    assert peak_of(lambda: Model.load(path)) < 3 * size + OVERHEAD


def test_weights_stay_as_narrow_as_their_file_says(tmp_path):
    path = tmp_path / "wide.model"
    Model(wide_network(2600, 127)).save(path)
    loaded = Model.load(path).network
    assert [layer.narrow.dtype for layer in loaded.layers] == [np.int8, np.int8]
    assert loaded.layers[0].weights.dtype == np.int64
    assert not loaded.layers[0].narrow.flags.writeable and not loaded.layers[0].weights.flags.writeable


def test_an_exact_network_takes_less_than_three_times_its_file_too():
    weights = np.random.default_rng(6).integers(-(1 << 31), 1 << 31, (2600, 784))
    data = ExactNetwork((ExactLayer(weights, np.zeros(2600, np.int64)),)).to_bytes()
    assert peak_of(lambda: ExactNetwork.from_bytes(data)) < 2 * len(data) + OVERHEAD  # `data` itself is the third


def test_a_caller_who_keeps_an_array_cannot_change_the_layer():
    weights = np.ones((1, 2), dtype=np.int8)
    readonly = weights.view()
    readonly.flags.writeable = False
    layers = [DenseLayer(array, np.zeros(1, np.int64)) for array in (weights, readonly)]
    weights[:] = 7
    assert [layer.weights.tolist() for layer in layers] == [[[1, 1]], [[1, 1]]]


def test_a_view_does_not_copy():
    data = bytes(1 << 20)
    reader = ByteReader(data, "thing")
    assert peak_of(lambda: reader.view(1 << 20, "body")) < 1 << 12
    with refuses(MalformedFile, "thing: more needs 1 bytes at offset 1048576, 0 are left"):
        reader.view(1, "more")


def plain_reach(layer: DenseLayer, ranges: list[tuple[int, int]]) -> Interval:
    """The slow twin of `dense.reach`, on Python ints: each product at the end of its range that makes it least, or most."""
    rows, bias = layer.weights.tolist(), layer.bias.tolist()
    ends = (
        tuple(b + sum(pick(w * least, w * most) for w, (least, most) in zip(row, ranges)) for b, row in zip(bias, rows))
        for pick in (min, max)
    )
    return Interval(*ends)


@pytest.mark.parametrize("bound", [1 << 7, 1 << 31, 1 << 43, 1 << 44, (1 << 63) - 1])
def test_reach_matches_plain_integers_on_both_sides_of_int64(bound):
    source = np.random.default_rng(bound.bit_length())
    weights = source.integers(-bound, bound, (300, 513), dtype=np.int64)  # 300 rows: more than one block
    weights[0], weights[1] = bound - 1, -bound
    layer = DenseLayer(weights, source.integers(-bound, bound, 300))
    ranges = [(int(low), int(low + wide)) for low, wide in source.integers(-50, 50, (513, 2)) ** 2 * [[-1, 1]]]
    assert dense.reach(layer, ranges) == plain_reach(layer, ranges)
    largest = sum(max(-low, high) for low, high in ranges)
    assert dense.fits_int64(layer, ranges) == (bound * largest < 1 << 63) == (bound < 1 << 44)


def test_int64_alone_would_wrap_where_python_integers_are_taken(monkeypatch):
    layer = DenseLayer(np.full((1, 513), (1 << 62) - 1), np.zeros(1, np.int64))
    ranges = [(0, 255)] * 513
    right = dense.reach(layer, ranges)
    assert right.high == (((1 << 62) - 1) * 255 * 513,)
    monkeypatch.setattr(dense, "fits_int64", lambda *_: True)
    assert dense.reach(layer, ranges) != right


def test_more_weights_than_any_circuit_holds_are_refused():
    rows = np.zeros((256, 65535), np.int8)
    IntegerNetwork((DenseLayer(rows, np.zeros(256, np.int64)), DenseLayer(np.zeros((1, 256), np.int8), np.zeros(1, np.int64))))
    beyond = DenseLayer(np.zeros((2, 256), np.int8), np.zeros(2, np.int64))
    with refuses(UnsupportedNetwork, f"a network has at most {MAX_WEIGHTS} weights, got {MAX_WEIGHTS + 256}"):
        IntegerNetwork((DenseLayer(rows, np.zeros(256, np.int64)), beyond))


def test_a_model_file_beyond_its_limit_is_not_read(tmp_path, monkeypatch):
    path, network = tmp_path / "m", random_network(3, (12, 6, 3))
    Model(network).save(path)
    size = path.stat().st_size
    monkeypatch.setattr(model_file, "MAX_BYTES", size)
    assert Model.load(path).network.to_bytes() == network.to_bytes()
    monkeypatch.setattr(model_file, "MAX_BYTES", size - 1)
    with refuses(UnusableInput, f"model {path} is larger than {size - 1} bytes"):
        Model.load(path)
