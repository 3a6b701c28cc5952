"""Line 36: a hostile owner of a max pool whose differences leave their lanes. Two matches of one window lie in one pack, which is one equation:
with one less for the first, the second loses to a player it never had, and 2^24 more for it makes the pack what it was.

The first match is 256, so one less in its lane is one less for its winner a; the second is a - b = -2^15, the least that its lane holds.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from forger import claim_of
from support import refuses
from verdicts import PYTHON, accepted
from wide_forger import LANE, place_of, put, settle, sheet_of
from wired_forger import Following, follow, patched

from zkpredict.circuits.convolution import layout
from zkpredict.circuits.convolution.compiler import ConvNetwork
from zkpredict.circuits.convolution.layout import ConvCircuit
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork
from zkpredict.circuits.networks.activations import RELU, RELU8, Softsign
from zkpredict.circuits.networks.convolution import ConvLayer
from zkpredict.circuits.networks.grid import Grid
from zkpredict.circuits.networks.pooling import MaxPoolLayer
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.networks.wiring import PLAIN, Wiring
from zkpredict.circuits.statement import Statement
from zkpredict.kernel import G1
from zkpredict.prover import commit as committing
from zkpredict.prover.commit import commit_model
from zkpredict.verifier.commitment import ModelCommitment

POINT, WINDOW, SUM = Grid(1, 3, 1, 1, 1), Grid(1, 3, 1, 1, 3), Wiring((0, 1), (), True)
WIRING = (PLAIN, PLAIN, SUM, PLAIN)
IMAGE = np.array([1, 0, 129], np.uint8)
MESSAGE = "layer 2 is a max pool of numbers that may be 0 to 65534 for some weights: they must lie in 0..32767 (give the layers that it reads relu8)"


def circuit(activation=RELU, second=RELU, window=WINDOW, wiring=WIRING) -> ConvCircuit:
    """Three numbers, their sum with what a second layer makes of them, its maximum, two classes."""
    outputs = window.count
    return ConvCircuit((3, 3, 3, outputs, 2), (1, 1, 1), (activation, second, RELU), 512, grids=(POINT, POINT, window, None), wiring=wiring)


def owned(monkeypatch):
    """A model whose entrants are 256, 0 and 33024, committed to without asking about bounds."""
    network = IntegerNetwork((
        ConvLayer(np.array([[2]]), np.array([0]), 0, RELU, POINT), ConvLayer(np.array([[127]]), np.array([0]), 0, RELU, POINT),
        MaxPoolLayer(WINDOW, (0, 1)), DenseLayer(np.array([[1], [0]]), np.array([0, 50000])),
    ))  # fmt: skip
    compiled = ConvNetwork(network, circuit(), (8, 8, 8, 0))
    monkeypatch.setattr(committing, "compile_or_advise", lambda *_: compiled)
    made = commit_model(network, 512)
    return SimpleNamespace(commitment=made.commitment, secrets=made.secrets, compiled=compiled, network=network)


def said(model, z, handed, lanes=()):
    """The claim of this run, with the matches' lanes as given."""
    digit = int(np.argmax(z[-1][0]))
    sheet = sheet_of(model, [one[0].tolist() for one in z], digit)
    for match, number in enumerate(lanes):
        put(sheet, place_of(model.compiled.circuit.groups(2)[0], match), number)
    prover = Following(model, Statement(IMAGE.tobytes(), digit), chosen=settle(model.compiled.circuit, sheet))
    prover.handed = handed
    return claim_of(prover), digit


def test_one_less_above_pays_for_a_match_below(monkeypatch):
    with patched(layout, "check_pools", lambda circuit: None):
        model = owned(monkeypatch)
        z, handed = follow(model.network, IMAGE, {})
        assert z[2].tolist() == [[256, -32768]] and handed[2].tolist() == [[33024]]
        honest, digit = said(model, z, handed)
        assert accepted(honest, PYTHON) == digit == 1
        won = [*handed[:2], np.array([[33024 + 32767]])]
        lie = [*z[:2], np.array([[255, 32767]]), model.network.layers[3].apply(won[2])]
        forged, other = said(model, lie, won, (LANE // 2 + 256 * 256 - 1, LANE - 256))
        assert forged.commitment == honest.commitment
        assert accepted(forged, PYTHON) == other == 0
    with refuses(MalformedFile, f"commitment: {MESSAGE}"):
        ModelCommitment.from_bytes(forged.commitment, G1.from_compressed)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({}, MESSAGE),
        ({"activation": RELU8}, MESSAGE.replace("65534", "33022")),
        ({"second": Softsign(100, 7), "activation": RELU8, "wiring": (PLAIN, PLAIN, Wiring((), (), True), PLAIN)}, MESSAGE.replace("0 to 65534", "-100 to 99")),
        ({"window": POINT, "second": RELU8}, "layer 2 is a max pool: its windows hold at least 2 numbers"),
    ],
)  # fmt: skip
def test_pools_of_numbers_out_of_range_are_no_circuits(parts, message):
    with refuses(UnsupportedNetwork, message):
        circuit(**parts)


def test_what_weights_cannot_take_out_of_range():
    assert circuit(RELU8, RELU8).tracks == circuit(wiring=(PLAIN, PLAIN, Wiring((), (), True), PLAIN)).tracks == 1
