"""Line 1: quotient and remainder of a rescale not tied by a range check, so that any output passes.

Here the rescale is "keep the top two limbs of a lane". Quotient and remainder are limbs: moving 256 k from the third limb into
the second leaves the lane's value alone and adds k to the activation. Only the byte lookup stands against it.
"""

from __future__ import annotations

import pytest
from forger import WithTrace, claim_of, complete, forged_claim, lay_out, lies, limb_rows, run_from
from guards import rewritten_constraints, without_constraint
from support import refuses, said
from verdicts import MISMATCH, NATIVE, PYTHON, accepted, refused

from zkpredict.circuits.gadgets.base import Constraint
from zkpredict.circuits.expression import Cell
from zkpredict.kernel import Vector
from zkpredict.prover.prove import Prover, UnprovableTrace
from zkpredict.verifier.errors import FailedOpening


def moved_remainder(model, lie):
    """The trace of a lie: the true pre-activation, split into a quotient and a remainder of the forger's choice."""
    limb = lay_out(model.compiled, lie.pre_activations, lie.digit)
    _, second, third = limb_rows(model.compiled.circuit.layer_groups[0], lie.neuron)
    limb[second] += lie.delta
    limb[third] -= lie.delta << 8
    return complete(model.compiled.circuit, limb)


@pytest.fixture(scope="module")
def lie(small, small_image):
    return lies(small, small_image, range(-4000, 20_000, 500))[0]


def test_a_rescale_with_a_free_remainder_is_refused(small, small_image, honest, lie):
    assert accepted(honest) == small.predict(small_image) != lie.digit
    refused(forged_claim(small, small_image, lie.digit, moved_remainder(small, lie)), FailedOpening, MISMATCH)


def test_the_lookup_is_what_refuses_it(small, small_image, lie):
    with without_constraint("lookup"):
        assert accepted(forged_claim(small, small_image, lie.digit, moved_remainder(small, lie)), PYTHON) == lie.digit


class NoLookup(WithTrace):
    """Has nothing to look up: a running sum that stands still."""

    def run(self, step, name):
        return Vector.zeros(self.circuit.domain) if name == "lookup" else super().run(step, name)


def test_a_contract_generated_without_the_lookup_accepts_it(small, small_image, lie):
    """The contract comes from the same constraint list, so the guard is missing there as well."""
    still = Constraint("lookup", Cell("lookup").next - Cell("lookup"))
    with rewritten_constraints(lambda _, found: (*found[:-1], still)):
        claim = claim_of(NoLookup(small, said(small_image, lie.digit), chosen=moved_remainder(small, lie)))
        assert accepted(claim) == lie.digit


def test_the_honest_prover_cannot_be_made_to_prove_it(small, small_image, lie):
    class Stubborn(WithTrace):
        run, bounded, open = Prover.run, Prover.bounded, Prover.open

    with refuses(UnprovableTrace, "the lookup sum does not close: the claim is false"):
        Stubborn(small, said(small_image, lie.digit), chosen=moved_remainder(small, lie)).prove()


@pytest.mark.parametrize("value", [256, 1 << 40, -1])
@pytest.mark.parametrize("place", ["unused lane", "unused slot"])
def test_limbs_that_nobody_reads_are_checked_too(small, small_image, value, place):
    truth, circuit = small.predict(small_image), small.compiled.circuit
    limb = lay_out(small.compiled, run_from(small.network, 0, small_image.tolist()), truth)
    limb[circuit.layer_groups[0].pack_row(0) + 4 * 12 + 3 if place == "unused lane" else circuit.domain - 1] = value
    trace = complete(circuit, limb)
    refused(forged_claim(small, small_image, truth, trace), FailedOpening, MISMATCH, NATIVE)
    with without_constraint("lookup"):
        accepted(forged_claim(small, small_image, truth, trace), NATIVE)
