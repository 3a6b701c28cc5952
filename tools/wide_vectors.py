"""Public test vectors of wide circuits, for `zkpredict.tools.vectors`: from stored proofs, by the independent verifier.

The proofs stay as they are in `tests/fuzz`; everything else is derived from them, so a run always gives the same bytes. New proofs come
from `tests/fuzz/make_wide_vectors.py`, `make_hidden_vectors.py` and `make_convolution_vectors.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from zkpredict.circuits.columns import Form
from zkpredict.circuits.convolution.layout import ConvCircuit
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.placement import form
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.circuits.wide.replicas import ReplicaCircuit
from zkpredict.kernel import G1
from zkpredict.verifier import independent, native
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import VerificationError
from zkpredict.verifier.hidden import HiddenInput
from zkpredict.verifier.independent_convolution import convolution_row_exponents
from zkpredict.verifier.independent_wide import fold_exponents, wide_row_exponents
from zkpredict.verifier.messages import HEADER_BYTES, OUTPUT_BYTES, POINT_BYTES, SCALAR_BYTES

STORED = Path(__file__).resolve().parents[1] / "tests" / "fuzz"
SOURCES = ("wide_vectors", "hidden_vectors", "convolution_vectors")
WHOLLY = "rational"
"""Of this one, with a rational gate and public logits, every point is changed once; of the others those that they alone have, and a few."""
HIDDEN_FOR = bytes(range(32))
"""Whom the stored proofs about hidden inputs are for."""
SHOWN_EXPONENTS = 6


@dataclass(frozen=True)
class Case:
    """The files of one statement. `image`: bytes, or the file of a hidden input."""

    name: str
    commitment: bytes
    image: bytes
    proof: bytes
    context: bytes = b""
    hidden: bool = False

    def texts(self) -> dict[str, str]:
        """What the vectors show, by name."""
        said = {"commitment": self.commitment, "hidden" if self.hidden else "image": self.image, "proof": self.proof}
        return {name: data.hex() for name, data in (said | ({"context": self.context} if self.context else {})).items()}

    @cached_property
    def known(self) -> ModelCommitment:
        return ModelCommitment.from_bytes(self.commitment, G1.from_compressed)

    @cached_property
    def shape(self) -> Form:
        return form(self.known.circuit)

    @property
    def input(self) -> bytes | HiddenInput:
        return HiddenInput.from_bytes(self.image, G1.from_compressed) if self.hidden else self.image

    def refusal(self) -> str:
        """The class of the native verifier's refusal, or nothing."""
        try:
            native.verify(self.known, self.input, native.parse_proof(self.proof, self.shape), self.context)
        except VerificationError as error:
            return type(error).__name__
        return ""

    def put(self, at: int, data: bytes) -> Case:
        """With other bytes in the proof."""
        return replace(self, proof=self.proof[:at] + data + self.proof[at + len(data) :])


def stored() -> list[Case]:
    """All statements."""
    found = []
    for source in SOURCES:
        for name, entry in json.loads((STORED / f"{source}.json").read_text(encoding="utf-8")).items():
            hidden = "hidden" in entry
            context = HIDDEN_FOR if hidden else bytes.fromhex(entry.get("context", ""))
            files = (bytes.fromhex(entry[key]) for key in ("commitment", "hidden" if hidden else "image", "proof"))
            found.append(Case(name, *files, context, hidden))
    return found


def wide_vectors() -> dict[str, Any]:
    """A commitment, an input and a proof of a wide circuit in; powers of alpha, form, challenges, public polynomials at rho and the digit out,
    or the kind of refusal. A refused case has what differs from the valid case number `given`."""
    cases = stored()
    refused = []
    for number, case in enumerate(cases):
        own = case.texts()
        for why, wrong in _wrong(case):
            error = wrong.refusal()
            if not error:
                raise AssertionError(f"{case.name}, {why}: it is accepted")
            changed = {name: text for name, text in ({"context": ""} | wrong.texts()).items() if own.get(name, "") != text}
            refused.append({"given": number, "why": why} | changed | {"error": error})
    return {"valid": [_valid(case) for case in cases], "invalid": refused}


def check_wide_independently() -> None:
    """Raises `AssertionError` unless the independent verifier accepts every stored proof; some seconds for each."""
    for case in stored():
        image = HiddenInput.from_bytes(case.image, independent.decode_point) if case.hidden else case.image
        proof = native.parse_proof(case.proof, case.shape)
        if independent.verify(case.commitment, image, case.proof, case.context) != proof.digit:
            raise AssertionError(f"the verifiers disagree about {case.name}")


