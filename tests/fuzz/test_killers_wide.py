"""What wide circuits must say, by stored statements of every kind: the killers of the mutants of `circuits.wide` (`zkpredict.tools.mutation`).

Proofs, rows and publics were stored when they were made (make_wide_vectors.py), so a change made alike in prover and verifier cannot pass.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support import refuses

from zkpredict.circuits.constraints import constraints, evaluate_publics
from zkpredict.circuits.debug import check_trace
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork
from zkpredict.circuits.networks.activations import RELU, RELU8, RationalRelu, RationalSquare, Softsign
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.placement import columns, form
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.wide.claims import Claim, Kind
from zkpredict.circuits.wide.keys import TABLES
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.circuits.witness import build_trace
from zkpredict.kernel import G1
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.prover.prove import prove
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import FailedOpening, WrongStatement
from zkpredict.verifier.native import parse_proof, statement_for, verify

STORED = json.loads((Path(__file__).parent / "wide_vectors.json").read_text(encoding="utf-8"))
ALPHA, POINT = 3**140 % (1 << 250), 5**90 % (1 << 240)
MISMATCH = "the opening does not match: the claim is false, or the proof was made for another statement"
stored = pytest.mark.parametrize("name", STORED)


def commitment_of(name: str) -> ModelCommitment:
    return ModelCommitment.from_bytes(bytes.fromhex(STORED[name]["commitment"]), G1.from_compressed)


@stored
def test_stored_proofs_are_accepted_and_others_refused(name):
    case, commitment = STORED[name], commitment_of(name)
    image, proof = bytes.fromhex(case["image"]), parse_proof(bytes.fromhex(case["proof"]), form(commitment.circuit))
    assert (proof.digit, list(proof.outputs)) == (case["digit"], case["outputs"])
    verify(commitment, image, proof)
    with refuses(FailedOpening, MISMATCH):
        verify(commitment, bytes([image[0] ^ 1]) + image[1:], proof)


@stored
def test_circuits_are_what_they_were(name):
    case, circuit = STORED[name], commitment_of(name).circuit
    assert circuit.to_bytes().hex() == case["circuit"] and (circuit.tracks, list(circuit.lanes)) == (case["tracks"], case["lanes"])
    assert {column.name: list(column.exponents) for column in circuit.row_columns} == case["rows"]
    assert [[list(place) for place in band.pack_places()] for band in circuit.bands] == case["places"]
    assert [one.name for one in constraints(circuit)] == case["constraints"]
    statement = Statement(bytes.fromhex(case["image"]), case["digit"], tuple(case["outputs"]))
    assert {key: hex(value) for key, value in evaluate_publics(circuit, statement, ALPHA, POINT).items()} == case["publics"]


@pytest.mark.parametrize("name", [name for name, case in STORED.items() if case["model"]])
def test_stored_models_still_prove(name):
    model = Model.from_bytes(bytes.fromhex(STORED[name]["model"]))
    image = np.frombuffer(bytes.fromhex(STORED[name]["image"]), dtype=np.uint8)
    proof = prove(model, image)
    assert proof.digit == STORED[name]["digit"]
    verify(model.commitment, image, proof)


GATES = [RELU, RELU8, RationalRelu(4096), RationalSquare(1), Softsign(255, 1000)]


@pytest.mark.parametrize("gate", GATES, ids=str)
@pytest.mark.parametrize("kind", Kind)
def test_traces_hold(gate, kind):
    """Every gate under every claim, both signs of everything, all classes claimed by some input."""
    source = np.random.default_rng(2)
    outputs = 1 if kind is Kind.THRESHOLD else 7
    layers = (
        DenseLayer(source.integers(-120, 121, (13, 5)), source.integers(-99, 100, 13), 8, gate),
        DenseLayer(source.integers(-20, 21, (outputs, 13)), source.integers(-99, 100, outputs), 0),
    )
    network = IntegerNetwork(layers)
    for seed in range(2):
        image = np.random.default_rng(seed).integers(0, 256, 5, dtype=np.uint8)
        found = network.infer(image[None])
        logits = found.logits[0]
        gap = int(np.sort(logits)[-1] - np.sort(logits)[-2]) if outputs > 1 else 0
        parameter = {Kind.MARGIN: max(1, gap), Kind.THRESHOLD: int(logits[0])}.get(kind, 0)
        if kind is Kind.MARGIN and gap == 0:
            continue
        model = commit_model(network, 512, Claim(kind, parameter), "wide")
        statement = Statement(image.tobytes(), int(found.digits[0]), tuple(map(int, logits)) if kind is Kind.LOGITS else ())
        check_trace(model.compiled, statement, build_trace(model.compiled, statement), ALPHA, POINT)


def test_tables():
    lower = [value for k in range(128) for value in (2 * k, k, 2 * k + 1, 128 + k)]
    upper = [value for k in range(128) for value in (2 * k, k, 2 * k + 1, 129 + k if k < 127 else 129)]
    assert TABLES == {"codes_relu": tuple(lower), "codes_relu8": tuple(upper)}


def test_bytes_of_a_private_input_are_looked_up_too():
    """In columns behind those of the tracks, three keys each; the last may have fewer."""
    for inputs, parts in ((7, 1), (600, 2), (1100, 3), (1600, 4)):
        names = [one.name for one in constraints(circuit_of(widths=(inputs, 5, 3), private_input=True))]
        assert [name for name in names if name.startswith("lookup_input")] == [f"lookup_input{n}" for n in range(-(-parts // 3))]
        held = [column.name for column in columns(circuit_of(widths=(inputs, 5, 3), private_input=True)) if column.name.startswith("input")]
        assert held == [f"input{part}" for part in range(parts)]


# what statements refuse

OPEN = WideCircuit((7, 5, 3), (1,), (RELU,), 512, Claim(Kind.LOGITS))
LIMIT = 1 << 46


@pytest.mark.parametrize(
    "outputs, digit, message",
    [
        ((1, 3), 1, "the proof states 2 outputs, the circuit makes 3 public"),
        ((), 0, "the proof states 0 outputs, the circuit makes 3 public"),
        ((1, LIMIT, 2), 1, f"output 1 is {LIMIT}, beyond {LIMIT - 1}"),
        ((1, 3, -LIMIT), 1, f"output 2 is {-LIMIT}, beyond {LIMIT - 1}"),
        ((1, 3, 2), 2, "the digit is 2, the largest output is number 1"),
        ((3, 3, 2), 1, "the digit is 1, the largest output is number 0"),
        ((1, 3, 2), 3, "the digit 3 is not one of the 3 classes"),
    ],
)
def test_what_statements_with_outputs_refuse(outputs, digit, message):
    with refuses(WrongStatement, message):
        statement_for(OPEN, bytes(7), digit, outputs)


def test_statements_that_fit():
    assert statement_for(OPEN, bytes(7), 1, (1 - LIMIT, LIMIT - 1, 0)) == Statement(bytes(7), 1, (1 - LIMIT, LIMIT - 1, 0))
    assert statement_for(circuit_of(), bytes(7), 2, (), bytes(32)) == Statement(bytes(7), 2, context=bytes(32))
    with refuses(WrongStatement, "the proof states 3 outputs, the circuit makes 0 public"):
        statement_for(circuit_of(), bytes(7), 1, (1, 3, 2))
    with refuses(WrongStatement, "the context has 31 bytes, expected 32 or none"):
        statement_for(circuit_of(), bytes(7), 1, (), bytes(31))
    with refuses(WrongStatement, "the image has 8 bytes, the circuit takes 7"):
        statement_for(circuit_of(), bytes(8), 1)


def test_what_is_absorbed():
    """The class in 32 bytes, outputs in 8 each, the input, the context."""
    said = Statement(b"xy", 3, (1, -2), context=b"c" * 32).absorbed()
    assert said == bytes(31) + b"\x03" + bytes(7) + b"\x01" + b"\xff" * 7 + b"\xfe" + b"xy" + b"c" * 32
    assert Statement(b"", 3, (), (b"p" * 96, b"q" * 96)).absorbed() == bytes(31) + b"\x03" + b"p" * 96 + b"q" * 96


# what circuits refuse


def circuit_of(**changed) -> WideCircuit:
    return replace(WideCircuit((7, 5, 3), (1,), (RELU,), 512), **changed)


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"domain": 256}, "domain must be one of (512, 1024, 2048), got 256"),
        ({"widths": (7,)}, "1 lane widths and 1 activations do not match 1 layer widths"),
        ({"lanes": (1, 1)}, "2 lane widths and 1 activations do not match 3 layer widths"),
        ({"activations": ()}, "1 lane widths and 0 activations do not match 3 layer widths"),
        ({"widths": (7, 0, 3)}, "layer widths must be in 1..65536, got (7, 0, 3)"),
        ({"lanes": (3,)}, "lane widths must be 1 or 2, got (3,)"),
        ({"widths": (7, 5, 1001)}, "a circuit has at most 1000 classes, got 1001"),
        ({"widths": (7, 65000, 3), "lanes": (2,)}, None),
        (
            {"widths": (7, 5, 5, 3), "lanes": (1, 1), "activations": (RationalSquare(1), Softsign(1, 1))},
            "a circuit holds relu, relu8 and one rational activation, got rational_square(d=1), softsign(scale=1, c=1)",
        ),
    ],
)
def test_what_circuits_refuse(changed, message):
    with pytest.raises(UnsupportedNetwork) as caught:
        circuit_of(**changed)
    assert str(caught.value) == message if message else "tracks of 512 rows, at most 64 fit" in str(caught.value)


def test_what_bytes_refuse():
    data = circuit_of(activations=(RationalSquare(5),)).to_bytes()
    parsed = lambda raw: WideCircuit.read(__import__("zkpredict.circuits.files.codec", fromlist=["x"]).ByteReader(raw, "circuit"))
    assert parsed(data) == circuit_of(activations=(RationalSquare(5),))
    with refuses(MalformedFile, "circuit: claim is 4, expected 0 to 3"):
        parsed(data[:7] + b"\x04" + data[8:])
    with pytest.raises(MalformedFile):
        parsed(data[:8] + b"\x01" + data[9:])
    for end in range(len(data)):
        with pytest.raises(MalformedFile):
            parsed(data[:end])
