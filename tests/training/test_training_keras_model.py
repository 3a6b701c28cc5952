"""Keras models as networks, fetched images, training, and the commands. Only where Keras is installed."""

import json

import numpy as np
import pytest
from keras_cases import L, functional, keras, plain
from support import refuses

from zkpredict.circuits.errors import UnsupportedNetwork, UnusableInput
from zkpredict.cli.main import main
from zkpredict.prover.model import Model
from zkpredict.training.datasets import fetch_splits
from zkpredict.training.importers.keras_files import load_keras, save_keras
from zkpredict.training.importers.keras_layers import keras_model
from zkpredict.training.inputs import BYTES, parse_input_scale
from zkpredict.training.networks import Recipe, train
from zkpredict.training.quantize import quantize


def _images(*shape: int) -> np.ndarray:
    return np.random.default_rng(4).integers(0, 256, shape, dtype=np.uint8)


def test_shipped_model_gives_the_shipped_integers_and_digits(examples, data_folder, test_images):
    imported = load_keras(examples / "mnist.keras")
    floats = imported.over(imported.demand())
    assert quantize(floats).to_bytes() == Model.load(examples / "mnist.model").network.to_bytes()
    assert np.array_equal(floats.digits(test_images.flat), np.load(data_folder / "mnist-float-digits.npy"))


def float_network(model):
    return keras_model(keras, model, "the model")


@pytest.mark.parametrize(
    "build, bytes_in",
    [
        (lambda: functional(L.Dense(5, activation="relu"), L.Dense(3)), False),
        (lambda: functional(L.Dense(5), L.ReLU(), L.Dropout(0.5), L.Dense(3, activation="softmax")), False),
        (lambda: functional(L.Dense(5), L.Activation("relu"), L.Dense(3, use_bias=False), L.Softmax()), False),
        (lambda: functional(L.Rescaling(1 / 255), L.Dense(5, activation="relu"), L.Dense(3)), True),
        (lambda: functional(L.Rescaling(1 / 127.5, offset=-1), L.Rescaling(2.0), L.Dense(3)), True),
        (lambda: functional(L.Flatten(), L.Dense(4, activation="relu"), L.Dense(3), shape=(2, 3)), False),
        (lambda: keras.Sequential([keras.Input((2, 3, 1)), L.Rescaling(1 / 255), L.Flatten(), L.Dense(3)]), True),
    ],
)
def test_chains_of_dense_layers_match_keras(saved, build, bytes_in):
    model = build()
    images = _images(300, 6)
    fed = images.astype(np.float32) if bytes_in else images / np.float32(255)
    expected = model.predict(fed.reshape(300, *model.input_shape[1:]), verbose=0)
    for imported in (float_network(model), load_keras(saved(model))):
        assert imported.convention == ("rescaling" if bytes_in else None)
        floats = imported.over(imported.demand() if bytes_in else parse_input_scale("unit", 6))
        logits = floats.logits(images)
        if np.allclose(expected.sum(axis=1), 1):
            logits = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        assert np.allclose(logits, expected, atol=1e-5)


