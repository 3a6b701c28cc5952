"""Small networks whose layers share rows of weights."""

import numpy as np

from zkpredict.circuits.networks.activations import RELU, RELU8
from zkpredict.circuits.networks.convolution import ConvLayer, Grid
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork

SHARED = {
    "one track before the last, two groups": ((8, 8), (3, 3), 3, (2, 2), 11, (13,), 3),
    "two tracks before the last, windows below one another": ((14, 8), (3, 3), 5, (3, 2), 4, (), 4),
    "ten channels": ((8, 8), (3, 3), 10, (2, 2), 4, (), 3),
}
"""Image, first kernel and channels, second kernel and channels, hidden dense layers, classes."""


def shared_network(name: str, seed: int = 1) -> IntegerNetwork:
    """Small random weights."""
    image, kernel, channels, second, more, hidden, classes = SHARED[name]
    source, layers = np.random.default_rng(seed), []
    rows, columns = image[0] - kernel[0] + 1, image[1] - kernel[1] + 1
    below = rows // 2 - second[0] + 1, columns // 2 - second[1] + 1
    grids = [
        (Grid(*image, 1, *kernel), channels), (Grid(rows, columns, channels, *second, pool=2), more),
        (Grid(*below, more, below[0] // 2, below[1] // 2, pool=2), hidden[0] if hidden else classes),
    ]  # fmt: skip
    for number, (grid, outputs) in enumerate(grids):
        last = number == 2 and not hidden
        weights = source.integers(-9, 10, (outputs, grid.taps))
        bias = source.integers(-99, 100, outputs)
        layers.append(ConvLayer(weights, bias, 0 if last else 4, RELU if last else RELU8, grid))
    for width in (*hidden[1:], classes) if hidden else ():
        weights = source.integers(-9, 10, (width, layers[-1].outputs))
        layers.append(DenseLayer(weights, source.integers(-99, 100, width), 0 if width == classes else 4))
    return IntegerNetwork(tuple(layers))
