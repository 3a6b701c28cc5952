"""Runs the application: a socket of our own, a patience for slow heads, and a shutdown that finishes what was taken."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import resource
import signal
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from zkpredict.circuits.errors import UnusableInput
from zkpredict.cli.serve.gate import App

MAX_CONNECTIONS = 4096
_OTHER_FILES = 64
SHUTDOWN_SECONDS = 120


class Patient(H11Protocol):
    """Closes a connection that takes longer than `patience` seconds for the head of a request, idle or a byte at a time."""

    patience = 10.0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing():
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._stop()
        self._timer = self.loop.call_later(self.patience, self._late)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()


class _Server(uvicorn.Server):
    """Says when it listens; a signal ends it with exit code 0, after everything taken is finished."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises `UnusableInput` for an address that is taken, unknown or not ours."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        found = socket.socket(family, kind, protocol)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(1024)
    except OSError as error:
        raise UnusableInput(f"cannot listen on {host} port {port}: {error.strerror}; try another --host or --port (0 takes a free one)") from None
    return found


def run(app: App, listening: socket.socket, *, patience: float, proxy: str | None, log_requests: bool, ready: Callable[[], None]) -> None:
    """Serves until SIGINT or SIGTERM. `patience`: seconds for the head of a request."""
    config = uvicorn.Config(
        app,
        http=type("Patient", (Patient,), {"patience": patience}),
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_level="info" if log_requests else "error",  # a stranger must not fill the log with warnings
        log_config=_logging(),
        access_log=log_requests,
        proxy_headers=proxy is not None,
        forwarded_allow_ips=proxy or "",
        server_header=False,
        date_header=True,
        limit_concurrency=_connections(),
        timeout_keep_alive=5,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        h11_max_incomplete_event_size=16 * 1024,
    )
    server = _Server(config, ready)
    # uvicorn hands a signal on to whoever had it before, once it is done: nobody, so that an orderly end is exit code 0
    before: dict[int, Any] = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        server.run(sockets=[listening])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _logging() -> dict[str, Any]:
    """uvicorn's, all of it on stderr: stdout is for the command's own result."""
    found: dict[str, Any] = copy.deepcopy(uvicorn.config.LOGGING_CONFIG)
    for handler in found["handlers"].values():
        handler["stream"] = "ext://sys.stderr"
    return found


def _connections() -> int:
    """How many connections may be open: as many files as the system lets us have, less what we need ourselves."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + _OTHER_FILES
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(min(MAX_CONNECTIONS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _OTHER_FILES), 16)
