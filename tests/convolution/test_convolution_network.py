"""Convolutions by the reference: against the dense layer that does the same, in files, and refused where only dense layers run."""

import numpy as np
import pytest
from conv_cases import SHAPES, conv_network, network_of, picture
from hypothesis import given, settings
from hypothesis import strategies as st
from eth_abi import decode
from support import refuses
from wired_cases import wired

from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork
from zkpredict.circuits.networks.convolution import ConvLayer, Grid
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.contracts.bitcoin.compiler import compile_script
from zkpredict.contracts.artifact import address_text
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.open.instruction import ADDRESS, PredictInstruction, instruction_gas, network_id, work_gas
from zkpredict.contracts.open.packed import plan
from zkpredict.contracts.systems.inference import Inference


@pytest.mark.parametrize("name", SHAPES)
def test_a_convolution_is_the_dense_layer_with_its_weights_everywhere(name):
    network = network_of(name)
    dense = IntegerNetwork(tuple(layer.as_dense() if isinstance(layer, ConvLayer) else layer for layer in network.layers))
    images = np.stack([picture(seed, network) for seed in range(20)])
    one, other = network.infer(images), dense.infer(images)
    for mine, theirs in zip(one.pre_activations, other.pre_activations, strict=True):
        assert (mine == theirs).all()
    assert network.shape == dense.shape
    for mine, theirs in zip(network.intervals, dense.intervals, strict=True):
        assert (mine.low, mine.high) == (theirs.low, theirs.high)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_random_geometries_match_reference(data):
    """Each output position by its definition, in loops."""
    side = st.integers(1, 6)
    kernel = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    pads = [data.draw(st.integers(0, size - 1)) for size in (*kernel, *kernel)]
    shape = data.draw(side) + 5, data.draw(side) + 5, data.draw(st.integers(1, 3))
    pools, across = (data.draw(st.integers(1, 2)), data.draw(st.integers(0, 2))), data.draw(st.integers(0, 3))
    grid = Grid(*shape, *kernel, data.draw(st.integers(1, 3)), pads[0], pads[1], pools[0], pads[2], pads[3], across, pools[1])
    source = np.random.default_rng(data.draw(st.integers(0, 99)))
    layer = ConvLayer(source.integers(-9, 10, (2, grid.taps)), source.integers(-9, 10, 2), 0, geometry=grid)
    values = source.integers(0, 256, grid.inputs)
    grown = values.reshape(shape)
    height, width, channels = grid.pooled
    pooled = np.zeros((height, width, channels), int)
    for y, x in np.ndindex(height, width):
        (high, wide) = grid.pool, grid.pool_across or grid.pool
        pooled[y, x] = grown[y * high : (y + 1) * high, x * wide : (x + 1) * wide].sum(axis=(0, 1))
    expected = []
    for y, x in np.ndindex(*grid.positions):
        for channel in range(2):
            total = int(layer.bias[channel])
            for i, j, c in np.ndindex(*kernel, channels):
                at = y * grid.stride + i - grid.pad_top, x * (across or grid.stride) + j - grid.pad_left
                if 0 <= at[0] < height and 0 <= at[1] < width:
                    total += int(layer.weights[channel].reshape(*kernel, channels)[i, j, c]) * int(pooled[(*at, c)])
            expected.append(total)
    assert layer.apply(values[None])[0].tolist() == expected


@pytest.mark.parametrize("name", SHAPES)
def test_files_hold_convolutions(name):
    network = network_of(name)
    data = network.to_bytes()
    assert data[:5] == (b"zkpN\x05" if name == "sides that differ" else b"zkpN\x03")
    again = IntegerNetwork.from_bytes(data)
    assert again.to_bytes() == data and (again.infer(picture(1, network)[None]).logits == network.infer(picture(1, network)[None]).logits).all()
    for length in range(0, len(data), 7):
        with pytest.raises(MalformedFile):
            IntegerNetwork.from_bytes(data[:length])


def test_files_of_dense_networks_are_as_before_and_have_one_form():
    dense = IntegerNetwork((DenseLayer(np.ones((2, 3), int), np.zeros(2, int)),))
    assert dense.to_bytes()[:5] == b"zkpN\x01"
    network = network_of("one convolution")
    data = bytearray(network.to_bytes())
    assert data[6] == 1
    data[6] = 2
    with refuses(MalformedFile, "network: layer 0 kind is 2, expected 0 or 1"):
        IntegerNetwork.from_bytes(bytes(data))
    data[6], data[7:9] = 1, (0).to_bytes(2, "little")
    with pytest.raises(MalformedFile, match="^network: layer 0: a convolution has sides in 1..1024 and channels in 1..1024, got Grid"):
        IntegerNetwork.from_bytes(bytes(data))


