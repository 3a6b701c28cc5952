"""From an integer network to a circuit with shared rows, and the rows a model commits to."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from zkpredict.circuits.convolution.compiler import ConvNetwork
from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.field import MODULUS, inverses
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.circuits.records import dataclass
from zkpredict.circuits.shared.gadgets import met_by_kernels, nodes, public_entries, weights_of
from zkpredict.circuits.shared.layout import FIRST_DENSE, SharedCircuit
from zkpredict.circuits.wide.claims import CLASS, Claim
from zkpredict.circuits.wide.compiler import fit_layers
from zkpredict.circuits.wide.layout import WIDE_DOMAINS
from zkpredict.kernel import Vector


@dataclass(frozen=True)
class SharedNetwork(ConvNetwork):
    """A network in a circuit with shared rows."""

    circuit: SharedCircuit

    @cached_property
    def all_rows(self) -> tuple[list[int], ...]:
        found = [[0] * self.circuit.domain for _ in range(self.circuit.joined)]
        for segment in self.circuit.segments:
            layer, first = segment.layer, segment.start
            if layer < FIRST_DENSE:
                found[-1][first : first + segment.count] = [entry % MODULUS for entry in self.kernel(layer, segment.number)]
                continue
            for row, seats in zip(found, range(segment.number, self.circuit.joined * self.circuit.seats(layer), self.circuit.seats(layer)), strict=True):
                if seats < self.circuit.groups(layer)[0].packs:
                    bias, weights = self.packed(layer, seats)
                    row[first : first + segment.count] = [bias % MODULUS, *self._interpolated(layer, weights)]
        return tuple(found)

    def _interpolated(self, layer: int, weights: list[int]) -> list[int]:
        """The coefficients of the polynomial that takes a pack's weights on the powers of its numbers' lanes."""
        basis = self._bases[layer]
        return Vector.linear_combination(list(basis), [weight % MODULUS for weight in weights]).to_ints()

    @cached_property
    def _bases(self) -> dict[int, list[Vector]]:
        return {layer: lagrange_polynomials(nodes(self.circuit, layer)) for layer in range(FIRST_DENSE, self.circuit.layers)}

    def met(self, activations: list[np.ndarray], data: bytes, alpha: int) -> Vector:
        """q: what rows meet, n field elements, of the activations of each hidden layer, int64 [numbers]."""
        circuit = self.circuit
        entries = [0] * circuit.domain
        for entry, value in public_entries(circuit, data, alpha).items():
            entries[entry] = value
        for segment in circuit.segments_of(1):
            met = met_by_kernels(circuit, 1, activations[0])
            own = Vector.combine_rows(np.ascontiguousarray(met), weights_of(circuit, segment, alpha)).to_ints()
            entries[segment.start + 1 : segment.start + segment.count] = own
        for layer in range(FIRST_DENSE, circuit.layers):
            sums = self._power_sums(layer, activations[layer - 1])
            for segment in circuit.segments_of(layer):
                weight = pow(alpha, circuit.seat_exponent(layer, segment.number), MODULUS)
                entries[segment.start + 1 : segment.start + segment.count] = [weight * value % MODULUS for value in sums]
        return Vector.from_ints(entries)

    def _power_sums(self, layer: int, values: np.ndarray) -> list[int]:
        """sum over the numbers that a dense layer reads of number node^k, for as many k as there are numbers."""
        grid = self.circuit.grids[layer]
        read = values if grid is None else grid.sums(values[None])[0]
        return Vector.linear_combination(self._powers[layer], [int(value) % MODULUS for value in read.ravel()]).to_ints()

    @cached_property
    def _powers(self) -> dict[int, list[Vector]]:
        return {
            layer: [Vector.powers(node, self.circuit.numbers_read(layer)) for node in nodes(self.circuit, layer)]
            for layer in range(FIRST_DENSE, self.circuit.layers)
        }


def lagrange_polynomials(points: list[int]) -> list[Vector]:
    """For each of `points` the polynomial of least degree that is 1 there and 0 at the others, as coefficients."""
    whole = [1]
    for point in points:
        low, high = [-point * c % MODULUS for c in whole] + [0], [0, *whole]
        whole = [(a + b) % MODULUS for a, b in zip(low, high, strict=True)]
    quotients = [Vector.from_ints(whole).divide_by_linear(point)[0] for point in points]
    scales = inverses([quotient.evaluate(point) for quotient, point in zip(quotients, points, strict=True)])
    return [quotient * scale for quotient, scale in zip(quotients, scales, strict=True)]


def compile_shared(network: IntegerNetwork, claim: Claim = CLASS, domain: int | None = None) -> SharedNetwork:
    """The network in a circuit with shared rows, on 2,048 rows unless another number is given. Raises `UnsupportedNetwork`."""
    if not network.grids:
        raise UnsupportedNetwork("circuits with shared rows hold two convolutions, then dense layers")
    lanes, scales, activations = fit_layers(network)
    grids = tuple(layer.grid for layer in network.layers)
    wiring = tuple(layer.wiring for layer in network.layers) if network.wired else ()
    circuit = SharedCircuit(network.shape, lanes, activations, domain or WIDE_DOMAINS[-1], claim, grids=grids, wiring=wiring)
    return SharedNetwork(network, circuit, scales)
