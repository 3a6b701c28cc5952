"""What docs/second-edition.md says and its arguments lean on, checked: constraints, degrees, exponents, rounds, sums at X/shift, gas."""

from __future__ import annotations

import csv
import random
from math import log2

import pytest

from zkpredict.circuits.constraints import constraints, evaluate_publics
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.linear import equations
from zkpredict.circuits.placement import form
from zkpredict.circuits.second.layout import BLOCKS, SecondCircuit
from zkpredict.circuits.second.total import ShiftedInput
from zkpredict.circuits.statement import Statement
from zkpredict.verifier.costs import msm_gas
from zkpredict.verifier.independent_second import second_equations, second_row_exponents, second_values

CIRCUIT = SecondCircuit((784, 64, 10), (1,))
CASES = (CIRCUIT, SecondCircuit((5, 3), ()), SecondCircuit((64, 70, 16), (1,)), SecondCircuit((20, 12, 6, 4), (1, 1)), SecondCircuit((3, 9, 9, 9, 9, 2), (2,) * 4))
N = 1024


@pytest.fixture(scope="module")
def page(root) -> str:
    return (root / "docs" / "second-edition.md").read_text(encoding="utf-8")


def test_every_constraint_has_its_line_in_order(page):
    places = [page.index(f"| `{one.name}` |") for one in constraints(CIRCUIT)]
    assert places == sorted(places) and len(places) == 6


def test_rounds_and_scalars(page):
    shape = form(CIRCUIT)
    assert [message.points for message in shape.rounds] == [("horner", "cell"), ("linear", "lookup"), ("quotient",), (), ("opening",), ("final",)]
    assert f"`{' '.join(shape.scalars)}`" in page
    assert [message.challenges for message in shape.rounds] == [("shift", "beta"), ("delta",), ("sigma",), ("nu",), ("zeta",), ()]


@pytest.mark.parametrize("circuit", CASES, ids=lambda one: "-".join(map(str, one.widths)))
def test_exponents(circuit):
    """Equations start at 1 and stay below 100; packs of layer 0 are where the page says."""
    first, room = 1, BLOCKS * circuit.block_packs
    for pack in range(circuit.layer_groups[0].packs):
        row, j = divmod(pack, room)
        assert circuit.pack_exponent(0, pack) == first + room * row + BLOCKS * (j // BLOCKS) + 3 - j % BLOCKS
        assert circuit.input_place(pack) == (row, j % BLOCKS * N + j // BLOCKS * (circuit.inputs + 1))
    assert circuit.first_equation(circuit.layers) + len(circuit.pinned_rows) < 100


@pytest.mark.parametrize("circuit", CASES[:2], ids=lambda one: "-".join(map(str, one.widths)))
def test_blocks_are_weighed_by_powers_of_alpha(circuit):
    """Section 4's sum, for any polynomial of degree 4,095: also where no input reads."""
    source = random.Random(4)
    shift, image = source.randrange(1, MODULUS), bytes(source.randrange(256) for _ in range(circuit.inputs))
    row = [source.randrange(MODULUS) for _ in range(4096)]
    inputs = ShiftedInput(circuit, image, shift).coefficients()
    folded = [sum(row[at + N * e] * pow(shift, -(at + N * e), MODULUS) for e in range(4)) % MODULUS for at in range(N)]
    total = N * sum(c * inputs[-at % N] for at, c in enumerate(folded)) % MODULUS
    alpha, q = pow(shift, N, MODULUS), []
    for pack in range(circuit.block_packs):
        q += [pow(alpha, BLOCKS * pack, MODULUS) * value for value in (1, *image)]
    wanted = sum(pow(alpha, -e, MODULUS) * sum(c * value for c, value in zip(row[N * e :], q)) for e in range(4)) % MODULUS
    assert total == wanted


def test_the_bits(page):
    """Each step's chance, from its number of bad values."""
    hit = log2(1.36) - log2(MODULUS)
    highest = max(4095 + (4095 + N - N // 64) + 255, 2 * 4095 + N, 4095 + N + 4095)
    assert highest == 9453 and log2(highest) - 240 < -226
    for name, bad, bits in (("zeta", 4099, 242), ("nu", 5, 252), ("delta", 5, 252), ("shift", N * (100 + 3), 237)):
        assert log2(bad) + hit < -bits and f"{name} 2^-{bits}" in page


def test_gas_is_what_is_measured(page, root):
    with (root / "contracts" / "gas.csv").open(encoding="utf-8") as file:
        gas = {row["name"]: row["gas"] for row in csv.DictReader(file)}
    for name in (
        "verifier second edition verify typical", "verifier n=1024 verify typical", "verifier n=2048 verify typical", "verifier second edition register",
        "verifier second edition deployment", "verifier second edition pairing verify typical", "verifier second edition verify typical: polynomial of the table",
        "verifier second edition verify typical: public polynomials", "verifier n=1024 verify typical: public polynomials",
        "verifier second edition verify typical: sum of points (0x0c)", "verifier n=1024 verify typical: sum of points (0x0c)",
    ):
        assert f"{int(gas[name]):,}" in page, name
    assert f"{msm_gas(9) - msm_gas(8):,}" in page and f"{msm_gas(13) - msm_gas(8):,}" in page
    assert int(gas["verifier second edition verify typical"]) < 207_000


@pytest.mark.parametrize("circuit", CASES, ids=lambda one: "-".join(map(str, one.widths)))
def test_both_verifiers_count_and_evaluate_alike(circuit):
    """Exponents, equations and public polynomials, written twice."""
    source = random.Random(5)
    shift, sigma, image = source.randrange(1, MODULUS), source.randrange(1, 1 << 240), bytes(source.randrange(256) for _ in range(circuit.inputs))
    for column in circuit.row_columns:
        assert second_row_exponents(circuit)[column.name] == list(column.exponents)
    for digit in {0, circuit.classes - 1, circuit.classes // 2}:
        found = {one.exponent: (dict(one.reads), one.constant) for one in second_equations(circuit, digit)}
        assert found == {exponent: (dict(one.reads), one.constant) for exponent, one in equations(circuit, digit).items()}
    challenges = {"shift": shift, "sigma": sigma}
    challenges |= form(circuit).derive(challenges)
    assert challenges["alpha"] == pow(shift, N, MODULUS) and challenges["rho"] == shift * sigma % MODULUS
    expected = evaluate_publics(circuit, Statement(image, digit), challenges["alpha"], challenges["rho"], challenges)
    assert second_values(circuit, image, digit, shift, challenges["rho"]) == expected
