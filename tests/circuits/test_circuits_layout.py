"""Where things lie: no two groups share a row, no two equations share a power of alpha, and every number is in the digest."""

import pytest
from Crypto.Hash import keccak
from hypothesis import assume, given
from hypothesis import strategies as st
from support import refuses

from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork
from zkpredict.circuits.layout import (
    ACTIVATION_ROW,
    BIAS_ROWS,
    BLINDING_ROW,
    DOMAINS,
    LANE_ROWS,
    NARROW,
    PACK_LANES,
    PACK_ROWS,
    READOUT_ROW,
    SIGN_ROW,
    WIDE,
    Circuit,
    Group,
)

MNIST = Circuit((784, 64, 10), (NARROW, WIDE), 1024)


@st.composite
def circuits(draw) -> Circuit:
    """Any circuit that fits, from one layer to six."""
    domain = draw(st.sampled_from(DOMAINS))
    layers = draw(st.integers(1, 6))
    inputs = draw(st.integers(1, domain - 2))
    hidden = draw(st.lists(st.integers(1, 120 // layers), min_size=layers - 1, max_size=layers - 1))
    lanes = draw(st.lists(st.sampled_from([NARROW, WIDE]), min_size=layers - 1, max_size=layers - 1))
    try:
        return Circuit((inputs, *hidden, draw(st.integers(1, 20))), (*lanes, WIDE), domain)
    except UnsupportedNetwork:
        assume(False)


def read(data: bytes) -> Circuit:
    reader = ByteReader(data, "circuit")
    found = Circuit.read(reader)
    reader.finish()
    return found


# Rows


@given(circuits())
def test_groups_are_disjoint_and_inside_the_domain(circuit):
    assert [group.outputs for group in circuit.groups] == [*circuit.widths[1:], circuit.classes]
    assert [group.lanes for group in circuit.groups] == [*circuit.lanes, WIDE]
    taken = [group.pack_row(pack) for group in circuit.groups for pack in range(group.slots)]
    assert len(set(taken)) == len(taken)
    assert all(row % PACK_ROWS == 0 and 0 <= row <= circuit.domain - PACK_ROWS for row in taken)


@given(circuits())
def test_a_group_is_a_residue_class_so_that_its_selector_is_periodic(circuit):
    for group in circuit.groups:
        assert group.slots * group.stride * PACK_ROWS == circuit.domain
        least = 3 if circuit.domain == 2048 and group in circuit.layer_groups[:-1] else 1
        assert group.slots & (group.slots - 1) == 0
        assert max(group.packs, least) <= group.slots < 2 * max(group.packs, least)
        assert 0 <= group.residue < group.stride


@given(circuits())
def test_every_value_has_rows_of_its_own_below_the_readout(circuit):
    starts = []
    for group in circuit.groups:
        for index in range(group.outputs):
            start = group.value_row(index)
            starts += [start + lane * LANE_ROWS for lane in range(group.lanes)]
            assert start % PACK_ROWS + group.lanes * LANE_ROWS <= READOUT_ROW
    assert len(set(starts)) == len(starts)
    assert all(0 <= start < circuit.domain and start % LANE_ROWS == 0 for start in starts)


@given(circuits())
def test_shifts_and_offsets_match_reference(circuit):
    for group in circuit.groups:
        for pack in range(group.packs):
            first = pack * group.values_per_pack
            used = range(first, min(first + group.values_per_pack, group.outputs))
            # a pack read as a number in base 2^bits, the first value on top
            number = 0
            for index in range(first, first + group.values_per_pack):
                number = (number << group.value_bits) + (1 << (group.value_bits - 1) if index in used else 0)
            assert group.offset(pack) == number
            assert [group.value_shift(index) for index in used] == [
                group.value_bits * (group.values_per_pack - 1 - position) for position in range(len(used))
            ]


@given(circuits())
def test_pinned_rows_are_exactly_the_unused_slots_of_hidden_layers(circuit):
    used = {group.value_row(index) // PACK_ROWS for group in circuit.groups for index in range(group.outputs)}
    unused = {
        group.residue + slot * group.stride for group in circuit.layer_groups[:-1] for slot in range(group.slots)
    } - used
    assert sorted(circuit.pinned_rows) == sorted(slot * PACK_ROWS + READOUT_ROW for slot in unused)
    assert len(set(circuit.pinned_rows)) == len(circuit.pinned_rows)


# Rows of weights and equations


@given(circuits())
def test_every_pack_has_a_place_in_a_committed_row_and_an_equation_of_its_own(circuit):
    equations = []
    for layer, group in enumerate(circuit.layer_groups):
        shared = circuit.packs_per_row(layer)
        assert (circuit.row_count(layer) - 1) * shared < group.packs <= circuit.row_count(layer) * shared
        equations += [circuit.first_equation(layer) + pack for pack in range(circuit.row_count(layer) * shared)]
    equations += [circuit.first_equation(circuit.layers) + index for index in range(circuit.classes)]
    equations += [(circuit.first_equation(circuit.layers) + circuit.classes) + number for number in range(len(circuit.pinned_rows))]
    assert equations == list(range(len(equations)))
    assert circuit.total_rows == sum(circuit.row_count(layer) for layer in range(circuit.layers))


@given(circuits())
def test_input_rows_leave_the_last_coefficient_to_the_secret(circuit):
    packs = circuit.input_packs_per_row
    assert 1 <= packs <= circuit.layer_groups[0].packs
    assert packs * (circuit.inputs + 1) <= circuit.domain - 1
    assert packs == circuit.layer_groups[0].packs or (packs + 1) * (circuit.inputs + 1) > circuit.domain - 1


def test_rows_read_by_weights_biases_and_the_secret_never_meet():
    read_rows = {lane * LANE_ROWS + ACTIVATION_ROW for lane in range(PACK_LANES)}
    second_reads = {row - 1 for row in read_rows}
    assert second_reads == {lane * LANE_ROWS + SIGN_ROW for lane in range(PACK_LANES)}
    parts = [read_rows, second_reads, set(BIAS_ROWS), {BLINDING_ROW}]
    assert sum(map(len, parts)) == len(set().union(*parts))
    assert all(row % LANE_ROWS == 3 for row in (*BIAS_ROWS, BLINDING_ROW))


def test_mnist_layout_is_the_documented_one():
    hidden, logits, differences = MNIST.groups
    assert hidden == Group(64, NARROW, slots=8, residue=0, stride=2)
    assert logits == Group(10, WIDE, slots=2, residue=1, stride=8)
    assert differences == Group(10, WIDE, slots=2, residue=5, stride=8)
    assert (hidden.packs, MNIST.total_rows, MNIST.pinned_rows) == (7, 8, (14 * PACK_ROWS + READOUT_ROW,))


# What a circuit refuses


@pytest.mark.parametrize(
    ("widths", "lanes", "domain", "message"),
    [
        ((784, 10), (2,), 512, "domain must be one of (1024, 2048), got 512"),
        ((784, 10), (2,), 4096, "domain must be one of (1024, 2048), got 4096"),
        ((784,), (), 1024, "0 lane widths do not match 1 layer widths"),
        ((1,) * 18, (2,) * 17, 2048, "17 lane widths do not match 18 layer widths"),
        ((784, 10), (1, 2), 1024, "2 lane widths do not match 2 layer widths"),
        ((784, 0), (2,), 1024, "layer widths must be in 1..65536, got (784, 0)"),
        ((784, 65537), (2,), 1024, "layer widths must be in 1..65536, got (784, 65537)"),
        ((784, 64, 10), (3, 2), 1024, "lane widths must be 1 or 2, got (3, 2)"),
        ((784, 64, 10), (0, 2), 1024, "lane widths must be 1 or 2, got (0, 2)"),
        ((784, 64, 10), (1, 1), 1024, "logits need wide lanes"),
        ((1023, 10), (2,), 1024, "1023 inputs do not fit a domain of 1024 rows"),
        ((2047, 10), (2,), 2048, "2047 inputs do not fit a domain of 2048 rows"),
        ((784, 81, 10), (1, 2), 1024, "network 784-81-10 needs 20 packs of rows, a domain of 1024 rows has 16"),
        ((784, 161, 10), (1, 2), 2048, "network 784-161-10 needs 36 packs of rows, a domain of 2048 rows has 32"),
        (
            (1,) * 17, (2,) * 16, 1024,
            f"network {'-'.join('1' * 17)} needs 17 packs of rows, a domain of 1024 rows has 16",
        ),
        ((1,) * 10, (2,) * 9, 2048, "network 1-1-1-1-1-1-1-1-1-1 needs 34 packs of rows, a domain of 2048 rows has 32"),
        ((10, 65536, 10), (1, 2), 2048, "network 10-65536-10 needs 8196 packs of rows, a domain of 2048 rows has 32"),
    ],
)
def test_circuit_refuses(widths, lanes, domain, message):
    with refuses(UnsupportedNetwork, message):
        Circuit(widths, lanes, domain)


@pytest.mark.parametrize(
    ("widths", "lanes", "domain"),
    [
        ((1022, 10), (2,), 1024),
        ((2046, 10), (2,), 2048),
        ((784, 80, 10), (1, 2), 1024),
        ((784, 160, 10), (1, 2), 2048),
        ((1,) * 16, (2,) * 15, 1024),
        ((1,) * 9, (2,) * 8, 2048),
    ],
)
def test_circuit_takes_the_largest_sizes(widths, lanes, domain):
    assert Circuit(widths, lanes, domain).layers == len(lanes)


# Bytes and digest


@given(circuits())
def test_bytes_round_trip(circuit):
    assert read(circuit.to_bytes()) == circuit


@given(circuits(), circuits())
def test_digests_differ_where_circuits_differ(first, second):
    assert (first == second) == (first.digest == second.digest)


def test_digest_is_the_hash_of_label_and_bytes():
    assert MNIST.to_bytes().hex() == "7a6b7043010004021003000040000000" + "0a000000" + "0102"
    data = b"zkpredict circuit v1" + MNIST.to_bytes()
    assert MNIST.digest == keccak.new(digest_bits=256, data=data).digest()


@pytest.mark.parametrize(
    "other",
    [
        Circuit((784, 64, 10), (NARROW, WIDE), 2048),
        Circuit((783, 64, 10), (NARROW, WIDE), 1024),
        Circuit((784, 63, 10), (NARROW, WIDE), 1024),
        Circuit((784, 64, 9), (NARROW, WIDE), 1024),
        Circuit((784, 40, 10), (WIDE, WIDE), 1024),
        Circuit((784, 40, 10), (NARROW, WIDE), 1024),
        Circuit((784, 10), (WIDE,), 1024),
    ],
)
def test_digest_changes_with_each_number(other):
    same = Circuit(MNIST.widths, MNIST.lanes, MNIST.domain)
    assert same.digest == MNIST.digest
    assert other.digest != MNIST.digest


DATA = MNIST.to_bytes()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"zkpX" + DATA[4:], r"circuit magic is b'zkpX\x01', expected b'zkpC\x01'"),
        (DATA[:5] + b"\x01\x04" + DATA[7:], "domain must be one of (1024, 2048), got 1025"),
        (DATA[:7] + b"\x00" + DATA[8:], "layer count is 0, expected 1 to 16"),
        (DATA[:7] + b"\x11" + DATA[8:], "layer count is 17, expected 1 to 16"),
        (DATA[:8] + bytes(4) + DATA[12:], "layer widths must be in 1..65536, got (0, 64, 10)"),
        (DATA[:12] + b"\xff\xff\xff\xff" + DATA[16:], "layer widths must be in 1..65536, got (784, 4294967295, 10)"),
        (DATA[:20] + b"\x03\x02", "lane widths must be 1 or 2, got (3, 2)"),
        (DATA[:20] + b"\x01\x01", "logits need wide lanes"),
        (DATA[:-1], "lane widths needs 2 bytes at offset 20, 1 are left"),
        (DATA[:15], "width 1 needs 4 bytes at offset 12, 3 are left"),
        (DATA + b"\x00", "1 bytes trail after the end at offset 22"),
    ],
)
def test_bytes_refuse(data, message):
    assert read(DATA) == MNIST
    with refuses(MalformedFile, f"circuit: {message}"):
        read(data)
