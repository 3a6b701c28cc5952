"""Wheels: built once, installed where there is no Rust, used by the checkout only when they are of its sources; and what is said without."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from nodes import running_anvil
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from support import refuses

from zkpredict.tools import kernel_wheel

NEEDED = ("numpy", "pillow", "pycryptodome", "rich", "markdown-it-py", "mdurl", "pygments")
"""What zkpredict's wheel asks for, with what that asks for."""
RUSTUP = "install Rust with https://rustup.rs, or put a kernel wheel into dist/"


@pytest.fixture(scope="module")
def dist(tmp_path_factory) -> Path:
    """A folder with both wheels; the compiled kernel is the one that the checkout was installed with, unless its sources changed."""
    folder = tmp_path_factory.mktemp("wheels") / "dist"
    folder.mkdir()
    (folder / "zkpredict_kernel-0.1.0-0abcabcabcabc-cp311-abi3-any.whl").write_bytes(b"of other sources")
    kernel_wheel.build(folder)
    return folder


@pytest.fixture(scope="module")
def kernel(dist) -> Path:
    (path,) = dist.glob("zkpredict_kernel-*.whl")
    return path


@pytest.fixture(scope="module")
def fresh(tmp_path_factory) -> Path:
    """An environment with nothing but the third-party packages that the wheels ask for."""
    return environment(tmp_path_factory.mktemp("fresh"), NEEDED)


def environment(home: Path, names) -> Path:
    """A virtual environment at `home` with these distributions, as they are installed here."""
    venv.create(home, with_pip=False, symlinks=True)
    (site,) = home.glob("lib/python3*/site-packages")
    for name in names:
        for top in {file.parts[0] for file in distribution(name).files} - {"..", "__pycache__"}:
            if not (site / top).exists():  # several distributions put a `docs` there
                (site / top).symlink_to(distribution(name).locate_file(top))
    return home


def closure(name: str) -> set[str]:
    """What the distribution `name` (with extras in brackets) asks for, and what that asks for."""
    found: set[str] = set()
    left = [Requirement(name)]
    while left:
        wanted = left.pop()
        for text in distribution(wanted.name).requires or ():
            needed = Requirement(text)
            asked = needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in ("", *wanted.extras))
            if asked and canonicalize_name(needed.name) not in found:
                found.add(canonicalize_name(needed.name))
                left.append(needed)
    return found


@pytest.fixture
def tools(tmp_path) -> Path:
    """A folder to be the whole PATH: the tools of a plain machine, neither Rust nor a C compiler."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("make", "sh", "mkdir", "touch"):
        (folder / name).symlink_to(shutil.which(name))
    return folder


def script(path: Path, says: str, code: int = 0) -> None:
    path.write_text(f"#!/bin/sh\necho '{says}'\nexit {code}\n")
    path.chmod(0o755)


def pip(fresh: Path, *arguments, path: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "pip", "--python", fresh / "bin" / "python", "--isolated", *arguments]
    return subprocess.run(command, env={"PATH": str(path)}, capture_output=True, text=True)


def test_the_wheel_holds_the_whole_page_and_the_verifier_in_javascript(dist):
    (path,) = dist.glob("zkpredict-*.whl")
    root = Path(__file__).resolve().parents[2]
    own = {"cli/serve/page": "zkpredict/cli/serve/page", "verifier/javascript": "zkpredict/verifier/javascript"}
    wanted = {f"{there}/{file.relative_to(root / here)}" for here, there in own.items() for file in (root / here).rglob("*") if file.is_file()}
    with zipfile.ZipFile(path) as wheel:
        assert len(wanted) > 40 and wanted - set(wheel.namelist()) == set()


def test_the_kernel_wheel_is_one_for_all_python_from_3_11(kernel):
    name, version, build, python, abi, platform = kernel.stem.split("-")
    assert (name, version, build) == ("zkpredict_kernel", "0.1.0", f"0{kernel_wheel.source_digest()}")
    assert (python, abi) == ("cp311", "abi3") and platform.startswith(("manylinux_", "macosx_", "win"))
    with zipfile.ZipFile(kernel) as wheel:
        tops = {entry.split("/")[0] for entry in wheel.namelist()}
        assert not [entry for entry in wheel.namelist() if str(kernel_wheel.ROOT).encode() in wheel.read(entry)]
        assert tops == {"zkpredict_kernel", "zkpredict_kernel-0.1.0.dist-info"}
        assert {"zkpredict_kernel/__init__.pyi", "zkpredict_kernel/py.typed"} <= set(wheel.namelist())
        assert [entry for entry in wheel.namelist() if "abi3" in entry] and not [entry for entry in wheel.namelist() if entry.endswith(".rs")]


def test_the_wheel_of_zkpredict_holds_every_module_and_its_data(root, dist):
    with zipfile.ZipFile(dist / "zkpredict-0.1.0-py3-none-any.whl") as wheel:
        packed = set(wheel.namelist())
    tracked = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True).stdout.split()
    parts = ("kernel", "circuits", "verifier", "prover", "contracts", "training", "cli", "benchmarks")
    modules = {f"zkpredict/{name}" for name in tracked if name.split("/")[0] in parts and name.endswith(".py")}
    assert modules <= packed and "zkpredict/cli/look.py" in modules
    assert {"zkpredict/prover/ceremony/setup.bin", "zkpredict/py.typed"} <= packed
    assert {name.split("/")[0] for name in packed} == {"zkpredict", "zkpredict-0.1.0.dist-info"}
    assert not [name for name in packed if name.startswith(("zkpredict/tests", "zkpredict/tools", "zkpredict/docs"))]


def test_a_fresh_environment_without_rust_proves_and_verifies_from_the_wheels_alone(root, dist, fresh, tools, tmp_path):
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copyfile(dist / "zkpredict-0.1.0-py3-none-any.whl", alone / "zkpredict-0.1.0-py3-none-any.whl")
    lacking = pip(fresh, "install", "--no-index", "--find-links", alone, "zkpredict", path=tools)
    assert lacking.returncode and "No matching distribution found for zkpredict-kernel==0.1.0" in lacking.stderr
    installed = pip(fresh, "install", "--no-index", "--find-links", dist, "zkpredict", path=tools)
    assert installed.returncode == 0, installed.stderr

    def command(*arguments) -> str:
        words = [fresh / "bin" / "zkpredict", *arguments]
        done = subprocess.run(words, cwd=tmp_path, env={"PATH": str(tools)}, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    where = "import zkpredict, zkpredict_kernel; print(zkpredict.__file__); print(zkpredict_kernel.__file__)"
    found = subprocess.run([fresh / "bin" / "python", "-c", where], cwd=tmp_path, env={}, capture_output=True, text=True, check=True)
    assert all(line.startswith(str(fresh)) for line in found.stdout.splitlines())
    examples = root / "examples"
    assert command("prove", examples / "seven.png", "--model", examples / "mnist.model", "--out", "seven.proof").startswith("The network says 7,")
    verdict = command("verify", examples / "seven.png", "seven.proof", "--commitment", examples / "mnist.commitment")
    assert verdict.startswith("VALID: ")
    assert "answer    7" in command("look", examples / "seven.png", "--model", examples / "mnist.model")


ANVIL_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
"""Of anvil's first account, the same everywhere."""


