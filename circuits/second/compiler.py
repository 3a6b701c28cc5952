"""From an integer network to a circuit of the second edition: lane widths from worst-case bounds, and the weight rows."""

from __future__ import annotations

from functools import cached_property

from zkpredict.circuits.compiler import packed_weights
from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.field import MODULUS, evaluate_on_domain, inverses, powers, root_of_unity
from zkpredict.circuits.gadgets.gates import check_rows
from zkpredict.circuits.layout import ACTIVATION_ROW, BIAS_ROWS, BLINDING_ROW, LANE_ROWS, LIMB_BITS, LOGIT_LIMIT, NARROW, WIDE
from zkpredict.circuits.networks.activations import RELU
from zkpredict.circuits.networks.dense import Interval
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.circuits.records import dataclass, field
from zkpredict.circuits.second.layout import BLOCKS, DOMAIN, LANE_BITS, SIGN_WEIGHT, SecondCircuit


@dataclass(frozen=True)
class SecondNetwork:
    """A network with the circuit that holds it. `scales[t]`: layer t lies in its lanes multiplied by 2^scales[t]."""

    network: IntegerNetwork
    circuit: SecondCircuit
    scales: tuple[int, ...] = field(repr=False)

    @cached_property
    def rows(self) -> tuple[tuple[list[int], ...], ...]:
        """Per layer, the committed rows without what hides them: coefficients for layer 0, n values on the domain for later layers.
        The row that layer 0 hosts is among its own only."""
        first = [list(row) for row in self._input_rows()]
        later = [self._value_rows(layer) for layer in range(1, self.circuit.layers)]
        if self.circuit.hosts:
            self._host(first[-1], later[0][0])
            later[0] = ()
        return (tuple(first), *later)

    @property
    def all_rows(self) -> tuple[list[int], ...]:
        """`rows` of all layers, one after another."""
        return tuple(row for layer in self.rows for row in layer)

    @cached_property
    def hiding(self) -> tuple[list[int], ...]:
        """For each committed row what its secret is multiplied with: a coefficient no input uses, a value at a row nobody reads, or, in
        the hosting row, the coefficients of a polynomial that is zero where layer 1 reads."""
        found = []
        for layer, rows in enumerate(self.rows):
            position = self.circuit.domain - 1 if layer == 0 else BLINDING_ROW
            found += [[0] * position + [1] + [0] * (self.circuit.domain - position - 1) for _ in rows]
        if self.circuit.hosts:
            found[len(self.rows[0]) - 1] = [0] * self.circuit.host_start + self._vanishing
        return tuple(found)

    def _packed(self, layer: int) -> list[list[int]]:
        return packed_weights(self.network.layers[layer], self.circuit.layer_groups[layer], self.scales[layer])

    def _input_rows(self) -> list[list[int]]:
        circuit = self.circuit
        rows = [[0] * (circuit.domain * min(circuit.row_packs(row), BLOCKS)) for row in range(circuit.row_count(0))]
        for pack, entries in enumerate(self._packed(0)):
            row, start = circuit.input_place(pack)
            rows[row][start : start + len(entries)] = [entry % MODULUS for entry in entries]
        return rows

    def _value_rows(self, layer: int) -> tuple[list[int], ...]:
        circuit, packed = self.circuit, self._packed(layer)
        rows = []
        for first in range(0, len(packed), circuit.packs_per_row(layer)):
            row = [0] * circuit.domain
            for place, entries in enumerate(packed[first : first + circuit.packs_per_row(layer)]):
                for position, entry in zip(self._entry_rows(layer, place), entries, strict=True):
                    row[position] = entry % MODULUS
            rows.append(row)
        return tuple(rows)

    def _entry_rows(self, layer: int, place: int) -> list[int]:
        """Rows where the bias and the weights of the pack at `place` in a row of `layer` stand."""
        before = self.circuit.layer_groups[layer - 1]
        return [BIAS_ROWS[place], *(before.value_row(j) + ACTIVATION_ROW - place for j in range(before.outputs))]

    # the row of layer 1 within a row of layer 0

    @cached_property
    def _hosted_rows(self) -> list[int]:
        """Where layer 1 reads what may not be zero: every lane of a value and the bias, once for each place in a row."""
        before, starts = self.circuit.layer_groups[0], range(0, self.circuit.lanes[0] * LANE_ROWS, LANE_ROWS)
        lanes = [before.value_row(j) + lane + ACTIVATION_ROW for j in range(before.outputs) for lane in starts]
        return [row for place, bias in enumerate(BIAS_ROWS) for row in (bias, *(lane - place for lane in lanes))]

    @cached_property
    def _vanishing(self) -> list[int]:
        """Coefficients of prod (X - w^row) over the rows where layer 1 reads."""
        root, found = root_of_unity(self.circuit.domain), [1]
        for row in self._hosted_rows:
            node = pow(root, row, MODULUS)
            found = [(a - node * b) % MODULUS for a, b in zip([0, *found], [*found, 0], strict=True)]
        return found

    def _host(self, host: list[int], values: list[int]) -> None:
        """Adds X^start I(X) to the coefficients `host` of a row, so that it has the `values` of layer 1's row where that is read."""
        circuit, n = self.circuit, self.circuit.domain
        there = evaluate_on_domain([sum(host[at::n]) % MODULUS for at in range(n)], n)
        nodes = [pow(root_of_unity(n), row, MODULUS) for row in self._hosted_rows]
        wanted = [
            (values[row] - there[row]) * pow(node, -circuit.host_start, MODULUS) % MODULUS
            for row, node in zip(self._hosted_rows, nodes, strict=True)
        ]
        interpolant = _interpolated(nodes, wanted, self._vanishing)
        for at, coefficient in enumerate(interpolant, circuit.host_start):
            host[at] = coefficient


