"""Circuits whose layers share rows of weights: the equations on the trace, places and exponents, proofs of both verifiers, and refusals."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from conv_cases import network_of
from shared_cases import SHARED, shared_network
from support import MISMATCH, refuses

from zkpredict.circuits.choice import compile_any, shared_choices
from zkpredict.circuits.constraints import evaluate_publics
from zkpredict.circuits.debug import UnsatisfiedConstraint, check_trace
from zkpredict.circuits.degrees import quotient_length
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.networks.activations import RELU, RELU8
from zkpredict.circuits.networks.grid import Grid
from zkpredict.circuits.placement import QUOTIENT_SPLIT, form, read_circuit
from zkpredict.circuits.shared.gadgets import nodes
from zkpredict.circuits.shared.layout import MET, SharedCircuit
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.wide.claims import Claim, Kind
from zkpredict.circuits.witness import build_trace
from zkpredict.kernel import Vector
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.prover.prove import Prover, UnprovableTrace, prove, statement_of
from zkpredict.prover.rows import combined_rows, hidden_rows
from zkpredict.verifier import independent
from zkpredict.verifier.errors import FailedOpening
from zkpredict.verifier.independent_shared import position_place
from zkpredict.verifier.independent_wide import fold_exponents
from zkpredict.verifier.native import parse_proof, verify

ALPHA, BETA = 7**50 % MODULUS, 11
NAMES = tuple(SHARED)


@pytest.fixture(scope="module", params=NAMES)
def model(request) -> Model:
    return commit_model(shared_network(request.param), 512, shared=True)


def picture(model: Model, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, model.network.shape[0], dtype=np.uint8)


def met(model: Model, image: np.ndarray) -> list[int]:
    """What rows meet, entry by entry."""
    activations = [own[0] for own in model.network.infer(image[None]).activations]
    return model.compiled.met(activations, image.tobytes(), ALPHA).to_ints()


def on_domain(entries: list[int]) -> dict[str, list[int]]:
    return {MET: Vector.from_ints(entries).intt().to_ints()}


def test_the_equations_hold_and_each_entry_of_the_column_is_pinned(model):
    """The whole system on the trace, commitments aside; entries in use, to spare, and the one that meets a row's random entry."""
    image, circuit = picture(model), model.commitment.circuit
    statement, entries = statement_of(model, image, model.predict(image)), met(model, image)
    trace = build_trace(model.compiled, statement)
    check_trace(model.compiled, statement, trace, ALPHA, BETA, on_domain(entries))
    starts = [at for segment in circuit.segments for at in (segment.start, segment.start + segment.count - 1)]
    for at in (*starts, circuit.entries, circuit.domain - 1):
        wrong = [*entries]
        wrong[at] = (wrong[at] + 1) % MODULUS
        with pytest.raises(UnsatisfiedConstraint, match="^constraint 'sum' fails at row "):
            check_trace(model.compiled, statement, trace, ALPHA, BETA, on_domain(wrong))


@pytest.mark.parametrize(
    "column, row, value, constraint",
    [
        ("kind0", 0, 3, "kind of track 0 is 0, 1 or 2"),
        ("kind0", 0, None, "sum"),
        ("mult", 0, None, "sum"),
        ("low0", 5, None, "sum"),
    ],
)
def test_another_trace_fails_by_name(model, column, row, value, constraint):
    image = picture(model)
    statement = statement_of(model, image, model.predict(image))
    trace = {name: np.array(values) for name, values in build_trace(model.compiled, statement).items()}
    trace[column][row] = (trace[column][row] + 1) % 3 if value is None else value
    with pytest.raises(UnsatisfiedConstraint, match=f"^constraint '{constraint}' fails at row "):
        check_trace(model.compiled, statement, trace, ALPHA, BETA, on_domain(met(model, image)))


def test_another_class_fails_by_name(model):
    image = picture(model)
    wrong = (model.predict(image) + 1) % model.commitment.circuit.classes
    statement = Statement(image.tobytes(), wrong)
    with pytest.raises(UnsatisfiedConstraint):
        check_trace(model.compiled, statement, build_trace(model.compiled, statement), ALPHA, BETA, on_domain(met(model, image)))


def test_degrees_are_what_commitments_hold(model):
    for domain in (512, 1024, 2048):
        circuit = commit_model(model.network, domain, shared=True).commitment.circuit
        limit = 4096 + (QUOTIENT_SPLIT if circuit.quotient_pieces == 2 else 0)
        assert quotient_length(circuit) <= limit


def test_places_and_exponents_match_the_fold(model):
    circuit = model.commitment.circuit
    known = fold_exponents(circuit)
    for layer in range(2):
        for group, band in enumerate(circuit.groups(layer)):
            places = list(band.pack_places())
            for position, exponent in enumerate(circuit.exponents_at[layer]):
                place = places[circuit.place_of(layer, position)]
                assert place == position_place(circuit, layer, position, group)
                assert known[place] == exponent - group
    for layer in range(2, circuit.layers):
        band, seats = circuit.groups(layer)[0], circuit.seats(layer)
        for number, exponent in enumerate(band.exponents()):
            row, seat = divmod(number, seats)
            assert exponent == circuit.seat_exponent(layer, seat) + circuit.row_columns[0].exponents[row]


