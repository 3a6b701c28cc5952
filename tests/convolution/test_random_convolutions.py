"""Random networks of convolutions, pools, residual sums and dense layers, at the edges of strides, padding, channels and groups: the reference, a definition
in loops that shares no code with it, and what the circuit claims are one thing, and nothing near it is claimed; now and then a proof."""

from itertools import product

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
from zkpredict.circuits.networks.wiring import Reading, Wiring
from zkpredict.prover.commit import commit_model
from zkpredict.prover.prove import prove
from zkpredict.tools.satisfy import System
from zkpredict.verifier.errors import VerificationError
from zkpredict.verifier.native import verify

CHANNELS = st.sampled_from([1, 2, 10, 11])
"""Around the ten that a pack holds."""


@st.composite
def grids(draw, height, width, channels):
    """A kernel on such a map: no larger than it, padding from none to one less than the kernel, strides up to the kernel's own size and pools, each also
    by side."""
    pools = [draw(st.sampled_from([1, 1, 2])) if side > 3 else 1 for side in (height, width)]
    sides = [draw(st.integers(1, min(3, side // pool))) for side, pool in zip((height, width), pools, strict=True)]
    pads = [draw(st.sampled_from([0, side - 1])) for side in (*sides, *sides)]
    strides = [draw(st.integers(1, max(sides))) for _ in sides]
    return Grid(height, width, channels, *sides, strides[0], pads[0], pads[1], pools[0], pads[2], pads[3], strides[1], pools[1])


def kernels(source, channels, grid, groups):
    """Random kernels; in `groups`, zero in the channels of others."""
    weights = source.integers(-9, 10, (channels, grid.kernel_height * grid.kernel_width, grid.channels))
    if groups:
        weights *= (np.arange(channels)[:, None] % grid.channels == np.arange(grid.channels))[:, None]
    return weights.reshape(channels, -1)


def one_at_each(grid, channels, source):
    """A kernel of one position, with a stride, that gives a map of `grid`'s positions, where there is one."""
    steps = [-(-side // count) for side, count in zip((grid.height, grid.width), grid.positions, strict=True)]
    found = Grid(grid.height, grid.width, grid.channels, 1, 1, steps[0], stride_across=steps[1])
    return found if found.positions == grid.positions else None


@st.composite
def networks(draw):
    """One or two convolutions on a small picture, in groups or not, perhaps a max pool behind one, perhaps a residual: a sum of two maps of one shape, or
    kernels of one position beside the last one's; then two classes or more."""
    source = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    shape, layers = (draw(st.integers(3, 5)), draw(st.integers(3, 5)), draw(st.sampled_from([1, 3]))), []
    for number in range(draw(st.integers(1, 2))):
        grid, channels = draw(grids(*shape)), draw(CHANNELS)
        if grid.count == 1:
            grid = Grid(*shape, *grid.pooled[:2], pool=grid.pool, pool_across=grid.pool_across)
        beside, wiring = one_at_each(grid, channels, source), Wiring()
        weights = kernels(source, channels, grid, draw(st.booleans()))
        if number and beside and grid.count > 1 and draw(st.booleans()):
            wiring, weights = Wiring(beside=(Reading((len(layers) - 1,), beside),)), np.concatenate([weights, kernels(source, channels, beside, False)], axis=1)
        layers.append(ConvLayer(weights, source.integers(-999, 1000, channels), 8, RELU8, grid, wiring=wiring))
        shape = (*grid.positions, channels)
        if grid.count == 1:  # a kernel as large as its map is a dense layer, and convolutions come before those
            assume(len(layers) > 1)
            break
        if min(shape[:2]) > 1 and draw(st.booleans()):
            strides = draw(st.sampled_from([1, 2])), draw(st.sampled_from([1, 2]))
            pool = Grid(*shape, 2, 2, strides[0], stride_across=strides[1])
            layers.append(MaxPoolLayer(pool))
            shape = (*pool.positions, channels)
    classes, width = draw(st.sampled_from([2, 5, 11])), int(np.prod(shape))
    summed = len(layers) > 1 and layers[-2].outputs == layers[-1].outputs and draw(st.booleans())
    last = DenseLayer(source.integers(-9, 10, (classes, width)), source.integers(-999, 1000, classes), wiring=Wiring((len(layers) - 2, len(layers) - 1) if summed else ()))
    return IntegerNetwork((*layers, last))


def seen(grid, values, position):
    """The sums of pools that a window sees, row by row, channel by channel, as Python ints; 0 outside."""
    (down, across), (high, wide) = (grid.stride, grid.stride_across or grid.stride), (grid.pool, grid.pool_across or grid.pool)
    number = lambda y, x, c: int(values[(y * grid.width + x) * grid.channels + c])  # noqa: E731
    found = []
    for i, j, c in product(range(grid.kernel_height), range(grid.kernel_width), range(grid.channels)):
        y, x = position[0] * down + i - grid.pad_top, position[1] * across + j - grid.pad_left
        inside = 0 <= y < grid.height // high and 0 <= x < grid.width // wide
        found.append(sum(number(y * high + dy, x * wide + dx, c) for dy in range(high) for dx in range(wide)) if inside else 0)
    return found


def by_the_definition(network: IntegerNetwork, image: np.ndarray) -> list[int]:
    """Logits of Python ints, position by position; the largest of each window by its definition."""
    handed = {-1: image.tolist()}
    for number, layer in enumerate(network.layers):
        maps = [[sum(one) for one in zip(*(handed[source] for source in sources), strict=True)] for sources in layer.wiring.all_sources(number)]
        if isinstance(layer, MaxPoolLayer):
            at = [seen(layer.grid, maps[0], position) for position in np.ndindex(*layer.grid.positions)]
            handed[number] = [max(window[c :: layer.grid.channels]) for window in at for c in range(layer.grid.channels)]
            continue
        met = [maps[0]]
        if isinstance(layer, ConvLayer):
            met = [sum((seen(grid, own, position) for grid, own in zip(layer.grids, maps, strict=True)), []) for position in np.ndindex(*layer.grid.positions)]
        z = [sum(w * a for w, a in zip(row, window, strict=True)) + b for window in met for row, b in zip(layer.weights.tolist(), layer.bias.tolist(), strict=True)]
        handed[number] = [min(max(one, 0) >> layer.shift, 255) for one in z]
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
def test_reference_definition_and_circuit_agree(network, seed, blank):
    source = np.random.default_rng(seed)
    image = source.integers(0, 256, network.shape[0], dtype=np.uint8) if blank is None else np.full(network.shape[0], blank, np.uint8)
    logits = by_the_definition(network, image)
    assert network.infer(image[None]).logits[0].tolist() == logits
    assert IntegerNetwork.from_bytes(network.to_bytes()).infer(image[None]).logits[0].tolist() == logits
    model = commit_model(network)
    system = System.of(model)
    digit = logits.index(max(logits))
    assert system.failing(image, digit) == set()
    assert "sum" in system.failing(image, (digit + 1) % len(logits))
    if seed % 8 == 0:
        proof = prove(model, image)
        verify(model.commitment, image, proof)
        with pytest.raises(VerificationError):
            verify(model.commitment, image ^ 1, proof)


def test_a_first_layer_with_one_position_is_called_what_it_is():
    network = IntegerNetwork((
        ConvLayer(np.ones((4, 16), int), np.zeros(4, int), 8, RELU8, Grid(4, 4, 1, 4, 4)), DenseLayer(np.ones((2, 4), int), np.zeros(2, int)),
    ))  # fmt: skip
    reason = "layer 0 has a kernel as large as what it reads, so one position: it is a dense layer, and convolutions, pools and sums behind one have no circuit; "
    with pytest.raises(UnsupportedNetwork, match=f"^{reason}where there are none, write all layers as dense ones$"):
        compile_any(network)
    dense = IntegerNetwork(tuple(layer.as_dense() if isinstance(layer, ConvLayer) else layer for layer in network.layers))
    assert compile_any(dense).network is dense
