"""Proofs of the second edition say nothing of weights or activations: rank of what they show, a simulator, and fresh randomness.

A row is opened at sigma beside `cell`, which hides it. Each count has a twin that sees a leak.
"""

from __future__ import annotations

from collections import defaultdict

import pytest
from distributions import SIGNIFICANCE, bits_p, buckets, uniform_p
from forms import rank
from support import random_image, random_network, said
from trapdoor import Simulator, blinding_factor, ceremony_of, random_scalar

from zkpredict.circuits.columns import linearised_name, scalar_name
from zkpredict.circuits.constraints import evaluate_publics, total_constraint
from zkpredict.circuits.expression import SHIFTED
from zkpredict.circuits.field import MODULUS, inverse, root_of_unity
from zkpredict.circuits.placement import form
from zkpredict.prover.commit import commit_model
from zkpredict.prover.prove import Prover
from zkpredict.verifier import independent
from zkpredict.verifier.native import parse_proof, verify
from zkpredict.verifier.opening import Linear, linearise, opening_point

SHAPES = ((12, 30, 3), (600, 45, 3))
"""The second hosts layer 1 in a row of layer 0."""
PILE, MANY = 24, 2000


@pytest.fixture(scope="module")
def tau():
    """A test ceremony, in force while this module runs."""
    tau = random_scalar()
    with ceremony_of(tau):
        yield tau


@pytest.fixture(scope="module")
def models(tau):
    return {shape: commit_model(random_network(1, shape), placement="compact-2") for shape in SHAPES}


def proven(model, seed: int = 5):
    image = random_image(seed, model.network.shape[0])
    prover = Prover(model, said(image, model.predict(image)))
    return prover, prover.prove(), image.tobytes()


class AtTau:
    """An `Environment` at tau: this row's cells, and the next ones of the first round, which lookup multiplies, are numbers (`known`, by
    name and rotation); all others are symbols, and so is the quotient. That is more than an adversary has."""

    def __init__(self, publics, challenges, known):
        self.publics, self.challenges, self.known = publics, challenges, known

    def constant(self, value):
        return Linear(value % MODULUS)

    def cell(self, column, rotation):
        return Linear(self.known[column, rotation]) if (column, rotation) in self.known else Linear(0, {(column, rotation): 1})

    def public(self, name):
        return Linear(self.publics[name])

    def challenge(self, name):
        return Linear(self.challenges[name])


def shown(circuit, tau, challenges, at, quotient_terms) -> dict:
    """Every value that a proof shows as a linear form in columns at points. `at`: the linearisation's coefficients by rotation."""
    shape, root = form(circuit), root_of_unity(circuit.domain)
    points = {k: opening_point(circuit, k, challenges) for k in shape.rotations}
    tau_at = {k: tau * pow(root, k, MODULUS) % MODULUS for k in shape.rotations} | {SHIFTED: tau * inverse(challenges["shift"]) % MODULUS}
    found = {f"[{column.name}]": {(column.name, tau): 1} for column in shape.proof_columns if column.name != "quotient"}
    found["[quotient]"] = {(name, tau_at[k]): c for (name, k), c in quotient_terms.items() if k}
    found |= {scalar_name((name, k)): {(name, points[k]): 1} for name, k in shape.stated}
    return found | {linearised_name(k): {(name, points[k]): c for name, c in at[k].items()} for k in shape.rotations[1:]}


def leaked(circuit, forms, blinders: int) -> int:
    """Independent equations without blinders that one proof gives. Rows of weights have none; `cell` has none in its constant term."""
    rows = []
    for own in forms.values():
        row: dict = defaultdict(int)
        for (column, point), coefficient in own.items():
            if column.startswith("rows"):
                continue
            for k in range(column == "cell", blinders):
                row[column, k] += coefficient * blinding_factor(point, circuit) * pow(point, k, MODULUS)
        rows.append(row)
    unknowns = sorted({key for row in rows for key in row})
    return len(rows) - rank([[row.get(key, 0) % MODULUS for key in unknowns] for row in rows])


