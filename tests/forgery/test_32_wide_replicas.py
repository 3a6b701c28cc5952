"""Line 32: circuits with replicas: one that differs from its twins, rows that read what is not their seat's, powers of alpha that reach
another replica. And line 18 there: rows of any degree never give one image two classes."""

from __future__ import annotations

import random

import pytest
from guards import rewritten_constraints, rewritten_selectors, with_public
from owners import wide_quotients
from support import random_image
from test_26_wide_ends import in_force, provable
from verdicts import MISMATCH, NATIVE, accepted, refused
from wide_forger import activations_after, committed, number_at, place_of, put, settle, sheet_of, wide_claim, wide_honest, wide_network, wide_run
from wide_owners import DOUBLE, WideOwner, blank_rows, by_values, wide_follow, wide_owner_claim, write_pack

from zkpredict.circuits.expression import Cell, Public
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.gadgets.base import Constraint
from zkpredict.circuits.networks.activations import RELU
from zkpredict.circuits.publics import Periodic
from zkpredict.circuits.wide.replicas import ReplicaCircuit
from zkpredict.verifier.errors import FailedOpening

IMAGE = random_image(32, 12)
SHAPE = (12, 30, 22, 3)
"""One joined row: the hidden layers lie three times and once, and pack r of the second reads replica r of the first."""
CIRCUIT = ReplicaCircuit((12, 21, 12, 3), (1, 1), (RELU, RELU), 512, joined=1)
LANES = 65536 * Cell("top0") + 256 * Cell("mid0") + Cell("low0")


def differing(network):
    """The class when replica 1 of the first layer has another activation, and the pre-activations then: the middle ten neurons of the second
    layer read it."""
    honest = wide_run(network, IMAGE.tolist())
    for neuron, z in enumerate(honest[0]):
        other = [value + 3000 * (at == neuron and z > 0) for at, value in enumerate(activations_after(network, 0, honest[0]))]
        read = wide_run(network, other, 1)[0]
        middle = [*honest[1][:10], *read[10:20], *honest[1][20:]]
        last = wide_run(network, activations_after(network, 1, middle), 2)[0]
        if last.index(max(last)) != honest[2].index(max(honest[2])):
            return neuron, [honest[0], middle, last]
    return None


@pytest.fixture(scope="module")
def lie():
    """A model with such a lie: its neuron, and the run."""
    for seed in range(300):
        network = wide_network(seed, SHAPE, shift=4)
        if found := differing(network):
            return committed(network, joined=1), *found
    raise AssertionError("no such network")


def forged(lie):
    model, neuron, run = lie
    circuit, digit = model.commitment.circuit, run[2].index(max(run[2]))
    sheet = sheet_of(model, run, digit)
    place = place_of(circuit.groups(0)[1], neuron)
    put(sheet, place, number_at(sheet, place) + (3000 << 8))
    return wide_claim(model, IMAGE, digit, settle(circuit, sheet)), digit


def test_a_replica_that_differs_from_its_twins(lie):
    """Every replica's packs have equations of their own; without those of replica 1, another class passes."""
    model, _, run = lie
    circuit = model.commitment.circuit
    assert [circuit.copies(layer) for layer in range(3)] == [3, 1, 1] and circuit.total_rows == 3
    assert accepted(wide_honest(model, IMAGE)) == model.predict(IMAGE)
    claim, digit = forged(lie)
    refused(claim, FailedOpening, MISMATCH)
    rows = [row + lane for _, row in circuit.groups(0)[1].pack_places() for lane in range(10)]
    honest = sheet_of(model, run, digit)
    numbers = {row: number_at(honest, (0, row)) for row in rows}

    def unpinned(_, found):
        less = Public("skipped") * LANES - Public("numbers")
        return tuple(Constraint("fold", one.expression + less) if one.name == "fold" else one for one in found)

    with with_public("skipped", lambda *_: dict.fromkeys(rows, 1)), with_public("numbers", lambda *_: numbers):
        with rewritten_constraints(unpinned), in_force():
            assert accepted(forged(lie)[0], NATIVE) == digit


# hostile owners


@pytest.mark.parametrize("degree", [511, 4095])
def test_random_polynomials_prove_nothing(degree, monkeypatch):
    wide_quotients(monkeypatch)
    source = random.Random(degree)
    rows = {name: [[source.randrange(MODULUS) for _ in range(degree + 1)] for _ in own] for name, own in blank_rows(CIRCUIT).items()}
    assert provable(WideOwner(CIRCUIT, rows)) == []


