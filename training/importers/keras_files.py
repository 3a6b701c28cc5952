"""Reading and writing Keras models. The only door to Keras: it is imported inside `import_keras`, never on import.

A file may come from anybody. Keras never opens it: it opens a copy made here of the fields that were checked (`keras_archive`).
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path

from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.files.codec import load_json
from zkpredict.circuits.files.storage import read_file
from zkpredict.circuits.networks.dense import MAX_WEIGHTS
from zkpredict.training.importers.hdf5 import HDF5_ERRORS, H5Model, first_line, read_h5_model
from zkpredict.training.importers.imported import Imported
from zkpredict.training.importers.keras_archive import checked_archive, checked_config
from zkpredict.training.importers.keras_layers import keras_model

HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
_MAX_WEIGHT_BYTES = 8 * MAX_WEIGHTS


def import_keras():
    """The `keras` module, quiet, on the processor, without kernels that differ from one processor to the next in the last bits.

    Raises `UnusableInput` when it is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    try:
        import keras
    except ImportError as error:
        raise UnusableInput(
            f"this needs Keras ({error.name} is not installed): pip install 'zkpredict[training]'"
        ) from None
    return keras


def save_keras(model, path: str | Path) -> None:
    """Saves a Keras model beside `path`, then renames it onto it. Raises `UnusableInput` when that cannot be written."""
    target = Path(path)
    if target.suffix != ".keras":
        raise UnusableInput(f"a Keras model file ends in .keras, got {target}")
    try:
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:
            temporary = Path(folder) / "model.keras"
            model.save(temporary)
            os.replace(temporary, target)
    except OSError as error:
        raise UnusableInput(f"cannot write {path}: {error.strerror or error}") from None


def load_keras(path: str | Path, threshold: float | None = None) -> Imported:
    """The float model in a `.keras`, `.h5` or `.hdf5` file. `threshold`: what one output must exceed to be class 1.

    Raises `MalformedFile` for anything but an honest file of Keras, `UnsupportedNetwork`, naming the layer, for a model that
    is no chain of dense ReLU layers, and `UnusableInput` when the file cannot be read or Keras is not installed.
    """
    what = f"Keras model {path}"
    return keras_model(import_keras(), open_keras(path), what, threshold)


def open_keras(path: str | Path):
    """The Keras model in a file, loaded by Keras from a checked copy. Errors as above."""
    data = read_file(path, "Keras model", _MAX_WEIGHT_BYTES)
    what = f"Keras model {path}"
    keras = import_keras()
    importlib.import_module("zkpredict.training.layers")  # Keras finds the rational activations once they are registered
    legacy = data.startswith(HDF5_MAGIC)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / f"checked.{'h5' if legacy else 'keras'}"
        if legacy:
            write_checked_h5(copy, data, what)
        else:
            copy.write_bytes(checked_archive(data, what))
        try:
            with redirect_stdout(sys.stderr):
                return keras.saving.load_model(copy, compile=False, **({} if legacy else {"safe_mode": True}))
        except MemoryError:
            raise
        except Exception as error:  # no contract: what layers and TensorFlow raise on a file that does not fit itself has no common type
            raise MalformedFile(f"{what}: Keras cannot load it: {first_line(error)}") from None


def write_checked_h5(path: Path, data: bytes, what: str) -> None:
    """A new .h5 file of what was checked in `data`: plain layers with plain weights. Raises for anything else."""
    import h5py

    found = read_h5_model(data, what)
    config = checked_config(load_json(found.config, f"{what}: model_config"), what, legacy=True)
    try:
        _write_h5(h5py, path, config, found)
    except HDF5_ERRORS as error:
        raise MalformedFile(f"{what}: its weights have names or sizes that no .h5 file takes: {first_line(error)}") from None


def _write_h5(h5py, path: Path, config: dict, found: H5Model) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config).encode()
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [layer.encode() for layer in found.weights]
        for layer, arrays in found.weights.items():
            inner = group.create_group(layer)
            inner.attrs["weight_names"] = [name.encode() for name, _ in arrays]
            for name, values in arrays:
                inner[name] = values
