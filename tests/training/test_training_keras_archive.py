"""Hostile and honest Keras archives. Only where Keras is installed."""

import gzip
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from keras_cases import L, functional, keras, plain
from support import refuses

from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork, UnusableInput
from zkpredict.training.importers import hdf5
from zkpredict.training.inputs import BYTES
from zkpredict.training.importers.keras_archive import LAYERS
from zkpredict.training.importers.keras_files import load_keras as read

h5py = pytest.importorskip("h5py")
ONLY = f"only {', '.join(LAYERS)} can be quantised"
OWN_CODE = "code of your own, which no file can carry: use relu in hidden layers and linear, softmax or sigmoid in the last, or train one"


def load_keras(path):
    """The network in a file; how its inputs are scaled is of no interest here."""
    return read(path).over(BYTES)


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


@pytest.mark.parametrize(
    "layer, kind",
    [
        (lambda: L.UnitNormalization(name="odd"), f"UnitNormalization: {ONLY}"),
        (lambda: L.PReLU(name="odd"), "PReLU: use ReLU or LeakyReLU"),
        (lambda: L.Lambda(lambda x: x + 1, name="odd"), "Lambda: files cannot carry code: use Rescaling, Dense and ReLU"),
        (lambda: L.LayerNormalization(name="odd"), "LayerNormalization: use BatchNormalization, which folds into a layer"),
    ],
)
def test_other_layers_are_refused_by_name(saved, layer, kind):
    path = saved(functional(layer(), L.Dense(3)))
    with refuses(UnsupportedNetwork, f"Keras model {path}: layer 'odd' is a {kind}"):
        load_keras(path)


def test_a_plain_file_loads_and_its_tampered_twins_do_not(saved, tampered):
    assert load_keras(saved(plain())).shape == (6, 5, 3)
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
        (lambda c: _first_dense(c).update(module="os", class_name="system"), f"layer 'a' is a system of os: {ONLY}"),
        (lambda c: _first_dense(c).update(module="os"), f"layer 'a' is a Dense of os: {ONLY}"),
        (lambda c: _first_dense(c).update(registered_name="mine>Dense"), f"layer 'a' is a Dense of mine>Dense: {ONLY}"),
        (lambda c: _first_dense(c)["config"].update(activation={"module": "builtins", "class_name": "function", "config": "eval"}),
         f"layer 'a' uses 'eval', {OWN_CODE}"),
        (lambda c: _first_dense(c)["config"].update(kernel_initializer={"class_name": "__lambda__", "config": {"value": "4wE="}}),
         "layer 'a' needs the object None.__lambda__, which is not loaded from files"),
        (lambda c: c["config"].update(dtype={"module": "subprocess", "class_name": "run", "config": {}}),
         "the model needs the object subprocess.run, which is not loaded from files"),
        (lambda c: _first_dense(c)["config"].update(units=10**12), "layer 'a' hands on 1000000000000 values after 6, beyond the limits"),
        (lambda c: _first_dense(c)["config"].update(units="5"), "layer 'a' hands on 5 values after 6, beyond the limits"),
        (lambda c: c["config"]["layers"][0]["config"].update(batch_shape=[None, None]),
         "layer 'input_layer' has the input shape [None, None], expected fixed sizes up to 65536"),
        (lambda c: c["config"]["layers"].pop(0), "the first layer is a Dense: build the model with an input shape"),
        (lambda c: c.update(class_name="Net"), "a Net model, expected Sequential or Functional: save it as one, or export it to ONNX"),
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


def test_weights_without_end_are_refused(tampered, monkeypatch):
    """Found by fuzzing: listing the groups of this file sends the HDF5 library round in circles."""
    monkeypatch.setattr(hdf5, "PROCESSOR_SECONDS", 2)
    endless = gzip.decompress(Path(__file__).with_name("endless.h5.gz").read_bytes())
    path = tampered("model.weights.h5", lambda _: endless)
    with refuses(MalformedFile, f"Keras model {path}: model.weights.h5 has no end: reading it took more than 2 seconds of processor time"):
        load_keras(path)


def test_a_library_that_falls_over_is_a_refusal(tampered, monkeypatch):
    path = tampered("config.json", lambda content: content)
    monkeypatch.setattr(hdf5.sys, "executable", "/bin/false")
    with refuses(MalformedFile, f"Keras model {path}: model.weights.h5 is broken: the HDF5 library fell over it (exit code 1)"):
        load_keras(path)


def test_the_folder_one_stands_in_is_no_place_to_import_from(tampered, tmp_path, monkeypatch):
    """Whoever sends a model may send a folder with it."""
    path = tampered("config.json", lambda content: content)
    hostile = tmp_path / "hostile"
    hostile.mkdir()
    (hostile / "h5py.py").write_text("open('imported', 'w')\nraise SystemExit(3)\n")
    monkeypatch.chdir(hostile)
    assert load_keras(path).shape == (6, 5, 3)
    assert [file.name for file in hostile.iterdir()] == ["h5py.py"]
