"""The server under load, on the loopback address: nothing acknowledged is lost and nothing is answered twice, whatever ends it. No test
asserts how long anything took."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from zkpredict.kernel import G1
from zkpredict.tools.load import PATIENCE, Running, children, load, ready, serving, start
from zkpredict.verifier import native
from zkpredict.verifier.commitment import ModelCommitment

IRIS = "examples/tables/iris.model"
ROW = {"features": [5.1, 3.5, 1.4, 0.2]}


@pytest.fixture(scope="module")
def small() -> Running:
    """A server of a small model, whose limits nobody here meets by rate."""
    with serving(model=IRIS) as running:
        yield running


def test_200_requests_of_20_clients_none_lost_none_twice_and_memory_stays(capsys):
    """The long soak, 20,000 requests, is a command of its own (docs/server.md)."""
    with serving(model=IRIS) as server:
        before = server.resident()
        found = load(server, 200, 20, width=4)
        assert (found.lost, found.statuses, len(found.answers), len(set(found.answers.values()))) == ([], [], 200, 200)
        assert "zkpredict_proofs_total 200\n" in server.ask("GET", "/metrics")[2].decode()
        assert server.resident() - before < 20_000_000
        with capsys.disabled():
            print(f"\n200 proofs for 20 clients: {len(found.answers) / found.whole:.1f} a second, p95 {found.p95:.2f} s")


def test_a_full_queue_says_when_to_come_back_and_takes_the_request_then():
    with serving("--workers", "1", "--queue", "1") as server:
        with ThreadPoolExecutor(12) as pool:
            found = list(pool.map(lambda number: server.ask("POST", "/v1/prove", {"image": [number] * 784}), range(12)))
        assert {status for status, _, _ in found} == {200, 429}
        headers, body = next((headers, body) for status, headers, body in found if status == 429)
        error = json.loads(body)["error"]
        assert (error["kind"], error["what"]) == ("QueueFull", "1 requests wait already") and headers["retry-after"] == "1"
        assert load(server, 12, 4, start=1000).statuses == []  # clients that wait as told all get their proof


def test_the_same_key_from_many_clients_at_once_is_one_proof(small):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: small.ask("POST", "/v1/prove", ROW, key), range(16)))
    assert {status for status, _, _ in found} == {200} and len({body for _, _, body in found}) == 1
    assert sum("idempotency-replayed" not in headers for _, headers, _ in found) == 1


def test_kill_9_under_load_loses_nothing_that_was_acknowledged(tmp_path):
    options = ("--state", str(tmp_path / "state.db"))
    process = start(*options, model=IRIS)
    server, acknowledged, stop = ready(process), {}, threading.Event()

    def client(number: int) -> None:
        while not stop.is_set():
            key = str(uuid.uuid4())
            try:
                status, _, body = server.ask("POST", "/v1/prove", ROW, {"Idempotency-Key": key})
            except (OSError, ValueError, AssertionError):
                return
            if status == 200:
                acknowledged[key] = body

    workers = children(process.pid)
    threads = [threading.Thread(target=client, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    while len(acknowledged) < 12:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait(PATIENCE)
    stop.set()
    for thread in threads:
        thread.join()
    for worker in workers:  # they hold weights: none outlives its server
        while alive(worker):
            time.sleep(0.05)
    assert len(acknowledged) >= 12
    with serving(*options, model=IRIS) as again:
        for key, body in acknowledged.items():
            status, headers, repeated = again.ask("POST", "/v1/prove", ROW, {"Idempotency-Key": key})
            assert (status, headers.get("idempotency-replayed"), repeated) == (200, "true", body)
        assert "zkpredict_proofs_total 0\n" in again.ask("GET", "/metrics")[2].decode()
        some = json.loads(body)
        commitment = ModelCommitment.from_bytes(bytes.fromhex(json.loads(again.ask("GET", "/v1/model")[2])["commitment"]), G1.from_compressed)
        native.verify(commitment, bytes.fromhex(some["input"]), native.parse_proof(bytes.fromhex(some["proof"])))


def test_an_orderly_end_finishes_what_was_taken(tmp_path):
    """SIGTERM while requests wait: each taken one is answered, the exit code is 0, and new connections find nobody."""
    process = start("--workers", "1")
    server = ready(process)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(server.ask, "POST", "/v1/prove", {"image": [number] * 784}) for number in range(8)]
        while _accepted(server) < 8:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        found = [one.result() for one in asked]
    assert [status for status, _, _ in found] == [200] * 8
    assert process.wait(PATIENCE) == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=5)


def alive(process: int) -> bool:
    try:
        with open(f"/proc/{process}/status", encoding="ascii") as status:
            return "\nState:\tZ" not in status.read()
    except (FileNotFoundError, ProcessLookupError):
        return False


def _accepted(server: Running) -> int:
    """Proof requests that the server has taken, answered or not."""
    health = json.loads(server.ask("GET", "/v1/health")[2])
    counted = [line for line in server.ask("GET", "/metrics")[2].decode().splitlines() if line.startswith("zkpredict_proofs_total ")]
    return health["busy"] + health["waiting"] + int(counted[0].split()[1])
