"""prove-many: what it reads, keeps, refuses, and in which order it says what it did."""

import json

import numpy as np
import pytest
from cli_desk import MISMATCH, Outcome
from PIL import Image

from zkpredict.prover.commit import commit_model
from zkpredict.prover.many import Job, verified


def refused(desk, outcome, message):
    """One line, and nothing was made."""
    assert outcome == Outcome(2, "", f"zkpredict: {message}\n")
    assert not (desk.folder / "p").exists()


@pytest.fixture
def folder(desk):
    """A folder of three pictures, the last one the desk's."""
    pictures = desk.folder / "pictures"
    pictures.mkdir()
    for number, name in enumerate(("b", "a", "c")):
        pixels = np.random.default_rng(number).integers(0, 256, (6, 6), dtype=np.uint8)
        Image.fromarray(pixels if name != "c" else desk.pixels.reshape(6, 6)).save(pictures / f"{name}.png")
    return pictures


def test_a_folder_becomes_proofs_by_name_and_an_index_in_order(run, desk, committed, folder):
    out = desk.folder / "proofs"
    made = run("prove-many", folder, "--model", desk.model, "--out", out, "--workers", 1, "--json")
    assert (made.code, made.err) == (0, "")
    assert {name: made.json[name] for name in ("proven", "kept", "refused", "inputs")} == {"proven": 3, "kept": 0, "refused": 0, "inputs": 3}
    index = json.loads((out / "index.json").read_text())
    assert [entry["name"] for entry in index["proofs"]] == ["a", "b", "c"] and index["model_id"] == committed.commitment.model_id.hex()
    assert index["proofs"][2]["digit"] == desk.digit
    assert run("verify", folder / "a.png", out / "a.proof", "--commitment", desk.commitment).code == 0
    assert run("verify", folder / "b.png", out / "a.proof", "--commitment", desk.commitment).code == 1


def test_what_is_proven_is_kept(run, desk, folder):
    out = desk.folder / "proofs"
    words = ("prove-many", folder, "--model", desk.model, "--out", out, "--workers", 1)
    assert run(*words).code == 0
    before = {path.name: path.read_bytes() for path in out.glob("*.proof")}
    (out / "b.proof").unlink()
    again = run(*words)
    assert again.code == 0 and again.out.splitlines()[0] == f"3 of 3 inputs proven and verified in {out} (2 were there already)."
    assert {name: (out / name).read_bytes() for name in ("a.proof", "c.proof")} == {name: before[name] for name in ("a.proof", "c.proof")}


def test_the_images_of_an_array_are_numbered(run, desk, committed):
    images = np.random.default_rng(3).integers(0, 256, (2, 6, 6), dtype=np.uint8)
    np.save(desk.folder / "two.npy", images)
    made = run("prove-many", desk.folder / "two.npy", "--model", desk.model, "--out", desk.folder / "p", "--workers", 1, "--for", "job", "--json")
    assert made.code == 0
    job = Job("00001", images[1].tobytes(), bytes.fromhex(made.json["context"]))
    assert verified(committed.commitment, job, (desk.folder / "p" / "00001.proof").read_bytes()) == (committed.predict(images[1].reshape(-1)),)


def test_other_files_of_a_folder_are_left_out_and_the_first_inputs_can_be_chosen(run, desk, folder):
    (folder / "notes.txt").write_text("a")
    made = run("prove-many", folder, "--count", 2, "--model", desk.model, "--out", desk.folder / "p", "--workers", 1)
    assert (made.code, made.err) == (0, f"note: {folder}: 1 files that are no pictures are left out (notes.txt)\n")
    assert sorted(path.name for path in (desk.folder / "p").iterdir()) == ["a.proof", "b.proof", "index.json"]


