"""A photo of a digit on paper to what MNIST holds: light ink on black, fitted into a box, centred by mass.

  paper    in each cell of a coarse grid, a low quantile of the shades, opened so that no cell is ink; interpolated: follows shadows
  ink      what differs from the paper by more than Otsu's threshold (N. Otsu, "A threshold selection method from gray-level
           histograms", 1979) and by several times the grain of the paper
  digit    the largest patch of ink that does not run out of the picture, and the patches at least a tenth as large
  strokes  thin ones are thickened to a tenth of the digit's height or width, then averaged down until the digit fits 20/28 of the side
  place    the centre of mass comes to the middle (Y. LeCun, "The MNIST database", file format notes)

Integers only, so that whoever proves and whoever verifies get the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from zkpredict.circuits.errors import UnusableInput

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

WORKING_SIDE = 640
GRID = 6
PAPER_PERCENT = 30
LEAST_CONTRAST = 24
GRAINS = 4
SMALLEST_PART, LARGEST_PART = 2000, 2
"""Ink is at least 1/2000 and at most half of the picture."""
STROKES_PER_EXTENT = 10
BOX, FIELD = 20, 28


@dataclass(frozen=True, eq=False)
class Patch:
    """Connected ink: `runs` are (row, first column, column behind the last)."""

    runs: list[tuple[int, int, int]]
    area: int
    at_edge: bool


def normalised_ink(grey: Picture, side: int, what: str, notes: list[str]) -> np.ndarray:
    """The digit in a grey picture as uint8 [side, side]. Raises `UnusableInput` naming `what` when no ink is found."""
    shades = _working(grey)
    dark = _is_dark_ink(shades)
    light = 255 - shades if dark else shades
    over = light - _paper(light)
    threshold = _threshold(over, what)
    kept, left = _digit(over > threshold, what)
    level = int(np.sort(over[kept])[int(kept.sum()) // 2])
    low = threshold // 2
    values = np.clip((over - low) * 255 // max(level - low, 1), 0, 255) * _grown(kept, 1)
    rows, columns = (np.flatnonzero(kept.any(axis=axis)) for axis in (1, 0))
    crop = values[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    thick = _thickened(crop, kept[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    notes.append(
        f"{'dark ink on light' if dark else 'light ink on dark'} ground was found on {crop.shape[1]} x {crop.shape[0]} of "
        f"{shades.shape[1]} x {shades.shape[0]} pixels, cut out, fitted into {_box(side)} x {_box(side)} and centred by its mass"
    )
    if left:
        notes.append(f"{left} other patch{'es' if left > 1 else ''} of ink left out: specks, or ink that runs out of the picture")
    if crop.shape[1] > 2 * crop.shape[0]:
        notes.append("the ink is more than twice as wide as high: is it one digit?")
    return _placed(thick, side)


def _working(grey: Picture) -> np.ndarray:
    """The shades, int64, shrunk by box averages to at most `WORKING_SIDE` a side."""
    from PIL import Image

    longest = max(grey.size)
    if longest > WORKING_SIDE:
        width, height = (max(1, length * WORKING_SIDE // longest) for length in grey.size)
        grey = grey.resize((width, height), Image.Resampling.BOX)
    return np.asarray(grey, dtype=np.int64)


def _is_dark_ink(shades: np.ndarray) -> bool:
    """Most of a picture is paper: it is light when the median lies nearer to the lightest shades than to the darkest."""
    ordered = np.sort(shades, axis=None)
    last = ordered.size - 1
    return bool(2 * ordered[last // 2] >= ordered[last // 100] + ordered[last - last // 100])


def _paper(light: np.ndarray) -> np.ndarray:
    """The shade of the paper under each pixel, where ink is light."""
    heights, widths = (np.arange(min(GRID, length) + 1) * length // min(GRID, length) for length in light.shape)
    cells = np.empty((len(heights) - 1, len(widths) - 1), np.int64)
    for row, (top, bottom) in enumerate(pairwise(heights)):
        for column, (first, end) in enumerate(pairwise(widths)):
            shades = np.sort(light[top:bottom, first:end], axis=None)
            cells[row, column] = shades[(shades.size - 1) * PAPER_PERCENT // 100]
    cells = -_spread(-cells)  # an opening: cells that ink fills, up to two wide, get the paper around them
    cells = _spread(cells)
    return _stretched(_stretched(cells, light.shape[0]).T, light.shape[1]).T


def _spread(cells: np.ndarray) -> np.ndarray:
    """The largest of each cell and its eight neighbours."""
    padded = np.pad(cells, 1, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).max(axis=(2, 3))


def _stretched(cells: np.ndarray, length: int) -> np.ndarray:
    """Rows between the centres of `cells`' rows, linearly, in steps of 1/256 of a cell."""
    count = len(cells)
    places = np.clip((2 * np.arange(length) + 1) * count * 128 // length - 128, 0, (count - 1) * 256)
    first, part = places >> 8, (places & 255)[:, None]
    return (cells[first] * (256 - part) + cells[np.minimum(first + 1, count - 1)] * part) >> 8


def _threshold(over: np.ndarray, what: str) -> int:
    """The least excess over the paper that is no ink. Raises `UnusableInput` when nothing stands out."""
    counts = np.bincount(np.clip(over, 0, 255).reshape(-1), minlength=256)
    shades = np.arange(256)
    below, mass = np.cumsum(counts), np.cumsum(counts * shades)
    above = below[-1] - below
    # between-class variance (mass_below * all - mass_all * below)^2 / (below * above), on Python ints: it exceeds 64 bits
    best, threshold = -1, 0
    for shade in range(255):
        if below[shade] and above[shade]:
            gap = int(mass[shade]) * int(below[-1]) - int(mass[-1]) * int(below[shade])
            variance = gap * gap // (int(below[shade]) * int(above[shade]))
            if variance > best:
                best, threshold = variance, shade
    grain = int(np.sort(np.abs(over), axis=None)[over.size // 2])
    threshold = max(threshold, GRAINS * grain)
    ink = over[over > threshold]
    if ink.size == 0 or int(np.sort(ink)[ink.size // 2]) < LEAST_CONTRAST:
        raise UnusableInput(f"{what}: --auto finds no ink that stands out from its ground: take the photo nearer, in even light")
    if not over.size // SMALLEST_PART < ink.size < over.size // LARGEST_PART:
        raise UnusableInput(
            f"{what}: --auto finds ink on {1000 * ink.size // over.size / 10} % of the picture, expected 0.1 to 50 %: crop it around the digit"
        )
    return threshold


def _digit(ink: np.ndarray, what: str) -> tuple[np.ndarray, int]:
    """Where the digit's ink is, and how many other patches were left out."""
    patches = _patches(ink)
    largest = max(patch.area for patch in patches)
    inner = [patch for patch in patches if not patch.at_edge and 8 * patch.area >= largest]
    candidates = inner or patches
    main = max(patch.area for patch in candidates)
    kept = [patch for patch in candidates if 10 * patch.area >= main]
    mask = np.zeros(ink.shape, bool)
    for patch in kept:
        for row, first, end in patch.runs:
            mask[row, first:end] = True
    return mask, len(patches) - len(kept)


def _patches(ink: np.ndarray) -> list[Patch]:
    """Ink connected over sides and corners: runs of each row, united with those they touch in the row above."""
    parents: list[int] = []
    runs: list[tuple[int, int, int]] = []

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    above: list[int] = []
    for row, line in enumerate(ink):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], line.view(np.int8), [0]])))
        here = []
        for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            number = len(runs)
            runs.append((row, first, end))
            parents.append(number)
            for other in above:
                if runs[other][1] <= end and first <= runs[other][2]:
                    parents[root(other)] = root(number)
            here.append(number)
        above = here
    groups: dict[int, list[tuple[int, int, int]]] = {}
    for number, run in enumerate(runs):
        groups.setdefault(root(number), []).append(run)
    height, width = ink.shape
    return [
        Patch(
            group,
            sum(end - first for _, first, end in group),
            any(row in (0, height - 1) or first == 0 or end == width for row, first, end in group),
        )
        for group in groups.values()
    ]


