"""Programs of the multiply-add machine: loop nests whose operands' addresses follow from the number of a step.

Memory is three regions of 32-byte words, addressed by byte: 0 data, 1 weights, 2 scratch. A nest runs one operation
`counts[0] * counts[1] * counts[2]` times, the last index fastest; operand x of the step with indices i0, i1, i2 in repeat r is the
cell of `width` bytes, big-endian, at

    base + outer * r + strides[0] * i0 + strides[1] * i1 + strides[2] * i2 + sample * order(r * batch + i0).

First the nests of `prologue` run once, then those of `body` `repeats` times. There is no instruction to fetch: step t finds its
nest and its three addresses by division. `order` walks all `samples` once an epoch, in another order each (`samples_at`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from math import gcd, prod

import numpy as np

from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.contracts.systems.merkle import MAX_DEPTH, WORD
from zkpredict.kernel import keccak256

DATA, WEIGHTS, SCRATCH = range(3)
REGIONS = 3
MAX_NESTS = 32
MAX_STEPS = (1 << 48) - 1
_VERSION = 1
_HEAD_BYTES, _NEST_BYTES = 64, 128
_WIDTHS = (1, 2, 4, 8)


class Op(IntEnum):
    """What a step writes to its cell c, from cells a and b: `round(v, s)` is (v + 2^(s-1)) >> s, `clamp` keeps to +-limit."""

    ZERO = 0  # 0
    LOAD = 1  # a
    MAC = 2  # c + a * b
    RELU = 3  # max(a, 0) >> shift
    MASK = 4  # b if a > 0 else 0
    ERROR = 5  # clamp(round(e, shift)); e = min(a - margin, 0) if label b is class i1, else max(a + margin, 0)
    UPDATE = 6  # clamp(c - round(b, shift + repeat / margin)): a step that halves every `margin` repeats, never if margin is 0
    QUANTISE = 7  # clamp(round(a, shift))
    SEED = 8  # (16 bits number i of keccak256(seed | i / 16), signed, * margin) >> shift; i is the step's place in its nest


_READS = {
    Op.ZERO: "", Op.LOAD: "a", Op.MAC: "abc", Op.RELU: "a", Op.MASK: "ab", Op.ERROR: "ab", Op.UPDATE: "bc", Op.QUANTISE: "a", Op.SEED: "",
}  # fmt: skip


@dataclass(frozen=True)
class Operand:
    """A family of cells: `width` bytes each, at addresses linear in repeat and indices; `sample` bytes from sample to sample."""

    region: int
    width: int
    base: int
    strides: tuple[int, int, int] = (0, 0, 0)
    outer: int = 0
    sample: int = 0
    signed: bool = True

    def encode(self) -> bytes:
        """One word: kind u8 (region, log2 width << 2, signed << 4, present << 5), base u32, outer i32, strides 3 i32, sample u32."""
        kind = self.region | _WIDTHS.index(self.width) << 2 | self.signed << 4 | 1 << 5
        moves = b"".join(value.to_bytes(4, "big", signed=True) for value in (self.outer, *self.strides))
        return (bytes([kind]) + self.base.to_bytes(4, "big") + moves + self.sample.to_bytes(4, "big")).ljust(WORD, b"\0")

    @classmethod
    def decode(cls, word: bytes) -> Operand | None:
        kind = word[0]
        if not kind >> 5 & 1:
            return None
        outer, i0, i1, i2 = (int.from_bytes(word[at : at + 4], "big", signed=True) for at in range(5, 21, 4))
        return cls(
            kind & 3, _WIDTHS[kind >> 2 & 3], int.from_bytes(word[1:5], "big"), (i0, i1, i2), outer,
            int.from_bytes(word[21:25], "big"), bool(kind >> 4 & 1),
        )  # fmt: skip

    @property
    def limits(self) -> tuple[int, int]:
        """The least and the largest value of a cell."""
        bits = 8 * self.width
        return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if self.signed else (0, (1 << bits) - 1)

    def reach(self, counts: tuple[int, int, int], repeats: int, samples: int) -> tuple[int, int]:
        """The first and the last byte it ever touches, end exclusive."""
        spans = [*(stride * (count - 1) for stride, count in zip(self.strides, counts, strict=True)), self.outer * (repeats - 1)]
        spans.append(self.sample * max(0, samples - 1))
        return self.base + sum(min(0, s) for s in spans), self.base + sum(max(0, s) for s in spans) + self.width


@dataclass(frozen=True)
class Nest:
    """One operation over three nested loops. `shift`, `limit` and `margin` are constants of some operations."""

    op: Op
    counts: tuple[int, int, int]
    c: Operand
    a: Operand | None = None
    b: Operand | None = None
    shift: int = 0
    limit: int = 0
    margin: int = 0

    @property
    def steps(self) -> int:
        return prod(self.counts)

    def shift_at(self, repeat: int) -> int:
        """The shift in a repeat: that of UPDATE grows."""
        return self.shift + (repeat // self.margin if self.op is Op.UPDATE and self.margin else 0)

    def encode(self, first: int) -> bytes:
        """Four words: first step u48, op u8, shift u8, counts 3 u32, limit u48, margin u48; then a, b, c."""
        head = first.to_bytes(6, "big") + bytes([self.op, self.shift]) + b"".join(n.to_bytes(4, "big") for n in self.counts)
        head += self.limit.to_bytes(6, "big") + self.margin.to_bytes(6, "big")
        return head + b"".join(operand.encode() if operand else bytes(WORD) for operand in (self.a, self.b, self.c))

    @classmethod
    def decode(cls, data: bytes) -> tuple[int, Nest]:
        """The first step and the nest."""
        a, b, c = (Operand.decode(data[at : at + WORD]) for at in range(WORD, _NEST_BYTES, WORD))
        n0, n1, n2 = (int.from_bytes(data[at : at + 4], "big") for at in (8, 12, 16))
        if c is None or data[6] not in list(Op):
            raise MalformedFile(f"a nest of operation {data[6]} writes nothing the machine knows")
        limit, margin = int.from_bytes(data[20:26], "big"), int.from_bytes(data[26:32], "big")
        return int.from_bytes(data[:6], "big"), cls(Op(data[6]), (n0, n1, n2), c, a, b, data[7], limit, margin)

    def operands(self) -> Iterator[tuple[str, Operand]]:
        """Name and operand of every one there is."""
        yield from ((name, operand) for name, operand in (("a", self.a), ("b", self.b), ("c", self.c)) if operand)


@dataclass(frozen=True)
class Program:
    """Loop nests over three regions of 2^depth words, and what a prediction is in it: `inputs` bytes at the start of the data,
    `outputs` logits of `output_width` bytes at the start of the scratch. Raises `UnusableInput` for one that has no clear meaning."""

    depths: tuple[int, int, int]
    prologue: tuple[Nest, ...]
    body: tuple[Nest, ...] = ()
    repeats: int = 0
    samples: int = 0
    batch: int = 0
    inputs: int = 0
    outputs: int = 0
    output_width: int = 4
    name: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if not 1 <= len(self.prologue) + len(self.body) <= MAX_NESTS or max(self.depths) > MAX_DEPTH or min(self.depths) < 0:
            raise UnusableInput(f"a program has 1 to {MAX_NESTS} nests and regions of at most 2^{MAX_DEPTH} words")
        if bool(self.body) != bool(self.repeats) or not 2 <= self.steps <= MAX_STEPS:
            raise UnusableInput(f"a program has 2 to 2^48 - 1 steps, and repeats if it has a body; got {self.steps}")
        for number, nest in enumerate(self.prologue + self.body):
            problem = _problem(nest, self, 1 if number < len(self.prologue) else self.repeats)
            if problem:
                raise UnusableInput(f"nest {number} ({nest.op.name}): {problem}")

    @cached_property
    def prologue_steps(self) -> int:
        return sum(nest.steps for nest in self.prologue)

    @cached_property
    def body_steps(self) -> int:
        return sum(nest.steps for nest in self.body)

    @cached_property
    def steps(self) -> int:
        return self.prologue_steps + self.repeats * self.body_steps

    def count(self, op: Op) -> int:
        """How many steps run `op`."""
        once, again = (sum(nest.steps for nest in part if nest.op is op) for part in (self.prologue, self.body))
        return once + self.repeats * again

    def locate(self, t: int) -> tuple[Nest, int, int]:
        """The nest of step `t`, the step's place in it, and the repeat. Raises `UnusableInput` for no step."""
        if not 0 <= t < self.steps:
            raise UnusableInput(f"the program has steps 0 to {self.steps - 1}, not {t}")
        repeat, part = 0, self.prologue
        if t >= self.prologue_steps:
            repeat, t = divmod(t - self.prologue_steps, self.body_steps)
            part = self.body
        for nest in part:
            if t < nest.steps:
                return nest, t, repeat
            t -= nest.steps
        raise AssertionError("steps of the nests add up to the part's")

    def first_step(self, number: int, repeat: int = 0) -> int:
        """The first step of nest `number`, counted from the prologue's first, in `repeat`."""
        before = sum(nest.steps for nest in (self.prologue + self.body)[:number])
        return before + (repeat * self.body_steps if number >= len(self.prologue) else 0)

    def encode(self) -> bytes:
        """What the program contract holds after its STOP byte: two words of header, four for each nest."""
        head = bytes([_VERSION, len(self.prologue), len(self.body), *self.depths])
        head += b"".join(value.to_bytes(4, "big") for value in (self.repeats, self.samples, self.batch))
        head += self.prologue_steps.to_bytes(6, "big") + self.body_steps.to_bytes(6, "big")
        head = head.ljust(WORD, b"\0") + self.inputs.to_bytes(4, "big") + self.outputs.to_bytes(4, "big") + bytes([self.output_width])
        nests, first = [], 0
        for number, nest in enumerate(self.prologue + self.body):
            first = 0 if number == len(self.prologue) else first
            nests.append(nest.encode(first))
            first += nest.steps
        return head.ljust(_HEAD_BYTES, b"\0") + b"".join(nests)

    @classmethod
    def decode(cls, data: bytes, name: str = "") -> Program:
        """Parses exactly `encode` output. Raises `MalformedFile`, `UnusableInput`."""
        if len(data) < _HEAD_BYTES or data[0] != _VERSION or len(data) != _HEAD_BYTES + _NEST_BYTES * (data[1] + data[2]):
            raise MalformedFile(f"{len(data)} bytes are no program of version {_VERSION}")
        nests = [Nest.decode(data[at : at + _NEST_BYTES])[1] for at in range(_HEAD_BYTES, len(data), _NEST_BYTES)]
        repeats, samples, batch = (int.from_bytes(data[at : at + 4], "big") for at in (6, 10, 14))
        inputs, outputs = (int.from_bytes(data[at : at + 4], "big") for at in (32, 36))
        parts = tuple(nests[: data[1]]), tuple(nests[data[1] :])
        found = cls((data[3], data[4], data[5]), *parts, repeats, samples, batch, inputs, outputs, data[40], name)
        if found.encode() != data:
            raise MalformedFile("the program is not in its one encoding: its step counts or spare bytes differ")
        return found


