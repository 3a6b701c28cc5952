"""Stored statements of the second edition with proofs, for the gas report. `python -m zkpredict.contracts.verifier.second.vectors`

makes `vectors.json` anew, from the example model and the MNIST test images in a checkout: an empty image, the typical one among the first
100 and one of all 255. Proofs are random: a new file moves the gas by some ten units.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from zkpredict.circuits.choice import SECOND
from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.storage import write_atomically
from zkpredict.contracts.verifier.vectors import StoredStatement
from zkpredict.kernel import G1
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.native import parse_proof

FILE = "vectors.json"


@cache
def stored_statements() -> dict[str, StoredStatement]:
    """All stored statements by name: empty, typical, full."""
    stored = json.loads(files("zkpredict.contracts.verifier.second").joinpath(FILE).read_text(encoding="utf-8"))
    commitment = ModelCommitment.from_bytes(bytes.fromhex(stored["commitment"]), G1.from_compressed)
    return {
        name: StoredStatement(
            name, commitment, bytes.fromhex(entry["image"]), parse_proof(bytes.fromhex(entry["proof"]), commitment)
        )
        for name, entry in stored["statements"].items()
    }


def _made() -> dict[str, Any]:
    """Commits to the example network and proves. Raises `UnusableInput` outside a checkout."""
    from zkpredict.contracts.checkout import example_network, sample_images, typical_image
    from zkpredict.prover.commit import commit_model
    from zkpredict.prover.prove import prove

    images = sample_images()
    typical = typical_image(images)
    chosen = {"empty": np.zeros_like(images[0]), "typical": images[typical], "full": np.full_like(images[0], 255)}
    model = commit_model(example_network(), placement=SECOND)
    made: dict[str, Any] = {"typical_image": f"MNIST test image {typical}", "commitment": model.commitment.to_bytes().hex(), "statements": {}}
    for name, image in chosen.items():
        made["statements"][name] = {"image": image.tobytes().hex(), "proof": prove(model, image).to_bytes().hex()}
    return made


def main(argv: list[str] | None = None) -> int:
    """Writes `vectors.json`: 0 when done, 2 when it cannot be made."""
    about = "Make vectors.json anew, with new random proofs. Needs a checkout."
    argparse.ArgumentParser(prog="python -m zkpredict.contracts.verifier.second.vectors", description=about).parse_args(argv)
    try:
        write_atomically(Path(__file__).with_name(FILE), (json.dumps(_made(), indent=1) + "\n").encode())
    except UnusableInput as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
