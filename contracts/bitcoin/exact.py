"""A 10^8 fixed-point layer: every product truncated by itself, for all neurons of an input at once.

The weights of one input are stored as sign-magnitude units and widened to fields of one big number. Then, with D = 10^8,

    floor(|w| x / D) = (|w| x M) >> k,   M = ceil(2^k / D),   exact while |w| x (M D - 2^k) < 2^k

(Granlund and Montgomery, Division by Invariant Integers using Multiplication, 1994): one product by x * M divides all
fields, an AND keeps their quotients. Where the weight is negative the q quotient bytes are flipped, so that field
adds `256^q - 1 - quotient`; the compiler knows how many weights of a neuron are negative and takes that
constant out of its bias. So sum = C + sum_j (quotients_j XOR flips_j) has the fields z + offset, k bits up.
"""

from __future__ import annotations

from dataclasses import dataclass

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.networks.exact import SCALE, ExactLayer
from zkpredict.circuits.networks.dense import Interval
from zkpredict.contracts.bitcoin.assembler import Op, assemble, encode_number
from zkpredict.contracts.bitcoin.fields import Spread, pack, repeated
from zkpredict.contracts.bitcoin.values import (
    FieldShape, Inputs, LayerCode, cut_fields, layer_code, read_relu, tag_bytes, tagged_constants,
)

_WIDEST_STRIDE = 64
_CONSTANTS = 5
_CHOICES = 3


@dataclass(frozen=True)
class Division:
    """Division by 10^8 as multiplication: exact for every dividend up to `largest`. The quotient starts `low` bytes up."""

    largest: int
    low: int

    @classmethod
    def exact_up_to(cls, largest: int, at_least: int) -> Division:
        """The division with the fewest low bytes, and not fewer than `at_least`, that is exact up to `largest`."""
        low = at_least
        while largest * (cls(largest, low).multiplier * SCALE - 256**low) >= 256**low:
            low += 1
        return cls(largest, low)

    @property
    def multiplier(self) -> int:
        return -(-(256**self.low) // SCALE)

    @property
    def quotient_bytes(self) -> int:
        return max(1, ((self.largest // SCALE).bit_length() + 7) // 8)

    @property
    def flip(self) -> int:
        """All bits of a quotient: x XOR flip = flip - x."""
        return 256**self.quotient_bytes - 1

    @property
    def product_bits(self) -> int:
        return (self.largest * self.multiplier).bit_length()


def compile_layer(number: int, layer: ExactLayer, interval: Interval, inputs: Inputs, last: bool) -> LayerCode:
    """Code from `inputs` to the cut activations of a hidden layer, or to the digit of the last one."""
    heaviest = max(1, int(abs(layer.weights).max()))
    unit = heaviest.bit_length() // 8 + 1
    division = Division.exact_up_to(heaviest * max(inputs.largest), max(unit, tag_bytes(layer.outputs)))
    spread = _choose_spread(number, layer.outputs, unit, division, interval, last)
    shape = FieldShape(spread.field_bytes, division.low)
    negatives = (layer.weights < 0).sum(axis=1).tolist()
    biases = [bias - division.flip * count for bias, count in zip(layer.bias.tolist(), negatives, strict=True)]
    if last:
        constants = tagged_constants(biases, min(interval.low), shape)
    else:
        constants = [bias + shape.offset << 8 * shape.low for bias in biases]
    start = pack(constants, shape.size)
    largest = abs(start) + (layer.inputs * pack([division.flip] * layer.outputs, shape.size) << 8 * shape.low)
    outputs = Inputs(tuple(range(layer.outputs)), read_relu(shape, 0), tuple(max(top, 0) for top in interval.high))
    return layer_code(
        number,
        setup=_constants(spread, shape, division) + assemble(start),
        products=_multiply_add(layer, spread, inputs),
        finish=assemble(Op.NIP) * _CONSTANTS + cut_fields(shape, layer.outputs),
        outputs=outputs,
        last=last,
        number_bytes=max(len(encode_number(largest)), spread.width + 1),
    )


def _constants(spread: Spread, shape: FieldShape, division: Division) -> bytes:
    """Pushes the masks of magnitudes, signs and quotients, the multiplier M, and what makes a sign bit flip a quotient."""
    sign = _sign(spread.unit)
    flip = division.flip.to_bytes(division.quotient_bytes, "little")
    quotient = bytes(shape.low) + flip + bytes(shape.size - shape.low - len(flip))
    return (
        spread.mask((sign - 1).to_bytes(spread.unit, "little"))
        + spread.mask(sign.to_bytes(spread.unit, "little"))
        + repeated(quotient, spread.count)
        + assemble(division.multiplier, (division.flip << 8 * shape.low) // sign)
    )


def _multiply_add(layer: ExactLayer, spread: Spread, inputs: Inputs) -> bytes:
    """Stack: inputs, magnitudes, signs, quotients, multiplier, flipper, sum; then, for each input, its repeated weights."""
    accumulate = (
        spread.replicate()
        + assemble(Op.DUP, 6, Op.PICK, Op.AND, Op.BIN2NUM, 3, Op.PICK, Op.MUL, spread.width, Op.NUM2BIN)
        + assemble(Op.SWAP, 7, Op.PICK, Op.AND, Op.BIN2NUM)
        + assemble(8, Op.ROLL) + inputs.read + assemble(5, Op.PICK, Op.MUL, Op.MUL, spread.width, Op.NUM2BIN)
        + assemble(5, Op.PICK, Op.AND, Op.XOR, Op.BIN2NUM, Op.ADD)
    )
    sign = _sign(spread.unit)
    units = [
        spread.store([(abs(w) | (sign if w < 0 else 0)).to_bytes(spread.unit, "little") for w in column])
        for column in layer.weights.T.tolist()
    ]
    return b"".join(
        assemble(_CONSTANTS + 1, Op.ROLL, Op.DROP) if index is None else assemble(units[index]) + accumulate
        for index in reversed(inputs.order)
    )


def _sign(unit: int) -> int:
    return 1 << 8 * unit - 1


def _choose_spread(number: int, outputs: int, unit: int, division: Division, interval: Interval, last: bool) -> Spread:
    """The fields that store in the fewest bytes among those wide enough for the product, the flipped quotient and z."""
    low, high = min(interval.low), max(interval.high)
    fitting = []
    for stride in range(2, _WIDEST_STRIDE):
        shape = FieldShape(unit * stride, division.low)
        if shape.size <= division.low + division.quotient_bytes or division.product_bits >= 8 * shape.size:
            continue
        if shape.holds_tagged(low, high) if last else shape.holds(low, high):
            fitting.append(Spread.holding(outputs, unit, stride))
    if not fitting:
        raise UnsupportedNetwork(f"layer {number} ranges over {low}..{high}, no field of {_WIDEST_STRIDE} units holds it")
    return min(fitting[:_CHOICES], key=lambda spread: (spread.count, spread.stride))
