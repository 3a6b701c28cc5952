"""The debug checker: every constraint on every row, in galois arrays, naming what fails. Slow, readable, independent of the kernel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import galois
import numpy as np

from zkpredict.circuits.batch.explain import wrong_images
from zkpredict.circuits.batch.layout import DenseBatch
from zkpredict.circuits.batch.statement import BatchStatement
from zkpredict.circuits.choice import AnyCompiled
from zkpredict.circuits.columns import Origin, cells_of
from zkpredict.circuits.constraints import constraint, constraints, public_polynomials
from zkpredict.circuits.expression import SHIFTED, shifted_name
from zkpredict.circuits.field import GENERATOR, MODULUS, evaluate_on_domain, inverse, powers, root_of_unity
from zkpredict.circuits.gadgets.base import Constraint
from zkpredict.circuits.layout import Circuit
from zkpredict.circuits.linear import equations
from zkpredict.circuits.placement import AnyCircuit, columns
from zkpredict.circuits.solving import Recurrence, recurrence
from zkpredict.circuits.publics import Constant, Patches, Periodic, RowValues
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.second.layout import BLOCKS, SecondCircuit
from zkpredict.circuits.wide.compiler import WideNetwork
from zkpredict.circuits.convolution.compiler import ConvNetwork
from zkpredict.circuits.wide.explain import wrong_parts
from zkpredict.circuits.witness import Trace


class UnsatisfiedConstraint(ValueError):
    """A constraint that does not hold: its name, the first failing row, and the cells it reads there."""


@cache
def scalar_field() -> Any:
    """GF(r) as a galois array class."""
    return galois.GF(MODULUS, primitive_element=GENERATOR, verify=False)


@dataclass(frozen=True, eq=False)
class DomainRows:
    """An `Environment` whose values are galois arrays over all rows of the domain."""

    columns: dict[str, np.ndarray]
    publics: dict[str, np.ndarray]
    challenges: dict[str, int]
    polynomials: dict[str, list[int]] = field(default_factory=dict)
    """Coefficients of the columns that have more than rows."""

    def constant(self, value: int) -> Any:
        return scalar_field()(value % MODULUS)

    def cell(self, column: str, rotation: int) -> Any:
        if rotation == SHIFTED:
            return self._at_shift(column)
        return np.roll(self.columns[column], -rotation)

    def _at_shift(self, column: str) -> Any:
        """The column's polynomial at h/shift for every row h."""
        name = shifted_name(column)
        if name not in self.columns:
            own = self.polynomials.get(column) or _interpolate([int(value) for value in self.columns[column]])
            self.columns[name] = _field(_on_shifted_domain(own, len(self.columns[column]), self.challenges["shift"]))
        return self.columns[name]

    def public(self, name: str) -> Any:
        return self.publics[name]

    def challenge(self, name: str) -> Any:
        return scalar_field()(self.challenges[name])

    def reciprocal(self, values: Any) -> Any:
        return values**-1


def check_trace(
    compiled: AnyCompiled, statement: Statement, trace: Trace, alpha: int, beta: int, given: Mapping[str, list[int]] | None = None
) -> None:
    """Checks all constraints for the given `alpha`, `beta` (`gamma` and `theta`, which wide circuits draw as well, follow from them; in a
    circuit of the second edition `alpha` is its `shift`).
    `given`: the columns of a hidden input and of hidden convolutions, n values each. Raises `UnsatisfiedConstraint` at the first that fails.

    The running sums start at zero and close at the last row, so a wrong total shows as a failure in that row.
    """
    circuit = compiled.circuit
    hidden = {column.name for column in columns(circuit) if column.origin is Origin.MODEL}
    drawn = {"alpha": alpha, "beta": beta, "gamma": pow(alpha + 1, 1 << 20, MODULUS), "theta": pow(beta + 1, 1 << 20, MODULUS)}
    drawn["eta"] = pow(alpha + beta + 1, 1 << 20, MODULUS)
    if isinstance(circuit, SecondCircuit):
        drawn = {"shift": alpha, "alpha": pow(alpha, circuit.domain, MODULUS), "beta": beta}
    environment = _rows(compiled, statement, trace, drawn, up_to=3, given=given or {})
    for one in constraints(circuit):
        values = np.asarray(one.expression.evaluate(environment))
        failing = np.nonzero(values)[0]
        if failing.size:
            where = _describe(one, int(failing[0]), environment, hidden)
            broken: Iterable[str] = []
            if one.name == "linear" and isinstance(circuit, Circuit | SecondCircuit):
                broken = failing_equations(compiled, statement, trace)
            if one.name == "sum" and isinstance(circuit, DenseBatch) and isinstance(statement, BatchStatement):
                broken = wrong_images(compiled, statement, trace)
            elif one.name == "sum" and isinstance(compiled, WideNetwork) and not isinstance(compiled, ConvNetwork):
                broken = wrong_parts(compiled, statement, trace)
            raise UnsatisfiedConstraint(where + "".join(f"; {equation} does not hold" for equation in broken))


def failing_equations(compiled: AnyCompiled, statement: Statement, trace: Trace) -> list[str]:
    """Names of the linear equations that do not hold.

    Equation e has weight alpha^e in the total of the linear check, so the total is a polynomial in alpha whose coefficients are
    the residuals: it is evaluated at roots of unity and interpolated.
    """
    circuit = compiled.circuit
    named = equations(circuit, statement.claim)
    check = constraint(circuit, "linear").expression
    second = isinstance(circuit, SecondCircuit)
    points = 1 << (max(named) + (BLOCKS if second else 0)).bit_length()
    totals = []
    for number, alpha in enumerate(powers(root_of_unity(points), points)):
        shift = {"shift": pow(root_of_unity(points * circuit.domain), number, MODULUS)} if second else {}
        rows = _rows(compiled, statement, trace, {"alpha": int(alpha)} | shift, up_to=1)
        totals.append(sum(map(int, recurrence("linear", check, rows).increment)) % MODULUS)
    residuals = _interpolate(totals)
    return [equation.name for exponent, equation in named.items() if residuals[exponent]]


