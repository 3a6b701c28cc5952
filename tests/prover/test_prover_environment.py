"""Programs say what vectors say, and tables of the key change no proof."""

import numpy as np
import pytest
from support import refuses

from zkpredict.circuits.expression import Cell, Challenge, Constant, Public
from zkpredict.kernel import Bases, G1, MODULUS, Vector
from zkpredict.prover import setup
from zkpredict.prover.environment import Program, Spread, Values
from zkpredict.circuits.publics import Patches, Periodic

N, STEP = 16, 2
EXPRESSIONS = {
    "a sum": Cell("a") + Cell("b", 1),
    "a difference of a constant": 5 - Cell("a"),
    "a product of one column with itself": Cell("a") * Cell("a"),
    "both rotations of a column": Cell("a") * Cell("a").next - Cell("a"),
    "a short public polynomial": Cell("a") * Public("short") + Public("short"),
    "challenges": (Cell("a") + Challenge("x")) * Challenge("x") - Constant(-1) * Cell("b"),
    "constants on the left": 3 * (2 + Cell("a", 1)) - 0,
}


def vector(seed: int, length: int = N) -> Vector:
    return Vector.from_wide_bytes(np.random.default_rng(seed).bytes(64 * length))


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_a_program_is_the_expression_in_vectors(name):
    columns, short, challenges = {"a": vector(1), "b": vector(2)}, vector(3, 4), {"x": MODULUS - 7}
    program = Program(N, columns, {"short": short}, challenges, STEP)
    expected = EXPRESSIONS[name].evaluate(Values(columns, {"short": short.repeat(4)}, challenges, STEP))
    assert program.run(EXPRESSIONS[name].evaluate(program)) == expected
    columns["a"] = columns["a"] + 1
    changed = EXPRESSIONS[name].evaluate(Values(columns, {"short": short.repeat(4)}, challenges, STEP))
    assert changed != expected


def test_only_the_last_result_of_a_program_can_be_had():
    program = Program(N, {"a": vector(1)}, {}, {}, STEP)
    first = Cell("a").evaluate(program) + 1
    second = first * 2
    for other in (first, Cell("a").evaluate(program), Cell("a").evaluate(Program(N, {"a": vector(1)}, {}, {}, STEP)) + 1):
        with refuses(ValueError, "only the result of the last operation can be had"):
            program.run(other)
    assert program.run(second) == (vector(1) + 1) * 2


def test_public_polynomials_on_a_coset_are_those_of_their_coefficients():
    values = {0: 5, 3: MODULUS - 1, 7: 11}
    spreads = {"periodic": Spread.of(Periodic(8, values)), "whole": Spread.of(Periodic(N, values)), "other": Spread.of(Periodic(8, {1: 1}))}
    found = Spread.all_on_coset(spreads, N, 4)
    for name, spread in spreads.items():
        row = spread.on_domain(N)
        polynomial = row.intt()
        short = found[name]
        assert short.repeat(4 * N // len(short)) == polynomial.coset_ntt(4 * N, 7) and short == spread.on_coset(N, 4)
        assert [row[i] for i in range(len(spread.coefficients))] == [
            {"periodic": values, "whole": values, "other": {1: 1}}[name].get(i, 0) for i in range(len(spread.coefficients))
        ]


def test_patches_are_the_sum_of_their_parts():
    parts = (Periodic(8, {1: 4, 2: MODULUS - 1}), Periodic(4, {1: 9}), Periodic(N, {5: 2}))
    found = Spread.of(Patches(parts)).on_domain(N)
    assert found.to_ints() == [sum(part.at_row(row) for part in parts) % MODULUS for row in range(N)]
    assert found.intt().evaluate(77) == Patches(parts).evaluate(77, N)
    assert Spread.of(Patches(parts[:2])).on_domain(N) != found


# Tables of the key


@pytest.fixture
def small_key(monkeypatch):
    """A key of few points, and no proof counted yet."""
    bases = {"monomial": Bases([G1.generator().mul(i + 1) for i in range(40)]), "lagrange": Bases([G1.generator()] * 20)}
    monkeypatch.setattr(setup, "monomial_key", lambda: bases["monomial"])
    monkeypatch.setattr(setup, "lagrange_key", lambda domain, blinders: bases["lagrange"])
    monkeypatch.setattr(setup, "_proofs", type(setup._proofs)())
    return bases


def test_a_key_has_tables_from_the_eighth_proof_of_a_shape_on(small_key):
    for _ in range(setup.TABLES_FROM - 1):
        setup.announce_proof(16, 4, 36)
        setup.announce_proof(16, 3, 36)
    assert [bases.precomputed for bases in small_key.values()] == [0, 0]
    setup.announce_proof(16, 4, 36)
    assert (small_key["monomial"].precomputed, small_key["lagrange"].precomputed) == (36, 20)