@pytest.mark.parametrize("shape", SHAPES)
def test_real_proofs_leak_nothing(tau, models, shape):
    """And the forms are those of the proofs that are made: at the prover's polynomials they give what a proof states."""
    prover, proof, _ = proven(models[shape])
    circuit, challenges = prover.circuit, prover.challenges
    polynomials, root = prover.polynomials(), root_of_unity(circuit.domain)
    known = {(name, 0): coefficients.evaluate(tau) for name, coefficients in polynomials.items()}
    known |= {(name, k): polynomials[name].evaluate(tau * pow(root, k, MODULUS) % MODULUS) for name in ("horner", "cell") for k in (1, 2)}
    publics = evaluate_publics(circuit, prover.statement, challenges["alpha"], tau, challenges)
    total = total_constraint(circuit, AtTau(publics, challenges, known))
    linear = linearise(circuit, prover.statement, challenges, proof.scalars)
    forms = shown(circuit, tau, challenges, linear.at, total.terms)
    assert {"linear", "cell"} <= {name for name, _ in forms["[quotient]"]}
    assert {name for name, _ in forms[linearised_name(SHIFTED)]} == {"rows0", "cell"}
    for name, terms in forms.items():
        if name in proof.scalars:
            assert sum(c * prover.polynomials()[column].evaluate(z) for (column, z), c in terms.items()) % MODULUS == proof.scalars[name]
    assert leaked(circuit, forms, form(circuit).blinders) == 0
    assert leaked(circuit, forms, 4) > 0
    del forms[linearised_name(SHIFTED)][("cell", challenges["sigma"])]
    assert leaked(circuit, forms, form(circuit).blinders) == 1, "a row opened alone would tell an equation of the weights"


def test_2000_proofs_leak_nothing(tau, models):
    """With all challenges and coefficients drawn at random: what is linear in blinders does not depend on the rest."""
    circuit = models[SHAPES[0]].commitment.circuit
    read = {1: ("linear", "lookup"), 2: ("horner",), SHIFTED: ("rows0", "cell")}
    at = {k: {name: random_scalar() for name in names} for k, names in read.items()}
    for _ in range(MANY // 20):
        challenges = {"shift": random_scalar(), "sigma": random_scalar() >> 15}
        challenges |= form(circuit).derive(challenges)
        quotient = {(name, k): random_scalar() for k, names in read.items() for name in names}
        assert leaked(circuit, shown(circuit, tau, challenges, at, quotient), form(circuit).blinders) == 0


@pytest.mark.parametrize("shape", SHAPES)
def test_proofs_are_made_without_weights(tau, models, shape):
    """For any class: the simulator has tau, the row points and the input, and both verifiers accept."""
    commitment = models[shape].commitment
    simulator, image = Simulator(tau, commitment), random_image(9, shape[0]).tobytes()
    for digit in (0, 2):
        proof = simulator.prove(image, digit)
        verify(commitment, image, parse_proof(proof.to_bytes(), commitment))
    assert independent.verify(commitment.to_bytes(), image, proof.to_bytes()) == 2


def test_the_last_two_points_carry_nothing_of_their_own(tau, models):
    prover, proof, _ = proven(models[SHAPES[1]])
    simulator = Simulator(tau, models[SHAPES[1]].commitment)
    assert simulator.opening(proof, prover.statement, prover.challenges) == proof.points["opening"]
    assert simulator.final(proof, prover.statement, prover.challenges) == proof.points["final"]


def test_parts_of_honest_proofs_of_one_statement_are_uniform(models):
    proofs = [proven(models[SHAPES[0]])[1] for _ in range(PILE)]
    for name in proofs[0].scalars:
        values = [proof.scalars[name] for proof in proofs]
        assert len(set(values)) == PILE
        assert min(uniform_p(buckets(values)), bits_p(values, 64)) > SIGNIFICANCE


def test_rows_are_hidden_by_their_secrets(tau, models):
    """Two commitments to one network share no point, and a hosting row's random part is zero wherever layer 1 reads."""
    model = models[SHAPES[1]]
    again = commit_model(model.network, placement="compact-2")
    assert not set(model.commitment.rows) & set(again.commitment.rows)
    compiled = model.compiled
    assert compiled.circuit.hosts
    root = root_of_unity(1024)
    hiding = compiled.hiding[len(compiled.rows[0]) - 1]
    for row in compiled._hosted_rows:
        assert sum(c * pow(root, row * at, MODULUS) for at, c in enumerate(hiding)) % MODULUS == 0
    assert sum(c * pow(tau, at, MODULUS) for at, c in enumerate(hiding)) % MODULUS != 0
