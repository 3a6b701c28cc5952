"""Makes batch_vectors.json: honest batches and scores, with slots, with two tracks an input, and with convolutions, which killers of
mutants hold the code to. Also what says that a proof made today is one tomorrow.

    python tests/fuzz/make_batch_vectors.py        (in a checkout, with tests and tests/convolution on the path)
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from conv_cases import network_of as conv_network_of
from make_wide_vectors import ALPHA, POINT, network_of

from zkpredict.circuits.batch.layout import BatchCircuit
from zkpredict.circuits.batch.statement import BatchStatement
from zkpredict.circuits.constraints import constraints, evaluate_publics
from zkpredict.circuits.networks.activations import RELU, RELU8
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.prover.batch import prove_batch, prove_score
from zkpredict.prover.commit import commit_model

HERE = Path(__file__).parent
CONTEXT = bytes(range(32))
ETA = ALPHA + 1
CASES = {"slots": 10, "tracks": 2, "convolutions": 2}


def network(name: str) -> IntegerNetwork:
    """Three layers, so that two are read at other rows; more than a track; a convolution of a convolution."""
    if name == "convolutions":
        return conv_network_of("a hidden one")
    return network_of((9, 13, 12, 3) if name == "slots" else (3, 500, 40, 3), (RELU8, RELU8, RELU), False)


def made(name: str) -> dict:
    """One case, all of it text."""
    model = commit_model(network(name), 1024 if name == "convolutions" else 512, batch=True)
    images = np.random.default_rng(1).integers(0, 256, (CASES[name], model.network.shape[0]), dtype=np.uint8)
    proof = prove_batch(model, images, context=CONTEXT)
    labels = np.array(proof.classes)
    labels[-1] = (labels[-1] + 1) % model.commitment.circuit.classes
    circuit = BatchCircuit.of(model.commitment.circuit, len(images))
    statement = BatchStatement.of(images.tobytes(), proof.classes, CONTEXT)
    challenges = {"alpha": ALPHA % (1 << 250), "eta": ETA % (1 << 250)}
    publics = evaluate_publics(circuit, statement, challenges["alpha"], POINT % (1 << 240), challenges)
    return {
        "commitment": model.commitment.to_bytes().hex(), "images": images.tobytes().hex(), "proof": proof.to_bytes().hex(),
        "classes": list(proof.classes), "labels": labels.tolist(), "score": prove_score(model, images, labels).to_bytes().hex(),
        "absorbed": statement.absorbed().hex(), "constraints": [one.name for one in constraints(circuit)],
        "exponents": [circuit.image_exponent(number) for number in range(len(images))],
        "publics": {key: hex(value) for key, value in publics.items()},
    }  # fmt: skip


if __name__ == "__main__":
    text = json.dumps({name: made(name) for name in CASES}, indent=1)
    (HERE / "batch_vectors.json").write_text(text + "\n", encoding="utf-8")
