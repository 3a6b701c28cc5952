"""Questions to an EVM node over JSON-RPC. The node is not trusted: its answers are bounded, parsed and typed here and nowhere else.

Whatever is wrong with an answer, the `ChainError` names the method that was asked and what came.
"""

from __future__ import annotations

import re
import reprlib
import time
from dataclasses import dataclass

import requests
from urllib3.exceptions import HTTPError

from zkpredict.circuits.codec import load_json
from zkpredict.circuits.errors import MalformedFile
from zkpredict.contracts.chain import ChainError, Reverted

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

    def quantity(self) -> int:
        """A number below 2^64: gas, fees in wei, block numbers, chain ids."""
        if not isinstance(self.value, str) or not _QUANTITY.fullmatch(self.value) or int(self.value, 16) >> 64:
            raise self.unlike("a number below 2^64 as 0x and hex digits")
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


class Node:
    """The node at `url`. `seconds` bounds each question, connection and silence of the node alike."""

    def __init__(self, url: str, seconds: float) -> None:
        self.url, self._seconds = url, seconds
        self._session = requests.Session()

    def ask(self, method: str, *params: object) -> Answer:
        """The node's result. Raises `Reverted` when a contract refuses, `ChainError` for a refusal of the node or a bad answer."""
        question = f"the node at {self.url} answers {method}"
        body = self._post(question, {"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        try:
            answer = Answer(load_json(body, "the answer"), question)
        except MalformedFile as error:
            raise ChainError(f"{question} with {len(body)} bytes that cannot be read: {error}") from None
        if answer["error"].value is not None:
            raise self._refusal(answer["error"])
        if "result" not in answer.value:
            raise answer.unlike("a result or an error")
        return Answer(answer["result"].value, question)

    def _post(self, question: str, request: dict) -> bytes:
        """The body of the answer. Redirects are not followed: their bodies would be read without a limit."""
        deadline = time.monotonic() + self._seconds
        body = bytearray()
        try:
            with self._session.post(
                self.url, json=request, timeout=self._seconds, stream=True, allow_redirects=False
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
            raise ChainError(f"no answer from the node at {self.url}: {type(error).__name__}") from None
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
        return ChainError(f"the node at {self.url} refused: {message}")


def _one_line(text: str) -> str:
    """A stranger's words for a terminal: nothing but printable characters, and not many."""
    return "".join(character if character.isprintable() else " " for character in text[:_MAX_MESSAGE])
