"""The slow readable twin of the kernel: plain ints, definitions instead of algorithms, py_ecc for the curve.

Field functions take and return lists of ints in [0, r). Points are py_ecc points (optimized_bls12_381, projective
tuples). Nothing here is fast or checks its input; tests hold the kernel against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

MODULUS = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
GENERATOR = 7


def root_of_unity(n: int) -> int:
    """7^((r-1)/n): a primitive n-th root of unity, n a power of two."""
    return pow(GENERATOR, (MODULUS - 1) // n, MODULUS)


# Making vectors


def from_signed(values: Iterable[int]) -> list[int]:
    return [int(value) % MODULUS for value in values]


def from_bytes(data: bytes) -> list[int]:
    return [int.from_bytes(data[i : i + 32], "little") for i in range(0, len(data), 32)]


def from_wide_bytes(data: bytes) -> list[int]:
    return [int.from_bytes(data[i : i + 64], "little") % MODULUS for i in range(0, len(data), 64)]


def to_bytes(values: list[int]) -> bytes:
    return b"".join(value.to_bytes(32, "little") for value in values)


def powers(base: int, n: int) -> list[int]:
    return [pow(base, i, MODULUS) for i in range(n)]


# Elementwise


def add(left: list[int], right: list[int]) -> list[int]:
    return [(a + b) % MODULUS for a, b in zip(left, right, strict=True)]


def subtract(left: list[int], right: list[int]) -> list[int]:
    return [(a - b) % MODULUS for a, b in zip(left, right, strict=True)]


def multiply(left: list[int], right: list[int]) -> list[int]:
    return [a * b % MODULUS for a, b in zip(left, right, strict=True)]


def negate(values: list[int]) -> list[int]:
    return [-value % MODULUS for value in values]


def inverse(values: list[int]) -> list[int]:
    return [pow(value, -1, MODULUS) for value in values]


# Rows


def rotate(values: list[int], k: int) -> list[int]:
    return [values[(i + k) % len(values)] for i in range(len(values))]


def scatter(values: list[int], n: int, positions: list[int]) -> list[int]:
    out = [0] * n
    for value, position in zip(values, positions, strict=True):
        out[position] = (out[position] + value) % MODULUS
    return out


def scan(factors: list[int], addends: list[int], start: int) -> list[int]:
    """out[0] = start, out[i+1] = factors[i] * out[i] + addends[i]."""
    out = [start]
    for factor, addend in zip(factors, addends, strict=True):
        out.append((factor * out[-1] + addend) % MODULUS)
    return out


def linear_combination(vectors: list[list[int]], scalars: list[int]) -> list[int]:
    """sum_k scalars[k] * vectors[k], short vectors padded with zeros."""
    out = [0] * max(map(len, vectors), default=0)
    for vector, scalar in zip(vectors, scalars, strict=True):
        for i, value in enumerate(vector):
            out[i] = (out[i] + scalar * value) % MODULUS
    return out


def combine_rows(matrix: Sequence[Sequence[int]], scalars: list[int], columns: int) -> list[int]:
    """sum_r scalars[r] * matrix[r], rows of `columns` signed integers."""
    return [
        sum(scalar * int(row[c]) for row, scalar in zip(matrix, scalars, strict=True)) % MODULUS for c in range(columns)
    ]


def evaluate_program(
    n: int, inputs: Sequence[tuple[list[int], int]], operations: Sequence[tuple[str, int, int]]
) -> list[int]:
    """The last operation's values; operands are inputs read cyclically from their shift on, then earlier results."""
    known = [[vector[(i + shift) % len(vector)] for i in range(n)] for vector, shift in inputs]
    for operator, left, right in operations:
        known.append({"+": add, "-": subtract, "*": multiply}[operator](known[left], known[right]))
    return known[-1]


# Polynomials, constant coefficient first


def evaluate(coefficients: list[int], x: int) -> int:
    return sum(c * pow(x, i, MODULUS) for i, c in enumerate(coefficients)) % MODULUS


def divide(dividend: list[int], divisor: list[int]) -> tuple[list[int], list[int]]:
    """(quotient, remainder) by schoolbook division; the divisor is monic."""
    remainder, degree = list(dividend), len(divisor) - 1
    quotient = [0] * max(len(dividend) - degree, 0)
    for i in reversed(range(len(quotient))):
        quotient[i] = remainder[i + degree]
        for j, c in enumerate(divisor):
            remainder[i + j] = (remainder[i + j] - quotient[i] * c) % MODULUS
    return quotient, remainder[:degree]


