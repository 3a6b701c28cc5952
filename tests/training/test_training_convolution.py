"""Keras models with convolutions: read as Keras computes them, refused by name, quantised so that bounds hold. Only where Keras is."""

import json

import numpy as np
import pytest
from keras_cases import L, functional, keras
from support import refuses

from zkpredict.circuits.choice import compile_any
from zkpredict.circuits.errors import UnsupportedNetwork, UnusableInput
from zkpredict.cli.main import main
from zkpredict.cli.network import exact_network
from zkpredict.prover.model import Model
from zkpredict.prover.prove import prove
from zkpredict.circuits.networks.convolution import Grid
from zkpredict.training.calibrate import CalibrationData, calibrate
from zkpredict.training.datasets import LabelledImages
from zkpredict.training.floating import FloatLayer
from zkpredict.training.importers.keras_files import load_keras
from zkpredict.training.importers.keras_layers import keras_model
from zkpredict.training.importers.maps import SUPPORTED
from zkpredict.training.inputs import BYTES, parse_input_scale
from zkpredict.training.lenet import train_lenet
from zkpredict.training.networks import Recipe
from zkpredict.training.quantize import quantize
from zkpredict.training.rows import Fed
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import FailedOpening
from zkpredict.verifier.native import verify


def chain(*layers, shape=(9, 8, 1)):
    return functional(*layers, shape=shape)


def conv(filters=3, kernel=3, **settings):
    return L.Conv2D(filters, kernel, **({"activation": "relu"} | settings))


def end(classes=3):
    return L.Flatten(), L.Dense(classes)


MODELS = {
    "valid": lambda: chain(L.Rescaling(1 / 255), conv(), *end()),
    "a flat kernel, strides": lambda: chain(L.Rescaling(1 / 255), conv(4, (2, 3), strides=2), *end()),
    "same": lambda: chain(L.Rescaling(1 / 255), conv(padding="same"), conv(4, 4, padding="same", strides=2), *end()),
    "same, even sides and strides": lambda: chain(L.Rescaling(1 / 255), conv(2, (3, 2), padding="same", strides=3), *end(), shape=(8, 10, 3)),
    "pools that drop edges": lambda: chain(L.Rescaling(1 / 255), conv(), L.AveragePooling2D(2), conv(4, 2), *end()),
    "a pool before dense": lambda: chain(L.Rescaling(1 / 255), conv(), L.AveragePooling2D(3), L.Flatten(), L.Dense(5, activation="relu"), L.Dense(3)),
    "a pool of pools": lambda: chain(L.Rescaling(1 / 255), conv(2, 1), L.AveragePooling2D(2), L.AveragePooling2D(2), *end()),
    "a pooled input": lambda: chain(L.Rescaling(1 / 255), L.AveragePooling2D(2), conv(3, 2), *end()),
    "a global average": lambda: chain(L.Rescaling(1 / 255), conv(5), L.GlobalAveragePooling2D(), L.Dense(3), shape=(9, 9, 2)),
    "same pools": lambda: chain(L.Rescaling(1 / 255), conv(padding="same"), L.AveragePooling2D(2, padding="same"), *end(), shape=(8, 8, 1)),
    "an offset, valid": lambda: chain(L.Rescaling(1 / 127.5, offset=-1), L.AveragePooling2D(2), conv(3, 2), *end()),
    "batch normalisation": lambda: chain(L.Rescaling(1 / 255), conv(activation=None, use_bias=False), L.BatchNormalization(), L.ReLU(), *end()),
    "batch normalisation behind relu": lambda: chain(L.Rescaling(1 / 255), conv(), L.BatchNormalization(), L.AveragePooling2D(2), conv(4, 2), *end()),
    "leaky": lambda: chain(L.Rescaling(1 / 255), conv(activation="leaky_relu"), L.AveragePooling2D(2), conv(2, 2, activation="leaky_relu"), *end()),
    "colour, one output": lambda: chain(L.Rescaling(1 / 255), conv(), L.Dropout(0.2), L.Flatten(), L.Dense(1, activation="sigmoid"), shape=(7, 7, 3)),
    "max pools": lambda: chain(L.Rescaling(1 / 255), conv(), L.MaxPooling2D(2), conv(4, 2), L.MaxPooling2D((2, 1), strides=1, padding="same"), *end()),
    "a max pool before relu": lambda: chain(L.Rescaling(1 / 255), conv(activation=None), L.BatchNormalization(), L.MaxPooling2D(3, 2), L.ReLU(), *end()),
    "normalised before a max pool": lambda: chain(L.Rescaling(1 / 255), conv(), L.BatchNormalization(), L.MaxPooling2D(2), conv(4, 2), L.GlobalMaxPooling2D(), L.Dense(3)),
    "padded by hand": lambda: chain(L.Rescaling(1 / 255), L.ZeroPadding2D(1), conv(), L.ZeroPadding2D(((0, 1), (1, 0))), L.MaxPooling2D(3, 2), *end()),
    "depthwise": lambda: chain(L.Rescaling(1 / 255), conv(4), L.DepthwiseConv2D(3, depth_multiplier=2, activation="relu"), *end()),
    "separable, grouped": lambda: chain(L.Rescaling(1 / 255), L.SeparableConv2D(4, 2, activation="relu", depth_multiplier=2), conv(6, 2, groups=2), *end(), shape=(6, 7, 3)),
    "sides that differ": lambda: chain(L.Rescaling(1 / 255), conv(3, (3, 2), strides=(1, 2), padding="same"), L.MaxPooling2D((2, 3), (2, 1)), L.AveragePooling2D((2, 1)),
                                       conv(4, 2, strides=(2, 1), padding="same"), L.GlobalAveragePooling2D(), L.Dense(3), shape=(9, 10, 2)),
    "reshaped": lambda: chain(L.Rescaling(1 / 255), L.Reshape((6, 6, 1)), conv(), *end(), shape=(36,)),
}


