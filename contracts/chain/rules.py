"""Whether a chain has the precompiles that a verifier calls: asked by calls, which cost nothing, before anything is sent.

An address without a precompile is an empty account: a call of it succeeds and returns nothing, and a verifier there would refuse
every model. So each is asked something whose answer is known, and has to give that answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from zkpredict.contracts.chain.interface import Chain, ChainError, Reverted
from zkpredict.kernel import G1, MODULUS

_WORD = 32
_BLOB_ELEMENTS = 4096
_INFINITY = b"\xc0" + bytes(47)
_PRAGUE = "A verifier needs a chain with the Prague rules (anvil: --hardfork prague)"


@dataclass(frozen=True)
class Precompile:
    """A precompile, a question to it, its answer, and what to do on a chain without it."""

    address: int
    name: str
    question: bytes
    answer: bytes
    remedy: str


def _sum_of_points() -> Precompile:
    """2 * G = G + G, for the generator G of G1 (EIP-2537, 0x0c: terms of point and scalar)."""
    question = padded(G1.generator()) + (2).to_bytes(_WORD, "big")
    answer = padded(G1.generator() + G1.generator())
    return Precompile(0x0C, "sum of BLS12-381 points, EIP-2537", question, answer, _PRAGUE)


def _point_evaluation() -> Precompile:
    """The zero polynomial is 0 at 0: commitment and proof are the point at infinity (EIP-4844, 0x0a)."""
    versioned = b"\x01" + sha256(_INFINITY).digest()[1:]
    question = versioned + bytes(2 * _WORD) + _INFINITY + _INFINITY
    answer = _BLOB_ELEMENTS.to_bytes(_WORD, "big") + MODULUS.to_bytes(_WORD, "big")
    return Precompile(0x0A, "point evaluation, EIP-4844", question, answer, "--pairing deploys a verifier that does without it")


def _pairing() -> Precompile:
    """The pairing of two points at infinity is 1 (EIP-2537, 0x0f)."""
    return Precompile(0x0F, "BLS12-381 pairing, EIP-2537", bytes(384), (1).to_bytes(_WORD, "big"), _PRAGUE)


def require_precompiles(chain: Chain, *, pairing: bool) -> None:
    """Raises `ChainError` with the first precompile that a verifier needs and `chain` does not have. `pairing`: the
    verifier whose final check is a pairing, not a point evaluation."""
    final = _pairing() if pairing else _point_evaluation()
    for precompile in (_sum_of_points(), final):
        try:
            found = chain.call(f"0x{precompile.address:040x}", precompile.question)
        except Reverted as refusal:
            said = f"it refuses ({refusal.halt or 'no reason'})"
        else:
            if found == precompile.answer:
                continue
            said = f"it returns {len(found)} bytes" + (", but not the right ones" if len(found) == len(precompile.answer) else "")
            said += "" if len(found) == len(precompile.answer) else f", not {len(precompile.answer)}"
        raise ChainError(
            f"this chain lacks the precompile 0x{precompile.address:02x} ({precompile.name}): asked a question with a known answer, {said}; "
            f"nothing was sent. {precompile.remedy}"
        )


def padded(point: G1) -> bytes:
    """A point as EIP-2537 writes it: each coordinate in 64 bytes, all of them zero for the identity."""
    if point.is_identity():
        return bytes(128)
    raw = point.to_uncompressed()
    return bytes(16) + raw[:48] + bytes(16) + raw[48:]
