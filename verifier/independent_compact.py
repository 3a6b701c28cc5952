"""Public polynomials of compact circuits for the independent verifier: each from its values on the rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from py_ecc.optimized_bls12_381 import curve_order as ORDER

from zkpredict.circuits.layout import (
    ACTIVATION_ROW,
    BIAS_ROWS,
    LANE_ROWS,
    PACK_LANES,
    PACK_ROWS,
    READOUT_ROW,
    SIGN_ROW,
    TABLE_SIZE,
    Circuit,
    Group,
)


@dataclass(frozen=True)
class Equation:
    """One linear equation: `sum reads[row] * horner(row) = what the weights give + constant`, weighted by alpha^exponent."""

    exponent: int
    reads: Mapping[int, int]
    constant: int


def row_exponents(circuit: Circuit) -> list[list[int]]:
    """Per layer, the exponent of alpha of each committed row: that of the first pack it holds."""
    found, exponent = [], 0
    for layer in range(circuit.layers):
        step, count = circuit.packs_per_row(layer), circuit.row_count(layer)
        found.append([exponent + step * row for row in range(count)])
        exponent += step * count
    return found


def equations(circuit: Circuit, digit: int) -> list[Equation]:
    """protocol.md, "The linear check": packs, then the classes, then the unused slots of hidden layers."""
    found = []
    exponents = row_exponents(circuit)
    for exponent, group in zip(exponents, circuit.layer_groups, strict=True):
        for pack in range(group.packs):
            found.append(Equation(exponent[0] + pack, {group.pack_row(pack) + READOUT_ROW: 1}, _offset(group, pack)))
    next_free = exponents[-1][-1] + circuit.packs_per_row(circuit.layers - 1)
    for index in range(circuit.classes):
        reads: dict[int, int] = {}
        for group, value, sign in (
            (circuit.layer_groups[-1], digit, 1),
            (circuit.layer_groups[-1], index, -1),
            (circuit.difference_group, index, -1),
        ):
            for row, factor in _value_reads(group, value).items():
                reads[row] = reads.get(row, 0) + sign * factor
        found.append(Equation(next_free + index, reads, int(index < digit)))
    next_free += circuit.classes
    unused = [g.pack_row(slot) for g in circuit.layer_groups[:-1] for slot in range(g.packs, g.slots)]
    found += [Equation(next_free + number, {row + READOUT_ROW: 1}, 0) for number, row in enumerate(unused)]
    return found


def _value_reads(group: Group, index: int) -> dict[int, int]:
    """Value `index` of a group from the running column: what stands after it, less what stood before it, shifted."""
    before = group.value_row(index)
    after = before + group.lanes * LANE_ROWS
    return {after: 1} if before % PACK_ROWS == 0 else {after: 1, before: -(1 << group.value_bits)}


def _offset(group: Group, pack: int) -> int:
    """The half ranges of the values in use, each at its place in the pack."""
    first = pack * group.values_per_pack
    values = range(first, min(first + group.values_per_pack, group.outputs))
    return sum(1 << (group.value_shift(index) + group.value_bits - 1) for index in values)


def compact_values(circuit: Circuit, image: bytes, digit: int, alpha: int, point: int) -> dict[str, int]:
    """All public polynomials at a `point` outside the domain, each from its values on the rows (the image: coefficients)."""
    n = circuit.domain
    basis = lagrange_basis(n, point)

    def on(rows: Iterable[int]) -> int:
        return sum(basis[row] for row in rows) % ORDER

    linear = equations(circuit, digit)
    weights = [pow(alpha, equation.exponent, ORDER) for equation in linear]
    scale = pow(n, -1, ORDER)
    found = {
        "lane_head": on(range(0, n, LANE_ROWS)),
        "limb_top": on(range(SIGN_ROW, n, LANE_ROWS)),
        "pack_head": on(range(0, n, PACK_ROWS)),
        "table_head": on(range(0, n, n // TABLE_SIZE)),
        "readout": sum(w * f * basis[row] for w, e in zip(weights, linear, strict=True) for row, f in e.reads.items()) % ORDER,
        "constants": sum(w * e.constant for w, e in zip(weights, linear, strict=True)) * scale % ORDER,
        "inputs": _image_at(circuit, image, alpha, point) * scale % ORDER,
        "vanishing": (pow(point, n, ORDER) - 1) % ORDER,
    }
    for layer in range(1, circuit.layers):
        read = circuit.layer_groups[layer - 1]
        starts = [read.pack_row(slot) + lane * LANE_ROWS for slot in range(read.slots) for lane in range(PACK_LANES)]
        found[f"reads{layer}"] = on(start + ACTIVATION_ROW for start in starts)
        found[f"reads_next{layer}"] = alpha * on(start + ACTIVATION_ROW - 1 for start in starts) % ORDER
        found[f"bias{layer}"] = (basis[BIAS_ROWS[0]] + alpha * basis[BIAS_ROWS[1]]) % ORDER
    tags = set(circuit.gates[:-1])
    for tag in tags if len(tags) > 1 else ():  # a single gate acts on every lane
        groups = [group for group, own in zip(circuit.layer_groups[:-1], circuit.gates[:-1], strict=True) if own == tag]
        starts = [g.pack_row(slot) + lane * LANE_ROWS for g in groups for slot in range(g.slots) for lane in range(PACK_LANES)]
        found[f"gate{tag}"] = on(start + SIGN_ROW for start in starts)
    return found


def lagrange_basis(n: int, point: int) -> list[int]:
    """`L_i(point) = (point^n - 1) / n * w^i / (point - w^i)` for every row i."""
    root = pow(7, (ORDER - 1) // n, ORDER)
    factor = (pow(point, n, ORDER) - 1) * pow(n, -1, ORDER) % ORDER
    basis, node = [], 1
    for _ in range(n):
        basis.append(factor * node * pow(point - node, -1, ORDER) % ORDER)
        node = node * root % ORDER
    return basis


def _image_at(circuit: Circuit, image: bytes, alpha: int, point: int) -> int:
    """Term i of (1, pixels), repeated with the next power of alpha for each pack of a row, stands at exponent -i mod n."""
    values = [pow(alpha, pack, ORDER) * value for pack in range(circuit.packs_per_row(0)) for value in (1, *image)]
    return sum(value * pow(point, -index % circuit.domain, ORDER) for index, value in enumerate(values)) % ORDER
