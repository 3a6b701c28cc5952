"""Wide circuits and other claims, as a user meets them: commit, prove, verify, inspect, look, calldata."""

import numpy as np
import pytest
from PIL import Image
from shared_cases import SHARED, shared_network
from support import random_network, refuses

from zkpredict.circuits.choice import choices, replica_choices
from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.networks.activations import RELU8
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.wide.claims import CLASS
from zkpredict.circuits.wide.compiler import compile_wide
from zkpredict.circuits.placement import has_shared_rows
from zkpredict.circuits.wide.replicas import ReplicaCircuit
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import MAX_CODE_BYTES
from zkpredict.contracts.verifier.client import deploy_verifier
from zkpredict.contracts.verifier.publics import UnsupportedShape
from zkpredict.contracts.verifier.wide.source import wide_source
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.training.report import circuit_report
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.costs import estimate_costs

NETWORK = random_network(5, (36, 20, 4))


def saturating() -> IntegerNetwork:
    source = np.random.default_rng(3)
    hidden = DenseLayer(source.integers(-20, 21, (12, 36)), source.integers(-99, 100, 12), 6, RELU8)
    return IntegerNetwork((hidden, DenseLayer(source.integers(-20, 21, (4, 12)), source.integers(-99, 100, 4))))


@pytest.fixture
def place(tmp_path, run):
    """Writes a model and an image, and commits with the options given: paths by name."""

    def made(network: IntegerNetwork, *options):
        names = ("model", "commitment", "image", "proof")
        found = dict(zip(names, (tmp_path / name for name in ("w.model", "w.commitment", "w.png", "w.proof"))))
        Model(network).save(found["model"])
        pixels = np.random.default_rng(2).integers(0, 256, (6, 6), dtype=np.uint8)
        Image.fromarray(pixels).save(found["image"])
        found["said"] = run("commit", "--model", found["model"], "--out", found["commitment"], "--json", *options)
        found["logits"] = network.infer(pixels.reshape(1, -1)).logits[0].tolist()
        return found

    return made


def test_a_network_with_other_gates_is_committed_wide_and_told_so(run, place):
    files = place(saturating())
    said = files["said"].json
    assert {name: said[name] for name in ("placement", "domain", "claim", "tracks", "gates")} == {
        "placement": "wide", "domain": 512, "claim": "class", "tracks": 1, "gates": ["relu8"],
    }
    answer = int(np.argmax(files["logits"]))
    proven = run("prove", files["image"], "--model", files["model"], "--out", files["proof"])
    assert (proven.code, proven.err) == (0, "") and proven.out.startswith(f"The network says {answer}, and ")
    data = files["proof"].read_bytes()
    for flags in ((), ("--independent",)):
        checked = run("verify", files["image"], files["proof"], "--commitment", files["commitment"], "--claim", "class", *flags)
        assert checked.code == 0 and f"... says {answer}.\n" in checked.out
        files["proof"].write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        assert run("verify", files["image"], files["proof"], "--commitment", files["commitment"], *flags).code == 1
        files["proof"].write_bytes(data)
    looked = run("look", files["image"], "--model", files["model"], "--json")
    assert looked.json["digit"] == answer


def test_inspect_names_the_parts_of_a_wide_proof_beside_its_commitment(run, place):
    files = place(saturating())
    run("prove", files["image"], "--model", files["model"], "--out", files["proof"])
    name = ModelCommitment.load(files["commitment"]).model_id.hex()
    alone = run("inspect", files["proof"], "--json").json
    assert alone["model id"] == name and alone["claim"].startswith(f"about class {np.argmax(files['logits'])}: ")
    beside = run("inspect", files["proof"], "--commitment", files["commitment"], "--json").json
    assert beside["claim"] == f"the model says {np.argmax(files['logits'])}" and "quotient" in beside["points"]
    shown = run("inspect", files["commitment"], "--json").json
    assert (shown["placement"], shown["tracks"], shown["gates"]) == ("wide", 1, "relu8")
    other = files["commitment"].with_name("other.commitment")
    commit_model(NETWORK).commitment.save(other)
    refused = run("inspect", files["proof"], "--commitment", other)
    assert refused.code == 2 and "the proof is for model " + name in refused.err
    assert run("inspect", files["commitment"], "--commitment", other).err == "zkpredict: --commitment goes with the proof of one input: it names its parts\n"


