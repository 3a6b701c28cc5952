"""Hiding an input: its commitment for everybody, and the opening that its owner keeps.

    magic "zkpO" 01 | hidden input (`zkpredict.verifier.hidden`) | the bytes | one 32-byte big-endian secret per point

Whoever has this file has the input. `repr`, errors and logs never show bytes or secrets.
"""

from __future__ import annotations

import os

import numpy as np

from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.files.storage import read_file, write_atomically
from zkpredict.circuits.networks.dense import MAX_WIDTH
from zkpredict.circuits.records import dataclass, field
from zkpredict.kernel import G1, Vector
from zkpredict.prover.randomness import random_scalars
from zkpredict.prover.setup import lagrange_key
from zkpredict.verifier.hidden import HiddenInput, parts_of

MAGIC = b"zkpO\x01"
MAX_BYTES = 1 << 18


class WrongOpening(MalformedFile):
    """An opening whose bytes and secrets are not what its hidden input commits to."""


@dataclass(frozen=True)
class OpenedInput:
    """A hidden input with what opens it: its bytes and the random entry of each point. Raises `MalformedFile` when they do not open it."""

    hidden: HiddenInput
    data: bytes = field(repr=False)
    secrets: tuple[int, ...] = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.data) != self.hidden.inputs or len(self.secrets) != len(self.hidden.points):
            raise MalformedFile(f"opening: {len(self.data)} bytes and {len(self.secrets)} secrets do not fit the hidden input")
        points = _commit(self.data, self.hidden.domain, self.secrets)
        if any(mine.to_compressed() != given.to_compressed() for mine, given in zip(points, self.hidden.points, strict=True)):
            raise WrongOpening("opening: these bytes are not what the hidden input commits to")

    def to_bytes(self) -> bytes:
        """The canonical opening file."""
        return MAGIC + self.hidden.to_bytes() + self.data + b"".join(secret.to_bytes(32, "big") for secret in self.secrets)

    @classmethod
    def from_bytes(cls, data: bytes, what: str = "opening") -> OpenedInput:
        """Parses and checks an opening file. Raises `MalformedFile`; no message shows a byte of the input."""
        reader = ByteReader(data, what)
        reader.expect(MAGIC, "opening magic")
        hidden = HiddenInput.read(reader, G1.from_compressed)
        own = reader.take(hidden.inputs, "input")
        secrets = tuple(int.from_bytes(reader.take(32, f"secret {number}"), "big") for number in range(len(hidden.points)))
        reader.finish()
        if any(secret >= MODULUS for secret in secrets):
            raise MalformedFile(f"{what}: a secret is not below the field order")
        return cls(hidden, own, secrets)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the file atomically, readable by its owner only."""
        write_atomically(path, self.to_bytes(), private=True)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> OpenedInput:
        """Reads an opening file. Raises `UnusableInput` or `MalformedFile`."""
        return cls.from_bytes(read_file(path, "opening", MAX_BYTES), str(path))


def hide(image: np.ndarray | bytes, domain: int | None = None) -> OpenedInput:
    """Commits to `image` (bytes, or uint8 of any shape) with fresh secrets: hiding it twice gives unlinkable commitments.

    `domain`: of the circuits that will read it; by default that of every network with this many inputs. Raises `MalformedFile` for
    sizes that no circuit takes, `UnusableInput` for an array of anything but bytes.
    """
    if isinstance(image, bytes | bytearray | memoryview):
        data = bytes(image)
    elif np.asarray(image).dtype == np.uint8:
        data = np.asarray(image).tobytes()
    else:
        raise UnusableInput(f"an input holds bytes (uint8), got {np.asarray(image).dtype}")
    if not 1 <= len(data) <= MAX_WIDTH:
        raise MalformedFile(f"an input has 1 to {MAX_WIDTH} bytes, got {len(data)}")
    from zkpredict.circuits.wide.compiler import private_domain  # late: who proves hides nothing new

    rows = domain or private_domain(len(data))
    secrets = tuple(random_scalars(parts_of(len(data), rows)).to_ints())
    return OpenedInput(HiddenInput(rows, len(data), tuple(_commit(data, rows, secrets))), data, secrets)


def hidden_values(data: bytes, domain: int, secrets: tuple[int, ...]) -> list[Vector]:
    """What the commitments of an input hold on the domain: n field elements for each point."""
    size, found = domain - 2, []
    for number, secret in enumerate(secrets):
        own = data[number * size : (number + 1) * size]
        found.append(Vector.concat([Vector.from_ints(list(own)), Vector.zeros(domain - 1 - len(own)), Vector.from_ints([secret])]))
    return found


def _commit(data: bytes, domain: int, secrets: tuple[int, ...]) -> list[G1]:
    return lagrange_key(domain).msm_each(hidden_values(data, domain, secrets))
