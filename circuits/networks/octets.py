"""Weights of one byte as the bytes they are: one network's run on one input, exactly, by a process that need not wait for numpy.

    sum_j W[i, j] a[j] mod r = row i of the kernel's sum of columns a[j] W[., j]

is the sum itself, an integer, wherever that is below r/2 in magnitude: `exact` says where. The slow twins are `DenseLayer.apply_plainly` and
the definition of `reach` in Python ints (`tests/circuits/test_circuits_octets.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.records import dataclass, field

LARGEST = 128
"""The largest magnitude of a byte with a sign."""
_BLOCK = 1 << 16
_POSITIVE = bytes(value if value < LARGEST else 0 for value in range(256))
_NEGATIVE = bytes(value if value >= LARGEST else 0 for value in range(256))


@dataclass(frozen=True, eq=False)
class Octets:
    """int8 [rows, columns], row after row."""

    data: bytes | memoryview = field(repr=False)
    rows: int
    columns: int

    def buffer(self, first: int, last: int) -> memoryview:
        """The rows from `first` to before `last`, as a two-dimensional buffer of int8."""
        return memoryview(self.data)[first * self.columns : last * self.columns].cast("b", (last - first, self.columns))

    def exact(self, largest: Iterable[int]) -> bool:
        """Whether sums of products with numbers of these magnitudes, one a column, are below r/2."""
        return LARGEST * sum(largest) < MODULUS // 2

    def times(self, values: Sequence[int]) -> list[int]:
        """W a, for `exact` values, one a column."""
        return [z for block in self._blocks() for z in _sums(block, values)]

    def reach(self, least: Sequence[int], most: Sequence[int]) -> tuple[list[int], list[int]]:
        """The least and the largest of each row of W a, over all `exact` a between `least` and `most`, ends included."""
        low: list[int] = []
        high: list[int] = []
        for block in self._blocks():
            by_sign = block.translate(_POSITIVE) + block.translate(_NEGATIVE)
            low += _sums(by_sign, [*least, *most])
            high += _sums(by_sign, [*most, *least])
        return low, high

    def _blocks(self) -> Iterator[bytes]:
        """Some rows at a time, column after column: few enough to cost little memory."""
        size = max(1, _BLOCK // self.columns) * self.columns
        for start in range(0, self.rows * self.columns, size):
            block = bytes(self.data[start : start + size])
            yield b"".join([block[column :: self.columns] for column in range(self.columns)])


def _sums(columns: bytes, factors: Sequence[int]) -> list[int]:
    """sum_j factors[j] columns[j, i] for each i, which must be below r/2 in magnitude."""
    from zkpredict.kernel import Vector  # late: verifiers know no weights, and some have no kernel

    rows = memoryview(columns).cast("b", (len(factors), len(columns) // len(factors)))
    found = Vector.combine_rows(rows, [factor % MODULUS for factor in factors]).to_ints()
    return [value - MODULUS if value > MODULUS // 2 else value for value in found]
