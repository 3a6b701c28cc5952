"""What a node's address holds besides scheme, host and port never reaches a message: people keep passwords and keys there."""

from __future__ import annotations

import json

import pytest

from zkpredict.circuits.errors import UnusableInput
from zkpredict.cli.main import main
from zkpredict.contracts.chain.node import shown_url
from zkpredict.contracts.chain.rpc import RpcChain

PORT = 1
"""Nobody listens there."""


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://user:pass@host:8545/v3/key?token=secret#x", "http://host:8545"),
        ("https://host/v3/key", "https://host"),
        ("http://pa%40ss@[::1]:8545", "http://[::1]:8545"),
        ("http://user:pass@host:notaport", "an address that cannot be read"),
        ("http://user:pass@", "an address without a host"),
    ],
)
def test_only_scheme_host_and_port_are_shown(url, shown):
    assert shown_url(url) == shown


def test_no_credential_reaches_an_error_or_json(capsys):
    url = f"http://alice:hunter2@127.0.0.1:{PORT}/v3/s3cret?token=t0ken"
    with pytest.raises(UnusableInput, match=rf"^no answer from the node at http://127.0.0.1:{PORT}: ConnectionError \(is it running, and is this its address\?\)$"):
        RpcChain(url)
    code = main(["chain", "deploy", "--predict", "--model", "examples/mnist.model", "--rpc-url", url, "--json"])
    said = capsys.readouterr()
    assert code == 2
    assert json.loads(said.out)["error"] == f"no answer from the node at http://127.0.0.1:{PORT}: ConnectionError (is it running, and is this its address?)"
    assert not [word for word in ("alice", "hunter2", "s3cret", "t0ken") if word in said.out + said.err]


def test_an_address_of_another_scheme_is_not_repeated():
    with pytest.raises(UnusableInput, match="^the RPC address must start with http:// or https://$"):
        RpcChain("ws://alice:hunter2@host")