def _grown(values: np.ndarray, steps: int) -> np.ndarray:
    """The largest value among each pixel and its four neighbours, `steps` times."""
    for _ in range(steps):
        padded = np.pad(values, 1)
        values = np.maximum.reduce([padded[1:-1, 1:-1], padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]])
    return values


def _thickened(crop: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """The crop with strokes of at least 1/`STROKES_PER_EXTENT` of its longer side; twice area over outline is the stroke's width."""
    padded = np.pad(ink, 1)
    inside = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    outline = int((ink & ~inside).sum())
    width = 2 * int(ink.sum()) // max(outline, 1)
    steps = max(0, (max(crop.shape) // STROKES_PER_EXTENT - width + 1) // 2)
    return _grown(np.pad(crop, steps), steps)


def _box(side: int) -> int:
    return max(1, side * BOX // FIELD)


def _placed(values: np.ndarray, side: int) -> np.ndarray:
    """Fitted into the box, at full contrast, its centre of mass in the middle as far as the field allows."""
    from PIL import Image

    box, longest = _box(side), max(values.shape)
    height, width = (max(1, (2 * length * box + longest) // (2 * longest)) for length in values.shape)
    small = Image.fromarray(values.astype(np.uint8)).resize((width, height), Image.Resampling.BOX)
    digit = np.asarray(small, dtype=np.int64)
    digit = digit * 255 // max(int(digit.max()), 1)
    mass = max(int(digit.sum()), 1)
    field = np.zeros((side, side), np.uint8)
    # the middle is side/2, the centre of mass sum(x v) / sum(v): their difference, rounded to the nearest
    top, left = (
        min(max((side * mass - 2 * int((np.arange(length) * digit.sum(axis=1 - axis)).sum()) + mass) // (2 * mass), 0), side - length)
        for axis, length in enumerate((height, width))
    )
    field[top : top + height, left : left + width] = digit
    return field
