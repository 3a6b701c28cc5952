"""A real anvil node on a free loopback port that always stops, a client of it, and many calls in one request."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

import requests

from zkpredict.contracts.compile import node_modules
from zkpredict.contracts.chain.evm import FUNDS, account_key
from zkpredict.contracts.chain.rpc import RpcChain

_SECONDS, _PAUSE = 30, 0.05
_LISTENING = re.compile(r"^Listening on 127\.0\.0\.1:(\d+)$", re.MULTILINE)


@contextmanager
def running_anvil(hardfork: str) -> Iterator[str]:
    """The address of an anvil that follows the rules of `hardfork`."""
    binary = node_modules() / "@foundry-rs" / "anvil-linux-amd64" / "bin" / "anvil"
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [binary, "--host", "127.0.0.1", "--port", "0", "--hardfork", hardfork, "--accounts", "1"], stdout=said, stderr=said
        )
        try:
            yield _address(process, said)
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


def _address(process: subprocess.Popen, said: BinaryIO) -> str:
    """Where the node says that it listens: it lets the system choose the port, so no other process can have it in between."""
    for _ in range(int(_SECONDS / _PAUSE)):
        stopped = process.poll()
        text = os.pread(said.fileno(), 1 << 16, 0).decode("utf-8", "replace")
        if found := _LISTENING.search(text):
            return f"http://127.0.0.1:{found[1]}"
        if stopped is not None:
            raise ChildProcessError(f"anvil stopped with {stopped}: {text.strip()[-500:]}")
        time.sleep(_PAUSE)
    raise TimeoutError(f"anvil said nothing of an address within {_SECONDS} seconds: {text.strip()[-500:]}")
