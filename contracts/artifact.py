"""Compiled contracts as they ship: ABI, code, compiler version and settings in one JSON file each, and the ABI's codec."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

from eth_abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError
from eth_utils import keccak, to_checksum_address

from zkpredict.circuits.errors import MalformedFile, UnusableInput

SOLIDITY_ERRORS = {
    bytes.fromhex("08c379a0"): ("Error", ("string",)),
    bytes.fromhex("4e487b71"): ("Panic", ("uint256",)),
}
"""Selectors of the two errors that solc itself puts into contracts."""
_PACKAGES = ("zkpredict.contracts.open", "zkpredict.contracts.systems")


@dataclass(frozen=True)
class Artifact:
    """One compiled contract. `bytecode` creates it, `runtime` is the code it then has; both without link references."""

    name: str
    abi: tuple[dict[str, Any], ...]
    bytecode: bytes
    runtime: bytes
    compiler: str
    settings: dict[str, Any]
    immutables: tuple[int, ...] = ()
    """Where `runtime` leaves a word free for the value of the contract's only immutable: known of what was compiled now, not of what ships."""

    def with_immutable(self, value: bytes) -> bytes:
        """The code of the contract that was made with `value`, 32 bytes."""
        code = bytearray(self.runtime)
        for place in self.immutables:
            code[place : place + len(value)] = value
        return bytes(code)

    @classmethod
    def from_json(cls, text: str) -> Artifact:
        """Parses what `to_json` wrote. Raises `MalformedFile`."""
        try:
            data = json.loads(text)
            return cls(
                data["name"],
                tuple(data["abi"]),
                bytes.fromhex(data["bytecode"]),
                bytes.fromhex(data["runtime"]),
                data["compiler"],
                data["settings"],
            )
        except (ValueError, KeyError, TypeError) as error:
            raise MalformedFile(f"contract artefact: {error!r}") from None

    def to_json(self) -> str:
        """Readable, stable JSON: the same contract always gives the same text."""
        data = {
            "name": self.name,
            "compiler": self.compiler,
            "settings": self.settings,
            "abi": list(self.abi),
            "bytecode": self.bytecode.hex(),
            "runtime": self.runtime.hex(),
        }
        return json.dumps(data, indent=1) + "\n"

    def creation_code(self, *arguments: Any) -> bytes:
        """Init code for a creation transaction: bytecode and the ABI-encoded constructor arguments."""
        constructor = next((entry for entry in self.abi if entry["type"] == "constructor"), None)
        types = _types(constructor["inputs"]) if constructor else ()
        return self.bytecode + _encode(types, arguments, f"constructor of {self.name}")

    def encode(self, function: str, *arguments: Any) -> bytes:
        """Calldata of a call: selector and arguments. An overloaded function is named with its types, `verify(bytes32)`."""
        selector, inputs, _ = self._function(function)
        return selector + _encode(inputs, arguments, f"{self.name}.{function}")

    def decode(self, function: str, output: bytes) -> Any:
        """The value of a function's output; a tuple for several, None for none. Raises `MalformedFile`."""
        _, _, outputs = self._function(function)
        try:
            values = decode(outputs, output)
        except (DecodingError, UnicodeDecodeError) as error:
            raise MalformedFile(f"{self.name}.{function} returned {len(output)} bytes that are not {outputs}: {error}") from None
        return values if len(outputs) > 1 else values[0] if outputs else None

    def decode_error(self, data: bytes) -> tuple[str, tuple[Any, ...]]:
        """Name and arguments of the custom error in revert data, `("", ())` when it holds none that this ABI knows."""
        name, types = self._errors.get(data[:4], ("", ()))
        try:
            return name, decode(types, data[4:])
        except (DecodingError, UnicodeDecodeError):
            return "", ()

    def topic(self, event: str) -> bytes:
        """The first topic of an event's records. Raises `UnusableInput` when there is no such event."""
        for entry in self.abi:
            if entry["type"] == "event" and entry["name"] == event:
                return keccak(text=_signature(entry))
        raise UnusableInput(f"{self.name} has no event called {event}")

    def decode_event(self, topics: tuple[bytes, ...], data: bytes) -> tuple[str, dict[str, Any]]:
        """Name and arguments of one event record; indexed dynamic arguments stay hashes. Raises `MalformedFile`."""
        for entry in self.abi:
            if entry["type"] != "event" or not topics or keccak(text=_signature(entry)) != topics[0]:
                continue
            plain = [field for field in entry["inputs"] if not field["indexed"]]
            indexed = [field for field in entry["inputs"] if field["indexed"]]
            try:
                values = dict(zip([field["name"] for field in plain], decode(_types(plain), data), strict=True))
                for field, topic in zip(indexed, topics[1:], strict=True):
                    dynamic = field["type"] in ("bytes", "string") or field["type"].endswith("]")
                    values[field["name"]] = topic if dynamic else decode([_type(field)], topic)[0]
            except (DecodingError, ValueError) as error:
                raise MalformedFile(f"{self.name} has no such {entry['name']} event: {error}") from None
            return entry["name"], {field["name"]: values[field["name"]] for field in entry["inputs"]}
        raise MalformedFile(f"{self.name} has no event with the topic 0x{topics[0].hex() if topics else ''}")

    @cached_property
    def _functions(self) -> dict[str, tuple[bytes, tuple[str, ...], tuple[str, ...]]]:
        found: dict[str, tuple[Any, ...]] = {}
        for entry in self.abi:
            if entry["type"] == "function":
                signature = _signature(entry)
                parts = (keccak(text=signature)[:4], _types(entry["inputs"]), _types(entry["outputs"]))
                found[signature] = parts
                found[entry["name"]] = () if entry["name"] in found else parts
        return found

    @cached_property
    def _errors(self) -> dict[bytes, tuple[str, tuple[str, ...]]]:
        own = [entry for entry in self.abi if entry["type"] == "error"]
        return SOLIDITY_ERRORS | {keccak(text=_signature(e))[:4]: (e["name"], _types(e["inputs"])) for e in own}

    def _function(self, name: str) -> tuple[bytes, tuple[str, ...], tuple[str, ...]]:
        found = self._functions.get(name)
        if not found:
            known = ", ".join(key for key in self._functions if "(" in key)
            problem = "several functions" if found == () else "no function"
            raise UnusableInput(f"{self.name} has {problem} called {name}; it has {known}")
        return found


@cache
def load(name: str) -> Artifact:
    """The shipped artefact of contract `name`. Raises `UnusableInput` when there is none."""
    for package in _PACKAGES:
        resource = files(package).joinpath("artifacts", f"{name}.json")
        if resource.is_file():
            return Artifact.from_json(resource.read_text(encoding="utf-8"))
    raise UnusableInput(f"no compiled contract is called {name}")


def address_text(raw: bytes) -> str:
    """20 bytes as a checksummed address (EIP-55)."""
    return to_checksum_address(raw)


def _type(field: dict[str, Any]) -> str:
    kind = field["type"]
    return f"({','.join(_types(field['components']))}){kind[len('tuple'):]}" if kind.startswith("tuple") else kind


def _types(fields: list[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(map(_type, fields))


def _signature(entry: dict[str, Any]) -> str:
    return f"{entry['name']}({','.join(_types(entry['inputs']))})"


def _encode(types: tuple[str, ...], arguments: tuple[Any, ...], what: str) -> bytes:
    if len(types) != len(arguments):
        raise UnusableInput(f"{what} takes {len(types)} arguments ({', '.join(types)}), got {len(arguments)}")
    try:
        return encode(types, arguments)
    except EncodingError as error:
        raise UnusableInput(f"{what}: {error}") from None
