"""From an integer network to a wide circuit, and the packed rows of weights a model commits to.

The smallest proof is chosen: its bytes follow from the domain, the number of tracks, and what each track commits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cached_property, lru_cache
from typing import TypeVar

import numpy as np

from zkpredict.circuits.columns import Origin
from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.gadgets.gates import check_rows
from zkpredict.circuits.networks.activations import Activation
from zkpredict.circuits.networks.dense import Interval
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.circuits.records import dataclass, field
from zkpredict.circuits.rows import RowColumn
from zkpredict.circuits.wide.claims import CLASS, LOGIT_LIMIT, Claim
from zkpredict.circuits.wide.geometry import BIAS_ROW, BLINDING_ROW, LANE_BITS, PACK_LANES, Band
from zkpredict.circuits.wide.lanes import lane_places
from zkpredict.circuits.wide.layout import DOUBLE, NARROW, WIDE_DOMAINS, WideCircuit
from zkpredict.circuits.wide.replicas import ReplicaCircuit, Seat

C = TypeVar("C", bound=WideCircuit)
_NOTHING = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
KEPT_BITS = 16
"""Above its lowest byte (a double value: its lowest 32 bits) a lane holds the 16 bits that an activation reads."""


@dataclass(frozen=True)
class WideNetwork:
    """A network with the circuit that holds it. `scales[t]`: layer t lies in its lanes multiplied by 2^scales[t], so that the
    lane's fixed shift is the layer's own shift."""

    network: IntegerNetwork
    circuit: WideCircuit
    scales: tuple[int, ...] = field(repr=False)

    def factors(self, layer: int) -> np.ndarray:
        """For each neuron of a layer what its weights are multiplied with in its pack: Python ints [outputs]."""
        band = self.circuit.bands[layer]
        sign = self.circuit.claim.row_sign if layer == self.circuit.layers - 1 else 1
        own = [sign << (band.value_shift(place) + self.scales[layer]) for place in range(band.values_per_pack)]
        return np.array(own * -(-band.values // band.values_per_pack), dtype=object)[: band.values]

    def neurons(self, layer: int, pack: int) -> slice:
        """The neurons in a pack of a layer."""
        band = self.circuit.bands[layer]
        return slice(pack * band.values_per_pack, min((pack + 1) * band.values_per_pack, band.values))

    @cached_property
    def all_rows(self) -> tuple[list[int], ...]:
        """The committed rows without their random entry, n field elements each, column by column. Slow: the twin of what the prover
        computes (`zkpredict.prover.rows`)."""
        found: list[list[int]] = []
        for column in self.circuit.row_columns:
            found += self._input_rows(column.name) if column.coefficients else self._value_rows(column)
        return tuple(found)

    def packed(self, layer: int, pack: int) -> tuple[int, list[int]]:
        """The bias and the weights of one pack, as signed ints."""
        own = self.neurons(layer, pack)
        factors = self.factors(layer)[own]
        bias = int(factors @ self.network.layers[layer].bias[own].astype(object))
        return bias, (factors @ self.network.layers[layer].weights[own].astype(object)).tolist()

    def _input_rows(self, name: str) -> Iterator[list[int]]:
        step, chunk = (int(part) for part in name.removeprefix("rows0_").split("_"))
        inputs = self.circuit.chunks[chunk]
        for packs, _ in self.circuit.shared_packs(self.circuit.input_steps[step]):
            entries: list[int] = []
            for pack in packs:
                bias, weights = self.packed(0, pack)
                entries += [*([bias] if chunk == 0 else []), *weights[inputs.start : inputs.stop]]
            yield [entry % MODULUS for entry in entries] + [0] * (self.circuit.domain - len(entries))

    def _value_rows(self, column: RowColumn) -> Iterator[list[int]]:
        rows, numbers = self.places(column)
        for pack in range(self.circuit.bands[column.layer].packs):
            bias, weights = self.packed(column.layer, pack)
            row = [0] * self.circuit.domain
            if self.has_bias(column):
                row[self.bias_row(column.layer)] = bias % MODULUS
            for at, number in zip(rows.tolist(), numbers.tolist(), strict=True):
                row[at] = weights[number] % MODULUS
            yield row

    def places(self, column: RowColumn) -> tuple[np.ndarray, np.ndarray]:
        """For a column of values: the rows on which its layer reads, and the numbers of what it reads there, int64 arrays."""
        if column.layer == 0:
            chunk = self.circuit.chunks[int(column.name.removeprefix("rows0_private"))]
            return np.arange(len(chunk)), np.arange(chunk.start, chunk.stop)
        return value_places(self.circuit.bands[column.layer - 1])[int(column.name.rpartition("_")[2])]

    def has_bias(self, column: RowColumn) -> bool:
        """Whether the layer's biases lie in this column of values: the first one of the layer."""
        return next(one for one in self.circuit.row_columns if one.layer == column.layer) == column

    def bias_row(self, layer: int) -> int:
        """Where the bias of a row of values lies."""
        return BIAS_ROW if layer else self.circuit.domain - 2

    def blinding_position(self, layer: int) -> int:
        """Index of a row's random entry: a coefficient no input uses (first layer), or a value at a row nobody reads."""
        return self.circuit.domain - 1 if layer == 0 else BLINDING_ROW


@lru_cache(maxsize=256)
def value_places(band: Band) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """For each track of a band, the rows on which its values' activations are read, and the values' numbers: int64 arrays."""
    found = {}
    for track, (rows, lanes) in lane_places(band).items():
        packs, places = np.divmod(lanes, PACK_LANES)
        values, lane = np.divmod(places, band.lanes)
        numbers = packs * band.values_per_pack + values
        used = (lane == 0) & (values < band.values_per_pack) & (numbers < band.values)
        order = np.argsort(numbers[used], kind="stable")
        found[track] = (rows[used][order], numbers[used][order])
    return found


