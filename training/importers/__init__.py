"""Float models of others: one registry, by what a file begins with. Nothing of it runs code that a file carries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork
from zkpredict.circuits.files.kinds import recognise
from zkpredict.circuits.files.storage import read_file, read_head

if TYPE_CHECKING:
    from zkpredict.training.importers.imported import Imported

MAX_MODEL_BYTES = 1 << 29
SUFFIXES = (".keras", ".h5", ".hdf5", ".onnx")


@dataclass(frozen=True)
class Importer:
    """`begins`: whether the first bytes are such a file's; `load(path, threshold)` reads it; `package`: what it needs besides numpy."""

    name: str
    begins: Callable[[bytes], bool]
    load: Callable[[str, float | None], Imported]
    package: str | None = None


def _keras(path: str, threshold: float | None) -> Imported:
    from zkpredict.training.importers.keras_files import load_keras

    return load_keras(path, threshold)


def _onnx(path: str, threshold: float | None) -> Imported:
    from zkpredict.training.importers.onnx_models import MAX_ONNX_BYTES, onnx_model

    return onnx_model(read_file(path, "ONNX model", MAX_ONNX_BYTES), f"ONNX model {path}", threshold)


IMPORTERS = (
    Importer("Keras", lambda head: head.startswith(b"PK\x03\x04") or head.startswith(b"\x89HDF\r\n\x1a\n"), _keras, "Keras"),
    Importer("ONNX", lambda head: head[:1] == b"\x08" and len(head) > 2, _onnx),  # field 1, ir_version
)


def importer_of(path: str | Path) -> Importer:
    """The importer of a file. Raises `UnusableInput` when the file cannot be read or is none of a kind that is known."""
    if Path(path).is_dir():
        saved = " (a SavedModel)" if (Path(path) / "saved_model.pb").is_file() else ""
        raise UnsupportedNetwork(
            f"{path} is a folder{saved}: load it where it was made and save it as one file: model.save('model.keras'), or export it to ONNX"
        )
    head = read_head(path, "float model")
    found = next((importer for importer in IMPORTERS if importer.begins(head)), None)
    if found is None:
        known = recognise(head, str(path)) or "it begins with neither's first bytes"
        raise MalformedFile(f"{path} is no float model: {known}; read are Keras (.keras, .h5) and ONNX (.onnx)")
    return found


def read_model(path: str | Path, threshold: float | None = None) -> Imported:
    """The float model in a file. `threshold`: what one output must exceed to be class 1. Raises `UnusableInput`."""
    return importer_of(path).load(str(path), threshold)
