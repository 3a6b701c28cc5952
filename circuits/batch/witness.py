"""The trace of a batch: the network's runs on all images at once, each in its own slot."""

from __future__ import annotations

import numpy as np

from zkpredict.circuits.batch.layout import BatchCircuit, ConvBatch
from zkpredict.circuits.batch.statement import BatchStatement
from zkpredict.circuits.gadgets.base import Cells, Run
from zkpredict.circuits.placement import placed
from zkpredict.circuits.wide.claims import LOGIT_LIMIT
from zkpredict.circuits.wide.compiler import WideNetwork
from zkpredict.circuits.wide.geometry import BLOCK_ROWS, IDLE_ROWS, LANE_BITS, Band
from zkpredict.circuits.wide.lanes import LIMBS, lane_places, lanes_of, write
from zkpredict.circuits.wide.output import LANE_BASE, LARGEST_TRACK
from zkpredict.circuits.witness import Trace, complete_trace, filled_columns


def batch_trace(compiled: WideNetwork, circuit: BatchCircuit, statement: BatchStatement) -> Trace:
    """Lays out what the integer reference makes of the statement's inputs, claiming what the statement claims. `compiled`: the model."""
    if isinstance(circuit, ConvBatch):
        return _stacked(compiled, circuit, statement)
    images = np.zeros((circuit.places, circuit.inputs), dtype=np.uint8)
    images[: circuit.images] = np.frombuffer(statement.input, np.uint8).reshape(circuit.images, circuit.inputs)
    inference = compiled.network.infer(images)
    stored = [z << scale for z, scale in zip(inference.pre_activations, compiled.scales, strict=True)]
    cells = Cells({name: np.zeros(circuit.domain, dtype=np.int64) for name in filled_columns(circuit)})
    for band, z in zip(circuit.hidden, stored, strict=False):
        _place(cells, circuit, band, z, 1 << (band.lanes * LANE_BITS - 1))
    _place_ends(cells, circuit, stored[-1], statement.classes)
    return complete_trace(circuit, cells)


def _stacked(compiled: WideNetwork, circuit: ConvBatch, statement: BatchStatement) -> Trace:
    """Where an input has tracks of its own: its trace as of a single proof, on the tracks of its stack."""
    images = np.frombuffer(statement.input, np.uint8).reshape(circuit.images, circuit.inputs)
    inference = compiled.network.infer(images)
    names, cells = filled_columns(circuit.model), Cells({name: np.zeros(circuit.domain, dtype=np.int64) for name in filled_columns(circuit)})
    for stack, image in enumerate(images):
        own = Cells({name: np.zeros(circuit.domain, dtype=np.int64) for name in names})
        stored = [z[stack] << scale for z, scale in zip(inference.pre_activations, compiled.scales, strict=True)]
        for gadget in placed(circuit.model):
            gadget.fill(own, Run(stored, statement.classes[stack], image))
        for track in range(circuit.model_tracks):
            for limb in LIMBS:
                cells[f"{limb}{circuit.track(stack, track)}"] = own[f"{limb}{track}"]
    return complete_trace(circuit, cells)


def _place(cells: Cells, circuit: BatchCircuit, band: Band, values: np.ndarray, offset: int) -> None:
    """Writes what every image has in a band: int64 [places, band.values]."""
    lanes = lanes_of(band, values, offset).reshape(circuit.stacks, circuit.slots, -1)
    shifts = BLOCK_ROWS * np.arange(circuit.slots)[:, None]
    for track, (rows, numbers) in lane_places(band).items():
        for stack, own in enumerate(lanes):
            write(cells, circuit.track(stack, track), rows + shifts, own[:, numbers])


def _place_ends(cells: Cells, circuit: BatchCircuit, logits: np.ndarray, classes: tuple[int, ...]) -> None:
    """M and all differences. Slots to spare claim nothing: there M is that of the largest logit, and class 0 what is subtracted."""
    claimed = np.argmax(logits, axis=1)
    claimed[: len(classes)] = classes
    largest = logits[np.arange(len(logits)), claimed][:, None]
    behind = np.arange(circuit.classes) < np.where(np.arange(len(logits)) < len(classes), claimed, 0)[:, None]
    _place(cells, circuit, circuit.output, largest - logits - behind, 0)
    numbers = (largest + LOGIT_LIMIT).reshape(circuit.stacks, circuit.slots)
    rows = BLOCK_ROWS * np.arange(circuit.slots)
    for stack, own in enumerate(numbers):
        for row, limbs in zip(IDLE_ROWS, divmod(own, LANE_BASE), strict=True):
            write(cells, circuit.track(stack, LARGEST_TRACK), rows + row, limbs % LANE_BASE)
