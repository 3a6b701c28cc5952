"""Columns as polynomials: values on the domain, blinded coefficients, and their commitments."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from zkpredict.circuits.records import dataclass
from zkpredict.circuits.field import GENERATOR, MODULUS, inverse
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
    return commit_columns([values], blinders)[0]


def commit_columns(columns: Sequence[Vector], blinders: int, centred: Sequence[bool] = ()) -> list[Column]:
    """Blinds and commits each, in one go: all cores work. Randomness is drawn for one column after another; a `centred` one has none
    in its constant term."""
    blinding = [random_scalars(blinders) for _ in columns]
    for number in (number for number, without in enumerate(centred) if without):
        blinding[number] = Vector.concat([Vector.zeros(1), blinding[number][1:]])
    key = lagrange_key(len(columns[0]), blinders)
    commitments = key.msm_each([Vector.concat([values, tail]) for values, tail in zip(columns, blinding, strict=True)])
    interpolated = Vector.intt_each(columns)
    blinded = [Vector.concat([low[:blinders] - tail, low[blinders:], tail]) for low, tail in zip(interpolated, blinding, strict=True)]
    return [Column(*parts) for parts in zip(columns, blinded, commitments, strict=True)]


def folded(coefficients: Vector, domain: int) -> Vector:
    """A polynomial modulo X^n - 1: n coefficients that give the same values on the domain."""
    if len(coefficients) == domain:
        return coefficients
    padded = Vector.concat([coefficients, Vector.zeros(-len(coefficients) % domain)])
    blocks = [padded[start : start + domain] for start in range(0, len(padded), domain)]
    return Vector.linear_combination(blocks, [1] * len(blocks))


def divide_by_binomial(polynomial: Vector, degree: int, factor: int) -> tuple[Vector, list[int]]:
    """(quotient, remainder) of f, longer than `degree`, by `factor` X^degree - 1: f = q (factor X^degree - 1) + r, so from the top
    q_k = (f_(k + degree) + q_(k + degree)) / factor, and r_k = f_k + q_k. The remainder has `degree` coefficients."""
    found, scale = polynomial.to_ints(), inverse(factor)
    for k in reversed(range(len(found) - degree)):
        found[k] = (found[k] + found[k + degree] * scale) % MODULUS
    return Vector.from_ints(found[degree:]) * scale, found[:degree]


@cache
def fixed_coefficients(values: tuple[int, ...]) -> Vector:
    """A constant column of the protocol as a polynomial, from its values on the subgroup of the order of their number."""
    return Vector.from_ints(list(values)).intt()


@cache
def fixed_on_coset(values: tuple[int, ...], size: int) -> Vector:
    """Its values on the coset 7 * <roots of unity of order `size`>."""
    return fixed_coefficients(values).coset_ntt(size, GENERATOR)
