"""The equations of max pools and residual connections without commitments: they hold for a run, and for nothing else."""

import random

import numpy as np
import pytest
from conv_cases import picture
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wired_cases import LARGEST, PLAIN, WIRED, build, wired

from zkpredict.circuits.convolution.compiler import compile_convolution
from zkpredict.circuits.convolution.layout import correlation
from zkpredict.circuits.convolution.reads import handed_on, own_lanes
from zkpredict.circuits.convolution.weights import LaneWeights
from zkpredict.circuits.debug import UnsatisfiedConstraint, check_trace
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.networks.convolution import Grid
from zkpredict.circuits.networks.pooling import MaxPoolLayer
from zkpredict.circuits.networks.wiring import Reading, Wiring
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.witness import build_trace, complete_trace
from zkpredict.prover.commit import commit_model
from zkpredict.prover.prove import prove
from zkpredict.prover.wide_rows import correlation_column
from zkpredict.verifier.independent_convolution import lane_weights
from zkpredict.verifier.native import verify

ALPHA = 7**50 % MODULUS


def system(name, seed=1):
    """A compiled network, a statement, its trace and the columns of its kernels."""
    network = wired(name, seed)
    compiled, image = compile_convolution(network, domain=512), picture(8, network)
    activations = network.infer(image[None]).activations
    statement = Statement(image.tobytes(), network.predict(image))
    met = {}
    for layer, piece, chunk in compiled.circuit.hidden_convolutions():
        read = network.read_by(layer, activations)[0]
        met[correlation(layer, piece, chunk)] = correlation_column(compiled, layer, piece, read, ALPHA, chunk).to_ints()
    return compiled, statement, build_trace(compiled, statement), met


def moved(compiled, trace, lane, by):
    """The trace with another middle byte in a lane, and all that follows from it."""
    track, row = divmod(lane, compiled.circuit.domain)
    cells = {column: values.copy() for column, values in trace.items()}
    cells[f"mid{track}"][row] = (cells[f"mid{track}"][row] + by) % 256
    return complete_trace(compiled.circuit, cells)


def fails(compiled, statement, trace, met):
    with pytest.raises(UnsatisfiedConstraint, match="^constraint 'sum' fails at row "):
        check_trace(compiled, statement, trace, ALPHA, 11, met)


def test_a_max_pool_holds_and_every_match_matters():
    compiled, statement, trace, met = system("max pool")
    check_trace(compiled, statement, trace, ALPHA, 11, met)
    matches = own_lanes(compiled.circuit, 1).lanes.tolist()
    for lane in (matches[0], matches[40], matches[-1]):  # a first match, one of the second round, a final
        fails(compiled, statement, moved(compiled, trace, lane, 1), met)


def test_a_residual_holds_and_both_layers_matter():
    compiled, statement, trace, met = system("residual")
    check_trace(compiled, statement, trace, ALPHA, 11, met)
    for layer in (0, 1):
        fails(compiled, statement, moved(compiled, trace, int(own_lanes(compiled.circuit, layer).lanes[9]), 1), met)
    for row in (0, 5, 500):  # the bias's entry, a tap, and a row behind them
        wrong = met | {"conv2_0": list(met["conv2_0"])}
        wrong["conv2_0"][row] = (wrong["conv2_0"][row] + 1) % MODULUS
        fails(compiled, statement, trace, wrong)


@pytest.mark.parametrize("name", WIRED)
def test_lane_weights_match_reference(name):
    """c of every lane by numpy, against dictionaries filled tap by tap and match by match."""
    circuit, source = compile_convolution(wired(name), domain=512).circuit, random.Random(name)
    alpha, eta = source.randrange(MODULUS), source.randrange(MODULUS)
    fast, (slow, bias) = LaneWeights(circuit, alpha, eta), lane_weights(circuit, alpha, eta)
    found = {divmod(lane, circuit.domain): value for lane, value in enumerate(fast.values.tolist()) if value}
    assert found == {place: value for place, value in slow.items() if value} and fast.bias == bias


@pytest.mark.parametrize("name", WIRED)
def test_what_is_handed_on_is_the_sum_of_its_lanes(name):
    """Activations of lanes, added up as the circuit says, are what the reference hands on."""
    network = wired(name)
    circuit, image = compile_convolution(network, domain=512).circuit, picture(2, network)
    found, by_lane = network.infer(image[None]), {}
    for layer in range(circuit.layers - 1):
        z, own = found.pre_activations[layer][0], own_lanes(circuit, layer)
        values = network.layers[layer].activation.apply(z, network.layers[layer].shift)
        by_lane |= dict(zip(own.lanes.tolist(), values[own.numbers].tolist(), strict=True))
        lanes, total = handed_on(circuit, layer), np.zeros(circuit.widths[layer + 1], np.int64)
        np.add.at(total, lanes.numbers, [by_lane[lane] for lane in lanes.lanes.tolist()])
        assert (total == found.activations[layer][0]).all()


@st.composite
def random_parts(draw):
    """A convolution, then a max pool or a residual, with geometries at their edges, then two classes or three."""
    side, channels = draw(st.integers(4, 7)), draw(st.sampled_from([1, 2, 9, 10, 11]))
    kernel, stride = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    pads = [draw(st.integers(0, kernel - 1)) for _ in range(4)]
    first = Grid(side, side, draw(st.integers(1, 2)), kernel, kernel, stride, *pads[:2], 1, *pads[2:])
    height, width = first.positions
    parts = [(first, channels, PLAIN)]
    if draw(st.booleans()) and min(height, width) > 1:
        size = draw(st.integers(2, min(3, height, width)))
        pads = [draw(st.integers(0, size - 1)) for _ in range(4)]
        windows = Grid(height, width, channels, size, size, draw(st.integers(1, 3)), *pads[:2], 1, *pads[2:])
        parts.append((windows, channels, LARGEST))
        height, width = windows.positions
    else:
        parts.append((Grid(height, width, channels, 1, 1), channels, PLAIN))
        beside = Reading((0,), Grid(height, width, channels, 1, 1))
        wiring = draw(st.sampled_from([Wiring((0, 1)), Wiring(beside=(beside,)), Wiring((0, 1), (beside,))]))
        parts.append((Grid(height, width, channels, 1, 1), 3, wiring))
        channels = 3
    return [*parts, (Grid(height, width, channels, height, width), draw(st.integers(2, 3)), PLAIN)]


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(random_parts(), st.integers(0, 99))
def test_random_geometries_are_proven(parts, seed):
    network = build(seed, parts)
    model, image = commit_model(network, 512), picture(seed, network)
    verify(model.commitment, image, prove(model, image))
    assert any(isinstance(layer, MaxPoolLayer) or not layer.wiring.plain for layer in network.layers)
