"""Line 3: argmax with a wrong index, on ties, on unchecked comparators, wrapping the field, or always answering 0.

Here Z_y - Z_i - D_i - [i < y] = 0 for every class i, with D_i in a lane of its own, so D_i >= 0.
"""

from __future__ import annotations

import numpy as np
import pytest
from forger import complete, forged_claim, honest_claim, lay_out, limb_rows, run_from
from guards import replaced, without_constraint
from support import random_image, random_network
from verdicts import MISMATCH, NATIVE, accepted, refused

from zkpredict.circuits.publics import Periodic
from zkpredict.circuits import constraints as system
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.prover.commit import commit_model
from zkpredict.verifier.errors import FailedOpening


def wrong(model, image, digit, differences=None):
    """The true logits under a false digit. `differences`: what to write for negative ones, as limbs top first, by class."""
    limb = lay_out(model.compiled, run_from(model.network, 0, image.tolist()), digit)
    for index, limbs in (differences or {}).items():
        for row, value in zip(limb_rows(model.compiled.circuit.difference_group, index), limbs):
            limb[row] = value
    return complete(model.compiled.circuit, limb)


def negative_differences(model, image, digit):
    """The classes that `digit` does not beat, and by how much it falls short."""
    logits = run_from(model.network, 0, image.tolist())[-1]
    differences = [logits[digit] - logit - (index < digit) for index, logit in enumerate(logits)]
    return {index: difference for index, difference in enumerate(differences) if difference < 0}


@pytest.fixture(scope="module")
def ten():
    return commit_model(random_network(31, (20, 12, 10)))


@pytest.fixture(scope="module")
def ten_image(ten):
    """An image whose digit is not 0."""
    return next(i for i in (random_image(seed, 20) for seed in range(100)) if ten.predict(i) != 0)


def without_argmax():
    """The readout and the constants without the equations of the classes."""

    def readout(circuit, alpha, digit):
        full = original(circuit, alpha, digit)
        groups = (circuit.layer_groups[-1], circuit.difference_group)
        packs = [group.pack_row(pack) for group in groups for pack in range(group.packs)]
        kept = {row: weight for row, weight in full.values.items() if not any(p < row <= p + 40 for p in packs)}
        first, last = circuit.first_equation(circuit.layers - 1), circuit.layer_groups[-1]
        for pack in range(last.packs):
            kept[last.pack_row(pack) + 40] = pow(alpha, first + pack, MODULUS)
        return Periodic(circuit.domain, kept)

    original = system.readout
    return replaced(original, readout)


@pytest.mark.parametrize("digit", range(10))
def test_no_wrong_index_is_accepted(ten, ten_image, digit):
    """Also the argmax that always answers 0."""
    if digit == ten.predict(ten_image):
        assert accepted(honest_claim(ten, ten_image)) == digit
    else:
        claim = forged_claim(ten, ten_image, digit, wrong(ten, ten_image, digit))
        refused(claim, FailedOpening, MISMATCH) if digit == 0 else refused(claim, FailedOpening, MISMATCH, NATIVE)


def test_the_class_equations_are_what_refuses_a_wrong_index(ten, ten_image):
    zero = ten.predict(np.zeros(20, np.uint8))
    image = ten_image if zero == 0 else np.zeros(20, np.uint8)
    with without_argmax():
        assert accepted(forged_claim(ten, image, 0, wrong(ten, image, 0)), NATIVE) == 0 != ten.predict(image)


@pytest.mark.parametrize(
    "limbs",
    [
        lambda short: [0, 0, 0, 0, 0, short],
        lambda short: [short % MODULUS >> 40, *(short % MODULUS).to_bytes(32, "big")[-5:]],
    ],
    ids=["a negative limb", "the residue modulo r under one huge limb"],
)
def test_a_difference_that_wraps_the_field_is_refused_by_the_lookup(ten, ten_image, limbs):
    short = negative_differences(ten, ten_image, 0)
    trace = wrong(ten, ten_image, 0, {index: limbs(value) for index, value in short.items()})
    refused(forged_claim(ten, ten_image, 0, trace), FailedOpening, MISMATCH)
    with without_constraint("lookup", "sign", "boolean"):
        assert accepted(forged_claim(ten, ten_image, 0, trace), NATIVE) == 0


@pytest.fixture(scope="module")
def tied():
    """A network whose classes 1 and 2 always tie."""
    return commit_model(IntegerNetwork((DenseLayer(np.array([[1, 1], [2, 3], [2, 3]]), np.array([0, 5, 5])),)))


def no_ties():
    """Constants without [i < y]."""
    original = system.constant_term
    return replaced(original, lambda circuit, alpha, digit: original(circuit, alpha, 0))


def test_a_tie_goes_to_the_lowest_index(tied):
    image = np.array([7, 9], np.uint8)
    assert accepted(honest_claim(tied, image)) == 1
    refused(forged_claim(tied, image, 2, wrong(tied, image, 2)), FailedOpening, MISMATCH)


def test_without_the_tie_term_one_image_has_two_digits(tied):
    image = np.array([7, 9], np.uint8)
    with no_ties():
        for digit in (1, 2):
            logits = run_from(tied.network, 0, image.tolist())[-1]
            differences = {index: (logits[digit] - logit).to_bytes(6, "big") for index, logit in enumerate(logits)}
            trace = wrong(tied, image, digit, differences)
            assert accepted(forged_claim(tied, image, digit, trace), NATIVE) == digit
