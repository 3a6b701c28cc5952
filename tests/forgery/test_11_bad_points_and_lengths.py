"""Line 11: a point not on the curve, not in the subgroup, at infinity, all zero; wrong length; trailing bytes."""

from __future__ import annotations


import pytest
from forger import Forger, claim_of
from guards import replaced, unchecked_parts
from onchain import by_contract
from py_ecc.optimized_bls12_381 import FQ, add, curve_order, field_modulus, is_inf, multiply, normalize
from support import refuses, said
from verdicts import NATIVE, PYTHON, accepted, by_native, refused

from zkpredict.circuits.errors import MalformedFile
from zkpredict.contracts.chain.interface import Reverted
from zkpredict.kernel import G1, Bases
from zkpredict.prover.polynomial import Column
from zkpredict.verifier import independent, messages, native
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import FailedOpening, MalformedProof
from zkpredict.verifier.messages import MAGIC, POINT_BYTES, proof_bytes

POINTS = ("limb", "horner", "cell", "linear", "lookup", "quotient", "opening", "final")
FIRST = len(MAGIC) + 32 + 2
INFINITY = b"\xc0" + bytes(47)
OUTSIDE = "G1 point is not in the subgroup of prime order"
BAD = {
    "the field modulus as x": ((field_modulus | 1 << 383).to_bytes(48, "big"), "G1 point is not canonically encoded"),
    "all zero": (bytes(48), "G1 point is not canonically encoded"),
    "no compression flag": (b"\x1f" + bytes(47), "G1 point is not canonically encoded"),
    "x off the curve": (b"\x80" + bytes(46) + b"\x01", "G1 point is not on the curve"),
    "a point of order 3": (b"\x80" + bytes(47), OUTSIDE),
}


def with_point(claim, number, data):
    start = FIRST + POINT_BYTES * number
    return claim.with_proof(claim.proof[:start] + data + claim.proof[start + POINT_BYTES :])


