"""No command destroys a file of another kind, or private weights, secrets or scripts, unless it is told to with --force."""

from __future__ import annotations

import importlib

import pytest
from cli_desk import SPEND, Desk, expect_refusal
from support import random_network

from zkpredict.circuits.errors import UnusableInput

from zkpredict.circuits.files.outputs import KINDS, MODEL, PROOF, written_kind
from zkpredict.circuits.files.storage import refuse_to_replace
from zkpredict.circuits.networks.exact import ExactLayer, ExactNetwork
from zkpredict.cli.main import main
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model

SLOW = ("commit", "commit --again", "script build")
"""What makes its file before it asks: a file with the same bytes may be replaced. Asked about the files that matter most."""
AGAIN = "; give another name, or add --force to replace it"
WEIGHTS = "its weights, and the secrets of its commitment if it has one, would be lost"


@pytest.fixture
def other(desk) -> Model:
    """Another committed model, saved on the desk with its commitment."""
    model = commit_model(random_network(7, (36, 12, 4)))
    model.save(desk.folder / "other.model")
    model.commitment.save(desk.folder / "other.commitment")
    return model


def writers(desk: Desk) -> dict[str, tuple[list, str]]:
    """Every command with --out that writes a file, and the kind it writes. Those that read Keras stop before they read it."""
    keras, script = desk.folder / "m.keras", desk.folder / "pot.script"
    keras.write_bytes(b"PK\x03\x04 never read")
    assert main(["script", "build", str(desk.model), "--out", str(script)]) == 0
    return {
        "prove": (["prove", desk.image, "--model", desk.model], "a proof"),
        "commit": (["commit", "--model", desk.model], "a public model commitment"),
        "commit --again": (["commit", "--model", desk.model, "--again"], "a public model commitment"),
        "quantize": (["quantize", keras], "a private model file"),
        "script scale": (["script", "scale", keras], "a 10^8 network"),
        "script build": (["script", "build", desk.model], "a locking script"),
        "script spend": (["script", "spend", script, desk.image, "--digit", desk.digit, *SPEND], "a Bitcoin transaction"),
    }


def holders(desk: Desk, other: Model) -> dict[str, tuple[bytes, str, str]]:
    """Contents of files that may be in the way: bytes, the kind as a refusal names it, and what would be lost."""
    exact = ExactNetwork((ExactLayer([[5]], [0]),)).to_bytes()
    return {
        "committed": (other.to_bytes(), "a private model file", WEIGHTS),
        "bare": (Model(other.network).to_bytes(), "a private model file", WEIGHTS),
        "exact": (exact, "a 10^8 network", "its weights would be lost"),
        "keras": (b"PK\x03\x04 of weights", "a Keras model", "its weights would be lost"),
        "commitment": (other.commitment.to_bytes(), "a public model commitment", "it is to another model, or an earlier one to this model"),
        "circuit": (other.compiled.circuit.to_bytes(), "a circuit", ""),
        "proof": (desk.proof.read_bytes(), "a proof", ""),
        "key": (b"07" * 32 + b"\n", "a key", "what it signs for would be lost"),
        "script": (b"76a9" * 40, "a locking script", "an output that it locks could not be spent without it"),
        "transaction": (b"01000000" * 40, "a Bitcoin transaction", ""),
        "state": (
            b'{"format": "zkpredict embedded chain 1", "history": []}', "a chain state", "its transactions would be lost"
        ),
        "foreign": (b"dear diary", "", ""),
    }


def refusal(out, writes: str, holds: str, loss: str) -> str:
    if not holds:
        return f"cannot write {out}: it holds something else than {writes}{AGAIN}"
    held = f"{holds} already" if holds == writes else f"{holds}, not {writes}"
    return f"cannot write {out}: it holds {held}" + (f", and {loss}" if loss else "") + AGAIN


def test_no_command_replaces_another_kind_or_what_cannot_be_made_again(run, desk, other, capsys):
    commands, out = writers(desk), desk.folder / "target"
    capsys.readouterr()
    for name, (command, writes) in commands.items():
        for content, holds, loss in holders(desk, other).values():
            if (holds == writes and not loss) or (name in SLOW and holds not in (writes, "a private model file", "")):
                continue
            out.write_bytes(content)
            expect_refusal(desk, desk.contents(), run(*command, "--out", out), refusal(out, writes, holds, loss))


