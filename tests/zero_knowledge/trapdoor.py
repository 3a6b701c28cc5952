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
from zkpredict.circuits.gadgets.bytes import TABLE
from zkpredict.circuits.wide.keys import TABLES
from zkpredict.circuits.field import MODULUS, inverse, powers, root_of_unity
from zkpredict.circuits.columns import ROOTS, Form, Round, linearised_name
from zkpredict.circuits.layout import Circuit
from zkpredict.circuits.placement import AnyCircuit, form
from zkpredict.circuits.statement import Statement
from zkpredict.kernel import G1, G2, Bases, Vector
from zkpredict.prover import setup
from zkpredict.prover.polynomial import fixed_coefficients
from zkpredict.verifier import independent, native, testset
from zkpredict.verifier.ceremony import G1_POWERS
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.messages import Proof, absorbed
from zkpredict.verifier.native import column_terms
from zkpredict.verifier.opening import Fold, fold, linearise, opening_point, remainder, stated_cells
from zkpredict.verifier.transcript import Transcript

DOMAIN = 1024
"""The domain whose Lagrange key every test ceremony has."""
BOTH = (1024, 2048)
"""Domains of a larger one, in the order of the key."""
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
def setup_bytes(tau: int, domains: tuple[int, ...] = (DOMAIN,)) -> bytes:
    """What `setup.bin` would hold had the ceremony ended with this tau (for these domains only)."""
    scalars = powers(tau, G1_POWERS) + [value for n in domains for value in lagrange_at(tau, n)]
    return Bases([g1(scalar) for scalar in scalars]).to_uncompressed()


