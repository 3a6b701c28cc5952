"""gnark, Groth16 and PLONK over BN254, with a circuit of our own (`peers/gnark/`), where Go is present."""

from __future__ import annotations

import json
import secrets
import shutil
from pathlib import Path

import numpy as np

from zkpredict.benchmarks.systems.contracts import cost_on_chain
from zkpredict.benchmarks.networks import BenchNetwork, mnist_images, mnist_labels
from zkpredict.benchmarks.processes import Command, Limits, run, run_all
from zkpredict.benchmarks.systems.base import Case, Facts, OnChain, System, total_bytes
from zkpredict.benchmarks.systems.ezkl import last_inner
from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.networks.activations import RELU8
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork


class Gnark(System):
    """`scheme` is groth16 or plonk. `bound`: the weights are range-checked under a salted MiMC hash, which is public."""

    peer = "gnark"

    def __init__(self, scheme: str, bound: bool) -> None:
        self.scheme, self.bound = scheme, bound
        self.name = f"gnark-{scheme}" + ("-bound" if bound else "")
        self.title = f"gnark {'Groth16' if scheme == 'groth16' else 'PLONK'}" + (", weights bound" if bound else "")
        trusted = "a set-up per circuit by one dealer" if scheme == "groth16" else "the ceremony of its reference string"
        self.facts = Facts(
            weights="private",
            bound="to a MiMC hash, in the circuit" if bound else "no",
            hidden="by a salt" if bound else "by the proof alone",
            trusted=f"{trusted} (here a development one)",
            steps=4,
            files=7,
        )

    def refuses(self, network: BenchNetwork) -> str | None:
        try:
            network.circuit_integers()
        except UnsupportedNetwork as refusal:
            return f"no circuit of ours: {refusal}"
        return None

    def write(self, case: Case) -> None:
        network, image = case.network.integers, case.network.image()
        case.file("circuit.json").write_text(self.circuit(case))
        case.file("input.json").write_text(json.dumps(_inputs(network, image, secrets.randbits(250) if self.bound else 0)))

    def circuit(self, case: Case) -> str:
        network = case.network.integers
        layers = [
            {"channels": len(layer.bias), "shift": layer.shift, "bits": interval.magnitude.bit_length(),
             "saturates": layer.activation == RELU8, "pools": _pools(layer), "windows": _windows(layer)}
            for layer, interval in zip(network.layers, network.intervals, strict=True)
        ]  # fmt: skip
        return json.dumps({"inputs": network.shape[0], "layers": layers, "bound": self.bound})

    def setup(self, case: Case) -> list[Command]:
        return [self._step(case, "setup")]

    def prove(self, case: Case) -> list[Command]:
        return [self._step(case, "prove")]

    def verify(self, case: Case) -> list[Command]:
        return [self._step(case, "verify", "proof.bin")]

    def sizes(self, case: Case) -> dict[str, int]:
        return {
            "proof_bytes": total_bytes(case.file("proof.bin")),
            "proving_key_bytes": total_bytes(case.file("pk.key")),
            "verification_key_bytes": total_bytes(case.file("vk.key")),
            "setup_file_bytes": total_bytes(*(case.file(name) for name in ("circuit.cs", "pk.key", "vk.key"))),
        }

    def on_chain(self, case: Case) -> OnChain | str:
        run(self._step(case, "contract"), Limits())
        proof, publics = case.file("proof.sol.bin").read_bytes(), _publics(case.file("public.wtns").read_bytes())
        if self.scheme == "plonk":
            return cost_on_chain(case, "verifier.sol", _plonk_calldata(proof, publics), optimizer_runs=200)
        return cost_on_chain(case, "verifier.sol", _groth_calldata(proof, publics), optimizer_runs=200, silent=True)

    def accuracy(self, case: Case) -> tuple[float, int, str] | str:
        if not case.network.trained:
            return "random weights"
        digits = case.network.integers.infer(mnist_images()).digits
        return float(np.mean(digits == mnist_labels())), len(digits), "the integer network over 10,000 images: what the circuit states, exactly"

    def binding(self, case: Case, other: Case, limits: Limits) -> tuple[bool, str]:
        """Other weights under the first network's keys, checked against the first's public inputs where the circuit binds weights."""
        self.write(other)
        for name in ("circuit.cs", "pk.key", "vk.key"):
            shutil.copy(case.file(name), other.file(name))
        run_all(self.prove(other), limits)
        if self.bound:
            shutil.copy(case.file("public.wtns"), other.file("public.wtns"))
        done = run(self._step(other, "verify", "proof.bin", accepts=(0, 1)), limits)
        return done.code == 0, "a proof by other weights, made with the first network's proving key"

    def _step(self, case: Case, step: str, *arguments: str, **options: object) -> Command:
        program = str(Path(case.peers, "gnark", "prover"))
        return Command((program, step, self.scheme, *arguments), case.folder, inner=last_inner, step=step, **options)


def _windows(layer: DenseLayer) -> list[list[int]]:
    """What each position reads of the pooled numbers; a dense layer has one position."""
    return [list(range(layer.inputs))] if layer.grid is None else layer.grid.windows().tolist()


def _pools(layer: DenseLayer) -> list[list[int]]:
    """Which numbers of the layer before are added up in each that is read."""
    if layer.grid is None:
        return [[place] for place in range(layer.inputs)]
    owners = layer.grid.pools()
    return [np.flatnonzero(owners == number).tolist() for number in range(int(np.prod(layer.grid.pooled)))]


def _inputs(network: IntegerNetwork, image: np.ndarray, salt: int) -> dict[str, object]:
    return {
        "pixels": [str(pixel) for pixel in image.tolist()],
        "digit": str(network.predict(image)),
        "salt": str(salt),
        "weights": [[str(weight) for weight in layer.weights.reshape(-1).tolist()] for layer in network.layers],
        "bias": [[str(bias) for bias in layer.bias.tolist()] for layer in network.layers],
    }


def _publics(data: bytes) -> list[bytes]:
    """The public inputs of gnark's witness file: counts of public, private and all elements (u32), then 32 bytes each, big-endian."""
    elements = data[12:]
    return [elements[start : start + 32] for start in range(0, len(elements), 32)]


def _groth_calldata(proof: bytes, publics: list[bytes]) -> bytes:
    """`verifyProof(bytes, uint256[N])`."""
    from eth_abi import encode
    from eth_utils import keccak

    kind = f"uint256[{len(publics)}]"
    arguments = encode(["bytes", kind], [proof, [int.from_bytes(one, "big") for one in publics]])
    return keccak(text=f"verifyProof(bytes,{kind})")[:4] + arguments


def _plonk_calldata(proof: bytes, publics: list[bytes]) -> bytes:
    from eth_abi import encode
    from eth_utils import keccak

    arguments = encode(["bytes", "uint256[]"], [proof, [int.from_bytes(one, "big") for one in publics]])
    return keccak(text="Verify(bytes,uint256[])")[:4] + arguments
