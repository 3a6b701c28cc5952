"""`zkpredict chain deploy --verifier`, `register` and `verify`, as commands."""

from __future__ import annotations

import json

import numpy as np
import pytest
from eth_utils import keccak
from support import random_image, random_network, refuses

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.layout import Circuit
from zkpredict.cli.main import main
from zkpredict.contracts.chain.evm import account_key
from zkpredict.contracts.chain.rpc import KEY_VARIABLE
from zkpredict.contracts.verifier.client import deploy_universal, deploy_verifier
from zkpredict.contracts.verifier.encoding import FinalCheck
from zkpredict.contracts.verifier.identity import compare_code
from zkpredict.contracts.verifier.vectors import StoredStatement, stored_statement
from zkpredict.prover.commit import commit_model
from zkpredict.prover.prove import prove


@pytest.fixture
def ran(capsys):
    def run(*arguments: str) -> tuple[int, dict]:
        code = main(["chain", *map(str, arguments), "--json"])
        return code or 0, json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def files(tmp_path) -> dict[str, str]:
    """A stored statement as the files that the commands take."""
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
    assert code == 1 and said["error"].endswith(f" is registered at {made['contract']} already: nothing was sent")
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


def creation_of_a_liar(digest: bytes, size: int) -> bytes:
    """A contract that states `digest`, takes proofs of `size` bytes, and accepts everything."""
    selector = keccak(b"PROOF_BYTES()")[:4]
    runtime = b"\x5f\x35\x60\xe0\x1c\x63" + selector + b"\x14\x60\x35\x57\x7f" + digest + b"\x5f\x52\x60\x20\x5f\xf3"
    runtime += b"\x5b\x61" + size.to_bytes(2, "big") + b"\x5f\x52\x60\x20\x5f\xf3"
    return bytes([0x60, len(runtime), 0x80, 0x60, 9, 0x5F, 0x39, 0x5F, 0xF3]) + runtime


def test_a_contract_that_only_says_what_it_is_is_not_believed(ran, files, anvil, anvil_url, monkeypatch):
    """Asked, it would accept a proof for another image."""
    commitment = stored_statement("typical", 1024).commitment
    liar = anvil.deploy(creation_of_a_liar(commitment.circuit.digest, FinalCheck.POINT_EVALUATION.proof_bytes())).contract
    np.save(files["image.npy"], np.zeros((28, 28), np.uint8))
    question = ("verify", files["image.npy"], files["proof"], "--commitment", files["commitment"], "--contract", liar, "--rpc-url", anvil_url)
    code, said = ran(*question)
    assert (code, said["error"]) == (2, not_believed(liar, "Verifier_784_64_10_n1024, Verifier_784_64_10_n1024_pairing, "))
    code, said = ran(*question, "--any-code")
    assert (code, said["valid"]) == (0, True)


@pytest.fixture
def small(tmp_path) -> dict[str, str]:
    """The files of a statement about a shape that no contract is made for."""
    model, image = commit_model(random_network(5, (20, 6, 3))), random_image(1, 20)
    paths = {name: str(tmp_path / name) for name in ("image.npy", "proof", "commitment", "chain.json")}
    np.save(paths["image.npy"], image)
    for name, data in (("proof", prove(model, image).to_bytes()), ("commitment", model.commitment.to_bytes())):
        with open(paths[name], "wb") as file:
            file.write(data)
    return paths


