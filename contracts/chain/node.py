"""Questions to an EVM node over JSON-RPC. The node is not trusted: its answers are bounded, parsed and typed here and nowhere else.

Whatever is wrong with an answer, the `ChainError` names the method that was asked and what came.
"""

from __future__ import annotations

import re
import reprlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError
from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from zkpredict.circuits.files.codec import load_json
from zkpredict.circuits.errors import MalformedFile
from zkpredict.contracts.chain.interface import ChainError, Reverted

MAX_ANSWER_BYTES = 1 << 24
_CHUNK_BYTES = 1 << 16
_MAX_MESSAGE = 300
_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
_DATA = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
_HALTS = ("OutOfGas", "out of gas", "EVM error", "invalid opcode", "CreateContractSizeLimit")


@dataclass(frozen=True)
class Answer:
    """A JSON value from a node. `question` says who was asked what, `path` where in the answer the value is."""

    value: object
    question: str
    path: str = ""

    def __getitem__(self, name: str) -> Answer:
        """The member called `name`; a missing one has the value None. Raises `ChainError` unless this is an object."""
        if not isinstance(self.value, dict):
            raise self.unlike("an object")
        return Answer(self.value.get(name), self.question, f"{self.path}.{name}".lstrip("."))

    def items(self) -> list[Answer]:
        """The entries of a list."""
        if not isinstance(self.value, list):
            raise self.unlike("a list")
        return [Answer(value, self.question, f"{self.path}[{index}]") for index, value in enumerate(self.value)]

    def quantity(self, bits: int = 64) -> int:
        """A number below 2^bits: gas, fees in wei, block numbers, chain ids; balances need more than 64."""
        if not isinstance(self.value, str) or not _QUANTITY.fullmatch(self.value) or int(self.value, 16) >> bits:
            raise self.unlike(f"a number below 2^{bits} as 0x and hex digits")
        return int(self.value, 16)

    def data(self, size: int | None = None) -> bytes:
        """Bytes, `size` of them when it is given."""
        if not isinstance(self.value, str) or not _DATA.fullmatch(self.value) or size not in (None, len(self.value) // 2 - 1):
            raise self.unlike(f"{'' if size is None else f'{size} '}bytes as 0x and hex digits")
        return bytes.fromhex(self.value[2:])

    def unlike(self, wanted: str) -> ChainError:
        """The error for a value that is not what was `wanted`."""
        place = f" as {self.path}" if self.path else ""
        return ChainError(f"{self.question} with {reprlib.repr(self.value)}{place}, expected {wanted}")


def shown_url(url: str) -> str:
    """What messages may say about a node's address: scheme, host and port. User, password, path and query, where keys to a
    service are kept, are left out."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "an address that cannot be read"
    if host is None:
        return "an address without a host"
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port is not None else "")


class Node(JSONBaseProvider):
    """web3's way to the node at `url`: what web3 reads was bounded, parsed and typed before, and cut down to what is used.

    `seconds` bounds each question, connection and silence of the node alike.
    """

    def __init__(self, url: str, seconds: float) -> None:
        super().__init__()
        self.url, self.name, self._seconds = url, shown_url(url), seconds
        self._session = requests.Session()
        self.global_ccip_read_enabled = False  # else a contract could send us to any server

    def make_request(self, method: RPCEndpoint, params: Sequence[object]) -> RPCResponse:
        """For web3. Raises `Reverted` when a contract refuses, `ChainError` for a refusal of the node or a bad answer."""
        return {"jsonrpc": "2.0", "id": 1, "result": _RESULTS[method](self.ask(method, *params))}

    def ask(self, method: str, *params: object) -> Answer:
        """The node's result, of any type."""
        question = f"the node at {self.name} answers {method}"
        body = self._post(question, self.encode_rpc_request(RPCEndpoint(method), params))
        try:
            answer = Answer(load_json(body, "the answer"), question)
        except MalformedFile as error:
            raise ChainError(f"{question} with {len(body)} bytes that cannot be read: {error}") from None
        if answer["error"].value is not None:
            raise self._refusal(answer["error"])
        if not isinstance(answer.value, dict) or "result" not in answer.value:
            raise answer.unlike("a result or an error")
        return Answer(answer["result"].value, question)

    def _post(self, question: str, request: bytes) -> bytes:
        """The body of the answer. Redirects are not followed: their bodies would be read without a limit."""
        deadline = time.monotonic() + self._seconds
        body = bytearray()
        try:
            with self._session.post(
                self.url, request, headers=_HEADERS, timeout=self._seconds, stream=True, allow_redirects=False
            ) as response:
                if response.status_code != requests.codes.ok:
                    raise ChainError(f"{question} with the HTTP status {response.status_code}, expected 200")
                while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
                    body += chunk
                    if len(body) > MAX_ANSWER_BYTES:
                        raise ChainError(f"{question} with more than {MAX_ANSWER_BYTES} bytes")
                    if time.monotonic() > deadline:
                        raise ChainError(f"{question} for more than {self._seconds:g} seconds")
        except (requests.RequestException, HTTPError, UnicodeError, OSError) as error:
            raise ChainError(f"no answer from the node at {self.name}: {type(error).__name__} (is it running, and is this its address?)") from None
        return bytes(body)

    def _refusal(self, error: Answer) -> Reverted | ChainError:
        """The exception for a JSON-RPC error object: the contract's refusal when it tells one, else the node's."""
        data, told = error["data"], error["message"].value
        if isinstance(data.value, str) and data.value.startswith("0x"):
            return Reverted(data.data())
        message = _one_line(told if isinstance(told, str) else reprlib.repr(error.value))
        if any(word in message for word in _HALTS):
            return Reverted(b"", halt=message)
        if "revert" in message.lower():
            return Reverted(b"")
        return ChainError(f"the node at {self.name} refused: {message}")


def _quantity(answer: Answer) -> str:
    return hex(answer.quantity())


def _data(answer: Answer, size: int | None = None) -> str:
    return f"0x{answer.data(size).hex()}"


def _receipt(answer: Answer) -> dict[str, Any] | None:
    """What a receipt is used for; None while there is none."""
    if answer.value is None:
        return None
    created = answer["contractAddress"]
    return {name: _quantity(answer[name]) for name in ("status", "gasUsed", "blockNumber")} | {
        "contractAddress": None if created.value is None else _data(created, 20),
        "logs": [
            {"address": _data(log["address"], 20), "topics": [_data(t, 32) for t in log["topics"].items()], "data": _data(log["data"])}
            for log in answer["logs"].items()
        ],
    }


_HEADERS = {"Content-Type": "application/json"}
_RESULTS: dict[str, Callable[[Answer], object]] = {
    "eth_chainId": _quantity,
    "eth_call": _data,
    "eth_getCode": _data,
    "eth_estimateGas": _quantity,
    "eth_getBlockByNumber": lambda answer: {"baseFeePerGas": _quantity(answer["baseFeePerGas"])},
    "eth_maxPriorityFeePerGas": _quantity,
    "eth_getTransactionCount": _quantity,
    "eth_sendRawTransaction": lambda answer: _data(answer, 32),
    "eth_getTransactionReceipt": _receipt,
}
"""The questions that are asked, and what their answers must be."""


def _one_line(text: str) -> str:
    """A stranger's words for a terminal: nothing but printable characters, and not many."""
    return "".join(character if character.isprintable() else " " for character in text[:_MAX_MESSAGE])
