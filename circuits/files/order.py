"""In which order an array holds a picture. A network reads it position by position, channels last; arrays of others have channels first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from zkpredict.circuits.errors import UnusableInput


class Picture(NamedTuple):
    """What the first layer of a network with convolutions reads."""

    height: int
    width: int
    channels: int

    def __str__(self) -> str:
        return f"{self.height} x {self.width} x {self.channels}"


def check_order(shape: Sequence[int], picture: Picture | None, what: str, count: int | None = None) -> None:
    """Raises `UnusableInput` for an array of one picture, or of `count` pictures, that lies in another order than the model reads it in.

    Its shape (of each picture, behind the count) is the model's `picture`, where sizes of 1 may be left out or put in; or its numbers lie in a row, which
    shows no order and is taken as it is. A model that reads no picture (None) knows no shape. Of a picture with as many channels as rows and columns
    every order has one shape: it is taken as the model's.
    """
    if picture is None or math.prod(shape) != math.prod(picture):
        return
    sizes, wanted = ([size for size in sides if size != 1] for sides in (shape, picture))
    if len(sizes) < 2 or sizes == wanted:
        return
    height, width, channels = picture
    first, axes = (channels, height, width), (1, 2, 0) if count is None else (0, 2, 3, 1)
    advice = f"np.transpose(array, {axes}) puts its channels last" if tuple(shape) == first else "give it that shape, or its bytes in a row in that order"
    raise UnusableInput(f"{what} is {' x '.join(map(str, shape))}, the model takes {picture} (rows, columns, channels): {advice}")


def lies_channels_first(shape: Sequence[int], picture: Picture, what: str, rows_too: bool = True) -> bool:
    """Whether the array of one picture, of this shape, has channels first. `rows_too`: whether numbers in a row, which show no order, are taken as
    they are. Raises `UnusableInput` for an array that is no such picture, or could be either."""
    height, width, channels = picture
    sizes = tuple(shape)
    last, first = [tuple(picture)], [(channels, height, width)]
    if channels == 1:
        last += [(height, width), (1, height, width)]
        first = []
    if sizes in last and sizes in first and not rows_too:
        raise UnusableInput(f"{what} has the shape {list(sizes)}, which shows no order, and the model has channels first: give colours, height and width of different sizes")
    if sizes in last:
        return False
    if sizes in first:
        return True
    if len([size for size in sizes if size != 1]) <= 1 and sizes and max(sizes) == height * width * channels:
        if rows_too or channels == 1 or height * width == 1:
            return False
        raise UnusableInput(
            f"{what} has its numbers in a row, which does not show whether channels come first or last: give it the shape "
            f"[{channels}, {height}, {width}] or [{height}, {width}, {channels}]"
        )
    raise UnusableInput(f"{what} has the shape {list(sizes)}, the network takes pictures of {picture}")
