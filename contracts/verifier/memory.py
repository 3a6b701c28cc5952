"""Where the contract keeps things: every value has a memory word of its own, at an address that is a constant in the source.

Solidity's own words 0x00-0x7f stay as they are (0x00-0x3f is its scratch space). Nothing is read before it was written, except
zero padding, which the EVM gives to every fresh call.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

WORD_BYTES = 32
FIRST_FREE = 0x80


@dataclass
class MemoryMap:
    """Named addresses, handed out upwards from `end`."""

    end: int = FIRST_FREE
    places: dict[str, int] = field(default_factory=dict)

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

    def constants(self, indent: str) -> str:
        """Solidity constants for all places."""
        return "\n".join(f"{indent}uint256 private constant {name} = {place:#x};" for name, place in self.places.items())
