"""Changes to a statement and its on-chain proof, each with the error that the contract must answer with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.placement import COMPACT_FORM
from zkpredict.contracts.artifact import Artifact
from zkpredict.contracts.chain.precompiles import FIELD_PRIME
from zkpredict.contracts.verifier.encoding import FinalCheck, absorbed_points, onchain_proof
from zkpredict.kernel import G1
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import VerificationError
from zkpredict.verifier.messages import Proof
from zkpredict.verifier.native import verify

MSM = "0x000000000000000000000000000000000000000c"
ABSORBED_POINTS, SCALAR_NAMES = absorbed_points(), COMPACT_FORM.scalars
SCALARS_AT = 96 * len(ABSORBED_POINTS)
FINAL_AT = SCALARS_AT + 32 * len(SCALAR_NAMES)


@dataclass(frozen=True)
class Call:
    """Arguments of `verify`."""

    model_id: bytes
    image: bytes
    digit: int
    proof: bytes

    @property
    def arguments(self) -> tuple:
        return self.model_id, self.image, self.digit, self.proof


@dataclass(frozen=True)
class Refused:
    """A changed call, the error expected for it and the error's arguments."""

    name: str
    call: Call
    error: str
    found: tuple = ()


def honest(commitment: ModelCommitment, image: bytes, proof: Proof, check: FinalCheck = FinalCheck.POINT_EVALUATION) -> Call:
    return Call(commitment.model_id, image, proof.digit, onchain_proof(proof, check))


def refusals(call: Call, circuit, check: FinalCheck = FinalCheck.POINT_EVALUATION, other_model: bytes | None = None) -> Iterator[Refused]:
    """Every change of one argument or of one part of the proof."""
    yield from _statements(call, circuit, other_model)
    yield from _points(call)
    yield from _scalars(call)
    yield from _finals(call, check)
    for name, proof in {"short": call.proof[:-1], "long": call.proof + b"\x00", "empty": b""}.items():
        yield Refused(f"{name} proof", replace(call, proof=proof), "WrongProofLength", (len(proof),))


