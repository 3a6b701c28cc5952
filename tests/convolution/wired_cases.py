"""Small networks with max pools, residual connections and several maps at once."""

import numpy as np

from zkpredict.circuits.networks.activations import RELU8, Activation
from zkpredict.circuits.networks.convolution import ConvLayer, Grid
from zkpredict.circuits.networks.pooling import MaxPoolLayer
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.networks.wiring import Reading, Wiring

SAME = (1, 1, 1)
"""Pool, bottom and right padding of a 3 x 3 kernel with `same` padding."""
Part = tuple[Grid | None, int, Wiring]
"""A layer: its grid, its output channels, its wiring."""
PLAIN = Wiring()
LARGEST = Wiring(largest=True)


def same(height: int, width: int, channels: int) -> Grid:
    """A 3 x 3 kernel that keeps the size of its map."""
    return Grid(height, width, channels, 3, 3, 1, 1, 1, *SAME)


def pool(height: int, width: int, channels: int, size: int = 2, stride: int | None = None, pads: tuple[int, int, int, int] = (0, 0, 0, 0)) -> Part:
    """A max pool; `pads`: top, left, bottom, right."""
    return Grid(height, width, channels, size, size, stride or size, pads[0], pads[1], 1, pads[2], pads[3]), channels, LARGEST


def whole(height: int, width: int, channels: int, classes: int) -> Part:
    """A kernel that covers its map: a dense layer."""
    return Grid(height, width, channels, height, width), classes, PLAIN


WIRED: dict[str, list[Part]] = {
    "max pool": [(Grid(7, 7, 1, 2, 2), 3, PLAIN), pool(6, 6, 3), whole(3, 3, 3, 3)],
    "max pool before a convolution": [
        (Grid(9, 9, 1, 2, 2), 2, PLAIN), pool(8, 8, 2), (Grid(4, 4, 2, 2, 2), 11, PLAIN), whole(3, 3, 11, 4),
    ],
    "odd windows": [(Grid(8, 8, 1, 2, 2), 2, PLAIN), pool(7, 7, 2, 3, 2), whole(3, 3, 2, 3)],
    "padded windows": [(Grid(6, 6, 1, 2, 2), 2, PLAIN), pool(5, 5, 2, 3, 2, (1, 1, 1, 1)), whole(3, 3, 2, 3)],
    "two pools": [(Grid(9, 9, 1, 2, 2), 2, PLAIN), pool(8, 8, 2), pool(4, 4, 2), whole(2, 2, 2, 3)],
    "residual": [
        (same(5, 5, 1), 3, PLAIN), (same(5, 5, 3), 3, PLAIN), (Grid(5, 5, 3, 2, 2), 4, Wiring((0, 1))), whole(4, 4, 4, 3),
    ],
    "residual before the activation": [
        (same(5, 5, 1), 3, PLAIN), (same(5, 5, 3), 4, PLAIN),
        (same(5, 5, 4), 3, Wiring(beside=(Reading((0,), Grid(5, 5, 3, 1, 1)),))), whole(5, 5, 3, 3),
    ],
    "projection with a stride": [
        (same(6, 6, 1), 2, PLAIN), (Grid(6, 6, 2, 3, 3, 2, 0, 0, 1, 1, 1), 3, PLAIN),
        (same(3, 3, 3), 3, Wiring(beside=(Reading((0,), Grid(6, 6, 2, 1, 1, 2)),))), whole(3, 3, 3, 3),
    ],
    "maximum of a sum": [
        (same(4, 4, 1), 2, PLAIN), (same(4, 4, 2), 2, PLAIN), (pool(4, 4, 2)[0], 2, Wiring((0, 1), (), True)), whole(2, 2, 2, 3),
    ],
    "a pool read twice": [
        (Grid(7, 7, 1, 2, 2), 2, PLAIN), pool(6, 6, 2), (same(3, 3, 2), 2, PLAIN),
        (same(3, 3, 2), 3, Wiring((1, 2))), (None, 3, Wiring()),
    ],
    "sides that differ": [
        (Grid(6, 7, 1, 3, 2, 1, 1, 0, 1, 1, 1, 2), 2, PLAIN), (Grid(6, 4, 2, 2, 1, 2, stride_across=1), 2, LARGEST),
        (same(3, 4, 2), 2, Wiring(beside=(Reading((0,), Grid(6, 4, 2, 1, 1, 2, stride_across=1)),))), whole(3, 4, 2, 3),
    ],
    "dense sums": [(Grid(5, 5, 1, 2, 2), 2, PLAIN), (None, 6, PLAIN), (None, 6, PLAIN), (None, 3, Wiring((1, 2)))],
    "whole tracks": [(same(13, 13, 1), 2, PLAIN), (same(13, 13, 2), 11, PLAIN), pool(13, 13, 11, 6), whole(2, 2, 11, 3)],
    "chunks of a sum": [
        (Grid(4, 4, 1, 2, 2), 90, PLAIN), (Grid(3, 3, 90, 1, 1), 90, PLAIN), (Grid(3, 3, 90, 3, 3), 3, Wiring((0, 1))),
    ],
    "averages of maxima": [(Grid(9, 9, 1, 2, 2), 2, PLAIN), pool(8, 8, 2), (Grid(4, 4, 2, 2, 2, pool=2), 3, PLAIN)],
}  # fmt: skip


def build(seed: int, parts: list[Part], largest: int = 9, activation: Activation = RELU8) -> IntegerNetwork:
    """Random weights up to `largest`; the last part gives the classes."""
    source = np.random.default_rng(seed)
    layers: list[DenseLayer] = []
    for number, (grid, channels, wiring) in enumerate(parts):
        last = number == len(parts) - 1
        shift, own = (0, DenseLayer.activation) if last else (8, activation)
        bias = source.integers(-999, 1000, channels)
        if wiring.largest and grid is not None:
            layers.append(MaxPoolLayer(grid, wiring.sources))
        elif grid is None:
            read = layers[wiring.sources[0] if wiring.sources else -1].outputs
            layers.append(DenseLayer(source.integers(-largest, largest + 1, (channels, read)), bias, shift, own, wiring=wiring))
        else:
            taps = grid.taps + sum(reading.grid.taps for reading in wiring.beside)
            layers.append(ConvLayer(source.integers(-largest, largest + 1, (channels, taps)), bias, shift, own, grid, wiring=wiring))
    return IntegerNetwork(tuple(layers))


def wired(name: str, seed: int = 1) -> IntegerNetwork:
    """The network of a shape above."""
    return build(seed, WIRED[name])
