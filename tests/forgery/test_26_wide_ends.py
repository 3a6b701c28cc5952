"""Lines 26 and 27: in wide circuits, differences or the largest logit without pinned signs, and powers of alpha that meet.

Also line 18 on wide circuits: rows of any degree below 4096 never give one image two classes.
"""

from __future__ import annotations

import random
from contextlib import contextmanager

import pytest
from guards import rewritten_constraints, rewritten_selectors, with_public, without_constraint
from owners import wide_quotients
from support import random_image
from verdicts import MISMATCH, NATIVE, PYTHON, accepted, refused
from wide_forger import (
    LANE, LARGEST, LESS_MARGIN, committed, double_at, number_at, place_of, put, put_double, settle, sheet_of, wide_claim,
    wide_honest, wide_network, wide_run,
)  # fmt: skip
from wide_owners import DOUBLE, WideOwner, blank_rows, by_values, logits_of, wide_follow, wide_owner_claim, write_pack

from zkpredict.circuits.expression import Cell, Challenge, Public
from zkpredict.circuits.field import MODULUS, inverse
from zkpredict.circuits.gadgets.base import Constraint
from zkpredict.circuits.networks.activations import RELU
from zkpredict.circuits.publics import Periodic
from zkpredict.circuits.wide.claims import Claim, Kind
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.verifier.errors import FailedOpening
from zkpredict.verifier.independent_wide import fold_exponents

IMAGE = random_image(26, 12)
SIGNS = "differences on track 0 are not negative"
WINNER = "the claimed class differs from itself by 0"
TWO_LAYERS = WideCircuit((12, 21, 3), (1,), (RELU,), 512)
THREE_LAYERS = WideCircuit((12, 6, 6, 3), (1, 1), (RELU, RELU), 512)


# an honest owner's forger


@pytest.fixture(scope="module")
def second():
    """A network whose largest logit is the last, and whose second class beats the first."""
    for seed in range(300):
        network = wide_network(seed, (12, 30, 3))
        logits = wide_run(network, IMAGE.tolist())[-1]
        if logits[0] + 1 < logits[1] < logits[2]:
            return committed(network)
    raise AssertionError("no such network")


def borrowed(model, digit: int):
    """Differences for a smaller logit, the pack of which borrows: M is one more, and the negative digit takes one from above."""
    circuit = model.commitment.circuit
    run = wide_run(model.network, IMAGE.tolist())
    sheet, logits = sheet_of(model, run, digit), run[-1]
    put_double(sheet, LARGEST, logits[digit] + 1 + (1 << 46))
    pack = sum((logits[digit] + 1 - z - (i < digit)) * DOUBLE ** (4 - i) for i, z in enumerate(logits))
    write_pack(sheet, place_of(circuit.output, 0), pack)
    return wide_claim(model, IMAGE, digit, settle(circuit, sheet))


def test_differences_that_borrow(second):
    assert second.predict(IMAGE) == 2 == accepted(wide_honest(second, IMAGE))
    refused(borrowed(second, 1), FailedOpening, MISMATCH)
    with without_constraint(SIGNS):
        assert accepted(borrowed(second, 1), PYTHON) == 1


@pytest.mark.parametrize("digit", [0, 1])
def test_another_class_with_honest_lanes(second, digit):
    """Its negative differences are residues: every sum fits, but their signs show."""
    circuit = second.commitment.circuit
    sheet = sheet_of(second, wide_run(second.network, IMAGE.tolist()), digit)
    refused(wide_claim(second, IMAGE, digit, settle(circuit, sheet)), FailedOpening, MISMATCH, NATIVE)


def test_a_class_that_differs_from_itself(second):
    """With D_y free any class passes: M is that of the largest logit, whatever is claimed."""
    circuit, run = second.commitment.circuit, wide_run(second.network, IMAGE.tolist())
    sheet, largest = sheet_of(second, run, 0), max(run[-1])
    put_double(sheet, LARGEST, largest + (1 << 46))
    for index, logit in enumerate(run[-1]):
        put_double(sheet, double_at(place_of(circuit.output, index)), largest - logit)
    sheet = settle(circuit, sheet)
    refused(wide_claim(second, IMAGE, 0, sheet), FailedOpening, MISMATCH)
    with without_constraint(WINNER):
        assert accepted(wide_claim(second, IMAGE, 0, sheet), PYTHON) == 0