def test_no_row_reaches_a_layer_before_the_one_that_reads(model):
    """Whatever an owner puts into a segment, it is demanded of packs of that layer, of later ones, or of none."""
    circuit = model.commitment.circuit
    owner = {}
    for layer in range(circuit.layers):
        for band in circuit.groups(layer):
            owner |= {exponent: layer for run in band.runs for exponent in (run.exponent(k) for k in range(run.count))}
    for segment in circuit.segments:
        if segment.layer < 2:
            own = [exponent - segment.number for exponent in circuit.exponents_at[segment.layer]]
        else:
            own = [circuit.seat_exponent(segment.layer, segment.number)]
        reached = {owner.get(exponent + above, circuit.layers) for exponent in own for above in circuit.row_columns[0].exponents}
        assert min(reached) >= segment.layer
        if segment.layer >= 2:
            assert reached == {segment.layer}


def test_numbers_of_dense_layers_lie_on_points_of_their_own(model):
    circuit = model.commitment.circuit
    for layer in range(2, circuit.layers):
        own = nodes(circuit, layer)
        assert len(set(own)) == len(own) == circuit.numbers_read(layer)


def test_combined_rows_match_reference(model):
    rows = [row for _, row in hidden_rows(model.compiled, model.secrets)]
    for plain, row, secret in zip(model.compiled.all_rows, rows, model.secrets, strict=True):
        assert row.to_ints() == [*plain[:-1], secret]
    (column,) = model.commitment.circuit.row_columns
    assert combined_rows(model.compiled, model.secrets, ALPHA) == {column.name: Vector.linear_combination(rows, column.weights(ALPHA))}


def test_public_polynomials_and_rows_match_their_closed_forms(model):
    circuit, image, source = model.commitment.circuit, picture(model).tobytes(), random.Random(1)
    drawn = {key: source.randrange(MODULUS) for key in ("alpha", "beta", "gamma", "theta", "eta")}
    point = source.randrange(1 << 240)
    found = independent.public_values(circuit, image, 1, drawn["alpha"], point, (), drawn["eta"])
    assert found == evaluate_publics(circuit, Statement(image, 1), drawn["alpha"], point, drawn)
    (column,) = circuit.row_columns
    assert independent.weighted_rows(circuit, drawn["alpha"]) == {column.name: column.weights(drawn["alpha"])}


def test_proofs_are_verified_by_both_and_every_change_is_refused(model):
    image = picture(model)
    proof, circuit = prove(model, image), model.commitment.circuit
    parsed = parse_proof(proof.to_bytes(), form(circuit))
    verify(model.commitment, image, parsed)
    assert independent.verify(model.commitment.to_bytes(), image.tobytes(), proof.to_bytes()) == model.predict(image)
    other = image.copy()
    other[9] ^= 1
    with refuses(FailedOpening, MISMATCH):
        verify(model.commitment, other, proof)
    with refuses(FailedOpening, MISMATCH):
        independent.verify(model.commitment.to_bytes(), other.tobytes(), proof.to_bytes())
    for name in proof.points:
        wrong = proof.changed(points={name: proof.points[name] + proof.points["sum"]})
        with refuses(FailedOpening, MISMATCH):
            verify(model.commitment, image, wrong)
    for name in proof.scalars:
        wrong = proof.changed(scalars={name: (proof.scalars[name] + 1) % MODULUS})
        with refuses(FailedOpening, MISMATCH):
            verify(model.commitment, image, wrong)
    wrong = replace(proof, digit=(proof.digit + 1) % circuit.classes)
    with refuses(FailedOpening, MISMATCH):
        independent.verify(model.commitment.to_bytes(), image.tobytes(), wrong.to_bytes())


def test_a_false_class_proves_nothing(model):
    image = picture(model)
    wrong = (model.predict(image) + 1) % model.commitment.circuit.classes
    with pytest.raises(UnprovableTrace):
        Prover(model, statement_of(model, image, wrong)).prove()


def test_models_and_circuits_are_kept_in_files(model):
    again, image = Model.from_bytes(model.to_bytes()), picture(model, 4)
    assert again.commitment.circuit == model.commitment.circuit
    verify(again.commitment, image, prove(again, image))
    data = model.commitment.circuit.to_bytes()
    assert data.startswith(b"zkpC\x08") and read_circuit(ByteReader(data, "circuit")) == model.commitment.circuit
    for length in range(len(data)):
        with pytest.raises(MalformedFile):
            read_circuit(ByteReader(data[:length], "circuit"))


