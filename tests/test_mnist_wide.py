"""The shipped rational network in its wide circuit and LeNet-5 with convolutions: some test images against the whole system, and proven. All of
them: `python -m zkpredict.tools.satisfy MODEL`.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support import plain_inference

from zkpredict.benchmarks.networks import mnist_images, mnist_labels
from zkpredict.circuits.networks.convolution import ConvLayer
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.circuits.placement import placement_of
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.tools import satisfy

EXAMPLES = Path(__file__).parents[1] / "examples"
RATIONAL, LENET, LENET_MAX = (EXAMPLES / f"{name}.model" for name in ("mnist_rational", "lenet", "lenet_max"))


@pytest.fixture(scope="module", params=[RATIONAL, LENET, LENET_MAX], ids=["rational", "lenet", "lenet-max"])
def system(request) -> satisfy.System:
    model = Model.load(request.param)
    return satisfy.System.of(model if model.committed else commit_model(model))


def test_some_test_images_satisfy_the_system_and_what_is_near_them_does_not(system):
    satisfy.hold(system.model.to_bytes(), system.challenges)
    found = satisfy.check_batch(range(4000, 4006))
    assert placement_of(system.model.commitment.circuit) == "wide"
    assert {name: number for name, number in found.items() if number} == {
        "images": 6, "images as labelled": 6, "another class: refused": 1, "another image: refused": 1, "another cell: refused": 1,
    }  # fmt: skip


def test_a_wrong_system_is_found(system):
    """The twin: the rows of a network with another bias satisfy no image's claim."""
    first = system.model.network.layers[0]
    layers = (replace(first, bias=first.bias + np.arange(len(first.bias)) % 2), *system.model.network.layers[1:])
    other = satisfy.System(commit_model(IntegerNetwork(layers), placement="wide"), system.challenges)
    image = mnist_images()[0]
    assert satisfy.System(system.model, system.challenges).failing(image, 7) == set()
    mixed = satisfy.Columns(system.model, satisfy.Statement(image.tobytes(), 7), known=system.challenges, rows=other.rows,
                            laid=satisfy.build_trace(system.model.compiled, satisfy.Statement(image.tobytes(), 7)))  # fmt: skip
    assert mixed.failing() == {"sum"}


def test_what_numpy_says_is_what_the_dense_twin_says(system):
    network, images = system.model.network, mnist_images()[:4]
    if network.wired:  # max pools have no weights: their twin is in tests/convolution
        assert satisfy.plain_digits(network, images).tolist() == network.infer(images).digits.tolist() == mnist_labels()[:4].tolist()
        return
    dense = IntegerNetwork(tuple(layer.as_dense() if isinstance(layer, ConvLayer) else layer for layer in network.layers))
    assert satisfy.plain_digits(network, images).tolist() == [plain_inference(dense, image.tolist())[1] for image in images[:1]] + network.infer(images[1:]).digits.tolist()


def test_a_sample_of_the_test_images_is_proven_by_the_rational_network():
    model = commit_model(Model.load(RATIONAL))
    assert np.mean(model.network.infer(mnist_images()).digits == mnist_labels()) == 0.9812
    satisfy.hold(model.to_bytes(), {})
    assert satisfy.prove_some(False, satisfy.spread(8, 10_000)) == {"proofs verified natively": 8, "twins refused natively": 8}


def test_the_command_says_what_it_found(capsys, monkeypatch):
    monkeypatch.setenv("RAYON_NUM_THREADS", "1")
    monkeypatch.setattr("sys.argv", ["satisfy", str(RATIONAL), "--count", "3", "--proofs", "1", "--independent", "0", "--processes", "1"])
    assert satisfy.main() == 0
    assert '"bad": 0' in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["satisfy", str(EXAMPLES / "seven.png")])
    assert satisfy.main() == 2
    assert capsys.readouterr().err.startswith("satisfy: ")