@pytest.mark.parametrize(
    ("claim", "phrase"),
    [("margin=1", "which leads every other class by at least 1"), ("logits", "with the logits ")],
)
def test_claims_are_said_in_words(run, place, claim, phrase):
    files = place(NETWORK, "--claim", claim)
    assert (files["said"].json["placement"], files["said"].json["claim"]) == ("wide", claim.replace("=", " "))
    answer = int(np.argmax(files["logits"]))
    proven = run("prove", files["image"], "--model", files["model"], "--out", files["proof"])
    assert proven.code == 0 and f"says {answer}, {phrase}" in proven.out
    found = run("verify", files["image"], files["proof"], "--commitment", files["commitment"], "--claim", claim, "--json").json
    assert (found["valid"], found["claim"], found["digit"]) == (True, claim.replace("=", " "), answer)
    assert found.get("outputs") == (files["logits"] if claim == "logits" else None)
    refused = run("verify", files["image"], files["proof"], "--commitment", files["commitment"], "--claim", "class")
    assert (refused.code, refused.out) == (1, f"INVALID (WrongStatement): proofs of this model claim {claim.replace('=', ' ')}, not class\n")


def test_a_margin_that_does_not_hold_is_a_false_claim(run, place):
    files = place(NETWORK, "--claim", f"margin={10**9}")
    refused = run("prove", files["image"], "--model", files["model"], "--out", files["proof"])
    assert (refused.code, refused.err) == (1, "zkpredict: cannot prove a margin of 1000000000: for this input another class is closer\n")
    assert not files["proof"].exists()


def test_thresholds_are_for_one_output(run, place):
    one = random_network(7, (36, 10, 1))
    lowest = int(one.intervals[-1].low[0])
    files = place(one, "--claim", f"threshold={lowest}")
    assert run("prove", files["image"], "--model", files["model"], "--out", files["proof"]).code == 0
    said = run("verify", files["image"], files["proof"], "--commitment", files["commitment"])
    assert said.code == 0 and f"... gives an output of at least {lowest:,}.\n" in said.out
    high = place(one, "--claim", f"threshold={one.intervals[-1].high[0] + 1}", "--force")
    refused = run("prove", high["image"], "--model", high["model"], "--out", high["proof"], "--force")
    assert refused.code == 1 and "for this input it is less" in refused.err
    assert "a threshold is for a network with one output, this one has 4" in place(NETWORK, "--claim", "threshold=0")["said"].err


def test_a_proof_of_another_claim_is_refused_by_name(run, place):
    files = place(NETWORK, "--claim", "logits")
    run("prove", files["image"], "--model", files["model"], "--out", files["proof"])
    other = files["commitment"].with_name("class.commitment")
    model = commit_model(NETWORK, claim=CLASS, placement="wide")
    model.commitment.save(other)
    for flags in ((), ("--independent",)):
        refused = run("verify", files["image"], files["proof"], "--commitment", other, "--json", *flags).json
        assert (refused["valid"], refused["kind"]) == (False, "WrongStatement")
        assert refused["reason"].startswith("the proof is for model ") and f"of model {model.commitment.model_id.hex()}, which claims class in " in refused["reason"]


def test_what_a_model_is_not_committed_for_needs_again(run, place):
    files = place(NETWORK)
    for options, what in (
        (("--placement", "wide"), "in another placement"),
        (("--for", "chain"), "in a circuit that is not the cheapest for chain"),
        (("--domain", "512"), "on another domain"),
        (("--claim", "logits"), "for another claim"),
    ):
        before = files["model"].read_bytes()
        refused = run("commit", "--model", files["model"], "--out", files["commitment"], *options)
        message = f"zkpredict: {files['model']} is committed {what}: add --again to replace its commitment\n"
        assert (refused.code, refused.err, files["model"].read_bytes()) == (2, message, before)
        assert run("commit", "--model", files["model"], "--out", files["commitment"], *options, "--again").code == 0
        assert run("commit", "--model", files["model"], "--out", files["commitment"], *options).code == 0


def test_for_chain_takes_the_least_estimated_gas(run, tmp_path):
    network, model, out = random_network(5, (400, 40, 4)), tmp_path / "m.model", tmp_path / "m.commitment"
    Model(network).save(model)
    assert run("commit", "--model", model, "--out", out).code == 0
    usual = ModelCommitment.load(out).circuit
    assert run("commit", "--model", model, "--out", out, "--for", "chain", "--again").code == 0
    circuit = ModelCommitment.load(out).circuit
    costs = [estimate_costs(one.circuit).verify_gas_estimate for one in (*choices(network), *replica_choices(network)) if one.circuit]
    assert len(costs) == 9 and estimate_costs(circuit).verify_gas_estimate == min(costs)
    assert usual.domain == 1024 and circuit != usual
    refused = run("commit", "--model", model, "--out", out, "--for", "chain", "--domain", "1024")
    assert refused.err == "zkpredict: --domain does not go with --for: it chooses the rows\n"


