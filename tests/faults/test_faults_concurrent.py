"""Two processes at once on the same files: what is left is whole and belongs together."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from support import random_network

from zkpredict.circuits.files import Output, one_at_a_time, write_together
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.verifier.commitment import ModelCommitment


def together(commands: list[list[str]]) -> list[int]:
    """Starts all at once; their exit codes."""
    options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    running = [subprocess.Popen([sys.executable, "-m", "zkpredict.cli.main", *command], **options) for command in commands]
    return [process.wait() for process in running]


@pytest.mark.parametrize("options", [[], ["--again"]], ids=["first", "again"])
def test_commits_of_one_model_leave_files_that_belong_together(desk, options):
    assert together([[*desk.commit, *options]] * 4) == [0] * 4
    assert Model.load(desk.model).commitment == ModelCommitment.load(desk.commitment)
    assert desk.run(desk.prove).code == 0 and desk.run(desk.verify).code == 0
    assert sorted(desk.files()) == ["i.npy", "m.commitment", "m.model", "p.proof"]


def test_proofs_to_one_file_leave_one_whole_proof(committed):
    assert together([committed.prove] * 4) == [0] * 4
    assert committed.run(committed.verify).code == 0
    assert sorted(committed.files()) == ["i.npy", "m.commitment", "m.model", "p.proof"]


def test_proving_while_committing_gives_a_proof_of_one_of_the_two(committed):
    old = committed.commitment.read_bytes()
    assert together([committed.prove, [*committed.commit, "--again"]]) == [0, 0]
    verdicts = [committed.run(committed.verify).code]
    committed.commitment.write_bytes(old)
    verdicts.append(committed.run(committed.verify).code)
    assert sorted(verdicts) == [0, 1]


def interleaved(desk, lock) -> bool:
    """Two commits whose writes meet in the worst order; whether model and commitment belong together afterwards."""
    entered, leave = os.pipe(), os.pipe()
    first = os.fork()
    if not first:
        with lock(desk.model):
            model = commit_model(random_network(1, (4, 3)))
            write_together([Output(desk.model, model.to_bytes(), private=True)])
            os.write(entered[1], b"x")
            os.close(entered[1])
            os.close(leave[1])
            os.read(leave[0], 1)
            write_together([Output(desk.commitment, model.commitment.to_bytes())])
        os._exit(0)
    os.read(entered[0], 1)
    second = os.fork()
    if not second:
        os.close(leave[1])
        with lock(desk.model):
            model = commit_model(random_network(1, (4, 3)))
            write_together([Output(desk.model, model.to_bytes(), private=True)])
            write_together([Output(desk.commitment, model.commitment.to_bytes())])
        os._exit(0)
    if lock is not one_at_a_time:
        os.waitpid(second, 0)
    for end in (*entered, leave[0]):
        os.close(end)
    os.write(leave[1], b"x")
    os.close(leave[1])
    os.waitpid(first, 0)
    if lock is one_at_a_time:
        os.waitpid(second, 0)
    return Model.load(desk.model).commitment == ModelCommitment.load(desk.commitment)


def test_the_lock_is_what_keeps_them_together(desk):
    """The twin: without it, the same order of writes leaves a model beside another's commitment."""
    from contextlib import nullcontext

    assert interleaved(desk, one_at_a_time)
    assert not interleaved(desk, nullcontext)


def test_a_lock_on_a_folder_that_is_none_lets_the_command_say_so(tmp_path):
    with one_at_a_time(tmp_path / "none" / "m.model"):
        assert not (tmp_path / "none").exists()
