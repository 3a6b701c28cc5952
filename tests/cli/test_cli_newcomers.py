"""What newcomers type first: one picture for many, floats for bytes, colours for grey, words that are nearly commands; each refusal says what to type."""

import numpy as np
import pytest
from cli_desk import ANOTHER, FORGOTTEN
from support import MISMATCH, random_network

from zkpredict.prover.model import Model

NETWORK = random_network(5, (36, 20, 4))
IMAGES = np.random.default_rng(2).integers(0, 256, (16, 6, 6), dtype=np.uint8)
IMAGES[0, 0, :2] = 0, 255


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A model of grey pictures committed for batches, pictures and labels."""
    from zkpredict.prover.commit import commit_model

    folder = tmp_path_factory.mktemp("newcomers")
    made = commit_model(Model(NETWORK), domain=512, batch=True)
    made.save(folder / "m.model")
    made.commitment.save(folder / "m.commitment")
    np.save(folder / "i.npy", IMAGES)
    np.save(folder / "one.npy", IMAGES[0])
    np.save(folder / "l.npy", NETWORK.infer(IMAGES.reshape(16, 36)).digits.astype(np.uint8))
    return folder


@pytest.fixture
def at(place, monkeypatch):
    monkeypatch.chdir(place)


MODEL, PUBLIC = ("--model", "m.model", "--out", "new"), ("--commitment", "m.commitment")
TAKERS = {
    "prove-batch": ("prove-batch", "@", *MODEL), "prove-many": ("prove-many", "@", *MODEL), "score": ("score", "@", "--labels", "l.npy", *MODEL),
    "testset": ("testset", "@", "--labels", "l.npy", *PUBLIC, "--out", "new"), "verify-batch": ("verify-batch", "@", "i.npy", *PUBLIC),
    "verify-score": ("verify-score", "@", "i.npy", "--labels", "l.npy", *PUBLIC), "prove": ("prove", "@", *MODEL),
}  # fmt: skip


def refusal(run, command, data):
    """The last line of the error about a file."""
    found = run(*(data if word == "@" else word for word in TAKERS[command]))
    assert (found.code, found.out) == (2, "")
    return found.err.splitlines()[-1].removeprefix("zkpredict: ")


@pytest.mark.usefixtures("at")
@pytest.mark.parametrize(
    ("command", "advice"),
    [
        ("prove-batch", "type `zkpredict prove one.npy --model m.model --out PROOF` instead"),
        ("prove-many", "type `zkpredict prove one.npy --model m.model --out PROOF` instead"),
        ("verify-batch", "type `zkpredict verify one.npy PROOF --commitment m.commitment` instead"),
        ("score", "`np.save('one-list.npy', np.load('one.npy')[None])` makes a list of one"),
        ("testset", "`np.save('one-list.npy', np.load('one.npy')[None])` makes a list of one"),
    ],
)
def test_one_picture_is_no_batch(run, command, advice):
    assert refusal(run, command, "one.npy") == f"one.npy has the shape [6, 6]: that is one picture, and a batch has the shape [count, 6, 6]: {advice}"


def test_what_is_typed_for_one_picture_works(run, at):
    assert run("prove", "one.npy", "--model", "m.model", "--out", "one.proof").code == 0
    np.save("one-list.npy", np.load("one.npy")[None])
    assert run("prove-batch", "one-list.npy", "--model", "m.model", "--out", "one.batch").code == 0
    assert run("verify", "one.npy", "one.proof", *PUBLIC).code == run("verify-batch", "one-list.npy", "one.batch", *PUBLIC).code == 0


@pytest.mark.usefixtures("at")
def test_numbers_in_a_row_are_one_input_and_no_batch(run):
    np.save("row.npy", IMAGES[0].reshape(-1))
    assert refusal(run, "prove-batch", "row.npy").startswith("row.npy has the shape [36]: that is one input, and a batch has the shape [count, 36]: type ")
    free = run("testset", "row.npy", "--labels", "l.npy", "--out", "new")
    assert free.err.startswith("zkpredict: row.npy has the shape [36]: that is one input, ")


FLOATS = [
    (IMAGES / 255, "float64 from 0 to 1; what is proven is uint8 from 0 to 255. If 1 stands for 255, ", "np.rint(255.0 * np.load('x.npy')).astype(np.uint8)"),
    (IMAGES.astype(float), "float64 from 0 to 255; what is proven is uint8 from 0 to 255. ", "np.load('x.npy').astype(np.uint8)"),
    (IMAGES.astype(np.int64), "int64 from 0 to 255; what is proven is uint8 from 0 to 255. ", "np.load('x.npy').astype(np.uint8)"),
    (IMAGES * np.float32(0.5), "float32 from 0 to 127.5; what is proven is uint8 from 0 to 255. ", "np.rint(np.load('x.npy')).astype(np.uint8)"),
    (IMAGES > 127, "bool from False to True; what is proven is uint8 from 0 to 255. If 1 stands for 255, ", "np.rint(255.0 * np.load('x.npy')).astype(np.uint8)"),
]


@pytest.mark.usefixtures("at")
@pytest.mark.parametrize(("array", "seen", "line"), FLOATS)
def test_other_numbers_than_bytes_say_their_range_and_the_line_that_converts_them(run, array, seen, line):
    saving = f"np.save('x-uint8.npy', {line})"
    for command in ("prove-batch", "prove-many", "score", "testset", "prove"):
        np.save("x.npy", array[0] if command == "prove" else array)
        assert refusal(run, command, "x.npy") == f"{'image' if command == 'prove' else 'inputs'} x.npy holds {seen}`{saving}` makes bytes"
    exec(saving, {"np": np})
    assert np.load("x-uint8.npy").dtype == np.uint8
    assert run("prove", "x-uint8.npy", "--model", "m.model", "--out", "x.proof", "--force").code == 0


@pytest.mark.usefixtures("at")
@pytest.mark.parametrize(
    ("array", "said"),
    [
        (IMAGES / 127.5 - 1, "float64 from -1 to 1; what is proven is uint8 from 0 to 255. `np.save('x-uint8.npy', np.rint(255 * np.clip((np.load('x.npy') - LOW) / "
         "(HIGH - LOW), 0, 1)).astype(np.uint8))` makes bytes, with the numbers that stand for 0 and 255 in the place of LOW and HIGH"),
        (np.full((2, 6, 6), np.nan), "float64, and at [0, 0, 0] nan: save whole numbers from 0 to 255 with the type uint8"),
        ((IMAGES / 255).astype(">f8"), "floats of 8 bytes: save whole numbers from 0 to 255 with the type uint8"),
        (np.array(["a"]), "text: save whole numbers from 0 to 255 with the type uint8"),
        (np.zeros((0, 6, 6)), "no numbers"),
    ],
)  # fmt: skip
def test_numbers_that_no_line_makes_bytes_of_say_what_is_wanted(run, array, said):
    np.save("x.npy", array)
    assert [refusal(run, command, "x.npy") for command in ("prove-batch", "prove")] == [f"inputs x.npy holds {said}", f"image x.npy holds {said}"]


COLOURED = [
    ("prove", (3, 6, 6), "image x.npy has the shape [3, 6, 6]: 3 channels on its first axis (axis=0)", 0, ". If they are 3 inputs, `zkpredict prove-batch` takes them"),
    ("prove", (6, 6, 3), "image x.npy has the shape [6, 6, 3]: 3 channels on its third axis (axis=2)", 2, ""),
    ("prove-batch", (6, 6, 4), "x.npy has the shape [6, 6, 4]: one picture, and no batch, with 4 channels on its third axis (axis=2)", 2, ""),
    ("prove-batch", (2, 3, 6, 6), "x.npy has the shape [2, 3, 6, 6]: 3 channels on its second axis (axis=1)", 1, ""),
    ("score", (2, 6, 6, 3), "x.npy has the shape [2, 6, 6, 3]: 3 channels on its fourth axis (axis=3)", 3, ""),
]


@pytest.mark.usefixtures("at")
@pytest.mark.parametrize(("command", "shape", "seen", "axis", "more"), COLOURED)
def test_colours_for_a_model_of_grey_pictures(run, command, shape, seen, axis, more):
    np.save("x.npy", np.zeros(shape, np.uint8))
    line = f"np.save('x-grey.npy', np.rint(np.load('x.npy').mean(axis={axis})).astype(np.uint8))"
    assert refusal(run, command, "x.npy") == f"{seen}, and the model takes one, grey, of 6 x 6. `{line}` keeps the mean of them{more}"
    exec(line, {"np": np})
    assert np.load("x-grey.npy").shape[-2:] == (6, 6) and np.load("x-grey.npy").dtype == np.uint8


@pytest.mark.usefixtures("at")
def test_many_pictures_are_not_one(run):
    said = refusal(run, "prove", "i.npy")
    first = "`np.save('i-first.npy', np.load('i.npy')[0])` keeps the first"
    assert said == f"image i.npy has the shape [16, 6, 6]: 16 inputs, and one is wanted. `zkpredict prove-batch` takes them all; {first}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["prove-bach"], "argument COMMAND: invalid choice: 'prove-bach', did you mean prove-batch? `zkpredict --help` lists all"),
        (["verify_score"], "argument COMMAND: invalid choice: 'verify_score', did you mean verify-score? `zkpredict --help` lists all"),
        (["chain", "verify-scor"], "argument ACTION: invalid choice: 'verify-scor', did you mean verify-score? `zkpredict chain --help` lists all"),
        (["prove-batch", "t.csv", "--labels", "kind", *MODEL], "unrecognized arguments: --labels kind (did you mean --label?)"),
        (["inspect", "a", "b"], "unrecognized arguments: b"),
    ],
)
def test_the_nearest_word_is_named(run, words, said):
    found = run(*words)
    assert (found.code, found.out) == (2, "") and found.err.splitlines()[-1] == f"zkpredict: {said}"


@pytest.mark.usefixtures("at")
def test_a_forgotten_context_is_hinted_at(run):
    assert run("testset", "i.npy", "--labels", "l.npy", "--out", "t.set", "--force").code == 0
    assert run("score", "i.npy", "--registered", "t.set", "--model", "m.model", "--out", "s.score", "--for", "job", "--force").code == 0
    assert run("prove", "one.npy", "--model", "m.model", "--out", "one.proof", "--for", "job", "--force").code == 0
    assert run("prove-batch", "i.npy", "--model", "m.model", "--out", "i.batch", "--for", "job", "--force").code == 0
    for check in (("verify-score", "t.set", "s.score"), ("verify", "one.npy", "one.proof"), ("verify-batch", "i.npy", "i.batch")):
        assert run(*check, *PUBLIC, "--for", "job").code == 0
        for context, todo in (((), FORGOTTEN), (("--for", "another"), ANOTHER)):
            found = run(*check, *PUBLIC, *context)
            assert (found.code, found.out) == (1, f"INVALID (FailedOpening): {MISMATCH}\n  {todo}\n")
            assert run(*check, *PUBLIC, *context, "--json").json["todo"] == todo


@pytest.mark.usefixtures("at")
def test_labels_that_are_no_row_of_whole_numbers_say_the_line_that_makes_them(run):
    labels = np.load("l.npy")
    for found, said in (
        (labels.astype(float), "labels y.npy holds float64, expected whole numbers (uint8, uint16, int32 or int64): "
         "`np.save('y-int64.npy', np.load('y.npy').astype(np.int64))` makes them"),
        (labels + 0.5, "labels y.npy holds float64 and not only whole numbers: labels are the numbers of classes, from 0"),
        (labels.astype(str), "labels y.npy holds text, expected uint8, uint16, int32 or int64"),
        (labels[:, None], "y.npy has the shape [16, 1], there are 16 inputs in i.npy: `np.save('y-flat.npy', np.load('y.npy')[:, 0])` puts them in a row"),
        (np.eye(4, dtype=np.uint8)[labels], "y.npy has the shape [16, 4], there are 16 inputs in i.npy: these are one-hot, "
         "`np.save('y-flat.npy', np.load('y.npy').argmax(axis=1))` makes numbers of them"),
        (np.full((16, 2), 3), "y.npy has the shape [16, 2], there are 16 inputs in i.npy"),
    ):  # fmt: skip
        np.save("y.npy", found)
        refused = run("testset", "i.npy", "--labels", "y.npy", "--out", "new")
        assert (refused.code, refused.err) == (2, f"zkpredict: {said}\n")
        if "`" in said:
            exec(said.split("`")[1], {"np": np})
            made = "y-int64.npy" if "int64" in said.split("`")[1] else "y-flat.npy"
            assert np.load(made).tolist() == labels.tolist() and run("testset", "i.npy", "--labels", made, "--out", "y.set", "--force").code == 0


@pytest.mark.usefixtures("at")
def test_sets_in_the_wrong_place_or_of_another_size(run):
    assert run("testset", "i.npy", "--labels", "l.npy", "--out", "t.set", "--force").code == 0
    twice = run("verify-score", "t.set", "i.npy", "--set", "t.set", *PUBLIC)
    assert (twice.code, twice.err.splitlines()[-1]) == (2, "zkpredict: t.set is a registered test set itself: leave out --set, which is for its inputs")
    fewer = run("score", "i.npy", "--count", 3, "--registered", "t.set", *MODEL)
    said = "t.set is a test set of 16 inputs, there are 3: take the same by --skip and --count as it was made of"
    assert (fewer.code, fewer.err) == (2, f"zkpredict: {said}\n")
    none = run("testset", "i.npy", "--out", "new")
    assert (none.code, none.err) == (2, "zkpredict: a test set takes --labels: a column of the table, or a file with the class of each input\n")
    bare = run("chain", "register-set", "t.set", "i.npy", "--state", "none/chain.json")
    assert (bare.code, bare.out, bare.err) == (2, "", "zkpredict: chain state none/chain.json: there is no folder none to keep it in\n")
