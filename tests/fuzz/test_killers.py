"""Everything the verifier must say on stored statements, in a few seconds: what `python -m zkpredict.tools.mutation` runs
against each mutant of the verifier. No prover takes part, so a change made alike on both sides is seen too."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from support import changed, refuses, said

from zkpredict.circuits.constraints import constraints, evaluate_publics
from zkpredict.circuits.gadgets.public_input import evaluate_image, image_polynomial
from zkpredict.circuits.publics import Periodic
from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.field import MODULUS, root_of_unity
from zkpredict.circuits.files.schema import Schema
from zkpredict.kernel import G1
from zkpredict.verifier import ceremony, commitment as commitments, messages, native
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import FailedOpening, MalformedProof, WrongStatement
from zkpredict.verifier.messages import Proof, derive_challenges
from zkpredict.verifier.native import image_bytes, parse_proof, verify
from zkpredict.circuits.placement import form
from zkpredict.verifier.opening import Fold, Linear
from zkpredict.verifier.transcript import Transcript

VECTORS = json.loads(Path(__file__).with_name("vectors.json").read_text())
NOT_OPENED = "the opening does not match: the claim is false, or the proof was made for another statement"
IN_DOMAIN = "the challenge point rho is zero or fell into the domain"
POINTS = ("limb", "horner", "cell", "linear", "lookup", "quotient", "opening", "final")
SCALARS = ("limb", "cell", "table", "cell_next", "linearised_next")
HEADER, POINT, SCALAR = 39, 48, 32
NOT_ON_CURVE, NOT_IN_SUBGROUP = bytes([0x80]) + bytes(46) + b"\x01", bytes([0x80]) + bytes(46) + b"\x04"
NOT_CANONICAL, INFINITY = bytes(48), bytes([0xC0]) + bytes(47)
REASONS = {
    NOT_ON_CURVE: "G1 point is not on the curve",
    NOT_IN_SUBGROUP: "G1 point is not in the subgroup of prime order",
    NOT_CANONICAL: "G1 point is not canonically encoded",
}


@dataclass(frozen=True)
class Case:
    """One stored statement, parsed by the code under test."""

    commitment: ModelCommitment
    image: bytes
    data: bytes
    stored: dict

    @property
    def proof(self) -> Proof:
        return parse_proof(self.data)


def case_of(name: str) -> Case:
    stored = VECTORS[name]
    commitment = ModelCommitment.from_bytes(bytes.fromhex(stored["commitment"]), G1.from_compressed)
    return Case(commitment, bytes.fromhex(stored["image"]), bytes.fromhex(stored["proof"]), stored)


@pytest.fixture(params=VECTORS)
def case(request) -> Case:
    return case_of(request.param)


@pytest.fixture
def narrow() -> Case:
    return case_of("narrow")


def test_accepts_and_names_what_was_stored(case):
    verify(case.commitment, case.image, case.proof)
    assert case.commitment.model_id.hex() == case.stored["model_id"]
    assert case.proof.digit == case.stored["digit"]
    challenges = derive_challenges(case.commitment.circuit.digest, said(case.image, case.proof.digit), case.proof)
    assert [f"{challenge:064x}" for challenge in challenges.values()] == case.stored["challenges"]


def test_files_round_trip(case, tmp_path):
    assert case.proof.to_bytes() == case.data and len(case.data) == messages.proof_bytes() == 583
    assert case.commitment.to_bytes().hex() == case.stored["commitment"]
    path = tmp_path / "saved"
    case.commitment.save(path)
    assert ModelCommitment.load(path) == case.commitment


def test_a_commitment_made_in_python_is_checked_like_a_file(case):
    circuit, rows = case.commitment.circuit, list(case.commitment.rows)
    assert ModelCommitment(circuit, rows) == case.commitment and hash(ModelCommitment(circuit, rows))
    for wrong in (rows[:-1], [*rows, rows[0]]):
        with refuses(MalformedFile, f"commitment: has {len(wrong)} rows, its circuit needs {len(rows)}"):
            ModelCommitment(circuit, wrong)
    with refuses(MalformedFile, f"commitment: row {len(rows) - 1} is the point at infinity"):
        ModelCommitment(circuit, [*rows[:-1], G1.generator() - G1.generator()])


def test_a_schema_is_bound_and_comes_back(case):
    """The first row is replaced by the bound one; the file keeps the row that it was made of."""
    commitment, schema = case.commitment, Schema(classes=tuple(f"class {number}" for number in range(case.commitment.circuit.classes)))
    bound = ModelCommitment.bound(commitment.circuit, commitment.rows, schema, G1.from_compressed)
    assert bound.rows[0] != commitment.rows[0] and bound.rows[1:] == commitment.rows[1:]
    assert (bound.inner, bound.schema) == (commitment.rows[0], schema) and bound.model_id != commitment.model_id
    data = bound.to_bytes()
    again = ModelCommitment.from_bytes(data, G1.from_compressed)
    assert again == bound and again.to_bytes() == data and data[:5] == b"zkpK\x02"
    assert ModelCommitment.bound(commitment.circuit, commitment.rows, Schema(), G1.from_compressed) == commitment
    for damaged in (data[:-1], data + b"\x00"):
        with pytest.raises(MalformedFile):
            ModelCommitment.from_bytes(damaged, G1.from_compressed)


def test_refuses_another_point_or_scalar(case):
    """Each of the 13 parts of a proof, replaced by a valid one."""
    for number in range(len(POINTS)):
        start = HEADER + POINT * number
        other = G1.from_compressed(case.data[start : start + POINT]) + G1.generator()
        forged = case.data[:start] + other.to_compressed() + case.data[start + POINT :]
        with refuses(FailedOpening, NOT_OPENED):
            verify(case.commitment, case.image, parse_proof(forged))
    for name in SCALARS:
        value = case.proof.scalars[name]
        for other in ((value + 1) % MODULUS, MODULUS - 1 - value, 0):
            forged = case.proof.changed(scalars={name: other})
            with refuses(FailedOpening, NOT_OPENED):
                verify(case.commitment, case.image, forged)


def test_refuses_the_negative_of_everything(narrow):
    forged = narrow.proof.changed(points={name: -point for name, point in narrow.proof.points.items()})
    with refuses(FailedOpening, NOT_OPENED):
        verify(narrow.commitment, narrow.image, forged)


def test_refuses_another_statement(case):
    circuit, proof = case.commitment.circuit, case.proof
    for at in (0, len(case.image) // 2, len(case.image) - 1):
        with refuses(FailedOpening, NOT_OPENED):
            verify(case.commitment, changed(case.image, at), proof)
    for digit in range(circuit.classes):
        if digit != proof.digit:
            with refuses(FailedOpening, NOT_OPENED):
                verify(case.commitment, case.image, replace(proof, digit=digit))
    for digit in (circuit.classes, circuit.classes + 1):
        with refuses(WrongStatement, f"the digit {digit} is not one of the {circuit.classes} classes"):
            verify(case.commitment, case.image, replace(proof, digit=digit))
    for image in (case.image[:-1], case.image + b"\x00", b""):
        with refuses(WrongStatement, f"the image has {len(image)} bytes, the circuit takes {circuit.inputs}"):
            verify(case.commitment, image, proof)
    for image in (changed(case.image, 0),):
        digest = circuit.digest
        ours, theirs = (derive_challenges(digest, said(data, proof.digit), proof) for data in (case.image, image))
        assert ours != theirs


def test_refuses_another_model(case):
    rows = case.commitment.rows
    for number in range(len(rows)):
        other = replace(case.commitment, rows=(*rows[:number], rows[number] + G1.generator(), *rows[number + 1 :]))
        message = f"the proof is for model {case.proof.model_id.hex()}, the commitment is of model {other.model_id.hex()}"
        with refuses(WrongStatement, message):
            verify(other, case.image, case.proof)
        with refuses(FailedOpening, NOT_OPENED):
            verify(other, case.image, replace(case.proof, model_id=other.model_id))


def pin_rho(monkeypatch, rho: int) -> None:
    """The evaluation point is `rho`, whatever was said."""
    drawn = Transcript.challenge
    monkeypatch.setattr(Transcript, "challenge", lambda self, name, number: rho if name == "rho" else drawn(self, name, number))


@pytest.mark.parametrize("point", [0, 1])
def test_refuses_rho_at_zero_or_on_a_row(narrow, point, monkeypatch):
    for rho in (point, point and root_of_unity(1024)):
        pin_rho(monkeypatch, rho)
        with refuses(FailedOpening, IN_DOMAIN):
            verify(narrow.commitment, narrow.image, narrow.proof)


def test_rho_off_the_rows_is_no_such_refusal(narrow, monkeypatch):
    for rho in (root_of_unity(2048), MODULUS - 5):
        pin_rho(monkeypatch, rho)
        with refuses(FailedOpening, NOT_OPENED):
            verify(narrow.commitment, narrow.image, narrow.proof)


# bytes


@pytest.mark.parametrize("number", range(8))
def test_refuses_bad_points_in_proofs(narrow, number):
    start = HEADER + POINT * number
    for raw, reason in REASONS.items():
        with refuses(MalformedProof, f"proof: point {POINTS[number]}: {reason}"):
            parse_proof(narrow.data[:start] + raw + narrow.data[start + POINT :])
    for raw in (INFINITY, changed(INFINITY, 47)):
        with refuses(MalformedProof, f"proof: point {POINTS[number]} is at infinity"):
            parse_proof(narrow.data[:start] + raw + narrow.data[start + POINT :])


@pytest.mark.parametrize("number", range(5))
def test_refuses_scalars_from_the_order_on(narrow, number):
    start = HEADER + 8 * POINT + SCALAR * number
    for value in (MODULUS, MODULUS + 1, (1 << 256) - 1):
        with refuses(MalformedProof, f"proof: scalar {SCALARS[number]} is not below the field order"):
            parse_proof(narrow.data[:start] + value.to_bytes(32, "big") + narrow.data[start + SCALAR :])
    largest = narrow.data[:start] + (MODULUS - 1).to_bytes(32, "big") + narrow.data[start + SCALAR :]
    assert parse_proof(largest).scalars[SCALARS[number]] == MODULUS - 1


def test_refuses_other_proof_lengths_and_magic(narrow):
    with refuses(MalformedProof, "proof: 1 bytes trail after the end at offset 583"):
        parse_proof(narrow.data + b"\x00")
    with refuses(MalformedProof, "proof: scalar linearised_next needs 32 bytes at offset 551, 31 are left"):
        parse_proof(narrow.data[:-1])
    with refuses(MalformedProof, "proof: magic needs 5 bytes at offset 0, 0 are left"):
        parse_proof(b"")
    with refuses(MalformedProof, "proof: magic is b'ykpP\\x01', expected b'zkpP\\x01'"):
        parse_proof(b"y" + narrow.data[1:])
    fields_at = {5: "model id needs 32", 37: "digit needs 2"} | {HEADER + 48 * i: f"point {i} needs 48" for i in range(8)}
    fields_at |= {HEADER + 384 + 32 * i: f"scalar {name} needs 32" for i, name in enumerate(SCALARS)}
    for offset, need in fields_at.items():
        with refuses(MalformedProof, f"proof: {need} bytes at offset {offset}, 0 are left"):
            parse_proof(narrow.data[:offset])


def test_the_digit_is_two_bytes_little_endian(narrow):
    assert parse_proof(narrow.data[:37] + b"\x02\x01" + narrow.data[39:]).digit == 258


def decode(data: bytes) -> ModelCommitment:
    return ModelCommitment.from_bytes(data, G1.from_compressed)


def test_refuses_bad_commitments(narrow):
    data = narrow.commitment.to_bytes()
    rows = len(narrow.commitment.rows)
    first = len(data) - 48 * rows
    for number in range(rows):
        start = first + 48 * number
        for raw, reason in REASONS.items():
            with refuses(MalformedFile, f"commitment: row {number}: {reason}"):
                decode(data[:start] + raw + data[start + 48 :])
        for raw in (INFINITY, changed(INFINITY, 47)):
            with refuses(MalformedFile, f"commitment: row {number} is the point at infinity"):
                decode(data[:start] + raw + data[start + 48 :])
    for count in (0, rows - 1, rows + 1, 258):
        with refuses(MalformedFile, f"commitment: has {count} rows, its circuit needs {rows}"):
            decode(data[: first - 2] + count.to_bytes(2, "little") + data[first:])
    with refuses(MalformedFile, f"commitment: 1 bytes trail after the end at offset {len(data)}"):
        decode(data + b"\x00")
    for number in range(rows):
        at = first + 48 * number
        with refuses(MalformedFile, f"commitment: row {number} needs 48 bytes at offset {at}, 47 are left"):
            decode(data[: at + 47])
    with refuses(MalformedFile, "commitment: commitment magic is b'ykpK\\x01', expected b'zkpK\\x01'"):
        decode(b"y" + data[1:])
    with refuses(MalformedFile, f"commitment: row count needs 2 bytes at offset {first - 2}, 0 are left"):
        decode(data[: first - 2])
    with refuses(MalformedFile, "other name: commitment magic needs 5 bytes at offset 0, 0 are left"):
        ModelCommitment.from_bytes(b"", G1.from_compressed, "other name")


def test_loads_files_up_to_four_mebibytes(narrow, tmp_path):
    path = tmp_path / "large"
    path.write_bytes(narrow.commitment.to_bytes() + bytes((1 << 22) - 125))
    with refuses(MalformedFile, f"{path}: 4194179 bytes trail after the end at offset 125"):
        ModelCommitment.load(path)
    path.write_bytes(path.read_bytes() + b"\x00")
    with refuses(UnusableInput, f"commitment {path} is larger than 4194304 bytes"):
        ModelCommitment.load(path)
    with refuses(UnusableInput, f"cannot read commitment {tmp_path / 'none'}: No such file or directory"):
        ModelCommitment.load(tmp_path / "none")
    assert commitments.MAX_COMMITMENT_BYTES == 1 << 22


# images


def test_takes_images_of_bytes(narrow):
    flat = np.frombuffer(narrow.image, np.uint8)
    for image in (bytearray(narrow.image), memoryview(narrow.image), flat, flat.reshape(5, 6)):
        verify(narrow.commitment, image, narrow.proof)
    with refuses(WrongStatement, "the image must be bytes or a uint8 array, got int64 array"):
        image_bytes(flat.astype(np.int64))
    with refuses(WrongStatement, "the image must be bytes or a uint8 array, got list"):
        image_bytes(list(narrow.image))


# pieces


def test_linear_refuses_what_it_cannot_hold():
    x, y = Linear(2, {("x", 0): 3}), Linear(5, {("y", 1): 7})
    with refuses(ValueError, "constraint is not linear in unopened cells [('x', 0)] and [('y', 1)]"):
        x * y
    assert x + x == Linear(4, {("x", 0): 6}) and x - y == Linear(MODULUS - 3, {("x", 0): 3, ("y", 1): MODULUS - 7})
    assert x * Linear(4) == Linear(4) * x == Linear(8, {("x", 0): 12}) and Linear(3) * Linear(4) == Linear(12)
    assert Linear(MODULUS - 1) + Linear(1) == Linear(0) and x.scaled(MODULUS - 1) == Linear(MODULUS - 2, {("x", 0): MODULUS - 3})


def test_a_proof_in_memory_is_checked_like_a_file(narrow):
    proof = narrow.proof
    for name in POINTS:
        with refuses(MalformedProof, f"proof: point {name} is at infinity"):
            proof.changed(points={name: G1.generator() - G1.generator()})
    for name in SCALARS:
        for value in (-1, MODULUS):
            with refuses(MalformedProof, f"proof: scalar {name} is not below the field order"):
                proof.changed(scalars={name: value})
        assert proof.changed(scalars={name: MODULUS - 1}).scalars[name] == MODULUS - 1
    for kind, names in (("points", POINTS), ("scalars", SCALARS)):
        left = {name: getattr(proof, kind)[name] for name in names[:-1]}
        with refuses(MalformedProof, f"proof: its {kind} are {', '.join(left)}, expected {', '.join(names)}"):
            replace(proof, **{kind: left})
    for model_id, digit in ((bytes(31), 0), (bytes(33), 0), (bytes(32), -1), (bytes(32), 65536)):
        message = f"proof: the model id has {len(model_id)} bytes, expected 32, or the digit {digit} not 2 bytes"
        with refuses(MalformedProof, message):
            replace(proof, model_id=model_id, digit=digit)
    assert replace(proof, digit=65535).digit == 65535


def test_constraints_by_name(case):
    assert [c.name for c in constraints(case.commitment.circuit)] == ["sign", "boolean", "relu", "horner", "linear", "lookup"]


def test_public_polynomials_of_every_digit(case):
    """Not only of the digit that was proven: those that depend on it differ pairwise, all others do not."""
    circuit = case.commitment.circuit
    publics = [evaluate_publics(circuit, said(case.image, digit), 3, 5) for digit in range(circuit.classes)]
    for name in publics[0]:
        values = {found[name] for found in publics}
        assert len(values) == (circuit.classes if name in ("readout", "constants") else 1), name


def test_the_image_polynomial_is_what_its_short_form_evaluates(case):
    circuit = case.commitment.circuit
    coefficients = image_polynomial(circuit, case.image, 3)
    value = sum(coefficient * pow(5, exponent, MODULUS) for exponent, coefficient in enumerate(coefficients))
    assert len(coefficients) == circuit.domain and value % MODULUS == evaluate_image(circuit, case.image, 3, 5)


def test_periodic_values_row_by_row():
    assert [Periodic(4, {0: 7, 3: 2}).at_row(row) for row in range(-1, 9)] == [2, 7, 0, 0, 2, 7, 0, 0, 2, 7]


def test_columns_and_rows(case):
    """The terms of the sum: the proof's points, the constants', and every row by its own power of alpha."""
    proof, circuit = case.proof, case.commitment.circuit
    names = [column.name for column in form(circuit).columns]
    weights = {name: number + 2 for number, name in enumerate(names)}
    terms = native.column_terms(case.commitment, proof, Fold(weights, 0, 0), {"alpha": 3})
    exponents = [exponent for layer in range(circuit.layers) for exponent in circuit.row_exponents(layer)]
    layers = [layer for layer in range(circuit.layers) for _ in circuit.row_exponents(layer)]
    table = G1.from_compressed(ceremony.TABLE_COMMITMENT)
    expected = [(proof.points[name], weights[name]) for name in POINTS[:6]] + [(table, weights["table"])]
    scalars = [weights[f"rows{layer}"] * 3**exponent % MODULUS for layer, exponent in zip(layers, exponents, strict=True)]
    assert terms == expected + list(zip(case.commitment.rows, scalars, strict=True))
    with refuses(ValueError, "column limb is not folded"):
        native.column_terms(case.commitment, proof, Fold({}, 0, 0), {"alpha": 3})
    with refuses(ValueError, "nothing commits to the folded columns ghost, spirit"):
        native.column_terms(case.commitment, proof, Fold(weights | {"ghost": 1, "spirit": 2}, 0, 0), {"alpha": 3})
    with refuses(ValueError, "no layer has the column rows9"):
        native.rows_of_column(case.commitment, "rows9", 3)


def test_the_ceremony_file_is_pinned():
    data = (Path(__file__).parents[2] / "prover" / "ceremony" / "trusted_setup.txt").read_bytes()
    found = ceremony.parse_ceremony(data)
    assert (len(found.g1_powers), len(found.g2_powers)) == (4096, 65)
    assert found.g2_powers[1] == ceremony.TAU_G2 and found.g1_powers[0] == G1.generator().to_compressed()
    assert found.g1_powers[-1].hex() == data.split()[-1].decode()
    with pytest.raises(MalformedFile, match="ceremony file has sha256 [0-9a-f]{64}, expected d39b9f2d047cc9"):
        ceremony.parse_ceremony(changed(data, 1000))
