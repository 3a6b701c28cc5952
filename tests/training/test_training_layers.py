"""Keras layers of the rational activations: their values, through files, from strangers, in training; and the network that ships."""

import json

import numpy as np
import pytest
from keras_cases import L, functional, keras
from support import refuses

from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork, UnusableInput
from zkpredict.circuits.networks.activations import RationalRelu
from zkpredict.cli.main import main
from zkpredict.prover.model import Model
from zkpredict.training.activations import RATIONALS, rational
from zkpredict.training.datasets import LabelledImages
from zkpredict.training.importers.keras_files import load_keras
from zkpredict.training.importers.keras_layers import keras_model
from zkpredict.training.layers import LAYERS, RationalRelu as RationalReluLayer, RationalSquare
from zkpredict.training.networks import Recipe, train
from zkpredict.training.quantize import quantize

VALUES = np.array([[-300.0, -2.5, -1.0, 0.0, 0.5, 41.0]], np.float32)


def small(*hidden):
    return keras.Sequential([keras.Input((6,)), L.Rescaling(1 / 255), L.Dense(5, name="a"), *hidden, L.Dense(3, name="b")])


@pytest.mark.parametrize("name", RATIONALS)
@pytest.mark.parametrize("delta", [0.3, 1.0, 20.0])
def test_layers_match_their_formulas(name, delta):
    found = keras.ops.convert_to_numpy(LAYERS[name](delta)(VALUES))
    assert np.allclose(found, rational(name, delta)(VALUES.astype(float)), rtol=1e-4, atol=1e-6)


def test_softsign_of_keras_is_softsign_with_delta_one():
    found = keras.ops.convert_to_numpy(keras.activations.softsign(VALUES))
    assert np.allclose(found, rational("softsign", 1.0)(VALUES.astype(float)), rtol=1e-5)
    for model in (small(L.Activation("softsign")), functional(L.Rescaling(1 / 255), L.Dense(4, activation="softsign"), L.Dense(3))):
        assert keras_model(keras, model, "model").layers[0].activation == rational("softsign", 1.0)


@pytest.mark.parametrize("name", RATIONALS)
def test_files_keep_them(saved, name):
    model = small(LAYERS[name](0.7, name="r"))
    found = load_keras(saved(model))
    network = found.over(found.demand())
    assert [layer.activation for layer in network.layers][0] == rational(name, 0.7)
    images = np.random.default_rng(1).integers(0, 256, (40, 6), dtype=np.uint8)
    assert np.allclose(network.logits(images), model.predict(images.astype(np.float32), verbose=0), atol=1e-5)
    assert quantize(network).layers[0].activation.name == name


