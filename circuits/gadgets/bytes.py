"""Bytes: every limb is in 0..255, by a sum of inverses over limbs and over the table (LogUp, ePrint 2022/1530).

    lookup(next) - lookup = 1/(beta + limb) - table_head cell/(beta + table)        and cyclic: both sums are equal

On the rows of the table, `cell` holds how often its entry occurs among the limbs.
"""

from __future__ import annotations

from collections import Counter

from zkpredict.circuits.columns import Column, Origin
from zkpredict.circuits.expression import Cell, Challenge, Public
from zkpredict.circuits.field import S
from zkpredict.circuits.gadgets.base import Cells, Constraint, Gadget
from zkpredict.circuits.layout import TABLE_SIZE
from zkpredict.circuits.publics import Periodic

TABLE = tuple(range(TABLE_SIZE))
"""The fixed lookup table: the values of `table` on the subgroup of order 256."""


class Bytes(Gadget):
    """The range check of every limb."""

    def columns(self) -> tuple[Column, ...]:
        return (Column("lookup", Origin.PROOF, 2, "lookup"), Column("table", Origin.FIXED, values=TABLE))

    def constraints(self) -> tuple[Constraint, ...]:
        limb, cell, lookup, table = Cell("limb"), Cell("cell"), Cell("lookup"), Cell("table")
        beta = Challenge("beta")
        return (
            Constraint(
                "lookup",
                (lookup.next - lookup) * (beta + limb) * (beta + table)
                - (beta + table)
                + Public("table_head") * cell * (beta + limb),
            ),
        )

    def selectors(self, alpha: S) -> dict[str, Periodic[S]]:
        return {"table_head": Periodic(self.circuit.domain // TABLE_SIZE, {0: 1})}

    def complete(self, cells: Cells) -> None:
        found = Counter(cells["limb"])
        cells["cell"][:: self.circuit.domain // TABLE_SIZE] = [found[byte] for byte in TABLE]
