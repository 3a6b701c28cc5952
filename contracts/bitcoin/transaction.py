"""Transactions: their bytes, their ids, and what a signature signs (BIP 143 digests with FORKID, as on Bitcoin SV)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256

from zkpredict.circuits.errors import UnusableInput

SIGHASH_ALL_FORKID = 0x41
GROUP_ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
FINAL_SEQUENCE = 0xFFFFFFFF
LOCK_TIME_IS_SECONDS = 500_000_000
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_KEY_HASH_VERSIONS = (0, 111)
MAX_SATOSHIS = 21_000_000 * 100_000_000
_LAST_WORD = (1 << 32) - 1
_RATE = re.compile(r"[0-9]{1,16}(\.[0-9]{1,8})?")


@dataclass(frozen=True)
class Outpoint:
    """The output an input spends: transaction id as explorers print it (reversed hex), and index."""

    txid: str
    index: int

    def __post_init__(self) -> None:
        if len(self.txid) != 64 or not set(self.txid) <= set("0123456789abcdef"):
            raise UnusableInput(f"a transaction id is 64 lower-case hex digits, got {self.txid!r}")
        if not 0 <= self.index < 1 << 32:
            raise UnusableInput(f"an output index is below 2^32, got {self.index}")

    def to_bytes(self) -> bytes:
        return bytes.fromhex(self.txid)[::-1] + self.index.to_bytes(4, "little")


@dataclass(frozen=True)
class Output:
    """An amount in satoshis and the locking script that guards it."""

    satoshis: int
    script: bytes

    def __post_init__(self) -> None:
        _check_amount(self.satoshis)

    def to_bytes(self) -> bytes:
        return self.satoshis.to_bytes(8, "little") + _with_length(self.script)


@dataclass(frozen=True)
class Input:
    """A spent outpoint with its unlocking script and sequence number."""

    outpoint: Outpoint
    unlocking: bytes = b""
    sequence: int = FINAL_SEQUENCE

    def __post_init__(self) -> None:
        _check_word("sequence number", self.sequence)

    def to_bytes(self) -> bytes:
        return self.outpoint.to_bytes() + _with_length(self.unlocking) + self.sequence.to_bytes(4, "little")


@dataclass(frozen=True)
class Transaction:
    """A transaction. Version 1 keeps every malleability rule of the node in force."""

    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    lock_time: int = 0
    version: int = 1

    def __post_init__(self) -> None:
        _check_word("lock time", self.lock_time)
        _check_word("version", self.version)

    def to_bytes(self) -> bytes:
        return b"".join((
            self.version.to_bytes(4, "little"),
            _variable_integer(len(self.inputs)),
            *(spent.to_bytes() for spent in self.inputs),
            _variable_integer(len(self.outputs)),
            *(output.to_bytes() for output in self.outputs),
            self.lock_time.to_bytes(4, "little"),
        ))

    @property
    def txid(self) -> str:
        return hash256(self.to_bytes())[::-1].hex()

    def preimage(self, index: int, script_code: bytes, satoshis: int) -> bytes:
        """What a SIGHASH_ALL | FORKID signature of input `index` signs, before its double SHA-256 (BIP 143, Specification)."""
        _check_amount(satoshis)
        spent = self.inputs[index]
        return b"".join((
            self.version.to_bytes(4, "little"),
            hash256(b"".join(each.outpoint.to_bytes() for each in self.inputs)),
            hash256(b"".join(each.sequence.to_bytes(4, "little") for each in self.inputs)),
            spent.outpoint.to_bytes(),
            _with_length(script_code),
            satoshis.to_bytes(8, "little"),
            spent.sequence.to_bytes(4, "little"),
            hash256(b"".join(output.to_bytes() for output in self.outputs)),
            self.lock_time.to_bytes(4, "little"),
            SIGHASH_ALL_FORKID.to_bytes(4, "little"),
        ))

    def digest(self, index: int, script_code: bytes, satoshis: int) -> bytes:
        """The 32 bytes an ECDSA signature of input `index` signs."""
        return hash256(self.preimage(index, script_code, satoshis))

    def unlocked(self, index: int, unlocking: bytes) -> Transaction:
        """The same transaction with the unlocking script of input `index` set; ids change, digests do not."""
        return self._with_input(index, replace(self.inputs[index], unlocking=unlocking))

    def with_sequence(self, index: int, sequence: int) -> Transaction:
        """The same transaction with the sequence number of input `index` set."""
        return self._with_input(index, replace(self.inputs[index], sequence=sequence))

    def _with_input(self, index: int, spent: Input) -> Transaction:
        return replace(self, inputs=(*self.inputs[:index], spent, *self.inputs[index + 1 :]))


def hash256(data: bytes) -> bytes:
    """SHA-256 of SHA-256."""
    return sha256(sha256(data).digest()).digest()


def pay_to_address(address: str) -> bytes:
    """The locking script of a base58check address (P2PKH, main or test network). Raises `UnusableInput`."""
    number = 0
    for character in address:
        if character not in _BASE58:
            raise UnusableInput(f"address {address!r} has the character {character!r}, which base58 does not have")
        number = 58 * number + _BASE58.index(character)
    data = number.to_bytes(max(25, (number.bit_length() + 7) // 8), "big")
    if len(data) != 25 or hash256(data[:21])[:4] != data[21:]:
        raise UnusableInput(f"address {address!r} has a wrong length or checksum")
    if data[0] not in _KEY_HASH_VERSIONS:
        raise UnusableInput(f"address {address!r} has the version {data[0]}, expected a key hash (0 or 111)")
    return bytes.fromhex("76a914") + data[1:21] + bytes.fromhex("88ac")


def fee_rate(text: str) -> Decimal:
    """Satoshis per 1,000 bytes as they are written, up to eight decimals. Raises `UnusableInput`."""
    if not _RATE.fullmatch(text):
        raise UnusableInput(f"a fee rate is satoshis per 1,000 bytes, such as 50 or 0.5, got {text!r}")
    return Decimal(text)


def fee(size: int, satoshis_per_kilobyte: int | Decimal) -> int:
    """Satoshis for `size` bytes at a rate per 1,000 bytes: exact, then rounded up."""
    return math.ceil(size * Fraction(satoshis_per_kilobyte) / 1000)


def _check_word(what: str, value: int) -> None:
    """Refuses what four bytes cannot hold."""
    if not 0 <= value <= _LAST_WORD:
        raise UnusableInput(f"a {what} is 0 to {_LAST_WORD}, got {value}")


def _check_amount(satoshis: int) -> None:
    if not 0 <= satoshis <= MAX_SATOSHIS:
        raise UnusableInput(f"an amount is 0 to {MAX_SATOSHIS:,} satoshis, got {satoshis:,}")


def _variable_integer(value: int) -> bytes:
    if value < 0xFD:
        return bytes([value])
    size, marker = next((size, marker) for size, marker in ((2, 0xFD), (4, 0xFE), (8, 0xFF)) if value < 1 << (8 * size))
    return bytes([marker]) + value.to_bytes(size, "little")


def _with_length(data: bytes) -> bytes:
    return _variable_integer(len(data)) + data
