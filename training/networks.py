"""Dense networks and how they are trained. Keras is imported inside the functions.

The recipe for 784-64-10 on MNIST, chosen on the validation tenth and not on the test images: RMSprop with a learning rate
that falls from 0.002 to 0 along a cosine, a small L2 penalty, and label smoothing 0.1 (Szegedy et al., "Rethinking the
Inception Architecture for Computer Vision", 2016, section 7). The penalty also draws the weights of pixels that are never
inked to zero, which shortens the rows and so the worst-case bound that decides the lane width of the circuit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.networks.dense import MAX_LAYERS, MAX_WIDTH
from zkpredict.training.activations import RELU, FloatActivation
from zkpredict.training.datasets import LabelledImages
from zkpredict.training.floating import UNIT_PIXEL
from zkpredict.training.importers.keras_files import import_keras

VALIDATION_SPLIT = 0.1
LEARNING_RATE = 2e-3
L2_PENALTY = 3e-5
LABEL_SMOOTHING = 0.1


@dataclass(frozen=True)
class Recipe:
    """What one training run depends on, besides the images. Raises `UnusableInput` for values that cannot be trained."""

    hidden: tuple[int, ...] = (64,)
    epochs: int = 50
    batch: int = 469
    seed: int = 1
    activation: FloatActivation = RELU

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", tuple(self.hidden))
        if not all(1 <= width <= MAX_WIDTH for width in self.hidden) or len(self.hidden) >= MAX_LAYERS:
            raise UnusableInput(
                f"hidden widths must be up to {MAX_LAYERS - 1} numbers in 1..{MAX_WIDTH}, got {list(self.hidden)}"
            )
        if self.epochs < 1 or self.batch < 1:
            raise UnusableInput(f"epochs and batch must be at least 1, got {self.epochs} and {self.batch}")
        if not 0 <= self.seed < 1 << 32:
            raise UnusableInput(f"seed must be in 0..2^32-1, got {self.seed}")


@dataclass(frozen=True, eq=False)
class Trained:
    """A Keras model that is fed bytes, without optimizer state, and its accuracy on the part of the training images it was not fitted to."""

    model: object
    validation_accuracy: float


def build_network(inputs: int, hidden: Sequence[int], classes: int, fed_bytes: bool = False, activation: FloatActivation = RELU):
    """An untrained Keras model: Dense layers with `activation` of the `hidden` widths, then a linear Dense of `classes` logits. It is fed unit
    pixels; or bytes, which its first layer scales, so that whoever has the model knows how its inputs are scaled."""
    keras = import_keras()
    penalty = keras.regularizers.L2(L2_PENALTY)
    layers = [keras.Input((inputs,), name="pixels")]
    if fed_bytes:
        layers.append(keras.layers.Rescaling(UNIT_PIXEL, name="unit_pixels"))
    for number, width in enumerate(hidden, start=1):
        own = "relu" if activation == RELU else None
        layers.append(keras.layers.Dense(width, activation=own, kernel_regularizer=penalty, name=f"hidden_{number}"))
        if own is None:
            layers.append(_activation_layer(activation, f"activation_{number}"))
    layers.append(keras.layers.Dense(classes, kernel_regularizer=penalty, name="logits"))
    return keras.Sequential(layers, name="network")


def _activation_layer(activation: FloatActivation, name: str):
    from zkpredict.training.layers import LAYERS

    return LAYERS[activation.name](activation.delta, name=name)


def train(data: LabelledImages, recipe: Recipe, on_epoch: Callable[[int], None] = lambda count: None) -> Trained:
    """Trains on `data` (the last tenth is held out for validation); calls `on_epoch(1)` after each epoch.

    The same recipe, images and library versions give the same weights on one machine.
    """
    keras = import_keras()
    keras.utils.set_random_seed(recipe.seed)
    model = build_network(data.flat.shape[1], recipe.hidden, data.classes, activation=recipe.activation)
    fitted = fitted_part(data)
    steps = -(-fitted // recipe.batch) * recipe.epochs
    model.compile(
        keras.optimizers.RMSprop(keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps)),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=LABEL_SMOOTHING),
        metrics=["accuracy"],
    )
    history = model.fit(
        unit_pixels(data.flat),
        keras.utils.to_categorical(data.labels, data.classes),
        batch_size=recipe.batch,
        epochs=recipe.epochs,
        validation_split=VALIDATION_SPLIT,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: on_epoch(1))],
    )
    bare = build_network(data.flat.shape[1], recipe.hidden, data.classes, fed_bytes=True, activation=recipe.activation)
    bare.set_weights(model.get_weights())
    return Trained(bare, float(history.history["val_accuracy"][-1]))


def fitted_part(data: LabelledImages) -> int:
    """How many of the images a network is fitted to: the first ones. Raises `UnusableInput` when none would be left, or held out."""
    fitted = int(len(data) * (1 - VALIDATION_SPLIT))
    if fitted < 1 or fitted == len(data):
        raise UnusableInput(f"{len(data)} training images are too few to hold out a tenth")
    return fitted


def unit_pixels(images: np.ndarray) -> np.ndarray:
    """Bytes as float32 in 0..1: what the trained networks are fed."""
    return images.astype(np.float32) * np.float32(UNIT_PIXEL)
