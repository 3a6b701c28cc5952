"""The prover: the rounds of protocol.md, each a method, so that forgers in tests deviate at one place and are honest elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from zkpredict.circuits.compiler import CompiledNetwork
from zkpredict.circuits.constraints import (
    TABLE,
    constant_term,
    constraints,
    image_polynomial,
    readout,
    row_column,
    selectors,
    total_constraint,
)
from zkpredict.circuits.errors import FalseClaim, UnusableInput
from zkpredict.circuits.field import GENERATOR, MODULUS, inverse, powers, root_of_unity
from zkpredict.circuits.layout import Circuit
from zkpredict.circuits.witness import Trace, build_trace
from zkpredict.kernel import G1, Vector
from zkpredict.prover.commit import hidden_rows
from zkpredict.prover.model import Model
from zkpredict.prover.polynomial import Column, commit_column
from zkpredict.prover.setup import monomial_key
from zkpredict.verifier.messages import (
    Evaluations,
    OpeningCommitment,
    Proof,
    QuotientCommitment,
    SumCommitments,
    TraceCommitments,
)
from zkpredict.verifier.opening import ConstraintChallenges, fold, linearise
from zkpredict.verifier.transcript import Transcript

EXTENSION = 4
"""The quotient is computed on a coset of 4n points: the combined constraint has degree below 3n + 16."""


class UnprovableTrace(ValueError):
    """The trace does not satisfy the constraints: a bug in the prover or a claim that is false."""


def prove(model: Model, image: np.ndarray, digit: int | None = None) -> Proof:
    """Proves what `model` says about `image` (uint8 [inputs]).

    Raises `UnusableInput` when the image does not fit, `FalseClaim` when `digit` is given and is not the network's answer.
    """
    image = check_image(model, image)
    answer = model.predict(image)
    if digit is not None and digit != answer:
        raise FalseClaim(f"cannot prove digit {digit}: the network says {answer}")
    return Prover(model, image, answer).prove()


def check_image(model: Model, image: np.ndarray) -> np.ndarray:
    """`image` as a flat uint8 array of the network's input size. Raises `UnusableInput`."""
    image = np.asarray(image)
    if image.dtype != np.uint8:
        raise UnusableInput(f"the image must hold bytes (uint8), got {image.dtype}")
    if image.size != model.network.shape[0]:
        raise UnusableInput(f"the image has {image.size} pixels, the network takes {model.network.shape[0]}")
    return image.reshape(-1)


@dataclass(frozen=True, eq=False)
class Values:
    """An `Environment` of vectors over n or 4n points; `step` rows further is the next row of the domain."""

    columns: dict[str, Vector]
    publics: dict[str, Vector]
    challenges: dict[str, int]
    step: int = 1

    def constant(self, value: int) -> int:
        return value % MODULUS

    def cell(self, column: str, rotation: int) -> Vector:
        vector = self.columns[column]
        return vector.rotate(self.step * rotation) if rotation else vector

    def public(self, name: str) -> Vector:
        return self.publics[name]

    def challenge(self, name: str) -> int:
        return self.challenges[name]


