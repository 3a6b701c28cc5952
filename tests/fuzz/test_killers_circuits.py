"""What gadgets, equations and constraints must say of themselves, and honest proofs of several shapes: with test_killers.py, the killers
of the mutants of `circuits` (`zkpredict.tools.mutation`)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support import random_image, random_network, refuses

from zkpredict.circuits.constraints import constraint, constraints, selectors
from zkpredict.circuits.field import MODULUS, root_of_unity
from zkpredict.circuits.gadgets.packs import Packs
from zkpredict.circuits.layout import Circuit
from zkpredict.circuits.linear import equations
from zkpredict.circuits.publics import Periodic, lagrange_basis
from zkpredict.prover.commit import commit_model
from zkpredict.prover.prove import prove
from zkpredict.verifier.errors import FailedOpening
from zkpredict.verifier.native import verify

NOT_OPENED = "the opening does not match: the claim is false, or the proof was made for another statement"
CIRCUIT = Circuit((12, 6, 3), (1, 2), 1024)


def test_constraints_are_found_by_their_one_name():
    circuit = CIRCUIT
    for one in constraints(circuit):
        assert constraint(circuit, one.name) is one
    with refuses(ValueError, "0 constraints are called ghost"):
        constraint(circuit, "ghost")


def test_two_gadgets_may_not_give_one_name_to_two_polynomials(monkeypatch):
    circuit = CIRCUIT
    known = selectors(circuit, 3)
    monkeypatch.setattr(Packs, "selectors", lambda self, alpha: {"lane_head": known["lane_head"]})
    assert set(selectors(circuit, 3)) == set(known) - {"pack_head"}
    monkeypatch.setattr(Packs, "selectors", lambda self, alpha: {"lane_head": Periodic(8, {0: 1})})
    with refuses(ValueError, "two gadgets call different polynomials lane_head"):
        selectors(circuit, 3)


@pytest.mark.parametrize("shape", [(12, 6, 3), (12, 21, 3), (5, 3), (9, 8, 7, 4)])
def test_honest_proofs_are_made_and_accepted(shape):
    """The gadgets fill what they constrain: a proof of every shape, for several images."""
    model = commit_model(random_network(5, shape))
    for seed in range(3):
        image = random_image(seed, shape[0])
        proof = prove(model, image)
        assert proof.digit == model.predict(image)
        verify(model.commitment, image, proof)
        with refuses(FailedOpening, NOT_OPENED):
            verify(model.commitment, image, replace(proof, digit=(proof.digit + 1) % shape[-1]))


def test_equations_have_their_names_reads_and_exponents():
    """784-64-10, whose table is in docs/protocol.md."""
    circuit = Circuit((784, 64, 10), (1, 2), 1024)
    found = equations(circuit, 3)
    names = [f"pack {p} of layer 0" for p in range(7)] + [f"pack {p} of layer 1" for p in range(2)]
    names += [f"argmax against class {i}" for i in range(10)] + ["unused slot read at row 936"]
    assert [found[e].name for e in range(20)] == names and sorted(found) == list(range(20))
    assert found[0].reads == {40: 1} and found[19].reads == {936: 1} and found[19].constant == 0
    assert [found[9 + i].constant for i in range(10)] == [1, 1, 1] + [0] * 7
    assert [circuit.row_exponents(layer) for layer in (0, 1)] == [range(0, 7), range(7, 9, 2)]


def test_lagrange_basis_of_a_domain():
    """At a point p: sum_i w^(i k) L_i(p) = p^k for every power below the domain's size."""
    domain, point = 8, 5**90
    found, root = lagrange_basis(point, domain), root_of_unity(domain)
    assert len(found) == domain
    for power in range(domain):
        total = sum(pow(root, row * power, MODULUS) * value for row, value in enumerate(found))
        assert total % MODULUS == pow(point, power, MODULUS)
