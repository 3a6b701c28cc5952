"""The server's parts by themselves: rates, clients, kept proofs, and what may never be in an answer; the page's types and texts."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import sqlite3
import sys
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import expect
from support import random_network, refuses

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.schema import Feature, Schema
from zkpredict.cli.serve import asked
from zkpredict.cli.serve.issuing import Issuer
from zkpredict.cli.serve.limits import MAX_CLIENTS, RateLimit, client_of
from zkpredict.cli.serve.pages import assets
from zkpredict.cli.serve.metrics import Metrics
from zkpredict.cli.serve.pool import Pool
from zkpredict.cli.serve.refusal import Refused
from zkpredict.cli.serve.store import MEMORY_PROOFS, File, Kept, Memory
from zkpredict.cli.serve.worker import serve_jobs
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.tools.load import PATIENCE, ready, serving, start

HOSTILE = '<img src=x onerror="alert(1)">'


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_holds_twice_the_rate_and_fills_with_time():
    clock = Clock()
    limit = RateLimit(2, clock)
    assert [limit.wait("one") for _ in range(6)] == [0, 0, 0, 0, 1, 1]
    assert limit.wait("another") == 0
    clock.now = 0.5
    assert [limit.wait("one"), limit.wait("one")] == [0, 1]
    clock.now = 1000.0
    assert [limit.wait("one") for _ in range(5)] == [0, 0, 0, 0, 1]


def test_clients_that_are_remembered_are_bounded():
    limit = RateLimit(1, Clock())
    assert [limit.wait("first") for _ in range(3)] == [0, 0, 1]
    for number in range(MAX_CLIENTS):
        limit.wait(str(number))
    assert limit.wait("first") == 0 and len(limit._left) == MAX_CLIENTS


def test_a_client_is_an_address_and_a_household_in_ipv6():
    assert client_of("127.0.0.1") == client_of("::ffff:127.0.0.1") == "127.0.0.1"
    assert client_of("2001:db8::1") == client_of("2001:db8::ffff:2") != client_of("2001:db8:0:1::1")
    assert client_of(None) == client_of("nonsense") == "unknown"


@pytest.fixture(params=["memory", "file"])
def store(request, tmp_path):
    found = Memory() if request.param == "memory" else File(str(tmp_path / "state.db"))
    yield found
    found.close()


def test_what_is_kept_is_found_by_key_and_by_name(store):
    kept = Kept("request", {"id": "a", "text": "ü"})
    store.keep("a", "a key", kept)
    store.keep("b", None, Kept("other", {"id": "b"}))
    assert (store.by_key("a key"), store.by_name("a"), store.by_name("b").answer) == (kept, kept, {"id": "b"})
    assert store.by_key("b") is store.by_name("c") is None


def test_a_transaction_is_begun_once_and_its_unknown_end_is_told(store):
    assert store.begin("a") is True
    assert store.begin("a") is None
    store.end("a", {"transaction": "0x1"})
    assert store.begin("a") == {"transaction": "0x1"}
    assert store.begin("b") is True
    store.end("b", None)
    assert store.begin("b") is True


def test_memory_is_bounded():
    store = Memory()
    for number in range(MEMORY_PROOFS + 1):
        store.keep(str(number), f"key {number}", Kept("", {}))
    assert store.by_name("0") is store.by_key("key 0") is None and store.by_key("key 1") is not None


def test_a_file_is_one_servers_at_a_time_and_keeps_what_it_is(tmp_path):
    path = str(tmp_path / "state.db")
    first = File(path)
    first.keep("a", "key", Kept("request", {}))
    with refuses(UnusableInput, f"cannot use the state file {path}: another server uses it"):
        File(path)
    first.close()
    second = File(path)
    assert second.by_key("key") == Kept("request", {})
    second.close()
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE t (x)")
    other.commit()
    other.close()
    with refuses(UnusableInput, f"{tmp_path / 'other.db'} is no state of a server: give another --state FILE"):
        File(str(tmp_path / "other.db"))


def test_an_address_that_is_served_is_one_of_a_fixed_list():
    found = assets()
    assert {"/", "/docs", "/app.js", "/page.css", "/verifier/index.js", "/vendor/@noble/curves/bls12-381.js", "/vendor/@noble/hashes/LICENSE"} <= found.keys()
    assert [path for path in found if ".." in path or path.endswith((".py", ".html"))] == []


def test_what_is_not_installed_is_named(root, monkeypatch, capfd):
    from zkpredict.cli.main import main

    monkeypatch.chdir(root)
    for name in [name for name in sys.modules if name.startswith("uvicorn") or name == "zkpredict.cli.serve.listening"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["serve", "--model", "examples/mnist.model"]) == 2
    assert capfd.readouterr().err == "zkpredict: serving needs uvicorn: pip install 'zkpredict[serve]'\n"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["00", "0x", "1e999", "native", "evm", "no"]),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=3) | st.sampled_from(["a", "image"]), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.dictionaries(st.sampled_from(["image", "features", "class", "context", "proof", "in", "x"]), JSON, max_size=5)


@cache
def readings_model() -> ModelCommitment:
    schema = Schema(tuple(Feature(name, 0, 10) for name in ("a", "b")), ("no", "yes"))
    return commit_model(Model(random_network(5, (2, 2)), schema=schema)).commitment


@settings(max_examples=150)
@given(st.binary(max_size=60) | FIELDS.map(lambda found: json.dumps(found).encode()))
def test_whatever_a_body_says_it_is_read_or_refused(body):
    """Nothing else is ever raised; what is read fits the model, and a refusal says all four things in printable characters."""
    commitment = readings_model()
    for any_length, read in (
        (False, lambda: asked.read_prove(body, commitment)),
        (True, lambda: asked.read_verify(body, commitment, ("native", "evm"))),
        (False, lambda: asked.read_statement(body, commitment, needs_proof=True)),
    ):
        try:
            found = read()
        except Refused as refusal:
            said = refusal.body()["error"]
            assert refusal.status in (400, 422) and set(said) == {"kind", "what", "where", "next"}
            assert all(text and text.isprintable() and len(text) < 400 for text in said.values()), said
        else:
            assert isinstance(found.input, bytes) and (found.wanted is None or 0 <= found.wanted < 2) and found.where in ("native", "evm")
            assert any_length or len(found.input) == 2


def test_types_name_what_the_verifier_exports(root):
    folder = root / "verifier" / "javascript"
    exported = re.search(r"export \{ (.*?) \};", (folder / "index.js").read_text(), re.DOTALL)[1].split(", ")
    typed = set(re.findall(r"^export (?:class|function|const) (\w+)", (folder / "index.d.ts").read_text(), re.MULTILINE))
    assert typed == {*exported, "verify"}
    package = json.loads((folder / "package.json").read_text())
    shipped = {path for pattern in package["files"] for path in folder.glob(pattern)}
    wheel = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["zkpredict.verifier"]
    assert set(folder.rglob("*.js")) <= shipped & {path for pattern in wheel for path in folder.parent.glob(pattern)}
    locked = json.loads((root / "package-lock.json").read_text())["packages"]
    assert package["dependencies"] == {name: locked[f"node_modules/{name}"]["version"] for name in package["dependencies"]}


def test_the_page_parses_no_text_from_elsewhere_as_html(root):
    scripts = list((root / "cli" / "serve" / "page").glob("*.js"))
    assert len(scripts) >= 10
    for script in scripts:
        assert re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|https?://", script.read_text()) is None, script


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_is_told_from_its_background(root, scheme):
    """WCAG 2.2, 1.4.3: a contrast of 4.5 for text of any size, 1.4.11: 3 for what controls are made of."""
    style = (root / "cli" / "serve" / "page" / "page.css").read_text()
    palette = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+);", re.findall(r":root \{(.*?)\}", style, re.DOTALL)[scheme]))

    def light(name: str) -> float:
        digits = palette[name][1:]
        parts = [int(part, 16) / 255 for part in (re.findall("..", digits) if len(digits) == 6 else [2 * one for one in digits])]
        return sum(weight * (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4) for weight, part in zip((0.2126, 0.7152, 0.0722), parts))

    def contrast(one: str, other: str) -> float:
        low, high = sorted((light(one), light(other)))
        return (high + 0.05) / (low + 0.05)

    for name in ("front", "soft", "good", "bad", "main"):
        assert min(contrast(name, "back"), contrast(name, "card")) >= 4.5, name
    assert contrast("on-main", "main") >= 4.5


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> tuple[Model, str]:
    """A private model whose names are as bad as names may be."""
    schema = Schema(tuple(Feature(f"{HOSTILE} {number}", 0, 10) for number in range(5)), ("no", HOSTILE, "'\"&{{7*7}}"))
    model = commit_model(Model(random_network(11, (5, 6, 3)), schema=schema))
    path = tmp_path_factory.mktemp("hostile") / "a.model"
    path.write_bytes(model.to_bytes())
    path.chmod(0o600)
    return model, str(path)


@pytest.mark.node
def test_names_of_classes_and_features_are_text_on_the_page(page, hostile):
    _, path = hostile
    with serving(model=path) as server:
        page.goto(server.url)
        expect(page.locator("html")).to_have_attribute("data-ready", "true")
        assert page.locator("#features label").all_inner_texts() == [f"{HOSTILE} {number}" for number in range(5)]
        page.locator("#prove").click()
        expect(page.locator("#status")).to_have_class("good")
        assert page.locator("#forge-class option").all_inner_texts() == ["no (class 0)", f"{HOSTILE} (class 1)", "'\"&{{7*7}} (class 2)"]
        assert page.locator("main img, main script").count() == 0
        page.goto(f"{server.url}/docs")
        expect(page.locator("#routes section").first).to_be_visible()


def secrets_of(model: Model) -> list[str]:
    """Weights, biases and row secrets, in the forms in which something could let them out."""
    found = [form for secret in model.secrets for form in (str(secret), f"{secret:x}", f"{secret:064x}"[:32])]
    for layer in model.network.layers:
        for row in (*layer.weights.tolist(), layer.bias.tolist()):
            found += [", ".join(map(str, row)), ",".join(map(str, row)), " ".join(map(str, row))]
    return found


def test_no_answer_log_metric_or_error_holds_a_weight(hostile, capfd):
    model, path = hostile
    process = start("--log-requests", model=path)
    server, said = ready(process), []
    bodies = [{"features": [1, 2, 3, 4, 5]}, {"features": [1]}, {"image": [0] * 5, "class": 9}, {"image": [0] * 5, "class": 0}, b"{", {"image": [0] * 5, "class": 1}, {"image": [0] * 5, "class": 2}]
    for body in bodies:
        said.append(server.ask("POST", "/v1/prove", body))
    proof = json.loads(said[0][2])["proof"]
    for body in ({"features": [1, 2, 3, 4, 5], "proof": proof}, {"features": [1, 2, 3, 4, 6], "proof": proof}, {"image": "00", "proof": "00"}):
        said.append(server.ask("POST", "/v1/verify", body))
    said += [server.ask("GET", path) for path in ("/v1/model", "/v1/health", "/metrics", "/openapi.json", "/", "/nothing")]
    process.terminate()
    assert process.wait(PATIENCE) == 0
    logged = capfd.readouterr().err
    assert "POST /v1/prove" in logged
    everything = "\n".join([logged, *(body.decode() for _, _, body in said), *(str(headers) for _, headers, _ in said)])
    hidden = secrets_of(model)
    assert len(hidden) == 39 and [text for text in hidden if text in everything] == []
    assert [text for text in hidden if text in everything + hidden[0]] == [hidden[0]]  # and would be seen


def test_a_model_with_hidden_inputs_is_not_served(tmp_path):
    hidden = tmp_path / "hidden.model"
    commit_model(random_network(3, (9, 4, 3)), private_input=True).save(hidden)
    said = json.loads(start(model=str(hidden)).communicate(timeout=PATIENCE)[0])
    assert said["error"] == f"{hidden} takes hidden inputs: a server would see them. Commit to the model again for public ones to serve it"


UNKNOWN = {
    4: "a circuit with the arithmetic of the second edition, which this verifier does not know",
    5: "a circuit with max pools or residual sums, which this verifier does not know",
    7: "a circuit with strides or pools that differ by side, which this verifier does not know",
    8: "a circuit with rows of weights that all layers share, which this verifier does not know",
    0x7F: f"circuit magic is {b'zkpC'.hex()}7f, expected {b'zkpC'.hex()}01",
}  # fmt: skip


@pytest.mark.parametrize("version", UNKNOWN)
def test_a_model_that_the_page_cannot_check_is_offered_to_nobody(page, hostile, version):
    """A circuit of another version: its magic says so."""
    _, path = hostile
    with serving(model=path) as server:
        described = json.loads(server.ask("GET", "/v1/model")[2])
        later = described | {"commitment": described["commitment"].replace(b"zkpC\1".hex(), (b"zkpC" + bytes([version])).hex())}
        page.route("**/v1/model", lambda route: route.fulfill(json=later))
        page.goto(server.url)
        expect(page.locator("#model")).to_have_text(f"This page cannot check this server's model {server.model_id}: commitment: {UNKNOWN[version]}.")
        expect(page.locator("#prove")).to_be_disabled()


def slow_contract(connection: Connection, go: str) -> None:
    """A process of chains whose contract is deployed when the file `go` is there."""
    def answer(job: dict) -> dict:
        while job["do"] == "deploy" and not Path(go).exists():
            time.sleep(0.01)
        return {"valid": job["do"] == "evm"}

    serve_jobs(connection, lambda: ({}, answer))


def test_a_contract_that_takes_longer_than_clients_wait_is_made_all_the_same(tmp_path):
    """Compiling one may take longer: who asks meanwhile hears so, nobody's patience ends it, and it is begun once."""
    go, wanted = tmp_path / "go", asked.Asked(b"", where="evm")

    async def asks() -> tuple[str, dict, int]:
        issuer = Issuer(None, pool, pool, None, Memory(), Metrics())  # type: ignore[arg-type]
        with pytest.raises(Refused) as refused:
            await issuer.on_chain("evm", wanted)
        go.touch()
        while True:
            try:
                answer = await issuer.on_chain("evm", wanted)
                break
            except Refused as again:
                assert again.kind == "TooLate"
        await issuer.close()
        return refused.value.what, answer, pool.restarts

    pool = Pool(slow_contract, (str(go),), workers=1, waiting=9, seconds=0.5)
    assert ThreadPoolExecutor(1).submit(asyncio.run, asks()).result() == ("the contract is not deployed within 0.5 s", {"valid": True}, 0)


