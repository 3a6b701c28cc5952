"""Where the numbers of an ONNX value lie among ours: maps are channels first there and channels last here, and every Transpose, Reshape and
Flatten in between says what it does to the numbers of ONNX, not to ours. So each value carries its shape and the place of each number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from zkpredict.circuits.errors import UnsupportedNetwork


@dataclass(frozen=True, eq=False)
class Layout:
    """A value: its `shape` without the batch, and for each of its numbers, in the order of that shape, its place in ours: int64 [size]."""

    shape: tuple[int, ...]
    places: np.ndarray = field(repr=False)

    @classmethod
    def plain(cls, shape: Sequence[int]) -> Layout:
        """In the same order as ours."""
        return cls(tuple(shape), np.arange(math.prod(shape)))

    @classmethod
    def channels_last(cls, shape: Sequence[int]) -> Layout:
        """A map of channels, height and width whose numbers we hold position by position."""
        channels, height, width = shape
        return cls((channels, height, width), np.arange(math.prod(shape)).reshape(height, width, channels).transpose(2, 0, 1).ravel())

    @property
    def size(self) -> int:
        return len(self.places)

    def ours(self, values: np.ndarray) -> np.ndarray:
        """Numbers along the last axis from ONNX's order into ours; one number for all stays."""
        if values.ndim == 0:
            return values
        found = np.empty_like(values)
        found[..., self.places] = values
        return found

    def transposed(self, order: Sequence[int] | None) -> Layout:
        """Axes in another order, the batch among them. Raises `UnsupportedNetwork` when the batch moves."""
        order = list(range(len(self.shape) + 1))[::-1] if order is None else [int(axis) for axis in order]
        if sorted(order) != list(range(len(self.shape) + 1)) or order[0] != 0:
            raise UnsupportedNetwork(f"it puts the axes of {['batch', *self.shape]} in the order {order}: the batch must stay first")
        own = [axis - 1 for axis in order[1:]]
        return Layout(tuple(self.shape[axis] for axis in own), self.places.reshape(self.shape).transpose(own).ravel())

    def reshaped(self, target: Sequence[int]) -> Layout:
        """As Reshape makes it: 0 is a size as it was, -1 whatever is left. Raises `UnsupportedNetwork`."""
        batch, *rest = [int(number) for number in target]
        left = [self.shape[at] if number == 0 and at < len(self.shape) else number for at, number in enumerate(rest)]
        known = math.prod(number for number in left if number != -1)
        if left.count(-1) == 1 and known > 0 and self.size % known == 0:
            left[left.index(-1)] = self.size // known
        if batch not in (0, 1, -1) or not left or any(number < 1 for number in left) or math.prod(left) != self.size:
            raise UnsupportedNetwork(f"it makes the shape {list(map(int, target))} of {list(self.shape)}: expected a batch, then all {self.size} numbers")
        return Layout(tuple(left), self.places)

    def flattened(self) -> Layout:
        """All numbers in a row."""
        return Layout((self.size,), self.places)

    def squeezed(self, axes: Sequence[int] | None) -> Layout:
        """Without the `axes` of size 1, the batch counted. Raises `UnsupportedNetwork`."""
        whole = [0, *self.shape]
        places = sorted(axis % len(whole) for axis in axes or ())
        if not places or not all(place and whole[place] == 1 for place in places):
            raise UnsupportedNetwork("it takes out an axis that is not of size 1")
        return Layout(tuple(size for place, size in enumerate(whole) if place and place not in places), self.places)

    def unsqueezed(self, axes: Sequence[int] | None) -> Layout:
        """With axes of size 1 put in. Raises `UnsupportedNetwork`."""
        whole = [0, *self.shape]
        for place in sorted(axis % (len(whole) + len(axes or ())) for axis in axes or ()):
            whole.insert(place, 1)
        if whole[0] != 0:
            raise UnsupportedNetwork("it puts an axis before the batch")
        return Layout(tuple(whole[1:]), self.places)

    def is_map(self) -> bool:
        """Whether it is a map of channels, height and width that we hold channels last."""
        return len(self.shape) == 3 and bool((self.places == Layout.channels_last(self.shape).places).all())
