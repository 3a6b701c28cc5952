"""How a byte becomes an input is read from the model, shown by data, or asked for; never assumed."""

import json

import numpy as np
import pytest
from keras_cases import L, functional, keras
from onnx_cases import graph, node, onnx
from support import refuses

from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork, UnusableInput
from zkpredict.circuits.files.schema import DEVIATIONS
from zkpredict.cli.main import main
from zkpredict.prover.model import Model
from zkpredict.training.importers import read_model

h5py = pytest.importorskip("h5py")
datasets = pytest.importorskip("sklearn.datasets")


def _scores(imported, values: np.ndarray) -> np.ndarray:
    entry = imported.folded.entry
    values = values if entry is None else values * entry.factor + entry.offset
    for layer in imported.layers[:-1]:
        values = np.maximum(values @ layer.weights.T + layer.bias, 0)
    return values @ imported.layers[-1].weights.T + imported.layers[-1].bias


def _rich():
    """Normalization, BatchNormalization in three places, LeakyReLU, and a model inside a model."""
    draw = np.random.default_rng(5)
    inner = keras.Sequential([keras.Input((6,)), L.Dense(5, name="deep"), L.BatchNormalization(), L.LeakyReLU(0.25)], name="inner")
    model = functional(L.Normalization(), inner, L.BatchNormalization(), L.Dense(4, activation="relu"), L.Dense(3), L.BatchNormalization(), L.Softmax())
    model.set_weights([np.abs(draw.normal(size=w.shape)) + 0.5 if "variance" in v.path else draw.normal(size=w.shape).astype(w.dtype)
                       for v, w in zip(model.weights, model.get_weights())])  # fmt: skip
    return model


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_normalisation_leaks_and_nested_models_fold_exactly(tmp_path, suffix):
    model, values = _rich(), np.random.default_rng(1).normal(size=(1000, 6)).astype(np.float32)
    model.save(tmp_path / f"m.{suffix}")
    imported = read_model(tmp_path / f"m.{suffix}")
    assert imported.convention == "moments" and [layer.weights.shape for layer in imported.layers] == [(10, 6), (4, 10), (3, 4)]
    scores = np.exp(_scores(imported, values.astype(float)))
    expected = keras.saving.load_model(tmp_path / f"m.{suffix}", compile=False).predict(values, verbose=0)
    assert np.allclose(scores / scores.sum(axis=1, keepdims=True), expected, atol=1e-4)
    mean, deviation = imported.folded.entry.moments
    features = imported.demand().schema.features
    assert np.allclose([f.low for f in features], mean - DEVIATIONS * deviation)


def test_hostile_h5_files_are_refused(tmp_path):
    path = tmp_path / "m.h5"
    keras.Sequential([keras.Input((6,)), L.Dense(3, name="a")]).save(path)
    assert read_model(path).inputs == 6
    honest = path.read_bytes()

    def edited(change):
        path.write_bytes(honest)
        with h5py.File(path, "r+") as file:
            change(file)
        return path

    def config(change):
        def edit(file):
            found = json.loads(file.attrs["model_config"])
            change(found["config"]["layers"])
            file.attrs["model_config"] = json.dumps(found)

        return edit

    with refuses(UnsupportedNetwork, f"Keras model {path}: layer 'l' is a Lambda: files cannot carry code: use Rescaling, Dense and ReLU"):
        read_model(edited(config(lambda layers: layers.append({"class_name": "Lambda", "config": {"name": "l"}}))))
    with refuses(MalformedFile, f"Keras model {path} holds weights without a model: save the whole model (model.save), not its weights"):
        read_model(edited(lambda file: file.attrs.__delitem__("model_config")))
    with refuses(MalformedFile, f"Keras model {path} has the ExternalLink 'x', expected plain data"):
        read_model(edited(lambda file: file.__setitem__("x", h5py.ExternalLink("/etc/passwd", "/"))))


