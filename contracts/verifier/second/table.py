"""The table's polynomial T at rho with half the constants: T(w_256^i) = i has the coefficients c_k with c_(256-k) = -1 - c_k.

    T(Y) = 128 - (Y^256 - 1)/(Y - 1)/2 - Y^128 (Y - 1/Y) P(Y + 1/Y),    P(U) = sum_(j=1..127) (c_(128-j) + 1/2) S_(j-1)(U)

with the Chebyshev polynomials S_0 = 1, S_1 = U, S_(j+1) = U S_j - S_(j-1), for which S_(j-1)(Y + 1/Y) (Y - 1/Y) = Y^j - Y^-j.
"""

from __future__ import annotations

from functools import cache

from zkpredict.circuits.field import MODULUS, inverse
from zkpredict.circuits.layout import TABLE_SIZE
from zkpredict.circuits.second.total import table_coefficients
from zkpredict.contracts.verifier.lowering import FIELD, number

HALF_TABLE = TABLE_SIZE // 2
NESTED = 9
"""Steps in one expression: each holds up one place of the stack."""


@cache
def chebyshev_sum() -> tuple[int, ...]:
    """Coefficients of P, low first: 127 of them."""
    half, coefficients = inverse(2), table_coefficients()
    total = [0] * (HALF_TABLE - 1)
    before, current = [0], [1]
    for j in range(1, HALF_TABLE):
        factor = coefficients[HALF_TABLE - j] + half
        for k, value in enumerate(current):
            total[k] = (total[k] + factor * value) % MODULUS
        lowered = before + [0] * (len(current) + 1 - len(before))
        before, current = current, [(a - b) % MODULUS for a, b in zip([0, *current], lowered, strict=True)]
    return tuple(total)


def _nested(coefficients: list[int]) -> str:
    """Some steps of Horner's rule in u, from `table`, as one expression: nothing is stored in between."""
    value = "table"
    for coefficient in coefficients:
        value = f"add({number(coefficient)}, mulmod(u, {value}, {FIELD}))"
    return value


def table_lines(target: str) -> list[str]:
    """Statements that write T(rho) to `target`, from rho, its inverse and the powers of two of it that the contract keeps."""
    highest, *others = reversed(chebyshev_sum())
    lines = [
        "// table = 128 - (1 + rho)(1 + rho_2) ... (1 + rho_128)/2 - rho_128 (rho - 1/rho) P(rho + 1/rho)",
        "let u := add(mload(RHO), mload(RHO_INVERSE))",
        f"let table := {number(highest)}",
        *(f"table := {_nested(others[start : start + NESTED])}" for start in range(0, len(others), NESTED)),
        f"table := mulmod(mulmod(table, sub(add(mload(RHO), {FIELD}), mload(RHO_INVERSE)), {FIELD}), mload(RHO_128), {FIELD})",
        "let all := add(mload(RHO), 1)",
    ]
    doubling = 2
    while doubling < TABLE_SIZE:
        lines.append(f"all := mulmod(all, add(mload(RHO_{doubling}), 1), {FIELD})")
        doubling *= 2
    half = number(inverse(2))
    return [*lines, f"mstore({target}, addmod(128, sub(mul({FIELD}, 2), add(table, mulmod(all, {half}, {FIELD}))), {FIELD}))"]
