"""The debug checker: every constraint on every row, in galois arrays, naming what fails. Slow, readable, independent of the kernel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import galois
import numpy as np

from zkpredict.circuits.compiler import CompiledNetwork
from zkpredict.circuits.constraints import (
    TABLE,
    Constraint,
    constant_term,
    constraints,
    image_polynomial,
    readout,
    row_column,
    selectors,
)
from zkpredict.circuits.expression import Cell, Expression
from zkpredict.circuits.field import GENERATOR, MODULUS, inverse, inverses, powers, root_of_unity
from zkpredict.circuits.layout import Circuit
from zkpredict.circuits.witness import Trace


class UnsatisfiedConstraint(ValueError):
    """A constraint that does not hold: its name, the first failing row, and the cells it reads there."""


@cache
def scalar_field():
    """GF(r) as a galois array class."""
    return galois.GF(MODULUS, primitive_element=GENERATOR, verify=False)


@dataclass(frozen=True, eq=False)
class DomainRows:
    """An `Environment` whose values are galois arrays over all rows of the domain."""

    columns: dict[str, np.ndarray]
    publics: dict[str, np.ndarray]
    challenges: dict[str, int]

    def constant(self, value: int):
        return scalar_field()(value % MODULUS)

    def cell(self, column: str, rotation: int):
        return np.roll(self.columns[column], -rotation)

    def public(self, name: str):
        return self.publics[name]

    def challenge(self, name: str):
        return scalar_field()(self.challenges[name])


def check_trace(compiled: CompiledNetwork, image: bytes, digit: int, trace: Trace, alpha: int, beta: int) -> None:
    """Checks all constraints for the given `alpha`, `beta`. Raises `UnsatisfiedConstraint` at the first that fails.

    The running sums start at zero and close at the last row, so a wrong total shows as a failure in that row.
    """
    circuit = compiled.circuit
    environment = _rows(compiled, image, digit, trace, alpha)
    _add_sums(environment, circuit, beta)
    for constraint in constraints(circuit):
        values = np.asarray(constraint.expression.evaluate(environment))
        failing = np.nonzero(values)[0]
        if failing.size:
            where = _describe(constraint, int(failing[0]), environment)
            broken = failing_equations(compiled, image, digit, trace) if constraint.name == "linear" else []
            raise UnsatisfiedConstraint(where + "".join(f"; {equation} does not hold" for equation in broken))


def failing_equations(compiled: CompiledNetwork, image: bytes, digit: int, trace: Trace) -> list[str]:
    """Names of the linear equations that do not hold.

    Equation e has weight alpha^e in the total of the linear check, so the total is a polynomial in alpha whose coefficients are
    the residuals: it is evaluated at roots of unity and interpolated.
    """
    circuit = compiled.circuit
    names = equation_names(circuit)
    points = 1 << max(names).bit_length()
    totals = [
        sum(_linear_increments(_rows(compiled, image, digit, trace, alpha), circuit)) % MODULUS
        for alpha in powers(root_of_unity(points), points)
    ]
    residuals = _interpolate(totals)
    return [name for index, name in names.items() if residuals[index]]


def equation_names(circuit: Circuit) -> dict[int, str]:
    """What each power of alpha weighs in the linear check."""
    names = {}
    for layer, group in enumerate(circuit.layer_groups):
        for pack in range(group.packs):
            names[circuit.first_equation(layer) + pack] = f"pack {pack} of layer {layer}"
    for index in range(circuit.classes):
        names[circuit.first_equation(circuit.layers) + index] = f"argmax against class {index}"
    for number, row in enumerate(circuit.pinned_rows):
        names[circuit.first_pinned_equation + number] = f"unused slot read at row {row}"
    return names


def public_rows(circuit: Circuit, image: bytes, digit: int, alpha: int) -> dict[str, list[int]]:
    """Every public polynomial by its values on the domain (the vanishing polynomial, zero there, is left out)."""
    n, scale = circuit.domain, inverse(circuit.domain)
    periodic = selectors(circuit, alpha) | {"readout": readout(circuit, alpha, digit)}
    rows = {name: [polynomial.at_row(row) for row in range(n)] for name, polynomial in periodic.items()}
    rows["inputs"] = [value * scale % MODULUS for value in _evaluate_on_domain(image_polynomial(circuit, image, alpha), n)]
    rows["constants"] = [constant_term(circuit, alpha, digit) * scale % MODULUS] * n
    return rows


def _rows(compiled: CompiledNetwork, image: bytes, digit: int, trace: Trace, alpha: int) -> DomainRows:
    """The trace, the combined weight rows and the publics: what the linear check reads, with its running sum at zero."""
    circuit, n = compiled.circuit, compiled.circuit.domain
    columns = {"limb": trace.limb.tolist(), "cell": trace.cell.tolist(), "horner": trace.horner, "linear": [0] * n}
    for layer, rows in enumerate(compiled.rows):
        weights = powers(alpha, circuit.first_equation(circuit.layers))[circuit.first_equation(layer) :]
        combined = [0] * n
        for weight, row in zip(weights[:: circuit.packs_per_row(layer)], rows):
            combined = [(total + weight * entry) % MODULUS for total, entry in zip(combined, row)]
        columns[row_column(layer)] = _evaluate_on_domain(combined, n) if layer == 0 else combined
    return DomainRows(
        {name: _field(values) for name, values in columns.items()},
        {name: _field(values) for name, values in public_rows(circuit, image, digit, alpha).items()},
        {"alpha": alpha},
    )


def _add_sums(rows: DomainRows, circuit: Circuit, beta: int) -> None:
    """Both running sums and the table, as an honest prover would add them to the columns of `rows`."""
    rows.challenges["beta"] = beta
    rows.columns["linear"] = _field(_running_sum(_linear_increments(rows, circuit)))
    limbs, counts, table = rows.columns["limb"], rows.columns["cell"], _table_rows(circuit.domain)
    step = circuit.domain // len(TABLE)
    terms = inverses([(beta + int(limb)) % MODULUS for limb in limbs])
    shares = inverses([(beta + value) % MODULUS for value in table])
    lookup = [
        (term - (int(count) * share if row % step == 0 else 0)) % MODULUS
        for row, (term, count, share) in enumerate(zip(terms, counts, shares))
    ]
    rows.columns["lookup"] = _field(_running_sum(lookup))
    rows.columns["table"] = _field(table)


def _linear_increments(rows: DomainRows, circuit: Circuit) -> list[int]:
    """What the linear check adds from row to row, read off its constraint while the running sum is zero."""
    linear = next(c for c in constraints(circuit) if c.name == "linear")
    return [-int(value) % MODULUS for value in np.asarray(linear.expression.evaluate(rows))]


@cache
def _table_rows(n: int) -> list[int]:
    return _evaluate_on_domain(_interpolate(list(TABLE)), n)


def _field(values: list[int]):
    return scalar_field()([value % MODULUS for value in values])


def _running_sum(increments: list[int]) -> list[int]:
    total, sums = 0, []
    for increment in increments:
        sums.append(total)
        total = (total + increment) % MODULUS
    return sums


def _interpolate(values: list[int]) -> list[int]:
    """Coefficients of the polynomial with these values on the subgroup of their number (inverse transform, term by term)."""
    size = len(values)
    back, scale = inverse(root_of_unity(size)), inverse(size)
    roots = powers(back, size)
    return [scale * sum(v * roots[i * k % size] for i, v in enumerate(values)) % MODULUS for k in range(size)]


def _evaluate_on_domain(coefficients: list[int], n: int) -> list[int]:
    """Values of a polynomial at all n-th roots of unity (radix-2, recursive)."""
    if n == 1:
        return [sum(coefficients) % MODULUS]
    even = _evaluate_on_domain(coefficients[::2], n // 2)
    odd = _evaluate_on_domain(coefficients[1::2], n // 2)
    roots = powers(root_of_unity(n), n // 2)
    twisted = [root * value % MODULUS for root, value in zip(roots, odd)]
    return [(a + b) % MODULUS for a, b in zip(even, twisted)] + [(a - b) % MODULUS for a, b in zip(even, twisted)]


def _describe(constraint: Constraint, row: int, environment: DomainRows) -> str:
    cells = sorted(_cells(constraint.expression), key=lambda cell: (cell.column, cell.rotation))
    values = ", ".join(
        f"{cell.column}{'(next)' if cell.rotation else ''}={int(environment.cell(cell.column, cell.rotation)[row])}"
        for cell in cells
        if not cell.column.startswith("rows")
    )
    return f"constraint '{constraint.name}' fails at row {row}: {values}"


def _cells(expression: Expression) -> set[Cell]:
    if isinstance(expression, Cell):
        return {expression}
    children = [getattr(expression, side) for side in ("left", "right") if hasattr(expression, side)]
    return set().union(*map(_cells, children)) if children else set()
