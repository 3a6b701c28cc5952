"""What stands on the stack between the layers: pixels cut from the image, activations, and the argmax of the logits.

A layer leaves its sum as fields `z + 2^(bits - 1)` cut apart. Read as a Script number, whose top bit is a sign, such a field
is `-z` when z >= 0 and positive when z < 0: so `BIN2NUM 0 MIN NEGATE` is ReLU, and dropping low bytes first is the shift;
`255 MIN` behind it saturates.

DIV truncates towards zero, a rational activation rounds towards minus infinity. So nothing negative is ever divided: u and the
quotient are computed with an offset, and activations that can be negative stay lifted by it, which the next layer's biases
take out again (`Inputs.lift`).
Logits are kept non-negative instead, each with the tag n - 1 - i in its low byte, so that MAX picks the lowest index of
the largest logit.
"""

from __future__ import annotations

from dataclasses import dataclass

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.networks.activations import (
    MAX_BYTE, Activation, RationalRelu, RationalSquare, Relu, SaturatingRelu, Softsign,
)
from zkpredict.contracts.bitcoin.assembler import Op, Section, assemble
from zkpredict.contracts.bitcoin.fields import Spread, split_off

PIXEL_BYTES = 2


@dataclass(frozen=True)
class Inputs:
    """A layer's inputs on the stack, bottom to top: the index of each (None is padding), code that turns the item on top
    into its number, and the largest number each can be. That number is `lift` more than the input."""

    order: tuple[int | None, ...]
    read: bytes
    largest: tuple[int, ...]
    lift: int = 0


@dataclass(frozen=True)
class LayerCode:
    """A compiled layer: its script, what it leaves for the next one (None after the argmax), its largest number in bytes."""

    sections: tuple[Section, ...]
    outputs: Inputs | None
    number_bytes: int


@dataclass(frozen=True)
class FieldShape:
    """A layer's sum: fields of `size` bytes whose value starts `low` bytes up and may use every bit above."""

    size: int
    low: int

    @property
    def offset(self) -> int:
        """What hidden layers add to z so that the field is never negative: half of its range."""
        return 1 << (8 * (self.size - self.low) - 1)

    def holds(self, low: int, high: int) -> bool:
        """Whether every z in low..high fits beside the offset."""
        return -self.offset <= low and high < self.offset

    def holds_tagged(self, low: int, high: int) -> bool:
        """Whether logits in low..high, lifted to start at zero, leave the top bit clear."""
        return high - min(low, 0) < self.offset


def layer_code(
    number: int, setup: bytes, products: bytes, finish: bytes, outputs: Inputs, last: bool, number_bytes: int
) -> LayerCode:
    """A layer's parts under their names in the size report; the last layer ends in the argmax of its fields."""
    sections = (
        Section(f"layer {number} constants", setup),
        Section(f"layer {number} multiply-add", products),
        Section(f"layer {number} split", finish),
    )
    if last:
        return LayerCode((*sections, Section("argmax", argmax(len(outputs.order)))), None, number_bytes)
    return LayerCode(sections, outputs, number_bytes)


def cut_image(pixels: int) -> tuple[bytes, tuple[int | None, ...]]:
    """Code that checks the image's exact length and cuts it into 2-byte pixels, and the order they lie in.

    A byte of 128 or more would be a negative number, so the image is first widened by a zero after each byte.
    """
    spread = Spread.holding(pixels, 1, PIXEL_BYTES)
    code = assemble(Op.SIZE, pixels, Op.EQUALVERIFY)
    code += assemble(bytes(1), Op.CAT) * (spread.count - pixels)
    code += spread.replicate() + spread.mask(b"\xff") + assemble(Op.AND)
    code += split_off(PIXEL_BYTES, spread.count - 1)
    return code, tuple(unit if unit < pixels else None for unit in spread.order)


def cut_fields(shape: FieldShape, count: int, skip: int = 0) -> bytes:
    """Code that cuts the number on top into `count` strings of one field each, the highest on top; drops `skip` first."""
    code = assemble(shape.size * (skip + count) + 1, Op.NUM2BIN)
    code += assemble(shape.size, Op.SPLIT, Op.NIP) * skip
    return code + split_off(shape.size, count) + assemble(Op.DROP)


