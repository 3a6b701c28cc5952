"""The independent verifier accepts real proofs, and refuses every forgery in the same words as the native one."""

from __future__ import annotations

import random
import subprocess
import sys
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
from support import said

from zkpredict.circuits.constraints import evaluate_publics, total_constraint
from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.layout import Circuit
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.kernel import G1
from zkpredict.prover.commit import commit_model
from zkpredict.prover.prove import prove
from zkpredict.verifier import independent, native
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import FailedOpening, MalformedProof, VerificationError, WrongStatement
from zkpredict.verifier.messages import proof_bytes

POINTS = ("limb", "horner", "cell", "linear", "lookup", "quotient", "opening", "final")
SCALARS = ("limb", "cell", "table", "cell_next", "linearised_next")
FIRST_POINT, FIRST_SCALAR = 5 + 32 + 2, 5 + 32 + 2 + 8 * 48
BASE_FIELD = independent.BASE
MISMATCH = "the opening does not match: the claim is false, or the proof was made for another statement"
BAD_POINTS = {
    "is not canonically encoded": (bytes(48), (BASE_FIELD | 1 << 383).to_bytes(48, "big"), b"\xbf" + b"\xff" * 47),
    "is not on the curve": (b"\x80" + bytes(46) + b"\x01",),
    "is not in the subgroup of prime order": (b"\x80" + bytes(47), b"\xa0" + bytes(46) + b"\x04"),
}


@dataclass(frozen=True)
class Case:
    commitment: bytes
    image: bytes
    proof: bytes

    def with_proof(self, start: int, data: bytes) -> Case:
        proof = self.proof[:start] + data + self.proof[start + len(data) :]
        return Case(self.commitment, self.image, proof)

    def point(self, number: int) -> bytes:
        start = FIRST_POINT + 48 * number
        return self.proof[start : start + 48]

    @property
    def circuit(self) -> Circuit:
        return ModelCommitment.from_bytes(self.commitment, G1.from_compressed).circuit


def make_case(shape: tuple[int, ...], shifts: tuple[int, ...], domain: int | None, seed: int) -> Case:
    random_numbers = np.random.default_rng(seed)
    layers = [
        DenseLayer(
            random_numbers.integers(-40, 41, (outputs, inputs)), random_numbers.integers(-999, 1000, outputs), shift
        )
        for inputs, outputs, shift in zip(shape, shape[1:], shifts)
    ]
    model = commit_model(IntegerNetwork(tuple(layers)), domain)
    image = random_numbers.integers(0, 256, shape[0], dtype=np.uint8)
    return Case(model.commitment.to_bytes(), image.tobytes(), prove(model, image).to_bytes())


@pytest.fixture(scope="module")
def cases() -> dict[str, Case]:
    return {
        "784-64-10": make_case((784, 64, 10), (8, 0), None, 1),
        "300-64-32-10": make_case((300, 64, 32, 10), (8, 12, 0), 2048, 2),
        "5-3": make_case((5, 3), (0,), None, 3),
    }


@pytest.fixture(scope="module")
def honest(cases: dict[str, Case]) -> Case:
    """The smallest, for the forgeries that do not depend on the shape."""
    return cases["5-3"]


def native_verify(commitment: bytes, image: bytes, proof: bytes) -> int:
    parsed_commitment = ModelCommitment.from_bytes(commitment, G1.from_compressed)
    parsed = native.parse_proof(proof)
    native.verify(parsed_commitment, image, parsed)
    return parsed.digit


def verdict(verify, case: Case) -> int | tuple[type, str]:
    """The digit, or the class and message of the refusal."""
    try:
        return verify(case.commitment, case.image, case.proof)
    except (VerificationError, MalformedFile) as error:
        return type(error), str(error)


def assert_refused(case: Case, kind: type, message: str) -> None:
    assert verdict(independent.verify, case) == (kind, message)
    assert verdict(native_verify, case) == (kind, message)


