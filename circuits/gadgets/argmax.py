"""The claimed class has the largest logit, and the lowest index among equals.

    Z_y - Z_i - D_i - [i < y] = 0   for every class i, with D_i of 48 bits without a sign

Each class has a power of alpha of its own, so no difference can borrow from a neighbour.
"""

from __future__ import annotations

from zkpredict.circuits.gadgets.base import Cells, Equation, Gadget, Run
from zkpredict.circuits.gadgets.lanes import place
from zkpredict.circuits.layout import LANE_ROWS, PACK_ROWS, Group


class Argmax(Gadget):
    """One equation for each class; the differences lie in a group of their own."""

    def equations(self, claim: int) -> tuple[Equation, ...]:
        logits, differences = self.circuit.layer_groups[-1], self.circuit.difference_group
        found = []
        for index in range(self.circuit.classes):
            reads: dict[int, int] = {}
            _add(reads, logits, index, -1)
            _add(reads, differences, index, -1)
            if claim >= 0:
                _add(reads, logits, claim, 1)
            found.append(Equation(f"argmax against class {index}", reads, int(index < claim)))
        return tuple(found)

    def fill(self, cells: Cells, run: Run) -> None:
        """Another class than the network's own makes differences negative, which no limbs can hold: what is left of them modulo
        2^48 fails the linear check."""
        logits = run.pre_activations[-1]
        differences = [logits[run.claim] - z - (index < run.claim) for index, z in enumerate(logits)]
        place(cells["limb"], self.circuit.difference_group, differences)


def _add(reads: dict[int, int], group: Group, index: int, factor: int) -> None:
    """Adds `factor` times value `index` of a group: `horner` after it minus 2^bits `horner` before it."""
    start = group.value_row(index)
    after = start + group.lanes * LANE_ROWS
    reads[after] = reads.get(after, 0) + factor
    if start % PACK_ROWS:
        reads[start] = reads.get(start, 0) - (factor << group.value_bits)
