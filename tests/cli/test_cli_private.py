"""A private model that others can read is named with the command that mends it; the demonstration, which is public, is not."""

import os
import shutil
from pathlib import Path

import pytest

from zkpredict.cli.private import DEMONSTRATIONS
from zkpredict.prover.model import Model

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_model_that_others_can_read_is_named(run, desk, mode):
    os.chmod(desk.model, mode)
    note = f"{desk.model} holds private weights, and others on this machine may read it: chmod 600 {desk.model}"
    for arguments in (
        ("inspect", desk.model),
        ("report", "--model", desk.model),
        ("prove", desk.image, "--model", desk.model, "--out", desk.proof),
        ("commit", "--model", desk.model, "--out", desk.commitment),
    ):
        said = run(*arguments)
        assert (said.code, said.err) == (0, f"note: {note}\n"), arguments
    assert run("inspect", desk.model, "--json").json["notes"] == [note]
    os.chmod(desk.model, 0o600)
    for arguments in (("inspect", desk.model), ("report", "--model", desk.model)):
        assert run(*arguments).err == ""


def test_the_demonstration_is_left_out_until_it_is_committed_to_anew(run, desk):
    path = desk.folder / "demonstration.model"
    shutil.copy(EXAMPLES / "mnist.model", path)
    os.chmod(path, 0o644)
    assert Model.load(path).commitment.model_id.hex() == DEMONSTRATIONS[0]
    assert run("inspect", path).err == ""
    assert run("commit", "--model", path, "--out", desk.folder / "d.commitment", "--again").code == 0
    os.chmod(path, 0o644)
    assert "chmod 600" in run("inspect", path).err


def test_every_published_model_is_a_demonstration():
    """`examples/make_tables.py` commits afresh: its new ids belong here."""
    tables = Path(__file__).resolve().parents[2] / "examples" / "tables"
    assert tuple(Model.load(tables / f"{name}.model").commitment.model_id.hex() for name in ("iris", "cancer", "wine")) == DEMONSTRATIONS[1:4]
    lenets = [tables.parent / f"{name}.model" for name in ("lenet", "lenet_max")]
    assert tuple(Model.load(path).commitment.model_id.hex() for path in lenets) == DEMONSTRATIONS[4:]


def test_the_demonstration_without_a_commitment_is_known_too(run, desk):
    path = desk.folder / "rational.model"
    shutil.copy(EXAMPLES / "mnist_rational.model", path)
    os.chmod(path, 0o644)
    assert run("inspect", path).err == ""
    Model(Model.load(desk.model).network).save(path)
    os.chmod(path, 0o644)
    assert "chmod 600" in run("inspect", path).err
