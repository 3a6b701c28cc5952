"""A proof as the contract takes it: every point but the last in 96 bytes, the scalars in 32 bytes, then the final point.

    limb | horner | cell | linear | lookup | quotient | opening | limb, cell, table, cell_next, linearised_next | final

for ReLU networks; the form of the circuit says which parts others have, and how many public outputs (8 bytes each, big-endian, two's
complement) come before all points. The final point is compressed (48 bytes, for precompile
0x0a) or, for the pairing variant, 96 bytes like the others.
"""

from __future__ import annotations

from enum import Enum

from zkpredict.circuits.columns import Form
from zkpredict.circuits.placement import COMPACT_FORM, AnyCircuit
from zkpredict.circuits.statement import OUTPUT_BYTES
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.verifier.errors import WrongStatement
from zkpredict.verifier.hidden import HiddenInput
from zkpredict.verifier.messages import SCALAR_BYTES, Proof, encode_scalar

ONCHAIN_POINT_BYTES = 96
COMPRESSED_POINT_BYTES = 48


def absorbed_points(form: Form = COMPACT_FORM) -> tuple[str, ...]:
    """The points before the final one, in their order."""
    return form.points[:-1]


class FinalCheck(Enum):
    """How a contract checks the last opening."""

    POINT_EVALUATION = "point evaluation"
    """Precompile 0x0a (EIP-4844), which holds the ceremony's [tau]."""
    PAIRING = "pairing"
    """Precompile 0x0f (EIP-2537), for chains without 0x0a."""

    @property
    def final_bytes(self) -> int:
        """Length of the final point."""
        return COMPRESSED_POINT_BYTES if self is FinalCheck.POINT_EVALUATION else ONCHAIN_POINT_BYTES

    def proof_bytes(self, form: Form = COMPACT_FORM) -> int:
        """Length of a whole proof."""
        parts = ONCHAIN_POINT_BYTES * len(absorbed_points(form)) + SCALAR_BYTES * len(form.scalars) + self.final_bytes
        return OUTPUT_BYTES * form.outputs + parts


def onchain_input(circuit: AnyCircuit, image: bytes | HiddenInput) -> bytes:
    """The contract's argument `image`: the bytes, or of a hidden input the points of its commitment, 96 bytes each. Raises `WrongStatement`
    where the circuit takes the other, or one that is hidden in another way: a contract sees no more than the length of what it is given."""
    private = isinstance(circuit, WideCircuit) and circuit.private_input
    if not isinstance(image, HiddenInput):
        if private:
            raise WrongStatement("the input is public, the circuit takes a hidden one (`zkpredict hide`)")
        return image
    if not private:
        raise WrongStatement("the input is hidden, the circuit takes a public one")
    if (image.inputs, image.domain) != (circuit.inputs, circuit.domain):
        raise WrongStatement(
            f"the hidden input has {image.inputs} bytes on {image.domain} rows, the circuit takes {circuit.inputs} on {circuit.domain}"
        )
    return b"".join(image.absorbed)


def onchain_proof(proof: Proof, check: FinalCheck = FinalCheck.POINT_EVALUATION) -> bytes:
    """The contract's proof bytes of a parsed `proof`: for ReLU networks 880, or 928 for the pairing variant."""
    *points, final = proof.points.values()
    encoded = b"".join(value.to_bytes(OUTPUT_BYTES, "big", signed=True) for value in proof.outputs)
    encoded += b"".join(point.to_uncompressed() for point in points) + b"".join(map(encode_scalar, proof.scalars.values()))
    compressed = check is FinalCheck.POINT_EVALUATION
    return encoded + (final.to_compressed() if compressed else final.to_uncompressed())
