"""`zkpredict inspect`: what a file is and says, without showing anything private."""

from __future__ import annotations

import argparse

from zkpredict.circuits.codec import ByteReader
from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.files import read_file
from zkpredict.circuits.layout import Circuit
from zkpredict.cli.console import Console
from zkpredict.verifier.errors import MalformedProof

EXAMPLE = "zkpredict inspect examples/mnist.commitment"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a model, commitment, circuit or proof file")


def run(arguments: argparse.Namespace, console: Console) -> None:
    data = read_file(arguments.file, "file")
    explain = _EXPLAINERS.get(data[:5])
    if explain is None:
        known = ", ".join(magic[:4].decode() for magic in _EXPLAINERS)
        raise MalformedFile(f"{arguments.file} starts with {data[:5]!r}, which is none of ours ({known})")
    try:
        facts = explain(data, str(arguments.file))
    except MalformedProof as error:
        raise MalformedFile(f"{arguments.file}: {error}") from None
    width = max(map(len, facts))
    console.result({"bytes": len(data), **facts}, [f"{name:<{width}}  {value}" for name, value in facts.items()])


def _circuit_facts(circuit: Circuit) -> dict:
    return {
        "network": "-".join(map(str, circuit.widths)),
        "domain": circuit.domain,
        "lane bits": ", ".join(str(24 * lanes) for lanes in circuit.lanes),
        "rows": circuit.total_rows,
        "circuit digest": circuit.digest.hex(),
    }


def _circuit(data: bytes, what: str) -> dict:
    reader = ByteReader(data, what)
    circuit = Circuit.read(reader)
    reader.finish()
    return {"file": "circuit (public)", **_circuit_facts(circuit)}


def _commitment(data: bytes, what: str) -> dict:
    from zkpredict.kernel import G1
    from zkpredict.verifier.commitment import ModelCommitment

    commitment = ModelCommitment.from_bytes(data, G1.from_compressed, what)
    return {"file": "model commitment (public)", "model id": commitment.model_id.hex(), **_circuit_facts(commitment.circuit)}


def _model(data: bytes, what: str) -> dict:
    from zkpredict.prover.model import Model

    model = Model.from_bytes(data, what)
    facts = {
        "file": "model (PRIVATE: holds the weights)",
        "shifts": ", ".join(str(layer.shift) for layer in model.network.layers),
        "worst case": ", ".join(f"|z| <= {interval.magnitude}" for interval in model.network.intervals),
        "committed": "yes" if model.committed else "no",
    }
    if model.committed:
        facts["model id"] = model.commitment.model_id.hex()
    return facts | _circuit_facts(model.compiled.circuit)


def _proof(data: bytes, what: str) -> dict:
    from zkpredict.verifier.native import parse_proof

    proof = parse_proof(data)
    return {
        "file": "proof (public)",
        "claim": f"the model says {proof.digit}",
        "model id": proof.model_id.hex(),
        "points": f"{len(proof.points)}: limb, horner, cell, linear, lookup, quotient, opening, final",
        "scalars": "5: limb, cell, table at rho; cell, linearised at omega rho",
    }


_EXPLAINERS = {b"zkpM\x01": _model, b"zkpK\x01": _commitment, b"zkpC\x01": _circuit, b"zkpP\x01": _proof}
