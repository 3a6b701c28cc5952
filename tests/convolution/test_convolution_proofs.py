"""Proofs of convolutions: complete on every shape, refused when a part is changed, and each new equation shown to matter."""

import numpy as np
import pytest
from conv_cases import SHAPES, network_of, picture
from support import refuses

from zkpredict.circuits.convolution.gadgets import input_numbers, public_correlation
from zkpredict.circuits.convolution.layout import ConvCircuit, correlation
from zkpredict.circuits.debug import UnsatisfiedConstraint, check_trace
from zkpredict.circuits.degrees import quotient_length
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.networks.activations import RELU, RELU8, RationalSquare
from zkpredict.circuits.networks.convolution import Grid
from zkpredict.circuits.placement import form, read_circuit
from zkpredict.circuits.wide.claims import Claim, Kind
from zkpredict.circuits.witness import build_trace
from zkpredict.kernel import Vector
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.prover.prove import Prover, UnprovableTrace, prove, statement_of
from zkpredict.prover.rows import combined_rows, hidden_rows
from zkpredict.prover.wide_rows import correlation_column
from zkpredict.verifier.errors import FailedOpening
from zkpredict.verifier.native import parse_proof, verify

MISMATCH = "the opening does not match: the claim is false, or the proof was made for another statement"
HIDDEN = "a hidden one"


@pytest.fixture(scope="module")
def models():
    made: dict[tuple, Model] = {}

    def model(name, activation=RELU8, domain=None):
        key = name, activation, domain
        if key not in made:
            made[key] = commit_model(network_of(name, activation=activation), domain)
        return made[key]

    return model


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_is_proven_and_a_change_is_refused(models, name):
    model = models(name)
    image = picture(3, model.network)
    proof = prove(model, image)
    assert proof.digit == model.predict(image)
    again = parse_proof(proof.to_bytes(), form(model.commitment.circuit))
    verify(model.commitment, image, again)
    other = image.copy()
    other[7] ^= 1
    with refuses(FailedOpening, MISMATCH):
        verify(model.commitment, other, proof)
    with refuses(FailedOpening, MISMATCH):
        verify(model.commitment, image, proof.changed(points={"sum": proof.points["fold"]}))
    for scalar in proof.scalars:
        with refuses(FailedOpening, MISMATCH):
            verify(model.commitment, image, proof.changed(scalars={scalar: (proof.scalars[scalar] + 1) % MODULUS}))


@pytest.mark.parametrize("domain", [512, 1024, 2048])
@pytest.mark.parametrize("activation", [RELU, RationalSquare(4096)], ids=str)
def test_other_gates_and_domains(models, activation, domain):
    model = models("pools", activation, domain)
    image = picture(4, model.network)
    verify(model.commitment, image, prove(model, image))
    assert model.commitment.circuit.domain == domain


def test_logits_of_a_convolution_are_public():
    model = commit_model(network_of(HIDDEN), claim=Claim(Kind.LOGITS))
    image = picture(5, model.network)
    proof = prove(model, image)
    assert proof.outputs == tuple(model.network.infer(image[None]).logits[0])
    verify(model.commitment, image, proof)


@pytest.mark.parametrize("name", SHAPES)
def test_combined_rows_match_reference(models, name):
    """The kernels weighed in one go, against the packed rows weighed one by one; committed rows against the same."""
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


@pytest.mark.parametrize("name", SHAPES)
def test_the_public_correlation_matches_reference(models, name):
    """By the windows of the reference, position by position."""
    model, alpha = models(name), 3**80 % MODULUS
    circuit, image = model.commitment.circuit, picture(6, model.network)
    read = model.network.layers[0].grid.read(image[None].astype(np.int64))[0]
    for piece in circuit.pieces(0):
        weights = [pow(alpha, exponent, MODULUS) for exponent in circuit.position_exponents(0, piece)]
        packs = circuit.piece_packs(0, piece)
        own = read[packs.start : packs.stop].tolist()
        expected = [sum(weights)] + [sum(w * row[tap] for w, row in zip(weights, own, strict=True)) for tap in range(len(own[0]))]
        assert public_correlation(circuit, piece, input_numbers(image.tobytes()), alpha) == tuple(value % MODULUS for value in expected)


@pytest.mark.parametrize("name", SHAPES)
def test_every_pack_s_exponent_is_the_fold_s(models, name):
    """(group, position) by its piece, against the band that the fold runs over."""
    circuit = models(name).commitment.circuit
    for layer in (layer for layer in range(circuit.layers - 1) if circuit.is_convolution(layer)):
        for group, band in enumerate(circuit.groups(layer)):
            found = [
                circuit.piece_exponent(layer, group, piece) + above
                for piece in circuit.pieces(layer)
                for above in circuit.position_exponents(layer, piece)
            ]
            assert found == list(band.exponents())[: circuit.positions(layer)]
    assert quotient_length(circuit) <= 3 * circuit.domain + 16


