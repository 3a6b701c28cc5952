"""One hash from two libraries: whichever a process has loaded gives the same digests."""

import os
import subprocess
import sys

import pytest

from zkpredict import kernel
from zkpredict.circuits.keccak import keccak256


def test_both_libraries_give_one_hash(monkeypatch):
    messages = [os.urandom(length) for length in (0, 1, 135, 136, 137, 500)]
    with_kernel = [keccak256(message) for message in messages]
    assert with_kernel == [kernel.keccak256(message) for message in messages]
    monkeypatch.setitem(sys.modules, "zkpredict_kernel", None)
    assert [keccak256(message) for message in messages] == with_kernel
    monkeypatch.setattr("Crypto.Hash.keccak.new", None)
    with pytest.raises(TypeError):
        keccak256(b"")


@pytest.mark.parametrize(("first", "loaded"), [("zkpredict.kernel", False), ("zkpredict.circuits.field", True)])
def test_only_who_has_no_kernel_loads_the_other(first, loaded):
    script = f"import sys, {first}\nfrom zkpredict.circuits.keccak import keccak256; keccak256(b''); print('Crypto' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == f"{loaded}\n"
