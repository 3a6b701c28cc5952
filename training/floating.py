"""A trained network as plain float arrays: what Keras hands over and what quantisation starts from. No TensorFlow here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from zkpredict.circuits.errors import UnsupportedNetwork, UnusableInput
from zkpredict.circuits.networks.grid import Grid
from zkpredict.circuits.networks.pooling import MaxPoolLayer
from zkpredict.circuits.networks.wiring import PLAIN, Wiring
from zkpredict.training.activations import RELU, FloatActivation

UNIT_PIXEL = 1 / 255
_BATCH = 250
"""Images that are run at once: a convolution reads each number of a map many times."""


@dataclass(frozen=True, eq=False)
class FloatLayer:
    """One layer. `weights` float [outputs, inputs], `bias` float [outputs]; `name` is what errors call it; `activation` is what a
    hidden layer does to each value.

    With a `grid` it is a convolution: `weights` float [channels, taps] and `bias` [channels], over the sums of its pools
    (`zkpredict.circuits.networks.convolution`): an average over p x p numbers is their sum, divided by p^2 in the weights. `wiring` says what it reads,
    where that is not just the layer before (`zkpredict.circuits.networks.wiring`); weights on maps beside its own follow those on its own.

    Held as float64. Raises `UnsupportedNetwork` on other shapes and on values that are not finite.
    """

    name: str
    weights: np.ndarray = field(repr=False)
    bias: np.ndarray = field(repr=False)
    activation: FloatActivation = RELU
    grid: Grid | None = None
    wiring: Wiring = PLAIN

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
        if self.grid is not None and sum(grid.taps for grid in self.grids) != weights.shape[1]:
            raise UnsupportedNetwork(f"layer '{self.name}': a kernel has {weights.shape[1]} weights a channel, its grid {sum(grid.taps for grid in self.grids)}")

    @property
    def grids(self) -> tuple[Grid, ...]:
        """Of all maps that it reads: its own, and those beside it; none of a dense layer."""
        return () if self.grid is None else (self.grid, *(reading.grid for reading in self.wiring.beside))

    @property
    def inputs(self) -> int:
        """Numbers that it reads: of a convolution the whole map, and the maps beside it."""
        return self.weights.shape[1] if self.grid is None else sum(grid.inputs for grid in self.grids)

    @property
    def outputs(self) -> int:
        """Numbers that it hands on."""
        return len(self.bias) * (1 if self.grid is None else self.grid.count)

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Values before the activation: float64 [batch, inputs] -> [batch, outputs], of a map position by position."""
        if self.grid is None:
            return values @ self.weights.T + self.bias
        met, first = [], 0
        for grid in self.grids:
            met.append(grid.read(values[:, first : first + grid.inputs]))
            first += grid.inputs
        return (np.concatenate(met, axis=2) @ self.weights.T + self.bias).reshape(len(values), -1)

    def over(self, factor: float | np.ndarray, offset: float | np.ndarray) -> FloatLayer:
        """The layer that does with x what this one does with factor * x + offset: one number each, or one an input.

        Raises `UnsupportedNetwork` where one kernel cannot: factors differ by position, or what pads the map would have an offset."""
        if self.grid is None:
            factor, offset = (np.broadcast_to(part, self.weights.shape[1:]) for part in (factor, offset))
        else:
            factor, offset = (self._of_taps(part) for part in (factor, offset))
            offset = offset * self.grid.area
            if offset.any() and max(self.grid.pad_top, self.grid.pad_left, self.grid.pad_bottom, self.grid.pad_right):
                raise UnsupportedNetwork(
                    f"layer '{self.name}': it pads with zeros what is scaled with an offset before it, which no kernel can make up for at the "
                    "edges: use padding 'valid', or a scale without offset (byte / 255)"
                )
        return replace(self, weights=self.weights * factor, bias=self.bias + self.weights @ offset)

    def _of_taps(self, values: float | np.ndarray) -> np.ndarray:
        """One number for each tap of a kernel, from one, or one for each channel at every position."""
        channels = self.grid.channels
        table = np.broadcast_to(values, (np.size(values) if np.ndim(values) else channels,)).reshape(-1, channels)
        if (table != table[0]).any():
            raise UnsupportedNetwork(f"layer '{self.name}': what it reads is scaled differently from position to position, a kernel is the same at all")
        return np.tile(table[0], self.grid.kernel_height * self.grid.kernel_width)


