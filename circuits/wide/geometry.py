"""Where everything lies in a wide circuit: a lane is one row of one track, packs of ten lanes, three packs in a block of 32 rows.

    track : three bytes a row (top, mid, low) = one lane of 24 bits a row; n rows, so n / 32 blocks
    block : rows 0-9, 10-19, 20-29 are packs, rows 30 and 31 are idle
    piece : blocks residue, residue + stride, ... of one track, a power of two of them, so that "is a row of this piece" depends on
            a power of X alone
    band  : the packs of one layer (or of the differences of a claim): a few pieces

A pack's exponent of alpha follows from where it lies: the fold runs over all tracks at once and gives pack `position` of block b on
track g the power 3 B g + 3 (B - 1 - b) + (2 - position) of alpha, with B = n / 32.

A slotted circuit has every J-th block only: other inputs of a batch have the same pieces 1, 2, ... J - 1 blocks further on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from zkpredict.circuits.records import dataclass

LANE_BITS = 24
PACK_LANES = 10
PACK_BITS = PACK_LANES * LANE_BITS
BLOCK_ROWS = 32
PACKS_PER_BLOCK = 3
IDLE_ROWS = (30, 31)
"""Of block 0 of every row column: the bias and the random entry. Of block 0 of track 0: the largest logit, high lane and low lane."""
BIAS_ROW, BLINDING_ROW = IDLE_ROWS


@dataclass(frozen=True)
class Run:
    """Packs `first`, `first + 1`, ... of a band, `count` of them, with exponents that fall by `step` to `last`."""

    first: int
    count: int
    last: int
    step: int

    def exponent(self, number: int) -> int:
        """Of pack `first + number`."""
        return self.last + self.step * (self.count - 1 - number)


@dataclass(frozen=True)
class Piece:
    """Blocks `residue + k stride` for k < `blocks` of `track`, of a circuit with `per_track` blocks a track: all packs of them, or those
    at some `positions`."""

    track: int
    residue: int
    stride: int
    blocks: int
    per_track: int
    positions: tuple[int, ...] = tuple(range(PACKS_PER_BLOCK))

    def pack_row(self, position: int, number: int) -> int:
        """First row of the pack at `position` in the piece's block `number`."""
        return (self.residue + number * self.stride) * BLOCK_ROWS + position * PACK_LANES

    def run(self, position: int, first: int) -> Run:
        """The packs at `position` of all its blocks."""
        last_block = self.residue + (self.blocks - 1) * self.stride
        last = PACKS_PER_BLOCK * (self.per_track * self.track + self.per_track - 1 - last_block) + PACKS_PER_BLOCK - 1 - position
        return Run(first, self.blocks, last, PACKS_PER_BLOCK * self.stride)

    def lane_rows(self, places: Iterable[int]) -> dict[int, int]:
        """{row modulo the piece's period: 1} for the lanes at `places` (0..9) of each pack."""
        start = self.residue * BLOCK_ROWS
        return {start + PACK_LANES * position + place: 1 for position in self.positions for place in places}

    @property
    def period(self) -> int:
        """Rows after which the piece's own repeat."""
        return self.stride * BLOCK_ROWS


