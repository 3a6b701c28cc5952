"""Batches and scores as a user meets them: folders, arrays and idx files; refusals name what to type."""

import numpy as np
import pytest
from cli_desk import FORGOTTEN, MEANT
from PIL import Image
from support import MISMATCH, changed, random_network

from zkpredict.prover.model import Model

NETWORK = random_network(5, (36, 20, 4))
OTHER = f"{MEANT}; `zkpredict verify` and `verify-batch` check files without a chain"


@pytest.fixture
def place(tmp_path, run):
    """A model committed for batches; seven inputs as an array and as a folder, and labels of which one is wrong."""
    Model(NETWORK).save(tmp_path / "m.model")
    assert run("commit", "--model", tmp_path / "m.model", "--batch", "--domain", 512, "--out", tmp_path / "m.commitment").code == 0
    images = np.random.default_rng(2).integers(0, 256, (7, 6, 6), dtype=np.uint8)
    np.save(tmp_path / "i.npy", images)
    (tmp_path / "pictures").mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / "pictures" / f"{number}.png")
    digits = NETWORK.infer(images.reshape(7, 36)).digits
    labels = digits.astype(np.uint8)
    labels[2] = (labels[2] + 1) % 4
    np.save(tmp_path / "l.npy", labels)
    return tmp_path, [int(digit) for digit in digits]


def test_a_batch_is_proven_and_checked(run, place):
    folder, digits = place
    made = run("prove-batch", folder / "i.npy", "--model", folder / "m.model", "--out", folder / "p.batch", "--json", "--for", "job")
    assert made.code == 0 and made.json["classes"] == digits and made.json["proof_bytes"] == (folder / "p.batch").stat().st_size
    common = ("--commitment", folder / "m.commitment")
    for data, flags in (("i.npy", ()), ("pictures", ()), ("i.npy", ("--independent",))):
        checked = run("verify-batch", folder / data, folder / "p.batch", *common, "--for", "job", *flags)
        assert checked.code == 0 and ", ".join(map(str, digits)) in checked.out and checked.out.startswith("VALID: ")
    alike = run("verify-batch", folder / "i.npy", folder / "p.batch", *common)
    assert (alike.code, alike.out) == (1, f"INVALID (FailedOpening): {MISMATCH}\n  {FORGOTTEN}\n")
    fewer = run("verify-batch", folder / "i.npy", folder / "p.batch", *common, "--count", 6, "--for", "job")
    assert (fewer.code, fewer.out) == (1, "INVALID (WrongStatement): the proof is about 7 inputs, there are 6\n")
    single = run("verify", folder / "pictures" / "0.png", folder / "p.batch", *common)
    assert single.code == 1 and "proof: this is one of a batch: `zkpredict verify-batch` checks it" in single.out


def test_a_score_is_proven_and_checked(run, place):
    folder, _ = place
    files = (folder / "i.npy", "--labels", folder / "l.npy")
    made = run("score", *files, "--model", folder / "m.model", "--out", folder / "s.score")
    assert made.code == 0 and made.out.startswith("The network is right on 6 of 7 images (85.71 %), and ")
    check = ("verify-score", folder / "i.npy", folder / "s.score", "--labels", folder / "l.npy", "--commitment", folder / "m.commitment")
    assert run(*check, "--json").json["right"] == 6 and run(*check, "--at-least", 6).code == 0
    more = run(*check, "--at-least", 7)
    assert (more.code, more.out) == (1, "INVALID (WrongStatement): the network is right on 6 of 7, fewer than 7\n")
    data = (folder / "s.score").read_bytes()
    (folder / "s.score").write_bytes(changed(data, 40))
    assert run(*check).out == "INVALID (WrongStatement): the score says 7 right answers, its classes give 6\n"
    (folder / "s.score").write_bytes(data)
    labels = np.load(folder / "l.npy")
    np.save(folder / "l.npy", labels[::-1])
    assert "INVALID (WrongStatement): the score is of test set " in run(*check).out


def test_workers_make_the_same_score(run, place):
    folder, _ = place
    files, model = (folder / "i.npy", "--labels", folder / "l.npy"), ("--model", folder / "m.model", "--out")
    alone, shared = (run("score", *files, *model, folder / f"{name}.score", *options, "--json").json for name, options in (("a", ()), ("b", ("--workers", 1))))
    same = ("inputs", "right", "set_id", "proof_bytes", "parts")
    assert [shared[name] for name in same] == [alone[name] for name in same]
    assert run("verify-score", files[0], folder / "b.score", *files[1:], "--commitment", folder / "m.commitment").code == 0
    for options, message in (
        (("--worker-model", "/m"), "--worker-model goes with --scheduler"),
        (("--registered", folder / "x", "--workers", 1), "--workers does not go with --registered: a score on a registered set is one part"),
    ):
        found = run("score", *files, *model, folder / "c.score", *options)
        assert (found.code, found.err) == (2, f"zkpredict: {message}\n") and not (folder / "c.score").exists()