def test_nothing_is_written_over(run, desk, folder):
    out = desk.folder / "proofs"
    out.mkdir()
    (out / "a.proof").write_bytes(desk.proof.read_bytes())
    refused(
        desk, run("prove-many", folder, "--model", desk.model, "--out", out, "--workers", 1),
        f"{out / 'a.proof'} is no proof about this input by this model ({MISMATCH}): move it away, or give another folder",
    )
    (out / "a.proof").write_bytes(b"my notes")
    refused(
        desk, run("prove-many", folder, "--model", desk.model, "--out", out, "--workers", 1),
        f"cannot write {out / 'a.proof'}: it holds something else than a proof; give another name, or add --force to replace it",
    )
    assert (out / "a.proof").read_bytes() == b"my notes" and not (out / "b.proof").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--worker-model", "/m"), "--worker-model goes with --scheduler"),
        (("--tls-ca", "x"), "--tls-ca goes with --scheduler"),
        (("--scheduler", "tcp://127.0.0.1:1", "--workers", "2"), "--workers is for this machine: a cluster has the workers that it has"),
        (("--scheduler", "tls://127.0.0.1:1", "--tls-ca", "x"), "TLS takes --tls-ca, --tls-cert, --tls-key: --tls-cert is missing"),
        (
            ("--scheduler", "tcp://127.0.0.1:1"),
            "the weights would travel to tcp://127.0.0.1:1 unencrypted: give --tls-ca, --tls-cert and --tls-key for a scheduler with TLS, or "
            "--worker-model PATH if every worker has the model file",
        ),
    ],
)
def test_options_that_do_not_go_together(run, desk, folder, options, message):
    refused(desk, run("prove-many", folder, "--model", desk.model, "--out", desk.folder / "p", *options), message)


def test_inputs_that_do_not_fit_are_named(run, desk, folder):
    words = ("--model", desk.model, "--out", desk.folder / "p")
    np.save(folder / "a.npy", np.zeros(36, np.uint8))
    refused(desk, run("prove-many", folder, *words), f"{folder} holds two pictures called a: their proofs would have one name")
    np.save(desk.folder / "x.npy", np.zeros((2, 5), np.uint8))
    refused(
        desk, run("prove-many", desk.folder / "x.npy", *words),
        f"{desk.folder / 'x.npy'} has the shape [2, 5], expected one input of 36 bytes a row",
    )
    np.save(desk.folder / "y.npy", np.zeros((0, 36), np.uint8))
    refused(desk, run("prove-many", desk.folder / "y.npy", *words), f"{desk.folder / 'y.npy'} holds no inputs")
    refused(
        desk, run("prove-many", desk.proof, *words),
        f"{desk.proof} is no folder, .npy, idx file or table of inputs: "
        f"it is a proof (`zkpredict verify IMAGE {desk.proof} --commitment FILE` checks it)",
    )
    (desk.folder / "t.csv").write_text("a,b\n1,2\n")
    refused(
        desk, run("prove-many", desk.folder / "t.csv", *words),
        f"{desk.folder / 't.csv'} is a table, and this model has no feature scale: it takes pictures, .npy of uint8, or idx files",
    )


def test_models_without_a_commitment_or_for_hidden_inputs_are_refused(run, desk, committed, folder):
    bare, hidden = desk.folder / "bare.model", desk.folder / "hidden.model"
    type(committed)(committed.network).save(bare)
    words = ("prove-many", folder, "--out", desk.folder / "p", "--model")
    refused(desk, run(*words, bare), f"{bare} has no commitment yet: `zkpredict commit --model {bare} --out FILE` makes it")
    commit_model(committed.network, private_input=True).save(hidden)
    refused(desk, run(*words, hidden), f"{hidden} takes hidden inputs: `zkpredict prove --hidden OPENING` proves about one")


