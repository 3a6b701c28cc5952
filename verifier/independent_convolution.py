"""Convolutions and max pools for the independent verifier: what each position reads, tap by tap, of which lanes every number is the sum,
and the public polynomials of kernels and lanes.

It takes grids, wirings and places of lanes from the circuit (`circuits.convolution.layout`) and nothing that evaluates.
"""

from __future__ import annotations

from collections.abc import Iterator

from py_ecc.optimized_bls12_381 import curve_order as ORDER

from zkpredict.circuits.convolution.layout import ConvCircuit
from zkpredict.circuits.networks.grid import Grid
from zkpredict.verifier.independent_compact import lagrange_basis
from zkpredict.verifier.independent_wide import (
    LANES, PACK_STARTS, Pack, band_exponents, fold_exponents, reads_of, shared_values,
)  # fmt: skip

LANE = 1 << 24
MATCH = 1 << 8
"""What a match's difference is multiplied with in its lane."""
Sum = dict[Pack, int]
"""Lanes (track and row), each with how often it is added."""


def convolution_values(
    circuit: ConvCircuit, image: bytes, digit: int, outputs: tuple[int, ...], alpha: int, eta: int, point: int
) -> dict[str, int]:
    """All public polynomials at a `point` outside the domain; `eta`: of circuits with a hidden convolution."""
    basis = lagrange_basis(circuit.domain, point)
    found = shared_values(circuit, digit, outputs, alpha, point, basis)
    for layer in range(1, circuit.layers):
        if not has_kernels(circuit, layer) and not circuit.wired(layer).largest:
            found |= reads_of(layer, circuit.groups(layer - 1), basis)
    return found | first_layer_values(circuit, image, alpha, point) | lane_values(circuit, alpha, eta, basis)


def positions_of(circuit: ConvCircuit, layer: int) -> int:
    """How many a layer has: rows times columns of its grid."""
    grid = circuit.grids[layer]
    return 1 if grid is None else grid.positions[0] * grid.positions[1]


def has_kernels(circuit: ConvCircuit, layer: int) -> bool:
    """A layer with weights and many positions, or one whose inputs are more than the lanes of the layer before it."""
    wiring = circuit.wired(layer)
    if wiring.largest:
        return False
    sums = bool(wiring.sources or wiring.beside) or (layer > 0 and circuit.wired(layer - 1).largest)
    return positions_of(circuit, layer) > 1 or sums


def grid_of(circuit: ConvCircuit, layer: int) -> Grid:
    """The geometry of a convolution. Raises `ValueError` for a layer that has none."""
    grid = circuit.grids[layer]
    if grid is None:
        raise ValueError(f"layer {layer} has no grid")
    return grid


def numbers_read(grid: Grid, position: int) -> Iterator[tuple[int, list[int]]]:
    """The taps of one position that are not padding, each with the numbers of the map that it adds up (a pool of them)."""
    (high, wide), (step_down, step_across) = grid.pool_sides, grid.strides
    height, width = grid.height // high, grid.width // wide
    down, across = divmod(position, grid.positions[1])
    for tap in range(grid.kernel_height * grid.kernel_width * grid.channels):
        at, channel = divmod(tap, grid.channels)
        y = down * step_down + at // grid.kernel_width - grid.pad_top
        x = across * step_across + at % grid.kernel_width - grid.pad_left
        if 0 <= y < height and 0 <= x < width:
            pool = [(y * high + dy, x * wide + dx) for dy in range(high) for dx in range(wide)]
            yield tap, [(row * grid.width + column) * grid.channels + channel for row, column in pool]


def readings(circuit: ConvCircuit, layer: int) -> list[tuple[tuple[int, ...], Grid | None]]:
    """The layers that each reading adds up, and its windows."""
    wiring = circuit.wired(layer)
    return [(wiring.sources or (layer - 1,), circuit.grids[layer]), *((one.sources, one.grid) for one in wiring.beside)]


def taps_read(circuit: ConvCircuit, layer: int, position: int) -> Iterator[tuple[int, tuple[int, ...], list[int]]]:
    """All taps of one position that are not padding: number, layers that are added up, numbers of their maps."""
    first = 0
    for sources, grid in readings(circuit, layer):
        if grid is None:
            yield from ((first + number, sources, [number]) for number in range(circuit.widths[sources[0] + 1]))
            first += circuit.widths[sources[0] + 1]
        else:
            yield from ((first + tap, sources, numbers) for tap, numbers in numbers_read(grid, position))
            first += grid.kernel_height * grid.kernel_width * grid.channels


def chunk_starts(circuit: ConvCircuit, layer: int) -> list[int]:
    """The entries (0: the bias) with which rows of a kernel begin: a row has n - 1, and the channels of one place stay together."""
    starts, entry = [0], 1
    for sources, grid in readings(circuit, layer):
        places = circuit.widths[sources[0] + 1] if grid is None else grid.kernel_height * grid.kernel_width
        channels = 1 if grid is None else grid.channels
        for _ in range(places):
            if entry + channels > starts[-1] + circuit.domain - 1:
                starts.append(entry)
            entry += channels
    return starts