def divide_by_linear(coefficients: list[int], z: int) -> tuple[list[int], int]:
    quotient, remainder = divide(coefficients, [-z % MODULUS, 1])
    return quotient, sum(remainder)


# Transforms, by evaluating at every point


def coset_ntt(coefficients: list[int], size: int, shift: int) -> list[int]:
    """out[i] = f(shift * omega^i), omega of order size."""
    omega = root_of_unity(size)
    return [evaluate(coefficients, shift * pow(omega, i, MODULUS) % MODULUS) for i in range(size)]


def ntt(coefficients: list[int]) -> list[int]:
    return coset_ntt(coefficients, len(coefficients), 1)


def coset_intt(evaluations: list[int], shift: int) -> list[int]:
    """c_j = shift^-j / n * sum_i evaluations[i] * omega^(-ij)."""
    n = len(evaluations)
    backward = pow(root_of_unity(n), -1, MODULUS)
    scale, unshift = pow(n, -1, MODULUS), pow(shift, -1, MODULUS)
    return [
        evaluate(evaluations, pow(backward, j, MODULUS)) * scale * pow(unshift, j, MODULUS) % MODULUS for j in range(n)
    ]


def intt(evaluations: list[int]) -> list[int]:
    return coset_intt(evaluations, 1)


# Hash


def keccak256(data: bytes) -> bytes:
    return import_module("Crypto.Hash.keccak").new(digest_bits=256, data=data).digest()


# Points

Point = tuple[Any, Any, Any]  # of py_ecc field elements: projective x, y, z


def curve() -> ModuleType:
    """py_ecc's projective BLS12-381: G1, G2, Z1, Z2, add, neg, eq, multiply, normalize, pairing."""
    return import_module("py_ecc.optimized_bls12_381")


def compress_g1(point: Point) -> bytes:
    encode = import_module("py_ecc.bls.point_compression").compress_G1
    return encode(point).to_bytes(48, "big")


def compress_g2(point: Point) -> bytes:
    encode = import_module("py_ecc.bls.point_compression").compress_G2
    return b"".join(part.to_bytes(48, "big") for part in encode(point))


def serialize(point: Point) -> bytes:
    """Uncompressed: big-endian x and y, over Fp2 the coefficient of u first; 0x40 and zeros for the identity."""
    x, y = curve().normalize(point)
    coordinates = [part for c in (x, y) for part in reversed(getattr(c, "coeffs", (c,)))]
    if curve().is_inf(point):
        return bytes([0x40]) + bytes(48 * len(coordinates) - 1)
    return b"".join(int(part).to_bytes(48, "big") for part in coordinates)


def g1_linear_combination(points: Sequence[Point], scalars: Sequence[int]) -> Point:
    """sum_i scalars[i] * points[i]; the twin of G1.linear_combination and of Bases.msm."""
    result = curve().Z1
    for point, scalar in zip(points, scalars, strict=True):
        result = curve().add(result, curve().multiply(point, scalar))
    return result


def msm_integers(points: Sequence[Point], matrix: Sequence[Sequence[int]], tails: Sequence[list[int]]) -> list[Point]:
    """For each row of signed integers and its tail: the sum over both, one after the other."""
    scalars = [[*from_signed(row), *tail] for row, tail in zip(matrix, tails, strict=True)]
    return [g1_linear_combination(points[: len(row)], row) for row in scalars]


def lagrange(monomials: Sequence[Point], n: int) -> list[Point]:
    """L_i(tau) G = sum_j l_ij [tau^j]G, where l_i are the coefficients of the i-th Lagrange polynomial."""
    units = [[int(i == j) for j in range(n)] for i in range(n)]
    return [g1_linear_combination(monomials[:n], intt(unit)) for unit in units]


def pairing_check(pairs: Iterable[tuple[Point, Point]]) -> bool:
    """Whether the product of e(P, Q) is one."""
    bls = curve()
    product = bls.FQ12.one()
    for p, q in pairs:
        product *= bls.pairing(q, p)
    return product == bls.FQ12.one()