def test_files_of_another_kind_are_named(run, place):
    folder, _ = place
    files = ("--model", folder / "m.model", "--out")
    assert run("prove-batch", folder / "i.npy", *files, folder / "p.batch").code == 0
    assert run("score", folder / "i.npy", "--labels", folder / "l.npy", *files, folder / "s.score").code == 0
    common, labels = (folder / "i.npy", "--commitment", folder / "m.commitment"), ("--labels", folder / "l.npy")
    score = run("verify-batch", common[0], folder / "s.score", *common[1:])
    said = f"it is a proven score (`zkpredict verify-score DATA {folder / 's.score'} --labels FILE --commitment FILE` checks it)"
    assert score.code == 1 and score.err == f"note: {folder / 's.score'} is no proof of a batch: {said}\n"
    batch = run("verify-score", common[0], folder / "p.batch", *common[1:], *labels)
    said = f"it is a proof of a batch (`zkpredict verify-batch DATA {folder / 'p.batch'} --commitment FILE` checks it)"
    assert batch.code == 1 and batch.err == f"note: {folder / 'p.batch'} is no proven score: {said}\n"
    right = run("verify-score", common[0], folder / "s.score", *common[1:], *labels)
    assert (right.code, right.err) == (0, "")
    picture = folder / "pictures" / "0.png"
    wrong = run("verify-score", common[0], folder / "s.score", *common[1:], "--labels", picture)
    said = f"it is a picture (`zkpredict prove {picture} --model FILE --out PROOF` takes it)"
    assert (wrong.code, wrong.err) == (2, f"zkpredict: {picture} is no .npy, idx file or table of labels: {said}\n")
    (folder / "t.csv").write_text("a,b\n1,2\n")
    table = run("prove-batch", folder / "t.csv", *files, folder / "x.batch")
    said = "a table, and this model has no feature scale: it takes pictures, .npy of uint8, or idx files"
    assert (table.code, table.err) == (2, f"zkpredict: {folder / 't.csv'} is {said}\n")


def test_files_are_explained(run, place):
    folder, digits = place
    assert run("prove-batch", folder / "i.npy", "--model", folder / "m.model", "--out", folder / "p.batch").code == 0
    assert run("score", folder / "i.npy", "--labels", folder / "l.npy", "--model", folder / "m.model", "--out", folder / "s.score").code == 0
    model_id = Model.load(folder / "m.model").commitment.model_id.hex()
    for name, kind, more in (("p.batch", "proof of a batch (public)", {}), ("s.score", "score (public)", {"right answers": 6})):
        said = run("inspect", folder / name, "--json").json
        head = {"file": kind, "inputs": 7, "parts": 1, "inputs in each": 7, "model id": model_id, **more}
        assert {key: said[key] for key in head} == head
        (folder / "cut").write_bytes((folder / name).read_bytes()[:30])
        cut = run("inspect", folder / "cut")
        assert cut.code == 2 and cut.err.startswith(f"zkpredict: {folder / 'cut'}: ")


def test_what_cannot_be_proven_is_refused_by_name(run, place):
    folder, _ = place
    prove = ("--model", folder / "m.model", "--out", folder / "x.batch")
    np.save(folder / "wide.npy", np.zeros((2, 35), np.uint8))
    np.save(folder / "floats.npy", np.zeros((2, 36)))
    (folder / "empty").mkdir()
    for arguments, message in (
        ((folder / "wide.npy", *prove), f"{folder / 'wide.npy'} has the shape [2, 35], expected one input of 36 bytes a row"),
        (
            (folder / "floats.npy", *prove),
            f"inputs {folder / 'floats.npy'} holds float64 from 0 to 0; what is proven is uint8 from 0 to 255. If 1 stands for 255, "
            f"`np.save('{folder / 'floats-uint8.npy'}', np.rint(255.0 * np.load('{folder / 'floats.npy'}')).astype(np.uint8))` makes bytes",
        ),
        ((folder / "empty", *prove), f"{folder / 'empty'} holds no inputs"),
        ((folder / "i.npy", "--count", 8, *prove), f"{folder / 'i.npy'} holds 7 inputs: --count 8 is more"),
        ((folder / "i.npy", "--auto", *prove), f"{folder / 'i.npy'} holds the bytes themselves: --auto and --allow-blank are for folders of pictures"),
        ((folder / "i.npy", "--model", folder / "m.model", "--out", folder / "m.model"), f"cannot write {folder / 'm.model'}: it is the model file"),
        (
            (folder / "m.commitment", *prove),
            f"{folder / 'm.commitment'} is no folder, .npy, idx file or table of inputs: it is a public model commitment "
            f"(`zkpredict verify IMAGE PROOF --commitment {folder / 'm.commitment'}` takes it)",
        ),
    ):
        found = run("prove-batch", *arguments)
        assert (found.code, found.out, found.err) == (2, "", f"zkpredict: {message}\n")
    assert not (folder / "x.batch").exists()
    np.save(folder / "short.npy", np.zeros(3, np.uint8))
    short = run("score", folder / "i.npy", "--labels", folder / "short.npy", *prove)
    assert short.err == f"zkpredict: {folder / 'short.npy'} has the shape [3], there are 7 inputs in {folder / 'i.npy'}\n"
    np.save(folder / "short.npy", np.full(7, 4, np.uint8))
    beyond = run("score", folder / "i.npy", "--labels", folder / "short.npy", *prove)
    assert beyond.err == "zkpredict: label 0 is 4, the network has 4 classes\n"


