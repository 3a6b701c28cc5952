"""Which gadgets the circuit of a batch is made of, in order."""

from __future__ import annotations

from zkpredict.circuits.batch.gadgets import BatchDense, BatchFold, BatchOutput, BatchTotal, Mask
from zkpredict.circuits.batch.layout import BatchCircuit, ConvBatch
from zkpredict.circuits.batch.registered import RegisteredBatch, RegisteredInputs
from zkpredict.circuits.gadgets.base import Gadget
from zkpredict.circuits.wide.dense import Dense
from zkpredict.circuits.wide.keys import Keys
from zkpredict.circuits.wide.lanes import Lanes
from zkpredict.circuits.wide.rational import RationalGate
from zkpredict.circuits.wide.total import Late


def batch_gadgets(circuit: BatchCircuit) -> tuple[Gadget, ...]:
    """All of them, in the order in which their constraints are weighed."""
    rational = () if circuit.rational is None else (RationalGate(circuit, circuit.rational),)
    layers = tuple(_layer(circuit, layer) for layer in range(circuit.layers))
    masks = (Mask(circuit),) if circuit.rotated else ()
    keys, output = Keys(circuit), BatchOutput(circuit)
    checks: tuple[Gadget, ...] = ()
    late: Late | None = None
    if isinstance(circuit, ConvBatch) and circuit.hidden_convolutions():
        from zkpredict.circuits.batch.convolution import BatchCorrelations  # few circuits have convolutions

        late = check = BatchCorrelations(circuit)
        checks = (check,)
    total = BatchTotal(circuit, layers, output, keys, late)
    return (Lanes(circuit), *rational, keys, BatchFold(circuit), *layers, *checks, *masks, output, total)


def _layer(circuit: BatchCircuit, layer: int) -> Dense:
    if layer == 0 and isinstance(circuit, RegisteredBatch):
        return RegisteredInputs(circuit, layer)
    if isinstance(circuit, ConvBatch):
        from zkpredict.circuits.batch.convolution import BatchConvolution, BatchMaxPool  # few circuits have convolutions

        if circuit.is_pool(layer):
            return BatchMaxPool(circuit, layer)
        if circuit.is_convolution(layer):
            return BatchConvolution(circuit, layer)
    return BatchDense(circuit, layer)
