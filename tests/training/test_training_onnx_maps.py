"""Convolutions from ONNX files against the ONNX runtime: no picture is turned on the way, and what is not read is refused by node."""

import json

import numpy as np
import pytest
from onnx_cases import N as numpy_helper
from onnx_cases import graph, onnx
from onnx_conv_cases import GRAPHS, conv_graph, draw, ending, node, weights
from support import refuses

from zkpredict.circuits.errors import UnsupportedNetwork, UnusableInput
from zkpredict.circuits.files.order import Picture, lies_channels_first
from zkpredict.cli.main import main
from zkpredict.prover.model import Model
from zkpredict.training.datasets import calibration_data
from zkpredict.training.importers import read_model
from zkpredict.training.importers.onnx_layout import Layout
from zkpredict.training.importers.onnx_models import onnx_model
from zkpredict.training.inputs import parse_input_scale
from zkpredict.training.original import original_classes
from zkpredict.training.quantize import quantize

runtime = pytest.importorskip("onnxruntime", reason="needs the test requirements")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")


def by_the_runtime(data: bytes, values: np.ndarray) -> np.ndarray:
    """What the ONNX runtime gives, for inputs [count, ...] as the file takes them."""
    session = runtime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": values.astype(np.float32)})[0]


def pictures(data: bytes, count: int = 30, seed: int = 3) -> np.ndarray:
    """Random bytes in the shape that the file takes, uint8 [count, ...]."""
    (entrance,) = onnx.ModelProto.FromString(data).graph.input
    shape = [size.dim_value for size in entrance.type.tensor_type.shape.dim][1:]
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


def logits_of(imported, images: np.ndarray) -> np.ndarray:
    return imported.over(parse_input_scale("unit", imported.inputs)).logits(images)