def _interpolated(nodes: list[int], values: list[int], vanishing: list[int]) -> list[int]:
    """Coefficients of the polynomial of degree below len(nodes) through `values`; `vanishing`: those of prod (X - node)."""
    derivative = [k * c % MODULUS for k, c in enumerate(vanishing)][1:]
    slopes = inverses([sum(c * power for c, power in zip(derivative, powers(node, len(derivative)), strict=True)) % MODULUS for node in nodes])
    found = [0] * len(nodes)
    for node, value, slope in zip(nodes, values, slopes, strict=True):
        scale, carried = value * slope % MODULUS, 0
        for at in range(len(nodes) - 1, -1, -1):  # vanishing / (X - node), by synthetic division
            carried = (vanishing[at + 1] + carried * node) % MODULUS
            found[at] = (found[at] + scale * carried) % MODULUS
    return found


def compile_second(network: IntegerNetwork, domain: int | None = None) -> SecondNetwork:
    """Chooses lane widths for `network`.

    Raises `UnsupportedNetwork`, naming the layer, for another activation than ReLU, naming layer and row, when a worst-case bound does not
    fit a lane, and naming the sizes when the rows do not hold it.
    """
    lanes, scales = [], []
    for number, (layer, interval) in enumerate(zip(network.layers, network.intervals, strict=True)):
        if number == len(network.layers) - 1:
            check_rows(number, interval, LOGIT_LIMIT, 0)
            scales.append(0)
            continue
        if layer.activation != RELU:
            raise UnsupportedNetwork(f"layer {number} uses {layer.activation}: circuits of the second edition hold relu only")
        own, scale = _fit(number, layer.shift, interval)
        lanes.append(own)
        scales.append(scale)
    return SecondNetwork(network, SecondCircuit(network.shape, tuple(lanes), DOMAIN if domain is None else domain), tuple(scales))


def lane_shift(lanes: int) -> int:
    """The shift that a value's activation has: it keeps the top two bytes behind the sign. 8 for one lane, 33 for two."""
    return lanes * LANE_BITS - 1 - 2 * LIMB_BITS


def _fit(number: int, shift: int, interval: Interval) -> tuple[int, int]:
    """Lanes of a value and the scale at which layer `number` is stored."""
    if shift <= lane_shift(NARROW) and interval.magnitude << (lane_shift(NARROW) - shift) < SIGN_WEIGHT:
        return NARROW, lane_shift(NARROW) - shift
    if shift > lane_shift(WIDE):
        raise UnsupportedNetwork(f"layer {number} shifts by more than the {lane_shift(WIDE)} bits of a wide lane")
    check_rows(number, interval, 1 << (2 * LIMB_BITS + shift), shift)
    return WIDE, lane_shift(WIDE) - shift
