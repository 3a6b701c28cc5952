"""`zkpredict chain` on the embedded chain and on anvil: results, state, keys, exit codes, one JSON object."""

from __future__ import annotations

import json

import pytest
from eth_keys.constants import SECPK1_N
from networks import ROOT, random_exact, random_network

from zkpredict.circuits.files.storage import write_atomically
from zkpredict.cli.main import main
from zkpredict.contracts.chain.evm import account_key
from zkpredict.contracts.chain.rpc import KEY_VARIABLE
from zkpredict.prover.model import Model

MODEL, SEVEN = str(ROOT / "examples" / "mnist.model"), str(ROOT / "examples" / "seven.png")


@pytest.fixture
def ran(capsys):
    """Runs `zkpredict chain ... --json` and gives its exit code and JSON object."""

    def run(*arguments: str) -> tuple[int, dict]:
        code = main(["chain", *arguments, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def other_model(tmp_path) -> str:
    path = tmp_path / "other.model"
    Model(random_network((784, 8, 10), 5)).save(path)
    return str(path)


def test_predict_needs_nothing_but_a_model(ran):
    code, result = ran("predict", SEVEN, "--model", MODEL)
    assert (code, result["digit"], result["agrees_with_model"]) == (0, 7, True)
    assert 21_000 < result["gas"] < 150_000 < result["deployment_gas"]
    assert len(result["logits"]) == 10 and result["transaction"].startswith("0x")


def test_predict_says_it_to_people(capsys):
    assert main(["chain", "predict", SEVEN, "--model", MODEL]) == 0
    said = capsys.readouterr().out
    assert said.startswith("The contract says 7.\n") and "gas" in said and "says the same" in said


def test_the_instruction_predicts_the_same(ran):
    code, asked = ran("predict", SEVEN, "--model", MODEL, "--instruction")
    _, packed = ran("predict", SEVEN, "--model", MODEL)
    assert code == 0 and asked["logits"] == packed["logits"] and asked["instruction_gas"] == 7_178


def test_exact_networks_predict_too(ran, tmp_path):
    file = tmp_path / "e.exact"
    network = random_exact((784, 5, 10), 1)
    write_atomically(file, network.to_bytes())
    code, result = ran("predict", SEVEN, "--model", str(file))
    assert (code, result["agrees_with_model"]) == (0, True)


def test_state_keeps_the_chain(ran, tmp_path, other_model):
    state = str(tmp_path / "chain.json")
    code, deployed = ran("deploy", "--predict", "--model", MODEL, "--state", state)
    assert (code, deployed["kind"], len(deployed["data_contracts"])) == (0, "PackedPredictor", 2)
    assert deployed["gas"] == sum(entry["gas"] for entry in deployed["transactions"])
    code, result = ran("predict", SEVEN, "--contract", deployed["contract"], "--state", state)
    assert (code, result["digit"], result["agrees_with_model"]) == (0, 7, None)
    code, result = ran("predict", SEVEN, "--contract", deployed["contract"], "--model", MODEL, "--state", state)
    assert (code, result["agrees_with_model"]) == (0, True)
    code, result = ran("predict", SEVEN, "--contract", deployed["contract"], "--model", other_model, "--state", state)
    assert (code, result["agrees_with_model"]) == (1, False)
    code, result = ran("predict", SEVEN, "--contract", deployed["contract"])
    assert (code, result["exit_code"]) == (2, 2) and "there is no contract at" in result["error"]


def test_a_contract_that_refuses_is_exit_code_one(ran, tmp_path):
    state, small = str(tmp_path / "chain.json"), tmp_path / "small.model"
    Model(random_network((4, 2), 1)).save(small)
    _, deployed = ran("deploy", "--predict", "--model", str(small), "--state", state)
    code, result = ran("predict", SEVEN, "--contract", deployed["contract"], "--model", MODEL, "--state", state)
    assert code == 1 and result["error"] == "the contract refused: WrongImageSize(784, 4)"


def test_a_contract_that_is_no_predictor_is_said(ran, tmp_path):
    state = str(tmp_path / "chain.json")
    _, deployed = ran("deploy", "--predict", "--model", MODEL, "--state", state)
    code, result = ran("predict", SEVEN, "--contract", deployed["data_contracts"][0], "--state", state)
    assert code == 2 and "is no predictor" in result["error"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: "no json", "chain.json is no JSON"),
        (lambda state: json.dumps(state | {"format": "x"}), "its format is 'x', expected 'zkpredict embedded chain 2'"),
        (lambda state: json.dumps({"format": state["format"]}), "KeyError: 'history'"),
        (lambda state: json.dumps(state | {"history": [{"seconds": -1, "transaction": "0x"}]}), "seconds >= 0"),
        (lambda state: json.dumps(state | {"history": state["history"][1:]}), "refuses the transaction"),
        (lambda state: json.dumps(state | {"history": [{"seconds": 0, "transaction": "0x02ff"}]}), "step 0 of the history"),
    ],
    ids=["no json", "format", "no history", "seconds", "missing step", "no transaction"],
)
def test_a_changed_state_is_refused(ran, tmp_path, change, message):
    state = tmp_path / "chain.json"
    small = tmp_path / "small.model"
    Model(random_network((784, 2), 1)).save(small)
    for _ in range(2):
        assert ran("predict", SEVEN, "--model", str(small), "--state", str(state))[0] == 0
    state.write_text(change(json.loads(state.read_text())))
    code, result = ran("predict", SEVEN, "--model", str(small), "--state", str(state))
    assert code == 2 and message in result["error"]


