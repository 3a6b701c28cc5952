"""Reading hostile and honest Keras files, and training. Only where Keras is installed."""

import io
import json
import zipfile

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs pip install 'zkpredict[training]'")
h5py = pytest.importorskip("h5py")

from support import refuses  # noqa: E402

from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork, UnusableInput  # noqa: E402
from zkpredict.cli.main import main  # noqa: E402
from zkpredict.prover.model import Model  # noqa: E402
from zkpredict.training.datasets import fetch_splits  # noqa: E402
from zkpredict.training.keras_files import LAYERS, float_network, load_keras, save_keras  # noqa: E402
from zkpredict.training.networks import Recipe, train  # noqa: E402
from zkpredict.training.quantize import quantize  # noqa: E402

L = keras.layers
ONLY = f"only {', '.join(LAYERS)} can be quantised"


def _images(*shape: int) -> np.ndarray:
    return np.random.default_rng(4).integers(0, 256, shape, dtype=np.uint8)


def _functional(*layers, shape=(6,)):
    tensor = entrance = keras.Input(shape)
    for layer in layers:
        tensor = layer(tensor)
    return keras.Model(entrance, tensor)


def _plain():
    return keras.Sequential([keras.Input((6,)), L.Dense(5, activation="relu", name="a"), L.Dense(3, name="b")])


@pytest.fixture
def saved(tmp_path):
    """Saves a model and gives its path."""

    def save(model):
        path = tmp_path / "model.keras"
        save_keras(model, path)
        return path

    return save


@pytest.fixture
def tampered(saved):
    """A saved plain model with one archive member changed, removed (None) or added."""

    def tamper(name: str, change, packing=zipfile.ZIP_STORED):
        path = saved(_plain())
        with zipfile.ZipFile(path) as archive:
            members = {entry: archive.read(entry) for entry in archive.namelist()}
        members[name] = change(members.get(name))
        with zipfile.ZipFile(path, "w", packing) as archive:
            for entry, content in members.items():
                if content is not None:
                    archive.writestr(entry, content)
        return path

    return tamper


def _config(edit):
    """A change of config.json: `edit(config)` alters the parsed object."""

    def change(content):
        config = json.loads(content)
        edit(config)
        return json.dumps(config)

    return change


def _hdf5(edit):
    def change(content):
        stream = io.BytesIO(content)
        with h5py.File(stream, "r+") as file:
            edit(file)
        return stream.getvalue()

    return change


def test_shipped_model_gives_the_shipped_integers_and_digits(examples, data_folder, test_images):
    floats = load_keras(examples / "mnist.keras")
    assert quantize(floats).to_bytes() == Model.load(examples / "mnist.model").network.to_bytes()
    assert np.array_equal(floats.digits(test_images.flat), np.load(data_folder / "mnist-float-digits.npy"))


@pytest.mark.parametrize(
    "build, bytes_in",
    [
        (lambda: _functional(L.Dense(5, activation="relu"), L.Dense(3)), False),
        (lambda: _functional(L.Dense(5), L.ReLU(), L.Dropout(0.5), L.Dense(3, activation="softmax")), False),
        (lambda: _functional(L.Dense(5), L.Activation("relu"), L.Dense(3, use_bias=False), L.Softmax()), False),
        (lambda: _functional(L.Rescaling(1 / 255), L.Dense(5, activation="relu"), L.Dense(3)), True),
        (lambda: _functional(L.Rescaling(1 / 127.5, offset=-1), L.Rescaling(2.0), L.Dense(3)), True),
        (lambda: _functional(L.Flatten(), L.Dense(4, activation="relu"), L.Dense(3), shape=(2, 3)), False),
        (lambda: keras.Sequential([keras.Input((2, 3, 1)), L.Rescaling(1 / 255), L.Flatten(), L.Dense(3)]), True),
    ],
)
def test_chains_of_dense_layers_match_keras(saved, build, bytes_in):
    model = build()
    images = _images(300, 6)
    fed = images.astype(np.float32) if bytes_in else images / np.float32(255)
    expected = model.predict(fed.reshape(300, *model.input_shape[1:]), verbose=0)
    for floats in (float_network(model), load_keras(saved(model))):
        logits = floats.logits(images)
        if np.allclose(expected.sum(axis=1), 1):
            logits = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        assert np.allclose(logits, expected, atol=1e-5)


