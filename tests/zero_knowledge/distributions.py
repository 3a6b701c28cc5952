"""Chi-square tests of uniformity and of agreement, with one significance for all: a false alarm in the suite has chance below 1e-9."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import chi2

from zkpredict.circuits.field import MODULUS

SIGNIFICANCE = 1e-12
"""Of one test. Some two hundred are made, so all pass but for a chance below 1e-9."""
BUCKETS = 8


def buckets(values: Sequence[int], modulus: int = MODULUS) -> np.ndarray:
    """How many of `values` lie in each of `BUCKETS` equal parts of [0, modulus)."""
    return np.bincount([value * BUCKETS // modulus for value in values], minlength=BUCKETS)


def uniform_p(counts: np.ndarray) -> float:
    """Chance of counts at least this uneven when all buckets are alike (Pearson's chi-square)."""
    expected = counts.sum() / len(counts)
    return float(chi2.sf(((counts - expected) ** 2 / expected).sum(), len(counts) - 1))


def agreement_p(left: np.ndarray, right: np.ndarray) -> float:
    """Chance that two samples of one distribution differ at least so much."""
    table = np.array([left, right], dtype=float)
    table = table[:, table.sum(axis=0) > 0]
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    return float(chi2.sf(((table - expected) ** 2 / expected).sum(), table.shape[1] - 1))


def bits_p(values: Sequence[int], bits: int) -> float:
    """Uniformity of each of the lowest `bits` bits: the least chance among them, times their number."""
    ones = [sum(value >> bit & 1 for value in values) for bit in range(bits)]
    return min(uniform_p(np.array([count, len(values) - count])) for count in ones) * bits
