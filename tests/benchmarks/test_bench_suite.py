"""The suite on a tiny network with our own prover, its entries, its peers, and the parts of a proof."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from support import refuses

from zkpredict.benchmarks import install, prepare
from zkpredict.benchmarks.floats import save_floats
from zkpredict.benchmarks.networks import NETWORKS, mnist_images, mnist_labels
from zkpredict.benchmarks.prepare import Plan
from zkpredict.benchmarks.processes import Command, Limits
from zkpredict.benchmarks.proofsize import growth, parts
from zkpredict.benchmarks.results import from_csv
from zkpredict.benchmarks.systems import SYSTEMS, ezkl
from zkpredict.benchmarks.systems.base import Case
from zkpredict.circuits.errors import UnusableInput
from zkpredict.cli.main import main
from zkpredict.contracts.verifier.encoding import FinalCheck
from zkpredict.prover.model import Model

TINY = "64-16-4"


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """One quick run of ours and of a peer that is not installed: (folder of its output, its rows by measure)."""
    folder = tmp_path_factory.mktemp("bench")
    work = suite_work(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zkpredict.cli.benchsuite.WORK", work)
        options = ["--quick", "--runs", "1", "--systems", "zkpredict,ezkl-private", "--networks", TINY, "--no-plots"]
        assert main(["bench", *options, "--peers", str(folder / "none"), "--out", str(folder / "out")]) == 0
    rows = from_csv((folder / "out" / "results.csv").read_text())
    return folder, {row.key: row for row in rows}


def suite_work(folder):
    return folder / "work"


def test_every_kind_of_figure_is_there(ran):
    _, rows = ran
    for measure in ("setup_seconds", "prove_seconds", "prove_cpu", "prove_inner", "prove_memory", "verify_seconds", "prove_warm",
                    "proof_bytes", "setup_file_bytes", "steps"):  # fmt: skip
        assert rows[TINY, "zkpredict", measure].median > 0, measure
    assert rows[TINY, "zkpredict", "proof_bytes"].median == sum(part.file_bytes for part in parts())
    assert rows[TINY, "zkpredict", "prove_seconds"].median > rows[TINY, "zkpredict", "prove_inner"].median
    assert rows[TINY, "run", "zkpredict"].note.startswith("0.1.0, commit ")


def test_a_proof_by_other_weights_is_refused(ran):
    _, rows = ran
    assert rows[TINY, "zkpredict", "other_weights"].note == (
        "refused: a proof by other weights, as it is and with this model's id written in: WrongStatement, FailedOpening"
    )


def test_an_absent_peer_is_absent(ran):
    _, rows = ran
    row = rows[TINY, "ezkl-private", "prove_seconds"]
    assert (row.median, row.note) == (None, "absent: zkpredict bench --install-peers ezkl")
    assert [key for key in rows if key[1] == "ezkl-private"] == [row.key]


def test_the_page_has_both(ran):
    folder, _ = ran
    page = (folder / "out" / "results.md").read_text()
    assert "## 64-16-4" in page and "- EZKL, weights private: absent: zkpredict bench --install-peers ezkl" in page


@pytest.mark.parametrize(
    "options, message",
    [
        (["--systems", "zkp"], f"there is no system 'zkp': choose from {', '.join(SYSTEMS)}"),
        (["--networks", "1-2"], f"there is no network '1-2': choose from {', '.join(NETWORKS)}"),
        (["--networks", ","], f"--networks names none: choose from {', '.join(NETWORKS)}"),
        (["--install-peers", "rust"], f"there is no peer 'rust': choose from {', '.join(install.pins())}"),
        (["i.png", "--quick"], "--quick does not go with IMAGE: the suite has its own image"),
        (["i.png"], "IMAGE needs --model FILE: the network that is timed on it"),
        (["--no-plots", "--baseline", "none.csv"], "cannot read results none.csv: No such file or directory"),
    ],
)
def test_wrong_options(options, message, capsys):
    assert main(["bench", *options]) == 2
    assert capsys.readouterr().err == f"zkpredict: {message}\n"


def test_list_names_everything(capsys, tmp_path):
    assert main(["bench", "--list", "--json", "--peers", str(tmp_path)]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["networks"] == list(NETWORKS) and sorted(listed["systems"]) == sorted(SYSTEMS)
    assert listed["systems"]["zkpredict"] == "here" and listed["systems"]["snarkjs"].startswith("absent: ")


def test_a_peer_of_other_pins_is_not_measured(tmp_path):
    assert install.missing(tmp_path, "snarkjs") == "absent: zkpredict bench --install-peers snarkjs"
    (tmp_path / "snarkjs").mkdir()
    (tmp_path / "snarkjs" / "installed.json").write_text(json.dumps({"npm": ["snarkjs@0.1.0"]}))
    assert install.missing(tmp_path, "snarkjs") == "installed with other versions: zkpredict bench --install-peers snarkjs"
    (tmp_path / "snarkjs" / "installed.json").write_text(json.dumps(install.pins()["snarkjs"]))
    assert install.missing(tmp_path, "snarkjs") is None


def test_every_pin_is_exact():
    for name, wanted in install.pins().items():
        packages = [package for kind in ("python", "npm", "go") for package in wanted.get(kind, [])]
        assert packages and all(("==" if "python" in wanted else "@") in package for package in packages), name


def test_every_system_has_its_peer_and_facts():
    for name, system in SYSTEMS.items():
        assert system.name == name and (system.peer is None or system.peer in install.pins())
        assert all((system.facts.weights, system.facts.bound, system.facts.hidden, system.facts.trusted)) and system.facts.steps > 0


def test_an_installer_that_fails_says_why(tmp_path, monkeypatch):
    monkeypatch.setattr(install, "_python", lambda target, packages: [["sh", "-c", "echo no such package >&2; exit 9"]])
    with refuses(UnusableInput, "cannot install ezkl: sh ended with exit code 9: no such package"):
        install.install(tmp_path, "ezkl", lambda text: None)
    assert not (tmp_path / "ezkl" / "installed.json").exists()


def test_a_set_up_is_kept_for_its_weights_and_pins_only(tmp_path, monkeypatch):
    """A peer's set-up is made once; other weights, or other pins, need another."""
    system, runs = SYSTEMS["ezkl-private"], tmp_path / "runs"
    monkeypatch.setattr(system, "setup", lambda case: [Command(("sh", "-c", f"echo >> {runs}"), case.folder)])
    plan = Plan([system], [], tmp_path, tmp_path, 1, Limits(60))
    for network, made in ((NETWORKS[TINY], 1), (NETWORKS[TINY], 1), (NETWORKS[TINY].other(), 2)):
        notes = [row.note for row in prepare._setup_rows(plan, system, Case(network, tmp_path / "case", tmp_path))]
        assert len(runs.read_text().splitlines()) == made
    assert notes[0] == ""
    monkeypatch.setattr(prepare, "pins", lambda: {"ezkl": {"python": ["ezkl==99"]}})
    list(prepare._setup_rows(plan, system, Case(NETWORKS[TINY].other(), tmp_path / "case", tmp_path)))
    assert len(runs.read_text().splitlines()) == 3


