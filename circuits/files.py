"""Files: read with a size limit, written beside and then renamed, so nobody ever sees half an artefact."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from zkpredict.circuits.errors import UnusableInput

MAX_FILE_BYTES = 1 << 29


def read_file(path: str | os.PathLike, what: str, limit: int = MAX_FILE_BYTES) -> bytes:
    """The bytes of `path`, called `what` in errors. Raises `UnusableInput` when missing, unreadable or above `limit` bytes."""
    try:
        with open(path, "rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise UnusableInput(f"cannot read {what} {path}: {error.strerror}") from None
    if len(data) > limit:
        raise UnusableInput(f"{what} {path} is larger than {limit} bytes")
    return data


def write_atomically(path: str | os.PathLike, data: bytes, private: bool = False) -> None:
    """Writes `data` to a temporary file in the same folder, syncs it, and renames it onto `path`.

    `private` files are readable by their owner only. Raises `UnusableInput` when the folder cannot be written.
    """
    target = Path(path)
    temporary = None
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o600 if private else 0o644)
        os.replace(temporary, target)
    except OSError as error:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
        raise UnusableInput(f"cannot write {path}: {error.strerror}") from None