@pytest.mark.parametrize("name", ["prove", "commit", "script build", "script spend"])
def test_force_replaces_anything(run, desk, other, name):
    command, writes = writers(desk)[name]
    out = desk.folder / "target"
    out.write_bytes(other.to_bytes())
    assert run(*command, "--out", out, "--force").code == 0
    assert written_kind(out.read_bytes()).name == writes


@pytest.mark.parametrize("name", ["prove", "commit", "script build", "script spend"])
def test_what_the_same_command_wrote_is_written_again(run, desk, name):
    command, _ = writers(desk)[name]
    out = desk.folder / "target"
    out.touch()  # an empty file, as mktemp makes it, holds nothing to lose
    for _ in range(2):
        assert run(*command, "--out", out).code == 0


def test_a_commitment_replaces_the_one_that_again_replaces_and_no_other(run, desk, other):
    assert run("commit", "--model", desk.model, "--again", "--out", desk.commitment).code == 0
    out = desk.folder / "other.commitment"
    message = refusal(out, "a public model commitment", "a public model commitment", "it is to another model, or an earlier one to this model")
    expect_refusal(desk, desk.contents(), run("commit", "--model", desk.model, "--again", "--out", out), message)


def test_a_model_kept_in_the_way_of_a_chain_state_is_left_alone(run, desk, other):
    out = desk.folder / "other.model"
    outcome = run("chain", "deploy", "--predict", "--model", desk.model, "--state", out)
    expect_refusal(desk, desk.contents(), outcome, f"chain state {out} is no JSON")


def test_train_and_export_ask_before_they_start(run, desk, other):
    trained, folder = desk.folder / "trained.keras", desk.folder / "exported"
    trained.write_bytes(b"PK\x03\x04 of weights")
    message = refusal(trained, "a Keras model", "a Keras model", "its weights would be lost")
    expect_refusal(desk, desk.contents(), run("train", "--data", desk.folder, "--out", trained), message)
    assert run("export", "--model", desk.model, "--out", folder).code == 0
    assert run("export", "--model", desk.model, "--out", folder).code == 0  # over what it wrote itself
    for name, writes in (("Network.sol", "an exported contract"), ("manifest.json", "a manifest")):
        kept = (folder / name).read_bytes()
        (folder / name).write_bytes(b"// by hand\n")
        outcome = run("export", "--model", desk.model, "--out", folder)
        expect_refusal(desk, desk.contents(), outcome, refusal(folder / name, writes, "", ""))
        assert (folder / name).read_bytes() == b"// by hand\n"
        (folder / name).write_bytes(kept)


def test_without_the_guard_a_private_model_is_gone(run, desk, other, monkeypatch):
    from zkpredict.cli import prove

    monkeypatch.setattr(prove, "refuse_to_replace", lambda *_: None)
    assert run("prove", desk.image, "--model", desk.model, "--out", desk.folder / "other.model").code == 0
    assert written_kind((desk.folder / "other.model").read_bytes()) is PROOF


def test_every_mark_of_a_binary_format_is_registered_and_tells_one_kind():
    found = {}
    for module in ("circuits.layout", "circuits.networks.reference", "circuits.networks.exact", "prover.model", "prover.hiding", "verifier.messages",
                   "verifier.commitment", "verifier.hidden"):
        for name, value in vars(importlib.import_module(f"zkpredict.{module}")).items():
            if "MAGIC" in name and isinstance(value, bytes) and value.startswith(b"zkp"):
                found[value] = written_kind(value)
    assert len(found) >= 6 and None not in found.values()
    heads = [kind.mark for kind in KINDS if kind.mark.startswith(b"zkp")]
    assert len(set(heads)) == len(heads)


def test_storage_has_no_way_around_what_cannot_be_read(tmp_path, monkeypatch):
    path = tmp_path / "x"
    path.write_bytes(b"zkpM")

    def closed(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", closed)
    with pytest.raises(UnusableInput, match=f"^cannot read {path}: Permission denied$"):
        refuse_to_replace(path, MODEL, force=False)
    refuse_to_replace(path, MODEL, force=True)
