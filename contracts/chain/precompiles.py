"""Prague's precompiles on BLS12-381 that proofs use, run by native code: G1MSM and pairing (EIP-2537), point evaluation (EIP-4844).

py-evm's own give the same results in pure Python, and read the ceremony file again for every point evaluation; tests
compare both, gas and failures included. py-evm's addition 0x0b and the G2 and map precompiles are fast enough as they are.
"""

from __future__ import annotations

from functools import cache

from ckzg import load_trusted_setup, verify_kzg_proof
from eth.abc import ComputationAPI
from eth.exceptions import VMError
from eth.precompiles.bls12_381.constants import BLS12_G1_MSM_GAS, G1_MSM_DISCOUNTS, G1_MSM_MAX_DISCOUNT, MSM_MULTIPLIER
from eth.precompiles.point_evaluation import TRUSTED_SETUP_PATH, kzg_to_versioned_hash
from eth.vm.forks.cancun.constants import BLS_MODULUS, FIELD_ELEMENTS_PER_BLOB, POINT_EVALUATION_PRECOMPILE_GAS

from zkpredict.contracts.chain.rules import padded
from zkpredict.kernel import G1, G2, MODULUS, pairing_check

POINT_EVALUATION = bytes(19) + b"\x0a"
G1_MSM = bytes(19) + b"\x0c"
PAIRING = bytes(19) + b"\x0f"
FIELD_PRIME = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
_PAIR_BYTES = 384
_PAIRING_BASE, _PAIRING_EACH = 37_700, 32_600
_TERM_BYTES = 160


def g1_msm(computation: ComputationAPI) -> None:
    """0x0c: terms of 160 bytes, a point (128) and a scalar (32); gives the sum (EIP-2537)."""
    data = computation.msg.data_as_bytes
    if not data or len(data) % _TERM_BYTES:
        raise VMError(f"G1MSM input must be a positive multiple of {_TERM_BYTES} bytes, got {len(data)}")
    terms = [data[start : start + _TERM_BYTES] for start in range(0, len(data), _TERM_BYTES)]
    discount = G1_MSM_DISCOUNTS[len(terms) - 1] if len(terms) <= len(G1_MSM_DISCOUNTS) else G1_MSM_MAX_DISCOUNT
    computation.consume_gas(len(terms) * BLS12_G1_MSM_GAS * discount // MSM_MULTIPLIER, reason="G1MSM")
    scalars = [int.from_bytes(term[128:], "big") % MODULUS for term in terms]
    total = G1.linear_combination([_g1(term[:128]) for term in terms], scalars)
    computation.output = padded(total)


def pairing(computation: ComputationAPI) -> None:
    """0x0f: pairs of 384 bytes, a point of G1 (128) and one of G2 (256); gives 1 when their pairings multiply to one (EIP-2537)."""
    data = computation.msg.data_as_bytes
    if not data or len(data) % _PAIR_BYTES:
        raise VMError(f"pairing input must be a positive multiple of {_PAIR_BYTES} bytes, got {len(data)}")
    pairs = [data[start : start + _PAIR_BYTES] for start in range(0, len(data), _PAIR_BYTES)]
    computation.consume_gas(_PAIRING_BASE + _PAIRING_EACH * len(pairs), reason="pairing")
    holds = pairing_check([(_g1(pair[:128]), _g2(pair[128:])) for pair in pairs])
    computation.output = int(holds).to_bytes(32, "big")


def point_evaluation(computation: ComputationAPI) -> None:
    """0x0a: versioned hash, z, y, commitment, proof (192 bytes); fails unless the proof opens the commitment to y at z (EIP-4844)."""
    computation.consume_gas(POINT_EVALUATION_PRECOMPILE_GAS, reason="point evaluation")
    data = computation.msg.data_as_bytes
    if len(data) != 192:
        raise VMError(f"point evaluation input must be 192 bytes, got {len(data)}")
    versioned_hash, z, y, commitment, proof = data[:32], data[32:64], data[64:96], data[96:144], data[144:]
    if kzg_to_versioned_hash(commitment) != versioned_hash:
        raise VMError("the versioned hash is not the commitment's")
    try:
        opens = verify_kzg_proof(commitment, z, y, proof, _setup())
    except RuntimeError as error:  # a point or scalar that is none
        raise VMError(f"point evaluation input: {error}") from None
    if not opens:
        raise VMError("the proof does not open the commitment to this value")
    computation.output = FIELD_ELEMENTS_PER_BLOB.to_bytes(32, "big") + BLS_MODULUS.to_bytes(32, "big")


NATIVE = {POINT_EVALUATION: point_evaluation, G1_MSM: g1_msm, PAIRING: pairing}
"""These precompiles by address."""


@cache
def _setup() -> object:
    return load_trusted_setup(TRUSTED_SETUP_PATH, 0)


def _coordinates(data: bytes) -> list[bytes]:
    """Field elements of 64 bytes as 48 bytes each."""
    parts = [data[start : start + 64] for start in range(0, len(data), 64)]
    if any(int.from_bytes(part, "big") >= FIELD_PRIME for part in parts):
        raise VMError("a coordinate is not below the field's prime")
    return [part[16:] for part in parts]


def _g1(data: bytes) -> G1:
    x, y = _coordinates(data)
    if not any(data):
        return G1.identity()
    try:
        return G1.from_uncompressed(x + y)
    except ValueError as error:
        raise VMError(f"G1 point: {error}") from None


def _g2(data: bytes) -> G2:
    x0, x1, y0, y1 = _coordinates(data)
    if not any(data):
        return G2.identity()
    try:
        return G2.from_uncompressed(x1 + x0 + y1 + y0)
    except ValueError as error:
        raise VMError(f"G2 point: {error}") from None
