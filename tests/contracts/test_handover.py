"""What leaves for a chain: calldata, snippets that compile and run as they are printed, and the verifier as files that make the shipped code."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path
from string import Template

import numpy as np
import pytest
from eth_utils import keccak
from support import random_image, random_network

from zkpredict import load_image
from zkpredict.circuits.convolution.chain import contract_refusal
from zkpredict.circuits.networks.activations import RELU8
from zkpredict.circuits.networks.convolution import ConvLayer
from zkpredict.circuits.networks.grid import Grid
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.cli.main import main
from zkpredict.contracts.artifact import Artifact
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import Chain, Contract, Reverted
from zkpredict.contracts.chain.state import open_state
from zkpredict.contracts.compile import Settings, compile_sources
from zkpredict.contracts.verifier import generate
from zkpredict.contracts.verifier.client import deploy_universal, prepare_circuit, register_model
from zkpredict.contracts.verifier.encoding import FinalCheck, onchain_proof
from zkpredict.prover.commit import commit_model
from zkpredict.prover.prove import prove
from zkpredict.verifier.commitment import ModelCommitment

PRICE = 10**15


@pytest.fixture(scope="module")
def said(tmp_path_factory) -> dict:
    """A small model's statement as files, and what they say."""
    folder = tmp_path_factory.mktemp("statement")
    model, image = commit_model(random_network(3, (40, 8, 4))), random_image(2, 40)
    proof = prove(model, image)
    np.save(folder / "image.npy", image)
    np.save(folder / "other.npy", 255 - image)
    (folder / "proof").write_bytes(proof.to_bytes())
    (folder / "commitment").write_bytes(model.commitment.to_bytes())
    return {"folder": folder, "commitment": model.commitment, "image": image.tobytes(), "proof": proof}


@pytest.fixture
def ran(said, capsys, monkeypatch):
    """Runs a command in the folder of the statement; gives its code, what it printed and what it said aside."""
    monkeypatch.chdir(said["folder"])

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main([*map(str, arguments)]) or 0
        found = capsys.readouterr()
        return code, found.out, found.err

    return run


CALLDATA = ("calldata", "image.npy", "proof", "--commitment", "commitment")


def verifier_on(chain: Chain, commitment, check: FinalCheck = FinalCheck.POINT_EVALUATION) -> Contract:
    contract = deploy_universal(chain, check).contract
    prepare_circuit(chain, contract.address, commitment.circuit)
    register_model(chain, contract.address, commitment)
    return contract


@pytest.mark.parametrize("check", FinalCheck)
def test_the_calldata_is_accepted_and_that_of_another_image_is_not(ran, said, check):
    chain = EmbeddedChain()
    address = verifier_on(chain, said["commitment"], check).address
    options = ("--pairing",) if check is FinalCheck.PAIRING else ()
    code, out, _ = ran(*CALLDATA, *options, "--json")
    found = json.loads(out)
    assert (code, found["digit"], found["proof"]) == (0, said["proof"].digit, f"0x{onchain_proof(said['proof'], check).hex()}")
    data = bytes.fromhex(found["call"][2:])
    assert chain.transact(address, data).gas_used < 400_000
    code, out, _ = ran(*CALLDATA, *options, "--call", "verify", "--only", "call")
    assert int.from_bytes(chain.call(address, bytes.fromhex(out.strip()[2:])), "big") == 1
    changed = bytearray(data)
    changed[164] ^= 1
    with pytest.raises(Reverted) as caught:
        chain.transact(address, bytes(changed))
    assert caught.value.named(generate.universal_artifact()).name == "OpeningFailed"


def test_the_solidity_compiles_and_checks_this_statement_only(ran, said):
    _, text, _ = ran(*CALLDATA, "--only", "solidity")
    chain = EmbeddedChain()
    address = verifier_on(chain, said["commitment"]).address
    wrong = text.replace(f'hex"{said["image"].hex()}"', f'hex"{bytes(40).hex()}"')
    assert wrong != text
    for source, accepted in ((text, True), (wrong, False)):
        example, _ = Contract.deploy(chain, compile_sources({"Example.sol": source}, Settings.load())["Example"])
        if accepted:
            example.call("check", address)
        else:
            with pytest.raises(Reverted) as caught:
                example.call("check", address)
            assert caught.value.data == keccak(b"OpeningFailed()")[:4]


