"""The constraint system: every equation of the proof, by name, and the public polynomials it uses. The one source of truth.

The debug checker, the prover, both verifiers and the generated contract all evaluate `constraints(circuit)`.

Columns (committed by the prover): `limb` bytes, `horner` running pack values, `cell` multiplicities, sign bits and activations,
`linear` and `lookup` running sums, `quotient`. `table` is fixed: i at the i-th element of the subgroup of order 256.
`rows0`, `rows1`, ... are the alpha-combinations of a layer's committed weight rows; they occur only linearly and are
never opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from zkpredict.circuits.expression import Cell, Challenge, Expression, Public
from zkpredict.circuits.field import MODULUS, inverse, inverses, powers, root_of_unity
from zkpredict.circuits.layout import (
    ACTIVATION_ROW,
    BIAS_ROWS,
    LANE_ROWS,
    LIMB_BITS,
    PACK_LANES,
    PACK_ROWS,
    READOUT_ROW,
    SIGN_ROW,
    TABLE_SIZE,
    Circuit,
)

TABLE = tuple(range(TABLE_SIZE))
"""The fixed lookup table: the values of `table` on the subgroup of order 256."""

LIMB_BASE = 1 << LIMB_BITS
SIGN_OFFSET = 1 << (2 * LIMB_BITS - 1)


@dataclass(frozen=True)
class Constraint:
    """`expression` must vanish on every row of the domain."""

    name: str
    expression: Expression


def row_column(layer: int) -> str:
    """Name of the combined weight rows of `layer`."""
    return f"rows{layer}"


@cache
def constraints(circuit: Circuit) -> tuple[Constraint, ...]:
    """All constraints of a circuit, in the order in which powers of delta weigh them."""
    limb, horner, cell = Cell("limb"), Cell("horner"), Cell("cell")
    linear, lookup, table = Cell("linear"), Cell("lookup"), Cell("table")
    lane_head, limb_top = Public("lane_head"), Public("limb_top")
    beta = Challenge("beta")

    read_by_weights = Cell(row_column(0)) * Public("inputs")
    for layer in range(1, circuit.layers):
        reads = Public(f"reads{layer}") * cell + Public(f"reads_next{layer}") * cell.next + Public(f"bias{layer}")
        read_by_weights = read_by_weights + Cell(row_column(layer)) * reads

    return (
        # r0: 2 top = 256 sign + limb, so a limb in 0..255 makes `sign` the top bit
        Constraint("sign", lane_head * (2 * limb.next - LIMB_BASE * cell.next - limb)),
        # r1: sign^2 = sign
        Constraint("boolean", limb_top * (cell * cell - cell)),
        # r1: activation = sign * (top two limbs without the offset): ReLU and shift in one
        Constraint("relu", limb_top * (cell.next - cell * (limb.next + LIMB_BASE * limb - SIGN_OFFSET))),
        # horner' = 256 horner + limb on limbs, carried over r0, zero after a pack's first row
        Constraint(
            "horner",
            horner.next
            - (LIMB_BASE - (LIMB_BASE - 1) * lane_head - Public("pack_head")) * horner
            - (1 - lane_head) * limb,
        ),
        # linear' - linear = readout * horner - (weights * what they read) - constants, and cyclic: the total is zero
        Constraint(
            "linear",
            linear.next - linear - Public("readout") * horner + read_by_weights + Public("constants"),
        ),
        # LogUp: lookup' - lookup = 1/(beta + limb) - multiplicity/(beta + table), and cyclic
        Constraint(
            "lookup",
            (lookup.next - lookup) * (beta + limb) * (beta + table)
            - (beta + table)
            + Public("table_head") * cell * (beta + limb),
        ),
    )


def total_constraint(circuit: Circuit) -> Expression:
    """sum_i delta^i constraint_i - vanishing * quotient: zero as a polynomial exactly for a valid witness."""
    delta, total = Challenge("delta"), None
    for constraint in reversed(constraints(circuit)):
        total = constraint.expression if total is None else total * delta + constraint.expression
    return total - Public("vanishing") * Cell("quotient")


@dataclass(frozen=True)
class Periodic:
    """The polynomial of degree < n whose value at row i is `values[i mod period]` (0 where absent).

    In closed form it is `sum_j values[j] L_j(X^(n/period))` with the Lagrange basis of the `period`-th roots of unity.
    """

    period: int
    values: dict[int, int]

    def at_row(self, row: int) -> int:
        return self.values.get(row % self.period, 0)

    def evaluate(self, point: int, domain: int) -> int:
        """Value at `point` outside the domain: (Y^p - 1)/p * sum_j values[j] w^j / (Y - w^j) with Y = point^(n/p)."""
        y = pow(point, domain // self.period, MODULUS)
        root = root_of_unity(self.period)
        nodes = [pow(root, j, MODULUS) for j in self.values]
        terms = inverses([(y - node) % MODULUS for node in nodes])
        total = sum(value * node * term for value, node, term in zip(self.values.values(), nodes, terms))
        return total * (pow(y, self.period, MODULUS) - 1) * inverse(self.period) % MODULUS


def selectors(circuit: Circuit, alpha: int) -> dict[str, Periodic]:
    """The public polynomials that do not depend on image or digit, apart from `alpha` in the second read of a weight row."""
    found = {
        "lane_head": Periodic(LANE_ROWS, {0: 1}),
        "limb_top": Periodic(LANE_ROWS, {SIGN_ROW: 1}),
        "pack_head": Periodic(PACK_ROWS, {0: 1}),
        "table_head": Periodic(circuit.domain // TABLE_SIZE, {0: 1}),
    }
    for layer in range(1, circuit.layers):
        group = circuit.layer_groups[layer - 1]
        period, first = group.stride * PACK_ROWS, group.residue * PACK_ROWS
        activations = [first + lane * LANE_ROWS + ACTIVATION_ROW for lane in range(PACK_LANES)]
        found[f"reads{layer}"] = Periodic(period, {row: 1 for row in activations})
        found[f"reads_next{layer}"] = Periodic(period, {row - 1: alpha for row in activations})
        found[f"bias{layer}"] = Periodic(circuit.domain, {BIAS_ROWS[0]: 1, BIAS_ROWS[1]: alpha})
    return found


def readout(circuit: Circuit, alpha: int, digit: int) -> Periodic:
    """Weight of each `horner` cell in the linear check: pack values, then for every class i the argmax equation
    `Z_y - Z_i - D_i - [i < y] = 0`, then the unused slots of hidden layers."""
    weights = powers(alpha, circuit.first_pinned_equation + len(circuit.pinned_rows))
    rows: dict[int, int] = {}

    def add(row: int, weight: int) -> None:
        rows[row] = (rows.get(row, 0) + weight) % MODULUS

    for layer, group in enumerate(circuit.layer_groups):
        for pack in range(group.packs):
            add(group.pack_row(pack) + READOUT_ROW, weights[circuit.first_equation(layer) + pack])
    first = circuit.first_equation(circuit.layers)
    class_weights = weights[first : first + circuit.classes]
    for group, is_logits in ((circuit.layer_groups[-1], True), (circuit.difference_group, False)):
        span = group.lanes * LANE_ROWS
        for index, weight in enumerate(class_weights):
            factor = (sum(class_weights) if is_logits and index == digit else 0) - weight
            start = group.value_row(index)
            add(start + span, factor)  # value = horner after it - 2^bits * horner before it
            if start % PACK_ROWS:
                add(start, -factor << group.value_bits)
    for row, weight in zip(circuit.pinned_rows, weights[circuit.first_pinned_equation :]):
        add(row, weight)
    return Periodic(circuit.domain, rows)


def constant_term(circuit: Circuit, alpha: int, digit: int) -> int:
    """sum of the constants of all linear equations, each weighted by its power of alpha: offsets of packs and [i < digit]."""
    weights = powers(alpha, circuit.first_pinned_equation)
    total = 0
    for layer, group in enumerate(circuit.layer_groups):
        first = circuit.first_equation(layer)
        total += sum(group.offset(pack) * weights[first + pack] for pack in range(group.packs))
    first = circuit.first_equation(circuit.layers)
    return (total + sum(weights[first : first + digit])) % MODULUS


def image_polynomial(circuit: Circuit, image: bytes, alpha: int) -> list[int]:
    """Coefficients (low first, n of them) of the polynomial X with `(1/n) sum_H rows0(h) X(h) = <coefficients of rows0, q>`.

    q = alpha^e (1, x_0, x_1, ...) for each pack e that shares a row, so X has q_i at exponent -i mod n.
    """
    n, position = circuit.domain, 0
    coefficients = [0] * n
    for weight in powers(alpha, circuit.input_packs_per_row):
        for value in (1, *image):
            coefficients[-position % n] = weight * value % MODULUS
            position += 1
    return coefficients


def evaluate_image(circuit: Circuit, image: bytes, alpha: int, point: int) -> int:
    """`image_polynomial` at `point`, by Horner over the pixels.

    With blocks of m = inputs + 1 coefficients: sum_e alpha^e point^(n - e m) (1 + sum_j x_j point^-(j+1)), except that the
    very first term is 1 and not point^n.
    """
    n, block = circuit.domain, circuit.inputs + 1
    pixels = 1
    for pixel in image:
        pixels = (pixels * point + pixel) % MODULUS
    packs = circuit.input_packs_per_row
    step, total = pow(point, block, MODULUS), 0
    for weight in powers(alpha, packs):
        total = (total * step + weight * pixels) % MODULUS
    lowest = n - packs * block + 1
    return (total * pow(point, lowest, MODULUS) + 1 - pow(point, n, MODULUS)) % MODULUS


def evaluate_publics(circuit: Circuit, image: bytes, digit: int, alpha: int, point: int) -> dict[str, int]:
    """All public polynomials at a `point` outside the domain: what a verifier computes by itself."""
    n = circuit.domain
    periodic = selectors(circuit, alpha) | {"readout": readout(circuit, alpha, digit)}
    scale = inverse(n)
    return {name: polynomial.evaluate(point, n) for name, polynomial in periodic.items()} | {
        "inputs": evaluate_image(circuit, image, alpha, point) * scale % MODULUS,
        "constants": constant_term(circuit, alpha, digit) * scale % MODULUS,
        "vanishing": (pow(point, n, MODULUS) - 1) % MODULUS,
    }
