"""Ranges: every limb is a byte and every top byte goes with its bits, by one lookup (LogUp, ePrint 2022/1530).

    lookup_g     : L k1 k2 k3 - (k2 k3 + k1 k3 + k1 k2) = 0          for three keys of a row each, so L = 1/k1 + 1/k2 + 1/k3
    lookup_table : LT (beta + gamma tag + T) - head mult = 0         sum L = sum LT, in the circuit's one sum

    key of a byte b : beta + b                                        tag 0: 0..255
    key of a top    : beta + gamma (1 + sign) + top                   tag 1: 0..127, tag 2: 128..255
                      beta + gamma (1 + sign) + top + exact           tag 1: 0..127, tag 2: 129..255     in circuits that saturate
    exact (top - 128) = 0                                             there

`gamma` keeps the three ranges apart, whatever number a forger takes for a top: nothing else says that it is a byte. With tag 1, sign
is 0 and top in 0..127; with tag 2, sign is 1 and top in 128..255. Where `exact` is 1, top is 128, so the key says that sign is 1;
where it is 0, top is in 0..127 or 129..255. So exact = [top = 128].

The table has 512 entries: bytes on even places, tag 1 on places 1 modulo 4, tag 2 on places 3 modulo 4. `tag` is
(1 - Y^2)(3 + i Y)/4 with Y = X^128 and i = w_4, which is what it says on the subgroup of order 512, where Y = i^place.
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
TAGS = (0, 1, 0, 2)
"""Of the table's entries, by their place modulo 4."""


def table(saturates: bool) -> tuple[int, ...]:
    """The fixed column's values on the subgroup of order 512. Where `saturates`, 128 is no entry of its own: 129 stands for it."""
    upper = [*range(SIGN_BIT + 1, BYTE_BASE), SIGN_BIT + 1] if saturates else [*range(SIGN_BIT, BYTE_BASE)]
    return tuple(value for k in range(SIGN_BIT) for value in (2 * k, k, 2 * k + 1, upper[k]))


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
        """What is looked up for the top byte of a lane on `track`, under the tag 1 + sign."""
        return Cell(f"top{track}") + Cell(f"exact{track}") if self.circuit.saturates else Cell(f"top{track}")

    def keys(self, track: int) -> list[tuple[Expression, ...]]:
        """All keys of a row of `track`, three for each lookup column; the code is the third of the first."""
        beta, gamma = Challenge("beta"), Challenge("gamma")
        found: list[Expression] = [beta + Cell(name) for name in self.bytes_of(track)]
        found.insert(KEYS - 1, beta + (gamma * (1 + Cell(f"sign{track}")) + self.code(track)))
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
        entry = Challenge("beta") + Challenge("gamma") * Public("tag") + Cell(self.fixed)
        found.append(Constraint("lookup_table", Cell("lookup_table") * entry - Public("head") * Cell("mult")))
        return tuple(found)

    def selectors(self, alpha: S) -> dict[str, Periodic[S]]:
        n = self.circuit.domain
        period = n * len(TAGS) // TABLE_SIZE
        y = powers(root_of_unity(period), period)
        fourth, quarter = root_of_unity(4), inverse(4)
        tags: dict[int, S | int] = {
            row: (1 - value * value) * (3 + fourth * value) * quarter % MODULUS for row, value in enumerate(y)
        }
        return {"head": Periodic(n // TABLE_SIZE, {0: 1}), "tag": Periodic(period, tags)}

    def complete(self, cells: Cells) -> None:
        import numpy as np  # verifiers, which fill nothing, do not wait for it

        counts = np.zeros(TABLE_SIZE, dtype=np.int64)
        entries = TABLES[self.fixed]
        for name in self.private_bytes:
            counts[::2] += np.bincount(cells[name], minlength=BYTE_BASE)[:BYTE_BASE]
        for track in range(self.circuit.tracks):
            for name in self.bytes_of(track):
                counts[::2] += np.bincount(cells[name], minlength=BYTE_BASE)[:BYTE_BASE]
            exact = cells[f"exact{track}"] if self.circuit.saturates else 0
            tops = np.bincount(cells[f"top{track}"] + exact, minlength=BYTE_BASE)
            for first in (1, 3):
                counts[first::4] += tops[list(entries[first::4])]
        if self.circuit.saturates:
            counts[-1] = 0  # 129 stands there twice
        cells["mult"][:: self.circuit.domain // TABLE_SIZE] = counts


def _derivative(keys: tuple[Expression, ...]) -> Expression:
    """The sum of all products of all keys but one."""
    if len(keys) == 1:
        return Constant(1)
    return reduce(add, [reduce(_times, [key for at, key in enumerate(keys) if at != left]) for left in range(len(keys))])


def _times(one: Expression, other: Expression) -> Expression:
    return one * other
