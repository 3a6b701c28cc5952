"""The server's answers over real HTTP: what it proves and verifies, and every refusal to the letter."""

from __future__ import annotations

import hashlib
import http.client
import json
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from support import changed, refuses

from zkpredict.kernel import G1
from zkpredict.prover.model import Model
from zkpredict.tools.load import PATIENCE, Running, serving
from zkpredict.verifier import native
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import FailedOpening

BLANK = [0] * 784
CONTEXT = "11" * 32
SEE = "see /openapi.json, or the page at /docs"


def told(answer: tuple[int, dict, bytes]) -> tuple[int, dict]:
    return answer[0], json.loads(answer[2])


def refusal(status: int, kind: str, what: str, where: str, then: str) -> tuple[int, dict]:
    return status, {"error": {"kind": kind, "what": what, "where": where, "next": then}}


@pytest.fixture(scope="module")
def table() -> Running:
    """A model of readings, weights private."""
    with serving(model="examples/tables/iris.model") as running:
        yield running


@pytest.fixture(scope="module")
def issued(server) -> dict:
    return json.loads(server.ask("POST", "/v1/prove", {"image": BLANK, "context": CONTEXT})[2])


def commitment_of(server: Running) -> ModelCommitment:
    return ModelCommitment.from_bytes(bytes.fromhex(json.loads(server.ask("GET", "/v1/model")[2])["commitment"]), G1.from_compressed)


def test_a_proof_from_the_server_is_one(server, issued):
    commitment, proof = commitment_of(server), bytes.fromhex(issued["proof"])
    native.verify(commitment, bytes(784), native.parse_proof(proof), bytes.fromhex(CONTEXT))
    with refuses(FailedOpening, "the opening does not match: the claim is false, or the proof was made for another statement"):
        native.verify(commitment, bytes(784), native.parse_proof(proof))
    assert issued["id"] == hashlib.sha256(proof).hexdigest() and issued["model_id"] == commitment.model_id.hex() == server.model_id
    assert (issued["input_sha256"], issued["context"]) == (hashlib.sha256(bytes(784)).hexdigest(), CONTEXT)
    assert sum(one["bytes"] for one in issued["rounds"]) + 39 == issued["proof_bytes"] == len(proof)
    assert told(server.ask("GET", f"/v1/proofs/{issued['id']}")) == (200, issued)


def test_a_hexadecimal_image_is_the_same_as_numbers(server):
    image = bytes(range(256)) * 3 + bytes(16)
    found = json.loads(server.ask("POST", "/v1/prove", {"image": f"0x{image.hex().upper()}"})[2])
    assert found["input"] == image.hex()


def test_the_class_may_be_demanded_and_another_is_refused(server, issued):
    digit = issued["digit"]
    assert server.ask("POST", "/v1/prove", {"image": BLANK, "class": digit})[0] == 200
    wanted = (digit + 1) % 10
    what = f"cannot prove class {wanted}: the network says {digit}"
    assert told(server.ask("POST", "/v1/prove", {"image": BLANK, "class": wanted})) == refusal(422, "FalseClaim", what, "class", "leave out class, or give another input")


@pytest.fixture(scope="module")
def plain(server) -> dict:
    """A proof that is for nobody in particular, as contracts take it."""
    return json.loads(server.ask("POST", "/v1/prove", {"image": BLANK})[2])


def test_a_proof_for_somebody_is_valid_for_nobody_else(server, issued):
    ask = {"image": BLANK, "proof": issued["proof"]}
    said = [json.loads(server.ask("POST", "/v1/verify", {**ask, **one})[2]) for one in ({"context": CONTEXT}, {}, {"context": "22" * 32})]
    assert [one.get("kind") for one in said] == [None, "FailedOpening", "FailedOpening"]
    what = "contracts are asked here about proofs for nobody in particular"
    found = told(server.ask("POST", "/v1/verify", {**ask, "context": CONTEXT, "in": "evm"}))
    assert found == refusal(422, "UnusableInput", what, "context", f"mend that field; {SEE}")


