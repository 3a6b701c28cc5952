"""Proofs of batches: the file, and the native verifier.

    magic "zkpB" 01 | model id 32 | inputs u32 | inputs in each part u16 | parts
    part: a class u16 for each of its inputs | points of 48 bytes | scalars of 32 bytes, big-endian

All parts but the last hold the same number of inputs. Integers are little-endian. Points and scalars are those of the form of the part's
circuit (`circuits.batch.layout`); docs/batches.md has the equations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zkpredict.circuits.batch.layout import BatchCircuit
from zkpredict.circuits.batch.statement import BatchStatement
from zkpredict.circuits.columns import Form
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork, UnusableInput
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.files.order import Picture, check_order
from zkpredict.circuits.placement import AnyCircuit, form
from zkpredict.circuits.statement import CONTEXT_BYTES
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import MalformedProof, WrongStatement
from zkpredict.verifier.messages import BATCH_MAGIC, DIGIT_BYTES, MODEL_ID_BYTES, POINT_BYTES, SCALAR_BYTES, Point, Proof, encode_scalar, read_point

if TYPE_CHECKING:
    import numpy as np

MAX_INPUTS = 1 << 20
MAX_BATCH_BYTES = 1 << 26
COUNT_BYTES, PART_BYTES = 4, 2


@dataclass(frozen=True)
class BatchPart(Proof):
    """One proof of several inputs: `digit` is their number, `classes` what the network says of each, in order."""

    classes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(self.classes))
        super().__post_init__()
        if len(self.classes) != self.digit or not all(0 <= one < 1 << (8 * DIGIT_BYTES) for one in self.classes):
            raise MalformedProof(f"proof: a part of {self.digit} inputs has {len(self.classes)} classes of {DIGIT_BYTES} bytes")

    def to_bytes(self) -> bytes:
        """As in the file."""
        classes = b"".join(one.to_bytes(DIGIT_BYTES, "little") for one in self.classes)
        points = b"".join(point.to_compressed() for point in self.points.values())
        return classes + points + b"".join(map(encode_scalar, self.scalars.values()))

    @classmethod
    def read(cls, reader: ByteReader, model_id: bytes, shape: Form, images: int, decode_point: Callable[[bytes], Point]) -> BatchPart:
        """Parses `to_bytes` output at the cursor. Raises `MalformedFile` or `MalformedProof`."""
        classes = tuple(reader.unsigned(DIGIT_BYTES, f"class of input {number}") for number in range(images))
        encoded = {name: reader.take(POINT_BYTES, f"point {name}") for name in shape.points}
        scalars = {name: int.from_bytes(reader.take(SCALAR_BYTES, f"scalar {name}"), "big") for name in shape.scalars}
        points = {name: read_point(raw, name, decode_point) for name, raw in encoded.items()}
        return cls(model_id, images, points, scalars, shape, classes=classes)


@dataclass(frozen=True)
class BatchProof:
    """What the network under `model_id` says of a list of inputs: `parts`, all but the last of one length.

    Raises `MalformedProof` for what no parser would give back.
    """

    model_id: bytes
    parts: tuple[BatchPart, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.parts))
        sizes = [len(part.classes) for part in self.parts]
        if not sizes or 0 in sizes or sum(sizes) > MAX_INPUTS or set(sizes[:-1]) - {sizes[0]} or sizes[-1] > sizes[0]:
            raise MalformedProof(f"proof: it has parts of {', '.join(map(str, sizes)) or 'no'} inputs, expected equal ones and a last one")
        if any(part.model_id != self.model_id for part in self.parts):
            raise MalformedProof("proof: its parts are for several models")

    @property
    def classes(self) -> tuple[int, ...]:
        """What the network says of each input, in order."""
        return tuple(one for part in self.parts for one in part.classes)

    def to_bytes(self) -> bytes:
        """The canonical file."""
        count, each = len(self.classes), len(self.parts[0].classes)
        head = BATCH_MAGIC + self.model_id + count.to_bytes(COUNT_BYTES, "little") + each.to_bytes(PART_BYTES, "little")
        return head + b"".join(part.to_bytes() for part in self.parts)

    @classmethod
    def read(
        cls, reader: ByteReader, decode_point: Callable[[bytes], Point], circuit: AnyCircuit,
        circuit_of: Callable[[AnyCircuit, int], BatchCircuit] = BatchCircuit.of,
    ) -> BatchProof:
        """Parses `to_bytes` output at the cursor; `circuit`: of the model, `circuit_of`: what makes that of a part of it. Raises
        `MalformedFile` or `MalformedProof`."""
        model_id, count, each = read_head(reader)
        parts = []
        for size in part_sizes(count, each):
            try:
                shape = form(circuit_of(circuit, size))
            except UnsupportedNetwork as error:
                raise MalformedFile(f"{reader.what}: {error}") from None
            parts.append(BatchPart.read(reader, model_id, shape, size, decode_point))
        return cls(model_id, tuple(parts))

    @classmethod
    def from_bytes(cls, data: bytes, decode_point: Callable[[bytes], Point], circuit: AnyCircuit) -> BatchProof:
        """Parses exactly `to_bytes` output. Raises `MalformedProof`."""
        reader = ByteReader(data, "proof")
        try:
            found = cls.read(reader, decode_point, circuit)
            reader.finish()
        except MalformedFile as error:
            raise MalformedProof(str(error)) from None
        return found


def read_head(reader: ByteReader) -> tuple[bytes, int, int]:
    """What a file says before its parts: the model id, how many inputs there are, and how many are in each part. Raises `MalformedFile`."""
    reader.expect(BATCH_MAGIC, "magic of a batch")
    model_id = reader.take(MODEL_ID_BYTES, "model id")
    count, each = reader.unsigned(COUNT_BYTES, "number of inputs"), reader.unsigned(PART_BYTES, "inputs in each part")
    if not 1 <= each <= count <= MAX_INPUTS:
        raise MalformedFile(f"{reader.what}: {count} inputs in parts of {each}, expected 1 to {MAX_INPUTS} in parts of no more")
    return model_id, count, each


def part_sizes(count: int, each: int) -> Iterator[int]:
    """How many inputs each part holds."""
    for first in range(0, count, each):
        yield min(each, count - first)


def batch_file_bytes(circuit: AnyCircuit, count: int, each: int) -> int:
    """How long the file of a proof of `count` inputs in parts of `each` is, by a model in `circuit`."""
    head = len(BATCH_MAGIC) + MODEL_ID_BYTES + COUNT_BYTES + PART_BYTES
    shapes = [(size, form(BatchCircuit.of(circuit, size))) for size in part_sizes(count, each)]
    return head + sum(size * DIGIT_BYTES + len(shape.points) * POINT_BYTES + len(shape.scalars) * SCALAR_BYTES for size, shape in shapes)


def parse_batch(data: bytes, commitment: ModelCommitment) -> BatchProof:
    """Proof bytes to a `BatchProof` of the committed model, with kernel points, all checked. Raises `MalformedProof`, and
    `WrongStatement` for a proof of another model."""
    from zkpredict.kernel import G1

    refuse_other_model(data, commitment)
    return BatchProof.from_bytes(data, G1.from_compressed, commitment.circuit)


def refuse_other_model(data: bytes, commitment: ModelCommitment) -> None:
    """Raises `WrongStatement` for a proof that names another model: its parts may have another length."""
    named = data[len(BATCH_MAGIC) : len(BATCH_MAGIC) + MODEL_ID_BYTES]
    if data.startswith(BATCH_MAGIC) and len(named) == MODEL_ID_BYTES and named != commitment.model_id:
        raise WrongStatement(f"the proof is for model {named.hex()}, the commitment is of model {commitment.model_id.hex()}")


def batch_statement_for(circuit: BatchCircuit, inputs: bytes, classes: tuple[int, ...], context: bytes = b"") -> BatchStatement:
    """"The network says `classes[b]` about input b", if the circuit can say so. Raises `WrongStatement` for inputs of another size or
    number, a class that is none, and a context of another length than 32 bytes."""
    if len(classes) != circuit.images or len(inputs) != circuit.images * circuit.inputs:
        raise WrongStatement(
            f"{len(inputs)} bytes and {len(classes)} classes, a batch of {circuit.images} takes {circuit.images} inputs of {circuit.inputs} bytes"
        )
    check_classes(circuit, classes, context)
    return BatchStatement.of(inputs, classes, context)


def check_context(context: bytes) -> None:
    """Raises `WrongStatement` for one that has not 32 bytes, or none."""
    if len(context) not in (0, CONTEXT_BYTES):
        raise WrongStatement(f"the context has {len(context)} bytes, expected {CONTEXT_BYTES} or none")


def check_classes(circuit: BatchCircuit, classes: tuple[int, ...], context: bytes) -> None:
    """Refuses another number of classes than of inputs, a class that is none, and a context of another length than 32 bytes. Raises
    `WrongStatement`."""
    if len(classes) != circuit.images:
        raise WrongStatement(f"{len(classes)} classes, a batch of {circuit.images} inputs takes {circuit.images}")
    check_context(context)
    for number, digit in enumerate(classes):
        if not 0 <= digit < circuit.classes:
            raise WrongStatement(f"input {number} is said to be of class {digit}, which is not one of the {circuit.classes} classes")


def batch_bytes(images: np.ndarray, size: int, picture: Picture | None = None) -> bytes:
    """Inputs as bytes, one behind another: uint8 [count, ...], `size` bytes each, in the shape of the model's `picture` where it reads one. Raises
    `WrongStatement`."""
    import numpy as np

    if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.ndim < 2:
        kind = f"{images.dtype} array of {images.ndim} axes" if isinstance(images, np.ndarray) else type(images).__name__
        raise WrongStatement(f"a batch must be a uint8 array, one input a row, got {kind}")
    if len(images) < 1 or images[0].size != size:
        raise WrongStatement(f"the batch is {len(images)} inputs of {images[:1].size} bytes, the circuit takes {size}")
    try:
        check_order(images.shape[1:], picture, "each input", len(images))
    except UnusableInput as error:
        raise WrongStatement(str(error)) from None
    return images.tobytes()


def verify_batch(commitment: ModelCommitment, images: np.ndarray, proof: BatchProof, context: bytes = b"") -> None:
    """Accepts by returning: the network under `commitment` gives each of `images` (uint8 [count, ...]) its class in `proof.classes`,
    and the proof was made for `context` (32 bytes, or none).

    Raises `WrongStatement` or `FailedOpening`; `UnsupportedNetwork` for a commitment that has no batches.
    """
    verify_parts(commitment, batch_bytes(images, commitment.circuit.inputs, commitment.circuit.picture), proof, [context] * len(proof.parts))


def verify_parts(commitment: ModelCommitment, inputs: bytes, proof: BatchProof, contexts: Sequence[bytes]) -> None:
    """The same for inputs one behind another and a context for each part."""
    from zkpredict.verifier.native import check_form, check_opening

    size, first = commitment.circuit.inputs, 0
    if proof.model_id != commitment.model_id:
        raise WrongStatement(f"the proof is for model {proof.model_id.hex()}, the commitment is of model {commitment.model_id.hex()}")
    if len(inputs) != size * len(proof.classes):
        raise WrongStatement(f"the proof is about {len(proof.classes)} inputs, there are {len(inputs) // size}")
    for part, context in zip(proof.parts, contexts, strict=True):
        circuit = BatchCircuit.of(commitment.circuit, len(part.classes))
        check_form(part, form(circuit))
        own = inputs[first : first + size * circuit.images]
        check_opening(commitment, circuit, batch_statement_for(circuit, own, part.classes, context), part)
        first += len(own)
