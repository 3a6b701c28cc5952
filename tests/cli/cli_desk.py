"""A desk with everything that the command tests work on, and what they expect of a command."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from support import MISMATCH as MISMATCH

MEANT = "the proof was made for other inputs, for another answer or --context, or its claim is false"
FORGOTTEN = f"{MEANT}: if it was made with --context or --for, give the same"
ANOTHER = f"{MEANT}: it is checked under the --context or --for that is given"
"""What a refused opening is hinted to mean, without a context and with one."""
SPEND = ["--txid", "ab" * 32, "--vout", 0, "--satoshis", 100_000, "--to", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"]
"""What every `script spend` is told."""


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict:
        return json.loads(self.out)


@dataclass(frozen=True)
class Desk:
    """A folder with a committed 36-12-4 model, its public commitment, an image and a proof."""

    folder: Path
    digit: int

    def __getattr__(self, name: str) -> Path:
        return self.folder / {"model": "m.model", "commitment": "m.commitment", "image": "i.png", "proof": "i.proof"}[name]

    def contents(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self.folder.iterdir()) if path.is_file()}

    @property
    def pixels(self) -> np.ndarray:
        return np.asarray(Image.open(self.image)).reshape(-1)


def expect_refusal(desk: Desk, before: dict[str, bytes], outcome: Outcome, message: str, code: int = 2) -> None:
    """Exit code, exactly one line on stderr, nothing on stdout, and every file as it was."""
    assert outcome == Outcome(code, "", f"zkpredict: {message}\n")
    assert desk.contents() == before