def test_four_commands_of_an_installed_wheel_reach_a_verified_transaction(root, dist, tools, tmp_path):
    """Those of docs/your-model.md, on anvil, with nothing but the wheels and what zkpredict[chain] asks for: no Node, no solc, no checkout."""
    fresh = environment(tmp_path / "fresh", closure("zkpredict[chain]") - {"zkpredict-kernel"})
    installed = pip(fresh, "install", "--no-index", "--find-links", dist, "zkpredict[chain]", path=tools)
    assert installed.returncode == 0, installed.stderr
    desk = tmp_path / "desk"
    (desk / "examples" / "tables").mkdir(parents=True)
    for name in ("iris.model", "iris.commitment"):
        shutil.copyfile(root / "examples" / "tables" / name, desk / name)
    shutil.copyfile(root / "examples" / "tables" / "iris.csv", desk / "examples" / "tables" / "iris.csv")
    (desk / "anvil.key").write_text(ANVIL_KEY)
    page = (root / "docs" / "your-model.md").read_text(encoding="utf-8")
    section = page.split("## To a verified transaction, in four commands")[1]
    commands = re.search(r"```sh\n(.*?)```", section, re.DOTALL)[1].strip().splitlines()
    assert len(commands) == 4
    with running_anvil("prague") as url:
        for line in commands:
            name, *words = shlex.split(line.replace("http://127.0.0.1:8545", url))
            assert name == "zkpredict"
            done = subprocess.run([fresh / "bin" / name, *words], cwd=desk, env={"PATH": str(tools)}, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.startswith("VALID: the contract accepts that the network under ") and "says versicolor (class 1)." in done.stdout
        transaction = re.search(r"transaction  (0x[0-9a-f]{64})", done.stdout)[1]
        question = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_getTransactionReceipt", "params": [transaction]}).encode()
        request = urllib.request.Request(url, question, {"content-type": "application/json"})
        receipt = json.load(urllib.request.urlopen(request))["result"]
    assert (receipt["status"], receipt["to"]) == ("0x1", "0x5fbdb2315678afecb367f032d93f642f64180aa3")


def test_the_checkout_takes_a_wheel_of_its_sources_and_no_other(dist, kernel, tools, tmp_path, monkeypatch, capfd):
    assert [path.name for path in dist.glob("zkpredict_kernel-*")] == [kernel.name]  # the one of other sources is gone
    monkeypatch.setenv("PATH", str(tools))
    kernel_wheel.check(dist)
    monkeypatch.setenv("PIP_TARGET", str(tmp_path / "site"))
    kernel_wheel.install(dist)
    assert (tmp_path / "site" / "zkpredict_kernel").is_dir() and capfd.readouterr().out == f"kernel from {kernel}\n"
    others = tmp_path / "others"
    others.mkdir()
    digest = kernel_wheel.source_digest()
    for name in (
        kernel.name.replace(digest, "abcabcabcabc"),
        kernel.name.replace(f"0{digest}-", ""),
        kernel.name.rpartition("-")[0] + "-manylinux_2_34_s390x.whl",
        kernel.name.replace("cp311-abi3", "cp399-cp399"),
    ):
        shutil.copyfile(kernel, others / name)
    with refuses(kernel_wheel.Unready, f"the kernel is written in Rust, and cargo is not installed: {RUSTUP}"):
        kernel_wheel.check(others)


def test_other_sources_have_another_digest(tmp_path, monkeypatch):
    digest = kernel_wheel.source_digest()
    for name in ("Cargo.toml", "Cargo.lock", "pyproject.toml", "src/lib.rs"):
        copy = tmp_path / name.replace("/", "-")
        shutil.copytree(kernel_wheel.KERNEL, copy, ignore=shutil.ignore_patterns("target", "__pycache__"))
        monkeypatch.setattr(kernel_wheel, "KERNEL", copy)
        assert kernel_wheel.source_digest() == digest
        (copy / name).write_bytes((copy / name).read_bytes() + b"\n")
        assert kernel_wheel.source_digest() != digest
        monkeypatch.undo()


MISSING = [
    ({}, f"the kernel is written in Rust, and cargo is not installed: {RUSTUP}"),
    ({"cargo": ("cargo 1.95.0", 0)}, f"the kernel is written in Rust, and rustc is not installed: {RUSTUP}"),
    ({"cargo": ("cargo 1.82.0 (8f40fc59f 2024-08-21)", 0)},
     f"the kernel needs Rust 1.83 or later, cargo is 1.82.0: `rustup update stable`, or {RUSTUP}"),
    ({"cargo": ("cargo 1.95.0", 0), "rustc": ("rustc 1.9.0", 0)},
     f"the kernel needs Rust 1.83 or later, rustc is 1.9.0: `rustup update stable`, or {RUSTUP}"),
    ({"cargo": ("no default toolchain", 1)}, f"cargo does not run (no default toolchain): {RUSTUP}"),
    ({"cargo": ("cargo 1.83.0", 0), "rustc": ("rustc 1.83.0", 0)},
     "the kernel needs a C compiler, and cc is not installed: `apt-get install gcc libc6-dev`, `dnf install gcc`, or on a Mac "
     "`xcode-select --install`; or put a kernel wheel into dist/"),
]  # fmt: skip


@pytest.mark.parametrize(("present", "message"), MISSING)
def test_what_is_missing_to_build_is_said_in_one_line(tools, tmp_path, monkeypatch, present, message):
    for name, answer in present.items():
        script(tools / name, *answer)
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.delenv("CC", raising=False)
    with refuses(kernel_wheel.Unready, message):
        kernel_wheel.check(tmp_path)
    for name, says in (("cargo", "cargo 1.83.0"), ("rustc", "rustc 1.83.0"), ("cc", "")):
        script(tools / name, says)
    kernel_wheel.check(tmp_path)


def test_make_prove_says_it_before_it_installs_anything(root, tools, tmp_path):
    shutil.copytree(root / "tools", tmp_path / "tools")
    for name in ("Makefile", "pyproject.toml", "requirements/runtime.txt", "kernel/Cargo.toml", "kernel/Cargo.lock", "kernel/pyproject.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(root / name, tmp_path / name)
    environment = tmp_path / "made"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin" / "python").symlink_to(sys.executable)
    script(environment / "bin" / "pip", "pip was asked")
    done = subprocess.run(["make", "prove", f"VENV={environment}"], cwd=tmp_path, env={"PATH": str(tools)}, capture_output=True, text=True)
    assert done.returncode == 2 and "pip was asked" not in done.stdout
    assert done.stderr.splitlines()[0] == f"zkpredict: the kernel is written in Rust, and cargo is not installed: {RUSTUP}"
    assert len(done.stderr.splitlines()) == 2 and done.stderr.splitlines()[1].startswith("make: *** ")


def test_a_python_that_is_too_old_is_named(tmp_path):
    kernel_wheel.check_python(tmp_path, (3, 11, 0))
    named = f"zkpredict needs Python 3.11 or later, {sys.executable} is 3.10.9: install one and say `make prove PYTHON=python3.11`"
    with refuses(kernel_wheel.Unready, named):
        kernel_wheel.check_python(tmp_path, (3, 10, 9))
