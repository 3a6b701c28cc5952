"""The native kernel of a checkout: from a wheel in dist/ when one was built from the same sources, else from kernel/ with Rust.

    python tools/kernel_wheel.py python     is this Python one that zkpredict runs on?
    python tools/kernel_wheel.py check      can this machine install the kernel? If not, one line says what to install
    python tools/kernel_wheel.py install    installs it for this Python
    python tools/kernel_wheel.py build      makes the wheels of the kernel and of zkpredict in dist/

A kernel wheel carries a digest of its sources as its build tag (PEP 427: a digit, then letters), so that a wheel of other sources is never
taken for the checkout's. This file runs before anything is installed: standard library only.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KERNEL = ROOT / "kernel"
DIST = ROOT / "dist"
SOURCES = ("pyproject.toml", "Cargo.toml", "Cargo.lock", "*.pyi", "src/*.rs")
LEAST_PYTHON = (3, 11)
_RUSTUP = "install Rust with https://rustup.rs, or put a kernel wheel into dist/"


class Unready(Exception):
    """What this machine lacks; the message says what to install."""


def source_digest() -> str:
    """Twelve hex digits that name the kernel's sources, whatever the line ends of the checkout."""
    state = hashlib.sha256()
    for path in sorted(path for pattern in SOURCES for path in KERNEL.glob(pattern)):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        state.update(f"{path.relative_to(KERNEL).as_posix()} {len(content)}\n".encode() + content)
    return state.hexdigest()[:12]


def fitting_wheel(dist: Path) -> Path | None:
    """The wheel in `dist` that was built from these sources and that pip takes here, or None."""
    for path in sorted(dist.glob(f"zkpredict_kernel-*-0{source_digest()}-*.whl")):
        if _pip("install", "--dry-run", "--no-deps", "--no-index", "--ignore-installed", str(path), capture_output=True).returncode == 0:
            return path
    return None


def check_python(dist: Path, version: tuple[int, ...] = tuple(sys.version_info[:3])) -> None:
    """Raises `Unready` when this Python is too old."""
    if version < LEAST_PYTHON:
        found = ".".join(map(str, version))
        raise Unready(f"zkpredict needs Python 3.11 or later, {sys.executable} is {found}: install one and say `make prove PYTHON=python3.11`")


def check(dist: Path) -> None:
    """Raises `Unready` when the kernel can neither be taken from `dist` nor built."""
    if fitting_wheel(dist) is None:
        _check_rust()
        _check_compiler()


def _check_rust() -> None:
    least = re.search(r'^rust-version = "([0-9.]+)"', (KERNEL / "Cargo.toml").read_text(), re.MULTILINE).group(1)
    for tool in ("cargo", "rustc"):
        if shutil.which(tool) is None:
            raise Unready(f"the kernel is written in Rust, and {tool} is not installed: {_RUSTUP}")
        done = subprocess.run([tool, "--version"], capture_output=True, text=True)
        found = re.match(rf"{tool} (\d+(?:\.\d+)+)", done.stdout)
        if done.returncode or found is None:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise Unready(f"{tool} does not run ({said[0] if said else f'exit code {done.returncode}'}): {_RUSTUP}")
        if _numbers(found.group(1)) < _numbers(least):
            raise Unready(f"the kernel needs Rust {least} or later, {tool} is {found.group(1)}: `rustup update stable`, or {_RUSTUP}")


def _check_compiler() -> None:
    compiler = (os.environ.get("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        raise Unready(
            f"the kernel needs a C compiler, and {compiler} is not installed: `apt-get install gcc libc6-dev`, `dnf install gcc`, or on a "
            "Mac `xcode-select --install`; or put a kernel wheel into dist/"
        )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def install(dist: Path) -> None:
    """Installs the kernel from `dist`, or builds it. Raises `Unready`."""
    wheel = fitting_wheel(dist)
    if wheel is not None:
        print(f"kernel from {wheel}")
        _must(_pip("install", "--quiet", "--no-deps", "--no-index", "--force-reinstall", str(wheel)))
        return
    for path in sorted(dist.glob("zkpredict_kernel-*.whl")):
        print(f"kernel not from {path}: built from other sources, or for another platform")
    print("kernel from kernel/, built with Rust: a minute or two")
    _must(_pip("install", "--quiet", "--no-deps", "--no-build-isolation", str(KERNEL), env=_with_own_tools()))


def build(dist: Path) -> None:
    """Makes both wheels. Kernel wheels of other sources in `dist` are removed: pip could prefer them. Raises `Unready`."""
    _check_rust()
    _check_compiler()
    with open(KERNEL / "Cargo.toml") as manifest:
        fcntl.flock(manifest, fcntl.LOCK_EX)  # what maturin and setuptools do in target/ and build/ is not made for two at a time
        _build(dist)


def _build(dist: Path) -> None:
    dist.mkdir(parents=True, exist_ok=True)
    made = dist / ".made"
    shutil.rmtree(made, ignore_errors=True)
    maturin = ["maturin", "build", "--release", "--locked", "--quiet", "--manifest-path", str(KERNEL / "Cargo.toml"), "--out", str(made)]
    _must(subprocess.run(maturin, env=_with_own_tools()))
    tag = f"0{source_digest()}"
    (plain,) = made.glob("*.whl")
    _must(subprocess.run([sys.executable, "-m", "wheel", "tags", "--remove", "--build", tag, str(plain)], stdout=subprocess.DEVNULL))
    (tagged,) = made.glob(f"*-{tag}-*.whl")
    for leftover in ("lib", *(path.name for path in (ROOT / "build").glob("bdist.*"))):
        shutil.rmtree(ROOT / "build" / leftover, ignore_errors=True)  # setuptools would pack what an earlier build left there
    _must(_pip("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(made), str(ROOT)))
    for old in dist.glob("zkpredict_kernel-*.whl"):
        if f"-{tag}-" not in old.name:
            print(f"removed {old}: built from other sources")
            old.unlink()
    for path in sorted(made.glob("*.whl")):
        path.replace(dist / path.name)
        print(f"made {dist / path.name}")
    made.rmdir()
    print(f"install with: pip install --find-links {os.path.relpath(dist)} zkpredict")


def _pip(*arguments: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments], **options)


def _with_own_tools() -> dict[str, str]:
    """The environment in which maturin is this Python's."""
    return os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def _must(done: subprocess.CompletedProcess) -> None:
    if done.returncode:
        raise Unready(f"{' '.join(map(str, done.args[:4]))} ... failed with exit code {done.returncode}: its own words are above")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=("python", "check", "install", "build"))
    parser.add_argument("--dist", type=Path, default=DIST, help="folder of the wheels (default: dist)")
    arguments = parser.parse_args()
    try:
        {"python": check_python, "check": check, "install": install, "build": build}[arguments.action](arguments.dist)
    except Unready as error:
        print(f"zkpredict: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
