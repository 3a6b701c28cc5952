"""Makes vectors.json again: `PYTHONPATH=tests python tests/fuzz/make_vectors.py`. Proofs are random, so other bytes, equally valid.

Stored proofs tie the verifier to what was once proven: a change made alike in prover and verifier cannot pass unseen.
"""

from __future__ import annotations

import json
from pathlib import Path

from support import random_image, random_network, said

from zkpredict.prover.commit import commit_model
from zkpredict.prover.prove import prove
from zkpredict.verifier.messages import derive_challenges

CASES = {
    "narrow": ((30, 12, 4), 0, None, 1),
    "no hidden layer": ((5, 7), 0, None, 2),
    "wide and deep": ((12, 6, 9, 3), 9, None, 0),
    "many rows": ((300, 64, 10), 0, None, 3),
    "wide domain": ((1100, 5, 3), 0, 2048, 2),
}
"""Name: widths, extra shift (9 makes lanes wide), domain, digit."""


def main() -> None:
    found = {}
    for name, (shape, shift, domain, digit) in CASES.items():
        pairs = ((random_network(seed, shape, extra_shift=shift), random_image(seed, shape[0])) for seed in range(1000))
        network, image = next((network, image) for network, image in pairs if network.predict(image) == digit)
        model = commit_model(network, domain)
        proof = prove(model, image)
        challenges = derive_challenges(model.commitment.circuit.digest, said(image, digit), proof)
        found[name] = {
            "commitment": model.commitment.to_bytes().hex(),
            "model_id": model.commitment.model_id.hex(),
            "image": image.tobytes().hex(),
            "digit": digit,
            "proof": proof.to_bytes().hex(),
            "challenges": [f"{value:064x}" for value in challenges.values()],
        }
    Path(__file__).with_name("vectors.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
