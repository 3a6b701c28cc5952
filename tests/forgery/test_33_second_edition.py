"""Line 33: in circuits of the second edition, digits and signs from a running value, M among the differences, and rows read at X/shift.

Each guard is shown to matter: the forgery that it refuses passes without it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from forger import Forger, claim_of
from guards import replaced_property, without_constraint
from second_forger import committed, digits_for, hostile, second_claim, second_honest, settle
from support import random_image, random_network, said
from verdicts import MISMATCH, NATIVE, PYTHON, accepted, refused

from zkpredict.circuits import linear
from zkpredict.circuits.second import layout
from zkpredict.circuits.second.layout import SecondCircuit
from zkpredict.prover.prove import Prover
from zkpredict.verifier.errors import FailedOpening

IMAGE = random_image(33, 12)
PINS = "differences are not negative"
LANE_ROWS = 4


def logits_of(network, image=IMAGE):
    return network.infer(image[None, :]).logits[0].tolist()


@pytest.fixture(scope="module")
def model():
    """Four packs in layer 0; the first class beats the second, and the last beats both."""
    for seed in range(500):
        network = random_network(seed, (12, 40, 3))
        one, two, three = logits_of(network)
        if two + 1 < one < three:
            return committed(network)
    raise AssertionError("no such network")


def hidden_row(circuit: SecondCircuit, index: int) -> int:
    return circuit.layer_groups[0].value_row(index)


def test_differences_that_borrow(model):
    """Class 0 instead of 2: its negative difference takes one from its neighbour, and the pack is what it must be."""
    assert model.predict(IMAGE) == 2 == accepted(second_honest(model, IMAGE), PYTHON)
    circuit = model.commitment.circuit
    digits = digits_for(model, IMAGE.tolist(), 0)
    group, (one, two, three) = circuit.difference_group, logits_of(model.network)
    write(digits, group.value_row(1), one - two - 1)
    write(digits, group.value_row(2), (one - three) % (1 << 50))
    trace = settle(circuit, digits)
    refused(second_claim(model, IMAGE, 0, trace), FailedOpening, MISMATCH, PYTHON)
    with without_constraint(PINS):
        assert accepted(second_claim(model, IMAGE, 0, trace), PYTHON) == 0


def write(digits: list[int], row: int, value: int) -> None:
    """A number of two lanes, digit by digit."""
    for lane in range(2):
        own = value >> 25 * (1 - lane) & (1 << 25) - 1
        digits[row + 4 * lane : row + 4 * lane + 4] = [own >> 24, own >> 16 & 255, own >> 8 & 255, own & 255]


@pytest.mark.parametrize("digit", [0, 1])
def test_another_class_with_honest_lanes(model, digit):
    trace = settle(model.commitment.circuit, digits_for(model, IMAGE.tolist(), digit))
    refused(second_claim(model, IMAGE, digit, trace), FailedOpening, MISMATCH, NATIVE)


def test_m_that_is_not_the_claimed_logit(model):
    """M of the largest logit with class 0: every difference is right for that M, but the pack has no place for Z_0 to differ from it."""
    circuit = model.commitment.circuit
    digits, (_, two, three) = digits_for(model, IMAGE.tolist(), 0), logits_of(model.network)
    for index, value in enumerate((three + (1 << 46), three - two, 0)):
        write(digits, circuit.difference_group.value_row(index), value)
    refused(second_claim(model, IMAGE, 0, settle(circuit, digits)), FailedOpening, MISMATCH, PYTHON)


def test_a_sign_that_is_no_bit(model):
    """Two of the sign for one of the low byte before it: an activation tripled."""
    circuit, digits = model.commitment.circuit, digits_for(model, IMAGE.tolist(), 2)
    index = next(i for i in range(1, 10) if digits[hidden_row(circuit, i) - 1] and digits[hidden_row(circuit, i)])
    row = hidden_row(circuit, index)
    digits[row - 1] -= 1
    digits[row] += 2
    refused_without(model, digits, {}, "boolean")


def test_a_cell_that_is_not_the_sign(model):
    """The digit says that the neuron is active, the cell beside it does not."""
    circuit, digits = model.commitment.circuit, digits_for(model, IMAGE.tolist(), 2)
    row = next(hidden_row(circuit, i) for i in range(40) if digits[hidden_row(circuit, i)] and digits[hidden_row(circuit, i) + 1 : hidden_row(circuit, i) + 3] != [0, 0])
    refused_without(model, digits, {row + 1: 0, row + 2: 0}, "sign")


def test_an_activation_that_is_not_relu(model):
    circuit, digits = model.commitment.circuit, digits_for(model, IMAGE.tolist(), 2)
    row = hidden_row(circuit, 0)
    refused_without(model, digits, {row + 2: 77}, "relu")


def test_a_digit_that_is_no_byte(model):
    """The middle byte takes 256 from the top one, which is then one less: the activation stays, but here the low one takes from it."""
    circuit, digits = model.commitment.circuit, digits_for(model, IMAGE.tolist(), 2)
    row = next(hidden_row(circuit, i) for i in range(40) if digits[hidden_row(circuit, i)] and digits[hidden_row(circuit, i) + 2])
    digits[row + 2] -= 1
    digits[row + 3] += 256
    refused_without(model, digits, {}, "lookup")


def refused_without(model, digits: list[int], cells: Mapping[int, int], guard: str) -> None:
    """Later layers read the forged activations: their packs follow, and the claim is what they then say."""
    circuit, own = model.commitment.circuit, settle(model.commitment.circuit, digits, cells)["cell"]
    last = model.network.layers[1]
    read = [own[hidden_row(circuit, i) + 2] for i in range(40)]
    logits = [b + sum(w * a for w, a in zip(row, read)) for row, b in zip(last.weights.tolist(), last.bias.tolist())]
    digit = logits.index(max(logits))
    for index, logit in enumerate(logits):
        value = max(logits) + (1 << 46) if index == digit else max(logits) - logit - (index < digit)
        write(digits, circuit.difference_group.value_row(index), value)
    trace = settle(circuit, digits, cells)
    assert logits != logits_of(model.network) or guard == "lookup"
    refused(second_claim(model, IMAGE, digit, trace), FailedOpening, MISMATCH, PYTHON)
    with without_constraint(guard):
        assert accepted(second_claim(model, IMAGE, digit, trace), PYTHON) == digit


def test_what_cell_adds_at_x_over_shift(model, monkeypatch):
    """A sum of cells other than zero stands at alpha^0, where no equation is. If the equation of a pack were there, it would be free."""

    def raised(layer, z):
        return [z[0], *z[1:39], z[39] + 4096] if layer == 0 else z

    def attempt():
        digits = digits_for(model, IMAGE.tolist(), 2, raised)
        run = settle(circuit, digits_for(model, IMAGE.tolist(), 2))["horner"][end]
        off = settle(circuit, digits)["horner"][end] - run
        found = logits_after(model, raised)
        digit = found.index(max(found))
        digits = digits_for(model, IMAGE.tolist(), digit, raised)
        return digit, second_claim(model, IMAGE, digit, settle(circuit, digits, total=off))

    circuit = model.commitment.circuit
    assert circuit.layer_groups[0].packs == 4
    end = circuit.layer_groups[0].pack_row(3) + 40
    digit, claim = attempt()
    refused(claim, FailedOpening, MISMATCH, PYTHON)
    with monkeypatch.context() as patch:
        patch.setattr(layout, "FIRST_EXPONENT", 0)
        forget(model)
        assert circuit.pack_exponent(0, 3) == 0
        digit, claim = attempt()
        assert accepted(claim, NATIVE) == digit
    forget(model)


def forget(model) -> None:
    """Exponents are counted anew."""
    linear.equations.cache_clear()
    for circuit in (model.commitment.circuit, model.compiled.circuit):
        circuit.__dict__.pop("row_columns", None)


def logits_after(model, change):
    read = IMAGE.tolist()
    for number, layer in enumerate(model.network.layers):
        z = change(number, [b + sum(w * a for w, a in zip(row, read)) for row, b in zip(layer.weights.tolist(), layer.bias.tolist())])
        read = [max(value, 0) >> layer.shift for value in z]
    return z


# hostile owners


def test_rows_of_the_highest_degree_never_give_two_classes():
    """Whatever stands in the coefficients that no input reads, up to X^4095: the model says what it said, and nothing else."""
    model = committed(random_network(3, (12, 40, 3)))

    def fill(rows):
        first = rows[0]
        first += [0] * (4096 - len(first))
        for at in range(4096):
            if at % 1024 >= 13 and at % 1024 != 1023:
                first[at] = at * 7919 + 1

    owner = hostile(model, fill)
    digit = model.predict(IMAGE)
    assert accepted(claim_of(Forger(owner, said(IMAGE, digit))), PYTHON) == digit
    for other in {0, 1, 2} - {digit}:
        trace = settle(owner.commitment.circuit, digits_for(owner, IMAGE.tolist(), other))
        refused(second_claim(owner, IMAGE, other, trace), FailedOpening, MISMATCH, NATIVE)


def test_weights_where_no_pack_is():
    """A block without a pack has a power of alpha of its own: what is there must come to zero, and is added to no other pack."""
    model = committed(random_network(3, (12, 20, 3)))

    def weigh(rows):
        rows[0] += [0] * (4096 - len(rows[0]))
        rows[0][3 * 1024] = 1

    owner = hostile(model, weigh)
    claims = [claim_of(Forger(owner, said(IMAGE, digit))) for digit in range(3)]
    for claim in claims:
        refused(claim, FailedOpening, MISMATCH, NATIVE)


def test_an_unused_slot_that_rows_read():
    """Five packs in eight slots: an owner's row reads a sign of the sixth, which only its pin holds at zero."""
    model = committed(random_network(4, (12, 45, 3)))
    circuit = model.commitment.circuit
    group = circuit.layer_groups[0]
    row = group.pack_row(5)

    def read(rows):
        rows[1][row + 2] = pow(2, 200) * 40_000_000

    owner = hostile(model, read)
    assert accepted(claim_of(Forger(owner, said(IMAGE, model.predict(IMAGE)))), NATIVE) == model.predict(IMAGE)
    digits = digits_for(owner, IMAGE.tolist(), 0)
    digits[row : row + 4] = [1, 255, 255, 0]
    logits = logits_of(model.network)
    logits[0] += 65535 * 40_000_000
    for index, logit in enumerate(logits):
        write(digits, circuit.difference_group.value_row(index), logits[0] + (1 << 46) if index == 0 else logits[0] - logit)
    trace = settle(circuit, digits)
    refused(second_claim(owner, IMAGE, 0, trace), FailedOpening, MISMATCH, PYTHON)
    with replaced_property(SecondCircuit, "pinned_rows", ()):
        assert accepted(second_claim(owner, IMAGE, 0, trace), NATIVE) == 0


# what is stated


def test_every_scalar_and_point_matters(model):
    proof = Prover(model, said(IMAGE, 2)).prove()
    honest = second_honest(model, IMAGE)
    for name in proof.scalars:
        changed = proof.changed(scalars={name: proof.scalars[name] ^ 1})
        refused(honest.with_proof(changed.to_bytes()), FailedOpening, MISMATCH, NATIVE)
    for name in proof.points:
        changed = proof.changed(points={name: proof.points[name] + proof.points["cell"]})
        refused(honest.with_proof(changed.to_bytes()), FailedOpening, MISMATCH, NATIVE)
    wrong = np.array(IMAGE)
    wrong[0] ^= 1
    with pytest.raises(FailedOpening):
        accepted(type(honest)(honest.commitment, wrong.tobytes(), proof.to_bytes()), NATIVE)
