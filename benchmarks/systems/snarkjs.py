"""circom 2 and snarkjs, Groth16 over BN254, with a circuit of our own (`peers/layers.circom`)."""

from __future__ import annotations

import json
import secrets
import shutil
from pathlib import Path

import numpy as np

from zkpredict.benchmarks.systems.contracts import cost_on_chain
from zkpredict.benchmarks.install import SCRIPTS
from zkpredict.benchmarks.networks import BenchNetwork, mnist_images, mnist_labels
from zkpredict.benchmarks.processes import Command, Limits, run, run_all
from zkpredict.benchmarks.systems.base import Case, Facts, OnChain, System, total_bytes
from zkpredict.benchmarks.systems.circom import circuit_inputs, main_template
from zkpredict.benchmarks.systems.ezkl import last_inner
from zkpredict.circuits.errors import UnsupportedNetwork


CIRCUIT = SCRIPTS / "layers.circom"


class Snarkjs(System):
    """`hashed`: the image is a Poseidon hash on-chain. `bound`: the weights are range-checked under a salted Poseidon hash."""

    peer = "snarkjs"

    def __init__(self, name: str, hashed: bool, bound: bool) -> None:
        self.name, self.hashed, self.bound = name, hashed, bound
        image = "image as a hash" if hashed else "pixels public"
        self.title = f"snarkjs Groth16, {image}" + (", weights bound" if bound else "")
        self.facts = Facts(
            weights="private",
            bound="to a Poseidon hash, in the circuit" if bound else "no",
            hidden="by a salt" if bound else "by the proof alone",
            trusted="a ceremony per circuit (here a development one)",
            steps=8,
            files=9,
            notes="the raw image is not bound on-chain, only its hash" if hashed else "",
        )

    def refuses(self, network: BenchNetwork) -> str | None:
        try:
            network.circuit_integers()
        except UnsupportedNetwork as refusal:
            return f"no circuit of ours: {refusal}"
        return None

    def write(self, case: Case) -> None:
        network = case.network.integers
        image = case.network.image()
        shutil.copy(CIRCUIT, case.file("layers.circom"))
        library = Path(case.peers, "snarkjs", "node_modules", "circomlib", "circuits")
        shutil.copytree(library, case.file("circomlib") / "circuits", dirs_exist_ok=True)  # the compiler sees its own folder only
        case.file("circuit.circom").write_text(main_template(network, self.hashed, self.bound))
        salt = secrets.randbits(250) if self.bound else None
        case.file("input.json").write_text(json.dumps(circuit_inputs(network, image, network.predict(image), salt)))

    def circuit(self, case: Case) -> str:
        return CIRCUIT.read_text() + main_template(case.network.integers, self.hashed, self.bound)

    def setup(self, case: Case) -> list[Command]:
        modules = Path(case.peers, "snarkjs", "node_modules")
        circom = ("node", str(modules / "circom2" / "cli.js"), "circuit.circom", "--r1cs", "--wasm", "--O1")
        ceremony = self._step(case, "ceremony", part="ceremony")
        return [Command(circom, case.folder, step="circom"), ceremony, self._step(case, "keys")]

    def witness(self, case: Case) -> list[Command]:
        return [self._step(case, "witness")]

    def prove(self, case: Case) -> list[Command]:
        return [self._step(case, "prove")]

    def verify(self, case: Case) -> list[Command]:
        return [self._step(case, "verify")]

    def sizes(self, case: Case) -> dict[str, int]:
        made = [case.file(name) for name in ("circuit.r1cs", "circuit_js/circuit.wasm", "circuit.zkey", "vk.json")]
        return {
            "proof_bytes": 256,
            "proving_key_bytes": total_bytes(case.file("circuit.zkey")),
            "verification_key_bytes": total_bytes(case.file("vk.json")),
            "setup_file_bytes": total_bytes(*made),
        }

    def on_chain(self, case: Case) -> OnChain | str:
        run(self._step(case, "contract"), Limits())
        return cost_on_chain(case, "verifier.sol", _calldata(json.loads(case.file("call.json").read_text())), optimizer_runs=200)

    def accuracy(self, case: Case) -> tuple[float, int, str] | str:
        if not case.network.trained:
            return "random weights"
        digits = case.network.integers.infer(mnist_images()).digits
        return float(np.mean(digits == mnist_labels())), len(digits), "the integer network over 10,000 images: what the circuit states, exactly"

    def binding(self, case: Case, other: Case, limits: Limits) -> tuple[bool, str]:
        """Other weights under the first network's keys; where weights are bound, with the hash of the first in the public signals."""
        self.write(other)
        for name in ("circuit.zkey", "vk.json", "circuit_js"):
            copy = shutil.copytree if case.file(name).is_dir() else shutil.copy
            shutil.rmtree(other.file(name), ignore_errors=True) if case.file(name).is_dir() else None
            copy(case.file(name), other.file(name))
        run_all([*self.witness(other), *self.prove(other)], limits)
        signals = json.loads(other.file("public.json").read_text())
        if self.bound:
            first = json.loads(case.file("public.json").read_text())
            signals[: len(first) - 1] = first[:-1]
        case.file("other_public.json").write_text(json.dumps(signals))
        shutil.copy(other.file("proof.json"), case.file("other_proof.json"))
        done = run(self._step(case, "verify", "other_proof.json", "other_public.json", accepts=(0, 1)), limits)
        return done.code == 0, "a proof by other weights, made with the first network's proving key"

    def _step(self, case: Case, step: str, *arguments: str, **options: object) -> Command:
        argv = ("node", str(SCRIPTS / "snarkjs_steps.cjs"), str(Path(case.peers, "snarkjs")), step, *arguments)
        return Command(argv, case.folder, inner=last_inner, step=step, **options)


def _calldata(arguments: list) -> bytes:
    """`verifyProof(uint256[2], uint256[2][2], uint256[2], uint256[N])`: all static, so the words follow one another."""
    from eth_utils import keccak

    kind = f"verifyProof(uint256[2],uint256[2][2],uint256[2],uint256[{len(arguments[3])}])"
    words = [int(word, 16) for word in np.array(arguments[0] + sum(arguments[1], []) + arguments[2] + arguments[3]).tolist()]
    return keccak(text=kind)[:4] + b"".join(word.to_bytes(32, "big") for word in words)
