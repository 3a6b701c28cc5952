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
_LOOKS = 200
"""Memory is looked at every 10 ms, and of a long command after each 200th of its time so far."""
_LONGEST_LOOK = 0.5
_KEPT_CHARACTERS = 400
_GIB = 1 << 30


class CommandFailed(UnusableInput):
    """A command of a system ended badly, or was stopped at a limit: the message says after how long, and its last words or what it held."""


class CommandStopped(CommandFailed):
    """It was stopped at a limit."""


@dataclass(frozen=True)
class Limits:
    """Of one command with all processes under it: `seconds` of the clock, and `gib` of memory, None for any."""

    seconds: float = 3600.0
    gib: float | None = None

    def within(self, other: Limits) -> bool:
        """Whether what these let end, `other` lets end too."""
        return self.seconds <= other.seconds and (other.gib is None or (self.gib is not None and self.gib <= other.gib))

    def __str__(self) -> str:
        return _duration(self.seconds) + (f", {self.gib:g} GiB" if self.gib is not None else "")


@dataclass(frozen=True)
class Command:
    """`argv` run in `folder`. `inner` reads the seconds of the library call alone out of stdout, None where it is not told.

    `part` sets a ceremony apart from the rest of a set-up: others may already have run it. `makes`: files that are removed before,
    since careful commands do not write over them. `step` is what a failure calls it.
    """

    argv: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    inner: Callable[[str], float | None] = lambda stdout: None
    accepts: tuple[int, ...] = (0,)
    part: str = "setup"
    makes: tuple[str, ...] = ()
    step: str = ""


@dataclass(frozen=True)
class Finished:
    """What running commands took: wall `seconds`, processor seconds `cpu` of the tree, its `peak_bytes` (0 when not watched)."""

    seconds: float
    cpu: float
    peak_bytes: int = 0
    inner: float | None = None
    stdout: str = field(default="", repr=False)
    code: int = 0


def run(command: Command, limits: Limits, watch_memory: bool = False) -> Finished:
    """Runs `command` within `limits`. Raises `CommandFailed`.

    Memory is looked at by a thread of this process, every 10 ms at first: watch runs that are not timed. With a limit of memory alone it is
    looked at twice a second.
    """
    for name in command.makes:
        Path(command.folder, name).unlink(missing_ok=True)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            command.argv, cwd=command.folder, env={**os.environ, **command.environment},
            stdin=subprocess.DEVNULL, stdout=out, stderr=errors, start_new_session=True,
        )  # fmt: skip
        watch = _Watch(process.pid, limits, closely=watch_memory)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            _end(process.pid)
            process.wait()
            raise
        finally:
            watch.stop()
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        stdout, stderr = (_text(file) for file in (out, errors))
    step = f"in {command.step}, " if command.step else ""
    if watch.passed:
        raise CommandStopped(f"{step}stopped after {_duration(seconds)}{watch.passed}")
    if process.returncode not in command.accepts:
        words = " ".join((stderr.strip() or stdout.strip()).split())[-_KEPT_CHARACTERS:]
        raise CommandFailed(f"{step}failed after {seconds:.1f} s with exit code {process.returncode}: {words}")
    cpu = usage.ru_utime + usage.ru_stime
    return Finished(seconds, cpu, watch.peak if watch_memory else 0, command.inner(stdout), stdout, process.returncode)


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} s"


def run_all(commands: list[Command], limits: Limits, watch_memory: bool = False) -> Finished:
    """Runs several, one after the other: times added up, the largest peak, `inner` only when one of them tells it."""
    done = [run(command, limits, watch_memory) for command in commands]
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
    """Looks at a process and everything under it until told to stop: `peak` is the most that they held at a time, `passed` says which
    limit they were ended for, or is empty. `closely`: for the peak of a run that is not timed.

    `wait4` would not do for the peak: it starts from the size of this process, whose copy every child is for a moment.
    """

    def __init__(self, root: int, limits: Limits, closely: bool) -> None:
        self.peak, self.passed = 0, ""
        self._root, self._limits, self._closely, self._done = root, limits, closely, threading.Event()
        self._start = time.perf_counter()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(self._pause()):
            if self._closely or self._limits.gib is not None:
                self._look()
            held = f"{self.peak / _GIB:.1f} GiB"
            if self._limits.gib is not None and self.peak > self._limits.gib * _GIB:
                self.passed = f" at {held}: the limit is {self._limits.gib:g} GiB"
            elif time.perf_counter() - self._start >= self._limits.seconds:
                self.passed = ", the limit" + (f", at {held}" if self.peak else "")
            if self.passed:
                return _end(self._root)

    def _pause(self) -> float:
        so_far = time.perf_counter() - self._start
        between = max(_LOOK_SECONDS, min(_LONGEST_LOOK, so_far / _LOOKS)) if self._closely else _LONGEST_LOOK
        return max(0.0, min(between, self._limits.seconds - so_far))

    def _look(self) -> None:
        pids = tree(self._root)
        self.peak = max(self.peak, sum(map(_resident, pids)), *map(_high_water, pids))


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


def _end(root: int) -> None:
    """Ends a process that this module started, its group, and what is under it in other groups."""
    for pid in tree(root):
        _signal(os.kill, pid)
    _signal(os.killpg, root)


def _signal(send: Callable[[int, int], None], pid: int) -> None:
    try:
        send(pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it ended by itself a moment ago


def _text(file) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
