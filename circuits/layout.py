"""Where everything lies on the trace: limbs in lanes, lanes in packs, packs in groups, and the rows they start at.

    lane  = 4 rows  : r0 (twice the low 7 bits of the top limb), r1 r2 r3 (three byte limbs, top first) = 24 bits
    pack  = 64 rows : 16 lanes, of which the first 10 form one 240-bit field element, most significant first
    group = all packs of one layer (or of the argmax differences), laid at a power-of-two stride, so that "is a row of this
            group" depends on a power of X alone and the verifier has it in closed form

A narrow value is one lane, a wide value two neighbouring ones. Every number of the circuit's geometry is in this file.
"""

from __future__ import annotations

from functools import cached_property

from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.files.order import Picture
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork
from zkpredict.circuits.keccak import keccak256
from zkpredict.circuits.networks.dense import MAX_LAYERS, MAX_WIDTH, read_layer_count
from zkpredict.circuits.records import dataclass
from zkpredict.circuits.rows import RowColumn

LIMB_BITS = 8
LIMB_BASE = 1 << LIMB_BITS
TABLE_SIZE = 1 << LIMB_BITS
LANE_ROWS = 4
LANE_LIMBS = 3
LANE_BITS = LANE_LIMBS * LIMB_BITS
PACK_LANES = 10
PACK_BITS = PACK_LANES * LANE_BITS
PACK_ROWS = 64
READOUT_ROW = PACK_LANES * LANE_ROWS
ACTIVATION_BITS = 15
SIGN_ROW, ACTIVATION_ROW = 1, 2
NARROW, WIDE = 1, 2
NARROW_LIMIT, LOGIT_LIMIT = 1 << (NARROW * LANE_BITS - 1), 1 << (WIDE * LANE_BITS - 2)
"""What the absolute value of a narrow value, and of a logit, stays below: the difference of two logits still fits a wide lane."""
BIAS_ROWS = (3, 7)
BLINDING_ROW = 11
PACKS_PER_VALUE_ROW = len(BIAS_ROWS)
DOMAINS = (1024, 2048)
MAX_DEGREE = 4095
"""The highest degree the ceremony can commit to."""

MAGIC = b"zkpC\x01"
_TAG_BITS, _LANES_MASK = 4, 15
DIGEST_LABEL = b"zkpredict circuit v1"


@dataclass(frozen=True)
class Group:
    """Packs of `outputs` values of `lanes` lanes each: pack k of the group lies at slot `residue + k * stride`.

    The group owns `slots` (a power of two) slots; those beyond `packs` are unused. A hidden layer owns so many that the
    quotient keeps below `MAX_DEGREE`: weight rows (n - 1) times reads (n - slots) times blinded cells (n + 3), over X^n - 1.
    """

    outputs: int
    lanes: int
    slots: int
    residue: int
    stride: int

    @property
    def values_per_pack(self) -> int:
        return PACK_LANES // self.lanes

    @property
    def packs(self) -> int:
        return _packs(self.outputs, self.lanes)

    @property
    def value_bits(self) -> int:
        return self.lanes * LANE_BITS

    def pack_row(self, pack: int) -> int:
        """First row of the group's pack number `pack` (also of an unused slot)."""
        return (self.residue + pack * self.stride) * PACK_ROWS

    def value_row(self, index: int) -> int:
        """First row (r0) of value `index`."""
        pack, position = divmod(index, self.values_per_pack)
        return self.pack_row(pack) + position * self.lanes * LANE_ROWS

    def value_shift(self, index: int) -> int:
        """How many bits value `index` is shifted left inside its pack."""
        position = index % self.values_per_pack
        return PACK_BITS - (position + 1) * self.value_bits

    def offset(self, pack: int) -> int:
        """What the signed values of a pack are offset by: 2^(bits-1) for each value in use."""
        first = pack * self.values_per_pack
        used = range(first, min(first + self.values_per_pack, self.outputs))
        return sum(1 << (self.value_shift(index) + self.value_bits - 1) for index in used)