def made(name):
    """The model of a name above, with weights of which none is zero or one: biases and moments too."""
    keras.utils.set_random_seed(11)
    model = MODELS[name]()
    source = np.random.default_rng(5)
    for layer in model.layers:
        layer.set_weights([values + source.uniform(-0.1, 0.13, values.shape) for values in layer.get_weights()])
    return model


def images(model, count=40):
    return np.random.default_rng(4).integers(0, 256, (count, int(np.prod(model.input_shape[1:]))), dtype=np.uint8)


@pytest.mark.parametrize("name", MODELS)
def test_what_is_read_computes_what_keras_computes(saved, name):
    model = made(name)
    pictures = images(model)
    fed = pictures.reshape(-1, *model.input_shape[1:]).astype(np.float32)
    expected = np.asarray(model(fed))
    imported = load_keras(saved(model))
    floats = imported.over(imported.demand())
    found = floats.logits(pictures)
    if expected.shape[1] == 1:
        assert not found[:, 0].any()
        found = 1 / (1 + np.exp(-found[:, 1:]))
    assert np.allclose(found, expected, atol=1e-3 * np.abs(expected).max())
    assert not np.allclose(found, np.roll(expected, 1, axis=0), atol=1e-3 * np.abs(expected).max())  # the pictures differ: it can fail


def test_h5_files_hold_convolutions_too(tmp_path):
    model = made("pools that drop edges")
    model.save(tmp_path / "m.h5")
    imported = load_keras(tmp_path / "m.h5")
    pictures = images(model)
    direct = keras_model(keras, model, "it")
    assert np.array_equal(imported.over(BYTES).logits(pictures), direct.over(BYTES).logits(pictures))


@pytest.mark.parametrize("name", MODELS)
def test_integers_follow_floats_and_stay_in_their_bounds(name):
    model = made(name)
    floats = keras_model(keras, model, "it").over(BYTES)
    pictures = images(model, 200)
    network = quantize(floats, pictures)
    compile_any(network)
    assert network.shape == floats.shape and len(network.grids) == sum(layer.grid is not None for layer in floats.layers)
    inference, expected = network.infer(pictures), floats.logits(pictures)
    for values, interval in zip(inference.pre_activations, network.intervals):
        assert np.all(values <= interval.high) and np.all(values >= interval.low)
    spread = expected - expected.mean(axis=0)
    scale = (inference.logits * expected).sum() / (expected**2).sum()
    error = inference.logits / scale - expected
    assert np.abs(error).max() < 0.25 * np.abs(spread).max() and error.std() < 0.1 * spread.std()


def _refused(layers, shape=(9, 8, 1)):
    return lambda: chain(*layers, shape=shape)


