"""A block header as RLP from what a node says of its block: the bytes whose keccak256 is the block's hash."""

from __future__ import annotations

import rlp
from eth_utils import keccak

from zkpredict.contracts.chain.interface import Block, ChainError
from zkpredict.contracts.chain.node import Answer

_FIELDS: tuple[tuple[str, int | None], ...] = (
    ("parentHash", 32), ("sha3Uncles", 32), ("miner", 20), ("stateRoot", 32), ("transactionsRoot", 32), ("receiptsRoot", 32),
    ("logsBloom", 256), ("difficulty", None), ("number", None), ("gasLimit", None), ("gasUsed", None), ("timestamp", None),
    ("extraData", -1), ("mixHash", 32), ("nonce", 8), ("baseFeePerGas", None), ("withdrawalsRoot", 32), ("blobGasUsed", None),
    ("excessBlobGas", None), ("parentBeaconBlockRoot", 32), ("requestsHash", 32),
)
"""Fields of a header since Prague in their order; with it the length of byte strings (-1: any), None for numbers.

Yellow Paper 4.4; EIP-1559, EIP-4895, EIP-4844, EIP-4788, EIP-7685."""


def block_of(answer: Answer) -> Block:
    """The block in a node's answer to `eth_getBlockByNumber`.

    Raises `ChainError` for an unknown block, and when the fields do not hash to the block's hash: then the node lies, or
    its headers have fields that Prague's do not have.
    """
    if answer.value is None:
        raise ChainError(f"{answer.question} with nothing: it has no such block")
    values = [_field(answer[name], size) for name, size in _FIELDS]
    header = rlp.encode(values)
    told = answer["hash"].data(32)
    if keccak(header) != told:
        raise ChainError(f"{answer.question} with a header that hashes to 0x{keccak(header).hex()} and not to its hash 0x{told.hex()}")
    return Block(answer["number"].quantity(), answer["timestamp"].quantity(), header)


def _field(answer: Answer, size: int | None) -> bytes:
    if size is None:
        number = answer.quantity()
        return number.to_bytes((number.bit_length() + 7) // 8, "big")
    return answer.data(None if size < 0 else size)
