"""A dense integer layer as one multiply-add per input.

The weights of one input to all neurons are stored as unsigned units `w + o` (o lifts the smallest weight to zero) with a unit
of constant 1 in front, widened by a mask, multiplied by the input and added. Field 0 then holds S = sum of the inputs,
and one multiplication takes the lift o * S out of every other field:

    sum = C + sum_j x_j (1, w_0j + o, w_1j + o, ...)        C = (0, bias + offset, ...)
    sum - S * (1, o, o, ...) = (0, z_0 + offset, z_1 + offset, ...)

The sum is exact as one integer, so it does not matter that a lifted field may overflow meanwhile: only z + offset must
fit, and that is proven from the layer's worst-case interval.
"""

from __future__ import annotations

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.networks.dense import Interval
from zkpredict.circuits.networks.reference import DenseLayer
from zkpredict.contracts.bitcoin.assembler import Op, assemble, encode_number
from zkpredict.contracts.bitcoin.fields import Spread, pack
from zkpredict.contracts.bitcoin.values import (
    FieldShape, Inputs, LayerCode, cut_fields, layer_code, read_activation, tag_bytes, tagged_constants,
)

_WIDEST_STRIDE = 64


def compile_layer(number: int, layer: DenseLayer, interval: Interval, inputs: Inputs, last: bool) -> LayerCode:
    """Code from `inputs` to the cut activations of a hidden layer, or to the digit of the last one."""
    lift = -min(0, int(layer.weights.min()))
    unit = max(1, (int(layer.weights.max()) + lift).bit_length() + 7 >> 3)
    spread = _choose_spread(number, layer.outputs, unit, interval, inputs, last)
    shape = FieldShape(spread.field_bytes, spread.unit * spread.position)
    # inputs are lifted: W a + b = W (a + lift) + (b - lift W 1)
    biases = [bias - inputs.lift * total for bias, total in zip(layer.bias.tolist(), layer.weights.sum(axis=1).tolist(), strict=True)]
    constants = tagged_constants(biases, min(interval.low), shape) if last else [bias + shape.offset for bias in biases]
    start = pack([0, *constants], shape.size)
    lifts = pack([1, *([lift] * layer.outputs)], shape.size)
    take_out_lifts = assemble(Op.NIP, Op.DUP, 1 << 8 * shape.size, Op.MOD, lifts, Op.MUL, Op.SUB)
    largest = abs(start) + (sum(inputs.largest) * pack([256**unit] * (layer.outputs + 1), shape.size) << 8 * shape.low)
    outputs = _outputs(layer, interval, shape)
    return layer_code(
        number,
        setup=spread.mask(b"\xff" * unit) + assemble(start),
        products=_multiply_add(layer, lift, spread, inputs),
        finish=take_out_lifts + cut_fields(shape, layer.outputs, skip=1),
        outputs=outputs,
        last=last,
        number_bytes=max(len(encode_number(largest)), spread.width + 1),
    )


def _outputs(layer: DenseLayer, interval: Interval, shape: FieldShape) -> Inputs:
    """What a layer leaves for the next one, if there is one."""
    read, lift = read_activation(shape, layer.shift, layer.activation)
    ends = (layer.activation.bounds(low, high, layer.shift) for low, high in zip(interval.low, interval.high, strict=True))
    return Inputs(tuple(range(layer.outputs)), read, tuple(most + lift for _, most in ends), lift)


def _multiply_add(layer: DenseLayer, lift: int, spread: Spread, inputs: Inputs) -> bytes:
    """Stack: inputs, mask, sum; for each input, the topmost first, its weights are pushed, widened, multiplied, added."""
    widen = spread.replicate() + assemble(2, Op.PICK, Op.AND, Op.BIN2NUM)
    multiply = assemble(3, Op.ROLL) + inputs.read + assemble(Op.MUL, Op.ADD)
    units = [
        spread.store([weight.to_bytes(spread.unit, "little") for weight in (1, *lifted)])
        for lifted in (layer.weights.T + lift).tolist()
    ]
    return b"".join(
        assemble(2, Op.ROLL, Op.DROP) if index is None else assemble(units[index]) + widen + multiply
        for index in reversed(inputs.order)
    )


def _choose_spread(number: int, outputs: int, unit: int, interval: Interval, inputs: Inputs, last: bool) -> Spread:
    """The narrowest fields that hold S and every z of the interval, and stay positive as a number."""
    position = -(-tag_bytes(outputs) // unit) if last else 0
    low, high, total = min(interval.low), max(interval.high), sum(inputs.largest)
    for stride in range(position + 2, _WIDEST_STRIDE):
        shape = FieldShape(unit * stride, unit * position)
        fits = shape.holds_tagged(low, high) if last else shape.holds(low, high)
        if fits and total < 1 << 8 * (shape.size - shape.low):
            return Spread.holding(outputs + 1, unit, stride, position)
    raise UnsupportedNetwork(f"layer {number} ranges over {low}..{high}, no field of {_WIDEST_STRIDE} units holds it")
