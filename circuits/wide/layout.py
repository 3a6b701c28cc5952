"""One wide circuit: what its canonical bytes say, and the geometry that follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.files.order import Picture
from zkpredict.circuits.layout import DIGEST_LABEL
from zkpredict.circuits.keccak import keccak256
from zkpredict.circuits.networks.activations import RELU, RELU8, Activation, Rational, read_activation
from zkpredict.circuits.networks.dense import MAX_LAYERS, MAX_WIDTH, read_layer_count
from zkpredict.circuits.records import dataclass
from zkpredict.circuits.rows import RowColumn
from zkpredict.circuits.wide.claims import CLASS, PARAMETER_BYTES, Claim, Kind
from zkpredict.circuits.wide.geometry import BLOCK_ROWS, PACKS_PER_BLOCK, Band, Run, allocate_slots, packs_of, slots_for

if TYPE_CHECKING:
    from zkpredict.circuits.gadgets.base import Gadget

MAGIC, CONVOLUTION_MAGIC, WIRED_MAGIC, REPLICA_MAGIC, BY_SIDE_MAGIC, SHARED_MAGIC = b"zkpC\x02", b"zkpC\x03", b"zkpC\x05", b"zkpC\x06", b"zkpC\x07", b"zkpC\x08"
WIDE_DOMAINS = (512, 1024, 2048)
MAX_TRACKS = 64
MAX_CLASSES = 1000
NARROW, DOUBLE = 1, 2
"""Lanes of a value: 24 or 48 bits."""
_TAG_BITS, _LANES_MASK = 4, 15
_PRIVATE, _SLOTTED = 128, 64
Parts = tuple[tuple[int, ...], tuple[int, ...], tuple[Activation, ...], int, Claim, bool, bool]


@dataclass(frozen=True)
class WideCircuit:
    """`widths`: neurons from input to output; `lanes`: of each hidden layer's values; `activations`: of each hidden layer, of
    which at most one is rational; `domain`: rows n; `claim`: what is said of the output;
    `private_input`: whether the input is hidden under a commitment (`circuits.wide.private`); `slotted`: whether its one track leaves
    room for other inputs of a batch (`circuits.batch`).

    Raises `UnsupportedNetwork` when the layers do not fit.
    """

    widths: tuple[int, ...]
    lanes: tuple[int, ...]
    activations: tuple[Activation, ...]
    domain: int
    claim: Claim = CLASS
    private_input: bool = False
    slotted: bool = False

    def __post_init__(self) -> None:
        self.check_sizes()
        rational = {one for one in self.activations if isinstance(one, Rational)}
        unknown = [one for one in self.activations if one not in (RELU, RELU8) and one not in rational]
        if unknown or len(rational) > 1:
            some = unknown or sorted(map(str, rational))
            raise UnsupportedNetwork(f"a circuit holds relu, relu8 and one rational activation, got {', '.join(map(str, some))}")
        if self.classes > MAX_CLASSES:
            raise UnsupportedNetwork(f"a circuit has at most {MAX_CLASSES} classes, got {self.classes}")
        self.claim.check(self.classes)
        self._check_slots()
        if self.model_tracks > self.most_tracks:
            raise UnsupportedNetwork(
                f"network {'-'.join(map(str, self.widths))} needs {self.tracks} tracks of {self.domain} rows, at most {self.most_tracks} fit"
            )

    def _check_slots(self) -> None:
        if self.slotted and (self.claim != CLASS or self.private_input):
            what = "with a private input" if self.private_input else f"that claims {self.claim}"
            raise UnsupportedNetwork(f"a circuit {what} has no slots: batches claim the class of public inputs")
        if self.slotted and self.slots == 1:
            raise UnsupportedNetwork(f"the network fills more than half of a track of {self.domain} rows, which leaves no slots")

    def check_sizes(self) -> None:
        """What has to hold before anything is laid out. Raises `UnsupportedNetwork`."""
        if self.domain not in WIDE_DOMAINS:
            raise UnsupportedNetwork(f"domain must be one of {WIDE_DOMAINS}, got {self.domain}")
        if not 2 <= len(self.widths) <= self.most_layers + 1 or not len(self.lanes) == len(self.activations) == len(self.widths) - 2:
            raise UnsupportedNetwork(
                f"{len(self.lanes)} lane widths and {len(self.activations)} activations do not match {len(self.widths)} layer widths"
            )
        if not all(1 <= width <= MAX_WIDTH for width in self.widths):
            raise UnsupportedNetwork(f"layer widths must be in 1..{MAX_WIDTH}, got {self.widths}")
        if not all(lanes in (NARROW, DOUBLE) for lanes in self.lanes):
            raise UnsupportedNetwork(f"lane widths must be {NARROW} or {DOUBLE}, got {self.lanes}")

    def gadgets(self) -> tuple[Gadget, ...]:
        """What the circuit is made of, in the order in which constraints are weighed."""
        from zkpredict.circuits.wide.placement import gadgets  # late: it builds on this module

        return gadgets(self)

    @property
    def rounds(self) -> Mapping[str, tuple[str, ...]]:
        """The rounds in which a proof commits to columns, and the challenges drawn after each."""
        from zkpredict.circuits.wide.placement import WIDE_ROUNDS  # late: it builds on this module

        return WIDE_ROUNDS

    @property
    def most_layers(self) -> int:
        """How many layers such a circuit may have."""
        return MAX_LAYERS

    @property
    def most_tracks(self) -> int:
        """How many tracks such a circuit may have."""
        return MAX_TRACKS

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
    def rational(self) -> Rational | None:
        """The circuit's rational activation, if a layer has one."""
        return next((one for one in self.activations if isinstance(one, Rational)), None)

    @property
    def saturates(self) -> bool:
        """Whether a layer has saturating bytes."""
        return RELU8 in self.activations

    @property
    def blocks(self) -> int:
        """Blocks of a track."""
        return self.domain // BLOCK_ROWS

    @property
    def quotient_pieces(self) -> int:
        """Commitments of the quotient: its 3n + 13 coefficients pass the ceremony's degree at n = 2048."""
        return 2 if self.domain == 2048 else 1

    # bands

    @cached_property
    def slots(self) -> int:
        """How many inputs of a batch lie side by side on a track: the model has the blocks that are 0 modulo this number."""
        return slots_for(self._wanted_blocks, self.blocks) if self.slotted else 1

    @property
    def _wanted(self) -> list[tuple[int, int]]:
        """Values and lanes of each band."""
        values = [*zip(self.widths[1:-1], self.lanes, strict=True)]
        return values if self.claim.kind is Kind.LOGITS else [*values, (self.classes, DOUBLE)]

    @property
    def _wanted_blocks(self) -> list[int]:
        return [-(-packs_of(*one) // PACKS_PER_BLOCK) for one in self._wanted]

    @cached_property
    def _allocation(self) -> tuple[list[Band], int]:
        pieces, tracks = allocate_slots(self._wanted_blocks, self.blocks, self.slots)
        return [Band.on(*one, own) for one, own in zip(self._wanted, pieces, strict=True)], max(tracks, 1)

    @property
    def model_tracks(self) -> int:
        """Tracks that one input takes."""
        return self._allocation[1]

    @property
    def met_by_rows(self) -> str | None:
        """The column of what rows of weights meet, where all layers share them (`circuits.shared`)."""
        return None

    @property
    def degrees(self) -> dict[str, int]:
        """Of public polynomials, where they are less than their kind says."""
        return {}

    @property
    def tracks(self) -> int:
        """Tracks of a proof."""
        return self.model_tracks

    @cached_property
    def hidden(self) -> tuple[Band, ...]:
        """The band of each hidden layer."""
        return tuple(self._allocation[0][: self.layers - 1])

    @cached_property
    def output(self) -> Band:
        """The packs of the last layer: differences, or public numbers, whose exponents follow those of the fold."""
        if self.claim.kind is not Kind.LOGITS:
            return self._allocation[0][-1]
        packs = packs_of(self.classes, DOUBLE)
        return Band(self.classes, DOUBLE, (), (Run(0, packs, self.folded, 1),))

    @property
    def bands(self) -> tuple[Band, ...]:
        """The band of every layer."""
        return (*self.hidden, self.output)

    def groups(self, layer: int) -> tuple[Band, ...]:
        """The bands of a layer: of a dense one a single band."""
        return (self.bands[layer],)

    def tracks_of(self, layer: int) -> tuple[int, ...]:
        """Tracks on which a layer lies, in order."""
        return tuple(sorted({track for band in self.groups(layer) for track in band.tracks}))

    @property
    def folded(self) -> int:
        """How many powers of alpha the fold uses: the first one that is free."""
        return PACKS_PER_BLOCK * self.blocks * self.tracks

    # rows

    @cached_property
    def chunks(self) -> tuple[range, ...]:
        """The inputs that each chunk of a first-layer row reads. The first chunk has the bias before them; the last coefficient of
        every row is its random entry. (A private input: two rows of each chunk are not its own.)"""
        if self.private_input:
            size = self.domain - 2
            return tuple(range(start, min(start + size, self.inputs)) for start in range(0, self.inputs, size))
        capacity = self.domain - 1
        starts = [0, *range(capacity - 1, self.inputs, capacity)]
        return tuple(range(start, end) for start, end in zip(starts, [*starts[1:], self.inputs], strict=True))

    @property
    def packs_per_row(self) -> int:
        """Packs of the first layer that share a row."""
        return max(1, (self.domain - 1) // (self.inputs + 1))

    @cached_property
    def input_steps(self) -> tuple[int, ...]:
        """By how much exponents of packs that share a row differ: one number for each kind of piece of the first layer."""
        band = self.bands[0]
        return tuple(dict.fromkeys(run.step for run in band.runs if band.used(run)))

    def shared_packs(self, step: int, copy: int = 0) -> list[tuple[tuple[int, ...], int]]:
        """Rows of the first layer whose exponents differ by `step`: their packs, lowest exponent first, and that exponent. `copy`: the
        replica whose exponents these are."""
        band, rows = self.groups(0)[copy] if copy else self.bands[0], []
        for run in band.runs:
            used = band.used(run) if run.step == step else 0
            for first in range(0, used, self.packs_per_row):
                last = min(first + self.packs_per_row, used) - 1
                rows.append((tuple(run.first + number for number in range(last, first - 1, -1)), run.exponent(last)))
        return rows

    @cached_property
    def row_columns(self) -> tuple[RowColumn, ...]:
        """Every column of the model with the exponents of its rows, in the order of the commitment."""
        found = self._input_columns()
        for layer in range(1, self.layers):
            exponents = tuple(self.bands[layer].exponents())
            found += [RowColumn(value_rows(layer, track), layer, False, exponents) for track in self.bands[layer - 1].tracks]
        return tuple(found)

    def _input_columns(self) -> list[RowColumn]:
        """Those of the first layer."""
        if self.private_input:
            exponents = tuple(self.bands[0].exponents())
            return [RowColumn(hidden_rows_name(part), 0, False, exponents) for part in range(len(self.chunks))]
        found = []
        for number, step in enumerate(self.input_steps):
            exponents, *copies = (tuple(e for _, e in self.shared_packs(step, copy)) for copy in range(self.copies(0)))
            found += [RowColumn(input_rows(number, chunk), 0, True, exponents, copies=tuple(copies)) for chunk in range(len(self.chunks))]
        return found

    def hidden_convolutions(self) -> list[tuple[int, int, int]]:
        """Layer, piece and chunk of every column of what kernels behind the first layer meet: a circuit of dense layers has none."""
        return []

    def copies(self, layer: int) -> int:
        """How often a layer lies on the trace."""
        return 1

    @property
    def total_rows(self) -> int:
        """Committed rows of the model: the points a registry stores."""
        return sum(len(column.exponents) for column in self.row_columns if not column.again)

    # bytes

    def to_bytes(self) -> bytes:
        """Canonical bytes: magic, domain u16, claim u8 (its highest bit: the input is private, the next: slots) and its parameter i64, layer count u8, widths u32 each, then for each hidden
        layer its lanes u8 (the activation's tag in the high four bits), then the rational activation if there is one;
        little-endian."""
        tagged = zip(self.lanes, self.activations, strict=True)
        return b"".join(
            [
                MAGIC,
                self.domain.to_bytes(2, "little"),
                bytes([self.claim.kind | _PRIVATE * self.private_input | _SLOTTED * self.slotted]),
                self.claim.parameter.to_bytes(PARAMETER_BYTES, "little", signed=True),
                bytes([self.layers]),
                *(width.to_bytes(4, "little") for width in self.widths),
                bytes(lanes | one.tag << _TAG_BITS for lanes, one in tagged),
                b"" if self.rational is None else self.rational.to_bytes(),
            ]
        )

    @classmethod
    def read(cls, reader: ByteReader) -> WideCircuit:
        """Parses `to_bytes` output at the cursor. Raises `MalformedFile`."""
        try:
            return cls(*cls.read_parts(reader, MAGIC))
        except UnsupportedNetwork as error:
            raise MalformedFile(f"{reader.what}: {error}") from None

    @staticmethod
    def read_parts(reader: ByteReader, magic: bytes, most_layers: int = MAX_LAYERS) -> Parts:
        """What the bytes say, in the order of the fields. Raises `MalformedFile`."""
        reader.expect(magic, "circuit magic")
        domain = reader.unsigned(2, "domain")
        kind = reader.unsigned(1, "claim")
        private, slotted, kind = bool(kind & _PRIVATE), bool(kind & _SLOTTED), kind & ~(_PRIVATE | _SLOTTED)
        if kind >= len(Kind):
            raise MalformedFile(f"{reader.what}: claim is {kind}, expected 0 to {len(Kind) - 1}")
        parameter = int.from_bytes(reader.take(PARAMETER_BYTES, "claim parameter"), "little", signed=True)
        layers = read_layer_count(reader, most_layers)
        widths = tuple(reader.unsigned(4, f"width {i}") for i in range(layers + 1))
        tagged = reader.take(layers - 1, "lane widths")
        tags = [byte >> _TAG_BITS for byte in tagged]
        known: dict[int, Activation] = {RELU.tag: RELU, RELU8.tag: RELU8}
        if set(tags) - known.keys():
            rational = read_activation(reader, "rational")
            known.setdefault(rational.tag, rational)
        if set(tags) - known.keys():
            raise MalformedFile(f"{reader.what}: layers have the activations {tags}, only {sorted(known)} are described")
        lanes = tuple(byte & _LANES_MASK for byte in tagged)
        try:
            claim = Claim(Kind(kind), parameter)
        except UnsupportedNetwork as error:
            raise MalformedFile(f"{reader.what}: {error}") from None
        return widths, lanes, tuple(known[tag] for tag in tags), domain, claim, private, slotted

    @cached_property
    def digest(self) -> bytes:
        """keccak256 of the label and the canonical bytes: what the verifier pins. 32 bytes."""
        return keccak256(DIGEST_LABEL + self.to_bytes())


def input_rows(step: int, chunk: int) -> str:
    """Name of the combined first-layer rows of one step and one chunk of the input."""
    return f"rows0_{step}_{chunk}"


def value_rows(layer: int, track: int) -> str:
    """Name of the combined rows of `layer` that read `track`."""
    return f"rows{layer}_{track}"


def hidden_rows_name(part: int) -> str:
    """Name of the combined first-layer rows that read one chunk of a private input."""
    return f"rows0_private{part}"
