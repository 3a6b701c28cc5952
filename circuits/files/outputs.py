"""The kinds of files that commands write, and which of them nothing replaces unasked.

The marks of the binary formats are those of `zkpredict.circuits.files.kinds`. A command that writes asks
`zkpredict.circuits.files.storage.refuse_to_replace` about the file that is there already.
"""

from __future__ import annotations

import re

from zkpredict.circuits.files import kinds
from zkpredict.circuits.files.kinds import Kind, start_of
from zkpredict.circuits.records import dataclass

HEAD_BYTES = 4096
"""How much of a file is looked at."""


@dataclass(frozen=True)
class FileKind:
    """`name` with its article. `mark`: the pattern of what the first `HEAD_BYTES` start with, in full when it ends in `\\Z`.

    `loss`: what would be gone if a file of this kind were replaced by another one; empty when it can be made again from files
    that are kept, and so may be replaced by its own kind.
    """

    name: str
    mark: bytes
    loss: str = ""

    def marks(self, head: bytes) -> bool:
        """Whether a file that starts so is of this kind."""
        return re.match(self.mark, head, re.DOTALL) is not None


def _own(kind: Kind, loss: str = "") -> FileKind:
    return FileKind(kind.name, re.escape(start_of(kind)), loss)


MODEL = _own(kinds.MODEL, "its weights, and the secrets of its commitment if it has one, would be lost")
NETWORK = FileKind("a private network", rb"zkpN", "its weights would be lost")
EXACT = _own(kinds.EXACT, "its weights would be lost")
COMMITMENT = _own(kinds.COMMITMENT, "it is to another model, or an earlier one to this model")
CIRCUIT = _own(kinds.CIRCUIT)
PROOF = _own(kinds.PROOF)
BATCH = _own(kinds.BATCH)
SCORE = _own(kinds.SCORE)
SET = _own(kinds.SET)
HIDDEN = _own(kinds.HIDDEN, "no proof about it could be checked any more")
OPENING = _own(kinds.OPENING, "its input, and what opens its commitment, would be lost")
REVEALED = FileKind("a revealed input", rb"\x89PNG.{0,64}tEXtSoftware\x00zkpredict reveal")
KERAS = FileKind(kinds.KERAS.name, rb"PK\x03\x04", "its weights would be lost")
KEY = FileKind("a key", rb"\s*(?:0x)?[0-9a-fA-F]{64}\s*\Z", "what it signs for would be lost")
TRANSACTION = FileKind("a Bitcoin transaction", rb"0[12]000000[0-9a-fA-F]+\s*\Z")
SCRIPT = FileKind("a locking script", rb"[0-9a-fA-F]+\s*\Z", "an output that it locks could not be spent without it")
SOLIDITY = FileKind("an exported contract", rb"// SPDX[^\n]*\npragma[^\n]*\n\n// Made by zkpredict")
MANIFEST = FileKind("a manifest", rb'\s*\{\s*"format": "zkpredict solidity export')
ARTIFACT = FileKind("a compiled contract", rb'\s*\{\s*"name": "\w+",\s*"compiler": "')
NOTE = FileKind("a deployment note", rb"# Deploy \w+, as `zkpredict contract` wrote it")
REGISTRATION = FileKind("a registration", rb'\s*\{\s*"format": "zkpredict registration')
INDEX = FileKind("an index of proofs", rb'\s*\{\s*"format": "zkpredict index of proofs')
STATE = FileKind("a chain state", rb'\s*\{\s*"format": "zkpredict embedded chain', "its transactions would be lost")
SEEN = FileKind("what a network sees of a picture", rb"\x89PNG.{0,64}tEXtSoftware\x00zkpredict look")
KINDS = (
    *(MODEL, NETWORK, EXACT, COMMITMENT, CIRCUIT, PROOF, BATCH, SCORE, SET, HIDDEN, OPENING, KERAS, KEY, TRANSACTION, SCRIPT),
    *(SOLIDITY, MANIFEST, ARTIFACT, NOTE, REGISTRATION, INDEX, STATE, SEEN, REVEALED),
)
"""In the order in which they are tried: a key is hexadecimal, and so is a transaction, before it is a script."""


def written_kind(head: bytes) -> FileKind | None:
    """The kind of a file by its first `HEAD_BYTES`, or by all of it when it is shorter; None for any other file."""
    return next((kind for kind in KINDS if kind.marks(head)), None)