def test_for_chain_leaves_out_circuits_that_no_contract_holds(run, tmp_path):
    """Layer 1 would lie 20 times on the trace, in 44 parts: cheap by the estimate, and nothing that a chain could deploy."""
    network, model, out = random_network(5, (784, 60, 200, 10)), tmp_path / "m.model", tmp_path / "m.commitment"
    Model(network).save(model)
    by_gas = {estimate_costs(one.circuit).verify_gas_estimate: one.circuit for one in (*choices(network), *replica_choices(network)) if one.circuit}
    cheapest = by_gas[min(by_gas)]
    reason = "its layers lie on the trace in 44 parts, the code of a contract holds 23; without replicas (`commit --for proof`) there is one"
    with refuses(UnusableInput, f"no contract checks proofs in this circuit: {reason}; verify off the chain"):
        deploy_verifier(EmbeddedChain(), cheapest)
    with refuses(UnsupportedShape, reason):
        wide_source(cheapest)
    assert run("commit", "--model", model, "--out", out, "--for", "chain").code == 0
    circuit = ModelCommitment.load(out).circuit
    chain = EmbeddedChain()
    assert isinstance(circuit, ReplicaCircuit) and 20_000 < len(chain.code(deploy_verifier(chain, circuit).address)) <= MAX_CODE_BYTES
    offered = [offer.costs.verify_gas_estimate for offer in circuit_report(network).offers if offer.replicas]
    assert offered == [estimate_costs(circuit).verify_gas_estimate]


def test_for_chain_takes_shared_rows_where_they_are_cheapest(run, tmp_path):
    """The rows say so, and committing again without it is another circuit."""
    network, model, out = shared_network(next(iter(SHARED))), tmp_path / "m.model", tmp_path / "m.commitment"
    Model(network).save(model)
    said = run("commit", "--model", model, "--out", out, "--for", "chain", "--json").json
    circuit = ModelCommitment.load(out).circuit
    assert has_shared_rows(circuit) and said["shared_rows"] and said["rows"] == circuit.total_rows
    assert f"{circuit.total_rows} rows that all layers share" in run("inspect", out).out
    assert run("commit", "--model", model, "--out", out, "--for", "proof", "--again").code == 0
    assert not has_shared_rows(ModelCommitment.load(out).circuit)
    refused = run("commit", "--model", model, "--out", out, "--for", "chain")
    assert refused.err == f"zkpredict: {model} is committed in a circuit that is not the cheapest for chain: add --again to replace its commitment\n"


def test_for_chain_lays_small_layers_several_times(run, tmp_path):
    """Where it is cheaper: the rows say so, and committing again without it is another circuit."""
    network, model, out = random_network(5, (784, 64, 40, 4)), tmp_path / "m.model", tmp_path / "m.commitment"
    Model(network).save(model)
    said = run("commit", "--model", model, "--out", out, "--for", "chain", "--placement", "wide", "--json").json
    circuit = ModelCommitment.load(out).circuit
    assert isinstance(circuit, ReplicaCircuit) and (circuit.domain, circuit.joined) == (2048, 1)
    assert said["replicas"] == [8, 1] and said["rows"] == circuit.total_rows < compile_wide(network, domain=2048).circuit.total_rows
    shown = run("inspect", out).out
    assert "hidden layers 8 and 1 times" in shown
    assert run("commit", "--model", model, "--out", out, "--for", "chain", "--placement", "wide").code == 0
    refused = run("commit", "--model", model, "--out", out, "--for", "proof", "--placement", "wide")
    assert (refused.code, "is committed in a circuit that is not the cheapest for proof" in refused.err) == (2, True)
    images = [tmp_path / name for name in ("this.png", "other.png")]
    for seed, path in enumerate(images):
        Image.fromarray(np.random.default_rng(seed).integers(0, 256, (28, 28), dtype=np.uint8)).save(path)
    assert run("prove", "--model", model, images[0], "--out", tmp_path / "m.proof").code == 0
    assert [run("verify", "--commitment", out, image, tmp_path / "m.proof").code for image in images] == [0, 1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--claim", "margin"), "'margin' is no claim: give class, logits, margin=M or threshold=T, with a whole number M or T"),
        (("--claim", "margin=0"), "the claim margin takes a number in 1..70368744177663, got 0"),
        (("--placement", "compact", "--claim", "logits"), "compact circuits claim the class only, not logits"),
        (("--placement", "compact", "--domain", "512"), "domain must be one of (1024, 2048), got 512"),
    ],
)
def test_what_no_circuit_claims_is_refused(place, options, message):
    files = place(NETWORK, *options)
    assert files["said"].code == 2 and message in files["said"].json["error"] and not files["commitment"].exists()


def test_commit_shows_rows_after_a_second(monkeypatch, capsys):
    from zkpredict.cli import console

    monkeypatch.setattr(console.sys.stderr, "isatty", lambda: True)
    clock = iter([0.0, 0.0, 0.5, 1.5, 2.5])
    monkeypatch.setattr(console.time, "perf_counter", lambda: next(clock))
    with console.Console(False).counted("commit", "rows") as progress:
        progress(1, 2000)
        progress(2, 2000)
    shown = capsys.readouterr().err
    assert "  commit: 2 of 2,000 rows" in shown and "1 of 2,000" not in shown