@pytest.mark.parametrize(
    "build, message",
    [
        (lambda: _functional(L.Dense(5, activation="tanh", name="a"), L.Dense(3)),
         "layer 'a': activation tanh is not supported, use relu (hidden) or linear, softmax (last)"),
        (lambda: _functional(L.Dense(5, name="a"), L.Dense(3)), "layer 'a': a hidden layer needs ReLU, its activation is linear"),
        (lambda: _functional(L.Dense(5, activation="softmax", name="a"), L.Dense(3)),
         "layer 'a': a hidden layer needs ReLU, its activation is softmax"),
        (lambda: _functional(L.Dense(3, activation="relu", name="a")),
         "layer 'a': only hidden layers have ReLU, and only the last may have softmax"),
        (lambda: _functional(L.ReLU(name="r"), L.Dense(3)), "layer 'r': relu must directly follow one Dense layer"),
        (lambda: _functional(L.Dense(5), L.ReLU(max_value=6, name="r"), L.Dense(3)),
         "layer 'r': only plain ReLU is supported: no max_value, negative_slope or threshold"),
        (lambda: _functional(L.Dense(5, activation="relu"), L.Rescaling(2.0, name="r"), L.Dense(3)),
         "layer 'r': Rescaling must be one number, before the first Dense layer"),
        (lambda: _functional(L.Dense(5, activation="relu", name="a"), L.Flatten(), L.Dense(3), shape=(2, 3)),
         "layer 'a': its input has the shape (None, 2, 3), put Flatten before it"),
        (lambda: _functional(L.Flatten()), "the Keras model has no Dense layer"),
    ],
)  # fmt: skip
def test_other_chains_are_refused_by_layer(saved, build, message):
    with refuses(UnsupportedNetwork, message):
        load_keras(saved(build()))


def test_branches_are_refused(saved):
    entrance = keras.Input((6,))
    left, right = L.Dense(4, activation="relu", name="left")(entrance), L.Dense(4, activation="relu", name="right")(entrance)
    model = keras.Model(entrance, L.Dense(3, name="out")(left + right))
    with refuses(UnsupportedNetwork, "the Keras model is no chain of layers: it branches, merges or loops before layer 'out'"):
        float_network(model)
    path = saved(model)
    with refuses(
        UnsupportedNetwork, f"Keras model {path}: layer 'right' is not fed by 'left' alone: only chains can be quantised"
    ):
        load_keras(path)
    shared = L.Dense(6, activation="relu", name="shared")
    looped = _functional(shared, shared, L.Dense(3, name="out"))
    with refuses(UnsupportedNetwork, "the Keras model is no chain of layers: it branches, merges or loops before layer 'out'"):
        float_network(looped)
    path = saved(looped)
    first = looped.layers[0].name
    with refuses(
        UnsupportedNetwork, f"Keras model {path}: layer 'shared' is not fed by '{first}' alone: only chains can be quantised"
    ):
        load_keras(path)
    with refuses(UnsupportedNetwork, "the Keras model has 1 inputs and 2 outputs, expected one of each"):
        float_network(keras.Model(entrance, [left, right]))
    with refuses(UnsupportedNetwork, "the Keras model has no input shape yet: build it first"):
        float_network(keras.Sequential([L.Dense(3)]))


