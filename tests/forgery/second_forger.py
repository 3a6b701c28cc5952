"""Lies in circuits of the second edition: a trace by hand, digit by digit, and everything downstream recomputed by `forger.Forger`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from forger import Claim, WithTrace, activations_of, claim_of, layer_of
from support import said

from zkpredict.circuits.gadgets.base import Cells, Run
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.circuits.placement import placed
from zkpredict.circuits.second.lanes import BALANCE_ROW, DIGITS, running_values
from zkpredict.circuits.second.layout import SecondCircuit
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Committed, Model
from zkpredict.prover.prove import Prover
from zkpredict.prover.rows import hidden_rows
from zkpredict.prover.setup import lagrange_key, monomial_key
from zkpredict.verifier.commitment import ModelCommitment

LANE_ROWS, BYTES = 4, 256


def committed(network: IntegerNetwork) -> Model:
    return commit_model(network, placement="compact-2")


def second_honest(model: Model, image: np.ndarray) -> Claim:
    """The honest twin."""
    return claim_of(Prover(model, said(image, model.predict(image))))


def digits_for(model: Model, image: Sequence[int], digit: int, change: Callable[[int, list[int]], list[int]] = lambda _, z: z) -> list[int]:
    """The digits of a run in which `change(layer, z)` replaces the pre-activations of a layer before the next reads them."""
    compiled, read, found = model.compiled, list(image), []
    for number in range(len(model.network.layers)):
        found.append(change(number, layer_of(model.network, number, read)))
        read = activations_of(model.network, number, found[-1])
    stored = [np.array(z, dtype=np.int64) << scale for z, scale in zip(found, compiled.scales, strict=True)]
    cells = Cells({"cell": np.zeros(compiled.circuit.domain, dtype=np.int64)})
    for gadget in placed(compiled.circuit):
        gadget.fill(cells, Run(stored, digit, np.zeros(compiled.circuit.inputs, dtype=np.uint8)))
    return cells[DIGITS].tolist()


def settle(circuit: SecondCircuit, digits: Sequence[int], cells: Mapping[int, int] = {}, total: int = 0) -> dict[str, list[int]]:
    """The columns that follow from digits, with some `cells` as they are given and the sum of all cells as `total` says."""
    cell = [0] * circuit.domain
    for row in range(0, circuit.domain, LANE_ROWS):
        sign, top, middle = digits[row : row + 3]
        cell[row + 1], cell[row + 2] = sign, sign * (BYTES * top + middle)
    for row, value in cells.items():
        cell[row] = value
    for byte in range(BYTES):
        cell[byte * circuit.domain // BYTES] = sum(digit == byte for digit in digits)
    cell[BALANCE_ROW] = 0
    cell[BALANCE_ROW] = total - sum(cell)
    return {"horner": running_values(list(digits)), "cell": cell}


def second_claim(model: Model, image: np.ndarray, digit: int, trace: Mapping[str, Sequence[int]]) -> Claim:
    """A claim on a trace of the forger's choice."""
    return claim_of(WithTrace(model, said(image, digit), chosen=trace))


def hostile(model: Model, change: Callable[[list[list[int]]], None]) -> Model:
    """The model of an owner who changes rows, given as coefficients (layer 0) or values, before committing to them."""
    compiled = model.compiled
    rows = [[list(row) for row in layer] for layer in compiled.rows]
    change([row for layer in rows for row in layer])
    compiled.__dict__["rows"] = tuple(tuple(layer) for layer in rows)
    secrets, points = model.secrets, []
    for column, row in hidden_rows(compiled, secrets):
        points.append((monomial_key() if column.coefficients else lagrange_key(compiled.circuit.domain)).msm(row))
    changed = Model(model.network, Committed(ModelCommitment(compiled.circuit, tuple(points)), secrets))
    changed.__dict__["compiled"] = compiled
    return changed
