"""Line 31: a hidden convolution whose column is not what its kernels meet.

The forger runs the first layer on one picture and everything behind it on another: all packs, lanes and signs are right, and only the
correlation, a column of the prover's, is of the wrong activations.
"""

from __future__ import annotations


import numpy as np
import pytest
from forger import WithTrace, claim_of
from freezing import ahead, blind_to, frozen_everywhere
from verdicts import MISMATCH, NATIVE, PYTHON, accepted, refused
from wide_forger import sheet_of, wide_honest

from zkpredict.circuits.field import MODULUS, inverse
from zkpredict.circuits.networks.activations import RELU, RELU8
from zkpredict.circuits.networks.convolution import ConvLayer, Grid
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.placement import form
from zkpredict.circuits.statement import Statement
from zkpredict.kernel import Vector
from zkpredict.prover.commit import commit_model
from zkpredict.prover.wide_rows import correlation_column
from zkpredict.verifier.errors import FailedOpening

FIRST, SECOND = Grid(5, 5, 1, 2, 2), Grid(4, 4, 3, 2, 2)


@pytest.fixture(scope="module")
def case():
    """A model with a hidden convolution and two pictures that it tells apart."""
    for seed in range(100):
        source = np.random.default_rng(seed)
        layers = (
            ConvLayer(source.integers(-9, 10, (3, FIRST.taps)), source.integers(-99, 100, 3), 4, RELU8, FIRST),
            ConvLayer(source.integers(-9, 10, (4, SECOND.taps)), source.integers(-99, 100, 4), 4, RELU8, SECOND),
            DenseLayer(source.integers(-9, 10, (3, 36)), source.integers(-99, 100, 3), 0, RELU),
        )
        network = IntegerNetwork(layers)
        pictures = source.integers(0, 256, (8, 25), dtype=np.uint8)
        answers = network.infer(pictures).digits
        if len(set(answers.tolist())) > 1:
            other = next(k for k in range(8) if answers[k] != answers[0])
            return commit_model(network, 512, placement="wide"), pictures[0], pictures[other]
    raise AssertionError("no such network")


class OfAnother(WithTrace):
    """Its correlations are those of `other`'s activations."""

    other: np.ndarray

    def correlation(self, layer: int, piece: int, chunk: int) -> Vector:
        activations = self.compiled.network.infer(self.other[None]).activations
        return correlation_column(self.compiled, layer, piece, activations[layer - 1][0], self.challenges["alpha"])


class KnowsEta(OfAnother):
    """Makes the check hold at the eta that it knows, by an entry behind the taps, which meets no weight."""

    def correlation(self, layer: int, piece: int, chunk: int) -> Vector:
        wrong, right = super().correlation(layer, piece, chunk).to_ints(), WithTrace.correlation(self, layer, piece, chunk).to_ints()
        eta, spare = ahead(self, "folded", "trace")["eta"], SECOND.taps + 3
        error = sum((a - b) * pow(eta, row, MODULUS) for row, (a, b) in enumerate(zip(wrong, right)))
        wrong[spare] = (wrong[spare] - error * inverse(pow(eta, spare, MODULUS))) % MODULUS
        return Vector.from_ints(wrong)


def forged(case, kind):
    """The claim that the first picture has the second one's class."""
    model, image, other = case
    network = model.network
    mine, theirs = (network.infer(one[None]) for one in (image, other))
    run = [mine.pre_activations[0][0].tolist(), *(z[0].tolist() for z in theirs.pre_activations[1:])]
    digit = int(theirs.digits[0])
    prover = kind(model, Statement(image.tobytes(), digit), chosen=sheet_of(model, run, digit))
    prover.other = other
    return claim_of(prover), digit


def test_a_convolution_of_another_picture(case):
    model, image, other = case
    assert accepted(wide_honest(model, image)) == model.predict(image) != model.predict(other)
    claim, digit = forged(case, OfAnother)
    refused(claim, FailedOpening, MISMATCH)
    with frozen_everywhere(eta=0):
        assert accepted(forged(case, OfAnother)[0], PYTHON) == digit


def test_the_column_is_absorbed_before_eta_is_drawn(case):
    claim, digit = forged(case, KnowsEta)
    refused(claim, FailedOpening, MISMATCH, NATIVE)
    messages = tuple(message.name for message in form(case[0].commitment.circuit).rounds[:-1])
    with blind_to("folded", messages):
        assert accepted(forged(case, KnowsEta)[0], NATIVE) == digit
