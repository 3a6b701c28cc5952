"""What the independent verifier must make of wide circuits, by the same stored statements: the killers of its mutants there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import refuses

from zkpredict.circuits.constraints import evaluate_publics
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.layout import NARROW, WIDE, Circuit
from zkpredict.circuits.networks.activations import RELU
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.wide.claims import Claim, Kind
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import WrongStatement
from zkpredict.verifier.independent import decode_point, public_values, verify, weighted_rows
from zkpredict.verifier.independent_compact import lagrange_basis
from zkpredict.verifier.independent_wide import band_exponents, check_outputs, packed, reads_of, wide_row_exponents, wide_values

STORED = json.loads((Path(__file__).parent / "wide_vectors.json").read_text(encoding="utf-8"))
ALPHA, POINT = 3**140 % (1 << 250), 5**90 % (1 << 240)
stored = pytest.mark.parametrize("name", STORED)


@stored
def test_publics_and_rows_are_those_that_were_stored(name):
    case = STORED[name]
    commitment = ModelCommitment.from_bytes(bytes.fromhex(case["commitment"]), decode_point)
    assert wide_row_exponents(commitment.circuit) == case["rows"]
    weights = weighted_rows(commitment.circuit, 3)
    assert {column: [pow(3, e, 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001) for e in own] for column, own in case["rows"].items()} == weights
    found = public_values(commitment.circuit, bytes.fromhex(case["image"]), case["digit"], ALPHA, POINT, tuple(case["outputs"]))
    assert {key: hex(value) for key, value in found.items()} == case["publics"]


@pytest.mark.parametrize("name", ["one layer", "long"])
def test_stored_proofs_are_accepted(name):
    case = STORED[name]
    assert verify(*(bytes.fromhex(case[key]) for key in ("commitment", "image", "proof"))) == case["digit"]


HIDDEN = json.loads((Path(__file__).parent / "hidden_vectors.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", HIDDEN)
def test_publics_and_rows_of_hidden_inputs_are_those_that_were_stored(name):
    case = HIDDEN[name]
    circuit = ModelCommitment.from_bytes(bytes.fromhex(case["commitment"]), decode_point).circuit
    assert wide_row_exponents(circuit) == case["rows"]
    found = wide_values(circuit, b"", case["digit"], (), ALPHA, POINT)
    assert {key: hex(value) for key, value in found.items()} == case["publics"]


@pytest.mark.parametrize(("inputs", "parts"), [(1, 1), (509, 1), (510, 1), (511, 2), (1020, 2), (1021, 3)])
def test_a_hidden_input_has_so_many_parts(inputs, parts):
    rows = wide_row_exponents(WideCircuit((inputs, 3), (), (), 512, private_input=True))
    assert list(rows) == [f"rows0_private{part}" for part in range(parts)]


SHAPES = {
    "seven packs share a row": (72, 480, 3), "three packs share a row": (127, 480, 3), "a row for each pack": (600, 100, 3),
    "full chunks": (1021, 3), "classes on two tracks": (6, 300),
}


@pytest.mark.parametrize("name", SHAPES)
def test_publics_and_rows_are_those_of_the_circuit(name):
    """Counted, and by what `circuits.wide` has in closed form: two implementations."""
    shape = SHAPES[name]
    circuit = WideCircuit(shape, (1,) * (len(shape) - 2), (RELU,) * (len(shape) - 2), 512)
    assert wide_row_exponents(circuit) == {column.name: list(column.exponents) for column in circuit.row_columns}
    statement = Statement(bytes(1 + place % 255 for place in range(shape[0])), 2)
    wanted = evaluate_publics(circuit, statement, ALPHA, POINT)
    assert wide_values(circuit, statement.input, statement.claim, (), ALPHA, POINT) == wanted


def test_exponents_of_public_outputs_follow_those_of_the_fold():
    circuit = WideCircuit((7, 5, 12), (1,), (RELU,), 512, Claim(Kind.LOGITS))
    assert band_exponents(circuit, circuit.output) == [50, 49, 48]


def test_bands_on_one_track_are_read_together():
    band, basis = OPEN.bands[0], lagrange_basis(512, POINT)
    (once,) = (value for name, value in reads_of(1, (band,), basis).items() if name != "bias")
    (twice,) = (value for name, value in reads_of(1, (band, band), basis).items() if name != "bias")
    assert once and twice == 2 * once % MODULUS


LIMIT = 1 << 46
OPEN = WideCircuit((7, 5, 3), (1,), (RELU,), 512, Claim(Kind.LOGITS))


@pytest.mark.parametrize("outputs, digit", [((1, 3, 2), 1), ((3, 3, 2), 0), ((-5, -5, -1), 2), ((LIMIT - 1, 0, 1 - LIMIT), 0)])
def test_outputs_that_fit(outputs, digit):
    check_outputs(OPEN, digit, outputs)
    check_outputs(WideCircuit((7, 5, 3), (1,), (RELU,), 512), 2, ())


@pytest.mark.parametrize(
    "outputs, digit, message",
    [
        ((1, 3), 1, "the proof states 2 outputs, the circuit makes 3 public"),
        ((), 0, "the proof states 0 outputs, the circuit makes 3 public"),
        ((1, LIMIT, 2), 1, f"output 1 is {LIMIT}, beyond {LIMIT - 1}"),
        ((1, 3, -LIMIT), 1, f"output 2 is {-LIMIT}, beyond {LIMIT - 1}"),
        ((1, 3, 2), 2, "the digit is 2, the largest output is number 1"),
        ((3, 3, 2), 1, "the digit is 1, the largest output is number 0"),
    ],
)
def test_outputs_that_do_not(outputs, digit, message):
    with refuses(WrongStatement, message):
        check_outputs(OPEN, digit, outputs)


def test_outputs_of_a_circuit_that_has_none():
    with refuses(WrongStatement, "the proof states 3 outputs, the circuit makes 0 public"):
        check_outputs(WideCircuit((7, 5, 3), (1,), (RELU,), 512), 1, (1, 3, 2))
    check_outputs(Circuit((7, 5, 3), (NARROW, WIDE), 1024), 1, ())  # which has no claim


def test_numbers_in_packs():
    band = OPEN.bands[0]
    assert packed(band, [1, 2]) == [(1 << 216) + (2 << 192)]
    assert packed(OPEN.output, [1, -2, 3, 0, 5, 6]) == [(1 << 192) - (2 << 144) + (3 << 96) + 5, 6 << 192]
