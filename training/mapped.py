"""Networks with convolutions, pools and sums in integers: as dense ones with `relu8`, whose rows are kernels.

An output channel has one scale at all positions, and what a kernel can reach is counted over all inputs of its taps, padding included.

Layers whose numbers are added up must count in one unit, channel by channel, for the sum of their integers to be the sum in floats: the unit of the
one that reaches furthest, or has least room in its lanes. Which that is shows only once they are in integers, and what lies between them
depends on it; so the units of those that are tied shrink, pass by pass, until all agree. Nothing is taken on trust: `Fed.plus` compares them.

    least[c] = max over tied layers l of 255 / unit_l[c]        the peak that channel c has at least, in each of them
"""

from __future__ import annotations

from collections import defaultdict
from functools import reduce

import numpy as np

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.layout import LOGIT_LIMIT
from zkpredict.circuits.networks.activations import MAX_BYTE
from zkpredict.circuits.networks.convolution import ConvLayer
from zkpredict.circuits.networks.pooling import MaxPoolLayer
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.training.activations import RELU as FLOAT_RELU
from zkpredict.training.floating import FloatLayer, FloatMaxPool, FloatNetwork
from zkpredict.training.rows import Fed, fit_together, in_units, shared_scale
from zkpredict.training.saturating import saturating

MOST_PASSES = 100
"""Of a network with sums. Each but the last makes some unit smaller."""
_HAIR = 1 + 2.0**-20
"""What a unit shrinks beyond the smallest one, so that no rounding of floats leaves it above."""


def quantize_maps(network: FloatNetwork, peaks: list[np.ndarray]) -> IntegerNetwork:
    """The integer network. `peaks`: of each hidden layer, the largest value of each channel on images. Raises `UnsupportedNetwork`."""
    other = next((layer for layer in network.layers[:-1] if layer.activation != FLOAT_RELU), None)
    if other is not None:
        raise UnsupportedNetwork(f"layer '{other.name}': a network with convolutions is quantised with relu only, not {other.activation.name}")
    roots = _tied(network)
    weighed = [root for root, layer in zip(roots, network.layers, strict=False) if not isinstance(layer, FloatMaxPool)]
    least = {root: np.zeros(len(network.layers[root].bias)) for root in roots if weighed.count(root) > 1}
    for _ in range(MOST_PASSES):
        found = _Pass(network, peaks, roots, least)
        if not found.raised:
            return IntegerNetwork((*found.layers, found.logits()))
        least |= found.raised
    raise UnsupportedNetwork(f"layer '{network.layers[max(least)].name}': what is added to it finds no scale in common within {MOST_PASSES} passes")


def _tied(network: FloatNetwork) -> tuple[int, ...]:
    """For each hidden layer the first one that it shares its units with: sums tie their layers, a max pool has the units of what it reads."""
    roots = list(range(len(network.layers) - 1))
    for number, layer in enumerate(network.layers[1:], start=1):
        for sources in layer.wiring.all_sources(number):
            group = {roots[source] for source in (*sources, number) if source < number or isinstance(layer, FloatMaxPool)}
            first = min(group)
            _check_channels(network, first, sources)
            roots = [first if root in group else root for root in roots]
    return tuple(roots)


def _check_channels(network: FloatNetwork, first: int, sources: tuple[int, ...]) -> None:
    for source in sources:
        one, other = network.layers[first], network.layers[source]
        if len(sources) > 1 and len(one.bias) != len(other.bias):
            raise UnsupportedNetwork(f"layers '{one.name}' and '{other.name}' are added, with {len(one.bias)} and {len(other.bias)} channels")


class _Pass:
    """One pass through the hidden layers: `layers` in integers, and `raised`, the peaks of tied layers that must be higher for units to agree."""

    def __init__(self, network: FloatNetwork, peaks: list[np.ndarray], roots: tuple[int, ...], least: dict[int, np.ndarray]) -> None:
        self.network, self.over_bytes = network, network.over_bytes
        self.handed = {-1: Fed.with_bytes(network.shape[0])}
        self.layers: list[DenseLayer] = []
        self.units: dict[int, list[np.ndarray]] = defaultdict(list)
        self.raised: dict[int, np.ndarray] = {}
        for number, (layer, reached) in enumerate(zip(self.over_bytes[:-1], peaks, strict=True)):
            if isinstance(layer, FloatMaxPool):
                self._largest(number, layer)
                continue
            beside = np.zeros(len(layer.bias)) if layer.wiring.beside else None
            self._weighed(number, layer, reached, least.get(roots[number], beside))
            self.units[roots[number]].append(self.handed[number].units[: len(layer.bias)])
            if len(self.units[roots[number]]) > 1:
                self._compare(roots[number], least)
                if self.raised:
                    return

    def _compare(self, root: int, least: dict[int, np.ndarray]) -> None:
        units = np.stack(self.units[root])
        smallest = units.min(axis=0)
        apart = ((units != smallest) & np.isfinite(units)).any(axis=0)
        if apart.any():
            self.raised[root] = np.where(apart, np.maximum(least[root], _HAIR * MAX_BYTE / smallest), least[root])

    def _largest(self, number: int, layer: FloatMaxPool) -> None:
        read = reduce(Fed.plus, (self.handed[source] for source in layer.wiring.all_sources(number)[0]))
        self.layers.append(MaxPoolLayer(layer.windows, layer.wiring.sources))
        self.handed[number] = read.of_channels(layer.windows).at_each(layer.windows.count)

    def _weighed(self, number: int, layer: FloatLayer, reached: np.ndarray, least: np.ndarray | None) -> None:
        made, fed = saturating(layer, self._read(number, layer), reached, least)
        if layer.grid is not None:
            fed = fed.at_each(layer.grid.count)
        self.layers.append(_placed(made, layer))
        self.handed[number] = fed

    def _read(self, number: int, layer: FloatLayer) -> Fed:
        """What the rows of a layer are fed."""
        maps = []
        for sources, grid in zip(layer.wiring.all_sources(number), layer.grids or (None,), strict=True):
            maps.append(reduce(Fed.plus, (self.handed[source] for source in sources)).read_by(grid, layer.name))
        return maps[0] if len(maps) == 1 else Fed.beside(maps)

    def logits(self) -> DenseLayer:
        """The last layer."""
        last = self.over_bytes[-1]
        read = self._read(len(self.layers), last)
        weights, bias = in_units(last, read)
        rows = fit_together(last.name, weights, bias, read, shared_scale(last.name, weights), LOGIT_LIMIT)
        return _placed(DenseLayer(rows.weights, rows.bias), last)


def _placed(made: DenseLayer, layer: FloatLayer) -> DenseLayer:
    """The rows of `made` where `layer` lies."""
    if layer.grid is None:
        return DenseLayer(made.weights, made.bias, made.shift, made.activation, wiring=layer.wiring)
    return ConvLayer(made.weights, made.bias, made.shift, made.activation, layer.grid, wiring=layer.wiring)