def pieces(circuit: ConvCircuit, layer: int) -> list[tuple[list[int], dict[int, int]]]:
    """For each piece of a convolution that holds positions: the lowest exponent of each group of channels there, and by how much that of
    each position is above it."""
    count = positions_of(circuit, layer)
    if count == 1:
        return [(band_exponents(circuit, circuit.output if layer == circuit.layers - 1 else circuit.groups(layer)[0]), {0: 0})]
    known, first = fold_exponents(circuit), 0
    places = [list(band.pack_places()) for band in circuit.groups(layer)]
    found: list[list[int]] = []
    for piece in circuit.groups(layer)[0].pieces:
        own = list(range(first, min(first + len(PACK_STARTS) * piece.blocks, len(places[0]))))
        if found and circuit.wiring and all(apart(known, places, found[-1] + own)):
            found[-1] += own
        elif first < count:
            found.append(own)
        first = own[-1] + 1
    return [
        (
            [min(known[group[pack]] for pack in own) for group in places],
            {pack: known[places[0][pack]] - min(known[places[0][one]] for one in own) for pack in own if pack < count},
        )
        for own in found
    ]


def apart(known: dict[Pack, int], places: list[list[Pack]], packs: list[int]) -> Iterator[bool]:
    """For each group of channels whether the exponents of these packs differ from the first group's by one number."""
    for group in places:
        yield len({known[group[pack]] - known[places[0][pack]] for pack in packs}) == 1


def convolution_row_exponents(circuit: ConvCircuit) -> dict[str, list[int]]:
    """Each column of the model with the exponents of its rows. All pieces of one chunk have the same rows."""
    found: dict[str, list[int]] = {}
    for layer in range(circuit.layers):
        if circuit.wired(layer).largest:
            continue
        if has_kernels(circuit, layer):
            for chunk in range(len(chunk_starts(circuit, layer))):
                behind = f"_{chunk}" if chunk else ""
                found |= {f"kernels{layer}_{number}{behind}": lowest for number, (lowest, _) in enumerate(pieces(circuit, layer))}
        else:
            tracks = sorted({track for band in circuit.groups(layer - 1) for track, _ in band.pack_places()})
            found |= {f"rows{layer}_{track}": band_exponents(circuit, circuit.bands[layer]) for track in tracks}
    return found


def is_again(name: str) -> bool:
    """Whether the rows of a column are those of the column before it: kernels of another piece."""
    return name.startswith("kernels") and name.split("_")[1] != "0"


def first_layer_values(circuit: ConvCircuit, image: bytes, alpha: int, point: int) -> dict[str, int]:
    """What the kernels of the first layer meet: entry k of a chunk stands at exponent -k mod n, over n."""
    grid, n, found = grid_of(circuit, 0), circuit.domain, {}
    starts = chunk_starts(circuit, 0)
    for number, (_, above) in enumerate(pieces(circuit, 0)):
        terms = [0] * (1 + grid.taps)
        for position, exponent in above.items():
            weight = pow(alpha, exponent, ORDER)
            terms[0] += weight
            for tap, numbers in numbers_read(grid, position):
                terms[1 + tap] += weight * sum(image[one] for one in numbers)
        for chunk, (start, end) in enumerate(zip(starts, [*starts[1:], len(terms)], strict=True)):
            total = sum(term * pow(point, -k % n, ORDER) for k, term in enumerate(terms[start:end]))
            found[f"patches{number}_{chunk}" if chunk else f"patches{number}"] = total * pow(n, -1, ORDER) % ORDER
    return found


