"""Folding steps into layers with an activation each, as exact algebra.

A Scale joins the Linear beside it, two dense Linears become one, an average Pool and a Pad go into the geometry of the Linear behind them, LeakyReLU
becomes two ReLU neurons (z -> relu(z), relu(-z), whose difference with the slope is what the next layer reads), ReLU and a MaxPool change places
where the pool comes first, and one output z becomes the two logits [0, z].
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.networks.convolution import MAX_OUTPUTS
from zkpredict.circuits.networks.dense import MAX_LAYERS, MAX_WEIGHTS, MAX_WIDTH
from zkpredict.circuits.networks.grid import Grid
from zkpredict.circuits.networks.reference import MAX_MAPPED_LAYERS
from zkpredict.training.activations import RELU
from zkpredict.training.floating import FloatLayer, FloatMaxPool
from zkpredict.training.importers.steps import End, Linear, MaxPool, Pad, Pool, Rational, Relu, Scale, Step


@dataclass(frozen=True, eq=False)
class Folded:
    """`layers` over `entry.factor * x + entry.offset` of the model's inputs x; `notes`: what was rewritten."""

    layers: tuple[FloatLayer, ...]
    entry: Scale | None
    end: str | None
    notes: tuple[str, ...]


def relu_first(steps: list[Step]) -> list[Step]:
    """The steps with each plain Relu in front of the MaxPools that it follows: the largest stays the largest."""
    found: list[Step] = []
    for step in steps:
        place = len(found)
        while isinstance(step, Relu) and not step.slope and place and isinstance(found[place - 1], MaxPool):
            place -= 1
        found.insert(place, step)
    return found


def covering(step: Linear) -> Linear:
    """A kernel with one position as a kernel as large as its map, zero where it does not read: the same numbers, as a dense layer holds them."""
    grid = step.grid
    if grid is None or grid.count > 1 or grid.covers:
        return step
    height, width, channels = grid.pooled
    window = grid.windows()[0]
    weights = np.zeros((len(step.weights), height * width * channels))
    weights[:, window[window >= 0]] = step.weights[:, window >= 0]
    return replace(step, weights=weights, grid=Grid(grid.height, grid.width, channels, height, width, pool=grid.pool))


def fold(steps: list[Step], what: str, threshold: float | None = None) -> Folded:
    """The layers of a chain of steps. `what` starts every error; `threshold`: what one output must exceed to be class 1.

    Raises `UnsupportedNetwork`, naming the step, for a chain that is no classifier of dense layers, convolutions and pools.
    """
    return _Folding(what, threshold).run(steps)