@dataclass(frozen=True, eq=False)
class Spread:
    """A public polynomial `sum_i coefficients[i] X^(i n/p)`, p of them: its values repeat, so only p (or 4p) are computed."""

    coefficients: Vector

    def on_domain(self, domain: int) -> Vector:
        """Values on the n-th roots of unity."""
        return self.coefficients.ntt().repeat(domain // len(self.coefficients))

    def on_coset(self, domain: int) -> Vector:
        """Values on the coset 7 * <4n-th roots of unity>."""
        period = len(self.coefficients)
        spread = domain // period
        return self.coefficients.coset_ntt(EXTENSION * period, pow(GENERATOR, spread, MODULUS)).repeat(spread)


@dataclass(eq=False)
class Prover:
    """One proof of one statement. Everything random is drawn anew; an instance proves once."""

    model: Model
    image: np.ndarray
    digit: int
    columns: dict[str, Column] = field(default_factory=dict)

    @cached_property
    def compiled(self) -> CompiledNetwork:
        return self.model.compiled

    @cached_property
    def circuit(self) -> Circuit:
        return self.model.commitment.circuit

    def prove(self) -> Proof:
        """Runs all rounds."""
        model_id = self.model.commitment.model_id
        transcript = Transcript(self.circuit.digest, model_id, self.digit, self.image.tobytes())

        trace = self.commit_trace()
        transcript.absorb(trace.absorbed())
        alpha, beta = transcript.challenge(), transcript.second_challenge()

        sums = self.commit_sums(alpha, beta)
        transcript.absorb(sums.absorbed())
        delta = transcript.challenge()

        quotient = self.commit_quotient(alpha, beta, delta)
        transcript.absorb(quotient.absorbed())
        challenges = ConstraintChallenges(alpha, beta, delta, transcript.point_challenge())

        evaluations = self.evaluate(challenges)
        transcript.absorb(evaluations.absorbed())
        nu = transcript.challenge()

        opening = self.commit_opening(challenges, nu)
        transcript.absorb(opening.absorbed())
        final = self.open(challenges, evaluations, nu, transcript.challenge())
        return Proof(model_id, self.digit, trace, sums, quotient, evaluations, opening, final)

    # round 1

    def trace(self) -> Trace:
        """The witness of this statement."""
        return build_trace(self.compiled, self.image, self.digit)

    def commit_trace(self) -> TraceCommitments:
        """Commits to the blinded columns of limbs, running pack values and cells."""
        trace = self.trace()
        self.columns["limb"] = commit_column(Vector.from_signed(np.ascontiguousarray(trace.limb)))
        self.columns["cell"] = commit_column(Vector.from_signed(np.ascontiguousarray(trace.cell)))
        self.columns["horner"] = commit_column(Vector.from_ints(trace.horner))
        return TraceCommitments(*(self.columns[name].commitment for name in ("limb", "horner", "cell")))

    # round 2

    def commit_sums(self, alpha: int, beta: int) -> SumCommitments:
        """Commits to the running sums of the linear check and of the lookup. Raises `UnprovableTrace` when one does not close."""
        self._combine_rows(alpha)
        self._build_publics(alpha)
        self.columns["linear"] = commit_column(self.running_sum(self._linear_increments(alpha), "linear"))
        self.columns["lookup"] = commit_column(self.running_sum(self._lookup_increments(beta), "lookup"))
        return SumCommitments(self.columns["linear"].commitment, self.columns["lookup"].commitment)

    def running_sum(self, increments: Vector, name: str) -> Vector:
        """Partial sums starting at zero; their total must vanish, since the sum is cyclic on the domain."""
        n = self.circuit.domain
        sums = Vector.from_ints([1] * n).scan(increments, 0)
        if sums[n]:
            raise UnprovableTrace(f"the {name} sum does not close: the claim is false")
        return sums[0:n]

    def _combine_rows(self, alpha: int) -> None:
        """u and v_t: the alpha-combinations of the committed rows, as coefficients."""
        circuit = self.circuit
        weights = powers(alpha, circuit.first_equation(circuit.layers))
        self.row_coefficients: dict[str, Vector] = {}
        for layer, rows in enumerate(hidden_rows(self.compiled, self.model.secrets)):
            chosen = weights[circuit.first_equation(layer) :: circuit.packs_per_row(layer)][: len(rows)]
            combined = Vector.linear_combination(rows, chosen)
            self.row_coefficients[row_column(layer)] = combined if layer == 0 else combined.intt()

    def _build_publics(self, alpha: int) -> None:
        circuit, scale = self.circuit, inverse(self.circuit.domain)
        periodic = selectors(circuit, alpha) | {"readout": readout(circuit, alpha, self.digit)}
        self.publics: dict[str, Spread] = {
            name: Spread(Vector.from_ints([polynomial.at_row(row) for row in range(polynomial.period)]).intt())
            for name, polynomial in periodic.items()
        }
        self.publics["inputs"] = Spread(Vector.from_ints(image_polynomial(circuit, self.image.tobytes(), alpha)) * scale)
        self.publics["constants"] = Spread(Vector.from_ints([constant_term(circuit, alpha, self.digit) * scale % MODULUS]))
        self.table = Vector.from_ints(list(TABLE)).intt()

    def _linear_increments(self, alpha: int) -> Vector:
        """What the constraint `linear` adds from row to row, read off the constraint itself."""
        constraint = next(c for c in constraints(self.circuit) if c.name == "linear")
        columns = {name: column.values for name, column in self.columns.items()}
        columns |= {name: coefficients.ntt() for name, coefficients in self.row_coefficients.items()}
        columns["linear"] = Vector.zeros(self.circuit.domain)
        publics = {name: public.on_domain(self.circuit.domain) for name, public in self.publics.items()}
        return -constraint.expression.evaluate(Values(columns, publics, {"alpha": alpha}))

    def _lookup_increments(self, beta: int) -> Vector:
        """1/(beta + limb) - multiplicity/(beta + table) on the rows of the table."""
        n = self.circuit.domain
        shares = (Vector.from_ints(list(TABLE)) + beta).inverse()
        step = n // len(TABLE)
        counts = self.columns["cell"].values[0:n:step]
        return (self.columns["limb"].values + beta).inverse() - (counts * shares).scatter(n, list(range(0, n, step)))

    # round 3

    def commit_quotient(self, alpha: int, beta: int, delta: int) -> QuotientCommitment:
        """t = (combined constraint) / (X^n - 1), computed on the coset 7 * <4n-th roots>."""
        n = self.circuit.domain
        size = EXTENSION * n
        columns = self.polynomials()
        extended = {name: coefficients.coset_ntt(size, GENERATOR) for name, coefficients in columns.items()}
        extended["quotient"] = Vector.zeros(size)
        publics = {name: public.on_coset(n) for name, public in self.publics.items()}
        publics["vanishing"] = Vector.zeros(size)
        challenges = {"alpha": alpha, "beta": beta, "delta": delta}
        numerator = total_constraint(self.circuit).evaluate(Values(extended, publics, challenges, EXTENSION))
        lift, root = pow(GENERATOR, n, MODULUS), root_of_unity(EXTENSION)
        vanishing = Vector.from_ints([(lift * pow(root, k, MODULUS) - 1) % MODULUS for k in range(EXTENSION)])
        quotient = (numerator * vanishing.inverse().repeat(n)).coset_intt(GENERATOR)
        self.quotient = self.bounded(quotient)
        return QuotientCommitment(monomial_key().msm(self.quotient))

    def bounded(self, quotient: Vector) -> Vector:
        """The quotient's coefficients, refused when its degree shows that the division was not exact."""
        limit = min(2 * self.circuit.domain + 16, len(monomial_key()))
        if quotient[limit:] != Vector.zeros(len(quotient) - limit):
            raise UnprovableTrace("the combined constraint is not divisible by X^n - 1: a constraint fails on some row")
        return quotient[0:limit]

    def polynomials(self) -> dict[str, Vector]:
        """Coefficients of every column but the quotient."""
        return (
            {name: column.coefficients for name, column in self.columns.items()}
            | self.row_coefficients
            | {"table": self.table}
        )

    # round 4

    def evaluate(self, challenges: ConstraintChallenges) -> Evaluations:
        """The values at rho and omega rho that the verifier is told; keeps the linearisation they leave."""
        rho = challenges.rho
        rho_next = rho * root_of_unity(self.circuit.domain) % MODULUS
        limb, cell = self.columns["limb"].coefficients, self.columns["cell"].coefficients
        stated = Evaluations(limb.evaluate(rho), cell.evaluate(rho), self.table.evaluate(rho), cell.evaluate(rho_next), 0)
        self.linearisation = linearise(self.circuit, self.image.tobytes(), self.digit, challenges, stated)
        there = self._combination(self.linearisation.there)
        return Evaluations(stated.limb, stated.cell, stated.table, stated.cell_next, there.evaluate(rho_next))

    def _combination(self, coefficients: Mapping[str, int]) -> Vector:
        """sum coefficients[c] * c over the named columns, as coefficients."""
        polynomials = self.polynomials() | {"quotient": self.quotient}
        names = list(coefficients)
        return Vector.linear_combination([polynomials[name] for name in names], [coefficients[name] for name in names])

    # round 5

    def commit_opening(self, challenges: ConstraintChallenges, nu: int) -> OpeningCommitment:
        """W = (N + nu limb + nu^2 table - values)/(X - rho) + nu^3 (cell - line)/Z + nu^4 (M - value)/(X - omega rho)."""
        rho = challenges.rho
        rho_next = rho * root_of_unity(self.circuit.domain) % MODULUS
        nu2, nu3, nu4 = (pow(nu, k, MODULUS) for k in (2, 3, 4))
        here = Vector.linear_combination(
            [self._combination(self.linearisation.here), self.columns["limb"].coefficients, self.table], [1, nu, nu2]
        )
        there = self._combination(self.linearisation.there)
        at_rho = self.quotient_of(here, rho)
        at_next = self.quotient_of(there, rho_next)
        at_both = self.quotient_of(self.quotient_of(self.columns["cell"].coefficients, rho), rho_next)
        self.opening = Vector.linear_combination([at_rho, at_both, at_next], [1, nu3, nu4])
        return OpeningCommitment(monomial_key().msm(self.opening))

    def open(self, challenges: ConstraintChallenges, evaluations: Evaluations, nu: int, zeta: int) -> G1:
        """The final opening (L - value)/(X - zeta) of the folded polynomial."""
        claim = fold(self.circuit, self.linearisation, evaluations, challenges.rho, nu, zeta)
        folded = Vector.linear_combination([self._combination(claim.columns), self.opening], [1, claim.opening])
        if folded.evaluate(zeta) != claim.value:
            raise UnprovableTrace("the folded polynomial does not take the stated value: an evaluation is wrong")
        return monomial_key().msm(self.quotient_of(folded, zeta))

    def quotient_of(self, polynomial: Vector, point: int) -> Vector:
        """(f - f(point)) / (X - point)."""
        return polynomial.divide_by_linear(point)[0]
