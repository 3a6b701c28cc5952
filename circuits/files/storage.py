"""Files: read with a size limit, written beside and then renamed, so nobody ever sees half an artefact."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.files.kinds import COMMITMENT, EXACT, GZIP, HIDDEN, IDX, MODEL, OPENING, kind_of, recognise
from zkpredict.circuits.files.outputs import HEAD_BYTES, FileKind, written_kind
from zkpredict.circuits.records import dataclass, field

MAX_FILE_BYTES = 1 << 29
_CHUNK_BYTES = 1 << 20
_WANTED = {
    "model": (MODEL,),
    "network": (MODEL, EXACT),
    "commitment": (COMMITMENT,),
    "idx images": (IDX, GZIP),
    "hidden input": (HIDDEN,),
    "opening": (OPENING,),
}
"""What the files called so are; another kind that is known is refused by what it is, everything else by whoever parses it."""
_WITHOUT_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP}


def read_file(path: str | os.PathLike[str], what: str, limit: int = MAX_FILE_BYTES) -> bytes:
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
        kind = kind_of(first, str(path))
        other = f": {recognise(first, str(path))}" if kind is not None and what not in _WANTED and what not in kind.name else ""
        raise UnusableInput(f"{what} {path} is larger than {limit} bytes{other}")
    return b"".join(pieces)


def write_atomically(path: str | os.PathLike[str], data: bytes, private: bool = False) -> None:
    """Writes `data` to a temporary file in the same folder, syncs it, and renames it onto `path`.

    `private` files are readable by their owner only. Raises `UnusableInput` when the folder cannot be written, or `path` is a
    folder or a device.
    """
    write_together([FileOutput(path, data, private)])


def refuse_to_replace(path: str | os.PathLike[str], kind: FileKind, force: bool, same: Iterable[bytes] = ()) -> None:
    """Raises `UnusableInput` when writing a file of `kind` to `path` would destroy something nobody asked to destroy.

    Free are: no file, an empty one, one of the same kind that can be made again (`FileKind.loss` is empty), and one whose bytes
    are among `same`. Everything else, whatever it is, takes `force`. What is no regular file is left to the writer's refusal.
    """
    if force or not os.path.isfile(path):
        return
    found = read_head(path)
    there = written_kind(found)
    if not found or (there is kind and not kind.loss):
        return
    if there is kind and any(read_file(path, kind.name) == data for data in same):
        return
    if there is None:
        held = f"it holds something else than {kind.name}"
    elif there is kind:
        held = f"it holds {kind.name} already, and {kind.loss}"
    else:
        held = f"it holds {there.name}, not {kind.name}" + (f", and {there.loss}" if there.loss else "")
    raise UnusableInput(f"cannot write {path}: {held}; give another name, or add --force to replace it")


def read_head(path: str | os.PathLike[str], what: str = "") -> bytes:
    """The first `HEAD_BYTES` of a file, called `what` in errors. Raises `UnusableInput`."""
    try:
        with open(path, "rb") as file:
            return file.read(HEAD_BYTES)
    except OSError as error:
        raise UnusableInput(f"cannot read {what + ' ' if what else ''}{path}: {error.strerror}") from None


@dataclass(frozen=True)
class FileOutput:
    """A file to write: `private` ones are readable by their owner only."""

    path: str | os.PathLike[str]
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
def one_at_a_time(path: str | os.PathLike[str]) -> Iterator[None]:
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
    folder, name = os.path.split(os.path.abspath(output.path))
    with _naming(output):
        if os.path.exists(output.path) and not os.path.isfile(output.path):
            raise UnusableInput(f"cannot write {output.path}: it is not a regular file")
        descriptor, temporary = create_beside(folder, name)
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


def create_beside(folder: str, name: str) -> tuple[int, str]:
    """A new file in `folder`, hidden, named after `name`, for its owner alone: descriptor and path. As `tempfile.mkstemp`, whose module
    takes longer to load than many a file to write. Raises `OSError`."""
    while True:
        path = os.path.join(folder, f".{name}.{os.urandom(6).hex()}")
        with suppress(FileExistsError):
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), path


@contextmanager
def _naming(output: FileOutput) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnusableInput(f"cannot write {output.path}: {error.strerror}") from None
