"""Honest proofs look like simulated ones and like noise; one that is not blinded fails the same tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from support import said
from distributions import SIGNIFICANCE, agreement_p, bits_p, buckets, uniform_p
from trapdoor import blinding_factor

from zkpredict.circuits.field import MODULUS, inverse, root_of_unity
from zkpredict.kernel import Vector
from zkpredict.prover import polynomial
from zkpredict.prover.prove import Prover, prove
from zkpredict.verifier.messages import Proof, derive_challenges

STATED = ("limb", "cell", "cell_next", "linearised_next")
"""The stated scalars; the fifth, `table`, is public."""
POINTS = ("limb", "horner", "cell", "linear", "lookup", "quotient", "opening", "final")
LOW_BITS = 64
X_MODULUS = 1 << 377


def stated(name: str) -> Callable[[Proof], int]:
    return lambda proof: proof.scalars[name]


def x_of(name: str) -> Callable[[Proof], int]:
    """The low 377 bits of a point's x: near uniform over random points."""
    return lambda proof: int.from_bytes(proof.points[name].to_compressed(), "big") % X_MODULUS


PARTS = [(name, stated(name), MODULUS) for name in STATED] + [(f"[{name}]", x_of(name), X_MODULUS) for name in POINTS]
parts = pytest.mark.parametrize("read, modulus", [part[1:] for part in PARTS], ids=[part[0] for part in PARTS])


def evidence(values: Sequence[int], modulus: int) -> float:
    """The chance of the least likely of what is seen of the values: their high bits in buckets, and each of their low bits."""
    return min(uniform_p(buckets(values, modulus)), bits_p(values, LOW_BITS))


@parts
def test_every_part_of_honest_and_simulated_proofs_is_uniform(piles, read, modulus):
    for pile in (piles.real, piles.real[: piles.repeats], piles.simulated):
        assert evidence([read(proof) for proof in pile], modulus) > SIGNIFICANCE


@parts
def test_honest_and_simulated_proofs_agree(piles, read, modulus):
    real, simulated = ([read(proof) for proof in pile] for pile in (piles.real, piles.simulated))
    assert agreement_p(buckets(real, modulus), buckets(simulated, modulus)) > SIGNIFICANCE
    real, simulated = ([value & 0xFF for value in values] for values in (real, simulated))
    assert agreement_p(buckets(real, 256), buckets(simulated, 256)) > SIGNIFICANCE


def test_pairs_of_stated_values_are_independent(piles):
    """Each two stated values, as one number in 4 x 4 buckets."""
    for pile in (piles.real, piles.simulated):
        for number, first in enumerate(STATED):
            for second in STATED[number + 1 :]:
                cells = [
                    (stated(first)(proof) * 4 // MODULUS) * 4 + stated(second)(proof) * 4 // MODULUS for proof in pile
                ]
                assert uniform_p(buckets(cells, 16)) > SIGNIFICANCE


# no value twice


def test_no_point_and_no_stated_value_occurs_twice_in_200_proofs_of_one_statement(piles):
    proofs = piles.real[: piles.repeats]
    assert len(proofs) == 200 and len({proof.digit for proof in proofs}) == 1
    points = {point.to_compressed() for proof in proofs for point in proof.points.values()}
    assert len(points) == 8 * len(proofs)
    scalars = {proof.scalars[name] for proof in proofs for name in ("limb", "cell", "cell_next", "linearised_next")}
    assert len(scalars) == 4 * len(proofs)


def test_no_value_at_all_is_shared_by_two_proofs_of_one_model(piles):
    seen = [point.to_compressed() for proof in piles.real for point in proof.points.values()]
    assert len(set(seen)) == len(seen)


# who knows the weights


def residues(provers: list[Prover], proofs: list[Proof]) -> dict[str, list[int]]:
    """What remains of the stated values for one who knows all weights and takes their part away: (value - unblinded) / (X^n - 1)."""
    found: dict[str, list[int]] = {"limb": [], "cell": [], "cell_next": []}
    for prover, proof in zip(provers, proofs):
        challenges = derive_challenges(prover.circuit.digest, prover.statement, proof)
        here = challenges["rho"]
        there = here * root_of_unity(prover.circuit.domain) % MODULUS
        for name, column, point in (("limb", "limb", here), ("cell", "cell", here), ("cell_next", "cell", there)):
            expected = prover.columns[column].values.intt().evaluate(point)
            left = stated(name)(proof) - expected
            found[name].append(left * inverse(blinding_factor(point, prover.circuit)) % MODULUS)
    return found


def test_blinding_is_uniform_even_for_one_who_knows_the_weights(piles):
    for name, values in residues(piles.provers, piles.real).items():
        assert evidence(values, MODULUS) > SIGNIFICANCE, name


# the same tests see a prover that does not blind


@pytest.fixture(scope="module")
def unblinded(trapdoor, piles):
    """A few proofs with zero blinding; repeated as often as needed, since each statement has only one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(polynomial, "random_scalars", Vector.zeros)
        provers = [Prover(trapdoor.model, said(image, trapdoor.model.predict(image))) for image in (piles.images[0], piles.images[-1])]
        return provers, [prover.prove() for prover in provers]


@parts
def test_unblinded_proofs_of_one_statement_fail_the_uniformity_test(unblinded, piles, read, modulus):
    """Zero blinding makes the proof a function of model and image: all proofs of the pile would be this one."""
    pile = [read(unblinded[1][0])] * piles.repeats
    assert evidence(pile, modulus) < SIGNIFICANCE


def test_unblinded_values_are_predicted_by_one_who_knows_the_weights(unblinded):
    for values in residues(*unblinded).values():
        assert values == [0, 0]
        assert evidence(values * 30, MODULUS) < SIGNIFICANCE


def test_two_unblinded_proofs_of_one_statement_are_the_same_bytes(trapdoor, unblinded, piles, monkeypatch):
    monkeypatch.setattr(polynomial, "random_scalars", Vector.zeros)
    assert prove(trapdoor.model, piles.images[0]).to_bytes() == unblinded[1][0].to_bytes()
