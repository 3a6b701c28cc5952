"""The toy proof of docs/protocol.md, computed anew: every number on the page, and that a false claim has no quotient."""

from __future__ import annotations

from pathlib import Path

import pytest

P, N, W = 97, 8, 64
"""The toy's field, rows, and generator of its rows."""
H = [pow(W, i, P) for i in range(N)]
CELL, ROW, CLAIM = [1, 0, 1, 1, 0, 0, 1, 0], [5, 3, 2, 7, 1, 4, 6, 8], 20
DELTA, RHO, NU, ZETA, TAU = 10, 34, 12, 41, 29
PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")


def inverse(value: int) -> int:
    return pow(value, -1, P)


def add(*polynomials: list[int]) -> list[int]:
    size = max(map(len, polynomials))
    return [sum(f[i] for f in polynomials if i < len(f)) % P for i in range(size)]


def times(f: list[int], g: list[int]) -> list[int]:
    found = [0] * (len(f) + len(g) - 1)
    for i, a in enumerate(f):
        for j, b in enumerate(g):
            found[i + j] = (found[i + j] + a * b) % P
    return found


def scaled(f: list[int], factor: int) -> list[int]:
    return [a * factor % P for a in f]


def at(f: list[int], x: int) -> int:
    return sum(a * pow(x, i, P) for i, a in enumerate(f)) % P


def through(values: list[int]) -> list[int]:
    """The polynomial of degree < 8 with these values on the rows."""
    return [sum(v * pow(h, -i, P) for v, h in zip(values, H)) * inverse(N) % P for i in range(N)]


def divided(f: list[int], g: list[int]) -> tuple[list[int], list[int]]:
    """Quotient and remainder."""
    rest, found = list(f), [0] * max(len(f) - len(g) + 1, 1)
    for i in range(len(f) - len(g), -1, -1):
        found[i] = rest[i + len(g) - 1] * inverse(g[-1]) % P
        rest = add(rest, scaled([0] * i + g, -found[i]))
    return found, rest[: len(g) - 1]


class Toy:
    def __init__(self, claim: int = CLAIM) -> None:
        self.share = claim * inverse(N) % P
        sums = [0]
        for u, bit in zip(ROW, CELL):
            sums.append((sums[-1] + u * bit - self.share) % P)
        self.sums, self.end = sums[:N], sums[N]
        self.cell, self.row, self.linear = through(CELL), through(ROW), through(self.sums)
        self.following = [a * pow(W, i, P) % P for i, a in enumerate(self.linear)]  # linear(w X)
        boolean = add(times(self.cell, self.cell), scaled(self.cell, -1))
        running = add(self.following, scaled(self.linear, -1), scaled(times(self.row, self.cell), -1), [self.share])
        self.vanishing = [P - 1] + [0] * (N - 1) + [1]
        self.total = add(boolean, scaled(running, DELTA))
        self.quotient, self.rest = divided(self.total, self.vanishing)


def listed(values: list[int]) -> str:
    return " ".join(map(str, values))


def test_the_numbers_on_the_page():
    toy = Toy()
    assert len(set(H)) == N and toy.end == 0 and not any(toy.rest)
    said, there = at(toy.cell, RHO), RHO * W % P
    vanishing = at(toy.vanishing, RHO)
    constant = (said * said - said + DELTA * toy.share) % P
    here = add(scaled(toy.linear, -DELTA), scaled(toy.row, -DELTA * said), scaled(toy.quotient, -vanishing))
    following = scaled(toy.linear, DELTA)
    stated = at(following, there)
    assert (at(here, RHO) + stated + constant) % P == 0
    claims = [(here, RHO, -(constant + stated) % P), (toy.cell, RHO, said), (following, there, stated)]
    opening, folded = [0], [0]
    for power, (polynomial, point, value) in enumerate(claims):
        part, rest = divided(add(polynomial, [-value % P]), [-point % P, 1])
        assert not any(rest)
        opening = add(opening, scaled(part, pow(NU, power, P)))
        other = ZETA - (there if point == RHO else RHO)
        folded = add(folded, scaled(add(polynomial, [-value % P]), pow(NU, power, P) * other))
    both = (ZETA - RHO) * (ZETA - there)
    folded = add(folded, scaled(opening, -both))
    final, rest = divided(folded, [-ZETA % P, 1])
    assert not any(rest)
    left = (at(folded, TAU) + ZETA * at(final, TAU)) % P
    for line in (
        f"rows       {listed(H)}",
        f"cell       {listed(CELL)}",
        f"row u      {listed(ROW)}",
        f"linear     {listed(toy.sums)}    and back to {toy.end}",
        f"20/8 = {toy.share}",
        f"cell(X)      {listed(toy.cell)}",
        f"u(X)         {listed(toy.row)}",
        f"linear(X)    {listed(toy.linear)}",
        f"quotient(X)  {listed(toy.quotient)}",
        f"cell({RHO}) = {said}, w rho = {there}, vanishing({RHO}) = {vanishing}, c = {constant}",
        f"M({there}) = {stated}, N({RHO}) = {at(here, RHO)}, and {at(here, RHO)} + {stated} + {constant} = {at(here, RHO) + stated + constant} = 0",
        f"[cell] = {at(toy.cell, TAU)}, [u] = {at(toy.row, TAU)}, [linear] = {at(toy.linear, TAU)}, [quotient] = {at(toy.quotient, TAU)}, "
        f"W = {at(opening, TAU)}, W' = {at(final, TAU)}",
        f"F = {at(folded, TAU)}, F + 41 W' = {left} = 29 W'",
    ):
        print(line)
        assert f"    {line}\n" in PAGE, line
    assert left == TAU * at(final, TAU) % P


@pytest.mark.parametrize("claim", [claim for claim in range(P) if claim != CLAIM])
def test_no_other_claim_has_a_quotient(claim):
    toy = Toy(claim)
    assert toy.end == (CLAIM - claim) % P and any(toy.rest)
    if claim == 21:
        assert f"    claim 21: linear ends at {toy.end}, and the remainder is {listed(toy.rest)}\n" in PAGE
