"""Linearisation and fold: the symbols against plain evaluation, and products nobody could open refused."""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support import refuses, said

from zkpredict.circuits.constraints import evaluate_publics, total_constraint
from zkpredict.circuits.expression import Cell
from zkpredict.circuits.field import MODULUS, inverse, root_of_unity
from zkpredict.circuits.layout import NARROW, WIDE, Circuit
from zkpredict.circuits.columns import Form
from zkpredict.circuits.placement import COMPACT_FORM
from zkpredict.verifier import opening
from zkpredict.verifier.opening import Linear, Linearisation, OpenedCells, fold, linearise

scalars = st.integers(0, MODULUS - 1)
CELLS = [(column, rotation) for column in ("a", "b", "c") for rotation in (0, 1)]
linears = st.builds(Linear, scalars, st.dictionaries(st.sampled_from(CELLS), scalars, max_size=4))
assignments = st.fixed_dictionaries({cell: scalars for cell in CELLS})
CIRCUITS = [
    Circuit((30, 12, 4), (NARROW, WIDE), 1024),
    Circuit((9, 7, 6, 5, 2), (WIDE, NARROW, WIDE, WIDE), 2048),
    Circuit((5, 3), (WIDE,), 1024),
]
by_name = pytest.mark.parametrize("circuit", CIRCUITS, ids=lambda c: "-".join(map(str, c.widths)))


def value_of(linear: Linear, values) -> int:
    return (linear.constant + sum(coefficient * values[cell] for cell, coefficient in linear.terms.items())) % MODULUS


# Linear expressions


@given(linears, linears, scalars, assignments)
def test_sums_differences_and_multiples_match_reference(left, right, factor, values):
    a, b = value_of(left, values), value_of(right, values)
    assert value_of(left + right, values) == (a + b) % MODULUS
    assert value_of(left - right, values) == (a - b) % MODULUS
    assert value_of(left.scaled(factor), values) == a * factor % MODULUS


@given(linears, scalars, assignments)
def test_products_with_a_number_match_reference_from_both_sides(linear, number, values):
    expected = value_of(linear, values) * number % MODULUS
    assert value_of(linear * Linear(number), values) == value_of(Linear(number) * linear, values) == expected


def test_a_product_of_two_unopened_cells_is_refused():
    one, two = Linear(0, {("horner", 0): 1}), Linear(5, {("lookup", 1): 2})
    assert (one * Linear(3)).terms == {("horner", 0): 3}
    with refuses(ValueError, "constraint is not linear in unopened cells [('horner', 0)] and [('lookup', 1)]"):
        one * two
    with refuses(ValueError, "constraint is not linear in unopened cells [('horner', 0)] and [('horner', 0)]"):
        one * one


def test_a_constraint_on_products_of_unopened_cells_is_refused():
    opened = OpenedCells({}, {}, {("limb", 0): 10})
    assert (Cell("limb") * Cell("horner")).evaluate(opened) == Linear(0, {("horner", 0): 10})
    with refuses(ValueError, "constraint is not linear in unopened cells [('limb', 1)] and [('horner', 0)]"):
        (Cell("limb").next * Cell("horner")).evaluate(opened)


# Linearisation


class At:
    """An `Environment` of plain numbers for every cell, opened or not."""

    def __init__(self, cells, publics, challenges):
        self.cells, self.publics, self.challenges = cells, publics, challenges

    def constant(self, value):
        return value

    def cell(self, column, rotation):
        return self.cells[column, rotation]

    def public(self, name):
        return self.publics[name]

    def challenge(self, name):
        return self.challenges[name]


def drawn_challenges(data) -> dict[str, int]:
    found = {name: data.draw(scalars) for name in ("alpha", "beta", "delta", "nu", "zeta")}
    return found | {"rho": data.draw(st.integers(2, (1 << 240) - 1))}


def drawn_scalars(data) -> dict[str, int]:
    return {name: data.draw(scalars) for name in COMPACT_FORM.scalars}


@settings(max_examples=20)
@given(data=st.data())
@by_name
def test_linearise_matches_reference(circuit, data):
    challenges, stated = drawn_challenges(data), drawn_scalars(data)
    image = data.draw(st.binary(min_size=circuit.inputs, max_size=circuit.inputs))
    statement = said(image, data.draw(st.integers(0, circuit.classes - 1)))
    found = linearise(circuit, statement, challenges, stated)
    columns = {"limb", "horner", "cell", "linear", "lookup", "quotient", "table", *(f"rows{t}" for t in range(circuit.layers))}
    cells = {(column, rotation): data.draw(scalars) for column in sorted(columns) for rotation in (0, 1)}
    cells |= {("limb", 0): stated["limb"], ("cell", 0): stated["cell"], ("table", 0): stated["table"]}
    cells |= {("cell", 1): stated["cell_next"]}
    publics = evaluate_publics(circuit, statement, challenges["alpha"], challenges["rho"])
    total = total_constraint(circuit, At(cells, publics, challenges))
    folded = found.constant + sum(c * cells[name, 0] for name, c in found.at[0].items())
    folded += sum(c * cells[name, 1] for name, c in found.at[1].items())
    assert folded % MODULUS == total % MODULUS


