"""The trace of one prediction: the columns that gadgets fill, row by row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from zkpredict.circuits.choice import AnyCompiled
from zkpredict.circuits.gadgets.base import Cells, Run
from zkpredict.circuits.layout import Circuit
from zkpredict.circuits.placement import AnyCircuit, columns, placed
from zkpredict.circuits.statement import Statement

Trace = Mapping[str, Any]
"""The columns of the first round by name, n integers each: lists in compact circuits of the first edition, arrays of int64 (or, for larger
ones, of objects) in others. Columns that a constraint defines may be left out: it is solved for them."""


def build_trace(compiled: AnyCompiled, statement: Statement, private: bytes | None = None) -> Trace:
    """Runs the network on the statement's input and lays the result out, claiming what the statement claims.

    `private` is the input of a statement that hides it. A claim that is not the network's own answer gives a trace that fails the linear check.
    """
    circuit, data = compiled.circuit, statement.input if private is None else private
    if isinstance(circuit, Circuit):
        stored: list[Any] = [[value << scale for value in z] for z, scale in zip(compiled.network.run(data), compiled.scales, strict=True)]
        run, cells = Run(stored, statement.claim, data), Cells({name: [0] * circuit.domain for name in filled_columns(circuit)})
    else:
        image = np.frombuffer(data, dtype=np.uint8)
        inference = compiled.network.infer(image[None, :])
        stored = [z[0] << scale for z, scale in zip(inference.pre_activations, compiled.scales, strict=True)]
        run = Run(stored, statement.claim, image)
        cells = Cells({name: np.zeros(circuit.domain, dtype=np.int64) for name in filled_columns(circuit)})
    for gadget in placed(circuit):
        gadget.fill(cells, run)
    return complete_trace(circuit, cells)


def complete_trace(circuit: AnyCircuit, cells: Mapping[str, Any]) -> Trace:
    """Completes a trace from what `fill` wrote (the limbs on rows r1..r3): everything else follows from it."""
    completed = Cells({name: values.copy() for name, values in cells.items()})
    for gadget in placed(circuit):
        gadget.complete(completed)
    return completed


def filled_columns(circuit: AnyCircuit) -> tuple[str, ...]:
    """The columns of the first round that no constraint defines."""
    return tuple(column.name for column in columns(circuit) if column.round == 1 and column.defined_by is None)
