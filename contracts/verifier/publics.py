"""Closed forms of the public polynomials at rho, as formulas and as Yul, made from `circuits.constraints`.

A periodic polynomial is `(rho^n - 1)/p * sum_j v_j / (y/w^j - 1)` with y = rho^(n/p) and w a p-th root of unity. Each is kept as a
fraction; one inversion serves all denominators. With a single value the sum is a product of `1 + (y/w^j)^(2^i)`: no fraction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from zkpredict.circuits.constraints import constant_term, readout, selectors
from zkpredict.circuits.field import MODULUS, inverse, powers, root_of_unity
from zkpredict.circuits.layout import LANE_ROWS, Circuit
from zkpredict.circuits.publics import Periodic
from zkpredict.contracts.verifier.lowering import FIELD, number
from zkpredict.contracts.verifier.symbolic import Symbol, lifted

ALPHA = Symbol.named("alpha")


class UnsupportedShape(ValueError):
    """The circuit's public polynomials are not of the form that the contract template evaluates."""


def rho_power(exponent: int) -> Symbol:
    """The name of rho^(2^k), which the contract keeps for every 2^k up to the domain size."""
    return Symbol.named(f"rho_{exponent}")


def rho_to(exponent: int) -> Symbol:
    """rho^exponent as a product of the powers that the contract keeps."""
    result = Symbol.of({(): 1})
    for bit in range(exponent.bit_length()):
        if exponent >> bit & 1:
            result = result * rho_power(1 << bit)
    return result


@dataclass(frozen=True)
class Fraction:
    """`factor * numerator / denominator`, still without the common factor rho^n - 1."""

    factor: Symbol
    numerator: Symbol
    denominator: Symbol


@dataclass(frozen=True)
class Mirrored:
    """`factor * sum_j 1/(y/w^j - 1)`, still without rho^n - 1, over `rows` j that lie in pairs around their middle: the first with the last.

    With s = 1/w^j and t = 1/w^k for a pair and z = y^2, `s t` is the same for all pairs. For m pairs, and e = s + t of each,

        head = 1 + s t z,    1/(s y - 1) + 1/(t y - 1) = (e y - 2)/(head - e y) = (head - 2)/(head - e y) - 1
        sum = top / bottom - m = ((head - 2) top - m bottom) / bottom,    top / bottom = sum over pairs of 1/(head - e y)
    """

    factor: Symbol
    domain: int
    period: int
    rows: tuple[int, ...]

    @classmethod
    def of(cls, polynomial: Periodic[Symbol], domain: int) -> Mirrored | None:
        """None when the rows do not lie so, or have different values."""
        rows, values = sorted(polynomial.values), list(polynomial.values.values())
        middles = {low + high for low, high in zip(rows, reversed(rows), strict=True)}
        if len(rows) < 4 or len(rows) % 2 or len(middles) > 1 or any(value != values[0] for value in values):
            return None
        return cls(Symbol.of({(): inverse(polynomial.period)}) * values[0], domain, polynomial.period, tuple(rows))

    def shifted(self, other: Mirrored) -> bool:
        """Whether its rows are those of another, all earlier or later by as many."""
        shifts = {row - earlier for row, earlier in zip(self.rows, other.rows, strict=False)}
        return (self.domain, self.period, len(self.rows), len(shifts)) == (other.domain, other.period, len(other.rows), 1)

    def root(self, row: int) -> int:
        """1/w^row."""
        return pow(root_of_unity(self.period), -row, MODULUS)


def in_twos(found: Mapping[str, Mirrored]) -> list[dict[str, Mirrored]]:
    """Polynomials that are evaluated together: two that are shifts of each other, or one alone. More would not fit the EVM's stack."""
    groups: list[dict[str, Mirrored]] = []
    for name, one in found.items():
        partner = next((group for group in groups if len(group) == 1 and one.shifted(*group.values())), None)
        if partner is None:
            groups.append({name: one})
        else:
            partner[name] = one
    return groups


