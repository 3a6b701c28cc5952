"""Which circuits with convolutions a verifier contract is made for: those whose passes over the image and over lanes it knows."""

from __future__ import annotations

from dataclasses import dataclass

from zkpredict.circuits.convolution.layout import ConvCircuit
from zkpredict.circuits.wide.geometry import PACKS_PER_BLOCK

WORD_PIXELS = 32


@dataclass(frozen=True)
class Stretch:
    """Positions (row, first) to (row, end - 1) of a layer, whose exponents fall by `step` to `last`."""

    row: int
    first: int
    end: int
    last: int
    step: int


def stretches(circuit: ConvCircuit, layer: int = 0) -> list[Stretch]:
    """All positions of a layer, cut at the ends of rows and of runs; exponents are those of its first group."""
    columns, band, found = circuit.grid(layer).positions[1], circuit.groups(layer)[0], []
    for run in band.runs:
        at, stop = run.first, run.first + band.used(run)
        while at < stop:
            row, first = divmod(at, columns)
            end = min(columns, first + stop - at)
            found.append(Stretch(row, first, end, run.exponent(at + end - first - 1 - run.first), run.step))
            at += end - first
    return found


def contract_refusal(circuit: ConvCircuit) -> str:
    """Why no contract is made for a circuit; empty when there is one."""
    kernels = [layer for layer in range(circuit.layers) if circuit.is_convolution(layer)]
    if circuit.wiring or kernels != [0, 1]:
        return "a contract holds two convolutions, then dense layers, without max pools or residuals"
    first, second = circuit.grid(0), circuit.grid(1)
    plain = all(one.stride == 1 and not any((one.pad_top, one.pad_left, one.pad_bottom, one.pad_right)) for one in (first, second))
    if not plain or first.channels > 1 or first.pool > 1 or first.width > WORD_PIXELS:
        return f"the convolutions of a contract have stride 1, no padding, and a grey image of at most {WORD_PIXELS} pixels a row"
    bands = circuit.groups(0)
    if len(bands) > 1 or circuit.lanes[0] != 1 or any(len(circuit.chunks_of(layer)) > 1 for layer in kernels):
        return "the first convolution of a contract has at most ten channels, of one lane each, and kernels have one row"
    blocks, (band,) = circuit.blocks, bands
    whole = all(run.count == blocks == band.used(run) for run in band.runs)
    rows, columns = first.positions
    pools = PACKS_PER_BLOCK * blocks % (columns * second.pool) == rows % second.pool == columns % second.pool == blocks % second.pool == 0
    if not whole or not pools or [piece.track for piece in band.pieces] != list(circuit.tracks_of(0)):
        return "the first convolution of a contract fills whole tracks, by whole rows of pools"
    cut = [one for one in stretches(circuit) if one.end < columns]
    if any(one.first or one.end < first.kernel_width for one in cut) or columns < first.kernel_width:
        return "a row of positions of the first convolution is cut twice, or where fewer than a kernel's width are left"
    if min(second.positions) < 1 or second.kernel_height > second.positions[0] + 1 or second.kernel_width > second.positions[1] + 1:
        return "the kernels of the second convolution are larger than the map that they make"
    return ""