def test_a_job_that_takes_too_long_is_refused_and_its_worker_replaced(tmp_path):
    async def asks() -> tuple[tuple[int, str, str], bool]:
        issuer = Issuer(None, pool, pool, None, Memory(), Metrics())  # type: ignore[arg-type]
        with pytest.raises(Refused) as refused:
            await issuer._ask(pool, {"do": "deploy"})
        late = refused.value.status, refused.value.what, refused.value.headers["Retry-After"]
        while True:  # starting another worker counts as waiting
            try:
                answer = await issuer._ask(pool, {"do": "evm"})
                break
            except Refused as again:
                assert again.kind in ("TooLate", "WorkerLost")
        await issuer.close()
        return late, answer["valid"]

    pool = Pool(slow_contract, (str(tmp_path / "never"),), workers=1, waiting=9, seconds=2)
    assert ThreadPoolExecutor(1).submit(asyncio.run, asks()).result() == ((504, "no answer within 2 s", "5"), True)
    assert pool.restarts >= 1


def test_a_connection_is_kept_for_the_next_request(hostile):
    _, path = hostile
    with serving(model=path) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        first = server.ask_on(connection, "GET", "/v1/health")
        socket = connection.sock
        second = server.ask_on(connection, "POST", "/v1/prove", {"features": [1]})
        third = server.ask_on(connection, "GET", "/v1/health")
        assert [first[0], second[0], third[0]] == [200, 422, 200] and connection.sock is socket
        connection.close()
