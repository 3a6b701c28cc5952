"""prove, verify, inspect and report on rows of tables: the shipped iris, breast cancer and wine models."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support import refuses

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.schema import Feature, Schema
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model

TABLES = Path(__file__).resolve().parents[2] / "examples" / "tables"
ROW = {"sepal length (cm)": 7, "sepal width (cm)": 3.2, "petal length (cm)": 4.7, "petal width (cm)": 1.4}
BYTES = [191, 128, 160, 138]


@pytest.fixture
def proven(run, tmp_path):
    """A row of an iris, and its proof."""
    row, proof = tmp_path / "row.json", tmp_path / "row.proof"
    row.write_text(json.dumps(ROW))
    outcome = run("prove", row, "--model", TABLES / "iris.model", "--out", proof)
    assert outcome.code == 0 and outcome.out.startswith("The network says versicolor (class 1), and ")
    for line in (
        "  input     4 bytes, sha256 ",
        "  public    input, class, model id and commitment, network shape, scale of the features, names of the classes\n",
    ):
        assert line in outcome.out
    return row, proof


def test_a_row_is_proven_and_verified_by_its_readings(run, proven, tmp_path):
    row, proof = proven
    commitment = ["--commitment", TABLES / "iris.commitment"]
    outcome = run("verify", row, proof, *commitment)
    assert outcome.code == 0 and " says versicolor (class 1).\n" in outcome.out and "  input     sha256 " in outcome.out
    assert run("verify", row, proof, *commitment, "--independent", "--class", "versicolor").code == 0
    table = tmp_path / "table.csv"
    table.write_text("petal width (cm);petal length (cm);sepal length (cm);sepal width (cm);note\n9;9;9;9;-\n1.4;4.7;7;3.2;this one\n")
    outcome = run("verify", table, proof, *commitment, "--row", 1, "--label", "note", "--json")
    assert (outcome.json["class"], outcome.json["class_name"], outcome.json["valid"]) == (1, "versicolor", True)
    np.save(tmp_path / "bytes.npy", np.array(BYTES, np.uint8))
    assert run("verify", tmp_path / "bytes.npy", proof, *commitment).code == 0
    np.save(tmp_path / "floats.npy", np.array([7, 3.2, 4.7, 1.4], np.float32))
    assert run("verify", tmp_path / "floats.npy", proof, *commitment).code == 0


def test_other_rows_and_other_classes_are_refused(run, proven):
    row, proof = proven
    commitment = ["--commitment", TABLES / "iris.commitment"]
    outcome = run("verify", row, proof, *commitment, "--class", "setosa")
    assert (outcome.code, outcome.out) == (1, "INVALID (WrongStatement): the proof is of class versicolor (class 1), not setosa (class 0)\n")
    row.write_text(json.dumps(ROW | {"petal length (cm)": 4.75}))
    assert run("verify", row, proof, *commitment).code == 1
    row.write_text(json.dumps(ROW | {"petal length (cm)": 4.701}))  # the same byte: what is proven is bytes
    assert run("verify", row, proof, *commitment).code == 0


def test_a_commitment_with_another_scale_refuses_the_proof(run, proven, tmp_path):
    """The owner shows a commitment of the same rows, with the scale of petal widths doubled or a class renamed."""
    row, proof = proven
    data = (TABLES / "iris.commitment").read_bytes()
    for old, new in ((np.array(2.5).tobytes(), np.array(5.0).tobytes()), (b"versicolor", b"vermicular")):
        assert data.count(old) == 1
        (tmp_path / "other.commitment").write_bytes(data.replace(old, new))
        outcome = run("verify", row, proof, "--commitment", tmp_path / "other.commitment")
        assert outcome.code == 1 and outcome.out.startswith("INVALID (WrongStatement): the proof is for model ")


def test_clipped_readings_are_named(run, tmp_path):
    row = tmp_path / "row.csv"
    row.write_text("12,3.2,4.7,0\n")
    outcome = run("prove", row, "--model", TABLES / "iris.model", "--out", tmp_path / "p")
    assert outcome.code == 0 and "clipped to its end: sepal length (cm), petal width (cm)" in outcome.err


@pytest.mark.parametrize(
    "name, content, options, message",
    [
        ("i.csv", "1,2,3\n", [], "table {path} has 3 numbers a row, the network takes 4"),
        ("i.csv", "1,2,3,x\n", [], "table {path} has names but no row of numbers"),
        ("i.csv", "1,2,3,4\n1,2,3,4\n", [], "table {path} has 2 rows: say which one is meant with --row N (from 0)"),
        ("i.csv", "1,2,3,4\n", ["--invert"], "{path} is a table: --invert and --auto are for pictures"),
        ("i.csv", "1,2,3,4\n", ["--class", "rose"], "--class: 'rose' is no class of this model, give one of setosa, versicolor, virginica, or a number"),
        ("i.txt", "1,2,3,4\n", [],
         "{path}: this model takes 4 readings (sepal length (cm), sepal width (cm), petal length (cm), petal width (cm)), no picture: "
         "give a row of a table (.csv, .tsv, .json, .npy)"),
    ],
)  # fmt: skip
def test_rows_that_cannot_be_used_are_refused(run, tmp_path, name, content, options, message):
    path = tmp_path / name
    path.write_text(content)
    outcome = run("prove", path, "--model", TABLES / "iris.model", "--out", tmp_path / "p", *options)
    assert outcome.code == 2 and outcome.err.endswith(f"zkpredict: {message.format(path=path)}\n") and not (tmp_path / "p").exists()


def test_models_of_bytes_take_no_readings(run, desk):
    path = desk.folder / "r.csv"
    path.write_text("1,2\n")
    outcome = run("prove", path, "--model", desk.model, "--out", desk.folder / "p")
    assert outcome.code == 2 and "this model has no feature scale, it takes bytes" in outcome.err


def test_bytes_that_could_be_readings_need_a_word(run, tmp_path):
    """Pixels 0 to 16 on a scale of 0:16: a byte 9 is reading 9, or the 9th of 256 steps."""
    from support import random_network

    model = commit_model(Model(random_network(1, (4, 5, 3)), schema=Schema((Feature("input", 0, 16),))))
    model.save(tmp_path / "m.model")
    np.save(tmp_path / "x.npy", np.array([0, 9, 16, 3], np.uint8))
    command = ["prove", tmp_path / "x.npy", "--model", tmp_path / "m.model", "--out", tmp_path / "p", "--json"]
    outcome = run(*command)
    assert outcome.code == 2
    assert outcome.json["error"] == f"{tmp_path / 'x.npy'} holds bytes that are possible readings too: say which with --as bytes or --as readings"
    hashes = {run(*command, "--force", "--as", kind).json["input_sha256"] for kind in ("bytes", "readings")}
    assert len(hashes) == 2
    np.save(tmp_path / "x.npy", np.array([0, 9, 17, 3], np.uint8))
    assert run(*command, "--force").code == 0


@pytest.mark.parametrize("name, rows", [("iris", 150), ("cancer", 569), ("wine", 178)])
def test_report_measures_the_original_itself(run, name, rows):
    pytest.importorskip("onnxruntime", reason="needs the test requirements")
    files = ["--model", TABLES / f"{name}.model", "--original", TABLES / f"{name}.onnx", "--data", TABLES / f"{name}.csv", "--json"]
    found = run("report", *files).json["accuracy"]
    assert found["images"] == rows and found["float_accuracy"] > 0.97 and abs(found["lost_points"]) <= 0.2


def test_inspect_shows_scale_and_names(run):
    found = run("inspect", TABLES / "iris.commitment", "--json").json
    assert found["classes"] == "setosa, versicolor, virginica" and found["features"].startswith("sepal length (cm) 4.3 to 7.9; ")
    model = Model.load(TABLES / "iris.model")
    assert model.commitment.model_id.hex() == found["model id"] and model.encode(list(ROW.values())).tolist() == BYTES
    with refuses(UnusableInput, "the readings has no column 'petal width (cm)': its features are "
                 + ", ".join(f"'{name}'" for name in ROW)):  # fmt: skip
        model.encode({name: ROW[name] for name in list(ROW)[:3]})


def test_the_open_network_takes_rows_too(run, tmp_path):
    row = tmp_path / "row.json"
    row.write_text(json.dumps(ROW))
    outcome = run("chain", "predict", row, "--model", TABLES / "iris.model", "--json")
    assert outcome.code == 0 and (outcome.json["digit"], outcome.json["agrees_with_model"]) == (1, True)


READINGS_ONLY = (
    "this model takes 4 readings (sepal length (cm), sepal width (cm), petal length (cm), petal width (cm)), no picture: give a row of a table "
    "(.csv, .tsv, .json, .npy)"
)


def test_bench_times_a_row_and_reads_pictures_as_prove_does(run, desk, tmp_path):
    table = ["bench", TABLES / "iris.csv", "--row", 70, "--label", "species", "--model", TABLES / "iris.model", "--runs", 1]
    outcome = run(*table, "--json")
    assert (outcome.code, outcome.json["measurements"][0]["name"]) == (0, "commit, 4-12-3, n = 1024")
    picture = tmp_path / "two.png"
    Image.fromarray(np.arange(4, dtype=np.uint8).reshape(2, 2) * 80).save(picture)
    outcome = run("bench", picture, "--model", TABLES / "iris.model")
    assert (outcome.code, outcome.err.splitlines()[-1]) == (2, f"zkpredict: {picture}: {READINGS_ONLY}")
    profile = ["bench", desk.image, "--model", desk.model, "--profile", "--runs", 1, "--json"]
    assert run(*profile).code == run(*profile, "--invert").code == 0


@pytest.mark.parametrize(
    ("options", "named"), [(("--invert",), "--invert"), (("--row", "1"), "--row"), (("--as", "bytes"), "--as"), (("--allow-blank",), "--allow-blank")]
)
def test_the_suite_takes_no_picture_options(run, options, named):
    outcome = run("bench", "--list", *options)
    assert (outcome.code, outcome.err) == (2, f"zkpredict: {named} goes with IMAGE or --idx FILE: the suite has its own image\n")


def test_readings_are_not_looked_at(run, tmp_path):
    picture = tmp_path / "two.png"
    Image.fromarray(np.arange(4, dtype=np.uint8).reshape(2, 2) * 80).save(picture)
    for whose in (("--model", TABLES / "iris.model"), ("--commitment", TABLES / "iris.commitment")):
        outcome = run("look", picture, *whose)
        message = "this model takes 4 readings, no picture: there is nothing to look at, and `zkpredict prove` takes a row of a table"
        assert (outcome.code, outcome.err) == (2, f"zkpredict: {message}\n")
    outcome = run("prove", picture, "--model", TABLES / "iris.model", "--out", tmp_path / "p")
    assert (outcome.code, outcome.err) == (2, f"zkpredict: {picture}: {READINGS_ONLY}\n")
