"""ONNX files of several exporters against the ONNX runtime, and those that are refused, by node."""

import io
import json
import zipfile

import numpy as np
import pytest
from onnx_cases import N, draw, graph, node, onnx, torch_like, traced_like
from support import refuses

from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork, UnusableInput
from zkpredict.cli.main import main
from zkpredict.training.importers import read_model
from zkpredict.training.importers.onnx_models import onnx_model
from zkpredict.training.inputs import scale_of_readings
from zkpredict.training.original import original_classes
from zkpredict.training.quantize import quantize

runtime = pytest.importorskip("onnxruntime", reason="needs the test requirements")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")


def float_scores(imported, values: np.ndarray) -> np.ndarray:
    """Logits of what was read, over the model's own inputs."""
    entry = imported.folded.entry
    values = values.astype(np.float64) if entry is None else values * entry.factor + entry.offset
    for layer in imported.layers[:-1]:
        values = np.maximum(values @ layer.weights.T + layer.bias, 0)
    return values @ imported.layers[-1].weights.T + imported.layers[-1].bias


def check_against_the_runtime(path, imported, values: np.ndarray, least: float = 0.98) -> None:
    """Over all `values`: in floats the same classes, but for ties of rounding; in integers within quantisation."""
    expected = original_classes(path, imported, values)
    scores = float_scores(imported, values)
    ordered = np.sort(scores, axis=1)
    clear = ordered[:, -1] - ordered[:, -2] > 1e-4
    assert len(values) >= 1000 and clear.mean() > 0.95 and len(set(expected)) > 1
    assert np.array_equal(scores.argmax(axis=1)[clear], expected[clear])
    scale = scale_of_readings(values, imported.names, "the values")
    bytes_in = np.floor((values - scale.offset) / scale.factor + 0.5).clip(0, 255).astype(np.uint8)
    assert (quantize(imported.over(scale)).infer(bytes_in).digits == expected).mean() >= least


@pytest.mark.parametrize("make", [torch_like, lambda: torch_like(7, seed=11), lambda: torch_like(22, seed=5), traced_like, lambda: traced_like(11)])
def test_graphs_as_exporters_of_pytorch_write_them(tmp_path, make):
    path = tmp_path / "m.onnx"
    path.write_bytes(make())
    imported = read_model(path)
    check_against_the_runtime(path, imported, np.random.default_rng(2).normal(size=(1000, 6)).astype(np.float32).astype(float))


def _sklearn_cases():
    from sklearn.datasets import load_breast_cancer, load_iris
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    yield load_iris(), make_pipeline(StandardScaler(), MLPClassifier((12, 6), max_iter=400, random_state=1)), "moments"
    yield load_iris(), make_pipeline(MinMaxScaler(), LogisticRegression()), None
    yield load_breast_cancer(), make_pipeline(StandardScaler(), MLPClassifier((8,), max_iter=200, random_state=1)), "moments"


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("zipmap", [True, False])
def test_graphs_of_skl2onnx(tmp_path, number, zipmap):
    skl2onnx = pytest.importorskip("skl2onnx", reason="needs the test requirements")
    data, model, convention = list(_sklearn_cases())[number]
    named = number == 1
    model.fit(data.data.astype(np.float32), data.target_names[data.target] if named else data.target)
    path = tmp_path / "m.onnx"
    proto = skl2onnx.to_onnx(model, data.data[:1].astype(np.float32), options={"zipmap": zipmap}, target_opset=18)
    path.write_bytes(proto.SerializeToString())
    imported = read_model(path)
    assert imported.convention == convention and imported.classes == (tuple(data.target_names) if named else ())
    chance = np.random.default_rng(1)
    values = data.data[chance.integers(0, len(data.data), 1000)] + chance.normal(size=(1000, data.data.shape[1])) * data.data.std(axis=0) / 10
    check_against_the_runtime(path, imported, values.astype(np.float32).astype(float))
    if number == 2:
        assert imported.folded.notes == ("one output z becomes two classes with the logits 0 and z: class 1 when its sigmoid is above 0.5",)


CONSTANTS = {"w": draw(6, 3), "b": draw(3), "w5": draw(6, 5), "w53": draw(5, 3), "one": np.float32(1), "v": draw(6, 1)}
LAST = [node("MatMul", "h w", "logits")]


