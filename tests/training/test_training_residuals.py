"""Residual connections from ONNX files: what the originals compute, one scale for what is added, and proofs of it."""

from dataclasses import replace

import numpy as np
import pytest
from onnx_cases import graph
from onnx_conv_cases import conv_graph, draw, node, weights
from residual_cases import RESIDUAL, tiny
from support import MISMATCH, refuses
from test_training_onnx_maps import by_the_runtime, close, pictures

from zkpredict.circuits.choice import compile_any
from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.networks.grid import Grid
from zkpredict.circuits.networks.wiring import Wiring
from zkpredict.prover.commit import commit_model
from zkpredict.prover.prove import prove
from zkpredict.training.floating import FloatLayer, FloatNetwork
from zkpredict.training.importers.onnx_models import onnx_model
from zkpredict.training.inputs import parse_input_scale
from zkpredict.training.quantize import quantize
from zkpredict.training.rows import Fed
from zkpredict.verifier import independent
from zkpredict.verifier.errors import FailedOpening
from zkpredict.verifier.native import verify


def ours(imported, images: np.ndarray) -> np.ndarray:
    """Bytes [count, channels, height, width] as the imported model takes them."""
    found = np.empty((len(images), imported.inputs), np.uint8)
    found[:, np.arange(imported.inputs) if imported.turned is None else imported.turned] = images.reshape(len(images), -1)
    return found


def floats_of(imported):
    return imported.over(parse_input_scale("unit", imported.inputs))


@pytest.mark.parametrize("name", RESIDUAL)
def test_what_is_read_computes_what_the_runtime_computes(name):
    data = RESIDUAL[name]()
    images = pictures(data)
    expected, imported = by_the_runtime(data, images / 255), onnx_model(data, "m")
    found = floats_of(imported).logits(ours(imported, images))
    assert close(found, expected)
    assert not close(found, np.roll(expected, 1, axis=0))  # the pictures differ: it can fail


@pytest.mark.parametrize("name", RESIDUAL)
def test_integers_follow_floats_and_stay_in_their_bounds(name):
    data = RESIDUAL[name]()
    imported = onnx_model(data, "m")
    images = ours(imported, pictures(data, 200))
    floats = floats_of(imported)
    network = quantize(floats, images)
    assert network.wired and network.shape == floats.shape
    compile_any(network)
    extremes = np.concatenate([images, np.zeros_like(images[:1]), np.full_like(images[:1], 255)])
    inference, expected = network.infer(extremes), floats.logits(extremes)
    for values, interval in zip(inference.pre_activations, network.intervals, strict=True):
        assert np.all(values <= interval.high) and np.all(values >= interval.low)
    spread = expected - expected.mean(axis=0)
    scale = (inference.logits * expected).sum() / (expected**2).sum()
    error = inference.logits / scale - expected
    assert error.std() < 0.1 * spread.std()


def test_what_is_added_counts_in_one_unit():
    """Of both branches, channel by channel: the sum of their integers is the sum of their floats, to a rounding each."""
    imported = onnx_model(RESIDUAL["relu in front of the sum"](), "m")
    images = np.random.default_rng(1).integers(0, 256, (60, imported.inputs), dtype=np.uint8)
    floats = floats_of(imported)
    network = quantize(floats, images)
    inference, found = network.infer(images), floats.pre_activations(images)
    pool = next(number for number, layer in enumerate(network.layers) if layer.wiring.largest)
    branches = network.layers[pool].wiring.sources
    assert len(branches) == 3 and int(inference.activations[pool].max()) > 255
    per_channel = [(inference.activations[source].reshape(-1, 3), np.maximum(found[source], 0).reshape(-1, 3)) for source in branches]
    for c in range(3):
        used = [(whole[:, c], exact[:, c]) for whole, exact in per_channel if whole[:, c].max() > 20]
        units = [float((whole * exact)[whole < 255].sum() / (exact**2)[whole < 255].sum()) for whole, exact in used]
        assert max(units) < 1.05 * min(units) and (c == 0 or len(units) > 1)  # one branch never wakes channel 0
    fed = Fed.with_bytes(4)
    with refuses(ValueError, "numbers in different units are added"):
        fed.plus(Fed(fed.units * 2, fed.constants, fed.low, fed.high))


