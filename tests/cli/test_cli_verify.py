"""prove and verify as a user meets them: output, exit codes, and claims and proofs that are refused."""

import gzip
import hashlib
import stat

import numpy as np
import pytest
from cli_desk import FORGOTTEN, MISMATCH, Outcome, expect_refusal
from PIL import Image
from support import changed

from zkpredict.prover.commit import commit_model
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.native import parse_proof, verify


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
        "claim": "class",
    }
    for flag, verifier in ((), "native"), (("--independent",), "independent"):
        outcome = run("verify", desk.image, out, "--commitment", desk.commitment, "--digit", desk.digit, "--json", *flag)
        said = outcome.json
        assert set(said.pop("seconds")) == {"start", "verify"} and outcome.code == 0
        assert said == {
            "valid": True,
            "verifier": verifier,
            "digit": desk.digit,
            "model_id": commitment.model_id.hex(),
            "image_sha256": name,
            "claim": "class",
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


def expect_invalid(run, desk, arguments, kind: str, reason: str, todo: str | None = None) -> None:
    """One line on stdout, and one about what `todo`, exit code 1, and the same in JSON; nothing on stderr."""
    before, hint = desk.contents(), f"  {todo}\n" if todo else ""
    assert run("verify", *arguments) == Outcome(1, f"INVALID ({kind}): {reason}\n{hint}", "")
    in_json = run("verify", *arguments, "--json")
    assert (in_json.code, in_json.err, in_json.json) == (1, "", {"valid": False, "kind": kind, "reason": reason} | ({"todo": todo} if todo else {}))
    assert desk.contents() == before


@pytest.mark.parametrize("independent", [(), ("--independent",)])
def test_a_flipped_pixel_is_invalid(run, desk, independent):
    flipped = desk.pixels.copy()
    flipped[7] ^= 1
    np.save(desk.folder / "flipped.npy", flipped)
    arguments = (desk.folder / "flipped.npy", desk.proof, "--commitment", desk.commitment, *independent)
    expect_invalid(run, desk, arguments, "FailedOpening", MISMATCH, FORGOTTEN)


@pytest.mark.parametrize("independent", [(), ("--independent",)])
def test_a_proof_that_says_another_digit_is_invalid(run, desk, independent):
    desk.proof.write_bytes(changed(desk.proof.read_bytes(), 37, desk.digit ^ (desk.digit + 1) % 4))
    expect_invalid(run, desk, (desk.image, desk.proof, "--commitment", desk.commitment, *independent), "FailedOpening", MISMATCH, FORGOTTEN)


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
