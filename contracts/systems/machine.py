"""The multiply-add machine in numpy: the twin of `MulAddMachine.sol`, bit for bit, and the state after any step.

Whole nests run as matrix products, in float64 where the bounds keep every sum below 2^53, so exactly; else in int64. A nest that is cut
by a step runs as at most five boxes of its indices, in order. A value that could leave its cell is refused, as the contract does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from zkpredict.circuits.errors import UnusableInput
from zkpredict.contracts.systems.merkle import WORD, Tree, padded
from zkpredict.contracts.systems.program import REGIONS, Nest, Op, Operand, Program, samples_at
from zkpredict.kernel import keccak256

_EXACT_FLOAT, _INT64 = 1 << 53, 1 << 63
_BLAS_PIECE = 1 << 18
_KEPT = 64
"""About how many memories of a run with repeats are kept: going to any step costs half that part of it."""
_LETTERS = "ijk"
Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


def state_of(roots: tuple[bytes, bytes, bytes]) -> bytes:
    """The state: `keccak256(rootData | rootWeights | rootScratch)`."""
    return keccak256(b"".join(roots))


@dataclass
class Memory:
    """Three regions of bytes, uint8 arrays of 32 * 2^depth."""

    regions: list[np.ndarray] = field(repr=False)

    @classmethod
    def of(cls, program: Program, data: bytes = b"", weights: bytes = b"") -> Memory:
        """A fresh memory: `data` and `weights` with zeros behind them, scratch zero."""
        contents = (data, weights, b"")
        return cls([padded(content, depth).ravel().copy() for content, depth in zip(contents, program.depths, strict=True)])

    def copy(self, written: Collection[int] = range(REGIONS)) -> Memory:
        """A memory of its own for the regions that are `written`; it shares the others."""
        return Memory([region.copy() if number in written else region for number, region in enumerate(self.regions)])

    def cells(self, operand: Operand) -> np.ndarray:
        """The operand's whole region as cells of its type."""
        return self.regions[operand.region].view(f">{'i' if operand.signed else 'u'}{operand.width}")