def test_sides_that_differ_are_said_in_files_that_need_it_alone():
    """A grid says one number where both sides have one, whoever made it; files say both for all grids, or one for all."""
    grid = Grid(7, 8, 2, 3, 2, 1, 1, 0, 1, 1, 1, 2, 2)
    assert Grid(6, 6, 1, 2, 2, 2, stride_across=2, pool_across=1) == Grid(6, 6, 1, 2, 2, 2) and not Grid(6, 6, 1, 2, 2).differs_by_side
    assert (grid.strides, grid.pool_sides, grid.area, grid.pooled, grid.positions) == ((1, 2), (1, 2), 2, (7, 4, 2), (7, 2))
    assert grid.in_words(3) == "7 x 8 x 2 in averages of 1 x 2 by 3 kernels 3 x 2, strides 1 x 2, padded to 7 x 2 x 3"
    network = network_of("sides that differ")
    data = network.to_bytes()
    across = data.index(grid.to_bytes(True)[22:], 28)  # the last two of thirteen numbers of the first grid
    wrong = {
        (1).to_bytes(2, "little") + (1).to_bytes(2, "little"): None,  # no longer fits the layer behind it
        (0).to_bytes(2, "little") + (2).to_bytes(2, "little"): "network: layer 0: a stride or a pool across is 0",
    }
    for numbers, reason in wrong.items():
        with pytest.raises(MalformedFile, match=reason and f"^{reason}$"):
            IntegerNetwork.from_bytes(data[:across] + numbers + data[across + 4 :])
    same = network_of("one convolution")
    said = same.to_bytes()
    grown = b"zkpN\x05" + said[5:6] + bytes(3) + b"\x01" + same.layers[0].grid.to_bytes(True) + said[6 + 1 + 22 :]
    place = len(grown) - same.layers[1].narrow.size - 8 * same.layers[1].narrow.shape[0] - 11
    with refuses(MalformedFile, "network: no stride or pool differs by side, so its magic is not b'zkpN\\x05'"):
        IntegerNetwork.from_bytes(grown[:place] + bytes(3) + grown[place:])


def test_kernels_that_do_not_fit_are_refused():
    with pytest.raises(UnsupportedNetwork, match="^the kernel or the pool is larger than what it reads: "):
        Grid(4, 4, 1, 5, 2)
    with pytest.raises(UnsupportedNetwork, match="^padding must be smaller than the kernel, got "):
        Grid(4, 4, 1, 2, 2, 1, 2)
    with refuses(UnsupportedNetwork, "a kernel has 8 weights a channel, its grid 9"):
        ConvLayer(np.ones((2, 8), int), np.zeros(2, int), 8, geometry=Grid(5, 5, 1, 3, 3))
    with refuses(UnsupportedNetwork, "layer 0 has 27 outputs but layer 1 has 16 inputs"):
        conv_network(1, [(Grid(5, 5, 1, 3, 3), 3), (Grid(4, 4, 1, 2, 2), 3)], 2)


@pytest.mark.parametrize(
    ("what", "run"),
    [
        ("packed contracts", plan), ("Bitcoin scripts", compile_script), ("dispute programs", Inference.of),
    ],
)  # fmt: skip
def test_what_runs_dense_layers_only_says_so(what, run):
    instead = "prove its answers (`zkpredict prove`)"
    instead += ", or ask the embedded chain (`zkpredict chain predict --instruction`)" if what == "packed contracts" else ""
    with refuses(UnsupportedNetwork, f"layer 0 is a convolution: {what} hold dense layers only: {instead}"):
        run(network_of("one convolution"))


def test_the_predict_instruction_runs_what_the_reference_runs():
    """Convolutions, average pools and max pools, and its gas counts kernels at every position."""
    for network in (network_of("pools"), wired("max pool before a convolution")):
        chain = EmbeddedChain(PredictInstruction.of([network]).precompiles)
        image = picture(1, network)
        data = network_id(network) + image.tobytes()
        digit, logits = decode(["uint256", "int256[]"], chain.call(address_text(ADDRESS), data))
        expected = network.infer(image[None])
        assert (digit, list(logits)) == (int(expected.digits[0]), expected.logits[0].tolist())
        assert chain.call_gas(address_text(ADDRESS), data) == instruction_gas(network)
    dense = IntegerNetwork(tuple(layer.as_dense() if isinstance(layer, ConvLayer) else layer for layer in network_of("one convolution").layers))
    assert work_gas(network_of("one convolution")) == -(-(16 * 3 * 6 + 48 * 4) // 8) + 2 * (48 + 4) < work_gas(dense)
