"""ONNX files as graphs of nodes and constants, read from the bytes themselves: no library runs over them, and nothing in them runs.

(onnx.proto, ONNX IR version 3 to 13.) Everything must lie in the file: weights in other files, functions and subgraphs are refused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork
from zkpredict.circuits.networks.dense import MAX_WEIGHTS
from zkpredict.training.importers.protobuf import BYTES, EIGHT, FOUR, fields, integers, message, single, text, whole

OPSETS = {"": range(7, 23), "ai.onnx.ml": range(1, 6)}
MAX_NODES, MAX_TENSORS, MAX_RANK, MAX_INTEGER_BYTES = 4096, 4096, 8, 1 << 20
FLOAT, INT32, INT64, STRING, FLOAT16, DOUBLE = 1, 6, 7, 8, 10, 11
_KINDS = {FLOAT: "<f4", INT32: "<i4", INT64: "<i8", FLOAT16: "<f2", DOUBLE: "<f8", 2: "|u1", 3: "|i1", 9: "|b1"}
_TYPED = {4: (FOUR, "<f4"), 10: (EIGHT, "<f8")}
"""Fields of a tensor that hold floats one by one, with their wire type and dtype."""


@dataclass(frozen=True, eq=False)
class Node:
    """One operator: `op` is its type, with its domain before a dot when that is not ONNX's own."""

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, object] = field(repr=False)

    @property
    def label(self) -> str:
        """What errors call it."""
        return self.name or (self.outputs[0] if self.outputs else self.op)


@dataclass(frozen=True)
class Value:
    """An input or output: its element type (0: no tensor) and shape, None for a size that is not fixed."""

    name: str
    kind: int
    shape: tuple[int | None, ...] | None


@dataclass(frozen=True, eq=False)
class Graph:
    """`constants` by name: float64 or int64 arrays, or tuples of texts."""

    nodes: tuple[Node, ...]
    constants: dict[str, np.ndarray | tuple[str, ...]] = field(repr=False)
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    opset: int


def parse_onnx(data: bytes, what: str) -> Graph:
    """The graph of an ONNX model. Raises `MalformedFile` for what is none, `UnsupportedNetwork` for what is not read."""
    graph, opsets = None, {}
    for number, wire, value in fields(memoryview(data), what):
        if number == 7:
            if graph is not None:
                raise MalformedFile(f"{what}: two graphs")
            graph = message(wire, value, what)
        elif number == 8:
            domain, version = _opset(message(wire, value, what), what)
            opsets[domain] = version
        elif number == 25:
            raise UnsupportedNetwork(f"{what}: defines functions of its own: export the plain operators")
    if graph is None or not opsets:
        raise MalformedFile(f"{what}: not an ONNX model: it has no {'graph' if graph is None else 'operator set'}")
    for domain, version in opsets.items():
        known = OPSETS.get("" if domain == "ai.onnx" else domain)
        if known is not None and version not in known:
            shown = domain or "ai.onnx"
            raise UnsupportedNetwork(f"{what}: opset {version} of {shown}, read are {known[0]} to {known[-1]}: export it with opset_version={known[-1] - 5}")
    return _GraphReader(what).read(graph, opsets.get("", opsets.get("ai.onnx", 0)))


def _opset(data: memoryview, what: str) -> tuple[str, int]:
    domain, version = "", 0
    for number, wire, value in fields(data, what):
        if number == 1:
            domain = text(wire, value, what)
        elif number == 2:
            version = whole(wire, value, what)
    return domain, version