def test_a_system_that_cannot_hold_a_network_says_why():
    assert SYSTEMS["zkpredict"].refuses(NETWORKS[TINY]) is None
    pooled = NETWORKS["LeNet-5-max"]
    for name in ("snarkjs", "gnark-groth16"):
        assert SYSTEMS[name].refuses(NETWORKS["LeNet-5"]) is None
        assert SYSTEMS[name].refuses(pooled) == "no circuit of ours: layer 1 of LeNet-5-max is a max pool or reads several layers"
    assert SYSTEMS["zkpredict"].refuses(pooled) is None and SYSTEMS["jstprove"].refuses(pooled) is None
    assert SYSTEMS["jstprove"].refuses(NETWORKS["LeNet-5"]) == 'its compiler knows no AveragePool ("Unsupported op type")'
    assert SYSTEMS["zkpredict-chain"].refuses(pooled) == "the circuit of zkpredict: see there"
    assert SYSTEMS["zkpredict-chain"].refuses(NETWORKS["LeNet-5"]) is None
    rational = NETWORKS["784-64-10-rational"]
    assert SYSTEMS["zkpredict"].refuses(rational) is None and (rational.weights, rational.neurons, rational.classes) == (50_816, 74, 10)
    for name in ("ezkl-private", "jstprove", "snarkjs", "gnark-groth16"):
        assert "activation" in SYSTEMS[name].refuses(rational)
    assert SYSTEMS["zkpredict"].refuses(NETWORKS["784-512-512-10"]) is None


