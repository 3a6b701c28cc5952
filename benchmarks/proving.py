"""What proving and verifying cost: in process, as whole commands, and beside the slow readable twins."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from zkpredict.benchmarks.timing import Measured, measure, measure_process
from zkpredict.circuits.layout import DOMAINS
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.prover.prove import prove
from zkpredict.verifier.native import parse_proof, verify


def proving_rows(model: Model, image: np.ndarray, runs: int) -> Iterator[tuple[str, Measured, str]]:
    """Yields (name, measurement, note) for one network and image."""
    for domain in DOMAINS:
        name = f"{model.network.name}, n = {domain}"
        committed = commit_model(model.network, domain)
        yield f"commit, {name}", measure(lambda: commit_model(model.network, domain), runs), ""  # noqa: B023  called here
        yield f"prove, {name}", measure(lambda: prove(committed, image), runs), "in process"  # noqa: B023
        data = prove(committed, image).to_bytes()

        def check() -> None:
            verify(committed.commitment, image.tobytes(), parse_proof(data))  # noqa: B023

        yield f"verify, {name}", measure(check, runs), f"native, from {len(data)} bytes"
    with tempfile.TemporaryDirectory() as folder:
        model_file, image_file, proof_file = (str(Path(folder, name)) for name in ("m.model", "i.npy", "p.proof"))
        commitment_file = str(Path(folder, "m.commitment"))
        committed = commit_model(model.network)
        committed.save(model_file)
        committed.commitment.save(commitment_file)
        np.save(image_file, image)
        prove_command = ["prove", image_file, "--model", model_file, "--out", proof_file]
        verify_command = ["verify", image_file, proof_file, "--commitment", commitment_file]
        yield "zkpredict prove", measure_process(prove_command, runs), "whole process"
        yield "zkpredict verify", measure_process(verify_command, runs), "whole process"
        yield "zkpredict verify --independent", measure_process([*verify_command, "--independent"], 1), "plain ints and py_ecc"