@pytest.mark.parametrize("claim", [Claim(Kind.MARGIN, 1), Claim(Kind.THRESHOLD, 0)], ids=str)
def test_a_margin_or_threshold_that_is_not_reached(claim):
    """By one. A ranked difference shows its sign; a threshold's pack would be negative, which no lanes are."""
    shape = (12, 30, 3 if claim.ranked else 1)
    network = wide_network(7, shape)
    run = wide_run(network, IMAGE.tolist())
    best = max(run[-1])
    digit = run[-1].index(best)
    behind = sorted(run[-1])[-2] if claim.ranked else 0
    missing = best - behind + 1
    tight = committed(network, Claim(claim.kind, missing))
    reached = committed(network, Claim(claim.kind, missing - 1))
    assert accepted(wide_honest(reached, IMAGE)) == digit
    sheet = sheet_of(tight, run, digit)
    refused(wide_claim(tight, IMAGE, digit, sheet), FailedOpening, MISMATCH)


# hostile owners


def attempt(owner, digit, image=IMAGE, **cheats):
    """The best forgery for `digit`."""
    logits = logits_of(owner, image.tolist())
    return wide_owner_claim(owner, image, digit, wide_follow(owner, image.tolist(), digit, logits[digit], **cheats))


def provable(owner, image=IMAGE, **cheats):
    """The classes that verifiers accept, when the forger tries each."""
    found = []
    for digit in range(owner.circuit.classes):
        claim = attempt(owner, digit, image, **cheats)
        try:
            accepted(claim, NATIVE)
        except FailedOpening:
            refused(claim, FailedOpening, MISMATCH, PYTHON if digit == 0 else NATIVE)
        else:
            found.append(accepted(claim))
    return found


@pytest.mark.parametrize("degree", [511, 4095])
def test_random_polynomials_prove_nothing(degree, monkeypatch):
    wide_quotients(monkeypatch)
    source = random.Random(degree)
    rows = {
        column.name: [[source.randrange(MODULUS) for _ in range(degree + 1)] for _ in column.exponents]
        for column in TWO_LAYERS.row_columns
    }
    assert provable(WideOwner(TWO_LAYERS, rows)) == []


@pytest.mark.parametrize("seed", range(2))
def test_strange_rows_give_a_strange_function_of_one_class(seed, monkeypatch):
    """Entries of 200 bits, coefficients wrapped around the domain to degree 4095, values on cells nobody reads: exactly one class."""
    wide_quotients(monkeypatch)
    source = random.Random(seed)
    rows, used = blank_rows(TWO_LAYERS), TWO_LAYERS.inputs + 1
    entries = [source.randrange(1 << 200) for _ in range(used)]
    high = [source.randrange(MODULUS) for _ in range(used)]
    beyond = TWO_LAYERS.packs_per_row * used
    for row in rows["rows0_0_0"]:
        first = [(entry - top) % MODULUS for entry, top in zip(entries, high)] + [0] * (beyond - used)
        row[:] = first + [source.randrange(MODULUS) for _ in range(512 - beyond)] + high + [0] * (4096 - 512 - used)

    def logits(bits):
        return -sum(source.randrange(-(1 << bits), 1 << bits) * DOUBLE ** (4 - i) for i in range(3))

    noise = {row: source.randrange(MODULUS) for row in range(512) if row % 32 == 31}
    rows["rows1_0"] = [by_values(noise | {row: logits(20) for row in range(30)} | {30: logits(44)}, 512)]
    owner = WideOwner(TWO_LAYERS, rows)
    assert len(provable(owner)) == 1


def reads_all(layer: int):
    """The guard removed: layer `layer` reads every row of track 0."""
    return rewritten_selectors(lambda _, alpha, found: found | {f"reads{layer}_0": Periodic(1, {0: 1})})


def test_an_idle_lane_is_not_read():
    """Its activation is the forger's choice: 5 or 0 times 2^192 for class 0, and class 1 has 2."""
    rows = blank_rows(TWO_LAYERS)
    rows["rows1_0"] = [by_values({94: -(1 << 192), 30: -2 * DOUBLE**3}, 512)]
    owner = WideOwner(TWO_LAYERS, rows)
    five = {(0, 94): (0x8005 << 8)}
    assert provable(owner, free=five) == [1]
    with reads_all(1):
        assert accepted(free_claim(owner, 0, five, 5), NATIVE) == 0
        assert accepted(free_claim(owner, 1, {}, 2), NATIVE) == 1


def free_claim(owner, digit, free, logit):
    """With a first logit that an idle lane chooses."""
    image = IMAGE.tolist()
    sheet = wide_follow(owner, image, digit, logit, free=free)
    logits = [5 if free else 0, 2, 0]
    pack = sum((logit - z - (i < digit)) * DOUBLE ** (4 - i) for i, z in enumerate(logits))
    write_pack(sheet, place_of(owner.circuit.output, 0), pack)
    return wide_owner_claim(owner, IMAGE, digit, settle(owner.circuit, sheet))


