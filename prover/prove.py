"""The prover: one message a round, as the form of the circuit says, each made by a method, so that forgers in tests deviate at one
place and are honest elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from itertools import groupby
from operator import index

import numpy as np

from zkpredict.circuits.columns import (
    EVALUATION_ROUND, FINAL_ROUND, OPENING_ROUND, ROOTS, Form, Origin, Round, component_names, linearised_name, scalar_name,
)  # fmt: skip
from zkpredict.circuits.choice import AnyCompiled
from zkpredict.circuits.constraints import constraint, public_polynomials, total_constraint
from zkpredict.circuits.degrees import quotient_length
from zkpredict.circuits.errors import FalseClaim
from zkpredict.circuits.expression import shifted_name
from zkpredict.circuits.field import GENERATOR, MODULUS, inverse, root_of_unity
from zkpredict.circuits.placement import QUOTIENT, QUOTIENT_SPLIT, AnyCircuit, columns, form, quotient_columns, quotient_factors
from zkpredict.circuits.records import dataclass, field
from zkpredict.circuits.solving import Recurrence, recurrence
from zkpredict.circuits.networks.dense import Inference
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.circuits.witness import Trace, build_trace
from zkpredict.kernel import G1, Vector
from zkpredict.prover.asked import check_image, statement_of
from zkpredict.prover.environment import Lazy, Program, Spread, Values, fixed_publics
from zkpredict.prover.hiding import OpenedInput, hidden_values
from zkpredict.prover.model import Model
from zkpredict.prover.polynomial import Column, commit_columns, divide_by_binomial, fixed_coefficients, fixed_on_coset, folded
from zkpredict.prover.randomness import random_scalars
from zkpredict.prover.rows import combined_rows
from zkpredict.prover.setup import announce_proof, monomial_key
from zkpredict.verifier.messages import Proof, absorbed
from zkpredict.verifier.opening import Fold, fold, linearise, opening_point
from zkpredict.verifier.transcript import Transcript


class UnprovableTrace(ValueError):
    """The trace does not satisfy the constraints: a bug in the prover or a claim that is false."""


def prove(model: Model, image: np.ndarray | bytes | OpenedInput, digit: int | None = None, context: bytes = b"") -> Proof:
    """Proves what `model` says about `image` (uint8 [inputs], the same as bytes, or a hidden input with its opening), for `context` (32 bytes, or none).

    Raises `UnusableInput` when the image does not fit, `FalseClaim` when `digit` is given and is not the network's answer.
    """
    opened = image if isinstance(image, OpenedInput) else None
    data = check_image(model, image.data if isinstance(image, OpenedInput) else image)
    answer = model.network.classify(data)
    if digit is not None and digit != answer:
        raise FalseClaim(f"cannot prove digit {digit}: the network says {answer}")
    return Prover(model, statement_of(model, data, answer, opened, context), opened).prove()


@dataclass(eq=False)
class Prover:
    """One proof of one statement. Everything random is drawn anew; an instance proves once.

    `columns`, `points`, `scalars` and `challenges` fill up round by round.
    """

    model: Model
    statement: Statement
    opened: OpenedInput | None = field(default=None, repr=False)
    columns: dict[str, Column] = field(default_factory=dict, repr=False)
    points: dict[str, G1] = field(default_factory=dict)
    scalars: dict[str, int] = field(default_factory=dict)
    challenges: dict[str, int] = field(default_factory=dict)
    _publics: tuple[dict[str, int] | None, dict[str, Spread]] | None = field(default=None, init=False, repr=False)

    @cached_property
    def compiled(self) -> AnyCompiled:
        return self.model.compiled

    @cached_property
    def circuit(self) -> AnyCircuit:
        return self.model.commitment.circuit

    @cached_property
    def form(self) -> Form:
        return form(self.circuit)

    def prove(self) -> Proof:
        """Runs all rounds."""
        announce_proof(self.circuit.domain, self.form.blinders, quotient_length(self.circuit))
        model_id = self.model.commitment.model_id
        transcript = Transcript(self.circuit.digest, model_id, self.statement)
        for message in self.form.rounds:
            self.answer(message)
            transcript.absorb(absorbed(message, self.points, self.scalars))
            self.challenges |= transcript.draw(message.challenges)
            self.challenges |= self.form.derive(self.challenges)
        return Proof(model_id, self.statement.claim, self.points, self.scalars, self.form, self.statement.outputs)

    def answer(self, message: Round) -> None:
        """Makes the points and scalars of one round."""
        if message.name == EVALUATION_ROUND:
            self.scalars |= self.evaluate()
        elif message.name == OPENING_ROUND:
            self.points["opening"] = self.commit_opening()
        elif message.name == FINAL_ROUND:
            self.points["final"] = self.open(fold(self.circuit, self.linearisation, self.scalars, self.challenges))
        elif QUOTIENT.name in message.points:
            self.points |= self.commit_quotient()
        else:
            self.commit_columns(message)
            self.points |= {name: self.columns[name].commitment for name in message.points}

    # columns

    def trace(self) -> Trace:
        """The witness of this statement: the columns that gadgets fill."""
        return build_trace(self.compiled, self.statement, self.opened.data if self.opened else None)

    def commit_columns(self, message: Round) -> None:
        """Commits to the blinded columns of a round: those that are filled, then those that constraints define."""
        own = [column for column in columns(self.circuit) if column.name in message.points]
        trace = self.trace() if own[0].round == 1 else {}
        values = {column.name: self.filled(trace[column.name]) for column in own if column.name in trace}
        rows = self.on_domain(values)
        for column in own:
            if column.name not in trace and column.name in self.correlations:
                values[column.name] = self.correlation(*self.correlations[column.name])
            elif column.name not in trace and isinstance(self.circuit, WideCircuit) and column.name == self.circuit.met_by_rows:
                values[column.name] = self.met_by_shared_rows()
            elif column.name not in trace:
                values[column.name] = self.run(self.solved(column.name, column.defined_by, rows), column.name)
        self.columns |= self.commit(values)

    @cached_property
    def correlations(self) -> dict[str, tuple[int, int, int]]:
        """The columns of hidden convolutions: layer, piece and chunk of each."""
        parts = self.circuit.hidden_convolutions() if isinstance(self.circuit, WideCircuit) else []
        if not parts:
            return {}
        from zkpredict.circuits.convolution.layout import correlation  # late: few circuits have convolutions

        return {correlation(*part): part for part in parts}

    @cached_property
    def inference(self) -> Inference:
        """What the network computes for a public input."""
        return self.compiled.network.infer(np.frombuffer(self.statement.input, np.uint8)[None])

    def correlation(self, layer: int, piece: int, chunk: int) -> Vector:
        """What the kernels of a hidden convolution meet."""
        from zkpredict.circuits.convolution.compiler import ConvNetwork  # late, as above
        from zkpredict.prover.wide_rows import correlation_column

        if not isinstance(self.compiled, ConvNetwork):
            raise ValueError(f"the network has no convolution in layer {layer}")
        read = self.compiled.network.read_by(layer, self.inference.activations)[0]
        return correlation_column(self.compiled, layer, piece, read, self.challenges["alpha"], chunk)

    def met_by_shared_rows(self) -> Vector:
        """What shared rows meet, on the domain."""
        from zkpredict.circuits.shared.compiler import SharedNetwork  # late: few circuits have them

        if not isinstance(self.compiled, SharedNetwork):
            raise ValueError("the network lies in no circuit with shared rows")
        activations = [own[0] for own in self.inference.activations]
        return self.compiled.met(activations, self.statement.input, self.challenges["alpha"]).intt()

    def solved(self, name: str, defined_by: str | None, rows: Values) -> Recurrence:
        """What the constraint `defined_by` makes of the column `name`."""
        if defined_by is None:
            raise ValueError(f"no gadget fills column {name}, and no constraint defines it")
        return recurrence(name, constraint(self.circuit, defined_by).expression, rows)

    def commit(self, values: Mapping[str, Vector]) -> dict[str, Column]:
        """Blinded columns."""
        centred = {column.name for column in columns(self.circuit) if column.centred}
        found: dict[str, Column] = {}
        for blinders, names in groupby(sorted(values, key=self.form.blinders_of), key=self.form.blinders_of):
            own = {name: values[name] for name in names}
            found |= zip(own, commit_columns(list(own.values()), blinders, [name in centred for name in own]), strict=True)
        return found

    def filled(self, values: list[int] | np.ndarray) -> Vector:
        """A column of the trace, int64 or (in a list, or as objects) ints of any size, as field elements."""
        if isinstance(values, list) or values.dtype == object:
            return Vector.from_ints([index(value) % MODULUS for value in values])
        return Vector.from_signed(np.ascontiguousarray(values))

    def run(self, step: Recurrence, name: str) -> Vector:
        """The column that a recurrence gives. On the domain it is cyclic: it must close. Raises `UnprovableTrace`."""
        if step.factor is None:
            return step.increment
        n = self.circuit.domain
        factors = Vector.from_ints([step.factor % MODULUS] * n) if isinstance(step.factor, int) else step.factor
        values = factors.scan(step.increment, 0)
        if values[n]:
            values = factors.scan(step.increment, values[n])
        return self.closed(values, name)

    def closed(self, values: Vector, name: str) -> Vector:
        """`values` on n + 1 rows without the last, which must be the first again."""
        n = self.circuit.domain
        if values[n] != values[0]:
            raise UnprovableTrace(f"the {name} sum does not close: the claim is false")
        return values[0:n]

    def combined_rows(self) -> dict[str, Vector]:
        """The alpha-combinations of the committed rows, as coefficients."""
        return combined_rows(self.compiled, self.model.secrets, self.challenges["alpha"])

    @cached_property
    def row_coefficients(self) -> dict[str, Vector]:
        """The columns of the model, once alpha is known."""
        return self.combined_rows()

    @cached_property
    def given(self) -> dict[str, Vector]:
        """The columns of a hidden input, as coefficients."""
        if self.opened is None:
            return {}
        names = [column.name for column in columns(self.circuit) if column.origin is Origin.STATEMENT]
        values = hidden_values(self.opened.data, self.opened.hidden.domain, self.opened.secrets)
        return {name: column.intt() for name, column in zip(names, values, strict=True)}

    @cached_property
    def fixed(self) -> dict[str, Vector]:
        """The constant columns of the protocol."""
        return {column.name: fixed_coefficients(column.values) for column in columns(self.circuit) if column.values}

    @property
    def publics(self) -> dict[str, Spread]:
        """The public polynomials, once alpha is known; those that depend on later challenges once these are."""
        known = dict(self.challenges) if {"eta", "shift"} & self.challenges.keys() else None
        if self._publics is None or (known is None) != (self._publics[0] is None):
            found = public_polynomials(self.circuit, self.statement, self.challenges["alpha"], known)
            self._publics = known, {name: Spread.of(polynomial) for name, polynomial in found.items()}
        return self._publics[1]

    def on_domain(self, own: Mapping[str, Vector]) -> Values:
        """All that is known so far, on the domain, with the values of a round's `own` columns."""
        n = self.circuit.domain

        def column(name: str) -> Vector:
            if name in own:
                return own[name]
            if name in self.columns:
                return self.columns[name].values
            if name in self.given:
                return self.given[name].ntt()
            if name in self.fixed:
                return self.fixed[name].coset_ntt(n, 1)
            if name in self.read_shifted:
                original = self.polynomials()[self.read_shifted[name]]
                return folded(original * Vector.powers(inverse(self.challenges["shift"]), len(original)), n).ntt()
            return folded(self.row_coefficients[name], n).ntt()

        if not self.challenges:
            fixed = fixed_publics(self.circuit)
            return Values(Lazy(column), Lazy(lambda name: Spread.of(fixed[name]).on_domain(n)), {})
        return Values(Lazy(column), Lazy(lambda name: self.publics[name].on_domain(n)), self.challenges)

    @cached_property
    def read_shifted(self) -> dict[str, str]:
        """The columns that constraints read at X/shift, by what their values there are called."""
        return {shifted_name(name): name for name in self.form.shifted}

    # quotient

    def commit_quotient(self) -> dict[str, G1]:
        """t = (combined constraint) / (X^n - 1), computed on a coset that has more points than t has coefficients."""
        n = self.circuit.domain
        extension = 1
        while extension * n < quotient_length(self.circuit):
            extension *= 2
        size = extension * n
        known = self.columns_coefficients() | self.row_coefficients | self.given
        extended = dict(zip(known, Vector.coset_ntt_each(list(known.values()), size, GENERATOR), strict=True))
        if self.form.shifted:
            moved = {shifted_name(name): known[name] for name in self.form.shifted}
            start = GENERATOR * inverse(self.challenges["shift"]) % MODULUS
            extended |= dict(zip(moved, Vector.coset_ntt_each(list(moved.values()), size, start), strict=True))
        extended |= {column.name: fixed_on_coset(column.values, size) for column in columns(self.circuit) if column.values}
        extended |= {column.name: Vector.zeros(1) for column in quotient_columns(self.circuit)}
        publics = Spread.all_on_coset(self.publics, n, extension)
        publics |= {factor: Vector.zeros(1) for factor in quotient_factors(self.circuit)}
        program = Program(size, extended, publics, self.challenges, extension)
        lift, root = pow(GENERATOR, n, MODULUS), root_of_unity(extension)
        vanishing = Vector.from_ints([(lift * pow(root, k, MODULUS) - 1) % MODULUS for k in range(extension)])
        quotient = total_constraint(self.circuit, program) * program.input(vanishing.inverse(), 0, "1 / vanishing")
        pieces = self.split(self.bounded(program.run(quotient).coset_intt(GENERATOR)))
        self.quotient = dict(zip((column.name for column in quotient_columns(self.circuit)), pieces, strict=True))
        return dict(zip(self.quotient, monomial_key().msm_each(pieces), strict=True))

    def split(self, quotient: Vector) -> list[Vector]:
        """The quotient as pieces low + X^QUOTIENT_SPLIT high that a commitment holds, if it has two; what is random moves between
        them, so that neither shows what it is."""
        if len(quotient_columns(self.circuit)) == 1:
            return [quotient]
        blinders = self.form.blinders
        moved = random_scalars(blinders)
        low, high = quotient[:QUOTIENT_SPLIT], quotient[QUOTIENT_SPLIT:]
        return [Vector.concat([low, moved]), Vector.concat([high[:blinders] - moved, high[blinders:]])]

    def bounded(self, quotient: Vector) -> Vector:
        """The quotient's coefficients, refused when its degree shows that the division was not exact."""
        limit = quotient_length(self.circuit)
        held = len(monomial_key()) + (QUOTIENT_SPLIT if len(quotient_columns(self.circuit)) > 1 else 0)
        if limit > held:
            raise UnprovableTrace(f"the quotient may have {limit} coefficients, the commitment key holds {held}")
        if quotient[limit:] != Vector.zeros(len(quotient) - limit):
            raise UnprovableTrace("the combined constraint is not divisible by X^n - 1: a constraint fails on some row")
        return quotient[0:limit]

    def polynomials(self) -> dict[str, Vector]:
        """Coefficients of every column but the quotient."""
        return self.columns_coefficients() | self.row_coefficients | self.given | self.fixed

    def columns_coefficients(self) -> dict[str, Vector]:
        """Those of the columns that the proof has committed to so far."""
        return {name: column.coefficients for name, column in self.columns.items()}

    # evaluations and openings

    def point_at(self, rotation: int) -> int:
        """omega^rotation rho, or sigma."""
        return opening_point(self.circuit, rotation, self.challenges)

    def evaluate(self) -> dict[str, int]:
        """The values that the verifier is told; keeps the linearisation they leave."""
        polynomials = self.polynomials()
        found = {scalar_name((name, k)): polynomials[name].evaluate(self.point_at(k)) for name, k in self.form.stated}
        components = self.components()
        self.linearisation = linearise(self.circuit, self.statement, self.challenges, found | components)
        for k in self.form.rotations[1:]:
            found[linearised_name(k)] = self._combination(self.linearisation.at[k]).evaluate(self.point_at(k))
        return found | components

    def components(self) -> dict[str, int]:
        """What columns of several components are at 1/rho, component by component."""
        found: dict[str, int] = {}
        for column in (column for column in self.form.columns if column.components):
            _, left = divide_by_binomial(self.polynomials()[column.name], column.components, self.challenges["rho"])
            found |= zip(component_names(column), left, strict=True)
        return found

    def _combination(self, coefficients: Mapping[str, int]) -> Vector:
        """sum coefficients[c] * c over the named columns, as coefficients."""
        polynomials = self.polynomials() | self.quotient
        return Vector.linear_combination([polynomials[name] for name in coefficients], list(coefficients.values()))

    def commit_opening(self) -> G1:
        """W = sum_i nu^i (C_i - r_i) / Z_Si: what is claimed at the same points is summed first, then divided by X - z for each,
        or by rho X^m - 1."""
        nu, weight = self.challenges["nu"], 1
        parts = []
        for at, claims in groupby(self.form.claims, key=lambda claim: claim.points):
            terms: dict[str, int] = {}
            for claim in claims:
                linear = self.linearisation.at[at[0]] if claim.column is None else {claim.column: 1}
                for name, coefficient in linear.items():
                    terms[name] = (terms.get(name, 0) + weight * coefficient) % MODULUS
                weight = weight * nu % MODULUS
            part = self._combination(terms)
            for k in at:
                part = self.divided(part, k)
            parts.append(part)
        self.opening = Vector.linear_combination(parts, [1] * len(parts))
        return monomial_key().msm(self.opening)

    def divided(self, polynomial: Vector, rotation: int) -> Vector:
        """The quotient by what vanishes where columns are opened at a rotation, or where their components are."""
        if rotation == ROOTS:
            (count,) = set(self.form.components.values())
            return divide_by_binomial(polynomial, count, self.challenges["rho"])[0]
        return self.quotient_of(polynomial, self.point_at(rotation))

    def folded(self, claim: Fold[int]) -> Vector:
        """The polynomial that the last claim is about."""
        return Vector.linear_combination([self._combination(claim.columns), self.opening], [1, claim.opening])

    def open(self, claim: Fold[int]) -> G1:
        """The final opening (L - value)/(X - zeta) of the folded polynomial."""
        folded, zeta = self.folded(claim), self.challenges["zeta"]
        if folded.evaluate(zeta) != claim.value:
            raise UnprovableTrace("the folded polynomial does not take the stated value: an evaluation is wrong")
        return monomial_key().msm(self.quotient_of(folded, zeta))

    def quotient_of(self, polynomial: Vector, point: int) -> Vector:
        """(f - f(point)) / (X - point)."""
        return polynomial.divide_by_linear(point)[0]
