"""A real anvil node on a free loopback port that always stops, a client of it, and many calls in one request."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import requests

from zkpredict.contracts.chain.interface import ChainError
from zkpredict.contracts.compile import node_modules
from zkpredict.contracts.chain.evm import FUNDS, account_key
from zkpredict.contracts.chain.rpc import RpcChain

_SECONDS = 30


@contextmanager
def running_anvil(hardfork: str) -> Iterator[str]:
    """The address of an anvil that follows the rules of `hardfork`."""
    binary = node_modules() / "@foundry-rs" / "anvil-linux-amd64" / "bin" / "anvil"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [binary, "--host", "127.0.0.1", "--port", str(port), "--hardfork", hardfork, "--silent", "--accounts", "1"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=_SECONDS)


def client(url: str) -> RpcChain:
    """A client of the node whose account 0 has the same key, and funds, as the embedded chain's account 0."""
    chain = RpcChain(url, account_key(0).to_bytes(), seconds=_SECONDS)
    chain._web3.provider.ask("anvil_setBalance", chain.sender, hex(FUNDS))
    return chain


def call_many(chain: RpcChain, to: str, datas: Sequence[bytes]) -> list[bytes]:
    """What `to` returns for each of `datas`; fails with `KeyError` when it refuses one."""
    calls = [
        {"jsonrpc": "2.0", "id": number, "method": "eth_call", "params": [{"to": to, "data": f"0x{data.hex()}"}, "latest"]}
        for number, data in enumerate(datas)
    ]
    answers = requests.post(chain._web3.provider.url, json=calls, timeout=_SECONDS).json()
    return [bytes.fromhex(answer["result"][2:]) for answer in sorted(answers, key=lambda answer: answer["id"])]


def _wait(url: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            RpcChain(url, seconds=1)
            return
        except ChainError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
