"""Registered test sets: commitments to labelled inputs, in whose place they stand in statements, and a proof that they are those of the inputs.

    points    = [T_c] = T_c(tau) G1, T_c of `circuits.batch.interleaving`: m inputs each
    set id    = keccak("zkpredict registered set v1" | inputs u32 | bytes of an input u32 | keccak(labels u16 each) | points)
                points as EIP-2537 writes them: 16 zero bytes | x 48 | 16 zero bytes | y 48
    state     = keccak("zkpredict registered inputs v1" | set id | all inputs),    u = state mod r,   y = keccak(state | 01) mod r
    opening   = [(sum_c u^c T_c - v)/(X - y)],   v = sum_c u^c T_c(y), which everybody computes who has the inputs
    file      = magic "zkpT" 01 | inputs u32 | bytes of an input u32 | labels u16 each | points of 48 bytes | opening of 48 bytes

All big-endian. Points of inputs that are zero all over would be at infinity: such sets are refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

from zkpredict.circuits.batch.interleaving import interleaved, polynomials, together
from zkpredict.circuits.batch.statement import COUNT_BYTES
from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.keccak import keccak256
from zkpredict.verifier.batch import MAX_INPUTS
from zkpredict.verifier.ceremony import TAU_G2
from zkpredict.verifier.errors import MalformedProof, WrongStatement
from zkpredict.verifier.messages import POINT_BYTES, Point, read_point
from zkpredict.verifier.score import LABEL_BYTES

if TYPE_CHECKING:
    from zkpredict.kernel import G1

SET_MAGIC = b"zkpT\x01"
REGISTERED_LABEL, INPUTS_LABEL = b"zkpredict registered set v1", b"zkpredict registered inputs v1"
MAX_SET_BYTES = 1 << 26
_COORDINATE, _PADDING = 48, bytes(16)


@dataclass(frozen=True)
class RegisteredSet:
    """Inputs of `size` bytes behind `points`, and what each of them is. `opening`: that the points are the inputs'. Points are of any
    library. Raises `MalformedFile` for what no parser would give back."""

    size: int
    labels: tuple[int, ...]
    points: tuple[Point, ...]
    opening: Point

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", tuple(self.labels))
        object.__setattr__(self, "points", tuple(self.points))
        check_sizes("test set", len(self.labels), self.size)
        if len(self.points) != polynomials(len(self.labels), self.size):
            raise MalformedFile(f"test set: it has {len(self.points)} points, {len(self.labels)} inputs of {self.size} bytes take {polynomials(len(self.labels), self.size)}")
        wrong = [number for number, label in enumerate(self.labels) if not 0 <= label < 1 << 8 * LABEL_BYTES]
        if wrong:
            raise MalformedFile(f"test set: label {wrong[0]} is {self.labels[wrong[0]]}, expected 0 to {(1 << 8 * LABEL_BYTES) - 1}")

    @property
    def label_bytes(self) -> bytes:
        """Two bytes each, big-endian."""
        return b"".join(label.to_bytes(LABEL_BYTES, "big") for label in self.labels)

    @property
    def point_bytes(self) -> bytes:
        """128 bytes each, as the precompiles of EIP-2537 take them."""
        found = [point.to_uncompressed() for point in self.points]
        return b"".join(_PADDING + one[:_COORDINATE] + _PADDING + one[_COORDINATE:] for one in found)

    @cached_property
    def set_id(self) -> bytes:
        """32 bytes that name the set."""
        return keccak256(REGISTERED_LABEL + self._sizes + keccak256(self.label_bytes) + self.point_bytes)

    @property
    def _sizes(self) -> bytes:
        return len(self.labels).to_bytes(COUNT_BYTES, "big") + self.size.to_bytes(COUNT_BYTES, "big")

    def points_of(self, first: int, count: int) -> tuple[Point, ...]:
        """Those of `count` inputs from `first` on. Raises `WrongStatement` unless they are those of whole polynomials."""
        m, end = together(self.size), first + count
        if first % m or end % m and end != len(self.labels):
            raise WrongStatement(f"inputs {first} to {end - 1} of the set are no whole polynomials: each holds {m}")
        return self.points[first // m : -(-end // m)]

    def to_bytes(self) -> bytes:
        """The canonical file."""
        points = b"".join(point.to_compressed() for point in (*self.points, self.opening))
        return SET_MAGIC + self._sizes + self.label_bytes + points

    @classmethod
    def from_bytes(cls, data: bytes, decode_point: Callable[[bytes], Point], what: str = "test set") -> RegisteredSet:
        """Parses exactly `to_bytes` output; `decode_point` refuses by ValueError what is no point of the subgroup. Raises `MalformedFile`."""
        reader = ByteReader(data, what)
        count, size = read_set_head(reader)
        raw = reader.take(count * LABEL_BYTES, "labels")
        labels = tuple(int.from_bytes(raw[at : at + LABEL_BYTES], "big") for at in range(0, len(raw), LABEL_BYTES))
        encoded = [reader.take(POINT_BYTES, f"point {number}") for number in range(polynomials(count, size))]
        opening = reader.take(POINT_BYTES, "opening")
        reader.finish()
        try:
            points = tuple(read_point(one, f"{number} of the set", decode_point) for number, one in enumerate(encoded))
            return cls(size, labels, points, read_point(opening, "of the opening", decode_point))
        except MalformedProof as error:
            raise MalformedFile(f"{what}: {str(error).removeprefix('proof: ')}") from None


def check_sizes(what: str, count: int, size: int) -> None:
    """Refuses sets that have no polynomials. Raises `MalformedFile`."""
    if not 1 <= count <= MAX_INPUTS or size < 1 or not together(size):
        raise MalformedFile(f"{what}: {count} inputs of {size} bytes, expected 1 to {MAX_INPUTS} of at most 4096 bytes")


def read_set_head(reader: ByteReader) -> tuple[int, int]:
    """What a file says before the labels: the number of inputs, and their bytes. Raises `MalformedFile`."""
    reader.expect(SET_MAGIC, "magic of a registered test set")
    count, size = (int.from_bytes(reader.take(COUNT_BYTES, what), "big") for what in ("number of inputs", "bytes of an input"))
    check_sizes(reader.what, count, size)
    return count, size


def parse_set(data: bytes, what: str = "test set") -> RegisteredSet:
    """The bytes of a set, called `what` in errors, with kernel points, all checked. Raises `MalformedFile`."""
    from zkpredict.kernel import G1

    return RegisteredSet.from_bytes(data, G1.from_compressed, what)


def opening_challenges(set_id: bytes, inputs: bytes) -> tuple[int, int]:
    """u and y, drawn when set and inputs are fixed."""
    state = keccak256(INPUTS_LABEL + set_id + inputs)
    return int.from_bytes(state, "big") % MODULUS, int.from_bytes(keccak256(state + b"\x01"), "big") % MODULUS


def check_inputs(tests: RegisteredSet, inputs: bytes) -> None:
    """Accepts by returning: the set's points are those of `inputs`, one behind another. Raises `WrongStatement`.

    A set of other polynomials would need u and y at which they agree: a chance below 2^-234 for each hash.
    """
    from zkpredict.kernel import G1, G2, Vector, pairing_check

    if len(inputs) != tests.size * len(tests.labels):
        raise WrongStatement(f"the test set has {len(tests.labels)} inputs of {tests.size} bytes, there are {len(inputs)} bytes")
    (u, y), points, opening = opening_challenges(tests.set_id, inputs), cast("tuple[G1, ...]", tests.points), cast("G1", tests.opening)
    weights = Vector.powers(u, len(points))
    value = Vector.combine_rows(interleaved(inputs, tests.size), weights).evaluate(y)
    folded = G1.linear_combination([*points, G1.generator(), opening], [*weights, -value % MODULUS, y])
    # e(sum u^c [T_c] - [v] + y opening, [1]) = e(opening, [tau])
    if not pairing_check([(folded, G2.generator()), (-opening, G2.from_compressed(TAU_G2))]):
        raise WrongStatement(f"the inputs are not those of the registered test set {tests.set_id.hex()}")
