"""`zkpredict look`, and what the other commands say of a picture on its way to the bytes they prove."""

import hashlib

import numpy as np
import pytest
from cli_desk import expect_refusal
from PIL import Image

from zkpredict.circuits.files.images import load_image
from zkpredict.prover.model import Model
from support import random_network


@pytest.fixture
def seven(root):
    return root / "examples" / "seven.png"


@pytest.fixture
def mnist(root):
    return root / "examples" / "mnist.model"


def test_look_shows_what_the_network_sees_and_what_it_answers(run, seven, mnist, root):
    pixels = load_image(seven, 784)
    shown = run("look", seven, "--model", mnist)
    lines = shown.out.splitlines()
    assert (shown.code, shown.err) == (0, "")
    assert lines[0] == lines[29] == "+" + "-" * 56 + "+"
    for line, row in zip(lines[1:29], pixels.reshape(28, 28).tolist()):
        assert [line[0], line[-1]] == ["|", "|"] and line[1:-1:2] == line[2:-1:2]
        assert [" .:-=+*#%@".index(mark) for mark in line[1:-1:2]] == [shade * 10 // 256 for shade in row]
    assert lines[30:] == [f"  image     28 x 28 bytes, sha256 {hashlib.sha256(pixels).hexdigest()}", "  answer    7 (nothing is proven yet)"]
    facts = run("look", seven, "--commitment", root / "examples" / "mnist.commitment", "--json").json
    assert facts == {"side": 28, "image_sha256": hashlib.sha256(pixels).hexdigest(), "pixels": pixels.tolist()}


def test_the_png_that_look_writes_is_the_same_image(run, seven, mnist, tmp_path):
    dark = tmp_path / "dark.png"
    Image.fromarray(255 - np.asarray(Image.open(seven))).save(dark)
    seen = tmp_path / "seen.png"
    assert run("look", dark, "--invert", "--model", mnist, "--out", seen).out.endswith(f"  written   {seen}\n")
    assert Image.open(seen).size == (280, 280)
    assert run("look", dark, "--invert", "--model", mnist, "--out", seen).code == 0  # its own picture may be made again
    before = dark.read_bytes()
    refused = run("look", seven, "--model", mnist, "--out", dark)
    why = "it holds something else than what a network sees of a picture; give another name, or add --force to replace it"
    assert (refused.code, refused.err, dark.read_bytes()) == (2, f"zkpredict: cannot write {dark}: {why}\n", before)
    assert load_image(seen, 784).tolist() == load_image(seven, 784).tolist() != load_image(dark, 784).tolist()


def test_look_refuses_what_it_cannot_show(run, desk, seven):
    table = desk.folder / "table.model"
    Model(random_network(1, (30, 3))).save(table)
    before = desk.contents()
    none = "a network of 30 inputs sees no square picture: there is nothing to look at"
    expect_refusal(desk, before, run("look", seven, "--model", table), none)
    over = f"cannot write {desk.image}: it is the image"
    expect_refusal(desk, before, run("look", desk.image, "--model", desk.model, "--out", desk.image), over)
    outcome = run("look", seven)
    assert outcome.code == 2 and outcome.err.endswith("zkpredict: one of the arguments --model --commitment is required\n")


def test_prove_and_verify_say_what_changed_and_agree(run, desk):
    clear = desk.folder / "clear.png"
    shades = np.kron(desk.pixels.reshape(6, 6), np.ones((1, 1), np.uint8))
    Image.fromarray(np.stack([np.zeros_like(shades)] * 3 + [shades], axis=-1)).save(clear)
    note = f"{clear}: transparent parts are taken as white paper and the picture is inverted, because the ink is dark"
    proof = desk.folder / "clear.proof"
    made = run("prove", clear, "--model", desk.model, "--out", proof)
    assert (made.code, made.err) == (0, f"note: {note}\n")
    plain = run("prove", desk.image, "--model", desk.model, "--out", proof, "--json")
    assert "notes" not in plain.json and plain.json["image_sha256"] in made.out
    checked = run("verify", clear, proof, "--commitment", desk.commitment, "--json")
    assert (checked.code, checked.err, checked.json["valid"], checked.json["notes"]) == (0, "", True, [note])
    refused = run("prove", clear, "--model", desk.model, "--out", proof, "--digit", desk.digit ^ 1, "--json")
    assert (refused.code, refused.json["notes"]) == (1, [note])


def test_a_blank_picture_needs_a_word(run, desk):
    blank = desk.folder / "blank.png"
    Image.new("L", (6, 6), 255).save(blank)
    before = desk.contents()
    outcome = run("prove", blank, "--model", desk.model, "--out", desk.folder / "b.proof")
    insist = "so there is nothing to recognise: look for faint ink with --auto, or insist with --allow-blank"
    expect_refusal(desk, before, outcome, f"image {blank} is one shade (255) all over for the network, {insist}")
    assert run("prove", blank, "--model", desk.model, "--out", desk.folder / "b.proof", "--allow-blank").code == 0


@pytest.mark.parametrize("option", ["--auto", "--allow-blank"])
def test_bytes_of_an_idx_file_are_not_looked_through(run, desk, root, option):
    idx = root / "tests" / "data" / "t10k-images-idx3-ubyte.gz"
    outcome = run("look", "--idx", idx, "--index", 0, "--model", root / "examples" / "mnist.model", option)
    if option == "--auto":
        assert (outcome.code, outcome.err) == (2, "zkpredict: --auto is for pictures: an idx file holds the bytes themselves\n")
    else:
        assert outcome.code == 0


@pytest.mark.parametrize("command", ["prove", "look", "commit", "chain predict", "bench"])
def test_every_command_that_takes_a_model_names_a_keras_file(run, desk, root, command):
    keras = root / "examples" / "mnist.keras"
    words = command.split() + ([] if command == "commit" else [str(desk.image)])
    out = ["--out", str(desk.folder / "new")] if command in ("prove", "look", "commit") else []
    before = desk.contents()
    named = desk.folder / "named"
    named.write_bytes(keras.read_bytes())
    before = desk.contents()
    what = "network" if command == "chain predict" else "model"
    message = f"{named} is no {what} file: it is a Keras model (`zkpredict quantize {named} --out FILE` makes a model file of it)"
    expect_refusal(desk, before, run(*words, "--model", named, *out), message)


def test_a_file_in_place_of_the_proof_is_named_beside_the_verdict(run, desk):
    public = ("--commitment", desk.commitment)
    outcome = run("verify", desk.image, desk.commitment, *public)
    named = f"note: {desk.commitment} is no proof: it is a public model commitment (`zkpredict verify IMAGE PROOF --commitment {desk.commitment}` takes it)"
    verdict = "INVALID (MalformedProof): proof: magic is b'zkpK\\x01', expected b'zkpP\\x01'"
    assert (outcome.code, outcome.out, outcome.err) == (1, f"{verdict}\n", f"{named}\n")
    assert run("verify", desk.image, desk.proof, *public).err == ""


def test_a_picture_in_place_of_an_idx_file_is_named(run, desk):
    outcome = run("prove", "--idx", desk.image, "--index", 0, "--model", desk.model, "--out", desk.folder / "new")
    named = f"it is a picture (`zkpredict prove {desk.image} --model FILE --out PROOF` takes it)"
    assert (outcome.code, outcome.err) == (2, f"zkpredict: {desk.image} is no idx images file: {named}\n")


def test_a_proof_in_place_of_the_image_is_named(run, desk):
    outcome = run("verify", desk.proof, desk.image, "--commitment", desk.commitment)
    named = f"it is a proof (`zkpredict verify IMAGE {desk.proof} --commitment FILE` checks it)"
    assert outcome.err.splitlines()[-1] == f"zkpredict: image {desk.proof} is neither PNG nor JPEG nor .npy: {named}" and outcome.code == 2
