"""Padding and average pools in front of a kernel, and kernels with one position, as the geometry of the kernel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.networks.grid import Grid
from zkpredict.training.importers.steps import Linear, MaxPool, Pad, Pool

Wrong = Callable[[str, str], UnsupportedNetwork]
"""The error that names a step and says what is wrong with it."""
_Windowed = TypeVar("_Windowed", Linear, MaxPool)


def covering(step: Linear) -> Linear:
    """A kernel with one position as a kernel as large as its map, zero where it does not read: the same numbers, as a dense layer holds them."""
    grid = step.grid
    if grid is None or grid.count > 1 or grid.covers:
        return step
    height, width, channels = grid.pooled
    window = grid.windows()[0]
    weights = np.zeros((len(step.weights), height * width * channels))
    weights[:, window[window >= 0]] = step.weights[:, window >= 0]
    return replace(step, weights=weights, grid=Grid(grid.height, grid.width, channels, height, width, pool=grid.pool, pool_across=grid.pool_across))


def behind_pad(step: _Windowed, pad: Pad | None, wrong: Wrong) -> _Windowed:
    """The step with the padding in front of it in its grid."""
    if pad is None:
        return step
    grid = step.grid
    if grid is None:
        raise wrong(step.name, f"it reads what '{pad.name}' pads with zeros: leave the padding out, or put it in front of a convolution")
    own = (grid.pad_top, grid.pad_left, grid.pad_bottom, grid.pad_right)
    top, left, bottom, right = (a + b for a, b in zip(pad.pads, own, strict=True))
    most = min(grid.kernel_height, grid.kernel_width) - 1
    if max(top, bottom) >= grid.kernel_height or max(left, right) >= grid.kernel_width:
        raise wrong(
            pad.name, f"it pads {max(top, left, bottom, right)} zeros before '{step.name}', whose windows of {grid.kernel_height} x {grid.kernel_width} "
            f"take at most {most} at a side"
        )  # fmt: skip
    read = {"height": pad.read.height, "width": pad.read.width, "pad_top": top, "pad_left": left, "pad_bottom": bottom, "pad_right": right}
    return replace(step, grid=replace(grid, **read))


def behind_pool(step: Linear, pool: Pool | None, wrong: Wrong) -> Linear:
    """The step with the pool in front of it in its grid: it reads sums, whose division is in its weights."""
    if pool is None:
        return step
    height, width, channels = pool.read.shape
    (high, wide), grid = pool.size, step.grid
    sides = {"pool": high, "pool_across": wide}
    own = Grid(height, width, channels, height // high, width // wide, **sides) if grid is None else replace(grid, height=height, width=width, **sides)
    if own.taps != step.weights.shape[1]:
        raise wrong(step.name, f"it takes {step.inputs} values, '{pool.name}' before it gives {height // high * (width // wide) * channels}")
    return replace(step, weights=step.weights / own.area, grid=own)
