"""The integer network: its arithmetic against Python ints, its bounds, its bytes, and everything it refuses."""

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import changed, plain_inference, random_image, random_network, refuses, worst_images

from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork, UnusableInput
from zkpredict.circuits.networks import reference
from zkpredict.circuits.networks.dense import MAX_LAYERS
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork

shapes = st.lists(st.integers(1, 7), min_size=2, max_size=5).map(tuple)
seeds = st.integers(0, 2**32)


def layer(weights, bias, shift=0) -> DenseLayer:
    return DenseLayer(np.array(weights), np.array(bias), shift)


def network(*layers) -> IntegerNetwork:
    return IntegerNetwork(tuple(layer(*each) for each in layers))


# Arithmetic


@given(shapes, seeds, st.sampled_from([1, 100, 10**6]))
def test_infer_matches_reference(shape, seed, largest):
    net = random_network(seed, shape, largest)
    images = np.stack([random_image(seed + k, shape[0]) for k in range(3)])
    found = net.infer(images)
    for number, image in enumerate(images):
        expected, digit = plain_inference(net, image.tolist())
        assert [z[number].tolist() for z in found.pre_activations] == expected
        assert found.logits[number].tolist() == expected[-1]
        assert (found.digits[number], net.predict(image)) == (digit, digit)
        for a, z, hidden in zip(found.activations, expected, net.layers):
            assert a[number].tolist() == [max(value, 0) >> hidden.shift for value in z]


@pytest.mark.parametrize(("bias", "digit"), [([5, 5, 5], 0), ([4, 5, 5], 1), ([-9, -9, -8], 2)])
def test_ties_go_to_the_lowest_index(bias, digit):
    assert network((np.zeros((3, 2), int), bias)).predict(np.zeros(2, np.uint8)) == digit


def test_negative_values_become_zero_and_not_minus_one():
    # -1 >> 4 is -1
    net = network(([[-1]], [0], 4), ([[1]], [0]))
    assert net.infer(np.array([[1]], np.uint8)).activations[0].tolist() == [[0]]


@pytest.mark.parametrize(
    ("images", "found"),
    [
        (np.zeros((1, 2), np.int64), "int64 [1, 2]"),
        (np.zeros((1, 2)), "float64 [1, 2]"),
        (np.zeros((1, 3), np.uint8), "uint8 [1, 3]"),
        (np.zeros(2, np.uint8), "uint8 [2]"),
    ],
)
def test_infer_refuses_other_types_and_shapes(images, found):
    net = network(([[1, 2]], [0]))
    assert net.infer(np.ones((1, 2), np.uint8)).logits.tolist() == [[3]]
    with refuses(UnusableInput, f"images must be uint8 [batch, 2], got {found}"):
        net.infer(images)


# Bounds


@given(st.integers(1, 6), st.integers(1, 4), seeds)
def test_bounds_of_the_first_layer_are_the_extremes_over_all_corners(inputs, outputs, seed):
    net = random_network(seed, (inputs, outputs))
    corners = np.array(list(itertools.product([0, 255], repeat=inputs)), np.uint8)
    z = net.infer(corners).logits
    assert net.intervals[0].low == tuple(z.min(axis=0)) and net.intervals[0].high == tuple(z.max(axis=0))


@given(shapes, seeds)
def test_bounds_of_the_first_layer_are_attained_and_later_ones_hold(shape, seed):
    net = random_network(seed, shape)
    for row in range(shape[1]):
        top, bottom = worst_images(net, row)
        z = net.infer(np.stack([top, bottom])).pre_activations[0][:, row]
        assert z.tolist() == [net.intervals[0].high[row], net.intervals[0].low[row]]
    images = np.stack([image for row in range(shape[1]) for image in worst_images(net, row)])
    for z, interval in zip(net.infer(images).pre_activations, net.intervals):
        assert np.all(z >= interval.low) and np.all(z <= interval.high)