def close(found: np.ndarray, expected: np.ndarray) -> bool:
    if np.allclose(expected.sum(axis=1), 1, atol=1e-5):  # of a softmax
        found = np.exp(found) / np.exp(found).sum(axis=1, keepdims=True)
    return np.allclose(found, expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("name", GRAPHS)
def test_what_is_read_computes_what_the_runtime_computes(name):
    data = GRAPHS[name]()
    images = pictures(data)
    expected, imported = by_the_runtime(data, images / 255), onnx_model(data, "m")
    ours = images.reshape(len(images), -1)
    if imported.turned is not None:
        ours = np.empty_like(ours)
        ours[:, imported.turned] = images.reshape(len(images), -1)
    assert close(logits_of(imported, ours), expected)
    assert not close(logits_of(imported, ours), np.roll(expected, 1, axis=0))  # the pictures differ: it can fail


@pytest.mark.parametrize("name", ["lenet-like, colour", "normalised by channel", "from a row", "a pooled input"])
def test_a_picture_in_the_other_order_is_another_picture(name):
    """Channels first go in by way of [height, width, channels]; the same bytes as they lay in the file's order give other answers."""
    data = GRAPHS[name]()
    images, imported = pictures(data), onnx_model(data, "m")
    expected, picture = by_the_runtime(data, images / 255), imported.picture
    maps = images.reshape(-1, picture.channels, picture.height, picture.width)
    assert imported.turned is not None
    assert close(logits_of(imported, maps.transpose(0, 2, 3, 1).reshape(len(maps), -1)), expected)
    assert not close(logits_of(imported, maps.reshape(len(maps), -1)), expected)
    assert not close(logits_of(imported, maps.transpose(0, 3, 2, 1).reshape(len(maps), -1)), expected)


@pytest.mark.parametrize("name", ["lenet-like, grey", "channels last outside"])
def test_where_no_order_is_lost_nothing_is_turned(name):
    assert onnx_model(GRAPHS[name](), "m").turned is None


@pytest.mark.parametrize("name", GRAPHS)
def test_integers_follow_floats(name):
    data = GRAPHS[name]()
    imported = onnx_model(data, "m")
    images = np.random.default_rng(1).integers(0, 256, (150, imported.inputs), dtype=np.uint8)
    floats = imported.over(parse_input_scale("unit", imported.inputs))
    network, expected = quantize(floats, images), floats.logits(images)
    inference = network.infer(images)
    for values, interval in zip(inference.pre_activations, network.intervals, strict=True):
        assert np.all(values <= interval.high) and np.all(values >= interval.low)
    spread = expected - expected.mean(axis=0)
    error = inference.logits * (expected**2).sum() / (inference.logits * expected).sum() - expected
    assert error.std() < 0.25 * spread.std()


def conv_then(last, shape=(2, 6, 5), width=4 * 3 * 3, **settings):
    """A Conv of these settings on a picture, relu, and `last` before the dense layer."""
    nodes, constants = ending(last[-1].output[0] if last else "a", width)
    constants |= {"w": weights(3, 2, 3, 3), "b": draw(3, seed=2), "wd": weights(4, 1, 3, 3, seed=5), "axes": np.array([1], np.int64), "six": np.float32(6), "three": np.array([0, 0, 3, 0, 0, 0, 0, 0], np.int64),
                  "deep": np.array([0, 1, 0, 0, 0, 0, 0, 0], np.int64), "one": np.array([0, 0, 1, 0, 0, 0, 0, 2], np.int64), "zero": np.float32(0)}
    return conv_graph([node("Conv", "x w b", "z", name="c", **settings), node("Relu", "z", "a"), *last, *nodes], constants, shape)


REFUSED = [
    (lambda: conv_then([], dilations=[2, 2]), "node 'c' (Conv): its dilation is 2 x 2, expected 1"),
    (lambda: conv_then([], group=2), "node 'c' (Conv): its kernel has 2 channels of 3 x 3 in 2 groups, which does not fit 2 channels and its kernel_shape"),
    (lambda: conv_then([], group=2, shape=(4, 6, 5)), "node 'c' (Conv): its 3 kernels do not go into 2 groups"),
    (lambda: conv_then([], group=0), "node 'c' (Conv): its group is 0, expected a whole number from 1"),
    (lambda: conv_then([], auto_pad="FULL"), "node 'c' (Conv): its auto_pad is FULL, expected NOTSET, VALID, SAME_UPPER or SAME_LOWER"),
    (lambda: conv_then([], pads=[1, 1, -1, 1]), "node 'c' (Conv): its pads are [1, 1, -1, 1], expected four whole numbers from 0"),
    (lambda: conv_then([], pads=[1, 1]), "node 'c' (Conv): its pads are [1, 1], expected four whole numbers from 0"),
    (lambda: conv_then([], pads=[3, 0, 0, 0]), "node 'c' (Conv): it pads [3, 0, 0, 0] above, left, below and right, its windows of 3 x 3 take at most 2 and 2"),
    (lambda: conv_then([], shape=(2, 2, 5)), "node 'c' (Conv): its windows of 3 x 3 do not fit a map of 2 x 5, padded [0, 0, 0, 0]"),
    (lambda: conv_then([], kernel_shape=[3, 2]), "node 'c' (Conv): its kernel has 2 channels of 3 x 3 in 1 groups, which does not fit 2 channels and its kernel_shape"),
    (lambda: conv_then([], shape=(4, 6, 5)), "node 'c' (Conv): its kernel has 2 channels of 3 x 3 in 1 groups, which does not fit 4 channels and its kernel_shape"),
    (lambda: conv_then([], shape=(2, 6)), "node 'c' (Conv): it reads a value of shape [2, 6]: expected a picture of channels, height and width"),
    (lambda: conv_then([node("AveragePool", "a", "p", kernel_shape=[2, 2])]),
     "node 'p' (AveragePool): it pools 2 x 2 positions every 1 x 1, only windows side by side are supported: strides equal to pool_size"),
    (lambda: conv_then([node("AveragePool", "a", "p", kernel_shape=[2, 2], strides=[2, 2], pads=[0, 0, 1, 1])]),
     "node 'p' (AveragePool): its windows reach over the edge of 4 x 3 (padding [0, 0, 1, 1]): use padding valid"),
    (lambda: conv_then([node("AveragePool", "a", "p", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)]),
     "node 'p' (AveragePool): its windows reach over the edge of 4 x 3 (padding by ceil_mode): use padding valid"),
    (lambda: conv_then([node("AveragePool", "a", "p", strides=[2, 2])]), "node 'p' (AveragePool): its kernel_shape is None, expected two whole numbers from 1"),
    (lambda: conv_then([node("ReduceMean", "a", "p", axes=[1, 2])]), "node 'p' (ReduceMean): what it reads is no map of the layer before"),
    (lambda: conv_then([node("ReduceMean", "a", "p", axes=[1])]),
     "node 'p' (ReduceMean): it averages the axes [1] of ['batch', 3, 4, 3]: expected height and width of a picture"),
    (lambda: conv_then([node("MaxPool", "a", "p", kernel_shape=[2, 2], dilations=[2, 2])]), "node 'p' (MaxPool): its windows are dilated, expected dilations of 1"),
    (lambda: conv_then([node("MaxPool", "a", "p", kernel_shape=[1, 1])]), "node 'p' (MaxPool): its windows hold one number each: leave the pool out"),
    (lambda: conv_then([node("MaxPool", "a", "p", kernel_shape=[5, 5])]), "node 'p' (MaxPool): its windows of 5 x 5 do not fit a map of 4 x 3, padded [0, 0, 0, 0]"),
    (lambda: conv_graph([node("MaxPool", "x", "m", kernel_shape=[2, 2])] + ending("m", 40)[0], ending("m", 40)[1], (2, 6, 5)),
     "layer 'm': it takes the largest of the picture's own bytes: put a convolution before it"),
    (lambda: conv_then([node("AveragePool", "a", "q", kernel_shape=[2, 2], strides=[2, 2]), node("MaxPool", "q", "p", kernel_shape=[2, 1])], width=3),
     "layer 'p': it takes the largest of the averages of 'q': only one kind of pool at a time"),
    (lambda: conv_then([node("Pad", "a three", "q"), node("MaxPool", "q", "p", kernel_shape=[2, 2])]),
     "layer 'q': it pads 3 zeros before 'p', whose windows of 2 x 2 take at most 1 at a side"),
    (lambda: conv_then([node("Pad", "a three six", "p")]), "node 'p' (Pad): it pads with 6 (mode constant), expected zeros"),
    (lambda: conv_then([node("Pad", "a three", "p", mode="reflect")]), "node 'p' (Pad): it pads with 0 (mode reflect), expected zeros"),
    (lambda: conv_then([node("Pad", "a deep", "p")]), "node 'p' (Pad): it pads the batch or the channels"),
    (lambda: conv_then([node("Pad", "a one", "p")], width=3 * 5 * 5),
     "layer 'logits': it reads what 'p' pads with zeros: leave the padding out, or put it in front of a convolution"),
    (lambda: conv_then([node("Clip", "a zero six", "p")]), "node 'p' (Clip): it clips to 0 to 6: use plain Relu (ReLU6 is not)"),
    (lambda: conv_then([node("Transpose", "a", "t", perm=[0, 1, 3, 2]), node("Conv", "t wd", "p", name="d")]),
     "node 'd' (Conv): what it reads is no map of the layer before: axes were exchanged or numbers put together anew in between"),
    (lambda: conv_then([node("Transpose", "a", "p", perm=[1, 0, 2, 3])]), "node 'p' (Transpose): it puts the axes of ['batch', 3, 4, 3] in the order [1, 0, 2, 3]"),
    (lambda: graph([node("Transpose", "x", "t", perm=[0, 1, 3, 2]), node("Conv", "t w", "z", name="c"), node("Flatten", "z", "logits")],
                   {"w": weights(3, 2, 3, 3)}, shape=(None, 2, 6, 5)),
     "node 'c' (Conv): the axes of its picture are exchanged: expected channels, height, width or height, width, channels"),
]  # fmt: skip


@pytest.mark.parametrize("make, reason", REFUSED, ids=[f"{number}-{reason[5:26]}" for number, (_, reason) in enumerate(REFUSED)])
def test_what_is_not_read_is_refused_by_node(make, reason):
    with pytest.raises(UnsupportedNetwork) as refusal:
        onnx_model(make(), "m")
    assert str(refusal.value).startswith(f"m: {reason}")
    onnx_model(conv_then([]), "m")


def test_layouts_follow_numpy():
    """Places after any Transpose, Reshape, Squeeze and Unsqueeze are those of an array of places that numpy treats so."""
    source = np.random.default_rng(5)
    for _ in range(50):
        shape = tuple(source.integers(1, 5, source.integers(1, 5)))
        layout = Layout.plain(shape)
        array = layout.places.reshape(shape)
        order = source.permutation(len(shape))
        layout, array = layout.transposed([0, *(order + 1)]), array.transpose(order)
        layout, array = layout.reshaped([0, -1, array.shape[-1]]), array.reshape(-1, array.shape[-1])
        layout, array = layout.unsqueezed([2]), array[:, None]
        layout, array = layout.squeezed([2]).flattened(), array.ravel()
        assert (layout.places == array).all()
        values = source.normal(size=(2, layout.size))
        assert (layout.ours(values)[:, layout.places] == values).all()


PICTURE = Picture(4, 5, 3)


def test_arrays_say_which_order_they_have():
    assert lies_channels_first((3, 4, 5), PICTURE, "it") is True
    assert lies_channels_first((4, 5, 3), PICTURE, "it") is False
    assert lies_channels_first((60,), PICTURE, "it") is lies_channels_first((1, 60), PICTURE, "it") is False
    grey = Picture(4, 5, 1)
    assert not any(lies_channels_first(shape, grey, "it", False) for shape in ((4, 5), (4, 5, 1), (1, 4, 5), (20,)))
    for shape in ((5, 4, 3), (3, 5, 4), (4, 3, 5), (12, 5), (2, 30)):
        with refuses(UnusableInput, f"it has the shape {list(shape)}, the network takes pictures of 4 x 5 x 3"):
            lies_channels_first(shape, PICTURE, "it")
    with refuses(UnusableInput, "it has the shape [5, 4], the network takes pictures of 4 x 5 x 1"):
        lies_channels_first((5, 4), grey, "it")
    row = "it has its numbers in a row, which does not show whether channels come first or last: give it the shape [3, 4, 5] or [4, 5, 3]"
    with refuses(UnusableInput, row):
        lies_channels_first((60,), PICTURE, "it", rows_too=False)
    cube = "it has the shape [3, 3, 3], which shows no order, and the model has channels first: give colours, height and width of different sizes"
    assert not lies_channels_first((3, 3, 3), Picture(3, 3, 3), "it")
    with refuses(UnusableInput, cube):
        lies_channels_first((3, 3, 3), Picture(3, 3, 3), "it", rows_too=False)


def test_commands_turn_pictures_once(tmp_path, capsys):
    """The original is asked in its own order, the integers in theirs: both arrays give the same network, which agrees with the runtime."""
    data, source = onnx.ModelProto.FromString(GRAPHS["lenet-like, colour"]()), np.random.default_rng(2)
    images = (source.uniform(0, 1, (300, 3, 1, 1)) * source.uniform(0, 255, (300, 1, 14, 1)) * np.linspace(0, 1, 12)).astype(np.uint8)
    bias = next(tensor for tensor in data.graph.initializer if tensor.name == "bl")
    mean = by_the_runtime(data.SerializeToString(), images / 255).mean(axis=0)  # none of the classes is the usual one
    bias.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(bias) - mean, "bl"))
    data = data.SerializeToString()
    (tmp_path / "m.onnx").write_bytes(data)
    arrays = {"first": images, "last": images.transpose(0, 2, 3, 1), "row": images.reshape(300, -1), "wrong": images.transpose(0, 1, 3, 2)}
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", np.ascontiguousarray(array))

    def quantised(name: str, *more: str) -> int:
        return main(["quantize", str(tmp_path / "m.onnx"), "--calibrate", str(tmp_path / f"{name}.npy"), "--out", str(tmp_path / f"{name}.model"), *more])

    unit = ["--input-scale", "unit", "--json", "--max-loss", "15"]
    found = {}
    for name in ("first", "last"):
        assert quantised(name, *unit) == 0
        found[name] = json.loads(capsys.readouterr().out)["calibration"]
    assert found["first"]["source"].endswith(", turned from channels first to channels last") and "turned" not in found["last"]["source"]
    models = [Model.load(tmp_path / f"{name}.model") for name in ("first", "last")]
    assert models[0].network.to_bytes() == models[1].network.to_bytes()
    digits = models[0].network.infer(arrays["last"].reshape(300, -1)).digits
    expected = by_the_runtime(data, images / 255).argmax(axis=1)
    assert (digits == expected).mean() == found["last"]["integer_accuracy"] > 0.9 and len(set(expected)) == 3
    assert (models[0].network.infer(arrays["row"]).digits == expected).mean() < 0.9  # the twin: turned, it would show
    assert quantised("row", *unit) == quantised("wrong", *unit) == 2
    errors = capsys.readouterr().err
    assert "each image of" in errors and "give it the shape [3, 14, 12] or [14, 12, 3]" in errors
    assert "has the shape [3, 12, 14], the network takes pictures of 14 x 12 x 3" in errors
    assert quantised("first", "--force") == 2
    assert "takes pictures with channels first, and a table shows no order: give --calibrate an .npy of bytes [images, 3, 14, 12]" in capsys.readouterr().err


