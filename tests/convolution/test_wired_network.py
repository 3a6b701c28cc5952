"""Max pools and residual connections by the reference: against plain loops, in files, and refused where they cannot be."""

import numpy as np
import pytest
from conv_cases import picture
from hypothesis import given, settings
from hypothesis import strategies as st
from support import refuses
from wired_cases import LARGEST, WIRED, build, pool, same, whole, wired

from zkpredict.circuits.convolution.compiler import compile_convolution
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork
from zkpredict.circuits.networks.activations import RELU8, Softsign
from zkpredict.circuits.networks.convolution import ConvLayer, Grid
from zkpredict.circuits.networks.pooling import MaxPoolLayer, tournament
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.networks.wiring import PLAIN, Reading, Wiring
from zkpredict.tools.satisfy import plain_digits


def plainly(network, image):
    """Every layer by its definition, in loops over positions; what each hands on."""
    handed: list[np.ndarray] = []
    for number, layer in enumerate(network.layers):
        if number == 0:
            maps = [image.astype(np.int64)]
        else:
            maps = [np.sum([handed[source] for source in sources], axis=0) for sources in layer.wiring.all_sources(number)]
        if isinstance(layer, MaxPoolLayer):
            handed.append(largest_of(layer.grid, maps[0]))
            continue
        whole = layer.as_dense() if isinstance(layer, ConvLayer) else layer
        z = whole.weights @ np.concatenate(maps) + whole.bias
        handed.append(np.array([layer.activation.apply_int(int(one), layer.shift) for one in z]))
    return handed[:-1], z


def largest_of(grid, values):
    grown, found = values.reshape(grid.height, grid.width, grid.channels), []
    for y, x in np.ndindex(*grid.positions):
        top, left = y * grid.strides[0] - grid.pad_top, x * grid.strides[1] - grid.pad_left
        for channel in range(grid.channels):
            rows = range(max(0, top), min(grid.height, top + grid.kernel_height))
            columns = range(max(0, left), min(grid.width, left + grid.kernel_width))
            found.append(max((int(grown[row, column, channel]) for row in rows for column in columns), default=0))
    return np.array(found)


@pytest.mark.parametrize("name", WIRED)
def test_every_wiring_matches_reference(name):
    network = wired(name)
    for seed in range(5):
        image = picture(seed, network)
        found = network.infer(image[None])
        handed, z = plainly(network, image)
        assert found.logits[0].tolist() == z.tolist()
        for mine, theirs in zip(found.activations, handed, strict=True):
            assert mine[0].tolist() == theirs.tolist()
        for z, interval in zip(found.pre_activations, network.intervals, strict=True):
            assert (np.array(interval.low) <= z[0]).all() and (z[0] <= np.array(interval.high)).all()
        for values, interval in zip(found.activations, network.activation_intervals, strict=True):
            assert (np.array(interval.low) <= values[0]).all() and (values[0] <= np.array(interval.high)).all()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_random_pools_match_reference(data):
    size = data.draw(st.integers(1, 3)), data.draw(st.integers(2, 3))
    pads = [data.draw(st.integers(0, side - 1)) for side in (*size, *size)]
    shape = data.draw(st.integers(3, 7)), data.draw(st.integers(3, 7)), data.draw(st.integers(1, 3))
    layer = MaxPoolLayer(Grid(*shape, *size, data.draw(st.integers(1, 3)), pads[0], pads[1], 1, pads[2], pads[3], data.draw(st.integers(0, 3))))
    values = np.random.default_rng(data.draw(st.integers(0, 99))).integers(0, 256, (2, layer.inputs))
    z = layer.apply(values)
    assert z.shape == (2, layer.lanes)
    found = layer.hand_on(values, z)
    assert [row.tolist() for row in found] == [largest_of(layer.grid, one).tolist() for one in values]


@pytest.mark.parametrize("entrants", range(2, 12))
def test_everybody_plays_until_one_is_left(entrants):
    matches = tournament(entrants)
    assert len(matches) == entrants - 1
    assert sorted(player for match in matches for player in match) == list(range(2 * entrants - 2))
    assert all(max(match) < entrants + number for number, match in enumerate(matches))


@pytest.mark.parametrize("name", WIRED)
def test_files_hold_wired_networks(name):
    network = wired(name)
    data = network.to_bytes()
    assert data[:5] == (b"zkpN\x05" if name == "sides that differ" else b"zkpN\x04")
    again = IntegerNetwork.from_bytes(data)
    image = picture(1, network)
    assert again.to_bytes() == data and (again.infer(image[None]).logits == network.infer(image[None]).logits).all()
    for length in range(0, len(data), 11):
        with pytest.raises(MalformedFile):
            IntegerNetwork.from_bytes(data[:length])


