"""Processes of this machine. Each reads the model file itself: weights travel nowhere."""

from __future__ import annotations

import os
import signal
from collections.abc import Collection
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from types import TracebackType

from zkpredict.prover.many import Answer, Job, WorkerLost, held_model, prove_job

PATIENCE_SECONDS = 1.0
Said = tuple[bytes, str]


class LocalCrew:
    """`workers` processes with the model file at `path`. A process that dies takes all others with it, so all are started anew."""

    def __init__(self, path: str, workers: int) -> None:
        self._path, self._workers = os.path.abspath(path), workers
        self._pool = self._started()

    def _started(self) -> ProcessPoolExecutor:
        threads = max(1, len(os.sched_getaffinity(0)) // self._workers)
        return ProcessPoolExecutor(self._workers, get_context("spawn"), _prepare, (threads,))

    def __enter__(self) -> LocalCrew:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    @property
    def room(self) -> int:
        return 2 * self._workers

    @property
    def processes(self) -> tuple[int, ...]:
        """Those that run."""
        return tuple(self._pool._processes or ())

    def submit(self, job: Job) -> Future[Said]:
        try:
            return self._pool.submit(_prove, self._path, job)
        except BrokenProcessPool:
            self._pool = self._started()
            return self._pool.submit(_prove, self._path, job)

    def wait(self, handed: Collection[Future[Said]]) -> Collection[Future[Said]]:
        return wait(handed, PATIENCE_SECONDS, FIRST_COMPLETED).done

    def answer(self, ended: Future[Said]) -> Answer:
        try:
            proof, refusal = ended.result()
        except BrokenProcessPool:
            raise WorkerLost("of this machine", "a process ended before it answered, and all are started anew") from None
        return Answer("of this machine", proof, refusal)

    def distrust(self, worker: str) -> None:
        """There are no others: the model file or this installation is broken, which the next attempts show."""


def _prepare(threads: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears Ctrl-C, and lets finish what is out
    os.environ["RAYON_NUM_THREADS"] = str(threads)  # read when the kernel first computes


def _prove(path: str, job: Job) -> Said:
    return prove_job(held_model(path), job)
