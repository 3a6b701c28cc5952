"""Random networks of convolutions, pools and dense layers, at the edges of strides, padding and channels: the reference, its slow dense twin and what
the circuit claims are one thing, and nothing near it is claimed."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from zkpredict.circuits.choice import compile_any
from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.networks.activations import RELU8
from zkpredict.circuits.networks.convolution import ConvLayer, Grid
from zkpredict.circuits.networks.pooling import MaxPoolLayer
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.prover.commit import commit_model
from zkpredict.tools.satisfy import System

CHANNELS = st.sampled_from([1, 2, 10, 11])
"""Around the ten that a pack holds."""


@st.composite
def grids(draw, height, width, channels):
    """A kernel on such a map: no larger than it, padding from none to one less than the kernel, strides up to the kernel's own size."""
    pool = draw(st.sampled_from([1, 1, 2])) if min(height, width) > 3 else 1
    sides = [draw(st.integers(1, min(3, side // pool))) for side in (height, width)]
    pads = [draw(st.sampled_from([0, side - 1])) for side in (*sides, *sides)]
    return Grid(height, width, channels, *sides, draw(st.integers(1, max(sides))), pads[0], pads[1], pool, pads[2], pads[3])


@st.composite
def networks(draw):
    """One or two convolutions on a small picture, perhaps a max pool behind one, then two classes or more."""
    source = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    shape, layers = (draw(st.integers(3, 5)), draw(st.integers(3, 5)), draw(st.sampled_from([1, 3]))), []
    for _ in range(draw(st.integers(1, 2))):
        grid, channels = draw(grids(*shape)), draw(CHANNELS)
        if grid.count == 1:
            grid = Grid(*shape, *grid.pooled[:2], pool=grid.pool)
        weights = source.integers(-9, 10, (channels, grid.taps))
        layers.append(ConvLayer(weights, source.integers(-999, 1000, channels), 8, RELU8, grid))
        shape = (*grid.positions, channels)
        if grid.count == 1:  # a kernel as large as its map is a dense layer, and convolutions come before those
            assume(len(layers) > 1)
            break
        if min(shape[:2]) > 1 and draw(st.booleans()):
            pool = Grid(*shape, 2, 2, draw(st.sampled_from([1, 2])))
            layers.append(MaxPoolLayer(pool))
            shape = (*pool.positions, channels)
    classes, width = draw(st.sampled_from([2, 5, 11])), int(np.prod(shape))
    return IntegerNetwork((*layers, DenseLayer(source.integers(-9, 10, (classes, width)), source.integers(-999, 1000, classes))))


def by_the_twin(network: IntegerNetwork, image: np.ndarray) -> list[int]:
    """Logits of Python ints, by a weight for each pair of numbers; the largest of each window by its definition."""
    values = image.astype(np.int64)
    for layer in network.layers:
        if isinstance(layer, MaxPoolLayer):
            grid = layer.grid
            grown = values.reshape(grid.height, grid.width, grid.channels)
            corners = [(y * grid.stride, x * grid.stride) for y in range(grid.positions[0]) for x in range(grid.positions[1])]
            values = np.concatenate([grown[y : y + 2, x : x + 2].max(axis=(0, 1)) for y, x in corners])
            continue
        whole = layer.as_dense() if isinstance(layer, ConvLayer) else layer
        z = (whole.weights.astype(object) @ values.astype(object) + whole.bias).tolist()
        values = np.array([layer.activation.apply_int(one, layer.shift) for one in z])
    return z


def test_a_kernel_with_one_position_is_written_over_its_whole_map():
    network = IntegerNetwork((
        ConvLayer(np.ones((2, 4), int), np.zeros(2, int), 8, RELU8, Grid(4, 4, 1, 2, 2)),
        ConvLayer(np.ones((2, 8), int), np.zeros(2, int), 0, geometry=Grid(3, 3, 2, 2, 2, 2)),
    ))  # fmt: skip
    reason = "layer 1 has one position, and its kernel of 2 x 2 is not its map of 3 x 3: write it as a kernel of 3 x 3, zero where nothing is read"
    with pytest.raises(UnsupportedNetwork, match=f"^{reason}"):
        compile_any(network)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(network=networks(), seed=st.integers(0, 1 << 32), blank=st.sampled_from([None, 0, 255]))
def test_reference_twin_and_circuit_agree(network, seed, blank):
    source = np.random.default_rng(seed)
    image = source.integers(0, 256, network.shape[0], dtype=np.uint8) if blank is None else np.full(network.shape[0], blank, np.uint8)
    logits = by_the_twin(network, image)
    assert network.infer(image[None]).logits[0].tolist() == logits
    system = System.of(commit_model(network))
    digit = logits.index(max(logits))
    assert system.failing(image, digit) == set()
    assert "sum" in system.failing(image, (digit + 1) % len(logits))
