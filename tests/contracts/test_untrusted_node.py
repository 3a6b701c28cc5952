"""A JSON-RPC node that answers whatever it likes: every answer is taken as it is meant, or refused by name."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from networks import ROOT
from nodes import client, running_anvil

from zkpredict.cli.main import main
from zkpredict.contracts.chain import node
from zkpredict.contracts.artifact import address_text
from zkpredict.contracts.chain.evm import EmbeddedChain, account_key
from zkpredict.contracts.chain.interface import ChainError, Log, Reverted
from zkpredict.contracts.chain.rpc import KEY_VARIABLE, RpcChain

PLACE = "0x" + "11" * 20
MADE = b"\x22" * 20
LOG = {"address": "0x" + "22" * 20, "topics": ["0x" + "33" * 32], "data": "0x44"}
RECEIPT = {"status": "0x1", "gasUsed": "0x5208", "contractAddress": "0x" + MADE.hex(), "blockNumber": "0x1", "logs": [LOG]}
HONEST = {
    "eth_chainId": "0x539",
    "eth_call": "0x01",
    "eth_getCode": "0x00",
    "eth_estimateGas": "0x5208",
    "eth_getBlockByNumber": {"baseFeePerGas": "0x7"},
    "eth_maxPriorityFeePerGas": "0x1",
    "eth_getTransactionCount": "0x0",
    "eth_sendRawTransaction": "0x" + "55" * 32,
    "eth_getTransactionReceipt": RECEIPT,
}
Respond = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers as its server's `answers` say: by method a body as bytes, or a function that writes the whole response."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        method = self.asked["method"]
        answer = self.server.answers.get(method, result(HONEST[method]))
        if isinstance(answer, bytes):
            respond(self, answer)
        else:
            answer(self)

    do_GET = do_POST

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class Liar(ThreadingHTTPServer):
    """An honest node but for `answers`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, bytes | Respond] = {}
        self.url = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is what these tests want."""


def result(value: object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "result": value}).encode()


def refusal(**error: object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "error": error}).encode()


def respond(handler: Handler, body: bytes, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def endlessly(piece: bytes, pause: float) -> Respond:
    """A response without an end."""

    def write(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(piece)
            time.sleep(pause)

    return write


def precompiles_but(precompile: int = 0, change: Callable[[bytes], bytes] = bytes) -> Respond:
    """Calls answered as the embedded chain answers them, those of one precompile changed."""

    def answer(handler: Handler) -> None:
        call = handler.asked["params"][0]
        found = EmbeddedChain().call(call["to"], bytes.fromhex(call["data"][2:]))
        respond(handler, result(f"0x{(change(found) if int(call['to'], 16) == precompile else found).hex()}"))

    return answer


def hang_up(handler: Handler) -> None:
    handler.close_connection = True


@pytest.fixture
def liar() -> Iterator[Liar]:
    with Liar() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def chain(liar) -> RpcChain:
    return RpcChain(liar.url, b"\x17" * 32, seconds=5)


def test_an_honest_node_is_believed(chain):
    assert chain.chain_id == 1337
    assert (chain.call(PLACE, b"\x01", gas=50_000), chain.code(PLACE)) == (b"\x01", b"\x00")
    made = chain.deploy(b"\x00")
    assert (made.gas_used, made.contract) == (21_000, address_text(MADE))
    assert made.logs == (Log(address_text(MADE), (b"\x33" * 32,), b"\x44"),)
    sent = chain.transact(PLACE, b"", value=1)
    assert sent.contract is None and sent.transaction.startswith("0x") and len(sent.transaction) == 66


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"hello", "with 5 bytes that cannot be read: the answer is no JSON"),
        (b"", "with 0 bytes that cannot be read: the answer is no JSON"),
        (b"\xff\xfe\xfd", "with 3 bytes that cannot be read: the answer is no JSON"),
        (b'{"result":' + b"9" * 5000 + b"}", "that cannot be read: the answer is no JSON"),
        (b"[" * 100_000, "with 100000 bytes that cannot be read: the answer is nested more than 64 deep"),
        (b"[]", "with [], expected an object"),
        (b'"0x1"', "with '0x1', expected an object"),
        (b"null", "with None, expected an object"),
        (b"{}", "with {}, expected a result or an error"),
        (b'{"error": null}', "with {'error': None}, expected a result or an error"),
        (b'{"error": "no"}', "with 'no' as error, expected an object"),
        (b'{"error": 7}', "with 7 as error, expected an object"),
    ],
    ids=["text", "empty", "no text", "number", "deep", "list", "string", "null", "nothing", "null error", "text error", "number error"],
)
def test_an_answer_that_is_no_json_rpc_is_refused(liar, body, reason):
    liar.answers["eth_chainId"] = body
    with pytest.raises(ChainError, match=re.escape(f"the node at {liar.url} answers eth_chainId with ")) as refused:
        RpcChain(liar.url, seconds=5)
    assert str(refused.value).endswith(reason)


NUMBER = "expected a number below 2^64 as 0x and hex digits"
BYTES = "bytes as 0x and hex digits"


@pytest.mark.parametrize(
    ("method", "value", "reason"),
    [
        ("eth_chainId", "zz", f"'zz', {NUMBER}"),
        ("eth_chainId", "0x", f"'0x', {NUMBER}"),
        ("eth_chainId", "0x-1", f"'0x-1', {NUMBER}"),
        ("eth_chainId", "0x10000000000000000", f"'0x10000000000000000', {NUMBER}"),
        ("eth_chainId", 1, f"1, {NUMBER}"),
        ("eth_chainId", None, f"None, {NUMBER}"),
        ("eth_chainId", ["0x1"], f"['0x1'], {NUMBER}"),
        ("eth_call", "zz", f"'zz', expected {BYTES}"),
        ("eth_call", "0x1", f"'0x1', expected {BYTES}"),
        ("eth_call", "0x 1", f"'0x 1', expected {BYTES}"),
        ("eth_call", {}, f"{{}}, expected {BYTES}"),
        ("eth_getCode", None, f"None, expected {BYTES}"),
        ("eth_getCode", "0x" + "z" * 10**6, f"'0xzzzzzzzzzz...zzzzzzzzzzzzz', expected {BYTES}"),
        ("eth_estimateGas", "lots", f"'lots', {NUMBER}"),
        ("eth_getBlockByNumber", "0x1", "'0x1', expected an object"),
        ("eth_getBlockByNumber", None, "None, expected an object"),
        ("eth_getBlockByNumber", {}, f"None as baseFeePerGas, {NUMBER}"),
        ("eth_maxPriorityFeePerGas", True, f"True, {NUMBER}"),
        ("eth_getTransactionCount", "0x" + "f" * 64, f"'0xffffffffff...fffffffffffff', {NUMBER}"),
        ("eth_sendRawTransaction", "0x1234", f"'0x1234', expected 32 {BYTES}"),
        ("eth_getTransactionReceipt", "0x1", "'0x1', expected an object"),
        ("eth_getTransactionReceipt", RECEIPT | {"status": None}, f"None as status, {NUMBER}"),
        ("eth_getTransactionReceipt", RECEIPT | {"gasUsed": -1}, f"-1 as gasUsed, {NUMBER}"),
        ("eth_getTransactionReceipt", RECEIPT | {"contractAddress": "0x22"}, f"'0x22' as contractAddress, expected 20 {BYTES}"),
        ("eth_getTransactionReceipt", RECEIPT | {"logs": {}}, "{} as logs, expected a list"),
        ("eth_getTransactionReceipt", RECEIPT | {"logs": ["x"]}, "'x' as logs[0], expected an object"),
        ("eth_getTransactionReceipt", RECEIPT | {"logs": [LOG | {"topics": ["0x3"]}]}, f"'0x3' as logs[0].topics[0], expected 32 {BYTES}"),
        ("eth_getTransactionReceipt", RECEIPT | {"status": "0x0", "blockNumber": "x"}, f"'x' as blockNumber, {NUMBER}"),
    ],
)
def test_a_result_of_the_wrong_kind_is_refused(liar, method, value, reason):
    liar.answers[method] = result(value)
    with pytest.raises(ChainError) as refused:
        chain = RpcChain(liar.url, b"\x17" * 32, seconds=5)
        chain.code(PLACE)
        chain.call(PLACE, b"")
        chain.deploy(b"\x00")
    assert str(refused.value) == f"the node at {liar.url} answers {method} with {reason}"


def test_a_contract_without_an_address_is_refused(liar, chain):
    liar.answers["eth_getTransactionReceipt"] = result(RECEIPT | {"contractAddress": None})
    with pytest.raises(ChainError, match=f"the node at {liar.url} tells no address of the contract it made in 0x[0-9a-f]{{64}}"):
        chain.deploy(b"\x00")


def test_one_answer_for_every_question_is_refused(liar):
    liar.answers = dict.fromkeys(HONEST, result("0x1"))
    with pytest.raises(ChainError, match="answers eth_getBlockByNumber with '0x1', expected an object"):
        RpcChain(liar.url, b"\x17" * 32, seconds=5).deploy(b"\x00")
    liar.answers = dict.fromkeys(HONEST, result("0xffffffffffffffff")) | {
        "eth_getBlockByNumber": result({"baseFeePerGas": "0xffffffffffffffff"})
    }
    with pytest.raises(ChainError, match="answers eth_sendRawTransaction with '0xffffffffffffffff', expected 32 bytes"):
        RpcChain(liar.url, b"\x17" * 32, seconds=5).deploy(b"\x00")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ({"code": 3, "message": "execution reverted", "data": "0xzz"}, f"answers eth_call with '0xzz' as error.data, expected {BYTES}"),
        ({"code": 3, "message": "execution reverted", "data": "0x123"}, f"answers eth_call with '0x123' as error.data, expected {BYTES}"),
        ({"code": -32000, "message": "busy\n\x1b[31mnow"}, "refused: busy  [31mnow"),
        ({"code": -32000, "message": "b" * 10_000}, f"refused: {'b' * 300}"),
        ({"code": -32000, "message": ["busy"]}, "refused: {'code': -32000, 'message': ['busy']}"),
        ({}, "refused: {}"),
    ],
)
def test_an_error_that_is_no_refusal_of_a_contract(liar, chain, error, reason):
    liar.answers["eth_call"] = refusal(**error)
    with pytest.raises(ChainError) as refused:
        chain.call(PLACE, b"")
    assert str(refused.value) == f"the node at {liar.url} {reason}"


@pytest.mark.parametrize(
    ("error", "data", "halt"),
    [
        ({"code": 3, "message": "execution reverted", "data": "0x12"}, b"\x12", ""),
        ({"code": 3, "message": "execution reverted"}, b"", ""),
        ({"code": -32000, "message": "execution reverted", "data": {"0x1": {}}}, b"", ""),
        ({"code": -32000, "message": "out of gas"}, b"", "out of gas"),
    ],
)
def test_refusals_of_a_contract_are_told_apart(liar, chain, error, data, halt):
    liar.answers["eth_call"] = refusal(**error)
    with pytest.raises(Reverted) as refused:
        chain.call(PLACE, b"")
    assert (refused.value.data, refused.value.halt) == (data, halt)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda handler: respond(handler, b"<h1>sorry</h1>", 500), "answers eth_chainId with the HTTP status 500, expected 200"),
        (lambda handler: respond(handler, b"", 302, Location="/"), "answers eth_chainId with the HTTP status 302, expected 200"),
        (lambda handler: respond(handler, b"", 308, Location="/"), "answers eth_chainId with the HTTP status 308, expected 200"),
        (lambda handler: respond(handler, b"no gzip", Content_Encoding="gzip"), "no answer from the node at URL: DecodeError (is it running, and is this its address?)"),
        (endlessly(b" " * 4096, 0), "answers eth_chainId with more than 65536 bytes"),
        (endlessly(b" ", 0.05), "answers eth_chainId for more than 0.5 seconds"),
        (hang_up, "no answer from the node at URL: ConnectionError (is it running, and is this its address?)"),
    ],
    ids=["500", "302", "308", "gzip", "endless", "dripping", "hang up"],
)
def test_a_response_that_goes_wrong_is_refused(liar, monkeypatch, answer, reason):
    monkeypatch.setattr(node, "MAX_ANSWER_BYTES", 1 << 16)
    liar.answers["eth_chainId"] = answer
    with pytest.raises(ChainError) as refused:
        RpcChain(liar.url, seconds=0.5)
    assert str(refused.value).removeprefix(f"the node at {liar.url} ") == reason.replace("URL", liar.url)


def test_a_receipt_that_never_comes_is_waited_for_in_vain(liar):
    liar.answers["eth_getTransactionReceipt"] = result(None)
    with pytest.raises(ChainError, match="the transaction was not mined within 0.3 seconds"):
        RpcChain(liar.url, b"\x17" * 32, seconds=0.3).deploy(b"\x00")


UNREADABLE = "an address that cannot be read"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://", "an address without a host"),
        ("http://[::1", UNREADABLE),
        ("http://a b", "http://a b"),
        (f"http://{'a' * 70}", f"http://{'a' * 70}"),
        ("http://.x", "http://.x"),
        ("http://127.0.0.1:99999", UNREADABLE),
    ],
)
def test_an_address_that_is_none_is_said(url, shown):
    with pytest.raises(ChainError, match=re.escape(f"no answer from the node at {shown}: ")):
        RpcChain(url, seconds=1)


def test_the_command_says_it_in_one_line(liar, capsys, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, "17" * 32)
    commitment = str(ROOT / "examples" / "mnist.commitment")
    for method, body, reason in (
        ("eth_chainId", b"hello", "answers eth_chainId with 5 bytes that cannot be read: the answer is no JSON"),
        ("eth_estimateGas", refusal(code=3, message="execution reverted", data="0xzz"), f"'0xzz' as error.data, expected {BYTES}"),
    ):
        liar.answers = {"eth_call": precompiles_but(), method: body}
        assert main(["chain", "deploy", "--verifier", "--commitment", commitment, "--rpc-url", liar.url, "--json"]) == 2
        assert json.loads(capsys.readouterr().out)["error"].endswith(reason)


SUM = "0x0c (sum of BLS12-381 points, EIP-2537)"
PRAGUE = "A verifier needs a chain with the Prague rules (anvil: --hardfork prague)"


@pytest.mark.parametrize(
    ("options", "answer", "reason"),
    [
        ([], precompiles_but(0x0C, lambda _: b""), f"{SUM}: asked a question with a known answer, it returns 0 bytes, not 128; nothing was sent. {PRAGUE}"),
        ([], precompiles_but(0x0C, lambda found: found[:-1] + b"\0"),
         f"{SUM}: asked a question with a known answer, it returns 128 bytes, but not the right ones; nothing was sent. {PRAGUE}"),
        ([], precompiles_but(0x0A, lambda _: b""), "0x0a (point evaluation, EIP-4844): asked a question with a known answer, it returns 0 bytes, not 64; "
         "nothing was sent. --pairing deploys a verifier that does without it"),
        (["--pairing"], precompiles_but(0x0F, lambda found: found[:-1] + b"\0"), "0x0f (BLS12-381 pairing, EIP-2537): asked a question "
         f"with a known answer, it returns 32 bytes, but not the right ones; nothing was sent. {PRAGUE}"),
        ([], refusal(code=-32000, message="invalid opcode"), f"{SUM}: asked a question with a known answer, it refuses (invalid opcode); nothing was sent. {PRAGUE}"),
    ],
    ids=["no sum", "wrong sum", "no point evaluation", "wrong pairing", "refused"],
)  # fmt: skip
def test_no_verifier_is_sent_to_a_chain_without_its_precompiles(liar, capsys, monkeypatch, options, answer, reason):
    monkeypatch.setenv(KEY_VARIABLE, "17" * 32)
    sent = []
    deploy = ["chain", "deploy", "--verifier", "--commitment", str(ROOT / "examples" / "mnist.commitment"), "--rpc-url", liar.url, *options, "--json"]
    liar.answers = {"eth_call": answer, "eth_sendRawTransaction": lambda handler: sent.append(handler)}
    assert main(deploy) == 2
    assert (json.loads(capsys.readouterr().out)["error"], sent) == (f"this chain lacks the precompile {reason}", [])
    liar.answers = {"eth_call": precompiles_but()}
    assert main(deploy) == 0


def test_a_real_node_before_prague_is_refused_before_it_is_paid(anvil, anvil_url, capsys, monkeypatch):
    """The same command, on an anvil of each kind."""
    monkeypatch.setenv(KEY_VARIABLE, account_key(0).to_bytes().hex())
    said = {}

    def deploy(hardfork: str, url: str, payer: RpcChain) -> None:
        before = payer.balance(payer.sender)
        code = main(["chain", "deploy", "--verifier", "--commitment", str(ROOT / "examples" / "mnist.commitment"), "--rpc-url", url, "--json"])
        said[hardfork] = (code, json.loads(capsys.readouterr().out).get("error"), payer.balance(payer.sender) == before)

    deploy("prague", anvil_url, anvil)
    with running_anvil("cancun") as url:
        deploy("cancun", url, client(url))
    lacking = f"this chain lacks the precompile {SUM}: asked a question with a known answer, it returns 0 bytes, not 128; nothing was sent. {PRAGUE}"
    assert said == {"cancun": (2, lacking, True), "prague": (0, None, False)}
