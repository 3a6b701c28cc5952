"""The same randomness gives the same proof, byte for byte, as when `unchanged.json` was made: by this file, run as a script."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from zkpredict.prover import randomness
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.prover.prove import prove

HERE = Path(__file__).resolve().parent
VECTORS = HERE / "unchanged.json"
SHIPPED = HERE.parents[1] / "examples" / "mnist.model"
STATEMENTS = {
    "mnist n=1024": None,
    "30-12-4 n=1024": ((30, 12, 4), 1024, 0),
    "30-12-4 n=2048": ((30, 12, 4), 2048, 0),
    "20-15-12-5 wide lanes n=1024": ((20, 15, 12, 5), 1024, 12),
    "300-90-3 n=2048": ((300, 90, 3), 2048, 0),
    "9-2 n=1024": ((9, 2), 1024, 0),
}


def fixed_entropy() -> Callable[[int], bytes]:
    """Instead of `os.urandom`: the same bytes in the same order every time."""
    calls = iter(range(1 << 30))
    return lambda count: hashlib.shake_256(f"entropy {next(calls)}".encode()).digest(count)


def digest(name: str, patch: pytest.MonkeyPatch) -> dict[str, str]:
    """sha256 of the commitment and of a proof made with fixed entropy."""
    from support import random_network

    patch.setattr(randomness.os, "urandom", fixed_entropy())
    recipe = STATEMENTS[name]
    model = Model.load(SHIPPED) if recipe is None else commit_model(random_network(7, recipe[0], 40, recipe[2]), recipe[1])
    image = np.random.default_rng(11).integers(0, 256, model.network.shape[0], dtype=np.uint8)
    found = {"commitment": model.commitment.to_bytes(), "proof": prove(model, image).to_bytes()}
    return {part: hashlib.sha256(data).hexdigest() for part, data in found.items()}


@pytest.mark.parametrize("name", STATEMENTS)
def test_proofs_are_the_bytes_they_were(name, monkeypatch):
    assert digest(name, monkeypatch) == json.loads(VECTORS.read_text())[name]


if __name__ == "__main__":
    with pytest.MonkeyPatch.context() as patch:
        VECTORS.write_text(json.dumps({name: digest(name, patch) for name in STATEMENTS}, indent=1) + "\n")
