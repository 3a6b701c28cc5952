"""Running one command of a system as a user would: the whole process, its time, its processor time and the memory of its tree."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from zkpredict.circuits.errors import UnusableInput

_PAGE = os.sysconf("SC_PAGE_SIZE")
_LOOK_SECONDS = 0.01
_KEPT_CHARACTERS = 400


class CommandFailed(UnusableInput):
    """A command of a system ended badly or ran out of time: the message says after how long, and its last words."""


@dataclass(frozen=True)
class Command:
    """`argv` run in `folder`. `inner` reads the seconds of the library call alone out of stdout, None where it is not told.

    `part` sets a ceremony apart from the rest of a set-up: others may already have run it. `makes`: files that are removed before,
    since careful commands do not write over them.
    """

    argv: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    inner: Callable[[str], float | None] = lambda stdout: None
    accepts: tuple[int, ...] = (0,)
    part: str = "setup"
    makes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finished:
    """What running commands took: wall `seconds`, processor seconds `cpu` of the tree, its `peak_bytes` (0 when not watched)."""

    seconds: float
    cpu: float
    peak_bytes: int = 0
    inner: float | None = None
    stdout: str = field(default="", repr=False)
    code: int = 0


def run(command: Command, limit: float, watch_memory: bool = False) -> Finished:
    """Runs `command` for at most `limit` seconds. Raises `CommandFailed`.

    Memory is looked at every 10 ms by a thread of this process: watch runs that are not timed.
    """
    for name in command.makes:
        Path(command.folder, name).unlink(missing_ok=True)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            command.argv, cwd=command.folder, env={**os.environ, **command.environment},
            stdin=subprocess.DEVNULL, stdout=out, stderr=errors, start_new_session=True,
        )  # fmt: skip
        watch = _Watch(process.pid) if watch_memory else None
        expired = threading.Event()
        timer = threading.Timer(limit, _expire, (process.pid, expired))
        timer.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            _end(process.pid)
            process.wait()
            raise
        finally:
            timer.cancel()
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        sampled = watch.stop() if watch else 0
        stdout, stderr = (_text(file) for file in (out, errors))
    if expired.is_set():
        raise CommandFailed(f"given up after {seconds:.0f} s, the limit")
    if process.returncode not in command.accepts:
        words = " ".join((stderr.strip() or stdout.strip()).split())[-_KEPT_CHARACTERS:]
        raise CommandFailed(f"failed after {seconds:.1f} s with exit code {process.returncode}: {words}")
    cpu = usage.ru_utime + usage.ru_stime
    return Finished(seconds, cpu, sampled, command.inner(stdout), stdout, process.returncode)


def run_all(commands: list[Command], limit: float, watch_memory: bool = False) -> Finished:
    """Runs several, one after the other: times added up, the largest peak, `inner` only when one of them tells it."""
    done = [run(command, limit, watch_memory) for command in commands]
    inner = [one.inner for one in done if one.inner is not None]
    return Finished(
        sum(one.seconds for one in done),
        sum(one.cpu for one in done),
        max((one.peak_bytes for one in done), default=0),
        sum(inner) if inner else None,
        done[-1].stdout if done else "",
        done[-1].code if done else 0,
    )


class _Watch:
    """The most that a process and everything under it held at a time: looked at until told to stop.

    `wait4` would not do: it starts from the size of this process, whose copy every child is for a moment.
    """

    def __init__(self, root: int) -> None:
        self._root, self._peak, self._done = root, 0, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        self._done.set()
        self._thread.join()
        return self._peak

    def _look(self) -> None:
        while not self._done.wait(_LOOK_SECONDS):
            pids = tree(self._root)
            self._peak = max(self._peak, sum(map(_resident, pids)), *map(_high_water, pids))


def tree(root: int) -> list[int]:
    """`root` and its descendants that are alive now."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (parent := _parent(int(entry))) is not None:
            children.setdefault(parent, []).append(int(entry))
    found, open_ = [], [root]
    while open_:
        pid = open_.pop()
        found.append(pid)
        open_ += children.get(pid, [])
    return found


def _parent(pid: int) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None  # it ended since the folder was listed
    return int(stat.rpartition(")")[2].split()[1])


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except OSError:
        return 0  # it ended since the tree was made


def _high_water(pid: int) -> int:
    """The most one process ever held since it started its program: between two looks, too."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    line = next((line for line in status.splitlines() if line.startswith("VmHWM:")), None)
    return int(line.split()[1]) * 1024 if line else 0


def _expire(pid: int, expired: threading.Event) -> None:
    expired.set()
    _end(pid)


def _end(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return  # it ended by itself a moment ago


def _text(file) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
