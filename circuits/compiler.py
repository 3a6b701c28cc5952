"""From an integer network to a circuit: lane widths from worst-case bounds, and the packed weight rows a model commits to."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property

import numpy as np

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.gadgets.gates import check_rows, gate_of
from zkpredict.circuits.layout import ACTIVATION_ROW, BIAS_ROWS, BLINDING_ROW, DOMAINS, LOGIT_LIMIT, WIDE, Circuit, Group
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.records import dataclass, field


@dataclass(frozen=True)
class CompiledNetwork:
    """A network with the circuit that holds it. `scales[t]`: layer t lies in its lanes multiplied by 2^scales[t], so that the
    lane's fixed shift is the layer's own shift."""

    network: IntegerNetwork
    circuit: Circuit
    scales: tuple[int, ...] = field(repr=False)

    def blinding_position(self, layer: int) -> int:
        """Index of a row's random entry: a coefficient no input uses (first layer), or a value at a row nobody reads."""
        return self.circuit.domain - 1 if layer == 0 else BLINDING_ROW

    @cached_property
    def rows(self) -> tuple[tuple[list[int], ...], ...]:
        """Per layer, the committed rows without their random entry: n field elements each, as coefficients for layer 0 and as
        values on the domain for later layers."""
        return tuple(self._layer_rows(t) for t in range(self.circuit.layers))

    @property
    def all_rows(self) -> tuple[list[int], ...]:
        """`rows` of all layers, one after another."""
        return tuple(row for layer in self.rows for row in layer)

    def _layer_rows(self, number: int) -> tuple[list[int], ...]:
        circuit, group = self.circuit, self.circuit.layer_groups[number]
        packed = packed_weights(self.network.layers[number], group, self.scales[number])
        rows = []
        for first in range(0, group.packs, circuit.packs_per_row(number)):
            row = [0] * circuit.domain
            for place, entries in enumerate(packed[first : first + circuit.packs_per_row(number)]):
                for position, entry in zip(self.entry_positions(number, place), entries, strict=True):
                    row[position] = entry % MODULUS
            rows.append(row)
        return tuple(rows)

    def entry_positions(self, number: int, place: int) -> list[int]:
        """Where the bias and the weights of the pack at `place` in its row go."""
        if number == 0:
            block = self.circuit.inputs + 1
            return list(range(place * block, (place + 1) * block))
        before = self.circuit.layer_groups[number - 1]
        cells = [before.value_row(j) + ACTIVATION_ROW - place for j in range(before.outputs)]
        return [BIAS_ROWS[place], *cells]


def compile_network(network: IntegerNetwork, domain: int | None = None) -> CompiledNetwork:
    """Chooses lane widths and the smallest domain that holds `network` (or checks the given one).

    Raises `UnsupportedNetwork`, naming the layer, for an activation that no gate computes, naming the layer and row, when a worst-case
    bound does not fit a lane, and naming the sizes when no domain fits.
    """
    lanes, scales, tags = [], [], []
    for number, (layer, interval) in enumerate(zip(network.layers, network.intervals, strict=True)):
        if number == len(network.layers) - 1:
            check_rows(number, interval, LOGIT_LIMIT, 0)
            fitted, tag = (WIDE, 0), 0
        else:
            gate = gate_of(layer.activation, number)
            fitted, tag = gate.fit(number, layer.shift, interval), gate.tag
        lanes.append(fitted[0])
        scales.append(fitted[1])
        tags.append(tag)
    domains = DOMAINS if domain is None else (domain,)
    circuit = _smallest_circuit(network.shape, tuple(lanes), tuple(tags), domains)
    return CompiledNetwork(network, circuit, tuple(scales))


def _smallest_circuit(
    widths: tuple[int, ...], lanes: tuple[int, ...], tags: tuple[int, ...], domains: tuple[int, ...]
) -> Circuit:
    """The circuit of the first of `domains` that holds the layers. Raises what the last one lacks."""
    *smaller, largest = domains
    for domain in smaller:
        with suppress(UnsupportedNetwork):
            return Circuit(widths, lanes, domain, tags)
    return Circuit(widths, lanes, largest, tags)


def packed_weights(layer: DenseLayer, group: Group, scale: int) -> list[list[int]]:
    """Per pack, [packed bias, packed weight of input 0, ...]: sum_k 2^(shift of value k + scale) W[k, j], as signed ints."""
    table = np.concatenate([layer.bias[:, None], layer.weights], axis=1).astype(object)
    packed = []
    for first in range(0, group.outputs, group.values_per_pack):
        values = range(first, min(first + group.values_per_pack, group.outputs))
        factors = np.array([1 << (group.value_shift(index) + scale) for index in values], dtype=object)
        packed.append((factors @ table[first : first + len(values)]).tolist())
    return packed
