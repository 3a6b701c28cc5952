"""Line 18: a model owner who commits to garbage rows never has two digits proven for one image.

What may be read is pinned by selectors that the circuit fixes: a layer reads the activations of the layer before it and nothing
else, and slots that nobody uses hold zero. So even nonsense is a function of the image, or nothing at all.
"""

from __future__ import annotations

import random

import numpy as np
import pytest
from forger import Claim
from guards import replaced_property, rewritten_selectors
from owners import Owner, by_values, follow, owner_claim, wide_quotients
from support import random_image
from verdicts import MISMATCH, NATIVE, accepted, refused

from zkpredict.circuits.publics import Periodic
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.layout import Circuit
from zkpredict.verifier.errors import FailedOpening

IMAGE = random_image(18, 12)
TWO_LAYERS = Circuit((12, 21, 3), (1, 2), 1024)
THREE_LAYERS = Circuit((12, 6, 6, 3), (1, 1, 2), 1024)
FIRST_LOGIT = 1 << 192
"""Weight of value 0 in a pack of logits: five of 48 bits, value 0 on top."""


def attempt(owner: Owner, digit: int, **cheats) -> Claim:
    """The best forgery for `digit`."""
    return owner_claim(owner, IMAGE, digit, follow(owner, IMAGE.tolist(), digit, **cheats))


def provable(owner: Owner, **cheats) -> list[int]:
    """The digits that verifiers accept, when the forger tries each; all others are refused by all verifiers."""
    found = []
    for digit in range(owner.circuit.classes):
        claim = attempt(owner, digit, **cheats)
        try:
            accepted(claim, NATIVE)
        except FailedOpening:
            refused(claim, FailedOpening, MISMATCH, None if digit == 0 else NATIVE)
        else:
            found.append(accepted(claim))
    return found


def honest_hidden(circuit: Circuit, source: random.Random) -> list[list[int]]:
    """First-layer rows with small entries everywhere an image is read."""
    packs = circuit.layer_groups[0].packs
    return [[source.randrange(1 << 200) for _ in range(packs * (circuit.inputs + 1))]]


@pytest.mark.parametrize("degree", [1023, 1024, 3000, 4095])
def test_random_polynomials_of_any_degree_prove_nothing(degree, monkeypatch):
    """Their packs are random field elements, and one in 2^15 fits 30 bytes."""
    wide_quotients(monkeypatch)
    source = random.Random(degree)
    rows = [[[source.randrange(MODULUS) for _ in range(degree + 1)] for _ in range(TWO_LAYERS.row_count(t))] for t in (0, 1)]
    assert provable(Owner(TWO_LAYERS, rows)) == []


@pytest.mark.parametrize("seed", range(3))
def test_strange_rows_give_a_strange_function_of_one_digit(seed, monkeypatch):
    """Entries of 200 bits, coefficients wrapped around the domain, values on cells nobody reads: exactly one digit."""
    wide_quotients(monkeypatch)
    source = random.Random(seed)
    used = 3 * (TWO_LAYERS.inputs + 1)
    entries = [source.randrange(1 << 200) for _ in range(used)]
    high = [source.randrange(MODULUS) for _ in range(used)]
    first = [(entry - top) % MODULUS for entry, top in zip(entries, high)]
    first += [source.randrange(MODULUS) for _ in range(1024 - used)] + high + [0] * (4096 - 1024 - used)
    noise = {row: source.randrange(MODULUS) for row in range(1024) if row % 4 in (0, 3) and row != 7}
    read = {row: source.randrange(1 << 60) for row in range(2, 1024, 4)}
    second = by_values(noise | read | {3: source.randrange(1 << 191)}, 1024)
    assert len(provable(Owner(TWO_LAYERS, [[first], [second]]))) == 1


def own_activation(circuit: Circuit) -> int:
    """The cell with the top two limbs of logit 0: its value is Z_0 >> 32 without offset, if positive."""
    return circuit.layer_groups[-1].value_row(0) + 2


def rows_reading(circuit: Circuit, values: dict[int, int], bias: int = 0) -> list[list[list[int]]]:
    """All layers zero (but for their random entries), only the last reads `values` and has bias 1 on class 1, and `bias`."""
    unread = [[0] * (circuit.domain - 1) + [1]]
    between = [[by_values({11: 1}, circuit.domain)] for _ in range(circuit.layers - 2)]
    return [unread, *between, [by_values(values | {3: (1 << 144) + bias}, circuit.domain)]]


def reads_all(layer: int):
    """The guard removed: layer `layer` reads every cell."""
    rewrite = lambda circuit, alpha, found: found | {f"reads{layer}": Periodic(1, {0: 1})}
    return rewritten_selectors(rewrite)


def test_a_free_cell_is_not_read():
    """r3 of a lane is free: with its value the forger could choose logit 0."""
    row = TWO_LAYERS.layer_groups[0].value_row(0) + 4 * 5 + 3
    owner = Owner(TWO_LAYERS, rows_reading(TWO_LAYERS, {row: FIRST_LOGIT}))
    assert provable(owner, free={row: 5}) == [1] == provable(owner)
    with reads_all(1):
        assert accepted(attempt(owner, 0, free={row: 5}), NATIVE) == 0
        assert accepted(attempt(owner, 1), NATIVE) == 1


def test_a_layer_does_not_read_itself():
    """Z_0 = 2^32 (Z_0 >> 32) has a solution for every multiple of 2^32."""
    row = own_activation(TWO_LAYERS)
    owner = Owner(TWO_LAYERS, rows_reading(TWO_LAYERS, {row: FIRST_LOGIT << 32}))
    assert provable(owner, seed={row: 7}) == [1] == provable(owner)
    with reads_all(1):
        assert accepted(attempt(owner, 0, seed={row: 7}), NATIVE) == 0
        assert accepted(attempt(owner, 1), NATIVE) == 1