@pytest.mark.parametrize(
    "build, message",
    [
        (lambda: functional(L.Dense(5, activation="tanh", name="a"), L.Dense(3)),
         ": layer 'a': activation tanh is not supported, use relu, leaky_relu or softsign (hidden), or linear, softmax, sigmoid (last)"),
        (lambda: functional(L.Dense(5, activation="softmax", name="a"), L.Dense(3, name="b")),
         ": layer 'b': it follows the softmax of 'a': nothing may"),
        (lambda: functional(L.Dense(3, activation="relu", name="a")),
         ": layer 'a': it is the last layer: the outputs must be logits, or softmax or sigmoid of them"),
        (lambda: functional(L.ReLU(name="r"), L.Dense(3)), ": layer 'r': it acts on the inputs: an activation must follow a dense layer"),
        (lambda: functional(L.Dense(5), L.ReLU(max_value=6, name="r"), L.Dense(3)),
         ": layer 'r': only plain ReLU and LeakyReLU are supported: no max_value, no threshold"),
        (lambda: functional(L.Dense(5), L.LeakyReLU(1.5, name="r"), L.Dense(3)),
         ": layer 'r': its slope below zero is 1.5, expected 0 to 1"),
        (lambda: functional(L.Dense(1, name="a")),
         ": layer 'a' has one output and no sigmoid: that is a regression, and a proof says classes. If classes are meant, add "
         "--threshold T (class 1 is an output above T; T = 0 for a logit)"),
        (lambda: functional(L.Dense(3, activation="sigmoid", name="a")),
         ": layer 'a': sigmoid of 3 outputs: these are 3 independent labels, of which a proof states none; train one model a label, "
         "or use softmax when only one of them holds"),
        (lambda: functional(L.Dense(5, activation="relu", name="a"), L.Flatten(), L.Dense(3), shape=(2, 3)),
         ": layer 'a': its input has the shape (None, 2, 3), put Flatten before it"),
        (lambda: functional(L.Flatten()), " has no dense layer"),
    ],
)  # fmt: skip
def test_other_chains_are_refused_by_layer(saved, build, message):
    path = saved(build())
    with refuses(UnsupportedNetwork, f"Keras model {path}{message}"):
        load_keras(path)


def test_branches_are_refused(saved):
    entrance = keras.Input((6,))
    left, right = L.Dense(4, activation="relu", name="left")(entrance), L.Dense(4, activation="relu", name="right")(entrance)
    model = keras.Model(entrance, L.Dense(3, name="out")(left + right))
    (added,) = (layer.name for layer in model.operations if type(layer).__name__ == "Add")
    advice = "write it as keras.layers.Add()([x, y])"
    with refuses(UnsupportedNetwork, f"the model: layer '{added}' is a Add of another module: {advice}"):
        float_network(model)
    path = saved(model)
    with refuses(UnsupportedNetwork, f"Keras model {path}: layer '{added}' is a Add of keras.src.ops.numpy: {advice}"):
        load_keras(path)
    joined = keras.Model(entrance, L.Dense(3, name="out")(L.Concatenate(name="c")([left, right])))
    with refuses(UnsupportedNetwork, "the model: layer 'c' is a Concatenate: branches are joined by Add only"):
        float_network(joined)
    shared = L.Dense(6, activation="relu", name="shared")
    looped = functional(shared, shared, L.Dense(3, name="out"))
    with refuses(UnsupportedNetwork, "the model: layer 'shared': it is used more than once: give each use a layer of its own"):
        float_network(looped)
    path = saved(looped)
    with refuses(UnsupportedNetwork, f"Keras model {path}: layer 'shared': it is used more than once: give each use a layer of its own"):
        load_keras(path)
    with refuses(UnsupportedNetwork, "the model has 1 inputs and 2 outputs, expected one of each"):
        float_network(keras.Model(entrance, [left, right]))
    with refuses(UnsupportedNetwork, "the model has no input shape yet: build it first"):
        float_network(keras.Sequential([L.Dense(3)]))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused_by_layer(saved, value):
    model = plain()
    kernel, bias = model.get_layer("b").get_weights()
    kernel[4, 1] = value
    model.get_layer("b").set_weights([kernel, bias])
    with refuses(UnsupportedNetwork, f"layer 'b': 1 weights not finite, the first at [1, 4] is {value}"):
        load_keras(saved(model)).over(BYTES)


