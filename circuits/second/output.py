"""The claimed class has the largest logit, and the lowest index among equals: differences from M = Z_y + 2^46, which takes the place of D_y.

    pack e of the last layer:  sum over its values i of 2^(place of i) (M - 2^46 - D_i - [i < y])  =  its weights applied,    D_y read as 0

Numbers of these packs are below 2^49, for their sign digits are pinned. So for one input and one model no two classes have a solution:
docs/second-edition.md.
"""

from __future__ import annotations

from zkpredict.circuits.expression import Cell, Public
from zkpredict.circuits.field import S
from zkpredict.circuits.gadgets.base import Cells, Constraint, Equation, Run
from zkpredict.circuits.layout import LANE_ROWS, LOGIT_LIMIT, PACK_LANES, PACK_ROWS, READOUT_ROW, SIGN_ROW
from zkpredict.circuits.publics import Periodic
from zkpredict.circuits.second.lanes import SecondGadget, digits_of, place
from zkpredict.circuits.second.layout import SecondGroup


class Differences(SecondGadget):
    """The packs of the last layer."""

    def constraints(self) -> tuple[Constraint, ...]:
        return (Constraint("differences are not negative", Public("nonnegative") * Cell("cell")),)

    def selectors(self, alpha: S) -> dict[str, Periodic[S]]:
        """1 where the sign of a value of the group stands, in unused slots and places too."""
        group = self.circuit.difference_group
        first = group.pack_row(0) + SIGN_ROW
        rows = [first + lane * LANE_ROWS for lane in range(0, PACK_LANES, group.lanes)]
        return {"nonnegative": Periodic(group.stride * PACK_ROWS, dict.fromkeys(rows, 1))}

    def pack_equation(self, pack: int, claim: int) -> Equation:
        """One equation for each pack, for a claimed class (-1: without what depends on it)."""
        group = self.circuit.difference_group
        factors = {index: 1 << group.value_shift(index) for index in group.places(pack)}
        reads = {group.pack_row(pack) + READOUT_ROW: -1}
        if claim >= 0:
            for row, factor in value_reads(group, claim).items():
                reads[row] = reads.get(row, 0) + factor * (sum(factors.values()) + factors.get(claim, 0))
        below = sum(factor for index, factor in factors.items() if index < claim)
        return Equation(f"pack {pack} of layer {self.circuit.layers - 1}", reads, LOGIT_LIMIT * sum(factors.values()) + below)

    def fill(self, cells: Cells, run: Run) -> None:
        """Another class than the network's own makes differences negative, which sets a pinned sign."""
        import numpy as np  # verifiers, which fill nothing, do not wait for it

        logits = run.pre_activations[-1]
        found = logits[run.claim] - logits - (np.arange(self.circuit.classes) < run.claim)
        found[run.claim] = logits[run.claim] + LOGIT_LIMIT
        place(digits_of(cells), self.circuit.difference_group, found)


def value_reads(group: SecondGroup, index: int) -> dict[int, int]:
    """Value `index` from the running column: `horner` behind it less 2^bits `horner` before it."""
    start = group.value_row(index)
    after = start + group.lanes * LANE_ROWS
    return {after: 1} if start % PACK_ROWS == 0 else {after: 1, start: -(1 << group.value_bits)}