def test_folders_of_images_must_have_the_sides(tmp_path, data_folder):
    assert calibration_data(data_folder, 784, Picture(28, 28, 1)).sample.shape[1] == 784
    with refuses(UnusableInput, f"the test images in {data_folder} are [28, 28], the model takes pictures of 14 x 56 x 1"):
        calibration_data(data_folder, 784, Picture(14, 56, 1))


def test_lenet_as_pytorch_would_have_exported_it(tmp_path, examples, test_images):
    """The shipped weights in a file with channels first: the runtime and we say the same of real images, and the integers are as good as those of
    the shipped model."""
    h5py = pytest.importorskip("h5py", reason="needs the test requirements")
    import io
    import zipfile

    with zipfile.ZipFile(examples / "lenet.keras") as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
        parts = {name: [file[f"layers/{name}/vars/{n}"][:] for n in (0, 1)] for name in ("conv2d", "conv2d_1", "dense", "dense_1", "dense_2")}
    kernels = {name: parts[key][0].transpose(3, 2, 0, 1) for name, key in (("k1", "conv2d"), ("k2", "conv2d_1"))}
    first = parts["dense"][0].reshape(4, 4, 16, 120).transpose(2, 0, 1, 3).reshape(256, 120)  # Flatten of channels, rows, columns
    constants = kernels | {"c1": parts["conv2d"][1], "c2": parts["conv2d_1"][1], "w1": first.T, "b1": parts["dense"][1], "half": np.float32(1 / 255)}
    constants |= {"w2": parts["dense_1"][0].T, "b2": parts["dense_1"][1], "w3": parts["dense_2"][0].T, "b3": parts["dense_2"][1]}
    pool = {"kernel_shape": [2, 2], "strides": [2, 2]}
    nodes = [
        node("Mul", "x half", "u"), node("Conv", "u k1 c1", "z1"), node("Relu", "z1", "a1"), node("AveragePool", "a1", "p1", **pool),
        node("Conv", "p1 k2 c2", "z2"), node("Relu", "z2", "a2"), node("AveragePool", "a2", "p2", **pool), node("Flatten", "p2", "f"),
        node("Gemm", "f w1 b1", "z3", transB=1), node("Relu", "z3", "a3"), node("Gemm", "a3 w2 b2", "z4", transB=1), node("Relu", "z4", "a4"),
        node("Gemm", "a4 w3 b3", "logits", transB=1),
    ]  # fmt: skip
    path = tmp_path / "lenet.onnx"
    path.write_bytes(conv_graph(nodes, constants, (1, 28, 28), classes=10))
    imported, images, labels = read_model(path), test_images.flat[:400], test_images.labels[:400]
    floats = imported.over(parse_input_scale("bytes", 784))
    by_runtime = original_classes(path, imported, images.astype(float))
    assert (floats.digits(images) == by_runtime).all() and (by_runtime == labels).mean() > 0.985
    network = quantize(floats, images[:150])
    shipped = Model.load(examples / "lenet.model").network
    assert abs((network.infer(images).digits == labels).mean() - (shipped.infer(images).digits == labels).mean()) < 0.006
    turned = images.reshape(-1, 28, 28).transpose(0, 2, 1).reshape(-1, 784)
    assert (floats.digits(turned) == by_runtime).mean() < 0.8  # rows and columns exchanged would show


