"""The values of an ONNX graph while it is walked: what is constant, where those that depend on the input lie, and which nodes count.

Constants are folded on the way (Identity, Cast, Transpose, Reshape and the like of constants; Shape of the current value, whose batch is 0: what
Reshape takes for "as it was").
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.networks.dense import MAX_WEIGHTS, MAX_WIDTH
from zkpredict.training.importers.onnx_constants import CONSTANT_OPERATORS, FLOATS
from zkpredict.training.importers.onnx_files import Graph, Node
from zkpredict.training.importers.onnx_layout import Layout
from zkpredict.training.importers.steps import INPUT, Linear, Placed, Scale, Step

MAX_STEPS, MAX_FOLDED, MAX_GATHERED = 256, MAX_WEIGHTS, 1 << 10
_Made = TypeVar("_Made")


@dataclass
class OnnxChain:
    """`steps` from input to logits, and what each reads; `inputs`: how many numbers the model takes, of `input_name`, as `input_shape` behind the batch;
    `labels`: what it calls its classes (texts or whole numbers), empty when it only numbers them; `turned`: of a picture with channels first, the place
    in ours (channels last) of each of its numbers, int64 [inputs]."""

    what: str
    steps: list[Placed] = field(default_factory=list)
    input_name: str = ""
    input_shape: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)
    turned: np.ndarray | None = field(default=None, repr=False)

    @property
    def inputs(self) -> int:
        return math.prod(self.input_shape)


class Values:
    """A graph, its constants, and the values that depend on the input: of each its layout, and the number of the step that gives it. One is current:
    the one that the node at hand reads, then what it makes of it."""

    def __init__(self, graph: Graph, what: str) -> None:
        self.graph, self.what = graph, what
        self.constants: dict[str, object] = dict(graph.constants)
        self.chain = OnnxChain(what)
        self.held: dict[str, tuple[Layout, int]] = {}
        self.current, self.layout, self.made = "", Layout.plain(()), INPUT
        self.settled = False
        self.folded = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the current value, without the batch."""
        return self.layout.shape

    def enter(self) -> None:
        """Begins with the only input. Raises `UnsupportedNetwork`."""
        if len(self.graph.inputs) != 1:
            names = ", ".join(value.name for value in self.graph.inputs) or "none"
            raise UnsupportedNetwork(f"{self.what}: has {len(self.graph.inputs)} inputs ({names}), expected one tensor of all features")
        (entrance,) = self.graph.inputs
        shape = entrance.shape
        if entrance.kind not in (*FLOATS, 7) or shape is None or len(shape) < 2 or not all(shape[1:]):
            raise UnsupportedNetwork(f"{self.what}: its input '{entrance.name}' needs the element type float and a fixed shape behind the batch")
        if shape[0] not in (None, 0, 1, -1) or any(size < 0 for size in shape[1:]) or math.prod(shape[1:]) > MAX_WIDTH:
            raise UnsupportedNetwork(f"{self.what}: its input '{entrance.name}' has the shape {list(shape)}: expected a batch, then up to {MAX_WIDTH} numbers")
        self.held[entrance.name] = Layout.plain(shape[1:]), INPUT
        self.turn_to(entrance.name)
        self.chain.input_name, self.chain.input_shape = entrance.name, self.shape

    def turn_to(self, name: str) -> None:
        """Makes a value the current one."""
        self.current, (self.layout, self.made) = name, self.held[name]

    def settle(self, as_map: bool) -> None:
        """Fixes where the numbers of the input lie, once the first layer is known: behind a map of channels first, channels last.

        Raises `UnsupportedNetwork` when the input is a picture in neither order.
        """
        if self.settled:
            return
        self.settled = True
        if not as_map or len(self.shape) != 3:
            return
        wanted = Layout.channels_last(self.shape)
        entrance = np.empty(self.layout.size, np.int64)
        entrance[self.layout.places] = wanted.places
        if (entrance == np.arange(len(entrance))).all():
            return
        if (self.layout.places != np.arange(len(entrance))).any():
            raise UnsupportedNetwork("the axes of its picture are exchanged: expected channels, height, width or height, width, channels")
        self.layout, self.chain.turned = wanted, entrance
        self.held = {self.current: (wanted, self.made)}  # what lay otherwise before is read by nobody any more
        turn = Layout(self.shape, entrance)
        for number, placed in enumerate(self.chain.steps):
            if isinstance(step := placed.step, Scale):
                moments = None if step.moments is None else tuple(map(turn.ours, step.moments))
                self.chain.steps[number] = replace(placed, step=replace(step, factor=turn.ours(step.factor), offset=turn.ours(step.offset), moments=moments))

    def live(self) -> list[Node]:
        """The nodes that the outputs depend on, in the order of the file. Raises when a value is made twice or used before."""
        makers: dict[str, Node] = {}
        known = {self.current, *self.constants, ""}
        for node in self.graph.nodes:
            if not all(name in known for name in node.inputs) or any(name in known for name in node.outputs if name):
                raise UnsupportedNetwork(f"{self.what}: node '{node.label}' uses a value before it is made, or makes one twice")
            known.update(node.outputs)
            makers.update((name, node) for name in node.outputs)
        wanted = [value.name for value in self.graph.outputs]
        needed: set[int] = set()
        while wanted:
            node = makers.get(wanted.pop())
            if node is not None and id(node) not in needed:
                needed.add(id(node))
                wanted += node.inputs
        return [node for node in self.graph.nodes if id(node) in needed]

    def advance(self, node: Node, layout: Layout | None = None) -> None:
        """The current value goes on, as the node's first output."""
        self.held[node.outputs[0]] = self.layout if layout is None else layout, self.made
        self.turn_to(node.outputs[0])

    def emit(self, node: Node, step: Step, layout: Layout | None = None, reads: tuple[int, ...] | None = None) -> None:
        """One more step; `layout`: of what it gives, None when it lies as before; `reads`: what it reads, None for the current value."""
        if isinstance(step, Linear) and step.inputs != self.layout.size:
            raise self.wrong(node, f"its weights take {step.inputs} numbers, the value before it has {self.layout.size}")
        if len(self.chain.steps) == MAX_STEPS:
            raise self.wrong(node, f"more than {MAX_STEPS} operators")
        self.chain.steps.append(Placed(step, (self.made,) if reads is None else reads))
        self.made = len(self.chain.steps) - 1
        self.advance(node, layout)

    def fitting(self, node: Node, make: Callable[..., _Made], *parts: object) -> _Made:
        """What `make` makes of the parts. What it refuses is refused as the node's."""
        try:
            return make(*parts)
        except UnsupportedNetwork as error:
            raise self.wrong(node, str(error)) from None

    def spread(self, node: Node, constant: object) -> np.ndarray:
        """A constant beside the current value, as one number or one for each of its numbers, in our order."""
        if not isinstance(constant, np.ndarray):
            raise self.wrong(node, "it calculates with texts")
        values = constant.astype(np.float64)
        if values.size == 1 and values.ndim <= len(self.shape) + 1:
            return values.reshape(())
        try:
            spread = np.broadcast_to(values, (1, *self.shape))
        except ValueError:
            raise self.wrong(node, f"its constant has the shape {list(values.shape)}, the value {list(self.shape)}") from None
        return self.layout.ours(spread.reshape(-1))

    # constants

    def constant(self, node: Node, number: int) -> object:
        """An input of a node that must be a constant."""
        name = node.inputs[number] if number < len(node.inputs) else ""
        if name not in self.constants:
            raise self.wrong(node, "it combines two values that depend on the input: branches are joined by Add only")
        return self.constants[name]

    def fold_constant(self, node: Node) -> None:
        """Computes a node of constants. Raises `UnsupportedNetwork`."""
        maker = CONSTANT_OPERATORS.get(node.op)
        given = [self.constants[name] for name in node.inputs if name]
        if maker is None or not all(isinstance(value, np.ndarray) for value in given):
            raise self.wrong(node, f"a {node.op} of constants is not computed here: simplify the graph before exporting")
        self.folded += sum(value.size for value in given)
        if self.folded > MAX_FOLDED or (node.op == "Gather" and self.folded > MAX_GATHERED):
            raise self.wrong(node, "it computes too much of constants: simplify the graph before exporting")
        try:
            found = maker(node, *given)
        except (ValueError, IndexError, TypeError, KeyError):
            raise self.wrong(node, f"a {node.op} of constants that do not fit it") from None
        self.constants[node.outputs[0]] = found if isinstance(found, tuple) else np.asarray(found)

    def wrong(self, node: Node, reason: str) -> UnsupportedNetwork:
        return UnsupportedNetwork(f"{self.what}: node '{node.label}' ({node.op}): {reason}")
