"""Which circuits with convolutions a verifier contract is made for: those whose passes over the image and over lanes it knows."""

from __future__ import annotations

from dataclasses import dataclass

from zkpredict.circuits.convolution.encoding import differ_by_side
from zkpredict.circuits.convolution.layout import ConvCircuit
from zkpredict.circuits.placement import has_shared_rows
from zkpredict.circuits.wide.geometry import PACKS_PER_BLOCK

WORD_PIXELS = 32
WHOLE_TRACKS = "the first convolution of a contract fills whole tracks, by whole rows of pools"


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


def pooled_layers(circuit: ConvCircuit) -> tuple[int, ...]:
    """The layers that are max pools."""
    return tuple(layer for layer in range(circuit.layers) if circuit.is_pool(layer))


def contract_refusal(circuit: ConvCircuit) -> str:
    """Why no contract is made for a circuit; empty when there is one."""
    if has_shared_rows(circuit):
        return _wrong_shared(circuit)
    if differ_by_side(circuit.grids, circuit.wiring):
        return "a contract holds strides and pools that are the same down and across"
    pools = pooled_layers(circuit)
    kernels = [layer for layer in range(circuit.layers) if circuit.is_convolution(layer)]
    plain = all(wiring.plain for layer, wiring in enumerate(circuit.wiring) if layer not in pools)
    plain = plain and not any(circuit.wired(layer).sources for layer in pools)
    if (kernels, pools) not in (([0, 1], ()), ([0, 2, 4], (1, 3))) or not plain:
        return (
            "a contract holds two convolutions, then dense layers, with max pools behind both or behind neither, and no residuals; "
            f"this circuit has {len(kernels)} layers of kernels and {len(pools)} max pools on {circuit.tracks} tracks"
        )
    return _wrong_kernels(circuit, kernels) or (_wrong_pools(circuit, pools) if pools else _wrong_lanes(circuit))


def _wrong_shared(circuit: ConvCircuit) -> str:
    """With shared rows: windows lie alike on all tracks."""
    first, second = circuit.grid(0), circuit.grid(1)
    if first.width > WORD_PIXELS:
        return f"the image of a contract has at most {WORD_PIXELS} pixels a row"
    columns = second.pooled[1]
    alike = columns % PACKS_PER_BLOCK == PACKS_PER_BLOCK * circuit.blocks // 4 % columns == 0
    large = second.kernel_height > second.positions[0] + 1 or second.kernel_width > second.positions[1] + 1
    if large:
        return "the kernels of the second convolution are larger than the map that they make"
    return "" if alike else "the windows of 2 x 2 behind the first convolution fill whole rows of a track, three at a time"


def _wrong_kernels(circuit: ConvCircuit, kernels: list[int]) -> str:
    first, second = circuit.grid(0), circuit.grid(kernels[1])
    plain = all(one.stride == 1 and not any((one.pad_top, one.pad_left, one.pad_bottom, one.pad_right)) for one in (first, second))
    if not plain or first.channels > 1 or first.pool > 1 or first.width > WORD_PIXELS:
        return f"the convolutions of a contract have stride 1, no padding, and a grey image of at most {WORD_PIXELS} pixels a row"
    bands = circuit.groups(0)
    if len(bands) > 1 or circuit.lanes[0] != 1 or any(len(circuit.chunks_of(layer)) > 1 for layer in kernels):
        return "the first convolution of a contract has at most ten channels, of one lane each, and kernels have one row"
    (band,) = bands
    whole = all(run.count == circuit.blocks == band.used(run) for run in band.runs)
    if not whole or [piece.track for piece in band.pieces] != list(circuit.tracks_of(0)):
        return WHOLE_TRACKS
    columns = first.positions[1]
    cut = [one for one in stretches(circuit) if one.end < columns]
    if any(one.first or one.end < first.kernel_width for one in cut) or columns < first.kernel_width:
        return "a row of positions of the first convolution is cut twice, or where fewer than a kernel's width are left"
    if min(second.positions) < 1 or second.kernel_height > second.positions[0] + 1 or second.kernel_width > second.positions[1] + 1:
        return "the kernels of the second convolution are larger than the map that they make"
    return ""


def _wrong_lanes(circuit: ConvCircuit) -> str:
    """Where the second convolution reads lanes themselves: pools that lie alike on all tracks."""
    blocks, pool = circuit.blocks, circuit.grid(1).pool
    rows, columns = circuit.grid(0).positions
    alike = PACKS_PER_BLOCK * blocks % (columns * pool) == rows % pool == columns % pool == blocks % pool == 0
    return "" if alike else WHOLE_TRACKS


def _wrong_pools(circuit: ConvCircuit, pools: tuple[int, ...]) -> str:
    """Where it reads winners."""
    for layer in pools:
        one = circuit.grid(layer)
        square = (one.kernel_height, one.kernel_width, one.stride, one.pool) == (2, 2, 2, 1)
        if not square or any((one.pad_top, one.pad_left, one.pad_bottom, one.pad_right)) or {*circuit.lanes[layer - 1 : layer + 1]} != {1}:
            return "the max pools of a contract have windows of 2 x 2 beside one another, over numbers of one lane each"
    last = circuit.grids[4]
    whole = last is None or (last.count, last.taps, last.pool) == (1, circuit.widths[4], 1)
    if circuit.grid(2).pool > 1 or not whole:
        return "convolutions of a contract read winners themselves, and dense layers those of the second"
    return ""
