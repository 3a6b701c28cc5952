"""From an ONNX graph to steps: one chain from the input to the logits, then whatever dresses the answer.

The walk carries the shape of the current value without its batch axis. Constants are folded on the way (Identity, Cast, Transpose,
Reshape and the like of constants; Shape of the current value, whose batch is 0: what Reshape takes for "as it was").
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.networks.dense import MAX_WEIGHTS, MAX_WIDTH
from zkpredict.training.importers.onnx_constants import CONSTANT_OPERATORS, FLOATS
from zkpredict.training.importers.onnx_files import Graph, Node
from zkpredict.training.importers.steps import End, Linear, Relu, Scale, Step

MAX_STEPS, MAX_FOLDED, MAX_GATHERED = 128, MAX_WEIGHTS, 1 << 10
_DRESSING = {
    "Identity", "Cast", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "ArgMax", "Softmax", "LogSoftmax", "ArrayFeatureExtractor", "Gather",
    "ai.onnx.ml.ZipMap", "ai.onnx.ml.ArrayFeatureExtractor", "ai.onnx.ml.Normalizer",
}  # fmt: skip
"""What may follow once the answer is decided: it names, reshapes or normalises, and moves no score past another."""
_NEAREST = {
    "Conv": "a convolution: compact circuits hold dense layers, so train Flatten and Dense layers instead",
    "MaxPool": "pooling: compact circuits hold dense layers, so train Flatten and Dense layers instead",
    "Tanh": "use Relu in hidden layers", "Gelu": "use Relu in hidden layers", "Elu": "use Relu or LeakyRelu in hidden layers",
    "Clip": "use plain Relu (ReLU6 is not)", "QuantizeLinear": "give the float model: zkpredict quantises by itself",
    "ai.onnx.ml.TreeEnsembleClassifier": "a tree ensemble: only neural networks and linear models",
}  # fmt: skip


@dataclass
class OnnxChain:
    """`steps` from input to logits; `inputs`: how many numbers the model takes, of `input_name`, as `input_shape` behind the batch;
    `labels`: what it calls its classes (texts or whole numbers), empty when it only numbers them."""

    what: str
    steps: list[Step] = field(default_factory=list)
    input_name: str = ""
    input_shape: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)

    @property
    def inputs(self) -> int:
        return math.prod(self.input_shape)


def read_chain(graph: Graph, what: str) -> OnnxChain:
    """The chain in `graph`. Raises `UnsupportedNetwork`, naming the node, for anything but a chain of dense layers."""
    return _Walk(graph, what).run()


class _Walk:
    def __init__(self, graph: Graph, what: str) -> None:
        self.graph, self.what = graph, what
        self.constants: dict[str, object] = dict(graph.constants)
        self.chain = OnnxChain(what)
        self.current, self.shape = "", ()
        self.decided = False
        self.tail: set[str] = set()
        self.shapes: set[str] = set()
        self.probability: str | None = None
        self.complement: str | None = None
        self.folded = 0

    def run(self) -> OnnxChain:
        self._enter()
        live = self._live()
        for node in live:
            self._visit(node)
        outputs = {value.name for value in self.graph.outputs}
        if not outputs or not outputs <= self.tail | {self.current}:
            raise UnsupportedNetwork(f"{self.what}: its outputs are not what the last layer gives: {', '.join(sorted(outputs)[:4])}")
        return self.chain

    def _enter(self) -> None:
        if len(self.graph.inputs) != 1:
            names = ", ".join(value.name for value in self.graph.inputs) or "none"
            raise UnsupportedNetwork(f"{self.what}: has {len(self.graph.inputs)} inputs ({names}), expected one tensor of all features")
        (entrance,) = self.graph.inputs
        shape = entrance.shape
        if entrance.kind not in (*FLOATS, 7) or shape is None or len(shape) < 2 or not all(shape[1:]):
            raise UnsupportedNetwork(f"{self.what}: its input '{entrance.name}' needs the element type float and a fixed shape behind the batch")
        if shape[0] not in (None, 0, 1, -1) or any(size < 0 for size in shape[1:]) or math.prod(shape[1:]) > MAX_WIDTH:
            raise UnsupportedNetwork(f"{self.what}: its input '{entrance.name}' has the shape {list(shape)}: expected a batch, then up to {MAX_WIDTH} numbers")
        self.current, self.shape = entrance.name, tuple(shape[1:])
        self.chain.input_name, self.chain.input_shape = entrance.name, self.shape

    def _live(self) -> list[Node]:
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

    def _visit(self, node: Node) -> None:
        given = [name for name in node.inputs if name]
        if all(name in self.constants for name in given):
            self._fold_constant(node)
        elif node.op == "Shape" and given == [self.current]:
            self.constants[node.outputs[0]] = np.array([0, *self.shape], np.int64)
        elif any(name in self.tail for name in given) or (self.decided and self.current in given):
            self._dress(node)
        elif self.current not in given:
            raise self._wrong(node, "it reads a value from before the layer in front of it: branches cannot be quantised, only chains")
        else:
            self._step(node)

    # the chain

    def _step(self, node: Node) -> None:
        handler = _HANDLERS.get(node.op)
        if handler is None:
            near = _NEAREST.get(node.op, f"read are {', '.join(sorted(_HANDLERS))}")
            raise UnsupportedNetwork(f"{self.what}: node '{node.label}' is a {node.op}: {near}")
        if sum(name == self.current for name in node.inputs) != 1:
            raise self._wrong(node, "it reads one value twice: only chains can be quantised")
        before = self.current
        handler(self, node)
        if before != self.current and before in {value.name for value in self.graph.outputs} and not self.decided:
            raise UnsupportedNetwork(f"{self.what}: '{before}' is an output and an inner value: export the class scores only")

    def _pass(self, node: Node, shape: tuple[int, ...] | None = None) -> None:
        """The current value goes on, as the node's first output."""
        self.current = node.outputs[0]
        self.shape = self.shape if shape is None else shape

    def _emit(self, node: Node, step: Step, width: int | None = None) -> None:
        if isinstance(step, Linear) and step.weights.shape[1] != self.shape[0]:
            raise self._wrong(node, f"its weights take {step.weights.shape[1]} numbers, the value before it has {self.shape[0]}")
        if len(self.chain.steps) == MAX_STEPS:
            raise self._wrong(node, f"more than {MAX_STEPS} operators")
        self.chain.steps.append(step)
        self._pass(node, None if width is None else (width,))

    def _same(self, node: Node) -> None:
        if node.op == "Cast" and node.attributes.get("to") not in FLOATS:
            raise self._wrong(node, f"it casts to element type {node.attributes.get('to')}, which loses what follows the point")
        self._pass(node)

    def _reshape(self, node: Node) -> None:
        size = math.prod(self.shape)
        if node.op == "Flatten":
            if node.attributes.get("axis", 1) not in (1, -len(self.shape)):
                raise self._wrong(node, f"it flattens at axis {node.attributes['axis']}, expected 1")
            self._pass(node, (size,))
            return
        if node.op in ("Squeeze", "Unsqueeze"):
            self._pass(node, self._squeezed(node))
            return
        target = self._constant(node, 1)
        if not isinstance(target, np.ndarray) or target.ndim != 1 or len(target) < 1:
            raise self._wrong(node, "its shape is no list of numbers")
        batch, *rest = [int(number) for number in target]
        left = [self.shape[at] if number == 0 and at < len(self.shape) else number for at, number in enumerate(rest)]
        known = math.prod(number for number in left if number != -1)
        if left.count(-1) == 1 and known > 0 and size % known == 0:
            left[left.index(-1)] = size // known
        if batch not in (0, 1, -1) or not left or any(number < 1 for number in left) or math.prod(left) != size:
            raise self._wrong(node, f"it makes the shape {target.tolist()} of {list(self.shape)}: expected a batch, then all {size} numbers")
        self._pass(node, tuple(left))

    def _squeezed(self, node: Node) -> tuple[int, ...]:
        axes = node.attributes.get("axes")
        if axes is None and len(node.inputs) > 1:
            axes = [int(axis) for axis in np.ravel(self._constant(node, 1))]
        rank = len(self.shape) + 1 + (len(axes or ()) if node.op == "Unsqueeze" else 0)
        places = sorted(axis % rank for axis in axes or ())
        whole = [0, *self.shape]
        if node.op == "Unsqueeze":
            for place in places:
                whole.insert(place, 1)
        elif places and all(place and whole[place] == 1 for place in places):
            whole = [size for place, size in enumerate(whole) if place not in places]
        else:
            raise self._wrong(node, "it takes out an axis that is not of size 1")
        if whole[0] != 0:
            raise self._wrong(node, "it puts an axis before the batch")
        return tuple(whole[1:])

    def _transpose(self, node: Node) -> None:
        order = node.attributes.get("perm") or list(range(len(self.shape) + 1))[::-1]
        moved = [axis for axis in order if axis and axis <= len(self.shape) and self.shape[axis - 1] > 1]
        if len(order) != len(self.shape) + 1 or order[0] != 0 or moved != sorted(moved):
            raise self._wrong(node, "it reorders the numbers: export without it, or permute the first layer's weights")
        self._pass(node, tuple(self.shape[axis - 1] for axis in order[1:]))

    def _arithmetic(self, node: Node) -> None:
        first = node.inputs[0] == self.current
        other = self._constant(node, 1 if first else 0)
        values = self._spread(node, other)
        zero, one = np.zeros(()), np.ones(())
        if node.op == "Add":
            factor, offset = one, values
        elif node.op == "Sub":
            factor, offset = (one, -values) if first else (-one, values)
        elif node.op == "Mul":
            factor, offset = values, zero
        elif first and np.all(values != 0):
            factor, offset = 1 / values, zero
        else:
            raise self._wrong(node, "it divides by the value, or by zero")
        self._emit(node, Scale(node.label, factor, offset))

    def _spread(self, node: Node, constant: object) -> np.ndarray:
        """A constant beside the current value, as one number or one for each of its numbers."""
        if not isinstance(constant, np.ndarray):
            raise self._wrong(node, "it calculates with texts")
        values = constant.astype(np.float64)
        if values.size == 1 and values.ndim <= len(self.shape) + 1:
            return values.reshape(())
        try:
            spread = np.broadcast_to(values, (1, *self.shape))
        except ValueError:
            raise self._wrong(node, f"its constant has the shape {list(values.shape)}, the value {list(self.shape)}") from None
        return spread.reshape(-1)

    def _scaler(self, node: Node) -> None:
        offset, factor = (np.asarray(node.attributes.get(key, default), np.float64) for key, default in (("offset", [0.0]), ("scale", [1.0])))
        offset, factor = self._spread(node, offset), self._spread(node, factor)
        with np.errstate(divide="ignore"):
            deviation = 1 / factor
        moments = (offset, deviation) if np.all(factor > 0) else None
        self._emit(node, Scale(node.label, factor, -offset * factor, moments))

    def _normalization(self, node: Node) -> None:
        if node.attributes.get("training_mode") or len([name for name in node.outputs if name]) > 1:
            raise self._wrong(node, "it is in training mode: export the model in evaluation mode")
        parts = [self._constant(node, number) for number in range(1, 5)]
        if not all(isinstance(part, np.ndarray) and part.shape == (self.shape[0],) for part in parts):
            raise self._wrong(node, "its constants are not one number a channel")
        gamma, beta, mean, variance = (np.broadcast_to(p.reshape(-1, *[1] * (len(self.shape) - 1)), self.shape).reshape(-1) for p in parts)
        plain = Scale.of_moments(node.label, mean, variance, node.attributes.get("epsilon", 1e-5))
        self._emit(node, Scale(node.label, plain.factor * gamma, plain.offset * gamma + beta, plain.moments))

    def _matmul(self, node: Node) -> None:
        weights = self._matrix(node, 1)
        self._flat(node)
        self._emit(node, Linear(node.label, weights.T, np.zeros(weights.shape[1])), weights.shape[1])

    def _gemm(self, node: Node) -> None:
        weights = self._matrix(node, 1)
        self._flat(node)
        if node.attributes.get("transA"):
            raise self._wrong(node, "it transposes the value")
        weights = (weights if node.attributes.get("transB") else weights.T) * node.attributes.get("alpha", 1.0)
        bias = np.zeros(len(weights))
        if len(node.inputs) > 2 and node.inputs[2]:
            given = self._constant(node, 2)
            try:
                bias = np.broadcast_to(np.asarray(given, np.float64), (1, len(weights)))[0] * node.attributes.get("beta", 1.0)
            except (ValueError, TypeError):
                raise self._wrong(node, "its bias does not fit its weights") from None
        self._emit(node, Linear(node.label, weights, bias), len(weights))

    def _matrix(self, node: Node, number: int) -> np.ndarray:
        weights = self._constant(node, number)
        if not isinstance(weights, np.ndarray) or weights.ndim != 2 or 0 in weights.shape:
            raise self._wrong(node, "its weights are no matrix")
        return np.asarray(weights, np.float64)

    def _flat(self, node: Node) -> None:
        if len(self.shape) != 1:
            raise self._wrong(node, f"it multiplies a value of shape {list(self.shape)}: put Flatten before it")

    def _relu(self, node: Node) -> None:
        slope = 0.0
        if node.op == "LeakyRelu":
            slope = float(node.attributes.get("alpha", 0.01))
        elif node.op == "PRelu":
            slopes = np.unique(np.asarray(self._constant(node, 1)))
            if len(slopes) != 1:
                raise self._wrong(node, "its neurons have slopes of their own: use LeakyRelu")
            slope = float(slopes[0])
        self._emit(node, Relu(node.label, slope))

    def _end(self, node: Node) -> None:
        self._flat(node)
        axis = node.attributes.get("axis", {"ArgMax": 0, "Softmax": 1 if self.graph.opset < 13 else -1}.get(node.op, -1))
        if node.op != "Sigmoid" and axis not in (1, -1):
            raise self._wrong(node, f"it runs over axis {axis}, expected the classes")
        if node.attributes.get("select_last_index"):
            raise self._wrong(node, "of equal scores it takes the last: a proof takes the first")
        kind = {"Sigmoid": "sigmoid", "ArgMax": "argmax"}.get(node.op, "softmax")
        self.tail.add(self.current)
        self._emit(node, End(node.label, kind))
        self.decided = True
        self.tail.add(self.current)
        self.probability = self.current if kind == "sigmoid" else None

    def _linear_classifier(self, node: Node) -> None:
        self._flat(node)
        settings, width = node.attributes, self.shape[0]
        kind = {"SOFTMAX": "softmax", "LOGISTIC": "sigmoid"}.get(settings.get("post_transform", "NONE"), "none")
        labels = settings.get("classlabels_strings") or settings.get("classlabels_ints") or ()
        weights, bias = (np.asarray(settings.get(key, ()), np.float64) for key in ("coefficients", "intercepts"))
        if len(labels) < 2 or weights.size != width * len(labels) or bias.size not in (0, len(labels)):
            raise self._wrong(node, "its coefficients do not fit its inputs and labels")
        bias = bias if bias.size else np.zeros(len(labels))
        self._name_classes(node, labels)
        if kind == "sigmoid":
            self.chain.notes.append(f"'{node.label}' puts each score through its own sigmoid, which keeps their order")
        self._emit(node, Linear(node.label, weights.reshape(len(labels), width), bias), len(labels))
        self.chain.steps.append(End(node.label, "argmax"))
        self.decided = True
        self.tail.update(node.outputs)

    # what follows the answer

    def _dress(self, node: Node) -> None:
        """Follows a node behind the decision. Raises unless it only names or reshapes the answer, or is 1 - p beside p."""
        if node.op == "Sub" and self.probability in node.inputs[1:] and np.all(np.asarray(self._constant(node, 0)) == 1):
            self.complement = node.outputs[0]
        elif node.op == "Concat" and self.probability is not None:
            if list(node.inputs) != [self.complement, self.probability]:
                raise self._wrong(node, "expected 1 - p, then p")
            self.probability = None
        elif node.op not in _DRESSING:
            raise self._wrong(node, f"a {node.op} behind the class scores: export without what decides after them")
        elif node.op in ("Softmax", "LogSoftmax", "ArgMax") and node.attributes.get("axis", 1) not in (1, -1):
            raise self._wrong(node, f"it runs over axis {node.attributes['axis']}, expected the classes")
        labels = node.attributes.get("classlabels_strings") or node.attributes.get("classlabels_int64s")
        if node.op.endswith(("ArrayFeatureExtractor", "Gather")):
            table = self.constants.get(node.inputs[0])
            labels = table if isinstance(table, tuple) else None if table is None else np.ravel(table).tolist()
        if labels:
            self._name_classes(node, labels)
        self.tail.update(name for name in node.outputs if name)

    def _name_classes(self, node: Node, labels) -> None:
        names = tuple(str(label) for label in labels)
        if self.chain.labels not in ((), names):
            raise self._wrong(node, f"it calls the classes {', '.join(names[:4])}, another node {', '.join(self.chain.labels[:4])}")
        self.chain.labels = names

    # constants

    def _constant(self, node: Node, number: int) -> object:
        name = node.inputs[number] if number < len(node.inputs) else ""
        if name not in self.constants:
            raise self._wrong(node, "it combines two values that depend on the input: only chains can be quantised")
        return self.constants[name]

    def _fold_constant(self, node: Node) -> None:
        maker = CONSTANT_OPERATORS.get(node.op)
        given = [self.constants[name] for name in node.inputs if name]
        if maker is None or not all(isinstance(value, np.ndarray) for value in given):
            raise self._wrong(node, f"a {node.op} of constants is not computed here: simplify the graph before exporting")
        self.folded += sum(value.size for value in given)
        if self.folded > MAX_FOLDED or (node.op == "Gather" and self.folded > MAX_GATHERED):
            raise self._wrong(node, "it computes too much of constants: simplify the graph before exporting")
        try:
            found = maker(node, *given)
        except (ValueError, IndexError, TypeError, KeyError):
            raise self._wrong(node, f"a {node.op} of constants that do not fit it") from None
        self.constants[node.outputs[0]] = found if isinstance(found, tuple) else np.asarray(found)

    def _wrong(self, node: Node, reason: str) -> UnsupportedNetwork:
        return UnsupportedNetwork(f"{self.what}: node '{node.label}' ({node.op}): {reason}")


_HANDLERS: dict[str, Callable[[_Walk, Node], None]] = {
    **dict.fromkeys(("Identity", "Dropout", "Cast"), _Walk._same),
    **dict.fromkeys(("Flatten", "Reshape", "Squeeze", "Unsqueeze"), _Walk._reshape),
    **dict.fromkeys(("Add", "Sub", "Mul", "Div"), _Walk._arithmetic),
    **dict.fromkeys(("Relu", "LeakyRelu", "PRelu"), _Walk._relu),
    **dict.fromkeys(("Softmax", "LogSoftmax", "Sigmoid", "ArgMax"), _Walk._end),
    "Transpose": _Walk._transpose,
    "MatMul": _Walk._matmul,
    "Gemm": _Walk._gemm,
    "BatchNormalization": _Walk._normalization,
    "ai.onnx.ml.Scaler": _Walk._scaler,
    "ai.onnx.ml.LinearClassifier": _Walk._linear_classifier,
}