@dataclass(frozen=True)
class Band:
    """`values` numbers of `lanes` lanes each, in the packs of `pieces`, which may have packs to spare behind them.

    Packs are counted piece by piece, position by position, block by block. Without pieces (public outputs) packs have `runs` alone.
    """

    values: int
    lanes: int
    pieces: tuple[Piece, ...]
    runs: tuple[Run, ...]

    @classmethod
    def on(cls, values: int, lanes: int, pieces: Iterable[Piece]) -> Band:
        """On these pieces, in this order."""
        pieces, runs, first = tuple(pieces), [], 0
        for piece in pieces:
            for position in piece.positions:
                runs.append(piece.run(position, first))
                first += piece.blocks
        return cls(values, lanes, pieces, tuple(runs))

    @property
    def values_per_pack(self) -> int:
        return PACK_LANES // self.lanes

    @property
    def packs(self) -> int:
        """Packs in use."""
        return packs_of(self.values, self.lanes)

    @property
    def tracks(self) -> tuple[int, ...]:
        """On which it lies, in order."""
        return tuple(sorted({piece.track for piece in self.pieces}))

    def used(self, run: Run) -> int:
        """How many packs of a run are in use."""
        return max(0, min(run.count, self.packs - run.first))

    def exponents(self) -> Iterator[int]:
        """Of the packs in use, in order."""
        for run in self.runs:
            yield from (run.exponent(number) for number in range(self.used(run)))

    def pack_places(self) -> Iterator[tuple[int, int]]:
        """Track and first row of each pack, those to spare as well, in order."""
        for piece in self.pieces:
            for position in piece.positions:
                yield from ((piece.track, piece.pack_row(position, number)) for number in range(piece.blocks))

    def value_shift(self, place: int) -> int:
        """How many bits the value at `place` of a pack is shifted left in it."""
        return PACK_BITS - (place + 1) * self.lanes * LANE_BITS

    @property
    def heads(self) -> range:
        """Places in a pack of the values' highest lanes."""
        return range(0, self.values_per_pack * self.lanes, self.lanes)


def packs_of(values: int, lanes: int) -> int:
    """Packs that `values` values of `lanes` lanes fill."""
    return -(-values // (PACK_LANES // lanes))


def cover(blocks: int, per_track: int) -> list[int]:
    """Sizes of pieces for `blocks` blocks: whole tracks, then one power of two or two, whichever is less in all."""
    whole, rest = divmod(blocks, per_track)
    sizes = [per_track] * whole
    if rest:
        above = _power_of_two(rest)
        below = above // 2
        split = below + _power_of_two(rest - below) if below and rest > below else above
        sizes += [above] if split >= above else [below, split - below]
    return sizes


def exact_cover(blocks: int, per_track: int) -> list[int]:
    """Sizes of pieces for `blocks` blocks without one to spare: whole tracks, then powers of two. For bands whose pieces cost nothing."""
    whole, rest = divmod(blocks, per_track)
    return [per_track] * whole + [1 << bit for bit in reversed(range(rest.bit_length())) if rest >> bit & 1]


def allocate(bands: Iterable[int], per_track: int) -> tuple[list[list[Piece]], int]:
    """Pieces for bands of so many blocks each, and the number of tracks."""
    return lay_out((cover(blocks, per_track) for blocks in bands), per_track)


def lay_out(bands: Iterable[list[int]], per_track: int) -> tuple[list[list[Piece]], int]:
    """Pieces of the given sizes for each band, and the number of tracks: largest first, each at the next free residue class of blocks
    modulo its stride (bit-reversed order keeps the classes of a track disjoint)."""
    wanted = [(size, band) for band, sizes in enumerate(bands) for size in sizes]
    found: dict[int, list[Piece]] = {}
    taken = 0
    for size, band in sorted(wanted, key=lambda one: -one[0]):
        track, at = divmod(taken, per_track)
        stride = per_track // size
        residue = _reverse_bits(at // size, stride.bit_length() - 1)
        found.setdefault(band, []).append(Piece(track, residue, stride, size, per_track))
        taken += size
    return [found.get(band, []) for band in range(len(found))], -(-taken // per_track)


def slots_for(bands: Sequence[int], per_track: int) -> int:
    """The largest power of two, at most `per_track`, into which blocks of a track can be dealt out so that bands of so many blocks
    each fit one share; 1 when they fill more than half of the track."""
    slots = per_track
    while slots > 1 and allocate(bands, per_track // slots)[1] > 1:
        slots //= 2
    return slots


def allocate_slots(bands: Sequence[int], per_track: int, slots: int) -> tuple[list[list[Piece]], int]:
    """`allocate` on the blocks that are 0 modulo `slots`."""
    pieces, tracks = allocate(bands, per_track // slots)
    return [
        [Piece(one.track, one.residue * slots, one.stride * slots, one.blocks, per_track) for one in own] for own in pieces
    ], tracks


def _power_of_two(count: int) -> int:
    return 1 << (count - 1).bit_length()


def _reverse_bits(value: int, bits: int) -> int:
    return int(format(value, f"0{bits}b")[::-1], 2) if bits else 0
