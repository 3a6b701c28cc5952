"""HDF5 bytes of strangers, looked through in a process of its own: broken ones can send the HDF5 library round in circles.

`python -P -m zkpredict.training.importers.hdf5 SECONDS < FILE` prints what is wrong with a file, or nothing.
"""

from __future__ import annotations

import io
import resource
import signal
import subprocess
import sys

from zkpredict.circuits.errors import MalformedFile

PROCESSOR_SECONDS = 20
"""Of processor time, so that a busy machine refuses nothing; the largest honest file takes less than one."""
MAX_DEPTH = 16
_ERRORS = (OSError, RuntimeError, ValueError, KeyError, TypeError, OverflowError)
"""What h5py makes of errors of the HDF5 library, and of sizes beyond a C integer; fuzzing found no other."""


def check_hdf5(data: bytes, what: str) -> None:
    """Raises `MalformedFile` unless every number in the HDF5 bytes lies in them, unpacked: no links, external, virtual or
    filtered data, nothing that does not end."""
    # -P: else whatever lies in the current folder could be imported in place of h5py
    command = [sys.executable, "-P", "-m", "zkpredict.training.importers.hdf5", str(PROCESSOR_SECONDS)]
    child = subprocess.run(command, input=data, capture_output=True)
    if child.returncode == -signal.SIGXCPU:
        raise MalformedFile(f"{what} has no end: reading it took more than {PROCESSOR_SECONDS} seconds of processor time")
    if child.returncode:
        raise MalformedFile(f"{what} is broken: the HDF5 library fell over it (exit code {child.returncode})")
    if child.stdout:
        raise MalformedFile(f"{what} {child.stdout.decode()}")


def first_line(error: Exception) -> str:
    """The first line of an error's text, or its class when it has none."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _fault(data: bytes) -> str:
    """What is wrong with the bytes; empty for nothing."""
    import h5py  # comes with Keras

    def search(group, depth: int) -> str:
        for name in group:
            kind = type(group.get(name, getlink=True)).__name__
            if kind != "HardLink":
                return f"has the {kind} '{name}', expected plain data"
            item = group[name]
            if isinstance(item, h5py.Group):
                found = "is nested too deeply" if depth == MAX_DEPTH else search(item, depth + 1)
                if found:
                    return found
            elif not isinstance(item, h5py.Dataset):
                return f"has the {type(item).__name__} '{name}', expected plain data"
            elif item.shape is None or item.is_virtual or item.external or item.id.get_storage_size() != item.nbytes:
                return f"does not hold the data of '{item.name}' itself"
        return ""

    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            return search(file, 0)
    except _ERRORS as error:
        return f"is broken: {first_line(error)}"


def main(seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    sys.stdout.buffer.write(_fault(sys.stdin.buffer.read()).encode(errors="backslashreplace"))


if __name__ == "__main__":
    main(int(sys.argv[1]))
