"""Convolutions and pools of ONNX files on maps of channels, height and width: their geometry, and their weights with channels last.

(ONNX operators Conv, AveragePool, GlobalAveragePool, MaxPool, GlobalMaxPool, Pad, ReduceMean.)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.training.importers.maps import Edges, Map, Sides, conv_grid, pool_sides, same_padding, ungrouped, windows
from zkpredict.training.importers.onnx_files import Node
from zkpredict.training.importers.onnx_layout import Layout
from zkpredict.training.importers.steps import Linear, MaxPool, Pad, Pool


def map_of(layout: Layout) -> Map:
    """The map that a value is. Raises `UnsupportedNetwork` for what is none."""
    if len(layout.shape) != 3:
        raise UnsupportedNetwork(f"it reads a value of shape {list(layout.shape)}: expected a picture of channels, height and width")
    if not layout.is_map():
        raise UnsupportedNetwork("what it reads is no map of the layer before: axes were exchanged or numbers put together anew in between")
    channels, height, width = layout.shape
    return Map(height, width, channels)


def convolution(node: Node, layout: Layout, kernel: np.ndarray, bias: np.ndarray | None) -> tuple[Linear, Layout]:
    """A Conv with its kernel float64 [outputs, channels, rows, columns]. Raises `UnsupportedNetwork`."""
    read = map_of(layout)
    if kernel.ndim != 4 or 0 in kernel.shape:
        raise UnsupportedNetwork(f"its kernel has the shape {list(kernel.shape)}, expected outputs, channels, rows and columns")
    outputs, channels, rows, columns = kernel.shape
    groups = node.attributes.get("group", 1)
    if type(groups) is not int or groups < 1:
        raise UnsupportedNetwork(f"its group is {groups}, expected a whole number from 1")
    if channels * groups != read.channels or _sides(node, "kernel_shape", (rows, columns)) != (rows, columns):
        raise UnsupportedNetwork(f"its kernel has {channels} channels of {rows} x {columns} in {groups} groups, which does not fit {read.channels} channels and its kernel_shape")
    if bias is not None and bias.shape != (outputs,):
        raise UnsupportedNetwork(f"its bias has the shape {list(bias.shape)}, expected one number for each of {outputs} channels")
    strides, dilations = _sides(node, "strides", (1, 1)), _sides(node, "dilations", (1, 1))
    grid = conv_grid(read, (rows, columns), strides, dilations, _pads(node, read, (rows, columns), strides))
    weights = ungrouped(kernel.transpose(0, 2, 3, 1), groups)
    return Linear(node.label, weights, np.zeros(outputs) if bias is None else bias, grid), Layout.channels_last((outputs, *grid.positions))


def average_pool(node: Node, layout: Layout) -> tuple[Pool, Layout]:
    """An AveragePool or GlobalAveragePool. Raises `UnsupportedNetwork`."""
    read = map_of(layout)
    if node.op == "GlobalAveragePool":
        size = pool_sides(read, read.shape[:2], read.shape[:2])
    else:
        kernel, strides = _sides(node, "kernel_shape", ()), _sides(node, "strides", (1, 1))
        if _sides(node, "dilations", (1, 1)) != (1, 1):
            raise UnsupportedNetwork("its windows are dilated, expected dilations of 1")
        pads = _pads(node, read, kernel, strides)
        beyond = any((side - own) % stride for side, own, stride in zip(read.shape, kernel, strides, strict=False))
        over = str(list(pads)) if any(pads) else "by ceil_mode" if node.attributes.get("ceil_mode") and beyond else None
        size = pool_sides(read, kernel, strides, over)
    return Pool(node.label, read, size), Layout.channels_last((read.channels, read.height // size[0], read.width // size[1]))


def max_pool(node: Node, layout: Layout) -> tuple[MaxPool, Layout]:
    """A MaxPool or GlobalMaxPool. Raises `UnsupportedNetwork`."""
    read = map_of(layout)
    if len([name for name in node.outputs if name]) > 1:
        raise UnsupportedNetwork("it also gives where the largest lie: export without")
    if node.op == "GlobalMaxPool":
        grid = windows(read, read.shape[:2], (1, 1), (0, 0, 0, 0))
    else:
        kernel, strides = _sides(node, "kernel_shape", ()), _sides(node, "strides", (1, 1))
        if _sides(node, "dilations", (1, 1)) != (1, 1):
            raise UnsupportedNetwork("its windows are dilated, expected dilations of 1")
        top, left, bottom, right = _pads(node, read, kernel, strides)
        if node.attributes.get("ceil_mode"):  # a last window reaches over the edge, when it begins inside
            bottom, right = (_ceiled(*side) for side in zip(read.shape[:2], kernel, strides, (top, left), (bottom, right), strict=True))
        grid = windows(read, kernel, strides, (top, left, bottom, right))
    return MaxPool(node.label, grid), Layout.channels_last((read.channels, *grid.positions))


def _ceiled(size: int, kernel: int, stride: int, before: int, behind: int) -> int:
    """Padding behind, so that positions are rounded up."""
    count = -(-(size + before + behind - kernel) // stride) + 1
    count -= (count - 1) * stride >= size + before
    return max((count - 1) * stride + kernel - size - before, 0)


def padding(node: Node, layout: Layout, pads: Sequence[int], axes: Sequence[int] | None, value: float) -> tuple[Pad, Layout]:
    """A Pad with zeros at the sides of a map: `pads` before each axis, then behind each. Raises `UnsupportedNetwork`."""
    read, mode = map_of(layout), node.attributes.get("mode", "constant")
    if mode != "constant" or value:
        raise UnsupportedNetwork(f"it pads with {value:g} (mode {mode}), expected zeros")
    places = list(range(4)) if axes is None else [axis % 4 for axis in axes]
    if len(pads) != 2 * len(places) or min(pads, default=0) < 0:
        raise UnsupportedNetwork(f"its pads are {list(pads)}, expected two whole numbers from 0 for each axis")
    ends = {place: (pads[at], pads[at + len(places)]) for at, place in enumerate(places)}
    if any(any(ends.get(place, ())) for place in (0, 1)):
        raise UnsupportedNetwork("it pads the batch or the channels")
    (top, bottom), (left, right) = ends.get(2, (0, 0)), ends.get(3, (0, 0))
    shape = (read.channels, read.height + top + bottom, read.width + left + right)
    return Pad(node.label, read, (top, left, bottom, right)), Layout.channels_last(shape)


def mean(node: Node, layout: Layout, axes: Sequence[int], keep: bool) -> tuple[Pool, Layout]:
    """A ReduceMean over both sides of a map, wherever its axes are. Raises `UnsupportedNetwork`."""
    places = sorted(axis % (len(layout.shape) + 1) for axis in axes)
    kept = [axis for axis in range(1, len(layout.shape) + 1) if axis not in places]
    if len(layout.shape) != 3 or len(places) != 2 or 0 in places or len(kept) != 1:
        raise UnsupportedNetwork(f"it averages the axes {list(axes)} of {['batch', *layout.shape]}: expected height and width of a picture")
    read = map_of(layout.transposed([0, *kept, *places]))
    size = pool_sides(read, read.shape[:2], read.shape[:2])
    shape = [1 if axis in places else layout.shape[axis - 1] for axis in range(1, 4) if keep or axis not in places]
    return Pool(node.label, read, size), Layout.plain(shape)


def _sides(node: Node, name: str, default: Sequence[int]) -> Sides:
    """Two whole numbers of an attribute. Raises `UnsupportedNetwork`."""
    found = node.attributes.get(name)
    pair = tuple(default if found is None else found) if isinstance(found, (list, tuple, type(None))) else ()
    if len(pair) != 2 or not all(type(size) is int and size > 0 for size in pair):
        raise UnsupportedNetwork(f"its {name} is {found}, expected two whole numbers from 1")
    return pair[0], pair[1]


def _pads(node: Node, read: Map, kernel: Sides, strides: Sides) -> Edges:
    """Padding above, left, below and right. Raises `UnsupportedNetwork`."""
    way = node.attributes.get("auto_pad", "NOTSET")
    if way in ("SAME_UPPER", "SAME_LOWER"):
        (top, bottom), (left, right) = (same_padding(*side) for side in zip(read.shape, kernel, strides, strict=False))
        return (top, left, bottom, right) if way == "SAME_UPPER" else (bottom, right, top, left)
    if way not in ("NOTSET", "VALID"):
        raise UnsupportedNetwork(f"its auto_pad is {way}, expected NOTSET, VALID, SAME_UPPER or SAME_LOWER")
    pads = node.attributes.get("pads") or [0, 0, 0, 0]
    if not isinstance(pads, (list, tuple)) or len(pads) != 4 or not all(type(size) is int and size >= 0 for size in pads):
        raise UnsupportedNetwork(f"its pads are {pads}, expected four whole numbers from 0")
    return pads[0], pads[1], pads[2], pads[3]
