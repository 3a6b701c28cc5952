"""Lanes: a number of 24 bits on one row of a track, and its top bit.

    lane(row) = 65536 top + 256 mid + low          a narrow value is z 2^scale + 2^23, a double one lies on two rows
    sign      = [top >= 128]                       so that a double value's sign stands beside its high lane
    exact     = [top = 128]                        only in circuits that saturate: z >> shift is a byte

`sign` and `exact` are bits, and exact (top - 128) = 0; that they are the right ones is what the lookup of the top byte says
(`circuits.wide.keys`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from zkpredict.circuits.columns import Column, Origin
from zkpredict.circuits.expression import Cell, Expression
from zkpredict.circuits.gadgets.base import Cells, Constraint, Gadget, Run
from zkpredict.circuits.wide.geometry import LANE_BITS, PACK_LANES, Band
from zkpredict.circuits.wide.layout import WideCircuit

if TYPE_CHECKING:
    import numpy as np

BYTE_BITS = 8
BYTE_BASE = 1 << BYTE_BITS
LIMBS = ("top", "mid", "low")
SIGN_BIT = 128
ARGUMENT_OFFSET = SIGN_BIT * BYTE_BASE


class WideGadget(Gadget):
    """One idea, placed in a wide circuit."""

    circuit: WideCircuit  # type: ignore[assignment]  # gadgets of the compact placement have a `Circuit`

    def __init__(self, circuit: WideCircuit) -> None:
        self.circuit = circuit


class Lanes(WideGadget):
    """The limbs of every lane, its sign, and whether it is exact."""

    def columns(self) -> tuple[Column, ...]:
        names = (*LIMBS, "sign", *(("exact",) if self.circuit.saturates else ()))
        return tuple(Column(f"{name}{track}", Origin.PROOF, 1) for track in range(self.circuit.tracks) for name in names)

    def constraints(self) -> tuple[Constraint, ...]:
        found = []
        for track in range(self.circuit.tracks):
            for name in ("sign", "exact") if self.circuit.saturates else ("sign",):
                bit = Cell(f"{name}{track}")
                found.append(Constraint(f"{name} of track {track} is a bit", bit * bit - bit))
            if self.circuit.saturates:
                beside = Cell(f"exact{track}") * (Cell(f"top{track}") - SIGN_BIT)
                found.append(Constraint(f"exact of track {track} says 128", beside))
        return tuple(found)

    def fill(self, cells: Cells, run: Run) -> None:
        """Hidden layers. Values to spare are zero, as of neurons without weights: so every pack has the same offset."""
        for band, z in zip(self.circuit.hidden, run.pre_activations, strict=False):
            place(cells, band, z, 1 << (band.lanes * LANE_BITS - 1))

    def complete(self, cells: Cells) -> None:
        for track in range(self.circuit.tracks):
            top = cells[f"top{track}"]
            cells[f"sign{track}"][:] = top >= SIGN_BIT
            if self.circuit.saturates:
                cells[f"exact{track}"][:] = top == SIGN_BIT


def lane(track: int) -> Expression:
    """The number in a lane of `track`."""
    top, mid, low = (Cell(f"{name}{track}") for name in LIMBS)
    return BYTE_BASE * (BYTE_BASE * top + mid) + low


def argument(track: int) -> Expression:
    """u = z >> shift: the 16 signed bits above a lane's lowest byte."""
    return BYTE_BASE * Cell(f"top{track}") + Cell(f"mid{track}") - ARGUMENT_OFFSET


@lru_cache(maxsize=256)
def lane_places(band: Band) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """For each track of a band, the rows of its lanes and the lanes' numbers: int64 arrays; lanes are counted pack by pack."""
    import numpy as np  # verifiers, which fill nothing, do not wait for it

    places = np.array(list(band.pack_places()), dtype=np.int64)
    lanes = np.arange(PACK_LANES)
    found = {}
    for track in band.tracks:
        packs = np.flatnonzero(places[:, 0] == track)
        rows = places[packs, 1][:, None] + lanes
        found[track] = (rows.ravel(), (packs[:, None] * PACK_LANES + lanes).ravel())
    return found


def place(cells: Cells, band: Band, values: np.ndarray, offset: int) -> None:
    """Writes `values` + offset (int64 [band.values], taken modulo 2^bits) as limbs into the band's lanes, and the offset alone into
    places to spare."""
    lanes = lanes_of(band, values, offset)
    for track, (rows, numbers) in lane_places(band).items():
        write(cells, track, rows, lanes[numbers])


def lanes_of(band: Band, values: np.ndarray, offset: int) -> np.ndarray:
    """`values` + offset (int64 [..., band.values]) as the numbers of the band's lanes, pack by pack: int64 [..., lanes]."""
    import numpy as np  # verifiers, which fill nothing, do not wait for it

    packs = sum(run.count for run in band.runs)
    padded = np.zeros((*values.shape[:-1], packs * band.values_per_pack), dtype=np.int64)
    padded[..., : values.shape[-1]] = values
    padded = padded.reshape(*values.shape[:-1], packs, band.values_per_pack) + offset
    lanes = np.zeros((*values.shape[:-1], packs, PACK_LANES), dtype=np.int64)
    for number in range(band.lanes):
        shifted = padded >> (LANE_BITS * (band.lanes - 1 - number))
        lanes[..., number : band.values_per_pack * band.lanes : band.lanes] = shifted & ((1 << LANE_BITS) - 1)
    return lanes.reshape(*values.shape[:-1], packs * PACK_LANES)


def write(cells: Cells, track: int, rows: np.ndarray | int, lanes: np.ndarray | int) -> None:
    """Writes numbers of 24 bits as limbs."""
    for name, shift in zip(LIMBS, (2 * BYTE_BITS, BYTE_BITS, 0), strict=True):
        cells[f"{name}{track}"][rows] = lanes >> shift & (BYTE_BASE - 1)