@pytest.mark.parametrize("name", ["784-64-10", "300-64-32-10", "5-3"])
def test_accepts_a_real_proof_and_refuses_another_pixel_or_digit(cases, name):
    case = cases[name]
    digit = verdict(independent.verify, case)
    assert digit == verdict(native_verify, case) and isinstance(digit, int)
    other_pixel = bytes([case.image[0] ^ 1]) + case.image[1:]
    assert_refused(Case(case.commitment, other_pixel, case.proof), FailedOpening, MISMATCH)
    other_digit = ((digit + 1) % case.circuit.classes).to_bytes(2, "little")
    assert_refused(case.with_proof(37, other_digit), FailedOpening, MISMATCH)


def test_shapes_cover_both_domains_both_lane_widths_and_shared_rows(cases):
    circuits = {name: case.circuit for name, case in cases.items()}
    assert {circuit.domain for circuit in circuits.values()} == {1024, 2048}
    assert circuits["300-64-32-10"].lanes == (1, 2, 2) and circuits["300-64-32-10"].input_packs_per_row == 6


def test_refuses_a_statement_that_does_not_fit(honest):
    assert_refused(honest.with_proof(37, b"\x03\x00"), WrongStatement, "the digit 3 is not one of the 3 classes")
    assert_refused(honest.with_proof(37, b"\xff\xff"), WrongStatement, "the digit 65535 is not one of the 3 classes")
    for image in (honest.image[:-1], honest.image + b"\x00"):
        message = f"the image has {len(image)} bytes, the circuit takes 5"
        assert_refused(Case(honest.commitment, image, honest.proof), WrongStatement, message)


def test_refuses_another_model(honest):
    other = make_case((5, 3), (0,), None, 4)
    mine, theirs = honest.proof[5:37], other.proof[5:37]
    message = f"the proof is for model {mine.hex()}, the commitment is of model {theirs.hex()}"
    assert_refused(Case(other.commitment, honest.image, honest.proof), WrongStatement, message)
    forged = Case(other.commitment, honest.image, honest.proof).with_proof(5, theirs)
    assert_refused(forged, FailedOpening, MISMATCH)


@pytest.mark.parametrize("number, name", list(enumerate(SCALARS)))
def test_refuses_a_changed_or_noncanonical_scalar(honest, number, name):
    start = FIRST_SCALAR + 32 * number
    value = int.from_bytes(honest.proof[start : start + 32], "big")
    changed = ((value + 1) % MODULUS).to_bytes(32, "big")
    assert_refused(honest.with_proof(start, changed), FailedOpening, MISMATCH)
    for alias in (value + MODULUS, MODULUS):
        message = f"proof: scalar {name} is not below the field order"
        assert_refused(honest.with_proof(start, alias.to_bytes(32, "big")), MalformedProof, message)


@pytest.mark.parametrize("number, name", list(enumerate(POINTS)))
def test_refuses_a_changed_or_malformed_point(honest, number, name):
    start = FIRST_POINT + 48 * number
    own, neighbour = honest.point(number), honest.point((number + 1) % 8)
    negated = bytes([own[0] ^ 0x20]) + own[1:]
    for point in (neighbour, negated):
        assert_refused(honest.with_proof(start, point), FailedOpening, MISMATCH)
    for infinity in (b"\xc0" + bytes(47), b"\xc0" + bytes(46) + b"\x01", b"\x40" + bytes(47)):
        assert_refused(honest.with_proof(start, infinity), MalformedProof, f"proof: point {name} is at infinity")
    for reason, encodings in BAD_POINTS.items():
        for encoded in encodings:
            message = f"proof: point {name}: G1 point {reason}"
            assert_refused(honest.with_proof(start, encoded), MalformedProof, message)


def test_refuses_two_points_swapped(honest):
    swapped = honest.with_proof(FIRST_POINT, honest.point(1)).with_proof(FIRST_POINT + 48, honest.point(0))
    assert_refused(swapped, FailedOpening, MISMATCH)


