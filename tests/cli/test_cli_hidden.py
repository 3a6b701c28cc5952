"""hide, prove --hidden, verify --hidden, reveal, and proofs for somebody: what each shows, refuses and leaves as it was."""

import os
import stat

import numpy as np
import pytest
from cli_desk import ANOTHER, FORGOTTEN, MISMATCH, Outcome, expect_refusal
from Crypto.Hash import keccak
from PIL import Image
from support import changed

from zkpredict.prover.commit import commit_model
from zkpredict.prover.hiding import OpenedInput, hide
from zkpredict.verifier.hidden import HiddenInput

AGAIN = "; give another name, or add --force to replace it"
JOB = "job 17"
CONTEXT = keccak.new(digest_bits=256, data=JOB.encode()).hexdigest()


@pytest.fixture(scope="module")
def private_model(committed):
    return commit_model(committed.network, private_input=True)


@pytest.fixture
def hiding(desk, private_model):
    """The desk with a model for hidden inputs, and its image hidden."""
    private_model.save(desk.folder / "h.model")
    private_model.commitment.save(desk.folder / "h.commitment")
    opened = hide(desk.pixels)
    opened.save(desk.folder / "i.opening")
    opened.hidden.save(desk.folder / "i.hidden")
    return desk


def test_from_picture_to_revealed_picture(run, hiding):
    at = hiding.folder
    made = run("hide", hiding.image, "--commitment", at / "h.commitment", "--out", at / "n.hidden", "--json")
    assert (made.code, made.err, made.json["opening"]) == (0, "", str(at / "n.opening"))
    assert stat.S_IMODE(os.stat(at / "n.opening").st_mode) == 0o600 and stat.S_IMODE(os.stat(at / "n.hidden").st_mode) == 0o644
    proven = run("prove", "--hidden", at / "n.opening", "--model", at / "h.model", "--out", at / "n.proof", "--for", JOB, "--json")
    assert (proven.code, proven.err) == (0, "")
    checked = ("verify", at / "n.proof", "--hidden", at / "n.hidden", "--commitment", at / "h.commitment")
    for context in (("--for", JOB), ("--context", CONTEXT), ("--context", f"0x{CONTEXT.upper()}")):
        verdict = run(*checked, *context, "--json").json
        facts = {name: verdict[name] for name in ("valid", "digit", "context", "hidden_sha256")}
        assert facts == {"valid": True, "digit": hiding.digit, "context": CONTEXT, "hidden_sha256": made.json["hidden_sha256"]}
        assert facts.items() - {("valid", True)} <= proven.json.items()
    for context, todo in (((), FORGOTTEN), (("--for", "job 18"), ANOTHER)):
        assert run(*checked, *context) == Outcome(1, f"INVALID (FailedOpening): {MISMATCH}\n  {todo}\n", "")
    opened = run("reveal", at / "n.opening", "--hidden", at / "n.hidden", "--out", at / "r.png")
    assert (opened.code, opened.err, stat.S_IMODE(os.stat(at / "r.png").st_mode)) == (0, "", 0o600)
    assert np.asarray(Image.open(at / "r.png")).reshape(-1).tolist() == hiding.pixels.tolist()
    assert run("reveal", at / "n.opening", "--out", at / "r.npy").code == 0
    assert np.load(at / "r.npy").reshape(-1).tolist() == hiding.pixels.tolist()


def test_nothing_that_is_shown_tells_the_input(run, hiding):
    """No output of any command has its bytes, their hash or a secret; the same picture hidden twice shows nothing in common."""
    at = hiding.folder
    opened = OpenedInput.load(at / "i.opening")
    prove = ("prove", "--hidden", at / "i.opening", "--model", at / "h.model", "--out", at / "i2.proof")
    verify = ("verify", at / "i2.proof", "--hidden", at / "i.hidden", "--commitment", at / "h.commitment")
    shown = []
    for form in ((), ("--json",)):
        for words in (prove, verify, ("reveal", at / "i.opening"), ("inspect", at / "i.opening"), ("inspect", at / "i.hidden")):
            outcome = run(*words, *form)
            assert outcome.code == 0
            shown.append(outcome.out + outcome.err)
    hidden_again = run("hide", hiding.image, "--inputs", 36, "--out", at / "j.hidden", "--json").json
    assert hidden_again["hidden_sha256"] not in "".join(shown)
    public = run("prove", hiding.image, "--model", hiding.model, "--out", hiding.proof, "--json")
    tells = [public.json["image_sha256"], opened.data.hex(), str(list(opened.data)), *(f"{secret:x}" for secret in opened.secrets)]
    assert not [text for text in tells for one in shown if text in one] and public.json["image_sha256"] in public.out