@pytest.mark.parametrize(
    "nodes, message",
    [
        ([node("Tanh", "x", "h"), *LAST], "node 'h' is a Tanh: use Relu in hidden layers"),
        ([node("Conv", "x w", "logits", name="c")],
         "node 'c' (Conv): it reads a value of shape [6]: expected a picture of channels, height and width"),
        ([node("Relu", "x", "h"), *LAST], "layer 'h': it acts on the inputs: an activation must follow a dense layer"),
        ([node("MatMul", "x w", "h"), node("Add", "h h", "logits")], "layer 'logits': it adds what a dense layer gives before its activation: put relu before the sum, or the sum before Flatten"),
        ([node("MatMul", "x w", "h"), node("Add", "h x", "logits")],
         "node 'logits' (Add): it adds values of 3 and 6: they must have one shape; a convolution of 1 x 1, with a stride if need be, brings one to the other's"),
        ([node("MatMul", "x w", "h"), node("MatMul", "h x", "logits")],
         "node 'logits' (MatMul): it combines two values that depend on the input: branches are joined by Add only"),
        ([node("MatMul", "x w", "h"), node("Concat", "h x", "logits", axis=1)], "node 'logits' is a Concat: branches are joined by Add only"),
        ([node("MatMul", "x w", "h"), node("MatMul", "x w", "k"), node("Add", "h k", "logits")],
         "layer 'logits': it adds what a dense layer gives before its activation: put relu before the sum, or the sum before Flatten"),
        ([node("MatMul", "x w", "h"), node("Relu", "h", "logits")],
         "layer 'logits': it is the last layer: the outputs must be logits, or softmax or sigmoid of them"),
        ([node("MatMul", "x w", "h"), node("Sigmoid", "h", "logits")],
         "layer 'logits': sigmoid of 3 outputs: these are 3 independent labels, of which a proof states none; train one model a label, "
         "or use softmax when only one of them holds"),
        ([node("MatMul", "x v", "logits")],
         "layer 'logits' has one output and no sigmoid: that is a regression, and a proof says classes. If classes are meant, add "
         "--threshold T (class 1 is an output above T; T = 0 for a logit)"),
        ([node("MatMul", "x w", "h"), node("Softmax", "h", "p", axis=0), node("Identity", "p", "logits")],
         "node 'p' (Softmax): it runs over axis 0, expected the classes"),
        ([node("MatMul", "x w", "h"), node("Softmax", "h", "p"), node("Sub", "one p", "logits")],
         "node 'logits' (Sub): a Sub behind the class scores: export without what decides after them"),
        ([node("Div", "one x", "h"), *LAST], "node 'h' (Div): it divides by the value, or by zero"),
        ([node("Cast", "x", "h", to=onnx.TensorProto.INT64), *LAST], "node 'h' (Cast): it casts to element type 7, which loses what follows the point"),
        ([node("Transpose", "x", "h", perm=[1, 0]), *LAST],
         "node 'h' (Transpose): it puts the axes of ['batch', 6] in the order [1, 0]: the batch must stay first"),
        ([node("MatMul", "x w53", "logits")], "node 'logits' (MatMul): its weights take 5 numbers, the value before it has 6"),
        ([node("MatMul", "x w", "h"), node("Gemm", "x w", "logits"), node("Relu", "h", "k")],
         None),
        ([node("MatMul", "nowhere w", "logits")], "node 'logits' uses a value before it is made, or makes one twice"),
        ([node("MatMul", "x w", "h"), node("ArgMax", "h", "logits", axis=1, select_last_index=1)],
         "node 'logits' (ArgMax): of equal scores it takes the last: a proof takes the first"),
    ],
)  # fmt: skip
def test_other_graphs_are_refused_by_node(nodes, message):
    data = graph(nodes, CONSTANTS)
    if message is None:  # a node that no output depends on is left out, as the runtime does
        assert onnx_model(data, "m").layers[0].weights.shape == (3, 6)
        return
    with refuses(UnsupportedNetwork, f"m: {message}"):
        onnx_model(data, "m")


def test_one_output_with_a_threshold_is_two_classes():
    data = graph([node("MatMul", "x v", "logits")], CONSTANTS, outputs=(("logits", onnx.TensorProto.FLOAT, (None, 1)),))
    imported = onnx_model(data, "m", threshold=0.25)
    values = np.random.default_rng(3).normal(size=(500, 6))
    assert np.array_equal(float_scores(imported, values).argmax(axis=1), (values @ CONSTANTS["v"].astype(float))[:, 0] > 0.25)
    with refuses(UnsupportedNetwork, "m has 3 outputs: --threshold is for models of one"):
        onnx_model(graph([node("MatMul", "x w", "logits")], CONSTANTS), "m", threshold=0.25)


def _changed(edit) -> bytes:
    model = onnx.ModelProto.FromString(torch_like())
    edit(model)
    return model.SerializeToString()


def _external(model) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"


