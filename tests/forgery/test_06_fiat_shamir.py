"""Line 6: a challenge drawn before something it must bind; a public input or the verifying key not absorbed.

For each round there is a forger who proves any digit if that round's message is not absorbed, and is refused because it is.
For each part of the statement, the same mutation passes with all challenges frozen.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support import said
from forger import Claim, WithTrace, claim_of, complete, counts, lay_out, lies, limb_rows, run_from
from freezing import CHALLENGES, MESSAGES, ahead, blind_to, blind_to_statement, frozen
from verdicts import MISMATCH, NATIVE, by_native, refused

from zkpredict.circuits.field import MODULUS, inverse, powers
from zkpredict.kernel import G1, Vector
from zkpredict.prover.prove import Prover
from zkpredict.prover.setup import monomial_key
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import FailedOpening
from zkpredict.verifier.messages import derive_challenges
from zkpredict.verifier.native import parse_proof
from zkpredict.verifier.opening import fold, linearise


class BeforeTrace(WithTrace):
    """Knows beta before it commits: one multiplicity absorbs the reciprocals of all limbs that are no bytes."""

    def trace(self):
        beta = ahead(self, "trace")["beta"]
        trace = self.chosen
        honest = sum(count * inverse(beta + value) for value, count in enumerate(counts(trace["limb"])))
        missing = sum(inverse(beta + limb) for limb in trace["limb"]) - honest
        trace["cell"][0] = counts(trace["limb"])[0] + missing * beta % MODULUS
        return trace


class BeforeSums(WithTrace):
    """Knows delta before the running sums: an error in one of them is paid for by the other, on two rows."""

    rows = 1, 2

    def run(self, step, name):
        if name in ("linear", "lookup"):
            step = replace(step, increment=getattr(self, name)(step.increment.to_ints()))
        return super().run(step, name)

    def linear(self, increments):
        beta, delta = self.challenges["beta"], ahead(self, "sums", "trace")["delta"]
        limb, table = self.columns["limb"].values.to_ints(), self.fixed["table"].coset_ntt(self.circuit.domain, 1).to_ints()
        first, second = ((beta + limb[row]) * (beta + table[row]) % MODULUS for row in self.rows)
        # the two constraints stand side by side in the list, so the later one weighs delta times the earlier
        self.error = sum(increments) * inverse(delta * (first - second)) % MODULUS
        for row, factor in zip(self.rows, (-first, second)):
            increments[row] = (increments[row] + delta * self.error * factor) % MODULUS
        return Vector.from_ints(increments)

    def lookup(self, increments):
        for row, sign in zip(self.rows, (1, -1)):
            increments[row] = (increments[row] + sign * self.error) % MODULUS
        return Vector.from_ints(increments)


class BeforeQuotient(WithTrace):
    """Knows rho before the quotient: a constant with the right value there."""

    def commit_quotient(self):
        super().commit_quotient()
        known = self.challenges
        self.challenges = known | ahead(self, "quotient", "trace", "sums")
        self.quotient, rho = {"quotient": Vector.zeros(1)}, self.challenges["rho"]
        stated = self.evaluate()
        self.challenges = known
        rest = self._combination(self.linearisation.at[0]).evaluate(rho)
        rest += self.linearisation.constant + stated["linearised_next"]
        constant = Vector.from_ints([rest * inverse(pow(rho, self.circuit.domain, MODULUS) - 1) % MODULUS])
        self.quotient = {"quotient": constant}
        return {"quotient": monomial_key().msm(constant)}


class BeforeEvaluations(WithTrace):
    """Knows nu before the evaluations: a false `table` value under which the folded claims cancel."""

    def evaluate(self):
        nu = ahead(self, "evaluations", "trace", "sums", "quotient")["nu"]
        true = super().evaluate()

        def stating(table: int) -> tuple[dict[str, int], int]:
            stated = true | {"table": table, "linearised_next": 0}
            self.linearisation = linearise(self.circuit, self.statement, self.challenges, stated)
            there = self._combination(self.linearisation.at[1]).evaluate(self.point_at(1))
            here = self._combination(self.linearisation.at[0]).evaluate(self.point_at(0))
            error = here + self.linearisation.constant + there + nu * nu * (true["table"] - table)
            return stated | {"linearised_next": there}, error % MODULUS

        zero, one = stating(0)[1], stating(1)[1]
        found, error = stating(zero * inverse(zero - one) % MODULUS)
        assert error == 0
        return found


class BeforeOpening(WithTrace):
    """Knows zeta before the opening: a constant W makes the folded polynomial take any value there."""

    def commit_opening(self):
        super().commit_opening()
        known = self.challenges | ahead(self, "opening", *MESSAGES[:-1])
        claim = fold(self.circuit, self.linearisation, self.scalars, known)
        missing = claim.value - self._combination(claim.columns).evaluate(known["zeta"])
        self.opening = Vector.from_ints([missing * inverse(claim.opening) % MODULUS])
        return monomial_key().msm(self.opening)


FORGERS = dict(zip(MESSAGES, (BeforeTrace, BeforeSums, BeforeQuotient, BeforeEvaluations, BeforeOpening)))


def lie_for(message, model, image):
    """A false digit and its trace: limbs that are no bytes for the first forger, an open linear sum for the others."""
    circuit = model.compiled.circuit
    if message == "trace":
        lie = lies(model, image, range(-4000, 20_000, 500))[0]
        limb = lay_out(model.compiled, lie.pre_activations, lie.digit)
        _, second, third = limb_rows(circuit.layer_groups[0], lie.neuron)
        limb[second] += lie.delta
        limb[third] -= lie.delta << 8
        return lie.digit, complete(circuit, limb)
    digit = (model.predict(image) + 1) % circuit.classes
    return digit, complete(circuit, lay_out(model.compiled, run_from(model.network, 0, image.tolist()), digit))


@pytest.mark.parametrize("message", MESSAGES)
def test_a_round_that_is_not_absorbed_lets_any_digit_through(small, small_image, message):
    digit, trace = lie_for(message, small, small_image)
    assert digit != small.predict(small_image)
    with blind_to(message):
        claim = claim_of(FORGERS[message](small, said(small_image, digit), chosen=trace))
        assert by_native(claim) == digit
    refused(claim, FailedOpening, MISMATCH)
    # the same forger against our transcript, running ahead as far as it can
    digit, trace = lie_for(message, small, small_image)
    refused(claim_of(FORGERS[message](small, said(small_image, digit), chosen=trace)), FailedOpening, MISMATCH, NATIVE)


def shifted_rows(claim: Claim) -> Claim:
    """Other rows whose alpha-combination, as this proof folds it, is the same: what a blind transcript cannot tell apart."""
    commitment = ModelCommitment.from_bytes(claim.commitment, G1.from_compressed)
    proof, circuit = parse_proof(claim.proof), commitment.circuit
    statement = said(claim.image, proof.digit)
    challenges = derive_challenges(circuit.digest, statement, proof)
    folded = fold(circuit, linearise(circuit, statement, challenges, proof.scalars), proof.scalars, challenges)
    weights = powers(challenges["alpha"], circuit.first_equation(circuit.layers))
    first, second = (folded.columns[f"rows{t}"] * weights[circuit.first_equation(t)] % MODULUS for t in (0, 1))
    shift = G1.generator()
    rows = (commitment.rows[0] + shift.mul(second), commitment.rows[1] - shift.mul(first))
    moved = ModelCommitment(circuit, rows)
    return Claim(moved.to_bytes(), claim.image, replace(proof, model_id=moved.model_id).to_bytes())


def test_a_model_id_that_is_not_absorbed_fits_another_model(small, small_image):
    with blind_to_statement("model_id"):
        claim = shifted_rows(claim_of(Prover(small, said(small_image, small.predict(small_image)))))
        by_native(claim)
    refused(claim, FailedOpening, MISMATCH)
    refused(shifted_rows(claim_of(Prover(small, said(small_image, small.predict(small_image))))), FailedOpening, MISMATCH, NATIVE)


def other_image(claim: Claim) -> Claim:
    """At rho = 2, one of a pixel is worth two of the next."""
    pixels = bytearray(claim.image)
    place = next(i for i in range(len(pixels) - 1) if pixels[i] and pixels[i + 1] < 254)
    pixels[place] -= 1
    pixels[place + 1] += 2
    return replace(claim, image=bytes(pixels))


def other_digit(claim: Claim) -> Claim:
    """At alpha = 0 only the first equation counts, and it does not know the digit."""
    proof = parse_proof(claim.proof)
    return claim.with_proof(replace(proof, digit=(proof.digit + 1) % 3).to_bytes())


def other_circuit(claim: Claim) -> Claim:
    """At alpha = 0 nobody counts the classes."""
    commitment = ModelCommitment.from_bytes(claim.commitment, G1.from_compressed)
    wider = ModelCommitment(replace(commitment.circuit, widths=(12, 6, 4)), commitment.rows)
    proof = replace(parse_proof(claim.proof), model_id=wider.model_id)
    return Claim(wider.to_bytes(), claim.image, proof.to_bytes())


@pytest.mark.parametrize("mutate", [other_image, other_digit, other_circuit])
def test_a_changed_statement_would_pass_with_the_challenges_frozen(small, small_image, honest, mutate):
    challenges = {name: 1000 + number for number, name in enumerate(CHALLENGES)} | {"rho": 2, "alpha": 0}
    with frozen(**challenges):
        claim = claim_of(Prover(small, said(small_image, small.predict(small_image))))
        by_native(mutate(claim))
    refused(mutate(honest), FailedOpening, MISMATCH)


def challenges_of(circuit, image, proof):
    """All six challenges by name, of the native transcript and of the independent one, which must agree."""
    from zkpredict.verifier import independent

    found = derive_challenges(circuit.digest, said(image, proof.digit), proof)
    assert found == independent.draw_challenges(circuit.digest, image, proof)
    return found


def mutations(circuit, image, proof):
    """Every field a challenge must bind, changed by the smallest amount: name, statement, proof, its first challenge."""
    yield "circuit", replace(circuit, domain=2048), image, proof, 0
    yield "circuit", replace(circuit, widths=(*circuit.widths[:-1], circuit.widths[-1] + 1)), image, proof, 0
    yield "model id", circuit, image, replace(proof, model_id=bytes([proof.model_id[0] ^ 1]) + proof.model_id[1:]), 0
    yield "digit", circuit, image, replace(proof, digit=proof.digit ^ 1), 0
    for place in range(len(image)):
        yield f"pixel {place}", circuit, image[:place] + bytes([image[place] ^ 1]) + image[place + 1 :], proof, 0
    before = 0
    for message in proof.form.rounds[:-1]:
        for name in message.points:
            yield name, circuit, image, proof.changed(points={name: proof.points[name] + G1.generator()}), before
        for name in message.scalars:
            yield name, circuit, image, proof.changed(scalars={name: (proof.scalars[name] + 1) % MODULUS}), before
        before += len(message.challenges)


def test_every_field_changes_every_later_challenge(small, honest):
    circuit, proof = small.compiled.circuit, parse_proof(honest.proof)
    before = challenges_of(circuit, honest.image, proof)
    assert len(set(before.values())) == len(CHALLENGES)
    for name, other, image, mutated, first in mutations(circuit, honest.image, proof):
        after = challenges_of(other, image, mutated)
        changed = [after[challenge] != before[challenge] for challenge in CHALLENGES]
        assert changed == [number >= first for number in range(len(CHALLENGES))], name


def test_equal_bytes_in_other_places_give_other_challenges(small, honest):
    """Messages swapped within a round, and a digit moved into the image's first byte."""
    circuit, proof = small.compiled.circuit, parse_proof(honest.proof)
    before = challenges_of(circuit, honest.image, proof)
    swapped = proof.changed(points={"limb": proof.points["horner"], "horner": proof.points["limb"]})
    moved = honest.image[1:] + honest.image[:1]
    assert np.all([challenges_of(circuit, honest.image, swapped)[c] != before[c] for c in CHALLENGES])
    assert np.all([challenges_of(circuit, moved, proof)[c] != before[c] for c in CHALLENGES])
