"""The fold: all packs of all tracks as one number, each weighted by its own power of alpha.

    S(next) = mu S + used sum_g alpha^(3 B g) lane_g - last S        mu = alpha / 2^216 on pack heads, 2^24 on a pack's other rows, 1 on idle rows

so that S on the last row is sum_e alpha^e (240-bit value of pack e). Lanes on idle rows (used = 0) do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from zkpredict.circuits.columns import Column, Origin
from zkpredict.circuits.expression import Cell, Expression, Public
from zkpredict.circuits.field import MODULUS, S, inverse, power
from zkpredict.circuits.gadgets.base import Constraint
from zkpredict.circuits.publics import Constant, Periodic, Selector
from zkpredict.circuits.wide.geometry import BLOCK_ROWS, IDLE_ROWS, LANE_BITS, PACK_BITS, PACK_LANES, PACKS_PER_BLOCK
from zkpredict.circuits.wide.lanes import WideGadget, lane

LANE_BASE = 1 << LANE_BITS


class Fold(WideGadget):
    """The running value of all packs."""

    def columns(self) -> tuple[Column, ...]:
        return (Column("fold", Origin.PROOF, 2, "fold"),)

    def constraints(self) -> tuple[Constraint, ...]:
        fold, idle = Cell("fold"), Public("idle")
        step = LANE_BASE + Public("pack_step") * Public("pack_head") - (LANE_BASE - 1) * idle
        return (Constraint("fold", fold.next - step * fold - (1 - idle) * self.lanes() + Public("last") * fold),)

    def lanes(self) -> Expression:
        """The lanes of all tracks, each with its power of alpha."""
        return horner([lane(track) for track in range(self.circuit.tracks)], "track_step")

    def selectors(self, alpha: S) -> dict[str, Selector[S]]:
        heads = range(0, PACKS_PER_BLOCK * PACK_LANES, PACK_LANES)
        back = inverse(pow(2, PACK_BITS - LANE_BITS, MODULUS))
        return {
            "idle": Periodic(BLOCK_ROWS, {row: 1 for row in IDLE_ROWS}),
            "pack_head": Periodic(BLOCK_ROWS, {row: 1 for row in heads}),
            "last": Periodic(self.circuit.domain, {self.circuit.domain - 1: 1}),
            "pack_step": Constant((alpha * back - LANE_BASE) % MODULUS),
            "track_step": Constant(power(alpha, PACKS_PER_BLOCK * self.circuit.blocks)),
        }


def horner(terms: Sequence[Expression], step: str) -> Expression:
    """The sum of terms[k] step^k, where `step` names a public polynomial."""
    return reduce(lambda folded, term: folded * Public(step) + term, reversed(terms))
