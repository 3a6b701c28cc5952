"""What an array of another size than the model takes probably is: one picture where many are wanted, many where one is, colours where grey is wanted."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import NamedTuple

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.arrays import saving
from zkpredict.circuits.files.order import Picture

MAX_CHANNELS = 4
"""Red, green, blue and opacity: more of anything are no colours."""
_ORDINALS = ("first", "second", "third", "fourth", "fifth")


class Channels(NamedTuple):
    """The colours of a picture in an array: how many, and on which axis."""

    number: int
    axis: int


def wrong_image(path: str | os.PathLike[str], shape: Sequence[int], inputs: int, picture: Picture | None) -> UnusableInput:
    """About an array that is to be one input of `inputs` bytes, and is not; `picture` is the model's."""
    what = f"image {path} has the shape {list(shape)}"
    channels = channels_of(shape, inputs, picture)
    many = len(shape) > 1 and math.prod(shape[1:]) == inputs
    if channels is not None:
        several = f". If they are {shape[0]} inputs, `zkpredict prove-batch` takes them" if many else ""
        return UnusableInput(f"{what}: {in_colours(path, channels, inputs, picture)}{several}")
    if many:
        first = saving(path, f"np.load({str(path)!r})[0]", "first")
        return UnusableInput(f"{what}: {shape[0]} inputs, and one is wanted. `zkpredict prove-batch` takes them all; {first} keeps the first")
    return UnusableInput(f"image {path} has {math.prod(shape)} values, the network takes {inputs}")


def wrong_batch(path: str | os.PathLike[str], shape: Sequence[int], inputs: int, picture: Picture | None, one: str) -> UnusableInput:
    """About an array that is to be many inputs of `inputs` bytes, and is not; `one`: what to do with a single input."""
    what = f"{path} has the shape {list(shape)}"
    if math.prod(shape) == inputs:
        noun = "picture" if len(shape) > 1 else "input"
        return UnusableInput(f"{what}: that is one {noun}, and a batch has the shape [count, {', '.join(map(str, shape))}]: {one}")
    single, each = channels_of(shape, inputs, picture), channels_of(shape[1:], inputs, picture)
    if single is not None:
        return UnusableInput(f"{what}: one picture, and no batch, with {in_colours(path, single, inputs, picture)}")
    if each is not None:
        return UnusableInput(f"{what}: {in_colours(path, Channels(each.number, each.axis + 1), inputs, picture)}")
    return UnusableInput(f"{what}, expected one input of {inputs} bytes a row")


def channels_of(shape: Sequence[int], inputs: int, picture: Picture | None) -> Channels | None:
    """The colours of the picture in an array of this shape, where the model takes another number of them and its rows and columns are those of the model."""
    side = math.isqrt(inputs)
    if picture is None and side * side != inputs:
        return None
    height, width, wanted = picture or Picture(side, side, 1)
    for axis in (0, 2):
        if len(shape) == 3 and shape[axis] != wanted and shape[axis] <= MAX_CHANNELS and [*shape[:axis], *shape[axis + 1 :]] == [height, width]:
            return Channels(shape[axis], axis)
    return None


def in_colours(path: str | os.PathLike[str], channels: Channels, inputs: int, picture: Picture | None) -> str:
    """That there are other colours than the model takes; of one that takes grey what makes grey."""
    side = math.isqrt(inputs)
    picture = picture or Picture(side, side, 1)
    found = f"{channels.number} channel{'' if channels.number == 1 else 's'} on its {_ORDINALS[channels.axis]} axis (axis={channels.axis})"
    if picture.channels > 1:
        return f"{found}, and the model takes {picture.channels}, on the last axis of {picture}"
    grey = saving(path, f"np.rint(np.load({str(path)!r}).mean(axis={channels.axis})).astype(np.uint8)", "grey")
    return f"{found}, and the model takes one, grey, of {picture.height} x {picture.width}. {grey} keeps the mean of them"
