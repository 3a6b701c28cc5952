"""What commands about registered test sets share: reading one, and whether it is of given inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.kinds import SET, kind_of, recognise
from zkpredict.circuits.files.storage import read_file
from zkpredict.verifier.errors import WrongStatement
from zkpredict.verifier.testset import MAX_SET_BYTES, RegisteredSet, check_inputs, parse_set

if TYPE_CHECKING:
    import numpy as np


def read_set(path: str) -> RegisteredSet:
    """The registered test set in a file. Raises `UnusableInput` for another file, `MalformedFile` for a damaged one."""
    data = read_file(path, "test set", MAX_SET_BYTES)
    if kind_of(data, path) is not SET:
        raise UnusableInput(f"{path} is no registered test set (`zkpredict testset` makes one): {recognise(data, path) or 'nothing in it tells what it is'}")
    return parse_set(data, f"test set {path}")


def check_set(tests: RegisteredSet, images: np.ndarray, labels: np.ndarray | None, path: str) -> None:
    """Inputs, and labels if there are some, are those of the set at `path`. Raises `UnusableInput`."""
    if len(images) != len(tests.labels):
        raise UnusableInput(f"{path} is a test set of {len(tests.labels):,} inputs, there are {len(images):,}: take the same by --skip and --count as it was made of")
    if labels is not None and tuple(map(int, labels)) != tests.labels:
        raise UnusableInput(f"the labels are not those of {path}")
    try:
        check_inputs(tests, images.tobytes())
    except WrongStatement as error:
        raise UnusableInput(f"{path}: {error}") from None
