"""How a wide model is registered: at once, or for one with more rows than a data contract holds in parts under the hashes of what they hold."""

from __future__ import annotations

from typing import Any

from zkpredict.circuits.placement import AnyCircuit
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.transcript import MODEL_LABEL, context, keccak256

PART_ROWS = 255
"""Rows in a data contract: `LargeModels.PART_ROWS`."""


def fits_at_once(rows: int) -> bool:
    """Whether a model of so many rows is registered in one transaction."""
    return rows <= PART_ROWS


def rows_of(commitment: ModelCommitment) -> bytes:
    """All rows as they are hashed: 96 bytes each."""
    return b"".join(row.to_uncompressed() for row in commitment.rows)


def parts_of(commitment: ModelCommitment) -> dict[bytes, bytes]:
    """The parts of a model by their ids, in order."""
    rows = [row.to_uncompressed() for row in commitment.rows]
    parts = (b"".join(rows[start : start + PART_ROWS]) for start in range(0, len(rows), PART_ROWS))
    return {part_id(commitment.circuit, part): part for part in parts}


def part_id(circuit: AnyCircuit, rows: bytes) -> bytes:
    """Under what a contract stores some rows of a model: 32 bytes."""
    return keccak256(keccak256(context(MODEL_LABEL, circuit.digest) + b"part") + rows)


def calls(commitment: ModelCommitment) -> list[tuple[str, tuple[Any, ...]]]:
    """Functions with their arguments, in order, after which a new verifier of the model's circuit knows it."""
    if fits_at_once(len(commitment.rows)):
        return [("register", (rows_of(commitment),))]
    parts = parts_of(commitment)
    return [*(("storeRows", (part,)) for part in parts.values()), ("registerParts", (commitment.model_id, list(parts)))]
