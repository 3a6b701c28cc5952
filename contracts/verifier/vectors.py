"""Stored statements with proofs, so that gas is measured on the same bytes every time. `python -m zkpredict.contracts.verifier.vectors`

makes `vectors.json` anew, from the example model and the MNIST test images in the repository: for both domain sizes an empty
image, the typical one and one of all 255. Proofs are random: a new file moves the gas by some ten units.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from zkpredict.circuits.files import write_atomically
from zkpredict.kernel import G1
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.messages import Proof
from zkpredict.verifier.native import parse_proof

FILE = "vectors.json"
TYPICAL = 100
"""The typical image has the median number of non-zero pixels among this many."""


@dataclass(frozen=True)
class Vector:
    """A true statement: model, image, and a proof of what the model says."""

    name: str
    commitment: ModelCommitment
    image: bytes
    proof: Proof


@cache
def vectors() -> tuple[Vector, ...]:
    """All stored statements."""
    stored = json.loads(files("zkpredict.contracts.verifier").joinpath(FILE).read_text(encoding="utf-8"))
    commitments = {
        name: ModelCommitment.from_bytes(bytes.fromhex(text), G1.from_compressed) for name, text in stored["commitments"].items()
    }
    return tuple(
        Vector(
            entry["name"],
            commitments[entry["commitment"]],
            bytes.fromhex(entry["image"]),
            parse_proof(bytes.fromhex(entry["proof"])),
        )
        for entry in stored["statements"]
    )


def vector(name: str, domain: int) -> Vector:
    """The statement called `name` (empty, typical, full) on `domain` rows."""
    return next(found for found in vectors() if found.name == name and found.commitment.circuit.domain == domain)


def main() -> None:
    """Commits to the example network anew on both domains, and proves."""
    import numpy as np

    from zkpredict.circuits.idx import read_images
    from zkpredict.prover.commit import commit_model
    from zkpredict.prover.model import Model
    from zkpredict.prover.prove import prove

    root = Path(__file__).resolve().parents[2]
    network = Model.load(root / "examples" / "mnist.model").network
    images = read_images(root / "tests" / "data" / "t10k-images-idx3-ubyte.gz").reshape(-1, network.shape[0])[:TYPICAL]
    typical = np.argsort((images > 0).sum(axis=1), kind="stable")[TYPICAL // 2]
    chosen = {"empty": np.zeros_like(images[0]), "typical": images[typical], "full": np.full_like(images[0], 255)}
    stored: dict = {"typical_image": f"MNIST test image {typical}", "commitments": {}, "statements": []}
    for domain in (1024, 2048):
        model = commit_model(network, domain)
        stored["commitments"][str(domain)] = model.commitment.to_bytes().hex()
        for name, image in chosen.items():
            proof = prove(model, image).to_bytes()
            stored["statements"].append(
                {"name": name, "commitment": str(domain), "image": image.tobytes().hex(), "proof": proof.hex()}
            )
    write_atomically(Path(__file__).with_name(FILE), (json.dumps(stored, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