def test_a_network_that_only_ours_proves_is_named_by_its_weights(tmp_path):
    rational = NETWORKS["784-64-10-rational"]
    cases = [Case(network, tmp_path / str(number), tmp_path) for number, network in enumerate((rational, rational.other()))]
    assert len({case.digest() for case in cases}) == 2
    cases[0].write_inputs()
    assert cases[0].file("image.npy").is_file() and not cases[0].floats.exists()


@pytest.mark.parametrize("name, count", [("784-64-10", 2000), ("LeNet-5", 250), ("LeNet-5-max", 250)])
def test_the_float_twin_decides_as_the_integers_do(name, count):
    network, images = NETWORKS[name], mnist_images()[:count]
    found = network.float_classes(images / 255)
    assert np.mean(found == network.integers.infer(images).digits) > 0.995


@pytest.mark.parametrize("name, sample", [("784-64-10", 50), ("LeNet-5", 20)])
def test_accuracy_of_a_peer_is_over_the_pictures_that_it_saw(name, sample, tmp_path, monkeypatch):
    """Few of a large network, whose witness takes seconds. A peer that gets one picture wrong has one less."""
    case = Case(NETWORKS[name], tmp_path, tmp_path)
    classes = mnist_labels()[:sample].tolist()
    told = []
    monkeypatch.setattr(ezkl, "python_of", lambda peers, name: tmp_path)
    monkeypatch.setattr(ezkl, "run", lambda command, limits: SimpleNamespace(stdout=f"loading\n{command.argv[-1] == str(sample) and told.pop()}\n"))
    for answers, right in ((classes, 1.0), ([(classes[0] + 1) % 10, *classes[1:]], (sample - 1) / sample)):
        told.append(answers)
        assert SYSTEMS["ezkl-private"].accuracy(case)[:2] == (right, sample)
    assert len(json.loads(case.file("images.json").read_text())) == sample


def test_other_weights_have_the_same_shape_and_another_digest(tmp_path):
    network = NETWORKS[TINY]
    other = network.other()
    assert other.integers.shape == network.integers.shape and other.classes == network.classes
    cases = [Case(one, tmp_path, tmp_path).digest() for one in (network, other)]
    assert cases[0] != cases[1]
    save_floats(other.steps, other.input_shape, other.classes, tmp_path / "o.npz")
    with np.load(tmp_path / "o.npz") as arrays:
        assert list(arrays["kinds"]) == ["dense", "relu", "dense"] and arrays["weights2"].shape == (4, 16)


def test_parts_of_a_proof_are_the_proof(mnist, proof):
    assert sum(part.file_bytes for part in parts()) == len(proof.to_bytes())
    assert sum(part.onchain_bytes for part in parts()) == FinalCheck.POINT_EVALUATION.proof_bytes()
    grown = list(growth(mnist))
    assert grown[0].weights == 50_816 and grown[0].proof_bytes == len(proof.to_bytes())
    assert all(one.refused or one.proof_bytes == grown[0].proof_bytes for one in grown)


def test_growth_knows_batches_and_leaves_maps_as_they_are(root):
    grown = list(growth(Model.load(root / "examples" / "lenet.model")))
    assert [one.what for one in grown] == ["this model", "16 inputs", "128 inputs, in 8 parts", "1,024 inputs, in 64 parts"]
    assert {one.weights for one in grown} == {44_190} and not any(one.refused for one in grown)
