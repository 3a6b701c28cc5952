"""Proofs of max pools and residual connections: complete on every wiring by both verifiers, and refused when a part is changed."""

from dataclasses import replace

import numpy as np
import pytest
from conv_cases import network_of, picture
from support import MISMATCH, refuses
from wired_cases import LARGEST, PLAIN, WIRED, build, same, wired

from zkpredict.circuits.constraints import evaluate_publics
from zkpredict.circuits.convolution.chain import contract_refusal
from zkpredict.circuits.convolution.compiler import compile_convolution
from zkpredict.circuits.convolution.layout import ConvCircuit
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.networks.activations import RELU, RELU8
from zkpredict.circuits.networks.convolution import Grid
from zkpredict.circuits.networks.wiring import Reading, Wiring
from zkpredict.circuits.placement import form, read_circuit
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.wide.claims import Claim, Kind
from zkpredict.kernel import Vector
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.prover.prove import prove
from zkpredict.prover.rows import combined_rows, hidden_rows
from zkpredict.verifier import independent
from zkpredict.verifier.errors import FailedOpening
from zkpredict.verifier.native import parse_proof, verify


@pytest.fixture(scope="module")
def models():
    made: dict[str, Model] = {}

    def model(name):
        return made.setdefault(name, made.get(name) or commit_model(wired(name), 2048 if "before a" in name else 512))

    return model


@pytest.mark.parametrize("name", WIRED)
def test_every_wiring_is_proven_and_a_change_is_refused(models, name):
    model = models(name)
    image = picture(3, model.network)
    proof = prove(model, image)
    assert proof.digit == model.predict(image)
    verify(model.commitment, image, parse_proof(proof.to_bytes(), form(model.commitment.circuit)))
    other = image.copy()
    other[7] ^= 1
    with refuses(FailedOpening, MISMATCH):
        verify(model.commitment, other, proof)
    for scalar in proof.scalars:
        with refuses(FailedOpening, MISMATCH):
            verify(model.commitment, image, proof.changed(scalars={scalar: (proof.scalars[scalar] + 1) % MODULUS}))


@pytest.mark.parametrize("name", ["max pool", "residual before the activation"])
def test_the_independent_verifier_agrees(models, name):
    model = models(name)
    image = picture(4, model.network)
    proof, commitment = prove(model, image), model.commitment.to_bytes()
    assert independent.verify(commitment, image.tobytes(), proof.to_bytes()) == proof.digit
    wrong = proof.changed({"conv1_0" if "conv1_0" in proof.points else "conv2_0": proof.points["fold"]})
    with refuses(FailedOpening, MISMATCH):
        independent.verify(commitment, image.tobytes(), wrong.to_bytes())


@pytest.mark.parametrize("name", WIRED)
def test_combined_rows_match_reference(models, name):
    model, alpha = models(name), 5**100 % MODULUS
    compiled, circuit = model.compiled, model.commitment.circuit
    rows = [row for _, row in hidden_rows(compiled, model.secrets)]
    for plain, (column, hidden) in zip(compiled.all_rows, hidden_rows(compiled, model.secrets), strict=True):
        at = compiled.blinding_position(column.layer)
        assert hidden.to_ints()[:at] == plain[:at] and hidden[at] in model.secrets
    fast, start = combined_rows(compiled, model.secrets, alpha), 0
    for column in circuit.row_columns:
        start -= len(column.exponents) if column.again else 0
        own = rows[start : start + len(column.exponents)]
        start += len(own)
        slow = Vector.linear_combination(own, [pow(alpha, exponent, MODULUS) for exponent in column.exponents])
        assert fast[column.name] == (slow if column.coefficients else slow.intt())