class _GraphReader:
    def __init__(self, what: str) -> None:
        self.what = what
        self.elements = 0

    def read(self, data: memoryview, opset: int) -> Graph:
        nodes, constants, inputs, outputs = [], {}, [], []
        for number, wire, value in fields(data, self.what):
            if number == 1:
                nodes.append(self._node(message(wire, value, self.what)))
            elif number == 5:
                name, tensor = self._tensor(message(wire, value, self.what))
                constants[name] = tensor
            elif number in (11, 12):
                (inputs if number == 11 else outputs).append(self._value(message(wire, value, self.what)))
            elif number == 15:
                raise UnsupportedNetwork(f"{self.what}: has sparse weights: export dense ones")
            if len(nodes) > MAX_NODES or len(constants) > MAX_TENSORS:
                raise UnsupportedNetwork(f"{self.what}: has more than {MAX_NODES} nodes or {MAX_TENSORS} tensors")
        inputs = [value for value in inputs if value.name not in constants]
        return Graph(tuple(nodes), constants, tuple(inputs), tuple(outputs), opset)

    def _node(self, data: memoryview) -> Node:
        inputs, outputs, attributes, name, op, domain = [], [], {}, "", "", ""
        for number, wire, value in fields(data, self.what):
            if number in (1, 2):
                (inputs if number == 1 else outputs).append(text(wire, value, self.what))
            elif number == 3:
                name = text(wire, value, self.what)
            elif number == 4:
                op = text(wire, value, self.what)
            elif number == 7:
                domain = text(wire, value, self.what)
            elif number == 5:
                key, setting = self._attribute(message(wire, value, self.what))
                attributes[key] = setting
        full = op if domain in ("", "ai.onnx") else f"{domain}.{op}"
        return Node(full, name, tuple(inputs), tuple(outputs), attributes)

    def _attribute(self, data: memoryview) -> tuple[str, object]:
        name, found, floats, whole_numbers, texts = "", None, [], [], []
        for number, wire, value in fields(data, self.what):
            if number == 1:
                name = text(wire, value, self.what)
            elif number == 2:
                found = single(wire, value, self.what)
            elif number == 3:
                found = whole(wire, value, self.what)
            elif number == 4:
                found = text(wire, value, self.what)
            elif number == 5:
                found = self._tensor(message(wire, value, self.what))[1]
            elif number == 7:
                floats.append(self._numbers(wire, value, FOUR, "<f4"))
            elif number == 8:
                whole_numbers += self._integers(wire, value)
            elif number == 9:
                texts.append(text(wire, value, self.what))
            elif number in (6, 11):
                found = None  # a subgraph: whoever asks for it finds nothing
        if floats:
            found = np.concatenate(floats)
        return name, found if found is not None else (whole_numbers or tuple(texts) or None)

    def _tensor(self, data: memoryview) -> tuple[str, np.ndarray | tuple[str, ...]]:
        name, kind, dims, raw, parts, texts = "", 0, [], None, [], []
        for number, wire, value in fields(data, self.what):
            if number == 1:
                dims += self._integers(wire, value)
            elif number == 2:
                kind = whole(wire, value, self.what)
            elif number in _TYPED:
                parts.append(self._numbers(wire, value, *_TYPED[number]))
            elif number in (5, 7):
                parts.append(np.array(self._integers(wire, value), np.int64))
            elif number == 6:
                texts.append(text(wire, value, self.what))
            elif number == 8:
                name = text(wire, value, self.what)
            elif number == 9:
                raw = message(wire, value, self.what)
            elif number in (13, 14) and value:
                raise UnsupportedNetwork(f"{self.what}: tensor '{name}' lies in another file: save the model in one file, with its weights")
        return name, self._filled(f"tensor '{name}'", kind, dims, raw, parts, tuple(texts))

    def _filled(self, label: str, kind: int, dims: list[int], raw, parts: list, texts: tuple[str, ...]):
        """The array of a tensor's parts. Raises when they are not as many as its shape says."""
        if len(dims) > MAX_RANK or any(size < 0 for size in dims):
            raise MalformedFile(f"{self.what}: {label} has the shape {dims}")
        count = math.prod(dims)
        self.elements += count
        if self.elements > MAX_WEIGHTS:
            raise UnsupportedNetwork(f"{self.what}: holds more than {MAX_WEIGHTS} numbers")
        if kind == STRING:
            if len(texts) != count:
                raise MalformedFile(f"{self.what}: {label} holds {len(texts)} texts, its shape {dims} asks for {count}")
            return texts
        if kind not in _KINDS:
            raise UnsupportedNetwork(f"{self.what}: {label} has element type {kind}: only plain floats and integers are read")
        if raw is not None:
            if len(raw) != count * np.dtype(_KINDS[kind]).itemsize:
                raise MalformedFile(f"{self.what}: {label} holds {len(raw)} bytes, its shape {dims} asks for {count} numbers")
            values = np.frombuffer(raw, _KINDS[kind])
        else:
            values = np.concatenate(parts) if parts else np.zeros(0)
            if kind == FLOAT16:  # written as the bits of each number
                values = values.astype(np.uint16).view(np.float16)
        if values.size != count:
            raise MalformedFile(f"{self.what}: {label} holds {values.size} numbers, its shape {dims} asks for {count}")
        wide = np.float64 if kind in (FLOAT, DOUBLE, FLOAT16) else np.int64
        if wide == np.int64 and values.dtype.kind == "f" and count:
            raise MalformedFile(f"{self.what}: {label} is of integers and holds floats")
        with np.errstate(invalid="ignore"):
            return values.astype(wide).reshape(dims)

    def _numbers(self, wire: int, value, single_wire: int, dtype: str) -> np.ndarray:
        if wire not in (single_wire, BYTES) or len(value) % np.dtype(dtype).itemsize:
            raise MalformedFile(f"{self.what}: a broken list of numbers")
        with np.errstate(invalid="ignore"):  # a signalling NaN stays a NaN, and is refused where weights are
            return np.frombuffer(value, dtype).astype(np.float64)

    def _integers(self, wire: int, value) -> list[int]:
        if wire == BYTES and len(value) > MAX_INTEGER_BYTES:
            raise UnsupportedNetwork(f"{self.what}: a list of integers of {len(value)} bytes: weights must be floats")
        return list(integers(wire, value, self.what))

    def _value(self, data: memoryview) -> Value:
        name, kind, shape = "", 0, None
        for number, wire, value in fields(data, self.what):
            if number == 1:
                name = text(wire, value, self.what)
            elif number == 2:
                for inner, inner_wire, inner_value in fields(message(wire, value, self.what), self.what):
                    if inner == 1:
                        kind, shape = self._tensor_type(message(inner_wire, inner_value, self.what))
        return Value(name, kind, shape)

    def _tensor_type(self, data: memoryview) -> tuple[int, tuple[int | None, ...] | None]:
        kind, shape = 0, None
        for number, wire, value in fields(data, self.what):
            if number == 1:
                kind = whole(wire, value, self.what)
            elif number == 2:
                dims = [self._dimension(message(w, v, self.what)) for n, w, v in fields(message(wire, value, self.what), self.what) if n == 1]
                shape = tuple(dims[: MAX_RANK + 1])
        return kind, shape

    def _dimension(self, data: memoryview) -> int | None:
        for number, wire, value in fields(data, self.what):
            if number == 1:
                return whole(wire, value, self.what)
        return None
