"""What a command says: readable lines for people on stdout, progress on stderr, or one JSON object for machines."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

REFUSED, UNUSABLE, INTERRUPTED, UNREAD = 1, 2, 130, 141
"""Exit codes besides 0: a proof or claim was refused, input cannot be used, somebody pressed Ctrl-C, nobody reads the pipe."""


class OutputLost(Exception):
    """stdout takes no more. `code` is the exit code: never that of a verdict, which nobody has read."""

    def __init__(self, error: OSError) -> None:
        self.code = UNREAD if isinstance(error, BrokenPipeError) else UNUSABLE
        super().__init__(f"cannot write to standard output: {error.strerror}")


class Console:
    """Output of one command run. With `as_json` the only thing on stdout is one JSON object, given by `result`."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.times: dict[str, float] = {}
        self.notes: list[str] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Times a step; says its name on a terminal while it runs."""
        live = sys.stderr.isatty() and not self.as_json
        if live:
            say_aside(f"  {name} ...", end="\r")
        start = time.perf_counter()
        try:
            yield
        finally:
            self.times[name] = time.perf_counter() - start
            if live:
                say_aside(" " * (len(name) + 8), end="\r")

    @contextmanager
    def progress(self, name: str, total: int) -> Iterator[Callable[[int], None]]:
        """A progress bar of `total` units for long steps; yields `advance(count)`. Silent when stderr is no terminal."""
        if self.as_json or not sys.stderr.isatty():
            with self.step(name):
                yield lambda count: None
            return
        from rich.console import Console as RichConsole
        from rich.progress import Progress

        with self.step(name), Progress(console=RichConsole(stderr=True), transient=True) as bar:
            task = bar.add_task(name, total=total)
            yield lambda count: bar.advance(task, count)

    @contextmanager
    def counted(self, name: str, unit: str) -> Iterator[Callable[[int, int], None]]:
        """A step that counts: yields `progress(done, total)`, which shows both on a terminal once the step has taken a second."""
        live = sys.stderr.isatty() and not self.as_json
        start, width = time.perf_counter(), 0

        def progress(done: int, total: int) -> None:
            nonlocal width
            if live and time.perf_counter() - start > 1:
                text = f"  {name}: {done:,} of {total:,} {unit}"
                say_aside(text.ljust(width), end="\r")
                width = len(text)

        with self.step(name):
            yield progress
        if width:
            say_aside(" " * width, end="\r")

    def note(self, text: str) -> None:
        """Something to know that stops nothing: one line on stderr, or an entry of "notes" in the JSON object."""
        text = " ".join(text.splitlines())
        self.notes.append(text)
        if not self.as_json:
            say_aside(f"note: {text}")

    def result(self, data: dict, lines: list[str]) -> None:
        """The outcome: `data` as JSON, or `lines` for people. Raises `OutputLost`."""
        say(_json(self._noted(data), indent=2) if self.as_json else "\n".join(lines))

    def error(self, message: str, code: int) -> None:
        """One clear line on stderr, and the same in JSON on stdout when asked for. Raises `OutputLost`."""
        message = " ".join(message.splitlines())
        say_aside(f"zkpredict: {message}")
        if self.as_json:
            say(_json(self._noted({"error": message, "exit_code": code})))

    def _noted(self, data: dict) -> dict:
        """`data` with what was noted on the way after its own notes."""
        return data | {"notes": [*data.get("notes", []), *self.notes]} if self.notes else data


def _json(data: dict, indent: int | None = None) -> str:
    import json  # late: people read lines

    return json.dumps(data, indent=indent, sort_keys=True)


def settle_streams() -> None:
    """Lets no character fail: what the encoding lacks is written as an escape; and a stream that was closed swallows everything."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))
        else:
            stream.reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """Writes to stdout now, not at exit, when an error could no longer be told. Raises `OutputLost`."""
    try:
        print(text, flush=True)
    except OSError as error:
        _discard(sys.stdout)
        raise OutputLost(error) from None


def say_aside(text: str, end: str = "\n") -> None:
    """Writes to stderr; when that is not possible, there is nobody left to tell."""
    try:
        print(text, end=end, file=sys.stderr, flush=True)
    except OSError:
        _discard(sys.stderr)


def _discard(stream: TextIO) -> None:
    """Sends what the stream still holds nowhere: the interpreter flushes it at exit, and would fail and complain again."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
