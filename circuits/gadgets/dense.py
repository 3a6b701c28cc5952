"""Dense layers: committed weight rows, applied to what a layer reads.

A layer's rows are combined by powers of alpha to one polynomial, `rows0` (coefficients, against the public input) or `rows1`, ...
(values on the domain, against the activations of the layer before): a pack's value is its row of the packed weights applied to
those, and all packs are checked by one sum.
"""

from __future__ import annotations

from zkpredict.circuits.columns import Column, Origin
from zkpredict.circuits.expression import Cell, Expression, Public
from zkpredict.circuits.field import S
from zkpredict.circuits.gadgets.base import Equation, Gadget
from zkpredict.circuits.layout import ACTIVATION_ROW, BIAS_ROWS, LANE_ROWS, PACK_LANES, PACK_ROWS, READOUT_ROW, Circuit, row_column
from zkpredict.circuits.publics import Periodic


class Dense(Gadget):
    """One dense layer: `layer` 0 reads the input, each later one the activations of the layer before."""

    def __init__(self, circuit: Circuit, layer: int) -> None:
        super().__init__(circuit)
        self.layer = layer

    def columns(self) -> tuple[Column, ...]:
        return (Column(row_column(self.layer), Origin.MODEL),)

    def pack_equation(self, pack: int) -> Equation:
        """Pack value less the offsets of its values = its row of weights applied to what the layer reads."""
        group = self.circuit.layer_groups[self.layer]
        reads = {group.pack_row(pack) + READOUT_ROW: 1}
        return Equation(f"pack {pack} of layer {self.layer}", reads, group.offset(pack))

    def read_by_weights(self) -> Expression:
        rows = Cell(row_column(self.layer))
        if self.layer == 0:
            return rows * Public("inputs")
        cell, t = Cell("cell"), self.layer
        return rows * (Public(f"reads{t}") * cell + Public(f"reads_next{t}") * cell.next + Public(f"bias{t}"))

    def selectors(self, alpha: S) -> dict[str, Periodic[S]]:
        if self.layer == 0:
            return {}
        group, t = self.circuit.layer_groups[self.layer - 1], self.layer
        period, first = group.stride * PACK_ROWS, group.residue * PACK_ROWS
        activations = [first + lane * LANE_ROWS + ACTIVATION_ROW for lane in range(PACK_LANES)]
        return {
            f"reads{t}": Periodic(period, {row: 1 for row in activations}),
            f"reads_next{t}": Periodic(period, {row - 1: alpha for row in activations}),
            f"bias{t}": Periodic(self.circuit.domain, {BIAS_ROWS[0]: 1, BIAS_ROWS[1]: alpha}),
        }