def fit(number: int, shift: int, interval: Interval) -> tuple[int, int]:
    """Lanes of a value and scale (as a power of two) at which hidden layer `number` is stored. Raises `UnsupportedNetwork`."""
    for lanes in (NARROW, DOUBLE):
        own = lanes * LANE_BITS - KEPT_BITS
        if shift <= own and interval.magnitude << (own - shift) < 1 << (lanes * LANE_BITS - 1):
            return lanes, own - shift
    own = DOUBLE * LANE_BITS - KEPT_BITS
    if shift > own:
        raise UnsupportedNetwork(f"layer {number} shifts by more than the {own} bits of a double lane")
    check_rows(number, interval, 1 << (DOUBLE * LANE_BITS - 1 - own + shift), shift)
    raise AssertionError("a row that fits no lane reaches the limit")


@dataclass(frozen=True)
class ReplicaNetwork(WideNetwork):
    """A network in a circuit with replicas."""

    circuit: ReplicaCircuit

    def _value_rows(self, column: RowColumn) -> Iterator[list[int]]:
        row = [0] * self.circuit.domain
        for seat, rows, numbers, biased in self.seats(column):
            bias, weights = self.packed(seat.layer, seat.pack)
            if biased:
                row[seat.bias_row] = bias % MODULUS
            for at, number in zip(rows.tolist(), numbers.tolist(), strict=True):
                row[at] = weights[number] % MODULUS
        yield row

    def seats(self, column: RowColumn) -> Iterator[tuple[Seat, np.ndarray, np.ndarray, bool]]:
        """The packs in a joined row: for each the rows on which it reads, the numbers of what it reads there (int64 arrays), and
        whether its bias lies in this row."""
        track, number = self.circuit.joined_rows[column.name]
        for seat in self.circuit.seats_on(track, number):
            yield seat, *value_places(self.circuit.source(seat)).get(track, _NOTHING), self.circuit.has_bias(seat, track)


def compile_replicas(network: IntegerNetwork, joined: int, claim: Claim = CLASS, domain: int | None = None) -> ReplicaNetwork:
    """The network with replicas of its hidden layers, so many that all layers behind the first share `joined` rows a track; on 2,048
    rows unless another number is given.

    Raises `UnsupportedNetwork` as `compile_wide` does, and when no circuit has so many.
    """
    lanes, scales, activations = fit_layers(network)
    circuit = ReplicaCircuit(network.shape, lanes, activations, domain or WIDE_DOMAINS[-1], claim, joined=joined)
    return ReplicaNetwork(network, circuit, scales)


def compile_wide(
    network: IntegerNetwork, claim: Claim = CLASS, domain: int | None = None, private_input: bool = False, batch: bool = False
) -> WideNetwork:
    """Chooses lanes, and the domain with the smallest proof (or takes the given one). For a `batch`: slots, on as many rows as there
    can be, where the network leaves room for them.

    Raises `UnsupportedNetwork`, naming layer and row, when a worst-case bound does not fit a lane, and naming the sizes when no domain
    fits.
    """
    lanes, scales, activations = fit_layers(network)

    def circuit(rows: int, slotted: bool = False) -> WideCircuit:
        return WideCircuit(network.shape, lanes, activations, rows, claim, private_input, slotted)

    if batch and (claim != CLASS or private_input):
        what = "a private input" if private_input else f"the claim {claim}"
        raise UnsupportedNetwork(f"batches claim the class of public inputs, and have no place for {what}")
    if batch:
        with suppress(UnsupportedNetwork):  # more than half of a track: a track or more for each input, without slots
            return WideNetwork(network, circuit(domain or WIDE_DOMAINS[-1], True), scales)
    if private_input and domain is None:
        domain = private_domain(network.shape[0])
    return WideNetwork(network, smallest(circuit) if domain is None else circuit(domain), scales)


def fit_layers(network: IntegerNetwork) -> tuple[tuple[int, ...], tuple[int, ...], tuple[Activation, ...]]:
    """Lanes of each hidden layer, scales of all layers, and activations. Raises `UnsupportedNetwork`, naming layer and row."""
    hidden = enumerate(zip(network.layers[:-1], network.intervals[:-1], strict=True))
    fitted = [fit(number, layer.shift, interval) for number, (layer, interval) in hidden]
    check_rows(len(network.layers) - 1, network.intervals[-1], LOGIT_LIMIT, 0)
    scales = (*(scale for _, scale in fitted), 0)
    return tuple(lanes for lanes, _ in fitted), scales, tuple(layer.activation for layer in network.layers[:-1])


def smallest(circuit: Callable[[int], C]) -> C:
    """The circuit whose proofs are smallest, of those on each number of rows. Raises `UnsupportedNetwork` for what the last one lacks."""
    found = []
    for rows in WIDE_DOMAINS[:-1]:
        with suppress(UnsupportedNetwork):
            found.append(circuit(rows))
    found.append(circuit(WIDE_DOMAINS[-1]))
    return min(found, key=committed_columns)


def private_domain(inputs: int) -> int:
    """The rows of circuits with a private input of this size: one commitment serves all of them."""
    return next((domain for domain in WIDE_DOMAINS[1:] if inputs <= domain - 2), WIDE_DOMAINS[-1])


def committed_columns(circuit: WideCircuit) -> int:
    """How many columns a proof commits: what its size goes with."""
    from zkpredict.circuits.placement import columns  # it places this package's gadgets

    return sum(column.origin is Origin.PROOF for column in columns(circuit))
