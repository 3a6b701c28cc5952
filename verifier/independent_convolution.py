"""Convolutions for the independent verifier: what each position reads, tap by tap, and the public polynomials of kernels and correlations.

It takes grids and places of lanes from the circuit (`circuits.convolution`) and nothing that evaluates.
"""

from __future__ import annotations

from collections.abc import Iterator

from py_ecc.optimized_bls12_381 import curve_order as ORDER

from zkpredict.circuits.convolution.layout import ConvCircuit
from zkpredict.circuits.networks.convolution import Grid
from zkpredict.verifier.independent_compact import lagrange_basis
from zkpredict.verifier.independent_wide import PACK_STARTS, Pack, band_exponents, fold_exponents, reads_of, shared_values


def convolution_values(
    circuit: ConvCircuit, image: bytes, digit: int, outputs: tuple[int, ...], alpha: int, eta: int, point: int
) -> dict[str, int]:
    """All public polynomials at a `point` outside the domain; `eta`: of circuits with a hidden convolution."""
    basis = lagrange_basis(circuit.domain, point)
    found = shared_values(circuit, digit, outputs, alpha, point, basis)
    for layer in range(1, circuit.layers):
        if not circuit.is_convolution(layer):
            found |= reads_of(layer, circuit.groups(layer - 1), basis)
    return found | first_layer_values(circuit, image, alpha, point) | correlation_values(circuit, alpha, eta, basis)


def grid_of(circuit: ConvCircuit, layer: int) -> Grid:
    """The geometry of a convolution. Raises `ValueError` for a layer that has none."""
    grid = circuit.grids[layer]
    if grid is None:
        raise ValueError(f"layer {layer} has no grid")
    return grid


def numbers_read(grid: Grid, position: int) -> Iterator[tuple[int, list[int]]]:
    """The taps of one position that are not padding, each with the numbers of the map that it adds up (a pool of them)."""
    height, width = grid.height // grid.pool, grid.width // grid.pool
    down, across = divmod(position, grid.positions[1])
    for tap in range(grid.kernel_height * grid.kernel_width * grid.channels):
        at, channel = divmod(tap, grid.channels)
        y = down * grid.stride + at // grid.kernel_width - grid.pad_top
        x = across * grid.stride + at % grid.kernel_width - grid.pad_left
        if 0 <= y < height and 0 <= x < width:
            pool = [(y * grid.pool + dy, x * grid.pool + dx) for dy in range(grid.pool) for dx in range(grid.pool)]
            yield tap, [(row * grid.width + column) * grid.channels + channel for row, column in pool]


def pieces(circuit: ConvCircuit, layer: int) -> list[tuple[list[int], dict[int, int]]]:
    """For each piece of a convolution that holds positions: the lowest exponent of each group of channels there, and by how much that of
    each position is above it."""
    known, found, first = fold_exponents(circuit), [], 0
    places = [list(band.pack_places()) for band in circuit.groups(layer)]
    count = grid_of(circuit, layer).count
    for piece in circuit.groups(layer)[0].pieces:
        behind = first + len(PACK_STARTS) * piece.blocks
        lowest = [min(known[place] for place in own[first:behind]) for own in places]
        above = {position: known[places[0][position]] - lowest[0] for position in range(first, min(behind, count))}
        if above:
            found.append((lowest, above))
        first = behind
    return found


def convolution_row_exponents(circuit: ConvCircuit) -> dict[str, list[int]]:
    """Each column of the model with the exponents of its rows. All pieces of one layer have the same rows."""
    found: dict[str, list[int]] = {}
    for layer in range(circuit.layers):
        if circuit.is_convolution(layer):
            found |= {f"kernels{layer}_{number}": lowest for number, (lowest, _) in enumerate(pieces(circuit, layer))}
        else:
            tracks = sorted({track for band in circuit.groups(layer - 1) for track, _ in band.pack_places()})
            found |= {f"rows{layer}_{track}": band_exponents(circuit, circuit.bands[layer]) for track in tracks}
    return found


def is_again(name: str) -> bool:
    """Whether the rows of a column are those of the column before it: kernels of another piece."""
    return name.startswith("kernels") and not name.endswith("_0")


def first_layer_values(circuit: ConvCircuit, image: bytes, alpha: int, point: int) -> dict[str, int]:
    """What the kernels of the first layer meet: term k stands at exponent -k mod n, over n."""
    grid, n, found = grid_of(circuit, 0), circuit.domain, {}
    for number, (_, above) in enumerate(pieces(circuit, 0)):
        terms = [0] * (1 + grid.taps)
        for position, exponent in above.items():
            weight = pow(alpha, exponent, ORDER)
            terms[0] += weight
            for tap, numbers in numbers_read(grid, position):
                terms[1 + tap] += weight * sum(image[one] for one in numbers)
        total = sum(term * pow(point, -k % n, ORDER) for k, term in enumerate(terms))
        found[f"patches{number}"] = total * pow(n, -1, ORDER) % ORDER
    return found


def lane_of(circuit: ConvCircuit, layer: int, number: int) -> Pack:
    """Track and row on which a number of a layer's map is handed on: a pack a position for each group of channels."""
    bands = circuit.groups(layer)
    per_pack = len(bands[0].heads)
    if circuit.is_convolution(layer):
        position, channel = divmod(number, circuit.channels(layer))
        group, at = divmod(channel, per_pack)
    else:
        group, (position, at) = 0, divmod(number, per_pack)
    track, row = list(bands[group].pack_places())[position]
    return track, row + bands[group].heads[at]


def correlation_values(circuit: ConvCircuit, alpha: int, eta: int, basis: list[int]) -> dict[str, int]:
    """The public polynomials of the check that hidden correlations are what they are called: column i, row j at eta^(1 + n i + j)."""
    n = circuit.domain
    parts = [(layer, own) for layer in range(1, circuit.layers) if circuit.is_convolution(layer) for own in pieces(circuit, layer)]
    if not parts:
        return {}
    found = {"powers": sum(pow(eta, row, ORDER) * part for row, part in enumerate(basis)) % ORDER}
    for layer, _ in parts:
        for track in sorted({track for band in circuit.groups(layer - 1) for track, _ in band.pack_places()}):
            found[f"taps{layer}_{track}"] = 0
    bias = 0
    for number, (layer, (_, above)) in enumerate(parts):
        scale = pow(eta, 1 + n * number, ORDER)
        found[f"power{number}"] = scale
        lanes = {one: lane_of(circuit, layer - 1, one) for one in range(circuit.widths[layer])}
        for position, exponent in above.items():
            weight = scale * pow(alpha, exponent, ORDER) % ORDER
            bias += weight
            for tap, numbers in numbers_read(grid_of(circuit, layer), position):
                power = weight * pow(eta, 1 + tap, ORDER) % ORDER
                for one in numbers:
                    track, row = lanes[one]
                    found[f"taps{layer}_{track}"] += power * basis[row]
    found["correlation_bias"] = bias * pow(n, -1, ORDER)
    return {name: value % ORDER for name, value in found.items()}