class Handed:
    """Of which lanes the numbers are sums that layers hand on."""

    def __init__(self, circuit: ConvCircuit) -> None:
        self.circuit = circuit
        self.matches: list[tuple[int, int, Sum, Sum]] = []
        """The exponent of a match's pack, its place there, and who plays."""
        self.numbers: list[list[Sum]] = []
        for layer in range(circuit.layers - 1):
            self.numbers.append(self._largest(layer) if circuit.wired(layer).largest else [{place: 1} for place in self._lanes(layer)])

    def read(self, sources: tuple[int, ...], number: int) -> Sum:
        """A number of the sum of layers."""
        found: Sum = {}
        for source in sources:
            found = added(found, self.numbers[source][number])
        return found

    def _lanes(self, layer: int) -> list[Pack]:
        """Where each number of a layer with weights lies: a pack a position for each group of channels."""
        bands, positions = self.circuit.groups(layer), positions_of(self.circuit, layer)
        per_pack, channels = len(bands[0].heads), self.circuit.widths[layer + 1] // positions
        packs = [list(band.pack_places()) for band in bands]
        found = []
        for number in range(self.circuit.widths[layer + 1]):
            if positions > 1:
                position, channel = divmod(number, channels)
                group, at = divmod(channel, per_pack)
            else:
                group, (position, at) = 0, divmod(number, per_pack)
            track, row = packs[group][position]
            found.append((track, row + bands[group].heads[at]))
        return found

    def _largest(self, layer: int) -> list[Sum]:
        """Every window's tournament. Its matches are noted with the exponent of their pack and their place there."""
        grid, outputs = grid_of(self.circuit, layer), self.circuit.widths[layer + 1]
        packs = list(self.circuit.groups(layer)[0].pack_places())
        known = fold_exponents(self.circuit)
        sources = self.circuit.wired(layer).sources or (layer - 1,)
        found = []
        for output in range(outputs):
            position, channel = divmod(output, grid.channels)
            playing: list[Sum] = [{} for _ in range(grid.kernel_height * grid.kernel_width)]
            for tap, (number,) in numbers_read(grid, position):
                if tap % grid.channels == channel:
                    playing[tap // grid.channels] = self.read(sources, number)
            match = 0
            while len(playing) > 1:
                winners = []
                for one, other in zip(playing[::2], playing[1::2], strict=False):
                    pack, at = divmod(match * outputs + output, LANES)
                    track, row = packs[pack]
                    self.matches.append((known[packs[pack]], at, one, other))
                    winners.append(added(other, {(track, row + at): 1}))
                    match += 1
                playing = winners + ([playing[-1]] if len(playing) % 2 else [])
            found.append(playing[0])
        return found


def added(one: Sum, other: Sum) -> Sum:
    """Both sums together."""
    return {place: one.get(place, 0) + other.get(place, 0) for place in {**one, **other}}


def lane_values(circuit: ConvCircuit, alpha: int, eta: int, basis: list[int]) -> dict[str, int]:
    """The public polynomials of the check that hidden correlations, and the lanes of max pools, are what they are called: column i, row j
    at eta^(1 + n i + j); a match at the power of alpha of its pack, times its place in it."""
    n = circuit.domain
    columns = {layer: len(pieces(circuit, layer)) * len(chunk_starts(circuit, layer)) for layer in hidden_kernels(circuit)}
    if not columns:
        return {}
    weights, bias = lane_weights(circuit, alpha, eta)
    found = {"powers": sum(pow(eta, row, ORDER) * part for row, part in enumerate(basis)) % ORDER}
    found |= {f"power{column}": pow(eta, 1 + n * column, ORDER) for column in range(sum(columns.values()))}
    found |= _by_tracks(circuit, weights, basis)
    found["correlation_bias"] = bias * pow(n, -1, ORDER) % ORDER
    return found


def hidden_kernels(circuit: ConvCircuit) -> list[int]:
    """The layers behind the first one whose rows are kernels."""
    return [layer for layer in range(1, circuit.layers) if has_kernels(circuit, layer)]


def lane_weights(circuit: ConvCircuit, alpha: int, eta: int) -> tuple[dict[Pack, int], int]:
    """By what the activation of each lane (track and row) is multiplied in the sum, and what the biases of all columns make together."""
    n, handed, weights, bias, number = circuit.domain, Handed(circuit), dict[Pack, int](), 0, 0
    for layer in hidden_kernels(circuit):
        starts = chunk_starts(circuit, layer)
        for _, above in pieces(circuit, layer):
            for position, exponent in above.items():
                weight = pow(alpha, exponent, ORDER)
                bias += weight * pow(eta, 1 + n * number, ORDER)
                for tap, sources, numbers in taps_read(circuit, layer, position):
                    chunk = max(at for at, start in enumerate(starts) if start <= 1 + tap)
                    power = weight * pow(eta, 1 + n * (number + chunk) + 1 + tap - starts[chunk], ORDER)
                    for one in numbers:
                        _add(weights, handed.read(sources, one), power)
            number += len(starts)
    for exponent, at, first, second in handed.matches:
        power = pow(alpha, exponent, ORDER) * LANE ** (LANES - 1 - at) * MATCH
        _add(weights, first, power)
        _add(weights, second, -power)
    return weights, bias % ORDER


def _add(weights: dict[Pack, int], lanes: Sum, power: int) -> None:
    for place, times in lanes.items():
        weights[place] = (weights.get(place, 0) + times * power) % ORDER


def _by_tracks(circuit: ConvCircuit, weights: dict[Pack, int], basis: list[int]) -> dict[str, int]:
    """For each track, and each activation by which lanes on it are read, the polynomial of their weights."""
    found: dict[str, int] = {}
    read = {
        source
        for layer in range(1, circuit.layers)
        if has_kernels(circuit, layer) or circuit.wired(layer).largest
        for sources, _ in readings(circuit, layer)
        for source in sources
    }
    for layer in sorted(read):
        for band in circuit.groups(layer):
            for track, first in band.pack_places():
                name = f"taps{track}_{circuit.activations[layer].tag}"
                own = sum(weights.get((track, first + place), 0) * basis[first + place] for place in range(LANES))
                found[name] = (found.get(name, 0) + own) % ORDER
    return found
