"""What the kernel promises its callers: documented names, one for one in the package, and a cheap import."""

import inspect
import subprocess
import sys

import pytest
import zkpredict_kernel

from zkpredict import kernel


def test_the_package_is_the_native_module():
    native = zkpredict_kernel.__all__
    assert sorted(kernel.__all__) == sorted(native)
    assert all(getattr(kernel, name) is getattr(zkpredict_kernel, name) for name in native)


@pytest.mark.parametrize("name", [name for name in kernel.__all__ if name not in ("MODULUS", "GENERATOR", "TWO_ADICITY")])
def test_everything_public_is_documented(name):
    thing = getattr(kernel, name)
    assert thing.__doc__
    if inspect.isclass(thing):
        for member, value in vars(thing).items():
            assert member.startswith("_") or value.__doc__, member


def test_importing_needs_neither_py_ecc_nor_numpy():
    script = "import sys, zkpredict.kernel, zkpredict.kernel.reference; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not {"py_ecc", "numpy"} & set(modules)
