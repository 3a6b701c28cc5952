"""From an integer network with convolutions to its circuit, and the rows a model commits to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from zkpredict.circuits.convolution.layout import ConvCircuit
from zkpredict.circuits.convolution.reads import value_lanes
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.networks.convolution import ConvLayer, Grid
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.circuits.rows import RowColumn
from zkpredict.circuits.wide.claims import CLASS, Claim
from zkpredict.circuits.wide.compiler import WideNetwork, fit_layers, smallest
from zkpredict.circuits.wide.geometry import BIAS_ROW


@dataclass(frozen=True)
class ConvNetwork(WideNetwork):
    """A network with convolutions in the circuit that holds it."""

    circuit: ConvCircuit

    def factors(self, layer: int) -> np.ndarray:
        """For each output channel (a dense layer: neuron) what its weights are multiplied with in its pack: Python ints."""
        if not self.circuit.is_convolution(layer):
            return super().factors(layer)
        band, channels = self.circuit.groups(layer)[0], self.circuit.channels(layer)
        own = [1 << (band.value_shift(at) + self.scales[layer]) for at in range(band.values_per_pack)]
        return np.array(own * -(-channels // len(own)), dtype=object)[:channels]

    def channels_of(self, layer: int, group: int) -> slice:
        """The output channels in a group."""
        per_pack = self.circuit.groups(layer)[0].values_per_pack
        return slice(group * per_pack, min((group + 1) * per_pack, self.circuit.channels(layer)))

    @cached_property
    def all_rows(self) -> tuple[list[int], ...]:
        found: list[list[int]] = []
        for column in self.circuit.row_columns:
            if column.again:
                continue
            found += self._kernel_rows(column.layer) if self.circuit.is_convolution(column.layer) else self._value_rows(column)
        return tuple(found)

    def kernel(self, layer: int, group: int) -> list[int]:
        """The bias and the weights of one group of channels, as signed ints."""
        own = self.channels_of(layer, group)
        factors = self.factors(layer)[own]
        held = self.network.layers[layer]
        return [int(factors @ held.bias[own].astype(object)), *(factors @ held.weights[own].astype(object)).tolist()]

    def _kernel_rows(self, layer: int) -> Iterator[list[int]]:
        for group in range(len(self.circuit.groups(layer))):
            entries = [entry % MODULUS for entry in self.kernel(layer, group)]
            yield entries + [0] * (self.circuit.domain - len(entries))

    def places(self, column: RowColumn) -> tuple[np.ndarray, np.ndarray]:
        """As of a wide network; the numbers are those of pools where the layer reads sums of them."""
        return _places(self.circuit, column.layer, int(column.name.rpartition("_")[2]))

    def bias_row(self, layer: int) -> int:
        return BIAS_ROW

    def blinding_position(self, layer: int) -> int:
        return self.circuit.domain - 1 if self.circuit.is_convolution(layer) else super().blinding_position(layer)

    def correlations(self, layer: int, activations: np.ndarray) -> np.ndarray:
        """What the kernels of a hidden convolution meet at each position, the bias's 1 first: int64 [positions, 1 + taps]."""
        grid = self.circuit.grids[layer]
        if grid is None:
            raise ValueError(f"layer {layer} is no convolution")
        read = grid.read(activations[None])[0]
        return np.concatenate([np.ones((len(read), 1), dtype=np.int64), read], axis=1)


@lru_cache(maxsize=256)
def _places(circuit: ConvCircuit, layer: int, track: int) -> tuple[np.ndarray, np.ndarray]:
    grid = circuit.grids[layer]
    pools = None if grid is None else grid.pools()
    rows, numbers = [], []
    for (own, row), number in value_lanes(circuit, layer - 1):
        pooled = number if pools is None else int(pools[number])
        if own == track and pooled >= 0:
            rows.append(row)
            numbers.append(pooled)
    return np.array(rows, dtype=np.int64), np.array(numbers, dtype=np.int64)


def compile_convolution(network: IntegerNetwork, claim: Claim = CLASS, domain: int | None = None) -> ConvNetwork:
    """As `compile_wide`, for a network with convolutions."""
    lanes, scales, activations = fit_layers(network)
    grids: tuple[Grid | None, ...] = tuple(layer.grid if isinstance(layer, ConvLayer) else None for layer in network.layers)

    def circuit(rows: int) -> ConvCircuit:
        return ConvCircuit(network.shape, lanes, activations, rows, claim, False, grids)

    return ConvNetwork(network, smallest(circuit) if domain is None else circuit(domain), scales)
