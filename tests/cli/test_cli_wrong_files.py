"""Every kind of file, given to every command that reads another: one line that names what it is, an exit code, and no file that was not there."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support import random_network

from zkpredict.circuits.files.kinds import OWN_KINDS, kind_of
from zkpredict.circuits.networks.exact import ExactNetwork
from zkpredict.cli.main import main
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
OWN = {
    "model": "a private model file", "exact": "a 10^8 network", "commitment": "a public model commitment", "circuit": "a circuit", "proof": "a proof",
    "batch": "a proof of a batch", "score": "a proven score", "set": "a registered test set", "hidden": "a public hidden input", "opening": "a private opening of a hidden input",
}  # fmt: skip
"""Our own files, by what `circuits.files.kinds` calls them."""
OTHERS = ("picture.png", "idx", "idx.gz", "array.npy", "table.csv", "keras.keras", "onnx.onnx", "text.txt", "empty", "folder", "missing")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """A folder with one file of each kind, all of one network where they hang together."""
    folder = tmp_path_factory.mktemp("shelf")
    network = random_network(1, (36, 12, 4))
    made = commit_model(Model(network), domain=512, batch=True)
    made.save(folder / "model")
    made.commitment.save(folder / "commitment")
    (folder / "circuit").write_bytes(made.commitment.circuit.to_bytes())
    Image.fromarray(np.arange(36, dtype=np.uint8).reshape(6, 6) * 7).save(folder / "picture.png")
    images = np.random.default_rng(2).integers(0, 256, (3, 6, 6), dtype=np.uint8)
    np.save(folder / "array.npy", images)
    np.save(folder / "labels.npy", np.zeros(3, np.uint8))
    idx = b"\x00\x00\x08\x03" + b"".join(size.to_bytes(4, "big") for size in (3, 6, 6)) + images.tobytes()
    (folder / "idx").write_bytes(idx)
    (folder / "idx.gz").write_bytes(gzip.compress(idx))
    (folder / "table.csv").write_text("a,b\n1,2\n")
    (folder / "keras.keras").write_bytes((EXAMPLES / "mnist.keras").read_bytes())
    (folder / "onnx.onnx").write_bytes((EXAMPLES / "tables" / "iris.onnx").read_bytes())
    (folder / "text.txt").write_text("a note\n")
    (folder / "empty").touch()
    (folder / "folder").mkdir()
    taker = commit_model(Model(network), private_input=True)
    taker.save(folder / "taker")
    taker.commitment.save(folder / "taker.commitment")

    def run(*words):
        assert main([str(word) for word in words]) == 0

    model = ("--model", folder / "model", "--out")
    run("prove", folder / "picture.png", *model, folder / "proof")
    run("prove-batch", folder / "array.npy", *model, folder / "batch")
    run("score", folder / "array.npy", "--labels", folder / "labels.npy", *model, folder / "score")
    run("testset", folder / "array.npy", "--labels", folder / "labels.npy", "--commitment", folder / "commitment", "--out", folder / "set")
    run("score", folder / "array.npy", "--registered", folder / "set", *model, folder / "registered.score")
    run("hide", folder / "picture.png", "--model", folder / "taker", "--out", folder / "hidden", "--opening", folder / "opening")
    source = np.random.default_rng(3)
    layers = [(source.normal(size=(36, 12)), source.normal(size=12)), (source.normal(size=(12, 4)), source.normal(size=4))]
    (folder / "exact").write_bytes(ExactNetwork.from_floats(layers).to_bytes())
    return folder


def test_the_shelf_has_every_kind(shelf):
    assert [kind_of((shelf / name).read_bytes(), name).name for name in OWN] == list(OWN.values()) and set(OWN.values()) == {kind.name for kind in OWN_KINDS}


SLOTS = {
    # a command, with @ for the file that is wrong, names of the shelf for right ones: the kinds that it takes
    "prove @ --model model --out new": "picture.png array.npy",
    "prove picture.png --model @ --out new": "model",
    "prove --idx @ --index 0 --model model --out new": "idx idx.gz",
    "prove --hidden @ --model taker --out new": "opening",
    "prove-many @ --model model --out new": "idx idx.gz array.npy",
    "prove-many array.npy --model @ --out new": "model",
    "prove-batch @ --model model --out new": "idx idx.gz array.npy",
    "prove-batch array.npy --model @ --out new": "model",
    "score @ --labels labels.npy --model model --out new": "idx idx.gz array.npy",
    "score array.npy --labels @ --model model --out new": "",
    "score array.npy --labels labels.npy --model @ --out new": "model",
    "score array.npy --registered @ --model model --out new": "set",
    "testset @ --labels labels.npy --commitment commitment --out new": "idx idx.gz array.npy",
    "testset array.npy --labels @ --commitment commitment --out new": "",
    "testset array.npy --labels labels.npy --commitment @ --out new": "commitment",
    "verify @ proof --commitment commitment": "picture.png",
    "verify picture.png @ --commitment commitment": "proof",
    "verify picture.png proof --commitment @": "commitment",
    "verify picture.png proof --commitment @ --independent": "commitment",
    "verify proof --hidden @ --commitment taker.commitment": "hidden",
    "verify-batch @ batch --commitment commitment": "idx idx.gz array.npy",
    "verify-batch array.npy @ --commitment commitment": "batch",
    "verify-batch array.npy @ --commitment commitment --independent": "batch",
    "verify-batch array.npy batch --commitment @": "commitment",
    "verify-score @ score --labels labels.npy --commitment commitment": "idx idx.gz array.npy",
    "verify-score @ registered.score --commitment commitment": "set idx idx.gz array.npy",
    "verify-score array.npy registered.score --set @ --commitment commitment": "set",
    "verify-score array.npy @ --labels labels.npy --commitment commitment": "score",
    "verify-score array.npy score --labels @ --commitment commitment": "",
    "verify-score array.npy score --labels labels.npy --commitment @": "commitment",
    "look @ --model model": "picture.png",
    "look picture.png --model @": "model",
    "look picture.png --commitment @": "commitment",
    "commit --model @ --out new": "model",
    "inspect @": " ".join(OWN),
    "inspect proof --commitment @": "commitment",
    "hide @ --model taker --out new --opening newer": "picture.png",
    "hide picture.png --model @ --out new --opening newer": "model",
    "hide picture.png --commitment @ --out new --opening newer": "commitment",
    "reveal @": "opening",
    "reveal opening --hidden @": "hidden",
    "quantize @ --out new": "keras.keras onnx.onnx",
    "report --model @": "model",
    "report --model model --data @": "",
    "export --model @ --out new": "model exact keras.keras onnx.onnx",
    "calldata picture.png @ --commitment commitment": "proof",
    "calldata picture.png proof --commitment @": "commitment",
    "contract --commitment @ --out new": "commitment",
    "chain deploy --predict --model @": "model exact keras.keras onnx.onnx",
    "chain deploy --verifier --commitment @": "commitment",
    "chain predict picture.png --model @": "model exact keras.keras onnx.onnx",
    "chain verify picture.png @ --commitment commitment": "proof",
    "chain verify picture.png proof --commitment @": "commitment",
    "chain verify-batch @ batch --commitment commitment": "idx idx.gz array.npy",
    "chain verify-batch array.npy @ --commitment commitment": "batch",
    "chain verify-batch array.npy batch --commitment @": "commitment",
    "script build @ --out new": "model exact keras.keras onnx.onnx",
    "script run @ picture.png --digit 1": "",
    "bench picture.png --model @ --runs 1": "model",
    "bench --proof-size @": "model",
}



@pytest.mark.parametrize("slot", SLOTS)
def test_a_file_of_another_kind_is_one_line_that_names_it(run, shelf, monkeypatch, slot):
    monkeypatch.chdir(shelf)
    before = sorted(path.name for path in shelf.iterdir())
    for name in (*OWN, *OTHERS):
        if name in SLOTS[slot].split():
            continue
        found = run(*(name if word == "@" else word for word in slot.split()))
        refusal = found.err.splitlines()[-1] if found.code == 2 else found.out.splitlines()[0]
        assert found.code in (1, 2) and refusal.startswith(("zkpredict: ", "INVALID")), (name, found)
        assert name not in OWN or OWN[name] in found.out + found.err, (name, found)
        assert sorted(path.name for path in shelf.iterdir()) == before, name


@pytest.mark.parametrize("name", OWN)
def test_a_file_that_is_cut_short_is_named_by_inspect(run, shelf, tmp_path, name):
    data = (shelf / name).read_bytes()
    for size in (4, 5, min(30, len(data) - 1)):
        (tmp_path / "cut").write_bytes(data[:size])
        found = run("inspect", tmp_path / "cut")
        assert (found.code, found.out) == (2, "") and found.err.startswith(f"zkpredict: {tmp_path / 'cut'}") and found.err.count("\n") == 1
