"""What a command says: readable lines for people on stdout, progress on stderr, or one JSON object for machines."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

REFUSED, UNUSABLE, INTERRUPTED = 1, 2, 130
"""Exit codes besides 0: a proof or claim was refused, input cannot be used, somebody pressed Ctrl-C."""


class Console:
    """Output of one command run. With `as_json` the only thing on stdout is one JSON object, given by `result`."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.times: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Times a step; says its name on a terminal while it runs."""
        live = sys.stderr.isatty() and not self.as_json
        if live:
            print(f"  {name} ...", end="\r", file=sys.stderr, flush=True)
        start = time.perf_counter()
        try:
            yield
        finally:
            self.times[name] = time.perf_counter() - start
            if live:
                print(" " * (len(name) + 8), end="\r", file=sys.stderr, flush=True)

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

    def result(self, data: dict, lines: list[str]) -> None:
        """The outcome: `data` as JSON, or `lines` for people."""
        print(json.dumps(data, indent=2, sort_keys=True) if self.as_json else "\n".join(lines))

    def error(self, message: str, code: int) -> None:
        """One clear line on stderr, and the same in JSON on stdout when asked for."""
        message = " ".join(message.splitlines())
        if self.as_json:
            print(json.dumps({"error": message, "exit_code": code}, sort_keys=True))
        print(f"zkpredict: {message}", file=sys.stderr)