class _Folding:
    def __init__(self, what: str, threshold: float | None) -> None:
        self.what, self.threshold = what, threshold
        self.entry: Scale | None = None
        self.waiting: Scale | None = None
        self.pool: Pool | None = None
        self.pad: Pad | None = None
        self.dense: list[Linear | MaxPool] = []
        self.active: list[Relu | Rational | None] = []
        self.end: End | None = None
        self.notes: list[str] = []

    def run(self, steps: list[Step]) -> Folded:
        take = {
            Scale: self._scale, Linear: self._linear, Pool: self._pool, MaxPool: self._largest, Pad: self._padded, Relu: self._relu,
            Rational: self._rational, End: self._finish,
        }  # fmt: skip
        for step in relu_first(steps):
            if self.end is not None:
                raise self._wrong(step.name, f"it follows the {self.end.kind} of '{self.end.name}': nothing may")
            if self.pad is not None and not isinstance(step, (Linear, MaxPool, Pad)):
                raise self._wrong(step.name, f"it reads what '{self.pad.name}' pads with zeros: padding goes into a convolution or a max pool right behind it")
            take[type(step)](step)
        if not self.dense:
            raise UnsupportedNetwork(f"{self.what} has no dense layer")
        if isinstance(self.dense[-1], MaxPool) or self.pad is not None:
            raise self._wrong((self.pad or self.dense[-1]).name, "it is the last layer: the outputs must be logits, of a Dense behind it")
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
        layers = tuple(
            FloatMaxPool.of(step.name, step.grid) if isinstance(step, MaxPool) else FloatLayer(step.name, step.weights, step.bias, kind, step.grid)
            for step, kind in zip(self.dense, activations, strict=True)
        )
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

    def _padded(self, step: Pad) -> None:
        if self.pad is not None:
            step = Pad(step.name, self.pad.read, tuple(a + b for a, b in zip(self.pad.pads, step.pads, strict=True)))
        self.pad = step

    def _behind_pad(self, step: Linear | MaxPool) -> Linear | MaxPool:
        """The layer with the padding in front of it in its grid."""
        pad, self.pad = self.pad, None
        if pad is None:
            return step
        grid = step.grid
        if grid is None:
            raise self._wrong(step.name, f"it reads what '{pad.name}' pads with zeros: leave the padding out, or put it in front of a convolution")
        own = (grid.pad_top, grid.pad_left, grid.pad_bottom, grid.pad_right)
        top, left, bottom, right = (a + b for a, b in zip(pad.pads, own, strict=True))
        most = min(grid.kernel_height, grid.kernel_width) - 1
        if max(top, bottom) >= grid.kernel_height or max(left, right) >= grid.kernel_width:
            raise self._wrong(
                pad.name, f"it pads {max(top, left, bottom, right)} zeros before '{step.name}', whose windows of {grid.kernel_height} x {grid.kernel_width} "
                f"take at most {most} at a side"
            )  # fmt: skip
        read = {"height": pad.read.height, "width": pad.read.width, "pad_top": top, "pad_left": left, "pad_bottom": bottom, "pad_right": right}
        return replace(step, grid=replace(grid, **read))

    def _largest(self, step: MaxPool) -> None:
        step = self._behind_pad(step)
        pads = (step.grid.pad_top, step.grid.pad_left, step.grid.pad_bottom, step.grid.pad_right)
        if not self.dense:
            raise self._wrong(step.name, "it takes the largest of the picture's own bytes: put a convolution before it")
        if self.pool is not None:
            raise self._wrong(step.name, f"it takes the largest of the averages of '{self.pool.name}': only one kind of pool at a time")
        if self.active[-1] is None:
            raise self._wrong(step.name, f"there is no activation between '{self.dense[-1].name}' and it: put relu before the pool")
        if isinstance(self.active[-1], Rational) or self.active[-1].slope:
            raise self._wrong(step.name, f"it takes the largest of what '{self.active[-1].name}' gives, which may be negative: use relu before the pool")
        if self.waiting is not None:
            factor, offset = (self._of_channels(step, part) for part in (self.waiting.factor, self.waiting.offset))
            if (factor <= 0).any() or any(pads):
                raise self._wrong(step.name, f"'{self.waiting.name}' before it scales by what is not positive, or it pads: put the scale behind the pool")
            self.waiting = Scale(self.waiting.name, factor, offset)
        if step.inputs != self.dense[-1].outputs:
            raise self._wrong(step.name, f"it takes {step.inputs} values, '{self.dense[-1].name}' before it gives {self.dense[-1].outputs}")
        self._append(step, Relu(step.name))

    def _of_channels(self, step: MaxPool, values: np.ndarray) -> np.ndarray:
        """One number for each channel."""
        channels = step.grid.channels
        table = np.broadcast_to(values, (np.size(values) if np.ndim(values) else channels,)).reshape(-1, channels)
        if (table != table[0]).any():
            raise self._wrong(step.name, "what it reads is scaled differently from position to position")
        return table[0]

    def _append(self, step: Linear | MaxPool, active: Relu | None) -> None:
        mapped = step.grid is not None or any(other.grid is not None for other in self.dense)
        most = MAX_MAPPED_LAYERS if mapped else MAX_LAYERS
        if len(self.dense) == most:
            raise self._wrong(step.name, f"it is layer {most + 1}, at most {most} are taken")
        self.dense.append(step)
        self.active.append(active)

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
        convolution, step = step.grid is not None, self._behind_pool(self._behind_pad(step))
        (rows, columns), inputs = step.weights.shape, step.inputs
        if not (0 < columns <= MAX_WIDTH and 0 < rows <= MAX_WIDTH and rows * columns <= MAX_WEIGHTS):
            raise self._wrong(step.name, f"it makes {rows} values of {columns}, beyond the limits ({MAX_WIDTH} wide)")
        if max(inputs, step.outputs) > (MAX_OUTPUTS if step.grid or any(other.grid for other in self.dense) else MAX_WIDTH):
            raise self._wrong(step.name, f"it makes {step.outputs} numbers of {inputs}, beyond the limits ({MAX_OUTPUTS} a map)")
        if self.dense and self.dense[-1].outputs != inputs:
            raise self._wrong(step.name, f"it takes {inputs} values, '{self.dense[-1].name}' before it gives {self.dense[-1].outputs}")
        if convolution and any(other.grid is None for other in self.dense):
            raise self._wrong(step.name, "it is a convolution behind a dense layer: convolutions come first, then dense layers")
        step = covering(self._behind_scale(step))
        if self.dense and self.active[-1] is None:
            step = self._merged(step)
        self._append(step, None)

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
