"""Lanes: a value as byte limbs, and its sign bit.

    r0 : 2 top - 256 sign    a byte, so sign is the top bit of the top limb
    r1 : top                 cell: sign, which is 0 or 1
    r2 : mid                 cell: the activation, made by the layer's gate
    r3 : low
"""

from __future__ import annotations

from collections.abc import Sequence

from zkpredict.circuits.expression import Cell, Public
from zkpredict.circuits.field import S
from zkpredict.circuits.gadgets.base import Cells, Constraint, Gadget, Run
from zkpredict.circuits.layout import LANE_LIMBS, LANE_ROWS, LIMB_BASE, LIMB_BITS, SIGN_ROW, TABLE_SIZE, Group
from zkpredict.circuits.publics import Periodic


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
            place(cells["limb"], group, [value + (1 << (group.value_bits - 1)) for value in z])

    def complete(self, cells: Cells) -> None:
        limb, cell = cells["limb"], cells["cell"]
        for lane in range(0, self.circuit.domain, LANE_ROWS):
            top = limb[lane + SIGN_ROW]
            sign = top >> (LIMB_BITS - 1)
            limb[lane] = 2 * top - (sign << LIMB_BITS)
            cell[lane + SIGN_ROW] = sign


def place(limb: list[int], group: Group, values: Sequence[int]) -> None:
    """Writes `values` (taken modulo 2^bits) as limbs, top first, into the group's lanes."""
    for index, value in enumerate(values):
        start, shift = group.value_row(index) + SIGN_ROW, group.value_bits
        for lane in range(group.lanes):
            for at in range(LANE_LIMBS):
                shift -= LIMB_BITS
                limb[start + lane * LANE_ROWS + at] = (value >> shift) & (TABLE_SIZE - 1)
