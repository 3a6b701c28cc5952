"""A ceremony whose secret is known, and the simulator of protocol.md, section 8: proofs from tau without weights.

Only tests may do this. With tau one can prove anything; the point is that one can do so *without the weights*, and that the
result looks like an honest proof.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import pytest

from zkpredict.circuits.constraints import TABLE
from zkpredict.circuits.field import MODULUS, inverse, powers, root_of_unity
from zkpredict.circuits.layout import Circuit
from zkpredict.kernel import G1, G2, Bases, Vector
from zkpredict.prover import setup
from zkpredict.verifier import independent, native
from zkpredict.verifier.ceremony import G1_POWERS
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.messages import (
    Evaluations,
    OpeningCommitment,
    Proof,
    QuotientCommitment,
    SumCommitments,
    TraceCommitments,
)
from zkpredict.verifier.opening import ConstraintChallenges, fold, linearise
from zkpredict.verifier.native import committed_columns, rows_by_layer
from zkpredict.verifier.transcript import Transcript

DOMAIN = 1024
"""The only domain whose Lagrange key a test ceremony has."""
TABLE_COEFFICIENTS = Vector.from_ints(list(TABLE)).intt()


def random_scalar() -> int:
    """Uniform in [0, r)."""
    return secrets.randbelow(MODULUS)


def g1(scalar: int) -> G1:
    """`scalar` times the generator."""
    return G1.generator().mul(scalar % MODULUS)


def lagrange_at(tau: int, n: int = DOMAIN) -> list[int]:
    """`L_i(tau)` for all rows i."""
    root, factor = root_of_unity(n), (pow(tau, n, MODULUS) - 1) * inverse(n) % MODULUS
    return [factor * node * inverse(tau - node) % MODULUS for node in powers(root, n)]


@cache
def setup_bytes(tau: int) -> bytes:
    """What `setup.bin` would hold had the ceremony ended with this tau (one domain only)."""
    scalars = powers(tau, G1_POWERS) + lagrange_at(tau)
    return Bases([g1(scalar) for scalar in scalars]).to_uncompressed()


@contextmanager
def ceremony_of(tau: int) -> Iterator[int]:
    """Prover and both verifiers run on the ceremony with this secret inside the block, and its key passes `check_key`."""
    tau_g2 = G2.generator().mul(tau).to_compressed()
    table = g1(TABLE_COEFFICIENTS.evaluate(tau)).to_compressed()
    data = setup_bytes(tau)
    caches = (setup.monomial_key, setup.lagrange_key, setup.check_key)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(setup, "_setup_bytes", lambda: data)
        for module in (native, independent, setup):
            patch.setattr(module, "TAU_G2", tau_g2)
            patch.setattr(module, "TABLE_COMMITMENT", table)
        for cached in caches:
            cached.cache_clear()
        yield tau
    for cached in caches:
        cached.cache_clear()


@dataclass(frozen=True)
class Simulator:
    """Makes accepting proofs. It is given tau and what is public, and nothing of the model: no network, no row secret."""

    tau: int
    commitment: ModelCommitment

    def prove(self, image: bytes, digit: int) -> Proof:
        """A proof that the committed model says `digit`: true or not, the simulator cannot know."""
        circuit, model_id = self.commitment.circuit, self.commitment.model_id
        transcript = Transcript(circuit.digest, model_id, digit, image)
        trace = TraceCommitments(*(g1(random_scalar()) for _ in range(3)))
        transcript.absorb(trace.absorbed())
        alpha, beta = transcript.challenge(), transcript.second_challenge()
        sums = SumCommitments(g1(random_scalar()), g1(random_scalar()))
        transcript.absorb(sums.absorbed())
        delta = transcript.challenge()
        quotient = QuotientCommitment(g1(random_scalar()))
        transcript.absorb(quotient.absorbed())
        challenges = ConstraintChallenges(alpha, beta, delta, transcript.point_challenge())
        limb, cell, cell_next, linearised_next = (random_scalar() for _ in range(4))
        table = TABLE_COEFFICIENTS.evaluate(challenges.rho)
        evaluations = Evaluations(limb, cell, table, cell_next, linearised_next)
        transcript.absorb(evaluations.absorbed())
        nu = transcript.challenge()
        unfinished = Proof(model_id, digit, trace, sums, quotient, evaluations, OpeningCommitment(g1(0)), g1(0))
        opening = OpeningCommitment(self.opening(unfinished, image, challenges, nu))
        transcript.absorb(opening.absorbed())
        unfinished = Proof(model_id, digit, trace, sums, quotient, evaluations, opening, g1(0))
        final = self.final(unfinished, image, challenges, nu, transcript.challenge())
        return Proof(model_id, digit, trace, sums, quotient, evaluations, opening, final)

    def opening(self, proof: Proof, image: bytes, challenges: ConstraintChallenges, nu: int) -> G1:
        """W = sum_i nu^i (C_i - r_i)(tau) / Z_Si(tau), from the points and values before it."""
        stated, linear = proof.evaluations, linearise(self.commitment.circuit, image, proof.digit, challenges, proof.evaluations)
        columns = self.columns(proof, challenges.alpha)
        here, there = challenges.rho, challenges.rho * root_of_unity(self.commitment.circuit.domain) % MODULUS
        to_here, to_there = self.tau - here, self.tau - there
        slope = (stated.cell_next - stated.cell) * inverse(there - here)
        claims = [
            (linear.here, -(linear.constant + stated.linearised_next), to_here),
            ({"limb": 1}, stated.limb, to_here),
            ({"table": 1}, stated.table, to_here),
            ({"cell": 1}, stated.cell + slope * to_here, to_here * to_there),
            (linear.there, stated.linearised_next, to_there),
        ]
        total = g1(0)
        for weight, (combination, value, divisor) in zip(powers(nu, len(claims)), claims):
            scale = weight * inverse(divisor) % MODULUS
            total = total + combine(columns, combination, value, scale)
        return total

    def final(self, proof: Proof, image: bytes, challenges: ConstraintChallenges, nu: int, zeta: int) -> G1:
        """W' = F(tau) / (tau - zeta)."""
        circuit = self.commitment.circuit
        linear = linearise(circuit, image, proof.digit, challenges, proof.evaluations)
        claim = fold(circuit, linear, proof.evaluations, challenges.rho, nu, zeta)
        columns = self.columns(proof, challenges.alpha) | {"opening": [(proof.opening.opening, 1)]}
        combination = {**claim.columns, "opening": claim.opening}
        return combine(columns, combination, claim.value, inverse(self.tau - zeta))

    def columns(self, proof: Proof, alpha: int) -> dict[str, list[tuple[G1, int]]]:
        """Every committed column as a combination of public points."""
        found = {name: [(point, 1)] for name, point in committed_columns(proof).items()}
        circuit = self.commitment.circuit
        for layer, points in enumerate(rows_by_layer(self.commitment)):
            weights = powers(alpha, circuit.first_equation(circuit.layers))[circuit.first_equation(layer) :]
            found[f"rows{layer}"] = list(zip(points, weights[:: circuit.packs_per_row(layer)]))
        return found


def combine(columns: dict[str, list[tuple[G1, int]]], combination: dict[str, int], value: int, scale: int) -> G1:
    """`scale * (sum combination[c] columns[c] - value)`."""
    terms = [(point, w * c * scale % MODULUS) for name, c in combination.items() for point, w in columns[name]]
    terms.append((G1.generator(), -value * scale % MODULUS))
    return G1.linear_combination([point for point, _ in terms], [scalar for _, scalar in terms])


def blinding_factor(point: int, circuit: Circuit) -> int:
    """X^n - 1 at `point`: what multiplies a column's blinding polynomial there."""
    return (pow(point, circuit.domain, MODULUS) - 1) % MODULUS

