"""Any EVM node over JSON-RPC, with the same face as the embedded chain. The signing key never leaves this process.

The key comes from a file or from an environment variable, never from a command line, where other users could read it.
"""

from __future__ import annotations

import os
import time

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_keys.constants import SECPK1_N
from eth_utils import to_checksum_address

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files import read_file
from zkpredict.contracts.artifact import address_text
from zkpredict.contracts.chain import ChainError, Log, Receipt, Reverted, check_limits
from zkpredict.contracts.node import Answer, Node

KEY_VARIABLE = "ZKPREDICT_CHAIN_KEY"
_KEY_FILE_LIMIT = 200
_POLL_SECONDS = 0.1


class RpcChain:
    """`Chain` over the node at `url`. Without a key it can only call. Every transaction is tried as a call first, so a
    refusal costs nothing; with an explicit `gas` it is sent as it is. `seconds` bounds each request and each wait."""

    def __init__(self, url: str, key: bytes | None = None, *, seconds: float = 120.0) -> None:
        if not url.startswith(("http://", "https://")):
            raise UnusableInput(f"the RPC address must start with http:// or https://, got {url!r}")
        self._account: LocalAccount | None = None if key is None else Account.from_key(_checked_key(key, "the key"))
        self._node, self._seconds = Node(url, seconds), seconds
        self.chain_id = self._node.ask("eth_chainId").quantity()

    @property
    def sender(self) -> str:
        return self._signer().address

    def deploy(self, code: bytes, *, value: int = 0, gas: int | None = None) -> Receipt:
        check_limits(True, code, gas)
        return self._send({"data": code, "value": value}, gas)

    def transact(self, to: str, data: bytes, *, value: int = 0, gas: int | None = None) -> Receipt:
        check_limits(False, data, gas)
        return self._send({"to": to_checksum_address(to), "data": data, "value": value}, gas)

    def call(self, to: str, data: bytes, *, gas: int | None = None) -> bytes:
        request = {"to": to, "data": data}
        if self._account is not None:
            request["from"] = self._account.address
        if gas is not None:
            request["gas"] = gas
        return self._node.ask("eth_call", _json(request), "latest").data()

    def code(self, address: str) -> bytes:
        return self._node.ask("eth_getCode", address, "latest").data()

    def _signer(self) -> LocalAccount:
        if self._account is None:
            raise UnusableInput(f"transactions need a key: give a key file, or put the key into {KEY_VARIABLE}")
        return self._account

    def _send(self, request: dict, gas: int | None) -> Receipt:
        signer, ask = self._signer(), self._node.ask
        tried = {"from": signer.address, **request}
        limit = ask("eth_estimateGas", _json(tried)).quantity() if gas is None else gas
        base_fee = ask("eth_getBlockByNumber", "latest", False)["baseFeePerGas"].quantity()
        tip = ask("eth_maxPriorityFeePerGas").quantity()
        signed = signer.sign_transaction({
            **request,
            "gas": limit,
            "nonce": ask("eth_getTransactionCount", signer.address, "pending").quantity(),
            "chainId": self.chain_id,
            "maxPriorityFeePerGas": tip,
            "maxFeePerGas": 2 * base_fee + tip,
        })
        ask("eth_sendRawTransaction", f"0x{signed.raw_transaction.hex()}").data(32)
        name = f"0x{signed.hash.hex()}"
        found = self._mined(name)
        gas_used = found["gasUsed"].quantity()
        if found["status"].quantity() != 1:
            raise self._failure({**tried, "gas": limit}, found["blockNumber"].quantity(), gas_used, name)
        created = None if "to" in request else address_text(found["contractAddress"].data(20))
        logs = tuple(
            Log(address_text(log["address"].data(20)), tuple(topic.data(32) for topic in log["topics"].items()), log["data"].data())
            for log in found["logs"].items()
        )
        return Receipt(name, gas_used, created, logs)

    def _mined(self, name: str) -> Answer:
        """The receipt of a transaction, waited for."""
        deadline = time.monotonic() + self._seconds
        while (found := self._node.ask("eth_getTransactionReceipt", name)).value is None:
            if time.monotonic() > deadline:
                raise ChainError(f"the transaction was not mined within {self._seconds:g} seconds")
            time.sleep(_POLL_SECONDS)
        return found

    def _failure(self, tried: dict, block: int, gas_used: int, name: str) -> Reverted:
        """Why a mined transaction failed: the node runs it again as a call on the block before."""
        try:
            self._node.ask("eth_call", _json(tried), hex(max(block - 1, 0)))
        except Reverted as refusal:
            data, halt = refusal.data, refusal.halt
        else:
            data, halt = b"", "it fails in its block only"
        return Reverted(data, halt=halt, gas_used=gas_used, transaction=name)


def read_key(path: str | None) -> bytes | None:
    """The 32-byte signing key, as hex, in the file at `path`, else in the variable ZKPREDICT_CHAIN_KEY; None without either."""
    if path is not None:
        text = read_file(path, "key file", _KEY_FILE_LIMIT).decode("ascii", "replace").strip()
        place = f"the key file {path}"
    elif KEY_VARIABLE in os.environ:
        text, place = os.environ[KEY_VARIABLE].strip(), f"the variable {KEY_VARIABLE}"
    else:
        return None
    digits = text.removeprefix("0x")
    if len(digits) != 64 or set(digits.lower()) - set("0123456789abcdef"):
        raise UnusableInput(f"{place} must hold 64 hex digits")
    return _checked_key(bytes.fromhex(digits), place)


def _checked_key(key: bytes, place: str) -> bytes:
    """The key, when secp256k1 can sign with it. No message holds a key."""
    if len(key) != 32 or not 0 < int.from_bytes(key, "big") < SECPK1_N:
        raise UnusableInput(f"{place} must be 32 bytes, above zero and below the group order of secp256k1")
    return key


def _json(request: dict) -> dict:
    """A call or transaction as nodes read it: bytes and numbers in hex."""
    return {
        name: f"0x{value.hex()}" if isinstance(value, bytes) else hex(value) if isinstance(value, int) else value
        for name, value in request.items()
    }
