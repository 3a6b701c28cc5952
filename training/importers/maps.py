"""How convolutions and pools lie on a map: sizes, padding, limits, and what the settings of Keras say of them. Channels last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.networks.dense import MAX_WEIGHTS
from zkpredict.circuits.networks.grid import Grid

SUPPORTED = (
    "Conv2D (padding valid or same, any strides, groups), DepthwiseConv2D and SeparableConv2D with relu, MaxPooling2D, AveragePooling2D (strides "
    "equal to its size), GlobalAveragePooling2D, ZeroPadding2D, Add, Flatten and Dense"
)


Sides = tuple[int, int]
"""Down and across."""
Edges = tuple[int, int, int, int]
"""Above, left, below and right."""


@dataclass(frozen=True)
class Map:
    """Sizes of what a layer reads or hands on."""

    height: int
    width: int
    channels: int

    @classmethod
    def of(cls, shape: object) -> Map:
        """From a shape without its batch. Raises `UnsupportedNetwork` unless it is three sizes."""
        if not isinstance(shape, (tuple, list)) or len(shape) != 3 or not all(type(size) is int and size > 0 for size in shape):
            raise UnsupportedNetwork(f"it reads the shape {shape}, expected fixed height, width and channels")
        return cls(*shape)

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.height, self.width, self.channels


def convolution_grid(shape: object, settings: dict) -> Grid:
    """The geometry of a Conv2D with these settings, as in its configuration, on a map of this shape. Raises `UnsupportedNetwork`."""
    read = Map.of(shape)
    kernel, strides, dilation = (_pair(settings, name) for name in ("kernel_size", "strides", "dilation_rate"))
    _expect_channels_last(settings)
    return conv_grid(read, kernel, strides, dilation, _keras_padding(read, kernel, strides, settings))


def _keras_padding(read: Map, kernel: Sides, strides: Sides, settings: dict) -> Edges:
    padding = settings.get("padding", "valid")
    if padding not in ("valid", "same"):
        raise UnsupportedNetwork(f"its padding is {padding}, expected valid or same")
    sides = zip(read.shape[:2], kernel, strides, strict=True)
    (top, bottom), (left, right) = (same_padding(*side) if padding == "same" else (0, 0) for side in sides)
    return top, left, bottom, right


def conv_grid(read: Map, kernel: Sides, strides: Sides, dilation: Sides, pads: Edges) -> Grid:
    """The geometry of a convolution; `pads`: above, left, below, right. Raises `UnsupportedNetwork`."""
    if dilation != (1, 1):
        raise UnsupportedNetwork(f"its dilation is {dilation[0]} x {dilation[1]}, expected 1: supported are {SUPPORTED}")
    top, left, bottom, right = pads
    if max(top, bottom) >= kernel[0] or max(left, right) >= kernel[1]:
        raise UnsupportedNetwork(f"it pads {list(pads)} above, left, below and right, its windows of {kernel[0]} x {kernel[1]} take at most {kernel[0] - 1} and {kernel[1] - 1}")
    if kernel[0] > read.height + top + bottom or kernel[1] > read.width + left + right:
        raise UnsupportedNetwork(f"its windows of {kernel[0]} x {kernel[1]} do not fit a map of {read.height} x {read.width}, padded {list(pads)}")
    return Grid(*read.shape, *kernel, strides[0], top, left, 1, bottom, right, strides[1])


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Padding before and behind, so that ceil(size / stride) positions come out: the odd one lies behind, as TensorFlow has it."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def pool_size(shape: object, kind: str, settings: dict) -> Sides:
    """The sides of the windows of an AveragePooling2D or GlobalAveragePooling2D. Raises `UnsupportedNetwork`."""
    read = Map.of(shape)
    _expect_channels_last(settings)
    if kind == "GlobalAveragePooling2D":
        return pool_sides(read, read.shape[:2], read.shape[:2])
    size, strides = _pair(settings, "pool_size"), _pair(settings, "strides" if settings.get("strides") is not None else "pool_size")
    padding = settings.get("padding", "valid")
    _keras_padding(read, size, strides, settings)
    return pool_sides(read, size, strides, padding if padding == "same" and any(side % stride for side, stride in zip(read.shape, strides, strict=False)) else None)


def pool_sides(read: Map, size: Sides, strides: Sides, over: str | None = None) -> Sides:
    """The sides of windows of averages; `over`: what makes them reach over the edge, if anything does. Raises `UnsupportedNetwork` for windows that
    overlap, or that reach over the edge."""
    if strides != size:
        raise UnsupportedNetwork(
            f"it pools {size[0]} x {size[1]} positions every {strides[0]} x {strides[1]}, only windows side by side are supported: strides equal to pool_size"
        )
    if size[0] > read.height or size[1] > read.width:
        raise UnsupportedNetwork(f"it pools {size[0]} x {size[1]} positions of a map of {read.height} x {read.width}")
    if over is not None:
        raise UnsupportedNetwork(f"its windows reach over the edge of {read.height} x {read.width} (padding {over}): use padding valid")
    return size


def max_pool_grid(shape: object, kind: str, settings: dict) -> Grid:
    """The windows of a MaxPooling2D or GlobalMaxPooling2D. Raises `UnsupportedNetwork`."""
    read = Map.of(shape)
    _expect_channels_last(settings)
    if kind == "GlobalMaxPooling2D":
        return windows(read, read.shape[:2], (1, 1), (0, 0, 0, 0))
    size, strides = _pair(settings, "pool_size"), _pair(settings, "strides" if settings.get("strides") is not None else "pool_size")
    return windows(read, size, strides, _keras_padding(read, size, strides, settings))


def windows(read: Map, size: Sides, strides: Sides, pads: Edges) -> Grid:
    """The windows of a max pool. Raises `UnsupportedNetwork`."""
    if size == (1, 1):
        raise UnsupportedNetwork("its windows hold one number each: leave the pool out")
    return conv_grid(read, size, strides, (1, 1), pads)


def zero_padding(shape: object, settings: dict) -> tuple[Map, Edges]:
    """What a ZeroPadding2D reads and adds. Raises `UnsupportedNetwork`."""
    read = Map.of(shape)
    _expect_channels_last(settings)
    given = settings.get("padding")
    pairs = [(one, one) if type(one) is int else tuple(one) if isinstance(one, (list, tuple)) else () for one in given] if isinstance(given, (list, tuple)) else []
    if len(pairs) != 2 or not all(len(pair) == 2 and all(type(size) is int and size >= 0 for size in pair) for pair in pairs):
        raise UnsupportedNetwork(f"padding is {given}, expected rows above and below, columns left and right, from 0")
    (top, bottom), (left, right) = pairs
    return read, (top, left, bottom, right)


def summed(shapes: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """The shape of a sum of values of these shapes. Raises `UnsupportedNetwork` unless they are one."""
    one, *others = dict.fromkeys(tuple(shape) for shape in shapes)
    if others:
        sizes = " and ".join(" x ".join(map(str, shape)) for shape in (one, others[0]))
        raise UnsupportedNetwork(f"it adds values of {sizes}: they must have one shape; a convolution of 1 x 1, with a stride if need be, brings one to the other's")
    return one


def ungrouped(kernel: np.ndarray, groups: int) -> np.ndarray:
    """Kernels [outputs, rows, columns, channels / groups], of which each group reads its own channels, as kernels of all channels, which are zero
    elsewhere: [outputs, rows * columns * channels]. Raises `UnsupportedNetwork`."""
    outputs, rows, columns, own = kernel.shape
    if outputs % groups:
        raise UnsupportedNetwork(f"its {outputs} kernels do not go into {groups} groups")
    if outputs * rows * columns * own * groups > MAX_WEIGHTS:
        raise UnsupportedNetwork(f"its {groups} groups make kernels of {rows * columns * own * groups} weights for {outputs} channels, at most {MAX_WEIGHTS} weights are taken")
    found = np.zeros((groups, outputs // groups, rows, columns, groups, own))
    for group in range(groups):
        found[group, :, :, :, group] = kernel.reshape(groups, outputs // groups, rows, columns, own)[group]
    return found.reshape(outputs, -1)


def _expect_channels_last(settings: dict) -> None:
    if settings.get("data_format") not in (None, "channels_last"):
        raise UnsupportedNetwork(f"data_format is {settings['data_format']}, expected channels_last")


def _pair(settings: dict, name: str) -> tuple[int, int]:
    """A setting of one or two whole numbers from 1, as two. Raises `UnsupportedNetwork`."""
    value = settings.get(name, 1)
    pair = (value, value) if type(value) is int else tuple(value) if isinstance(value, (list, tuple)) else ()
    if len(pair) != 2 or not all(type(number) is int and number > 0 for number in pair):
        raise UnsupportedNetwork(f"{name} is {value}, expected one or two whole numbers from 1")
    return pair