def test_a_dead_channel_takes_the_unit_of_what_is_added_to_it():
    """relu(-1) is never above zero, in one branch; in the other it is a constant: both are added exactly."""
    grid = Grid(3, 3, 1, 1, 1)
    layers = (
        FloatLayer("a", np.array([[0.5], [0.25]]), np.zeros(2), grid=grid),
        FloatLayer("b", np.array([[0.0, 0.0], [1.0, 0.5]]), np.array([0.75, 0.0]), grid=Grid(3, 3, 2, 1, 1)),
        FloatLayer("c", np.array([[-1.0, -1.0], [0.5, 1.0]]), np.array([-1.0, 0.0]), grid=Grid(3, 3, 2, 1, 1), wiring=Wiring((0, 1))),
        FloatLayer("d", np.random.default_rng(1).normal(size=(3, 18)), np.zeros(3), wiring=Wiring((0, 1, 2))),
    )
    floats, images = FloatNetwork(layers), np.random.default_rng(2).integers(0, 256, (40, 9), dtype=np.uint8)
    logits, expected = quantize(floats, images).infer(images).logits, floats.logits(images)
    assert np.corrcoef(logits.ravel(), expected.ravel())[0, 1] > 0.9995


def test_layers_of_other_channels_are_not_added():
    layers = (
        FloatLayer("a", np.ones((2, 1)), np.zeros(2), grid=Grid(2, 2, 1, 1, 1)),
        FloatLayer("b", np.ones((8, 8)), np.zeros(8)),
        FloatLayer("c", np.ones((2, 8)), np.zeros(2), wiring=Wiring((0, 1))),
    )
    with refuses(UnsupportedNetwork, "layers 'a' and 'b' are added, with 2 and 8 channels"):
        quantize(FloatNetwork(layers), np.zeros((1, 4), np.uint8))
    with refuses(UnsupportedNetwork, "layer 'a' has 8 outputs but layer 'd' has 4 inputs"):
        FloatNetwork((*layers[:2], FloatLayer("d", np.ones((2, 4)), np.zeros(2), wiring=Wiring((0, 1)))))


def test_a_residual_network_is_proven_and_its_twins_are_refused():
    """Read, quantised, committed, proven, and verified by both verifiers; another picture, another class and another scalar are refused."""
    imported = onnx_model(tiny(), "m")
    images = ours(imported, pictures(tiny(), 60))
    floats = floats_of(imported)
    network = quantize(floats, images)
    assert [len(layer.wiring.beside) for layer in network.layers] == [0, 0, 1, 0]
    assert (network.infer(images).digits == floats.digits(images)).mean() > 0.9
    model, image = commit_model(network, 512), images[0]
    proof, commitment = prove(model, image), model.commitment
    assert proof.digit == network.infer(image[None]).digits[0]
    verify(commitment, image, proof)
    assert independent.verify(commitment.to_bytes(), image.tobytes(), proof.to_bytes()) == proof.digit
    other = image.copy()
    other[5] ^= 1
    scalar = next(iter(proof.scalars))
    twins = [(other, proof), (image, replace(proof, digit=(proof.digit + 1) % 3)), (image, proof.changed(scalars={scalar: proof.scalars[scalar] + 1}))]
    for shown, twin in twins:
        with refuses(FailedOpening, MISMATCH):
            verify(commitment, shown, twin)
    with refuses(FailedOpening, MISMATCH):
        independent.verify(commitment.to_bytes(), image.tobytes(), twins[1][1].to_bytes())


def conv(value, name, **settings):
    return node("Conv", f"{value} {'w0' if value == 'x' else 'w'}", name, **({"pads": [1, 1, 1, 1]} | settings))


