"""What docs/protocol.md says and its arguments lean on, checked: geometry lemmas, worked example, equation indices, constants."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from support import trace_of_limbs

from zkpredict.circuits.constraints import constraints, selectors
from zkpredict.circuits.gadgets.bytes import TABLE
from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.layout import BIAS_ROWS, BLINDING_ROW, DOMAINS, LANE_ROWS, PACK_ROWS, READOUT_ROW, Circuit
from zkpredict.kernel import G1, Vector
from zkpredict.prover.setup import FOLDER
from zkpredict.verifier import ceremony, independent

DOC = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
CLASSIC = Circuit((784, 64, 10), (1, 2), 1024)


def random_circuits(count: int) -> list[Circuit]:
    """Circuits of up to eight layers that fit, from a fixed seed."""
    rng, found = random.Random(1), []
    while len(found) < count:
        hidden = [rng.randint(1, rng.choice([5, 40, 150])) for _ in range(rng.randint(1, 8))]
        lanes = (*(rng.choice((1, 2)) for _ in hidden[1:]), 2)
        try:
            found.append(Circuit((rng.choice([rng.randint(1, 2046), rng.randint(1, 60)]), *hidden), lanes, rng.choice(DOMAINS)))
        except UnsupportedNetwork:
            continue
    return found


@pytest.fixture(scope="module")
def circuits() -> list[Circuit]:
    return [CLASSIC, *random_circuits(150)]


def test_names_every_constraint():
    assert [f"| `{c.name}` |" in DOC for c in constraints(CLASSIC)] == [True] * 6


def test_groups_are_disjoint(circuits):
    for circuit in circuits:
        starts = [group.pack_row(slot) for group in circuit.groups for slot in range(group.slots)]
        assert len(set(starts)) == len(starts) and max(starts) < circuit.domain


def test_everything_that_weights_read_is_determined(circuits):
    """Section 7, step 10: each cell behind a `reads` selector lies in a pack of the layer before that has its own equation."""
    for circuit in circuits:
        equations = independent.equations(circuit, circuit.classes - 1)
        single = {row for equation in equations if len(equation.reads) == 1 for row in equation.reads}
        public = selectors(circuit, 7)
        for layer in range(1, circuit.layers):
            before = circuit.layer_groups[layer - 1]
            slots = {before.pack_row(slot) for slot in range(before.slots)}
            for row in range(circuit.domain):
                here, there = public[f"reads{layer}"].at_row(row), public[f"reads_next{layer}"].at_row(row)
                if here or there:
                    assert not (here and there)
                    cell = row if here else row + 1
                    pack = cell - cell % PACK_ROWS
                    assert cell % LANE_ROWS == 2 and cell - pack < READOUT_ROW
                    assert pack in slots and pack + READOUT_ROW in single
                    assert row not in (*BIAS_ROWS, BLINDING_ROW)


def test_equations_have_distinct_powers_of_alpha_and_are_few(circuits):
    for circuit in circuits:
        places = [
            exponent + place
            for layer, exponents in enumerate(independent.row_exponents(circuit))
            for exponent in exponents
            for place in range(circuit.packs_per_row(layer))
        ]
        after = [e.exponent for e in independent.equations(circuit, 0) if e.exponent not in places]
        assert sorted(places + after) == list(range(len(places) + len(after)))
        assert len(places) + len(after) < 256


def test_the_random_coefficient_of_an_input_row_is_never_read(circuits):
    for circuit in circuits:
        assert circuit.input_packs_per_row * (circuit.inputs + 1) <= circuit.domain - 1


def test_figures_of_the_classic_circuit():
    assert [(g.residue, g.stride, g.packs, g.slots) for g in CLASSIC.groups] == [(0, 2, 7, 8), (1, 8, 2, 2), (5, 8, 2, 2)]
    assert CLASSIC.total_rows == 8
    assert independent.row_exponents(CLASSIC) == [[0, 1, 2, 3, 4, 5, 6], [7]]
    assert [e.exponent for e in independent.equations(CLASSIC, 3)] == list(range(20))


@pytest.mark.parametrize(
    "stored, limbs, helper, sign, activation", [(1200, "80 04 b0", 0, 1, 4), (-1200, "7f fb 50", 254, 0, 0)]
)
def test_worked_example(stored, limbs, helper, sign, activation):
    assert limbs in DOC
    column = np.zeros(CLASSIC.domain, dtype=np.int64)
    column[1:4] = list((stored + (1 << 23)).to_bytes(3, "big"))
    trace = trace_of_limbs(CLASSIC, column)
    assert bytes(trace["limb"][1:4]) == bytes.fromhex(limbs.replace(" ", ""))
    assert (trace["limb"][0], trace["cell"][1], trace["cell"][2]) == (helper, sign, activation)


def test_constants_come_from_the_ceremony_and_tau_is_no_row():
    """The verifier's constants, and what row hiding and blinding need: tau is neither zero nor an n-th root of unity."""
    found = ceremony.parse_ceremony((Path(FOLDER) / "trusted_setup.txt").read_bytes())
    assert found.g2_powers[1] == ceremony.TAU_G2
    assert found.g1_powers[0] == G1.generator().to_compressed()
    assert not found.g1_powers[1][0] & 0x40
    assert all(found.g1_powers[n] != found.g1_powers[0] for n in DOMAINS)
    powers = [G1.from_compressed(point) for point in found.g1_powers[: len(TABLE)]]
    table = G1.linear_combination(powers, Vector.from_ints(list(TABLE)).intt())
    assert table.to_compressed() == ceremony.TABLE_COMMITMENT
