"""LeNet-5 as it ships, with average and with max pooling: its accuracy as integers over all 10,000 test images, its bounds, and the proof beside it. No Keras."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from support import refuses

from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.circuits.placement import form
from zkpredict.cli.main import main
from zkpredict.prover.model import Model
from zkpredict.prover.prove import prove
from zkpredict.training.report import accuracy_report, circuit_report
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import FailedOpening
from zkpredict.verifier.native import parse_proof, verify

MISMATCH = "the opening does not match: the claim is false, or the proof was made for another statement"
LEAST = 0.987


SHIPPED = {"lenet": (0.9915, 2439, 3000), "lenet_max": (0.9925, 3415, 4000)}
"""Accuracy over all test images, bytes of a proof, and what they must stay below."""


@pytest.fixture(scope="module", params=SHIPPED)
def name(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def model(examples, name) -> Model:
    return Model.load(examples / f"{name}.model")


@pytest.fixture(scope="module")
def commitment(examples, name) -> ModelCommitment:
    return ModelCommitment.load(examples / f"{name}.commitment")


def test_accuracy_is_what_was_promised(model, name, test_images):
    found = accuracy_report(model.network, test_images)
    assert (found.images, found.integer_accuracy) == (10_000, SHIPPED[name][0]) and found.integer_accuracy >= LEAST


def test_a_network_with_fewer_bits_would_not_do(model, test_images):
    """The twin of the test above: two bits a weight are not enough, so the test can fail."""
    coarse = IntegerNetwork(
        tuple(
            layer if layer.wiring.largest else replace(layer, weights=layer.weights >> 5, bias=layer.bias >> 5, shift=max(layer.shift - 5, 0))
            for layer in model.network.layers
        )
    )
    some = test_images.flat[:500]
    assert (coarse.infer(some).digits == test_images.labels[:500]).mean() < LEAST < (model.network.infer(some).digits == test_images.labels[:500]).mean()


@pytest.fixture(scope="module")
def gas(root, name) -> int:
    """What the contract takes for one picture, as the committed table has it."""
    title = {"lenet": "LeNet-5", "lenet_max": "LeNet-5, max pools"}[name]
    with (root / "contracts" / "gas.csv").open(encoding="utf-8") as file:
        [row] = [row for row in csv.reader(file) if row[0] == f"wide verifier {title} n=2048 verify typical"]
    return int(row[1])


def test_shapes_costs_and_bounds(model, name, commitment, gas, test_images):
    found = circuit_report(model.network)
    shapes = [layer.shape for layer in found.layers]
    assert shapes[0] == "28 x 28 x 1 by 6 kernels 5 x 5 to 24 x 24 x 6" and shapes[-2:] == ["120 to 84", "84 to 10"]
    if name == "lenet":
        assert shapes[1:3] == ["24 x 24 x 6 in averages of 2 x 2 by 16 kernels 5 x 5 to 8 x 8 x 16", "8 x 8 x 16 in averages of 2 x 2 to 120"]
    else:
        assert [layer.wiring.largest for layer in model.network.layers] == [False, True, False, True, False, False, False]
    assert (found.costs.domain, found.costs.committed_rows) == (2048, 26)
    assert abs(found.costs.verify_gas_estimate / gas - 1) < 0.06
    assert model.commitment.to_bytes() == commitment.to_bytes()
    inference = model.network.infer(test_images.flat[:100])
    for values, interval in zip(inference.pre_activations, model.network.intervals):
        assert np.all(values <= interval.high) and np.all(values >= interval.low)


def test_the_shipped_proof_holds_for_its_picture_only(examples, name, commitment, test_images):
    data = (examples / f"{name}-seven.proof").read_bytes()
    assert len(data) == SHIPPED[name][1] < SHIPPED[name][2]
    proof = parse_proof(data, form(commitment.circuit))
    verify(commitment, test_images.flat[0], proof)
    assert proof.digit == test_images.labels[0] == 7
    other = test_images.flat[0].copy()
    other[300] ^= 1
    with refuses(FailedOpening, MISMATCH):
        verify(commitment, other, proof)
    with refuses(FailedOpening, MISMATCH):
        verify(commitment, test_images.flat[0], replace(proof, digit=2))


def test_pictures_are_proven(model, commitment, test_images):
    for image, digit in zip(test_images.flat[1:4], model.network.infer(test_images.flat[1:4]).digits, strict=True):
        proof = prove(model, image)
        verify(commitment, image, proof)
        assert proof.digit == digit
        with refuses(FailedOpening, MISMATCH):
            verify(commitment, test_images.flat[0], proof)


@pytest.mark.parametrize("network", ["lenet", "lenet-max"])
def test_lenet_takes_no_layers_of_its_own(capsys, tmp_path, network):
    assert main(["train", "--data", str(tmp_path), "--network", network, "--layers", "5", "--out", str(tmp_path / "m.keras")]) == 2
    assert capsys.readouterr().err == f"zkpredict: --network {network} has its own layers, with relu: leave out --layers and --activation\n"
