"""From an integer network with convolutions to its circuit, and the rows a model commits to."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, lru_cache

import numpy as np

from zkpredict.circuits.convolution.layout import ConvCircuit, part_of
from zkpredict.circuits.convolution.reads import own_lanes
from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.networks.convolution import ConvLayer
from zkpredict.circuits.networks.grid import Grid
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.circuits.records import dataclass
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
        if self.circuit.positions(layer) == 1:
            return super().factors(layer)
        band, channels = self.circuit.groups(layer)[0], self.circuit.channels(layer)
        own = [1 << (band.value_shift(at) + self.scales[layer]) for at in range(band.values_per_pack)]
        return np.array(own * -(-channels // len(own)), dtype=object)[:channels]

    def channels_of(self, layer: int, group: int) -> slice:
        """The output channels in a group."""
        per_pack = self.circuit.bands[layer].values_per_pack
        return slice(group * per_pack, min((group + 1) * per_pack, self.circuit.channels(layer)))

    @cached_property
    def all_rows(self) -> tuple[list[int], ...]:
        found: list[list[int]] = []
        for column in self.circuit.row_columns:
            if column.again:
                continue
            found += self._kernel_rows(column) if self.circuit.is_convolution(column.layer) else self._value_rows(column)
        return tuple(found)

    def kernel(self, layer: int, group: int) -> list[int]:
        """The bias and the weights of one group of channels, as signed ints."""
        own = self.channels_of(layer, group)
        factors = self.factors(layer)[own]
        held = self.network.layers[layer]
        return [int(factors @ held.bias[own].astype(object)), *(factors @ held.weights[own].astype(object)).tolist()]

    def chunk(self, column: RowColumn) -> range:
        """The entries of a kernel that a column of kernels holds."""
        return self.circuit.chunks_of(column.layer)[part_of(column.name)[1]]

    def _kernel_rows(self, column: RowColumn) -> Iterator[list[int]]:
        own = self.chunk(column)
        for group in range(len(column.exponents)):
            entries = [entry % MODULUS for entry in self.kernel(column.layer, group)[own.start : own.stop]]
            yield entries + [0] * (self.circuit.domain - len(entries))

    def places(self, column: RowColumn) -> tuple[np.ndarray, np.ndarray]:
        """As of a wide network; the numbers are those of pools where the layer reads sums of them."""
        return _places(self.circuit, column.layer, int(column.name.rpartition("_")[2]))

    def bias_row(self, layer: int) -> int:
        return BIAS_ROW

    def blinding_position(self, layer: int) -> int:
        return self.circuit.domain - 1 if self.circuit.is_convolution(layer) else super().blinding_position(layer)

    def correlations(self, layer: int, read: np.ndarray, piece: int, chunk: int) -> np.ndarray:
        """What one chunk of the kernels of a hidden layer meets at each position of a piece, of `read`, int64 [inputs]: the bias's 1 first
        where the chunk has it, int64 [positions, entries]."""
        held, own, packs = self.network.layers[layer], self.circuit.chunks_of(layer)[chunk], self.circuit.piece_packs(layer, piece)
        met = held.read(read[None])[0][packs.start : packs.stop] if isinstance(held, ConvLayer) else read[None]
        if own.start:
            return met[:, own.start - 1 : own.stop - 1]
        return np.concatenate([np.ones((len(met), 1), dtype=np.int64), met[:, : own.stop - 1]], axis=1)


@lru_cache(maxsize=256)
def _places(circuit: ConvCircuit, layer: int, track: int) -> tuple[np.ndarray, np.ndarray]:
    grid, read = circuit.grids[layer], own_lanes(circuit, layer - 1)
    read = read if grid is None else read.renumbered(grid.pools())
    mine = read.lanes // circuit.domain == track
    return read.lanes[mine] % circuit.domain, read.numbers[mine]


def compile_convolution(network: IntegerNetwork, claim: Claim = CLASS, domain: int | None = None) -> ConvNetwork:
    """As `compile_wide`, for a network with convolutions."""
    lanes, scales, activations = fit_layers(network)
    if network.layers[0].grid is None:
        raise UnsupportedNetwork("layer 0 is dense: circuits with convolutions, pools or residual connections begin with a convolution")
    grids: tuple[Grid | None, ...] = tuple(layer.grid for layer in network.layers)
    for number, layer in enumerate(network.layers):
        if layer.grid is not None and layer.grid.count == 1 and layer.wiring.plain and not layer.grid.covers:
            rows, columns, _ = layer.grid.pooled
            raise UnsupportedNetwork(
                f"layer {number} has one position, and its kernel of {layer.grid.kernel_height} x {layer.grid.kernel_width} is not its map of {rows} x {columns}: "
                f"write it as a kernel of {rows} x {columns}, zero where nothing is read"
            )
    wiring = tuple(layer.wiring for layer in network.layers) if network.wired else ()

    def circuit(rows: int) -> ConvCircuit:
        return ConvCircuit(network.shape, lanes, activations, rows, claim, grids=grids, wiring=wiring)

    return ConvNetwork(network, smallest(circuit) if domain is None else circuit(domain), scales)
