"""What proving and verifying cost: in process, as whole commands, and beside the slow readable twins."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from zkpredict.benchmarks.timing import Measured, measure, measure_process
from zkpredict.circuits.choice import COMPACT, choices
from zkpredict.circuits.layout import Circuit
from zkpredict.circuits.placement import AnyCircuit, claim_of, form, placement_of
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.prover.prove import prove
from zkpredict.verifier.native import parse_proof, verify


COMMIT_RUNS = 2
"""Of wide models, whose commitment takes seconds."""


def measured_circuits(model: Model) -> list[AnyCircuit]:
    """What is measured: a compact circuit on each number of rows that holds the network, or the model's own of another placement."""
    circuit = model.compiled.circuit
    if not isinstance(circuit, Circuit):
        return [circuit]
    found = choices(model.network)
    return [one.circuit for one in found if one.placement == COMPACT and one.circuit is not None]


def measurements(model: Model) -> int:
    """How many rows `proving_rows` yields."""
    return 3 * len(measured_circuits(model)) + 3


def proving_rows(model: Model, image: np.ndarray, runs: int) -> Iterator[tuple[str, Measured, str]]:
    """Yields (name, measurement, note) for one network and image. The claim is the model's own."""
    for circuit in measured_circuits(model):
        placement = "" if isinstance(circuit, Circuit) else f"{placement_of(circuit)}, "
        name = f"{model.network.name}, {placement}n = {circuit.domain}"

        def commit() -> Model:
            return commit_model(model.network, circuit.domain, claim_of(circuit), placement_of(circuit))  # noqa: B023

        committed = commit()
        commit_runs = min(runs, COMMIT_RUNS) if isinstance(circuit, WideCircuit) else runs
        yield f"commit, {name}", measure(commit, commit_runs), ""
        yield f"prove, {name}", measure(lambda: prove(committed, image), runs), "in process"  # noqa: B023
        data = prove(committed, image).to_bytes()

        def check() -> None:
            verify(committed.commitment, image.tobytes(), parse_proof(data, form(committed.commitment.circuit)))  # noqa: B023

        yield f"verify, {name}", measure(check, runs), f"native, from {len(data)} bytes"
    with tempfile.TemporaryDirectory() as folder:
        model_file, image_file, proof_file = (str(Path(folder, name)) for name in ("m.model", "i.npy", "p.proof"))
        commitment_file = str(Path(folder, "m.commitment"))
        committed.save(model_file)
        committed.commitment.save(commitment_file)
        np.save(image_file, image)
        prove_command = ["prove", image_file, "--model", model_file, "--out", proof_file]
        verify_command = ["verify", image_file, proof_file, "--commitment", commitment_file]
        yield "zkpredict prove", measure_process(prove_command, runs), "whole process"
        yield "zkpredict verify", measure_process(verify_command, runs), "whole process"
        yield "zkpredict verify --independent", measure_process([*verify_command, "--independent"], 1), "plain ints and py_ecc"
