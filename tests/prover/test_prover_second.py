"""Circuits of the second edition: networks at their bounds compile, satisfy the debug checker, prove and verify, and others are refused."""

from __future__ import annotations

import numpy as np
import pytest
from support import random_image, random_network, refuses, said, worst_images

from zkpredict.circuits.choice import choices, compile_any
from zkpredict.circuits.debug import UnsatisfiedConstraint, check_trace
from zkpredict.circuits.degrees import quotient_length
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.files.schema import Schema
from zkpredict.circuits.networks.activations import RELU8
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.placement import form, read_circuit
from zkpredict.circuits.second.compiler import compile_second
from zkpredict.circuits.second.layout import SecondCircuit
from zkpredict.circuits.wide.claims import Claim, Kind
from zkpredict.circuits.witness import build_trace, complete_trace
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.prover.prove import prove
from zkpredict.verifier import independent
from zkpredict.verifier.native import parse_proof, verify
from zkpredict.verifier.opening import Fold
from zkpredict.verifier.native import column_terms

SHAPES = ((784, 64, 10), (600, 45, 3), (12, 40, 3), (5, 3), (9, 1), (1022, 9, 2), (20, 12, 6, 4), (64, 70, 16))
"""With a hosted row and without, one layer, one class, the most inputs, several hidden layers, many packs of differences."""


def wide_lanes() -> IntegerNetwork:
    """A hidden layer whose values need two lanes, hosted by layer 0 all the same."""
    source = np.random.default_rng(8)
    first = DenseLayer(source.integers(-127, 128, (22, 784)), source.integers(-(1 << 30), 1 << 30, 22), 18)
    return IntegerNetwork((first, DenseLayer(source.integers(-99, 100, (4, 22)), source.integers(-9, 10, 4))))


def networks() -> dict[str, IntegerNetwork]:
    return {"-".join(map(str, shape)): random_network(7, shape) for shape in SHAPES} | {"two lanes": wide_lanes()}


@pytest.mark.parametrize("name", networks())
def test_proofs_hold_and_say_what_the_network_says(name):
    network = networks()[name]
    model = commit_model(network, placement="compact-2")
    circuit = model.commitment.circuit
    assert circuit.hosts == (name in ("784-64-10", "600-45-3", "two lanes")) and quotient_length(circuit) <= 4096
    for image in (random_image(1, circuit.inputs), *worst_images(network, 0)):
        proof = parse_proof(prove(model, image).to_bytes(), model.commitment)
        verify(model.commitment, image, proof)
        assert proof.digit == network.predict(image)
    assert independent.verify(model.commitment.to_bytes(), image.tobytes(), proof.to_bytes()) == proof.digit
    assert Model.from_bytes(model.to_bytes()).commitment.model_id == model.commitment.model_id


def test_the_debug_checker_names_what_fails():
    compiled, image = compile_second(random_network(7, (600, 45, 3))), random_image(1, 600)
    statement = said(image, compiled.network.predict(image))
    trace = build_trace(compiled, statement)
    check_trace(compiled, statement, trace, 12345, 678)
    trace["digits"][compiled.circuit.layer_groups[0].value_row(44) + 3] ^= 1
    with pytest.raises(UnsatisfiedConstraint, match="constraint 'linear' fails at row 1023: .*; pack 4 of layer 0 does not hold"):
        check_trace(compiled, statement, complete_trace(compiled.circuit, trace), 12345, 678)


def test_the_sum_of_cells_is_zero_and_columns_have_their_blinders():
    compiled, image = compile_second(random_network(7, (12, 40, 3))), random_image(1, 12)
    assert build_trace(compiled, said(image, 0))["cell"].sum() == 0
    shape = form(compiled.circuit)
    assert (shape.blinders, shape.shifted, len(shape.points), len(shape.scalars)) == (9, ("cell", "rows0"), 7, 7)


def test_every_pack_has_a_power_of_alpha_of_its_own():
    for name, network in networks().items():
        circuit = compile_second(network).circuit
        exponents = [circuit.pack_exponent(t, p) for t in range(circuit.layers) for p in range(circuit.layer_groups[t].packs)]
        assert (name, len(set(exponents)), min(exponents) >= 1) == (name, len(exponents), True)
        free = circuit.first_equation(circuit.layers)
        assert max(exponents) < free and independent.weighted_rows(circuit, 1).keys() == {c.name for c in circuit.row_columns}


def test_rows_are_folded_with_the_weights_of_the_circuit():
    """A hosting row point is folded once for each of its two columns, by both verifiers."""
    model = commit_model(random_network(7, (600, 45, 3)), placement="compact-2")
    proof = prove(model, random_image(1, 600))
    names = [column.name for column in form(model.commitment.circuit).columns]
    terms = column_terms(model.commitment, proof, Fold({name: int(name.startswith("rows")) for name in names}, 0, 0), {"alpha": 3})
    weights = [(point.to_compressed(), weight) for point, weight in terms if weight]
    first, host = (row.to_compressed() for row in model.commitment.rows)
    assert weights == [(first, 3**4), (host, 3**8), (host, 3**9)]


def test_a_schema_is_bound_to_the_row_that_hosts_nothing():
    schema = Schema((), ("a", "b", "c"))
    model = commit_model(Model(random_network(7, (600, 45, 3)), None, schema), placement="compact-2")
    image = random_image(3, 600)
    proof = prove(model, image)
    verify(model.commitment, image, proof)
    assert independent.verify(model.commitment.to_bytes(), image.tobytes(), proof.to_bytes()) == proof.digit
    assert (model.commitment.schema, model.commitment.inner != model.commitment.rows[0]) == (schema, True)


def test_canonical_bytes():
    circuit = SecondCircuit((784, 64, 10), (1,))
    assert circuit.to_bytes().hex() == "7a6b704304" + "0004" + "02" + "10030000" + "40000000" + "0a000000" + "01"
    assert read_circuit(ByteReader(circuit.to_bytes(), "circuit")) == circuit
    for changed, message in (
        (b"zkpC\x04\x00\x08" + circuit.to_bytes()[7:], "the second edition has circuits of 1024 rows only, not 2048"),
        (circuit.to_bytes()[:-1] + b"\x03", "lane widths must be 1 or 2, got (3,)"),
    ):
        with refuses(MalformedFile, f"circuit: {message}"):
            read_circuit(ByteReader(changed, "circuit"))


def test_what_does_not_fit():
    with refuses(UnsupportedNetwork, "network 784-100-40-10 needs 26 packs of rows, the second edition has 16"):
        SecondCircuit((784, 100, 40, 10), (1, 2))
    with refuses(UnsupportedNetwork, "1023 inputs do not fit a block of 1024 coefficients"):
        SecondCircuit((1023, 4, 2), (1,))
    first, last = random_network(7, (12, 9, 3)).layers
    saturating = IntegerNetwork((DenseLayer(first.weights, first.bias, 8, RELU8), last))
    with refuses(UnsupportedNetwork, "layer 0 uses relu8: circuits of the second edition hold relu only"):
        compile_any(saturating, placement="compact-2")
    with refuses(UnsupportedNetwork, "compact circuits claim the class only, not logits: leave out the placement, and a wide one is made"):
        compile_any(random_network(7, (12, 9, 3)), claim=Claim(Kind.LOGITS), placement="compact-2")


def test_it_is_never_chosen_unasked():
    network = random_network(7, (12, 9, 3))
    assert compile_any(network).circuit.to_bytes()[:5] == b"zkpC\x01"
    assert [choice.placement for choice in choices(network)].count("compact-2") == 1