def _valid(case: Case) -> dict[str, Any]:
    circuit, proof = case.known.circuit, native.parse_proof(case.proof, case.shape)
    if case.refusal() or not isinstance(circuit, WideCircuit):
        raise AssertionError(f"the stored proof {case.name} is refused")
    image = case.input
    absorbed = b"".join(image.absorbed) if isinstance(image, HiddenInput) else image
    challenges = independent.draw_challenges(circuit.digest, absorbed + case.context, proof)
    alpha, rho, eta = challenges["alpha"], challenges["rho"], challenges.get("eta", 0)
    publics = independent.public_values(circuit, image, proof.digit, alpha, rho, proof.outputs, eta)
    return {"name": case.name} | case.texts() | {
        "circuit": circuit.to_bytes().hex(), "model_id": case.known.model_id.hex(), "tracks": circuit.tracks,
        "claim": str(circuit.claim), "exponents": [[track, row, exponent] for (track, row), exponent in fold_exponents(circuit).items()][:SHOWN_EXPONENTS],
        "row_exponents": _row_exponents(circuit), "points": list(case.shape.points), "scalars": list(case.shape.scalars),
        "outputs": list(proof.outputs), "challenges": {name: f"0x{value:064x}" for name, value in challenges.items()},
        "publics": {name: f"0x{value:064x}" for name, value in sorted(publics.items())}, "digit": proof.digit,
    }  # fmt: skip


def _row_exponents(circuit: WideCircuit) -> dict[str, list[Any]]:
    """Each column of the model with the power of alpha of each row; in circuits with replicas a list of powers, one for each replica."""
    if isinstance(circuit, ReplicaCircuit):
        return {column.name: [list(own) for own in zip(column.exponents, *column.copies, strict=True)] for column in circuit.row_columns}
    return convolution_row_exponents(circuit) if isinstance(circuit, ConvCircuit) else wide_row_exponents(circuit)


def _wrong(case: Case) -> Iterator[tuple[str, Case]]:
    """What must be refused."""
    proof, shape = case.proof, case.shape
    points = HEADER_BYTES + OUTPUT_BYTES * shape.outputs
    scalars = points + POINT_BYTES * len(shape.points)
    if case.hidden:
        at = len(case.image) - POINT_BYTES
        yield "another hidden input", replace(case, image=case.image[:at] + bytes([case.image[at] ^ 0x20]) + case.image[at + 1 :])
    else:
        yield "another input", replace(case, image=bytes([case.image[0] ^ 1]) + case.image[1:])
        yield "an input less", replace(case, image=case.image[:-1])
    yield "another digit", case.put(HEADER_BYTES - 2, bytes([(proof[HEADER_BYTES - 2] + 1) % max(case.known.circuit.classes, 2)]))
    yield "another model id", case.put(5, bytes([proof[5] ^ 1]))
    yield "for somebody else" if case.context else "for somebody", replace(case, context=bytes(32))
    yield "cut", replace(case, proof=proof[:-1])
    if shape.outputs:
        yield "an output less by one", case.put(HEADER_BYTES, bytes([proof[HEADER_BYTES] - 1 & 255]))
        yield "an output out of range", case.put(HEADER_BYTES, b"\xff" * 7 + b"\x7f")
    if "quotient_high" in shape.points:
        at = points + POINT_BYTES * shape.points.index("quotient")
        yield "the pieces of the quotient swapped", case.put(at, proof[at + POINT_BYTES : at + 2 * POINT_BYTES] + proof[at : at + POINT_BYTES])
    some = ("exact0", "quotient_high", "input0", "final") if case.name != WHOLLY else shape.points
    for name in (name for name in some if name in shape.points):
        at = points + POINT_BYTES * shape.points.index(name)
        yield f"point {name} negated", case.put(at, bytes([proof[at] ^ 0x20]))
    for name in (shape.scalars[-1], *(scalar for scalar in shape.scalars if scalar.startswith("conv"))):
        at = scalars + SCALAR_BYTES * shape.scalars.index(name)
        value = (int.from_bytes(proof[at : at + SCALAR_BYTES], "big") + 1) % MODULUS
        yield f"scalar {name} plus one", case.put(at, value.to_bytes(SCALAR_BYTES, "big"))