@pytest.mark.parametrize(
    "layer, kind",
    [
        (lambda: L.BatchNormalization(name="odd"), "BatchNormalization"),
        (lambda: L.LeakyReLU(name="odd"), "LeakyReLU"),
        (lambda: L.Lambda(lambda x: x + 1, name="odd"), "Lambda"),
        (lambda: keras.Sequential([keras.Input((6,)), L.Dense(6)], name="odd"), "Sequential of keras"),
    ],
)
def test_other_layers_are_refused_by_name(saved, layer, kind):
    path = saved(_functional(layer(), L.Dense(3)))
    with refuses(UnsupportedNetwork, f"Keras model {path}: layer 'odd' is a {kind}, {ONLY}"):
        load_keras(path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused_by_layer(saved, value):
    model = _plain()
    kernel, bias = model.get_layer("b").get_weights()
    kernel[4, 1] = value
    model.get_layer("b").set_weights([kernel, bias])
    with refuses(UnsupportedNetwork, f"layer 'b': 1 weights not finite, the first at [1, 4] is {value}"):
        load_keras(saved(model))


def test_a_plain_file_loads_and_its_tampered_twins_do_not(saved, tampered):
    assert load_keras(saved(_plain())).shape == (6, 5, 3)
    path = tampered("assets/vocabulary.txt", lambda _: b"x")
    with refuses(
        MalformedFile,
        f"Keras model {path}: holds assets/vocabulary.txt, config.json, metadata.json, model.weights.h5, "
        "expected config.json, metadata.json, model.weights.h5",
    ):
        load_keras(path)
    path = tampered("model.weights.h5", lambda _: None)
    with refuses(
        MalformedFile, f"Keras model {path}: holds config.json, metadata.json, expected config.json, metadata.json, model.weights.h5"
    ):
        load_keras(path)
    path.write_bytes(b"no archive")
    with refuses(MalformedFile, f"Keras model {path}: not a .keras file (a zip archive saved by Keras 3)"):
        load_keras(path)


def _first_dense(config) -> dict:
    return config["config"]["layers"][1]


@pytest.mark.parametrize(
    "edit, message",
    [
        (lambda c: _first_dense(c).update(module="os", class_name="system"), f"layer 'a' is a system of os, {ONLY}"),
        (lambda c: _first_dense(c).update(module="os"), f"layer 'a' is a Dense of os, {ONLY}"),
        (lambda c: _first_dense(c).update(registered_name="mine>Dense"), f"layer 'a' is a Dense of mine>Dense, {ONLY}"),
        (lambda c: _first_dense(c)["config"].update(activation={"module": "builtins", "class_name": "function", "config": "eval"}),
         "layer 'a' needs the object builtins.function, which is not loaded from files"),
        (lambda c: _first_dense(c)["config"].update(kernel_initializer={"class_name": "__lambda__", "config": {"value": "4wE="}}),
         "layer 'a' needs the object None.__lambda__, which is not loaded from files"),
        (lambda c: c["config"].update(dtype={"module": "subprocess", "class_name": "run", "config": {}}),
         "the model needs the object subprocess.run, which is not loaded from files"),
        (lambda c: _first_dense(c)["config"].update(units=10**12), "layer 'a' hands on 1000000000000 values after 6, beyond the limits"),
        (lambda c: _first_dense(c)["config"].update(units="5"), "layer 'a' hands on 5 values after 6, beyond the limits"),
        (lambda c: c["config"]["layers"][0]["config"].update(batch_shape=[None, None]),
         "layer 'input_layer' has the input shape [None, None], expected fixed sizes up to 65536"),
        (lambda c: c["config"]["layers"].pop(0), "the first layer is a Dense: build the model with an input shape"),
        (lambda c: c.update(class_name="Net"), "a Net model, expected Sequential or Functional"),
    ],
)  # fmt: skip
def test_hostile_configurations_are_refused_before_keras_sees_them(tampered, monkeypatch, edit, message):
    monkeypatch.setattr(keras.saving, "load_model", None)
    path = tampered("config.json", _config(lambda config: (_rename_input(config), edit(config))))
    with refuses(UnsupportedNetwork, f"Keras model {path}: {message}"):
        load_keras(path)


def _rename_input(config) -> None:
    config["config"]["layers"][0]["config"]["name"] = "input_layer"


def test_what_builds_or_compiles_a_model_is_never_read(tampered):
    """A build configuration could ask for terabytes, a compile configuration for any object: neither reaches Keras."""

    def edit(config):
        _first_dense(config)["build_config"] = {"input_shape": [None, 10**12]}
        config["config"]["build_input_shape"] = [None, 10**12]
        config["compile_config"] = {"loss": {"module": "os", "class_name": "system", "config": "true"}}

    assert load_keras(tampered("config.json", _config(edit))).shape == (6, 5, 3)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"{", "config.json is no JSON"),
        (b"[" * 100_000, "config.json is nested more than 64 deep"),
        (b"[]", "config.json describes no model with layers"),
        (b" " * (1 << 20) + b"{}", "config.json unpacks to more than 1048576 bytes"),
    ],
)
def test_broken_configurations_are_refused(tampered, content, message):
    path = tampered("config.json", lambda _: content)
    with refuses(MalformedFile, f"Keras model {path}: {message}"):
        load_keras(path)