def mirrored_lines(found: Mapping[str, Mirrored], reserve: Callable[[str, int], str]) -> list[str]:
    """Yul that evaluates polynomials whose rows differ by shifts alone, and so share constants. `reserve` gives the words of NAME_top and
    NAME_bottom, for numbers up to a bound."""
    (first, *_), indices = found.values(), range(len(found))
    power, half = first.domain // first.period, len(first.rows) // 2
    argument, lines = "mload(RHO)" if power == 1 else f"mload(RHO_{power})", []
    for i, one in enumerate(found.values()):
        shift = one.rows[0] - first.rows[0]
        y = f"mulmod({argument}, {number(one.root(shift))}, {FIELD})" if shift else argument
        head = f"add(mulmod(mload(RHO_{2 * power}), {number(one.root(one.rows[0] + one.rows[-1]))}, {FIELD}), 1)"
        lines += [f"let y{i} := {y}", f"let head{i} := {head}"]
    for pair, (low, high) in enumerate(zip(first.rows[:half], reversed(first.rows), strict=False)):
        lines.append(f"{'' if pair else 'let '}both := {number(-(first.root(low) + first.root(high)) % MODULUS)}")
        for i in indices:
            term = f"add(head{i}, mulmod(y{i}, both, {FIELD}))"
            if pair == 0:
                lines.append(f"let bottom{i} := {term}")
                continue
            lines += [
                f"{'let ' if (pair, i) == (1, 0) else ''}term := {term}",
                f"top{i} := add(mulmod(top{i}, term, {FIELD}), bottom{i})" if pair > 1 else f"let top{i} := addmod(term, bottom{i}, {FIELD})",
                f"bottom{i} := mulmod(bottom{i}, term, {FIELD})",
            ]
    for i, name in enumerate(found):
        top = f"add(mulmod(top{i}, sub(add(head{i}, {FIELD}), 2), {FIELD}), mulmod(bottom{i}, sub({FIELD}, {half}), {FIELD}))"
        lines += [f"mstore({reserve(f'{name}_top', 2 * MODULUS)}, {top})", f"mstore({reserve(f'{name}_bottom', MODULUS)}, bottom{i})"]
    return ["{", *(f"    {line}" for line in lines), "}"]


