"""No command writes over what it reads, however the file is spelled; and export writes all of its files or none."""

import os
from pathlib import Path

import pytest
from cli_desk import SPEND, Desk, expect_refusal

from zkpredict.circuits.files.storage import read_file
from zkpredict.cli.main import main


def commands(desk: Desk) -> list[tuple[list, Path, str]]:
    """Commands that write, each with a file it reads and what that is called. The desk gets the files that are missing."""
    pot, key, idx, keras = (desk.folder / name for name in ("pot.script", "k.key", "i.idx", "m.keras"))
    assert main(["script", "build", str(desk.model), "--out", str(pot)]) == 0
    key.write_text("07" * 32)
    idx.write_bytes(b"\0\0\x08\x03\0\0\0\x01\0\0\0\x06\0\0\0\x06" + bytes(36))
    keras.write_bytes(b"never read")
    folder = desk.folder / "exported"
    folder.mkdir()
    for name in ("Network.sol", "manifest.json"):
        (folder / name).write_bytes(desk.model.read_bytes())
    prove, spend = ["prove", desk.image, "--model", desk.model], ["script", "spend", pot, desk.image, *SPEND, "--key", key]
    return [
        (prove, desk.model, "model file"),
        (prove, desk.image, "image"),
        (["prove", "--idx", idx, "--index", 0, "--model", desk.model], idx, "idx file"),
        (["commit", "--model", desk.model], desk.model, "model file"),
        (["commit", "--model", desk.model, "--again"], desk.model, "model file"),
        (["quantize", keras], keras, "float model"),
        (["script", "scale", keras], keras, "Keras model"),
        (["script", "build", desk.model], desk.model, "network"),
        (spend, pot, "locking script"),
        (spend, key, "signing key"),
        (spend, desk.image, "image"),
        ([*spend[:3], "--idx", idx, "--index", 0, *spend[4:]], idx, "idx file"),
    ]


def spellings(path: Path) -> list[Path]:
    """The same file by its name, by a detour, by a link in another folder, and as a second name on the disk."""
    symbolic, hard = (path.parent.parent / f"{kind}-{path.name}" for kind in ("symbolic", "hard"))
    if not hard.exists():
        symbolic.symlink_to(path)
        os.link(path, hard)
    return [path, path.parent / ".." / path.parent.name / path.name, symbolic, hard]


def test_nothing_is_ever_written_over_an_input(run, desk, capsys):
    cases = commands(desk)
    capsys.readouterr()
    before = desk.contents()
    for command, read, what in cases:
        for out in spellings(read):
            expect_refusal(desk, before, run(*command, "--out", out), f"cannot write {out}: it is the {what}")
    for name in ("Network.sol", "manifest.json"):
        file = desk.folder / "exported" / name
        outcome = run("export", "--model", file, "--out", file.parent)
        expect_refusal(desk, before, outcome, f"cannot write {file}: it is the network")
        assert read_file(file, "network") == desk.model.read_bytes()


def test_a_file_that_only_has_the_same_bytes_is_written_over(run, desk):
    """The twin: what counts is the file. It is of another kind than a proof, which is a refusal of its own."""
    copy = desk.folder / "copy.png"
    copy.write_bytes(desk.image.read_bytes())
    assert run("prove", desk.image, "--model", desk.model, "--out", copy, "--force").code == 0
    assert run("verify", desk.image, copy, "--commitment", desk.commitment).code == 0


@pytest.mark.parametrize("name", ["Network.sol", "manifest.json"])
def test_export_writes_both_files_or_none(run, desk, name):
    out = desk.folder / "exported"
    (out / name).mkdir(parents=True)
    outcome = run("export", "--model", desk.model, "--out", out)
    expect_refusal(desk, desk.contents(), outcome, f"cannot write {out / name}: it is not a regular file")
    assert os.listdir(out) == [name]
    (out / name).rmdir()
    assert run("export", "--model", desk.model, "--out", out).code == 0
    assert sorted(os.listdir(out)) == ["Network.sol", "manifest.json"]


def test_export_to_no_folder_is_refused(run, desk, monkeypatch):
    monkeypatch.chdir(desk.folder)
    message = "--out is empty: give the folder to write into, . for this one"
    expect_refusal(desk, desk.contents(), run("export", "--model", desk.model, "--out", ""), message)
