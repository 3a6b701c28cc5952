"""The gadgets of a wide circuit with convolutions, and the rounds of its proofs."""

from __future__ import annotations

from collections.abc import Mapping

from zkpredict.circuits.convolution.gadgets import ConvLanes, Convolution, Correlations, MaxPool
from zkpredict.circuits.convolution.layout import ConvCircuit
from zkpredict.circuits.gadgets.base import Gadget
from zkpredict.circuits.wide.dense import Dense
from zkpredict.circuits.wide.fold import Fold
from zkpredict.circuits.wide.keys import Keys
from zkpredict.circuits.wide.output import Output
from zkpredict.circuits.wide.placement import WIDE_ROUNDS
from zkpredict.circuits.wide.rational import RationalGate
from zkpredict.circuits.wide.total import Total

CONVOLUTION_ROUNDS: Mapping[str, tuple[str, ...]] = {
    "trace": WIDE_ROUNDS["trace"], "folded": ("eta",), "sums": ("delta",), "quotient": ("rho",)
}
"""With a hidden convolution: its columns are committed with the fold, checked at eta by the sum."""


def conv_gadgets(circuit: ConvCircuit) -> tuple[Gadget, ...]:
    """All of them, in the order in which their constraints are weighed."""
    rational = () if circuit.rational is None else (RationalGate(circuit, circuit.rational),)
    layers = tuple(_layer(circuit, layer) for layer in range(circuit.layers))
    keys, output = Keys(circuit), Output(circuit)
    checks = (Correlations(circuit),) if circuit.hidden_convolutions() else ()
    total = Total(circuit, layers, output, keys, checks[0] if checks else None)
    return (ConvLanes(circuit), *rational, keys, Fold(circuit), *layers, *checks, output, total)


def _layer(circuit: ConvCircuit, layer: int) -> Dense:
    if circuit.is_pool(layer):
        return MaxPool(circuit, layer)
    return Convolution(circuit, layer) if circuit.is_convolution(layer) else Dense(circuit, layer)


def conv_rounds(circuit: ConvCircuit) -> Mapping[str, tuple[str, ...]]:
    """The rounds in which a proof commits to columns, and the challenges drawn after each."""
    return CONVOLUTION_ROUNDS if circuit.hidden_convolutions() else WIDE_ROUNDS
