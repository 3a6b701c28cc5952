"""Makes hidden_vectors.json: honest statements about hidden inputs, of one part and of two, which killers of mutants hold the code to.

    python tests/fuzz/make_hidden_vectors.py        (in a checkout, with tests on the path)
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from make_wide_vectors import ALPHA, POINT, network_of

from zkpredict.circuits.constraints import constraints, evaluate_publics
from zkpredict.circuits.networks.activations import RELU, RELU8
from zkpredict.circuits.statement import Statement
from zkpredict.prover.commit import commit_model
from zkpredict.prover.hiding import hide
from zkpredict.prover.prove import prove

HERE = Path(__file__).parent
CONTEXT = bytes(range(32))
CASES = {"one part": ((9, 13, 3), 512), "two parts": ((600, 13, 3), 512)}


def made(name: str) -> dict:
    """One case, all of it text. Its input is published here with what opens it: it is random."""
    shape, domain = CASES[name]
    model = commit_model(network_of(shape, (RELU8, RELU), False), domain, private_input=True)
    opened = hide(np.random.default_rng(1).integers(0, 256, shape[0], dtype=np.uint8), domain)
    proof = prove(model, opened, context=CONTEXT)
    circuit = model.commitment.circuit
    statement = Statement(b"", proof.digit, (), opened.hidden.absorbed, CONTEXT)
    publics = evaluate_publics(circuit, statement, ALPHA % (1 << 250), POINT % (1 << 240))
    return {
        "commitment": model.commitment.to_bytes().hex(), "hidden": opened.hidden.to_bytes().hex(), "opening": opened.to_bytes().hex(),
        "proof": proof.to_bytes().hex(), "digit": proof.digit, "absorbed": statement.absorbed().hex(),
        "rows": {column.name: list(column.exponents) for column in circuit.row_columns},
        "constraints": [one.name for one in constraints(circuit)],
        "publics": {key: hex(value) for key, value in publics.items()},
    }  # fmt: skip


if __name__ == "__main__":
    text = json.dumps({name: made(name) for name in CASES}, indent=1)
    (HERE / "hidden_vectors.json").write_text(text + "\n", encoding="utf-8")
