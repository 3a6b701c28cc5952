"""Circuits of the second edition for the independent verifier: every public polynomial from its values on the rows, exponents by counting.

It takes from the circuit where groups lie (`circuits.second.layout`) and nothing that evaluates.
"""

from __future__ import annotations

from collections.abc import Iterable

from py_ecc.optimized_bls12_381 import curve_order as ORDER

from zkpredict.circuits.second.layout import SecondCircuit
from zkpredict.verifier.independent_compact import Equation, lagrange_basis

LANE, LANE_ROWS, PACK_ROWS, PACK_LANES = 1 << 25, 4, 64, 10
VALUE, VALUE_ROWS, VALUES = 1 << 50, 8, 5
OFFSET_M = 1 << 46
TABLE, BLOCKS = 256, 4
BIAS = (3, 7)


def second_row_exponents(circuit: SecondCircuit) -> dict[str, list[int]]:
    """Per column of the model, the exponent of alpha of each of its rows: second-edition.md, "Rows of weights"."""
    found, first = {}, 1
    for layer in range(circuit.layers):
        room = BLOCKS * circuit.block_packs if layer == 0 else 2
        count = -(-circuit.layer_groups[layer].packs // room)
        found[f"rows{layer}"] = [first + room * row + (BLOCKS - 1 if layer == 0 else 0) for row in range(count)]
        first += room * count
    return found


def pack_exponents(circuit: SecondCircuit, layer: int) -> list[int]:
    """The exponent of each pack's equation. Four packs of layer 0 that follow one another lie in blocks with falling exponents."""
    start, packs = second_row_exponents(circuit)[f"rows{layer}"][0], circuit.layer_groups[layer].packs
    if layer:
        return [start + pack for pack in range(packs)]
    return [start + BLOCKS * (pack // BLOCKS) - pack % BLOCKS for pack in range(packs)]


def second_equations(circuit: SecondCircuit, digit: int) -> list[Equation]:
    """second-edition.md, "The linear check": packs of hidden layers, those of the output, unused slots."""
    found = []
    for layer, group in enumerate(circuit.layer_groups[:-1]):
        for pack, exponent in enumerate(pack_exponents(circuit, layer)):
            size, per_pack = LANE**group.lanes, PACK_LANES // group.lanes
            used = min(per_pack, group.outputs - pack * per_pack)
            offset = sum(size // 2 * size ** (per_pack - 1 - place) for place in range(used))
            found.append(Equation(exponent, {group.pack_row(pack) + PACK_LANES * LANE_ROWS: 1}, offset))
    last, group = circuit.layers - 1, circuit.layer_groups[-1]
    own, place = divmod(digit, VALUES)
    before = group.pack_row(own) + VALUE_ROWS * place
    for pack, exponent in enumerate(pack_exponents(circuit, last)):
        inside = range(min(VALUES, circuit.classes - VALUES * pack))
        all_places = sum(VALUE ** (VALUES - 1 - i) for i in inside)
        of_m = all_places + (VALUE ** (VALUES - 1 - place) if pack == own else 0)
        reads = {before + VALUE_ROWS: of_m}
        if place:
            reads[before] = -VALUE * of_m
        end = group.pack_row(pack) + PACK_LANES * LANE_ROWS
        reads[end] = reads.get(end, 0) - 1
        below = sum(VALUE ** (VALUES - 1 - i) for i in inside if VALUES * pack + i < digit)
        found.append(Equation(exponent, reads, OFFSET_M * all_places + below))
    free = max(second_row_exponents(circuit)[f"rows{last}"]) + (BLOCKS * circuit.block_packs - BLOCKS + 1 if last == 0 else 2)
    unused = [g.pack_row(slot) for g in circuit.layer_groups[:-1] for slot in range(g.packs, g.slots)]
    return [*found, *(Equation(free + i, {row + PACK_LANES * LANE_ROWS: 1}, 0) for i, row in enumerate(unused))]


def second_values(circuit: SecondCircuit, image: bytes, digit: int, shift: int, point: int) -> dict[str, int]:
    """All public polynomials at a `point` outside the domain."""
    n = circuit.domain
    alpha, scale, basis = pow(shift, n, ORDER), pow(n, -1, ORDER), lagrange_basis(n, point)

    def on(rows: Iterable[int]) -> int:
        return sum(basis[row] for row in rows) % ORDER

    linear = second_equations(circuit, digit)
    weights = [pow(alpha, equation.exponent, ORDER) for equation in linear]
    output = circuit.layer_groups[-1]
    slots = range(output.slots)
    found = {
        "lane_head": on(range(0, n, LANE_ROWS)),
        "limb_top": on(range(1, n, LANE_ROWS)),
        "pack_head": on(range(0, n, PACK_ROWS)),
        "table_head": on(range(0, n, n // TABLE)),
        "nonnegative": on(output.pack_row(slot) + VALUE_ROWS * place + 1 for slot in slots for place in range(VALUES)),
        "readout": sum(w * f * basis[row] for w, e in zip(weights, linear, strict=True) for row, f in e.reads.items()) % ORDER,
        "constants": sum(w * e.constant for w, e in zip(weights, linear, strict=True)) * scale % ORDER,
        "inputs": _image_at(circuit, image, shift, point) * scale % ORDER,
        "table": sum(byte * value for byte, value in enumerate(lagrange_basis(TABLE, point))) % ORDER,
        "vanishing": (pow(point, n, ORDER) - 1) % ORDER,
    }
    for layer in range(1, circuit.layers):
        read = circuit.layer_groups[layer - 1]
        starts = [read.pack_row(slot) + lane * LANE_ROWS for slot in range(read.slots) for lane in range(PACK_LANES)]
        found[f"reads{layer}"] = on(start + 2 for start in starts)
        found[f"reads_next{layer}"] = alpha * on(start + 1 for start in starts) % ORDER
        found[f"bias{layer}"] = (basis[BIAS[0]] + alpha * basis[BIAS[1]]) % ORDER
    return found


def _image_at(circuit: SecondCircuit, image: bytes, shift: int, point: int) -> int:
    """Term i of (1, pixels), repeated with the next power of alpha^4 for each pack of a block, times shift^i, stands at exponent -i mod n."""
    values = [pow(shift, BLOCKS * circuit.domain * pack, ORDER) * value for pack in range(circuit.block_packs) for value in (1, *image)]
    return sum(value * pow(shift, i, ORDER) * pow(point, -i % circuit.domain, ORDER) for i, value in enumerate(values)) % ORDER
