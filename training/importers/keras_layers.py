"""From a Keras model in memory to steps: layer by layer from its input to its output, through models inside models."""

from __future__ import annotations

import math

import numpy as np

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.training.activations import rational
from zkpredict.training.importers.imported import Answer, Imported
from zkpredict.training.importers.keras_archive import CONVOLUTIONS, LAYERS, MODELS, nearest
from zkpredict.training.importers.maps import Map, convolution_grid, max_pool_grid, pool_size, ungrouped, zero_padding
from zkpredict.training.importers.folding import fold
from zkpredict.training.importers.steps import INPUT, End, Linear, MaxPool, Pad, Placed, Pool, Rational, Relu, Scale, Step, Sum

_ACTIVATIONS = "relu, leaky_relu or softsign (hidden), or linear, softmax, sigmoid (last)"


def keras_model(keras, model, what: str, threshold: float | None = None) -> Imported:
    """The float model of a Keras model. Raises `UnsupportedNetwork`, naming the layer, for anything but layers that are read, one behind another or
    joined by Add."""
    reader = _Reader(keras, what)
    reader.read(model)
    folded = fold(reader.placed, what, threshold)
    first = next((type(layer).__name__ for layer in reader.layers if type(layer).__name__ not in ("InputLayer", "Flatten", "Reshape", "Dropout")), "")
    convention = {"Rescaling": "rescaling", "Normalization": "moments", "BatchNormalization": "moments"}.get(first)
    if folded.end == "sigmoid":
        answer = Answer(None, "sigmoid", threshold=0.5 if threshold is None else threshold)
    else:
        answer = Answer(None, "scores") if threshold is None else Answer(None, "value", threshold=threshold)
    return Imported(what, folded, convention, answer)


def is_rational(layer) -> bool:
    """Whether a Keras layer is one of `zkpredict.training.layers`."""
    from zkpredict.training.layers import LAYERS as RATIONAL

    return type(layer) in RATIONAL.values()


def _fed(tensor) -> list:
    """The tensors that what made this one was fed."""
    history = tensor._keras_history
    return list(history.operation._inbound_nodes[history.node_index].input_tensors)


def _origin(tensor) -> tuple[int, int]:
    """What made a tensor, in which of its calls."""
    history = tensor._keras_history
    return id(history.operation), history.node_index