def test_strange_rows_give_a_strange_function_of_one_class(monkeypatch):
    """Entries of 200 bits in the first layer, values everywhere on the joined row, high degrees: exactly one class."""
    wide_quotients(monkeypatch)
    source = random.Random(1)
    rows, used = blank_rows(CIRCUIT), CIRCUIT.inputs + 1
    for row in rows["rows0_0_0"]:
        row[:used] = [source.randrange(1 << 200) for _ in range(used)]
    seats = list(CIRCUIT.seats(0))
    values = {row: source.randrange(MODULUS) for row in range(512)}
    for seat in seats:
        bits = 40 if seat.layer == 2 else 180

        def entry(bits=bits, seat=seat):
            one = lambda: source.randrange(-(1 << bits - 20), 1 << bits - 20)  # noqa: E731
            return -sum(one() * DOUBLE ** (4 - i) for i in range(3)) if seat.layer == 2 else source.randrange(1 << bits)

        own = [row + lane for _, row in CIRCUIT.source(seat).pack_places() for lane in range(10)]
        values |= {row: entry() for row in (*own, seat.bias_row)}
    row = by_values(values, 512)
    rows["rows_0_0"] = [[(row[0] - 5) % MODULUS, *row[1:], 5, *[0] * 3583]]
    assert len(provable(WideOwner(CIRCUIT, rows))) == 1


def bias_of(layer: int) -> int:
    return next(seat.bias_row for seat in CIRCUIT.seats(0) if seat.layer == layer)


def test_an_idle_lane_is_not_read():
    """Its activation is the forger's choice: 5 or 0 times 2^192 for class 0, and class 1 has 2. Were the row read there with the weight
    of the last layer's pack, both classes would pass."""
    rows = blank_rows(CIRCUIT)
    rows["rows_0_0"] = [by_values({126: -(1 << 192), bias_of(2): -2 * DOUBLE**3}, 512)]
    owner, five = WideOwner(CIRCUIT, rows), {(0, 126): 0x8005 << 8}
    assert provable(owner, free=five) == [1]

    def all_read(circuit, alpha, found):
        return found | {"reads0_0_0": Periodic(1, {0: circuit.pack_weights(2, alpha)[0]})}

    with rewritten_selectors(all_read):
        assert accepted(free_claim(owner, 0, five, 5), NATIVE) == 0
        assert accepted(free_claim(owner, 1, {}, 2), NATIVE) == 1


def free_claim(owner, digit, free, logit):
    """With a first logit that an idle lane chooses."""
    sheet = wide_follow(owner, IMAGE.tolist(), digit, logit, free=free)
    pack = sum((logit - z - (i < digit)) * DOUBLE ** (4 - i) for i, z in enumerate([5 if free else 0, 2, 0]))
    write_pack(sheet, place_of(owner.circuit.output, 0), pack)
    return wide_owner_claim(owner, IMAGE, digit, settle(owner.circuit, sheet))


def test_no_layer_reads_itself_or_a_later_one():
    """The polynomial has entries at a difference, and at the second layer, whose lanes only the last layer's seat reads: a circle is none."""
    middle, last = place_of(CIRCUIT.groups(1)[0], 0)[1], place_of(CIRCUIT.output, 0)[1]
    rows = blank_rows(CIRCUIT)
    rows["rows_0_0"] = [by_values({last: 1 << 224, middle: -(1 << 192), bias_of(2): -DOUBLE**3}, 512)]
    assert provable(WideOwner(CIRCUIT, rows)) == [1]


def test_rows_that_reach_another_replica():
    """A row of the first layer has room for more packs than the layer has: its other places stand for powers of alpha that are packs of
    another replica, on the next track. From the last replica they are nobody's, so such rows prove nothing; without them, one class."""
    circuit, image = ReplicaCircuit((3, 150, 45, 3), (1, 1), (RELU, RELU), 512, joined=1), random_image(33, 3)
    assert circuit.tracks == 2 and [band.tracks for band in circuit.groups(0)] == [(0,), (0,), (0,), (1,), (1,)]
    lowest, place = [min(own) for own in circuit.exponents_of(0)], 18
    others = [exponent for own in circuit.exponents_of(0)[3:] for exponent in own]
    assert place < circuit.packs_per_row and lowest[0] + 3 * place in others and max(lowest) + 3 * place >= circuit.folded
    for reached, classes in ((0, 1), (1, 0)):
        rows = blank_rows(circuit)
        rows["rows0_0_0"][0][place * (circuit.inputs + 1)] = reached << 140
        last = next(seat.bias_row for seat in circuit.seats(0) if seat.layer == 2)
        rows["rows_1_0"] = [by_values({last: -DOUBLE**3}, 512)]
        assert len(provable(WideOwner(circuit, rows), image)) == classes
