"""The geometry of a circuit with two convolutions whose few rows of weights hold the kernels and packs of all layers.

    quarter : B/4 blocks of a track, B = n/32. A quarter's packs have 3 B/4 more as exponents than those of the next one
    first   : kernels over the input. A pack a position; the four positions of one window of 2 x 2 lie at one place of the four quarters,
              windows one behind another on places 0, 1, 2 of a block, then the next block, then the next track
    second  : kernels over sums of those windows, all on the last track. A window a block, its four positions again one in each quarter,
              group p of channels at place p of the blocks
    dense   : packs on blocks residue, residue + stride, ... of the last track, behind the groups; a quarter of them in each quarter
    row     : row j of R holds, of every dense layer, the packs of quarter j, one behind another: its *seats*. All kernels are in row R - 1.
              Its weight is alpha^(3 B/4 (R - 1 - j)), so one column of what rows meet, `conv`, serves all of them

Entries of `conv`, in order: those of the first kernels, of each group of the second, of each seat of each dense layer; each is a bias's
entry and one for each number that is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from zkpredict.circuits.convolution.encoding import take_geometry
from zkpredict.circuits.convolution.layout import ConvCircuit
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.networks.activations import RELU8
from zkpredict.circuits.networks.grid import Grid
from zkpredict.circuits.records import dataclass
from zkpredict.circuits.rows import RowColumn
from zkpredict.circuits.wide.claims import Kind
from zkpredict.circuits.wide.geometry import PACK_LANES, PACKS_PER_BLOCK, Band, Piece, lay_out, packs_of
from zkpredict.circuits.wide.layout import CONVOLUTION_MAGIC, DOUBLE, NARROW, SHARED_MAGIC

if TYPE_CHECKING:
    from zkpredict.circuits.gadgets.base import Gadget

QUARTERS = 4
ROWS, MET = "rows", "conv"
"""The column of the model, and that of what it meets."""
FIRST_DENSE = 2


def power_step(layer: int) -> int:
    """Which power of a lane's h weighs it: the fourth, where the lanes of a window are added up."""
    return QUARTERS if layer == FIRST_DENSE else 1


@dataclass(frozen=True)
class Segment:
    """Entries `start`, `start + 1`, ... `start + count - 1` of a row, for the kernels of one group (`number`) of a convolution, or one
    seat of a dense layer."""

    layer: int
    number: int
    start: int
    count: int


