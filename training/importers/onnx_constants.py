"""ONNX operators on constants, as far as exporters leave them in: shapes to reshape to, and weights to transpose."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from zkpredict.training.importers.onnx_files import DOUBLE, FLOAT, FLOAT16, Node

FLOATS = (FLOAT, DOUBLE, FLOAT16)
"""Element types of floats."""


def _made(node: Node) -> object:
    """The value of a Constant node, whichever attribute holds it."""
    for key in ("value", "value_float", "value_int", "value_floats", "value_ints", "value_strings"):
        if node.attributes.get(key) is not None:
            found = node.attributes[key]
            return found if isinstance(found, tuple) else np.asarray(found)
    raise ValueError("no value")


def _slice(node: Node, value: np.ndarray, *given: np.ndarray) -> np.ndarray:
    """A part of a constant: starts, ends, axes and steps are inputs, or (before opset 10) attributes."""
    starts, ends, *rest = [np.ravel(part).astype(int).tolist() for part in given] or [node.attributes[key] for key in ("starts", "ends")]
    axes = rest[0] if rest else node.attributes.get("axes") or range(len(starts))
    steps = rest[1] if len(rest) > 1 else [1] * len(starts)
    parts = [slice(None)] * value.ndim
    for axis, *own in zip(axes, starts, ends, steps, strict=True):
        parts[axis] = slice(*own)
    return value[tuple(parts)]


CONSTANT_OPERATORS: dict[str, Callable[..., object]] = {
    "Constant": lambda node: _made(node),
    "Identity": lambda node, value: value,
    "Cast": lambda node, value: value.astype(np.float64 if node.attributes["to"] in FLOATS else np.int64),
    "Transpose": lambda node, value: value.transpose(node.attributes.get("perm")),
    "Reshape": lambda node, value, shape: value.reshape([int(n) for n in shape]),
    "Squeeze": lambda node, value, axes=None: value.squeeze(tuple(node.attributes.get("axes") or (() if axes is None else map(int, axes))) or None),
    "Unsqueeze": lambda node, value, axes=None: np.expand_dims(value, tuple(node.attributes.get("axes") or map(int, axes))),
    "Slice": _slice,
    "Gather": lambda node, value, at: np.take(value, at.astype(np.int64), axis=node.attributes.get("axis", 0)),
    "Concat": lambda node, *values: np.concatenate([np.atleast_1d(value) for value in values], axis=node.attributes.get("axis", 0)),
}
"""Operators on constants; each takes the node and its inputs."""