def test_fetching_through_keras(monkeypatch, test_images, capsys):
    """With a stand-in for the download, which says so on stdout like the real one, and one that fails like the real one."""

    def download():
        print("Downloading data")
        return ((test_images.images[:9], test_images.labels[:9]), (test_images.images[:4], test_images.labels[:4]))

    monkeypatch.setattr(keras.datasets.mnist, "load_data", download)
    assert [len(split) for split in fetch_splits()] == [9, 4]
    assert capsys.readouterr() == ("", "Downloading data\n")

    def fail():
        raise Exception("URL fetch failure on https://example.org/mnist.npz: None -- unreachable\nsecond line")

    monkeypatch.setattr(keras.datasets.mnist, "load_data", fail)
    with refuses(
        UnusableInput,
        "cannot fetch MNIST: URL fetch failure on https://example.org/mnist.npz: None -- unreachable; "
        "give a folder of idx files with --data",
    ):
        fetch_splits()


def test_training_repeats_and_learns(test_images):
    half = type(test_images)(test_images.images[:5000], test_images.labels[:5000])
    epochs = []
    recipe = Recipe(hidden=(16,), epochs=3, batch=100, seed=7)
    first, again = train(half, recipe, epochs.append), train(half, recipe)
    assert epochs == [1, 1, 1] and first.validation_accuracy > 0.8
    assert all(np.array_equal(a, b) for a, b in zip(first.model.get_weights(), again.model.get_weights()))
    other = train(half, Recipe(hidden=(16,), epochs=3, batch=100, seed=8))
    assert not np.array_equal(first.model.get_weights()[0], other.model.get_weights()[0])


def test_saving_is_atomic_and_says_what_failed(tmp_path):
    target = tmp_path / "model.keras"
    save_keras(plain(), target)
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras"]
    with refuses(UnusableInput, f"cannot write {tmp_path / 'none' / 'model.keras'}: No such file or directory"):
        save_keras(plain(), tmp_path / "none" / "model.keras")
    with refuses(UnusableInput, f"a Keras model file ends in .keras, got {tmp_path / 'model.h5'}"):
        save_keras(plain(), tmp_path / "model.h5")


def test_commands_from_images_to_report(tmp_path, data_folder, test_images, capsys):
    """train, quantize and report, on the test images taken as training images too."""
    for kind in ("images-idx3", "labels-idx1"):
        content = (data_folder / f"t10k-{kind}-ubyte.gz").read_bytes()
        for stem in ("train", "t10k"):
            (tmp_path / f"{stem}-{kind}-ubyte.gz").write_bytes(content)
    model, integers = str(tmp_path / "m.keras"), str(tmp_path / "m.model")

    def run(*arguments) -> dict:
        assert main([*arguments, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    trained = run("train", "--data", str(tmp_path), "--out", model, "--layers", "24", "12", "--epochs", "6")
    assert trained["network"] == "784-24-12-10" and trained["test_accuracy"] > 0.8
    quantised = run("quantize", model, "--out", integers)
    assert [layer["lane"] for layer in quantised["layers"]] == ["narrow", "wide", "wide"]
    report = run("report", "--model", integers, "--keras", model, "--data", str(tmp_path))["accuracy"]
    assert report["float_accuracy"] == trained["test_accuracy"] and abs(report["lost_points"]) < 0.3
    assert len(report["disagreements"]) < 50
    before = sorted(path.name for path in tmp_path.iterdir())
    for arguments, message in (
        (["quantize", str(tmp_path / "none.keras"), "--out", str(tmp_path / "other.model")],
         f"cannot read float model {tmp_path / 'none.keras'}: No such file or directory"),
        (["quantize", model, "--out", model], f"cannot write {model}: it is the float model"),
        (["quantize", integers, "--out", str(tmp_path / "other.model")],
         f"{integers} is no float model: it is a private model file (`zkpredict commit --model {integers} --out FILE` makes its public "
         "commitment); read are Keras (.keras, .h5) and ONNX (.onnx)"),
        (["quantize", model, "--out", str(tmp_path / "none" / "m.model")],
         f"cannot write {tmp_path / 'none' / 'm.model'}: No such file or directory"),
    ):  # fmt: skip
        assert main([*arguments, "--json"]) == 2
        assert json.loads(capsys.readouterr().out) == {"error": message, "exit_code": 2}
    assert sorted(path.name for path in tmp_path.iterdir()) == before