@pytest.mark.node
def test_the_javascript_asks_a_node(ran, said, anvil, anvil_url):
    _, text, _ = ran(*CALLDATA, "--only", "javascript")
    verifier = verifier_on(anvil, said["commitment"])
    program = Path("check.mjs")

    def answer(source: str, address: str) -> subprocess.CompletedProcess:
        program.write_text(source)
        return subprocess.run(["node", program, anvil_url, address], capture_output=True, text=True)

    assert answer(text, verifier.address).stdout == f"the network says {said['proof'].digit}\n"
    wrong = text.replace(said["image"].hex(), bytes(40).hex())
    assert wrong != text
    assert answer(wrong, verifier.address).stdout == "not shown: ask verifyOrRevert why\n"
    nobody = answer(text, "0x" + "11" * 20)
    assert nobody.returncode == 1 and "no verifier answers at 0x1111" in nobody.stderr


def test_a_false_or_broken_proof_gives_no_calldata(ran, said):
    code, out, _ = ran("calldata", "other.npy", "proof", "--commitment", "commitment")
    assert code == 1 and out.startswith("INVALID (FailedOpening): ") and "0x" not in out
    Path("short").write_bytes(said["proof"].to_bytes()[:-1])
    code, out, _ = ran("calldata", "image.npy", "short", "--commitment", "commitment", "--only", "call")
    assert code == 1 and out.startswith("INVALID (MalformedProof): ")


def one_convolution() -> IntegerNetwork:
    """The contract of this version holds two."""
    source = np.random.default_rng(1)
    first = ConvLayer(source.integers(-9, 10, (3, 6)), source.integers(-99, 100, 3), 6, RELU8, Grid(6, 5, 1, 3, 2))
    return IntegerNetwork((first, DenseLayer(source.integers(-9, 10, (4, first.outputs)), source.integers(-99, 100, 4))))


def test_circuits_that_no_contract_checks_have_no_calldata(ran):
    example, model = Path(__file__).resolve().parents[2] / "examples", commit_model(one_convolution())
    image = np.full(30, 7, np.uint8)
    np.save("map.npy", image)
    Path("map.proof").write_bytes(prove(model, image).to_bytes())
    Path("map.commitment").write_bytes(model.commitment.to_bytes())
    code, out, err = ran("calldata", "map.npy", "map.proof", "--commitment", "map.commitment")
    why = contract_refusal(model.commitment.circuit)
    assert (code, out, err) == (2, "", f"zkpredict: no contract checks proofs in this circuit: {why}; verify off the chain\n")
    for name in ("lenet", "lenet_max"):
        code, out, _ = ran("calldata", example / "seven.png", example / f"{name}-seven.proof", "--commitment", example / f"{name}.commitment")
        assert code == 0 and out.startswith("The calldata of `verifyOrRevert`")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--call", "answer"), "--call answer and --job ID go together: PaidPrediction names the job in its event Posted"),
        (("--job", "0x" + "00" * 32), "--call answer and --job ID go together: PaidPrediction names the job in its event Posted"),
        (("--call", "answer", "--job", "12"), "--job 12 is no job's id: 0x and 64 hex digits"),
        (("--call", "answer", "--job", "0xzz"), "--job 0xzz is no job's id: 0x and 64 hex digits"),
        (("--only", "call", "--json"), "--only does not go with --json: the object has every part"),
    ],
)
def test_what_calldata_cannot_do_is_said(ran, options, message):
    code, _, err = ran(*CALLDATA, *options)
    assert (code, err.splitlines()[-1]) == (2, f"zkpredict: {message}")


