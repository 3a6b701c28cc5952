"""The 10^8 fixed-point reference against plain Python integers, its bytes, and what it refuses."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork, UnusableInput
from zkpredict.circuits.networks.exact import MAX_MAGNITUDE, SCALE, SCALED_PIXELS, ExactLayer, ExactNetwork, scaled


def random_network(seed: int, shape: tuple[int, ...], spread: float = 1.0) -> ExactNetwork:
    source = np.random.default_rng(seed)
    return ExactNetwork.from_floats(
        (source.normal(0, spread, (inputs, outputs)), source.normal(0, spread, outputs))
        for inputs, outputs in zip(shape, shape[1:])
    )


def truncated(numerator: int) -> int:
    return numerator // SCALE if numerator >= 0 else -(-numerator // SCALE)


def plain_logits(network: ExactNetwork, image: list[int]) -> list[int]:
    values = [pixel * SCALE // 255 for pixel in image]
    for number, layer in enumerate(network.layers):
        values = [
            bias + sum(truncated(w * a) for w, a in zip(row, values))
            for row, bias in zip(layer.weights.tolist(), layer.bias.tolist())
        ]
        if number + 1 < len(network.layers):
            values = [max(value, 0) for value in values]
    return values


@pytest.mark.parametrize("shape,spread", [((9, 4), 1.0), ((9, 6, 3), 0.3), ((5, 4, 4, 3), 10.0)])
def test_inference_matches_plain_integers(shape, spread):
    network = random_network(3, shape, spread)
    images = np.random.default_rng(4).integers(0, 256, (40, shape[0]), dtype=np.uint8)
    inference = network.infer(images)
    for image, logits, digit in zip(images.tolist(), inference.logits.tolist(), inference.digits.tolist()):
        expected = plain_logits(network, image)
        assert logits == expected
        assert digit == expected.index(max(expected))


def test_word_too_small_switches_to_python_integers():
    wide = ExactLayer(np.full((3, 3), MAX_MAGNITUDE), np.array([1, -1, 0]))
    network = ExactNetwork((wide, wide, wide, wide))
    image = np.full(3, 255, dtype=np.uint8)
    assert max(network.largest_products) >= 1 << 63
    assert network.infer(image[None, :]).logits[0].tolist() == plain_logits(network, image.tolist())


def test_each_product_is_truncated_by_itself():
    network = ExactNetwork((ExactLayer(np.array([[-1, -1], [1, 1]]), np.array([0, 0])),))
    image = np.array([[254, 254]], dtype=np.uint8)
    assert network.infer(image).logits.tolist() == [[0, 0]]
    assert network.infer(image).digits.tolist() == [0]


def test_intervals_hold_and_are_reached():
    network = random_network(5, (6, 3))
    interval = network.intervals[0]
    for row, low, high in zip(network.layers[0].weights, interval.low, interval.high):
        for image, bound in ((np.where(row < 0, 255, 0), low), (np.where(row > 0, 255, 0), high)):
            index = interval.low.index(low)
            assert network.infer(image.astype(np.uint8)[None, :]).logits[0, index] == bound


def test_pixels_scale_by_floor():
    assert (SCALED_PIXELS[0], SCALED_PIXELS[1], SCALED_PIXELS[255]) == (0, 392_156, SCALE)


@given(st.lists(st.integers(-MAX_MAGNITUDE, MAX_MAGNITUDE), min_size=6, max_size=6))
def test_bytes_round_trip(numbers):
    network = ExactNetwork((ExactLayer(np.array(numbers[:4]).reshape(2, 2), np.array(numbers[4:])),))
    again = ExactNetwork.from_bytes(network.to_bytes())
    assert again.to_bytes() == network.to_bytes()
    assert again.layers[0].weights.reshape(-1).tolist() + again.layers[0].bias.tolist() == numbers


def test_tampered_bytes_are_refused_by_reason():
    good = ExactNetwork((ExactLayer(np.array([[7]]), np.array([0])),)).to_bytes()
    sign_of_weight, sign_of_bias = len(good) - 6, len(good) - 1
    ExactNetwork.from_bytes(good)
    cases = [
        (b"x" + good[1:], "exact network magic is b'xkpE\\x01'"),
        (good[:5] + b"\0" + good[6:], "layer count is 0, expected 1 to 16"),
        (good[:6] + b"\0\0\0\0" + good[10:], "layer 0 claims the shape 1 x 0"),
        (good[:sign_of_weight] + b"\x01" + good[sign_of_weight + 1 :], "layer 0 weights: number 0 has the sign byte 0x01"),
        (good[:sign_of_bias] + b"\x80", "layer 0 biases: number 0 has the sign byte 0x80 on zero"),
        (good[:-1], "layer 0 biases needs 5 bytes at offset 19, 4 are left"),
        (good + b"\0", "1 bytes trail after the end"),
    ]
    for data, reason in cases:
        with pytest.raises(MalformedFile, match=re.escape(reason)):
            ExactNetwork.from_bytes(data)


def test_floats_scale_toward_zero_and_large_ones_are_refused():
    assert scaled(np.array([0.5, -0.5, 1.9e-8, -1.9e-8])).tolist() == [50_000_000, -50_000_000, 1, -1]
    for value in (43.0, -43.0, np.nan, np.inf):
        with pytest.raises(UnsupportedNetwork, match="must be finite and below 42.94967296"):
            scaled(np.array([value]))


def test_wrong_shapes_and_types_are_refused():
    layer = ExactLayer(np.array([[1, 2]]), np.array([0]))
    with pytest.raises(UnsupportedNetwork, match="layer 0 has 1 outputs but layer 1 has 2 inputs"):
        ExactNetwork((layer, layer))
    with pytest.raises(UnsupportedNetwork, match="weights must be integers, got dtype float64"):
        ExactLayer(np.array([[1.0]]), np.array([0]))
    with pytest.raises(UnsupportedNetwork, match=re.escape("bias must have shape (1,), got (2,)")):
        ExactLayer(np.array([[1]]), np.array([0, 0]))
    with pytest.raises(UnsupportedNetwork, match=r"weights reach up to 2\^32, beyond the 4-byte magnitude 4294967295"):
        ExactLayer(np.array([[1 << 32]]), np.array([0]))
    with pytest.raises(UnusableInput, match=re.escape("images must be uint8 [batch, 2], got int64 [1, 2]")):
        ExactNetwork((layer,)).infer(np.array([[1, 2]]))
