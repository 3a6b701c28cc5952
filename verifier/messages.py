"""What the prover sends, round by round, and the bytes of a proof file.

    magic "zkpP" 01 | model id 32 | digit u16 little-endian | 8 points of 48 bytes | 5 scalars of 32 bytes, big-endian

Points are generic: each verifier decodes the 48 bytes into its own type, which offers `to_compressed()` (48 bytes, ZCash format) and
`to_uncompressed()` (96 bytes, x then y, big-endian). The transcript absorbs the uncompressed form, as the contract does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass, fields
from typing import Protocol

from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.field import MODULUS
from zkpredict.verifier.errors import MalformedProof

MAGIC = b"zkpP\x01"
POINT_BYTES, SCALAR_BYTES = 48, 32


class Point(Protocol):
    """A point of G1 in some library."""

    def to_compressed(self) -> bytes: ...

    def to_uncompressed(self) -> bytes: ...

    def __add__(self, other: Point) -> Point: ...

    def mul(self, scalar: int) -> Point: ...


class _Points:
    """A message made of points only."""

    @property
    def points(self) -> tuple[Point, ...]:
        """All of them, in order."""
        return tuple(getattr(self, field.name) for field in fields(self))

    def absorbed(self) -> bytes:
        """What the transcript sees: the uncompressed points."""
        return b"".join(point.to_uncompressed() for point in self.points)


@dataclass(frozen=True)
class TraceCommitments(_Points):
    """Round 1: the three trace columns. Answered by alpha and beta."""

    limb: Point
    horner: Point
    cell: Point


@dataclass(frozen=True)
class SumCommitments(_Points):
    """Round 2: the running sums of the linear check and of the lookup. Answered by delta."""

    linear: Point
    lookup: Point


@dataclass(frozen=True)
class QuotientCommitment(_Points):
    """Round 3: the quotient of the combined constraint by X^n - 1. Answered by rho."""

    quotient: Point


@dataclass(frozen=True)
class Evaluations:
    """Round 4: values in [0, r). `limb`, `cell`, `table` at rho, `cell_next` at omega rho, and `linearised_next`: the value at
    omega rho of everything that occurs linearly there. Answered by nu."""

    limb: int
    cell: int
    table: int
    cell_next: int
    linearised_next: int

    def absorbed(self) -> bytes:
        """What the transcript sees: 32 bytes each, big-endian."""
        return b"".join(value.to_bytes(SCALAR_BYTES, "big") for value in astuple(self))

    def of_cell(self, column: str, rotation: int) -> int | None:
        """The stated value of a cell, or None for one that is never opened."""
        return {("limb", 0): self.limb, ("cell", 0): self.cell, ("table", 0): self.table, ("cell", 1): self.cell_next}.get(
            (column, rotation)
        )


@dataclass(frozen=True)
class OpeningCommitment(_Points):
    """Round 5: the quotient W of the multi-point opening. Answered by zeta."""

    opening: Point


_POINT_MESSAGES = (TraceCommitments, SumCommitments, QuotientCommitment, OpeningCommitment)
POINT_NAMES = (*(field.name for message in _POINT_MESSAGES for field in fields(message)), "final")
"""The points of a proof, in the order of the rounds and of the file."""
SCALAR_NAMES = tuple(field.name for field in fields(Evaluations))
"""The scalars of a proof, behind the points."""
HEADER_BYTES = len(MAGIC) + 32 + 2
PROOF_BYTES = HEADER_BYTES + len(POINT_NAMES) * POINT_BYTES + len(SCALAR_NAMES) * SCALAR_BYTES


@dataclass(frozen=True)
class Proof:
    """A whole proof with the model it is for and the digit it claims. `final` opens the folded polynomial at zeta."""

    model_id: bytes
    digit: int
    trace: TraceCommitments
    sums: SumCommitments
    quotient: QuotientCommitment
    evaluations: Evaluations
    opening: OpeningCommitment
    final: Point

    @property
    def points(self) -> tuple[Point, ...]:
        """All of them, in the order of `POINT_NAMES`."""
        return (*self.trace.points, *self.sums.points, *self.quotient.points, *self.opening.points, self.final)

    def to_bytes(self) -> bytes:
        """The canonical proof file."""
        header = MAGIC + self.model_id + self.digit.to_bytes(2, "little")
        return header + b"".join(point.to_compressed() for point in self.points) + self.evaluations.absorbed()

    @classmethod
    def from_bytes(cls, data: bytes, decode_point: Callable[[bytes], Point]) -> Proof:
        """Parses and checks a proof file. `decode_point` must refuse, by ValueError, what is not a point of the subgroup.

        Raises `MalformedProof`: wrong magic or length, scalar >= r, bad point, point at infinity, trailing bytes.
        """
        reader = ByteReader(data, "proof")
        try:
            reader.expect(MAGIC, "magic")
            model_id = reader.take(32, "model id")
            digit = reader.unsigned(2, "digit")
            encoded = [reader.take(POINT_BYTES, f"point {number}") for number in range(len(POINT_NAMES))]
            scalars = [_scalar(reader, name) for name in SCALAR_NAMES]
            reader.finish()
        except MalformedFile as error:
            raise MalformedProof(str(error)) from None
        points = [_point(raw, name, decode_point) for raw, name in zip(encoded, POINT_NAMES)]
        return cls(
            model_id,
            digit,
            TraceCommitments(*points[:3]),
            SumCommitments(*points[3:5]),
            QuotientCommitment(points[5]),
            Evaluations(*scalars),
            OpeningCommitment(points[6]),
            points[7],
        )


def _scalar(reader: ByteReader, name: str) -> int:
    value = int.from_bytes(reader.take(SCALAR_BYTES, f"scalar {name}"), "big")
    if value >= MODULUS:
        raise MalformedProof(f"proof: scalar {name} is not below the field order")
    return value


def _point(raw: bytes, name: str, decode_point: Callable[[bytes], Point]) -> Point:
    if raw[0] & 0x40:
        raise MalformedProof(f"proof: point {name} is at infinity")
    try:
        return decode_point(raw)
    except ValueError as error:
        raise MalformedProof(f"proof: point {name}: {error}") from None
