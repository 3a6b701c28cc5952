"""Lanes with one column in the place of two bits: what a saturating byte makes of a lane.

    kind 0: top in 0..127, z is negative: hands on 0      kind 1: top in 129..255: 255      kind 2: top = 128: mid

    kind (kind - 1) (kind - 2) = 0;   hands on  kind (kind - 1)/2 mid + 255 kind (2 - kind)
    key of a top: beta + gamma (1 + kind) + top           tag 1: 0..127, tag 2: 129..255, tag 3: 128

The table is that of circuits that saturate, but for its last place, a spare one there: tag 3 and 128 in the place of tag 2 and 129.
"""

from __future__ import annotations

from zkpredict.circuits.columns import Column, Origin
from zkpredict.circuits.expression import Cell, Challenge, Expression, Public
from zkpredict.circuits.field import S, inverse
from zkpredict.circuits.gadgets.base import Cells, Constraint
from zkpredict.circuits.networks.activations import MAX_BYTE
from zkpredict.circuits.publics import Periodic
from zkpredict.circuits.wide.keys import KEYS, TABLE_SIZE, TABLES, Keys
from zkpredict.circuits.wide.lanes import BYTE_BASE, LIMBS, SIGN_BIT, Lanes
from zkpredict.circuits.wide.output import Output

NEGATIVE, LARGE, EXACT = range(3)
"""The kinds of lanes."""


class KindLanes(Lanes):
    """The limbs of every lane, and its kind."""

    def columns(self) -> tuple[Column, ...]:
        return tuple(Column(f"{name}{track}", Origin.PROOF, 1) for track in range(self.circuit.tracks) for name in (*LIMBS, "kind"))

    def constraints(self) -> tuple[Constraint, ...]:
        found = []
        for track in range(self.circuit.tracks):
            kind = Cell(f"kind{track}")
            found.append(Constraint(f"kind of track {track} is 0, 1 or 2", kind * (kind - LARGE) * (kind - EXACT)))
        return tuple(found)

    def complete(self, cells: Cells) -> None:
        for track in range(self.circuit.tracks):
            top = cells[f"top{track}"]
            cells[f"kind{track}"][:] = (top >= SIGN_BIT) * LARGE + (top == SIGN_BIT) * (EXACT - LARGE)


def byte_of(track: int) -> Expression:
    """What a lane of `track` hands on."""
    kind = Cell(f"kind{track}")
    return inverse(2) * (kind * (kind - 1)) * Cell(f"mid{track}") + MAX_BYTE * (kind * (2 - kind))


class KindKeys(Keys):
    """The range check of every byte, with the kind as the tag of a top."""

    def keys(self, track: int) -> list[tuple[Expression, ...]]:
        beta, gamma = Challenge("beta"), Challenge("gamma")
        found: list[Expression] = [beta + Cell(name) for name in self.bytes_of(track)]
        found.insert(KEYS - 1, beta + (gamma * (1 + Cell(f"kind{track}")) + Cell(f"top{track}")))
        return [tuple(found)]

    def constraints(self) -> tuple[Constraint, ...]:
        *found, _ = super().constraints()
        last = Public("last_entry")
        entry = Challenge("beta") + Challenge("gamma") * (Public("tag") + last) + (Cell(self.fixed) - last)
        return (*found, Constraint("lookup_table", Cell("lookup_table") * entry - Public("head") * Cell("mult")))

    def selectors(self, alpha: S) -> dict[str, Periodic[S]]:
        n = self.circuit.domain
        return super().selectors(alpha) | {"last_entry": Periodic(n, {n - n // TABLE_SIZE: 1})}

    def complete(self, cells: Cells) -> None:
        import numpy as np  # verifiers, which fill nothing, do not wait for it

        counts, entries = np.zeros(TABLE_SIZE, dtype=np.int64), TABLES[self.fixed]
        for track in range(self.circuit.tracks):
            for name in self.bytes_of(track):
                counts[::2] += np.bincount(cells[name], minlength=BYTE_BASE)[:BYTE_BASE]
            tops = np.bincount(cells[f"top{track}"], minlength=BYTE_BASE)
            counts[1::4] += tops[list(entries[1::4])]
            counts[3:-1:4] += tops[list(entries[3:-1:4])]
            counts[-1] += tops[SIGN_BIT]
        cells["mult"][:: self.circuit.domain // TABLE_SIZE] = counts


class KindOutput(Output):
    """The claim on the last layer: what must not be negative is of kind 0."""

    def constraints(self) -> tuple[Constraint, ...]:
        found = [
            Constraint(f"differences on track {track} are not negative", Public(f"nonnegative{track}") * Cell(f"kind{track}"))
            for track in self.signed_tracks
        ]
        return (*found, *super().constraints()[len(found) :])
