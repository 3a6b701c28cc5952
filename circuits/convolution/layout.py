"""The geometry of a wide circuit with convolutions.

    group : up to ten (or five) output channels of a layer; its band has one pack for each position
    piece : all groups of a layer have pieces of the same sizes, so that the exponent of (group p, position) is that of (group 0,
            position) plus a number that depends on p and the piece only

A kernel row holds one group's biases and weights. For each piece the rows of a layer are combined anew, with the exponents of the piece.
A layer whose output is one position is dense: its rows are values on the domain, one for each pack and each track that it reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.networks.convolution import Grid
from zkpredict.circuits.rows import RowColumn
from zkpredict.circuits.wide.claims import Kind
from zkpredict.circuits.wide.geometry import PACK_LANES, PACKS_PER_BLOCK, Band, Run, allocate, packs_of
from zkpredict.circuits.wide.layout import CONVOLUTION_MAGIC, DOUBLE, WideCircuit, value_rows

if TYPE_CHECKING:
    from zkpredict.circuits.gadgets.base import Gadget


@dataclass(frozen=True)
class ConvCircuit(WideCircuit):
    """A wide circuit whose layers have geometries: `grids[t]` is that of layer t, None for a dense layer on the numbers before it.

    `widths` count the numbers of whole maps. Raises `UnsupportedNetwork` when grids do not fit widths, for a private input, and when
    a kernel does not fit a column.
    """

    grids: tuple[Grid | None, ...] = ()

    def __post_init__(self) -> None:
        if self.private_input:
            raise UnsupportedNetwork("circuits with convolutions have public inputs only")
        if len(self.grids) != len(self.widths) - 1 or not any(self.grids):
            raise UnsupportedNetwork(f"{len(self.grids)} grids do not match {len(self.widths) - 1} layers")
        for layer, grid in enumerate(self.grids):
            if grid is None:
                continue
            if grid.inputs != self.widths[layer] or self.widths[layer + 1] % grid.count:
                raise UnsupportedNetwork(f"the grid of layer {layer} does not fit widths {self.widths[layer]} and {self.widths[layer + 1]}")
            if self.is_convolution(layer) and grid.taps + 2 > self.domain:
                raise UnsupportedNetwork(f"a kernel of layer {layer} has {grid.taps} weights, a column of {self.domain} rows holds {self.domain - 2}")
        if self.is_convolution(self.layers - 1):
            raise UnsupportedNetwork("the last layer must have one position: it gives the classes")
        super().__post_init__()

    def gadgets(self) -> tuple[Gadget, ...]:
        from zkpredict.circuits.convolution.placement import conv_gadgets  # late: it builds on this module

        return conv_gadgets(self)

    @property
    def rounds(self) -> Mapping[str, tuple[str, ...]]:
        from zkpredict.circuits.convolution.placement import conv_rounds  # late: it builds on this module

        return conv_rounds(self)

    def is_convolution(self, layer: int) -> bool:
        """Whether a layer has many positions: its rows are kernels."""
        grid = self.grids[layer]
        return grid is not None and grid.count > 1

    def channels(self, layer: int) -> int:
        """Output channels of a layer."""
        grid = self.grids[layer]
        return self.widths[layer + 1] // (grid.count if grid else 1)

    def positions(self, layer: int) -> int:
        """Positions of a layer's output."""
        grid = self.grids[layer]
        return grid.count if grid else 1

    # bands

    @cached_property
    def _groups(self) -> tuple[list[tuple[Band, ...]], int]:
        """The bands of each layer: one, or one for each group of channels of a convolution."""
        wanted: list[list[tuple[int, int]]] = []
        for layer in range(self.layers):
            lanes = self.lanes[layer] if layer < self.layers - 1 else DOUBLE
            if layer == self.layers - 1 and self.claim.kind is Kind.LOGITS:
                wanted.append([])
            elif self.is_convolution(layer):
                per_pack = PACK_LANES // lanes
                wanted.append([(self.positions(layer) * per_pack, lanes)] * -(-self.channels(layer) // per_pack))
            else:
                wanted.append([(self.widths[layer + 1], lanes)])
        flat = [band for bands in wanted for band in bands]
        pieces, tracks = allocate([-(-packs_of(*one) // PACKS_PER_BLOCK) for one in flat], self.blocks)
        made = iter([Band.on(*one, own) for one, own in zip(flat, pieces, strict=True)])
        return [tuple(next(made) for _ in bands) for bands in wanted], max(tracks, 1)

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
        """Numbers of the pieces of a convolution: the same for all its groups. Pieces that hold no position are left out."""
        band = self.groups(layer)[0]
        return range(sum(1 for number in range(len(band.pieces)) if self.piece_packs(layer, number)))

    def piece_packs(self, layer: int, number: int) -> range:
        """Positions of a convolution that lie in one piece."""
        band = self.groups(layer)[0]
        first = sum(PACKS_PER_BLOCK * piece.blocks for piece in band.pieces[:number])
        return range(first, min(first + PACKS_PER_BLOCK * band.pieces[number].blocks, self.positions(layer)))

    def piece_exponent(self, layer: int, group: int, number: int) -> int:
        """The lowest exponent of a group's piece."""
        band = self.groups(layer)[group]
        return band.runs[PACKS_PER_BLOCK * number + PACKS_PER_BLOCK - 1].last

    def position_exponents(self, layer: int, number: int) -> list[int]:
        """For each position in a piece by how much its exponent is above the lowest."""
        band, lowest = self.groups(layer)[0], self.piece_exponent(layer, 0, number)
        runs = band.runs[PACKS_PER_BLOCK * number : PACKS_PER_BLOCK * (number + 1)]
        own = [run.exponent(k) - lowest for run in runs for k in range(run.count)]
        return own[: len(self.piece_packs(layer, number))]

    @cached_property
    def row_columns(self) -> tuple[RowColumn, ...]:
        found: list[RowColumn] = []
        for layer in range(self.layers):
            if self.is_convolution(layer):
                for number in self.pieces(layer):
                    exponents = tuple(self.piece_exponent(layer, group, number) for group in range(len(self.groups(layer))))
                    found.append(RowColumn(kernel_rows(layer, number), layer, layer == 0, exponents, number > 0))
            elif layer == 0:
                raise UnsupportedNetwork("a network whose first layer is dense and a later one a convolution has no circuit")
            else:
                exponents = tuple(self.bands[layer].exponents())
                found += [RowColumn(value_rows(layer, track), layer, False, exponents) for track in self.tracks_of(layer - 1)]
        return tuple(found)

    def hidden_convolutions(self) -> list[tuple[int, int]]:
        """Layer and piece of every convolution behind the first layer, in order."""
        layers = [layer for layer in range(1, self.layers) if self.is_convolution(layer)]
        return [(layer, number) for layer in layers for number in self.pieces(layer)]

    # bytes

    def to_bytes(self) -> bytes:
        """As of a wide circuit with another magic, then for each layer a byte (1 with a grid) and the grid."""
        grids = (b"\x00" if grid is None else b"\x01" + grid.to_bytes() for grid in self.grids)
        return CONVOLUTION_MAGIC + super().to_bytes()[len(CONVOLUTION_MAGIC) :] + b"".join(grids)

    @classmethod
    def read(cls, reader: ByteReader) -> ConvCircuit:
        """Parses `to_bytes` output at the cursor. Raises `MalformedFile`."""
        parts = cls.read_parts(reader, CONVOLUTION_MAGIC)
        grids: list[Grid | None] = []
        try:
            for layer in range(len(parts[0]) - 1):
                flag = reader.unsigned(1, f"grid of layer {layer}")
                if flag > 1:
                    raise MalformedFile(f"{reader.what}: the grid of layer {layer} is announced by {flag}, expected 0 or 1")
                grids.append(Grid.take(reader, f"layer {layer}") if flag else None)
            return cls(*parts, tuple(grids))
        except UnsupportedNetwork as error:
            raise MalformedFile(f"{reader.what}: {error}") from None


def kernel_rows(layer: int, piece: int) -> str:
    """Name of a convolution's kernels, combined for one piece."""
    return f"kernels{layer}_{piece}"


def correlation(layer: int, piece: int) -> str:
    """Name of the column with what the kernels of a hidden convolution meet, for one piece."""
    return f"conv{layer}_{piece}"
