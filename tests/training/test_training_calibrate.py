"""Choosing the activation on images: which one, what is measured and said, and what is refused."""

import numpy as np
import pytest
from support import refuses
from test_training_activations import DEEP, float_network, images

from zkpredict.circuits.errors import UnsupportedNetwork, UnusableInput
from zkpredict.circuits.networks.activations import RELU, RELU8
from zkpredict.prover.model import Model
from zkpredict.training import calibrate as module
from zkpredict.training.activations import rational
from zkpredict.training.calibrate import ASSUMED_IMAGES, CalibrationData, assumed_use, calibrate
from zkpredict.training.datasets import calibration_data, holds_bytes
from zkpredict.training.floating import FloatLayer, FloatNetwork
from zkpredict.training.quantize import quantize


def data(inputs: int, labels=None, count: int = 400) -> CalibrationData:
    return CalibrationData(images(count, inputs), images(count, inputs, seed=2), labels, "random bytes")


def test_a_deep_network_becomes_saturating():
    floats = float_network(3, *DEEP)
    found = calibrate(floats, data(100))
    assert found.chosen.name == "relu8" and {layer.activation for layer in found.chosen.network.layers[:-1]} == {RELU8}
    assert found.float_accuracy == 1 and found.lost_points < 10 and found.tried["relu"] < 0.5
    assert found.chosen.network.to_bytes() == quantize(floats, images(400, 100)).to_bytes()
    assert found.chosen.accuracy == (found.chosen.network.infer(data(100).check).digits == floats.digits(data(100).check)).mean()


def test_a_shallow_network_stays_relu(examples, test_images):
    first, last = Model.load(examples / "mnist.model").network.layers
    floats = FloatNetwork(
        (FloatLayer("hidden", first.weights / 2.0**first.shift, first.bias / 2.0**first.shift), FloatLayer("logits", last.weights * 1.0, last.bias * 1.0)),
        pixel_scale=1.0,
    )
    found = calibrate(floats, CalibrationData(test_images.flat[::4], test_images.flat[::4], None, "test images"))
    assert found.chosen.name == "relu" and found.chosen.network.to_bytes() == quantize(floats).to_bytes()
    assert set(found.tried) == {"relu", "relu8"}
    assert {layer.activation for layer in found.chosen.network.layers} == {RELU}


def test_a_gain_within_noise_is_no_reason_and_a_larger_one_is():
    def chosen(relu, relu8, fits=True):
        made = [module.Candidate("relu", None, relu, (), fits), module.Candidate("relu8", None, relu8, (), True)]
        return module._chosen(made).name

    assert [chosen(0.97, 0.9709), chosen(0.97, 0.9712), chosen(0.98, 0.97)] == ["relu", "relu8", "relu"]
    assert [chosen(0.9709, 0.97, False), chosen(0.9712, 0.97, False), chosen(0.97, 0.98, False)] == ["relu8", "relu", "relu8"]


@pytest.mark.parametrize(("shape", "relu_fits"), [((64, 32, 10), True), ((100, 40, 20, 10), True), ((100, 300, 300, 10), False)])
def test_sums_that_no_lane_holds_are_no_choice_for_equal_accuracy(shape, relu_fits):
    """The middle one has sums beyond 24 bits, and a compact circuit; the last one is too large for that."""
    floats = float_network(8, *shape)
    relu, relu8 = quantize(floats), quantize(floats, images(100, shape[0]))
    assert (module._fits_lanes(relu), module._fits_lanes(relu8)) == (relu_fits, True)


def test_labels_count_when_there_are_some():
    floats = float_network(4, 64, 32, 10)
    check = data(64).check
    labels = (floats.digits(check) + (np.arange(len(check)) % 4 == 0)) % 10
    found = calibrate(floats, data(64, labels), "relu")
    assert found.labelled and found.float_accuracy == 0.75
    assert found.chosen.accuracy == (quantize(floats).infer(check).digits == labels).mean()
    assert "accuracy on 400 images" in "\n".join(found.to_lines())
    assert "answers like the float network's on 400 images" in "\n".join(calibrate(floats, data(64), "relu").to_lines())


