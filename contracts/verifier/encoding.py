"""A proof as the contract takes it: 7 points of 96 bytes, 5 scalars of 32 bytes, then the final point.

    limb | horner | cell | linear | lookup | quotient | opening | limb, cell, table, cell_next, linearised_next | final

The final point is compressed (48 bytes, for precompile 0x0a) or, for the pairing variant, 96 bytes like the others.
"""

from __future__ import annotations

from enum import Enum

from zkpredict.verifier.messages import POINT_NAMES, SCALAR_NAMES, Proof

ABSORBED_POINTS = POINT_NAMES[:-1]
"""The points before the final one, in their order."""


class FinalCheck(Enum):
    """How a contract checks the last opening."""

    POINT_EVALUATION = "point evaluation"
    """Precompile 0x0a (EIP-4844), which holds the ceremony's [tau]."""
    PAIRING = "pairing"
    """Precompile 0x0f (EIP-2537), for chains without 0x0a."""

    @property
    def final_bytes(self) -> int:
        """Length of the final point."""
        return 48 if self is FinalCheck.POINT_EVALUATION else 96

    @property
    def proof_bytes(self) -> int:
        """Length of a whole proof."""
        return 96 * len(ABSORBED_POINTS) + 32 * len(SCALAR_NAMES) + self.final_bytes


def onchain_proof(proof: Proof, check: FinalCheck = FinalCheck.POINT_EVALUATION) -> bytes:
    """The contract's proof bytes of a parsed `proof`: 880, or 928 for the pairing variant."""
    *points, final = proof.points
    encoded = b"".join(point.to_uncompressed() for point in points) + proof.evaluations.absorbed()
    compressed = check is FinalCheck.POINT_EVALUATION
    return encoded + (final.to_compressed() if compressed else final.to_uncompressed())
