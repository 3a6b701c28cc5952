"""What the independent verifier must say on stored statements: the killers of its mutants (`zkpredict.tools.mutation`).

Its pieces are cheap to compare with the native verifier's; two whole verifications, a few seconds, come last.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import changed, refuses, said

from zkpredict.circuits.constraints import evaluate_publics
from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.field import MODULUS, root_of_unity
from zkpredict.circuits.layout import Circuit
from zkpredict.kernel import G1
from zkpredict.verifier import independent, native, opening
from zkpredict.verifier.ceremony import TABLE_COMMITMENT
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import FailedOpening, MalformedProof, WrongStatement
from zkpredict.verifier.independent import Point, combine, decode_point, draw_challenges, opening_claims, public_values, verify
from zkpredict.verifier.messages import Proof

VECTORS = json.loads(Path(__file__).with_name("vectors.json").read_text())
NOT_OPENED = "the opening does not match: the claim is false, or the proof was made for another statement"
GENERATOR = G1.generator().to_compressed()


class Case:
    """One stored statement, in bytes and parsed by the independent verifier's decoder."""

    def __init__(self, name: str) -> None:
        stored = VECTORS[name]
        self.commitment_bytes, self.image, self.data = (bytes.fromhex(stored[k]) for k in ("commitment", "image", "proof"))
        self.commitment = ModelCommitment.from_bytes(self.commitment_bytes, decode_point)
        self.proof = Proof.from_bytes(self.data, decode_point)
        self.challenges = [int(challenge, 16) for challenge in stored["challenges"]]


@pytest.fixture(params=VECTORS)
def case(request) -> Case:
    return Case(request.param)


@pytest.fixture
def small() -> Case:
    return Case("no hidden layer")


def test_decodes_points():
    for scalar in (1, 2, 3, 5, MODULUS - 1):
        point = G1.generator().mul(scalar)
        found = decode_point(point.to_compressed())
        assert (found.to_compressed(), found.to_uncompressed()) == (point.to_compressed(), point.to_uncompressed())


def test_refuses_what_is_no_point():
    base = independent.BASE
    with refuses(ValueError, "G1 compressed point must be 48 bytes, got 47"):
        decode_point(GENERATOR[:-1])
    with refuses(ValueError, "G1 compressed point must be 48 bytes, got 49"):
        decode_point(GENERATOR + b"\x00")
    flagged = [bytes([GENERATOR[0] & 0x1F | flags << 5]) + GENERATOR[1:] for flags in (0, 1, 2, 3, 6, 7)]
    for raw in (*flagged, (base | 1 << 383).to_bytes(48, "big"), (base + 4 | 1 << 383).to_bytes(48, "big")):
        with refuses(ValueError, "G1 point is not canonically encoded"):
            decode_point(raw)
    with refuses(ValueError, "G1 point is not on the curve"):
        decode_point(b"\x80" + bytes(46) + b"\x01")
    for raw in (b"\x80" + bytes(46) + b"\x04", b"\x80" + bytes(47)):
        with refuses(ValueError, "G1 point is not in the subgroup of prime order"):
            decode_point(raw)


def test_combines_points():
    generator = decode_point(GENERATOR)
    double = decode_point(G1.generator().mul(2).to_compressed())
    for terms in ([(generator, 3)], [(generator, 3), (double, 5)], [(generator, 3), (generator, 4)], [(double, MODULUS - 1)]):
        expected = G1.linear_combination(
            [G1.from_compressed(point.to_compressed()) for point, _ in terms], [scalar for _, scalar in terms]
        )
        assert affine(combine(terms)) == expected.to_uncompressed()
    assert independent.is_inf(combine([(generator, 1), (generator, MODULUS - 1)]))


def affine(point) -> bytes:
    return Point(*(int(part) for part in independent.normalize(point))).to_uncompressed()


def test_draws_the_stored_challenges(case):
    challenges = draw_challenges(case.commitment.circuit.digest, case.image, case.proof)
    assert [challenges[name] for name in ("alpha", "beta", "delta", "rho", "nu", "zeta")] == case.challenges


def test_public_polynomials_are_those_of_the_native_verifier(case):
    circuit, (alpha, _, _, rho, _, _) = case.commitment.circuit, case.challenges
    for digit in {0, case.proof.digit, circuit.classes - 1}:
        expected = evaluate_publics(circuit, said(case.image, digit), alpha, rho)
        assert public_values(circuit, case.image, digit, alpha, rho) == expected


@pytest.mark.parametrize(
    "circuit",
    [Circuit((5, 3), (2,), 1024), Circuit((5, 12), (2,), 1024), Circuit((3, 30, 30, 30, 3), (1, 1, 1, 2), 1024)],
    ids=["one pack", "three packs", "unused slots in every layer"],
)
def test_public_polynomials_of_other_shapes(circuit):
    image = bytes(range(7, 7 + circuit.inputs))
    for digit in (0, circuit.classes - 1):
        assert public_values(circuit, image, digit, 3, 5) == evaluate_publics(circuit, said(image, digit), 3, 5)


