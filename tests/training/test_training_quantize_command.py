"""`zkpredict quantize` on a deep network that is trained here: measured, warned about, refused, accepted."""

import json

import numpy as np
import pytest
from keras_cases import keras  # skips where Keras is not installed

from zkpredict.circuits.networks.activations import RELU, RELU8
from zkpredict.cli.main import main
from zkpredict.prover.model import Model

HIDDEN = ["32"] * 9


@pytest.fixture(scope="module")
def folder(tmp_path_factory, data_folder):
    """The test images, as training images too, and a deep network trained on them."""
    assert keras
    target = tmp_path_factory.mktemp("deep")
    for kind in ("images-idx3", "labels-idx1"):
        content = (data_folder / f"t10k-{kind}-ubyte.gz").read_bytes()
        for stem in ("train", "t10k"):
            (target / f"{stem}-{kind}-ubyte.gz").write_bytes(content)
    assert main(["train", "--data", str(target), "--out", str(target / "m.keras"), "--layers", *HIDDEN, "--epochs", "8", "--json"]) == 0
    return target


@pytest.fixture
def run(folder, tmp_path, capsys):
    """Quantises the deep network; gives the exit code, the JSON, and the model file, which may not exist."""

    def quantize(*arguments: str):
        capsys.readouterr()
        code = main(["quantize", str(folder / "m.keras"), "--out", str(tmp_path / "m.model"), "--force", *arguments, "--json"])
        return code, json.loads(capsys.readouterr().out), tmp_path / "m.model"

    return quantize


def test_calibrated_it_keeps_its_accuracy(run, folder):
    code, found, path = run("--calibrate", str(folder))
    facts = found["calibration"]
    assert code == 0 and facts["activation"] == "relu8" and facts["lost_points"] <= 0.5 and facts["float_accuracy"] > 0.8
    assert facts["images"] == 10_000 and facts["labelled"] and facts["tried"]["relu"] < 0.5
    assert [layer["activation"] for layer in facts["layer_use"]] == ["relu8"] * 9
    assert all(0 <= layer["saturated"] < 0.01 and layer["bits"] == 8 for layer in facts["layer_use"])
    assert {layer.activation for layer in Model.load(path).network.layers[:-1]} == {RELU8}
    assert found["unprovable"] is None and [layer["lane"] for layer in found["layers"]] == ["narrow"] * 9 + ["wide"]
    assert found["costs"]["placement"] == "wide"


def test_a_loss_above_the_limit_is_refused_unless_accepted(run, folder):
    code, found, path = run("--calibrate", str(folder), "--activation", "relu")
    assert code == 1 and found["exit_code"] == 1 and not path.exists()
    assert "more than 0.5: try --activation auto; to accept that, --max-loss " in found["error"]
    assert found["error"].endswith("; nothing was written")
    accepted = found["error"].split("--max-loss ")[1].split(";")[0]
    code, found, path = run("--calibrate", str(folder), "--activation", "relu", "--max-loss", accepted)
    assert code == 0 and {layer.activation for layer in Model.load(path).network.layers} == {RELU}
    assert found["calibration"]["lost_points"] <= float(accepted)


def test_without_images_it_says_what_it_assumes_and_warns(run, folder, tmp_path, capsys):
    code, found, _ = run()
    assert code == 0 and found["layer_use"][0]["bits"] > 10 and found["layer_use"][-1]["bits"] < 6
    assert found["warning"].startswith("worst-case bounds leave only ")
    assert found["warning"].endswith("this network is likely to answer wrongly; quantize it with --calibrate DATA")
    assert main(["quantize", str(folder / "m.keras"), "--out", str(tmp_path / "m.model"), "--force"]) == 0
    text = capsys.readouterr().out
    assert "  assumed  nothing about the images" in text and f"  WARNING  {found['warning']}" in text


def test_commands_that_quantise_on_the_way_refuse_it(run, folder, tmp_path, capsys):
    warning = run()[1]["warning"]
    command = ["export", "--target", "solidity", "--model", str(folder / "m.keras"), "--out", str(tmp_path / "out"), "--json"]
    assert main(command) == 2
    assert json.loads(capsys.readouterr().out)["error"] == f"{folder / 'm.keras'}: {warning}, and give the model file that makes"
    assert main([*command, "--mode", "exact"]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--activation", "relu8"], "relu8 takes its scales from images: add --calibrate DATA, a table or a folder of idx files"),
        (["--max-loss", "1"], "--max-loss is measured on images: add --calibrate DATA, a table or a folder of idx files"),
        (["--calibrate", "none/"], "data folder none is not a folder"),
        (["--max-loss", "101"], "argument --max-loss: '101' is no number of percentage points from 0 to 100"),
        (["--max-loss", "nan"], "argument --max-loss: 'nan' is no number of percentage points from 0 to 100"),
    ],
)
def test_unusable_options_are_refused(run, arguments, message):
    code, found, path = run(*arguments)
    assert (code, found) == (2, {"error": message, "exit_code": 2}) and not path.exists()


def test_exact_bounds_and_shifts_are_printed_on_request_only(examples, tmp_path, capsys):
    arguments = ["quantize", str(examples / "mnist.keras"), "--out", str(tmp_path / "m.model")]
    assert main(arguments) == 0
    said = capsys.readouterr()
    assert "  layer 0  784 to 64: |weight| <= 2^7, |z| <= 2^21 on any input, narrow lanes (24 bits)\n" in said.out and said.err == ""
    assert main([*arguments, "--force", "--private"]) == 0
    said = capsys.readouterr()
    assert ", shift 6, narrow lanes (24 bits), 0.13 bits to spare\n" in said.out
    assert said.err == f"note: shown from the private weights of {tmp_path / 'm.model'}: shifts, exact bounds and headroom; keep that to yourself\n"


def test_an_array_of_bytes_is_images_for_a_model_that_is_fed_bytes(run, tmp_path, test_images):
    path = tmp_path / "images.npy"
    np.save(path, test_images.images[:500])
    code, found, _ = run("--calibrate", str(path), "--max-loss", "5")
    assert code == 0 and found["features"] == [] and found["input"].startswith("bytes 0 to 255 as they are")
    assert found["calibration"]["images"] == 500 and not found["calibration"]["labelled"]
