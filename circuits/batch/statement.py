"""What a proof of a batch says: a class for each of its inputs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from zkpredict.circuits.statement import Statement

COUNT_BYTES = 4
CLASS_BYTES = 2


def class_bytes(classes: Iterable[int]) -> bytes:
    """Classes, 2 bytes each, big-endian: as statements and contracts have them."""
    return b"".join(one.to_bytes(CLASS_BYTES, "big") for one in classes)


@dataclass(frozen=True)
class BatchStatement(Statement):
    """"The network gives input b the class `classes[b]`", for all b, in this order. `input` holds all inputs one behind another;
    `claim` is their number.

    Built by `batch_statement_for` of the verifier, which refuses what does not fit, or by a prover, who may claim what he likes.
    """

    label: ClassVar[bytes] = b"zkpredict batch v1"

    classes: tuple[int, ...] = ()

    @classmethod
    def of(cls, inputs: bytes, classes: tuple[int, ...], context: bytes = b"") -> BatchStatement:
        """Of `inputs`, as many as there are `classes`."""
        return cls(inputs, len(classes), context=context, classes=classes)

    @property
    def size(self) -> int:
        """Bytes of one input."""
        return len(self.input) // len(self.classes)

    def absorbed(self) -> bytes:
        """What the transcript sees: the number of inputs in 4 bytes, big-endian, their classes in 2 bytes each, the inputs, then the
        context. The circuit fixes how long an input is, so no two statements share a byte string."""
        return len(self.classes).to_bytes(COUNT_BYTES, "big") + class_bytes(self.classes) + self.input + self.context