def test_models_without_batches_say_what_to_type(run, place):
    folder, _ = place
    plain = folder / "plain.model"
    Model(NETWORK).save(plain)
    bare = run("prove-batch", folder / "i.npy", "--model", plain, "--out", folder / "x.batch")
    assert bare.err == f"zkpredict: {plain} has no commitment yet: `zkpredict commit --batch --model {plain} --out FILE` makes it\n"
    assert run("commit", "--model", plain, "--out", folder / "plain.commitment").code == 0
    advice = "compact circuits have no batches: `zkpredict commit --batch --again --model FILE --out FILE` makes a commitment that has them"
    for command in (("prove-batch", folder / "i.npy", "--model", plain), ("score", folder / "i.npy", "--labels", folder / "l.npy", "--model", plain)):
        assert run(*command, "--out", folder / "x.batch").err == f"zkpredict: {advice}\n"
    again = run("commit", "--model", plain, "--batch", "--out", folder / "plain.commitment")
    assert again.err == f"zkpredict: {plain} is committed without batches: add --again to replace its commitment\n"
    chain = run("commit", "--model", plain, "--batch", "--for", "chain", "--again", "--out", folder / "plain.commitment")
    assert chain.err == "zkpredict: --batch does not go with --for: that is one circuit, with nothing to choose\n"
    slots = run("commit", "--model", folder / "m.model", "--batch", "--out", folder / "m.commitment")
    assert slots.code == 0 and "1 track with 8 slots for batches" in slots.out


@pytest.mark.node
def test_a_contract_checks_a_batch(run, place):
    folder, digits = place
    assert run("prove-batch", folder / "i.npy", "--model", folder / "m.model", "--out", folder / "p.batch").code == 0
    common, state = ("--commitment", folder / "m.commitment"), ("--state", folder / "chain.json")
    made = run("chain", "deploy", "--verifier", "--batch", 7, *common, *state, "--json")
    assert made.code == 0 and made.json["kind"].startswith("BatchVerifier_36_20_4_x7_n512_")
    check = ("chain", "verify-batch", folder / "i.npy", folder / "p.batch", *common)
    at = ("--contract", made.json["contract"], *state)
    unknown = run(*check, *at)
    assert unknown.code == 1 and unknown.out.startswith("INVALID: UnknownModel(0x") and "register it first: zkpredict chain register" in unknown.out
    assert run("chain", "register", *common, *at).code == 0
    valid = run(*check, *at)
    assert valid.code == 0 and valid.out.startswith("VALID: the contract accepts that the network under ") and " an input" in valid.out
    asked = run(*check, "--json")
    assert asked.json["classes"] == digits and asked.json["gas"] > 200_000
    images = np.load(folder / "i.npy")
    np.save(folder / "i.npy", images[::-1])
    assert (run(*check, *at).code, run(*check, *at).out) == (1, f"INVALID: OpeningFailed\n  {OTHER}\n")
    np.save(folder / "i.npy", images)
    alone = run("chain", "deploy", "--verifier", "--batch", 7, "--universal")
    assert alone.code == 2 and "a verifier of batches is for one circuit" in alone.err
    free = run(*check, "--any-code")
    assert free.code == 2 and "--any-code goes with --contract" in free.err
    fewer = run(*check, "--count", 6)
    assert (fewer.code, fewer.out) == (1, "INVALID: WrongImageLength(216)\n")
