"""The shipped rational network in its wide circuit: a sample of the test images is proven, verified, and found false once changed.

    python tests/test_mnist_wide.py [--model FILE] [--count 200]

does so for as many images as asked, of any model of MNIST pictures.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parent)]

import numpy as np
from support import MISMATCH, plain_inference, refuses

from zkpredict.benchmarks.networks import mnist_images, mnist_labels
from zkpredict.circuits.placement import form, placement_of
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.prover.prove import prove
from zkpredict.verifier.errors import FailedOpening
from zkpredict.verifier.native import parse_proof, verify

RATIONAL = Path(__file__).parents[1] / "examples" / "mnist_rational.model"


def prove_some(model: Model, count: int) -> None:
    """Proves `count` images spread over the test images."""
    shape, pictures = form(model.commitment.circuit), mnist_images()
    for number in range(0, len(pictures), len(pictures) // count):
        image = pictures[number]
        proof = parse_proof(prove(model, image).to_bytes(), shape)
        verify(model.commitment, image, proof)
        assert proof.digit == plain_inference(model.network, image.tolist())[1]
        other = image.copy()
        other[number % len(image)] ^= 1
        with refuses(FailedOpening, MISMATCH):
            verify(model.commitment, other, proof)


def test_a_sample_of_the_test_images_is_proven_by_the_rational_network():
    model = commit_model(Model.load(RATIONAL))
    assert placement_of(model.commitment.circuit) == "wide"
    assert np.mean(model.network.infer(mnist_images()).digits == mnist_labels()) == 0.9812
    prove_some(model, 8)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Prove MNIST test images in a wide circuit.")
    parser.add_argument("--model", default=str(RATIONAL))
    parser.add_argument("--count", type=int, default=200)
    arguments = parser.parse_args()
    given = Model.load(arguments.model)
    prove_some(given if given.committed else commit_model(given), arguments.count)
    print(f"{arguments.count} images proven and verified")
