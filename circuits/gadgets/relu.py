"""ReLU and shift in one: the activation is the sign bit times the top two limbs without their offset.

    r1 : cell(next) = cell (256 limb + limb(next) - 32768)      max(z, 0) >> 8 for a narrow lane, >> 32 for a wide one
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.expression import Cell
from zkpredict.circuits.gadgets.base import Cells, Constraint
from zkpredict.circuits.gadgets.gates import Gate, check_rows, register
from zkpredict.circuits.layout import (
    ACTIVATION_BITS,
    ACTIVATION_ROW,
    LANE_BITS,
    LANE_ROWS,
    LIMB_BASE,
    LIMB_BITS,
    NARROW,
    NARROW_LIMIT,
    SIGN_ROW,
    WIDE,
)

if TYPE_CHECKING:
    from zkpredict.circuits.networks.dense import Interval

SIGN_OFFSET = 1 << (2 * LIMB_BITS - 1)


@register
class Relu(Gate):
    """`a = max(z, 0) >> shift`. The lane's shift is fixed, so a layer of another shift is stored scaled."""

    tag, activation = 0, "relu"

    def constraints(self) -> tuple[Constraint, ...]:
        limb, cell = Cell("limb"), Cell("cell")
        # r1: activation = sign * (top two limbs without the offset): ReLU and shift in one
        return (Constraint("relu", self.on * (cell.next - cell * (limb.next + LIMB_BASE * limb - SIGN_OFFSET))),)

    def complete(self, cells: Cells) -> None:
        limb, cell = cells["limb"], cells["cell"]
        for lane in self.lanes():
            row = lane * LANE_ROWS
            top, second, sign = limb[row + SIGN_ROW], limb[row + ACTIVATION_ROW], cell[row + SIGN_ROW]
            cell[row + ACTIVATION_ROW] = sign * ((top << LIMB_BITS) + second - SIGN_OFFSET)

    @classmethod
    def fit(cls, number: int, shift: int, interval: Interval) -> tuple[int, int]:
        if shift <= lane_shift(NARROW) and interval.magnitude << (lane_shift(NARROW) - shift) < NARROW_LIMIT:
            return NARROW, lane_shift(NARROW) - shift
        if shift > lane_shift(WIDE):
            raise UnsupportedNetwork(f"layer {number} shifts by more than the {lane_shift(WIDE)} bits of a wide lane")
        check_rows(number, interval, 1 << (ACTIVATION_BITS + shift), shift)
        return WIDE, lane_shift(WIDE) - shift


def lane_shift(lanes: int) -> int:
    """The shift that a lane's ReLU applies: it keeps the top two limbs. 8 bits for a narrow lane, 32 for a wide one."""
    return lanes * LANE_BITS - 2 * LIMB_BITS
