"""What the prover sends, and the bytes of a proof file.

    magic "zkpP" 01 | model id 32 | digit u16 little-endian | outputs i64 little-endian | points of 48 bytes | scalars of 32 bytes, big-endian

Which outputs (for most circuits none), points and scalars, and in which rounds, is the form of the circuit (`circuits.columns.Form`). Points are generic: each verifier
decodes the 48 bytes into its own type, which offers `to_compressed()` (48 bytes, ZCash format) and `to_uncompressed()` (96 bytes, x
then y, big-endian). The transcript absorbs the uncompressed form, as the contract does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol, Self

from zkpredict.circuits.columns import Form, Round
from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.placement import COMPACT_FORM
from zkpredict.circuits.records import dataclass, field, replace
from zkpredict.circuits.statement import OUTPUT_BYTES, Statement
from zkpredict.verifier.errors import MalformedProof
from zkpredict.verifier.transcript import Transcript

MAGIC, BATCH_MAGIC, SCORE_MAGIC, REGISTERED_MAGIC = b"zkpP\x01", b"zkpB\x01", b"zkpR\x01", b"zkpR\x02"
MODEL_ID_BYTES = 32
DIGIT_BYTES = 2
POINT_BYTES, SCALAR_BYTES = 48, 32
HEADER_BYTES = len(MAGIC) + MODEL_ID_BYTES + DIGIT_BYTES
_INFINITY = 0x40
_OUTPUT_LIMIT = 1 << (8 * OUTPUT_BYTES - 1)


class Point(Protocol):
    """A point of G1 in some library."""

    def to_compressed(self) -> bytes: ...

    def to_uncompressed(self) -> bytes: ...

    def __add__(self, other: Self, /) -> Self: ...

    def mul(self, scalar: int) -> Self: ...


def proof_bytes(form: Form = COMPACT_FORM) -> int:
    """How long a proof file of this form is."""
    return HEADER_BYTES + form.outputs * OUTPUT_BYTES + len(form.points) * POINT_BYTES + len(form.scalars) * SCALAR_BYTES


@dataclass(frozen=True)
class Proof:
    """A whole proof with the model it is for and the class it claims. `points` and `scalars` by name, in the order of `form`.

    Raises `MalformedProof` for what no parser would give back: other names, a point at infinity, a scalar that is not in [0, r).
    """

    model_id: bytes
    digit: int
    points: Mapping[str, Point]
    scalars: Mapping[str, int]
    form: Form = field(default=COMPACT_FORM, repr=False)
    outputs: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "outputs", tuple(self.outputs))
        object.__setattr__(self, "points", MappingProxyType(dict(self.points)))
        object.__setattr__(self, "scalars", MappingProxyType(dict(self.scalars)))
        if len(self.model_id) != MODEL_ID_BYTES or not 0 <= self.digit < 1 << (8 * DIGIT_BYTES):
            raise MalformedProof(
                f"proof: the model id has {len(self.model_id)} bytes, expected {MODEL_ID_BYTES}, or the digit {self.digit} not "
                f"{DIGIT_BYTES} bytes"
            )
        if len(self.outputs) != self.form.outputs or not all(-_OUTPUT_LIMIT <= value < _OUTPUT_LIMIT for value in self.outputs):
            raise MalformedProof(
                f"proof: it states {len(self.outputs)} outputs, expected {self.form.outputs} of {OUTPUT_BYTES} bytes each"
            )
        for kind, found, expected in (("points", self.points, self.form.points), ("scalars", self.scalars, self.form.scalars)):
            if tuple(found) != expected:
                raise MalformedProof(f"proof: its {kind} are {', '.join(found)}, expected {', '.join(expected)}")
        check_parts(self.points, self.scalars)

    def to_bytes(self) -> bytes:
        """The canonical proof file."""
        header = MAGIC + self.model_id + self.digit.to_bytes(DIGIT_BYTES, "little")
        header += b"".join(value.to_bytes(OUTPUT_BYTES, "little", signed=True) for value in self.outputs)
        points = b"".join(point.to_compressed() for point in self.points.values())
        return header + points + b"".join(map(encode_scalar, self.scalars.values()))

    def changed(self, points: Mapping[str, Point] | None = None, scalars: Mapping[str, int] | None = None) -> Proof:
        """The same proof with some parts replaced."""
        return replace(self, points={**self.points, **(points or {})}, scalars={**self.scalars, **(scalars or {})})

    @classmethod
    def from_bytes(cls, data: bytes, decode_point: Callable[[bytes], Point], form: Form = COMPACT_FORM) -> Proof:
        """Parses and checks a proof file. `decode_point` must refuse, by ValueError, what is not a point of the subgroup.

        Raises `MalformedProof`: wrong magic or length, scalar >= r, bad point, point at infinity, trailing bytes.
        """
        if data.startswith(BATCH_MAGIC):
            raise MalformedProof("proof: this is one of a batch: `zkpredict verify-batch` checks it")
        reader = ByteReader(data, "proof")
        try:
            reader.expect(MAGIC, "magic")
            model_id = reader.take(MODEL_ID_BYTES, "model id")
            digit = reader.unsigned(DIGIT_BYTES, "digit")
            outputs = tuple(
                int.from_bytes(reader.take(OUTPUT_BYTES, f"output {number}"), "little", signed=True) for number in range(form.outputs)
            )
            encoded = {name: reader.take(POINT_BYTES, f"point {number}") for number, name in enumerate(form.points)}
            scalars = {name: int.from_bytes(reader.take(SCALAR_BYTES, f"scalar {name}"), "big") for name in form.scalars}
            reader.finish()
        except MalformedFile as error:
            raise MalformedProof(str(error)) from None
        points = {name: read_point(raw, name, decode_point) for name, raw in encoded.items()}
        return cls(model_id, digit, points, scalars, form, outputs)


def check_parts(points: Mapping[str, Point], scalars: Mapping[str, int]) -> None:
    """Refuses points at infinity and scalars that are not canonical. Raises `MalformedProof`."""
    for name, point in points.items():
        if point.to_compressed()[0] & _INFINITY:
            raise MalformedProof(f"proof: point {name} is at infinity")
    for name, value in scalars.items():
        if not 0 <= value < MODULUS:
            raise MalformedProof(f"proof: scalar {name} is not below the field order")


def absorbed(message: Round, points: Mapping[str, Point], scalars: Mapping[str, int]) -> bytes:
    """What the transcript sees of one round: uncompressed points, then scalars of 32 bytes, big-endian."""
    parts = [points[name].to_uncompressed() for name in message.points]
    return b"".join(parts + [encode_scalar(scalars[name]) for name in message.scalars])


def derive_challenges(circuit_digest: bytes, statement: Statement, proof: Proof) -> dict[str, int]:
    """Runs the transcript over a proof: every challenge by name. Nothing follows the last message, so nobody absorbs it."""
    transcript = Transcript(circuit_digest, proof.model_id, statement)
    found: dict[str, int] = {}
    for message in proof.form.rounds[:-1]:
        transcript.absorb(absorbed(message, proof.points, proof.scalars))
        found |= transcript.draw(message.challenges)
        found |= proof.form.derive(found)
    return found


def encode_scalar(value: int) -> bytes:
    """32 bytes, big-endian."""
    return value.to_bytes(SCALAR_BYTES, "big")


def read_point(raw: bytes, name: str, decode_point: Callable[[bytes], Point]) -> Point:
    """The point `name` of a proof. Raises `MalformedProof`."""
    if raw[0] & _INFINITY:
        raise MalformedProof(f"proof: point {name} is at infinity")
    try:
        return decode_point(raw)
    except ValueError as error:
        raise MalformedProof(f"proof: point {name}: {error}") from None
