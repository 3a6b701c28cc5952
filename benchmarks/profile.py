"""Where the prover's time goes, call by call of the kernel, and how far it is from what its commitments alone would take.

The floor is a bare loop: the multi-scalar multiplications of one proof and nothing else, with as many full-size scalars as
each of them has. No prover of this protocol on this kernel can be faster; whatever it does beside lies above the floor.

Times are those of a clock and those of the processor, all threads together: only the latter mean much on a busy machine.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from zkpredict.kernel import G1, Bases, Vector
from zkpredict.prover.model import Model
from zkpredict.prover.prove import prove
from zkpredict.prover.randomness import random_scalars

STAGES = {
    "transforms": ("ntt", "intt", "coset_ntt", "coset_intt", "ntt_each", "intt_each", "coset_ntt_each"),
    "inversions": ("inverse",),
    "multi-scalar multiplications": ("msm", "msm_each", "msm_integers"),
    "points": ("linear_combination", "mul", "to_compressed", "to_uncompressed", "from_compressed", "from_uncompressed", "__add__", "__sub__"),
}
"""The kernel's methods by stage; for `Vector`, everything else is its arithmetic."""
ARITHMETIC, PYTHON = "vector arithmetic", "Python, numpy and hashing"


@dataclass(frozen=True)
class Time:
    """Seconds on the clock, and of the processor in all threads."""

    clock: float
    processor: float

    @classmethod
    def of(cls, action: Callable[[], object]) -> Time:
        start, busy = time.perf_counter(), time.process_time()
        action()
        return cls(time.perf_counter() - start, time.process_time() - busy)

    @classmethod
    def median(cls, times: Iterable[Time]) -> Time:
        every = list(times)
        return cls(statistics.median(t.clock for t in every), statistics.median(t.processor for t in every))

    @classmethod
    def sum(cls, times: Iterable[Time]) -> Time:
        every = list(times)
        return cls(sum(t.clock for t in every), sum(t.processor for t in every))

    def __sub__(self, other: Time) -> Time:
        return Time(self.clock - other.clock, self.processor - other.processor)


@dataclass(frozen=True)
class Call:
    """One call of the kernel. `bases` and `full` (full-size scalars, one number for each sum) only for multi-scalar multiplications."""

    stage: str
    time: Time
    bases: Bases | None = field(default=None, repr=False)
    lengths: tuple[int, ...] = ()
    full: tuple[int, ...] = ()


@dataclass(frozen=True)
class Line:
    """One stage of a proof."""

    name: str
    calls: int
    time: Time


@dataclass(frozen=True)
class Profile:
    """Medians over `runs`: `total` of proofs that nobody watched, `stages` of watched ones, `floor` of the bare loop, its multiplications
    one by one in `multiplications`, and `full_scalars` in them."""

    runs: int
    total: Time
    floor: Time
    full_scalars: int
    stages: list[Line]
    multiplications: list[Line]

    @property
    def distance(self) -> Time:
        """How many times the floor a proof takes, by either."""
        return Time(self.total.clock / self.floor.clock, self.total.processor / self.floor.processor)


def profile(model: Model, image: np.ndarray, runs: int, advance: Callable[[int], None] = lambda count: None) -> Profile:
    """Proves `2 * runs` times, every other time watched, with a bare loop between; a first proof is not counted."""
    prove(model, image)
    totals, floors, watched = [], [], []
    for _ in range(runs):
        totals.append(Time.of(lambda: prove(model, image)))
        with watch() as calls:
            prove(model, image)
        watched.append(calls)
        floors.append(Time.sum(bare(call) for call in calls if sum(call.full)))
        advance(1)
    total, stages = Time.median(totals), _stages(watched)
    stages.append(Line(PYTHON, 0, total - Time.sum(line.time for line in stages)))
    products = [[call for call in calls if call.bases is not None] for calls in watched]
    multiplications = [
        Line(_describe(same[0]), 1, Time.median(call.time for call in same)) for same in zip(*products, strict=True)
    ]
    full = sum(sum(call.full) for call in products[0])
    return Profile(runs, total, Time.median(floors), full, stages, multiplications)


def bare(call: Call) -> Time:
    """The same multiplication with as many random full-size scalars and nothing else."""
    vectors = [random_scalars(count) for count in call.full if count]
    return Time.of(lambda: call.bases.msm(vectors[0]) if len(vectors) == 1 else call.bases.msm_each(vectors))


@contextmanager
def watch() -> Iterator[list[Call]]:
    """Times every call of the kernel's vectors, points and bases in this process until the block ends."""
    calls: list[Call] = []
    originals = [(kind, name, vars(kind)[name]) for kind in (Vector, Bases, G1) for name in _methods(kind)]
    try:
        for kind, name, original in originals:
            setattr(kind, name, _timed(kind, name, original, calls))
        yield calls
    finally:
        for kind, name, original in originals:
            setattr(kind, name, original)


def _methods(kind: type) -> list[str]:
    operators = ("__add__", "__radd__", "__sub__", "__rsub__", "__mul__", "__rmul__", "__neg__", "__getitem__", "__eq__")
    return [name for name in vars(kind) if callable(getattr(kind, name)) and (not name.startswith("_") or name in operators)]


def _timed(kind: type, name: str, original: object, calls: list[Call]) -> object:
    """`original`, a method or static method, noting what each call took."""
    static = isinstance(original, staticmethod)
    function = original.__func__ if static else original
    stage = next((stage for stage, names in STAGES.items() if name in names and not (kind is Vector and stage == "points")), ARITHMETIC)
    stage = "points" if kind is not Vector and stage == ARITHMETIC else stage

    def call(*arguments):
        start, busy = time.perf_counter(), time.process_time()
        result = function(*arguments)
        taken = Time(time.perf_counter() - start, time.process_time() - busy)
        if name in STAGES["multi-scalar multiplications"]:
            calls.append(Call(stage, taken, arguments[0], *_sizes(name, *arguments[1:])))
        else:
            calls.append(Call(stage, taken))
        return result

    return staticmethod(call) if static else call


def _sizes(name: str, *arguments) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Of each sum: all its scalars, and its full-size ones. Reads the scalars after the clock has stopped."""
    if name == "msm_integers":
        matrix, tails = arguments
        return tuple(matrix.shape[1] + len(tail) for tail in tails), tuple(map(_full, tails))
    vectors = [arguments[0]] if name == "msm" else arguments[0]
    return tuple(map(len, vectors)), tuple(map(_full, vectors))


def _full(vector: Vector) -> int:
    data = np.frombuffer(_TO_BYTES(vector), "<u8").reshape(-1, 4)
    negative = np.frombuffer(_TO_BYTES(_NEGATE(vector)), "<u8").reshape(-1, 4)
    return int(np.count_nonzero(data[:, 1:].any(axis=1) & negative[:, 1:].any(axis=1)))


_TO_BYTES, _NEGATE = Vector.to_bytes, Vector.__neg__


def _stages(watched: list[list[Call]]) -> list[Line]:
    names = list(dict.fromkeys(call.stage for call in watched[0]))
    lines = []
    for name in names:
        sums = [Time.sum(call.time for call in calls if call.stage == name) for calls in watched]
        lines.append(Line(name, sum(call.stage == name for call in watched[0]), Time.median(sums)))
    return sorted(lines, key=lambda line: -line.time.processor)


def _describe(call: Call) -> str:
    full, all_of_them = sum(call.full), sum(call.lengths)
    columns = f" in {len(call.full)} sums" if len(call.full) > 1 else ""
    return f"{full:,} full-size and {all_of_them - full:,} small scalars{columns}"
