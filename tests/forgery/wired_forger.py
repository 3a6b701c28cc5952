"""Lies in circuits with max pools and residual connections: a run in which something is not as the network has it, and what follows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pytest
from forger import WithTrace, claim_of
from wide_forger import sheet_of

from zkpredict.circuits.convolution import reads
from zkpredict.circuits.networks.activations import RELU8
from zkpredict.circuits.networks.convolution import ConvLayer
from zkpredict.circuits.networks.grid import Grid
from zkpredict.circuits.networks.pooling import MaxPoolLayer
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.networks.wiring import Wiring
from zkpredict.circuits.statement import Statement
from zkpredict.prover.commit import commit_model
from zkpredict.prover.wide_rows import correlation_column

SAME, POOL, END = Grid(6, 6, 1, 3, 3, 1, 1, 1, 1, 1, 1), Grid(6, 6, 2, 2, 2, 2), Grid(3, 3, 2, 3, 3)
Run = tuple[list[np.ndarray], list[np.ndarray]]
"""Every layer's z, and what every hidden layer hands on."""


def pooled(seed: int) -> IntegerNetwork:
    """A padded convolution, a max pool and three classes."""
    source = np.random.default_rng(seed)
    return IntegerNetwork((
        ConvLayer(source.integers(-9, 10, (2, 9)), source.integers(-99, 100, 2), 4, RELU8, SAME),
        MaxPoolLayer(POOL),
        ConvLayer(source.integers(-9, 10, (3, 18)), source.integers(-99, 100, 3), geometry=END),
    ))  # fmt: skip


def residual(seed: int) -> IntegerNetwork:
    """Two convolutions whose sum is read."""
    source = np.random.default_rng(seed)
    second = Grid(6, 6, 2, 3, 3, 1, 1, 1, 1, 1, 1)
    return IntegerNetwork((
        ConvLayer(source.integers(-9, 10, (2, 9)), source.integers(-99, 100, 2), 4, RELU8, SAME),
        ConvLayer(source.integers(-9, 10, (2, 18)), source.integers(-99, 100, 2), 6, RELU8, second),
        DenseLayer(source.integers(-9, 10, (3, 72)), source.integers(-99, 100, 3), wiring=Wiring((0, 1))),
    ))  # fmt: skip


def follow(network: IntegerNetwork, image: np.ndarray, changes: dict[int, np.ndarray], without: Sequence[int] = ()) -> Run:
    """A run in which some layers' z are these, and sums lack the layers `without`."""
    z: list[np.ndarray] = []
    handed: list[np.ndarray] = []
    for number, layer in enumerate(network.layers):
        read = image.astype(np.int64)[None]
        if number:
            own = [np.zeros_like(one) if at in without and number > at + 1 else one for at, one in enumerate(handed)]
            read = network.read_by(number, own)
        z.append(changes.get(number, layer.apply(read)))
        if number < len(network.layers) - 1:
            handed.append(layer.hand_on(read, z[-1]))
    return z, handed


class Following(WithTrace):
    """Commits to the correlations of what it claims that layers hand on."""

    handed: list[np.ndarray]
    without: tuple[int, ...] = ()

    def correlation(self, layer, piece, chunk):
        own = [np.zeros_like(one) if at in self.without and layer > at + 1 else one for at, one in enumerate(self.handed)]
        return correlation_column(self.compiled, layer, piece, self.compiled.network.read_by(layer, own)[0], self.challenges["alpha"], chunk)


def forged(model, image: np.ndarray, run: Run, without: tuple[int, ...] = ()):
    """The claim that the image has the class that the run ends in."""
    z, handed = run
    digit = int(np.argmax(z[-1][0]))
    prover = Following(model, Statement(image.tobytes(), digit), chosen=sheet_of(model, [one[0].tolist() for one in z], digit))
    prover.handed, prover.without = handed, without
    return claim_of(prover), digit


def deceived(make, lie):
    """A model, an image and a run by `lie(network, image)` that ends in another class."""
    for seed in range(300):
        network, image = make(seed), np.random.default_rng(seed).integers(0, 256, 36, dtype=np.uint8)
        run = lie(network, image)
        if run is not None and np.argmax(run[0][-1][0]) != network.predict(image):
            return commit_model(network, 512), image, run
    raise AssertionError("no such network")


@contextmanager
def patched(owner: object, name: str, value: object) -> Iterator[None]:
    """One guard is another, and nothing that was computed before is kept."""
    caches = (reads.own_lanes, reads.handed_on, reads.players, reads.windows_of)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, value)
        for cache in caches:
            cache.cache_clear()
        yield
    for cache in caches:
        cache.cache_clear()
