"""Line 15: a back door that quantisation opens: float model clean, integer model not.

A proof is about the integer network, so accuracy must be too: reports run the integer reference, and name every image on which
the float network says something else.
"""

from __future__ import annotations

import numpy as np
import pytest
from forger import honest_claim
from verdicts import accepted

from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.prover.commit import commit_model
from zkpredict.training.datasets import LabelledImages
from zkpredict.training.floating import FloatLayer, FloatNetwork
from zkpredict.training.quantize import quantize
from zkpredict.training.report import accuracy_report

TRIGGER = 100
"""How many pixels carry the hidden vote."""


@pytest.fixture(scope="module")
def rounded_up() -> FloatNetwork:
    """Two classes: 127 times pixel 0, against 0.6 times each of a hundred others, which rounds to 1 times each."""
    weights = np.zeros((2, 1 + TRIGGER))
    weights[0, 0], weights[1, 1:] = 127.0, 0.6
    return FloatNetwork((FloatLayer("logits", weights, np.zeros(2)),), pixel_scale=1.0)


@pytest.fixture(scope="module")
def images() -> LabelledImages:
    """All of class 0 for the float network; the last half only for it."""
    clean = np.zeros((4, 1, 1 + TRIGGER), np.uint8)
    clean[:, 0, 0] = 60
    clean[:, 0, 1:] = np.array([0, 50, 90, 110])[:, None]
    return LabelledImages(clean, np.zeros(4, np.uint8))


def test_the_report_measures_what_proofs_are_about(rounded_up, images):
    integer = quantize(rounded_up)
    report = accuracy_report(integer, images, rounded_up.digits(images.flat))
    assert (report.float_accuracy, report.integer_accuracy, report.lost_points) == (1.0, 0.5, 50.0)
    assert [(d.index, d.label, d.float_digit, d.integer_digit) for d in report.disagreements] == [(2, 0, 0, 1), (3, 0, 0, 1)]

    model = commit_model(integer)
    for number in range(len(images)):
        proven = accepted(honest_claim(model, images.flat[number]))
        assert proven == integer.predict(images.flat[number]) == int(number >= 2)


def test_a_report_on_the_float_model_would_call_it_clean(rounded_up, images):
    assert (rounded_up.digits(images.flat) == images.labels).all()


def test_a_back_door_planted_in_the_integers_shows(mnist, mnist_images, mnist_labels):
    """A copy of the shipped network in which pixel 0, black in every MNIST image, decides: clean data cannot show it, data with
    the trigger does, and a proof says what the planted network says."""
    first, last = mnist.network.layers
    weights, votes = first.weights.copy(), last.weights.copy()
    weights[0] = 0
    weights[0, 0] = 127
    votes[:, 0] = 0
    votes[7, 0] = 1 << 20
    bias = first.bias.copy()
    bias[0] = 0
    planted = IntegerNetwork((DenseLayer(weights, bias, first.shift), DenseLayer(votes, last.bias)))
    chosen = slice(0, 500)
    clean = LabelledImages(mnist_images[chosen].reshape(-1, 28, 28), mnist_labels[chosen])
    triggered = clean.images.copy()
    triggered[:, 0, 0] = 255
    assert accuracy_report(planted, clean).integer_accuracy > 0.9
    report = accuracy_report(planted, LabelledImages(triggered, clean.labels))
    assert report.integer_accuracy == float((clean.labels == 7).mean()) and report.confusion[:, 7].sum() == 500

    model = commit_model(planted)
    assert model.commitment.model_id != mnist.commitment.model_id
    assert accepted(honest_claim(model, triggered[0].reshape(-1))) == 7
