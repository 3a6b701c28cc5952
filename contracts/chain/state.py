"""The embedded chain in a file: everything that was sent to it. Opening the file runs that again, so nothing can be forged
in it that the chain's own rules would not allow, and no format of a state database has to be kept.

JSON: `format`, and `history`, a list of steps: `seconds` (how long passed before) and either `transaction` (raw, signed, hex)
or `blocks` (how many without transactions were mined). Files of the first format, which had no empty blocks, open as well.
"""

from __future__ import annotations

import json
import os
import reprlib
from pathlib import Path
from typing import Any

from zkpredict.circuits.files.codec import load_json
from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.files.storage import read_file, write_atomically
from zkpredict.contracts.chain.evm import EmbeddedChain, Mined, Sent, Step

FORMAT = "zkpredict embedded chain 2"
READABLE = ("zkpredict embedded chain 1", FORMAT)
MAX_STATE_BYTES = 1 << 28


def open_state(path: str | os.PathLike[str]) -> EmbeddedChain:
    """The chain in the file, a new one when there is no file yet. Raises `MalformedFile`, `ChainError`, `UnusableInput`."""
    if not Path(path).exists():
        if not Path(path).parent.is_dir():
            raise UnusableInput(f"chain state {path}: there is no folder {Path(path).parent} to keep it in")
        return EmbeddedChain()
    data = read_file(path, "chain state", MAX_STATE_BYTES)
    state: Any = load_json(data, f"chain state {path}")
    try:
        if state["format"] not in READABLE:
            raise MalformedFile(f"chain state {path}: its format is {reprlib.repr(state['format'])}, expected {FORMAT!r}")
        if not isinstance(state["history"], list):
            raise MalformedFile(f"chain state {path}: its history is no list")
        history = [_step(step) for step in state["history"]]
    except MalformedFile:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise MalformedFile(f"chain state {path}: {type(error).__name__}: {error}") from None
    return EmbeddedChain.replay(history)


def save_state(path: str | os.PathLike[str], chain: EmbeddedChain) -> None:
    """Writes the chain's history atomically."""
    history = [_written(step) for step in chain.history]
    write_atomically(path, json.dumps({"format": FORMAT, "history": history}).encode())


def _written(step: Step) -> dict[str, Any]:
    what = {"blocks": step.blocks} if isinstance(step, Mined) else {"transaction": f"0x{step.raw.hex()}"}
    return {"seconds": step.seconds, **what}


def _step(step: dict[str, Any]) -> Step:
    seconds, raw, blocks = step["seconds"], step.get("transaction"), step.get("blocks")
    if type(seconds) is int and seconds >= 0:
        if isinstance(raw, str) and raw.startswith("0x") and "blocks" not in step:
            return Sent(seconds, bytes.fromhex(raw[2:]))
        if type(blocks) is int and "transaction" not in step:
            return Mined(seconds, blocks)
    raise ValueError("a step needs seconds >= 0 and a transaction as 0x and hex digits, or a number of blocks")
