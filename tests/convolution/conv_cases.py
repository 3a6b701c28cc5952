"""Small networks with convolutions, and what several tests make of them."""

import numpy as np

from zkpredict.circuits.networks.activations import RELU, RELU8, Activation
from zkpredict.circuits.networks.convolution import ConvLayer, Grid
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork


def conv_network(seed: int, grids: list[tuple[Grid, int]], classes: int, activation: Activation = RELU8, largest: int = 9) -> IntegerNetwork:
    """Convolutions of these grids and channels, then a dense layer to `classes`."""
    source = np.random.default_rng(seed)
    layers: list[DenseLayer] = []
    for grid, channels in grids:
        weights = source.integers(-largest, largest + 1, (channels, grid.taps))
        layers.append(ConvLayer(weights, source.integers(-999, 1000, channels), 8, activation, grid))
    last = layers[-1].outputs
    layers.append(DenseLayer(source.integers(-largest, largest + 1, (classes, last)), source.integers(-999, 1000, classes)))
    return IntegerNetwork(tuple(layers))


SHAPES: dict[str, tuple[list[tuple[Grid, int]], int]] = {
    "one convolution": ([(Grid(6, 5, 1, 3, 2), 3)], 4),
    "more channels than a pack holds": ([(Grid(5, 5, 1, 2, 2), 12)], 3),
    "a hidden one": ([(Grid(7, 7, 1, 3, 3), 3), (Grid(5, 5, 3, 2, 2), 11)], 3),
    "pools": ([(Grid(8, 9, 2, 3, 3, pool=1), 4), (Grid(6, 7, 4, 2, 2, pool=2), 5), (Grid(2, 2, 5, 2, 2), 6)], 3),
    "stride and padding": ([(Grid(7, 7, 1, 3, 3, 2, 1, 1, 1, 1, 1), 3), (Grid(4, 4, 3, 3, 3, 1, 1, 1, 1, 1, 1), 4)], 3),
    "two hidden ones": ([(Grid(7, 6, 1, 2, 2), 2), (Grid(6, 5, 2, 2, 2), 3), (Grid(5, 4, 3, 2, 2), 4)], 2),
    "sides that differ": ([(Grid(7, 8, 1, 3, 2, 1, 1, 0, 1, 1, 1, 2, 2), 3), (Grid(7, 2, 3, 2, 2, 2, 0, 1, 2, 0, 0, 1, 1), 4)], 3),
    "a pooled input": ([(Grid(8, 8, 1, 3, 3, pool=2), 3)], 3),
}


def network_of(name: str, seed: int = 1, activation: Activation = RELU8) -> IntegerNetwork:
    """The network of a shape above. With `RELU` weights are small, so that worst cases fit."""
    grids, classes = SHAPES[name]
    return conv_network(seed, grids, classes, activation, 1 if activation == RELU else 9)


def picture(seed: int, network: IntegerNetwork) -> np.ndarray:
    """Random bytes, uint8 [inputs]."""
    return np.random.default_rng(seed).integers(0, 256, network.shape[0], dtype=np.uint8)