def _problem(nest: Nest, program: Program, repeats: int) -> str | None:
    """Why a nest has no clear meaning, or None: cells outside their region, not aligned, written twice or read after."""
    reads = _READS[nest.op].replace("c", "")
    if min(nest.counts) < 1 or {name for name, _ in nest.operands()} != {*reads, "c"}:
        return f"it needs counts from 1 and operands {', '.join([*reads, 'c'])}"
    if nest.c.sample or not 0 <= nest.shift <= nest.shift_at(repeats - 1) < 64:
        return "only what is read can be a sample's, and a shift is below 64"
    for name, operand in nest.operands():
        low, high = operand.reach(nest.counts, repeats, program.samples)
        if low < 0 or high > WORD << program.depths[operand.region]:
            return f"{name} reaches bytes {low} to {high} of a region of {WORD << program.depths[operand.region]}"
        if any(value % operand.width for value in (operand.base, operand.outer, operand.sample, *operand.strides)):
            return f"{name} has addresses that are no multiple of its width {operand.width}"
        if operand.sample and (operand.strides[0] or not program.samples or not program.batch):
            return f"{name} walks samples, whose number and batch the program must say, by its first index"
        if name != "c" and operand.region == nest.c.region and _meet(operand, nest, repeats, program.samples):
            return f"{name} reads cells that c writes"
    still = [axis for axis, count in enumerate(nest.counts) if count > 1 and not nest.c.strides[axis]]
    if still and nest.op is not Op.MAC:
        return "it writes a cell twice, which only MAC may"
    factors = [operand for operand in (nest.a, nest.b) if operand]
    if any(not any(factor.strides[axis] or (axis == 0 and factor.sample) for factor in factors) for axis in still):
        return "it adds the same product again"
    places = sum(stride * np.arange(count).reshape([-1 if i == axis else 1 for i in range(3)])
                 for axis, (stride, count) in enumerate(zip(nest.c.strides, nest.counts, strict=True)) if stride)
    if np.unique(places).size != prod(count for stride, count in zip(nest.c.strides, nest.counts, strict=True) if stride):
        return "two of its indices write the same cell"
    return None


def _meet(operand: Operand, nest: Nest, repeats: int, samples: int) -> bool:
    low, high = operand.reach(nest.counts, repeats, samples)
    first, last = nest.c.reach(nest.counts, repeats, 0)
    return low < last and first < high


def samples_at(seed: bytes, samples: int, places: range) -> np.ndarray:
    """The samples at `places` of the whole course: int64. Epoch e visits `(alpha_e * i + beta_e) mod samples`, i = 0, 1, ...;

    beta_e = keccak256(seed | e) and alpha_e the first of keccak256(seed | e | j), j = 0, 1, ..., that is coprime to `samples`.
    """
    found = []
    for place in places:
        epoch, at = divmod(place, samples)
        alpha, beta = _order(seed, epoch, samples)
        found.append((alpha * at + beta) % samples)
    return np.array(found, np.int64)


def _order(seed: bytes, epoch: int, samples: int) -> tuple[int, int]:
    start = seed + epoch.to_bytes(WORD, "big")
    beta, j = int.from_bytes(keccak256(start), "big") % samples, 0
    while gcd(alpha := int.from_bytes(keccak256(start + j.to_bytes(WORD, "big")), "big") % samples, samples) != 1:
        j += 1
    return alpha, beta