def test_other_shapes_use_the_universal_verifier_by_themselves(ran, small, monkeypatch):
    """Without a compiler: node is not found, and nobody asks for it."""
    monkeypatch.setenv("PATH", "")
    named, state = ("--commitment", small["commitment"]), ("--state", small["chain.json"])
    code, said = ran("verify", small["image.npy"], small["proof"], *named)
    assert (code, said["valid"]) == (0, True) and said["gas"] < 250_000
    code, made = ran("deploy", "--verifier", *named, *state)
    assert (code, made["kind"], made["network"]) == (0, "UniversalVerifier", "20-6-3") and made["gas"] < 5_000_000
    question = ("verify", small["image.npy"], small["proof"], *named, "--contract", made["contract"], *state)
    code, said = ran(*question)
    assert (code, said["valid"], said["reason"]) == (1, False, "UnknownModel")
    assert said["todo"].startswith("register it first: zkpredict chain register ")
    code, first = ran("register", *named, "--contract", made["contract"], *state)
    assert code == 0 and first["circuit_gas"] > 200_000 and first["circuit_transaction"].startswith("0x")
    code, said = ran(*question)
    assert (code, said["valid"]) == (0, True)
    code, said = ran("register", *named, "--contract", made["contract"], *state)
    assert code == 1 and said["error"].endswith(f" is registered at {made['contract']} already: nothing was sent")


def test_the_universal_verifier_can_be_asked_for(ran, files):
    state = ("--state", files["chain.json"])
    code, made = ran("deploy", "--verifier", "--universal", *state)
    assert (code, made["kind"], made["network"]) == (0, "UniversalVerifier", None)
    code, said = ran("register", "--commitment", files["commitment"], "--contract", made["contract"], *state)
    assert code == 0 and said["circuit_gas"] > 400_000
    code, said = ran("verify", files["image.npy"], files["proof"], "--commitment", files["commitment"], "--contract", made["contract"], *state)
    assert (code, said["valid"]) == (0, True) and 270_000 < said["gas"] < 290_000
    code, made = ran("deploy", "--verifier", "--universal", "--pairing", *state)
    assert (code, made["kind"]) == (0, "UniversalVerifier_pairing")
    code, said = ran("deploy", "--verifier", "--universal", "--commitment", files["commitment"])
    assert (code, said["error"]) == (2, "--commitment does not go with --universal: it serves the models of every compact circuit")
    code, said = ran("deploy", "--verifier", "--universal", "--specialised", "--commitment", files["commitment"])
    assert code == 2 and "not allowed with argument" in said["error"]


def test_a_contract_for_one_circuit_is_compiled_when_it_is_asked_for(ran, small):
    code, made = ran("deploy", "--verifier", "--specialised", "--commitment", small["commitment"], "--state", small["chain.json"])
    assert (code, made["kind"]) == (0, "Verifier_20_6_3_n1024")
    question = ("verify", small["image.npy"], small["proof"], "--commitment", small["commitment"], "--contract", made["contract"])
    code, said = ran(*question, "--state", small["chain.json"])
    assert (code, said["error"]) == (2, not_believed(made["contract"], ""))
    ran("register", "--commitment", small["commitment"], "--contract", made["contract"], "--state", small["chain.json"])
    code, said = ran(*question, "--any-code", "--state", small["chain.json"])
    assert (code, said["valid"]) == (0, True)


def not_believed(address: str, own: str) -> str:
    return (
        f"the code at {address} is not that of {own}UniversalVerifier or UniversalVerifier_pairing of this version: it may say anything. "
        "Deploy one (`zkpredict chain deploy --verifier`), or add --any-code if you know this contract otherwise"
    )


def test_code_is_compared_for_every_circuit(embedded):
    circuit, other = stored_statement("typical", 1024).commitment.circuit, Circuit((4, 3, 2), (1, 2), 1024)
    for check in FinalCheck:
        compare_code(embedded, deploy_verifier(embedded, circuit, check).address, circuit)
        universal = deploy_universal(embedded, check).address
        compare_code(embedded, universal, circuit)
        compare_code(embedded, universal, other)
    address = embedded.deploy(creation_of_a_liar(circuit.digest, 1)).contract
    with refuses(UnusableInput, not_believed(address, "")):
        compare_code(embedded, address, other)
    specialised = deploy_verifier(embedded, circuit).address
    with refuses(UnusableInput, not_believed(specialised, "")):
        compare_code(embedded, specialised, other)
    with refuses(UnusableInput, f"there is no contract at {'0x' + '11' * 20}"):
        compare_code(embedded, "0x" + "11" * 20, circuit)


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
