"""What docs/batches.md says and its arguments lean on, checked: exponents that never meet, degrees, bounds, names, bytes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from batch_cases import CASES, SLOTTED, model_of
from hypothesis import given, settings
from hypothesis import strategies as st
from support import refuses

from zkpredict.circuits.batch.layout import MAX_BATCH_TRACKS, BatchCircuit
from zkpredict.circuits.batch.statement import BatchStatement
from zkpredict.circuits.constraints import constraints
from zkpredict.circuits.degrees import quotient_length
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.keccak import keccak256
from zkpredict.circuits.networks.activations import RELU, RELU8, RationalRelu
from zkpredict.circuits.placement import form, read_circuit
from zkpredict.circuits.wide.claims import Claim, Kind
from zkpredict.circuits.wide.geometry import allocate_slots, slots_for
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.verifier.independent_batch import image_exponents
from zkpredict.verifier.score import TestSet, part_context
from zkpredict.verifier.transcript import Transcript

DOC = (Path(__file__).parents[2] / "docs" / "batches.md").read_text()


@st.composite
def batches(draw):
    """A circuit with slots where there is room, and a number of inputs that fills some stacks."""
    hidden = draw(st.lists(st.integers(1, draw(st.sampled_from([5, 60, 700]))), max_size=3))
    lanes = tuple(draw(st.sampled_from([1, 2])) for _ in hidden)
    widths = (draw(st.integers(1, draw(st.sampled_from([9, 700])))), *hidden, draw(st.integers(2, 30)))
    found = WideCircuit(widths, lanes, (RELU8,) * len(hidden), draw(st.sampled_from([512, 1024, 2048])))
    try:
        found = replace(found, slotted=draw(st.booleans()))
    except UnsupportedNetwork:
        pass  # it fills more than half of a track: as it is
    most = BatchCircuit.of(found, 1).most_images
    return BatchCircuit.of(found, draw(st.integers(1, min(most, 3 * found.slots))))


@settings(max_examples=40)
@given(batches())
def test_no_two_inputs_have_a_power_of_alpha_in_common(circuit):
    """Section 4, for packs and for all places of rows of layer 0, filled or not; and D and E_b are those counted one by one."""
    model = circuit.model
    packs = {exponent for band in circuit.bands for exponent in band.exponents()}
    reach = {
        exponent + step * place
        for number, step in enumerate(model.input_steps)
        for column in model.row_columns
        if column.name.startswith(f"rows0_{number}_")
        for exponent in column.exponents
        for place in range(model.packs_per_row)
    }
    taken: dict[int, int] = {}
    for image, shift in enumerate(image_exponents(circuit)):
        assert image >= circuit.images or circuit.image_exponent(image) == shift
        assert all(taken.setdefault(exponent + shift, image) == image for exponent in packs | reach)
    assert max(packs | reach) < circuit.stack_exponent and max(taken) < 1 << 26


def test_lanes_of_different_inputs_lie_apart():
    for case in CASES:
        circuit = BatchCircuit.of(model_of(case).commitment.circuit, case.images)
        own = [place for band in circuit.bands for place in band.pack_places()]
        places = [
            (circuit.track(stack, track), row + 32 * slot)
            for stack in range(circuit.stacks)
            for slot in range(circuit.slots)
            for track, row in own
        ]
        assert len(set(places)) == len(places) == circuit.places * len(own) and max(track for track, _ in places) < circuit.tracks
        assert all(row // 32 % circuit.slots == 0 for _, row in own)


def test_the_largest_exponent_and_the_counts():
    """The bits of section 4, at the largest batch: 256 tracks, one input byte, every column that a track can have."""
    widest = BatchCircuit.of(WideCircuit((1, 12, 9, 3), (1, 1), (RELU8, RationalRelu(4096)), 2048), MAX_BATCH_TRACKS)
    assert (widest.tracks, widest.packs_per_row) == (256, 1023)
    steep = 192
    assert 3 * 64 * 256 + 256 * 1022 * steep + 192 < 1 << 26 and (1 << 26) * 1.36 / MODULUS < 2**-228
    assert max(widest.input_steps) <= steep
    found, shape = constraints(widest), form(widest)
    assert len(found) < 1 << 12 and len(shape.claims) < 1 << 12 and 4096 * 1.36 / MODULUS < 2**-242
    assert 256 * 2048 * 9 < 1 << 23 and (1 << 23) * 1.36 / MODULUS < 2**-231
    assert 256 * ((1 << 24) - 1) < MODULUS
    for bits in ("alpha 2^-228", "beta and gamma 2^-231", "delta 2^-242", "nu 2^-242"):
        assert bits in DOC


def test_a_batch_makes_no_quotient_longer():
    for case in CASES:
        circuit = BatchCircuit.of(model_of(case).commitment.circuit, case.images)
        assert quotient_length(circuit) == quotient_length(circuit.model) and circuit.quotient_pieces == circuit.model.quotient_pieces


def test_constraints_have_their_names_in_the_page():
    names = {one.name for one in constraints(BatchCircuit.of(model_of(SLOTTED).commitment.circuit, SLOTTED.images))}
    single = {one.name for one in constraints(model_of(SLOTTED).commitment.circuit)}
    new = {name for name in names - single if "track" not in name and not name.startswith("lookup")}
    assert new == {"claimed classes differ from themselves by 0", "mask is zero"} and all(f"`{name}`" in DOC for name in new)
    for case in (CASES[3], CASES[4]):  # one slot; no later layer
        circuit = BatchCircuit.of(model_of(case).commitment.circuit, case.images)
        assert form(circuit).rotations == (0, 1) and "mask" not in form(circuit).points


def test_hashes_are_what_the_page_says():
    said = BatchStatement.of(bytes(range(8)), (1, 259), bytes(32))
    assert said.absorbed() == bytes([0, 0, 0, 2, 0, 1, 1, 3, *range(8)]) + bytes(32) and said.size == 4
    digest, model_id = bytes(32), bytes([7]) * 32
    label = keccak256(b"zkpredict batch v1" + digest)
    assert Transcript(digest, model_id, said).state == keccak256(label + model_id + said.absorbed())
    tests = TestSet(bytes(range(8)), (1, 2), 4, 3)
    set_id = keccak256(b"zkpredict test set v1" + bytes([0, 0, 0, 2, 0, 0, 0, 4, 0, 1, 0, 2, *range(8)]))
    assert tests.set_id == set_id and tests.context(1, 3) == part_context(set_id, 1, 3)
    assert part_context(set_id, 1, 3) == keccak256(b"zkpredict score v1" + set_id + bytes([0, 0, 0, 3, 0, 0, 0, 1]))
    for text in ('"zkpredict batch v1"', '"zkpredict test set v1"', '"zkpredict score v1"', '"zkpB" 01', '"zkpR" 01'):
        assert text in DOC


# slots in a circuit's bytes


def test_slots_are_a_bit_of_the_claim():
    plain = WideCircuit((12, 30, 3), (1,), (RELU,), 512)
    slotted = replace(plain, slotted=True)
    assert (plain.slots, slotted.slots) == (1, 8) and plain.digest != slotted.digest
    assert [at for at, (one, two) in enumerate(zip(plain.to_bytes(), slotted.to_bytes())) if one != two] == [7]
    assert slotted.to_bytes()[7] == plain.to_bytes()[7] | 64
    for circuit in (plain, slotted):
        assert read_circuit(ByteReader(circuit.to_bytes(), "circuit")) == circuit
    batch = BatchCircuit.of(slotted, 11)
    assert batch.to_bytes() == slotted.to_bytes() and batch.digest == slotted.digest and batch != slotted and batch.model == slotted


def test_circuits_that_have_no_slots_are_refused_by_name():
    full = WideCircuit((12, 300, 3), (1,), (RELU,), 512)
    why = "the network fills more than half of a track of 512 rows, which leaves no slots"
    with refuses(UnsupportedNetwork, why):
        replace(full, slotted=True)
    data = bytearray(full.to_bytes())
    data[7] |= 64
    with refuses(MalformedFile, f"circuit: {why}"):
        read_circuit(ByteReader(bytes(data), "circuit"))
    with refuses(UnsupportedNetwork, "a circuit that claims margin 3 has no slots: batches claim the class of public inputs"):
        WideCircuit((12, 30, 3), (1,), (RELU,), 512, Claim(Kind.MARGIN, 3), slotted=True)
    with refuses(UnsupportedNetwork, "a circuit with a private input has no slots: batches claim the class of public inputs"):
        WideCircuit((12, 30, 3), (1,), (RELU,), 512, private_input=True, slotted=True)


@pytest.mark.parametrize("blocks, slots", [([1], 16), ([1, 1], 8), ([3, 1], 4), ([2, 3], 2), ([5, 4], 1), ([16], 1), ([17], 1)])
def test_slots_are_as_many_as_fit(blocks, slots):
    assert slots_for(blocks, 16) == slots
    pieces, _ = allocate_slots(blocks, 16, slots)
    assert all(piece.residue % slots == 0 and piece.stride % slots == 0 for own in pieces for piece in own)
