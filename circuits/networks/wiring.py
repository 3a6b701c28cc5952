"""What a layer reads, when it is not just the layer before: sums of earlier layers, and several maps at once.

    residual   : `sources` of several layers of one size: their numbers are added up before the layer reads them
    beside     : a kernel has taps on further maps too, each by windows of its own over as many positions. Taps of one position on an
                 earlier map are a residual connection in front of the activation (a projection, when they are a matrix); windows of
                 the same shape on several maps are their concatenation
    largest    : the layer has no weights: it hands on the largest number of each window (`zkpredict.circuits.networks.pooling`)

What is read is public: it is in the bytes of networks and circuits. Layers are counted from 0; the input of the network is read by
the first layer only.
"""

from __future__ import annotations

import re

from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.networks.grid import Grid
from zkpredict.circuits.records import dataclass

MAX_SOURCES, MAX_BESIDE = 32, 32


@dataclass(frozen=True)
class Reading:
    """Windows of `grid` over the sum of what the layers `sources` hand on."""

    sources: tuple[int, ...]
    grid: Grid


@dataclass(frozen=True)
class Wiring:
    """`sources`: the layers whose sum is read, in ascending order; none stands for the layer before alone. `beside`: further readings of
    a kernel, whose taps follow its own, in order. `largest`: whether this is a max pool."""

    sources: tuple[int, ...] = ()
    beside: tuple[Reading, ...] = ()
    largest: bool = False

    @property
    def plain(self) -> bool:
        """Whether it reads what the layer before hands on, and nothing else, by weights."""
        return self == PLAIN

    def all_sources(self, number: int) -> tuple[tuple[int, ...], ...]:
        """The layers that each reading of layer `number` (not the first) adds up: its own, then those beside it."""
        return (self.sources or (number - 1,), *(reading.sources for reading in self.beside))

    def check(self, number: int, grid: Grid | None) -> None:
        """Raises `UnsupportedNetwork` unless layer `number`, whose own geometry is `grid`, can read so."""
        what = f"layer {number}"
        if number == 0 and not self.plain:
            raise UnsupportedNetwork(f"{what} reads the network's input: it is a plain dense layer or convolution, no max pool")
        if self.sources == (number - 1,):
            raise UnsupportedNetwork(f"{what} reads layer {number - 1} alone, which has no sources in its wiring")
        for sources in (self.sources, *(reading.sources for reading in self.beside)):
            if list(sources) != sorted(set(sources)) or len(sources) > MAX_SOURCES or not all(0 <= one < number for one in sources):
                raise UnsupportedNetwork(f"{what} reads up to {MAX_SOURCES} layers before it, each once and in order, got {sources}")
        if not all(reading.sources for reading in self.beside) or len(self.beside) > MAX_BESIDE:
            raise UnsupportedNetwork(f"{what} has up to {MAX_BESIDE} readings beside its own, and each names its layers")
        if self.largest and (self.beside or grid is None or grid.area != 1):
            raise UnsupportedNetwork(f"{what} is a max pool: it has one grid without sums, and nothing beside it")
        if self.beside and grid is None:
            raise UnsupportedNetwork(f"{what} reads other maps beside its own: it needs a grid")
        for reading in self.beside:
            if grid is not None and reading.grid.positions != grid.positions:
                raise UnsupportedNetwork(
                    f"{what} has {grid.positions[0]} x {grid.positions[1]} positions, beside it are {reading.grid.positions[0]} x {reading.grid.positions[1]}"
                )

    def in_words(self, shape: str) -> str:
        """`shape` with what is read beside the layer before, as in `... of layers 0 + 2, beside layer 1`."""
        own = f" of layers {' + '.join(map(str, self.sources))}" if self.sources else ""
        beside = ", ".join(" + ".join(map(str, reading.sources)) for reading in self.beside)
        if self.largest:
            shape = re.sub(r" by \d+ kernels ", " in maxima of ", shape)
        return f"{shape}{own}{f', beside layer {beside}' if beside else ''}"

    @property
    def differs_by_side(self) -> bool:
        """Whether strides or pools of a map beside its own do."""
        return any(reading.grid.differs_by_side for reading in self.beside)

    def to_bytes(self, by_side: bool = False) -> bytes:
        """1 for a max pool, else 0; the sources; the number of readings beside and for each its sources and its grid. Numbers are u8, and
        so is the count in front of sources."""
        parts = [bytes([self.largest, len(self.sources), *self.sources, len(self.beside)])]
        for reading in self.beside:
            parts += [bytes([len(reading.sources), *reading.sources]), reading.grid.to_bytes(by_side)]
        return b"".join(parts)

    @classmethod
    def take(cls, reader: ByteReader, what: str, by_side: bool = False) -> Wiring:
        """Parses `to_bytes` output at the cursor. Raises `MalformedFile`, or `UnsupportedNetwork` for a grid out of range."""
        largest = reader.unsigned(1, f"{what} wiring")
        if largest > 1:
            raise MalformedFile(f"{reader.what}: {what} wiring is {largest}, expected 0 or 1")
        sources = _take_sources(reader, what)
        beside = []
        for _ in range(reader.unsigned(1, f"{what} readings")):
            own = _take_sources(reader, what)
            beside.append(Reading(own, Grid.take(reader, what, by_side)))
        return cls(sources, tuple(beside), bool(largest))


PLAIN = Wiring()


def _take_sources(reader: ByteReader, what: str) -> tuple[int, ...]:
    return tuple(reader.take(reader.unsigned(1, f"{what} source count"), f"{what} sources"))