def indicator(polynomial: Periodic[Symbol], domain: int) -> Symbol:
    """The polynomial that is 1 on one row of the period: `1/p * prod_i (1 + (y/w^j)^(2^i))`."""
    ((row, _),) = polynomial.values.items()
    period = polynomial.period
    shift = pow(root_of_unity(period), -row, MODULUS)
    result, step = Symbol.of({(): inverse(period)}), 1
    while step < period:
        result = result * (rho_power(domain // period * step) * pow(shift, step, MODULUS) + 1)
        step *= 2
    return result


def fraction(polynomial: Periodic[Symbol], domain: int) -> Fraction:
    """Numerator and denominator as polynomials in y, by Horner's rule, for values that are constants times one formula each."""
    period, y = polynomial.period, rho_power(domain // polynomial.period)
    shifts = [pow(root_of_unity(period), -row, MODULUS) for row in polynomial.values]
    values = list(polynomial.values.values())
    scale = Symbol.of({(): inverse(period)})
    if all(value == values[0] for value in values):
        numerator = [0]
        for shift in shifts:
            others = _product([s for s in shifts if s != shift])
            numerator = [(a + b) % MODULUS for a, b in zip(numerator + [0] * len(others), others, strict=False)]
        return Fraction(scale * values[0], _horner(numerator, y), _horner(_product(shifts), y))
    top, bottom = Symbol.of({}), Symbol.of({(): 1})
    for shift, value in zip(shifts, values, strict=True):
        term = y * shift - 1
        top, bottom = top * term + bottom * value, bottom * term
    return Fraction(scale, top, bottom)


def _product(shifts: list[int]) -> list[int]:
    """Coefficients of prod (shift * y - 1), low first."""
    result = [1]
    for shift in shifts:
        low, high = [-c % MODULUS for c in result] + [0], [0] + [c * shift % MODULUS for c in result]
        result = [(a + b) % MODULUS for a, b in zip(low, high, strict=True)]
    return result


def _horner(coefficients: list[int], y: Symbol) -> Symbol:
    total = Symbol.of({})
    for coefficient in reversed(coefficients):
        total = total * y + coefficient
    return total


@dataclass(frozen=True)
class Selectors:
    """The image- and digit-free public polynomials of a circuit, by how the contract evaluates them."""

    indicators: dict[str, Symbol]
    fractions: dict[str, Fraction | Mirrored]

    @classmethod
    def of(cls, circuit: Circuit) -> Selectors:
        """Sorts `circuits.constraints.selectors`, run on the name alpha."""
        indicators: dict[str, Symbol] = {}
        fractions: dict[str, Fraction | Mirrored] = {}
        for name, polynomial in selectors(circuit, ALPHA).items():
            if not isinstance(polynomial, Periodic):
                raise UnsupportedShape(f"the public polynomial {name} is not periodic")
            if polynomial.values.keys() and list(polynomial.values.values()) == [1]:
                indicators[name] = indicator(polynomial, circuit.domain)
            else:
                fractions[name] = Mirrored.of(polynomial, circuit.domain) or fraction(polynomial, circuit.domain)
        return cls(indicators, fractions)


@dataclass(frozen=True)
class Readout:
    """The read-out polynomial: a weight (a formula in alpha) for each row, and which weights the claimed digit changes.

    Weights lie in memory. `entries` are the rows of the logits, pack by pack, `per_pack` values and before them one
    unused place: digit i adds `total` at place i + i // per_pack + 1 and `-borrow * total` at the place before.
    """

    weights: dict[int, Symbol]
    entries: tuple[int | None, ...]
    per_pack: int
    total: Symbol
    borrow: int

    @classmethod
    def of(cls, circuit: Circuit) -> Readout:
        """Reads the structure off `circuits.constraints.readout`, run on the name alpha for every digit.

        Raises `UnsupportedShape` when some digit changes other weights than the contract would.
        """
        neutral = readout(circuit, ALPHA, -1)
        group = circuit.layer_groups[-1]
        per_pack, span = group.values_per_pack, group.lanes * LANE_ROWS
        entries: list[int | None] = []
        for index in range(circuit.classes):
            if index % per_pack == 0:
                entries.append(None)
            entries.append(group.value_row(index) + span)
        first = circuit.first_equation(circuit.layers)
        total = lifted(sum(powers(ALPHA, first + circuit.classes)[first:], Symbol.of({})))
        borrow = 1 << group.value_bits
        for digit in range(circuit.classes):
            place = digit + digit // per_pack + 1
            change = {entries[place]: total}
            if entries[place - 1] is not None:
                change[entries[place - 1]] = total * -borrow
            wanted = {row: neutral.values.get(row, 0) + change.get(row, 0) for row in neutral.values}
            if readout(circuit, ALPHA, digit).values != wanted:
                raise UnsupportedShape(f"the read-out of digit {digit} is not of the expected form")
        weights = {row: lifted(value) for row, value in neutral.values.items()}
        return cls(weights, tuple(entries), per_pack, total, borrow)

    @property
    def fixed_rows(self) -> list[int]:
        """Rows whose weight no digit changes."""
        return [row for row in self.weights if row not in self.entries]


def turned(rows: Collection[int], domain: int) -> list[list[int]]:
    """The rows in fours a quarter of the domain apart, then in twos half of it apart, then one by one."""
    groups: list[list[int]] = []
    left = set(rows)
    for size in (4, 2, 1):
        for row in sorted(left):
            group = [row + turn * domain // size for turn in range(size)]
            if left.issuperset(group):
                groups.append(group)
                left.difference_update(group)
    return groups


def readout_lines(domain: int, weights: Mapping[int, str]) -> list[str]:
    """Yul of the fraction top / bottom = sum over rows j of weight_j / (rho/w^j - 1), with the variables `rho`, `term`, `top`, `bottom`.
    No weight may exceed the field order; `top` stays at or below twice that; rho is not zero, so nothing wraps.

    With u = rho/w^j, and i = 1/w^(n/4), four rows from j on, a quarter of the domain apart, are read at u, i u, -u, -i u:

        a/(u - 1) + c/(-u - 1) = even/(u^2 - 1),        even = a + c + (a - c) u
        b/(i u - 1) + d/(-i u - 1) = -odd/(u^2 + 1),    odd = b + d + (b - d) i u
        together                                        (even (1 + u^2) + odd (1 - u^2)) / (u^4 - 1)
    """
    root, groups, steps = root_of_unity(domain), turned(weights, domain), []
    for group in groups:
        first, *others = (weights[row] for row in group)
        pole = f"mulmod(rho, {number(pow(root, -group[0], MODULUS))}, {FIELD})"
        if not others:
            value = first
            steps.append(f"term := sub({pole}, 1)")
        elif len(others) == 1:
            value = _opposite(first, others[0], "u")
            steps += [f"u := {pole}", f"term := sub(mulmod(u, u, {FIELD}), 1)"]
        else:
            even, odd = _opposite(first, others[1], "u"), _opposite(others[0], others[2], f"mulmod(u, quarter, {FIELD})")
            value = f"add(mulmod(add(1, square), {even}, {FIELD}), mulmod(sub(add(1, {FIELD}), square), {odd}, {FIELD}))"
            steps += [f"u := {pole}", f"square := mulmod(u, u, {FIELD})", f"term := sub(mulmod(square, square, {FIELD}), 1)"]
        if group == groups[0]:
            steps += [f"top := {value}", "bottom := term"]
        else:
            steps += [f"top := add(mulmod(top, term, {FIELD}), mulmod({value}, bottom, {FIELD}))", f"bottom := mulmod(bottom, term, {FIELD})"]
    inside = [f"let quarter := {number(pow(root, -domain // 4, MODULUS))}", "let u", "let square", *steps]
    return ["let rho := mload(RHO)", "let term", "let top", "let bottom", "{", *(f"    {line}" for line in inside), "}"]


def _opposite(one: str, other: str, u: str) -> str:
    """Yul of `one + other + (one - other) u`."""
    return f"addmod(add({one}, {other}), mulmod({u}, add({one}, sub({FIELD}, {other})), {FIELD}), {FIELD})"


def constants(circuit: Circuit) -> Symbol:
    """The constant term for digit 0. Digit d adds the sum of the first d class weights. Raises `UnsupportedShape`."""
    base = lifted(constant_term(circuit, ALPHA, 0))
    first = circuit.first_equation(circuit.layers)
    weights = powers(ALPHA, first + circuit.classes)[first:]
    for digit in range(circuit.classes):
        if lifted(constant_term(circuit, ALPHA, digit)) != base + sum(weights[:digit], Symbol.of({})):
            raise UnsupportedShape(f"the constant term of digit {digit} is not of the expected form")
    return base
