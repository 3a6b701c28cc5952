"""Lanes of the second edition: digits are differences of the running pack value, so no column holds them.

    key = horner(next) - radix horner     radix 2 on r0, 256 on r1..r3, 0 on the first row of a pack

    r0 : key is the sign digit            cell(next) = key
    r1 : key is the top byte              cell: the sign, which is 0 or 1; cell at r2 = sign (horner at r3 - 65536 horner at r1)
    r2, r3 : middle and low byte          cell at r2: the activation max(z, 0) >> 8, or >> 33 where a value has two lanes

A value z of a hidden layer is stored as z 2^scale + 2^(bits - 1): the sign digit is 1 where z >= 0, and then the other digits are z's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zkpredict.circuits.columns import Column, Origin
from zkpredict.circuits.expression import Cell, Expression, Public
from zkpredict.circuits.field import MODULUS, S
from zkpredict.circuits.gadgets.base import Cells, Constraint, Equation, Gadget, Run
from zkpredict.circuits.layout import ACTIVATION_ROW, LANE_ROWS, LIMB_BASE, LIMB_BITS, PACK_ROWS, SIGN_ROW
from zkpredict.circuits.publics import Periodic
from zkpredict.circuits.second.layout import LANE_BITS, SIGN_WEIGHT, SecondCircuit, SecondGroup

if TYPE_CHECKING:
    import numpy as np

DIGITS = "digits"
"""What gadgets write digits to. Not a column: the running value follows from it."""
SIGN_RADIX = 2
BALANCE_ROW = 3
"""A row whose cell nobody reads: it makes the sum of the column zero."""


class SecondGadget(Gadget):
    """One idea, placed in a circuit of the second edition."""

    circuit: SecondCircuit  # type: ignore[assignment]  # gadgets of the first edition have a `Circuit`

    def __init__(self, circuit: SecondCircuit) -> None:
        self.circuit = circuit


class SecondLanes(SecondGadget):
    """The digits of every lane, its sign and its activation."""

    def columns(self) -> tuple[Column, ...]:
        return (Column("horner", Origin.PROOF, 1), Column("cell", Origin.PROOF, 1, centred=True))

    def constraints(self) -> tuple[Constraint, ...]:
        horner, cell = Cell("horner"), Cell("cell")
        lane_head, limb_top = Public("lane_head"), Public("limb_top")
        two_digits = horner.next.next - LIMB_BASE**2 * horner
        return (
            Constraint("sign", lane_head * (cell.next - key())),
            Constraint("boolean", limb_top * (cell * cell - cell)),
            Constraint("relu", limb_top * (cell.next - cell * two_digits)),
        )

    def selectors(self, alpha: S) -> dict[str, Periodic[S]]:
        return {
            "lane_head": Periodic(LANE_ROWS, {0: 1}),
            "limb_top": Periodic(LANE_ROWS, {SIGN_ROW: 1}),
            "pack_head": Periodic(PACK_ROWS, {0: 1}),
        }

    def equations(self, claim: int) -> tuple[Equation, ...]:
        return tuple(Equation(f"unused slot read at row {row}", {row: 1}) for row in self.circuit.pinned_rows)

    def fill(self, cells: Cells, run: Run) -> None:
        for group, z in zip(self.circuit.layer_groups[:-1], run.pre_activations, strict=False):
            place(digits_of(cells), group, z + (1 << (group.value_bits - 1)))

    def complete(self, cells: Cells) -> None:
        import numpy as np  # verifiers, which fill nothing, do not wait for it

        digits, cell = digits_of(cells), cells["cell"]
        cells["horner"] = np.array(running_values(digits.tolist()), dtype=object)
        sign, top, middle = (digits[row::LANE_ROWS] for row in range(LANE_ROWS - 1))
        cell[SIGN_ROW::LANE_ROWS] = sign
        cell[ACTIVATION_ROW::LANE_ROWS] = sign * ((top << LIMB_BITS) + middle)


def key() -> Expression:
    """The digit of a row."""
    horner = Cell("horner")
    radix = LIMB_BASE - (LIMB_BASE - SIGN_RADIX) * Public("lane_head") - SIGN_RADIX * Public("pack_head")
    return horner.next - radix * horner


def radix_at(row: int) -> int:
    """What the running value is multiplied with on its way from `row` to the next one."""
    return 0 if row % PACK_ROWS == 0 else SIGN_RADIX if row % LANE_ROWS == 0 else LIMB_BASE


def running_values(digits: list[int]) -> list[int]:
    """The column `horner`: cyclic, since the first row of a pack starts anew."""
    values = [0]
    for row, digit in enumerate(digits):
        values.append((radix_at(row) * values[-1] + digit) % MODULUS)
    return [values[-1], *values[1:-1]]


def digits_of(cells: Cells) -> np.ndarray:
    """The digits of a trace in the making, int64 [n]."""
    import numpy as np

    return cells.setdefault(DIGITS, np.zeros(len(cells["cell"]), dtype=np.int64))


def place(digits: np.ndarray, group: SecondGroup, values: np.ndarray) -> None:
    """Writes `values` (int64 [outputs], taken modulo 2^bits) digit by digit into the group's lanes."""
    import numpy as np

    starts = np.array([group.value_row(index) for index in range(group.outputs)])
    for lane in range(group.lanes):
        own = (values >> (LANE_BITS * (group.lanes - 1 - lane))) & (2 * SIGN_WEIGHT - 1)
        for row in range(LANE_ROWS):
            digits[starts + lane * LANE_ROWS + row] = (own >> (LIMB_BITS * (LANE_ROWS - 1 - row))) & (LIMB_BASE - 1)
