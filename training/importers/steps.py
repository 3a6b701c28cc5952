"""What every importer reads a model into: steps from input to output, folded here into layers with an activation each.

    Scale      x -> factor * x + offset, per feature         Rescaling, Normalization, BatchNormalization, StandardScaler, Mul, Add
    Linear     x -> W x + b                                   Dense, Gemm, MatMul
               with a grid: one kernel at all positions    Conv2D
    Pool       x -> averages of windows, side by side     AveragePooling2D, GlobalAveragePooling2D
    Relu       x -> max(x, slope * x)                         slope 0: ReLU; else LeakyReLU
    Rational   one of `zkpredict.training.activations`        RationalSquare, RationalRelu, Softsign
    End        softmax, argmax: the largest logit stays the largest; sigmoid: one output, above or below one half

Folding is exact algebra: a Scale joins the Linear beside it, two Linears become one, LeakyReLU becomes two ReLU neurons
(z -> relu(z), relu(-z), whose difference with the slope is what the next layer reads), and one output z becomes the two logits [0, z].
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.networks.dense import MAX_LAYERS, MAX_WEIGHTS, MAX_WIDTH
from zkpredict.circuits.networks.convolution import MAX_OUTPUTS, Grid
from zkpredict.training.activations import RELU, FloatActivation
from zkpredict.training.floating import FloatLayer
from zkpredict.training.importers.maps import Map

ENDS = ("softmax", "argmax", "sigmoid")


@dataclass(frozen=True, eq=False)
class Scale:
    """`factor` and `offset`: numbers, or float arrays [features]. `moments`: mean and deviation, where it takes them out."""

    name: str
    factor: np.ndarray = field(repr=False)
    offset: np.ndarray = field(repr=False)
    moments: tuple[np.ndarray, np.ndarray] | None = field(default=None, repr=False)

    @classmethod
    def of_moments(cls, name: str, mean: np.ndarray, variance: np.ndarray, epsilon: float = 0.0) -> Scale:
        """(x - mean) / sqrt(variance + epsilon)."""
        mean, deviation = np.asarray(mean, np.float64), np.sqrt(np.asarray(variance, np.float64) + epsilon)
        return cls(name, 1 / deviation, -mean / deviation, (mean, deviation))


@dataclass(frozen=True, eq=False)
class Linear:
    """`weights` float [outputs, inputs], `bias` float [outputs]; with a `grid` float [channels, taps] and [channels]."""

    name: str
    weights: np.ndarray = field(repr=False)
    bias: np.ndarray = field(repr=False)
    grid: Grid | None = None

    @property
    def inputs(self) -> int:
        return self.weights.shape[1] if self.grid is None else self.grid.inputs

    @property
    def outputs(self) -> int:
        return len(self.bias) * (1 if self.grid is None else self.grid.count)


@dataclass(frozen=True)
class Pool:
    """Averages of `size` x `size` positions of the map `read`, side by side; what is left at the edges is dropped."""

    name: str
    read: Map
    size: int


@dataclass(frozen=True)
class Relu:
    name: str
    slope: float = 0.0


@dataclass(frozen=True)
class Rational:
    name: str
    activation: FloatActivation


@dataclass(frozen=True)
class End:
    """`kind`: one of `ENDS`."""

    name: str
    kind: str


Step = Scale | Linear | Pool | Relu | Rational | End


@dataclass(frozen=True, eq=False)
class Folded:
    """`layers` over `entry.factor * x + entry.offset` of the model's inputs x; `notes`: what was rewritten."""

    layers: tuple[FloatLayer, ...]
    entry: Scale | None
    end: str | None
    notes: tuple[str, ...]


def fold(steps: list[Step], what: str, threshold: float | None = None) -> Folded:
    """The layers of a chain of steps. `what` starts every error; `threshold`: what one output must exceed to be class 1.

    Raises `UnsupportedNetwork`, naming the step, for a chain that is no classifier of dense layers and convolutions.
    """
    return _Folding(what, threshold).run(steps)