def boxes(counts: tuple[int, int, int], start: int, stop: int) -> Iterator[Box]:
    """Steps `start` to `stop` of a nest as boxes of indices, in order."""
    _, n1, n2 = counts
    while start < stop:
        i0, i1, i2 = start // (n1 * n2), start // n2 % n1, start % n2
        if i1 == i2 == 0 and stop - start >= n1 * n2:
            take = (stop - start) // (n1 * n2)
            yield (i0, i0 + take), (0, n1), (0, n2)
            start += take * n1 * n2
        elif i2 == 0 and stop - start >= n2:
            take = min((stop - start) // n2, n1 - i1)
            yield (i0, i0 + 1), (i1, i1 + take), (0, n2)
            start += take * n2
        else:
            take = min(stop - start, n2 - i2)
            yield (i0, i0 + 1), (i1, i1 + 1), (i2, i2 + take)
            start += take


@dataclass
class Machine:
    """Runs `program`; `seed` is 32 bytes that orders samples and makes first weights."""

    program: Program
    seed: bytes = bytes(WORD)

    def run(self, memory: Memory, start: int, stop: int) -> None:
        """Runs steps `start` to `stop` on `memory`. Raises `UnusableInput` when a value could leave its cell."""
        while start < stop:
            nest, place, repeat = self.program.locate(start)
            take = min(nest.steps - place, stop - start)
            for box in boxes(nest.counts, place, place + take):
                self._run_box(memory, nest, repeat, box)
            start += take

    def address(self, operand: Operand, indices: tuple[int, int, int], repeat: int) -> int:
        """The byte where the operand's cell starts."""
        place = operand.base + operand.outer * repeat + sum(s * i for s, i in zip(operand.strides, indices, strict=True))
        return place + (operand.sample * int(self._samples(repeat, (indices[0], indices[0] + 1))[0]) if operand.sample else 0)

    def _samples(self, repeat: int, span: tuple[int, int]) -> np.ndarray:
        first = repeat * self.program.batch
        return samples_at(self.seed, self.program.samples, range(first + span[0], first + span[1]))

    def _view(self, memory: Memory, operand: Operand, repeat: int, box: Box) -> np.ndarray:
        """The operand's cells over a box: a view of three axes; an axis it does not move along has length 1."""
        cells = memory.cells(operand)
        shape = [high - low if stride else 1 for (low, high), stride in zip(box, operand.strides, strict=True)]
        at = operand.base + operand.outer * repeat + sum(stride * low for (low, _), stride in zip(box, operand.strides, strict=True))
        if not operand.sample:
            return as_strided(cells[at // operand.width :], shape, operand.strides)
        starts = [(at + operand.sample * int(number)) // operand.width for number in self._samples(repeat, box[0])]
        return np.concatenate([as_strided(cells[start:], shape, operand.strides) for start in starts])

    def _run_box(self, memory: Memory, nest: Nest, repeat: int, box: Box) -> None:
        c = self._view(memory, nest.c, repeat, box)
        a, b = (self._view(memory, operand, repeat, box) if operand else _NOTHING for operand in (nest.a, nest.b))
        if nest.op is Op.MAC:
            values = c + _products(nest, a, b, c, box)
        else:
            values = self._values(nest, repeat, box, *(cells.astype(np.int64) for cells in (a, b, c)))
            values = np.broadcast_to(values, c.shape)
        low, high = nest.c.limits
        if values.min() < low or values.max() > high:
            raise UnusableInput(f"a step of a {nest.op.name} nest leaves {8 * nest.c.width} bits: the program's bounds are wrong")
        c[...] = values

    def _values(self, nest: Nest, repeat: int, box: Box, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
        match nest.op:
            case Op.ZERO:
                return np.zeros(1, np.int64)
            case Op.LOAD:
                return a
            case Op.RELU:
                return np.maximum(a, 0) >> nest.shift
            case Op.MASK:
                return np.where(a > 0, b, 0)
            case Op.ERROR:
                right = b == np.arange(*box[1]).reshape(1, -1, 1)
                error = np.where(right, np.minimum(a - nest.margin, 0), np.maximum(a + nest.margin, 0))
                return np.clip(_rounded(error, nest.shift), -nest.limit, nest.limit)
            case Op.UPDATE:
                return np.clip(c - _rounded(b, nest.shift_at(repeat)), -nest.limit, nest.limit)
            case Op.QUANTISE:
                return np.clip(_rounded(a, nest.shift), -nest.limit, nest.limit)
            case Op.SEED:
                return self._seeded(nest, box)
        raise AssertionError(nest.op)

    def _seeded(self, nest: Nest, box: Box) -> np.ndarray:
        _, n1, n2 = nest.counts
        i0, i1, i2 = np.ix_(*(np.arange(*span) for span in box))
        places = (i0 * n1 + i1) * n2 + i2
        first, last = int(places.min()) // 16, int(places.max()) // 16
        words = b"".join(keccak256(self.seed + number.to_bytes(WORD, "big")) for number in range(first, last + 1))
        return (np.frombuffer(words, ">i2")[places - 16 * first].astype(np.int64) * nest.margin) >> nest.shift


_NOTHING = np.zeros(1, np.int64)
"""The cells of an operand that a nest does not have, which its operation does not read."""


def _rounded(value: np.ndarray, shift: int) -> np.ndarray:
    return value if shift == 0 else (value + (1 << (shift - 1))) >> shift


def _products(nest: Nest, a: np.ndarray, b: np.ndarray, c: np.ndarray, box: Box) -> np.ndarray:
    """Sums of a * b over the axes along which c stands still, in c's shape: int64."""
    moving = [[axis for axis in range(3) if array.shape[axis] > 1] for array in (a, b, c)]
    terms = prod(high - low for axis, (low, high) in enumerate(box) if axis not in moving[2])
    bound = terms * _largest(a) * _largest(b)
    if bound >= _INT64:
        raise UnusableInput("sums of products can leave int64: the program's bounds are wrong")
    kind = np.float64 if bound < _EXACT_FLOAT else np.int64
    a, b = (array.reshape([n for n in array.shape if n > 1]).astype(kind) for array in (a, b))
    letters = ["".join(_LETTERS[axis] for axis in axes) for axes in moving]
    sums = _einsum(letters, a, b).astype(np.int64).reshape(c.shape)
    low, high = nest.c.limits
    if bound + _largest(c) > high:  # the result may fit while a sum on the way does not: then the sum of magnitudes decides
        worst = _einsum(letters, abs(a), abs(b)).reshape(c.shape)
        if (worst + abs(c.astype(np.int64)) > min(high, -low or high)).any():
            raise UnusableInput(f"sums of products can leave {8 * nest.c.width} bits on the way: the program's bounds are wrong")
    return sums


def _einsum(letters: list[str], a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The sum of products in pieces of at most 2^18 multiply-adds along its longest axis.

    OpenBLAS runs those in the calling thread. For larger ones it starts threads, which save little here and wait for each other wherever
    anything else runs. The sums are exact, so pieces change nothing.
    """
    of_a, of_b, of_c = letters
    sizes = dict(zip(of_a, a.shape, strict=True)) | dict(zip(of_b, b.shape, strict=True))
    pieces = -(-prod(sizes.values()) // _BLAS_PIECE)
    if pieces <= 1:
        return np.einsum(f"{of_a},{of_b}->{of_c}", a, b, optimize=True)
    axis = max(sizes, key=sizes.__getitem__)
    out = np.zeros([sizes[letter] for letter in of_c], a.dtype)
    step = -(-sizes[axis] // pieces)
    for first in range(0, sizes[axis], step):
        cut = [tuple(slice(first, first + step) if letter == axis else slice(None) for letter in word) for word in letters]
        out[cut[2]] += np.einsum(f"{of_a},{of_b}->{of_c}", a[cut[0]], b[cut[1]], optimize=True)
    return out


def _largest(array: np.ndarray) -> int:
    return max(abs(int(array.min())), abs(int(array.max())))


@dataclass(frozen=True)
class StepOpening:
    """What the contract needs to run one step: the roots before it, the words of a, b and c and their siblings."""

    roots: tuple[bytes, bytes, bytes]
    words: tuple[bytes, bytes, bytes]
    paths: tuple[tuple[bytes, ...], tuple[bytes, ...], tuple[bytes, ...]] = field(repr=False)

    @property
    def shown(self) -> tuple[Any, ...]:
        """The contract's `IMachine.Step`."""
        return list(self.roots), *self.words


class Trace:
    """A whole run, seen at any step. It keeps some memories on the way and one cursor, and goes on from the nearest before."""

    def __init__(self, machine: Machine, memory: Memory) -> None:
        self.machine, self.program = machine, machine.program
        self._written = {nest.c.region for nest in self.program.prologue + self.program.body}
        self._every = max(1, self.program.repeats // _KEPT)
        self._kept: dict[int, Memory] = {0: memory.copy()}
        self._step, self._memory = 0, self._kept[0].copy(self._written)
        self._trees = [Tree.of(region) for region in memory.regions]

    def memory(self, t: int) -> Memory:
        """The memory after `t` steps; it is this trace's own, to read."""
        start = max(step for step in self._kept if step <= t)
        if not start <= self._step <= t:
            self._step, self._memory = start, self._kept[start].copy(self._written)
        while self._step < t:
            stop = min(t, self._next_kept(self._step))
            self._advance(self._memory, self._step, stop)
            self._step = stop
            if stop != t or stop == self._next_kept(stop - 1):
                self._kept.setdefault(stop, self._memory.copy(self._written))
        return self._memory

    def roots(self, t: int) -> tuple[bytes, bytes, bytes]:
        """The roots of the three regions after `t` steps."""
        for tree, region in zip(self._trees, self.memory(t).regions, strict=True):
            tree.set(region)
        data, weights, scratch = (tree.root for tree in self._trees)
        return data, weights, scratch

    def state(self, t: int) -> bytes:
        """The state after `t` steps."""
        return state_of(self.roots(t))

    def opening(self, t: int) -> StepOpening:
        """What shows step `t` to the contract: the memory before it, where the step reads and writes."""
        roots = self.roots(t)
        nest, place, repeat = self.program.locate(t)
        _, n1, n2 = nest.counts
        indices = place // (n1 * n2), place // n2 % n1, place % n2
        words: list[bytes] = []
        paths: list[tuple[bytes, ...]] = []
        for operand in (nest.a, nest.b, nest.c):
            if operand is None:
                words.append(bytes(WORD))
                paths.append(())
                continue
            index = self.machine.address(operand, indices, repeat) // WORD
            tree = self._trees[operand.region]
            words.append(tree.levels[0][index].tobytes())
            paths.append(tuple(tree.path(index)))
        return StepOpening(roots, (words[0], words[1], words[2]), (paths[0], paths[1], paths[2]))

    def words(self, region: int, first: int, depth: int, t: int) -> tuple[list[bytes], list[bytes]]:
        """2^depth words of a region from word `first` on, after `t` steps, and the siblings above them."""
        self.roots(t)
        levels = self._trees[region].levels
        at = first >> depth
        above = [levels[height][(at >> (height - depth)) ^ 1].tobytes() for height in range(depth, len(levels) - 1)]
        return [word.tobytes() for word in levels[0][first : first + (1 << depth)]], above

    def _advance(self, memory: Memory, start: int, stop: int) -> None:
        self.machine.run(memory, start, stop)

    def _next_kept(self, t: int) -> int:
        """The first step after `t` at which a memory is kept."""
        program = self.program
        if not program.body:
            return program.steps
        stride = self._every * program.body_steps
        if t < program.prologue_steps:
            return program.prologue_steps
        return program.prologue_steps + ((t - program.prologue_steps) // stride + 1) * stride


class FaultyTrace(Trace):
    """An `honest` run with one lie: the cell that step `fault` wrote is xored with `change`, and the run goes on from there.

    This is what a cheat, or a broken machine, asserts; stories and tests need one.
    """

    def __init__(self, honest: Trace, fault: int, change: int = 1) -> None:
        super().__init__(honest.machine, honest.memory(0))
        self.fault, self._change = fault, change
        self._kept |= {step: memory for step, memory in honest._kept.items() if step <= fault}

    def _advance(self, memory: Memory, start: int, stop: int) -> None:
        if not start <= self.fault < stop:
            self.machine.run(memory, start, stop)
            return
        self.machine.run(memory, start, self.fault + 1)
        nest, place, repeat = self.program.locate(self.fault)
        _, n1, n2 = nest.counts
        first = self.machine.address(nest.c, (place // (n1 * n2), place // n2 % n1, place % n2), repeat)
        cell = memory.regions[nest.c.region][first : first + nest.c.width]
        cell ^= np.frombuffer(self._change.to_bytes(nest.c.width, "big"), np.uint8)
        self.machine.run(memory, self.fault + 1, stop)


