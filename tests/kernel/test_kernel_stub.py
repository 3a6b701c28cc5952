"""The types that the kernel's wheel carries are those of the extension module: mypy's stubtest compares names and parameters."""

import subprocess
import sys
from pathlib import Path

import pytest
import zkpredict_kernel

COMPILED = "zkpredict_kernel.zkpredict_kernel failed to find stubs\n"
"""The extension inside the package, whose names the package re-exports: it needs no stub of its own."""


def stubtest(folder: Path) -> str:
    command = [sys.executable, "-m", "mypy.stubtest", "zkpredict_kernel", "--concise"]
    return subprocess.run(command, cwd=folder, env={"MYPYPATH": str(folder)}, capture_output=True, text=True).stdout


def test_the_installed_stub_is_the_checkouts_and_that_of_the_module(root, tmp_path):
    installed = Path(zkpredict_kernel.__file__).parent
    assert (installed / "py.typed").is_file()
    assert (installed / "__init__.pyi").read_bytes() == (root / "kernel" / "zkpredict_kernel.pyi").read_bytes()
    assert stubtest(tmp_path) == COMPILED


@pytest.mark.parametrize(
    ("true", "false", "says"),
    [
        ("def rotate(self, k: int)", "def rotate(self, by: int)", 'zkpredict_kernel.Vector.rotate is inconsistent, stub parameter "by"'),
        ("def keccak256(data: Buffer) -> bytes: ...\n", "", "zkpredict_kernel.keccak256 is not present in stub"),
        ("def lagrange(", "def lagrangian(", "zkpredict_kernel.Bases.lagrangian is not present at runtime"),
    ],
)
def test_a_stub_of_something_else_is_found(root, tmp_path, true, false, says):
    stub = (root / "kernel" / "zkpredict_kernel.pyi").read_text()
    assert stub.count(true) == 1
    package = tmp_path / "zkpredict_kernel"
    package.mkdir()
    (package / "__init__.pyi").write_text(stub.replace(true, false))
    assert says in stubtest(tmp_path)