def test_the_export_of_keras_is_the_keras_model(tmp_path):
    """Through tf2onnx: Transposes around the convolutions, sums folded into them, a Reshape of the picture turned back."""
    pytest.importorskip("tf2onnx", reason="needs the test requirements")
    from keras_cases import L, keras

    from zkpredict.training.importers.keras_layers import keras_model

    keras.utils.set_random_seed(3)
    model = keras.Sequential([
        keras.Input((11, 10, 3)), L.Rescaling(1 / 255), L.Conv2D(4, 3, padding="same", strides=2, activation="relu"), L.Conv2D(5, 2, use_bias=False),
        L.BatchNormalization(), L.ReLU(), L.AveragePooling2D(2), L.Conv2D(3, 2, activation="relu"), L.Flatten(), L.Dense(6, activation="relu"), L.Dense(3),
    ])  # fmt: skip
    source = np.random.default_rng(5)
    for layer in model.layers:
        layer.set_weights([values + source.uniform(-0.1, 0.13, values.shape) for values in layer.get_weights()])
    images = source.integers(0, 256, (40, 11, 10, 3), dtype=np.uint8)
    expected = model.predict(images.astype(np.float32), verbose=0)
    model.export(str(tmp_path / "m.onnx"), format="onnx", verbose=False)
    exported, direct = read_model(tmp_path / "m.onnx"), keras_model(keras, model, "it")
    assert exported.turned is None
    found = exported.over(parse_input_scale("bytes", 330)).logits(images.reshape(40, -1))
    assert np.allclose(found, expected, atol=1e-4 * np.abs(expected).max())
    assert [layer.grid for layer in exported.layers] == [layer.grid for layer in direct.layers]
