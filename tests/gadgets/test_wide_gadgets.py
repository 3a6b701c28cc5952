"""The gadgets of wide circuits through one harness: random circuits hold on mock commitments, each constraint is broken by each column
that it reads, each cell that means something is pinned by name, and degrees are what they are said to be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkpredict.circuits.columns import Origin, cells_of
from zkpredict.circuits.constraints import constraints, public_polynomials
from zkpredict.circuits.debug import DomainRows, UnsatisfiedConstraint, check_trace, public_rows, scalar_field
from zkpredict.circuits.debug import _rows as mock_columns
from zkpredict.circuits.degrees import quotient_length
from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.networks.activations import RELU, RELU8, RationalRelu, RationalSquare, Softsign
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.placement import columns, form
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.wide.claims import CLASS, Claim, Kind
from zkpredict.circuits.wide.compiler import compile_wide
from zkpredict.circuits.wide.explain import wrong_parts
from zkpredict.circuits.witness import build_trace

ALPHA, BETA = 3**100 % (1 << 250), 5**90 % (1 << 250)
GATES = [RELU, RELU8, RationalSquare(4096), RationalRelu(1), Softsign(255, 1000)]
LOGITS = Claim(Kind.LOGITS)


def network_of(shape, gates, seed=1, largest=20, shift=8, bias=99):
    source, layers = np.random.default_rng(seed), []
    for number, (inputs, outputs) in enumerate(zip(shape, shape[1:])):
        last = number == len(shape) - 2
        weights = source.integers(-largest, largest + 1, (outputs, inputs))
        own = source.integers(-bias, bias + 1, outputs)
        layers.append(DenseLayer(weights, own, 0 if last else shift, RELU if last else gates[number % len(gates)]))
    return IntegerNetwork(tuple(layers))


def case(compiled, image):
    """The honest statement and trace."""
    found = compiled.network.infer(image[None])
    outputs = tuple(map(int, found.logits[0])) if compiled.circuit.claim.kind is Kind.LOGITS else ()
    statement = Statement(image.tobytes(), int(found.digits[0]), outputs)
    return statement, build_trace(compiled, statement)


def holds(compiled, image) -> None:
    """All constraints, on every row; and nothing is wrong in plain ints."""
    statement, trace = case(compiled, image)
    check_trace(compiled, statement, trace, ALPHA, BETA)
    assert list(wrong_parts(compiled, statement, trace)) == []


@st.composite
def circuits(draw):
    """Shapes from one layer to four, gates, claims; weights small or as large as lanes hold; one or two lanes a value."""
    hidden = draw(st.lists(st.integers(1, 35), max_size=3))
    kind = draw(st.sampled_from(Kind))
    outputs = 1 if kind is Kind.THRESHOLD else draw(st.integers(2, 12))
    shape = (draw(st.sampled_from([1, 7, 40, 600])), *hidden, outputs)
    rational = draw(st.sampled_from(GATES[2:]))
    gates = draw(st.lists(st.sampled_from([RELU, RELU8, rational]), min_size=1, max_size=3))
    largest, shift = draw(st.sampled_from([(0, 0), (3, 4), (20, 8), (127, 8), (127, 16), (3000, 20)]))
    network = network_of(shape, gates, draw(st.integers(0, 99)), largest, shift)
    parameter = {Kind.MARGIN: 1, Kind.THRESHOLD: -(1 << 45)}.get(kind, 0)
    return network, Claim(kind, parameter)


@settings(max_examples=25, deadline=None)
@given(circuits(), st.sampled_from(["random", "black", "white"]), st.integers(0, 99))
def test_random_circuits_hold(made, picture, seed):
    network, claim = made
    try:
        compiled = compile_wide(network, claim, 512)
    except UnsupportedNetwork as error:  # a bound that no lane holds, said by name
        assert "reaches" in str(error) or "takes 16 signed bits" in str(error) or "does not fit" in str(error)
        return
    inputs = network.shape[0]
    image = {"black": np.zeros(inputs), "white": np.full(inputs, 255)}.get(picture, np.random.default_rng(seed).integers(0, 256, inputs))
    image = image.astype(np.uint8)
    if claim.kind is Kind.MARGIN:  # of a network that reaches it
        logits = np.sort(network.infer(image[None]).logits[0])
        if logits[-1] == logits[-2]:
            return
        compiled = compile_wide(network, Claim(Kind.MARGIN, int(logits[-1] - logits[-2])), 512)
    holds(compiled, image)


@pytest.mark.parametrize(
    "hidden, claim, tracks",
    [((480,), LOGITS, 1), ((481,), LOGITS, 2), ((240, 120, 60, 30), CLASS, 1), ((240, 120, 60, 31), CLASS, 2), ((480,), CLASS, 2)],
)
def test_tracks_just_full_and_just_not(hidden, claim, tracks):
    """A track of 512 rows holds 48 packs in 16 blocks; the differences of up to fifteen classes take one block."""
    compiled = compile_wide(network_of((7, *hidden, 15), [RELU8], largest=5, shift=4), claim, 512)
    assert compiled.circuit.tracks == tracks
    holds(compiled, np.arange(7, dtype=np.uint8))


def test_double_lanes_and_chunks():
    """Values of two lanes in one layer and of one in the next; an input of two chunks."""
    first, second, last = network_of((600, 12, 9, 3), [RELU], largest=120).layers
    layers = (replace(first, shift=9), replace(second, weights=second.weights * 3000, shift=25), last)
    compiled = compile_wide(IntegerNetwork(layers), LOGITS, 512)
    assert compiled.circuit.lanes == (1, 2) or compiled.circuit.lanes == (2, 2)
    assert len(compiled.circuit.chunks) == 2
    holds(compiled, np.full(600, 255, dtype=np.uint8))


# each constraint, broken by each column


def local(circuit):
    """Constraints that read neither weights nor columns of a later round."""
    early = {column.name for column in columns(circuit) if column.origin is Origin.PROOF and column.round == 1}
    return [one for one in constraints(circuit) if {cell.column for cell in cells_of(one.expression)} <= early]


@pytest.mark.parametrize("gate", [RELU8, RationalRelu(4096)], ids=str)
def test_every_local_constraint_is_broken_by_each_column_that_it_reads(gate):
    compiled = compile_wide(network_of((7, 12, 3), [gate]), CLASS, 512)
    statement, trace = case(compiled, np.arange(7, dtype=np.uint8))
    field = scalar_field()
    publics = {name: field([int(v) % MODULUS for v in rows]) for name, rows in public_rows(compiled.circuit, statement, ALPHA).items()}
    names = set()
    for one in local(compiled.circuit):
        names.add(one.name)
        for column in {cell.column for cell in cells_of(one.expression)}:
            rows = {name: field([int(v) for v in values]) for name, values in trace.items()}
            assert not np.any(one.expression.evaluate(DomainRows(rows, publics, {}))), one.name
            rows[column] = rows[column] + field([2] * compiled.circuit.domain)
            assert np.any(one.expression.evaluate(DomainRows(rows, publics, {}))), (one.name, column)
    bits = {"sign of track 0 is a bit", "differences on track 0 are not negative", "the claimed class differs from itself by 0"}
    more = {"exact of track 0 is a bit", "exact of track 0 says 128"} if gate is RELU8 else {
        "odd of track 0 is a bit", "quotient of track 0", "remainder of track 0 is below",
    }
    assert names == bits | more


@pytest.mark.parametrize("gate, claim", [(RELU8, Claim(Kind.MARGIN, 1)), (Softsign(255, 1000), LOGITS)], ids=str)
def test_every_constraint_is_broken_by_each_column_that_it_reads(gate, claim):
    """Those of later rounds too, with every column solved, weights among them: one more on even rows, two on odd ones."""
    compiled = compile_wide(network_of((7, 12, 3), [gate], seed=3), claim, 512)
    statement, trace = case(compiled, np.arange(7, dtype=np.uint8))
    drawn = {"alpha": ALPHA, "beta": BETA, "gamma": 7**80 % (1 << 200), "theta": 11**70 % (1 << 200)}
    world, field = mock_columns(compiled, statement, trace, drawn), scalar_field()
    for one in constraints(compiled.circuit):
        assert not np.any(one.expression.evaluate(world)), one.name
        for column in {cell.column for cell in cells_of(one.expression)}:
            rows = world.columns | {column: world.columns[column] + field([1 + row % 2 for row in range(512)])}
            assert np.any(one.expression.evaluate(DomainRows(rows, world.publics, drawn))), (one.name, column)


def refusal(compiled, statement, trace) -> str:
    with pytest.raises(UnsatisfiedConstraint) as caught:
        check_trace(compiled, statement, trace, ALPHA, BETA)
    return str(caught.value)


PLACES = {
    "a limb of layer 0": ("low0", "hidden", 0, "pack 0 of layer 0 does not hold"),
    "a limb of layer 1": ("mid0", "hidden", 1, "pack 0 of layer 1 does not hold"),
    "a difference": ("low0", "output", 1, "pack 0 of layer 2 does not hold"),
    "an idle pack": ("low0", None, 0, "the pack at row 500 of track 0, which nobody uses, does not hold"),
    "M": ("low0", "largest", 31, "pack 0 of layer 2 does not hold"),
    "M less the margin": ("low0", "largest", 63, "the largest logit less the margin does not hold"),
}


@pytest.mark.parametrize("what", PLACES)
def test_what_fails_is_named(what):
    """One more in one limb: the sum does not close, and the message says which pack."""
    column, kind, index, message = PLACES[what]
    compiled = compile_wide(network_of((7, 12, 9, 3), [RELU], seed=3), Claim(Kind.MARGIN, 1), 512)
    circuit = compiled.circuit
    statement, trace = case(compiled, np.arange(7, dtype=np.uint8))
    if kind == "hidden":
        row = list(circuit.bands[index].pack_places())[0][1]
    elif kind == "output":
        wrong = next(i for i in range(3) if i != statement.claim)
        row = list(circuit.output.pack_places())[0][1] + 2 * wrong + 1
    else:
        row = 500 if kind is None else index
    tampered = {name: values.copy() for name, values in trace.items()}
    tampered[column][row] += 1 if tampered[column][row] < 255 else -1
    text = refusal(compiled, statement, tampered)
    assert text.startswith("constraint 'sum' fails at row") and f"; {message}" in text
    assert "weights" not in text and "rows" not in text


@pytest.mark.parametrize("column", ["sign0", "exact0", "mult", "top0"])
def test_bits_and_counts_are_pinned(column):
    compiled = compile_wide(network_of((7, 12, 3), [RELU8], seed=3), CLASS, 512)
    statement, trace = case(compiled, np.arange(7, dtype=np.uint8))
    row = {"mult": 4}.get(column, list(compiled.circuit.bands[0].pack_places())[0][1] + 3)
    tampered = {name: values.copy() for name, values in trace.items()}
    assert column == "mult" or trace["exact0"][row] == 1
    tampered[column][row] = 1 - tampered[column][row] if column in ("sign0", "exact0") else tampered[column][row] + 1
    text = refusal(compiled, statement, tampered)
    assert {"sign0": "top0 at row", "exact0": "top0 at row", "mult": "the count of 2 under tag 0", "top0": "exact of track 0 says 128"}[column] in text


# degrees


@pytest.mark.parametrize("domain", [512, 1024, 2048])
def test_the_quotient_is_as_long_as_it_is_said_to_be(domain):
    """3 n + 13 coefficients for all gates and claims: a product of four columns, or of rows, what reads them and two limbs."""
    for gate in GATES:
        for claim in (CLASS, LOGITS, Claim(Kind.MARGIN, 5)):
            circuit = compile_wide(network_of((7, 12, 9, 3), [gate]), claim, domain).circuit
            assert quotient_length(circuit) == 3 * domain + 13
            assert form(circuit).rotations == (0, 1) and form(circuit).blinders == 4
            assert len(circuit.row_columns) >= 3 and circuit.quotient_pieces == 1 + (domain == 2048)


def test_public_polynomials_agree_with_their_values_on_rows():
    """Closed forms and rows, for each: at a point the polynomial through its rows has the value that is computed."""
    from support import evaluate_values

    compiled = compile_wide(network_of((600, 12, 9, 3), [RELU8]), Claim(Kind.MARGIN, 5), 512)
    statement = Statement(bytes(range(200)) * 3, 1)
    rows = public_rows(compiled.circuit, statement, ALPHA)
    for name, polynomial in public_polynomials(compiled.circuit, statement, ALPHA).items():
        assert polynomial.evaluate(98765, 512) % MODULUS == evaluate_values([int(v) % MODULUS for v in rows[name]], 98765), name


def test_what_fails_is_named_with_a_private_input_too():
    """The committed input as it is; a byte that is another is named with the pack that reads it."""
    compiled = compile_wide(network_of((7, 12, 3), [RELU], seed=3), CLASS, 512, private_input=True)
    image = np.arange(7, dtype=np.uint8) * 30
    statement = Statement(b"", int(compiled.network.infer(image[None]).digits[0]))
    trace = build_trace(compiled, statement, image.tobytes())
    given = {"committed0": [int(v) for v in trace["input0"]]}
    check_trace(compiled, statement, trace, ALPHA, BETA, given)
    assert list(wrong_parts(compiled, statement, trace)) == []
    other = {name: values.copy() for name, values in trace.items()}
    other["input0"][3] += 1
    found = list(wrong_parts(compiled, statement, other))
    assert "pack 0 of layer 0" in found and any(one.startswith("the count of 90") for one in found)
    with pytest.raises(UnsatisfiedConstraint, match="input 0 is the committed one"):
        check_trace(compiled, statement, other, ALPHA, BETA, given)
