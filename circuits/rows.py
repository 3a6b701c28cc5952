"""The columns of a model: committed weight rows, combined by powers of alpha."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class RowColumn:
    """`exponents`: the power of alpha of each of its rows, which follow one another in the commitment. `coefficients`: whether the
    rows are coefficients, applied to the public input, or values on the domain, applied to what `layer` reads there."""

    name: str
    layer: int
    coefficients: bool
    exponents: Sequence[int]
    again: bool = False
    """Whether its rows are those of the column before it, weighed anew."""
