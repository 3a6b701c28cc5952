"""Time the kernel on this machine: `python -m zkpredict.kernel.timings` prints the table of the README.

Every time is the median of several runs, in milliseconds.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median

import numpy as np

from . import G1, G2, MODULUS, Bases, Vector, evaluate_program, pairing_check


def milliseconds(work: Callable[[], object], runs: int = 21) -> float:
    def once() -> float:
        start = time.perf_counter()
        work()
        return (time.perf_counter() - start) * 1000

    return median(once() for _ in range(runs))


def uniform(n: int) -> Vector:
    return Vector.from_wide_bytes(os.urandom(64 * n))


def measurements(n: int = 4096) -> Iterator[tuple[str, Callable[[], object]]]:
    """(name, function to time) for vectors of n elements and multiplications of up to n points."""
    a, b = uniform(n), uniform(n)
    x = a[0]
    yield f"add two vectors of {n}", lambda: a + b
    yield f"multiply two vectors of {n}", lambda: a * b
    yield f"invert a vector of {n}", a.inverse
    yield f"evaluate {n} coefficients", lambda: a.evaluate(x)
    yield f"ntt of {n}", a.ntt
    yield f"coset_ntt from {n} to {4 * n}", lambda: a.coset_ntt(4 * n, 7)

    generator = G1.generator()
    bases = Bases.concat([Bases([generator.mul(scalar) for scalar in uniform(256)])] * (n // 256))
    for size in (n // 16, n // 4, n // 2, n):
        yield f"msm of {size} full-size scalars", partial(bases.msm, a[:size])
    small = Vector.concat([Vector.from_ints([(i % 256 - 128) % MODULUS for i in range(n // 4)]), uniform(4)])
    yield f"msm of {n // 4} signed bytes and 4 full-size scalars", lambda: bases.msm(small)
    source = np.random.default_rng(1)
    columns, tails = source.integers(0, 256, (16, n // 4), dtype=np.uint8), [uniform(4)] * 16
    yield f"msm_integers of 16 columns of {n // 4} bytes, 4 full-size scalars each", lambda: bases.msm_integers(columns, tails)
    prepared = Bases.concat([bases])
    yield f"precompute {n // 2} bases", lambda: Bases.concat([bases]).precompute(n // 2)
    prepared.precompute(n // 2)
    yield f"msm of {n // 2} full-size scalars, precomputed", lambda: prepared.msm(a[: n // 2])
    weights = source.integers(-128, 128, (2000, 1000), dtype=np.int8)
    yield "combine_rows of 2,000 rows of 1,000 signed bytes", lambda: Vector.combine_rows(weights, a[:2000])
    operations = [("*", k % 2, k + 2) for k in range(20)]
    inputs = [(a, 0), (b, 1), (b, 0)]
    yield f"evaluate_program of 20 products over {n} rows", lambda: evaluate_program(n, inputs, operations)
    points = [bases[k] for k in range(20)]
    yield "linear_combination of 20 points", lambda: G1.linear_combination(points, a[:20])
    yield "lagrange bases of 256", lambda: bases.lagrange(256)

    point = generator.mul(x)
    compressed, uncompressed = point.to_compressed(), bases.to_uncompressed()
    yield "G1.mul", lambda: point.mul(x)
    yield "G1.from_compressed", lambda: G1.from_compressed(compressed)
    yield f"Bases.from_uncompressed of {n}, pinned", lambda: Bases.from_uncompressed(uncompressed, subgroup_check=False)
    yield f"Bases.from_uncompressed of {n}, all checks", lambda: Bases.from_uncompressed(uncompressed)
    pairs = [(generator.mul(6), G2.generator()), (-generator.mul(2), G2.generator().mul(3))]
    yield "pairing_check of two pairs", lambda: pairing_check(pairs)


if __name__ == "__main__":
    for name, work in measurements():
        print(f"| {name} | {milliseconds(work):.3g} |", flush=True)
