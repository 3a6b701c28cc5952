"""From an ONNX graph to steps: from the input to the logits, branches joined by Add, then whatever dresses the answer. `onnx_values` says what a value is,
`onnx_maps` what is done to maps.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.training.importers.maps import summed
from zkpredict.training.importers.onnx_constants import FLOATS
from zkpredict.training.importers.onnx_files import Graph, Node
from zkpredict.training.importers.onnx_layout import Layout
from zkpredict.training.importers.onnx_maps import average_pool, convolution, max_pool, mean, padding
from zkpredict.training.importers.onnx_values import OnnxChain, Values
from zkpredict.training.importers.steps import End, Linear, Placed, Relu, Scale, Sum

UNBOUNDED = float(np.finfo(np.float32).max)
"""From here on an upper end is none."""
_DRESSING = {
    "Identity", "Cast", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "ArgMax", "Softmax", "LogSoftmax", "ArrayFeatureExtractor", "Gather",
    "ai.onnx.ml.ZipMap", "ai.onnx.ml.ArrayFeatureExtractor", "ai.onnx.ml.Normalizer",
}  # fmt: skip
"""What may follow once the answer is decided: it names, reshapes or normalises, and moves no score past another."""
_NEAREST = {
    "ConvTranspose": "only plain convolutions (Conv)", "Concat": "branches are joined by Add only", "Max": "branches are joined by Add only",
    "Tanh": "use Relu in hidden layers", "Gelu": "use Relu in hidden layers", "Elu": "use Relu or LeakyRelu in hidden layers",
    "QuantizeLinear": "give the float model: zkpredict quantises by itself",
    "ai.onnx.ml.TreeEnsembleClassifier": "a tree ensemble: only neural networks and linear models",
}  # fmt: skip


def read_chain(graph: Graph, what: str) -> OnnxChain:
    """The steps in `graph`. Raises `UnsupportedNetwork`, naming the node, for anything but layers that are read, one behind another or joined by Add."""
    return _Walk(graph, what).run()


class _Walk(Values):
    def __init__(self, graph: Graph, what: str) -> None:
        super().__init__(graph, what)
        self.decided = False
        self.tail: set[str] = set()
        self.probability: str | None = None
        self.complement: str | None = None

    def run(self) -> OnnxChain:
        self.enter()
        live = self.live()
        for node in live:
            self._visit(node)
        outputs = {value.name for value in self.graph.outputs}
        if not outputs or not outputs <= self.tail | {self.current}:
            raise UnsupportedNetwork(f"{self.what}: its outputs are not what the last layer gives: {', '.join(sorted(outputs)[:4])}")
        return self.chain

    def _visit(self, node: Node) -> None:
        given = [name for name in node.inputs if name]
        if all(name in self.constants for name in given):
            self.fold_constant(node)
        elif node.op == "Shape" and len(given) == 1 and given[0] in self.held:
            ends = node.attributes.get("start"), node.attributes.get("end")
            self.constants[node.outputs[0]] = np.array([0, *self.held[given[0]][0].shape], np.int64)[slice(*ends)]
        elif any(name in self.tail for name in given) or (self.decided and self.current in given):
            self._dress(node)
        elif self.decided or not all(name in self.held or name in self.constants for name in given):
            raise self.wrong(node, "it reads a value from before the layer in front of it: a branch begins at what a layer hands on, and ends before the answer")
        else:
            self._step(node, [name for name in given if name in self.held])

    # the layers

    def _step(self, node: Node, given: list[str]) -> None:
        """`given`: the values that depend on the input, of those that the node reads."""
        handler = _HANDLERS.get(node.op)
        if handler is None:
            near = _NEAREST.get(node.op, f"read are {', '.join(sorted(_HANDLERS))}")
            raise UnsupportedNetwork(f"{self.what}: node '{node.label}' is a {node.op}: {near}")
        if len(given) > 1 and node.op not in ("Add", "Sum"):
            raise self.wrong(node, "it combines two values that depend on the input: branches are joined by Add only")
        self.turn_to(given[0])
        if len(given) > 1:
            self._sum(node, given)
        else:
            handler(self, node)
        before = {value.name for value in self.graph.outputs} & set(given)
        if before and not self.decided:
            raise UnsupportedNetwork(f"{self.what}: '{before.pop()}' is an output and an inner value: export the class scores only")

    def _sum(self, node: Node, given: list[str]) -> None:
        if len(given) != len(node.inputs):
            raise self.wrong(node, "it adds values that depend on the input and constants at once: add the constants by an Add of their own")
        layouts, reads = zip(*(self.held[name] for name in given), strict=True)
        self.fitting(node, summed, [layout.shape for layout in layouts])
        if not all((layout.places == layouts[0].places).all() for layout in layouts):
            raise self.wrong(node, "the values that it adds lie in different orders: axes were exchanged in one of them")
        self.emit(node, Sum(node.label), reads=reads)

    def _same(self, node: Node) -> None:
        if node.op == "Cast" and node.attributes.get("to") not in FLOATS:
            raise self.wrong(node, f"it casts to element type {node.attributes.get('to')}, which loses what follows the point")
        self.advance(node)

    def _reshape(self, node: Node) -> None:
        layout = self.layout
        if node.op == "Flatten":
            if node.attributes.get("axis", 1) not in (1, -len(self.shape)):
                raise self.wrong(node, f"it flattens at axis {node.attributes['axis']}, expected 1")
            self.advance(node, layout.flattened())
        elif node.op == "Reshape":
            target = self.constant(node, 1)
            if not isinstance(target, np.ndarray) or target.ndim != 1 or len(target) < 1:
                raise self.wrong(node, "its shape is no list of numbers")
            self.advance(node, self.fitting(node, layout.reshaped, target.tolist()))
        elif node.op == "Transpose":
            self.advance(node, self.fitting(node, layout.transposed, node.attributes.get("perm")))
        else:
            self.advance(node, self.fitting(node, layout.squeezed if node.op == "Squeeze" else layout.unsqueezed, self._axes(node)))

    def _axes(self, node: Node) -> list[int]:
        """What a node says in its attribute `axes`, or in its second input."""
        axes = node.attributes.get("axes")
        if axes is None and len(node.inputs) > 1:
            axes = np.ravel(self.constant(node, 1))
        return [int(axis) for axis in axes or ()] if isinstance(axes, (list, tuple, type(None))) else axes.astype(int).tolist()

    def _convolution(self, node: Node) -> None:
        self.fitting(node, self.settle, True)
        kernel, bias = self._floats(node, 1), self._floats(node, 2) if len(node.inputs) > 2 and node.inputs[2] else None
        self.emit(node, *self.fitting(node, convolution, node, self.layout, kernel, bias))

    def _pool(self, node: Node) -> None:
        self.fitting(node, self.settle, True)
        make = max_pool if node.op.endswith("MaxPool") else average_pool
        self.emit(node, *self.fitting(node, make, node, self.layout))

    def _pad(self, node: Node) -> None:
        self.fitting(node, self.settle, True)
        pads = node.attributes.get("pads") or np.ravel(self._floats(node, 1)).astype(int).tolist()
        value = float(np.ravel(self._floats(node, 2))[0]) if len(node.inputs) > 2 and node.inputs[2] else float(node.attributes.get("value", 0.0))
        axes = np.ravel(self._floats(node, 3)).astype(int).tolist() if len(node.inputs) > 3 and node.inputs[3] else None
        self.emit(node, *self.fitting(node, padding, node, self.layout, pads, axes, value))

    def _mean(self, node: Node) -> None:
        axes, keep = self._axes(node), bool(node.attributes.get("keepdims", 1))
        self.fitting(node, self.settle, sorted(axes) in ([2, 3], [-2, -1]))
        self.emit(node, *self.fitting(node, mean, node, self.layout, axes, keep))

    def _floats(self, node: Node, number: int) -> np.ndarray:
        found = self.constant(node, number)
        if not isinstance(found, np.ndarray):
            raise self.wrong(node, "it calculates with texts")
        return found.astype(np.float64)

    def _arithmetic(self, node: Node) -> None:
        if len(node.inputs) != 2:
            raise self.wrong(node, f"it takes {len(node.inputs)} values, expected two")
        first = node.inputs[0] == self.current
        other = self.constant(node, 1 if first else 0)
        values = self.spread(node, other)
        zero, one = np.zeros(()), np.ones(())
        if node.op in ("Add", "Sum"):
            factor, offset = one, values
        elif node.op == "Sub":
            factor, offset = (one, -values) if first else (-one, values)
        elif node.op == "Mul":
            factor, offset = values, zero
        elif first and np.all(values != 0):
            factor, offset = 1 / values, zero
        else:
            raise self.wrong(node, "it divides by the value, or by zero")
        self.emit(node, Scale(node.label, factor, offset))

    def _scaler(self, node: Node) -> None:
        offset, factor = (np.asarray(node.attributes.get(key, default), np.float64) for key, default in (("offset", [0.0]), ("scale", [1.0])))
        offset, factor = self.spread(node, offset), self.spread(node, factor)
        with np.errstate(divide="ignore"):
            deviation = 1 / factor
        moments = (offset, deviation) if np.all(factor > 0) else None
        self.emit(node, Scale(node.label, factor, -offset * factor, moments))

    def _normalization(self, node: Node) -> None:
        if node.attributes.get("training_mode") or len([name for name in node.outputs if name]) > 1:
            raise self.wrong(node, "it is in training mode: export the model in evaluation mode")
        parts = [self.constant(node, number) for number in range(1, 5)]
        if not all(isinstance(part, np.ndarray) and part.shape == (self.shape[0],) for part in parts):
            raise self.wrong(node, "its constants are not one number a channel")
        gamma, beta, mean, variance = (self.spread(node, p.reshape(1, -1, *[1] * (len(self.shape) - 1))) for p in parts)
        plain = Scale.of_moments(node.label, mean, variance, node.attributes.get("epsilon", 1e-5))
        self.emit(node, Scale(node.label, plain.factor * gamma, plain.offset * gamma + beta, plain.moments))

    def _matmul(self, node: Node) -> None:
        weights = self._matrix(node, 1)
        self._flat(node)
        self._linear(node, weights.T, np.zeros(weights.shape[1]))

    def _gemm(self, node: Node) -> None:
        weights = self._matrix(node, 1)
        self._flat(node)
        if node.attributes.get("transA"):
            raise self.wrong(node, "it transposes the value")
        weights = (weights if node.attributes.get("transB") else weights.T) * node.attributes.get("alpha", 1.0)
        bias = np.zeros(len(weights))
        if len(node.inputs) > 2 and node.inputs[2]:
            given = self.constant(node, 2)
            try:
                bias = np.broadcast_to(np.asarray(given, np.float64), (1, len(weights)))[0] * node.attributes.get("beta", 1.0)
            except (ValueError, TypeError):
                raise self.wrong(node, "its bias does not fit its weights") from None
        self._linear(node, weights, bias)

    def _linear(self, node: Node, weights: np.ndarray, bias: np.ndarray) -> None:
        """A layer with weights [outputs, inputs], the inputs in ONNX's order."""
        self.settle(False)
        if weights.shape[1] != self.layout.size:
            raise self.wrong(node, f"its weights take {weights.shape[1]} numbers, the value before it has {self.layout.size}")
        self.emit(node, Linear(node.label, self.layout.ours(weights), bias), Layout.plain((len(weights),)))

    def _matrix(self, node: Node, number: int) -> np.ndarray:
        weights = self.constant(node, number)
        if not isinstance(weights, np.ndarray) or weights.ndim != 2 or 0 in weights.shape:
            raise self.wrong(node, "its weights are no matrix")
        return np.asarray(weights, np.float64)

    def _flat(self, node: Node) -> None:
        if len(self.shape) != 1:
            raise self.wrong(node, f"it multiplies a value of shape {list(self.shape)}: put Flatten before it")

    def _relu(self, node: Node) -> None:
        slope = 0.0
        if node.op == "LeakyRelu":
            slope = float(node.attributes.get("alpha", 0.01))
        elif node.op == "PRelu":
            slopes = np.unique(np.asarray(self.constant(node, 1)))
            if len(slopes) != 1:
                raise self.wrong(node, "its neurons have slopes of their own: use LeakyRelu")
            slope = float(slopes[0])
        elif node.op == "Clip":
            low, high = (self._bound(node, number, name) for number, name in ((1, "min"), (2, "max")))
            if low != 0 or high < UNBOUNDED:
                raise self.wrong(node, f"it clips to {low:g} to {high:g}: use plain Relu (ReLU6 is not)")
        self.emit(node, Relu(node.label, slope))

    def _bound(self, node: Node, number: int, name: str) -> float:
        """An end of a Clip, minus or plus infinity when there is none."""
        end = node.attributes.get(name, -np.inf if name == "min" else np.inf)
        if len(node.inputs) > number and node.inputs[number]:
            end = self._floats(node, number)
        if np.size(end) != 1:
            raise self.wrong(node, f"its {name} is no number")
        return float(np.ravel(end)[0])

    def _end(self, node: Node) -> None:
        self._flat(node)
        axis = node.attributes.get("axis", {"ArgMax": 0, "Softmax": 1 if self.graph.opset < 13 else -1}.get(node.op, -1))
        if node.op != "Sigmoid" and axis not in (1, -1):
            raise self.wrong(node, f"it runs over axis {axis}, expected the classes")
        if node.attributes.get("select_last_index"):
            raise self.wrong(node, "of equal scores it takes the last: a proof takes the first")
        kind = {"Sigmoid": "sigmoid", "ArgMax": "argmax"}.get(node.op, "softmax")
        self.tail.add(self.current)
        self.emit(node, End(node.label, kind))
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
            raise self.wrong(node, "its coefficients do not fit its inputs and labels")
        bias = bias if bias.size else np.zeros(len(labels))
        self._name_classes(node, labels)
        if kind == "sigmoid":
            self.chain.notes.append(f"'{node.label}' puts each score through its own sigmoid, which keeps their order")
        self._linear(node, weights.reshape(len(labels), width), bias)
        self.chain.steps.append(Placed(End(node.label, "argmax"), (self.made,)))
        self.decided = True
        self.tail.update(node.outputs)

    # what follows the answer

    def _dress(self, node: Node) -> None:
        """Follows a node behind the decision. Raises unless it only names or reshapes the answer, or is 1 - p beside p."""
        if node.op == "Sub" and self.probability in node.inputs[1:] and np.all(np.asarray(self.constant(node, 0)) == 1):
            self.complement = node.outputs[0]
        elif node.op == "Concat" and self.probability is not None:
            if list(node.inputs) != [self.complement, self.probability]:
                raise self.wrong(node, "expected 1 - p, then p")
            self.probability = None
        elif node.op not in _DRESSING:
            raise self.wrong(node, f"a {node.op} behind the class scores: export without what decides after them")
        elif node.op in ("Softmax", "LogSoftmax", "ArgMax") and node.attributes.get("axis", 1) not in (1, -1):
            raise self.wrong(node, f"it runs over axis {node.attributes['axis']}, expected the classes")
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
            raise self.wrong(node, f"it calls the classes {', '.join(names[:4])}, another node {', '.join(self.chain.labels[:4])}")
        self.chain.labels = names

_HANDLERS: dict[str, Callable[[_Walk, Node], None]] = {
    **dict.fromkeys(("Identity", "Dropout", "Cast"), _Walk._same),
    **dict.fromkeys(("Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose"), _Walk._reshape),
    **dict.fromkeys(("AveragePool", "GlobalAveragePool", "MaxPool", "GlobalMaxPool"), _Walk._pool),
    "Conv": _Walk._convolution,
    "Pad": _Walk._pad,
    "ReduceMean": _Walk._mean,
    **dict.fromkeys(("Add", "Sum", "Sub", "Mul", "Div"), _Walk._arithmetic),
    **dict.fromkeys(("Relu", "LeakyRelu", "PRelu", "Clip"), _Walk._relu),
    **dict.fromkeys(("Softmax", "LogSoftmax", "Sigmoid", "ArgMax"), _Walk._end),
    "MatMul": _Walk._matmul,
    "Gemm": _Walk._gemm,
    "BatchNormalization": _Walk._normalization,
    "ai.onnx.ml.Scaler": _Walk._scaler,
    "ai.onnx.ml.LinearClassifier": _Walk._linear_classifier,
}
