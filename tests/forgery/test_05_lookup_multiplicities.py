"""Line 5: a lookup with a missing multiplicity, a masked value, or unused rows left unchecked."""

from __future__ import annotations

import pytest
from forger import WithTrace, claim_of, complete, counts, forged_claim, lay_out, run_from
from guards import rewritten_constraints, with_public, without_constraint
from support import random_network, said
from verdicts import MISMATCH, NATIVE, accepted, refused

from zkpredict.circuits.gadgets.base import Constraint
from zkpredict.circuits.expression import Cell, Challenge, Public
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.solving import Recurrence
from zkpredict.kernel import Vector
from zkpredict.prover.commit import commit_model
from zkpredict.verifier.errors import FailedOpening


def honest_trace(model, image):
    digit = model.predict(image)
    limb = lay_out(model.compiled, run_from(model.network, 0, image.tolist()), digit)
    return digit, complete(model.compiled.circuit, limb)


@pytest.mark.parametrize("change", [-1, 1, 256, 1 << 16, MODULUS // 2])
@pytest.mark.parametrize("value", [0, 255])
def test_a_wrong_multiplicity_is_refused(small, small_image, value, change):
    """Also one that agrees modulo 2^8 or 2^16, as under a mask."""
    digit, trace = honest_trace(small, small_image)
    trace["cell"][value * small.compiled.circuit.domain // 256] += change
    by = {} if (value, change) == (0, -1) else {"by": NATIVE}
    refused(forged_claim(small, small_image, digit, trace), FailedOpening, MISMATCH, **by)
    with without_constraint("lookup"):
        assert accepted(forged_claim(small, small_image, digit, trace), NATIVE) == digit


def test_multiplicities_moved_between_values_are_refused(small, small_image):
    """Their total is right: 1024 limbs, 1024 look-ups."""
    digit, trace = honest_trace(small, small_image)
    step = small.compiled.circuit.domain // 256
    trace["cell"][0] -= 1
    trace["cell"][step] += 1
    refused(forged_claim(small, small_image, digit, trace), FailedOpening, MISMATCH, NATIVE)


def test_no_multiplicities_make_a_foreign_value_a_byte(small, small_image):
    """With 256 free multiplicities one beta is easily satisfied, but beta comes after them."""
    digit, trace = honest_trace(small, small_image)
    last = small.compiled.circuit.domain - 1
    trace["limb"][last] = 300
    for value, extra in ((44, 1), (255, 1), (0, 300)):
        trace["cell"][:: small.compiled.circuit.domain // 256] = counts(trace["limb"])
        trace["cell"][value * small.compiled.circuit.domain // 256] += extra
        refused(forged_claim(small, small_image, digit, trace), FailedOpening, MISMATCH, NATIVE)


class UsedRowsOnly(WithTrace):
    """Looks up the limbs of used packs only; `skipped` holds the first rows of the others."""

    skipped: tuple[int, ...] = ()

    def run(self, step, name):
        if name != "lookup":
            return super().run(step, name)
        beta, limbs = self.challenges["beta"], self.columns["limb"].values.to_ints()
        shares = (self.fixed["table"].coset_ntt(self.circuit.domain, 1) + beta).inverse().to_ints()
        counts, every = self.columns["cell"].values.to_ints(), self.circuit.domain // 256
        increments = [pow(beta + limb, -1, MODULUS) for limb in limbs]
        for row in range(0, self.circuit.domain, every):
            increments[row] = (increments[row] - counts[row] * shares[row]) % MODULUS
        for start in self.skipped:
            for row in range(start, start + 64):
                increments[row] = (increments[row] - pow(beta + limbs[row], -1, MODULUS)) % MODULUS
        return super().run(Recurrence(1, Vector.from_ints(increments)), name)


def used_rows_only(selector):
    """The lookup as it would be with a selector of used rows, given as the constraint's weight `selector`."""

    def rewrite(_, found):
        beta, limb, table = Challenge("beta"), Cell("limb"), Cell("table")
        counted = Public("table_head") * Cell("cell") * (beta + limb)
        step = (Cell("lookup").next - Cell("lookup")) * (beta + limb) * (beta + table)
        weak = step - selector * (beta + table) + counted
        return tuple(Constraint("lookup", weak) if c.name == "lookup" else c for c in found)

    return rewritten_constraints(rewrite)


@pytest.fixture(scope="module")
def three_packs():
    """A 12-21-3 network: three packs of hidden neurons in a group of four slots, the fourth unused."""
    return commit_model(random_network(51, (12, 21, 3)))


def cancelling_limbs(model, image):
    """Limbs in the unused slot that make its pack value 0 and an activation 1: the second top limb is 1, the third -256."""
    circuit = model.compiled.circuit
    group = circuit.layer_groups[0]
    start = group.pack_row(group.packs)
    digit = model.predict(image)
    limb = lay_out(model.compiled, run_from(model.network, 0, image.tolist()), digit)
    limb[start + 1], limb[start + 2], limb[start + 3] = 128, 1, -256 - (128 << 16)
    return digit, start, complete(circuit, limb)


def test_limbs_of_an_unused_slot_are_checked(three_packs, small_image):
    """A later layer may read these cells, so a slot nobody uses must hold bytes as well."""
    digit, start, trace = cancelling_limbs(three_packs, small_image)
    assert trace["horner"][start + 40] == 0 and trace["cell"][start + 2] == 1
    refused(forged_claim(three_packs, small_image, digit, trace), FailedOpening, MISMATCH)


def test_a_lookup_over_used_rows_only_would_accept_them(three_packs, small_image):
    digit, start, trace = cancelling_limbs(three_packs, small_image)
    circuit = three_packs.compiled.circuit
    slots = circuit.domain // 64
    used = {group.pack_row(pack) for group in circuit.groups for pack in range(group.packs)}
    skipped = tuple(row for row in range(0, circuit.domain, 64) if row not in used)
    assert start in skipped and len(used) + len(skipped) == slots
    kept = [value for row, value in enumerate(trace["limb"]) if row // 64 * 64 in used]
    trace["cell"][:: circuit.domain // 256] = counts(kept)
    with with_public("used_rows", lambda *_: {row: 1 for row in range(circuit.domain) if row // 64 * 64 in used}):
        with used_rows_only(Public("used_rows")):
            prover = UsedRowsOnly(three_packs, said(small_image, digit), chosen=trace)
            prover.skipped = skipped
            assert accepted(claim_of(prover), NATIVE) == digit
