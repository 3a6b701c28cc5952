"""The geometry of a wide circuit with convolutions.

    group : up to ten (or five) output channels of a layer; its band has one pack for each position
    piece : all groups of a layer have pieces of the same sizes, so that the exponent of (group p, position) is that of (group 0,
            position) plus a number that depends on p and the piece only
    chunk : the entries of a kernel (bias, then taps) that one row holds; the channels of a tap's position are never cut apart

A kernel row holds one chunk of one group's biases and weights. For each piece the rows of a layer are combined anew, with the exponents
of the piece. A layer whose output is one position and which reads the lanes of the layer before it is dense: its rows are values on
the domain, one for each pack and each track that it reads. One that reads sums (what a max pool hands on, a residual) has kernels, too:
its one position has a pack for each group.

A max pool has no rows. Its band holds the differences of all matches, match by match, position by position, channels last.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from zkpredict.circuits.convolution.encoding import encode_geometry, take_geometry
from zkpredict.circuits.convolution.places import check_places
from zkpredict.circuits.convolution.pools import check_pools
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.files.order import Picture
from zkpredict.circuits.networks.grid import Grid
from zkpredict.circuits.networks.pooling import MAX_MATCHES
from zkpredict.circuits.networks.reference import MAX_MAPPED_LAYERS
from zkpredict.circuits.networks.wiring import PLAIN, Wiring
from zkpredict.circuits.records import dataclass
from zkpredict.circuits.rows import RowColumn
from zkpredict.circuits.wide.claims import Kind
from zkpredict.circuits.wide.geometry import PACK_LANES, PACKS_PER_BLOCK, Band, Run, cover, exact_cover, lay_out, packs_of
from zkpredict.circuits.wide.layout import BY_SIDE_MAGIC, CONVOLUTION_MAGIC, DOUBLE, MAX_TRACKS, WIRED_MAGIC, WideCircuit, value_rows

if TYPE_CHECKING:
    from zkpredict.circuits.gadgets.base import Gadget

MAX_MAPPED_TRACKS = 256
MAX_CORRELATIONS = 512
"""Columns of what kernels meet: with it powers of eta stay below 2^20."""
MAX_TAPS = 1 << 16
"""Of one layer: weights of an output channel; rows times columns of its kernels times positions."""
Part = tuple[int, int, int]
"""Layer, piece and chunk."""


@dataclass(frozen=True)
class ConvCircuit(WideCircuit):
    """A wide circuit whose layers have geometries: `grids[t]` is that of layer t, None for a dense layer on the numbers before it.

    `widths` count the numbers of whole maps. Raises `UnsupportedNetwork` when grids do not fit widths, and for a private input."""

    grids: tuple[Grid | None, ...] = ()
    wiring: tuple[Wiring, ...] = ()
    """Of each layer; none when every layer reads the one before it by weights."""

    def __post_init__(self) -> None:
        self.check_sizes()
        for wrong, what in ((self.private_input, "public inputs only"), (self.slotted, "no slots: batches hold dense layers only")):
            if wrong:
                raise UnsupportedNetwork(f"circuits with convolutions have {what}")
        if len(self.grids) != len(self.widths) - 1 or not any(self.grids):
            raise UnsupportedNetwork(f"{len(self.grids)} grids do not match {len(self.widths) - 1} layers")
        if self.wiring and (len(self.wiring) != self.layers or all(one.plain for one in self.wiring)):
            raise UnsupportedNetwork(f"{len(self.wiring)} wirings do not match {self.layers} layers, or say nothing")
        for layer, grid in enumerate(self.grids):
            self._check_layer(layer, grid)
        check_places(self)
        if not (self.is_convolution(0) or self.is_pool(0)):
            said = "layer 0 is dense" if self.grids[0] is None else "layer 0 has a kernel as large as what it reads, so one position: it is a dense layer"
            raise UnsupportedNetwork(f"{said}, and convolutions, pools and sums behind one have no circuit; where there are none, write all layers as dense ones")
        last = self.grids[-1]
        if (last is not None and last.count > 1) or self.is_pool(self.layers - 1):
            raise UnsupportedNetwork("the last layer must have one position: it gives the classes")
        check_pools(self)
        super().__post_init__()
        if len(self.hidden_convolutions()) > MAX_CORRELATIONS:
            raise UnsupportedNetwork(f"its kernels need {len(self.hidden_convolutions())} columns for what they meet, at most {MAX_CORRELATIONS} fit")

    def _check_layer(self, layer: int, grid: Grid | None) -> None:
        self.wired(layer).check(layer, grid)
        for sources, own in self.readings(layer):
            for source in sources:
                wanted = self.widths[sources[0] + 1] if own is None else own.inputs
                if self.widths[source + 1] != wanted:
                    raise UnsupportedNetwork(f"the grid of layer {layer} does not fit widths {self.widths[source + 1]} and {self.widths[layer + 1]}")
        if grid is None:
            return
        pool_outputs = grid.count * grid.channels if self.is_pool(layer) else self.widths[layer + 1]
        if self.widths[layer + 1] % grid.count or pool_outputs != self.widths[layer + 1]:
            raise UnsupportedNetwork(f"the grid of layer {layer} does not fit widths {self.widths[layer]} and {self.widths[layer + 1]}")
        if self.taps(layer) > MAX_TAPS:
            raise UnsupportedNetwork(f"layer {layer} has {self.taps(layer)} taps, at most {MAX_TAPS} fit")
        most = max((own.channels for _, own in self.readings(layer) if own is not None), default=0)
        if self.is_convolution(layer) and most + 2 > self.domain:
            raise UnsupportedNetwork(f"layer {layer} reads {most} channels, a column of {self.domain} rows holds {self.domain - 2}")
        if self.is_pool(layer) and self.matches(layer) > MAX_MATCHES:
            raise UnsupportedNetwork(f"layer {layer} has {self.matches(layer)} matches, at most {MAX_MATCHES} fit")

    def gadgets(self) -> tuple[Gadget, ...]:
        from zkpredict.circuits.convolution.placement import conv_gadgets  # late: it builds on this module

        return conv_gadgets(self)

    @property
    def rounds(self) -> Mapping[str, tuple[str, ...]]:
        from zkpredict.circuits.convolution.placement import conv_rounds  # late: it builds on this module

        return conv_rounds(self)

    @property
    def picture(self) -> Picture | None:
        return self.grid(0).picture

    @property
    def most_layers(self) -> int:
        return MAX_MAPPED_LAYERS

    @property
    def most_tracks(self) -> int:
        """Lookups of 256 tracks stay below 2^21 where a lane has three of them; a rational activation has more."""
        return MAX_MAPPED_TRACKS if self.rational is None else MAX_TRACKS

    def wired(self, layer: int) -> Wiring:
        """What a layer reads."""
        return self.wiring[layer] if self.wiring else PLAIN

    def readings(self, layer: int) -> tuple[tuple[tuple[int, ...], Grid | None], ...]:
        """Everything that a layer reads: the layers that are added up (-1: the input), and the windows over their sum."""
        wiring = self.wired(layer)
        beside = ((reading.sources, reading.grid) for reading in wiring.beside)
        return ((wiring.sources or (layer - 1,), self.grids[layer]), *beside)

    def is_pool(self, layer: int) -> bool:
        """Whether a layer is a max pool."""
        return self.wired(layer).largest

    def matches(self, layer: int) -> int:
        """How many lanes a max pool has."""
        grid = self.grid(layer)
        return (grid.kernel_height * grid.kernel_width - 1) * self.widths[layer + 1]

    def grid(self, layer: int) -> Grid:
        """The geometry of a layer that has one. Raises `ValueError` for one that has none."""
        grid = self.grids[layer]
        if grid is None:
            raise ValueError(f"layer {layer} has no grid")
        return grid

    def is_convolution(self, layer: int) -> bool:
        """Whether a layer's rows are kernels: it has many positions, or reads other numbers than the lanes of the layer before it."""
        if self.is_pool(layer):
            return False
        reads_sums = layer > 0 and (not self.wired(layer).plain or self.is_pool(layer - 1))
        return self.positions(layer) > 1 or reads_sums

    def channels(self, layer: int) -> int:
        """Output channels of a layer."""
        grid = self.grids[layer]
        return self.widths[layer + 1] // (grid.count if grid else 1)

    def positions(self, layer: int) -> int:
        """Positions of a layer's output."""
        grid = self.grids[layer]
        return grid.count if grid else 1

    def in_words(self, layer: int) -> str:
        """What a layer does, as in `6 x 6 x 2 in maxima of 2 x 2, stride 2 to 3 x 3 x 2`."""
        grid = self.grids[layer]
        shape = f"{self.widths[layer]} to {self.widths[layer + 1]}" if grid is None else grid.in_words(self.channels(layer))
        return self.wired(layer).in_words(shape)

    # bands

    @cached_property
    def _groups(self) -> tuple[list[tuple[Band, ...]], int]:
        """The bands of each layer: one, or one for each group of channels of a convolution."""
        wanted: list[list[tuple[int, int]]] = []
        for layer in range(self.layers):
            lanes = self.lanes[layer] if layer < self.layers - 1 else DOUBLE
            if layer == self.layers - 1 and self.claim.kind is Kind.LOGITS:
                wanted.append([])
            elif self.is_pool(layer):
                wanted.append([(self.matches(layer), lanes)])
            elif self.positions(layer) > 1:
                per_pack = PACK_LANES // lanes
                wanted.append([(self.positions(layer) * per_pack, lanes)] * -(-self.channels(layer) // per_pack))
            else:
                wanted.append([(self.widths[layer + 1], lanes)])
        sizes = [[self._cover(layer, bands[0])] * len(bands) for layer, bands in enumerate(wanted) if bands]
        taken = sum(len(own) * sum(own[0]) for own in sizes)
        if -(-taken // self.blocks) > self.most_tracks:
            raise UnsupportedNetwork(
                f"network {'-'.join(map(str, self.widths))} needs {-(-taken // self.blocks)} tracks of {self.domain} rows, at most {self.most_tracks} fit"
            )
        flat = [band for bands in wanted for band in bands]
        pieces, tracks = lay_out((one for own in sizes for one in own), self.blocks)
        made = iter([Band.on(*one, own) for one, own in zip(flat, pieces, strict=True)])
        return [tuple(next(made) for _ in bands) for bands in wanted], max(tracks, 1)

    def _cover(self, layer: int, band: tuple[int, int]) -> list[int]:
        """Sizes of pieces of a layer's bands. Where layers are wired, no block is to spare in those whose pieces need no columns."""
        blocks = -(-packs_of(*band) // PACKS_PER_BLOCK)
        free = layer == 0 or not self.is_convolution(layer) or self.positions(layer) == 1
        return exact_cover(blocks, self.blocks) if self.wiring and free else cover(blocks, self.blocks)

    def groups(self, layer: int) -> tuple[Band, ...]:
        """The bands of a layer, one for each group of channels."""
        return self._groups[0][layer]

    @property
    def _allocation(self) -> tuple[list[Band], int]:
        return [band for layer in range(self.layers) for band in self.groups(layer)], self._groups[1]

    @cached_property
    def hidden(self) -> tuple[Band, ...]:
        """All bands of hidden layers."""
        return tuple(band for layer in range(self.layers - 1) for band in self.groups(layer))

    @cached_property
    def output(self) -> Band:
        if self.claim.kind is not Kind.LOGITS:
            return self.groups(self.layers - 1)[0]
        return Band(self.classes, DOUBLE, (), (Run(0, packs_of(self.classes, DOUBLE), self.folded, 1),))

    @property
    def bands(self) -> tuple[Band, ...]:
        """The first band of every layer: of a dense one the only one."""
        return (*(self.groups(layer)[0] for layer in range(self.layers - 1)), self.output)

    # rows

    def pieces(self, layer: int) -> range:
        """Numbers of the pieces of a convolution: the same for all its groups. Pieces that hold no position are left out; where layers are
        wired, pieces that follow one another alike in all groups count as one."""
        return range(len(self._stretches[layer]))

    @cached_property
    def _stretches(self) -> list[list[range]]:
        """For each layer its pieces, as ranges of numbers of pieces of its bands."""
        return [self._stretches_of(layer) for layer in range(self.layers)]

    def _stretches_of(self, layer: int) -> list[range]:
        if self.positions(layer) == 1:
            return [range(1)]
        bands, found, first = self.groups(layer), list[range](), 0
        for number, piece in enumerate(bands[0].pieces):
            if first >= self.positions(layer):
                break
            first += PACKS_PER_BLOCK * piece.blocks
            if found and self.wiring and self._follows(bands, number):
                found[-1] = range(found[-1].start, number + 1)
            else:
                found.append(range(number, number + 1))
        return found

    @staticmethod
    def _follows(bands: tuple[Band, ...], number: int) -> bool:
        """Whether the exponents of a piece differ from those of the one before it by the same in every group."""
        last = PACKS_PER_BLOCK * number + PACKS_PER_BLOCK - 1
        return len({band.runs[last].last - band.runs[last - PACKS_PER_BLOCK].last for band in bands}) == 1

    def piece_packs(self, layer: int, number: int) -> range:
        """Positions of a convolution that lie in one piece."""
        if self.positions(layer) == 1:
            return range(1)
        own, pieces = self._stretches[layer][number], self.groups(layer)[0].pieces
        first = sum(PACKS_PER_BLOCK * piece.blocks for piece in pieces[: own.start])
        held = sum(PACKS_PER_BLOCK * piece.blocks for piece in pieces[own.start : own.stop])
        return range(first, min(first + held, self.positions(layer)))

    def group_exponents(self, layer: int, number: int) -> tuple[int, ...]:
        """The lowest exponent of each group's piece: of a single position the exponents of its packs."""
        if self.positions(layer) == 1:
            return tuple(self.bands[layer].exponents())
        return tuple(self.piece_exponent(layer, group, number) for group in range(len(self.groups(layer))))

    def piece_exponent(self, layer: int, group: int, number: int) -> int:
        """The lowest exponent of a group's piece."""
        return min(run.last for run in self._runs(layer, group, number))

    def _runs(self, layer: int, group: int, number: int) -> tuple[Run, ...]:
        own = self._stretches[layer][number]
        return self.groups(layer)[group].runs[PACKS_PER_BLOCK * own.start : PACKS_PER_BLOCK * own.stop]

    def position_exponents(self, layer: int, number: int) -> list[int]:
        """For each position in a piece by how much its exponent is above the lowest."""
        if self.positions(layer) == 1:
            return [0]
        lowest = self.piece_exponent(layer, 0, number)
        own = [run.exponent(k) - lowest for run in self._runs(layer, 0, number) for k in range(run.count)]
        return own[: len(self.piece_packs(layer, number))]

    def taps(self, layer: int) -> int:
        """Weights of one output channel."""
        return sum(self.widths[sources[0] + 1] if grid is None else grid.taps for sources, grid in self.readings(layer))

    def tap_channels(self, layer: int) -> list[int]:
        """How many channels each place of a kernel reads, on its own map and then on those beside it. A dense layer's are single numbers."""
        found = []
        for sources, grid in self.readings(layer):
            if grid is None:
                found += [1] * self.widths[sources[0] + 1]
            else:
                found += [grid.channels] * (grid.kernel_height * grid.kernel_width)
        return found

    def chunks_of(self, layer: int) -> tuple[range, ...]:
        """The entries (0: the bias; then the taps) of a kernel that each of its rows holds: all but the last coefficient of a column."""
        return self._chunks[layer]

    @cached_property
    def _chunks(self) -> dict[int, tuple[range, ...]]:
        return {layer: self._cut(layer) for layer in range(self.layers) if self.is_convolution(layer)}

    def _cut(self, layer: int) -> tuple[range, ...]:
        found, start, end = [], 0, 1
        for channels in self.tap_channels(layer):
            if end + channels - start > self.domain - 1:
                found.append(range(start, end))
                start = end
            end += channels
        return (*found, range(start, end))

    @cached_property
    def row_columns(self) -> tuple[RowColumn, ...]:
        found: list[RowColumn] = []
        for layer in range(self.layers):
            if self.is_pool(layer):
                continue
            if self.is_convolution(layer):
                for chunk in range(len(self.chunks_of(layer))):
                    for number in self.pieces(layer):
                        name = kernel_rows(layer, number, chunk)
                        found.append(RowColumn(name, layer, layer == 0, self.group_exponents(layer, number), number > 0))
            else:
                exponents = tuple(self.bands[layer].exponents())
                found += [RowColumn(value_rows(layer, track), layer, False, exponents) for track in self.tracks_of(layer - 1)]
        return tuple(found)

    @cached_property
    def _hidden_convolutions(self) -> list[Part]:
        layers = [layer for layer in range(1, self.layers) if self.is_convolution(layer)]
        return [(t, number, chunk) for t in layers for number in self.pieces(t) for chunk in range(len(self.chunks_of(t)))]

    def hidden_convolutions(self) -> list[Part]:
        """Layer, piece and chunk of every column of what kernels behind the first layer meet, in order."""
        return self._hidden_convolutions

    # bytes

    def to_bytes(self) -> bytes:
        """As of a wide circuit with another magic, then grids and wirings (`zkpredict.circuits.convolution.encoding`)."""
        magic, geometry = encode_geometry(self.grids, self.wiring)
        return magic + super().to_bytes()[len(magic) :] + geometry

    @classmethod
    def read(cls, reader: ByteReader) -> ConvCircuit:
        """Parses `to_bytes` output at the cursor. Raises `MalformedFile`."""
        start = reader.position
        magic = reader.take(len(CONVOLUTION_MAGIC), "circuit magic")
        reader.position = start
        magic = magic if magic in (WIRED_MAGIC, BY_SIDE_MAGIC) else CONVOLUTION_MAGIC
        parts = cls.read_parts(reader, magic, MAX_MAPPED_LAYERS)
        try:
            return cls(*parts, *take_geometry(reader, magic, len(parts[0]) - 1))
        except UnsupportedNetwork as error:
            raise MalformedFile(f"{reader.what}: {error}") from None


def kernel_rows(layer: int, piece: int, chunk: int = 0) -> str:
    """Name of one chunk of a convolution's kernels, combined for one piece."""
    return f"kernels{layer}_{piece}{_behind(chunk)}"


def part_of(name: str) -> tuple[int, int]:
    """Piece and chunk of a column of kernels."""
    _, piece, *chunk = name.split("_")
    return int(piece), int(chunk[0]) if chunk else 0


def correlation(layer: int, piece: int, chunk: int = 0) -> str:
    """Name of the column with what one chunk of the kernels of a hidden convolution meets, for one piece."""
    return f"conv{layer}_{piece}{_behind(chunk)}"


def _behind(chunk: int) -> str:
    return f"_{chunk}" if chunk else ""
