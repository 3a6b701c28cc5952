"""The geometry of a circuit of the second edition.

    lane  = 4 rows  : digits of the radices 2, 256, 256, 256, most significant first: 25 bits, of which the first is the sign
    pack  = 64 rows : 16 lanes, of which the first 10 form one number of 250 bits
    group = the packs of a hidden layer, or those of the output's differences, at a power-of-two stride as in `circuits.layout`

    weight row of layer 0 = a polynomial of four blocks of n coefficients: block e is read at X/shift, so with alpha^-e, alpha = shift^n

The last weight row of layer 0 also holds those of layer 1, as values on the domain, where they fit (`hosts`): the coefficients that no
input reads are chosen so. Every number of the geometry is in this file; n is always 1024.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.files.order import Picture
from zkpredict.circuits.keccak import keccak256
from zkpredict.circuits.layout import (
    DIGEST_LABEL, MAX_DEGREE, NARROW, PACK_LANES, PACK_ROWS, PACKS_PER_VALUE_ROW, READOUT_ROW, WIDE, Group, allocate, row_column,
)
from zkpredict.circuits.networks.dense import MAX_LAYERS, MAX_WIDTH, read_layer_count
from zkpredict.circuits.records import dataclass
from zkpredict.circuits.rows import RowColumn

if TYPE_CHECKING:
    from zkpredict.circuits.gadgets.base import Gadget

MAGIC = b"zkpC\x04"
DOMAIN = 1024
BLOCKS = (MAX_DEGREE + 1) // DOMAIN
"""Blocks of n coefficients in a row polynomial."""
FIRST_EXPONENT = 1
"""Equations have the powers of alpha from here on: at or below alpha^0 stands what `cell` adds at X/shift."""
LANE_BITS = 25
PACK_BITS = PACK_LANES * LANE_BITS
SIGN_WEIGHT = 1 << (LANE_BITS - 1)
BLINDERS = 9
"""Random coefficients of a column: two for each of four points, and one for the column that has none in its constant term."""


@dataclass(frozen=True)
class SecondGroup(Group):
    """A group of packs whose lanes have 25 bits."""

    @property
    def value_bits(self) -> int:
        return self.lanes * LANE_BITS

    def value_shift(self, index: int) -> int:
        return PACK_BITS - (index % self.values_per_pack + 1) * self.value_bits

    def places(self, pack: int) -> range:
        """The values that lie in a pack."""
        first = pack * self.values_per_pack
        return range(first, min(first + self.values_per_pack, self.outputs))


@dataclass(frozen=True)
class SecondCircuit:
    """`widths`: neurons from input to output; `lanes`: NARROW or WIDE for each hidden layer; `domain`: rows n.

    Raises `UnsupportedNetwork` when the layers do not fit.
    """

    widths: tuple[int, ...]
    lanes: tuple[int, ...]
    domain: int = DOMAIN

    def __post_init__(self) -> None:
        if self.domain != DOMAIN:
            raise UnsupportedNetwork(f"the second edition has circuits of {DOMAIN} rows only, not {self.domain}")
        if not 2 <= len(self.widths) <= MAX_LAYERS + 1 or len(self.lanes) != len(self.widths) - 2:
            raise UnsupportedNetwork(f"{len(self.lanes)} lane widths do not match {len(self.widths)} layer widths")
        if not all(1 <= width <= MAX_WIDTH for width in self.widths):
            raise UnsupportedNetwork(f"layer widths must be in 1..{MAX_WIDTH}, got {self.widths}")
        if not all(lanes in (NARROW, WIDE) for lanes in self.lanes):
            raise UnsupportedNetwork(f"lane widths must be {NARROW} or {WIDE}, got {self.lanes}")
        if self.widths[0] + 1 > self.domain - 1:
            raise UnsupportedNetwork(f"{self.widths[0]} inputs do not fit a block of {self.domain} coefficients")
        slots = sum(self._slot_counts)
        if slots > self.domain // PACK_ROWS:
            raise UnsupportedNetwork(
                f"network {'-'.join(map(str, self.widths))} needs {slots} packs of rows, the second edition has {self.domain // PACK_ROWS}"
            )

    def gadgets(self) -> tuple[Gadget, ...]:
        """What the circuit is made of, in the order in which constraints are weighed."""
        from zkpredict.circuits.second.placement import gadgets  # late: it builds on this module

        return gadgets(self)

    @property
    def rounds(self) -> Mapping[str, tuple[str, ...]]:
        """The rounds in which a proof commits to columns, and the challenges drawn after each."""
        from zkpredict.circuits.second.placement import SECOND_ROUNDS  # late: it builds on this module

        return SECOND_ROUNDS

    @property
    def inputs(self) -> int:
        return self.widths[0]

    @property
    def picture(self) -> Picture | None:
        """Rows, columns and channels of what is read, of a circuit that begins with a convolution."""
        return None

    @property
    def classes(self) -> int:
        return self.widths[-1]

    @property
    def layers(self) -> int:
        return len(self.widths) - 1

    @property
    def quotient_pieces(self) -> int:
        """Commitments of the quotient."""
        return 1

    # packs

    @property
    def _sizes(self) -> list[tuple[int, int]]:
        return [*zip(self.widths[1:-1], self.lanes, strict=True), (self.classes, WIDE)]

    @property
    def _slot_counts(self) -> list[int]:
        return [1 << (-(-outputs // (PACK_LANES // lanes)) - 1).bit_length() for outputs, lanes in self._sizes]

    @cached_property
    def layer_groups(self) -> tuple[SecondGroup, ...]:
        """One group for each layer: of the last one, the group of the output's differences."""
        places = allocate(self._slot_counts, self.domain // PACK_ROWS)
        return tuple(SecondGroup(*size, *place) for size, place in zip(self._sizes, places, strict=True))

    @property
    def difference_group(self) -> SecondGroup:
        return self.layer_groups[-1]

    # rows

    @property
    def block_packs(self) -> int:
        """Packs of layer 0 that share a block of coefficients."""
        return min((self.domain - 1) // (self.inputs + 1), -(-self.layer_groups[0].packs // BLOCKS))

    def packs_per_row(self, layer: int) -> int:
        """Packs of `layer` that a committed row has room for."""
        return BLOCKS * self.block_packs if layer == 0 else PACKS_PER_VALUE_ROW

    def row_count(self, layer: int) -> int:
        """Rows of `layer`, the one that layer 0 hosts among them."""
        return -(-self.layer_groups[layer].packs // self.packs_per_row(layer))

    def input_place(self, pack: int) -> tuple[int, int]:
        """The row that holds a pack of layer 0, and its first coefficient there."""
        row, number = divmod(pack, self.packs_per_row(0))
        inside, block = divmod(number, BLOCKS)
        return row, block * self.domain + inside * (self.inputs + 1)

    def row_packs(self, row: int) -> int:
        """Packs in a row of layer 0."""
        return min(self.layer_groups[0].packs - row * self.packs_per_row(0), self.packs_per_row(0))

    def row_degree(self, name: str) -> int:
        """The highest degree of a column of the model whose owner is honest."""
        if name == row_column(0):
            return max(map(self._input_degree, range(self.row_count(0))))
        return self._input_degree(self.row_count(0) - 1) if self.hosts and name == row_column(1) else self.domain - 1

    def _input_degree(self, row: int) -> int:
        return min(self.row_packs(row), BLOCKS) * self.domain - 1

    @property
    def hosted_entries(self) -> int:
        """How many values layer 1's row fixes: one for each lane that it reads, and biases, for each pack that it has room for."""
        return PACKS_PER_VALUE_ROW * (self.widths[1] * self.lanes[0] + 1)

    @property
    def host_start(self) -> int:
        """The first coefficient, in the hosting row, that no input reads."""
        return self.block_packs * (self.inputs + 1)

    @cached_property
    def hosts(self) -> bool:
        """Whether the last row of layer 0 is that of layer 1 as well: not its first row, which a schema may be bound to."""
        if self.layers < 2 or self.row_count(0) < 2 or self.row_count(1) != 1:
            return False
        highest = MAX_DEGREE - self.domain + self.layer_groups[0].slots - BLINDERS + 1
        room = self.domain - 2 - self.host_start
        return self._input_degree(self.row_count(0) - 1) <= highest and self.hosted_entries < room

    @property
    def total_rows(self) -> int:
        """Committed rows of the model: the points a registry stores."""
        return sum(len(column.exponents) for column in self.row_columns if not column.again)

    def first_equation(self, layer: int) -> int:
        """The lowest exponent of the rows of `layer`; `layers` itself gives the first behind those of all rows."""
        return FIRST_EXPONENT + sum(self.row_count(t) * self.packs_per_row(t) for t in range(layer))

    def pack_exponent(self, layer: int, pack: int) -> int:
        """The power of alpha of a pack's equation. Blocks of a row have falling ones."""
        if layer:
            return self.first_equation(layer) + pack
        row, number = divmod(pack, self.packs_per_row(0))
        inside, block = divmod(number, BLOCKS)
        return FIRST_EXPONENT + row * self.packs_per_row(0) + BLOCKS * inside + BLOCKS - 1 - block

    def row_exponents(self, layer: int) -> range:
        """The power of alpha by which each row of `layer` is weighed: that of its first pack."""
        start = self.first_equation(layer) + (BLOCKS - 1 if layer == 0 else 0)
        step = self.packs_per_row(layer)
        return range(start, start + step * self.row_count(layer), step)

    @cached_property
    def row_columns(self) -> tuple[RowColumn, ...]:
        """Every column of the model with the exponents of its rows, in the order of the commitment."""
        hosted = {1} if self.hosts else set()
        return tuple(
            RowColumn(row_column(t), t, t == 0 or t in hosted, tuple(self.row_exponents(t)), t in hosted) for t in range(self.layers)
        )

    @property
    def pinned_rows(self) -> tuple[int, ...]:
        """Read-out rows of the unused slots of hidden layers. They are pinned to zero: later layers may read those cells."""
        return tuple(g.pack_row(slot) + READOUT_ROW for g in self.layer_groups[:-1] for slot in range(g.packs, g.slots))

    # bytes

    def to_bytes(self) -> bytes:
        """Canonical bytes: magic, domain u16, layer count u8, widths u32 each, lanes of each hidden layer u8; little-endian."""
        head = MAGIC + self.domain.to_bytes(2, "little") + bytes([self.layers])
        return head + b"".join(width.to_bytes(4, "little") for width in self.widths) + bytes(self.lanes)

    @classmethod
    def read(cls, reader: ByteReader) -> SecondCircuit:
        """Parses `to_bytes` output at the cursor. Raises `MalformedFile`."""
        reader.expect(MAGIC, "circuit magic")
        domain = reader.unsigned(2, "domain")
        layers = read_layer_count(reader)
        widths = tuple(reader.unsigned(4, f"width {i}") for i in range(layers + 1))
        lanes = tuple(reader.take(layers - 1, "lane widths"))
        try:
            return cls(widths, lanes, domain)
        except UnsupportedNetwork as error:
            raise MalformedFile(f"{reader.what}: {error}") from None

    @cached_property
    def digest(self) -> bytes:
        """keccak256 of the label and the canonical bytes: what the verifier pins. 32 bytes."""
        return keccak256(DIGEST_LABEL + self.to_bytes())
