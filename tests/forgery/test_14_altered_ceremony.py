"""Line 14: a toxic or altered ceremony file: one point changed, wrong order, wrong hash."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from pathlib import Path

import pytest
from forger import claim_of
from guards import replaced
from support import refuses, said
from verdicts import MISMATCH, NATIVE, PYTHON, accepted, refused

from zkpredict.circuits.gadgets.bytes import TABLE
from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.field import MODULUS, inverse
from zkpredict.kernel import G1, G2, Bases, Vector, pairing_check
from zkpredict.prover import setup
from zkpredict.prover.prove import Prover
from zkpredict.verifier import ceremony, native
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import FailedOpening
from zkpredict.verifier.opening import fold, linearise


@pytest.fixture(scope="module")
def file() -> bytes:
    return (Path(setup.FOLDER) / "trusted_setup.txt").read_bytes()


def altered_files(file: bytes) -> dict[str, bytes]:
    """The ceremony file, changed where it hurts."""
    lines = file.split(b"\n")
    start = 2 + 4096 + 65
    swapped = lines.copy()
    swapped[start + 5], swapped[start + 6] = swapped[start + 6], swapped[start + 5]
    doubled = lines.copy()
    doubled[start + 5] = doubled[start + 6]
    zero = lines.copy()
    zero[start + 1] = b"c0" + bytes(47).hex().encode()
    return {
        "two points swapped": b"\n".join(swapped),
        "one point changed": b"\n".join(doubled),
        "tau = 0": b"\n".join(zero),
        "one point short": b"\n".join(lines[:-2]),
        "trailing line": file + b"\n",
        "empty": b"",
    }


@pytest.mark.parametrize(
    "change", ["two points swapped", "one point changed", "tau = 0", "one point short", "trailing line", "empty"]
)
def test_an_altered_ceremony_file_is_refused_by_its_hash(file, change):
    data = altered_files(file)[change]
    found = hashlib.sha256(data).hexdigest()
    with refuses(MalformedFile, f"ceremony file has sha256 {found}, expected {ceremony.CEREMONY_SHA256}"):
        ceremony.parse_ceremony(data)
    assert len(ceremony.parse_ceremony(file).g1_powers) == 4096


def follows_tau(powers_of_g1: list[bytes]) -> bool:
    """e(sum r_i [tau^(i+1)], G2) = e(sum r_i [tau^i], [tau]_2) for random r_i: one tau for all."""
    points = [G1.from_compressed(raw) for raw in powers_of_g1]
    factors = [secrets.randbits(128) for _ in points[1:]]
    upper, lower = (G1.linear_combination(chosen, factors) for chosen in (points[1:], points[:-1]))
    tau = G2.from_compressed(ceremony.TAU_G2)
    return points[0] == G1.generator() and pairing_check([(upper, G2.generator()), (-lower, tau)])


@pytest.mark.parametrize("change", ["two points swapped", "one point changed"])
def test_without_the_hash_the_pairings_tell(file, change):
    """The powers stand in the order of one tau, the one in the verifier's constant; altered ones do not."""
    with replaced(ceremony.CEREMONY_SHA256, hashlib.sha256(altered_files(file)[change]).hexdigest()):
        altered = ceremony.parse_ceremony(altered_files(file)[change])
    assert not follows_tau(list(altered.g1_powers))
    honest = ceremony.parse_ceremony(file)
    assert follows_tau(list(honest.g1_powers))
    assert honest.g2_powers[1] == ceremony.TAU_G2 and honest.g2_powers[0] == G2.generator().to_compressed()


def test_the_verifiers_table_is_the_bytes_in_order(file):
    """[T(tau)] with T(w^i) = i: another constant would let other limbs through."""
    key = Bases.from_compressed(b"".join(ceremony.parse_ceremony(file).g1_powers))
    assert key.msm(Vector.from_ints(list(TABLE)).intt()).to_compressed() == ceremony.TABLE_COMMITMENT


@pytest.mark.parametrize("place", [0, 96 * 4096 + 5, -1])
def test_an_altered_commitment_key_is_refused_by_its_hash(tmp_path, monkeypatch, place):
    data = bytearray((Path(setup.FOLDER) / "setup.bin").read_bytes())
    data[place] ^= 1
    (tmp_path / "setup.bin").write_bytes(data)
    monkeypatch.setattr(setup, "FOLDER", tmp_path)
    found = hashlib.sha256(data).hexdigest()
    message = f"commitment key has sha256 {found}, expected {setup.SETUP_SHA256}: reinstall zkpredict"
    with refuses(MalformedFile, message):
        setup._setup_bytes.__wrapped__()


def test_a_prover_with_an_altered_key_convinces_nobody(small, small_image, monkeypatch):
    """Two neighbouring powers exchanged on the prover's side alone."""
    true = setup.monomial_key()
    points = [true[i] for i in range(len(true))]
    points[5], points[6] = points[6], points[5]
    with replaced(setup.monomial_key, lambda: Bases(points)):
        claim = claim_of(Prover(small, said(small_image, small.predict(small_image))))
    refused(claim, FailedOpening, MISMATCH)


def with_known_tau(claim, digit: int, tau: int):
    """What a holder of the toxic waste says about any digit without any network: random columns, and the one final point

    that solves final (tau - zeta) = L - [value].
    """
    commitment = ModelCommitment.from_bytes(claim.commitment, G1.from_compressed)
    circuit, honest = commitment.circuit, native.parse_proof(claim.proof)
    proof = replace(honest, digit=digit).changed(scalars={name: secrets.randbelow(MODULUS) for name in honest.scalars})
    statement = said(claim.image, digit)
    challenges = native.derive_challenges(circuit.digest, statement, proof)
    found = fold(circuit, linearise(circuit, statement, challenges, proof.scalars), proof.scalars, challenges)
    terms = native.column_terms(commitment, proof, found, challenges)
    terms += [(proof.points["opening"], found.opening), (G1.generator(), -found.value % MODULUS)]
    folded = G1.linear_combination([point for point, _ in terms], [scalar for _, scalar in terms])
    final = folded.mul(inverse(tau - challenges["zeta"]))
    return claim.with_proof(proof.changed(points={"final": final}).to_bytes())


def test_whoever_knows_tau_proves_anything(small, small_image, honest):
    """Under a ceremony of one participant; under Ethereum's, all 141,416 would have to collude."""
    tau = secrets.randbelow(MODULUS)
    digit = (small.predict(small_image) + 1) % 3
    forged = with_known_tau(honest, digit, tau)
    refused(forged, FailedOpening, MISMATCH)
    with replaced(ceremony.TAU_G2, G2.generator().mul(tau).to_compressed()):
        assert accepted(forged, PYTHON) == digit
        refused(honest, FailedOpening, MISMATCH, NATIVE)
