"""Full disks, read-only folders, failing devices: exit code 2, one clear line, nothing half-written, everything older as it was."""

from __future__ import annotations

import errno
import os
import resource

import pytest
from conftest import at_moment, failing, moments

FAILURES = [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO, errno.EDQUOT]
TIDYING = "unlink"


@pytest.mark.parametrize("code", FAILURES, ids=[errno.errorcode[code] for code in FAILURES])
def test_prove_when_any_file_operation_fails(committed, code):
    before = committed.files()

    def broken(number: int):
        return committed.run(committed.prove, at_moment(number, failing(code)))

    for number in range(5):
        ended = broken(number)
        line = f"zkpredict: cannot write {committed.proof}: {os.strerror(code)}\n"
        assert (ended.code, ended.out, ended.err) == (2, "", line), number
        assert committed.files() == before, number
    assert broken(5).code == 0  # only tidying up failed, with nothing left to tidy


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS], ids=["ENOSPC", "EROFS"])
@pytest.mark.parametrize("options", [[], ["--again"]], ids=["first", "again"])
def test_commit_when_any_file_operation_fails(desk, options, code):
    """Four operations stage each of the two files; only the rename of the second one comes too late to leave all as it was."""
    if options:
        assert desk.run(desk.commit).code == 0
    before = desk.files()
    for number in range(9):
        ended = desk.run([*desk.commit, *options], at_moment(number, failing(code)))
        name = desk.model if number < 4 or number == 8 else desk.commitment
        line = f"zkpredict: cannot write {name}: {os.strerror(code)}\n"
        assert (ended.code, ended.out, ended.err) == (2, "", line), number
        assert desk.files() == before, number
    ended = desk.run([*desk.commit, *options], at_moment(9, failing(code)))
    assert (ended.code, ended.err) == (2, f"zkpredict: cannot write {desk.commitment}: {os.strerror(code)}\n")
    assert set(desk.files()) == {*before}
    # the file that is left over is the commitment of before: the model does not know it any more, so it is replaced by force
    repaired = desk.run([*desk.commit, *(["--force"] if options else [])])
    assert repaired.code == 0 and desk.run(desk.prove).code == 0 and desk.run(desk.verify).code == 0


@pytest.mark.parametrize("limit", [0, 1, 300])
def test_a_disk_that_is_full_while_writing(committed, limit):
    """RLIMIT_FSIZE cuts files short as a full disk does, in the kernel's own write."""
    before = committed.files()

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    ended = committed.run(committed.prove, small_disk)
    assert ended.code == 2 and committed.files() == before
    ended = committed.run([*committed.commit, "--again"], small_disk)
    assert ended.code == 2 and committed.files() == before


def test_folders_that_take_no_files(committed):
    """As real as they come, for root too: a folder of the kernel, a file as a folder, none at all."""
    for folder, reason in (
        ("/proc/self/fd", None),
        (str(committed.image), "Not a directory"),
        (str(committed.folder / "none"), "No such file or directory"),
    ):
        ended = committed.run([*committed.prove[:-1], f"{folder}/p.proof"])
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith(f"zkpredict: cannot write {folder}/p.proof: ") and ended.err.count("\n") == 1
        assert reason is None or ended.err.endswith(f": {reason}\n")


def test_nothing_is_written_over_a_device_or_a_folder(committed):
    for out in ("/dev/full", "/dev/null", str(committed.folder)):
        ended = committed.run([*committed.prove[:-1], out])
        assert (ended.code, ended.err) == (2, f"zkpredict: cannot write {out}: it is not a regular file\n")


@pytest.mark.parametrize("error", [NotImplementedError("no source"), OSError(errno.EIO, "Input/output error")])
def test_no_entropy_source(committed, error):
    """No proof, no commitment, exit code 2."""
    before = committed.files()

    def dry() -> None:
        def urandom(count: int) -> bytes:
            raise error

        os.urandom = urandom

    line = "zkpredict: the operating system gives no random bytes, and nothing can be hidden without them\n"
    for command in (committed.prove, [*committed.commit, "--again"]):
        ended = committed.run(command, dry)
        assert (ended.code, ended.out, ended.err) == (2, "", line)
        assert committed.files() == before


@pytest.mark.parametrize("now", [-1.0, 0.0, 4e9, 1e18])
def test_a_wrong_clock_changes_nothing(committed, now):
    """Nothing reads the time of day: no randomness, file or verdict depends on it."""

    def wrong_clock() -> None:
        import time

        time.time = lambda: now
        time.time_ns = lambda: int(now) * 10**9

    for command in (committed.prove, committed.verify, [*committed.commit, "--again"]):
        assert committed.run(command, wrong_clock).code == 0


def test_every_file_operation_was_counted(committed):
    """The twin of the loops above: the moments they go through are those that the commands have."""
    assert [number for number, _ in moments(lambda n: committed.run(committed.prove, at_moment(n, failing(errno.EIO))))] == list(
        range(5)
    )