@dataclass(frozen=True)
class SharedCircuit(ConvCircuit):
    """Raises `UnsupportedNetwork` when the layers are others than two convolutions, each read by sums of 2 x 2, and dense ones."""

    def __post_init__(self) -> None:
        self.check_sizes()
        if wrong := self._wrong():
            raise UnsupportedNetwork(f"circuits with shared rows hold {wrong}")
        super().__post_init__()
        if self.entries > self.domain - 1:
            raise UnsupportedNetwork(f"a shared row has {self.entries} entries, at most {self.domain - 1} fit")

    def _wrong(self) -> str:
        if len(self.grids) != self.layers or self.layers < FIRST_DENSE + 1 or self.wiring:
            return "two convolutions, then dense layers, without max pools or residuals"
        first, second, third = self.grids[:3]
        if first is None or second is None or third is None or any(self.grids[3:]):
            return "two convolutions, then dense layers, the first of them behind a pool"
        if any(one.strides != (1, 1) or any((one.pad_top, one.pad_left, one.pad_bottom, one.pad_right)) for one in (first, second)):
            return "kernels with stride 1 and no padding"
        if (first.channels, first.pool_sides, second.pool_sides, third.pool_sides) != (1, (1, 1), (2, 2), (2, 2)) or not third.covers:
            return "grey images, and averages of 2 x 2 behind both convolutions"
        made = [(*one.positions, self.channels(layer)) for layer, one in enumerate((first, second))]
        if made != [(one.height, one.width, one.channels) for one in (second, third)]:
            return "maps that are read as they are made: with the same rows, columns and channels"
        if any(side % 2 for side in (*first.positions, *second.positions)):
            return "maps of even sides, so that each position is in a window of 2 x 2"
        if set(self.activations) != {RELU8}:
            return "saturating bytes (relu8) behind every hidden layer"
        if set(self.lanes) != {NARROW} or self.claim.kind is Kind.LOGITS:
            return "numbers of one lane, and claims of a class, a margin or a threshold"
        if self.channels(0) > PACK_LANES or self.channels(1) > PACK_LANES * (PACKS_PER_BLOCK - 1):
            return f"at most {PACK_LANES} channels in the first convolution and {PACK_LANES * (PACKS_PER_BLOCK - 1)} in the second"
        if self.windows(third) > self.blocks // QUARTERS:
            return f"at most {self.blocks // QUARTERS} windows of 2 x 2 behind the second convolution"
        if any(power_step(layer) * (self.numbers_read(layer) - 1) > self.domain // 2 for layer in range(FIRST_DENSE, self.layers)):
            return f"dense layers that read at most {self.domain // 8 + 1} numbers behind the second convolution, {self.domain // 2 + 1} further on"
        return ""

    @staticmethod
    def windows(grid: Grid) -> int:
        """The windows of 2 x 2 that a layer with this grid reads."""
        rows, columns, _ = grid.pooled
        return rows * columns

    def gadgets(self) -> tuple[Gadget, ...]:
        from zkpredict.circuits.shared.gadgets import shared_gadgets  # late: it builds on this module

        return shared_gadgets(self)

    @property
    def rounds(self) -> Mapping[str, tuple[str, ...]]:
        from zkpredict.circuits.convolution.placement import CONVOLUTION_ROUNDS  # late: it builds on this module's base

        return CONVOLUTION_ROUNDS

    # bands

    @property
    def quarter(self) -> int:
        """Blocks of a quarter."""
        return self.blocks // QUARTERS

    @property
    def quarter_step(self) -> int:
        """By how much exponents of a quarter are above those of the next one."""
        return PACKS_PER_BLOCK * self.quarter

    @property
    def last_track(self) -> int:
        """The track of all layers behind the first: the windows of that one fill those before it."""
        return -(-self.windows(self.grid(1)) // (PACKS_PER_BLOCK * self.quarter))

    @property
    def dense_place(self) -> int:
        """Where packs of dense layers lie in their blocks."""
        return -(-self.channels(1) // PACK_LANES)

    @cached_property
    def _groups(self) -> tuple[list[tuple[Band, ...]], int]:
        track, blocks = self.last_track, self.blocks
        whole = [Piece(number, 0, 1, blocks, blocks) for number in range(track)]
        first = Band.on(track * PACKS_PER_BLOCK * blocks * PACK_LANES, NARROW, whole)
        second = [
            Band.on(blocks * PACK_LANES, NARROW, [Piece(track, 0, 1, blocks, blocks, (place,))]) for place in range(self.dense_place)
        ]
        dense = range(FIRST_DENSE, self.layers)
        packs = [packs_of(self.widths[layer + 1], self._lanes(layer)) for layer in dense]
        sizes = [max(QUARTERS, 1 << (count - 1).bit_length()) for count in packs]
        if sum(sizes) > blocks:
            raise UnsupportedNetwork(f"dense layers of {', '.join(map(str, packs))} packs do not fit {blocks} blocks")
        found, _ = lay_out(([size] for size in sizes), blocks)
        bands = [
            Band.on(self.widths[layer + 1], self._lanes(layer), [Piece(track, own.residue, own.stride, own.blocks, blocks, (self.dense_place,))])
            for layer, (own,) in zip(dense, found, strict=True)
        ]
        return [(first,), tuple(second), *((band,) for band in bands)], track + 1

    def _lanes(self, layer: int) -> int:
        return self.lanes[layer] if layer < self.layers - 1 else DOUBLE

    def place_of(self, layer: int, position: int) -> int:
        """Which pack of a group of a convolution a position is."""
        columns = self.grid(layer).positions[1]
        (down, a), (across, b) = divmod(position // columns, 2), divmod(position % columns, 2)
        window, quarter = down * (columns // 2) + across, 2 * a + b
        if layer:
            return quarter * self.quarter + window
        track, own = divmod(window, PACKS_PER_BLOCK * self.quarter)
        block, place = divmod(own, PACKS_PER_BLOCK)
        return (track * PACKS_PER_BLOCK + place) * self.blocks + quarter * self.quarter + block

    @cached_property
    def exponents_at(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The exponent of each position of both convolutions, of the first group of channels; those of group p are p less."""
        found = []
        for layer in range(FIRST_DENSE):
            band = self.groups(layer)[0]
            known = [run.exponent(number) for run in band.runs for number in range(run.count)]
            found.append(tuple(known[self.place_of(layer, position)] for position in range(self.positions(layer))))
        return found[0], found[1]

    # rows

    def seats(self, layer: int) -> int:
        """Packs of a dense layer in one row."""
        return self.groups(layer)[0].runs[0].count // QUARTERS

    @cached_property
    def joined(self) -> int:
        """How many rows there are."""
        return max(-(-self.groups(layer)[0].packs // self.seats(layer)) for layer in range(FIRST_DENSE, self.layers))

    def seat_exponent(self, layer: int, seat: int) -> int:
        """Of the pack that sits there in the last row."""
        return self.groups(layer)[0].runs[0].exponent((self.joined - 1) * self.seats(layer) + seat)

    def numbers_read(self, layer: int) -> int:
        """How many numbers a layer reads."""
        grid = self.grids[layer]
        return self.widths[layer] if grid is None else grid.taps

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """All of them, in order."""
        return tuple(self._segments())

    def _segments(self) -> Iterator[Segment]:
        start = 0
        for layer in range(self.layers):
            for number in range(len(self.groups(layer)) if layer < FIRST_DENSE else self.seats(layer)):
                yield Segment(layer, number, start, 1 + self.numbers_read(layer))
                start += 1 + self.numbers_read(layer)

    def segments_of(self, layer: int) -> list[Segment]:
        """Those of one layer."""
        return [one for one in self.segments if one.layer == layer]

    @property
    def entries(self) -> int:
        """Of a row, those that are in use."""
        return self.segments[-1].start + self.segments[-1].count

    @cached_property
    def row_columns(self) -> tuple[RowColumn, ...]:
        return (RowColumn(ROWS, 0, True, tuple(self.quarter_step * (self.joined - 1 - row) for row in range(self.joined))),)

    @property
    def met_by_rows(self) -> str | None:
        return MET

    @property
    def degrees(self) -> dict[str, int]:
        """Of public polynomials, where they are less than n - 1."""
        dense = range(FIRST_DENSE, self.layers)
        return {f"geometric{layer}": power_step(layer) * (self.numbers_read(layer) - 1) for layer in dense} | {"public_part": 0}

    def hidden_convolutions(self) -> list[tuple[int, int, int]]:
        """None: what kernels meet is in the one column that all layers share."""
        return []

    # bytes

    def to_bytes(self) -> bytes:
        """As of a circuit with convolutions, with another magic."""
        return SHARED_MAGIC + super().to_bytes()[len(SHARED_MAGIC) :]

    @classmethod
    def read(cls, reader: ByteReader) -> SharedCircuit:
        """Parses `to_bytes` output at the cursor. Raises `MalformedFile`."""
        parts = cls.read_parts(reader, SHARED_MAGIC)
        try:
            return cls(*parts, *take_geometry(reader, CONVOLUTION_MAGIC, len(parts[0]) - 1))
        except UnsupportedNetwork as error:
            raise MalformedFile(f"{reader.what}: {error}") from None
