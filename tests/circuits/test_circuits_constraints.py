"""The constraint list: closed forms against interpolation, the linear check against the equations it stands for, degrees."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support import PlainRows, at_domain, evaluate, evaluate_values, random_image, random_network, said, trace_of_limbs

from zkpredict.circuits.compiler import CompiledNetwork, compile_network
from zkpredict.circuits.constraints import constraints, evaluate_publics, total_constraint
from zkpredict.circuits.gadgets.dense import row_column
from zkpredict.circuits.gadgets.public_input import evaluate_image, image_polynomial
from zkpredict.circuits.publics import Periodic
from zkpredict.circuits.debug import public_rows
from zkpredict.circuits.degrees import quotient_length
from zkpredict.circuits.expression import Cell, Challenge, Public
from zkpredict.circuits.field import MODULUS, powers
from zkpredict.circuits.layout import ACTIVATION_ROW, LANE_ROWS, MAX_DEGREE, NARROW, READOUT_ROW, WIDE, Circuit
from zkpredict.circuits.witness import Trace

CIRCUITS = [
    Circuit((784, 64, 10), (NARROW, WIDE), 1024),
    Circuit((784, 64, 10), (NARROW, WIDE), 2048),
    Circuit((100, 20, 3), (NARROW, WIDE), 1024),
    Circuit((784, 64, 32, 10), (NARROW, WIDE, WIDE), 2048),
    Circuit((5, 3), (WIDE,), 1024),
    Circuit((2046, 1), (WIDE,), 2048),
    Circuit((1500, 8, 12, 3), (NARROW, WIDE, WIDE), 2048),
    Circuit((9, 7, 6, 5, 2), (WIDE, NARROW, WIDE, WIDE), 1024),
]
by_name = pytest.mark.parametrize("circuit", CIRCUITS, ids=lambda c: f"{'-'.join(map(str, c.widths))} on {c.domain}")
points = st.integers(2, MODULUS - 1)


def outside(point: int, domain: int) -> int:
    assume(pow(point, domain, MODULUS) != 1)
    return point


# Public polynomials


@settings(max_examples=5)
@given(data=st.data())
@by_name
def test_closed_forms_match_reference(circuit, data):
    digit = data.draw(st.integers(0, circuit.classes - 1))
    alpha, point = data.draw(points), outside(data.draw(points), circuit.domain)
    image = data.draw(st.binary(min_size=circuit.inputs, max_size=circuit.inputs))
    closed = evaluate_publics(circuit, said(image, digit), alpha, point)
    rows = public_rows(circuit, said(image, digit), alpha)
    interpolated = {name: evaluate_values(values, point) for name, values in rows.items()}
    assert closed == interpolated | {"vanishing": (pow(point, circuit.domain, MODULUS) - 1) % MODULUS}


@given(st.integers(0, 10), st.integers(0, 5), st.data())
def test_periodic_matches_reference(bits, more, data):
    period, domain = 1 << bits, 1 << (bits + more)
    values = data.draw(st.dictionaries(st.integers(0, period - 1), st.integers(0, MODULUS - 1), max_size=5))
    point = outside(data.draw(points), domain)
    polynomial = Periodic(period, values)
    rows = [polynomial.at_row(row) for row in range(domain)]
    assert rows[:period] * (domain // period) == rows
    assert polynomial.evaluate(point, domain) == evaluate_values(rows, point)


@settings(max_examples=10)
@given(data=st.data())
@by_name
def test_evaluate_image_matches_reference(circuit, data):
    image = data.draw(st.binary(min_size=circuit.inputs, max_size=circuit.inputs))
    alpha, point = data.draw(points), data.draw(st.sampled_from([0, 1]) | points)
    assert evaluate_image(circuit, image, alpha, point) == evaluate(image_polynomial(circuit, image, alpha), point)


@by_name
def test_the_sum_over_the_domain_is_the_inner_product_with_the_image(circuit):
    # (1/n) sum_H rows0(h) X(h) = <coefficients of rows0, alpha^e (1, x_0, x_1, ...)>
    source = np.random.default_rng(5)
    image, alpha = random_image(6, circuit.inputs).tobytes(), 1234567
    coefficients = [int(value) for value in source.integers(0, 2**62, circuit.domain)]
    read = [power * value % MODULUS for power in powers(alpha, circuit.input_packs_per_row) for value in (1, *image)]
    product = sum(c * q for c, q in zip(coefficients, read)) % MODULUS
    left, right = at_domain(coefficients), at_domain(image_polynomial(circuit, image, alpha))
    assert sum(a * b for a, b in zip(left, right)) % MODULUS == circuit.domain * product % MODULUS
    changed = at_domain(image_polynomial(circuit, bytes([image[0] ^ 1]) + image[1:], alpha))
    assert sum(a * b for a, b in zip(left, changed)) % MODULUS != circuit.domain * product % MODULUS


# The linear check


def residuals(compiled: CompiledNetwork, image: list[int], digit: int, trace: Trace) -> dict[int, int]:
    """Every linear equation by its number, computed as it is meant: from the weights, the biases and the limbs of each value."""
    circuit, found = compiled.circuit, {}

    def pack_value(start: int) -> int:
        limbs = [int(trace["limb"][start + lane + place]) for lane in range(0, READOUT_ROW, LANE_ROWS) for place in (1, 2, 3)]
        return int.from_bytes(bytes(limbs), "big")

    def value(group, index: int) -> int:
        return pack_value(group.value_row(index) // 64 * 64) >> group.value_shift(index) & ((1 << group.value_bits) - 1)

    inputs = list(image)
    for number, (layer, group) in enumerate(zip(compiled.network.layers, circuit.layer_groups)):
        for pack in range(group.packs):
            expected = group.offset(pack)
            for index in range(pack * group.values_per_pack, min((pack + 1) * group.values_per_pack, group.outputs)):
                z = int(layer.bias[index]) + sum(int(w) * a for w, a in zip(layer.weights[index], inputs))
                expected += z << (group.value_shift(index) + compiled.scales[number])
            found[circuit.first_equation(number) + pack] = pack_value(group.pack_row(pack)) - expected
        inputs = [int(trace["cell"][group.value_row(index) + ACTIVATION_ROW]) for index in range(group.outputs)]
    logits = circuit.layer_groups[-1]
    for index in range(circuit.classes):
        difference = value(logits, digit) - value(logits, index) - value(circuit.difference_group, index)
        found[circuit.first_equation(circuit.layers) + index] = difference - (index < digit)
    for number, row in enumerate(circuit.pinned_rows):
        found[(circuit.first_equation(circuit.layers) + circuit.classes) + number] = pack_value(row - READOUT_ROW)
    return found


@pytest.mark.parametrize(
    ("shape", "domain"), [((30, 12, 4), 1024), ((5, 3), 1024), ((40, 25, 14, 6), 2048), ((784, 64, 10), 1024), ((3, 2, 1), 2048)]
)
def test_the_linear_sum_is_the_combination_of_all_equations(shape, domain):
    # any bytes at all, honest or not: total of the increments = sum_e alpha^e residual_e
    compiled = compile_network(random_network(7, shape), domain)
    circuit, source = compiled.circuit, np.random.default_rng(8)
    image, alpha, digit = random_image(9, shape[0]), 987654321, shape[-1] - 1
    trace = trace_of_limbs(circuit, source.integers(0, 256, domain))
    columns = {"horner": trace["horner"], "cell": trace["cell"], "linear": [0] * domain}
    for layer, rows in enumerate(compiled.rows):
        weights = powers(alpha, circuit.first_equation(circuit.layers))[circuit.first_equation(layer) :]
        weights = weights[:: circuit.packs_per_row(layer)]
        combined = [sum(w * row[i] for w, row in zip(weights, rows)) % MODULUS for i in range(domain)]
        columns[row_column(layer)] = at_domain(combined) if layer == 0 else combined
    publics = public_rows(circuit, said(image.tobytes(), digit), alpha)
    linear = next(c for c in constraints(circuit) if c.name == "linear")
    total = -sum(linear.expression.evaluate(PlainRows.of(columns, publics, {"alpha": alpha})))
    wanted = residuals(compiled, image.tolist(), digit, trace)
    assert sorted(wanted) == sorted(set(wanted)) and all(value for value in wanted.values())
    assert total % MODULUS == sum(pow(alpha, e, MODULUS) * value for e, value in wanted.items()) % MODULUS


# The list


class Leaves(set):
    """What is read, in place of a value: sums and products join it."""

    def __add__(self, other):
        return Leaves(self | other)

    __sub__ = __mul__ = __add__


class Reading:
    """An `Environment` that gives every leaf as a set of itself."""

    def constant(self, value):
        return Leaves()

    def cell(self, column, rotation):
        return Leaves({Cell(column, rotation)})

    def public(self, name):
        return Leaves({Public(name)})

    def challenge(self, name):
        return Leaves({Challenge(name)})


@by_name
def test_every_constraint_has_a_name_and_reads_known_columns_at_most_one_row_ahead(circuit):
    assert [c.name for c in constraints(circuit)] == ["sign", "boolean", "relu", "horner", "linear", "lookup"]
    leaves = total_constraint(circuit, Reading())
    read = {leaf for leaf in leaves if isinstance(leaf, Cell)}
    rows = {row_column(layer) for layer in range(circuit.layers)}
    assert {cell.column for cell in read} == {"limb", "horner", "cell", "linear", "lookup", "table", "quotient"} | rows
    assert {cell.rotation for cell in read} == {0, 1}
    assert {(cell.column, cell.rotation) for cell in read} >= {("limb", 0), ("cell", 0), ("table", 0), ("cell", 1)}
    assert not {cell for cell in read if cell.column.startswith("rows") and cell.rotation}
    publics = {leaf.name for leaf in leaves if isinstance(leaf, Public)}
    assert publics == set(evaluate_publics(circuit, said(bytes(circuit.inputs), 0), 5, 6))
    assert {leaf.name for leaf in leaves if isinstance(leaf, Challenge)} == {"beta", "delta"}


class RandomLeaves(dict):
    """An `Environment` that gives every leaf a fixed random number."""

    def draw(self, *leaf) -> int:
        return self.setdefault(leaf, int(np.random.default_rng(len(self)).integers(1, 2**62)))

    def constant(self, value: int) -> int:
        return value

    def cell(self, column: str, rotation: int) -> int:
        return self.draw("cell", column, rotation)

    def public(self, name: str) -> int:
        return self.draw("public", name)

    def challenge(self, name: str) -> int:
        return self.draw("challenge", name)


@by_name
def test_the_total_weighs_constraints_by_powers_of_delta_and_subtracts_the_quotient(circuit):
    leaves = RandomLeaves()
    parts = [constraint.expression.evaluate(leaves) for constraint in constraints(circuit)]
    total = sum(part * leaves.challenge("delta") ** power for power, part in enumerate(parts))
    total -= leaves.public("vanishing") * leaves.cell("quotient", 0)
    assert total_constraint(circuit, leaves) % MODULUS == total % MODULUS


class Degree(int):
    """A polynomial's degree: sums take the larger one, products add."""

    def __add__(self, other):
        return Degree(max(self, other))

    __sub__ = __add__

    def __mul__(self, other):
        return Degree(int(self) + int(other))


@by_name
def test_the_quotient_fits_the_ceremony_and_its_coset(circuit):
    n = circuit.domain
    periods = {"lane_head": 4, "limb_top": 4, "pack_head": 64, "table_head": n // 256}
    for layer in range(1, circuit.layers):
        period = circuit.layer_groups[layer - 1].stride * 64
        periods |= {f"reads{layer}": period, f"reads_next{layer}": period}

    class Degrees:
        def constant(self, value):
            return Degree(0)

        challenge = constant

        def cell(self, column, rotation):
            return Degree(255 if column == "table" else n - 1 if column.startswith("rows") else n + 3)

        def public(self, name):
            return Degree({"constants": 0}.get(name, n - n // periods[name] if name in periods else n - 1))

    degree = max(constraint.expression.evaluate(Degrees()) for constraint in constraints(circuit))
    assert quotient_length(circuit) == int(degree) - n + 1
    assert int(degree) - n <= min(2 * n + 15, MAX_DEGREE)
