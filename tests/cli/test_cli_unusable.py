"""Input that cannot be used: exit code 2, one line for each error, nothing half-written."""

import numpy as np
import pytest
from cli_desk import MISMATCH, Outcome, expect_refusal
from support import changed

from zkpredict.circuits.files import storage
from zkpredict.prover.model import Model


def test_missing_files_are_named(run, desk):
    before, no = desk.contents(), desk.folder / "no"
    out = desk.folder / "new.proof"
    for arguments, what in (
        (("prove", no, "--model", desk.model, "--out", out), "image"),
        (("prove", desk.image, "--model", no, "--out", out), "model"),
        (("prove", "--idx", no, "--index", 0, "--model", desk.model, "--out", out), "idx images"),
        (("verify", no, desk.proof, "--commitment", desk.commitment), "image"),
        (("verify", desk.image, no, "--commitment", desk.commitment), "proof"),
        (("verify", desk.image, desk.proof, "--commitment", no), "commitment"),
        (("verify", desk.image, desk.proof, "--commitment", no, "--independent"), "commitment"),
        (("commit", "--model", no, "--out", out), "model"),
        (("inspect", no), "file"),
    ):
        expect_refusal(desk, before, run(*arguments), f"cannot read {what} {no}: No such file or directory")
    expect_refusal(desk, before, run("inspect", desk.folder), f"cannot read file {desk.folder}: Is a directory")


def test_errors_in_json_say_the_same_on_both_streams(run, desk):
    no = desk.folder / "no"
    outcome = run("inspect", no, "--json")
    message = f"cannot read file {no}: No such file or directory"
    assert (outcome.code, outcome.err, outcome.json) == (2, f"zkpredict: {message}\n", {"error": message, "exit_code": 2})
    other = (desk.digit + 1) % 4
    outcome = run("prove", desk.image, "--model", desk.model, "--out", no, "--digit", other, "--json")
    message = f"cannot prove digit {other}: the network says {desk.digit}"
    assert (outcome.code, outcome.err, outcome.json) == (1, f"zkpredict: {message}\n", {"error": message, "exit_code": 1})


def test_a_name_of_two_lines_still_gives_one_line(run, tmp_path):
    outcome = run("inspect", tmp_path / "a\nb")
    assert outcome == Outcome(2, "", f"zkpredict: cannot read file {tmp_path}/a b: No such file or directory\n")


def test_an_output_that_cannot_be_written_leaves_nothing(run, desk):
    before = desk.contents()
    bad = desk.folder / "no" / "new"
    message = f"cannot write {bad}: No such file or directory"
    expect_refusal(desk, before, run("prove", desk.image, "--model", desk.model, "--out", bad), message)
    expect_refusal(desk, before, run("commit", "--model", desk.model, "--out", bad), message)
    expect_refusal(desk, before, run("commit", "--model", desk.model, "--out", bad, "--again"), message)
    folder = desk.folder
    message = f"cannot write {folder}: it is not a regular file"
    expect_refusal(desk, before, run("prove", desk.image, "--model", desk.model, "--out", folder), message)


def test_a_full_disk_leaves_the_old_files(run, desk, monkeypatch):
    def fail(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage.os, "fsync", fail)
    before = desk.contents()
    message = f"cannot write {desk.proof}: No space left on device"
    expect_refusal(desk, before, run("prove", desk.image, "--model", desk.model, "--out", desk.proof), message)
    outcome = run("commit", "--model", desk.model, "--out", desk.commitment, "--again")
    expect_refusal(desk, before, outcome, f"cannot write {desk.model}: No space left on device")


def test_images_that_cannot_be_used_are_refused(run, desk):
    def prove_it(name: str) -> Outcome:
        return run("prove", desk.folder / name, "--model", desk.model, "--out", desk.folder / "new.proof")

    np.save(desk.folder / "nan.npy", np.full(36, np.nan))
    np.save(desk.folder / "short.npy", desk.pixels[:35])
    (desk.folder / "cut.png").write_bytes(desk.image.read_bytes()[:60])
    (desk.folder / "text.png").write_bytes(b"not a picture")
    before = desk.contents()
    nan = f"image {desk.folder / 'nan.npy'} holds float64, and at [0] nan: save whole numbers from 0 to 255 with the type uint8"
    expect_refusal(desk, before, prove_it("nan.npy"), nan)
    expect_refusal(desk, before, prove_it("short.npy"), f"image {desk.folder / 'short.npy'} has 35 values, the network takes 36")
    expect_refusal(desk, before, prove_it("text.png"), f"image {desk.folder / 'text.png'} is neither PNG nor JPEG nor .npy")
    cut = prove_it("cut.png")
    assert (cut.code, cut.out, cut.err.count("\n")) == (2, "", 1) and desk.contents() == before
    assert cut.err.startswith(f"zkpredict: image {desk.folder / 'cut.png'} is damaged: ")