def test_each_verifier_accepts_the_proof_and_refuses_its_tampered_twins(server, plain):
    issued = plain
    proof = bytes.fromhex(issued["proof"])
    ask = {"image": BLANK, "proof": issued["proof"]}
    assert json.loads(server.ask("POST", "/v1/verify", ask)[2])["valid"] is True
    by_contract = json.loads(server.ask("POST", "/v1/verify", {**ask, "in": "evm"})[2])
    assert by_contract["valid"] and by_contract["gas"] == sum(by_contract["parts"].values())
    wrong = "the opening does not match: the claim is false, or the proof was made for another statement"
    for twin in ({**ask, "image": [1] + BLANK[1:]}, {**ask, "proof": changed(proof, len(proof) - 1).hex()}):
        said = {"verifier": "native", "valid": False, "kind": "FailedOpening", "reason": wrong}
        assert told(server.ask("POST", "/v1/verify", twin)) == (200, said)
        said = {"verifier": "evm", "valid": False, "kind": "OpeningFailed", "reason": "the contract refuses: OpeningFailed"}
        assert told(server.ask("POST", "/v1/verify", {**twin, "in": "evm"})) == (200, said)
    short = json.loads(server.ask("POST", "/v1/verify", {**ask, "proof": proof[:-1].hex()})[2])
    assert (short["kind"], short["reason"]) == ("MalformedProof", "proof: scalar linearised_next needs 32 bytes at offset 551, 31 are left")


def test_gas_by_part_is_that_of_a_real_transaction(server, plain):
    issued = plain
    from zkpredict.contracts.chain.evm import EmbeddedChain
    from zkpredict.contracts.open.deploy import deploy_packed
    from zkpredict.contracts.verifier.client import deploy_verifier, register_model, send_verification

    chain, commitment = EmbeddedChain(), commitment_of(server)
    address = deploy_verifier(chain, commitment.circuit).address
    register_model(chain, address, commitment)
    proof = native.parse_proof(bytes.fromhex(issued["proof"]))
    said = json.loads(server.ask("POST", "/v1/verify", {"image": BLANK, "proof": issued["proof"], "in": "evm"})[2])
    assert said["gas"] == send_verification(chain, address, commitment, bytes(784), proof).gas_used
    data = json.loads(server.ask("POST", "/v1/calldata", {"image": BLANK, "proof": issued["proof"]})[2])["data"]
    assert said["gas"] == chain.transact(address, bytes.fromhex(data[2:])).gas_used
    opened = json.loads(server.ask("POST", "/v1/open", {"image": BLANK})[2])
    packed = deploy_packed(chain, Model.load("examples/mnist.model").network).contract
    assert (opened["solidity"]["gas"], opened["solidity"]["digit"]) == (packed.transact("predict", bytes(784)).gas_used, issued["digit"])
    assert (opened["bitcoin"]["bytes"], opened["bitcoin"]["accepted"], opened["bitcoin"]["digit"]) == (66_414, True, issued["digit"])


def test_a_model_of_another_circuit_is_verified_by_the_universal_contract(table):
    from zkpredict.contracts.chain.evm import EmbeddedChain
    from zkpredict.contracts.verifier.client import deploy_universal, prepare_circuit, register_model, send_verification

    row = {"features": [5.1, 3.5, 1.4, 0.2]}
    made = json.loads(table.ask("POST", "/v1/prove", row)[2])
    chain, commitment = EmbeddedChain(), commitment_of(table)
    address = deploy_universal(chain).address
    prepare_circuit(chain, address, commitment.circuit)
    register_model(chain, address, commitment)
    said = json.loads(table.ask("POST", "/v1/verify", {**row, "proof": made["proof"], "in": "evm"})[2])
    proof = native.parse_proof(bytes.fromhex(made["proof"]))
    assert said["gas"] == sum(said["parts"].values()) == send_verification(chain, address, commitment, bytes.fromhex(made["input"]), proof).gas_used
    twin = json.loads(table.ask("POST", "/v1/verify", {"features": [5.1, 3.5, 1.4, 0.3], "proof": made["proof"], "in": "evm"})[2])
    assert twin == {"verifier": "evm", "valid": False, "kind": "OpeningFailed", "reason": "the contract refuses: OpeningFailed"}


def test_readings_are_taken_by_name_in_order_and_exactly(table):
    names = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
    values = [5.1, "3.5", 1.4, 0.2]
    first = json.loads(table.ask("POST", "/v1/prove", {"features": dict(zip(reversed(names), reversed(values), strict=True)), "class": "setosa"})[2])
    second = json.loads(table.ask("POST", "/v1/prove", {"features": values})[2])
    commitment = commitment_of(table)
    assert first["input"] == second["input"] == commitment.encode(dict(zip(names, [5.1, 3.5, 1.4, 0.2], strict=True))).tobytes().hex()
    assert (first["class_name"], first["clipped"]) == ("setosa", [])
    assert json.loads(table.ask("POST", "/v1/prove", {"features": [99, 3.5, 1.4, 0.2]})[2])["clipped"] == ["sepal length (cm)"]


