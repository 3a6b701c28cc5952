"""Packs: ten lanes as one number of 240 bits, in a running column; unused slots that a layer might read are pinned to zero.

    horner(next) = 256 horner + limb    on r1..r3, carried over r0, restarted after a pack's first row
"""

from __future__ import annotations

from zkpredict.circuits.expression import Cell, Public
from zkpredict.circuits.field import S
from zkpredict.circuits.gadgets.base import Constraint, Equation, Gadget
from zkpredict.circuits.layout import LIMB_BASE, PACK_ROWS
from zkpredict.circuits.publics import Periodic


class Packs(Gadget):
    """The running pack value, and the slots of hidden groups that hold no pack."""

    def constraints(self) -> tuple[Constraint, ...]:
        limb, horner, lane_head = Cell("limb"), Cell("horner"), Public("lane_head")
        # horner' = 256 horner + limb on limbs, carried over r0, zero after a pack's first row
        step = LIMB_BASE - (LIMB_BASE - 1) * lane_head - Public("pack_head")
        return (Constraint("horner", horner.next - step * horner - (1 - lane_head) * limb),)

    def selectors(self, alpha: S) -> dict[str, Periodic[S]]:
        return {"pack_head": Periodic(PACK_ROWS, {0: 1})}

    def equations(self, claim: int) -> tuple[Equation, ...]:
        return tuple(Equation(f"unused slot read at row {row}", {row: 1}) for row in self.circuit.pinned_rows)
