"""Why the one sum of a batch does not close: image by image, as a trace of the model's own circuit. In plain ints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from zkpredict.circuits.batch.layout import BatchCircuit
from zkpredict.circuits.batch.statement import BatchStatement
from zkpredict.circuits.choice import AnyCompiled
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.wide.compiler import WideNetwork
from zkpredict.circuits.wide.explain import wrong_limbs, wrong_packs
from zkpredict.circuits.wide.geometry import BLOCK_ROWS


def batch_of(compiled: AnyCompiled, circuit: BatchCircuit) -> WideNetwork:
    """The network of a model in the circuit of a batch. Raises `ValueError` for one that is in no wide circuit."""
    if not isinstance(compiled, WideNetwork):
        raise ValueError("only wide circuits have batches")
    return replace(compiled, circuit=circuit)


def wrong_images(compiled: AnyCompiled, statement: BatchStatement, trace: Mapping[str, np.ndarray]) -> Iterator[str]:
    """Names of what does not hold in the trace of a batch. `compiled`: of `batch_of`."""
    circuit = compiled.circuit
    if not isinstance(circuit, BatchCircuit) or not isinstance(compiled, WideNetwork):
        raise ValueError("the network is in no circuit of a batch")
    single = replace(compiled, circuit=circuit.model)
    spare = bytes(circuit.inputs)
    for image in range(circuit.places):
        own = statement.input[image * circuit.inputs : (image + 1) * circuit.inputs] or spare
        said = Statement(own, statement.classes[image] if image < circuit.images else 0)
        for what in wrong_packs(single, said, own_trace(circuit, trace, image)):
            yield f"image {image}: {what}"
    yield from wrong_limbs(compiled, trace)


def own_trace(circuit: BatchCircuit, trace: Mapping[str, np.ndarray], image: int) -> dict[str, np.ndarray]:
    """What one image has in the trace of a batch, where the model's own circuit has it; all else is zero."""
    stack, slot = divmod(image, circuit.slots)
    found = {}
    for track in range(circuit.model_tracks):
        behind = str(circuit.track(stack, track))
        for name in (name for name in trace if name.endswith(behind) and not name.removesuffix(behind)[-1:].isdigit()):
            blocks = np.array(trace[name], dtype=object).reshape(circuit.blocks // circuit.slots, circuit.slots, BLOCK_ROWS)
            column = np.zeros_like(blocks)
            column[:, 0] = blocks[:, slot]
            found[f"{name.removesuffix(behind)}{track}"] = column.ravel()
    return found
