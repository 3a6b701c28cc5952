"""The native curve precompiles against py-evm's own: outputs, gas, and every malformed input refused by both."""

from __future__ import annotations

import random
from functools import cache

import pytest
from ckzg import blob_to_kzg_commitment, compute_kzg_proof, load_trusted_setup
import eth.precompiles.point_evaluation as reference_evaluation
from eth.precompiles.point_evaluation import TRUSTED_SETUP_PATH, kzg_to_versioned_hash

from zkpredict.contracts.chain.interface import Contract
from zkpredict.contracts.chain.precompiles import FIELD_PRIME
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.kernel import G1, G2, MODULUS

MSM, PAIRING, EVALUATION = (f"0x{number:040x}" for number in (0x0C, 0x0F, 0x0A))
SMALL_ORDER_X = 4
"""x of a curve point outside the subgroup: 4^3 + 4 = 68 is a square modulo the field's prime."""


@pytest.fixture(scope="module")
def both(probe):
    """The probe contract on a chain with native precompiles and on one with py-evm's own."""
    return [Contract.deploy(chain, probe, 0)[0] for chain in (EmbeddedChain(), EmbeddedChain({}))]


def g1(point: G1) -> bytes:
    raw = point.to_uncompressed()
    return bytes(128) if point.is_identity() else bytes(16) + raw[:48] + bytes(16) + raw[48:]


def g2(point: G2) -> bytes:
    raw = point.to_uncompressed()
    x1, x0, y1, y0 = (raw[start : start + 48] for start in range(0, 192, 48))
    return bytes(256) if point.is_identity() else b"".join(bytes(16) + part for part in (x0, x1, y0, y1))


def term(point: G1, scalar: int) -> bytes:
    return g1(point) + scalar.to_bytes(32, "big")


def off_subgroup() -> bytes:
    y = pow(SMALL_ORDER_X**3 + 4, (FIELD_PRIME + 1) // 4, FIELD_PRIME)
    assert y * y % FIELD_PRIME == (SMALL_ORDER_X**3 + 4) % FIELD_PRIME
    return SMALL_ORDER_X.to_bytes(64, "big") + y.to_bytes(64, "big")


def msm_inputs() -> dict[str, bytes]:
    rng, base = random.Random(7), G1.generator()
    good = term(base, 5)
    return {
        "one term": good,
        "sixteen terms": b"".join(term(base.mul(rng.randrange(MODULUS)), rng.randrange(1 << 256)) for _ in range(16)),
        "129 terms": b"".join(term(base.mul(i + 1), i) for i in range(129)),
        "identity": term(G1.identity(), 9) + term(base, MODULUS),
        "empty": b"",
        "short": good[:-1],
        "long": good + b"\0",
        "not on the curve": g1(base)[:-1] + b"\x07" + good[128:],
        "not in the subgroup": off_subgroup() + good[128:],
        "coordinate + p": (int.from_bytes(good[:64], "big") + FIELD_PRIME).to_bytes(64, "big") + good[64:],
        "padding set": b"\x01" + good[1:],
    }


def pairing_inputs() -> dict[str, bytes]:
    one, two = G1.generator(), G2.generator()
    holds = g1(one.mul(6)) + g2(two) + g1(-one) + g2(two.mul(6))
    return {
        "holds": holds,
        "does not hold": g1(one.mul(7)) + g2(two) + g1(-one) + g2(two.mul(6)),
        "identities": g1(G1.identity()) + g2(two) + g1(one) + g2(G2.identity()),
        "empty": b"",
        "short": holds[:-1],
        "not on G1": g1(one)[:-1] + b"\x07" + g2(two),
        "not in the subgroup of G1": off_subgroup() + g2(two),
        "not on G2": g1(one) + g2(two)[:-1] + b"\x07",
    }


def evaluation_inputs() -> dict[str, bytes]:
    setup = load_trusted_setup(TRUSTED_SETUP_PATH, 0)
    blob = b"".join(i.to_bytes(32, "big") for i in range(4096))
    commitment, z = blob_to_kzg_commitment(blob, setup), (1234567).to_bytes(32, "big")
    proof, y = compute_kzg_proof(blob, z, setup)
    good = kzg_to_versioned_hash(commitment) + z + y + commitment + proof
    return {
        "opens": good,
        "other value": good[:95] + bytes([good[95] ^ 1]) + good[96:],
        "other hash": bytes([2]) + good[1:],
        "value + r": good[:64] + (int.from_bytes(y, "big") + MODULUS).to_bytes(32, "big") + good[96:],
        "proof is no point": good[:144] + bytes(48),
        "short": good[:-1],
        "long": good + b"\0",
    }


@pytest.mark.parametrize(("address", "inputs"), [(MSM, msm_inputs), (PAIRING, pairing_inputs), (EVALUATION, evaluation_inputs)])
def test_native_precompiles_match_reference(both, address, inputs, monkeypatch):
    monkeypatch.setattr(reference_evaluation, "load_trusted_setup", cache(load_trusted_setup))
    accepted = {"one term", "sixteen terms", "129 terms", "identity", "holds", "does not hold", "identities", "opens"}
    for name, data in inputs().items():
        native, reference = (contract.call("ask", address, data) for contract in both)
        assert native == reference, name
        assert native[0] == (name in accepted), name