def test_the_choice_of_the_image_must_be_clear(run, desk):
    before, out = desk.contents(), desk.folder / "new.proof"
    one = "give one image: a picture (PNG, JPEG, .npy), or --idx FILE --index N"
    model = ("--model", desk.model, "--out", out)
    expect_refusal(desk, before, run("prove", *model), one)
    expect_refusal(desk, before, run("prove", desk.image, "--idx", "x", "--index", 0, *model), one)
    expect_refusal(desk, before, run("prove", desk.image, "--index", 0, *model), "--index goes with --idx")
    expect_refusal(desk, before, run("prove", "--idx", "x", *model), "--idx needs --index N")
    public = ("--commitment", desk.commitment)
    expect_refusal(desk, before, run("verify", desk.proof, *public), "verify takes IMAGE and PROOF, got 1 paths")
    both = run("verify", desk.image, desk.proof, "--idx", "x", *public)
    expect_refusal(desk, before, both, "verify takes only PROOF with --idx, got 2 paths")


@pytest.mark.parametrize("index", [3, -1])
def test_an_image_the_idx_file_does_not_hold_is_refused(run, desk, index):
    path = desk.folder / "images"
    path.write_bytes(b"\x00\x00\x08\x03" + b"".join(size.to_bytes(4, "big") for size in (3, 6, 6)) + bytes(108))
    outcome = run("prove", "--idx", path, "--index", index, "--model", desk.model, "--out", desk.folder / "new.proof")
    expect_refusal(desk, desk.contents(), outcome, f"idx images {path}: there is no image {index}, the file holds 3 (from 0)")
    path.write_bytes(b"\x00\x00\x08\x03" + b"".join(size.to_bytes(4, "big") for size in (3, 5, 6)) + bytes(90))
    outcome = run("prove", "--idx", path, "--index", 0, "--model", desk.model, "--out", desk.folder / "new.proof")
    expect_refusal(desk, desk.contents(), outcome, f"image 0 of {path} has 30 pixels, the network takes 36")


def test_damaged_models_and_commitments_are_refused_by_file(run, desk):
    model, commitment = desk.model.read_bytes(), desk.commitment.read_bytes()
    desk.model.write_bytes(model[:-1])
    desk.commitment.write_bytes(commitment + b"\x00")
    before = desk.contents()
    expect_refusal(
        desk, before, run("prove", desk.image, "--model", desk.model, "--out", desk.folder / "new"),
        f"{desk.model}: secret 1 needs 32 bytes at offset {len(model) - 32}, 31 are left",
    )
    for flag in ((), ("--independent",)):
        expect_refusal(
            desk, before, run("verify", desk.image, desk.proof, "--commitment", desk.commitment, *flag),
            f"{desk.commitment}: 1 bytes trail after the end at offset {len(commitment)}",
        )


@pytest.mark.parametrize("part", ["weight", "secret"])
def test_a_model_that_is_not_the_committed_one_proves_nothing(run, desk, part):
    data = desk.model.read_bytes()
    position = 21 if part == "weight" else len(data) - 1
    desk.model.write_bytes(changed(data, position))
    before = desk.contents()
    outcome = run("prove", desk.image, "--model", desk.model, "--out", desk.folder / "new.proof")
    message = f"{desk.model}: its weights or secrets are not those of its commitment ({MISMATCH})"
    expect_refusal(desk, before, outcome, message)


def test_an_uncommitted_model_says_what_to_do(run, desk, committed):
    Model(committed.network).save(desk.model)
    before = desk.contents()
    outcome = run("prove", desk.image, "--model", desk.model, "--out", desk.folder / "new.proof")
    expect_refusal(desk, before, outcome, f"{desk.model} has no commitment yet: `zkpredict commit --model {desk.model} --out FILE` makes it")