def test_files_have_one_form():
    plain = build(1, [(Grid(4, 4, 1, 2, 2), 2, PLAIN), whole(3, 3, 2, 2)]).to_bytes()
    assert plain[:5] == b"zkpN\x03"
    data = bytearray(wired("max pool").to_bytes())
    data[6] = 2
    with refuses(MalformedFile, "network: layer 0 wiring is 2, expected 0 or 1"):
        IntegerNetwork.from_bytes(bytes(data))
    first = 1 + 22 + 10 + 1 + 2 * 4 + 2 * 8
    rewired = b"zkpN\x04" + plain[5:6] + bytes(3) + plain[6 : 6 + first] + bytes(3) + plain[6 + first :]
    with refuses(MalformedFile, "network: every layer reads the one before it by weights, so its magic is not b'zkpN\\x04'"):
        IntegerNetwork.from_bytes(rewired)


def conv(grid, channels, wiring=PLAIN, activation=RELU8, shift=8):
    taps = grid.taps + sum(reading.grid.taps for reading in wiring.beside)
    return ConvLayer(np.ones((channels, taps), int), np.zeros(channels, int), shift, activation, grid, wiring=wiring)


FIRST, MAP = conv(Grid(5, 5, 1, 2, 2), 2), Grid(4, 4, 2, 2, 2)
END = DenseLayer(np.ones((2, 18), int), np.zeros(2, int))


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ((MaxPoolLayer(Grid(4, 4, 1, 2, 2, 2)),), "layer 0 reads the network's input: it is a plain dense layer or convolution, no max pool"),
        ((FIRST, conv(MAP, 2, Wiring((0,))), END), "layer 1 reads layer 0 alone, which has no sources in its wiring"),
        ((FIRST, conv(MAP, 2, Wiring((1,))), END), "layer 1 reads up to 32 layers before it, each once and in order, got (1,)"),
        ((FIRST, conv(MAP, 2, Wiring((0, 0))), END), "layer 1 reads up to 32 layers before it, each once and in order, got (0, 0)"),
        ((FIRST, conv(MAP, 2), conv(Grid(3, 3, 2, 1, 1), 2, Wiring((0, 1))), END), "layer 0 has 32 outputs but layer 2 reads 18 of it"),
        (
            (FIRST, conv(MAP, 2, Wiring(beside=(Reading((0,), Grid(4, 4, 2, 1, 1)),))), END),
            "layer 1 has 3 x 3 positions, beside it are 4 x 4",
        ),
        ((FIRST, conv(MAP, 2, Wiring(beside=(Reading((), MAP),))), END), "layer 1 has up to 32 readings beside its own, and each names its layers"),
        ((FIRST, MaxPoolLayer(Grid(4, 4, 2, 2, 2, 2, pool=2)), END), "layer 1 is a max pool: it has one grid without sums, and nothing beside it"),
        ((FIRST, MaxPoolLayer(Grid(4, 4, 2, 2, 2, 2))), "the last layer is a max pool: it must have weights, its z are the logits"),
        (
            (ConvLayer(-np.ones((2, 4), int), np.zeros(2, int), 8, Softsign(9, 99), Grid(5, 5, 1, 2, 2)), MaxPoolLayer(Grid(4, 4, 2, 2, 2, 2)), DenseLayer(np.ones((2, 8), int), np.zeros(2, int))),
            "layer 1 a max pool reads numbers that are never negative: give the layer before it relu or relu8",
        ),
    ],
)  # fmt: skip
def test_wirings_that_cannot_be_are_refused(layers, message):
    with refuses(UnsupportedNetwork, message):
        IntegerNetwork(layers)


def test_pools_that_cannot_be_are_refused():
    with pytest.raises(UnsupportedNetwork, match="^a max pool has windows of at least 2 numbers and at most 131072 matches, got Grid"):
        MaxPoolLayer(Grid(4, 4, 1, 1, 1))
    with pytest.raises(UnsupportedNetwork, match="^a max pool has windows of at least 2 numbers and at most 131072 matches, got Grid"):
        MaxPoolLayer(Grid(1024, 64, 2, 3, 3))
    assert same(4, 4, 1).positions == (4, 4) and pool(4, 4, 1)[2] == LARGEST


@pytest.mark.parametrize("name", WIRED)
def test_sliding_windows_say_the_same(name):
    """What tools/satisfy.py compares circuits with: numpy's windows, from weights and geometry alone."""
    network = wired(name)
    images = np.stack([picture(seed, network) for seed in range(4)])
    assert plain_digits(network, images).tolist() == network.infer(images).digits.tolist()


def test_circuits_say_in_words_what_they_read():
    circuit = compile_convolution(wired("maximum of a sum"), domain=512).circuit
    assert [circuit.in_words(layer) for layer in (1, 2)] == [
        "4 x 4 x 2 by 2 kernels 3 x 3, padded to 4 x 4 x 2", "4 x 4 x 2 in maxima of 2 x 2, stride 2 to 2 x 2 x 2 of layers 0 + 1",
    ]  # fmt: skip
    beside = compile_convolution(wired("projection with a stride"), domain=512).circuit
    assert beside.in_words(2) == "3 x 3 x 3 by 3 kernels 3 x 3, padded to 3 x 3 x 3, beside layer 0"


def test_sums_reach_as_far_as_their_parts_together():
    network = wired("residual")
    low, high = (sum(getattr(network.activation_intervals[k], end)[0] for k in (0, 1)) for end in ("low", "high"))
    assert (low, high) == (0, sum(min(max(network.intervals[k].high[0], 0) >> 8, 255) for k in (0, 1)))