@contextmanager
def ceremony_of(tau: int, domains: tuple[int, ...] = (DOMAIN,)) -> Iterator[int]:
    """Prover and both verifiers run on the ceremony with this secret inside the block, and its key passes `check_key`."""
    tau_g2 = G2.generator().mul(tau).to_compressed()
    table = g1(TABLE_COEFFICIENTS.evaluate(tau)).to_compressed()
    data = setup_bytes(tau, domains)
    caches = (setup.monomial_key, setup.lagrange_key, setup.check_key)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(setup, "_setup_bytes", lambda: data)
        for module in (native, independent, setup, testset):
            patch.setattr(module, "TAU_G2", tau_g2)
        for module in (independent, setup):
            patch.setattr(module, "TABLE_COMMITMENT", table)
        patch.setitem(native.FIXED_COLUMNS, "table", table)
        codes = {name: g1(fixed_coefficients(values).evaluate(tau)).to_compressed() for name, values in TABLES.items()}
        for module in (independent, setup):
            patch.setattr(module, "CODES_COMMITMENTS", codes)
        for name, point in codes.items():
            patch.setitem(native.FIXED_COLUMNS, name, point)
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

    def prove(self, image: bytes, digit: int, outputs: tuple[int, ...] = ()) -> Proof:
        """A proof that the committed model says `digit` (and these public outputs): true or not, the simulator cannot know."""
        circuit, model_id, statement = self.circuit, self.commitment.model_id, self.statement(image, digit, outputs)
        transcript, challenges = Transcript(circuit.digest, model_id, statement), {}
        points, scalars = dict.fromkeys(self.form.points, g1(1)), dict.fromkeys(self.form.scalars, 0)
        for message in self.form.rounds:
            points |= {name: g1(random_scalar()) for name in message.points}
            scalars |= {name: random_scalar() for name in message.scalars} | self.public_values(message, challenges)
            if "table" in message.scalars:
                scalars["table"] = TABLE_COEFFICIENTS.evaluate(challenges["rho"])
            if "opening" in message.points:
                points["opening"] = self.opening(Proof(model_id, digit, points, scalars, self.form, outputs), statement, challenges)
            if "final" in message.points:
                points["final"] = self.final(Proof(model_id, digit, points, scalars, self.form, outputs), statement, challenges)
            transcript.absorb(absorbed(message, points, scalars))
            challenges |= transcript.draw(message.challenges)
            challenges |= self.form.derive(challenges)
        return Proof(model_id, digit, points, scalars, self.form, outputs)

    @property
    def circuit(self) -> AnyCircuit:
        return self.commitment.circuit

    @property
    def form(self) -> Form:
        return form(self.circuit)

    def statement(self, image: bytes, digit: int, outputs: tuple[int, ...]) -> Statement:
        return Statement(image, digit, outputs)

    def public_values(self, message: Round, challenges: dict[str, int]) -> dict[str, int]:
        """Scalars of a message that follow from what is public."""
        return {}

    def terms(self, proof: Proof, claim: Fold, challenges: dict[str, int]) -> list[tuple[G1, int]]:
        """The folded columns, from public points."""
        return column_terms(self.commitment, proof, claim, challenges, (), self.circuit)

    def opening(self, proof: Proof, statement: Statement, challenges: dict[str, int]) -> G1:
        """W = sum_i nu^i (C_i - r_i)(tau) / Z_Si(tau), from the points and values before it."""
        circuit = self.circuit
        linear = linearise(circuit, statement, challenges, proof.scalars)
        columns, stated = self.columns(proof, challenges), stated_cells(self.form, proof.scalars)
        at = {k: opening_point(circuit, k, challenges) for k in self.form.rotations}
        sums = {k: proof.scalars[linearised_name(k)] for k in self.form.rotations[1:]}
        sums[0] = -linear.constant - sum(sums.values())
        total = g1(0)
        for weight, claim in zip(powers(challenges["nu"], len(self.form.claims)), self.form.claims, strict=True):
            if claim.points == (ROOTS,):
                combination, left = {claim.column: 1}, remainder(self.form, claim, proof.scalars, self.tau)
                divisor = challenges["rho"] * pow(self.tau, self.form.components[claim.column], MODULUS) - 1
                total = total + combine(columns, combination, left, weight * inverse(divisor) % MODULUS)
                continue
            if claim.column is None:
                combination, values = linear.at[claim.points[0]], [sums[claim.points[0]]]
            else:
                combination, values = {claim.column: 1}, [stated[claim.column, k] for k in claim.points]
            divisor = 1
            for k in claim.points:
                divisor = divisor * (self.tau - at[k]) % MODULUS
            value = values[0]
            if len(values) == 2:
                slope = (values[1] - values[0]) * inverse(at[claim.points[1]] - at[claim.points[0]])
                value += slope * (self.tau - at[claim.points[0]])
            total = total + combine(columns, combination, value, weight * inverse(divisor) % MODULUS)
        return total

    def final(self, proof: Proof, statement: Statement, challenges: dict[str, int]) -> G1:
        """W' = F(tau) / (tau - zeta)."""
        circuit = self.circuit
        linear = linearise(circuit, statement, challenges, proof.scalars)
        claim = fold(circuit, linear, proof.scalars, challenges)
        terms = self.terms(proof, claim, challenges)
        terms += [(proof.points["opening"], claim.opening), (G1.generator(), -claim.value)]
        scale = inverse(self.tau - challenges["zeta"])
        return G1.linear_combination([point for point, _ in terms], [scalar * scale % MODULUS for _, scalar in terms])

    def columns(self, proof: Proof, challenges: dict[str, int]) -> dict[str, list[tuple[G1, int]]]:
        """Every committed column as a combination of public points."""
        names = [column.name for column in self.form.columns]
        ones = {name: self.terms(proof, Fold({n: int(n == name) for n in names}, 0, 0), challenges) for name in names}
        return {name: [(point, scalar) for point, scalar in terms if scalar] for name, terms in ones.items()}


def combine(columns: dict[str, list[tuple[G1, int]]], combination: dict[str, int], value: int, scale: int) -> G1:
    """`scale * (sum combination[c] columns[c] - value)`."""
    terms = [(point, w * c * scale % MODULUS) for name, c in combination.items() for point, w in columns[name]]
    terms.append((G1.generator(), -value * scale % MODULUS))
    return G1.linear_combination([point for point, _ in terms], [scalar for _, scalar in terms])


def blinding_factor(point: int, circuit: Circuit) -> int:
    """X^n - 1 at `point`: what multiplies a column's blinding polynomial there."""
    return (pow(point, circuit.domain, MODULUS) - 1) % MODULUS

