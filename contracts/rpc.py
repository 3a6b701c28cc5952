"""Any EVM node over JSON-RPC, with the same face as the embedded chain. The signing key never leaves this process.

The key comes from a file or from an environment variable, never from a command line, where other users could read it.
"""

from __future__ import annotations

import os

import requests
from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.exceptions import ContractLogicError, TimeExhausted, Web3Exception, Web3RPCError

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files import read_file
from zkpredict.contracts.chain import ChainError, Log, Receipt, Reverted, check_limits

KEY_VARIABLE = "ZKPREDICT_CHAIN_KEY"
_KEY_FILE_LIMIT = 200


class RpcChain:
    """`Chain` over the node at `url`. Without a key it can only call. Every transaction is tried as a call first, so a
    refusal costs nothing; with an explicit `gas` it is sent as it is. `seconds` bounds each request and each wait."""

    def __init__(self, url: str, key: bytes | None = None, *, seconds: float = 120.0) -> None:
        if not url.startswith(("http://", "https://")):
            raise UnusableInput(f"the RPC address must start with http:// or https://, got {url!r}")
        self._url, self._seconds = url, seconds
        self._web3 = Web3(Web3.HTTPProvider(url, request_kwargs={"timeout": seconds}))
        self._account: LocalAccount | None = None if key is None else Account.from_key(key)
        self.chain_id = self._ask(lambda: self._web3.eth.chain_id)

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
        request = {"to": Web3.to_checksum_address(to), "data": data}
        if self._account is not None:
            request["from"] = self._account.address
        if gas is not None:
            request["gas"] = gas
        return bytes(self._ask(lambda: self._web3.eth.call(request)))

    def code(self, address: str) -> bytes:
        return bytes(self._ask(lambda: self._web3.eth.get_code(Web3.to_checksum_address(address))))

    def _signer(self) -> LocalAccount:
        if self._account is None:
            raise UnusableInput(f"transactions need a key: give a key file, or put the key into {KEY_VARIABLE}")
        return self._account

    def _send(self, request: dict, gas: int | None) -> Receipt:
        signer = self._signer()
        request = {"from": signer.address, **request}
        limit = self._ask(lambda: self._web3.eth.estimate_gas(request)) if gas is None else gas
        latest = self._ask(lambda: self._web3.eth.get_block("latest"))
        tip = self._ask(lambda: self._web3.eth.max_priority_fee)
        filled = {
            **request,
            "gas": limit,
            "nonce": self._ask(lambda: self._web3.eth.get_transaction_count(signer.address, "pending")),
            "chainId": self.chain_id,
            "maxPriorityFeePerGas": tip,
            "maxFeePerGas": 2 * latest["baseFeePerGas"] + tip,
        }
        del filled["from"]
        raw = signer.sign_transaction(filled).raw_transaction
        name = self._ask(lambda: self._web3.eth.send_raw_transaction(raw))
        found = self._ask(lambda: self._web3.eth.wait_for_transaction_receipt(name, timeout=self._seconds))
        if found["status"] != 1:
            raise self._failure({**request, "gas": limit}, found)
        logs = tuple(Log(log["address"], tuple(map(bytes, log["topics"])), bytes(log["data"])) for log in found["logs"])
        return Receipt(Web3.to_hex(name), found["gasUsed"], found["contractAddress"], logs)

    def _failure(self, request: dict, found: dict) -> Reverted:
        """Why a mined transaction failed: the node runs it again as a call on the block before."""
        try:
            self._ask(lambda: self._web3.eth.call(request, found["blockNumber"] - 1))
        except Reverted as refusal:
            data, halt = refusal.data, refusal.halt
        else:
            data, halt = b"", "it fails in its block only"
        return Reverted(data, halt=halt, gas_used=found["gasUsed"], transaction=Web3.to_hex(found["transactionHash"]))

    def _ask(self, question):
        try:
            return question()
        except ContractLogicError as error:
            raise Reverted(_revert_data(error.data)) from None
        except Web3RPCError as error:
            raise _refusal((error.rpc_response or {}).get("error", {"message": str(error)}), self._url) from None
        except TimeExhausted:
            raise ChainError(f"the transaction was not mined within {self._seconds:g} seconds") from None
        except (requests.RequestException, Web3Exception) as error:
            raise ChainError(f"no answer from the node at {self._url}: {type(error).__name__}") from None


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
    return bytes.fromhex(digits)


def _refusal(answer: dict, url: str) -> Reverted | ChainError:
    """The exception for a JSON-RPC error object: the contract's refusal when it tells one, else the node's."""
    if str(answer.get("data", "")).startswith("0x"):
        return Reverted(_revert_data(answer["data"]))
    message = str(answer.get("message", answer))
    halts = ("OutOfGas", "out of gas", "EVM error", "invalid opcode", "CreateContractSizeLimit")
    if any(word in message for word in halts):
        return Reverted(b"", halt=message)
    return ChainError(f"the node at {url} refused: {message}")


def _revert_data(data: object) -> bytes:
    text = data if isinstance(data, str) else ""
    return bytes.fromhex(text[2:]) if text.startswith("0x") else b""
