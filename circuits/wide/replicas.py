"""The geometry of a wide circuit whose small layers lie on the trace several times, so that few rows of weights serve many packs.

    replica : a band that holds a hidden layer once more: the same packs under exponents of their own
    joined  : the rows of weights behind the first layer are this many polynomials for each track; number j holds, of every such layer t,
              the packs j R, j R + 1, ... j R + R - 1, where the layer before has R = ceil(packs of t / joined) replicas: pack j R + r
              reads replica r. Layers and replicas lie on rows of their own, so the packs that share a polynomial never meet.
    piece   : packs at one position of the blocks `residue, residue + stride, ...` of a track

A pack's weight is the sum of alpha^exponent over the replicas of its layer: what the polynomial demands, it demands of each of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork
from zkpredict.circuits.field import MODULUS, S, power
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.networks.activations import Activation
from zkpredict.circuits.records import dataclass
from zkpredict.circuits.rows import RowColumn
from zkpredict.circuits.wide.claims import Kind
from zkpredict.circuits.wide.geometry import BIAS_ROW, BLOCK_ROWS, PACKS_PER_BLOCK, Band, Piece, allocate, packs_of
from zkpredict.circuits.wide.layout import DOUBLE, REPLICA_MAGIC, WideCircuit

if TYPE_CHECKING:
    from zkpredict.circuits.gadgets.base import Gadget

JOINED_BYTES = 2


@dataclass(frozen=True)
class Seat:
    """One pack in a joined row: pack `pack` of `layer`, which reads replica `copy` of the layer before, with its bias at `bias_row`."""

    layer: int
    pack: int
    copy: int
    bias_row: int


@dataclass(frozen=True)
class ReplicaCircuit(WideCircuit):
    """A wide circuit with `joined` rows of weights for each track that hidden layers lie on.

    Raises `UnsupportedNetwork` when layers do not fit, for a private input, for a network of one layer, and for more joined rows than
    are in use.
    """

    joined: int = 1

    def __post_init__(self) -> None:
        self.check_sizes()
        if self.private_input:
            raise UnsupportedNetwork("circuits with replicas have public inputs only")
        if self.slotted:
            raise UnsupportedNetwork("circuits with replicas have no slots for batches")
        if self.layers < 2:
            raise UnsupportedNetwork("a network of one layer has nothing to replicate")
        if not 1 <= self.joined <= max(map(self.packs, range(1, self.layers))):
            raise UnsupportedNetwork(f"{self.joined} joined rows, expected 1 to {max(map(self.packs, range(1, self.layers)))}")
        rows = max(-(-self.packs(layer) // self.copies(layer - 1)) for layer in range(1, self.layers))
        if rows != self.joined:
            raise UnsupportedNetwork(f"{self.joined} joined rows, of which {rows} are in use")
        seats = sum(self.copies(layer) for layer in range(self.layers - 1))
        if seats > self.blocks:
            raise UnsupportedNetwork(f"{seats} packs share a row, {self.blocks} biases fit beside them")
        super().__post_init__()

    def gadgets(self) -> tuple[Gadget, ...]:
        from zkpredict.circuits.wide.joined import replica_gadgets  # late: it builds on this module

        return replica_gadgets(self)

    def packs(self, layer: int) -> int:
        """Packs in use of one replica of a layer."""
        return packs_of(self.widths[layer + 1], self.lanes[layer] if layer < self.layers - 1 else DOUBLE)

    def copies(self, layer: int) -> int:
        """As many as packs of the layer behind it share a row; the last one lies there once."""
        return -(-self.packs(layer + 1) // self.joined) if layer < self.layers - 1 else 1

    # bands

    @cached_property
    def _copies(self) -> tuple[list[tuple[Band, ...]], int]:
        """The replicas of each layer, and the number of tracks. Pieces are found as if each position were a track of its own."""
        wanted = []
        for layer in range(self.layers - (self.claim.kind is Kind.LOGITS)):
            lanes = self.lanes[layer] if layer < self.layers - 1 else DOUBLE
            wanted += [(layer, lanes)] * self.copies(layer)
        found, places = allocate([self.packs(layer) for layer, _ in wanted], self.blocks)
        bands: list[list[Band]] = [[] for _ in range(self.layers)]
        for (layer, lanes), pieces in zip(wanted, found, strict=True):
            bands[layer].append(Band.on(self.widths[layer + 1], lanes, map(_at_position, pieces)))
        return [tuple(own) for own in bands], max(-(-places // PACKS_PER_BLOCK), 1)

    def groups(self, layer: int) -> tuple[Band, ...]:
        """The replicas of a layer."""
        return self._copies[0][layer]

    @property
    def _allocation(self) -> tuple[list[Band], int]:
        hidden = [self.groups(layer)[0] for layer in range(self.layers - 1)]
        return [*hidden, *self.groups(self.layers - 1)], self._copies[1]

    @cached_property
    def hidden(self) -> tuple[Band, ...]:
        """All replicas of hidden layers."""
        return tuple(band for layer in range(self.layers - 1) for band in self.groups(layer))

    @property
    def bands(self) -> tuple[Band, ...]:
        """The first replica of every layer."""
        return (*(self.groups(layer)[0] for layer in range(self.layers - 1)), self.output)

    # rows

    def seats(self, number: int) -> Iterator[Seat]:
        """The packs in the joined rows of one number."""
        place = 0
        for layer in range(1, self.layers):
            copies, packs = self.copies(layer - 1), self.packs(layer)
            for copy in range(copies):
                pack = number * copies + copy
                if pack < packs:
                    yield Seat(layer, pack, copy, place * BLOCK_ROWS + BIAS_ROW)
                    place += 1

    @cached_property
    def _seats(self) -> dict[tuple[int, int], list[Seat]]:
        """Those of every joined row that has any, by track and number."""
        tracks = [[band.tracks for band in self.groups(layer)] for layer in range(self.layers - 1)]
        found: dict[tuple[int, int], list[Seat]] = {}
        for number in range(self.joined):
            for seat in self.seats(number):
                for track in tracks[seat.layer - 1][seat.copy]:
                    found.setdefault((track, number), []).append(seat)
        return dict(sorted(found.items()))

    def seats_on(self, track: int, number: int) -> list[Seat]:
        """Those that read `track`."""
        return self._seats[track, number]

    def source(self, seat: Seat) -> Band:
        """What a seat reads."""
        return self.groups(seat.layer - 1)[seat.copy]

    def pieces_on(self, seat: Seat, track: int) -> list[Piece]:
        """Those of them on `track`."""
        return [piece for piece in self.source(seat).pieces if piece.track == track]

    def has_bias(self, seat: Seat, track: int) -> bool:
        """Whether a seat's bias lies in the row of `track`: the first track that it reads."""
        return self.source(seat).tracks[0] == track

    def exponents_of(self, layer: int) -> list[list[int]]:
        """The exponents of a layer's packs in use, replica by replica."""
        bands = (self.output,) if layer == self.layers - 1 else self.groups(layer)
        return [list(band.exponents()) for band in bands]

    def pack_weights(self, layer: int, alpha: S) -> list[S | int]:
        """For each pack of a layer what its row of weights is multiplied with."""
        found: list[S | int] = []
        for own in zip(*self.exponents_of(layer), strict=True):
            total: S | int = 0
            for exponent in own:
                total = (total + power(alpha, exponent)) % MODULUS
            found.append(total)
        return found

    @cached_property
    def joined_rows(self) -> dict[str, tuple[int, int]]:
        """Track and number of every joined row, by its name."""
        return {f"rows_{track}_{number}": (track, number) for track, number in self._seats}

    @cached_property
    def row_columns(self) -> tuple[RowColumn, ...]:
        return (*self._input_columns(), *(RowColumn(name, 1, False, (0,)) for name in self.joined_rows))

    # bytes

    def to_bytes(self) -> bytes:
        """As of a wide circuit with another magic, then the number of joined rows, u16."""
        return REPLICA_MAGIC + super().to_bytes()[len(REPLICA_MAGIC) :] + self.joined.to_bytes(JOINED_BYTES, "little")

    @classmethod
    def read(cls, reader: ByteReader) -> ReplicaCircuit:
        """Parses `to_bytes` output at the cursor. Raises `MalformedFile`."""
        parts = cls.read_parts(reader, REPLICA_MAGIC)
        try:
            return cls(*parts, joined=reader.unsigned(JOINED_BYTES, "joined rows"))
        except UnsupportedNetwork as error:
            raise MalformedFile(f"{reader.what}: {error}") from None


def joined_counts(widths: tuple[int, ...], lanes: tuple[int, ...], domain: int) -> list[int]:
    """Numbers of joined rows that circuits of these layers may have, the least first: of some layer every row holds as many packs as there
    are replicas of the layer before, of which there are at most as many as biases fit."""
    packs = [packs_of(*one) for one in zip(widths[2:], (*lanes[1:], DOUBLE), strict=True)] if lanes else []
    return sorted({-(-count // replicas) for count in packs for replicas in range(1, domain // BLOCK_ROWS + 1)})


def kinds(circuit: WideCircuit) -> list[Activation]:
    """The distinct activations of a circuit, in order."""
    return list(dict.fromkeys(circuit.activations))


def _at_position(piece: Piece) -> Piece:
    """A piece found on a track for each position, as one of the trace."""
    track, position = divmod(piece.track, PACKS_PER_BLOCK)
    return Piece(track, piece.residue, piece.stride, piece.blocks, piece.per_track, (position,))


def joined_seats(circuit: WideCircuit) -> list[Seat]:
    """All packs in joined rows; none in a circuit without replicas."""
    return [seat for number in range(circuit.joined) for seat in circuit.seats(number)] if isinstance(circuit, ReplicaCircuit) else []
