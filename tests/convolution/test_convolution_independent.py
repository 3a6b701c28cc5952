"""The independent verifier on convolutions: what positions read, public polynomials and rows by another method; proofs, and tampered twins."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from conv_cases import SHAPES, network_of, picture
from support import MISMATCH, refuses
from wired_cases import WIRED, wired

from zkpredict.circuits.constraints import evaluate_publics
from zkpredict.circuits.convolution.compiler import compile_convolution
from zkpredict.circuits.degrees import quotient_length
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.networks.convolution import Grid
from zkpredict.circuits.placement import form
from zkpredict.circuits.statement import Statement
from zkpredict.prover.commit import commit_model
from zkpredict.prover.prove import prove
from zkpredict.verifier import independent
from zkpredict.verifier.errors import FailedOpening
from zkpredict.verifier.independent_convolution import is_again, numbers_read
from zkpredict.verifier.native import parse_proof


@pytest.mark.parametrize("grid", [own for grids, _ in SHAPES.values() for own, _ in grids], ids=str)
def test_every_tap_reads_what_the_reference_reads(grid):
    """A map of distinct powers of two: the sum that a tap sees says which numbers it adds up."""
    values = np.array([1 << k for k in range(grid.inputs)], dtype=object) if grid.inputs < 62 else np.arange(grid.inputs)
    expected = grid.read(np.array([values], dtype=np.int64))[0]
    found = np.zeros((grid.count, grid.taps), dtype=np.int64)
    for position in range(grid.count):
        for tap, numbers in numbers_read(grid, position):
            found[position, tap] = sum(int(values[number]) for number in numbers)
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("name", SHAPES)
def test_public_polynomials_and_rows_match_their_closed_forms(name):
    network = network_of(name)
    circuit = commit_model(network, 2048 if "padding" in name else 512, placement="wide").commitment.circuit
    image, source = picture(3, network).tobytes(), random.Random(name)
    drawn = {key: source.randrange(MODULUS) for key in ("alpha", "beta", "gamma", "theta", "eta")}
    statement, point = Statement(image, 1), source.randrange(1 << 240)
    found = independent.public_values(circuit, image, 1, drawn["alpha"], point, (), drawn["eta"])
    assert found == evaluate_publics(circuit, statement, drawn["alpha"], point, drawn)
    rows = {column.name: [pow(drawn["alpha"], e, MODULUS) for e in column.exponents] for column in circuit.row_columns}
    assert independent.weighted_rows(circuit, drawn["alpha"]) == rows
    assert [is_again(column.name) for column in circuit.row_columns] == [column.again for column in circuit.row_columns]


@pytest.mark.parametrize("name", WIRED)
def test_wired_circuits_match_their_closed_forms(name):
    circuit = compile_convolution(wired(name), domain=512).circuit
    image, source = bytes(random.Random(name).randrange(256) for _ in range(circuit.inputs)), random.Random(name)
    drawn = {key: source.randrange(MODULUS) for key in ("alpha", "beta", "gamma", "theta", "eta")}
    point = source.randrange(1 << 240)
    found = independent.public_values(circuit, image, 1, drawn["alpha"], point, (), drawn["eta"])
    assert found == evaluate_publics(circuit, Statement(image, 1), drawn["alpha"], point, drawn)
    rows = {column.name: [pow(drawn["alpha"], e, MODULUS) for e in column.exponents] for column in circuit.row_columns}
    assert independent.weighted_rows(circuit, drawn["alpha"]) == rows
    assert [is_again(column.name) for column in circuit.row_columns] == [column.again for column in circuit.row_columns]
    assert quotient_length(circuit) <= 3 * circuit.domain + 16


def test_a_proof_with_a_hidden_convolution_and_its_tampered_twins():
    network = network_of("a hidden one")
    model, image = commit_model(network, 512, placement="wide"), picture(4, network)
    proof, commitment = prove(model, image), model.commitment.to_bytes()
    assert independent.verify(commitment, image.tobytes(), proof.to_bytes()) == proof.digit
    parsed = parse_proof(proof.to_bytes(), form(model.commitment.circuit))
    swapped = parsed.changed({"conv1_0": parsed.points["conv1_1"], "conv1_1": parsed.points["conv1_0"]})
    other = replace(parsed, digit=(parsed.digit + 1) % 3)
    for wrong in (swapped, other):
        with refuses(FailedOpening, MISMATCH):
            independent.verify(commitment, image.tobytes(), wrong.to_bytes())


def test_padding_is_read_by_no_tap():
    grid = Grid(3, 3, 1, 3, 3, 1, 1, 1, 1, 1, 1)
    assert [tap for tap, _ in numbers_read(grid, 0)] == [4, 5, 7, 8] and [tap for tap, _ in numbers_read(grid, 4)] == list(range(9))