@pytest.mark.parametrize("claim", [Claim(Kind.MARGIN, 3)], ids=str)
def test_margins_are_proven(claim):
    model = commit_model(shared_network(NAMES[0]), 512, claim, shared=True)
    for seed in range(40):
        image = picture(model, seed)
        logits = sorted(model.network.infer(image[None]).logits[0].tolist())
        if logits[-1] - logits[-2] >= claim.parameter:
            verify(model.commitment, image, prove(model, image))
            return
    raise AssertionError("no picture leads by the margin")


FIRST, SECOND, THIRD = Grid(8, 8, 1, 3, 3), Grid(6, 6, 3, 2, 2, pool=2), Grid(2, 2, 4, 1, 1, pool=2)
WRONG = {
    "padding": ((64, 192, 16, 3), (RELU8,) * 2, (Grid(8, 8, 1, 3, 3, 1, 1, 1, 1, 1, 1), Grid(8, 8, 3, 3, 3, pool=2), THIRD), "kernels with stride 1 and no padding"),
    "no pool": ((64, 108, 100, 3), (RELU8,) * 2, (FIRST, Grid(6, 6, 3, 2, 2), Grid(5, 5, 4, 5, 5)), "grey images, and averages of 2 x 2 behind both convolutions"),
    "relu": ((64, 108, 16, 3), (RELU,) * 2, (FIRST, SECOND, THIRD), "saturating bytes (relu8) behind every hidden layer"),
    "odd sides": ((56, 90, 16, 3), (RELU8,) * 2, (Grid(7, 8, 1, 3, 3), Grid(5, 6, 3, 1, 2, pool=2), Grid(2, 2, 4, 1, 1, pool=2)), "maps of even sides, so that each position is in a window of 2 x 2"),
    "channels": ((64, 396, 16, 3), (RELU8,) * 2, (FIRST, Grid(6, 6, 11, 2, 2, pool=2), THIRD), "at most 10 channels in the first convolution and 20 in the second"),
    "dense": ((64, 108, 3), (RELU8,), (FIRST, None), "two convolutions, then dense layers, without max pools or residuals"),
    "a map behind them": ((64, 108, 16, 4, 3), (RELU8,) * 3, (FIRST, SECOND, THIRD, Grid(1, 1, 4, 1, 1)), "two convolutions, then dense layers, the first of them behind a pool"),
    "another second map": ((64, 360, 8, 3), (RELU8,) * 2, (FIRST, Grid(5, 6, 12, 1, 2, pool=2), Grid(2, 2, 2, 1, 1, pool=2)), "maps that are read as they are made: with the same rows, columns and channels"),
    "another third map": ((64, 108, 16, 3), (RELU8,) * 2, (FIRST, SECOND, Grid(2, 4, 2, 1, 2, pool=2)), "maps that are read as they are made: with the same rows, columns and channels"),
    "windows": ((256, 588, 144, 3), (RELU8,) * 2, (Grid(16, 16, 1, 3, 3), Grid(14, 14, 3, 2, 2, pool=2), Grid(6, 6, 4, 3, 3, pool=2)), "at most 4 windows of 2 x 2 behind the second convolution"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_has_no_such_circuit_is_refused_by_name(name):
    widths, activations, grids, why = WRONG[name]
    with refuses(UnsupportedNetwork, f"circuits with shared rows hold {why}"):
        SharedCircuit(widths, (1,) * len(activations), activations, 512, grids=grids)


@pytest.mark.parametrize("width, packs", [(160, 16), (161, 17)])
def test_dense_layers_that_fill_more_than_a_track_are_refused_by_name(width, packs):
    """Whether they fill one, with no block left for the classes, or are larger than it: nobody's fit, and a file's error."""
    widths, grids = (64, 108, 16, width, 3), (FIRST, SECOND, THIRD, None)
    with refuses(UnsupportedNetwork, f"dense layers of {packs}, 1 packs do not fit 16 blocks"):
        SharedCircuit(widths, (1,) * 3, (RELU8,) * 3, 512, grids=grids)
    fits = SharedCircuit((64, 108, 16, 11, 3), (1,) * 3, (RELU8,) * 3, 512, grids=grids).to_bytes()
    wrong = fits.replace((11).to_bytes(4, "little"), width.to_bytes(4, "little"))
    with refuses(MalformedFile, f"circuit: dense layers of {packs}, 1 packs do not fit 16 blocks"):
        read_circuit(ByteReader(wrong, "circuit"))


def test_logits_and_other_placements_are_refused_by_name(model):
    with refuses(UnsupportedNetwork, "circuits with shared rows hold numbers of one lane, and claims of a class, a margin or a threshold"):
        commit_model(model.network, 512, Claim(Kind.LOGITS), shared=True)
    with refuses(UnsupportedNetwork, "only wide circuits with convolutions, and one public input, have shared rows"):
        compile_any(model.network, batch=True, shared=True)


def test_a_network_that_has_one_offers_it_and_no_other_does(model):
    (offered,) = shared_choices(model.network)
    assert offered.shared and offered.circuit == compile_any(model.network, shared=True).circuit
    assert shared_choices(network_of("a hidden one")) == ()