@pytest.mark.parametrize("name", WIRED)
def test_every_pack_s_exponent_is_the_fold_s(models, name):
    """(group, position) by its piece, against the band that the fold runs over; pieces that are alike in all groups are one."""
    circuit = models(name).commitment.circuit
    for layer in (layer for layer in range(circuit.layers - 1) if circuit.is_convolution(layer) and circuit.positions(layer) > 1):
        for group, band in enumerate(circuit.groups(layer)):
            found = [
                circuit.piece_exponent(layer, group, piece) + above
                for piece in circuit.pieces(layer)
                for above in circuit.position_exponents(layer, piece)
            ]
            assert found == list(band.exponents())[: circuit.positions(layer)]
    if name == "whole tracks":
        assert [len(circuit.groups(1)[0].pieces), len(circuit.pieces(1)), len(circuit.pieces(0))] == [5, 3, 1]


LONG = [(Grid(5, 5, 1, 2, 2), 61, PLAIN), (Grid(4, 4, 61, 3, 3), 12, PLAIN), (Grid(2, 2, 12, 2, 2), 3, PLAIN)]
"""A hidden kernel of 549 weights: two chunks on 512 rows."""


def test_a_kernel_that_no_column_holds_is_cut_into_chunks():
    network = build(2, LONG, 3)
    model = commit_model(network, 512)
    circuit = model.commitment.circuit
    assert circuit.to_bytes()[:5] == b"zkpC\x03"
    assert [circuit.chunks_of(1), circuit.hidden_convolutions()] == [(range(489), range(489, 550)), [(1, 0, 0), (1, 0, 1)]]
    image = picture(5, network)
    proof = prove(model, image)
    verify(model.commitment, image, proof)
    drawn = {"alpha": 7**60 % MODULUS, "eta": 7**80 % MODULUS}
    found = independent.public_values(circuit, image.tobytes(), 1, drawn["alpha"], 99, (), drawn["eta"])
    assert found == evaluate_publics(circuit, Statement(image.tobytes(), 1), drawn["alpha"], 99, drawn)
    fast, rows = combined_rows(model.compiled, model.secrets, 11), [row for _, row in hidden_rows(model.compiled, model.secrets)]
    first = len(circuit.row_columns[0].exponents)
    for number, name in enumerate(("kernels1_0", "kernels1_0_1")):
        own = rows[first + 2 * number : first + 2 * number + 2]
        exponents = next(column.exponents for column in circuit.row_columns if column.name == name)
        assert fast[name] == Vector.linear_combination(own, [pow(11, e, MODULUS) for e in exponents]).intt()
    with refuses(FailedOpening, MISMATCH):
        verify(model.commitment, image, proof.changed({"conv1_0": proof.points["conv1_0_1"], "conv1_0_1": proof.points["conv1_0"]}))


def test_other_claims_and_gates():
    model = commit_model(wired("max pool"), claim=Claim(Kind.LOGITS))
    image = picture(5, model.network)
    proof = prove(model, image)
    assert proof.outputs == tuple(model.network.infer(image[None]).logits[0])
    verify(model.commitment, image, proof)
    model = commit_model(build(3, WIRED["max pool"], 1, RELU), 1024)
    verify(model.commitment, image, prove(model, image))


def test_circuits_are_read_back_and_hostile_ones_refused(models):
    for name in WIRED:
        circuit = models(name).commitment.circuit
        data = circuit.to_bytes()
        assert data[:5] == (b"zkpC\x07" if name == "sides that differ" else b"zkpC\x05") and read_circuit(ByteReader(data, "circuit")) == circuit
        for length in range(0, len(data), 3):
            with pytest.raises(MalformedFile):
                read_circuit(ByteReader(data[:length], "circuit"))