def test_a_private_model_shows_neither_logits_nor_times_nor_the_open_network(server, table, issued):
    found = json.loads(table.ask("POST", "/v1/prove", {"features": [5.1, 3.5, 1.4, 0.2]})[2])
    assert "logits" in issued and "milliseconds" in issued["rounds"][0]
    assert "logits" not in found and "milliseconds" not in json.dumps(found)
    then = "who runs the server says --open for a model whose weights are published"
    assert told(table.ask("POST", "/v1/open", {"features": [5.1, 3.5, 1.4, 0.2]})) == refusal(404, "NotOffered", "this model's weights are private", "path", then)
    assert "/v1/open" not in json.loads(table.ask("GET", "/openapi.json")[2])["paths"]


def test_the_same_key_is_one_proof_and_another_request_under_it_is_refused(server):
    key = {"Idempotency-Key": "a key of this test"}
    first = server.ask("POST", "/v1/prove", {"image": BLANK, "context": CONTEXT}, key)
    again = server.ask("POST", "/v1/prove", {"context": CONTEXT, "image": bytes(784).hex()}, key)
    assert first[2] == again[2] and "idempotency-replayed" not in first[1] and again[1]["idempotency-replayed"] == "true"
    found = told(server.ask("POST", "/v1/prove", {"image": BLANK, "context": "22" * 32}, key))
    assert found == refusal(422, "KeyReused", "another request came under this key", "Idempotency-Key", "use a new key for a new request")
    assert json.loads(server.ask("POST", "/v1/prove", {"image": BLANK})[2])["id"] != json.loads(server.ask("POST", "/v1/prove", {"image": BLANK})[2])["id"]


MALFORMED = [
    (b"", "the body is no JSON: Expecting value", "body, line 1, column 1"),
    (b"\xff", "the body is no UTF-8", "body"),
    (b"[]", "the body is no JSON object", "body"),
    (b'{"image": NaN}', "NaN is no number in JSON", "body"),
    (b'{"image": [-Infinity]}', "-Infinity is no number in JSON", "body"),
    (b'{"image": 1, "image": 2}', "the name 'image' is there twice", "body"),
    (b'{"context": {"a": 1, "a": 2}}', "the name 'a' is there twice", "body"),
    (b'{"image": ' + b"[" * 20 + b"]" * 20 + b"}", "the body is nested more than 8 deep", "body"),
    (b"[" * 65_000, "the body is nested more than 8 deep", "body"),
    (b'{"image": "' + b"[" * 99 + b'"}}', "the body is no JSON: Extra data", "body, line 1, column 113"),
    (b'{"image": ' + b"1" * 5000 + b"}", "the body holds a number that is too long", "body"),
]


@pytest.mark.parametrize(("body", "what", "where"), MALFORMED, ids=range(len(MALFORMED)))
def test_what_is_no_strict_json_is_refused(server, body, what, where):
    assert told(server.ask("POST", "/v1/prove", body)) == refusal(400, "MalformedRequest", what, where, f"send one JSON object; {SEE}")


UNUSABLE = [
    ({}, "give one of image and features", "body"),
    ({"image": "00", "features": []}, "give one of image and features", "body"),
    ({"image": BLANK, "pixels": 1}, "the field 'pixels' is unknown, expected class, context, features, image", "body"),
    ({"image": BLANK[1:]}, "it has 783 bytes, the network takes 784", "image"),
    ({"image": [0, 256]}, "entry 1 is 256, expected a whole number from 0 to 255", "image"),
    ({"image": [True]}, "entry 0 is True, expected a whole number from 0 to 255", "image"),
    ({"image": [1.5]}, "entry 0 is '1.5', expected a whole number from 0 to 255", "image"),
    ({"image": "0g"}, "it is no text of hexadecimal digits, two for each byte", "image"),
    ({"image": "000"}, "it is no text of hexadecimal digits, two for each byte", "image"),
    ({"image": None}, "it is missing", "image"),
    ({"image": {}}, "it is no text of hexadecimal digits", "image"),
    ({"image": BLANK, "class": 10}, "it is 10, expected a number from 0 to 9", "class"),
    ({"image": BLANK, "class": "7"}, "it is '7', expected a number from 0 to 9", "class"),
    ({"image": BLANK, "context": "a\nb"}, "it is no text of hexadecimal digits, two for each byte", "context"),
    ({"image": BLANK, "context": "11" * 31}, "it has 31 bytes, expected 32 or none", "context"),
    ({"features": [1, 2]}, "this model has no feature scale: it takes bytes (a picture, or .npy of uint8)", "features"),
    ({"features": {"a": 1}}, "this model's inputs have no names: give a list of numbers, or image", "features"),
]