def test_bounds_of_later_layers_are_attained_when_the_neurons_can_agree():
    # one input drives both hidden neurons to their tops: 255 and 510 >> 1
    net = network(([[1], [2]], [0, 0], 1), ([[3, 5], [-3, -5]], [7, 7]))
    z = net.infer(np.array([[255]], np.uint8)).logits[0]
    assert z.tolist() == [3 * 127 + 5 * 255 + 7, -3 * 127 - 5 * 255 + 7]
    assert (net.intervals[1].high[0], net.intervals[1].low[1]) == tuple(z)
    assert net.intervals[1].magnitude == z[0]


# What a network refuses


@pytest.mark.parametrize(
    ("weights", "bias", "shift", "message"),
    [
        (np.ones((2, 2)), np.zeros(2, int), 0, "weights must be integers, got dtype float64"),
        (np.array([[1, np.nan]]), np.zeros(1, int), 0, "weights must be integers, got dtype float64"),
        (np.ones((2, 2), bool), np.zeros(2, int), 0, "weights must be integers, got dtype bool"),
        (np.ones((2, 2), object), np.zeros(2, int), 0, "weights must be integers, got dtype object"),
        (np.ones((2, 2), int), np.array([0, np.nan]), 0, "bias must be integers, got dtype float64"),
        (np.ones(4, int), np.zeros(2, int), 0, "weights must have shape [outputs, inputs], got (4,)"),
        (np.ones((0, 3), int), np.zeros(0, int), 0, "weights must have shape [outputs, inputs], got (0, 3)"),
        (np.ones((3, 0), int), np.zeros(3, int), 0, "weights must have shape [outputs, inputs], got (3, 0)"),
        (np.ones((2, 3), int), np.zeros(3, int), 0, "bias must have shape (2,), got (3,)"),
        (np.ones((2, 3), int), np.zeros((2, 1), int), 0, "bias must have shape (2,), got (2, 1)"),
        (np.ones((1, 1), int), np.zeros(1, int), -1, "shift must be an int in 0..62, got -1"),
        (np.ones((1, 1), int), np.zeros(1, int), 63, "shift must be an int in 0..62, got 63"),
        (np.ones((1, 1), int), np.zeros(1, int), 3.0, "shift must be an int in 0..62, got 3.0"),
        (np.array([[2**63]], np.uint64), np.zeros(1, int), 0, "weights reach up to 2^63, beyond int64"),
        (np.ones((1, 1), int), np.array([2**64 - 1], np.uint64), 0, "bias reach up to 2^64, beyond int64"),
    ],
)
def test_layer_refuses(weights, bias, shift, message):
    with refuses(UnsupportedNetwork, message):
        DenseLayer(weights, bias, shift)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64, np.int64])
def test_layer_takes_every_integer_type_as_int64(dtype):
    made = DenseLayer(np.array([[1, 2]], dtype), np.array([3], dtype), 5)
    assert (made.weights.dtype, made.bias.dtype, made.inputs, made.outputs) == (np.int64, np.int64, 2, 1)
    assert made.weights.tolist() == [[1, 2]] and made.bias.tolist() == [3]


def test_layers_are_the_same_however_their_weights_lie_in_memory():
    weights = np.arange(6).reshape(3, 2).T
    frozen = np.asfortranarray(weights)
    frozen.flags.writeable = False
    plain = IntegerNetwork((DenseLayer(np.ascontiguousarray(weights), np.zeros(2, int)),)).to_bytes()
    for given in (weights, frozen, weights.astype(np.int8)):
        assert IntegerNetwork((DenseLayer(given, np.zeros(2, int)),)).to_bytes() == plain


def test_layer_keeps_its_own_unwritable_copy():
    weights = np.array([[1, 2]])
    made = DenseLayer(weights, np.array([0]))
    weights[0, 0] = 9
    assert made.weights.tolist() == [[1, 2]]
    with refuses(ValueError, "assignment destination is read-only"):
        made.weights[0, 0] = 9


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([], "a network has 1 to 16 layers, got 0"),
        ([([[1]], [0])] * 17, "a network has 1 to 16 layers, got 17"),
        ([([[1]], [0], 1), ([[1, 1]], [0])], "layer 0 has 1 outputs but layer 1 has 2 inputs"),
        ([([[1]], [0], 2)], "the last layer hands on raw logits: its shift must be 0, got 2"),
        (
            [([[2**53]], [0]), ([[1]], [2**62 - 1 - 255 * 2**53]), ([[1]], [1])],
            "layer 2 can reach up to 2^62, beyond 2^62: int64 could wrap",
        ),
        ([([[0]], [-(2**63)])], "layer 0 can reach up to 2^63, beyond 2^62: int64 could wrap"),
    ],
)
def test_network_refuses(layers, message):
    with refuses(UnsupportedNetwork, message):
        network(*layers)


