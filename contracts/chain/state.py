"""The embedded chain in a file: everything that was sent to it. Opening the file runs that again, so nothing can be forged
in it that the chain's own rules would not allow, and no format of a state database has to be kept.

JSON: `format`, and `history`, a list of `seconds` (how long passed before) and `transaction` (raw, signed, hex).
"""

from __future__ import annotations

import json
import os
import reprlib
from pathlib import Path

from zkpredict.circuits.files.codec import load_json
from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.files.storage import read_file, write_atomically
from zkpredict.contracts.chain.evm import EmbeddedChain, Sent

FORMAT = "zkpredict embedded chain 1"
MAX_STATE_BYTES = 1 << 28


def open_state(path: str | os.PathLike) -> EmbeddedChain:
    """The chain in the file, a new one when there is no file yet. Raises `MalformedFile`, `ChainError`, `UnusableInput`."""
    if not Path(path).exists():
        return EmbeddedChain()
    data = read_file(path, "chain state", MAX_STATE_BYTES)
    state = load_json(data, f"chain state {path}")
    try:
        if state["format"] != FORMAT:
            raise MalformedFile(f"chain state {path}: its format is {reprlib.repr(state['format'])}, expected {FORMAT!r}")
        if not isinstance(state["history"], list):
            raise MalformedFile(f"chain state {path}: its history is no list")
        history = [_step(step) for step in state["history"]]
    except MalformedFile:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise MalformedFile(f"chain state {path}: {type(error).__name__}: {error}") from None
    return EmbeddedChain.replay(history)


def save_state(path: str | os.PathLike, chain: EmbeddedChain) -> None:
    """Writes the chain's history atomically."""
    history = [{"seconds": step.seconds, "transaction": f"0x{step.raw.hex()}"} for step in chain.history]
    write_atomically(path, json.dumps({"format": FORMAT, "history": history}).encode())


def _step(step: dict) -> Sent:
    seconds, raw = step["seconds"], step["transaction"]
    if type(seconds) is not int or seconds < 0 or not isinstance(raw, str) or not raw.startswith("0x"):
        raise ValueError("a step needs seconds >= 0 and a transaction as 0x and hex digits")
    return Sent(seconds, bytes.fromhex(raw[2:]))
