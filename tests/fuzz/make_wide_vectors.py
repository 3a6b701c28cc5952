"""Makes wide_vectors.json: honest statements about wide circuits of every kind, which killers of mutants hold the code to.

    python tests/fuzz/make_wide_vectors.py        (in a checkout, with tests on the path)
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from zkpredict.circuits.constraints import constraints, evaluate_publics
from zkpredict.circuits.networks.activations import RELU, RELU8, RationalRelu, RationalSquare
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.wide.claims import CLASS, Claim, Kind
from zkpredict.prover.commit import commit_model
from zkpredict.prover.prove import prove

HERE = Path(__file__).parent
ALPHA, POINT = 3**140, 5**90
LOGITS, REACHED = Claim(Kind.LOGITS), Claim(Kind.THRESHOLD, -(1 << 40))
CASES = {
    "two tracks": ((9, 481, 5, 12), (RELU8, RELU), CLASS, 512),
    "chunks, double lanes": ((600, 13, 7, 3), (RELU, RELU), Claim(Kind.MARGIN, 2), 512),
    "rational": ((9, 13, 3), (RationalRelu(4096), RELU), LOGITS, 512),
    "threshold": ((9, 13, 1), (RationalSquare(77), RELU), REACHED, 1024),
    "long": ((7, 11, 4), (RELU8, RELU), CLASS, 2048),
    "one layer": ((5, 3), (RELU,), LOGITS, 512),
}


def network_of(shape, gates, double: bool) -> IntegerNetwork:
    source, layers = np.random.default_rng(1), []
    for number, (inputs, outputs) in enumerate(zip(shape, shape[1:])):
        last = number == len(shape) - 2
        largest = 3000 if double and number == 1 else 20
        weights = source.integers(-largest, largest + 1, (outputs, inputs))
        shift = 0 if last else 20 if double and number == 1 else 8
        layers.append(DenseLayer(weights, source.integers(-99, 100, outputs), shift, RELU if last else gates[number]))
    return IntegerNetwork(tuple(layers))


def made(name: str) -> dict:
    """One case, all of it text."""
    shape, gates, claim, domain = CASES[name]
    model = commit_model(network_of(shape, gates, "double" in name), domain, claim, "wide")
    circuit = model.commitment.circuit
    for seed in range(100):
        image = np.random.default_rng(seed).integers(0, 256, shape[0], dtype=np.uint8)
        try:
            proof = prove(model, image)
        except ValueError:  # a margin that this input does not reach
            continue
        break
    statement = Statement(image.tobytes(), proof.digit, proof.outputs)
    publics = evaluate_publics(circuit, statement, ALPHA % (1 << 250), POINT % (1 << 240))
    return {
        "commitment": model.commitment.to_bytes().hex(), "model": model.to_bytes().hex() if sum(shape) < 60 else "",
        "image": image.tobytes().hex(), "proof": proof.to_bytes().hex(), "digit": proof.digit, "outputs": list(proof.outputs),
        "circuit": circuit.to_bytes().hex(), "tracks": circuit.tracks, "lanes": list(circuit.lanes),
        "rows": {column.name: list(column.exponents) for column in circuit.row_columns},
        "places": [[list(place) for place in band.pack_places()] for band in circuit.bands],
        "constraints": [one.name for one in constraints(circuit)],
        "publics": {key: hex(value) for key, value in publics.items()},
    }  # fmt: skip


if __name__ == "__main__":
    text = json.dumps({name: made(name) for name in CASES}, indent=1)
    (HERE / "wide_vectors.json").write_text(text + "\n", encoding="utf-8")