def columns_of(model, image, alpha):
    activations = model.network.infer(image[None]).activations
    read = {part: model.network.read_by(part[0], activations)[0] for part in model.commitment.circuit.hidden_convolutions()}
    return {correlation(*part): correlation_column(model.compiled, *part[:2], own, alpha, part[2]).to_ints() for part, own in read.items()}


def test_the_debug_checker_holds_the_whole_system_and_names_a_wrong_column(models):
    model, alpha = models(HIDDEN), 7**50 % MODULUS
    image = picture(8, model.network)
    statement = statement_of(model, image, model.predict(image))
    trace, given = build_trace(model.compiled, statement), columns_of(model, image, alpha)
    check_trace(model.compiled, statement, trace, alpha, 11, given)
    for row in (0, 5, 500):  # the bias's entry, a tap, and a row behind them
        wrong = given | {"conv1_0": list(given["conv1_0"])}
        wrong["conv1_0"][row] = (wrong["conv1_0"][row] + 1) % MODULUS
        with pytest.raises(UnsatisfiedConstraint, match="^constraint 'sum' fails at row "):
            check_trace(model.compiled, statement, trace, alpha, 11, wrong)


class OtherCorrelation(Prover):
    """Commits to a column that its kernels like better."""

    def correlation(self, layer, piece, chunk):
        return super().correlation(layer, piece, chunk) + Vector.from_ints([0, 1]).scatter(self.circuit.domain, [0, 3])


def test_another_correlation_proves_nothing(models):
    model = models(HIDDEN)
    image = picture(9, model.network)
    with refuses(UnprovableTrace, "the sum sum does not close: the claim is false"):
        OtherCorrelation(model, statement_of(model, image, model.predict(image))).prove()


def test_a_false_class_proves_nothing(models):
    model = models(HIDDEN)
    image = picture(9, model.network)
    wrong = (model.predict(image) + 1) % 3
    with pytest.raises(UnprovableTrace):
        Prover(model, statement_of(model, image, wrong)).prove()


def test_circuits_are_read_back_and_hostile_ones_refused(models):
    circuit = models("stride and padding").commitment.circuit
    data = circuit.to_bytes()
    assert isinstance(circuit, ConvCircuit) and read_circuit(ByteReader(data, "circuit")) == circuit
    for length in range(len(data)):
        with pytest.raises(MalformedFile):
            read_circuit(ByteReader(data[:length], "circuit"))
    with refuses(UnsupportedNetwork, "the grid of layer 0 does not fit widths 16 and 9"):
        ConvCircuit((16, 9, 2), (1,), (RELU8,), 512, grids=(Grid(4, 4, 1, 2, 3), None))
    with refuses(UnsupportedNetwork, "the last layer must have one position: it gives the classes"):
        ConvCircuit((16, 9), (), (), 512, grids=(Grid(4, 4, 1, 2, 2),))
    dense_first = "layer 0 is dense, and convolutions, pools and sums behind one have no circuit; where there are none, write all layers as dense ones"
    with refuses(UnsupportedNetwork, dense_first):
        ConvCircuit((16, 16, 9, 2), (1, 1), (RELU8, RELU8), 512, grids=(None, Grid(4, 4, 1, 2, 2), None))
    hostile = data.replace(b"\x01" + circuit.grids[0].to_bytes(), b"\x00")
    with refuses(MalformedFile, f"circuit: {dense_first}"):
        read_circuit(ByteReader(hostile, "circuit"))
    with refuses(UnsupportedNetwork, "circuits with convolutions have public inputs only"):
        ConvCircuit((16, 9, 2), (1,), (RELU8,), 512, private_input=True, grids=(Grid(4, 4, 1, 2, 2), None))


def test_models_with_convolutions_are_kept_in_files(models):
    model = models("pools")
    again = Model.from_bytes(model.to_bytes())
    image = picture(1, model.network)
    verify(again.commitment, image, prove(again, image))


def test_two_models_of_one_shape_do_not_answer_for_each_other(models):
    model, other = models(HIDDEN), commit_model(network_of(HIDDEN, seed=2))
    image = picture(2, model.network)
    proof = prove(Model(other.network, model.committed), image)
    with refuses(FailedOpening, MISMATCH):
        verify(model.commitment, image, proof)


def test_a_file_of_a_few_bytes_does_not_cost_minutes():
    """Windows are laid out by whoever verifies: all of them together are bounded, not those of each layer."""
    first, large = Grid(128, 128, 1, 1, 1), Grid(128, 128, 1, 41, 41)
    widths = (128 * 128, 128 * 128, large.count)
    assert large.count * 41 * 41 > 1 << 21
    with pytest.raises(UnsupportedNetwork, match="^its kernels lie at [0-9]+ places of maps, at most 2097152 fit$"):
        ConvCircuit((*widths, 2), (1, 1), (RELU8, RELU8), 2048, grids=(first, large, None))