def test_no_layer_reads_a_later_one():
    """The middle layer copies logit 0 and the last copies the middle layer: a circle with many solutions."""
    middle, last = THREE_LAYERS.layer_groups[1], own_activation(THREE_LAYERS)
    copied = middle.value_row(0) + 2
    rows = rows_reading(THREE_LAYERS, {copied: FIRST_LOGIT << 32})
    rows[1] = [by_values({last: 1 << (middle.value_shift(0) + 8)}, 1024)]
    owner = Owner(THREE_LAYERS, rows)
    assert provable(owner, seed={last: 7}) == [1] == provable(owner)
    with reads_all(1):
        assert accepted(attempt(owner, 0, seed={last: 7}), NATIVE) == 0
        assert accepted(attempt(owner, 1), NATIVE) == 1


def test_the_differences_are_not_read():
    """With Z_2 = 2^33 - 2^47 the cell of D_2 holds (Z_0 >> 32) - 2 when 0 is claimed, and 0 when 1 is: Z_0 = 2^33 times it."""
    row = TWO_LAYERS.difference_group.value_row(2) + 2
    owner = Owner(TWO_LAYERS, rows_reading(TWO_LAYERS, {row: FIRST_LOGIT << 33}, ((1 << 33) - (1 << 47)) << 96))
    assert provable(owner, seed={row: 2}) == [1] == provable(owner)
    with reads_all(1):
        assert accepted(attempt(owner, 0, seed={row: 2}), NATIVE) == 0
        assert accepted(attempt(owner, 1), NATIVE) == 1


def lane_of(circuit: Circuit, slot: int, lane: int) -> int:
    return circuit.layer_groups[0].pack_row(slot) + 4 * lane


def free_lane(circuit: Circuit, start: int) -> dict[int, int]:
    """Limbs for the lane at `start` with the activation 5, all of them bytes."""
    return {start + 1: 128, start + 2: 5}


def with_lane(owner: Owner, digit: int, start: int) -> Claim:
    """A forgery that writes an activation of its choice into a lane of the hidden layer that holds no neuron."""
    from forger import complete, write_value
    from owners import pack_values, read_values, write_pack

    circuit = owner.circuit
    limb = list(follow(owner, IMAGE.tolist(), digit)["limb"])
    for row, value in free_lane(circuit, start).items():
        limb[row] = value
    for pack, value in enumerate(pack_values(owner, 1, IMAGE.tolist(), complete(circuit, limb))):
        write_pack(limb, circuit.layer_groups[1], pack, value)
    logits = read_values(circuit, complete(circuit, limb))
    for index, logit in enumerate(logits):
        write_value(limb, circuit.difference_group, index, logits[digit] - logit - (index < digit))
    return owner_claim(owner, IMAGE, digit, complete(circuit, limb))


def test_unused_slots_are_pinned_to_zero():
    """The fourth slot of a layer of three packs belongs to the layer, so its activations are read; its limbs are anybody's."""
    start = lane_of(TWO_LAYERS, 3, 0)
    owner = Owner(TWO_LAYERS, rows_reading(TWO_LAYERS, {start + 2: FIRST_LOGIT}))
    assert provable(owner) == [1]
    refused(with_lane(owner, 0, start), FailedOpening, MISMATCH)
    with replaced_property(Circuit, "pinned_rows", ()):
        assert accepted(with_lane(owner, 0, start), NATIVE) == 0
        assert accepted(attempt(owner, 1), NATIVE) == 1


def test_lanes_behind_the_tenth_are_not_read():
    """A pack has room for sixteen lanes and uses ten: the others hold any bytes."""
    start = lane_of(TWO_LAYERS, 0, 12)
    owner = Owner(TWO_LAYERS, rows_reading(TWO_LAYERS, {start + 2: FIRST_LOGIT}))
    assert provable(owner) == [1]
    refused(with_lane(owner, 0, start), FailedOpening, MISMATCH)

    def sixteen(circuit, _, found):
        group = circuit.layer_groups[0]
        rows = {64 * group.residue + 4 * lane + 2: 1 for lane in range(16)}
        return found | {"reads1": Periodic(group.stride * 64, rows)}

    with rewritten_selectors(sixteen):
        assert accepted(with_lane(owner, 0, start), NATIVE) == 0
        assert accepted(attempt(owner, 1), NATIVE) == 1


def test_rows_that_overflow_their_pack_prove_nothing():
    """Logits beyond 2^240, and negative ones without an offset to hold them."""
    for entry in (1 << 240, -(1 << 240), MODULUS // 2):
        owner = Owner(TWO_LAYERS, rows_reading(TWO_LAYERS, {}))
        owner.rows[1][0][:] = by_values({3: entry}, 1024)
        assert provable(owner) == []


def test_a_row_for_a_pack_that_does_not_exist_proves_nothing():
    """The second reading of the last row has an equation of its own: it must give 0."""
    owner = Owner(TWO_LAYERS, rows_reading(TWO_LAYERS, {7: 1}))
    assert provable(owner) == []


def test_rows_that_differ_only_where_nobody_reads_are_one_function():
    source = random.Random(5)
    hidden = honest_hidden(TWO_LAYERS, source)
    read = {TWO_LAYERS.layer_groups[0].value_row(j) + 2: source.randrange(1 << 60) for j in range(21)}
    digits = []
    for noise in (0, 1):
        values = read | {row: noise * source.randrange(MODULUS) for row in range(1024) if row % 4 == 0}
        digits += provable(Owner(TWO_LAYERS, [hidden, [by_values(values, 1024)]]))
    assert len(digits) == 2 and digits[0] == digits[1]
    assert np.unique(digits).size == 1
