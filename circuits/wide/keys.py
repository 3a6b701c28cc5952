"""Ranges: every limb is a byte and every top byte goes with its bits, by one lookup (LogUp, ePrint 2022/1530).

    lookup_g     : L k1 k2 k3 - (k2 k3 + k1 k3 + k1 k2) = 0          for three keys of a row each, so L = 1/k1 + 1/k2 + 1/k3
    lookup_table : LT (beta + gamma odd + codes) - head mult = 0     sum L = sum LT, in the circuit's one sum

    key of a byte b : beta + b
    key of a top    : beta + gamma + top - 128 sign                  0..127 exactly when sign is the top bit of a byte `top`
                      beta + gamma + top + 256 sign + 512 exact      in circuits that saturate, with the codes
                      0..127 (negative), 896 (exact), 385..511 (saturated): all other pairs of bits fall outside

`gamma` keeps codes apart from bytes: without it top = b - 512, say, would be taken for the byte b. The table has 512 entries, bytes
on even and codes on odd ones; `odd` is (1 - X^256) / 2, which is what it says on the subgroup of order 512.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import add

from zkpredict.circuits.columns import Column, Origin
from zkpredict.circuits.expression import Cell, Challenge, Constant, Expression, Public
from zkpredict.circuits.field import MODULUS, S, inverse, powers, root_of_unity
from zkpredict.circuits.gadgets.base import Cells, Constraint
from zkpredict.circuits.publics import Periodic
from zkpredict.circuits.wide.lanes import BYTE_BASE, SIGN_BIT, WideGadget
from zkpredict.circuits.wide.rational import BYTES as RATIONAL_BYTES

TABLE_SIZE = 512
KEYS = 3
"""Of one lookup column: more would make the quotient longer."""
SIGN_CODE, EXACT_CODE = 256, 512


def codes(saturates: bool) -> tuple[int, ...]:
    """What the code of a top byte may be: 128 numbers, or 256."""
    if not saturates:
        return tuple(range(SIGN_BIT))
    negative, saturated = range(SIGN_BIT), range(SIGN_BIT + 1 + SIGN_CODE, BYTE_BASE + SIGN_CODE)
    return (*negative, SIGN_BIT + SIGN_CODE + EXACT_CODE, *saturated)


def table(saturates: bool) -> tuple[int, ...]:
    """The fixed column's values on the subgroup of order 512: bytes on even places, codes (then again their first) on odd ones."""
    own = codes(saturates)
    own += (own[0],) * (BYTE_BASE - len(own))
    return tuple(value for pair in zip(range(BYTE_BASE), own, strict=True) for value in pair)


TABLES: Mapping[str, tuple[int, ...]] = {"codes_relu": table(False), "codes_relu8": table(True)}
"""The fixed columns by name, and their values on the subgroup of order 512."""


class Keys(WideGadget):
    """The range check of every byte of every track."""

    @property
    def fixed(self) -> str:
        """The name of the circuit's table."""
        return "codes_relu8" if self.circuit.saturates else "codes_relu"

    def bytes_of(self, track: int) -> tuple[str, ...]:
        """The columns of `track` that hold bytes, but `top`, which has a code."""
        more = RATIONAL_BYTES if self.circuit.rational else ()
        return tuple(f"{name}{track}" for name in ("low", "mid", *more))

    def code(self, track: int) -> Expression:
        """What the code of a lane on `track` is."""
        top, sign = Cell(f"top{track}"), Cell(f"sign{track}")
        return top + SIGN_CODE * sign + EXACT_CODE * Cell(f"exact{track}") if self.circuit.saturates else top - SIGN_BIT * sign

    def keys(self, track: int) -> list[tuple[Expression, ...]]:
        """All keys of a row of `track`, three for each lookup column; the code is the third of the first."""
        beta, gamma = Challenge("beta"), Challenge("gamma")
        found: list[Expression] = [beta + Cell(name) for name in self.bytes_of(track)]
        found.insert(KEYS - 1, beta + (gamma + self.code(track)))
        return [tuple(found[first : first + KEYS]) for first in range(0, len(found), KEYS)]

    def lookups(self) -> list[tuple[str, tuple[Expression, ...]]]:
        """Every lookup column with its keys."""
        found = [
            (f"lookup{track}_{number}", keys)
            for track in range(self.circuit.tracks)
            for number, keys in enumerate(self.keys(track))
        ]
        held = [Challenge("beta") + Cell(name) for name in self.private_bytes]
        groups = [tuple(held[first : first + KEYS]) for first in range(0, len(held), KEYS)]
        return found + [(f"lookup_input{number}", keys) for number, keys in enumerate(groups)]

    @property
    def private_bytes(self) -> tuple[str, ...]:
        """The columns of a private input."""
        return tuple(f"input{part}" for part in range(len(self.circuit.chunks))) if self.circuit.private_input else ()

    def columns(self) -> tuple[Column, ...]:
        return (
            Column("mult", Origin.PROOF, 1),
            *(Column(name, Origin.PROOF, 2, name) for name, _ in self.lookups()),
            Column("lookup_table", Origin.PROOF, 2, "lookup_table"),
            Column(self.fixed, Origin.FIXED, values=TABLES[self.fixed]),
        )

    def constraints(self) -> tuple[Constraint, ...]:
        found = []
        for name, keys in self.lookups():
            product = reduce(_times, keys)
            found.append(Constraint(name, Cell(name) * product - _derivative(keys)))
        entry = Challenge("beta") + Challenge("gamma") * Public("odd") + Cell(self.fixed)
        found.append(Constraint("lookup_table", Cell("lookup_table") * entry - Public("head") * Cell("mult")))
        return tuple(found)

    def selectors(self, alpha: S) -> dict[str, Periodic[S]]:
        n, half = self.circuit.domain, inverse(2)
        signs = powers(root_of_unity(n // BYTE_BASE), n // BYTE_BASE)
        odd: dict[int, S | int] = {row: (1 - value) * half % MODULUS for row, value in enumerate(signs)}
        return {"head": Periodic(n // TABLE_SIZE, {0: 1}), "odd": Periodic(n // BYTE_BASE, odd)}

    def complete(self, cells: Cells) -> None:
        import numpy as np  # verifiers, which fill nothing, do not wait for it

        counts = np.zeros(TABLE_SIZE, dtype=np.int64)
        place = {code: 2 * number + 1 for number, code in reversed(list(enumerate(TABLES[self.fixed][1::2])))}
        for name in self.private_bytes:
            counts[::2] += np.bincount(cells[name], minlength=BYTE_BASE)[:BYTE_BASE]
        for track in range(self.circuit.tracks):
            for name in self.bytes_of(track):
                counts[::2] += np.bincount(cells[name], minlength=BYTE_BASE)[:BYTE_BASE]
            top, sign = cells[f"top{track}"], cells[f"sign{track}"]
            exact = cells[f"exact{track}"] if self.circuit.saturates else 0
            own = top + SIGN_CODE * sign + EXACT_CODE * exact if self.circuit.saturates else top - SIGN_BIT * sign
            for code, count in zip(*np.unique(own, return_counts=True), strict=True):
                if int(code) in place:
                    counts[place[int(code)]] += count
        cells["mult"][:: self.circuit.domain // TABLE_SIZE] = counts


def _derivative(keys: tuple[Expression, ...]) -> Expression:
    """The sum of all products of all keys but one."""
    if len(keys) == 1:
        return Constant(1)
    return reduce(add, [reduce(_times, [key for at, key in enumerate(keys) if at != left]) for left in range(len(keys))])


def _times(one: Expression, other: Expression) -> Expression:
    return one * other
