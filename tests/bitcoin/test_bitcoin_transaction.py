"""Transaction bytes, digests, addresses and fees against two libraries and against history."""

import re
from decimal import Decimal

import bitcoinx
import pytest
from bsv.transaction import Transaction as SdkTransaction

from zkpredict.circuits.errors import UnusableInput
from zkpredict.contracts.bitcoin.transaction import (
    MAX_SATOSHIS, SIGHASH_ALL_FORKID, Input, Outpoint, Output, Transaction, fee, fee_rate, pay_to_address,
)

GENESIS_MESSAGE = bytes.fromhex(
    "04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e20"
    "6272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73"
)
GENESIS_LOCK = bytes.fromhex(
    "4104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d57"
    "8a4c702b6bf11d5fac"
)
TRANSACTION = Transaction(
    (Input(Outpoint("ab" * 32, 1), b"\x51", 7), Input(Outpoint("cd" * 32, 70_000))),
    (Output(1, b""), Output(MAX_SATOSHIS, b"\x6a" * 300), Output(5, b"\x51" * 70_000)),
    lock_time=800_000,
)


def test_the_genesis_transaction_has_its_known_id():
    coinbase = Transaction((Input(Outpoint("00" * 32, 0xFFFFFFFF), GENESIS_MESSAGE),), (Output(50 * 10**8, GENESIS_LOCK),))
    assert coinbase.txid == "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"


def test_bytes_are_what_two_libraries_read_and_write():
    data = TRANSACTION.to_bytes()
    assert bitcoinx.Tx.from_bytes(data).to_bytes() == data
    assert SdkTransaction.from_hex(data.hex()).serialize() == data
    assert SdkTransaction.from_hex(data.hex()).txid() == TRANSACTION.txid


@pytest.mark.parametrize("index", [0, 1])
def test_digests_match_a_library_and_change_with_everything_they_sign(index):
    code, satoshis = b"\xac" * 300, 12_345
    theirs = bitcoinx.Tx.from_bytes(TRANSACTION.to_bytes()).signature_hash(
        index, satoshis, bitcoinx.Script(code), bitcoinx.SigHash(SIGHASH_ALL_FORKID)
    )
    digest = TRANSACTION.digest(index, code, satoshis)
    assert digest == theirs
    assert TRANSACTION.unlocked(index, b"other").digest(index, code, satoshis) == digest
    assert TRANSACTION.unlocked(index, b"other").txid != TRANSACTION.txid
    changed = [
        TRANSACTION.digest(index, code + b"\x00", satoshis),
        TRANSACTION.digest(index, code, satoshis + 1),
        TRANSACTION.digest(1 - index, code, satoshis),
        TRANSACTION.with_sequence(0, 8).digest(index, code, satoshis),
        Transaction(TRANSACTION.inputs, TRANSACTION.outputs[:2], 800_000).digest(index, code, satoshis),
        Transaction(TRANSACTION.inputs, TRANSACTION.outputs, 800_001).digest(index, code, satoshis),
    ]
    assert digest not in changed and len(set(changed)) == len(changed)


def test_addresses_decode_and_tampered_ones_do_not():
    genesis = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
    assert pay_to_address(genesis).hex() == "76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac"
    for address, reason in (
        (genesis[:-1] + "b", f"address '{genesis[:-1]}b' has a wrong length or checksum"),
        (genesis + "1", "has a wrong length or checksum"),
        (genesis.replace("z", "0"), "has the character '0', which base58 does not have"),
        ("3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", "has the version 5, expected a key hash (0 or 111)"),
        ("", "has a wrong length or checksum"),
    ):
        with pytest.raises(UnusableInput, match=re.escape(reason)):
            pay_to_address(address)


def test_fees_round_up():
    assert [fee(size, rate) for size, rate in ((1_000, 100), (1_001, 100), (1, Decimal("0.5")), (0, 100))] == [100, 101, 1, 0]


def test_fees_are_exact():
    """Cases that a float, or a sum rounded on the way, gets wrong by one."""
    assert [fee(size, fee_rate(rate)) for size, rate in ((10_000, "0.1"), (1, "0.0001"), (10**16 + 1, "1000"))] == [1, 1, 10**16 + 1]
    for text in ("", "-1", "+1", "1e3", "nan", "inf", "0.123456789", "1/3", "٣", "1 ", "9" * 17, ".5", "5."):
        with pytest.raises(UnusableInput, match=re.escape(f"such as 50 or 0.5, got {text!r}")):
            fee_rate(text)


def test_impossible_values_are_refused():
    for make, reason in (
        (lambda: Outpoint("AB" * 32, 0), "a transaction id is 64 lower-case hex digits"),
        (lambda: Outpoint("ab" * 32, 1 << 32), "an output index is below 2^32, got 4294967296"),
        (lambda: Outpoint("ab" * 32, -1), "an output index is below 2^32, got -1"),
        (lambda: Output(MAX_SATOSHIS + 1, b""), "an amount is 0 to 2,100,000,000,000,000 satoshis, got 2,100,000,000,000,001"),
        (lambda: Output(-1, b""), "an amount is 0 to 2,100,000,000,000,000 satoshis, got -1"),
        (lambda: TRANSACTION.digest(0, b"", -1), "an amount is 0 to 2,100,000,000,000,000 satoshis, got -1"),
        (lambda: TRANSACTION.digest(0, b"", 1 << 64), "an amount is 0 to 2,100,000,000,000,000 satoshis, got 18,446,744"),
        (lambda: TRANSACTION.with_sequence(0, -1), "a sequence number is 0 to 4294967295, got -1"),
        (lambda: Input(Outpoint("ab" * 32, 0), b"", 1 << 32), "a sequence number is 0 to 4294967295, got 4294967296"),
        (lambda: Transaction((), (), -1), "a lock time is 0 to 4294967295, got -1"),
        (lambda: Transaction((), (), 1 << 32), "a lock time is 0 to 4294967295, got 4294967296"),
        (lambda: Transaction((), (), version=-1), "a version is 0 to 4294967295, got -1"),
        (lambda: Transaction((), (), version=1 << 32), "a version is 0 to 4294967295, got 4294967296"),
    ):
        with pytest.raises(UnusableInput, match=re.escape(reason)):
            make()
    last = (1 << 32) - 1
    assert len(Transaction((Input(Outpoint("ab" * 32, last), b"", last),), (Output(MAX_SATOSHIS, b""),), last, last).to_bytes()) == 60
