"""inspect: every artefact explained, nothing private shown."""

from pathlib import Path

import numpy as np
from cli_desk import Outcome, expect_refusal
from support import random_network

from zkpredict.circuits.networks.exact import ExactLayer, ExactNetwork
from zkpredict.prover.model import Model


def test_inspect_explains_every_artefact_and_shows_nothing_private(run, desk, committed):
    circuit = desk.folder / "m.circuit"
    circuit.write_bytes(committed.commitment.circuit.to_bytes())
    bare = desk.folder / "bare.model"
    Model(committed.network).save(bare)
    shape = {
        "network": "36-12-4",
        "placement": "compact",
        "domain": 1024,
        "claim": "the class with the largest output",
        "proof": "8 points, 5 scalars, 583 bytes",
        "lane bits": "24, 48",
        "rows": len(committed.commitment.rows),
        "circuit digest": committed.commitment.circuit.digest.hex(),
    }
    name = committed.commitment.model_id.hex()
    private = {
        "file": "model (PRIVATE: holds the weights)",
        "not shown": "shifts and worst case, which follow from the weights: --private shows them",
    }
    expected = {
        desk.model: private | {"committed": "yes", "model id": name} | shape,
        bare: private | {"committed": "no"} | shape,
        desk.commitment: {"file": "model commitment (public)", "model id": name} | shape,
        circuit: {"file": "circuit (public)"} | shape,
        desk.proof: {
            "file": "proof (public)",
            "claim": f"the model says {desk.digit}",
            "model id": name,
            "points": "8: limb, horner, cell, linear, lookup, quotient, opening, final",
            "scalars": "5: limb, cell, table at rho; cell, linearised at omega rho",
        },
    }
    before = desk.contents()
    for path, facts in expected.items():
        facts["bytes"] = path.stat().st_size
        assert run("inspect", path, "--json").json == facts
        shown = run("inspect", path)
        assert (shown.code, shown.err) == (0, "")
        assert {line.split("  ")[0]: line.split("  ", 1)[1].strip() for line in shown.out.splitlines()} == {
            key: str(value) for key, value in facts.items()
        }
        assert not [secret for secret in committed.secrets if str(secret) in shown.out or f"{secret:x}" in shown.out]
    assert desk.contents() == before


def test_inspect_explains_10_8_networks_without_their_weights(run, tmp_path):
    path = tmp_path / "n.exact"
    weights, second = np.array([[123_456_789, -98_765_432], [55_555_555, 44_444_444]]), np.array([[87_654_321, 76_543_210]])
    network = ExactNetwork((ExactLayer(weights, np.array([1_234_567, 7_654_321])), ExactLayer(second, np.array([3_333_333]))))
    path.write_bytes(network.to_bytes())
    facts = {
        "file": "10^8 network (PRIVATE: holds the weights)",
        "bytes": 67,
        "network": "2-2-1",
        "worst case": "|z| <= 124691356, |z| <= 195032766, in units of 10^-8",
    }
    shown = run("inspect", path, "--private").out
    note = f"shown from the private weights of {path}: worst case; keep that to yourself"
    assert run("inspect", path, "--private", "--json").json == facts | {"notes": [note]}
    assert "124691356" not in run("inspect", path).out
    assert shown.splitlines()[2:] == ["network     2-2-1", f"worst case  {facts['worst case']}"]
    for layer in network.layers:
        assert not [number for number in (*layer.weights.flat, *layer.bias) if str(abs(number)) in shown]
    path.write_bytes(network.to_bytes()[:-1])
    message = f"{path}: layer 1 biases needs 5 bytes at offset 62, 4 are left"
    assert run("inspect", path) == Outcome(2, "", f"zkpredict: {message}\n")


def test_the_shipped_10_8_network_is_explained(run, root):
    assert run("inspect", root / "tests" / "data" / "mnist.exact", "--json").json["network"] == "784-64-10"


def test_a_model_that_fits_no_circuit_is_explained(run, desk):
    path = desk.folder / "big.model"
    Model(random_network(1, (4, 1001), largest=1)).save(path)
    facts = run("inspect", path, "--json").json
    reason = "a circuit has at most 1000 classes, got 1001"
    assert (facts["network"], facts["cannot be proven"], "circuit digest" in facts) == ("4-1001", reason, False)
    assert "cannot be proven" not in run("inspect", desk.model, "--json").json
    refused = run("commit", "--model", path, "--out", desk.folder / "big.commitment")
    assert (refused.code, refused.err) == (2, f"zkpredict: {path} cannot be proven: {reason}\n")


def test_inspect_refuses_what_is_damaged_or_not_ours(run, desk):
    wanted = "is no model, 10^8 network, commitment, circuit, proof, batch, score, test set, hidden input or opening"
    keras = b"PK\x03\x04\x14...config.json...model.weights.h5..."
    for name, data, found in (
        ("strange", b"", "nothing in it tells what it is"),
        ("strange", b"PK\x03\x04\x14...", "it is a zip archive"),
        ("strange", b"\x80\x04\x95pickle", "it is a Python pickle (it could run code and is never read: save the model as .keras or ONNX)"),
        ("m.keras", keras, "it is a Keras model (`zkpredict quantize {} --out FILE` makes a model file of it)"),
        ("pot script", b"76a96387\n", "it is a line of hex (if it is a locking script, `zkpredict script run '{}' IMAGE --digit D` runs it)"),
    ):
        path = desk.folder / name
        path.write_bytes(data)
        expect_refusal(desk, desk.contents(), run("inspect", path), f"{path} {wanted}: {found.format(path)}")
    path.write_bytes(b"zkpM\x03...")
    expect_refusal(desk, desk.contents(), run("inspect", path), f"{path} is a private model file in the format 03, which this version does not read")
    for path, message in (
        (desk.model, "{0}: secret 1 needs 32 bytes at offset {1}, 31 are left"),
        (desk.commitment, "{0}: row 1 needs 48 bytes at offset {2}, 47 are left"),
        (desk.proof, "{0}: proof: scalar linearised_next needs 32 bytes at offset {1}, 31 are left"),
    ):
        data = path.read_bytes()
        path.write_bytes(data[:-1])
        expect_refusal(desk, desk.contents(), run("inspect", path), message.format(path, len(data) - 32, len(data) - 48))


def test_shifts_and_exact_worst_cases_are_shown_on_request_only(run, desk, committed):
    shifts = ", ".join(str(layer.shift) for layer in committed.network.layers)
    worst = ", ".join(f"|z| <= {interval.magnitude}" for interval in committed.network.intervals)
    asked = run("inspect", desk.model, "--private", "--json")
    assert (asked.json["shifts"], asked.json["worst case"]) == (shifts, worst)
    note = f"shown from the private weights of {desk.model}: shifts and worst case; keep that to yourself"
    assert (asked.err, asked.json["notes"]) == ("", [note])
    assert run("inspect", desk.model, "--private").err == f"note: {note}\n"
    shown = run("inspect", desk.model)
    assert not [interval for interval in committed.network.intervals if str(interval.magnitude) in shown.out + shown.err]
    assert run("inspect", desk.commitment, "--private").err == ""


def test_inspect_names_activations_other_than_relu(run):
    path = Path(__file__).resolve().parents[2] / "examples" / "mnist_rational.model"
    found = run("inspect", path, "--json").json
    assert found["activations"] == "rational_relu(d=158)"
    assert (found["placement"], found["gates"], "cannot be proven" in found) == ("wide", "rational_relu(d=158)", False)
