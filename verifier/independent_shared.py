"""Circuits with shared rows for the independent verifier: where positions lie, which entry of a row meets what, and the public polynomials.

It takes grids, widths and where bands lie from the circuit (`circuits.shared.layout`) and nothing that evaluates: places of positions,
exponents and entries are counted here again.
"""

from __future__ import annotations

from py_ecc.optimized_bls12_381 import curve_order as ORDER

from zkpredict.circuits.convolution.layout import ConvCircuit
from zkpredict.circuits.shared.layout import SharedCircuit
from zkpredict.verifier.independent_compact import lagrange_basis
from zkpredict.verifier.independent_convolution import convolution_row_exponents, convolution_values, grid_of, numbers_read, positions_of
from zkpredict.verifier.independent_convolution import is_again as is_again
from zkpredict.verifier.independent_wide import BLOCK, LANES, PACK_STARTS, TABLE_ROWS, Pack, fold_exponents, head_rows, shared_values

KERNELS, WINDOW = 2, 4
"""Layers of kernels; positions in a window, a quarter of a track apart."""
Entry = tuple[int, dict[Pack, int]]
"""What an entry of a row meets: a public number, and lanes (track and row), each with what its activation is multiplied with."""


def mapped_values(circuit: ConvCircuit, image: bytes, digit: int, outputs: tuple[int, ...], alpha: int, eta: int, point: int) -> dict[str, int]:
    """All public polynomials of a circuit with convolutions at a `point` outside the domain."""
    if isinstance(circuit, SharedCircuit):
        return shared_row_values(circuit, image, digit, outputs, alpha, eta, point)
    return convolution_values(circuit, image, digit, outputs, alpha, eta, point)


def mapped_row_exponents(circuit: ConvCircuit) -> dict[str, list[int]]:
    """Each column of the model with the exponents of its rows. A shared row weighs a quarter of a track's packs more than the next one."""
    if not isinstance(circuit, SharedCircuit):
        return convolution_row_exponents(circuit)
    quarter = len(fold_exponents(circuit)) // circuit.tracks // WINDOW
    return {"rows": [quarter * after for after in reversed(range(rows_of(circuit)))]}


def rows_of(circuit: SharedCircuit) -> int:
    """As many as the dense layer that reaches furthest has quarters in use."""
    found = 0
    for layer in range(KERNELS, circuit.layers):
        band, seats = circuit.groups(layer)[0], len(seats_of(circuit, layer, 0))
        packs = -(-circuit.widths[layer + 1] // len(band.heads))
        found = max(found, -(-packs // seats))
    return found


def seats_of(circuit: SharedCircuit, layer: int, row: int) -> list[Pack]:
    """The packs of a dense layer, those to spare as well, that a row holds."""
    places = list(circuit.groups(layer)[0].pack_places())
    seats = len(places) // WINDOW
    return places[row * seats : (row + 1) * seats]


def position_place(circuit: SharedCircuit, layer: int, position: int, group: int) -> Pack:
    """Track and first row of a position's pack: windows of 2 x 2 one behind another, their four positions a quarter of a track apart."""
    columns, blocks = grid_of(circuit, layer).positions[1], circuit.domain // BLOCK
    y, x = divmod(position, columns)
    window, quarter = (y // 2) * (columns // 2) + x // 2, 2 * (y % 2) + x % 2
    if layer == 1:
        return circuit.tracks - 1, BLOCK * (quarter * blocks // WINDOW + window) + PACK_STARTS[group]
    track, left = divmod(window, len(PACK_STARTS) * blocks // WINDOW)
    block, place = divmod(left, len(PACK_STARTS))
    return track, BLOCK * (quarter * blocks // WINDOW + block) + PACK_STARTS[place]


def kernel_entries(circuit: SharedCircuit, image: bytes, alpha: int) -> list[Entry]:
    """What the entries of all kernels meet, in order: of the first ones, then of each group of the second."""
    found: list[Entry] = []
    for layer in range(KERNELS):
        channels = circuit.widths[layer + 1] // positions_of(circuit, layer)
        for group in range(-(-channels // LANES)):
            found += _group_entries(circuit, layer, group, image, alpha)
    return found


def _group_entries(circuit: SharedCircuit, layer: int, group: int, image: bytes, alpha: int) -> list[Entry]:
    known, grid = fold_exponents(circuit), grid_of(circuit, layer)
    found: list[Entry] = [(0, {}) for _ in range(1 + grid.kernel_height * grid.kernel_width * grid.channels)]
    for position in range(positions_of(circuit, layer)):
        weight = pow(alpha, known[position_place(circuit, layer, position, group)], ORDER)
        found[0] = (found[0][0] + weight, {})
        for tap, numbers in numbers_read(grid, position):
            public, lanes = found[1 + tap]
            for number in numbers:
                if layer == 0:
                    public += weight * image[number]
                    continue
                source, channel = divmod(number, grid.channels)
                track, row = position_place(circuit, 0, source, 0)
                lanes[track, row + channel] = lanes.get((track, row + channel), 0) + weight
            found[1 + tap] = (public, lanes)
    return found


def shared_row_values(
    circuit: SharedCircuit, image: bytes, digit: int, outputs: tuple[int, ...], alpha: int, eta: int, point: int
) -> dict[str, int]:
    """All public polynomials at a `point` outside the domain."""
    n = circuit.domain
    basis = lagrange_basis(n, point)
    found = shared_values(circuit, digit, outputs, alpha, point, basis)
    found["last_entry"] = basis[n - n // TABLE_ROWS]
    found["powers"] = sum(pow(eta, 1 + k, ORDER) * pow(point, k, ORDER) for k in range(n)) % ORDER
    weights, public = dict[Pack, int](), 0
    entries = kernel_entries(circuit, image, alpha)
    for number, (own, lanes) in enumerate(entries):
        power = pow(eta, 1 + number, ORDER)
        public += power * own
        for place, weight in lanes.items():
            weights[place] = (weights.get(place, 0) + power * weight) % ORDER
    for track in range(circuit.tracks - 1):
        found[f"taps{track}"] = sum(weight * basis[row] for (own, row), weight in weights.items() if own == track) % ORDER
    start, known = len(entries), fold_exponents(circuit)
    for layer in range(KERNELS, circuit.layers):
        rows = [row for band in circuit.groups(layer - 1) for own in head_rows(band).values() for row in own]
        found[f"reads{layer}"] = sum(basis[row] for row in rows) % ORDER
        base, scale = eta * pow(point, WINDOW if layer == KERNELS else 1, ORDER) % ORDER, 0
        for place in seats_of(circuit, layer, rows_of(circuit) - 1):
            weight = pow(alpha, known[place], ORDER) * pow(eta, 1 + start, ORDER) % ORDER
            public, scale = public + weight, scale + weight * eta
            start += 1 + numbers_of(circuit, layer)
        found[f"geometric{layer}"] = scale * sum(pow(base, k, ORDER) for k in range(numbers_of(circuit, layer))) % ORDER
    found["public_part"] = public * pow(n, -1, ORDER) % ORDER
    return found


def numbers_of(circuit: SharedCircuit, layer: int) -> int:
    """How many numbers a dense layer reads."""
    grid = circuit.grids[layer]
    return circuit.widths[layer] if grid is None else grid.kernel_height * grid.kernel_width * grid.channels
