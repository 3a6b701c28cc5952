"""A dense integer network as a program of the multiply-add machine, and its weights as that machine's weight region.

Weights: every layer's rows, outputs by inputs, then every layer's biases. Scratch: the logits at its start, in a power of two words,
then sums and activations. Widths come from `IntegerNetwork.intervals`, which bound every sum on the way for ALL inputs, too: a sum that
is not finished lies between the same two ends. So no step of an honest run can leave its cell.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.contracts.systems.machine import Machine, Memory, Trace
from zkpredict.contracts.systems.merkle import WORD, depth_of
from zkpredict.contracts.systems.program import DATA, SCRATCH, WEIGHTS, Nest, Op, Operand, Program

_WIDTHS = (1, 2, 4, 8)


@dataclass(frozen=True)
class Inference:
    """The program of a network's shape and bounds, and the bytes of its weight region."""

    program: Program
    weights: bytes

    @classmethod
    def of(cls, network: IntegerNetwork) -> Inference:
        """Lays out any dense ReLU network. Raises `UnsupportedNetwork`, naming the layer, for another activation."""
        network.require_dense("dispute programs", "prove its answers (`zkpredict prove`)")
        network.require_relu("dispute programs")
        return _Layout(network).build()

    def trace(self, image: np.ndarray) -> Trace:
        """The run on one image, uint8 [inputs]."""
        return Trace(Machine(self.program), Memory.of(self.program, image.tobytes(), self.weights))

    def logits(self, trace: Trace) -> np.ndarray:
        """The logits at the end of a run: int64 [outputs]."""
        cells = trace.memory(self.program.steps).cells(Operand(SCRATCH, self.program.output_width, 0))
        return cells[: self.program.outputs].astype(np.int64)


def output_depth(program: Program) -> int:
    """The logits fill the first 2^this words of the scratch."""
    return depth_of(program.outputs * program.output_width)


class _Layout:
    def __init__(self, network: IntegerNetwork) -> None:
        self._network = network
        self._scratch = 0

    def build(self) -> Inference:
        layers, intervals = self._network.layers, self._network.intervals
        rows, biases, weights = self._place_weights()
        nests: list[Nest] = []
        source = Operand(DATA, 1, 0, signed=False)
        last = len(layers) - 1
        sums = [_signed_width(min(i.low), max(i.high)) for i in intervals]
        outputs = self._take(WORD << depth_of(layers[last].outputs * sums[last]), WORD)
        for number, (layer, interval) in enumerate(zip(layers, intervals, strict=True)):
            width = sums[number]
            base = outputs if number == last else self._take(width * layer.outputs, width)
            z = Operand(SCRATCH, width, base, (width, 0, 0))
            nests.append(Nest(Op.LOAD, (layer.outputs, 1, 1), z, a=biases[number]))
            values = Operand(source.region, source.width, source.base, (0, source.width, 0), signed=False)
            nests.append(Nest(Op.MAC, (layer.outputs, layer.inputs, 1), z, a=rows[number], b=values))
            if number == last:
                break
            size = _unsigned_width(max(0, max(interval.high)) >> layer.shift)
            source = Operand(SCRATCH, size, self._take(size * layer.outputs, size), (size, 0, 0), signed=False)
            nests.append(Nest(Op.RELU, (layer.outputs, 1, 1), source, a=z, shift=layer.shift))
        depths = depth_of(self._network.shape[0]), depth_of(len(weights)), depth_of(self._scratch)
        inputs, outputs = layers[0].inputs, layers[last].outputs
        program = Program(depths, tuple(nests), name=self._network.name, inputs=inputs, outputs=outputs, output_width=sums[last])
        return Inference(program, weights)

    def _place_weights(self) -> tuple[list[Operand], list[Operand], bytes]:
        rows, biases, data = [], [], bytearray()
        for layer in self._network.layers:
            width = _signed_width(int(layer.weights.min()), int(layer.weights.max()))
            _align(data, width)
            rows.append(Operand(WEIGHTS, width, len(data), (width * layer.inputs, width, 0)))
            data += layer.weights.astype(f">i{width}").tobytes()
        for layer in self._network.layers:
            width = max(4, _signed_width(int(layer.bias.min()), int(layer.bias.max())))
            _align(data, width)
            biases.append(Operand(WEIGHTS, width, len(data), (width, 0, 0)))
            data += layer.bias.astype(f">i{width}").tobytes()
        return rows, biases, bytes(data)

    def _take(self, size: int, align: int) -> int:
        """Where `size` more bytes of scratch start."""
        start = -(-self._scratch // align) * align
        self._scratch = start + size
        return start


def _align(data: bytearray, width: int) -> None:
    data += bytes(-len(data) % width)


def _signed_width(low: int, high: int) -> int:
    return next(width for width in _WIDTHS if -(1 << (8 * width - 1)) <= low and high < 1 << (8 * width - 1))


def _unsigned_width(high: int) -> int:
    return next(width for width in _WIDTHS if high < 1 << (8 * width))