def _statements(call: Call, circuit, other_model: bytes | None) -> Iterator[Refused]:
    other = (call.digit + 1) % circuit.classes
    yield Refused("another digit", replace(call, digit=other), "OpeningFailed")
    yield Refused("a digit that is no class", replace(call, digit=circuit.classes), "WrongDigit", (circuit.classes,))
    huge = call.digit + (1 << 255)
    yield Refused("a huge digit", replace(call, digit=huge), "WrongDigit", (huge,))
    for pixel in (0, len(call.image) // 2, len(call.image) - 1):
        image = bytearray(call.image)
        image[pixel] ^= 1
        yield Refused(f"pixel {pixel}", replace(call, image=bytes(image)), "OpeningFailed")
    yield Refused("short image", replace(call, image=call.image[:-1]), "WrongImageLength", (len(call.image) - 1,))
    yield Refused("long image", replace(call, image=call.image + b"\x00"), "WrongImageLength", (len(call.image) + 1,))
    unknown = bytes(31) + b"\x01"
    yield Refused("unknown model", replace(call, model_id=unknown), "UnknownModel", (unknown,))
    if other_model is not None:
        yield Refused("another model", replace(call, model_id=other_model), "OpeningFailed")


def _points(call: Call) -> Iterator[Refused]:
    generator = G1.generator().to_uncompressed()
    for index, name in enumerate(ABSORBED_POINTS):
        at = 96 * index
        point = call.proof[at : at + 96]
        yield Refused(f"another {name}", _changed(call, at, generator), "OpeningFailed")
        yield Refused(f"{name} negated", _changed(call, at, negated(point)), "OpeningFailed")
        yield Refused(f"{name} at infinity", _changed(call, at, bytes(96)), "PointAtInfinity", (index,))
    x, y = (int.from_bytes(call.proof[at : at + 48], "big") for at in (0, 48))
    bad = {
        "x + p": (x + FIELD_PRIME, y),
        "y + p": (x, y + FIELD_PRIME),
        "a point off the curve": (x, y ^ 1),
        "a point outside the subgroup": outside_subgroup(),
    }
    for name, (one, two) in bad.items():
        for index in (0, len(ABSORBED_POINTS) - 1):
            point = one.to_bytes(48, "big") + two.to_bytes(48, "big")
            yield Refused(f"{name} as {ABSORBED_POINTS[index]}", _changed(call, 96 * index, point), "PrecompileFailed", (MSM,))
    swapped = call.proof[96:192] + call.proof[:96] + call.proof[192:]
    yield Refused("swapped points", replace(call, proof=swapped), "OpeningFailed")


def _scalars(call: Call) -> Iterator[Refused]:
    for index, name in enumerate(SCALAR_NAMES):
        at = SCALARS_AT + 32 * index
        value = int.from_bytes(call.proof[at : at + 32], "big")
        more = ((value + 1) % MODULUS).to_bytes(32, "big")
        yield Refused(f"{name} + 1", _changed(call, at, more), "OpeningFailed")
        for wrong, kind in ((value + MODULUS, "+ r"), ((1 << 256) - 1, "all ones"), (MODULUS, "= r")):
            yield Refused(f"{name} {kind}", _changed(call, at, wrong.to_bytes(32, "big")), "ScalarNotCanonical", (index,))


def _finals(call: Call, check: FinalCheck) -> Iterator[Refused]:
    x, y = outside_subgroup()
    if check is FinalCheck.PAIRING:
        found = call.proof[FINAL_AT:]
        yield Refused("another final", _changed(call, FINAL_AT, G1.generator().to_uncompressed()), "OpeningFailed")
        yield Refused("final negated", _changed(call, FINAL_AT, negated(found)), "OpeningFailed")
        yield Refused("final at infinity", _changed(call, FINAL_AT, bytes(96)), "PointAtInfinity", (7,))
        outside = x.to_bytes(48, "big") + y.to_bytes(48, "big")
        yield Refused("final outside the subgroup", _changed(call, FINAL_AT, outside), "PrecompileFailed", (MSM,))
        return
    found = call.proof[FINAL_AT:]
    yield Refused("another final", _changed(call, FINAL_AT, G1.generator().to_compressed()), "OpeningFailed")
    yield Refused("final negated", _changed(call, FINAL_AT, bytes([found[0] ^ 0x20]) + found[1:]), "OpeningFailed")
    yield Refused("final without its flag", _changed(call, FINAL_AT, bytes([found[0] & 0x7F]) + found[1:]), "OpeningFailed")
    yield Refused("final at infinity", _changed(call, FINAL_AT, b"\xc0" + bytes(47)), "PointAtInfinity", (7,))
    flagged = bytes([found[0] | 0x40]) + found[1:]
    yield Refused("final with the flag of infinity", _changed(call, FINAL_AT, flagged), "PointAtInfinity", (7,))
    outside = (x | 1 << 383 | (1 << 381 if y > (FIELD_PRIME - 1) // 2 else 0)).to_bytes(48, "big")
    yield Refused("final outside the subgroup", _changed(call, FINAL_AT, outside), "OpeningFailed")
    noncanonical = (int.from_bytes(found, "big") & (1 << 381) - 1) + FIELD_PRIME
    if noncanonical < 1 << 381:
        flags = (found[0] & 0xE0) << 376
        yield Refused("final with x + p", _changed(call, FINAL_AT, (noncanonical | flags).to_bytes(48, "big")), "OpeningFailed")


def changed_proofs(proof: Proof, classes: int) -> Iterator[tuple[str, Proof]]:
    """The changes that every verifier can read: another point or value in each place, another digit."""
    point = G1.generator()
    for name in proof.points:
        yield name, proof.changed(points={name: point})
    for name, value in proof.scalars.items():
        yield name, proof.changed(scalars={name: (value + 1) % MODULUS})
    yield "digit", replace(proof, digit=(proof.digit + 1) % classes)


def natively_accepted(commitment: ModelCommitment, image: bytes, proof: Proof) -> bool:
    try:
        verify(commitment, image, proof)
    except VerificationError:
        return False
    return True


def raw_calldata(artifact: Artifact, call: Call, function: str = "verify") -> bytes:
    return artifact.encode(function, *call.arguments)


def negated(point: bytes) -> bytes:
    return point[:48] + (FIELD_PRIME - int.from_bytes(point[48:], "big")).to_bytes(48, "big")


def outside_subgroup() -> tuple[int, int]:
    """The point of smallest positive x that is on the curve y^2 = x^3 + 4 and not in the subgroup."""
    x = 1
    while True:
        y = pow(x**3 + 4, (FIELD_PRIME + 1) // 4, FIELD_PRIME)
        if y * y % FIELD_PRIME == (x**3 + 4) % FIELD_PRIME and not _in_subgroup(x, y):
            return x, y
        x += 1


def _in_subgroup(x: int, y: int) -> bool:
    try:
        G1.from_uncompressed(x.to_bytes(48, "big") + y.to_bytes(48, "big"))
    except ValueError:
        return False
    return True


def _changed(call: Call, at: int, data: bytes) -> Call:
    return replace(call, proof=call.proof[:at] + data + call.proof[at + len(data) :])
