"""How many linear equations free of blinding do proofs give? None: 2,000 proofs of one model determine no weight.

A proof shows ten numbers (five columns and the quotient at tau, four stated values), each a linear form in blinders and secrets
(`forms`). A combination of them says something about secrets alone exactly if the blinders cancel in it. So what leaks is the
number of shown values less the rank of their coefficients in the blinders: zero when that rank is full. It is, for each proof by
itself, and blinders are never shared between proofs, so for any number together: the whole matrix has one block a proof. The row
points add one value and one secret each.
"""

from __future__ import annotations

import random

import pytest
from forms import COLUMNS, Shown, blinder_row, rank, solve
from support import random_image, said
from trapdoor import lagrange_at, random_scalar

from zkpredict.circuits.gadgets.dense import row_column
from zkpredict.circuits.field import MODULUS, powers, root_of_unity
from zkpredict.circuits.layout import BLINDING_ROW
from zkpredict.prover.prove import Prover
from zkpredict.circuits.placement import COMPACT_FORM
from zkpredict.verifier.messages import derive_challenges

MANY, BLINDERS = 2000, COMPACT_FORM.blinders


def shown_by(prover: Prover, proof, tau: int) -> Shown:
    """The adversary's view of an honest proof. What it has as points (columns and rows at tau) it is given as numbers."""
    challenges = derive_challenges(prover.circuit.digest, prover.statement, proof)
    at_tau = {name: column.coefficients.evaluate(tau) for name, column in prover.columns.items()}
    at_tau |= {name: coefficients.evaluate(tau) for name, coefficients in prover.row_coefficients.items()}
    return Shown(prover.circuit, prover.statement, tau, challenges, proof.scalars, at_tau)


def random_view(world, seed: int) -> Shown:
    """A view drawn at random, as those of honest proofs are (test_zk_statistics): challenges, columns at tau and stated values."""
    circuit = world.model.commitment.circuit
    names = (*COLUMNS, *(row_column(layer) for layer in range(circuit.layers)))
    return Shown(
        circuit,
        said(random_image(seed, circuit.inputs), seed % circuit.classes),
        world.tau,
        {name: random_scalar() for name in ("alpha", "beta", "delta")} | {"rho": random_scalar() >> 15},
        {name: random_scalar() for name in COMPACT_FORM.scalars},
        {name: random_scalar() for name in names},
    )


def leaked(views: list[Shown], blinders: int = BLINDERS, shared: bool = False) -> int:
    """Independent equations without blinders that these proofs give; `shared`: they all use the same blinders."""
    blocks = [[blinder_row(form, view.circuit, blinders) for form in view.forms().values()] for view in views]
    if shared:
        blocks = [[row for block in blocks for row in block]]
    return sum(len(block) - rank(block) for block in blocks)


def test_the_forms_are_those_of_real_proofs(trapdoor, few):
    """The algebra is about the proofs that are made: its forms at the prover's polynomials give what the proof states."""
    for prover, proof in list(zip(few.provers, few.real))[::4]:
        view = shown_by(prover, proof, trapdoor.tau)
        values = {
            name: (constant + sum(f * prover.columns[column].coefficients.evaluate(z) for (column, z), f in terms.items()))
            % MODULUS
            for name, (constant, terms) in view.forms().items()
        }
        stated = {name: value for name, value in proof.scalars.items() if name != "table"}
        assert {name: values[name] for name in stated} == stated
        assert values["[quotient]"] == prover.quotient["quotient"].evaluate(trapdoor.tau)


def test_real_proofs_leak_nothing(trapdoor, few):
    views = [shown_by(prover, proof, trapdoor.tau) for prover, proof in zip(few.provers, few.real)]
    assert len(views[0].forms()) == 10
    assert leaked(views) == 0


def test_2000_proofs_leak_nothing(trapdoor):
    assert leaked([random_view(trapdoor, seed) for seed in range(MANY)]) == 0


def test_row_points_leak_nothing(trapdoor):
    """One value and one secret a row: the secret's coefficient, tau^(n-1) or L_11(tau), is not zero."""
    assert pow(trapdoor.tau, trapdoor.model.commitment.circuit.domain - 1, MODULUS)
    assert lagrange_at(trapdoor.tau)[BLINDING_ROW]


# twins: the same count sees every leak


def test_unblinded_columns_leak_all_that_is_shown(trapdoor, few):
    views = [shown_by(prover, proof, trapdoor.tau) for prover, proof in zip(few.provers[:5], few.real)]
    assert leaked(views, blinders=0) == 10 * len(views)


def test_two_blinders_a_column_leak(trapdoor):
    """`cell` alone shows three values, at tau, rho and w rho."""
    assert leaked([random_view(trapdoor, 1)], blinders=2) >= 1


def test_blinding_used_twice_leaks(trapdoor):
    """Already with two proofs: five columns at the same tau, and five values of `cell`. With three there are more values than blinders."""
    views = [random_view(trapdoor, seed) for seed in range(3)]
    assert leaked(views[:2], shared=True) == len(COLUMNS) + 1
    assert leaked(views, shared=True) >= 3 * 10 - len(COLUMNS) * BLINDERS
    assert leaked(views) == 0


@pytest.fixture(scope="module")
def row_openings(few) -> list[tuple[int, int]]:
    """rho and u(rho) of each proof: what a proof would state if it opened the first layer's row."""
    found = []
    for prover, proof in zip(few.provers, few.real):
        rho = derive_challenges(prover.circuit.digest, prover.statement, proof)["rho"]
        found.append((rho, prover.row_coefficients["rows0"].evaluate(rho)))
    return found


def test_opening_the_row_in_each_proof_gives_the_weights_away(trapdoor, row_openings):
    """The twin of never opening it: one equation a proof, and as many proofs as the row has entries are solved for the weights."""
    compiled = trapdoor.model.compiled
    assert len(compiled.rows[0]) == 1
    positions = [*range(trapdoor.model.network.shape[0] + 1), compiled.blinding_position(0)]
    system = [[pow(rho, position, MODULUS) for position in positions] for rho, _ in row_openings]
    values = [value for _, value in row_openings]
    few = len(positions) - 1
    assert rank(system[:few]) == few
    with pytest.raises(ValueError):
        solve(system[:few], values[:few])
    found = solve(system, values)
    assert found[:-1] == compiled.rows[0][0][: len(positions) - 1]
    assert found[-1] == trapdoor.model.secrets[0]


def test_rank_and_solve_on_known_matrices():
    source = random.Random(5)
    left = [[source.randrange(MODULUS) for _ in range(3)] for _ in range(6)]
    right = [[source.randrange(MODULUS) for _ in range(5)] for _ in range(3)]
    product = [[sum(a * b for a, b in zip(row, column)) % MODULUS for column in zip(*right)] for row in left]
    assert (rank(product), rank([[0, 0]]), rank([])) == (3, 0, 0)
    vandermonde = [powers(pow(root_of_unity(8), k, MODULUS), 4) for k in range(6)]
    unknowns = [source.randrange(MODULUS) for _ in range(4)]
    values = [sum(a * b for a, b in zip(row, unknowns)) % MODULUS for row in vandermonde]
    assert rank(vandermonde) == 4 and solve(vandermonde, values) == unknowns
    with pytest.raises(ValueError):
        solve(vandermonde, [values[0] + 1, *values[1:]])