@by_name
def test_only_what_no_proof_states_is_left_and_rows_only_at_rho(circuit):
    challenges = {"alpha": 3, "beta": 5, "delta": 7, "rho": 11}
    stated = dict(zip(COMPACT_FORM.scalars, (13, 17, 19, 23, 29), strict=True))
    found = linearise(circuit, said(bytes(circuit.inputs), 0), challenges, stated)
    rows = {f"rows{layer}" for layer in range(circuit.layers)}
    assert set(found.at[0]) == {"horner", "linear", "lookup", "quotient"} | rows
    assert set(found.at[1]) == {"limb", "horner", "linear", "lookup"}


def test_a_rotation_that_no_proof_is_opened_at_is_refused():
    message = "the constraints read limb at rotation 2, proofs are opened at (0, 1) only"
    with refuses(ValueError, message):
        Linearisation.of(COMPACT_FORM, Linear(1, {("limb", 2): 5, ("horner", 1): 3}))
    assert Linearisation.of(COMPACT_FORM, Linear(1, {("horner", 1): 3})) == Linearisation({0: {}, 1: {"horner": 3}}, 1)


# Fold


@given(data=st.data())
def test_fold_matches_reference(data):
    """The folded claim holds exactly when W is what the prover must send, whatever the columns are:

    W = (N + nu limb + nu^2 table - values)/(X - rho) + nu^3 (cell - line)/Z + nu^4 (M - value)/(X - omega rho)   at zeta
    """
    circuit = CIRCUITS[0]
    challenges, stated = drawn_challenges(data), drawn_scalars(data)
    rho, nu, zeta = challenges["rho"], challenges["nu"], challenges["zeta"]
    rho_next = rho * root_of_unity(1024) % MODULUS
    assume(zeta not in (rho, rho_next))
    names = ("limb", "horner", "cell", "linear", "lookup", "quotient", "table", "rows0", "rows1")
    at_zeta = {name: data.draw(scalars) for name in names}
    linearisation = Linearisation(
        {
            0: {name: data.draw(scalars) for name in ("horner", "linear", "quotient", "rows0", "rows1")},
            1: {name: data.draw(scalars) for name in ("limb", "horner", "linear", "lookup")},
        },
        data.draw(scalars),
    )
    here = sum(c * at_zeta[name] for name, c in linearisation.at[0].items())
    there = sum(c * at_zeta[name] for name, c in linearisation.at[1].items())
    at_rho = here + linearisation.constant + stated["linearised_next"]
    at_rho += nu * (at_zeta["limb"] - stated["limb"]) + nu**2 * (at_zeta["table"] - stated["table"])
    line = stated["cell"] + (stated["cell_next"] - stated["cell"]) * inverse(rho_next - rho) * (zeta - rho)
    z_here, z_there = inverse(zeta - rho), inverse(zeta - rho_next)
    opening = at_rho * z_here + nu**3 * (at_zeta["cell"] - line) * z_here * z_there
    opening += nu**4 * (there - stated["linearised_next"]) * z_there

    claim = fold(circuit, linearisation, stated, challenges)
    folded = sum(c * at_zeta[name] for name, c in claim.columns.items())
    assert (folded + claim.opening * opening) % MODULUS == claim.value
    assert (folded + claim.opening * (opening + 1)) % MODULUS != claim.value


def test_the_line_goes_through_both_stated_values_of_the_cell():
    # with everything else zero, at zeta = rho and at zeta = omega rho, the value is nu^3 times the stated one
    rho, nothing = 12345, Linearisation({0: {}, 1: {}}, 0)
    rho_next = rho * root_of_unity(1024) % MODULUS
    stated = dict.fromkeys(COMPACT_FORM.scalars, 0) | {"cell": 7, "cell_next": 9}
    assert fold(CIRCUITS[0], nothing, stated, {"rho": rho, "nu": 2, "zeta": rho}).value == 8 * 7
    assert fold(CIRCUITS[0], nothing, stated, {"rho": rho, "nu": 2, "zeta": rho_next}).value == 8 * 9


def test_a_stated_cell_that_no_claim_folds_is_refused(monkeypatch):
    lost = replace(COMPACT_FORM, stated=(*COMPACT_FORM.stated, ("horner", 1)))
    monkeypatch.setattr(Form, "claims", COMPACT_FORM.claims)
    monkeypatch.setattr(opening, "form", lambda circuit: lost)
    stated = dict.fromkeys((*COMPACT_FORM.scalars, "horner_next"), 0)
    folded = sorted(COMPACT_FORM.stated)
    message = f"stated cells {sorted([*folded, ('horner', 1)])} are not those of the claims, {folded}"
    with refuses(ValueError, message):
        fold(CIRCUITS[0], Linearisation({0: {}, 1: {}}, 0), stated, {"rho": 5, "nu": 2, "zeta": 3})


@given(st.lists(st.tuples(scalars, scalars), min_size=1, max_size=5, unique_by=lambda pair: pair[0]), scalars)
def test_interpolation_goes_through_any_number_of_points(pairs, zeta):
    points, values = [point for point, _ in pairs], tuple(value for _, value in pairs)
    found = opening._interpolated(points, values, [zeta - point for point in points]) % MODULUS
    expected = 0
    for one in range(len(points)):
        weight = values[one]
        for other in range(len(points)):
            if other != one:
                weight = weight * (zeta - points[other]) * inverse(points[one] - points[other])
        expected += weight
    assert found == expected % MODULUS
