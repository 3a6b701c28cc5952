"""A part of a test from two files, for commands that seal, open and prove it."""

from __future__ import annotations

import argparse
import io
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.files.storage import read_file
from zkpredict.cli.claims import number

if TYPE_CHECKING:
    import numpy as np

    from zkpredict.contracts.systems.samples import Part

_LIMIT = 1 << 20


def add_part_options(parser: argparse.ArgumentParser) -> None:
    """Adds `--part`, `--inputs` and `--labels`."""
    parser.add_argument("--part", type=number, required=True, metavar="N", help="number of the part")
    parser.add_argument("--inputs", required=True, metavar="FILE", help=".npy (uint8), one row for each sample")
    parser.add_argument("--labels", required=True, metavar="FILE", help=".npy (uint8), one label for each sample, 0 to 15")


def read_part(arguments: argparse.Namespace, count: int, size: int) -> Part:
    """The part in the files, `count` samples of `size` bytes. Raises `MalformedFile`, `UnusableInput`."""
    return read_part_files(arguments.inputs, arguments.labels, count, size)


def read_part_files(inputs_file: str, labels_file: str, count: int, size: int) -> Part:
    """The same from two paths."""
    from zkpredict.contracts.systems.samples import Part

    inputs, labels = read_bytes_array(inputs_file), read_bytes_array(labels_file)
    if inputs.ndim < 2 or inputs.reshape(len(inputs), -1).shape != (count, size) or labels.shape != (count,):
        raise UnusableInput(f"a part of this contest is {count} inputs of {size} bytes and {count} labels, the files hold {inputs.shape} and {labels.shape}")
    return Part.of(inputs.reshape(count, size), labels.tolist())


def read_bytes_array(path: str) -> np.ndarray:
    """An array of bytes from an .npy file. Raises `MalformedFile`."""
    import numpy as np

    try:
        found = np.load(io.BytesIO(read_file(path, "array", _LIMIT)), allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise MalformedFile(f"{path} is no .npy: {' '.join(str(error).split())[:200]}") from None
    if not isinstance(found, np.ndarray) or found.dtype != np.uint8 or not found.size:
        raise MalformedFile(f"{path} holds no bytes (uint8)")
    return found
