"""Makes registered_vectors.json: honest scores on registered test sets, which killers of mutants hold the code to: stacks in a polynomial
(and several parts, made for somebody), polynomials in a stack, one input a stack. Its entropy is
fixed, so it makes the same file every time: these weights are no secret.

    python tests/fuzz/make_registered_vectors.py        (in a checkout, with tests on the path)
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from pathlib import Path
from unittest import mock

import numpy as np
from make_wide_vectors import network_of

from zkpredict.circuits.batch.registered import RegisteredBatch
from zkpredict.circuits.networks.activations import RELU, RELU8
from zkpredict.prover import batch
from zkpredict.prover.commit import commit_model
from zkpredict.prover.registered import prove_registered, register_set

HERE = Path(__file__).parent
CONTEXT = bytes(range(32))
CASES = {
    "stacks in a polynomial": ((130, 12, 3), (RELU8, RELU), 19, CONTEXT),
    "polynomials in a stack": ((500, 4), (RELU,), 19, b""),
    "one input a stack": ((60, 260, 3), (RELU, RELU), 2, b""),
}
"""Widths, gates, inputs, context."""


def inputs_of(name: str) -> np.ndarray:
    """uint8 [inputs, bytes]."""
    (size, *_), _, count, _ = CASES[name]
    return np.frombuffer(hashlib.shake_256(name.encode()).digest(count * size), np.uint8).reshape(count, size)


def made(name: str) -> dict:
    """One case, all of it text."""
    shape, gates, count, context = CASES[name]
    counter = itertools.count()
    drawn = mock.patch.object(os, "urandom", lambda size: hashlib.shake_256(f"{name} {next(counter)}".encode()).digest(size))
    with drawn, mock.patch.object(batch, "PART_TRACKS", 1 if "stacks in" in name else batch.PART_TRACKS):
        model = commit_model(network_of(shape, gates, False), 512, batch=True)
        labels = model.network.infer(inputs_of(name)).digits.copy()
        labels[-1] = (labels[-1] + 1) % shape[-1]
        tests = register_set(inputs_of(name), labels)
        score = prove_registered(model, inputs_of(name), tests, context)
    circuit = RegisteredBatch.of(model.commitment.circuit, count)
    return {
        "commitment": model.commitment.to_bytes().hex(), "set": tests.to_bytes().hex(), "score": score.to_bytes().hex(), "set_id": tests.set_id.hex(),
        "polynomials": [circuit.polynomial_exponent(number) for number in range(circuit.polynomials)],
        "places": [circuit.component_exponent(place) for place in range(circuit.together)],
    }  # fmt: skip


if __name__ == "__main__":
    text = json.dumps({name: made(name) for name in CASES}, indent=1)
    (HERE / "registered_vectors.json").write_text(text + "\n", encoding="utf-8")