def decode_anywhere(data):
    """48 bytes to a kernel point on the curve, in the subgroup or not: the guard removed."""
    x, larger = int.from_bytes(data, "big") % (1 << 381), data[0] >> 5 & 1
    y = pow(x**3 + 4, (field_modulus + 1) // 4, field_modulus)
    y = y if (2 * y > field_modulus) == bool(larger) else field_modulus - y
    return Bases.from_uncompressed(x.to_bytes(48, "big") + y.to_bytes(48, "big"), subgroup_check=False)[0]


def foreign(point):
    """`point` plus the point (0, 2) of order 3."""
    raw = point.to_uncompressed()
    here = FQ(int.from_bytes(raw[:48], "big")), FQ(int.from_bytes(raw[48:], "big")), FQ.one()
    torsion = FQ(0), FQ(2), FQ.one()
    assert is_inf(multiply(torsion, 3)) and not is_inf(multiply(torsion, curve_order))
    x, y = normalize(add(here, torsion))
    return Bases.from_uncompressed(int(x).to_bytes(48, "big") + int(y).to_bytes(48, "big"), subgroup_check=False)[0]


@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize("kind", BAD)
def test_a_bad_point_is_refused_by_name(honest, kind, number):
    data, reason = BAD[kind]
    by = {} if number in (0, 7) else {"by": NATIVE}
    refused(with_point(honest, number, data), MalformedProof, f"proof: point {POINTS[number]}: {reason}", **by)


@pytest.mark.parametrize("number", range(8))
def test_infinity_is_refused_by_name(honest, number):
    for data in (INFINITY, b"\xe0" + bytes(47), b"\xc0" + bytes(46) + b"\x01"):
        refused(with_point(honest, number, data), MalformedProof, f"proof: point {POINTS[number]} is at infinity")


class Foreign(Forger):
    """Adds a point of order 3 to its first commitment and goes on from there."""

    def commit(self, values):
        columns = super().commit(values)
        if not self.columns:
            first = next(iter(columns))
            column = columns[first]
            columns[first] = Column(column.values, column.coefficients, foreign(column.commitment))
        return columns


def test_a_point_outside_the_subgroup_would_pass_the_pairing(small, small_image, honest):
    """Pairings do not see the cofactor: without the check every proof has many twins."""
    proof = native.parse_proof(honest.proof)
    twin = honest.with_proof(proof.changed(points={"final": foreign(proof.points["final"])}).to_bytes())
    forged = claim_of(Foreign(small, said(small_image, small.predict(small_image))))
    refused(twin, MalformedProof, f"proof: point final: {OUTSIDE}")
    refused(forged, MalformedProof, f"proof: point limb: {OUTSIDE}")

    parse = lambda data, shape: messages.Proof.from_bytes(data, decode_anywhere, shape)
    with replaced(native.parse_proof, parse):
        assert accepted(twin, NATIVE) == accepted(forged, NATIVE) == small.predict(small_image)


@pytest.mark.node
def test_the_proof_of_zeros_is_refused_twice(small, honest):
    """All points at infinity, all evaluations 0 (the "0 bug"): by the parser, and without it by the pairing."""
    zeros = honest.with_proof(honest.proof[:FIRST] + INFINITY * 8 + bytes(160))
    refused(zeros, MalformedProof, "proof: point limb is at infinity", PYTHON)
    with pytest.raises(Reverted) as caught:
        by_contract(zeros)
    assert caught.value.name == "PointAtInfinity"
    with replaced(messages.read_point, lambda raw, name, decode: decode(raw)), unchecked_parts(), refuses(
        FailedOpening, "the opening does not match: the claim is false, or the proof was made for another statement"
    ):
        by_native(zeros)


def test_the_length_is_exact(honest):
    end = proof_bytes()
    cases = {
        honest.proof + b"\x00": f"proof: 1 bytes trail after the end at offset {end}",
        honest.proof + honest.proof: f"proof: {end} bytes trail after the end at offset {end}",
        honest.proof[:-1]: f"proof: scalar linearised_next needs 32 bytes at offset {end - 32}, 31 are left",
        honest.proof[:FIRST]: f"proof: point 0 needs 48 bytes at offset {FIRST}, 0 are left",
        b"": "proof: magic needs 5 bytes at offset 0, 0 are left",
    }
    assert len(honest.proof) == end
    for data, message in cases.items():
        refused(honest.with_proof(data), MalformedProof, message)
    version = honest.with_proof(b"zkpP\x02" + honest.proof[5:])
    refused(version, MalformedProof, r"proof: magic is b'zkpP\x02', expected b'zkpP\x01'", PYTHON)


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_row_in_a_commitment_is_refused(small, kind):
    data, reason = BAD[kind]
    raw = small.commitment.to_bytes()
    for decode in (G1.from_compressed, independent.decode_point):
        with refuses(MalformedFile, f"commitment: row 1: {reason}"):
            ModelCommitment.from_bytes(raw[:-48] + data, decode)
        with refuses(MalformedFile, "commitment: row 1 is the point at infinity"):
            ModelCommitment.from_bytes(raw[:-48] + INFINITY, decode)
        ModelCommitment.from_bytes(raw, decode)


def test_a_commitment_of_the_wrong_length_is_refused(small):
    raw = small.commitment.to_bytes()
    count = raw[: -48 * 2 - 2] + b"\x03\x00" + raw[-96:] + raw[-48:]
    for data, message in (
        (raw + b"\x00", f"commitment: 1 bytes trail after the end at offset {len(raw)}"),
        (raw[:-1], f"commitment: row 1 needs 48 bytes at offset {len(raw) - 48}, 47 are left"),
        (count, "commitment: has 3 rows, its circuit needs 2"),
    ):
        with refuses(MalformedFile, message):
            ModelCommitment.from_bytes(data, G1.from_compressed)
