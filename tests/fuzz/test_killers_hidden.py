"""What statements about hidden inputs must be, by stored ones (make_hidden_vectors.py): the killers of the mutants of
`circuits.wide.private` and `verifier.hidden` (`zkpredict.tools.mutation`)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from support import refuses

from zkpredict.circuits.constraints import constraints, evaluate_publics
from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.networks.activations import RELU8
from zkpredict.circuits.networks.dense import MAX_WIDTH
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.circuits.wide.private import PrivateInput
from zkpredict.kernel import G1
from zkpredict.prover.hiding import OpenedInput
from zkpredict.verifier import independent
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import FailedOpening, WrongStatement
from zkpredict.verifier.hidden import MAX_BYTES, HiddenInput, parts_of
from zkpredict.verifier.native import parse_proof, statement_for, verify

STORED = json.loads((Path(__file__).parent / "hidden_vectors.json").read_text(encoding="utf-8"))
ALPHA, POINT, CONTEXT = 3**140 % (1 << 250), 5**90 % (1 << 240), bytes(range(32))
MISMATCH = "the opening does not match: the claim is false, or the proof was made for another statement"
stored = pytest.mark.parametrize("name", STORED)


def data(name: str, part: str) -> bytes:
    return bytes.fromhex(STORED[name][part])


def commitment_of(name: str) -> ModelCommitment:
    return ModelCommitment.from_bytes(data(name, "commitment"), G1.from_compressed)


def hidden_of(name: str) -> HiddenInput:
    return HiddenInput.from_bytes(data(name, "hidden"), G1.from_compressed)


@stored
def test_stored_proofs_are_accepted_and_others_refused(name):
    commitment, hidden = commitment_of(name), hidden_of(name)
    proof = parse_proof(data(name, "proof"), commitment)
    verify(commitment, hidden, proof, CONTEXT)
    assert proof.digit == STORED[name]["digit"]
    other = replace(hidden, points=[point + G1.generator() for point in hidden.points])
    for wrong, context in ((hidden, b""), (hidden, bytes(32)), (other, CONTEXT), (replace(hidden, points=hidden.points[::-1]), CONTEXT)):
        if (wrong, context) != (hidden, CONTEXT):
            with refuses(FailedOpening, MISMATCH):
                verify(commitment, wrong, proof, context)


@stored
def test_statements_constraints_and_publics_are_what_they_were(name):
    case, circuit = STORED[name], commitment_of(name).circuit
    statement = statement_for(circuit, hidden_of(name), case["digit"], (), CONTEXT)
    assert statement.absorbed().hex() == case["absorbed"]
    assert [one.name for one in constraints(circuit)] == case["constraints"]
    assert {column.name: list(column.exponents) for column in circuit.row_columns} == case["rows"]
    assert {key: hex(value) for key, value in evaluate_publics(circuit, statement, ALPHA, POINT).items()} == case["publics"]
    ints = HiddenInput.from_bytes(data(name, "hidden"), independent.decode_point)
    found = independent.public_values(circuit, ints, case["digit"], ALPHA, POINT)
    assert {key: hex(value) for key, value in found.items()} == case["publics"]


@stored
def test_the_gadget_lays_the_input_out(name):
    circuit, opened = commitment_of(name).circuit, OpenedInput.from_bytes(data(name, "opening"))
    gadget, size = PrivateInput(circuit), circuit.domain - 2
    cells = {f"input{part}": [7] * circuit.domain for part in gadget.parts}
    gadget.fill(cells, type("Run", (), {"input": list(opened.data)}))
    for part, values in enumerate(cells.values()):
        own = list(opened.data[part * size : (part + 1) * size])
        assert values[: len(own)] == own and values[len(own) :] == [7] * (circuit.domain - len(own))
    assert len(cells) == len(opened.hidden.points)


def test_hidden_inputs_are_as_long_as_their_input_says():
    for domain in (512, 1024, 2048):
        assert [parts_of(inputs, domain) for inputs in (1, domain - 2, domain - 1, 2 * domain - 4, 2 * domain - 3)] == [1, 1, 2, 2, 3]
    one, two = hidden_of("one part"), hidden_of("two parts")
    assert (one.domain, one.inputs, two.domain, two.inputs) == (512, 9, 512, 600)
    assert one.to_bytes()[:11] == b"zkpH\x01\x00\x02\x09\x00\x00\x00" and len(two.to_bytes()) == 11 + 2 * 48
    for domain, inputs in ((256, 9), (512, 0), (512, MAX_WIDTH + 1), (4096, 9)):
        with refuses(MalformedFile, f"hidden input: {inputs} bytes on {domain} rows, expected 1..{MAX_WIDTH} on one of (512, 1024, 2048)"):
            HiddenInput(domain, inputs, one.points)
        head = b"zkpH\x01" + domain.to_bytes(2, "little") + inputs.to_bytes(4, "little")
        with refuses(MalformedFile, f"x: {inputs} bytes on {domain} rows, expected 1..{MAX_WIDTH} on one of (512, 1024, 2048)"):
            HiddenInput.from_bytes(head + one.points[0].to_compressed(), G1.from_compressed, "x")
    for points in ((), two.points):
        with refuses(MalformedFile, f"hidden input: has {len(points)} points, 9 bytes on 512 rows take 1"):
            HiddenInput(512, 9, points)
    assert MAX_BYTES == 8192 and HiddenInput(512, 9, list(one.points)) == one
    shortest = HiddenInput(512, 1, one.points)
    assert HiddenInput.from_bytes(shortest.to_bytes(), G1.from_compressed) == shortest
    assert len(HiddenInput(2048, MAX_WIDTH, one.points * 33).to_bytes()) < MAX_BYTES
    assert HiddenInput.from_bytes(HiddenInput(2048, MAX_WIDTH, one.points * 33).to_bytes(), G1.from_compressed).inputs == MAX_WIDTH


def test_files_of_hidden_inputs_are_checked(tmp_path):
    raw = data("two parts", "hidden")
    with refuses(MalformedFile, "hidden input: point 1 is at infinity"):
        HiddenInput.from_bytes(raw[:-48] + b"\xc0" + bytes(47), G1.from_compressed)
    with refuses(MalformedFile, "hidden input: point 0: G1 point is not canonically encoded"):
        HiddenInput.from_bytes(raw[:11] + bytes(48) + raw[59:], G1.from_compressed)
    with refuses(MalformedFile, f"hidden input: 1 bytes trail after the end at offset {len(raw)}"):
        HiddenInput.from_bytes(raw + b"\x00", G1.from_compressed)
    with refuses(MalformedFile, "hidden input: point 1 needs 48 bytes at offset 59, 47 are left"):
        HiddenInput.from_bytes(raw[:-1], G1.from_compressed)
    with refuses(MalformedFile, "hidden input: hidden input magic is b'zkpO\\x01', expected b'zkpH\\x01'"):
        HiddenInput.from_bytes(b"zkpO\x01" + raw[5:], G1.from_compressed)
    path = tmp_path / "a.hidden"
    hidden_of("two parts").save(path)
    assert path.read_bytes() == raw and HiddenInput.load(path) == hidden_of("two parts")
    ints = HiddenInput.load(path, independent.decode_point)
    assert isinstance(ints.points[0], independent.Point) and ints.absorbed == hidden_of("two parts").absorbed
    path.write_bytes(raw + bytes(MAX_BYTES - len(raw) + 1))
    with refuses(UnusableInput, f"hidden input {path} is larger than {MAX_BYTES} bytes"):
        HiddenInput.load(path)


def test_hidden_and_public_inputs_do_not_stand_for_each_other():
    hidden = hidden_of("one part")
    with refuses(WrongStatement, "the input is public, the circuit takes a hidden one (`zkpredict hide`)"):
        statement_for(commitment_of("one part").circuit, bytes(9), 1)
    with refuses(WrongStatement, "the input is hidden, the circuit takes a public one"):
        statement_for(WideCircuit((9, 13, 3), (1,), (RELU8,), 512), hidden, 1)
    with refuses(WrongStatement, "the image has 9 bytes, the circuit takes 600"):
        statement_for(commitment_of("two parts").circuit, hidden, 1)
    with refuses(WrongStatement, "the input is hidden on 1024 rows, the circuit has 512"):
        statement_for(commitment_of("one part").circuit, replace(hidden, domain=1024), 1)