def test_circuits_say_sides_that_differ_and_no_others(models):
    """A stride across is in the digest; a circuit that could say the same in fewer bytes is refused."""
    circuit = compile_convolution(network_of("sides that differ"), domain=512).circuit
    data = circuit.to_bytes()
    assert contract_refusal(circuit) == "a contract holds strides and pools that are the same down and across"
    assert data[:5] == b"zkpC\x07" and read_circuit(ByteReader(data, "circuit")) == circuit and not circuit.wiring
    changed = ConvCircuit(*(getattr(circuit, name) for name in ("widths", "lanes", "activations", "domain", "claim", "private_input", "slotted")),
                          (*circuit.grids[:1], replace(circuit.grids[1], stride_across=2, pad_right=1), *circuit.grids[2:]))  # fmt: skip
    assert changed.widths == circuit.widths and changed.digest != circuit.digest
    plain = models("max pool").commitment.circuit
    said, start = plain.to_bytes(), len(plain.to_bytes()) - sum(len(one.to_bytes()) for one in plain.wiring)
    grids = b"".join(b"\x01" + grid.to_bytes(True) for grid in plain.grids)
    longer = b"zkpC\x07" + said[5 : start - 23 * len(plain.grids)] + grids + said[start:]
    with refuses(MalformedFile, "circuit: no stride or pool differs by side, so its magic is b'zkpC\\x03' or b'zkpC\\x05'"):
        read_circuit(ByteReader(longer, "circuit"))


POOL = Grid(4, 4, 2, 2, 2, 2)


@pytest.mark.parametrize(
    ("widths", "lanes", "activations", "grids", "wiring", "message"),
    [
        ((25, 32, 8, 2), (1, 2), (RELU8, RELU), (Grid(5, 5, 1, 2, 2), POOL, None), (PLAIN, LARGEST, PLAIN), "layer 1 is a max pool: it has relu and one lane for each match"),
        ((25, 32, 8, 2), (1, 1), (RELU8, RELU8), (Grid(5, 5, 1, 2, 2), POOL, None), (PLAIN, LARGEST, PLAIN), "layer 1 is a max pool: it has relu and one lane for each match"),
        ((25, 32, 12, 2), (1, 1), (RELU8, RELU), (Grid(5, 5, 1, 2, 2), POOL, None), (PLAIN, LARGEST, PLAIN), "the grid of layer 1 does not fit widths 32 and 12"),
        ((25, 32, 8, 2), (1, 1), (RELU8, RELU), (Grid(5, 5, 1, 2, 2), POOL, None), (PLAIN, LARGEST), "2 wirings do not match 3 layers, or say nothing"),
        ((25, 32, 8, 2), (1, 1), (RELU8, RELU), (Grid(5, 5, 1, 2, 2), POOL, None), (PLAIN,) * 3, "3 wirings do not match 3 layers, or say nothing"),
        ((25, 32, 8), (1,), (RELU8,), (Grid(5, 5, 1, 2, 2), POOL), (PLAIN, LARGEST), "the last layer must have one position: it gives the classes"),
        ((25, 32, 8, 2), (1, 1), (RELU8, RELU8), (Grid(5, 5, 1, 2, 2), None, None), (PLAIN, PLAIN, Wiring((0, 1))), "the grid of layer 2 does not fit widths 8 and 2"),
        ((16, 16, 2), (1,), (RELU8,), (same(4, 4, 1), None), (PLAIN, Wiring(beside=(Reading((0,), same(4, 4, 1)),))), "layer 1 reads other maps beside its own: it needs a grid"),
    ],
)  # fmt: skip
def test_circuits_whose_wiring_cannot_be_are_refused(widths, lanes, activations, grids, wiring, message):
    with refuses(UnsupportedNetwork, message):
        ConvCircuit(widths, lanes, activations, 512, grids=grids, wiring=wiring)


def test_models_with_max_pools_are_kept_in_files(models):
    model = models("max pool")
    again = Model.from_bytes(model.to_bytes())
    image = picture(1, model.network)
    verify(again.commitment, image, prove(again, image))


def test_two_wirings_of_one_shape_do_not_answer_for_each_other():
    """The same layers and weights with the residual left out: another circuit, another model."""
    network = wired("residual")
    layers = list(network.layers)
    layers[2] = replace(layers[2], wiring=PLAIN)
    without = type(network)(tuple(layers))
    one, other = commit_model(network, 512), commit_model(without, 512)
    assert one.commitment.circuit.digest != other.commitment.circuit.digest
    assert not np.array_equal(network.infer(picture(1, network)[None]).logits, without.infer(picture(1, network)[None]).logits)