def test_each_command_says_which_file_it_takes(run, hiding):
    at, out = hiding.folder, hiding.folder / "o"
    model, private, image, opening, hidden = hiding.model, at / "h.model", hiding.image, at / "i.opening", at / "i.hidden"
    proof, commitment = hiding.proof, at / "h.commitment"
    steps = f"(`zkpredict prove --hidden {opening} --model FILE --out PROOF` takes it, and `zkpredict reveal {opening}`)"
    no_opening = f"it is a public hidden input (`zkpredict verify PROOF --hidden {hidden} --commitment FILE` takes it)"
    for words, message in (
        (("prove", image, "--model", private, "--out", out), f"{private} is committed for hidden inputs: `zkpredict hide IMAGE --model {private} --out FILE` makes one, and --hidden takes its opening"),
        (("prove", "--hidden", opening, "--model", model, "--out", out), f"{model} is committed for public inputs: `zkpredict commit --model {model} --hidden-input --again --out FILE` commits it for hidden ones"),
        (("prove", image, "--hidden", opening, "--model", private, "--out", out), "an image does not go with --hidden: the hidden input holds the bytes already"),
        (("prove", "--hidden", opening, "--invert", "--model", private, "--out", out), "--invert does not go with --hidden: the hidden input holds the bytes already"),
        (("prove", "--hidden", hidden, "--model", private, "--out", out), f"{hidden} is no opening file: {no_opening}"),
        (("prove", "--hidden", opening, "--model", private, "--out", opening, "--force"), f"cannot write {opening}: it is the opening"),
        (("prove", "--hidden", opening, "--model", private, "--out", out, "--context", "0xab"), "--context takes 64 hexadecimal digits, got 2 characters; --for takes any text"),
        (("prove", "--hidden", opening, "--model", private, "--out", out, "--context", "0x" + "g" * 64), "--context takes 64 hexadecimal digits, got 64 characters; --for takes any text"),
        (("verify", proof, "--hidden", opening, "--commitment", commitment), f"{opening} is no hidden input file: it is a private opening of a hidden input {steps}"),
        (("verify", image, proof, "--commitment", commitment), f"{commitment} is for hidden inputs: give the proof alone, and --hidden FILE"),
        (("verify", proof, "--hidden", hidden, "--commitment", hiding.commitment), f"{hiding.commitment} is for public inputs: give the image in the place of --hidden"),
        (("verify", image, proof, "--hidden", hidden, "--commitment", commitment), "verify takes only PROOF with --hidden, got 2 paths"),
        (("commit", "--model", model, "--hidden-input", "--out", out), f"{model} is committed for public inputs: add --again to replace its commitment"),
        (("reveal", opening, "--out", out), f"cannot write {out}: its name must end in .npy or .png"),
        (("reveal", hidden), f"{hidden} is no opening file: {no_opening}"),
    ):  # fmt: skip
        expect_refusal(hiding, hiding.contents(), run(*words), message)


def test_openings_and_hidden_inputs_are_not_replaced_unasked(run, hiding):
    at = hiding.folder
    other = ("hide", hiding.image, "--inputs", 36, "--out")
    gone = f"cannot write {at / 'i.hidden'}: it holds a public hidden input already, and no proof about it could be checked any more{AGAIN}"
    expect_refusal(hiding, hiding.contents(), run(*other, at / "i.hidden"), gone)
    lost = f"it holds a private opening of a hidden input already, and its input, and what opens its commitment, would be lost{AGAIN}"
    expect_refusal(hiding, hiding.contents(), run(*other, at / "x.hidden", "--opening", at / "i.opening"), f"cannot write {at / 'i.opening'}: {lost}")
    same = f"cannot write {at / 'x'}: it is the public commitment's file; give --opening another name"
    expect_refusal(hiding, hiding.contents(), run(*other, at / "x", "--opening", at / "x"), same)
    os.link(at / "i.hidden", at / "i.link")
    linked = f"cannot write {at / 'i.link'}: it is the public commitment"
    expect_refusal(hiding, hiding.contents(), run(*other, at / "i.hidden", "--opening", at / "i.link", "--force"), linked)
    picture = f"cannot write {hiding.image}: it is the image"
    expect_refusal(hiding, hiding.contents(), run(*other, hiding.image, "--force"), picture)
    (at / "r.npy").write_bytes(b"dear diary")
    diary = f"cannot write {at / 'r.npy'}: it holds something else than a revealed input{AGAIN}"
    expect_refusal(hiding, hiding.contents(), run("reveal", at / "i.opening", "--out", at / "r.npy"), diary)
    before = (at / "i.hidden").read_bytes(), (at / "i.opening").read_bytes()
    assert run(*other, at / "i.hidden", "--force").code == 0
    opened = OpenedInput.load(at / "i.opening")
    assert before[0] != (at / "i.hidden").read_bytes() == opened.hidden.to_bytes() and before[1] != opened.to_bytes()


