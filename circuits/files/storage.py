"""Files: read with a size limit, written beside and then renamed, so nobody ever sees half an artefact."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.files.kinds import COMMITMENT, EXACT, GZIP, IDX, MODEL, kind_of, recognise

MAX_FILE_BYTES = 1 << 29
_CHUNK_BYTES = 1 << 20
_WANTED = {"model": (MODEL,), "network": (MODEL, EXACT), "commitment": (COMMITMENT,), "idx images": (IDX, GZIP)}
"""What the files called so are; another kind that is known is refused by what it is, everything else by whoever parses it."""
_WITHOUT_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP}


def read_file(path: str | os.PathLike, what: str, limit: int = MAX_FILE_BYTES) -> bytes:
    """The bytes of `path`, called `what` in errors. Raises `UnusableInput` when missing, unreadable or above `limit` bytes, and
    `MalformedFile` when it is another known kind of file than `what`."""
    try:
        with open(path, "rb") as file:
            step = max(_CHUNK_BYTES, os.fstat(file.fileno()).st_size + 1)  # a regular file comes in one piece, held once
            pieces, left = [], limit + 1
            while left and (piece := file.read(min(step, left))):
                pieces.append(piece)
                left -= len(piece)
    except OSError as error:
        raise UnusableInput(f"cannot read {what} {path}: {error.strerror}") from None
    first = b"".join(pieces[:1])
    if what in _WANTED and kind_of(first, str(path)) not in (None, *_WANTED[what]):
        raise MalformedFile(f"{path} is no {what} file: {recognise(first, str(path))}")
    if not left:
        raise UnusableInput(f"{what} {path} is larger than {limit} bytes")
    return b"".join(pieces)


def write_atomically(path: str | os.PathLike, data: bytes, private: bool = False) -> None:
    """Writes `data` to a temporary file in the same folder, syncs it, and renames it onto `path`.

    `private` files are readable by their owner only. Raises `UnusableInput` when the folder cannot be written, or `path` is a
    folder or a device.
    """
    write_together([FileOutput(path, data, private)])


@dataclass(frozen=True)
class FileOutput:
    """A file to write: `private` ones are readable by their owner only."""

    path: str | os.PathLike
    data: bytes = field(repr=False)
    private: bool = False


def write_together(outputs: Iterable[FileOutput]) -> None:
    """Writes several files: all are on the disk beside their targets before the first one is renamed. Errors as above."""
    staged: list[tuple[FileOutput, str]] = []
    try:
        for output in outputs:
            staged.append((output, _stage(output)))
        for output, temporary in staged:
            with _naming(output):
                os.replace(temporary, output.path)
    finally:
        for _, temporary in staged:
            with suppress(OSError):
                os.unlink(temporary)


@contextmanager
def one_at_a_time(path: str | os.PathLike) -> Iterator[None]:
    """Waits for other processes in this block on files of the same folder: for who reads a file and writes it anew.

    Locks the folder, so nothing is left behind when a process dies. Two things do not stop it: a missing folder, which whoever reads
    in it names better, and a file system without locks, which somebody working alone can do without. Raises `UnusableInput` when
    the folder cannot be locked for any other reason, rather than go on and lose what another process writes.
    """
    folder = os.path.dirname(os.path.realpath(path))
    descriptor = -1
    try:
        try:
            descriptor = os.open(folder, os.O_RDONLY)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as error:
            if error.errno not in _WITHOUT_LOCKS:
                raise UnusableInput(f"cannot lock {folder}: {error.strerror}") from None
        yield
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _stage(output: FileOutput) -> str:
    """Writes the temporary file; returns its path."""
    import tempfile  # late: who only reads need not wait for it

    folder, name = os.path.split(os.path.abspath(output.path))
    with _naming(output):
        if os.path.exists(output.path) and not os.path.isfile(output.path):
            raise UnusableInput(f"cannot write {output.path}: it is not a regular file")
        descriptor, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(output.data)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o600 if output.private else 0o644)
        except BaseException:
            os.unlink(temporary)
            raise
    return temporary


@contextmanager
def _naming(output: FileOutput) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnusableInput(f"cannot write {output.path}: {error.strerror}") from None
