"""What importers give: a float model as layers with activations, and what the file says about its inputs and classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.order import Picture
from zkpredict.circuits.files.schema import BadSchema, Schema
from zkpredict.training.floating import FloatLayer, FloatNetwork
from zkpredict.training.importers.folding import Folded
from zkpredict.training.inputs import BYTES, CHOICES, InputScale, input_names, scale_of_moments


@dataclass(frozen=True, eq=False)
class Answer:
    """How the original says its class: `output` by name (None: its only one), `kind` "scores", "sigmoid", "value" or "labels".

    `labels`: what it calls class 0, 1, ... when it answers with labels; `threshold`: above which one output is class 1.
    """

    output: str | None
    kind: str
    labels: tuple[str, ...] = ()
    threshold: float = 0.0


@dataclass(frozen=True, eq=False)
class Imported:
    """A float model over its own inputs, whatever they are: `over(scale)` makes it a network over bytes.

    `source`: what errors and output call it; `convention`: "rescaling", "moments" or None when it says nothing about its inputs;
    `features`, `classes`: names, or empty; `answer`: how the original is asked; `turned`: where the original takes pictures channels first, the
    place among ours (channels last) of each of its inputs, int64 [inputs].
    """

    source: str
    folded: Folded = field(repr=False)
    convention: str | None
    answer: Answer
    features: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    turned: np.ndarray | None = field(default=None, repr=False)

    @property
    def layers(self) -> tuple[FloatLayer, ...]:
        return self.folded.layers

    @property
    def inputs(self) -> int:
        return self.layers[0].inputs

    @property
    def picture(self) -> Picture | None:
        """What its first layer reads, where that is a map."""
        grid = self.layers[0].grid
        return None if grid is None else grid.picture

    def as_original(self, values: np.ndarray) -> np.ndarray:
        """Inputs in the order in which the original takes them, [rows, inputs] each."""
        return values if self.turned is None else values[:, self.turned]

    @property
    def names(self) -> Sequence[str]:
        """The names of the inputs, made up when the model has none."""
        return self.features or input_names(self.inputs)

    def found(self) -> InputScale | None:
        """How a byte becomes an input, as far as the model says; None when it does not. Raises `UnusableInput`."""
        entry = self.folded.entry
        if self.convention == "rescaling":
            factor, offset = np.ravel(entry.factor)[0], np.ravel(entry.offset)[0]
            said = f"bytes 0 to 255 as they are: '{entry.name}' in the model scales them itself, to {factor:.6g} * byte + {offset:.6g}"
            return replace(BYTES, said=said)
        if self.convention == "moments":
            return scale_of_moments(*entry.moments, self.names, self.inputs, f"'{entry.name}' in the model")
        return None

    def demand(self) -> InputScale:
        """As `found`. Raises `UnusableInput`, saying what to type, when the model does not say."""
        scale = self.found()
        if scale is None:
            raise UnusableInput(
                f"{self.source} does not say how its inputs are scaled (it begins with no Rescaling, Normalization or BatchNormalization): "
                f"add --input-scale with {CHOICES}; or --calibrate DATA, readings as the model was trained on"
            )
        return scale

    def over(self, scale: InputScale) -> FloatNetwork:
        """The network over bytes."""
        entry = self.folded.entry
        factor, offset = (1.0, 0.0) if entry is None else (entry.factor, entry.offset)
        return FloatNetwork(self.layers, _plain(factor * scale.factor), _plain(factor * scale.offset + offset))

    def schema(self, scale: InputScale, classes: Sequence[str] = ()) -> Schema:
        """What a model of this network says about bytes and classes. Raises `UnusableInput` when the names do not fit."""
        names = tuple(classes) or scale.schema.classes or self.classes
        try:
            schema = Schema(scale.schema.features, names)
            schema.check_shape(self.inputs, len(self.layers[-1].bias))
        except BadSchema as error:
            raise UnusableInput(f"{self.source}: {error}") from None
        return schema


def _plain(value) -> float | np.ndarray:
    """One number where all are the same array of none or one dimension of size one."""
    array = np.asarray(value, np.float64)
    return float(array) if array.ndim == 0 else array