def _json(capsys, *arguments) -> tuple[int, dict]:
    code = main([*map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.fixture(scope="module")
def digits_model(tmp_path_factory):
    """A network trained on raw pixels of 0 to 16, which says nothing of it, and the data as a table."""
    from sklearn.neural_network import MLPClassifier

    data = datasets.load_digits()
    fitted = MLPClassifier(hidden_layer_sizes=(24,), max_iter=60, random_state=1).fit(data.data, data.target)
    folder = tmp_path_factory.mktemp("digits")
    parts = {"w1": fitted.coefs_[0], "b1": fitted.intercepts_[0], "w2": fitted.coefs_[1], "b2": fitted.intercepts_[1]}
    nodes = [node("Gemm", "x w1 b1", "z"), node("Relu", "z", "a"), node("Gemm", "a w2 b2", "logits")]
    outputs = (("logits", onnx.TensorProto.FLOAT, (None, 10)),)
    constants = {name: part.astype(np.float32) for name, part in parts.items()}
    (folder / "digits.onnx").write_bytes(graph(nodes, constants, shape=(None, 64), outputs=outputs))
    names = [f"p{n}" for n in range(64)]
    lines = [",".join([*names, "digit"]), *(",".join([*(f"{v:g}" for v in row), str(label)]) for row, label in list(zip(data.data, data.target))[::4])]
    (folder / "digits.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_a_model_that_does_not_say_is_asked_about(capsys, digits_model, tmp_path):
    model, table, out = digits_model / "digits.onnx", digits_model / "digits.csv", tmp_path / "d.model"
    code, found = _json(capsys, "quantize", model, "--out", out)
    assert code == 2 and not out.exists()
    assert found["error"].startswith(f"ONNX model {model} does not say how its inputs are scaled")
    for way_out in ("--input-scale", "unit", "LOW:HIGH", "--calibrate DATA"):
        assert way_out in found["error"]
    code, found = _json(capsys, "quantize", model, "--input-scale", "0:16", "--calibrate", table, "--out", out)
    assert code == 0 and found["features"] == [["input", 0.0, 16.0]] and found["calibration"]["float_accuracy"] > 0.95
    assert found["calibration"]["lost_points"] <= 0.2
    code, found = _json(capsys, "report", "--model", out, "--original", model, "--data", table)
    assert code == 0 and found["accuracy"]["lost_points"] <= 0.2 and found["accuracy"]["float_accuracy"] > 0.95
    assert Model.load(out).schema.shared


def test_a_wrong_scale_is_refused_on_data(capsys, digits_model, tmp_path):
    """The silent loss of once: pixels of 0 to 16 taken as if they were of 0 to 1."""
    out = tmp_path / "d.model"
    code, found = _json(
        capsys, "quantize", digits_model / "digits.onnx", "--input-scale", "0:1", "--calibrate", digits_model / "digits.csv", "--out", out
    )
    assert code == 1 and not out.exists() and found["error"].startswith("quantisation loses ") and found["error"].endswith("nothing was written")


def test_tables_show_the_scale_and_the_names(capsys, digits_model, tmp_path):
    out = tmp_path / "d.model"
    code, found = _json(capsys, "quantize", digits_model / "digits.onnx", "--calibrate", digits_model / "digits.csv",
                        "--classes", ",".join(f"a {n}" for n in range(10)), "--out", out)  # fmt: skip
    assert code == 0 and found["features"][2][0] == "p2" and found["features"][0] == ["p0", -0.5, 0.5]
    assert found["classes"][3] == "a 3" and "from the smallest to the largest in" in found["input"]


@pytest.mark.parametrize(
    "scale, message",
    [
        ("pixels", "--input-scale pixels: expected unit (byte / 255), signed (byte / 127.5 - 1), bytes (0 to 255 as they are), "
         "LOW:HIGH (byte 0 is LOW, byte 255 is HIGH), FILE.json"),
        ("3:3", "--input-scale 3:3: feature 'input': low is 3.0, which must be below high, 3.0"),
        ("1..2:3", "--input-scale 1..2:3: could not convert string to float: '1..2'"),
    ],
)  # fmt: skip
def test_scales_that_are_none_are_refused(capsys, digits_model, tmp_path, scale, message):
    arguments = ["quantize", digits_model / "digits.onnx", "--input-scale", scale, "--out", tmp_path / "d.model"]
    assert _json(capsys, *arguments) == (2, {"error": message, "exit_code": 2})


def test_scales_come_from_a_file(capsys, digits_model, tmp_path):
    scale = tmp_path / "scale.json"
    features = [{"name": f"p{n}", "min": 0, "max": 16} for n in range(63)] + [{"name": "p63", "mean": 8, "deviation": 2}]
    scale.write_text(json.dumps({"features": features, "classes": [f"c{n}" for n in range(10)]}))
    arguments = ["quantize", digits_model / "digits.onnx", "--input-scale", scale, "--out", tmp_path / "d.model"]
    code, found = _json(capsys, *arguments)
    assert code == 0 and found["features"][63] == ["p63", 0.0, 16.0] and found["classes"][9] == "c9"
    features[5] = {"name": "p5", "min": 0}
    scale.write_text(json.dumps({"features": features}))
    with refuses(UnusableInput, f"feature scale {scale}: a feature has name, min, max, or name, mean, deviation; got ['min', 'name']"):
        from zkpredict.training.inputs import read_feature_file

        read_feature_file(scale, 64)
