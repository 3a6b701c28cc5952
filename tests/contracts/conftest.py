"""Chains to test on: the embedded one, and a real anvil node on a free loopback port that always stops."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from zkpredict.contracts.artifact import Artifact
from zkpredict.contracts.chain import ChainError
from zkpredict.contracts.compile import Settings, compile_sources, node_modules
from zkpredict.contracts.evm import EmbeddedChain, account_key
from zkpredict.contracts.rpc import RpcChain

_SECONDS = 30


@pytest.fixture(scope="session")
def probe() -> Artifact:
    """The test contract, compiled with the pinned compiler."""
    source = Path(__file__).with_name("Probe.sol").read_text(encoding="utf-8")
    return compile_sources({"Probe.sol": source}, Settings.load())["Probe"]


@pytest.fixture
def embedded() -> EmbeddedChain:
    """A fresh embedded chain."""
    return EmbeddedChain()


@pytest.fixture(scope="session")
def anvil_url() -> Iterator[str]:
    """A running anvil with Prague rules; its address."""
    binary = node_modules() / "@foundry-rs" / "anvil-linux-amd64" / "bin" / "anvil"
    with socket.socket() as probe_socket:
        probe_socket.bind(("127.0.0.1", 0))
        port = probe_socket.getsockname()[1]
    process = subprocess.Popen(
        [binary, "--host", "127.0.0.1", "--port", str(port), "--hardfork", "prague", "--silent", "--accounts", "1"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=_SECONDS)


@pytest.fixture
def anvil(anvil_url: str) -> RpcChain:
    """A client of the anvil node whose account 0 has the same key as the embedded chain's account 0."""
    key = account_key(0)
    chain = RpcChain(anvil_url, key.to_bytes(), seconds=_SECONDS)
    chain._web3.provider.make_request("anvil_setBalance", [key.public_key.to_checksum_address(), hex(10**24)])
    return chain


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
