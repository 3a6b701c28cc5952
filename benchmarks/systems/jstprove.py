"""JSTprove 2.1.0 (Expander's GKR over BN254): its command, and the native runner under it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np

from zkpredict.benchmarks.install import SCRIPTS, python_of
from zkpredict.benchmarks.networks import BenchNetwork, mnist_images, mnist_labels
from zkpredict.benchmarks.processes import Command, CommandFailed, CommandStopped, Limits, run, run_all
from zkpredict.benchmarks.systems.base import Case, Facts, System, total_bytes

SAMPLE = 5
_NATIVE = "onnx_generic_circuit_2-1-0"


class Jstprove(System):
    """`scheme`: Hyrax or Raw for the native runner, None for the command `jst`, which takes Hyrax."""

    peer = "jstprove"

    def __init__(self, name: str, scheme: str | None) -> None:
        self.name, self.scheme = name, scheme
        self.title = "JSTprove, command" if scheme is None else f"JSTprove, native, {scheme}"
        self.facts = Facts(
            weights="constants of the circuit: public to every verifier",
            bound="by the circuit",
            hidden="no",
            trusted="no ceremony",
            steps=4 if scheme is None else 5,
            files=8,
            notes="nothing is blinded, and the verifier reads the witness file"
            + ("; Raw sends the witness itself in place of a commitment" if scheme == "Raw" else ""),
        )

    def refuses(self, network: BenchNetwork) -> str | None:
        refusal = super().refuses(network)
        if refusal is None and any(step.kind == "average_pool" for step in network.steps):
            return "its compiler knows no AveragePool (\"Unsupported op type\")"
        return refusal

    def write(self, case: Case) -> None:
        pixels = json.loads(case.file("pixels.json").read_text())
        case.file("input.json").write_text(json.dumps({"input": pixels}))

    def setup(self, case: Case) -> list[Command]:
        """The native runner takes the adjusted inputs that the command's first witness leaves: part of its set-up."""
        exported = (str(python_of(case.peers, "jstprove")), str(SCRIPTS / "onnx_file.py"), "network.npz", "model.onnx")
        compiled = [Command(exported, case.folder, step="export"), self._command(case, "compile", "-m", "model.onnx", "-c", _circuit(case))]
        return compiled if self.scheme is None else [*compiled, self._witness_command(case)]

    def witness(self, case: Case) -> list[Command]:
        if self.scheme is None:
            return [self._witness_command(case)]
        native = (str(self._binaries(case) / _NATIVE), "run_gen_witness", "-n", "onnx_generic_circuit", "-c", _circuit(case))
        files = ("-i", "input_adjusted.json", "-o", "output.json", "-w", "witness.bin", "-m", "circuit_metadata.json")
        return [Command((*native, *files), case.folder, step="witness")]

    def prove(self, case: Case) -> list[Command]:
        if self.scheme is None:
            return [self._command(case, "prove", "-c", _circuit(case), "-w", "witness.bin", "-p", "proof.bin")]
        return [self._expander(case, "prove", "-o", "proof.bin")]

    def verify(self, case: Case, proof: str = "proof.bin", accepts: tuple[int, ...] = (0,)) -> list[Command]:
        if self.scheme is None:
            files = ("-i", "input.json", "-o", "output.json", "-w", "witness.bin", "-p", proof)
            return [self._command(case, "verify", "-c", _circuit(case), *files, accepts=accepts)]
        return [self._expander(case, "verify", "-i", proof, accepts=accepts)]

    def sizes(self, case: Case) -> dict[str, int]:
        circuit = total_bytes(case.file("circuit.txt"))
        made = [path for path in case.folder.glob("circuit*") if path.is_file()]
        return {
            "proof_bytes": total_bytes(case.file("proof.bin")),
            "proving_key_bytes": circuit,
            "verification_key_bytes": circuit,
            "setup_file_bytes": total_bytes(*made),
        }

    def accuracy(self, case: Case) -> tuple[float, int, str] | str:
        if not case.network.trained:
            return "random weights"
        if self.scheme is not None:
            return "the circuit of the command: see there"
        images = mnist_images()[:SAMPLE] / 255
        found = []
        for pixels in images.tolist():
            case.file("input.json").write_text(json.dumps({"input": pixels}))
            try:
                run(self._witness_command(case), Limits())
                found.append(int(np.argmax(json.loads(case.file("output.json").read_text())["output"])))
            except CommandFailed as failure:
                found.append(-1)
                words = str(failure)
        self.write(case)
        if set(found) == {-1}:
            return f"its command made no witness for the first {SAMPLE} images: {words}"
        right = float(np.mean(np.array(found) == mnist_labels()[:SAMPLE]))
        return right, SAMPLE, f"its own witnesses of the first {SAMPLE} images; it makes none for {found.count(-1)} of them"

    def binding(self, case: Case, other: Case, limits: Limits) -> tuple[bool, str]:
        """Proves in the circuit of the other weights, verifies in this one's."""
        self.write(other)
        run_all([*self.setup(other), *self.witness(other), *self.prove(other)], limits)
        shutil.copy(other.file("proof.bin"), case.file("other.bin"))
        what = "a proof by other weights, checked against the first network's circuit"
        try:
            run(self.verify(case, "other.bin")[0], limits)
        except CommandStopped:
            raise
        except CommandFailed:
            return False, what
        return True, what

    def _witness_command(self, case: Case) -> Command:
        return self._command(case, "witness", "-c", _circuit(case), "-i", "input.json", "-o", "output.json", "-w", "witness.bin")

    def _command(self, case: Case, *arguments: str, accepts: tuple[int, ...] = (0,)) -> Command:
        python = python_of(case.peers, "jstprove")
        return Command((str(python), str(python.parent / "jst"), "--no-banner", *arguments), case.folder, accepts=accepts, step=arguments[0])

    def _expander(self, case: Case, step: str, option: str, proof: str, accepts: tuple[int, ...] = (0,)) -> Command:
        program = str(self._binaries(case) / "expander-exec")
        argv = (program, "-p", self.scheme or "Hyrax", step, "-c", _circuit(case), "-w", "witness.bin", option, proof)
        return Command(argv, case.folder, accepts=accepts, step=step)

    def _binaries(self, case: Case) -> Path:
        library = Path(case.peers, "jstprove", "lib")
        return next(library.glob("python3.*")) / "site-packages" / "python" / "core" / "binaries"


def _circuit(case: Case) -> str:
    """The circuit's whole path: for a bare name the witness solver beside it would go to the root of the file system."""
    return str(case.file("circuit.txt"))