def test_a_pack_to_spare_is_pinned():
    """The hidden layer of 21 has three packs in one block; a layer of 45 has a sixth, which nobody uses but its rows may read."""
    circuit = WideCircuit((12, 45, 3), (1,), (RELU,), 512)
    band = circuit.bands[0]
    spare = list(band.pack_places())[band.packs]
    rows = blank_rows(circuit)
    rows["rows1_0"] = [by_values({spare[1]: -(1 << 192), 30: -2 * DOUBLE**3}, 512)]
    owner = WideOwner(circuit, rows)
    assert provable(owner) == [1]

    def with_five(digit, logit):
        sheet = wide_follow(owner, IMAGE.tolist(), digit, logit)
        put(sheet, spare, 0x8005 << 8)
        pack = sum((logit - z - (i < digit)) * DOUBLE ** (4 - i) for i, z in enumerate([5, 2, 0]))
        write_pack(sheet, place_of(circuit.output, 0), pack)
        return wide_owner_claim(owner, IMAGE, digit, settle(circuit, sheet))

    refused(with_five(0, 5), FailedOpening, MISMATCH)

    def skipping(_, found):
        lanes = 65536 * Cell("top0") + 256 * Cell("mid0") + Cell("low0")
        less = Public("skipped") * (lanes - LANE // 2)
        return tuple(Constraint(c.name, c.expression + less) if c.name == "fold" else c for c in found)

    skipped = {spare[1] + lane: 1 for lane in range(10)}
    with with_public("skipped", lambda *_: skipped), rewritten_constraints(skipping), in_force():
        assert accepted(with_five(0, 5), NATIVE) == 0
        assert accepted(attempt(owner, 1), NATIVE) == 1


@contextmanager
def in_force():
    """Forgers solve every column by the constraints in force."""
    from forger import Forger
    from zkpredict.prover.prove import Prover

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Forger, "solved", Prover.solved)
        yield


def test_no_layer_reads_itself_or_a_later_one():
    """The middle layer copies logit 0's lane and the last layer copies the middle one: a circle with many solutions, were it read."""
    last = place_of(THREE_LAYERS.output, 0)[1]
    rows = blank_rows(THREE_LAYERS)
    rows["rows1_0"] = [by_values({last: 1 << (216 + 8)}, 512)]
    rows["rows2_0"] = [by_values({place_of(THREE_LAYERS.bands[1], 0)[1]: -(1 << 192), 30: -DOUBLE**3}, 512)]
    assert provable(WideOwner(THREE_LAYERS, rows)) == [1]


# margins: two classes with one M each


MARGIN = WideCircuit((12, 3), (), (), 512, Claim(Kind.MARGIN, 3))


def margins_that_wrap():
    """M of class 1 is 2^47 - 2 and M' of class 2 is 0: then digit 1 differs by 2^48, which the digit before takes.

    With delta = M - M': D_0 = delta + 1, D_1 = 0, D_2 = delta - m, and D'_0 = 0, D'_1 = 2^48 - delta - m, D'_2 = 0.
    """
    m, delta = 3, (1 << 47) - 2
    differences = {1: [delta + 1, 0, delta - m], 2: [0, DOUBLE - delta - m, 0]}
    largest = {1: delta, 2: 0}
    values = {
        digit: sum(
            (differences[digit][i] - largest[digit] + (1 << 46) + m * (i != digit)) * DOUBLE ** (4 - i) for i in range(3)
        )
        for digit in (1, 2)
    }
    assert values[1] == values[2]
    return values[1], differences, largest


def wrapped(owner, digit, differences, largest):
    sheet = wide_follow(owner, IMAGE.tolist(), digit, 0)
    put_double(sheet, LARGEST, largest[digit])
    put_double(sheet, LESS_MARGIN, largest[digit] - 3)
    for index, value in enumerate(differences[digit]):
        put_double(sheet, double_at(place_of(owner.circuit.output, index)), value)
    return wide_owner_claim(owner, IMAGE, digit, settle(owner.circuit, sheet))


def test_a_margin_whose_digits_wrap():
    """Rows that no network has; the guard is M - m, which may not be negative either."""
    value, differences, largest = margins_that_wrap()
    rows = blank_rows(MARGIN)
    rows["rows0_0_0"][0][0] = value % MODULUS
    owner = WideOwner(MARGIN, rows)
    assert accepted(wrapped(owner, 1, differences, largest), PYTHON) == 1
    refused(wrapped(owner, 2, differences, largest), FailedOpening, MISMATCH)
    with without_spare():
        assert accepted(wrapped(owner, 1, differences, largest), NATIVE) == 1
        assert accepted(wrapped(owner, 2, differences, largest), NATIVE) == 2


