"""Any EVM node over JSON-RPC, with the same face as the embedded chain. The signing key never leaves this process.

The key comes from a file or from an environment variable, never from a command line, where other users could read it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_keys.constants import SECPK1_N
from web3 import Web3
from web3.exceptions import TimeExhausted
from web3.types import TxParams, TxReceipt

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.storage import read_file
from zkpredict.contracts.chain.interface import Block, ChainError, Log, Receipt, Reverted, check_limits
from zkpredict.contracts.chain.header import block_of
from zkpredict.contracts.chain.node import Answer, Node

KEY_VARIABLE = "ZKPREDICT_CHAIN_KEY"
_KEY_FILE_LIMIT = 200


class RpcChain:
    """`Chain` over the node at `url`. Without a key it can only call. Every transaction is tried as a call first, so a
    refusal costs nothing; with an explicit `gas` it is sent as it is. `seconds` bounds each request and each wait."""

    def __init__(self, url: str, key: bytes | None = None, *, seconds: float = 120.0) -> None:
        if not url.startswith(("http://", "https://")):
            raise UnusableInput("the RPC address must start with http:// or https://")  # what it is may hold a password
        self._account: LocalAccount | None = None if key is None else Account.from_key(_checked_key(key, "the key"))
        self._node = node = Node(url, seconds)
        self._name, self._seconds = node.name, seconds
        self._web3 = Web3(node)
        self.chain_id = self._web3.eth.chain_id

    @property
    def sender(self) -> str:
        return self._signer().address

    def deploy(self, code: bytes, *, value: int = 0, gas: int | None = None) -> Receipt:
        check_limits(True, code, gas)
        return self._send({"data": code, "value": value}, gas)

    def transact(self, to: str, data: bytes, *, value: int = 0, gas: int | None = None) -> Receipt:
        check_limits(False, data, gas)
        return self._send({"to": Web3.to_checksum_address(to), "data": data, "value": value}, gas)

    def call(self, to: str, data: bytes, *, gas: int | None = None) -> bytes:
        request: TxParams = {"to": Web3.to_checksum_address(to), "data": data}
        if self._account is not None:
            request["from"] = self._account.address
        if gas is not None:
            request["gas"] = gas
        return bytes(self._web3.eth.call(request))

    def code(self, address: str) -> bytes:
        return bytes(self._web3.eth.get_code(Web3.to_checksum_address(address)))

    def balance(self, address: str) -> int:
        return self.ask("eth_getBalance", Web3.to_checksum_address(address), "latest").quantity(bits=256)

    def block(self, number: int | None = None) -> Block:
        return block_of(self.ask("eth_getBlockByNumber", "latest" if number is None else hex(number), False))

    def logs(self, address: str, topics: Sequence[bytes] = ()) -> list[Log]:
        wanted = {"address": Web3.to_checksum_address(address), "topics": [f"0x{topic.hex()}" for topic in topics]}
        found = self.ask("eth_getLogs", wanted | {"fromBlock": "0x0", "toBlock": "latest"}).items()
        logs = [(log["blockNumber"].quantity(), log["logIndex"].quantity(), _log(log)) for log in found]
        return [log for _, _, log in sorted(logs, key=lambda entry: entry[:2])]

    def signed_with(self, key: bytes) -> RpcChain:
        """The same node, signed for by another 32-byte key."""
        return RpcChain(self._node.url, key, seconds=self._seconds)

    def ask(self, method: str, *params: object) -> Answer:
        """The node's answer to any question, such as a development node's `evm_increaseTime`. Raises `ChainError`, `Reverted`."""
        return self._node.ask(method, *params)

    def _signer(self) -> LocalAccount:
        if self._account is None:
            raise UnusableInput(f"transactions need a key: give a key file, or put the key into {KEY_VARIABLE}")
        return self._account

    def _send(self, request: dict[str, Any], gas: int | None) -> Receipt:
        signer, eth = self._signer(), self._web3.eth
        tried: Any = {"from": signer.address, **request}
        limit = eth.estimate_gas(tried) if gas is None else gas
        base_fee, tip = eth.get_block("latest")["baseFeePerGas"], eth.max_priority_fee
        signed = signer.sign_transaction({
            **request,
            "gas": limit,
            "nonce": eth.get_transaction_count(signer.address, "pending"),
            "chainId": self.chain_id,
            "maxPriorityFeePerGas": tip,
            "maxFeePerGas": 2 * base_fee + tip,
        })
        eth.send_raw_transaction(signed.raw_transaction)
        name = Web3.to_hex(signed.hash)
        try:
            found = eth.wait_for_transaction_receipt(signed.hash, timeout=self._seconds)
        except TimeExhausted:
            raise ChainError(f"the transaction was not mined within {self._seconds:g} seconds") from None
        if found["status"] != 1:
            raise self._failure({**tried, "gas": limit}, found, name)
        logs = tuple(Log(log["address"], tuple(map(bytes, log["topics"])), bytes(log["data"])) for log in found["logs"])
        created = None if "to" in request else found["contractAddress"]
        if "to" not in request and created is None:
            raise ChainError(f"the node at {self._name} tells no address of the contract it made in {name}")
        return Receipt(name, found["gasUsed"], created, logs)

    def _failure(self, tried: Any, found: TxReceipt, name: str) -> Reverted:
        """Why a mined transaction failed: the node runs it again as a call on the block before."""
        try:
            self._web3.eth.call(tried, max(found["blockNumber"] - 1, 0))
        except Reverted as refusal:
            data, halt = refusal.data, refusal.halt
        else:
            data, halt = b"", "it fails in its block only"
        return Reverted(data, halt=halt, gas_used=found["gasUsed"], transaction=name)


def _log(answer: Answer) -> Log:
    topics = tuple(topic.data(32) for topic in answer["topics"].items())
    return Log(Web3.to_checksum_address(answer["address"].data(20)), topics, answer["data"].data())


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
