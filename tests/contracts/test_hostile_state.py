"""A file of the embedded chain that somebody else wrote: it holds a history that fits, or it is refused by name."""

from __future__ import annotations

import json

import pytest
import rlp
from eth_utils import keccak
from networks import ROOT

from zkpredict.circuits.errors import MalformedFile
from zkpredict.cli.main import main
from zkpredict.contracts.chain.interface import ChainError
from zkpredict.contracts.chain.evm import CHAIN_ID, EmbeddedChain, Sent, account_key
from zkpredict.contracts.chain.state import FORMAT, open_state, save_state

STRANGE = "a step needs seconds >= 0 and a transaction as 0x and hex digits, or a number of blocks"
NO_TRANSACTION = "step 0 of the history is no transaction"
REFUSED = "the embedded chain refuses the transaction"
CLOCK = "the embedded chain's clock only goes forward, and stays below 2^63 seconds"
TO = b"\x01" * 20
ALL_BITS = b"\xff" * 32


def number(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def payment(**changed: object) -> list:
    """The fields of a transaction of type 2."""
    fields = {
        "chain": number(CHAIN_ID), "nonce": b"", "tip": b"", "fee": number(10**11), "gas": number(10**6),
        "to": TO, "value": b"", "data": b"", "access": [],
    }
    return list((fields | changed).values())


def signed(kind: int, fields: list) -> bytes:
    """The raw transaction, signed by embedded account 0."""
    signature = account_key(0).sign_msg_hash(keccak(bytes([kind]) + rlp.encode(fields)))
    return bytes([kind]) + rlp.encode([*fields, number(signature.v), number(signature.r), number(signature.s)])


HONEST = signed(2, payment())


@pytest.fixture
def path(tmp_path):
    return tmp_path / "chain.json"


def write(path, history: object) -> None:
    path.write_text(json.dumps({"format": FORMAT, "history": history}))


def test_an_honest_file_opens_and_is_written_the_same(path):
    write(path, [{"seconds": 3600, "transaction": f"0x{HONEST.hex()}"}])
    before = path.read_text()
    chain = open_state(path)
    assert chain.history == (Sent(3600, HONEST),)
    save_state(path, chain)
    assert path.read_text() == before


@pytest.mark.parametrize(
    ("history", "reason"),
    [
        (None, "its history is no list"),
        ("", "its history is no list"),
        ({}, "its history is no list"),
        ({"seconds": 1}, "its history is no list"),
        ([None], "TypeError: 'NoneType' object is not subscriptable"),
        (["0x00"], "TypeError: string indices must be integers, not 'str'"),
        ([{"seconds": 0}], f"ValueError: {STRANGE}"),
        ([{"seconds": 0, "blocks": "1"}], f"ValueError: {STRANGE}"),
        ([{"seconds": 0, "blocks": True}], f"ValueError: {STRANGE}"),
        ([{"seconds": 0, "blocks": 1, "transaction": "0x"}], f"ValueError: {STRANGE}"),
        ([{"seconds": 0, "transaction": None}], f"ValueError: {STRANGE}"),
        ([{"seconds": 0, "transaction": 5}], f"ValueError: {STRANGE}"),
        ([{"seconds": 0, "transaction": ["0x"]}], f"ValueError: {STRANGE}"),
        ([{"seconds": 0, "transaction": HONEST.hex()}], f"ValueError: {STRANGE}"),
        ([{"seconds": 0, "transaction": "0xzz"}], "ValueError: non-hexadecimal number found in fromhex() arg at position 0"),
        ([{"seconds": 0, "transaction": "0x123"}], "ValueError: non-hexadecimal number found in fromhex() arg at position 3"),
        ([{"seconds": -1, "transaction": "0x"}], f"ValueError: {STRANGE}"),
        ([{"seconds": True, "transaction": "0x"}], f"ValueError: {STRANGE}"),
        ([{"seconds": 1.5, "transaction": "0x"}], f"ValueError: {STRANGE}"),
    ],
)
def test_a_file_of_another_form_is_refused(path, history, reason):
    write(path, history)
    with pytest.raises(MalformedFile) as refused:
        open_state(path)
    assert str(refused.value) == f"chain state {path}: {reason}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", ": TypeError: list indices must be integers or slices, not str"),
        ("null", ": TypeError: 'NoneType' object is not subscriptable"),
        (json.dumps({"format": ["x" * 10**6]}), f": its format is ['xxxxxxxxxxxx...xxxxxxxxxxxxx'], expected {FORMAT!r}"),
        ('{"history":' + "[" * 100_000, " is nested more than 64 deep"),
        ('{"format":"' + FORMAT + '","history":[{"seconds":' + "9" * 5000 + "}]}", " is no JSON"),
    ],
    ids=["list", "null", "format", "deep", "digits"],
)
def test_other_json_is_refused(path, text, reason):
    path.write_text(text)
    with pytest.raises(MalformedFile) as refused:
        open_state(path)
    assert str(refused.value) == f"chain state {path}{reason}"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", f"{NO_TRANSACTION}: ValidationError"),
        (b"\x00", f"{NO_TRANSACTION}: UnrecognizedTransactionType"),
        (b"\x7f", f"{NO_TRANSACTION}: UnrecognizedTransactionType"),
        (b"\xff", f"{NO_TRANSACTION}: DecodingError"),
        (b"\xc0", f"{NO_TRANSACTION}: ObjectDeserializationError"),
        (b"\x02\xc0", f"{NO_TRANSACTION}: ObjectDeserializationError"),
        (HONEST[:-1], f"{NO_TRANSACTION}: DecodingError"),
        (HONEST + b"\x00", f"{NO_TRANSACTION}: DecodingError"),
        (signed(2, payment(nonce=[[b"a"]])), f"{NO_TRANSACTION}: TypeError"),
        (signed(2, payment(nonce=b"\x00")), f"{NO_TRANSACTION}: ObjectDeserializationError"),
        (signed(2, payment(access=[[TO, [b"\xff" * 33]]])), f"{NO_TRANSACTION}: ObjectDeserializationError"),
        (b"\x02" + rlp.encode([*payment(), b"", b"", b"\x01"]), f"{REFUSED}: Invalid signature"),
        (b"\x02" + rlp.encode([*payment(), b"\x01", ALL_BITS, b"\x01"]), f"{REFUSED}: Value "),
        (b"\x02" + rlp.encode([*payment(nonce=[]), *rlp.decode(HONEST[1:])[-3:]]), f"{REFUSED}: Block's transaction_root "),
        (signed(2, payment(nonce=b"\x05")), f"{REFUSED}: Invalid transaction nonce: Expected 0, but got 5"),
        (signed(2, payment(gas=b"")), f"{REFUSED}: Message.gas cannot be negative: Got: -21000"),
        (signed(2, payment(to=b"", data=bytes(60_000))), f"{REFUSED}: Contract code size exceeds EIP-3860 limit of 49152."),
        (signed(3, [*payment(), b"\x01", [b"\x01" * 32]]), f"{REFUSED}: Block blob gas used (0) does not match"),
        (signed(4, [*payment(), []]), f"{REFUSED}: Transaction.authorization_list cannot empty"),
        (signed(4, [*payment(), [[b"", TO, b"", ALL_BITS, b"", b""]]]), f"{REFUSED}: "),
    ],
)
def test_a_step_that_is_no_transaction_or_does_not_fit_is_refused(path, raw, reason):
    write(path, [{"seconds": 1, "transaction": f"0x{raw.hex()}"}])
    with pytest.raises(ChainError) as refused:
        open_state(path)
    assert str(refused.value).startswith(reason) and "\n" not in str(refused.value)


