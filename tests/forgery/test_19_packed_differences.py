"""Line 19: packed differences that borrow from each other, with one free maximum.

The mistake, made once on paper: subtract a whole pack of logits from one unconstrained K in every
lane, and check the result as one pack of bytes. K then shifts the pack to any 240-bit value, and any digit has a proof. The
mistaken system is built here, beside ours, from the same constraint list.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager

import pytest
from forger import complete, forged_claim, lay_out, run_from
from guards import replaced, rewritten_constraints, with_public
from owners import write_pack
from verdicts import MISMATCH, NATIVE, accepted, refused

from zkpredict.circuits import constraints as system
from zkpredict.circuits.gadgets.base import Constraint
from zkpredict.circuits.publics import Periodic
from zkpredict.circuits.expression import Cell, Public
from zkpredict.circuits.field import MODULUS, inverse
from zkpredict.circuits.layout import READOUT_ROW
from zkpredict.verifier.errors import FailedOpening


def ones(circuit):
    """K's weight in a pack: 1 in every class's lane."""
    return sum(1 << circuit.difference_group.value_shift(index) for index in range(circuit.classes))


def free_row(circuit):
    """Where K lies: r3 of the first lane of the differences, which no row constraint touches."""
    return circuit.difference_group.pack_row(0) + 3


def ties(circuit, digit):
    """[i < y] in every lane."""
    return sum(1 << circuit.difference_group.value_shift(index) for index in range(digit))


def packed_readout(circuit, alpha, digit):
    """Packs as always; then Z and D as whole packs, and D_y = 0."""
    rows, first = {}, circuit.first_equation(circuit.layers)
    for layer, group in enumerate(circuit.layer_groups):
        for pack in range(group.packs):
            rows[group.pack_row(pack) + READOUT_ROW] = pow(alpha, circuit.first_equation(layer) + pack, MODULUS)
    logits, differences = circuit.layer_groups[-1], circuit.difference_group
    whole, zero = pow(alpha, first, MODULUS), pow(alpha, first + 1, MODULUS)
    for row, weight in (
        (logits.pack_row(0) + READOUT_ROW, -whole),
        (differences.pack_row(0) + READOUT_ROW, -whole),
        (differences.value_row(digit) + 8, zero),
        (differences.value_row(digit), -(zero << differences.value_bits) if digit else 0),
    ):
        rows[row] = (rows.get(row, 0) + weight) % MODULUS
    return Periodic(circuit.domain, rows)


@contextmanager
def packed_argmax():
    """The mistaken system, on the prover's and the native verifier's side: K ones - Z - ties - D = 0 as one equation."""
    true_constants = system.constant_term

    def constants(circuit, alpha, digit):
        weight = pow(alpha, circuit.first_equation(circuit.layers), MODULUS)
        return (true_constants(circuit, alpha, 0) + weight * ties(circuit, digit)) % MODULUS

    def maximum(circuit, alpha):
        weight = pow(alpha, circuit.first_equation(circuit.layers), MODULUS)
        return {free_row(circuit): weight * ones(circuit) % MODULUS}

    def with_maximum(_, found):
        shifted = {c.name: c.expression for c in found}["linear"] - Public("maximum") * Cell("cell")
        return tuple(Constraint("linear", shifted) if c.name == "linear" else c for c in found)

    with ExitStack() as stack:
        stack.enter_context(replaced(system.readout, packed_readout))
        stack.enter_context(replaced(true_constants, constants))
        stack.enter_context(with_public("maximum", maximum))
        stack.enter_context(rewritten_constraints(with_maximum))
        yield


def with_free_maximum(model, image, digit):
    """All differences 0, and K = (Z + ties) / ones in the field."""
    circuit = model.compiled.circuit
    limb = lay_out(model.compiled, run_from(model.network, 0, image.tolist()), digit)
    write_pack(limb, circuit.difference_group, 0, 0)
    trace = complete(circuit, limb)
    logits = trace["horner"][circuit.layer_groups[-1].pack_row(0) + READOUT_ROW]
    trace["cell"][free_row(circuit)] = (logits + ties(circuit, digit)) * inverse(ones(circuit))
    return trace


def honest_maximum(model, image):
    """What an honest prover of the mistaken system would write: K is the largest logit."""
    circuit, digit = model.compiled.circuit, model.predict(image)
    pre_activations = run_from(model.network, 0, image.tolist())
    trace = complete(circuit, lay_out(model.compiled, pre_activations, digit))
    trace["cell"][free_row(circuit)] = max(pre_activations[-1]) + (1 << 47)
    return digit, trace


@pytest.mark.parametrize("digit", range(3))
def test_the_mistaken_system_accepts_any_digit_and_ours_refuses(small, small_image, honest, digit):
    trace = with_free_maximum(small, small_image, digit)
    with packed_argmax():
        truth, twin = honest_maximum(small, small_image)
        assert accepted(forged_claim(small, small_image, truth, twin), NATIVE) == truth
        assert accepted(forged_claim(small, small_image, digit, trace), NATIVE) == digit
    refused(forged_claim(small, small_image, digit, trace), FailedOpening, MISMATCH)
    assert accepted(honest, NATIVE) == truth


def test_ours_does_not_read_a_maximum(small, small_image):
    """The free cell may hold anything: no equation of ours reads it."""
    digit, trace = honest_maximum(small, small_image)
    trace["cell"][free_row(small.compiled.circuit)] = MODULUS - 1
    assert accepted(forged_claim(small, small_image, digit, trace), NATIVE) == digit


def test_differences_that_borrow_are_refused(small, small_image):
    """D_1 = -1 written as 2^48 - 1, with the lane above it one lower: the same pack, other lanes."""
    circuit = small.compiled.circuit
    logits = run_from(small.network, 0, small_image.tolist())[-1]
    for digit in range(3):
        differences = [logits[digit] - logit - (index < digit) for index, logit in enumerate(logits)]
        pack = sum(d << circuit.difference_group.value_shift(index) for index, d in enumerate(differences))
        limb = lay_out(small.compiled, run_from(small.network, 0, small_image.tolist()), digit)
        write_pack(limb, circuit.difference_group, 0, pack)
        claim = forged_claim(small, small_image, digit, complete(circuit, limb))
        if digit == small.predict(small_image):
            assert accepted(claim, NATIVE) == digit
        else:
            refused(claim, FailedOpening, MISMATCH, NATIVE)
