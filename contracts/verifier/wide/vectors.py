"""Stored statements of wide circuits with proofs, for the gas report. `python -m zkpredict.contracts.verifier.wide.vectors`

makes `vectors.json` anew: networks of random small weights, on the domain that is cheapest to verify on a chain, two of them also with
the replicas that are, and the typical one among the first 100 MNIST test images of a checkout, once hidden. Proofs are random: a new file moves the gas by
some ten units. `--only NAME` makes one statement anew and keeps the others.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.storage import write_atomically
from zkpredict.circuits.networks.activations import RELU, RELU8, Activation, RationalSquare
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.placement import form
from zkpredict.contracts.verifier.vectors import StoredStatement
from zkpredict.kernel import G1
from zkpredict.verifier.batch import BatchProof, parse_batch
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.hidden import HiddenInput
from zkpredict.verifier.native import parse_proof
from zkpredict.verifier.registered import RegisteredScore, parse_registered
from zkpredict.verifier.testset import RegisteredSet, parse_set

FILE = "vectors.json"


@dataclass(frozen=True)
class _Network:
    shape: tuple[int, ...]
    activation: Activation
    joined: int | None = None
    """Rows of weights that later layers share, in a circuit with replicas."""
    domain: int = 2048
    hidden: bool = False


NETWORKS = {
    "784-128-64-10": _Network((784, 128, 64, 10), RELU8),
    "784-64-10 rational": _Network((784, 64, 10), RationalSquare(4096)),
    "784-512-512-10": _Network((784, 512, 512, 10), RELU8),
    "784-128-64-10 with replicas": _Network((784, 128, 64, 10), RELU8, 1),
    "784-512-512-10 with replicas": _Network((784, 512, 512, 10), RELU8, 18),
    "784-64-10 hidden": _Network((784, 64, 10), RELU8, domain=1024, hidden=True),
}
BATCH = _Network((784, 64, 10), RELU8)
BATCH_NAME, BATCH_IMAGES = "784-64-10 batch", 128
"""With slots: what it says of the first MNIST test images, in one proof."""
SCORE_NAME = "784-64-10 score"
"""What the shipped network gets right of the first MNIST test images, as a registered test set."""
LENETS = {"LeNet-5": "lenet.model", "LeNet-5, max pools": "lenet_max.model"}
"""The shipped networks, as they are committed."""
SHARED_NAME = "LeNet-5, shared rows"
"""The first of them, as `--for chain` commits it."""


@cache
def stored_statements() -> tuple[StoredStatement, ...]:
    """All stored statements, in the order of `NETWORKS`, then those of `LENETS`, then the one with shared rows."""
    stored = json.loads(files("zkpredict.contracts.verifier.wide").joinpath(FILE).read_text(encoding="utf-8"))
    found = []
    for name in (*NETWORKS, *LENETS, SHARED_NAME):
        entry = stored["statements"][name]
        commitment = ModelCommitment.from_bytes(bytes.fromhex(entry["commitment"]), G1.from_compressed)
        proof = parse_proof(bytes.fromhex(entry["proof"]), form(commitment.circuit))
        image = HiddenInput.from_bytes(bytes.fromhex(entry["hidden"]), G1.from_compressed) if "hidden" in entry else bytes.fromhex(stored["image"])
        found.append(StoredStatement(name, commitment, image, proof))
    return tuple(found)


@cache
def stored_batch() -> tuple[ModelCommitment, BatchProof]:
    """The model of the stored batch, and its proof about the first 128 MNIST test images, which a checkout has."""
    stored = json.loads(files("zkpredict.contracts.verifier.wide").joinpath(FILE).read_text(encoding="utf-8"))["batch"]
    commitment = ModelCommitment.from_bytes(bytes.fromhex(stored["commitment"]), G1.from_compressed)
    return commitment, parse_batch(bytes.fromhex(stored["proof"]), commitment)


@cache
def stored_score() -> tuple[ModelCommitment, RegisteredSet, RegisteredScore]:
    """The shipped network with slots, the first 128 MNIST test images, which a checkout has, as a registered set, and the score on it."""
    stored = json.loads(files("zkpredict.contracts.verifier.wide").joinpath(FILE).read_text(encoding="utf-8"))["score"]
    commitment = ModelCommitment.from_bytes(bytes.fromhex(stored["commitment"]), G1.from_compressed)
    return commitment, parse_set(bytes.fromhex(stored["set"])), parse_registered(bytes.fromhex(stored["score"]), commitment)


def _network(chosen: _Network) -> IntegerNetwork:
    source, layers = np.random.default_rng(1), []
    for number, (inputs, outputs) in enumerate(zip(chosen.shape, chosen.shape[1:], strict=False)):
        last = number == len(chosen.shape) - 2
        weights, bias = source.integers(-8, 9, (outputs, inputs)), source.integers(-99, 100, outputs)
        layers.append(DenseLayer(weights, bias, 0 if last else 8, RELU if last else chosen.activation))
    return IntegerNetwork(tuple(layers))


def _made(only: str | None) -> dict[str, Any]:
    """Commits and proves; of all statements `only` one, where it is named. Raises `UnusableInput` outside a checkout."""
    from zkpredict.contracts.checkout import sample_images, typical_image

    images = sample_images()
    typical = typical_image(images)
    made: dict[str, Any] = {"typical_image": f"MNIST test image {typical}", "image": images[typical].tobytes().hex(), "statements": {}}
    if only is not None:
        made = json.loads(_file().read_text(encoding="utf-8"))
    if only in (None, BATCH_NAME):
        made["batch"] = _batch()
    if only in (None, SCORE_NAME):
        made["score"] = _score()
    for name in (*NETWORKS, *LENETS, SHARED_NAME) if only is None else {only} - {BATCH_NAME, SCORE_NAME}:
        if name in NETWORKS:
            made["statements"][name] = _statement(NETWORKS[name], images[typical])
        else:
            made["statements"][name] = _lenet(LENETS.get(name, "lenet.model"), images[typical], name == SHARED_NAME)
    return made


def _lenet(file: str, image: np.ndarray, shared: bool) -> dict[str, str]:
    from zkpredict.contracts.checkout import example_model
    from zkpredict.prover.commit import commit_model
    from zkpredict.prover.prove import prove

    model = example_model(file)
    model = commit_model(model.network, shared=True) if shared else model
    return {"commitment": model.commitment.to_bytes().hex(), "proof": prove(model, image.reshape(-1)).to_bytes().hex()}


def _batch() -> dict[str, str]:
    from zkpredict.contracts.checkout import mnist_samples
    from zkpredict.prover.batch import prove_batch
    from zkpredict.prover.commit import commit_model

    images, _ = mnist_samples()
    model = commit_model(_network(BATCH), BATCH.domain, batch=True)
    return {"commitment": model.commitment.to_bytes().hex(), "proof": prove_batch(model, images[:BATCH_IMAGES]).to_bytes().hex()}


def _score() -> dict[str, str]:
    from zkpredict.contracts.checkout import example_network, mnist_samples
    from zkpredict.prover.commit import commit_model
    from zkpredict.prover.registered import prove_registered, register_set

    images, labels = mnist_samples()
    model, images = commit_model(example_network(), BATCH.domain, batch=True), images[:BATCH_IMAGES].reshape(BATCH_IMAGES, -1)
    tests = register_set(images, labels[:BATCH_IMAGES])
    made = {"commitment": model.commitment.to_bytes(), "set": tests.to_bytes(), "score": prove_registered(model, images, tests).to_bytes()}
    return {name: one.hex() for name, one in made.items()}


def _statement(chosen: _Network, image: np.ndarray) -> dict[str, str]:
    from zkpredict.prover.commit import commit_model
    from zkpredict.prover.hiding import OpenedInput, hide
    from zkpredict.prover.prove import prove

    model = commit_model(_network(chosen), chosen.domain, placement="wide", private_input=chosen.hidden, joined=chosen.joined)
    proven = hide(image, chosen.domain) if chosen.hidden else image.reshape(-1)
    made = {"commitment": model.commitment.to_bytes().hex(), "proof": prove(model, proven).to_bytes().hex()}
    return made | ({"hidden": proven.hidden.to_bytes().hex()} if isinstance(proven, OpenedInput) else {})


def _file() -> Path:
    return Path(__file__).with_name(FILE)


def main(argv: list[str] | None = None) -> int:
    """Writes `vectors.json`: 0 when done, 2 when it cannot be made."""
    about = "Make vectors.json anew, with new random proofs. Needs a checkout."
    parser = argparse.ArgumentParser(prog="python -m zkpredict.contracts.verifier.wide.vectors", description=about)
    names = (*NETWORKS, *LENETS, SHARED_NAME, BATCH_NAME, SCORE_NAME)
    parser.add_argument("--only", choices=names, metavar="NAME", help=f"make this one, and keep the others: {', '.join(names)}")
    arguments = parser.parse_args(argv)
    try:
        write_atomically(_file(), (json.dumps(_made(arguments.only), indent=1) + "\n").encode())
    except UnusableInput as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
