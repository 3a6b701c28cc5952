"""Folding steps into layers with an activation each, as exact algebra.

A Scale joins the Linear beside it, two dense Linears become one, an average Pool and a Pad go into the geometry of the Linear behind them, LeakyReLU
becomes two ReLU neurons (z -> relu(z), relu(-z), whose difference with the slope is what the next layer reads), ReLU and a MaxPool change places
where the pool comes first, a Sum goes into what the layer behind it reads, or into the kernels of the layer in front of it, and one output z
becomes the two logits [0, z].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.networks.convolution import MAX_OUTPUTS
from zkpredict.circuits.networks.dense import MAX_LAYERS, MAX_WEIGHTS, MAX_WIDTH
from zkpredict.circuits.networks.grid import MAX_CHANNELS, Grid
from zkpredict.circuits.networks.reference import MAX_MAPPED_LAYERS
from zkpredict.circuits.networks.wiring import Reading, Wiring
from zkpredict.training.activations import RELU, FloatActivation
from zkpredict.training.floating import FloatLayer, FloatMaxPool
from zkpredict.training.importers.drafts import ONE, Draft, Ended, Handed, Part, Value
from zkpredict.training.importers.maps import summed
from zkpredict.training.importers.steps import INPUT, End, Linear, MaxPool, Pad, Placed, Pool, Rational, Relu, Scale, Step, Sum
from zkpredict.training.importers.windows import behind_pad, behind_pool, covering


@dataclass(frozen=True, eq=False)
class Folded:
    """`layers` over `entry.factor * x + entry.offset` of the model's inputs x; `notes`: what was rewritten."""

    layers: tuple[FloatLayer, ...]
    entry: Scale | None
    end: str | None
    notes: tuple[str, ...]


def fold(steps: Sequence[Placed], what: str, threshold: float | None = None) -> Folded:
    """The layers of a model's steps, whose last one gives the answer. `what` starts every error; `threshold`: what one output must exceed to be class 1.

    Raises `UnsupportedNetwork`, naming the step, for what is no classifier of dense layers, convolutions, pools and sums of them.
    """
    return _Folding(what, threshold).run(steps)


