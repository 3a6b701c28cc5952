"""Batches and scores of tables: the bytes are those of `prove --row`, labels are a column or a file, and what does not fit is named where it stands."""

import json
from argparse import Namespace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from support import refuses

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.schema import Schema
from zkpredict.circuits.files.tables import read_row
from zkpredict.cli.batches import answers_line, read_labels
from zkpredict.cli.main import main
from zkpredict.cli.statement import image_name
from zkpredict.cli.words import Words
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model

TABLES = Path(__file__).resolve().parents[2] / "examples" / "tables"
ROWS = (0, 1, 50, 51, 77, 100, 106, 149)
"""Of iris.csv: the network takes number 77 for virginica."""
KINDS = ("setosa",) * 2 + ("versicolor",) * 3 + ("virginica",) * 3


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The iris model committed for batches, and some rows with their species as `t.csv`."""
    folder, shipped = tmp_path_factory.mktemp("tables"), Model.load(TABLES / "iris.model")
    made = commit_model(Model(shipped.network, schema=shipped.schema), domain=512, batch=True)
    made.save(folder / "m.model")
    made.commitment.save(folder / "m.commitment")
    lines = (TABLES / "iris.csv").read_text().splitlines()
    (folder / "t.csv").write_text("\n".join([lines[0], *(lines[1 + row] for row in ROWS)]) + "\n")
    return folder


@pytest.fixture(scope="module")
def made(place):
    """The folder with a batch and a score of the table."""
    for command, option, name in (("prove-batch", "--label", "t.batch"), ("score", "--labels", "t.score")):
        assert main([command, str(place / "t.csv"), option, "species", "--model", str(place / "m.model"), "--out", str(place / name)]) == 0
    return place


def other_spellings(folder):
    """The same readings and labels in other files: JSON with columns in another order, float32 .npy, uint8 .npy, columns apart."""
    model = Model.load(folder / "m.model")
    names = [feature.name for feature in model.schema.features]
    lines = [line.split(",") for line in (folder / "t.csv").read_text().splitlines()[1:]]
    rows = [{"species": line[4]} | dict(reversed(list(zip(names, map(float, line[:4]), strict=True)))) for line in lines]
    (folder / "t.json").write_text(json.dumps(rows))
    np.save(folder / "t.npy", np.array([line[:4] for line in lines], np.float32))
    np.save(folder / "bytes.npy", np.stack([model.encode(line[:4]) for line in [list(map(float, line[:4])) for line in lines]]))
    (folder / "features.tsv").write_text("\n".join("\t".join(line) for line in [names, *(line[:4] for line in lines)]))
    (folder / "kinds.csv").write_text("\n".join(["species", *(line[4] for line in lines)]))
    np.save(folder / "kinds.npy", np.array([model.schema.classes.index(line[4]) for line in lines]))


def test_rows_of_a_batch_are_those_of_single_proofs(run, made):
    schema = Model.load(made / "m.model").schema
    said = run("verify-batch", made / "t.csv", made / "t.batch", "--label", "species", "--commitment", made / "m.commitment", "--json").json
    each = [read_row(made / "t.csv", schema, 4, row, ("species",)).bytes for row in range(len(ROWS))]
    assert said["inputs"] == len(ROWS) and said["inputs_sha256"] == image_name(np.stack(each).tobytes())
    assert said["classes"] == [Model.load(made / "m.model").predict(one) for one in each]
    single = run("prove", made / "t.csv", "--row", 4, "--label", "species", "--model", made / "m.model", "--out", made / "one.proof", "--force", "--json")
    assert single.json["class"] == said["classes"][4] and single.json["input_sha256"] == image_name(each[4])


def test_every_spelling_of_a_table_is_the_same_statement(run, made):
    other_spellings(made)
    public = ("--commitment", made / "m.commitment")
    for name, options in (("t.json", ("--label", "species")), ("t.npy", ()), ("bytes.npy", ()), ("features.tsv", ())):
        assert run("verify-batch", made / name, made / "t.batch", *options, *public).code == 0
    said = run("verify-score", made / "t.csv", made / "t.score", "--labels", "species", *public)
    assert said.code == 0 and f"is right on {len(ROWS) - 1} of {len(ROWS)} inputs" in said.out
    for name, labels in (("t.json", "species"), ("features.tsv", made / "kinds.csv"), ("t.npy", made / "kinds.npy"), ("bytes.npy", made / "kinds.csv")):
        assert run("verify-score", made / name, made / "t.score", "--labels", labels, *public).out.splitlines()[0] == said.out.splitlines()[0]


def test_another_reading_and_another_label_are_refused(run, made):
    public, changed = ("--commitment", made / "m.commitment"), made / "changed.csv"
    text = (made / "t.csv").read_text()
    changed.write_text(text.replace("5.1,3.5,1.4,0.2,setosa", "5.2,3.5,1.4,0.2,setosa"))
    batch = run("verify-batch", changed, made / "t.batch", "--label", "species", *public)
    assert batch.code == 1 and batch.out.startswith("INVALID (FailedOpening): ")
    changed.write_text(text.replace("5.1,3.5,1.4,0.2,setosa", "5.1,3.5,1.4,0.2,virginica"))
    score = run("verify-score", changed, made / "t.score", "--labels", "species", *public)
    assert score.code == 1 and score.out.startswith("INVALID (WrongStatement): the score is of test set ")


FEATURES = "'sepal length (cm)', 'sepal width (cm)', 'petal length (cm)', 'petal width (cm)'"
COLUMNS = FEATURES.replace("'", "")


@pytest.mark.parametrize(
    ("content", "labels", "message"),
    [
        ("{text}", "kind", "--labels kind: there is no such file, and no such column in {path}; it has {columns}, species"),
        ("{text}", "petal width (cm)", "table {path}: the column 'petal width (cm)' is a feature of this model, which cannot do without it"),
        ("{text,petal length (cm)}", "species", "table {path} has no column 'petal length (cm)': its features are {features}"),
        ("{text}9,9,9,9,rose\n", "species", "table {path}, row 8, column 'species': the label is 'rose', expected one of setosa, versicolor, virginica, or its number"),
        ("{text}9,9,9,9,3\n", "species", "label 8 is 3, the network has 3 classes"),
        ("{text}9,9,,9,setosa\n", "species", "table {path}, row 8, column 'petal length (cm)': expected a number, got nothing"),
        ("{text}", "{folder}/words.csv", "labels {folder}/words.csv begins with 'setosa': a first line of words is the name of its column, and a class is none"),
        ("{text}", "{folder}/two.csv", "labels {folder}/two.csv has 2 columns: labels are one, below its name"),
    ],
)
def test_what_does_not_fit_is_named(run, place, content, labels, message):
    text, path = (place / "t.csv").read_text(), place / "x.csv"
    (place / "words.csv").write_text("\n".join(KINDS))
    (place / "two.csv").write_text("a,b\n1,2\n")
    renamed = text.replace("petal length", "petal breadth")
    path.write_text(content.replace("{text,petal length (cm)}", renamed).replace("{text}", text))
    if labels.startswith("{folder}"):
        path.write_text("\n".join(line.rsplit(",", 1)[0] for line in text.splitlines()))
    found = run("score", path, "--labels", labels.format(folder=place), "--model", place / "m.model", "--out", place / "new.score")
    said = message.format(path=path, folder=place, features=FEATURES, columns=COLUMNS)
    assert (found.code, found.out) == (2, "") and found.err.splitlines()[-1] == f"zkpredict: {said}" and not (place / "new.score").exists()


def test_a_name_that_is_a_column_and_a_file_must_be_made_clear(run, made, monkeypatch):
    monkeypatch.chdir(made)
    Path("species").write_bytes((TABLES / "iris.csv").read_bytes())
    both = run("verify-score", "t.csv", "t.score", "--labels", "species", "--commitment", "m.commitment")
    assert (both.code, both.err) == (2, "zkpredict: --labels species is a column of t.csv, and a file: for the file write ./species\n")
    Path("species").unlink()
    assert run("verify-score", "t.csv", "t.score", "--labels", "species", "--commitment", "m.commitment").code == 0


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        ("t.csv", ("--label", "species", "--count", 9), "{folder}/t.csv holds 8 rows: --count 9 is more"),
        ("t.csv", ("--label", "species", "--as", "bytes"), "{folder}/t.csv is a table of readings: --as bytes goes with an .npy of uint8"),
        ("t.csv", ("--label", "species", "--auto"), "{folder}/t.csv is a table: --auto is for pictures"),
        ("t.csv", ("--label", "kind"), "table {folder}/t.csv has no column 'kind'; it has {columns}, species"),
        ("t.csv", (), "table {folder}/t.csv has the column 'species', which is no feature of this model (--label 'species' leaves it out): its features are {features}"),
        ("bytes.npy", ("--label", "species"), "--label names a column of a table (.csv, .tsv, .json, .npy): {folder}/bytes.npy is none"),
        (".", (), "{folder}: this model takes 4 readings ({columns}), no picture: give a table (.csv, .tsv, .json, .npy)"),
    ],
)
def test_what_cannot_be_a_batch_is_named(run, place, data, options, message):
    np.save(place / "bytes.npy", np.zeros((2, 4), np.uint8))
    found = run("prove-batch", place / data, *options, "--model", place / "m.model", "--out", place / "new.batch")
    said = message.format(folder=place, features=FEATURES, columns=COLUMNS)
    assert (found.code, found.err) == (2, f"zkpredict: {said}\n") and not (place / "new.batch").exists()


def test_columns_that_are_no_features_are_left_out_one_by_one(run, made):
    lines = (made / "t.csv").read_text().splitlines()
    wide, common = made / "wide.csv", ("--label", "id", "--label", "part")
    wide.write_text("\n".join(["id," + lines[0] + ",part", *(f"{number},{line},test" for number, line in enumerate(lines[1:]))]))
    model, public = ("--model", made / "m.model", "--out", made / "wide.out", "--force"), ("--commitment", made / "m.commitment")
    batch = run("prove-batch", wide, *common, "--label", "species", *model, "--json").json
    assert batch["inputs_sha256"] == run("verify-batch", made / "t.csv", made / "t.batch", "--label", "species", *public, "--json").json["inputs_sha256"]
    assert run("verify-batch", wide, made / "wide.out", "--label", "species", *common, *public).code == 0
    assert run("verify-score", wide, made / "t.score", "--labels", "species", *common, *public).code == 0
    assert run("score", wide, "--labels", "species", *common, *model, "--json").json["right"] == len(ROWS) - 1
    assert run("prove", wide, "--row", 4, *common, "--label", "species", *model).code == 0
    sets = [run("testset", data, *more, *public, "--out", made / "wide.set", "--force", "--json").json["set_id"]
            for data, more in ((wide, ("--labels", "species", *common)), (made / "t.csv", ("--label", "species")))]  # fmt: skip
    assert sets[0] == sets[1]
    for command, options, said in (
        ("prove-batch", (), "has the columns 'id', 'species', 'part', which are no features of this model (--label 'id' --label 'species' --label 'part' leave them out)"),
        ("prove-batch", (*common,), "has the column 'species', which is no feature of this model (--label 'species' leaves it out)"),
        ("score", ("--label", "species"), "has the columns 'id', 'part', which are no features of this model (--label 'id' --label 'part' leave them out)"),
        ("prove-batch", (*common, "--label", "kind"), f"has no column 'kind'; it has id, {COLUMNS}, species, part"),
    ):
        found = run(command, wide, *options, *model)
        tail = "" if "kind" in options else f": its features are {FEATURES}"
        assert (found.code, found.err) == (2, f"zkpredict: table {wide} {said}{tail}\n")
    bare = run("score", wide, *common, *model)
    wanted = "a score takes --labels, and no --context or --for, unless --registered names a test set (`zkpredict testset` makes one)"
    assert (bare.code, bare.err) == (2, f"zkpredict: {wanted}\n")


def test_answers_that_repeat_are_folded(run, made):
    table = made / "all.csv"
    table.write_text((TABLES / "iris.csv").read_text())
    model, public = ("--model", made / "m.model", "--out", made / "all.batch", "--force"), ("--commitment", made / "m.commitment")
    said = ("versicolor (class 1) for inputs 60-76, virginica (class 2) for 77, versicolor (class 1) for 78-82, virginica (class 2) for 83, "
            "versicolor (class 1) for 84-99")  # fmt: skip
    rows = (table, "--label", "species", "--skip", 60, "--count", 40)
    proven = run("prove-batch", *rows, *model).out.splitlines()
    assert proven[:2] == [f"The network says {said}, and {made / 'all.batch'} proves it.", "  counts    38 versicolor (class 1), 2 virginica (class 2)"]
    checked = run("verify-batch", *rows, made / "all.batch", *public).out.splitlines()
    assert checked[0].endswith(f"... says {said}.") and checked[1] == proven[1]


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        ((0, 0, 0), "0, 0, 0"),
        ((0,) * 13, "0 for images 5-17"),
        ((0, 1) * 7, f"{', '.join(['0, 1'] * 6)} and 2 more"),
        ((0,) * 7 + (1,) * 7, "0 for images 5-11, 1 for 12-18"),
        ((0, 0, 1, 1) * 7, f"0 for images 5-6, {', '.join(f'{at // 2 % 2} for {at + 5}-{at + 6}' for at in range(2, 24, 2))} and 4 more"),
    ],
)
def test_short_lists_and_mixed_ones_are_shown_as_they_are(classes, said):
    assert answers_line(Words(Schema()), classes, 5) == said


def test_bytes_that_could_be_readings_need_a_word(run, place):
    """As for one row: whole readings saved as uint8 would be proven as all but black, and nobody would be told."""
    path, public = place / "whole.npy", ("--model", place / "m.model", "--out", place / "whole.batch", "--json")
    np.save(path, np.array([[5, 3, 1, 1], [6, 3, 5, 2]], np.uint8))
    for command in (("prove-batch", path), ("score", path, "--labels", place / "t.csv"), ("prove-many", path)):
        found = run(*command, *public)
        assert found.code == 2
        assert found.json["error"] == f"{path} holds bytes that are possible readings too: say which with --as bytes or --as readings"
    hashes = [run("prove-batch", path, "--as", kind, *public, "--force").json["inputs_sha256"] for kind in ("bytes", "readings")]
    schema = Model.load(place / "m.model").schema
    rows = [schema.encode([Fraction(one) for one in row], 4)[0] for row in ((5, 3, 1, 1), (6, 3, 5, 2))]
    assert hashes == [image_name(bytes([5, 3, 1, 1, 6, 3, 5, 2])), image_name(b"".join(rows))]
    np.save(path, np.array([[5, 3, 1, 1], [6, 3, 5, 200]], np.uint8))
    assert run("prove-batch", path, *public, "--force").code == 0


@pytest.mark.parametrize(("classes", "refused"), [(("0", "1", "2"), False), (("1", "2", "3"), True), (("2", "other"), True), (("a", "b"), False), ((), False)])
def test_whole_numbers_are_no_labels_where_they_could_be_names_or_places(tmp_path, classes, refused):
    path = tmp_path / "y.npy"
    np.save(path, np.array([1, 0], np.uint8))
    arguments = Namespace(labels=str(path), skip=0, count=None)
    if refused:
        said = f"{path}: classes of this model are called {', '.join(classes)}, so its numbers could be names or places: give labels as a table of names"
        with refuses(UnusableInput, said):
            read_labels(arguments, 2, Schema((), classes))
    else:
        assert read_labels(arguments, 2, Schema((), classes)).tolist() == [1, 0]
