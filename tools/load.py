"""A load on a server of one's own: bounded in requests, on the loopback address alone. Says rate, latency and growth of memory.

    python -m zkpredict.tools.load [--requests 200] [--clients 20] [--model FILE]        a short load
    python -m zkpredict.tools.load --requests 20000 --clients 4                          the soak

Every request asks for a proof of another image under its own idempotency key; none may be lost, none answered twice.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 900
"""Seconds until a client gives a busy machine up, and until these servers give a client up: what is slow here is the machine."""
WARM = 200
"""Requests before memory is measured the first time: tables, caches and buffers exist by then."""


@dataclass
class Running:
    """A server process and where it listens."""

    process: subprocess.Popen[str]
    port: int
    model_id: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None, seconds: float = PATIENCE) -> tuple[int, dict[str, str], bytes]:
        """One request on its own connection: status, headers, body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            return self.ask_on(connection, method, path, body, headers)
        finally:
            connection.close()

    @staticmethod
    def ask_on(connection: http.client.HTTPConnection, method: str, path: str, body: object = None, headers: dict[str, str] | None = None):
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection.request(method, path, data, {"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()

    def resident(self) -> int:
        """Bytes of memory of the server and its workers."""
        total = 0
        for process in (self.process.pid, *children(self.process.pid)):
            for line in Path(f"/proc/{process}/status").read_text().splitlines():
                total += 1024 * int(line.split()[1]) if line.startswith("VmRSS:") else 0
        return total


def children(process: int) -> list[int]:
    """The processes that `process` started."""
    return [int(number) for task in Path(f"/proc/{process}/task").iterdir() for number in (task / "children").read_text().split()]


@contextmanager
def serving(*options: str, model: str = "examples/mnist.model", root: Path = ROOT) -> Iterator[Running]:
    """A server on a free port, stopped at the end whatever happens."""
    process = start(*options, model=model, root=root)
    try:
        yield ready(process)
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


LENIENT = ("--rate", "100000", "--workers", "2", "--seconds", str(PATIENCE), "--patience", str(PATIENCE))


def start(*options: str, model: str = "examples/mnist.model", root: Path = ROOT) -> subprocess.Popen[str]:
    """The process of a server that is about to listen."""
    command = [sys.executable, "-m", "zkpredict.cli.main", "serve", "--model", model, "--port", "0", "--json", *LENIENT, *options]
    return subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True)


def ready(process: subprocess.Popen[str]) -> Running:
    """Waits for the one JSON object that a server says when it listens."""
    text = ""
    for line in process.stdout or ():
        text += line
        if line.rstrip() == "}":
            said = json.loads(text)
            return Running(process, int(said["url"].rstrip("/").rpartition(":")[2]), said["model_id"])
    raise RuntimeError(f"the server did not start: {text or process.wait()}")


@dataclass
class Outcome:
    """What a load saw. `seconds`: from request to answer, each; `statuses`: of answers that were no 200."""

    seconds: list[float] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    whole: float = 0.0

    @property
    def p95(self) -> float:
        return quantiles(self.seconds, n=20)[18]


def load(server: Running, requests: int, clients: int, width: int = 784, start: int = 0) -> Outcome:
    """`requests` proofs asked for by `clients` at once, each on a connection of its own; 429 is asked again after what it says."""
    outcome, lock, numbers = Outcome(), threading.Lock(), iter(range(start, start + requests))

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                connection.close()
                return
            image = [(number >> 8 * (place % 3)) % 256 if place < 3 else (place * 31) % 251 if 100 < place < 180 else 0 for place in range(width)]
            one(connection, image, str(uuid.uuid4()))

    def one(connection: http.client.HTTPConnection, image: list[int], key: str) -> None:
        began = time.perf_counter()
        try:
            status, headers, body = server.ask_on(connection, "POST", "/v1/prove", {"image": image}, {"Idempotency-Key": key})
            while status == 429:
                time.sleep(int(headers["retry-after"]))
                status, headers, body = server.ask_on(connection, "POST", "/v1/prove", {"image": image}, {"Idempotency-Key": key})
        except (OSError, http.client.HTTPException):
            connection.close()
            with lock:
                outcome.lost.append(key)
            return
        with lock:
            outcome.seconds.append(time.perf_counter() - began)
            if status == 200:
                outcome.answers[key] = json.loads(body)["id"]
            else:
                outcome.statuses.append(status)

    began = time.perf_counter()
    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outcome.whole = time.perf_counter() - began
    return outcome


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--model", default="examples/mnist.model")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, serving("--state", os.path.join(folder, "state.db"), model=arguments.model) as server:
        load(server, WARM, arguments.clients)
        before, begun = server.resident(), time.time()
        outcome, step, at = Outcome(), 1000, 0
        while at < arguments.requests:
            count = min(step, arguments.requests - at)
            part = load(server, count, arguments.clients, start=WARM + at)
            at += count
            outcome.seconds += part.seconds
            outcome.answers |= part.answers
            outcome.statuses += part.statuses
            outcome.lost += part.lost
            outcome.whole += part.whole
            grown = (server.resident() - before) / 1e6
            print(f"{at:6d} requests  {count / part.whole:5.1f}/s  p95 {part.p95:.3f} s  memory {grown:+.1f} MB  after {time.time() - begun:.0f} s", flush=True)
    print(json.dumps({
        "requests": arguments.requests, "clients": arguments.clients, "proofs_a_second": round(len(outcome.answers) / outcome.whole, 2),
        "median_seconds": round(sorted(outcome.seconds)[len(outcome.seconds) // 2], 3), "p95_seconds": round(outcome.p95, 3),
        "distinct_proofs": len(set(outcome.answers.values())), "lost": len(outcome.lost), "refused": outcome.statuses, "memory_growth_megabytes": round(grown, 1),
    }))
    return int(bool(outcome.lost or outcome.statuses or len(set(outcome.answers.values())) != arguments.requests))


if __name__ == "__main__":
    sys.exit(main())