@dataclass(frozen=True, eq=False)
class FloatMaxPool(FloatLayer):
    """The largest number of each window of its grid, channel by channel, of numbers that are never negative. It has no weights."""

    @classmethod
    def of(cls, name: str, grid: Grid, sources: tuple[int, ...] = ()) -> FloatMaxPool:
        """Raises `UnsupportedNetwork` for windows that no max pool has."""
        return cls(name, np.zeros((grid.channels, 0)), np.zeros(grid.channels), RELU, grid, MaxPoolLayer(grid, sources).wiring)

    def __post_init__(self) -> None:
        """There is nothing to check: it has no weights."""

    @property
    def windows(self) -> Grid:
        """Its grid, which it always has."""
        if self.grid is None:
            raise ValueError(f"max pool '{self.name}' has no grid")
        return self.grid

    def apply(self, values: np.ndarray) -> np.ndarray:
        return np.maximum.reduce(MaxPoolLayer(self.windows).entrants_of(values))


@dataclass(frozen=True, eq=False)
class FloatNetwork:
    """Layers with activations between them; the last one gives logits.

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
        for number, layer in enumerate(self.layers):
            layer.wiring.check(number, layer.grid)
            sizes = [grid.inputs for grid in layer.grids] or [layer.inputs]
            for sources, wanted in zip(layer.wiring.all_sources(number), sizes, strict=True):
                for before in (self.layers[source] for source in sources if source >= 0):
                    if before.outputs != wanted:
                        raise UnsupportedNetwork(f"layer '{before.name}' has {before.outputs} outputs but layer '{layer.name}' has {wanted} inputs")
        for what in ("pixel_scale", "pixel_offset"):
            found = np.asarray(getattr(self, what), np.float64)
            if found.shape not in ((), (self.shape[0],)) or not np.isfinite(found).all():
                raise UnsupportedNetwork(f"{what} must be one finite number, or one for each of the {self.shape[0]} inputs, got {found.shape}")

    @property
    def shape(self) -> tuple[int, ...]:
        """Widths from input to output, for instance (784, 64, 10)."""
        return (self.layers[0].inputs, *(layer.outputs for layer in self.layers))

    @property
    def convolutions(self) -> bool:
        """Whether any layer is one."""
        return any(layer.grid is not None for layer in self.layers)

    @property
    def over_bytes(self) -> tuple[FloatLayer, ...]:
        """The same function with the input scale folded into the first layer, so that inputs are the bytes themselves."""
        return (self.layers[0].over(self.pixel_scale, self.pixel_offset), *self.layers[1:])

    def pre_activations(self, images: np.ndarray) -> list[np.ndarray]:
        """Float64 values of each layer [batch, width] before its activation, for uint8 images [batch, inputs]; logits last."""
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.ndim != 2 or images.shape[1] != self.shape[0]:
            raise UnusableInput(f"images must be uint8 [batch, {self.shape[0]}], got {images.dtype} {list(images.shape)}")
        found: list[np.ndarray] = []
        handed = {-1: images.astype(np.float64)}
        for number, layer in enumerate(self.over_bytes):
            maps = [sum(handed[source] for source in sources) for sources in layer.wiring.all_sources(number)]
            found.append(layer.apply(maps[0] if len(maps) == 1 else np.concatenate(maps, axis=1)))
            handed[number] = layer.activation(found[-1])
        return found

    def some_pre_activations(self, images: np.ndarray) -> Iterator[list[np.ndarray]]:
        """`pre_activations` of a few images at a time, so that maps of many of them need not be held."""
        for first in range(0, len(images), _BATCH):
            yield self.pre_activations(images[first : first + _BATCH])

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Float64 logits [batch, classes] for uint8 images [batch, inputs]."""
        if not self.convolutions or not len(images):
            return self.pre_activations(images)[-1]
        return np.concatenate([found[-1] for found in self.some_pre_activations(images)])

    def digits(self, images: np.ndarray) -> np.ndarray:
        """The class of each image, int64 [batch]: lowest index of the largest logit."""
        return np.argmax(self.logits(images), axis=1)
