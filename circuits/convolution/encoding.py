"""The bytes of a circuit's grids and wirings, behind those of a wide circuit: what stands in the digest, and so in every statement.

    zkpC 03   for each layer a byte, 1 before a grid, and the grid
    zkpC 05   the same, then the wirings of all layers: some layer reads others than the one before it, or is a max pool
    zkpC 07   as 05, with grids that say strides and pools down and across: some grid has two that differ
"""

from __future__ import annotations

from collections.abc import Sequence

from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.networks.grid import Grid
from zkpredict.circuits.networks.wiring import PLAIN, Wiring
from zkpredict.circuits.wide.layout import BY_SIDE_MAGIC, CONVOLUTION_MAGIC, WIRED_MAGIC

Grids = tuple[Grid | None, ...]
Wirings = tuple[Wiring, ...]


def differ_by_side(grids: Sequence[Grid | None], wiring: Sequence[Wiring]) -> bool:
    """Whether some stride or pool is another one across than down."""
    return any(one is not None and one.differs_by_side for one in (*grids, *wiring))


def encode_geometry(grids: Grids, wiring: Wirings) -> tuple[bytes, bytes]:
    """The magic of the circuit, and the bytes. `wiring`: of each layer, or none."""
    by_side = differ_by_side(grids, wiring)
    magic = BY_SIDE_MAGIC if by_side else WIRED_MAGIC if wiring else CONVOLUTION_MAGIC
    parts = [b"\x00" if grid is None else b"\x01" + grid.to_bytes(by_side) for grid in grids]
    said = wiring or ((PLAIN,) * len(grids) if by_side else ())
    return magic, b"".join([*parts, *(one.to_bytes(by_side) for one in said)])


def take_geometry(reader: ByteReader, magic: bytes, count: int) -> tuple[Grids, Wirings]:
    """Parses what `encode_geometry` gives for `count` layers. Raises `MalformedFile`, or `UnsupportedNetwork` for a grid out of range."""
    by_side = magic == BY_SIDE_MAGIC
    grids: list[Grid | None] = []
    wiring: Wirings = ()
    for layer in range(count):
        flag = reader.unsigned(1, f"grid of layer {layer}")
        if flag > 1:
            raise MalformedFile(f"{reader.what}: the grid of layer {layer} is announced by {flag}, expected 0 or 1")
        grids.append(Grid.take(reader, f"layer {layer}", by_side) if flag else None)
    if magic != CONVOLUTION_MAGIC:
        wiring = tuple(Wiring.take(reader, f"layer {layer}", by_side) for layer in range(count))
    plain = all(one.plain for one in wiring)
    if by_side and not differ_by_side(grids, wiring):
        raise MalformedFile(f"{reader.what}: no stride or pool differs by side, so its magic is {CONVOLUTION_MAGIC!r} or {WIRED_MAGIC!r}")
    if magic == WIRED_MAGIC and plain:
        raise MalformedFile(f"{reader.what}: no layer has a wiring, so its magic is {CONVOLUTION_MAGIC!r}")
    return tuple(grids), () if plain else wiring
