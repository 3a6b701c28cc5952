"""A private input: its bytes lie in columns of their own, and a commitment that anybody may keep says which bytes they are.

    P_c   = bytes of chunk c on rows 0..n-3, zero on row n-2, a random entry on row n-1: hiding, made once by the input's owner
    (1 - L_{n-1}) (input_c - P_c) = 0          P is linear in it, so no proof states or opens it
    first-layer rows are values on the domain, against  (1 - L_{n-1} - L_{n-2}) input_c + L_{n-2}

`input_c` is a byte on every row. The bias lies on row n-2, the random entry of weight rows on row n-1: what the layer reads is P's and no
one else's, for any rows. Rows behind the input are P's as well: `reveal` shows that they are zero.
"""

from __future__ import annotations

from functools import reduce
from operator import add

from zkpredict.circuits.columns import Column, Origin
from zkpredict.circuits.expression import Cell, Expression, Public
from zkpredict.circuits.field import S
from zkpredict.circuits.gadgets.base import Cells, Constraint, Run
from zkpredict.circuits.publics import Periodic
from zkpredict.circuits.wide.lanes import WideGadget
from zkpredict.circuits.wide.layout import hidden_rows_name

class PrivateInput(WideGadget):
    """The columns of a private input, and that they hold what was committed."""

    @property
    def parts(self) -> range:
        return range(len(self.circuit.chunks))

    def columns(self) -> tuple[Column, ...]:
        held = tuple(Column(f"input{part}", Origin.PROOF, 1) for part in self.parts)
        return held + tuple(Column(f"committed{part}", Origin.STATEMENT) for part in self.parts)

    def constraints(self) -> tuple[Constraint, ...]:
        return tuple(
            Constraint(f"input {part} is the committed one", (1 - Public("input_end")) * (Cell(f"input{part}") - Cell(f"committed{part}")))
            for part in self.parts
        )

    def selectors(self, alpha: S) -> dict[str, Periodic[S]]:
        n = self.circuit.domain
        return {"input_end": Periodic(n, {n - 1: 1}), "input_bias": Periodic(n, {n - 2: 1})}

    def read(self) -> Expression:
        """The first layer's rows, applied to the input."""
        inside = 1 - Public("input_end") - Public("input_bias")
        found = []
        for part in self.parts:
            read = inside * Cell(f"input{part}")
            found.append(Cell(hidden_rows_name(part)) * (read if part else read + Public("input_bias")))
        return reduce(add, found)

    def fill(self, cells: Cells, run: Run) -> None:
        for part, chunk in enumerate(self.circuit.chunks):
            cells[f"input{part}"][: len(chunk)] = run.input[chunk.start : chunk.stop]

