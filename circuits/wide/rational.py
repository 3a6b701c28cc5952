"""Rational activations: a = floor(N(u) / D(u)) with quotient and remainder, on the row of the lane that holds u.

    u = 256 top + mid - 32768,   |u| = (2 sign - 1) u
    N(u) = q D(u) + rem          q = a, or q = 2 a + odd where D is twice another polynomial, which is then taken for D
    rem, D - 1 - rem             two bytes each, so 0 <= rem < D: the quotient is the floor
    a + 32768                    two bytes

It holds on every row, lanes of other layers as well: D(u) > 0 and a has 16 bits for every u (`Rational` looks at all of them).
Nothing wraps: N and q D stay below 2^33.
"""

from __future__ import annotations

from functools import cached_property

from zkpredict.circuits.columns import Column, Origin
from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.expression import Cell, Expression
from zkpredict.circuits.gadgets.base import Cells, Constraint
from zkpredict.circuits.networks.activations import HIGHEST_ARGUMENT, LOWEST_ARGUMENT, Polynomial, Rational
from zkpredict.circuits.records import replace
from zkpredict.circuits.wide.lanes import ARGUMENT_OFFSET, BYTE_BASE, BYTE_BITS, WideGadget, argument
from zkpredict.circuits.wide.layout import WideCircuit

BYTES = ("value_high", "value_low", "rem_high", "rem_low", "room_high", "room_low")
LARGEST_DENOMINATOR = BYTE_BASE * BYTE_BASE


class RationalGate(WideGadget):
    """The quotient of the circuit's one rational activation, on every row of every track."""

    def __init__(self, circuit: WideCircuit, activation: Rational) -> None:
        super().__init__(circuit)
        self.activation = activation
        check_denominator(activation)

    @cached_property
    def halved(self) -> bool:
        """Whether the denominator is twice another polynomial."""
        return _halves(self.activation.denominator)

    @cached_property
    def denominator(self) -> Polynomial:
        """D, halved if it can be."""
        return _reduced(self.activation.denominator)

    def columns(self) -> tuple[Column, ...]:
        names = (*BYTES, "odd_value") if self.halved else BYTES
        return tuple(Column(f"{name}{track}", Origin.PROOF, 1) for track in range(self.circuit.tracks) for name in names)

    def constraints(self) -> tuple[Constraint, ...]:
        found = []
        for track in range(self.circuit.tracks):
            u, rem = argument(track), _word("rem", track)
            size = (2 * Cell(f"sign{track}") - 1) * u
            below = _at(self.denominator, u, size)
            quotient = value(track)
            if self.halved:
                odd = Cell(f"odd_value{track}")
                found.append(Constraint(f"odd of track {track} is a bit", odd * odd - odd))
                quotient = 2 * quotient + odd
            found.append(Constraint(f"quotient of track {track}", _at(self.activation.numerator, u, size) - quotient * below - rem))
            found.append(Constraint(f"remainder of track {track} is below", below - 1 - rem - _word("room", track)))
        return tuple(found)

    def complete(self, cells: Cells) -> None:
        for track in range(self.circuit.tracks):
            u = (cells[f"top{track}"] << BYTE_BITS) + cells[f"mid{track}"] - ARGUMENT_OFFSET
            below, above = self.denominator(u), self.activation.numerator(u)
            quotient = above // below
            rem = above - quotient * below
            if self.halved:
                cells[f"odd_value{track}"][:] = quotient & 1
                quotient = quotient >> 1
            for name, word in (("value", quotient + ARGUMENT_OFFSET), ("rem", rem), ("room", below - 1 - rem)):
                cells[f"{name}_high{track}"][:] = word >> BYTE_BITS
                cells[f"{name}_low{track}"][:] = word & (BYTE_BASE - 1)


def value(track: int) -> Expression:
    """What the activation hands on from a lane of `track`."""
    return _word("value", track) - ARGUMENT_OFFSET


def check_denominator(activation: Rational) -> None:
    """Raises `UnsupportedNetwork` when remainders of `activation` do not fit two bytes, or a denominator is not positive."""
    import numpy as np  # once a circuit, and only where it is rational

    u = np.arange(LOWEST_ARGUMENT, HIGHEST_ARGUMENT + 1, dtype=np.int64)
    below = _reduced(activation.denominator)(u)
    if below.min() < 1 or below.max() > LARGEST_DENOMINATOR:
        raise UnsupportedNetwork(
            f"{activation}: its denominators are {below.min()} to {below.max()}, a wide circuit holds 1 to {LARGEST_DENOMINATOR}"
        )


def _halves(polynomial: Polynomial) -> bool:
    return not any(getattr(polynomial, name) & 1 for name in polynomial.__dataclass_fields__)


def _reduced(polynomial: Polynomial) -> Polynomial:
    if not _halves(polynomial):
        return polynomial
    return replace(polynomial, **{name: getattr(polynomial, name) // 2 for name in polynomial.__dataclass_fields__})


def _word(name: str, track: int) -> Expression:
    return BYTE_BASE * Cell(f"{name}_high{track}") + Cell(f"{name}_low{track}")


def _at(polynomial: Polynomial, u: Expression, size: Expression) -> Expression:
    """A polynomial at u, with |u| given."""
    terms: list[tuple[int, Expression | None]] = [
        (polynomial.constant, None), (polynomial.linear, u), (polynomial.size, size),
        (polynomial.square, u * u), (polynomial.signed_square, u * size),
    ]
    found: Expression | int = 0
    for factor, term in terms:
        if factor:
            found = found + (factor if term is None else factor * term)
    if isinstance(found, int):
        raise UnsupportedNetwork("a polynomial of a rational activation does not depend on its argument")
    return found
