"""prove, verify, commit and inspect as a user meets them: output, exit codes, one line for each error, nothing half-written."""

import gzip
import hashlib
import json
import os
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support import changed, random_network

from zkpredict.circuits import files
from zkpredict.circuits.network import DenseLayer, IntegerNetwork
from zkpredict.cli.main import COMMANDS, main
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.prover.prove import prove
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.native import parse_proof, verify

MISMATCH = "the opening does not match: the claim is false, or the proof was made for another statement"


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict:
        return json.loads(self.out)


@pytest.fixture
def run(capsys):
    """Runs a command in this process."""

    def command(*arguments) -> Outcome:
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return command


@dataclass(frozen=True)
class Desk:
    """A folder with a committed 36-12-4 model, its public commitment, an image and a proof."""

    folder: Path
    digit: int

    def __getattr__(self, name: str) -> Path:
        return self.folder / {"model": "m.model", "commitment": "m.commitment", "image": "i.png", "proof": "i.proof"}[name]

    def contents(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self.folder.iterdir()) if path.is_file()}

    @property
    def pixels(self) -> np.ndarray:
        return np.asarray(Image.open(self.image)).reshape(-1)


@pytest.fixture(scope="module")
def committed() -> Model:
    return commit_model(random_network(1, (36, 12, 4)))


@pytest.fixture
def desk(tmp_path, committed) -> Desk:
    folder = tmp_path / "desk"
    folder.mkdir()
    pixels = np.random.default_rng(2).integers(0, 256, (6, 6), dtype=np.uint8)
    made = Desk(folder, committed.predict(pixels.reshape(-1)))
    committed.save(made.model)
    committed.commitment.save(made.commitment)
    Image.fromarray(pixels).save(made.image)
    made.proof.write_bytes(prove(committed, pixels).to_bytes())
    return made


def expect_refusal(desk: Desk, before: dict[str, bytes], outcome: Outcome, message: str, code: int = 2) -> None:
    """Exit code, exactly one line on stderr, nothing on stdout, and every file as it was."""
    assert outcome == Outcome(code, "", f"zkpredict: {message}\n")
    assert desk.contents() == before


# prove and verify


def test_prove_then_verify(run, desk):
    out = desk.folder / "new.proof"
    proven = run("prove", desk.image, "--model", desk.model, "--out", out)
    assert (proven.code, proven.err) == (0, "")
    lines = proven.out.splitlines()
    assert lines[0] == f"The network says {desk.digit}, and {out} proves it."
    assert lines[1].startswith("  proof     583 bytes, made in ") and lines[1].endswith(" ms")
    assert lines[4] == "  public    image, digit, model id and commitment, network shape"
    assert lines[5] == "  private   every weight and bias"
    assert len(out.read_bytes()) == 583 and stat.S_IMODE(out.stat().st_mode) == 0o644
    checked = run("verify", desk.image, out, "--commitment", desk.commitment)
    assert (checked.code, checked.err) == (0, "")
    assert checked.out.startswith("VALID: the network under ") and f" says {desk.digit}.\n  verifier  native, " in checked.out


def test_prove_and_verify_in_json(run, desk):
    out = desk.folder / "new.proof"
    commitment = ModelCommitment.load(desk.commitment)
    said = run("prove", desk.image, "--model", desk.model, "--out", out, "--digit", desk.digit, "--json").json
    assert set(said.pop("seconds")) == {"start", "read", "prove", "check"}
    name = hashlib.sha256(desk.pixels.tobytes()).hexdigest()
    assert said == {
        "digit": desk.digit,
        "proof": str(out),
        "proof_bytes": 583,
        "model_id": commitment.model_id.hex(),
        "network": "36-12-4",
        "image_sha256": name,
    }
    for flag, verifier in ((), "native"), (("--independent",), "independent"):
        outcome = run("verify", desk.image, out, "--commitment", desk.commitment, "--digit", desk.digit, "--json", *flag)
        said = outcome.json
        assert set(said.pop("seconds")) == {"verify"} and outcome.code == 0
        assert said == {
            "valid": True,
            "verifier": verifier,
            "digit": desk.digit,
            "model_id": commitment.model_id.hex(),
            "image_sha256": name,
        }


def test_the_proof_written_is_the_one_the_library_verifies(run, desk, committed):
    out = desk.folder / "new.proof"
    run("prove", desk.image, "--model", desk.model, "--out", out)
    verify(committed.commitment, desk.pixels, parse_proof(out.read_bytes()))
    assert out.read_bytes() != desk.proof.read_bytes()