def test_network_takes_the_largest_reach_and_the_most_layers():
    assert network(([[0]], [2**62 - 1])).intervals[0].magnitude == 2**62 - 1
    net = network(*[([[1]], [0])] * MAX_LAYERS)
    assert (net.name, len(net.layers)) == ("-".join("1" * 17), 16)


# Bytes


@given(shapes, seeds, st.sampled_from([1, 127, 128, 2**15, 2**31]))
def test_bytes_round_trip(shape, seed, largest):
    net = random_network(seed, shape, largest)
    again = IntegerNetwork.from_bytes(net.to_bytes())
    assert again.to_bytes() == net.to_bytes() and again.shape == net.shape
    for ours, theirs in zip(net.layers, again.layers):
        assert np.array_equal(ours.weights, theirs.weights) and np.array_equal(ours.bias, theirs.bias)
        assert ours.shift == theirs.shift


def test_bytes_are_the_documented_ones():
    net = network(([[1, -2]], [300], 7), ([[200]], [-1]))
    assert net.to_bytes().hex(" ", 1) == (
        "7a 6b 70 4e 01 02 "
        "02 00 00 00 01 00 00 00 07 01 01 fe 2c 01 00 00 00 00 00 00 "
        "01 00 00 00 01 00 00 00 00 02 c8 00 ff ff ff ff ff ff ff ff"
    )


@pytest.mark.parametrize(
    ("weight", "size"),
    [(127, 1), (-128, 1), (128, 2), (-129, 2), (2**15 - 1, 2), (2**15, 4), (-(2**31), 4), (2**31, 8), (-(2**31) - 1, 8)],
)
def test_weights_take_the_smallest_size_and_a_larger_one_is_refused(weight, size):
    data = network(([[weight]], [0])).to_bytes()
    assert data[15] == size and len(data) == 16 + size + 8
    if size < 8:
        wider = data[:15] + bytes([2 * size]) + weight.to_bytes(2 * size, "little", signed=True) + bytes(8)
        with refuses(MalformedFile, f"network: layer 0 weights fit in fewer than {2 * size} bytes"):
            IntegerNetwork.from_bytes(wider)


DATA = network(([[1, -2]], [300], 7), ([[3]], [-1])).to_bytes()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"zkpX" + DATA[4:], r"network magic is b'zkpX\x01', expected b'zkpN\x01', b'zkpN\x02', b'zkpN\x03', b'zkpN\x04' or b'zkpN\x05'"),
        (DATA[:4] + b"\x06" + DATA[5:], r"network magic is b'zkpN\x06', expected b'zkpN\x01', b'zkpN\x02', b'zkpN\x03', b'zkpN\x04' or b'zkpN\x05'"),
        (DATA[:5] + b"\x00" + DATA[6:], "layer count is 0, expected 1 to 16"),
        (DATA[:5] + b"\x11" + DATA[6:], "layer count is 17, expected 1 to 16"),
        (DATA[:6] + bytes(4) + DATA[10:], "layer 0 claims the shape 1 x 0, beyond the limits"),
        (DATA[:10] + bytes(4) + DATA[14:], "layer 0 claims the shape 0 x 2, beyond the limits"),
        (DATA[:8] + b"\x01" + DATA[9:], "layer 0 claims the shape 1 x 65538, beyond the limits"),
        (DATA[:15] + b"\x03" + DATA[16:], "layer 0 weight size is 3, expected 1, 2, 4 or 8"),
        (DATA[:15] + b"\x00" + DATA[16:], "layer 0 weight size is 0, expected 1, 2, 4 or 8"),
        (DATA[:14] + b"\x3f" + DATA[15:], "shift must be an int in 0..62, got 63"),
        (DATA[:34] + b"\x02" + DATA[35:], "the last layer hands on raw logits: its shift must be 0, got 2"),
        (DATA + b"\x00", "1 bytes trail after the end at offset 45"),
        (
            DATA[:6] + b"\x01\x00\x00\x00\x02" + DATA[11:16] + b"\x01\x01" + DATA[18:26] + DATA[18:],
            "layer 0 has 2 outputs but layer 1 has 1 inputs",
        ),
    ],
)
def test_bytes_refuse(data, message):
    assert IntegerNetwork.from_bytes(DATA).shape == (2, 1, 1)
    with refuses(MalformedFile, f"network: {message}"):
        IntegerNetwork.from_bytes(data)