@pytest.mark.parametrize(("body", "what", "where"), UNUSABLE, ids=range(len(UNUSABLE)))
def test_fields_that_cannot_be_used_are_refused_by_name(server, body, what, where):
    assert told(server.ask("POST", "/v1/prove", body)) == refusal(422, "UnusableInput", what, where, f"mend that field; {SEE}")


@pytest.mark.parametrize(("features", "what", "where"), [
    ({"sepal length (cm)": 1}, "the feature 'sepal width (cm)' is missing", "features"),
    ([5, 3, 1], "the row has 3 values, the network takes 4", "features"),
    ([5, 3, 1, "x<script>"], "expected a number, got 'x<script>'", "features, '3'"),
    ([5, 3, 1, True], "expected a number, got True", "features, '3'"),
    ("5,3,1,0", "it is neither an object nor a list", "features"),
])
def test_readings_that_cannot_be_used_are_refused_by_name(table, features, what, where):
    assert told(table.ask("POST", "/v1/prove", {"features": features})) == refusal(422, "UnusableInput", what, where, f"mend that field; {SEE}")


def test_a_verifier_that_is_not_here_is_refused(server, issued):
    found = told(server.ask("POST", "/v1/verify", {"image": BLANK, "proof": issued["proof"], "in": "node"}))
    assert found == refusal(422, "UnusableInput", "it is 'node', expected native or evm", "in", f"mend that field; {SEE}")


def test_other_types_methods_and_paths_are_refused(server):
    found = server.ask("POST", "/v1/prove", b"{}", {"Content-Type": "text/plain; charset=x"})
    assert told(found) == refusal(415, "WrongType", "the body is 'text/plain'", "Content-Type", "send application/json")
    assert found[1]["connection"] == "close"
    assert told(server.ask("GET", "/v1/prove")) == refusal(405, "WrongMethod", "this path takes another method", "path", SEE)
    for path in ("/v1/proof", "/v1/health/", "/../pyproject.toml", "/%2e%2e/%2e%2e/pyproject.toml", "/verifier/..%2f..%2fpool.py", "/vendor//etc/passwd", "/page/index.html", "/\\..\\x"):
        assert told(server.ask("GET", path)) == refusal(404, "NoSuchPath", "there is nothing at this path", "path", SEE), path
    name = "0" * 64
    assert told(server.ask("GET", f"/v1/proofs/{name}")) == refusal(404, "NoSuchProof", "no proof of this server has that id", "path", "the id is the sha256 of the proof")


def test_every_documented_route_is_there_and_every_route_is_documented(server, issued):
    document = json.loads(server.ask("GET", "/openapi.json")[2])
    for path, methods in document["paths"].items():
        for method in methods:
            status, _, body = server.ask(method.upper(), path.replace("{id}", issued["id"]), b"{}" if method == "post" else None)
            assert status in (200, 422), (path, body)
    counted = server.ask("GET", "/metrics")[2].decode()
    known = {path.replace("{id}", "{name}") for path in document["paths"]} | {"page", "other", "/openapi.json"}
    assert {line.split('"')[1] for line in counted.splitlines() if line.startswith("zkpredict_requests_total")} <= known | {"/v1/transaction"}


def test_a_key_that_is_none_is_refused(server):
    what = "it must have 8 to 128 printable ASCII characters"
    for key in ("short", "x" * 129, "\xe9" * 12):
        found = told(server.ask("POST", "/v1/prove", {"image": BLANK}, {"Idempotency-Key": key}))
        assert found == refusal(400, "MalformedRequest", what, "Idempotency-Key", "use a random name for each new request, such as a UUID")


def test_a_name_that_is_not_this_servers_is_refused(server):
    """A page elsewhere whose name is pointed at the loopback address speaks for nobody."""
    then = "use one of 127.0.0.1, localhost, [::1]; who runs the server adds names with --allow-host"
    found = told(server.ask("GET", "/v1/model", headers={"Host": "evil.example:80"}))
    assert found == refusal(421, "WrongHost", "this server does not answer to the name 'evil.example:80'", "Host", then)
    for name in ("localhost:9", "LOCALHOST", "[::1]:8", "127.0.0.1"):
        assert server.ask("GET", "/v1/model", headers={"Host": name})[0] == 200