REFUSED = [
    ((conv(name="c", dilation_rate=2), *end()), None, f"layer 'c': its dilation is 2 x 2, expected 1: supported are {SUPPORTED}"),
    ((conv(), L.AveragePooling2D(2, 1, name="p"), *end()), None,
     "layer 'p': it pools 2 x 2 positions every 1 x 1, only windows side by side are supported: strides equal to pool_size"),
    ((conv(), L.AveragePooling2D((2, 1), (1, 2), name="p"), *end()), None,
     "layer 'p': it pools 2 x 1 positions every 1 x 2, only windows side by side are supported: strides equal to pool_size"),
    ((conv(), L.AveragePooling2D(2, padding="same", name="p"), *end()), None,
     "layer 'p': its windows reach over the edge of 7 x 6 (padding same): use padding valid"),
    ((L.MaxPooling2D(2, name="p"), conv(), *end()), None, "layer 'p': it takes the largest of the picture's own bytes: put a convolution before it"),
    ((conv(), L.MaxPooling2D(1, name="p"), *end()), None, "layer 'p': its windows hold one number each: leave the pool out"),
    ((conv(activation=None, name="before"), L.MaxPooling2D(2, name="p"), conv(), *end()), None,
     "layer 'p': there is no activation between 'before' and it: put relu before the pool"),
    ((conv(activation="leaky_relu", name="before"), L.MaxPooling2D(2, name="p"), *end()), None,
     "layer 'p': it takes the largest of what 'before' gives, which may be negative: use relu before the pool"),
    ((conv(), L.BatchNormalization(name="b"), L.MaxPooling2D(2, padding="same", name="p"), *end()), None,
     "layer 'p': 'b' before it scales by what is not positive, or it pads: put the scale behind the pool"),
    ((conv(), L.MaxPooling2D(2, name="p")), None, "layer 'p': it is the last layer: the outputs must be logits, of a Dense behind it"),
    ((L.ZeroPadding2D(2, name="z"), conv(3, 2, name="c"), *end()), None,
     "layer 'z': it pads 2 zeros before 'c', whose windows of 2 x 2 take at most 1 at a side"),
    ((conv(), L.ZeroPadding2D(1, name="z"), L.AveragePooling2D(3, name="p"), *end()), None,
     "layer 'p': it reads what 'z' pads with zeros: padding goes into a convolution or a max pool right behind it"),
    ((L.Conv2DTranspose(2, 2, name="d"), *end()), None, f"layer 'd' is a Conv2DTranspose: supported are {SUPPORTED}"),
    ((conv(activation=None, name="before"), conv(name="c"), *end()), None, "layer 'c': there is no activation between 'before' and it: put relu between them"),
    ((conv(activation=None, name="before"), L.AveragePooling2D(2, name="p"), L.ReLU(), *end()), None,
     "layer 'p': there is no activation between 'before' and it: put relu before the pool"),
    ((conv(name="c", activation=None),), None, "layer 'c': it is the last layer and hands on a map: put Flatten and Dense behind it, which give the classes"),
    ((L.Flatten(), L.Dense(16, activation="relu"), L.Reshape((4, 4, 1)), conv(name="c"), *end()), None,
     "layer 'c': it is a convolution behind a dense layer: convolutions come first, then dense layers"),
]  # fmt: skip


@pytest.mark.parametrize("layers, shape, reason", REFUSED, ids=[reason.split(":")[0] + str(n) for n, (*_, reason) in enumerate(REFUSED)])
def test_what_is_not_read_is_refused_by_name(saved, layers, shape, reason):
    path = saved(chain(*layers, shape=shape or (9, 8, 1)))
    with refuses(UnsupportedNetwork, f"Keras model {path}: {reason}"):
        load_keras(path)


def test_padding_does_not_meet_offsets():
    """A padded number is 0 to the model, and no byte is: the fold would be wrong at the edges, so there is none."""
    imported = keras_model(keras, chain(conv(name="c", padding="same"), *end()), "it")
    pads = (
        "layer 'c': it pads with zeros what is scaled with an offset before it, which no kernel can make up for at the edges: use padding "
        "'valid', or a scale without offset (byte / 255)"
    )
    with refuses(UnsupportedNetwork, pads):
        imported.over(parse_input_scale("signed", 72)).over_bytes  # noqa: B018  it folds
    imported.over(parse_input_scale("unit", 72)).over_bytes  # noqa: B018
    model = chain(conv(), L.BatchNormalization(beta_initializer="ones"), conv(name="c", padding="same"), *end())
    with refuses(UnsupportedNetwork, f"it: {pads}"):
        keras_model(keras, model, "it")


def test_scales_come_from_images_only():
    floats = keras_model(keras, made("valid"), "it").over(BYTES)
    with refuses(UnusableInput, "a network with convolutions takes its scales from images: add --calibrate DATA, a folder of idx files or an .npy of bytes"):
        quantize(floats)
    data = CalibrationData(images(made("valid")), images(made("valid")), None, "")
    with refuses(UnusableInput, "a network with convolutions is quantised with relu8: use --activation auto, not relu"):
        calibrate(floats, data, "relu")
    assert calibrate(floats, data).chosen.name == "relu8"


