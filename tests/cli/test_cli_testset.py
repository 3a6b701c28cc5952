"""Registered test sets as a user meets them: the set file, a score on it, who can check what; refusals name what to type."""

from pathlib import Path

import numpy as np
import pytest
from cli_desk import FORGOTTEN
from support import MISMATCH, random_network

from zkpredict.prover.model import Model

REPOSITORY = Path(__file__).parents[2]
NETWORK = random_network(5, (36, 20, 4))


@pytest.fixture
def place(tmp_path, run):
    """A model committed for batches; seven inputs and labels of which one is wrong, the set, and a score on it for a job."""
    Model(NETWORK).save(tmp_path / "m.model")
    assert run("commit", "--model", tmp_path / "m.model", "--batch", "--domain", 512, "--out", tmp_path / "m.commitment").code == 0
    images = np.random.default_rng(2).integers(0, 256, (7, 6, 6), dtype=np.uint8)
    labels = NETWORK.infer(images.reshape(7, 36)).digits.astype(np.uint8)
    labels[2] = (labels[2] + 1) % 4
    np.save(tmp_path / "i.npy", images)
    np.save(tmp_path / "l.npy", labels)
    made = run("testset", tmp_path / "i.npy", "--labels", tmp_path / "l.npy", "--out", tmp_path / "t.set", "--json")
    assert made.code == 0 and (made.json["inputs"], made.json["size"], made.json["points"]) == (7, 36, 1)
    assert made.json["set_bytes"] == (tmp_path / "t.set").stat().st_size == 5 + 8 + 14 + 96
    own = ("--model", tmp_path / "m.model", "--out", tmp_path / "s.score", "--for", "job")
    scored = run("score", tmp_path / "i.npy", "--registered", tmp_path / "t.set", *own)
    assert scored.code == 0 and scored.out.startswith("The network is right on 6 of 7 images (85.71 %), and ")
    assert "commitments to every image" in scored.out and made.json["set_id"] in scored.out
    return tmp_path


def test_a_score_is_checked_without_the_inputs_and_with_them(run, place):
    common = (place / "s.score", "--commitment", place / "m.commitment", "--for", "job")
    alone = run("verify-score", place / "t.set", *common)
    assert alone.code == 0 and alone.out.startswith("VALID: ") and ", registered\n" in alone.out
    with_inputs = run("verify-score", place / "i.npy", *common, "--set", place / "t.set", "--labels", place / "l.npy")
    assert with_inputs.code == 0 and ", registered, of these inputs\n" in with_inputs.out
    found = run("verify-score", place / "t.set", *common, "--independent", "--json").json
    assert (found["right"], found["inputs"], found["verifier"], found["registered"]) == (6, 7, "independent", True)
    more = run("verify-score", place / "t.set", *common, "--at-least", 7)
    assert (more.code, more.out) == (1, "INVALID (WrongStatement): the network is right on 6 of 7, fewer than 7\n")
    alike = run("verify-score", place / "t.set", *common[:-2])
    assert (alike.code, alike.out) == (1, f"INVALID (FailedOpening): {MISMATCH}\n  {FORGOTTEN}\n")


def test_other_inputs_and_labels_are_refused(run, place):
    np.save(place / "other.npy", np.load(place / "i.npy") ^ 1)
    np.save(place / "more.npy", np.load(place / "l.npy")[::-1])
    common = ("--commitment", place / "m.commitment", "--set", place / "t.set", "--for", "job")
    inputs = run("verify-score", place / "other.npy", place / "s.score", *common)
    assert inputs.code == 2 and inputs.err.startswith(f"zkpredict: {place / 't.set'}: the inputs are not those of the registered test set ")
    labels = run("verify-score", place / "i.npy", place / "s.score", *common, "--labels", place / "more.npy")
    assert (labels.code, labels.err) == (2, f"zkpredict: the labels are not those of {place / 't.set'}\n")
    score = run("score", place / "other.npy", "--registered", place / "t.set", "--model", place / "m.model", "--out", place / "o.score")
    assert score.code == 2 and "the inputs are not those of the registered test set" in score.err and not (place / "o.score").exists()