@pytest.mark.parametrize(
    "edit, kind, message",
    [
        (_external, UnsupportedNetwork, "tensor 'w1' lies in another file: save the model in one file, with its weights"),
        (lambda m: setattr(m.opset_import[0], "version", 6), UnsupportedNetwork,
         "opset 6 of ai.onnx, read are 7 to 22: export it with opset_version=17"),
        (lambda m: setattr(m.opset_import[0], "version", 23), UnsupportedNetwork,
         "opset 23 of ai.onnx, read are 7 to 22: export it with opset_version=17"),
        (lambda m: m.functions.add(), UnsupportedNetwork, "defines functions of its own: export the plain operators"),
        (lambda m: m.graph.sparse_initializer.add(), UnsupportedNetwork, "has sparse weights: export dense ones"),
        (lambda m: setattr(m.graph.initializer[0], "raw_data", b"1234"), MalformedFile,
         "tensor 'w1' holds 4 bytes, its shape [5, 6] asks for 30 numbers"),
        (lambda m: m.graph.initializer[0].dims.__setitem__(0, 1 << 40), UnsupportedNetwork, "holds more than 16777216 numbers"),
        (lambda m: m.graph.initializer[0].dims.__setitem__(0, -5), MalformedFile, "tensor 'w1' has the shape [-5, 6]"),
        (lambda m: m.ClearField("graph"), MalformedFile, "not an ONNX model: it has no graph"),
        (lambda m: m.graph.input.add(name="mask"), UnsupportedNetwork, "has 2 inputs (x, mask), expected one tensor of all features"),
        (lambda m: m.graph.initializer[0].CopyFrom(N.from_array(np.full((5, 6), np.nan, np.float32), "w1")), UnsupportedNetwork,
         "layer 'z1': 60 weights not finite, the first at [0, 0] is nan"),
    ],
)  # fmt: skip
def test_broken_and_hostile_files_are_refused(edit, kind, message):
    assert onnx_model(_changed(lambda m: None), "m").inputs == 6
    with pytest.raises(kind) as refusal:
        onnx_model(_changed(edit), "m")
    assert str(refusal.value) in (f"m: {message}", message)


def test_constants_cannot_be_multiplied_into_a_bomb():
    """Each Concat doubles: 60 of them would ask for exabytes."""
    doubling = [node("Concat", f"c{n} c{n}", f"c{n + 1}", axis=0) for n in range(60)]
    with refuses(UnsupportedNetwork, "m: node 'c22' (Concat): it computes too much of constants: simplify the graph before exporting"):
        onnx_model(graph([*doubling, node("Mul", "x c60", "h"), *LAST], CONSTANTS | {"c0": np.ones(4, np.float32)}), "m")


def test_truncated_files_are_refused(tmp_path):
    data = torch_like()
    for cut in (3, 20, len(data) // 2, len(data) - 1):
        with pytest.raises(UnusableInput, match="^m: "):
            onnx_model(data[:cut], "m")
    (tmp_path / "m.onnx").write_bytes(b"\x80\x04\x95 pickle")
    with pytest.raises(MalformedFile, match="a Python pickle"):
        read_model(tmp_path / "m.onnx")
    with pytest.raises(UnsupportedNetwork, match="is a folder"):
        read_model(tmp_path)


def test_graphs_of_the_export_of_keras(tmp_path):
    """Through tf2onnx, which lays them out in its own way: matrix products, sums folded into them, and a Reshape of the picture."""
    pytest.importorskip("tf2onnx", reason="needs the test requirements")
    from keras_cases import L, keras

    keras.utils.set_random_seed(3)
    layers = [L.Rescaling(1 / 4), L.Flatten(), L.Dense(8, activation="relu"), L.BatchNormalization(), L.Dense(5), L.LeakyReLU(0.1), L.Dense(3, activation="softmax")]
    model = keras.Sequential([keras.Input((2, 3, 1)), *layers])
    values = np.random.default_rng(1).normal(size=(1000, 6)).astype(np.float32).astype(float) * 4
    model.predict(values[:1].reshape(1, 2, 3, 1), verbose=0)  # an export wants a model that was called
    path = tmp_path / "m.onnx"
    model.export(str(path), format="onnx", verbose=False)
    imported = read_model(path)
    assert len(imported.folded.notes) == 1 and "LeakyReLU: its 5 neurons become 10" in imported.folded.notes[0]
    check_against_the_runtime(path, imported, values, least=0.97)


def test_mnist_as_onnx_loses_no_more_than_the_report_says(tmp_path, examples, data_folder, capsys):
    """The shipped weights as an ONNX file: the runtime gives what Keras gave, and the integers lose a hundredth of a point."""
    h5py = pytest.importorskip("h5py", reason="needs the test requirements")
    with zipfile.ZipFile(examples / "mnist.keras") as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
        parts = {f"{name}{number}": file[f"layers/{layer}/vars/{number}"][:] for name, layer in (("a", "dense"), ("b", "dense_1")) for number in (0, 1)}
    nodes = [
        node("Mul", "x scale", "unit"), node("Gemm", "unit a0 a1", "z"), node("Relu", "z", "h"), node("Gemm", "h b0 b1", "logits"),
    ]  # fmt: skip
    outputs = (("logits", onnx.TensorProto.FLOAT, (None, 10)),)
    path = tmp_path / "mnist.onnx"
    path.write_bytes(graph(nodes, parts | {"scale": np.float32(1 / 255)}, shape=(None, 784), outputs=outputs))
    arguments = ["report", "--model", examples / "mnist.model", "--original", path, "--input-scale", "bytes", "--data", data_folder, "--json"]
    assert main([str(argument) for argument in arguments]) == 0
    found = json.loads(capsys.readouterr().out)["accuracy"]
    assert (found["float_accuracy"], found["integer_accuracy"]) == (0.9799, 0.9798) and found["lost_points"] < 0.2
