"""A test set as polynomials: m inputs in each, so that few points commit to all of them (fflonk, ePrint 2021/1167).

    T_c(X) = sum_{j < m} X^j x_(m c + j)(X^m),    x_b(Y) = sum_k x_b[k] Y^k the bytes of input b;    degree below 4096

What is left of T_c modulo X^m - z is sum_j x_(m c + j)(z) X^j. Inputs to spare in the last polynomial are zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zkpredict.circuits.layout import MAX_DEGREE

if TYPE_CHECKING:
    import numpy as np

MOST_TOGETHER = 64
"""At most so many inputs lie in one polynomial: each is a number more in every proof."""


def together(size: int) -> int:
    """m for inputs of `size` bytes: the largest power of two, at most 64, for which m * size is at most 4096; 0 for longer ones."""
    fit = (MAX_DEGREE + 1) // size
    return min(1 << fit.bit_length() - 1, MOST_TOGETHER) if fit else 0


def polynomials(count: int, size: int) -> int:
    """How many polynomials hold `count` inputs of `size` bytes, at most 4096."""
    return -(-count // together(size))


def interleaved(inputs: bytes, size: int) -> np.ndarray:
    """The coefficients of T_c, low first, for inputs of `size` bytes, at most 4096, one behind another: uint8 [polynomials, m * size]."""
    import numpy as np  # late: a verifier without the inputs needs none of this

    images, m = np.frombuffer(inputs, np.uint8).reshape(-1, size), together(size)
    padded = np.zeros((polynomials(len(images), size) * m, size), np.uint8)
    padded[: len(images)] = images
    return np.ascontiguousarray(padded.reshape(-1, m, size).transpose(0, 2, 1)).reshape(-1, m * size)