def test_images_come_from_npy_and_inverted_pictures_too(run, desk):
    np.save(desk.folder / "i.npy", desk.pixels.reshape(6, 6))
    Image.fromarray(255 - desk.pixels.reshape(6, 6)).save(desk.folder / "dark.png")
    for arguments in ((desk.folder / "i.npy",), (desk.folder / "dark.png", "--invert")):
        path, *options = arguments
        assert run("verify", path, desk.proof, "--commitment", desk.commitment, *options).code == 0
    assert run("verify", desk.folder / "dark.png", desk.proof, "--commitment", desk.commitment).code == 1


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_images_come_from_idx_files(run, desk, compress):
    images = np.stack([np.zeros(36, np.uint8), desk.pixels, 255 - desk.pixels])
    header = b"\x00\x00\x08\x03" + b"".join(size.to_bytes(4, "big") for size in (3, 6, 6))
    path = desk.folder / "images"
    path.write_bytes(compress(header + images.tobytes()))
    out = desk.folder / "new.proof"
    assert run("prove", "--idx", path, "--index", 1, "--model", desk.model, "--out", out).code == 0
    assert run("verify", out, "--idx", path, "--index", 1, "--commitment", desk.commitment).code == 0
    assert run("verify", out, "--idx", path, "--index", 2, "--invert", "--commitment", desk.commitment).code == 0
    assert run("verify", out, "--idx", path, "--index", 0, "--commitment", desk.commitment).code == 1
    assert run("verify", desk.image, out, "--commitment", desk.commitment).code == 0


def test_the_shipped_example_is_a_seven(run, root, tmp_path):
    examples, out = root / "examples", tmp_path / "seven.proof"
    assert run("prove", examples / "seven.png", "--model", examples / "mnist.model", "--out", out, "--json").json["digit"] == 7
    for flag in ((), ("--independent",)):
        outcome = run("verify", examples / "seven.png", out, "--commitment", examples / "mnist.commitment", "--digit", 7, *flag)
        assert outcome.code == 0 and outcome.out.splitlines()[0].endswith(" says 7.")


# Claims and proofs that are refused: exit code 1


def test_a_digit_the_network_does_not_say_is_not_proven(run, desk):
    before, other = desk.contents(), (desk.digit + 1) % 4
    outcome = run("prove", desk.image, "--model", desk.model, "--out", desk.folder / "new.proof", "--digit", other)
    expect_refusal(desk, before, outcome, f"cannot prove digit {other}: the network says {desk.digit}", code=1)


def expect_invalid(run, desk, arguments, kind: str, reason: str) -> None:
    """One line on stdout, exit code 1, and the same in JSON; nothing on stderr."""
    before = desk.contents()
    assert run("verify", *arguments) == Outcome(1, f"INVALID ({kind}): {reason}\n", "")
    in_json = run("verify", *arguments, "--json")
    assert (in_json.code, in_json.err, in_json.json) == (1, "", {"valid": False, "kind": kind, "reason": reason})
    assert desk.contents() == before


@pytest.mark.parametrize("independent", [(), ("--independent",)])
def test_a_flipped_pixel_is_invalid(run, desk, independent):
    flipped = desk.pixels.copy()
    flipped[7] ^= 1
    np.save(desk.folder / "flipped.npy", flipped)
    arguments = (desk.folder / "flipped.npy", desk.proof, "--commitment", desk.commitment, *independent)
    expect_invalid(run, desk, arguments, "FailedOpening", MISMATCH)


@pytest.mark.parametrize("independent", [(), ("--independent",)])
def test_a_proof_that_says_another_digit_is_invalid(run, desk, independent):
    desk.proof.write_bytes(changed(desk.proof.read_bytes(), 37, desk.digit ^ (desk.digit + 1) % 4))
    expect_invalid(run, desk, (desk.image, desk.proof, "--commitment", desk.commitment, *independent), "FailedOpening", MISMATCH)


def test_a_true_proof_of_another_digit_than_asked_for_is_invalid(run, desk):
    other = (desk.digit + 1) % 4
    arguments = (desk.image, desk.proof, "--commitment", desk.commitment, "--digit", other)
    expect_invalid(run, desk, arguments, "WrongStatement", f"the proof is of digit {desk.digit}, not {other}")


@pytest.mark.parametrize("independent", [(), ("--independent",)])
def test_a_proof_for_another_model_is_invalid(run, desk, committed, independent):
    other = commit_model(committed.network).commitment
    other.save(desk.commitment)
    ours, theirs = committed.commitment.model_id.hex(), other.model_id.hex()
    reason = f"the proof is for model {ours}, the commitment is of model {theirs}"
    expect_invalid(run, desk, (desk.image, desk.proof, "--commitment", desk.commitment, *independent), "WrongStatement", reason)