def test_open_networks_are_dense():
    with refuses(UnusableInput, "layer 'c' reads a map: 10^8 networks have dense layers only; quantize --calibrate DATA takes convolutions"):
        exact_network(keras_model(keras, chain(conv(name="c"), *end()), "it").over(BYTES))


def test_commands_from_keras_to_a_proof(saved, tmp_path, capsys):
    model = made("pools that drop edges")
    pictures = images(model, 60)
    np.save(tmp_path / "data.npy", pictures)
    out, commitment = tmp_path / "m.model", tmp_path / "m.commitment"
    quantised = ["quantize", str(saved(model)), "--out", str(out)]
    assert main(quantised) == 2
    assert "a network with convolutions takes its scales from images" in capsys.readouterr().err
    assert main([*quantised, "--calibrate", str(tmp_path / "data.npy"), "--max-loss", "20", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [layer["shape"] for layer in found["layers"]] == [
        "9 x 8 x 1 by 3 kernels 3 x 3 to 7 x 6 x 3", "7 x 6 x 3 in averages of 2 x 2 by 4 kernels 2 x 2 to 2 x 2 x 4", "16 to 3",
    ]
    assert found["costs"]["verify_gas_estimate"] is None
    assert main(["commit", "--model", str(out), "--out", str(commitment), "--for", "chain"]) == 2
    assert "--for chain: the first convolution of a contract fills whole tracks, by whole rows of pools; use --for proof" in capsys.readouterr().err
    assert main(["commit", "--model", str(out), "--out", str(commitment), "--for", "proof"]) == 0
    capsys.readouterr()
    assert main(["inspect", str(commitment), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["layers"] == "; ".join(layer["shape"] for layer in found["layers"])
    assert main(["report", "--model", str(out)]) == 0
    assert "  verification   native only: no contract is made for these convolutions (docs/convolutions.md)" in capsys.readouterr().out.splitlines()
    model, public = Model.load(out), ModelCommitment.load(commitment)
    proof = prove(model, pictures[0])
    verify(public, pictures[0], proof)
    with refuses(FailedOpening, "the opening does not match: the claim is false, or the proof was made for another statement"):
        verify(public, pictures[1], proof)


@pytest.mark.parametrize("name", ["lenet", "lenet-max"])
def test_lenet_trains_on_the_smallest_images_and_no_smaller(name):
    source = np.random.default_rng(2)
    data = LabelledImages(source.integers(0, 256, (40, 16, 16), dtype=np.uint8), np.arange(40, dtype=np.uint8) % 3)
    epochs: list[int] = []
    trained = train_lenet(data, Recipe((), epochs=1, batch=8), epochs.append, name)
    floats = keras_model(keras, trained.model, "it").over(BYTES)
    pools = [(6 * 6 * 6,), (2 * 2 * 16 // 4,)] if name == "lenet-max" else [(), ()]
    assert floats.shape == (256, 12 * 12 * 6, *pools[0], 2 * 2 * 16, *pools[1], 120, 84, 3) and epochs == [1]
    with refuses(UnusableInput, "LeNet-5 takes images of at least 16 x 16 pixels, got 15 x 16"):
        train_lenet(LabelledImages(data.images[:, 1:], data.labels), Recipe((), epochs=1))


def test_what_one_kernel_cannot_read_is_refused():
    grid = Grid(4, 4, 1, 3, 3, 1, 1, 1)
    with refuses(UnsupportedNetwork, "layer 'c': a kernel has 8 weights a channel, its grid 9"):
        FloatLayer("c", np.ones((1, 8)), np.zeros(1), grid=grid)
    layer = FloatLayer("c", np.ones((1, 9)), np.zeros(1), grid=grid)
    with refuses(UnsupportedNetwork, "layer 'c': what it reads is scaled differently from position to position, a kernel is the same at all"):
        layer.over(np.arange(16.0), 0.0)
    fed = Fed.with_bytes(16)
    assert fed.read_by(layer.grid, layer.name).high.tolist() == [255] * 9
    steady = Fed(fed.units, fed.constants + 1, fed.low, fed.high)
    with refuses(UnsupportedNetwork, "layer 'c': a channel before it is the same for every input, and it pads it with zeros: retrain without that channel"):
        steady.read_by(layer.grid, layer.name)
