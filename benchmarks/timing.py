"""Medians of repeated runs, in this process and of whole processes."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from zkpredict.circuits.errors import UnusableInput


@dataclass(frozen=True)
class Measured:
    """Seconds: median and extremes over `runs`; `peak_bytes` for whole processes, else None."""

    median: float
    low: float
    high: float
    runs: int
    peak_bytes: int | None = None


def measure(action: Callable[[], object], runs: int) -> Measured:
    """Times `action` after one run that is not counted."""
    action()
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return Measured(statistics.median(seconds), min(seconds), max(seconds), runs)


def measure_process(arguments: list[str], runs: int) -> Measured:
    """Times `python -m zkpredict.cli.main ARGUMENTS` as whole processes; `peak_bytes` is the largest resident size."""
    command = [sys.executable, "-m", "zkpredict.cli.main", *arguments]
    seconds, peak = [], 0
    for number in range(runs + 1):
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise UnusableInput(f"zkpredict {arguments[0]} ended with exit code {process.returncode}")
        if number:
            seconds.append(time.perf_counter() - start)
            peak = max(peak, usage.ru_maxrss * 1024)
    return Measured(statistics.median(seconds), min(seconds), max(seconds), runs, peak)