@dataclass(frozen=True)
class Circuit:
    """One circuit shape. `widths`: neurons from input to output; `lanes`: NARROW or WIDE for each layer; `domain`: rows n;
    `gates`: the tag of each layer's gate (`circuits.gadgets.gates`; 0 is ReLU, and stands for none at the last layer).

    Everything else follows, so the digest of these numbers pins the whole circuit. Raises `UnsupportedNetwork` when the
    layers do not fit.
    """

    widths: tuple[int, ...]
    lanes: tuple[int, ...]
    domain: int
    gates: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.gates:
            object.__setattr__(self, "gates", (0,) * len(self.lanes))
        if self.domain not in DOMAINS:
            raise UnsupportedNetwork(f"domain must be one of {DOMAINS}, got {self.domain}")
        if not 2 <= len(self.widths) <= MAX_LAYERS + 1 or len(self.lanes) != len(self.widths) - 1:
            raise UnsupportedNetwork(f"{len(self.lanes)} lane widths do not match {len(self.widths)} layer widths")
        if not all(1 <= width <= MAX_WIDTH for width in self.widths):
            raise UnsupportedNetwork(f"layer widths must be in 1..{MAX_WIDTH}, got {self.widths}")
        if not all(lanes in (NARROW, WIDE) for lanes in self.lanes):
            raise UnsupportedNetwork(f"lane widths must be {NARROW} or {WIDE}, got {self.lanes}")
        if self.lanes[-1] != WIDE:
            raise UnsupportedNetwork("logits need wide lanes")
        _check_gates(self.gates, self.layers)
        if self.widths[0] + 1 > self.domain - 1:
            raise UnsupportedNetwork(f"{self.widths[0]} inputs do not fit a domain of {self.domain} rows")
        slots = sum(self._slot_counts)
        if slots > self.domain // PACK_ROWS:
            raise UnsupportedNetwork(
                f"network {'-'.join(map(str, self.widths))} needs {slots} packs of rows, "
                f"a domain of {self.domain} rows has {self.domain // PACK_ROWS}"
            )

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
        return len(self.lanes)

    @property
    def _outputs_and_lanes(self) -> list[tuple[int, int]]:
        return [*zip(self.widths[1:], self.lanes, strict=True), (self.widths[-1], self.lanes[-1])]

    @cached_property
    def _slot_counts(self) -> list[int]:
        packs = [_packs(outputs, lanes) for outputs, lanes in self._outputs_and_lanes]
        least = 2 * self.domain + 2 - MAX_DEGREE
        return [_power_of_two(max(count, least)) for count in packs[:-2]] + [_power_of_two(count) for count in packs[-2:]]

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """One group per layer, then the group of the argmax differences. Largest first, each takes the next free
        residue class of slots modulo its stride (bit-reversed order keeps the classes disjoint)."""
        places = allocate(self._slot_counts, self.domain // PACK_ROWS)
        return tuple(Group(*size, *place) for size, place in zip(self._outputs_and_lanes, places, strict=True))

    @property
    def layer_groups(self) -> tuple[Group, ...]:
        return self.groups[:-1]

    @property
    def difference_group(self) -> Group:
        return self.groups[-1]

    @property
    def input_packs_per_row(self) -> int:
        """How many packs of the first layer share one row polynomial: each needs inputs + 1 coefficients below n - 1."""
        return min((self.domain - 1) // (self.inputs + 1), self.layer_groups[0].packs)

    def packs_per_row(self, layer: int) -> int:
        """Packs of `layer` that share one committed row."""
        return self.input_packs_per_row if layer == 0 else PACKS_PER_VALUE_ROW

    def row_count(self, layer: int) -> int:
        """Committed rows of `layer`."""
        return -(-self.layer_groups[layer].packs // self.packs_per_row(layer))

    @property
    def total_rows(self) -> int:
        """Committed rows of the model: the points a registry stores."""
        return sum(self.row_count(layer) for layer in range(self.layers))

    def first_equation(self, layer: int) -> int:
        """The exponent of the first pack of `layer`: equation e is weighted by alpha^e. `layers` itself gives the first exponent
        behind those of all rows."""
        return sum(self.row_count(t) * self.packs_per_row(t) for t in range(layer))

    def row_exponents(self, layer: int) -> range:
        """The power of alpha of each committed row of `layer`: that of the first pack it holds."""
        return range(self.first_equation(layer), self.first_equation(layer + 1), self.packs_per_row(layer))

    @property
    def row_columns(self) -> tuple[RowColumn, ...]:
        """Every column of the model with the exponents of its rows, in the order of the commitment."""
        return tuple(RowColumn(row_column(t), t, t == 0, self.row_exponents(t)) for t in range(self.layers))

    @property
    def quotient_pieces(self) -> int:
        """Commitments of the quotient."""
        return 1

    @property
    def pinned_rows(self) -> tuple[int, ...]:
        """Read-out rows of the unused slots of hidden layers. They are pinned to zero: later layers may read those cells."""
        hidden = self.layer_groups[:-1]
        return tuple(g.pack_row(pack) + READOUT_ROW for g in hidden for pack in range(g.packs, g.slots))

    def to_bytes(self) -> bytes:
        """Canonical bytes: magic, domain u16, layer count u8, widths u32 each, lanes u8 each (the gate's tag in the high
        four bits); little-endian."""
        return b"".join(
            [
                MAGIC,
                self.domain.to_bytes(2, "little"),
                bytes([self.layers]),
                *(width.to_bytes(4, "little") for width in self.widths),
                bytes(lanes | tag << _TAG_BITS for lanes, tag in zip(self.lanes, self.gates, strict=True)),
            ]
        )

    @classmethod
    def read(cls, reader: ByteReader) -> Circuit:
        """Parses `to_bytes` output at the cursor. Raises `MalformedFile`."""
        reader.expect(MAGIC, "circuit magic")
        domain = reader.unsigned(2, "domain")
        layers = read_layer_count(reader)
        widths = tuple(reader.unsigned(4, f"width {i}") for i in range(layers + 1))
        lanes = reader.take(layers, "lane widths")
        try:
            return cls(widths, tuple(b & _LANES_MASK for b in lanes), domain, tuple(b >> _TAG_BITS for b in lanes))
        except UnsupportedNetwork as error:
            raise MalformedFile(f"{reader.what}: {error}") from None

    @cached_property
    def digest(self) -> bytes:
        """keccak256 of the label and the canonical bytes: what the verifier pins. 32 bytes."""
        return keccak256(DIGEST_LABEL + self.to_bytes())


def row_column(layer: int) -> str:
    """Name of the combined weight rows of `layer`."""
    return f"rows{layer}"


def allocate(slot_counts: list[int], total: int) -> list[tuple[int, int, int]]:
    """Slots, residue and stride of groups of these sizes (powers of two) among `total` slots: largest first, each takes the next free
    residue class modulo its stride, in bit-reversed order, which keeps the classes disjoint."""
    placed, taken = {}, 0
    for number in sorted(range(len(slot_counts)), key=lambda g: -slot_counts[g]):
        slots = slot_counts[number]
        stride = total // slots
        placed[number] = slots, _reverse_bits(taken // slots, stride.bit_length() - 1), stride
        taken += slots
    return [placed[number] for number in range(len(placed))]


def _check_gates(gates: tuple[int, ...], layers: int) -> None:
    if len(gates) != layers or gates[-1]:
        raise UnsupportedNetwork(f"{layers} layers need a gate each and none at the last, got the tags {gates}")
    if any(gates):
        from zkpredict.circuits.placement import known_gates  # it imports this module

        unknown = set(gates) - known_gates().keys()
        if unknown:
            raise UnsupportedNetwork(f"no gate has the tag {min(unknown)}")


def _packs(outputs: int, lanes: int) -> int:
    return -(-outputs // (PACK_LANES // lanes))


def _power_of_two(count: int) -> int:
    return 1 << (count - 1).bit_length()


def _reverse_bits(value: int, bits: int) -> int:
    return int(format(value, f"0{bits}b")[::-1], 2) if bits else 0