def test_a_signature_of_authorizations_that_means_nothing_is_skipped_as_in_eip_7702():
    raw = signed(4, [*payment(), [[b"", TO, b"", b"\xff", ALL_BITS, ALL_BITS]]])
    assert EmbeddedChain.replay([Sent(0, raw)]).history == (Sent(0, raw),)


def test_the_clock_has_an_end_and_one_direction(embedded):
    for seconds in (-1, 1 << 63, 10**5000):
        with pytest.raises(ChainError) as refused:
            embedded.advance(seconds)
        assert str(refused.value) == CLOCK
    embedded.advance(1 << 62)
    with pytest.raises(ChainError):
        embedded.advance(1 << 62)
    embedded.transact("0x" + TO.hex(), b"")
    assert [sent.seconds for sent in EmbeddedChain.replay(embedded.history).history] == [1 << 62]


def test_a_refused_transaction_leaves_the_chain_as_it_was(embedded):
    embedded.transact(embedded.sender, b"")
    with pytest.raises(ChainError, match=REFUSED):
        embedded.transact(embedded.sender, b"", value=10**30)
    assert embedded.transact(embedded.sender, b"").gas_used == 21_000
    assert EmbeddedChain.replay(embedded.history).history == embedded.history and len(embedded.history) == 2


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        ({"seconds": 1, "transaction": "0x00"}, f"{NO_TRANSACTION}: UnrecognizedTransactionType"),
        ({"seconds": 10**30, "transaction": f"0x{HONEST.hex()}"}, CLOCK),
        ({"seconds": 0, "transaction": 7}, STRANGE),
    ],
)
def test_the_command_says_it_and_keeps_the_file(path, capsys, step, reason):
    write(path, [step])
    before = path.read_text()
    commitment = str(ROOT / "examples" / "mnist.commitment")
    assert main(["chain", "deploy", "--verifier", "--commitment", commitment, "--state", str(path), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"].endswith(reason)
    assert path.read_text() == before
