"""HDF5 bytes of strangers, looked through in a process of its own: broken ones can send the HDF5 library round in circles.

`python -P -m zkpredict.training.importers.hdf5 SECONDS check|model < FILE` prints what is wrong with a file, or nothing; with `model`,
of a whole Keras .h5 file, what `read_h5_model` takes apart.
"""

from __future__ import annotations

import io
import json
import math
import resource
import signal
import subprocess
import sys
from dataclasses import dataclass

import numpy as np

from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.files.codec import ByteReader

PROCESSOR_SECONDS = 20
"""Of processor time, so that a busy machine refuses nothing; the largest honest file takes less than one."""
MAX_DEPTH = 16
HDF5_ERRORS = (OSError, RuntimeError, ValueError, KeyError, TypeError, OverflowError)
"""What h5py makes of errors of the HDF5 library, and of sizes beyond a C integer; fuzzing found no other."""


def check_hdf5(data: bytes, what: str) -> None:
    """Raises `MalformedFile` unless every number in the HDF5 bytes lies in them, unpacked: no links, external, virtual or
    filtered data, nothing that does not end."""
    found = _child("check", data, what)
    if found:
        raise MalformedFile(f"{what} {found.decode()}")


@dataclass(frozen=True, eq=False)
class H5Model:
    """`config`: the text of the model's configuration; `weights`: per layer that has some, its arrays by name, in their order."""

    config: bytes
    weights: dict[str, list[tuple[str, np.ndarray]]]


def read_h5_model(data: bytes, what: str) -> H5Model:
    """What a Keras .h5 file holds of a model, read in a process of its own. Raises `MalformedFile`, as `check_hdf5` does."""
    check_hdf5(data, what)
    reader = ByteReader(_child("model", data, what), what)
    if reader.unsigned(1, "outcome"):
        raise MalformedFile(f"{what} {reader.data[1:].decode()}")
    found = json.loads(reader.take(reader.unsigned(4, "size of the list"), "list"))
    weights = {}
    for layer, entries in found["layers"]:
        weights[layer] = []
        for name, shape in entries:
            raw = reader.take(4 * math.prod(shape), f"numbers of '{name}'")
            weights[layer].append((name, np.frombuffer(raw, "<f4").reshape(shape)))
    reader.finish()
    return H5Model(found["config"].encode(), weights)


def _child(task: str, data: bytes, what: str) -> bytes:
    """What the process that looks through `data` printed. Raises `MalformedFile` when it did not end well."""
    # -P: else whatever lies in the current folder could be imported in place of h5py
    command = [sys.executable, "-P", "-m", "zkpredict.training.importers.hdf5", str(PROCESSOR_SECONDS), task]
    child = subprocess.run(command, input=data, capture_output=True)
    if child.returncode == -signal.SIGXCPU:
        raise MalformedFile(f"{what} has no end: reading it took more than {PROCESSOR_SECONDS} seconds of processor time")
    if child.returncode:
        raise MalformedFile(f"{what} is broken: the HDF5 library fell over it (exit code {child.returncode})")
    return child.stdout


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
    except HDF5_ERRORS as error:
        return f"is broken: {first_line(error)}"


def _model(data: bytes) -> bytes:
    """0, then a list of the model's parts in JSON and the float32 numbers of its weights; or 1 and what is wrong."""
    import h5py

    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            if "model_config" not in file.attrs or "model_weights" not in file:
                return b"\x01holds weights without a model: save the whole model (model.save), not its weights"
            listed, numbers = [], []
            for layer in _names(file["model_weights"].attrs.get("layer_names", ())):
                group = file["model_weights"][layer]
                arrays = [(name, np.asarray(group[name], "<f4")) for name in _names(group.attrs.get("weight_names", ()))]
                listed.append((layer, [(name, array.shape) for name, array in arrays]))
                numbers += [array.tobytes() for _, array in arrays]
            config = file.attrs["model_config"]
            text = config if isinstance(config, str) else bytes(config).decode()
    except HDF5_ERRORS as error:
        return f"\x01is broken: {first_line(error)}".encode(errors="backslashreplace")
    manifest = json.dumps({"config": text, "layers": listed}).encode()
    return b"".join([b"\x00", len(manifest).to_bytes(4, "little"), manifest, *numbers])


def _names(found) -> list[str]:
    return [name if isinstance(name, str) else bytes(name).decode() for name in found]


def main(seconds: int, task: str) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    data = sys.stdin.buffer.read()
    sys.stdout.buffer.write(_model(data) if task == "model" else _fault(data).encode(errors="backslashreplace"))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