@pytest.mark.parametrize("independent", [(), ("--independent",)])
@pytest.mark.parametrize(
    ("alter", "reason"),
    [
        (lambda data: b"", "proof: magic needs 5 bytes at offset 0, 0 are left"),
        (lambda data: data[:-1], "proof: scalar linearised_next needs 32 bytes at offset 551, 31 are left"),
        (lambda data: data + b"\n", "proof: 1 bytes trail after the end at offset 583"),
        (lambda data: changed(data, 4, 3), "proof: magic is b'zkpP\\x02', expected b'zkpP\\x01'"),
        (lambda data: data[:423] + b"\xff" * 32 + data[455:], "proof: scalar limb is not below the field order"),
        (lambda data: data[:39] + b"\xc0" + bytes(47) + data[87:], "proof: point limb is at infinity"),
    ],
    ids=["empty", "truncated", "extended", "version", "scalar", "infinity"],
)
def test_a_malformed_proof_is_invalid(run, desk, alter, reason, independent):
    desk.proof.write_bytes(alter(desk.proof.read_bytes()))
    expect_invalid(run, desk, (desk.image, desk.proof, "--commitment", desk.commitment, *independent), "MalformedProof", reason)


# Input that cannot be used: exit code 2


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

    monkeypatch.setattr(files.os, "fsync", fail)
    before = desk.contents()
    message = f"cannot write {desk.proof}: No space left on device"
    expect_refusal(desk, before, run("prove", desk.image, "--model", desk.model, "--out", desk.proof), message)
    outcome = run("commit", "--model", desk.model, "--out", desk.commitment, "--again")
    expect_refusal(desk, before, outcome, f"cannot write {desk.model}: No space left on device")


def test_nothing_is_ever_written_over_the_model(run, desk):
    before = desk.contents()
    again = desk.folder / ".." / "desk" / "m.model"
    link = desk.folder.parent / "link"
    link.symlink_to(desk.model)
    for path in (desk.model, again, link):
        message = f"cannot write {path}: it is the model file"
        expect_refusal(desk, before, run("prove", desk.image, "--model", desk.model, "--out", path), message)
        expect_refusal(desk, before, run("commit", "--model", desk.model, "--out", path), message)


def test_images_that_cannot_be_used_are_refused(run, desk):
    def prove_it(name: str) -> Outcome:
        return run("prove", desk.folder / name, "--model", desk.model, "--out", desk.folder / "new.proof")

    np.save(desk.folder / "nan.npy", np.full(36, np.nan))
    np.save(desk.folder / "short.npy", desk.pixels[:35])
    (desk.folder / "cut.png").write_bytes(desk.image.read_bytes()[:60])
    (desk.folder / "text.png").write_bytes(b"not a picture")
    before = desk.contents()
    expect_refusal(desk, before, prove_it("nan.npy"), f"image {desk.folder / 'nan.npy'} holds '<f8', expected uint8 ('|u1')")
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
    expect_refusal(desk, before, outcome, "this model has no commitment yet: run `zkpredict commit` first")


# commit


def test_commit_writes_secrets_into_the_model_and_the_rest_into_the_open(run, desk, committed):
    Model(committed.network).save(desk.model)
    desk.commitment.unlink()
    outcome = run("commit", "--model", desk.model, "--out", desk.commitment)
    assert (outcome.code, outcome.err) == (0, "")
    model, public = Model.load(desk.model), ModelCommitment.load(desk.commitment)
    assert model.commitment == public != committed.commitment
    lines = outcome.out.splitlines()
    assert lines[0].startswith(f"Model 36-12-4 is committed under {public.model_id.hex()}, made in ")
    assert lines[1] == f"  public    {desk.commitment}: {len(public.rows)} row commitments over 1024 rows"
    assert stat.S_IMODE(desk.model.stat().st_mode) == 0o600 and stat.S_IMODE(desk.commitment.stat().st_mode) == 0o644
    for secret in model.secrets:
        assert secret.to_bytes(32, "big") in desk.model.read_bytes()
        assert secret.to_bytes(32, "big") not in desk.commitment.read_bytes() and str(secret) not in outcome.out
    proven = run("prove", desk.image, "--model", desk.model, "--out", desk.proof)
    assert proven.code == run("verify", desk.image, desk.proof, "--commitment", desk.commitment).code == 0


