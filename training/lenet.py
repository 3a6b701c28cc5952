"""LeNet-5 with average or max pooling and ReLU (LeCun et al., "Gradient-Based Learning Applied to Document Recognition", 1998, section II.B).

    28 x 28 x 1 -> 6 kernels 5 x 5 -> pool 2 -> 16 kernels 5 x 5 -> pool 2 -> 120 -> 84 -> classes

Adam with a learning rate that falls from 0.002 to 0 along a cosine, label smoothing and a small L2 penalty as for dense networks, chosen on
the validation tenth.
"""

from __future__ import annotations

from collections.abc import Callable

from zkpredict.circuits.errors import UnusableInput
from zkpredict.training.datasets import LabelledImages
from zkpredict.training.floating import UNIT_PIXEL
from zkpredict.training.importers.keras_files import import_keras
from zkpredict.training.networks import L2_PENALTY, LABEL_SMOOTHING, LEARNING_RATE, Recipe, Trained, fitted_part

KERNELS, KERNEL, POOL, HIDDEN = (6, 16), 5, 2, (120, 84)
EPOCHS, BATCH = 10, 128
LEAST_SIDE = 2 * (2 + KERNEL - 1) + KERNEL - 1
"""Of images: what leaves one position behind the second pool."""


POOLINGS = {"lenet": "AveragePooling2D", "lenet-max": "MaxPooling2D"}
"""The networks by name, and the Keras layer that pools in each."""


def build_lenet(side: tuple[int, int], classes: int, network: str = "lenet"):
    """An untrained Keras model that is fed bytes of grey images, `side` rows and columns; its first layer scales them.
    `network`: one of `POOLINGS`."""
    keras = import_keras()
    penalty = keras.regularizers.L2(L2_PENALTY)
    layers = [keras.Input((*side, 1), name="pixels"), keras.layers.Rescaling(UNIT_PIXEL, name="unit_pixels")]
    for number, kernels in enumerate(KERNELS, start=1):
        layers.append(keras.layers.Conv2D(kernels, KERNEL, activation="relu", kernel_regularizer=penalty, name=f"kernels_{number}"))
        layers.append(getattr(keras.layers, POOLINGS[network])(POOL, name=f"pool_{number}"))
    layers.append(keras.layers.Flatten(name="flat"))
    for number, width in enumerate(HIDDEN, start=1):
        layers.append(keras.layers.Dense(width, activation="relu", kernel_regularizer=penalty, name=f"hidden_{number}"))
    layers.append(keras.layers.Dense(classes, kernel_regularizer=penalty, name="logits"))
    return keras.Sequential(layers, name=network.replace("-", "_"))


def train_lenet(
    data: LabelledImages, recipe: Recipe, on_epoch: Callable[[int], None] = lambda count: None, network: str = "lenet"
) -> Trained:
    """Trains on `data` (the last tenth is held out for validation) with the recipe's epochs, batch and seed; calls `on_epoch(1)` after each
    epoch. Raises `UnusableInput` for images that are too small."""
    side = data.images.shape[1:]
    if min(side) < LEAST_SIDE:
        raise UnusableInput(f"LeNet-5 takes images of at least {LEAST_SIDE} x {LEAST_SIDE} pixels, got {' x '.join(map(str, side))}")
    keras = import_keras()
    keras.utils.set_random_seed(recipe.seed)
    model = build_lenet(side, data.classes, network)
    fitted = fitted_part(data)
    steps = -(-fitted // recipe.batch) * recipe.epochs
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps)),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=LABEL_SMOOTHING),
        metrics=["accuracy"],
    )
    images, labels = data.images[..., None], keras.utils.to_categorical(data.labels, data.classes)
    history = model.fit(
        images[:fitted], labels[:fitted], batch_size=recipe.batch, epochs=recipe.epochs, verbose=0,
        validation_data=(images[fitted:], labels[fitted:]),
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: on_epoch(1))],
    )  # fmt: skip
    bare = build_lenet(side, data.classes, network)
    bare.set_weights(model.get_weights())
    return Trained(bare, float(history.history["val_accuracy"][-1]))
