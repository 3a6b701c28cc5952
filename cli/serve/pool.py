"""A bounded pool of worker processes: one thread for each, which hands it a job, waits, and starts a new worker when it is lost.

    submit -> [queue, bounded] -> a worker's thread -> pipe -> worker process
              full: `Full`                             too slow, or gone: the job fails, the worker is replaced

Jobs and answers are JSON, so nothing that a worker holds can come back by accident.
"""

from __future__ import annotations

import json
import multiprocessing
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from multiprocessing.connection import Connection
from typing import Any

START_SECONDS = 300.0
_RESTART_PAUSE = 0.5
Answer = dict[str, Any]


class Full(Exception):
    """As many jobs wait as may."""


class Lost(Exception):
    """The worker stopped while it had the job; another takes its place."""


class Late(Exception):
    """The job took longer than it may, waiting included."""


class NoStart(Exception):
    """No worker comes up: its own words, which are about files and never about what is in them."""


class _Worker:
    """One process and our end of its pipe. Raises `NoStart`."""

    def __init__(self, target: Callable[..., None], arguments: tuple[object, ...]) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=target, args=(theirs, *arguments), daemon=True)
        self._process.start()
        theirs.close()
        try:
            self.hello = self._receive(START_SECONDS)
        except (Late, Lost):
            self.kill()
            raise NoStart("the worker process did not start") from None
        if "unusable" in self.hello:
            self.kill()
            raise NoStart(self.hello["unusable"])

    def ask(self, job: Answer, seconds: float) -> Answer:
        try:
            self._pipe.send_bytes(json.dumps(job).encode())
        except OSError:
            raise Lost from None
        return self._receive(seconds)

    def _receive(self, seconds: float) -> Answer:
        try:
            if not self._pipe.poll(max(seconds, 0)):
                raise Late
            return json.loads(self._pipe.recv_bytes())
        except (EOFError, OSError):
            raise Lost from None

    def end(self) -> None:
        """Kills the process; whoever waits for it hears that it is gone."""
        self._process.kill()

    def kill(self) -> None:
        self.end()
        self._process.join()
        self._pipe.close()

    def stop(self) -> None:
        """Closes the pipe, which ends an idle worker."""
        self._pipe.close()
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


class Pool:
    """`workers` processes that run `target(connection, *arguments)`; at most `waiting` jobs queue. `seconds` bounds a job from
    when it is handed in to its answer. Raises `NoStart`."""

    def __init__(self, target: Callable[..., None], arguments: tuple[object, ...], *, workers: int, waiting: int, seconds: float) -> None:
        self._target, self._arguments, self.seconds, self.workers = target, arguments, seconds, workers
        self._queue: queue.Queue[tuple[Answer, Future[Answer], float] | None] = queue.Queue(waiting)
        self.restarts, self.busy, self.lost = 0, 0, 0
        self._workers: dict[int, _Worker | None] = {}
        try:
            for number in range(workers):
                self._workers[number] = worker = self._start()
                self.hello = worker.hello
        except NoStart:
            for started in self._workers.values():
                if started is not None:
                    started.kill()
            raise
        self._abandoned = self._closed = False
        self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in self._workers]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """Jobs that no worker has yet."""
        return self._queue.qsize()

    def submit(self, job: Answer, seconds: float | None = None) -> Future[Answer]:
        """The answer to come; it may fail with `Lost` or `Late`. `seconds`: for this job, if not the pool's. Raises `Full`."""
        future: Future[Answer] = Future()
        try:
            self._queue.put_nowait((job, future, time.monotonic() + (self.seconds if seconds is None else seconds)))
        except queue.Full:
            raise Full from None
        return future

    def close(self, abandon: bool = False) -> None:
        """Finishes every job that was taken, then ends the workers; or fails them (`abandon`), when nobody waits for any. Once is
        enough. Workers ignore signals, so a process that leaves one behind would wait for it at its own end."""
        if self._closed:
            return
        self._closed = True
        if abandon:
            self._abandoned = True
            for worker in list(self._workers.values()):
                if worker is not None:
                    worker.end()
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _start(self) -> _Worker:
        worker = _Worker(self._target, self._arguments)
        if hasattr(self, "hello") and worker.hello != self.hello:
            worker.kill()
            raise NoStart("the model file is another one than when the server started")
        return worker

    def _run(self, number: int) -> None:
        while (item := self._queue.get()) is not None:
            job, future, until = item
            if not future.set_running_or_notify_cancel():
                continue
            if self._abandoned:
                future.set_exception(Lost())
            elif time.monotonic() >= until:
                future.set_exception(Late())
            else:
                self._do(number, job, future, until)
        worker = self._workers[number]
        if worker is not None:
            worker.stop()

    def _do(self, number: int, job: Answer, future: Future[Answer], until: float) -> None:
        self.busy += 1
        try:
            worker = self._workers[number] = self._workers[number] or self._replaced(until)
            answer = worker.ask(job, until - time.monotonic())
        except (Lost, Late, NoStart) as error:
            lost, self._workers[number] = self._workers[number], None
            if lost is not None:
                lost.kill()
            self.lost += 1
            future.set_exception(Late() if isinstance(error, Late) else Lost())
        else:
            future.set_result(answer)
        finally:
            self.busy -= 1

    def _replaced(self, until: float) -> _Worker:
        """A new worker for one that was lost."""
        self.restarts += 1
        try:
            return self._start()
        except NoStart:
            time.sleep(min(_RESTART_PAUSE, max(until - time.monotonic(), 0)))
            raise


def send(connection: Connection, message: Answer) -> None:
    """A worker's side: one answer. Raises `OSError` when nobody is there."""
    connection.send_bytes(json.dumps(message).encode())