RELUED = [conv("x", "z"), node("Relu", "z", "a")]
REFUSED = [
    ([*RELUED, conv("a", "y", strides=[2, 2]), node("Add", "y a", "s")],
     "node 's' (Add): it adds values of 3 x 3 x 3 and 3 x 6 x 6: they must have one shape; a convolution of 1 x 1, with a stride if need be, brings one to the other's"),
    ([*RELUED, node("GlobalAveragePool", "a", "g"), node("Add", "a g", "s")],
     "node 's' (Add): it adds values of 3 x 6 x 6 and 3 x 1 x 1: they must have one shape; a convolution of 1 x 1, with a stride if need be, brings one to the other's"),
    ([*RELUED, node("Transpose", "a", "t", perm=[0, 1, 3, 2]), node("Add", "a t", "s")],
     "node 's' (Add): the values that it adds lie in different orders: axes were exchanged in one of them"),
    ([*RELUED, node("Sum", "a a c", "s")],
     "node 's' (Sum): it adds values that depend on the input and constants at once: add the constants by an Add of their own"),
    ([*RELUED, node("Concat", "a a", "s", axis=1)], "node 's' is a Concat: branches are joined by Add only"),
    ([*RELUED, node("Mul", "a a", "s")], "node 's' (Mul): it combines two values that depend on the input: branches are joined by Add only"),
    ([*RELUED, node("Sub", "a a", "s")], "node 's' (Sub): it combines two values that depend on the input: branches are joined by Add only"),
    ([*RELUED, conv("a", "y"), node("Add", "y a", "q"), conv("q", "s")], "layer 's': there is no activation between 'y' and it: put relu between them"),
    ([*RELUED, conv("a", "y"), node("Add", "y a", "q"), node("AveragePool", "q", "s", kernel_shape=[2, 2], strides=[2, 2])],
     "layer 's': there is no activation between 'y' and it: put relu before the pool"),
    ([*RELUED, node("Conv", "x w0", "y", pads=[2, 2, 0, 0]), node("Add", "a y", "s")],
     "layer 'y': it reads the model's input beside another layer: only the first layer reads it; put a convolution with relu in front, and let both read that"),
    ([node("Add", "x x", "x2"), node("Conv", "x2 w0", "s")],
     "layer 'x2': it adds the model's input itself: put a convolution with relu in front, and add what that gives"),
    ([*RELUED, conv("a", "y"), node("Relu", "y", "b"), node("BatchNormalization", "b one c one one", "n"), node("Add", "a n", "q"), node("MaxPool", "q", "s", kernel_shape=[2, 2])],
     "layer 's': it takes the largest of 'q', whose parts are scaled differently: put the pool before the sum"),
]  # fmt: skip


@pytest.mark.parametrize("nodes, reason", REFUSED, ids=[f"{n} {reason[:20]}" for n, (_, reason) in enumerate(REFUSED)])
def test_other_branches_are_refused_by_name(nodes, reason):
    constants = {"w0": weights(3, 1, 3, 3), "w": weights(3, 3, 3, 3), "c": draw(3), "one": 1 + draw(3) ** 2}
    last = [node("Relu", "s", "r"), node("GlobalAveragePool", "r", "m"), node("Flatten", "m", "f"), node("Gemm", "f wl", "logits", transB=1)]
    with refuses(UnsupportedNetwork, f"m: {reason}"):
        onnx_model(conv_graph([*nodes, *last], constants | {"wl": weights(3, 3)}, (1, 6, 6)), "m")


def test_dense_layers_are_added_behind_convolutions_only():
    ends = [node("Gemm", "h w", "z1"), node("Relu", "z1", "a1"), node("Gemm", "a1 w", "z2"), node("Relu", "z2", "a2"), node("Add", "a1 a2", "s"), node("Gemm", "s wl", "logits")]
    constants = {"w": draw(6, 6), "wl": draw(6, 3)}
    with refuses(UnsupportedNetwork, "m: layer 's': it adds what dense layers give: a network with sums begins with a convolution"):
        onnx_model(graph([node("Identity", "x", "h"), *ends], constants), "m")
    front = [node("Conv", "x w0", "z"), node("Relu", "z", "a"), node("Flatten", "a", "h")]
    data = conv_graph([*front, *ends], constants | {"w0": weights(6, 1, 3, 3)}, (1, 3, 3))
    imported, images = onnx_model(data, "m"), pictures(data)
    assert close(floats_of(imported).logits(ours(imported, images)), by_the_runtime(data, images / 255))
    assert imported.layers[-1].wiring.sources == (1, 2)
