"""Circuits in which small layers lie several times: where packs lie and what they are weighed with, counted anew; that honest traces
hold, and that what is changed in one replica is named."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import evaluate_values, random_image, refuses

from zkpredict.circuits.batch.layout import ADVICE, BatchCircuit
from zkpredict.circuits.choice import compile_any, compile_as, replica_choices
from zkpredict.circuits.constraints import public_polynomials, selectors
from zkpredict.circuits.debug import UnsatisfiedConstraint, check_trace, public_rows
from zkpredict.circuits.degrees import quotient_length
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.networks.activations import RELU, RELU8, RationalRelu
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.placement import form, read_circuit
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.wide.claims import CLASS, Claim, Kind
from zkpredict.circuits.wide.compiler import compile_replicas, compile_wide
from zkpredict.circuits.wide.explain import wrong_parts
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.circuits.wide.replicas import ReplicaCircuit
from zkpredict.circuits.witness import build_trace
from zkpredict.prover.commit import commit_model
from zkpredict.prover.prove import prove
from zkpredict.prover.rows import combined_rows, hidden_rows
from zkpredict.verifier import independent
from zkpredict.verifier.costs import estimate_costs
from zkpredict.verifier.native import verify

ALPHA, BETA = 3**100 % (1 << 250), 5**90 % (1 << 250)
LOGITS, MARGIN = Claim(Kind.LOGITS), Claim(Kind.MARGIN, 3)


def network_of(shape, gates=(RELU8,), seed=1):
    source, layers = np.random.default_rng(seed), []
    for number, (inputs, outputs) in enumerate(zip(shape, shape[1:])):
        last = number == len(shape) - 2
        weights, bias = source.integers(-20, 21, (outputs, inputs)), source.integers(-99, 100, outputs)
        layers.append(DenseLayer(weights, bias, 0 if last else 8, RELU if last else gates[number % len(gates)]))
    return IntegerNetwork(tuple(layers))


@st.composite
def shapes(draw):
    hidden = draw(st.lists(st.integers(1, draw(st.sampled_from([5, 60, 300]))), min_size=1, max_size=4))
    lanes = tuple(draw(st.sampled_from([1, 2])) for _ in hidden)
    gates = tuple(draw(st.sampled_from([RELU, RELU8, RationalRelu(4096)])) for _ in hidden)
    claim, domain = draw(st.sampled_from([CLASS, MARGIN, LOGITS])), draw(st.sampled_from([512, 1024, 2048]))
    widths = (draw(st.integers(1, draw(st.sampled_from([9, 3000])))), *hidden, draw(st.integers(2, 60)))
    for joined in range(draw(st.integers(1, 4)), 64):
        try:
            return ReplicaCircuit(widths, lanes, gates, domain, claim, joined=joined)
        except UnsupportedNetwork:
            continue
    return ReplicaCircuit((7, 40, 30, 10), (1, 1), (RELU8, RELU8), 512, joined=1)


@settings(max_examples=15, deadline=None)
@given(shapes())
def test_geometry(circuit):
    """All replicas lie apart, with powers of alpha of their own; a row of a joined polynomial is read by one seat at most, which is a
    lane of the layer before that seat's, or its bias row; every pack of every later layer has one seat on each track that it reads."""
    replicas = [(layer, band) for layer in range(circuit.layers) for band in circuit.groups(layer)]
    places = [place for _, band in replicas for place in band.pack_places()]
    assert len(set(places)) == len(places) and {track for track, _ in places} <= set(range(circuit.tracks))
    exponents = [exponent for _, band in replicas for exponent in band.exponents()]
    assert len(set(exponents)) == len(exponents) and max(exponents, default=0) < circuit.folded <= 12_288
    alpha, point = 12345, 98765
    assert independent.weighted_rows(circuit, alpha) == {column.name: column.weights(alpha) for column in circuit.row_columns}
    found, seen = selectors(circuit, alpha), {}
    for name, (track, number) in circuit.joined_rows.items():
        read: dict[int, int] = {}
        for seat in circuit.seats_on(track, number):
            weight = circuit.pack_weights(seat.layer, alpha)[seat.pack]
            seen.setdefault((seat.layer, seat.pack), []).append(track)
            rows = [row + at for own, row in circuit.source(seat).pack_places() if own == track for at in circuit.source(seat).heads]
            rows += [seat.bias_row] if circuit.has_bias(seat, track) else []
            assert not read.keys() & set(rows) and seat.bias_row % 32 == 30 and seat.layer >= 1
            read |= dict.fromkeys(rows, weight)
        mine = [polynomial for key, polynomial in found.items() if key.endswith(f"_{track}_{number}")]
        for row in sorted({*read, *range(number, circuit.domain, circuit.domain // 256 - 1 or 1), 31}):
            assert sum(polynomial.at_row(row) for polynomial in mine) % MODULUS == read.get(row, 0), (name, row)
    assert seen == {
        (layer, pack): list(circuit.groups(layer - 1)[pack % circuit.copies(layer - 1)].tracks)
        for layer in range(1, circuit.layers) for pack in range(circuit.packs(layer))
    }
    publics = public_polynomials(circuit, Statement(bytes(circuit.inputs), 1, (0,) * form(circuit).outputs), alpha)
    known = independent.public_values(circuit, bytes(circuit.inputs), 1, alpha, point, (0,) * form(circuit).outputs)
    assert {name: value.evaluate(point, circuit.domain) % MODULUS for name, value in publics.items()} == {
        name: known[name] for name in publics
    }
    assert quotient_length(circuit) == 3 * circuit.domain + 13 and read_circuit(ByteReader(circuit.to_bytes(), "it")) == circuit


def test_weights_of_packs_are_sums_over_replicas():
    circuit = compile_replicas(network_of((40, 35, 22, 10)), 1, domain=512).circuit
    assert [circuit.copies(layer) for layer in range(3)] == [3, 2, 1] and circuit.total_rows == 2
    every = circuit.exponents_of(1)
    assert len(every) == 2 and circuit.pack_weights(1, 2)[2] == (2 ** every[0][2] + 2 ** every[1][2]) % MODULUS
    assert circuit.row_columns[0].copies and circuit.row_columns[0].weights(1) == [3]


CASES = {
    "one row": ((40, 35, 22, 10), (RELU8,), 1, 512, CLASS),
    "two rows, two gates": ((40, 65, 42, 10), (RELU, RELU8), 2, 512, CLASS),
    "rational, logits, 1024 rows": ((30, 35, 30, 22, 12), (RationalRelu(4096), RELU), 1, 1024, LOGITS),
    "two tracks, two chunks": ((600, 160, 60, 40, 12), (RELU,), 2, 512, MARGIN),
    "2048 rows": ((40, 90, 9), (RELU8,), 1, 2048, CLASS),
}


@pytest.fixture(scope="module", params=CASES)
def case(request):
    shape, gates, joined, domain, claim = CASES[request.param]
    for seed in range(1, 50):
        network, image = network_of(shape, gates, seed), random_image(seed, shape[0])
        logits = np.sort(network.infer(image[None]).logits[0])
        if claim is not MARGIN or logits[-1] - logits[-2] >= 3:
            return compile_replicas(network, joined, claim, domain), image
    raise AssertionError("no such network")


def traced(compiled, image):
    found = compiled.network.infer(image[None])
    outputs = tuple(map(int, found.logits[0])) if compiled.circuit.claim == LOGITS else ()
    statement = Statement(image.tobytes(), int(found.digits[0]), outputs)
    return statement, build_trace(compiled, statement)


def test_honest_traces_hold(case):
    compiled, image = case
    statement, trace = traced(compiled, image)
    check_trace(compiled, statement, trace, ALPHA, BETA)
    assert list(wrong_parts(compiled, statement, trace)) == []
    rows = public_rows(compiled.circuit, statement, ALPHA)
    for name, polynomial in public_polynomials(compiled.circuit, statement, ALPHA).items():
        assert polynomial.evaluate(777, compiled.circuit.domain) % MODULUS == evaluate_values([v % MODULUS for v in rows[name]], 777), name


def test_every_replica_is_pinned(case):
    """One more in one limb of any replica, one in a place that layers have to spare, is named by the layer."""
    compiled, image = case
    statement, trace = traced(compiled, image)
    for layer in range(compiled.circuit.layers - 1):
        for band in compiled.circuit.groups(layer):
            for track, row in (list(band.pack_places())[0], list(band.pack_places())[-1]):
                tampered = {name: values.copy() for name, values in trace.items()}
                tampered[f"low{track}"][row] += 1 if tampered[f"low{track}"][row] < 255 else -1
                found = " ".join(wrong_parts(compiled, statement, tampered))
                assert f"of layer {layer}" in found or f"the pack at row {row} of track {track}, which nobody uses," in found
    with pytest.raises(UnsatisfiedConstraint, match="constraint 'sum' fails"):
        check_trace(compiled, statement, tampered, ALPHA, BETA)


def test_proofs_hold_and_rows_are_the_slow_ones(case):
    compiled, image = case
    circuit, (_, _, joined, domain, claim) = compiled.circuit, next(c for c in CASES.values() if c[0] == compiled.circuit.widths)
    model = commit_model(compiled.network, domain, claim, joined=joined)
    assert model.commitment.circuit == circuit == model.compiled.circuit and len(model.commitment.rows) == circuit.total_rows
    proof = prove(model, image)
    verify(model.commitment, image, proof)
    if domain == 512 and joined == 2:
        assert independent.verify(model.commitment.to_bytes(), image.tobytes(), proof.to_bytes()) == proof.digit
    secrets = tuple(range(1, circuit.total_rows + 1))
    fast = [row.to_ints() for _, row in hidden_rows(compiled, secrets)]
    places = [circuit.domain - 1 if column.coefficients else 31 for column in circuit.row_columns for _ in column.exponents]
    for row, slow, secret, place in zip(fast, compiled.all_rows, secrets, places, strict=True):
        assert row[place] == secret and slow[place] == 0 and [*row[:place], 0, *row[place + 1 :]] == slow
    combined, start = combined_rows(compiled, secrets, ALPHA), 0
    for column in circuit.row_columns:
        weights = column.weights(ALPHA)
        own = [sum(w * row[at] for w, row in zip(weights, fast[start : start + len(weights)])) % MODULUS for at in range(circuit.domain)]
        found = combined[column.name] if column.coefficients else combined[column.name].ntt()
        assert found.to_ints() == own, column.name
        start += len(weights)


def test_another_number_of_joined_rows_is_another_circuit():
    network = network_of((40, 65, 42, 10))
    one, two = (compile_replicas(network, joined, domain=1024) for joined in (1, 2))
    plain = compile_wide(network, domain=1024)
    assert len({made.circuit.digest for made in (one, two, plain)}) == 3
    assert compile_as(network, two.circuit) == two and compile_any(network, 1024, joined=1) == one
    assert plain.circuit.to_bytes()[5:] == one.circuit.to_bytes()[5:-2]


@pytest.mark.parametrize(
    ("widths", "joined", "message"),
    [
        ((7, 3), 1, "a network of one layer has nothing to replicate"),
        ((7, 40, 3), 2, "2 joined rows, expected 1 to 1"),
        ((7, 40, 3), 0, "0 joined rows, expected 1 to 1"),
        ((7, 40, 70, 3), 5, "5 joined rows, of which 4 are in use"),
        ((7, 10, 300, 3), 1, "31 packs share a row, 16 biases fit beside them"),
    ],
)
def test_what_no_circuit_joins_is_refused(widths, joined, message):
    lanes = (1,) * (len(widths) - 2)
    with refuses(UnsupportedNetwork, message):
        ReplicaCircuit(widths, lanes, (RELU8,) * len(lanes), 512, joined=joined)
    honest = ReplicaCircuit((7, 40, 70, 3), (1, 1), (RELU8, RELU8), 512, joined=1).to_bytes()
    with refuses(MalformedFile, "it: 9 joined rows, expected 1 to 7"):
        read_circuit(ByteReader(honest[:-2] + b"\x09\x00", "it"))
    for lanes, shown in ((b"\x10", 0), (b"\x1f", 15)):
        with refuses(MalformedFile, f"it: lane widths must be 1 or 2, got ({shown}, 1)"):
            read_circuit(ByteReader(honest[:-4] + lanes + honest[-3:], "it"))


def test_private_inputs_batches_and_compact_circuits_have_none():
    with refuses(UnsupportedNetwork, "circuits with replicas have public inputs only"):
        ReplicaCircuit((7, 40, 3), (1,), (RELU8,), 512, private_input=True)
    with refuses(UnsupportedNetwork, "circuits with replicas have no slots for batches"):
        ReplicaCircuit((7, 40, 3), (1,), (RELU8,), 512, slotted=True)
    with refuses(UnsupportedNetwork, f"circuits with replicas, which are for single proofs on a chain, have no batches: {ADVICE}"):
        BatchCircuit.of(ReplicaCircuit((7, 40, 3), (1,), (RELU8,), 512), 2)
    for options in ({"placement": "compact"}, {"private_input": True}, {"batch": True}):
        with refuses(UnsupportedNetwork, "only wide circuits of dense layers, with one public input, have replicas"):
            compile_any(network_of((7, 40, 3)), joined=1, **options)


def test_choices_trade_tracks_for_rows():
    """On each domain no choice has both fewer rows and no more tracks; the cheapest on a chain is below the plain circuit."""
    network = network_of((784, 128, 64, 10))
    found = replica_choices(network)
    assert {one.domain for one in found} == {512, 1024, 2048} and all(one.placement == "wide" for one in found)
    for one in found:
        assert not any(
            other.domain == one.domain and other is not one and other.circuit.tracks <= one.circuit.tracks
            and other.circuit.total_rows <= one.circuit.total_rows for other in found
        )
    best = min(found, key=lambda one: estimate_costs(one.circuit).verify_gas_estimate)
    assert (best.domain, best.joined, best.circuit.tracks, best.circuit.total_rows) == (2048, 1, 1, 8)
    assert estimate_costs(best.circuit).verify_gas_estimate < 350_000
    assert isinstance(compile_any(network, 2048, placement="wide").circuit, WideCircuit)
