"""The float twin of a network: what other systems are given, as steps that any exporter knows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.networks.activations import RELU, RELU8
from zkpredict.circuits.networks.convolution import ConvLayer
from zkpredict.circuits.networks.grid import Grid
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork

POOL = 2
"""Windows of pools have this many numbers a side, and lie side by side."""
_TOP = 255.0
_BATCH = 250


@dataclass(frozen=True)
class Step:
    """One step: `kind` is dense, convolution, average_pool, max_pool, relu or flatten. `weights` is [outputs, inputs], or
    [channels out, channels in, size, size], and `bias` [outputs], for those that have them. Maps lie channels first."""

    kind: str
    weights: np.ndarray | None = None
    bias: np.ndarray | None = None


def with_relu(layers: Iterable[Step]) -> list[Step]:
    """The layers with a ReLU between them."""
    return [step for layer in layers for step in (layer, Step("relu"))][:-1]


def float_steps(network: IntegerNetwork) -> list[Step]:
    """The integers as floats over pixels in 0..1, each layer scaled to weights of at most 1. `relu8` becomes ReLU: what it cuts off
    at 255 stays, where a picture reaches it.

    Raises `UnsupportedNetwork` for what other systems are not given: other activations, residuals, padding, strides.
    """
    unit, shape, found = _TOP, None, []
    for number, layer in enumerate(network.layers):
        _check(network, number)
        if layer.wiring.largest:
            found.append(Step("max_pool"))
            shape = (*layer.grid.positions, layer.grid.channels)
            continue
        weights, bias = layer.weights * unit / 2.0**layer.shift, layer.bias / 2.0**layer.shift
        unit = max(1.0, float(np.abs(weights).max()))
        step, shape = _layer(layer, weights / unit, bias / unit, shape)
        found += [*step, Step("relu")]
    return found[:-1]


def _layer(layer: DenseLayer, weights: np.ndarray, bias: np.ndarray, shape: tuple[int, ...] | None) -> tuple[list[Step], tuple[int, ...] | None]:
    """The steps of one layer that reads a map of `shape` (rows, columns, channels; None: numbers in a row), and the shape that it makes."""
    before: list[Step] = []
    if isinstance(layer, ConvLayer):
        grid = layer.grid
        shape = grid.pooled
        if grid.pool > 1:
            before.append(Step("average_pool"))
            weights = weights * grid.pool**2
        if not grid.covers:
            kernels = _channels_first(weights, (grid.kernel_height, grid.kernel_width, grid.channels))
            return [*before, Step("convolution", kernels, bias)], (*grid.positions, layer.channels)
    if shape is not None:
        weights = _channels_first(weights, shape).reshape(len(bias), -1)
        before.append(Step("flatten"))
    return [*before, Step("dense", weights, bias)], None


def _channels_first(weights: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return weights.reshape(-1, *shape).transpose(0, 3, 1, 2)


def _check(network: IntegerNetwork, number: int) -> None:
    layer, what = network.layers[number], f"layer {number} of {network.name} has"
    if layer.wiring.sources or layer.wiring.beside:
        raise UnsupportedNetwork(f"{what} residuals: other systems are given none of those")
    if number < len(network.layers) - 1 and layer.activation not in (RELU, RELU8):
        raise UnsupportedNetwork(f"{what} activation {layer.activation}: other systems are given ReLU only")
    grid = layer.grid
    if grid is not None and not plain(grid, POOL if layer.wiring.largest else 1):
        raise UnsupportedNetwork(f"{what} padding, strides or windows that other systems are not given")


def plain(grid: Grid, stride: int = 1) -> bool:
    """Whether other systems are given these windows: square, of this stride, without padding."""
    square = grid.kernel_height == grid.kernel_width and (stride == 1 or grid.kernel_height == stride)
    pads = (grid.pad_top, grid.pad_left, grid.pad_bottom, grid.pad_right)
    return square and grid.stride == stride and grid.pool in (1, POOL) and not any(pads)


def infer(steps: Sequence[Step], pixels: np.ndarray) -> np.ndarray:
    """The logits of float steps, for pixels in 0..1, float [count, *input shape]."""
    parts = [pixels[start : start + _BATCH] for start in range(0, len(pixels), _BATCH)]
    for step in steps:
        parts = [_applied(step, part) for part in parts]
    return np.concatenate(parts)


def _applied(step: Step, values: np.ndarray) -> np.ndarray:
    if step.kind == "relu":
        return np.maximum(values, 0)
    if step.kind == "flatten":
        return values.reshape(len(values), -1)
    if step.kind in ("average_pool", "max_pool"):
        count, channels, height, width = values.shape
        windows = values.reshape(count, channels, height // POOL, POOL, width // POOL, POOL)
        return windows.mean(axis=(3, 5)) if step.kind == "average_pool" else windows.max(axis=(3, 5))
    weights, bias = weighted(step)
    if step.kind == "dense":
        return values @ weights.T + bias
    windows = sliding_window_view(values, weights.shape[2:], axis=(2, 3))
    met = np.tensordot(windows, weights, axes=((1, 4, 5), (1, 2, 3)))
    return np.moveaxis(met + bias, -1, 1)


def weighted(step: Step) -> tuple[np.ndarray, np.ndarray]:
    """Weights and bias of a step that has them. Raises `UnsupportedNetwork` for another."""
    if step.weights is None or step.bias is None:
        raise UnsupportedNetwork(f"a step of kind {step.kind} has no weights")
    return step.weights, step.bias


def save_floats(steps: Sequence[Step], input_shape: tuple[int, ...], classes: int, path: Path) -> None:
    """Writes the steps for `peers/onnx_file.py`: an npz of `kinds`, `input_shape`, `classes`, `weightsN`, `biasN`."""
    arrays = {"kinds": np.array([step.kind for step in steps]), "input_shape": np.array(input_shape), "classes": np.array(classes)}
    for number, step in enumerate(steps):
        if step.weights is not None:
            arrays[f"weights{number}"], arrays[f"bias{number}"] = weighted(step)
    np.savez(path, **arrays)
