"""Bad clients and bad options, on the loopback address: one bad client never keeps the others waiting. No test asserts how long
anything took."""

from __future__ import annotations

import json
import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from zkpredict.cli.main import main
from zkpredict.tools.load import PATIENCE, Running, children, serving, start

IRIS = "examples/tables/iris.model"
ROW = {"features": [5.1, 3.5, 1.4, 0.2]}


@pytest.fixture(scope="module")
def small() -> Running:
    """A server of a small model, whose limits nobody here meets by rate."""
    with serving(model=IRIS) as running:
        yield running


def raw(server: Running, data: bytes, seconds: float = PATIENCE) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", server.port), timeout=seconds)
    sock.sendall(data)
    return sock


def head(length: int, path: str = "/v1/prove") -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n".encode()


def gone(sock: socket.socket) -> bytes:
    """What comes until the other side closes."""
    found = b""
    while True:
        try:
            part = sock.recv(65536)
        except ConnectionResetError:
            return found
        if not part:
            return found
        found += part


def answers(server: Running) -> None:
    """The server still proves for others."""
    assert server.ask("POST", "/v1/prove", ROW)[0] == 200


def test_a_huge_body_is_refused_before_it_is_read(small):
    sock = raw(small, head(1 << 30))
    said = gone(sock)
    assert said.startswith(b"HTTP/1.1 413 ") and b"the body is larger than 65536 bytes" in said
    chunked = head(0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    sock = raw(small, chunked)
    chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
    try:
        for _ in range(64):
            sock.sendall(chunk)
    except (BrokenPipeError, ConnectionResetError):
        pass
    gone(sock)
    assert 'status="413"} 2' in small.ask("GET", "/metrics")[2].decode()
    answers(small)


def test_half_a_body_and_a_client_that_leaves_cost_nobody_anything(small):
    for _ in range(20):
        raw(small, head(500) + b'{"features": [5.1').close()
    answers(small)


def test_1000_connections_at_once_and_the_server_answers_others(small):
    with ExitStack() as stack:
        socks = [stack.enter_context(socket.create_connection(("127.0.0.1", small.port), timeout=PATIENCE)) for _ in range(1000)]
        answers(small)
        for sock in socks:
            sock.sendall(b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert sum(gone(sock).startswith(b"HTTP/1.1 200 ") for sock in socks) == 1000
    answers(small)


def test_a_worker_that_is_killed_is_replaced_and_its_request_hears_of_it(small):
    before = [one for one in children(small.process.pid) if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()]
    assert len(before) == 2 + 1  # provers, and the one that runs chains
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(small.ask, "POST", "/v1/prove", ROW) for _ in range(4)]
        for worker in before:
            os.kill(worker, signal.SIGKILL)
        found = [one.result() for one in asked]
    error = {"kind": "WorkerLost", "what": "the worker stopped", "where": "the server", "next": "ask again; if it happens again, tell who runs this server"}
    assert all(status == 200 or (status, json.loads(body)["error"]) == (500, error) for status, _, body in found)
    while small.ask("POST", "/v1/prove", ROW)[0] != 200:
        pass
    answers(small)


def test_options_that_cannot_work_are_refused_by_name(small, capfd, monkeypatch, root, tmp_path):
    monkeypatch.chdir(root)
    (tmp_path / "other.db").write_bytes(b"not a database, but long enough to look at: " * 20)
    (tmp_path / "short").write_text("short")
    held = tmp_path / "held.db"
    cases = [
        (("--model", IRIS, "--port", str(small.port)), f"cannot listen on 127.0.0.1 port {small.port}: Address already in use; try another --host or --port (0 takes a free one)"),
        (("--model", "nothing.model"), "cannot read model nothing.model: No such file or directory"),
        (("--model", "examples/seven.png"), "examples/seven.png is no model file: it is a picture (`zkpredict prove examples/seven.png --model FILE --out PROOF` takes it)"),
        (("--model", IRIS, "--state", str(tmp_path / "other.db")), f"{tmp_path / 'other.db'} is no state of a server: give another --state FILE"),
        (("--model", IRIS, "--state", str(tmp_path)), f"cannot use the state file {tmp_path}: Is a directory"),
        (("--model", IRIS, "--token-file", str(tmp_path / "short")), f"the token file {tmp_path / 'short'} must hold one word of 16 to 1024 visible ASCII characters"),
        (("--model", IRIS, "--contract", "0x0"), "--contract and --key-file go with --rpc-url"),
        (("--model", IRIS, "--rpc-url", "http://127.0.0.1:1"), "--rpc-url needs --contract ADDRESS of a verifier that knows the model (`zkpredict chain deploy --verifier`, then `register`)"),
        (("--model", IRIS, "--host", "0.0.0.0", "--key-file", "k"), "--key-file with --host 0.0.0.0: whoever reaches this address could spend the key's money; add --token-file"),
        (("--model", IRIS, "--port", "65536"), "argument --port: '65536' is no port, which is a whole number from 0 to 65535"),
    ]
    for options, expected in cases:
        options = options if "--port" in options else (*options, "--port", "0")
        assert main(["serve", *options]) == 2
        said = capfd.readouterr().err.splitlines()
        assert said[-1] == f"zkpredict: {expected}"
    with serving("--state", str(held), model=IRIS):
        second = start("--state", str(held), model=IRIS)
        assert json.loads(second.communicate(timeout=PATIENCE)[0])["error"] == f"cannot use the state file {held}: another server uses it"
    assert held.stat().st_mode & 0o777 == 0o600


def test_slow_clients_wait_alone_and_are_let_go():
    """Heads and bodies that never end: others are answered meanwhile, and the slow ones are closed."""
    with serving("--patience", "2", model=IRIS) as server, ExitStack() as stack:
        heads = [stack.enter_context(raw(server, b"GET / HTTP/1.1\r\nHost: loc")) for _ in range(20)]
        bodies = [stack.enter_context(raw(server, head(500) + b"{")) for _ in range(20)]
        answers(server)
        assert all(gone(sock) == b"" for sock in heads)
        for sock in bodies:
            said = gone(sock)
            assert said.startswith(b"HTTP/1.1 408 ") and b"the body did not come within 2 s" in said
        answers(server)
