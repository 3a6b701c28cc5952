"""EZKL, Halo2 with KZG over BN254: weights private, or committed by its polynomial commitment."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from zkpredict.benchmarks.systems.contracts import cost_on_chain
from zkpredict.benchmarks.install import python_of
from zkpredict.benchmarks.networks import mnist_images, mnist_labels
from zkpredict.benchmarks.processes import Command, Limits, run, run_all
from zkpredict.benchmarks.systems.base import Case, Facts, OnChain, System, total_bytes

SCRIPTS = Path(__file__).resolve().parents[1] / "peers"
CALIBRATION_IMAGES, SAMPLE = 20, 50
LARGE, LARGE_CALIBRATION_IMAGES, LARGE_SAMPLE = 100_000, 4, 20
"""From so many products a picture on, calibration and accuracy take fewer pictures: each is run many times, or takes seconds."""


class Ezkl(System):
    peer = "ezkl"

    def __init__(self, visibility: str) -> None:
        committed = visibility == "polycommit"
        self.visibility = visibility
        self.name = f"ezkl-{visibility}"
        self.title = f"EZKL, weights {visibility}"
        self.facts = Facts(
            weights="private",
            bound="only by comparing commitments off-chain" if committed else "no",
            hidden="columns without blinding" if committed else "by blinded columns",
            trusted="the ceremony of its reference string (here a development one), and its set-up per circuit",
            steps=9,
            files=10,
        )

    def write(self, case: Case) -> None:
        """The images its calibration runs over."""
        inputs = case.network.inputs
        count = LARGE_CALIBRATION_IMAGES if case.network.products >= LARGE else CALIBRATION_IMAGES
        images = mnist_images()[:count] if inputs == 784 else np.stack([case.network.image()] * count)
        data = [float(pixel) for pixel in (images / 255).reshape(-1)]
        case.file("calibration.json").write_text(json.dumps({"input_data": [data]}))

    def setup(self, case: Case) -> list[Command]:
        exported = (str(python_of(case.peers, "ezkl")), str(SCRIPTS / "onnx_file.py"), "network.npz", "model.onnx")
        reference_string = replace(self._step(case, "reference_string", str(Path(case.peers, "ezkl"))), part="ceremony")
        return [Command(exported, case.folder, step="export"), self._step(case, "settings"), reference_string, self._step(case, "keys")]

    def witness(self, case: Case) -> list[Command]:
        return [self._step(case, "witness")]

    def prove(self, case: Case) -> list[Command]:
        return [self._step(case, "prove")]

    def verify(self, case: Case) -> list[Command]:
        return [self._step(case, "verify")]

    def sizes(self, case: Case) -> dict[str, int]:
        proof = json.loads(case.file("proof.json").read_text())
        made = [case.file(name) for name in ("settings.json", "circuit.ezkl", "kzg.srs", "vk.key", "pk.key")]
        return {
            "proof_bytes": len(proof["hex_proof"]) // 2 - 1,
            "proving_key_bytes": total_bytes(case.file("pk.key")),
            "verification_key_bytes": total_bytes(case.file("vk.key")),
            "setup_file_bytes": total_bytes(*made),
        }

    def on_chain(self, case: Case) -> OnChain | str:
        run(self._step(case, "contract"), Limits())
        return cost_on_chain(case, "verifier.sol", case.file("calldata.bin").read_bytes(), optimizer_runs=1)

    def accuracy(self, case: Case) -> tuple[float, int, str] | str:
        if not case.network.trained:
            return "random weights"
        sample = LARGE_SAMPLE if case.network.products >= LARGE else SAMPLE
        images = mnist_images()[:sample] / 255
        case.file("images.json").write_text(json.dumps(images.tolist()))
        found = json.loads(run(self._step(case, "classes", str(sample)), Limits()).stdout.splitlines()[-1])
        right = float(np.mean(np.array(found) == mnist_labels()[:sample]))
        alike = np.mean(np.array(found) == case.network.float_classes(images))
        return right, sample, f"its own witnesses of the first {sample} images; {alike:.0%} of them as the float model says"

    def binding(self, case: Case, other: Case, limits: Limits) -> tuple[bool, str]:
        """Other weights under the first network's settings, reference string and proving key."""
        for name in ("settings.json", "kzg.srs", "vk.key", "pk.key"):
            shutil.copy(case.file(name), other.file(name))
        onnx, *_ = self.setup(other)
        compiled = "import ezkl; ezkl.compile_circuit('model.onnx', 'circuit.ezkl', 'settings.json')"
        python = str(python_of(case.peers, "ezkl"))
        run_all([onnx, Command((python, "-c", compiled), other.folder), *self.witness(other), *self.prove(other)], limits)
        shutil.copy(other.file("proof.json"), case.file("other.json"))
        done = run(self._step(case, "verify", "other.json", accepts=(0, 1)), limits)
        return done.code == 0, "a proof by other weights, made with the first network's proving key"

    def _step(self, case: Case, step: str, *arguments: str, accepts: tuple[int, ...] = (0,)) -> Command:
        python = str(python_of(case.peers, "ezkl"))
        argv = (python, str(SCRIPTS / "ezkl_steps.py"), step, self.visibility, *arguments)
        return Command(argv, case.folder, inner=last_inner, accepts=accepts, step=step)


def last_inner(stdout: str) -> float | None:
    """The seconds of the last `inner SECONDS` line that a script of `peers/` printed."""
    found = re.findall(r"^inner ([0-9.]+)$", stdout, re.MULTILINE)
    return float(found[-1]) if found else None