def test_use_of_layers_is_what_inference_shows():
    floats = float_network(5, 64, 32, 16, 10)
    dark = CalibrationData(images(400, 64) // 8, images(400, 64, seed=2), None, "dark, then bright")
    found = calibrate(floats, dark, "relu8")
    inference = found.chosen.network.infer(dark.check)
    for layer, values in zip(found.chosen.layers, inference.activations, strict=True):
        assert (layer.activation, layer.bits) == ("relu8", int(values.max()).bit_length())
        assert layer.saturated == (values == 255).mean() > 0
    relu = calibrate(floats, dark, "relu")
    assert [layer.saturated for layer in relu.chosen.layers] == [None, None]


def test_what_cannot_be_made_is_said_and_the_other_one_taken():
    floats = float_network(6, 20, 4, 3)
    bias = floats.layers[0].bias.copy()
    bias[2] = 1e30
    spoiled = FloatNetwork((FloatLayer("dense_0", floats.layers[0].weights, bias), floats.layers[1]))
    message = "layer 'dense_0' row 2: its bias 1e+30 is so large that no weight beside it survives rounding"
    found = calibrate(spoiled, data(20))
    assert found.chosen.name == "relu8" and found.tried["relu"] == f"not possible: {message}"
    with refuses(UnsupportedNetwork, message):
        calibrate(spoiled, data(20), "relu")


def test_progress_counts_every_image_of_every_way():
    counted = []
    calibrate(float_network(4, 64, 32, 10), data(64, count=1200), "auto", counted.append)
    assert sum(counted) == 2400 and len(counted) > 2


@pytest.mark.parametrize("activation", ["relu", "relu8"])
def test_a_rational_network_has_no_choice(activation):
    floats = float_network(7, 20, 8, 3, activation=rational("rational_square", 1.0))
    assert calibrate(floats, data(20)).chosen.name == "rational_square"
    with refuses(UnusableInput, f"the network's own activations are rational_square: use --activation auto, not {activation}"):
        calibrate(floats, data(20), activation)


def test_without_images_random_bytes_show_what_bounds_leave():
    use = assumed_use(quantize(float_network(3, *DEEP)))
    assert [layer.number for layer in use] == list(range(9)) and use[0].bits > 10 and use[-1].bits == 0
    assert ASSUMED_IMAGES == 256 and use == assumed_use(quantize(float_network(3, *DEEP)))


# Images for it


def test_a_folder_with_test_images_serves_both(data_folder, test_images):
    found = calibration_data(data_folder, 784)
    assert np.array_equal(found.sample, test_images.flat) and np.array_equal(found.check, test_images.flat)
    assert np.array_equal(found.labels, test_images.labels)
    assert found.source == "scales from 10,000 of the 10,000 test images, measured on the 10,000 test images"


def test_scales_come_from_training_images_when_there_are_some(tmp_path, test_images):
    def write(stem, part):
        for name, values in ((f"{stem}-images-idx3-ubyte", part.images), (f"{stem}-labels-idx1-ubyte", part.labels)):
            header = bytes([0, 0, 8, values.ndim]) + b"".join(size.to_bytes(4, "big") for size in values.shape)
            (tmp_path / name).write_bytes(header + values.tobytes())

    def some(part):
        return type(test_images)(test_images.images[part], test_images.labels[part])

    write("train", some(slice(100, 130)))
    write("t10k", some(slice(0, 40)))
    found = calibration_data(tmp_path, 784)
    assert np.array_equal(found.sample, test_images.flat[100:130]) and np.array_equal(found.check, test_images.flat[:40])
    assert found.source == "scales from 30 of the 30 train images, measured on the 40 test images"


def test_images_that_do_not_fit_are_refused(tmp_path, data_folder):
    with refuses(UnusableInput, f"the model takes 700 values, the test images in {data_folder} are [28, 28]"):
        calibration_data(data_folder, 700)
    with refuses(UnusableInput, f"data folder {tmp_path}/none is not a folder"):
        calibration_data(tmp_path / "none", 784)
    names = ", ".join(f"t10k-images{separator}idx3-ubyte{packed}" for separator in "-." for packed in ("", ".gz"))
    with refuses(UnusableInput, f"data folder {tmp_path} holds none of {names}"):
        calibration_data(tmp_path, 784)


def test_images_of_an_array_serve_both(tmp_path, test_images):
    flat, square = tmp_path / "flat.npy", tmp_path / "square.npy"
    np.save(flat, test_images.flat[:30])
    np.save(square, test_images.images[:30])
    for path in (flat, square):
        found = calibration_data(path, 784)
        assert np.array_equal(found.sample, test_images.flat[:30]) and np.array_equal(found.check, test_images.flat[:30])
        assert found.labels is None and holds_bytes(path)
        assert found.source == f"scales from 30 of the 30 images in {path}, measured on all of them"


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (np.zeros((3, 5), np.uint8), "uint8 [3, 5]"), (np.zeros((3, 4), np.float32), "float32 [3, 4]"),
        (np.zeros((0, 4), np.uint8), "uint8 [0, 4]"), (np.zeros(4, np.uint8), "uint8 [4]"),
    ],
)  # fmt: skip
def test_other_arrays_are_refused(tmp_path, array, found):
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((2, 2, 2), np.uint8))
    calibration_data(path, 4)
    np.save(path, array)
    with refuses(UnusableInput, f"images {path} are {found}, the model takes uint8 [images, 4]"):
        calibration_data(path, 4)
    assert holds_bytes(path) == (array.dtype == np.uint8)
