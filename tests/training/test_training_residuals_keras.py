"""Residual connections from Keras models, as ResNet has them. Only where Keras is."""

import numpy as np
import pytest
from keras_cases import L, keras
from support import MISMATCH, refuses

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.prover.commit import commit_model
from zkpredict.prover.prove import prove
from zkpredict.training.importers.keras_files import load_keras
from zkpredict.training.quantize import quantize
from zkpredict.verifier.errors import FailedOpening
from zkpredict.verifier.native import verify


def normalised(value, filters, side=3, strides=1):
    return L.BatchNormalization()(L.Conv2D(filters, side, strides=strides, padding="same", use_bias=False)(value))


def block(value, filters, strides=1):
    """Two normalised convolutions beside the value itself, or its projection; relu behind the sum."""
    main = normalised(L.ReLU()(normalised(value, filters, strides=strides)), filters)
    return L.ReLU()(L.Add()([main, value if strides == 1 else normalised(value, filters, 1, strides)]))


def resnet(shape=(8, 8, 1)):
    entrance = keras.Input(shape)
    value = L.ReLU()(normalised(L.Rescaling(1 / 255)(entrance), 4))
    value = L.GlobalAveragePooling2D()(block(block(value, 4), 6, 2))
    return keras.Model(entrance, L.Dense(3)(value))


def nested():
    """Blocks as models of their own, with relu in front of a sum of three."""
    inner = keras.Input((6, 6, 3))
    one, two = (L.Conv2D(3, 3, padding="same", activation="relu")(inner) for _ in range(2))
    part = keras.Model(inner, L.Add()([inner, one, two]), name="part")
    entrance = keras.Input((7, 7, 2))
    value = L.Conv2D(3, 2, activation="relu")(L.Rescaling(1 / 255)(entrance))
    value = L.MaxPooling2D(2)(part(value))
    return keras.Model(entrance, L.Dense(3)(L.Flatten()(value)))


def made(build):
    """The model with weights and moments of which none is zero or one."""
    keras.utils.set_random_seed(7)
    model, source = build(), np.random.default_rng(3)
    model.set_weights([values + source.uniform(-0.1, 0.2, values.shape) for values in model.get_weights()])
    return model


@pytest.mark.parametrize("build", [resnet, nested])
def test_what_is_read_computes_what_keras_computes_and_is_proven(saved, tmp_path, build):
    model = made(build)
    pictures = np.random.default_rng(4).integers(0, 256, (80, int(np.prod(model.input_shape[1:]))), dtype=np.uint8)
    expected = np.asarray(model(pictures.reshape(-1, *model.input_shape[1:]).astype(np.float32)))
    model.save(tmp_path / "m.h5")
    for path in (saved(model), tmp_path / "m.h5"):
        imported = load_keras(path)
        floats = imported.over(imported.demand())
        assert np.allclose(floats.logits(pictures), expected, atol=1e-3 * np.abs(expected).max())
    network = quantize(floats, pictures)
    assert network.wired and (network.infer(pictures).digits == expected.argmax(axis=1)).mean() > 0.9
    committed = commit_model(network)
    proof = prove(committed, pictures[0])
    verify(committed.commitment, pictures[0], proof)
    with refuses(FailedOpening, MISMATCH):
        verify(committed.commitment, pictures[1], proof)


def test_other_branches_are_refused_by_name(saved):
    entrance = keras.Input((6, 6, 1))
    value = L.Conv2D(3, 3, padding="same", activation="relu", name="c")(entrance)
    less = L.Conv2D(3, 3, strides=2, padding="same", activation="relu")(value)
    shapes = "they must have one shape; a convolution of 1 x 1, with a stride if need be, brings one to the other's"
    gate = L.Reshape((1, 1, 3))(L.GlobalAveragePooling2D()(value))
    refused = [
        (lambda: L.Add(name="s")([value, gate]), f"layer 's': it adds values of 6 x 6 x 3 and 1 x 1 x 3: {shapes}"),
        (lambda: L.Add(name="s")([entrance, value]), f"layer 's': it adds values of 6 x 6 x 1 and 6 x 6 x 3: {shapes}"),
        (lambda: L.Concatenate(name="s")([value, value]), "layer 's' is a Concatenate: branches are joined by Add only"),
        (lambda: L.Multiply(name="s")([value, value]), "layer 's' is a Multiply: branches are joined by Add only"),
        (lambda: L.Add(name="s")([L.Dense(2)(L.Flatten()(part)) for part in (value, less)]), "layer 's': it adds what a dense layer gives before "
         "its activation: put relu before the sum, or the sum before Flatten"),
        (lambda: L.Add(name="s")([value, L.Conv2D(3, 1, activation="relu", name="e")(entrance)]),
         "layer 'e': it reads the model's input beside another layer: only the first layer reads it; put a convolution with relu in front, and let both read that"),
    ]  # fmt: skip
    for build, reason in refused:
        model = keras.Model(entrance, L.Dense(3)(L.Flatten()(build())))
        path = saved(model)
        with refuses(UnsupportedNetwork, f"Keras model {path}: {reason}"):
            load_keras(path)
