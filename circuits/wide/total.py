"""The one sum: every pack against its row of weights, the claim, and the lookup.

    C(next) - C = last S - largest M - (weights)(what they read) - constants + theta (sum_g L_g - LT) + theta^2 (spare)
                  and cyclic: the total is zero

alpha, beta, gamma and theta are all drawn after the trace: fold and lookups follow from it, so the total is a polynomial in them, and
what each power of theta stands for is zero by itself. Rows of weights reach powers of alpha only.
"""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import Protocol

from zkpredict.circuits.columns import Column, Origin
from zkpredict.circuits.expression import Cell, Challenge, Expression, Public
from zkpredict.circuits.field import MODULUS, inverse
from zkpredict.circuits.gadgets.base import Constraint
from zkpredict.circuits.publics import Constant, PublicPolynomial
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.wide.dense import Dense
from zkpredict.circuits.wide.keys import Keys
from zkpredict.circuits.wide.lanes import WideGadget
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.circuits.wide.output import Output


class Late(Protocol):
    """A check at a challenge that is drawn behind the second round."""

    def read(self) -> Expression:
        """What the sum takes."""


class Total(WideGadget):
    """The running sum of all equations."""

    def __init__(
        self, circuit: WideCircuit, dense: tuple[Dense, ...], output: Output, keys: Keys, late: Late | None = None
    ) -> None:
        super().__init__(circuit)
        self.dense, self.output, self.keys, self.late = dense, output, keys, late

    def columns(self) -> tuple[Column, ...]:
        return (Column("sum", Origin.PROOF, 2 if self.late is None else 3, "sum"),)

    def constraints(self) -> tuple[Constraint, ...]:
        total = Cell("sum")
        weighed = [read for layer in self.dense if (read := layer.read_by_weights()) is not None]
        right = self.folded() - reduce(add, weighed) - Public("constants")
        claimed = self.output.read()
        right = right if claimed is None else right + claimed
        right = right if self.late is None else right + self.late.read()
        apart = reduce(add, [Cell(name) for name, _ in self.keys.lookups()]) - Cell("lookup_table")
        spare = self.output.spare()
        apart = apart if spare is None else apart + Challenge("theta") * spare
        return (Constraint("sum", total.next - total - right - Challenge("theta") * apart),)

    def folded(self) -> Expression:
        """All packs as one number, on the last row."""
        return Public("last") * Cell("fold")

    def constant_term(self, statement: Statement, alpha: int) -> int:
        """The sum of all equations' constants, each weighted by its power of alpha."""
        return (sum(layer.constants(alpha) for layer in self.dense) + self.output.constants(statement, alpha)) % MODULUS

    def publics(self, statement: Statement, alpha: int) -> dict[str, PublicPolynomial]:
        return {"constants": Constant(self.constant_term(statement, alpha) * inverse(self.circuit.domain) % MODULUS)}