class _Folding:
    def __init__(self, what: str, threshold: float | None) -> None:
        self.what, self.threshold = what, threshold
        self.entry: Scale | None = None
        self.waiting: Scale | None = None
        self.pool: Pool | None = None
        self.dense: list[Linear] = []
        self.active: list[Relu | Rational | None] = []
        self.end: End | None = None
        self.notes: list[str] = []

    def run(self, steps: list[Step]) -> Folded:
        for step in steps:
            if self.end is not None:
                raise self._wrong(step.name, f"it follows the {self.end.kind} of '{self.end.name}': nothing may")
            steps = {Scale: self._scale, Linear: self._linear, Pool: self._pool, Relu: self._relu, Rational: self._rational, End: self._finish}
            steps[type(step)](step)
        if not self.dense:
            raise UnsupportedNetwork(f"{self.what} has no dense layer")
        if self.pool is not None:
            raise self._wrong(self.pool.name, "it is the last layer: the outputs must be logits, of a Dense behind it")
        if self.active[-1] is not None:
            raise self._wrong(self.active[-1].name, "it is the last layer: the outputs must be logits, or softmax or sigmoid of them")
        last = self.dense[-1]
        if last.outputs != len(last.bias):
            raise self._wrong(last.name, "it is the last layer and hands on a map: put Flatten and Dense behind it, which give the classes")
        self._decide()
        self._split_leaks()
        activations = (active.activation if isinstance(active, Rational) else RELU for active in self.active)
        layers = tuple(FloatLayer(step.name, step.weights, step.bias, kind, step.grid) for step, kind in zip(self.dense, activations, strict=True))
        return Folded(layers, self.entry, self.end.kind if self.end else None, tuple(self.notes))

    def _scale(self, step: Scale) -> None:
        if not (np.isfinite(step.factor).all() and np.isfinite(step.offset).all()):
            raise self._wrong(step.name, "it scales by what is not finite (a deviation of zero, or NaN)")
        if not self.dense:
            self.entry = step if self.entry is None else self._joined(self.entry, step)
        elif self.active[-1] is None:
            last = self.dense[-1]
            factor, offset = (self._of_outputs(step, part) for part in (step.factor, step.offset))
            self.dense[-1] = replace(last, weights=last.weights * factor[:, None], bias=last.bias * factor + offset)
        else:
            self.waiting = step if self.waiting is None else self._joined(self.waiting, step)

    def _joined(self, first: Scale, then: Scale) -> Scale:
        return Scale(then.name, first.factor * then.factor, first.offset * then.factor + then.offset, first.moments)

    def _of_outputs(self, step: Scale, values: np.ndarray) -> np.ndarray:
        """One number for each output, of a convolution each channel, of the last layer."""
        last = self.dense[-1]
        table = np.broadcast_to(values, (np.size(values) if np.ndim(values) else len(last.bias),)).reshape(-1, len(last.bias))
        if (table != table[0]).any():
            raise self._wrong(step.name, f"it scales positions differently, and '{last.name}' has one kernel for all of them")
        return table[0]

    def _behind_scale(self, step: Linear) -> Linear:
        """The layer with the scale in front of it folded in."""
        scale, self.waiting = self.waiting, None
        if scale is None:
            return step
        try:
            found = FloatLayer(step.name, step.weights, step.bias, grid=step.grid).over(scale.factor, scale.offset)
        except UnsupportedNetwork as error:
            raise UnsupportedNetwork(f"{self.what}: {error}") from None
        return replace(step, weights=found.weights, bias=found.bias)

    def _pool(self, step: Pool) -> None:
        if self.dense and self.active[-1] is None:
            raise self._wrong(step.name, f"there is no activation between '{self.dense[-1].name}' and it: put relu before the pool")
        if self.pool is not None:
            step = Pool(step.name, self.pool.read, self.pool.size * step.size)
        self.pool = step

    def _behind_pool(self, step: Linear) -> Linear:
        """The layer with the pool in front of it in its grid: it reads sums, whose division is in its weights."""
        pool, self.pool = self.pool, None
        if pool is None:
            return step
        height, width, channels = pool.read.shape
        size, grid = pool.size, step.grid
        kernel = (height // size, width // size) if grid is None else (grid.kernel_height, grid.kernel_width)
        own = Grid(height, width, channels, *kernel, pool=size) if grid is None else replace(grid, height=height, width=width, pool=size)
        if own.taps != step.weights.shape[1]:
            raise self._wrong(step.name, f"it takes {step.inputs} values, '{pool.name}' before it gives {height // size * (width // size) * channels}")
        return replace(step, weights=step.weights / size**2, grid=own)

    def _linear(self, step: Linear) -> None:
        convolution, step = step.grid is not None, self._behind_pool(step)
        (rows, columns), inputs = step.weights.shape, step.inputs
        if not (0 < columns <= MAX_WIDTH and 0 < rows <= MAX_WIDTH and rows * columns <= MAX_WEIGHTS):
            raise self._wrong(step.name, f"it makes {rows} values of {columns}, beyond the limits ({MAX_WIDTH} wide)")
        if max(inputs, step.outputs) > (MAX_OUTPUTS if step.grid or any(other.grid for other in self.dense) else MAX_WIDTH):
            raise self._wrong(step.name, f"it makes {step.outputs} numbers of {inputs}, beyond the limits ({MAX_OUTPUTS} a map)")
        if self.dense and self.dense[-1].outputs != inputs:
            raise self._wrong(step.name, f"it takes {inputs} values, '{self.dense[-1].name}' before it gives {self.dense[-1].outputs}")
        if convolution and any(other.grid is None for other in self.dense):
            raise self._wrong(step.name, "it is a convolution behind a dense layer: convolutions come first, then dense layers")
        step = self._behind_scale(step)
        if self.dense and self.active[-1] is None:
            step = self._merged(step)
        if len(self.dense) == MAX_LAYERS:
            raise self._wrong(step.name, f"it is layer {MAX_LAYERS + 1}, at most {MAX_LAYERS} are taken")
        self.dense.append(step)
        self.active.append(None)

    def _merged(self, step: Linear) -> Linear:
        """The layer that the last one, which has no activation, and `step` are together."""
        last = self.dense.pop()
        self.active.pop()
        if last.grid is not None or step.grid is not None:
            raise self._wrong(step.name, f"there is no activation between '{last.name}' and it: put relu between them")
        if np.count_nonzero(last.weights) > len(last.bias):
            self.notes.append(f"'{last.name}' and '{step.name}' have no activation between them: they are one layer")
        return Linear(step.name, step.weights @ last.weights, step.weights @ last.bias + step.bias)

    def _relu(self, step: Relu) -> None:
        if not self.dense:
            raise self._wrong(step.name, "it acts on the inputs: an activation must follow a dense layer")
        if not (np.isfinite(step.slope) and 0 <= step.slope < 1):
            raise self._wrong(step.name, f"its slope below zero is {step.slope}, expected 0 to 1")
        if self.active[-1] is None:
            self.active[-1] = step
        elif self.waiting is not None or step.slope or not isinstance(self.active[-1], Relu) or self.active[-1].slope:
            raise self._wrong(step.name, "two activations follow each other")

    def _rational(self, step: Rational) -> None:
        if not self.dense:
            raise self._wrong(step.name, "it acts on the inputs: an activation must follow a dense layer")
        if self.active[-1] is not None:
            raise self._wrong(step.name, "two activations follow each other")
        self.active[-1] = step

    def _finish(self, step: End) -> None:
        if not self.dense or self.active[-1] is not None:
            raise self._wrong(step.name, f"{step.kind} must directly follow the last dense layer")
        self.end = step

    def _decide(self) -> None:
        """Makes a classifier of at least two classes, or refuses."""
        last, outputs = self.dense[-1], len(self.dense[-1].bias)
        kind = self.end.kind if self.end else None
        if outputs > 1:
            if kind == "sigmoid":
                raise self._wrong(
                    self.end.name, f"sigmoid of {outputs} outputs: these are {outputs} independent labels, of which a proof states none; "
                    "train one model a label, or use softmax when only one of them holds"
                )  # fmt: skip
            if self.threshold is not None:
                raise UnsupportedNetwork(f"{self.what} has {outputs} outputs: --threshold is for models of one")
            return
        if kind in ("softmax", "argmax"):
            raise self._wrong(self.end.name, f"{kind} of one output is the same for every input: there is nothing to prove")
        threshold = 0.0
        if kind is None:
            if self.threshold is None:
                raise UnsupportedNetwork(
                    f"{self.what}: layer '{last.name}' has one output and no sigmoid: that is a regression, and a proof says classes. "
                    "If classes are meant, add --threshold T (class 1 is an output above T; T = 0 for a logit)"
                )
            threshold = self.threshold
        elif self.threshold is not None:
            if not 0 < self.threshold < 1:
                raise UnsupportedNetwork(f"{self.what}: --threshold is a probability behind a sigmoid, between 0 and 1")
            threshold = float(np.log(self.threshold / (1 - self.threshold)))
        zeros = np.zeros_like(last.weights)
        self.dense[-1] = replace(last, weights=np.concatenate([zeros, last.weights]), bias=np.concatenate([[0.0], last.bias - threshold]))
        at = f"its sigmoid is above {self.threshold or 0.5}" if kind else f"it is above {threshold:g}"
        self.notes.append(f"one output z becomes two classes with the logits 0 and z{f' - {threshold:g}' if threshold else ''}: class 1 when {at}")

    def _split_leaks(self) -> None:
        """relu(z), relu(-z) beside each other in place of each leaky z: max(z, s z) = relu(z) - s relu(-z) for 0 <= s < 1."""
        for number, relu in enumerate(self.active):
            if not isinstance(relu, Relu) or not relu.slope:
                continue
            layer, after = self.dense[number], self.dense[number + 1]
            self.dense[number] = replace(layer, weights=np.concatenate([layer.weights, -layer.weights]), bias=np.concatenate([layer.bias, -layer.bias]))
            read = after.weights.reshape(len(after.bias), -1, len(layer.bias))  # position by position, channels last
            doubled = np.concatenate([read, -relu.slope * read], axis=2).reshape(len(after.bias), -1)
            grid = None if after.grid is None else replace(after.grid, channels=2 * after.grid.channels)
            self.dense[number + 1] = replace(after, weights=doubled, grid=grid)
            self.notes.append(f"'{relu.name}' is LeakyReLU: its {len(layer.bias)} neurons become {2 * len(layer.bias)} with ReLU, exactly")

    def _wrong(self, name: str, reason: str) -> UnsupportedNetwork:
        return UnsupportedNetwork(f"{self.what}: layer '{name}': {reason}")