def test_every_truncation_is_refused_by_the_field_that_is_cut():
    fields = [(5, "network magic"), (6, "layer count")]
    for number, start, weights in ((0, 6, 2), (1, 26, 1)):
        ends = np.cumsum([start + 4, 4, 1, 1, weights, 8]).tolist()
        names = ("inputs", "outputs", "shift", "weight size", "weights", "biases")
        fields += [(end, f"layer {number} {name}") for end, name in zip(ends, names)]
    assert fields[-1][0] == len(DATA)
    starts = dict(zip((name for _, name in fields), [0] + [end for end, _ in fields]))
    for length in range(len(DATA)):
        end, name = next((end, name) for end, name in fields if end > length)
        start = starts[name]
        message = f"network: {name} needs {end - start} bytes at offset {start}, {length - start} are left"
        with refuses(MalformedFile, message):
            IntegerNetwork.from_bytes(DATA[:length])


@given(st.integers(0, len(DATA) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_read_as_another_network(position, delta):
    data = changed(DATA, position, delta)
    try:
        net = IntegerNetwork.from_bytes(data)
    except MalformedFile:
        return
    assert net.to_bytes() == data != DATA


def test_a_header_that_claims_gigabytes_allocates_nothing():
    hostile = DATA[:6] + (1 << 16).to_bytes(4, "little") + (1 << 7).to_bytes(4, "little") + b"\x00\x08"
    tracemalloc.start()
    with refuses(MalformedFile, "network: layer 0 weights needs 67108864 bytes at offset 16, 0 are left"):
        IntegerNetwork.from_bytes(hostile)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_weights_in_any_order_of_memory_are_written_alike():
    layer = DenseLayer(np.array([[1, 2, 3], [4, 5, 6]]), np.array([7, 8]))
    other = DenseLayer(np.asfortranarray(layer.weights), layer.bias)
    assert IntegerNetwork((other,)).to_bytes() == IntegerNetwork((layer,)).to_bytes()


@pytest.mark.parametrize("bits", [1, 7, 20, 32, 33, 34, 40])
def test_products_in_float64_and_in_blocks_match_plain_int64(bits):
    """On both sides of 2^53: weights of `bits` bits, 130 inputs of up to 2^13, and more rows than one block holds."""
    source = np.random.default_rng(bits)
    weights = source.integers(-(1 << bits), (1 << bits) + 1, (700, 130))
    weights[0] = (1 << bits) - 1
    layer = DenseLayer(weights, source.integers(-999, 1000, 700))
    values = source.integers(-(1 << 13), 1 << 13, (3, 130))
    values[0] = (1 << 13) - 1
    assert np.array_equal(layer.apply(values), layer.apply_plainly(values)) and layer.apply(values).dtype == np.int64
    assert layer.apply(np.zeros((0, 130), np.int64)).shape == (0, 700)


def test_float64_alone_would_round(monkeypatch):
    layer = DenseLayer(np.array([[(1 << 40) + 1, 1]]), np.array([0]))
    values = np.array([[(1 << 14) + 1, 1]])
    right = layer.apply(values)
    assert right.tolist() == layer.apply_plainly(values).tolist() == [[((1 << 40) + 1) * ((1 << 14) + 1) + 1]]
    monkeypatch.setattr(reference, "EXACT_FLOAT", 1 << 63)
    assert layer.apply(values).tolist() != right.tolist()