@pytest.fixture
def batched(desk, committed):
    """The paths of the desk's network, committed for batches, and of eight images."""
    made = commit_model(committed.network, domain=512, batch=True)
    made.save(desk.folder / "b.model")
    made.commitment.save(desk.folder / "b.commitment")
    np.save(desk.folder / "eight.npy", np.random.default_rng(4).integers(0, 256, (8, 6, 6), dtype=np.uint8))
    return desk.folder / "b.model", desk.folder / "b.commitment", desk.folder / "eight.npy"


def test_batches_are_proven_kept_and_listed_in_order(run, desk, committed, batched):
    model, commitment, data = batched
    words, out = ("prove-many", data, "--batch", 3, "--model", model, "--out", desk.folder / "b", "--workers", 1), desk.folder / "b"
    made = run(*words, "--skip", 1, "--json")
    assert (made.code, made.json["proven"], made.json["proofs"]) == (0, 7, 3)
    names = ["00001-00003.batch", "00004-00006.batch", "00007-00007.batch"]
    assert sorted(path.name for path in out.iterdir()) == [*names, "index.json"]
    listed = [(entry["proof"], entry["place"], entry["digit"]) for entry in json.loads((out / "index.json").read_text())["proofs"]]
    digits = list(map(committed.predict, np.load(data)[1:].reshape(7, 36)))
    assert listed == list(zip([names[0]] * 3 + [names[1]] * 3 + [names[2]], [0, 1, 2, 0, 1, 2, 0], digits, strict=True))
    assert run("verify-batch", data, out / names[1], "--skip", 4, "--count", 3, "--commitment", commitment).code == 0
    assert run("verify-batch", data, out / names[1], "--skip", 3, "--count", 3, "--commitment", commitment).code == 1
    before = (out / names[0]).read_bytes()
    (out / names[1]).unlink()
    again = run(*words, "--skip", 1)
    assert again.out.splitlines()[0] == f"7 of 7 inputs proven and verified in {out} (4 were there already)." and (out / names[0]).read_bytes() == before
    check = next(line for line in again.out.splitlines() if line.startswith("  check "))
    checked = check.split("zkpredict ")[1].replace("FILE", str(commitment)).split()
    assert checked[2] == str(out / names[2]) and run(*checked).code == 0


def test_what_cannot_be_a_folder_of_batches_is_refused(run, desk, batched):
    model, _, data = batched
    words = ("prove-many", data, "--batch", 3, "--out", desk.folder / "p", "--model")
    refused(desk, run(*words, desk.model), "compact circuits have no batches: `zkpredict commit --batch --again --model FILE --out FILE` makes a commitment that has them")
    refused(desk, run(*words, model, "--skip", 8), f"{data} holds no inputs")
    refused(desk, run(*words, model, "--skip", 3, "--count", 6), f"{data} holds 8 inputs: --skip 3 --count 6 is more")
    refused(desk, run(*words, model, "--skip", 9), f"{data} holds 8 inputs: --skip 9 is more")
    other = desk.folder / "b"
    other.mkdir()
    (other / "00000-00002.batch").write_bytes(desk.proof.read_bytes())
    outcome = run(*words[:-2], other, "--model", model)
    assert outcome.code == 2 and "00000-00002.batch: it holds a proof, not a proof of a batch" in outcome.err


def test_an_interrupt_says_what_is_kept(run, desk, folder, monkeypatch):
    """Ctrl-C after the first proof: it is there, and the same command goes on."""
    from zkpredict.prover import many

    whole, out = many.prove_many, desk.folder / "proofs"

    def interrupted(*words):
        yield next(whole(*words))
        raise KeyboardInterrupt

    words = ("prove-many", folder, "--model", desk.model, "--out", out, "--workers", 1)
    monkeypatch.setattr(many, "prove_many", interrupted)
    outcome = run(*words)
    assert outcome == Outcome(130, "", f"zkpredict: interrupted: 1 proofs were made, and are kept in {out}; the same command goes on from there\n")
    monkeypatch.setattr(many, "prove_many", whole)
    assert "(1 were there already)" in run(*words).out
