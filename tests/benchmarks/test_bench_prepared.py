"""What the suite keeps for peers: one pass that is not timed, or why there is none; and how often each is timed."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from zkpredict.benchmarks import install
from zkpredict.benchmarks.networks import NETWORKS, mnist_images
from zkpredict.benchmarks.prepare import Plan, prepared
from zkpredict.benchmarks.processes import Command, Limits
from zkpredict.benchmarks.suite import run_suite
from zkpredict.benchmarks.systems import SYSTEMS
from zkpredict.benchmarks.systems.base import Case, Facts, System
from zkpredict.benchmarks.systems.circom import main_template
from zkpredict.circuits.networks.activations import RELU8

TINY = NETWORKS["64-16-4"]


class Peer(System):
    """A system of shell commands: `work` is what proving does."""

    name, title, peer = "peer", "A peer", "solc"
    facts = Facts("public", "no", "no", "nothing", 1, 1)

    def __init__(self, setup: str = "true", work: str = "true") -> None:
        self.made, self.work = setup, work

    def setup(self, case):
        return [Command(("sh", "-c", f"echo >> setups; {self.made}"), case.folder, step="keys")]

    def prove(self, case):
        return [Command(("sh", "-c", f"echo >> proofs; {self.work}"), case.folder)]

    def verify(self, case):
        return [Command(("true",), case.folder)]

    def sizes(self, case):
        return {"proof_bytes": 7}

    def binding(self, case, other, limits):
        return True, "nothing holds it"


@pytest.fixture
def plan(tmp_path, monkeypatch):
    monkeypatch.setattr("zkpredict.benchmarks.suite.missing", lambda peers, peer: None)
    return Plan([Peer()], [TINY], tmp_path / "peers", tmp_path, 3, Limits(60))


def found(rows):
    return {row.measure: row for row in rows if row.system == "peer"}


def times(plan, what):
    return len((plan.work / TINY.name / "peer" / what).read_text().splitlines())


def test_what_is_not_timed_is_made_once_and_kept(plan):
    assert "prove_seconds" not in found(run_suite(replace(plan, prepare_only=True)))
    assert (times(plan, "setups"), times(plan, "proofs")) == (1, 1)
    rows = found(run_suite(replace(plan, timed_only=True)))
    assert (times(plan, "setups"), times(plan, "proofs")) == (1, 4)
    assert rows["prove_seconds"].runs == 3 and rows["proof_bytes"].median == 7
    assert rows["other_weights"].note == "ACCEPTED: nothing holds it" and rows["setup_seconds"].median > 0 and "prove_memory" in rows


def test_what_is_not_prepared_is_left_out_of_a_timed_run(plan):
    rows = found(run_suite(replace(plan, timed_only=True)))
    assert list(rows) == ["prove_seconds"] and rows["prove_seconds"].median is None
    assert rows["prove_seconds"].note == "left out: it is not prepared (zkpredict bench --prepare)"


def test_a_slow_system_is_timed_once_and_not_forged(plan):
    slow = replace(plan, systems=[Peer(work="i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done")], slow=0.001)
    rows = found(run_suite(slow))
    assert rows["prove_seconds"].runs == 1 and rows["other_weights"].note == "not tried on a network this large"


def test_a_set_up_that_was_stopped_says_so_until_its_limits_are_wider(plan):
    waits = replace(plan, systems=[Peer(setup="sleep 60")], limits=Limits(0.3))
    words = r"^set-up in keys, stopped after 0 s, the limit(, at 0.0 GiB)? \(20..-..-.., load \d+\)$"
    for again in (waits, replace(waits, timed_only=True), replace(waits, systems=[Peer()])):
        row = found(run_suite(again))["prove_seconds"]
        assert row.median is None and re.match(words, row.note)
    assert times(plan, "setups") == 1
    assert found(run_suite(plan))["prove_seconds"].runs == 3 and times(plan, "setups") == 2


def test_another_circuit_is_another_set_up(plan, monkeypatch):
    system = Peer()
    case = Case(TINY, plan.work / "case", plan.peers)
    assert prepared(plan, system, case).failed is None
    monkeypatch.setattr(Peer, "circuit", lambda self, case: "another")
    assert prepared(replace(plan, timed_only=True), system, case).failed is not None


def test_sources_that_a_peer_is_built_of_are_pinned(monkeypatch, tmp_path):
    kept = install.pins()["gnark"]
    (tmp_path / "main.go").write_text("package main")
    monkeypatch.setattr(install, "GO_SOURCES", tmp_path)
    assert install.pins()["gnark"] != kept and {**install.pins()["gnark"], "sources": kept["sources"]} == kept


def test_the_circuit_of_gnark_is_the_integer_network(tmp_path):
    """Its pools, windows, shifts and saturation, read as `network.go` reads them, give the logits of the reference."""
    network, image = NETWORKS["LeNet-5"].integers, mnist_images()[3]
    stated = json.loads(SYSTEMS["gnark-groth16"].circuit(Case(NETWORKS["LeNet-5"], tmp_path, tmp_path)))
    values = image.astype(np.int64)
    for layer, reference in zip(stated["layers"], network.layers, strict=True):
        pooled = np.array([values[pool].sum() for pool in layer["pools"]])
        z = pooled[np.array(layer["windows"])] @ reference.weights.T + reference.bias
        assert np.abs(z).max() < 1 << layer["bits"] and layer["channels"] == len(reference.bias)
        assert layer["saturates"] == (reference.activation == RELU8)
        handed = np.maximum(z.reshape(-1), 0) >> layer["shift"]
        values = np.minimum(handed, 255) if layer["saturates"] else handed
    assert z.reshape(-1).tolist() == network.infer(image[None]).logits[0].tolist()


def test_the_circuit_of_circom_reads_windows():
    text = main_template(NETWORKS["LeNet-5"].integers, hashed=True, bound=False)
    assert "component linear0 = Linear(576, 25, 6);" in text and "component linear1 = Linear(64, 150, 16);" in text
    assert "signal pooled1[864];" in text and "linear1.x[y * 8 + x][(i * 5 + k) * 6 + c] <== pooled1[((y + i) * 12 + x + k) * 6 + c];" in text
    assert text.count("Relu8Shift(") == 4
