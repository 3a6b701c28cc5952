"""Line 28: rational gates: a remainder that reaches the denominator or is negative, a quotient off by one, a sign flip, zero, both ends.

Every lie moves one hidden activation, of one neuron that decides between two classes.
"""

from __future__ import annotations

import numpy as np
import pytest
from freezing import frozen_everywhere as frozen
from guards import without_constraint
from verdicts import MISMATCH, NATIVE, PYTHON, accepted, refused
from wide_forger import committed, divide, place_of, settle, sheet_of, wide_claim, wide_honest, wide_run

from zkpredict.circuits.debug import check_trace
from zkpredict.circuits.networks.activations import RationalRelu, RationalSquare, Softsign
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.witness import build_trace
from zkpredict.verifier.errors import FailedOpening

IMAGE = np.zeros(3, dtype=np.uint8)
GATES = [RationalSquare(4096), RationalRelu(4096), Softsign(255, 1000)]
SHIFT = 8


def deciding(gate, u: int, delta: int):
    """One neuron with the argument u on a black image: class 0 wins with its true activation, class 1 with `delta` more."""
    value = gate.at(u)
    hidden = DenseLayer(np.zeros((1, 3), dtype=np.int64), np.array([u << SHIFT]), SHIFT, gate)
    sign = 1 if delta > 0 else -1
    # Z_1 - Z_0 = sign (2 a - 2 value) - 1: minus one for the truth, and 2 |delta| - 1 for the lie
    last = DenseLayer(np.array([[0], [2 * sign]]), np.array([1 + 2 * sign * value, 0]))
    model = committed(IntegerNetwork((hidden, last)))
    assert model.predict(IMAGE) == 0
    run = wide_run(model.network, IMAGE.tolist())
    lie = [2 * sign * value + 1, 2 * sign * (value + delta)]
    return model, [run[0], lie]


def forged(model, lie, change):
    """The lie's trace, after `change(sheet, place)` on the neuron's row."""
    circuit = model.commitment.circuit
    sheet = settle(circuit, sheet_of(model, lie, 1))
    place = place_of(circuit.bands[0], 0)
    bits = change(sheet, place)
    fields = {}
    for word in ("value_high", "value_low", "rem_high", "rem_low", "room_high", "room_low", "odd_value"):
        name = f"{word}{place[0]}"
        if name in sheet:
            fields[name, place[1]] = sheet[name][place[1]]
    return wide_claim(model, IMAGE, 1, settle(circuit, sheet, fields | (bits or {})))


def off_by(delta: int):
    """The activation `delta` off, with the remainder that goes with it: too large, or negative."""

    def change(sheet, place):
        gate = change.gate
        halves = f"odd_value{place[0]}" in sheet
        divide(gate, sheet, place, shift=delta * (2 if halves else 1))

    return change


@pytest.mark.parametrize("gate", GATES, ids=str)
@pytest.mark.parametrize("u", [0, -1, 700, 32767, -32767])
@pytest.mark.parametrize("delta", [-1, 1])
def test_a_quotient_off_by_one(gate, u, delta):
    """One less: the remainder reaches the denominator. One more: it is negative. At zero, beside it, and at both ends."""
    model, lie = deciding(gate, u, delta)
    change = off_by(delta)
    change.gate = gate
    by = PYTHON if u == 0 and gate == GATES[1] else NATIVE
    assert accepted(wide_honest(model, IMAGE), by) == 0
    refused(forged(model, lie, change), FailedOpening, MISMATCH, by)
    if u == 0:
        with frozen(theta=0):
            assert accepted(forged(model, lie, change), by) == 1


@pytest.mark.parametrize("name", ["quotient of track 0", "remainder of track 0 is below"])
@pytest.mark.parametrize("gate", GATES[:2], ids=str)
def test_each_equation_of_the_division_matters(gate, name):
    """Without the first the remainder says nothing of the quotient; without the second it may be the denominator or more."""
    model, lie = deciding(gate, 3000, -1)

    def change(sheet, place):
        divide(gate, sheet, place, shift=-2 if f"odd_value{place[0]}" in sheet else -1)
        words = ("rem", "room") if name.startswith("quotient") else ("room",)
        if words[0] == "rem":  # bytes that add up, for a remainder that is none
            below = gate.denominator(3000) // (2 if f"odd_value{place[0]}" in sheet else 1)
            for word, number in (("rem", 0), ("room", below - 1)):
                sheet[f"{word}_high{place[0]}"][place[1]], sheet[f"{word}_low{place[0]}"][place[1]] = divmod(number, 256)
        else:
            sheet[f"room_high{place[0]}"][place[1]] = sheet[f"room_low{place[0]}"][place[1]] = 0

    refused(forged(model, lie, change), FailedOpening, MISMATCH)
    with without_constraint(name):
        assert accepted(forged(model, lie, change), PYTHON) == 1


def test_a_lowest_bit_that_is_none():
    """With odd = 3 in the place of 1 the activation is one less, and the quotient the same."""
    gate = GATES[1]
    u = next(u for u in range(3000, 3100) if (gate.numerator(u) // (gate.denominator(u) // 2)) & 1)
    model, lie = deciding(gate, u, -1)

    def change(sheet, place):
        divide(gate, sheet, place)
        word = 256 * sheet["value_high0"][place[1]] + sheet["value_low0"][place[1]] - 1
        sheet["value_high0"][place[1]], sheet["value_low0"][place[1]] = divmod(word, 256)
        sheet["odd_value0"][place[1]] += 2

    refused(forged(model, lie, change), FailedOpening, MISMATCH)
    with without_constraint("odd of track 0 is a bit"):
        assert accepted(forged(model, lie, change), PYTHON) == 1


def test_a_sign_flip():
    """|u| becomes -|u|: another quotient, in all its parts well-formed."""
    gate, u = Softsign(255, 32768), 20_000
    other = (255 * u) // (32768 - u)
    delta = other - gate.at(u)
    model, lie = deciding(gate, u, delta)

    def change(sheet, place):
        below = 32768 - u
        rest = 255 * u - other * below
        for word, number in (("value", other + 32768), ("rem", rest), ("room", below - 1 - rest)):
            sheet[f"{word}_high0"][place[1]], sheet[f"{word}_low0"][place[1]] = divmod(number, 256)
        return {("sign0", place[1]): 0}

    assert delta == 303
    refused(forged(model, lie, change), FailedOpening, MISMATCH)
    with frozen(theta=0):
        assert accepted(forged(model, lie, change), PYTHON) == 1


@pytest.mark.parametrize("gate", [*GATES, RationalSquare(1), RationalRelu(32768), Softsign(32767, 1), Softsign(1, 32768)], ids=str)
def test_every_argument_that_matters_holds_in_the_system(gate):
    """Thirty arguments at once, about zero and at both ends; double lanes hold any number in their lower lane too."""
    arguments = [-32768, -32767, -256, -255, -129, -128, -127, -2, -1, 0, 1, 2, 127, 128, 129, 255, 256, 32766, 32767, 5000]
    biases = np.array([max(u << SHIFT, 1 - (1 << 23)) for u in arguments])
    hidden = DenseLayer(np.zeros((len(biases), 3), dtype=np.int64), biases, SHIFT, gate)
    model = committed(IntegerNetwork((hidden, DenseLayer(np.ones((2, len(biases)), dtype=np.int64), np.array([0, 1])))))
    statement = Statement(IMAGE.tobytes(), 1)
    check_trace(model.compiled, statement, build_trace(model.compiled, statement), 3**100, 5**90)
    assert model.predict(IMAGE) == 1
