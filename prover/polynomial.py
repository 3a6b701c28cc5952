"""Columns as polynomials: values on the domain, blinded coefficients, and their commitments."""

from __future__ import annotations

from dataclasses import dataclass

from zkpredict.kernel import G1, Vector
from zkpredict.prover.randomness import random_scalars
from zkpredict.prover.setup import BLINDERS, lagrange_key


@dataclass(frozen=True, eq=False)
class Column:
    """A committed column: `values` on the domain (n), `coefficients` of values + blinding * (X^n - 1) (n + 4), `commitment`."""

    values: Vector
    coefficients: Vector
    commitment: G1


def commit_column(values: Vector) -> Column:
    """Blinds `values` with four fresh random coefficients and commits. n must be a supported domain."""
    domain = len(values)
    blinding = random_scalars(BLINDERS)
    low = Vector.concat([-blinding, Vector.zeros(domain - BLINDERS)])
    coefficients = Vector.concat([values.intt() + low, blinding])
    return Column(values, coefficients, lagrange_key(domain).msm(Vector.concat([values, blinding])))