def test_the_command_takes_them_in_functional_models(saved, tmp_path, capsys):
    path = saved(functional(L.Rescaling(1 / 255), L.Dense(5), RationalSquare(0.5), L.Dense(4), RationalSquare(0.5), L.Dense(3)))
    assert main(["quantize", str(path), "--out", str(tmp_path / "m.model"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["layer_use"][1]["activation"].startswith("rational_square(d=")


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        (lambda entry: entry.update(registered_name="zkpredict>Lambda"), UnsupportedNetwork, "layer 'r' is a RationalSquare of zkpredict>Lambda: only "),
        (lambda entry: entry.update(class_name="Lambda"), UnsupportedNetwork, "layer 'r' is a Lambda of zkpredict>RationalSquare: files cannot carry code"),
        (lambda entry: entry["config"].update(delta="0.5"), MalformedFile, "layer 'r' is a RationalSquare without a number delta"),
        (lambda entry: entry["config"].update(delta=True), MalformedFile, "layer 'r' is a RationalSquare without a number delta"),
        (lambda entry: entry["config"].update(delta=10**400), MalformedFile, "below 1e+30, got 10000000000000000000"),
        (lambda entry: entry["config"].update(delta=-1.0), MalformedFile, "layer 'r': delta must be a number above 0 and below 1e+30, got -1.0"),
        (lambda entry: entry["config"].update(delta=float("nan")), MalformedFile, "layer 'r': delta must be a number above 0 and below 1e+30, got nan"),
    ],
)
def test_tampered_files_are_refused(saved, change, kind, message):
    import zipfile

    path = saved(small(RationalSquare(0.5, name="r")))
    load_keras(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    change(next(entry for entry in config["config"]["layers"] if entry["config"]["name"] == "r"))
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(kind) as refusal:
        load_keras(path)
    assert refusal.type is kind and message in str(refusal.value)


def test_settings_that_keras_would_look_up_do_not_reach_it(saved):
    """Whatever else the file says of the layer is left out of the copy that Keras opens."""
    from zkpredict.training.importers.keras_archive import checked_config

    settings = {"name": "r", "delta": 0.5, "dtype": {"module": "os", "class_name": "system", "config": "x"}, "evil": 1}
    entry = {"module": "os", "class_name": "RationalSquare", "registered_name": "zkpredict>RationalSquare", "config": settings, "build_config": {}}
    entrance = {"module": "keras.layers", "class_name": "InputLayer", "registered_name": None, "config": {"batch_shape": [None, 6], "name": "i"}}
    model = {"class_name": "Sequential", "registered_name": None, "config": {"name": "m", "layers": [entrance, entry]}}
    assert checked_config(model, "file")["config"]["layers"][1] == {
        "module": None, "class_name": "RationalSquare", "config": {"name": "r", "delta": 0.5}, "registered_name": "zkpredict>RationalSquare",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([RationalSquare(1.0, name="r"), L.ReLU(name="x")], "model: layer 'x': two activations follow each other"),
        ([L.ReLU(), RationalSquare(1.0, name="x")], "model: layer 'x': two activations follow each other"),
    ],
)
def test_two_activations_are_refused(layers, message):
    keras_model(keras, small(layers[0]), "model")
    with refuses(UnsupportedNetwork, message):
        keras_model(keras, small(*layers), "model")


def test_an_activation_on_the_inputs_or_outputs_is_refused():
    first = keras.Sequential([keras.Input((6,)), RationalSquare(1.0, name="r"), L.Dense(3)])
    with refuses(UnsupportedNetwork, "model: layer 'r': it acts on the inputs: an activation must follow a dense layer"):
        keras_model(keras, first, "model")
    last = keras.Sequential([keras.Input((6,)), L.Dense(3), RationalReluLayer(1.0, name="r")])
    with refuses(UnsupportedNetwork, "model: layer 'r': it is the last layer: the outputs must be logits, or softmax or sigmoid of them"):
        keras_model(keras, last, "model")


def test_training_with_them(test_images):
    some = LabelledImages(test_images.images[:2000], test_images.labels[:2000])
    trained = train(some, Recipe((12,), 4, 50, 1, rational("rational_relu", 0.5)))
    found = keras_model(keras, trained.model, "model")
    network = quantize(found.over(found.demand()))
    assert network.layers[0].activation.name == "rational_relu"
    assert (network.infer(test_images.flat[2000:4000]).digits == test_images.labels[2000:4000]).mean() > 0.7


def test_train_refuses_a_delta_of_relu(tmp_path, data_folder, capsys):
    command = ["train", "--data", str(data_folder), "--out", str(tmp_path / "m.keras"), "--delta", "0.5", "--json"]
    assert main(command) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error == "--delta belongs to a rational activation: add --activation rational_square, rational_relu, softsign"


def test_exact_arithmetic_has_no_rational_activations(saved, tmp_path, capsys):
    path = saved(small(RationalSquare(0.5, name="r")))
    assert main(["export", "--target", "solidity", "--mode", "exact", "--model", str(path), "--out", str(tmp_path / "out"), "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error == "layer 'a' has the activation rational_square: 10^8 networks have relu only, use --mode packed"


# What ships


def test_the_shipped_rational_network(examples, test_images):
    network = Model.load(examples / "mnist_rational.model").network
    assert network.name == "784-64-10" and network.layers[0].activation == RationalRelu(158)
    assert (network.infer(test_images.flat).digits == test_images.labels).mean() == 0.9812


def test_it_is_what_the_keras_file_gives(examples, test_images):
    found = load_keras(examples / "mnist_rational.keras")
    floats = found.over(found.demand())
    assert quantize(floats).to_bytes() == Model.load(examples / "mnist_rational.model").network.to_bytes()
    assert (floats.digits(test_images.flat) == test_images.labels).mean() == pytest.approx(0.9813, abs=0.0002)
    with refuses(UnusableInput, "images must be uint8 [batch, 784], got uint8 [1, 3]"):
        floats.digits(test_images.flat[:1, :3])
