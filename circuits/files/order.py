"""In which order an array holds a picture. A network reads it position by position, channels last; arrays of others have channels first."""

from __future__ import annotations

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
