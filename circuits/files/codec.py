"""Reading untrusted bytes: every length is checked before anything is allocated, nothing may trail."""

from __future__ import annotations

import re
from collections.abc import Callable

from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.records import dataclass

MAX_JSON_DEPTH = 64
_JSON_MARKS = re.compile(rb'\\.|["\[\]{}]', re.DOTALL)


@dataclass
class ByteReader:
    """A cursor over `data`; `what` names the artefact in every error."""

    data: bytes
    what: str
    position: int = 0

    def take(self, count: int, field: str) -> bytes:
        """A copy of the next `count` bytes, called `field` in the error when fewer are left."""
        return bytes(self.view(count, field))

    def view(self, count: int, field: str) -> memoryview:
        """As `take`, without copying: for what is large."""
        left = len(self.data) - self.position
        if count > left:
            raise MalformedFile(
                f"{self.what}: {field} needs {count} bytes at offset {self.position}, {left} are left"
            )
        start, self.position = self.position, self.position + count
        return memoryview(self.data)[start : self.position]

    def unsigned(self, size: int, field: str) -> int:
        """A little-endian unsigned integer of `size` bytes."""
        return int.from_bytes(self.take(size, field), "little")

    def expect(self, constant: bytes, field: str) -> None:
        """Fails unless the next bytes are exactly `constant`."""
        found = self.take(len(constant), field)
        if found != constant:
            raise MalformedFile(f"{self.what}: {field} is {found!r}, expected {constant!r}")

    def finish(self) -> None:
        """Fails when bytes are left over."""
        left = len(self.data) - self.position
        if left:
            raise MalformedFile(f"{self.what}: {left} bytes trail after the end at offset {self.position}")


def load_json(text: bytes, what: str, number: Callable[[str], object] | None = None) -> object:
    """Parses untrusted JSON in UTF-8; nesting beyond `MAX_JSON_DEPTH` is refused before the parser, whose recursion could
    overflow the stack, sees it. `number` takes the text of what is not a whole number (default: `float`). Raises `MalformedFile`."""
    if json_depth(text) > MAX_JSON_DEPTH:
        raise MalformedFile(f"{what} is nested more than {MAX_JSON_DEPTH} deep")
    import json  # late: most files hold none

    try:
        return json.loads(text.decode(), parse_float=number, parse_constant=number)  # given bytes, json would guess other encodings, whose depth nobody counted
    except ValueError:
        raise MalformedFile(f"{what} is no JSON") from None


def json_depth(text: bytes) -> int:
    """Deepest nesting of brackets outside strings."""
    depth = deepest = 0
    in_string = False
    for match in _JSON_MARKS.finditer(text):
        mark = match.group()
        if mark == b'"':
            in_string = not in_string
        elif not in_string and mark in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif not in_string and mark in b"]}":
            depth -= 1
    return deepest
