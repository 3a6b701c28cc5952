"""Line 4: division or reciprocal advice without a range check, and the sign of zero.

This version has no division gate. Two places have its dangers: the reciprocals 1/(beta + limb) of the lookup, which a prover
states only through a running sum, and the ReLU at z = 0 and z = -1.
"""

from __future__ import annotations

import numpy as np
import pytest
from forger import WithTrace, claim_of, complete, forged_claim, honest_claim, lay_out, limb_rows, run_from
from freezing import frozen
from guards import rewritten_constraints, without_constraint
from support import said
from verdicts import MISMATCH, NATIVE, accepted, refused

from zkpredict.circuits.gadgets.base import Constraint
from zkpredict.circuits.expression import Cell, Challenge, Public
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.solving import Recurrence
from zkpredict.kernel import Vector
from zkpredict.prover.commit import commit_model
from zkpredict.verifier.errors import FailedOpening

BETA = 123_456_789


class NoReciprocal(WithTrace):
    """States whatever closes the lookup sum at the row where 1/(beta + limb) does not exist, or where it is not checked."""

    def solved(self, name, defined_by, rows):
        if name != "lookup":
            return super().solved(name, defined_by, rows)
        beta = self.challenges["beta"]
        n, step = self.circuit.domain, self.circuit.domain // 256
        limbs = [(beta + limb) % MODULUS for limb in rows.columns["limb"].to_ints()]
        tables = [(beta + value) % MODULUS for value in self.fixed["table"].coset_ntt(n, 1).to_ints()]
        counts = rows.columns["cell"].to_ints()
        found = []
        for row in range(n):
            share = counts[row] * pow(tables[row], -1, MODULUS) if row % step == 0 and tables[row] else 0
            found.append((pow(limbs[row], -1, MODULUS) - share) % MODULUS if limbs[row] else 0)
        free = next(row for row in range(n) if not limbs[row] or not tables[row])
        found[free] = (found[free] - sum(found)) % MODULUS
        return Recurrence(1, Vector.from_ints(found))


def trace_with_last_limb(model, image, value):
    """The honest trace, with one limb of an unused slot replaced."""
    circuit, digit = model.compiled.circuit, model.predict(image)
    limb = lay_out(model.compiled, run_from(model.network, 0, image.tolist()), digit)
    limb[circuit.domain - 1] = value
    return digit, complete(circuit, limb)


def test_a_limb_without_a_reciprocal_is_refused_even_when_beta_is_known_before(small, small_image):
    """At beta + limb = 0 the constraint reads 0 = beta + table, so nothing closes the sum."""
    digit, trace = trace_with_last_limb(small, small_image, -BETA)
    with frozen(beta=BETA):
        refused(claim_of(NoReciprocal(small, said(small_image, digit), chosen=trace)), FailedOpening, MISMATCH, NATIVE)


def test_advice_that_vanishes_with_its_divisor_would_accept_it(small, small_image):
    """The mistaken form multiplies both sides by beta + limb, as for "inverse or zero" advice: 0 = 0 at that row."""

    def mistaken(_, found):
        divisor = Challenge("beta") + Cell("limb")
        cubic = (Cell("lookup").next - Cell("lookup")) * (Challenge("beta") + Cell("table")) * divisor
        count = Public("table_head") * Cell("cell")
        weak = (cubic - (Challenge("beta") + Cell("table")) + count * divisor) * divisor
        return tuple(Constraint("lookup", weak) if c.name == "lookup" else c for c in found)

    digit, trace = trace_with_last_limb(small, small_image, -BETA)
    with frozen(beta=BETA), rewritten_constraints(mistaken):
        assert accepted(claim_of(NoReciprocal(small, said(small_image, digit), chosen=trace)), NATIVE) == digit


def test_an_unlucky_beta_checks_nothing_so_beta_must_come_last(small, small_image):
    """At beta + table = 0 the running sum is free. n of r values of beta are unlucky: docs/security.md counts them."""
    digit, trace = trace_with_last_limb(small, small_image, 300)
    unused = next(value for value in range(256) if value not in trace["limb"])
    with frozen(beta=-unused % MODULUS):
        assert accepted(claim_of(NoReciprocal(small, said(small_image, digit), chosen=trace)), NATIVE) == digit
    refused(forged_claim(small, small_image, digit, trace), FailedOpening, MISMATCH)


@pytest.fixture(scope="module")
def edge():
    """One hidden neuron x0 - x1, unshifted; class 1 wins when it is 0, class 0 when it is -1 (which ReLU never gives)."""
    hidden = DenseLayer(np.array([[1, -1]]), np.array([0]), 0)
    return commit_model(IntegerNetwork((hidden, DenseLayer(np.array([[-4], [4]]), np.array([0, 1])))))


@pytest.mark.parametrize("z", [0, -1, 1])
def test_the_sign_of_small_numbers_is_proven_as_the_reference_has_it(edge, z):
    image = np.array([9 + z, 9], np.uint8)
    assert accepted(honest_claim(edge, image)) == 1


def negative_zero(model, image, sign, digit, activation):
    """`activation` for the hidden neuron, by a false sign bit."""
    z = run_from(model.network, 0, image.tolist())[0]
    limb = lay_out(model.compiled, [z, *run_from(model.network, 1, [activation])], digit)
    start = limb_rows(model.compiled.circuit.layer_groups[0], 0)[0] - 1
    return complete(model.compiled.circuit, limb, {start: sign})


def test_minus_one_taken_for_positive_is_refused(edge):
    """Its top two limbs are 0x7fff: with a false sign the activation would be -1, and class 0 would win."""
    image = np.array([8, 9], np.uint8)
    trace = negative_zero(edge, image, 1, 0, -1)
    refused(forged_claim(edge, image, 0, trace), FailedOpening, MISMATCH)
    with without_constraint("lookup"):
        assert accepted(forged_claim(edge, image, 0, trace), NATIVE) == 0


def test_zero_taken_for_negative_is_refused_though_it_changes_nothing(edge):
    image = np.array([9, 9], np.uint8)
    trace = negative_zero(edge, image, 0, 1, 0)
    refused(forged_claim(edge, image, 1, trace), FailedOpening, MISMATCH)
    with without_constraint("lookup"):
        assert accepted(forged_claim(edge, image, 1, trace), NATIVE) == 1
