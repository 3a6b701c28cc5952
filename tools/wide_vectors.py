"""Public test vectors of wide circuits, for `zkpredict.tools.vectors`: from stored proofs, by the independent verifier.

The proofs stay as they are in `vectors/wide.json`; everything else is derived from them, so a run always gives the same bytes. New
proofs come from `tests/fuzz/make_wide_vectors.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from zkpredict.circuits.placement import form
from zkpredict.kernel import G1
from zkpredict.verifier import independent, native
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import VerificationError
from zkpredict.verifier.independent_wide import fold_exponents, wide_row_exponents
from zkpredict.verifier.messages import HEADER_BYTES, OUTPUT_BYTES, POINT_BYTES

STORED = Path(__file__).resolve().parents[1] / "tests" / "fuzz" / "wide_vectors.json"
SHOWN = ("rational", "long")
"""A rational gate with public logits; saturation and a quotient in two pieces."""
Files = tuple[bytes, bytes, bytes]
"""A commitment, an input and a proof."""


def wide_vectors() -> dict:
    """A commitment, an input and a proof of a wide circuit in; powers of alpha, form, challenges, public polynomials at rho and the digit out,
    or the kind of refusal."""
    stored = json.loads(STORED.read_text(encoding="utf-8"))
    files = [tuple(bytes.fromhex(stored[name][key]) for key in ("commitment", "image", "proof")) for name in SHOWN]
    refused = [{"given": number, "why": why} | _texts(case) | {"error": _refusal(case)} for number, own in enumerate(files) for why, case in _wrong(own)]
    return {"valid": [_valid(own) for own in files], "invalid": refused}


def _texts(files: Files) -> dict:
    return dict(zip(("commitment", "image", "proof"), (data.hex() for data in files), strict=True))


def _valid(files: Files) -> dict:
    commitment = ModelCommitment.from_bytes(files[0], independent.decode_point)
    circuit, shape = commitment.circuit, form(commitment.circuit)
    proof = independent.Proof.from_bytes(files[2], independent.decode_point, shape)
    challenges = independent.draw_challenges(circuit.digest, files[1], proof)
    publics = independent.public_values(circuit, files[1], proof.digit, challenges["alpha"], challenges["rho"], proof.outputs)
    if _refusal(files) or independent.verify(*files) != proof.digit:
        raise AssertionError("a stored proof is refused")
    return _texts(files) | {
        "circuit": circuit.to_bytes().hex(), "model_id": commitment.model_id.hex(), "tracks": circuit.tracks,
        "exponents": [[track, row, exponent] for (track, row), exponent in fold_exponents(circuit).items()][:6],
        "row_exponents": wide_row_exponents(circuit), "points": list(shape.points), "scalars": list(shape.scalars),
        "outputs": list(proof.outputs), "challenges": {name: f"0x{value:064x}" for name, value in challenges.items()},
        "publics": {name: f"0x{value:064x}" for name, value in sorted(publics.items())}, "digit": proof.digit,
    }  # fmt: skip


def _wrong(files: Files) -> Iterator[tuple[str, Files]]:
    """What must be refused."""
    commitment, image, proof = files
    shape = form(ModelCommitment.from_bytes(commitment, G1.from_compressed).circuit)
    points = HEADER_BYTES + OUTPUT_BYTES * shape.outputs

    def put(at: int, data: bytes) -> Files:
        return commitment, image, proof[:at] + data + proof[at + len(data) :]

    yield "another input", (commitment, bytes([image[0] ^ 1]) + image[1:], proof)
    yield "an input less", (commitment, image[:-1], proof)
    yield "another digit", put(HEADER_BYTES - 2, bytes([(proof[HEADER_BYTES - 2] + 1) % 3]))
    yield "another model id", put(5, bytes([proof[5] ^ 1]))
    if shape.outputs:
        yield "an output less by one", put(HEADER_BYTES, bytes([proof[HEADER_BYTES] - 1 & 255]))
        yield "an output out of range", put(HEADER_BYTES, b"\xff" * 7 + b"\x7f")
    if "quotient_high" in shape.points:
        at = points + POINT_BYTES * shape.points.index("quotient")
        yield "the pieces of the quotient swapped", put(at, proof[at + POINT_BYTES : at + 2 * POINT_BYTES] + proof[at : at + POINT_BYTES])
    for number, name in enumerate(shape.points):
        at = points + POINT_BYTES * number
        yield f"point {name} negated", put(at, bytes([proof[at] ^ 0x20]))
    yield "cut", (commitment, image, proof[:-1])


def _refusal(files: Files) -> str:
    """The class of the native verifier's refusal, or nothing."""
    commitment = ModelCommitment.from_bytes(files[0], G1.from_compressed)
    try:
        native.verify(commitment, files[1], native.parse_proof(files[2], form(commitment.circuit)))
    except VerificationError as error:
        return type(error).__name__
    return ""