def test_what_does_not_go_together(run, place):
    model, out = ("--model", place / "m.model"), ("--out", place / "o.score")
    wanted = "a score takes --labels, and no --context or --for, unless --registered names a test set (`zkpredict testset` makes one)"
    for more in ((), ("--labels", place / "l.npy", "--for", "job")):
        refused = run("score", place / "i.npy", *model, *out, *more)
        assert (refused.code, refused.err) == (2, f"zkpredict: {wanted}\n")
    common = (place / "s.score", "--commitment", place / "m.commitment")
    for option in (("--labels", place / "l.npy"), ("--count", 3), ("--skip", 1), ("--allow-blank",), ("--as", "bytes")):
        more = run("verify-score", place / "t.set", *common, *option)
        said = f"{place / 't.set'} is a registered test set, which has its inputs and labels: {option[0]} goes with others"
        assert (more.code, more.err) == (2, f"zkpredict: {said}\n")
    bare = run("verify-score", place / "i.npy", *common)
    said = "a score on inputs takes --labels, and has no --context or --for; one on a registered test set takes the set in the place of DATA"
    assert (bare.code, bare.err) == (2, f"zkpredict: {said}\n")
    kind = run("verify-score", place / "i.npy", *common, "--labels", place / "l.npy")
    said = "score: this one is of a registered test set: `zkpredict verify-score SET SCORE --commitment FILE` checks it"
    assert (kind.code, kind.out) == (1, f"INVALID (MalformedProof): {said}\n")
    none = run("score", place / "i.npy", "--registered", place / "s.score", *model, *out)
    assert none.code == 2 and "s.score is no registered test set (`zkpredict testset` makes one): it is a proven score" in none.err
    kept = run("testset", place / "i.npy", "--labels", place / "l.npy", "--out", place / "l.npy")
    assert (kept.code, kept.err) == (2, f"zkpredict: cannot write {place / 'l.npy'}: it is the labels\n")


def test_inspect_says_what_they_are(run, place):
    found = run("inspect", place / "t.set", "--json").json
    assert (found["file"], found["inputs"], found["bytes of an input"], found["points"]) == ("registered test set (public)", 7, 36, 1)
    score = run("inspect", place / "s.score", "--json").json
    assert score["file"] == "score on a registered test set (public)" and score["test set"] == found["set id"]


def test_sizes_and_scales_come_from_a_commitment(run, place):
    from PIL import Image

    (place / "p").mkdir()
    for number in range(3):
        Image.fromarray(np.random.default_rng(number).integers(0, 256, (6, 6), dtype=np.uint8)).save(place / "p" / f"{number}.png")
    np.save(place / "three.npy", np.arange(3))
    common = ("testset", place / "p", "--labels", place / "three.npy", "--json")
    made = run(*common, "--commitment", place / "m.commitment", "--out", place / "p.set")
    assert made.code == 0 and (made.json["size"], made.json["labels"]) == (36, 3)
    alone = run(*common, "--out", place / "q.set")
    assert alone.code == 0 and alone.json["size"] == 784
    tables = REPOSITORY / "examples" / "tables"
    rows = run("testset", tables / "iris.csv", "--labels", "species", "--commitment", tables / "iris.commitment", "--out", place / "i.set", "--json")
    assert rows.code == 0 and (rows.json["inputs"], rows.json["size"], rows.json["labels"]) == (150, 4, 3)
    bare = run("testset", tables / "iris.csv", "--labels", "species", "--out", place / "u.set")
    scale = f"{tables / 'iris.csv'} is a table: the scale of its readings is in a model's commitment, add --commitment FILE"
    assert (bare.code, bare.err) == (2, f"zkpredict: {scale}\n")
    np.save(place / "long.npy", np.ones((3, 4097), np.uint8))
    wrong = run("testset", place / "long.npy", "--labels", place / "three.npy", "--out", place / "u.set")
    message = "test set: 3 inputs of 4097 bytes, expected 1 to 1048576 of at most 4096 bytes"
    assert (wrong.code, wrong.err) == (2, f"zkpredict: {message}\n") and not (place / "u.set").exists()
