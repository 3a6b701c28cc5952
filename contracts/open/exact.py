"""Lays a classic 10^8 network out for `ExactPredictor.sol`: 5-byte weights in data contracts, row 0 of a layer its biases."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.networks.exact import NUMBER_BYTES, SCALE, ExactNetwork, number_bytes
from zkpredict.contracts.artifact import Artifact, load
from zkpredict.contracts.open.weights import DATA_BYTES, MAX_CLASSES

_WORD = 32
_LARGEST = 1 << 255


@dataclass(frozen=True)
class ExactPlan:
    """What to deploy: the data of each segment with its row count, and the shape that the index starts with."""

    shape: tuple[int, ...]
    segments: tuple[tuple[bytes, int], ...]

    @property
    def head(self) -> bytes:
        """The index up to its segments."""
        layers = list(pairwise(self.shape))
        words = [len(layers), *(inputs | outputs << 32 for inputs, outputs in layers)]
        return b"".join(word.to_bytes(_WORD, "big") for word in words)

    def index(self, addresses: list[str]) -> bytes:
        """Data of the index once every segment has an address."""
        words = [int(address, 16) | rows << 160 for address, (_, rows) in zip(addresses, self.segments, strict=True)]
        return self.head + b"".join(word.to_bytes(_WORD, "big") for word in words)


def predictor() -> Artifact:
    """The contract that runs exact networks."""
    return load("ExactPredictor")


def plan(network: ExactNetwork) -> ExactPlan:
    """Lays out a dense 10^8 network of at most 256 classes. Raises `UnsupportedNetwork` with what does not fit."""
    if network.shape[-1] > MAX_CLASSES:
        raise UnsupportedNetwork(f"the class is one byte: at most {MAX_CLASSES} outputs, got {network.shape[-1]}")
    segments = []
    for number, (layer, interval, product) in enumerate(zip(network.layers, network.intervals, network.largest_products, strict=True)):
        if max(interval.magnitude, product, SCALE) >= _LARGEST:
            raise UnsupportedNetwork(f"layer {number} can pass 2^255: the EVM's words would wrap")
        row_bytes = NUMBER_BYTES * layer.outputs
        if row_bytes > DATA_BYTES:
            raise UnsupportedNetwork(f"layer {number}: one row of {layer.outputs} weights is {row_bytes} bytes, a contract {DATA_BYTES}")
        data = number_bytes(np.concatenate([layer.bias[None, :], layer.weights.T]))
        step = DATA_BYTES // row_bytes
        for first in range(0, layer.inputs + 1, step):
            rows = min(step, layer.inputs + 1 - first)
            segments.append((data[first * row_bytes : (first + rows) * row_bytes], rows))
    if _WORD * (len(segments) + len(network.layers) + 1) > DATA_BYTES:
        raise UnsupportedNetwork(f"{len(segments)} data contracts are more than one index lists")
    return ExactPlan(network.shape, tuple(segments))
