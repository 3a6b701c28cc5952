"""The public commitment of a private model: its circuit and one hiding KZG commitment for each packed weight row.

    magic "zkpK" 01 | circuit | row count u16 little-endian | rows of 48 bytes, compressed

Version 02 shows a schema (`zkpredict.circuits.files.schema`), which the model id binds (`zkpredict.verifier.binding`): its first row
is P of that page, and behind the rows come the schema's length u32 and bytes. A commitment without one is of version 01.

The model id is keccak(keccak("zkpredict model v1" | circuit digest) | rows, uncompressed, 96 bytes each): it pins shape and weights.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.files.order import Picture
from zkpredict.circuits.files.schema import Schema, read_schema
from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.files.storage import read_file, write_atomically
from zkpredict.circuits.placement import AnyCircuit, read_circuit
from zkpredict.circuits.records import dataclass
from zkpredict.verifier.binding import bound_row
from zkpredict.verifier.messages import POINT_BYTES, Point
from zkpredict.verifier.transcript import MODEL_LABEL, context, keccak256

if TYPE_CHECKING:
    import numpy as np

MAGIC, SCHEMA_MAGIC = b"zkpK\x01", b"zkpK\x02"
MAX_COMMITMENT_BYTES = 1 << 22


@dataclass(frozen=True)
class ModelCommitment:
    """`rows`: the points of layer 0, then of layer 1, and so on; `circuit.total_rows` of them, none at infinity.

    `schema` and `inner` come from `bound` alone, or are left out: the schema, and the first row before it was bound. Raises
    `MalformedFile` for anything else. That points are in the subgroup is for whoever decodes them to check.
    """

    circuit: AnyCircuit
    rows: tuple[Point, ...]
    schema: Schema = Schema()
    inner: Point | None = None

    @classmethod
    def bound(
        cls, circuit: AnyCircuit, rows: tuple[Point, ...], schema: Schema, decode_point: Callable[[bytes], Point]
    ) -> ModelCommitment:
        """The commitment whose first row is `rows[0]` with the schema bound to it; `rows` as they are when the schema says nothing."""
        if not schema:
            return cls(circuit, rows)
        return cls(circuit, (bound_row(circuit, rows[0], schema, decode_point), *rows[1:]), schema, rows[0])

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(self.rows))
        if len(self.rows) != self.circuit.total_rows:
            raise MalformedFile(f"commitment: has {len(self.rows)} rows, its circuit needs {self.circuit.total_rows}")
        for number, row in enumerate(self.rows):
            if row.to_compressed()[0] & 0x40:
                raise MalformedFile(f"commitment: row {number} is the point at infinity")

    @cached_property
    def model_id(self) -> bytes:
        """32 bytes that name this model on and off the chain."""
        start = context(MODEL_LABEL, self.circuit.digest)
        return keccak256(start + b"".join(row.to_uncompressed() for row in self.rows))

    def to_bytes(self) -> bytes:
        """The canonical commitment file."""
        count = len(self.rows).to_bytes(2, "little")
        rows = self.rows if self.inner is None else (self.inner, *self.rows[1:])
        parts = [self.circuit.to_bytes(), count, *(row.to_compressed() for row in rows)]
        if self.inner is None:
            return b"".join([MAGIC, *parts])
        schema = self.schema.to_bytes()
        return b"".join([SCHEMA_MAGIC, *parts, len(schema).to_bytes(4, "little"), schema])

    @classmethod
    def from_bytes(cls, data: bytes, decode_point: Callable[[bytes], Point], what: str = "commitment") -> ModelCommitment:
        """Parses and checks a commitment file; `decode_point` refuses bad points by ValueError. Raises `MalformedFile`."""
        reader = ByteReader(data, what)
        has_schema = data[: len(MAGIC)] == SCHEMA_MAGIC
        reader.expect(SCHEMA_MAGIC if has_schema else MAGIC, "commitment magic")
        circuit = read_circuit(reader)
        count = reader.unsigned(2, "row count")
        if count != circuit.total_rows:
            raise MalformedFile(f"{what}: has {count} rows, its circuit needs {circuit.total_rows}")
        encoded = [reader.take(POINT_BYTES, f"row {number}") for number in range(count)]
        schema = read_schema(reader, circuit.inputs, circuit.classes) if has_schema else Schema()
        reader.finish()
        rows = []
        for number, raw in enumerate(encoded):
            if raw[0] & 0x40:
                raise MalformedFile(f"{what}: row {number} is the point at infinity")
            try:
                rows.append(decode_point(raw))
            except ValueError as error:
                raise MalformedFile(f"{what}: row {number}: {error}") from None
        return cls.bound(circuit, tuple(rows), schema, decode_point)

    @property
    def picture(self) -> Picture | None:
        """Rows, columns and channels of what the model reads; None when its first layer is dense."""
        return self.circuit.picture

    def encode(self, readings: object) -> np.ndarray:
        """One row of readings as the bytes that are proven, uint8 [inputs]: a mapping from feature names, a row of a DataFrame, or
        numbers in the order of the features. Raises `UnusableInput`."""
        from zkpredict.circuits.files.tables import encode_readings

        return encode_readings(readings, self.schema, self.circuit.inputs)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the file atomically."""
        write_atomically(path, self.to_bytes())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> ModelCommitment:
        """Reads a commitment with the native kernel's points. Raises `UnusableInput` or `MalformedFile`."""
        from zkpredict.kernel import G1

        data = read_file(path, "commitment", MAX_COMMITMENT_BYTES)
        return cls.from_bytes(data, G1.from_compressed, str(path))
