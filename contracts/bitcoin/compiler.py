"""From a network to the locking script that checks its prediction.

The unlocking script pushes the image (one byte per pixel, row by row) and then the claimed digit; the locking script
leaves true when the network, run in exact integers on that image, gives that digit, and false or an error otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.networks.exact import SCALE, ExactNetwork
from zkpredict.circuits.networks.dense import MAX_PIXEL
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.contracts.bitcoin import exact, packed
from zkpredict.contracts.bitcoin.assembler import Op, Section, assemble, join, parse, size_report
from zkpredict.contracts.bitcoin.limits import STACK_ITEM_OVERHEAD, Demand, NodeLimits
from zkpredict.contracts.bitcoin.values import PIXEL_BYTES, Inputs, LayerCode, cut_image

_LARGE_ITEMS = 12


@dataclass(frozen=True)
class Classifier:
    """Script that replaces the image on top of the stack by the digit the network gives it."""

    name: str
    pixels: int
    classes: int
    sections: tuple[Section, ...]
    demand: Demand

    @cached_property
    def code(self) -> bytes:
        return join(self.sections)


@dataclass(frozen=True)
class LockingScript:
    """A complete locking script with its sections and what running it takes."""

    sections: tuple[Section, ...]
    demand: Demand

    @cached_property
    def code(self) -> bytes:
        return join(self.sections)

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes per section."""
        return size_report(self.sections)


def compile_script(network: IntegerNetwork | ExactNetwork, limits: NodeLimits = NodeLimits()) -> Classifier:
    """The network as code: `packed` for an `IntegerNetwork`, `exact` for an `ExactNetwork`.

    Raises `LimitExceeded` naming the node limit it would break and by how much.
    """
    compile_layer: Any  # each takes the layers of its own kind of network
    mode, compile_layer = ("packed", packed.compile_layer)
    if isinstance(network, ExactNetwork):
        mode, compile_layer = ("exact", exact.compile_layer)
    else:
        network.require_dense("Bitcoin scripts", "prove its answers (`zkpredict prove`)")
    cut, inputs = pixel_inputs(network)
    layers: list[LayerCode] = []
    for number, (layer, interval) in enumerate(zip(network.layers, network.intervals, strict=True)):
        layers.append(compile_layer(number, layer, interval, inputs, number + 1 == len(network.layers)))
        inputs = layers[-1].outputs  # type: ignore[assignment]  # None after the last
    sections = (Section("image", cut), *(section for layer in layers for section in layer.sections))
    number_bytes = max(layer.number_bytes for layer in layers)
    demand = Demand(len(join(sections)), number_bytes, _stack_bound(max(network.shape), number_bytes))
    name = f"{mode} {network.name}"
    limits.check(name, demand)
    return Classifier(name, network.shape[0], network.shape[-1], sections, demand)


def pixel_inputs(network: IntegerNetwork | ExactNetwork) -> tuple[bytes, Inputs]:
    """Code that cuts the image on top of the stack into pixels, and how the first layer reads them."""
    pixels = network.shape[0]
    cut, order = cut_image(pixels)
    if isinstance(network, ExactNetwork):
        return cut, Inputs(order, assemble(Op.BIN2NUM, SCALE, Op.MUL, MAX_PIXEL, Op.DIV), (SCALE,) * pixels)
    return cut, Inputs(order, assemble(Op.BIN2NUM), (MAX_PIXEL,) * pixels)


def claim_script(classifier: Classifier, limits: NodeLimits = NodeLimits()) -> LockingScript:
    """The locking script that accepts exactly (image, digit): the digit in its only canonical encoding."""
    sections = (
        Section("claim", assemble(Op.SWAP)),
        *classifier.sections,
        Section("claim", assemble(Op.EQUAL)),
    )
    demand = Demand(len(join(sections)), classifier.demand.number_bytes, classifier.demand.stack_bytes)
    limits.check(classifier.name, demand)
    return LockingScript(sections, demand)


def claim(image: np.ndarray | bytes, digit: int) -> bytes:
    """The unlocking script that claims `digit` for `image` (uint8 pixels)."""
    return assemble(pixel_bytes(image), digit)


def pixels_of(lock: bytes) -> int:
    """The image length a locking script of ours demands. Raises `UnusableInput` for any other script."""
    instructions = parse(lock)
    for instruction in instructions:
        if instruction.opcode == Op.SIZE.value:
            length = next(instructions, None)
            if length is not None and length.number is not None:
                return length.number
            break
    raise UnusableInput("this locking script does not check the length of an image: it is none of ours")


def is_pot(lock: bytes) -> bool:
    """Whether a locking script of ours also wants a signature."""
    return lock[:1] == assemble(Op.IF)


def pixel_bytes(image: np.ndarray | bytes) -> bytes:
    """The pixels of one image, row by row. Raises `UnusableInput` for anything but uint8."""
    if isinstance(image, bytes):
        return image
    if image.dtype != np.uint8:
        raise UnusableInput(f"an image must be uint8, got {image.dtype}")
    return image.tobytes()


def _stack_bound(widest: int, number_bytes: int) -> int:
    """Stack memory that is never exceeded: two layers' small items at once, whose bytes sum to one large item each, and at
    most `_LARGE_ITEMS` copies of constants, sums and strings."""
    items = 2 * (widest + 1) + _LARGE_ITEMS
    longest = max(number_bytes, PIXEL_BYTES * (widest + 1))
    return items * STACK_ITEM_OVERHEAD + (_LARGE_ITEMS + 2) * longest