@pytest.mark.parametrize("depth", [850, 900, 950])
def test_deep_configurations_are_refused_whoever_counts_first(tampered, depth):
    nested = b"[" * depth + b"]" * depth
    path = tampered("config.json", lambda _: b'{"class_name": "Sequential", "config": {"layers": [], "name": ' + nested + b"}}")
    with pytest.raises(UnusableInput, match=rf"^Keras model {path}: [^\n]*$"):
        load_keras(path)


def _kernel(file):
    return file["layers/dense/vars"]


def _replace(file, make) -> None:
    del _kernel(file)["0"]
    make(_kernel(file))


@pytest.mark.parametrize(
    "edit, message",
    [
        (lambda f: _replace(f, lambda g: g.__setitem__("0", h5py.ExternalLink("/etc/passwd", "/"))),
         "model.weights.h5 has the ExternalLink '0', expected plain data"),
        (lambda f: _replace(f, lambda g: g.__setitem__("0", h5py.SoftLink("/layers"))),
         "model.weights.h5 has the SoftLink '0', expected plain data"),
        (lambda f: _replace(f, lambda g: g.create_dataset("0", (6, 5), "f4", external=[("/etc/passwd", 0, 120)])),
         "model.weights.h5 does not hold the data of '/layers/dense/vars/0' itself"),
        (lambda f: _replace(f, lambda g: g.create_dataset("0", (1 << 20, 1 << 20), "f4", chunks=(1, 1))),
         "model.weights.h5 does not hold the data of '/layers/dense/vars/0' itself"),
        (lambda f: _replace(f, lambda g: g.create_dataset("0", (6, 5), "f4", compression="gzip")),
         "model.weights.h5 does not hold the data of '/layers/dense/vars/0' itself"),
    ],
)  # fmt: skip
def test_hostile_weights_are_refused_before_keras_sees_them(tampered, monkeypatch, edit, message):
    monkeypatch.setattr(keras.saving, "load_model", None)
    path = tampered("model.weights.h5", _hdf5(edit))
    with refuses(MalformedFile, f"Keras model {path}: {message}"):
        load_keras(path)


def test_decompression_bombs_are_refused(tampered):
    path = tampered("model.weights.h5", lambda _: bytes(1 << 24), zipfile.ZIP_DEFLATED)
    with refuses(MalformedFile, f"Keras model {path}: model.weights.h5 unpacks to more than {path.stat().st_size} bytes"):
        load_keras(path)


def test_broken_weights_are_refused(tampered):
    path = tampered("model.weights.h5", lambda content: content[: len(content) // 2])
    with pytest.raises(MalformedFile, match=rf"^Keras model {path}: model.weights.h5 is broken: [^\n]*$"):
        load_keras(path)


def test_weights_of_another_shape_are_refused(tampered):
    path = tampered("model.weights.h5", _hdf5(lambda f: _replace(f, lambda g: g.create_dataset("0", data=np.ones((6, 4), "f4")))))
    with pytest.raises(MalformedFile, match=rf"^Keras model {path}: Keras cannot load it: [^\n]*$"):
        load_keras(path)


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
    save_keras(_plain(), target)
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras"]
    with refuses(UnusableInput, f"cannot write {tmp_path / 'none' / 'model.keras'}: No such file or directory"):
        save_keras(_plain(), tmp_path / "none" / "model.keras")
    with refuses(UnusableInput, f"a Keras model file ends in .keras, got {tmp_path / 'model.h5'}"):
        save_keras(_plain(), tmp_path / "model.h5")


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
        (["quantize", str(tmp_path / "none.keras"), "--out", integers],
         f"cannot read Keras model {tmp_path / 'none.keras'}: No such file or directory"),
        (["quantize", integers, "--out", integers], f"Keras model {integers}: not a .keras file (a zip archive saved by Keras 3)"),
        (["quantize", model, "--out", str(tmp_path / "none" / "m.model")],
         f"cannot write {tmp_path / 'none' / 'm.model'}: No such file or directory"),
    ):  # fmt: skip
        assert main([*arguments, "--json"]) == 2
        assert json.loads(capsys.readouterr().out) == {"error": message, "exit_code": 2}
    assert sorted(path.name for path in tmp_path.iterdir()) == before
