"""The sums of the second edition: every linear equation by its power of alpha, and the lookup of every digit among the bytes.

    linear(next) - linear = readout horner - (weights)(what they read) - constants - cell(X / shift)

Weights of layer 0 are read at X/shift: on the domain, u(h/shift) sum_i q_i shift^i h^-i adds up to alpha^-e <block e of u, q>, for
every block e. A value there would say something of the weights: `cell`, read there too, hides it. What that adds stands at alpha^0,
alpha^-1, alpha^-2 and alpha^-3, where no equation is, and is zero since `cell` has no constant term.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from zkpredict.circuits.columns import Column, Origin
from zkpredict.circuits.expression import Cell, Challenge, Expression, Public
from zkpredict.circuits.field import MODULUS, S, inverse, powers, root_of_unity
from zkpredict.circuits.gadgets.base import Cells, Constraint, Equation
from zkpredict.circuits.gadgets.dense import Dense
from zkpredict.circuits.layout import TABLE_SIZE, row_column
from zkpredict.circuits.linear import LinearCheck
from zkpredict.circuits.publics import Periodic, PublicPolynomial
from zkpredict.circuits.records import dataclass, field
from zkpredict.circuits.second.lanes import BALANCE_ROW, SecondGadget, digits_of, key
from zkpredict.circuits.second.layout import BLOCKS, SecondCircuit
from zkpredict.circuits.second.output import Differences
from zkpredict.circuits.statement import Statement


class SecondDense(Dense):
    """A dense layer: layer 0 reads the input at X/shift."""

    def read_by_weights(self) -> Expression:
        if self.layer == 0:
            return Cell(row_column(0)).shifted * Public("inputs")
        return super().read_by_weights()


class SecondSum(LinearCheck):
    """The running sum of all equations."""

    circuit: SecondCircuit  # type: ignore[assignment]  # it has all that the sum asks for

    def constraints(self) -> tuple[Constraint, ...]:
        (one,) = super().constraints()
        return (Constraint(one.name, one.expression + Cell("cell").shifted),)

    def publics(self, statement: Statement, alpha: int) -> dict[str, PublicPolynomial]:
        found = super().publics(statement, alpha)
        del found["inputs"]
        return found

    def late_publics(self, statement: Statement, challenges: Mapping[str, int]) -> dict[str, PublicPolynomial]:
        return {"inputs": ShiftedInput(self.circuit, statement.input, challenges["shift"])}

    def numbered(self, claim: int) -> dict[int, Equation]:
        found: dict[int, Equation] = {}
        for part in self.parts:
            if isinstance(part, Dense):
                last = part.layer == self.circuit.layers - 1
                for pack in range(self.circuit.layer_groups[part.layer].packs):
                    equation = self._differences.pack_equation(pack, claim) if last else part.pack_equation(pack)
                    found[self.circuit.pack_exponent(part.layer, pack)] = equation
        others = [equation for part in self.parts for equation in part.equations(claim)]
        return found | dict(enumerate(others, self.circuit.first_equation(self.circuit.layers)))

    @property
    def _differences(self) -> Differences:
        (found,) = (part for part in self.parts if isinstance(part, Differences))
        return found


@dataclass(frozen=True)
class ShiftedInput:
    """`inputs` = (1/n) sum_i q_i shift^i Y^(-i mod n) with q = alpha^(4 p) (1, x_0, x_1, ...) for each pack p of a block."""

    circuit: SecondCircuit
    data: bytes = field(repr=False)
    shift: int

    @property
    def _weights(self) -> list[int]:
        return [int(weight) for weight in powers(pow(self.shift, BLOCKS * self.circuit.domain, MODULUS), self.circuit.block_packs)]

    def coefficients(self) -> list[int]:
        """Low first, n of them."""
        n, found = self.circuit.domain, [0] * self.circuit.domain
        factor, position = inverse(n), 0
        for weight in self._weights:
            for value in (1, *self.data):
                found[-position % n] = weight * value * factor % MODULUS
                factor = factor * self.shift % MODULUS
                position += 1
        return found

    def evaluate(self, point: int, domain: int) -> int:
        """With sigma = point/shift: alpha times the image as `circuits.gadgets.public_input` has it at sigma, but for its first term."""
        sigma, block = point * inverse(self.shift) % MODULUS, self.circuit.inputs + 1
        pixels, total = 1, 0
        for pixel in self.data:
            pixels = (pixels * sigma + pixel) % MODULUS
        step = pow(sigma, block, MODULUS)
        for weight in self._weights:
            total = (total * step + weight * pixels) % MODULUS
        lowest = domain - self.circuit.block_packs * block + 1
        alpha = pow(self.shift, domain, MODULUS)
        found = alpha * total * pow(sigma, lowest, MODULUS) + 1 - pow(point, domain, MODULUS)
        return found * inverse(domain) % MODULUS


class SecondBytes(SecondGadget):
    """The range check of every digit: sums of inverses over keys and over the table, whose polynomial verifiers evaluate."""

    def columns(self) -> tuple[Column, ...]:
        return (Column("lookup", Origin.PROOF, 2, "lookup"),)

    def constraints(self) -> tuple[Constraint, ...]:
        cell, lookup, table = Cell("cell"), Cell("lookup"), Public("table")
        digit, entry = Challenge("beta") + key(), Challenge("beta") + table
        expression = (lookup.next - lookup) * digit * entry - entry + Public("table_head") * cell * digit
        return (Constraint("lookup", expression),)

    def selectors(self, alpha: S) -> dict[str, Periodic[S]]:
        return {"table_head": Periodic(self.circuit.domain // TABLE_SIZE, {0: 1})}

    def publics(self, statement: Statement, alpha: int) -> dict[str, PublicPolynomial]:
        return {"table": Table(self.circuit.domain)}

    def complete(self, cells: Cells) -> None:
        """How often each byte occurs; then the one cell that makes the sum of the column zero."""
        import numpy as np  # verifiers, which fill nothing, do not wait for it

        cell = cells["cell"]
        cell[:: self.circuit.domain // TABLE_SIZE] = np.bincount(digits_of(cells), minlength=TABLE_SIZE)[:TABLE_SIZE]
        cell[BALANCE_ROW] = 0
        cell[BALANCE_ROW] = -cell.sum()


@dataclass(frozen=True)
class Table:
    """The polynomial of degree below 256 whose value at w_256^i is i."""

    domain: int

    def coefficients(self) -> list[int]:
        """Low first, n of them."""
        return [*table_coefficients(), *[0] * (self.domain - TABLE_SIZE)]

    def evaluate(self, point: int, domain: int) -> int:
        total = 0
        for coefficient in reversed(table_coefficients()):
            total = (total * point + coefficient) % MODULUS
        return total


@cache
def table_coefficients() -> tuple[int, ...]:
    """c_0 = 255/2 and c_k = 1/(w^-k - 1): the transform of 0, 1, ..., 255."""
    back = inverse(root_of_unity(TABLE_SIZE))
    others = (inverse(pow(back, k, MODULUS) - 1) for k in range(1, TABLE_SIZE))
    return (TABLE_SIZE - 1) * inverse(2) % MODULUS, *others