class _Folding:
    def __init__(self, what: str, threshold: float | None) -> None:
        self.what, self.threshold = what, threshold
        self.entry: Scale | None = None
        self.layers: list[FloatLayer] = []
        self.slopes: dict[int, float] = {}
        self.sums: list[str] = []
        self.notes: list[str] = []

    def run(self, steps: Sequence[Placed]) -> Folded:
        values: dict[int, Value] = {INPUT: Handed("the input", {INPUT: ONE}, ())}
        for number, placed in enumerate(steps):
            values[number] = self._take(placed.step, [values[read] for read in placed.reads])
        last = values[len(steps) - 1]
        draft, end = (last.draft, last.end) if isinstance(last, Ended) else (last, None)
        if isinstance(draft, Handed):
            raise self._no_logits(draft)
        if draft.pools:
            raise self._before_pool(draft)
        if draft.outputs != len(draft.bias):
            raise self._wrong(draft.name, "it is the last layer and hands on a map: put Flatten and Dense behind it, which give the classes")
        self._layer(self._decide(draft, end), RELU)
        if self.layers[0].grid is None and not all(layer.wiring.plain for layer in self.layers):
            raise self._wrong(self.sums[0], "it adds what dense layers give: a network with sums begins with a convolution")
        return Folded(tuple(self.layers), self.entry, end.kind if end else None, tuple(self.notes))

    def _no_logits(self, value: Handed) -> UnsupportedNetwork:
        if not self.layers:
            return UnsupportedNetwork(f"{self.what} has no dense layer")
        waiting = value.pad or value.pool
        if waiting is not None or isinstance(self.layers[-1], FloatMaxPool) or value.name in self.sums:
            name = value.name if waiting is None else waiting.name
            return self._wrong(name, "it is the last layer: the outputs must be logits, of a Dense behind it")
        return self._wrong(value.name, "it is the last layer: the outputs must be logits, or softmax or sigmoid of them")

    def _take(self, step: Step, given: list[Value]) -> Value:
        found: list[Handed | Draft] = []
        for value in given:
            if isinstance(value, Ended):
                raise self._wrong(step.name, f"it follows the {value.end.kind} of '{value.end.name}': nothing may")
            if isinstance(value, Handed) and value.pad is not None and not isinstance(step, (Linear, MaxPool, Pad)):
                raise self._wrong(step.name, f"it reads what '{value.pad.name}' pads with zeros: padding goes into a convolution or a max pool right behind it")
            if isinstance(value, Draft) and value.pools and not (isinstance(step, MaxPool) or (isinstance(step, Relu) and not step.slope)):
                raise self._before_pool(value)
            found.append(value)
        if isinstance(step, Sum):
            return self._sum(step, found)
        take = {
            Scale: self._scale, Linear: self._linear, Pool: self._pool, MaxPool: self._largest, Pad: self._padded, Relu: self._relu,
            Rational: self._rational, End: self._finish,
        }  # fmt: skip
        return take[type(step)](step, *found)

    def _before_pool(self, draft: Draft) -> UnsupportedNetwork:
        return self._wrong(draft.pools[0].name, f"there is no activation between '{draft.name}' and it: put relu before the pool")

    # what is done to maps

    def _scale(self, step: Scale, value: Handed | Draft) -> Value:
        if not (np.isfinite(step.factor).all() and np.isfinite(step.offset).all()):
            raise self._wrong(step.name, "it scales by what is not finite (a deviation of zero, or NaN)")
        if isinstance(value, Draft):
            return value.scaled(*(self._of_outputs(step, value, part) for part in (step.factor, step.offset)))
        first = value.scale
        if first is not None:
            step = Scale(step.name, first.factor * step.factor, first.offset * step.factor + step.offset, first.moments)
        return replace(value, scale=step)

    def _of_outputs(self, step: Scale, draft: Draft, values: np.ndarray) -> np.ndarray:
        """One number for each output, of a convolution each channel."""
        table = np.broadcast_to(values, (np.size(values) if np.ndim(values) else len(draft.bias),)).reshape(-1, len(draft.bias))
        if (table != table[0]).any():
            raise self._wrong(step.name, f"it scales positions differently, and '{draft.name}' has one kernel for all of them")
        return table[0]

    def _pool(self, step: Pool, value: Handed | Draft) -> Value:
        if isinstance(value, Draft):
            raise self._wrong(step.name, f"there is no activation between '{value.name}' and it: put relu before the pool")
        if value.pool is not None:
            (first, then), read = (value.pool.size, step.size), value.pool.read
            step = Pool(step.name, read, (first[0] * then[0], first[1] * then[1]))
        return replace(value, pool=step)

    def _padded(self, step: Pad, value: Handed | Draft) -> Value:
        if isinstance(value, Draft):
            raise self._wrong(step.name, f"there is no activation between '{value.name}' and it: put relu before the padding")
        if value.pad is not None:
            step = Pad(step.name, value.pad.read, tuple(a + b for a, b in zip(value.pad.pads, step.pads, strict=True)))
        return replace(value, pad=step)

    def _largest(self, step: MaxPool, value: Handed | Draft) -> Value:
        if isinstance(value, Draft):
            return replace(value, pools=(*value.pools, step))
        step = behind_pad(step, value.pad, self._wrong)
        pads = (step.grid.pad_top, step.grid.pad_left, step.grid.pad_bottom, step.grid.pad_right)
        if INPUT in value.factors:
            raise self._wrong(step.name, "it takes the largest of the picture's own bytes: put a convolution before it")
        if value.pool is not None:
            raise self._wrong(step.name, f"it takes the largest of the averages of '{value.pool.name}': only one kind of pool at a time")
        if any(self.slopes.get(source) or self.layers[source].activation != RELU for source in value.factors):
            raise self._wrong(step.name, f"it takes the largest of what '{value.name}' gives, which may be negative: use relu before the pool")
        groups = value.groups(self.slopes)
        if len(groups) > 1:
            raise self._wrong(step.name, f"it takes the largest of '{value.name}', whose parts are scaled differently: put the pool before the sum")
        scale = Scale(step.name, groups[0][1], np.zeros(())) if value.scale is None else value.scale
        factor, offset = (self._of_channels(step, part) for part in (scale.factor * (1 if value.scale is None else groups[0][1]), scale.offset))
        if (factor <= 0).any() or (any(pads) and value.scale is not None):
            raise self._wrong(step.name, f"'{scale.name}' before it scales by what is not positive, or it pads: put the scale behind the pool")
        if step.inputs != value.size:
            raise self._wrong(step.name, f"it takes {step.inputs} values, '{self.layers[max(value.factors)].name}' before it gives {value.size}")
        number = self._append(FloatMaxPool.of(step.name, step.grid, self._sources(groups[0][0])))
        moved = None if (factor == 1).all() and not offset.any() else Scale(scale.name, *(np.tile(part, step.grid.count) for part in (factor, offset)))
        return Handed(step.name, {number: ONE}, (*step.grid.positions, step.grid.channels), moved)

    def _of_channels(self, step: MaxPool, values: np.ndarray) -> np.ndarray:
        """One number for each channel."""
        channels = step.grid.channels
        table = np.broadcast_to(values, (np.size(values) if np.ndim(values) else channels,)).reshape(-1, channels)
        if (table != table[0]).any():
            raise self._wrong(step.name, "what it reads is scaled differently from position to position")
        return table[0]

    def _linear(self, step: Linear, value: Handed | Draft) -> Draft:
        if isinstance(value, Handed):
            step = behind_pool(behind_pad(step, value.pad, self._wrong), value.pool, self._wrong)
        self._check_sizes(step, value)
        if isinstance(value, Draft):
            return self._merged(covering(step), value)
        scale, offset = value.scale, np.zeros(())
        if INPUT in value.factors:
            if self.entry is not None and self.entry is not scale:
                raise self._wrong(step.name, "it reads the picture at another scale than a layer before it")
            self.entry, scale = scale, None
        parts, groups = [], value.groups(self.slopes)
        if len(groups) > 1 and step.grid is None:
            step = replace(step, grid=self._whole(step, value))
        for sources, factor in groups:
            over = self._over(step, factor if scale is None else factor * scale.factor, np.zeros(()))
            parts.append(self._part(over, sources, value.shape))
        if scale is not None:
            offset = scale.offset
        return Draft(step.name, tuple(parts), self._over(step, ONE, offset).bias)

    def _whole(self, step: Linear, value: Handed) -> Grid:
        """The grid of a dense layer."""
        height, width, channels = value.shape if len(value.shape) == 3 else (1, 1, value.size)
        if channels > MAX_CHANNELS:
            raise self._wrong(step.name, f"it reads a sum of {channels} numbers whose parts are scaled differently, at most {MAX_CHANNELS} are taken")
        return Grid(height, width, channels, height, width)

    def _check_sizes(self, step: Linear, value: Handed | Draft) -> None:
        rows, columns = step.weights.shape
        if not (0 < columns <= MAX_WIDTH and 0 < rows <= MAX_WIDTH and rows * columns <= MAX_WEIGHTS):
            raise self._wrong(step.name, f"it makes {rows} values of {columns}, beyond the limits ({MAX_WIDTH} wide)")
        before = [*self.layers, value] if isinstance(value, Draft) else self.layers
        mapped = step.grid is not None or any(layer.grid is not None for layer in before)
        if max(step.inputs, step.outputs) > (MAX_OUTPUTS if mapped else MAX_WIDTH):
            raise self._wrong(step.name, f"it makes {step.outputs} numbers of {step.inputs}, beyond the limits ({MAX_OUTPUTS} a map)")
        size = value.outputs if isinstance(value, Draft) else value.size if value.shape else step.inputs
        if size != step.inputs:
            raise self._wrong(step.name, f"it takes {step.inputs} values, '{self._giver(value)}' before it gives {size}")
        if step.grid is not None and any(layer.grid is None for layer in before):
            raise self._wrong(step.name, "it is a convolution behind a dense layer: convolutions come first, then dense layers")

    def _giver(self, value: Handed | Draft) -> str:
        """The layer that gives a value."""
        return value.name if isinstance(value, Draft) or value.name in self.sums else self.layers[max(value.factors)].name

    def _over(self, step: Linear, factor: np.ndarray, offset: np.ndarray) -> Linear:
        """The layer that does with x what `step` does with factor * x + offset."""
        if (factor == 1).all() and not offset.any():
            return step
        try:
            found = FloatLayer(step.name, step.weights, step.bias, grid=step.grid).over(factor, offset)
        except UnsupportedNetwork as error:
            raise UnsupportedNetwork(f"{self.what}: {error}") from None
        return replace(step, weights=found.weights, bias=found.bias)

    def _part(self, step: Linear, sources: tuple[int, ...], shape: tuple[int, ...]) -> Part:
        """What `step` does with the sum of `sources`; of a leaky z, which is handed on as relu(z), relu(-z): max(z, s z) = relu(z) - s relu(-z)."""
        step, slope = covering(step), self.slopes.get(sources[0])
        if not slope:
            return Part(sources, step.weights, step.grid)
        read = step.weights.reshape(len(step.bias), -1, shape[-1])  # position by position, channels last
        doubled = np.concatenate([read, -slope * read], axis=2).reshape(len(step.bias), -1)
        return Part(sources, doubled, None if step.grid is None else replace(step.grid, channels=2 * step.grid.channels))

    def _merged(self, step: Linear, last: Draft) -> Draft:
        """The layer that `last`, which has no activation, and `step` are together."""
        if last.grid is not None or step.grid is not None:
            raise self._wrong(step.name, f"there is no activation between '{last.name}' and it: put relu between them")
        (part,) = last.parts
        if np.count_nonzero(part.weights) > len(last.bias):
            self.notes.append(f"'{last.name}' and '{step.name}' have no activation between them: they are one layer")
        return Draft(step.name, (replace(part, weights=step.weights @ part.weights),), step.weights @ last.bias + step.bias)

    def _sum(self, step: Sum, given: list[Handed | Draft]) -> Value:
        if any(isinstance(value, Handed) and INPUT in value.factors for value in given):
            raise self._wrong(step.name, "it adds the model's input itself: put a convolution with relu in front, and add what that gives")
        try:
            shape = summed([value.given for value in given])
        except UnsupportedNetwork as error:
            raise self._wrong(step.name, str(error)) from None
        self.sums.append(step.name)
        if all(isinstance(value, Handed) and value.pool is None for value in given):
            return reduce(lambda one, other: one.plus(other, step.name), given)
        if len(shape) != 3:
            raise self._wrong(step.name, "it adds what a dense layer gives before its activation: put relu before the sum, or the sum before Flatten")
        kernels = sorted(given, key=lambda value: isinstance(value, Handed))
        return reduce(Draft.plus, (value if isinstance(value, Draft) else self._linear(value.as_kernel(step.name), value) for value in kernels))

    # activations

    def _relu(self, step: Relu, value: Handed | Draft) -> Value:
        if isinstance(value, Handed) and INPUT in value.factors:
            raise self._wrong(step.name, "it acts on the inputs: an activation must follow a dense layer")
        if not (np.isfinite(step.slope) and 0 <= step.slope < 1):
            raise self._wrong(step.name, f"its slope below zero is {step.slope}, expected 0 to 1")
        if isinstance(value, Handed):
            if not step.slope and self._never_negative(value):
                return value
            if len(value.given) != 3 or any(self.layers[source].activation != RELU for source in value.factors):
                raise self._wrong(step.name, "two activations follow each other")
            value = self._linear(value.as_kernel(step.name), value)
        found: Value = self._activated(replace(value, pools=()), step.name, step.slope)
        for pool in value.pools:
            found = self._largest(pool, found)
        return found

    def _never_negative(self, value: Handed) -> bool:
        scale = value.scale or Scale("", ONE, np.zeros(()))
        positive = all((factor * scale.factor >= 0).all() for factor in value.factors.values()) and (scale.offset >= 0).all()
        return positive and not any(self.slopes.get(source) or self.layers[source].activation != RELU for source in value.factors)

    def _rational(self, step: Rational, value: Handed | Draft) -> Value:
        if isinstance(value, Handed):
            inputs = INPUT in value.factors
            raise self._wrong(step.name, "it acts on the inputs: an activation must follow a dense layer" if inputs else "two activations follow each other")
        return self._activated(value, step.name, kind=step.activation)

    def _activated(self, draft: Draft, name: str, slope: float = 0.0, kind: FloatActivation = RELU) -> Handed:
        given = draft.given
        if slope:
            parts = tuple(replace(part, weights=np.concatenate([part.weights, -part.weights])) for part in draft.parts)
            self.notes.append(f"'{name}' is LeakyReLU: its {len(draft.bias)} neurons become {2 * len(draft.bias)} with ReLU, exactly")
            draft = replace(draft, parts=parts, bias=np.concatenate([draft.bias, -draft.bias]))
        number = self._layer(draft, kind)
        if slope:
            self.slopes[number] = slope
        return Handed(name, {number: ONE}, given)

    # layers

    def _layer(self, draft: Draft, kind: FloatActivation) -> int:
        """Appends a layer; its number."""
        own, *beside = draft.parts
        if any(INPUT in part.sources for part in draft.parts) and (beside or self.layers):
            raise self._wrong(
                draft.name, "it reads the model's input beside another layer: only the first layer reads it; put a convolution with relu in front, and let both read that"
            )
        wiring = Wiring(self._sources(own.sources), tuple(Reading(part.sources, part.grid) for part in beside if part.grid is not None))
        weights = np.concatenate([part.weights for part in draft.parts], axis=1)
        if weights.size > MAX_WEIGHTS:
            raise self._wrong(draft.name, f"its kernels have {weights.size} weights together, at most {MAX_WEIGHTS} are taken")
        return self._append(FloatLayer(draft.name, weights, draft.bias, kind, own.grid, wiring))

    def _sources(self, sources: tuple[int, ...]) -> tuple[int, ...]:
        """Layers as a wiring has them: none for the layer before alone, or for the input."""
        return () if sources == (len(self.layers) - 1,) else sources

    def _append(self, layer: FloatLayer) -> int:
        number = len(self.layers)
        most = MAX_MAPPED_LAYERS if any(other.grid is not None for other in (*self.layers, layer)) else MAX_LAYERS
        if number == most:
            raise self._wrong(layer.name, f"it is layer {most + 1}, at most {most} are taken")
        try:
            layer.wiring.check(number, layer.grid)
        except UnsupportedNetwork as error:
            raise self._wrong(layer.name, str(error)) from None
        self.layers.append(layer)
        return number

    def _finish(self, step: End, value: Handed | Draft) -> Ended:
        if isinstance(value, Handed):
            raise self._wrong(step.name, f"{step.kind} must directly follow the last dense layer")
        return Ended(value, step)

    def _decide(self, last: Draft, end: End | None) -> Draft:
        """The logits of a classifier of at least two classes."""
        outputs, kind = len(last.bias), end.kind if end else None
        if outputs > 1:
            if end is not None and kind == "sigmoid":
                raise self._wrong(
                    end.name, f"sigmoid of {outputs} outputs: these are {outputs} independent labels, of which a proof states none; "
                    "train one model a label, or use softmax when only one of them holds"
                )  # fmt: skip
            if self.threshold is not None:
                raise UnsupportedNetwork(f"{self.what} has {outputs} outputs: --threshold is for models of one")
            return last
        if end is not None and kind in ("softmax", "argmax"):
            raise self._wrong(end.name, f"{kind} of one output is the same for every input: there is nothing to prove")
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
        at = f"its sigmoid is above {self.threshold or 0.5}" if kind else f"it is above {threshold:g}"
        self.notes.append(f"one output z becomes two classes with the logits 0 and z{f' - {threshold:g}' if threshold else ''}: class 1 when {at}")
        parts = tuple(replace(part, weights=np.concatenate([np.zeros_like(part.weights), part.weights])) for part in last.parts)
        return replace(last, parts=parts, bias=np.concatenate([[0.0], last.bias - threshold]))

    def _wrong(self, name: str, reason: str) -> UnsupportedNetwork:
        return UnsupportedNetwork(f"{self.what}: layer '{name}': {reason}")