@contextmanager
def without_spare():
    """The circuit without M - m: nothing says what lies on its rows."""

    def rewrite(circuit, found):
        lanes = 65536 * Cell("top0") + 256 * Cell("mid0") + Cell("low0")
        share = circuit.claim.parameter * inverse(circuit.domain) % MODULUS
        spare = Challenge("theta") * (Challenge("theta") * (Public("spare") * lanes - share))
        return tuple(Constraint(c.name, c.expression + spare) if c.name == "sum" else c for c in found)

    with rewritten_constraints(rewrite):
        yield


# powers of alpha that rows reach


LONG = WideCircuit((7, 480, 10), (1,), (RELU,), 512)


def reaching_rows(g: int):
    """A row of the first layer may hold 63 packs and holds 16: its other places stand for powers of alpha beyond the layer's own, one of
    them the first that is free behind the fold."""
    rows = blank_rows(LONG)
    (low,) = [at for at, e in enumerate(LONG.row_columns[0].exponents) if (LONG.folded - e) % 3 == 0]
    place = (LONG.folded - LONG.row_columns[0].exponents[low]) // 3
    assert 16 <= place < LONG.packs_per_row
    rows["rows0_0_0"][low][place * 8] = g % MODULUS
    return WideOwner(LONG, rows)


def equal_logits(owner, digit, g):
    """All logits 0, and D_y = g."""
    image = random_image(27, 7)
    sheet = wide_follow(owner, image.tolist(), digit, g)
    for index in range(10):
        put_double(sheet, double_at(place_of(LONG.output, index)), g - (index < digit))
    return wide_owner_claim(owner, image, digit, settle(LONG, sheet))


def test_a_power_of_alpha_that_rows_reach_is_none_for_the_claimed_class():
    """A first version asked for D_y = 0 in the sum, with that power. An owner's row then says what D_y is, and any class passes."""
    owner = reaching_rows(1)
    for digit in (0, 4):
        refused(equal_logits(owner, digit, 1), FailedOpening, MISMATCH, PYTHON if digit else NATIVE)
    for digit in (0, 4):
        with in_the_sum(digit):
            assert accepted(equal_logits(owner, digit, 1), NATIVE) == digit


@contextmanager
def in_the_sum(digit: int):
    """D_y = 0 as an equation of the sum."""
    track, row = place_of(LONG.output, digit)

    def weighted(circuit, alpha):
        free = pow(alpha, circuit.folded, MODULUS)
        return {row: free * LANE % MODULUS, row + 1: free}

    def rewrite(_, found):
        lanes = 65536 * Cell(f"top{track}") + 256 * Cell(f"mid{track}") + Cell(f"low{track}")
        more = Public("winner_in_sum") * lanes
        kept = [Constraint(c.name, c.expression - more) if c.name == "sum" else c for c in found]
        return tuple(Constraint(c.name, 0 * c.expression) if c.name == WINNER else c for c in kept)

    with with_public("winner_in_sum", weighted), rewritten_constraints(rewrite):
        yield


def test_every_pack_has_a_power_of_its_own():
    """All packs of all bands of circuits of several tracks, and the outputs that are public."""
    for circuit in (
        LONG, THREE_LAYERS, WideCircuit((30, 700, 900, 12), (1, 2), (RELU, RELU), 1024),
        WideCircuit((30, 700, 12), (1,), (RELU,), 512, Claim(Kind.LOGITS)),
    ):  # fmt: skip
        found = [e for band in circuit.bands for e in band.exponents()]
        places = [place for band in circuit.hidden for place in band.pack_places()]
        assert len(set(found)) == len(found) and len(set(places)) == len(places)
        tracks = {track for track, _ in places}
        assert max(found) < circuit.folded or circuit.claim.kind is Kind.LOGITS
        assert tracks <= set(range(circuit.tracks))


def test_what_one_track_lacks_another_does_not_have():
    """The packs of two tracks whose powers stand side by side: one more in the one, one less in the other."""
    owner, image = WideOwner(LONG, blank_rows(LONG)), random_image(27, 7)
    honest = wide_follow(owner, image.tolist(), 0)
    assert accepted(wide_owner_claim(owner, image, 0, honest), NATIVE) == 0
    known = fold_exponents(LONG)
    first, second = (next(place for place, e in known.items() if e == 3 * LONG.blocks - 1 + more) for more in (0, 1))
    assert (first[0], second[0]) == (0, 1)

    def moved():
        sheet = {name: list(values) for name, values in honest.items()}
        for (track, row), by in ((first, -1), (second, 1)):
            whole = sum(number_at(honest, (track, row + lane)) << 24 * (9 - lane) for lane in range(10)) + by
            write_pack(sheet, (track, row), whole)
        return wide_owner_claim(owner, image, 0, settle(LONG, sheet))

    refused(moved(), FailedOpening, MISMATCH)
