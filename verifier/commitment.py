"""The public commitment of a private model: its circuit and one hiding KZG commitment for each packed weight row.

    magic "zkpK" 01 | circuit | row count u16 little-endian | rows of 48 bytes, compressed

The model id is keccak(keccak("zkpredict model v1" | circuit digest) | rows, uncompressed, 96 bytes each): it pins shape and weights.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.files.storage import read_file, write_atomically
from zkpredict.circuits.layout import Circuit
from zkpredict.verifier.messages import POINT_BYTES, Point
from zkpredict.verifier.transcript import MODEL_LABEL, context, keccak256

MAGIC = b"zkpK\x01"
MAX_COMMITMENT_BYTES = 1 << 20


@dataclass(frozen=True)
class ModelCommitment:
    """`rows`: the points of layer 0, then of layer 1, and so on; `circuit.total_rows` of them."""

    circuit: Circuit
    rows: tuple[Point, ...]

    @cached_property
    def model_id(self) -> bytes:
        """32 bytes that name this model on and off the chain."""
        start = context(MODEL_LABEL, self.circuit.digest)
        return keccak256(start + b"".join(row.to_uncompressed() for row in self.rows))

    def to_bytes(self) -> bytes:
        """The canonical commitment file."""
        count = len(self.rows).to_bytes(2, "little")
        return MAGIC + self.circuit.to_bytes() + count + b"".join(row.to_compressed() for row in self.rows)

    @classmethod
    def from_bytes(cls, data: bytes, decode_point: Callable[[bytes], Point], what: str = "commitment") -> ModelCommitment:
        """Parses and checks a commitment file; `decode_point` refuses bad points by ValueError. Raises `MalformedFile`."""
        reader = ByteReader(data, what)
        reader.expect(MAGIC, "commitment magic")
        circuit = Circuit.read(reader)
        count = reader.unsigned(2, "row count")
        if count != circuit.total_rows:
            raise MalformedFile(f"{what}: has {count} rows, its circuit needs {circuit.total_rows}")
        encoded = [reader.take(POINT_BYTES, f"row {number}") for number in range(count)]
        reader.finish()
        rows = []
        for number, raw in enumerate(encoded):
            if raw[0] & 0x40:
                raise MalformedFile(f"{what}: row {number} is the point at infinity")
            try:
                rows.append(decode_point(raw))
            except ValueError as error:
                raise MalformedFile(f"{what}: row {number}: {error}") from None
        return cls(circuit, tuple(rows))

    def save(self, path: str | os.PathLike) -> None:
        """Writes the file atomically."""
        write_atomically(path, self.to_bytes())

    @classmethod
    def load(cls, path: str | os.PathLike) -> ModelCommitment:
        """Reads a commitment with the native kernel's points. Raises `UnusableInput` or `MalformedFile`."""
        from zkpredict.kernel import G1

        data = read_file(path, "commitment", MAX_COMMITMENT_BYTES)
        return cls.from_bytes(data, G1.from_compressed, str(path))
