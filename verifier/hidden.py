"""An input under a hiding commitment: what its owner publishes, and what verifiers of proofs about it need.

    magic "zkpH" 01 | domain u16 | inputs u32 | points of 48 bytes, compressed; one for each n - 2 bytes

A point commits to bytes on rows 0..n-3 of the domain and one random entry on row n-1 (`circuits.wide.private`): uniform whatever the
bytes. Two proofs with one commitment are about one input, and say nothing else of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.files.storage import read_file, write_atomically
from zkpredict.circuits.networks.dense import MAX_WIDTH
from zkpredict.circuits.records import dataclass
from zkpredict.circuits.wide.layout import WIDE_DOMAINS
from zkpredict.verifier.messages import POINT_BYTES, Point

MAGIC = b"zkpH\x01"
MAX_BYTES = 1 << 13


@dataclass(frozen=True)
class HiddenInput:
    """`points` of a commitment to `inputs` bytes on `domain` rows. Raises `MalformedFile` for a number of points that does not fit."""

    domain: int
    inputs: int
    points: tuple[Point, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", tuple(self.points))
        if self.domain not in WIDE_DOMAINS or not 1 <= self.inputs <= MAX_WIDTH:
            raise MalformedFile(f"hidden input: {self.inputs} bytes on {self.domain} rows, expected 1..{MAX_WIDTH} on one of {WIDE_DOMAINS}")
        if len(self.points) != parts_of(self.inputs, self.domain):
            raise MalformedFile(
                f"hidden input: has {len(self.points)} points, {self.inputs} bytes on {self.domain} rows take "
                f"{parts_of(self.inputs, self.domain)}"
            )

    @property
    def absorbed(self) -> tuple[bytes, ...]:
        """What a statement holds: uncompressed points."""
        return tuple(point.to_uncompressed() for point in self.points)

    def to_bytes(self) -> bytes:
        """The canonical file."""
        head = self.domain.to_bytes(2, "little") + self.inputs.to_bytes(4, "little")
        return MAGIC + head + b"".join(point.to_compressed() for point in self.points)

    @classmethod
    def read(cls, reader: ByteReader, decode_point: Callable[[bytes], Point]) -> HiddenInput:
        """Parses `to_bytes` output at the cursor; `decode_point` refuses bad points by ValueError. Raises `MalformedFile`."""
        reader.expect(MAGIC, "hidden input magic")
        domain, inputs = reader.unsigned(2, "domain"), reader.unsigned(4, "input bytes")
        if domain not in WIDE_DOMAINS or not 1 <= inputs <= MAX_WIDTH:
            raise MalformedFile(f"{reader.what}: {inputs} bytes on {domain} rows, expected 1..{MAX_WIDTH} on one of {WIDE_DOMAINS}")
        points = []
        for number in range(parts_of(inputs, domain)):
            raw = reader.take(POINT_BYTES, f"point {number}")
            if raw[0] & 0x40:
                raise MalformedFile(f"{reader.what}: point {number} is at infinity")
            try:
                points.append(decode_point(raw))
            except ValueError as error:
                raise MalformedFile(f"{reader.what}: point {number}: {error}") from None
        return cls(domain, inputs, tuple(points))

    @classmethod
    def from_bytes(cls, data: bytes, decode_point: Callable[[bytes], Point], what: str = "hidden input") -> HiddenInput:
        """Parses exactly `to_bytes` output. Raises `MalformedFile`."""
        reader = ByteReader(data, what)
        found = cls.read(reader, decode_point)
        reader.finish()
        return found

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the file atomically."""
        write_atomically(path, self.to_bytes())

    @classmethod
    def load(cls, path: str | os.PathLike[str], decode_point: Callable[[bytes], Point] | None = None) -> HiddenInput:
        """Reads the file, by default with the native kernel's points. Raises `UnusableInput` or `MalformedFile`."""
        if decode_point is None:
            from zkpredict.kernel import G1

            decode_point = G1.from_compressed
        return cls.from_bytes(read_file(path, "hidden input", MAX_BYTES), decode_point, str(path))


def parts_of(inputs: int, domain: int) -> int:
    """How many points commit to so many bytes: two rows of each are not the input's."""
    return -(-inputs // (domain - 2))
