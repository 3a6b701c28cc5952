"""Line 25: in wide circuits, a key that hides among others, bits that are none, lanes nobody counts, packs nobody uses.

Every lie changes one hidden activation so that the network would give another class; everything else is made to fit.
"""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest
from forger import Forger
from freezing import frozen_everywhere as frozen
from guards import rewritten_constraints, with_public, without_constraint
from support import random_image, refuses
from verdicts import MISMATCH, NATIVE, PYTHON, accepted, refused
from wide_forger import (
    LANE, committed, lane_before, number_at, deceivable, place_of, put, settle, sheet_of, wide_claim, wide_honest, wide_lies, wide_network,
    wide_run,
)  # fmt: skip

from zkpredict.circuits.expression import Cell, Public
from zkpredict.circuits.gadgets.base import Constraint
from zkpredict.circuits.networks.activations import RELU8
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.wide import keys
from zkpredict.prover.prove import Prover, UnprovableTrace
from zkpredict.verifier.errors import FailedOpening

IMAGE = random_image(25, 12)


def gone(z: int, activation: int) -> int | None:
    """An active neuron that says 0."""
    return 0 if z > 0 else None


def minus(z: int, activation: int) -> int | None:
    """An active neuron that says minus its value."""
    return -activation if z > 0 else None


def raised(z: int, activation: int) -> int | None:
    """An active neuron that says 4000 more."""
    return activation + 4000 if z > 0 else None


def top_of(z: int) -> int:
    """The top byte of a lane that holds z at shift 4."""
    return ((z << 4) + (1 << 23)) >> 16


def middle_of(z: int) -> int:
    return z >> 4 & 255


def as_exact(z: int, activation: int) -> int | None:
    """A saturated neuron that says its middle byte."""
    return middle_of(z) if 128 < top_of(z) < 255 else None


def thrice_exact(z: int, activation: int) -> int | None:
    """One in range, with 3 in the place of the bit that says so."""
    return 3 * middle_of(z) + 255 * (1 - 3) if top_of(z) == 128 else None


def unsaturated(z: int, activation: int) -> int | None:
    """A saturated neuron that says 0."""
    return 0 if 128 < top_of(z) < 255 else None


def below_zero(z: int, activation: int) -> int | None:
    """A saturated neuron with the bits (0, 1)."""
    return middle_of(z) - 255 if 128 < top_of(z) < 255 else None


RELU_LIES, RELU8_LIES = (gone, minus, raised), (as_exact, thrice_exact, unsaturated, below_zero)


@pytest.fixture(scope="module")
def relu():
    return committed(deceivable(IMAGE, RELU_LIES, shape=(12, 30, 3), shift=3))


@pytest.fixture(scope="module")
def relu8():
    return committed(deceivable(IMAGE, RELU8_LIES, shape=(12, 30, 3), activation=RELU8, shift=4, largest=30))


def first(found):
    assert found
    return found[0]


def behind_another(model, lie) -> bool:
    """Whether the neuron has one before it in its pack, with room to move its lowest byte."""
    place = place_of(model.commitment.circuit.bands[0], lie.neuron)
    if place[1] % 32 % 10 == 0:
        return False
    before = number_at(sheet_of(model, lie.pre_activations, lie.digit), lane_before(place)) & 255
    return 8 <= before < 248


def forged(model, lie, change, gamma=None):
    """The lie's trace after `change(sheet, place)`, which gives bits (column, row) of its own."""
    circuit = model.commitment.circuit
    sheet = sheet_of(model, lie.pre_activations, lie.digit)
    bits = change(sheet, place_of(circuit.bands[0], lie.neuron)) or {}
    return wide_claim(model, IMAGE, lie.digit, settle(circuit, sheet, bits, gamma))


