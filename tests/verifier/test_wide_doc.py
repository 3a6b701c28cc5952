"""What docs/wide.md says and its arguments lean on, checked: names of constraints, exponents, degrees, bounds, rounds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkpredict.circuits import placement
from zkpredict.circuits.columns import Origin
from zkpredict.circuits.constraints import constraints, selectors
from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.networks.activations import RELU, RELU8, RationalRelu, RationalSquare
from zkpredict.circuits.placement import columns, form
from zkpredict.circuits.wide.claims import CLASS, Claim, Kind
from zkpredict.circuits.wide.keys import TABLES
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.verifier.independent_wide import band_exponents, fold_exponents, wide_row_exponents

DOC = (Path(__file__).parents[2] / "docs" / "wide.md").read_text()
MARGIN = Claim(Kind.MARGIN, 3)
CASES = [
    WideCircuit((7, 480, 10), (1,), (RELU,), 512),
    WideCircuit((600, 45, 12, 9, 3), (1, 2, 1), (RELU8, RELU, RELU8), 1024, MARGIN),
    WideCircuit((30, 700, 900, 12), (1, 2), (RationalRelu(4096), RELU), 2048, Claim(Kind.LOGITS)),
    WideCircuit((1, 1, 2), (2,), (RationalSquare(1),), 512),
    WideCircuit((600, 5, 2), (2,), (RELU,), 512, private_input=True),
]


FULL = WideCircuit((7, 12, 9, 3), (1, 1), (RELU8, RationalRelu(4096)), 512)
"""Every column that a track can have."""


@pytest.mark.parametrize("circuit", [*CASES, FULL], ids=lambda one: "-".join(map(str, one.widths)))
def test_every_constraint_has_its_line(circuit):
    for one in constraints(circuit):
        name = one.name
        for track in range(circuit.tracks):
            name = name.replace(f"track {track}", "track g").replace(f"lookup{track}_", "lookupg_")
        name = "lookupg_0" if name.startswith("lookupg_") else name
        name = "input c is the committed one" if name.startswith("input ") else name
        name = "lookup_input0" if name.startswith("lookup_input") else name
        assert f"`{name}`" in DOC, one.name


def test_exponents_of_the_example():
    known = fold_exponents(CASES[0])
    assert (known[0, 0], known[0, 500], known[1, 0]) == (47, 0, 95) and CASES[0].tracks == 2
    assert "the first pack of track 0 has 47, the last 0; the first of track 1 has 95" in DOC
    for (track, row), exponent in known.items():
        assert exponent == 3 * 16 * track + 3 * (15 - row // 32) + 2 - row % 32 // 10


@st.composite
def shapes(draw):
    hidden = draw(st.lists(st.integers(1, draw(st.sampled_from([5, 60, 900]))), max_size=5))
    lanes = tuple(draw(st.sampled_from([1, 2])) for _ in hidden)
    claim = draw(st.sampled_from([CLASS, MARGIN, Claim(Kind.LOGITS)]))
    inputs, domain = draw(st.integers(1, draw(st.sampled_from([9, 3000])))), draw(st.sampled_from([512, 1024, 2048]))
    try:
        return WideCircuit((inputs, *hidden, draw(st.integers(2, 60))), lanes, (RELU8,) * len(hidden), domain, claim)
    except UnsupportedNetwork:
        return CASES[0]


@settings(max_examples=60, deadline=None)
@given(shapes())
def test_geometry(circuit):
    """Steps 10 and 11: packs have powers of their own and lie apart; exponents agree with those counted one by one and stay below
    2^18 with all that rows of layer 0 reach; what is read lies in packs of the layer before."""
    places = [place for band in circuit.bands for place in band.pack_places()]
    assert len(set(places)) == len(places) and {track for track, _ in places} <= set(range(circuit.tracks))
    known = [exponent for band in circuit.bands for exponent in band.exponents()]
    assert known == [exponent for band in circuit.bands for exponent in band_exponents(circuit, band)]
    assert len(set(known)) == len(known)
    assert [(c.name, list(c.exponents)) for c in circuit.row_columns] == list(wide_row_exponents(circuit).items())
    reach = max(known) + max(circuit.input_steps) * (circuit.packs_per_row - 1)
    assert reach < 1 << 18 and circuit.folded <= 12_288
    publics = selectors(circuit, 7)
    for layer in range(1, circuit.layers):
        before = circuit.bands[layer - 1]
        for track in before.tracks:
            mine = {row + lane for own, row in before.pack_places() if own == track for lane in range(10)}
            read = {row for row in range(circuit.domain) if publics[f"reads{layer}_{track}"].at_row(row)}
            assert read <= mine and not {row % 32 for row in read} & {30, 31}


@dataclass(frozen=True)
class Degree:
    value: int

    def __add__(self, other):
        return Degree(max(self.value, other.value))

    __sub__ = __add__

    def __mul__(self, other):
        return Degree(self.value + other.value)


class Degrees:
    """Every committed polynomial at the degree that the key allows, every public one at n - 1."""

    def __init__(self, circuit):
        self.circuit = circuit
        self.fixed = {column.name for column in columns(circuit) if column.origin is Origin.FIXED}

    def constant(self, value):
        return Degree(0)

    challenge = constant

    def cell(self, column, rotation):
        return Degree(511 if column in self.fixed else 4095)

    def public(self, name):
        n = self.circuit.domain
        return Degree({"vanishing": n, "vanishing_high": n + 3072}.get(name, n - 1))


def test_the_degree_at_rho():
    """Step 4: 16,380 with every committed polynomial at 4095."""
    found = {c: placement.weighed(c, constraints(c), DegreesWithDelta(c)).value for c in CASES}
    assert max(found.values()) == 4 * 4095 == 16_380 < 1 << 14 and "16,380" in DOC
    by_name = {one.name: one.expression.evaluate(Degrees(CASES[2])).value for one in constraints(CASES[2])}
    assert by_name["sum"] <= 3 * 4095 + 2047 == 14_332 and by_name["quotient of track 0"] == 3 * 4095 == 12_285
    assert 4095 + 2048 + 3072 == 9_215


class DegreesWithDelta(Degrees):
    """The same, for the weighed sum."""

    def challenge(self, name):
        return Degree(0)


def test_bounds_of_the_steps():
    """Counts that step 5 to 10 and nu lean on, at the largest circuit."""
    tracks, keys = 64, 9
    per_track = [c for c in constraints(FULL) if "track 0" in c.name or c.name.startswith("lookup0_")]
    stated = [name for name, _ in form(FULL).stated if name.endswith("0")]
    assert FULL.tracks == 1 and (len(per_track), len(stated)) == (10, 12)
    assert tracks * len(per_track) + 5 < 1000 and tracks * len(stated) + 3 < 1000
    assert tracks * 2048 * keys < 1 << 21
    bound = lambda count: count * 3 * MODULUS < MODULUS * (1 << 256)
    assert bound(1 << 21) and 3 / 2**256 < 1.36 / MODULUS
    assert (1 << 21) * 1.36 / MODULUS < 2**-233 and (1 << 18) * 1.36 / MODULUS < 2**-236 and 1000 * 1.36 / MODULUS < 2**-244
    assert 2 * 1.36 / MODULUS < 2**-253


def test_the_table_of_both_kinds():
    for name, entries in TABLES.items():
        assert len(entries) == 512
        by_tag = {tag: {entries[j] for j in range(512) if (0, 1, 0, 2)[j % 4] == tag} for tag in (0, 1, 2)}
        assert by_tag[0] == set(range(256)) and by_tag[1] == set(range(128))
        assert by_tag[2] == set(range(129 if name == "codes_relu8" else 128, 256))


def test_digits_of_two_claims_stay_below_the_base():
    """Step 12, at the ends of every range."""
    top, base = (1 << 47) - 1, 1 << 48
    assert 2 * top + 1 < base
    for m in (1, 2, 3, (1 << 46) - 1):
        assert top + m + (top - m) < base
    assert 2 * top + 3 >= base  # with both M free of m: what wraps


def test_rounds_and_blinders():
    for circuit in CASES:
        shape = form(circuit)
        assert [message.challenges for message in shape.rounds] == [
            ("alpha", "beta", "gamma", "theta"), ("delta",), ("rho",), ("nu",), ("zeta",), (),
        ]  # fmt: skip
        assert shape.blinders == 4
        sums = [column.name for column in shape.proof_columns if column.round == 2]
        assert all(column.defined_by for column in shape.proof_columns if column.round == 2) and "fold" in sums and "sum" in sums


# the arguments in small, every case looked at


@pytest.mark.parametrize("name", TABLES)
def test_a_top_byte_has_one_sign_and_one_exact_bit(name):
    """Step 8: all field elements top with some bits whose key is in the table. Whoever takes an entry and bits has top = entry - exact."""
    saturates = name == "codes_relu8"
    entries = {((0, 1, 0, 2)[place % 4], value) for place, value in enumerate(TABLES[name])}
    found = set()
    for sign in (0, 1):
        for exact in (0, 1) if saturates else (0,):
            for tag, entry in entries:
                top = entry - exact
                if tag == 1 + sign and exact * (top - 128) == 0:
                    found.add((top, sign, exact))
    assert found == {(top, int(top >= 128), int(saturates and top == 128)) for top in range(256)}


def claims_of_one_pack(taken, low: int, high: int = 8, base: int = 16):
    """Every pack of three digits below `high` that some class of three can be claimed for: {what rows demand: classes}. M is in low..high - 1;
    `taken(i, y)` is what D_i lacks."""
    found: dict[int, set[int]] = {}
    for y in range(3):
        for largest in range(low, high):
            for number in range(high * high):
                digits = list(divmod(number, high))
                digits.insert(y, 0)
                value = sum((d + taken(i, y) - largest) * base ** (2 - i) for i, d in enumerate(digits))
                found.setdefault(value, set()).add(y)
    return found


def test_no_pack_has_two_classes():
    """Step 12 with digits of 4 bits in the place of 48: whatever the rows demand, at most one class."""
    assert all(len(classes) == 1 for classes in claims_of_one_pack(lambda i, y: int(i < y), 0).values())
    for m in range(1, 8):
        behind = lambda i, y, m=m: m * (i != y)
        assert all(len(classes) == 1 for classes in claims_of_one_pack(behind, m).values()), m


def test_without_the_lower_end_of_the_largest_logit_margins_wrap():
    """The twin: from 2 on, a pack has two classes when M may be less than m. Without pinned signs a class has, too."""
    wrapped = [m for m in range(1, 8) if any(len(c) > 1 for c in claims_of_one_pack(lambda i, y, m=m: m * (i != y), 0).values())]
    assert wrapped == [2, 3, 4, 5, 6, 7]
    assert any(len(c) > 1 for c in claims_of_one_pack(lambda i, y: int(i < y), 0, 16).values())
