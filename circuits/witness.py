"""The trace of one prediction: limbs, sign bits, activations, multiplicities and running pack values, row by row."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from zkpredict.circuits.compiler import CompiledNetwork
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.layout import (
    ACTIVATION_ROW,
    LANE_LIMBS,
    LANE_ROWS,
    LIMB_BITS,
    PACK_ROWS,
    SIGN_ROW,
    TABLE_SIZE,
    Circuit,
    Group,
)


@dataclass(frozen=True, eq=False)
class Trace:
    """Columns over the domain, n rows each: `limb` int64 in 0..255, `cell` int64, `horner` field elements as Python ints."""

    limb: np.ndarray = field(repr=False)
    cell: np.ndarray = field(repr=False)
    horner: list[int] = field(repr=False)


def build_trace(compiled: CompiledNetwork, image: np.ndarray, digit: int) -> Trace:
    """Runs the integer reference on `image` (uint8 [inputs]) and lays the result out, claiming `digit`.

    Another digit than the network's own makes differences negative, which no limbs can hold: such a trace keeps their residues
    modulo 2^48 and fails the linear check.
    """
    circuit = compiled.circuit
    inference = compiled.network.infer(np.asarray(image)[None, :])
    limb = np.zeros(circuit.domain, dtype=np.int64)
    for group, z, scale in zip(circuit.layer_groups, inference.pre_activations, compiled.scales):
        _place(limb, group, (z[0] << scale) + (1 << (group.value_bits - 1)))
    logits = inference.logits[0]
    ties = np.arange(circuit.classes) < digit
    _place(limb, circuit.difference_group, logits[digit] - logits - ties)
    return trace_of_limbs(circuit, limb)


def trace_of_limbs(circuit: Circuit, limb: np.ndarray) -> Trace:
    """Completes a trace from the limbs on rows r1..r3: everything else follows from them."""
    limb = limb.copy()
    cell = np.zeros_like(limb)
    top, second = limb[SIGN_ROW::LANE_ROWS], limb[SIGN_ROW + 1 :: LANE_ROWS]
    sign = top >> (LIMB_BITS - 1)
    limb[::LANE_ROWS] = 2 * top - (sign << LIMB_BITS)
    cell[SIGN_ROW::LANE_ROWS] = sign
    cell[ACTIVATION_ROW::LANE_ROWS] = sign * ((top << LIMB_BITS) + second - (1 << (2 * LIMB_BITS - 1)))
    cell[:: circuit.domain // TABLE_SIZE] = np.bincount(limb, minlength=TABLE_SIZE)[:TABLE_SIZE]
    return Trace(limb, cell, horner_column(limb.tolist()))


def horner_column(limb: list[int]) -> list[int]:
    """The running pack values: 256 times the last one plus the limb, carried over r0, zero right after a pack's first row."""
    horner, current = [0] * len(limb), 0
    for row, value in enumerate(limb):
        horner[row] = current
        if row % PACK_ROWS == 0:
            current = 0
        elif row % LANE_ROWS:
            current = ((current << LIMB_BITS) + value) % MODULUS
    horner[0] = current
    return horner


def _place(limb: np.ndarray, group: Group, values: np.ndarray) -> None:
    """Writes `values` (int64 [outputs], taken modulo 2^bits) as limbs, top first, into the group's lanes."""
    count = group.lanes * LANE_LIMBS
    starts = np.array([group.value_row(index) for index in range(group.outputs)])
    for number in range(count):
        lane, place = divmod(number, LANE_LIMBS)
        rows = starts + lane * LANE_ROWS + SIGN_ROW + place
        limb[rows] = (values >> (LIMB_BITS * (count - 1 - number))) & (TABLE_SIZE - 1)