@pytest.mark.parametrize("options", [(), ("--pairing",)], ids=["point evaluation", "pairing"])
def test_the_files_make_the_shipped_code_register_the_model_and_pay(ran, said, tmp_path, options):
    """From the written files alone: compiled sources are the artefacts, the calls register the model, and a proven answer is paid once."""
    out = tmp_path / "verifier"
    code, text, _ = ran("contract", "--commitment", "commitment", "--out", out, *options)
    name = "UniversalVerifier" + ("_pairing" if options else "")
    assert code == 0 and f"holds {name}, which checks proofs about models of every compact circuit." in text
    files = {path.name: path.read_text() for path in out.iterdir()}
    assert {path for path in files if path.endswith(".md")} == {"DEPLOY.md"}
    kind = " ".join(("--universal", *options))
    assert f"`zkpredict chain deploy --verifier --rpc-url $ETH_RPC_URL --key-file KEY {kind}` or any other tool" in files["DEPLOY.md"]
    compiled = compile_sources({n: t for n, t in files.items() if n.endswith(".sol")}, generate._settings())
    artifacts = {n: json.loads(files[f"{n}.json"]) for n in (name, "PaidPrediction")}
    for contract, found in artifacts.items():
        assert (found["bytecode"], found["runtime"]) == (compiled[contract].bytecode.hex(), compiled[contract].runtime.hex())

    chain = EmbeddedChain()
    address = chain.deploy(bytes.fromhex(artifacts[name]["bytecode"])).created
    registration = json.loads(files["registration.json"])
    assert [call["function"] for call in registration["calls"]] == ["registerCircuit", "register"]
    for call in registration["calls"]:
        chain.transact(address, bytes.fromhex(call["data"][2:]))
    consumer, _ = Contract.deploy(chain, compiled["PaidPrediction"], address)
    provider = chain.account(1)
    posted = consumer.transact("post", said["commitment"].model_id, keccak(said["image"]), provider.sender, 10**11, value=PRICE)
    job = consumer.events(posted)[0][1]["jobId"]
    _, data, _ = ran(*CALLDATA, *options, "--call", "answer", "--job", f"0x{job.hex()}", "--only", "call")
    before = provider.balance(consumer.address)
    provider.transact(consumer.address, bytes.fromhex(data.strip()[2:]))
    assert (before, provider.balance(consumer.address)) == (PRICE, 0)
    assert consumer.call("answers", job) == said["proof"].digit + 1
    with pytest.raises(Reverted) as caught:
        provider.transact(consumer.address, bytes.fromhex(data.strip()[2:]))
    assert caught.value.named(compiled["PaidPrediction"]).name == "AlreadyAnswered"


def test_the_files_of_one_circuit_are_those_of_its_own_contract(ran, root, tmp_path):
    commitment = root / "examples" / "mnist.commitment"
    code, text, _ = ran("contract", "--specialised", "--commitment", commitment, "--out", tmp_path)
    assert code == 0 and "holds Verifier_784_64_10_n1024, which checks proofs about 784-64-10 models on 1024 rows." in text
    names = {path.name for path in tmp_path.iterdir()}
    assert "CircuitRegistry.sol" not in names and {"Verifier_784_64_10_n1024.sol", "ModelRegistry.sol", "registration.json"} <= names
    assert [call["function"] for call in json.loads((tmp_path / "registration.json").read_text())["calls"]] == ["register"]


def test_the_files_replace_their_own_kind_and_nothing_else(ran, tmp_path):
    for _ in range(2):
        assert ran("contract", "--commitment", "commitment", "--out", tmp_path)[0] == 0
    for name in ("IVerifier.sol", "PaidPrediction.json", "registration.json", "DEPLOY.md"):
        kept = (tmp_path / name).read_text()
        (tmp_path / name).write_text("mine")
        code, _, err = ran("contract", "--commitment", "commitment", "--out", tmp_path)
        assert code == 2 and f"cannot write {tmp_path / name}: it holds something else than " in err and "--force" in err
        assert (tmp_path / name).read_text() == "mine"
        assert ran("contract", "--commitment", "commitment", "--out", tmp_path, "--force")[0] == 0
        assert (tmp_path / name).read_text() == kept


def test_without_a_compiler_the_way_out_is_said(ran, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", "")
    start = "this contract is compiled when it is asked for, and node, which runs the Solidity compiler, is not on PATH: install Node, then run `npm ci` in "
    end = "; or leave out --specialised: the universal verifier needs no compiler"
    for command in (("contract", "--out", tmp_path), ("chain", "deploy", "--verifier")):
        code, _, err = ran(*command, "--specialised", "--commitment", "commitment")
        said = err.splitlines()[-1]
        assert code == 2 and said.startswith(f"zkpredict: {start}") and said.endswith(end)
        assert ran(*command, *(() if command[0] == "contract" else ("--universal",)))[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--out", ""), "--out is empty: give the folder to write into, . for this one"),
        (("--out", "x", "--specialised"), "--specialised needs --commitment FILE: it says for which circuit"),
        (("--out", "proof"), "cannot make the folder proof: File exists"),
    ],
)
def test_what_contract_cannot_do_is_said(ran, arguments, message):
    code, _, err = ran("contract", *arguments)
    assert (code, err.splitlines()[-1]) == (2, f"zkpredict: {message}")