def test_opening_claims_are_those_of_the_native_verifier(case):
    circuit, stated = case.commitment.circuit, case.proof.scalars
    challenges = draw_challenges(circuit.digest, case.image, case.proof)
    publics = public_values(circuit, case.image, case.proof.digit, challenges["alpha"], challenges["rho"])
    found = opening_claims(case.commitment, case.proof, challenges, publics)
    here, there = challenges["rho"], challenges["rho"] * root_of_unity(circuit.domain) % MODULUS
    proof = native.parse_proof(case.data)
    commitment = ModelCommitment.from_bytes(case.commitment_bytes, G1.from_compressed)
    linear = opening.linearise(circuit, said(case.image, proof.digit), challenges, proof.scalars)
    columns = {name: [(proof.points[name], 1)] for name in ("limb", "horner", "cell", "linear", "lookup", "quotient")}
    columns["table"] = [(G1.from_compressed(TABLE_COMMITMENT), 1)]
    for layer in range(circuit.layers):
        columns[f"rows{layer}"] = native.rows_of_column(commitment, f"rows{layer}", challenges["alpha"])
    expected = [
        (linear.at[0], {here: -(linear.constant + stated["linearised_next"])}),
        ({"limb": 1}, {here: stated["limb"]}),
        ({"table": 1}, {here: stated["table"]}),
        ({"cell": 1}, {here: stated["cell"], there: stated["cell_next"]}),
        (linear.at[1], {there: stated["linearised_next"]}),
    ]
    assert len(found) == len(expected)
    for claim, (combination, values) in zip(found, expected):
        assert {z: v % MODULUS for z, v in claim.values.items()} == {z: v % MODULUS for z, v in values.items()}
        terms = [(point, w * c % MODULUS) for name, c in combination.items() for point, w in columns[name]]
        wanted = G1.linear_combination([p for p, _ in terms], [s for _, s in terms])
        mine = [(G1.from_compressed(point.to_compressed()), scalar % MODULUS) for point, scalar in claim.terms]
        assert G1.linear_combination([p for p, _ in mine], [s for _, s in mine]) == wanted


def test_small_helpers():
    assert independent._product([]) == 1 and independent._product([3, 5]) == 15
    assert independent._product([MODULUS - 1, MODULUS - 1]) == 1
    assert [independent._interpolated({2: 7}, x) for x in (0, 5)] == [7, 7]
    assert [independent._interpolated({2: 7, 3: 9}, x) for x in (2, 3, 5)] == [7, 9, 13]


def test_refuses_other_statements(small):
    circuit, name = small.commitment.circuit, small.commitment.model_id
    other = small.data[:5] + bytes(32) + small.data[37:]
    with refuses(WrongStatement, f"the proof is for model {bytes(32).hex()}, the commitment is of model {name.hex()}"):
        verify(small.commitment_bytes, small.image, other)
    for image in (small.image[:-1], small.image + b"\x00"):
        with refuses(WrongStatement, f"the image has {len(image)} bytes, the circuit takes {circuit.inputs}"):
            verify(small.commitment_bytes, image, small.data)
    for digit in (circuit.classes, circuit.classes + 1):
        with refuses(WrongStatement, f"the digit {digit} is not one of the {circuit.classes} classes"):
            verify(small.commitment_bytes, small.image, small.data[:37] + bytes([digit, 0]) + small.data[39:])
    with refuses(MalformedFile, "commitment: commitment magic needs 5 bytes at offset 0, 0 are left"):
        verify(b"", small.image, small.data)
    with refuses(MalformedProof, "proof: magic needs 5 bytes at offset 0, 0 are left"):
        verify(small.commitment_bytes, small.image, b"")


@pytest.mark.parametrize("rho", [0, 1, root_of_unity(1024)])
def test_refuses_rho_at_zero_or_on_a_row(small, rho, monkeypatch):
    challenges = draw_challenges(small.commitment.circuit.digest, small.image, small.proof)
    monkeypatch.setattr(independent, "draw_challenges", lambda *arguments: challenges | {"rho": rho})
    with refuses(FailedOpening, "the challenge point rho is zero or fell into the domain"):
        verify(small.commitment_bytes, small.image, small.data)


def test_accepts_what_was_stored(case):
    assert verify(case.commitment_bytes, case.image, case.data) == case.proof.digit


def test_refuses_another_digit_pixel_and_last_point(small):
    for image, data in (
        (small.image, changed(small.data, 37, 1)),
        (changed(small.image, 0), small.data),
        (small.image, small.data[:375] + GENERATOR + small.data[423:]),
    ):
        with refuses(FailedOpening, NOT_OPENED):
            verify(small.commitment_bytes, image, data)