def test_every_answer_has_the_headers_that_keep_a_page_safe(server):
    for method, path in (("GET", "/"), ("GET", "/v1/model"), ("GET", "/nothing"), ("POST", "/v1/prove"), ("GET", "/metrics")):
        headers = server.ask(method, path, b"{" if method == "POST" else None)[1]
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
        assert (headers["x-content-type-options"], headers["referrer-policy"], headers["cross-origin-resource-policy"]) == ("nosniff", "no-referrer", "same-origin")
        assert "access-control-allow-origin" not in headers and "server" not in headers


def test_headers_cannot_be_smuggled(server):
    """A line break in a header is the HTTP parser's to refuse; nothing a client wrote is ever put into a header of an answer."""
    for raw in (b"GET / HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: a\rb\r\n\r\n", b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n", b"POST /v1/prove HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}", b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as sock:
            sock.sendall(raw)
            assert sock.recv(4096).startswith(b"HTTP/1.1 400 ")
    assert server.ask("GET", "/v1/health")[0] == 200


def test_the_token_guards_everything_but_the_page_and_health(tmp_path):
    token = tmp_path / "token"
    token.write_text("correct-horse-battery\n")
    with serving("--token-file", str(token), model="examples/tables/iris.model") as running:
        then = "send `Authorization: Bearer TOKEN` with the token of this server"
        for given in ({}, {"Authorization": "Bearer correct-horse-batterz"}, {"Authorization": "Basic correct-horse-battery"}, {"Authorization": "Bearer "}, {"Authorization": "Bearer \xff"}):
            for method, path in (("GET", "/v1/model"), ("POST", "/v1/prove"), ("GET", "/metrics")):
                found = running.ask(method, path, b"{}" if method == "POST" else None, given)
                assert told(found) == refusal(401, "Unauthorised", "a token is missing or wrong", "Authorization", then)
                assert found[1]["www-authenticate"] == "Bearer"
        right = {"Authorization": "bearer correct-horse-battery"}
        assert [running.ask("GET", path, headers=right)[0] for path in ("/v1/model", "/metrics")] == [200, 200]
        assert [running.ask("GET", path)[0] for path in ("/", "/v1/health", "/openapi.json")] == [200, 200, 200]


def test_metrics_count_by_route_and_never_by_what_clients_write(server):
    server.ask("GET", "/zq_not_a_route_zq")
    text = server.ask("GET", "/metrics")[2].decode()
    assert "zq_not" not in text
    counts = {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines() if not line.startswith("#")}
    before = counts['zkpredict_requests_total{route="/v1/model",status="200"}'], counts["zkpredict_proofs_total"]
    server.ask("GET", "/v1/model")
    server.ask("POST", "/v1/prove", {"image": BLANK})
    text = server.ask("GET", "/metrics")[2].decode()
    assert f'zkpredict_requests_total{{route="/v1/model",status="200"}} {before[0] + 1:g}' in text and f"zkpredict_proofs_total {before[1] + 1:g}" in text
    assert counts['zkpredict_request_seconds_bucket{route="/v1/prove",le="+Inf"}'] == counts['zkpredict_request_seconds_count{route="/v1/prove"}']


def test_too_many_requests_of_one_client_wait_and_others_do_not():
    with serving("--rate", "1", model="examples/tables/iris.model") as running, ThreadPoolExecutor(20) as pool:
        refused: list = []
        while not refused:  # a machine that is slow enough refuses nobody: then again
            refused = [one for one in pool.map(lambda _: running.ask("GET", "/v1/model"), range(20)) if one[0] == 429]
        assert told(refused[0]) == refusal(429, "RateLimited", "requests from this address come too fast", "this client", "ask again in 1 s")
        assert refused[0][1]["retry-after"] == "1"
        other = http.client.HTTPConnection("127.0.0.1", running.port, timeout=PATIENCE, source_address=("127.0.0.2", 0))
        assert running.ask_on(other, "GET", "/v1/model")[0] == 200
        assert running.ask("GET", "/v1/health")[0] == 200


def test_behind_a_proxy_limits_see_its_clients_and_else_nobody_chooses_who_he_is():
    """X-Forwarded-For counts when the named proxy sends it, and is what any client may write otherwise."""
    def told_by(number: int) -> int:
        return running.ask("GET", "/v1/model", headers={"X-Forwarded-For": f"203.0.113.{number}"})[0]

    with serving("--rate", "1", "--proxy", "127.0.0.1", model="examples/tables/iris.model") as running, ThreadPoolExecutor(20) as pool:
        assert list(pool.map(told_by, range(40))) == [200] * 40
    with serving("--rate", "1", model="examples/tables/iris.model") as running, ThreadPoolExecutor(20) as pool:
        while 429 not in pool.map(told_by, range(40)):  # a machine that is slow enough refuses nobody: then again
            pass
