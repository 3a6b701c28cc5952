"""Paid by prediction: coins locked to "an image this network calls a 3, signed by this key", with a refund after a time.

    OP_IF    image -> digit, digit = class, signature by the claimant
    OP_ELSE  preimage of this transaction's digest, lock time reached, signature by the owner
    OP_ENDIF

Claim. The signature commits to the outpoint, the amount and every output, so neither an observer of the image nor a miner
can redirect it, and it opens no other output.

Refund. OP_CHECKLOCKTIMEVERIFY does nothing on outputs made after Genesis. The script therefore reads the lock time out of
the transaction itself (OP_PUSH_TX): the spender pushes the digest's preimage, the script makes an ECDSA signature of it
with a key everybody knows, and OP_CHECKSIGVERIFY accepts that signature only if the preimage is really this
transaction's. With private key r^-1, nonce 1 and r = x(G) the signature is (r, hash + 1 mod n). The script then demands
that lock time >= the agreed one, and that this input is not final: consensus keeps such a transaction out of blocks
until its lock time. Another preimage would need a hash e' with e' = e or e' = -e - 2 mod n, a SHA-256 collision.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zkpredict.circuits.errors import UnusableInput
from zkpredict.contracts.bitcoin.assembler import Op, Section, assemble, join, parse
from zkpredict.contracts.bitcoin.compiler import Classifier, LockingScript, pixel_bytes
from zkpredict.contracts.bitcoin.limits import Demand, NodeLimits
from zkpredict.contracts.bitcoin.transaction import (
    FINAL_SEQUENCE, GROUP_ORDER, LOCK_TIME_IS_SECONDS, SIGHASH_ALL_FORKID, Transaction, hash256,
)

GENERATOR_X = bytes.fromhex("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
KNOWN_KEY = bytes.fromhex("038ff83d8cf12121491609c4939dc11c4aa35503508fe432dc5a5c1905608b9218")
SMALLEST_S_BITS = 248
_S_BYTES = 32
_FIELD_PRIME = (1 << 256) - (1 << 32) - 977
_LAST_LOCK_TIME = (1 << 32) - 1
_TAIL_BYTES = 8
_SEQUENCE_FROM_OUTPUTS = 36
_ATTEMPTS = 1 << 16
_CLAIM, _REFUND = 1, 0


@dataclass(frozen=True)
class Pot:
    """Terms of a payment: `digit` of which network, who claims, who is refunded, from which block height or time on.

    Keys are compressed secp256k1 points, 33 bytes. `refund_after` below 500,000,000 is a block height, else seconds since 1970.
    """

    classifier: Classifier
    digit: int
    claimant: bytes
    owner: bytes
    refund_after: int

    def __post_init__(self) -> None:
        if not 0 <= self.digit < self.classifier.classes:
            raise UnusableInput(f"the network has the classes 0 to {self.classifier.classes - 1}, got {self.digit}")
        for name, key in (("claimant", self.claimant), ("owner", self.owner)):
            if len(key) != 33 or key[0] not in (2, 3):
                raise UnusableInput(f"the {name} key must be a compressed point of 33 bytes, got {key.hex() or 'nothing'}")
            if not _on_curve(key):
                raise UnusableInput(f"the {name} key is no point of secp256k1, so nobody could sign with it, got {key.hex()}")
        if not 1 <= self.refund_after <= _LAST_LOCK_TIME:
            raise UnusableInput(f"the refund height or time is 1 to {_LAST_LOCK_TIME}, got {self.refund_after}")

    def lock(self, limits: NodeLimits = NodeLimits()) -> LockingScript:
        """The locking script of these terms."""
        sections = (
            Section("claim", assemble(Op.IF)),
            *self.classifier.sections,
            Section("claim", assemble(self.digit, Op.EQUALVERIFY, self.claimant, Op.CHECKSIG, Op.ELSE)),
            Section("refund", _transaction_check() + self._refund_terms()),
        )
        known = self.classifier.demand
        demand = Demand(len(join(sections)), known.number_bytes, known.stack_bytes)
        limits.check(f"a pot on {self.classifier.name}", demand)
        return LockingScript(sections, demand)

    def _refund_terms(self) -> bytes:
        type_ends = LOCK_TIME_IS_SECONDS if self.refund_after < LOCK_TIME_IS_SECONDS else _LAST_LOCK_TIME + 1
        lock_time = assemble(Op.SIZE, _TAIL_BYTES, Op.SUB, Op.SPLIT, 4, Op.SPLIT, Op.DROP, bytes(1), Op.CAT, Op.BIN2NUM)
        lock_time += assemble(self.refund_after, type_ends, Op.WITHIN, Op.VERIFY)
        sequence = assemble(Op.SIZE, _SEQUENCE_FROM_OUTPUTS, Op.SUB, Op.SPLIT, Op.NIP, 4, Op.SPLIT, Op.DROP)
        sequence += assemble(FINAL_SEQUENCE.to_bytes(4, "little"), Op.EQUAL, Op.NOT, Op.VERIFY)
        return assemble(KNOWN_KEY, Op.CHECKSIGVERIFY) + lock_time + sequence + assemble(self.owner, Op.CHECKSIG, Op.ENDIF)


def refund_code(lock: bytes) -> bytes:
    """The script behind a pot's code separator: what a refund's signatures sign. Raises `UnusableInput` if there is none."""
    ends = [each.end for each in parse(lock) if each.opcode == Op.CODESEPARATOR.value]
    if not ends:
        raise UnusableInput("this locking script has no refund: it is no pot")
    return lock[ends[-1] :]


@dataclass(frozen=True)
class Unsigned:
    """A transaction that only lacks the signature of `digest` in the unlocking script of input `index`."""

    transaction: Transaction
    index: int
    digest: bytes
    payload: bytes
    branch: int

    def signed(self, signature: bytes) -> Transaction:
        """The complete transaction, from a DER signature of `digest`."""
        unlocking = assemble(signature + bytes([SIGHASH_ALL_FORKID]), self.payload, self.branch)
        return self.transaction.unlocked(self.index, unlocking)


def claim(lock: bytes, transaction: Transaction, index: int, satoshis: int, image: np.ndarray) -> Unsigned:
    """Opens input `index`, which spends `satoshis` locked by the pot `lock`, by an image. The claimant signs."""
    return Unsigned(transaction, index, transaction.digest(index, lock, satoshis), pixel_bytes(image), _CLAIM)


def refund(lock: bytes, transaction: Transaction, index: int, satoshis: int) -> Unsigned:
    """Opens input `index` for the owner, who signs; the transaction's lock time must be the agreed one or later.

    The input gets a sequence number below the final one. The script writes s of its own signature in 32 bytes; one digest
    in 256 has a shorter one, so sequence numbers are tried downwards.
    """
    code = refund_code(lock)
    for sequence in range(FINAL_SEQUENCE - 1, FINAL_SEQUENCE - _ATTEMPTS, -1):
        candidate = transaction.with_sequence(index, sequence)
        preimage = candidate.preimage(index, code, satoshis)
        digest = hash256(preimage)
        s = (int.from_bytes(digest, "big") + 1) % GROUP_ORDER
        if min(s, GROUP_ORDER - s).bit_length() >= SMALLEST_S_BITS:
            return Unsigned(candidate, index, digest, preimage, _REFUND)
    raise UnusableInput("no sequence number gives this refund a 32-byte signature")


def _on_curve(key: bytes) -> bool:
    """Whether a compressed key is a point of secp256k1."""
    x = int.from_bytes(key[1:], "big")
    # y^2 = x^3 + 7 has a root (Euler's criterion); x^3 + 7 is never 0, as the group has no element of order 2
    return x < _FIELD_PRIME and pow(x**3 + 7, (_FIELD_PRIME - 1) // 2, _FIELD_PRIME) == 1


def _transaction_check() -> bytes:
    """Code from (preimage) to (preimage, signature of it with the known key), up to the separator before its check."""
    number = assemble(Op.DUP, Op.HASH256) + _REVERSED + assemble(bytes(1), Op.CAT, Op.BIN2NUM)
    s = assemble(1, Op.ADD, GROUP_ORDER, Op.MOD, Op.DUP, GROUP_ORDER, Op.SWAP, Op.SUB, Op.MIN, _S_BYTES, Op.NUM2BIN) + _REVERSED
    before_s = bytes.fromhex("30440220") + GENERATOR_X + bytes.fromhex("0220")
    der = assemble(before_s, Op.SWAP, Op.CAT, bytes([SIGHASH_ALL_FORKID]), Op.CAT)
    return number + s + der + assemble(Op.CODESEPARATOR)


_REVERSED = assemble(1, Op.SPLIT) * (_S_BYTES - 1) + assemble(Op.SWAP, Op.CAT) * (_S_BYTES - 1)
