"""From a network to a circuit: bounds to the last unit, lane and domain choice, packed rows against plain sums."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import random_image, random_network, refuses, said, worst_images

from zkpredict.circuits.compiler import CompiledNetwork, compile_network
from zkpredict.circuits.gadgets.relu import lane_shift
from zkpredict.circuits.debug import check_trace
from zkpredict.circuits.errors import UnsupportedNetwork, bits
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.layout import ACTIVATION_ROW, BIAS_ROWS, BLINDING_ROW, NARROW, WIDE
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.witness import build_trace


def reaching(bound: int, shift: int, sign: int = 1) -> IntegerNetwork:
    """A 2-3-2 network whose hidden row 1 reaches exactly `sign * bound` on the image (255, 255), and no other row more."""
    weights = np.array([[1, 0], [sign * (bound // 510), sign * (bound // 510)], [0, -1]])
    bias = np.array([0, sign * (bound % 510), 3])
    return IntegerNetwork((DenseLayer(weights, bias, shift), DenseLayer(np.array([[1, 2, 3], [-1, 5, 0]]), np.array([1, -1]))))


# Bounds and lanes


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("shift", "lanes"), [(0, NARROW), (1, NARROW), (7, NARROW), (8, NARROW), (9, WIDE), (20, WIDE), (32, WIDE)]
)
def test_a_row_at_the_bound_is_taken_and_satisfied_and_one_beyond_is_refused(shift, lanes, sign):
    bound = (1 << (15 + shift)) - 1
    net = reaching(bound, shift, sign)
    assert net.intervals[0].magnitude == bound
    compiled = compile_network(net)
    assert compiled.circuit.lanes == (lanes, WIDE) and compiled.scales == (lane_shift(lanes) - shift, 0)
    image = np.full(2, 255, np.uint8)
    assert net.infer(image[None, :]).pre_activations[0][0, 1] == sign * bound
    digit = net.predict(image)
    check_trace(compiled, said(image.tobytes(), digit), build_trace(compiled, said(image, digit)), 1 << 130, 1 << 131)
    limit = f"the limit is {bound} at shift {shift}" if shift else f"the limit is {bound}"
    with refuses(UnsupportedNetwork, f"layer 0 row 1 reaches up to {bits(bound + 1)} on some input, {limit}"):
        compile_network(reaching(bound + 1, shift, sign))


def test_a_shift_beyond_the_wide_lane_is_refused_even_for_small_values():
    assert lane_shift(NARROW) == 8 and lane_shift(WIDE) == 32
    with refuses(UnsupportedNetwork, "layer 0 shifts by more than the 32 bits of a wide lane"):
        compile_network(reaching(5, 33))


@pytest.mark.parametrize("sign", [1, -1])
def test_logits_at_the_bound_are_taken_and_one_beyond_is_refused(sign):
    bound = (1 << 46) - 1

    def logits(reach: int) -> IntegerNetwork:
        # the other class goes as far the other way, so the difference is the largest there is
        return IntegerNetwork((DenseLayer(np.array([[0], [sign], [-sign]]), sign * np.array([0, reach - 255, 255 - reach])),))

    net = logits(bound)
    assert net.intervals[0].magnitude == bound
    compiled = compile_network(net)
    for image in worst_images(net, 1):
        digit = net.predict(image)
        check_trace(compiled, said(image.tobytes(), digit), build_trace(compiled, said(image, digit)), 1 << 130, 1 << 131)
    with refuses(UnsupportedNetwork, f"layer 0 row 1 reaches up to {bits(bound + 1)} on some input, the limit is {bound}"):
        compile_network(logits(bound + 1))


def test_refusal_names_the_layer_and_row_behind_the_first():
    hidden = DenseLayer(np.array([[127]]), np.array([0]), 0)
    good = DenseLayer(np.array([[1], [1]]), np.array([0, 383]), 0)
    last = DenseLayer(np.array([[1, 1]]), np.array([0]))
    assert IntegerNetwork((hidden, good, last)).intervals[1].high == (32385, 32768)
    with refuses(UnsupportedNetwork, "layer 1 row 1 reaches up to 2^15 on some input, the limit is 32767"):
        compile_network(IntegerNetwork((hidden, good, last)))
    fitting = DenseLayer(good.weights, good.bias - 1, 0)
    assert compile_network(IntegerNetwork((hidden, fitting, last))).circuit.lanes == (NARROW, NARROW, WIDE)


# Domains


@pytest.mark.parametrize(
    ("shape", "domain"),
    [
        ((784, 64, 10), 1024),
        ((784, 80, 10), 1024),
        ((784, 81, 10), 2048),
        ((784, 160, 10), 2048),
        ((1022, 3), 1024),
        ((1023, 3), 2048),
    ],
)
def test_the_smallest_domain_that_fits_is_chosen(shape, domain):
    net = random_network(1, shape, largest=1)
    compiled = compile_network(net)
    assert compiled.circuit.domain == domain
    assert compile_network(net, 2048).circuit.domain == 2048


@pytest.mark.parametrize(
    ("shape", "domain", "message"),
    [
        ((784, 161, 10), None, "network 784-161-10 needs 36 packs of rows, a domain of 2048 rows has 32"),
        ((784, 81, 10), 1024, "network 784-81-10 needs 20 packs of rows, a domain of 1024 rows has 16"),
        ((2047, 3), None, "2047 inputs do not fit a domain of 2048 rows"),
        ((1023, 3), 1024, "1023 inputs do not fit a domain of 1024 rows"),
        ((5, 3), 512, "domain must be one of (1024, 2048), got 512"),
    ],
)
def test_sizes_that_fit_no_domain_are_refused_by_name(shape, domain, message):
    with refuses(UnsupportedNetwork, message):
        compile_network(random_network(1, shape, largest=1), domain)


def test_sixteen_layers_are_refused_by_size_and_fourteen_hidden_ones_fit():
    unit = DenseLayer(np.array([[1]]), np.array([0]))
    assert compile_network(IntegerNetwork((unit,) * 15)).circuit.domain == 1024
    with refuses(UnsupportedNetwork, f"network {'-'.join('1' * 17)} needs 62 packs of rows, a domain of 2048 rows has 32"):
        compile_network(IntegerNetwork((unit,) * 16))


# Packed rows


def row_sum(compiled: CompiledNetwork, layer: int, pack: int, values: list[int]) -> int:
    """What the committed row says of `pack` for the layer's inputs `values`: bias entry plus entries times inputs, signed."""
    circuit = compiled.circuit
    number, place = divmod(pack, circuit.packs_per_row(layer))
    row = compiled.rows[layer][number]
    if layer == 0:
        entries = row[place * (circuit.inputs + 1) : (place + 1) * (circuit.inputs + 1)]
    else:
        before = circuit.layer_groups[layer - 1]
        cells = [before.value_row(j) + ACTIVATION_ROW - place for j in range(before.outputs)]
        entries = [row[BIAS_ROWS[place]], *(row[cell] for cell in cells)]
    total = sum(entry * value for entry, value in zip(entries, [1, *values])) % MODULUS
    return total if total < MODULUS // 2 else total - MODULUS


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.lists(st.integers(1, 25), min_size=2, max_size=4).map(tuple), st.sampled_from([1024, 2048]))
def test_packed_rows_match_reference(seed, shape, domain):
    compiled = compile_network(random_network(seed, shape), domain)
    inference = compiled.network.infer(random_image(seed, shape[0])[None, :])
    inputs = [random_image(seed, shape[0]).tolist(), *(a[0].tolist() for a in inference.activations)]
    for layer, group in enumerate(compiled.circuit.layer_groups):
        z = inference.pre_activations[layer][0].tolist()
        for pack in range(group.packs):
            used = range(pack * group.values_per_pack, min((pack + 1) * group.values_per_pack, group.outputs))
            wanted = sum(z[index] << (group.value_shift(index) + compiled.scales[layer]) for index in used)
            assert row_sum(compiled, layer, pack, inputs[layer]) == wanted


@pytest.mark.parametrize(("shape", "domain"), [((784, 64, 10), 1024), ((100, 20, 3), 2048), ((40, 30, 20, 5), 1024)])
def test_rows_hold_nothing_but_weights_and_leave_the_secret_s_place_empty(shape, domain):
    compiled = compile_network(random_network(2, shape), domain)
    circuit = compiled.circuit
    assert [len(rows) for rows in compiled.rows] == [circuit.row_count(layer) for layer in range(circuit.layers)]
    for layer, rows in enumerate(compiled.rows):
        position = compiled.blinding_position(layer)
        assert position == (domain - 1 if layer == 0 else BLINDING_ROW)
        assert all(len(row) == domain and row[position] == 0 for row in rows)
        entries = compiled.network.layers[layer].inputs + 1
        packs = circuit.layer_groups[layer].packs
        assert 0 < sum(1 for row in rows for value in row if value) <= entries * packs
        assert all(0 <= value < MODULUS for row in rows for value in row)
