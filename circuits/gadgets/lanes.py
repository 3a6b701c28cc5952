"""Lanes: a value as byte limbs, and its sign bit.

    r0 : 2 top - 256 sign    a byte, so sign is the top bit of the top limb
    r1 : top                 cell: sign, which is 0 or 1
    r2 : mid                 cell: the activation, made by the layer's gate
    r3 : low
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zkpredict.circuits.expression import Cell, Public
from zkpredict.circuits.field import S
from zkpredict.circuits.gadgets.base import Cells, Constraint, Gadget, Run
from zkpredict.circuits.layout import LANE_LIMBS, LANE_ROWS, LIMB_BASE, LIMB_BITS, SIGN_ROW, TABLE_SIZE, Group
from zkpredict.circuits.publics import Periodic

if TYPE_CHECKING:
    import numpy as np


class Lanes(Gadget):
    """The limbs of every pre-activation, and the sign bit of every lane."""

    def constraints(self) -> tuple[Constraint, ...]:
        limb, cell = Cell("limb"), Cell("cell")
        lane_head, limb_top = Public("lane_head"), Public("limb_top")
        return (
            # r0: 2 top = 256 sign + limb, so a limb in 0..255 makes `sign` the top bit
            Constraint("sign", lane_head * (2 * limb.next - LIMB_BASE * cell.next - limb)),
            # r1: sign^2 = sign
            Constraint("boolean", limb_top * (cell * cell - cell)),
        )

    def selectors(self, alpha: S) -> dict[str, Periodic[S]]:
        return {"lane_head": Periodic(LANE_ROWS, {0: 1}), "limb_top": Periodic(LANE_ROWS, {SIGN_ROW: 1})}

    def fill(self, cells: Cells, run: Run) -> None:
        for group, z in zip(self.circuit.layer_groups, run.pre_activations, strict=True):
            place(cells["limb"], group, z + (1 << (group.value_bits - 1)))

    def complete(self, cells: Cells) -> None:
        limb = cells["limb"]
        top = limb[SIGN_ROW::LANE_ROWS]
        sign = top >> (LIMB_BITS - 1)
        limb[::LANE_ROWS] = 2 * top - (sign << LIMB_BITS)
        cells["cell"][SIGN_ROW::LANE_ROWS] = sign


def place(limb: np.ndarray, group: Group, values: np.ndarray) -> None:
    """Writes `values` (int64 [outputs], taken modulo 2^bits) as limbs, top first, into the group's lanes."""
    import numpy as np  # verifiers, which fill nothing, do not wait for it

    count = group.lanes * LANE_LIMBS
    starts = np.array([group.value_row(index) for index in range(group.outputs)])
    for number in range(count):
        lane, at = divmod(number, LANE_LIMBS)
        rows = starts + lane * LANE_ROWS + SIGN_ROW + at
        limb[rows] = (values >> (LIMB_BITS * (count - 1 - number))) & (TABLE_SIZE - 1)