def test_commit_twice_writes_the_same_commitment_unless_told(run, desk, committed):
    before = desk.contents()
    desk.commitment.unlink()
    outcome = run("commit", "--model", desk.model, "--out", desk.commitment)
    assert " (already made: written again)." in outcome.out.splitlines()[0] and desk.contents() == before
    said = run("commit", "--model", desk.model, "--out", desk.commitment, "--again", "--json").json
    assert set(said.pop("seconds")) == {"commit"}
    public = ModelCommitment.load(desk.commitment)
    assert public != committed.commitment and Model.load(desk.model).commitment == public
    assert said == {
        "model_id": public.model_id.hex(),
        "network": "36-12-4",
        "domain": 1024,
        "rows": len(public.rows),
        "commitment": str(desk.commitment),
    }
    assert run("verify", desk.image, desk.proof, "--commitment", desk.commitment).code == 1


def test_commit_on_another_domain_only_when_told(run, desk):
    before = desk.contents()
    outcome = run("commit", "--model", desk.model, "--out", desk.commitment, "--domain", 2048)
    message = f"{desk.model} is committed on another domain: add --again to replace its commitment"
    expect_refusal(desk, before, outcome, message)
    assert run("commit", "--model", desk.model, "--out", desk.commitment, "--domain", 1024).code == 0
    assert desk.contents() == before
    assert run("commit", "--model", desk.model, "--out", desk.commitment, "--domain", 2048, "--again").code == 0
    assert ModelCommitment.load(desk.commitment).circuit.domain == 2048
    assert run("prove", desk.image, "--model", desk.model, "--out", desk.proof).code == 0
    assert run("verify", desk.image, desk.proof, "--commitment", desk.commitment).code == 0


def test_commit_refuses_networks_by_layer_and_row(run, desk):
    huge = DenseLayer(np.array([[1], [40000]]), np.array([0, 0]))
    Model(IntegerNetwork((huge, DenseLayer(np.array([[1, 1]]), np.array([0]))))).save(desk.model)
    before = desk.contents()
    outcome = run("commit", "--model", desk.model, "--out", desk.folder / "new")
    expect_refusal(desk, before, outcome, "layer 0 row 1 reaches 10200000 on some input, the limit is 32767")


# inspect


def test_inspect_explains_every_artefact_and_shows_nothing_private(run, desk, committed):
    circuit = desk.folder / "m.circuit"
    circuit.write_bytes(committed.commitment.circuit.to_bytes())
    bare = desk.folder / "bare.model"
    Model(committed.network).save(bare)
    shape = {
        "network": "36-12-4",
        "domain": 1024,
        "lane bits": "24, 48",
        "rows": len(committed.commitment.rows),
        "circuit digest": committed.commitment.circuit.digest.hex(),
    }
    name = committed.commitment.model_id.hex()
    private = {
        "file": "model (PRIVATE: holds the weights)",
        "shifts": ", ".join(str(layer.shift) for layer in committed.network.layers),
        "worst case": ", ".join(f"|z| <= {interval.magnitude}" for interval in committed.network.intervals),
    }
    expected = {
        desk.model: private | {"committed": "yes", "model id": name} | shape,
        bare: private | {"committed": "no"} | shape,
        desk.commitment: {"file": "model commitment (public)", "model id": name} | shape,
        circuit: {"file": "circuit (public)"} | shape,
        desk.proof: {
            "file": "proof (public)",
            "claim": f"the model says {desk.digit}",
            "model id": name,
            "points": "8: limb, horner, cell, linear, lookup, quotient, opening, final",
            "scalars": "5: limb, cell, table at rho; cell, linearised at omega rho",
        },
    }
    before = desk.contents()
    for path, facts in expected.items():
        assert run("inspect", path, "--json").json == {"bytes": path.stat().st_size, **facts}
        shown = run("inspect", path)
        assert (shown.code, shown.err) == (0, "")
        assert {line.split("  ")[0]: line.split("  ", 1)[1].strip() for line in shown.out.splitlines()} == {
            key: str(value) for key, value in facts.items()
        }
        assert not [secret for secret in committed.secrets if str(secret) in shown.out or f"{secret:x}" in shown.out]
    assert desk.contents() == before


def test_inspect_refuses_what_is_damaged_or_not_ours(run, desk):
    strange = desk.folder / "strange"
    known = "(zkpM, zkpK, zkpC, zkpP)"
    for data, message in (
        (b"", f"starts with b'', which is none of ours {known}"),
        (b"zkpM\x02...", f"starts with b'zkpM\\x02', which is none of ours {known}"),
        (b"\x80\x04\x95pickle", f"starts with b'\\x80\\x04\\x95pi', which is none of ours {known}"),
    ):
        strange.write_bytes(data)
        expect_refusal(desk, desk.contents(), run("inspect", strange), f"{strange} {message}")
    for path, message in (
        (desk.model, "{0}: secret 1 needs 32 bytes at offset {1}, 31 are left"),
        (desk.commitment, "{0}: row 1 needs 48 bytes at offset {2}, 47 are left"),
        (desk.proof, "{0}: proof: scalar linearised_next needs 32 bytes at offset {1}, 31 are left"),
    ):
        data = path.read_bytes()
        path.write_bytes(data[:-1])
        expect_refusal(desk, desk.contents(), run("inspect", path), message.format(path, len(data) - 32, len(data) - 48))