def read_activation(shape: FieldShape, shift: int, activation: Activation) -> tuple[bytes, int]:
    """Code from one field to the activation plus a lift that makes it never negative, and the lift. Raises `UnsupportedNetwork`."""
    match activation:
        case Relu():
            return read_relu(shape, shift), 0
        case SaturatingRelu():
            return read_relu(shape, shift) + assemble(MAX_BYTE, Op.MIN), 0
        case RationalSquare(d=d):
            # v = |u|: v^2 / (d + v)
            return _read_argument(shape, shift) + assemble(Op.ABS, Op.DUP, Op.DUP, Op.MUL, Op.SWAP, d, Op.ADD, Op.DIV), 0
        case RationalRelu(d=d):
            # D = d + |u|: (u (D + u) + 2 d D) / (2 D) is d more, and its numerator d (2 D - |u|) or more
            numerator = assemble(Op.DUP, 2, Op.PICK, Op.ADD, 2, Op.ROLL, Op.MUL, 1, Op.PICK, 2 * d, Op.MUL, Op.ADD)
            return _read_argument(shape, shift) + _denominator(d) + numerator + assemble(Op.SWAP, 2, Op.MUL, Op.DIV), d
        case Softsign(scale=scale, c=c):
            # D = c + |u|: scale (D + u) / D is `scale` more, and D + u at least c
            return _read_argument(shape, shift) + _denominator(c) + assemble(Op.DUP, 2, Op.ROLL, Op.ADD, scale, Op.MUL, Op.SWAP, Op.DIV), scale
    raise UnsupportedNetwork(f"scripts have no activation {activation}")


def _read_argument(shape: FieldShape, shift: int) -> bytes:
    """Code from one field z + 2^(bits - 1) to u = z >> shift: the field without its low bits, less the same of 2^(bits - 1).

    A shift by all bits or more is one by all but the sign's: it leaves 0 or -1.
    """
    shift = min(shift, 8 * (shape.size - shape.low) - 1)
    low_bytes, bits = shape.low + shift // 8, shift % 8
    code = assemble(low_bytes, Op.SPLIT, Op.NIP) if low_bytes else b""
    code += assemble(bytes(1), Op.CAT, Op.BIN2NUM)  # a zero on top: no sign
    code += assemble(1 << bits, Op.DIV) if bits else b""
    return code + assemble(shape.offset >> shift, Op.SUB)


def _denominator(d: int) -> bytes:
    """Code from u to u, d + |u|."""
    return assemble(Op.DUP, Op.ABS, d, Op.ADD)


def read_relu(shape: FieldShape, shift: int) -> bytes:
    """Code from one field to max(z, 0) >> shift."""
    low_bytes, bits = min(shape.low + shift // 8, shape.size), shift % 8
    code = assemble(low_bytes, Op.SPLIT, Op.NIP) if low_bytes else b""
    code += assemble(Op.BIN2NUM)
    code += assemble(1 << bits, Op.DIV) if bits else b""
    return code + assemble(0, Op.MIN, Op.NEGATE)


def tag_bytes(classes: int) -> int:
    """Low bytes a tagged logit needs for the index of its class."""
    return ((classes - 1).bit_length() + 7) // 8


def tagged_constants(biases: list[int], low: int, shape: FieldShape) -> list[int]:
    """Field constants of the last layer: bias, lifted so that the smallest logit is not negative, above the tag."""
    return [(bias - min(low, 0) << 8 * shape.low) + len(biases) - 1 - index for index, bias in enumerate(biases)]


def argmax(classes: int) -> bytes:
    """Code from the cut fields of tagged logits to the index of the largest, the lowest one on ties."""
    code = assemble(Op.BIN2NUM) + assemble(Op.SWAP, Op.BIN2NUM, Op.MAX) * (classes - 1)
    return code + assemble(256 ** tag_bytes(classes), Op.MOD, classes - 1, Op.SWAP, Op.SUB)