def test_the_three_steps_of_the_readme_pay(root, tmp_path, capsys, monkeypatch):
    """Run as they stand, on a kept chain; `cast` is what sends calldata to an address."""
    section = (root / "README.md").read_text().split("## From a proof to a contract that pays")[1].split("## ")[0]
    lines = [line for line in section.split("```sh\n")[1].split("```")[0].splitlines() if not line.startswith("#")]
    deploy, register, files, pay = lines
    (tmp_path / "examples").symlink_to(root / "examples")
    monkeypatch.chdir(tmp_path)
    assert main(["prove", "examples/seven.png", "--model", "examples/mnist.model", "--out", "seven.proof"]) == 0
    names = {"NODE": "--state chain.json"}
    capsys.readouterr()

    def ran(line: str) -> str:
        words = shlex.split(Template(line).substitute(names))
        assert words[0] == "zkpredict" and (main(words[1:]) or 0) == 0, line
        return capsys.readouterr().out

    names["VERIFIER"] = re.search(r"^UniversalVerifier is at (0x\w{40})\.$", ran(deploy), re.MULTILINE)[1]
    ran(register)
    ran(files)
    artifact = Artifact.from_json(Path("verifier/PaidPrediction.json").read_text())
    chain = open_state("chain.json")
    paid, _ = Contract.deploy(chain, artifact, names["VERIFIER"])
    image = load_image("examples/seven.png", 784).tobytes()
    model_id = ModelCommitment.load("examples/mnist.commitment").model_id
    posted = paid.transact("post", model_id, keccak(image), chain.account(1).sender, 10**11, value=PRICE)
    names |= {"PAID": paid.address, "JOB": f"0x{paid.events(posted)[0][1]['jobId'].hex()}"}
    before, command, after = re.fullmatch(r"(cast send \$PAID) \$\((zkpredict .*)\)(.*)", pay).groups()
    assert (before, after) == ("cast send $PAID", "")
    data = bytes.fromhex(ran(command).strip()[2:])
    chain.account(1).transact(paid.address, data)
    assert (chain.balance(paid.address), paid.call("answers", paid.events(posted)[0][1]["jobId"])) == (0, 7 + 1)


def test_wide_models_have_a_verifier_of_their_own(ran, tmp_path):
    model, image = commit_model(random_network(1, (30, 200, 5))), random_image(1, 30)
    np.save(tmp_path / "image.npy", image)
    (tmp_path / "proof").write_bytes(prove(model, image).to_bytes())
    (tmp_path / "commitment").write_bytes(model.commitment.to_bytes())
    statement, named = (tmp_path / "image.npy", tmp_path / "proof"), ("--commitment", tmp_path / "commitment")
    code, out, _ = ran("contract", "--out", tmp_path / "out", *named)
    assert code == 0 and "models on 512 rows, claim class" in out
    files = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"SmallModels.sol", "RowStore.sol", "DataContracts.sol", "IVerifier.sol", "registration.json", "DEPLOY.md"} <= files
    calls = json.loads((tmp_path / "out" / "registration.json").read_text())["calls"]
    assert [call["function"] for call in calls] == ["register"]
    code, out, _ = ran("calldata", *statement, *named, "--only", "call")
    chain = EmbeddedChain()
    (name,) = (path for path in (tmp_path / "out").glob("WideVerifier*.json"))
    verifier, _ = Contract.deploy(chain, Artifact.from_json(name.read_text()))
    data = bytes.fromhex(out.strip()[2:])
    with pytest.raises(Reverted):
        chain.call(verifier.address, data)
    chain.transact(verifier.address, bytes.fromhex(calls[0]["data"][2:]))
    assert (code, chain.call(verifier.address, data)) == (0, b"")
    state = ("--state", tmp_path / "chain.json")
    code, out, _ = ran("chain", "deploy", "--verifier", *named, *state, "--json")
    address = json.loads(out)["contract"]
    assert code == 0 and ran("chain", "register", *named, "--contract", address, *state)[0] == 0
    code, out, _ = ran("chain", "verify", *statement, *named, "--contract", address, *state)
    assert code == 0 and out.startswith("VALID")
    (tmp_path / "proof").write_bytes(prove(model, image, context=keccak(b"Ada")).to_bytes())
    for audience, expected in (("Ada", 0), ("Bob", 1)):
        assert ran("chain", "verify", *statement, *named, "--contract", address, *state, "--for", audience)[0] == expected
    (tmp_path / "proof").write_bytes(prove(model, image).to_bytes())
    image[0] ^= 1
    np.save(tmp_path / "image.npy", image)
    code, out, _ = ran("chain", "verify", *statement, *named, "--contract", address, *state)
    assert code == 1 and out.startswith("INVALID: OpeningFailed")
    code, out, _ = ran("chain", "deploy", "--verifier", "--universal", *state, "--json")
    code, _, err = ran("chain", "register", *named, "--contract", json.loads(out)["contract"], *state)
    message = "this contract checks proofs in compact circuits only, and this model's is wide: each wide circuit has a verifier of its own"
    assert (code, err.splitlines()[-1]) == (2, f"zkpredict: {message}")
