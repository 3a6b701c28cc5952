"""Columns as polynomials: values on the domain, blinded coefficients, and their commitments."""

from __future__ import annotations

from dataclasses import dataclass

from zkpredict.kernel import G1, Vector
from zkpredict.prover.randomness import random_scalars
from zkpredict.prover.setup import lagrange_key


@dataclass(frozen=True, eq=False)
class Column:
    """A committed column: `values` on the domain (n), `coefficients` of values + blinding * (X^n - 1), `commitment`."""

    values: Vector
    coefficients: Vector
    commitment: G1


def commit_column(values: Vector, blinders: int) -> Column:
    """Blinds `values` with fresh random coefficients and commits. n must be a supported domain."""
    domain = len(values)
    blinding = random_scalars(blinders)
    low = Vector.concat([-blinding, Vector.zeros(domain - blinders)])
    coefficients = Vector.concat([values.intt() + low, blinding])
    return Column(values, coefficients, lagrange_key(domain, blinders).msm(Vector.concat([values, blinding])))
