"""zkpredict itself: whole commands as a user types them, and the functions under them in this process."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from zkpredict.benchmarks.networks import BenchNetwork, mnist_images, mnist_labels
from zkpredict.benchmarks.processes import Command, Limits, run_all
from zkpredict.benchmarks.systems.base import Case, Facts, OnChain, System, total_bytes
from zkpredict.circuits.choice import compile_any
from zkpredict.circuits.errors import UnusableInput
from zkpredict.contracts.verifier.choosing import cheapest_on_chain
from zkpredict.prover.model import Model
from zkpredict.prover.prove import prove
from zkpredict.verifier.errors import VerificationError
from zkpredict.verifier.native import parse_proof, verify


class Ours(System):
    """`domain`: rows of the trace, None for what `commit` chooses by itself. `chain`: the circuit that is cheapest there."""

    facts = Facts(
        weights="private",
        bound="to a commitment, in Python and on-chain",
        hidden="by uniform points",
        trusted="one honest contributor of Ethereum's KZG ceremony; nothing per circuit",
        steps=4,
        files=3,
    )

    def __init__(self, name: str = "zkpredict", domain: int | None = None, chain: bool = False) -> None:
        self.name, self.domain, self.chain = name, domain, chain
        self.title = "zkpredict" + (f", {domain} rows" if domain is not None else "") + (", cheapest on-chain" if chain else "")

    def refuses(self, network: BenchNetwork) -> str | None:
        try:
            usual = compile_any(network.integers).circuit
            made = compile_any(network.integers, self.domain).circuit
            chosen = cheapest_on_chain(network.integers) if self.chain else None
        except UnusableInput as refusal:
            return str(refusal)
        same = made == usual if chosen is None else chosen.circuit == usual
        return "the circuit of zkpredict: see there" if same and (self.domain or self.chain) else None

    def write(self, case: Case) -> None:
        Model(case.network.integers).save(case.file("m.model"))

    def setup(self, case: Case) -> list[Command]:
        options = [] if self.domain is None else ["--domain", str(self.domain)]
        options += ["--for", "chain"] if self.chain else []
        return [_cli(case, "commit", "--again", "--model", "m.model", "--out", "m.commitment", *options, makes="m.commitment")]

    def prove(self, case: Case) -> list[Command]:
        return [_cli(case, "prove", "image.npy", "--model", "m.model", "--out", "i.proof", stage="prove", makes="i.proof")]

    def verify(self, case: Case) -> list[Command]:
        return [_cli(case, "verify", "image.npy", "i.proof", "--commitment", "m.commitment", stage="verify")]

    def sizes(self, case: Case) -> dict[str, int]:
        return {
            "proof_bytes": total_bytes(case.file("i.proof")),
            "proving_key_bytes": 0,
            "verification_key_bytes": total_bytes(case.file("m.commitment")),
            "setup_file_bytes": total_bytes(case.file("m.model"), case.file("m.commitment")),
        }

    def in_process(self, case: Case) -> dict[str, Callable[[], object]]:
        model, image = Model.load(case.file("m.model")), np.load(case.file("image.npy"))
        data = prove(model, image).to_bytes()

        def check() -> None:
            verify(model.commitment, image.tobytes(), parse_proof(data, model.commitment))

        return {"prove": lambda: prove(model, image), "verify": check}

    def on_chain(self, case: Case) -> OnChain | str:
        from zkpredict.contracts.chain.evm import EmbeddedChain
        from zkpredict.contracts.verifier.client import deploy_verifier, register_model
        from zkpredict.contracts.verifier.encoding import FinalCheck, onchain_proof

        model, image = Model.load(case.file("m.model")), np.load(case.file("image.npy"))
        proof = parse_proof(case.file("i.proof").read_bytes(), model.commitment)
        chain = EmbeddedChain()
        try:
            deployed = deploy_verifier(chain, model.commitment.circuit)
        except UnusableInput as error:
            return str(error)
        registered = register_model(chain, deployed.address, model.commitment)
        payload = onchain_proof(proof, FinalCheck.POINT_EVALUATION)
        arguments = (model.commitment.model_id, image.tobytes(), proof.digit, payload)
        calldata = deployed.contract.artifact.encode("verifyOrRevert", *arguments)
        receipt = deployed.contract.transact("verifyOrRevert", *arguments)
        code = len(chain.code(deployed.address))
        return OnChain(code, len(calldata), deployed.receipt.gas_used, receipt.gas_used, registered.gas_used)

    def accuracy(self, case: Case) -> tuple[float, int, str] | str:
        if not case.network.trained:
            return "random weights"
        digits = case.network.integers.infer(mnist_images()).digits
        return float(np.mean(digits == mnist_labels())), len(digits), "the integer network over 10,000 images: what is proven, exactly"

    def binding(self, case: Case, other: Case, limits: Limits) -> tuple[bool, str]:
        """Other weights, this model's id in the proof: forged as far as bytes can be."""
        self.write(other)
        run_all(self.setup(other), limits)
        image = np.load(case.file("image.npy"))
        model = Model.load(case.file("m.model"))
        proof = prove(Model.load(other.file("m.model")), image)
        refusals = []
        for attempt in (proof, replace(proof, model_id=model.commitment.model_id)):
            try:
                verify(model.commitment, image.tobytes(), attempt)
            except VerificationError as error:
                refusals.append(type(error).__name__)
        what = "a proof by other weights, as it is and with this model's id written in"
        return len(refusals) < 2, f"{what}: {', '.join(refusals) or 'accepted'}"


def _cli(case: Case, name: str, *arguments: str, stage: str = "", makes: str = "") -> Command:
    def inner(stdout: str) -> float | None:
        return json.loads(stdout)["seconds"].get(stage) if stage else None

    argv = (sys.executable, "-m", "zkpredict.cli.main", name, *arguments, "--json")
    # with compiled bytecode, as pip leaves every installed package, whatever this process was told
    environment = {"PYTHONPATH": str(Path(__file__).resolve().parents[2]), "PYTHONDONTWRITEBYTECODE": ""}
    return Command(argv, case.folder, environment, inner, makes=(makes,) if makes else ())
