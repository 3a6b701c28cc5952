"""Makes convolution_vectors.json: honest statements about convolutions and replicas, with contexts and claims, for the public vectors. Its entropy is
fixed, so it makes the same file every time: these weights are no secret.

    python tests/fuzz/make_convolution_vectors.py        (in a checkout, with tests on the path)
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import sys
from pathlib import Path
from unittest import mock

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "convolution"))

from conv_cases import conv_network, network_of, picture  # noqa: E402  another folder of the tests
from make_wide_vectors import network_of as wide_network  # noqa: E402

from zkpredict.circuits.networks.activations import RELU, RELU8, RationalSquare  # noqa: E402
from zkpredict.circuits.networks.convolution import Grid  # noqa: E402
from zkpredict.circuits.wide.claims import CLASS, Claim, Kind  # noqa: E402
from zkpredict.prover.commit import commit_model  # noqa: E402
from zkpredict.prover.prove import prove  # noqa: E402

CONTEXT = bytes(range(32))
PADDED = [(Grid(9, 9, 1, 3, 3, 2, 1, 0, 1, 1, 0), 3), (Grid(5, 4, 3, 2, 2, 1, 1, 0, 2, 0, 1), 11)]
CASES = {
    "two hidden convolutions": (network_of("two hidden ones"), 512, CLASS, b"", None),
    "pool and padding, for somebody": (conv_network(3, PADDED, 4, RationalSquare(300), 1), 1024, Claim(Kind.LOGITS), CONTEXT, None),
    "one convolution": (network_of("one convolution", activation=RELU), 2048, CLASS, CONTEXT, None),
    "replicas": (wide_network((9, 25, 44, 12), (RELU8, RationalSquare(77)), False), 512, CLASS, b"", 2),
}


def made(name: str) -> dict[str, str]:
    """One case, all of it text."""
    network, domain, claim, context, joined = CASES[name]
    counter = itertools.count()
    drawn = mock.patch.object(os, "urandom", lambda size: hashlib.shake_256(f"{name} {next(counter)}".encode()).digest(size))
    with drawn:
        model = commit_model(network, domain, claim, "wide", joined=joined)
        image = picture(1, network)
        proof = prove(model, image, context=context)
    return {"commitment": model.commitment.to_bytes().hex(), "image": image.tobytes().hex(), "proof": proof.to_bytes().hex(), "context": context.hex()}


if __name__ == "__main__":
    text = json.dumps({name: made(name) for name in CASES}, indent=1)
    (HERE / "convolution_vectors.json").write_text(text + "\n", encoding="utf-8")