def tops_up(by: int):
    """`by` more in the top byte, which is by / 256 in the lane before: the pack's value stays."""

    def change(sheet, place):
        put(sheet, place, number_at(sheet, place) + (by << 16))
        before = lane_before(place)
        put(sheet, before, number_at(sheet, before) - by // 256)

    return change


def with_bits(change=None, **bits: int):
    """Bits of the lane, by the name of their column without its track."""

    def both(sheet, place):
        if change is not None:
            change(sheet, place)
        return {(f"{name}{place[0]}", place[1]): value for name, value in bits.items()}

    return both


def moved_remainder(by: int):
    """256 `by` less in the lowest limb, `by` more in the middle one: the lane's value stays."""

    def change(sheet, place):
        track, row = place
        sheet[f"mid{track}"][row] += by
        sheet[f"low{track}"][row] -= by << 8

    return change


def put_to_test(model, lie, change, guard, by=PYTHON) -> None:
    """Refused, and accepted when the guard is gone."""
    refused(forged(model, lie, change), FailedOpening, MISMATCH)
    with guard:
        assert accepted(forged(model, lie, change), by) == lie.digit


def put_to_test_knowing(gamma: int, model, lie, change) -> None:
    """Refused, and accepted when gamma is known beforehand: then multiplicities count what passes for something else."""
    refused(forged(model, lie, change, gamma), FailedOpening, MISMATCH)
    with frozen(gamma=gamma):
        assert accepted(forged(model, lie, change, gamma), PYTHON) == lie.digit


def test_the_honest_twins(relu, relu8):
    for model in (relu, relu8):
        assert accepted(wide_honest(model, IMAGE)) == model.predict(IMAGE)


def test_a_rescale_with_a_free_remainder(relu):
    by = 4000
    lie = first(wide_lies(relu.network, IMAGE, raised))
    put_to_test(relu, lie, moved_remainder(by), frozen(theta=0))


def test_the_lookup_stands_in_the_one_sum(relu):
    """The honest prover finds no column of sums for a limb that is no byte."""

    class Stubborn(Forger):
        run, bounded, open = Prover.run, Prover.bounded, Prover.open

    lie = first(wide_lies(relu.network, IMAGE, raised))
    sheet = sheet_of(relu, lie.pre_activations, lie.digit)
    moved_remainder(4000)(sheet, place_of(relu.commitment.circuit.bands[0], lie.neuron))
    sheet = settle(relu.commitment.circuit, sheet)
    stubborn = type("Stubborn", (Stubborn,), {"trace": lambda self: sheet})
    from zkpredict.circuits.statement import Statement

    with refuses(UnprovableTrace, "the sum sum does not close: the claim is false"):
        stubborn(relu, Statement(IMAGE.tobytes(), lie.digit)).prove()


def test_a_flipped_sign(relu):
    """An active neuron that claims to be negative."""
    lie = first(wide_lies(relu.network, IMAGE, gone))
    put_to_test(relu, lie, with_bits(sign=0), frozen(theta=0))


def test_a_sign_key_that_hides_among_the_bytes(relu):
    """The design without gamma: codes are bytes plus 512. Then top = byte - 512 passes for that byte, whatever its sign says, and the
    lane before takes the two that are missing in the pack. Codes that are apart by a known number are so only for small numbers."""
    lie = first([one for one in wide_lies(relu.network, IMAGE, gone) if behind_another(relu, one)])
    put_to_test_knowing(512, relu, lie, with_bits(tops_up(-512), sign=0))


def test_without_gamma_any_byte_has_any_sign(relu):
    lie = first(wide_lies(relu.network, IMAGE, gone))
    put_to_test_knowing(0, relu, lie, with_bits(sign=0))


def test_a_sign_that_is_no_bit(relu):
    """With sign -1 the top byte is looked up among the plain bytes: the activation is minus what it was."""
    lie = first(wide_lies(relu.network, IMAGE, minus))
    put_to_test(relu, lie, with_bits(sign=-1), without_constraint("sign of track 0 is a bit"))


# saturation


def test_saturation_skipped(relu8):
    """A saturated neuron that says its middle byte as if it were exact."""
    lie = first(wide_lies(relu8.network, IMAGE, as_exact))
    put_to_test(relu8, lie, with_bits(exact=1), without_constraint("exact of track 0 says 128"))


def test_an_exact_bit_that_is_none(relu8):
    """exact = 3 at top = 128 is looked up as 131."""
    lie = first(wide_lies(relu8.network, IMAGE, thrice_exact))
    put_to_test(relu8, lie, with_bits(exact=3), without_constraint("exact of track 0 is a bit"))


@pytest.mark.parametrize("sign, exact", [(0, 0), (0, 1)])
def test_wrong_pairs_of_bits(relu8, sign, exact):
    """A saturated neuron that says 0, or mid - 255, with any bits but its own."""
    lie = first(wide_lies(relu8.network, IMAGE, below_zero if exact else unsaturated))
    guards = [without_constraint("exact of track 0 says 128")] if exact else []
    with guards[0] if guards else nullcontext():
        refused(forged(relu8, lie, with_bits(sign=sign, exact=exact)), FailedOpening, MISMATCH, NATIVE)
        with frozen(theta=0):
            assert accepted(forged(relu8, lie, with_bits(sign=sign, exact=exact)), NATIVE) == lie.digit


def test_a_saturated_top_under_the_other_sign(relu8):
    """What a first version let pass: codes for pairs of bits that lie in one range, and a top that nobody says is a byte. 256 more in
    the top and the sign gone is the same code when tags are 256 apart."""
    lie = first([one for one in wide_lies(relu8.network, IMAGE, unsaturated) if behind_another(relu8, one)])
    put_to_test_knowing(256, relu8, lie, with_bits(tops_up(256), sign=0, exact=0))


def test_the_table_says_129_once_for_exact_lanes():
    """128 is in neither half of the table that saturating circuits look up."""
    entries = keys.table(True)
    assert set(entries[1::4]) == set(range(128)) and set(entries[3::4]) == set(range(129, 256))
    assert set(entries[::2]) == set(range(256))
    assert set(keys.table(False)[3::4]) == set(range(128, 256))


# lanes and packs that nobody counts


TAKEN = 1 << 18
"""What an idle lane takes from the last lane before it."""


def lowered(z: int, activation: int) -> int | None:
    """The activation of a lane with `TAKEN` less, at shift 3."""
    return max(0, (z << 5) - TAKEN) >> 8 if z << 5 > TAKEN else None


@pytest.fixture(scope="module")
def sixty():
    """60 neurons: the last of them is the last lane before idle rows, and what it says decides between two classes."""
    hidden = wide_network(60, (12, 60, 3), shift=3).layers[0]
    bias = hidden.bias.copy()
    bias[59] = 20_000 - int(hidden.weights[59] @ IMAGE.astype(int))
    upright = DenseLayer(hidden.weights, bias, 3)
    said = 20_000 >> 3
    last = np.zeros((3, 60), dtype=np.int64)
    last[0, 59] = 1
    return committed(IntegerNetwork((upright, DenseLayer(last, np.array([0, said - 1, 0])))))


def test_idle_lanes_do_not_count(sixty):
    """The last neuron is lowered and an idle lane holds what is missing: it would count if the fold took idle rows in."""
    circuit = sixty.commitment.circuit
    track, row = place_of(circuit.bands[0], 59)
    assert row % 32 == 29 and row > 32 and sixty.compiled.scales[0] == 5
    lie = first([lie for lie in wide_lies(sixty.network, IMAGE, lowered) if lie.neuron == 59])

    def change(sheet, place):
        put(sheet, place, number_at(sheet, place) - TAKEN)
        put(sheet, (place[0], place[1] + 1), TAKEN)

    def counted(_, constraints):
        fold = Cell("fold")
        step = LANE + Public("pack_step") * Public("pack_head") - (LANE - 1) * Public("idle")
        lanes = 65536 * Cell("top0") + 256 * Cell("mid0") + Cell("low0")
        own = fold.next - step * fold - (1 - Public("idle") + Public("one")) * lanes + Public("last") * fold
        return tuple(Constraint("fold", own) if one.name == "fold" else one for one in constraints)

    refused(forged(sixty, lie, change), FailedOpening, MISMATCH)
    with with_public("one", lambda *_: {row + 1: 1}), rewritten_constraints(counted), solved_in_force():
        assert accepted(forged(sixty, lie, change), NATIVE) == lie.digit


def solved_in_force():
    """Forgers solve every column by the constraints in force."""
    return replaced_method(Forger, "solved", Prover.solved)


class replaced_method:
    """A method of a class is this function."""

    def __init__(self, owner, name, function):
        self.patch, self.change = pytest.MonkeyPatch(), (owner, name, function)

    def __enter__(self):
        self.patch.setattr(*self.change)

    def __exit__(self, *_):
        self.patch.undo()


def test_idle_lanes_hold_any_bytes(sixty):
    """They say nothing: the true claim is accepted with them. What is no byte is refused even there."""
    circuit, truth = sixty.commitment.circuit, sixty.predict(IMAGE)
    sheet = sheet_of(sixty, wide_run(sixty.network, IMAGE.tolist()), truth)
    put(sheet, (0, 94), 0x123456)
    assert accepted(wide_claim(sixty, IMAGE, truth, settle(circuit, sheet)), NATIVE) == truth
    sheet["mid0"][95] = 256
    refused(wide_claim(sixty, IMAGE, truth, settle(circuit, sheet)), FailedOpening, MISMATCH, NATIVE)


def standing(constraint):
    """The sum that adds nothing."""
    return Constraint("sum", Cell("sum").next - Cell("sum") + 0 * constraint.expression)


@pytest.mark.parametrize("kind", ["spare pack of the layer", "pack of no layer", "spare place of a pack in use"])
def test_packs_and_places_that_nobody_uses_are_pinned(relu, sixty, kind):
    """Anything but their offset is refused, though the claim is true."""
    model = sixty if kind == "spare pack of the layer" else relu
    circuit, truth = model.commitment.circuit, model.predict(IMAGE)
    band = circuit.output if kind.startswith("spare place") else circuit.bands[0]
    taken = {place for one in circuit.bands for place in one.pack_places()}
    rows = [row for row in range(circuit.domain) if row % 32 in (0, 10, 20)]
    if kind == "spare pack of the layer":
        spare = list(circuit.output.pack_places())[circuit.output.packs :]
        track, row = spare[0]
    elif kind == "pack of no layer":
        track, row = next((0, row) for row in rows if (0, row) not in taken)
    else:
        track, row = place_of(band, band.values - 1)
        row += 2
    sheet = sheet_of(model, wide_run(model.network, IMAGE.tolist()), truth)
    assert accepted(wide_claim(model, IMAGE, truth, sheet), NATIVE) == truth
    put(sheet, (track, row), number_at(sheet, (track, row)) + 1)
    refused(wide_claim(model, IMAGE, truth, settle(circuit, sheet)), FailedOpening, MISMATCH, NATIVE)
    with rewritten_constraints(lambda _, found: tuple(standing(one) if one.name == "sum" else one for one in found)):
        assert accepted(wide_claim(model, IMAGE, truth, settle(circuit, sheet)), NATIVE) == truth
