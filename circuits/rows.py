"""The columns of a model: committed weight rows, combined by powers of alpha."""

from __future__ import annotations

from collections.abc import Sequence

from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.records import dataclass


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
    copies: Sequence[Sequence[int]] = ()
    """The exponents of the rows once more for each further replica of their layer: a row's weight is the sum over all of them."""

    def weights(self, alpha: int) -> list[int]:
        """The weight of each row at a challenge."""
        every = zip(self.exponents, *self.copies, strict=True)
        return [sum(pow(alpha, exponent, MODULUS) for exponent in own) % MODULUS for own in every]