def public_rows(
    circuit: AnyCircuit, statement: Statement, alpha: int, challenges: Mapping[str, int] | None = None
) -> dict[str, list[int]]:
    """Every public polynomial by its values on the domain (the vanishing polynomial, zero there, is left out)."""
    n = circuit.domain
    return {
        name: [polynomial.at_row(row) for row in range(n)]
        if isinstance(polynomial, Periodic | Patches | Constant | RowValues)
        else evaluate_on_domain(polynomial.coefficients(), n)
        for name, polynomial in public_polynomials(circuit, statement, alpha, challenges).items()
    }


def _rows(
    compiled: AnyCompiled, statement: Statement, trace: Trace, challenges: Mapping[str, int], up_to: int = 2,
    given: Mapping[str, list[int]] | None = None,
) -> DomainRows:
    """All columns of the rounds `up_to` this one, with the combined weight rows and the publics. What a trace leaves out, and what
    later rounds add, is solved from the constraint that defines it."""
    circuit, n = compiled.circuit, compiled.circuit.domain
    found = {column.name: _field(_fixed_rows(column.values, n)) for column in columns(circuit) if column.values}
    rows = iter(compiled.all_rows)
    before: list[list[int]] = []
    polynomials: dict[str, list[int]] = {}
    for own in circuit.row_columns:
        before = before[-len(own.exponents) :] if own.again else [next(rows) for _ in own.exponents]
        combined = [0] * max(map(len, before))
        for weight, row in zip(own.weights(challenges["alpha"]), before, strict=True):
            padded = [*row, *[0] * (len(combined) - len(row))]
            combined = [(total + weight * entry) % MODULUS for total, entry in zip(combined, padded, strict=True)]
        if own.coefficients:
            polynomials[own.name] = combined
            combined = evaluate_on_domain([sum(combined[at::n]) % MODULUS for at in range(n)], n)
        found[own.name] = _field(combined)
    found |= {name: _field(list(map(int, values))) for name, values in trace.items()}
    found |= {name: _field(values) for name, values in (given or {}).items()}
    publics = {name: _field(values) for name, values in public_rows(circuit, statement, challenges["alpha"], challenges if {"eta", "shift"} & challenges.keys() else None).items()}
    environment = DomainRows(found, publics, dict(challenges), polynomials)
    for column in columns(circuit):
        if column.defined_by and column.round <= up_to and column.name not in found:
            step = recurrence(column.name, constraint(circuit, column.defined_by).expression, environment)
            found[column.name] = _field(_run(step, n))
    return environment


def _run(step: Recurrence, n: int) -> list[int]:
    """The column that a recurrence gives: from the value it closes on, or from zero when it does not close."""
    if step.factor is None:
        return [int(value) for value in step.increment]
    factors = [int(step.factor) % MODULUS] * n if np.ndim(step.factor) == 0 else [int(value) for value in step.factor]
    increments = [int(value) for value in step.increment]
    first = _from(0, factors, increments)
    again = _from(first[-1], factors, increments)
    return again[:n] if again[-1] == again[0] else first[:n]


def _from(start: int, factors: list[int], increments: list[int]) -> list[int]:
    values = [start]
    for factor, increment in zip(factors, increments, strict=True):
        values.append((factor * values[-1] + increment) % MODULUS)
    return values


@cache
def _fixed_rows(values: tuple[int, ...], n: int) -> list[int]:
    coefficients = _interpolate(list(values))
    return evaluate_on_domain(coefficients + [0] * (n - len(coefficients)), n)


def _field(values: list[int]) -> Any:
    return scalar_field()([value % MODULUS for value in values])


def _interpolate(values: list[int]) -> list[int]:
    """Coefficients of the polynomial with these values on the subgroup of their number (inverse transform, term by term)."""
    size = len(values)
    back, scale = inverse(root_of_unity(size)), inverse(size)
    roots = powers(back, size)
    return [scale * sum(v * roots[i * k % size] for i, v in enumerate(values)) % MODULUS for k in range(size)]


def _on_shifted_domain(coefficients: list[int], n: int, shift: int) -> list[int]:
    """A polynomial of any length at h/shift for every n-th root of unity h."""
    scaled = [c * power % MODULUS for c, power in zip(coefficients, powers(inverse(shift), len(coefficients)), strict=True)]
    return evaluate_on_domain([sum(scaled[at::n]) % MODULUS for at in range(n)], n)


def _place(rotation: int) -> str:
    if rotation == SHIFTED:
        return "(X/shift)"
    return "(next)" if rotation == 1 else f"({rotation:+} rows)" if rotation else ""


def _describe(constraint: Constraint, row: int, environment: DomainRows, hidden: set[str]) -> str:
    """The constraint, the row and the cells it reads there, but for weights."""
    cells = sorted(cells_of(constraint.expression), key=lambda cell: (cell.column, cell.rotation))
    values = ", ".join(
        f"{cell.column}{_place(cell.rotation)}={int(environment.cell(cell.column, cell.rotation)[row])}"
        for cell in cells
        if cell.column not in hidden
    )
    return f"constraint '{constraint.name}' fails at row {row}: {values}"