# The command itself


@pytest.mark.parametrize("command", ["prove", "verify", "commit", "inspect"])
def test_help_says_what_a_command_does_and_shows_an_example(capsys, command):
    with pytest.raises(SystemExit) as left:
        main([command, "--help"])
    shown = capsys.readouterr()
    assert (left.value.code, shown.err) == (0, "")
    assert shown.out.startswith(f"usage: zkpredict {command} ") and COMMANDS[command] in shown.out
    assert f"example: zkpredict {command} " in shown.out and "--json" in shown.out


def test_help_lists_every_command_and_shows_an_example(capsys):
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    shown = capsys.readouterr().out
    assert left.value.code == 0 and all(f"    {command} " in shown for command in COMMANDS)
    assert "example: zkpredict prove " in shown


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "required: COMMAND"),
        (["frobnicate"], "invalid choice: 'frobnicate'"),
        (["prove"], "required: --model, --out"),
        (["verify", "a", "b"], "required: --commitment"),
        (["commit", "--model", "a", "--out", "b", "--domain", "512"], "invalid choice: 512"),
        (["prove", "a", "--model", "b", "--out", "c", "--digit", "seven"], "invalid int value: 'seven'"),
        (["inspect", "a", "--what"], "unrecognized arguments: --what"),
    ],
)
def test_wrong_usage_is_unusable_input(capsys, arguments, word):
    with pytest.raises(SystemExit) as left:
        main(arguments)
    shown = capsys.readouterr()
    assert (left.value.code, shown.out) == (2, "") and word in shown.err.splitlines()[-1]


def test_an_interrupt_ends_in_one_line(run, desk, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(Model, "load", interrupt)
    before = desk.contents()
    outcome = run("prove", desk.image, "--model", desk.model, "--out", desk.folder / "new.proof")
    expect_refusal(desk, before, outcome, "interrupted", code=130)


# Separate processes

HEAVY = {"tensorflow", "keras", "matplotlib", "web3", "eth", "eth_account", "galois", "sklearn", "scipy", "pandas", "rich"}
LOADED = (
    "import sys; from zkpredict.cli.main import main; code = main(sys.argv[1:])\n"
    "print('\\n' + ' '.join(sorted({name.split('.')[0] for name in sys.modules}))); sys.exit(code)"
)


def loaded_by(*arguments) -> set[str]:
    """Top-level modules that a command loads in a fresh process; it must succeed without a word on stderr."""
    command = [sys.executable, "-W", "error", "-c", LOADED, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return set(done.stdout.splitlines()[-1].split())


def test_prove_and_verify_load_nothing_heavy(desk):
    proving = loaded_by("prove", desk.image, "--model", desk.model, "--out", desk.folder / "new.proof")
    checking = loaded_by("verify", desk.image, desk.folder / "new.proof", "--commitment", desk.commitment)
    assert not HEAVY & proving and not HEAVY & checking
    assert {"numpy", "PIL", "zkpredict_kernel"} <= proving & checking
    assert "py_ecc" not in proving | checking


def test_the_independent_verifier_loads_no_kernel(desk):
    loaded = loaded_by("verify", desk.image, desk.proof, "--commitment", desk.commitment, "--independent")
    assert "py_ecc" in loaded and not (HEAVY | {"zkpredict_kernel"}) & loaded


def test_the_installed_command_proves_and_verifies(desk):
    command = Path(sys.executable).with_name("zkpredict")
    out = desk.folder / "new.proof"
    arguments = [command, "prove", desk.image, "--model", desk.model, "--out", out]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith(f"The network says {desk.digit}, ")
    arguments = [command, "verify", desk.image, out, "--commitment", desk.commitment]
    assert subprocess.run(arguments, capture_output=True, check=False).returncode == 0
    out.write_bytes(out.read_bytes()[:-1])
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "") and done.stdout.startswith("INVALID (MalformedProof): ")
    done = subprocess.run([*arguments[:-1], desk.folder / "no"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert sorted(os.listdir(desk.folder)) == ["i.png", "i.proof", "m.commitment", "m.model", "new.proof"]
