"""Files: limits on reading, and writing that leaves either the whole file or nothing new."""

import os
import stat
import subprocess
import sys

import pytest
from support import refuses

from zkpredict.circuits.files import storage
from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.storage import FileOutput, read_file, write_atomically, write_together


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def full_disk(monkeypatch):
    """Every sync fails as on a full disk."""

    def fail(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage.os, "fsync", fail)


# Reading


def test_reads_up_to_the_limit_and_refuses_one_byte_more(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert read_file(path, "thing", limit=5) == b"12345"
    with refuses(UnusableInput, f"thing {path} is larger than 4 bytes"):
        read_file(path, "thing", limit=4)


def test_an_endless_file_is_refused_at_the_limit():
    with refuses(UnusableInput, "thing /dev/zero is larger than 1000 bytes"):
        read_file("/dev/zero", "thing", limit=1000)


def test_missing_files_and_folders_are_refused(tmp_path):
    with refuses(UnusableInput, f"cannot read thing {tmp_path / 'no'}: No such file or directory"):
        read_file(tmp_path / "no", "thing")
    with refuses(UnusableInput, f"cannot read thing {tmp_path}: Is a directory"):
        read_file(tmp_path, "thing")


# Writing


def test_writes_and_replaces_whole_files_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "a"
    write_atomically(path, b"one")
    write_atomically(str(path), b"two")
    assert path.read_bytes() == b"two"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize(("private", "wanted"), [(False, 0o644), (True, 0o600)])
def test_private_files_are_for_their_owner_even_when_they_replace_public_ones(tmp_path, private, wanted):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(0o666)
    write_atomically(path, b"new", private)
    assert mode(path) == wanted


def test_a_private_file_is_never_readable_by_others_while_it_is_written(tmp_path, monkeypatch):
    seen = []
    sync = os.fsync

    def watch(descriptor):
        seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        sync(descriptor)

    monkeypatch.setattr(storage.os, "fsync", watch)
    write_atomically(tmp_path / "a", b"secret", private=True)
    assert seen == [0o600]


def test_a_missing_folder_is_refused(tmp_path):
    path = tmp_path / "no" / "a"
    with refuses(UnusableInput, f"cannot write {path}: No such file or directory"):
        write_atomically(path, b"data")
    assert os.listdir(tmp_path) == []


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    path = tmp_path / "file" / "a"
    with refuses(UnusableInput, f"cannot write {path}: Not a directory"):
        write_atomically(path, b"data")


def test_a_folder_nobody_may_write_to_is_refused(tmp_path):
    # /proc refuses new files even to root, though in other words than to others
    with pytest.raises(UnusableInput, match="^cannot write /proc/a: (No such file or directory|Permission denied)$") as caught:
        write_atomically("/proc/a", b"data")
    assert caught.type is UnusableInput
    write_atomically(tmp_path / "a", b"data")
    assert (tmp_path / "a").read_bytes() == b"data"


@pytest.mark.parametrize("kind", ["folder", "device", "pipe"])
def test_what_is_no_regular_file_is_never_replaced(tmp_path, kind):
    path = tmp_path / "a"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/null")
    with refuses(UnusableInput, f"cannot write {path}: it is not a regular file"):
        write_atomically(path, b"data")
    assert os.listdir(tmp_path) == ["a"] and not path.is_file()


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, full_disk):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with refuses(UnusableInput, f"cannot write {path}: No space left on device"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["a"]


def test_an_interrupt_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    def interrupt(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(storage.os, "fsync", interrupt)
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"old" and os.listdir(tmp_path) == ["a"]


def test_a_killed_writer_never_leaves_half_a_file(tmp_path):
    # the process dies after the temporary file is written and before the rename
    code = (
        "import os, sys; from zkpredict.circuits.files import storage\n"
        "storage.os.fsync = lambda descriptor: os._exit(9)\n"
        "storage.write_atomically(sys.argv[1], b'new')"
    )
    (tmp_path / "a").write_bytes(b"old")
    assert subprocess.run([sys.executable, "-c", code, tmp_path / "a"], check=False).returncode == 9
    assert (tmp_path / "a").read_bytes() == b"old"


def test_several_files_appear_together(tmp_path):
    write_together([FileOutput(tmp_path / "a", b"1", private=True), FileOutput(tmp_path / "b", b"2")])
    assert [(tmp_path / name).read_bytes() for name in "ab"] == [b"1", b"2"]
    assert [mode(tmp_path / name) for name in "ab"] == [0o600, 0o644]
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_when_one_of_several_cannot_be_written_none_is(tmp_path, order):
    (tmp_path / "a").write_bytes(b"old")
    bad = tmp_path / "no" / "b"
    outputs = [FileOutput(tmp_path / "a", b"new"), FileOutput(bad, b"data")]
    with refuses(UnusableInput, f"cannot write {bad}: No such file or directory"):
        write_together(outputs[index] for index in order)
    assert (tmp_path / "a").read_bytes() == b"old" and os.listdir(tmp_path) == ["a"]


def test_the_data_of_an_output_is_not_in_its_repr(tmp_path):
    assert "secret" not in repr(FileOutput(tmp_path, b"secret"))