class _Reader:
    """`placed`: the steps that were read; `layers`: those they were read from."""

    def __init__(self, keras, what: str) -> None:
        self.keras, self.what = keras, what
        self.placed: list[Placed] = []
        self.layers: list = []

    def read(self, model, entrance: int = INPUT) -> int:
        """Reads a model, or one in a model, that is fed what step `entrance` gives; the number of the step that gives its output."""
        if not model.built:
            raise UnsupportedNetwork(f"{self.what} has no input shape yet: build it first")
        if len(model.inputs) != 1 or len(model.outputs) != 1:
            raise UnsupportedNetwork(f"{self.what} has {len(model.inputs)} inputs and {len(model.outputs)} outputs, expected one of each")
        if isinstance(model, self.keras.Sequential):
            for layer in model.layers:
                entrance = self._layer(layer, [entrance])
            return entrance
        at = {_origin(model.inputs[0]): entrance}
        for tensor in self._walked(model):
            at[_origin(tensor)] = self._layer(tensor._keras_history.operation, [at[_origin(fed)] for fed in _fed(tensor)])
        return at[_origin(model.outputs[0])]

    def _walked(self, model) -> list:
        """The tensors of a Functional model that its output depends on, each behind those it is made of."""
        done, found, waiting = {_origin(model.inputs[0])}, [], [(model.outputs[0], False)]
        while waiting:
            tensor, ready = waiting.pop()
            if _origin(tensor) in done:
                continue
            if not ready:
                waiting += [(tensor, True), *((fed, False) for fed in _fed(tensor)[::-1])]
                continue
            layer = tensor._keras_history.operation
            if any(layer is other._keras_history.operation for other in found):
                raise self._wrong(layer, "it is used more than once: give each use a layer of its own")
            done.add(_origin(tensor))
            found.append(tensor)
        used = [tensor._keras_history.operation for tensor in found]
        beside = [layer for layer in model.layers if type(layer).__name__ != "InputLayer" and not any(layer is other for other in used)]
        if beside:
            raise self._wrong(beside[0], "the output does not depend on it: leave it out")
        return found

    def _layer(self, layer, fed: list[int]) -> int:
        """Reads a layer that is fed what the steps `fed` give; the number of the step that gives its output."""
        if type(layer).__name__ in MODELS and isinstance(layer, self.keras.Model):
            return self.read(layer, *fed)
        self.layers.append(layer)
        for step in self.steps(layer):
            self.placed.append(Placed(step, tuple(fed)))
            fed = [len(self.placed) - 1]
        return fed[0]

    def steps(self, layer) -> list[Step]:
        """What one layer does, in steps. Raises `UnsupportedNetwork` for a layer or setting that is not read."""
        kind = type(layer).__name__
        if is_rational(layer):
            return [Rational(layer.name, layer.form)]
        if type(layer) is not getattr(self.keras.layers, kind, None) or kind not in LAYERS:
            raise UnsupportedNetwork(f"{self.what}: layer '{layer.name}' is a {kind}{'' if kind not in LAYERS else ' of another module'}: {nearest(kind)}")
        name = layer.name
        if kind == "Rescaling":
            return [Scale(name, *(self._spread(layer, np.asarray(part, np.float64), -1) for part in (layer.scale, layer.offset)))]
        if kind == "Normalization":
            return [self._normalization(layer)]
        if kind == "BatchNormalization":
            return [self._batch_normalization(layer)]
        if kind == "Flatten" and layer.data_format != "channels_last":
            raise self._wrong(layer, f"data_format is {layer.data_format}, expected channels_last")
        if kind in CONVOLUTIONS:
            return [self._convolution(layer, kind), *self._activation(layer, getattr(layer.activation, "__name__", str(layer.activation)))]
        if kind in ("AveragePooling2D", "GlobalAveragePooling2D"):
            return [self._fitting(layer, lambda shape: Pool(name, Map.of(shape), pool_size(shape, kind, layer.get_config())))]
        if kind in ("MaxPooling2D", "GlobalMaxPooling2D"):
            return [self._fitting(layer, lambda shape: MaxPool(name, max_pool_grid(shape, kind, layer.get_config())))]
        if kind == "ZeroPadding2D":
            return [self._fitting(layer, lambda shape: Pad(name, *zero_padding(shape, layer.get_config())))]
        if kind == "Dense":
            return [self._linear(layer), *self._activation(layer, getattr(layer.activation, "__name__", str(layer.activation)))]
        if kind == "Add":
            return [Sum(name)]
        if kind == "Activation":
            return self._activation(layer, getattr(layer.activation, "__name__", str(layer.activation)))
        if kind == "ReLU":
            if layer.max_value is not None or layer.threshold:
                raise self._wrong(layer, "only plain ReLU and LeakyReLU are supported: no max_value, no threshold")
            return [Relu(name, float(layer.negative_slope or 0))]
        if kind == "LeakyReLU":
            return [Relu(name, float(layer.negative_slope))]
        if kind == "Softmax":
            if layer.axis not in (-1, 1):
                raise self._wrong(layer, f"softmax runs over axis {layer.axis}, expected the last one")
            return [End(name, "softmax")]
        return []

    def _activation(self, layer, name: str) -> list[Step]:
        if name == "linear":
            return []
        if name in ("relu", "leaky_relu"):
            return [Relu(layer.name, 0.0 if name == "relu" else 0.2)]
        if name == "softsign":
            return [Rational(layer.name, rational("softsign", 1.0))]
        if name in ("softmax", "sigmoid"):
            return [End(layer.name, name)]
        raise self._wrong(layer, f"activation {name} is not supported, use {_ACTIVATIONS}")

    def _linear(self, layer) -> Linear:
        if layer.quantization_mode is not None or getattr(layer, "lora_enabled", False):
            raise self._wrong(layer, "its kernel is quantised or has LoRA: give the float model")
        if len(layer.input.shape) != 2:
            raise self._wrong(layer, f"its input has the shape {tuple(layer.input.shape)}, put Flatten before it")
        weights = self._numbers(layer.kernel).T
        return Linear(layer.name, weights, self._numbers(layer.bias) if layer.use_bias else np.zeros(len(weights)))

    def _convolution(self, layer, kind: str) -> Linear:
        if getattr(layer, "quantization_mode", None) is not None or getattr(layer, "lora_enabled", False):
            raise self._wrong(layer, "its kernel is quantised or has LoRA: give the float model")
        grid = self._fitting(layer, lambda shape: convolution_grid(shape, layer.get_config()))
        if kind == "Conv2D":
            kernel, groups = self._numbers(layer.kernel).transpose(3, 0, 1, 2), layer.groups  # rows, columns, channels, outputs
        else:
            kernel, groups = self._each_channel(layer.kernel if kind == "DepthwiseConv2D" else layer.depthwise_kernel), grid.channels
        weights = self._fitting(layer, lambda _: ungrouped(kernel, groups))
        if kind == "SeparableConv2D":
            weights = self._numbers(layer.pointwise_kernel)[0, 0].T @ weights
        return Linear(layer.name, weights, self._numbers(layer.bias) if layer.use_bias else np.zeros(len(weights)), grid)

    def _each_channel(self, kernel) -> np.ndarray:
        """A depthwise kernel [rows, columns, channels, multiplier] as kernels of one channel: [channels * multiplier, rows, columns, 1]."""
        rows, columns, channels, multiplier = kernel.shape
        return self._numbers(kernel).reshape(rows, columns, channels * multiplier).transpose(2, 0, 1)[..., None]

    def _fitting(self, layer, make):
        """What `make` makes of the shape that a layer reads. What it refuses is refused as the layer's."""
        try:
            return make(layer.input.shape[1:])
        except UnsupportedNetwork as error:
            raise self._wrong(layer, str(error)) from None

    def _normalization(self, layer) -> Scale:
        if layer.invert:
            raise self._wrong(layer, "it is inverted: it multiplies by deviations")
        mean, variance = self._numbers(layer.mean), self._numbers(layer.variance)
        mean, deviation = (self._spread(layer, part, None) for part in (mean, np.maximum(np.sqrt(variance), 1e-7)))
        return Scale(layer.name, 1 / deviation, -mean / deviation, (mean, deviation))

    def _batch_normalization(self, layer) -> Scale:
        mean, variance = self._numbers(layer.moving_mean), self._numbers(layer.moving_variance)
        gamma = self._numbers(layer.gamma) if layer.scale else np.ones_like(mean)
        beta = self._numbers(layer.beta) if layer.center else np.zeros_like(mean)
        mean, variance, gamma, beta = (self._spread(layer, part, layer.axis) for part in (mean, variance, gamma, beta))
        plain = Scale.of_moments(layer.name, mean, variance, layer.epsilon)
        return Scale(layer.name, plain.factor * gamma, plain.offset * gamma + beta, plain.moments)

    def _spread(self, layer, values: np.ndarray, axis: int | None) -> np.ndarray:
        """One number, or one for each number of the layer's input; `axis`: along which a vector lies, None when it has all axes."""
        if values.size == 1:
            return values.reshape(())
        shape = tuple(layer.input.shape)
        if axis is not None and values.ndim == 1:
            axes = [1] * len(shape)
            axes[axis] = len(values)
            values = values.reshape(axes)
        if math.prod(shape[1:]) > 1 << 16:
            raise self._wrong(layer, f"it scales {math.prod(shape[1:])} numbers one by one, beyond the limits")
        try:
            return np.broadcast_to(values, (1, *shape[1:])).reshape(-1)
        except ValueError:
            raise self._wrong(layer, f"its scale has the shape {list(values.shape)}, its input {list(shape)}") from None

    def _numbers(self, tensor) -> np.ndarray:
        return np.asarray(self.keras.ops.convert_to_numpy(tensor)).astype(np.float64)

    def _wrong(self, layer, reason: str) -> UnsupportedNetwork:
        return UnsupportedNetwork(f"{self.what}: layer '{layer.name}': {reason}")
