"""From the page to a real node: signed by a wallet in the browser, or by the server's key file, never both."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from playwright.sync_api import expect

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "contracts"))

from nodes import client, running_anvil

from zkpredict.cli.main import main
from zkpredict.contracts.chain.evm import account_key
from zkpredict.contracts.chain.rpc import RpcChain
from zkpredict.contracts.verifier.client import deploy_verifier, register_model
from zkpredict.prover.model import Model
from zkpredict.tools.load import PATIENCE, serving

pytestmark = pytest.mark.node
BLANK = [0] * 784


@dataclass(frozen=True)
class Node:
    url: str
    chain: RpcChain
    contract: str
    unknowing: str

    def options(self, key: Path | None = None) -> tuple[str, ...]:
        return ("--open", "--rpc-url", self.url, "--contract", self.contract, *(("--key-file", str(key)) if key else ()))


@pytest.fixture(scope="module")
def node() -> Node:
    """anvil with the verifier, which knows the model, and another verifier, which does not."""
    commitment = Model.load(Path(__file__).parents[2] / "examples" / "mnist.model").commitment
    with running_anvil("prague") as url:
        chain = client(url)
        contract, unknowing = (deploy_verifier(chain, commitment.circuit).address for _ in range(2))
        register_model(chain, contract, commitment)
        yield Node(url, chain, contract, unknowing)


def test_the_servers_key_sends_one_transaction_for_a_proof_and_none_for_a_false_one(node, tmp_path):
    key = tmp_path / "key"
    key.write_text(account_key(0).to_hex())
    with serving(*node.options(key), "--state", str(tmp_path / "state.db")) as server:
        described = json.loads(server.ask("GET", "/v1/model")[2])
        assert described["node"] == {"chain_id": node.chain.chain_id, "contract": node.contract, "signs": "server"}
        made = json.loads(server.ask("POST", "/v1/prove", {"image": BLANK})[2])
        asked = {"image": BLANK, "proof": made["proof"]}
        before = node.chain.ask("eth_getTransactionCount", node.chain.sender, "latest").quantity()
        first, again = (json.loads(server.ask("POST", "/v1/transaction", asked)[2]) for _ in range(2))
        assert first == again and first["valid"] and re.fullmatch("0x[0-9a-f]{64}", first["transaction"])
        twin = json.loads(server.ask("POST", "/v1/transaction", {"image": [1] + BLANK[1:], "proof": json.loads(server.ask("POST", "/v1/prove", {"image": BLANK})[2])["proof"]})[2])
        assert (twin["valid"], twin["kind"]) == (False, "FailedOpening")
        other = json.loads(server.ask("POST", "/v1/transaction", {**asked, "image": [1] + BLANK[1:]})[2])
        assert (other["valid"], other["kind"]) == (False, "FailedOpening")  # though the proof was sent, about another input
        assert node.chain.ask("eth_getTransactionCount", node.chain.sender, "latest").quantity() == before + 1
        receipt = node.chain.ask("eth_getTransactionReceipt", first["transaction"])
        assert receipt["gasUsed"].quantity() == first["gas"] and receipt["status"].quantity() == 1
        assert account_key(0).to_hex()[2:] not in json.dumps([described, made, first, twin])
    with serving(*node.options(key), "--state", str(tmp_path / "state.db")) as server:
        assert json.loads(server.ask("POST", "/v1/transaction", asked)[2]) == first  # after a restart too


def test_a_wallet_in_the_browser_signs_what_the_contract_accepts(page, node):
    """The wallet is a provider as EIP-1193 says, whose account anvil holds: the transaction is real."""
    asked = []

    def wallet(method: str, params: list) -> object:
        asked.append((method, params))
        answer = requests.post(node.url, json={"jsonrpc": "2.0", "id": 1, "method": "eth_accounts" if method == "eth_requestAccounts" else method, "params": params}, timeout=PATIENCE).json()
        return answer["result"]

    page.expose_function("wallet", wallet)
    page.add_init_script("window.ethereum = { request: ({ method, params = [] }) => window.wallet(method, params) };")
    with serving(*node.options()) as server:
        page.goto(server.url)
        expect(page.locator("html")).to_have_attribute("data-ready", "true")
        page.locator("#pad").focus()
        for key in (" ", "ArrowDown", "ArrowDown", "ArrowDown"):
            page.keyboard.press(key)
        page.locator("#prove").click()
        expect(page.locator("#status")).to_have_class("good")
        expect(page.locator("#send")).to_have_text("Send with my wallet")
        page.locator("#send").click()
        expect(page.locator("#send-note")).to_have_text(re.compile("^Sent: transaction 0x[0-9a-f]{64}[.]$"))
        name = re.search("0x[0-9a-f]{64}", page.locator("#send-note").inner_text())[0]
        page.locator("#calldata").click()
        expect(page.locator("#calldata-note")).to_have_text(f"1,892 bytes for verifyOrRevert(bytes32,bytes,uint256,bytes) of {node.contract} on chain {node.chain.chain_id}")
        shown = page.locator("#calldata-text").input_value()
        then = "sign in your wallet: /v1/calldata gives the data"
        error = {"kind": "NotOffered", "what": "this server signs no transactions", "where": "path", "next": then}
        assert json.loads(server.ask("POST", "/v1/transaction", {"image": BLANK, "proof": "00"})[2])["error"] == error
    assert [method for method, _ in asked] == ["eth_requestAccounts", "eth_chainId", "eth_sendTransaction"]
    receipt = node.chain.ask("eth_getTransactionReceipt", name)
    assert receipt["status"].quantity() == 1 and receipt["to"].data(20).hex() == node.contract[2:].lower()
    assert node.chain.ask("eth_getTransactionByHash", name)["input"].data() == bytes.fromhex(shown[2:])


def test_a_wallet_is_not_asked_for_what_the_contract_refuses_nor_where_there_is_none(page, node):
    with serving(*node.options()) as server:
        refused = {"valid": False, "kind": "OpeningFailed", "reason": "the contract refuses: OpeningFailed"}
        page.goto(server.url)
        expect(page.locator("html")).to_have_attribute("data-ready", "true")
        found = page.evaluate("""async ([node, verdict]) => {
            const { send } = await import("/onchain.js");
            const said = [];
            const attempt = () => send(node, "00", "00").catch((error) => said.push(error.message));
            await attempt();
            window.ethereum = { request: () => { throw new Error("asked"); } };
            window.fetch = async () => ({ ok: true, json: async () => verdict });
            await attempt();
            return said;
        }""", [{"chain_id": 1, "contract": node.contract, "signs": "wallet"}, refused])
        assert found == ["no wallet here: install one that gives pages window.ethereum, or send the calldata yourself", "the contract refuses: OpeningFailed"]
        image, proof = bytes(784).hex(), json.loads(server.ask("POST", "/v1/prove", {"image": BLANK})[2])["proof"]
        said = json.loads(server.ask("POST", "/v1/verify", {"image": image, "proof": proof, "in": "node"})[2])
        assert (said["valid"], said["verifier"]) == (True, "node")
        said = json.loads(server.ask("POST", "/v1/verify", {"image": "01" + image[2:], "proof": proof, "in": "node"})[2])
        assert said == {"verifier": "node", **refused}


def test_a_node_that_does_not_fit_is_refused_before_anything_is_served(node, root, monkeypatch, capfd):
    monkeypatch.chdir(root)
    serve = ["serve", "--model", "examples/mnist.model", "--port", "0", "--open"]
    for options, expected in (
        (["--rpc-url", node.url, "--contract", "0x" + "12" * 20], f"there is no contract at 0x{'12' * 20} on this chain"),
        (["--rpc-url", node.url, "--contract", "0x12"], "0x12 is no address: 0x and 40 hex digits, with a right checksum if letters are mixed"),
        (["--rpc-url", node.url, "--contract", node.unknowing], f"the verifier at {node.unknowing} does not know the model: `zkpredict chain register` makes it known"),
        (["--rpc-url", "http://127.0.0.1:1", "--contract", node.contract], "no answer from the node at http://127.0.0.1:1: ConnectionError (is it running, and is this its address?)"),
        (["--rpc-url", node.url, "--contract", node.contract, "--key-file", "nothing"], "cannot read key file nothing: No such file or directory"),
    ):
        assert main([*serve, *options]) == 2
        assert capfd.readouterr().err.splitlines()[-1] == f"zkpredict: {expected}"
