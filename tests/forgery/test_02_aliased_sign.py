"""Line 2: a sign by bit decomposition with aliasing, so that value + r flips the ReLU.

Here a lane's sign is the top bit of its top limb: 2 top = 256 sign + limb(r0), with limb(r0) a byte. Four ways to lie about it,
each stopped by another guard.
"""

from __future__ import annotations

import pytest
from forger import activations_of, complete, forged_claim, lay_out, limb_rows, run_from
from guards import without_constraint
from support import horner_column, random_image
from verdicts import MISMATCH, NATIVE, PYTHON, accepted, refused

from zkpredict.circuits.field import MODULUS, inverse
from zkpredict.circuits.layout import PACK_BITS, READOUT_ROW

from zkpredict.verifier.errors import FailedOpening


def flipped(model, image):
    """A lie by one sign bit: the neuron, its false bit, and all pre-activations that follow from it."""
    network, scale = model.network, model.compiled.scales[0]
    z = run_from(network, 0, image.tolist())[0]
    for neuron, value in enumerate(z):
        activations = activations_of(network, 0, z)
        activations[neuron] = 0 if value >= 0 else (value << scale) >> 8
        later = run_from(network, 1, activations)
        digit = later[-1].index(max(later[-1]))
        if digit != model.predict(image):
            return neuron, int(value < 0), [z, *later], digit
    return None


@pytest.fixture(scope="module")
def case(small):
    """An image on which one flipped sign changes the digit, with the trace that flips it and keeps r0 = 2 top - 256 sign."""
    image = next(image for image in (random_image(seed, 12) for seed in range(100)) if flipped(small, image))
    neuron, sign, pre_activations, digit = flipped(small, image)
    start = limb_rows(small.compiled.circuit.layer_groups[0], neuron)[0] - 1
    return image, digit, lay_out(small.compiled, pre_activations, digit), start, sign


def test_a_flipped_sign_whose_carry_is_no_byte_is_refused_by_the_lookup(small, case):
    image, digit, limb, start, sign = case
    trace = complete(small.compiled.circuit, limb, {start: sign})
    assert not 0 <= trace["limb"][start] < 256
    refused(forged_claim(small, image, digit, trace), FailedOpening, MISMATCH)
    with without_constraint("lookup"):
        assert accepted(forged_claim(small, image, digit, trace), PYTHON) == digit != small.predict(image)


def test_a_flipped_sign_with_a_byte_beside_it_is_refused_by_the_sign_constraint(small, case):
    image, digit, limb, start, sign = case
    trace = complete(small.compiled.circuit, limb, {start: sign})
    trace["limb"][start] = 0
    trace["cell"][:: small.compiled.circuit.domain // 256] = [trace["limb"].count(value) for value in range(256)]
    refused(forged_claim(small, image, digit, trace), FailedOpening, MISMATCH, NATIVE)
    with without_constraint("sign"):
        assert accepted(forged_claim(small, image, digit, trace), NATIVE) == digit


def half_signs(model, image):
    """Lies by a sign of one half: limb(r0) = 2 top - 128 is a byte for top in 64..191, and halves an even activation."""
    network, circuit = model.network, model.compiled.circuit
    truth = run_from(network, 0, image.tolist())
    honest = complete(circuit, lay_out(model.compiled, truth, model.predict(image)))
    for neuron in range(len(truth[0])):
        first, second, _ = limb_rows(circuit.layer_groups[0], neuron)
        doubled = (honest["limb"][first] << 8) + honest["limb"][second] - (1 << 15)
        if 64 <= honest["limb"][first] < 192 and doubled % 2 == 0:
            activations = activations_of(network, 0, truth[0])
            activations[neuron] = doubled // 2
            later = run_from(network, 1, activations)
            digit = later[-1].index(max(later[-1]))
            if digit != model.predict(image):
                yield first - 1, [truth[0], *later], digit


def test_a_sign_that_is_no_bit_is_refused_by_the_boolean_constraint(small):
    images = (random_image(seed, 12) for seed in range(1000))
    image, (start, pre_activations, digit) = next((i, found) for i in images for found in half_signs(small, i))
    circuit = small.compiled.circuit
    trace = complete(circuit, lay_out(small.compiled, pre_activations, digit))
    top, second = trace["limb"][start + 1], trace["limb"][start + 2]
    trace["limb"][start] = 2 * top - 128
    trace["cell"][start + 1] = inverse(2)
    trace["cell"][start + 2] = ((top << 8) + second - (1 << 15)) // 2
    trace["cell"][:: circuit.domain // 256] = [trace["limb"].count(value) for value in range(256)]
    refused(forged_claim(small, image, digit, trace), FailedOpening, MISMATCH, NATIVE)
    with without_constraint("boolean"):
        assert accepted(forged_claim(small, image, digit, trace), NATIVE) == digit


def aliased(model, image):
    """The first pack written as value + r: other limbs, other activations, another digit."""
    network, circuit, group = model.network, model.compiled.circuit, model.compiled.circuit.layer_groups[0]
    truth = run_from(network, 0, image.tolist())
    limb = lay_out(model.compiled, truth, model.predict(image))
    value = horner_column(limb)[group.pack_row(0) + READOUT_ROW] + MODULUS
    rows = [group.pack_row(0) + 4 * lane + place for lane in range(10) for place in (1, 2, 3)]
    for place, row in enumerate(rows):
        limb[row] = value >> (PACK_BITS - 8 * (place + 1)) & (-1 if place == 0 else 255)
    signs = {rows[0] - 1: 1}
    trace = complete(circuit, limb, signs)
    activations = [trace["cell"][group.value_row(neuron) + 2] for neuron in range(len(truth[0]))]
    later = run_from(network, 1, activations)
    digit = later[-1].index(max(later[-1]))
    forged = lay_out(model.compiled, [truth[0], *later], digit)
    for row in rows:
        forged[row] = limb[row]
    return digit, complete(circuit, forged, signs)


def test_a_pack_written_as_value_plus_r_is_refused_by_the_lookup(small):
    images = (random_image(seed, 12) for seed in range(100))
    image = next(image for image in images if aliased(small, image)[0] != small.predict(image))
    digit, trace = aliased(small, image)
    honest = complete(small.compiled.circuit, lay_out(small.compiled, run_from(small.network, 0, image.tolist()), digit))
    row = small.compiled.circuit.layer_groups[0].pack_row(0) + READOUT_ROW
    assert honest["horner"][row] == trace["horner"][row]  # the linear check cannot tell the two apart
    refused(forged_claim(small, image, digit, trace), FailedOpening, MISMATCH)
    with without_constraint("lookup"):
        assert accepted(forged_claim(small, image, digit, trace), NATIVE) == digit