def test_what_does_not_open_is_refused(run, hiding):
    at = hiding.folder
    data, opening = (at / "i.opening").read_bytes(), at / "i.opening"
    hide(hiding.pixels).hidden.save(at / "other.hidden")
    names = [run("inspect", at / name, "--json").json["hidden sha256"] for name in ("i.hidden", "other.hidden")]
    swapped = f"{opening} opens the hidden input {names[0]}, {at / 'other.hidden'} is {names[1]}"
    assert run("reveal", opening, "--hidden", at / "other.hidden", "--out", at / "r.npy") == Outcome(1, f"DOES NOT OPEN: {swapped}\n", "")
    opening.write_bytes(changed(data, -33))  # the input's last byte: a secret of 32 bytes follows
    os.chmod(opening, 0o600)
    lie = "opening: these bytes are not what the hidden input commits to"
    assert run("reveal", opening, "--out", at / "r.npy") == Outcome(1, f"DOES NOT OPEN: {lie}\n", "")
    assert run("reveal", opening, "--json").json == {"opens": False, "reason": lie} and not (at / "r.npy").exists()
    unusable = run("prove", "--hidden", opening, "--model", at / "h.model", "--out", at / "o")
    assert unusable == Outcome(2, "", f"zkpredict: {lie}\n")
    opening.write_bytes(data[:-1])
    assert run("reveal", opening) == Outcome(2, "", f"zkpredict: {opening}: secret 0 needs 32 bytes at offset {len(data) - 32}, 31 are left\n")


def test_an_opening_that_others_can_read_is_named(run, hiding):
    opening = hiding.folder / "i.opening"
    os.chmod(opening, 0o640)
    note = f"note: {opening} holds a private input, and others on this machine may read it: chmod 600 {opening}\n"
    assert run("reveal", opening).err == run("inspect", opening).err == note
    os.chmod(opening, 0o600)
    assert run("reveal", opening).err == ""


def test_inspect_says_what_is_hidden_and_what_takes_it(run, hiding):
    at = hiding.folder
    hidden = HiddenInput.load(at / "i.hidden")
    shown = {"inputs": 36, "domain": 1024, "points": 1}
    for name, kind in (("i.hidden", "hidden input (public)"), ("i.opening", "opening of a hidden input (PRIVATE: holds the input)")):
        facts = run("inspect", at / name, "--json").json
        assert facts.items() >= (shown | {"file": kind, "bytes": (at / name).stat().st_size}).items() and len(facts) == 6
    assert len(hidden.to_bytes()) == (at / "i.hidden").stat().st_size == 59
    assert run("inspect", at / "h.commitment", "--json").json["input"] == "hidden (`zkpredict hide`)"
    assert "input" not in run("inspect", hiding.commitment, "--json").json


def test_one_that_is_no_square_is_revealed_as_an_array(run, tmp_path):
    opened = hide(bytes(range(7)))
    opened.save(tmp_path / "a.opening")
    refused = run("reveal", tmp_path / "a.opening", "--out", tmp_path / "a.png")
    assert refused == Outcome(2, "", "zkpredict: 7 bytes are no square picture: give --out a name that ends in .npy\n")
    assert run("reveal", tmp_path / "a.opening", "--out", tmp_path / "a.npy").code == 0
    assert np.load(tmp_path / "a.npy").tolist() == list(range(7))


def test_a_public_image_is_proven_for_somebody_and_checked_independently(run, desk):
    proven = run("prove", desk.image, "--model", desk.model, "--out", desk.proof, "--for", JOB)
    assert f"  context   {CONTEXT}: valid under no other\n" in proven.out
    checked = ("verify", desk.image, desk.proof, "--commitment", desk.commitment)
    for verifier in ((), ("--independent",)):
        assert run(*checked, *verifier, "--for", JOB, "--json").json["context"] == CONTEXT
        assert run(*checked, *verifier) == Outcome(1, f"INVALID (FailedOpening): {MISMATCH}\n  {FORGOTTEN}\n", "")
