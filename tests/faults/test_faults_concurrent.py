"""Two processes at once on the same files: what is left is whole and belongs together."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys

import pytest
from support import random_network, refuses

from zkpredict.circuits.files import storage
from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.storage import FileOutput, one_at_a_time, write_together
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
            write_together([FileOutput(desk.model, model.to_bytes(), private=True)])
            os.write(entered[1], b"x")
            os.close(entered[1])
            os.close(leave[1])
            os.read(leave[0], 1)
            write_together([FileOutput(desk.commitment, model.commitment.to_bytes())])
        os._exit(0)
    os.read(entered[0], 1)
    second = os.fork()
    if not second:
        os.close(leave[1])
        with lock(desk.model):
            model = commit_model(random_network(1, (4, 3)))
            write_together([FileOutput(desk.model, model.to_bytes(), private=True)])
            write_together([FileOutput(desk.commitment, model.commitment.to_bytes())])
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


def test_chain_commands_on_one_state_lose_nobodys_transactions(desk):
    """Each reads the whole history, runs it again, and writes it anew with its own transactions behind."""
    state = desk.folder / "chain.json"
    deploy = ["chain", "deploy", "--predict", "--model", str(desk.model), "--state", str(state)]
    assert desk.run(deploy).code == 0
    one = len(json.loads(state.read_bytes())["history"])
    assert one and together([deploy] * 3) == [0] * 3
    assert len(json.loads(state.read_bytes())["history"]) == 4 * one
    assert desk.run(deploy).code == 0


def fail_to_lock(monkeypatch, code: int) -> None:
    def flock(descriptor, operation):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(storage.fcntl, "flock", flock)


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_does_not_stop_a_command(desk, monkeypatch, code):
    fail_to_lock(monkeypatch, code)
    assert desk.run(desk.commit).code == 0


@pytest.mark.parametrize("code", [errno.EIO, errno.EBADF, errno.EINVAL])
def test_a_lock_that_fails_stops_a_command_before_it_reads(desk, monkeypatch, code):
    """The twin: nobody goes on as if alone, and no descriptor stays open."""
    fail_to_lock(monkeypatch, code)
    before, descriptors = desk.files(), os.listdir("/proc/self/fd")
    ended = desk.run(desk.commit)
    assert (ended.code, ended.out, ended.err) == (2, "", f"zkpredict: cannot lock {desk.folder}: {os.strerror(code)}\n")
    with refuses(UnusableInput, f"cannot lock {desk.folder}: {os.strerror(code)}"), one_at_a_time(desk.model):
        raise AssertionError("it went on")
    assert desk.files() == before and os.listdir("/proc/self/fd") == descriptors


def test_a_folder_that_may_not_be_listed_cannot_be_locked(desk, monkeypatch):
    def deny(path, flags):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(storage.os, "open", deny)
    with refuses(UnusableInput, f"cannot lock {desk.folder}: Permission denied"), one_at_a_time(desk.model):
        raise AssertionError("it went on")
