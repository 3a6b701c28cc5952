"""Running a command in a process of its own, with something going wrong at a chosen moment."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from support import random_image, random_network

from zkpredict.cli.main import main
from zkpredict.prover.model import Model

SHAPE = (20, 6, 3)
MOMENTS = ("create_beside", "fdopen", "fsync", "chmod", "replace", "unlink")
"""What a command does to files, in the order of first use. Between two of these nothing on the disk changes but a temporary file."""


@dataclass(frozen=True)
class Ended:
    """How a command ended: exit code (negative: signal) and what it said."""

    code: int
    out: str
    err: str


def forked(folder: Path, arguments: list[str], prepare: Callable[[], None] = lambda: None) -> Ended:
    """Runs `zkpredict ARGUMENTS` in a fork of this process after `prepare()`."""
    out, err = folder.parent / "out", folder.parent / "err"
    process = os.fork()
    if not process:
        code = 70
        try:
            for number, path in ((1, out), (2, err)):
                os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
            sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
            prepare()
            code = main(arguments)
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)
    return Ended(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), out.read_text(), err.read_text())


def at_moment(number: int, act: Callable[[], None]) -> Callable[[], None]:
    """`act` just before file operation `number` (from 0) of the process, and never after."""

    def prepare() -> None:
        from zkpredict.circuits.files import storage

        count = iter(range(1 << 30))

        def watched(original):
            def call(*arguments, **options):
                if next(count) == number:
                    act()
                return original(*arguments, **options)

            return call

        for name in MOMENTS:
            module = storage if name == "create_beside" else os
            setattr(module, name, watched(getattr(module, name)))

    return prepare


def die() -> None:
    """kill -9."""
    os.kill(os.getpid(), signal.SIGKILL)


def failing(code: int) -> Callable[[], None]:
    """An `OSError` with this errno."""

    def act() -> None:
        raise OSError(code, os.strerror(code))

    return act


@dataclass(frozen=True)
class Desk:
    """A folder with a model, an image and names for what commands write."""

    folder: Path

    @property
    def model(self) -> Path:
        return self.folder / "m.model"

    @property
    def commitment(self) -> Path:
        return self.folder / "m.commitment"

    @property
    def image(self) -> Path:
        return self.folder / "i.npy"

    @property
    def proof(self) -> Path:
        return self.folder / "p.proof"

    @property
    def commit(self) -> list[str]:
        return ["commit", "--model", str(self.model), "--out", str(self.commitment)]

    @property
    def prove(self) -> list[str]:
        return ["prove", str(self.image), "--model", str(self.model), "--out", str(self.proof)]

    @property
    def verify(self) -> list[str]:
        return ["verify", str(self.image), str(self.proof), "--commitment", str(self.commitment)]

    def run(self, arguments: list[str], prepare: Callable[[], None] = lambda: None) -> Ended:
        return forked(self.folder, arguments, prepare)

    def files(self) -> dict[str, bytes]:
        """Everything in the folder, hidden files too."""
        return {path.name: path.read_bytes() for path in sorted(self.folder.iterdir())}


@pytest.fixture
def desk(tmp_path) -> Desk:
    """With an uncommitted model."""
    desk = Desk(tmp_path / "desk")
    desk.folder.mkdir()
    Model(random_network(41, SHAPE)).save(desk.model)
    np.save(desk.image, random_image(42, SHAPE[0]))
    return desk


@pytest.fixture
def committed(desk) -> Desk:
    """The same after `commit`."""
    assert desk.run(desk.commit).code == 0
    return desk


def moments(run: Callable[[int], Ended]) -> Iterator[tuple[int, Ended]]:
    """`run(0)`, `run(1)`, ... until a run ends as if nothing had gone wrong: then the command has no more moments."""
    for number in range(1000):
        ended = run(number)
        if ended.code == 0:
            assert number >= 4, "something should have gone wrong"
            return
        yield number, ended
