"""Line 20: proving on an input at the worst-case bound, all 255 against the sign pattern of one row, still works.

Bounds hold for all byte inputs. A network calibrated on samples has images that cannot be proven, or that wrap.
"""

from __future__ import annotations

import numpy as np
import pytest
from forger import honest_claim
from guards import replaced, replaced_property
from support import refuses, said, worst_images
from verdicts import NATIVE, accepted

from zkpredict.circuits.compiler import compile_network
from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.gadgets import gates
from zkpredict.circuits.gadgets.relu import Relu, lane_shift
from zkpredict.circuits.layout import NARROW
from zkpredict.circuits.networks.dense import Interval
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.prover.commit import commit_model
from zkpredict.prover.prove import Prover, UnprovableTrace

NARROW_LIMIT = 1 << 23
LOGIT_LIMIT = 1 << 46


def at_the_border(excess=0):
    """A 12-2-2 network whose first row reaches 2^23 - 1 + excess, and whose second reaches -(2^23 - 1)."""
    weights = np.full((2, 12), 2741)
    weights[0, ::2] *= -1
    weights[1] *= -1
    bias = [NARROW_LIMIT - 1 + excess - 6 * 255 * 2741, -(NARROW_LIMIT - 1) + 12 * 255 * 2741]
    hidden = DenseLayer(weights, np.array(bias), 8)
    return IntegerNetwork((hidden, DenseLayer(np.array([[1, 0], [0, 1]]), np.array([0, 1000]))))


def test_both_ends_of_every_row_of_a_network_at_the_border_are_proven():
    network = at_the_border()
    assert network.intervals[0].high[0] == NARROW_LIMIT - 1 and network.intervals[0].low[1] == -(NARROW_LIMIT - 1)
    model = commit_model(network)
    reached = set()
    for row in (0, 1):
        for image in worst_images(network, row):
            reached.add(int(network.infer(image[None]).pre_activations[0][0][row]))
            assert accepted(honest_claim(model, image), NATIVE) == network.predict(image)
    assert {NARROW_LIMIT - 1, -(NARROW_LIMIT - 1)} <= reached
    assert accepted(honest_claim(model, worst_images(network, 0)[0])) == 0


def test_one_beyond_the_border_is_refused_by_name():
    message = "layer 0 row 0 reaches up to 2^23 on some input, the limit is 8388607 at shift 8"
    with refuses(UnsupportedNetwork, message):
        compile_network(at_the_border(1))


def test_without_the_bound_there_is_an_image_that_wraps():
    """The honest prover cannot prove it: the lane holds 24 bits and the row needs more."""
    network = at_the_border(1)
    with replaced(gates.check_rows, lambda *_: None), pytest.MonkeyPatch.context() as patch:
        patch.setattr(Relu, "fit", classmethod(lambda cls, number, shift, interval: (NARROW, lane_shift(NARROW) - shift)))
        model = commit_model(network)
        worst, mild = worst_images(network, 0)[0], np.full(12, 9, np.uint8)
        assert accepted(honest_claim(model, mild), NATIVE) == network.predict(mild)
        with refuses(UnprovableTrace, "the linear sum does not close: the claim is false"):
            Prover(model, said(worst, network.predict(worst))).prove()


def test_bounds_from_samples_let_such_a_network_in():
    """What peers do: ranges as seen on calibration images."""
    network = at_the_border(1)
    seen = network.infer(np.full((1, 12), 9, np.uint8)).pre_activations
    sampled = tuple(Interval(tuple(z[0].tolist()), tuple(z[0].tolist())) for z in seen)
    with replaced_property(IntegerNetwork, "intervals", sampled):
        model = commit_model(network)
        worst = worst_images(network, 0)[0]
        with refuses(UnprovableTrace, "the linear sum does not close: the claim is false"):
            Prover(model, said(worst, network.predict(worst))).prove()


def test_logits_at_their_border_are_proven():
    largest = (LOGIT_LIMIT - 1) // (2 * 255)
    weights = np.array([[largest, largest], [-largest, -largest]])
    slack = LOGIT_LIMIT - 1 - 2 * 255 * largest
    network = IntegerNetwork((DenseLayer(weights, np.array([slack, -slack])),))
    assert network.intervals[0].magnitude == LOGIT_LIMIT - 1
    model = commit_model(network)
    for image in worst_images(network, 0):
        assert accepted(honest_claim(model, image), NATIVE) == network.predict(image)
    with refuses(UnsupportedNetwork, f"layer 0 row 0 reaches up to 2^46 on some input, the limit is {LOGIT_LIMIT - 1}"):
        compile_network(IntegerNetwork((DenseLayer(weights, np.array([slack + 1, -slack])),)))


@pytest.mark.parametrize("row", [0, 1, 31, 63])
def test_the_shipped_network_proves_its_worst_images(mnist, row):
    for image in worst_images(mnist.network, row):
        assert accepted(honest_claim(mnist, image), NATIVE) == mnist.predict(image)


def test_the_shipped_network_proves_its_very_worst_image(mnist):
    """The row with the longest reach, put to every verifier."""
    reach = mnist.network.intervals[0]
    row = max(range(64), key=lambda number: max(abs(reach.low[number]), abs(reach.high[number])))
    for image in worst_images(mnist.network, row):
        assert accepted(honest_claim(mnist, image)) == mnist.predict(image)