def test_refuses_wrong_lengths_and_magic(honest):
    def with_bytes(proof: bytes) -> Case:
        return Case(honest.commitment, honest.image, proof)

    assert len(honest.proof) == proof_bytes() == 583
    trailing = f"proof: 1 bytes trail after the end at offset {proof_bytes()}"
    assert_refused(with_bytes(honest.proof + b"\x00"), MalformedProof, trailing)
    short = "proof: scalar linearised_next needs 32 bytes at offset 551, 31 are left"
    assert_refused(with_bytes(honest.proof[:-1]), MalformedProof, short)
    assert_refused(with_bytes(b""), MalformedProof, "proof: magic needs 5 bytes at offset 0, 0 are left")
    magic = "proof: magic is b'zkpP\\x02', expected b'zkpP\\x01'"
    assert_refused(honest.with_proof(4, b"\x02"), MalformedProof, magic)


def test_refuses_a_malformed_commitment(honest):
    def with_commitment(commitment: bytes) -> Case:
        return Case(commitment, honest.image, honest.proof)

    commitment = honest.commitment
    infinity = commitment[:-48] + b"\xc0" + bytes(47)
    assert_refused(with_commitment(infinity), MalformedFile, "commitment: row 0 is the point at infinity")
    for reason, encodings in BAD_POINTS.items():
        for encoded in encodings:
            message = f"commitment: row 0: G1 point {reason}"
            assert_refused(with_commitment(commitment[:-48] + encoded), MalformedFile, message)
    trailing = f"commitment: 1 bytes trail after the end at offset {len(commitment)}"
    assert_refused(with_commitment(commitment + b"\x00"), MalformedFile, trailing)
    count = commitment[:-50] + b"\x02\x00" + commitment[-48:]
    assert_refused(with_commitment(count), MalformedFile, "commitment: has 2 rows, its circuit needs 1")


@pytest.mark.parametrize("name", ["784-64-10", "300-64-32-10", "5-3"])
def test_public_polynomials_match_their_closed_forms(cases, name):
    case = cases[name]
    circuit = case.circuit
    for digit in (0, circuit.classes - 1):
        alpha, point = random.randrange(MODULUS), random.randrange(1 << 240)
        found = independent.public_values(circuit, case.image, digit, alpha, point)
        assert found == evaluate_publics(circuit, said(case.image, digit), alpha, point)


def test_the_combined_constraint_is_linear_in_what_no_proof_states(cases):
    circuit = cases["300-64-32-10"].circuit
    publics = independent.public_values(circuit, cases["300-64-32-10"].image, 0, 5, 7)
    challenges = {name: random.randrange(MODULUS) for name in ("alpha", "beta", "delta", "rho", "nu", "zeta")}
    stated = {cell: random.randrange(MODULUS) for cell in (("limb", 0), ("cell", 0), ("table", 0), ("cell", 1))}
    constant, coefficients = independent.split_linear(partial(total_constraint, circuit), publics, challenges, stated)
    unstated = {cell: random.randrange(MODULUS) for cell in coefficients}
    whole = total_constraint(circuit, independent.Probe(publics, challenges, stated | unstated))
    assert (constant + sum(coefficients[cell] * value for cell, value in unstated.items()) - whole) % MODULUS == 0


def test_points_match_the_kernel(honest):
    for encoded in (honest.point(number) for number in range(8)):
        mine, kernel = independent.decode_point(encoded), G1.from_compressed(encoded)
        assert mine.to_uncompressed() == kernel.to_uncompressed() and mine.to_compressed() == encoded


def test_runs_where_the_kernel_is_missing(honest, tmp_path):
    """Without the kernel the proof verifies, and no module that evaluates for the native verifier is loaded."""
    for name, data in (("commitment", honest.commitment), ("image", honest.image), ("proof", honest.proof)):
        (tmp_path / name).write_bytes(data)
    program = """
import sys
from pathlib import Path
sys.modules["zkpredict_kernel"] = sys.modules["zkpredict.kernel"] = None
from zkpredict.verifier.independent import verify
print(verify(*((Path(sys.argv[1]) / name).read_bytes() for name in ("commitment", "image", "proof"))))
shared = {"zkpredict.verifier.native", "zkpredict.verifier.opening", "zkpredict.prover"} & set(sys.modules)
assert not shared, shared
try:
    import zkpredict.verifier.native
except ImportError:
    print("native is blocked")
"""
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert done.stdout.split("\n")[:2] == [str(verdict(native_verify, honest)), "native is blocked"], done.stderr
