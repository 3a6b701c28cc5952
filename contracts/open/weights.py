"""Weights as contract code: data contracts whose code is one STOP byte and then the data, so nobody can run or change them."""

from __future__ import annotations

from eth_utils import keccak

from zkpredict.circuits.errors import UnusableInput
from zkpredict.contracts.chain.interface import MAX_CODE_BYTES

MAX_CLASSES = 256
"""The predictors give the class as one byte."""
DATA_BYTES = MAX_CODE_BYTES - 1
"""Bytes of data one contract holds: the code limit of EIP-170 less the STOP byte."""
_STOP = b"\x00"
# PUSH2 size, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN: returns what follows these 10 bytes as the contract's code.
_RETURN_REST = (b"\x61", bytes.fromhex("80600a5f395ff3"))


def data_code(data: bytes) -> bytes:
    """The code of the data contract that holds `data`, at most 24,575 bytes."""
    if len(data) > DATA_BYTES:
        raise UnusableInput(f"a data contract holds {DATA_BYTES} bytes, got {len(data)}")
    return _STOP + data


def data_creation(data: bytes) -> bytes:
    """Init code that creates it."""
    code = data_code(data)
    start, rest = _RETURN_REST
    return start + len(code).to_bytes(2, "big") + rest + code


def data_hash(data: bytes) -> bytes:
    """The code hash of the data contract that holds `data` (EIP-1052)."""
    return keccak(data_code(data))