def test_any_node_with_a_key_from_a_file_or_the_environment(ran, anvil, anvil_url, tmp_path, monkeypatch):
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    code, result = ran("deploy", "--predict", "--model", MODEL, "--rpc-url", anvil_url)
    assert code == 2 and "transactions need a key" in result["error"]
    monkeypatch.setenv(KEY_VARIABLE, account_key(0).to_hex())
    code, deployed = ran("deploy", "--predict", "--model", MODEL, "--rpc-url", anvil_url)
    assert code == 0
    monkeypatch.delenv(KEY_VARIABLE)
    node = ("--contract", deployed["contract"], "--rpc-url", anvil_url)
    code, called = ran("predict", SEVEN, *node)
    assert (code, called["digit"], called["gas"]) == (0, 7, None)
    key = tmp_path / "key"
    key.write_text(account_key(0).to_hex())
    code, sent = ran("predict", SEVEN, *node, "--send", "--key-file", str(key))
    _, embedded = ran("predict", SEVEN, "--model", MODEL)
    assert (code, sent["digit"], sent["gas"]) == (0, 7, embedded["gas"])


@pytest.mark.parametrize("digits", ["0" * 64, f"{SECPK1_N:064x}", "f" * 63 + "e"])
def test_a_key_that_signs_nothing_is_exit_code_two(ran, tmp_path, monkeypatch, digits):
    deploy = ("deploy", "--verifier", "--commitment", str(ROOT / "examples" / "mnist.commitment"), "--rpc-url", "http://127.0.0.1:1")
    reason = "must be 32 bytes, above zero and below the group order of secp256k1"
    key = tmp_path / "key"
    key.write_text(digits)
    code, result = ran(*deploy, "--key-file", str(key))
    assert (code, result["error"]) == (2, f"the key file {key} {reason}")
    monkeypatch.setenv(KEY_VARIABLE, digits)
    code, result = ran(*deploy)
    assert (code, result["error"]) == (2, f"the variable {KEY_VARIABLE} {reason}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["predict", SEVEN], "give --model FILE, or --contract ADDRESS"),
        (["predict", SEVEN, "--contract", "0x12"], "0x12 is no address"),
        (["predict", SEVEN, "--model", MODEL, "--key-file", "k"], "--key-file goes with --rpc-url"),
        (["predict", SEVEN, "--model", MODEL, "--state", "s", "--rpc-url", "http://127.0.0.1:1"], "--state keeps the embedded chain"),
        (["predict", SEVEN, "--model", MODEL, "--rpc-url", "http://127.0.0.1:1"], "no answer from the node"),
        (["predict", SEVEN, "--model", MODEL, "--instruction", "--state", "s"], "--instruction asks a fresh embedded chain"),
        (["predict", "--model", MODEL], "give one image"),
    ],
)
def test_what_cannot_be_used_is_said(ran, arguments, message):
    code, result = ran(*arguments)
    assert code == 2 and message in result["error"]
