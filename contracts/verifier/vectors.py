"""Stored statements with proofs, so that gas is measured on the same bytes every time. `python -m zkpredict.contracts.verifier.vectors`

makes `vectors.json` anew, from the example model and the MNIST test images in a checkout: for both domain sizes an empty image,
the typical one among the first 100 and one of all 255. Proofs are random: a new file moves the gas by some ten units.
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
from zkpredict.circuits.layout import DOMAINS
from zkpredict.kernel import G1
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.hidden import HiddenInput
from zkpredict.verifier.messages import Proof
from zkpredict.verifier.native import parse_proof

FILE = "vectors.json"


@dataclass(frozen=True)
class StoredStatement:
    """A true statement: model, image (or a hidden one), and a proof of what the model says."""

    name: str
    commitment: ModelCommitment
    image: bytes | HiddenInput
    proof: Proof


@cache
def stored_statements() -> tuple[StoredStatement, ...]:
    """All stored statements."""
    stored = json.loads(files("zkpredict.contracts.verifier").joinpath(FILE).read_text(encoding="utf-8"))
    commitments = {
        name: ModelCommitment.from_bytes(bytes.fromhex(text), G1.from_compressed) for name, text in stored["commitments"].items()
    }
    return tuple(
        StoredStatement(
            entry["name"],
            commitments[entry["commitment"]],
            bytes.fromhex(entry["image"]),
            parse_proof(bytes.fromhex(entry["proof"])),
        )
        for entry in stored["statements"]
    )


def stored_statement(name: str, domain: int) -> StoredStatement:
    """The statement called `name` (empty, typical, full) on `domain` rows."""
    return next(found for found in stored_statements() if found.name == name and found.commitment.circuit.domain == domain)


def _made() -> dict[str, Any]:
    """Commits to the example network anew on both domains, and proves. Raises `UnusableInput` outside a checkout."""
    from zkpredict.contracts.checkout import example_network, sample_images, typical_image
    from zkpredict.prover.commit import commit_model
    from zkpredict.prover.prove import prove

    network, images = example_network(), sample_images()
    typical = typical_image(images)
    chosen = {"empty": np.zeros_like(images[0]), "typical": images[typical], "full": np.full_like(images[0], 255)}
    made: dict[str, Any] = {"typical_image": f"MNIST test image {typical}", "commitments": {}, "statements": []}
    for domain in DOMAINS:
        model = commit_model(network, domain)
        made["commitments"][str(domain)] = model.commitment.to_bytes().hex()
        for name, image in chosen.items():
            proof = prove(model, image).to_bytes()
            made["statements"].append(
                {"name": name, "commitment": str(domain), "image": image.tobytes().hex(), "proof": proof.hex()}
            )
    return made


def main(argv: list[str] | None = None) -> int:
    """Writes `vectors.json`: 0 when done, 2 when it cannot be made."""
    about = "Make vectors.json anew, with new random proofs. Needs a checkout."
    argparse.ArgumentParser(prog="python -m zkpredict.contracts.verifier.vectors", description=about).parse_args(argv)
    try:
        write_atomically(Path(__file__).with_name(FILE), (json.dumps(_made(), indent=1) + "\n").encode())
    except UnusableInput as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
