"""Where the contract keeps things: every value has a memory word of its own, at an address that is a constant in the source.

Words called T0, T1, ... alone hold one value after the other: each belongs to the block of statements that wrote it last.

Solidity's own words 0x00-0x7f stay as they are (0x00-0x3f is its scratch space). Nothing is read before it was written, except
zero padding, which the EVM gives to every fresh call.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

WORD_BYTES = 32
FIRST_FREE = 0x80


@dataclass
class MemoryMap:
    """Named addresses, handed out upwards from `end`."""

    end: int = FIRST_FREE
    places: dict[str, int] = field(default_factory=dict)
    dead: list[int] = field(default_factory=list)

    def area(self, name: str, size: int) -> str:
        """Reserves `size` bytes, rounded up to whole words; gives back the name."""
        if name in self.places:
            raise ValueError(f"memory area {name} is reserved twice")
        self.places[name] = self.end
        self.end += -(-size // WORD_BYTES) * WORD_BYTES
        return name

    def word(self, name: str) -> str:
        """Reserves one word."""
        return self.area(name, WORD_BYTES)

    def at(self, name: str, address: int) -> str:
        """Names an address inside an area that exists."""
        self.places[name] = address
        return name

    def spare(self) -> Iterator[str]:
        """Endless names of fresh words."""
        number = sum(name.startswith("T") and name[1:].isdigit() for name in self.places)
        while True:
            yield self.word(f"T{number}")
            number += 1

    def bury(self, start: int, end: int) -> None:
        """Says that nothing reads the words from `start` to `end` any more when the first `scratch` word is written."""
        self.dead += range(start, end - end % WORD_BYTES, WORD_BYTES)

    def scratch(self) -> Iterator[str]:
        """Endless names of words for values that only one block of statements reads: the same ones for every block, dead ones first."""
        for number in count():
            name = f"T{number}"
            if name not in self.places:
                self.at(name, self.dead.pop(0)) if self.dead else self.word(name)
            yield name

    def constants(self, indent: str) -> str:
        """Solidity constants for all places."""
        return "\n".join(f"{indent}uint256 private constant {name} = {place:#x};" for name, place in self.places.items())
