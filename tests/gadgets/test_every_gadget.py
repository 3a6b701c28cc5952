"""Every placed gadget through one harness: honest traces hold, worst cases hold, and each constraint is broken by each column it reads."""

from __future__ import annotations

import numpy as np
import pytest
from support import random_image, random_network, said, trace_of_limbs, worst_images

from zkpredict.circuits.columns import Origin, cells_of
from zkpredict.circuits.compiler import compile_network
from zkpredict.circuits.debug import DomainRows, UnsatisfiedConstraint, check_trace, public_rows, scalar_field
from zkpredict.circuits.layout import ACTIVATION_ROW, LANE_ROWS, SIGN_ROW
from zkpredict.circuits.placement import columns, placed
from zkpredict.circuits.witness import build_trace

ALPHA, BETA = 3**100 % (1 << 250), 5**90 % (1 << 250)
SHAPES = [(30, 12, 4), (12, 21, 3), (9, 8, 7, 5), (5, 3)]
by_shape = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "-".join(map(str, shape)))


def honest(shape, seed=1):
    compiled, image = compile_network(random_network(seed, shape)), random_image(seed, shape[0])
    statement = said(image, compiled.network.predict(image))
    return compiled, statement, build_trace(compiled, statement)


def local_constraints(circuit):
    """(gadget, constraint) for every constraint that reads neither weights nor a column of a later round."""
    early = {column.name for column in columns(circuit) if column.origin is Origin.PROOF and column.round == 1}
    for gadget in placed(circuit):
        for constraint in gadget.constraints():
            if {cell.column for cell in cells_of(constraint.expression)} <= early:
                yield gadget, constraint


@by_shape
def test_honest_traces_hold_for_every_gadget(shape):
    for seed in range(3):
        compiled, statement, trace = honest(shape, seed)
        check_trace(compiled, statement, trace, ALPHA, BETA)


@by_shape
def test_worst_cases_hold_for_every_gadget(shape):
    compiled = compile_network(random_network(3, shape))
    for image in worst_images(compiled.network, shape[1] - 1):
        statement = said(image, compiled.network.predict(image))
        check_trace(compiled, statement, build_trace(compiled, statement), ALPHA, BETA)


@by_shape
def test_every_local_constraint_is_broken_by_each_column_that_it_reads(shape):
    compiled, statement, trace = honest(shape)
    circuit, field = compiled.circuit, scalar_field()
    whole = trace_of_limbs(circuit, trace["limb"])
    publics = {name: field(rows) for name, rows in public_rows(circuit, statement, ALPHA).items()}
    names = set()
    for gadget, constraint in local_constraints(circuit):
        names.add(constraint.name)
        for column in {cell.column for cell in cells_of(constraint.expression)}:
            rows = {name: field([int(value) for value in values]) for name, values in whole.items()}
            assert not np.any(constraint.expression.evaluate(DomainRows(rows, publics, {}))), (type(gadget), constraint.name)
            rows[column] = rows[column] + field([1] * circuit.domain)
            assert np.any(constraint.expression.evaluate(DomainRows(rows, publics, {}))), (constraint.name, column)
    assert names == {"sign", "boolean", "relu", "horner"}


@by_shape
def test_every_cell_that_means_something_is_pinned(shape):
    """One more in any limb, sign or activation of a value in use is refused, by some constraint's name."""
    compiled, statement, trace = honest(shape)
    source = np.random.default_rng(5)
    for group in compiled.circuit.groups:
        start = group.value_row(int(source.integers(group.outputs)))
        places = [("limb", start + SIGN_ROW + limb) for limb in range(3)]
        places += [("cell", start + SIGN_ROW), ("cell", start + ACTIVATION_ROW), ("limb", start - start % LANE_ROWS)]
        for column, row in places:
            tampered = {name: values.copy() for name, values in trace.items()}
            tampered[column][row] += 1
            with pytest.raises(UnsatisfiedConstraint):
                check_trace(compiled, statement, tampered, ALPHA, BETA)
