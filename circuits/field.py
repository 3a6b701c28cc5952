"""The scalar field of BLS12-381 on plain Python ints in [0, MODULUS): readable, slow, and shared by everything that is not hot."""

from __future__ import annotations

from functools import cache
from typing import Protocol, Self, TypeVar

MODULUS = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
GENERATOR = 7
TWO_ADICITY = 32


class Scalar(Protocol):
    """A field element, or a formula for one: an int, or what the contract generator runs the same code on. Ints mix in."""

    def __add__(self, other: Self | int, /) -> Self: ...

    def __radd__(self, other: int, /) -> Self: ...

    def __sub__(self, other: Self | int, /) -> Self: ...

    def __rsub__(self, other: int, /) -> Self: ...

    def __mul__(self, other: Self | int, /) -> Self: ...

    def __rmul__(self, other: int, /) -> Self: ...

    def __neg__(self) -> Self: ...

    def __mod__(self, modulus: int, /) -> Self: ...

    def __pow__(self, exponent: int, modulus: int, /) -> Self: ...


S = TypeVar("S", bound=Scalar)


@cache
def root_of_unity(size: int) -> int:
    """The generator `7^((r-1)/size)` of the multiplicative subgroup of `size` elements, a power of two up to 2^32."""
    if size < 1 or size & (size - 1) or size > 1 << TWO_ADICITY:
        raise ValueError(f"subgroup size must be a power of two up to 2^{TWO_ADICITY}, got {size}")
    return pow(GENERATOR, (MODULUS - 1) // size, MODULUS)


def inverse(value: S) -> S:
    """`1 / value`; zero raises `ZeroDivisionError`."""
    if value % MODULUS == 0:
        raise ZeroDivisionError("zero has no inverse in the field")
    return pow(value, -1, MODULUS)  # type: ignore[return-value]  # mypy forgets which scalar it is


def power(base: S, exponent: int) -> S:
    """`base ** exponent` for an exponent that is not negative."""
    return pow(base, exponent, MODULUS)  # type: ignore[return-value]  # mypy forgets which scalar it is


def inverses(values: list[int]) -> list[int]:
    """`[1 / v for v in values]` with one inversion (Montgomery's trick); a zero raises `ZeroDivisionError`."""
    products = [1]
    for value in values:
        products.append(products[-1] * value % MODULUS)
    running = inverse(products[-1])
    found = []
    for value, before in zip(reversed(values), reversed(products[:-1]), strict=True):
        found.append(running * before % MODULUS)
        running = running * value % MODULUS
    return found[::-1]


def powers(base: S, count: int) -> list[S | int]:
    """`[1, base, base^2, ...]`, `count` of them."""
    found: list[S | int] = []
    current: S | int = 1
    for _ in range(count):
        found.append(current)
        current = current * base % MODULUS
    return found


def evaluate_on_domain(coefficients: list[int], n: int) -> list[int]:
    """Values of a polynomial at all n-th roots of unity (radix-2, recursive)."""
    if n == 1:
        return [sum(coefficients) % MODULUS]
    even = evaluate_on_domain(coefficients[::2], n // 2)
    odd = evaluate_on_domain(coefficients[1::2], n // 2)
    roots = [int(root) for root in powers(root_of_unity(n), n // 2)]
    twisted = [root * value % MODULUS for root, value in zip(roots, odd, strict=True)]
    return [(a + b) % MODULUS for a, b in zip(even, twisted, strict=True)] + [(a - b) % MODULUS for a, b in zip(even, twisted, strict=True)]
