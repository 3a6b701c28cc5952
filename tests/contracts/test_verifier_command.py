"""`zkpredict chain deploy --verifier`, `register` and `verify`, as commands."""

from __future__ import annotations

import json

import pytest

from zkpredict.cli.main import main
from zkpredict.contracts.chain.evm import account_key
from zkpredict.contracts.chain.rpc import KEY_VARIABLE
from zkpredict.contracts.verifier.vectors import StoredStatement, stored_statement


@pytest.fixture
def ran(capsys):
    def run(*arguments: str) -> tuple[int, dict]:
        code = main(["chain", *map(str, arguments), "--json"])
        return code or 0, json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def files(tmp_path) -> dict[str, str]:
    """A stored statement as the files that the commands take."""
    import numpy as np

    statement: StoredStatement = stored_statement("typical", 1024)
    paths = {name: str(tmp_path / name) for name in ("image.npy", "proof", "commitment", "chain.json", "key")}
    np.save(paths["image.npy"], np.frombuffer(statement.image, np.uint8).reshape(28, 28))
    for name, data in (("proof", statement.proof.to_bytes()), ("commitment", statement.commitment.to_bytes())):
        with open(paths[name], "wb") as file:
            file.write(data)
    return paths


def test_one_command_deploys_registers_and_verifies(ran, files):
    code, said = ran("verify", files["image.npy"], files["proof"], "--commitment", files["commitment"])
    assert (code, said["valid"], said["digit"]) == (0, True, stored_statement("typical", 1024).proof.digit)
    assert 240_000 < said["gas"] < 260_000 and said["transaction"].startswith("0x")
    code, said = ran("verify", files["image.npy"], files["proof"], "--commitment", files["commitment"], "--pairing")
    assert code == 0 and 300_000 < said["gas"] < 330_000


def test_a_kept_chain_remembers_verifier_and_model(ran, files):
    state = ("--state", files["chain.json"])
    code, made = ran("deploy", "--verifier", "--commitment", files["commitment"], *state)
    assert code == 0 and made["kind"] == "Verifier_784_64_10_n1024" and made["code_bytes"] < 24_576
    question = ("verify", files["image.npy"], files["proof"], "--commitment", files["commitment"], "--contract", made["contract"])
    code, said = ran(*question, *state)
    assert (code, said["valid"], said["reason"]) == (1, False, "UnknownModel")
    code, said = ran("register", "--commitment", files["commitment"], "--contract", made["contract"], *state)
    assert code == 0 and said["model_id"] == stored_statement("typical", 1024).commitment.model_id.hex()
    code, said = ran("register", "--commitment", files["commitment"], "--contract", made["contract"], *state)
    assert code == 1 and "AlreadyRegistered" in said["error"]
    code, said = ran(*question, *state)
    assert (code, said["valid"]) == (0, True)


def test_false_claims_and_malformed_proofs_are_exit_code_one(ran, files, tmp_path):
    import numpy as np

    other = tmp_path / "other.npy"
    np.save(other, np.zeros((28, 28), np.uint8))
    code, said = ran("verify", other, files["proof"], "--commitment", files["commitment"])
    assert (code, said["valid"], said["reason"]) == (1, False, "OpeningFailed")
    short = tmp_path / "short"
    short.write_bytes(stored_statement("typical", 1024).proof.to_bytes()[:-1])
    code, said = ran("verify", files["image.npy"], short, "--commitment", files["commitment"])
    assert code == 1 and said["valid"] is False and said["reason"].startswith("proof: ")
    foreign = tmp_path / "foreign"
    foreign.write_bytes(stored_statement("typical", 2048).proof.to_bytes())
    code, said = ran("verify", files["image.npy"], foreign, "--commitment", files["commitment"])
    assert code == 1 and "the proof is for model" in said["reason"]


def test_a_node_checks_for_nothing_and_is_paid_only_when_asked(ran, files, anvil, anvil_url, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, account_key(0).to_hex())
    node = ("--rpc-url", anvil_url)
    _, made = ran("deploy", "--verifier", "--commitment", files["commitment"], *node)
    ran("register", "--commitment", files["commitment"], "--contract", made["contract"], *node)
    question = ("verify", files["image.npy"], files["proof"], "--commitment", files["commitment"], "--contract", made["contract"])
    code, said = ran(*question, *node)
    assert (code, said["valid"], said["gas"]) == (0, True, None)
    code, said = ran(*question, "--send", *node)
    assert code == 0 and 240_000 < said["gas"] < 260_000
    code, said = ran(*question[:-2], *node)
    assert code == 2 and "give --contract ADDRESS" in said["error"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("deploy", "--verifier"), "a verifier needs --commitment FILE"),
        (("deploy", "--predict"), "give the network to deploy: --model FILE"),
        (("register", "--contract", "0x1", "--commitment", "x"), "is no address"),
    ],
)
def test_what_is_missing_is_said(ran, arguments, message):
    code, said = ran(*arguments)
    assert code == 2 and message in said["error"]


def test_people_read_a_verdict(capsys, files):
    assert not main(["chain", "verify", files["image.npy"], files["proof"], "--commitment", files["commitment"]])
    assert capsys.readouterr().out.startswith("VALID: the contract accepts that the network under ")
