"""What a run was made on: the first rows of each network in its CSV."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

import zkpredict
from zkpredict.benchmarks.install import missing, pins
from zkpredict.benchmarks.results import RUN, Row

_ROOT = Path(__file__).resolve().parents[1]


def machine_rows(network: str, peers: Path, names: Iterable[str]) -> list[Row]:
    """For the run on one network: processor, memory, system, versions of ours and of the peers that are installed, and the commit."""
    facts = {
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "processor": f"{_field('/proc/cpuinfo', 'model name')}, {os.cpu_count()} cores",
        "memory": _field("/proc/meminfo", "MemTotal"),
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "zkpredict": f"{zkpredict.__version__}, commit {commit()}",
    }
    wanted = pins()
    for name in names:
        versions = [package for kind in ("python", "npm", "go") for package in wanted[name].get(kind, [])]
        facts[name] = missing(peers, name) or ", ".join(versions)
    return [Row(network, RUN, name, note=fact) for name, fact in facts.items()]


def load_row(network: str, name: str) -> Row:
    """The machine's load now: processes that run or wait, on average over the last minute."""
    return Row(network, RUN, name, note=f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def commit() -> str:
    """The commit of this checkout, with `changed` when files differ from it; "none" outside a checkout."""
    try:
        name = _git("rev-parse", "--short=12", "HEAD")
        return name + (", changed" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return "none"


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=_ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _field(path: str, name: str) -> str:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return "not told by this system"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "not told by this system")
