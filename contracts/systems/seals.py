"""Seals: what an account commits to before it shows it. Twin of `blocks/Seal.sol`.

Salts come from the account's signing key, so there is no file to lose: who has the key can open every seal it ever made.
"""

from __future__ import annotations

import hashlib
import hmac

from eth_abi import encode
from eth_utils import keccak

_SEAL = keccak(text="zkpredict seal 1")


def kind(name: str) -> bytes:
    """The 32 bytes that tell seals of one kind from others: the contracts' `keccak256("name")`."""
    return keccak(text=name)


def derive_salt(key: bytes, name: str, chain_id: int, contract: str, number: int) -> bytes:
    """The salt of the seal of kind `name` of object `number`: HMAC-SHA256 under the account's 32-byte signing key."""
    return hmac.new(key, f"zkpredict salt|{name}|{chain_id}|{contract.lower()}|{number}".encode(), hashlib.sha256).digest()


def seal(name: str, chain_id: int, contract: str, number: int, who: str, payload: bytes, salt: bytes) -> bytes:
    """The seal that account `who` makes of `payload` for object `number` of `contract`."""
    types = ["bytes32", "uint256", "address", "bytes32", "uint256", "address", "bytes32", "bytes32"]
    return keccak(encode(types, [_SEAL, chain_id, contract, kind(name), number, who, keccak(payload), salt]))
