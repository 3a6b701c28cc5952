"""A trained network as plain float arrays: what Keras hands over and what quantisation starts from. No TensorFlow here."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from zkpredict.circuits.errors import UnsupportedNetwork, UnusableInput
from zkpredict.training.activations import RELU, FloatActivation

UNIT_PIXEL = 1 / 255


@dataclass(frozen=True, eq=False)
class FloatLayer:
    """One dense layer. `weights` float [outputs, inputs], `bias` float [outputs]; `name` is what errors call it; `activation` is what a
    hidden layer does to each value.

    Held as float64. Raises `UnsupportedNetwork` on other shapes and on values that are not finite.
    """

    name: str
    weights: np.ndarray = field(repr=False)
    bias: np.ndarray = field(repr=False)
    activation: FloatActivation = RELU

    def __post_init__(self) -> None:
        weights, bias = np.asarray(self.weights), np.asarray(self.bias)
        if weights.ndim != 2 or 0 in weights.shape:
            raise UnsupportedNetwork(f"layer '{self.name}': weights must have shape [outputs, inputs], got {weights.shape}")
        if bias.shape != (weights.shape[0],):
            raise UnsupportedNetwork(f"layer '{self.name}': bias must have shape ({weights.shape[0]},), got {bias.shape}")
        for what, array in (("weights", weights), ("bias", bias)):
            if array.dtype.kind != "f":
                raise UnsupportedNetwork(f"layer '{self.name}': {what} must be floats, got dtype {array.dtype}")
            wrong = np.argwhere(~np.isfinite(array))
            if len(wrong):
                place = tuple(wrong[0].tolist())
                raise UnsupportedNetwork(
                    f"layer '{self.name}': {len(wrong)} {what} not finite, the first at "
                    f"{list(place)} is {array[place]}"
                )
            frozen = array.astype(np.float64)
            frozen.flags.writeable = False
            object.__setattr__(self, what, frozen)


@dataclass(frozen=True, eq=False)
class FloatNetwork:
    """Dense layers with activations between them; the last one gives logits.

    The network is fed `pixel_scale * byte + pixel_offset` for each input byte: one number each (1/255 and 0: unit pixels, what a
    network written in numpy has unless it says otherwise), or float arrays [inputs], one number a feature.
    """

    layers: tuple[FloatLayer, ...]
    pixel_scale: float | np.ndarray = UNIT_PIXEL
    pixel_offset: float | np.ndarray = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        if not self.layers:
            raise UnsupportedNetwork("a network has at least one dense layer")
        for before, after in pairwise(self.layers):
            if before.weights.shape[0] != after.weights.shape[1]:
                raise UnsupportedNetwork(
                    f"layer '{before.name}' has {before.weights.shape[0]} outputs "
                    f"but layer '{after.name}' has {after.weights.shape[1]} inputs"
                )
        for what in ("pixel_scale", "pixel_offset"):
            found = np.asarray(getattr(self, what), np.float64)
            if found.shape not in ((), (self.shape[0],)) or not np.isfinite(found).all():
                raise UnsupportedNetwork(f"{what} must be one finite number, or one for each of the {self.shape[0]} inputs, got {found.shape}")

    @property
    def shape(self) -> tuple[int, ...]:
        """Widths from input to output, for instance (784, 64, 10)."""
        return (self.layers[0].weights.shape[1], *(layer.weights.shape[0] for layer in self.layers))

    @property
    def over_bytes(self) -> tuple[FloatLayer, ...]:
        """The same function with the input scale folded into the first layer, so that inputs are the bytes themselves."""
        first = self.layers[0]
        folded = FloatLayer(
            first.name,
            first.weights * self.pixel_scale,
            first.bias + first.weights @ np.broadcast_to(self.pixel_offset, first.weights.shape[1:]),
            first.activation,
        )
        return (folded, *self.layers[1:])

    def pre_activations(self, images: np.ndarray) -> list[np.ndarray]:
        """Float64 values of each layer [batch, width] before its activation, for uint8 images [batch, inputs]; logits last."""
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.ndim != 2 or images.shape[1] != self.shape[0]:
            raise UnusableInput(f"images must be uint8 [batch, {self.shape[0]}], got {images.dtype} {list(images.shape)}")
        values, found = images.astype(np.float64), []
        for layer in self.over_bytes:
            found.append(values @ layer.weights.T + layer.bias)
            values = layer.activation(found[-1])
        return found

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Float64 logits [batch, classes] for uint8 images [batch, inputs]."""
        return self.pre_activations(images)[-1]

    def digits(self, images: np.ndarray) -> np.ndarray:
        """The class of each image, int64 [batch]: lowest index of the largest logit."""
        return np.argmax(self.logits(images), axis=1)
