"""kill -9 at every moment between two file operations, and from outside: files are whole, belong together or refuse clearly."""

from __future__ import annotations

import subprocess
import sys

import pytest
from conftest import at_moment, die, moments

from zkpredict.kernel import G1
from zkpredict.prover.model import Model
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.native import parse_proof

KILLED = -9


def leftovers(desk) -> list:
    """Temporary files of a killed process."""
    return [path for path in desk.folder.iterdir() if path.name.startswith(".")]


def check_pair(desk) -> None:
    """Model and commitment are whole. If they do not belong together, verifying says so; `commit --force` makes them fit again."""
    model = Model.load(desk.model)
    if model.committed is not None:
        assert desk.run(desk.prove).code == 0
        if desk.commitment.exists():
            theirs = ModelCommitment.load(desk.commitment).model_id
            verdict = desk.run(desk.verify)
            if theirs == model.commitment.model_id:
                assert verdict.code == 0
            else:
                reason = f"the proof is for model {model.commitment.model_id.hex()}, the commitment is of model {theirs.hex()}"
                assert (verdict.code, verdict.out) == (1, f"INVALID (WrongStatement): {reason}\n")
    assert desk.run([*desk.commit, "--force"]).code == 0
    repaired = Model.load(desk.model).commitment
    assert ModelCommitment.load(desk.commitment) == repaired
    assert model.committed is None or model.commitment == repaired


@pytest.mark.parametrize("options", [[], ["--again"]], ids=["first", "again"])
def test_commit_killed_at_every_file_operation(desk, options):
    def killed(number: int):
        desk.commitment.unlink(missing_ok=True)
        Model(Model.load(desk.model).network).save(desk.model)
        if options:
            assert desk.run(desk.commit).code == 0
        return desk.run([*desk.commit, *options], at_moment(number, die))

    secrets = set()
    for number, ended in moments(killed):
        assert (ended.code, ended.out) == (KILLED, ""), number
        for path in leftovers(desk):
            assert path.stat().st_mode & 0o777 in ((0o600, 0o644) if "commitment" in path.name else (0o600,))
            path.unlink()
        check_pair(desk)
        found = Model.load(desk.model).secrets
        assert not secrets & set(found)
        secrets |= set(found)


def test_prove_killed_at_every_file_operation(committed):
    before = committed.files()

    def killed(number: int):
        committed.proof.unlink(missing_ok=True)
        return committed.run(committed.prove, at_moment(number, die))

    points = set()
    for number, ended in moments(killed):
        assert (ended.code, ended.out) == (KILLED, ""), number
        parts = [path.read_bytes() for path in leftovers(committed)]
        if committed.proof.exists():
            parts.append(committed.proof.read_bytes())
            assert committed.run(committed.verify).code == 0
        for data in parts:
            if len(data) == 583:
                found = {point.to_compressed() for point in parse_proof(data).points.values()}
                assert not points & found
                points |= found
        for path in leftovers(committed):
            path.unlink()
        assert {name: data for name, data in committed.files().items() if name != "p.proof"} == before
    assert len(points) >= 8


def test_an_older_proof_survives_until_the_new_one_is_whole(committed):
    assert committed.run(committed.prove).code == 0
    older = committed.proof.read_bytes()
    for _, ended in moments(lambda number: committed.run(committed.prove, at_moment(number, die))):
        assert ended.code == KILLED
        assert committed.run(committed.verify).code == 0
        if committed.proof.read_bytes() != older:
            break
    else:
        pytest.fail("never replaced")


@pytest.mark.parametrize("module", ["encodings", "numpy", "zkpredict.circuits.networks.reference", "zkpredict.prover.commit"])
def test_commit_killed_after_an_import(desk, module):
    """Whole processes, from the start of the interpreter on: killed once they say that `module` is loaded, wherever they are by then."""
    command = [sys.executable, "-X", "importtime", "-m", "zkpredict.cli.main", *desk.commit]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert any(line.rpartition("|")[2].strip() == module for line in process.stderr)
        process.kill()
    for path in leftovers(desk):
        path.unlink()
    check_pair(desk)


def test_points_of_a_killed_commit_are_never_used_again(desk):
    """Rows that reached the disk before the kill are another commitment than the one made after it."""
    assert desk.run(desk.commit, at_moment(3, die)).code == KILLED
    staged = [path for path in leftovers(desk) if path.name.startswith(".m.model")]
    lost = Model.from_bytes(staged[0].read_bytes())
    staged[0].unlink()
    assert desk.run(desk.commit).code == 0
    made = Model.load(desk.model)
    assert not set(lost.secrets) & set(made.secrets) and not set(lost.commitment.rows) & set(made.commitment.rows)
    assert all(isinstance(row, G1) for row in made.commitment.rows)
