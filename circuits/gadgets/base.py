"""What a gadget is: one idea of the circuit in one file.

A gadget says which columns it needs, how its cells are filled, which constraints hold, which public polynomials these use, and
which linear equations it adds. Compiler, witness, debug checker, prover, verifiers and contract generator loop over the gadgets
that a circuit places (`circuits.placement`); none of them knows one by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from zkpredict.circuits.columns import Column
from zkpredict.circuits.expression import Expression
from zkpredict.circuits.field import S
from zkpredict.circuits.publics import PublicPolynomial, Selector
from zkpredict.circuits.records import dataclass, field

if TYPE_CHECKING:
    from zkpredict.circuits.layout import Circuit
    from zkpredict.circuits.statement import Statement


@dataclass(frozen=True)
class Constraint:
    """`expression` must vanish on every row of the domain."""

    name: str
    expression: Expression


@dataclass(frozen=True)
class Equation:
    """One linear equation over the trace: `sum reads[row] * horner(row) = what the weights give + constant`.

    It is checked for all equations at once, each weighted by its own power of alpha (`circuits.linear`).
    """

    name: str
    reads: Mapping[int, int]
    constant: int = 0


class Cells(dict[str, Any]):
    """Columns of a trace by name, n integers each (`circuits.witness.Trace` says which are lists and which arrays). Its `repr` shows the names only: cells are as private as weights."""

    def __repr__(self) -> str:
        return f"Cells({', '.join(self)})"


@dataclass(frozen=True)
class Run:
    """One run of the network: what gadgets lay out. `pre_activations`: `width` integers of each layer, at the scale at which the
    circuit stores them; `claim`: the class that is claimed; `input`: a byte each. Lists and bytes, or arrays, as the trace is."""

    pre_activations: Sequence[Any] = field(repr=False)
    claim: int
    input: Any = field(repr=False)


class Gadget:
    """One idea, placed in `circuit`. A subclass overrides what it has."""

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit

    def columns(self) -> tuple[Column, ...]:
        """Columns of its own, beside those that all gadgets of the placement share."""
        return ()

    def constraints(self) -> tuple[Constraint, ...]:
        """What must hold on every row."""
        return ()

    def selectors(self, alpha: S) -> Mapping[str, Selector[S]]:
        """Its public polynomials that no statement changes. `alpha` is the challenge: a number, or a formula."""
        return {}

    def publics(self, statement: Statement, alpha: int) -> Mapping[str, PublicPolynomial]:
        """Its public polynomials that depend on the statement."""
        return {}

    def late_publics(self, statement: Statement, challenges: Mapping[str, int]) -> Mapping[str, PublicPolynomial]:
        """Its public polynomials that depend on challenges drawn behind the second round."""
        return {}

    def stated_publics(self, stated: Mapping[str, int], challenges: Mapping[str, int]) -> Mapping[str, int]:
        """Its public polynomials at rho that a proof states in other words: `stated` are its scalars by name."""
        return {}

    def equations(self, claim: int) -> tuple[Equation, ...]:
        """Linear equations, besides those of the committed rows, for a claimed class (-1: without what depends on it)."""
        return ()

    def read_by_weights(self) -> Expression | None:
        """What committed weights are multiplied with, and they."""
        return None

    def fill(self, cells: Cells, run: Run) -> None:
        """Writes what this gadget decides from the run of the network."""

    def complete(self, cells: Cells) -> None:
        """Writes what follows from the cells that `fill` wrote."""
