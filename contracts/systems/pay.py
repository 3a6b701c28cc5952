"""Escrows for goods and bounties for pictures, from Python: terms, signed readings, offers. Contracts: `solidity/pay`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

from eth_abi import encode
from eth_keys import keys
from eth_utils import keccak

PICTURE = "zkpredict picture"
"""The kind of a bounty's seals."""
_DOMAIN = keccak(text="EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
_READING = keccak(text="Reading(uint256 dealId,uint64 serial,uint40 time,bytes values)")


@dataclass(frozen=True)
class Terms:
    """What a deal is about; the contract keeps only its hash. Addresses as hex, payouts in wei by class."""

    buyer: str
    supplier: str
    instrument: str
    prediction: str
    model: bytes
    deadline: int
    max_gap: int
    daily_cap: int
    payout: tuple[int, ...]

    @property
    def argument(self) -> tuple[Any, ...]:
        """As contracts take it."""
        return astuple(self)

    @property
    def most(self) -> int:
        """The highest payout: what every delivery is funded for."""
        return max(self.payout)


@dataclass(frozen=True)
class Reading:
    """What an instrument measured: serial number in its deal, time (seconds since 1970), one byte a channel."""

    deal: int
    serial: int
    time: int
    values: bytes

    @property
    def argument(self) -> tuple[Any, ...]:
        """As contracts take it."""
        return astuple(self)

    def digest(self, chain_id: int, escrow: str) -> bytes:
        """What is signed (EIP-712)."""
        domain = keccak(encode(
            ["bytes32", "bytes32", "bytes32", "uint256", "address"],
            [_DOMAIN, keccak(text="zkpredict GoodsEscrow"), keccak(text="1"), chain_id, escrow],
        ))
        fields = [_READING, self.deal, self.serial, self.time, keccak(self.values)]
        return keccak(b"\x19\x01" + domain + keccak(encode(["bytes32", "uint256", "uint64", "uint40", "bytes32"], fields)))

    def sign(self, key: bytes, chain_id: int, escrow: str) -> tuple[bytes, bytes]:
        """The instrument's signature, short as in EIP-2098: r, and s with v in its highest bit. `key` is its 32-byte signing key."""
        signature = keys.PrivateKey(key).sign_msg_hash(self.digest(chain_id, escrow))
        return signature.r.to_bytes(32, "big"), (signature.v << 255 | signature.s).to_bytes(32, "big")


@dataclass(frozen=True)
class Offer:
    """What a bounty pays for. Amounts in wei: `reward` a picture, a claimant's `deposit`, the judge's `share` of bond a claim."""

    judge: str
    prediction: str
    model: bytes
    input_bytes: int
    wanted_class: int
    wanted: int
    places: int
    reward: int
    deposit: int
    share: int
    seal_by: int

    @property
    def argument(self) -> tuple[Any, ...]:
        """As contracts take it."""
        return astuple(self)


def scale_hash(lowest: Sequence[int], highest: Sequence[int]) -> bytes:
    """Names the scale of a reading's bytes: what 0 and 255 mean on every channel."""
    return keccak(encode(["int256[]", "int256[]"], [list(lowest), list(highest)]))
