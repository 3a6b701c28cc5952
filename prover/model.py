"""The private model file: the integer network, and after `commit` its circuit, public rows and the secrets that hide them.

    magic "zkpM" 01 | network | committed u8 | if 1: commitment file bytes with u32 length | one 32-byte big-endian secret per row

Version 02 has the model's schema (`zkpredict.circuits.files.schema`) with u32 length behind the network; a model without one is
written as version 01.

Whoever has this file has the weights. `repr`, errors and logs never show weights or secrets.
"""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING

from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.choice import AnyCompiled, compile_as
from zkpredict.circuits.files.order import Picture, check_order
from zkpredict.circuits.files.schema import Schema, read_schema
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork, UnusableInput
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.files.storage import read_file, write_atomically
from zkpredict.circuits.networks.dense import MAX_WEIGHTS
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.circuits.records import dataclass, field
from zkpredict.circuits.sizes import compile_or_advise
from zkpredict.kernel import G1
from zkpredict.verifier.commitment import ModelCommitment

if TYPE_CHECKING:
    import numpy as np

MAGIC, SCHEMA_MAGIC = b"zkpM\x01", b"zkpM\x02"
MAX_BYTES = 16 * MAX_WEIGHTS
"""Weights of 8 bytes, and as much again for biases, commitment and secrets."""


@dataclass(frozen=True)
class Committed:
    """What `commit` adds: the public commitment, and `secrets`: the random entry of each row, in [0, r)."""

    commitment: ModelCommitment
    secrets: tuple[int, ...] = field(repr=False)


@dataclass(frozen=True)
class Model:
    """A private network, ready to prove once it is committed. `schema`: what its bytes and classes mean, when it says so."""

    network: IntegerNetwork = field(repr=False)
    committed: Committed | None = None
    schema: Schema = Schema()

    @property
    def commitment(self) -> ModelCommitment:
        """The public commitment. Raises `UnusableInput` before `zkpredict commit`."""
        return self._require_committed().commitment

    @property
    def secrets(self) -> tuple[int, ...]:
        """The random entries of the rows. Private."""
        return self._require_committed().secrets

    @cached_property
    def compiled(self) -> AnyCompiled:
        """The network laid out in the committed circuit (or in the smallest one that fits)."""
        if self.committed:
            return compile_as(self.network, self.committed.commitment.circuit)
        return compile_or_advise(self.network)

    def encode(self, readings: object) -> np.ndarray:
        """One row of readings as the bytes that are proven: see `ModelCommitment.encode`."""
        from zkpredict.circuits.files.tables import encode_readings

        return encode_readings(readings, self.schema, self.network.shape[0])

    @property
    def picture(self) -> Picture | None:
        """Rows, columns and channels of what it reads; None when its first layer is dense."""
        return self.network.picture

    def predict(self, image: np.ndarray) -> int:
        """The class of one image, uint8 [inputs] or in the shape of the `picture`, by the integer reference. Raises `UnusableInput`."""
        check_order(image.shape, self.picture, "the image")
        return self.network.predict(image.reshape(-1))

    def to_bytes(self) -> bytes:
        """The canonical model file."""
        parts = [MAGIC, self.network.to_bytes()]
        if self.schema:
            schema = self.schema.to_bytes()
            parts = [SCHEMA_MAGIC, self.network.to_bytes(), len(schema).to_bytes(4, "little"), schema]
        if self.committed is None:
            return b"".join([*parts, b"\x00"])
        public = self.commitment.to_bytes()
        secrets = b"".join(secret.to_bytes(32, "big") for secret in self.secrets)
        return b"".join([*parts, b"\x01", len(public).to_bytes(4, "little"), public, secrets])

    @classmethod
    def from_bytes(cls, data: bytes, what: str = "model") -> Model:
        """Parses and checks a model file. Raises `MalformedFile`; no message shows a secret."""
        reader = ByteReader(data, what)
        has_schema = data[: len(MAGIC)] == SCHEMA_MAGIC
        reader.expect(SCHEMA_MAGIC if has_schema else MAGIC, "model magic")
        network = IntegerNetwork.read(reader)
        schema = read_schema(reader, network.shape[0], network.shape[-1]) if has_schema else Schema()
        flag = reader.unsigned(1, "committed flag")
        if flag > 1:
            raise MalformedFile(f"{what}: committed flag is {flag}, expected 0 or 1")
        if not flag:
            reader.finish()
            return cls(network, schema=schema)
        public = reader.take(reader.unsigned(4, "commitment length"), "commitment")
        commitment = ModelCommitment.from_bytes(public, G1.from_compressed, what)
        if commitment.schema != schema:
            raise MalformedFile(f"{what}: the commitment shows another schema than the model")
        secrets = tuple(int.from_bytes(reader.take(32, f"secret {i}"), "big") for i in range(len(commitment.rows)))
        reader.finish()
        if any(secret >= MODULUS for secret in secrets):
            raise MalformedFile(f"{what}: a row secret is not below the field order")
        model = cls(network, Committed(commitment, secrets), schema)
        try:
            fits = model.compiled.circuit == commitment.circuit
        except UnsupportedNetwork:
            fits = False
        if not fits:
            raise MalformedFile(f"{what}: the commitment is for another circuit than network {network.name}")
        return model

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the file atomically, readable by its owner only."""
        write_atomically(path, self.to_bytes(), private=True)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Model:
        """Reads a model file. Raises `UnusableInput` or `MalformedFile`."""
        return cls.from_bytes(read_file(path, "model", MAX_BYTES), str(path))

    def _require_committed(self) -> Committed:
        if self.committed is None:
            raise UnusableInput("this model has no commitment yet: run `zkpredict commit` first")
        return self.committed
